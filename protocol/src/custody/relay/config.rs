//! What a relay allows, what it counts, and the bounds of its work.

use crate::envelope::Envelope;
use crate::limits;
use crate::padding;
use std::collections::BTreeMap;

/// Bytes that an envelope costs beyond its own: its rows' keys, hash, expiry and seals, and what the database adds to them
/// (measured: about 130; the rest is room for pages that aren't full).
pub const ENVELOPE_OVERHEAD_BYTES: u64 = 256;
/// Bytes that keeping or expiring an envelope writes beside it, at most: keys and values of its rows and its topic's.
pub(super) const ROWS_BYTES: usize = 512;
/// Log rows that one tick looks at for expiry: bounds its batch and its time.
pub(super) const EXPIRY_CHUNK: usize = 512;
/// Bytes of envelopes after which a tick looks no further: bounds what it reads.
pub(super) const EXPIRY_BYTES: usize = 4 * 1024 * 1024;
/// Rows of the expiry index that one tick reads.
pub(super) const EXPIRY_ROWS: usize = 64;
/// Rows of the expiry index that a topic has at most over a retention: what expires within the same stretch shares one.
const EXPIRY_STRETCHES: u32 = 720;
/// Seconds of such a stretch, at the least and at the most: an envelope is removed by its end.
const EXPIRY_STRETCH_S: (u64, u64) = (60, 3600);
/// Log rows that one read of a page takes: with the largest envelopes 4 MiB in memory at once.
pub(super) const ROWS_PER_READ: usize = 64;
/// Log rows that one page looks at; behind a long run of expired ones the reader's turn comes again.
pub(super) const ROWS_PER_PAGE: usize = 4096;
/// Bytes of pages that one input may cause; what is left is served by the next (guess: two watchers' windows).
pub(super) const PUMP_BYTES: usize = 2 * limits::PUSH_WINDOW_BYTES as usize;
/// What a page costs of [`PUMP_BYTES`] beside its envelopes: bounds the number of empty pages.
pub(super) const PAGE_COST_BYTES: usize = 1024;
/// What a page costs that was read for another watcher and is shared with it: so that 16,384 watchers are served by one input.
pub(super) const SHARED_PAGE_COST_BYTES: usize = 256;
/// Pages that one input keeps at hand for watchers at the same place (guess: topics that are pushed at the same time).
pub(super) const SHARED_PAGES: usize = 16;
/// Seconds until a retry makes sense when nothing better is known (guess).
pub(super) const RETRY_S: u32 = 60;
/// Seconds until a retry while the disk takes no writes (guess: an operator's time to make room is longer, a probe's shorter).
pub(super) const READ_ONLY_RETRY_S: u32 = 30;
/// Seconds between the end of a stretch and the removal of the last envelope in it, as told to those who wait for it (guess: a few ticks).
pub(super) const REMOVAL_S: u64 = 15;
/// Seconds of a depositor's quota window.
pub(super) const DAY_S: u64 = 24 * 3600;
/// The share of a depositor's quota that may be used before its row is written again: so much a restart may forgive.
pub(super) const DEPOSITOR_STEPS: u64 = 16;
/// Damaged rows that wait for their removal; beyond, they are only passed over.
pub(super) const DAMAGED_ROWS: usize = 4096;
/// Rows of the blobs' expiry index that one tick reads (guess: with the largest blobs of today two ticks' chunks).
pub(super) const BLOB_EXPIRY_ROWS: usize = 8;
/// Seconds after its last chunk that a blob is kept which isn't whole: its sender has come back by then or sends anew (guess: a day).
pub(super) const PARTIAL_S: u64 = DAY_S;
/// The share of all bytes that blobs may take: the rest is left to messages (guess).
pub(super) const BLOB_SHARE: (u64, u64) = (3, 4);
/// Seconds until a reader whose window is full may ask for chunks again (guess: an acknowledgement's way).
pub(super) const WINDOW_RETRY_S: u32 = 1;
/// Bytes of rows that one comparison reads; a window with more is split (some 10 ms of the keeper's time).
pub(super) const COMPARE_BYTES: usize = 4 * 1024 * 1024;
/// Rows that one comparison looks at, expired ones included.
pub(super) const COMPARE_ROWS: usize = 4 * limits::RECONCILE_ELEMENTS;
/// What a comparison costs beside the bytes that it reads: bounds the number of empty ones.
pub(super) const COMPARE_COST_BYTES: u64 = 32 * 1024;
/// Bytes that a peer, and all peers together, may have read in a minute; then they are told to wait (guess: a busy relay's reads for
/// comparing stay below a tenth of a core).
pub(super) const COMPARE_BYTES_PER_MINUTE: (u64, u64) = (32 * 1024 * 1024, 512 * 1024 * 1024);
/// Sessions whose sets are kept, one a peer; beyond, the one that was used longest ago is read again when it goes on (10 MB).
pub(super) const SESSIONS: usize = 32;
/// Seconds without a question after which a session's set is dropped.
pub(super) const SESSION_S: u64 = 60;
/// Listings of the directory that one search looks at; then its page ends (some milliseconds of the keeper's time).
pub(super) const LISTINGS_LOOKED_AT: usize = 1024;
/// Envelopes, and their bytes, among which the newest beacon of a channel is looked for to see who may be told figures: there is one after
/// each entry of the root (guess).
pub(super) const BEACON_ROWS: usize = 256;
/// See [`BEACON_ROWS`].
pub(super) const BEACON_BYTES: usize = 512 * 1024;
/// Searches, listings, reports and questions for figures of a peer, and of all peers together, in a minute; then they are told to wait (guess: somebody who looks
/// around; a tenth of a core).
pub(super) const SEARCHES_PER_MINUTE: (u64, u64) = (60, 1200);
/// Listings that one tick lets go of.
pub(super) const LISTINGS_PER_EXPIRY: usize = 64;
/// Seconds between writes of the time seen, while nothing else is written.
pub(super) const SEEN_S: u64 = 3600;

