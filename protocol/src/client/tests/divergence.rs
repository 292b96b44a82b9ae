//! States that share a name only.

use super::groups::Village;
use super::*;
use crate::chat::{Letter, Role};
use crate::client::divergence::SaidGone;
use crate::client::told::NO_LEAF;
use crate::client::wishes::wish;
use crate::inbox::{InboxMessage, LeafTold};
use crate::keys::{DeviceId, NodeId};
use crate::message::extensions;

/// A report of a member that says something of the state that it is sealed on.
fn says(w: &mut World, to: usize, from: usize, chat: ChatId, summary: [u8; 8]) {
    let report = Inner {
        messages: Vec::new(),
        extensions: extensions::state(&summary),
        ..inner(w.nodes[from].stream(chat), 1, "")
    };
    let report = w.nodes[from].forge(chat, &report);
    w.gossip_to(to, from, report.bytes());
}

fn asks(w: &World, place: usize, chat: ChatId) -> bool {
    w.nodes[place].client.chat_status(&chat).unwrap().rejoining
}

/// Two of which one may have to yield, by their devices' ids: the lower one first.
fn pair_of(w: &World) -> [usize; 2] {
    let mut both = [ALICE, BOB];
    both.sort_by_key(|place| w.nodes[*place].client.device());
    both
}

#[test]
fn f47_of_two_that_differ_one_asks_to_be_put_back_and_the_chat_goes_on() {
    let (mut w, chat) = World::friends();
    w.pass(60_000);
    let [lower, higher] = pair_of(&w);
    says(&mut w, higher, lower, chat, [9; 8]);
    w.pass(900_000);
    assert!(!asks(&w, higher, chat));
    let node = w.nodes[lower].client.chats[&chat].group.node();
    says(&mut w, lower, higher, chat, [9; 8]);
    assert!(!asks(&w, lower, chat), "it waits for what may show a mistake");
    w.pass(900_000);
    let nodes = [lower, higher].map(|place| w.nodes[place].client.chats[&chat].group.node());
    assert_eq!(nodes[0], nodes[1]);
    assert_ne!(nodes[0], node);
    assert!(!asks(&w, lower, chat));
    w.send(lower, chat, "back");
    w.pass(10_000);
    assert_eq!(w.nodes[higher].texts(chat), ["back"]);
    w.pass(3_600_000);
    assert!(!asks(&w, lower, chat) && !asks(&w, higher, chat));
}

#[test]
fn f47_reports_say_how_a_device_has_the_state_and_those_who_agree_are_left_alone() {
    let (mut w, chat) = World::friends();
    w.send(ALICE, chat, "hello");
    w.pass(60_000);
    w.send(BOB, chat, "hi");
    w.pass(3_600_000);
    for place in [ALICE, BOB] {
        assert!(!asks(&w, place, chat));
        let state = &w.nodes[place].client.chats[&chat];
        assert!(!state.is_diverged(w.nodes[place].client.device()));
    }
}

#[test]
fn f47_who_can_open_nothing_any_more_asks_to_be_put_back() {
    let (mut w, chat) = World::friends();
    w.pass(60_000);
    let node = w.nodes[BOB].client.chats[&chat].group.node();
    let spoilt = |w: &mut World, n: u64| {
        let text = inner(w.nodes[ALICE].stream(chat), 100 + n, "lost");
        let client = &mut w.nodes[ALICE].client;
        let state = client.chats.get_mut(&chat).unwrap();
        let mut body = state
            .group
            .seal(&client.crypto, &client.account.device, None, &text.encode())
            .unwrap();
        *body.last_mut().unwrap() ^= 1;
        let envelope = Envelope::sign(&state.row.topic, 3600, &body).unwrap();
        w.gossip_to(BOB, ALICE, envelope.bytes());
    };
    // One that opens in between says that the state is whole.
    for n in 0..7 {
        spoilt(&mut w, n);
    }
    w.send(ALICE, chat, "whole");
    for n in 7..14 {
        spoilt(&mut w, n);
    }
    w.pass(900_000);
    assert_eq!(w.nodes[BOB].client.chats[&chat].group.node(), node);
    spoilt(&mut w, 14);
    w.pass(1_200_000);
    assert_ne!(w.nodes[BOB].client.chats[&chat].group.node(), node);
    assert!(!asks(&w, BOB, chat));
    w.send(ALICE, chat, "again");
    w.pass(10_000);
    assert_eq!(w.nodes[BOB].texts(chat), ["whole", "again"]);
}

