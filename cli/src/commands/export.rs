//! `madang export`: a chat as a directory with `messages.json` (docs/export.schema.json), a page for people, and the files that are here.
//! All is written as the messages are read, so that memory doesn't grow with the chat.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::page::Page;
use super::{files, put};
use crate::client::Client;
use crate::fault::Fault;
use crate::out::Out;
use crate::resolve::{self, CHAT};
use crate::show;
use crate::transfer::{self, Broken, Target};

/// What the format calls itself, and its version; an import refuses others.
pub(super) const FORMAT: &str = "madang-export";
pub(super) const VERSION: u64 = 1;
/// The file that an import reads.
pub(super) const MESSAGES: &str = "messages.json";
const PAGE: &str = "index.html";
/// The directory in it that has the files.
const FILES: &str = "files";
/// Messages asked for in one page (guess).
const AT_ONCE: u64 = 200;
/// What is exported of a message, and kept by who imports it: not who has it, nor what only this node knows.
pub(super) const FIELDS: [&str; 8] = [
    "message",
    "account",
    "name",
    "outgoing",
    "sent_ms",
    "body",
    "edited_ms",
    "reactions",
];
/// What is exported besides.
const PINNED: &str = "pinned";

pub(super) async fn export(client: &Client, chat: &str, to: Option<PathBuf>, out: &Out) -> Result<(), Fault> {
    let chats = client.list("chat.list").await?;
    let row = resolve::resolve(CHAT, chat, &chats)?;
    let id = show::text_of(row, "chat");
    let own = client.call("account.get", json!({})).await?;
    let dir = to.unwrap_or_else(|| PathBuf::from(format!("{}-export", file_name(row))));
    std::fs::create_dir(&dir).map_err(|error| Fault::file(|t| t.to_write, &dir, &error))?;
    let exported_ms = show::now_ms();

    let mut text = Sheet::create(&dir.join(MESSAGES))?;
    let mut page = Page::new(row, exported_ms, out.t());
    let mut shown = Sheet::create(&dir.join(PAGE))?;
    let head = json!({
        "format": FORMAT,
        "version": VERSION,
        "exported_ms": exported_ms,
        "account": row.pointer("/alias/account").or(own.get("account")),
        "chat": id,
        "name": row.get("name"),
        "members": row.get("members"),
    });
    // The messages go last, a line each, so that they can be written as they come.
    let head = head.to_string();
    text.write(&format!(
        "{},\n\"messages\": [",
        head.strip_suffix('}').unwrap_or(&head)
    ))?;
    shown.write(&page.head())?;
    let progress = out.progress((out.t().exporting)(0));
    let mut kept_files = Kept::new(&dir);
    let (mut count, mut params) = (0_u64, json!({ "chat": id, "at_ms": 0, "limit": AT_ONCE }));
    loop {
        let list = client.call("message.list", params).await?;
        for message in show::items_of(&list, "items") {
            let fields = FIELDS.into_iter().chain([PINNED]);
            let kept = fields.filter_map(|field| Some((field.to_owned(), message.get(field)?.clone())));
            let mut kept = Value::Object(kept.collect());
            for file in kept.get_mut("body").into_iter().flat_map(files::named_mut) {
                kept_files.keep(client, file, out).await?;
            }
            text.write(&format!("{}\n{kept}", if count > 0 { "," } else { "" }))?;
            shown.write(&page.message(&kept))?;
            count += 1;
        }
        progress.say((out.t().exporting)(count));
        match list.get("next").filter(|next| !next.is_null()) {
            Some(next) => params = json!({ "chat": id, "after": next, "limit": AT_ONCE }),
            None => break,
        }
    }
    text.write("\n]}\n")?;
    shown.write(&page.end())?;
    text.finish()?;
    shown.finish()?;
    drop(progress);
    let place = dir.display().to_string();
    let Kept { written, missing, .. } = kept_files;
    let document = json!({ "directory": place, "messages": count, "files": written, "files_missing": missing });
    out.print(&document, || (out.t().exported)(count, &place, written, missing))
}

/// The files of the messages.
struct Kept {
    dir: PathBuf,
    written: u64,
    /// Not here, or not whole.
    missing: u64,
}

impl Kept {
    fn new(export: &Path) -> Self {
        Self {
            dir: export.join(FILES),
            written: 0,
            missing: 0,
        }
    }

    /// Writes a file if it is here whole, and notes in it where; nothing is fetched, since nobody may have it any more.
    async fn keep(&mut self, client: &Client, file: &mut Value, out: &Out) -> Result<(), Fault> {
        std::fs::create_dir_all(&self.dir).map_err(|error| Fault::file(|t| t.to_write, &self.dir, &error))?;
        let blob = show::text_of(file, "blob").to_owned();
        let target = Target::of(Some(&self.dir), show::text_of(file, "name"));
        let (name, length) = (show::field(file, "name"), show::number(file, "length_bytes"));
        let progress = out.transfer((out.t().saving_file)(&name), length);
        match transfer::download(client, &blob, &target, &progress).await {
            Ok(path) => {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                put(file, "path", json!(format!("{FILES}/{name}")));
                self.written += 1;
            }
            // A damaged one is fetched again by the node; it isn't worth losing the export.
            Err(Broken::Gone) => self.missing += 1,
            Err(Broken::Fault(Fault::Refused { code, .. })) if code == "not_found" => self.missing += 1,
            Err(Broken::Fault(fault)) => return Err(fault),
        }
        Ok(())
    }
}

/// A file that is written from begin to end.
struct Sheet {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Sheet {
    fn create(path: &Path) -> Result<Self, Fault> {
        let file = File::create_new(path).map_err(|error| Fault::file(|t| t.to_write, path, &error))?;
        Ok(Self {
            path: path.to_owned(),
            file: BufWriter::new(file),
        })
    }

    fn write(&mut self, text: &str) -> Result<(), Fault> {
        let written = self.file.write_all(text.as_bytes());
        written.map_err(|error| Fault::file(|t| t.to_write, &self.path, &error))
    }

    fn finish(mut self) -> Result<(), Fault> {
        let flushed = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        flushed.map_err(|error| Fault::file(|t| t.to_write, &self.path, &error))
    }
}

/// A chat's name as a file's: letters, digits and few signs, so that no name leads elsewhere.
fn file_name(chat: &Value) -> String {
    let plain = |c: char| if c.is_alphanumeric() || c == '_' { c } else { '-' };
    let name: String = show::text_of(chat, "name").chars().take(40).map(plain).collect();
    match name.trim_matches('-') {
        "" => show::short(show::text_of(chat, "chat")),
        name => name.to_owned(),
    }
}
