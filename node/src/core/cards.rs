//! Rows of what this node knows around cards, each kind with a bound of its own: the oldest make room.

use madang_protocol::rows::{Batch, Rows, RowsError, Tree};
use serde::{Deserialize, Serialize};

use super::apps::unreadable;
use crate::rpc::limits::MAX_ALL_REPLIES;

/// A kind of row; its key begins with the prefix.
pub(super) struct Kind {
    prefix: &'static [u8],
    /// Rows of it at most.
    most: usize,
}

/// Cards that were sent from here: what of them is told to their apps (guess: thousands of sent cards back).
pub(super) const SENT: Kind = Kind {
    prefix: b"sent:",
    most: 4_096,
};
/// What of cards apps were handed (guess: an app that was away for so many has missed some).
pub(super) const HANDED: Kind = Kind {
    prefix: b"handed:",
    most: 1_024,
};
/// What the events say that tell apps of their cards: two of each card.
pub(super) const TOLD: Kind = Kind {
    prefix: b"told:",
    most: 2 * SENT.most,
};
/// What became of pictures of cards that were sent (guess: as many calls may be tried again).
pub(super) const PICTURES: Kind = Kind {
    prefix: b"pictures:",
    most: 256,
};
/// The greatest number of each app's manifests that the user has had to do with (guess).
pub(super) const MANIFESTS: Kind = Kind {
    prefix: b"manifest:",
    most: 1_024,
};
/// Answers that wait for the user; one more is refused before.
pub(super) const REPLIES: Kind = Kind {
    prefix: b"reply:",
    most: MAX_ALL_REPLIES,
};
/// What domains said of apps (guess). What is forgotten is asked again.
pub(super) const DOMAINS: Kind = Kind {
    prefix: b"domain:",
    most: 1_024,
};

/// A row of any kind, as far as its age goes.
#[derive(Deserialize)]
struct Age {
    #[serde(default)]
    at_ms: u64,
}

impl Kind {
    /// The key of a row.
    pub fn key(&self, of: &[u8]) -> Vec<u8> {
        [self.prefix, of].concat()
    }

    /// What a key is of, if that is 32 bytes.
    pub fn id(&self, key: &[u8]) -> Option<[u8; 32]> {
        key.strip_prefix(self.prefix)?.try_into().ok()
    }

    /// Reads a row.
    pub fn get<T: for<'de> Deserialize<'de>>(&self, rows: &dyn Rows, of: &[u8]) -> Result<Option<T>, RowsError> {
        let value = rows.get(Tree::AppCards, &self.key(of))?;
        value
            .map(|value| serde_json::from_slice(&value).map_err(unreadable))
            .transpose()
    }

    /// Reads all of them, with their keys.
    pub fn all<T: for<'de> Deserialize<'de>>(&self, rows: &dyn Rows) -> Result<Vec<(Vec<u8>, T)>, RowsError> {
        let stored = rows.prefix(Tree::AppCards, self.prefix, usize::MAX)?.into_iter();
        stored
            .map(|(key, value)| Ok((key, serde_json::from_slice(&value).map_err(unreadable)?)))
            .collect()
    }

    /// Has room made for some rows that are written then.
    pub fn make_room(&self, rows: &dyn Rows, coming: usize, batch: &mut Batch) -> Result<(), RowsError> {
        let stored = rows.prefix(Tree::AppCards, self.prefix, usize::MAX)?;
        let over = stored.len().saturating_add(coming).saturating_sub(self.most);
        if over == 0 {
            return Ok(());
        }
        let mut aged = Vec::with_capacity(stored.len());
        for (key, value) in stored {
            // One that can't be read goes first.
            let age = serde_json::from_slice::<Age>(&value).map_or(0, |age| age.at_ms);
            aged.push((age, key));
        }
        aged.sort_unstable();
        for (_, key) in aged.into_iter().take(over) {
            batch.delete(Tree::AppCards, key);
        }
        Ok(())
    }

    /// Writes a row, which says its age as `at_ms`.
    pub fn put(&self, of: &[u8], row: &impl Serialize, batch: &mut Batch) -> Result<(), RowsError> {
        let value = serde_json::to_vec(row).map_err(unreadable)?;
        batch.put(Tree::AppCards, self.key(of), value);
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use madang_protocol::rows::MemoryRows;

    #[test]
    fn the_oldest_rows_of_a_kind_make_room_and_those_of_others_stay() {
        const FEW: Kind = Kind {
            prefix: b"few:",
            most: 3,
        };
        let mut rows = MemoryRows::default();
        for (name, at_ms) in [(b"a", 5_u64), (b"b", 1), (b"c", 9), (b"d", 7)] {
            let mut batch = Batch::default();
            FEW.make_room(&rows, 1, &mut batch).unwrap();
            FEW.put(name, &serde_json::json!({ "at_ms": at_ms }), &mut batch)
                .unwrap();
            SENT.put(name, &serde_json::json!({}), &mut batch).unwrap();
            rows.apply(&batch);
        }
        let left = rows.prefix(Tree::AppCards, b"few:", usize::MAX).unwrap();
        let names: Vec<_> = left.iter().map(|(key, _)| key.as_slice()).collect();
        assert_eq!(names, [b"few:a", b"few:c", b"few:d"]);
        assert_eq!(rows.prefix(Tree::AppCards, b"sent:", usize::MAX).unwrap().len(), 4);
    }
}
