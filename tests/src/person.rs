//! A person: a node of its own, its events, and what a user would do with it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::process::{Ended, Process};
use crate::rpc::{Rpc, Steady};
use crate::world::{DEADLINE, LISTEN};

/// How long one poll waits for an event; what has no event is looked at again this often.
const POLL_MS: u64 = 200;

/// Events that are told of a person who waited in vain.
const EVENTS_TOLD: usize = 40;

/// A text as a chat shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The message.
    pub id: String,
    /// Whether it is an own one.
    pub own: bool,
    /// What it says.
    pub text: String,
}

/// A person and what its node told so far.
#[derive(Debug)]
pub struct Person {
    name: String,
    program: PathBuf,
    data: PathBuf,
    log: PathBuf,
    relays: Vec<String>,
    listen: Vec<String>,
    envs: Vec<(String, String)>,
    passphrase_file: Option<PathBuf>,
    relay_token: Option<String>,
    process: Option<Process>,
    rpc: Option<Rpc>,
    cursor: String,
    events: Vec<Value>,
}

impl Person {
    pub(crate) fn new(name: &str, program: &Path, data: &Path, logs: &Path, relays: &[String]) -> Self {
        Self {
            name: name.to_owned(),
            program: program.to_owned(),
            data: data.join(name),
            log: logs.join(name),
            relays: relays.to_vec(),
            listen: LISTEN.map(str::to_owned).to_vec(),
            envs: Vec::new(),
            passphrase_file: None,
            relay_token: None,
            process: None,
            rpc: None,
            cursor: "0".to_owned(),
            events: Vec::new(),
        }
    }

    /// Sets an environment variable of all later starts.
    pub fn set_env(&mut self, name: &str, value: &str) {
        self.envs.push((name.to_owned(), value.to_owned()));
    }

    /// Sets where the node listens at all later starts.
    pub fn set_listen(&mut self, address: &str) {
        self.listen = vec![address.to_owned()];
    }

    /// Sets the passphrase file of all later starts.
    pub fn set_passphrase_file(&mut self, file: &Path) {
        self.passphrase_file = Some(file.to_owned());
    }

    /// Sets the token that the relay is told at all later starts.
    pub fn set_relay_token(&mut self, token: Option<String>) {
        self.relay_token = token;
    }

    /// Returns the arguments with which the node is started.
    #[must_use]
    pub fn args(&self) -> Vec<OsString> {
        let mut args: Vec<OsString> = vec!["up".into(), "--json".into(), "--data".into(), self.data.clone().into()];
        args.extend(["--name".into(), self.name.clone().into()]);
        for address in &self.listen {
            args.extend(["--listen".into(), address.into()]);
        }
        for relay in &self.relays {
            args.extend(["--relay".into(), relay.into()]);
        }
        if let Some(token) = &self.relay_token {
            args.extend(["--relay-token".into(), token.into()]);
        }
        if let Some(file) = &self.passphrase_file {
            args.extend(["--passphrase-file".into(), file.into()]);
        }
        args
    }

    /// Starts the node.
    pub async fn up(&mut self) {
        if let Err(ended) = self.try_up(&[]).await {
            panic!("the node of {} ended with {}", self.name, ended.status);
        }
    }

    /// Starts the node with more environment variables.
    ///
    /// # Errors
    /// [`Ended`] if it ends before it is ready.
    pub async fn try_up(&mut self, more: &[(&str, &str)]) -> Result<(), Ended> {
        self.gone();
        let mut envs: Vec<(&str, &str)> = self
            .envs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        envs.extend_from_slice(more);
        let process = Process::start(&self.program, &self.args(), &envs, &self.log).await?;
        self.process = Some(process);
        self.rpc = Rpc::open(&self.data);
        Ok(())
    }

    /// Kills the node as `kill -9` does.
    pub async fn kill(&mut self) {
        self.rpc = None;
        self.process.take().expect("the node runs").kill().await;
    }

