//! Blobs: what doesn't fit an envelope, sealed under a key of its own and cut in chunks that are checked one by one.
//!
//! A custodian sees an id, a padded length and chunks of ciphertext; whoever has the [`BlobRef`], which travels inside an envelope, opens
//! them. The id is the root of a hash tree over the chunks, so that each can be judged by itself, by a relay too; equal ciphertext is
//! kept once, and the key is random, never made from the content. Specification in `spec/blob.md`.

mod held;
mod tree;

pub use held::Held;
pub use tree::HashTree;

use crate::keys::{BlobId, derive};
use crate::limits;
use crate::mls::Crypto;
use crate::padding;
use crate::wire::{DecodeError, Reader, Wire, Writer};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use std::collections::BTreeMap;
use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// The version of blobs that this program writes and reads: it fixes cipher, tree and chunk size.
const VERSION: u8 = 1;
/// Bytes that sealing adds to a chunk.
const TAG_BYTES: usize = 16;
/// Hashes of a proof, at most: the depth of a tree of 2^32 chunks.
const PROOF_HASHES: usize = 32;

/// A blob can't be made, or isn't what its reference says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlobError {
    /// Over a bound of its size.
    #[error("the blob has {found} bytes; at most {limit} are allowed")]
    TooLarge {
        /// Bytes found.
        found: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// A chunk isn't the one of this blob at this place.
    #[error("chunk {index} isn't part of the blob")]
    Chunk {
        /// The place that it claims.
        index: u32,
    },
    /// Chunks are missing.
    #[error("{missing} chunks of the blob are missing")]
    Incomplete {
        /// How many.
        missing: u32,
    },
    /// The chunks are the blob's, but its key doesn't open them.
    #[error("the blob can't be opened with this key")]
    Sealed,
}

/// The key of one blob. Bytes of a secret: wiped when dropped, never shown.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct BlobKey([u8; 32]);

impl BlobKey {
    /// From its bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes, to be stored.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0)
    }
}

impl fmt::Debug for BlobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BlobKey(..)")
    }
}

/// What an envelope says of a blob: enough to fetch it, to check it and to open it.
///
/// | bytes | field |
/// |---|---|
/// | 1 | version, 1 |
/// | 32 | id |
/// | 32 | key |
/// | 8 | length of the content in bytes |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobRef {
    /// What it is fetched by.
    pub id: BlobId,
    /// What opens it.
    pub key: BlobKey,
    /// Bytes of the content.
    pub length_bytes: u64,
}

impl BlobRef {
    /// What a custodian sees of its size.
    ///
    /// # Errors
    /// When the length is over what any blob may have.
    pub fn shape(&self) -> Result<Shape, BlobError> {
        Shape::of_content(self.length_bytes)
    }
}

impl Wire for BlobRef {
    fn write(&self, w: &mut Writer) {
        w.u8(VERSION);
        self.id.write(w);
        w.fixed(&self.key.0);
        w.u64(self.length_bytes);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.u8("blob.version")?;
        if version != VERSION {
            return Err(DecodeError::Version {
                field: "blob.version",
                found: version.into(),
            });
        }
        Ok(Self {
            id: BlobId::read(r)?,
            key: BlobKey(r.array("blob.key")?),
            length_bytes: r.u64("blob.length_bytes")?,
        })
    }
}

/// The size of a blob, padded so that it tells little of the content's: how many chunks there are, and how long each is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    length: u64,
}

impl Shape {
    /// Of a padded length; `None` if no blob has it.
    pub fn new(length: u64) -> Option<Self> {
        (1..=limits::BLOB_LENGTH).contains(&length).then_some(Self { length })
    }

    fn of_content(bytes: u64) -> Result<Self, BlobError> {
        let padded = usize::try_from(bytes)
            .ok()
            .filter(|_| bytes <= limits::BLOB_LENGTH)
            .map(padding::padded_len);
        padded
            .and_then(|padded| Self::new(padded as u64))
            .ok_or(BlobError::TooLarge {
                found: bytes,
                limit: limits::BLOB_LENGTH,
            })
    }

