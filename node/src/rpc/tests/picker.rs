//! The share picker: who gets its page, who gets in by a code, and that nothing is sent without the user's word or grant.

use std::sync::Arc;

use serde_json::{Value, json};

use super::House;
use crate::rpc::access::{Grant, Grants, token_hash};
use crate::rpc::ids::AppKey;

fn card() -> Value {
    json!({ "version": 1, "template": "text", "text": "hi", "fallback": { "text": "hi", "url": "https://a.example/" } })
}

fn chat(byte: u8) -> String {
    hex::encode([byte; 32])
}

async fn get(house: &House, path: &str, headers: &str) -> super::Reply {
    house
        .raw(format!("GET {path} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n"))
        .await
}

/// Calls a method with an app's token, or at the door; gives the whole answer.
async fn call_as(
    house: &House,
    at: &str,
    token: Option<&str>,
    more: &str,
    method: &str,
    params: Value,
) -> super::Reply {
    let body = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params }).to_string();
    let authorization = token.map_or_else(String::new, |token| format!("Authorization: Bearer {token}\r\n"));
    let request = format!(
        "POST {at} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n{authorization}{more}Content-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        house.port(),
        body.len()
    );
    house.raw(request).await
}

/// Lets an app in with some scopes.
fn app(house: &House, token: &str, scopes: &[&str], origin: Option<&str>) {
    let grant = Grant {
        app: Some(AppKey([6; 32])),
        scopes: scopes.iter().map(|scope| scope.parse().unwrap()).collect(),
        origin: origin.map(str::to_owned),
        ..Grant::owner()
    };
    let grants = Grants::new([(token_hash(token.as_bytes()), grant)]);
    house.api.grants.send_replace(Arc::new(grants));
}

fn sent(house: &House) -> usize {
    house.api.cards.lock().unwrap().len()
}

#[tokio::test]
async fn f62_the_page_is_for_this_machine_alone_and_no_other_page_frames_or_scripts_it() {
    let house = House::open().await;
    let host = format!("Host: 127.0.0.1:{}\r\n", house.port());
    for (path, kind) in [
        ("/share", "text/html"),
        ("/share/picker.js", "text/javascript"),
        ("/share/picker.css", "text/css"),
        ("/share/card.css", "text/css"),
    ] {
        let reply = get(&house, path, &host).await;
        assert_eq!(reply.status, 200, "{path}");
        for header in [
            kind,
            "frame-ancestors 'none'",
            "default-src 'none'",
            "require-trusted-types-for 'script'",
            "x-frame-options: deny",
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
            "cross-origin-resource-policy: same-origin",
        ] {
            assert!(
                reply.head.to_lowercase().contains(header),
                "{path} without {header}: {}",
                reply.head
            );
        }
        assert!(
            !reply.head.contains("access-control-allow-origin"),
            "{path} may be read by others"
        );
    }
    // A name that leads here is none of this server's, and what isn't a file of the page isn't there.
    for (path, host, status) in [
        ("/share", "Host: evil.example\r\n".to_owned(), 403),
        ("/share", format!("Host: evil.example:{}\r\n", house.port()), 403),
        ("/share/../cookie", host.clone(), 401),
        ("/share/", host.clone(), 401),
        ("/share/index.html", host.clone(), 401),
    ] {
        assert_eq!(get(&house, path, &host).await.status, status, "{path} {host}");
    }
    let posted = call_as(&house, "/share", Some(&house.token), "", "share.picks", json!({})).await;
    assert_eq!(posted.status, 405);
}

#[tokio::test]
async fn f62_a_code_lets_one_browser_in_once_with_what_the_picker_needs_and_no_page_of_another_site() {
    let house = House::open().await;
    let made = house.result("share.browser", json!({})).await;
    let (_, code) = made["url"].as_str().unwrap().split_once("/share#code=").unwrap();
    let enter = json!({ "code": code });
    let foreign = call_as(
        &house,
        "/app",
        None,
        "Origin: https://evil.example\r\n",
        "share.enter",
        enter.clone(),
    )
    .await;
    assert_eq!(
        foreign.json()["error"]["data"]["code"],
        "not_allowed",
        "{}",
        foreign.body
    );
    let wrong = json!({ "code": "0".repeat(64) });
    let wrong = call_as(&house, "/app", None, "", "share.enter", wrong).await;
    assert_eq!(wrong.json()["error"]["data"]["code"], "not_found");
    // With a token there is no door, and without one nothing else.
    let inside = house.error("share.enter", enter.clone()).await;
    assert_eq!(inside["data"]["code"], "scope_missing");
    for method in ["share.confirm", "share.picks", "share.send", "share.browser"] {
        let knocked = call_as(&house, "/app", None, "", method, json!({})).await;
        assert_eq!(knocked.json()["error"]["data"]["code"], "scope_missing", "{method}");
    }
    let own = format!("Origin: http://127.0.0.1:{}\r\n", house.port());
    let entered = call_as(&house, "/app", None, &own, "share.enter", enter.clone()).await;
    assert!(entered.json()["result"]["token"].is_string(), "{}", entered.body);
    let again = call_as(&house, "/app", None, &own, "share.enter", enter).await;
    assert_eq!(again.json()["error"]["data"]["code"], "not_found", "a code works once");
}

