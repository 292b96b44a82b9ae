//! The frames by which two who keep the same topic find out what one of them lacks.
//!
//! What is compared are the envelopes that a custodian took in a window of time, by ids that are hashed under a random key of the
//! session (`sets.rs`).

use crate::keys::{EnvelopeId, TopicId};
use crate::limits;
use crate::wire::{DecodeError, Reader, Wire, Writer};
use std::fmt;

use super::frames::Refusal;

/// A stretch of a custodian's time: what it took from the first second on and before the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Window {
    /// The first Unix second.
    pub from_s: u64,
    /// The Unix second after the last.
    pub to_s: u64,
}

impl Window {
    /// Whether it holds a second.
    pub fn holds(&self, at_s: u64) -> bool {
        self.from_s <= at_s && at_s < self.to_s
    }

    /// The window with room on both sides for what others date a little differently.
    #[must_use]
    pub fn widened(&self, by_s: u64) -> Self {
        Self {
            from_s: self.from_s.saturating_sub(by_s),
            to_s: self.to_s.saturating_add(by_s),
        }
    }

    /// Its two halves; `None` if it is too short to have any.
    #[must_use]
    pub fn halves(&self) -> Option<(Self, Self)> {
        let length = self.to_s.checked_sub(self.from_s)?;
        let middle = self.from_s + length / 2;
        let (first, second) = (
            Self { to_s: middle, ..*self },
            Self {
                from_s: middle,
                ..*self
            },
        );
        (length >= 2 * limits::RECONCILE_LEAST_S).then_some((first, second))
    }
}

/// The random key of one session, under which ids are hashed before they are compared (FAULTS 23). No secret, but unknown to whoever
/// made the envelopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SessionKey(pub [u8; 32]);

/// An envelope's id hashed under a session's key: BLAKE3 in its keyed mode.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyedId(pub [u8; 32]);

impl KeyedId {
    /// Hashes an id.
    pub fn of(key: &SessionKey, id: &EnvelopeId) -> Self {
        Self(*blake3::keyed_hash(&key.0, &id.0).as_bytes())
    }
}

impl fmt::Debug for KeyedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyedId({})", hex::encode(self.0))
    }
}

/// Asks a custodian about what it keeps of a window of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconcile {
    /// Chosen by the client, returned in the answer.
    pub request: u64,
    /// The topic.
    pub topic: TopicId,
    /// The window, by the custodian's clock; it must be closed.
    pub window: Window,
    /// The session's key.
    pub key: SessionKey,
    /// What is asked.
    pub ask: Ask,
}

/// What is asked of a window.
///
/// | kind | ask | content |
/// |---|---|---|
/// | 0 | compare | a message of negentropy, `opaque<V>` |
/// | 1 | list | nothing |
/// | 2 | fetch | keyed ids `opaque[32]<V>` |
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Go on comparing, at most [`limits::RECONCILE_MESSAGE_BYTES`].
    Compare(Vec<u8>),
    /// List the ids of all.
    List,
    /// Send these, at most [`limits::DEPOSIT_ITEMS`].
    Fetch(Vec<KeyedId>),
    /// A kind of a later version.
    Later {
        /// The kind.
        kind: u8,
    },
}

/// A custodian's answer about a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconciled {
    /// The question's number.
    pub request: u64,
    /// What it says.
    pub answer: Answer,
}

/// What a custodian says of a window.
///
/// | kind | answer | content |
/// |---|---|---|
/// | 0 | compared | a message of negentropy, `opaque<V>` |
/// | 1 | listed | ids `opaque[32]<V>` |
/// | 2 | fetched | envelopes `opaque<V><V>` |
/// | 3 | refused | code `uint8`, retry after `uint32` seconds |
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The next message, at most [`limits::RECONCILE_MESSAGE_BYTES`].
    Compared(Vec<u8>),
    /// All that is kept, at most [`limits::RECONCILE_ELEMENTS`].
    Listed(Vec<EnvelopeId>),
    /// Some of what was asked for, at most [`limits::DEPOSIT_ITEMS`].
    Fetched(Vec<Vec<u8>>),
    /// It isn't answered.
    Refused {
        /// Why.
        why: Refusal,
        /// Seconds after which a retry makes sense; 0 if unknown.
        retry_after_s: u32,
    },
    /// A kind of a later version.
    Later {
        /// The kind.
        kind: u8,
    },
}