#[test]
fn f47_a_wish_about_states_that_are_unknown_here_too_is_carried_out_once_it_is_repeated() {
    let Village { mut w, chat } = Village::new(3);
    let bob = w.nodes[BOB].client.device();
    let group = w.nodes[ALICE].client.chats.get_mut(&chat).unwrap();
    let (known, unknown) = (group.group.node(), NodeId([9; 32]));
    assert!(group.can_help(bob, [1; 32], &[]));
    assert!(group.can_help(bob, [1; 32], &[unknown, known]));
    assert!(!group.can_help(bob, [1; 32], &[unknown]));
    assert!(
        !group.can_help(bob, [1; 32], &[unknown]),
        "the same one came by another way"
    );
    assert!(group.can_help(bob, [2; 32], &[unknown]));
}

/// Of four, bob has missed the removal of one, which renewed the topic: no relay has the commit any more, and nobody looks after it.
pub(super) fn bob_missed_a_removal() -> Village {
    let mut village = Village::with(4, |_, config| config.frozen_ms = 60_000);
    let w = &mut village.w;
    w.lose = |to, frame| to == BOB && matches!(frame, CustodianFrame::Items(_));
    w.removes(ALICE, village.chat, 3);
    w.pass(120_000);
    w.empty_relay();
    w.lose = |_, _| false;
    w.pass(60_000);
    assert!(w.group(ALICE, village.chat).commits.is_empty());
    village
}

#[test]
fn f47_who_missed_the_commit_that_renewed_the_topic_is_told_so_and_put_back() {
    let Village { mut w, chat } = bob_missed_a_removal();
    w.send(BOB, chat, "is anybody there?");
    w.pass(3_600_000);
    w.agree(chat, &[ALICE, BOB, CAROL]);
    assert_eq!(w.nodes[ALICE].texts(chat), ["is anybody there?"]);
}

#[test]
fn f47_two_that_were_left_behind_do_not_reassure_each_other() {
    let Village { mut w, chat } = Village::with(5, |_, config| config.frozen_ms = 60_000);
    w.lose = |to, frame| [BOB, 3].contains(&to) && matches!(frame, CustodianFrame::Items(_));
    w.removes(ALICE, chat, 4);
    w.pass(120_000);
    // No relay has the commit any more, and nobody looks after it.
    w.empty_relay();
    w.lose = |_, _| false;
    w.pass(60_000);
    for n in 0..4 {
        w.send([BOB, 3][n % 2], chat, "is anybody there?");
        w.pass(120_000);
    }
    w.pass(3_600_000);
    w.agree(chat, &[ALICE, BOB, CAROL, 3]);
    assert_eq!(w.nodes[ALICE].texts(chat).len(), 4);
}

