//! Commit, then speak: every effect comes with the rows that it depends on, and a step that was never committed leaves no trace.

use super::*;

fn trees(batch: &Batch) -> BTreeSet<Tree> {
    let tree = |op: &Op| match op {
        Op::Put { tree, .. } | Op::Delete { tree, .. } => *tree,
    };
    batch.ops.iter().map(tree).collect()
}

fn send(chat: ChatId, text: &str) -> Input {
    Input::Command {
        token: 500,
        command: Command::Send {
            chat,
            content: text.into(),
            idempotency_key: Some(text.into()),
        },
    }
}

/// Envelopes of alice's that bob hasn't seen, from an open connection.
fn unseen(w: &mut World, chat: ChatId, texts: &[&str]) -> Vec<Vec<u8>> {
    w.lose = |_, _| true;
    w.disconnect(ALICE, BOB);
    let mut envelopes = Vec::new();
    for (at, text) in texts.iter().enumerate() {
        let stream = w.nodes[ALICE].stream(chat);
        let sequence = w.nodes[ALICE].client.chats[&chat].head.sequence + 1 + at as u64;
        envelopes.push(w.nodes[ALICE].forge(chat, &inner(stream, sequence, text)).into_bytes());
    }
    w.lose = |_, _| false;
    envelopes
}

#[test]
fn what_is_sent_comes_with_message_ratchet_outbox_and_event() {
    let (mut w, chat) = World::friends();
    let step = w.hold(ALICE, send(chat, "hello"));
    let speaks = |effect: &&Effect| {
        matches!(
            effect,
            Effect::Send { .. }
                | Effect::Reply {
                    result: Ok(Reply::Sent(_)),
                    ..
                }
                | Effect::Events { .. }
        )
    };
    assert_eq!(step.effects.iter().filter(speaks).count(), 3);
    let wanted = [
        Tree::Mls,
        Tree::Chats,
        Tree::Messages,
        Tree::MessageIds,
        Tree::Outbox,
        Tree::Events,
        Tree::Idempotency,
    ];
    for tree in wanted {
        assert!(trees(&step.batch).contains(&tree), "{tree:?} isn't in the batch");
    }
    let next = w.nodes[ALICE].client.drain().unwrap();
    assert!(
        next.batch.is_empty() && next.effects.is_empty(),
        "something stayed behind"
    );
    w.commit(ALICE, step);
    w.run();
    assert_eq!(w.nodes[BOB].texts(chat), ["hello"]);
}

#[test]
fn what_is_acknowledged_comes_with_the_message_and_the_ratchet() {
    let mut w = World::relayed();
    let chat = w.befriend();
    let envelopes = unseen(&mut w, chat, &["by stream", "by gossip", "by relay"]);
    let peer = w.key(ALICE);
    let deposit = ClientFrame::Deposit(crate::custody::Deposit {
        request: 1,
        envelopes: vec![envelopes[0].clone()],
    });
    let topic = w.nodes[BOB].client.chats[&chat].row.topic.public();
    let page = CustodianFrame::Items(Items {
        topic,
        cursor: Cursor {
            epoch: 1,
            position: 90,
            hash: RunningHash::default(),
        },
        void: false,
        caught_up: true,
        items: vec![crate::custody::Item {
            position: 90,
            envelope: envelopes[2].clone(),
        }],
    });
    let inputs = [
        Input::Frame {
            peer,
            side: Side::Server,
            bytes: deposit.encode(),
        },
        gossip(peer, &envelopes[1]),
        Input::Frame {
            peer: relay_secret().public(),
            side: Side::Client,
            bytes: page.encode(),
        },
    ];
    for (at, input) in inputs.into_iter().enumerate() {
        let step = w.hold(BOB, input);
        let speaks = |effect: &Effect| matches!(effect, Effect::Send { .. } | Effect::Verdict { .. });
        assert!(step.effects.iter().any(speaks));
        let wanted = [
            Tree::Mls,
            Tree::Messages,
            Tree::MessageIds,
            Tree::Streams,
            Tree::Chats,
            Tree::Events,
        ];
        for tree in wanted {
            assert!(trees(&step.batch).contains(&tree), "{tree:?} isn't in batch {at}");
        }
        assert_eq!(trees(&step.batch).contains(&Tree::Cursors), at == 2);
        w.commit(BOB, step);
    }
    w.run();
    assert_eq!(w.nodes[BOB].texts(chat).len(), 3);
}

