//! Welcomes whose commit lost: they are held until it is in custody, then dropped, and the member is added again (FAULTS 40).

use super::groups::Village;
use super::*;
use crate::chat::{ChatContext, Group, Plan, Role};
use crate::inbox::{GroupWelcome, InboxMessage};
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

/// Makes up a group with a chat's id and a late epoch, and sends one of its members a Welcome to it.
fn lures(w: &mut World, from: usize, to: usize, chat: ChatId) {
    let (account, now_ms) = (w.account(to), w.now(from));
    let client = &w.nodes[from].client;
    let contact = &client.contacts[&account];
    let package = contact.package.clone().unwrap();
    let context = ChatContext::group("village".into(), client.account(), Vec::new());
    let (crypto, device) = (&client.crypto, &client.account.device);
    let (mut group, topic) = Group::create(crypto, device, &client.identity(), contact.suite, chat, context).unwrap();
    for _ in 0..20 {
        group = group.commit(crypto, device, &Plan::default(), &topic).unwrap().group;
    }
    let added = group.commit(crypto, device, &Plan::adding(&[package]), &topic).unwrap();
    let welcome = GroupWelcome {
        chat,
        node: added.group.node(),
        suite: contact.suite,
        welcome: added.welcome.unwrap(),
    };
    let message = InboxMessage::Welcome(welcome).encode();
    let client = &mut w.nodes[from].client;
    client.write_inbox(now_ms, chat, account, None, &message).unwrap();
    w.input(from, Input::Tick);
    w.pass(10_000);
}

#[test]
fn f41_a_made_up_welcome_does_not_lead_out_of_a_chat_that_is_alive() {
    let Village { mut w, chat } = Village::new(3);
    let dave = w.another();
    w.befriend_two(CAROL, dave);
    // A stranger to the chat, and a member who may not add.
    for from in [dave, BOB] {
        if from == BOB {
            w.befriend_two(CAROL, BOB);
        }
        lures(&mut w, from, CAROL, chat);
        assert!(w.group(CAROL, chat).spare.is_some(), "it wasn't read");
        w.agree(chat, &[ALICE, BOB, CAROL]);
    }
    // The member writes in the state at hand, and so is refuted; the stranger's leads nowhere however long the chat is silent.
    w.send(BOB, chat, "here");
    w.pass(10_000);
    assert!(!w.group(CAROL, chat).has_spare());
    lures(&mut w, dave, CAROL, chat);
    w.pass(3_600_000);
    w.agree(chat, &[ALICE, BOB, CAROL]);
    w.send(CAROL, chat, "still here");
    w.pass(10_000);
    assert_eq!(w.nodes[ALICE].texts(chat), ["here", "still here"]);
}

#[test]
fn who_is_added_again_before_it_learns_of_its_removal_is_in() {
    let Village { mut w, chat } = Village::new(3);
    let dave = w.another();
    w.befriend_two(CAROL, dave);
    w.befriend_two(ALICE, dave);
    let members = vec![w.account(dave)];
    w.does(ALICE, Command::AddMembers { chat, members });
    w.pass(10_000);
    w.stop(CAROL);
    w.gives_role(ALICE, chat, dave, Role::Admin);
    w.removes(ALICE, chat, CAROL);
    w.pass(10_000);
    // Carol has never heard of this admin's being a member.
    let members = vec![w.account(CAROL)];
    w.does(dave, Command::AddMembers { chat, members });
    w.pass(10_000);
    w.restart(CAROL);
    w.pass(60_000);
    w.agree(chat, &[ALICE, BOB, CAROL, dave]);
}
