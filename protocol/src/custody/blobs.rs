//! What the frames of `/madang/custody/1` say of blobs: a permit to store one, chunks on their way in and out, and the answers.

use super::frames::Refusal;
use crate::blob::{Chunk, Shape};
use crate::keys::{BadSignature, BlobId, Domain, TopicId, TopicSecret, TransportKey, TransportSecret};
use crate::limits;
use crate::wire::{DecodeError, Reader, Wire, Writer};

/// Ranges of missing chunks that one answer names: the rest is named by the next.
const MISSING_RANGES: usize = 64;

/// What lets anybody store a blob on a topic's quota: made by whoever may write on the topic.
///
/// | bytes | field |
/// |---|---|
/// | 32 | topic |
/// | 32 | blob |
/// | 8 | padded length, before sealing |
/// | 4 | time to live, seconds, counted by each custodian from the time when it has the blob whole |
/// | 64 | Ed25519 signature over these, by the topic's key, domain `madang/1/blob-permit` |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobPermit {
    /// The topic whose quota it is.
    pub topic: TopicId,
    /// The blob.
    pub blob: BlobId,
    /// Its padded length in bytes.
    pub length: u64,
    /// Seconds that custodians should keep it.
    pub ttl_s: u32,
    /// By the topic's key.
    pub signature: [u8; 64],
}

impl BlobPermit {
    /// Permits a blob on a topic.
    pub fn sign(topic: &TopicSecret, blob: BlobId, shape: Shape, ttl_s: u32) -> Self {
        let mut permit = Self {
            topic: topic.public(),
            blob,
            length: shape.length(),
            ttl_s,
            signature: [0; 64],
        };
        permit.signature = topic.sign(Domain::BlobPermit, &permit.signed());
        permit
    }

    /// Checks that the topic's key signed it.
    ///
    /// # Errors
    /// When it didn't.
    pub fn verify(&self) -> Result<(), BadSignature> {
        self.topic.verify(Domain::BlobPermit, &self.signed(), &self.signature)
    }

    fn signed(&self) -> Vec<u8> {
        let mut w = Writer::default();
        self.write_signed(&mut w);
        w.into_bytes()
    }

    fn write_signed(&self, w: &mut Writer) {
        self.topic.write(w);
        self.blob.write(w);
        w.u64(self.length);
        w.u32(self.ttl_s);
    }
}

impl Wire for BlobPermit {
    fn write(&self, w: &mut Writer) {
        self.write_signed(w);
        w.fixed(&self.signature);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            topic: TopicId::read(r)?,
            blob: BlobId::read(r)?,
            length: r.u64("permit.length")?,
            ttl_s: r.u32("permit.ttl_s")?,
            signature: r.array("permit.signature")?,
        })
    }
}

/// Chunks in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkRange {
    /// The first.
    pub first: u32,
    /// How many.
    pub count: u32,
}

impl ChunkRange {
    /// Joins ascending indices to ranges; at most 64 of these, what is beyond them is left out.
    pub fn of(indices: impl IntoIterator<Item = u32>) -> Vec<Self> {
        let mut ranges: Vec<Self> = Vec::new();
        for index in indices {
            if let Some(last) = ranges.last_mut()
                && last.first.saturating_add(last.count) == index
            {
                last.count += 1;
            } else if ranges.len() < MISSING_RANGES {
                ranges.push(Self { first: index, count: 1 });
            } else {
                break;
            }
        }
        ranges
    }

    /// Its indices in a blob of so many chunks, whatever it claims.
    pub fn indices(&self, chunks: u32) -> std::ops::Range<u32> {
        self.first.min(chunks)..self.first.saturating_add(self.count).min(chunks)
    }

    fn write_all(w: &mut Writer, ranges: &[Self]) {
        w.list(ranges, |w, range| {
            w.u32(range.first);
            w.u32(range.count);
        });
    }

    fn read_all(r: &mut Reader<'_>, field: &'static str) -> Result<Vec<Self>, DecodeError> {
        r.list(field, MISSING_RANGES, |r| {
            Ok(Self {
                first: r.u32(field)?,
                count: r.u32(field)?,
            })
        })
    }
}

/// Keep these chunks. Without chunks it asks what is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutBlob {
    /// Chosen by the client, returned in the answer.
    pub request: u64,
    /// On whose quota.
    pub permit: BlobPermit,
    /// At most [`limits::BLOB_CHUNKS_PER_FRAME`].
    pub chunks: Vec<Chunk>,
}

impl Wire for PutBlob {
    fn write(&self, w: &mut Writer) {
        w.u64(self.request);
        self.permit.write(w);
        w.list(&self.chunks, |w, chunk| chunk.write(w));
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            request: r.u64("put_blob.request")?,
            permit: BlobPermit::read(r)?,
            chunks: r.list("put_blob.chunks", limits::BLOB_CHUNKS_PER_FRAME, Chunk::read)?,
        })
    }
}

/// Send these chunks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetBlob {
    /// Chosen by the client, returned in the answer.
    pub request: u64,
    /// Where the blob was put.
    pub topic: TopicId,
    /// The blob.
    pub blob: BlobId,
    /// Which of its chunks; the first [`limits::BLOB_CHUNKS_PER_FRAME`] of them that are there are sent.
    pub chunks: Vec<ChunkRange>,
}

impl Wire for GetBlob {
    fn write(&self, w: &mut Writer) {
        w.u64(self.request);
        self.topic.write(w);
        self.blob.write(w);
        ChunkRange::write_all(w, &self.chunks);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            request: r.u64("get_blob.request")?,
            topic: TopicId::read(r)?,
            blob: BlobId::read(r)?,
            chunks: ChunkRange::read_all(r, "get_blob.chunks")?,
        })
    }
}

