//! `madang rpc`: any method of the node.

use std::io::Read as _;

use serde_json::{Value, json};

use crate::args::RpcArgs;
use crate::client::Client;
use crate::fault::Fault;
use crate::out::Out;
use crate::safe;

/// Bytes of parameters at most: the node takes no longer request.
const MAX_PARAMS_BYTES: u64 = 1024 * 1024;

/// Calls a method and prints its result, for people over several lines.
pub(super) async fn rpc(client: &Client, args: RpcArgs, out: &Out) -> Result<(), Fault> {
    let params = match args.params.as_deref() {
        None => json!({}),
        Some("-") => parsed(&stdin()?)?,
        Some(text) => parsed(text)?,
    };
    let method = args.method.unwrap_or_default();
    let result = client.call(&method, params).await?;
    out.print(&result, || {
        let text = serde_json::to_string_pretty(&result).unwrap_or_else(|_| result.to_string());
        safe::multiline(&text, "")
    })
}

fn parsed(text: &str) -> Result<Value, Fault> {
    match serde_json::from_str(text) {
        Ok(params @ Value::Object(_)) => Ok(params),
        Ok(_) => Err(Fault::failed(|t| t.params_no_object.to_owned())),
        Err(error) => {
            let error = error.to_string();
            Err(Fault::failed(move |t| (t.params_unreadable)(&error)))
        }
    }
}

fn stdin() -> Result<String, Fault> {
    let mut text = String::new();
    std::io::stdin()
        .lock()
        .take(MAX_PARAMS_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(|e| Fault::io(|t| t.to_read_stdin, &e))?;
    if text.len() as u64 > MAX_PARAMS_BYTES {
        return Err(Fault::failed(|t| {
            (t.params_unreadable)(&(t.over_bytes)(MAX_PARAMS_BYTES))
        }));
    }
    Ok(text)
}
