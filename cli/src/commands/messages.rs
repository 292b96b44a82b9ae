//! The commands around messages: sending, reading, and what is done to them.

use serde_json::{Map, Value, json};

use super::{id_for, print_list};
use crate::client::Client;
use crate::fault::Fault;
use crate::out::Out;
use crate::resolve::{self, CHAT, MESSAGE};
use crate::show;

/// Messages that `read` shows without `--limit`, if fewer are unread (guess).
const READ_DEFAULT: u64 = 20;
/// Messages that `read` shows at most.
const READ_MAX: u64 = 10_000;
/// Messages asked for in one page (guess).
const PAGE: u64 = 100;
/// Newest messages of a chat among which the beginning of an id is looked for (guess).
const SEARCHED: u64 = 200;
/// Chats in which it is looked for, those used last (guess).
const SEARCHED_CHATS: usize = 50;
/// Columns before the text of a message: `12:03:44  `.
const TEXT_INDENT: &str = "          ";

pub(super) async fn send(
    client: &Client,
    chat: &str,
    text: &str,
    reply: Option<String>,
    idempotency_key: Option<String>,
    out: &Out,
) -> Result<(), Fault> {
    let id = id_for(client, CHAT, "chat.list", chat).await?;
    let mut body = json!({ "kind": "text", "text": text });
    if let Some(reply) = reply {
        let answered = if resolve::is_id(&reply) {
            reply.to_lowercase()
        } else {
            let list = newest(client, &id, SEARCHED).await?;
            resolved(&reply, show::items_of(&list, "items"))?
        };
        if let Some(fields) = body.as_object_mut() {
            fields.insert("reply_to".to_owned(), json!(answered));
        }
    }
    let mut params = Map::from_iter([("chat".to_owned(), json!(id)), ("body".to_owned(), body)]);
    if let Some(key) = idempotency_key {
        params.insert("idempotency_key".to_owned(), json!(key));
    }
    let sent = client.call("message.send", Value::Object(params)).await?;
    print_sent(&sent, out)
}

fn print_sent(sent: &Value, out: &Out) -> Result<(), Fault> {
    out.print(sent, || {
        let ledger = sent.get("ledger").unwrap_or(&Value::Null);
        let id = show::short(show::text_of(sent, "message"));
        format!("{id}  {}", show::ledger(ledger, show::now_ms()))
    })
}

pub(super) async fn typing(client: &Client, chat: &str, stop: bool, out: &Out) -> Result<(), Fault> {
    let chat = id_for(client, CHAT, "chat.list", chat).await?;
    let done = client
        .call("chat.typing", json!({ "chat": chat, "active": !stop }))
        .await?;
    out.print(&done, || "whoever is connected is told".to_owned())
}

pub(super) async fn read(
    client: &Client,
    chat: &str,
    limit: Option<u64>,
    keep_unread: bool,
    ids: bool,
    out: &Out,
) -> Result<(), Fault> {
    let chats = client.list("chat.list").await?;
    let row = resolve::resolve(CHAT, chat, &chats)?;
    let id = show::text_of(row, "chat");
    let unread = row.get("unread").and_then(Value::as_u64).unwrap_or(0);
    let limit = limit.unwrap_or(unread.max(READ_DEFAULT)).min(READ_MAX);

    let shown = newest(client, id, limit).await?;
    let items = show::items_of(&shown, "items");
    out.print(&shown, || transcript(row, items, ids))?;
    let gaps = client.call("chat.gaps", json!({ "chat": id })).await?;
    let open = |gap: &&Value| show::text_of(gap, "state") == "open";
    if show::items_of(&gaps, "items").iter().filter(open).count() > 0 {
        out.remark("some messages are missing and looked for; see `madang gaps`");
    }

    let last_received = items.iter().rev().find(|m| !is_outgoing(m));
    if let (Some(message), false) = (last_received, keep_unread) {
        let through = show::text_of(message, "message");
        client
            .call("message.mark_read", json!({ "chat": id, "through": through }))
            .await?;
    }
    Ok(())
}

/// What is missing of a chat.
pub(super) async fn gaps(client: &Client, chat: &str, out: &Out) -> Result<(), Fault> {
    let chat = id_for(client, CHAT, "chat.list", chat).await?;
    let found = client.call("chat.gaps", json!({ "chat": chat })).await?;
    let now = show::now_ms();
    print_list(out, show::items_of(&found, "items"), "nothing is missing", |gap| {
        let number = |name: &str| gap.get(name).and_then(Value::as_u64).unwrap_or(0);
        let (first, last) = (number("first"), number("last"));
        let what = match show::text_of(gap, "state") {
            "forked" => format!("two different messages at {first}"),
            "lost" => "given up by its author".to_owned(),
            _ if number("asked") == 0 => "looked for".to_owned(),
            _ => format!("looked for, asked {} times", number("asked")),
        };
        vec![
            show::name_or(gap, "account"),
            format!("device {}", show::short(show::text_of(gap, "device"))),
            if first == last {
                format!("message {first}")
            } else {
                format!("messages {first} to {last}")
            },
            what,
            format!("since {}", show::time_of(gap, "since_ms", now)),
        ]
    })
}

