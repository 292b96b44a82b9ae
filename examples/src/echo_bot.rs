//! Echo bot: answers each text with the same text.
//!
//! It may be stopped and killed at any moment. What it has handled is a cursor in its state file, moved after the answer was accepted; an
//! event that it sees again is answered with the same idempotency key, which the node answers without sending twice. So every text is
//! answered once. Don't let two echo bots be friends: they would never stop.

use std::path::PathBuf;

use clap::Parser;
use jsonrpsee::http_client::HttpClient;
use serde_json::{Value, json};

use crate::rpc::{self, Failure, Place, call, wait_before};
use crate::state::CursorFile;

/// Events asked for in one poll (guess).
const POLL_LIMIT: u64 = 100;
/// How long one poll waits for an event, in milliseconds; the node allows 60,000.
const POLL_MS: u64 = 30_000;

/// Answers each text with the same text.
#[derive(Debug, Parser)]
#[command(name = "echo-bot", version)]
struct Args {
    /// Data directory of the node, which holds `rpc.json` and `cookie`
    #[arg(long, value_name = "DIR", required_unless_present = "url", conflicts_with = "url")]
    data: Option<PathBuf>,
    /// Address of the node's JSON-RPC, `http://HOST:PORT`
    #[arg(long, requires = "token_file")]
    url: Option<String>,
    /// File that holds the token
    #[arg(long, value_name = "FILE", requires = "url")]
    token_file: Option<PathBuf>,
    /// File that keeps how far the events are handled
    #[arg(long, value_name = "FILE", default_value = "echo-bot.state")]
    state: PathBuf,
    /// Approve everybody who asks for contact
    #[arg(long)]
    approve_all: bool,
}

/// Runs the echo bot with the arguments of this process, until it is stopped.
///
/// # Errors
/// If no node is named, its state file can't be used, or the node refuses for good.
#[tokio::main(flavor = "current_thread")]
pub async fn run() -> anyhow::Result<()> {
    let args = Args::parse();
    let place = match (args.data, args.url, args.token_file) {
        (Some(data), _, _) => Place::Data(data),
        (None, Some(url), Some(token_file)) => Place::Url { url, token_file },
        _ => anyhow::bail!("name a node with --data, or with --url and --token-file"),
    };
    let state = CursorFile::open(&args.state)?;
    tokio::select! {
        done = echo(&place, state, args.approve_all) => done,
        stop = tokio::signal::ctrl_c() => Ok(stop?),
    }
}

/// Handles events for ever; returns only if that can't go on.
async fn echo(place: &Place, mut state: CursorFile, approve_all: bool) -> anyhow::Result<()> {
    // Connected at the first use, and again after each failure, since a node that starts again has another address and token.
    let mut client: Option<HttpClient> = None;
    let mut attempt = 0;
    loop {
        match round(place, &mut client, &mut state, approve_all).await {
            Ok(()) => attempt = 0,
            Err(Trouble::Lasting(error)) => return Err(error),
            Err(Trouble::Node { message, after }) => {
                client = None;
                let wait = wait_before(attempt, after);
                attempt = attempt.saturating_add(1);
                eprintln!("{message}; trying again in {} ms", wait.as_millis());
                tokio::time::sleep(wait).await;
            }
        }
    }
}

/// Why a round ended early.
enum Trouble {
    /// The state file can't be written, so going on would answer from the past again and again; or the node refuses its cursor.
    Lasting(anyhow::Error),
    /// The node can't be asked now.
    Node {
        message: String,
        after: Option<std::time::Duration>,
    },
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        let message = failure.to_string();
        match failure {
            Failure::Refused { .. } => Self::Lasting(failure.into()),
            Failure::Later { after, .. } => Self::Node { message, after },
            Failure::Unreachable(_) => Self::Node { message, after: None },
        }
    }
}

