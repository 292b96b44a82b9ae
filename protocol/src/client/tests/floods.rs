//! What is meant to drain a device.

use super::*;

/// Deposits that a client made: reports, where it writes nothing.
fn reports(w: &mut World, place: usize) -> usize {
    let count = deposits(&w.nodes[place].sent).len();
    w.nodes[place].sent.clear();
    count
}

#[test]
fn f25_what_a_member_repeats_is_answered_once_a_second_at_most() {
    let (mut w, chat) = World::friends();
    w.send(BOB, chat, "hello");
    w.pass(10_000);
    let stream = w.nodes[BOB].stream(chat);
    let last = w.nodes[BOB].client.chats[&chat].head.sequence;
    reports(&mut w, ALICE);
    for n in 0..500 {
        let repeat = w.nodes[BOB].forge(chat, &inner(stream, last, "hello"));
        let report = Inner {
            messages: Vec::new(),
            ..inner(stream, 1, "")
        };
        let report = w.nodes[BOB].forge(chat, &report);
        w.gossip_to(ALICE, BOB, repeat.bytes());
        w.gossip_to(ALICE, BOB, report.bytes());
        w.pass(if n % 2 == 0 { 5 } else { 15 });
    }
    let answers = reports(&mut w, ALICE);
    assert!((1..=6).contains(&answers), "{answers} answers in five seconds");
    // Reports alone are answered by nothing.
    w.pass(10_000);
    reports(&mut w, ALICE);
    let report = Inner {
        messages: Vec::new(),
        ..inner(stream, 1, "")
    };
    for _ in 0..50 {
        let report = w.nodes[BOB].forge(chat, &report);
        w.gossip_to(ALICE, BOB, report.bytes());
        w.pass(100);
    }
    assert_eq!(reports(&mut w, ALICE), 0);
}

#[test]
fn f25_strangers_are_told_nothing() {
    let mut w = World::new();
    let link = w.invite(ALICE, false);
    w.connect(ALICE, BOB);
    let chat = w.accept(BOB, &link).unwrap();
    reports(&mut w, ALICE);
    for n in 0..50 {
        w.send(BOB, chat, &format!("let me in {n}"));
        w.pass(1_000);
    }
    assert_eq!(w.nodes[ALICE].requests().len(), 1);
    assert_eq!(reports(&mut w, ALICE), 0, "a stranger learns when alice's device is on");
}
