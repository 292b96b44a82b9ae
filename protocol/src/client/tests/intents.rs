//! Changes that can't be lost with a branch that was settled.

use super::groups::Village;
use super::*;
use crate::chat::{Statement, Wish};
use crate::client::SettingsChange;
use crate::client::records::{Intent, IntentRow};
use crate::keys::NodeId;

/// Three, whose states are settled after a minute; carol hears nothing.
fn village() -> Village {
    let mut village = Village::with(3, |_, config| config.frozen_ms = 60_000);
    village.w.lose = |to, frame| to == CAROL && matches!(frame, CustodianFrame::Items(_));
    village
}

/// How many changes of alice's are looked after.
fn kept(w: &World, chat: ChatId) -> usize {
    w.group(ALICE, chat).row.intents.len()
}

#[test]
fn f40_a_settled_change_is_looked_after_as_long_as_its_state_is_remembered() {
    let Village { mut w, chat } = village();
    for name in ["square", "yard"] {
        w.renames(ALICE, chat, name);
        w.pass(120_000);
    }
    assert_eq!(w.group(ALICE, chat).dag.commits().count(), 0, "it isn't settled");
    assert_eq!(kept(&w, chat), 1, "the later name takes the place of the other");
    assert_eq!(w.nodes[ALICE].client.chat_status(&chat).unwrap().changes, 0);
    let change = SettingsChange {
        timer_s: Some(86_400),
        ..SettingsChange::default()
    };
    w.does(ALICE, Command::UpdateChat { chat, change });
    w.pass(120_000);
    assert_eq!(kept(&w, chat), 2);
    let own = w.nodes[ALICE].client.device();
    let group = w.nodes[ALICE].client.chats.get_mut(&chat).unwrap();
    group.row.past_nodes.clear();
    group.drop_done(own);
    assert_eq!(kept(&w, chat), 1, "what is forgotten is looked after");
}

#[test]
fn f40_whoever_is_alone_looks_after_the_removals_that_made_it_so() {
    let Village { mut w, chat } = village();
    w.removes(ALICE, chat, BOB);
    w.removes(ALICE, chat, CAROL);
    w.pass(120_000);
    assert_eq!(w.group(ALICE, chat).members.len(), 1);
    assert_eq!(kept(&w, chat), 2);
}

#[test]
fn f40_only_what_is_not_in_the_past_of_a_state_is_made_again_there() {
    let Village { mut w, chat } = village();
    w.renames(ALICE, chat, "square");
    w.pass(120_000);
    let group = w.nodes[ALICE].client.chats.get_mut(&chat).unwrap();
    let (row, past, there) = (group.row.clone(), group.past(), NodeId([9; 32]));
    let made = row.intents[0].node.unwrap();
    assert_eq!(past.last(), Some(&made));
    group.reopen_intents(there, past.clone());
    assert_eq!(
        group.row.intents[0].node,
        Some(made),
        "it is looked after: another branch may follow"
    );
    assert_eq!(group.row.past_nodes, past);
    // Ways that part before it, and ways of which nothing is shared.
    let put_there = group.row.clone();
    for past in [vec![past[0], NodeId([8; 32])], vec![NodeId([8; 32])]] {
        group.row = put_there.clone();
        group.reopen_intents(there, past);
        assert_eq!(group.row.intents.len(), 1);
        assert_eq!(group.row.intents[0].node, None);
    }
}

#[test]
fn f40_who_is_put_back_by_one_who_joined_later_remembers_what_it_knew_of_before() {
    let Village { mut w, chat } = village();
    for name in ["square", "yard", "well"] {
        w.renames(ALICE, chat, name);
        w.pass(120_000);
    }
    let group = w.nodes[ALICE].client.chats.get_mut(&chat).unwrap();
    let (past, there) = (group.past(), NodeId([9; 32]));
    let (before, told) = past.split_at(past.len() - 2);
    assert!(!before.is_empty());
    group.reopen_intents(there, told.to_vec());
    assert_eq!(group.row.past_nodes, past);
}

#[test]
fn f40_changes_that_together_leave_a_branch_as_it_is_are_looked_after_there() {
    let Village { mut w, chat } = village();
    for name in ["square", "yard"] {
        w.renames(ALICE, chat, name);
    }
    w.pass(10_000);
    let now_ms = w.now_ms;
    let group = w.nodes[ALICE].client.chats.get_mut(&chat).unwrap();
    // Their branch had lost, and counts again before they are made on another.
    group.row.intents.iter_mut().for_each(|intent| intent.node = None);
    group.retry_ms = Some(now_ms);
    let tip = group.group.node();
    w.pass(10_000);
    let group = w.group(ALICE, chat);
    assert_eq!(group.group.node(), tip, "nothing is to be done");
    let looked_after: Vec<Option<NodeId>> = group.row.intents.iter().map(|intent| intent.node).collect();
    assert_eq!(looked_after, [Some(tip), Some(tip)]);
}

