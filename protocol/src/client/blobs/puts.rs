//! Uploads: each relay of the topic is given what it lacks, one frame at a time. The chunks stay here, for members' devices that ask and
//! for a relay that loses them, until the blob expires, is forgotten or has to make room.

use super::{BlobNews, Client, Patience, Peer, What, fits, limit};
use crate::blob::{BlobRef, Chunk, Shape};
use crate::client::io::CommandError;
use crate::client::records::encode;
use crate::custody::{
    BlobPermit, BlobReceipt, BlobRefused, BlobState, ChunkRange, ClientFrame, GetBlob, PutBlob, Refusal,
};
use crate::keys::{BlobId, TopicSecret, TransportKey};
use crate::limits;
use crate::rows::{Rows, RowsError, Tree};
use crate::wire::Wire;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Blobs that this device keeps for others (guess: the commits and Welcomes of a month).
const PUTS: usize = 256;
/// Bytes of them, sealed (guess: what a telephone spares).
const PUT_BYTES: u64 = 64 * 1024 * 1024;

/// A blob of ours.
pub(super) struct Put {
    permit: BlobPermit,
    shape: Shape,
    since_ms: u64,
    /// How far each relay is.
    at: BTreeMap<TransportKey, At>,
    /// The rooms know that it may be pointed to.
    told: bool,
}

/// How far one relay is with a blob.
#[derive(Default)]
struct At {
    /// Until when it keeps the whole, Unix milliseconds; 0 while it doesn't.
    held_ms: u64,
    /// What it lacks, as far as it said so.
    missing: Option<Vec<u32>>,
    patience: Patience,
}

/// A blob of ours, as stored.
#[derive(Serialize, Deserialize)]
pub(super) struct PutRow {
    #[serde(with = "serde_bytes")]
    permit: Vec<u8>,
    since_ms: u64,
    /// Relay, Unix milliseconds until which it keeps it.
    held: Vec<(TransportKey, u64)>,
}

impl Put {
    pub(super) fn chunks(&self) -> u32 {
        self.shape.chunks()
    }

    /// A new stream: what the relay has is asked for first.
    pub(super) fn begin_again(&mut self, peer: &TransportKey) {
        if let Some(at) = self.at.get_mut(peer) {
            at.missing = None;
            at.patience = Patience::default();
        }
    }

    fn is_held(&self) -> bool {
        self.at.values().any(|at| at.held_ms > 0)
    }

    fn ends_ms(&self) -> u64 {
        self.since_ms.saturating_add(u64::from(self.permit.ttl_s) * 1000)
    }
}

#[cfg(test)]
impl super::Blobs {
    /// Whether a relay holds a blob of ours whole.
    pub(in crate::client) fn is_held(&self, blob: &BlobId) -> bool {
        self.puts.get(blob).is_some_and(Put::is_held)
    }
}

impl Client {
    /// Uploads a sealed blob to the relays of a topic and serves it to members' devices, for as long as relays keep anything.
    /// [`BlobNews::Ready`] tells when an envelope may point to it.
    ///
    /// # Errors
    /// When it is too large or there is no room; older blobs that a relay holds make room first.
    pub(in crate::client) fn blob_put(
        &mut self,
        now_ms: u64,
        topic: &TopicSecret,
        blob: &BlobRef,
        chunks: Vec<Chunk>,
    ) -> Result<(), CommandError> {
        fits(blob.length_bytes)?;
        let Some(shape) = blob.shape().ok().filter(|_| !self.blobs.puts.contains_key(&blob.id)) else {
            return Ok(());
        };
        self.make_room_for_blob(shape)?;
        let permit = BlobPermit::sign(topic, blob.id, shape, limits::CUSTODY_SECONDS);
        for chunk in chunks {
            let key = What::Put.chunk_key(&blob.id, chunk.index);
            self.put_fresh(Tree::BlobChunks, key, chunk.encode());
        }
        let at = self.blob_peers(&permit.topic).into_iter().filter(|peer| peer.relay);
        // A relay that has never heard of the blob needn't be asked what it lacks.
        let all = || At {
            missing: Some((0..shape.chunks()).collect()),
            ..At::default()
        };
        let put = Put {
            shape,
            since_ms: now_ms,
            at: at.map(|peer| (peer.key, all())).collect(),
            told: false,
            permit,
        };
        self.blobs.puts.insert(blob.id, put);
        self.blobs.due_ms = 0;
        Ok(self.write_put(&blob.id)?)
    }

