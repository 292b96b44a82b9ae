//! What a relay allows, what it counts, and the bounds of its work.

use crate::limits;
use std::collections::BTreeMap;

/// Bytes that an envelope costs beyond its own: its rows' keys, hash and expiry, as sled keeps them (guess, to be replaced by the
/// measurement of disk per message).
pub const ENVELOPE_OVERHEAD_BYTES: u64 = 256;
/// Bytes that keeping or expiring an envelope writes beside it, at most: keys and values of its rows and its topic's.
pub(super) const ROWS_BYTES: usize = 512;
/// Rows of the expiry index that one tick takes: bounds its batch.
pub(super) const EXPIRY_CHUNK: usize = 512;
/// Log rows that one read of a page takes: with the largest envelopes 4 MiB in memory at once.
pub(super) const ROWS_PER_READ: usize = 64;
/// Log rows that one page looks at; behind a long run of expired ones the reader's turn comes again.
pub(super) const ROWS_PER_PAGE: usize = 4096;
/// Bytes of pages that one input may cause; what is left is served by the next (guess: four watchers' windows).
pub(super) const PUMP_BYTES: usize = 4 * limits::PUSH_WINDOW_BYTES as usize;
/// What a page costs of [`PUMP_BYTES`] beside its envelopes: bounds the number of empty pages.
pub(super) const PAGE_COST_BYTES: usize = 1024;
/// Seconds until a retry makes sense when nothing better is known (guess).
pub(super) const RETRY_S: u32 = 60;
/// Seconds until a retry of an envelope that has expired and is still being removed (guess: a few ticks).
pub(super) const EXPIRED_RETRY_S: u32 = 15;
/// Seconds of a depositor's quota window.
pub(super) const DAY_S: u64 = 24 * 3600;

/// What a relay allows. Bytes count each envelope with [`ENVELOPE_OVERHEAD_BYTES`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayConfig {
    /// Bytes of one topic.
    pub topic_bytes: u64,
    /// Envelopes of one topic.
    pub topic_envelopes: u64,
    /// Bytes that one peer may deposit a day. Counted in memory: a restart begins a new day.
    pub depositor_bytes_per_day: u64,
    /// Depositors whose day is counted; beyond, the one whose day began first is forgotten.
    pub depositors: usize,
    /// Bytes of all topics.
    pub total_bytes: u64,
    /// Topics that have a row, empty ones that are still remembered included; beyond, a new one is refused.
    pub topics: u64,
    /// Topics that one peer watches; beyond, the watch is refused.
    pub watches_per_peer: usize,
    /// Topics watched by all peers; beyond, the watch is refused.
    pub watches: usize,
    /// Connected peers; what others ask is refused until one leaves.
    pub peers: usize,
    /// Topics in memory that nobody watches; the least recently used go first.
    pub cached_topics: usize,
    /// The longest that an envelope is kept, and how long an emptied topic is remembered, in seconds.
    pub retention_s: u32,
}

impl Default for RelayConfig {
    fn default() -> Self {
        Self {
            // A chat's month: 60,000 messages of 1 KiB; one topic is at most a 256th of the whole (guess).
            topic_bytes: 64 * 1024 * 1024,
            // Bounds the stubs and the catching up of a topic of short messages (guess).
            topic_envelopes: 100_000,
            // Twice an account's full outbox (`limits::OUTBOX_BYTES`), so that even the worst return fits a day.
            depositor_bytes_per_day: 2 * limits::OUTBOX_BYTES as u64,
            depositors: 4 * limits::PEERS,
            // A small rented disk (guess).
            total_bytes: 16 * 1024 * 1024 * 1024,
            // 200 MB of rows (guess).
            topics: 1_000_000,
            watches_per_peer: limits::CHATS,
            // About 150 MB of memory (guess).
            watches: 500_000,
            // The budget of 10,000 watchers, with room.
            peers: 4 * limits::PEERS,
            cached_topics: 65_536,
            retention_s: limits::CUSTODY_SECONDS,
        }
    }
}

/// Figures of a relay, for metrics. Those of what is stored count what isn't flushed yet too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RelayStats {
    /// Envelopes stored.
    pub envelopes: u64,
    /// Bytes of envelopes stored, without overhead.
    pub bytes: u64,
    /// Topics that have a row.
    pub topics: u64,
    /// Connected peers.
    pub peers: u64,
    /// Topics watched, summed over peers.
    pub watches: u64,
    /// Envelopes taken since the start.
    pub accepted: u64,
    /// Envelopes deposited again since the start.
    pub repeated: u64,
    /// Envelopes and watches refused since the start, by the reason's name.
    pub refused: BTreeMap<&'static str, u64>,
    /// Envelopes pushed since the start.
    pub pushed: u64,
    /// Envelopes expired since the start.
    pub expired: u64,
}
