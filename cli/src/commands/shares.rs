//! The commands around cards of apps and pages.

use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use super::messages::message_for;
use super::{id_for, print_list};
use crate::args::CardCommand;
use crate::client::Client;
use crate::fault::Fault;
use crate::offline;
use crate::out::Out;
use crate::resolve::{CHAT, PICK, REPLY};
use crate::safe;
use crate::show;
use crate::text::Texts;

pub(super) async fn share(client: &Client, action: CardCommand, out: &Out) -> Result<(), Fault> {
    let t = out.t();
    match action {
        CardCommand::Browser => {
            let made = client.call("share.browser", json!({})).await?;
            out.print(&made, || show::field(&made, "url"))?;
            out.remark(t.share_browser);
            Ok(())
        }
        CardCommand::Send { file, message, to, key } => {
            let mut params = match file {
                Some(file) => offline::card(&file)?,
                None => json!({ "message": message_for(client, &message.unwrap_or_default(), out).await? }),
            };
            set(&mut params, "chats", json!(chats(client, &to).await?));
            let key = match key {
                Some(key) => key,
                None => HEXLOWER.encode(&offline::random::<16>()?),
            };
            set(&mut params, "idempotency_key", json!(key));
            let sent = client.call("share.send", params).await?;
            print_list(out, show::items_of(&sent, "items"), t.no_picks, |item| {
                vec![
                    show::short(show::text_of(item, "message")),
                    (t.node_says)(
                        &item
                            .get("ledger")
                            .map_or_else(String::new, |ledger| show::field(ledger, "state")),
                    ),
                ]
            })?;
            for picture in show::items_of(&sent, "left_out") {
                let (image, reason) = (show::field(picture, "image"), show::field(picture, "reason"));
                out.remark(&(t.picture_left_out)(&image, &(t.node_says)(&reason)));
            }
            Ok(())
        }
        CardCommand::Scrape { url } => {
            let scraped = client.call("share.scrape", json!({ "url": url })).await?;
            let share = scraped.get("share").cloned().unwrap_or_default();
            out.print(&scraped, || format!("{share:#}"))
        }
        CardCommand::Pick { file } => {
            let mut params = offline::card(&file)?;
            set(&mut params, "timeout_ms", json!(0));
            let mut picked = client.call("share.pick", params).await?;
            out.remark(&(t.share_choose)(&show::field(&picked, "url")));
            while show::text_of(&picked, "state") == "waiting" {
                picked = client
                    .call("share.picked", json!({ "pick": picked.get("pick") }))
                    .await?;
            }
            out.print(&picked, || (t.node_says)(&show::field(&picked, "state")))
        }
        CardCommand::Picks => {
            let page = client.call("share.picks", json!({})).await?;
            print_list(out, show::items_of(&page, "items"), t.no_picks, |item| {
                let card = item.get("card").unwrap_or(&Value::Null);
                vec![
                    show::short(show::text_of(item, "pick")),
                    by(card.get("by").unwrap_or(&Value::Null), t),
                    safe::line(show::text_of(card, "fallback").lines().next().unwrap_or_default()),
                ]
            })
        }
        CardCommand::Confirm { pick, to } => {
            let pick = id_for(client, PICK, "share.picks", &pick).await?;
            let params = json!({ "pick": pick, "chats": chats(client, &to).await? });
            let picked = client.call("share.confirm", params).await?;
            out.print(&picked, || (t.node_says)(&show::field(&picked, "state")))
        }
        CardCommand::Open { message, button, tell } => {
            let message = message_for(client, &message, out).await?;
            let button = button.map(path_of);
            let opened = client
                .call(
                    "share.open",
                    json!({ "message": message, "button": button, "tell": tell }),
                )
                .await?;
            out.print(&opened, || {
                tap(opened.get("action").unwrap_or(&Value::Null), &message, t)
            })
        }
        CardCommand::Prove { message } => {
            let message = message_for(client, &message, out).await?;
            let proved = client.call("share.prove", json!({ "message": message })).await?;
            out.print(&proved, || by(proved.get("by").unwrap_or(&Value::Null), t))?;
            for failed in show::items_of(&proved, "unavailable") {
                let (domain, reason) = (show::field(failed, "domain"), show::field(failed, "reason"));
                out.remark(&(t.domain_unavailable)(&domain, &(t.node_says)(&reason)));
            }
            Ok(())
        }
        CardCommand::Reply { message, button } => {
            let message = message_for(client, &message, out).await?;
            let params = json!({ "message": message, "button": path_of(button) });
            let done = client.call("share.reply", params).await?;
            out.print(&done, || t.share_answered.to_owned())
        }
        CardCommand::Replies => {
            let page = client.call("share.replies", json!({})).await?;
            print_list(out, show::items_of(&page, "items"), t.no_replies, |item| {
                vec![
                    show::short(show::text_of(item, "reply")),
                    show::field(item, "name"),
                    show::short(show::text_of(item, "message")),
                    show::field(item, "data"),
                ]
            })
        }
        CardCommand::ConfirmReply { reply } => {
            let reply = id_for(client, REPLY, "share.replies", &reply).await?;
            let done = client.call("share.confirm_reply", json!({ "reply": reply })).await?;
            out.print(&done, || t.share_answered.to_owned())
        }
        CardCommand::DeclineReply { reply } => {
            let reply = id_for(client, REPLY, "share.replies", &reply).await?;
            let done = client.call("share.decline_reply", json!({ "reply": reply })).await?;
            out.print(&done, || t.pick_dropped.to_owned())
        }
        CardCommand::Decline { pick } => {
            let pick = id_for(client, PICK, "share.picks", &pick).await?;
            let done = client.call("share.decline", json!({ "pick": pick })).await?;
            out.print(&done, || t.pick_dropped.to_owned())
        }
    }
}