#[test]
fn f47_whoever_is_said_to_be_left_behind_asks_until_it_is_there_or_most_are_here() {
    let Village { mut w, chat } = Village::new(4);
    let device = |w: &World, place: usize| w.nodes[place].client.device();
    let (bob, carol) = (device(&w, BOB), device(&w, CAROL));
    let client = &mut w.nodes[ALICE].client;
    let node = client.chats[&chat].group.node();
    assert!(!client.chats[&chat].is_deserted(client.device()));
    let said = |client: &mut Client, at: NodeId| {
        client.chats.get_mut(&chat).unwrap().said_gone = Some(SaidGone::new(at, Vec::new(), None))
    };
    said(client, node);
    assert!(!client.chats[&chat].is_left_behind(), "it is there");
    said(client, NodeId([9; 32]));
    assert!(client.chats[&chat].is_left_behind());
    client.note_heard(chat, node, bob);
    client.note_heard(chat, node, bob);
    assert!(client.chats[&chat].is_left_behind(), "two of four");
    client.note_heard(chat, node, carol);
    assert!(!client.chats[&chat].is_left_behind(), "three of four");
    // Who puts it back may have been left behind too; but what was said may be made up.
    let once = SaidGone::new(NodeId([9; 32]), Vec::new(), None).put_back();
    assert!(once.and_then(SaidGone::put_back).is_none());
}

#[test]
fn f47_whoever_has_settled_where_none_of_the_others_is_asks_on_topics_of_before() {
    let Village { mut w, chat } = Village::with(4, |_, config| config.frozen_states = 2);
    w.pass(60_000);
    w.relay_up(false);
    // Both sides renew the topic and settle; none of them learns of the other's.
    w.connect(BOB, CAROL);
    w.removes(ALICE, chat, 3);
    for n in 0..4 {
        w.renames(ALICE, chat, &format!("alice's {n}"));
        w.pass(1_000);
    }
    assert!(w.group(ALICE, chat).is_deserted(w.nodes[ALICE].client.device()));
    w.relay_up(true);
    w.pass(3_600_000);
    w.agree(chat, &[ALICE, BOB, CAROL]);
    assert!(!w.group(ALICE, chat).is_deserted(w.nodes[ALICE].client.device()));
    assert!(!asks(&w, ALICE, chat));
}

#[test]
fn f47_who_was_removed_asks_if_it_is_told_of_a_way_that_parts_before_that() {
    let Village { mut w, chat } = Village::new(3);
    w.renames(ALICE, chat, "one");
    let before = w.group(BOB, chat).way();
    w.removes(ALICE, chat, BOB);
    w.pass(60_000);
    let removal = w.group(BOB, chat).dag.tip();
    assert!(w.group(BOB, chat).is_removed() && before.len() > 1 && !before.contains(&removal));
    let there = NodeId([9; 32]);
    let told = |w: &mut World, past: &[NodeId], at: NodeId| {
        let due_ms = w.now_ms + 1_000;
        let group = w.nodes[BOB].client.chats.get_mut(&chat).unwrap();
        group.asks = 2;
        group.note_counted_in(due_ms, SaidGone::new(at, past.to_vec(), None));
        group.asks == 0
    };
    assert!(
        !told(&mut w, &[], there) && !told(&mut w, &[NodeId([8; 32])], there),
        "nothing in common"
    );
    assert!(
        !told(&mut w, &[before.as_slice(), &[removal]].concat(), there),
        "by way of the removal"
    );
    let (last, way) = before.split_last().unwrap();
    assert!(!told(&mut w, way, *last), "where it was itself before");
    w.pass(60_000);
    assert!(!w.group(BOB, chat).asks_though_removed());
    assert!(told(&mut w, &before, there));
    w.pass(60_000);
    assert_eq!((w.group(BOB, chat).asks, w.group(BOB, chat).row.lost), (1, true));
    w.pass(24 * 3_600_000);
    assert_eq!(w.group(BOB, chat).asks, 4, "and not for ever");
    assert!(w.group(BOB, chat).is_removed());
}

