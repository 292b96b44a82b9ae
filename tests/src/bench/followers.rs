//! Rows of channels with more followers than processes fit a machine: whole clients and relays in virtual time (`crowd`).

use std::time::Instant;

use madang_protocol::channel::Post;
use madang_protocol::client::{ChannelCommand, Command, ManifestChange, PostFiles, Reply, channel_view};
use madang_protocol::keys::ChannelId;

use crate::bench::crowd::{Crowd, Traffic};
use crate::bench::host;
use crate::bench::report::{Row, Sample};
use crate::bench::scale::Scale;

/// Relays of a channel: as many as an account has at most.
const RELAYS: usize = madang_protocol::limits::OWN_RELAYS;
/// Microseconds between two who begin to follow.
const ARRIVING_US: u64 = 1_000;
/// Microseconds until who follows has met others and all is quiet.
const SETTLING_US: u64 = 120_000_000;
/// Microseconds in which a post and its beacon get to all.
const POSTING_US: u64 = 20_000_000;
/// Microseconds until those who were at a relay that is gone have noticed.
const NOTICING_US: u64 = 5_000_000;

/// Channels with their relays, and who follows which.
struct Town {
    crowd: Crowd,
    relays: Vec<usize>,
    /// Each with its brand.
    channels: Vec<(usize, ChannelId)>,
    followers: Vec<usize>,
    /// Bytes of memory of a follower, with its relay's share.
    memory: f64,
}

/// What a post cost.
struct Told {
    /// Milliseconds until each follower had it.
    times: Sample,
    /// How many never had it.
    lacking: usize,
    /// Of a follower, and of a relay.
    follower: Traffic,
    relay: Traffic,
    most: u64,
    /// Seconds of this machine.
    took: f64,
}

impl Town {
    fn new(relays: usize, channels: usize, followers: usize, mesh: bool) -> Self {
        let mut crowd = Crowd::new();
        let relays: Vec<usize> = (0..relays).map(|_| crowd.relay()).collect();
        let mut town = Self {
            crowd,
            relays,
            channels: Vec::new(),
            followers: Vec::new(),
            memory: 0.0,
        };
        let mut links = Vec::new();
        for at in 0..channels {
            let own: Vec<usize> = (0..RELAYS.min(town.relays.len()))
                .map(|next| town.relays[(at + next) % town.relays.len()])
                .collect();
            let brand = town.crowd.client(&own);
            town.crowd.pass(SETTLED_US);
            let create = ChannelCommand::Create {
                manifest: ManifestChange {
                    name: Some("shop".into()),
                    ..ManifestChange::default()
                },
                idempotency_key: None,
            };
            let Reply::Channel(channel) = town.tell(brand, create) else {
                panic!("a channel is made");
            };
            if mesh {
                town.tell(brand, ChannelCommand::Mesh { channel, mesh });
            }
            let view = channel_view::channel(town.crowd.rows(brand), &channel)
                .unwrap()
                .unwrap();
            links.push(view.link());
            town.channels.push((brand, channel));
        }
        town.crowd.pass(SETTLED_US);
        let before = host::resident(std::process::id());
        for at in 0..followers {
            let place = town.crowd.client(&[]);
            let link = links[at % channels].clone();
            town.tell(place, ChannelCommand::Follow { link, mesh });
            town.crowd.pass(ARRIVING_US);
            town.followers.push(place);
        }
        town.crowd.pass(SETTLING_US);
        town.memory = (host::resident(std::process::id()) - before) / followers as f64;
        town
    }

    fn tell(&mut self, place: usize, command: ChannelCommand) -> Reply {
        self.crowd.command(place, Command::Channel(Box::new(command)))
    }

