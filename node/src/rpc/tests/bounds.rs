use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::client::{connect, raw};
use super::{House, within};
use crate::rpc::limits::{MAX_BATCH, MAX_CALLS, MAX_CONNECTIONS, MAX_STRANGERS, MAX_SUBSCRIPTIONS, MAX_TEXT};
use crate::rpc::server::Deadlines;

fn info(id: usize) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "node.info"})
}

fn is_batch_refusal(answer: &Value) -> bool {
    answer["error"]["data"] == json!({"code": "invalid_request", "retryable": false, "limit": MAX_BATCH})
}

#[tokio::test]
async fn f56_a_batch_of_100_000_is_refused_whole() {
    let house = House::open().await;
    let small = format!("[{}1]", "1,".repeat(99_999));
    assert!(is_batch_refusal(&house.post(small).await.json()));

    let large = Value::from((0..100_000).map(info).collect::<Vec<_>>()).to_string();
    assert_eq!(house.post(large).await.status, 413);

    let over = Value::from((0..=50).map(info).collect::<Vec<_>>()).to_string();
    assert!(is_batch_refusal(&house.post(&over).await.json()));
    let mut socket = house.web_socket().await;
    socket.send(&over).await;
    assert!(socket.receive().await.unwrap()["error"].is_object());
    assert_eq!(house.api.infos.load(Ordering::Relaxed), 0);

    let most = Value::from((0..50).map(info).collect::<Vec<_>>()).to_string();
    assert_eq!(house.post(most).await.json().as_array().unwrap().len(), 50);
}

#[tokio::test]
async fn f56_json_that_is_10_000_deep_is_refused() {
    let house = House::open().await;
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let objects = format!("{}1{}", r#"{"a":"#.repeat(10_000), "}".repeat(10_000));
    for nested in [&deep, &objects] {
        for field in ["chat", "body", "unknown"] {
            let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"message.send","params":{{"{field}":{nested}}}}}"#);
            let answer = house.post(&body).await.json();
            assert_eq!(answer["error"]["data"]["field"], "params", "{field}");
            let mut socket = house.web_socket().await;
            socket.send(&body).await;
            assert_eq!(
                socket.receive().await.unwrap()["error"]["data"]["code"],
                "invalid_params"
            );
        }
        let as_id = format!(r#"{{"jsonrpc":"2.0","id":{nested},"method":"node.info"}}"#);
        for body in [nested, &as_id] {
            assert!(house.post(body).await.json().get("result").is_none());
        }
    }
    // 127 levels are what serde_json reads; the bound is its own.
    let shallow = format!("{}{}", "[".repeat(120), "]".repeat(120));
    let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"node.info","params":{{"unknown":{shallow}}}}}"#);
    assert!(house.post(body).await.json()["result"].is_object());
}

#[tokio::test]
async fn f56_a_body_of_100_mb_is_refused_before_it_comes() {
    let house = House::open().await;
    let head = house
        .request("")
        .replace("Content-Length: 0", "Content-Length: 100000000");
    let reply = house.raw(head).await;
    assert_eq!(reply.status, 413);
    let data = json!({"code": "too_large", "retryable": false, "field": "request", "limit": 1_048_576});
    assert_eq!(reply.json()["error"]["data"], data);

    // Without a length the bound shows while the body comes.
    let mut chunked = house
        .request("")
        .replace("Content-Length: 0", "Transfer-Encoding: chunked");
    for _ in 0..17 {
        chunked.push_str(&format!("10000\r\n[{}\r\n", " ".repeat(0xffff)));
    }
    assert_eq!(house.raw(chunked).await.status, 413);

    let mut socket = house.web_socket().await;
    socket.send(&format!("[{}]", " ".repeat(1_048_576))).await;
    assert!(socket.receive().await.is_none_or(|answer| answer["error"].is_object()));
    assert_eq!(house.post(info(1).to_string()).await.status, 200);
}

