//! Replies, mentions, reactions, edits, deletions, polls and votes; kinds that aren't known.

use super::*;
use crate::message::{Edit, Mention, Poll, Reaction, Rich, Vote};

impl World {
    pub fn try_say(&mut self, place: usize, chat: ChatId, content: Content) -> Result<MessageId, CommandError> {
        let command = Command::Send {
            chat,
            content,
            idempotency_key: None,
        };
        match self.command(place, command).unwrap()? {
            Reply::Sent(message) => Ok(message),
            other => panic!("{other:?}"),
        }
    }

    pub fn say(&mut self, place: usize, chat: ChatId, content: Content) -> MessageId {
        self.try_say(place, chat, content).unwrap()
    }

    pub fn view(&self, place: usize, message: MessageId) -> MessageView {
        history::message(&self.nodes[place].disk, &message).unwrap().unwrap()
    }

    /// What both see, which must be the same but for what is each one's own.
    fn both(&self, message: MessageId) -> MessageView {
        let plain = |place| MessageView {
            name: None,
            outgoing: false,
            received_ms: 0,
            ledger: None,
            ..self.view(place, message)
        };
        assert_eq!(plain(ALICE), plain(BOB));
        plain(ALICE)
    }

    /// Hands alice what bob's device seals under numbers of its own choice, one envelope after the other.
    pub fn bob_seals(&mut self, chat: ChatId, messages: Vec<(u64, Durable)>) {
        let stream = self.nodes[BOB].stream(chat);
        for (sequence, message) in messages {
            let mut sealed = inner(stream, sequence, "");
            sealed.messages[0] = Durable { sequence, ..message };
            let envelope = self.nodes[BOB].forge(chat, &sealed);
            self.gossip_to(ALICE, BOB, envelope.bytes());
        }
    }
}

pub(super) fn edit(message: MessageId, text: &str) -> Content {
    Content::Edit(Edit {
        message,
        text: text.into(),
        mentions: Vec::new(),
    })
}

pub(super) fn react(message: MessageId, emoji: &str, remove: bool) -> Content {
    Content::Reaction(Reaction {
        message,
        emoji: emoji.into(),
        remove,
    })
}

fn poll(multiple: bool) -> Content {
    Content::Poll(Poll {
        question: "when?".into(),
        options: vec!["now".into(), "later".into(), "never".into()],
        multiple,
    })
}

fn vote(message: MessageId, choices: &[u8]) -> Content {
    Content::Vote(Vote {
        message,
        choices: choices.to_vec(),
    })
}

/// A message as a device writes it, with a clock and a body.
pub(super) fn durable(clock: u64, body: Body) -> Durable {
    Durable {
        clock,
        body,
        ..inner(
            StreamId {
                device: DeviceId([0; 32]),
                incarnation: 0,
            },
            1,
            "",
        )
        .messages
        .remove(0)
    }
}

fn body(content: Content) -> Body {
    content.into_parts(|_| panic!("no files")).unwrap().0
}

