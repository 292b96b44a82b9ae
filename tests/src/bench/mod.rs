//! The benchmark: real processes on loopback, measured beside floors of the same run, told in one table. `docs/benchmark.md` says what
//! each row is and how to read it.
//!
//! | file | room |
//! |---|---|
//! | `scale` | how much of everything a run takes |
//! | `report` | rows, the table, JSON |
//! | `host` | the processes, and what the system says of them |
//! | `socket` | a WebSocket client that costs next to nothing |
//! | `floors` | TCP, fdatasync, OpenMLS and Ed25519 alone |
//! | `people` | two people, and load through the local API |
//! | `messages` | latency, sustained rate, catching up, start |
//! | `relay` | deposits, pushes, watchers |
//! | `press` | a brand's pen without a node |
//! | `channels` | a long channel, and the rate of checking posts |
//! | `mesh` | followers that pass a channel on, each a process |
//! | `crowd`, `followers` | whole clients and relays in virtual time, and channels among them |
//! | `wire` | streams of the libraries alone, and the bare host |
//! | `search` | looking for words among many messages |
//! | `shares` | reading, signing and checking shares |
//! | `transfer` | a file from one to the other |
//! | `state` | idle memory, processor and traffic; disk |
//! | `inside` | clients in this process, each on a store of its own |
//! | `bare` | groups of OpenMLS alone |
//! | `groups` | what one client does in groups; a fork |
//! | `village` | a group of eleven processes |
//! | `api` | calls and events of the JSON-RPC |

mod api;
mod bare;
mod channels;
mod crowd;
mod floors;
mod followers;
mod groups;
mod host;
mod inside;
mod mesh;
mod messages;
mod people;
mod press;
mod relay;
mod report;
mod scale;
mod search;
mod shares;
pub mod socket;
mod state;
mod transfer;
mod village;
pub mod wire;

use std::panic::AssertUnwindSafe;
use std::process::ExitCode;

use futures::FutureExt as _;
use tokio::signal::unix::{SignalKind, signal};

use people::Way;
use report::Row;
use scale::Scale;

/// What is measured, in the order of the table.
const SECTIONS: [&str; 24] = [
    "floors",
    "bare",
    "latency-direct",
    "latency-relay",
    "sustained-direct",
    "sustained-relay",
    "catch-up",
    "deposits",
    "watchers",
    "channel-history",
    "channel-verify",
    "channel-mesh",
    "channel-simulated",
    "start",
    "idle",
    "disk",
    "groups",
    "group-of-11",
    "group-return",
    "fork",
    "api",
    "search",
    "shares",
    "transfer",
];
/// What the command line says when it can't be understood.
const USAGE: &str = "madang-bench [FILTER]... [--scale tiny|small|full] [--json]\n\
    FILTER is a part of a section's name; sections: ";

/// Runs the program: the benchmark, or what it starts.
#[must_use]
pub fn run() -> ExitCode {
    let role = std::env::var(host::ROLE);
    if role.as_deref() == Ok(host::ROLE_MADANG) {
        return madang::run();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    if let Ok(role) = role {
        match role.as_str() {
            host::ROLE_BARE_RPC => runtime.block_on(api::bare_server()),
            _ => runtime.block_on(wire::bare_host()),
        }
        return ExitCode::SUCCESS;
    }
    let Some(options) = Options::read(std::env::args().skip(1)) else {
        eprintln!("{USAGE}{}", SECTIONS.join(", "));
        return ExitCode::from(2);
    };
    let measured = runtime.block_on(async {
        tokio::select! {
            measured = options.sections() => Some(measured),
            // Dropping a section kills the processes that it started.
            () = interrupted() => None,
        }
    });
    let Some((rows, whole)) = measured else {
        return ExitCode::FAILURE;
    };
    if options.json {
        println!("{}", report::json(options.scale.name, &rows));
    } else {
        print!("{}", report::table(&rows));
    }
    if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Waits for SIGINT or SIGTERM.
async fn interrupted() {
    let mut terminate = signal(SignalKind::terminate()).unwrap();
    let mut interrupt = signal(SignalKind::interrupt()).unwrap();
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// What the command line asks for.
struct Options {
    filters: Vec<String>,
    scale: Scale,
    json: bool,
}

impl Options {
    fn read(mut args: impl Iterator<Item = String>) -> Option<Self> {
        let mut options = Self {
            filters: Vec::new(),
            scale: Scale::named("small")?,
            json: false,
        };
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--json" => options.json = true,
                "--scale" => options.scale = Scale::named(&args.next()?)?,
                flag if flag.starts_with('-') => return None,
                filter if SECTIONS.iter().any(|section| section.contains(filter)) => {
                    options.filters.push(filter.to_owned());
                }
                _ => return None,
            }
        }
        Some(options)
    }

    /// Measures the sections asked for; one that fails doesn't keep the others from running.
    async fn sections(&self) -> (Vec<Row>, bool) {
        let (mut rows, mut whole) = (Vec::new(), true);
        for section in SECTIONS {
            let wanted = self.filters.is_empty() || self.filters.iter().any(|filter| section.contains(filter.as_str()));
            if !wanted {
                continue;
            }
            eprintln!("measuring {section} …");
            match AssertUnwindSafe(measure(section, &self.scale)).catch_unwind().await {
                Ok(measured) => {
                    eprint!("{}", report::table(&measured));
                    rows.extend(measured);
                }
                Err(_) => {
                    whole = false;
                    rows.push(Row::new(section, "", Vec::new()).note("failed; see above"));
                }
            }
        }
        (rows, whole)
    }
}

async fn measure(section: &str, scale: &Scale) -> Vec<Row> {
    match section {
        "floors" => floors::rows(scale).await,
        "bare" => relay::bare(scale).await,
        "latency-direct" => messages::latency(scale, Way::Direct).await,
        "latency-relay" => messages::latency(scale, Way::Relay).await,
        "sustained-direct" => messages::sustained(scale, Way::Direct).await,
        "sustained-relay" => messages::sustained(scale, Way::Relay).await,
        "catch-up" => messages::catch_up(scale).await,
        "deposits" => relay::deposits(scale).await,
        "watchers" => relay::watchers(scale).await,
        "channel-history" => channels::history(scale).await,
        "channel-verify" => channels::verify(scale),
        "channel-mesh" => mesh::rows(scale).await,
        "channel-simulated" => followers::rows(scale),
        "start" => messages::start(scale).await,
        "idle" => state::idle(scale).await,
        "disk" => state::disk(scale).await,
        "groups" => groups::rows(scale).await,
        "group-of-11" => village::deliveries(scale).await,
        "group-return" => village::comes_back(scale).await,
        "fork" => groups::fork(scale).await,
        "search" => search::rows(scale).await,
        "shares" => shares::rows(scale),
        "transfer" => transfer::rows(scale).await,
        _ => api::rows(scale).await,
    }
}
