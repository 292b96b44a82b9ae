//! Messages that disappear.

use super::*;
use crate::message::{Reaction, extensions};

const HOUR_S: u32 = 3600;
const HOUR_MS: u64 = 3_600_000;

/// Alice and bob, whose messages disappear after an hour.
fn hourly() -> (World, ChatId) {
    let (mut w, chat) = World::friends();
    set_timer(&mut w, chat, HOUR_S);
    (w, chat)
}

fn set_timer(w: &mut World, chat: ChatId, after_s: u32) {
    for node in &mut w.nodes[..2] {
        node.client.chats.get_mut(&chat).unwrap().row.context.timer_s = after_s;
    }
}

fn is_there(w: &World, place: usize, message: MessageId) -> bool {
    history::message(&w.nodes[place].disk, &message).unwrap().is_some()
}

#[test]
fn a_message_disappears_at_its_author_after_sending_and_at_others_after_reading() {
    let (mut w, chat) = hourly();
    let message = w.send(ALICE, chat, "for an hour");
    assert_eq!(w.view(BOB, message).expires_after_s, Some(HOUR_S));
    let reaction = Reaction {
        message,
        emoji: "👍".into(),
        remove: false,
    };
    w.say(BOB, chat, Content::Reaction(reaction));
    w.pass(HOUR_MS - 1000);
    assert!(is_there(&w, ALICE, message));
    w.restart(ALICE);
    w.pass(2000);
    assert!(!is_there(&w, ALICE, message), "its time passed at its author's");
    assert!(is_there(&w, BOB, message), "it wasn't read yet");

    w.mark_read(BOB, chat, message);
    w.restart(BOB);
    w.pass(HOUR_MS - 1000);
    assert!(is_there(&w, BOB, message));
    w.pass(2000);
    for place in [ALICE, BOB] {
        let node = &w.nodes[place];
        for tree in [Tree::Messages, Tree::MessageIds, Tree::Effects, Tree::Expiry] {
            assert_eq!(node.disk.count(tree), 0, "{tree:?}");
        }
        assert_eq!(node.count_events(&EventRow::MessageExpired { chat, message }), 1);
    }
    // It doesn't come back.
    w.connect(ALICE, BOB);
    w.pass(600_000);
    assert!(!is_there(&w, BOB, message));
}

#[test]
fn messages_without_a_timer_stay() {
    let (mut w, chat) = World::friends();
    let message = w.send(ALICE, chat, "for good");
    w.mark_read(BOB, chat, message);
    set_timer(&mut w, chat, HOUR_S);
    w.pass(10 * HOUR_MS);
    assert!(is_there(&w, ALICE, message) && is_there(&w, BOB, message));
}

#[test]
fn what_comes_late_and_sorts_below_what_was_read_counts_as_read() {
    let (mut w, chat) = World::friends();
    w.disconnect(ALICE, BOB);
    let stream = w.nodes[BOB].stream(chat);
    let mut late = inner(stream, 100, "late");
    late.messages[0].extensions = extensions::expiring(HOUR_S);
    late.messages[0].clock = 1;
    let mut first = inner(stream, 101, "first");
    first.messages[0].clock = 2;
    for sealed in [first, late] {
        let envelope = w.nodes[BOB].forge(chat, &sealed);
        w.gossip_to(ALICE, BOB, envelope.bytes());
        if is_there(&w, ALICE, stream.message(101)) && !is_there(&w, ALICE, stream.message(100)) {
            w.mark_read(ALICE, chat, stream.message(101));
        }
    }
    assert_eq!(w.nodes[ALICE].texts(chat), ["late", "first"]);
    w.pass(HOUR_MS + 1);
    assert_eq!(w.nodes[ALICE].texts(chat), ["first"]);
}

#[test]
fn a_thousand_that_are_due_at_once_are_erased_a_part_at_a_time() {
    let (mut w, chat) = hourly();
    let mut last = MessageId([0; 32]);
    for n in 0..1000 {
        last = w.send(ALICE, chat, &n.to_string());
    }
    w.mark_read(BOB, chat, last);
    w.pass(10_000);
    w.nodes[BOB].batches.clear();
    w.pass(HOUR_MS);
    assert!(w.nodes[BOB].texts(chat).is_empty());
    assert_eq!(w.nodes[BOB].disk.count(Tree::Expiry), 0);
    let erased = |batch: &Batch| {
        let gone = |op: &&Op| {
            matches!(
                op,
                Op::Delete {
                    tree: Tree::Messages,
                    ..
                }
            )
        };
        batch.ops.iter().filter(gone).count()
    };
    let most = w.nodes[BOB].batches.iter().map(erased).max();
    assert!(most.unwrap() <= limits::ERASED_PER_STEP, "{most:?} in one step");
}

#[test]
fn f24_a_message_does_not_wait_for_2100_to_disappear() {
    let (mut w, chat) = hourly();
    w.disconnect(ALICE, BOB);
    w.nodes[ALICE].ahead_ms = 4_102_444_800_000 - START_MS as i64;
    let message = w.send(ALICE, chat, "from 2100");
    w.nodes[ALICE].ahead_ms = 0;
    w.input(ALICE, Input::Tick);
    w.pass(HOUR_MS + 1);
    assert!(!is_there(&w, ALICE, message));
}
