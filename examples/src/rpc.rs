//! A small client of a node's JSON-RPC: where it is, how to call it, and which errors pass by themselves.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use jsonrpsee::core::client::{ClientT as _, Error as RpcError};
use jsonrpsee::core::traits::ToRpcParams;
use jsonrpsee::core::{JsonRawValue, to_json_raw_value};
use jsonrpsee::http_client::{HeaderMap, HeaderValue, HttpClient};
use serde_json::Value;

/// How long one call may take: above the 60 s that `event.poll` may wait.
const CALL_TIMEOUT: Duration = Duration::from_secs(90);
/// Wait before the first retry; doubles with each (guess).
const RETRY_FIRST: Duration = Duration::from_millis(200);
/// Wait before a retry at most (guess).
const RETRY_MAX: Duration = Duration::from_secs(10);

/// Where a node is found.
#[derive(Clone, Debug)]
pub enum Place {
    /// A data directory with `rpc.json` and `cookie`; read again at each connection, since both change when the node starts again.
    Data(PathBuf),
    /// An address, and a file that holds the token.
    Url {
        /// `http://HOST:PORT`.
        url: String,
        /// The file with the token.
        token_file: PathBuf,
    },
}

impl Place {
    /// Makes a client for the node that is there now.
    ///
    /// # Errors
    /// If a file can't be read or holds something else.
    pub fn connect(&self) -> anyhow::Result<HttpClient> {
        let (url, token_file) = match self {
            Self::Data(data) => (http_address(&read(&data.join("rpc.json"))?)?, data.join("cookie")),
            Self::Url { url, token_file } => (url.clone(), token_file.clone()),
        };
        let token = read(&token_file)?;
        let token = token.trim();
        ensure!(!token.is_empty(), "{} holds no token", token_file.display());
        let mut bearer = HeaderValue::from_str(&format!("Bearer {token}")).context("the token holds odd characters")?;
        bearer.set_sensitive(true);
        let mut headers = HeaderMap::new();
        headers.insert("authorization", bearer);
        let client = HttpClient::builder()
            .request_timeout(CALL_TIMEOUT)
            .set_headers(headers)
            .build(&url)?;
        Ok(client)
    }
}

/// Why a call failed.
#[derive(Debug)]
pub enum Failure {
    /// The node can't be reached; it may have gone, and come back at another address.
    Unreachable(String),
    /// The node says that the same call may succeed later.
    Later {
        /// What it says.
        message: String,
        /// How long it asks to wait.
        after: Option<Duration>,
    },
    /// The node refuses; the same call will always fail.
    Refused {
        /// The stable code.
        code: String,
        /// What it says.
        message: String,
    },
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreachable(message) => write!(f, "the node can't be reached: {message:?}"),
            Self::Later { message, .. } => write!(f, "the node says later: {message:?}"),
            Self::Refused { code, message } => {
                write!(f, "the node refuses ({code:?}): {message:?}")
            }
        }
    }
}

impl std::error::Error for Failure {}

/// Calls a method with parameters by name.
///
/// # Errors
/// See [`Failure`].
pub async fn call(client: &HttpClient, method: &str, params: Value) -> Result<Value, Failure> {
    client
        .request(method, Named(params))
        .await
        .map_err(|error| match error {
            RpcError::Call(object) => {
                let data: Value = object
                    .data()
                    .and_then(|raw| serde_json::from_str(raw.get()).ok())
                    .unwrap_or(Value::Null);
                failure(object.message(), &data)
            }
            other => Failure::Unreachable(other.to_string()),
        })
}

/// Returns how long to wait before retry number `attempt`, counted from 0.
#[must_use]
pub fn wait_before(attempt: u32, asked: Option<Duration>) -> Duration {
    let doubled = RETRY_FIRST.saturating_mul(2_u32.saturating_pow(attempt));
    asked.unwrap_or(doubled).min(RETRY_MAX)
}

struct Named(Value);

impl ToRpcParams for Named {
    fn to_rpc_params(self) -> Result<Option<Box<JsonRawValue>>, serde_json::Error> {
        to_json_raw_value(&self.0).map(Some)
    }
}

fn failure(message: &str, data: &Value) -> Failure {
    let message = message.to_owned();
    if data.get("retryable").and_then(Value::as_bool).unwrap_or(false) {
        let after = data
            .get("retry_after_ms")
            .and_then(Value::as_u64)
            .map(Duration::from_millis);
        return Failure::Later { message, after };
    }
    let code = data.get("code").and_then(Value::as_str).unwrap_or("unknown").to_owned();
    Failure::Refused { code, message }
}

fn http_address(rpc_json: &str) -> anyhow::Result<String> {
    let places: Value = serde_json::from_str(rpc_json).context("rpc.json is no JSON")?;
    let address = places
        .get("http")
        .and_then(Value::as_str)
        .context("rpc.json names no `http` address")?;
    Ok(address.to_owned())
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("can't read {}; does the node run?", path.display()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn errors_say_whether_to_try_again() {
        let later = failure(
            "full",
            &json!({ "code": "overloaded", "retryable": true, "retry_after_ms": 50 }),
        );
        let Failure::Later { after, .. } = later else {
            panic!("{later}")
        };
        assert_eq!(after, Some(Duration::from_millis(50)));
        let refused = failure("no", &json!({ "code": "not_found", "retryable": false }));
        let Failure::Refused { code, .. } = refused else {
            panic!("{refused}")
        };
        assert_eq!(code, "not_found");
    }

    #[test]
    fn retries_wait_longer_up_to_a_bound() {
        assert_eq!(wait_before(0, None), RETRY_FIRST);
        assert_eq!(wait_before(1, None), RETRY_FIRST * 2);
        assert_eq!(wait_before(u32::MAX, None), RETRY_MAX);
        assert_eq!(wait_before(3, Some(Duration::from_millis(5))), Duration::from_millis(5));
    }

    #[test]
    fn the_address_comes_from_rpc_json() {
        assert_eq!(
            http_address(r#"{"http":"http://127.0.0.1:1","ws":"w"}"#).unwrap(),
            "http://127.0.0.1:1"
        );
        assert!(http_address("{}").is_err());
    }
}
