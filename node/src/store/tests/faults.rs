//! What a store does when something has gone wrong. Numbers are rows of the fault table.

use super::*;

#[test]
fn f26_a_copy_taken_after_a_commit_has_it_whole() {
    // What a kill leaves is what the files hold: copy them while the store is open.
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("data");
    let store = open(&dir);
    for n in 0..50u8 {
        let mut batch = Batch::default();
        batch.put(Tree::RelayLog, [n], vec![n; 300 * usize::from(n)]);
        batch.put(Tree::RelayIds, [n], [n]);
        batch.put(Tree::RelayTopics, b"head", [n]);
        store.commit(&batch).unwrap();
        if n % 10 != 9 {
            continue;
        }
        let copy = temp.path().join(format!("copy {n}"));
        copy_dir(&dir, &copy);
        let copy = open(&copy);
        assert_eq!(copy.get(Tree::RelayTopics, b"head").unwrap(), Some(vec![n]));
        for m in 0..=n {
            let value = copy.get(Tree::RelayLog, &[m]).unwrap();
            assert_eq!(value, Some(vec![m; 300 * usize::from(m)]));
        }
    }
}

#[test]
fn f28_a_log_that_lost_its_end_is_refused() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("data");
    let store = open(&dir);
    for n in 0..400u16 {
        put_pair(&store, n);
    }
    let killed = temp.path().join("killed");
    copy_dir(&dir, &killed);
    drop(store);
    let log_len = |dir: &Path| fs::metadata(dir.join("g1/db/db")).unwrap().len();
    assert!(log_len(&dir) > 4 * engine::SEGMENT);

    let cut = temp.path().join("cut");
    for (from, whole) in [
        (&dir, log_len(&dir)),
        (&killed, log_len(&killed) / engine::SEGMENT * engine::SEGMENT),
    ] {
        for step in 0..30 {
            copy_dir(from, &cut);
            let log = fs::OpenOptions::new().write(true).open(cut.join("g1/db/db")).unwrap();
            // Even and odd lengths, from nothing to one byte too few.
            let even = (whole - 1) * step / 29 / 2 * 2;
            log.set_len((even + step % 2).min(whole - 1)).unwrap();
            drop(log);
            let before = contents(&cut);
            let refused = Store::open(&cut, Unlock::KeyFile, StoreKind::Node).unwrap_err();
            let text = refused.to_string();
            assert!(text.contains("lost its end") || text.contains("no `db`"), "{text}");
            assert_eq!(contents(&cut), before);
            fs::remove_dir_all(&cut).unwrap();
        }
    }
    assert_eq!(assert_prefix(&open(&dir)), 400);
    assert_eq!(assert_prefix(&open(&killed)), 400);
}

#[test]
fn f28_a_log_emptied_at_a_segment_is_never_taken_for_an_empty_store() {
    // The one cut that a killed directory's record can't tell from sled's own.
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("data");
    let store = open(&dir);
    for n in 0..200u16 {
        put_pair(&store, n);
    }
    for segments in 0..3 {
        let cut = temp.path().join(format!("cut {segments}"));
        copy_dir(&dir, &cut);
        let log = fs::OpenOptions::new().write(true).open(cut.join("g1/db/db")).unwrap();
        log.set_len(segments * engine::SEGMENT).unwrap();
        match Store::open(&cut, Unlock::KeyFile, StoreKind::Node) {
            Ok(store) => assert!(store.get(Tree::Meta, b"count").unwrap().is_some()),
            Err(error) => drop(error),
        }
    }
}

#[test]
fn f28_a_torn_tail_loses_only_what_was_not_committed() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("data");
    let store = open(&dir);
    for n in 0..30u16 {
        put_pair(&store, n);
    }
    let before = temp.path().join("before");
    copy_dir(&dir, &before);
    put_pair(&store, 30);
    let after = fs::read(dir.join("g1/db/db")).unwrap();
    let log = fs::read(before.join("g1/db/db")).unwrap();
    let changed = log.iter().zip(&after).position(|(a, b)| a != b).unwrap_or(log.len());
    assert!(after.len() > changed + 100);

    // The last commit reached the disk in part.
    for torn in [1, 5, 40, 100] {
        let copy = temp.path().join(format!("torn {torn}"));
        copy_dir(&before, &copy);
        fs::write(copy.join("g1/db/db"), &after[..changed + torn]).unwrap();
        let store = open(&copy);
        assert_eq!(assert_prefix(&store), 30);
        put_pair(&store, 30);
        drop(store);
        assert_eq!(assert_prefix(&open(&copy)), 31);
    }
}

