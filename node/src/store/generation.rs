//! Generations: the directories `g1`, `g2`, … of a data directory, each sealed under a data key of its own.
//!
//! ```text
//! DATA/current    which generations count, as text: `4`, or `4 over 3` while a compaction copies; `base` behind it says that the
//!                 lowest of them has a base
//! DATA/g4/key     the data key, sealed under the store key, in hex
//! DATA/g4/extent  length of the log (extent.rs)
//! DATA/g4/db/     sled: what was written since the generation began
//! DATA/g4/base    what was there before (base/), absent in the first generation and while it is being written
//! ```
//!
//! `current` is replaced atomically; a directory that it doesn't name is a leftover of a compaction, and removed at opening. With a
//! directory goes its key: what is still in the file system's free blocks can't be opened any more, even with the passphrase.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::base::Base;
use super::engine::Engine;
use super::extent::Extent;
use super::keys::{self, Key};
use super::rows::{Failure, Nonces, Sealer, StoredKey};
use super::{StoreError, StoreKind, files};

/// Name of the file that says which generations count.
pub(super) const CURRENT_FILE: &str = "current";
/// Name of the file with a generation's data key.
pub(super) const DATA_KEY_FILE: &str = "key";
/// Name of the database's directory.
pub(super) const DB_DIR: &str = "db";
/// Name of the base.
pub(super) const BASE_FILE: &str = "base";
/// Name of a base that is being written.
pub(super) const BASE_TEMP: &str = "base.new";
/// The store's own entry that every database has from its creation on.
const MARK: &str = "kind";
/// The store's own entries that name the trees which have had a split row.
const SPLIT: &str = "split/";
/// Bytes of `current` at most, two numbers of 20 digits and two words, and of a key file.
const MAX_FILE: u64 = 1024;

/// What `current` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Current {
    /// The generation that takes the commits.
    pub(super) newest: u64,
    /// The one below it, which is being copied.
    pub(super) below: Option<u64>,
    /// Whether the lowest one has a base.
    pub(super) base: bool,
}

impl Current {
    /// Reads the file.
    pub(super) fn read(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join(CURRENT_FILE);
        let Some(bytes) = files::read(&path, MAX_FILE)? else {
            return Err(StoreError::Missing {
                dir: dir.to_owned(),
                what: CURRENT_FILE,
            });
        };
        parse(&bytes).ok_or_else(|| StoreError::damaged(&path, "it doesn't name a generation"))
    }

    /// Replaces the file.
    pub(super) fn write(self, dir: &Path) -> Result<(), StoreError> {
        let mut text = self.newest.to_string();
        if let Some(below) = self.below {
            text.push_str(&format!(" over {below}"));
        }
        if self.base {
            text.push_str(" base");
        }
        text.push('\n');
        files::write_atomic(dir, CURRENT_FILE, text.as_bytes())
    }

    fn names(self, number: u64) -> bool {
        self.newest == number || self.below == Some(number)
    }
}

/// An open generation.
pub(super) struct Generation {
    /// Its number.
    pub(super) number: u64,
    /// Its directory.
    pub(super) dir: PathBuf,
    /// What its rows and its base are sealed under.
    pub(super) data_key: Key,
    /// Seals its rows.
    pub(super) sealer: Sealer,
    /// Its database; absent after a failed commit, until it could be opened again.
    pub(super) engine: Option<Engine>,
}

