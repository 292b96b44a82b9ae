//! The link by which a channel is followed: its key, where it is kept, and what it calls itself.

use crate::address::{self, PeerAddress};
use crate::keys::ChannelId;
use crate::limits;
use crate::wire::{DecodeError, Reader, Wire, Writer};
use data_encoding::BASE64URL_NOPAD;

const LINK_VERSION: u16 = 1;
const LINK: &str = "madang:channel?d=";
/// Bytes of the hash in front that tells a damaged link from a valid one.
const CHECK_BYTES: usize = 4;

/// A text is no link of a channel.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// It isn't one.
    #[error("not a channel link; it begins with `madang:channel?`")]
    NotALink,
    /// Its text was damaged.
    #[error("the channel link is damaged; ask for it again")]
    Damaged,
    /// It can't be read.
    #[error("{0}")]
    Decode(#[from] DecodeError),
}

/// What a channel's link holds.
///
/// | bytes | field |
/// |---|---|
/// | 2 | version, 1 |
/// | 32 | channel |
/// | V | relays |
/// | V | name, to be shown until the manifest is here; may be empty |
/// | V | extensions |
///
/// The link is `madang:channel?d=` and base64url of four bytes of BLAKE3 over the bytes, then the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelLink {
    /// The channel.
    pub channel: ChannelId,
    /// Where it is kept.
    pub relays: Vec<PeerAddress>,
    /// As whoever made the link calls it.
    pub name: String,
    /// Of later versions.
    pub extensions: Vec<u8>,
}

impl Wire for ChannelLink {
    fn write(&self, w: &mut Writer) {
        w.u16(LINK_VERSION);
        self.channel.write(w);
        address::write_all(w, &self.relays);
        w.bytes(self.name.as_bytes());
        w.bytes(&self.extensions);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.version("channel_link.version", LINK_VERSION)?;
        Ok(Self {
            channel: ChannelId::read(r)?,
            relays: address::read_all(r, "channel_link.relays", limits::RELAYS)?,
            name: r.text("channel_link.name", limits::NAME_BYTES)?,
            extensions: r.bytes("channel_link.extensions", limits::CHANNEL_LINK_BYTES)?.to_vec(),
        })
    }
}

impl ChannelLink {
    /// The link.
    pub fn to_link(&self) -> String {
        let bytes = self.encode();
        let mut checked = check(&bytes).to_vec();
        checked.extend(bytes);
        format!("{LINK}{}", BASE64URL_NOPAD.encode(&checked))
    }

    /// Reads a link, or a web address that carries one in its fragment.
    pub fn from_link(text: &str) -> Result<Self, LinkError> {
        let text = text.trim();
        let link = text.split_once('#').map_or(text, |(_, fragment)| fragment);
        let data = link.strip_prefix(LINK).ok_or(LinkError::NotALink)?;
        if data.len() > limits::CHANNEL_LINK_BYTES * 2 {
            return Err(LinkError::Damaged);
        }
        let checked = BASE64URL_NOPAD
            .decode(data.as_bytes())
            .map_err(|_| LinkError::Damaged)?;
        let (sum, bytes) = checked.split_at_checked(CHECK_BYTES).ok_or(LinkError::Damaged)?;
        if sum != check(bytes) {
            return Err(LinkError::Damaged);
        }
        if bytes.len() > limits::CHANNEL_LINK_BYTES {
            return Err(LinkError::Damaged);
        }
        Ok(Self::decode(bytes)?)
    }
}

fn check(bytes: &[u8]) -> [u8; CHECK_BYTES] {
    let [a, b, c, d, ..] = *blake3::hash(bytes).as_bytes();
    [a, b, c, d]
}
