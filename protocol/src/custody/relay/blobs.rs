//! Blobs: chunks are checked one by one and kept under their topic's quota, which is charged for the whole blob with its first chunk, so
//! that no upload fails half-way for want of room. A blob that doesn't become whole is removed a day after its last chunk.

use super::Relay;
use super::blob_rows::{BlobDue, BlobRow, blob_key, chunk_key, due_key};
use super::config::{
    BLOB_SHARE, ENVELOPE_OVERHEAD_BYTES, PARTIAL_S, READ_ONLY_RETRY_S, REMOVAL_S, RETRY_S, ROWS_BYTES, WINDOW_RETRY_S,
};
use super::damage::{self, Found};
use super::deposit::{next_expiry, seconds_until};
use super::stored::LATEST_S;
use crate::blob::{Chunk, Shape};
use crate::custody::blobs::{
    BlobChunks, BlobPermit, BlobReceipt, BlobRefused, BlobState, ChunkRange, GetBlob, PutBlob,
};
use crate::custody::frames::{CustodianFrame, Refusal};
use crate::keys::{BlobId, TopicId, TransportKey};
use crate::limits;
use crate::rows::{Rows, RowsError, Tree};
use crate::wire::Wire;

/// Why something isn't served, and the seconds until a retry makes sense.
type Refused = (Refusal, u32);

/// A blob that changed in steps that aren't durable yet.
#[derive(Debug)]
pub(super) struct Changing {
    /// What its row will be; `None` once it is removed.
    row: Option<BlobRow>,
    /// Changes that aren't durable yet.
    in_flight: usize,
}

impl Relay {
    pub(super) fn put_blob(
        &mut self,
        now_s: u64,
        peer: TransportKey,
        put: PutBlob,
        rows: &dyn Rows,
    ) -> Result<(), RowsError> {
        let (request, permit) = (put.request, put.permit);
        let row = match self.take_chunks(now_s, peer, &permit, put.chunks, rows)? {
            Ok(row) => row,
            Err((why, retry_after_s)) => {
                self.refuse_blob(peer, request, why, retry_after_s);
                if why == Refusal::Invalid {
                    self.penalise(peer, "a chunk or permit of a blob isn't valid");
                }
                return Ok(());
            }
        };
        let answer = if row.until_s > 0 {
            let receipt = BlobReceipt::sign(&self.key, request, permit.topic, permit.blob, row.until_s);
            CustodianFrame::BlobReceipt(receipt)
        } else {
            let missing = ChunkRange::of(row.missing());
            CustodianFrame::BlobState(BlobState { request, missing })
        };
        self.send(peer, &answer);
        Ok(())
    }

    /// Sends the chunks that are on disk. They count for the reader's window like envelopes.
    pub(super) fn get_blob(
        &mut self,
        now_s: u64,
        peer: TransportKey,
        get: GetBlob,
        rows: &dyn Rows,
    ) -> Result<(), RowsError> {
        let request = get.request;
        let found = match self.read_chunks(now_s, peer, &get, rows) {
            Err(_) if self.read_only => Err((Refusal::ReadOnly, READ_ONLY_RETRY_S)),
            found => found?,
        };
        match found {
            Ok(chunks) => {
                let answer = BlobChunks { request, chunks };
                self.stats.chunks_served += answer.chunks.len() as u64;
                if let Some(state) = self.peers.get_mut(&peer) {
                    state.count_sent(answer.counted());
                }
                self.unacknowledged += answer.counted();
                self.send(peer, &CustodianFrame::BlobChunks(answer));
            }
            Err((why, retry_after_s)) => self.refuse_blob(peer, request, why, retry_after_s),
        }
        Ok(())
    }

    pub(super) fn refuse_blob(&mut self, peer: TransportKey, request: u64, why: Refusal, retry_after_s: u32) {
        *self.stats.blobs_refused.entry(why.name()).or_default() += 1;
        let refused = BlobRefused {
            request,
            why,
            retry_after_s,
        };
        self.send(peer, &CustodianFrame::BlobRefused(refused));
    }

