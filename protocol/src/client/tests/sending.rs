//! Sending: idempotency keys and bounds.

use super::*;

#[test]
fn the_same_key_and_text_is_the_same_message_also_after_a_restart() {
    let (mut w, chat) = World::friends();
    let first = w.try_send(ALICE, chat, "hello", Some("k")).unwrap();
    assert_eq!(w.try_send(ALICE, chat, "hello", Some("k")).unwrap(), first);
    w.restart(ALICE);
    assert_eq!(w.try_send(ALICE, chat, "hello", Some("k")).unwrap(), first);
    assert_ne!(w.try_send(ALICE, chat, "hello", Some("other")).unwrap(), first);
    assert_ne!(w.try_send(ALICE, chat, "hello", None).unwrap(), first);
    w.connect(ALICE, BOB);
    assert_eq!(w.nodes[BOB].texts(chat).len(), 3);
}

#[test]
fn the_same_key_within_a_step_that_is_not_committed_is_the_same_message() {
    let (mut w, chat) = World::friends();
    let send = |token| Input::Command {
        token,
        command: Command::Send {
            chat,
            content: "hello".into(),
            idempotency_key: Some("k".into()),
        },
    };
    let first = w.hold(ALICE, send(100));
    let second = w.hold(ALICE, send(101));
    w.commit(ALICE, first);
    w.commit(ALICE, second);
    w.run();
    let (one, two) = (
        w.nodes[ALICE].replies.remove(&100).unwrap(),
        w.nodes[ALICE].replies.remove(&101).unwrap(),
    );
    let (Reply::Sent(one), Reply::Repeated(two)) = (one.unwrap(), two.unwrap()) else {
        panic!("the first isn't sent, or the second isn't a repeat");
    };
    assert_eq!(one, two);
    assert_eq!(w.nodes[BOB].texts(chat), ["hello"]);
}

#[test]
fn the_same_key_with_another_text_or_chat_is_a_conflict() {
    let (mut w, chat) = World::friends();
    w.connect(ALICE, CAROL);
    let link = w.invite(ALICE, false);
    let other = w.accept(CAROL, &link).unwrap();
    let request = w.nodes[ALICE].requests()[0];
    w.approve(ALICE, request).unwrap();
    w.try_send(ALICE, chat, "hello", Some("k")).unwrap();
    for restart in [false, true] {
        if restart {
            w.restart(ALICE);
        }
        for (chat, text) in [(chat, "hullo"), (other, "hello")] {
            assert!(matches!(
                w.try_send(ALICE, chat, text, Some("k")),
                Err(CommandError::IdempotencyConflict)
            ));
        }
    }
    assert_eq!(w.nodes[ALICE].texts(chat), ["hello"]);
}

#[test]
fn the_same_key_name_and_members_are_the_same_chat_also_after_a_restart() {
    let (mut w, chat) = World::friends();
    let members = vec![w.account(BOB)];
    let create = |name: &str, members: &[AccountId]| Command::CreateChat {
        name: name.into(),
        members: members.to_vec(),
        idempotency_key: Some("k".into()),
    };
    let Some(Ok(Reply::Chat(group))) = w.command(ALICE, create("garden", &members)) else {
        panic!("no chat");
    };
    for restart in [false, true] {
        if restart {
            w.restart(ALICE);
        }
        let again = w.command(ALICE, create("garden", &members));
        assert!(matches!(again, Some(Ok(Reply::Chat(same))) if same == group));
        for other in [create("yard", &members), create("garden", &[])] {
            let refused = w.command(ALICE, other);
            assert!(matches!(refused, Some(Err(CommandError::IdempotencyConflict))));
        }
        assert!(matches!(
            w.try_send(ALICE, chat, "hello", Some("k")),
            Err(CommandError::IdempotencyConflict)
        ));
    }
    assert_eq!(w.nodes[ALICE].client.chats.len(), 2);
}

#[test]
fn a_key_is_forgotten_after_seven_days() {
    let (mut w, chat) = World::friends();
    let first = w.try_send(ALICE, chat, "hello", Some("k")).unwrap();
    w.pass(limits::IDEMPOTENCY_MS - 1000);
    assert_eq!(w.try_send(ALICE, chat, "hello", Some("k")).unwrap(), first);
    w.pass(1000);
    let second = w.try_send(ALICE, chat, "hullo", Some("k")).unwrap();
    assert_ne!(second, first);
    assert_eq!(w.try_send(ALICE, chat, "hullo", Some("k")).unwrap(), second);
}

#[test]
fn what_is_over_a_bound_is_refused_with_the_field() {
    let (mut w, chat) = World::friends();
    let long = "x".repeat(limits::TEXT_BYTES + 1);
    assert!(matches!(
        w.try_send(ALICE, chat, &long, None),
        Err(CommandError::TooLarge { field: "body.text", .. })
    ));
    let key = "k".repeat(limits::IDEMPOTENCY_KEY_BYTES + 1);
    assert!(matches!(
        w.try_send(ALICE, chat, "hello", Some(&key)),
        Err(CommandError::TooLarge {
            field: "idempotency_key",
            ..
        })
    ));
    assert!(matches!(
        w.try_send(ALICE, ChatId([1; 32]), "hello", None),
        Err(CommandError::NotFound { field: "chat" })
    ));
    assert!(w.nodes[ALICE].texts(chat).is_empty());
    w.send(ALICE, chat, &long[1..]);
    assert_eq!(w.nodes[BOB].texts(chat), [long[1..].to_string()]);
}
