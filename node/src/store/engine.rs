//! sled, and what it leaves undone.
//!
//! - Its flush only starts the write-out of the log (`sync_file_range`), which a power cut undoes: [`Engine::sync`] adds an
//!   `fdatasync` of the log file, and opening puts every file and directory on disk.
//! - A page that exceeds a quarter of a segment goes to a file of its own that is never synced, and loses all of the page's rows with
//!   it. Leaves are split by their number of rows, not by their size, so the bound on a stored value follows from the segment's size:
//!   see the assertion below. With it no such file is ever written.
//! - It panics on damage that it doesn't expect: panics are caught and become errors.
//! - After a failed write an open database refuses everything: the caller drops it and opens it again.

use std::fs::{self, File};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::rows::{Entry, MAX_STORED_KEY, OVERHEAD, PIECE};
use super::{StoreError, files};
use crate::failpoint;

/// Bytes of a log segment: sled's default, a power of two; the least for which [`PIECE`] isn't tiny. Space is reclaimed by segments.
pub(super) const SEGMENT: u64 = 512 * 1024;
/// Bytes of a page that stays in the log (sled's `logger.rs`: a quarter of a segment, less two headers).
const MAX_PAGE: usize = SEGMENT as usize / 4 - 20 - 32;
/// Rows of a leaf at most: it is split above 16, a merge adds at most 3, one is being inserted; the rest is margin.
const LEAF_ROWS: usize = 24;
/// Bytes of a row in a page beside key and value: two lengths (sled's `serialization.rs`), rounded up.
const ROW_FRAME: usize = 16;
const _: () = assert!(LEAF_ROWS * (MAX_STORED_KEY + OVERHEAD + PIECE + ROW_FRAME) <= MAX_PAGE);

/// Bytes of pages kept in memory: 32 MiB of the 40 MiB budget of an idle node; filled only as pages are read (guess).
const CACHE: u64 = 8 * 1024 * 1024;
/// How long opening waits for the threads of an instance just dropped in this process to let go of the log (guess).
const RELEASE: Duration = Duration::from_secs(5);
/// How long it waits between two tries; sled doesn't tell when its threads end.
const PAUSE: Duration = Duration::from_millis(2);

/// An entry to write, or a key to remove.
pub(super) type Change = (Vec<u8>, Option<Vec<u8>>);

/// An open database.
pub(super) struct Engine {
    db: sled::Db,
    log: File,
}

impl Engine {
    /// Opens the database in a directory, which is created if absent, and puts all of it on disk.
    pub(super) fn open(dir: &Path) -> Result<Self, StoreError> {
        files::create_dir(dir)?;
        let db = open_sled(dir)?;
        flush(&db).map_err(|reason| StoreError::damaged(dir, reason))?;
        let path = Self::log_path(dir);
        let log = fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open(&path)
            .map_err(StoreError::io("open", &path))?;
        log.sync_all().map_err(StoreError::io("sync", &path))?;
        files::sync_tree(dir)?;
        Ok(Self { db, log })
    }

    /// The path of a database's log.
    pub(super) fn log_path(dir: &Path) -> PathBuf {
        dir.join("db")
    }

    /// Whether a directory holds a database's log.
    pub(super) fn exists(dir: &Path) -> bool {
        fs::metadata(Self::log_path(dir)).is_ok_and(|meta| meta.is_file() && meta.len() > 0)
    }

    /// The length of the log in bytes.
    pub(super) fn len(&self) -> Result<u64, String> {
        let meta = self.log.metadata().map_err(|e| e.to_string())?;
        Ok(meta.len())
    }

    /// Closes the database and returns the log's final length, once sled's threads have let go of it.
    pub(super) fn close(self) -> Result<u64, String> {
        let Self { db, log } = self;
        guarded(|| {
            drop(db);
            Ok(())
        })?;
        let deadline = Instant::now() + RELEASE;
        loop {
            match log.try_lock() {
                Ok(()) => break,
                Err(e) if Instant::now() >= deadline => return Err(e.to_string()),
                Err(_) => std::thread::sleep(PAUSE),
            }
        }
        log.sync_all().map_err(|e| e.to_string())?;
        log.metadata().map(|meta| meta.len()).map_err(|e| e.to_string())
    }

    /// Makes changes visible, all or none; they are on disk only after [`Self::sync`].
    pub(super) fn apply(&self, changes: Vec<Change>) -> Result<(), String> {
        let mut batch = sled::Batch::default();
        for (key, value) in changes {
            match value {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        guarded(|| self.db.apply_batch(batch))
    }

    /// Puts all that was applied on disk.
    pub(super) fn sync(&self) -> Result<(), String> {
        if failpoint::sync_is_off() {
            return Ok(());
        }
        flush(&self.db)?;
        self.log.sync_data().map_err(|e| e.to_string())
    }

    /// Reads an entry.
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, String> {
        guarded(|| self.db.get(key)).map(|value| value.map(|v| v.to_vec()))
    }

    /// Walks the entries with `from <= key < to`.
    pub(super) fn iter(
        &self,
        from: &[u8],
        to: &[u8],
        reverse: bool,
    ) -> impl Iterator<Item = Result<Entry, String>> + use<> {
        let mut entries = (from < to).then(|| self.db.range(from..to));
        std::iter::from_fn(move || {
            let walk = entries.as_mut()?;
            let next = guarded(|| if reverse { walk.next_back() } else { walk.next() }.transpose());
            if next.is_err() {
                // After a panic its state isn't known.
                entries = None;
            }
            let entry = next.transpose()?;
            Some(entry.map(|(key, value)| (key.to_vec(), value.to_vec())))
        })
    }
}

fn open_sled(dir: &Path) -> Result<sled::Db, StoreError> {
    let deadline = Instant::now() + RELEASE;
    loop {
        let config = sled::Config::new()
            .path(dir)
            .segment_size(SEGMENT as usize)
            .cache_capacity(CACHE)
            .flush_every_ms(None);
        let reason = match guarded(|| config.open()) {
            Ok(db) => return Ok(db),
            Err(reason) => reason,
        };
        // The data directory's own lock is held, so that only this process can still have the log.
        if !reason.contains("could not acquire lock") || Instant::now() >= deadline {
            return Err(StoreError::damaged(dir, reason));
        }
        std::thread::sleep(PAUSE);
    }
}

fn flush(db: &sled::Db) -> Result<(), String> {
    guarded(|| db.flush()).map(|_| ())
}

/// Runs a call into sled and turns its panics into errors.
fn guarded<T>(call: impl FnOnce() -> sled::Result<T>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(result) => result.map_err(|e| e.to_string()),
        Err(_) => Err("the database gave up on unexpected content".to_owned()),
    }
}
