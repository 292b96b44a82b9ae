//! Tokens of apps: what each may do, from where, and how it ends.

use std::sync::Arc;

use serde_json::{Value, json};

use super::House;
use super::client::{Reply, WebSocket};
use super::fake::SECRET_TOKEN;
use crate::clock::now_ms;
use crate::rpc::access::{Grant, Grants, token_hash};
use crate::rpc::ids::{AppKey, ChatId};

const PAGE: &str = "https://shop.example";
const APP: AppKey = AppKey([6; 32]);

pub(super) fn grant(scopes: &[&str]) -> Grant {
    Grant {
        app: Some(APP),
        scopes: scopes.iter().map(|scope| scope.parse().unwrap()).collect(),
        ..Grant::owner()
    }
}

impl House {
    /// Lets one app in.
    pub(super) fn admit(&self, grant: Grant) {
        let grants = Grants::new([(token_hash(SECRET_TOKEN.as_bytes()), grant)]);
        self.api.grants.send_replace(Arc::new(grants));
    }

    /// Posts a call as somebody else than the owner.
    async fn post_as(&self, path: &str, headers: &str, method: &str, params: Value) -> Reply {
        let body = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}).to_string();
        let (port, len) = (self.port(), body.len());
        self.raw(format!(
            "POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n{headers}\
             Content-Length: {len}\r\nConnection: close\r\n\r\n{body}"
        ))
        .await
    }

    /// Calls a method with the app's token and gives the whole answer.
    async fn call_as(&self, method: &str, params: Value) -> Value {
        let reply = self.post_as("/", &bearer(), method, params).await;
        assert_eq!(reply.status, 200, "{method}: {}", reply.body);
        reply.json()
    }

    async fn denied(&self, method: &str, params: Value, scope: &str) {
        let answer = self.call_as(method, params).await;
        let data = &answer["error"]["data"];
        assert_eq!(
            (&data["code"], &data["scope"]),
            (&json!("scope_missing"), &json!(scope)),
            "{method}: {answer}"
        );
    }

    async fn allowed(&self, method: &str, params: Value) -> Value {
        let answer = self.call_as(method, params).await;
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }

    async fn preflight(&self, path: &str, origin: &str) -> Reply {
        let port = self.port();
        self.raw(format!(
            "OPTIONS {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: {origin}\r\n\
             Access-Control-Request-Method: POST\r\nConnection: close\r\n\r\n"
        ))
        .await
    }
}

pub(super) fn bearer() -> String {
    format!("Authorization: Bearer {SECRET_TOKEN}\r\n")
}

fn chat(byte: u8) -> String {
    ChatId([byte; 32]).to_string()
}

fn text(chat: String) -> Value {
    json!({"chat": chat, "body": {"kind": "text", "text": "hi"}})
}

#[tokio::test]
async fn f58_an_app_does_what_it_was_allowed_and_nothing_else() {
    let house = House::open().await;
    house.admit(grant(&["chat:read"]));
    house.allowed("message.list", json!({"chat": chat(3)})).await;
    house.allowed("chat.list", json!({})).await;
    house.denied("message.send", text(chat(3)), "chat:send").await;
    house.denied("contact.list", json!({}), "contact:read").await;
    house.denied("account.phrase", json!({}), "account:secret").await;
    house.denied("app.approve", json!({"app": APP}), "app:manage").await;
    let answer = house.call_as("no.such", json!({})).await;
    assert_eq!(answer["error"]["data"]["code"], "method_not_found");
}

#[tokio::test]
async fn f58_an_app_of_one_chat_is_not_let_into_another() {
    let house = House::open().await;
    let (read, send) = (format!("chat:{}:read", chat(3)), format!("chat:{}:send", chat(3)));
    house.admit(grant(&[&read, &send]));
    house.allowed("message.send", text(chat(3))).await;
    let other = format!("chat:{}:send", chat(4));
    house.denied("message.send", text(chat(4)), &other).await;
    house.denied("chat.create", json!({"members": []}), "chat:manage").await;
    // A message is looked up: it is in the chat that the token is for.
    let message = json!({"message": hex::encode([1; 32])});
    house.allowed("message.get", message).await;
    let other = format!("chat:{}:read", chat(4));
    house.admit(grant(&[&other]));
    let elsewhere = format!("chat:{}:read", chat(3));
    house
        .denied("message.get", json!({"message": hex::encode([1; 32])}), &elsewhere)
        .await;
    let list = house.allowed("chat.list", json!({})).await;
    assert_eq!(list["items"], json!([]), "a chat that it wasn't given is listed");
}