#[test]
fn f47_who_was_removed_where_another_never_was_tells_it_so() {
    let Village { mut w, chat } = Village::new(2);
    w.befriend_two(BOB, CAROL);
    w.lose = |to, frame| to == ALICE && matches!(frame, CustodianFrame::Items(_));
    w.does(ALICE, Command::LeaveChat { chat });
    w.pass(10_000);
    let members = vec![w.account(CAROL)];
    w.does(BOB, Command::AddMembers { chat, members });
    w.pass(10_000);
    w.agree(chat, &[BOB, CAROL]);
    // She has heard nothing of it, and goes as the last one once he is out.
    w.removes(ALICE, chat, BOB);
    w.pass(10_000);
    assert!(w.group(BOB, chat).is_removed() && !w.group(ALICE, chat).is_member());
    assert!(!asks(&w, CAROL, chat));
    w.send(CAROL, chat, "is anybody there?");
    w.pass(3_600_000);
    assert!(w.group(CAROL, chat).row.lost, "she believes to be in a group with him");
}

#[test]
fn f47_who_left_alone_and_hears_others_has_its_contacts_to_ask() {
    let Village { mut w, chat } = Village::new(2);
    w.removes(ALICE, chat, BOB);
    w.pass(60_000);
    let contact = |w: &World| {
        let client = &w.nodes[ALICE].client;
        client
            .links
            .values()
            .any(|link| !link.relay && link.serves(&client.chats[&chat]))
    };
    w.connect(ALICE, BOB);
    w.nodes[ALICE].client.chats.get_mut(&chat).unwrap().row.out = true;
    assert!(!contact(&w));
    w.nodes[ALICE].client.chats.get_mut(&chat).unwrap().row.lost = true;
    assert!(contact(&w));
}

#[test]
fn f47_who_is_added_knows_the_way_to_there() {
    let Village { mut w, chat } = Village::new(2);
    for n in 0..3 {
        w.renames(ALICE, chat, &format!("{n}"));
    }
    let dave = w.another();
    w.befriend_two(ALICE, dave);
    let members = vec![w.account(dave)];
    w.does(ALICE, Command::AddMembers { chat, members });
    w.pass(60_000);
    w.agree(chat, &[ALICE, BOB, dave]);
    assert!(w.group(dave, chat).way().len() > 3);
    assert_eq!(w.group(dave, chat).way(), w.group(ALICE, chat).way());
}

#[test]
fn f47_whoever_is_alone_gives_up_waiting_for_what_nobody_has() {
    let Village { mut w, chat } = Village::new(2);
    w.removes(ALICE, chat, BOB);
    w.pass(60_000);
    let client = &mut w.nodes[ALICE].client;
    let state = client.chats.get_mut(&chat).unwrap();
    assert_eq!(state.members.len(), 1);
    state.row.lost = true;
    state.rejoin_ms = Some(0);
    assert!(asks(&w, ALICE, chat));
    w.pass(1_800_000);
    assert_eq!(w.group(ALICE, chat).asks, 2, "at once, and after ten minutes");
    w.pass(3_600_000);
    assert!(!asks(&w, ALICE, chat));
    assert_eq!(w.group(ALICE, chat).asks, 0);
}

#[test]
fn f47_whoever_is_alone_and_was_told_of_a_branch_that_it_knows_to_have_lost_gives_up() {
    let Village { mut w, chat } = Village::new(2);
    w.gives_role(ALICE, chat, BOB, Role::Admin);
    w.pass(10_000);
    w.relay_up(false);
    w.renames(ALICE, chat, "alice's");
    w.renames(BOB, chat, "bob's");
    w.relay_up(true);
    w.pass(60_000);
    w.agree(chat, &[ALICE, BOB]);
    w.removes(ALICE, chat, BOB);
    w.pass(60_000);
    let client = &mut w.nodes[ALICE].client;
    let state = client.chats.get_mut(&chat).unwrap();
    let lost = state.dag.losers()[0];
    assert_eq!(state.members.len(), 1);
    for (at, gives_up) in [(NodeId([9; 32]), false), (lost, true)] {
        let state = w.nodes[ALICE].client.chats.get_mut(&chat).unwrap();
        state.said_gone = Some(SaidGone::new(at, Vec::new(), None));
        (state.row.lost, state.asks, state.rejoin_ms) = (true, 0, Some(0));
        assert!(state.is_left_behind());
        w.pass(2 * 3_600_000);
        assert_eq!(asks(&w, ALICE, chat), !gives_up);
        assert_eq!(w.group(ALICE, chat).is_left_behind(), !gives_up);
    }
}

