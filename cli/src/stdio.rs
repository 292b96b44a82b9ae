//! `madang rpc --stdio`: the node's JSON-RPC on standard input and output, a message on each line, for programs that start programs
//! rather than open sockets.
//!
//! The lines travel over one WebSocket, so subscriptions work, and whoever doesn't read standard output is waited for as on a socket.

use std::collections::VecDeque;
use std::io::{BufRead, Write as _};
use std::path::Path;
use std::time::Duration;

use jsonrpsee::core::client::{ReceivedMessage, TransportReceiverT, TransportSenderT};
use madang_node::rpc::limits as rpc;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

use crate::client::Place;
use crate::fault::Fault;
use crate::serve::Stop;

/// Bytes of a line at most, as the node has it for a request.
const MAX_LINE: usize = rpc::MAX_REQUEST as usize;
/// Lines that are read ahead (guess); then standard input waits.
const READ_AHEAD: usize = 4;
/// How long answers are waited for once standard input has ended: above the 60 s that `event.poll` may wait.
const LAST_ANSWERS: Duration = Duration::from_secs(90);

/// A line of standard input.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    Text(String),
    /// Over [`MAX_LINE`]; the rest of it was left out.
    TooLong,
    /// Not UTF-8.
    NoText,
}

/// Bridges until standard input ends and all that was asked is answered, or a signal comes.
///
/// # Errors
/// [`Fault::NoNode`] if no node answers, or it stops meanwhile.
pub async fn stdio(data: &Path, token_file: Option<&Path>) -> Result<(), Fault> {
    let stop = Stop::listen()?;
    let place = Place::read(data, token_file)?;
    let (sender, receiver) = place.transport().await?;
    tokio::select! {
        () = stop.wait() => Ok(()),
        ended = bridge(&place, sender, receiver) => ended,
    }
}

async fn bridge(
    place: &Place,
    mut sender: impl TransportSenderT,
    mut receiver: impl TransportReceiverT,
) -> Result<(), Fault> {
    let awaited = watch::Sender::new(Awaited::default());
    let mut lines = standard_input();
    let asking = async {
        while let Some(line) = lines.recv().await {
            match line.map_err(|e| Fault::io(|t| t.to_read_stdin, &e))? {
                Line::Text(text) => {
                    awaited.send_modify(|awaited| awaited.note_request(&text));
                    sender.send(text).await.map_err(|_| place.no_node())?;
                }
                line => print(&refusal(&line).to_string())?,
            }
        }
        Ok::<(), Fault>(())
    };
    // One future for all of it: a message that was read in part must not be forgotten.
    let answering = async {
        loop {
            match receiver.receive().await {
                Ok(ReceivedMessage::Text(text)) => {
                    print(&text)?;
                    awaited.send_modify(|awaited| awaited.note_answer(&text));
                }
                Ok(_) => {}
                Err(_) => return Err(place.no_node()),
            }
        }
    };
    tokio::pin!(answering);
    tokio::select! {
        asked = asking => asked?,
        ended = &mut answering => return ended,
    }
    let mut awaited = awaited.subscribe();
    tokio::select! {
        _ = awaited.wait_for(Awaited::is_empty) => Ok(()),
        ended = &mut answering => ended,
        () = sleep(LAST_ANSWERS) => Err(place.silent()),
    }
}

/// Reads lines on a thread of its own, which nobody waits for: a read of standard input can't be broken off.
fn standard_input() -> mpsc::Receiver<std::io::Result<Line>> {
    let (lines, read) = mpsc::channel(READ_AHEAD);
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        while let Some(line) = next_line(&mut input).transpose() {
            let is_over = line.is_err();
            if lines.blocking_send(line).is_err() || is_over {
                return;
            }
        }
    });
    read
}

/// The next line that isn't empty; `None` at the end. Holds no more than [`MAX_LINE`] of it.
fn next_line(input: &mut impl BufRead) -> std::io::Result<Option<Line>> {
    let (mut bytes, mut too_long) = (Vec::new(), false);
    loop {
        let (used, ended) = {
            let available = input.fill_buf()?;
            let end = available.iter().position(|byte| *byte == b'\n');
            let part = available.split_at(end.unwrap_or(available.len())).0;
            too_long |= bytes.len() + part.len() > MAX_LINE;
            if !too_long {
                bytes.extend_from_slice(part);
            }
            (
                part.len() + usize::from(end.is_some()),
                end.is_some() || available.is_empty(),
            )
        };
        input.consume(used);
        let is_end = used == 0;
        if !ended {
            continue;
        }
        if too_long {
            return Ok(Some(Line::TooLong));
        }
        match String::from_utf8(std::mem::take(&mut bytes)) {
            Err(_) => return Ok(Some(Line::NoText)),
            Ok(text) if text.trim().is_empty() && is_end => return Ok(None),
            Ok(text) if text.trim().is_empty() => {}
            Ok(text) => return Ok(Some(Line::Text(text))),
        }
    }
}

