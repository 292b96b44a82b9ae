//! One person of the demo: a node of its own, asked through the JSON-RPC as anybody would.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{LISTEN, PROCESS_DEADLINE};
use crate::client::Client;
use crate::fault::Fault;
use crate::process::Running;
use crate::show;

/// How long a step waits for what it says (guess: far above what a loaded machine takes).
const STEP_DEADLINE: Duration = Duration::from_secs(15);
/// How long one poll waits for an event; what has no event (a path, a state after a restart) is looked at again this often.
const POLL_MS: u64 = 250;
/// Events asked for in one poll.
const POLL_LIMIT: u64 = 100;

/// A person and what its node told so far.
#[derive(Debug)]
pub struct Person {
    name: &'static str,
    data: PathBuf,
    log: PathBuf,
    node: Option<Running>,
    client: Option<Client>,
    /// Where to read events on; durable, so it holds across restarts.
    cursor: String,
    /// All events, in order.
    events: Vec<Value>,
    /// The chat with the other, once there is one.
    chat: String,
}

impl Person {
    /// Makes a person whose files are in `dir`.
    #[must_use]
    pub fn new(name: &'static str, dir: &Path) -> Self {
        Self {
            name,
            data: dir.join(name.to_lowercase()),
            log: dir.join(format!("{name}.log")),
            node: None,
            client: None,
            cursor: "0".to_owned(),
            events: Vec::new(),
            chat: String::new(),
        }
    }

    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Runs `madang up` and waits for `ready`; returns what it printed.
    pub async fn start(&mut self, relays: &[String]) -> Result<Value, Fault> {
        let mut args: Vec<OsString> = vec![
            "up".into(),
            "--data".into(),
            self.data.clone().into(),
            "--name".into(),
            self.name.into(),
        ];
        for address in LISTEN {
            args.extend(["--listen".into(), address.into()]);
        }
        for relay in relays {
            args.extend(["--relay".into(), relay.into()]);
        }
        let node = Running::start(self.name, &args, &self.log, PROCESS_DEADLINE).await?;
        let ready = node.ready().clone();
        self.client = Some(Client::open(&self.data, None)?);
        self.node = Some(node);
        Ok(ready)
    }

    /// Stops the node as Ctrl-C does.
    pub async fn stop(&mut self) -> Result<(), Fault> {
        match self.leave() {
            Some(node) => node.stop(PROCESS_DEADLINE).await,
            None => Ok(()),
        }
    }

    /// Kills the node as `kill -9` does; returns its process id.
    pub async fn kill(&mut self) -> Result<u32, Fault> {
        let Some(node) = self.leave() else {
            return Err(does_not_run(self.name));
        };
        let id = node.id().unwrap_or_default();
        node.kill(PROCESS_DEADLINE).await?;
        Ok(id)
    }

    /// Hands over the process, if one runs.
    pub fn leave(&mut self) -> Option<Running> {
        self.client = None;
        self.node.take()
    }

    /// Remembers the chat with the other.
    pub fn set_chat(&mut self, chat: String) {
        self.chat = chat;
    }

    /// Returns the chat with the other.
    #[must_use]
    pub fn chat(&self) -> &str {
        &self.chat
    }

    /// An app asks to be let in, and the person approves it; returns the app's own client.
    pub async fn lets_in(&self, name: &str, scopes: &[String]) -> Result<Client, Fault> {
        let request = json!({ "name": name, "scopes": scopes });
        let asked = self.client()?.call_at_door("app.request", request).await?;
        self.call("app.approve", json!({ "app": asked.get("app") })).await?;
        let file = self.data.with_extension(format!("{name}.token"));
        std::fs::write(&file, show::text_of(&asked, "token"))
            .map_err(|error| Fault::file(|t| t.to_write, &file, &error))?;
        Client::open(&self.data, Some(&file))
    }

    /// Calls a method of the node.
    pub async fn call(&self, method: &str, params: Value) -> Result<Value, Fault> {
        self.client()?.call(method, params).await
    }

    /// Sends a text to the other; returns the message's id and its ledger.
    pub async fn send(&self, text: &str) -> Result<(String, Value), Fault> {
        let body = json!({ "kind": "text", "text": text });
        let sent = self
            .call("message.send", json!({ "chat": self.chat, "body": body }))
            .await?;
        Ok((
            show::text_of(&sent, "message").to_owned(),
            sent.get("ledger").cloned().unwrap_or_default(),
        ))
    }

    /// Waits until an event fits, among those of before and those to come, and returns its data.
    pub async fn event(&mut self, what: &str, fits: impl Fn(&str, &Value) -> bool) -> Result<Value, Fault> {
        self.until(what, async |person| {
            let found = person
                .events
                .iter()
                .find(|event| fits(show::text_of(event, "kind"), event.get("data").unwrap_or(&Value::Null)));
            Ok(found.and_then(|event| event.get("data")).cloned())
        })
        .await
    }

    /// Waits until something is so; it is looked at anew after each event.
    pub async fn sees(&mut self, what: &str, is_so: impl AsyncFn(&Self) -> Result<bool, Fault>) -> Result<(), Fault> {
        self.until(what, async |person| Ok(is_so(person).await?.then_some(())))
            .await
    }

    /// Waits until the other's message is here.
    pub async fn receives(&mut self, message: &str, text: &str) -> Result<(), Fault> {
        self.event(&format!("\"{text}\" arrives"), |kind, data| {
            kind == "message.received"
                && show::text_of(data, "message") == message
                && data.pointer("/body/text").and_then(Value::as_str) == Some(text)
        })
        .await
        .map(|_| ())
    }

