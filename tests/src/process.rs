//! Child processes, ended by their handles and never by name.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;

use crate::world::DEADLINE;

/// What a tester has configured for their own node, and their language, change nothing here.
const PLAIN: [(&str, &str); 2] = [("MADANG_CONFIG", ""), ("MADANG_LANG", "en")];

/// A process that printed `ready`. Dropping it kills it.
#[derive(Debug)]
pub struct Process {
    child: Child,
    lines: Arc<watch::Sender<Vec<String>>>,
    ready: Value,
}

/// A process that ended before it was ready.
#[derive(Debug)]
pub struct Ended {
    /// How it ended.
    pub status: ExitStatus,
}

impl Process {
    /// Starts a program and waits until it prints `ready`, alone or as a JSON document. Its standard error and output go to the ends of
    /// the files `log` with the extensions `err` and `out`.
    ///
    /// # Errors
    /// [`Ended`] if it ends before that.
    pub async fn start(program: &Path, args: &[OsString], envs: &[(&str, &str)], log: &Path) -> Result<Self, Ended> {
        let (mut child, lines, ready) = spawn(program, args, envs, log);
        let ready = timeout(DEADLINE, ready)
            .await
            .unwrap_or_else(|_| panic!("{} isn't ready in time", log.display()));
        match ready {
            Ok(ready) => Ok(Self { child, lines, ready }),
            Err(_) => Err(Ended {
                status: child.wait().await.unwrap(),
            }),
        }
    }

    /// Starts a program that says no `ready`.
    #[must_use]
    pub fn start_at_once(program: &Path, args: &[OsString], envs: &[(&str, &str)], log: &Path) -> Self {
        let (child, lines, _) = spawn(program, args, envs, log);
        Self {
            child,
            lines,
            ready: Value::Null,
        }
    }

    /// Returns the `ready` document; null if it was the word alone.
    #[must_use]
    pub fn ready(&self) -> &Value {
        &self.ready
    }

    /// Returns the process's id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id().expect("the process runs")
    }

    /// Returns the lines that it printed so far.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.lines.borrow().clone()
    }

    /// Waits until it has printed a line that fits.
    pub async fn says(&self, fits: impl Fn(&str) -> bool) {
        self.finds(|line| fits(line).then_some(())).await;
    }

    /// Waits until it has printed a line in which something is found, and returns that.
    pub async fn finds<T>(&self, find: impl Fn(&str) -> Option<T>) -> T {
        let found = async {
            let mut lines = self.lines.subscribe();
            loop {
                if let Some(found) = lines.borrow_and_update().iter().find_map(|line| find(line)) {
                    return found;
                }
                lines.changed().await.expect("the process still prints");
            }
        };
        timeout(DEADLINE, found).await.expect("the process says it in time")
    }

    /// Kills it as `kill -9` does, and waits for its end.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Asks it to stop as Ctrl-C does, and waits for its end.
    pub async fn stop(mut self) -> ExitStatus {
        let id = self.child.id().expect("the process runs");
        // The id can't be another process's, since this child has not been waited for.
        let asked = Command::new("/bin/sh")
            .args(["-c", "kill -s INT \"$1\"", "sh", &id.to_string()])
            .status()
            .await
            .unwrap();
        assert!(asked.success());
        self.ended().await
    }

    /// Waits for its end.
    pub async fn ended(&mut self) -> ExitStatus {
        timeout(DEADLINE, self.child.wait())
            .await
            .expect("the process ends in time")
            .unwrap()
    }

    /// Says whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }
}

/// Runs a program to its end.
pub async fn run<S: AsRef<OsStr>>(program: &Path, args: &[S], within: Duration) -> Output {
    run_with(program, args, &[], within).await
}

/// Runs a program to its end, with variables of its own.
pub async fn run_with<S: AsRef<OsStr>>(program: &Path, args: &[S], envs: &[(&str, &str)], within: Duration) -> Output {
    let mut command = Command::new(program);
    command
        .args(args)
        .envs(PLAIN)
        .envs(envs.iter().copied())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    timeout(within, command.output())
        .await
        .expect("the command ends in time")
        .unwrap()
}

type Spawned = (Child, Arc<watch::Sender<Vec<String>>>, oneshot::Receiver<Value>);

fn spawn(program: &Path, args: &[OsString], envs: &[(&str, &str)], log: &Path) -> Spawned {
    let mut child = Command::new(program)
        .args(args)
        .envs(PLAIN)
        .envs(envs.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(append(&log.with_extension("err")))
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    let stdout = child.stdout.take().unwrap();
    let lines = Arc::new(watch::Sender::new(Vec::new()));
    let (say, ready) = oneshot::channel();
    let (kept, mut out) = (lines.clone(), append(&log.with_extension("out")));
    tokio::spawn(async move {
        let mut say = Some(say);
        let mut stdout = BufReader::new(stdout).lines();
        while let Ok(Some(line)) = stdout.next_line().await {
            std::io::Write::write_all(&mut out, format!("{line}\n").as_bytes()).unwrap();
            kept.send_modify(|lines| lines.push(line.clone()));
            if let Some(ready) = ready_of(&line)
                && let Some(say) = say.take()
            {
                // Nobody waits for it where no `ready` is expected.
                drop(say.send(ready));
            }
        }
    });
    (child, lines, ready)
}

fn ready_of(line: &str) -> Option<Value> {
    if line == "ready" {
        return Some(Value::Null);
    }
    let document: Value = serde_json::from_str(line).ok()?;
    (document["event"] == "ready").then_some(document)
}

fn append(path: &PathBuf) -> std::fs::File {
    std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .unwrap()
}
