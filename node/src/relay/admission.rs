//! Whom the relay admits: `tokens.json` in its data directory, or a list of transport keys in a file of the operator's.
//!
//! Tokens are kept as hashes. The file can be changed while the relay runs, which looks at it again with each tick.

use std::collections::BTreeSet;
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use madang_protocol::custody::relay::Door;
use madang_protocol::custody::{AdmissionToken, TokenHash};
use madang_protocol::keys::TransportKey;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::clock::now_ms;
use crate::config::{Admission, NodeError};
use crate::net::parse_address;

/// The file of tokens in the data directory.
const TOKENS: &str = "tokens.json";
/// Tokens of a relay: bounds the file (guess: a relay of friends, not of a country).
const MAX_TOKENS: usize = 10_000;
/// Bytes of a file of tokens or keys.
const MAX_FILE: u64 = 4 * 1024 * 1024;
/// Bytes of a label.
const MAX_LABEL: usize = 64;
/// Random bytes of a token: 128 bits can't be guessed.
const TOKEN_BYTES: usize = 16;
/// What tokens begin with, so that people and scanners know one when they see it.
const TOKEN_PREFIX: &str = "madang-relay-token-";

/// A token, as far as the relay knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelayToken {
    /// What `revoke` takes.
    pub id: String,
    /// What the operator called it.
    pub label: String,
    /// When it was made, Unix seconds.
    pub created_s: u64,
    /// BLAKE3 of it in hex.
    hash: String,
}

/// Makes a token and returns it with its entry; it is kept nowhere else.
///
/// # Errors
/// [`NodeError::Config`] if the label can't be used or there are too many; [`NodeError::Store`] if the file can't be read or written.
pub fn new_relay_token(data: &Path, label: &str) -> Result<(RelayToken, Zeroizing<String>), NodeError> {
    if label.len() > MAX_LABEL || label.chars().any(char::is_control) {
        return Err(NodeError::Config {
            field: "--label",
            reason: format!("at most {MAX_LABEL} bytes and no control characters are allowed"),
        });
    }
    let mut tokens = relay_tokens(data)?;
    if tokens.len() >= MAX_TOKENS {
        return Err(NodeError::Config {
            field: "token",
            reason: format!("there are {MAX_TOKENS} tokens already; revoke some"),
        });
    }
    let mut bytes = Zeroizing::new([0; TOKEN_BYTES]);
    getrandom::fill(bytes.as_mut_slice()).map_err(|error| NodeError::Other {
        reason: format!("the operating system gave no randomness: {error}"),
    })?;
    let text = Zeroizing::new(format!("{TOKEN_PREFIX}{}", hex::encode(bytes.as_slice())));
    let hash = hex::encode(token_hash(&text).unwrap_or(TokenHash([0; 32])).0);
    let token = RelayToken {
        id: hash.chars().take(8).collect(),
        label: label.to_owned(),
        created_s: now_ms() / 1000,
        hash,
    };
    tokens.push(token.clone());
    write(data, &tokens)?;
    Ok((token, text))
}

/// Lists a relay's tokens in the order in which they were made.
///
/// # Errors
/// [`NodeError::Store`] if the file can't be read.
pub fn relay_tokens(data: &Path) -> Result<Vec<RelayToken>, NodeError> {
    let path = data.join(TOKENS);
    let Some(text) = read(&path, MAX_FILE).map_err(|reason| fault(data, reason))? else {
        return Ok(Vec::new());
    };
    serde_json::from_str(&text).map_err(|error| fault(data, format!("{}: {error}", path.display())))
}

/// Revokes a token: whoever came with it is a guest from the next tick of the running relay on. False if there is none of that id.
///
/// # Errors
/// [`NodeError::Store`] if the file can't be read or written.
pub fn revoke_relay_token(data: &Path, id: &str) -> Result<bool, NodeError> {
    let mut tokens = relay_tokens(data)?;
    let before = tokens.len();
    tokens.retain(|token| token.id != id);
    if tokens.len() == before {
        return Ok(false);
    }
    write(data, &tokens)?;
    Ok(true)
}

/// Reads whom the relay admits.
///
/// # Errors
/// [`NodeError::Store`] and [`NodeError::Config`] with what is wrong with the file.
pub(super) fn door(data: &Path, admission: &Admission) -> Result<Door, NodeError> {
    match admission {
        Admission::Open => Ok(Door::Open),
        Admission::Token => {
            let hashes = relay_tokens(data)?.into_iter().filter_map(|token| unhex(&token.hash));
            Ok(Door::Tokens(hashes.map(TokenHash).collect()))
        }
        Admission::List(path) => Ok(Door::Peers(listed(path)?)),
    }
}