    /// A put's step is durable.
    pub(super) fn blob_committed(&mut self, key: &(TopicId, BlobId)) {
        if let Some(changing) = self.blobs.get_mut(key) {
            changing.in_flight = changing.in_flight.saturating_sub(1);
            if changing.in_flight == 0 {
                self.blobs.remove(key);
            }
        }
    }

    /// Keeps what is new of some chunks and gives the blob's row then.
    fn take_chunks(
        &mut self,
        now_s: u64,
        peer: TransportKey,
        permit: &BlobPermit,
        chunks: Vec<Chunk>,
        rows: &dyn Rows,
    ) -> Result<Result<BlobRow, Refused>, RowsError> {
        if !self.peers.contains_key(&peer) {
            return Ok(Err((Refusal::Busy, RETRY_S)));
        }
        let Some(shape) = Shape::new(permit.length).filter(|_| permit.verify().is_ok()) else {
            return Ok(Err((Refusal::Invalid, 0)));
        };
        if shape.length() > self.config.blob_bytes {
            return Ok(Err((Refusal::TooLarge, 0)));
        }
        if chunks.iter().any(|chunk| chunk.check(&permit.blob, shape).is_err()) {
            return Ok(Err((Refusal::Invalid, 0)));
        }
        let known = match self.blob_row(&permit.topic, &permit.blob, rows) {
            Err(_) if self.read_only => Known::Absent,
            known => known?,
        };
        let mut row = match known {
            // What has expired, and is still to be removed or being removed, isn't held.
            Known::Leaving => return Ok(Err((Refusal::Busy, REMOVAL_S as u32))),
            Known::Here(row) if row.until_s > 0 && row.until_s <= now_s => {
                let gone_s = row.due_s.saturating_add(REMOVAL_S);
                return Ok(Err((Refusal::Busy, seconds_until(gone_s, now_s))));
            }
            Known::Here(row) if row.length != shape.length() => return Ok(Err((Refusal::Invalid, 0))),
            Known::Here(row) if row.until_s > 0 => {
                self.stats.blobs_repeated += 1;
                return Ok(Ok(row));
            }
            Known::Here(row) => Some(row),
            Known::Absent => None,
        };
        if self.read_only {
            return Ok(Err((Refusal::ReadOnly, READ_ONLY_RETRY_S)));
        }
        if !self.may_use(&peer, &permit.topic) {
            return Ok(Err((Refusal::NotAdmitted, RETRY_S)));
        }
        if row.is_none()
            && let Err(refused) = self.blob_quota(now_s, peer, &permit.topic, shape, rows)?
        {
            return Ok(Err(refused));
        }
        let fresh = |chunk: &Chunk| !row.as_ref().is_some_and(|row| row.held.has(chunk.index));
        let fresh: Vec<Chunk> = chunks.into_iter().filter(fresh).collect();
        if fresh.is_empty() {
            return Ok(Ok(row.unwrap_or_else(|| BlobRow::new(shape))));
        }
        if row.is_none() {
            self.begin_blob(now_s, peer, &permit.topic, shape, rows)?;
        }
        let row = row.take().unwrap_or_else(|| BlobRow::new(shape));
        Ok(Ok(self.keep_chunks(now_s, permit, shape, row, fresh)))
    }

    /// Whether every quota has room for a new blob; otherwise which has not, and when a retry makes sense.
    fn blob_quota(
        &mut self,
        now_s: u64,
        peer: TransportKey,
        topic: &TopicId,
        shape: Shape,
        rows: &dyn Rows,
    ) -> Result<Result<(), Refused>, RowsError> {
        let (config, cost) = (&self.config, blob_cost(shape));
        let Some(topic) = self.topics.get(topic) else {
            return Ok(Err((Refusal::Busy, RETRY_S)));
        };
        let (share, of) = BLOB_SHARE;
        if topic.row.blob_bytes.saturating_add(cost) > config.topic_blob_bytes {
            return Ok(Err((Refusal::TopicQuota, RETRY_S)));
        }
        if let Err(retry) = self.depositors.room(&peer, cost, config.depositor_bytes_per_day, now_s) {
            return Ok(Err((Refusal::DepositorQuota, retry)));
        }
        if self.totals.charged().saturating_add(cost) > config.total_bytes
            || self.totals.blob_bytes.saturating_add(cost) > config.total_bytes / of * share
            || (!topic.kept && self.totals.topics >= config.topics)
        {
            return Ok(Err((Refusal::Full, next_expiry(now_s, rows, &mut self.damage)?)));
        }
        Ok(Ok(()))
    }