#[tokio::test]
async fn f58_a_token_mints_within_itself_alone() {
    let house = House::open().await;
    house.admit(grant(&["chat:read"]));
    let narrow = format!("chat:{}:read", chat(3));
    house
        .allowed("app.mint", json!({"name": "one chat", "scopes": [narrow]}))
        .await;
    house
        .denied(
            "app.mint",
            json!({"name": "more", "scopes": ["chat:send"]}),
            "chat:send",
        )
        .await;
    house
        .denied("app.mint", json!({"name": "all", "scopes": ["*"]}), "*")
        .await;
}

#[tokio::test]
async fn f54_a_page_may_knock_and_is_let_in_once_it_was_approved() {
    let house = House::open().await;
    let origin = format!("Origin: {PAGE}\r\n");
    let ask = json!({"name": "shop", "scopes": ["chat:read"], "origin": PAGE});
    let reply = house.post_as("/app", &origin, "app.request", ask).await;
    assert_eq!(reply.json()["result"]["token"], SECRET_TOKEN);
    assert!(reply.head.contains("access-control-allow-origin: https://shop.example"));
    assert_eq!(house.api.asked.lock().unwrap()[0].origin.as_deref(), Some(PAGE));
    // Whether or not it says so; but it can't ask in another's name.
    let silent = json!({"name": "shop", "scopes": ["chat:read"]});
    house.post_as("/app", &origin, "app.request", silent).await;
    assert_eq!(house.api.asked.lock().unwrap()[1].origin.as_deref(), Some(PAGE));
    for page in ["https://other.example", "null"] {
        let ask = json!({"name": "shop", "scopes": ["chat:read"], "origin": PAGE});
        let reply = house
            .post_as("/app", &format!("Origin: {page}\r\n"), "app.request", ask)
            .await;
        assert_eq!(reply.json()["error"]["data"]["field"], "origin", "{page}");
    }
    assert_eq!(house.api.asked.lock().unwrap().len(), 2);

    // Nothing else is answered there, and nothing at all elsewhere.
    let other = house.post_as("/app", &origin, "node.info", json!({})).await;
    assert_eq!(other.json()["error"]["data"]["code"], "scope_missing");
    let with_token = origin.clone() + &bearer();
    assert_eq!(
        house.post_as("/", &with_token, "message.list", json!({})).await.status,
        403
    );
    assert_eq!(house.preflight("/", PAGE).await.status, 403);
    assert_eq!(house.preflight("/app", PAGE).await.status, 204);

    let pending = Grant {
        pending: true,
        ..grant(&["chat:read"])
    };
    house.admit(Grant {
        origin: Some(PAGE.into()),
        ..pending.clone()
    });
    assert_eq!(house.preflight("/", PAGE).await.status, 403);
    assert_eq!(
        house.post_as("/", &with_token, "chat.list", json!({})).await.status,
        401
    );
    assert_eq!(house.post_as("/", &bearer(), "chat.list", json!({})).await.status, 401);

    house.admit(Grant {
        origin: Some(PAGE.into()),
        ..grant(&["chat:read"])
    });
    assert_eq!(house.preflight("/", PAGE).await.status, 204);
    let reply = house.post_as("/", &with_token, "chat.list", json!({})).await;
    assert_eq!(reply.status, 200);
    assert!(reply.head.contains("access-control-allow-origin: https://shop.example"));
    let missing = house.post_as("/", &with_token, "message.send", text(chat(3))).await;
    assert_eq!(missing.json()["error"]["data"]["scope"], "chat:send");

    // Another page can't use what it has stolen.
    let foreign = bearer() + "Origin: https://shop.example.evil\r\n";
    assert_eq!(house.post_as("/", &foreign, "chat.list", json!({})).await.status, 403);
    assert_eq!(house.preflight("/", "https://shop.example.evil").await.status, 403);
}

