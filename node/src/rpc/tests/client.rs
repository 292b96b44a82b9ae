//! A client that can also misbehave: raw HTTP, and WebSocket frames by hand.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::within;

/// An HTTP response.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
}

impl Reply {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.body))
    }

    fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head: {text}"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self {
            status,
            head: head.to_ascii_lowercase(),
            body: body.to_owned(),
        }
    }
}

pub(super) async fn connect(port: u16) -> TcpStream {
    TcpStream::connect(("127.0.0.1", port)).await.unwrap()
}

pub(super) async fn raw(port: u16, request: &[u8]) -> Reply {
    let mut stream = connect(port).await;
    // A server that refuses early may close before it has read everything.
    let sent = stream.write_all(request).await;
    let mut bytes = Vec::new();
    let read = within(stream.read_to_end(&mut bytes)).await;
    assert!(!bytes.is_empty(), "no answer: {sent:?} {read:?}");
    Reply::parse(&bytes)
}

/// A WebSocket that answers nothing by itself and reads only when told to.
pub(super) struct WebSocket {
    stream: TcpStream,
    next_id: u64,
}

impl WebSocket {
    pub(super) async fn open(port: u16, headers: &str) -> Result<Self, Reply> {
        let mut stream = connect(port).await;
        let request = format!(
            "GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(within(stream.read_u8()).await.unwrap());
        }
        let mut reply = Reply::parse(&head);
        if reply.status == 101 {
            return Ok(Self { stream, next_id: 1 });
        }
        let mut body = String::new();
        within(stream.read_to_string(&mut body)).await.unwrap();
        reply.body = body;
        Err(reply)
    }

    pub(super) async fn send(&mut self, text: &str) {
        let len = text.len();
        let mut frame = vec![0x81];
        match u16::try_from(len) {
            Ok(short) if short < 126 => frame.push(0x80 | u8::try_from(short).unwrap()),
            Ok(medium) => {
                frame.push(0x80 | 126);
                frame.extend(medium.to_be_bytes());
            }
            Err(_) => {
                frame.push(0x80 | 127);
                frame.extend(u64::try_from(len).unwrap().to_be_bytes());
            }
        }
        // A mask of zeros leaves the text as it is.
        frame.extend([0; 4]);
        frame.extend(text.as_bytes());
        self.stream.write_all(&frame).await.unwrap();
    }

    /// The next text, pings left out; `None` at the end.
    pub(super) async fn receive(&mut self) -> Option<Value> {
        within(async {
            loop {
                let opcode = self.stream.read_u8().await.ok()? & 0x0f;
                let len = match self.stream.read_u8().await.ok()? {
                    126 => u64::from(self.stream.read_u16().await.ok()?),
                    127 => self.stream.read_u64().await.ok()?,
                    short => u64::from(short),
                };
                let mut payload = vec![0; usize::try_from(len).unwrap()];
                self.stream.read_exact(&mut payload).await.ok()?;
                match opcode {
                    1 => return Some(serde_json::from_slice(&payload).unwrap()),
                    8 => return None,
                    _ => {}
                }
            }
        })
        .await
    }

    /// Sends a request and gives its id.
    pub(super) async fn request(&mut self, method: &str, params: Value) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        let request = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        self.send(&request.to_string()).await;
        id
    }

    /// Calls a method while nothing else is under way.
    pub(super) async fn call(&mut self, method: &str, params: Value) -> Value {
        let id = self.request(method, params).await;
        let answer = self.receive().await.expect("an answer");
        assert_eq!(answer["id"], id, "{answer}");
        answer
    }

    /// Subscribes and gives the subscription.
    pub(super) async fn subscribe(&mut self, params: Value) -> Value {
        let answer = self.call("event.subscribe", params).await;
        assert!(answer.get("error").is_none(), "{answer}");
        answer["result"].clone()
    }

    /// The next notification's event.
    pub(super) async fn event(&mut self) -> Value {
        let notification = self.receive().await.expect("a notification");
        assert_eq!(notification["method"], "event", "{notification}");
        notification["params"]["result"].clone()
    }
}
