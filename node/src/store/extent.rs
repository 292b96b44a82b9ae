//! The file `extent`: how long the database's log is, so that one that lost its end is recognised.
//!
//! sled takes a log that was cut for a younger one: it drops the pages that were there and goes on with what is left, older rows
//! missing among younger ones. The record is text, `LENGTH closed DELETED` or `LENGTH open DELETED`:
//!
//! - `closed`, with the exact length, was written after the last owner let go: a shorter log has lost its end.
//! - `open`, in whole segments, was written at the last change by a commit. A program that is killed may leave the log shorter, since
//!   sled itself cuts free segments off; but it cuts at segments' borders: any other length below the record has lost its end.
//!
//! `DELETED` is an estimate that [`super::compact`] needs: bytes of rows below that deletions in this log have hidden.
//!
//! A loss inside the last segment of a directory that wasn't closed is a torn write, which sled undoes to the last whole commit.

use std::fs;
use std::path::{Path, PathBuf};

use super::engine::SEGMENT;
use super::{StoreError, files};

/// Name of the record in the data directory.
pub(super) const EXTENT_FILE: &str = "extent";
/// Bytes of the record at most: two numbers of 20 digits and a word.
const MAX_FILE: u64 = 64;
const OPEN: &str = "open";
const CLOSED: &str = "closed";

/// The record of an open directory.
pub(super) struct Extent {
    dir: PathBuf,
    recorded: u64,
    /// Bytes of rows below that deletions have hidden, as far as is known.
    pub(super) deleted: u64,
}

impl Extent {
    /// Starts the record of a directory whose database is about to be made.
    pub(super) fn create(dir: &Path) -> Result<Self, StoreError> {
        Self::start(dir, 0, 0)
    }

    /// Checks the log against the record, and marks the directory as open; to be called before the database is opened.
    pub(super) fn check(dir: &Path, log: &Path) -> Result<Self, StoreError> {
        let path = dir.join(EXTENT_FILE);
        let Some(bytes) = files::read(&path, MAX_FILE)? else {
            return Err(StoreError::Missing {
                dir: dir.to_owned(),
                what: EXTENT_FILE,
            });
        };
        let Some((recorded, state, deleted)) = parse(&bytes) else {
            return Err(StoreError::damaged(&path, "it isn't a length, a state and a count"));
        };
        let len = fs::metadata(log).map_err(StoreError::io("read", log))?.len();
        if len < recorded && (state == CLOSED || !len.is_multiple_of(SEGMENT)) {
            return Err(StoreError::damaged(
                log,
                format!("it has {len} bytes, {recorded} were written: it lost its end"),
            ));
        }
        Self::start(dir, len, deleted)
    }

    /// Records the log's length after a commit; writes only if it has changed by a segment.
    pub(super) fn note(&mut self, len: u64) -> Result<(), StoreError> {
        let segments = whole_segments(len);
        if segments == self.recorded {
            return Ok(());
        }
        write(&self.dir, segments, OPEN, self.deleted)?;
        self.recorded = segments;
        Ok(())
    }

    /// Records the final length, once nobody writes to the log any more.
    pub(super) fn close(&self, len: u64) -> Result<(), StoreError> {
        write(&self.dir, len, CLOSED, self.deleted)
    }

    fn start(dir: &Path, len: u64, deleted: u64) -> Result<Self, StoreError> {
        let recorded = whole_segments(len);
        write(dir, recorded, OPEN, deleted)?;
        Ok(Self {
            dir: dir.to_owned(),
            recorded,
            deleted,
        })
    }
}

fn write(dir: &Path, len: u64, state: &str, deleted: u64) -> Result<(), StoreError> {
    files::write_atomic(dir, EXTENT_FILE, format!("{len} {state} {deleted}\n").as_bytes())
}

fn parse(bytes: &[u8]) -> Option<(u64, &str, u64)> {
    let mut words = std::str::from_utf8(bytes).ok()?.split_whitespace();
    let (len, state, deleted) = (words.next()?, words.next()?, words.next()?);
    let known = [OPEN, CLOSED].contains(&state) && words.next().is_none();
    known.then_some((len.parse().ok()?, state, deleted.parse().ok()?))
}

fn whole_segments(len: u64) -> u64 {
    len / SEGMENT * SEGMENT
}
