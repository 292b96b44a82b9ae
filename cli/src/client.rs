//! The JSON-RPC of a running node, found by its data directory.

use std::path::{Path, PathBuf};
use std::time::Duration;

use hyper::Response;
use hyper::body::{Body, Bytes, Incoming};
use jsonrpsee::client_transport::ws::{Url, WsHandshakeError, WsTransportClientBuilder};
use jsonrpsee::core::client::{
    ClientT as _, Error as RpcError, Subscription, SubscriptionClientT as _, TransportReceiverT, TransportSenderT,
};
use jsonrpsee::core::traits::ToRpcParams;
use jsonrpsee::core::{JsonRawValue, to_json_raw_value};
use jsonrpsee::http_client::{HeaderMap, HeaderValue, HttpClient, transport};
use jsonrpsee::types::ErrorObjectOwned;
use jsonrpsee::ws_client::{WsClient, WsClientBuilder};
use madang_node::rpc::limits;
use serde_json::{Value, json};

use crate::fault::{Fault, shown};
use crate::safe;
use crate::show;
use crate::transfer;

/// How long one call may take: above the 60 s that `event.poll` may wait.
const CALL_TIMEOUT: Duration = Duration::from_secs(90);
/// How long connecting may take; the node is on this machine (guess).
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Items asked for in one page (guess).
const PAGE: u64 = 100;
/// Items of a list at most, so that a node that pages without end is noticed; above a person's contacts by far (guess).
const MAX_LISTED: usize = 100_000;
/// Bytes of `rpc.json` and `cookie` at most; both are far smaller.
const MAX_PLACE_BYTES: u64 = 4096;

/// Where a node listens, and the token it wants.
#[derive(Clone)]
pub struct Place {
    data: PathBuf,
    http: String,
    ws: String,
    headers: HeaderMap,
    /// Where an app's token is, if it isn't the owner's cookie.
    token_file: Option<PathBuf>,
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Place")
            .field("data", &self.data)
            .field("http", &self.http)
            .finish_non_exhaustive()
    }
}

impl Place {
    /// Reads `rpc.json` of a data directory, and its `cookie` or else an app's token from a file.
    ///
    /// # Errors
    /// [`Fault::NoNode`] if the directory's aren't there, [`Fault::Failed`] if they can't be read.
    pub fn read(data: &Path, token_file: Option<&Path>) -> Result<Self, Fault> {
        let path = data.join("rpc.json");
        let text = read_small(&path)?.ok_or_else(|| no_node(data))?;
        let places: Value = serde_json::from_str(&text).map_err(|e| {
            let (path, error) = (shown(&path), e.to_string());
            Fault::failed(move |t| (t.place_unreadable)(&path, &error))
        })?;
        let holder = token_file.map_or_else(|| data.join("cookie"), Path::to_owned);
        let token = match (read_small(&holder)?, token_file) {
            (Some(token), _) => token,
            (None, None) => return Err(no_node(data)),
            (None, Some(file)) => {
                let absent = std::io::Error::from(std::io::ErrorKind::NotFound);
                return Err(Fault::file(|t| t.to_read, file, &absent));
            }
        };
        let token = token.lines().next().unwrap_or_default().trim();
        let bearer = HeaderValue::from_str(&format!("Bearer {token}"));
        let Some(mut bearer) = bearer.ok().filter(|_| !token.is_empty()) else {
            let path = shown(&holder);
            return Err(Fault::failed(move |t| (t.no_token_in)(&path)));
        };
        bearer.set_sensitive(true);
        let mut headers = HeaderMap::new();
        headers.insert("authorization", bearer);
        Ok(Self {
            data: data.to_owned(),
            http: show::text_of(&places, "http").to_owned(),
            ws: show::text_of(&places, "ws").to_owned(),
            headers,
            token_file: token_file.map(Path::to_owned),
        })
    }

    /// Opens a WebSocket on which messages go as they are.
    ///
    /// # Errors
    /// [`Fault::NoNode`] if nothing answers, [`Fault::Refused`] if the node turns an app's token away.
    pub async fn transport(&self) -> Result<(impl TransportSenderT, impl TransportReceiverT), Fault> {
        let url = Url::parse(&self.ws).map_err(|_| self.no_node())?;
        let transport = WsTransportClientBuilder::default()
            .connection_timeout(CONNECT_TIMEOUT)
            .max_request_size(limits::MAX_REQUEST)
            .max_response_size(limits::MAX_RESPONSE)
            .set_headers(self.headers.clone());
        transport.build(url).await.map_err(|error| match error {
            WsHandshakeError::Rejected { .. } if self.token_file.is_some() => turned_away(),
            _ => self.no_node(),
        })
    }

