//! Large files, what is on its way, and how much memory a process took.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use madang_tests::{Relay, World};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use crate::MADANG;

/// How long a transfer of the large file may take.
pub const LONG: Duration = Duration::from_secs(600);
/// KiB of memory that no process may exceed.
const MEMORY_KIB: u64 = 100 * 1000;

/// Bytes of the large file.
pub fn large() -> u64 {
    let mib = std::env::var("MADANG_FILE_MIB").ok().and_then(|mib| mib.parse().ok());
    mib.unwrap_or(64) * 1024 * 1024
}

/// Writes a file whose bytes don't repeat.
pub fn file(world: &World, name: &str, length: u64) -> PathBuf {
    let path = world.dir().join(name);
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut left = length;
    while left > 0 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let bytes = state.to_le_bytes();
        let part = left.min(8) as usize;
        file.write_all(&bytes[..part]).unwrap();
        left -= part as u64;
    }
    file.flush().unwrap();
    path
}

/// Whether two files have the same content.
pub fn are_equal(a: &Path, b: &Path) -> bool {
    let (mut a, mut b) = (std::fs::File::open(a).unwrap(), std::fs::File::open(b).unwrap());
    let (mut left, mut right) = (vec![0; 1 << 20], vec![0; 1 << 20]);
    loop {
        let read = a.read(&mut left).unwrap();
        if read == 0 {
            return b.read(&mut right).unwrap() == 0;
        }
        if b.read_exact(&mut right[..read]).is_err() || left[..read] != right[..read] {
            return false;
        }
    }
}

/// Bytes of the chunks that a data directory has.
pub fn chunk_bytes(data: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    let entries = std::fs::read_dir(data.join("blobs")).into_iter().flatten().flatten();
    // What isn't written of a file takes no blocks.
    entries
        .filter_map(|entry| entry.metadata().ok())
        .map(|meta| meta.blocks() * 512)
        .sum()
}

/// Waits until a data directory has so many bytes of chunks.
pub async fn has_chunks(data: &Path, bytes: u64) {
    let deadline = Instant::now() + LONG;
    while chunk_bytes(data) < bytes {
        assert!(
            Instant::now() < deadline,
            "{} of {bytes} in {}",
            chunk_bytes(data),
            data.display()
        );
        sleep(Duration::from_millis(2)).await;
    }
}

/// Requires that a process has never taken more memory than it may, in the life of this process.
pub fn is_small(who: &str, pid: u32) {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak: u64 = peak.unwrap().trim().trim_end_matches(" kB").parse().unwrap();
    eprintln!("{who}: {peak} KiB at most");
    assert!(peak < MEMORY_KIB, "{who} took {peak} KiB");
}

/// Starts a command of the user's.
pub fn command(data: &Path, args: &[&str]) -> Child {
    Command::new(MADANG)
        .args(["--json", "--data"])
        .arg(data)
        .args(args)
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

/// Waits for a command that must succeed; gives what it printed.
pub async fn printed(child: Child) -> serde_json::Value {
    let output = tokio::time::timeout(LONG, child.wait_with_output())
        .await
        .unwrap()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", output.status);
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Waits for a command that must fail; gives the code and what it said.
pub async fn refused(child: Child) -> (String, String) {
    let output = tokio::time::timeout(LONG, child.wait_with_output())
        .await
        .unwrap()
        .unwrap();
    assert!(!output.status.success() && output.stdout.is_empty());
    let said: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    let text = |name: &str| said["error"][name].as_str().unwrap_or_default().to_owned();
    (text("code"), text("message"))
}

/// Waits until something is so, as long as a transfer may take.
pub async fn comes(what: &str, so: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + LONG;
    while !so().await {
        assert!(Instant::now() < deadline, "in vain until {what}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// Kills a relay and starts it again.
pub async fn restart(relay: &mut Relay) {
    relay.kill().await;
    relay.up().await;
}
