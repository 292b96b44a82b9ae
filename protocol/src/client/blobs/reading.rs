//! Files where they lie: how they are, and their contents. Nothing here changes anything, so that it is read past the owner.

use super::files::{BlobState, DraftRow, UploadRow};
use super::gets::GetRow;
use super::puts::PutRow;
use super::{What, content_bytes, row_key};
use crate::blob::{self, BlobError, BlobRef, Chunk};
use crate::client::records::decode;
use crate::keys::{BlobId, TransportKey};
use crate::limits;
use crate::rows::{Rows, RowsError, Tree};
use crate::wire::Wire;

/// A file as it is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobView {
    /// Its blob; none while it is being sealed.
    pub blob: Option<BlobId>,
    /// The number of its upload, if it is ours.
    pub upload: Option<[u8; 32]>,
    /// How it is.
    pub state: BlobState,
    /// Bytes of its content.
    pub length_bytes: u64,
    /// Bytes of it that are here. Of a file that is fetched not always the first.
    pub here_bytes: u64,
    /// Relays that have it whole, and until when (Unix milliseconds).
    pub held: Vec<(TransportKey, u64)>,
}

/// A part of a file can't be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It isn't here.
    #[error("the file isn't here; fetch it first")]
    NotHere,
    /// Not all of it is here yet.
    #[error("the file isn't whole yet: {here_bytes} of {length_bytes} bytes are here")]
    NotWhole {
        /// Bytes that are here.
        here_bytes: u64,
        /// Bytes of the whole.
        length_bytes: u64,
    },
    /// A chunk of it was lost on this disk.
    #[error("a part of the file can't be read; fetch it again")]
    Damaged,
    /// Whoever made it gave another key with it, or lied about its length.
    #[error("the file can't be opened with the key that came with it")]
    Sealed,
    /// The store fails.
    #[error("{0}")]
    Rows(#[from] RowsError),
}

/// A file by its blob, or if it is ours by its upload.
///
/// # Errors
/// When the store fails.
pub fn view(rows: &dyn Rows, id: &[u8; 32]) -> Result<Option<BlobView>, RowsError> {
    if let Some(value) = rows.get(Tree::Blobs, &row_key(b'd', id))? {
        let row: DraftRow = decode(&value)?;
        return Ok(Some(BlobView {
            blob: None,
            upload: Some(*id),
            state: BlobState::Sealing,
            length_bytes: row.length_bytes,
            here_bytes: content_bytes(row.next, row.length_bytes),
            held: Vec::new(),
        }));
    }
    let uploaded = rows.get(Tree::Blobs, &row_key(b'u', id))?;
    let uploaded = uploaded.map(|value| decode::<UploadRow>(&value)).transpose()?;
    let blob = uploaded.map_or(BlobId(*id), |uploaded| uploaded.blob);
    if let Some(value) = rows.get(Tree::Blobs, &What::Put.key(&blob))? {
        return Ok(decode::<PutRow>(&value)?.view(blob));
    }
    if let Some(value) = rows.get(Tree::Blobs, &What::Get.key(&blob))? {
        return Ok(decode::<GetRow>(&value)?.view());
    }
    Ok(None)
}

/// Whether an upload, sealed or not, was begun as one whose metadata is to be removed.
///
/// # Errors
/// When the store fails.
pub fn strips(rows: &dyn Rows, upload: &[u8; 32]) -> Result<bool, RowsError> {
    if let Some(value) = rows.get(Tree::Blobs, &row_key(b'd', upload))? {
        return Ok(decode::<DraftRow>(&value)?.strip);
    }
    let value = rows.get(Tree::Blobs, &row_key(b'u', upload))?;
    let row = value.map(|value| decode::<UploadRow>(&value)).transpose()?;
    Ok(row.is_some_and(|row| row.strip))
}

/// Reads a part of a file that is here whole: from `offset_bytes` on at most `limit` bytes, or fewer up to the end of a chunk.
///
/// # Errors
/// [`ReadError`].
pub fn read(rows: &dyn Rows, blob: &BlobId, offset_bytes: u64, limit: usize) -> Result<Vec<u8>, ReadError> {
    let (reference, what, place) = source(rows, blob)?;
    let chunk = limits::BLOB_CHUNK_BYTES as u64;
    let end = offset_bytes.saturating_add(limit as u64).min(reference.length_bytes);
    let mut found = Vec::new();
    let mut at = offset_bytes;
    while at < end {
        let index = u32::try_from(at / chunk).map_err(|_| ReadError::Sealed)?;
        let part = chunk_of(rows, &reference, what, &place, index)?;
        let from = (at % chunk) as usize;
        let to = part.len().min(from.saturating_add((end - at) as usize));
        let bytes = part
            .get(from..to)
            .filter(|bytes| !bytes.is_empty())
            .ok_or(ReadError::Sealed)?;
        found.extend_from_slice(bytes);
        at += bytes.len() as u64;
    }
    Ok(found)
}

fn source(rows: &dyn Rows, blob: &BlobId) -> Result<(BlobRef, What, [u8; 32]), ReadError> {
    if let Some(value) = rows.get(Tree::Blobs, &What::Put.key(blob))? {
        let row: PutRow = decode(&value)?;
        let file = row.file.ok_or(ReadError::NotHere)?;
        return Ok((file.reference(*blob), What::Put, file.upload));
    }
    let value = rows.get(Tree::Blobs, &What::Get.key(blob))?.ok_or(ReadError::NotHere)?;
    let row: GetRow = decode(&value)?;
    let view = row.view().ok_or(ReadError::NotHere)?;
    if view.state != BlobState::Fetched {
        return Err(ReadError::NotWhole {
            here_bytes: view.here_bytes,
            length_bytes: view.length_bytes,
        });
    }
    let reference = row.reference().ok_or(ReadError::NotHere)?;
    Ok((reference, What::Get, blob.0))
}

fn chunk_of(
    rows: &dyn Rows,
    reference: &BlobRef,
    what: What,
    place: &[u8; 32],
    index: u32,
) -> Result<Vec<u8>, ReadError> {
    // What can't be read of a chunk is told apart from a store that fails by what the owner does with it.
    let stored = rows.get(Tree::BlobChunks, &what.chunk_key(place, index))?;
    let chunk = stored.and_then(|value| Chunk::decode(&value).ok());
    let chunk = chunk.ok_or(ReadError::Damaged)?;
    blob::open_chunk(reference, index, &chunk.bytes).map_err(|error| match error {
        BlobError::TooLarge { .. } | BlobError::Chunk { .. } | BlobError::Incomplete { .. } | BlobError::Sealed => {
            ReadError::Sealed
        }
    })
}
