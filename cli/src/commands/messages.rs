//! The commands around chats and messages: sending, reading, and what is done to them.

use serde_json::{Map, Value, json};

use super::channels::row as channel_row;
use super::files::{self, How};
use super::{asks_no_node, id_for, keyed, pair, print_list, put, some};
use crate::args::Command;
use crate::client::Client;
use crate::fault::Fault;
use crate::out::Out;
use crate::resolve::{self, CHAT, MEMBER, MESSAGE};
use crate::safe::{self, Names};
use crate::show;
use crate::text::Texts;

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

pub(super) async fn command(client: &Client, command: Command, out: &Out) -> Result<(), Fault> {
    match command {
        Command::Chats => chats(client, out).await,
        Command::Gaps { chat } => gaps(client, &chat, out).await,
        Command::Send {
            chat,
            text,
            files,
            as_files,
            keep_metadata,
            reply,
            mention,
            idempotency_key,
        } => {
            let chat = id_for(client, CHAT, "chat.list", &chat).await?;
            let text = text.unwrap_or_default();
            if !files.is_empty() {
                let how = How {
                    as_files,
                    keep_metadata,
                };
                let body = files::body(client, &files, &text, how, out).await?;
                return send(&client.again()?, &chat, body, idempotency_key, out).await;
            }
            let mut body = json!({ "kind": "text", "text": text });
            if let Some(reply) = reply {
                put(
                    &mut body,
                    "reply_to",
                    json!(message_in(client, &chat, &reply, out).await?),
                );
            }
            if !mention.is_empty() {
                put(&mut body, "mentions", mentions(client, &chat, &text, &mention).await?);
            }
            send(client, &chat, body, idempotency_key, out).await
        }
        Command::Poll {
            chat,
            question,
            options,
            multiple,
            idempotency_key,
        } => {
            let chat = id_for(client, CHAT, "chat.list", &chat).await?;
            let body = json!({ "kind": "poll", "question": question, "options": options, "multiple": multiple });
            send(client, &chat, body, idempotency_key, out).await
        }
        Command::Vote { message, choices } => {
            // People count options from 1.
            let choices: Vec<u8> = choices.iter().map(|number| number.saturating_sub(1)).collect();
            change(client, "message.vote", &message, json!({ "choices": choices }), out).await
        }
        Command::Edit { message, text, mention } => {
            let mut what = json!({ "text": text });
            if mention.is_empty() {
                return change(client, "message.edit", &message, what, out).await;
            }
            let id = message_for(client, &message, out).await?;
            let found = client.call("message.get", json!({ "message": id })).await?;
            let chat = show::text_of(&found, "chat");
            put(&mut what, "mentions", mentions(client, chat, &text, &mention).await?);
            change(client, "message.edit", &id, what, out).await
        }
        Command::Delete { message } => change(client, "message.delete", &message, json!({}), out).await,
        Command::React { message, emoji, remove } => {
            let what = json!({ "emoji": emoji, "remove": remove });
            change(client, "message.react", &message, what, out).await
        }
        Command::Pin { message } => change(client, "message.pin", &message, json!({}), out).await,
        Command::Unpin { message } => change(client, "message.unpin", &message, json!({}), out).await,
        Command::Pins { chat } => pins(client, &chat, out).await,
        Command::Typing { chat, stop } => typing(client, &chat, stop, out).await,
        Command::Read {
            chat,
            limit,
            at: Some(at),
            ids,
            ..
        } => read_at(client, &chat, at, limit, ids, out).await,
        Command::Read {
            chat,
            limit,
            keep_unread,
            ids,
            ..
        } => read(client, &chat, limit, keep_unread, ids, out).await,
        Command::Message { message } => {
            let id = message_for(client, &message, out).await?;
            let found = client.call("message.get", json!({ "message": id })).await?;
            out.print(&found, || details(&found, out))
        }
        Command::Save { message, to } => {
            let id = message_for(client, &message, out).await?;
            files::save(client, &id, to.as_deref(), out).await
        }
        Command::MarkRead { chat, through } => mark_read(client, &chat, through, out).await,
        _ => Err(asks_no_node()),
    }
}