#[test]
fn f47_whoever_has_removed_all_others_elsewhere_is_put_back_by_them() {
    let Village { mut w, chat } = Village::with(3, |_, config| config.frozen_ms = 60_000);
    w.gives_role(ALICE, chat, BOB, Role::Admin);
    let dave = w.another();
    w.befriend_two(ALICE, dave);
    w.pass(10_000);
    w.relay_up(false);
    w.connect(BOB, CAROL);
    w.renames(BOB, chat, "bob's");
    let alice = w.account(ALICE);
    for whom in [BOB, CAROL] {
        w.removes(ALICE, chat, whom);
        // They answer by letters alone.
        w.nodes[whom].client.contacts.get_mut(&alice).unwrap().their_inbox = None;
    }
    // Whom she has added is never heard.
    assert_eq!(dave, 3);
    w.lose = |to, _| to == 3;
    let members = vec![w.account(dave)];
    w.does(ALICE, Command::AddMembers { chat, members });
    w.pass(120_000);
    assert_eq!(w.group(ALICE, chat).members.len(), 2);
    w.relay_up(true);
    w.pass(3_600_000);
    assert_eq!(w.group(ALICE, chat).row.context.name, "bob's");
    // She has made her changes again.
    assert!(!w.group(BOB, chat).is_member());
}

#[test]
fn f47_a_stranger_is_believed_only_by_whom_all_others_have_left() {
    let Village { mut w, chat } = Village::new(2);
    for n in 0..3 {
        w.renames(ALICE, chat, &format!("{n}"));
    }
    w.pass(60_000);
    w.relay_up(false);
    let [alice, bob] = [ALICE, BOB].map(|place| w.nodes[place].client.device());
    let shared = w.group(ALICE, chat).way()[0];
    let left_for = |w: &World, next: u8| w.group(ALICE, chat).is_left_for(alice, &[shared], NodeId([next; 32]));
    assert!(!left_for(&w, 0), "bob is there");
    let (topic, message) = (w.group(ALICE, chat).row.topic.clone(), comes_over(&w, BOB, ALICE, chat));
    let envelope = letter(&w, BOB, chat, &topic, None, &message);
    w.gossip_to(ALICE, BOB, envelope.bytes());
    assert!(left_for(&w, 0) && !left_for(&w, 255), "only for a way that goes before");
    let node = w.group(ALICE, chat).group.node();
    w.nodes[ALICE].client.note_heard(chat, node, bob);
    assert!(!left_for(&w, 0), "bob is heard again");
}

#[test]
fn f47_of_those_who_are_no_members_only_who_was_one_is_handed_commits() {
    let Village { mut w, chat } = Village::with(3, |_, config| config.frozen_ms = 60_000);
    w.send(BOB, chat, "here");
    w.pass(60_000);
    let (shared, topic) = (w.group(BOB, chat).group.node(), w.group(BOB, chat).row.topic.clone());
    w.removes(ALICE, chat, BOB);
    for n in 0..3 {
        w.pass(120_000);
        w.renames(ALICE, chat, &format!("{n}"));
    }
    let dave = w.another();
    w.relay_up(false);
    assert!(!w.group(ALICE, chat).dag.contains(&shared), "it is settled");
    let handed = |w: &mut World, by: usize| {
        let (client, now_s) = (&w.nodes[BOB].client, w.now_ms / 1000);
        let own = client.package_in(&chat, true, now_s, now_s + 1000).unwrap();
        let (known, secret) = (
            (&[7; 32], vec![], vec![shared], vec![]),
            &w.nodes[by].client.account.device,
        );
        let message = wish(&client.crypto, secret, chat, &own.package, known).unwrap();
        let envelope = letter(w, BOB, chat, &topic, None, &message);
        w.gossip_to(ALICE, BOB, envelope.bytes());
        w.group(ALICE, chat).handed.contains_key(&w.nodes[by].client.device())
    };
    assert!(handed(&mut w, BOB) && !handed(&mut w, dave));
}

