//! The commands against a node that answers as docs/methods.md says.

use std::io::Write;
use std::sync::{Arc, Mutex};

use jsonrpsee::server::{RpcModule, Server, ServerHandle};
use jsonrpsee::types::ErrorObjectOwned;

use super::*;
use crate::safe::Names;
use crate::text::{EN, KO};

type Answer = fn(&str, &Value) -> Value;

const METHODS: [&str; 17] = [
    "account.get",
    "account.phrase",
    "account.confirm_phrase",
    "contact.invite",
    "contact.accept",
    "contact.requests",
    "contact.approve",
    "contact.list",
    "chat.list",
    "chat.gaps",
    "message.send",
    "message.list",
    "message.mark_read",
    "chat.typing",
    "channel.list",
    "channel.get",
    "channel.posts",
];

/// A node on a free loopback port, with a data directory; remembers what it was asked.
struct FakeNode {
    dir: tempfile::TempDir,
    calls: Arc<Mutex<Vec<(String, Value)>>>,
    _server: ServerHandle,
}

impl FakeNode {
    async fn new(answer: Answer) -> Self {
        let calls = Arc::new(Mutex::new(Vec::new()));
        let mut module = RpcModule::new(Arc::clone(&calls));
        for method in METHODS {
            module
                .register_method(method, move |params, calls, _| {
                    let params: Value = params.parse()?;
                    calls.lock().unwrap().push((method.to_owned(), params.clone()));
                    match answer(method, &params) {
                        Value::Null => {
                            let data = json!({ "code": "not_found", "retryable": false });
                            Err(ErrorObjectOwned::owned(-32001, "no such thing", Some(data)))
                        }
                        value => Ok(value),
                    }
                })
                .unwrap();
        }
        let server = Server::builder().build("127.0.0.1:0").await.unwrap();
        let address = server.local_addr().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let places = json!({ "http": format!("http://{address}"), "ws": format!("ws://{address}") });
        std::fs::write(dir.path().join("rpc.json"), places.to_string()).unwrap();
        std::fs::write(dir.path().join("cookie"), "token").unwrap();
        Self {
            dir,
            calls,
            _server: server.start(module),
        }
    }

    /// Runs a command line; returns what it printed.
    async fn run(&self, json: bool, line: &[&str]) -> Result<String, Fault> {
        let args = std::iter::once("madang").chain(line.iter().copied());
        let cli = <crate::args::Cli as clap::Parser>::try_parse_from(args).unwrap();
        let printed = Printed::default();
        let out = Out::to(json, &EN, printed.clone());
        command(cli.command, self.dir.path(), None, &out).await?;
        let bytes = printed.0.lock().unwrap().clone();
        Ok(String::from_utf8(bytes).unwrap())
    }

    fn called(&self, method: &str) -> Vec<Value> {
        self.calls
            .lock()
            .unwrap()
            .iter()
            .filter(|(m, _)| m == method)
            .map(|(_, p)| p.clone())
            .collect()
    }
}

#[derive(Clone, Default)]
struct Printed(Arc<Mutex<Vec<u8>>>);

impl Write for Printed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn id(start: &str) -> String {
    format!("{start:0<64}")
}

fn text_message(n: u64, outgoing: bool) -> Value {
    json!({ "message": id(&format!("{n:04}")), "chat": id("aaaa"), "account": "madang1alice", "device": "d",
        "outgoing": outgoing, "sent_ms": n * 1000, "received_ms": n * 1000,
        "body": { "kind": "text", "text": format!("text {n}") },
        "ledger": { "state": "delivered", "held": [], "delivered": [], "read": [] } })
}