async fn chats(client: &Client, out: &Out) -> Result<(), Fault> {
    let items = client.list("chat.list").await?;
    // Channels that are followed stand among the chats, the last heard of first; an app that may not see them has none.
    let mut channels = client.list("channel.list").await.unwrap_or_default();
    channels.retain(|channel| !show::flag(channel, "blocked"));
    let names = Names::of(&items, "chat");
    let channel_names = Names::of(&channels, "channel");
    let (now, t) = (show::now_ms(), out.t());
    let mut shown: Vec<&Value> = items.iter().chain(&channels).collect();
    shown.sort_by_key(|item| std::cmp::Reverse(show::number(item, "last_ms")));
    let row = |item: &Value| {
        if item.get("channel").is_some() {
            return channel_row(item, &channel_names, t);
        }
        vec![
            show::short(show::text_of(item, "chat")),
            show::marked(item, "chat", &names, t),
            [(t.node_says)(&show::field(item, "state")), as_whom(item, t)].concat(),
            match show::number(item, "unread") {
                0 => String::new(),
                unread => (t.unread)(unread),
            },
            show::time_of(item, "last_ms", now),
        ]
    };
    out.print(&json!({ "items": items, "channels": channels }), || {
        if shown.is_empty() {
            return t.no_chats.to_owned();
        }
        out.table(&shown.iter().map(|item| row(item)).collect::<Vec<_>>())
    })
}

/// Under which alias one is in a chat; nothing where that isn't so.
fn as_whom(chat: &Value, t: &Texts) -> String {
    match chat.get("alias") {
        Some(alias) => format!(", {}", (t.under_alias)(&show::field(alias, "name"))),
        None => String::new(),
    }
}

async fn send(client: &Client, chat: &str, body: Value, key: Option<String>, out: &Out) -> Result<(), Fault> {
    let mut params = json!({ "chat": chat, "body": body });
    keyed(&mut params, key);
    let sent = client.call("message.send", params).await?;
    out.print(&sent, || {
        let ledger = sent.get("ledger").unwrap_or(&Value::Null);
        let id = show::short(show::text_of(&sent, "message"));
        format!("{id}  {}", show::ledger(ledger, show::now_ms(), out.t()))
    })
}

/// Where a text names members as `@WHO`, for `mentions`.
async fn mentions(client: &Client, chat: &str, text: &str, who: &[String]) -> Result<Value, Fault> {
    let members = client.call("chat.members", json!({ "chat": chat })).await?;
    let mut found = Vec::new();
    for who in who {
        let member = resolve::resolve(MEMBER, who, show::items_of(&members, "items"))?;
        let name = format!("@{}", who.trim());
        let mut any = false;
        for (start, _) in text.match_indices(&name) {
            any = true;
            found.push((start, name.len(), show::text_of(member, "account").to_owned()));
        }
        if !any {
            let name = safe::line(&name);
            return Err(Fault::failed(move |t| (t.not_in_text)(&name)));
        }
    }
    found.sort_unstable();
    // Of names that begin alike, as Min and Minji, the longer one is meant.
    let mut kept: Vec<(usize, usize, String)> = Vec::new();
    for mention in found {
        match kept.last_mut() {
            Some(last) if mention.0 < last.0 + last.1 => {
                if mention.1 > last.1 {
                    *last = mention;
                }
            }
            _ => kept.push(mention),
        }
    }
    let shown = kept
        .into_iter()
        .map(|(start, length, account)| json!({ "account": account, "start_bytes": start, "length_bytes": length }));
    Ok(Value::Array(shown.collect()))
}

async fn typing(client: &Client, chat: &str, stop: bool, out: &Out) -> Result<(), Fault> {
    let chat = id_for(client, CHAT, "chat.list", chat).await?;
    let done = client
        .call("chat.typing", json!({ "chat": chat, "active": !stop }))
        .await?;
    out.print(&done, || out.t().typing_told.to_owned())
}

async fn read(
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
    let limit = limit
        .unwrap_or(show::number(row, "unread").max(READ_DEFAULT))
        .min(READ_MAX);

    let shown = newest(client, id, limit, out).await?;
    let items = show::items_of(&shown, "items");
    out.print(&shown, || transcript(row, items, ids, out))?;
    let gaps = client.call("chat.gaps", json!({ "chat": id })).await?;
    if show::items_of(&gaps, "items")
        .iter()
        .any(|gap| show::text_of(gap, "state") == "open")
    {
        out.remark(out.t().some_missing);
    }
    if keep_unread {
        return Ok(());
    }
    mark(client, id, items).await.map(drop)
}

/// What is kept in sight in a chat.
async fn pins(client: &Client, chat: &str, out: &Out) -> Result<(), Fault> {
    let chats = client.list("chat.list").await?;
    let row = resolve::resolve(CHAT, chat, &chats)?;
    let found = client
        .call("chat.pins", json!({ "chat": show::text_of(row, "chat") }))
        .await?;
    out.print(&found, || match show::items_of(&found, "items") {
        [] => out.t().no_pins.to_owned(),
        items => transcript(row, items, true, out),
    })
}

