//! The inner message: what MLS seals. Its id is permanent, also when it has to be sealed again.

use crate::keys::{DeviceId, MessageId, derive};
use crate::limits;
use crate::seq_set::SeqSet;
use crate::wire::{DecodeError, Reader, Wire, Writer};
use serde::{Deserialize, Serialize};

mod body;
pub mod extensions;
mod files;
pub mod repair;
mod share;

pub(crate) use body::mentions_fit;
pub use body::{Body, CardAnswer, CardDeed, Edit, Mention, Pin, Poll, Reaction, Rich, Vote};
pub use files::{Attachment, Files, Image, Media, Voice, is_media_type, is_name};
pub use share::{Picture, Shared};

/// A device's messages in one chat since it joined: `{opaque device[32]; uint64 incarnation;}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StreamId {
    /// The device.
    pub device: DeviceId,
    /// Random at each joining of a leaf.
    pub incarnation: u64,
}

impl StreamId {
    /// The id of this stream's message with a sequence number.
    pub fn message(&self, sequence: u64) -> MessageId {
        MessageId(derive(
            "madang 1 message id",
            &[&self.device.0, &self.incarnation.to_be_bytes(), &sequence.to_be_bytes()],
        ))
    }
}

impl Wire for StreamId {
    fn write(&self, w: &mut Writer) {
        self.device.write(w);
        w.u64(self.incarnation);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            device: DeviceId::read(r)?,
            incarnation: r.u64("stream.incarnation")?,
        })
    }
}

/// What a device has of one stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frontier {
    /// The stream.
    pub stream: StreamId,
    /// Committed at the reporting device.
    pub delivered: SeqSet,
    /// All delivered up to this were shown to the user; 0 for none.
    pub read_through: u64,
}

impl Wire for Frontier {
    fn write(&self, w: &mut Writer) {
        self.stream.write(w);
        self.delivered.write(w);
        w.u64(self.read_through);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            stream: StreamId::read(r)?,
            delivered: SeqSet::read(r, "frontier.delivered", limits::FRONTIER_RANGES)?,
            read_through: r.u64("frontier.read_through")?,
        })
    }
}

/// A numbered message, which is delivered once and never lost: part of [`Inner`].
///
/// | bytes | field |
/// |---|---|
/// | 8 | sequence |
/// | 32 | previous |
/// | V | parents, 32 each |
/// | 8, 8 | clock, sent_ms |
/// | 2 | kind |
/// | V, V | fallback, body |
/// | V | extensions by type, kept as they are |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Durable {
    /// From 1, without holes.
    pub sequence: u64,
    /// Hash of this stream's message before; zeros for the first.
    pub previous: [u8; 32],
    /// The chat's heads as the sender saw them, at most [`limits::PARENTS`].
    pub parents: Vec<MessageId>,
    /// Lamport clock: greater than that of every message the sender had.
    pub clock: u64,
    /// The sender's clock, Unix milliseconds.
    pub sent_ms: u64,
    /// Text to show where the kind isn't known; the text itself of [`Body::Rich`].
    pub fallback: String,
    /// What it says.
    pub body: Body,
    /// What is added to it, by type ([`extensions`]).
    pub extensions: Vec<u8>,
}

/// What MLS seals: messages that were written together, or none but a report.
///
/// | bytes | field |
/// |---|---|
/// | 2 | version, 1 |
/// | 40 | stream: device and incarnation of the author |
/// | V | messages, at most [`limits::RUN_MESSAGES`] |
/// | V | frontiers: `{stream, {uint64 first, uint64 last}<V>, uint64 read_through}<V>` |
/// | V | extensions by type ([`extensions`], [`repair`]); what isn't known is passed over |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inner {
    /// The author; must be the MLS leaf's device (FAULTS 46).
    pub stream: StreamId,
    /// The messages; none in a report.
    pub messages: Vec<Durable>,
    /// What the author has of the others' streams, at most [`limits::FRONTIER_STREAMS`].
    pub frontiers: Vec<Frontier>,
    /// What is added, by type.
    pub extensions: Vec<u8>,
}

