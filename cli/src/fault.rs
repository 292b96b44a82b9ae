//! What can go wrong, in words a person can act on, and the exit code of each.

use std::fmt;
use std::path::{Path, PathBuf};

use madang_node::{FaultKind, NodeError};
use serde_json::{Value, json};

use crate::resolve::Sort;
use crate::safe;
use crate::text::{EN, Texts};

/// The command failed.
pub const EXIT_FAILED: u8 = 1;
/// The command line is wrong.
pub const EXIT_USAGE: u8 = 2;
/// No node is running for the data directory.
pub const EXIT_NO_NODE: u8 = 3;
/// Nothing fits the given id or name, or several do.
pub const EXIT_NOT_FOUND: u8 = 4;
/// The node refused.
pub const EXIT_REFUSED: u8 = 5;
/// The data directory is locked or can't be opened.
pub const EXIT_STORE: u8 = 6;
/// The configuration file or the environment holds what can't be used.
pub const EXIT_CONFIG: u8 = 7;

/// What happened and what to do, in whichever language it is asked for.
pub struct Message(Box<dyn Fn(&Texts) -> String + Send + Sync>);

impl Message {
    /// Makes one of a function of the texts.
    pub fn new(say: impl Fn(&Texts) -> String + Send + Sync + 'static) -> Self {
        Self(Box::new(say))
    }

    /// Says it.
    pub fn text(&self, t: &Texts) -> String {
        (self.0)(t)
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(&EN))
    }
}

/// An error of the command line.
#[derive(Debug)]
pub enum Fault {
    /// Anything without a family of its own.
    Failed(Message),
    /// Nothing answers for a data directory.
    NoNode {
        /// The directory.
        data: PathBuf,
    },
    /// Nothing fits.
    NotFound {
        /// What was looked for.
        sort: Sort,
        /// What the user typed.
        given: String,
    },
    /// Several fit.
    Ambiguous {
        /// What was looked for.
        sort: Sort,
        /// What the user typed.
        given: String,
        /// One indented line each.
        candidates: String,
    },
    /// The node answered with an error.
    Refused {
        /// The node's words, which say what to do.
        message: String,
        /// The stable code, as docs/methods.md lists them.
        code: String,
        /// `error.data` as the node sent it.
        data: Value,
    },
    /// A setting in the configuration file or the environment can't be used.
    Config(Message),
    /// A node or relay of this process ended with an error.
    Node(NodeError),
}

impl Fault {
    /// Builds the error without a family.
    pub fn failed(say: impl Fn(&Texts) -> String + Send + Sync + 'static) -> Self {
        Self::Failed(Message::new(say))
    }

    /// Builds the error of a setting.
    pub fn config(say: impl Fn(&Texts) -> String + Send + Sync + 'static) -> Self {
        Self::Config(Message::new(say))
    }

    /// Builds the error of a failed operation on the system; the verb names it in each language.
    pub fn io(what: fn(&Texts) -> &'static str, error: &std::io::Error) -> Self {
        let error = error.to_string();
        Self::failed(move |t| (t.failed_to)(what(t), "", &error))
    }

    /// Builds the error of a failed operation on a file.
    pub fn file(what: fn(&Texts) -> &'static str, path: &Path, error: &std::io::Error) -> Self {
        let (path, error) = (shown(path), error.to_string());
        Self::failed(move |t| (t.failed_to)(what(t), &path, &error))
    }

