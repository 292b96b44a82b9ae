//! A small JSON-RPC client.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jsonrpsee::core::client::{ClientT as _, Error, Subscription, SubscriptionClientT as _};
use jsonrpsee::core::traits::ToRpcParams;
use jsonrpsee::core::{JsonRawValue, to_json_raw_value};
use jsonrpsee::http_client::{HeaderMap, HeaderValue, HttpClient};
use jsonrpsee::ws_client::{WsClient, WsClientBuilder};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::world::DEADLINE;

/// A call may take as long as `contact.accept` waits for a card, and more on a loaded machine.
const CALL_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a node that can't be asked is left alone.
const RETRY: Duration = Duration::from_millis(20);

/// Why a call failed.
#[derive(Clone, Debug)]
pub enum CallError {
    /// The node refused.
    Refused {
        /// The stable code.
        code: String,
        /// Whether it may succeed later.
        retryable: bool,
        /// The node's words.
        message: String,
    },
    /// No answer came.
    Unreachable(String),
}

impl CallError {
    /// Returns the node's code, if it refused.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Refused { code, .. } => code,
            Self::Unreachable(_) => "",
        }
    }
}

/// The JSON-RPC of a running node, found by its data directory.
#[derive(Clone, Debug)]
pub struct Rpc {
    data: PathBuf,
    http: HttpClient,
    ws: String,
    headers: HeaderMap,
}

/// Where the node of a data directory listens, as it says; `None` if it says nothing.
#[must_use]
pub fn places(data: &Path) -> Option<Value> {
    serde_json::from_str(&std::fs::read_to_string(data.join("rpc.json")).ok()?).ok()
}

impl Rpc {
    /// Reads where the node of a data directory listens; `None` if the files aren't there.
    #[must_use]
    pub fn open(data: &Path) -> Option<Self> {
        let places = places(data)?;
        let cookie = std::fs::read_to_string(data.join("cookie")).ok()?;
        let mut headers = HeaderMap::new();
        let bearer = HeaderValue::from_str(&format!("Bearer {}", cookie.trim())).ok()?;
        headers.insert("authorization", bearer);
        let http = HttpClient::builder()
            .request_timeout(CALL_TIMEOUT)
            .set_headers(headers.clone())
            .build(places["http"].as_str()?)
            .ok()?;
        Some(Self {
            data: data.to_owned(),
            http,
            ws: places["ws"].as_str()?.to_owned(),
            headers,
        })
    }

    /// The same node, asked with an app's token, or at the door for apps without one.
    #[must_use]
    pub fn of_app(&self, token: Option<&str>) -> Self {
        let mut headers = HeaderMap::new();
        if let Some(token) = token {
            headers.insert(
                "authorization",
                HeaderValue::from_str(&format!("Bearer {token}")).unwrap(),
            );
        }
        let url = self.ws.replacen("ws://", "http://", 1) + if token.is_some() { "" } else { "/app" };
        let http = HttpClient::builder()
            .request_timeout(CALL_TIMEOUT)
            .set_headers(headers.clone())
            .build(url)
            .unwrap();
        Self {
            http,
            headers,
            ..self.clone()
        }
    }

    /// Calls a method with parameters by name.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn call(&self, method: &str, params: Value) -> Result<Value, CallError> {
        self.http
            .request(method, Named(params))
            .await
            .map_err(|error| match error {
                Error::Call(object) => {
                    let data: Value = object
                        .data()
                        .and_then(|raw| serde_json::from_str(raw.get()).ok())
                        .unwrap_or(Value::Null);
                    CallError::Refused {
                        code: data["code"].as_str().unwrap_or_default().to_owned(),
                        retryable: data["retryable"] == true,
                        message: object.message().to_owned(),
                    }
                }
                other => CallError::Unreachable(other.to_string()),
            })
    }

    /// Calls a method that must succeed.
    pub async fn ask(&self, method: &str, params: Value) -> Value {
        match self.call(method, params).await {
            Ok(result) => result,
            Err(error) => panic!("{method} of {}: {error:?}", self.data.display()),
        }
    }

    /// Returns all items of a list that pages forwards.
    pub async fn list(&self, method: &str, params: &Value) -> Vec<Value> {
        let (mut all, mut after) = (Vec::new(), Value::Null);
        loop {
            let mut params = params.clone();
            params["after"] = after;
            let page = self.ask(method, params).await;
            all.extend_from_slice(page["items"].as_array().unwrap());
            after = page["next"].clone();
            if after.is_null() {
                return all;
            }
        }
    }

    /// Returns all messages of a chat in the order shown: pages backwards from the newest.
    pub async fn messages(&self, chat: &str) -> Vec<Value> {
        let (mut pages, mut before) = (Vec::new(), Value::Null);
        loop {
            let params = json!({ "chat": chat, "before": before, "limit": 100 });
            let page = self.ask("message.list", params).await;
            pages.push(page["items"].as_array().unwrap().clone());
            before = page["prev"].clone();
            if before.is_null() {
                return pages.into_iter().rev().flatten().collect();
            }
        }
    }

    /// Subscribes to the events behind a cursor; the subscription ends with the returned socket.
    pub async fn subscribe(&self, after: &str) -> (WsClient, Subscription<Value>) {
        let socket = WsClientBuilder::default()
            .set_headers(self.headers.clone())
            .build(&self.ws)
            .await
            .unwrap();
        let params = Named(json!({ "after": after }));
        let events = socket
            .subscribe("event.subscribe", params, "event.unsubscribe")
            .await
            .unwrap();
        (socket, events)
    }
}

/// Asks the node of a data directory whether or not it runs at present, as a program that must not lose anything would: repeats a call
/// that got no answer, at the place where the node is then.
#[derive(Clone, Debug)]
pub struct Steady {
    data: PathBuf,
    rpc: Option<Rpc>,
}

impl Steady {
    /// Makes a client for the node of a data directory.
    #[must_use]
    pub fn new(data: &Path) -> Self {
        Self {
            data: data.to_owned(),
            rpc: None,
        }
    }

    /// Calls a method until it is answered; panics if it is refused for good or not answered in time.
    pub async fn ask(&mut self, method: &str, params: &Value) -> Value {
        let deadline = Instant::now() + 2 * DEADLINE;
        loop {
            if self.rpc.is_none() {
                self.rpc = Rpc::open(&self.data);
            }
            let why = match &self.rpc {
                Some(rpc) => match rpc.call(method, params.clone()).await {
                    Ok(result) => return result,
                    Err(CallError::Refused {
                        code,
                        retryable: false,
                        message,
                        // A node that is told to stop or dies under a call may say so.
                    }) if code != "internal" => panic!("{method} is refused: {code}: {message}"),
                    Err(error) => error,
                },
                None => CallError::Unreachable("no node".into()),
            };
            self.rpc = None;
            assert!(Instant::now() < deadline, "{method} gets no answer: {why:?}");
            sleep(RETRY).await;
        }
    }
}

/// Parameters by name; sent even if there are none, since `params` is an object for every method.
struct Named(Value);

impl ToRpcParams for Named {
    fn to_rpc_params(self) -> Result<Option<Box<JsonRawValue>>, serde_json::Error> {
        to_json_raw_value(&self.0).map(Some)
    }
}