    /// The padded length, before sealing.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The number of chunks, at least 1.
    pub fn chunks(&self) -> u32 {
        // `BLOB_LENGTH` is far below 2^32 chunks.
        self.length.div_ceil(limits::BLOB_CHUNK_BYTES as u64) as u32
    }

    /// Bytes of a sealed chunk; `None` beyond the last.
    pub fn chunk_bytes(&self, index: u32) -> Option<usize> {
        let chunk = limits::BLOB_CHUNK_BYTES as u64;
        let left = self.length.checked_sub(u64::from(index).checked_mul(chunk)?)?;
        (left > 0).then(|| left.min(chunk) as usize + TAG_BYTES)
    }

    /// Bytes of all sealed chunks.
    pub fn sealed_bytes(&self) -> u64 {
        self.length + u64::from(self.chunks()) * TAG_BYTES as u64
    }

    fn is_last(&self, index: u32) -> bool {
        index.saturating_add(1) == self.chunks()
    }
}

/// A sealed chunk with the proof that it is the blob's.
///
/// | bytes | field |
/// |---|---|
/// | 4 | index; the first is 0 |
/// | V | hashes beside its way to the root, nearest first, 32 bytes each |
/// | V | ciphertext |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Its place.
    pub index: u32,
    /// Hashes beside its way to the root.
    pub proof: Vec<[u8; 32]>,
    /// The ciphertext.
    pub bytes: Vec<u8>,
}

impl Chunk {
    /// Checks that it is the blob's chunk at its place.
    ///
    /// # Errors
    /// When it isn't.
    pub fn check(&self, id: &BlobId, shape: Shape) -> Result<(), BlobError> {
        let wrong = BlobError::Chunk { index: self.index };
        if shape.chunk_bytes(self.index) != Some(self.bytes.len()) {
            return Err(wrong);
        }
        let leaf = tree::leaf(self.index, &self.bytes);
        let root = tree::climb(leaf, self.index, shape.chunks(), &self.proof).ok_or(wrong.clone())?;
        if id_of(shape, &root) == *id { Ok(()) } else { Err(wrong) }
    }
}

impl Wire for Chunk {
    fn write(&self, w: &mut Writer) {
        w.u32(self.index);
        w.list(&self.proof, |w, hash| w.fixed(hash));
        w.bytes(&self.bytes);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            index: r.u32("chunk.index")?,
            proof: r.list("chunk.proof", PROOF_HASHES, |r| r.array("chunk.hash"))?,
            bytes: r.bytes("chunk.bytes", limits::BLOB_CHUNK_BYTES + TAG_BYTES)?.to_vec(),
        })
    }
}

/// Seals a content under a fresh key.
///
/// # Errors
/// When it is larger than [`limits::BLOB_BYTES`].
pub fn seal(crypto: &Crypto, content: &[u8]) -> Result<(BlobRef, Vec<Chunk>), BlobError> {
    seal_with(BlobKey(crypto.random()), content)
}

/// Seals under a key that must never have sealed anything else.
///
/// # Errors
/// As [`seal`].
pub fn seal_with(key: BlobKey, content: &[u8]) -> Result<(BlobRef, Vec<Chunk>), BlobError> {
    let length_bytes = content.len() as u64;
    if length_bytes > limits::BLOB_BYTES {
        return Err(BlobError::TooLarge {
            found: length_bytes,
            limit: limits::BLOB_BYTES,
        });
    }
    let sealer = Sealer::new(key, length_bytes)?;
    let mut parts = content.chunks(limits::BLOB_CHUNK_BYTES);
    let mut sealed = Vec::new();
    for index in 0..sealer.shape().chunks() {
        sealed.push(sealer.seal(index, parts.next().unwrap_or_default())?);
    }
    let leaves = (0_u32..).zip(&sealed).map(|(index, bytes)| tree::leaf(index, bytes));
    let tree = HashTree::new(leaves.collect());
    let chunks = (0_u32..).zip(sealed).map(|(index, bytes)| Chunk {
        index,
        proof: tree.proof(index),
        bytes,
    });
    let chunks = chunks.collect();
    Ok((sealer.finish(&tree), chunks))
}