#[test]
fn f47_whoever_removes_a_member_is_followed_once_others_show_it() {
    let Village { mut w, chat } = Village::new(3);
    w.send(BOB, chat, "here");
    w.pass(60_000);
    let device = |place: usize| w.nodes[place].client.device();
    let (alice, bob, carol) = (device(ALICE), device(BOB), w.account(CAROL));
    let follows = |w: &World| w.group(ALICE, chat).is_followed_without(alice, &carol);
    assert!(w.group(ALICE, chat).is_here(&bob) && !follows(&w));
    w.relay_up(false);
    w.removes(ALICE, chat, CAROL);
    w.pass(10_000);
    assert!(w.group(ALICE, chat).is_here(&bob) && !follows(&w));
    w.relay_up(true);
    w.pass(60_000);
    w.send(BOB, chat, "still here");
    w.pass(60_000);
    assert!(follows(&w));
}

#[test]
fn f47_who_was_removed_with_all_others_of_its_way_comes_back_where_it_is_a_member() {
    let Village { mut w, chat } = Village::with(4, |_, config| config.frozen_ms = 60_000);
    w.gives_role(ALICE, chat, CAROL, Role::Admin);
    w.pass(10_000);
    w.relay_up(false);
    w.connect(ALICE, BOB);
    w.connect(CAROL, 3);
    w.renames(CAROL, chat, "carol's");
    w.removes(ALICE, chat, CAROL);
    w.removes(ALICE, chat, 3);
    w.pass(120_000);
    w.renames(ALICE, chat, "alice's");
    w.pass(120_000);
    w.removes(ALICE, chat, BOB);
    w.pass(10_000);
    assert!(w.group(BOB, chat).is_removed() && !w.group(BOB, chat).row.accounts.contains(&w.account(CAROL)));
    // Nothing reaches alice any more.
    w.disconnect(ALICE, BOB);
    w.lose = |to, _| to == ALICE;
    w.relay_up(true);
    w.pass(2 * 3_600_000);
    w.agree(chat, &[BOB, CAROL, 3]);
    assert_eq!(w.group(BOB, chat).row.context.name, "carol's");
}

#[test]
fn f47_whoever_asks_goes_on_once_most_are_heard_where_it_is() {
    let Village { mut w, chat } = Village::new(3);
    w.pass(60_000);
    w.relay_up(false);
    let client = &mut w.nodes[ALICE].client;
    let state = client.chats.get_mut(&chat).unwrap();
    state.row.lost = true;
    let node = state.group.node();
    let bob = w.nodes[BOB].client.device();
    let client = &mut w.nodes[ALICE].client;
    client.note_heard(chat, node, bob);
    assert!(!client.chats[&chat].row.lost, "two of three");
    let state = client.chats.get_mut(&chat).unwrap();
    (state.row.lost, state.row.copied) = (true, Some(0));
    client.note_heard(chat, node, bob);
    assert!(client.chats[&chat].row.lost, "whose data was copied can't stay");
}

/// A wish of a device to be put back that has gone another way, and knows the state at hand.
fn comes_over(w: &World, asker: usize, asked: usize, chat: ChatId) -> Vec<u8> {
    let client = &w.nodes[asker].client;
    let group = &client.chats[&chat].group;
    let now_s = w.now_ms / 1000;
    let own = client.package_in(&chat, true, now_s, now_s + 1000).unwrap();
    let way = w.group(asked, chat).way();
    let (tip, past) = (*way.last().unwrap(), vec![way[0]]);
    let known = (&group.own_leaf_key().unwrap(), vec![tip], vec![NodeId([255; 32])], past);
    wish(&client.crypto, &client.secret_in(&chat), chat, &own.package, known).unwrap()
}

