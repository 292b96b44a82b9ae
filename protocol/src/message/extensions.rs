//! What is added to a message, or to all that an envelope holds, under a type of its own: `struct {uint16 type; opaque value<V>;} Extension`, one after the other.
//! Types that aren't known are passed over and kept (`spec/message.md`, section 2).

use crate::limits;
use crate::wire::{DecodeError, Reader, Writer};

/// Types of a message by number, never reused: seconds after which it disappears, `uint32`.
const EXPIRES: u16 = 1;

/// The extension by which a message disappears after so many seconds; nothing for 0.
pub fn expiring(after_s: u32) -> Vec<u8> {
    if after_s == 0 {
        return Vec::new();
    }
    extension(EXPIRES, &after_s.to_be_bytes())
}

/// Types of what is added to all that an envelope holds, by number, never reused: whether the author types, `uint8`.
const TYPING: u16 = 1;
/// The first 8 bytes of the epoch authenticator of the state that it was sealed on.
const STATE: u16 = 3;

/// The extension by which an envelope says that its author types, or has stopped.
pub fn typing(active: bool) -> Vec<u8> {
    extension(TYPING, &[u8::from(active)])
}

/// Whether an envelope with these extensions says that its author types; `None` if it says nothing of it.
pub fn typing_of(extensions: &[u8]) -> Option<bool> {
    match find(extensions, TYPING, limits::MESSAGE_BYTES).ok()?? {
        [0] => Some(false),
        [1] => Some(true),
        _ => None,
    }
}

/// A short form of a state's epoch authenticator.
pub type StateSummary = [u8; 8];

/// The extension by which an envelope says how its author has the state that it was sealed on.
pub fn state(summary: &StateSummary) -> Vec<u8> {
    extension(STATE, summary)
}

/// What an envelope with these extensions says of the state.
pub fn state_of(extensions: &[u8]) -> Option<StateSummary> {
    find(extensions, STATE, limits::MESSAGE_BYTES).ok()??.try_into().ok()
}

/// One extension.
pub(crate) fn extension(number: u16, value: &[u8]) -> Vec<u8> {
    let mut w = Writer::default();
    w.u16(number);
    w.bytes(value);
    w.into_bytes()
}

/// The seconds after which a message with these extensions disappears: from sending at its author's, from reading at others'. `None`
/// if it stays, or if they can't be read.
pub fn expires_after_s(extensions: &[u8]) -> Option<u32> {
    let value = find(extensions, EXPIRES, limits::MESSAGE_BYTES).ok()??;
    let after_s = u32::from_be_bytes(value.try_into().ok()?);
    (after_s > 0).then_some(after_s)
}

/// The value of the first extension of a type; one has at most `most` bytes.
pub(crate) fn find(extensions: &[u8], wanted: u16, most: usize) -> Result<Option<&[u8]>, DecodeError> {
    let mut r = Reader::new(extensions);
    while !r.rest().is_empty() {
        let found = r.u16("extension.type")?;
        let value = r.bytes("extension.value", most)?;
        if found == wanted {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_envelope_adds_is_read_or_adds_nothing() {
        let both = [typing(true), state(&[7; 8])].concat();
        assert_eq!((typing_of(&both), state_of(&both)), (Some(true), Some([7; 8])));
        assert_eq!(typing_of(&typing(false)), Some(false));
        assert_eq!((typing_of(&[]), state_of(&[])), (None, None));
        for bad in [
            &[0, 1, 1, 2][..],
            &[0, 1, 0],
            &[0, 1, 2, 1, 1],
            &[0, 3, 1, 1],
            &[0, 3, 9, 1],
        ] {
            assert_eq!((typing_of(bad), state_of(bad)), (None, None), "{bad:?}");
        }
    }

    #[test]
    fn an_expiry_is_found_behind_what_is_not_known() {
        let later = [&[0, 9, 1, 0xaa][..], &expiring(3600)].concat();
        assert_eq!(expires_after_s(&later), Some(3600));
        assert_eq!(expires_after_s(&expiring(0)), None);
        for bad in [&[4][..], &[0, 1, 2, 0, 0], &[0, 1, 4, 0, 0, 0, 0], &[0, 1, 9, 0]] {
            assert_eq!(expires_after_s(bad), None, "{bad:?}");
        }
    }
}
