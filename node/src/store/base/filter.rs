//! A Bloom filter: says of most keys that a base doesn't have that it doesn't, without reading a block.
//!
//! New envelopes and messages are looked up by id before they are stored, so that most lookups are of keys which aren't there.

/// Bits for each key, and positions that a key sets: one absent key in a hundred is taken for present (Bloom 1970).
const BITS: usize = 10;
const POSITIONS: u64 = 7;

/// A filter over the keys of a base; an empty one holds back nothing.
#[derive(Default)]
pub(super) struct Filter(Vec<u8>);

impl Filter {
    /// The filter of keys with these hashes.
    pub(super) fn of(hashes: &[u64]) -> Self {
        let mut bits = vec![0u8; (hashes.len() * BITS).div_ceil(8)];
        for hash in hashes {
            for (byte, bit) in positions(*hash, bits.len()) {
                if let Some(byte) = bits.get_mut(byte) {
                    *byte |= bit;
                }
            }
        }
        Self(bits)
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether a key may be there.
    pub(super) fn may_have(&self, key: &[u8]) -> bool {
        positions(hash(key), self.0.len()).all(|(byte, bit)| self.0.get(byte).is_none_or(|b| b & bit != 0))
    }
}

/// What a filter takes of a key.
pub(super) fn hash(key: &[u8]) -> u64 {
    let hash = blake3::hash(key);
    let (first, _) = hash.as_bytes().split_first_chunk().unwrap_or((&[0; 8], &[]));
    u64::from_le_bytes(*first)
}

fn positions(hash: u64, bytes: usize) -> impl Iterator<Item = (usize, u8)> {
    let bits = (bytes as u64 * 8).max(1);
    // Two halves of one hash do for all positions (Kirsch and Mitzenmacher 2006).
    let (first, step) = (hash >> 32, hash & u64::from(u32::MAX) | 1);
    (0..POSITIONS).map(move |n| {
        let bit = (first + n * step) % bits;
        ((bit / 8) as usize, 1 << (bit % 8))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_all_keys_and_few_others() {
        let key = |n: u32| n.to_be_bytes();
        let hashes: Vec<_> = (0..10_000).map(|n| hash(&key(n))).collect();
        let filter = Filter::from_bytes(Filter::of(&hashes).as_bytes());
        assert!((0..10_000).all(|n| filter.may_have(&key(n))));
        let taken = (10_000..20_000).filter(|n| filter.may_have(&key(*n))).count();
        assert!(taken < 300, "{taken}");
        assert!(Filter::default().may_have(b"any"));
    }
}