/// The hash of a sealed chunk in the tree.
pub fn leaf(index: u32, bytes: &[u8]) -> [u8; 32] {
    tree::leaf(index, bytes)
}

/// Seals a content chunk by chunk, in any order; its length is known from the beginning.
#[derive(Clone, Debug)]
pub struct Sealer {
    key: BlobKey,
    length_bytes: u64,
    shape: Shape,
}

impl Sealer {
    /// Under a key that must never have sealed another content.
    ///
    /// # Errors
    /// When the length is over what any blob may have.
    pub fn new(key: BlobKey, length_bytes: u64) -> Result<Self, BlobError> {
        let shape = Shape::of_content(length_bytes)?;
        Ok(Self {
            key,
            length_bytes,
            shape,
        })
    }

    /// Its size.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Its key.
    pub fn key(&self) -> &BlobKey {
        &self.key
    }

    /// Bytes of the content.
    pub fn length_bytes(&self) -> u64 {
        self.length_bytes
    }

    /// Bytes of the content that a chunk holds; none where it is only padding.
    pub fn content_bytes(&self, index: u32) -> usize {
        content_bytes(self.length_bytes, index)
    }

    /// Seals a chunk, given its part of the content.
    ///
    /// # Errors
    /// When the blob has no such chunk, or the part isn't as long as the chunk's.
    pub fn seal(&self, index: u32, part: &[u8]) -> Result<Vec<u8>, BlobError> {
        let wrong = BlobError::Chunk { index };
        let sealed_bytes = self.shape.chunk_bytes(index).ok_or(wrong.clone())?;
        if part.len() != self.content_bytes(index) {
            return Err(wrong);
        }
        let mut plain = Zeroizing::new(Vec::with_capacity(sealed_bytes));
        plain.extend_from_slice(part);
        plain.resize(sealed_bytes - TAG_BYTES, 0);
        let payload = Payload {
            msg: &plain,
            aad: &associated(self.shape, index),
        };
        let cipher = ChaCha20Poly1305::new(&self.key.0.into());
        cipher.encrypt(&nonce(index), payload).map_err(|_| BlobError::Sealed)
    }

    /// The reference of the blob whose sealed chunks have this tree.
    pub fn finish(&self, tree: &HashTree) -> BlobRef {
        BlobRef {
            id: id_of(self.shape, &tree.root()),
            key: self.key.clone(),
            length_bytes: self.length_bytes,
        }
    }
}

/// Bytes of a content of some length that a chunk holds.
fn content_bytes(length_bytes: u64, index: u32) -> usize {
    let chunk = limits::BLOB_CHUNK_BYTES as u64;
    let left = length_bytes.saturating_sub(u64::from(index).saturating_mul(chunk));
    left.min(chunk) as usize
}

/// Opens a chunk that was checked, and gives its part of the content.
///
/// # Errors
/// When the key is another one, or what follows the content isn't zero: whoever made the blob made it so.
pub fn open_chunk(blob: &BlobRef, index: u32, bytes: &[u8]) -> Result<Vec<u8>, BlobError> {
    let payload = Payload {
        msg: bytes,
        aad: &associated(blob.shape()?, index),
    };
    let cipher = ChaCha20Poly1305::new(&blob.key.0.into());
    let mut plain = cipher.decrypt(&nonce(index), payload).map_err(|_| BlobError::Sealed)?;
    let held = content_bytes(blob.length_bytes, index);
    let (_, rest) = plain.split_at_checked(held).ok_or(BlobError::Sealed)?;
    if rest.iter().any(|byte| *byte != 0) {
        plain.zeroize();
        return Err(BlobError::Sealed);
    }
    plain.truncate(held);
    Ok(plain)
}

