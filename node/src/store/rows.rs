//! How a row becomes entries of the database: key, seal, pieces.
//!
//! | entry | key | value |
//! |---|---|---|
//! | whole row | tree, key | `0`, nonce, sealed value |
//! | head of a split row | tree, key | `1`, nonce, sealed (length, 4 bytes big-endian; value id, 16 random bytes) |
//! | piece of a split row | `0xfe`, tree, key, index (2 bytes big-endian) | `2`, nonce, sealed piece |
//! | tombstone | tree, key | `3`, nonce, sealed nothing: hides a row of a lower level |
//! | the store's own | `0xff`, name | as a whole row |
//!
//! The seal covers the tag byte and the whole stored key, and for a piece the value id, so that entries can't be swapped and pieces of
//! two values not mixed. Keys themselves are not sealed.
//!
//! In a stored key every third `0xff` of a run is followed by `0x80`. That keeps the order, and keeps sled's reverse iterator, which
//! steps back to "one less, then four `0xff`", from missing keys in between and circling until it panics.

use chacha20poly1305::aead::{Aead, AeadInOut, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use madang_protocol::rows::Tree;

use super::StoreError;
use super::engine::Change;
use super::keys::{self, Key, NONCE_LEN, TAG_LEN};

/// Bytes of a row's key at most (`Op::Put`).
pub(super) const MAX_KEY: usize = 256;
/// Bytes of a row's value at most: 8 MiB (guess); the largest known are ratchet trees of big groups, under 1 MiB.
pub(super) const MAX_VALUE: usize = 8 * 1024 * 1024;
/// Bytes of a piece, and of the largest value that is stored whole; see [`super::engine`] for the reason.
pub(super) const PIECE: usize = 4096;
/// Bytes that sealing adds: kind of entry, nonce, tag.
pub(super) const OVERHEAD: usize = 1 + NONCE_LEN + TAG_LEN;
/// Bytes of a stored key at most: two prefix bytes, the key with its escapes, an index.
pub(super) const MAX_STORED_KEY: usize = 2 + MAX_KEY + MAX_KEY / 3 + 2;

/// Bytes that tell the pieces of one value from those of another.
const VALUE_ID_LEN: usize = 16;
const WHOLE: u8 = 0;
const HEAD: u8 = 1;
const PART: u8 = 2;
const TOMBSTONE: u8 = 3;
/// First byte of the keys of pieces; no tree has this number.
pub(super) const PIECES: u8 = 0xfe;
/// First byte of the keys of the store's own entries; no tree has this number.
const OWN: u8 = 0xff;

/// Why an entry can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unreadable {
    /// The entry was changed, moved, or sealed under another key.
    #[error("a record fails authentication")]
    Authentication,
    /// A piece of a split row isn't there.
    #[error("a record has lost a piece")]
    MissingPiece,
}

/// A stored key and its value.
pub(super) type Entry = (Vec<u8>, Vec<u8>);

/// The pieces that a head announces.
pub(super) struct Head {
    len: usize,
    id: [u8; VALUE_ID_LEN],
}

/// Why a read failed, before it is put in words.
#[derive(Debug)]
pub(super) enum Failure {
    /// The database or the file system refused.
    Engine(String),
    /// A row can't be read.
    Row {
        /// Its stored key; of a base's block, one that falls into the block.
        key: Vec<u8>,
        /// Why.
        unreadable: Unreadable,
    },
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Engine(reason) => f.write_str(reason),
            Self::Row { key, unreadable } => {
                let tree = key.first().copied().unwrap_or_default();
                write!(f, "tree {tree}, key {}: {unreadable}", hex::encode(row_key(key)))
            }
        }
    }
}

impl Failure {
    /// The same, of a row that was asked for.
    pub(super) fn at(self, asked: &[u8]) -> Self {
        match self {
            Self::Row { unreadable, .. } => Self::Row {
                key: asked.to_vec(),
                unreadable,
            },
            other => other,
        }
    }
}

/// Nonces of one batch: the first is drawn at random, the others count on from it.
pub(super) struct Nonces([u8; NONCE_LEN]);

