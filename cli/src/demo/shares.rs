//! The part of the demo in which two apps that know nobody share a card: one offers it, the user sends it, the other is handed it and answers.

use serde_json::{Value, json};

use super::Stage;
use super::story::{ALICE, BOB, Who, wrong};
use crate::client::Client;
use crate::fault::Fault;
use crate::offline;
use crate::show;

const DISHES: Who = |t| t.demo.dishes;
const STOVE: Who = |t| t.demo.stove;
const TITLE: &str = "Kimchi stew";
/// What the receiver's app answers.
const ANSWER: &str = "cooking for 4";
/// How long an app waits for an event (guess: far above what a loaded machine takes).
const WAIT_MS: u64 = 15_000;

/// Plays it.
///
/// # Errors
/// [`Fault::Failed`] at the first thing that isn't as said.
pub(super) async fn play(stage: &mut Stage<'_>) -> Result<(), Fault> {
    let files = stage.dir.path().join("dishes");
    let key = offline::make_app(&files, "Dishes")?;
    let card = offline::sign_share(&files, &recipe())?;
    let dishes = stage.alice.lets_in("Dishes", &["share:pick".to_owned()]).await?;
    stage.step(ALICE, |t| t.demo.lets_dishes_offer.to_owned())?;
    let message = sends(stage, &dishes, card, &key).await?;

    let scopes = [format!("share:{key}:handle"), format!("share:{key}:reply")];
    let stove = stage.bob.lets_in("Stove", &scopes).await?;
    let press = json!({ "message": message, "button": "buttons[0]" });
    let pressed = stage.bob.call("share.open", press).await?;
    if pressed.pointer("/action/kind").and_then(Value::as_str) != Some("handler") {
        return wrong(&format!("the card should be handed to Bob's app, but {pressed}"));
    }
    stage.step(BOB, |t| t.demo.presses_cook.to_owned())?;

    let payload = told(&stove, "share.payload").await?;
    let recipe = payload.pointer("/params/recipe").and_then(Value::as_str);
    if recipe != Some("kimchi-stew") || show::text_of(&payload, "app") != key {
        return wrong(&format!("Bob's app should be handed the recipe, but got {payload}"));
    }
    stove
        .call("share.reply", json!({ "message": message, "data": ANSWER }))
        .await?;
    stage.step(STOVE, |t| (t.demo.is_handed)("recipe=kimchi-stew", ANSWER))?;

    let answer = told(&dishes, "share.postback").await?;
    if show::text_of(&answer, "data") != ANSWER || answer.to_string().contains("Bob") {
        return wrong(&format!("Alice's app should hear the answer and no name, but {answer}"));
    }
    stage.step(DISHES, |t| (t.demo.hears_answer)(ANSWER))
}

/// The app offers the card, and Alice sends it to Bob. Returns the message, once he sees it as signed.
async fn sends(stage: &mut Stage<'_>, dishes: &Client, mut offer: Value, key: &str) -> Result<String, Fault> {
    if let Some(members) = offer.as_object_mut() {
        members.insert("timeout_ms".to_owned(), json!(0));
    }
    let picked = dishes.call("share.pick", offer).await?;
    let pick = json!({ "pick": picked.get("pick") });
    if show::text_of(&picked, "state") != "waiting" {
        return wrong(&format!("the card should wait for Alice, but {picked}"));
    }
    stage.step(DISHES, |t| (t.demo.offers_card)(TITLE))?;

    let shown = stage.alice.call("share.shown", pick.clone()).await?;
    if !is_signed(shown.get("card"), key) {
        return wrong(&format!("Alice should see who signed the card, but sees {shown}"));
    }
    let confirm = json!({ "pick": picked.get("pick"), "chats": [stage.alice.chat()] });
    stage.alice.call("share.confirm", confirm).await?;
    let picked = dishes.call("share.picked", pick).await?;
    if show::text_of(&picked, "state") != "sent" {
        return wrong(&format!("the card should be sent, but {picked}"));
    }
    stage.step(ALICE, |t| t.demo.confirms_card.to_owned())?;

    let received = stage
        .bob
        .event("the card arrives", |kind, data| {
            kind == "message.received" && data.pointer("/body/kind").and_then(Value::as_str) == Some("share")
        })
        .await?;
    if !is_signed(received.pointer("/body/card"), key) {
        return wrong(&format!("Bob should see who signed the card, but sees {received}"));
    }
    let short = show::short(key);
    stage.step(BOB, |t| (t.demo.sees_signed)(&short))?;
    Ok(show::field(&received, "message"))
}

/// Whether a card is shown as signed by the app, by its key and with its name.
fn is_signed(card: Option<&Value>, key: &str) -> bool {
    let by = card.and_then(|card| card.get("by")).unwrap_or(&Value::Null);
    show::text_of(by, "kind") == "app" && show::text_of(by, "app") == key && show::text_of(by, "name") == "Dishes"
}

/// Waits until an app is told something, takes note of it, and returns what.
async fn told(app: &Client, kind: &str) -> Result<Value, Fault> {
    let poll = json!({ "after": "ack", "filter": { "kinds": [kind] }, "limit": 1, "timeout_ms": WAIT_MS });
    let page = app.call("event.poll", poll).await?;
    let [event] = show::items_of(&page, "items") else {
        return wrong(&format!("an app waited {WAIT_MS} ms in vain for {kind}"));
    };
    let ack = json!({ "cursor": event.get("cursor"), "epoch": event.get("epoch") });
    app.call("event.ack", ack).await?;
    Ok(event.get("data").cloned().unwrap_or_default())
}

/// What the app offers.
fn recipe() -> Value {
    let url = "https://dishes.example/kimchi-stew";
    let execute = json!({ "recipe": "kimchi-stew" });
    let platforms: Vec<Value> = ["linux", "macos", "windows"]
        .into_iter()
        .map(|os| json!({ "os": os, "execute": execute }))
        .collect();
    json!({
        "version": 1,
        "template": "feed",
        "fallback": { "text": TITLE, "url": url },
        "content": { "title": TITLE, "description": "Done in half an hour", "link": { "url": url, "platforms": platforms } },
        "buttons": [{ "label": "Cook it", "action": "open" }],
    })
}
