//! Progress of what takes long: one line at the bottom of a terminal, gone when the work is done.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Time between two pictures of the line (guess).
const TICK: Duration = Duration::from_millis(120);

/// Where progress shows: on standard error, if that is a terminal and nobody asked for JSON.
#[derive(Clone, Debug)]
pub struct Bars(Option<MultiProgress>);

impl Bars {
    /// Shows it where a person looks.
    pub fn new(json: bool) -> Self {
        let seen = !json && std::io::stderr().is_terminal();
        Self(seen.then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr())))
    }

    /// Shows none.
    #[cfg(test)]
    pub fn hidden() -> Self {
        Self(None)
    }

    /// Returns whether anybody sees it.
    pub fn are_seen(&self) -> bool {
        self.0.is_some()
    }

    /// Begins to show a line that moves, until what is returned is dropped.
    pub fn begin(&self, text: String) -> Progress {
        Progress(self.0.as_ref().map(|bars| {
            let bar = bars.add(ProgressBar::new_spinner());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
                bar.set_style(style);
            }
            bar.set_message(text);
            bar.enable_steady_tick(TICK);
            bar
        }))
    }

    /// Begins to show how many of some bytes are done, with rate and remaining time, until what is returned is dropped.
    pub fn transfer(&self, text: String, length_bytes: u64) -> Progress {
        Progress(self.0.as_ref().map(|bars| {
            let bar = bars.add(ProgressBar::new(length_bytes));
            let template = "{msg}  {bar:24}  {binary_bytes}/{binary_total_bytes}  {binary_bytes_per_sec}  {eta}";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar.set_message(text);
            bar.enable_steady_tick(TICK);
            bar
        }))
    }

    /// Does something that prints while no line is shown.
    pub fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.0 {
            Some(bars) => bars.suspend(print),
            None => print(),
        }
    }
}

/// A line that shows how far some work is.
#[derive(Debug)]
pub struct Progress(Option<ProgressBar>);

impl Progress {
    /// Says how far it is.
    pub fn say(&self, text: String) {
        if let Some(bar) = &self.0 {
            bar.set_message(text);
        }
    }
}

impl Progress {
    /// Says how many bytes are done.
    pub fn at(&self, bytes: u64) {
        if let Some(bar) = &self.0 {
            bar.set_position(bytes);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
