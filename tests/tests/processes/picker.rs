//! The share picker in a real browser: a page of another site offers a card, the user chooses and confirms, and nothing is sent in any other way.

use madang_tests::tools::repository;
use madang_tests::{Browser, Person, Site, World, join, places};
use serde_json::{Value, json};

use crate::handlers::{new_app, sign, told};
use crate::kinds::by_hand;
use crate::{MADANG, handlers};

fn site_of(person: &Person) -> String {
    places(person.data()).unwrap()["http"].as_str().unwrap().to_owned()
}

/// The shop's site; with its card signed, if it is.
async fn shop(signed: Option<String>) -> Site {
    let read = |file: &str| std::fs::read_to_string(repository("examples/shop").join(file)).unwrap();
    let files = [
        ("/", read("index.html")),
        ("/shop.js", read("shop.js")),
        ("/shop.css", read("shop.css")),
        ("/card.json", read("card.json")),
    ];
    let signed = signed.map(|signed| ("/signed.json", signed));
    Site::serve(files.into_iter().chain(signed)).await
}

/// Presses the shop's share button, and goes to the picker that it opens.
async fn share(browser: &Browser, shop: &Site, person: &Person) {
    browser.visit(shop.origin()).await;
    let node = "document.getElementById('node').value = given[0]";
    browser.run(node, vec![json!(site_of(person))]).await;
    browser
        .until("it has its card", "return !document.getElementById('share').disabled")
        .await;
    browser.keep("shop.png").await;
    browser.click("#share").await;
    browser.to_window(1).await;
}

/// Chooses chats in the picker.
async fn choose(browser: &Browser, chats: &[&str]) {
    for chat in chats {
        browser.click(&format!("#chats input[value='{chat}']")).await;
    }
    browser
        .until("it is ready", "return !document.getElementById('send').disabled")
        .await;
}

/// Lets the browser in, as the user does once.
async fn let_in(browser: &Browser, person: &Person) {
    let printed = by_hand(person, &["share", "browser"]).await;
    let address = printed.lines().find(|line| line.contains("/share#code=")).unwrap();
    browser.visit(address.trim()).await;
    browser.shows("This browser is connected").await;
}

