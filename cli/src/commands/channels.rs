//! The commands around channels: a brand's and a follower's.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::brands::{self, posted};
use super::calendar;
use super::directory;
use super::figures;
use super::files;
use super::messages::message_for;
use super::polls;
use super::{id_for, keyed, pair, print_list, put, terms};
use crate::args::{ChannelCommand, ManifestArgs, flags};
use crate::client::Client;
use crate::fault::{self, Fault};
use crate::out::Out;
use crate::qr;
use crate::resolve::{self, CHANNEL, CHAT, POST};
use crate::safe::{Names, line, multiline};
use crate::show;
use crate::text::Texts;

/// Posts asked for in one page (guess).
const PAGE: u64 = 100;
/// Newest posts among which the beginning of an id is looked for (guess).
const SEARCHED: u64 = 200;
/// Columns before the text of a post: `12:03:44  `.
pub(super) const TEXT_INDENT: &str = "          ";

pub(super) async fn channel(client: &Client, action: ChannelCommand, out: &Out) -> Result<(), Fault> {
    match action {
        ChannelCommand::New {
            name,
            says,
            idempotency_key,
        } => {
            let mut params = manifest(says)?;
            put(&mut params, "name", json!(name));
            keyed(&mut params, idempotency_key);
            let made = client.call("channel.create", params).await?;
            out.print(&made, || show::field(&made, "link"))
        }
        ChannelCommand::Change { channel, name, says } => {
            let mut params = manifest(says)?;
            put(&mut params, "channel", json!(of(client, &channel).await?));
            if let Some(name) = name {
                put(&mut params, "name", json!(name));
            }
            let changed = client.call("channel.update", params).await?;
            print_details(client, &changed, out).await
        }
        ChannelCommand::List => {
            let items = client.list("channel.list").await?;
            let names = Names::of(&items, "channel");
            print_list(out, &items, out.t().no_channels, |item| row(item, &names, out.t()))
        }
        ChannelCommand::Show { channel } => {
            let found = get(client, &channel).await?;
            print_details(client, &found, out).await
        }
        ChannelCommand::Link { channel, qr } => {
            let found = get(client, &channel).await?;
            qr::print(
                out,
                &json!({ "link": found.get("link") }),
                &show::field(&found, "link"),
                qr,
            )
        }
        ChannelCommand::Enlist { channel, relays, off } => {
            let id = of(client, &channel).await?;
            let relays = match (off, relays.is_empty()) {
                (true, _) => json!([]),
                (false, true) => Value::Null,
                (false, false) => json!(relays),
            };
            let params = json!({ "channel": id, "relays": relays });
            let changed = client.call("channel.enlist", params).await?;
            print_details(client, &changed, out).await
        }
        ChannelCommand::Search {
            query,
            category,
            relay,
            limit,
        } => directory::search(client, (&query, &category), relay, limit, out).await,
        ChannelCommand::Share { channel, to } => share(client, &channel, &to, out).await,
        ChannelCommand::Follow { link, via } => {
            let link = link_of(client, link.trim(), out).await?;
            let params = json!({ "link": link, "via": via.name() });
            let followed = client.call("channel.follow", params).await?;
            let names = names(client).await;
            out.print(&followed, || {
                (out.t().channel_followed)(&show::marked(&followed, "channel", &names, out.t()))
            })
        }
        ChannelCommand::Unfollow { channel } => {
            let id = of(client, &channel).await?;
            let done = client.call("channel.unfollow", json!({ "channel": id })).await?;
            out.print(&done, || out.t().channel_unfollowed.to_owned())
        }
        ChannelCommand::Via { channel, via } => {
            let id = of(client, &channel).await?;
            let params = json!({ "channel": id, "via": via.name() });
            let changed = client.call("channel.via", params).await?;
            print_details(client, &changed, out).await
        }
        ChannelCommand::Mute { channel, off } => {
            let id = of(client, &channel).await?;
            let params = json!({ "channel": id, "muted": !off });
            let changed = client.call("channel.mute", params).await?;
            print_details(client, &changed, out).await
        }
        ChannelCommand::Block { channel, off } => {
            let id = of(client, &channel).await?;
            let params = json!({ "channel": id, "blocked": !off });
            let done = client.call("channel.block", params).await?;
            let t = out.t();
            out.print(&done, || {
                if off { t.channel_allowed } else { t.channel_blocked }.to_owned()
            })
        }
        ChannelCommand::Report {
            channel,
            post,
            reason,
            text,
            block,
        } => {
            let id = of(client, &channel).await?;
            let post = post_of(client, &id, &post).await?;
            let params = json!({ "channel": id, "post": post, "reason": reason.name(), "text": text, "block": block });
            let sent = client.call("channel.report", params).await?;
            out.print(&sent, || (out.t().report_sent)(show::items_of(&sent, "relays").len()))
        }
        ChannelCommand::Relays { action } => brands::relays(client, action, out).await,
        ChannelCommand::Post(args) => brands::post(client, args, out).await,
        ChannelCommand::Plans { channel } => {
            let id = of(client, &channel).await?;
            let found = client.call("channel.plans", json!({ "channel": id })).await?;
            let now = show::now_ms();
            print_list(out, show::items_of(&found, "items"), out.t().no_plans, |plan| {
                vec![
                    show::short(show::text_of(plan, "post")),
                    show::time_of(plan, "at_ms", now),
                    line(&body(plan.get("body").unwrap_or(&Value::Null), "", out.t())),
                ]
            })
        }
        ChannelCommand::Unplan { channel, post } => {
            let id = of(client, &channel).await?;
            let found = client.call("channel.plans", json!({ "channel": id })).await?;
            let plan = resolve::resolve(POST, &post, show::items_of(&found, "items"))?;
            let params = json!({ "channel": id, "post": show::text_of(plan, "post") });
            let done = client.call("channel.unplan", params).await?;
            out.print(&done, || out.t().taken_back.to_owned())
        }
        ChannelCommand::Edit { channel, post, text } => {
            let id = of(client, &channel).await?;
            let post = post_of(client, &id, &post).await?;
            let body = json!({ "kind": "text", "text": text });
            let params = json!({ "channel": id, "post": post, "body": body });
            posted(&client.call("channel.edit", params).await?, out)
        }
        ChannelCommand::Retract { channel, post, reason } => {
            let id = of(client, &channel).await?;
            let post = post_of(client, &id, &post).await?;
            let params = json!({ "channel": id, "post": post, "reason": reason });
            posted(&client.call("channel.retract", params).await?, out)
        }
        ChannelCommand::Read {
            channel,
            limit,
            keep_unread,
            ids,
        } => read(client, &channel, limit, keep_unread, ids, out).await,
        ChannelCommand::Save { channel, post, to } => {
            let id = of(client, &channel).await?;
            let post = post_of(client, &id, &post).await?;
            let found = newest(client, &id, SEARCHED).await?;
            let found = resolve::resolve(POST, &post, &found)?;
            let named = files::named(found.get("body").unwrap_or(&Value::Null));
            if named.is_empty() {
                return Err(Fault::failed(|t| t.no_files.to_owned()));
            }
            client
                .call("channel.fetch", json!({ "channel": id, "post": post }))
                .await?;
            files::save_all(client, &named, to.as_deref(), out).await
        }
        ChannelCommand::Calendar { channel, post, to } => {
            let id = of(client, &channel).await?;
            let found = newest(client, &id, SEARCHED).await?;
            let found = resolve::resolve(POST, &post, &found)?;
            let Some(file) = calendar::file(found) else {
                return Err(Fault::failed(|t| t.no_event.to_owned()));
            };
            write(&to, &file)?;
            let made = json!({ "path": to.to_string_lossy(), "length_bytes": file.len() });
            out.print(&made, || (out.t().saved)(&fault::shown(&to)))
        }
        ChannelCommand::Terms(args) => terms::terms(client, args, out).await,
        ChannelCommand::Digest { channel } => terms::digest(client, &channel, out).await,
        ChannelCommand::Vote { channel, post, choices } => polls::vote(client, &channel, &post, &choices, out).await,
        ChannelCommand::Figures { channel, post } => figures::figures(client, &channel, post.as_deref(), out).await,
        ChannelCommand::PublishResult { channel, post } => polls::publish(client, &channel, &post, out).await,
        ChannelCommand::Write { channel, text, alias } => write_back(client, &channel, &text, alias, out).await,
        ChannelCommand::Writer { action } => terms::writer(client, action, out).await,
        ChannelCommand::RecoveryKey { channel } => terms::recovery_key(client, &channel, out).await,
        ChannelCommand::Recover { key } => terms::recover(client, &key, out).await,
        ChannelCommand::Vouch { channel } => terms::vouch(client, &channel, out).await,
        ChannelCommand::Prove { channel } => terms::prove(client, &channel, out).await,
        ChannelCommand::Evidence { channel, to } => evidence(client, &channel, to, out).await,
        ChannelCommand::Verify { file } => {
            let data = std::fs::read_to_string(&file).map_err(|error| Fault::file(|t| t.to_read, &file, &error))?;
            let found = client.call("channel.verify", json!({ "data": data.trim() })).await?;
            out.print(&found, || proof(&found, out.t()))
        }
    }
}