#[test]
fn f32_a_step_that_was_never_committed_leaves_no_trace() {
    let (mut w, chat) = World::friends();
    let envelopes = unseen(&mut w, chat, &["once"]);
    for _ in 0..3 {
        let peer = w.key(ALICE);
        let lost = w.hold(BOB, gossip(peer, &envelopes[0]));
        assert!(trees(&lost.batch).contains(&Tree::Messages));
        w.restart(BOB);
        assert!(w.nodes[BOB].texts(chat).is_empty());
    }
    w.gossip_to(BOB, ALICE, &envelopes[0]);
    assert_eq!(w.nodes[BOB].texts(chat), ["once"]);
}

#[test]
fn f32_a_send_that_was_never_committed_uses_up_nothing() {
    let (mut w, chat) = World::friends();
    let lost = w.hold(ALICE, send(chat, "lost"));
    assert!(lost.effects.iter().any(|effect| matches!(effect, Effect::Send { .. })));
    w.restart(ALICE);
    w.connect(ALICE, BOB);
    w.pass(1_000);
    let kept = w.try_send(ALICE, chat, "kept", Some("lost")).unwrap();
    w.pass(1_000);
    assert_eq!(w.nodes[BOB].texts(chat), ["kept"]);
    assert_eq!(w.nodes[ALICE].ledger(kept).state, LedgerState::Delivered);
}

/// After every prefix of bob's steps, bob can be started and reads everything that alice ever sealed, each message once.
#[test]
fn f32_no_prefix_of_the_steps_has_a_ratchet_that_is_newer_than_its_messages() {
    let mut w = World::with_relay(RelayConfig::default(), |place, config| {
        // Commits of alice's alone.
        if place == ALICE {
            config.leaf_update_ms = 60_000;
        }
    });
    let chat = w.befriend();
    for turn in 0..12 {
        w.send(ALICE, chat, &format!("alice {turn}"));
        w.send(BOB, chat, &format!("bob {turn}"));
        w.pass(20_000);
    }
    assert!(w.nodes[BOB].client.chats[&chat].group.epoch() >= 2);
    let of_alice: Vec<String> = (0..12).map(|turn| format!("alice {turn}")).collect();
    let sealed = deposits(&w.nodes[ALICE].sent);
    let batches = std::mem::take(&mut w.nodes[BOB].batches);
    assert!(batches.len() > 40);
    let mut disk = MemoryRows::default();
    let mut checked = 0;
    for batch in &batches {
        disk.apply(batch);
        if disk.count(Tree::Chats) == 0 {
            continue;
        }
        checked += 1;
        let mut disk = disk.clone();
        let mut client = Client::load(w.nodes[BOB].config.clone(), [200; 32], &disk, w.now_ms).unwrap();
        for round in 0..2 {
            for bytes in &sealed {
                client.handle(w.now_ms, gossip(w.key(ALICE), bytes), &disk).unwrap();
                let step = client.drain().unwrap();
                disk.apply(&step.batch);
            }
            let texts: Vec<String> = history::messages(&disk, &chat, None, None, usize::MAX)
                .unwrap()
                .into_iter()
                .filter(|(_, message)| !message.outgoing)
                .map(|(_, message)| match message.body {
                    Body::Text(text) => text,
                    other => panic!("{other:?}"),
                })
                .collect();
            assert_eq!(texts, of_alice, "after {checked} steps, round {round}");
        }
    }
    assert!(checked > 30);
}
