//! What was erased before a compaction can't be read after it from any byte of the directory, the store key being known.
//!
//! The search is the attacker's: it has the files and the store key. From each byte of each file it takes the nonce of a record, and
//! decrypts what follows without asking for authentication, with every data key that it can unwrap; bases it opens whole.

use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

use super::*;
use crate::store::base::Base;
use crate::store::keys::NONCE_LEN;
use crate::store::rows::PIECES;

/// What every planted secret begins with.
const MARKER: &[u8; 8] = b"SECRET: ";
/// Bytes that the search shows of a secret: marker and name.
const SHOWN: usize = 24;

/// A value that begins with a name and is repeated, so that each of its pieces begins with it too.
fn secret(name: &str, len: usize) -> Vec<u8> {
    let mut one = MARKER.to_vec();
    one.extend(name.bytes());
    one.resize(SHOWN, b'.');
    one.repeat(len.div_ceil(SHOWN).max(1))
}

fn named(name: &str) -> Vec<u8> {
    secret(name, 1)
}

/// Everything with the marker that the directory's bytes give away.
fn search(dir: &Path, store_key: &Key) -> BTreeSet<Vec<u8>> {
    let files = contents(dir);
    let keys: Vec<Key> = files
        .values()
        .filter_map(|text| hex::decode(text.trim_ascii()).ok())
        .flat_map(|sealed| {
            let contexts = (0..100).map(|number| format!("madang data key, format 2, node, generation {number}"));
            contexts
                .filter_map(move |context| keys::unwrap(store_key, &sealed, &context))
                .collect::<Vec<_>>()
        })
        .collect();
    let mut found = BTreeSet::new();
    for (path, bytes) in &files {
        collect(bytes, &mut found);
        for key in &keys {
            let root = blake3::derive_key("madang 2025 store v2 values", key.as_slice());
            collect_records(bytes, &XChaCha20Poly1305::new((&root).into()), &mut found);
            if let Ok(base) = Base::open(path, key) {
                for row in base.iter(&[0], &[PIECES], false) {
                    collect(&row.unwrap().1, &mut found);
                }
            }
        }
    }
    found
}

fn collect(bytes: &[u8], found: &mut BTreeSet<Vec<u8>>) {
    for at in 0..bytes.len().saturating_sub(SHOWN) {
        if bytes[at..].starts_with(MARKER) {
            found.insert(bytes[at..at + SHOWN].to_vec());
        }
    }
    if bytes.starts_with(MARKER) {
        found.insert(bytes[..SHOWN.min(bytes.len())].to_vec());
    }
}

fn collect_records(bytes: &[u8], cipher: &XChaCha20Poly1305, found: &mut BTreeSet<Vec<u8>>) {
    for window in bytes.windows(1 + NONCE_LEN + SHOWN) {
        // Every record begins with its kind, of which there are four.
        if window[0] > 3 {
            continue;
        }
        let (nonce, sealed) = window[1..].split_first_chunk::<NONCE_LEN>().unwrap();
        if *nonce == [0; NONCE_LEN] {
            continue;
        }
        let stream = cipher.encrypt(&XNonce::from(*nonce), [0; SHOWN].as_slice()).unwrap();
        let plain: Vec<u8> = sealed.iter().zip(stream).map(|(a, b)| a ^ b).collect();
        if plain.starts_with(MARKER) {
            found.insert(plain);
        }
    }
}