impl Generation {
    /// Makes the directory of a generation, all of it on disk when this returns.
    pub(super) fn create(
        data: &Path,
        number: u64,
        store_key: &Key,
        kind: StoreKind,
    ) -> Result<(Self, Extent), StoreError> {
        let dir = dir_of(data, number);
        files::create_dir(&dir)?;
        let data_key = keys::random_key()?;
        let sealed = keys::wrap(store_key, &data_key, &context(kind, number))?;
        files::write_atomic(&dir, DATA_KEY_FILE, hex::encode(sealed).as_bytes())?;
        let sealer = Sealer::new(&data_key);
        let extent = Extent::create(&dir)?;
        let engine = Engine::open(&dir.join(DB_DIR))?;
        let mut mark = Vec::new();
        let value = kind.to_string();
        sealer.seal(&StoredKey::own(MARK), value.as_bytes(), &mut Nonces::draw()?, &mut mark)?;
        engine
            .apply(mark)
            .and_then(|()| engine.sync())
            .map_err(|reason| StoreError::Commit { reason })?;
        files::sync_dir(&dir)?;
        files::sync_dir(data)?;
        let generation = Self {
            number,
            dir,
            data_key,
            sealer,
            engine: Some(engine),
        };
        Ok((generation, extent))
    }

    /// Opens a generation, unless it has lost a part or its log's end.
    pub(super) fn open(
        data: &Path,
        number: u64,
        store_key: &Key,
        kind: StoreKind,
    ) -> Result<(Self, Extent), StoreError> {
        let dir = dir_of(data, number);
        let path = dir.join(DATA_KEY_FILE);
        let Some(text) = files::read(&path, MAX_FILE)? else {
            return Err(StoreError::Missing {
                dir,
                what: DATA_KEY_FILE,
            });
        };
        let data_key = hex::decode(text.trim_ascii())
            .ok()
            .and_then(|sealed| keys::unwrap(store_key, &sealed, &context(kind, number)))
            .ok_or_else(|| StoreError::damaged(&path, "it isn't sealed under this directory's store key"))?;
        let db = dir.join(DB_DIR);
        // Without this check sled would make a new, empty database.
        if !Engine::exists(&db) {
            return Err(StoreError::Missing { dir, what: DB_DIR });
        }
        let extent = Extent::check(&dir, &Engine::log_path(&db))?;
        let mut generation = Self {
            number,
            dir,
            sealer: Sealer::new(&data_key),
            data_key,
            engine: None,
        };
        generation.reopen(kind)?;
        Ok((generation, extent))
    }

    /// Opens the database again, after it was closed because of a failed commit.
    pub(super) fn reopen(&mut self, kind: StoreKind) -> Result<(), StoreError> {
        let db = self.dir.join(DB_DIR);
        let engine = Engine::open(&db)?;
        check_mark(&engine, &self.sealer, &db, kind)?;
        self.engine = Some(engine);
        Ok(())
    }

    /// Opens the base that belongs to this generation.
    pub(super) fn open_base(&self) -> Result<Base, StoreError> {
        let path = self.dir.join(BASE_FILE);
        if !path.is_file() {
            return Err(StoreError::Missing {
                dir: self.dir.clone(),
                what: BASE_FILE,
            });
        }
        Base::open(&path, &self.data_key)
    }

    /// The database.
    pub(super) fn engine(&self) -> Result<&Engine, Failure> {
        let closed = || Failure::Engine("the database is closed after a failed commit".to_owned());
        self.engine.as_ref().ok_or_else(closed)
    }

    /// Opens an entry of the database.
    pub(super) fn open_row(&self, key: &[u8], stored: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
        let engine = self.engine()?;
        self.sealer.open(key, stored, |piece| engine.get(piece))
    }

    /// Which trees have had a split row.
    pub(super) fn split_trees(&self) -> Result<BTreeSet<u8>, StoreError> {
        let own = self.own_entries(SPLIT)?;
        Ok(own.iter().filter_map(|name| name.parse().ok()).collect())
    }

    /// What follows `prefix` in the names of the store's own entries.
    pub(super) fn own_entries(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        let from = StoredKey::own(prefix).0;
        let to = madang_protocol::rows::prefix_end(&from);
        let damaged = |reason: String| StoreError::damaged(&self.dir, reason);
        let engine = self.engine().map_err(|failure| damaged(failure.to_string()))?;
        let mut found = Vec::new();
        for entry in engine.iter(&from, &to, false) {
            let (key, _) = entry.map_err(damaged)?;
            found.extend(
                key.get(from.len()..)
                    .and_then(|name| Some(std::str::from_utf8(name).ok()?.to_owned())),
            );
        }
        Ok(found)
    }
}