impl Answer {
    /// Bytes that count for the reader's window (section 5).
    pub fn counted(&self) -> u64 {
        match self {
            Self::Fetched(envelopes) => envelopes.iter().map(|envelope| envelope.len() as u64).sum(),
            _ => 0,
        }
    }
}

const ASK_COMPARE: u8 = 0;
const ASK_LIST: u8 = 1;
const ASK_FETCH: u8 = 2;
const ANSWER_COMPARED: u8 = 0;
const ANSWER_LISTED: u8 = 1;
const ANSWER_FETCHED: u8 = 2;
const ANSWER_REFUSED: u8 = 3;

impl Wire for Reconcile {
    fn write(&self, w: &mut Writer) {
        w.u64(self.request);
        self.topic.write(w);
        w.u64(self.window.from_s);
        w.u64(self.window.to_s);
        w.fixed(&self.key.0);
        match &self.ask {
            Ask::Compare(message) => {
                w.u8(ASK_COMPARE);
                w.bytes(message);
            }
            Ask::List => w.u8(ASK_LIST),
            Ask::Fetch(ids) => {
                w.u8(ASK_FETCH);
                w.list(ids, |w, id| w.fixed(&id.0));
            }
            Ask::Later { kind } => w.u8(*kind),
        }
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            request: r.u64("reconcile.request")?,
            topic: TopicId::read(r)?,
            window: Window {
                from_s: r.u64("reconcile.from_s")?,
                to_s: r.u64("reconcile.to_s")?,
            },
            key: SessionKey(r.array("reconcile.key")?),
            ask: match r.u8("reconcile.ask")? {
                ASK_COMPARE => Ask::Compare(r.bytes("reconcile.message", limits::RECONCILE_MESSAGE_BYTES)?.to_vec()),
                ASK_LIST => Ask::List,
                ASK_FETCH => Ask::Fetch(r.list("reconcile.ids", limits::DEPOSIT_ITEMS, |r| {
                    Ok(KeyedId(r.array("reconcile.id")?))
                })?),
                kind => {
                    r.skip_rest();
                    Ask::Later { kind }
                }
            },
        })
    }
}

impl Wire for Reconciled {
    fn write(&self, w: &mut Writer) {
        w.u64(self.request);
        match &self.answer {
            Answer::Compared(message) => {
                w.u8(ANSWER_COMPARED);
                w.bytes(message);
            }
            Answer::Listed(ids) => {
                w.u8(ANSWER_LISTED);
                w.list(ids, |w, id| id.write(w));
            }
            Answer::Fetched(envelopes) => {
                w.u8(ANSWER_FETCHED);
                w.list(envelopes, |w, envelope| w.bytes(envelope));
            }
            Answer::Refused { why, retry_after_s } => {
                w.u8(ANSWER_REFUSED);
                w.u8(why.code());
                w.u32(*retry_after_s);
            }
            Answer::Later { kind } => w.u8(*kind),
        }
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            request: r.u64("reconciled.request")?,
            answer: match r.u8("reconciled.answer")? {
                ANSWER_COMPARED => {
                    Answer::Compared(r.bytes("reconciled.message", limits::RECONCILE_MESSAGE_BYTES)?.to_vec())
                }
                ANSWER_LISTED => {
                    Answer::Listed(r.list("reconciled.ids", limits::RECONCILE_ELEMENTS, EnvelopeId::read)?)
                }
                ANSWER_FETCHED => Answer::Fetched(r.list("reconciled.envelopes", limits::DEPOSIT_ITEMS, |r| {
                    Ok(r.bytes("reconciled.envelope", limits::ENVELOPE_BYTES)?.to_vec())
                })?),
                ANSWER_REFUSED => Answer::Refused {
                    why: Refusal::from_code(r.u8("reconciled.code")?),
                    retry_after_s: r.u32("reconciled.retry_after_s")?,
                },
                kind => {
                    r.skip_rest();
                    Answer::Later { kind }
                }
            },
        })
    }
}
