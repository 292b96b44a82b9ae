//! Who types.

use super::*;

fn types(w: &mut World, place: usize, chat: ChatId, active: bool) {
    let reply = w.command(place, Command::Type { chat, active }).unwrap();
    assert_eq!(reply.unwrap(), Reply::Done);
}

fn heard(w: &World, place: usize) -> Vec<bool> {
    let events = w.nodes[place].events().into_iter();
    events
        .filter_map(|event| match event {
            EventRow::Typing { active, .. } => Some(active),
            _ => None,
        })
        .collect()
}

#[test]
fn who_is_connected_hears_that_a_member_types_and_nothing_is_kept() {
    for gossip in [false, true] {
        let mut w = World::new();
        w.gossip = gossip;
        w.connect(ALICE, BOB);
        let chat = w.befriend();
        let (rows, sequence) = (
            w.nodes[BOB].disk.count(Tree::Messages),
            w.nodes[ALICE].client.chats[&chat].head.sequence,
        );
        types(&mut w, ALICE, chat, true);
        w.pass(1_000);
        types(&mut w, ALICE, chat, false);
        w.pass(60_000);
        assert_eq!(heard(&w, BOB), [true, false], "{gossip}");
        assert!(heard(&w, ALICE).is_empty());
        assert_eq!(w.nodes[BOB].disk.count(Tree::Messages), rows);
        let alice = &w.nodes[ALICE];
        assert_eq!(alice.client.chats[&chat].head.sequence, sequence);
        assert_eq!(alice.disk.count(Tree::Outbox), 0);
        // Messages go on as if nothing had been.
        w.send(ALICE, chat, "there");
        w.pass(1_000);
        assert_eq!(w.nodes[BOB].texts(chat), ["there"]);
    }
}

#[test]
fn f25_typing_is_told_seldom_and_heard_seldom() {
    let (mut w, chat) = World::friends();
    let before = w.nodes[ALICE].client.chats[&chat].head.sealed;
    for _ in 0..100 {
        types(&mut w, ALICE, chat, true);
        types(&mut w, ALICE, chat, false);
        w.pass(100);
    }
    let sealed = w.nodes[ALICE].client.chats[&chat].head.sealed - before;
    assert!((2..=8).contains(&sealed), "{sealed} in ten seconds");
    // A program that doesn't keep to that.
    let count = heard(&w, BOB).len();
    for _ in 0..100 {
        let note = Inner {
            messages: Vec::new(),
            extensions: crate::message::extensions::typing(true),
            ..inner(w.nodes[ALICE].stream(chat), 1, "")
        };
        let note = w.nodes[ALICE].forge(chat, &note);
        w.gossip_to(BOB, ALICE, note.bytes());
        w.pass(100);
    }
    let more = heard(&w, BOB).len() - count;
    assert!((1..=4).contains(&more), "{more} in ten seconds");
}

#[test]
fn f25_nobody_hears_of_typing_who_is_away_or_a_stranger() {
    let mut w = World::new();
    let link = w.invite(ALICE, false);
    w.connect(ALICE, BOB);
    let chat = w.accept(BOB, &link).unwrap();
    types(&mut w, BOB, chat, true);
    assert_eq!(w.nodes[BOB].client.chats[&chat].head.sealed, 0);
    assert!(heard(&w, ALICE).is_empty());

    let mut w = World::relayed();
    let chat = w.befriend();
    let before = w.nodes[ALICE].client.chats[&chat].head.sealed;
    types(&mut w, ALICE, chat, true);
    w.pass(60_000);
    assert_eq!(
        w.nodes[ALICE].client.chats[&chat].head.sealed, before,
        "a relay is told"
    );
    assert!(heard(&w, BOB).is_empty());
    let unknown = Command::Type {
        chat: ChatId([9; 32]),
        active: true,
    };
    assert!(matches!(
        w.command(ALICE, unknown),
        Some(Err(CommandError::NotFound { .. }))
    ));
}