#[test]
fn f28_a_directory_that_lost_a_part_is_refused() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("data");
    put(&open(&dir), Tree::Meta, b"k", b"v");

    for (part, name) in [
        ("key", "key"),
        ("format", "format"),
        ("current", "current"),
        ("g1", "key"),
        ("g1/key", "key"),
        ("g1/extent", "extent"),
        ("g1/db", "db"),
        ("g1/db/db", "db"),
    ] {
        let copy = temp.path().join("copy");
        copy_dir(&dir, &copy);
        let path = copy.join(part);
        if path.is_dir() {
            fs::remove_dir_all(path).unwrap();
        } else {
            fs::remove_file(path).unwrap();
        }
        let before = contents(&copy);
        let refused = Store::open(&copy, Unlock::KeyFile, StoreKind::Node);
        match refused {
            Err(StoreError::Missing { what, .. }) => assert_eq!(what, name),
            other => panic!("{part}: {other:?}"),
        }
        assert_eq!(contents(&copy), before, "{part}");
        fs::remove_dir_all(&copy).unwrap();
    }
}

#[test]
fn f28_a_foreign_database_or_key_is_refused() {
    let temp = tempfile::tempdir().unwrap();
    let (ours, theirs) = (temp.path().join("ours"), temp.path().join("theirs"));
    put(&open(&ours), Tree::Meta, b"k", b"v");
    put(&open(&theirs), Tree::Meta, b"k", b"v");

    let copy = temp.path().join("key");
    copy_dir(&ours, &copy);
    fs::copy(theirs.join(KEY_FILE), copy.join(KEY_FILE)).unwrap();
    let refused = Store::open(&copy, Unlock::KeyFile, StoreKind::Node);
    assert!(matches!(refused, Err(StoreError::Damaged { .. })), "{refused:?}");

    let copy = temp.path().join("db");
    copy_dir(&ours, &copy);
    fs::remove_dir_all(copy.join("g1").join(DB_DIR)).unwrap();
    copy_dir(&theirs.join("g1").join(DB_DIR), &copy.join("g1").join(DB_DIR));
    let refused = Store::open(&copy, Unlock::KeyFile, StoreKind::Node);
    assert!(matches!(refused, Err(StoreError::Damaged { .. })), "{refused:?}");

    let refused = Store::open(&ours, Unlock::KeyFile, StoreKind::Relay);
    assert!(matches!(refused, Err(StoreError::WrongKind { .. })), "{refused:?}");
}

#[test]
fn f28_a_creation_that_was_cut_short_starts_again() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("data");
    drop(open(&dir));
    assert!(!dir.join(CREATING_FILE).exists());
    fs::remove_file(dir.join(FORMAT_FILE)).unwrap();
    fs::write(dir.join(CREATING_FILE), []).unwrap();
    let store = open(&dir);
    put(&store, Tree::Meta, b"k", b"v");
    drop(store);
    // Cut short after the format file was in place: complete.
    fs::write(dir.join(CREATING_FILE), []).unwrap();
    let store = open(&dir);
    assert_eq!(store.get(Tree::Meta, b"k").unwrap(), Some(b"v".to_vec()));
    assert!(!dir.join(CREATING_FILE).exists());
}

#[test]
fn f29_after_a_failed_commit_reads_give_the_disk_and_a_retry_heals() {
    let temp = tempfile::tempdir().unwrap();
    let store = open(temp.path());
    put_pair(&store, 0);
    store.0.fail_next_sync.store(true, std::sync::atomic::Ordering::SeqCst);
    let mut batch = Batch::default();
    batch.put(Tree::Messages, 1u16.to_be_bytes(), [1]);
    batch.put(Tree::Outbox, 1u16.to_be_bytes(), [1]);
    let failed = store.commit(&batch);
    assert!(matches!(failed, Err(StoreError::Commit { .. })));
    assert!(store.read_only().unwrap().contains("disk is full"));
    let rows = assert_prefix_of(&store, 1);
    assert!(rows == 1 || rows == 2, "whole or not at all");

    store.commit(&batch).unwrap();
    assert_eq!(store.read_only(), None);
    assert_eq!(assert_prefix_of(&store, 1), 2);
}

