//! Ways to spoil valid bytes.

use proptest::prelude::*;

/// One change.
#[derive(Clone, Debug)]
pub enum Change {
    /// Flips bits of a byte.
    Flip(prop::sample::Index, u8),
    /// Cuts the end off.
    Cut(prop::sample::Index),
    /// Puts bytes in.
    Insert(prop::sample::Index, Vec<u8>),
    /// Takes bytes out.
    Remove(prop::sample::Index, usize),
    /// Repeats a part.
    Repeat(prop::sample::Index, usize),
    /// Writes a length that claims a lot.
    Claim(prop::sample::Index, u32),
}

pub fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => (any::<prop::sample::Index>(), 1..=u8::MAX).prop_map(|(at, bits)| Change::Flip(at, bits)),
        1 => any::<prop::sample::Index>().prop_map(Change::Cut),
        1 => (any::<prop::sample::Index>(), prop::collection::vec(any::<u8>(), 1..40)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        1 => (any::<prop::sample::Index>(), 1..40_usize).prop_map(|(at, count)| Change::Remove(at, count)),
        1 => (any::<prop::sample::Index>(), 1..200_usize).prop_map(|(at, count)| Change::Repeat(at, count)),
        2 => (any::<prop::sample::Index>(), 0..(1_u32 << 30)).prop_map(|(at, length)| Change::Claim(at, length)),
    ]
}

/// Applies changes in turn.
pub fn apply(bytes: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for change in changes {
        if bytes.is_empty() {
            break;
        }
        let length = bytes.len();
        match change {
            Change::Flip(at, bits) => bytes[at.index(length)] ^= bits,
            Change::Cut(at) => bytes.truncate(at.index(length)),
            Change::Insert(at, more) => {
                let at = at.index(length);
                bytes.splice(at..at, more.iter().copied());
            }
            Change::Remove(at, count) => {
                let at = at.index(length);
                bytes.drain(at..length.min(at + count));
            }
            Change::Repeat(at, count) => {
                let at = at.index(length);
                let part = bytes[at..length.min(at + count)].to_vec();
                bytes.splice(at..at, part);
            }
            Change::Claim(at, claimed) => bytes = claim(&bytes, at.index(length), *claimed),
        }
    }
    bytes
}

/// The bytes with a four-byte length written over what is at a place.
pub fn claim(bytes: &[u8], at: usize, claimed: u32) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let length = (claimed | 0x8000_0000).to_be_bytes();
    let end = bytes.len().min(at + length.len());
    bytes.splice(at..end, length);
    bytes
}
