//! Where a message of ours is, and what its sender keeps of it.

use super::*;

#[test]
fn a_message_goes_from_queued_to_held_to_delivered_to_read_with_one_event_each() {
    let mut w = World::relayed();
    let chat = w.befriend();
    w.leave_relay(ALICE);
    w.leave_relay(BOB);
    w.keeper.as_mut().unwrap().up = false;
    let message = w.send(ALICE, chat, "hello");
    let event = EventRow::Ledger { message };
    assert_eq!(w.nodes[ALICE].ledger(message).state, LedgerState::Queued);
    assert_eq!(w.nodes[ALICE].count_events(&EventRow::MessageSent { message }), 1);

    w.restart(BOB);
    w.keeper.as_mut().unwrap().up = true;
    w.restart(ALICE);
    let held = w.nodes[ALICE].ledger(message);
    assert_eq!((held.state, held.held.len()), (LedgerState::Held, 1));
    assert_eq!(held.held[0].0, relay_secret().public());
    assert_eq!(w.nodes[ALICE].count_events(&event), 1);
    assert_eq!(w.nodes[ALICE].disk.count(Tree::Outbox), 1);

    w.pass(60_000);
    let delivered = w.nodes[ALICE].ledger(message);
    assert_eq!(
        (delivered.state, delivered.delivered),
        (LedgerState::Delivered, vec![w.nodes[BOB].client.device()])
    );
    assert_eq!(w.nodes[ALICE].count_events(&event), 2);
    assert_eq!(
        w.nodes[ALICE].disk.count(Tree::Outbox),
        0,
        "a delivered message stays in the outbox"
    );

    w.mark_read(BOB, chat, message);
    w.pass(60_000);
    let read = w.nodes[ALICE].ledger(message);
    assert_eq!(
        (read.state, read.read),
        (LedgerState::Read, vec![w.nodes[BOB].client.device()])
    );
    assert_eq!(w.nodes[ALICE].count_events(&event), 3);
    w.restart(BOB);
    w.restart(ALICE);
    w.pass(DAY_MS);
    assert_eq!(w.nodes[ALICE].count_events(&event), 3);
    assert_eq!(w.nodes[ALICE].ledger(message).state, LedgerState::Read);
}

#[test]
fn a_message_for_nobody_is_sealed_only_once_somebody_connects() {
    let (mut w, chat) = World::friends();
    w.disconnect(ALICE, BOB);
    w.send(ALICE, chat, "hello");
    let stored = |w: &World| -> Vec<records::OutRow> {
        let rows = w.nodes[ALICE].disk.prefix(Tree::Outbox, &[], usize::MAX).unwrap();
        rows.iter().map(|(_, value)| decode(value).unwrap()).collect()
    };
    assert!(stored(&w).iter().all(|row| row.envelope.is_none()));
    w.restart(ALICE);
    w.lose = |to, frame| to == ALICE && !matches!(frame, CustodianFrame::Compared(_));
    w.connect(ALICE, BOB);
    assert_eq!(stored(&w).len(), 1);
    assert!(stored(&w).iter().all(|row| row.envelope.is_some()));
    assert_eq!(w.nodes[BOB].texts(chat), ["hello"]);
}

#[test]
fn what_waits_is_handed_over_after_a_restart_in_its_order() {
    let (mut w, chat) = World::friends();
    w.disconnect(ALICE, BOB);
    let texts: Vec<String> = (0..300).map(|n| format!("message {n}")).collect();
    for text in &texts {
        w.send(ALICE, chat, text);
    }
    w.restart(ALICE);
    w.connect(ALICE, BOB);
    w.pass(1_000);
    assert_eq!(w.nodes[BOB].texts(chat), texts);
    assert_eq!(w.nodes[ALICE].disk.count(Tree::Outbox), 0);
    assert_eq!(w.nodes[ALICE].client.out_bytes, 0);
}

#[test]
fn a_full_outbox_refuses_to_send_and_takes_messages_again_once_there_is_room() {
    let (mut w, chat) = World::friends();
    w.disconnect(ALICE, BOB);
    w.nodes[ALICE].client.out_bytes = limits::OUTBOX_BYTES;
    assert!(matches!(
        w.try_send(ALICE, chat, "too much", None),
        Err(CommandError::Limit { .. })
    ));
    // What the node itself has to tell must not stop it.
    let addrs = vec!["/memory/9".into()];
    w.input(ALICE, Input::Listening { addrs });
    w.nodes[ALICE].client.out_bytes = 0;
    w.send(ALICE, chat, "fits");
    w.connect(ALICE, BOB);
    w.pass(1_000);
    assert_eq!(w.nodes[BOB].texts(chat), ["fits"]);
}

#[test]
fn f16_what_a_relay_dropped_is_deposited_again_and_arrives() {
    let mut w = World::relayed();
    let chat = w.befriend();
    // Every other message gets lost between relay and bob, far more than one report tells of.
    w.lose = |to, frame| {
        to == BOB
            && matches!(frame, CustodianFrame::Items(page) if page.cursor.position % 2 == 0 && page.items.len() == 1)
    };
    let texts: Vec<String> = (0..300).map(|n| format!("message {n}")).collect();
    for text in &texts {
        w.send(ALICE, chat, text);
    }
    w.pass(1_000);
    let there = w.nodes[BOB].texts(chat).len();
    assert!(there > 100 && there < 200, "{there} arrived");
    w.lose = |_, _| false;
    w.pass(20 * 60_000);
    assert_eq!(w.nodes[BOB].texts(chat), texts);
    assert_eq!(w.nodes[ALICE].disk.count(Tree::Outbox), 0);
}

