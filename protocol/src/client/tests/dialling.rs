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

#[test]
fn a_groups_relay_is_dialled_though_nobody_known_uses_it_any_more_until_this_device_is_out() {
    let mut w = World::with_relays(|_, config| config.relays = Some(vec![relay_address()]));
    w.befriend_two(ALICE, BOB);
    let chat = w.founds("village", [BOB]);
    w.pass(10_000);
    for place in [ALICE, BOB] {
        w.nodes[place].config.relays = Some(vec![second_address()]);
        w.restart(place);
    }
    w.pass(60_000);
    for place in [ALICE, BOB] {
        w.leave(place, relay_secret().public());
    }
    w.disconnect(ALICE, BOB);
    w.pass(60_000);
    w.send(ALICE, chat, "by the group's relay");
    w.pass(5_000);
    assert_eq!(w.nodes[BOB].texts(chat), ["by the group's relay"]);
    w.removes(ALICE, chat, BOB);
    w.pass(5_000);
    w.leave(BOB, relay_secret().public());
    w.nodes[BOB].dialled.clear();
    w.pass(600_000);
    let dialled = &w.nodes[BOB].dialled;
    assert!(dialled.iter().all(|dialled| dialled.key != relay_secret().public()));
}
