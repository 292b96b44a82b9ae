//! Every method has an example, which is played with three real nodes. Answers are as the description says; what is committed of them, with
//! ids, tokens and times made up, is what the reference shows.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

use data_encoding::BASE64URL_NOPAD;
use jsonrpsee::core::client::ClientT as _;
use jsonrpsee::core::params::ObjectParams;
use madang_node::rpc::openrpc;
use madang_protocol::channel::Vouch;
use madang_protocol::keys::AppSecret;
use madang_protocol::share::{Share, SharedCard, SignedManifest};
use madang_protocol::wire::Wire as _;
use madang_tests::contract::reference::reference;
use madang_tests::contract::{Schemas, same};
use madang_tests::tools::repository;
use madang_tests::{CallError, DEADLINE, Domain, Person, Rpc, TCP, World, copy_directory, join};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

const PROGRAM: &str = env!("CARGO_BIN_EXE_madang-under-test");
const EXAMPLES: &str = "docs/examples.json";

#[test]
fn the_reference_is_what_description_and_examples_say() {
    same("docs/methods.md", &reference(&openrpc::document(), &committed()));
}

#[test]
fn the_committed_examples_are_as_the_description_says() {
    let document = openrpc::document();
    for example in committed() {
        let method = method_of(&document, &example["method"]);
        let schemas = Schemas::of(&document);
        fits(
            &schemas,
            &method["result"]["schema"],
            &example["result"],
            &example["method"],
        );
        takes(&schemas, method, &example["params"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_method_has_an_example_that_real_nodes_answer() {
    let mut play = Play::new();
    let world = World::new(PROGRAM);
    let relay = world.relay().await;
    let mut alice = world.person_up("Alice", relay.addresses()).await;
    let shop = Domain::start("shop.example").await;
    let mut bob = world.person("Bob", relay.addresses());
    shop.known_to(&mut bob, &world);
    bob.up().await;
    let mut carol = world.person_up("Carol", relay.addresses()).await;
    for (name, person) in [("alice", &alice), ("bob", &bob), ("carol", &carol)] {
        let info = person.ask("account.get", json!({})).await;
        play.names.insert(text(&info["account"]), account(name));
        play.names.insert(text(&info["device"]), hex(name));
    }

    about_the_node(&mut play, &alice).await;
    let chat = contacts(&mut play, &mut alice, &mut bob).await;
    messages(&mut play, &mut alice, &mut bob, &chat).await;
    files(&mut play, &mut alice, &mut bob, &chat).await;
    join(&mut alice, &mut carol).await;
    groups(&mut play, &mut alice, &mut bob, &mut carol).await;
    channels(&mut play, &alice, &mut bob, &shop).await;
    events(&mut play, &alice, &chat).await;
    apps(&mut play, &alice).await;
    shares(&mut play, &alice, &chat).await;
    opened(&mut play, &alice, &mut bob, &chat, &shop).await;
    play.call(alice.rpc(), "account.confirm_phrase", json!({})).await;
    faults(&mut play).await;
    play.is_complete();
}

async fn about_the_node(play: &mut Play, alice: &Person) {
    let rpc = alice.rpc();
    play.call(rpc, "rpc.discover", json!({})).await;
    play.call(rpc, "node.info", json!({})).await;
    play.call(rpc, "account.get", json!({})).await;
    play.call(rpc, "account.phrase", json!({})).await;
}

/// A relay drops a message, and later goes back to an old copy of its data.
async fn faults(play: &mut Play) {
    let world = World::new(PROGRAM);
    let lies = world.dir().join("lies");
    std::fs::write(&lies, "the truth").unwrap();
    let envs = [("MADANG_RELAY_LIES", lies.to_str().unwrap())];
    let mut relay = world.relay_with(&[TCP], &envs).await;
    let mut dave = world.person_up("Dave", relay.addresses()).await;
    let mut erin = world.person_up("Erin", relay.addresses()).await;
    let chat = join(&mut dave, &mut erin).await;
    relay.stop().await;
    let copy = world.dir().join("copy");
    copy_directory(relay.data(), &copy);
    relay.up().await;

    erin.stop().await;
    let mut last = String::new();
    for (how, said) in [("drop", "dropped"), ("deny", "seen")] {
        std::fs::write(&lies, how).unwrap();
        last = dave.send(&chat, said).await;
        dave.ledger_says(&last, "held").await;
    }
    dave.stop().await;
    erin.up().await;
    erin.receives(&last).await;
    erin.event("a gap is told", |kind, data| {
        kind == "chat.gap" && data["state"] == "open"
    })
    .await;
    play.call(erin.rpc(), "chat.gaps", json!({ "chat": chat })).await;

    std::fs::write(&lies, "the truth").unwrap();
    let waits = erin.send(&chat, "waits").await;
    erin.ledger_says(&waits, "held").await;
    relay.kill().await;
    std::fs::remove_dir_all(relay.data()).unwrap();
    copy_directory(&copy, relay.data());
    relay.up().await;
    let told = erin
        .event("the relay is demoted", |kind, _| kind == "relay.demoted")
        .await;
    play.call(erin.rpc(), "relay.evidence", json!({ "relay": told["relay"] }))
        .await;
}

async fn contacts(play: &mut Play, alice: &mut Person, bob: &mut Person) -> String {
    let invite = play
        .call(
            alice.rpc(),
            "contact.invite",
            json!({ "multi_use": true, "expires_in_s": 86_400 }),
        )
        .await;
    let accepted = play
        .call(bob.rpc(), "contact.accept", json!({ "invite": invite["invite"] }))
        .await;
    let chat = text(&accepted["chat"]);
    alice
        .event("the request arrives", |kind, _| kind == "contact.requested")
        .await;
    let requests = play.call(alice.rpc(), "contact.requests", json!({ "limit": 10 })).await;
    let request = &requests["items"][0]["request"];
    play.call(alice.rpc(), "contact.approve", json!({ "request": request }))
        .await;
    alice.is_active(&chat).await;
    bob.is_active(&chat).await;
    play.call(alice.rpc(), "contact.list", json!({})).await;
    play.call(alice.rpc(), "chat.list", json!({ "limit": 50 })).await;
    chat
}

async fn files(play: &mut Play, alice: &mut Person, bob: &mut Person, chat: &str) {
    let upload = play.call(alice.rpc(), "blob.put", json!({ "length_bytes": 13 })).await["upload"].clone();
    let part = json!({ "upload": upload, "offset_bytes": 0, "data": "TWVldCBhdCBzaXghCg==" });
    let written = play.call(alice.rpc(), "blob.write", part).await;
    let file = json!({ "blob": written["blob"], "name": "note.txt", "media_type": "text/plain" });
    let body = json!({ "kind": "file", "file": file, "text": "for later" });
    let sent = play
        .call(alice.rpc(), "message.send", json!({ "chat": chat, "body": body }))
        .await;
    let message = text(&sent["message"]);
    bob.receives(&message).await;
    bob.ask("blob.fetch", json!({ "message": message })).await;
    bob.until("the file is here", async |bob| {
        let stat = bob.ask("blob.stat", json!({ "blob": written["blob"] })).await;
        (stat["state"] == "fetched").then_some(())
    })
    .await;
    play.call(bob.rpc(), "blob.fetch", json!({ "message": message })).await;
    play.call(bob.rpc(), "blob.stat", json!({ "blob": written["blob"] }))
        .await;
    let part = json!({ "blob": written["blob"], "offset_bytes": 5 });
    play.call(bob.rpc(), "blob.get", part).await;
    play.call(bob.rpc(), "blob.cancel", json!({ "blob": written["blob"] }))
        .await;
}

async fn messages(play: &mut Play, alice: &mut Person, bob: &mut Person, chat: &str) {
    let body = json!({ "kind": "text", "text": "Shall we meet?" });
    let sent = play
        .call(
            alice.rpc(),
            "message.send",
            json!({ "chat": chat, "body": body, "idempotency_key": "meet-1" }),
        )
        .await;
    let message = text(&sent["message"]);
    bob.receives(&message).await;
    alice.ledger_says(&message, "delivered").await;
    play.call(
        bob.rpc(),
        "message.mark_read",
        json!({ "chat": chat, "through": message }),
    )
    .await;
    play.call(bob.rpc(), "message.react", json!({ "message": message, "emoji": "👍" }))
        .await;
    alice
        .event("the reaction arrives", |kind, data| {
            kind == "message.updated" && data["message"] == message
        })
        .await;
    alice.ledger_says(&message, "read").await;
    play.call(alice.rpc(), "message.get", json!({ "message": message }))
        .await;
    play.call(
        alice.rpc(),
        "message.edit",
        json!({ "message": message, "text": "Shall we meet at six?" }),
    )
    .await;

    let poll = json!({ "kind": "poll", "question": "Where?", "options": ["At yours", "At the river"] });
    let poll = text(
        &play
            .call(alice.rpc(), "message.send", json!({ "chat": chat, "body": poll }))
            .await["message"],
    );
    bob.receives(&poll).await;
    play.call(bob.rpc(), "message.vote", json!({ "message": poll, "choices": [1] }))
        .await;
    play.call(bob.rpc(), "message.list", json!({ "chat": chat, "limit": 1 }))
        .await;
    play.call(bob.rpc(), "message.pin", json!({ "message": message })).await;
    play.call(bob.rpc(), "chat.pins", json!({ "chat": chat })).await;
    play.call(bob.rpc(), "message.unpin", json!({ "message": message }))
        .await;
    let said = json!({
        "message": message, "account": account_of(alice).await, "name": "Alice", "sent_ms": 1_700_000_000_000_u64,
        "body": { "kind": "text", "text": "Shall we meet at five?" },
    });
    let export = json!({
        "chat": chat, "account": account_of(bob).await, "name": "Alice", "exported_ms": 1_700_000_001_000_u64, "messages": [said],
    });
    let archive = play.call(bob.rpc(), "archive.add", export).await["archive"].clone();
    play.call(bob.rpc(), "archive.list", json!({})).await;
    play.call(
        bob.rpc(),
        "archive.messages",
        json!({ "archive": archive, "query": "five" }),
    )
    .await;
    play.call(bob.rpc(), "archive.remove", json!({ "archive": archive }))
        .await;
    play.call(bob.rpc(), "message.search", json!({ "query": "six meet" }))
        .await;
    play.call(alice.rpc(), "message.delete", json!({ "message": poll }))
        .await;
    play.call(alice.rpc(), "chat.typing", json!({ "chat": chat })).await;
}

/// A brand and who follows it.
async fn channels(play: &mut Play, alice: &Person, bob: &mut Person, shop: &Domain) {
    let (brand, follower) = (alice.rpc().clone(), bob.rpc().clone());
    let params = json!({
        "name": "Corner bookshop", "description": "Books and readings", "posts_per_day": 3,
        "categories": [{ "id": "news", "name": "News" }], "idempotency_key": "shop-1",
    });
    let made = play.call(&brand, "channel.create", params).await;
    let (channel, link) = (text(&made["channel"]), text(&made["link"]));
    let site = json!([{ "label": "Shop", "url": "https://shop.example/" }]);
    play.call(&brand, "channel.update", json!({ "channel": channel, "links": site }))
        .await;
    let card = json!({ "title": "New edition", "text": "Signed copies", "buttons": site });
    let body = json!({ "kind": "card", "card": card, "text": "It is here" });
    let params = json!({ "channel": channel, "body": body, "categories": ["news"], "idempotency_key": "post-1" });
    let post = text(&play.call(&brand, "channel.post", params).await["post"]);
    let later = json!({ "kind": "text", "text": "Happy new century" });
    let params = json!({ "channel": channel, "body": later, "at_ms": 4_102_444_800_000_u64 });
    play.call(&brand, "channel.preview", params.clone()).await;
    let plan = brand.ask("channel.post", params).await["post"].clone();
    play.call(&brand, "channel.plans", json!({ "channel": channel })).await;
    play.call(&brand, "channel.unplan", json!({ "channel": channel, "post": plan }))
        .await;

    play.call(&follower, "channel.follow", json!({ "link": link })).await;
    bob.until("the post is here", async |bob| {
        let page = bob.ask("channel.posts", json!({ "channel": channel })).await;
        (page["items"][0]["provisional"] == false).then_some(())
    })
    .await;
    play.call(&follower, "channel.get", json!({ "channel": channel })).await;
    play.call(&follower, "channel.posts", json!({ "channel": channel, "limit": 20 }))
        .await;
    play.call(
        &follower,
        "channel.mark_read",
        json!({ "channel": channel, "post": post }),
    )
    .await;
    play.call(&follower, "channel.fetch", json!({ "channel": channel, "post": post }))
        .await;
    play.call(&follower, "channel.mute", json!({ "channel": channel }))
        .await;
    let via = json!({ "channel": channel, "via": "followers" });
    play.call(&follower, "channel.via", via).await;
    play.call(&follower, "channel.list", json!({})).await;
    terms_and_writers(play, &brand, bob, &channel, shop).await;
    polls(play, &brand, bob, &channel).await;
    let body = json!({ "kind": "text", "text": "The new edition is here" });
    let params = json!({ "channel": channel, "post": post, "body": body });
    play.call(&brand, "channel.edit", params).await;
    let params = json!({ "channel": channel, "post": post, "reason": "sold out" });
    play.call(&brand, "channel.retract", params).await;
    play.call(&follower, "channel.evidence", json!({ "channel": channel }))
        .await;
    play.call(&follower, "channel.verify", json!({ "data": evidence() }))
        .await;
    let key = play
        .call(&brand, "channel.recovery_key", json!({ "channel": channel }))
        .await["key"]
        .clone();
    play.call(&brand, "channel.recover", json!({ "key": key })).await;
    play.call(
        &follower,
        "channel.report",
        json!({ "channel": channel, "post": post, "reason": "spam", "text": "The same every day" }),
    )
    .await;
    play.call(&follower, "channel.unfollow", json!({ "channel": channel }))
        .await;
    play.call(&follower, "channel.block", json!({ "channel": channel }))
        .await;
}

/// A poll that is answered.
async fn polls(play: &mut Play, brand: &Rpc, bob: &mut Person, channel: &str) {
    let follower = bob.rpc().clone();
    let body = json!({ "kind": "poll", "question": "Open on Sundays?", "options": ["Yes", "No"] });
    let posted = brand
        .ask("channel.post", json!({ "channel": channel, "body": body }))
        .await;
    let about = json!({ "channel": channel, "post": posted["post"] });
    bob.until("the poll is here", async |bob| {
        let page = bob.ask("channel.posts", json!({ "channel": channel })).await;
        let mut items = page["items"].as_array().unwrap().iter();
        items.any(|post| post["post"] == posted["post"]).then_some(())
    })
    .await;
    let params = json!({ "channel": channel, "post": posted["post"], "choices": [0] });
    play.call(&follower, "channel.vote", params).await;
    play.call(brand, "channel.publish_result", about.clone()).await;
    play.call(brand, "channel.figures", about).await;
}

/// What a follower wants, and who else may write.
async fn terms_and_writers(play: &mut Play, brand: &Rpc, bob: &mut Person, channel: &str, shop: &Domain) {
    let follower = bob.rpc().clone();
    let about = json!({ "channel": channel });
    let quiet = json!([{ "from": "22:00", "to": "07:00", "days": ["fri", "sat"] }]);
    let terms = json!({ "categories": ["news"], "quiet": quiet, "daily_cap": 3, "zone": "Asia/Seoul" });
    play.call(
        &follower,
        "channel.terms",
        json!({ "channel": channel, "terms": terms }),
    )
    .await;
    play.call(&follower, "channel.digest", about.clone()).await;
    let writer = play.call(&follower, "channel.writer_key", about.clone()).await["writer"].clone();
    let params = json!({
        "channel": channel, "writer": writer, "scopes": ["publish"], "categories": ["news"], "until_ms": 4_102_444_800_000_u64,
    });
    let certificate = play.call(brand, "channel.certify", params).await["certificate"].clone();
    play.call(
        &follower,
        "channel.use_certificate",
        json!({ "certificate": certificate }),
    )
    .await;
    play.call(brand, "channel.writers", about.clone()).await;
    play.call(brand, "channel.revoke", json!({ "channel": channel, "writer": writer }))
        .await;
    let named = json!({ "channel": channel, "domain": "shop.example" });
    brand.ask("channel.update", named).await;
    let vouched = play.call(brand, "channel.vouch", about.clone()).await;
    shop.says(200, vouched["file"].as_str().unwrap());
    bob.until("the domain is named", async |bob| {
        let shown = bob.ask("channel.get", about.clone()).await;
        (shown["manifest"]["domain"] == "shop.example").then_some(())
    })
    .await;
    play.call(&follower, "channel.prove", about.clone()).await;
    brand.ask("channel.enlist", about.clone()).await;
    bob.until("the channel is in the directory", async |bob| {
        let found = bob.ask("channel.search", json!({})).await;
        found["items"]
            .as_array()
            .is_some_and(|items| !items.is_empty())
            .then_some(())
    })
    .await;
    play.call(brand, "channel.enlist", about.clone()).await;
    play.call(&follower, "channel.search", json!({ "query": "shop" })).await;
}

/// Evidence of the vectors, in base64.
fn evidence() -> String {
    let path = repository("protocol/spec/vectors/channel.json");
    let vectors: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut vectors = vectors["positive"].as_array().unwrap().iter();
    let found = vectors
        .find(|vector| vector["name"] == "two posts with one number")
        .unwrap();
    let bytes = hex::decode(found["hex"].as_str().unwrap()).unwrap();
    data_encoding::BASE64.encode(&bytes)
}

async fn groups(play: &mut Play, alice: &mut Person, bob: &mut Person, carol: &mut Person) {
    let (to_bob, to_carol) = (account_of(bob).await, account_of(carol).await);
    let made = play
        .call(
            alice.rpc(),
            "chat.create",
            json!({ "name": "River", "members": [to_bob] }),
        )
        .await;
    let group = text(&made["chat"]);
    bob.is_active(&group).await;
    play.call(alice.rpc(), "chat.add", json!({ "chat": group, "members": [to_carol] }))
        .await;
    carol.is_active(&group).await;
    play.call(
        alice.rpc(),
        "chat.remove",
        json!({ "chat": group, "members": [to_carol] }),
    )
    .await;
    play.call(
        alice.rpc(),
        "chat.update",
        json!({ "chat": group, "name": "By the river", "timer_s": 604_800 }),
    )
    .await;
    play.call(
        alice.rpc(),
        "chat.roles",
        json!({ "chat": group, "account": to_bob, "role": "admin" }),
    )
    .await;
    let one = json!({ "chat": group });
    for method in ["chat.get", "chat.members"] {
        play.call(alice.rpc(), method, one.clone()).await;
    }
    let link = json!({ "chat": group, "approval": true, "max_uses": 10 });
    let link = play.call(alice.rpc(), "chat.invite", link).await["invite"].clone();
    play.call(alice.rpc(), "chat.invites", one.clone()).await;
    carol.ask("contact.accept", json!({ "invite": link })).await;
    let request = alice
        .until("a guest asks", async |alice| {
            let requests = alice.ask("contact.requests", json!({})).await;
            requests["items"].get(0).map(|item| item["request"].clone())
        })
        .await;
    play.call(alice.rpc(), "contact.decline", json!({ "request": request }))
        .await;
    play.call(alice.rpc(), "chat.uninvite", json!({ "invite": link })).await;
    play.call(bob.rpc(), "chat.leave", one).await;
}

async fn events(play: &mut Play, alice: &Person, chat: &str) {
    let filter = json!({ "kinds": ["message.sent"], "chats": [chat] });
    let poll = json!({ "after": "ack", "filter": filter, "limit": 1, "timeout_ms": 30_000 });
    let page = play.call(alice.rpc(), "event.poll", poll).await;
    play.call(
        alice.rpc(),
        "event.ack",
        json!({ "cursor": page["next"], "epoch": page["epoch"] }),
    )
    .await;

    let (socket, mut events) = alice.rpc().subscribe("0").await;
    let event = events.next().await.unwrap().unwrap();
    fits(
        &play.schemas,
        &json!({ "$ref": "#/components/schemas/Event" }),
        &event,
        &"event".into(),
    );
    let mut after = ObjectParams::new();
    after.insert("after", "ack").unwrap();
    let subscription: Value = socket.request("event.subscribe", after).await.unwrap();
    play.record("event.subscribe", &json!({ "after": "ack" }), &subscription);
    let mut which = ObjectParams::new();
    which.insert("subscription", &subscription).unwrap();
    let was: Value = socket.request("event.unsubscribe", which).await.unwrap();
    play.record("event.unsubscribe", &json!({ "subscription": subscription }), &was);
}

async fn apps(play: &mut Play, alice: &Person) {
    let door = alice.rpc().of_app(None);
    let wanted = json!({ "name": "Notifier", "scopes": ["chat:read", "contact:read"] });
    let asked = play.call(&door, "app.request", wanted).await;
    play.call(alice.rpc(), "app.list", json!({})).await;
    let allowed = json!({ "app": asked["app"], "scopes": ["chat:read"], "expires_in_s": 2_592_000 });
    play.call(alice.rpc(), "app.approve", allowed).await;
    let app = alice.rpc().of_app(asked["token"].as_str());
    play.call(&app, "app.self", json!({})).await;
    let bakery = AppSecret::from_bytes([7; 32]).public().to_string();
    let handle = json!({ "app": bakery, "events": ["share.payload"] });
    play.call(&app, "app.handle", handle).await;
    play.call(
        &app,
        "app.mint",
        json!({ "name": "Notifier, one list", "scopes": ["method:message.list"] }),
    )
    .await;
    let hook = json!({ "url": "https://shop.example/madang", "filter": { "kinds": ["chat.gap"] } });
    play.call(&app, "event.webhook_set", hook).await;
    play.call(alice.rpc(), "event.webhooks", json!({})).await;
    play.call(&app, "event.webhook_remove", json!({})).await;
    play.call(alice.rpc(), "app.revoke", json!({ "app": asked["app"] }))
        .await;
    play.call(alice.rpc(), "node.doctor", json!({})).await;
}

async fn shares(play: &mut Play, alice: &Person, chat: &str) {
    let rpc = alice.rpc();
    let card = json!({
        "version": 1,
        "template": "text",
        "text": "Bread is ready at seven.",
        "fallback": { "text": "Bread is ready at seven.", "url": "https://bakery.example/" },
    });
    play.call(rpc, "share.validate", json!({ "share": card })).await;
    play.call(rpc, "share.preview", json!({ "share": card, "lang": "ko" }))
        .await;
    let send = json!({ "chats": [chat], "share": card, "idempotency_key": "bread-1" });
    play.call(rpc, "share.send", send).await;
    let offered = play
        .call(rpc, "share.pick", json!({ "share": card, "timeout_ms": 0 }))
        .await;
    let pick = json!({ "pick": offered["pick"] });
    play.call(rpc, "share.picks", json!({})).await;
    play.call(rpc, "share.shown", pick.clone()).await;
    play.call(
        rpc,
        "share.confirm",
        json!({ "pick": offered["pick"], "chats": [chat] }),
    )
    .await;
    play.call(rpc, "share.picked", pick).await;
    let shared = BASE64URL_NOPAD.encode(json!({ "share": card }).to_string().as_bytes());
    let link = json!({ "link": format!("madang:share?d={shared}"), "origin": "https://bakery.example" });
    let offered = play.call(rpc, "share.offer", link).await;
    play.call(rpc, "share.decline", json!({ "pick": offered["pick"] }))
        .await;
    let code = play.call(rpc, "share.browser", json!({})).await;
    let code = text(&code["url"]).split_once("#code=").map(|(_, code)| code.to_owned());
    play.call(&rpc.of_app(None), "share.enter", json!({ "code": code }))
        .await;
}

/// A card that an app has signed is opened by who got it, and answered.
async fn opened(play: &mut Play, alice: &Person, bob: &mut Person, chat: &str, shop: &Domain) {
    let app = AppSecret::from_bytes([7; 32]);
    let manifest = json!({ "version": 1, "number": 1, "app": app.public().to_string(), "name": "Bakery", "domains": ["shop.example"] });
    let manifest = SignedManifest::sign(&app, manifest.to_string().as_bytes()).unwrap();
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let card = json!({
        "version": 1,
        "template": "text",
        "key": "bread-7",
        "expires_s": now_s + 3_600,
        "text": "Bread is ready at seven.",
        "fallback": { "text": "Bread is ready at seven.", "url": "https://bakery.example/" },
        "buttons": [{ "label": "Keep me one", "action": "postback", "data": "keep=1" }],
    });
    let share = Share::parse(card.to_string().as_bytes()).unwrap();
    let mut send: Value =
        serde_json::from_str(&SharedCard::sign(&app, manifest, share, now_s).unwrap().to_json()).unwrap();
    send["chats"] = json!([chat]);
    send["idempotency_key"] = json!("bread-7");
    let sent = alice.ask("share.send", send).await;
    let message = text(&sent["items"][0]["message"]);
    bob.receives(&message).await;
    let vouch = BASE64URL_NOPAD.encode(&Vouch::of_app(&app, "shop.example").encode());
    shop.says(200, &json!({ "madang": 1, "apps": [vouch] }).to_string());
    play.call(bob.rpc(), "share.prove", json!({ "message": message })).await;
    let page = b"<title>Bread</title><meta name=description content='Ready at seven.'>";
    shop.serves("/bread", 200, "content-type: text/html\r\n", page);
    play.call(
        bob.rpc(),
        "share.scrape",
        json!({ "url": "https://shop.example/bread" }),
    )
    .await;
    let open = json!({ "message": message, "os": "linux" });
    play.call(bob.rpc(), "share.open", open).await;
    let reply = json!({ "message": message, "button": "buttons[0]" });
    play.call(bob.rpc(), "share.reply", reply).await;

    let ask = json!({ "name": "Kitchen", "scopes": [format!("share:{}:handle", app.public())] });
    let asked = bob.rpc().of_app(None).ask("app.request", ask).await;
    bob.ask("app.approve", json!({ "app": asked["app"] })).await;
    let kitchen = bob.rpc().of_app(asked["token"].as_str());
    for (method, data) in [("share.confirm_reply", "slices=2"), ("share.decline_reply", "slices=3")] {
        let answer = json!({ "message": message, "data": data });
        let waits = kitchen.ask("share.reply", answer).await;
        play.call(bob.rpc(), "share.replies", json!({})).await;
        play.call(bob.rpc(), method, json!({ "reply": waits["reply"] })).await;
    }
}

async fn account_of(person: &Person) -> String {
    text(&person.ask("account.get", json!({})).await["account"])
}

/// What was called, and what was answered.
struct Play {
    document: Value,
    schemas: Schemas,
    examples: Vec<Value>,
    /// What is shown for what.
    names: BTreeMap<String, String>,
    /// How many ids came under which name.
    seen: BTreeMap<String, u32>,
}

impl Play {
    fn new() -> Self {
        let document = openrpc::document();
        Self {
            schemas: Schemas::of(&document),
            document,
            examples: Vec::new(),
            names: BTreeMap::new(),
            seen: BTreeMap::new(),
        }
    }

    /// Calls a method until it is answered; the answer must be as the description says.
    async fn call(&mut self, rpc: &Rpc, method: &str, params: Value) -> Value {
        let deadline = Instant::now() + DEADLINE;
        let result = loop {
            match rpc.call(method, params.clone()).await {
                Ok(result) => break result,
                Err(CallError::Refused { retryable: true, .. }) if Instant::now() < deadline => {
                    sleep(std::time::Duration::from_millis(50)).await;
                }
                Err(error) => panic!("{method}: {error:?}"),
            }
        };
        self.record(method, &params, &result);
        result
    }

    fn record(&mut self, method: &str, params: &Value, result: &Value) {
        let described = method_of(&self.document, &method.into());
        takes(&self.schemas, described, params);
        fits(&self.schemas, &described["result"]["schema"], result, &method.into());
        let params = self.made_up("", params, false);
        let result = match method {
            "rpc.discover" => json!({
                "openrpc": result["openrpc"],
                "info": { "title": result["info"]["title"], "version": result["info"]["version"] },
                "methods": [],
                "components": {},
            }),
            _ => self.made_up("", result, true),
        };
        self.examples
            .push(json!({ "method": method, "params": params, "result": result }));
    }

    /// Compares what was played with what is committed.
    fn is_complete(&self) {
        let played: BTreeSet<&str> = self
            .examples
            .iter()
            .filter_map(|example| example["method"].as_str())
            .collect();
        let methods = self.document["methods"].as_array().unwrap();
        let methods: BTreeSet<&str> = methods.iter().filter_map(|method| method["name"].as_str()).collect();
        assert_eq!(played, methods, "each method has an example");
        if std::env::var_os("MADANG_WRITE_VECTORS").is_some() {
            let examples = settled(&committed(), &self.examples);
            let written = serde_json::to_string_pretty(&examples).unwrap() + "\n";
            same(EXAMPLES, &written);
            same("docs/methods.md", &reference(&self.document, &examples));
        }
        let called = |examples: &[Value]| -> Vec<Value> {
            let call = |example: &Value| json!([example["method"], example["params"]]);
            examples.iter().map(call).collect()
        };
        assert_eq!(
            called(&committed()),
            called(&self.examples),
            "the committed examples are those that are played"
        );
    }

    /// A value as the reference shows it: whatever differs from run to run is made up, of the right form.
    fn made_up(&mut self, name: &str, value: &Value, answered: bool) -> Value {
        match value {
            Value::Object(members) => {
                let member = |(name, value): (&String, &Value)| (name.clone(), self.made_up(name, value, answered));
                Value::Object(members.iter().map(member).collect())
            }
            Value::Array(_) if name == "words" => {
                let words = std::iter::repeat_n("abandon", 23).chain(["art"]);
                words.map(Value::from).collect()
            }
            Value::Array(items) => items.iter().map(|item| self.made_up(name, item, answered)).collect(),
            Value::String(text) => self.made_up_text(name, text).into(),
            Value::Number(_) if name == "uptime_ms" => 86_400_000.into(),
            Value::Number(_) if answered && name.ends_with("_ms") => 1_790_000_000_000_u64.into(),
            Value::Number(_) if name == "subscription" || name.is_empty() => 4_711.into(),
            other => other.clone(),
        }
    }

    fn made_up_text(&mut self, name: &str, text: &str) -> String {
        if let Some(shown) = self.names.get(text) {
            return shown.clone();
        }
        let is_hex = text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match name {
            "epoch" => "5f0c2a91".into(),
            "cursor" | "next" | "acknowledged" if is_number && text != "0" => "42".into(),
            "next" | "prev" => "b3BhcXVl".into(),
            "peer" => PEER.into(),
            _ if is_hex && text.len() == 64 => {
                let of_this_name = self.seen.entry(name.to_owned()).or_default();
                *of_this_name += 1;
                let shown = hex(&format!("{name} {of_this_name}"));
                self.names.insert(text.to_owned(), shown.clone());
                shown
            }
            // Whole frames and receipts.
            _ if is_hex && text.len() > 64 => hex(name),
            "secret" => "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into(),
            _ if text.starts_with("madang:invite?d=") => format!("madang:invite?d={}", hex("invite")),
            _ if text.starts_with("madang:channel?d=") => format!("madang:channel?d={}", hex("channel link")),
            _ if text.starts_with("madang:writer?d=") => format!("madang:writer?d={}", hex("certificate")),
            _ if text.starts_with("madang:recovery?d=") => format!("madang:recovery?d={}", hex("recovery key")),
            "pseudonym" => hex("pseudonym").chars().take(32).collect(),
            "url" if text.contains("/share#pick=") => format!("http://127.0.0.1:7117/share#pick={}", hex("pick 1")),
            "url" if text.contains("/share#code=") => format!("http://127.0.0.1:7117/share#code={}", hex("code 1")),
            "file" => r#"{"madang": 1, "channels": ["AAFQ0ogpLzn2VFGN"]}"#.into(),
            _ if text.starts_with("/ip4/") => address(text),
            _ => text.to_owned(),
        }
    }
}

/// The played examples; where a committed one only says something else in the same words, that one, so that it doesn't change with each run.
fn settled(committed: &[Value], played: &[Value]) -> Vec<Value> {
    let mut left: Vec<&Value> = committed.iter().collect();
    let mut settle = |example: &Value| {
        let alike = |kept: &&Value| members(kept) == members(example) && kept["params"] == example["params"];
        match left.iter().position(alike) {
            Some(at) => left.remove(at).clone(),
            None => example.clone(),
        }
    };
    played.iter().map(&mut settle).collect()
}

/// The paths of all that a value holds, and its method.
fn members(value: &Value) -> BTreeSet<String> {
    fn look(at: &str, value: &Value, paths: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => members
                .iter()
                .for_each(|(name, value)| look(&format!("{at}.{name}"), value, paths)),
            Value::Array(items) => items.iter().for_each(|item| look(&format!("{at}[]"), item, paths)),
            _ => drop(paths.insert(at.to_owned())),
        }
    }
    let mut paths = BTreeSet::from([value["method"].to_string()]);
    look("", value, &mut paths);
    paths
}

const PEER: &str = "12D3KooWGC6tTmEVUAYUsGjVZbtdpiLVMKDnB3GbiMWVDXWmMqXh";

fn address(text: &str) -> String {
    let mut before = "";
    let part = |part| {
        let shown = match before {
            "udp" | "tcp" => "4001",
            "p2p" => PEER,
            _ => part,
        };
        before = part;
        shown
    };
    text.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// 32 bytes that follow from a name.
fn bytes(name: &str) -> impl Iterator<Item = u8> {
    // FNV-1a, then SplitMix64: nothing depends on their strength.
    let seed = name.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3)
    });
    (1..=8_u64).flat_map(move |i| {
        let mut z = seed.wrapping_add(i.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)).to_be_bytes()
    })
}