    /// Says that an answer doesn't come.
    #[must_use]
    pub fn silent(&self) -> Fault {
        let data = shown(&self.data);
        Fault::failed(move |t| (t.node_silent)(&data))
    }

    /// Says that nothing answers.
    #[must_use]
    pub fn no_node(&self) -> Fault {
        no_node(&self.data)
    }
}

/// A connection to a running node.
#[derive(Debug)]
pub struct Client {
    place: Place,
    http: HttpClient,
}

impl Client {
    /// Prepares calls to the node of a data directory; whether it runs shows at the first call.
    ///
    /// # Errors
    /// As [`Place::read`].
    pub fn open(data: &Path, token_file: Option<&Path>) -> Result<Self, Fault> {
        let place = Place::read(data, token_file)?;
        let http = http_client(&place, &place.http, place.headers.clone())?;
        Ok(Self { place, http })
    }

    /// Calls a method with parameters by name.
    ///
    /// # Errors
    /// [`Fault::Refused`] with the node's code, [`Fault::NoNode`] if nothing answers.
    pub async fn call(&self, method: &str, params: Value) -> Result<Value, Fault> {
        self.http
            .request(method, Named(params))
            .await
            .map_err(|e| fault(e, &self.place))
    }

    /// Calls a method at the door of apps that have no token yet.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn call_at_door(&self, method: &str, params: Value) -> Result<Value, Fault> {
        let door = http_client(&self.place, &format!("{}/app", self.place.http), HeaderMap::new())?;
        door.request(method, Named(params))
            .await
            .map_err(|e| fault(e, &self.place))
    }

    /// Returns all items of a list, page by page.
    ///
    /// # Errors
    /// As [`Client::call`]; [`Fault::Failed`] if the list doesn't end.
    pub async fn list(&self, method: &str) -> Result<Vec<Value>, Fault> {
        let mut all: Vec<Value> = Vec::new();
        let mut after: Option<Value> = None;
        loop {
            let mut params = json!({ "limit": PAGE });
            if let (Some(cursor), Some(fields)) = (after.take(), params.as_object_mut()) {
                fields.insert("after".to_owned(), cursor);
            }
            let page = self.call(method, params).await?;
            let items = show::items_of(&page, "items");
            all.extend_from_slice(items);
            if all.len() > MAX_LISTED {
                let method = method.to_owned();
                return Err(Fault::failed(move |t| (t.list_endless)(&method, MAX_LISTED)));
            }
            match page.get("next") {
                Some(next) if !next.is_null() && !items.is_empty() => after = Some(next.clone()),
                _ => return Ok(all),
            }
        }
    }

    /// Opens a WebSocket to the same node.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn socket(&self) -> Result<WsClient, Fault> {
        let opened = WsClientBuilder::default()
            .request_timeout(CALL_TIMEOUT)
            .connection_timeout(CONNECT_TIMEOUT)
            .set_headers(self.place.headers.clone())
            .build(&self.place.ws)
            .await;
        match opened {
            Ok(socket) => Ok(socket),
            Err(e) => {
                // Tells "no node" from "a node that wants no more sockets".
                self.call("node.info", json!({})).await?;
                let error = e.to_string();
                Err(Fault::failed(move |t| (t.no_socket)(&error)))
            }
        }
    }

    /// Subscribes to events, with the parameters of `event.subscribe`.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn events(&self, socket: &WsClient, params: Value) -> Result<Subscription<Value>, Fault> {
        socket
            .subscribe("event.subscribe", Named(params), "event.unsubscribe")
            .await
            .map_err(|e| fault(e, &self.place))
    }

    /// Sends an HTTP request to the node, with the token.
    ///
    /// # Errors
    /// If nobody answers.
    pub async fn http<B>(&self, request: hyper::http::request::Builder, body: B) -> std::io::Result<Response<Incoming>>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        // A node that was started again listens elsewhere.
        let place = Place::read(&self.place.data, self.place.token_file.as_deref());
        let place = place.map_err(|_| std::io::Error::from(std::io::ErrorKind::NotFound))?;
        let address = place.http.trim_start_matches("http://").trim_end_matches('/');
        let mut request = request.header("host", address);
        if let Some(headers) = request.headers_mut() {
            headers.extend(place.headers.clone());
        }
        transfer::request(address, request.body(body).map_err(std::io::Error::other)?).await
    }

    /// Finds the same node where it is now: one that was started again listens elsewhere.
    ///
    /// # Errors
    /// As [`Place::read`].
    pub fn again(&self) -> Result<Self, Fault> {
        Self::open(&self.place.data, self.place.token_file.as_deref())
    }

    /// Says that nothing answers.
    #[must_use]
    pub fn no_node(&self) -> Fault {
        self.place.no_node()
    }

    /// Returns the data directory of the node.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.place.data
    }
}

