//! What a reader sees: the newest generation's rows over those of the generation below it over those of a base.
//!
//! A row of an upper level hides one of the same key below; a deletion of a row that a lower level has is a tombstone.

use std::iter::Peekable;
use std::sync::Arc;

use super::base::Base;
use super::generation::Generation;
use super::rows::{Entry, Failure, is_tombstone};

/// The levels of an open store.
pub(super) struct Levels {
    /// The generation that takes the commits.
    pub(super) top: Generation,
    /// The generation that is being copied; nothing changes in it.
    pub(super) frozen: Option<Arc<Generation>>,
    /// The base of the lowest generation.
    pub(super) base: Option<Arc<Base>>,
}

impl Levels {
    /// Reads a row by its stored key.
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
        for generation in self.generations() {
            if let Some(stored) = generation.engine()?.get(key).map_err(Failure::Engine)? {
                return generation.open_row(key, &stored);
            }
        }
        self.base.as_ref().map_or(Ok(None), |base| base.get(key))
    }

    /// Walks the rows with stored keys from `from` to below `to`.
    pub(super) fn rows(&self, from: &[u8], to: &[u8], reverse: bool) -> impl Iterator<Item = Result<Entry, Failure>> {
        merged(self.generations(), self.base.as_deref(), from, to, reverse)
    }

    /// The bytes of the row of a stored key below the newest generation, if there is one that isn't deleted.
    pub(super) fn below(&self, key: &[u8]) -> Result<Option<u64>, String> {
        let found = self.frozen_entry(key)?;
        if let Some(stored) = found {
            return Ok((!is_tombstone(&stored)).then(|| (key.len() + stored.len()) as u64));
        }
        let Some(base) = &self.base else {
            return Ok(None);
        };
        match base.get(key) {
            Ok(row) => Ok(row.map(|value| (key.len() + value.len()) as u64)),
            // It may have the row.
            Err(Failure::Row { .. }) => Ok(Some(0)),
            Err(Failure::Engine(reason)) => Err(reason),
        }
    }

    /// Whether the newest generation has a tombstone for a stored key.
    pub(super) fn is_deleted(&self, key: &[u8]) -> Result<bool, String> {
        let engine = self.top.engine().map_err(|failure| failure.to_string())?;
        Ok(engine.get(key)?.is_some_and(|stored| is_tombstone(&stored)))
    }

    /// Bytes of the logs and the base.
    pub(super) fn disk(&self) -> Result<u64, String> {
        let mut total = self.base.as_ref().map_or(0, |base| base.len());
        for generation in self.generations() {
            if let Some(engine) = &generation.engine {
                total += engine.len()?;
            }
        }
        Ok(total)
    }

    /// The generations, the newest first.
    pub(super) fn generations(&self) -> impl Iterator<Item = &Generation> {
        std::iter::once(&self.top).chain(self.frozen.as_deref())
    }

    fn frozen_entry(&self, key: &[u8]) -> Result<Option<Vec<u8>>, String> {
        let engine = self.frozen.as_deref().and_then(|frozen| frozen.engine.as_ref());
        engine.map_or(Ok(None), |engine| engine.get(key))
    }
}

/// Walks the rows of some levels, the upper ones first, those hidden or deleted left out. An error is of one row, or of one block of
/// the base, and the walk goes on behind it.
pub(super) fn merged<'a>(
    generations: impl Iterator<Item = &'a Generation>,
    base: Option<&'a Base>,
    from: &[u8],
    to: &[u8],
    reverse: bool,
) -> impl Iterator<Item = Result<Entry, Failure>> {
    let mut levels: Vec<Peekable<Walk<'a>>> = Vec::new();
    let mut closed = None;
    for generation in generations {
        match generation.engine() {
            Ok(engine) => levels.push(sealed_walk(generation, engine.iter(from, to, reverse)).peekable()),
            Err(failure) => closed = Some(Err(failure)),
        }
    }
    if let Some(base) = base {
        let walk = base.iter(from, to, reverse);
        let walk: Walk<'a> = Box::new(walk.map(|row| row.map(|(key, value)| (key, Found::Plain(value)))));
        levels.push(walk.peekable());
    }
    let rows = std::iter::from_fn(move || {
        loop {
            let (key, found) = match next_row(&mut levels, reverse)? {
                Ok(row) => row,
                Err(failure) => return Some(Err(failure)),
            };
            let value = match found {
                Found::Plain(value) => Ok(Some(value)),
                Found::Sealed(generation, stored) => generation.open_row(&key, &stored),
            };
            match value {
                Ok(Some(value)) => return Some(Ok((key, value))),
                Ok(None) => {}
                Err(failure) => return Some(Err(failure)),
            }
        }
    });
    closed.into_iter().chain(rows)
}

/// A row as a level has it.
enum Found<'a> {
    Sealed(&'a Generation, Vec<u8>),
    Plain(Vec<u8>),
}

type Walk<'a> = Box<dyn Iterator<Item = Result<(Vec<u8>, Found<'a>), Failure>> + 'a>;

fn sealed_walk<'a>(generation: &'a Generation, entries: impl Iterator<Item = Result<Entry, String>> + 'a) -> Walk<'a> {
    Box::new(entries.map(move |entry| {
        let (key, stored) = entry.map_err(Failure::Engine)?;
        Ok((key, Found::Sealed(generation, stored)))
    }))
}

/// Takes the next row in order from the uppermost level that has it, and drops it from the others.
fn next_row<'a>(levels: &mut [Peekable<Walk<'a>>], reverse: bool) -> Option<Result<(Vec<u8>, Found<'a>), Failure>> {
    let mut first: Option<(usize, Vec<u8>)> = None;
    for (number, level) in levels.iter_mut().enumerate() {
        let key = match level.peek() {
            None => continue,
            // What can't be read has its place among the others.
            Some(Ok((key, _)) | Err(Failure::Row { key, .. })) => key,
            Some(Err(Failure::Engine(_))) => return level.next(),
        };
        let sooner = |best: &[u8]| {
            if reverse {
                key.as_slice() > best
            } else {
                key.as_slice() < best
            }
        };
        if first.as_ref().is_none_or(|(_, best)| sooner(best)) {
            first = Some((number, key.clone()));
        }
    }
    let (winner, key) = first?;
    let taken = levels.get_mut(winner)?.next();
    if taken.as_ref().is_some_and(Result::is_ok) {
        for level in levels.iter_mut().skip(winner + 1) {
            level.next_if(|row| row.as_ref().is_ok_and(|(k, _)| *k == key));
        }
    }
    taken
}