/// Plants what is erased and what lives; returns the names of both.
fn plant(store: &Store) -> (BTreeSet<Vec<u8>>, BTreeSet<Vec<u8>>) {
    let mut erased = BTreeSet::new();
    let mut live = BTreeSet::new();
    // A ratchet: each step overwrites the one before.
    for step in 0..30 {
        let name = format!("ratchet {step}");
        put(store, Tree::Mls, b"chat/leaf", &secret(&name, 8000));
        erased.insert(named(&name));
    }
    put(store, Tree::Mls, b"chat/leaf", &secret("ratchet now", 8000));
    live.insert(named("ratchet now"));
    // A chat that is deleted, one that stays, and messages that expire.
    for n in 0..20 {
        for (chat, set) in [("gone", &mut erased), ("kept", &mut live)] {
            let name = format!("{chat} {n}");
            put(
                store,
                Tree::Messages,
                format!("{chat}/{n:02}").as_bytes(),
                &secret(&name, 200),
            );
            set.insert(named(&name));
        }
        let name = format!("expired {n}");
        put(
            store,
            Tree::RelayLog,
            format!("{n:02}").as_bytes(),
            &secret(&name, 6000),
        );
        erased.insert(named(&name));
    }
    (erased, live)
}

fn erase(store: &Store) {
    let mut batch = Batch::default();
    for (tree, prefix) in [(Tree::Messages, b"gone/".as_slice()), (Tree::RelayLog, b"")] {
        for (key, _) in store.prefix(tree, prefix, usize::MAX).unwrap() {
            batch.delete(tree, key);
        }
    }
    store.commit(&batch).unwrap();
}

fn store_key(store: &Store) -> Key {
    store.0.store_key.clone()
}

#[test]
fn f65_what_was_erased_is_unreadable_after_a_compaction_with_the_key_known() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    let store = open_with(dir, "known to the attacker").unwrap();
    let key = store_key(&store);
    let (erased, live) = plant(&store);
    erase(&store);
    let before = search(dir, &key);
    assert!(live.is_subset(&before));
    assert!(before.intersection(&erased).count() > 30, "the search can see");

    store.compact_now().unwrap();
    let after = search(dir, &key);
    assert_eq!(after, live);

    // The same once the rows are in a base, with the store closed in between.
    drop(store);
    let store = open_with(dir, "known to the attacker").unwrap();
    let mut batch = Batch::default();
    for (row, _) in store.prefix(Tree::Messages, b"kept/", usize::MAX).unwrap() {
        batch.delete(Tree::Messages, row);
    }
    store.commit(&batch).unwrap();
    assert_eq!(search(dir, &key), live, "deleted, but not compacted");
    store.compact_now().unwrap();
    drop(store);
    assert_eq!(search(dir, &key), BTreeSet::from([named("ratchet now")]));
}

#[test]
fn f65_the_search_sees_an_old_generation_that_was_kept() {
    // The broken variant: a compaction that leaves what it copied, with its key.
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("data");
    let store = open(&dir);
    let (erased, _) = plant(&store);
    erase(&store);
    let old = temp.path().join("old");
    copy_dir(&dir.join("g1"), &old);
    store.compact_now().unwrap();
    copy_dir(&old, &dir.join("g1"));
    let found = search(&dir, &store_key(&store));
    assert!(found.intersection(&erased).count() > 30);

    // Its bytes alone, as a disk may keep them, say nothing without its key; one that is kept under another name is found.
    fs::remove_file(dir.join("g1").join(DATA_KEY_FILE)).unwrap();
    let found = search(&dir, &store_key(&store));
    assert_eq!(found.intersection(&erased).count(), 0);
    fs::copy(old.join(DATA_KEY_FILE), dir.join("stray")).unwrap();
    let found = search(&dir, &store_key(&store));
    assert!(found.intersection(&erased).count() > 30);
}

#[test]
fn f65_a_generation_left_by_a_crash_is_removed_with_its_key() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("data");
    let store = open(&dir);
    let (erased, live) = plant(&store);
    erase(&store);
    let key = store_key(&store);
    let old = temp.path().join("old");
    copy_dir(&dir.join("g1"), &old);
    store.compact_now().unwrap();
    drop(store);
    copy_dir(&old, &dir.join("g1"));
    drop(open(&dir));
    let found = search(&dir, &key);
    assert_eq!(found.intersection(&erased).count(), 0);
    assert_eq!(found, live);
}