    /// Stops the node as Ctrl-C does.
    pub async fn stop(&mut self) {
        self.rpc = None;
        let status = self.process.take().expect("the node runs").stop().await;
        assert!(status.success(), "{} ended with {status}", self.name);
    }

    /// Says whether the node has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.process.as_mut().is_none_or(Process::has_ended)
    }

    /// Forgets a node that has ended by itself.
    pub fn gone(&mut self) {
        self.rpc = None;
        self.process = None;
    }

    /// Returns the process's number.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.as_ref().expect("the node runs").id()
    }

    /// Returns the data directory.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Returns the JSON-RPC of the running node.
    #[must_use]
    pub fn rpc(&self) -> &Rpc {
        self.rpc.as_ref().expect("the node runs")
    }

    /// Calls a method that must succeed.
    pub async fn ask(&self, method: &str, params: Value) -> Value {
        self.rpc().ask(method, params).await
    }

    /// Sends a text; returns the message's id.
    pub async fn send(&self, chat: &str, text: &str) -> String {
        let params = json!({ "chat": chat, "body": { "kind": "text", "text": text } });
        self.ask("message.send", params).await["message"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Returns all that was said in a chat, in the order shown.
    pub async fn said(&self, chat: &str) -> Vec<Said> {
        let messages = self.rpc().messages(chat).await;
        messages
            .iter()
            .map(|message| Said {
                id: message["message"].as_str().unwrap().to_owned(),
                own: message["outgoing"] == true,
                text: message["body"]["text"].as_str().unwrap().to_owned(),
            })
            .collect()
    }

    /// Waits until something is so; it is looked at anew after each event.
    pub async fn until<T>(&mut self, what: &str, check: impl AsyncFn(&Self) -> Option<T>) -> T {
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Some(found) = check(self).await {
                return found;
            }
            assert!(
                Instant::now() < deadline,
                "{} waited {DEADLINE:?} in vain until {what}; its last events:{}",
                self.name,
                self.last_events()
            );
            self.poll(POLL_MS).await;
        }
    }

    /// The last events, a line each, for whoever reads why a test failed.
    fn last_events(&self) -> String {
        let events = &self.events[self.events.len().saturating_sub(EVENTS_TOLD)..];
        events.iter().map(|event| format!("\n{event}")).collect()
    }

    /// Waits for an event, among those of before and those to come; returns its data.
    pub async fn event(&mut self, what: &str, fits: impl Fn(&str, &Value) -> bool) -> Value {
        self.until(what, async |person| {
            let mut events = person.events.iter();
            let found = events.find(|event| fits(event["kind"].as_str().unwrap(), &event["data"]));
            found.map(|event| event["data"].clone())
        })
        .await
    }

    /// Waits until a message is received.
    pub async fn receives(&mut self, message: &str) {
        self.event(&format!("{message} arrives"), |kind, data| {
            kind == "message.received" && data["message"] == message
        })
        .await;
    }

    /// Waits until an own message's ledger says at least `state`; returns the ledger.
    pub async fn ledger_says(&mut self, message: &str, state: &str) -> Value {
        self.until(&format!("the ledger of {message} says {state}"), async |person| {
            let found = person.ask("message.get", json!({ "message": message })).await;
            let ledger = found["ledger"].clone();
            (rank(&ledger) >= rank(&json!({ "state": state }))).then_some(ledger)
        })
        .await
    }

    /// Waits until a chat is active.
    pub async fn is_active(&mut self, chat: &str) {
        self.until("the chat is active", async |person| {
            let chats = person.rpc().list("chat.list", &json!({})).await;
            let active = chats
                .iter()
                .any(|item| item["chat"] == chat && item["state"] == "active");
            active.then_some(())
        })
        .await;
    }

    /// Reads all events that are there; returns all of the node's life.
    pub async fn all_events(&mut self) -> &[Value] {
        while self.poll(0).await > 0 {}
        &self.events
    }

    /// Checks of all events so far: a message is announced once, and no ledger goes back.
    pub async fn events_are_sound(&mut self) {
        are_sound(self.all_events().await);
    }

    async fn poll(&mut self, timeout_ms: u64) -> usize {
        let params = json!({ "after": self.cursor, "limit": 1000, "timeout_ms": timeout_ms });
        let page = self.ask("event.poll", params).await;
        let items = page["items"].as_array().unwrap();
        self.events.extend_from_slice(items);
        self.cursor = page["next"].as_str().unwrap().to_owned();
        items.len()
    }
}

