//! A temporary directory with a relay and people.

use std::ffi::OsString;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::person::Person;
use crate::process::{Ended, Process};
use crate::rpc::CallError;

/// How long anything may take (guess: far above what a loaded machine needs).
pub const DEADLINE: Duration = Duration::from_secs(90);
/// Listens over QUIC: loopback only, a free port.
pub const QUIC: &str = "/ip4/127.0.0.1/udp/0/quic-v1";
/// Listens over TCP: loopback only, a free port.
pub const TCP: &str = "/ip4/127.0.0.1/tcp/0";
/// Where everybody listens at the first start if nothing else is said.
pub const LISTEN: [&str; 2] = [QUIC, TCP];
/// Bytes of a log's end that a failure shows.
const LOG_END_BYTES: u64 = 4096;

/// A directory in which a scenario plays. If a panic drops it, the ends of all logs are printed, and with `MADANG_KEEP` it stays.
#[derive(Debug)]
pub struct World {
    program: PathBuf,
    dir: tempfile::TempDir,
    data: PathBuf,
}

impl World {
    /// Makes an empty world for a program, `env!("CARGO_BIN_EXE_madang-under-test")`.
    #[must_use]
    pub fn new(program: &str) -> Self {
        let dir = tempfile::Builder::new().prefix("madang-test-").tempdir().unwrap();
        Self {
            program: program.into(),
            data: dir.path().to_owned(),
            dir,
        }
    }

    /// Makes an empty world whose data directories, but not the logs, are made in a given one.
    #[must_use]
    pub fn with_data(program: &str, data: &Path) -> Self {
        let mut world = Self::new(program);
        world.data = data.to_owned();
        world
    }

    /// Returns the directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Starts a relay.
    pub async fn relay(&self) -> Relay {
        self.relay_with(&LISTEN, &[]).await
    }

    /// Starts a relay that listens at given addresses; the environment variables hold for all its starts.
    pub async fn relay_with(&self, listen: &[&str], envs: &[(&str, &str)]) -> Relay {
        // The first is called so in what people read; each has a directory of its own.
        let names = std::iter::once("relay".to_owned()).chain((2..).map(|number| format!("relay-{number}")));
        let name = names.into_iter().find(|name| !self.data.join(name).exists()).unwrap();
        let mut relay = Relay {
            program: self.program.clone(),
            data: self.data.join(&name),
            log: self.dir().join(&name),
            envs: envs
                .iter()
                .map(|(name, value)| (String::from(*name), String::from(*value)))
                .collect(),
            listen: listen.iter().map(|address| String::from(*address)).collect(),
            addresses: Vec::new(),
            metrics: String::new(),
            process: None,
        };
        relay.up().await;
        relay
    }

    /// Makes a person whose node doesn't run yet.
    #[must_use]
    pub fn person(&self, name: &str, relays: &[String]) -> Person {
        Person::new(name, &self.program, &self.data, self.dir(), relays)
    }

    /// Makes a person and starts the node.
    pub async fn person_up(&self, name: &str, relays: &[String]) -> Person {
        let mut person = self.person(name, relays);
        person.up().await;
        person
    }

    /// Returns what all processes wrote to standard error and output: file names and contents.
    #[must_use]
    pub fn outputs(&self) -> Vec<(String, String)> {
        let mut files: Vec<PathBuf> = std::fs::read_dir(self.dir())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.retain(|path| path.extension().is_some_and(|end| end == "err" || end == "out"));
        files.sort();
        files
            .iter()
            .map(|path| {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                (
                    name,
                    String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned(),
                )
            })
            .collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        self.dir.disable_cleanup(std::env::var_os("MADANG_KEEP").is_some());
        for entry in std::fs::read_dir(self.dir.path()).into_iter().flatten().flatten() {
            let path = entry.path();
            let end = end_of(&path).unwrap_or_default();
            if path.extension().is_some_and(|end| end == "err") && !end.is_empty() {
                eprintln!("--- {} ends:\n{end}", path.display());
            }
        }
    }
}

/// A relay.
#[derive(Debug)]
pub struct Relay {
    program: PathBuf,
    data: PathBuf,
    log: PathBuf,
    envs: Vec<(String, String)>,
    listen: Vec<String>,
    addresses: Vec<String>,
    metrics: String,
    process: Option<Process>,
}

