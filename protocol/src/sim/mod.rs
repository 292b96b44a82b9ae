//! The simulator: several people's nodes and their relays in one process, under one seed.
//!
//! A run is a discrete-event simulation over virtual time. It plays a random history — invites, sends, read marks — while it
//! partitions, delays, drops, repeats and reorders, kills and restarts hosts between any two steps of a commit, restores relays from
//! old snapshots, turns clocks and lets a stranger inject what it has seen; then all is healed, and the checker compares what was
//! acknowledged with what everybody has. All chance comes from the seed, so a failing run is replayed by its seed alone.
//!
//! Reading order: `world` (time and events), `host` (a state machine, its disk and its commits), `network`, `hostile`, `driver` and
//! `setup` (the history), `checker`; for groups `village` (what members want), `judge` (what has to come of it) and `model` (which branch
//! counts, said a second time), `liar` (a relay that lies) and `mole` (a hostile member); for channels `shop` and `twin` (a follower who wants something else).

// An instrument of tests: a bug of its own may stop a run.
#![allow(clippy::indexing_slicing)]

mod checker;
mod driver;
mod host;
mod hostile;
mod judge;
mod liar;
mod model;
mod mole;
mod network;
mod plan;
mod random;
mod setup;
mod shop;
mod twin;
mod village;
mod world;

use crate::mls::Suite;
use driver::Driver;

/// A fault of the program itself, put in to show that the checker sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Broken {
    /// None.
    #[default]
    None,
    /// Clients forget at a restart what they have shown.
    NoDurableDedup,
    /// Shells carry out effects before they commit the step.
    AckBeforeFlush,
    /// Of two branches of a chat's commits the one that came first counts.
    ArrivalDecides,
    /// Of two branches the one whose first commit has the lower hash counts.
    LowestHashDecides,
    /// A change whose commit lost isn't made again.
    LoserNotRetried,
    /// Whoever is removed keeps the chat's topic.
    TopicStays,
    /// What a relay has signed for is no longer looked after.
    RelayBelieved,
    /// Relays take a cursor for its position alone, without its running hash.
    CursorUnhashed,
    /// Followers pass on only what they want themselves.
    TermsShown,
}

/// What is simulated.
#[derive(Clone, Debug)]
pub struct SimConfig {
    /// The chats' suite.
    pub suite: Suite,
    /// What is broken on purpose.
    pub broken: Broken,
    /// Random acts of the eventful phase: sends, faults, read marks.
    pub acts: u64,
    /// Least and greatest number of devices of a history with a group; none for one of a few pairs.
    pub group: Option<(usize, usize)>,
    /// Of a group: states are settled while others are away.
    pub settles: bool,
    /// Of a group: one of its relays lies, where there are several.
    pub liar: bool,
    /// Of a group with a relay that lies: now and then nothing is done for so long that relays are asked what they keep.
    pub audits: bool,
    /// Of a group: one of its members is hostile.
    pub mole: bool,
    /// Of pairs: the first has a channel that the others follow, one of several relays lies, and the brand now and then signs two
    /// things with one number. Each follower has a twin that wants something else: what leaves the two has to be the same.
    pub brand: bool,
    /// Of a group that settles its states: relays keep nothing for long, and somebody is away for longer.
    pub absence: bool,
    /// Virtual seconds in which everything has to come right once all is healed.
    pub patience_s: u64,
    /// Lines of trace that a failure shows; the failing run is repeated to get them.
    pub trace: usize,
}

impl SimConfig {
    /// The usual history on a suite.
    pub fn new(suite: Suite) -> Self {
        Self {
            suite,
            broken: Broken::None,
            acts: 150,
            group: None,
            settles: false,
            liar: false,
            audits: false,
            mole: false,
            brand: false,
            absence: false,
            patience_s: 15 * 60,
            trace: 80,
        }
    }

    /// The usual history of a group.
    pub fn group(suite: Suite, least: usize, greatest: usize) -> Self {
        Self {
            group: Some((least, greatest)),
            ..Self::new(suite)
        }
    }
}

/// What a clean run was like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// BLAKE3 over all that went over the wire, with times and ends, in order.
    pub wire: [u8; 32],
    /// Messages whose sending was acknowledged.
    pub sends: u64,
    /// Hosts killed.
    pub crashes: u64,
    /// Steps made durable.
    pub commits: u64,
    /// States that chats were seen in, summed over chats: at least the number of epochs.
    pub epochs: u64,
    /// Envelopes deposited, repeats included.
    pub envelopes: u64,
    /// Envelopes that went by gossip, losses included.
    pub gossiped: u64,
    /// Frames, envelopes and junk put in by the stranger.
    pub injected: u64,
    /// Posts of brands that were acknowledged.
    pub posts: u64,
    /// Of these, those that twins of followers held back or didn't want.
    pub withheld: u64,
    /// Entries that brands signed with numbers they had used.
    pub forgeries: u64,
    /// Questions to relays about what they keep.
    pub questions: u64,
    /// Pieces of evidence against relays that clients hold in the end.
    pub evidence: u64,
    /// Events processed.
    pub events: u64,
    /// Virtual milliseconds.
    pub virtual_ms: u64,
}

/// A run that broke a promise.
#[derive(Clone, Debug, thiserror::Error)]
#[error("seed {seed} ({config:?}): {reason}\n{trace}")]
pub struct Failure {
    /// The seed that shows it again.
    pub seed: u64,
    /// What was simulated.
    pub config: SimConfig,
    /// The promise.
    pub reason: String,
    /// The last things that happened, oldest first.
    pub trace: String,
}

/// Plays one history and checks it.
///
/// # Errors
/// When a promise is broken, with the seed and what happened last.
pub fn run(seed: u64, config: &SimConfig) -> Result<Outcome, Failure> {
    let first = match Driver::new(seed, config, false).play() {
        Ok(outcome) => return Ok(outcome),
        Err((reason, _)) => reason,
    };
    let (reason, trace) = match Driver::new(seed, config, true).play() {
        Ok(_) => (
            format!("not deterministic: the second run is clean, the first failed with: {first}"),
            Vec::new(),
        ),
        Err((again, trace)) if again == first => (first, trace),
        Err((again, trace)) => (format!("not deterministic: first {first}, then {again}"), trace),
    };
    Err(Failure {
        seed,
        config: config.clone(),
        reason,
        trace: trace.join("\n"),
    })
}
