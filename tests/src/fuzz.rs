//! Every decoder of bytes that come from elsewhere as a target, its corpus, and a runner that makes new inputs of it.
//!
//! The targets of the protocol are those that its own tests replay (`protocol/tests/decoders`); the JSON-RPC's is here.

mod runner;

#[path = "../../protocol/tests/decoders/mutate.rs"]
mod mutate;
#[path = "../../protocol/tests/common/session.rs"]
mod session;
#[path = "../../protocol/tests/decoders/targets.rs"]
mod targets;
#[path = "../../protocol/tests/common/village.rs"]
mod village;

use std::path::{Path, PathBuf};

pub use runner::{Found, Meter, Run, run};
pub use targets::Target;

/// Bodies of requests to the JSON-RPC.
static RPC: Target = Target::new("rpc", rpc, requests).allowing(64 * 1024);

/// Returns all targets.
pub fn targets() -> impl Iterator<Item = &'static Target> {
    targets::TARGETS.iter().chain([&RPC])
}

/// Returns the folder of a target's corpus; `ok-…` must be accepted, `bad-…` refused.
#[must_use]
pub fn corpus(target: &Target) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let of_protocol = root.join("../protocol/fuzz/corpus").join(target.name);
    if of_protocol.is_dir() {
        return of_protocol;
    }
    root.join("corpus").join(target.name)
}

/// Returns the folder of inputs that made a target fail, which are replayed with the corpus.
#[must_use]
pub fn crashes(target: &Target) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus/crashes")
        .join(target.name)
}

/// Reads the files of a folder: names and contents, in the order of their names; none if there is no such folder.
#[must_use]
pub fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read(path).unwrap())
        })
        .collect();
    files.sort();
    files
}

fn rpc(body: &[u8]) -> Option<Vec<u8>> {
    madang_node::rpc::fuzz::accepts(body).then(|| body.to_vec())
}

fn requests() -> Vec<Vec<u8>> {
    let id = "ab".repeat(32);
    let calls = [
        ("node.info", String::new()),
        ("contact.invite", r#"{"multi_use":true,"expires_in_s":60}"#.into()),
        ("contact.accept", r#"{"invite":"madang:invite"}"#.into()),
        ("contact.requests", r#"{"after":"a","limit":10}"#.into()),
        ("contact.approve", format!(r#"{{"request":"{id}"}}"#)),
        ("contact.decline", format!(r#"{{"request":"{id}"}}"#)),
        (
            "chat.invite",
            format!(r#"{{"chat":"{id}","approval":false,"expires_in_s":60,"max_uses":3}}"#),
        ),
        ("chat.uninvite", r#"{"invite":"madang:invite"}"#.into()),
        (
            "message.send",
            format!(r#"{{"chat":"{id}","body":{{"kind":"text","text":"hello"}},"idempotency_key":"k"}}"#),
        ),
        ("message.list", format!(r#"{{"chat":"{id}","before":"b","limit":100}}"#)),
        ("message.mark_read", format!(r#"{{"chat":"{id}","through":"{id}"}}"#)),
        ("event.poll", r#"{"after":"17","limit":1,"timeout_ms":30000}"#.into()),
        ("event.subscribe", r#"{"after":"0"}"#.into()),
    ];
    let mut bodies: Vec<String> = calls
        .iter()
        .map(|(method, params)| {
            let params = if params.is_empty() {
                String::new()
            } else {
                format!(r#","params":{params}"#)
            };
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}"{params}}}"#)
        })
        .collect();
    bodies.push(format!("[{}]", bodies.join(",")));
    bodies.into_iter().map(String::into_bytes).collect()
}
