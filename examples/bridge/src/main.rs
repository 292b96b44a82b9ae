//! Posts the files that appear in a directory into a chat, and moves them to `posted` in it.
//!
//! It may be killed at any moment, as may the node. A file is posted once: what is sent again after a kill has the same idempotency key,
//! and the node says that it knows it.

mod node;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use node::{Node, Refused};
use serde_json::json;

const NAME: &str = "Bridge";
const USAGE: &str = "usage: madang-bridge --data DIR --chat CHAT --from DIR [--token-file FILE]\n\n  \
    --data DIR         data directory of the node\n  \
    --chat CHAT        the chat's id (madang chat list)\n  \
    --from DIR         directory whose files are posted\n  \
    --token-file FILE  keeps the bridge's own token [default: bridge.token]";
/// Where posted files are put.
const POSTED: &str = "posted";
/// Time between two looks. A file that changed in between is still being written.
const LOOK: Duration = Duration::from_secs(1);

fn main() {
    let Some(bridge) = Bridge::new(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        std::process::exit(2);
    };
    if let Err(error) = bridge.run() {
        eprintln!("{error}");
        std::process::exit(1);
    }
}

struct Bridge {
    data: PathBuf,
    chat: String,
    from: PathBuf,
    token_file: PathBuf,
}

/// A file as it was at a look.
#[derive(Clone, PartialEq, Eq)]
struct Found {
    path: PathBuf,
    name: String,
    bytes: u64,
    changed: SystemTime,
}

impl Bridge {
    fn new(mut args: impl Iterator<Item = String>) -> Option<Self> {
        let (mut data, mut chat, mut from, mut token_file) = (None, None, None, None);
        while let Some(flag) = args.next() {
            let place = match flag.as_str() {
                "--data" => &mut data,
                "--chat" => &mut chat,
                "--from" => &mut from,
                "--token-file" => &mut token_file,
                _ => return None,
            };
            *place = Some(args.next()?);
        }
        Some(Self {
            data: data?.into(),
            chat: chat?,
            from: from?.into(),
            token_file: token_file.unwrap_or_else(|| "bridge.token".to_owned()).into(),
        })
    }

    fn run(&self) -> Result<(), Box<dyn Error>> {
        fs::create_dir_all(self.from.join(POSTED))?;
        let node = Node::new(&self.data, self.token()?);
        println!("waiting for you: madang app approve {NAME}");
        node.approved()?;
        println!("ready");
        let mut before = Vec::new();
        loop {
            let found = self.look()?;
            for file in found.iter().filter(|file| before.contains(*file)) {
                self.post(&node, file)?;
            }
            before = found;
            sleep(LOOK);
        }
    }

    /// The bridge's own token: the one that it has, or one that it asks for. It may write files, and send to this chat.
    fn token(&self) -> Result<String, Box<dyn Error>> {
        if let Ok(token) = fs::read_to_string(&self.token_file) {
            return Ok(token.trim().to_owned());
        }
        let scopes = ["blob:write".to_owned(), format!("chat:{}:send", self.chat)];
        let token = node::request_token(&self.data, NAME, &scopes)?;
        node::keep_private(&self.token_file, &token)?;
        Ok(token)
    }

    /// The files of the directory, hidden ones left out, the oldest first.
    fn look(&self) -> Result<Vec<Found>, Box<dyn Error>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.from)? {
            let entry = entry?;
            // It may be gone already.
            let Ok(meta) = entry.metadata() else { continue };
            let name = entry.file_name().to_string_lossy().into_owned();
            if meta.is_file() && !name.starts_with('.') {
                found.push(Found {
                    path: entry.path(),
                    name,
                    bytes: meta.len(),
                    changed: meta.modified()?,
                });
            }
        }
        found.sort_by_key(|file| (file.changed, file.name.clone()));
        Ok(found)
    }

    fn post(&self, node: &Node, file: &Found) -> Result<(), Box<dyn Error>> {
        let upload = match node.upload(&file.path, file.bytes) {
            Ok(upload) => upload,
            // Its turn comes when it has stopped changing.
            Err(error) if node::is_of_the_file(&*error) => {
                println!("not yet {}: {error}", file.name);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let changed = file.changed.duration_since(UNIX_EPOCH)?.as_nanos();
        let sent = node.persist(
            "message.send",
            &json!({
                "chat": self.chat,
                "body": { "kind": "file", "file": { "blob": upload, "name": file.name } },
                "idempotency_key": format!("bridge {} {} {changed}", file.name, file.bytes),
            }),
        );
        match sent {
            Ok(_) => {}
            // It was posted before a kill, with the content that was uploaded then.
            Err(error)
                if error
                    .downcast_ref::<Refused>()
                    .is_some_and(|refused| refused.is("idempotency_conflict")) =>
            {
                node.persist("blob.cancel", &json!({ "blob": upload }))?;
            }
            Err(error) => return Err(error),
        }
        fs::rename(&file.path, free(&self.from.join(POSTED), &file.name))?;
        println!("posted {}", file.name);
        Ok(())
    }
}

/// A name in a directory that no file has yet.
fn free(dir: &Path, name: &str) -> PathBuf {
    let mut path = dir.join(name);
    let mut number = 2;
    while path.exists() {
        path = dir.join(format!("{number} {name}"));
        number += 1;
    }
    path
}
