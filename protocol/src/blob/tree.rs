//! The hash tree over a blob's chunks: neighbours are joined level by level, one without a neighbour moves up as it is. That is the shape
//! of RFC 9162, section 2.1; leaves and nodes are kept apart by their derivation contexts.

use crate::keys::derive;

/// A hash of the tree.
pub(super) type Hash = [u8; 32];

pub(super) fn leaf(index: u32, bytes: &[u8]) -> Hash {
    derive("madang 1 blob leaf", &[&index.to_be_bytes(), bytes])
}

fn node(left: &Hash, right: &Hash) -> Hash {
    derive("madang 1 blob node", &[left, right])
}

/// A tree whose leaves are all known: 64 bytes a chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashTree {
    /// The leaves first, the root last.
    levels: Vec<Vec<Hash>>,
}

impl HashTree {
    /// Over leaves in order.
    pub fn new(leaves: Vec<Hash>) -> Self {
        let mut levels = vec![leaves];
        while let Some(level) = levels.last().filter(|level| level.len() > 1) {
            let above = level.chunks(2).map(|pair| match pair {
                [left, right] => node(left, right),
                alone => alone.first().copied().unwrap_or_default(),
            });
            let above = above.collect();
            levels.push(above);
        }
        Self { levels }
    }

    /// The root; zeros for a tree without leaves.
    pub(super) fn root(&self) -> Hash {
        let top = self.levels.last().and_then(|level| level.first());
        top.copied().unwrap_or_default()
    }

    /// The hashes beside a leaf's way to the root, the nearest first.
    pub fn proof(&self, index: u32) -> Vec<Hash> {
        let ways = (0_u32..).zip(&self.levels);
        ways.filter_map(|(height, level)| {
            let place = index.checked_shr(height).unwrap_or_default() as usize;
            level.get(place ^ 1).copied()
        })
        .collect()
    }
}

/// The root that a leaf and the hashes beside its way lead to, in a tree of `count` leaves; `None` if they are too many or too few.
pub(super) fn climb(leaf: Hash, index: u32, count: u32, proof: &[Hash]) -> Option<Hash> {
    if index >= count {
        return None;
    }
    let (mut place, mut last, mut hash) = (index, count - 1, leaf);
    let mut beside = proof.iter();
    while last > 0 {
        if place ^ 1 <= last {
            let other = beside.next()?;
            hash = if place % 2 == 0 {
                node(&hash, other)
            } else {
                node(other, &hash)
            };
        }
        (place, last) = (place / 2, last / 2);
    }
    beside.next().is_none().then_some(hash)
}
