//! Load that outlives kills, and the check of what became of it.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::person::{Person, Said};
use crate::rpc::Steady;
use crate::world::DEADLINE;

/// Sends texts to a chat as fast as they are acknowledged, under keys, and repeats under the same key what got no answer.
#[derive(Debug)]
pub struct Lane {
    stop: Arc<AtomicBool>,
    sent: Arc<watch::Sender<Vec<(String, String)>>>,
    task: JoinHandle<()>,
}

impl Lane {
    /// Begins to send at the node of a data directory; the texts are `name` and a number.
    #[must_use]
    pub fn start(data: &Path, chat: &str, name: String) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let sent = Arc::new(watch::Sender::new(Vec::new()));
        let (mut node, chat, stopped, kept) = (Steady::new(data), chat.to_owned(), stop.clone(), sent.clone());
        let task = tokio::spawn(async move {
            let mut number = 0;
            while !stopped.load(Ordering::Relaxed) {
                let text = format!("{name} {number}");
                let params = json!({ "chat": chat, "body": { "kind": "text", "text": text }, "idempotency_key": text });
                let answer = node.ask("message.send", &params).await;
                let message = answer["message"].as_str().unwrap().to_owned();
                kept.send_modify(|sent: &mut Vec<(String, String)>| sent.push((message, text)));
                number += 1;
            }
        });
        Self { stop, sent, task }
    }

    /// Begins with several lanes, `name0` and so on.
    #[must_use]
    pub fn start_many(data: &Path, chat: &str, name: &str, many: usize) -> Vec<Self> {
        (0..many)
            .map(|number| Self::start(data, chat, format!("{name}{number}")))
            .collect()
    }

    /// Returns what was acknowledged so far, in order: ids and texts.
    #[must_use]
    pub fn sent(&self) -> Vec<(String, String)> {
        self.sent.borrow().clone()
    }

    /// Waits until so many were acknowledged.
    pub async fn has_sent(&self, many: usize) {
        let mut sent = self.sent.subscribe();
        let enough = async {
            while sent.borrow_and_update().len() < many {
                sent.changed().await.expect("the lane still runs");
            }
        };
        timeout(DEADLINE, enough).await.expect("all is acknowledged in time");
    }

    /// Ends after the message that is under way; returns what was acknowledged.
    pub async fn end(self) -> Vec<(String, String)> {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.unwrap();
        self.sent.borrow().clone()
    }

    /// Ends at once, whatever is under way.
    pub fn abort(self) {
        self.task.abort();
    }
}

/// Ends lanes; returns what each had acknowledged.
pub async fn end(lanes: Vec<Lane>) -> Vec<Vec<(String, String)>> {
    let mut sent = Vec::new();
    for lane in lanes {
        sent.push(lane.end().await);
    }
    sent
}

/// Counts what all lanes had acknowledged.
#[must_use]
pub fn count(sent: &[Vec<(String, String)>]) -> usize {
    sent.iter().map(Vec::len).sum()
}

/// Waits until all that a person sent to a chat is delivered; `sent` is what the person's lanes had acknowledged.
pub async fn delivered(person: &mut Person, chat: &str, sent: &[Vec<(String, String)>]) {
    for lane in sent {
        if let Some((last, _)) = lane.last() {
            person.ledger_says(last, "delivered").await;
        }
    }
    let many = count(sent);
    person
        .until("all is delivered", async |person| {
            let messages = person.rpc().messages(chat).await;
            let done = |message: &Value| message["ledger"]["state"] == "delivered" || message["outgoing"] == false;
            (messages.len() >= many && messages.iter().all(done)).then_some(())
        })
        .await;
}

/// Checks that what one acknowledged is at the other once and in order: in its list, and in the events that it announced.
pub async fn arrived(sent: &[Vec<(String, String)>], sender: &Person, receiver: &Person, chat: &str, events: &[Value]) {
    let (out, came) = (
        theirs(sender.said(chat).await, true),
        theirs(receiver.said(chat).await, false),
    );
    let ids = |said: &[Said]| said.iter().map(|said| said.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&out), ids(&came), "the lists differ");
    let acknowledged: BTreeSet<&String> = sent.iter().flatten().map(|(id, _)| id).collect();
    assert_eq!(acknowledged.len(), count(sent), "an id was given twice");
    assert_eq!(
        acknowledged,
        came.iter().map(|said| &said.id).collect(),
        "lost or invented"
    );
    assert_eq!(came.len(), acknowledged.len(), "doubled");
    for lane in sent {
        let wanted: Vec<&String> = lane.iter().map(|(_, text)| text).collect();
        let ids: BTreeSet<&String> = lane.iter().map(|(id, _)| id).collect();
        let found: Vec<&String> = came
            .iter()
            .filter(|said| ids.contains(&said.id))
            .map(|said| &said.text)
            .collect();
        assert_eq!(found, wanted, "out of order");
    }
    // That each is announced only once was checked when the events were taken.
    let announced: BTreeSet<String> = events
        .iter()
        .filter(|event| event["kind"] == "message.received")
        .map(|event| event["data"]["message"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(announced, acknowledged.into_iter().cloned().collect(), "announced");
}

fn theirs(said: Vec<Said>, own: bool) -> Vec<Said> {
    said.into_iter().filter(|said| said.own == own).collect()
}