/// The rank of a ledger's state.
fn rank(ledger: &Value) -> usize {
    let states = ["queued", "held", "delivered", "read"];
    states.iter().position(|state| ledger["state"] == *state).unwrap()
}

/// Checks a log of events: cursors grow, a message is announced once, and no ledger goes back.
fn are_sound(events: &[Value]) {
    let mut last = 0;
    let mut announced = std::collections::BTreeSet::new();
    let mut ranks = std::collections::BTreeMap::new();
    for event in events {
        let cursor: u64 = event["cursor"].as_str().unwrap().parse().unwrap();
        assert!(cursor > last, "cursor {cursor} follows {last}");
        last = cursor;
        let (kind, data) = (event["kind"].as_str().unwrap(), &event["data"]);
        let id = data["message"].as_str().unwrap_or_default();
        match kind {
            "message.received" | "message.sent" => {
                assert!(announced.insert(id.to_owned()), "{kind} says {id} again");
            }
            "message.ledger" => {
                let now = rank(&data["ledger"]);
                let before = ranks.insert(id.to_owned(), now).unwrap_or(0);
                assert!(before <= now, "the ledger of {id} went back to {}", data["ledger"]);
            }
            "message.updated"
            | "message.expired"
            | "chat.updated"
            | "chat.gap"
            | "chat.typing"
            | "blob.progress"
            | "relay.demoted"
            | "contact.requested"
            | "contact.added"
            | "channel.updated"
            | "channel.post"
            | "channel.post_updated"
            | "channel.evidence"
            | "channel.gap" => {}
            other => panic!("an unexpected event: {other}"),
        }
    }
}

/// Follows a node's events over its restarts, as a program that keeps its cursor would.
#[derive(Debug)]
pub struct Watcher {
    seen: Arc<watch::Sender<Vec<Value>>>,
    task: JoinHandle<()>,
}

impl Watcher {
    /// Begins at the start of the log.
    #[must_use]
    pub fn start(data: &Path) -> Self {
        let seen = Arc::new(watch::Sender::new(Vec::new()));
        let (mut node, kept) = (Steady::new(data), seen.clone());
        let task = tokio::spawn(async move {
            let mut cursor = json!("0");
            loop {
                let params = json!({ "after": cursor, "limit": 50, "timeout_ms": 1000 });
                let page = node.ask("event.poll", &params).await;
                let items = page["items"].as_array().unwrap();
                if !items.is_empty() {
                    kept.send_modify(|seen: &mut Vec<Value>| seen.extend_from_slice(items));
                }
                cursor = page["next"].clone();
            }
        });
        Self { seen, task }
    }

    /// Returns the events so far.
    #[must_use]
    pub fn seen(&self) -> Vec<Value> {
        self.seen.borrow().clone()
    }

    /// Ends it and returns the events.
    pub fn end(self) -> Vec<Value> {
        self.task.abort();
        let seen = self.seen.borrow().clone();
        are_sound(&seen);
        seen
    }

    /// Waits until so many messages were announced as received.
    pub async fn has_received(&self, many: usize) {
        let mut seen = self.seen.subscribe();
        let received = |events: &[Value]| {
            events
                .iter()
                .filter(|event| event["kind"] == "message.received")
                .count()
        };
        let enough = async {
            while received(&seen.borrow_and_update()) < many {
                seen.changed().await.expect("the watcher still runs");
            }
        };
        timeout(DEADLINE, enough).await.expect("all is announced in time");
    }
}
