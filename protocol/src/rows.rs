//! The rows that state machines ask their shell to keep, and the one way to read them back.
//!
//! A state machine never writes: it returns a [`Batch`], which the shell applies atomically, all or nothing, and flushes before it
//! lets go of anything that depends on it (`INV-COMMIT-FIRST`).

use std::collections::BTreeMap;

/// The trees of a data directory. A tree's number is part of its stored keys and never reused.
///
/// The table of keys, values, owners and bounds is in ARCHITECTURE.md.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Tree {
    /// Singletons of a node or relay, by name.
    Meta = 1,
    /// Rows of OpenMLS: chat, state, row key.
    Mls = 2,
    /// One row for each chat.
    Chats = 3,
    /// Streams of a chat: chat, device, incarnation.
    Streams = 4,
    /// Messages in the order shown: chat, clock, time, message id.
    Messages = 5,
    /// Message id to the key in `Messages`.
    MessageIds = 6,
    /// Own durable messages that aren't delivered yet: chat, sequence.
    Outbox = 7,
    /// Who holds an own message: message id.
    Ledger = 8,
    /// Cursors at relays: relay, topic.
    Cursors = 9,
    /// Envelopes of an epoch that hasn't been reached: chat, envelope id.
    Pending = 10,
    /// Own invites: invite id.
    Invites = 11,
    /// Contact requests that wait for the user: request id.
    Requests = 12,
    /// Commits on the way to the state that counts, also those that are settled: chat, node.
    Commits = 61,
    /// Contacts: account.
    Contacts = 13,
    /// As whom this device is in chats where it isn't its account: chat.
    Aliases = 59,
    /// The event log: cursor, big-endian.
    Events = 14,
    /// Idempotency keys of the local API: hash of the key.
    Idempotency = 15,
    /// What other devices report of this device's stream: chat, device.
    Acks = 16,
    /// Holes in others' streams: chat, device, incarnation, first sequence.
    Gaps = 19,
    /// Envelopes kept for other members: chat, time, envelope id.
    Passed = 20,
    /// Blobs on their way out and in: which way, blob.
    Blobs = 21,
    /// What relays signed for and did against it: relay, kind of entry, number.
    Trust = 25,
    /// What was done to messages: chat, message id, account that did it.
    Effects = 17,
    /// What is to be erased when: kind of entry, time, what.
    Expiry = 18,
    /// What members of groups call themselves: chat, device.
    Profiles = 23,
    /// Groups that this account has asked to be let into: card topic of the invite.
    Guests = 24,
    /// A Welcome that came while its chat had another state that was alive: chat.
    SpareWelcomes = 28,
    /// Apps that have a token or ask for one: app.
    Apps = 29,
    /// How far apps have read the event log: app.
    AppCursors = 30,
    /// Parts of OpenMLS's large rows, which states share: chat, number.
    MlsParts = 31,
    /// Relay: state of a topic (head, base, running hash, counts).
    RelayTopics = 32,
    /// Relay: envelopes by topic and position.
    RelayLog = 33,
    /// Relay: envelope id to position, for idempotent deposits: topic, id.
    RelayIds = 34,
    /// Relay: which topic has something to expire when: time, topic.
    RelayExpiry = 35,
    /// Relay: what each depositor has deposited today: transport key.
    RelayDepositors = 36,
    /// Relay: what is kept of a blob: topic, blob.
    RelayBlobs = 37,
    /// Relay: which blob is to be removed when: time, topic, blob.
    RelayBlobExpiry = 39,
    /// Relay: what channels say of themselves in its directory: channel.
    RelayListings = 38,
    /// Where apps' events are posted: app.
    Webhooks = 40,
    /// Messages that somebody wanted kept in sight: chat, half a message id.
    Pins = 46,
    /// Imported chats: archive.
    Archives = 47,
    /// Their messages: archive, time, half a message id.
    ArchiveMessages = 48,
    /// The search index: kind of entry, segment, bucket.
    Search = 45,
    /// Channels that are followed, and own ones: channel.
    Channels = 49,
    /// What their writers signed: channel, writer, number.
    ChannelEntries = 50,
    /// Where it is in time: channel, time, number, half an envelope id.
    ChannelTimeline = 51,
    /// Half an envelope id to the key in `ChannelEntries`.
    ChannelIds = 52,
    /// What was done to posts: channel, half the post's id, half the act's.
    ChannelMarks = 53,
    /// Evidence against channels: channel, number.
    ChannelEvidence = 54,
    /// Posts of own channels that are to be published later: channel, time, id.
    ChannelPlans = 55,
    /// Answers to polls of channels, and what they are counted in: channel, kind of entry, poll, voter.
    ChannelVotes = 58,
    /// Posts that are being reported to operators of relays: post.
    ChannelReports = 60,
    /// What the names of chats are made of that apps are told, and what is known of cards, by its kind.
    AppCards = 57,
    /// Chunks of blobs: which way, blob, index. The store keeps their values in files.
    BlobChunks = 41,
    /// Relay: chunks of blobs: topic, blob, index. The store keeps their values in files.
    RelayChunks = 42,
    /// Hashes of the chunks of this device's blobs: blob, group of 512 chunks.
    BlobLeaves = 43,
}

