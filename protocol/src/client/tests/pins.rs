//! Messages that are kept in sight.

use super::groups::Village;
use super::kinds::durable;
use super::*;
use crate::chat::Role;
use crate::message::Pin;

fn pin(message: MessageId, remove: bool) -> Content {
    Content::Pin(Pin { message, remove })
}

fn pins(w: &World, place: usize, chat: ChatId) -> Vec<MessageId> {
    let list = history::pins(&w.nodes[place].disk, &chat).unwrap();
    list.into_iter().map(|view| view.id).collect()
}

#[test]
fn both_of_a_chat_pin_and_the_latest_word_counts() {
    let (mut w, chat) = World::friends();
    let first = w.send(ALICE, chat, "the address");
    let second = w.send(BOB, chat, "the time");
    w.say(BOB, chat, pin(first, false));
    w.say(ALICE, chat, pin(second, false));
    for place in [ALICE, BOB] {
        assert_eq!(
            pins(&w, place, chat),
            [second, first],
            "the last that was pinned comes first"
        );
    }
    let pinned = w.view(ALICE, first).pinned.unwrap();
    assert_eq!(pinned.account, w.nodes[BOB].client.account());
    w.say(ALICE, chat, pin(first, true));
    assert_eq!(pins(&w, BOB, chat), [second]);
    assert_eq!(w.view(BOB, first).pinned, None);
    w.say(BOB, chat, pin(first, false));
    w.restart(ALICE);
    assert_eq!(pins(&w, ALICE, chat), [first, second]);
}

#[test]
fn what_is_deleted_or_has_expired_is_pinned_no_more() {
    let (mut w, chat) = World::friends();
    let message = w.send(ALICE, chat, "gone soon");
    w.say(BOB, chat, pin(message, false));
    w.say(ALICE, chat, Content::Delete { message });
    for place in [ALICE, BOB] {
        assert_eq!(pins(&w, place, chat), []);
        assert_eq!(w.nodes[place].disk.count(Tree::Pins), 0);
    }
    let refused = w.try_say(BOB, chat, pin(message, false)).unwrap_err();
    assert!(
        matches!(refused, CommandError::Invalid { field: "message", .. }),
        "{refused:?}"
    );
}

#[test]
fn a_pin_that_comes_before_its_message_counts_once_that_is_here() {
    let (mut w, chat) = World::friends();
    let next = w.nodes[ALICE].client.chats[&chat].head.sequence + 1;
    let early = w.nodes[ALICE].stream(chat).message(next);
    w.disconnect(ALICE, BOB);
    let said = Body::Pin(Pin {
        message: early,
        remove: false,
    });
    w.bob_seals(chat, vec![(200, durable(50, said))]);
    assert_eq!(pins(&w, ALICE, chat), []);
    assert_eq!(w.send(ALICE, chat, "late"), early);
    assert_eq!(pins(&w, ALICE, chat), [early]);
}

#[test]
fn in_a_group_the_word_of_admins_counts() {
    let Village { mut w, chat } = Village::new(3);
    let message = w.send(BOB, chat, "house rules");
    w.pass(5_000);
    let refused = w.try_say(BOB, chat, pin(message, false)).unwrap_err();
    assert!(matches!(refused, CommandError::NotAllowed { .. }), "{refused:?}");
    w.say(ALICE, chat, pin(message, false));
    w.pass(5_000);
    for place in [ALICE, BOB, CAROL] {
        assert_eq!(pins(&w, place, chat), [message]);
    }
    w.gives_role(ALICE, chat, BOB, Role::Admin);
    w.pass(5_000);
    w.say(BOB, chat, pin(message, true));
    let other = w.send(CAROL, chat, "bob's choice");
    w.pass(5_000);
    w.say(BOB, chat, pin(other, false));
    w.pass(5_000);
    assert_eq!(pins(&w, CAROL, chat), [other]);
    // Bob's word counts no longer: what he pinned isn't, and what he took back is again.
    w.gives_role(ALICE, chat, BOB, Role::Member);
    w.pass(5_000);
    for place in [ALICE, BOB, CAROL] {
        assert_eq!(pins(&w, place, chat), [message], "{place}");
    }
}