pub(super) async fn of(client: &Client, given: &str) -> Result<String, Fault> {
    id_for(client, CHANNEL, "channel.list", given).await
}

pub(super) async fn get(client: &Client, given: &str) -> Result<Value, Fault> {
    let id = of(client, given).await?;
    client.call("channel.get", json!({ "channel": id })).await
}

/// The id of a post, which may be given by its beginning.
pub(super) async fn post_of(client: &Client, channel: &str, given: &str) -> Result<String, Fault> {
    if resolve::is_id(given) {
        return Ok(given.to_lowercase());
    }
    let posts = newest(client, channel, SEARCHED).await?;
    resolve::resolve(POST, given, &posts).map(|post| show::text_of(post, "post").to_owned())
}

/// A channel as one row of a list.
pub(super) fn row(item: &Value, names: &Names, t: &Texts) -> Vec<String> {
    let state = match (
        show::flag(item, "own"),
        show::flag(item, "blocked"),
        show::flag(item, "muted"),
    ) {
        (true, _, _) => t.channel_own,
        (_, true, _) => t.channel_is_blocked,
        (_, _, true) => t.channel_is_muted,
        _ => t.channel_is_followed,
    };
    vec![
        show::short(show::text_of(item, "channel")),
        show::marked(item, "channel", names, t),
        state.to_owned(),
        match show::number(item, "unread") {
            0 => String::new(),
            unread => (t.unread)(unread),
        },
        show::time_of(item, "last_ms", show::now_ms()),
    ]
}

