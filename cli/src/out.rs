//! Standard output: lines for people, or JSON documents.

use std::fmt;
use std::io::{IsTerminal as _, Write};
use std::sync::{Mutex, PoisonError};

use anstream::{AutoStream, ColorChoice};
use serde_json::Value;

use crate::fault::Fault;
use crate::layout;
use crate::progress::{Bars, Progress};
use crate::text::Texts;

/// Columns of the narrowest terminal for which lines are broken; on a narrower one they run on (guess).
const MIN_WIDTH: usize = 20;

/// Where a command prints, in which of the two forms, and in which language.
pub struct Out {
    json: bool,
    texts: &'static Texts,
    colour: ColorChoice,
    width: Option<usize>,
    bars: Bars,
    sink: Mutex<Box<dyn Write + Send>>,
}

impl Out {
    /// Prints to standard output: JSON if `json`, else lines for people.
    #[must_use]
    pub fn new(json: bool, texts: &'static Texts, colour: ColorChoice) -> Self {
        let stdout = AutoStream::new(std::io::stdout(), chosen(colour, &std::io::stdout()));
        let width = std::io::stdout().is_terminal().then(|| {
            let (_, columns) = console::Term::stdout().size();
            usize::from(columns)
        });
        Self {
            json,
            texts,
            colour,
            width: width.filter(|columns| *columns >= MIN_WIDTH),
            bars: Bars::new(json),
            sink: Mutex::new(Box::new(stdout)),
        }
    }

    /// Prints to `sink`, without colours.
    #[cfg(test)]
    #[must_use]
    pub fn to(json: bool, texts: &'static Texts, sink: impl Write + Send + 'static) -> Self {
        Self {
            json,
            texts,
            colour: ColorChoice::Never,
            width: None,
            bars: Bars::hidden(),
            sink: Mutex::new(Box::new(anstream::StripStream::new(
                Box::new(sink) as Box<dyn Write + Send>
            ))),
        }
    }

    /// Returns the texts of the language.
    #[must_use]
    pub fn t(&self) -> &'static Texts {
        self.texts
    }

    /// Returns whether JSON is printed.
    #[must_use]
    pub fn json(&self) -> bool {
        self.json
    }

    /// Returns the columns of the terminal; none if it is none, or too narrow to count.
    #[must_use]
    pub fn width(&self) -> Option<usize> {
        self.width
    }

    /// Prints the JSON document, or the text that `human` makes, with a line end; flushed, since readers wait for lines.
    ///
    /// # Errors
    /// [`Fault::Failed`] if standard output is gone.
    pub fn print(&self, document: &Value, human: impl FnOnce() -> String) -> Result<(), Fault> {
        let text = if self.json { document.to_string() } else { human() };
        let mut sink = self.sink.lock().unwrap_or_else(PoisonError::into_inner);
        self.bars
            .aside(|| writeln!(sink, "{text}").and_then(|()| sink.flush()))
            .map_err(|e| Fault::io(|t| t.to_write_stdout, &e))
    }

    /// Returns rows as aligned lines that fit the terminal.
    #[must_use]
    pub fn table(&self, rows: &[Vec<String>]) -> String {
        layout::table(rows, self.width)
    }

    /// Returns a text whose lines fit the terminal; what is broken off goes on behind `indent`.
    #[must_use]
    pub fn wrapped(&self, text: &str, indent: &str) -> String {
        layout::wrapped(text, self.width, indent)
    }

    /// Prints a remark for people on standard error, so that what is on standard output can be used as it is.
    pub fn remark(&self, text: &str) {
        if self.json {
            return;
        }
        let text = self.wrapped(text, "");
        // A remark that nobody can see is no fault.
        drop(self.bars.aside(|| writeln!(std::io::stderr().lock(), "{text}")));
    }

    /// Returns whether progress is shown.
    #[must_use]
    pub fn shows_progress(&self) -> bool {
        self.bars.are_seen()
    }

    /// Begins to show a person how far a transfer is.
    #[must_use]
    pub fn transfer(&self, text: String, length_bytes: u64) -> Progress {
        self.bars.transfer(text, length_bytes)
    }

    /// Begins to show a person that something takes a while.
    #[must_use]
    pub fn progress(&self, text: impl Into<String>) -> Progress {
        self.bars.begin(text.into())
    }

    /// Returns a writer of standard error that keeps out of the way of progress, for the log, and whether it takes colours.
    pub fn log_writer(&self) -> (impl Fn() -> LogLine + Send + Sync + 'static, bool) {
        let bars = self.bars.clone();
        let coloured = chosen(self.colour, &std::io::stderr()) != ColorChoice::Never;
        (move || LogLine(bars.clone()), coloured)
    }

    /// Reports why the command failed, on standard error.
    pub fn report(&self, fault: &Fault) {
        let stderr = std::io::stderr().lock();
        let mut err = AutoStream::new(stderr, chosen(self.colour, &std::io::stderr()));
        let written = if self.json {
            writeln!(err, "{}", fault.to_json())
        } else {
            let text = fault.text(self.texts);
            writeln!(err, "{}: {}", red(self.texts.error), self.wrapped(&text, ""))
        };
        // The exit code still tells a caller whose standard error is gone.
        drop(written);
    }
}

impl Out {
    /// Reports what is wrong with the command line, on standard error; in English as the parser says it where there is no text of ours.
    pub fn report_usage(&self, error: &clap::Error, own: &Option<String>) {
        let mut err = AutoStream::new(std::io::stderr().lock(), chosen(self.colour, &std::io::stderr()));
        let written = match own {
            _ if self.json => {
                let text = error.render().to_string();
                let message = text.strip_prefix("error: ").unwrap_or(&text).trim_end();
                let document = serde_json::json!({ "error": { "exit_code": error.exit_code(), "message": message } });
                writeln!(err, "{document}")
            }
            Some(own) => writeln!(err, "{}: {}", red(self.texts.error), self.wrapped(own, "")),
            None => write!(err, "{}", error.render().ansi()),
        };
        // The exit code still tells a caller whose standard error is gone.
        drop(written);
    }
}

/// One event of the log on its way to standard error.
#[derive(Debug)]
pub struct LogLine(Bars);

impl Write for LogLine {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.aside(|| std::io::stderr().lock().write(bytes))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stderr().lock().flush()
    }
}

impl fmt::Debug for Out {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Out").field("json", &self.json).finish_non_exhaustive()
    }
}

/// What `auto` comes to for a stream: NO_COLOR, CLICOLOR_FORCE and whether it is a terminal.
fn chosen(colour: ColorChoice, stream: &impl anstream::stream::RawStream) -> ColorChoice {
    match colour {
        ColorChoice::Auto => AutoStream::choice(stream),
        given => given,
    }
}

/// Returns a word in red, where colours are shown.
#[must_use]
pub fn red(word: &str) -> String {
    format!("\u{1b}[1;31m{word}\u{1b}[0m")
}

/// Returns a word in green, where colours are shown.
#[must_use]
pub fn green(word: &str) -> String {
    format!("\u{1b}[32m{word}\u{1b}[0m")
}
