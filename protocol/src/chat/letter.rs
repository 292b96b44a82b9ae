//! What members write to each other on a chat's topic outside of MLS, because the reader isn't in the writer's state.

use super::group::{GroupError, mls};
use crate::contact::{CardKey, ContactError};
use crate::inbox::InboxMessage;
use crate::keys::{ChatId, DeviceId, TopicSecret, derive};
use crate::limits;
use crate::mls::Crypto;
use crate::seal;
use crate::wire::{DecodeError, Reader, Wire, Writer};

/// What an envelope's body begins with where it is a letter. An MLS message begins with its version, 1.
const LETTER: u16 = 0xf0b1;

/// `struct { uint16 letter = 0xf0b1; opaque chat[32]; opaque sealed<V>; }`: sealed as a card is, under a key that everybody has who has the
/// topic's secret: members, and whoever was one while the topic was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The chat.
    pub chat: ChatId,
    sealed: Vec<u8>,
}

/// What a letter says: `struct { optional<opaque[32]> to; InboxMessage message; }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetterContent {
    /// The device that it is for; none if it is for all.
    pub to: Option<DeviceId>,
    /// What it says.
    pub message: InboxMessage,
}

impl Letter {
    /// Reads a body; none if it isn't a letter.
    pub fn read(body: &[u8]) -> Option<Result<Self, DecodeError>> {
        let mut r = Reader::new(body);
        if r.u16("letter") != Ok(LETTER) {
            return None;
        }
        Some(Self::fields(&mut r))
    }

    fn fields(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let letter = Self {
            chat: ChatId::read(r)?,
            sealed: r.bytes("letter.sealed", limits::ENVELOPE_BYTES)?.to_vec(),
        };
        r.finish()?;
        Ok(letter)
    }

    /// Writes a letter as the body of an envelope on a topic of the chat. `message` is an encoded [`InboxMessage`]; one of more than
    /// [`limits::INLINE_BYTES`] must go as a blob.
    pub fn seal(
        crypto: &Crypto,
        chat: ChatId,
        topic: &TopicSecret,
        to: Option<DeviceId>,
        message: &[u8],
    ) -> Result<Vec<u8>, GroupError> {
        let mut w = Writer::default();
        w.option(to.as_ref(), |w, device| device.write(w));
        w.fixed(message);
        let sealed = seal::seal_card(crypto, &key(topic), topic.public(), &w.into_bytes())
            .map_err(|e| mls("write a letter")(&e))?;
        let mut w = Writer::default();
        w.u16(LETTER);
        chat.write(&mut w);
        w.bytes(&sealed);
        Ok(w.into_bytes())
    }

    /// Opens it with the secret of the topic that it came on. None for what a later version says.
    pub fn open(&self, topic: &TopicSecret) -> Result<Option<LetterContent>, GroupError> {
        let fail = mls("read a letter");
        let bytes = seal::open_card(&key(topic), topic.public(), &self.sealed).map_err(|e| fail(&e))?;
        LetterContent::decode(&bytes).map_err(|e| fail(&e))
    }
}

impl LetterContent {
    fn decode(bytes: &[u8]) -> Result<Option<Self>, ContactError> {
        let mut r = Reader::new(bytes);
        let to = r.option("letter.to", DeviceId::read)?;
        let message = InboxMessage::decode(r.rest())?;
        Ok(message.map(|message| Self { to, message }))
    }
}

fn key(topic: &TopicSecret) -> CardKey {
    CardKey(derive("madang 1 letter", &[topic.to_bytes().as_slice()]))
}