/// What a relay allows. Bytes count each envelope with [`ENVELOPE_OVERHEAD_BYTES`], each blob with that for each chunk and once more,
/// from its first chunk on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayConfig {
    /// Bytes of one topic's envelopes.
    pub topic_bytes: u64,
    /// Bytes of one topic's blobs.
    pub topic_blob_bytes: u64,
    /// Envelopes of one topic.
    pub topic_envelopes: u64,
    /// Padded bytes of one blob.
    pub blob_bytes: u64,
    /// Bytes that one peer may deposit a day. Kept over restarts, but for a sixteenth of it.
    pub depositor_bytes_per_day: u64,
    /// Depositors whose day is counted; beyond, the one whose day began first is forgotten.
    pub depositors: usize,
    /// Bytes of all topics.
    pub total_bytes: u64,
    /// Topics that have a row, empty ones that are still remembered included; beyond, a new one is refused.
    pub topics: u64,
    /// Topics that one peer watches; beyond, the watch is refused.
    pub watches_per_peer: usize,
    /// Topics that one peer watches whom the relay doesn't admit; beyond, the watch is refused.
    pub watches_per_guest: usize,
    /// Channels in the public directory, at most 8 KiB each, in memory and on disk; beyond, a new one is refused. 0 for no directory.
    pub listings: usize,
    /// Topics watched by all peers; beyond, the watch is refused.
    pub watches: usize,
    /// Connected peers; what others ask is refused until one leaves.
    pub peers: usize,
    /// Topics in memory that nobody watches; the least recently used go first.
    pub cached_topics: usize,
    /// The longest that an envelope is kept, and how long an emptied topic is remembered, in seconds.
    pub retention_s: u32,
    /// The longest that an envelope of a channel is kept, in seconds: its past is read by who follows it later.
    pub channel_retention_s: u32,
    /// A deliberate fault: a cursor counts for its position alone.
    #[cfg(feature = "sim")]
    pub cursor_unhashed: bool,
}

impl Default for RelayConfig {
    fn default() -> Self {
        Self {
            // A chat's month: 60,000 messages of 1 KiB; one topic is at most a 256th of the whole (guess).
            topic_bytes: 64 * 1024 * 1024,
            // Bounds the stubs and the catching up of a topic of short messages (guess).
            topic_envelopes: 100_000,
            // The largest file and some more; a quarter of the whole (guess).
            topic_blob_bytes: 4 * 1024 * 1024 * 1024,
            // The largest file, and the padding.
            blob_bytes: padding::padded_len(limits::FILE_BYTES as usize) as u64,
            // As much as a topic may have in files; far beyond an account's full outbox, so that even the worst return fits a day.
            depositor_bytes_per_day: 4 * 1024 * 1024 * 1024,
            depositors: 4 * limits::PEERS,
            // A small rented disk (guess).
            total_bytes: 16 * 1024 * 1024 * 1024,
            // 200 MB of rows (guess).
            topics: 1_000_000,
            watches_per_peer: limits::CHATS,
            // A stranger has some chats with the relay's users, not thousands (guess).
            watches_per_guest: 1024,
            // Some kilobytes each (guess).
            listings: 10_000,
            // About 150 MB of memory (guess).
            watches: 500_000,
            // The budget of 10,000 watchers, with room.
            peers: 4 * limits::PEERS,
            cached_topics: 65_536,
            retention_s: limits::CUSTODY_SECONDS,
            channel_retention_s: limits::CHANNEL_SECONDS,
            #[cfg(feature = "sim")]
            cursor_unhashed: false,
        }
    }
}