impl Relay {
    /// Returns one of its metrics.
    pub async fn metric(&self, name: &str) -> f64 {
        metric(&self.metrics, name).await
    }

    /// Returns the process's number.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.as_ref().expect("the relay runs").id()
    }

    /// Returns its data directory.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Returns its addresses, which hold over restarts.
    #[must_use]
    pub fn addresses(&self) -> &[String] {
        &self.addresses
    }

    /// Starts it, at the addresses of before.
    pub async fn up(&mut self) {
        if let Err(ended) = self.try_up(&[]).await {
            panic!("the relay ended with {}", ended.status);
        }
    }

    /// Starts it with more environment variables.
    ///
    /// # Errors
    /// [`Ended`] if it ends before it is ready.
    pub async fn try_up(&mut self, more: &[(&str, &str)]) -> Result<(), Ended> {
        self.gone();
        let mut args: Vec<OsString> = vec![
            "relay".into(),
            "--json".into(),
            "--data".into(),
            self.data.clone().into(),
        ];
        for address in &self.listen {
            args.extend(["--listen".into(), address.into()]);
        }
        args.extend(["--metrics".into(), "127.0.0.1:0".into()]);
        let mut envs: Vec<(&str, &str)> = self
            .envs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        envs.extend_from_slice(more);
        let process = Process::start(&self.program, &args, &envs, &self.log).await?;
        self.addresses = strings(&process.ready()["addresses"]);
        process.ready()["metrics"]
            .as_str()
            .unwrap_or_default()
            .clone_into(&mut self.metrics);
        self.listen = self
            .addresses
            .iter()
            .map(|address| address.split("/p2p/").next().unwrap().to_owned())
            .collect();
        self.process = Some(process);
        Ok(())
    }

    /// Kills it as `kill -9` does.
    pub async fn kill(&mut self) {
        self.process.take().expect("the relay runs").kill().await;
    }

    /// Stops it as Ctrl-C does.
    pub async fn stop(&mut self) {
        let status = self.process.take().expect("the relay runs").stop().await;
        assert!(status.success(), "the relay ended with {status}");
    }

    /// Says whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.process.as_mut().is_none_or(Process::has_ended)
    }

    /// Forgets a relay that has ended by itself.
    pub fn gone(&mut self) {
        self.process = None;
    }
}

/// Asks a relay for one of its metrics.
pub(crate) async fn metric(address: &str, name: &str) -> f64 {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let mut lines = text.lines().filter_map(|line| line.split_once(' '));
    let (_, value) = lines
        .find(|(found, _)| *found == name)
        .unwrap_or_else(|| panic!("no metric {name}: {text}"));
    value.trim().parse().unwrap()
}

/// Makes two people contacts, as they would do it: `alice` invites, `bob` accepts, `alice` approves; returns the chat.
pub async fn join(alice: &mut Person, bob: &mut Person) -> String {
    let invite = alice.ask("contact.invite", json!({})).await["invite"].clone();
    let accepted = bob
        .until("the invite is accepted", async |bob| {
            match bob.rpc().call("contact.accept", json!({ "invite": invite })).await {
                Ok(accepted) => Some(accepted),
                Err(CallError::Refused { retryable: true, .. }) => None,
                Err(error) => panic!("contact.accept: {error:?}"),
            }
        })
        .await;
    let account = bob.ask("account.get", json!({})).await["account"].clone();
    let asked = alice
        .event("the request arrives", |kind, data| {
            kind == "contact.requested" && data["account"] == account
        })
        .await;
    let approved = alice
        .ask("contact.approve", json!({ "request": asked["request"] }))
        .await;
    assert_eq!(approved["chat"], accepted["chat"]);
    let chat = accepted["chat"].as_str().unwrap().to_owned();
    alice.is_active(&chat).await;
    bob.is_active(&chat).await;
    chat
}

fn strings(list: &Value) -> Vec<String> {
    let list = list.as_array().unwrap();
    list.iter().map(|item| item.as_str().unwrap().to_owned()).collect()
}

fn end_of(path: &Path) -> std::io::Result<String> {
    let mut file = std::fs::File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LOG_END_BYTES)))?;
    let mut end = Vec::new();
    file.read_to_end(&mut end)?;
    Ok(String::from_utf8_lossy(&end).into_owned())
}
