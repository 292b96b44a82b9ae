//! The client's settings.

use crate::address::PeerAddress;
use crate::channel::terms::Zone;
use crate::custody::AdmissionToken;
use crate::keys::TransportKey;
use crate::limits;
use crate::mls::Suite;

/// Deliberate faults, which the simulator must catch.
#[cfg(feature = "sim")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sabotage {
    /// None: the real thing.
    #[default]
    None,
    /// What was received isn't stored, so a restart forgets it.
    NoDurableDedup,
    /// Of two branches the one that came first counts.
    ArrivalDecides,
    /// Of two branches the one whose first commit has the lower hash counts.
    LowestHashDecides,
    /// A change whose commit lost isn't made again.
    LoserNotRetried,
    /// Whoever is removed keeps the chat's topic.
    TopicStays,
    /// What a relay has signed for is no longer looked after.
    RelayBelieved,
    /// Only what is wanted of a channel is passed on.
    TermsShown,
}

/// Milliseconds that custodians keep an envelope by default.
const CUSTODY_MS: u64 = limits::CUSTODY_SECONDS as u64 * 1000;

/// The client's settings.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// The suite of invites and chats that this client makes.
    pub suite: Suite,
    /// What the account calls itself; `None` leaves it as it was.
    pub name: Option<String>,
    /// Its relays; `None` leaves them as they were.
    pub relays: Option<Vec<PeerAddress>>,
    /// New tokens by which own relays admit this account; those of relays that aren't named stay.
    pub relay_tokens: Vec<(TransportKey, AdmissionToken)>,
    /// The device's time zone, for the hours at which people want to hear of channels.
    pub zone: Zone,
    /// Bytes of files that are kept, own and fetched ones, sealed.
    pub file_bytes: u64,
    /// States kept for late messages in each chat.
    pub frozen_states: usize,
    /// Milliseconds that they are kept.
    pub frozen_ms: u64,
    /// Milliseconds between updates of the own leaf.
    pub leaf_update_ms: u64,
    /// Milliseconds that a report waits for more to report.
    pub report_delay_ms: u64,
    /// Milliseconds that a report waits which only tells again what was told before: what a member repeats can't keep a device busy.
    pub repeat_delay_ms: u64,
    /// Milliseconds that gossip has to deliver before a connected device is handed the envelope by stream.
    pub direct_grace_ms: u64,
    /// Milliseconds after which a message that not everybody has is given up.
    pub give_up_ms: u64,
    /// Milliseconds after which an undelivered message is sealed and deposited again; doubles with each try.
    pub nudge_ms: u64,
    /// Least and greatest milliseconds between dials of one peer.
    pub dial_backoff_ms: (u64, u64),
    /// Greatest milliseconds between dials of a device that isn't there, while a relay serves the two of us: when it comes it dials us.
    pub device_backoff_ms: u64,
    /// Milliseconds that accepting an invite waits for the card.
    pub accept_ms: u64,
    /// Milliseconds that what builds on an unknown state waits for it before this device asks to be put back.
    pub rejoin_ms: u64,
    /// Milliseconds that something is missing before it counts as a gap: what comes by several paths needn't come in order.
    pub gap_grace_ms: u64,
    /// Milliseconds between asking relays and asking members for what is missing; doubles with each further round.
    pub gap_fill_ms: u64,
    /// Milliseconds that each member who could hand over what another lacks waits for the one before it.
    pub answer_step_ms: u64,
    /// A deliberate fault.
    #[cfg(feature = "sim")]
    pub sabotage: Sabotage,
}

impl ClientConfig {
    /// The defaults.
    pub fn new(suite: Suite) -> Self {
        Self {
            suite,
            name: None,
            relays: None,
            relay_tokens: Vec::new(),
            zone: Zone::UTC,
            file_bytes: limits::FILES_BYTES,
            frozen_states: limits::FROZEN_STATES,
            frozen_ms: limits::FROZEN_MS,
            leaf_update_ms: limits::LEAF_UPDATE_MS,
            // Guess: below what a person notices, above the spacing of messages under load.
            report_delay_ms: 25,
            // Guess: one report a second drains no battery, and a sender that missed one waits a minute before it asks.
            repeat_delay_ms: 1_000,
            // Guess: several round trips on a slow link.
            direct_grace_ms: 400,
            // Guess: a minute; custody has failed by then, or the other is offline and the doubling keeps the cost low.
            nudge_ms: 60_000,
            // Guess: whoever was away for three times as long as relays keep anything won't come back for it.
            give_up_ms: 3 * CUSTODY_MS,
            dial_backoff_ms: (250, 30_000),
            // Guess: fifty friends who are away cost a dial every five seconds.
            device_backoff_ms: 300_000,
            // docs/rpc.md: `contact.accept` waits up to 20 s.
            accept_ms: 20_000,
            // Guess: longer than relays and members need to bring a commit that exists.
            rejoin_ms: 600_000,
            // Guess: gossip, its fallback after 400 ms and a slow relay have all had their turn.
            gap_grace_ms: 5_000,
            // Guess: a relay has pushed what it has by then.
            gap_fill_ms: 10_000,
            // Guess: an answer has come and been reported by then.
            answer_step_ms: 500,
            #[cfg(feature = "sim")]
            sabotage: Sabotage::None,
        }
    }
}
