//! Custodians that refuse.

use super::*;
use crate::custody::{Receipt, Refusal};

/// A relay that keeps little of each topic, for an hour.
fn small() -> RelayConfig {
    RelayConfig {
        topic_envelopes: 12,
        retention_s: 3600,
        ..RelayConfig::default()
    }
}

/// Sends to bob, who is away, until the relay refuses; the last message is the refused one.
fn fill(w: &mut World, chat: ChatId) -> (Vec<String>, MessageId) {
    w.nodes[BOB].config.relays = Some(vec![relay_address()]);
    w.leave_relay(BOB);
    let mut texts = Vec::new();
    for n in 0..20 {
        texts.push(format!("message {n}"));
        let message = w.send(ALICE, chat, &texts[n]);
        if w.nodes[ALICE].ledger(message).refused.is_some() {
            return (texts, message);
        }
    }
    panic!("never refused");
}

#[test]
fn f22_a_refusal_is_told_and_the_message_stays_and_is_delivered_later() {
    let mut w = World::with_relay(small(), |_, _| {});
    let chat = w.befriend();
    let (texts, message) = fill(&mut w, chat);
    let ledger = w.nodes[ALICE].ledger(message);
    assert_eq!(
        (ledger.state, ledger.refused),
        (LedgerState::Queued, Some(Refusal::TopicQuota))
    );
    assert_eq!(w.nodes[ALICE].count_events(&EventRow::Ledger { message }), 1);
    w.restart(ALICE);
    assert_eq!(w.nodes[ALICE].ledger(message).refused, Some(Refusal::TopicQuota));
    assert_eq!(
        w.nodes[ALICE].count_events(&EventRow::Ledger { message }),
        1,
        "the same refusal is told twice"
    );
    let (mut texts, mut waiting) = (texts, Vec::new());
    for n in 0..3 {
        texts.push(format!("behind it {n}"));
        waiting.push(w.send(ALICE, chat, &texts[texts.len() - 1]));
    }
    for message in waiting {
        assert_eq!(
            w.nodes[ALICE].ledger(message).refused,
            Some(Refusal::TopicQuota),
            "what waits behind doesn't say why"
        );
    }

    // Bob reads, the relay forgets what is old, and the sender tries again by itself.
    for _ in 0..4 {
        w.pass(1_800_000);
        w.relay_input(RelayInput::Tick);
        w.run();
    }
    assert_eq!(w.nodes[BOB].texts(chat), texts);
    let ledger = w.nodes[ALICE].ledger(message);
    assert_eq!((ledger.state, ledger.refused), (LedgerState::Delivered, None));
}

#[test]
fn f21_f22_a_topic_that_is_full_does_not_hold_up_other_chats() {
    let mut w = World::with_relay(small(), |_, _| {});
    let chat = w.befriend();
    let link = w.invite(ALICE, false);
    let other = w.accept(CAROL, &link).unwrap();
    let request = w.nodes[ALICE].requests()[0];
    w.approve(ALICE, request).unwrap();
    w.pass(1_000);
    fill(&mut w, chat);
    let message = w.send(ALICE, other, "to carol");
    assert!(w.nodes[ALICE].ledger(message).state >= LedgerState::Held);
    assert_eq!(w.nodes[CAROL].texts(other), ["to carol"]);
}

#[test]
fn a_custodian_that_leaves_deposits_unanswered_does_not_keep_us_busy() {
    let mut w = World::relayed();
    let chat = w.befriend();
    w.lose = |to, frame| to == ALICE && matches!(frame, CustodianFrame::Receipt(_));
    w.send(ALICE, chat, "hello");
    let peer = relay_secret().public();
    let mut rounds = 0;
    for _ in 0..50 {
        let flight: Vec<u64> = w.nodes[ALICE].client.links[&peer].flight.keys().copied().collect();
        for request in flight {
            rounds += 1;
            let empty = Receipt::sign(&relay_secret(), request, Vec::new(), Vec::new());
            let bytes = CustodianFrame::Receipt(empty).encode();
            w.input(
                ALICE,
                Input::Frame {
                    peer,
                    side: Side::Client,
                    bytes,
                },
            );
        }
    }
    assert!(rounds <= 3, "{rounds} deposits without a pause");
    // It is asked again after a pause.
    w.lose = |_, _| false;
    w.pass(120_000);
    assert_eq!(w.nodes[ALICE].client.outs.len(), 0);
}

#[test]
fn a_relay_that_asks_for_endless_patience_is_asked_again_within_the_hour() {
    let mut w = World::relayed();
    let chat = w.befriend();
    w.lose = |to, frame| to == ALICE && matches!(frame, CustodianFrame::Receipt(_)) || to == BOB;
    w.nodes[ALICE].sent.clear();
    w.send(ALICE, chat, "hello");
    let envelope = Envelope::trusted(&deposits(&w.nodes[ALICE].sent)[0]).unwrap();
    let peer = relay_secret().public();
    let request = *w.nodes[ALICE].client.links[&peer].flight.keys().next().unwrap();
    let refused = vec![crate::custody::Refused {
        id: envelope.id(),
        why: Refusal::Full,
        retry_after_s: u32::MAX,
    }];
    let bytes = CustodianFrame::Receipt(Receipt::sign(&relay_secret(), request, Vec::new(), refused)).encode();
    w.input(
        ALICE,
        Input::Frame {
            peer,
            side: Side::Client,
            bytes,
        },
    );
    assert_eq!(
        w.nodes[ALICE]
            .client
            .outs
            .values()
            .filter(|out| out.refused.is_some())
            .count(),
        1
    );
    w.lose = |_, _| false;
    w.pass(2 * 3_600_000);
    assert_eq!(w.nodes[BOB].texts(chat), ["hello"]);
}
