//! What a device asks the others to commit for it, signed, so that whoever does it can show that it was asked.

use crate::keys::{BadSignature, ChatId, DeviceId, DeviceSecret, Domain, derive};
use crate::wire::{DecodeError, Reader, Wire, Writer};

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Remove this device's account from the chat.
    Leave,
    /// Put a new leaf in the place of this device's, whose state is lost.
    Rejoin,
}

const WISH_LEAVE: u8 = 1;
const WISH_REJOIN: u8 = 2;

/// A signed wish: `struct { uint8 wish; opaque device[32]; opaque about[32]; opaque signature[64]; }`.
///
/// The signature (domain `madang/1/chat-wish`) is over wish, chat and about. For [`Wish::Leave`] about is the hash of the key of the leaf
/// that leaves, for [`Wish::Rejoin`] that of the new leaf and of the one that it takes the place of ([`rejoin_about`]). A key is used
/// for one leaf, so that a wish ends with the leaf that it was made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// What is asked.
    pub wish: Wish,
    /// Who asks.
    pub device: DeviceId,
    /// What it is about.
    pub about: [u8; 32],
    signature: [u8; 64],
}

impl Statement {
    /// Signs a wish.
    pub fn sign(device: &DeviceSecret, chat: ChatId, wish: Wish, about: [u8; 32]) -> Self {
        Self {
            wish,
            device: device.public(),
            about,
            signature: device.sign(Domain::ChatWish, &content(chat, wish, &about)),
        }
    }

    /// Checks that its device signed it for a chat.
    pub fn verify(&self, chat: ChatId) -> Result<(), BadSignature> {
        let content = content(chat, self.wish, &self.about);
        self.device.verify(Domain::ChatWish, &content, &self.signature)
    }
}

/// The hash of a leaf's encryption key.
pub(super) fn leaf_key_hash(key: &[u8]) -> [u8; 32] {
    derive("madang 1 leaf key", &[key])
}

/// What a wish to rejoin is about, from the hashes of both leaves' keys.
pub fn rejoin_about(new: &[u8; 32], old: &[u8; 32]) -> [u8; 32] {
    derive("madang 1 rejoin", &[new, old])
}

fn content(chat: ChatId, wish: Wish, about: &[u8; 32]) -> Vec<u8> {
    let mut w = Writer::default();
    w.u8(number(wish));
    chat.write(&mut w);
    w.fixed(about);
    w.into_bytes()
}

fn number(wish: Wish) -> u8 {
    match wish {
        Wish::Leave => WISH_LEAVE,
        Wish::Rejoin => WISH_REJOIN,
    }
}

impl Wire for Statement {
    fn write(&self, w: &mut Writer) {
        w.u8(number(self.wish));
        self.device.write(w);
        w.fixed(&self.about);
        w.fixed(&self.signature);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            wish: match r.u8("statement.wish")? {
                WISH_LEAVE => Wish::Leave,
                WISH_REJOIN => Wish::Rejoin,
                _ => {
                    return Err(DecodeError::Invalid {
                        field: "statement.wish",
                        reason: "a wish that this version doesn't know",
                    });
                }
            },
            device: DeviceId::read(r)?,
            about: r.array("statement.about")?,
            signature: r.array("statement.signature")?,
        })
    }
}