/// What a custodian still lacks of a blob, sent only after what it has is on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobState {
    /// The put's number.
    pub request: u64,
    /// Ascending; if there are more than 64 ranges, the first.
    pub missing: Vec<ChunkRange>,
}

impl Wire for BlobState {
    fn write(&self, w: &mut Writer) {
        w.u64(self.request);
        ChunkRange::write_all(w, &self.missing);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            request: r.u64("blob_state.request")?,
            missing: ChunkRange::read_all(r, "blob_state.missing")?,
        })
    }
}

/// A custodian's word that it has a blob whole, sent only after that is on disk.
///
/// The signature, by its transport key in the domain `madang/1/blob-receipt`, covers all that is before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobReceipt {
    /// The put's number.
    pub request: u64,
    /// Where.
    pub topic: TopicId,
    /// What.
    pub blob: BlobId,
    /// Until when, Unix seconds by the custodian's clock.
    pub until_s: u64,
    /// By the custodian.
    pub signature: [u8; 64],
}

impl BlobReceipt {
    /// Writes and signs a receipt.
    pub fn sign(key: &TransportSecret, request: u64, topic: TopicId, blob: BlobId, until_s: u64) -> Self {
        let mut receipt = Self {
            request,
            topic,
            blob,
            until_s,
            signature: [0; 64],
        };
        receipt.signature = key.sign(Domain::BlobReceipt, &receipt.signed());
        receipt
    }

    /// Checks that `custodian` signed it.
    ///
    /// # Errors
    /// When it didn't.
    pub fn verify(&self, custodian: &TransportKey) -> Result<(), BadSignature> {
        custodian.verify(Domain::BlobReceipt, &self.signed(), &self.signature)
    }

    fn signed(&self) -> Vec<u8> {
        let mut w = Writer::default();
        self.write_signed(&mut w);
        w.into_bytes()
    }

    fn write_signed(&self, w: &mut Writer) {
        w.u64(self.request);
        self.topic.write(w);
        self.blob.write(w);
        w.u64(self.until_s);
    }
}

impl Wire for BlobReceipt {
    fn write(&self, w: &mut Writer) {
        self.write_signed(w);
        w.fixed(&self.signature);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            request: r.u64("blob_receipt.request")?,
            topic: TopicId::read(r)?,
            blob: BlobId::read(r)?,
            until_s: r.u64("blob_receipt.until_s")?,
            signature: r.array("blob_receipt.signature")?,
        })
    }
}

/// Why a put or get isn't served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobRefused {
    /// The number of the put or get.
    pub request: u64,
    /// The reason.
    pub why: Refusal,
    /// Seconds after which a retry makes sense; 0 if unknown.
    pub retry_after_s: u32,
}

impl Wire for BlobRefused {
    fn write(&self, w: &mut Writer) {
        w.u64(self.request);
        w.u8(self.why.code());
        w.u32(self.retry_after_s);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            request: r.u64("blob_refused.request")?,
            why: Refusal::from_code(r.u8("blob_refused.code")?),
            retry_after_s: r.u32("blob_refused.retry_after_s")?,
        })
    }
}

/// Chunks that were asked for, as far as they are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobChunks {
    /// The get's number.
    pub request: u64,
    /// At most [`limits::BLOB_CHUNKS_PER_FRAME`].
    pub chunks: Vec<Chunk>,
}

impl BlobChunks {
    /// Bytes of chunks that count for the reader's window.
    pub fn counted(&self) -> u64 {
        self.chunks.iter().map(|chunk| chunk.bytes.len() as u64).sum()
    }
}

impl Wire for BlobChunks {
    fn write(&self, w: &mut Writer) {
        w.u64(self.request);
        w.list(&self.chunks, |w, chunk| chunk.write(w));
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            request: r.u64("blob_chunks.request")?,
            chunks: r.list("blob_chunks.chunks", limits::BLOB_CHUNKS_PER_FRAME, Chunk::read)?,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn f50_a_permit_holds_for_one_topic_blob_and_length() {
        let topic = TopicSecret::from_bytes([1; 32]);
        let shape = Shape::new(100_000).unwrap();
        let permit = BlobPermit::sign(&topic, BlobId([2; 32]), shape, 60);
        assert_eq!(permit.verify(), Ok(()));
        let other = TopicSecret::from_bytes([3; 32]).public();
        for changed in [
            BlobPermit {
                topic: other,
                ..permit.clone()
            },
            BlobPermit {
                blob: BlobId([4; 32]),
                ..permit.clone()
            },
            BlobPermit {
                length: 100_001,
                ..permit.clone()
            },
            BlobPermit {
                ttl_s: 61,
                ..permit.clone()
            },
        ] {
            assert!(changed.verify().is_err(), "{changed:?}");
        }
    }

    #[test]
    fn indices_and_ranges_give_each_other() {
        let indices = [0, 1, 2, 5, 7, 8];
        let ranges = ChunkRange::of(indices);
        assert_eq!(ranges.len(), 3);
        let again: Vec<u32> = ranges.iter().flat_map(|range| range.indices(9)).collect();
        assert_eq!(again, indices);
        let sparse = ChunkRange::of((0..1000).map(|index| index * 2));
        assert_eq!(sparse.len(), MISSING_RANGES);
        let endless = ChunkRange {
            first: 1,
            count: u32::MAX,
        };
        assert_eq!(endless.indices(9), 1..9);
        assert!(endless.indices(1).is_empty());
    }
}
