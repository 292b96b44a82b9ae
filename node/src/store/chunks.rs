//! Chunks of blobs as files: sled reclaims large values badly and a compaction would copy them, so that their bytes are beside it.
//!
//! ```text
//! DATA/blobs/29-<prefix>   the chunks of one blob: tree and key without the index, in hex; chunk i at i × 64 KiB
//! ```
//!
//! The row of a chunk holds its length and hash ([`Place`]) and is what makes it count: the bytes are written and synced before the batch
//! that names them, and a file goes after the batch that removed its last row is on disk. What a crash leaves between the two is
//! overwritten, or removed at opening. Chunks are ciphertext already and are written once: another value for the key of one that is
//! there takes the place of the old bytes before its batch counts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::thread;

use madang_protocol::rows::Tree;

use super::levels::Levels;
use super::rows::{self, Failure, StoredKey, Unreadable};
use super::{StoreError, Writes, files};
use crate::failpoint;

/// Name of the directory.
const DIR: &str = "blobs";
/// Bytes from one chunk to the next: a chunk of 60 KiB, sealed, with its proof, and some to spare.
const SLOT: usize = 64 * 1024;
/// Bytes of the index at the end of a key.
const INDEX: usize = 4;
/// Bytes of a key without its index: a way or a number, and a blob. The file's name is twice as long.
const MAX_PREFIX: usize = 64;
/// Bytes of a row's value.
const PLACE: usize = 4 + 32;

/// The trees whose values are in files.
const TREES: [Tree; 2] = [Tree::BlobChunks, Tree::RelayChunks];

/// Whether the values of a tree are in files.
pub(super) fn holds(tree: Tree) -> bool {
    TREES.contains(&tree)
}

/// The tree of a number, if its values are in files.
fn tree_of(number: u8) -> Option<Tree> {
    TREES.into_iter().find(|tree| *tree as u8 == number)
}

/// What the row of a chunk says: length and BLAKE3 hash of its bytes.
#[derive(PartialEq, Eq)]
struct Place {
    len: u32,
    hash: [u8; 32],
}

impl Place {
    fn of(value: &[u8]) -> Self {
        Self {
            // A chunk that is longer was refused.
            len: u32::try_from(value.len()).unwrap_or(u32::MAX),
            hash: *blake3::hash(value).as_bytes(),
        }
    }

    fn encode(&self) -> Vec<u8> {
        [self.len.to_be_bytes().as_slice(), &self.hash].concat()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; PLACE] = bytes.try_into().ok()?;
        let (len, hash) = bytes.split_first_chunk()?;
        let len = u32::from_be_bytes(*len);
        (len as usize <= SLOT).then_some(Self {
            len,
            hash: hash.try_into().ok()?,
        })
    }
}

/// What has a file of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Blob {
    tree: Tree,
    prefix: Vec<u8>,
}

impl Blob {
    /// Of a chunk's key, with the chunk's index; `None` if no chunk has such a key.
    fn of(tree: Tree, key: &[u8]) -> Option<(Self, u32)> {
        let (prefix, index) = key.split_last_chunk::<INDEX>()?;
        if prefix.is_empty() || prefix.len() > MAX_PREFIX {
            return None;
        }
        let prefix = prefix.to_vec();
        Some((Self { tree, prefix }, u32::from_be_bytes(*index)))
    }

    fn name(&self) -> String {
        format!("{:02x}-{}", self.tree as u8, hex::encode(&self.prefix))
    }

    fn of_name(name: &str) -> Option<Self> {
        let (tree, prefix) = name.split_once('-')?;
        let tree = u8::from_str_radix(tree, 16).ok().and_then(tree_of)?;
        let prefix = hex::decode(prefix).ok()?;
        Some(Self { tree, prefix })
    }
}

/// Chunks of a batch on their way into files, and files that may be over after it.
#[derive(Default)]
pub(super) struct ChunkWrites<'a> {
    written: BTreeMap<Blob, Vec<(u32, &'a [u8])>>,
    removed: BTreeSet<Blob>,
}

impl<'a> ChunkWrites<'a> {
    /// Those among a batch's writes.
    pub(super) fn of(writes: &Writes<'a>) -> Result<Self, StoreError> {
        let mut chunks = Self::default();
        for (&(tree, key), &value) in writes.iter().filter(|((tree, _), _)| holds(*tree)) {
            match value {
                Some(value) => chunks.put(tree, key, value)?,
                None => chunks.removed.extend(Blob::of(tree, key).map(|(blob, _)| blob)),
            }
        }
        Ok(chunks)
    }

    fn put(&mut self, tree: Tree, key: &[u8], value: &'a [u8]) -> Result<(), StoreError> {
        let too_large = |part, len, limit| StoreError::RowTooLarge {
            part,
            tree: format!("{tree:?}"),
            len,
            limit,
        };
        if value.len() > SLOT {
            return Err(too_large("value", value.len(), SLOT));
        }
        let (blob, index) = Blob::of(tree, key).ok_or_else(|| too_large("key", key.len(), MAX_PREFIX + INDEX))?;
        self.written.entry(blob).or_default().push((index, value));
        Ok(())
    }

