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

/// The root of a tree, and for each leaf the hashes beside its way up; zeros for a tree without leaves.
pub(super) fn grow(leaves: Vec<Hash>) -> (Hash, Vec<Vec<Hash>>) {
    let mut proofs = vec![Vec::new(); leaves.len()];
    // Where each leaf's way is in the level.
    let mut places: Vec<usize> = (0..leaves.len()).collect();
    let mut level = leaves;
    while level.len() > 1 {
        for (proof, place) in proofs.iter_mut().zip(&mut places) {
            if let Some(beside) = level.get(*place ^ 1) {
                proof.push(*beside);
            }
            *place /= 2;
        }
        level = level
            .chunks(2)
            .map(|pair| match pair {
                [left, right] => node(left, right),
                alone => alone.first().copied().unwrap_or_default(),
            })
            .collect();
    }
    (level.first().copied().unwrap_or_default(), proofs)
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