/// Returns the newest messages as one list in the order shown, paging back from the end.
async fn newest(client: &Client, chat: &str, limit: u64) -> Result<Value, Fault> {
    let mut items: Vec<Value> = Vec::new();
    let mut prev: Option<Value> = None;
    let mut next: Option<Value> = None;
    loop {
        let missing = limit.saturating_sub(u64::try_from(items.len()).unwrap_or(u64::MAX));
        let mut params = json!({ "chat": chat, "limit": missing.min(PAGE) });
        if let (Some(cursor), Some(fields)) = (prev.take(), params.as_object_mut()) {
            fields.insert("before".to_owned(), cursor);
        }
        let page = client.call("message.list", params).await?;
        let older = show::items_of(&page, "items");
        if items.is_empty() {
            next = page.get("next").cloned();
        }
        prev = page.get("prev").filter(|p| !p.is_null()).cloned();
        let ended = older.is_empty() || prev.is_none();
        items.splice(0..0, older.iter().cloned());
        if ended || u64::try_from(items.len()).unwrap_or(u64::MAX) >= limit {
            break;
        }
    }
    let mut list = Map::from_iter([("items".to_owned(), Value::Array(items))]);
    for (name, cursor) in [("next", next), ("prev", prev)] {
        if let Some(cursor) = cursor.filter(|c| !c.is_null()) {
            list.insert(name.to_owned(), cursor);
        }
    }
    Ok(Value::Object(list))
}

pub(super) fn transcript(chat: &Value, messages: &[Value], ids: bool) -> String {
    if messages.is_empty() {
        return "no messages".to_owned();
    }
    let now = show::now_ms();
    let lines: Vec<String> = messages.iter().map(|m| message_line(chat, m, ids, now)).collect();
    lines.join("\n")
}

pub(super) fn message_line(chat: &Value, message: &Value, ids: bool, now: u64) -> String {
    let text = show::message(message, TEXT_INDENT);
    let id = if ids {
        format!("{}  ", show::short(show::text_of(message, "message")))
    } else {
        String::new()
    };
    if is_outgoing(message) {
        let ledger = show::ledger(message.get("ledger").unwrap_or(&Value::Null), now);
        let time = show::time_of(message, "sent_ms", now);
        return format!("{time}  {id}you: {text}  [{ledger}]");
    }
    let account = show::text_of(message, "account");
    let member = show::items_of(chat, "members")
        .iter()
        .find(|m| show::text_of(m, "account") == account);
    // Whoever isn't a member any more is named by the message.
    let who = show::name_or(member.unwrap_or(message), "account");
    format!("{}  {id}{who}: {text}", show::time_of(message, "received_ms", now))
}

/// Sends a question.
pub(super) async fn poll(
    client: &Client,
    chat: &str,
    question: &str,
    options: &[String],
    multiple: bool,
    out: &Out,
) -> Result<(), Fault> {
    let id = id_for(client, CHAT, "chat.list", chat).await?;
    let body = json!({ "kind": "poll", "question": question, "options": options, "multiple": multiple });
    let sent = client.call("message.send", json!({ "chat": id, "body": body })).await?;
    print_sent(&sent, out)
}

/// Answers a poll, whose options people count from 1.
pub(super) async fn vote(client: &Client, message: &str, numbers: &[u8], out: &Out) -> Result<(), Fault> {
    let choices: Vec<u8> = numbers.iter().map(|number| number.saturating_sub(1)).collect();
    change(client, "message.vote", message, json!({ "choices": choices }), out).await
}

/// Does something to a message and shows it as it is then.
pub(super) async fn change(
    client: &Client,
    method: &str,
    message: &str,
    mut params: Value,
    out: &Out,
) -> Result<(), Fault> {
    let id = message_for(client, message).await?;
    if let Some(fields) = params.as_object_mut() {
        fields.insert("message".to_owned(), json!(id));
    }
    let changed = client.call(method, params).await?;
    out.print(&changed, || {
        let id = show::short(show::text_of(&changed, "message"));
        format!("{id}  {}", show::message(&changed, TEXT_INDENT))
    })
}

/// Returns the id of the message that `given` means; looks among the newest of the chats used last unless it is a whole id already.
async fn message_for(client: &Client, given: &str) -> Result<String, Fault> {
    if resolve::is_id(given) {
        return Ok(given.to_lowercase());
    }
    let mut chats = client.list("chat.list").await?;
    chats.sort_by_key(|chat| std::cmp::Reverse(chat.get("last_ms").and_then(Value::as_u64)));
    let mut items = Vec::new();
    for chat in chats.iter().take(SEARCHED_CHATS) {
        let list = newest(client, show::text_of(chat, "chat"), SEARCHED).await?;
        items.extend_from_slice(show::items_of(&list, "items"));
    }
    resolved(given, &items)
}

fn resolved(given: &str, messages: &[Value]) -> Result<String, Fault> {
    resolve::resolve(MESSAGE, given, messages).map(|item| show::text_of(item, "message").to_owned())
}

fn is_outgoing(message: &Value) -> bool {
    message.get("outgoing").and_then(Value::as_bool).unwrap_or(false)
}