/// Shows messages from a time on.
async fn read_at(
    client: &Client,
    chat: &str,
    at_ms: u64,
    limit: Option<u64>,
    ids: bool,
    out: &Out,
) -> Result<(), Fault> {
    let chats = client.list("chat.list").await?;
    let row = resolve::resolve(CHAT, chat, &chats)?;
    let params = json!({ "chat": show::text_of(row, "chat"), "at_ms": at_ms });
    let shown = some(client, "message.list", params, limit.unwrap_or(READ_DEFAULT), PAGE).await?;
    out.print(&shown, || transcript(row, show::items_of(&shown, "items"), ids, out))
}

/// Marks through the last received of some messages; returns which that is.
async fn mark(client: &Client, chat: &str, items: &[Value]) -> Result<Option<String>, Fault> {
    let Some(last) = items.iter().rev().find(|m| !show::flag(m, "outgoing")) else {
        return Ok(None);
    };
    let through = show::text_of(last, "message");
    client
        .call("message.mark_read", json!({ "chat": chat, "through": through }))
        .await?;
    Ok(Some(through.to_owned()))
}

async fn mark_read(client: &Client, chat: &str, through: Option<String>, out: &Out) -> Result<(), Fault> {
    let chat = id_for(client, CHAT, "chat.list", chat).await?;
    let through = match through {
        Some(given) => {
            let id = message_in(client, &chat, &given, out).await?;
            client
                .call("message.mark_read", json!({ "chat": chat, "through": id }))
                .await?;
            Some(id)
        }
        None => {
            let list = newest(client, &chat, SEARCHED, out).await?;
            mark(client, &chat, show::items_of(&list, "items")).await?
        }
    };
    let t = out.t();
    out.print(&json!({ "chat": chat, "through": through }), || match &through {
        Some(id) => (t.marked_through)(&show::short(id)),
        None => t.no_messages.to_owned(),
    })
}

/// What is missing of a chat.
async fn gaps(client: &Client, chat: &str, out: &Out) -> Result<(), Fault> {
    let chat = id_for(client, CHAT, "chat.list", chat).await?;
    let found = client.call("chat.gaps", json!({ "chat": chat })).await?;
    let (now, t) = (show::now_ms(), out.t());
    print_list(out, show::items_of(&found, "items"), t.nothing_missing, |gap| {
        let number = |name: &str| show::number(gap, name);
        vec![
            show::name_or(gap, "account"),
            format!("{} {}", t.device, show::short(show::text_of(gap, "device"))),
            (t.messages_range)(number("first"), number("last")),
            match show::text_of(gap, "state") {
                "forked" => (t.gap_forked)(number("first")),
                "lost" => t.gap_lost.to_owned(),
                _ => (t.gap_asked)(number("asked")),
            },
            (t.since)(&show::time_of(gap, "since_ms", now)),
        ]
    })
}

