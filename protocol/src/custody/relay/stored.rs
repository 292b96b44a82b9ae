//! The relay's rows: keys and values.
//!
//! | tree | key | value |
//! |---|---|---|
//! | `Meta` | `relay.storage_epoch` | epoch `uint64` |
//! | `Meta` | `relay.totals` | [`Totals`] |
//! | `RelayTopics` | topic | [`TopicRow`] |
//! | `RelayLog` | number (6), position (6) | running hash after it (16), expiry s (5), the envelope without its topic; a stub ends after the hash |
//! | `RelayIds` | number (6), first 8 bytes of the envelope's id | position (6) |
//! | `RelayExpiry` | when `uint64` s, number (6) | topic, first and last position (6 each); [`Span`] |
//! | `RelayDepositors` | transport key | start of its day `uint64` s, bytes `uint64` |
//!
//! A topic has a number of its own in this store, never used again, so that keys are short. Nothing is stored twice: the topic of an
//! envelope is known from its row's number, its id is hashed again where it is needed. Whoever finds an id's first bytes compares the
//! envelope itself, so that ids made to collide cost only their maker.

use super::deposit::charged;
use crate::custody::RunningHash;
use crate::keys::{EnvelopeId, TopicId};
use crate::wire::{DecodeError, Reader, Wire, Writer};

pub(super) const EPOCH_KEY: &[u8] = b"relay.storage_epoch";
pub(super) const TOTALS_KEY: &[u8] = b"relay.totals";

/// Bytes of a topic's number and of a position in keys and values: 281 million millions of each.
const SHORT: usize = 6;
/// Bytes of an expiry in seconds: enough for 34,000 years.
const EXPIRY: usize = 5;
/// Bytes of an id in the key of `RelayIds`.
const ID: usize = 8;
/// Where an encoded envelope names its topic (`envelope.rs`): behind version and signer.
const TOPIC_AT: usize = 2;
/// Bytes of the signature that ends it.
const SIGNATURE: usize = 64;

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

/// The state of a topic, in the order of the fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct TopicRow {
    /// Its number in this store's keys.
    pub number: u64,
    /// The newest envelope.
    pub head: Head,
    /// The last one of the prefix that is gone without a stub.
    pub base: Head,
    /// Bytes of envelopes kept.
    pub bytes: u64,
    /// Envelopes kept.
    pub count: u64,
    /// When an emptied topic is forgotten, Unix seconds; 0 while it isn't empty.
    pub drop_at_s: u64,
    /// When a user of the relay last asked for it, Unix seconds, to the day; 0 if none did. Strangers may use such a topic.
    pub hosted_s: u64,
    /// Blobs kept, whole or not.
    pub blobs: u64,
    /// What they count for in the quota.
    pub blob_bytes: u64,
}

impl Wire for TopicRow {
    fn write(&self, w: &mut Writer) {
        w.u64(self.number);
        self.head.write(w);
        self.base.write(w);
        w.u64(self.bytes);
        w.u64(self.count);
        w.u64(self.drop_at_s);
        w.u64(self.hosted_s);
        w.u64(self.blobs);
        w.u64(self.blob_bytes);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            number: r.u64("topic.number")?,
            head: Head::read(r)?,
            base: Head::read(r)?,
            bytes: r.u64("topic.bytes")?,
            count: r.u64("topic.count")?,
            drop_at_s: r.u64("topic.drop_at_s")?,
            hosted_s: r.u64("topic.hosted_s")?,
            blobs: later(r, "topic.blobs")?,
            blob_bytes: later(r, "topic.blob_bytes")?,
        })
    }
}

/// What all topics hold together, and what the relay itself has to remember.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub bytes: u64,
    pub envelopes: u64,
    pub topics: u64,
    /// The number of the next new topic.
    pub next_number: u64,
    /// The clock when this was written, Unix seconds.
    pub seen_s: u64,
    /// Blobs kept, whole or not.
    pub blobs: u64,
    /// What they count for in the quota.
    pub blob_bytes: u64,
}

