//! The commands by which a follower says what it wants, and a channel's root who may write.

use serde_json::{Value, json};

use super::channels::{get, of, print_details, shown};
use super::print_list;
use crate::args::{TermsArgs, WriterCommand, flags};
use crate::client::Client;
use crate::fault::Fault;
use crate::out::Out;
use crate::show;

const DAY_MS: u64 = 24 * 3600 * 1000;

pub(super) async fn terms(client: &Client, args: TermsArgs, out: &Out) -> Result<(), Fault> {
    let id = of(client, &args.channel).await?;
    let found = match args.terms() {
        Some(terms) => {
            let params = json!({ "channel": id, "terms": terms });
            client.call("channel.terms", params).await?
        }
        None => get(client, &id).await?,
    };
    let terms = found.get("terms").cloned().unwrap_or_else(|| json!({}));
    out.print(&json!({ "terms": terms }), || flags(&terms))
}

pub(super) async fn digest(client: &Client, given: &str, out: &Out) -> Result<(), Fault> {
    let id = of(client, given).await?;
    let found = client.call("channel.digest", json!({ "channel": id })).await?;
    let items = show::items_of(&found, "items");
    out.print(&found, || match items {
        [] => out.t().no_digest.to_owned(),
        items => items
            .iter()
            .map(|post| shown(post, show::now_ms(), false, out.t()))
            .collect::<Vec<_>>()
            .join("\n"),
    })
}

pub(super) async fn writer(client: &Client, action: WriterCommand, out: &Out) -> Result<(), Fault> {
    match action {
        WriterCommand::Key { channel } => {
            let id = of(client, &channel).await?;
            let made = client.call("channel.writer_key", json!({ "channel": id })).await?;
            out.print(&made, || show::field(&made, "writer"))
        }
        WriterCommand::Add {
            channel,
            key,
            scopes,
            categories,
            days,
        } => {
            let id = of(client, &channel).await?;
            let until_ms = show::now_ms().saturating_add(days.saturating_mul(DAY_MS));
            let params = json!({
                "channel": id, "writer": key, "scopes": scopes, "categories": categories, "until_ms": until_ms,
            });
            let made = client.call("channel.certify", params).await?;
            out.print(&made, || show::field(&made, "certificate"))
        }
        WriterCommand::Use { certificate } => {
            let params = json!({ "certificate": certificate.trim() });
            let channel = client.call("channel.use_certificate", params).await?;
            print_details(client, &channel, out).await
        }
        WriterCommand::List { channel } => {
            let id = of(client, &channel).await?;
            let found = client.call("channel.writers", json!({ "channel": id })).await?;
            let now = show::now_ms();
            let words = |item: &Value, name: &str| {
                let words = show::items_of(item, name).iter().filter_map(Value::as_str);
                words.collect::<Vec<_>>().join(" ")
            };
            print_list(out, show::items_of(&found, "items"), out.t().no_writers, |item| {
                vec![
                    show::field(item, "writer"),
                    words(item, "scopes"),
                    words(item, "categories"),
                    show::time_of(item, "until_ms", now),
                ]
            })
        }
        WriterCommand::Remove { channel, key } => {
            let id = of(client, &channel).await?;
            let params = json!({ "channel": id, "writer": key });
            let done = client.call("channel.revoke", params).await?;
            out.print(&done, || out.t().writer_removed.to_owned())
        }
    }
}

pub(super) async fn recovery_key(client: &Client, given: &str, out: &Out) -> Result<(), Fault> {
    let id = of(client, given).await?;
    let made = client.call("channel.recovery_key", json!({ "channel": id })).await?;
    out.print(&made, || show::field(&made, "key"))
}

pub(super) async fn recover(client: &Client, key: &str, out: &Out) -> Result<(), Fault> {
    let channel = client.call("channel.recover", json!({ "key": key.trim() })).await?;
    print_details(client, &channel, out).await
}

pub(super) async fn vouch(client: &Client, given: &str, out: &Out) -> Result<(), Fault> {
    let id = of(client, given).await?;
    let made = client.call("channel.vouch", json!({ "channel": id })).await?;
    out.print(&made, || {
        format!(
            "{}\n\n{}",
            (out.t().publish_at)(&show::field(&made, "url")),
            show::text_of(&made, "file")
        )
    })
}

pub(super) async fn prove(client: &Client, given: &str, out: &Out) -> Result<(), Fault> {
    let id = of(client, given).await?;
    let channel = client.call("channel.prove", json!({ "channel": id })).await?;
    print_details(client, &channel, out).await
}
