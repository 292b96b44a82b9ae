//! The commands around groups.

use serde_json::{Value, json};

use super::apps::picture;
use super::{id_for, keyed, pair};
use crate::args::GroupCommand;
use crate::client::Client;
use crate::fault::Fault;
use crate::out::Out;
use crate::resolve::{self, CHAT, CONTACT, MEMBER};
use crate::safe::Names;
use crate::show;
use crate::text::Texts;

pub(super) async fn group(client: &Client, action: GroupCommand, out: &Out) -> Result<(), Fault> {
    match action {
        GroupCommand::New {
            name,
            members,
            idempotency_key,
        } => {
            let members = accounts(client, &members).await?;
            let mut params = json!({ "name": name, "members": members });
            keyed(&mut params, idempotency_key);
            let made = client.call("chat.create", params).await?;
            out.print(&made, || show::field(&made, "chat"))
        }
        GroupCommand::Show { chat } => {
            let chat = id_for(client, CHAT, "chat.list", &chat).await?;
            let found = client.call("chat.get", json!({ "chat": chat })).await?;
            out.print(&found, || details(&found, out))
        }
        GroupCommand::Members { chat } => {
            let chat = id_for(client, CHAT, "chat.list", &chat).await?;
            let found = client.call("chat.members", json!({ "chat": chat })).await?;
            out.print(&found, || devices(show::items_of(&found, "items"), out))
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
            let until = show::time_of(&made, "expires_ms", show::now_ms());
            out.remark(&(out.t().group_invited)(no_approval, &until));
            Ok(())
        }
        GroupCommand::Invites { chat } => {
            let chat = id_for(client, CHAT, "chat.list", &chat).await?;
            let found = client.call("chat.invites", json!({ "chat": chat })).await?;
            out.print(&found, || links(&found, out))
        }
        GroupCommand::Uninvite { invite } => {
            let done = client.call("chat.uninvite", json!({ "invite": invite.trim() })).await?;
            out.print(&done, || out.t().taken_back.to_owned())
        }
        GroupCommand::Leave { chat } => {
            change(client, "chat.leave", &chat, json!({}), out).await?;
            out.remark(out.t().leaving);
            Ok(())
        }
        GroupCommand::Rename { chat, name } => change(client, "chat.update", &chat, json!({ "name": name }), out).await,
        GroupCommand::Picture { chat, file, .. } => {
            let picture = file.as_deref().map(picture).transpose()?.unwrap_or_default();
            change(client, "chat.update", &chat, json!({ "picture": picture }), out).await
        }
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
    out.print(&changed, || out.table(&members(&changed, out.t())))
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

fn links(found: &Value, out: &Out) -> String {
    let (items, t) = (show::items_of(found, "items"), out.t());
    if items.is_empty() {
        return t.no_links.to_owned();
    }
    let now = show::now_ms();
    // A link stands on a line of its own, whole, so that it can be copied.
    let shown = items.iter().map(|link| {
        let row = vec![
            (t.until)(&show::time_of(link, "expires_ms", now)),
            (t.let_in)(show::number(link, "uses"), show::number(link, "max_uses")),
            if show::flag(link, "approval") {
                t.you_approve
            } else {
                t.at_once
            }
            .to_owned(),
        ];
        format!("{}\n{}", out.table(&[row]), show::field(link, "invite"))
    });
    shown.collect::<Vec<_>>().join("\n\n")
}

fn members(chat: &Value, t: &Texts) -> Vec<Vec<String>> {
    let items = show::items_of(chat, "members");
    let names = Names::of(items, "account");
    items.iter().map(|member| member_row(member, &names, t)).collect()
}

fn member_row(member: &Value, names: &Names, t: &Texts) -> Vec<String> {
    vec![
        show::marked(member, "account", names, t),
        show::short_account(show::text_of(member, "account")),
        (t.node_says)(&show::field(member, "role")),
    ]
}

/// Members with their devices.
fn devices(items: &[Value], out: &Out) -> String {
    let (names, t) = (Names::of(items, "account"), out.t());
    let rows = items.iter().map(|member| {
        let mut row = member_row(member, &names, t);
        let devices = show::items_of(member, "devices").iter().filter_map(Value::as_str);
        row.push(devices.map(show::short).collect::<Vec<_>>().join(" "));
        row
    });
    out.table(&rows.collect::<Vec<_>>())
}

fn details(chat: &Value, out: &Out) -> String {
    let (number, t) = (|name: &str| show::number(chat, name), out.t());
    let mut state = vec![(t.node_says)(&show::field(chat, "state")), (t.epoch)(number("epoch"))];
    if number("branches") > 1 {
        state.push((t.branches)(number("branches")));
    }
    if number("waiting_envelopes") > 0 {
        state.push((t.envelopes_wait)(number("waiting_envelopes")));
    }
    if number("changes_under_way") > 0 {
        state.push((t.changes_under_way)(number("changes_under_way")));
    }
    if show::flag(chat, "rejoining") {
        state.push(t.rejoining.to_owned());
    }
    if number("gaps") > 0 {
        state.push((t.gaps_seen)(number("gaps")));
    }
    if number("lost") > 0 {
        state.push((t.gaps_lost)(number("lost")));
    }
    let mut rows = vec![
        pair(t.name, show::field(chat, "name")),
        pair(t.chat, show::field(chat, "chat")),
        pair(t.state, state.join(", ")),
    ];
    if number("timer_s") > 0 {
        rows.push(pair(t.timer, format!("{} s", number("timer_s"))));
    }
    format!("{}\n\n{}", out.table(&rows), out.table(&members(chat, t)))
}