/// Returns the newest messages as one list in the order shown, paging back from the end.
async fn newest(client: &Client, chat: &str, limit: u64, out: &Out) -> Result<Value, Fault> {
    let progress = (limit > PAGE).then(|| out.progress((out.t().reading)(0, limit)));
    let mut items: Vec<Value> = Vec::new();
    let mut prev: Option<Value> = None;
    let mut next: Option<Value> = None;
    loop {
        let have = u64::try_from(items.len()).unwrap_or(u64::MAX);
        if let Some(progress) = &progress {
            progress.say((out.t().reading)(have, limit));
        }
        let mut params = json!({ "chat": chat, "limit": limit.saturating_sub(have).min(PAGE) });
        if let Some(cursor) = prev.take() {
            put(&mut params, "before", cursor);
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

fn transcript(chat: &Value, messages: &[Value], ids: bool, out: &Out) -> String {
    if messages.is_empty() {
        return out.t().no_messages.to_owned();
    }
    let (now, t) = (show::now_ms(), out.t());
    let names = Names::of(show::items_of(chat, "members"), "account");
    let lines = messages.iter().map(|m| {
        let line = message_line(chat, m, &names, ids, now, t);
        out.wrapped(&line, TEXT_INDENT)
    });
    lines.collect::<Vec<_>>().join("\n")
}

pub(super) fn message_line(chat: &Value, message: &Value, names: &Names, ids: bool, now: u64, t: &Texts) -> String {
    let text = show::message(message, TEXT_INDENT, t);
    let id = if ids {
        format!("{}  ", show::short(show::text_of(message, "message")))
    } else {
        String::new()
    };
    if show::flag(message, "outgoing") {
        let ledger = show::ledger(message.get("ledger").unwrap_or(&Value::Null), now, t);
        let time = show::time_of(message, "sent_ms", now);
        return format!("{time}  {id}{}: {text}  [{ledger}]", t.you);
    }
    let time = show::time_of(message, "received_ms", now);
    format!("{time}  {id}{}: {text}", author(chat, message, names, t))
}

fn author(chat: &Value, message: &Value, names: &Names, t: &Texts) -> String {
    let account = show::text_of(message, "account");
    let member = show::items_of(chat, "members")
        .iter()
        .find(|m| show::text_of(m, "account") == account);
    // Whoever isn't a member any more is named by the message.
    show::marked(member.unwrap_or(message), "account", names, t)
}

/// All that is known of one message.
fn details(message: &Value, out: &Out) -> String {
    let (now, t) = (show::now_ms(), out.t());
    let outgoing = show::flag(message, "outgoing");
    let who = if outgoing {
        t.you.to_owned()
    } else {
        show::name_or(message, "account")
    };
    let mut rows = vec![
        pair(t.message, show::field(message, "message")),
        pair(t.chat, show::field(message, "chat")),
        pair(t.author, who),
        pair(t.sent, show::time_of(message, "sent_ms", now)),
        pair(t.received, show::time_of(message, "received_ms", now)),
    ];
    if message.get("edited_ms").is_some_and(Value::is_u64) {
        rows.push(pair(t.edited, show::time_of(message, "edited_ms", now)));
    }
    if message.get("expires_after_s").is_some_and(Value::is_u64) {
        rows.push(pair(t.timer, format!("{} s", show::number(message, "expires_after_s"))));
    }
    if let Some(ledger) = message.get("ledger").filter(|ledger| ledger.is_object()) {
        rows.push(pair(t.state, show::ledger(ledger, now, t)));
        for held in show::items_of(ledger, "held") {
            let relay = show::short(show::text_of(held, "relay"));
            rows.push(pair(
                t.held_by,
                format!("{relay}  {}", (t.until)(&show::time_of(held, "until_ms", now))),
            ));
        }
        for (name, list) in [(t.delivered_to, "delivered"), (t.read_by, "read")] {
            let devices = show::items_of(ledger, list).iter().filter_map(Value::as_str);
            let devices: Vec<String> = devices.map(show::short).collect();
            if !devices.is_empty() {
                rows.push(pair(name, devices.join(" ")));
            }
        }
    }
    let text = show::message(message, "", t);
    format!("{}\n\n{}", out.table(&rows), out.wrapped(&text, ""))
}

/// Does something to a message and shows it as it is then.
async fn change(client: &Client, method: &str, message: &str, mut params: Value, out: &Out) -> Result<(), Fault> {
    let id = message_for(client, message, out).await?;
    put(&mut params, "message", json!(id));
    let changed = client.call(method, params).await?;
    out.print(&changed, || {
        let id = show::short(show::text_of(&changed, "message"));
        let text = format!("{id}  {}", show::message(&changed, TEXT_INDENT, out.t()));
        out.wrapped(&text, TEXT_INDENT)
    })
}

/// Returns the id of the message of a chat that `given` means.
async fn message_in(client: &Client, chat: &str, given: &str, out: &Out) -> Result<String, Fault> {
    if resolve::is_id(given) {
        return Ok(given.to_lowercase());
    }
    let list = newest(client, chat, SEARCHED, out).await?;
    resolved(given, show::items_of(&list, "items"))
}

/// Returns the id of the message that `given` means; looks among the newest of the chats used last unless it is a whole id already.
pub(super) async fn message_for(client: &Client, given: &str, out: &Out) -> Result<String, Fault> {
    if resolve::is_id(given) {
        return Ok(given.to_lowercase());
    }
    let mut chats = client.list("chat.list").await?;
    chats.sort_by_key(|chat| std::cmp::Reverse(chat.get("last_ms").and_then(Value::as_u64)));
    let mut items = Vec::new();
    for chat in chats.iter().take(SEARCHED_CHATS) {
        let list = newest(client, show::text_of(chat, "chat"), SEARCHED, out).await?;
        items.extend_from_slice(show::items_of(&list, "items"));
    }
    resolved(given, &items)
}

fn resolved(given: &str, messages: &[Value]) -> Result<String, Fault> {
    resolve::resolve(MESSAGE, given, messages).map(|item| show::text_of(item, "message").to_owned())
}
