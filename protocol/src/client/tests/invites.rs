//! Invites and their acceptance.

use super::*;

fn contacts(w: &World, place: usize) -> Vec<(AccountId, ChatId)> {
    let list = history::contacts(&w.nodes[place].disk).unwrap();
    list.into_iter()
        .map(|contact| (contact.account, contact.chat))
        .collect()
}

#[test]
fn a_single_use_invite_is_shut_after_approval() {
    let mut w = World::new();
    w.connect(ALICE, BOB);
    w.connect(ALICE, CAROL);
    let link = w.invite(ALICE, false);
    let topics = w.nodes[ALICE].client.topics.len();
    w.accept(BOB, &link).unwrap();
    let request = w.nodes[ALICE].requests()[0];
    w.approve(ALICE, request).unwrap();
    assert!(w.nodes[ALICE].client.invites.is_empty());
    assert_eq!(w.nodes[ALICE].disk.count(Tree::Invites), 0);
    // Chat and inbox came, card and requests went.
    assert_eq!(w.nodes[ALICE].client.topics.len(), topics);
    assert!(w.command(CAROL, Command::Accept { link }).is_none());
    w.pass(21_000);
    let answers: Vec<_> = std::mem::take(&mut w.nodes[CAROL].replies).into_values().collect();
    assert!(
        matches!(answers.as_slice(), [Err(CommandError::CardUnavailable)]),
        "{answers:?}"
    );
    assert!(w.nodes[ALICE].requests().is_empty());
}

#[test]
fn both_sides_learn_of_the_new_contact_once() {
    let mut w = World::new();
    w.connect(ALICE, BOB);
    let chat = w.befriend();
    for (place, other) in [(ALICE, BOB), (BOB, ALICE)] {
        let account = w.nodes[other].client.account();
        let name = NAMES[other].into();
        assert_eq!(
            w.nodes[place].count_events(&EventRow::ContactAdded { account, chat, name }),
            1
        );
        assert_eq!(contacts(&w, place), [(account, chat)]);
        w.restart(place);
    }
    w.connect(ALICE, BOB);
    w.send(BOB, chat, "hello");
    w.send(ALICE, chat, "hi");
    for place in [ALICE, BOB] {
        let added = |event: &&EventRow| matches!(event, EventRow::ContactAdded { .. });
        assert_eq!(w.nodes[place].events().iter().filter(added).count(), 1);
    }
}

#[test]
fn what_a_guest_writes_before_approval_arrives_after_it() {
    for relayed in [false, true] {
        let mut w = if relayed { World::relayed() } else { World::new() };
        if !relayed {
            w.connect(ALICE, BOB);
        }
        let link = w.invite(ALICE, false);
        let chat = w.accept(BOB, &link).unwrap();
        let message = w.send(BOB, chat, "it's me");
        assert!(w.nodes[BOB].ledger(message).state <= LedgerState::Held);
        w.pass(5_000);
        w.restart(BOB);
        if !relayed {
            w.connect(ALICE, BOB);
        }
        let request = w.nodes[ALICE].requests()[0];
        w.approve(ALICE, request).unwrap();
        w.pass(5_000);
        assert_eq!(w.nodes[ALICE].texts(chat), ["it's me"]);
        assert_eq!(w.nodes[BOB].ledger(message).state, LedgerState::Delivered);
    }
}

#[test]
fn an_invite_that_has_expired_is_refused_by_guest_and_host() {
    let mut w = World::new();
    w.connect(ALICE, BOB);
    w.connect(ALICE, CAROL);
    let command = Command::Invite {
        multi_use: true,
        expires_in_s: Some(60),
    };
    let Some(Ok(Reply::Invited { link, expires_s })) = w.command(ALICE, command) else {
        panic!("no invite");
    };
    assert_eq!(expires_s, START_MS / 1000 + 60);
    w.accept(BOB, &link).unwrap();
    let request = w.nodes[ALICE].requests()[0];
    w.pass(60_000);
    assert!(matches!(w.accept(CAROL, &link), Err(CommandError::InviteExpired)));
    assert!(w.nodes[ALICE].client.invites.is_empty());
    assert!(w.approve(ALICE, request).is_err());
    // What can't be approved any more doesn't take up room for ever.
    assert!(w.nodes[ALICE].requests().is_empty());
    assert_eq!(w.nodes[ALICE].disk.count(Tree::Cursors), 0);
}

#[test]
fn the_own_invite_and_what_is_no_invite_are_refused() {
    let mut w = World::new();
    let link = w.invite(ALICE, false);
    assert!(matches!(w.accept(ALICE, &link), Err(CommandError::OwnInvite)));
    let mut damaged = link.clone();
    damaged.replace_range(60..61, if &link[60..61] == "A" { "B" } else { "A" });
    assert!(matches!(w.accept(BOB, &damaged), Err(CommandError::Invite(_))));
    assert!(matches!(
        w.accept(BOB, "https://example.org/"),
        Err(CommandError::Invite(_))
    ));
}

#[test]
fn accepting_twice_gives_the_same_chat() {
    let mut w = World::new();
    w.connect(ALICE, BOB);
    let link = w.invite(ALICE, false);
    let chat = w.accept(BOB, &link).unwrap();
    assert_eq!(w.accept(BOB, &link).unwrap(), chat);
    w.restart(BOB);
    assert_eq!(w.accept(BOB, &link).unwrap(), chat);
    assert_eq!(w.nodes[ALICE].requests().len(), 1);
}