/// Splits `LABEL=URL` and the like at the first `=`.
pub(super) fn halves(given: &str) -> Result<(String, String), Fault> {
    match given.split_once('=') {
        Some((one, other)) if !one.trim().is_empty() => Ok((one.trim().to_owned(), other.trim().to_owned())),
        _ => {
            let given = line(given);
            Err(Fault::failed(move |t| (t.want_pair)(&given)))
        }
    }
}

fn manifest(says: ManifestArgs) -> Result<Value, Fault> {
    let mut params = json!({});
    let mut text = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            put(&mut params, name, json!(value));
        }
    };
    text("description", says.description);
    text("domain", says.domain);
    text("advertising_label", says.advertising_label);
    text("inbox", says.inbox);
    if let Some(posts) = says.posts_per_day {
        put(&mut params, "posts_per_day", json!(posts));
    }
    let pairs = |given: &[String], names: (&str, &str)| -> Result<Vec<Value>, Fault> {
        let pair = |given: &String| {
            let (one, other) = halves(given)?;
            Ok(json!({ names.0: one, names.1: other }))
        };
        given.iter().map(pair).collect()
    };
    if !says.categories.is_empty() {
        let categories = pairs(&says.categories, ("id", "name"))?;
        put(&mut params, "categories", json!(categories));
    }
    if !says.links.is_empty() {
        put(&mut params, "links", json!(pairs(&says.links, ("label", "url"))?));
    }
    Ok(params)
}

