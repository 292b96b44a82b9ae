//! The data directory: rows in sled, sealed; one lock; one commit.
//!
//! ```text
//! DATA/lock       held while the directory is open
//! DATA/format     version, kind, how the store key is sealed (format.rs)
//! DATA/key        key file, mode 0600, unless there is a passphrase
//! DATA/extent     length of the log, to recognise one that was cut (extent.rs)
//! DATA/creating   there only while a directory is being created
//! DATA/db/        sled: one tree whose keys begin with the number of a `rows::Tree` (rows.rs, engine.rs)
//! ```
//!
//! The trees, with their keys, values, order, owners and bounds, are listed at [`madang_protocol::rows::Tree`] and in ARCHITECTURE.md.
//! A node's data has the trees below 32, a relay's those from 32; `Meta` is in both.
//!
//! Values are sealed, keys are not: who reads the disk without the store key sees ids, sizes and counts, no content.
//!
//! `INV-COMMIT-FIRST`: [`Store::commit`] returns `Ok` only after the batch is on disk, and readers see a batch only then: they wait
//! for a commit that is under way, as long as one flush.

mod directory;
mod engine;
mod error;
mod extent;
mod files;
mod format;
mod keys;
mod rows;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use madang_protocol::rows::{Batch, Op, Row, Rows, RowsError, Tree};
use serde::{Deserialize, Serialize};

use crate::failpoint;
use directory::{DB_DIR, Opened, check_mark, load_split, split_note, take_lock};
use engine::{Change, Engine};
use extent::Extent;
use rows::{MAX_KEY, MAX_VALUE, Sealer, StoredKey, Unreadable};

pub use error::StoreError;
pub use keys::{KdfCost, Unlock};

/// Bytes of keys and values that one commit takes: half of the page cache, so that a batch never waits for its own pages (guess).
pub const MAX_BATCH: usize = 16 * 1024 * 1024;

/// What a data directory belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreKind {
    /// A personal node.
    Node,
    /// A relay.
    Relay,
}

impl fmt::Display for StoreKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Node => "node",
            Self::Relay => "relay",
        })
    }
}

/// An open data directory; clones share it, and the last one dropped releases the lock.
///
/// Every call blocks, on the disk or on a commit under way: call from a blocking thread where that matters.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

/// A handle on an open data directory that only reads.
#[derive(Clone)]
pub struct StoreReader(Store);

struct Inner {
    dir: PathBuf,
    kind: StoreKind,
    sealer: Sealer,
    /// Taken before `live`; serialises commits.
    writer: Mutex<Writer>,
    live: RwLock<Live>,
    #[cfg(test)]
    fail_next_sync: std::sync::atomic::AtomicBool,
    /// Dropped after the database, so that nobody opens it while it closes.
    _lock: File,
}

struct Live {
    /// Absent after a failed commit, until the database could be opened again.
    engine: Option<Engine>,
    /// Why the last commit failed, until one succeeds.
    failed: Option<String>,
}

struct Writer {
    /// Numbers of the trees that have had a split row: only in these has an overwritten row to be looked at for old pieces.
    split: BTreeSet<u8>,
    extent: Extent,
}

impl Store {
    /// Opens a data directory, or creates one where there is none.
    pub fn open(dir: &Path, unlock: Unlock, kind: StoreKind) -> Result<Self, StoreError> {
        Self::open_with_cost(dir, unlock, kind, KdfCost::DEFAULT)
    }

    /// Opens a data directory; `cost` is used only if it is created now, with a passphrase.
    pub fn open_with_cost(dir: &Path, unlock: Unlock, kind: StoreKind, cost: KdfCost) -> Result<Self, StoreError> {
        if matches!(&unlock, Unlock::Passphrase(p) if p.is_empty()) {
            return Err(StoreError::EmptyPassphrase);
        }
        files::create_dir(dir)?;
        let lock = take_lock(dir)?;
        let Opened { engine, sealer, extent } = directory::open_or_create(dir, &unlock, kind, cost)?;
        let split = load_split(&engine, dir)?;
        Ok(Self(Arc::new(Inner {
            dir: dir.to_owned(),
            kind,
            sealer,
            writer: Mutex::new(Writer { split, extent }),
            live: RwLock::new(Live {
                engine: Some(engine),
                failed: None,
            }),
            #[cfg(test)]
            fail_next_sync: false.into(),
            _lock: lock,
        })))
    }

    /// Applies a batch, all or nothing, and returns once it is on disk.
    ///
    /// After [`StoreError::Commit`] the batch is there wholly or not at all, and reading tells which; after any other error it is not
    /// there. The next commit tries again, and until one succeeds [`Self::read_only`] gives the reason.
    pub fn commit(&self, batch: &Batch) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        let mut writer = lock(&self.0.writer);
        self.reopen_if_closed(&mut writer)?;
        let (changes, newly_split) = self.changes(&writer, batch)?;

