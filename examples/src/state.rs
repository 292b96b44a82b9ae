//! A durable cursor: how far a program has handled the events of a node.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// The start of the event log.
const START: &str = "0";

/// A file that holds the cursor of the last event handled.
#[derive(Debug)]
pub struct CursorFile {
    path: PathBuf,
    cursor: String,
}

impl CursorFile {
    /// Reads the file; one that isn't there yet means the start of the log.
    ///
    /// # Errors
    /// If the file can't be read.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let cursor = match std::fs::read_to_string(path) {
            Ok(text) if text.trim().is_empty() => START.to_owned(),
            Ok(text) => text.trim().to_owned(),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => START.to_owned(),
            Err(e) => return Err(e).with_context(|| format!("can't read {}", path.display())),
        };
        Ok(Self {
            path: path.to_owned(),
            cursor,
        })
    }

    /// Returns the cursor of the last event handled.
    #[must_use]
    pub fn cursor(&self) -> &str {
        &self.cursor
    }

    /// Moves on; after a crash the file holds either the old cursor or the new one, whole.
    ///
    /// # Errors
    /// If the file can't be written; the cursor in memory then stays as it was.
    pub fn advance(&mut self, cursor: &str) -> anyhow::Result<()> {
        let fresh = self.path.with_extension("new");
        let mut file = File::create(&fresh).with_context(|| format!("can't write {}", fresh.display()))?;
        file.write_all(cursor.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&fresh, &self.path).with_context(|| format!("can't write {}", self.path.display()))?;
        self.cursor = cursor.to_owned();
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_outlives_the_program() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        let mut file = CursorFile::open(&path).unwrap();
        assert_eq!(file.cursor(), "0");
        file.advance("17").unwrap();
        assert_eq!(file.cursor(), "17");
        assert_eq!(CursorFile::open(&path).unwrap().cursor(), "17");
    }
}
