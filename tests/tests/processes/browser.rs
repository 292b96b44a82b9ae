//! Pages of other sites in a real browser: they get nothing of a node, until the user approves one.

use madang_tests::tools::{lacks_typescript, repository};
use madang_tests::{Browser, Person, Site, World, join, places};
use serde_json::{Value, json};

use crate::MADANG;
use crate::kinds::by_hand;

/// A page that does what any page may: it has the node's address, and tries.
const PAGE: &str = "<!doctype html><meta charset=utf-8><title>Another site</title><p>hello";

/// What a page's `fetch` gives for a call: status and body, or that the browser refused it.
const CALL: &str = "
    const [url, token, method, params, kind] = given;
    const headers = { 'Content-Type': kind ?? 'application/json' };
    if (token) headers.Authorization = `Bearer ${token}`;
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
    try {
        const answer = await fetch(url, { method: 'POST', headers, body });
        return { status: answer.status, body: await answer.json() };
    } catch (error) {
        return { refused: String(error) };
    }";

/// Whether a WebSocket to an address opens.
const SOCKET: &str = "
    const [url] = given;
    return await new Promise((done) => {
        const socket = new WebSocket(url);
        socket.onopen = () => done('open');
        socket.onerror = () => done('refused');
    });";

struct Page<'a> {
    browser: &'a Browser,
    http: String,
    ws: String,
}

impl<'a> Page<'a> {
    fn of(browser: &'a Browser, person: &Person) -> Self {
        let places = places(person.data()).unwrap();
        let place = |name: &str| places[name].as_str().unwrap().to_owned();
        Self {
            browser,
            http: place("http"),
            ws: place("ws"),
        }
    }

    async fn call(&self, at: &str, token: Option<&str>, method: &str, params: Value) -> Value {
        let url = json!(format!("{}{at}", self.http));
        self.browser
            .run(CALL, vec![url, json!(token), json!(method), params])
            .await
    }

    /// A call that has a result.
    async fn ask(&self, token: &str, method: &str, params: Value) -> Value {
        let answer = self.call("/", Some(token), method, params).await;
        assert!(answer["body"]["result"].is_object(), "{method}: {answer}");
        answer["body"]["result"].clone()
    }

    /// A call of which the page learns nothing.
    async fn gets_nothing(&self, at: &str, token: Option<&str>, method: &str) {
        let answer = self.call(at, token, method, json!({})).await;
        assert!(answer["refused"].is_string(), "{method}: {answer}");
    }
}

