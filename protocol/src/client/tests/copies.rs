//! Copies of a data directory: which one is behind, and that nothing is lost or doubled by it.

use super::*;
use crate::chat::Mark;
use crate::custody::Compared;

/// Puts a disk in the place of a client's, as if its directory had been restored.
fn put_back(w: &mut World, place: usize, disk: &MemoryRows) {
    w.nodes[place].disk = disk.clone();
    w.restart(place);
}

/// The chat of a client's disk as its client has it.
fn chat_of(w: &World, place: usize, chat: ChatId) -> &crate::client::chats::Chat {
    &w.nodes[place].client.chats[&chat]
}

fn texts(w: &World, place: usize, chat: ChatId) -> Vec<String> {
    w.nodes[place].texts(chat)
}

/// Alice writes "one"; her directory is copied; she goes on, stops, and the copy is put back in its place.
fn restored(mut w: World, chat: ChatId) -> (World, ChatId, StreamId) {
    w.send(ALICE, chat, "one");
    w.pass(5_000);
    w.restart(ALICE);
    w.pass(60_000);
    let copy = w.nodes[ALICE].disk.clone();
    w.restart(ALICE);
    w.pass(60_000);
    for text in ["two", "three", "four"] {
        w.send(ALICE, chat, text);
        w.pass(1_000);
    }
    w.send(BOB, chat, "I see");
    w.pass(5_000);
    assert_eq!(texts(&w, BOB, chat).len(), 5);
    let stream = w.nodes[ALICE].stream(chat);
    put_back(&mut w, ALICE, &copy);
    (w, chat, stream)
}

fn worlds() -> [(World, ChatId); 2] {
    let mut relayed = World::relayed();
    let chat = relayed.befriend();
    let (direct, other) = World::friends();
    [(relayed, chat), (direct, other)]
}

#[test]
fn f33_a_copy_that_is_put_back_joins_anew_and_nothing_is_lost_or_doubled() {
    for (w, chat) in worlds() {
        let (mut w, chat, stream) = restored(w, chat);
        let five = w.try_send(ALICE, chat, "five", Some("key")).unwrap();
        assert_eq!(w.nodes[ALICE].ledger(five).state, LedgerState::Queued);
        w.pass(120_000);
        let expected = ["one", "two", "three", "four", "I see", "five"];
        assert_eq!(texts(&w, BOB, chat), expected);
        assert_ne!(w.nodes[ALICE].stream(chat), stream);
        // The id that was answered leads to the message, as does the key.
        let view = history::message(&w.nodes[ALICE].disk, &five).unwrap().unwrap();
        assert_ne!(view.id, five);
        assert_eq!(view.ledger.unwrap().state, LedgerState::Delivered);
        assert_eq!(w.try_send(ALICE, chat, "five", Some("key")).unwrap(), five);
        assert_eq!(texts(&w, ALICE, chat).iter().filter(|text| *text == "five").count(), 1);
        // Life goes on in the new stream, also after a restart.
        w.restart(ALICE);
        w.pass(60_000);
        let six = w.send(ALICE, chat, "six");
        w.pass(60_000);
        assert_eq!(texts(&w, BOB, chat).last().unwrap(), "six");
        assert_eq!(w.nodes[ALICE].ledger(six).state, LedgerState::Delivered);
        assert_eq!(w.nodes[ALICE].disk.count(Tree::Outbox), 0);
    }
}

#[test]
fn f33_a_copy_seals_nothing_before_it_has_asked() {
    for (w, chat) in worlds() {
        let (mut w, chat, _) = restored(w, chat);
        let before = chat_of(&w, ALICE, chat).head.sealed;
        w.nodes[ALICE].sent.clear();
        w.send(ALICE, chat, "five");
        if w.keeper.is_none() {
            w.connect(ALICE, BOB);
        }
        w.input(ALICE, Input::Tick);
        assert_eq!(chat_of(&w, ALICE, chat).head.sealed, before);
        let topic = chat_of(&w, ALICE, chat).row.topic.public();
        // A letter, by which it asks to be put back, takes no key of the chat's state.
        let of_chat = |bytes: &Vec<u8>| {
            let envelope = Envelope::trusted(bytes).unwrap();
            envelope.topic() == topic && crate::chat::Letter::read(envelope.body()).is_none()
        };
        assert_eq!(
            deposits(&w.nodes[ALICE].sent)
                .iter()
                .filter(|bytes| of_chat(bytes))
                .count(),
            0
        );
        assert!(chat_of(&w, ALICE, chat).row.copied.is_some());
    }
}

