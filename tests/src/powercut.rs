//! A disk whose power can be cut: an ext4 file system in a file, on a loop device.
//!
//! A cut is the file system's own shutdown without a flush of its journal. What the file system has written to the loop device by then
//! stays, since the host keeps it; all else is lost: pages that nobody synced, and whatever the journal had not committed, such as new
//! lengths and names. It is mounted so that little but a sync writes: the journal commits only every ten minutes by itself, and a rename
//! doesn't write the file's content.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::tools;

/// Bytes of the image, a sparse file: room for three stores under load (guess).
const IMAGE_BYTES: u64 = 1 << 30;
/// Seconds between the journal's own commits, beyond any test.
const COMMIT_S: u32 = 600;
/// How long processes that were killed may hold the mount (guess).
const RELEASE: Duration = Duration::from_secs(10);
/// The pause between two tries to unmount.
const PAUSE: Duration = Duration::from_millis(10);
/// The program that does what needs an `ioctl`.
const SHUTDOWN: &str = include_str!("powercut/shutdown.c");

/// A mounted disk. Dropping it unmounts and removes it; processes that use it must be dropped before.
#[derive(Debug)]
pub struct Disk {
    dir: tempfile::TempDir,
    mounted: bool,
    guard: Child,
}

impl Disk {
    /// Makes and mounts an empty disk; `None`, with a word to standard error, where loop mounts aren't allowed. `MADANG_REQUIRE_ALL=1` makes
    /// that a failure.
    #[must_use]
    pub fn new() -> Option<Self> {
        match Self::make() {
            Ok(disk) => Some(disk),
            Err(why) => {
                tools::skip("power cut", &format!("loop mounts aren't allowed here: {why}"));
                None
            }
        }
    }

    /// Returns the directory where it is mounted.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.dir.path().join("disk")
    }

    /// Cuts the power: all later reads and writes fail, and what was not synced is lost.
    pub fn cut(&self) {
        run(Command::new(self.dir.path().join("shutdown")).arg(self.path())).unwrap();
    }

    /// Takes the disk out and puts it in again after a cut, which replays its journal. Nobody may use it any more. With `ordered` the
    /// journal commits a file's new length only after its content, as is usual; without, lengths may be there and the content not.
    pub fn replug(&mut self, ordered: bool) {
        self.unmount().unwrap();
        self.mount(ordered).unwrap();
    }

    fn make() -> Result<Self, String> {
        if !cfg!(target_os = "linux") {
            return Err("only Linux has them".to_owned());
        }
        let dir = tempfile::Builder::new().prefix("madang-disk-").tempdir().unwrap();
        let guard = guard(dir.path());
        let mut disk = Self {
            dir,
            mounted: false,
            guard,
        };
        let at = disk.dir.path();
        let image = std::fs::File::create(at.join("image")).unwrap();
        image.set_len(IMAGE_BYTES).unwrap();
        std::fs::create_dir(disk.path()).unwrap();
        run(Command::new("mkfs.ext4")
            // Its tables are written now, not by a thread of the kernel later.
            .args(["-q", "-F", "-N", "8192", "-E", "lazy_itable_init=0,lazy_journal_init=0"])
            .arg(at.join("image")))?;
        std::fs::write(at.join("shutdown.c"), SHUTDOWN).unwrap();
        run(Command::new("cc")
            .args(["-Wall", "-o"])
            .args([at.join("shutdown"), at.join("shutdown.c")]))
        .unwrap();
        disk.mount(true)?;
        Ok(disk)
    }

    fn mount(&mut self, ordered: bool) -> Result<(), String> {
        let data = if ordered { "ordered" } else { "writeback" };
        // The loop device frees itself when the last mount goes, whatever becomes of this process.
        let options = format!("loop,commit={COMMIT_S},noauto_da_alloc,data={data}");
        run(Command::new("mount")
            .args(["-t", "ext4", "-o", &options])
            .args([self.dir.path().join("image"), self.path()]))?;
        self.mounted = true;
        Ok(())
    }

    /// Unmounts it once whoever was killed has let go of it.
    fn unmount(&mut self) -> Result<(), String> {
        let deadline = Instant::now() + RELEASE;
        loop {
            match run(Command::new("umount").arg(self.path())) {
                Ok(()) => break,
                Err(why) if Instant::now() >= deadline => return Err(why),
                Err(_) => std::thread::sleep(PAUSE),
            }
        }
        self.mounted = false;
        Ok(())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.mounted
            && let Err(why) = self.unmount()
        {
            eprintln!("{why}; {} goes when its last user does", self.path().display());
        }
        drop(self.guard.stdin.take());
        drop(self.guard.wait());
    }
}

/// Starts a shell that removes a disk when this process lets go of it, also by being killed.
fn guard(dir: &Path) -> Child {
    let script = "trap '' INT TERM; read -r _; umount -l \"$1/disk\" 2>/dev/null; rm -rf \"$1\"";
    Command::new("/bin/sh")
        .args(["-c", script, "sh"])
        .arg(dir)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Runs a program to its end; gives its words if it fails.
fn run(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    Err(format!("{program}: {}", words.trim()))
}
