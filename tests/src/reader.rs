//! A program that follows a node's events with an app's token and acknowledges them now and then. What it saw and what it was told is
//! acknowledged stands in a file that outlives it: whoever kills it reads there what became of its promises.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::Dice;
use crate::rpc::Rpc;

/// Events between two acknowledgements at most.
const UNACKNOWLEDGED: u64 = 32;

/// Runs the reader with the arguments of this process, which [`args`] makes, until it is killed.
///
/// # Panics
/// If the node doesn't do what it must.
#[tokio::main(flavor = "current_thread")]
pub async fn event_reader() {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    let [data, token, told, seed] = args.as_slice() else {
        panic!("a data directory, a token, a file and a seed are needed");
    };
    let node = Rpc::open(Path::new(data)).expect("the node runs");
    let node = node.of_app(token.to_str());
    let told = OpenOptions::new().append(true).create(true).open(told).unwrap();
    let mut dice = Dice::from(seed.to_str().unwrap().parse::<u64>().unwrap());
    loop {
        // A subscription that its client gave up, since it was behind, is taken up again.
        follow(&node, &told, &mut dice).await;
    }
}

async fn follow(node: &Rpc, mut told: &File, dice: &mut Dice) {
    let (_socket, mut events) = node.subscribe("ack").await;
    let mut until_ack = dice.below(UNACKNOWLEDGED);
    while let Some(event) = events.next().await {
        let event: Value = event.unwrap();
        if event["kind"] == "lagged" {
            continue;
        }
        let (cursor, message) = (event["cursor"].as_str().unwrap(), &event["data"]["message"]);
        // One write a line: it is there whole or not at all, whenever the process dies.
        let line = format!("saw {cursor} {}\n", message.as_str().unwrap_or("-"));
        told.write_all(line.as_bytes()).unwrap();
        if until_ack == 0 {
            node.ask("event.ack", json!({ "cursor": cursor })).await;
            told.write_all(format!("acknowledged {cursor}\n").as_bytes()).unwrap();
            until_ack = dice.below(UNACKNOWLEDGED);
        } else {
            until_ack -= 1;
        }
    }
}

/// The arguments of a reader.
#[must_use]
pub fn args(data: &Path, token: &str, told: &Path, seed: u64) -> [OsString; 4] {
    [data.into(), token.into(), told.into(), seed.to_string().into()]
}

/// What readers, one after the other, wrote to their file.
#[derive(Debug)]
pub struct Told {
    path: PathBuf,
}

impl Told {
    /// Names the file, which may not be there yet.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Returns the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns how many bytes it holds.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        std::fs::metadata(&self.path).map_or(0, |file| file.len())
    }

    /// Checks that no event came again once it was acknowledged; returns the messages of all that were seen, and how often one was
    /// seen again.
    #[must_use]
    pub fn checked(&self) -> (BTreeSet<String>, usize) {
        let text = std::fs::read_to_string(&self.path).unwrap_or_default();
        let (mut acknowledged, mut newest, mut again) = (0, 0, 0);
        let mut seen = BTreeSet::new();
        for line in text.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let cursor: u64 = words[1].parse().unwrap();
            match words[0] {
                "saw" => {
                    assert!(
                        cursor > acknowledged,
                        "event {cursor} came again, {acknowledged} was acknowledged"
                    );
                    again += usize::from(cursor <= newest);
                    newest = newest.max(cursor);
                    seen.insert(words[2].to_owned());
                }
                _ => acknowledged = cursor,
            }
        }
        (seen, again)
    }
}
