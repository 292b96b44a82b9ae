//! Backlogs in any order, and envelopes of a state that isn't there yet.

use super::*;

/// All envelopes that alice deposited at the relay for a chat while bob saw no page.
fn backlog(w: &mut World, chat: ChatId, count: usize) -> (Vec<String>, Vec<Envelope>) {
    w.nodes[ALICE].sent.clear();
    let texts: Vec<String> = (0..count).map(|n| format!("message {n}")).collect();
    for text in &texts {
        w.send(ALICE, chat, text);
    }
    let envelopes = deposits(&w.nodes[ALICE].sent);
    (
        texts,
        envelopes.iter().map(|bytes| Envelope::verify(bytes).unwrap()).collect(),
    )
}

fn no_pages(to: usize, frame: &CustodianFrame) -> bool {
    to == BOB && matches!(frame, CustodianFrame::Items(page) if !page.items.is_empty())
}

#[test]
fn f03_a_backlog_that_arrives_newest_first_is_read_whole_and_in_order() {
    let mut w = World::relayed();
    let chat = w.befriend();
    w.lose = no_pages;
    let (texts, envelopes) = backlog(&mut w, chat, 2000);
    assert_eq!(envelopes.len(), 2000);
    let topic = envelopes[0].topic();
    for (at, envelope) in envelopes.iter().rev().enumerate() {
        w.page(BOB, topic, at as u64 + 100, std::slice::from_ref(envelope));
        if at == 1000 {
            w.restart(BOB);
        }
    }
    assert_eq!(w.nodes[BOB].texts(chat), texts);
}

/// A world where bob missed alice's commit; its envelope, and what alice wrote after it.
fn beyond_a_commit(count: usize) -> (World, ChatId, Envelope, Vec<String>, Vec<Envelope>) {
    let mut w = World::relayed();
    let chat = w.befriend();
    w.lose = no_pages;
    w.nodes[ALICE].sent.clear();
    w.nodes[ALICE].client.chats.get_mut(&chat).unwrap().row.leaf_update_due = true;
    w.input(ALICE, Input::Tick);
    assert_eq!(w.nodes[ALICE].client.chats[&chat].group.epoch(), 2);
    let commit = Envelope::verify(&deposits(&w.nodes[ALICE].sent)[0]).unwrap();
    let (texts, envelopes) = backlog(&mut w, chat, count);
    (w, chat, commit, texts, envelopes)
}

#[test]
fn f36_messages_of_a_future_epoch_wait_also_across_a_restart_and_are_read_once_the_commit_arrives() {
    let (mut w, chat, commit, texts, envelopes) = beyond_a_commit(20);
    for envelope in &envelopes {
        assert_eq!(w.gossip_to(BOB, ALICE, envelope.bytes()), Verdict::Accept);
    }
    assert!(w.nodes[BOB].texts(chat).is_empty());
    assert_eq!(w.nodes[BOB].disk.count(Tree::Pending), 20);
    w.restart(BOB);
    for envelope in envelopes.iter().rev() {
        w.gossip_to(BOB, ALICE, envelope.bytes());
    }
    assert_eq!(
        w.nodes[BOB].disk.count(Tree::Pending),
        20,
        "what waits already was kept again"
    );
    w.gossip_to(BOB, ALICE, commit.bytes());
    assert_eq!(w.nodes[BOB].texts(chat), texts);
    assert_eq!(w.nodes[BOB].disk.count(Tree::Pending), 0);
    assert_eq!(w.nodes[BOB].client.chats[&chat].pending_bytes, 0);
}

#[test]
fn f36_more_than_may_wait_is_refused_and_fetched_again_also_across_a_restart() {
    for restart in [false, true] {
        let more = 40;
        let (mut w, chat, commit, texts, envelopes) = beyond_a_commit(limits::PENDING_PER_CHAT + more);
        let topic = commit.topic();
        for (at, envelope) in envelopes.iter().enumerate() {
            w.page(BOB, topic, at as u64 + 100, std::slice::from_ref(envelope));
        }
        assert_eq!(w.nodes[BOB].disk.count(Tree::Pending), limits::PENDING_PER_CHAT);
        let last = envelopes.last().unwrap();
        assert_eq!(w.gossip_to(BOB, ALICE, last.bytes()), Verdict::Ignore);
        if restart {
            // Only the cursor can tell the new process what is to be fetched.
            w.lose = |_, _| false;
            w.restart(BOB);
        }
        w.lose = |_, _| false;
        w.gossip_to(BOB, ALICE, commit.bytes());
        w.pass(1_000);
        assert_eq!(w.nodes[BOB].texts(chat).len(), texts.len(), "restart: {restart}");
        assert_eq!(w.nodes[BOB].disk.count(Tree::Pending), 0);
    }
}

#[test]
fn f36_a_message_of_a_past_epoch_is_read_on_the_state_that_is_kept_for_it() {
    let (mut w, chat) = World::friends();
    w.disconnect(ALICE, BOB);
    let stream = w.nodes[BOB].stream(chat);
    let next = w.nodes[BOB].client.chats[&chat].head.sequence + 1;
    let late = w.nodes[BOB].forge(chat, &inner(stream, next, "late"));
    w.connect(ALICE, BOB);
    w.nodes[ALICE].client.chats.get_mut(&chat).unwrap().row.leaf_update_due = true;
    w.input(ALICE, Input::Tick);
    w.pass(1_000);
    assert_eq!(w.nodes[BOB].client.chats[&chat].group.epoch(), 2);
    w.restart(ALICE);
    w.gossip_to(ALICE, BOB, late.bytes());
    assert_eq!(w.nodes[ALICE].texts(chat), ["late"]);
}

#[test]
fn f36_old_commits_that_come_again_do_not_wait_for_ever() {
    let mut w = World::with_relay(RelayConfig::default(), |_, config| {
        config.leaf_update_ms = 3_600_000;
        config.frozen_states = 2;
    });
    let chat = w.befriend();
    w.pass(24 * 3_600_000);
    let epoch = w.nodes[BOB].client.chats[&chat].group.epoch();
    assert!(epoch > 10, "epoch {epoch}");
    // Bob has lost its cursor, and fetches all from the start.
    let topic = w.nodes[BOB].client.chats[&chat].row.topic.public();
    let mut forget = Batch::default();
    forget.delete(Tree::Cursors, key::cursor(&relay_secret().public(), &topic));
    w.nodes[BOB].disk.apply(&forget);
    w.restart(BOB);
    w.pass(60_000);
    assert!(
        w.nodes[BOB]
            .client
            .cursors
            .contains_key(&(relay_secret().public(), topic))
    );
    assert_eq!(
        w.nodes[BOB].disk.count(Tree::Pending),
        0,
        "commits of long ago wait for their state"
    );
    w.send(ALICE, chat, "still in step");
    assert_eq!(w.nodes[BOB].texts(chat), ["still in step"]);
}
