//! What contacts write to each other's inboxes: what can't travel inside a chat, because the reader isn't in its state.

use crate::blob::BlobRef;
use crate::chat::Statement;
use crate::contact::{self, CardPackage, ContactError};
use crate::keys::{ChatId, NodeId, TopicId};
use crate::limits;
use crate::message::extensions;
use crate::mls::Suite;
use crate::wire::{Reader, Wire, Writer};

/// A message of an inbox, sealed to its key.
///
/// `struct { uint16 version = 1; uint8 kind; select (kind) { 1: GroupWelcome; 2: Rejoin; 3: LargeMessage;
/// 4: Leaf; } body; opaque extensions<V>; }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InboxMessage {
    /// The reader was added to a group.
    Welcome(GroupWelcome),
    /// The writer asks to be put back into a chat of which it has lost the state.
    Rejoin(Rejoin),
    /// A message that is too large for an envelope.
    Large(LargeMessage),
    /// The reader's wish to rejoin was about a leaf that isn't its own any more: this is.
    Leaf(LeafTold),
}

/// `struct { opaque topic[32]; BlobRef blob; }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LargeMessage {
    /// The chat's: all who are added by one commit read the same blob.
    pub topic: TopicId,
    /// What holds it.
    pub blob: BlobRef,
}

/// `struct { opaque chat[32]; opaque leaf[32]; }`, and in the message's extensions, by type as those of a message: 1, `opaque at[32]`;
/// 2, `opaque past[32]<V>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeafTold {
    /// The chat.
    pub chat: ChatId,
    /// The hash of the key of the reader's leaf in the writer's state.
    pub leaf: [u8; 32],
    /// The writer's state, where it tells that the reader was left behind.
    pub at: Option<NodeId>,
    /// States on the way to that, the oldest first; at most [`limits::PAST_NODES`].
    pub past: Vec<NodeId>,
}

/// `struct { opaque chat[32]; opaque node[32]; uint16 suite; opaque welcome<V>; }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupWelcome {
    /// The chat.
    pub chat: ChatId,
    /// The state that the Welcome leads to.
    pub node: NodeId,
    /// The chat's suite.
    pub suite: Suite,
    /// The encoded MLS Welcome.
    pub welcome: Vec<u8>,
}

/// `struct { opaque chat[32]; Statement statement; CardPackage package; }`, and in the message's extensions, by type as those of a message:
/// 1, `opaque lacks[32]<V>`; 2, `opaque has[32]<V>`; 3, `opaque past[32]<V>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejoin {
    /// The chat.
    pub chat: ChatId,
    /// The signed wish.
    pub statement: Statement,
    /// For the new leaf.
    pub package: CardPackage,
    /// States that the writer lacks, on which others have written; at most [`limits::WISH_NODES`].
    pub lacks: Vec<NodeId>,
    /// States that the writer has and can go on from, the newest first; at most [`limits::WISH_NODES`].
    pub has: Vec<NodeId>,
    /// States on the way to the first of them, the oldest first; at most [`limits::PAST_NODES`].
    pub past: Vec<NodeId>,
}

const VERSION: u16 = 1;
const KIND_WELCOME: u8 = 1;
const KIND_REJOIN: u8 = 2;
const KIND_LARGE: u8 = 3;
const KIND_LEAF: u8 = 4;
/// The extension of a wish that names what its writer lacks.
const LACKS: u16 = 1;
/// The extension of a wish that names what its writer can go on from.
const HAS: u16 = 2;
/// That which names the states on the way there.
const WAY: u16 = 3;
/// The extension of a leaf that names its writer's state.
const AT: u16 = 1;
/// That which names the states on the way to it.
const PAST: u16 = 2;

/// An extension that names states; none where there are none.
fn named(kind: u16, nodes: &[NodeId]) -> Vec<u8> {
    if nodes.is_empty() {
        return Vec::new();
    }
    let mut value = Writer::default();
    value.list(nodes, |w, node| node.write(w));
    extensions::extension(kind, &value.into_bytes())
}

/// The states that an extension names; none where it can't be read.
fn nodes(value: Option<&[u8]>, field: &'static str, most: usize) -> Vec<NodeId> {
    let mut r = Reader::new(value.unwrap_or_default());
    let nodes = r.list(field, most, NodeId::read);
    nodes.ok().filter(|_| r.finish().is_ok()).unwrap_or_default()
}