/// The path of a card's button, which people count from 1.
fn path_of(button: u8) -> String {
    format!("buttons[{}]", button.saturating_sub(1))
}

/// What a tap does: in words, and with what.
fn tap(action: &Value, message: &str, t: &Texts) -> String {
    let what = ["url", "text", "channel", "data"]
        .into_iter()
        .find_map(|name| action.get(name).and_then(Value::as_str));
    match show::text_of(action, "kind") {
        "handler" => t.share_handed.to_owned(),
        "share" => (t.share_on)(&show::short(message)),
        "none" => (t.node_says)(&show::field(action, "reason")),
        "postback" => (t.share_would_answer)(&safe::line(what.unwrap_or_default())),
        _ => safe::line(what.unwrap_or_default()),
    }
}

/// Who stands for a card.
pub(crate) fn by(by: &Value, t: &Texts) -> String {
    match show::text_of(by, "kind") {
        "app" => {
            let (name, key) = (show::field(by, "name"), show::short(show::text_of(by, "app")));
            let mut said = (t.by_app)(&name, &key);
            for named in show::items_of(by, "domains") {
                let domain = show::field(named, "domain");
                said.push_str(&match named.get("proved_ms").and_then(Value::as_u64) {
                    Some(at_ms) => (t.by_domain_proved)(&domain, &show::time(at_ms, show::now_ms())),
                    None => (t.by_domain_claimed)(&domain),
                });
            }
            if by.get("outdated").and_then(Value::as_bool) == Some(true) {
                said.push_str(t.by_outdated);
            }
            said
        }
        "page" => (t.by_page)(&safe::line(show::text_of(by, "origin"))),
        _ => t.by_nobody.to_owned(),
    }
}

async fn chats(client: &Client, given: &[String]) -> Result<Vec<String>, Fault> {
    let mut chats = Vec::new();
    for chat in given {
        chats.push(id_for(client, CHAT, "chat.list", chat).await?);
    }
    Ok(chats)
}

fn set(params: &mut Value, name: &str, value: Value) {
    if let Some(members) = params.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}