fn listed(path: &Path) -> Result<BTreeSet<TransportKey>, NodeError> {
    let wrong = |reason: String| NodeError::Config {
        field: "--admission-list",
        reason,
    };
    let text = read(path, MAX_FILE).map_err(wrong)?;
    let text = text.ok_or_else(|| wrong(format!("{} doesn't exist", path.display())))?;
    let mut peers = BTreeSet::new();
    for (line, text) in text.lines().enumerate() {
        let text = text.split('#').next().unwrap_or_default().trim();
        if text.is_empty() {
            continue;
        }
        let key = unhex(text).or_else(|| parse_address(text).ok().map(|(peer, _)| peer.0));
        let key = key.ok_or_else(|| {
            wrong(format!(
                "{}, line {}: neither a transport key in hex nor an address that ends in /p2p/…",
                path.display(),
                line + 1
            ))
        })?;
        peers.insert(TransportKey(key));
    }
    Ok(peers)
}

fn token_hash(text: &str) -> Option<TokenHash> {
    AdmissionToken::new(text.as_bytes()).map(|token| token.hash())
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    hex::decode(text).ok()?.try_into().ok()
}

/// Reads a small file; none if there is none.
pub(super) fn read(path: &Path, max_bytes: u64) -> Result<Option<String>, String> {
    let text = fs::metadata(path).and_then(|meta| match meta.len() {
        len if len > max_bytes => Err(std::io::Error::other(format!("it is over {max_bytes} bytes"))),
        _ => fs::read_to_string(path).map(Some),
    });
    match text {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        text => text.map_err(|error| format!("can't read {}: {error}", path.display())),
    }
}

/// Replaces the file as a whole, so that a relay never reads half of it.
fn write(data: &Path, tokens: &[RelayToken]) -> Result<(), NodeError> {
    let path = data.join(TOKENS);
    let text = serde_json::to_string_pretty(tokens).map_err(|error| fault(data, error.to_string()))?;
    replace(&path, text.as_bytes()).map_err(|error| fault(data, format!("can't write {}: {error}", path.display())))
}

/// Replaces a small file of the data directory, readable by its owner alone.
pub(super) fn replace(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let temporary = path.with_extension("new");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&temporary)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&temporary, path)
}

/// What went wrong with a file of the data directory.
pub(super) fn fault(data: &Path, reason: String) -> NodeError {
    NodeError::Store {
        data: data.to_owned(),
        reason,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_kept_as_a_hash_and_opens_the_door_until_it_is_revoked() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(
            door(dir.path(), &Admission::Token).unwrap(),
            Door::Tokens(BTreeSet::new())
        );
        let (token, text) = new_relay_token(dir.path(), "for bob").unwrap();
        let (other, _) = new_relay_token(dir.path(), "").unwrap();

        let file = fs::read_to_string(dir.path().join(TOKENS)).unwrap();
        assert!(!file.contains(text.strip_prefix(TOKEN_PREFIX).unwrap()));
        assert_eq!(relay_tokens(dir.path()).unwrap(), [token.clone(), other.clone()]);
        let hash = token_hash(&text).unwrap();
        let admitted = |door: Door| matches!(door, Door::Tokens(hashes) if hashes.contains(&hash));
        assert!(admitted(door(dir.path(), &Admission::Token).unwrap()));

        assert!(revoke_relay_token(dir.path(), &token.id).unwrap());
        assert!(!revoke_relay_token(dir.path(), &token.id).unwrap());
        assert!(!admitted(door(dir.path(), &Admission::Token).unwrap()));
        assert_eq!(relay_tokens(dir.path()).unwrap(), [other]);
        assert!(new_relay_token(dir.path(), "a\u{1b}b").is_err());
    }

    #[test]
    fn a_list_holds_keys_and_addresses_and_says_which_line_is_wrong() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("peers");
        let list = Admission::List(path.clone());
        assert!(
            door(dir.path(), &list).is_err(),
            "a list that isn't there admits nobody by mistake"
        );
        let key = "ab".repeat(32);
        fs::write(&path, format!("# friends\n\n{key}  # bob\n")).unwrap();
        assert_eq!(
            door(dir.path(), &list).unwrap(),
            Door::Peers([TransportKey([0xab; 32])].into())
        );
        fs::write(&path, format!("{key}\nnonsense\n")).unwrap();
        assert!(door(dir.path(), &list).unwrap_err().to_string().contains("line 2"));
    }
}
