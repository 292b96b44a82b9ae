//! The same message again, by whatever way.

use super::*;

/// Pages with envelopes don't reach bob: the test hands them over itself.
fn no_pages(to: usize, frame: &CustodianFrame) -> bool {
    to == BOB && matches!(frame, CustodianFrame::Items(page) if !page.items.is_empty())
}

/// A chat through a relay, and an envelope of alice's with one text that bob hasn't seen.
fn unseen() -> (World, ChatId, Vec<u8>) {
    let mut w = World::relayed();
    let chat = w.befriend();
    w.lose = no_pages;
    w.nodes[ALICE].sent.clear();
    w.send(ALICE, chat, "hello");
    let envelope = deposits(&w.nodes[ALICE].sent).pop().unwrap();
    assert!(w.nodes[BOB].texts(chat).is_empty());
    (w, chat, envelope)
}

fn deposit_at(w: &mut World, to: usize, from: usize, envelope: &[u8]) {
    let deposit = crate::custody::Deposit {
        request: 9,
        envelopes: vec![envelope.to_vec()],
    };
    let input = Input::Frame {
        peer: w.key(from),
        side: Side::Server,
        bytes: ClientFrame::Deposit(deposit).encode(),
    };
    w.input(to, input);
}

fn received(w: &World) -> usize {
    let is_message = |event: &&EventRow| matches!(event, EventRow::MessageReceived { .. });
    w.nodes[BOB].events().iter().filter(is_message).count()
}

#[test]
fn f02_the_same_envelope_by_relay_gossip_and_stream_is_one_message_and_one_event() {
    for first in 0..3 {
        let (mut w, chat, envelope) = unseen();
        let topic = w.nodes[BOB].client.chats[&chat].row.topic.public();
        for way in [first, 0, 1, 2] {
            match way {
                0 => assert_eq!(w.gossip_to(BOB, ALICE, &envelope), Verdict::Accept),
                1 => w.raw_page(BOB, topic, 50, vec![envelope.clone()]),
                _ => deposit_at(&mut w, BOB, ALICE, &envelope),
            }
            assert_eq!(w.nodes[BOB].texts(chat), ["hello"]);
            assert_eq!(received(&w), 1);
        }
        assert!(w.nodes[BOB].penalised.is_empty());
    }
}

#[test]
fn f04_an_old_envelope_after_a_restart_is_dropped() {
    let (mut w, chat, envelope) = unseen();
    w.gossip_to(BOB, ALICE, &envelope);
    w.restart(BOB);
    w.pass(1_000);
    assert_eq!(w.gossip_to(BOB, ALICE, &envelope), Verdict::Accept);
    w.restart(BOB);
    deposit_at(&mut w, BOB, ALICE, &envelope);
    assert_eq!((w.nodes[BOB].texts(chat), received(&w)), (vec!["hello".into()], 1));
}

#[test]
fn f04_a_message_that_is_sealed_again_is_dropped_by_its_number_also_after_a_restart() {
    let (mut w, chat, envelope) = unseen();
    w.gossip_to(BOB, ALICE, &envelope);
    let stream = w.nodes[ALICE].stream(chat);
    let sequence = w.nodes[ALICE].client.chats[&chat].head.sequence;
    for _ in 0..2 {
        let again = w.nodes[ALICE].forge(chat, &inner(stream, sequence, "other words"));
        assert_eq!(w.gossip_to(BOB, ALICE, again.bytes()), Verdict::Accept);
        assert_eq!((w.nodes[BOB].texts(chat), received(&w)), (vec!["hello".into()], 1));
        w.restart(BOB);
    }
}

#[test]
fn a_repeat_is_reported_again_so_that_its_sender_stops() {
    let (mut w, chat) = World::friends();
    let message = w.send(ALICE, chat, "hello");
    w.lose = |to, frame| to == BOB && matches!(frame, CustodianFrame::Receipt(_));
    w.disconnect(ALICE, BOB);
    w.pass(1_000);
    assert_eq!(w.nodes[BOB].texts(chat), ["hello"]);
    assert_eq!(w.nodes[ALICE].ledger(message).state, LedgerState::Queued);
    w.lose = |_, _| false;
    w.connect(ALICE, BOB);
    w.pass(1_000);
    assert_eq!(w.nodes[ALICE].ledger(message).state, LedgerState::Delivered);
}
