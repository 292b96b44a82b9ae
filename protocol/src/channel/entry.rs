//! Entries: what a writer does, numbered and chained to what it did before.

use super::beacon::Beacon;
use super::invalid;
use super::post::Post;
use crate::keys::EnvelopeId;
use crate::limits;
use crate::wire::{DecodeError, Reader, Wire, Writer};

/// The body of a channel's envelope: a kind and what belongs to it, with nothing after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statement {
    /// Kind 1: what a writer does.
    Entry(Box<Entry>),
    /// Kind 2: what the root says of all writers.
    Beacon(Box<Beacon>),
    /// A kind of a later version, which is passed over.
    Unknown {
        /// The kind's number.
        kind: u8,
    },
}

/// What a writer does. Its number is one more than that of the writer's entry before it, whose envelope's id it names.
///
/// | bytes | field |
/// |---|---|
/// | 8 | number, from 1 |
/// | 32 | envelope id of the entry before it; zeros for the first |
/// | 8 | Unix milliseconds, by the writer's clock |
/// | 2 | act: 1 post, 2 edit, 3 retract |
/// | V | what belongs to the act |
/// | V | extensions |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// From 1.
    pub number: u64,
    /// The envelope id of the one before.
    pub previous: EnvelopeId,
    /// By the writer's clock.
    pub time_ms: u64,
    /// What is done.
    pub act: Act,
    /// Of later versions.
    pub extensions: Vec<u8>,
}

/// What a writer can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// A post.
    Post(Post),
    /// Another content for a post: `{opaque target[32]; Post post;}`; the target is the id of its envelope.
    Edit {
        /// The post's envelope.
        target: EnvelopeId,
        /// What it says from now on.
        post: Post,
    },
    /// Takes a post back: `{opaque target[32]; opaque reason<V>;}`.
    Retract {
        /// The post's envelope.
        target: EnvelopeId,
        /// For people, at most [`limits::TITLE_BYTES`]; may be empty.
        reason: String,
    },
    /// An act of a later version, or one that can't be read: it counts in the chain and is kept.
    Unknown {
        /// Its number.
        kind: u16,
        /// What belongs to it.
        body: Vec<u8>,
    },
}

const STATEMENT_ENTRY: u8 = 1;
const STATEMENT_BEACON: u8 = 2;
const ACT_POST: u16 = 1;
const ACT_EDIT: u16 = 2;
const ACT_RETRACT: u16 = 3;

impl Statement {
    /// Whether a body is an entry's, without a look at the rest.
    pub(crate) fn is_entry(body: &[u8]) -> bool {
        body.first() == Some(&STATEMENT_ENTRY)
    }

    /// Encodes the body of an envelope; nothing for a kind that isn't known.
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::default();
        match self {
            Self::Entry(entry) => {
                w.u8(STATEMENT_ENTRY);
                entry.write(&mut w);
            }
            Self::Beacon(beacon) => {
                w.u8(STATEMENT_BEACON);
                beacon.write(&mut w);
            }
            Self::Unknown { kind } => w.u8(*kind),
        }
        w.into_bytes()
    }

    /// Reads the body of an envelope.
    pub fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(body);
        let statement = match r.u8("statement.kind")? {
            STATEMENT_ENTRY => Self::Entry(Box::new(Entry::read(&mut r)?)),
            STATEMENT_BEACON => Self::Beacon(Box::new(Beacon::read(&mut r)?)),
            kind => {
                r.skip_rest();
                Self::Unknown { kind }
            }
        };
        r.finish()?;
        Ok(statement)
    }
}

impl Act {
    fn kind(&self) -> u16 {
        match self {
            Self::Post(_) => ACT_POST,
            Self::Edit { .. } => ACT_EDIT,
            Self::Retract { .. } => ACT_RETRACT,
            Self::Unknown { kind, .. } => *kind,
        }
    }

    fn content(&self) -> Vec<u8> {
        let mut w = Writer::default();
        match self {
            Self::Post(post) => post.write(&mut w),
            Self::Edit { target, post } => {
                target.write(&mut w);
                post.write(&mut w);
            }
            Self::Retract { target, reason } => {
                target.write(&mut w);
                w.bytes(reason.as_bytes());
            }
            Self::Unknown { body, .. } => w.fixed(body),
        }
        w.into_bytes()
    }

    fn of(kind: u16, bytes: &[u8]) -> Self {
        let mut r = Reader::new(bytes);
        let read = match kind {
            ACT_POST => Post::read(&mut r).map(Self::Post),
            ACT_EDIT => EnvelopeId::read(&mut r).and_then(|target| {
                let post = Post::read(&mut r)?;
                Ok(Self::Edit { target, post })
            }),
            ACT_RETRACT => EnvelopeId::read(&mut r).and_then(|target| {
                let reason = r.text("retract.reason", limits::TITLE_BYTES)?;
                Ok(Self::Retract { target, reason })
            }),
            _ => Err(invalid("entry.act", "not known")),
        };
        let whole = read.and_then(|act| r.finish().map(|()| act));
        whole.unwrap_or_else(|_| Self::Unknown {
            kind,
            body: bytes.to_vec(),
        })
    }
}

impl Wire for Entry {
    fn write(&self, w: &mut Writer) {
        w.u64(self.number);
        self.previous.write(w);
        w.u64(self.time_ms);
        w.u16(self.act.kind());
        w.bytes(&self.act.content());
        w.bytes(&self.extensions);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let number = r.u64("entry.number")?;
        let previous = EnvelopeId::read(r)?;
        if number == 0 {
            return Err(invalid("entry.number", "must not be 0"));
        }
        if (number == 1) != (previous.0 == [0; 32]) {
            return Err(invalid(
                "entry.previous",
                "must be zeros for the first entry, and only for it",
            ));
        }
        let time_ms = r.u64("entry.time_ms")?;
        let kind = r.u16("entry.act")?;
        let act = Act::of(kind, r.bytes("entry.content", limits::ENVELOPE_BYTES)?);
        Ok(Self {
            number,
            previous,
            time_ms,
            act,
            extensions: r.bytes("entry.extensions", limits::CHANNEL_EXTENSION_BYTES)?.to_vec(),
        })
    }
}
