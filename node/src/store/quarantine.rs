//! Rows that can't be read any more: their bytes are put aside in `DATA/quarantine/`, and they count as absent from then on.
//!
//! The files hold sealed bytes as they were found, for who looks for the cause; after the next compaction nobody has the key.

use std::path::Path;
use std::sync::Arc;

use madang_protocol::rows::{Batch, Rows as _, Tree};

use super::base::Base;
use super::engine::Engine;
use super::generation::Generation;
use super::levels::Levels;
use super::rows::{self, Failure, Nonces, StoredKey};
use super::{Changes, Store, StoreError, chunks, files, lock, read};

/// Name of the directory.
const DIR: &str = "quarantine";
/// Files that are kept at most (guess); what comes after them is only logged.
const MAX_FILES: usize = 256;
/// Bytes of a key that a file's name shows.
const SHOWN: usize = 32;
/// The store's own entries that name blocks of a base which were moved aside: base's id and number.
const GONE: &str = "gone/";

/// Where a row that can't be read is, with its sealed bytes.
pub(super) enum Damage {
    /// In the database of a generation.
    Row(Vec<u8>),
    /// In a block of the base, which holds other rows as well.
    Block {
        /// Its sealed bytes.
        bytes: Vec<u8>,
    },
}

impl Damage {
    /// Finds what makes the row of a stored key unreadable, or the block of the base that it would be in; `None` if nothing does.
    pub(super) fn find<'a>(
        generations: impl Iterator<Item = &'a Generation>,
        base: Option<&Base>,
        key: &[u8],
    ) -> Result<Option<Self>, Failure> {
        for generation in generations {
            let engine = generation.engine()?;
            let Some(stored) = engine.get(key).map_err(Failure::Engine)? else {
                continue;
            };
            match generation.open_row(key, &stored) {
                Ok(_) => {}
                Err(Failure::Row { .. }) => {
                    let bytes = sealed_bytes(engine, key, stored).map_err(Failure::Engine)?;
                    return Ok(Some(Self::Row(bytes)));
                }
                Err(failure) => return Err(failure),
            }
        }
        let damaged = base.map_or(Ok(None), |base| base.damaged_block(key))?;
        Ok(damaged.map(|(_, bytes)| Self::Block { bytes }))
    }

    /// Writes the bytes to a file of their own.
    pub(super) fn keep(&self, data: &Path, key: &[u8]) -> Result<(), StoreError> {
        let (what, bytes) = match self {
            Self::Row(bytes) => ("row", bytes),
            Self::Block { bytes } => ("block", bytes),
        };
        let dir = data.join(DIR);
        files::create_dir(&dir)?;
        let there = std::fs::read_dir(&dir).map_err(StoreError::io("list", &dir))?.count();
        if there >= MAX_FILES {
            tracing::warn!(dir = %dir.display(), "the quarantine is full: a record that can't be read is dropped");
            return Ok(());
        }
        let tree = key.first().copied().unwrap_or_default();
        let shown = rows::row_key(key);
        let shown = hex::encode(shown.get(..SHOWN).unwrap_or(&shown));
        files::write_atomic(&dir, &format!("{there:03}-{what}-tree{tree}-{shown}"), bytes)
    }
}

impl Store {
    /// Rows that could not be read since the directory was opened, 64 at most: for [`Self::quarantine`], once their owner has decided
    /// to do without them or to fetch them again.
    pub fn unreadable(&self) -> Vec<(Tree, Vec<u8>)> {
        lock(&self.0.unreadable).iter().cloned().collect()
    }

