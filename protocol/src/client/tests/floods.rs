//! What is meant to drain a device.

use super::groups::Village;
use super::*;
use crate::chat::Role;

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

/// Commits that a client makes one on the other, as envelopes.
fn flood(w: &mut World, place: usize, chat: ChatId, many: usize) -> Vec<Vec<u8>> {
    let now = w.now_ms;
    let mut made = Vec::new();
    for _ in 0..many {
        let client = &mut w.nodes[place].client;
        client
            .make_commit(now, chat, &crate::chat::Plan::default())
            .unwrap()
            .unwrap();
        let last = client.outs.values().next_back().unwrap();
        made.push(last.envelope.as_ref().unwrap().bytes().to_vec());
    }
    made
}

#[test]
fn f48_a_flood_of_commits_is_taken_in_turn_and_decides_nothing() {
    let (mut w, chat) = World::friends();
    w.pass(60_000);
    let unsettled = |w: &World, place: usize| w.nodes[place].client.chat_status(&chat).unwrap().unsettled as usize;
    let before = unsettled(&w, ALICE);
    w.disconnect(ALICE, BOB);
    let flood = flood(&mut w, BOB, chat, 60);
    for envelope in &flood {
        w.gossip_to(ALICE, BOB, envelope);
    }
    let burst = limits::COMMIT_BURST as usize;
    assert_eq!(unsettled(&w, ALICE), before + burst);
    w.pass(20_000);
    let taken = unsettled(&w, ALICE);
    assert!((before + burst + 1..before + burst + 6).contains(&taken), "{taken}");
    // What waits is on disk, and nobody asks to be put back because of it.
    w.restart(ALICE);
    w.pass(600_000);
    assert_eq!(unsettled(&w, ALICE), before + 60);
    let status = w.nodes[ALICE].client.chat_status(&chat).unwrap();
    assert!(!status.rejoining && status.waiting == 0, "{status:?}");
    let node = |w: &World, place: usize| w.nodes[place].client.chats[&chat].group.node();
    assert_eq!(node(&w, ALICE), node(&w, BOB));
    w.connect(ALICE, BOB);
    w.send(ALICE, chat, "still here");
    w.pass(5_000);
    assert_eq!(w.nodes[BOB].texts(chat), ["still here"]);
}

#[test]
fn f48_siblings_of_a_flood_cost_one_try_each_and_a_turn() {
    let (mut w, chat) = World::friends();
    w.pass(60_000);
    let client = &w.nodes[BOB].client;
    let state = &client.chats[&chat];
    let topic = state.row.topic.clone();
    let siblings: Vec<Vec<u8>> = (0..40)
        .map(|_| {
            let change = state.group.update_leaf(&client.crypto, &client.account.device).unwrap();
            Envelope::sign(&topic, 3600, &change.commit).unwrap().bytes().to_vec()
        })
        .collect();
    for envelope in &siblings {
        w.gossip_to(ALICE, BOB, envelope);
    }
    // More than so many of one state are never taken; those that are told apart from the rest wait for nothing.
    let status = w.nodes[ALICE].client.chat_status(&chat).unwrap();
    assert!(status.branches <= limits::SIBLINGS as u64, "{status:?}");
    w.pass(3_600_000);
    let status = w.nodes[ALICE].client.chat_status(&chat).unwrap();
    assert_eq!((status.waiting, status.rejoining), (0, false));
}

/// Commits of a device on its state that it goes on from itself nowhere, as envelopes: `many` of its leaf, then one of a plan.
fn siblings(w: &World, place: usize, chat: ChatId, many: usize, last: &crate::chat::Plan) -> Vec<Vec<u8>> {
    let client = &w.nodes[place].client;
    let state = &client.chats[&chat];
    let leaves = std::iter::repeat_n(crate::chat::Plan::default(), many);
    let made = leaves.chain([last.clone()]).map(|plan| {
        let (secret, topic) = (&client.account.device, &state.row.topic);
        let change = state.group.commit(&client.crypto, secret, &plan, topic).unwrap();
        Envelope::sign(topic, 3600, &change.commit).unwrap().bytes().to_vec()
    });
    made.collect()
}

#[test]
fn f48_a_ninth_sibling_is_taken_once_others_build_on_it() {
    let Village { mut w, chat } = Village::new(3);
    w.pass(60_000);
    let ninth = siblings(&w, BOB, chat, limits::SIBLINGS, &crate::chat::Plan::default());
    for envelope in &ninth {
        w.gossip_to(ALICE, BOB, envelope);
    }
    w.gossip_to(CAROL, BOB, ninth.last().unwrap());
    w.send(CAROL, chat, "from the ninth");
    w.pass(10_000);
    assert_eq!(w.group(ALICE, chat).dag.branches(), limits::SIBLINGS);
    assert!(w.nodes[ALICE].texts(chat).is_empty() && !w.group(ALICE, chat).pending.is_empty());
    let body = Envelope::trusted(ninth.last().unwrap()).unwrap().body().to_vec();
    let again = Envelope::sign(&w.group(BOB, chat).row.topic, 3599, &body).unwrap();
    w.gossip_to(ALICE, CAROL, again.bytes());
    assert_eq!(w.nodes[ALICE].texts(chat), ["from the ninth"]);
    assert_eq!(w.group(ALICE, chat).dag.branches(), limits::SIBLINGS + 1);
}

#[test]
fn f48_a_ninth_sibling_is_taken_if_it_removes_somebody() {
    let Village { mut w, chat } = Village::new(3);
    w.gives_role(ALICE, chat, BOB, Role::Admin);
    w.pass(60_000);
    let carol = w.nodes[CAROL].client.device();
    let leaf = w.group(BOB, chat).members.iter().find(|member| member.device == carol);
    let remove = crate::chat::Plan {
        remove: vec![leaf.unwrap().leaf],
        ..crate::chat::Plan::default()
    };
    for envelope in siblings(&w, BOB, chat, limits::SIBLINGS, &remove) {
        w.gossip_to(ALICE, BOB, &envelope);
    }
    assert_eq!(w.group(ALICE, chat).dag.branches(), limits::SIBLINGS + 1);
    assert_eq!(w.group(ALICE, chat).members.len(), 2);
}