#[tokio::test]
async fn f62_an_app_sends_by_the_users_grant_or_word_and_in_no_other_way() {
    let house = House::open().await;
    let token = "the-token-of-an-app";
    let ask = |method: &'static str, params: Value| call_as(&house, "/", Some(token), "", method, params);
    let code = async |method, params| ask(method, params).await.json()["error"]["data"]["code"].clone();
    let send = json!({ "chats": [chat(3)], "share": card(), "idempotency_key": "k" });

    // Neither scopes for all else nor that for offering send anything.
    app(
        &house,
        token,
        &["chat:read", "chat:manage", "contact:write", "blob:write", "share:pick"],
        None,
    );
    assert_eq!(code("share.send", send.clone()).await, "scope_missing");
    let offered = ask("share.pick", json!({ "share": card(), "timeout_ms": 0 }))
        .await
        .json()["result"]
        .clone();
    assert_eq!(offered["state"], "waiting");
    let confirm = json!({ "pick": offered["pick"], "chats": [chat(3)] });
    for method in [
        "share.confirm",
        "share.shown",
        "share.decline",
        "share.picks",
        "share.browser",
    ] {
        assert_eq!(code(method, confirm.clone()).await, "scope_missing", "{method}");
    }
    assert_eq!(sent(&house), 0);

    // The user confirms it once; of two who do at the same time one finds nothing.
    let confirmed = house.result("share.confirm", confirm.clone()).await;
    assert_eq!(confirmed["state"], "sent");
    assert_eq!(house.error("share.confirm", confirm).await["data"]["code"], "not_found");
    let picked = ask("share.picked", json!({ "pick": offered["pick"] })).await.json()["result"].clone();
    assert_eq!(picked["state"], "sent");
    assert_eq!(picked["to"].as_array().unwrap().len(), 1);
    assert_eq!(sent(&house), 1);

    // What the user declines is gone, and what another app offered is none of this one's.
    let other = house
        .result("share.pick", json!({ "share": card(), "timeout_ms": 0 }))
        .await;
    assert_eq!(
        code("share.picked", json!({ "pick": other["pick"], "timeout_ms": 0 })).await,
        "not_found"
    );
    house.result("share.decline", json!({ "pick": other["pick"] })).await;
    let gone = house
        .error("share.confirm", json!({ "pick": other["pick"], "chats": [chat(3)] }))
        .await;
    assert_eq!(gone["data"]["code"], "not_found");
    assert_eq!(sent(&house), 1);

    app(&house, token, &["share:send"], None);
    assert!(ask("share.send", send).await.json()["result"]["items"].is_array());
    assert_eq!(sent(&house), 2);
}

#[tokio::test]
async fn f63_a_card_is_the_pages_that_the_token_is_of_whatever_it_says_itself() {
    let house = House::open().await;
    let token = "the-token-of-a-page";
    app(&house, token, &["share:pick"], Some("https://shop.example"));
    let more = "Origin: https://shop.example\r\n";
    let claims = json!({ "share": card(), "origin": "https://bank.example" });
    let checked = call_as(&house, "/", Some(token), more, "share.validate", claims).await;
    assert_eq!(
        checked.json()["result"]["by"],
        json!({ "kind": "page", "origin": "https://shop.example" })
    );
}

#[tokio::test]
async fn an_app_offers_only_so_many_cards_and_no_more_chats_than_ten_are_named() {
    let house = House::open().await;
    let token = "the-token-of-an-app";
    app(&house, token, &["share:pick"], None);
    let offer = || {
        call_as(
            &house,
            "/",
            Some(token),
            "",
            "share.pick",
            json!({ "share": card(), "timeout_ms": 0 }),
        )
    };
    for _ in 0..crate::rpc::limits::MAX_PICKS {
        assert!(offer().await.json()["result"].is_object());
    }
    assert_eq!(offer().await.json()["error"]["data"]["code"], "limit_reached");
    let chats: Vec<String> = (0..11).map(chat).collect();
    let error = house
        .error(
            "share.send",
            json!({ "chats": chats, "share": card(), "idempotency_key": "k" }),
        )
        .await;
    assert_eq!(error["data"]["field"], "chats");
    let error = house.error("share.validate", json!({ "share": "refused" })).await;
    assert_eq!(error["data"]["field"], "share.buttons[0].label");
}
