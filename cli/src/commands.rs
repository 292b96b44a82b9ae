//! The commands that ask a running node.

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use crate::args::Command;
use crate::client::Client;
use crate::fault::Fault;
use crate::out::Out;
use crate::resolve::{self, REQUEST, Sort};
use crate::show;
use crate::tail;

mod apps;
mod groups;
mod messages;

/// Runs a command against the node of a data directory.
///
/// # Errors
/// What the node or the command says; see [`Fault`].
pub async fn command(command: Command, data: PathBuf, out: &Out) -> Result<(), Fault> {
    let client = Client::open(&data)?;
    match command {
        Command::Whoami => whoami(&client, out).await,
        Command::Phrase { confirm } => phrase(&client, confirm, out).await,
        Command::Invite {
            multi_use,
            expires_in_s,
        } => invite(&client, multi_use, expires_in_s, out).await,
        Command::Accept { invite } => accept(&client, &invite, out).await,
        Command::Requests => requests(&client, out).await,
        Command::Approve { request } => approve(&client, &request, out).await,
        Command::Decline { request } => decline(&client, &request, out).await,
        Command::Contacts => contacts(&client, out).await,
        Command::Chats => chats(&client, out).await,
        Command::App { action } => apps::app(&client, action, out).await,
        Command::Gaps { chat } => messages::gaps(&client, &chat, out).await,
        Command::Group { action } => groups::group(&client, action, out).await,
        Command::Send {
            chat,
            text,
            reply,
            idempotency_key,
        } => messages::send(&client, &chat, &text, reply, idempotency_key, out).await,
        Command::Poll {
            chat,
            question,
            options,
            multiple,
        } => messages::poll(&client, &chat, &question, &options, multiple, out).await,
        Command::Vote { message, choices } => messages::vote(&client, &message, &choices, out).await,
        Command::Edit { message, text } => {
            messages::change(&client, "message.edit", &message, json!({ "text": text }), out).await
        }
        Command::Delete { message } => messages::change(&client, "message.delete", &message, json!({}), out).await,
        Command::React { message, emoji, remove } => {
            let what = json!({ "emoji": emoji, "remove": remove });
            messages::change(&client, "message.react", &message, what, out).await
        }
        Command::Typing { chat, stop } => messages::typing(&client, &chat, stop, out).await,
        Command::Read {
            chat,
            limit,
            keep_unread,
            ids,
        } => messages::read(&client, &chat, limit, keep_unread, ids, out).await,
        Command::Tail { after } => tail::tail(&client, after, out).await,
        Command::Doctor => doctor(&client, out).await,
        Command::Evidence { relay } => evidence(&client, relay, out).await,
        Command::Up(_) | Command::Relay(_) | Command::Demo | Command::Rpc { .. } => Err(Fault::Failed {
            message: "this command asks no node".to_owned(),
        }),
    }
}

async fn whoami(client: &Client, out: &Out) -> Result<(), Fault> {
    let account = client.call("account.get", json!({})).await?;
    out.print(&account, || {
        let confirmed = account
            .get("phrase_confirmed")
            .and_then(Value::as_bool)
            .unwrap_or(false);
        let phrase = if confirmed {
            "confirmed, the root key is erased from this device"
        } else {
            "not confirmed; see `madang phrase`"
        };
        let mut rows = vec![
            pair("account", show::field(&account, "account")),
            pair("device", show::field(&account, "device")),
            pair("phrase", phrase.to_owned()),
        ];
        let name = show::field(&account, "name");
        if !name.is_empty() {
            rows.insert(0, pair("name", name));
        }
        show::table(&rows)
    })
}

async fn phrase(client: &Client, confirm: bool, out: &Out) -> Result<(), Fault> {
    if confirm {
        let done = client.call("account.confirm_phrase", json!({})).await?;
        return out.print(&done, || {
            "confirmed: the root key is erased from this device, only your written words restore the account".to_owned()
        });
    }
    let phrase = client.call("account.phrase", json!({})).await?;
    out.print(&phrase, || numbered(&words_of(&phrase)))?;
    out.remark(
        "Write the words down and show them to nobody: whoever has them is you.\n\
         Then run `madang phrase --confirm`, which erases the root key from this device.",
    );
    Ok(())
}

fn words_of(phrase: &Value) -> Vec<&str> {
    show::items_of(phrase, "words")
        .iter()
        .filter_map(Value::as_str)
        .collect()
}

fn numbered(words: &[&str]) -> String {
    let rows: Vec<Vec<String>> = words
        .chunks(4)
        .enumerate()
        .map(|(row, chunk)| {
            let first = row * 4 + 1;
            chunk
                .iter()
                .zip(first..)
                .map(|(word, n)| format!("{n:>2} {}", show::line(word)))
                .collect()
        })
        .collect();
    show::table(&rows)
}

async fn invite(client: &Client, multi_use: bool, expires_in_s: Option<u64>, out: &Out) -> Result<(), Fault> {
    let mut params = Map::from_iter([("multi_use".to_owned(), json!(multi_use))]);
    if let Some(seconds) = expires_in_s {
        params.insert("expires_in_s".to_owned(), json!(seconds));
    }
    let made = client.call("contact.invite", Value::Object(params)).await?;
    out.print(&made, || show::field(&made, "invite"))?;
    let who = if multi_use {
        "everybody who gets it"
    } else {
        "one person"
    };
    let until = show::time_of(&made, "expires_ms", show::now_ms());
    out.remark(&format!(
        "for {who}, until {until} UTC; they run `madang accept INVITE`"
    ));
    Ok(())
}

async fn accept(client: &Client, invite: &str, out: &Out) -> Result<(), Fault> {
    let accepted = client
        .call("contact.accept", json!({ "invite": invite.trim() }))
        .await?;
    out.print(&accepted, || show::field(&accepted, "chat"))?;
    out.remark("asked; the chat is active once the other approves, or you are let into the group");
    Ok(())
}

