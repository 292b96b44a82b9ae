//! Clocks that are wrong (FAULTS 24).

use super::*;

/// The first of January 2100, less the start.
const TO_2100_MS: i64 = 4_102_444_800_000 - START_MS as i64;

#[test]
fn f24_order_is_causal_and_the_time_shown_is_never_of_the_future() {
    for ahead_ms in [DAY_MS as i64, -(DAY_MS as i64), TO_2100_MS] {
        let (mut w, chat) = World::friends();
        w.nodes[BOB].ahead_ms = ahead_ms;
        let mut texts = Vec::new();
        for turn in 0..6 {
            texts.push(format!("turn {turn}"));
            w.send(turn % 2, chat, &texts[turn]);
            w.pass(1_000);
        }
        for place in [ALICE, BOB] {
            assert_eq!(w.nodes[place].texts(chat), texts, "clock {ahead_ms} ms ahead");
            let now = w.now(place);
            for (_, message) in history::messages(&w.nodes[place].disk, &chat, None, None, 100).unwrap() {
                assert!(message.sent_ms <= now && message.sent_ms <= message.received_ms.max(message.sent_ms.min(now)));
            }
        }
    }
}

#[test]
fn f24_a_clock_that_jumps_back_leaves_no_report_and_no_retry_hanging() {
    let (mut w, chat) = World::friends();
    w.disconnect(ALICE, BOB);
    for place in [ALICE, BOB] {
        w.nodes[place].ahead_ms = TO_2100_MS;
    }
    w.pass(1_000);
    let message = w.send(ALICE, chat, "from 2100");
    // Nobody answers the dials, so that the back-off is at its longest; then both clocks are set right.
    w.pass(600_000);
    for place in [ALICE, BOB] {
        w.nodes[place].ahead_ms = 0;
        w.input(place, Input::Tick);
    }
    w.nodes[ALICE].dialled.clear();
    w.pass(31_000);
    assert!(!w.nodes[ALICE].dialled.is_empty(), "the next dial waits for 2100");
    w.connect(ALICE, BOB);
    w.pass(1_000);
    assert_eq!(w.nodes[BOB].texts(chat), ["from 2100"]);
    assert_eq!(
        w.nodes[ALICE].ledger(message).state,
        LedgerState::Delivered,
        "the report waits for 2100"
    );
}

#[test]
fn f24_a_nudge_does_not_wait_for_2100() {
    let mut w = World::relayed();
    let chat = w.befriend();
    w.nodes[ALICE].ahead_ms = TO_2100_MS;
    w.lose = |to, frame| to == BOB && matches!(frame, CustodianFrame::Items(page) if !page.items.is_empty());
    w.send(ALICE, chat, "lost on its way");
    w.nodes[ALICE].ahead_ms = 0;
    w.lose = |_, _| false;
    w.pass(30_000);
    w.input(ALICE, Input::Tick);
    w.pass(120_000);
    assert_eq!(w.nodes[BOB].texts(chat), ["lost on its way"]);
}

#[test]
fn f24_a_refusal_and_the_grace_of_gossip_do_not_wait_for_2100() {
    let (mut w, chat) = World::friends();
    w.gossip = true;
    w.disconnect(ALICE, BOB);
    w.connect(ALICE, BOB);
    let topic = w.nodes[ALICE].client.chats[&chat].row.topic.public();
    assert!(w.nodes[ALICE].client.gossip.contains_key(&topic));
    w.nodes[ALICE].ahead_ms = TO_2100_MS;
    w.mute = true;
    w.send(ALICE, chat, "published to nobody");
    w.nodes[ALICE].ahead_ms = 0;
    w.input(ALICE, Input::Tick);
    assert!(w.nodes[BOB].texts(chat).is_empty());
    w.pass(2_000);
    assert_eq!(w.nodes[BOB].texts(chat), ["published to nobody"]);
}

#[test]
fn f24_accepting_ends_although_the_clock_jumps_back() {
    let mut w = World::new();
    let link = w.invite(ALICE, false);
    w.nodes[BOB].ahead_ms = DAY_MS as i64;
    assert!(w.command(BOB, Command::Accept { link }).is_none());
    w.nodes[BOB].ahead_ms = 0;
    w.input(BOB, Input::Tick);
    w.pass(21_000);
    let answers: Vec<_> = std::mem::take(&mut w.nodes[BOB].replies).into_values().collect();
    assert!(
        matches!(answers.as_slice(), [Err(CommandError::CardUnavailable)]),
        "{answers:?}"
    );
}

#[test]
fn f24_states_and_leaf_updates_do_not_wait_for_2100() {
    let (mut w, chat) = World::friends();
    w.nodes[ALICE].ahead_ms = TO_2100_MS;
    w.input(ALICE, Input::Tick);
    w.pass(1_000);
    assert_eq!(
        w.nodes[ALICE].client.chats[&chat].group.epoch(),
        2,
        "a century without a new leaf"
    );
    w.nodes[ALICE].ahead_ms = 0;
    w.input(ALICE, Input::Tick);
    for _ in 0..30 {
        w.pass(DAY_MS);
    }
    let chat = &w.nodes[ALICE].client.chats[&chat];
    assert!(chat.group.epoch() >= 5, "epoch {}", chat.group.epoch());
    assert!(chat.frozen.len() <= 2, "{} states are kept", chat.frozen.len());
}