impl Nonces {
    pub(super) fn draw() -> Result<Self, StoreError> {
        let mut first = [0; NONCE_LEN];
        keys::fill(&mut first)?;
        Ok(Self(first))
    }

    fn next(&mut self) -> [u8; NONCE_LEN] {
        let nonce = self.0;
        for byte in &mut self.0 {
            *byte = byte.wrapping_add(1);
            if *byte != 0 {
                break;
            }
        }
        nonce
    }
}

/// Seals and opens the rows of a generation's database.
pub(super) struct Sealer {
    cipher: XChaCha20Poly1305,
}

impl Sealer {
    /// Derives the key of rows from a generation's data key.
    pub(super) fn new(data_key: &Key) -> Self {
        let key = zeroize::Zeroizing::new(blake3::derive_key("madang 2025 store v2 values", data_key.as_slice()));
        Self {
            cipher: XChaCha20Poly1305::new((&*key).into()),
        }
    }

    /// Seals a value into the entries that replace its row, one, or a head and its pieces; returns the number of pieces.
    pub(super) fn seal(
        &self,
        key: &StoredKey,
        value: &[u8],
        nonces: &mut Nonces,
        changes: &mut Vec<Change>,
    ) -> Result<usize, StoreError> {
        if value.len() <= PIECE {
            let sealed = self.seal_entry(WHOLE, &key.0, &[], value, nonces)?;
            changes.push((key.0.clone(), Some(sealed)));
            return Ok(0);
        }
        let mut head = Head {
            len: value.len(),
            id: [0; VALUE_ID_LEN],
        };
        keys::fill(&mut head.id)?;
        let sealed = self.seal_entry(HEAD, &key.0, &[], &head.encode(), nonces)?;
        changes.push((key.0.clone(), Some(sealed)));
        let pieces = value.chunks(PIECE);
        let count = pieces.len();
        for (index, piece) in pieces.enumerate() {
            let piece_key = key.piece(index);
            let sealed = self.seal_entry(PART, &piece_key, &head.id, piece, nonces)?;
            changes.push((piece_key, Some(sealed)));
        }
        Ok(count)
    }

    /// Seals the entry that hides a row of a lower level.
    pub(super) fn tombstone(&self, key: &StoredKey, nonces: &mut Nonces) -> Result<Change, StoreError> {
        let sealed = self.seal_entry(TOMBSTONE, &key.0, &[], &[], nonces)?;
        Ok((key.0.clone(), Some(sealed)))
    }

    /// Opens a row's entry, fetching its pieces if it has any; `None` if it is a tombstone.
    pub(super) fn open(
        &self,
        key: &[u8],
        stored: &[u8],
        piece: impl Fn(&[u8]) -> Result<Option<Vec<u8>>, String>,
    ) -> Result<Option<Vec<u8>>, Failure> {
        let failed = |unreadable| Failure::Row {
            key: key.to_vec(),
            unreadable,
        };
        if is_tombstone(stored) {
            self.open_entry(TOMBSTONE, key, &[], stored).map_err(failed)?;
            return Ok(None);
        }
        if !is_head(stored) {
            return self.open_entry(WHOLE, key, &[], stored).map(Some).map_err(failed);
        }
        let head = self.open_entry(HEAD, key, &[], stored).map_err(failed)?;
        let head = Head::decode(&head).map_err(failed)?;
        let mut value = Vec::with_capacity(head.len);
        for index in 0..head.len.div_ceil(PIECE) {
            let piece_key = piece_key(key, index);
            let stored = piece(&piece_key).map_err(Failure::Engine)?;
            let stored = stored.ok_or(Unreadable::MissingPiece).map_err(failed)?;
            value.extend(self.open_entry(PART, &piece_key, &head.id, &stored).map_err(failed)?);
        }
        if value.len() != head.len {
            return Err(failed(Unreadable::Authentication));
        }
        Ok(Some(value))
    }

