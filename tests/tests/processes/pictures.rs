//! Pictures of cards, and pages that become cards: the sender's node fetches them, receivers get them with the message.

use data_encoding::{BASE64, HEXLOWER};
use madang_tests::tools::repository;
use madang_tests::{Domain, Person, World, join};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::MADANG;
use crate::handlers::{let_in, new_app, sign};
use crate::kinds::by_hand;

const DOMAIN: &str = "pictures.example";

fn card(image: Value) -> Value {
    json!({
        "version": 1,
        "template": "feed",
        "fallback": { "text": "Bread", "url": "https://bakery.example/" },
        "content": { "title": "Bread", "image": image },
    })
}

/// A page with a picture, whom its name leads to, and two who don't know it.
struct Market {
    site: Domain,
    bread: Vec<u8>,
    alice: Person,
    bob: Person,
    carol: Person,
}

impl Market {
    async fn open(world: &World) -> Self {
        let bread = std::fs::read(repository("cli/src/demo/bread.png")).unwrap();
        let site = Domain::start(DOMAIN).await;
        site.serves("/bread.png", 200, "content-type: image/png\r\n", &bread);
        let mut alice = world.person("alice", &[]);
        site.known_to(&mut alice, world);
        alice.up().await;
        Self {
            site,
            bread,
            alice,
            bob: world.person_up("bob", &[]).await,
            carol: world.person_up("carol", &[]).await,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f64_pictures_of_a_card_come_from_the_senders_node_and_only_from_the_internet() {
    let world = World::new(MADANG);
    let Market {
        site,
        bread,
        mut alice,
        mut bob,
        mut carol,
    } = Market::open(&world).await;
    let chats = [join(&mut alice, &mut bob).await, join(&mut alice, &mut carol).await];

    let hash = HEXLOWER.encode(&Sha256::digest(&bread));
    site.serves("/moved.png", 301, "location: bread.png\r\n", b"");
    site.serves("/page", 200, "content-type: text/html\r\n", b"<html>");
    site.serves("/large.png", 200, "", &vec![0; 6 * 1024 * 1024]);
    let inside = format!("https://127.0.0.1:{}/bread.png", site.port());
    site.serves("/inside.png", 302, &format!("location: {inside}\r\n"), b"");
    site.serves("/round.png", 302, "location: /round.png\r\n", b"");
    let url = |path: &str| format!("https://{DOMAIN}/{path}");

    let image = json!({ "url": url("moved.png"), "sha256": hash, "length_bytes": bread.len() });
    let send = json!({ "chats": chats, "share": card(image), "idempotency_key": "bread" });
    let sent = alice.ask("share.send", send.clone()).await;
    assert!(sent.get("left_out").is_none(), "{sent}");
    let asked = site.asked();
    for (person, item) in [&mut bob, &mut carol]
        .into_iter()
        .zip(sent["items"].as_array().unwrap())
    {
        let message = item["message"].as_str().unwrap();
        person.receives(message).await;
        let about = json!({ "message": message });
        let got = person.ask("message.get", about.clone()).await;
        let picture = &got["body"]["card"]["pictures"][0];
        assert_eq!(
            (&picture["place"], &picture["file"]["media_type"]),
            (&json!(0), &json!("image/png")),
            "{got}"
        );
        person.ask("blob.fetch", about).await;
        let blob = picture["file"]["blob"].clone();
        let read = person
            .until("the picture is here", async |person| {
                let part = json!({ "blob": blob, "offset_bytes": 0 });
                person.rpc().call("blob.get", part).await.ok()
            })
            .await;
        let data = BASE64.decode(read["data"].as_str().unwrap().as_bytes()).unwrap();
        assert!(data == bread, "another picture came");
    }
    // The same call again fetches and sends nothing.
    let again = alice.ask("share.send", send).await;
    assert_eq!(again["items"][1]["message"], sent["items"][1]["message"]);
    assert_eq!(site.asked(), asked);

    for (name, path, reason) in [
        (
            "redirected inside",
            url("inside.png"),
            "its name leads into a private network",
        ),
        ("inside", inside, "its name leads into a private network"),
        (
            "this machine",
            "https://localhost/x.png".to_owned(),
            "its name leads into a private network",
        ),
        ("round", url("round.png"), "it leads on and on"),
        ("missing", url("none.png"), "it answers 404 Not Found"),
        ("a page", url("page"), "is no JPEG, PNG, WebP or GIF"),
        ("large", url("large.png"), "it can't be reached: length limit exceeded"),
    ] {
        let send = json!({ "chats": [chats[0]], "share": card(json!({ "url": path })), "idempotency_key": name });
        let sent = alice.ask("share.send", send).await;
        let left_out = &sent["left_out"][0];
        assert_eq!(left_out["image"], "share.content.image", "{name}: {sent}");
        assert!(left_out["reason"].as_str().unwrap().contains(reason), "{name}: {sent}");
    }

    let other = json!({ "url": url("bread.png"), "sha256": "ab".repeat(32) });
    let send = json!({ "chats": [chats[0]], "share": card(other), "idempotency_key": "other" });
    let refused = alice.rpc().call("share.send", send).await.unwrap_err();
    assert_eq!(refused.code(), "invalid_params");
    assert!(
        format!("{refused:?}").contains("share.content.image.sha256"),
        "{refused:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn f64_a_page_becomes_a_card_at_the_senders_node() {
    let world = World::new(MADANG);
    let site = Domain::start(DOMAIN).await;
    let mut alice = world.person("alice", &[]);
    site.known_to(&mut alice, &world);
    alice.up().await;
    let html = "content-type: text/html; charset=utf-8\r\n";
    let page = r#"<title>Bread</title><meta property="og:description" content="Fresh &amp; warm">
        <link rel="alternate" type="application/json+oembed" href="/embed">"#;
    site.serves("/bread", 200, html, page.as_bytes());
    site.serves("/embed", 200, "", br#"{"title": "no", "thumbnail_url": "/bread.png"}"#);
    site.serves("/short", 302, "location: /bread\r\n", b"");
    site.serves("/inside", 302, "location: https://localhost/\r\n", b"");
    site.serves("/text", 200, "content-type: text/plain\r\n", b"bread");
    let url = |path: &str| format!("https://{DOMAIN}{path}");
    let scraped = alice.ask("share.scrape", json!({ "url": url("/short") })).await;
    let content = &scraped["share"]["content"];
    assert_eq!(
        (
            &content["title"],
            &content["description"],
            &content["image"]["url"],
            &content["link"]["url"]
        ),
        (
            &json!("Bread"),
            &json!("Fresh & warm"),
            &json!(url("/bread.png")),
            &json!(url("/bread"))
        ),
    );
    let typed = by_hand(&alice, &["share", "scrape", &url("/bread")]).await;
    assert_eq!(serde_json::from_str::<Value>(&typed).unwrap(), scraped["share"]);

    let asked = site.asked();
    for (address, code) in [
        (url("/inside"), "domain_unavailable"),
        (url("/none"), "domain_unavailable"),
        (url("/text"), "invalid_params"),
        (format!("https://127.0.0.1:{}/bread", site.port()), "invalid_params"),
        ("http://pictures.example/bread".to_owned(), "invalid_params"),
        ("file:///etc/passwd".to_owned(), "invalid_params"),
    ] {
        let refused = alice
            .rpc()
            .call("share.scrape", json!({ "url": address }))
            .await
            .unwrap_err();
        assert_eq!(refused.code(), code, "{address}");
    }
    assert_eq!(site.asked(), asked + 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_is_sent_on_as_its_app_signed_it_with_the_pictures_that_are_here() {
    let world = World::new(MADANG);
    let Market {
        site: _site,
        mut alice,
        mut bob,
        mut carol,
        ..
    } = Market::open(&world).await;
    let (first, second) = (join(&mut alice, &mut bob).await, join(&mut bob, &mut carol).await);

    let (app, key) = new_app(&world, "bakery").await;
    let mut share = card(json!({ "url": format!("https://{DOMAIN}/bread.png") }));
    share["buttons"] = json!([{ "label": "Tell others", "action": "share" }]);
    let file = app.join("share.json");
    std::fs::write(&file, share.to_string()).unwrap();
    let mut send: Value = serde_json::from_str(&sign(&file, &app).await).unwrap();
    send["chats"] = json!([first]);
    send["idempotency_key"] = json!("bread");
    let sent = alice.ask("share.send", send.clone()).await;
    let message = sent["items"][0]["message"].as_str().unwrap();
    bob.receives(message).await;
    let about = json!({ "message": message });
    bob.ask("blob.fetch", about.clone()).await;
    let got = bob.ask("message.get", about).await;
    let blob = got["body"]["card"]["pictures"][0]["file"]["blob"].clone();
    bob.until("the picture is here", async |bob| {
        let part = json!({ "blob": blob, "offset_bytes": 0 });
        bob.rpc().call("blob.get", part).await.ok()
    })
    .await;

    // What opens the card says how; bob's node knows no way to the page.
    let hint = by_hand(&bob, &["share", "open", message, "--button", "1"]).await;
    assert!(hint.contains(&format!("--message {}", &message[..8])), "{hint}");
    let args = ["share", "send", "--message", &message[..8], "--to", &second, "--json"];
    let sent: Value = serde_json::from_str(&by_hand(&bob, &args).await).unwrap();
    let on = sent["items"][0]["message"].as_str().unwrap();
    carol.receives(on).await;
    let got = carol.ask("message.get", json!({ "message": on })).await;
    let held = &got["body"]["card"];
    assert_eq!(
        (
            &held["by"]["kind"],
            &held["by"]["app"],
            &held["pictures"][0]["file"]["media_type"]
        ),
        (&json!("app"), &json!(key), &json!("image/png")),
        "{got}"
    );
    assert_eq!(held["share"]["buttons"], share["buttons"]);

    // An app that may send may not, by that, name what is in chats; with a right to read them it may.
    let params = |key: &str| json!({ "chats": [second], "message": message, "idempotency_key": key });
    let sender = let_in(&bob, "sender", &["share:send"]).await;
    let sender = bob.rpc().of_app(Some(&sender));
    let refused = sender.call("share.send", params("1")).await.unwrap_err();
    assert_eq!(refused.code(), "scope_missing");
    let reader = let_in(&bob, "reader", &[&format!("chat:{first}:read"), "share:pick"]).await;
    let reader = bob.rpc().of_app(Some(&reader));
    let refused = reader.call("share.send", params("2")).await.unwrap_err();
    assert_eq!(refused.code(), "scope_missing");
    let both = let_in(&bob, "both", &[&format!("chat:{first}:read"), "share:send"]).await;
    bob.rpc().of_app(Some(&both)).ask("share.send", params("3")).await;
    send["message"] = json!(message);
    let refused = bob.rpc().call("share.send", send).await.unwrap_err();
    assert_eq!(refused.code(), "invalid_params");
}