const VERSION: u16 = 1;

impl Durable {
    /// The hash that the stream's next message names.
    pub fn hash(&self, stream: &StreamId) -> [u8; 32] {
        derive("madang 1 message hash", &[&stream.encode(), &self.encode()])
    }
}

impl Wire for Durable {
    fn write(&self, w: &mut Writer) {
        w.u64(self.sequence);
        w.fixed(&self.previous);
        w.list(&self.parents, |w, parent| parent.write(w));
        w.u64(self.clock);
        w.u64(self.sent_ms);
        w.u16(self.body.kind());
        w.bytes(self.fallback.as_bytes());
        w.bytes(&self.body.bytes());
        w.bytes(&self.extensions);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let sequence = r.u64("message.sequence")?;
        if sequence == 0 || sequence > u64::MAX - 2 {
            return Err(DecodeError::Invalid {
                field: "message.sequence",
                reason: "zero and the two greatest numbers are reserved",
            });
        }
        let previous = r.array("message.previous")?;
        let parents = r.list("message.parents", limits::PARENTS, MessageId::read)?;
        let clock = r.u64("message.clock")?;
        let sent_ms = r.u64("message.sent_ms")?;
        let kind = r.u16("message.kind")?;
        if kind == body::KIND_NONE {
            return Err(DecodeError::Invalid {
                field: "message.kind",
                reason: "reserved",
            });
        }
        let fallback = r.text("message.fallback", limits::TEXT_BYTES)?;
        let body = Body::from_parts(kind, r.bytes("message.body", limits::MESSAGE_BYTES)?, &fallback)?;
        Ok(Self {
            sequence,
            previous,
            parents,
            clock,
            sent_ms,
            fallback,
            body,
            extensions: r.bytes("message.extensions", limits::MESSAGE_BYTES)?.to_vec(),
        })
    }
}

impl Wire for Inner {
    fn write(&self, w: &mut Writer) {
        w.u16(VERSION);
        self.stream.write(w);
        w.list(&self.messages, |w, message| message.write(w));
        w.list(&self.frontiers, |w, frontier| frontier.write(w));
        w.bytes(&self.extensions);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.version("inner.version", VERSION)?;
        let stream = StreamId::read(r)?;
        let messages = r.list("inner.messages", limits::RUN_MESSAGES, Durable::read)?;
        let frontiers = r.list("inner.frontiers", limits::FRONTIER_STREAMS, Frontier::read)?;
        let extensions = r.bytes("inner.extensions", limits::MESSAGE_BYTES)?.to_vec();
        Ok(Self {
            stream,
            messages,
            frontiers,
            extensions,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn inner(body: Body) -> Inner {
        let stream = StreamId {
            device: DeviceId([1; 32]),
            incarnation: 7,
        };
        Inner {
            stream,
            messages: vec![Durable {
                sequence: 3,
                previous: [2; 32],
                parents: vec![stream.message(2)],
                clock: 9,
                sent_ms: 10,
                fallback: "a picture".into(),
                body,
                extensions: vec![4],
            }],
            frontiers: vec![Frontier {
                stream,
                delivered: SeqSet::default(),
                read_through: 0,
            }],
            extensions: Vec::new(),
        }
    }

    #[test]
    fn messages_round_trip_also_of_a_kind_that_is_not_known() {
        for body in [
            Body::Text("hello".into()),
            Body::Unknown {
                kind: 77,
                body: vec![1, 2],
            },
        ] {
            let message = inner(body);
            assert_eq!(Inner::decode(&message.encode()).unwrap(), message);
        }
        assert!(
            !Body::Unknown {
                kind: 0x8777,
                body: vec![]
            }
            .shown()
        );
    }

    #[test]
    fn extensions_of_a_later_version_are_passed_over() {
        let mut bytes = inner(Body::Text("hello".into())).encode();
        assert_eq!(bytes.pop(), Some(0));
        bytes.extend([2, 0xaa, 0xbb]);
        assert_eq!(Inner::decode(&bytes).unwrap().extensions, [0xaa, 0xbb]);
    }
}