#[test]
fn f33_who_got_no_answer_asks_again_once_a_member_is_heard() {
    let (mut w, chat) = World::friends();
    w.pass(60_000);
    // As after a start at which the other was connected and didn't know this account yet.
    let state = w.nodes[ALICE].client.chats.get_mut(&chat).unwrap();
    state.alone = true;
    w.try_send(ALICE, chat, "waits", None).unwrap();
    w.pass(5_000);
    assert_eq!(texts(&w, BOB, chat).len(), 0);
    w.send(BOB, chat, "here");
    w.pass(5_000);
    assert_eq!(texts(&w, BOB, chat).len(), 2);
}

#[test]
fn an_ordinary_start_costs_one_round_trip_and_no_time() {
    for (mut w, chat) in worlds() {
        w.send(ALICE, chat, "one");
        w.pass(60_000);
        let stream = w.nodes[ALICE].stream(chat);
        w.restart(ALICE);
        w.send(ALICE, chat, "two");
        let at = w.now_ms;
        w.input(ALICE, Input::Tick);
        if w.keeper.is_none() {
            w.connect(ALICE, BOB);
        }
        assert_eq!(w.now_ms, at);
        assert_eq!(texts(&w, BOB, chat), ["one", "two"]);
        assert_eq!(w.nodes[ALICE].stream(chat), stream);
        assert!(chat_of(&w, ALICE, chat).row.copied.is_none());
    }
}

#[test]
fn f33_what_was_done_to_a_waiting_message_goes_with_it() {
    let mut w = World::relayed();
    let chat = w.befriend();
    let (mut w, chat, _) = restored(w, chat);
    let five = w.send(ALICE, chat, "five");
    let edit = Content::Edit(crate::message::Edit {
        message: five,
        text: "five!".into(),
        mentions: Vec::new(),
    });
    let send = Command::Send {
        chat,
        content: edit,
        idempotency_key: None,
    };
    w.command(ALICE, send).unwrap().unwrap();
    let answer = Content::Text {
        text: "and six".into(),
        reply_to: Some(five),
        mentions: Vec::new(),
    };
    let send = Command::Send {
        chat,
        content: answer,
        idempotency_key: None,
    };
    w.command(ALICE, send).unwrap().unwrap();
    w.pass(120_000);
    for place in [ALICE, BOB] {
        let list = history::messages(&w.nodes[place].disk, &chat, None, None, 2).unwrap();
        let [(_, five), (_, six)] = &list[..] else {
            panic!("{list:?}");
        };
        assert_eq!(five.body, Body::Text("five!".into()), "{place}");
        assert!(five.edited_ms.is_some());
        assert_eq!(six.reply_to, Some(five.id));
    }
}

#[test]
fn f33_two_copies_that_were_both_offline_settle() {
    let mut w = World::relayed();
    let chat = w.befriend();
    w.send(ALICE, chat, "one");
    w.pass(60_000);
    w.relay_up(false);
    w.restart(ALICE);
    let copy = w.nodes[ALICE].disk.clone();
    // One writes while it is offline, then the other.
    w.restart(ALICE);
    w.send(ALICE, chat, "by the first");
    let first = w.nodes[ALICE].disk.clone();
    put_back(&mut w, ALICE, &copy);
    w.send(ALICE, chat, "by the second");
    w.relay_up(true);
    w.pass(120_000);
    assert_eq!(texts(&w, BOB, chat), ["one", "by the second"]);
    let second = w.nodes[ALICE].disk.clone();
    put_back(&mut w, ALICE, &first);
    w.pass(300_000);
    assert_eq!(texts(&w, BOB, chat), ["one", "by the second", "by the first"]);
    // The other one is superseded now. It settles too, and neither keeps the chat busy for ever.
    put_back(&mut w, ALICE, &second);
    w.send(ALICE, chat, "by the second again");
    w.pass(3_600_000);
    assert_eq!(texts(&w, BOB, chat).last().unwrap(), "by the second again");
    let epoch = chat_of(&w, BOB, chat).group.epoch();
    w.pass(3_600_000);
    assert_eq!(chat_of(&w, BOB, chat).group.epoch(), epoch);
    w.send(BOB, chat, "fine");
    w.pass(60_000);
    assert_eq!(texts(&w, ALICE, chat).last().unwrap(), "fine");
}

