//! The base of a generation: a file that is written once, with the rows that were there when a compaction began.
//!
//! | part | bytes | content |
//! |---|---|---|
//! | magic | 8 | `mdgbase1` |
//! | build id | 32 | random; the file's key is derived from it and the generation's data key |
//! | blocks | – | each sealed, 16 bytes longer than its plaintext |
//! | index | – | sealed |
//! | footer | 8 | offset of the index, big-endian |
//!
//! A block has rows of one tree in the order of their stored keys: about [`BLOCK`] bytes of them, or one that is larger. The index has
//! the number of rows, their bytes, of each block its length and the shortest key that is greater than those of the block before, and a
//! filter over all keys. `build.rs` writes both, `block.rs` has their encoding. Everything is sealed with XChaCha20-Poly1305; the nonce
//! is the offset in the file, which no other content shares, since the key is the file's own; the associated data says whether it is a
//! block or the index.
//!
//! The file is complete and on disk before `current` names it, so that one that is cut, mixed or foreign fails to open.

mod block;
mod build;
mod filter;

use std::collections::{BTreeSet, VecDeque};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::{Arc, Mutex};

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

use super::keys::{Key, NONCE_LEN, TAG_LEN};
use super::rows::{Entry, Failure, MAX_STORED_KEY, MAX_VALUE, Unreadable};
use super::{StoreError, lock};
use block::{Block, Index};

pub(super) use build::Builder;

/// Bytes of rows after which a block is closed: a page of most file systems (guess), some 15 short rows.
const BLOCK: usize = 4096;
/// Bytes of a sealed block at most: one row of the largest size and its lengths.
const MAX_BLOCK: usize = BLOCK + MAX_STORED_KEY + MAX_VALUE + 32;
/// Opened blocks that are kept, each of about [`BLOCK`] bytes: what walks along the rows finds its block again (guess).
const KEPT_BLOCKS: usize = 32;
/// Bytes of the largest block that is kept (guess); larger ones hold a single row.
const KEPT_BLOCK: usize = 4 * BLOCK;
const MAGIC: [u8; 8] = *b"mdgbase1";
const ID_LEN: usize = 32;
const FOOTER_LEN: usize = 8;
const A_BLOCK: u8 = 1;
const THE_INDEX: u8 = 2;

/// An open base.
pub(super) struct Base {
    cipher: XChaCha20Poly1305,
    id: [u8; ID_LEN],
    index: Index,
    len: u64,
    reader: Mutex<Reader>,
}

struct Reader {
    file: File,
    kept: VecDeque<(usize, Arc<Block>)>,
    /// Numbers of the blocks that were moved aside as damaged: they count as empty.
    gone: BTreeSet<usize>,
    /// Numbers of the blocks that were found damaged since the base was opened.
    damaged: BTreeSet<usize>,
}

impl Base {
    /// Opens the base at `path`, whose generation has `data_key`.
    pub(super) fn open(path: &Path, data_key: &Key) -> Result<Self, StoreError> {
        let damaged = |reason: &str| StoreError::damaged(path, reason);
        let mut file = File::open(path).map_err(StoreError::io("open", path))?;
        let len = file.metadata().map_err(StoreError::io("read", path))?.len();
        let mut head = [0; MAGIC.len() + ID_LEN];
        let least = (head.len() + FOOTER_LEN + TAG_LEN) as u64;
        if len < least {
            return Err(damaged("it lost its end"));
        }
        file.read_exact(&mut head).map_err(StoreError::io("read", path))?;
        let Some(id) = head
            .strip_prefix(&MAGIC)
            .and_then(|id| <[u8; ID_LEN]>::try_from(id).ok())
        else {
            return Err(damaged("it doesn't begin like a base"));
        };
        let cipher = cipher(data_key, &id);
        let mut footer = [0; FOOTER_LEN];
        file.seek(SeekFrom::Start(len - FOOTER_LEN as u64))
            .and_then(|_| file.read_exact(&mut footer))
            .map_err(StoreError::io("read", path))?;
        let offset = u64::from_be_bytes(footer);
        if offset < head.len() as u64 || offset > len - (FOOTER_LEN + TAG_LEN) as u64 {
            return Err(damaged("it lost its end"));
        }
        // The index is a hundredth of the file.
        let sealed_len = usize::try_from(len - FOOTER_LEN as u64 - offset).map_err(|_| damaged("it is too large"))?;
        let sealed = read_at(&mut file, offset, sealed_len).map_err(StoreError::io("read", path))?;
        let plain = open_part(&cipher, THE_INDEX, offset, &sealed)
            .map_err(|_| damaged("its index fails authentication: it lost its end, or is of another store"))?;
        let index =
            Index::decode(&plain, head.len() as u64, offset).ok_or_else(|| damaged("its index can't be read"))?;
        Ok(Self {
            cipher,
            id,
            index,
            len,
            reader: Mutex::new(Reader {
                file,
                kept: VecDeque::new(),
                gone: BTreeSet::new(),
                damaged: BTreeSet::new(),
            }),
        })
    }

    /// What tells this base from all others, in hex.
    pub(super) fn id(&self) -> String {
        hex::encode(self.id)
    }

    /// Bytes of the file.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// The number of rows.
    pub(super) fn rows(&self) -> u64 {
        self.index.rows
    }

