//! Two people, and messages sent as fast as the local API takes them.

use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::bench::host::{self, Host};
use crate::bench::socket::Socket;
use crate::{Person, World, join};

/// WebSockets over which messages are sent at once.
const SOCKETS: usize = 8;
/// Calls under way on each: with all sockets the node's own bound of 256, less one a socket, so that none is refused.
const CALLS: usize = 31;

/// How messages get from one to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Device to device; there is no relay.
    Direct,
    /// Through a relay alone: neither can reach the other.
    Relay,
}

impl Way {
    /// What the table says.
    pub fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Relay => "by relay",
        }
    }
}

/// Two people with a chat.
pub struct Duo {
    /// Where all is.
    pub world: World,
    /// The relay, if there is one.
    pub relay: Option<Host>,
    /// Who sends.
    pub alice: Person,
    /// Who receives.
    pub bob: Person,
    /// The chat.
    pub chat: String,
}

impl Duo {
    /// Starts the processes and makes the two contacts.
    pub async fn start(way: Way) -> Self {
        let world = host::world();
        let relay = match way {
            Way::Direct => None,
            Way::Relay => Some(Host::relay(&world).await),
        };
        let addresses = relay.as_ref().map_or_else(Vec::new, |relay| relay.addresses.clone());
        let reachable = way == Way::Direct;
        let mut alice = host::person(&world, "alice", &addresses, reachable).await;
        let mut bob = host::person(&world, "bob", &addresses, reachable).await;
        let chat = join(&mut alice, &mut bob).await;
        Self {
            world,
            relay,
            alice,
            bob,
            chat,
        }
    }
}

/// A call of `message.send` as text.
pub fn call(id: usize, chat: &str, text: &str) -> String {
    json!({
        "jsonrpc": "2.0", "id": id, "method": "message.send",
        "params": { "chat": chat, "body": { "kind": "text", "text": text } },
    })
    .to_string()
}

/// Sends texts of so many bytes into chats in turn, with 248 calls under way over 8 WebSockets; returns when all are acknowledged.
pub async fn send(data: &Path, chats: &[String], count: usize, text_bytes: usize) {
    let text = "x".repeat(text_bytes);
    send_texts(data, chats, count, move |_| text.clone()).await;
}

/// Sends the text of each number into chats in turn, as fast.
pub async fn send_texts<T>(data: &Path, chats: &[String], count: usize, text: T)
where
    T: Fn(usize) -> String + Clone + Send + Sync + 'static,
{
    let mut lanes = JoinSet::new();
    for lane in 0..SOCKETS {
        let share = count / SOCKETS + usize::from(lane < count % SOCKETS);
        let (data, chats, text): (PathBuf, Vec<String>, T) = (data.to_owned(), chats.to_vec(), text.clone());
        lanes.spawn(async move {
            let mut socket = Socket::open(&data).await;
            let said = |id: usize| call(id, &chats[id % chats.len()], &text(id * SOCKETS + lane));
            socket.calls(share, CALLS, said).await;
        });
    }
    while let Some(done) = lanes.join_next().await {
        done.unwrap();
    }
}

/// Waits until a stream of events has told of so many of a kind that also have `part` in them.
pub async fn count(events: &mut Socket, kind: &str, part: &[u8], wanted: usize) {
    let mut found = 0;
    while found < wanted {
        let event = events.next().await;
        if host::is(&event, kind) && (part.is_empty() || host::has(&event, part)) {
            found += 1;
        }
    }
}

/// Sends while the other takes; returns seconds from the first call to the last message committed at the receiver, and to the last
/// answer to the sender.
pub async fn send_and_take(duo: &Duo, messages: usize, text_bytes: usize) -> (f64, f64) {
    let mut events = host::events(duo.bob.data(), None).await;
    let began = Instant::now();
    let chats = [duo.chat.clone()];
    let sent = async {
        send(duo.alice.data(), &chats, messages, text_bytes).await;
        began.elapsed().as_secs_f64()
    };
    let taken = async {
        count(&mut events, "message.received", b"", messages).await;
        began.elapsed().as_secs_f64()
    };
    let (sent, taken) = tokio::join!(sent, taken);
    (taken, sent)
}

/// The newest event's cursor.
pub async fn newest(person: &Person) -> String {
    let page: Value = person.ask("event.poll", json!({})).await;
    page["next"].as_str().unwrap().to_owned()
}