/// Opens a blob whose chunks are all there, in any order.
///
/// # Errors
/// When a chunk is wrong or missing, or the key is another one.
pub fn open(blob: &BlobRef, chunks: impl IntoIterator<Item = Chunk>) -> Result<Vec<u8>, BlobError> {
    let mut assembly = Assembly::new(blob.clone())?;
    for chunk in chunks {
        assembly.add(chunk)?;
    }
    assembly.open()
}

/// A blob on its way in: takes chunks in any order, refuses each wrong one at once, and knows what is missing.
#[derive(Clone, Debug)]
pub struct Assembly {
    blob: BlobRef,
    shape: Shape,
    chunks: BTreeMap<u32, Vec<u8>>,
}

impl Assembly {
    /// Without any chunk yet. It never holds more than [`limits::BLOB_BYTES`] padded and sealed.
    ///
    /// # Errors
    /// When the blob is larger than [`limits::BLOB_BYTES`].
    pub fn new(blob: BlobRef) -> Result<Self, BlobError> {
        if blob.length_bytes > limits::BLOB_BYTES {
            return Err(BlobError::TooLarge {
                found: blob.length_bytes,
                limit: limits::BLOB_BYTES,
            });
        }
        let shape = blob.shape()?;
        Ok(Self {
            blob,
            shape,
            chunks: BTreeMap::new(),
        })
    }

    /// The blob.
    pub fn blob(&self) -> &BlobRef {
        &self.blob
    }

    /// Its size.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Takes a chunk; false if it was there already.
    ///
    /// # Errors
    /// When it isn't this blob's; nothing changes then.
    pub fn add(&mut self, chunk: Chunk) -> Result<bool, BlobError> {
        if self.chunks.contains_key(&chunk.index) {
            return Ok(false);
        }
        chunk.check(&self.blob.id, self.shape)?;
        self.chunks.insert(chunk.index, chunk.bytes);
        Ok(true)
    }

    /// The first missing chunks, at most `limit`.
    pub fn missing(&self, limit: usize) -> Vec<u32> {
        let absent = |index: &u32| !self.chunks.contains_key(index);
        (0..self.shape.chunks()).filter(absent).take(limit).collect()
    }

    /// Whether nothing is missing.
    pub fn is_whole(&self) -> bool {
        self.chunks.len() == self.shape.chunks() as usize
    }

    /// The content.
    ///
    /// # Errors
    /// When chunks are missing, or whoever made the blob gave another key with it.
    pub fn open(&self) -> Result<Vec<u8>, BlobError> {
        if !self.is_whole() {
            return Err(BlobError::Incomplete {
                missing: self.shape.chunks() - self.chunks.len() as u32,
            });
        }
        let mut content = Vec::with_capacity(self.blob.length_bytes as usize);
        for (index, bytes) in &self.chunks {
            content.extend(Zeroizing::new(open_chunk(&self.blob, *index, bytes)?).iter());
        }
        Ok(content)
    }
}

/// The key seals one blob only, so the index alone never repeats.
fn nonce(index: u32) -> Nonce {
    let mut nonce = [0; 12];
    let [.., a, b, c, d] = &mut nonce;
    [*a, *b, *c, *d] = index.to_be_bytes();
    Nonce::from(nonce)
}

fn associated(shape: Shape, index: u32) -> Vec<u8> {
    let mut w = Writer::default();
    w.bytes(b"madang 1 blob chunk");
    w.u64(shape.length);
    w.u32(index);
    w.u8(u8::from(shape.is_last(index)));
    w.into_bytes()
}

fn id_of(shape: Shape, root: &[u8; 32]) -> BlobId {
    BlobId(derive("madang 1 blob id", &[&shape.length.to_be_bytes(), root]))
}

#[cfg(test)]
mod tests;