async fn requests(client: &Client, out: &Out) -> Result<(), Fault> {
    let items = client.list("contact.requests").await?;
    let now = show::now_ms();
    print_list(out, &items, "no requests", |item| {
        vec![
            show::short(show::text_of(item, "request")),
            show::name_or(item, "account"),
            show::short_account(show::text_of(item, "account")),
            show::time_of(item, "received_ms", now),
            asked_for(item),
        ]
    })
}

async fn approve(client: &Client, request: &str, out: &Out) -> Result<(), Fault> {
    let id = id_for(client, REQUEST, "contact.requests", request).await?;
    let approved = client.call("contact.approve", json!({ "request": id })).await?;
    out.print(&approved, || show::field(&approved, "chat"))
}

/// What a request is about.
fn asked_for(request: &Value) -> String {
    match show::text_of(request, "chat") {
        "" => "for contact".to_owned(),
        chat => match show::field(request, "chat_name") {
            name if name.trim().is_empty() => format!("for the group {}", show::short(chat)),
            name => format!("for the group {name}"),
        },
    }
}

async fn decline(client: &Client, request: &str, out: &Out) -> Result<(), Fault> {
    let id = id_for(client, REQUEST, "contact.requests", request).await?;
    let done = client.call("contact.decline", json!({ "request": id })).await?;
    out.print(&done, || "declined".to_owned())
}

async fn contacts(client: &Client, out: &Out) -> Result<(), Fault> {
    let items = client.list("contact.list").await?;
    let now = show::now_ms();
    print_list(out, &items, "no contacts", |item| {
        vec![
            show::name_or(item, "account"),
            show::short_account(show::text_of(item, "account")),
            format!("chat {}", show::short(show::text_of(item, "chat"))),
            format!("since {}", show::time_of(item, "since_ms", now)),
        ]
    })
}

async fn chats(client: &Client, out: &Out) -> Result<(), Fault> {
    let items = client.list("chat.list").await?;
    let now = show::now_ms();
    print_list(out, &items, "no chats", |item| {
        let unread = item.get("unread").and_then(Value::as_u64).unwrap_or(0);
        vec![
            show::short(show::text_of(item, "chat")),
            show::name_or(item, "chat"),
            show::field(item, "state"),
            if unread == 0 {
                String::new()
            } else {
                format!("{unread} unread")
            },
            show::time_of(item, "last_ms", now),
        ]
    })
}

async fn doctor(client: &Client, out: &Out) -> Result<(), Fault> {
    let report = client.call("node.doctor", json!({})).await?;
    out.print(&report, || {
        let checks = show::items_of(&report, "checks").iter().map(check_row);
        let chats = show::items_of(&report, "chats").iter().map(path_row);
        show::table(&checks.chain(chats).collect::<Vec<_>>())
    })?;
    match report.get("ok").and_then(Value::as_bool) {
        Some(true) => Ok(()),
        _ => Err(Fault::Failed {
            message: "at least one check failed; its line says what to do".to_owned(),
        }),
    }
}

async fn evidence(client: &Client, relay: Option<String>, out: &Out) -> Result<(), Fault> {
    let params = relay.map_or(json!({}), |relay| json!({ "relay": relay }));
    let found = client.call("relay.evidence", params).await?;
    let now = show::now_ms();
    let items = show::items_of(&found, "items");
    print_list(out, items, "nothing speaks against any relay", |item| {
        vec![
            show::short(show::text_of(item, "relay")),
            show::field(item, "reason"),
            show::time_of(item, "found_ms", now),
            show::field(item, "answer"),
        ]
    })
}

fn check_row(check: &Value) -> Vec<String> {
    let ok = check.get("ok").and_then(Value::as_bool).unwrap_or(false);
    let hint = show::field(check, "hint");
    let detail = show::field(check, "detail");
    let text = if hint.is_empty() {
        detail
    } else {
        format!("{detail}; {hint}")
    };
    vec![
        if ok { "ok" } else { "FAIL" }.to_owned(),
        show::field(check, "name"),
        text,
    ]
}

fn path_row(chat: &Value) -> Vec<String> {
    let waiting = chat.get("waiting").and_then(Value::as_u64).unwrap_or(0);
    let reason = show::field(chat, "reason");
    let mut text = format!("by {}", show::field(chat, "path"));
    if waiting > 0 {
        text.push_str(&format!(", {waiting} waiting"));
    }
    if !reason.is_empty() {
        text.push_str(&format!(": {reason}"));
    }
    let gaps = chat.get("gaps").and_then(Value::as_u64).unwrap_or(0);
    if gaps > 0 {
        text.push_str(&format!("; {gaps} gaps, see `madang gaps`"));
    }
    vec!["chat".to_owned(), show::name_or(chat, "chat"), text]
}

/// Returns the id that `given` means; looks it up unless it is a whole id already.
async fn id_for(client: &Client, sort: Sort, method: &str, given: &str) -> Result<String, Fault> {
    if resolve::is_id(given) {
        return Ok(given.to_lowercase());
    }
    let items = client.list(method).await?;
    resolve::resolve(sort, given, &items).map(|item| show::text_of(item, sort.id).to_owned())
}

fn print_list(out: &Out, items: &[Value], none: &str, row: impl Fn(&Value) -> Vec<String>) -> Result<(), Fault> {
    out.print(&json!({ "items": items }), || {
        if items.is_empty() {
            return none.to_owned();
        }
        show::table(&items.iter().map(row).collect::<Vec<_>>())
    })
}

fn pair(name: &str, value: String) -> Vec<String> {
    vec![name.to_owned(), value]
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;
