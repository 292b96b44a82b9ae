//! The harness of the scenarios: relays, people and bots as processes of their own, asked through the JSON-RPC as anybody would.
//!
//! | file | room |
//! |---|---|
//! | `process` | a child process: started, watched, ended by its handle |
//! | `rpc` | a small JSON-RPC client, and one that outlives its node |
//! | `person` | a node, its events, and what a user would do with it |
//! | `reader` | a subscriber that can be killed, and what it told |
//! | `world` | a temporary directory with a relay and people |
//! | `contract` | what is made from the description of the JSON-RPC |
//! | `browser` | a real browser, and sites that it visits |
//! | `domain` | a domain with a web site over TLS |
//! | `bench` | the benchmark, on the same harness |
//! | `load` | texts as fast as they are acknowledged, over kills, and the check of what became of them |
//! | `fuzz` | the decoders as targets of made inputs |
//! | `tools` | programs of others that some tests need |
//! | `powercut` | a disk whose power can be cut |
//!
//! Helpers panic with what they waited for; a [`World`] that is dropped by a panic prints the ends of all logs.

// A harness fails by panicking; the tests that use it have no better answer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

pub mod bench;
mod browser;
pub mod contract;
mod domain;
pub mod fuzz;
mod load;
mod person;
mod powercut;
mod process;
pub mod reader;
mod rpc;
pub mod tools;
mod world;

use std::path::Path;

pub use browser::{Browser, Site};
pub use domain::{Domain, certificate};
pub use load::{Lane, arrived, count, delivered, end};
pub use person::{Person, Said, Watcher};
pub use powercut::Disk;
pub use process::{Ended, Process, run, run_with};
pub use reader::event_reader;
pub use rpc::{CallError, Rpc, Steady, places};
pub use world::{DEADLINE, LISTEN, QUIC, Relay, TCP, World, join};

/// A seeded generator (SplitMix64), so that a run can be repeated as far as the scheduler allows.
#[derive(Debug)]
pub struct Dice(u64);

impl From<u64> for Dice {
    fn from(seed: u64) -> Self {
        Self(seed)
    }
}

impl Dice {
    /// Takes the seed from `MADANG_SEED`, or else from the clock, and prints it.
    #[must_use]
    pub fn seeded() -> Self {
        let given = std::env::var("MADANG_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = given.unwrap_or_else(|| {
            let now = std::time::SystemTime::now()
                .duration_since(std::time::UNIX_EPOCH)
                .unwrap();
            u64::from(now.subsec_nanos())
        });
        println!("seed {seed}; MADANG_SEED={seed} takes it again");
        Self(seed)
    }

    /// Draws another seed.
    pub fn seed(&mut self) -> u64 {
        self.below(u64::MAX)
    }

    /// Returns a number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % end
    }
}

/// Copies a directory with all that is in it.
///
/// # Panics
/// If it can't be read or the copy not be written.
pub fn copy_directory(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_directory(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