    /// Returns the process's exit code.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Failed(_) => EXIT_FAILED,
            Self::NoNode { .. } => EXIT_NO_NODE,
            Self::NotFound { .. } | Self::Ambiguous { .. } => EXIT_NOT_FOUND,
            Self::Refused { code, .. } if code == "not_found" => EXIT_NOT_FOUND,
            Self::Refused { .. } => EXIT_REFUSED,
            Self::Config(_) => EXIT_CONFIG,
            Self::Node(error) if error.kind() == FaultKind::Store => EXIT_STORE,
            Self::Node(_) => EXIT_FAILED,
        }
    }

    /// Says it to a person.
    #[must_use]
    pub fn text(&self, t: &Texts) -> String {
        match self {
            Self::Failed(message) | Self::Config(message) => message.text(t),
            Self::NoNode { data } => (t.no_node)(&shown(data)),
            Self::NotFound { sort, given } => (t.not_found)((sort.noun)(t), given, sort.list),
            Self::Ambiguous {
                sort,
                given,
                candidates,
            } => (t.ambiguous)((sort.noun)(t), given, candidates),
            Self::Refused { message, code, data } => (t.refused)(message, code, data),
            Self::Node(NodeError::Store { data, reason }) => {
                (t.store_unusable)(&shown(data), &safe::multiline(reason, ""))
            }
            Self::Node(NodeError::Config { field, reason }) => {
                (t.setting_unusable)(field, &safe::multiline(reason, ""))
            }
            Self::Node(NodeError::Network { reason }) => (t.network_unusable)(&safe::multiline(reason, "")),
            Self::Node(NodeError::Other { reason }) => (t.node_says)(&safe::multiline(reason, "")),
        }
    }

    /// Returns the one JSON document that `--json` prints on standard error; the same in every language.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut error = json!({ "exit_code": self.exit_code(), "message": self.text(&EN) });
        if let (Self::Refused { data, .. }, Some(fields)) = (self, error.as_object_mut()) {
            fields.insert("data".to_owned(), data.clone());
        }
        json!({ "error": error })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(&EN))
    }
}

impl std::error::Error for Fault {}

impl From<NodeError> for Fault {
    fn from(error: NodeError) -> Self {
        Self::Node(error)
    }
}

/// A path as it is shown.
pub fn shown(path: &Path) -> String {
    safe::line(&path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::KO;

    fn refused(code: &str) -> Fault {
        Fault::Refused {
            message: "no".to_owned(),
            code: code.to_owned(),
            data: json!({ "code": code }),
        }
    }

    #[test]
    fn each_family_has_its_exit_code() {
        let store = NodeError::Store {
            data: "d".into(),
            reason: "locked".to_owned(),
        };
        let config = NodeError::Config {
            field: "--listen",
            reason: "bad".to_owned(),
        };
        assert_eq!(Fault::failed(|_| String::new()).exit_code(), 1);
        assert_eq!(Fault::NoNode { data: "d".into() }.exit_code(), 3);
        assert_eq!(refused("not_found").exit_code(), 4);
        assert_eq!(refused("invite_expired").exit_code(), 5);
        assert_eq!(Fault::Node(store).exit_code(), 6);
        assert_eq!(Fault::config(|_| String::new()).exit_code(), 7);
        assert_eq!(Fault::Node(config).exit_code(), 1);
    }

    #[test]
    fn errors_say_what_to_do() {
        let absent = Fault::NoNode { data: "/x/y".into() }.to_string();
        assert_eq!(
            absent,
            "no node is running for /x/y; start one with `madang up --data /x/y`"
        );
        assert_eq!(
            refused("own_invite").to_string(),
            "refused by the node: no (own_invite)"
        );
    }

    #[test]
    fn json_carries_the_nodes_code_and_stays_english() {
        let shown = refused("too_large").to_json();
        assert_eq!(shown.pointer("/error/data/code"), Some(&json!("too_large")));
        assert_eq!(shown.pointer("/error/exit_code"), Some(&json!(5)));
        assert_eq!(
            shown.pointer("/error/message"),
            Some(&json!("refused by the node: no (too_large)"))
        );
        assert_ne!(refused("too_large").text(&KO), refused("too_large").text(&EN));
    }

    #[test]
    fn what_a_later_node_refuses_keeps_its_words() {
        assert!(refused("brand_new").text(&KO).contains("no (brand_new)"));
    }
}