impl Totals {
    /// What all counts for in the quota.
    pub fn charged(&self) -> u64 {
        charged(self.bytes, self.envelopes).saturating_add(self.blob_bytes)
    }
}

impl Wire for Totals {
    fn write(&self, w: &mut Writer) {
        w.u64(self.bytes);
        w.u64(self.envelopes);
        w.u64(self.topics);
        w.u64(self.next_number);
        w.u64(self.seen_s);
        w.u64(self.blobs);
        w.u64(self.blob_bytes);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            bytes: r.u64("totals.bytes")?,
            envelopes: r.u64("totals.envelopes")?,
            topics: r.u64("totals.topics")?,
            next_number: r.u64("totals.next_number")?,
            seen_s: r.u64("totals.seen_s")?,
            blobs: later(r, "totals.blobs")?,
            blob_bytes: later(r, "totals.blob_bytes")?,
        })
    }
}

/// A number that rows of earlier versions don't have: 0 there.
fn later(r: &mut Reader<'_>, field: &'static str) -> Result<u64, DecodeError> {
    if r.rest().is_empty() { Ok(0) } else { r.u64(field) }
}

/// What of a topic expires in one stretch of time: positions from the first to the last, others among them too. Both 0 where only the
/// topic itself is to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub topic: TopicId,
    pub first: u64,
    pub last: u64,
}

impl Wire for Span {
    fn write(&self, w: &mut Writer) {
        self.topic.write(w);
        w.fixed(&short(self.first));
        w.fixed(&short(self.last));
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            topic: TopicId::read(r)?,
            first: number(r.array::<SHORT>("span.first")?),
            last: number(r.array::<SHORT>("span.last")?),
        })
    }
}

/// A depositor's day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Day {
    pub start_s: u64,
    pub bytes: u64,
}

impl Wire for Day {
    fn write(&self, w: &mut Writer) {
        w.u64(self.start_s);
        w.u64(self.bytes);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            start_s: r.u64("day.start_s")?,
            bytes: r.u64("day.bytes")?,
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
    /// Without its topic.
    rest: &'a [u8],
}

impl Kept<'_> {
    /// Bytes of the envelope.
    pub fn len(&self) -> usize {
        self.rest.len() + 32
    }

    /// The envelope as it was deposited.
    pub fn envelope(&self, topic: &TopicId) -> Vec<u8> {
        let (front, back) = self.rest.split_at_checked(TOPIC_AT).unwrap_or_default();
        [front, topic.as_bytes().as_slice(), back].concat()
    }

    /// Its id.
    pub fn id(&self, topic: &TopicId) -> EnvelopeId {
        let envelope = self.envelope(topic);
        let signed = envelope.len().saturating_sub(SIGNATURE);
        EnvelopeId(*blake3::hash(envelope.get(..signed).unwrap_or_default()).as_bytes())
    }

    /// Whether it has the id of an encoded envelope of the same topic: all that the id covers is the same.
    pub fn is(&self, envelope: &[u8]) -> bool {
        let (front, back) = without_topic(envelope);
        let signed = |bytes: &[u8]| bytes.len().saturating_sub(SIGNATURE);
        let mine = self.rest.split_at_checked(TOPIC_AT).unwrap_or_default();
        mine.0 == front && mine.1.get(..signed(mine.1)) == back.get(..signed(back))
    }
}

/// The latest expiry that a row can hold.
pub(super) const LATEST_S: u64 = (1 << (8 * EXPIRY)) - 1;

impl<'a> LogRow<'a> {
    pub fn stub(hash: RunningHash) -> Vec<u8> {
        hash.0.to_vec()
    }

    pub fn encode(hash: RunningHash, until_s: u64, envelope: &[u8]) -> Vec<u8> {
        let (front, back) = without_topic(envelope);
        let mut w = Writer::default();
        w.fixed(&hash.0);
        w.fixed(last_bytes::<EXPIRY>(until_s.min(LATEST_S)).as_slice());
        w.fixed(front);
        w.fixed(back);
        w.into_bytes()
    }

