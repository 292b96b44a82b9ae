//! The part of the demo in which a brand is followed: its posts, what quiet hours hold back, writing back, and blocking.

use data_encoding::BASE64;
use serde_json::{Value, json};

use super::Stage;
use super::person::Person;
use super::story::{BOB, Who, wrong};
use crate::fault::Fault;
use crate::show;

const BAKERY: Who = |t| t.demo.bakery;
/// What the bakery shows.
const BREAD: &[u8] = include_bytes!("bread.png");

/// Plays it.
///
/// # Errors
/// [`Fault::Failed`] at the first thing that isn't as said.
pub(super) async fn play(stage: &mut Stage<'_>, addresses: &[String]) -> Result<(), Fault> {
    let channel = opens(stage, addresses).await?;
    posts(stage, &channel).await?;
    waits(stage, &channel).await?;
    writes_back(stage, &channel).await?;
    blocks(stage, &channel).await
}

async fn opens(stage: &mut Stage<'_>, addresses: &[String]) -> Result<String, Fault> {
    stage.bakery.start(addresses).await?;
    let inbox = stage
        .bakery
        .call("contact.invite", json!({ "multi_use": true, "expires_in_s": 86_400 }))
        .await?;
    let manifest = json!({
        "name": "Maru Bakery",
        "description": "Bread and rice cakes, from six in the morning",
        "categories": [{ "id": "bread", "name": "Bread" }],
        "inbox": show::text_of(&inbox, "invite"),
        "posts_per_day": 10,
    });
    let made = stage.bakery.call("channel.create", manifest).await?;
    let channel = show::field(&made, "channel");
    stage.step(BAKERY, |t| t.demo.makes_channel.to_owned())?;
    let link = show::text_of(&made, "link");
    stage.bob.call("channel.follow", json!({ "link": link })).await?;
    let wanted = channel.clone();
    stage
        .bob
        .sees("what the bakery says of itself", async |bob| {
            let shown = bob.call("channel.get", json!({ "channel": wanted })).await?;
            Ok(shown.get("manifest").is_some())
        })
        .await?;
    stage.step(BOB, |t| t.demo.follows.to_owned())?;
    Ok(channel)
}

/// A photo, then a card.
async fn posts(stage: &mut Stage<'_>, channel: &str) -> Result<(), Fault> {
    let blob = put(&stage.bakery, BREAD).await?;
    let photo = json!({ "kind": "album", "text": "Fresh at seven!", "files": [
        { "blob": blob, "name": "bread.png", "media_type": "image/png" }
    ] });
    let post = says(&stage.bakery, channel, photo).await?;
    gets(&mut stage.bob, &post).await?;
    stage
        .bob
        .sees("the photo is here", async |bob| {
            let stat = bob.call("blob.stat", json!({ "blob": blob })).await?;
            Ok(show::text_of(&stat, "state") == "fetched")
        })
        .await?;
    let part = stage.bob.call("blob.get", json!({ "blob": blob })).await?;
    let here = BASE64.decode(show::text_of(&part, "data").as_bytes());
    if here.as_deref() != Ok(BREAD) {
        return wrong("Bob should have the bakery's photo as it was posted");
    }
    stage.step(BAKERY, |t| (t.demo.posts_photo)(BREAD.len()))?;
    let card = json!({ "kind": "card", "card": {
        "title": "Rice cakes",
        "text": "Ten for the price of eight, this week",
        "buttons": [{ "label": "Order", "url": "https://bakery.example/order" }],
    } });
    let post = says(&stage.bakery, channel, card).await?;
    let shown = gets(&mut stage.bob, &post).await?;
    if shown.pointer("/body/card/title").and_then(Value::as_str) != Some("Rice cakes") {
        return wrong(&format!("Bob should see the card, but sees {shown}"));
    }
    stage.step(BAKERY, |t| t.demo.posts_card.to_owned())
}