impl InboxMessage {
    /// Encodes.
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::default();
        w.u16(VERSION);
        let mut more = Vec::new();
        match self {
            Self::Welcome(welcome) => {
                w.u8(KIND_WELCOME);
                welcome.chat.write(&mut w);
                welcome.node.write(&mut w);
                w.u16(welcome.suite.number());
                w.bytes(&welcome.welcome);
            }
            Self::Rejoin(rejoin) => {
                w.u8(KIND_REJOIN);
                rejoin.chat.write(&mut w);
                rejoin.write(&mut w);
                for (kind, nodes) in [(LACKS, &rejoin.lacks), (HAS, &rejoin.has), (WAY, &rejoin.past)] {
                    more.extend(named(kind, nodes));
                }
            }
            Self::Large(large) => {
                w.u8(KIND_LARGE);
                large.topic.write(&mut w);
                large.blob.write(&mut w);
            }
            Self::Leaf(told) => {
                w.u8(KIND_LEAF);
                told.chat.write(&mut w);
                w.fixed(&told.leaf);
                if let Some(at) = &told.at {
                    more = extensions::extension(AT, &at.0);
                    more.extend(named(PAST, &told.past));
                }
            }
        }
        w.bytes(&more);
        w.into_bytes()
    }

    /// Reads; none for a kind of a later version.
    pub fn decode(bytes: &[u8]) -> Result<Option<Self>, ContactError> {
        let mut r = Reader::new(bytes);
        r.version("inbox.version", VERSION)?;
        let mut message = match r.u8("inbox.kind")? {
            KIND_WELCOME => Self::Welcome(GroupWelcome {
                chat: ChatId::read(&mut r)?,
                node: NodeId::read(&mut r)?,
                suite: contact::read_suite(&mut r)?,
                welcome: r.bytes("inbox.welcome", limits::LARGE_BYTES)?.to_vec(),
            }),
            KIND_REJOIN => {
                let chat = ChatId::read(&mut r)?;
                Self::Rejoin(Rejoin::read(&mut r, chat)?)
            }
            KIND_LARGE => Self::Large(LargeMessage {
                topic: TopicId::read(&mut r)?,
                blob: BlobRef::read(&mut r)?,
            }),
            KIND_LEAF => Self::Leaf(LeafTold {
                chat: ChatId::read(&mut r)?,
                leaf: r.array("inbox.leaf")?,
                at: None,
                past: Vec::new(),
            }),
            _ => return Ok(None),
        };
        let more = r.bytes("inbox.extensions", limits::SEALED_BYTES)?;
        r.finish()?;
        // What can't be read says nothing.
        let extension = |kind| extensions::find(more, kind, limits::SEALED_BYTES).ok().flatten();
        match &mut message {
            Self::Rejoin(rejoin) => {
                rejoin.lacks = nodes(extension(LACKS), "inbox.lacks", limits::WISH_NODES);
                rejoin.has = nodes(extension(HAS), "inbox.has", limits::WISH_NODES);
                rejoin.past = nodes(extension(WAY), "inbox.past", limits::PAST_NODES);
            }
            Self::Leaf(told) => {
                told.at = extension(AT).and_then(|at| at.try_into().ok()).map(NodeId);
                if told.at.is_some() {
                    told.past = nodes(extension(PAST), "inbox.past", limits::PAST_NODES);
                }
            }
            Self::Welcome(_) | Self::Large(_) => {}
        }
        Ok(Some(message))
    }
}

impl Rejoin {
    /// Appends wish and package, without the chat and what the writer lacks and has.
    pub fn write(&self, w: &mut Writer) {
        self.statement.write(w);
        contact::write_package(w, &self.package);
    }

    /// Reads what [`Self::write`] wrote; what the writer lacks and has isn't part of it.
    pub fn read(r: &mut Reader<'_>, chat: ChatId) -> Result<Self, ContactError> {
        Ok(Self {
            chat,
            statement: Statement::read(r)?,
            package: contact::read_package(r)?,
            lacks: Vec::new(),
            has: Vec::new(),
            past: Vec::new(),
        })
    }
}
