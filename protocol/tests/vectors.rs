//! Every vector of `spec/vectors` is read by the reader of its kind and written again, and the files are what the code writes.
//!
//! `MADANG_WRITE_VECTORS=1 cargo test -p madang-protocol --test vectors` writes them anew; without it, drift fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "common/cards.rs"]
#[allow(dead_code)]
mod cards;
#[path = "vectors/channel.rs"]
mod channel;
#[path = "vectors/chat.rs"]
mod chat;
#[path = "vectors/contact.rs"]
mod contact;
#[path = "vectors/envelope.rs"]
mod envelope;
#[path = "vectors/group.rs"]
mod group;
#[path = "vectors/identity.rs"]
mod identity;
#[path = "vectors/kit.rs"]
mod kit;
#[path = "vectors/message.rs"]
mod message;
#[path = "vectors/padding.rs"]
mod padding;
#[path = "common/raw.rs"]
mod raw;
#[path = "common/session.rs"]
mod session;
#[path = "vectors/share.rs"]
mod share;
#[path = "vectors/share_hostile.rs"]
mod share_hostile;
#[path = "common/village.rs"]
mod village;

use kit::{Format, check};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Once;

/// The files that this test reads.
const FORMATS: [&Format; 9] = [
    &envelope::FORMAT,
    &identity::FORMAT,
    &contact::FORMAT,
    &channel::FORMAT,
    &chat::FORMAT,
    &group::FORMAT,
    &message::FORMAT,
    &padding::FORMAT,
    &share::FORMAT,
];

/// Files that another test reads, and which: it must name the file.
const READ_ELSEWHERE: [(&str, &str); 5] = [
    ("blob", "tests/vectors_blob.rs"),
    ("chat_branches", "tests/branches/trees.rs"),
    ("custody", "tests/vectors_custody.rs"),
    ("reconcile", "tests/vectors_reconcile.rs"),
    ("share_resolve", "tests/share_resolve.rs"),
];

/// Files whose bytes differ each time they are made: names and errors must be the same, and what is stored must read.
const UNSTEADY: [&str; 1] = ["chat_group"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Writes the files anew if that is asked for, before any test reads them.
fn write_if_asked() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if std::env::var_os("MADANG_WRITE_VECTORS").is_none() {
            return;
        }
        for format in FORMATS {
            let path = root().join("spec/vectors").join(format!("{}.json", format.file));
            std::fs::write(
                path,
                serde_json::to_string_pretty(&kit::generate(format)).unwrap() + "\n",
            )
            .unwrap();
        }
    });
}

fn load(file: &str) -> Value {
    write_if_asked();
    let path = root().join("spec/vectors").join(format!("{file}.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_files_are_what_the_code_writes() {
    for format in FORMATS {
        let (stored, written) = (load(format.file), kit::generate(format));
        for list in ["positive", "negative"] {
            let (stored, written) = (stored[list].as_array().unwrap(), written[list].as_array().unwrap());
            for (stored, written) in stored.iter().zip(written) {
                if UNSTEADY.contains(&format.file) {
                    for member in ["kind", "name", "error", "at"] {
                        assert_eq!(stored[member], written[member], "{}.json", format.file);
                    }
                    continue;
                }
                assert_eq!(stored, written, "{}.json, {}", format.file, written["name"]);
            }
            assert_eq!(stored.len(), written.len(), "{}.json, {list}", format.file);
        }
        if !UNSTEADY.contains(&format.file) {
            assert_eq!(stored, written, "{}.json", format.file);
        }
    }
}

#[test]
fn no_vector_goes_unread() {
    write_if_asked();
    let mut files = BTreeSet::new();
    for entry in std::fs::read_dir(root().join("spec/vectors")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let file = name
            .strip_suffix(".json")
            .unwrap_or_else(|| panic!("{name} is not a file of vectors"));
        files.insert(file.to_owned());
        if let Some((_, reader)) = READ_ELSEWHERE.iter().find(|(known, _)| *known == file) {
            let source = std::fs::read_to_string(root().join(reader)).unwrap();
            assert!(source.contains(&name), "{reader} doesn't read {name}");
            continue;
        }
        let format = FORMATS
            .into_iter()
            .find(|format| format.file == file)
            .unwrap_or_else(|| panic!("no test reads {name}"));
        let read = kit::read_all(format, &load(file)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let kinds: BTreeSet<_> = format.kinds.iter().map(|kind| kind.name.to_owned()).collect();
        assert_eq!(read, kinds, "{name} leaves a kind without a vector");
    }
    for format in FORMATS {
        assert!(files.contains(format.file), "{}.json is missing", format.file);
    }
}

#[test]
fn a_vector_of_an_unknown_kind_or_with_a_changed_value_fails() {
    let good = load("envelope")["positive"][1].clone();
    assert_eq!(check(&envelope::FORMAT, &good, true), Ok("length".to_owned()));
    let changes: [(&str, Value); 4] = [
        ("kind", "new".into()),
        ("hex", "41".into()),
        ("fields", serde_json::json!({ "value": 2 })),
        ("remark", "unread".into()),
    ];
    for (member, value) in changes {
        let mut changed = good.clone();
        changed[member] = value;
        assert!(
            check(&envelope::FORMAT, &changed, true).is_err(),
            "a changed {member} passes"
        );
    }
    let mut bad = load("envelope")["negative"][0].clone();
    assert!(check(&envelope::FORMAT, &bad, false).is_ok());
    bad["error"] = "signature".into();
    assert!(check(&envelope::FORMAT, &bad, false).is_err(), "a changed error passes");
}

/// All Rust files below a folder, as one text.
fn sources(folder: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text += &sources(&path);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text += &std::fs::read_to_string(path).unwrap();
        }
    }
    text
}

#[test]
fn every_label_and_limit_is_named_alike_in_code_and_specification() {
    let (code, limits) = (
        sources(&root().join("src")),
        std::fs::read_to_string(root().join("src/limits.rs")).unwrap(),
    );
    let pages: String = std::fs::read_dir(root().join("spec"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    let index = std::fs::read_to_string(root().join("spec/README.md")).unwrap();
    let labels: BTreeSet<&str> = code
        .split('"')
        .filter(|text| text.starts_with("madang 1 ") || text.starts_with("madang/1/"))
        .filter(|text| text.len() < 60 && !text.ends_with('/'))
        .collect();
    assert!(labels.len() > 15, "the labels weren't found: {labels:?}");
    for label in labels {
        assert!(
            index.contains(&format!("`{label}`")),
            "spec/README.md doesn't name {label}"
        );
    }
    let mut named = BTreeSet::new();
    for word in pages.split(|c: char| !(c.is_ascii_uppercase() || c == '_')) {
        if word.contains('_') && word.len() > 6 && !word.starts_with("MADANG_") {
            named.insert(word);
        }
    }
    assert!(named.len() > 15, "the limits weren't found: {named:?}");
    for name in named {
        assert!(
            limits.contains(&format!("pub const {name}:")),
            "no limit is called {name}"
        );
    }
}
