//! Standard output: lines for people, or JSON documents.

use std::io::Write as _;

use serde_json::Value;

use crate::fault::Fault;

/// Where a command prints, and in which of the two forms.
#[derive(Debug)]
pub struct Out {
    json: bool,
}

impl Out {
    /// Prints JSON if `json`, else lines for people.
    #[must_use]
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// Returns whether JSON is printed.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Prints the JSON document, or the text that `human` makes, with a line end; flushed, since readers wait for lines.
    ///
    /// # Errors
    /// [`Fault::Failed`] if standard output is gone.
    pub fn print(&self, document: &Value, human: impl FnOnce() -> String) -> Result<(), Fault> {
        let text = if self.json { document.to_string() } else { human() };
        if text.is_empty() {
            return Ok(());
        }
        let mut stdout = std::io::stdout().lock();
        writeln!(stdout, "{text}")
            .and_then(|()| stdout.flush())
            .map_err(|e| Fault::io("write to standard output", &e))
    }

    /// Prints a remark for people on standard error, so that what is on standard output can be used as it is.
    pub fn remark(&self, text: &str) {
        if self.json {
            return;
        }
        // A remark that nobody can see is no fault.
        drop(writeln!(std::io::stderr().lock(), "{text}"));
    }
}