        failpoint::hit("store.before_apply");
        let mut live = write(&self.0.live);
        let done = match &live.engine {
            Some(engine) => engine.apply(changes).and_then(|()| {
                failpoint::hit("store.before_sync");
                self.sync(engine)?;
                engine.len()
            }),
            None => Err("the database is closed".to_owned()),
        };
        let reason = match done {
            Ok(len) => {
                failpoint::hit("store.after_sync");
                live.failed = None;
                drop(live);
                writer.split.extend(newly_split);
                // The batch is on disk whatever becomes of the record.
                if let Err(error) = writer.extent.note(len) {
                    tracing::warn!(%error, "the log's length could not be recorded");
                }
                return Ok(());
            }
            Err(reason) => reason,
        };
        tracing::error!(%reason, "a commit failed, opening the database again");
        live.failed = Some(reason.clone());
        // Reads must give what is on disk, not what was applied in memory.
        live.engine = None;
        if let Err(error) = self.reopen(&mut live, &mut writer) {
            tracing::error!(%error, "the database can't be opened again");
        }
        Err(StoreError::Commit { reason })
    }

    /// Why the last commit failed; `None` once one has succeeded.
    pub fn read_only(&self) -> Option<String> {
        read(&self.0.live).failed.clone()
    }

    /// A handle that only reads.
    pub fn reader(&self) -> StoreReader {
        StoreReader(self.clone())
    }

    /// The data directory.
    pub fn dir(&self) -> &Path {
        &self.0.dir
    }

    fn reopen_if_closed(&self, writer: &mut Writer) -> Result<(), StoreError> {
        let mut live = write(&self.0.live);
        if live.engine.is_some() {
            return Ok(());
        }
        self.reopen(&mut live, writer).map_err(|error| {
            let reason = format!("{}; opening again: {error}", live.failed.as_deref().unwrap_or("closed"));
            StoreError::ReadOnly { reason }
        })
    }

    fn reopen(&self, live: &mut Live, writer: &mut Writer) -> Result<(), StoreError> {
        let db = self.0.dir.join(DB_DIR);
        let engine = Engine::open(&db)?;
        check_mark(&engine, &self.0.sealer, &db, self.0.kind)?;
        writer.split = load_split(&engine, &self.0.dir)?;
        live.engine = Some(engine);
        Ok(())
    }

    /// Turns a batch into entries of the database, the last write of a key winning, and names trees that get their first split row.
    fn changes(&self, writer: &Writer, batch: &Batch) -> Result<(Vec<Change>, BTreeSet<u8>), StoreError> {
        let live = read(&self.0.live);
        let mut changes = Vec::with_capacity(batch.ops.len());
        let mut newly_split = BTreeSet::new();
        for ((tree, key), value) in last_writes(batch)? {
            let stored = StoredKey::row(tree, key);
            let mut pieces = 0;
            match value {
                Some(value) => {
                    let entries = self.0.sealer.seal(&stored, value)?;
                    pieces = entries.len() - 1;
                    changes.extend(entries.into_iter().map(|(k, v)| (k, Some(v))));
                }
                None => changes.push((stored.0.clone(), None)),
            }
            if writer.split.contains(&(tree as u8)) {
                remove_old_pieces(&live, &stored, pieces, &mut changes)
                    .map_err(|reason| StoreError::Commit { reason })?;
            } else if pieces > 0 && newly_split.insert(tree as u8) {
                let own = split_note(tree as u8);
                let entries = self.0.sealer.seal(&own, &[])?;
                changes.extend(entries.into_iter().map(|(k, v)| (k, Some(v))));
            }
        }
        Ok((changes, newly_split))
    }

    fn sync(&self, engine: &Engine) -> Result<(), String> {
        #[cfg(test)]
        if self.0.fail_next_sync.swap(false, std::sync::atomic::Ordering::SeqCst) {
            return Err("a test's disk is full".to_owned());
        }
        engine.sync()
    }
}

impl Rows for Store {
    fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>, RowsError> {
        let live = read(&self.0.live);
        let engine = open_engine(&live)?;
        let stored_key = StoredKey::row(tree, key);
        let Some(stored) = engine.get(&stored_key.0).map_err(Failure::Engine)? else {
            return Ok(None);
        };
        self.open_row(engine, tree, &stored_key, &stored).map(Some)
    }

