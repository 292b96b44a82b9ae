//! A commit that is too large for an envelope: the envelope points to a blob that holds it.

use super::group::{Group, GroupError, Header, mls};
use crate::blob::BlobRef;
use crate::contact::CardKey;
use crate::keys::{ChatId, NodeId, TopicId};
use crate::limits;
use crate::mls::Crypto;
use crate::seal;
use crate::wire::{DecodeError, Reader, Wire, Writer};

/// What an envelope's body begins with where it points to a blob. An MLS message begins with its version, 1.
const POINTER: u16 = 0xf0b0;

/// `struct { uint16 pointer = 0xf0b0; opaque chat[32]; opaque node[32]; uint64 epoch; opaque sealed<V>; }`: the chat, the state that the
/// commit builds on, and the blob's reference, sealed under `MLS-Exporter("madang 1 pointer", "", 32)` of that state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer {
    header: Header,
    sealed: Vec<u8>,
}

impl Pointer {
    /// Reads a body; none if it isn't a pointer.
    pub fn read(body: &[u8]) -> Option<Result<Self, DecodeError>> {
        let mut r = Reader::new(body);
        if r.u16("pointer") != Ok(POINTER) {
            return None;
        }
        Some(Self::fields(&mut r))
    }

    fn fields(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let header = Header {
            chat: ChatId::read(r)?,
            node: NodeId::read(r)?,
            epoch: r.u64("pointer.epoch")?,
            commit: true,
            mark: None,
        };
        let sealed = r.bytes("pointer.sealed", limits::SEALED_BYTES)?.to_vec();
        r.finish()?;
        Ok(Self { header, sealed })
    }

    /// What it says of the commit.
    pub fn header(&self) -> Header {
        self.header
    }
}

impl Group {
    /// Points to a blob with a commit that builds on this state.
    pub fn point_to(&self, crypto: &Crypto, topic: TopicId, blob: &BlobRef) -> Result<Vec<u8>, GroupError> {
        let sealed = seal::seal_card(crypto, &self.pointer_key(crypto)?, topic, &blob.encode())
            .map_err(|e| mls("point to a blob")(&e))?;
        let mut w = Writer::default();
        w.u16(POINTER);
        self.chat()?.write(&mut w);
        self.node().write(&mut w);
        w.u64(self.epoch());
        w.bytes(&sealed);
        Ok(w.into_bytes())
    }

    /// Reads where a pointer points that builds on this state.
    pub fn pointed(&self, crypto: &Crypto, topic: TopicId, pointer: &Pointer) -> Result<BlobRef, GroupError> {
        let fail = mls("read a pointer to a blob");
        let bytes = seal::open_card(&self.pointer_key(crypto)?, topic, &pointer.sealed).map_err(|e| fail(&e))?;
        BlobRef::decode(&bytes).map_err(|e| fail(&e))
    }

    /// The key of this state's pointers; kept, since they are written once the state sleeps.
    pub(super) fn pointer_key(&self, crypto: &Crypto) -> Result<CardKey, GroupError> {
        if let Some(key) = self.pointer_key.get() {
            return Ok(key.clone());
        }
        let key = CardKey(self.export(crypto, "madang 1 pointer", &[])?);
        Ok(self.pointer_key.get_or_init(|| key).clone())
    }
}