/// Whose posts stand below, whatever they say: the key that signed them, and what it is called.
pub(super) fn heading(channel: &Value, names: &Names, t: &Texts) -> String {
    format!(
        "{}  {}",
        show::short(show::text_of(channel, "channel")),
        show::marked(channel, "channel", names, t)
    )
}

/// The newest posts in ascending order of time, paging back from the end.
async fn newest(client: &Client, channel: &str, limit: u64) -> Result<Vec<Value>, Fault> {
    let mut posts: Vec<Value> = Vec::new();
    let mut before = Value::Null;
    loop {
        let left = limit.saturating_sub(posts.len() as u64).min(PAGE);
        let params = json!({ "channel": channel, "before": before, "limit": left });
        let page = client.call("channel.posts", params).await?;
        let items = show::items_of(&page, "items");
        posts.splice(0..0, items.iter().cloned());
        before = page.get("prev").cloned().unwrap_or_default();
        if before.is_null() || items.is_empty() || posts.len() as u64 >= limit {
            return Ok(posts);
        }
    }
}

async fn read(client: &Client, given: &str, limit: u64, keep_unread: bool, ids: bool, out: &Out) -> Result<(), Fault> {
    let channel = get(client, given).await?;
    let id = show::text_of(&channel, "channel");
    let posts = newest(client, id, limit).await?;
    let names = names(client).await;
    let t = out.t();
    out.print(&json!({ "items": posts }), || {
        if posts.is_empty() {
            return t.no_posts.to_owned();
        }
        let now = show::now_ms();
        let mut lines = vec![heading(&channel, &names, t)];
        lines.extend(
            posts
                .iter()
                .map(|post| out.wrapped(&shown(post, now, ids, t), TEXT_INDENT)),
        );
        lines.join("\n")
    })?;
    if !show::items_of(&channel, "gaps").is_empty() {
        out.remark(t.some_missing);
    }
    if channel.get("beacon").is_some_and(|beacon| show::flag(beacon, "stale")) {
        out.remark(t.channel_stale);
    }
    if show::number(&channel, "evidence") > 0 {
        out.remark(t.channel_contradicts);
    }
    match posts.last().filter(|_| !keep_unread && !show::flag(&channel, "own")) {
        Some(last) => {
            let params = json!({ "channel": id, "post": show::text_of(last, "post") });
            client.call("channel.mark_read", params).await.map(drop)
        }
        None => Ok(()),
    }
}

/// A post as people read it.
pub(super) fn shown(post: &Value, now_ms: u64, ids: bool, t: &Texts) -> String {
    let mut text = format!("{}  ", show::time_of(post, "time_ms", now_ms));
    if ids {
        text += &format!("{}  ", show::short(show::text_of(post, "post")));
    }
    if show::flag(post, "advertising") {
        text += &format!("[{}] ", t.post_advertising);
    }
    let says = post.get("body").unwrap_or(&Value::Null);
    text += &match post.get("retracted") {
        Some(retracted) => match show::field(retracted, "reason") {
            reason if reason.is_empty() => t.post_retracted.to_owned(),
            reason => format!("{} {reason}", t.post_retracted),
        },
        None => body(says, TEXT_INDENT, t),
    };
    if post.get("edited_ms").is_some_and(|at| !at.is_null()) {
        text += &format!("  ({})", t.edited);
    }
    if show::flag(post, "provisional") {
        text += &format!("  ({})", t.post_provisional);
    }
    let reason = show::field(post, "reason");
    if !reason.is_empty() {
        text += &format!("  ({})", (t.post_waits)(&reason));
    }
    text
}

