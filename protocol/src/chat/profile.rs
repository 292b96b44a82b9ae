//! What a member calls itself, signed by its device, so that whoever knows it can pass it on to newcomers.

use crate::keys::{BadSignature, ChatId, DeviceId, DeviceSecret, Domain};
use crate::limits;
use crate::wire::{DecodeError, Reader, Wire, Writer};

/// A device's profile in a chat: `struct { uint16 version = 1; opaque device[32]; uint64 number; opaque name<V>; opaque extensions<V>;
/// opaque signature[64]; }`.
///
/// The signature (domain `madang/1/chat-profile`) is over the chat and all fields before it. Of two profiles of a device in a chat the
/// one with the greater number counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Whose.
    pub device: DeviceId,
    /// Grows with each change.
    pub number: u64,
    /// What its account calls itself; may be empty.
    pub name: String,
    extensions: Vec<u8>,
    signature: [u8; 64],
}

const VERSION: u16 = 1;

impl Profile {
    /// Signs a profile for a chat. The name has at most [`limits::NAME_BYTES`].
    pub fn sign(device: &DeviceSecret, chat: ChatId, number: u64, name: String) -> Self {
        let mut profile = Self {
            device: device.public(),
            number,
            name,
            extensions: Vec::new(),
            signature: [0; 64],
        };
        profile.signature = device.sign(Domain::ChatProfile, &profile.content(chat));
        profile
    }

    /// Checks that its device signed it for a chat.
    pub fn verify(&self, chat: ChatId) -> Result<(), BadSignature> {
        self.device
            .verify(Domain::ChatProfile, &self.content(chat), &self.signature)
    }

    fn content(&self, chat: ChatId) -> Vec<u8> {
        let mut w = Writer::default();
        chat.write(&mut w);
        self.fields(&mut w);
        w.into_bytes()
    }

    fn fields(&self, w: &mut Writer) {
        w.u16(VERSION);
        self.device.write(w);
        w.u64(self.number);
        w.bytes(self.name.as_bytes());
        w.bytes(&self.extensions);
    }
}

impl Wire for Profile {
    fn write(&self, w: &mut Writer) {
        self.fields(w);
        w.fixed(&self.signature);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.version("profile.version", VERSION)?;
        Ok(Self {
            device: DeviceId::read(r)?,
            number: r.u64("profile.number")?,
            name: r.text("profile.name", limits::NAME_BYTES)?,
            extensions: r.bytes("profile.extensions", limits::PROFILE_EXTENSION_BYTES)?.to_vec(),
            signature: r.array("profile.signature")?,
        })
    }
}