/// The example page, compiled, at the paths where a server of the examples' folder has it.
async fn example() -> Option<Vec<(&'static str, String)>> {
    let folder = repository("examples/page");
    if lacks_typescript("the example page", &folder).await {
        return None;
    }
    let files = [
        ("/page/", "page/index.html"),
        ("/page/page.css", "page/page.css"),
        ("/page/dist/page.js", "page/dist/page.js"),
        ("/clients/typescript/dist/index.js", "clients/typescript/dist/index.js"),
        ("/clients/typescript/dist/api.js", "clients/typescript/dist/api.js"),
        (
            "/clients/typescript/dist/client.js",
            "clients/typescript/dist/client.js",
        ),
    ];
    let read = |file: &str| std::fs::read_to_string(repository("examples").join(file)).unwrap();
    Some(files.map(|(path, file)| (path, read(file))).into())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_page_shows_chats_once_it_is_approved_and_follows_them() {
    let world = World::new(MADANG);
    let Some(browser) = Browser::start(&world.dir().join("browser")).await else {
        return;
    };
    let Some(files) = example().await else {
        return;
    };
    let mut alice = world.person_up("alice", &[]).await;
    let mut bob = world.person_up("bob", &[]).await;
    let chat = join(&mut alice, &mut bob).await;
    let site = Site::serve(files).await;
    let page = Page::of(&browser, &alice);

    browser.visit(&format!("{}/page/", site.origin())).await;
    browser.shows("Not connected.").await;
    let address = "document.getElementById('node').value = given[0]";
    browser.run(address, vec![json!(page.http)]).await;
    browser.click("#ask button").await;
    browser.shows("madang app approve").await;
    by_hand(&alice, &["app", "approve", "My chats"]).await;
    browser.shows("Connected.").await;
    browser.shows("bob").await;
    let message = bob.send(&chat, "one that the page counts").await;
    alice.receives(&message).await;
    let counted = "return document.querySelector('.unread')?.textContent ?? ''";
    alice
        .until("the page counts it", async |_| {
            (browser.run(counted, Vec::new()).await == "1").then_some(())
        })
        .await;
    browser.keep("example-page.png").await;

    // It is still let in when it comes again, and gives its token back when it is told to.
    browser.visit(&format!("{}/page/", site.origin())).await;
    browser.shows("bob").await;
    browser.click("#forget").await;
    browser.shows("Disconnected.").await;
    alice
        .until("the token has ended", async |alice| {
            let left = alice.ask("app.list", json!({})).await;
            left["items"].as_array().unwrap().is_empty().then_some(())
        })
        .await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f54_a_page_of_another_site_gets_nothing_until_the_user_approves_it_and_then_its_scopes() {
    let world = World::new(MADANG);
    let Some(browser) = Browser::start(&world.dir().join("browser")).await else {
        return;
    };
    let mut alice = world.person_up("alice", &[]).await;
    let mut bob = world.person_up("bob", &[]).await;
    let chat = join(&mut alice, &mut bob).await;
    let (site, stranger) = (
        Site::serve([("/", PAGE.into())]).await,
        Site::serve([("/", PAGE.into())]).await,
    );
    let cookie = std::fs::read_to_string(alice.data().join("cookie")).unwrap();
    let page = Page::of(&browser, &alice);

    // Not even the owner's own token helps a page, nor a kind of request for which a browser asks nobody before.
    browser.visit(site.origin()).await;
    page.gets_nothing("/", None, "chat.list").await;
    page.gets_nothing("/", Some(cookie.trim()), "chat.list").await;
    let plain = vec![
        json!(page.http),
        Value::Null,
        json!("account.confirm_phrase"),
        json!({}),
        json!("text/plain"),
    ];
    let answer = browser.run(CALL, plain).await;
    assert!(answer["refused"].is_string(), "{answer}");
    assert_eq!(browser.run(SOCKET, vec![json!(page.ws)]).await, "refused");
    let account = alice.ask("account.get", json!({})).await;
    assert_eq!(account["phrase_confirmed"], false, "a page had something done");

    // It may ask, in its own name.
    let ask = |origin: &str| json!({ "name": "Shop", "origin": origin, "scopes": ["chat:read", "contact:read"] });
    let other = page.call("/app", None, "app.request", ask(stranger.origin())).await;
    assert!(
        other["refused"].is_string() || other["body"]["error"].is_object(),
        "{other}"
    );
    let asked = page.call("/app", None, "app.request", ask(site.origin())).await;
    let token = asked["body"]["result"]["token"]
        .as_str()
        .unwrap_or_else(|| panic!("{asked}"));
    page.gets_nothing("/", Some(token), "chat.list").await;
    let scope = format!("chat:{chat}:read");
    by_hand(&alice, &["app", "approve", "Shop", "--scope", &scope]).await;

    // Just what the user has approved.
    let chats = page.ask(token, "chat.list", json!({})).await;
    assert_eq!(chats["items"][0]["chat"], chat.as_str());
    let message = bob.send(&chat, "for the page too").await;
    alice.receives(&message).await;
    let events = json!({ "after": "0", "filter": { "kinds": ["message.received"] } });
    let events = page.ask(token, "event.poll", events).await;
    assert_eq!(events["items"][0]["data"]["message"], message.as_str());
    for (method, params) in [
        ("contact.list", json!({})),
        ("account.phrase", json!({})),
        (
            "message.send",
            json!({ "chat": chat, "body": { "kind": "text", "text": "no" } }),
        ),
    ] {
        let answer = page.call("/", Some(token), method, params).await;
        assert_eq!(
            answer["body"]["error"]["data"]["code"], "scope_missing",
            "{method}: {answer}"
        );
    }

    // Another site that has got hold of the token, and this one once it was revoked, get nothing again.
    browser.visit(stranger.origin()).await;
    page.gets_nothing("/", Some(token), "chat.list").await;
    browser.visit(site.origin()).await;
    page.ask(token, "app.self", json!({})).await;
    by_hand(&alice, &["app", "revoke", "Shop"]).await;
    page.gets_nothing("/", Some(token), "chat.list").await;
    browser.close().await;
}
