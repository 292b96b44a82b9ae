//! The data directory: rows in sled, sealed; one lock; one commit.
//!
//! ```text
//! DATA/lock       held while the directory is open
//! DATA/format     version, kind, how the store key is sealed (format.rs)
//! DATA/key        key file, mode 0600, unless there is a passphrase
//! DATA/creating   there only while a directory is being created
//! DATA/current    which generations count (generation.rs)
//! DATA/g4/        a generation: its key, its sled database with one tree whose keys begin with the number of a `rows::Tree` (rows.rs,
//!                 engine.rs), the record of the log's length (extent.rs), and a base with what is older (base/)
//! DATA/blobs/     chunks of blobs, which rows name (chunks.rs)
//! DATA/quarantine/  records that could not be read (quarantine.rs)
//! ```
//!
//! The trees, with their keys, values, order, owners and bounds, are listed at [`madang_protocol::rows::Tree`] and in ARCHITECTURE.md.
//! A node's data has the trees below 32, a relay's those from 32; `Meta` is in both.
//!
//! Values are sealed, keys in sled are not: who reads the disk without the store key sees ids, sizes and counts, no content. Every
//! generation is sealed under a key of its own, which compaction (compact.rs) destroys with it: `INV-ERASED`, what was erased before a
//! compaction began can't be read after it, even with the store key.
//!
//! `INV-COMMIT-FIRST`: [`Store::commit`] returns `Ok` only after the batch is on disk, and readers see a batch only then: they wait
//! for a commit that is under way, as long as one flush.

mod base;
mod chunks;
mod compact;
mod directory;
mod engine;
mod error;
mod extent;
mod files;
mod format;
mod generation;
mod keys;
mod levels;
mod quarantine;
mod rows;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::File;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread::JoinHandle;

use madang_protocol::rows::{Batch, Op, Row, Rows, RowsError, Tree};
use serde::{Deserialize, Serialize};

use crate::failpoint;
use base::Base;
use chunks::ChunkWrites;
use compact::Compaction;
use directory::{Opened, take_lock};
use engine::Change;
use extent::Extent;
use generation::split_note;
use keys::Key;
use levels::Levels;
use rows::{Failure, MAX_KEY, MAX_VALUE, Nonces, StoredKey};

pub use compact::Space;
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

/// Rows found unreadable that are remembered (guess): more of them are one damage.
const MAX_UNREADABLE: usize = 64;

/// An open data directory; clones share it, and the last one dropped stops a compaction under way and releases the lock.
///
/// Every call blocks, on the disk or on a commit under way: call from a blocking thread where that matters.
#[derive(Clone)]
pub struct Store(Arc<Owner>);

/// A handle on an open data directory that only reads.
#[derive(Clone)]
pub struct StoreReader(Store);

/// What the clones of a [`Store`] share; the thread that compacts has only the inner part.
struct Owner {
    inner: Arc<Inner>,
    compactor: Option<JoinHandle<()>>,
}

struct Inner {
    dir: PathBuf,
    kind: StoreKind,
    store_key: Key,
    /// Taken before `live`; serialises commits.
    writer: Mutex<Writer>,
    live: RwLock<Live>,
    compaction: Compaction,
    /// Commits since the directory was opened.
    commits: AtomicU64,
    /// Rows that could not be read since the directory was opened, at most [`MAX_UNREADABLE`].
    unreadable: Mutex<BTreeSet<(Tree, Vec<u8>)>>,
    #[cfg(test)]
    fail_next_sync: std::sync::atomic::AtomicBool,
    /// Dropped after the database, so that nobody opens it while it closes.
    _lock: File,
}

struct Live {
    levels: Levels,
    /// Why the last commit failed, until one succeeds.
    failed: Option<String>,
}

struct Writer {
    /// Numbers of the trees that have had a split row: only in these has an overwritten row to be looked at for old pieces.
    split: BTreeSet<u8>,
    extent: Extent,
    /// The record of the generation that is being copied.
    frozen_extent: Option<Extent>,
    /// Tombstones written since the directory was opened or the generation began.
    tombstones: u64,
}

