//! Nodes and relays as processes of their own, started by this program and ended with it.

use std::ffi::OsString;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::fault::{Fault, shown};
use crate::safe;
use crate::settings::{FILE_VARIABLE, KEYS};
use crate::show;
use crate::text::Texts;

/// Bytes of a log's end that an error shows.
const LOG_END_BYTES: i64 = 2048;

/// A process that printed `ready`. Dropping it ends it at once: exactly this one, by its handle.
#[derive(Debug)]
pub struct Running {
    name: String,
    child: Child,
    /// Kept open, so that the process can print.
    _stdout: Lines<BufReader<ChildStdout>>,
    ready: Value,
}

impl Running {
    /// Starts this very program with other arguments and waits until it prints its `ready` document; its standard error goes to the end
    /// of the file `log`.
    ///
    /// # Errors
    /// [`Fault::Failed`] with the end of the log, if it ends or says nothing within `deadline`.
    pub async fn start(name: &str, args: &[OsString], log: &Path, deadline: Duration) -> Result<Self, Fault> {
        let program = std::env::current_exe().map_err(|e| Fault::io(|t| t.to_find_program, &e))?;
        let stderr = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .map_err(|e| Fault::file(|t| t.to_write, log, &e))?;
        let mut command = Command::new(program);
        // What this user has configured is for their own node.
        for key in KEYS {
            command.env_remove(key.variable);
        }
        let mut child = command
            .env(FILE_VARIABLE, "")
            .args(args)
            .arg("--json")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .kill_on_drop(true)
            .spawn()
            .map_err(|e| Fault::io(|t| t.to_start_process, &e))?;
        let Some(stdout) = child.stdout.take() else {
            return Err(failed(name, |t| t.has_no_stdout, log));
        };
        let mut lines = BufReader::new(stdout).lines();
        match timeout(deadline, ready(&mut lines)).await {
            Ok(Some(ready)) => Ok(Self {
                name: name.to_owned(),
                child,
                _stdout: lines,
                ready,
            }),
            Ok(None) => Err(failed(name, |t| t.ended_early, log)),
            Err(_) => Err(failed(name, |t| t.not_ready, log)),
        }
    }

    /// Returns what it printed when it was ready.
    #[must_use]
    pub fn ready(&self) -> &Value {
        &self.ready
    }

    /// Returns the process id; `None` once it has ended.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Asks it to stop, as Ctrl-C does, and waits for its end.
    ///
    /// # Errors
    /// [`Fault::Failed`] if it doesn't end within `deadline`, or ends with an error.
    pub async fn stop(mut self, deadline: Duration) -> Result<(), Fault> {
        self.ask_to_stop().await?;
        let status = self.ended(deadline).await?;
        if status.success() {
            return Ok(());
        }
        let name = self.name.clone();
        Err(Fault::failed(move |t| (t.ended_badly)(&name, &status.to_string())))
    }

    /// Kills it, as `kill -9` does, and waits for its end.
    ///
    /// # Errors
    /// [`Fault::Failed`] if the system refuses or it doesn't end within `deadline`.
    pub async fn kill(mut self, deadline: Duration) -> Result<(), Fault> {
        self.child
            .start_kill()
            .map_err(|e| Fault::io(|t| t.to_end_process, &e))?;
        self.ended(deadline).await.map(|_| ())
    }

    async fn ended(&mut self, deadline: Duration) -> Result<ExitStatus, Fault> {
        match timeout(deadline, self.child.wait()).await {
            Ok(status) => status.map_err(|e| Fault::io(|t| t.to_await_process, &e)),
            Err(_) => {
                let name = self.name.clone();
                Err(Fault::failed(move |t| (t.does_not_end)(&name)))
            }
        }
    }

    /// The standard library can only kill; the shell's own `kill` is on every Unix. The id can't be another process's, since this child
    /// has not been waited for.
    #[cfg(unix)]
    async fn ask_to_stop(&mut self) -> Result<(), Fault> {
        let Some(id) = self.child.id() else {
            let name = self.name.clone();
            return Err(Fault::failed(move |t| (t.ended_by_itself)(&name)));
        };
        let asked = Command::new("/bin/sh")
            .args(["-c", "kill -s TERM \"$1\"", "sh", &id.to_string()])
            .stdin(Stdio::null())
            .status()
            .await
            .map_err(|e| Fault::io(|t| t.to_run_shell, &e))?;
        if asked.success() {
            return Ok(());
        }
        let name = self.name.clone();
        Err(Fault::failed(move |t| (t.cannot_ask_to_stop)(&name)))
    }

    #[cfg(not(unix))]
    async fn ask_to_stop(&mut self) -> Result<(), Fault> {
        self.child.start_kill().map_err(|e| Fault::io(|t| t.to_end_process, &e))
    }
}

/// Returns the end of a log, for people.
pub fn end_of(log: &Path) -> String {
    let read = || -> std::io::Result<String> {
        let mut file = std::fs::File::open(log)?;
        let length = i64::try_from(file.metadata()?.len()).unwrap_or(i64::MAX);
        file.seek(SeekFrom::End(-length.min(LOG_END_BYTES)))?;
        let mut end = Vec::new();
        file.read_to_end(&mut end)?;
        Ok(String::from_utf8_lossy(&end).into_owned())
    };
    read()
        .map(|text| safe::multiline(text.trim(), "  "))
        .unwrap_or_default()
}

async fn ready(lines: &mut Lines<BufReader<ChildStdout>>) -> Option<Value> {
    while let Ok(Some(line)) = lines.next_line().await {
        if let Ok(document) = serde_json::from_str::<Value>(&line)
            && show::text_of(&document, "event") == "ready"
        {
            return Some(document);
        }
    }
    None
}

fn failed(name: &str, what: fn(&Texts) -> &'static str, log: &Path) -> Fault {
    let (name, end, log) = (name.to_owned(), end_of(log), shown(log));
    Fault::failed(move |t| {
        let said = if end.is_empty() {
            (t.log_empty)(&log)
        } else {
            (t.log_ends)(&end)
        };
        format!("{name} {}; {said}", what(t))
    })
}