    /// `None` if it is damaged.
    pub fn decode(value: &'a [u8]) -> Option<Self> {
        let (hash, rest) = value.split_first_chunk()?;
        let hash = RunningHash(*hash);
        if rest.is_empty() {
            return Some(Self { hash, kept: None });
        }
        let (until, rest) = rest.split_first_chunk::<EXPIRY>()?;
        if rest.len() < TOPIC_AT + SIGNATURE {
            return None;
        }
        let until_s = number(*until);
        Some(Self {
            hash,
            kept: Some(Kept { until_s, rest }),
        })
    }
}

fn without_topic(envelope: &[u8]) -> (&[u8], &[u8]) {
    let (front, rest) = envelope.split_at_checked(TOPIC_AT).unwrap_or_default();
    (front, rest.get(32..).unwrap_or_default())
}

/// The key of `RelayLog`.
pub(super) fn log_key(number: u64, position: u64) -> Vec<u8> {
    [short(number), short(position)].concat()
}

/// Reads the position out of a key of `RelayLog`.
pub(super) fn log_position(key: &[u8]) -> u64 {
    key.last_chunk::<SHORT>().map_or(0, |bytes| number(*bytes))
}

/// The key of `RelayIds`.
pub(super) fn id_key(number: u64, id: &EnvelopeId) -> Vec<u8> {
    let (first, _) = id.0.split_at_checked(ID).unwrap_or_default();
    [short(number).as_slice(), first].concat()
}

/// The value of `RelayIds`.
pub(super) fn id_value(position: u64) -> Vec<u8> {
    short(position).to_vec()
}

/// Reads the value of `RelayIds`.
pub(super) fn id_position(value: &[u8]) -> Option<u64> {
    value.try_into().ok().map(number::<SHORT>)
}

/// The key of `RelayExpiry`.
pub(super) fn expiry_key(due_s: u64, number: u64) -> Vec<u8> {
    [due_s.to_be_bytes().as_slice(), &short(number)].concat()
}

/// Reads a key of `RelayExpiry`: when, and the topic's number.
pub(super) fn parse_expiry_key(key: &[u8]) -> (u64, u64) {
    let due = key.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
    (due, log_position(key))
}

/// The bytes of a topic's number, or a position, in keys.
pub(super) fn short(value: u64) -> [u8; SHORT] {
    last_bytes(value)
}

/// The last bytes of a number, big-endian; what is above them is lost.
fn last_bytes<const N: usize>(value: u64) -> [u8; N] {
    let mut bytes = [0; N];
    bytes
        .iter_mut()
        .rev()
        .zip(value.to_le_bytes())
        .for_each(|(to, from)| *to = from);
    bytes
}

fn number<const N: usize>(bytes: [u8; N]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::envelope::Envelope;
    use crate::keys::TopicSecret;

    #[test]
    fn an_envelope_comes_back_as_it_was() {
        let topic = TopicSecret::from_bytes([7; 32]);
        let envelope = Envelope::sign(&topic, 60, b"body").unwrap();
        let other = Envelope::sign(&topic, 61, b"body").unwrap();
        let value = LogRow::encode(RunningHash([1; 16]), 1_700_000_000, envelope.bytes());
        let row = LogRow::decode(&value).unwrap();
        let kept = row.kept.unwrap();
        assert_eq!((row.hash, kept.until_s), (RunningHash([1; 16]), 1_700_000_000));
        assert_eq!(kept.envelope(&topic.public()), envelope.bytes());
        assert_eq!(kept.id(&topic.public()), envelope.id());
        assert_eq!(kept.len(), envelope.bytes().len());
        assert!(kept.is(envelope.bytes()) && !kept.is(other.bytes()));
        assert_eq!(
            value.len(),
            envelope.bytes().len() - 11,
            "what a row adds to an envelope"
        );
    }

    #[test]
    fn keys_sort_by_number_and_position() {
        assert!(log_key(1, 256) > log_key(1, 255));
        assert!(log_key(2, 0) > log_key(1, u64::MAX));
        assert_eq!(log_position(&log_key(3, 77)), 77);
        assert_eq!(parse_expiry_key(&expiry_key(9, 300)), (9, 300));
        assert_eq!(id_position(&id_value(70_000)), Some(70_000));
    }
}
