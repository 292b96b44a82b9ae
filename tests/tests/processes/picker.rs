//! The share picker in a real browser: a page of another site offers a card, the user chooses and confirms, and nothing is sent in any other way.

use madang_tests::tools::repository;
use madang_tests::{Browser, Person, Site, World, join, places};
use serde_json::{Value, json};

use crate::MADANG;
use crate::kinds::by_hand;

fn site_of(person: &Person) -> String {
    places(person.data()).unwrap()["http"].as_str().unwrap().to_owned()
}

async fn shop() -> Site {
    let read = |file: &str| std::fs::read_to_string(repository("examples/shop").join(file)).unwrap();
    Site::serve([
        ("/", read("index.html")),
        ("/shop.js", read("shop.js")),
        ("/shop.css", read("shop.css")),
    ])
    .await
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
async fn f62_a_card_of_a_shop_goes_to_the_two_chats_that_the_user_confirms_and_to_no_other() {
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
    let shop = shop().await;

    // A browser that the user hasn't let in shows nothing of the user's.
    let node = "document.getElementById('node').value = given[0]";
    browser.visit(shop.origin()).await;
    browser.run(node, vec![json!(site_of(&alice))]).await;
    browser.click("#share").await;
    browser.to_window(1).await;
    browser.shows("madang share browser").await;
    browser.close_window().await;
    let_in(&browser, &alice).await;

    browser.visit(shop.origin()).await;
    browser.run(node, vec![json!(site_of(&alice))]).await;
    browser.click("#share").await;
    browser.to_window(1).await;
    browser.shows("carol").await;
    let shown = browser.text().await;
    for text in [
        "Sourdough, baked this morning",
        "6,400",
        "Reserve one",
        shop.origin(),
        "Not signed",
    ] {
        assert!(shown.contains(text), "{text:?} isn't in {shown}");
    }
    assert_eq!(
        browser
            .run("return document.getElementById('send').disabled", Vec::new())
            .await,
        true
    );
    for chat in [&with_bob, &with_carol] {
        browser.click(&format!("#chats input[value='{chat}']")).await;
    }
    browser
        .until("it is ready", "return !document.getElementById('send').disabled")
        .await;
    browser.keep(&world, "picker.png").await;
    browser.click("#send").await;
    browser.shows("Sent to 2 chats.").await;
    browser.keep(&world, "picker-sent.png").await;
    browser.to_window(0).await;
    browser.shows("Shared with 2.").await;

    for (person, chat) in [(&mut bob, &with_bob), (&mut carol, &with_carol)] {
        let card = person
            .until("the card", async |person| cards(person, chat).await.pop())
            .await;
        let body = &card["body"]["card"];
        assert_eq!(body["by"], json!({ "kind": "page", "origin": shop.origin() }), "{card}");
        assert_eq!(body["share"]["price"]["discounted"], 6400);
        assert_eq!(cards(person, chat).await.len(), 1);
    }
    assert!(cards(&alice, &with_dave).await.is_empty());
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

    // A window that it opens can be sent elsewhere, but not be read or clicked in; and what was chosen for one card isn't kept for another.
    let open = "
        const shared = (text) => {
            const card = { version: 1, template: 'text', text, fallback: { text, url: 'https://a.example/' } };
            return 'madang:share?d=' + btoa(JSON.stringify({ share: card })).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
        };
        window.shared = shared;
        window.opened = window.open(given[0] + '#' + shared('the first card'), 'x');
        return window.opened !== null";
    assert_eq!(browser.run(open, vec![json!(picker)]).await, true);
    browser.to_window(1).await;
    browser.shows("the first card").await;
    browser.shows("bob").await;
    browser.click(&format!("#chats input[value='{chat}']")).await;
    browser
        .until("it is ready", "return !document.getElementById('send').disabled")
        .await;
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
