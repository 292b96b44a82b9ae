//! Leaf updates and the states of a chat.

use super::*;
use std::collections::BTreeSet;

const HOUR_MS: u64 = 3_600_000;

fn hourly(_: usize, config: &mut ClientConfig) {
    config.leaf_update_ms = HOUR_MS;
    config.frozen_states = 8;
}

/// The states of a chat that have MLS rows on disk.
fn states_on_disk(w: &World, place: usize, chat: ChatId) -> BTreeSet<NodeIdBytes> {
    let rows = w.nodes[place].disk.prefix(Tree::Mls, &chat.0, usize::MAX).unwrap();
    rows.iter().map(|(key, _)| array(key, 32).unwrap()).collect()
}

type NodeIdBytes = [u8; 32];

fn epoch(w: &World, place: usize, chat: ChatId) -> u64 {
    w.nodes[place].client.chats[&chat].group.epoch()
}

#[test]
fn leaves_are_renewed_and_commits_leave_the_outbox() {
    let mut w = World::with(hourly);
    w.connect(ALICE, BOB);
    let chat = w.befriend();
    for _ in 0..6 {
        let before = epoch(&w, ALICE, chat);
        w.pass(2 * HOUR_MS);
        assert!(epoch(&w, ALICE, chat) > before);
        assert_eq!(epoch(&w, ALICE, chat), epoch(&w, BOB, chat));
    }
    w.send(ALICE, chat, "a");
    w.send(BOB, chat, "b");
    assert_eq!(w.nodes[ALICE].texts(chat), w.nodes[BOB].texts(chat));
    w.pass(1_000);
    for place in [ALICE, BOB] {
        assert_eq!(
            w.nodes[place].disk.count(Tree::Outbox),
            0,
            "a commit that was applied stays in the outbox"
        );
    }
}

#[test]
fn who_was_added_by_a_last_resort_package_updates_its_leaf_at_once() {
    let mut w = World::new();
    w.connect(ALICE, BOB);
    let link = w.invite(ALICE, true);
    let chat = w.accept(BOB, &link).unwrap();
    let request = w.nodes[ALICE].requests()[0];
    w.approve(ALICE, request).unwrap();
    w.pass(1_000);
    assert_eq!((epoch(&w, ALICE, chat), epoch(&w, BOB, chat)), (2, 2));
    w.pass(HOUR_MS);
    assert_eq!(
        (epoch(&w, ALICE, chat), epoch(&w, BOB, chat)),
        (2, 2),
        "and no more until its time"
    );
}

#[test]
fn states_that_are_too_many_or_too_old_are_dropped_with_their_rows() {
    let mut w = World::with(hourly);
    w.connect(ALICE, BOB);
    let chat = w.befriend();
    w.pass(40 * HOUR_MS);
    for place in [ALICE, BOB] {
        let kept = w.nodes[place].client.chats[&chat].frozen.len();
        assert_eq!(kept, 8);
        assert_eq!(
            states_on_disk(&w, place, chat).len(),
            kept + 1,
            "rows of a dropped state stay"
        );
    }
    w.disconnect(ALICE, BOB);
    w.pass(limits::FROZEN_MS + 2 * HOUR_MS);
    for place in [ALICE, BOB] {
        assert!(w.nodes[place].client.chats[&chat].frozen.len() <= 1);
        let states = states_on_disk(&w, place, chat).len();
        assert!(states <= 2, "{states} states on disk");
        w.restart(place);
    }
    w.connect(ALICE, BOB);
    w.send(ALICE, chat, "hello");
    w.pass(1_000);
    assert_eq!(w.nodes[BOB].texts(chat), ["hello"]);
}

#[test]
fn a_message_on_a_state_that_is_gone_is_sealed_again_under_the_same_id() {
    let mut w = World::with_relay(RelayConfig::default(), |_, config| config.frozen_states = 1);
    let chat = w.befriend();
    w.nodes[BOB].config.relays = Some(vec![relay_address()]);
    w.lose = |to, frame| to == BOB && matches!(frame, CustodianFrame::Items(page) if !page.items.is_empty());
    w.nodes[ALICE].sent.clear();
    let message = w.send(ALICE, chat, "hello");
    let first = deposits(&w.nodes[ALICE].sent);
    assert_eq!(first.len(), 1);
    w.nodes[ALICE].client.chats.get_mut(&chat).unwrap().row.leaf_update_due = true;
    w.input(ALICE, Input::Tick);
    let all = deposits(&w.nodes[ALICE].sent);
    assert_eq!(all.len(), 3, "the message, the commit and the message again");
    assert_ne!(all[0], all[2]);
    // Bob gets only what was sealed last.
    for envelope in &all[1..] {
        w.gossip_to(BOB, ALICE, envelope);
    }
    assert_eq!(w.nodes[BOB].texts(chat), ["hello"]);
    assert!(history::message(&w.nodes[BOB].disk, &message).unwrap().is_some());
    w.gossip_to(BOB, ALICE, &all[0]);
    assert_eq!(w.nodes[BOB].texts(chat), ["hello"]);
    w.pass(1_000);
    assert_eq!(w.nodes[ALICE].ledger(message).state, LedgerState::Delivered);
}

#[test]
fn f37_two_who_commit_at_once_settle_on_the_same_and_read_what_was_written_on_both() {
    let (mut w, chat) = World::friends();
    w.disconnect(ALICE, BOB);
    for place in [ALICE, BOB] {
        w.nodes[place].client.chats.get_mut(&chat).unwrap().row.leaf_update_due = true;
        w.input(place, Input::Tick);
        assert_eq!(epoch(&w, place, chat), 2);
    }
    w.send(ALICE, chat, "a");
    w.send(BOB, chat, "b");
    w.connect(ALICE, BOB);
    w.pass(5_000);
    let nodes = [ALICE, BOB].map(|place| w.nodes[place].client.chats[&chat].group.node());
    assert_eq!(nodes[0], nodes[1]);
    for place in [ALICE, BOB] {
        assert_eq!(w.nodes[place].texts(chat).len(), 2);
        w.restart(place);
    }
    w.connect(ALICE, BOB);
    w.send(ALICE, chat, "c");
    w.pass(1_000);
    assert_eq!(w.nodes[BOB].texts(chat).len(), 3);
}

#[test]
fn who_is_apart_does_not_commit_unasked() {
    let mut w = World::with(hourly);
    w.connect(ALICE, BOB);
    let chat = w.befriend();
    w.disconnect(ALICE, BOB);
    let before = epoch(&w, ALICE, chat);
    w.pass(40 * HOUR_MS);
    assert_eq!(epoch(&w, ALICE, chat), before);
    w.connect(ALICE, BOB);
    w.pass(5_000);
    let nodes = [ALICE, BOB].map(|place| w.nodes[place].client.chats[&chat].group.node());
    assert_eq!(nodes[0], nodes[1]);
}