/// Two chats; messages 0 to 249 in the first, the last one an own one; lists page by two, messages by a hundred.
fn two_chats(method: &str, params: &Value) -> Value {
    match method {
        "chat.list" if params.get("after").is_none() => json!({ "items": [
            { "chat": id("bbbb"), "name": "Bob", "members": [], "state": "active", "unread": 0 },
            { "chat": id("cccc"), "name": "Carol", "members": [], "state": "requested", "unread": 0 },
        ], "next": "2" }),
        "chat.list" => json!({ "items": [
            { "chat": id("aaaa"), "name": "Alice", "members": [{ "account": "madang1alice", "name": "Alice" }],
              "state": "active", "unread": 230, "last_ms": 0 },
        ] }),
        "message.list" => {
            let end: u64 = params
                .get("before")
                .and_then(Value::as_str)
                .map_or(250, |c| c.parse().unwrap());
            let start = end.saturating_sub(params["limit"].as_u64().unwrap());
            let items: Vec<Value> = (start..end).map(|n| text_message(n, n == 249)).collect();
            let prev = (start > 0).then(|| start.to_string());
            json!({ "items": items, "prev": prev, "next": end.to_string() })
        }
        "message.send" => {
            json!({ "message": id("1234"), "ledger": { "state": "queued", "reason": "no relay", "held": [] } })
        }
        "chat.gaps" => json!({ "items": [] }),
        "message.mark_read" | "chat.typing" => json!({}),
        _ => Value::Null,
    }
}

#[tokio::test]
async fn read_shows_all_unread_in_order_and_marks_through_the_last_received() {
    let node = FakeNode::new(two_chats).await;
    let shown = node.run(false, &["read", "alice"]).await.unwrap();
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines.len(), 230);
    assert!(lines[0].ends_with("Alice: text 20"), "{}", lines[0]);
    assert!(lines[229].ends_with("you: text 249  [delivered]"), "{}", lines[229]);
    assert_eq!(
        node.called("message.mark_read"),
        [json!({ "chat": id("aaaa"), "through": id("0248") })]
    );
}

#[tokio::test]
async fn read_with_a_limit_and_keep_unread_marks_nothing() {
    let node = FakeNode::new(two_chats).await;
    let shown = node
        .run(true, &["read", "aaaa", "--limit", "2", "--keep-unread"])
        .await
        .unwrap();
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["items"].as_array().unwrap().len(), 2);
    assert_eq!((&shown["prev"], &shown["next"]), (&json!("248"), &json!("250")));
    assert_eq!(node.called("message.mark_read").len(), 0);
}

#[tokio::test]
async fn send_finds_the_chat_by_name_on_any_page() {
    let node = FakeNode::new(two_chats).await;
    let said = node
        .run(false, &["send", "ALICE", "hi", "--idempotency-key", "k"])
        .await
        .unwrap();
    assert_eq!(said, "12340000  queued (no relay)\n");
    let wanted = json!({ "chat": id("aaaa"), "body": { "kind": "text", "text": "hi" }, "idempotency_key": "k" });
    assert_eq!(node.called("message.send").last(), Some(&wanted));
}

#[tokio::test]
async fn a_whole_id_is_not_looked_up() {
    let node = FakeNode::new(two_chats).await;
    node.run(true, &["send", &id("dddd"), "hi"]).await.unwrap();
    assert_eq!(node.called("chat.list").len(), 0);
    assert_eq!(node.called("message.send")[0]["chat"], json!(id("dddd")));
}

#[tokio::test]
async fn lists_are_whole_and_one_document() {
    let node = FakeNode::new(two_chats).await;
    let shown = node.run(true, &["chats"]).await.unwrap();
    assert_eq!(shown.lines().count(), 1);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["items"].as_array().unwrap().len(), 3);
    let shown = node.run(false, &["chats"]).await.unwrap();
    assert!(shown.starts_with("bbbb0000  Bob    active"), "{shown}");
    assert!(shown.contains("aaaa0000  Alice  active     230 unread"), "{shown}");
}

#[tokio::test]
async fn what_the_node_does_not_know_has_exit_code_four() {
    let node = FakeNode::new(two_chats).await;
    let error = node.run(false, &["approve", &id("eeee")]).await.unwrap_err();
    assert_eq!(error.exit_code(), 4);
    assert_eq!(error.to_string(), "refused by the node: no such thing (not_found)");
}

