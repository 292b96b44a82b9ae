//! The commands around contacts: invites, requests, who is known.

use serde_json::{Map, Value, json};

use super::{id_for, print_list};
use crate::client::Client;
use crate::fault::Fault;
use crate::out::Out;
use crate::qr;
use crate::resolve::REQUEST;
use crate::safe::Names;
use crate::show;
use crate::text::Texts;

pub(super) async fn invite(
    client: &Client,
    multi_use: bool,
    expires_in_s: Option<u64>,
    qr: bool,
    out: &Out,
) -> Result<(), Fault> {
    let mut params = Map::from_iter([("multi_use".to_owned(), json!(multi_use))]);
    if let Some(seconds) = expires_in_s {
        params.insert("expires_in_s".to_owned(), json!(seconds));
    }
    let made = client.call("contact.invite", Value::Object(params)).await?;
    qr::print(out, &made, &show::field(&made, "invite"), qr)?;
    let until = show::time_of(&made, "expires_ms", show::now_ms());
    out.remark(&(out.t().invited)(multi_use, &until));
    Ok(())
}

pub(super) async fn accept(client: &Client, invite: &str, alias: Option<String>, out: &Out) -> Result<(), Fault> {
    let waiting = out.progress(out.t().asking_inviter);
    let accepted = ask(client, invite, alias).await;
    drop(waiting);
    let accepted = accepted?;
    out.print(&accepted, || show::field(&accepted, "chat"))?;
    out.remark(out.t().accepted);
    Ok(())
}

/// Asks an invite's maker for a chat, as oneself or under an alias.
pub(super) async fn ask(client: &Client, invite: &str, alias: Option<String>) -> Result<Value, Fault> {
    let mut params = Map::from_iter([("invite".to_owned(), json!(invite.trim()))]);
    if let Some(name) = alias {
        params.insert("alias".to_owned(), json!({ "name": name }));
    }
    client.call("contact.accept", Value::Object(params)).await
}

pub(super) async fn requests(client: &Client, out: &Out) -> Result<(), Fault> {
    let items = client.list("contact.requests").await?;
    let names = names(client, &items, out).await?;
    let (now, t) = (show::now_ms(), out.t());
    print_list(out, &items, t.no_requests, |item| {
        vec![
            show::short(show::text_of(item, "request")),
            show::marked(item, "account", &names, t),
            show::short_account(show::text_of(item, "account")),
            show::time_of(item, "received_ms", now),
            asked_for(item, t),
        ]
    })
}

pub(super) async fn approve(client: &Client, request: &str, out: &Out) -> Result<(), Fault> {
    let id = id_for(client, REQUEST, "contact.requests", request).await?;
    let approved = client.call("contact.approve", json!({ "request": id })).await?;
    out.print(&approved, || show::field(&approved, "chat"))
}

pub(super) async fn decline(client: &Client, request: &str, out: &Out) -> Result<(), Fault> {
    let id = id_for(client, REQUEST, "contact.requests", request).await?;
    let done = client.call("contact.decline", json!({ "request": id })).await?;
    out.print(&done, || out.t().declined.to_owned())
}

pub(super) async fn contacts(client: &Client, out: &Out) -> Result<(), Fault> {
    let items = client.list("contact.list").await?;
    let names = Names::of(&items, "account");
    let (now, t) = (show::now_ms(), out.t());
    print_list(out, &items, t.no_contacts, |item| {
        vec![
            show::marked(item, "account", &names, t),
            show::short_account(show::text_of(item, "account")),
            format!("{} {}", t.chat, show::short(show::text_of(item, "chat"))),
            (t.since)(&show::time_of(item, "since_ms", now)),
        ]
    })
}

/// The names of contacts and of those who ask, to find look-alikes among them; none where only programs look.
async fn names(client: &Client, asking: &[Value], out: &Out) -> Result<Names, Fault> {
    if out.json() || asking.is_empty() {
        return Ok(Names::default());
    }
    let mut names = Names::of(asking, "account");
    names.add(&client.list("contact.list").await?, "account");
    Ok(names)
}

/// What a request is about.
fn asked_for(request: &Value, t: &Texts) -> String {
    match show::text_of(request, "chat") {
        "" => t.for_contact.to_owned(),
        chat => match show::field(request, "chat_name") {
            name if name.trim().is_empty() => (t.for_group)(&show::short(chat)),
            name => (t.for_group)(&name),
        },
    }
}
