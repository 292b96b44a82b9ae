//! Rows as they will be once all steps under way are committed: what is read back and written again within a few steps.
//!
//! Only the trees that are read back so are noted here, by whoever writes them.

use super::{Client, Effect};
use crate::Step;
use crate::rows::{Row, Rows, RowsError, Tree};
use std::collections::BTreeMap;

type Place = (Tree, Vec<u8>);

/// Writes that aren't committed yet, by the step that holds them.
#[derive(Default)]
pub(super) struct Fresh {
    writes: BTreeMap<Place, (u64, Option<Vec<u8>>)>,
    /// The step that is being filled, and how many were committed. Steps in which nothing happens aren't counted: a shell may leave
    /// them out.
    filling: u64,
    committed: u64,
}

impl Fresh {
    pub fn note(&mut self, tree: Tree, key: &[u8], value: Option<Vec<u8>>) {
        self.writes.insert((tree, key.to_vec()), (self.filling, value));
    }

    /// The step that was filled is drained.
    pub fn drained(&mut self, step: &Step<Effect>) {
        if !step.batch.is_empty() || !step.effects.is_empty() {
            self.filling += 1;
        }
    }

    /// The oldest drained step is committed: what it wrote is in the rows.
    pub fn committed(&mut self) {
        self.committed = self.filling.min(self.committed + 1);
        let committed = self.committed;
        self.writes.retain(|_, (step, _)| *step >= committed);
    }

    /// Reads one row.
    pub fn get(&self, rows: &dyn Rows, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>, RowsError> {
        match self.writes.get(&(tree, key.to_vec())) {
            Some((_, value)) => Ok(value.clone()),
            None => rows.get(tree, key),
        }
    }

    /// Reads at most `limit` rows with `from <= key < to`, ascending.
    pub fn range(
        &self,
        rows: &dyn Rows,
        tree: Tree,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> Result<Vec<Row>, RowsError> {
        if from >= to {
            return Ok(Vec::new());
        }
        let fresh: Vec<_> = self.writes.range((tree, from.to_vec())..(tree, to.to_vec())).collect();
        // As many more as may turn out to be gone.
        let asked = limit.saturating_add(fresh.len());
        let mut found: BTreeMap<Vec<u8>, Vec<u8>> = rows.range(tree, from, to, asked, false)?.into_iter().collect();
        for ((_, key), (_, value)) in fresh {
            match value {
                Some(value) => found.insert(key.clone(), value.clone()),
                None => found.remove(key),
            };
        }
        Ok(found.into_iter().take(limit).collect())
    }
}

impl Client {
    /// Sets a row that may be read back before its step is committed.
    pub(super) fn put_fresh(&mut self, tree: Tree, key: Vec<u8>, value: Vec<u8>) {
        self.fresh.note(tree, &key, Some(value.clone()));
        self.step.batch.put(tree, key, value);
    }

    /// Removes such a row.
    pub(super) fn delete_fresh(&mut self, tree: Tree, key: Vec<u8>) {
        self.fresh.note(tree, &key, None);
        self.step.batch.delete(tree, key);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::rows::{Batch, MemoryRows};

    #[test]
    fn rows_are_read_as_they_will_be() {
        let mut disk = MemoryRows::default();
        let mut batch = Batch::default();
        for key in [1_u8, 2, 3] {
            batch.put(Tree::Effects, [key], [key]);
        }
        disk.apply(&batch);
        let mut fresh = Fresh::default();
        fresh.note(Tree::Effects, &[1], None);
        fresh.note(Tree::Effects, &[2], Some(vec![20]));
        let step = Step {
            batch: batch.clone(),
            effects: Vec::new(),
        };
        fresh.drained(&step);
        fresh.drained(&Step::default());
        fresh.note(Tree::Effects, &[0], Some(vec![0]));
        fresh.note(Tree::Expiry, &[2], None);
        let keys = |fresh: &Fresh, limit| -> Vec<(Vec<u8>, Vec<u8>)> {
            fresh.range(&disk, Tree::Effects, &[0], &[9], limit).unwrap()
        };
        let all = [(vec![0], vec![0]), (vec![2], vec![20]), (vec![3], vec![3])];
        assert_eq!(keys(&fresh, 9), all);
        assert_eq!(keys(&fresh, 2), all[..2]);
        assert_eq!(fresh.get(&disk, Tree::Effects, &[1]).unwrap(), None);
        // The first step is committed, though this disk doesn't hold it: its writes are read from there from now on.
        fresh.committed();
        assert_eq!(keys(&fresh, 9).len(), 4);
        assert_eq!(fresh.get(&disk, Tree::Effects, &[1]).unwrap(), Some(vec![1]));
        fresh.committed();
        assert_eq!(keys(&fresh, 9).len(), 4, "nothing was drained since");
        fresh.drained(&step);
        fresh.committed();
        assert!(fresh.writes.is_empty());
    }
}