/// What a post says, each part on a line of its own.
fn body(says: &Value, indent: &str, t: &Texts) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut add = |value: &Value, name: &str| {
        let text = show::text_of(value, name);
        if !text.is_empty() {
            lines.push(multiline(text, indent));
        }
    };
    add(says, "text");
    let null = Value::Null;
    let cards = files::cards(says);
    for card in &cards {
        add(card, "title");
        add(card, "text");
    }
    let event = says.get("event").unwrap_or(&null);
    add(event, "title");
    add(event, "place");
    add(event, "details");
    add(says, "question");
    for card in cards {
        for button in show::items_of(card, "buttons") {
            lines.push(format!(
                "[{}] {}",
                show::field(button, "label"),
                show::field(button, "url")
            ));
        }
    }
    let (standing, state) = polls::standing(says, t);
    for (number, (option, stands)) in show::items_of(says, "options").iter().zip(standing).enumerate() {
        let option = line(option.as_str().unwrap_or_default());
        lines.push(format!("{}. {option}{stands}", number + 1));
    }
    lines.extend(state);
    for file in files::named(says) {
        let size = show::bytes(show::number(file, "length_bytes"));
        lines.push(format!("{} ({size})", show::field(file, "name")));
    }
    if lines.is_empty() {
        return t.post_unknown.to_owned();
    }
    lines.join(&format!("\n{indent}"))
}

/// The names of all channels, to mark those that look alike.
pub(super) async fn names(client: &Client) -> Names {
    let known = client.list("channel.list").await.unwrap_or_default();
    Names::of(&known, "channel")
}

pub(super) async fn print_details(client: &Client, found: &Value, out: &Out) -> Result<(), Fault> {
    let names = names(client).await;
    out.print(found, || details(found, &names, out))
}

fn details(found: &Value, names: &Names, out: &Out) -> String {
    let (now, t, null) = (show::now_ms(), out.t(), Value::Null);
    let says = found.get("manifest").unwrap_or(&null);
    let mut rows = vec![
        pair(t.label_channel, show::field(found, "channel")),
        pair(t.label_name, show::marked(found, "channel", names, t)),
        pair(t.label_description, show::field(says, "description")),
    ];
    let domain = show::field(says, "domain");
    rows.push(match found.get("domain_proved_ms") {
        Some(_) => pair(
            t.label_domain_proved,
            format!("{domain}, {}", show::time_of(found, "domain_proved_ms", now)),
        ),
        None => pair(t.label_domain, domain),
    });
    for link in show::items_of(says, "links") {
        let url = format!("{} {}", show::field(link, "label"), show::field(link, "url"));
        rows.push(pair(t.label_web, url));
    }
    for category in show::items_of(says, "categories") {
        let name = format!("{} {}", show::field(category, "id"), show::field(category, "name"));
        rows.push(pair(t.label_category, name));
    }
    if let Some(posts) = says.get("posts_per_day").and_then(Value::as_u64) {
        rows.push(pair(t.label_promise, (t.posts_per_day)(posts)));
    }
    if found.get("broke_promise_ms").is_some() {
        rows.push(pair(
            t.label_broke_promise,
            show::time_of(found, "broke_promise_ms", now),
        ));
    }
    if let Some(terms) = found.get("terms") {
        rows.push(pair(t.label_terms, flags(terms)));
    }
    let held = show::items_of(found, "held").len();
    if held > 0 {
        rows.push(pair(t.label_held_back, (t.held_back)(held)));
    }
    let state = row(found, names, t).into_iter().nth(2).unwrap_or_default();
    rows.push(pair(t.label_state, state));
    if found.get("via").is_some_and(|via| via == "followers") {
        rows.push(pair(t.label_via, t.via_followers.to_owned()));
    }
    if let Some(beacon) = found.get("beacon") {
        let stale = if show::flag(beacon, "stale") {
            t.channel_stale
        } else {
            ""
        };
        rows.push(pair(
            t.label_beacon,
            format!("{} {stale}", show::time_of(beacon, "time_ms", now)),
        ));
    }
    rows.extend(
        show::items_of(found, "listings")
            .iter()
            .map(|at| directory::listed(at, t)),
    );
    for gap in show::items_of(found, "gaps") {
        let range = (t.messages_range)(show::number(gap, "first"), show::number(gap, "last"));
        rows.push(pair(t.label_missing, range));
    }
    if show::number(found, "evidence") > 0 {
        rows.push(pair(t.label_evidence, t.channel_contradicts.to_owned()));
    }
    rows.push(pair(t.label_link, show::field(found, "link")));
    rows.retain(|row| row.last().is_some_and(|value| !value.trim().is_empty()));
    out.table(&rows)
}

