//! The store key: random, and sealed at rest under a passphrase or under a key file.

use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use super::StoreError;

/// Bytes of a key. XChaCha20-Poly1305 takes no other.
pub(super) const KEY_LEN: usize = 32;
/// Bytes of a nonce of XChaCha20-Poly1305; long enough to be drawn at random for ever.
pub(super) const NONCE_LEN: usize = 24;
/// Bytes of a Poly1305 tag.
pub(super) const TAG_LEN: usize = 16;
/// Bytes of a salt for Argon2id (RFC 9106, section 3.1 recommends 16).
pub(super) const SALT_LEN: usize = 16;
/// The most memory a format file may ask of Argon2id, in KiB: 1 GiB (guess), so that a damaged file can't exhaust the machine.
const MAX_MEMORY_KIB: u32 = 1024 * 1024;
/// The most passes a format file may ask for (guess), for the same reason.
const MAX_PASSES: u32 = 64;
/// The most lanes a format file may ask for (guess), for the same reason.
const MAX_LANES: u32 = 16;

/// A secret key of 32 bytes; wiped when dropped.
pub(super) type Key = Zeroizing<[u8; KEY_LEN]>;

/// What opens a data directory.
pub enum Unlock {
    /// The file `key` in the data directory, mode 0600; made at random on creation.
    KeyFile,
    /// A passphrase, of any length but not empty.
    Passphrase(Zeroizing<String>),
}

impl fmt::Debug for Unlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyFile => f.write_str("KeyFile"),
            Self::Passphrase(_) => f.write_str("Passphrase(..)"),
        }
    }
}

/// What a guess of the passphrase costs; fixed when a directory is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KdfCost {
    /// Memory of Argon2id in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl KdfCost {
    /// 64 MiB and 3 passes (RFC 9106, section 4, second recommendation) in one lane, since the crate computes lanes in turn.
    pub const DEFAULT: Self = Self {
        memory_kib: 64 * 1024,
        passes: 3,
        lanes: 1,
    };
    /// The least Argon2id allows: for tests, protects nothing.
    pub const LEAST: Self = Self {
        memory_kib: 8,
        passes: 1,
        lanes: 1,
    };
}

/// Draws a key from the operating system.
pub(super) fn random_key() -> Result<Key, StoreError> {
    let mut key = Zeroizing::new([0; KEY_LEN]);
    fill(&mut *key)?;
    Ok(key)
}

/// Fills a buffer from the operating system's generator.
pub(super) fn fill(buffer: &mut [u8]) -> Result<(), StoreError> {
    getrandom::fill(buffer).map_err(|e| StoreError::Entropy { reason: e.to_string() })
}

/// Stretches a passphrase to a key; `Err` holds what is wrong with the parameters.
pub(super) fn stretch(passphrase: &str, salt: &[u8], cost: KdfCost) -> Result<Key, String> {
    if cost.memory_kib > MAX_MEMORY_KIB || cost.passes > MAX_PASSES || cost.lanes > MAX_LANES {
        return Err(format!(
            "it asks for {} KiB, {} passes and {} lanes of Argon2id, at most {MAX_MEMORY_KIB}, {MAX_PASSES} and {MAX_LANES} are given",
            cost.memory_kib, cost.passes, cost.lanes
        ));
    }
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(KEY_LEN)).map_err(|e| e.to_string())?;
    let mut key = Zeroizing::new([0; KEY_LEN]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.as_bytes(), salt, &mut *key)
        .map_err(|e| e.to_string())?;
    Ok(key)
}

/// Seals the store key under another key: nonce, ciphertext, tag.
pub(super) fn wrap(under: &Key, store_key: &Key, context: &str) -> Result<Vec<u8>, StoreError> {
    let mut nonce = [0; NONCE_LEN];
    fill(&mut nonce)?;
    let payload = Payload {
        msg: store_key.as_slice(),
        aad: context.as_bytes(),
    };
    let sealed = XChaCha20Poly1305::new((&**under).into())
        .encrypt(&XNonce::from(nonce), payload)
        .map_err(|_| StoreError::Entropy {
            reason: "the store key could not be sealed".to_owned(),
        })?;
    Ok([nonce.as_slice(), &sealed].concat())
}

/// Opens a sealed store key; `None` if it wasn't sealed under this key and context.
pub(super) fn unwrap(under: &Key, sealed: &[u8], context: &str) -> Option<Key> {
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>()?;
    let payload = Payload {
        msg: sealed,
        aad: context.as_bytes(),
    };
    let plain = XChaCha20Poly1305::new((&**under).into())
        .decrypt(&XNonce::from(*nonce), payload)
        .map(Zeroizing::new)
        .ok()?;
    plain.as_slice().try_into().map(Zeroizing::new).ok()
}