    /// A relay lost its past: it is given all blobs again.
    pub(in crate::client) fn blobs_forgotten(&mut self, peer: &TransportKey) -> Result<(), RowsError> {
        let held = |put: &&mut Put| put.at.get(peer).is_some_and(|at| at.held_ms > 0);
        let lost: Vec<BlobId> = self
            .blobs
            .puts
            .values_mut()
            .filter(held)
            .map(|put| put.permit.blob)
            .collect();
        for blob in lost {
            if let Some(put) = self.blobs.puts.get_mut(&blob) {
                put.at.remove(peer);
            }
            self.write_put(&blob)?;
        }
        self.blobs.due_ms = 0;
        Ok(())
    }

    /// False if the row says nothing that this version knows.
    pub(super) fn load_put(&mut self, row: &PutRow) -> bool {
        let Ok(permit) = BlobPermit::decode(&row.permit) else {
            return false;
        };
        let Some(shape) = Shape::new(permit.length) else {
            return false;
        };
        let held = row.held.iter().map(|(relay, held_ms)| {
            let at = At {
                held_ms: *held_ms,
                ..At::default()
            };
            (*relay, at)
        });
        let put = Put {
            shape,
            since_ms: row.since_ms,
            at: held.collect(),
            told: false,
            permit,
        };
        self.blobs.puts.insert(put.permit.blob, put);
        true
    }

    pub(super) fn pump_puts(&mut self, now_ms: u64, rows: &dyn Rows) -> Result<(), RowsError> {
        let blobs: Vec<BlobId> = self.blobs.puts.keys().copied().collect();
        for blob in blobs {
            let Some(put) = self.blobs.puts.get_mut(&blob) else {
                continue;
            };
            put.since_ms = put.since_ms.min(now_ms);
            let (topic, ends_ms) = (put.permit.topic, put.ends_ms());
            if ends_ms <= now_ms {
                self.blob_forget(&blob);
                continue;
            }
            self.wake_blobs(ends_ms);
            let peers = self.blob_peers(&topic);
            self.tell_ready(&blob, &peers);
            for peer in peers.into_iter().filter(|peer| peer.relay && peer.opened) {
                self.pump_put(now_ms, peer.key, &blob, rows)?;
            }
        }
        Ok(())
    }

    fn tell_ready(&mut self, blob: &BlobId, peers: &[Peer]) {
        let demoted = |relay: &TransportKey| self.trust.is_demoted(relay);
        let has_relay = peers.iter().any(|peer| peer.relay);
        let has_trusted = peers.iter().any(|peer| peer.relay && !demoted(&peer.key));
        // The word of a demoted relay counts only where there is no other.
        let holds = |(relay, at): (&TransportKey, &At)| at.held_ms > 0 && !(has_trusted && demoted(relay));
        let held = self.blobs.puts.get(blob).is_some_and(|put| put.at.iter().any(holds));
        if let Some(put) = self.blobs.puts.get_mut(blob)
            && !put.told
            && (held || !has_relay)
        {
            put.told = true;
            self.blobs.news.push_back(BlobNews::Ready(*blob));
        }
    }

    /// Gives a relay the next chunks that it lacks, or asks which these are.
    fn pump_put(&mut self, now_ms: u64, peer: TransportKey, blob: &BlobId, rows: &dyn Rows) -> Result<(), RowsError> {
        // The next answer brings the next turn.
        if self.blobs.is_busy(&peer, What::Put) {
            return Ok(());
        }
        let Some(put) = self.blobs.puts.get_mut(blob) else {
            return Ok(());
        };
        let at = put.at.entry(peer).or_default();
        if at.held_ms > now_ms {
            return Ok(());
        }
        if !at.patience.is_over(now_ms) {
            let next_ms = at.patience.next_ms;
            self.wake_blobs(next_ms);
            return Ok(());
        }
        let missing = at.missing.iter().flatten();
        let next: Vec<u32> = missing.take(limits::BLOB_CHUNKS_PER_FRAME).copied().collect();
        let permit = put.permit.clone();
        let mut chunks = Vec::new();
        for index in next {
            let key = What::Put.chunk_key(blob, index);
            let stored = self.fresh.get(rows, Tree::BlobChunks, &key)?;
            chunks.extend(stored.and_then(|value| Chunk::decode(&value).ok()));
        }
        self.ask_blob(now_ms, peer, (What::Put, *blob), |request| {
            ClientFrame::PutBlob(PutBlob {
                request,
                permit,
                chunks,
            })
        });
        Ok(())
    }

