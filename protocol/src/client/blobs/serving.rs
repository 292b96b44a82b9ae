//! Blobs for others: this device serves its own, and the files that it has fetched, as far as it has them.

use super::{Client, What, refused};
use crate::blob::{Chunk, HashTree};
use crate::client::io::Side;
use crate::custody::{BlobChunks, CustodianFrame, GetBlob, Refusal};
use crate::keys::{BlobId, TransportKey};
use crate::limits;
use crate::rows::{Rows, RowsError, Tree};
use crate::wire::Wire;
use std::collections::VecDeque;

/// Trees that are kept at hand: of the largest file each has 2.2 MB.
const TREES: usize = 4;
/// Hashes of one row of leaves: a power of two, so that a row is a part of the tree.
pub(super) const LEAVES: usize = 512;

/// Hash trees of files of ours, the one used last at the end.
#[derive(Default)]
pub(super) struct Trees(VecDeque<([u8; 32], HashTree)>);

impl Trees {
    pub(super) fn insert(&mut self, place: [u8; 32], tree: HashTree) {
        self.0.retain(|(known, _)| *known != place);
        self.0.push_back((place, tree));
        if self.0.len() > TREES {
            self.0.pop_front();
        }
    }

    fn take(&mut self, place: &[u8; 32]) -> Option<HashTree> {
        let at = self.0.iter().position(|(known, _)| known == place)?;
        self.0.remove(at).map(|(_, tree)| tree)
    }
}

/// The key of a row of leaves.
pub(super) fn leaves_key(place: &[u8; 32], group: usize) -> Vec<u8> {
    let group = u32::try_from(group).unwrap_or(u32::MAX);
    [place.as_slice(), &group.to_be_bytes()].concat()
}

impl Client {
    pub(super) fn serve_blob(
        &mut self,
        now_ms: u64,
        peer: TransportKey,
        get: &GetBlob,
        rows: &dyn Rows,
    ) -> Result<(), RowsError> {
        let request = get.request;
        let chunks = self.chunks_for(now_ms, get, rows)?;
        let answer = if chunks.is_empty() {
            refused(request, Refusal::NotFound)
        } else {
            CustodianFrame::BlobChunks(BlobChunks { request, chunks })
        };
        self.send(peer, Side::Server, answer.encode());
        Ok(())
    }

    /// What is here of the chunks that somebody asks for.
    fn chunks_for(&mut self, now_ms: u64, get: &GetBlob, rows: &dyn Rows) -> Result<Vec<Chunk>, RowsError> {
        if self.is_quiet(&get.topic) {
            return Ok(Vec::new());
        }
        let put = self
            .blobs
            .puts
            .get(&get.blob)
            .filter(|put| put.topic() == Some(get.topic));
        let asked = |all: u32| get.chunks.iter().flat_map(move |range| range.indices(all));
        if let Some(put) = put {
            let indices: Vec<u32> = asked(put.chunks()).take(limits::BLOB_CHUNKS_PER_FRAME).collect();
            return self.own_chunks(&get.blob, &indices, rows);
        }
        let known = self.blobs.gets.get(&get.blob);
        let Some((shape, held)) = known.and_then(|known| known.serves(&get.topic)) else {
            return Ok(Vec::new());
        };
        let indices = asked(shape.chunks()).filter(|index| held.has(*index));
        let (mut chunks, mut lost) = (Vec::new(), Vec::new());
        for index in indices.take(limits::BLOB_CHUNKS_PER_FRAME) {
            let key = What::Get.chunk_key(&get.blob.0, index);
            // The shell puts aside what can't be read; then it is missing.
            let Ok(stored) = self.fresh.get(rows, Tree::BlobChunks, &key) else {
                continue;
            };
            match stored.map(|value| Chunk::decode(&value)) {
                Some(Ok(chunk)) => chunks.push(chunk),
                _ => lost.push(index),
            }
        }
        self.lose_chunks(now_ms, &get.blob, &lost)?;
        Ok(chunks)
    }

    /// Chunks of a blob of ours as they travel. Those of a file are stored without proofs, since these are known only in the end.
    pub(super) fn own_chunks(
        &mut self,
        blob: &BlobId,
        indices: &[u32],
        rows: &dyn Rows,
    ) -> Result<Vec<Chunk>, RowsError> {
        let Some(put) = self.blobs.puts.get(blob) else {
            return Ok(Vec::new());
        };
        let (place, is_file, shape) = (put.place(), put.file.is_some(), put.shape);
        let mut chunks = Vec::new();
        for index in indices {
            let key = What::Put.chunk_key(&place, *index);
            // One that can't be read is left out: others may have it.
            let stored = self.fresh.get(rows, Tree::BlobChunks, &key).unwrap_or_default();
            chunks.extend(stored.and_then(|value| Chunk::decode(&value).ok()));
        }
        if is_file && !chunks.is_empty() {
            let tree = match self.blobs.trees.take(&place) {
                Some(tree) => tree,
                None => HashTree::new(self.leaves(&place, shape.chunks(), rows)?),
            };
            for chunk in &mut chunks {
                chunk.proof = tree.proof(chunk.index);
            }
            self.blobs.trees.insert(place, tree);
        }
        Ok(chunks)
    }

    /// The hashes of the first chunks of a file of ours.
    pub(super) fn leaves(&self, place: &[u8; 32], count: u32, rows: &dyn Rows) -> Result<Vec<[u8; 32]>, RowsError> {
        let count = count as usize;
        let mut leaves = Vec::with_capacity(count);
        for group in 0..count.div_ceil(LEAVES) {
            let row = self.fresh.get(rows, Tree::BlobLeaves, &leaves_key(place, group))?;
            leaves.extend(row.iter().flat_map(|row| row.as_chunks::<32>().0).copied());
        }
        leaves.truncate(count);
        Ok(leaves)
    }
}
