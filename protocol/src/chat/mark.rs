//! Marks: what a device puts beside all that it seals in a chat, and only it can read. By them it knows what another copy of its data
//! has sent (spec/chat.md, section 13).

use crate::keys::{ChatId, DeviceSecret, derive};
use crate::wire::{DecodeError, Reader, Wire, Writer};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Bytes of a mark.
const BYTES: usize = TAG + PLAIN;
const TAG: usize = 16;
const PLAIN: usize = 24;

/// A mark as it travels; to everybody but the device that made it, random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark(#[serde(with = "serde_bytes")] pub [u8; BYTES]);

impl Wire for Mark {
    fn write(&self, w: &mut Writer) {
        w.fixed(&self.0);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self(r.array("mark")?))
    }
}

/// What a mark says to its maker.
///
/// | bytes | field |
/// |---|---|
/// | 4 | number of the start of the device's program |
/// | 4 | random, of that start |
/// | 8 | how many times the device has sealed in the chat since it joined, this time included |
/// | 8 | the chat's clock at the device |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Which start of the program, from 0.
    pub start: u32,
    /// Random, of that start.
    pub nonce: u32,
    /// From 1.
    pub count: u64,
    /// Lamport clock.
    pub clock: u64,
}

impl Sealed {
    fn plain(&self) -> [u8; PLAIN] {
        let mut w = Writer::default();
        w.u32(self.start);
        w.u32(self.nonce);
        w.u64(self.count);
        w.u64(self.clock);
        let mut plain = [0; PLAIN];
        plain.iter_mut().zip(w.into_bytes()).for_each(|(to, from)| *to = from);
        plain
    }

    fn read(plain: &[u8; PLAIN]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(plain);
        Ok(Self {
            start: r.u32("mark.start")?,
            nonce: r.u32("mark.nonce")?,
            count: r.u64("mark.count")?,
            clock: r.u64("mark.clock")?,
        })
    }
}

/// Makes and reads a device's marks.
pub struct MarkKey {
    tag: Zeroizing<[u8; 32]>,
    stream: Zeroizing<[u8; 32]>,
}

impl MarkKey {
    /// The key of a device's marks.
    pub fn of(device: &DeviceSecret) -> Self {
        let seed = device.to_bytes();
        let derived = |purpose| Zeroizing::new(derive(purpose, &[seed.as_slice()]));
        Self {
            tag: derived("madang 1 mark tag"),
            stream: derived("madang 1 mark stream"),
        }
    }

    /// Makes a mark: a synthetic nonce, which is the tag, and the content under it (the shape of RFC 5297).
    pub fn seal(&self, chat: ChatId, incarnation: u64, sealed: &Sealed) -> Mark {
        let plain = sealed.plain();
        let tag = self.tag(chat, incarnation, &plain);
        let mut mark = [0; BYTES];
        let bytes = tag.iter().chain(&plain);
        mark.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        self.mask(&tag, &mut mark);
        Mark(mark)
    }

    /// Reads a mark that this device made in a chat, since it joined it last; nothing for any other.
    pub fn open(&self, chat: ChatId, incarnation: u64, mark: &Mark) -> Option<Sealed> {
        let mut bytes = mark.0;
        let tag: [u8; TAG] = *bytes.first_chunk()?;
        self.mask(&tag, &mut bytes);
        let plain = bytes.last_chunk()?;
        // Whoever could try tags until one fits would have to send an envelope for each.
        (self.tag(chat, incarnation, plain) == tag)
            .then(|| Sealed::read(plain).ok())
            .flatten()
    }

    fn tag(&self, chat: ChatId, incarnation: u64, plain: &[u8; PLAIN]) -> [u8; TAG] {
        let mut hasher = blake3::Hasher::new_keyed(&self.tag);
        hasher.update(&chat.0);
        hasher.update(&incarnation.to_be_bytes());
        hasher.update(plain);
        let mut tag = [0; TAG];
        hasher.finalize_xof().fill(&mut tag);
        tag
    }

    fn mask(&self, tag: &[u8; TAG], mark: &mut [u8; BYTES]) {
        let mut mask = [0; PLAIN];
        let mut hasher = blake3::Hasher::new_keyed(&self.stream);
        hasher.update(tag);
        hasher.finalize_xof().fill(&mut mask);
        let content = mark.iter_mut().skip(TAG);
        content.zip(mask).for_each(|(byte, mask)| *byte ^= mask);
    }
}

impl std::fmt::Debug for MarkKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MarkKey(..)")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn key(seed: u8) -> MarkKey {
        MarkKey::of(&DeviceSecret::from_bytes([seed; 32]))
    }

    #[test]
    fn only_its_maker_reads_a_mark_and_only_in_its_place() {
        let sealed = Sealed {
            start: 3,
            nonce: 4,
            count: 5,
            clock: 6,
        };
        let (chat, other) = (ChatId([1; 32]), ChatId([2; 32]));
        let mark = key(7).seal(chat, 9, &sealed);
        assert_eq!(key(7).open(chat, 9, &mark), Some(sealed));
        assert_eq!(key(8).open(chat, 9, &mark), None);
        assert_eq!(key(7).open(other, 9, &mark), None);
        assert_eq!(key(7).open(chat, 10, &mark), None);
        for byte in 0..BYTES {
            let mut bad = mark;
            *bad.0.get_mut(byte).unwrap() ^= 1;
            assert_eq!(key(7).open(chat, 9, &bad), None, "{byte}");
        }
    }
}
