//! What chats add to MLS: the leaf's identity, the chat's settings in the group context, and what a joiner is told.

use crate::identity::DeviceLog;
use crate::keys::{AccountId, DeviceId, NodeId, TopicSecret};
use crate::limits;
use crate::wire::{DecodeError, Reader, Wire, Writer};

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

/// The chat's settings, in the group context under extension [`ChatContext::EXTENSION`]: every member checks commits against them.
///
/// `struct { uint16 version = 1; uint8 kind; opaque extensions<V>; }`, kind 1 one-to-one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatContext;

const CONTEXT_VERSION: u16 = 1;
const KIND_ONE_TO_ONE: u8 = 1;

impl ChatContext {
    /// The extension type, of RFC 9420's private range.
    pub const EXTENSION: u16 = 0xf0a0;
}

impl Wire for ChatContext {
    fn write(&self, w: &mut Writer) {
        w.u16(CONTEXT_VERSION);
        w.u8(KIND_ONE_TO_ONE);
        w.bytes(&[]);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.version("chat_context.version", CONTEXT_VERSION)?;
        if r.u8("chat_context.kind")? != KIND_ONE_TO_ONE {
            return Err(DecodeError::Invalid {
                field: "chat_context.kind",
                reason: "a kind of chat that this version doesn't know",
            });
        }
        r.bytes("chat_context.extensions", limits::SEALED_BYTES)?;
        Ok(Self)
    }
}

/// What a joiner learns inside the Welcome's encrypted group info, under extension [`JoinInfo::EXTENSION`].
///
/// `struct { uint16 version = 1; opaque topic_secret[32]; opaque parent[32]; opaque extensions<V>; }`: the chat's topic, and the node
/// that the adding commit builds on. The joiner's own node is told beside the Welcome, since a commit can't hold its own hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinInfo {
    /// Writes on the chat's topic.
    pub topic: TopicSecret,
    /// The state before.
    pub parent: NodeId,
}

const JOIN_VERSION: u16 = 1;

impl JoinInfo {
    /// The extension type, of RFC 9420's private range.
    pub const EXTENSION: u16 = 0xf0a1;
}

impl Wire for JoinInfo {
    fn write(&self, w: &mut Writer) {
        w.u16(JOIN_VERSION);
        w.fixed(self.topic.to_bytes().as_slice());
        self.parent.write(w);
        w.bytes(&[]);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.version("join_info.version", JOIN_VERSION)?;
        let info = Self {
            topic: TopicSecret::from_bytes(r.array("join_info.topic_secret")?),
            parent: NodeId::read(r)?,
        };
        r.bytes("join_info.extensions", limits::SEALED_BYTES)?;
        Ok(info)
    }
}
