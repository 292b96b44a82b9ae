//! Writes a base.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::{Aead, Payload};
use zeroize::Zeroizing;

use super::super::keys::{self, Key};
use super::super::{StoreError, files};
use super::block::{Index, push_row, separator};
use super::filter::{Filter, hash};
use super::{A_BLOCK, BLOCK, ID_LEN, MAGIC, Plain, THE_INDEX, cipher, nonce};

/// A base in the making.
pub(in super::super) struct Builder {
    path: PathBuf,
    file: BufWriter<File>,
    cipher: XChaCha20Poly1305,
    index: Index,
    block: Plain,
    /// The separator of the block at hand.
    first: Vec<u8>,
    /// The key of the last row.
    last: Vec<u8>,
    /// Of all keys, for the filter: 8 bytes a row while the file is built.
    hashes: Vec<u64>,
}

impl Builder {
    /// Begins a file at `path`, in place of one that is there.
    pub(in super::super) fn create(path: &Path, data_key: &Key) -> Result<Self, StoreError> {
        let mut id = [0; ID_LEN];
        keys::fill(&mut id)?;
        let mut file = BufWriter::new(files::create_file(path)?);
        file.write_all(&[MAGIC.as_slice(), &id].concat())
            .map_err(StoreError::io("write", path))?;
        Ok(Self {
            path: path.to_owned(),
            file,
            cipher: cipher(data_key, &id),
            index: Index::at((MAGIC.len() + ID_LEN) as u64),
            block: Zeroizing::default(),
            first: Vec::new(),
            last: Vec::new(),
            hashes: Vec::new(),
        })
    }

    /// Appends a row; its stored key is greater than those before.
    pub(in super::super) fn push(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        let full = self.block.len() + key.len() + value.len() > BLOCK;
        let other_tree = self.last.first() != key.first();
        if !self.block.is_empty() && (full || other_tree) {
            self.end_block()?;
        }
        let before = if self.block.is_empty() {
            self.first = separator(&self.last, key);
            &[]
        } else {
            self.last.as_slice()
        };
        push_row(&mut self.block, before, key, value);
        self.last.clear();
        self.last.extend_from_slice(key);
        self.hashes.push(hash(key));
        self.index.rows += 1;
        self.index.bytes += (key.len() + value.len()) as u64;
        Ok(())
    }

    /// The number of rows so far.
    pub(in super::super) fn rows(&self) -> u64 {
        self.index.rows
    }

    /// Writes what is missing; [`Complete::sync`] is to follow.
    pub(in super::super) fn complete(mut self) -> Result<Complete, StoreError> {
        if !self.block.is_empty() {
            self.end_block()?;
        }
        let offset = self.index.end();
        self.index.filter = Filter::of(&self.hashes);
        let plain = self.index.encode();
        self.seal(THE_INDEX, offset, &plain)?;
        let Self { path, mut file, .. } = self;
        file.write_all(&offset.to_be_bytes())
            .map_err(StoreError::io("write", &path))?;
        let file = file
            .into_inner()
            .map_err(|e| StoreError::io("write", &path)(e.into_error()))?;
        Ok(Complete { path, file })
    }

    fn end_block(&mut self) -> Result<(), StoreError> {
        let offset = self.index.end();
        let plain = std::mem::take(&mut self.block);
        let len = self.seal(A_BLOCK, offset, &plain)?;
        if !self.index.push(&self.first, len) {
            return Err(StoreError::Compaction {
                reason: "there are more rows than an index holds".to_owned(),
            });
        }
        Ok(())
    }

    fn seal(&mut self, part: u8, offset: u64, plain: &[u8]) -> Result<u64, StoreError> {
        let payload = Payload {
            msg: plain,
            aad: &[part],
        };
        let sealed = self.cipher.encrypt(&nonce(offset), payload);
        let sealed = sealed.map_err(|_| StoreError::Compaction {
            reason: "rows could not be sealed".to_owned(),
        })?;
        self.file
            .write_all(&sealed)
            .map_err(StoreError::io("write", &self.path))?;
        Ok(sealed.len() as u64)
    }
}

/// A base that is written, but perhaps not on disk.
pub(in super::super) struct Complete {
    path: PathBuf,
    file: File,
}

impl Complete {
    /// Puts the file on disk.
    pub(in super::super) fn sync(self) -> Result<(), StoreError> {
        self.file.sync_all().map_err(StoreError::io("sync", &self.path))
    }
}