/// A batch as it goes to the database.
#[derive(Default)]
struct Changes {
    entries: Vec<Change>,
    /// Trees that get their first split row.
    newly_split: BTreeSet<u8>,
    /// Bytes of rows of lower levels that it deletes.
    deleted: u64,
    /// Tombstones that it writes.
    tombstones: u64,
    /// Damaged blocks of the base that it takes as empty.
    gone: Vec<(Arc<Base>, usize)>,
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
        let Opened {
            levels,
            store_key,
            extent,
            frozen_extent,
        } = directory::open_or_create(dir, &unlock, kind, cost)?;
        chunks::begin(dir, &levels)?;
        let split = levels.top.split_trees()?;
        let inner = Arc::new(Inner {
            dir: dir.to_owned(),
            kind,
            store_key,
            writer: Mutex::new(Writer {
                split,
                extent,
                frozen_extent,
                tombstones: 0,
            }),
            live: RwLock::new(Live { levels, failed: None }),
            compaction: Compaction::new(),
            commits: AtomicU64::new(0),
            unreadable: Mutex::default(),
            #[cfg(test)]
            fail_next_sync: false.into(),
            _lock: lock,
        });
        let compactor = compact::spawn(&inner).map_err(StoreError::io("start a thread for", dir))?;
        Ok(Self(Arc::new(Owner {
            inner,
            compactor: Some(compactor),
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
        self.write(&mut writer, batch)
    }

    fn write(&self, writer: &mut Writer, batch: &Batch) -> Result<(), StoreError> {
        let writes = last_writes(batch)?;
        let chunks = ChunkWrites::of(&writes)?;
        failpoint::hit("store.before_apply");
        // Before the rows that name them, and while readers go on.
        let (written, changes) = chunks.write_while(&self.0.dir, || self.changes(writer, &writes));
        let changes = changes?;
        if let Err(reason) = written {
            tracing::error!(%reason, "a commit failed");
            write(&self.0.live).failed = Some(reason.clone());
            return Err(StoreError::Commit { reason });
        }
        self.apply(writer, changes, &chunks)
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

    fn apply(&self, writer: &mut Writer, changes: Changes, chunks: &ChunkWrites<'_>) -> Result<(), StoreError> {
        let Changes {
            entries,
            newly_split,
            deleted,
            tombstones,
            gone,
        } = changes;
        let mut live = write(&self.0.live);
        // Whoever has read the number before reads rows once this is done, or has read them already.
        self.0.commits.fetch_add(1, Ordering::Release);
        let done = live.levels.top.engine().map_err(|e| e.to_string()).and_then(|engine| {
            engine.apply(entries)?;
            failpoint::hit("store.before_sync");
            self.sync(engine)?;
            engine.len()
        });
        let reason = match done {
            Ok(len) => {
                failpoint::hit("store.after_sync");
                live.failed = None;
                drop(live);
                writer.split.extend(newly_split);
                writer.extent.deleted += deleted;
                writer.tombstones += tombstones;
                for (base, block) in gone {
                    base.forget([block]);
                }
                chunks.clean(&self.0.dir, &read(&self.0.live).levels);
                // The batch is on disk whatever becomes of the record.
                if let Err(error) = writer.extent.note(len) {
                    tracing::warn!(%error, "the log's length could not be recorded");
                }
                self.0.consider_compaction(writer);
                return Ok(());
            }
            Err(reason) => reason,
        };
        tracing::error!(%reason, "a commit failed, opening the database again");
        live.failed = Some(reason.clone());
        // Reads must give what is on disk, not what was applied in memory.
        live.levels.top.engine = None;
        if let Err(error) = self.reopen(&mut live, writer) {
            tracing::error!(%error, "the database can't be opened again");
        }
        Err(StoreError::Commit { reason })
    }

    fn reopen_if_closed(&self, writer: &mut Writer) -> Result<(), StoreError> {
        let mut live = write(&self.0.live);
        if live.levels.top.engine.is_some() {
            return Ok(());
        }
        self.reopen(&mut live, writer).map_err(|error| {
            let reason = format!("{}; opening again: {error}", live.failed.as_deref().unwrap_or("closed"));
            StoreError::ReadOnly { reason }
        })
    }

    fn reopen(&self, live: &mut Live, writer: &mut Writer) -> Result<(), StoreError> {
        live.levels.top.reopen(self.0.kind)?;
        writer.split = live.levels.top.split_trees()?;
        Ok(())
    }

    /// Turns writes into entries of the database.
    fn changes(&self, writer: &Writer, writes: &Writes<'_>) -> Result<Changes, StoreError> {
        let live = read(&self.0.live);
        let Levels { top, .. } = &live.levels;
        let commit = |reason| StoreError::Commit { reason };
        let mut nonces = Nonces::draw()?;
        let mut changes = Changes::default();
        changes.entries.reserve(writes.len());
        for (&(tree, key), &value) in writes {
            let stored = StoredKey::row(tree, key);
            let place = match value {
                Some(value) if chunks::holds(tree) => Some(chunks::row(value)),
                _ => None,
            };
            let value = place.as_deref().or(value);
            if value.is_none() {
                self.give_up_block(&live.levels, &stored, &mut nonces, &mut changes)?;
            }
            let entries = &mut changes.entries;
            let mut pieces = 0;
            if let Some(value) = value {
                pieces = top.sealer.seal(&stored, value, &mut nonces, entries)?;
            } else if let Some(hidden) = live.levels.below(&stored.0).map_err(commit)? {
                if live.levels.is_deleted(&stored.0).map_err(commit)? {
                    continue;
                }
                entries.push(top.sealer.tombstone(&stored, &mut nonces)?);
                changes.deleted += hidden;
                changes.tombstones += 1;
            } else {
                entries.push((stored.0.clone(), None));
            }
            if writer.split.contains(&(tree as u8)) {
                remove_old_pieces(&live.levels, &stored, pieces, entries).map_err(commit)?;
            } else if pieces > 0 && changes.newly_split.insert(tree as u8) {
                top.sealer.seal(&split_note(tree as u8), &[], &mut nonces, entries)?;
            }
        }
        Ok(changes)
    }

    fn sync(&self, engine: &engine::Engine) -> Result<(), String> {
        #[cfg(test)]
        if self.0.fail_next_sync.swap(false, std::sync::atomic::Ordering::SeqCst) {
            return Err("a test's disk is full".to_owned());
        }
        engine.sync()
    }
}

impl Store {
    fn rows_error(&self, tree: Tree, failure: Failure) -> RowsError {
        let Failure::Row { key, unreadable } = failure else {
            return RowsError {
                reason: failure.to_string(),
            };
        };
        let key = rows::row_key(&key);
        let reason = format!("tree {tree:?}, key {}: {unreadable}", hex::encode(&key));
        let mut known = lock(&self.0.unreadable);
        if known.len() < MAX_UNREADABLE {
            known.insert((tree, key));
        }
        RowsError { reason }
    }
}

impl Rows for Store {
    fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>, RowsError> {
        // Held while a chunk is read, so that its file isn't removed in between.
        let live = read(&self.0.live);
        let stored = StoredKey::row(tree, key).0;
        let row = live.levels.get(&stored);
        row.and_then(|row| {
            row.map(|value| chunks::resolve(&self.0.dir, &stored, value))
                .transpose()
        })
        .map_err(|failure| self.rows_error(tree, failure))
    }

    fn range(&self, tree: Tree, from: &[u8], to: &[u8], limit: usize, reverse: bool) -> Result<Vec<Row>, RowsError> {
        let live = read(&self.0.live);
        let (from, to) = (StoredKey::row(tree, from), StoredKey::row(tree, to));
        let rows = live.levels.rows(&from.0, &to.0, reverse).take(limit);
        rows.map(|row| match row {
            Ok((key, value)) => chunks::resolve(&self.0.dir, &key, value)
                .map(|value| (rows::row_key(&key), value))
                .map_err(|failure| self.rows_error(tree, failure)),
            Err(failure) => Err(self.rows_error(tree, failure)),
        })
        .collect()
    }
}

impl StoreReader {
    /// A number that is another after each commit.
    pub fn version(&self) -> u64 {
        self.0.0.commits.load(Ordering::Acquire)
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

impl Deref for Owner {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.inner
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.compaction.stop();
        if self.compactor.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that compacts the store had panicked");
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let levels = &mut self.live.get_mut().unwrap_or_else(PoisonError::into_inner).levels;
        let writer = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner);
        let frozen = levels.frozen.take().and_then(Arc::into_inner);
        if let (Some(engine), Some(extent)) = (frozen.and_then(|frozen| frozen.engine), &writer.frozen_extent) {
            close(engine, extent);
        }
        if let Some(engine) = levels.top.engine.take() {
            close(engine, &writer.extent);
        }
    }
}

fn close(engine: engine::Engine, extent: &Extent) {
    let closed = engine.close().map_err(|reason| StoreError::Commit { reason });
    // Without the record the next opening takes this for a kill, which is safe.
    if let Err(error) = closed.and_then(|len| extent.close(len)) {
        tracing::warn!(%error, "the store could not be closed in order");
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

/// The last write of each key in a batch.
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
fn remove_old_pieces(
    levels: &Levels,
    stored: &StoredKey,
    kept: usize,
    changes: &mut Vec<Change>,
) -> Result<(), String> {
    let engine = levels.top.engine().map_err(|failure| failure.to_string())?;
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