#[test]
fn f30_a_changed_or_moved_record_is_detected() {
    let temp = tempfile::tempdir().unwrap();
    let store = open(temp.path());
    let mut batch = Batch::default();
    for key in [b"a", b"b"] {
        batch.put(Tree::Contacts, key, b"value");
        batch.put(Tree::Mls, key, vec![key[0]; 10_000]);
    }
    store.commit(&batch).unwrap();
    let a = StoredKey::row(Tree::Contacts, b"a");
    let b = StoredKey::row(Tree::Contacts, b"b");
    let whole = raw(&store, &a.0);
    let split = StoredKey::row(Tree::Mls, b"a");
    let other = StoredKey::row(Tree::Mls, b"b");

    tamper(&store, &b.0, Some(whole.clone()));
    assert_unauthentic(&store, Tree::Contacts, b"b");
    let range = store.range(Tree::Contacts, b"", b"z", 9, false).unwrap_err();
    assert!(range.reason.contains("Contacts"), "{}", range.reason);

    for position in [0, 1, 24, 25, whole.len() - 1] {
        let mut flipped = whole.clone();
        flipped[position] ^= 1;
        tamper(&store, &a.0, Some(flipped));
        assert_unauthentic(&store, Tree::Contacts, b"a");
    }
    tamper(&store, &a.0, Some(whole[..20].to_vec()));
    assert_unauthentic(&store, Tree::Contacts, b"a");

    // A piece of another row, of another place, of an older value, and none.
    let piece = raw(&store, &split.piece(0));
    tamper(&store, &split.piece(0), Some(raw(&store, &other.piece(0))));
    assert_unauthentic(&store, Tree::Mls, b"a");
    tamper(&store, &split.piece(0), Some(raw(&store, &split.piece(1))));
    assert_unauthentic(&store, Tree::Mls, b"a");
    put(&store, Tree::Mls, b"a", &[9; 10_000]);
    tamper(&store, &split.piece(0), Some(piece));
    assert_unauthentic(&store, Tree::Mls, b"a");
    tamper(&store, &split.piece(0), None);
    let lost = store.get(Tree::Mls, b"a").unwrap_err().reason;
    assert!(lost.contains("Mls") && lost.contains("piece"), "{lost}");

    // Writing the row again heals it.
    put(&store, Tree::Mls, b"a", b"new");
    assert_eq!(store.get(Tree::Mls, b"a").unwrap(), Some(b"new".to_vec()));
}

#[test]
fn f31_a_newer_format_is_refused_and_left_alone() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    put(&open(dir), Tree::Meta, b"k", b"v");
    let newer = r#"{"format": 3, "kind": "village", "wrap": {"method": "moon"}}"#;
    fs::write(dir.join(FORMAT_FILE), newer).unwrap();
    let before = contents(dir);
    let refused = Store::open(dir, Unlock::KeyFile, StoreKind::Node);
    match refused {
        Err(StoreError::NewerFormat { found, supported, .. }) => {
            assert_eq!((found, supported), (3, 2));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(contents(dir), before);
}

#[test]
fn f31_the_format_before_the_first_release_is_refused_and_left_alone() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    put(&open(dir), Tree::Meta, b"k", b"v");
    let older = r#"{"format": 1, "kind": "node", "wrap": {"method": "key_file", "sealed_key": "00"}}"#;
    fs::write(dir.join(FORMAT_FILE), older).unwrap();
    let before = contents(dir);
    let refused = Store::open(dir, Unlock::KeyFile, StoreKind::Node);
    assert!(
        matches!(refused, Err(StoreError::OlderFormat { found: 1, .. })),
        "{refused:?}"
    );
    assert_eq!(contents(dir), before);
}

#[test]
fn f31_a_garbled_format_is_refused() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    drop(open(dir));
    let good = fs::read_to_string(dir.join(FORMAT_FILE)).unwrap();
    let long = " ".repeat(20_000);
    for text in ["", "{", "{}", r#"{"format": 2}"#, &good[..good.len() / 2], &long] {
        fs::write(dir.join(FORMAT_FILE), text).unwrap();
        let refused = Store::open(dir, Unlock::KeyFile, StoreKind::Node);
        assert!(matches!(refused, Err(StoreError::Damaged { .. })), "{text}");
    }
}

#[test]
fn f34_a_second_opener_is_refused() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    let store = open(dir);
    let clone = store.clone();
    drop(store);
    let refused = Store::open(dir, Unlock::KeyFile, StoreKind::Node);
    match refused {
        Err(StoreError::Locked { dir: named }) => assert_eq!(named, dir),
        other => panic!("{other:?}"),
    }
    drop(clone);
    open(dir);
}

#[test]
fn f35_a_wrong_passphrase_is_refused_and_nothing_touched() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    put(&open_with(dir, "right").unwrap(), Tree::Meta, b"k", b"v");
    assert!(!dir.join(KEY_FILE).exists());
    let before = contents(dir);

    let refused = open_with(dir, "wrong");
    assert!(
        matches!(refused, Err(StoreError::WrongPassphrase { .. })),
        "{refused:?}"
    );
    let refused = Store::open(dir, Unlock::KeyFile, StoreKind::Node);
    assert!(
        matches!(refused, Err(StoreError::PassphraseNeeded { .. })),
        "{refused:?}"
    );
    assert!(matches!(open_with(dir, ""), Err(StoreError::EmptyPassphrase)));
    assert_eq!(contents(dir), before);

    let store = open_with(dir, "right").unwrap();
    assert_eq!(store.get(Tree::Meta, b"k").unwrap(), Some(b"v".to_vec()));
}