fn text(view: &MessageView) -> &str {
    match &view.body {
        Body::Text(text) => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_reply_names_its_message_and_those_who_are_mentioned() {
    let (mut w, chat) = World::friends();
    let first = w.send(ALICE, chat, "who comes?");
    let mention = Mention {
        account: w.nodes[ALICE].client.account(),
        start: 3,
        length: 6,
    };
    let reply = Content::Text {
        text: "me @alice".into(),
        reply_to: Some(first),
        mentions: vec![mention],
    };
    let answer = w.say(BOB, chat, reply);
    let view = w.both(answer);
    assert_eq!(
        (text(&view), view.reply_to, &view.mentions[..]),
        ("me @alice", Some(first), &[mention][..])
    );
    // A program that doesn't know the kind shows the text as well.
    let stored = w.nodes[ALICE].disk.prefix(Tree::Messages, &chat.0, 9).unwrap();
    let row: records::MessageRow = decode(&stored[1].1).unwrap();
    assert!(matches!(row.body, Body::Rich(Rich { .. })) && row.fallback == "me @alice");
}

#[test]
fn an_edit_a_reaction_and_a_deletion_change_what_both_see_also_after_a_restart() {
    let (mut w, chat) = World::friends();
    let message = w.send(ALICE, chat, "helo");
    w.say(ALICE, chat, edit(message, "hello"));
    w.say(BOB, chat, react(message, "👍", false));
    w.say(BOB, chat, react(message, "🎉", false));
    w.say(ALICE, chat, react(message, "👍", false));
    w.say(BOB, chat, react(message, "🎉", true));
    let accounts: BTreeSet<_> = [ALICE, BOB].map(|place| w.nodes[place].client.account()).into();
    for restarted in [false, true] {
        if restarted {
            w.restart(ALICE);
            w.restart(BOB);
        }
        let view = w.both(message);
        assert_eq!((text(&view), view.edited_ms), ("hello", Some(w.now_ms)));
        let [reaction] = &view.reactions[..] else {
            panic!("{:?}", view.reactions);
        };
        assert_eq!(reaction.emoji, "👍");
        assert_eq!(reaction.accounts.iter().copied().collect::<BTreeSet<_>>(), accounts);
    }
    let updated = EventRow::MessageUpdated { message };
    assert_eq!([ALICE, BOB].map(|place| w.nodes[place].count_events(&updated)), [5, 5]);

    w.connect(ALICE, BOB);
    w.say(ALICE, chat, Content::Delete { message });
    let view = w.both(message);
    assert!(view.deleted && text(&view).is_empty() && view.reactions.is_empty() && view.edited_ms.is_none());
    for node in &w.nodes[..2] {
        assert_eq!(
            node.disk.count(Tree::Effects),
            0,
            "what was said and done to it is gone"
        );
        assert_eq!(node.texts(chat), [""], "one entry, whatever was done to it");
    }
    assert!(matches!(
        w.try_say(BOB, chat, react(message, "👍", false)),
        Err(CommandError::Invalid { field: "message", .. })
    ));
}

#[test]
fn what_is_done_to_a_message_may_come_before_it_and_in_any_order() {
    let bodies = |message| {
        vec![
            durable(20, body(edit(message, "old"))),
            durable(22, body(edit(message, "new"))),
            durable(21, body(react(message, "👍", false))),
            durable(23, body(react(message, "👍", true))),
            durable(24, body(react(message, "👀", false))),
        ]
    };
    let mut seen = Vec::new();
    for order in [[0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0], [3, 1, 0, 5, 2, 4]] {
        let (mut w, chat) = World::friends();
        w.disconnect(ALICE, BOB);
        let message = w.nodes[BOB].stream(chat).message(100);
        let mut messages = vec![(100, durable(10, Body::Text("first".into())))];
        messages.extend((101..).zip(bodies(message)));
        for at in order {
            let one = messages[at].clone();
            w.bob_seals(chat, vec![one]);
            if at == 2 {
                w.restart(ALICE);
            }
        }
        let view = w.view(ALICE, message);
        assert_eq!(text(&view), "new", "{order:?}");
        assert_eq!(
            w.nodes[ALICE].disk.count(Tree::Expiry),
            0,
            "nothing is awaited any more"
        );
        seen.push((view.edited_ms.is_some(), view.reactions));
    }
    assert_eq!(seen[0].1[0].emoji, "👀");
    assert!(seen.iter().all(|one| *one == seen[0]), "{seen:?}");
}

#[test]
fn a_deletion_that_comes_first_leaves_nothing_of_its_message() {
    let (mut w, chat) = World::friends();
    w.disconnect(ALICE, BOB);
    let message = w.nodes[BOB].stream(chat).message(100);
    let messages = vec![
        (101, durable(11, Body::Delete { message })),
        (100, durable(10, Body::Text("a secret".into()))),
        (102, durable(12, body(edit(message, "a secret")))),
    ];
    w.bob_seals(chat, messages);
    assert!(w.view(ALICE, message).deleted);
    for (_, value) in w.nodes[ALICE].disk.prefix(Tree::Messages, &chat.0, 9).unwrap() {
        assert!(!value.windows(8).any(|bytes| bytes == b"a secret"));
    }
    assert_eq!(w.nodes[ALICE].disk.count(Tree::Effects), 0);
}

#[test]
fn only_its_author_changes_or_deletes_a_message() {
    let (mut w, chat) = World::friends();
    let message = w.send(ALICE, chat, "alice's own");
    for content in [edit(message, "bob's"), Content::Delete { message }] {
        assert!(matches!(
            w.try_say(BOB, chat, content),
            Err(CommandError::NotAllowed { .. })
        ));
    }
    // A program that sends it all the same: before and after the message is there.
    let early = w.nodes[ALICE]
        .stream(chat)
        .message(w.nodes[ALICE].client.chats[&chat].head.sequence + 1);
    w.disconnect(ALICE, BOB);
    let mut forged = Vec::new();
    for (at, target) in [message, early].into_iter().enumerate() {
        forged.push((200 + 2 * at as u64, durable(50, body(edit(target, "bob's")))));
        forged.push((201 + 2 * at as u64, durable(51, Body::Delete { message: target })));
    }
    let before = w.nodes[ALICE].events().len();
    w.bob_seals(chat, forged);
    assert_eq!(w.send(ALICE, chat, "another"), early);
    for (message, wanted) in [(message, "alice's own"), (early, "another")] {
        let view = w.view(ALICE, message);
        assert_eq!((text(&view), view.deleted, view.edited_ms), (wanted, false, None));
    }
    let mut news = w.nodes[ALICE].events().split_off(before);
    // What is sealed by hand doesn't continue bob's history.
    news.retain(|event| !matches!(event, EventRow::Gap { .. }));
    assert_eq!(news, [EventRow::MessageSent { message: early }]);
}

#[test]
fn of_a_poll_the_last_vote_of_each_counts() {
    let (mut w, chat) = World::friends();
    let question = w.say(ALICE, chat, poll(false));
    let [alice, bob] = [ALICE, BOB].map(|place| w.nodes[place].client.account());
    w.say(ALICE, chat, vote(question, &[0]));
    w.say(BOB, chat, vote(question, &[2]));
    assert_eq!(w.both(question).votes, [vec![alice], vec![], vec![bob]]);
    w.say(BOB, chat, vote(question, &[0]));
    let voters: Vec<usize> = w.both(question).votes.iter().map(Vec::len).collect();
    assert_eq!(voters, [2, 0, 0]);
    w.say(ALICE, chat, vote(question, &[]));
    assert_eq!(w.both(question).votes, [vec![bob], vec![], vec![]]);
    for choices in [&[0, 1][..], &[3]] {
        assert!(matches!(
            w.try_say(BOB, chat, vote(question, choices)),
            Err(CommandError::Invalid { field: "choices", .. })
        ));
    }
    // One that is sent all the same counts as none.
    w.disconnect(ALICE, BOB);
    w.bob_seals(chat, vec![(300, durable(90, body(vote(question, &[0, 1]))))]);
    assert_eq!(w.view(ALICE, question).votes, [vec![], vec![], vec![]]);
    assert_eq!(w.view(ALICE, question).fallback, "when?\n– now\n– later\n– never");

    let several = w.say(ALICE, chat, poll(true));
    w.say(ALICE, chat, vote(several, &[2, 0, 0]));
    assert_eq!(w.view(ALICE, several).votes, [vec![alice], vec![], vec![alice]]);
}

#[test]
fn what_names_a_message_needs_one_of_its_chat_that_fits() {
    let (mut w, chat) = World::friends();
    let question = w.say(ALICE, chat, poll(false));
    let message = w.send(ALICE, chat, "a text");
    let nowhere = MessageId([9; 32]);
    let missing = |result| matches!(result, Err(CommandError::NotFound { field: "message" }));
    assert!(missing(w.try_say(ALICE, chat, edit(nowhere, "x"))));
    assert!(missing(w.try_say(ALICE, chat, react(nowhere, "👍", false))));
    let reply = Content::Text {
        text: "x".into(),
        reply_to: Some(nowhere),
        mentions: Vec::new(),
    };
    assert!(matches!(
        w.try_say(ALICE, chat, reply),
        Err(CommandError::NotFound { field: "body.reply_to" })
    ));
    for content in [edit(question, "x"), vote(message, &[0])] {
        assert!(matches!(
            w.try_say(ALICE, chat, content),
            Err(CommandError::Invalid { field: "message", .. })
        ));
    }
    for emoji in ["", "a b", "\n"] {
        assert!(matches!(
            w.try_say(ALICE, chat, react(message, emoji, false)),
            Err(CommandError::Invalid { field: "emoji", .. })
        ));
    }
    w.connect(ALICE, CAROL);
    let link = w.invite(ALICE, false);
    let other = w.accept(CAROL, &link).unwrap();
    let request = w.nodes[ALICE].requests()[0];
    w.approve(ALICE, request).unwrap();
    assert!(
        missing(w.try_say(ALICE, other, edit(message, "x"))),
        "a message of another chat"
    );
    assert_eq!(w.nodes[BOB].disk.count(Tree::Effects), 0);
}

#[test]
fn a_kind_that_is_not_known_is_kept_and_shows_its_fallback() {
    let (mut w, chat) = World::friends();
    w.disconnect(ALICE, BOB);
    let unknown = Body::Unknown {
        kind: 4242,
        body: vec![1, 2, 3],
    };
    let hidden = Body::Unknown {
        kind: 0x9999,
        body: vec![1],
    };
    let shown = Durable {
        fallback: "a sticker".into(),
        extensions: vec![0, 77, 1, 0xaa],
        ..durable(10, unknown.clone())
    };
    w.bob_seals(chat, vec![(100, shown), (101, durable(11, hidden))]);
    w.restart(ALICE);
    let message = w.nodes[BOB].stream(chat).message(100);
    let view = w.view(ALICE, message);
    assert_eq!((view.body, view.fallback.as_str()), (unknown, "a sticker"));
    let stored = w.nodes[ALICE].disk.prefix(Tree::Messages, &chat.0, 9).unwrap();
    let row: records::MessageRow = decode(&stored[0].1).unwrap();
    assert_eq!((stored.len(), row.extensions), (1, vec![0, 77, 1, 0xaa]));
}

#[test]
fn what_is_done_to_messages_that_never_come_is_bounded() {
    let (mut w, chat) = World::friends();
    w.disconnect(ALICE, BOB);
    let many = limits::EARLY_TARGETS as u64 + 3;
    let target = |n: u64| w.nodes[BOB].stream(chat).message(10_000 + n);
    let targets: Vec<_> = (0..many).map(target).collect();
    let stream = w.nodes[BOB].stream(chat);
    for (at, chunk) in targets.chunks(limits::RUN_MESSAGES).enumerate() {
        let mut sealed = inner(stream, 1, "");
        sealed.messages = chunk
            .iter()
            .zip(0..)
            .map(|(target, n)| Durable {
                sequence: 100 + (at * limits::RUN_MESSAGES) as u64 + n,
                ..durable(5, body(react(*target, "👍", false)))
            })
            .collect();
        let envelope = w.nodes[BOB].forge(chat, &sealed);
        w.now_ms += 1;
        w.gossip_to(ALICE, BOB, envelope.bytes());
    }
    assert_eq!(w.nodes[ALICE].disk.count(Tree::Effects), limits::EARLY_TARGETS);
    w.restart(ALICE);
    w.bob_seals(chat, vec![(10_000 + many - 1, durable(4, Body::Text("there".into())))]);
    assert_eq!(w.view(ALICE, targets[many as usize - 1]).reactions.len(), 1);
    w.pass(limits::EARLY_MS);
    assert_eq!(
        w.nodes[ALICE].disk.count(Tree::Effects),
        1,
        "what was awaited in vain is gone"
    );
    assert_eq!(w.nodes[ALICE].disk.count(Tree::Expiry), 0);
}