    /// All channels post at once.
    fn post(&mut self) -> Told {
        self.crowd.count_anew();
        let (began, clock) = (self.crowd.now(), Instant::now());
        for (brand, channel) in self.channels.clone() {
            let post = ChannelCommand::Post {
                channel,
                post: Post::text("Open until nine today, and a reading at seven"),
                files: PostFiles::default(),
                at_ms: None,
                idempotency_key: None,
            };
            self.tell(brand, post);
        }
        self.crowd.pass(POSTING_US);
        let had = self.followers.iter().filter_map(|place| self.crowd.posted_at(*place));
        let times: Vec<f64> = had.map(|at| (at - began) as f64 / 1e3).collect();
        let mean = |places: &[usize]| {
            let many = places.len().max(1) as u64;
            let all = places.iter().map(|place| self.crowd.traffic(*place));
            let sum = all.fold(Traffic::default(), |sum, one| Traffic {
                sent: sum.sent + one.sent,
                came: sum.came + one.came,
                bytes: sum.bytes + one.bytes,
            });
            Traffic {
                sent: sum.sent / many,
                came: sum.came / many,
                bytes: sum.bytes / many,
            }
        };
        let most = self.followers.iter().map(|place| {
            let traffic = self.crowd.traffic(*place);
            traffic.sent + traffic.came
        });
        Told {
            lacking: self.followers.len() - times.len(),
            times: Sample::new(times),
            follower: mean(&self.followers),
            relay: mean(&self.relays),
            most: most.max().unwrap_or_default(),
            took: clock.elapsed().as_secs_f64(),
        }
    }
}

/// Microseconds until a brand is connected, and until what it made is at its relays.
const SETTLED_US: u64 = 3_000_000;

/// A post of each channel at once: virtual time and messages as followers grow, by relays; and among followers alone.
pub fn rows(scale: &Scale) -> Vec<Row> {
    let mut rows = Vec::new();
    for count in scale.crowd {
        let mut town = Town::new(scale.crowd_relays, scale.crowd_relays, *count, false);
        let told = town.post();
        let what = format!(
            "simulated: {count} followers, {} relays and channels",
            scale.crowd_relays
        );
        rows.extend(told.rows(&what, &town, true));
    }
    for count in scale.crowd_mesh {
        let mut town = Town::new(RELAYS, 1, *count, true);
        for relay in std::mem::take(&mut town.relays) {
            town.crowd.end(relay);
        }
        town.crowd.pass(NOTICING_US);
        let told = town.post();
        let what = format!("simulated: {count} followers by each other, no relay");
        rows.extend(told.rows(&what, &town, false));
    }
    rows
}

impl Told {
    fn rows(&self, what: &str, town: &Town, relays: bool) -> Vec<Row> {
        let time = |share: f64| self.times.quantile(share);
        let all = if self.lacking == 0 {
            vec![self.times.max()]
        } else {
            Vec::new()
        };
        let lacking = match self.lacking {
            0 => String::new(),
            many => format!("; {many} never had it"),
        };
        let mut rows = vec![
            Row::new(format!("{what}: all have a post"), "ms", all).note(format!(
                "virtual; half in {:.0}, 99 of 100 in {:.0} ms{lacking}; simulated in {:.1} s, {} inputs in all",
                time(0.5),
                time(0.99),
                self.took,
                town.crowd.steps
            )),
            Row::new(format!("{what}: messages of a follower for a post"), "", vec![
                (self.follower.sent + self.follower.came) as f64,
            ])
            .note(format!(
                "{} sent, {} got, the busiest {}; {} bytes; beacon and acknowledgements included; memory of each with its share of relays {:.0} kB",
                self.follower.sent,
                self.follower.came,
                self.most,
                self.follower.bytes,
                town.memory / 1e3
            )),
        ];
        if relays {
            rows.push(
                Row::new(
                    format!("{what}: messages of a relay for a post"),
                    "",
                    vec![(self.relay.sent + self.relay.came) as f64],
                )
                .note(format!(
                    "{} sent, {} got; {} bytes",
                    self.relay.sent, self.relay.came, self.relay.bytes
                )),
            );
        }
        rows
    }
}
