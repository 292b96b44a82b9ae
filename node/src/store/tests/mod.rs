#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod behaviour;
mod chunks;
mod compaction;
mod erasure;
mod faults;
mod space;

use std::fs;
use std::path::{Path, PathBuf};

use super::directory::{CREATING_FILE, LOCK_FILE};
use super::format::{FORMAT_FILE, KEY_FILE};
use super::generation::{BASE_FILE, BASE_TEMP, CURRENT_FILE, DATA_KEY_FILE, DB_DIR};
use super::*;

/// Opens or creates a node's directory with a key file.
fn open(dir: &Path) -> Store {
    Store::open(dir, Unlock::KeyFile, StoreKind::Node).unwrap()
}

fn passphrase(text: &str) -> Unlock {
    Unlock::Passphrase(text.to_owned().into())
}

/// Opens or creates a node's directory with a passphrase, cheaply.
fn open_with(dir: &Path, text: &str) -> Result<Store, StoreError> {
    Store::open_with_cost(dir, passphrase(text), StoreKind::Node, KdfCost::LEAST)
}

fn put(store: &Store, tree: Tree, key: &[u8], value: &[u8]) {
    let mut batch = Batch::default();
    batch.put(tree, key, value);
    store.commit(&batch).unwrap();
}

/// Every file below a directory with its content, apart from the lock.
fn contents(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
            } else if path.file_name().unwrap() != LOCK_FILE {
                found.insert(path.clone(), fs::read(&path).unwrap());
            }
        }
    }
    found
}

fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_dir(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// Bytes of all files below a directory; those that go meanwhile count nothing.
fn disk(dir: &Path) -> u64 {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let bytes = |entry: fs::DirEntry| match entry.metadata() {
        Ok(meta) if meta.is_dir() => disk(&entry.path()),
        Ok(meta) => meta.len(),
        Err(_) => 0,
    };
    entries.map(bytes).sum()
}

fn raw(store: &Store, key: &[u8]) -> Vec<u8> {
    let live = read(&store.0.live);
    live.levels.top.engine().unwrap().get(key).unwrap().unwrap()
}

fn tamper(store: &Store, key: &[u8], value: Option<Vec<u8>>) {
    let live = read(&store.0.live);
    let engine = live.levels.top.engine().unwrap();
    engine.apply(vec![(key.to_vec(), value)]).unwrap();
}

fn no_blobs(dir: &Path) -> bool {
    generation::numbers(dir).unwrap().into_iter().all(|number| {
        let blobs = generation::dir_of(dir, number).join(DB_DIR).join("blobs");
        // A compaction may be about to remove it.
        fs::read_dir(blobs).into_iter().flatten().next().is_none()
    })
}

/// Pseudo-random numbers, the same in every run (xorshift64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides).unwrap()
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.roll(256) as u8).collect()
    }
}
