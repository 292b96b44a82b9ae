//! `madang search`.

use serde_json::{Value, json};

use super::{id_for, put};
use crate::args::SearchArgs;
use crate::client::Client;
use crate::fault::Fault;
use crate::out::{Out, green};
use crate::resolve::{CHAT, CONTACT};
use crate::safe::{self, Names};
use crate::show;

/// Messages asked for in one page (guess).
const PAGE: u64 = 100;
/// Pages without a hit after which the search ends: each has read thousands of messages (guess).
const EMPTY_PAGES: usize = 100;
/// Columns before what a hit shows.
const INDENT: &str = "          ";

pub(super) async fn search(client: &Client, args: SearchArgs, out: &Out) -> Result<(), Fault> {
    let mut params = json!({ "query": args.words.join(" ") });
    if let Some(chat) = &args.chat {
        put(
            &mut params,
            "chat",
            json!(id_for(client, CHAT, "chat.list", chat).await?),
        );
    }
    match args.from.as_deref() {
        None => {}
        Some("me") => {
            let own = client.call("account.get", json!({})).await?;
            put(&mut params, "account", own.get("account").cloned().unwrap_or_default());
        }
        Some(who) if who.starts_with("madang1") => put(&mut params, "account", json!(who)),
        Some(who) => {
            let account = id_for(client, CONTACT, "contact.list", who).await?;
            put(&mut params, "account", json!(account));
        }
    }
    for (name, time) in [("after_ms", args.after), ("before_ms", args.before)] {
        if let Some(time) = time {
            put(&mut params, name, json!(time));
        }
    }
    let (found, more, complete) = hits(client, params, args.limit, out).await?;

    let chats = client.list("chat.list").await?;
    let names = Names::of(&chats, "chat");
    let (now, t) = (show::now_ms(), out.t());
    let mut document = json!({ "items": found, "complete": complete });
    if let Some(more) = &more {
        put(&mut document, "next", more.clone());
    }
    out.print(&document, || {
        if found.is_empty() {
            return t.nothing_found.to_owned();
        }
        // The newest last, where one looks.
        let shown = found.iter().rev().map(|hit| {
            let message = hit.get("message").unwrap_or(&Value::Null);
            let id = show::text_of(message, "chat");
            let chat = chats.iter().find(|chat| show::text_of(chat, "chat") == id);
            let chat = chat.map_or_else(|| show::short(id), |chat| show::marked(chat, "chat", &names, t));
            let who = match show::flag(message, "outgoing") {
                true => t.you.to_owned(),
                false => show::name_or(message, "account"),
            };
            let head = format!(
                "{}  {}  {chat}  {who}:",
                show::time_of(message, "sent_ms", now),
                show::short(show::text_of(message, "message"))
            );
            let text = format!("{head}\n{INDENT}{}", snippet(hit));
            out.wrapped(&text, INDENT)
        });
        shown.collect::<Vec<_>>().join("\n")
    })?;
    if more.is_some() {
        out.remark(&(t.more_found)(args.limit));
    }
    if !complete {
        out.remark(t.search_incomplete);
    }
    Ok(())
}

/// Reads pages until so many hits are there; whether there may be more, and whether all messages were looked at.
async fn hits(
    client: &Client,
    mut params: Value,
    limit: u64,
    out: &Out,
) -> Result<(Vec<Value>, Option<Value>, bool), Fault> {
    let progress = out.progress((out.t().searching)(0));
    let (mut found, mut complete, mut empty) = (Vec::new(), true, 0);
    loop {
        let have = found.len() as u64;
        progress.say((out.t().searching)(have));
        put(&mut params, "limit", json!(limit.saturating_sub(have).min(PAGE)));
        let page = client.call("message.search", params.clone()).await?;
        let items = show::items_of(&page, "items");
        empty = if items.is_empty() { empty + 1 } else { 0 };
        found.extend_from_slice(items);
        complete &= show::flag(&page, "complete");
        let next = page.get("next").filter(|next| !next.is_null()).cloned();
        match next {
            Some(next) if (found.len() as u64) < limit && empty < EMPTY_PAGES => put(&mut params, "after", next),
            next => return Ok((found, next, complete)),
        }
    }
}

/// The text around a hit, with what was looked for in colour.
fn snippet(hit: &Value) -> String {
    let text = show::text_of(hit, "snippet");
    let (mut shown, mut at) = (String::new(), 0);
    let plain = |part: &str| safe::multiline(part, INDENT);
    for place in show::items_of(hit, "highlights") {
        let number = |name: &str| usize::try_from(show::number(place, name)).unwrap_or(usize::MAX);
        let (start, end) = (
            number("start_bytes"),
            number("start_bytes").saturating_add(number("length_bytes")),
        );
        let (Some(before), Some(found)) = (text.get(at..start), text.get(start..end)) else {
            break;
        };
        shown.push_str(&plain(before));
        shown.push_str(&green(&plain(found)));
        at = end;
    }
    shown.push_str(&plain(text.get(at..).unwrap_or_default()));
    shown
}