    /// Puts the sealed bytes of a row that can't be read aside, and takes it as absent from now on; `false`, and nothing is done, if it
    /// can be read or isn't there. The row may be one that [`Self::unreadable`] names.
    ///
    /// In a base the rows of one block, about 4 KiB, share their fate; a row that was deleted or overwritten since is none of them. To
    /// delete a row of a block that was found damaged does the same.
    pub fn quarantine(&self, tree: Tree, key: &[u8]) -> Result<bool, StoreError> {
        let mut writer = lock(&self.0.writer);
        self.reopen_if_closed(&mut writer)?;
        let stored = StoredKey::row(tree, key);
        match self.damage(&stored.0).map_err(commit_error)? {
            Some(damage @ Damage::Row(_)) => damage.keep(&self.0.dir, &stored.0)?,
            Some(Damage::Block { .. }) => {}
            // The row of a chunk may be well where the chunk isn't; there is nothing to keep then.
            None if !chunks::holds(tree) || self.get(tree, key).is_ok() => return Ok(false),
            None => {}
        }
        let mut batch = Batch::default();
        batch.delete(tree, key);
        self.write(&mut writer, &batch)?;
        lock(&self.0.unreadable).remove(&(tree, key.to_vec()));
        tracing::error!(
            ?tree,
            key = hex::encode(key),
            "a record that can't be read was put aside"
        );
        Ok(true)
    }

    /// Takes the base's block of a row that is deleted as empty, if it was found damaged: who deletes one of its rows has given them up,
    /// since none can be read.
    pub(super) fn give_up_block(
        &self,
        levels: &Levels,
        key: &StoredKey,
        nonces: &mut Nonces,
        changes: &mut Changes,
    ) -> Result<(), StoreError> {
        let Some(base) = levels.base.as_ref().filter(|base| base.is_known_damaged(&key.0)) else {
            return Ok(());
        };
        let Some((number, bytes)) = base.damaged_block(&key.0).map_err(commit_error)? else {
            return Ok(());
        };
        if changes.gone.iter().any(|(_, gone)| *gone == number) {
            return Ok(());
        }
        Damage::Block { bytes }.keep(&self.0.dir, &key.0)?;
        let note = StoredKey::own(&format!("{GONE}{}/{number}", base.id()));
        levels.top.sealer.seal(&note, &[], nonces, &mut changes.entries)?;
        changes.gone.push((Arc::clone(base), number));
        Ok(())
    }

    /// What makes a row unreadable; `None` if it can be read or isn't there.
    fn damage(&self, key: &[u8]) -> Result<Option<Damage>, Failure> {
        let live = read(&self.0.live);
        let Levels { base, .. } = &live.levels;
        match live.levels.get(key) {
            Ok(Some(_)) => Ok(None),
            // A walk names a block by a key that it may not have.
            Ok(None) | Err(Failure::Row { .. }) => Damage::find(live.levels.generations(), base.as_deref(), key),
            Err(failure) => Err(failure),
        }
    }
}

fn commit_error(failure: Failure) -> StoreError {
    StoreError::Commit {
        reason: failure.to_string(),
    }
}

/// Makes a base that was just opened take its blocks that were moved aside as empty.
pub(super) fn forget_blocks(base: &Base, top: &Generation, frozen: Option<&Generation>) -> Result<(), StoreError> {
    let prefix = format!("{GONE}{}/", base.id());
    for generation in std::iter::once(top).chain(frozen) {
        let numbers = generation.own_entries(&prefix)?;
        base.forget(numbers.iter().filter_map(|number| number.parse().ok()));
    }
    Ok(())
}

/// A row's entry and its pieces, one after the other.
fn sealed_bytes(engine: &Engine, key: &[u8], mut bytes: Vec<u8>) -> Result<Vec<u8>, String> {
    let stored_key = StoredKey(key.to_vec());
    for index in 0..rows::MAX_VALUE / rows::PIECE {
        let Some(piece) = engine.get(&stored_key.piece(index))? else {
            break;
        };
        bytes.extend(piece);
    }
    Ok(bytes)
}

#[cfg(test)]
impl Store {
    /// Flips the last bit of a row's sealed bytes in the newest generation.
    #[allow(clippy::unwrap_used)]
    pub(crate) fn flip(&self, tree: Tree, key: &[u8]) {
        let stored = StoredKey::row(tree, key);
        let live = read(&self.0.live);
        let engine = live.levels.top.engine().unwrap();
        let mut sealed = engine.get(&stored.0).unwrap().unwrap();
        *sealed.last_mut().unwrap() ^= 1;
        engine.apply(vec![(stored.0, Some(sealed))]).unwrap();
    }
}
