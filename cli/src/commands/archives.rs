//! `madang archive`: imported messages.

use serde_json::json;

use super::{print_list, put, some};
use crate::args::ArchiveCommand;
use crate::client::Client;
use crate::fault::Fault;
use crate::out::Out;
use crate::resolve::{self, ARCHIVE};
use crate::show;

/// Messages asked for in one page (guess).
const AT_ONCE: u64 = 200;
/// Columns before the text of a message.
const INDENT: &str = "          ";

pub(super) async fn archive(client: &Client, action: ArchiveCommand, out: &Out) -> Result<(), Fault> {
    match action {
        ArchiveCommand::List => list(client, out).await,
        ArchiveCommand::Read {
            archive,
            words,
            at,
            limit,
        } => read(client, &archive, &words, at, limit, out).await,
        ArchiveCommand::Remove { archive } => {
            let id = archive_for(client, &archive).await?;
            let done = client.call("archive.remove", json!({ "archive": id })).await?;
            out.print(&done, || out.t().archive_removed.to_owned())
        }
    }
}

async fn list(client: &Client, out: &Out) -> Result<(), Fault> {
    let items = client.list("archive.list").await?;
    let (now, t) = (show::now_ms(), out.t());
    print_list(out, &items, t.no_archives, |item| {
        vec![
            show::short(show::text_of(item, "archive")),
            show::name_or(item, "chat"),
            show::short_account(show::text_of(item, "account")),
            (t.exported_at)(&show::time_of(item, "exported_ms", now)),
        ]
    })
}

async fn archive_for(client: &Client, given: &str) -> Result<String, Fault> {
    super::id_for(client, ARCHIVE, "archive.list", given).await
}

async fn read(
    client: &Client,
    archive: &str,
    words: &[String],
    at: Option<u64>,
    limit: u64,
    out: &Out,
) -> Result<(), Fault> {
    let all = client.list("archive.list").await?;
    let chosen = resolve::resolve(ARCHIVE, archive, &all)?;
    let id = show::text_of(chosen, "archive");
    let own = client.call("account.get", json!({})).await?;
    // What another account exported isn't ours, though that account wrote it.
    let ours = show::text_of(&own, "account") == show::text_of(chosen, "account");
    let mut params = json!({ "archive": id });
    if !words.is_empty() {
        put(&mut params, "query", json!(words.join(" ")));
    }
    if let Some(at) = at {
        put(&mut params, "at_ms", json!(at));
    }
    let document = some(client, "archive.messages", params, limit, AT_ONCE).await?;
    let items = show::items_of(&document, "items");
    let (now, t) = (show::now_ms(), out.t());
    out.print(&document, || {
        if items.is_empty() {
            return t.no_messages.to_owned();
        }
        let lines = items.iter().map(|item| {
            let who = match ours && show::flag(item, "outgoing") {
                true => t.you.to_owned(),
                false => show::name_or(item, "account"),
            };
            let time = show::time_of(item, "sent_ms", now);
            out.wrapped(&format!("{time}  {who}: {}", show::message(item, INDENT, t)), INDENT)
        });
        lines.collect::<Vec<_>>().join("\n")
    })?;
    out.remark(t.archive_unproved);
    Ok(())
}
