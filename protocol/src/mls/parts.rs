//! Large rows of a group's state as parts that its states share: a commit changes some kilobytes of a tree of a megabyte.
//!
//! A row is cut where its content says so, so that a change moves no cut but those beside it. States that follow each other then have
//! nearly all parts in common, in memory and on the disk.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Bytes above which a row is cut (guess: some parts).
const WHOLE_BYTES: usize = 8 * 1024;
/// Least and greatest bytes of a part; the greatest fits one piece of the store.
const PART_BYTES: (usize, usize) = (512, 3840);
/// A cut is where these bits of the rolling sum are zero: every 1,024 bytes beyond the least, on average.
const CUT_MASK: u32 = 0x3ff << 22;
/// Old parts with which the rest is compared before it is cut anew: a node of a tree that changed takes the place of some.
const NEAR: usize = 8;

/// A piece of a large row; equal ones are one.
pub type Part = Arc<[u8]>;

/// A row's value.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// As it is.
    Whole(Arc<[u8]>),
    /// Its parts in order.
    Parts(Arc<[Part]>),
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Whole(_) => "Whole(..)",
            Self::Parts(_) => "Parts(..)",
        })
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Whole(bytes.into())
    }
}

impl Value {
    /// Takes a value, sharing with the one before what is in both. What was cut once stays so.
    pub(super) fn of(bytes: &[u8], before: Option<&Value>) -> Self {
        match before {
            Some(Self::Parts(parts)) => Self::Parts(cut(bytes, parts)),
            _ if bytes.len() > WHOLE_BYTES => Self::Parts(cut(bytes, &[])),
            _ => Self::Whole(bytes.into()),
        }
    }

    /// The value in one piece.
    pub fn bytes(&self) -> Cow<'_, [u8]> {
        match self {
            Self::Whole(bytes) => Cow::Borrowed(bytes),
            Self::Parts(parts) => Cow::Owned(parts.concat()),
        }
    }
}

fn cut(bytes: &[u8], before: &[Part]) -> Arc<[Part]> {
    let mut known: Option<BTreeMap<&[u8], &Part>> = None;
    let mut parts = Vec::with_capacity(before.len() + 16);
    let (mut rest, mut next) = (bytes, 0);
    while !rest.is_empty() {
        // What begins as it did before ends as it did: a cut depends on nothing but the part. The last one was cut by the end.
        let near = before.iter().enumerate().skip(next).take(NEAR);
        let mut near = near.filter(|(place, _)| place + 1 < before.len());
        if let Some((place, part)) = near.find(|(_, part)| rest.starts_with(part)) {
            rest = rest.split_at(part.len()).1;
            parts.push(part.clone());
            next = place + 1;
            continue;
        }
        let (now, after) = rest.split_at(part_length(rest));
        rest = after;
        let known = known.get_or_insert_with(|| before.iter().map(|part| (&**part, part)).collect());
        parts.push(known.get(now).map_or_else(|| now.into(), |part| Part::clone(part)));
    }
    parts.into()
}

/// The length of the part with which bytes begin: up to where the last 32 bytes say that it ends.
fn part_length(bytes: &[u8]) -> usize {
    let (least, greatest) = PART_BYTES;
    let mut sum: u32 = 0;
    for (place, byte) in bytes.iter().enumerate().take(greatest) {
        // A shift a byte: what is further back than 32 bytes has left the sum.
        sum = (sum << 1).wrapping_add(u32::from(*byte).wrapping_add(1).wrapping_mul(0x9e37_79b1));
        if place >= least && sum & CUT_MASK == 0 {
            return place + 1;
        }
    }
    bytes.len().min(greatest)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    fn noise(seed: u64, length: usize) -> Vec<u8> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        };
        (0..length).map(|_| next()).collect()
    }

    fn parts(value: &Value) -> &[Part] {
        match value {
            Value::Parts(parts) => parts,
            Value::Whole(_) => panic!("it is whole"),
        }
    }

    #[test]
    fn a_small_row_is_whole_and_a_large_one_is_cut_within_bounds() {
        assert!(matches!(Value::of(&[1; 100], None), Value::Whole(_)));
        let bytes = noise(1, 500_000);
        let value = Value::of(&bytes, None);
        assert_eq!(&*value.bytes(), bytes);
        let (last, others) = parts(&value).split_last().unwrap();
        assert!(
            others
                .iter()
                .all(|part| (PART_BYTES.0..=PART_BYTES.1).contains(&part.len()))
        );
        assert!(last.len() <= PART_BYTES.1);
    }

    #[test]
    fn equal_bytes_are_cut_alike_whatever_was_before() {
        let (old, new) = (noise(1, 100_000), noise(2, 100_000));
        let mixed: Vec<u8> = old
            .iter()
            .take(50_000)
            .chain(new.iter().skip(40_000))
            .copied()
            .collect();
        let before = Value::of(&old, None);
        assert_eq!(Value::of(&mixed, Some(&before)), Value::of(&mixed, None));
    }

    #[test]
    fn changes_here_and_there_leave_nearly_all_parts_shared() {
        let old = noise(3, 700_000);
        let before = Value::of(&old, None);
        let mut changed = old.clone();
        for place in [1_000, 200_000, 450_000, 650_000] {
            changed.splice(place..place + 1_200, noise(place as u64, 1_230));
        }
        let after = Value::of(&changed, Some(&before));
        assert_eq!(&*after.bytes(), changed);
        let shared = |part: &&Part| parts(&before).iter().any(|old| Arc::ptr_eq(old, part));
        let fresh = parts(&after).iter().filter(|part| !shared(part)).count();
        assert!(fresh <= 4 * 5, "{fresh} of {} parts are new", parts(&after).len());
    }

    #[test]
    fn a_row_that_was_cut_stays_cut_when_it_shrinks() {
        let before = Value::of(&noise(4, 20_000), None);
        let after = Value::of(&[5; 10], Some(&before));
        assert_eq!(parts(&after).len(), 1);
        assert!(parts(&Value::of(&[], Some(&before))).is_empty());
    }
}
