//! What a running node refuses at its JSON-RPC, listening on all addresses, by bare HTTP and WebSocket.

use std::path::Path;

use madang_tests::{DEADLINE, Process, Rpc, World};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::MADANG;

const INFO: &str = r#"{"jsonrpc":"2.0","id":1,"method":"node.info"}"#;

/// Sends a request whose headers are all given and reads until the node closes; gives status and body.
async fn ask(port: u16, first: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
    let mut head = format!("{first} HTTP/1.1\r\nConnection: close\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    // A node that refuses early may close before it has read all.
    stream.write_all(format!("{head}\r\n{body}").as_bytes()).await.ok();
    let mut answer = Vec::new();
    timeout(DEADLINE, stream.read_to_end(&mut answer))
        .await
        .expect("an answer in time")
        .ok();
    let text = String::from_utf8_lossy(&answer);
    let (head, body) = text
        .split_once("\r\n\r\n")
        .unwrap_or_else(|| panic!("no answer: {text}"));
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn f53_to_f56_a_node_on_all_addresses_refuses_strangers_pages_and_what_is_too_much() {
    let world = World::new(MADANG);
    let alice = world.person("alice", &[]);
    let mut args = alice.args();
    args.extend(["--rpc".into(), "0.0.0.0:0".into()]);
    let mut node = Process::start(Path::new(MADANG), &args, &[], &world.dir().join("node"))
        .await
        .unwrap();
    let rpc = Rpc::open(alice.data()).unwrap();
    let places: Value = serde_json::from_str(&std::fs::read_to_string(alice.data().join("rpc.json")).unwrap()).unwrap();
    let port: u16 = places["http"]
        .as_str()
        .unwrap()
        .rsplit(':')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let (host, token) = (
        format!("127.0.0.1:{port}"),
        std::fs::read_to_string(alice.data().join("cookie")).unwrap(),
    );
    let (host, right) = (("Host", host.as_str()), format!("Bearer {}", token.trim()));
    let (right, json_type) = (("Authorization", right.as_str()), ("Content-Type", "application/json"));
    let length = INFO.len().to_string();
    let length = ("Content-Length", length.as_str());
    let upgrade = [
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let evil = ("Origin", "https://evil.example");
    let foreign = format!("evil.example:{port}");
    let cases = [
        (200, vec![host, right, json_type, length]),
        (401, vec![host, json_type, length]),
        (401, vec![host, ("Authorization", "Bearer 00"), json_type, length]),
        (403, vec![host, right, json_type, length, evil]),
        (403, vec![host, right, ("Content-Type", "text/plain"), length]),
        (403, vec![("Host", foreign.as_str()), right, json_type, length]),
        (413, vec![host, right, json_type, ("Content-Length", "100000000")]),
    ];
    for (status, headers) in cases {
        assert_eq!(ask(port, "POST /", &headers, INFO).await.0, status, "{headers:?}");
    }
    for (status, more) in [(401, vec![]), (403, vec![right, evil])] {
        let headers = [&[host][..], &upgrade, &more].concat();
        assert_eq!(
            ask(port, "GET /", &headers, "").await.0,
            status,
            "a WebSocket with {more:?}"
        );
    }

    let batch = format!("[{}1]", "1,".repeat(99_999));
    let deep = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"node.info","params":{}{}}}"#,
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    for (body, code) in [(batch, "invalid_request"), (deep, "invalid_params")] {
        let length = body.len().to_string();
        let (status, answer) = ask(
            port,
            "POST /",
            &[host, right, json_type, ("Content-Length", &length)],
            &body,
        )
        .await;
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!((status, &answer["error"]["data"]["code"]), (200, &json!(code)));
    }
    assert!(!node.has_ended());
    rpc.ask("node.info", json!({})).await;
    node.kill().await;
}