/// The own entry that says that a tree has had a split row.
pub(super) fn split_note(tree: u8) -> StoredKey {
    StoredKey::own(&format!("{SPLIT}{tree}"))
}

/// The directory of a generation.
pub(super) fn dir_of(data: &Path, number: u64) -> PathBuf {
    data.join(format!("g{number}"))
}

/// The numbers of the generations whose directories are there.
pub(super) fn numbers(data: &Path) -> Result<Vec<u64>, StoreError> {
    let entries = match fs::read_dir(data) {
        Ok(entries) => entries,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(StoreError::io("list", data)(e)),
    };
    let mut numbers = Vec::new();
    for entry in entries {
        let name = entry.map_err(StoreError::io("list", data))?.file_name();
        let number: Option<u64> = name.to_str().and_then(|name| name.strip_prefix('g')?.parse().ok());
        numbers.extend(number);
    }
    Ok(numbers)
}

/// Makes a generation's key unreadable; [`remove`] is to follow.
pub(super) fn destroy_key(data: &Path, number: u64) -> Result<(), StoreError> {
    let path = dir_of(data, number).join(DATA_KEY_FILE);
    files::overwrite(&path)?;
    files::remove_if_there(&path)
}

/// Removes a generation's directory.
pub(super) fn remove(data: &Path, number: u64) -> Result<(), StoreError> {
    destroy_key(data, number)?;
    files::remove_dir(&dir_of(data, number))?;
    files::sync_dir(data)
}

/// Removes what a compaction that was cut short has left.
pub(super) fn clean(data: &Path, current: Current) -> Result<(), StoreError> {
    for number in numbers(data)? {
        if !current.names(number) {
            remove(data, number)?;
        }
    }
    let newest = dir_of(data, current.newest);
    files::remove_if_there(&newest.join(BASE_TEMP))?;
    if current.below.is_some() || !current.base {
        // Complete perhaps, but never named.
        files::remove_if_there(&newest.join(BASE_FILE))?;
    }
    Ok(())
}

/// Binds a sealed data key to what it is for.
fn context(kind: StoreKind, number: u64) -> String {
    format!("madang data key, format 2, {kind}, generation {number}")
}

/// Makes sure that a database isn't empty, was sealed under this key and is of this kind.
fn check_mark(engine: &Engine, sealer: &Sealer, db: &Path, kind: StoreKind) -> Result<(), StoreError> {
    let key = StoredKey::own(MARK);
    let stored = engine.get(&key.0).map_err(|reason| StoreError::damaged(db, reason))?;
    let Some(stored) = stored else {
        return Err(StoreError::damaged(
            db,
            "it lacks the entry that every database has from its creation on",
        ));
    };
    let mark = sealer
        .open(&key.0, &stored, |_| Ok(None))
        .map_err(|failure| StoreError::damaged(db, failure.to_string()))?;
    if mark.as_deref() != Some(kind.to_string().as_bytes()) {
        return Err(StoreError::damaged(db, "it is of another kind than `format` says"));
    }
    Ok(())
}

fn parse(bytes: &[u8]) -> Option<Current> {
    let words: Vec<_> = std::str::from_utf8(bytes).ok()?.split_whitespace().collect();
    let (words, base) = match words.as_slice() {
        [words @ .., "base"] => (words, true),
        words => (words, false),
    };
    let (newest, below) = match words {
        [newest] => (newest.parse().ok()?, None),
        [newest, "over", below] => (newest.parse().ok()?, Some(below.parse().ok()?)),
        _ => return None,
    };
    (below != Some(newest)).then_some(Current { newest, below, base })
}
