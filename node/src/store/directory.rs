//! Making and opening a data directory: what must be there, in which order it is made and checked.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::Arc;

use super::extent::Extent;
use super::format::{FORMAT_FILE, Format, KEY_FILE};
use super::generation::{self, CURRENT_FILE, Current, Generation};
use super::keys::{KdfCost, Key, Unlock};
use super::levels::Levels;
use super::{StoreError, StoreKind, files, quarantine};

/// Name of the file that is locked while a directory is open.
pub(super) const LOCK_FILE: &str = "lock";
/// Name of the file that is there while a directory is being created.
pub(super) const CREATING_FILE: &str = "creating";

/// The parts of a directory that was opened.
pub(super) struct Opened {
    pub(super) levels: Levels,
    pub(super) store_key: Key,
    pub(super) extent: Extent,
    /// The record of the generation that is being copied.
    pub(super) frozen_extent: Option<Extent>,
}

/// Opens a directory whose lock is held, or creates its content.
pub(super) fn open_or_create(
    dir: &Path,
    unlock: &Unlock,
    kind: StoreKind,
    cost: KdfCost,
) -> Result<Opened, StoreError> {
    match Format::read(dir)? {
        Some(format) => open_existing(dir, &format, unlock, kind),
        None => create(dir, unlock, kind, cost),
    }
}

/// Takes a directory's lock, held until the file is dropped.
pub(super) fn take_lock(dir: &Path) -> Result<File, StoreError> {
    let path = dir.join(LOCK_FILE);
    let file = files::open_lock(&path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked { dir: dir.to_owned() }),
        Err(TryLockError::Error(e)) => Err(StoreError::io("lock", &path)(e)),
    }
}

fn open_existing(dir: &Path, format: &Format, unlock: &Unlock, kind: StoreKind) -> Result<Opened, StoreError> {
    if format.kind != kind {
        return Err(StoreError::WrongKind {
            dir: dir.to_owned(),
            found: format.kind,
            wanted: kind,
        });
    }
    let store_key = format.unlock(dir, unlock)?;
    let current = Current::read(dir)?;
    // The lowest first, so that nothing of the others is touched if it is refused.
    let lowest = match current.below {
        Some(number) => Some(Generation::open(dir, number, &store_key, kind)?),
        None => None,
    };
    let (top, extent) = Generation::open(dir, current.newest, &store_key, kind)?;
    let (frozen, frozen_extent) = lowest.unzip();
    let base = match (current.base, &frozen) {
        (true, Some(frozen)) => Some(frozen.open_base()?),
        (true, None) => Some(top.open_base()?),
        (false, _) => None,
    };
    if let Some(base) = &base {
        quarantine::forget_blocks(base, &top, frozen.as_ref())?;
    }
    generation::clean(dir, current)?;
    files::remove_if_there(&dir.join(CREATING_FILE))?;
    Ok(Opened {
        levels: Levels {
            top,
            frozen: frozen.map(Arc::new),
            base: base.map(Arc::new),
        },
        store_key,
        extent,
        frozen_extent,
    })
}

/// Creates a directory's content so that a crash in between leaves either nothing that counts or all of it.
fn create(dir: &Path, unlock: &Unlock, kind: StoreKind, cost: KdfCost) -> Result<Opened, StoreError> {
    let creating = dir.join(CREATING_FILE);
    let parts = [KEY_FILE, CURRENT_FILE].map(|name| dir.join(name));
    let generations = generation::numbers(dir)?;
    if creating.exists() {
        // The format file is written last, so that nothing was ever committed here.
        for number in generations {
            generation::remove(dir, number)?;
        }
        for part in parts {
            files::remove_if_there(&part)?;
        }
    } else if !generations.is_empty() || parts.iter().any(|part| part.exists()) {
        return Err(StoreError::Missing {
            dir: dir.to_owned(),
            what: FORMAT_FILE,
        });
    }
    files::write_atomic(dir, CREATING_FILE, &[])?;
    let (format, store_key) = Format::create(dir, unlock, kind, cost)?;
    let (top, extent) = Generation::create(dir, FIRST, &store_key, kind)?;
    let current = Current {
        newest: FIRST,
        below: None,
        base: false,
    };
    current.write(dir)?;
    format.write(dir)?;
    files::remove_if_there(&creating)?;
    Ok(Opened {
        levels: Levels {
            top,
            frozen: None,
            base: None,
        },
        store_key,
        extent,
        frozen_extent: None,
    })
}

/// The number of a directory's first generation.
const FIRST: u64 = 1;