#[test]
fn f47_whoever_is_alone_believes_in_a_way_of_the_others_also_if_it_goes_after_its_own() {
    let Village { mut w, chat } = Village::new(3);
    for n in 0..3 {
        w.renames(ALICE, chat, &format!("{n}"));
    }
    w.pass(60_000);
    let (topic, shared) = (w.group(ALICE, chat).row.topic.clone(), w.group(ALICE, chat).way()[0]);
    for (whom, believes) in [(BOB, false), (CAROL, true)] {
        w.removes(ALICE, chat, whom);
        w.pass(60_000);
        assert_eq!(w.group(ALICE, chat).is_alone(), believes);
        let told = LeafTold {
            chat,
            leaf: NO_LEAF,
            at: Some(NodeId([255; 32])),
            past: vec![shared],
        };
        let message = InboxMessage::Leaf(told).encode();
        let envelope = letter(&w, BOB, chat, &topic, None, &message);
        w.gossip_to(ALICE, BOB, envelope.bytes());
        assert_eq!(w.group(ALICE, chat).is_left_behind(), believes);
    }
}

#[test]
fn f47_who_is_followed_by_nobody_believes_in_a_way_of_the_others_also_if_it_goes_after_its_own() {
    for followed in [true, false] {
        let Village { mut w, chat } = Village::new(3);
        w.send(BOB, chat, "here");
        w.pass(60_000);
        let (topic, way) = (w.group(ALICE, chat).row.topic.clone(), w.group(ALICE, chat).way());
        let told = LeafTold {
            chat,
            leaf: NO_LEAF,
            at: Some(NodeId([255; 32])),
            past: way,
        };
        let message = InboxMessage::Leaf(told).encode();
        let envelope = letter(&w, BOB, chat, &topic, None, &message);
        if !followed {
            w.stop(BOB);
        }
        w.removes(ALICE, chat, CAROL);
        w.pass(60_000);
        if followed {
            w.send(BOB, chat, "still here");
            w.pass(60_000);
        }
        w.gossip_to(ALICE, CAROL, envelope.bytes());
        assert_eq!(w.group(ALICE, chat).is_left_behind(), !followed);
    }
}

/// What a member tells of a leaf.
fn leaf_of(chat: ChatId) -> Vec<u8> {
    let told = LeafTold {
        chat,
        leaf: [7; 32],
        at: None,
        past: Vec::new(),
    };
    InboxMessage::Leaf(told).encode()
}

fn letter(w: &World, from: usize, chat: ChatId, topic: &TopicSecret, to: Option<DeviceId>, message: &[u8]) -> Envelope {
    let body = Letter::seal(&w.nodes[from].client.crypto, chat, topic, to, message).unwrap();
    Envelope::sign(topic, 3600, &body).unwrap()
}

#[test]
fn f47_who_comes_over_is_put_back_though_it_has_asked_from_elsewhere_before() {
    let Village { mut w, chat } = Village::new(2);
    for n in 0..3 {
        w.renames(ALICE, chat, &format!("{n}"));
    }
    w.pass(60_000);
    let [lower, higher] = pair_of(&w);
    let device = |w: &World, place: usize| w.nodes[place].client.device();
    let (own, asker) = (device(&w, higher), device(&w, lower));
    let state = w.nodes[higher].client.chats.get_mut(&chat).unwrap();
    state.acks.get_mut(&asker).unwrap().node = None;
    assert!(state.yields_to(own, asker, [1; 32]));
    let before = state.group.node();
    let (topic, message) = (state.row.topic.clone(), comes_over(&w, lower, higher, chat));
    let envelope = letter(&w, lower, chat, &topic, None, &message);
    w.gossip_to(higher, lower, envelope.bytes());
    w.pass(20_000);
    let commits = |node| w.group(higher, chat).dag.commit(&node).unwrap().parent == before;
    assert!(commits(w.group(higher, chat).group.node()), "it is put back");
}

