//! How often who isn't there is dialled.

use super::*;

/// Dials of bob's device by alice within some minutes.
fn dials(w: &mut World, minutes: u64) -> usize {
    let bob = w.key(BOB);
    w.nodes[ALICE].dialled.clear();
    w.pass(minutes * 60_000);
    w.nodes[ALICE]
        .dialled
        .iter()
        .filter(|dialled| dialled.key == bob)
        .count()
}

#[test]
fn a_device_that_is_away_is_seldom_dialled_while_a_relay_serves() {
    let mut w = World::relayed();
    w.befriend();
    let first = dials(&mut w, 10);
    assert!((3..=5).contains(&first), "{first} dials in the first ten minutes");
    dials(&mut w, 60);
    let served = dials(&mut w, 60);
    assert!((12..=26).contains(&served), "{served} dials in an hour, with a relay");
    w.relay_up(false);
    let alone = dials(&mut w, 60);
    assert!(alone >= 110, "{alone} dials in an hour, without");
}

#[test]
fn a_device_whose_line_was_cut_is_dialled_again_at_once() {
    let mut w = World::relayed();
    w.befriend();
    w.connect(ALICE, BOB);
    w.disconnect(ALICE, BOB);
    w.nodes[ALICE].dialled.clear();
    w.pass(1_000);
    assert!(w.nodes[ALICE].dialled.iter().any(|dialled| dialled.key == w.key(BOB)));
}