#[test]
fn f40_to_add_who_is_a_member_is_no_change_unless_it_is_about_to_be_removed() {
    let Village { mut w, chat } = village();
    let members = vec![w.account(BOB)];
    w.does(
        ALICE,
        Command::AddMembers {
            chat,
            members: members.clone(),
        },
    );
    assert_eq!(
        kept(&w, chat),
        0,
        "on another branch it would undo that he has left since"
    );
    // A removal that lost, and isn't made again yet.
    let removal = IntentRow {
        change: Intent::Remove(w.account(BOB)),
        node: None,
    };
    let group = w.nodes[ALICE].client.chats.get_mut(&chat).unwrap();
    group.row.intents.push(removal);
    w.does(ALICE, Command::AddMembers { chat, members });
    assert_eq!(kept(&w, chat), 2, "he is to stay");
}

#[test]
fn f40_what_falls_due_while_another_branch_counts_is_made_once_it_does_no_more() {
    let Village { mut w, chat } = village();
    w.renames(ALICE, chat, "square");
    w.pass(10_000);
    let now_ms = w.now_ms;
    let group = w.nodes[ALICE].client.chats.get_mut(&chat).unwrap();
    // Its branch lost against one that has removed her.
    group.row.intents[0].node = None;
    group.retry_ms = Some(now_ms);
    group.row.out = true;
    w.pass(10_000);
    let group = w.nodes[ALICE].client.chats.get_mut(&chat).unwrap();
    assert_eq!(group.row.intents[0].node, None);
    group.row.out = false;
    w.pass(10_000);
    assert!(w.group(ALICE, chat).row.intents[0].node.is_some(), "it is never made");
}

/// The wishes that a device looks after, and whether each of them is carried out.
fn wishes(w: &World, place: usize, chat: ChatId) -> Vec<bool> {
    let its = w.group(place, chat).row.intents.iter();
    its.filter(|intent| matches!(intent.change, Intent::Wish(_)))
        .map(|intent| intent.node.is_some())
        .collect()
}

#[test]
fn f40_all_keep_a_wish_to_leave_until_it_is_settled_whoever_carried_it_out() {
    let Village { mut w, chat } = Village::with(4, |_, config| config.frozen_ms = 60_000);
    w.does(CAROL, Command::LeaveChat { chat });
    w.pass(30_000);
    w.agree(chat, &[ALICE, BOB, 3]);
    assert!(!w.group(CAROL, chat).is_member());
    for place in [ALICE, BOB, 3] {
        assert_eq!(wishes(&w, place, chat), [true], "{place}: the commit may lose");
    }
    for name in ["square", "yard"] {
        w.renames(ALICE, chat, name);
        for place in [ALICE, BOB, 3] {
            w.send(place, chat, "I'm here");
        }
        w.pass(120_000);
    }
    for place in [ALICE, BOB] {
        assert!(wishes(&w, place, chat).is_empty(), "{place}: it is settled");
    }
    assert_eq!(wishes(&w, 3, chat), [true], "its states are settled much later");
}

#[test]
fn f40_a_wish_to_leave_is_carried_out_anew_where_its_commit_lost_with_its_author() {
    let Village { mut w, chat } = Village::new(4);
    w.lose = |to, frame| to == ALICE && matches!(frame, CustodianFrame::Items(_));
    w.does(CAROL, Command::LeaveChat { chat });
    w.pass(30_000);
    assert!(!w.group(CAROL, chat).is_member());
    let group = w.group(BOB, chat);
    let author = group.dag.commit(&group.group.node()).unwrap().author;
    let (gone, left) = if author == w.account(BOB) { (BOB, 3) } else { (3, BOB) };
    // She has heard nothing of it, and hers outranks that.
    w.removes(ALICE, chat, gone);
    assert!(w.group(CAROL, chat).is_member(), "the commit hasn't lost");
    w.pass(30_000);
    assert!(!w.group(left, chat).row.accounts.contains(&w.account(CAROL)));
    assert!(!w.group(CAROL, chat).is_member());
}

#[test]
fn f40_of_many_wishes_of_a_device_to_leave_the_latest_are_kept() {
    let Village { mut w, chat } = Village::new(3);
    let device = &w.nodes[CAROL].client.account.device;
    let wish = |leaf: u8| Statement::sign(device, chat, Wish::Leave, [leaf; 32]).encode();
    let node = Some(w.group(ALICE, chat).group.node());
    let its = (0..20).map(|leaf| IntentRow {
        change: Intent::Wish(wish(leaf)),
        node: node.filter(|_| leaf < 18),
    });
    let its: Vec<_> = its.collect();
    let group = w.nodes[ALICE].client.chats.get_mut(&chat).unwrap();
    group.row.intents.clone_from(&its);
    group.limit_leaves();
    let kept = group.row.intents.iter().map(|intent| &intent.change);
    let latest = its.iter().skip(18 - limits::LEAVE_WISHES);
    assert!(kept.eq(latest.map(|intent| &intent.change)));
}
