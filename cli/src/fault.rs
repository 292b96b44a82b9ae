//! What can go wrong, in words a person can act on, and the exit code of each.

use std::path::{Path, PathBuf};

use madang_node::{FaultKind, NodeError};
use serde_json::{Value, json};

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

/// An error of the command line.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Anything without a family of its own.
    #[error("{message}")]
    Failed {
        /// What happened and what to do.
        message: String,
    },
    /// Nothing answers for a data directory.
    #[error("no node is running for {data}; start one with `madang up --data {data}`", data = data.display())]
    NoNode {
        /// The directory.
        data: PathBuf,
    },
    /// Nothing fits.
    #[error("no {what} fits `{given}`; see `madang {list}`")]
    NotFound {
        /// What was looked for.
        what: &'static str,
        /// What the user typed.
        given: String,
        /// The command that lists all.
        list: &'static str,
    },
    /// Several fit.
    #[error("`{given}` fits more than one {what}; give more of the id of one of these:{candidates}")]
    Ambiguous {
        /// What was looked for.
        what: &'static str,
        /// What the user typed.
        given: String,
        /// One indented line each.
        candidates: String,
    },
    /// The node answered with an error.
    #[error("refused by the node: {message} ({code})")]
    Refused {
        /// The node's words, which say what to do.
        message: String,
        /// The stable code, as docs/methods.md lists them.
        code: String,
        /// `error.data` as the node sent it.
        data: Value,
    },
    /// A node or relay of this process ended with an error.
    #[error(transparent)]
    Node(#[from] NodeError),
}

impl Fault {
    /// Builds the error of a failed operation on the system.
    pub fn io(what: &str, error: &std::io::Error) -> Self {
        Self::Failed {
            message: format!("can't {what}: {error}"),
        }
    }

    /// Builds the error of a failed operation on a file.
    pub fn file(what: &str, path: &Path, error: &std::io::Error) -> Self {
        Self::Failed {
            message: format!("can't {what} {}: {error}", path.display()),
        }
    }

    /// Returns the process's exit code.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Failed { .. } => EXIT_FAILED,
            Self::NoNode { .. } => EXIT_NO_NODE,
            Self::NotFound { .. } | Self::Ambiguous { .. } => EXIT_NOT_FOUND,
            Self::Refused { code, .. } if code == "not_found" => EXIT_NOT_FOUND,
            Self::Refused { .. } => EXIT_REFUSED,
            Self::Node(error) if error.kind() == FaultKind::Store => EXIT_STORE,
            Self::Node(_) => EXIT_FAILED,
        }
    }

    /// Returns the one JSON document that `--json` prints on standard error.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut error = json!({ "exit_code": self.exit_code(), "message": self.to_string() });
        if let (Self::Refused { data, .. }, Some(fields)) = (self, error.as_object_mut()) {
            fields.insert("data".to_owned(), data.clone());
        }
        json!({ "error": error })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(Fault::Failed { message: String::new() }.exit_code(), 1);
        assert_eq!(Fault::NoNode { data: "d".into() }.exit_code(), 3);
        assert_eq!(refused("not_found").exit_code(), 4);
        assert_eq!(refused("invite_expired").exit_code(), 5);
        assert_eq!(Fault::Node(store).exit_code(), 6);
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
    fn json_carries_the_nodes_code() {
        let shown = refused("too_large").to_json();
        assert_eq!(shown.pointer("/error/data/code"), Some(&json!("too_large")));
        assert_eq!(shown.pointer("/error/exit_code"), Some(&json!(5)));
    }
}