    /// Reads the value of a stored key.
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
        let Some(number) = self.index.block_of(key).filter(|_| self.index.filter.may_have(key)) else {
            return Ok(None);
        };
        let block = self.block(number).map_err(|failure| failure.at(key))?;
        Ok(block.find(key))
    }

    /// Walks the rows with `from <= key < to`; a block that can't be read is one error, and the walk goes on behind it.
    pub(super) fn iter<'a>(&'a self, from: &[u8], to: &[u8], reverse: bool) -> Iter<'a> {
        let first = self.index.blocks_from(from).unwrap_or_default();
        let end = self.index.blocks_before(to).max(first);
        Iter {
            base: self,
            blocks: first..end,
            from: from.to_vec(),
            to: to.to_vec(),
            reverse,
            rows: Vec::new(),
        }
    }

    /// The block that holds a key, or would, if it can't be read: its number, and its bytes as the file has them.
    pub(super) fn damaged_block(&self, key: &[u8]) -> Result<Option<(usize, Vec<u8>)>, Failure> {
        let Some(number) = self.index.block_of(key) else {
            return Ok(None);
        };
        match self.block(number) {
            Ok(_) => return Ok(None),
            Err(Failure::Row { .. }) => {}
            Err(failure) => return Err(failure),
        }
        let Some((offset, len)) = self.index.place(number) else {
            return Ok(None);
        };
        let bytes = read_at(&mut lock(&self.reader).file, offset, len).map_err(|e| Failure::Engine(e.to_string()))?;
        Ok(Some((number, bytes)))
    }

    /// Whether the block that holds a key, or would, was found damaged and not moved aside since.
    pub(super) fn is_known_damaged(&self, key: &[u8]) -> bool {
        let reader = lock(&self.reader);
        let damaged = |number| reader.damaged.contains(&number) && !reader.gone.contains(&number);
        !reader.damaged.is_empty() && self.index.block_of(key).is_some_and(damaged)
    }

    /// Takes blocks as empty from now on.
    pub(super) fn forget(&self, blocks: impl IntoIterator<Item = usize>) {
        let mut reader = lock(&self.reader);
        reader.kept.clear();
        reader.gone.extend(blocks);
    }

    fn block(&self, number: usize) -> Result<Arc<Block>, Failure> {
        let mut reader = lock(&self.reader);
        if let Some((_, block)) = reader.kept.iter().find(|(n, _)| *n == number) {
            return Ok(Arc::clone(block));
        }
        let Some((offset, len)) = self.index.place(number) else {
            return Ok(Arc::default());
        };
        if reader.gone.contains(&number) {
            return Ok(Arc::default());
        }
        let unreadable = |unreadable| Failure::Row {
            key: self.index.separator(number).to_vec(),
            unreadable,
        };
        if len > MAX_BLOCK + TAG_LEN {
            return Err(unreadable(Unreadable::Authentication));
        }
        let sealed = read_at(&mut reader.file, offset, len).map_err(|e| Failure::Engine(e.to_string()))?;
        let opened = open_part(&self.cipher, A_BLOCK, offset, &sealed);
        if opened.is_err() {
            reader.damaged.insert(number);
        }
        let plain = opened.map_err(unreadable)?;
        let block = Block::decode(plain).ok_or_else(|| unreadable(Unreadable::Authentication))?;
        let block = Arc::new(block);
        if block.len() <= KEPT_BLOCK {
            reader.kept.truncate(KEPT_BLOCKS - 1);
            reader.kept.push_front((number, Arc::clone(&block)));
        }
        Ok(block)
    }
}

/// A walk over the rows of a base.
pub(super) struct Iter<'a> {
    base: &'a Base,
    blocks: std::ops::Range<usize>,
    from: Vec<u8>,
    to: Vec<u8>,
    reverse: bool,
    /// What is left of the block at hand, the next row last.
    rows: Vec<Entry>,
}

impl Iterator for Iter<'_> {
    type Item = Result<Entry, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(row) = self.rows.pop() {
                return Some(Ok(row));
            }
            let number = if self.reverse {
                self.blocks.next_back()?
            } else {
                self.blocks.next()?
            };
            let block = match self.base.block(number) {
                Ok(block) => block,
                Err(failure) => return Some(Err(failure)),
            };
            self.rows = block.between(&self.from, &self.to);
            if !self.reverse {
                self.rows.reverse();
            }
        }
    }
}

fn cipher(data_key: &Key, id: &[u8]) -> XChaCha20Poly1305 {
    let root = zeroize::Zeroizing::new(blake3::derive_key("madang 2025 store v2 base", data_key.as_slice()));
    let key = zeroize::Zeroizing::new(*blake3::keyed_hash(&root, id).as_bytes());
    XChaCha20Poly1305::new((&*key).into())
}

fn nonce(offset: u64) -> XNonce {
    let mut nonce = [0; NONCE_LEN];
    let (_, last) = nonce.split_at_mut(NONCE_LEN - 8);
    last.copy_from_slice(&offset.to_be_bytes());
    XNonce::from(nonce)
}

fn open_part(cipher: &XChaCha20Poly1305, part: u8, offset: u64, sealed: &[u8]) -> Result<Plain, Unreadable> {
    let payload = Payload {
        msg: sealed,
        aad: &[part],
    };
    let plain = cipher.decrypt(&nonce(offset), payload);
    plain.map(Plain::new).map_err(|_| Unreadable::Authentication)
}

/// Plaintext of many rows, wiped when dropped.
type Plain = zeroize::Zeroizing<Vec<u8>>;

fn read_at(file: &mut File, offset: u64, len: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; len];
    file.seek(SeekFrom::Start(offset))?;
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}