    /// Charges a new blob to its topic, its depositor and the whole.
    fn begin_blob(
        &mut self,
        now_s: u64,
        peer: TransportKey,
        id: &TopicId,
        shape: Shape,
        rows: &dyn Rows,
    ) -> Result<(), RowsError> {
        self.begin_topic(now_s, peer, *id, rows)?;
        let (cost, retention_s) = (blob_cost(shape), u64::from(self.config.retention_s).max(1));
        let Some(topic) = self.topics.get_mut(id) else {
            return Ok(());
        };
        topic.row.blobs += 1;
        topic.row.blob_bytes += cost;
        if topic.row.base.position == topic.row.head.position && topic.row.drop_at_s == 0 {
            topic.row.drop_at_s = now_s.saturating_add(retention_s);
            topic.expect(*id, topic.row.drop_at_s, None, rows, &mut self.damage)?;
        }
        self.totals.blobs += 1;
        self.totals.blob_bytes += cost;
        self.totals_changed = true;
        self.depositors.charge(peer, cost, &self.config, now_s);
        Ok(())
    }

    fn keep_chunks(
        &mut self,
        now_s: u64,
        permit: &BlobPermit,
        shape: Shape,
        mut row: BlobRow,
        fresh: Vec<Chunk>,
    ) -> BlobRow {
        let number = self.topics.get(&permit.topic).map_or(0, |topic| topic.row.number);
        for chunk in fresh {
            let value = chunk.encode();
            self.current_bytes += ROWS_BYTES + value.len();
            let key = chunk_key(number, &permit.blob, chunk.index);
            self.current.batch.put(Tree::RelayChunks, key, value);
            row.held.set(chunk.index, true);
            self.stats.chunks_accepted += 1;
        }
        let retention_s = self.config.retention_s;
        let due_s = if row.is_whole() {
            let keep_s = u64::from(permit.ttl_s.min(retention_s));
            row.until_s = now_s.saturating_add(keep_s).clamp(1, LATEST_S);
            self.stats.blobs_accepted += 1;
            row.until_s
        } else {
            now_s.saturating_add(PARTIAL_S.min(u64::from(retention_s)))
        };
        let due_s = self.config.removed_at_s(due_s);
        if row.due_s != due_s {
            let batch = &mut self.current.batch;
            if row.due_s > 0 {
                batch.delete(Tree::RelayBlobExpiry, due_key(row.due_s, number, &permit.blob));
            }
            let due = BlobDue {
                topic: permit.topic,
                blob: permit.blob,
                chunks: shape.chunks(),
            };
            batch.put(
                Tree::RelayBlobExpiry,
                due_key(due_s, number, &permit.blob),
                due.encode(),
            );
            row.due_s = due_s;
        }
        self.change_blob(number, permit.topic, permit.blob, Some(row.clone()));
        row
    }

    /// Writes a blob's row with the current step; until that is durable it is here.
    pub(super) fn change_blob(&mut self, number: u64, topic: TopicId, blob: BlobId, row: Option<BlobRow>) {
        self.current_bytes += ROWS_BYTES;
        let key = blob_key(number, &blob);
        match &row {
            Some(row) => self.current.batch.put(Tree::RelayBlobs, key, row.encode()),
            None => self.current.batch.delete(Tree::RelayBlobs, key),
        }
        let changing = self.blobs.entry((topic, blob)).or_insert(Changing {
            row: None,
            in_flight: 0,
        });
        changing.row = row;
        changing.in_flight += 1;
        self.current_blobs.push((topic, blob));
    }

