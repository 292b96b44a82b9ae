//! The commands around this account and its node.

use serde_json::{Value, json};

use super::{pair, print_list};
use crate::client::Client;
use crate::fault::Fault;
use crate::out::{Out, green, red};
use crate::safe;
use crate::show;
use crate::text::Texts;

pub(super) async fn whoami(client: &Client, out: &Out) -> Result<(), Fault> {
    let account = client.call("account.get", json!({})).await?;
    let t = out.t();
    out.print(&account, || {
        let mut rows = vec![
            pair(t.account, show::field(&account, "account")),
            pair(t.device, show::field(&account, "device")),
            pair(
                t.phrase,
                if show::flag(&account, "phrase_confirmed") {
                    t.phrase_confirmed
                } else {
                    t.phrase_unconfirmed
                }
                .to_owned(),
            ),
        ];
        let name = show::field(&account, "name");
        if !name.is_empty() {
            rows.insert(0, pair(t.name, name));
        }
        out.table(&rows)
    })
}

pub(super) async fn info(client: &Client, out: &Out) -> Result<(), Fault> {
    let info = client.call("node.info", json!({})).await?;
    let (now, t) = (show::now_ms(), out.t());
    out.print(&info, || {
        let mut rows = vec![
            pair(t.version, show::field(&info, "version")),
            pair(t.account, show::field(&info, "account")),
            pair(t.device, show::field(&info, "device")),
            pair(t.peer, show::field(&info, "peer")),
            pair(t.running, show::span(show::number(&info, "uptime_ms"))),
        ];
        let listen = show::items_of(&info, "listen").iter().filter_map(Value::as_str);
        rows.extend(listen.map(|address| pair(t.listens, safe::line(address))));
        for relay in show::items_of(&info, "relays") {
            let connected = if show::flag(relay, "connected") {
                t.connected
            } else {
                t.unconnected
            };
            let mut state = format!("{}  {connected}", show::field(relay, "address"));
            if show::text_of(relay, "state") == "demoted" {
                let since = (t.since)(&show::time_of(relay, "since_ms", now));
                let why = (t.node_says)(&show::field(relay, "reason"));
                state.push_str(&format!(", {} ({why}) {since}", (t.node_says)("demoted")));
            }
            rows.push(pair(t.relay, state));
        }
        out.table(&rows)
    })
}

pub(super) async fn phrase(client: &Client, confirm: bool, out: &Out) -> Result<(), Fault> {
    if confirm {
        let done = client.call("account.confirm_phrase", json!({})).await?;
        return out.print(&done, || out.t().phrase_erased.to_owned());
    }
    let phrase = client.call("account.phrase", json!({})).await?;
    out.print(&phrase, || out.table(&numbered(&words_of(&phrase))))?;
    out.remark(out.t().phrase_advice);
    Ok(())
}

pub(super) fn words_of(phrase: &Value) -> Vec<&str> {
    show::items_of(phrase, "words")
        .iter()
        .filter_map(Value::as_str)
        .collect()
}

pub(super) fn numbered(words: &[&str]) -> Vec<Vec<String>> {
    words
        .chunks(4)
        .enumerate()
        .map(|(row, chunk)| {
            let first = row * 4 + 1;
            chunk
                .iter()
                .zip(first..)
                .map(|(word, n)| format!("{n:>2} {}", safe::line(word)))
                .collect()
        })
        .collect()
}

pub(super) async fn doctor(client: &Client, out: &Out) -> Result<(), Fault> {
    let looking = out.progress(out.t().examining);
    let report = client.call("node.doctor", json!({})).await;
    drop(looking);
    let (report, t) = (report?, out.t());
    out.print(&report, || {
        let checks = show::items_of(&report, "checks")
            .iter()
            .map(|check| check_row(check, t));
        let chats = show::items_of(&report, "chats").iter().map(|chat| path_row(chat, t));
        out.table(&checks.chain(chats).collect::<Vec<_>>())
    })?;
    if show::flag(&report, "ok") {
        return Ok(());
    }
    Err(Fault::failed(|t| t.doctor_failed.to_owned()))
}

pub(super) async fn evidence(client: &Client, relay: Option<String>, out: &Out) -> Result<(), Fault> {
    let params = relay.map_or(json!({}), |relay| json!({ "relay": relay }));
    let found = client.call("relay.evidence", params).await?;
    let (now, t) = (show::now_ms(), out.t());
    print_list(out, show::items_of(&found, "items"), t.no_evidence, |item| {
        vec![
            show::short(show::text_of(item, "relay")),
            (t.node_says)(&show::field(item, "reason")),
            show::time_of(item, "found_ms", now),
            show::field(item, "answer"),
        ]
    })
}

pub(super) fn check_row(check: &Value, t: &Texts) -> Vec<String> {
    let hint = (t.node_says)(&show::field(check, "hint"));
    let detail = (t.node_says)(&show::field(check, "detail"));
    let text = if hint.is_empty() {
        detail
    } else {
        format!("{detail}; {hint}")
    };
    vec![
        if show::flag(check, "ok") {
            green(t.ok)
        } else {
            red(t.fail)
        },
        (t.node_says)(&show::field(check, "name")),
        text,
    ]
}

pub(super) fn path_row(chat: &Value, t: &Texts) -> Vec<String> {
    let (waiting, gaps) = (show::number(chat, "waiting"), show::number(chat, "gaps"));
    let reason = (t.node_says)(&show::field(chat, "reason"));
    let mut text = (t.path)(show::text_of(chat, "path"));
    if waiting > 0 {
        text.push_str(&format!(", {}", (t.waiting)(waiting)));
    }
    if !reason.is_empty() {
        text.push_str(&format!(": {reason}"));
    }
    if gaps > 0 {
        text.push_str(&format!("; {}", (t.gaps_seen)(gaps)));
    }
    vec![t.chat.to_owned(), show::name_or(chat, "chat"), text]
}