/// Passes a channel on into chats.
async fn share(client: &Client, given: &str, to: &[String], out: &Out) -> Result<(), Fault> {
    let found = get(client, given).await?;
    let body = json!({ "kind": "channel", "link": found.get("link") });
    let mut items = Vec::new();
    for chat in to {
        let chat = id_for(client, CHAT, "chat.list", chat).await?;
        let params = json!({ "chat": chat, "body": body });
        items.push(client.call("message.send", params).await?);
    }
    let t = out.t();
    print_list(out, &items, t.no_picks, |item| {
        let state = item.get("ledger").map(|ledger| show::field(ledger, "state"));
        vec![
            show::short(show::text_of(item, "message")),
            (t.node_says)(&state.unwrap_or_default()),
        ]
    })
}

/// A channel's link: as it is given, or that of the message that brought it.
async fn link_of(client: &Client, given: &str, out: &Out) -> Result<String, Fault> {
    if given.contains(':') {
        return Ok(given.to_owned());
    }
    let message = message_for(client, given, out).await?;
    let found = client.call("message.get", json!({ "message": message })).await?;
    let link = found.pointer("/body/link").and_then(Value::as_str);
    let link = link.ok_or_else(|| Fault::failed(|t| t.no_channel_in_message.to_owned()))?;
    Ok(link.to_owned())
}

/// Asks the channel's inbox for a chat, or takes the one that there is, and sends a text.
async fn write_back(client: &Client, given: &str, text: &str, alias: Option<String>, out: &Out) -> Result<(), Fault> {
    let found = get(client, given).await?;
    let inbox = found.pointer("/manifest/inbox").and_then(Value::as_str);
    let inbox = inbox.ok_or_else(|| Fault::failed(|t| t.no_inbox.to_owned()))?;
    let accepted = super::contacts::ask(client, inbox, alias).await?;
    let body = json!({ "kind": "text", "text": text });
    let params = json!({ "chat": accepted.get("chat"), "body": body });
    let sent = client.call("message.send", params).await?;
    out.print(&sent, || {
        let (message, chat) = (show::text_of(&sent, "message"), show::text_of(&accepted, "chat"));
        (out.t().written_back)(&show::short(message), &show::short(chat))
    })
}

async fn evidence(client: &Client, given: &str, to: Option<PathBuf>, out: &Out) -> Result<(), Fault> {
    let id = of(client, given).await?;
    let found = client.call("channel.evidence", json!({ "channel": id })).await?;
    let items = show::items_of(&found, "items");
    if let Some(to) = &to {
        std::fs::create_dir_all(to).map_err(|error| Fault::file(|t| t.to_write, to, &error))?;
        for (number, item) in items.iter().enumerate() {
            write(
                &to.join(format!("evidence-{}.txt", number + 1)),
                &format!("{}\n", show::text_of(item, "data")),
            )?;
        }
    }
    out.print(&found, || match items {
        [] => out.t().no_evidence_of_channel.to_owned(),
        items => items
            .iter()
            .map(|item| proof(item, out.t()))
            .collect::<Vec<_>>()
            .join("\n"),
    })
}

fn write(path: &Path, data: &str) -> Result<(), Fault> {
    let mut options = std::fs::OpenOptions::new();
    let file = options.write(true).create_new(true).open(path);
    let written = file.and_then(|mut file| std::io::Write::write_all(&mut file, data.as_bytes()));
    written.map_err(|error| Fault::file(|t| t.to_write, path, &error))
}

fn proof(item: &Value, t: &Texts) -> String {
    let channel = show::short(show::text_of(item, "channel"));
    let number = show::number(item, "number");
    format!("{channel}  {}", (t.proved)(show::text_of(item, "proof"), number))
}
