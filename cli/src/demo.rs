//! `madang demo`: the whole story on this machine, with real processes.
//!
//! A relay, two people, a brand and two apps in a temporary directory, each started with the arguments that a user would type. Each step waits for what it
//! says, with a deadline; anything else ends the demo with an error. Only processes that it started are ended, also on failure.

mod brand;
mod person;
mod shares;
mod story;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::fault::Fault;
use crate::layout;
use crate::out::Out;
use crate::process::{self, Running};
use crate::serve::Stop;
use crate::show;
use crate::text::{EN, Texts};

use person::Person;

/// The whole demo ends within this, so that with its last clean-up it stays below the promised 50 s.
const LIMIT: Duration = Duration::from_secs(45);
/// A start or a stop of a process (guess: it takes some 0.2 s on a quiet machine).
const PROCESS_DEADLINE: Duration = Duration::from_secs(15);
/// Columns of who does a step.
const WHO_WIDTH: usize = 6;
/// Columns before what a step says.
const STEP_INDENT: usize = 17;
/// Where everybody of the demo listens: loopback only, free ports.
const LISTEN: [&str; 2] = ["/ip4/127.0.0.1/udp/0/quic-v1", "/ip4/127.0.0.1/tcp/0"];

/// Plays the demo.
///
/// # Errors
/// [`Fault::Failed`] if anything is not as the story says, with the ends of the logs.
pub async fn demo(out: &Out) -> Result<(), Fault> {
    let stop = Stop::listen()?;
    let mut stage = Stage::new(out)?;
    let outcome = tokio::select! {
        () = stop.wait() => Err(Fault::failed(|t| t.demo.interrupted.to_owned())),
        played = tokio::time::timeout(LIMIT, story::play(&mut stage)) => played.unwrap_or_else(|_| {
            Err(Fault::failed(|t| (t.demo.too_long)(LIMIT.as_secs())))
        }),
    };
    let logs = stage.logs();
    let took_ms = stage.elapsed_ms();
    stage.end().await;
    match outcome {
        Ok(()) => out.print(&json!({ "event": "done", "ok": true, "took_ms": took_ms }), || {
            format!("\n{}", (out.t().demo.all_as_said)(&seconds(took_ms)))
        }),
        Err(fault) => Err(Fault::failed(move |t| {
            let ends = logs
                .iter()
                .map(|(name, end)| format!("\n{}\n  {end}", (t.demo.log_of)(name)));
            format!("{}{}", fault.text(t), ends.collect::<String>())
        })),
    }
}

/// The processes, their directory and the clock of the demo.
struct Stage<'a> {
    out: &'a Out,
    began: Instant,
    dir: tempfile::TempDir,
    relay: Option<Running>,
    alice: Person,
    bob: Person,
    bakery: Person,
}

impl<'a> Stage<'a> {
    fn new(out: &'a Out) -> Result<Self, Fault> {
        let dir = tempfile::Builder::new()
            .prefix("madang-demo-")
            .tempdir()
            .map_err(|e| Fault::io(|t| t.to_make_directory, &e))?;
        let alice = Person::new("Alice", dir.path());
        let bob = Person::new("Bob", dir.path());
        let bakery = Person::new("Bakery", dir.path());
        Ok(Self {
            out,
            began: Instant::now(),
            dir,
            relay: None,
            alice,
            bob,
            bakery,
        })
    }

    /// Starts the relay; returns its key and its addresses.
    async fn start_relay(&mut self) -> Result<(String, Vec<String>), Fault> {
        let mut args: Vec<OsString> = vec!["relay".into(), "--data".into(), self.dir.path().join("relay").into()];
        for address in LISTEN {
            args.extend(["--listen".into(), address.into()]);
        }
        let relay = Running::start("the relay", &args, &self.log("relay"), PROCESS_DEADLINE).await?;
        let key = show::field(relay.ready(), "relay");
        let addresses: Vec<String> = show::items_of(relay.ready(), "addresses")
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect();
        self.relay = Some(relay);
        if addresses.is_empty() {
            return Err(Fault::failed(|t| t.demo.no_address.to_owned()));
        }
        Ok((key, addresses))
    }

    async fn stop_relay(&mut self) -> Result<(), Fault> {
        match self.relay.take() {
            Some(relay) => relay.stop(PROCESS_DEADLINE).await,
            None => Ok(()),
        }
    }

    /// Prints a step with its time; JSON tells it in English.
    fn step(&self, who: fn(&Texts) -> &'static str, text: impl Fn(&Texts) -> String) -> Result<(), Fault> {
        let at_ms = self.elapsed_ms();
        let document = json!({ "event": "step", "at_ms": at_ms, "who": who(&EN), "text": text(&EN) });
        let t = self.out.t();
        self.out.print(&document, || {
            let line = format!(
                "{:>7}  {}  {}",
                seconds(at_ms),
                layout::padded(who(t), WHO_WIDTH),
                text(t)
            );
            self.out.wrapped(&line, &" ".repeat(STEP_INDENT))
        })
    }

    fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn log(&self, name: &str) -> PathBuf {
        self.dir.path().join(format!("{name}.log"))
    }

    /// The ends of what the processes logged, for a failure's message.
    fn logs(&self) -> Vec<(&'static str, String)> {
        ["relay", "Alice", "Bob", "Bakery"]
            .into_iter()
            .map(|name| (name, process::end_of(&self.log(name))))
            .filter(|(_, end)| !end.is_empty())
            .collect()
    }

    /// Ends what still runs and waits for it, so that nobody writes into the directory while it is removed.
    async fn end(mut self) {
        let people = [&mut self.alice, &mut self.bob, &mut self.bakery].map(Person::leave);
        for running in people.into_iter().chain([self.relay.take()]).flatten() {
            // A process that can't be ended now is killed once more by its handle's drop.
            drop(running.kill(PROCESS_DEADLINE).await);
        }
    }
}

fn seconds(ms: u64) -> String {
    format!("{}.{:02} s", ms / 1000, ms % 1000 / 10)
}