#[test]
fn f35_a_passphrase_where_none_is_set_is_refused() {
    let temp = tempfile::tempdir().unwrap();
    drop(open(temp.path()));
    let refused = open_with(temp.path(), "any");
    assert!(
        matches!(refused, Err(StoreError::PassphraseUnexpected { .. })),
        "{refused:?}"
    );
}

#[test]
fn f35_absurd_parameters_are_refused_before_memory_is_taken() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    drop(open_with(dir, "right").unwrap());
    let text = fs::read_to_string(dir.join(FORMAT_FILE)).unwrap();
    let absurd = text.replace("\"memory_kib\": 8,", "\"memory_kib\": 4294967295,");
    assert_ne!(absurd, text);
    fs::write(dir.join(FORMAT_FILE), absurd).unwrap();
    assert!(matches!(open_with(dir, "right"), Err(StoreError::Damaged { .. })));
}

#[test]
fn f65_secrets_are_absent_from_debug_and_errors() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    let unlock = passphrase("hunter2 hunter2");
    let store = open_with(dir, "hunter2 hunter2").unwrap();
    put(&store, Tree::Meta, b"k", b"plain secret");
    tamper(&store, &StoredKey::row(Tree::Meta, b"k").0, Some(vec![0; 60]));
    let error = store.get(Tree::Meta, b"k").unwrap_err();
    let texts = format!("{unlock:?} {store:?} {:?} {error:?} {error}", store.reader());
    drop(store);
    let wrong = open_with(dir, "hunter2 hunter3").unwrap_err();
    let texts = format!("{texts} {wrong:?} {wrong}");
    assert!(!texts.contains("hunter"), "{texts}");
    assert!(!texts.contains("secret"), "{texts}");
}

#[test]
fn f65_plaintext_is_not_in_the_directory() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    let planted = b"meet me in the yard at nine";
    let store = open_with(dir, "yard yard yard").unwrap();
    put(&store, Tree::Messages, b"small", planted);
    put(&store, Tree::Messages, b"large", &planted.repeat(5_000));
    put(&store, Tree::Messages, b"small", &planted.repeat(2));
    drop(store);
    drop(open_with(dir, "yard yard yard").unwrap());

    let files = contents(dir);
    assert!(files.values().map(Vec::len).sum::<usize>() > planted.len() * 5_000);
    for (path, bytes) in files {
        for needle in [&planted[..16], b"yard yard"] {
            let found = bytes.windows(needle.len()).any(|window| window == needle);
            assert!(!found, "{}", path.display());
        }
    }
}

/// One commit over two trees, and a third that says how many there were.
fn put_pair(store: &Store, n: u16) {
    let mut batch = Batch::default();
    let value = vec![n as u8; 1 + usize::from(n) * 37 % 6000];
    batch.put(Tree::Messages, n.to_be_bytes(), value.clone());
    batch.put(Tree::Outbox, n.to_be_bytes(), value);
    batch.put(Tree::Meta, b"count", (n + 1).to_be_bytes());
    store.commit(&batch).unwrap();
}

/// Checks that a store has exactly the first commits of `put_pair`, and returns how many.
fn assert_prefix(store: &Store) -> u16 {
    let count = store.get(Tree::Meta, b"count").unwrap();
    let count = count.map_or(0, |c| u16::from_be_bytes([c[0], c[1]]));
    for tree in [Tree::Messages, Tree::Outbox] {
        let rows = store.prefix(tree, b"", usize::MAX).unwrap();
        assert_eq!(rows.len(), usize::from(count), "{tree:?}");
        for (n, (key, value)) in rows.iter().enumerate() {
            assert_eq!(key, &(n as u16).to_be_bytes());
            assert_eq!(value, &vec![n as u8; 1 + n * 37 % 6000]);
        }
    }
    count
}

/// Checks that messages and outbox agree, and returns how many there are.
fn assert_prefix_of(store: &Store, last: u16) -> usize {
    let messages = store.prefix(Tree::Messages, b"", usize::MAX).unwrap();
    assert_eq!(messages, store.prefix(Tree::Outbox, b"", usize::MAX).unwrap());
    assert!(messages.len() <= usize::from(last) + 1);
    messages.len()
}

fn assert_unauthentic(store: &Store, tree: Tree, key: &[u8]) {
    let reason = store.get(tree, key).unwrap_err().reason;
    assert!(reason.contains("fails authentication"), "{reason}");
    assert!(reason.contains(&format!("{tree:?}")), "{reason}");
}