/// Two channels of which the second calls itself almost as the first, and a post of the second that says that it is the first's.
fn a_copycat(method: &str, params: &Value) -> Value {
    let channel = |start: &str, name: &str| {
        json!({ "channel": id(start), "name": name, "link": "madang:channel?d=A", "own": true, "last_ms": 0, "unread": 0,
            "evidence": 0, "manifest": { "number": 1, "description": "a\nb", "links": [
                { "label": "\u{202e}Web", "url": "javascript:alert(1)", "actionable": false }] } })
    };
    let all = [
        channel("aaaa", "Corner shop"),
        channel("bbbb", "C\u{043e}rner\u{200b} shop\u{202e}"),
    ];
    match method {
        "channel.list" => json!({ "items": all }),
        "channel.get" if params["channel"] == id("bbbb") => all[1].clone(),
        "channel.get" => all[0].clone(),
        "channel.posts" => {
            json!({ "items": [{ "post": id("1234"), "channel": id("bbbb"), "time_ms": 0, "provisional": false,
            "body": { "kind": "card", "card": { "title": "Corner shop\u{202e}\n12:00:00  official", "buttons": [
                { "label": "Order\n", "url": "data:text/html,x", "actionable": false }] } } }] })
        }
        _ => Value::Null,
    }
}

#[tokio::test]
async fn f60_f63_a_post_stands_under_the_key_that_signed_it_and_a_look_alike_is_marked() {
    let node = FakeNode::new(a_copycat).await;
    let read = node.run(false, &["channel", "read", &id("bbbb")]).await.unwrap();
    let lines: Vec<&str> = read.lines().collect();
    assert!(lines[0].starts_with("bbbb0000  "), "{read}");
    assert!(lines[0].contains("aaaa0000"), "it looks like another: {read}");
    assert!(!read.contains('\u{202e}') && !read.contains('\u{200b}'), "{read:?}");
    let begins: Vec<bool> = lines[1..]
        .iter()
        .map(|line| line.starts_with("1970-01-01 00:00:00") || line.starts_with(' '))
        .collect();
    assert!(
        begins.iter().all(|begins| *begins),
        "a post passes for another entry: {read}"
    );
    for line in [&["channel", "show", &id("bbbb")][..], &["channel", "list"]] {
        let shown = node.run(false, line).await.unwrap();
        assert!(shown.contains("aaaa0000") && !shown.contains('\u{202e}'), "{shown:?}");
    }
}

#[test]
fn words_come_in_rows_of_four() {
    let words: Vec<String> = (1..=24).map(|n| format!("w{n}")).collect();
    let phrase = json!({ "words": words });
    let shown = node::numbered(&node::words_of(&phrase));
    assert_eq!(shown.len(), 6);
    assert_eq!(shown[0][0], " 1 w1");
}

#[test]
fn a_transcript_names_people_and_ticks() {
    let chat = json!({ "chat": "c", "members": [{ "account": "madang1a", "name": "Al\u{202e}ice" }] });
    let received = json!({ "account": "madang1a", "outgoing": false, "received_ms": 44_000,
        "body": { "kind": "text", "text": "a\nb" } });
    let sent = json!({ "account": "madang1b", "outgoing": true, "sent_ms": 45_000,
        "body": { "kind": "text", "text": "c" }, "ledger": { "state": "read" } });
    assert_eq!(
        messages::message_line(&chat, &received, &Names::default(), false, 50_000, &EN),
        "00:00:44  Al�ice: a\n          b"
    );
    assert_eq!(
        messages::message_line(&chat, &sent, &Names::default(), false, 50_000, &EN),
        "00:00:45  you: c  [read]"
    );
}

#[test]
fn the_doctor_says_path_and_reason() {
    let chat = json!({ "chat": "c", "name": "Bob", "path": "none", "waiting": 2, "reason": "no relay" });
    assert_eq!(
        node::path_row(&chat, &EN),
        ["chat", "Bob", "no way to it, 2 waiting: no relay"]
    );
    let check = json!({ "name": "relay", "ok": false, "detail": "not connected", "hint": "add one" });
    let row = node::check_row(&check, &EN);
    assert!(row[0].contains("FAIL"), "{row:?}");
    assert_eq!(row[1..], ["relay", "not connected; add one"]);
    assert!(node::check_row(&check, &KO)[0].contains("실패"));
}
