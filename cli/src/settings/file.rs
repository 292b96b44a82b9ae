//! The configuration file: read whole, written whole, and what is not understood is kept.

use std::io::{ErrorKind, Read as _, Write as _};
use std::path::Path;

use toml_edit::{DocumentMut, Item, Table, TableLike, Value};

use super::MAX_FILE_BYTES;
use crate::fault::{Fault, shown};
use crate::safe;

/// Reads a file; an absent one is empty.
pub fn read(path: &Path) -> Result<DocumentMut, Fault> {
    let unreadable = |why: String| {
        let path = shown(path);
        Fault::config(move |t| (t.config_unreadable)(&path, &why))
    };
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(DocumentMut::new()),
        Err(e) => return Err(unreadable(e.to_string())),
    };
    let mut text = String::new();
    file.take(MAX_FILE_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(|e| unreadable(e.to_string()))?;
    if text.len() as u64 > MAX_FILE_BYTES {
        let path = shown(path);
        return Err(Fault::config(move |t| {
            (t.config_unreadable)(&path, &(t.over_bytes)(MAX_FILE_BYTES))
        }));
    }
    text.parse()
        .map_err(|e: toml_edit::TomlError| unreadable(safe::multiline(e.to_string().trim_end(), "  ")))
}

/// Writes a file so that a reader, or a power cut, finds the old or the new one whole. A link is followed, not replaced.
pub fn write(path: &Path, document: &DocumentMut) -> Result<(), Fault> {
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let dir = target.parent().filter(|dir| !dir.as_os_str().is_empty());
    let dir = dir.unwrap_or_else(|| Path::new("."));
    let fault = |e: &std::io::Error| Fault::file(|t| t.to_write, &target, e);
    std::fs::create_dir_all(dir).map_err(|e| fault(&e))?;
    let mut new = tempfile::NamedTempFile::new_in(dir).map_err(|e| fault(&e))?;
    if let Ok(old) = std::fs::metadata(&target) {
        new.as_file()
            .set_permissions(old.permissions())
            .map_err(|e| fault(&e))?;
    }
    new.write_all(document.to_string().as_bytes()).map_err(|e| fault(&e))?;
    new.as_file().sync_all().map_err(|e| fault(&e))?;
    new.persist(&target).map_err(|e| fault(&e.error))?;
    Ok(())
}

/// The names of all values of a document, with dots where they are in tables.
pub fn leaves(document: &DocumentMut) -> Vec<String> {
    let mut names = Vec::new();
    collect(document.as_table(), "", &mut names);
    names
}

fn collect(table: &dyn TableLike, before: &str, names: &mut Vec<String>) {
    for (name, item) in table.iter() {
        let name = format!("{before}{name}");
        match item.as_table_like() {
            Some(inner) => collect(inner, &format!("{name}."), names),
            None => names.push(name),
        }
    }
}

/// The value behind a dotted name.
pub fn item<'a>(document: &'a DocumentMut, name: &str) -> Option<&'a Item> {
    let mut at = document.as_item();
    for part in name.split('.') {
        at = at.as_table_like()?.get(part)?;
    }
    Some(at)
}

/// Puts a value behind a dotted name; `None` if something else than a table is on the way. What was said about the old one stays.
pub fn put(document: &mut DocumentMut, name: &str, mut value: Value) -> Option<()> {
    let mut at: &mut dyn TableLike = document.as_table_mut();
    let mut parts = name.split('.').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_some() {
            at = at
                .entry(part)
                .or_insert_with(|| Item::Table(Table::new()))
                .as_table_like_mut()?;
            continue;
        }
        if let Some(old) = at.get(part).and_then(Item::as_value) {
            *value.decor_mut() = old.decor().clone();
        }
        at.insert(part, Item::Value(value));
        break;
    }
    Some(())
}

/// Removes the value behind a dotted name; returns whether it was there.
pub fn remove(document: &mut DocumentMut, name: &str) -> bool {
    let mut at: &mut dyn TableLike = document.as_table_mut();
    let mut parts = name.split('.').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return at.remove(part).is_some();
        }
        match at.get_mut(part).and_then(Item::as_table_like_mut) {
            Some(inner) => at = inner,
            None => return false,
        }
    }
    false
}