#[test]
fn f16_a_tail_that_a_relay_dropped_is_deposited_again_within_minutes() {
    let mut w = World::relayed();
    let chat = w.befriend();
    w.lose = |to, frame| to == BOB && matches!(frame, CustodianFrame::Items(page) if !page.items.is_empty());
    let texts: Vec<String> = (0..200).map(|n| format!("message {n}")).collect();
    for text in &texts {
        w.send(ALICE, chat, text);
    }
    w.pass(1_000);
    assert!(w.nodes[BOB].texts(chat).is_empty());
    w.lose = |_, _| false;
    w.pass(20 * 60_000);
    assert_eq!(w.nodes[BOB].texts(chat), texts);
}

#[test]
fn f18_a_relay_that_forgot_is_given_again_what_waits_also_after_a_restart_in_between() {
    for restart in [false, true] {
        let mut w = World::relayed();
        let chat = w.befriend();
        w.leave_relay(BOB);
        w.keeper.as_mut().unwrap().up = true;
        let message = w.send(ALICE, chat, "hello");
        assert_eq!(w.nodes[ALICE].ledger(message).state, LedgerState::Held);
        // The relay comes back with an empty store.
        w.relay_up(false);
        let disk = MemoryRows::default();
        let relay = Relay::load(RelayConfig::default(), relay_secret(), [8; 32], &disk, w.now_ms).unwrap();
        w.keeper = Some(Keeper { relay, disk, up: true });
        // It tells that the cursors are void, and breaks off before it gives a receipt.
        w.lose = |to, frame| to == ALICE && matches!(frame, CustodianFrame::Receipt(_)) || to == BOB;
        w.nodes[BOB].config.relays = Some(Vec::new());
        w.nodes[ALICE].sent.clear();
        w.restart(ALICE);
        let again = deposits(&w.nodes[ALICE].sent);
        assert_eq!(again.len(), 1, "not deposited again when the relay forgot");
        w.leave_relay(ALICE);
        w.lose = |_, _| false;
        w.nodes[ALICE].sent.clear();
        if restart {
            w.restart(ALICE);
        } else {
            w.pass(60_000);
        }
        assert!(
            !deposits(&w.nodes[ALICE].sent).is_empty(),
            "not deposited again after the restart"
        );
        assert!(w.nodes[ALICE].ledger(message).state >= LedgerState::Held);
    }
}

#[test]
fn what_came_since_a_report_was_written_stays_owed_when_that_report_is_taken() {
    let mut w = World::relayed();
    let chat = w.befriend();
    w.pass(60_000);
    let (now_ms, relay) = (w.now_ms, relay_secret().public());
    let bob = &mut w.nodes[BOB].client;
    let envelope = Envelope::sign(&bob.chats[&chat].row.topic, 60, b"a report").unwrap();
    let (topic, id, bytes) = (envelope.topic(), envelope.id(), envelope.bytes().to_vec());
    bob.add_out(now_ms, topic, outbox::OutWhat::Report(chat), envelope)
        .unwrap();
    let request = *bob.links[&relay].flight.keys().next_back().unwrap();
    let accepted = vec![crate::custody::Accepted { id, until_s: 1 }];
    let receipt = crate::custody::Receipt::sign(&relay_secret(), request, accepted, Vec::new());

    bob.owe_report(now_ms, chat);
    bob.receipt(now_ms, relay, &receipt).unwrap();
    bob.note_echo(relay, &bytes);
    assert_eq!(bob.chats[&chat].report, None, "it is where alice finds it");
    assert!(
        bob.chats[&chat].head.owed,
        "a crash before the next report would forget it"
    );
}

#[test]
fn f15_a_report_that_a_relay_signed_for_and_serves_nobody_is_handed_to_the_next_one() {
    let mut w = World::with_two_relays();
    let chat = w.befriend();
    let message = w.send(ALICE, chat, "hello");
    w.pass(60_000);
    assert_eq!(w.nodes[BOB].client.chats[&chat].report, None);
    w.second.as_mut().unwrap().up = false;
    for place in [ALICE, BOB] {
        w.leave(place, second_secret().public());
    }
    w.lose = |_, frame| matches!(frame, CustodianFrame::Items(_));
    w.mark_read(BOB, chat, message);
    w.pass(5_000);
    assert!(w.nodes[BOB].client.chats[&chat].head.owed, "a relay's word is enough");
    w.lose = |_, _| false;
    w.relay_up(false);
    w.second.as_mut().unwrap().up = true;
    w.pass(10 * 60_000);
    assert_eq!(w.nodes[ALICE].ledger(message).state, LedgerState::Read);
    assert!(!w.nodes[BOB].client.chats[&chat].head.owed);
}
