//! Rows of the JSON-RPC: calls a second, and events a second to many subscribers, beside a server of the library alone.

use std::path::{Path, PathBuf};
use std::time::Instant;

use jsonrpsee::RpcModule;
use jsonrpsee::core::to_json_raw_value;
use jsonrpsee::server::Server;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::bench::floors::TEXT_BYTES;
use crate::bench::host::{self, Host};
use crate::bench::people::{Duo, Way};
use crate::bench::report::{Row, Sample};
use crate::bench::scale::Scale;
use crate::bench::socket::Socket;

/// WebSockets over which calls are made at once.
const SOCKETS: usize = 8;
/// Calls under way on each.
const CALLS: usize = 16;
/// Messages that one call of `message.list` asks for.
const LISTED: usize = 20;
/// Numbers of subscribers.
const SUBSCRIBERS: [usize; 3] = [1, 10, 100];
/// Subscriptions of a connection: 100 fit in the node's bound of 64 connections.
const OF_A_SOCKET: usize = 4;
/// What the bare server answers and tells, which it is given by these calls.
const ANSWER: &str = "bare.answer";

/// Measures all rows.
pub async fn rows(scale: &Scale) -> Vec<Row> {
    let duo = Duo::start(Way::Direct).await;
    let bare = Host::bare_rpc(&duo.world).await;
    let node = duo.alice.data();
    let send = json!({ "chat": duo.chat, "body": { "kind": "text", "text": "x".repeat(TEXT_BYTES) } });
    let list = json!({ "chat": duo.chat, "limit": LISTED });
    let mut rows = Vec::new();

    for (method, params, calls) in [
        ("message.send", &send, scale.sustained_messages),
        ("message.list", &list, scale.listed),
    ] {
        // The bare server answers as many bytes.
        let mut socket = Socket::open(node).await;
        let answer = socket.call(method, params).await;
        teach(&bare.data, &answer).await;
        let (mut ours, mut floor) = (Vec::new(), Vec::new());
        for _ in 0..scale.repeats {
            ours.push(calls as f64 / pump(node, method, params, calls).await);
            floor.push(calls as f64 / pump(&bare.data, ANSWER, params, calls).await);
        }
        let note = format!("an answer has {} bytes", answer.to_string().len());
        rows.push(
            Row::new(format!("calls of {method}"), "/s", ours)
                .floor("jsonrpsee alone", floor)
                .note(note),
        );
    }

    let filter = json!({ "kinds": ["message.sent"] });
    let mut socket = Socket::open(node).await;
    let one = json!({ "after": "0", "limit": 1, "filter": filter });
    let event = socket.call("event.poll", &one).await["items"][0].clone();
    teach(&bare.data, &event).await;
    for subscribers in SUBSCRIBERS {
        // As many in all, however many there are.
        let events = (scale.sustained_messages / subscribers).max(1);
        let (mut ours, mut floor) = (Vec::new(), Vec::new());
        for _ in 0..scale.repeats {
            let params = json!({ "after": "0", "filter": filter });
            ours.push((events * subscribers) as f64 / listen(node, subscribers, &params, events).await);
            let params = json!({ "count": events });
            floor.push((events * subscribers) as f64 / listen(&bare.data, subscribers, &params, events).await);
        }
        let each = Sample::new(ours.clone()).median() / subscribers as f64;
        let note = format!("{each:.0}/s to each; an event has {} bytes", event.to_string().len());
        let what = format!("events to {subscribers} subscribers");
        rows.push(Row::new(what, "/s", ours).floor("jsonrpsee alone", floor).note(note));
    }
    rows
}

/// Tells the bare server what to answer.
async fn teach(bare: &Path, answer: &Value) {
    Socket::open(bare)
        .await
        .call("bare.teach", &json!({ "answer": answer }))
        .await;
}

/// Makes calls, with many under way at once; returns seconds until all are answered.
async fn pump(data: &Path, method: &str, params: &Value, calls: usize) -> f64 {
    let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
    let began = Instant::now();
    let mut lanes = JoinSet::new();
    for lane in 0..SOCKETS {
        let share = calls / SOCKETS + usize::from(lane < calls % SOCKETS);
        let (data, request): (PathBuf, String) = (data.to_owned(), request.clone());
        lanes.spawn(async move {
            let mut socket = Socket::open(&data).await;
            socket.calls(share, CALLS, |_| request.clone()).await;
        });
    }
    while let Some(done) = lanes.join_next().await {
        done.unwrap();
    }
    began.elapsed().as_secs_f64()
}

/// Subscribes so many times and returns seconds until each subscription has told of so many events.
async fn listen(data: &Path, subscribers: usize, params: &Value, events: usize) -> f64 {
    let request = json!({ "jsonrpc": "2.0", "id": 1, "method": "event.subscribe", "params": params }).to_string();
    let began = Instant::now();
    let mut readers = JoinSet::new();
    let mut left = subscribers;
    while left > 0 {
        let share = left.min(OF_A_SOCKET);
        left -= share;
        let (data, request): (PathBuf, String) = (data.to_owned(), request.clone());
        readers.spawn(async move {
            let mut socket = Socket::open(&data).await;
            socket.send_all(&vec![request; share]).await;
            let mut found = 0;
            while found < events * share {
                let text = socket.next().await;
                found += usize::from(host::is(&text, "message.sent"));
            }
        });
    }
    while let Some(done) = readers.join_next().await {
        done.unwrap();
    }
    began.elapsed().as_secs_f64()
}

/// Is a server of the library alone, at the place where a node's would be found: what it is taught it answers, and tells its subscribers.
pub async fn bare_server() {
    let args: Vec<String> = std::env::args().collect();
    let data = args.iter().zip(args.iter().skip(1)).find(|(flag, _)| *flag == "--data");
    let data = PathBuf::from(data.unwrap().1);
    std::fs::create_dir_all(&data).unwrap();
    let server = Server::builder().build("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap();
    let mut module = RpcModule::new(std::sync::Mutex::new(Value::Null));
    module
        .register_method("bare.teach", |params, taught, _| {
            let params: Value = params.parse().unwrap();
            *taught.lock().unwrap() = params["answer"].clone();
            json!({})
        })
        .unwrap();
    module
        .register_method(ANSWER, |_, taught, _| taught.lock().unwrap().clone())
        .unwrap();
    module
        .register_subscription(
            "event.subscribe",
            "event",
            "event.unsubscribe",
            |params, pending, taught, _| async move {
                let params: Value = params.parse().unwrap();
                let event = to_json_raw_value(&*taught.lock().unwrap()).unwrap();
                let sink = pending.accept().await?;
                for _ in 0..params["count"].as_u64().unwrap() {
                    sink.send(event.clone()).await?;
                }
                Ok(())
            },
        )
        .unwrap();
    let serving = server.start(module);
    let places = json!({ "http": format!("http://{address}"), "ws": format!("ws://{address}") });
    std::fs::write(data.join("rpc.json"), places.to_string()).unwrap();
    std::fs::write(data.join("cookie"), "bare").unwrap();
    println!("{}", json!({ "event": "ready", "addresses": [] }));
    serving.stopped().await;
}
