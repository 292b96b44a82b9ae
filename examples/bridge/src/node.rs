//! A node, by JSON-RPC and the HTTP of files.

use std::error::Error;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};
use ureq::http::Response;
use ureq::{Agent, Body};

/// How long a node that went away is left alone before it is asked again.
const PAUSE: Duration = Duration::from_millis(500);
/// How long a call may take.
const PATIENCE: Duration = Duration::from_secs(60);

type Answer<T> = Result<T, Box<dyn Error>>;

/// What the node answered instead of a result.
#[derive(Debug)]
pub struct Refused {
    code: String,
    message: String,
    retryable: bool,
}

impl Refused {
    /// From what the node says of an error.
    fn new(message: &str, data: &Value) -> Self {
        Self {
            code: text(data, "code").to_owned(),
            message: message.to_owned(),
            retryable: data.get("retryable") == Some(&Value::Bool(true)),
        }
    }

    /// Whether it has a code of the node's table of errors.
    pub fn is(&self, code: &str) -> bool {
        self.code == code
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.code)
    }
}

impl Error for Refused {}

/// A file that changed while it was read, or couldn't be.
#[derive(Debug)]
struct Unread(io::Error);

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it can't be read as it was: {}", self.0)
    }
}

impl Error for Unread {}

/// Whether an error is the file's and not the node's.
pub fn is_of_the_file(error: &(dyn Error + 'static)) -> bool {
    error.is::<Unread>()
}

/// A running node, found anew by its data directory whenever it was started again.
pub struct Node {
    data: PathBuf,
    token: String,
    agent: Agent,
}

impl Node {
    pub fn new(data: &Path, token: String) -> Self {
        Self {
            data: data.to_owned(),
            token,
            agent: agent(),
        }
    }

    /// Waits until the user has approved the token.
    pub fn approved(&self) -> Answer<()> {
        loop {
            match self.persist("app.self", &json!({})) {
                Ok(_) => return Ok(()),
                Err(error)
                    if error
                        .downcast_ref::<Refused>()
                        .is_some_and(|refused| refused.is("unauthorized")) =>
                {
                    sleep(PAUSE);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Calls a method, again while that may help: for what changes nothing when it is repeated.
    pub fn persist(&self, method: &str, params: &Value) -> Answer<Value> {
        loop {
            let call = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
            let sent = url(&self.data, "/").and_then(|url| {
                let request = self.agent.post(url).header("content-type", "application/json");
                Ok(request.header("authorization", self.bearer()).send(call)?)
            });
            match sent {
                Ok(response) => match result(response) {
                    Err(error) if error.downcast_ref::<Refused>().is_some_and(|refused| refused.retryable) => {
                        sleep(PAUSE)
                    }
                    answer => return answer,
                },
                // It is away: it comes back, perhaps at another port.
                Err(_) => sleep(PAUSE),
            }
        }
    }

    /// Writes a file into the node, from its start again if the node goes away meanwhile; gives its blob.
    pub fn upload(&self, path: &Path, bytes: u64) -> Answer<String> {
        loop {
            let begun = self.persist("blob.put", &json!({ "length_bytes": bytes }))?;
            if let Some(blob) = begun.get("blob").and_then(Value::as_str) {
                return Ok(blob.to_owned());
            }
            let upload = text(&begun, "upload");
            let file = File::open(path).map_err(Unread)?;
            let sent = self.patch(upload, &file);
            let now = fs::metadata(path).map_err(Unread)?.len();
            if now != bytes {
                self.persist("blob.cancel", &json!({ "blob": upload }))?;
                return Err(Unread(io::Error::other(format!("{bytes} bytes became {now}"))).into());
            }
            match sent {
                Ok(written) => {
                    if let Some(blob) = written.get("blob").and_then(Value::as_str) {
                        return Ok(blob.to_owned());
                    }
                }
                Err(error)
                    if error
                        .downcast_ref::<Refused>()
                        .is_some_and(|refused| !refused.retryable) =>
                {
                    return Err(error);
                }
                Err(_) => sleep(PAUSE),
            }
            // What is there of it goes in a day by itself if this doesn't come through.
            self.persist("blob.cancel", &json!({ "blob": upload })).ok();
        }
    }

    fn patch(&self, upload: &str, file: &File) -> Answer<Value> {
        let request = self.agent.patch(url(&self.data, &format!("/blob/{upload}"))?);
        let request = request
            .header("authorization", self.bearer())
            .header("upload-offset", "0");
        let response = request.send(file)?;
        let is_fine = response.status() == 200;
        let told = json_of(response)?;
        if is_fine {
            return Ok(told);
        }
        Err(Refused::new(text(&told, "message"), &told).into())
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }
}

/// Asks a node for a token of one's own. It works once the user has approved.
pub fn request_token(data: &Path, name: &str, scopes: &[String]) -> Answer<String> {
    let params = json!({ "name": name, "scopes": scopes });
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "app.request", "params": params }).to_string();
    let request = agent()
        .post(url(data, "/app")?)
        .header("content-type", "application/json");
    let token = result(request.send(call)?)?;
    Ok(text(&token, "token").to_owned())
}

/// Writes a file for this user alone, from the first byte on.
pub fn keep_private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    writeln!(options.open(path)?, "{text}")
}

/// A text of an object; empty if there is none.
fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    object.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Statuses are told by the caller, with what the node says.
fn agent() -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_recv_response(Some(PATIENCE));
    config.build().into()
}

fn url(data: &Path, path: &str) -> Answer<String> {
    let places: Value = serde_json::from_str(&fs::read_to_string(data.join("rpc.json"))?)?;
    Ok(format!("{}{path}", text(&places, "http")))
}

fn json_of(mut response: Response<Body>) -> Answer<Value> {
    let text = response.body_mut().read_to_string()?;
    Ok(serde_json::from_str(&text).unwrap_or_else(|_| json!({ "message": text.trim() })))
}

/// The result of an answer, or what stands for it.
fn result(response: Response<Body>) -> Answer<Value> {
    if response.status() == 401 {
        let data = json!({ "code": "unauthorized", "retryable": false });
        return Err(Refused::new("the token doesn't work, or not yet", &data).into());
    }
    let mut answer = json_of(response)?;
    if let Some(error) = answer.get("error") {
        let data = error.get("data").unwrap_or(&Value::Null);
        return Err(Refused::new(text(error, "message"), data).into());
    }
    Ok(answer.get_mut("result").map(Value::take).unwrap_or_default())
}
