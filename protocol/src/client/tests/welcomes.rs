//! Welcomes whose commit lost: they are held until it is in custody, then dropped, and the member is added again (FAULTS 40).

use super::groups::Village;
use super::*;
use crate::chat::Role;
use crate::keys::NodeId;

/// Alice owns the group, bob is an admin whose friend dave isn't in it. The two part, alice renames the group and bob adds dave.
fn parted(lose: fn(usize, &CustodianFrame) -> bool) -> (World, ChatId, usize) {
    let Village { mut w, chat } = Village::new(3);
    let dave = w.another();
    w.befriend_two(BOB, dave);
    w.gives_role(ALICE, chat, BOB, Role::Admin);
    w.pass(10_000);
    w.agree(chat, &[ALICE, BOB, CAROL]);
    w.relay_up(false);
    w.renames(ALICE, chat, "by the owner");
    let members = vec![w.account(dave)];
    w.does(BOB, Command::AddMembers { chat, members });
    w.pass(5_000);
    assert!(!w.nodes[dave].client.chats.contains_key(&chat), "not in custody yet");
    w.lose = lose;
    (w, chat, dave)
}

/// Dave is in the state of all, wherever he was before, and both read each other.
fn added_again(w: &mut World, chat: ChatId, dave: usize) {
    w.pass(120_000);
    w.agree(chat, &[ALICE, BOB, CAROL, dave]);
    assert_eq!(w.group(dave, chat).row.context.name, "by the owner");
    w.send(dave, chat, "here");
    w.send(CAROL, chat, "welcome");
    w.pass(10_000);
    for place in [ALICE, BOB, CAROL, dave] {
        let mut texts = w.nodes[place].texts(chat);
        texts.sort();
        assert_eq!(texts, ["here", "welcome"], "{place}");
    }
}

fn knows(w: &World, chat: ChatId, place: usize, node: NodeId) -> bool {
    let mut states = w.group(place, chat).row.nodes.iter();
    states.any(|state| state.node == node)
}

#[test]
fn f40_a_welcome_whose_commit_lost_before_it_was_in_custody_is_never_sent() {
    let (mut w, chat, dave) = parted(|to, frame| to == BOB && matches!(frame, CustodianFrame::Receipt(_)));
    let lost = w.group(BOB, chat).group.node();
    w.relay_up(true);
    w.pass(10_000);
    // Bob has seen the owner's commit, and no receipt for his own.
    assert_ne!(w.group(BOB, chat).group.node(), lost);
    assert!(w.group(BOB, chat).row.welcomes.iter().any(|row| row.node == lost));
    assert!(!w.nodes[dave].client.chats.contains_key(&chat));
    w.lose = |_, _| false;
    w.relay_up(false);
    w.relay_up(true);
    added_again(&mut w, chat, dave);
    // As long as that branch isn't settled it may come to count again.
    let welcomes = &w.group(BOB, chat).row.welcomes;
    assert!(welcomes.iter().all(|row| row.node == lost), "another Welcome waits");
    assert!(!knows(&w, chat, dave, lost), "dave joined the branch that lost");
}

#[test]
fn f40_who_joined_a_branch_that_lost_is_added_again() {
    let (mut w, chat, dave) = parted(|to, frame| to == BOB && matches!(frame, CustodianFrame::Items(_)));
    let lost = w.group(BOB, chat).group.node();
    w.relay_up(true);
    w.pass(5_000);
    // Bob has his receipt, and doesn't know of the owner's commit.
    assert!(knows(&w, chat, dave, lost), "dave isn't in it");
    w.lose = |_, _| false;
    w.relay_up(false);
    w.relay_up(true);
    added_again(&mut w, chat, dave);
}