    fn blob_row(&mut self, topic: &TopicId, blob: &BlobId, rows: &dyn Rows) -> Result<Known, RowsError> {
        let loaded = self.topics.load(*topic, rows, &self.config, &mut self.damage)?;
        let (kept, number) = (loaded.kept, loaded.row.number);
        if let Some(changing) = self.blobs.get(&(*topic, *blob)) {
            return Ok(Known::from(changing.row.clone()));
        }
        if !kept {
            return Ok(Known::Absent);
        }
        let row = damage::get(rows, Tree::RelayBlobs, &blob_key(number, blob), &mut self.damage)?;
        Ok(row.map_or(Known::Absent, |row| Known::from(Some(row))))
    }

    fn read_chunks(
        &mut self,
        now_s: u64,
        peer: TransportKey,
        get: &GetBlob,
        rows: &dyn Rows,
    ) -> Result<Result<Vec<Chunk>, Refused>, RowsError> {
        let Some(window) = self.peers.get(&peer).map(|state| state.window()) else {
            return Ok(Err((Refusal::Busy, RETRY_S)));
        };
        if window == 0 {
            return Ok(Err((Refusal::Busy, WINDOW_RETRY_S)));
        }
        let Known::Here(row) = self.blob_row(&get.topic, &get.blob, rows)? else {
            return Ok(Err((Refusal::NotFound, RETRY_S)));
        };
        if !self.may_use(&peer, &get.topic) {
            return Ok(Err((Refusal::NotAdmitted, RETRY_S)));
        }
        if row.until_s > 0 && row.until_s <= now_s {
            return Ok(Err((Refusal::NotFound, RETRY_S)));
        }
        let number = self.topics.get(&get.topic).map_or(0, |topic| topic.row.number);
        let all = Shape::new(row.length).map_or(0, |shape| shape.chunks());
        let asked = get.chunks.iter().flat_map(|range| range.indices(all));
        let asked = asked.filter(|index| row.held.has(*index));
        let asked: Vec<u32> = asked.take(limits::BLOB_CHUNKS_PER_FRAME).collect();
        let (mut chunks, mut lost) = (Vec::new(), Vec::new());
        for index in asked {
            let key = chunk_key(number, &get.blob, index);
            match damage::look(rows, Tree::RelayChunks, &key)? {
                // Not durable yet.
                Found::Absent => {}
                Found::Damaged => lost.push((key, index)),
                Found::Whole(value) => match Chunk::decode(&value) {
                    Ok(chunk) => chunks.push(chunk),
                    Err(_) => lost.push((key, index)),
                },
            }
        }
        self.lose_chunks(number, get, row, lost);
        if chunks.is_empty() {
            return Ok(Err((Refusal::NotFound, RETRY_S)));
        }
        Ok(Ok(chunks))
    }

    /// Rows of chunks are damaged: the blob is no longer whole, and is taken again from whoever still has it.
    fn lose_chunks(&mut self, number: u64, get: &GetBlob, mut row: BlobRow, lost: Vec<(Vec<u8>, u32)>) {
        if lost.is_empty() || self.read_only {
            return;
        }
        for (key, index) in lost {
            self.damage.note(Tree::RelayChunks, key);
            row.held.set(index, false);
        }
        row.until_s = 0;
        self.change_blob(number, get.topic, get.blob, Some(row));
    }
}

/// What is known of a blob.
enum Known {
    Absent,
    Here(BlobRow),
    /// It is being removed.
    Leaving,
}

impl From<Option<BlobRow>> for Known {
    fn from(row: Option<BlobRow>) -> Self {
        row.filter(|row| row.swept == 0).map_or(Self::Leaving, Self::Here)
    }
}

/// Bytes that a blob counts for in every quota, from its first chunk on.
pub(super) fn blob_cost(shape: Shape) -> u64 {
    let rows = u64::from(shape.chunks()) + 1;
    shape.sealed_bytes() + rows * ENVELOPE_OVERHEAD_BYTES
}