/// Parameters by name; sent even if there are none, since `params` is an object for every method.
struct Named(Value);

impl ToRpcParams for Named {
    fn to_rpc_params(self) -> Result<Option<Box<JsonRawValue>>, serde_json::Error> {
        to_json_raw_value(&self.0).map(Some)
    }
}

fn http_client(place: &Place, url: &str, headers: HeaderMap) -> Result<HttpClient, Fault> {
    HttpClient::builder()
        .request_timeout(CALL_TIMEOUT)
        .connect_timeout(CONNECT_TIMEOUT)
        .set_headers(headers)
        .build(url)
        .map_err(|e| fault(e, place))
}

/// Reads a small file; `None` if it is absent.
fn read_small(path: &Path) -> Result<Option<String>, Fault> {
    use std::io::Read as _;
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Fault::file(|t| t.to_open, path, &e)),
    };
    let mut text = String::new();
    file.take(MAX_PLACE_BYTES)
        .read_to_string(&mut text)
        .map_err(|e| Fault::file(|t| t.to_read, path, &e))?;
    Ok(Some(text))
}

fn no_node(data: &Path) -> Fault {
    Fault::NoNode { data: data.to_owned() }
}

/// What is said of an app's token that doesn't work.
fn turned_away() -> Fault {
    Fault::Refused {
        message: "it knows no such token, or the user hasn't approved the app yet".to_owned(),
        code: "unauthorized".to_owned(),
        data: json!({ "code": "unauthorized", "retryable": false }),
    }
}

fn fault(error: RpcError, place: &Place) -> Fault {
    match error {
        RpcError::Call(object) => refused(&object),
        RpcError::Transport(inner) => match inner.downcast_ref::<transport::Error>() {
            Some(transport::Error::Rejected { status_code: 401 }) if place.token_file.is_some() => turned_away(),
            // A node that was killed leaves its places behind, and another program may have got its port.
            Some(transport::Error::Http(_) | transport::Error::Rejected { status_code: 401 }) | None => place.no_node(),
            Some(other) => unasked(&other.to_string()),
        },
        RpcError::RestartNeeded(_) | RpcError::ServiceDisconnect => place.no_node(),
        RpcError::RequestTimeout => place.silent(),
        other => unasked(&other.to_string()),
    }
}

fn unasked(why: &str) -> Fault {
    let why = safe::line(why);
    Fault::failed(move |t| (t.node_unasked)(&why))
}

fn refused(object: &ErrorObjectOwned) -> Fault {
    let data: Value = object
        .data()
        .and_then(|raw| serde_json::from_str(raw.get()).ok())
        .unwrap_or(Value::Null);
    let code = match show::field(&data, "code") {
        code if code.is_empty() => object.code().to_string(),
        code => code,
    };
    Fault::Refused {
        message: safe::line(object.message()),
        code,
        data,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn no_place_means_no_node() {
        let empty = tempfile::tempdir().unwrap();
        assert_eq!(Client::open(empty.path(), None).unwrap_err().exit_code(), 3);
    }

    #[tokio::test]
    async fn a_place_that_nobody_listens_at_means_no_node() {
        let dir = tempfile::tempdir().unwrap();
        let free = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let places = json!({ "http": format!("http://{free}"), "ws": format!("ws://{free}") });
        std::fs::write(dir.path().join("rpc.json"), places.to_string()).unwrap();
        std::fs::write(dir.path().join("cookie"), "token\n").unwrap();
        let client = Client::open(dir.path(), None).unwrap();
        let error = client.call("node.info", json!({})).await.unwrap_err();
        assert!(matches!(error, Fault::NoNode { .. }), "{error}");
        let error = client.socket().await.unwrap_err();
        assert!(matches!(error, Fault::NoNode { .. }), "{error}");
    }

    #[test]
    fn f65_debug_shows_no_token() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(
            dir.path().join("rpc.json"),
            r#"{"http":"http://127.0.0.1:1","ws":"ws://127.0.0.1:1"}"#,
        )
        .unwrap();
        std::fs::write(dir.path().join("cookie"), "s3cret").unwrap();
        assert!(!format!("{:?}", Place::read(dir.path(), None).unwrap()).contains("s3cret"));
    }

    #[test]
    fn the_nodes_error_keeps_its_code() {
        let object = ErrorObjectOwned::owned(-32005, "used\u{1b}", Some(json!({ "code": "invite_expired" })));
        let fault = refused(&object);
        assert_eq!(fault.exit_code(), 5);
        assert_eq!(fault.to_string(), "refused by the node: used� (invite_expired)");
    }
}