#[test]
fn two_calls_while_the_card_is_looked_for_get_the_same_chat() {
    let mut w = World::new();
    let link = w.invite(ALICE, false);
    for _ in 0..2 {
        assert!(w.command(BOB, Command::Accept { link: link.clone() }).is_none());
    }
    w.connect(ALICE, BOB);
    let replies: Vec<Reply> = std::mem::take(&mut w.nodes[BOB].replies)
        .into_values()
        .map(Result::unwrap)
        .collect();
    assert_eq!(replies.len(), 2);
    assert_eq!(replies[0], replies[1]);
    assert_eq!(w.nodes[BOB].client.chats.len(), 1);
}

#[test]
fn accepting_gives_up_after_its_time_and_can_be_tried_again() {
    let mut w = World::new();
    let link = w.invite(ALICE, false);
    assert!(w.command(BOB, Command::Accept { link: link.clone() }).is_none());
    w.pass(19_000);
    assert!(w.nodes[BOB].replies.is_empty());
    w.pass(2_000);
    let answers: Vec<_> = std::mem::take(&mut w.nodes[BOB].replies).into_values().collect();
    assert!(matches!(answers.as_slice(), [Err(CommandError::CardUnavailable)]));
    assert!(w.nodes[BOB].client.accepting.is_empty() && w.nodes[BOB].client.topics.is_empty());
    w.connect(ALICE, BOB);
    w.accept(BOB, &link).unwrap();
}

/// Each accepts the other's invite before either approves.
fn crossed(w: &mut World) -> (ChatId, ChatId) {
    let (of_alice, of_bob) = (w.invite(ALICE, false), w.invite(BOB, false));
    let by_alice = w.accept(ALICE, &of_bob).unwrap();
    let by_bob = w.accept(BOB, &of_alice).unwrap();
    (by_alice, by_bob)
}

#[test]
fn two_who_accept_each_other_at_once_end_in_the_chat_with_the_lower_id() {
    for first in [ALICE, BOB] {
        let mut w = World::new();
        w.connect(ALICE, BOB);
        let (one, two) = crossed(&mut w);
        assert_ne!(one, two);
        for place in [first, 1 - first] {
            let request = w.nodes[place].requests()[0];
            w.approve(place, request).unwrap();
            w.pass(1_000);
        }
        let chosen = one.min(two);
        assert_eq!(contacts(&w, ALICE), [(w.nodes[BOB].client.account(), chosen)]);
        assert_eq!(contacts(&w, BOB), [(w.nodes[ALICE].client.account(), chosen)]);
        for (turn, chat) in [one, two].into_iter().enumerate() {
            w.send(turn, chat, "either works");
            w.pass(1_000);
            assert_eq!(w.nodes[1 - turn].texts(chat), ["either works"]);
        }
    }
}

#[test]
fn a_card_that_comes_after_the_other_was_approved_makes_no_second_chat() {
    let mut w = World::new();
    w.connect(ALICE, BOB);
    w.lose = |to, frame| to == ALICE && matches!(frame, CustodianFrame::Items(_));
    let (of_alice, of_bob) = (w.invite(ALICE, false), w.invite(BOB, false));
    assert!(w.command(ALICE, Command::Accept { link: of_bob }).is_none());
    let chat = w.accept(BOB, &of_alice).unwrap();
    let request = w.nodes[ALICE].requests()[0];
    w.approve(ALICE, request).unwrap();
    let inbox = w.nodes[ALICE].client.contacts[&w.nodes[BOB].client.account()]
        .our_inbox
        .topic
        .public();
    w.lose = |_, _| false;
    w.disconnect(ALICE, BOB);
    w.connect(ALICE, BOB);
    let replies: Vec<_> = std::mem::take(&mut w.nodes[ALICE].replies)
        .into_values()
        .map(Result::unwrap)
        .collect();
    assert_eq!(replies, [Reply::Chat(chat)]);
    assert_eq!(w.nodes[ALICE].client.chats.len(), 1);
    assert_eq!(
        w.nodes[ALICE].client.contacts[&w.nodes[BOB].client.account()]
            .our_inbox
            .topic
            .public(),
        inbox
    );
}

#[test]
fn the_cards_of_open_invites_follow_name_and_relays() {
    let mut w = World::new();
    w.connect(ALICE, BOB);
    let link = w.invite(ALICE, false);
    w.nodes[ALICE].config.name = Some("alicia".into());
    w.nodes[ALICE].config.relays = Some(vec![relay_address()]);
    w.restart(ALICE);
    w.connect(ALICE, BOB);
    w.accept(BOB, &link).unwrap();
    let contact = &w.nodes[BOB].client.contacts[&w.nodes[ALICE].client.account()];
    assert_eq!(
        (contact.name.as_str(), &contact.relays),
        ("alicia", &vec![relay_address()])
    );
}

#[test]
fn an_invite_whose_topics_are_ours_already_is_refused() {
    let (mut w, chat) = World::friends();
    let topic = w.nodes[ALICE].client.chats[&chat].row.topic.public();
    let link = w.invite(BOB, false);
    // Bob invites anew, with the topic of the chat as the card's.
    let mut invite = Invite::from_link(&link).unwrap();
    invite.account = w.nodes[CAROL].client.account();
    invite.card = topic;
    let answer = w.command(ALICE, Command::Accept { link: invite.to_link() });
    assert!(matches!(answer, Some(Err(CommandError::Invite(_)))), "{answer:?}");
    w.pass(30_000);
    w.send(BOB, chat, "still heard");
    assert_eq!(w.nodes[ALICE].texts(chat), ["still heard"]);
}
