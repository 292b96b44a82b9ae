//! How much of everything a run takes.

/// The counts of a run.
#[derive(Clone, Debug)]
pub struct Scale {
    /// Its name.
    pub name: &'static str,
    /// Runs of each measurement.
    pub repeats: usize,
    /// Messages one at a time in a run.
    pub latency_messages: usize,
    /// Messages of a run at full speed.
    pub sustained_messages: usize,
    /// Calls of a run that lists messages.
    pub listed: usize,
    /// Operations of a run of the libraries alone.
    pub bare_messages: usize,
    /// Messages that wait for a person who was away.
    pub backlog: usize,
    /// Messages stored when a node starts.
    pub stored: usize,
    /// Envelopes deposited in a run.
    pub deposits: usize,
    /// Connections by which the libraries' memory is measured.
    pub bare_connections: usize,
    /// Numbers of watchers on one topic.
    pub watchers: &'static [usize],
    /// Posts of the channel that is read.
    pub channel_posts: usize,
    /// How many of them are paged through.
    pub channel_paged: usize,
    /// Followers that pass a channel on, each a process.
    pub followers: usize,
    /// Seconds that they have to find each other.
    pub mesh_seconds: u64,
    /// Posts of a run among them.
    pub mesh_posts: usize,
    /// Numbers of simulated followers.
    pub crowd: &'static [usize],
    /// Relays that they follow at, and channels.
    pub crowd_relays: usize,
    /// Numbers of simulated followers without a relay.
    pub crowd_mesh: &'static [usize],
    /// Chats of the idle node.
    pub chats: usize,
    /// Seconds that it is left alone first: the back-off of those who are away grows to its usual length.
    pub settle_seconds: u64,
    /// Seconds for which it is watched.
    pub idle_seconds: u64,
    /// Messages whose space is measured.
    pub disk_messages: usize,
    /// Chats that they are in.
    pub disk_chats: usize,
    /// Devices of the groups whose steps are measured.
    pub groups: &'static [usize],
    /// Messages and commits in each of them.
    pub group_steps: usize,
    /// Devices of the group that forks.
    pub fork_members: usize,
    /// Messages of a run in a group of eleven processes.
    pub group_messages: usize,
    /// Messages that wait for a member who was away.
    pub group_backlog: usize,
    /// Commits among those.
    pub group_commits: usize,
    /// MiB of the file that is sent.
    pub file_mib: usize,
}

impl Scale {
    /// Returns the scale of a name: `full` is what the budgets speak of, `small` takes some minutes, `tiny` shows that all works.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "tiny" => Some(Self {
                name: "tiny",
                repeats: 1,
                latency_messages: 5,
                sustained_messages: 20,
                listed: 20,
                bare_messages: 5,
                backlog: 20,
                stored: 20,
                deposits: 20,
                bare_connections: 5,
                watchers: &[5],
                channel_posts: 100,
                channel_paged: 40,
                followers: 4,
                mesh_seconds: 2,
                mesh_posts: 1,
                crowd: &[20],
                crowd_relays: 3,
                crowd_mesh: &[10],
                chats: 2,
                settle_seconds: 1,
                idle_seconds: 1,
                disk_messages: 20,
                disk_chats: 2,
                groups: &[2, 5],
                group_steps: 2,
                fork_members: 5,
                group_messages: 20,
                group_backlog: 20,
                group_commits: 2,
                file_mib: 9,
            }),
            "small" => Some(Self {
                name: "small",
                repeats: 3,
                latency_messages: 200,
                sustained_messages: 5_000,
                listed: 5_000,
                bare_messages: 1_000,
                backlog: 5_000,
                stored: 20_000,
                deposits: 20_000,
                bare_connections: 200,
                watchers: &[500],
                channel_posts: 10_000,
                channel_paged: 1_000,
                followers: 40,
                mesh_seconds: 20,
                mesh_posts: 5,
                crowd: &[1_000, 10_000],
                crowd_relays: 50,
                crowd_mesh: &[1_000],
                chats: 10,
                settle_seconds: 10,
                idle_seconds: 30,
                disk_messages: 5_000,
                disk_chats: 5,
                groups: &[2, 32, 256],
                group_steps: 10,
                fork_members: 256,
                group_messages: 2_000,
                group_backlog: 2_000,
                group_commits: 10,
                file_mib: 64,
            }),
            "full" => Some(Self {
                name: "full",
                repeats: 5,
                latency_messages: 500,
                sustained_messages: 20_000,
                listed: 20_000,
                bare_messages: 2_000,
                backlog: 10_000,
                stored: 100_000,
                deposits: 50_000,
                bare_connections: 1000,
                watchers: &[2_000, 10_000],
                channel_posts: 99_999,
                channel_paged: 1_000,
                followers: 200,
                mesh_seconds: 45,
                mesh_posts: 10,
                crowd: &[1_000, 10_000, 100_000],
                crowd_relays: 50,
                crowd_mesh: &[1_000, 10_000],
                chats: 50,
                settle_seconds: 60,
                idle_seconds: 120,
                disk_messages: 20_000,
                disk_chats: 10,
                groups: &[2, 32, 256, 1_000],
                group_steps: 20,
                fork_members: 256,
                group_messages: 5_000,
                group_backlog: 10_000,
                group_commits: 20,
                file_mib: 512,
            }),
            _ => None,
        }
    }
}