fn hex(name: &str) -> String {
    bytes(name).take(32).map(|byte| format!("{byte:02x}")).collect()
}

fn account(name: &str) -> String {
    const LETTERS: &[u8] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    let letters = bytes(name)
        .take(58)
        .map(|byte| char::from(LETTERS[usize::from(byte) % 32]));
    format!("madang1{}", letters.collect::<String>())
}

fn committed() -> Vec<Value> {
    let text = std::fs::read_to_string(repository(EXAMPLES)).unwrap_or_else(|_| "[]".into());
    serde_json::from_str(&text).unwrap()
}

fn method_of<'a>(document: &'a Value, name: &Value) -> &'a Value {
    let mut methods = document["methods"].as_array().unwrap().iter();
    methods
        .find(|method| method["name"] == *name)
        .unwrap_or_else(|| panic!("no method {name}"))
}

/// The parameters are as the description says.
fn takes(schemas: &Schemas, method: &Value, params: &Value) {
    let described = method["params"].as_array().unwrap();
    for param in described {
        match &params[param["name"].as_str().unwrap()] {
            Value::Null => assert!(param["required"] != true, "{}: no {}", method["name"], param["name"]),
            given => fits(schemas, &param["schema"], given, &method["name"]),
        }
    }
    let known = |name: &String| described.iter().any(|param| param["name"] == *name);
    assert!(
        params.as_object().unwrap().keys().all(known),
        "{}: {params}",
        method["name"]
    );
}

fn fits(schemas: &Schemas, schema: &Value, value: &Value, what: &Value) {
    let check = schemas.of_schema(schema);
    let faults: Vec<String> = check.iter_errors(value).map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "{what}: {value:#}: {faults:#?}");
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("not text: {value}")).to_owned()
}
