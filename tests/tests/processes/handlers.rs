//! A card from one app to another: sent by the user's grant, handed to the app that the other user lets handle it, and answered.

use std::path::{Path, PathBuf};

use madang_tests::{DEADLINE, Person, Rpc, World, join, run_with};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::MADANG;
use crate::kinds::by_hand;

/// Runs a command that needs no node; returns what it printed.
pub(crate) async fn typed(args: &[&str]) -> String {
    let output = run_with(Path::new(MADANG), args, &[], DEADLINE).await;
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

/// Makes an app, which wants to hear that its cards are opened; returns its directory and its key.
pub(crate) async fn new_app(world: &World, name: &str) -> (PathBuf, String) {
    let dir = world.dir().join(name);
    let made = typed(&["app", "new", dir.to_str().unwrap(), "--name", name, "--json"]).await;
    let made: Value = serde_json::from_str(&made).unwrap();
    let manifest = dir.join("manifest.json");
    let mut said: Value = serde_json::from_str(&std::fs::read_to_string(&manifest).unwrap()).unwrap();
    said["events"] = json!(["share.opened"]);
    std::fs::write(&manifest, said.to_string()).unwrap();
    (dir, made["app"].as_str().unwrap().to_owned())
}

/// Signs the card in a file as an app.
pub(crate) async fn sign(card: &Path, app: &Path) -> String {
    typed(&["share", "sign", card.to_str().unwrap(), "--app", app.to_str().unwrap()]).await
}

/// An app's key, and a card that it signs.
async fn signed(world: &World, name: &str) -> (String, Value) {
    let (app, key) = new_app(world, name).await;
    (key, card_of(&app).await)
}

/// A card that an app signs.
pub(crate) async fn card_of(app: &Path) -> Value {
    let card = json!({
        "version": 1,
        "template": "feed",
        "key": "kimchi-7",
        "fallback": { "text": "Kimchi stew", "url": "https://recipes.example/7" },
        "content": {
            "title": "Kimchi stew",
            "link": {
                "url": "https://recipes.example/7",
                "platforms": [{ "os": "linux", "execute": { "recipe": "7" } }],
            },
        },
        "buttons": [{ "label": "I cooked it", "action": "postback", "data": "cooked=7" }],
    });
    let share = app.join("share.json");
    std::fs::write(&share, card.to_string()).unwrap();
    serde_json::from_str(&sign(&share, app).await).unwrap()
}

/// An app that the user lets in, as it asks and as it is then approved at the command line.
pub(crate) async fn let_in(person: &Person, name: &str, scopes: &[&str]) -> String {
    let ask = json!({ "name": name, "scopes": scopes });
    let asked = person.rpc().of_app(None).ask("app.request", ask).await;
    by_hand(person, &["app", "approve", name]).await;
    asked["token"].as_str().unwrap().to_owned()
}

/// What an app has been told of some kinds, once it is so much.
pub(crate) async fn told(app: &Rpc, count: usize) -> Vec<Value> {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let page = app.ask("event.poll", json!({ "after": "ack", "timeout_ms": 0 })).await;
        let items = page["items"].as_array().unwrap().clone();
        if items.len() >= count {
            return items;
        }
        assert!(Instant::now() < deadline, "{items:?}");
        sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f59_a_card_reaches_the_app_that_the_user_lets_handle_it_and_its_answer_the_app_that_sent_it() {
    let world = World::new(MADANG);
    let mut alice = world.person_up("alice", &[]).await;
    let mut bob = world.person_up("bob", &[]).await;
    let chat = join(&mut alice, &mut bob).await;
    let (key, card) = signed(&world, "recipes").await;

    let sharer = let_in(&alice, "recipes", &["share:send"]).await;
    let other = let_in(&alice, "weather", &["share:send", "share:pick"]).await;
    let (sharer, other) = (alice.rpc().of_app(Some(&sharer)), alice.rpc().of_app(Some(&other)));
    let mut send = card.clone();
    send["chats"] = json!([chat]);
    send["idempotency_key"] = json!("k");
    let sent = sharer.ask("share.send", send).await["items"][0].clone();
    let message = sent["message"].as_str().unwrap().to_owned();

    bob.receives(&message).await;
    let got = bob.ask("message.get", json!({ "message": message })).await;
    let by = &got["body"]["card"]["by"];
    assert_eq!((&by["kind"], &by["app"]), (&json!("app"), &json!(key)), "{got}");
    let read = by_hand(&bob, &["read", &chat]).await;
    assert!(read.contains("Kimchi stew") && read.contains("recipes"), "{read}");

    // Nothing handles it here: the tap leads to the page, and nobody is told.
    let open = json!({ "message": message, "os": "linux" });
    let opened = bob.ask("share.open", open.clone()).await;
    assert_eq!(opened["action"]["kind"], "web", "{opened}");

    // An app that asks is nothing yet, and one for another key isn't asked.
    let handle = format!("share:{key}:handle");
    let reply = format!("share:{key}:reply");
    let elsewhere = let_in(&bob, "elsewhere", &[&format!("share:{}:handle", "ab".repeat(32))]).await;
    let ask = json!({ "name": "kitchen", "scopes": [handle, reply] });
    let asked = bob.rpc().of_app(None).ask("app.request", ask).await;
    let opened = bob.ask("share.open", open.clone()).await;
    assert_eq!(opened["action"]["kind"], "web", "not approved yet: {opened}");
    by_hand(&bob, &["app", "approve", "kitchen"]).await;
    let kitchen = asked["token"].as_str().unwrap().to_owned();
    let timid = let_in(&bob, "timid", &[&handle]).await;

    let handed = by_hand(&bob, &["share", "open", &message, "--tell"]).await;
    if cfg!(target_os = "linux") {
        assert_eq!(handed.trim(), "handed to the app");
    }
    let opened = bob.ask("share.open", open).await;
    assert_eq!(
        opened["action"],
        json!({ "kind": "handler", "params": { "recipe": "7" } })
    );
    // The log outlives a kill, and each app its own place in it.
    bob.kill().await;
    bob.up().await;
    let again = |token: &str| bob.rpc().of_app(Some(token));
    let (kitchen, timid, elsewhere) = (again(&kitchen), again(&timid), again(&elsewhere));
    let event = told(&kitchen, 1).await.pop().unwrap();
    assert_eq!(event["kind"], "share.payload", "{event}");
    assert_eq!(
        (
            &event["data"]["app"],
            &event["data"]["message"],
            &event["data"]["params"]
        ),
        (&json!(key), &json!(message), &json!({ "recipe": "7" }))
    );
    assert_eq!(event["data"]["card"]["share"]["content"]["title"], "Kimchi stew");
    kitchen.ask("event.ack", json!({ "cursor": event["cursor"] })).await;
    assert!(told(&elsewhere, 0).await.is_empty(), "another app's card");
    assert!(kitchen.call("message.list", json!({ "chat": chat })).await.is_err());

    // It answers as far as the user lets it; what the other wants to answer waits.
    let answer = |data: &str| json!({ "message": message, "data": data });
    let refused = elsewhere.call("share.reply", answer("no")).await.unwrap_err();
    assert_eq!(refused.code(), "scope_missing");
    let refused = kitchen.call("share.reply", answer(&"x".repeat(301))).await.unwrap_err();
    assert_eq!(refused.code(), "too_large");
    for data in ["ask=1", "ask=2"] {
        let waits = timid.ask("share.reply", answer(data)).await;
        assert_eq!(waits["state"], "waiting", "{waits}");
    }
    let listed = by_hand(&bob, &["share", "replies"]).await;
    assert!(listed.contains("timid") && listed.contains("ask=2"), "{listed}");
    let waiting = bob.ask("share.replies", json!({})).await["items"].clone();
    let reply = |at: usize| waiting[at]["reply"].as_str().unwrap();
    assert_eq!(kitchen.ask("share.reply", answer("servings=4")).await["state"], "sent");
    by_hand(&bob, &["share", "decline-reply", reply(0)]).await;
    by_hand(&bob, &["share", "confirm-reply", reply(1)]).await;
    let again = json!({ "reply": reply(1) });
    let gone = bob.rpc().call("share.confirm_reply", again).await.unwrap_err();
    assert_eq!(gone.code(), "not_found");
    by_hand(&bob, &["share", "reply", &message, "--button", "1"]).await;

    let mut events = told(&sharer, 6).await;
    let delivered = events.iter().position(|event| event["kind"] == "share.delivered");
    events.remove(delivered.expect("it has arrived"));
    let kinds: Vec<&Value> = events.iter().map(|event| &event["kind"]).collect();
    let postback = "share.postback";
    assert_eq!(kinds, ["share.sent", "share.opened", postback, postback, postback]);
    for event in &events {
        assert_eq!(
            (&event["data"]["to"], &event["data"]["key"]),
            (&sent["to"], &json!("kimchi-7"))
        );
        let text = event.to_string();
        assert!(
            !text.contains(&chat) && !text.contains("madang1"),
            "it names people: {text}"
        );
    }
    assert_eq!(events[2]["data"]["data"], "servings=4");
    assert_eq!(events[3]["data"]["data"], "ask=2", "the one that was confirmed");
    assert_eq!(
        (&events[4]["data"]["button"], &events[4]["data"]["data"]),
        (&json!("buttons[0]"), &json!("cooked=7"))
    );
    assert!(told(&other, 0).await.is_empty(), "another app's feedback");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_is_sent_by_its_link_and_read_with_its_buttons_by_the_command_line() {
    let world = World::new(MADANG);
    let mut alice = world.person_up("alice", &[]).await;
    let mut bob = world.person_up("bob", &[]).await;
    let chat = join(&mut alice, &mut bob).await;
    let (_, card) = signed(&world, "recipes").await;
    let (file, link) = (world.dir().join("card.json"), world.dir().join("card.link"));
    std::fs::write(&file, card.to_string()).unwrap();
    let app = world.dir().join("recipes");
    let args = ["share", "sign", file.to_str().unwrap(), "--link", "--app"];
    std::fs::write(&link, typed(&[&args[..], &[app.to_str().unwrap()]].concat()).await).unwrap();

    // Without a key each is a message of its own, with one they are the same.
    for more in [&[][..], &[], &["--key", "k"], &["--key", "k"]] {
        let args = ["share", "send", link.to_str().unwrap(), "--to", &chat];
        by_hand(&alice, &[&args[..], more].concat()).await;
    }
    bob.until("three cards", async |bob| {
        (bob.rpc().messages(&chat).await.len() >= 3).then_some(())
    })
    .await;
    let read = by_hand(&bob, &["read", &chat]).await;
    assert_eq!(read.matches("by the app recipes").count(), 3, "{read}");
    assert_eq!(read.matches("          [1: I cooked it]").count(), 3, "{read}");
    let refused = run_with(
        Path::new(MADANG),
        &[
            "share",
            "send",
            "--to",
            &chat,
            "--data",
            alice.data().to_str().unwrap(),
            "-",
        ],
        &[],
        DEADLINE,
    )
    .await;
    assert!(!refused.status.success());
    let error = String::from_utf8_lossy(&refused.stderr);
    assert!(error.contains("can't be read as JSON"), "{error}");
}
