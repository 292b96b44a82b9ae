//! `madang import`: what `madang export` wrote, read as a stream and handed to the node a few messages at a time.

use std::fmt;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use serde::Deserializer as _;
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

use super::export::{FIELDS, FORMAT, MESSAGES, VERSION};
use crate::client::Client;
use crate::fault::Fault;
use crate::out::Out;
use crate::show;

/// Messages that one call hands over (guess).
const AT_ONCE: usize = 100;
/// Bytes of messages after which a call takes no more: half of what the node takes as a request.
const AT_ONCE_BYTES: usize = 512 * 1024;

/// What a thread that reads the file has found.
enum Found {
    /// What the file says of the chat; all of it stands before the messages.
    Head(Map<String, Value>),
    /// Some messages.
    Messages(Vec<Value>),
}

pub(super) async fn import(client: &Client, from: PathBuf, out: &Out) -> Result<(), Fault> {
    let path = if from.is_dir() { from.join(MESSAGES) } else { from };
    let file = File::open(&path).map_err(|error| Fault::file(|t| t.to_read, &path, &error))?;
    // What is read waits for the node, so that memory doesn't grow with the file.
    let (sender, mut found) = mpsc::channel(2);
    let reading = tokio::task::spawn_blocking(move || read(BufReader::new(file), &sender));
    let progress = out.progress((out.t().importing)(0));
    let (mut head, mut count, mut added) = (Map::new(), 0_u64, 0_u64);
    let mut archive = Value::Null;
    while let Some(part) = found.recv().await {
        let messages = match part {
            Found::Head(read) => {
                head = read;
                Vec::new()
            }
            Found::Messages(messages) => messages,
        };
        let many = messages.len() as u64;
        let params = json!({
            "chat": head.get("chat"), "account": head.get("account"), "name": head.get("name"),
            "exported_ms": head.get("exported_ms"), "messages": messages,
        });
        let done = client
            .call("archive.add", params)
            .await
            .map_err(|fault| located(fault, count))?;
        count += many;
        added += show::number(&done, "added");
        archive = done.get("archive").cloned().unwrap_or_default();
        progress.say((out.t().importing)(count));
    }
    drop(progress);
    match reading.await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => return Err(unreadable(&path, error)),
        Err(error) => return Err(unreadable(&path, error.to_string())),
    }
    let document = json!({ "archive": archive, "messages": count, "added": added });
    out.print(&document, || {
        let id = show::short(show::text_of(&document, "archive"));
        (out.t().imported)(&id, count, added)
    })
}

fn unreadable(path: &Path, why: String) -> Fault {
    let path = path.display().to_string();
    Fault::failed(move |t| (t.import_unreadable)(&path, &why))
}

/// A refusal that counts messages from the file's first.
fn located(fault: Fault, before: u64) -> Fault {
    match fault {
        Fault::Refused { message, code, data } if before > 0 => Fault::Refused {
            message: format!("{message} (messages counted from {before})"),
            code,
            data,
        },
        other => other,
    }
}

/// Reads a file and tells what it finds; an error names line and column.
fn read(from: impl Read, sender: &mpsc::Sender<Found>) -> Result<(), String> {
    let mut json = serde_json::Deserializer::from_reader(from);
    let read = (&mut json).deserialize_map(Export { sender });
    read.and_then(|()| json.end()).map_err(|error| error.to_string())
}

/// The whole file.
struct Export<'a> {
    sender: &'a mpsc::Sender<Found>,
}

impl<'de> Visitor<'de> for Export<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an export of a chat")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut head = Map::new();
        let mut seen = false;
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "messages" if seen => return Err(A::Error::custom("messages: stand there twice")),
                "messages" => {
                    check(&head).map_err(A::Error::custom)?;
                    seen = true;
                    tell(self.sender, Found::Head(std::mem::take(&mut head)))?;
                    map.next_value_seed(Messages { sender: self.sender })?;
                }
                "format" | "version" | "chat" | "account" | "name" | "exported_ms" if !seen => {
                    head.insert(name, map.next_value()?);
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        if seen {
            Ok(())
        } else {
            Err(A::Error::custom("messages: are missing"))
        }
    }
}

/// Hands over what was found; fails once nobody takes it any more, as after a refusal.
fn tell<E: serde::de::Error>(sender: &mpsc::Sender<Found>, found: Found) -> Result<(), E> {
    sender.blocking_send(found).map_err(|_| E::custom("the import ended"))
}

fn check(head: &Map<String, Value>) -> Result<(), String> {
    if head.get("format").and_then(Value::as_str) != Some(FORMAT) {
        return Err(format!("format: must be \"{FORMAT}\", before the messages"));
    }
    if head.get("version").and_then(Value::as_u64) != Some(VERSION) {
        return Err(format!("version: must be {VERSION}, which is what this program reads"));
    }
    for field in ["chat", "account"] {
        if !head.get(field).is_some_and(Value::is_string) {
            return Err(format!("{field}: must be a text, before the messages"));
        }
    }
    if !head.get("exported_ms").is_some_and(Value::is_u64) {
        return Err("exported_ms: must be a number, before the messages".to_owned());
    }
    Ok(())
}

/// The list of messages.
struct Messages<'a> {
    sender: &'a mpsc::Sender<Found>,
}

impl<'de> DeserializeSeed<'de> for Messages<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Messages<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of messages")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let (mut some, mut bytes) = (Vec::new(), 0);
        while let Some(mut message) = list.next_element::<Map<String, Value>>()? {
            message.retain(|field, _| FIELDS.contains(&field.as_str()));
            let message = Value::Object(message);
            bytes += message.to_string().len();
            some.push(message);
            if some.len() >= AT_ONCE || bytes >= AT_ONCE_BYTES {
                tell(self.sender, Found::Messages(std::mem::take(&mut some)))?;
                bytes = 0;
            }
        }
        tell(self.sender, Found::Messages(some))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn outcome(text: &'static str) -> Result<usize, String> {
        let (sender, mut found) = mpsc::channel(100);
        read(text.as_bytes(), &sender)?;
        drop(sender);
        let mut count = 0;
        while let Ok(part) = found.try_recv() {
            if let Found::Messages(messages) = part {
                count += messages.len();
            }
        }
        Ok(count)
    }

    #[test]
    fn a_file_is_read_and_a_bad_one_is_refused_with_field_and_line() {
        const HEAD: &str = "{\"format\": \"madang-export\", \"version\": 1, \"chat\": \"c\", \"account\": \"a\", \"exported_ms\": 1,\n";
        let whole = |tail: &str| -> &'static str { Box::leak(format!("{HEAD}{tail}").into_boxed_str()) };
        assert_eq!(
            outcome(whole(
                "\"messages\": [{\"message\": \"m\", \"later\": 1}], \"later\": []}"
            )),
            Ok(1)
        );
        for (text, wanted) in [
            ("[]", "line 1"),
            ("{\"messages\": []}", "format:"),
            (
                "{\"format\": \"madang-export\", \"version\": 2, \"messages\": []}",
                "version:",
            ),
            (whole("\"name\": 1}"), "messages: are missing"),
            (whole("\"messages\": [\n7]}"), "line 3"),
            (whole("\"messages\": [{\"message\""), "line 2"),
            (whole("\"messages\": []} trailing"), "line 2"),
        ] {
            let error = outcome(text).unwrap_err();
            assert!(error.contains(wanted), "{error} lacks {wanted}");
        }
    }
}