    /// Writes the chunks and puts them on disk, while something else is done: their rows are made.
    pub(super) fn write_while<T>(&self, data: &Path, work: impl FnOnce() -> T) -> (Result<(), String>, T) {
        if self.written.is_empty() {
            return (Ok(()), work());
        }
        thread::scope(|scope| {
            let writer = thread::Builder::new().name("store-chunks".to_owned());
            match writer.spawn_scoped(scope, || self.write(data)) {
                Ok(writer) => {
                    let done = work();
                    let written = writer.join();
                    (
                        written.unwrap_or_else(|_| Err("writing a blob: a panic".to_owned())),
                        done,
                    )
                }
                // The system has no thread to spare.
                Err(_) => (self.write(data), work()),
            }
        })
    }

    fn write(&self, data: &Path) -> Result<(), String> {
        let dir = data.join(DIR);
        let mut made = false;
        for (blob, chunks) in &self.written {
            made |= write_chunks(&dir.join(blob.name()), chunks).map_err(|error| format!("writing a blob: {error}"))?;
        }
        if made && !failpoint::sync_is_off() {
            files::sync_dir(&dir).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// Removes the files without any chunk, once the batch is on disk.
    pub(super) fn clean(&self, data: &Path, levels: &Levels) {
        let dir = data.join(DIR);
        for blob in self.removed.iter().filter(|blob| !self.written.contains_key(blob)) {
            remove_if_over(&dir, blob, levels);
        }
    }
}

/// Writes chunks of one file; true if it wasn't there.
fn write_chunks(path: &Path, chunks: &[(u32, &[u8])]) -> std::io::Result<bool> {
    let made = !path.exists();
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    files::private(&mut options);
    let mut file = options.open(path)?;
    for (index, value) in chunks {
        file.seek(SeekFrom::Start(offset(*index)))?;
        file.write_all(value)?;
    }
    if !failpoint::sync_is_off() {
        file.sync_data()?;
    }
    Ok(made)
}

fn offset(index: u32) -> u64 {
    u64::from(index) * SLOT as u64
}

/// Makes the directory, and removes what no row names: a crash between writing chunks and naming them leaves such files, and one
/// between removing rows and their file.
pub(super) fn begin(data: &Path, levels: &Levels) -> Result<(), StoreError> {
    let dir = data.join(DIR);
    files::create_dir(&dir)?;
    for entry in fs::read_dir(&dir).map_err(StoreError::io("list", &dir))? {
        let entry = entry.map_err(StoreError::io("list", &dir))?;
        // What isn't ours stays.
        if let Some(blob) = entry.file_name().to_str().and_then(Blob::of_name) {
            remove_if_over(&dir, &blob, levels);
        }
    }
    Ok(())
}

/// Removes a file of which no chunk has a row. One that stays is tried again at the next opening.
fn remove_if_over(dir: &Path, blob: &Blob, levels: &Levels) {
    let from = StoredKey::row(blob.tree, &blob.prefix);
    let to = StoredKey::row(blob.tree, &madang_protocol::rows::prefix_end(&blob.prefix));
    // A row that can't be read is one all the same.
    if levels.rows(&from.0, &to.0, false).next().is_some() {
        return;
    }
    if let Err(error) = files::remove_if_there(&dir.join(blob.name())) {
        tracing::warn!(%error, "a blob without chunks stays behind");
    }
}

/// The value of a chunk's row.
pub(super) fn row(chunk: &[u8]) -> Vec<u8> {
    Place::of(chunk).encode()
}

/// The value of a row, which is the chunk that the row stands for where the tree has files.
pub(super) fn resolve(data: &Path, stored: &[u8], value: Vec<u8>) -> Result<Vec<u8>, Failure> {
    let Some(tree) = stored.first().copied().and_then(tree_of) else {
        return Ok(value);
    };
    let unreadable = |unreadable| Failure::Row {
        key: stored.to_vec(),
        unreadable,
    };
    let place = Place::decode(&value).ok_or_else(|| unreadable(Unreadable::Authentication))?;
    let found = Blob::of(tree, &rows::row_key(stored));
    let (blob, index) = found.ok_or_else(|| unreadable(Unreadable::Authentication))?;
    let path = data.join(DIR).join(blob.name());
    let chunk = match read_chunk(&path, index, place.len) {
        Ok(chunk) => chunk,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::UnexpectedEof) => {
            return Err(unreadable(Unreadable::MissingPiece));
        }
        Err(error) => return Err(Failure::Engine(format!("reading {}: {error}", path.display()))),
    };
    if Place::of(&chunk) == place {
        Ok(chunk)
    } else {
        Err(unreadable(Unreadable::Authentication))
    }
}

fn read_chunk(path: &PathBuf, index: u32, len: u32) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(offset(index)))?;
    let mut chunk = vec![0; len as usize];
    file.read_exact(&mut chunk)?;
    Ok(chunk)
}
