//! Strings that others chose, made safe to show: they can neither steer the terminal, nor turn the text around them, nor pass for an
//! entry of their own, nor pass unmarked for another's name.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use unicode_security::confusable_detection::skeleton;

use crate::show::{short_account, text_of};
pub use madang_protocol::shown::{line, multiline};

/// The names of a list, by what they look like (UTS 39, section 4), so that one that looks like another's is marked.
#[derive(Debug, Default)]
pub struct Names {
    looks: BTreeMap<String, BTreeSet<String>>,
}

impl Names {
    /// Takes in the names of items, whose ids are in the field `id`.
    pub fn of(items: &[Value], id: &str) -> Self {
        let mut names = Self::default();
        names.add(items, id);
        names
    }

    /// Takes in further ones.
    pub fn add(&mut self, items: &[Value], id: &str) {
        for item in items {
            for look in looks(text_of(item, "name")) {
                self.looks.entry(look).or_default().insert(text_of(item, id).to_owned());
            }
        }
    }

    /// Returns the beginning of the id of somebody else whose name looks like this one.
    pub fn like(&self, name: &str, id: &str) -> Option<String> {
        let mut others = looks(name)
            .into_iter()
            .filter_map(|look| self.looks.get(&look))
            .flatten();
        others.find(|other| *other != id).map(|other| short_account(other))
    }
}

/// What a name looks like as it is, and in small letters; nothing if it is empty.
fn looks(name: &str) -> BTreeSet<String> {
    let name: String = name.split_whitespace().collect::<Vec<_>>().join(" ");
    [
        skeleton(&name).collect(),
        skeleton(&name.to_lowercase()).collect::<String>(),
    ]
    .into_iter()
    .filter(|look: &String| !look.is_empty())
    .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn f60_a_name_that_looks_like_a_contacts_is_found() {
        let contacts = [
            json!({ "account": "madang1aaaaaaaaaaaa", "name": "Alice" }),
            json!({ "account": "madang1bbbbbbbbbbbb", "name": "민지" }),
            json!({ "account": "madang1cccccccccccc", "name": " " }),
        ];
        let names = Names::of(&contacts, "account");
        let like = |name: &str| names.like(name, "madang1zzzz");
        for name in ["Alice", "alice", "Аlice", "Al\u{200b}ice", " Alice", "Ａlice", "ALICE"] {
            assert_eq!(like(name).as_deref(), Some("madang1aaaaaaaa…"), "{name}");
        }
        assert_eq!(like("민지").as_deref(), Some("madang1bbbbbbbb…"));
        assert_eq!(like("Alicia"), None);
        assert_eq!(like(""), None);
        assert_eq!(names.like("Alice", "madang1aaaaaaaaaaaa"), None);
    }
}
