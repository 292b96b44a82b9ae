//! The file `format`: which version and kind a data directory has, and how its store key is sealed. JSON:
//!
//! | field | meaning |
//! |---|---|
//! | `format` | version of everything in the directory; a program refuses what is newer or older than it knows |
//! | `kind` | `node` or `relay` |
//! | `wrap.method` | `key_file` or `passphrase` |
//! | `wrap.memory_kib`, `passes`, `lanes`, `salt` | Argon2id's parameters, with `passphrase` only |
//! | `wrap.sealed_key` | nonce, ciphertext and tag of the store key in hex |
//!
//! It is written last when a directory is created and never changes.

use std::path::Path;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::keys::{self, KEY_LEN, KdfCost, Key, SALT_LEN, Unlock};
use super::{StoreError, StoreKind, files};

/// The version this program writes, and the only one it reads: format 1 was never released.
pub(super) const VERSION: u64 = 2;
/// Name of the format file in the data directory.
pub(super) const FORMAT_FILE: &str = "format";
/// Name of the key file in the data directory.
pub(super) const KEY_FILE: &str = "key";
/// Bytes of a format file or key file at most (guess), so that a wrong file isn't read into memory.
const MAX_FILE: u64 = 16 * 1024;

/// The content of the format file.
#[derive(Serialize, Deserialize)]
pub(super) struct Format {
    format: u64,
    pub(super) kind: StoreKind,
    wrap: Wrap,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "snake_case")]
enum Wrap {
    KeyFile {
        sealed_key: String,
    },
    Passphrase {
        memory_kib: u32,
        passes: u32,
        lanes: u32,
        salt: String,
        sealed_key: String,
    },
}

/// The one field that every version has.
#[derive(Deserialize)]
struct Version {
    format: u64,
}

impl Format {
    /// Reads the format file; `None` if there is none. Checks the version before it looks at anything else.
    pub(super) fn read(dir: &Path) -> Result<Option<Self>, StoreError> {
        let path = dir.join(FORMAT_FILE);
        let Some(bytes) = files::read(&path, MAX_FILE)? else {
            return Ok(None);
        };
        let damaged = |e: serde_json::Error| StoreError::damaged(&path, e.to_string());
        let Version { format: found } = serde_json::from_slice(&bytes).map_err(damaged)?;
        if found > VERSION {
            return Err(StoreError::NewerFormat {
                dir: dir.to_owned(),
                found,
                supported: VERSION,
            });
        }
        if found < VERSION {
            return Err(StoreError::OlderFormat {
                dir: dir.to_owned(),
                found,
                supported: VERSION,
            });
        }
        serde_json::from_slice(&bytes).map(Some).map_err(damaged)
    }

    /// Draws a store key and seals it; writes the key file if there is to be one, but not yet the format file.
    pub(super) fn create(
        dir: &Path,
        unlock: &Unlock,
        kind: StoreKind,
        cost: KdfCost,
    ) -> Result<(Self, Key), StoreError> {
        let store_key = keys::random_key()?;
        let wrap = match unlock {
            Unlock::KeyFile => {
                let under = keys::random_key()?;
                let text = Zeroizing::new(hex::encode(under.as_slice()));
                files::write_atomic(dir, KEY_FILE, text.as_bytes())?;
                let sealed = keys::wrap(&under, &store_key, &context(kind, "key_file"))?;
                Wrap::KeyFile {
                    sealed_key: hex::encode(sealed),
                }
            }
            Unlock::Passphrase(passphrase) => {
                let mut salt = [0; SALT_LEN];
                keys::fill(&mut salt)?;
                let under = keys::stretch(passphrase, &salt, cost)
                    .map_err(|reason| StoreError::damaged(&dir.join(FORMAT_FILE), reason))?;
                let sealed = keys::wrap(&under, &store_key, &context(kind, "passphrase"))?;
                Wrap::Passphrase {
                    memory_kib: cost.memory_kib,
                    passes: cost.passes,
                    lanes: cost.lanes,
                    salt: hex::encode(salt),
                    sealed_key: hex::encode(sealed),
                }
            }
        };
        let format = Self {
            format: VERSION,
            kind,
            wrap,
        };
        Ok((format, store_key))
    }

    /// Puts the format file in place: from here on the directory counts as created.
    pub(super) fn write(&self, dir: &Path) -> Result<(), StoreError> {
        let text =
            serde_json::to_vec_pretty(self).map_err(|e| StoreError::damaged(&dir.join(FORMAT_FILE), e.to_string()))?;
        files::write_atomic(dir, FORMAT_FILE, &text)
    }

    /// Opens the store key.
    pub(super) fn unlock(&self, dir: &Path, unlock: &Unlock) -> Result<Key, StoreError> {
        let path = dir.join(FORMAT_FILE);
        let dir = dir.to_owned();
        match (&self.wrap, unlock) {
            (Wrap::KeyFile { .. }, Unlock::Passphrase(_)) => Err(StoreError::PassphraseUnexpected { dir }),
            (Wrap::Passphrase { .. }, Unlock::KeyFile) => Err(StoreError::PassphraseNeeded { dir }),
            (Wrap::KeyFile { sealed_key }, Unlock::KeyFile) => {
                let under = read_key_file(&dir)?;
                let sealed = unhex(&path, sealed_key)?;
                keys::unwrap(&under, &sealed, &context(self.kind, "key_file"))
                    .ok_or_else(|| StoreError::damaged(&path, "the file `key` beside it doesn't open the store key"))
            }
            (
                Wrap::Passphrase {
                    memory_kib,
                    passes,
                    lanes,
                    salt,
                    sealed_key,
                },
                Unlock::Passphrase(passphrase),
            ) => {
                let cost = KdfCost {
                    memory_kib: *memory_kib,
                    passes: *passes,
                    lanes: *lanes,
                };
                let salt = unhex(&path, salt)?;
                let sealed = unhex(&path, sealed_key)?;
                let under =
                    keys::stretch(passphrase, &salt, cost).map_err(|reason| StoreError::damaged(&path, reason))?;
                keys::unwrap(&under, &sealed, &context(self.kind, "passphrase"))
                    .ok_or(StoreError::WrongPassphrase { dir })
            }
        }
    }
}

/// Binds a sealed store key to what it is for.
fn context(kind: StoreKind, method: &str) -> String {
    format!("madang store key, format {VERSION}, {kind}, {method}")
}

fn read_key_file(dir: &Path) -> Result<Key, StoreError> {
    let path = dir.join(KEY_FILE);
    let Some(text) = files::read(&path, MAX_FILE)?.map(Zeroizing::new) else {
        return Err(StoreError::Missing {
            dir: dir.to_owned(),
            what: KEY_FILE,
        });
    };
    let mut key = Zeroizing::new([0; KEY_LEN]);
    hex::decode_to_slice(text.trim_ascii(), &mut *key)
        .map_err(|_| StoreError::damaged(&path, "it isn't 64 hex digits"))?;
    Ok(key)
}

fn unhex(path: &Path, text: &str) -> Result<Vec<u8>, StoreError> {
    hex::decode(text).map_err(|e| StoreError::damaged(path, e.to_string()))
}
