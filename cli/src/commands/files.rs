//! Files: what a message with them says, and saving those of another.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::put;
use crate::client::Client;
use crate::fault::{Fault, shown};
use crate::out::Out;
use crate::show::{field, items_of, number, text_of};
use crate::transfer::{self, Broken, Target};

/// Endings by which a file is told, with kind and media type.
const KNOWN: [(&str, &str, &str); 18] = [
    ("jpg", "image", "image/jpeg"),
    ("jpeg", "image", "image/jpeg"),
    ("png", "image", "image/png"),
    ("webp", "image", "image/webp"),
    ("gif", "image", "image/gif"),
    ("wav", "voice", "audio/wav"),
    ("ogg", "voice", "audio/ogg"),
    ("opus", "voice", "audio/ogg"),
    ("mp3", "file", "audio/mpeg"),
    ("mp4", "file", "video/mp4"),
    ("pdf", "file", "application/pdf"),
    ("txt", "file", "text/plain"),
    ("md", "file", "text/markdown"),
    ("csv", "file", "text/csv"),
    ("html", "file", "text/html"),
    ("json", "file", "application/json"),
    ("zip", "file", "application/zip"),
    ("gz", "file", "application/gzip"),
];

/// Damaged parts of a file that are waited for, each found by one reading (guess: a disk with more has lost more than files).
const MENDS: usize = 16;

/// How files are sent.
#[derive(Clone, Copy)]
pub(super) struct How {
    /// All as plain files.
    pub as_files: bool,
    /// With what images tell of where they were taken.
    pub keep_metadata: bool,
}

/// Uploads files and gives the body that names them.
pub(super) async fn body(client: &Client, paths: &[PathBuf], text: &str, how: How, out: &Out) -> Result<Value, Fault> {
    let mut files = Vec::new();
    let mut kind = "file";
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let ending = path
            .extension()
            .unwrap_or_default()
            .to_string_lossy()
            .to_ascii_lowercase();
        let known = KNOWN.iter().find(|(known, _, _)| *known == ending);
        let (told, media_type) = known.map_or(("file", "application/octet-stream"), |(_, kind, media)| (kind, media));
        let strip = told == "image" && !how.as_files && !how.keep_metadata;
        // The node may have been started again since the last one.
        let blob = transfer::upload(&client.again()?, path, strip, out).await?;
        kind = if how.as_files { "file" } else { told };
        let mut file = json!({ "blob": blob, "name": name, "media_type": media_type });
        if how.as_files && told == "image" {
            // The node takes what is no image by its type as it is.
            put(&mut file, "media_type", json!("application/octet-stream"));
        }
        if how.keep_metadata {
            put(&mut file, "keep_metadata", json!(true));
        }
        files.push(file);
    }
    Ok(match files.pop() {
        Some(file) if files.is_empty() => json!({ "kind": kind, "file": file, "text": text }),
        last => {
            files.extend(last);
            json!({ "kind": "album", "files": files, "text": text })
        }
    })
}

/// Waits for a file and writes it. A part that turns out to be damaged on the node's disk is fetched again by it, and the file then read again.
async fn saved_file(
    client: &Client,
    blob: &str,
    to: &Target,
    (name, length): (&str, u64),
    out: &Out,
) -> Result<PathBuf, Fault> {
    let mut tries = 0;
    loop {
        {
            let progress = out.transfer((out.t().fetching_file)(name), length);
            transfer::fetched(client, blob, &progress).await?;
        }
        let progress = out.transfer((out.t().saving_file)(name), length);
        match transfer::download(client, blob, to, &progress).await {
            Ok(path) => return Ok(path),
            Err(Broken::Fault(fault)) => return Err(fault),
            // What the node lacks it fetches again, and may have by now.
            Err(Broken::Gone) => tries += 1,
        }
        drop(progress);
        let stat = client.call("blob.stat", json!({ "blob": blob })).await?;
        if tries > MENDS || !["fetching", "fetched"].contains(&text_of(&stat, "state")) {
            return Err(Fault::failed(|t| t.file_broken.to_owned()));
        }
    }
}

/// The files that a body names, and the pictures of its cards.
pub(super) fn named(body: &Value) -> Vec<&Value> {
    match body.get("file") {
        Some(file) => vec![file],
        None => {
            let pictures = cards(body).into_iter().filter_map(|card| card.get("image"));
            items_of(body, "files").iter().chain(pictures).collect()
        }
    }
}

/// The cards of a post.
pub(super) fn cards(body: &Value) -> Vec<&Value> {
    let mut cards: Vec<&Value> = items_of(body, "cards").iter().collect();
    cards.extend(body.get("card"));
    cards.extend(body.get("coupon").and_then(|coupon| coupon.get("card")));
    cards
}

/// The same, to be changed.
pub(super) fn named_mut(body: &mut Value) -> Vec<&mut Value> {
    let Some(body) = body.as_object_mut() else {
        return Vec::new();
    };
    let named = body.iter_mut().filter_map(|(name, value)| match name.as_str() {
        "file" => Some(vec![value]),
        "files" => Some(value.as_array_mut()?.iter_mut().collect()),
        _ => None,
    });
    named.flatten().collect()
}

/// Fetches the files of a message and writes them to disk.
pub(super) async fn save(client: &Client, message: &str, to: Option<&Path>, out: &Out) -> Result<(), Fault> {
    let found = client.call("message.get", json!({ "message": message })).await?;
    let said = found.get("body").unwrap_or(&Value::Null);
    let files = named(said);
    if files.is_empty() {
        return Err(Fault::failed(|t| t.no_files.to_owned()));
    }
    client.call("blob.fetch", json!({ "message": message })).await?;
    save_all(client, &files, to, out).await
}

/// Waits for files that are being fetched and writes them to disk.
pub(super) async fn save_all(client: &Client, files: &[&Value], to: Option<&Path>, out: &Out) -> Result<(), Fault> {
    let mut saved = Vec::new();
    for file in files {
        let (blob, length) = (text_of(file, "blob"), number(file, "length_bytes"));
        let name = field(file, "name");
        let path = saved_file(client, blob, &Target::of(to, &name), (&name, length), out).await?;
        saved.push(json!({ "path": path.to_string_lossy(), "blob": blob, "length_bytes": length }));
    }
    out.print(&json!({ "items": saved }), || {
        let lines = saved
            .iter()
            .map(|item| (out.t().saved)(&shown(Path::new(text_of(item, "path")))));
        lines.collect::<Vec<_>>().join("\n")
    })
}