#[test]
fn f47_who_was_removed_passes_wishes_on_between_two_ways() {
    let Village { mut w, chat } = Village::new(4);
    let first = w.group(BOB, chat).row.topic.clone();
    w.removes(ALICE, chat, 3);
    w.pass(60_000);
    let second = w.group(BOB, chat).row.topic.clone();
    w.removes(ALICE, chat, BOB);
    w.pass(60_000);
    assert!(w.group(BOB, chat).is_removed() && first.public() != second.public());
    let carol = w.nodes[CAROL].client.device();
    let (wish, answer) = (comes_over(&w, CAROL, ALICE, chat), leaf_of(chat));
    let passed = |w: &World, on: &TopicSecret, message: &[u8]| {
        let outs = w.nodes[BOB].client.outs.values();
        let said = outs.filter_map(|out| {
            let envelope = out
                .envelope
                .as_ref()
                .filter(|envelope| envelope.topic() == on.public())?;
            let content = Letter::read(envelope.body())?.ok()?.open(on).ok()??;
            (content.message.encode() == message).then(|| envelope.id())
        });
        said.collect::<Vec<_>>()
    };
    w.relay_up(false);
    let hears = |w: &mut World, on: &TopicSecret, to: Option<DeviceId>, message: &[u8]| {
        let envelope = letter(w, CAROL, chat, on, to, message);
        w.gossip_to(BOB, CAROL, envelope.bytes());
    };
    hears(&mut w, &second, Some(carol), &answer);
    hears(&mut w, &first, None, &wish);
    assert!(passed(&w, &second, &wish).is_empty(), "it knows of one way only");
    let (past, due_ms) = (w.group(BOB, chat).dag.root(), w.now_ms + 1_000_000);
    let said = SaidGone::new(NodeId([9; 32]), vec![past], None);
    w.nodes[BOB]
        .client
        .chats
        .get_mut(&chat)
        .unwrap()
        .note_counted_in(due_ms, said);
    hears(&mut w, &second, Some(carol), &answer);
    assert!(
        passed(&w, &first, &answer).is_empty(),
        "it has passed on no wish of hers"
    );
    hears(&mut w, &first, None, &wish);
    hears(&mut w, &first, None, &wish);
    let once = passed(&w, &second, &wish);
    assert_eq!(once.len(), 1);
    hears(&mut w, &second, Some(carol), &answer);
    assert_eq!(passed(&w, &first, &answer).len(), 1, "where she asked");
    w.pass(650_000);
    hears(&mut w, &first, None, &wish);
    let again = passed(&w, &second, &wish);
    assert!(again.len() == 1 && again != once, "again later, in its place");
}

#[test]
fn f47_who_is_only_behind_is_told_so_on_the_topic_in_use() {
    let Village { mut w, chat } = Village::with(3, |_, config| config.frozen_ms = 60_000);
    w.lose = |to, frame| to == BOB && matches!(frame, CustodianFrame::Items(_));
    for n in 0..3 {
        w.renames(ALICE, chat, &format!("{n}"));
        w.pass(120_000);
    }
    w.pass(700_000);
    w.empty_relay();
    w.lose = |_, _| false;
    let behind = w.group(BOB, chat).group.node();
    let topic = w.group(ALICE, chat).row.topic.public();
    assert_eq!(w.group(BOB, chat).row.topic.public(), topic);
    assert!(w.group(ALICE, chat).has_been(&behind) && !w.group(ALICE, chat).dag.contains(&behind));
    w.send(BOB, chat, "is anybody there?");
    w.pass(10_000);
    assert!(w.group(ALICE, chat).told_on.contains_key(&topic) || w.group(CAROL, chat).told_on.contains_key(&topic));
    w.pass(3_600_000);
    w.agree(chat, &[ALICE, BOB, CAROL]);
    assert_eq!(w.nodes[CAROL].texts(chat), ["is anybody there?"]);
}