/// One write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// Sets a row.
    Put {
        /// Where.
        tree: Tree,
        /// Key, at most 256 bytes.
        key: Vec<u8>,
        /// Value, of any size; the store splits large ones.
        value: Vec<u8>,
    },
    /// Removes a row, which may be absent.
    Delete {
        /// Where.
        tree: Tree,
        /// Key.
        key: Vec<u8>,
    },
}

impl Op {
    /// Where it writes.
    pub fn tree(&self) -> Tree {
        match self {
            Self::Put { tree, .. } | Self::Delete { tree, .. } => *tree,
        }
    }
}

/// Writes that take effect together or not at all; a later write of a key wins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// The writes in order.
    pub ops: Vec<Op>,
}

impl Batch {
    /// Sets a row.
    pub fn put(&mut self, tree: Tree, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.ops.push(Op::Put {
            tree,
            key: key.into(),
            value: value.into(),
        });
    }

    /// Removes a row.
    pub fn delete(&mut self, tree: Tree, key: impl Into<Vec<u8>>) {
        self.ops.push(Op::Delete { tree, key: key.into() });
    }

    /// Appends another batch's writes after this one's.
    pub fn append(&mut self, mut other: Batch) {
        self.ops.append(&mut other.ops);
    }

    /// Bytes of its keys and values.
    pub fn bytes(&self) -> usize {
        let bytes = |op: &Op| match op {
            Op::Put { key, value, .. } => key.len() + value.len(),
            Op::Delete { key, .. } => key.len(),
        };
        self.ops.iter().map(bytes).sum()
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }
}

/// A row could not be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the store: {reason}")]
pub struct RowsError {
    /// What the store says.
    pub reason: String,
}

/// A key and its value.
pub type Row = (Vec<u8>, Vec<u8>);

/// Read access to committed rows.
pub trait Rows {
    /// Reads one row.
    fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>, RowsError>;

    /// Reads at most `limit` rows with `from <= key < to`, ascending, or descending from the end if `reverse`.
    fn range(&self, tree: Tree, from: &[u8], to: &[u8], limit: usize, reverse: bool) -> Result<Vec<Row>, RowsError>;

    /// Reads at most `limit` rows whose key begins with `prefix`, ascending.
    fn prefix(&self, tree: Tree, prefix: &[u8], limit: usize) -> Result<Vec<Row>, RowsError> {
        self.range(tree, prefix, &prefix_end(prefix), limit, false)
    }
}

/// The smallest key that is greater than all keys beginning with `prefix` (257 bytes of 0xff where there is none).
pub fn prefix_end(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            return end;
        }
    }
    vec![u8::MAX; 257]
}

/// Rows in memory: the simulator's disk, and the fixture of unit tests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryRows {
    rows: BTreeMap<(Tree, Vec<u8>), Vec<u8>>,
}

impl MemoryRows {
    /// Applies a batch.
    pub fn apply(&mut self, batch: &Batch) {
        for op in &batch.ops {
            match op {
                Op::Put { tree, key, value } => {
                    self.rows.insert((*tree, key.clone()), value.clone());
                }
                Op::Delete { tree, key } => {
                    self.rows.remove(&(*tree, key.clone()));
                }
            }
        }
    }

    /// The number of rows of a tree.
    pub fn count(&self, tree: Tree) -> usize {
        self.rows.keys().filter(|(t, _)| *t == tree).count()
    }
}

impl Rows for MemoryRows {
    fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>, RowsError> {
        Ok(self.rows.get(&(tree, key.to_vec())).cloned())
    }

    fn range(&self, tree: Tree, from: &[u8], to: &[u8], limit: usize, reverse: bool) -> Result<Vec<Row>, RowsError> {
        if from >= to {
            return Ok(Vec::new());
        }
        let rows = self.rows.range((tree, from.to_vec())..(tree, to.to_vec()));
        let pick = |((_, key), value): (&(Tree, Vec<u8>), &Vec<u8>)| (key.clone(), value.clone());
        Ok(if reverse {
            rows.rev().take(limit).map(pick).collect()
        } else {
            rows.take(limit).map(pick).collect()
        })
    }
}