/// Waits for events and handles them in order.
async fn round(
    place: &Place,
    slot: &mut Option<HttpClient>,
    state: &mut CursorFile,
    approve_all: bool,
) -> Result<(), Trouble> {
    let client = match slot {
        Some(client) => client,
        None => {
            let client = place.connect().map_err(|e| Trouble::Node {
                message: format!("{e:#}"),
                after: None,
            })?;
            slot.insert(client)
        }
    };
    let poll = json!({ "after": state.cursor(), "limit": POLL_LIMIT, "timeout_ms": POLL_MS });
    let page = call(client, "event.poll", poll).await?;
    let items = page
        .get("items")
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    for event in items {
        if let Some((method, params)) = reaction(event, approve_all) {
            react(client, method, params).await?;
        }
        if let Some(cursor) = event.get("cursor").and_then(Value::as_str) {
            state.advance(cursor).map_err(Trouble::Lasting)?;
        }
    }
    Ok(())
}

/// Does it; what the node will always refuse is said and left behind.
async fn react(client: &HttpClient, method: &str, params: Value) -> Result<(), rpc::Failure> {
    match call(client, method, params).await {
        Ok(_) => Ok(()),
        Err(Failure::Refused { code, message }) => {
            eprintln!("{method} was refused ({code:?}): {message:?}");
            Ok(())
        }
        Err(other) => Err(other),
    }
}

/// Returns the call that an event asks for: a method and its parameters.
fn reaction(event: &Value, approve_all: bool) -> Option<(&'static str, Value)> {
    let data = event.get("data")?;
    match event.get("kind")?.as_str()? {
        "contact.requested" if approve_all => Some(("contact.approve", json!({ "request": data.get("request")? }))),
        "message.received" => Some(("message.send", answer(data)?)),
        _ => None,
    }
}

/// Returns the parameters of `message.send` that answer a received text; `None` for what is no text or is an own message.
fn answer(message: &Value) -> Option<Value> {
    if message.get("outgoing").and_then(Value::as_bool).unwrap_or(false) {
        return None;
    }
    let body = message.get("body")?;
    if body.get("kind")?.as_str()? != "text" {
        return None;
    }
    let id = message.get("message")?.as_str()?;
    Some(json!({
        "chat": message.get("chat")?,
        "body": { "kind": "text", "text": body.get("text")? },
        "idempotency_key": format!("echo-{id}"),
    }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn received(outgoing: bool, kind: &str) -> Value {
        json!({ "cursor": "5", "kind": "message.received", "data": {
            "message": "ab12", "chat": "c", "outgoing": outgoing, "body": { "kind": kind, "text": "hi" } } })
    }

    #[test]
    fn a_text_is_answered_with_the_same_text_under_a_key_of_its_id() {
        let (method, params) = reaction(&received(false, "text"), false).unwrap();
        assert_eq!(method, "message.send");
        let wanted = json!({ "chat": "c", "body": { "kind": "text", "text": "hi" }, "idempotency_key": "echo-ab12" });
        assert_eq!(params, wanted);
        assert_eq!(reaction(&received(false, "text"), true).unwrap().1, wanted);
    }

    #[test]
    fn own_messages_and_other_kinds_are_not_answered() {
        assert!(reaction(&received(true, "text"), true).is_none());
        assert!(reaction(&received(false, "unknown"), true).is_none());
        assert!(reaction(&json!({ "cursor": "1", "kind": "later", "data": {} }), true).is_none());
        assert!(reaction(&json!({}), true).is_none());
    }

    #[test]
    fn requests_are_approved_only_if_told_so() {
        let event = json!({ "cursor": "1", "kind": "contact.requested", "data": { "request": "r" } });
        assert!(reaction(&event, false).is_none());
        assert_eq!(
            reaction(&event, true).unwrap(),
            ("contact.approve", json!({ "request": "r" }))
        );
    }

    #[test]
    fn a_node_is_named_by_directory_or_by_address_and_token() {
        let parse = |line: &str| Args::try_parse_from(std::iter::once("echo-bot").chain(line.split(' ')));
        assert!(parse("--data d").is_ok());
        assert!(parse("--url http://127.0.0.1:1 --token-file t").is_ok());
        for line in [
            "--state s",
            "--url http://127.0.0.1:1",
            "--token-file t",
            "--data d --url u --token-file t",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