    fn seal_entry(
        &self,
        tag: u8,
        key: &[u8],
        id: &[u8],
        plain: &[u8],
        nonces: &mut Nonces,
    ) -> Result<Vec<u8>, StoreError> {
        let nonce = nonces.next();
        let aad = [&[tag], key, id].concat();
        let mut sealed = Vec::with_capacity(plain.len() + OVERHEAD);
        sealed.push(tag);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let (_, message) = sealed.split_at_mut(1 + NONCE_LEN);
        let mac = self
            .cipher
            .encrypt_inout_detached(&XNonce::from(nonce), &aad, message.into())
            .map_err(|_| StoreError::Commit {
                reason: "a value could not be sealed".to_owned(),
            })?;
        sealed.extend_from_slice(&mac);
        Ok(sealed)
    }

    fn open_entry(&self, tag: u8, key: &[u8], id: &[u8], stored: &[u8]) -> Result<Vec<u8>, Unreadable> {
        let failed = Unreadable::Authentication;
        let (first, rest) = stored.split_first().ok_or(failed)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>().ok_or(failed)?;
        if *first != tag {
            return Err(failed);
        }
        let aad = [&[tag], key, id].concat();
        let payload = Payload { msg: sealed, aad: &aad };
        self.cipher.decrypt(&XNonce::from(*nonce), payload).map_err(|_| failed)
    }
}

impl Head {
    fn encode(&self) -> Vec<u8> {
        // MAX_VALUE is far below 4 GiB and checked before anything is sealed.
        let len = u32::try_from(self.len).unwrap_or(u32::MAX);
        [len.to_be_bytes().as_slice(), &self.id].concat()
    }

    fn decode(bytes: &[u8]) -> Result<Self, Unreadable> {
        let failed = Unreadable::Authentication;
        let (len, id) = bytes.split_first_chunk().ok_or(failed)?;
        let len = usize::try_from(u32::from_be_bytes(*len)).map_err(|_| failed)?;
        let id = id.try_into().map_err(|_| failed)?;
        if len > MAX_VALUE {
            return Err(failed);
        }
        Ok(Self { len, id })
    }
}

/// The key of a row or of one of the store's own entries, as the database has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StoredKey(pub(super) Vec<u8>);

impl StoredKey {
    /// The key of a row, or a bound of a range of rows.
    pub(super) fn row(tree: Tree, key: &[u8]) -> Self {
        Self(escape(tree as u8, key))
    }

    /// The key of one of the store's own entries.
    pub(super) fn own(name: &str) -> Self {
        Self(escape(OWN, name.as_bytes()))
    }

    /// The key of the piece at `index`.
    pub(super) fn piece(&self, index: usize) -> Vec<u8> {
        piece_key(&self.0, index)
    }
}

fn piece_key(key: &[u8], index: usize) -> Vec<u8> {
    // At most MAX_VALUE / PIECE = 2048 pieces, so that the index adds no run of 0xff either.
    let index = u16::try_from(index).unwrap_or(u16::MAX);
    let mut piece = Vec::with_capacity(key.len() + 3);
    piece.push(PIECES);
    piece.extend_from_slice(key);
    piece.extend_from_slice(&index.to_be_bytes());
    piece
}

/// Whether a stored value hides a row of a lower level.
pub(super) fn is_tombstone(stored: &[u8]) -> bool {
    stored.first() == Some(&TOMBSTONE)
}

/// Whether a stored value is the head of a split row.
pub(super) fn is_head(stored: &[u8]) -> bool {
    stored.first() == Some(&HEAD)
}

/// Undoes [`StoredKey::row`]; gives the key without its tree.
pub(super) fn row_key(stored: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(stored.len());
    let mut run = 0;
    for byte in stored.iter().skip(1) {
        if run == RUN {
            run = 0;
            continue;
        }
        run = if *byte == u8::MAX { run + 1 } else { 0 };
        key.push(*byte);
    }
    key
}

/// How many bytes `0xff` may follow each other in a stored key.
const RUN: usize = 3;
/// What follows such a run.
const BREAK: u8 = 0x80;

fn escape(first: u8, key: &[u8]) -> Vec<u8> {
    let mut stored = Vec::with_capacity(key.len() + 2);
    stored.push(first);
    let mut run = 0;
    for byte in key {
        stored.push(*byte);
        run = if *byte == u8::MAX { run + 1 } else { 0 };
        if run == RUN {
            stored.push(BREAK);
            run = 0;
        }
    }
    stored
}
