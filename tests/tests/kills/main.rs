//! What is left when processes are killed: at random under load, and at each failpoint.
//!
//! `MADANG_SEED=N` repeats the random choices of a run.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod failpoints;
mod load;

use std::collections::BTreeSet;

use madang_tests::{Person, Relay, Said, TCP, World};
use serde_json::Value;

const MADANG: &str = env!("CARGO_BIN_EXE_madang-under-test");

/// Updates of the own leaf come this often, so that commits are under way at many kills.
const LEAF_UPDATES: (&str, &str) = ("MADANG_LEAF_UPDATE_MS", "400");

/// Starts a relay that is missed as soon as it is killed: over QUIC that takes half a minute, for which it would be out of play.
async fn relay_of(world: &World) -> Relay {
    world.relay_with(&[TCP], &[]).await
}

fn count(sent: &[Vec<(String, String)>]) -> usize {
    sent.iter().map(Vec::len).sum()
}

fn theirs(said: Vec<Said>, own: bool) -> Vec<Said> {
    said.into_iter().filter(|said| said.own == own).collect()
}

/// Checks that what one acknowledged is at the other once and in order: in its list, and in the events that it announced.
async fn arrived(sent: &[Vec<(String, String)>], sender: &Person, receiver: &Person, chat: &str, events: &[Value]) {
    let (out, came) = (
        theirs(sender.said(chat).await, true),
        theirs(receiver.said(chat).await, false),
    );
    let ids = |said: &[Said]| said.iter().map(|said| said.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&out), ids(&came), "the lists differ");
    let acknowledged: BTreeSet<&String> = sent.iter().flatten().map(|(id, _)| id).collect();
    assert_eq!(acknowledged.len(), count(sent), "an id was given twice");
    assert_eq!(
        acknowledged,
        came.iter().map(|said| &said.id).collect(),
        "lost or invented"
    );
    assert_eq!(came.len(), acknowledged.len(), "doubled");
    for lane in sent {
        let wanted: Vec<&String> = lane.iter().map(|(_, text)| text).collect();
        let ids: BTreeSet<&String> = lane.iter().map(|(id, _)| id).collect();
        let found: Vec<&String> = came
            .iter()
            .filter(|said| ids.contains(&said.id))
            .map(|said| &said.text)
            .collect();
        assert_eq!(found, wanted, "out of order");
    }
    // That each is announced only once was checked when the events were taken.
    let announced: BTreeSet<String> = events
        .iter()
        .filter(|event| event["kind"] == "message.received")
        .map(|event| event["data"]["message"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(announced, acknowledged.into_iter().cloned().collect(), "announced");
}
