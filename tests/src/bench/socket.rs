//! A WebSocket client that costs next to nothing, so that what is measured is the node: text frames, unmasked in effect, one task.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::bench::host::has;
use crate::rpc::places;

/// The bits of a WebSocket frame's first two bytes (RFC 6455 §5.2).
const FINAL: u8 = 0x80;
const TEXT: u8 = 1;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;
const MASKED: u8 = 0x80;
/// How long who is told that the node is busy waits.
const PAUSE: Duration = Duration::from_millis(5);

/// An open WebSocket to a node's JSON-RPC.
#[derive(Debug)]
pub struct Socket {
    stream: BufReader<TcpStream>,
}

impl Socket {
    /// Opens one to the running node of a data directory.
    pub async fn open(data: &Path) -> Self {
        let places = places(data).unwrap();
        let cookie = std::fs::read_to_string(data.join("cookie")).unwrap();
        let host = places["ws"].as_str().unwrap().trim_start_matches("ws://").to_owned();
        let stream = TcpStream::connect(&host).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let mut stream = BufReader::with_capacity(256 * 1024, stream);
        let hello = format!(
            "GET / HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nAuthorization: Bearer {}\r\n\r\n",
            cookie.trim()
        );
        stream.write_all(hello.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        assert!(head.starts_with("HTTP/1.1 101"), "{head}");
        Self { stream }
    }

    /// Sends a text.
    pub async fn send(&mut self, text: &str) {
        self.write(TEXT, text.as_bytes()).await;
    }

    /// Sends several texts in one write.
    pub async fn send_all(&mut self, texts: &[String]) {
        let mut bytes = Vec::new();
        for text in texts {
            frame(&mut bytes, TEXT, text.as_bytes());
        }
        self.stream.write_all(&bytes).await.unwrap();
    }

    /// Waits for the next text.
    pub async fn next(&mut self) -> Vec<u8> {
        loop {
            let head = self.stream.read_u8().await.unwrap();
            let length = match self.stream.read_u8().await.unwrap() {
                126 => u64::from(self.stream.read_u16().await.unwrap()),
                127 => self.stream.read_u64().await.unwrap(),
                short => u64::from(short),
            };
            let mut payload = vec![0; usize::try_from(length).unwrap()];
            self.stream.read_exact(&mut payload).await.unwrap();
            match head & 0x0F {
                TEXT => {
                    assert_eq!(head & FINAL, FINAL, "a node sends whole texts");
                    return payload;
                }
                PING => self.write(PONG, &payload).await,
                CLOSE => panic!("the node closed the WebSocket: {}", String::from_utf8_lossy(&payload)),
                _ => {}
            }
        }
    }

    /// Makes calls, so many under way at once, until all are answered; whom the node tells that it is busy calls again.
    pub async fn calls(&mut self, count: usize, under_way: usize, call: impl Fn(usize) -> String) {
        let (mut next, mut answered, mut wanted) = (0, 0, under_way);
        while answered < count {
            let until = count.min(next + wanted);
            let calls: Vec<String> = (next..until).map(&call).collect();
            self.send_all(&calls).await;
            next = until;
            let answer = self.next().await;
            wanted = 1;
            if has(&answer, b"\"error\"") {
                assert!(has(&answer, b"\"overloaded\""), "{}", String::from_utf8_lossy(&answer));
                // Sent again at the end; the pause is what the node asks for.
                tokio::time::sleep(PAUSE).await;
                next -= usize::from(next > 0);
                continue;
            }
            answered += 1;
        }
    }

    /// Calls a method and returns its result; what else comes meanwhile is dropped.
    pub async fn call(&mut self, method: &str, params: &Value) -> Value {
        let request = serde_json::json!({ "jsonrpc": "2.0", "id": "call", "method": method, "params": params });
        self.send(&request.to_string()).await;
        loop {
            let answer: Value = serde_json::from_slice(&self.next().await).unwrap();
            if answer["id"] == "call" {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].clone();
            }
        }
    }

    async fn write(&mut self, kind: u8, payload: &[u8]) {
        let mut bytes = Vec::with_capacity(payload.len() + 14);
        frame(&mut bytes, kind, payload);
        self.stream.write_all(&bytes).await.unwrap();
    }
}

/// Appends a frame as clients must send it: masked, here by zeros, which leaves it as it is.
fn frame(bytes: &mut Vec<u8>, kind: u8, payload: &[u8]) {
    bytes.push(FINAL | kind);
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(short @ 0..=125), _) => bytes.push(MASKED | short),
        (_, Ok(medium)) => {
            bytes.push(MASKED | 126);
            bytes.extend_from_slice(&medium.to_be_bytes());
        }
        _ => {
            bytes.push(MASKED | 127);
            bytes.extend_from_slice(&(payload.len() as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(payload);
}
