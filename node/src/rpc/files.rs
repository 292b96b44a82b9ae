//! `DATA/cookie` and `DATA/rpc.json`: how programs of the same user find the JSON-RPC and show that they may use it.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, Zeroizing};

use super::server::RpcError;

const COOKIE: &str = "cookie";
const PLACES: &str = "rpc.json";
/// The Unix socket.
pub(super) const SOCKET: &str = "rpc.sock";

/// Bytes of a token before it is written in hex: 256 bits can't be guessed.
const TOKEN_LEN: usize = 32;

/// The bearer token, in hex.
pub(super) struct Token(Zeroizing<String>);

impl Token {
    /// Whether this is the token; takes the same time wherever the first difference is.
    pub(super) fn matches(&self, given: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(given).into()
    }

    /// Takes over the token of an earlier start, so that programs keep working, or makes one.
    ///
    /// A cookie that others could have read, or that holds something else, is replaced.
    pub(super) fn load(data: &Path) -> Result<Self, RpcError> {
        let path = data.join(COOKIE);
        if let Some(token) = kept(&path).map_err(|source| file_error(&path, source))? {
            return Ok(token);
        }
        let mut bytes = Zeroizing::new([0_u8; TOKEN_LEN]);
        getrandom::fill(bytes.as_mut_slice()).map_err(|error| RpcError::Entropy {
            reason: error.to_string(),
        })?;
        let token = Self(Zeroizing::new(hex::encode(bytes.as_slice())));
        replace(&path, token.0.as_bytes()).map_err(|source| file_error(&path, source))?;
        Ok(token)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(redacted)")
    }
}

/// Where a server listens.
pub(super) struct Places {
    pub(super) plain: SocketAddr,
    pub(super) secure: Option<SocketAddr>,
    /// The name that its certificate is for.
    pub(super) name: Option<String>,
    pub(super) socket: Option<PathBuf>,
}

/// Writes `rpc.json`.
pub(super) fn publish(data: &Path, at: &Places) -> Result<(), RpcError> {
    let plain = reachable(at.plain);
    let mut members = Map::new();
    let mut insert = |name: &str, place: String| members.insert(name.to_owned(), Value::String(place));
    insert("http", format!("http://{plain}"));
    insert("ws", format!("ws://{plain}"));
    if let Some(secure) = at.secure {
        let authority = match &at.name {
            Some(name) => format!("{name}:{}", secure.port()),
            None => reachable(secure).to_string(),
        };
        insert("https", format!("https://{authority}"));
        insert("wss", format!("wss://{authority}"));
    }
    // A path that isn't text can't be written here; whoever needs it knows the data directory.
    if let Some(socket) = at.socket.as_deref().and_then(Path::to_str) {
        insert("unix", socket.to_owned());
    }
    let places = Value::Object(members);
    let path = data.join(PLACES);
    replace(&path, places.to_string().as_bytes()).map_err(|source| file_error(&path, source))
}

fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// Removes `rpc.json` and the Unix socket, if they are there.
pub(super) fn withdraw(data: &Path) -> Result<(), RpcError> {
    for name in [PLACES, SOCKET] {
        let path = data.join(name);
        remove(&path).map_err(|source| file_error(&path, source))?;
    }
    Ok(())
}

fn kept(path: &Path) -> io::Result<Option<Token>> {
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let hex_len = u64::try_from(2 * TOKEN_LEN).unwrap_or(u64::MAX);
    if !metadata.is_file() || metadata.len() != hex_len || !is_private(&metadata) {
        return Ok(None);
    }
    let mut bytes = fs::read(path)?;
    let lower_hex = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
    let token = std::str::from_utf8(&bytes)
        .ok()
        .filter(|text| text.len() == 2 * TOKEN_LEN && text.as_bytes().iter().all(lower_hex))
        .map(|text| Token(Zeroizing::new(text.to_owned())));
    bytes.zeroize();
    Ok(token)
}

#[cfg(unix)]
fn is_private(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o077 == 0
}

#[cfg(not(unix))]
fn is_private(_: &fs::Metadata) -> bool {
    true
}

/// Replaces a file by a private one, whole or not at all.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    // A file of an earlier crash may have other permissions: a new one is made, never an old one filled.
    remove(&new)?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(&new)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    #[cfg(unix)]
    if let Some(directory) = path.parent() {
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn file_error(path: &Path, source: io::Error) -> RpcError {
    RpcError::File {
        path: PathBuf::from(path),
        source,
    }
}
