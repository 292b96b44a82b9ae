//! What can go wrong with a data directory.

use std::path::{Path, PathBuf};

use super::StoreKind;

/// A data directory could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has the directory open.
    #[error(
        "{} is in use by another process: stop it first, or choose another directory with --data", dir.display()
    )]
    Locked {
        /// The data directory.
        dir: PathBuf,
    },
    /// A newer program wrote the directory; nothing was touched.
    #[error(
        "{} has format {found}, this program reads up to {supported}: update the program; nothing was changed", dir.display()
    )]
    NewerFormat {
        /// The data directory.
        dir: PathBuf,
        /// Its format version.
        found: u64,
        /// The newest version this program reads.
        supported: u64,
    },
    /// A program from before the first release wrote the directory; nothing was touched.
    #[error(
        "{} has format {found}, of a program that was never released; this program reads {supported}: choose an empty directory; nothing was changed", dir.display()
    )]
    OlderFormat {
        /// The data directory.
        dir: PathBuf,
        /// Its format version.
        found: u64,
        /// The version this program reads.
        supported: u64,
    },
    /// The directory belongs to the other kind of program.
    #[error("{} is the data of a {found}, not of a {wanted}: choose another directory with --data", dir.display())]
    WrongKind {
        /// The data directory.
        dir: PathBuf,
        /// What it was made for.
        found: StoreKind,
        /// What was to be opened.
        wanted: StoreKind,
    },
    /// The passphrase doesn't open the store key; nothing was touched.
    #[error("wrong passphrase for {}; nothing was changed", dir.display())]
    WrongPassphrase {
        /// The data directory.
        dir: PathBuf,
    },
    /// The directory is protected by a passphrase and none was given.
    #[error("{} is protected by a passphrase: give it with --passphrase-file", dir.display())]
    PassphraseNeeded {
        /// The data directory.
        dir: PathBuf,
    },
    /// A passphrase was given for a directory that has none.
    #[error("{} has no passphrase: start without --passphrase-file", dir.display())]
    PassphraseUnexpected {
        /// The data directory.
        dir: PathBuf,
    },
    /// An empty passphrase protects nothing.
    #[error("the passphrase is empty")]
    EmptyPassphrase,
    /// A part of an existing data directory is gone.
    #[error(
        "{} has no `{what}`, but other parts of a store: restore it from a copy, or choose an empty directory; nothing was changed", dir.display()
    )]
    Missing {
        /// The data directory.
        dir: PathBuf,
        /// The file or directory that isn't there.
        what: &'static str,
    },
    /// A part of the data directory can't be what was written.
    #[error("{} is damaged: {reason}; restore it from a copy", path.display())]
    Damaged {
        /// The damaged file or directory.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The operating system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// The refusal.
        source: std::io::Error,
    },
    /// The operating system gave no randomness.
    #[error("the operating system gave no randomness: {reason}")]
    Entropy {
        /// The refusal.
        reason: String,
    },
    /// A row is larger than the store keeps; the batch was not applied.
    #[error("a {part} of tree {tree} has {len} bytes, at most {limit} are kept")]
    RowTooLarge {
        /// `key` or `value`.
        part: &'static str,
        /// The tree's name.
        tree: String,
        /// Bytes.
        len: usize,
        /// Bytes.
        limit: usize,
    },
    /// A batch is larger than the store takes at once; it was not applied.
    #[error("a batch has {len} bytes, at most {limit} are taken at once")]
    BatchTooLarge {
        /// Bytes of keys and values.
        len: usize,
        /// Bytes.
        limit: usize,
    },
    /// A batch is not known to be on disk: it is there wholly or not at all, and reading tells which.
    #[error("the batch was not committed: {reason}")]
    Commit {
        /// What failed.
        reason: String,
    },
    /// A compaction was given up; everything that was committed is there, and it is tried again later.
    #[error("the store could not be compacted: {reason}")]
    Compaction {
        /// What failed.
        reason: String,
    },
    /// An earlier commit failed and the database can't be opened again; the next commit tries once more.
    #[error("the store is read-only: {reason}")]
    ReadOnly {
        /// What failed.
        reason: String,
    },
}

impl StoreError {
    /// Wraps a refusal of the operating system.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }

    /// Says that a file or directory isn't what was written.
    pub(super) fn damaged(path: &Path, reason: impl Into<String>) -> Self {
        Self::Damaged {
            path: path.to_owned(),
            reason: reason.into(),
        }
    }
}
