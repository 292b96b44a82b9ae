//! The commands that ask a running node.

use std::path::Path;

use serde_json::{Value, json};

use crate::args::{CardCommand, Command};
use crate::client::Client;
use crate::events;
use crate::fault::Fault;
use crate::out::Out;
use crate::resolve::{self, Sort};
use crate::show;

mod apps;
mod archives;
mod brands;
mod calendar;
mod channels;
mod contacts;
mod directory;
mod export;
mod figures;
mod files;
mod groups;
mod import;
mod messages;
mod node;
mod page;
mod polls;
mod raw;
mod search;
pub(crate) mod shares;
mod terms;

/// Runs a command about cards against the node of a data directory; see [`command`].
///
/// # Errors
/// What the node or the command says; see [`Fault`].
pub async fn card(command: CardCommand, data: &Path, token_file: Option<&Path>, out: &Out) -> Result<(), Fault> {
    shares::share(&Client::open(data, token_file)?, command, out).await
}

/// Runs a command against the node of a data directory, as its owner or as the app whose token is in a file.
///
/// # Errors
/// What the node or the command says; see [`Fault`].
pub async fn command(command: Command, data: &Path, token_file: Option<&Path>, out: &Out) -> Result<(), Fault> {
    let client = Client::open(data, token_file)?;
    match command {
        Command::Whoami => node::whoami(&client, out).await,
        Command::Info => node::info(&client, out).await,
        Command::Phrase { confirm } => node::phrase(&client, confirm, out).await,
        Command::Doctor => node::doctor(&client, out).await,
        Command::Evidence { relay } => node::evidence(&client, relay, out).await,
        Command::Invite {
            multi_use,
            expires_in_s,
            qr,
        } => contacts::invite(&client, multi_use, expires_in_s, qr, out).await,
        Command::Accept { invite, alias } => contacts::accept(&client, &invite, alias, out).await,
        Command::Requests => contacts::requests(&client, out).await,
        Command::Approve { request } => contacts::approve(&client, &request, out).await,
        Command::Decline { request } => contacts::decline(&client, &request, out).await,
        Command::Contacts => contacts::contacts(&client, out).await,
        Command::App { action } => apps::app(&client, action, out).await,
        Command::Channel { action } => channels::channel(&client, *action, out).await,
        Command::Group { action } => groups::group(&client, action, out).await,
        Command::Events(args) => events::events(&client, args, out).await,
        Command::Ack { cursor, epoch } => events::ack(&client, &cursor, epoch, out).await,
        Command::Rpc(args) => raw::rpc(&client, args, out).await,
        Command::Export { chat, to } => export::export(&client, &chat, to, out).await,
        Command::Import { path } => import::import(&client, path, out).await,
        Command::Archive { action } => archives::archive(&client, action, out).await,
        Command::Search(args) => search::search(&client, args, out).await,
        Command::Chats
        | Command::Gaps { .. }
        | Command::Send { .. }
        | Command::Poll { .. }
        | Command::Vote { .. }
        | Command::Edit { .. }
        | Command::Delete { .. }
        | Command::React { .. }
        | Command::Pin { .. }
        | Command::Unpin { .. }
        | Command::Pins { .. }
        | Command::Typing { .. }
        | Command::Read { .. }
        | Command::Message { .. }
        | Command::Save { .. }
        | Command::MarkRead { .. } => messages::command(&client, command, out).await,
        Command::Up(_)
        | Command::Relay(_)
        | Command::Demo
        | Command::Config { .. }
        | Command::Completions { .. }
        | Command::Man { .. }
        | Command::Share { .. } => Err(asks_no_node()),
    }
}

/// What is said of a command that has another place; none is typed so that this shows.
fn asks_no_node() -> Fault {
    Fault::failed(|t| t.asks_no_node.to_owned())
}

/// Returns the id that `given` means; looks it up unless it is a whole id already.
pub async fn id_for(client: &Client, sort: Sort, method: &str, given: &str) -> Result<String, Fault> {
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
        out.table(&items.iter().map(row).collect::<Vec<_>>())
    })
}

fn put(object: &mut Value, name: &str, value: Value) {
    if let Some(fields) = object.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
}

/// Lists from a place on until so many items are there, some a call: the items, `prev` of the first page and `next` of the last.
async fn some(client: &Client, method: &str, params: Value, limit: u64, at_once: u64) -> Result<Value, Fault> {
    let (mut params, mut list) = (params, json!({}));
    let mut items: Vec<Value> = Vec::new();
    loop {
        let have = items.len() as u64;
        put(&mut params, "limit", json!(limit.saturating_sub(have).min(at_once)));
        let page = client.call(method, params.clone()).await?;
        let cursor = |name| page.get(name).filter(|cursor| !cursor.is_null()).cloned();
        if let Some(prev) = cursor("prev").filter(|_| have == 0) {
            put(&mut list, "prev", prev);
        }
        items.extend_from_slice(show::items_of(&page, "items"));
        match cursor("next") {
            Some(next) if (items.len() as u64) < limit => {
                // Where the list began is not where it goes on.
                if let Some(fields) = params.as_object_mut() {
                    fields.remove("at_ms");
                }
                put(&mut params, "after", next);
            }
            next => {
                if let Some(next) = next {
                    put(&mut list, "next", next);
                }
                put(&mut list, "items", Value::Array(items));
                return Ok(list);
            }
        }
    }
}

/// Adds the key under which a call may be repeated, if there is one.
fn keyed(params: &mut Value, idempotency_key: Option<String>) {
    if let Some(key) = idempotency_key {
        put(params, "idempotency_key", Value::String(key));
    }
}

fn pair(name: &str, value: String) -> Vec<String> {
    vec![name.to_owned(), value]
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;