#[test]
fn f33_lies_about_a_stream_push_nobody_into_joining_anew() {
    for (mut w, chat) in worlds() {
        let one = w.send(ALICE, chat, "one");
        w.pass(5_000);
        let stream = w.nodes[ALICE].stream(chat);
        let mut lie = inner(w.nodes[BOB].stream(chat), 50, "lie");
        let mut delivered = SeqSet::default();
        delivered.insert_range(1, 1_000);
        lie.frontiers = vec![crate::message::Frontier {
            stream,
            delivered,
            read_through: 1_000,
        }];
        let lie = w.nodes[BOB].forge(chat, &lie);
        let topic = lie.topic();
        w.gossip_to(ALICE, BOB, lie.bytes());
        // A made-up mark, and one of alice's own that is shown again.
        let own = chat_of(&w, BOB, chat).acks[&stream.device].mark;
        assert!(own.is_some());
        for mark in [own, Some(Mark([7; 40])), None] {
            let told = CustodianFrame::Compared(Compared { topic, mark });
            let input = Input::Frame {
                peer: w.key(BOB),
                side: Side::Client,
                bytes: told.encode(),
            };
            w.input(ALICE, input);
        }
        w.pass(60_000);
        assert!(chat_of(&w, ALICE, chat).row.copied.is_none());
        assert_eq!(w.nodes[ALICE].stream(chat), stream);
        assert_eq!(w.nodes[ALICE].ledger(one).state, LedgerState::Delivered);
        let two = w.send(ALICE, chat, "two");
        w.pass(60_000);
        assert_eq!(w.nodes[ALICE].ledger(two).state, LedgerState::Delivered);
    }
}

#[test]
fn a_device_tells_only_contacts_what_it_has() {
    let (mut w, chat) = World::friends();
    w.connect(BOB, CAROL);
    let ask = crate::custody::Compare {
        topic: chat_of(&w, BOB, chat).row.topic.public(),
        device: w.nodes[ALICE].client.device(),
    };
    w.nodes[BOB].sent.clear();
    let input = Input::Frame {
        peer: w.key(CAROL),
        side: Side::Server,
        bytes: ClientFrame::Compare(ask).encode(),
    };
    w.input(BOB, input);
    assert!(w.nodes[BOB].sent.is_empty());
}

#[test]
fn f33_a_member_that_does_not_know_the_topic_says_so_and_keeps_nobody_waiting() {
    let (mut w, chat) = World::friends();
    w.pass(60_000);
    // Bob has lost the chat, as if an old copy of his data had been put back, and waits to be put back by Alice.
    let topics = w.nodes[BOB].client.chats[&chat].topics();
    for topic in topics {
        w.nodes[BOB].client.topics.remove(&topic);
    }
    w.restart(ALICE);
    w.input(ALICE, Input::Tick);
    w.connect(ALICE, BOB);
    w.pass(1_000);
    assert!(chat_of(&w, ALICE, chat).may_commit());
}

#[test]
fn f33_whoever_is_put_back_with_a_leaf_that_it_offered_is_no_copy() {
    let (mut w, chat) = World::friends();
    w.pass(60_000);
    let client = &mut w.nodes[ALICE].client;
    let now = w.now_ms;
    client.ask_rejoin(now, chat).unwrap();
    let offered = client.chats[&chat].row.offered.clone();
    assert_eq!(offered.len(), 1);
    for _ in 0..2 * limits::LEAVES_OFFERED {
        w.nodes[ALICE].client.ask_rejoin(now, chat).unwrap();
    }
    let state = chat_of(&w, ALICE, chat);
    assert_eq!(state.row.offered.len(), limits::LEAVES_OFFERED);
    assert!(!state.row.offered.contains(&offered[0]));
}
