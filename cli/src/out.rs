//! Standard output: lines for people, or JSON documents.

use std::fmt;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use crate::fault::Fault;

/// Where a command prints, and in which of the two forms.
pub struct Out {
    json: bool,
    sink: Mutex<Box<dyn Write + Send>>,
}

impl Out {
    /// Prints to standard output: JSON if `json`, else lines for people.
    #[must_use]
    pub fn new(json: bool) -> Self {
        Self::to(json, Box::new(std::io::stdout()))
    }

    /// Prints to `sink`.
    #[must_use]
    pub fn to(json: bool, sink: Box<dyn Write + Send>) -> Self {
        Self {
            json,
            sink: Mutex::new(sink),
        }
    }

    /// Prints the JSON document, or the text that `human` makes, with a line end; flushed, since readers wait for lines.
    ///
    /// # Errors
    /// [`Fault::Failed`] if standard output is gone.
    pub fn print(&self, document: &Value, human: impl FnOnce() -> String) -> Result<(), Fault> {
        let text = if self.json { document.to_string() } else { human() };
        let mut sink = self.sink.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(sink, "{text}")
            .and_then(|()| sink.flush())
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

impl fmt::Debug for Out {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Out").field("json", &self.json).finish_non_exhaustive()
    }
}
