//! Expiry of blobs: those whose time is over are removed, a bounded number of chunks each tick.

use super::Relay;
use super::blob_rows::{self, BlobDue, BlobRow, blob_key, chunk_key, parse_due_key};
use super::blobs::blob_cost;
use super::config::{BLOB_EXPIRY_ROWS, EXPIRY_CHUNK, ROWS_BYTES};
use super::damage::{self, First};
use crate::blob::Shape;
use crate::keys::TopicId;
use crate::rows::{Rows, RowsError, Tree};
use crate::wire::Wire;

impl Relay {
    /// Takes one share of what is due, unless the last one isn't durable yet.
    pub(super) fn expire_blobs(&mut self, now_s: u64, rows: &dyn Rows) -> Result<(), RowsError> {
        let end = now_s.saturating_add(1).to_be_bytes();
        let range = ([].as_slice(), end.as_slice());
        let due = match damage::first(rows, Tree::RelayBlobExpiry, range, BLOB_EXPIRY_ROWS, blob_rows::DUE_KEY)? {
            First::Rows(due) => due,
            First::Damaged(key) => {
                // Its chunks stay until its topic's number is no longer used; nobody reads them.
                self.is_expiring(true);
                self.damage.note(Tree::RelayBlobExpiry, key);
                return Ok(());
            }
        };
        self.expiry_more |= due.len() == BLOB_EXPIRY_ROWS;
        let mut budget = EXPIRY_CHUNK as u32;
        for (key, value) in due {
            if budget == 0 {
                self.is_expiring(true);
                break;
            }
            let Ok(due) = BlobDue::decode(&value) else {
                self.is_expiring(true);
                self.damage.note(Tree::RelayBlobExpiry, key);
                continue;
            };
            self.expire_blob(key, due, &mut budget, rows)?;
        }
        Ok(())
    }

    fn expire_blob(&mut self, key: Vec<u8>, due: BlobDue, budget: &mut u32, rows: &dyn Rows) -> Result<(), RowsError> {
        let (due_s, number) = parse_due_key(&key);
        // It is being put right now, and may have moved in the index.
        if self.blobs.contains_key(&(due.topic, due.blob)) {
            return Ok(());
        }
        let stored: Option<BlobRow> =
            damage::get(rows, Tree::RelayBlobs, &blob_key(number, &due.blob), &mut self.damage)?;
        self.is_expiring(false);
        self.current_bytes += ROWS_BYTES;
        if stored.as_ref().is_some_and(|row| row.due_s != due_s) {
            self.current.batch.delete(Tree::RelayBlobExpiry, key);
            return Ok(());
        }
        let swept = stored.as_ref().map_or(0, |row| row.swept);
        let until = due.chunks.min(swept.saturating_add(*budget));
        for index in swept..until {
            self.current_bytes += ROWS_BYTES / 8;
            let key = chunk_key(number, &due.blob, index);
            self.current.batch.delete(Tree::RelayChunks, key);
        }
        *budget -= until.saturating_sub(swept);
        if until < due.chunks
            && let Some(mut row) = stored
        {
            row.swept = until;
            self.expiry_more = true;
            self.change_blob(number, due.topic, due.blob, Some(row));
            return Ok(());
        }
        self.current.batch.delete(Tree::RelayBlobExpiry, key);
        self.change_blob(number, due.topic, due.blob, None);
        self.stats.blobs_expired += 1;
        if let Some(shape) = stored.and_then(|row| Shape::new(row.length)) {
            self.uncharge(number, due.topic, shape, rows)?;
        }
        Ok(())
    }

    fn uncharge(&mut self, number: u64, id: TopicId, shape: Shape, rows: &dyn Rows) -> Result<(), RowsError> {
        let cost = blob_cost(shape);
        self.totals.blobs = self.totals.blobs.saturating_sub(1);
        self.totals.blob_bytes = self.totals.blob_bytes.saturating_sub(cost);
        self.totals_changed = true;
        let topic = self.topics.load(id, rows, &self.config, &mut self.damage)?;
        if topic.kept && topic.row.number == number {
            topic.row.blobs = topic.row.blobs.saturating_sub(1);
            topic.row.blob_bytes = topic.row.blob_bytes.saturating_sub(cost);
            self.touch(id);
        }
        Ok(())
    }

    /// The current step has expiry, after which there may be more: the next one waits until it is durable.
    fn is_expiring(&mut self, more: bool) {
        self.expiring = true;
        self.expiry_in_current = true;
        self.expiry_more |= more;
    }
}