#[tokio::test]
async fn a_response_over_its_bound_is_an_error_that_says_so() {
    let house = House::open().await;
    house.api.text_len.store(MAX_TEXT, Ordering::Relaxed);
    let list = json!({"chat": hex::encode([3; 32]), "limit": 1_000});
    let error = house.error("message.list", list).await;
    let data = json!({"code": "too_large", "retryable": false, "field": "response", "limit": 16_777_216});
    assert_eq!((&error["code"], &error["data"]), (&json!(-32002), &data));

    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "message.list", "params": {"chat": hex::encode([3; 32])}});
    let error = house.post(json!([list, list]).to_string()).await.json()["error"].clone();
    let data = json!({"code": "too_large", "retryable": false, "field": "response", "limit": 4_194_304});
    assert_eq!((&error["code"], &error["data"]), (&json!(-32002), &data));
}

#[tokio::test]
async fn f06_a_head_or_body_that_never_ends_is_cut() {
    let deadlines = Deadlines {
        head: Duration::from_millis(300),
        body: Duration::from_millis(300),
    };
    let house = House::open_at("127.0.0.1:0", deadlines).await;
    let whole = house.request(&info(1).to_string());
    let head = &whole[..40];
    let mut stream = connect(house.port()).await;
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut rest = Vec::new();
    // Ends with or without an answer, which is all that matters.
    drop(within(stream.read_to_end(&mut rest)).await);

    let unfinished = &whole[..whole.len() - 3];
    assert_eq!(raw(house.port(), unfinished.as_bytes()).await.status, 408);

    let mut idle = connect(house.port()).await;
    idle.write_all(whole.replace("Connection: close", "Connection: keep-alive").as_bytes())
        .await
        .unwrap();
    let mut answer = Vec::new();
    within(idle.read_to_end(&mut answer)).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"));
}

#[tokio::test]
async fn f06_silent_connections_keep_nobody_out() {
    let house = House::open().await;
    let mut silent = Vec::new();
    for _ in 0..3 * MAX_STRANGERS {
        let mut stream = connect(house.port()).await;
        stream.write_all(b"POST / HTTP/1.1\r\nHost: ").await.unwrap();
        silent.push(stream);
    }
    assert_eq!(house.post(info(1).to_string()).await.status, 200);
    let mut rest = Vec::new();
    // The oldest was closed to make room.
    drop(within(silent[0].read_to_end(&mut rest)).await);
}

#[tokio::test]
async fn connections_with_the_token_are_bounded_and_web_sockets_count() {
    let house = House::open().await;
    let mut open = Vec::new();
    for _ in 0..MAX_CONNECTIONS {
        open.push(house.web_socket().await);
    }
    let reply = house.post(info(1).to_string()).await;
    assert_eq!(reply.status, 503);
    assert_eq!(reply.json()["error"]["data"]["code"], "overloaded");

    open.pop();
    within(async {
        while house.post(info(1).to_string()).await.status != 200 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn subscriptions_of_a_connection_are_bounded() {
    let house = House::open().await;
    let mut socket = house.web_socket().await;
    let mut last = Value::Null;
    for _ in 0..MAX_SUBSCRIPTIONS {
        last = socket.subscribe(json!({})).await;
    }
    let answer = socket.call("event.subscribe", json!({})).await;
    let data = json!({"code": "limit_reached", "retryable": true, "limit": MAX_SUBSCRIPTIONS});
    assert_eq!(
        (&answer["error"]["code"], &answer["error"]["data"]),
        (&json!(-32009), &data)
    );

    let ended = socket.call("event.unsubscribe", json!({"subscription": last})).await;
    assert_eq!(ended["result"], true);
    within(async { while socket.call("event.subscribe", json!({})).await.get("result").is_none() {} }).await;
}

#[tokio::test]
async fn calls_of_a_connection_are_bounded() {
    let house = House::open().await;
    let mut socket = house.web_socket().await;
    for _ in 0..MAX_CALLS {
        socket.request("event.poll", json!({"timeout_ms": 60_000})).await;
    }
    within(async {
        while house.api.watchers() < MAX_CALLS {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let answer = socket.call("node.info", json!({})).await;
    assert_eq!(
        answer["error"]["data"],
        json!({"code": "overloaded", "retryable": true, "retry_after_ms": 250})
    );
    house.api.grow(1);
    for _ in 0..MAX_CALLS {
        assert_eq!(socket.receive().await.unwrap()["result"]["next"], "1");
    }
    assert!(socket.call("node.info", json!({})).await["result"].is_object());
}