/// Cards that a person has in a chat.
async fn cards(person: &Person, chat: &str) -> Vec<Value> {
    let list = person.ask("message.list", json!({ "chat": chat })).await;
    let items = list["items"].as_array().unwrap().clone();
    items
        .into_iter()
        .filter(|item| item["body"]["kind"] == "share")
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn f62_a_shops_signed_card_goes_to_the_two_chats_that_the_user_confirms_and_each_receivers_app_is_handed_it() {
    let world = World::new(MADANG);
    let Some(browser) = Browser::start(&world.dir().join("browser")).await else {
        return;
    };
    let mut alice = world.person_up("alice", &[]).await;
    let mut bob = world.person_up("bob", &[]).await;
    let mut carol = world.person_up("carol", &[]).await;
    let mut dave = world.person_up("dave", &[]).await;
    let with_bob = join(&mut alice, &mut bob).await;
    let with_carol = join(&mut alice, &mut carol).await;
    let with_dave = join(&mut alice, &mut dave).await;
    let (app, key) = new_app(&world, "Yard bakery").await;
    let signed = sign(&repository("examples/shop/card.json"), &app).await;
    let shop = shop(Some(signed)).await;

    // A browser that the user hasn't let in shows nothing of the user's.
    share(&browser, &shop, &alice).await;
    browser.shows("madang share browser").await;
    browser.close_window().await;
    let_in(&browser, &alice).await;

    share(&browser, &shop, &alice).await;
    browser.shows("carol").await;
    let shown = browser.text().await;
    for text in [
        "Sourdough, baked this morning",
        "6,400",
        "Reserve one",
        "Yard bakery",
        &key[..8],
    ] {
        assert!(shown.contains(text), "{text:?} isn't in {shown}");
    }
    assert!(!shown.contains("No app signed"), "{shown}");
    let disabled = "return document.getElementById('send').disabled";
    assert_eq!(browser.run(disabled, Vec::new()).await, true);
    choose(&browser, &[&with_bob, &with_carol]).await;
    for (width, height, name) in [(400, 780, "phone"), (1100, 760, "desktop"), (460, 760, "window")] {
        browser.resize(width, height).await;
        choose(&browser, &[]).await;
        browser.keep(&format!("picker-{name}.png")).await;
    }
    browser.click("#send").await;
    browser.shows("Sent to 2 chats.").await;
    browser.keep("picker-sent.png").await;
    browser.to_window(0).await;
    browser.shows("Shared with 2.").await;
    browser.keep("shop-shared.png").await;

    for (person, chat) in [(&mut bob, &with_bob), (&mut carol, &with_carol)] {
        let card = person
            .until("the card", async |person| cards(person, chat).await.pop())
            .await;
        let by = &card["body"]["card"]["by"];
        assert_eq!(
            (&by["kind"], &by["app"], &by["name"]),
            (&json!("app"), &json!(key), &json!("Yard bakery")),
            "{card}"
        );
        assert_eq!(cards(person, chat).await.len(), 1);
        let read = by_hand(person, &["read", chat]).await;
        assert!(read.contains("Yard bakery") && read.contains(&key[..8]), "{read}");

        // A program that the user lets handle the shop's cards is handed it when the button is pressed.
        let scope = format!("share:{key}:handle");
        let handler = handlers::let_in(person, "bakery", &[&scope]).await;
        let message = card["message"].as_str().unwrap();
        let press = json!({ "message": message, "button": "buttons[0]", "os": "linux" });
        let pressed = person.ask("share.open", press).await;
        assert_eq!(pressed["action"]["kind"], "handler", "{pressed}");
        let payload = told(&person.rpc().of_app(Some(&handler)), 1).await.remove(0);
        let data = &payload["data"];
        assert_eq!(payload["kind"], "share.payload", "{payload}");
        assert_eq!(
            (&data["app"], &data["message"], &data["button"]),
            (&json!(key), &json!(message), &json!("buttons[0]"))
        );
        assert_eq!(data["params"], json!({ "reserve": "sourdough" }));
        assert_eq!(data["card"]["share"]["price"]["discounted"], 6400);
    }
    assert!(cards(&alice, &with_dave).await.is_empty());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f63_a_page_that_signs_nothing_is_named_by_the_browser_and_shown_as_a_claim() {
    let world = World::new(MADANG);
    let Some(browser) = Browser::start(&world.dir().join("browser")).await else {
        return;
    };
    let mut alice = world.person_up("alice", &[]).await;
    let mut bob = world.person_up("bob", &[]).await;
    let chat = join(&mut alice, &mut bob).await;
    let shop = shop(None).await;
    let_in(&browser, &alice).await;
    share(&browser, &shop, &alice).await;
    browser.shows("bob").await;
    let shown = browser.text().await;
    for text in [
        "Sourdough, baked this morning",
        shop.origin(),
        "No app signed this card",
    ] {
        assert!(shown.contains(text), "{text:?} isn't in {shown}");
    }
    choose(&browser, &[&chat]).await;
    browser.keep("picker-unsigned.png").await;
    browser.click("#send").await;
    browser.shows("Sent to 1 chat.").await;
    let card = bob.until("the card", async |bob| cards(bob, &chat).await.pop()).await;
    let by = &card["body"]["card"]["by"];
    assert_eq!(*by, json!({ "kind": "page", "origin": shop.origin() }), "{card}");
    browser.close().await;
}

/// What a page of another site can do to the picker, and what of it must not work.
#[tokio::test(flavor = "multi_thread")]
async fn f62_no_page_of_another_site_has_the_picker_send_frames_it_or_reads_it() {
    let world = World::new(MADANG);
    let Some(browser) = Browser::start(&world.dir().join("browser")).await else {
        return;
    };
    let mut alice = world.person_up("alice", &[]).await;
    let mut bob = world.person_up("bob", &[]).await;
    let chat = join(&mut alice, &mut bob).await;
    let_in(&browser, &alice).await;
    let picker = format!("{}/share", site_of(&alice));
    let stranger = Site::serve([("/", "<!doctype html><meta charset=utf-8><p>hello".to_owned())]).await;
    browser.visit(stranger.origin()).await;

    // In a frame it isn't shown, so nobody is led to click on it unseen.
    let frame = "
        const frame = document.createElement('iframe');
        frame.src = given[0];
        const loaded = new Promise((done) => { frame.onload = done; });
        document.body.append(frame);
        await loaded";
    browser.run(frame, vec![json!(picker)]).await;
    assert!(
        !browser.text_of_frame().await.contains("Madang"),
        "it is shown in a frame"
    );
    // Its files and what it knows can't be read, nor can its methods be called, with whatever a page can send.
    let read = "try { return (await fetch(given[0])).status } catch (error) { return String(error) }";
    let answer = browser.run(read, vec![json!(picker)]).await;
    assert!(
        answer.as_str().is_some_and(|text| text.contains("TypeError")),
        "{answer}"
    );
    let call = "
        const [url, method, params, type] = given;
        const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
        try {
            const answer = await fetch(url, { method: 'POST', credentials: 'include', headers: { 'Content-Type': type }, body });
            return await answer.text();
        } catch (error) { return String(error); }";
    let card = json!({ "version": 1, "template": "text", "text": "pushed", "fallback": { "text": "pushed", "url": "https://a.example/" } });
    let send = json!({ "chats": [chat], "share": card, "idempotency_key": "x" });
    for (at, method, params) in [
        ("/", "share.send", send.clone()),
        (
            "/",
            "share.confirm",
            json!({ "pick": "00".repeat(32), "chats": [chat] }),
        ),
        ("/app", "share.enter", json!({ "code": "00".repeat(32) })),
    ] {
        for kind in ["application/json", "text/plain"] {
            let url = json!(format!("{}{at}", site_of(&alice)));
            let given = vec![url, json!(method), params.clone(), json!(kind)];
            let answer = browser.run(call, given).await;
            let text = answer.as_str().unwrap_or_default();
            assert!(
                text.contains("TypeError") || text.contains("not_found") || text.contains("not_allowed"),
                "{method}: {text}"
            );
        }
    }

    // A window that it opens shows what it says as text, can be sent elsewhere, but not be read or clicked in; and what was chosen for one card isn't kept for another.
    let open = "
        const shared = (text) => {
            const card = { version: 1, template: 'text', text, fallback: { text, url: 'https://a.example/' } };
            return 'madang:share?d=' + btoa(JSON.stringify({ share: card })).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
        };
        window.shared = shared;
        window.opened = window.open(given[0] + '#' + shared('the first card' + given[1]), 'x');
        return window.opened !== null";
    let script = "<script>parent.run = 1</script><img src=x onerror='parent.run = 1'></article><form action=/share>";
    assert_eq!(browser.run(open, vec![json!(picker), json!(script)]).await, true);
    browser.to_window(1).await;
    browser.shows(&format!("the first card{script}")).await;
    assert_eq!(browser.run("return window.run === undefined", Vec::new()).await, true);
    // Nor would a script run there if one came that far.
    let push = "
        const inside = document.getElementById('card').contentDocument;
        const pushed = inside.createElement('script');
        pushed.append('parent.run = 1');
        inside.body.append(pushed);
        return window.run === undefined";
    assert_eq!(browser.run(push, Vec::new()).await, true);
    browser.shows("bob").await;
    choose(&browser, &[&chat]).await;
    browser.to_window(0).await;
    let reach = "
        const tries = [() => opened.document.body, () => opened.localStorage, () => opened.fetch('/'), () => opened.eval('1')];
        const got = tries.filter((reach) => { try { reach(); return true; } catch { return false; } }).length;
        opened.postMessage({ madang: 'share', confirm: true, method: 'share.confirm' }, '*');
        opened.location.replace(given[0] + '#' + shared('the second card'));
        return got";
    assert_eq!(browser.run(reach, vec![json!(picker)]).await, 0);
    browser.to_window(1).await;
    browser.shows("the second card").await;
    browser.shows("bob").await;
    let chosen =
        "return document.querySelectorAll('#chats :checked').length === 0 && document.getElementById('send').disabled";
    browser.until("all begins anew", chosen).await;

    // A code works once, and only a code does.
    let enter = |code: String| {
        browser.run(
            call,
            vec![
                json!(format!("{}/app", site_of(&alice))),
                json!("share.enter"),
                json!({ "code": code }),
                json!("application/json"),
            ],
        )
    };
    let refused = enter("00".repeat(32)).await;
    assert!(refused.as_str().unwrap().contains("not_found"), "{refused}");
    let code = alice.ask("share.browser", json!({})).await;
    let code = code["url"].as_str().unwrap().split_once("#code=").unwrap().1.to_owned();
    assert!(enter(code.clone()).await.as_str().unwrap().contains("token"));
    assert!(enter(code).await.as_str().unwrap().contains("not_found"));

    assert!(cards(&alice, &chat).await.is_empty(), "something was sent");
    browser.close().await;
}
