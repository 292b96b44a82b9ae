//! What chats add to MLS: the leaf's identity, the chat's settings in the group context, and what a joiner is told.

use super::profile::Profile;
use crate::address::{self, PeerAddress};
use crate::identity::DeviceLog;
use crate::keys::{AccountId, DeviceId, NodeId, TopicSecret};
use crate::limits;
use crate::message::extensions;
use crate::wire::{DecodeError, Reader, Wire, Writer};
use serde::{Deserialize, Serialize};

/// The identity in a leaf's basic credential: `struct { uint16 version = 1; DeviceLog log; opaque device[32]; }`. The log certifies
/// the device, which is the leaf's signature key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeafIdentity {
    /// The account's devices.
    pub log: DeviceLog,
    /// The leaf's.
    pub device: DeviceId,
}

const IDENTITY_VERSION: u16 = 1;

impl LeafIdentity {
    /// The account.
    pub fn account(&self) -> AccountId {
        self.log.account
    }
}

impl Wire for LeafIdentity {
    fn write(&self, w: &mut Writer) {
        w.u16(IDENTITY_VERSION);
        self.log.write(w);
        self.device.write(w);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.version("leaf_identity.version", IDENTITY_VERSION)?;
        Ok(Self {
            log: DeviceLog::read(r)?,
            device: DeviceId::read(r)?,
        })
    }
}

/// What kind of chat it is; fixed when it is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChatKind {
    /// Two accounts.
    OneToOne,
    /// Any number, with roles.
    Group,
}

/// A member's part in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Role {
    /// Neither of the others.
    Member,
    /// May add, remove and change settings, below its own rank.
    Admin,
    /// The most senior admin.
    Owner,
}

/// The chat's settings, in the group context under extension [`ChatContext::EXTENSION`]: every member checks commits against them.
///
/// | bytes | field |
/// |---|---|
/// | 2 | version, 1 |
/// | 1 | kind: 1 one-to-one, 2 group |
/// | V | name |
/// | V | picture |
/// | 4 | timer, seconds |
/// | V | admins, 32 each |
/// | V | relays |
/// | V | extensions of later versions, kept as they are |
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatContext {
    /// What kind of chat it is.
    pub kind: ChatKind,
    /// The name; empty in a one-to-one chat.
    pub name: String,
    /// A small picture (PNG, JPEG or WebP), or nothing.
    #[serde(with = "serde_bytes")]
    pub picture: Vec<u8>,
    /// Seconds after which messages disappear; 0 for never.
    pub timer_s: u32,
    /// The admins, the most senior one, which is the owner, first. None in a one-to-one chat: both are equal.
    pub admins: Vec<AccountId>,
    /// The custodians that all members use.
    pub relays: Vec<PeerAddress>,
    /// What a later version adds.
    #[serde(with = "serde_bytes")]
    pub extensions: Vec<u8>,
}

const CONTEXT_VERSION: u16 = 1;
const KIND_ONE_TO_ONE: u8 = 1;
const KIND_GROUP: u8 = 2;

impl ChatContext {
    /// The extension type, of RFC 9420's private range.
    pub const EXTENSION: u16 = 0xf0a0;

    /// The settings of a one-to-one chat.
    pub fn one_to_one() -> Self {
        Self {
            kind: ChatKind::OneToOne,
            name: String::new(),
            picture: Vec::new(),
            timer_s: 0,
            admins: Vec::new(),
            relays: Vec::new(),
            extensions: Vec::new(),
        }
    }

    /// The first settings of a group.
    pub fn group(name: String, owner: AccountId, relays: Vec<PeerAddress>) -> Self {
        Self {
            kind: ChatKind::Group,
            name,
            admins: vec![owner],
            relays,
            ..Self::one_to_one()
        }
    }

    /// An account's place among the admins, 0 for the owner.
    pub fn rank(&self, account: &AccountId) -> Option<usize> {
        self.admins.iter().position(|admin| admin == account)
    }

    /// Whether what an account pins counts: in a group only what admins do.
    pub fn lets_pin(&self, account: &AccountId) -> bool {
        self.kind == ChatKind::OneToOne || self.rank(account).is_some()
    }

    /// An account's role.
    pub fn role(&self, account: &AccountId) -> Role {
        match self.rank(account) {
            Some(0) => Role::Owner,
            Some(_) => Role::Admin,
            None => Role::Member,
        }
    }
}

