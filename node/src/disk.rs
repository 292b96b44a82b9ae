//! How full the disk is.

use std::path::Path;

#[cfg(unix)]
use crate::failpoint;

/// Directories below the data directory that are looked into; the store has one level of them.
const DEPTH: usize = 3;

/// Bytes that a user may still write on the disk of a directory; `None` where the system doesn't say.
#[cfg(unix)]
pub(crate) fn free_bytes(dir: &Path) -> Option<u64> {
    if let Some(bytes) = failpoint::setting("MADANG_FREE_BYTES") {
        return Some(bytes);
    }
    let stat = rustix::fs::statvfs(dir).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Bytes that a user may still write on the disk of a directory; `None` where the system doesn't say.
#[cfg(not(unix))]
pub(crate) fn free_bytes(_: &Path) -> Option<u64> {
    None
}

/// Bytes of the files of a data directory; what vanishes meanwhile isn't counted.
pub(crate) fn used_bytes(dir: &Path) -> u64 {
    let mut dirs = vec![(dir.to_owned(), DEPTH)];
    let mut bytes = 0;
    while let Some((dir, depth)) = dirs.pop() {
        for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(meta) if meta.is_file() => bytes += meta.len(),
                Ok(meta) if meta.is_dir() && depth > 0 => dirs.push((entry.path(), depth - 1)),
                _ => {}
            }
        }
    }
    bytes
}