#[tokio::test]
async fn what_an_app_asks_for_is_checked_member_by_member() {
    let house = House::open().await;
    let good = json!({"name": "shop", "scopes": ["chat:read"]});
    for (member, value, field) in [
        ("name", json!(""), "name"),
        ("name", json!("a\nb"), "name"),
        ("name", json!("x".repeat(129)), "name"),
        ("scopes", json!([]), "scopes"),
        ("scopes", json!(["chat:read", "chat:fly"]), "scopes[1]"),
        ("scopes", json!(vec!["chat:read"; 65]), "scopes"),
        ("origin", json!("shop.example"), "origin"),
        ("origin", json!("https://shop.example/page"), "origin"),
        ("icon", json!("no base64!"), "icon"),
    ] {
        let mut bad = good.clone();
        bad[member] = value;
        let reply = house.post_as("/app", "", "app.request", bad).await;
        assert_eq!(reply.json()["error"]["data"]["field"], field, "{}", reply.body);
    }
    assert!(house.api.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_open_socket_ends_with_its_token() {
    let house = House::open().await;
    for ending in ["revoked", "expired"] {
        house.admit(grant(&["chat:read"]));
        let mut socket = WebSocket::open(house.port(), &bearer()).await.unwrap();
        socket.subscribe(json!({"after": "0"})).await;
        if ending == "revoked" {
            house.api.grants.send_replace(Arc::default());
        } else {
            let expires_ms = Some(now_ms() + 300);
            house.admit(Grant {
                expires_ms,
                ..grant(&["chat:read"])
            });
        }
        assert_eq!(socket.receive().await, None, "{ending}");
        let reply = house.post_as("/", &bearer(), "chat.list", json!({})).await;
        assert_eq!(reply.status, 401, "{ending}");
    }
}

#[tokio::test]
async fn events_are_shown_to_who_may_see_them_and_filtered_as_wished() {
    let house = House::open().await;
    house.api.grow(3);
    let all = house.result("event.poll", json!({"after": "0"})).await;
    assert_eq!(all["items"].as_array().unwrap().len(), 3);
    for (filter, count) in [
        (json!({"kinds": ["message.received"]}), 3),
        (json!({"kinds": ["contact.added"]}), 0),
        (json!({"chats": [chat(3)]}), 3),
        (json!({"chats": [chat(4)]}), 0),
    ] {
        let page = house
            .result("event.poll", json!({"after": "0", "filter": filter}))
            .await;
        assert_eq!(
            (page["items"].as_array().unwrap().len(), &page["next"]),
            (count, &json!("3")),
            "{filter}"
        );
    }
    let error = house
        .error("event.poll", json!({"filter": {"kinds": vec!["x"; 65]}}))
        .await;
    assert_eq!(error["data"]["field"], "filter.kinds");

    house.admit(grant(&["contact:read"]));
    let page = house.allowed("event.poll", json!({"after": "0"})).await;
    assert_eq!(page, json!({"items": [], "next": "3", "epoch": "000000e0"}));
    let one = format!("chat:{}:read", chat(3));
    house.admit(grant(&[&one]));
    let page = house.allowed("event.poll", json!({"after": "0"})).await;
    assert_eq!(page["items"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn each_app_goes_on_where_it_has_acknowledged() {
    let house = House::open().await;
    house.admit(grant(&["chat:read"]));
    house.api.grow(5);
    house.allowed("event.ack", json!({"cursor": "3"})).await;
    house.result("event.ack", json!({"cursor": "1"})).await;
    let cursors = |page: Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap().iter();
        items
            .map(|event| event["cursor"].as_str().unwrap().to_owned())
            .collect()
    };
    let app = house.allowed("event.poll", json!({"after": "ack"})).await;
    assert_eq!(cursors(app), ["4", "5"]);
    let owner = house.result("event.poll", json!({"after": "ack"})).await;
    assert_eq!(cursors(owner), ["2", "3", "4", "5"]);
    let mut socket = WebSocket::open(house.port(), &bearer()).await.unwrap();
    socket.subscribe(json!({"after": "ack"})).await;
    assert_eq!(socket.event().await["cursor"], "4");
    let error = house.error("event.poll", json!({"after": "soon"})).await;
    assert_eq!(error["data"]["field"], "after");
}