/// What the node would say, had it read the line.
fn refusal(line: &Line) -> Value {
    let error = if *line == Line::TooLong {
        let data = json!({ "code": "too_large", "retryable": false, "field": "request", "limit": MAX_LINE });
        json!({ "code": -32002, "message": format!("'request' is over {MAX_LINE} bytes"), "data": data })
    } else {
        let data = json!({ "code": "parse_error", "retryable": false });
        json!({ "code": -32700, "message": "the request is not JSON", "data": data })
    };
    json!({ "jsonrpc": "2.0", "id": null, "error": error })
}

/// The requests that wait for an answer: their ids, batches and what can't be read as null.
#[derive(Default)]
struct Awaited(VecDeque<Value>);

impl Awaited {
    fn note_request(&mut self, text: &str) {
        let id = match serde_json::from_str::<Value>(text) {
            Ok(Value::Object(mut request)) => match request.remove("id") {
                Some(id) => id,
                // A notification, unless it is no request at all.
                None if request.contains_key("method") => return,
                None => Value::Null,
            },
            Ok(Value::Array(batch)) if !batch.is_empty() && batch.iter().all(is_notification) => return,
            _ => Value::Null,
        };
        self.0.push_back(id);
    }

    fn note_answer(&mut self, text: &str) {
        let id = match serde_json::from_str::<Value>(text) {
            Ok(Value::Object(mut answer)) if !answer.contains_key("method") => answer.remove("id"),
            Ok(Value::Array(_)) => None,
            _ => return,
        };
        let id = id.unwrap_or(Value::Null);
        if let Some(place) = self.0.iter().position(|waiting| *waiting == id) {
            self.0.remove(place);
        }
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn is_notification(request: &Value) -> bool {
    request.get("method").is_some() && request.get("id").is_none()
}

fn print(text: &str) -> Result<(), Fault> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")
        .and_then(|()| out.flush())
        .map_err(|e| Fault::io(|t| t.to_write_stdout, &e))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn f56_lines_are_read_whole_and_bounded() {
        let long = "x".repeat(MAX_LINE);
        let text = format!("{{\"a\":1}}\n\n  \r\n{long}\n{long}x\nlast");
        // A small buffer, so that lines come in parts.
        let mut input = std::io::BufReader::with_capacity(1000, text.as_bytes());
        let mut lines = Vec::new();
        while let Some(line) = next_line(&mut input).unwrap() {
            lines.push(line);
        }
        let wanted = ["{\"a\":1}".to_owned(), long].map(Line::Text);
        assert!(lines[..2] == wanted);
        assert_eq!(lines[2..], [Line::TooLong, Line::Text("last".to_owned())]);
        assert_eq!(next_line(&mut &b"\xff\n"[..]).unwrap(), Some(Line::NoText));
    }

    #[test]
    fn what_is_awaited_is_what_will_be_answered() {
        let mut awaited = Awaited::default();
        awaited.note_request(r#"{"jsonrpc":"2.0","method":"told"}"#);
        awaited.note_request(r#"[{"jsonrpc":"2.0","method":"told"}]"#);
        assert!(awaited.is_empty());
        for request in [
            r#"{"id":1,"method":"a"}"#,
            r#"{"id":"b","method":"b"}"#,
            r#"[{"id":3,"method":"c"}]"#,
            "junk",
        ] {
            awaited.note_request(request);
        }
        awaited.note_answer(r#"{"method":"event","params":{}}"#);
        for answer in [r#"{"id":"b","result":1}"#, r#"[{"id":3}]"#, r#"{"id":null,"error":{}}"#] {
            assert!(!awaited.is_empty());
            awaited.note_answer(answer);
        }
        assert!(!awaited.is_empty());
        awaited.note_answer(r#"{"id":1,"result":1}"#);
        assert!(awaited.is_empty());
    }
}
