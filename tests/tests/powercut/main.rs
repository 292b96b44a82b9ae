//! Power cuts: a relay and two nodes under load on a disk whose power goes, twenty times on the same stores.
//!
//! `MADANG_SEED=N` repeats the random choices of a run. Where loop mounts aren't allowed the tests say so and pass, unless
//! `MADANG_REQUIRE_ALL=1`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod play;

use std::time::Instant;

use madang_tests::{Dice, Disk};
use play::Play;

const MADANG: &str = env!("CARGO_BIN_EXE_madang-under-test");

/// Power cuts on the same stores.
const ROUNDS: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f26_f27_twenty_power_cuts_under_load_lose_and_double_nothing_acknowledged() {
    let Some(disk) = Disk::new() else { return };
    let mut dice = Dice::seeded();
    let began = Instant::now();
    let mut play = Play::start(disk, &[]).await;
    for round in 0..ROUNDS {
        if let Err(lost) = play.round(round, &mut dice).await {
            panic!("round {round}: {lost}");
        }
    }
    play.settled().await;
    println!("{ROUNDS} cuts in {:?}: {}", began.elapsed(), play.tally);
    assert!(play.tally.says_enough(ROUNDS), "too little load to show anything");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_does_not_sync_is_caught_by_power_cuts() {
    let Some(disk) = Disk::new() else { return };
    let mut dice = Dice::seeded();
    let mut play = Play::start(disk, &[("MADANG_STORE_SYNC", "off")]).await;
    for round in 0..ROUNDS {
        if let Err(lost) = play.round(round, &mut dice).await {
            println!("round {round}: {lost}");
            play.abandon();
            return;
        }
    }
    panic!("{ROUNDS} cuts lost nothing, though nothing was synced: {}", play.tally);
}
