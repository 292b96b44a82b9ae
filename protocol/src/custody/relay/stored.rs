//! The relay's rows: keys and values.
//!
//! | tree | key | value |
//! |---|---|---|
//! | `Meta` | `relay.storage_epoch` | epoch `uint64` |
//! | `Meta` | `relay.totals` | bytes, envelopes, topics, each `uint64` |
//! | `RelayTopics` | topic | [`TopicRow`] |
//! | `RelayLog` | topic, position | running hash after it (32), expiry `uint64` s, envelope; a stub ends after the hash |
//! | `RelayIds` | topic, envelope id | position, expiry `uint64` s |
//! | `RelayExpiry` | expiry `uint64` s, topic, position | empty; position 0 drops the emptied topic |

use crate::custody::RunningHash;
use crate::keys::{EnvelopeId, TopicId};
use crate::rows::{Rows, RowsError, Tree};
use crate::wire::{DecodeError, Reader, Wire, Writer};

pub(super) const EPOCH_KEY: &[u8] = b"relay.storage_epoch";
pub(super) const TOTALS_KEY: &[u8] = b"relay.totals";

/// A position and the running hash at it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    pub position: u64,
    pub hash: RunningHash,
}

impl Wire for Head {
    fn write(&self, w: &mut Writer) {
        w.u64(self.position);
        w.fixed(&self.hash.0);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            position: r.u64("head.position")?,
            hash: RunningHash(r.array("head.hash")?),
        })
    }
}

/// The state of a topic: 104 bytes, in the order of the fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct TopicRow {
    /// The newest envelope.
    pub head: Head,
    /// The last one of the prefix that is gone without a stub.
    pub base: Head,
    /// Bytes of envelopes kept.
    pub bytes: u64,
    /// Envelopes kept.
    pub count: u64,
    /// When an emptied topic is forgotten, Unix seconds.
    pub drop_at_s: u64,
}

impl Wire for TopicRow {
    fn write(&self, w: &mut Writer) {
        self.head.write(w);
        self.base.write(w);
        w.u64(self.bytes);
        w.u64(self.count);
        w.u64(self.drop_at_s);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            head: Head::read(r)?,
            base: Head::read(r)?,
            bytes: r.u64("topic.bytes")?,
            count: r.u64("topic.count")?,
            drop_at_s: r.u64("topic.drop_at_s")?,
        })
    }
}

/// What all topics hold together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub bytes: u64,
    pub envelopes: u64,
    pub topics: u64,
}

impl Wire for Totals {
    fn write(&self, w: &mut Writer) {
        w.u64(self.bytes);
        w.u64(self.envelopes);
        w.u64(self.topics);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            bytes: r.u64("totals.bytes")?,
            envelopes: r.u64("totals.envelopes")?,
            topics: r.u64("totals.topics")?,
        })
    }
}

/// Where an envelope is, as `RelayIds` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub position: u64,
    pub until_s: u64,
}

impl Wire for Place {
    fn write(&self, w: &mut Writer) {
        w.u64(self.position);
        w.u64(self.until_s);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            position: r.u64("place.position")?,
            until_s: r.u64("place.until_s")?,
        })
    }
}

/// A row of the log.
pub(super) struct LogRow<'a> {
    pub hash: RunningHash,
    /// `None` once it has expired.
    pub kept: Option<Kept<'a>>,
}

/// An envelope in the log.
pub(super) struct Kept<'a> {
    pub until_s: u64,
    pub envelope: &'a [u8],
}

impl<'a> LogRow<'a> {
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::default();
        w.fixed(&self.hash.0);
        if let Some(kept) = &self.kept {
            w.u64(kept.until_s);
            w.fixed(kept.envelope);
        }
        w.into_bytes()
    }

    pub fn decode(value: &'a [u8]) -> Result<Self, RowsError> {
        let read = || {
            let mut r = Reader::new(value);
            let hash = RunningHash(r.array("log.hash")?);
            if r.rest().is_empty() {
                return Ok(LogRow { hash, kept: None });
            }
            let until_s = r.u64("log.until_s")?;
            let kept = Some(Kept {
                until_s,
                envelope: r.rest(),
            });
            Ok(LogRow { hash, kept })
        };
        read().map_err(damaged)
    }
}

/// Reads one value.
pub(super) fn get<T: Wire>(rows: &dyn Rows, tree: Tree, key: &[u8]) -> Result<Option<T>, RowsError> {
    let Some(value) = rows.get(tree, key)? else {
        return Ok(None);
    };
    T::decode(&value).map(Some).map_err(damaged)
}

/// The key of `RelayLog`.
pub(super) fn log_key(topic: &TopicId, position: u64) -> Vec<u8> {
    [topic.as_bytes().as_slice(), &position.to_be_bytes()].concat()
}

/// The key of `RelayIds`.
pub(super) fn id_key(topic: &TopicId, id: &EnvelopeId) -> Vec<u8> {
    [topic.as_bytes().as_slice(), id.as_bytes()].concat()
}

/// The key of `RelayExpiry`.
pub(super) fn expiry_key(until_s: u64, topic: &TopicId, position: u64) -> Vec<u8> {
    [
        &until_s.to_be_bytes(),
        topic.as_bytes().as_slice(),
        &position.to_be_bytes(),
    ]
    .concat()
}

/// Reads a key of `RelayExpiry`.
pub(super) fn parse_expiry_key(key: &[u8]) -> Result<(u64, TopicId, u64), RowsError> {
    let read = || {
        let mut r = Reader::new(key);
        let parts = (
            r.u64("expiry.until_s")?,
            TopicId::read(&mut r)?,
            r.u64("expiry.position")?,
        );
        r.finish()?;
        Ok(parts)
    };
    read().map_err(damaged)
}

/// Reads the position out of a key of `RelayLog`.
pub(super) fn log_position(key: &[u8]) -> Result<u64, RowsError> {
    let read = || {
        let mut r = Reader::new(key);
        TopicId::read(&mut r)?;
        let position = r.u64("log.position")?;
        r.finish()?;
        Ok(position)
    };
    read().map_err(damaged)
}

fn damaged(error: DecodeError) -> RowsError {
    RowsError {
        reason: format!("a relay row is damaged: {error}"),
    }
}
