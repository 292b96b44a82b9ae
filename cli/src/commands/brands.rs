//! What a brand does with its channel: posts, and where it is kept.

use serde_json::{Value, json};

use super::channels::{TEXT_INDENT, get, halves, heading, names, of, shown};
use super::files::{self, How};
use super::{keyed, print_list, put};
use crate::args::{ChannelRelaysCommand, PostArgs};
use crate::client::Client;
use crate::fault::Fault;
use crate::out::Out;
use crate::safe::line;
use crate::show;

/// Pictures are shown as such, without where and when they were taken.
const AS_THEY_ARE: How = How {
    as_files: false,
    keep_metadata: false,
};

pub(super) async fn post(client: &Client, args: PostArgs, out: &Out) -> Result<(), Fault> {
    let id = of(client, &args.channel).await?;
    let text = args.text.unwrap_or_default();
    let body = if let Some(body) = args.body {
        serde_json::from_str(&body).map_err(|error| {
            let error = error.to_string();
            Fault::failed(move |t| (t.params_unreadable)(&error))
        })?
    } else if let Some(title) = args.card {
        let mut buttons = Vec::new();
        for button in &args.buttons {
            let (label, url) = halves(button)?;
            buttons.push(json!({ "label": label, "url": url }));
        }
        let mut card = json!({ "title": title, "text": text, "buttons": buttons });
        if let Some(picture) = &args.picture {
            let sent = files::body(client, std::slice::from_ref(picture), "", AS_THEY_ARE, out).await?;
            put(&mut card, "image", json!(files::named(&sent).first()));
        }
        json!({ "kind": "card", "card": card })
    } else if args.files.is_empty() {
        json!({ "kind": "text", "text": text })
    } else {
        let sent = files::body(client, &args.files, &text, AS_THEY_ARE, out).await?;
        json!({ "kind": "album", "files": files::named(&sent), "text": text })
    };
    let mut params = json!({
        "channel": id, "body": body, "categories": args.categories,
        "advertising": args.advertising, "urgent": args.urgent, "at_ms": args.at,
    });
    if args.preview {
        return preview(client, &id, params, out).await;
    }
    keyed(&mut params, args.idempotency_key);
    posted(&client.again()?.call("channel.post", params).await?, out)
}

/// Shows a post as a follower reads it, and lets go of the files that were put for that.
async fn preview(client: &Client, id: &str, params: Value, out: &Out) -> Result<(), Fault> {
    let client = client.again()?;
    let seen = client.call("channel.preview", params.clone()).await;
    for file in files::named(params.get("body").unwrap_or(&Value::Null)) {
        client.call("blob.cancel", json!({ "blob": file.get("blob") })).await?;
    }
    let seen = seen?;
    let found = client.call("channel.get", json!({ "channel": id })).await?;
    let names = names(&client).await;
    out.print(&seen, || {
        [
            heading(&found, &names, out.t()),
            out.wrapped(&shown(&seen, show::now_ms(), false, out.t()), TEXT_INDENT),
        ]
        .join("\n")
    })
}

pub(super) fn posted(made: &Value, out: &Out) -> Result<(), Fault> {
    out.print(made, || {
        let id = show::short(show::text_of(made, "post"));
        let t = out.t();
        let how = if show::flag(made, "planned") {
            t.post_planned
        } else {
            t.post_made
        };
        format!("{id}  {how}")
    })
}

pub(super) async fn relays(client: &Client, action: ChannelRelaysCommand, out: &Out) -> Result<(), Fault> {
    let (given, change) = match action {
        ChannelRelaysCommand::List { channel } => {
            let found = get(client, &channel).await?;
            return print_relays(&found, out);
        }
        ChannelRelaysCommand::Add { channel, addresses } => (channel, Ok(addresses)),
        ChannelRelaysCommand::Remove { channel, relays } => (channel, Err(relays)),
    };
    let found = get(client, &given).await?;
    let mut kept = show::items_of(&found, "relays").to_vec();
    let mut added = Vec::new();
    match change {
        Ok(addresses) => added = addresses,
        Err(gone) => {
            for key in gone {
                let begins = |relay: &Value| show::text_of(relay, "relay").starts_with(&key.to_lowercase());
                if kept.iter().filter(|relay| begins(relay)).count() != 1 {
                    let key = line(&key);
                    return Err(Fault::failed(move |t| (t.no_such_relay)(&key)));
                }
                kept.retain(|relay| !begins(relay));
            }
        }
    }
    let mut addresses: Vec<Value> = kept
        .iter()
        .flat_map(|relay| show::items_of(relay, "addresses").iter().cloned())
        .collect();
    addresses.extend(added.into_iter().map(Value::from));
    let params = json!({ "channel": show::text_of(&found, "channel"), "relays": addresses });
    let changed = client.call("channel.update", params).await?;
    print_relays(&changed, out)
}

fn print_relays(channel: &Value, out: &Out) -> Result<(), Fault> {
    print_list(out, show::items_of(channel, "relays"), "", |relay| {
        let addresses = show::items_of(relay, "addresses").iter().filter_map(Value::as_str);
        vec![
            show::field(relay, "relay"),
            addresses.map(line).collect::<Vec<_>>().join(" "),
        ]
    })
}
