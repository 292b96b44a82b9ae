//! The commands around groups.

use serde_json::{Value, json};

use super::{id_for, pair};
use crate::args::GroupCommand;
use crate::client::Client;
use crate::fault::Fault;
use crate::out::Out;
use crate::resolve::{self, CHAT, CONTACT, MEMBER};
use crate::show;

pub(super) async fn group(client: &Client, action: GroupCommand, out: &Out) -> Result<(), Fault> {
    match action {
        GroupCommand::New { name, members } => {
            let members = accounts(client, &members).await?;
            let made = client
                .call("chat.create", json!({ "name": name, "members": members }))
                .await?;
            out.print(&made, || show::field(&made, "chat"))
        }
        GroupCommand::Show { chat } => {
            let chat = id_for(client, CHAT, "chat.list", &chat).await?;
            let found = client.call("chat.get", json!({ "chat": chat })).await?;
            out.print(&found, || details(&found))
        }
        GroupCommand::Add { chat, members } => {
            let members = accounts(client, &members).await?;
            change(client, "chat.add", &chat, json!({ "members": members }), out).await
        }
        GroupCommand::Remove { chat, members } => {
            let members = members_of(client, &chat, &members).await?;
            change(client, "chat.remove", &chat, json!({ "members": members }), out).await
        }
        GroupCommand::Invite {
            chat,
            no_approval,
            expires_in_s,
            max_uses,
        } => {
            let chat = id_for(client, CHAT, "chat.list", &chat).await?;
            let what = json!({
                "chat": chat, "approval": !no_approval, "expires_in_s": expires_in_s, "max_uses": max_uses,
            });
            let made = client.call("chat.invite", what).await?;
            out.print(&made, || show::field(&made, "invite"))?;
            let how = if no_approval {
                "lets whoever has it in"
            } else {
                "whoever has it may ask; you approve each"
            };
            let until = show::time_of(&made, "expires_ms", show::now_ms());
            out.remark(&format!("{how}, until {until} UTC; they run `madang accept INVITE`"));
            Ok(())
        }
        GroupCommand::Invites { chat } => {
            let chat = id_for(client, CHAT, "chat.list", &chat).await?;
            let found = client.call("chat.invites", json!({ "chat": chat })).await?;
            out.print(&found, || links(&found))
        }
        GroupCommand::Uninvite { invite } => {
            let done = client.call("chat.uninvite", json!({ "invite": invite.trim() })).await?;
            out.print(&done, || "taken back".to_owned())
        }
        GroupCommand::Leave { chat } => {
            change(client, "chat.leave", &chat, json!({}), out).await?;
            out.remark("the others are asked to remove this account; until one of them has, messages still come");
            Ok(())
        }
        GroupCommand::Rename { chat, name } => change(client, "chat.update", &chat, json!({ "name": name }), out).await,
        GroupCommand::Timer { chat, seconds } => {
            change(client, "chat.update", &chat, json!({ "timer_s": seconds }), out).await
        }
        GroupCommand::Role { chat, member, role } => {
            let member = members_of(client, &chat, &[member]).await?;
            let what = json!({ "account": member.first(), "role": role });
            change(client, "chat.roles", &chat, what, out).await
        }
    }
}

async fn change(client: &Client, method: &str, chat: &str, mut what: Value, out: &Out) -> Result<(), Fault> {
    let chat = id_for(client, CHAT, "chat.list", chat).await?;
    if let Some(fields) = what.as_object_mut() {
        fields.insert("chat".to_owned(), json!(chat));
    }
    let changed = client.call(method, what).await?;
    out.print(&changed, || members(&changed))
}

/// The accounts of contacts.
async fn accounts(client: &Client, given: &[String]) -> Result<Vec<String>, Fault> {
    let contacts = client.list("contact.list").await?;
    let account = |given: &String| {
        let found = resolve::resolve(CONTACT, given, &contacts)?;
        Ok(show::text_of(found, "account").to_owned())
    };
    given.iter().map(account).collect()
}

/// The accounts of members.
async fn members_of(client: &Client, chat: &str, given: &[String]) -> Result<Vec<String>, Fault> {
    let chat = id_for(client, CHAT, "chat.list", chat).await?;
    let members = client.call("chat.members", json!({ "chat": chat })).await?;
    let account = |given: &String| {
        let found = resolve::resolve(MEMBER, given, show::items_of(&members, "items"))?;
        Ok(show::text_of(found, "account").to_owned())
    };
    given.iter().map(account).collect()
}

fn links(found: &Value) -> String {
    let items = show::items_of(found, "items");
    if items.is_empty() {
        return "no open links".to_owned();
    }
    let now = show::now_ms();
    let number = |link: &Value, name: &str| link.get(name).and_then(Value::as_u64).unwrap_or(0);
    let row = |link: &Value| {
        let approval = link.get("approval").and_then(Value::as_bool).unwrap_or(true);
        vec![
            format!("until {}", show::time_of(link, "expires_ms", now)),
            format!("{} of {} let in", number(link, "uses"), number(link, "max_uses")),
            if approval { "you approve" } else { "at once" }.to_owned(),
            show::field(link, "invite"),
        ]
    };
    show::table(&items.iter().map(row).collect::<Vec<_>>())
}

fn members(chat: &Value) -> String {
    let row = |member: &Value| {
        vec![
            show::name_or(member, "account"),
            show::short_account(show::text_of(member, "account")),
            show::field(member, "role"),
        ]
    };
    show::table(&show::items_of(chat, "members").iter().map(row).collect::<Vec<_>>())
}

fn details(chat: &Value) -> String {
    let number = |name: &str| chat.get(name).and_then(Value::as_u64).unwrap_or(0);
    let mut state = format!("epoch {}", number("epoch"));
    if number("branches") > 1 {
        state.push_str(&format!(", {} branches that are being settled", number("branches")));
    }
    if number("waiting_envelopes") > 0 {
        state.push_str(&format!(
            ", {} envelopes wait for a commit",
            number("waiting_envelopes")
        ));
    }
    if chat.get("rejoining").and_then(Value::as_bool).unwrap_or(false) {
        state.push_str(", this device has asked to be put back");
    }
    if number("gaps") > 0 {
        state.push_str(&format!(", {} gaps", number("gaps")));
    }
    let mut rows = vec![
        pair("name", show::field(chat, "name")),
        pair("chat", show::field(chat, "chat")),
        pair("state", format!("{}, {state}", show::field(chat, "state"))),
    ];
    if number("timer_s") > 0 {
        rows.push(pair("timer", format!("{} s", number("timer_s"))));
    }
    format!("{}\n\n{}", show::table(&rows), members(chat))
}
