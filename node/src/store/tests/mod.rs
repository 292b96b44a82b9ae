#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod behaviour;
mod faults;

use std::fs;
use std::path::{Path, PathBuf};

use super::directory::{CREATING_FILE, LOCK_FILE};
use super::format::{FORMAT_FILE, KEY_FILE};
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
