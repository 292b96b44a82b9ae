//! Making and opening a data directory: what must be there, in which order it is made and checked.

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::path::Path;

use super::engine::Engine;
use super::extent::Extent;
use super::format::{FORMAT_FILE, Format, KEY_FILE};
use super::keys::{KdfCost, Unlock};
use super::rows::{Sealer, StoredKey, Unreadable};
use super::{StoreError, StoreKind, files};

/// Name of the file that is locked while a directory is open.
pub(super) const LOCK_FILE: &str = "lock";
/// Name of the file that is there while a directory is being created.
pub(super) const CREATING_FILE: &str = "creating";
/// Name of the database's directory.
pub(super) const DB_DIR: &str = "db";
/// The store's own entry that every database has from its creation on.
const MARK: &str = "kind";
/// The store's own entries that name the trees which have had a split row.
const SPLIT: &str = "split/";

/// The parts of a directory that was opened.
pub(super) struct Opened {
    pub(super) engine: Engine,
    pub(super) sealer: Sealer,
    pub(super) extent: Extent,
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

/// Makes sure that a database isn't empty, was sealed under this key and is of this kind.
pub(super) fn check_mark(engine: &Engine, sealer: &Sealer, db: &Path, kind: StoreKind) -> Result<(), StoreError> {
    let key = StoredKey::own(MARK);
    let stored = engine.get(&key.0).map_err(|reason| StoreError::damaged(db, reason))?;
    let Some(stored) = stored else {
        return Err(StoreError::damaged(
            db,
            "it lacks the entry that every database has from its creation on",
        ));
    };
    let mark = sealer
        .open(&key, &stored, |_| Ok::<_, Unreadable>(None))
        .map_err(|unreadable| StoreError::damaged(db, unreadable.to_string()))?;
    if mark != kind.to_string().as_bytes() {
        return Err(StoreError::damaged(db, "it is of another kind than `format` says"));
    }
    Ok(())
}

/// The own entry that says that a tree has had a split row.
pub(super) fn split_note(tree: u8) -> StoredKey {
    StoredKey::own(&format!("{SPLIT}{tree}"))
}

/// Reads which trees have had a split row.
pub(super) fn load_split(engine: &Engine, dir: &Path) -> Result<BTreeSet<u8>, StoreError> {
    let from = StoredKey::own(SPLIT).0;
    let to = madang_protocol::rows::prefix_end(&from);
    let entries = engine
        .range(&from, &to, usize::from(u8::MAX), false)
        .map_err(|reason| StoreError::damaged(dir, reason))?;
    let number = |key: &[u8]| std::str::from_utf8(key.get(from.len()..)?).ok()?.parse().ok();
    Ok(entries.iter().filter_map(|(key, _)| number(key)).collect())
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
    let db = dir.join(DB_DIR);
    // Without this check sled would make a new, empty database.
    if !Engine::exists(&db) {
        return Err(StoreError::Missing {
            dir: dir.to_owned(),
            what: DB_DIR,
        });
    }
    let extent = Extent::check(dir, &Engine::log_path(&db))?;
    files::remove_if_there(&dir.join(CREATING_FILE))?;
    let engine = Engine::open(&db)?;
    let sealer = Sealer::new(&store_key);
    check_mark(&engine, &sealer, &db, kind)?;
    Ok(Opened { engine, sealer, extent })
}

/// Creates a directory's content so that a crash in between leaves either nothing that counts or all of it.
fn create(dir: &Path, unlock: &Unlock, kind: StoreKind, cost: KdfCost) -> Result<Opened, StoreError> {
    let db = dir.join(DB_DIR);
    let creating = dir.join(CREATING_FILE);
    if creating.exists() {
        // The format file is written last, so that nothing was ever committed here.
        if db.exists() {
            fs::remove_dir_all(&db).map_err(StoreError::io("remove", &db))?;
        }
        files::remove_if_there(&dir.join(KEY_FILE))?;
    } else if db.exists() || dir.join(KEY_FILE).exists() {
        return Err(StoreError::Missing {
            dir: dir.to_owned(),
            what: FORMAT_FILE,
        });
    }
    files::write_atomic(dir, CREATING_FILE, &[])?;
    let (format, store_key) = Format::create(dir, unlock, kind, cost)?;
    let sealer = Sealer::new(&store_key);
    let extent = Extent::create(dir)?;
    let engine = Engine::open(&db)?;
    let mark = sealer.seal(&StoredKey::own(MARK), kind.to_string().as_bytes())?;
    engine
        .apply(mark.into_iter().map(|(k, v)| (k, Some(v))).collect())
        .and_then(|()| engine.sync())
        .map_err(|reason| StoreError::Commit { reason })?;
    files::sync_dir(dir)?;
    format.write(dir)?;
    files::remove_if_there(&creating)?;
    Ok(Opened { engine, sealer, extent })
}