    pub(super) fn put_goes_on(&mut self, now_ms: u64, peer: TransportKey, blob: &BlobId, state: &BlobState) {
        let Some(put) = self.blobs.puts.get_mut(blob) else {
            return;
        };
        let chunks = put.shape.chunks();
        let at = put.at.entry(peer).or_default();
        let missing = state.missing.iter().flat_map(|range| range.indices(chunks));
        let missing: Vec<u32> = missing.take(chunks as usize).collect();
        let before = at.missing.as_ref().map(Vec::len);
        // Who lacks as much as before, or nothing without a receipt, gets nowhere; it is asked again later.
        if missing.is_empty() || before.is_some_and(|before| missing.len() >= before) {
            at.missing = None;
            at.patience.wait(now_ms, 0);
            return;
        }
        at.missing = Some(missing);
        at.patience = Patience::default();
    }

    pub(super) fn put_is_held(
        &mut self,
        now_ms: u64,
        peer: TransportKey,
        receipt: &BlobReceipt,
    ) -> Result<(), RowsError> {
        let put = self.blobs.puts.get_mut(&receipt.blob);
        let Some(put) = put.filter(|put| put.permit.topic == receipt.topic && receipt.verify(&peer).is_ok()) else {
            self.penalise_blob(peer, "a receipt for a blob that doesn't hold");
            return Ok(());
        };
        let at = put.at.entry(peer).or_default();
        at.held_ms = receipt.until_s.saturating_mul(1000);
        at.missing = None;
        // One that is over at once must not make us put in a circle.
        at.patience.wait(now_ms, 0);
        self.write_put(&receipt.blob)
    }

    pub(super) fn put_is_refused(&mut self, now_ms: u64, peer: TransportKey, blob: &BlobId, refused: BlobRefused) {
        let Some(at) = self.blobs.puts.get_mut(blob).and_then(|put| put.at.get_mut(&peer)) else {
            return;
        };
        at.missing = None;
        let asked_ms = u64::from(refused.retry_after_s) * 1000;
        let for_long = !refused.why.retryable() || refused.why == Refusal::NotHere;
        at.patience
            .wait(now_ms, if for_long { super::WAIT_MS } else { asked_ms });
    }

    /// Chunks of a blob of ours that somebody asks for.
    pub(super) fn own_chunks(&self, get: &GetBlob, rows: &dyn Rows) -> Result<Vec<Chunk>, RowsError> {
        let put = self.blobs.puts.get(&get.blob);
        let Some(put) = put.filter(|put| put.permit.topic == get.topic) else {
            return Ok(Vec::new());
        };
        let asked = get
            .chunks
            .iter()
            .flat_map(|range: &ChunkRange| range.indices(put.chunks()));
        let mut chunks = Vec::new();
        for index in asked.take(limits::BLOB_CHUNKS_PER_FRAME) {
            let key = What::Put.chunk_key(&get.blob, index);
            let stored = self.fresh.get(rows, Tree::BlobChunks, &key)?;
            chunks.extend(stored.and_then(|value| Chunk::decode(&value).ok()));
        }
        Ok(chunks)
    }

    /// The oldest blobs that a relay holds go first.
    fn make_room_for_blob(&mut self, shape: Shape) -> Result<(), CommandError> {
        loop {
            let puts = &self.blobs.puts;
            let bytes: u64 = puts.values().map(|put| put.shape.sealed_bytes()).sum();
            if puts.len() < PUTS && bytes + shape.sealed_bytes() <= PUT_BYTES {
                return Ok(());
            }
            let held = puts.values().filter(|put| put.is_held());
            let Some(oldest) = held.min_by_key(|put| put.since_ms).map(|put| put.permit.blob) else {
                return Err(limit("bytes of blobs that wait for a relay", PUT_BYTES as usize));
            };
            self.blob_forget(&oldest);
        }
    }

    fn write_put(&mut self, blob: &BlobId) -> Result<(), RowsError> {
        let Some(put) = self.blobs.puts.get(blob) else {
            return Ok(());
        };
        let held = put.at.iter().filter(|(_, at)| at.held_ms > 0);
        let row = encode(&PutRow {
            permit: put.permit.encode(),
            since_ms: put.since_ms,
            held: held.map(|(relay, at)| (*relay, at.held_ms)).collect(),
        })?;
        self.put_fresh(Tree::Blobs, What::Put.key(blob), row);
        Ok(())
    }
}
