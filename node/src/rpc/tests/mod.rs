//! The JSON-RPC over real sockets of loopback, with a node that lives in memory.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod apps;
mod bounds;
mod channels;
mod client;
mod content;
mod door;
mod events;
mod fake;
mod files;
mod methods;
mod picker;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use self::client::{Reply, WebSocket};
use self::fake::Fake;
use super::server::{Deadlines, RpcConfig, RpcHandle, serve_with};

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// A served [`Fake`].
struct House {
    api: Arc<Fake>,
    rpc: RpcHandle,
    token: String,
    directory: TempDir,
}

impl House {
    async fn open() -> Self {
        Self::open_at("127.0.0.1:0", Deadlines::default()).await
    }

    async fn open_at(bind: &str, deadlines: Deadlines) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let api = Arc::new(Fake::new());
        let config = RpcConfig {
            bind: bind.parse().unwrap(),
            ..RpcConfig::new(directory.path())
        };
        let rpc = serve_with(Arc::clone(&api), config, deadlines).await.unwrap();
        let token = std::fs::read_to_string(directory.path().join("cookie")).unwrap();
        Self {
            api,
            rpc,
            token,
            directory,
        }
    }

    fn port(&self) -> u16 {
        self.rpc.addr().port()
    }

    /// Sends bytes as they are and reads until the server closes.
    async fn raw(&self, request: impl AsRef<[u8]>) -> Reply {
        client::raw(self.port(), request.as_ref()).await
    }

    /// Posts a body as a client does that is as it should be.
    async fn post(&self, body: impl AsRef<str>) -> Reply {
        self.raw(self.request(body.as_ref())).await
    }

    fn request(&self, body: &str) -> String {
        let (port, token, len) = (self.port(), &self.token, body.len());
        format!(
            "POST / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {len}\r\nConnection: close\r\n\r\n{body}"
        )
    }

    /// Calls a method over HTTP and gives the whole answer.
    async fn call(&self, method: &str, params: Value) -> Value {
        let body = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params});
        let reply = self.post(body.to_string()).await;
        assert_eq!(reply.status, 200, "{method}: {}", reply.body);
        let answer = reply.json();
        assert_eq!(answer["id"], 7);
        answer
    }

    async fn result(&self, method: &str, params: Value) -> Value {
        let answer = self.call(method, params).await;
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }

    async fn error(&self, method: &str, params: Value) -> Value {
        let answer = self.call(method, params).await;
        assert!(answer.get("result").is_none(), "{method}: {answer}");
        answer["error"].clone()
    }

    async fn web_socket(&self) -> WebSocket {
        let header = format!("Authorization: Bearer {}\r\n", self.token);
        WebSocket::open(self.port(), &header).await.unwrap()
    }
}

/// Ends a test that waits for what doesn't happen.
async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("happens in time")
}