    /// Marks everything through a message as read.
    pub async fn marks_read(&self, through: &str) -> Result<(), Fault> {
        let params = json!({ "chat": self.chat, "through": through });
        self.call("message.mark_read", params).await.map(|_| ())
    }

    /// Waits until an own message's ledger is at least at `state`, and returns it.
    pub async fn ledger_reaches(&mut self, message: &str, state: &str) -> Result<Value, Fault> {
        let params = json!({ "message": message });
        self.until(
            &format!("the ledger of {} says {state}", show::short(message)),
            async |person| {
                let found = person.call("message.get", params.clone()).await?;
                let ledger = found.get("ledger").cloned().unwrap_or_default();
                Ok((rank(show::text_of(&ledger, "state")) >= rank(state)).then_some(ledger))
            },
        )
        .await
    }

    /// Waits until the doctor says that the chat goes over a direct connection.
    pub async fn is_direct(&mut self) -> Result<(), Fault> {
        self.until("a direct connection", async |person| {
            let report = person.call("node.doctor", json!({})).await?;
            let direct = show::items_of(&report, "chats")
                .iter()
                .any(|chat| show::text_of(chat, "chat") == person.chat && show::text_of(chat, "path") == "direct");
            Ok(direct.then_some(()))
        })
        .await
    }

    /// Waits until the chat is active.
    pub async fn is_active(&mut self) -> Result<(), Fault> {
        self.until("the chat becomes active", async |person| {
            let chats = person.call("chat.list", json!({})).await?;
            let active = show::items_of(&chats, "items")
                .iter()
                .any(|chat| show::text_of(chat, "chat") == person.chat && show::text_of(chat, "state") == "active");
            Ok(active.then_some(()))
        })
        .await
    }

    /// Returns the texts of the chat in the order shown, each with whether it is an own one.
    pub async fn texts(&self) -> Result<Vec<(bool, String)>, Fault> {
        let list = self
            .call("message.list", json!({ "chat": self.chat, "limit": POLL_LIMIT }))
            .await?;
        let text = |message: &Value| {
            let own = message.get("outgoing").and_then(Value::as_bool).unwrap_or(false);
            let text = message
                .pointer("/body/text")
                .and_then(Value::as_str)
                .unwrap_or_default();
            (own, text.to_owned())
        };
        Ok(show::items_of(&list, "items").iter().map(text).collect())
    }

    /// Returns how often a message was announced as received.
    #[must_use]
    pub fn times_received(&self, message: &str) -> usize {
        self.events
            .iter()
            .filter(|event| show::text_of(event, "kind") == "message.received")
            .filter(|event| event.pointer("/data/message").and_then(Value::as_str) == Some(message))
            .count()
    }

    /// Returns how often a channel's post was announced.
    #[must_use]
    pub fn posts_received(&self, post: &str) -> usize {
        let told = self.events.iter().filter(|event| {
            show::text_of(event, "kind") == "channel.post"
                && event.pointer("/data/post").and_then(Value::as_str) == Some(post)
        });
        told.count()
    }

    /// Returns the ledgers that events told of a message, in order.
    #[must_use]
    pub fn ledgers(&self, message: &str) -> Vec<&Value> {
        self.events
            .iter()
            .filter(|event| show::text_of(event, "kind") == "message.ledger")
            .filter_map(|event| event.get("data"))
            .filter(|data| show::text_of(data, "message") == message)
            .filter_map(|data| data.get("ledger"))
            .collect()
    }

    /// Reads all events that are there.
    pub async fn drain(&mut self) -> Result<(), Fault> {
        while self.poll(0).await? > 0 {}
        Ok(())
    }

    async fn until<T>(
        &mut self,
        what: &str,
        check: impl AsyncFn(&Self) -> Result<Option<T>, Fault>,
    ) -> Result<T, Fault> {
        let deadline = Instant::now() + STEP_DEADLINE;
        loop {
            if let Some(found) = check(self).await? {
                return Ok(found);
            }
            if Instant::now() >= deadline {
                let (name, what) = (self.name, what.to_owned());
                return Err(Fault::failed(move |t| {
                    (t.demo.waited)(name, STEP_DEADLINE.as_secs(), &what)
                }));
            }
            self.poll(POLL_MS).await?;
        }
    }

    async fn poll(&mut self, timeout_ms: u64) -> Result<usize, Fault> {
        let params = json!({ "after": self.cursor, "limit": POLL_LIMIT, "timeout_ms": timeout_ms });
        let page = self.call("event.poll", params).await?;
        let items = show::items_of(&page, "items");
        if let Some(last) = items.last() {
            self.cursor = show::text_of(last, "cursor").to_owned();
        }
        self.events.extend_from_slice(items);
        Ok(items.len())
    }

    fn client(&self) -> Result<&Client, Fault> {
        self.client.as_ref().ok_or_else(|| does_not_run(self.name))
    }
}

/// Returns how far a ledger state is; 0 for a word that isn't one.
#[must_use]
pub fn rank(state: &str) -> usize {
    ["queued", "held", "delivered", "read"]
        .iter()
        .position(|s| *s == state)
        .map_or(0, |at| at + 1)
}

fn does_not_run(name: &'static str) -> Fault {
    Fault::failed(move |t| (t.demo.does_not_run)(name))
}
