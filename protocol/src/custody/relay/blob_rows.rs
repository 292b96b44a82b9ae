//! The rows of blobs: keys and values.
//!
//! | tree | key | value |
//! |---|---|---|
//! | `RelayBlobs` | topic's number (6), blob | [`BlobRow`] |
//! | `RelayChunks` | topic's number (6), first 16 bytes of the blob, index (4) | the chunk as it travels |
//! | `RelayBlobExpiry` | when `uint64` s, topic's number (6), first 16 bytes of the blob | [`BlobDue`] |

use super::stored;
use crate::blob::{Held, Shape};
use crate::keys::{BlobId, TopicId};
use crate::limits;
use crate::wire::{DecodeError, Reader, Wire, Writer};

/// Bytes of a blob's id in keys: enough that only who writes on the topic could find two alike, and lose both.
const ID: usize = 16;
/// Bytes of a key of `RelayBlobExpiry`.
pub(super) const DUE_KEY: usize = 8 + 6 + ID;
/// Bytes of the map of chunks of the longest blob.
const MAP: usize = (limits::BLOB_LENGTH / limits::BLOB_CHUNK_BYTES as u64 / 8 + 1) as usize;

/// A blob of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BlobRow {
    /// Its padded length.
    pub length: u64,
    /// Until when it is kept, Unix seconds; 0 until it is whole.
    pub until_s: u64,
    /// Where it is in the expiry index.
    pub due_s: u64,
    /// How many of its chunks are removed already; it is on its way out from the first on.
    pub swept: u32,
    /// Which chunks are kept.
    pub held: Held,
}

impl BlobRow {
    /// Without any chunk yet.
    pub fn new(shape: Shape) -> Self {
        Self {
            length: shape.length(),
            until_s: 0,
            due_s: 0,
            swept: 0,
            held: Held::none(shape),
        }
    }

    pub fn is_whole(&self) -> bool {
        Shape::new(self.length).is_some_and(|shape| self.held.is_whole(shape))
    }

    /// The chunks that aren't kept, ascending.
    pub fn missing(&self) -> impl Iterator<Item = u32> {
        let shape = Shape::new(self.length);
        shape.into_iter().flat_map(|shape| self.held.missing(shape))
    }
}

impl Wire for BlobRow {
    fn write(&self, w: &mut Writer) {
        w.u64(self.length);
        w.u64(self.until_s);
        w.u64(self.due_s);
        w.u32(self.swept);
        w.bytes(self.held.bits());
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            length: r.u64("blob.length")?,
            until_s: r.u64("blob.until_s")?,
            due_s: r.u64("blob.due_s")?,
            swept: r.u32("blob.swept")?,
            held: Held::from_bits(r.bytes("blob.held", MAP)?.to_vec()),
        })
    }
}

/// What the expiry index says of a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BlobDue {
    pub topic: TopicId,
    pub blob: BlobId,
    pub chunks: u32,
}

impl Wire for BlobDue {
    fn write(&self, w: &mut Writer) {
        self.topic.write(w);
        self.blob.write(w);
        w.u32(self.chunks);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            topic: TopicId::read(r)?,
            blob: BlobId::read(r)?,
            chunks: r.u32("due.chunks")?,
        })
    }
}

/// The key of `RelayBlobs`.
pub(super) fn blob_key(number: u64, blob: &BlobId) -> Vec<u8> {
    [stored::short(number).as_slice(), &blob.0].concat()
}

/// The key of `RelayChunks`.
pub(super) fn chunk_key(number: u64, blob: &BlobId, index: u32) -> Vec<u8> {
    [stored::short(number).as_slice(), first(blob), &index.to_be_bytes()].concat()
}

/// The key of `RelayBlobExpiry`.
pub(super) fn due_key(due_s: u64, number: u64, blob: &BlobId) -> Vec<u8> {
    [due_s.to_be_bytes().as_slice(), &stored::short(number), first(blob)].concat()
}

/// Reads a key of `RelayBlobExpiry`: when, and the topic's number.
pub(super) fn parse_due_key(key: &[u8]) -> (u64, u64) {
    stored::parse_expiry_key(key.get(..14).unwrap_or_default())
}

fn first(blob: &BlobId) -> &[u8] {
    blob.0.get(..ID).unwrap_or_default()
}
