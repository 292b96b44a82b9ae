//! What is left when processes are killed: at random under load, and at each failpoint.
//!
//! `MADANG_SEED=N` repeats the random choices of a run.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod failpoints;
mod load;

use madang_tests::{Relay, TCP, World};

const MADANG: &str = env!("CARGO_BIN_EXE_madang-under-test");

/// Updates of the own leaf come this often, so that commits are under way at many kills.
const LEAF_UPDATES: (&str, &str) = ("MADANG_LEAF_UPDATE_MS", "400");

/// Starts a relay that is missed as soon as it is killed: over QUIC that takes half a minute, for which it would be out of play.
async fn relay_of(world: &World) -> Relay {
    world.relay_with(&[TCP], &[]).await
}