    fn range(&self, tree: Tree, from: &[u8], to: &[u8], limit: usize, reverse: bool) -> Result<Vec<Row>, RowsError> {
        let live = read(&self.0.live);
        let engine = open_engine(&live)?;
        let (from, to) = (StoredKey::row(tree, from), StoredKey::row(tree, to));
        engine
            .range(&from.0, &to.0, limit, reverse)
            .map_err(Failure::Engine)?
            .into_iter()
            .map(|(key, stored)| {
                let row_key = rows::row_key(&key);
                let value = self.open_row(engine, tree, &StoredKey(key), &stored)?;
                Ok((row_key, value))
            })
            .collect()
    }
}

impl Store {
    fn open_row(&self, engine: &Engine, tree: Tree, key: &StoredKey, stored: &[u8]) -> Result<Vec<u8>, RowsError> {
        let piece = |key: &[u8]| engine.get(key).map_err(Failure::Engine);
        self.0.sealer.open(key, stored, piece).map_err(|failure| match failure {
            Failure::Row(unreadable) => RowsError {
                reason: format!("tree {tree:?}: {unreadable}"),
            },
            other => other.into(),
        })
    }
}

impl Rows for StoreReader {
    fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>, RowsError> {
        self.0.get(tree, key)
    }

    fn range(&self, tree: Tree, from: &[u8], to: &[u8], limit: usize, reverse: bool) -> Result<Vec<Row>, RowsError> {
        self.0.range(tree, from, to, limit, reverse)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let live = self.live.get_mut().unwrap_or_else(PoisonError::into_inner);
        let writer = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner);
        let Some(engine) = live.engine.take() else {
            return;
        };
        let closed = engine.close().map_err(|reason| StoreError::Commit { reason });
        // Without the record the next opening takes this for a kill, which is safe.
        if let Err(error) = closed.and_then(|len| writer.extent.close(len)) {
            tracing::warn!(%error, "the store could not be closed in order");
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("dir", &self.0.dir)
            .field("kind", &self.0.kind)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for StoreReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StoreReader").field(&self.0.0.dir).finish()
    }
}

/// Why a read failed, before it is put in words.
enum Failure {
    Engine(String),
    Row(Unreadable),
}

impl From<Unreadable> for Failure {
    fn from(unreadable: Unreadable) -> Self {
        Self::Row(unreadable)
    }
}

impl From<Failure> for RowsError {
    fn from(failure: Failure) -> Self {
        let reason = match failure {
            Failure::Engine(reason) => reason,
            Failure::Row(unreadable) => unreadable.to_string(),
        };
        Self { reason }
    }
}

type Writes<'a> = BTreeMap<(Tree, &'a [u8]), Option<&'a [u8]>>;

fn last_writes(batch: &Batch) -> Result<Writes<'_>, StoreError> {
    let mut writes = Writes::new();
    let mut total = 0;
    for op in &batch.ops {
        let (tree, key, value) = match op {
            Op::Put { tree, key, value } => (*tree, key.as_slice(), Some(value.as_slice())),
            Op::Delete { tree, key } => (*tree, key.as_slice(), None),
        };
        let value_len = value.map_or(0, <[u8]>::len);
        for (part, len, limit) in [("key", key.len(), MAX_KEY), ("value", value_len, MAX_VALUE)] {
            if len > limit {
                return Err(StoreError::RowTooLarge {
                    part,
                    tree: format!("{tree:?}"),
                    len,
                    limit,
                });
            }
        }
        total += key.len() + value_len;
        writes.insert((tree, key), value);
    }
    if total > MAX_BATCH {
        return Err(StoreError::BatchTooLarge {
            len: total,
            limit: MAX_BATCH,
        });
    }
    Ok(writes)
}

/// Removes the pieces of a row's old value beyond those that the new one overwrites.
fn remove_old_pieces(live: &Live, stored: &StoredKey, kept: usize, changes: &mut Vec<Change>) -> Result<(), String> {
    let Some(engine) = &live.engine else {
        return Err("the database is closed".to_owned());
    };
    if !engine.get(&stored.0)?.is_some_and(|old| rows::is_head(&old)) {
        return Ok(());
    }
    // Pieces are numbered without gaps, so that the first absent one ends them, even if the head can't be opened any more.
    for index in kept.. {
        let piece = stored.piece(index);
        if engine.get(&piece)?.is_none() {
            break;
        }
        changes.push((piece, None));
    }
    Ok(())
}

fn open_engine(live: &Live) -> Result<&Engine, RowsError> {
    live.engine.as_ref().ok_or_else(|| RowsError {
        reason: format!(
            "closed after a failed commit: {}",
            live.failed.as_deref().unwrap_or("unknown")
        ),
    })
}

// A panic under a lock leaves nothing half done that the next holder would see: entries change only inside sled, which guards itself.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