impl RelayConfig {
    /// How long an envelope is kept, in seconds from when it was taken.
    pub(super) fn kept_s(&self, envelope: &Envelope) -> u64 {
        let longest_s = match envelope.authority() {
            Some(_) => self.channel_retention_s,
            None => self.retention_s,
        };
        u64::from(envelope.ttl_s().min(longest_s))
    }

    /// The end of the stretch in which something expires: when it is removed.
    pub(super) fn removed_at_s(&self, until_s: u64) -> u64 {
        let (least, most) = EXPIRY_STRETCH_S;
        let stretch = u64::from(self.retention_s / EXPIRY_STRETCHES).clamp(least, most);
        (until_s / stretch).saturating_add(1).saturating_mul(stretch)
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
    /// Blobs stored, whole or not.
    pub blobs: u64,
    /// What they count for in the quotas, in bytes.
    pub blob_bytes: u64,
    /// Connected peers.
    pub peers: u64,
    /// Topics watched, summed over peers.
    pub watches: u64,
    /// Channels in the directory.
    pub listings: u64,
    /// Searches of the directory answered since the start.
    pub searches: u64,
    /// Reports of posts kept for the operator since the start.
    pub reports: u64,
    /// Questions for figures of channels answered since the start.
    pub figures: u64,
    /// Peers that have something to be sent and room for it.
    pub runnable: u64,
    /// Bytes of envelopes sent to watchers and not acknowledged.
    pub unacknowledged_bytes: u64,
    /// Envelopes taken since the start.
    pub accepted: u64,
    /// Envelopes deposited again since the start.
    pub repeated: u64,
    /// Envelopes refused since the start, by the reason's name.
    pub refused: BTreeMap<&'static str, u64>,
    /// Watches refused since the start, by the reason's name.
    pub watches_refused: BTreeMap<&'static str, u64>,
    /// Deposits answered with `busy` since the start because the relay had too much to do.
    pub shed: u64,
    /// Hellos whose token held, since the start.
    pub admitted: u64,
    /// Hellos whose token didn't, since the start.
    pub not_admitted: u64,
    /// Envelopes pushed since the start.
    pub pushed: u64,
    /// Pages pushed since the start.
    pub pages: u64,
    /// Pages of history sent since the start.
    pub history_pages: u64,
    /// Envelopes expired since the start.
    pub expired: u64,
    /// Blobs that became whole since the start.
    pub blobs_accepted: u64,
    /// Puts of a blob that was whole already, since the start.
    pub blobs_repeated: u64,
    /// Puts and gets refused since the start, by the reason's name.
    pub blobs_refused: BTreeMap<&'static str, u64>,
    /// Blobs removed since the start, whole or not.
    pub blobs_expired: u64,
    /// Chunks taken since the start.
    pub chunks_accepted: u64,
    /// Chunks sent since the start.
    pub chunks_served: u64,
    /// Messages of comparisons answered since the start.
    pub compared: u64,
    /// Windows listed since the start.
    pub compared_listed: u64,
    /// Envelopes sent after a comparison, since the start.
    pub compared_fetched: u64,
    /// Windows compared with other relays by our own asking, since the start.
    pub others_compared: u64,
    /// Envelopes that other relays took from us, or had, since the start.
    pub others_given: u64,
    /// Envelopes copied from other relays since the start.
    pub others_taken: u64,
    /// Questions about windows refused since the start, by the reason's name.
    pub compares_refused: BTreeMap<&'static str, u64>,
    /// Rows found damaged since the start; an envelope among them is lost here, and taken again if it is deposited again.
    pub damaged: u64,
    /// Whether the clock has leapt ahead and isn't believed yet.
    pub clock_suspect: bool,
}