impl Wire for ChatContext {
    fn write(&self, w: &mut Writer) {
        w.u16(CONTEXT_VERSION);
        w.u8(match self.kind {
            ChatKind::OneToOne => KIND_ONE_TO_ONE,
            ChatKind::Group => KIND_GROUP,
        });
        w.bytes(self.name.as_bytes());
        w.bytes(&self.picture);
        w.u32(self.timer_s);
        w.list(&self.admins, |w, admin| admin.write(w));
        address::write_all(w, &self.relays);
        w.bytes(&self.extensions);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.version("chat_context.version", CONTEXT_VERSION)?;
        Ok(Self {
            kind: match r.u8("chat_context.kind")? {
                KIND_ONE_TO_ONE => ChatKind::OneToOne,
                KIND_GROUP => ChatKind::Group,
                _ => {
                    return Err(DecodeError::Invalid {
                        field: "chat_context.kind",
                        reason: "a kind of chat that this version doesn't know",
                    });
                }
            },
            name: r.text("chat_context.name", limits::NAME_BYTES)?,
            picture: r.bytes("chat_context.picture", limits::PICTURE_BYTES)?.to_vec(),
            timer_s: r.u32("chat_context.timer_s")?,
            admins: r.list("chat_context.admins", limits::ADMINS, AccountId::read)?,
            relays: address::read_all(r, "chat_context.relays", limits::OWN_RELAYS)?,
            extensions: r
                .bytes("chat_context.extensions", limits::CONTEXT_EXTENSION_BYTES)?
                .to_vec(),
        })
    }
}

/// What a joiner learns inside the Welcome's encrypted group info, under extension [`JoinInfo::EXTENSION`].
///
/// `struct { uint16 version = 1; optional<opaque[32]> topic_secret; opaque parent[32]; opaque extensions<V>; }`: the chat's topic, and the
/// node that the adding commit builds on. The joiner's own node is told beside the Welcome, since a commit can't hold its own hash.
/// Extensions go by type, as those of a message do; type 1 has the profiles of members that the adding device knows, type 2 the states
/// before the new one that it knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinInfo {
    /// Writes on the chat's topic; none if this very commit renews it, so that the joiner derives it itself.
    pub topic: Option<TopicSecret>,
    /// The state before.
    pub parent: NodeId,
    /// What members call themselves, as far as it fits [`limits::JOIN_EXTENSION_BYTES`]. They aren't checked yet.
    pub profiles: Vec<Profile>,
    /// The states on the way to the new one, the oldest first and without it.
    pub past: Vec<NodeId>,
}

const JOIN_VERSION: u16 = 1;
/// The extension with the profiles: `Profile profiles<V>`.
const JOIN_PROFILES: u16 = 1;
/// The extension with the states before: `opaque past[32]<V>`.
const JOIN_PAST: u16 = 2;

impl JoinInfo {
    /// The extension type, of RFC 9420's private range.
    pub const EXTENSION: u16 = 0xf0a1;
}

impl Wire for JoinInfo {
    fn write(&self, w: &mut Writer) {
        w.u16(JOIN_VERSION);
        w.option(self.topic.as_ref(), |w, topic| w.fixed(topic.to_bytes().as_slice()));
        self.parent.write(w);
        let mut more = Vec::new();
        if !self.profiles.is_empty() {
            let mut value = Writer::default();
            value.list(&self.profiles, |w, profile| profile.write(w));
            more.extend(extensions::extension(JOIN_PROFILES, &value.into_bytes()));
        }
        if !self.past.is_empty() {
            let mut value = Writer::default();
            value.list(&self.past, |w, node| node.write(w));
            more.extend(extensions::extension(JOIN_PAST, &value.into_bytes()));
        }
        w.bytes(&more);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.version("join_info.version", JOIN_VERSION)?;
        let mut info = Self {
            topic: r
                .option("join_info.topic", |r| r.array("join_info.topic_secret"))?
                .map(TopicSecret::from_bytes),
            parent: NodeId::read(r)?,
            profiles: Vec::new(),
            past: Vec::new(),
        };
        let more = r.bytes("join_info.extensions", limits::JOIN_EXTENSION_BYTES)?;
        // A joiner can do without them: what can't be read adds nothing.
        if let Ok(Some(value)) = extensions::find(more, JOIN_PROFILES, limits::JOIN_EXTENSION_BYTES) {
            let mut r = Reader::new(value);
            let profiles = r.list("join_info.profiles", limits::GROUP_MEMBERS, Profile::read);
            info.profiles = profiles.ok().filter(|_| r.finish().is_ok()).unwrap_or_default();
        }
        if let Ok(Some(value)) = extensions::find(more, JOIN_PAST, limits::JOIN_EXTENSION_BYTES) {
            let mut r = Reader::new(value);
            let past = r.list("join_info.past", limits::PAST_NODES, NodeId::read);
            info.past = past.ok().filter(|_| r.finish().is_ok()).unwrap_or_default();
        }
        Ok(info)
    }
}
