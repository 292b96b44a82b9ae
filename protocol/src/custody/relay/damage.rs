//! Rows that can't be read (FAULTS 30): each is passed over, counted and removed, so that its loss costs one envelope or one index entry
//! and nothing else. An envelope that is lost so is taken again when somebody deposits it again.

use super::config::DAMAGED_ROWS;
use super::stored;
use crate::rows::{Row, Rows, RowsError, Tree};
use crate::wire::Wire;
use std::collections::BTreeSet;

/// Damaged rows found and not yet known to be gone.
#[derive(Debug, Default)]
pub(super) struct Damage {
    /// Those whose removal isn't durable yet.
    known: BTreeSet<(Tree, Vec<u8>)>,
    /// Those that nobody has been told of.
    fresh: Vec<(Tree, Vec<u8>)>,
    /// Those that no step removes yet.
    waiting: Vec<(Tree, Vec<u8>)>,
    /// How many were found.
    pub found: u64,
}

/// A row as far as it can be read.
pub(super) enum Found {
    Absent,
    Whole(Vec<u8>),
    Damaged,
}

impl Damage {
    /// Notes a damaged row; false if it is known already or there are too many.
    pub fn note(&mut self, tree: Tree, key: Vec<u8>) -> bool {
        if self.known.len() >= DAMAGED_ROWS || !self.known.insert((tree, key.clone())) {
            return false;
        }
        self.found += 1;
        self.fresh.push((tree, key.clone()));
        self.waiting.push((tree, key));
        true
    }

    /// Those found since the last call.
    pub fn take(&mut self) -> Vec<(Tree, Vec<u8>)> {
        std::mem::take(&mut self.fresh)
    }

    /// Those that the next step is to remove, before it writes anything.
    pub fn remove(&mut self) -> Vec<(Tree, Vec<u8>)> {
        std::mem::take(&mut self.waiting)
    }

    /// A row's removal is durable: from now on what is found there is something new.
    pub fn gone(&mut self, tree: Tree, key: Vec<u8>) {
        self.known.remove(&(tree, key));
    }

    /// Forgets what waited for its removal, when that has failed.
    pub fn reset(&mut self) {
        self.known.clear();
        self.waiting.clear();
    }
}

/// Reads one row; fails only if nothing can be read.
pub(super) fn look(rows: &dyn Rows, tree: Tree, key: &[u8]) -> Result<Found, RowsError> {
    match rows.get(tree, key) {
        Ok(Some(value)) => Ok(Found::Whole(value)),
        Ok(None) => Ok(Found::Absent),
        Err(_) if others_are_read(rows) => Ok(Found::Damaged),
        Err(error) => Err(error),
    }
}

/// Reads one row's value; a damaged one is noted and counts as absent.
pub(super) fn get<T: Wire>(
    rows: &dyn Rows,
    tree: Tree,
    key: &[u8],
    damage: &mut Damage,
) -> Result<Option<T>, RowsError> {
    let found = match look(rows, tree, key)? {
        Found::Absent => return Ok(None),
        Found::Whole(value) => T::decode(&value).ok(),
        Found::Damaged => None,
    };
    if found.is_none() {
        damage.note(tree, key.to_vec());
    }
    Ok(found)
}

/// A position of a topic's log and what is there; `None` stands for a damaged row.
pub(super) type Logged = (u64, Option<Vec<u8>>);

/// Rows of a topic's log after a position, at most up to another.
pub(super) fn log(rows: &dyn Rows, number: u64, from: u64, to: u64, limit: usize) -> Result<Vec<Logged>, RowsError> {
    let end = stored::log_key(number, to.saturating_add(1));
    match rows.range(Tree::RelayLog, &stored::log_key(number, from), &end, limit, false) {
        Ok(found) => Ok(found
            .into_iter()
            .map(|(key, value)| (stored::log_position(&key), Some(value)))
            .collect()),
        Err(error) if !others_are_read(rows) => Err(error),
        Err(_) => one_by_one(rows, number, from, to, limit),
    }
}

fn one_by_one(rows: &dyn Rows, number: u64, from: u64, to: u64, limit: usize) -> Result<Vec<Logged>, RowsError> {
    let mut found = Vec::new();
    for position in from..=to.min(from.saturating_add(limit as u64)) {
        match look(rows, Tree::RelayLog, &stored::log_key(number, position))? {
            Found::Absent => {}
            Found::Whole(value) => found.push((position, Some(value))),
            Found::Damaged => found.push((position, None)),
        }
    }
    Ok(found)
}

/// What a tree begins with.
pub(super) enum First {
    Rows(Vec<Row>),
    /// The first row can't be read; this is its key.
    Damaged(Vec<u8>),
}

/// The first rows of a tree between two keys; `key_bytes` is the length of its keys.
pub(super) fn first(
    rows: &dyn Rows,
    tree: Tree,
    (from, end): (&[u8], &[u8]),
    limit: usize,
    key_bytes: usize,
) -> Result<First, RowsError> {
    let mut limit = limit;
    loop {
        match rows.range(tree, from, end, limit, false) {
            Ok(found) => return Ok(First::Rows(found)),
            Err(error) if !others_are_read(rows) => return Err(error),
            Err(_) if limit > 1 => limit /= 2,
            Err(_) => return Ok(First::Damaged(first_key(rows, tree, (from, end), key_bytes))),
        }
    }
}

/// The key of the first row, whose value can't be read: found byte by byte, since a range fails exactly if it holds the row.
fn first_key(rows: &dyn Rows, tree: Tree, (from, end): (&[u8], &[u8]), key_bytes: usize) -> Vec<u8> {
    let mut key = Vec::new();
    while key.len() < key_bytes {
        let holds = |byte: u8| {
            let to = crate::rows::prefix_end(&[key.as_slice(), &[byte]].concat());
            rows.range(tree, from, to.as_slice().min(end), 1, false).is_err()
        };
        let (mut low, mut high) = (0_u8, u8::MAX);
        while low < high {
            let middle = low + (high - low) / 2;
            if holds(middle) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        key.push(low);
    }
    key
}

/// Whether rows can be read at all: the storage epoch is written first and never removed.
fn others_are_read(rows: &dyn Rows) -> bool {
    rows.get(Tree::Meta, stored::EPOCH_KEY).is_ok()
}
