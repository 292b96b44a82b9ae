//! The processes that are measured, and what the system says of them.

use std::ffi::OsString;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::bench::socket::Socket;
use crate::world::metric;
use crate::{Person, Process, TCP, World};

/// What this program is when it finds this variable set: `madang` itself, or something of the libraries alone.
pub const ROLE: &str = "MADANG_BENCH_ROLE";
/// `madang`, as a node or a relay.
pub const ROLE_MADANG: &str = "madang";
/// A host of the libraries alone.
pub const ROLE_BARE: &str = "bare";
/// A JSON-RPC server of the library alone.
pub const ROLE_BARE_RPC: &str = "bare-rpc";
/// A place to listen at that nobody can reach: UDP can be bound to the loopback's broadcast address, and not sent to without asking.
const UNREACHABLE: &str = "/ip4/127.255.255.255/udp/0/quic-v1";
/// Kernel ticks of a second, in which `/proc` counts CPU time (fixed by Linux's interface).
const TICKS_PER_SECOND: f64 = 100.0;

/// Makes a world whose program is this one.
pub fn world() -> World {
    World::new(program().to_str().unwrap())
}

/// Starts a person's node.
pub async fn person(world: &World, name: &str, relays: &[String], reachable: bool) -> Person {
    person_with(world, name, relays, reachable, &[]).await
}

/// Starts a person's node with environment variables.
pub async fn person_with(
    world: &World,
    name: &str,
    relays: &[String],
    reachable: bool,
    envs: &[(&str, &str)],
) -> Person {
    let mut person = world.person(name, relays);
    person.set_env(ROLE, ROLE_MADANG);
    for (variable, value) in envs {
        person.set_env(variable, value);
    }
    person.set_listen(if reachable { TCP } else { UNREACHABLE });
    person.up().await;
    person
}

/// A relay with metrics, or a host of the libraries alone.
#[derive(Debug)]
pub struct Host {
    /// Ends with this.
    _process: Process,
    /// Its data directory.
    pub data: PathBuf,
    /// Its addresses.
    pub addresses: Vec<String>,
    metrics: String,
}

impl Host {
    /// Starts a relay on TCP.
    pub async fn relay(world: &World) -> Self {
        Self::relay_with(world, &[]).await
    }

    /// Starts a relay on TCP with environment variables.
    pub async fn relay_with(world: &World, envs: &[(&str, &str)]) -> Self {
        Self::start(world, "relay", ROLE_MADANG, &[TCP], envs).await
    }

    /// Starts a host of the libraries alone, on TCP and QUIC.
    pub async fn bare(world: &World, name: &str) -> Self {
        Self::start(world, name, ROLE_BARE, &[TCP, crate::QUIC], &[]).await
    }

    /// Starts a JSON-RPC server of the library alone.
    pub async fn bare_rpc(world: &World) -> Self {
        Self::start(world, "bare-rpc", ROLE_BARE_RPC, &[], &[]).await
    }

    async fn start(world: &World, name: &str, role: &'static str, listen: &[&str], envs: &[(&str, &str)]) -> Self {
        let data = world.dir().join(name);
        let mut args: Vec<OsString> = vec!["relay".into(), "--json".into(), "--data".into(), data.clone().into()];
        for address in listen {
            args.extend(["--listen".into(), address.into()]);
        }
        args.extend(["--metrics".into(), "127.0.0.1:0".into()]);
        let envs = [envs, &[(ROLE, role)]].concat();
        let process = Process::start(&program(), &args, &envs, &data)
            .await
            .unwrap_or_else(|ended| panic!("{name} ended with {}", ended.status));
        let ready = process.ready();
        let addresses = ready["addresses"].as_array().unwrap().iter();
        Self {
            addresses: addresses.map(|address| address.as_str().unwrap().to_owned()).collect(),
            metrics: ready["metrics"].as_str().unwrap_or_default().to_owned(),
            _process: process,
            data,
        }
    }

    /// Returns its process id.
    pub fn id(&self) -> u32 {
        process_of(&self.data)
    }

    /// Returns one of its metrics.
    pub async fn metric(&self, name: &str) -> f64 {
        metric(&self.metrics, name).await
    }
}

fn program() -> PathBuf {
    std::env::current_exe().unwrap()
}

/// Finds the process whose command line names a data directory; each has its own.
pub fn process_of(data: &Path) -> u32 {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let wanted = data.as_os_str().as_encoded_bytes();
    entries
        .filter_map(|entry| {
            let id: u32 = entry.file_name().to_str()?.parse().ok()?;
            let line = std::fs::read(entry.path().join("cmdline")).ok()?;
            line.split(|byte| *byte == 0).any(|arg| arg == wanted).then_some(id)
        })
        .max()
        .unwrap_or_else(|| panic!("no process uses {}", data.display()))
}

/// Bytes of memory that a process holds resident.
pub fn resident(id: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    let kib: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib * 1024.0
}

/// Seconds of CPU time that a process has used.
pub fn cpu_seconds(id: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
    let (_, rest) = stat.rsplit_once(')').unwrap();
    let fields: Vec<f64> = rest
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(|field| field.parse().unwrap())
        .collect();
    fields.iter().sum::<f64>() / TICKS_PER_SECOND
}

/// Bytes that the disk keeps for a directory: allocated blocks of all files.
pub fn disk_bytes(dir: &Path) -> f64 {
    let mut sum = 0;
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        // A file may go between the listing and the look at it.
        let Ok(meta) = entry.metadata() else { continue };
        if meta.is_dir() {
            sum += disk_bytes(&entry.path()) as u64;
        } else {
            sum += meta.blocks() * 512;
        }
    }
    sum as f64
}

/// A stream of a node's events, each a text with the event in it.
pub async fn events(data: &Path, after: Option<&str>) -> Socket {
    let mut socket = Socket::open(data).await;
    let params = after.map_or_else(|| json!({}), |after| json!({ "after": after }));
    socket.call("event.subscribe", &params).await;
    socket
}

/// Whether an event's text is of a kind. Looking for bytes costs less than reading JSON.
pub fn is(event: &[u8], kind: &str) -> bool {
    has(event, format!("\"kind\":\"{kind}\"").as_bytes())
}

/// Whether bytes are among others.
pub fn has(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}
