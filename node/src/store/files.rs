//! Files and directories that are private to their owner and on disk when a call returns.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::Path;

use super::StoreError;

/// Bytes of a file that are overwritten at most: only key files are, which have some hundred.
const MAX_OVERWRITE: u64 = 64 * 1024;

/// Creates a directory and its parents, itself with mode 0700, unless it exists.
pub(super) fn create_dir(path: &Path) -> Result<(), StoreError> {
    if path.is_dir() {
        return Ok(());
    }
    let Some(parent) = path.parent().filter(|p| !p.as_os_str().is_empty()) else {
        return make_dir(path);
    };
    fs::create_dir_all(parent).map_err(StoreError::io("create", parent))?;
    make_dir(path)?;
    sync_dir(parent)
}

/// Replaces a file with mode 0600 so that a crash leaves the old or the new content.
pub(super) fn write_atomic(dir: &Path, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
    let path = dir.join(name);
    let temp = dir.join(format!("{name}.tmp"));
    let mut file = create_file(&temp)?;
    file.write_all(bytes).map_err(StoreError::io("write", &temp))?;
    file.sync_all().map_err(StoreError::io("sync", &temp))?;
    fs::rename(&temp, &path).map_err(StoreError::io("replace", &path))?;
    sync_dir(dir)
}

/// Opens a file with mode 0600 for locking, created if absent.
pub(super) fn open_lock(path: &Path) -> Result<File, StoreError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    private(&mut options);
    options.open(path).map_err(StoreError::io("open", path))
}

/// Reads a file of at most `limit` bytes; `None` if it isn't there.
pub(super) fn read(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, StoreError> {
    let len = match fs::metadata(path) {
        Ok(meta) => meta.len(),
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(StoreError::io("read", path)(e)),
    };
    if len > limit {
        return Err(StoreError::damaged(
            path,
            format!("it has {len} bytes, at most {limit} are expected"),
        ));
    }
    fs::read(path).map(Some).map_err(StoreError::io("read", path))
}

/// Removes a file unless it is already gone.
pub(super) fn remove_if_there(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(StoreError::io("remove", path)(e)),
        _ => Ok(()),
    }
}

/// Overwrites a file in place with random bytes; best effort, since file systems and disks may keep the old blocks.
pub(super) fn overwrite(path: &Path) -> Result<(), StoreError> {
    let len = match fs::metadata(path) {
        Ok(meta) => meta.len().min(MAX_OVERWRITE),
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(StoreError::io("read", path)(e)),
    };
    let mut noise = vec![0; usize::try_from(len).unwrap_or_default()];
    super::keys::fill(&mut noise)?;
    let mut file = OpenOptions::new()
        .write(true)
        .open(path)
        .map_err(StoreError::io("open", path))?;
    file.write_all(&noise).map_err(StoreError::io("write", path))?;
    file.sync_all().map_err(StoreError::io("sync", path))
}

/// Removes a directory and what is in it, unless it is already gone.
pub(super) fn remove_dir(path: &Path) -> Result<(), StoreError> {
    match fs::remove_dir_all(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(StoreError::io("remove", path)(e)),
        _ => Ok(()),
    }
}

/// Creates a file with mode 0600 for writing and reading, in place of one that is there.
pub(super) fn create_file(path: &Path) -> Result<File, StoreError> {
    remove_if_there(path)?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    private(&mut options);
    options.open(path).map_err(StoreError::io("create", path))
}

/// Puts every file below `path`, two levels deep, and the directories themselves on disk.
pub(super) fn sync_tree(path: &Path) -> Result<(), StoreError> {
    let mut dirs = vec![path.to_owned()];
    let entries = fs::read_dir(path).map_err(StoreError::io("list", path))?;
    for entry in entries {
        let entry = entry.map_err(StoreError::io("list", path))?.path();
        if entry.is_dir() {
            dirs.push(entry);
            continue;
        }
        // A read handle suffices for fsync on Unix; the database removes old snapshots meanwhile.
        match File::open(&entry).and_then(|f| f.sync_all()) {
            Err(e) if e.kind() != ErrorKind::NotFound => {
                return Err(StoreError::io("sync", &entry)(e));
            }
            _ => {}
        }
    }
    dirs.iter().rev().try_for_each(|dir| sync_dir(dir))
}

/// Puts the names in a directory on disk.
pub(super) fn sync_dir(path: &Path) -> Result<(), StoreError> {
    if cfg!(not(unix)) {
        // Elsewhere directories can't be opened as files, and renames are journalled.
        return Ok(());
    }
    File::open(path)
        .and_then(|dir| dir.sync_all())
        .map_err(StoreError::io("sync", path))
}

fn make_dir(path: &Path) -> Result<(), StoreError> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        Err(e) if e.kind() != ErrorKind::AlreadyExists => Err(StoreError::io("create", path)(e)),
        _ => Ok(()),
    }
}

/// Makes a file that is created one of its owner only.
pub(super) fn private(options: &mut OpenOptions) {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    #[cfg(not(unix))]
    drop(options);
}
