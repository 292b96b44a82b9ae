//! Finding channels in the public directories of relays.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{pair, print_list};
use crate::client::Client;
use crate::fault::Fault;
use crate::out::Out;
use crate::safe::line;
use crate::show;
use crate::text::Texts;

/// Channels asked for in one page (guess).
const PAGE: u64 = 100;

/// Prints what is found, each channel once, with the link by which it is followed.
pub(super) async fn search(
    client: &Client,
    (query, category): (&str, &str),
    relay: Option<String>,
    limit: u64,
    out: &Out,
) -> Result<(), Fault> {
    let mut seen = BTreeSet::new();
    let mut items: Vec<Value> = Vec::new();
    let mut after = Value::Null;
    loop {
        let left = limit.saturating_sub(items.len() as u64).min(PAGE);
        let params = json!({ "query": query, "category": category, "relay": relay, "after": after, "limit": left });
        let page = client.call("channel.search", params).await?;
        for item in show::items_of(&page, "items") {
            if seen.insert(show::text_of(item, "channel").to_owned()) {
                items.push(item.clone());
            }
        }
        after = page.get("next").cloned().unwrap_or_default();
        if after.is_null() || items.len() as u64 >= limit {
            break;
        }
    }
    let t = out.t();
    print_list(out, &items, t.nothing_found, |item| {
        let name = show::name_or(item, "channel");
        vec![
            if show::flag(item, "followed") {
                format!("{name} ({})", t.channel_is_followed)
            } else {
                name
            },
            line(show::text_of(item, "description")),
            show::field(item, "link"),
        ]
    })
}

/// How a channel stands in a relay's directory, as a row of what is known of it.
pub(super) fn listed(at: &Value, t: &Texts) -> Vec<String> {
    let relay = show::field(at, "relay");
    let state = match (show::text_of(at, "state"), show::field(at, "reason")) {
        ("listed", _) => t.is_listed.to_owned(),
        ("leaving", _) => t.leaves_directory.to_owned(),
        (_, reason) if reason.is_empty() => t.waits_for_directory.to_owned(),
        (_, reason) => format!("{}: {reason}", t.waits_for_directory),
    };
    pair(t.label_directory, format!("{relay}  {state}"))
}