/// Quiet hours hold a post back until Bob opens the digest.
async fn waits(stage: &mut Stage<'_>, channel: &str) -> Result<(), Fault> {
    let quiet = json!({ "quiet": [{ "from": "00:00", "to": "00:00" }] });
    let set = json!({ "channel": channel, "terms": quiet });
    stage.bob.call("channel.terms", set).await?;
    stage.step(BOB, |t| t.demo.sets_quiet.to_owned())?;
    let late = says(
        &stage.bakery,
        channel,
        json!({ "kind": "text", "text": "Half price until nine!" }),
    )
    .await?;
    let (wanted, post) = (channel.to_owned(), late.clone());
    stage
        .bob
        .sees("the post waits in the digest", async |bob| {
            let shown = bob.call("channel.get", json!({ "channel": wanted })).await?;
            let held = show::items_of(&shown, "held");
            Ok(held.iter().any(|held| show::text_of(held, "post") == post))
        })
        .await?;
    stage.bob.drain().await?;
    if stage.bob.posts_received(&late) != 0 {
        return wrong("a post that came in quiet hours should not be announced");
    }
    stage.step(BOB, |t| t.demo.hears_nothing.to_owned())?;
    let digest = stage.bob.call("channel.digest", json!({ "channel": channel })).await?;
    let [opened] = show::items_of(&digest, "items") else {
        return wrong(&format!("the digest should have one post, but is {digest}"));
    };
    let text = opened.pointer("/body/text").and_then(Value::as_str).unwrap_or_default();
    stage.step(BOB, |t| (t.demo.opens_digest)(text))?;
    let all = json!({ "channel": channel, "terms": {} });
    stage.bob.call("channel.terms", all).await.map(drop)
}

/// Bob writes to the bakery, one to one.
async fn writes_back(stage: &mut Stage<'_>, channel: &str) -> Result<(), Fault> {
    let shown = stage.bob.call("channel.get", json!({ "channel": channel })).await?;
    let inbox = shown
        .pointer("/manifest/inbox")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let accepted = stage.bob.call("contact.accept", json!({ "invite": inbox })).await?;
    let chat = show::field(&accepted, "chat");
    let asked = stage
        .bakery
        .event("Bob's request arrives", |kind, _| kind == "contact.requested")
        .await?;
    let request = show::text_of(&asked, "request");
    stage
        .bakery
        .call("contact.approve", json!({ "request": request }))
        .await?;
    let text = "Do you keep two loaves for me?";
    let body = json!({ "kind": "text", "text": text });
    let sent = stage
        .bob
        .call("message.send", json!({ "chat": chat, "body": body }))
        .await?;
    stage.bakery.receives(show::text_of(&sent, "message"), text).await?;
    stage.step(BOB, |t| (t.demo.writes_back)(text))
}

/// After that nothing of the channel comes any more.
async fn blocks(stage: &mut Stage<'_>, channel: &str) -> Result<(), Fault> {
    stage
        .bob
        .call("channel.block", json!({ "channel": channel, "blocked": true }))
        .await?;
    let more = says(
        &stage.bakery,
        channel,
        json!({ "kind": "text", "text": "And one more thing" }),
    )
    .await?;
    // What comes after it by the same relay shows that it would have come.
    let wanted = channel.to_owned();
    stage
        .bakery
        .sees("the relay has the post", async |bakery| {
            let page = bakery.call("channel.posts", json!({ "channel": wanted })).await?;
            let posts = show::items_of(&page, "items");
            let posted = posts.iter().find(|post| show::text_of(post, "post") == more);
            Ok(posted.is_some_and(|post| !show::items_of(post, "held").is_empty()))
        })
        .await?;
    stage.bob.drain().await?;
    let page = stage.bob.call("channel.posts", json!({ "channel": channel })).await?;
    if stage.bob.posts_received(&more) != 0 || !show::items_of(&page, "items").is_empty() {
        return wrong("nothing of a blocked channel should be here");
    }
    stage.bakery.stop().await?;
    stage.step(BOB, |t| t.demo.blocks.to_owned())
}

async fn says(bakery: &Person, channel: &str, body: Value) -> Result<String, Fault> {
    let params = json!({ "channel": channel, "body": body });
    let posted = bakery.call("channel.post", params).await?;
    Ok(show::field(&posted, "post"))
}

/// Waits until a post is announced, and returns it.
async fn gets(person: &mut Person, post: &str) -> Result<Value, Fault> {
    person
        .event("the bakery's post arrives", |kind, data| {
            kind == "channel.post" && show::text_of(data, "post") == post
        })
        .await
}

/// Hands a file to a node; returns the blob.
async fn put(person: &Person, content: &[u8]) -> Result<String, Fault> {
    let begun = person
        .call("blob.put", json!({ "length_bytes": content.len() }))
        .await?;
    let part = json!({
        "upload": show::text_of(&begun, "upload"),
        "offset_bytes": 0,
        "data": BASE64.encode(content),
    });
    let written = person.call("blob.write", part).await?;
    Ok(show::field(&written, "blob"))
}
