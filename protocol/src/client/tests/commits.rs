//! Commits that relays have forgotten, and who is behind without knowing it.

use super::divergence::bob_missed_a_removal;
use super::groups::{Village, carol_was_away};
use super::*;
use crate::chat::{Letter, Role};
use crate::client::records::{Intent, IntentRow};

fn leaf(w: &World, place: usize, chat: ChatId) -> [u8; 32] {
    w.group(place, chat).group.own_leaf_key().unwrap()
}

fn commits(w: &World, place: usize) -> usize {
    w.nodes[place].disk.count(Tree::Commits)
}

#[test]
fn f47_who_was_away_for_longer_than_relays_keep_is_handed_the_commits_and_goes_on_with_its_leaf() {
    let Village { mut w, chat } = carol_was_away();
    let before = leaf(&w, CAROL, chat);
    w.pass(1_200_000);
    w.agree(chat, &[ALICE, BOB, CAROL]);
    assert_eq!(leaf(&w, CAROL, chat), before, "she wasn't put back");
    assert!(!w.group(CAROL, chat).row.lost);
    assert_eq!(w.nodes[CAROL].texts(chat), ["are you there?"]);
}

#[test]
fn f47_who_knows_only_one_who_has_left_sees_by_the_commits_who_was_added() {
    let Village { mut w, chat } = Village::with(2, |_, config| config.frozen_states = 2);
    w.befriend_two(ALICE, CAROL);
    w.lose = |to, frame| to == BOB && matches!(frame, CustodianFrame::Items(_));
    let members = vec![w.account(CAROL)];
    w.does(ALICE, Command::AddMembers { chat, members });
    w.pass(20_000);
    for round in 0..4 {
        w.renames(ALICE, chat, &format!("name {round}"));
        w.pass(20_000);
    }
    w.does(ALICE, Command::LeaveChat { chat });
    w.pass(60_000);
    assert!(!w.group(ALICE, chat).is_member());
    w.empty_relay();
    w.lose = |_, _| false;
    w.pass(60_000);
    w.send(BOB, chat, "is anybody left?");
    w.pass(7_200_000);
    w.agree(chat, &[BOB, CAROL]);
    assert_eq!(w.nodes[CAROL].texts(chat), ["is anybody left?"]);
}

#[test]
fn commits_are_kept_as_long_as_the_names_of_their_states() {
    let Village { mut w, chat } = Village::with(2, |_, config| config.frozen_states = 2);
    for round in 0..limits::PAST_NODES + 20 {
        w.renames(ALICE, chat, &format!("name {round}"));
        w.pass(6_000);
    }
    let group = w.group(ALICE, chat);
    let remembered = group.row.past_nodes.len() + group.row.nodes.len();
    assert!(remembered > limits::PAST_NODES);
    for place in [ALICE, BOB] {
        assert!((1..=remembered).contains(&commits(&w, place)), "{}", commits(&w, place));
    }
}

#[test]
fn f47_whose_device_does_not_know_the_topic_any_more_is_told_though_it_is_silent() {
    let Village { mut w, chat } = bob_missed_a_removal();
    w.connect(ALICE, BOB);
    w.send(ALICE, chat, "bob?");
    w.pass(3_600_000);
    w.agree(chat, &[ALICE, BOB, CAROL]);
    assert_eq!(w.nodes[BOB].texts(chat), ["bob?"]);
}

#[test]
fn f45_messages_wait_for_a_removal_that_is_to_be_made_again() {
    let Village { mut w, chat } = Village::new(3);
    let (bob, now_ms) = (w.account(BOB), w.now_ms);
    let group = w.nodes[ALICE].client.chats.get_mut(&chat).unwrap();
    let change = Intent::Remove(bob);
    group.row.intents.push(IntentRow { change, node: None });
    group.retry_ms = Some(now_ms + 2_000);
    w.send(ALICE, chat, "without bob");
    w.pass(10_000);
    assert!(!w.group(ALICE, chat).row.accounts.contains(&bob));
    assert_eq!(w.nodes[CAROL].texts(chat), ["without bob"]);
    assert!(w.nodes[BOB].texts(chat).is_empty());
}

/// Bob misses what alice removes somebody by. She is away for good then, and no relay has it any more.
fn bob_misses_a_removal_by_alice(w: &mut World, chat: ChatId, whom: usize, meanwhile: impl Fn(&mut World)) {
    w.lose = |to, frame| to == BOB && matches!(frame, CustodianFrame::Items(_));
    w.removes(ALICE, chat, whom);
    meanwhile(w);
    w.pass(60_000);
    w.stop(ALICE);
    let links = w.nodes[ALICE].client.links.values_mut();
    links.for_each(|link| link.retry_at_ms = u64::MAX);
    w.empty_relay();
    w.lose = |_, _| false;
    w.pass(900_000);
    assert!(w.group(BOB, chat).is_member());
    assert_ne!(
        w.group(BOB, chat).row.topic.public(),
        w.group(CAROL, chat).row.topic.public()
    );
}

#[test]
fn f47_who_was_removed_and_missed_it_is_handed_what_leads_to_it() {
    let Village { mut w, chat } = Village::new(3);
    bob_misses_a_removal_by_alice(&mut w, chat, BOB, |_| {});
    w.send(BOB, chat, "is anybody there?");
    w.pass(3_600_000);
    assert!(!w.group(BOB, chat).is_member());
    assert!(w.group(CAROL, chat).is_member());
}

#[test]
fn f47_who_seals_on_a_branch_that_lost_long_ago_is_handed_what_made_it_lose() {
    let Village { mut w, chat } = Village::new(4);
    w.gives_role(ALICE, chat, BOB, Role::Admin);
    w.pass(60_000);
    bob_misses_a_removal_by_alice(&mut w, chat, 3, |w| w.renames(BOB, chat, "bob's"));
    let before = leaf(&w, BOB, chat);
    w.send(BOB, chat, "is anybody there?");
    w.pass(60_000);
    w.agree(chat, &[BOB, CAROL]);
    assert_eq!(w.group(CAROL, chat).row.context.name, "bob's");
    assert_eq!(w.nodes[CAROL].texts(chat), ["is anybody there?"]);
    assert_ne!(leaf(&w, BOB, chat), before, "his change was made again");
}

/// Whether an envelope with anything but a letter is among what comes.
fn brings_more_than_letters(frame: &CustodianFrame) -> bool {
    let CustodianFrame::Items(items) = frame else {
        return false;
    };
    let letter = |bytes: &[u8]| Envelope::trusted(bytes).is_ok_and(|envelope| Letter::read(envelope.body()).is_some());
    !items.items.iter().all(|item| letter(&item.envelope))
}

#[test]
fn f47_who_cannot_apply_what_it_is_handed_is_told_that_the_others_have_gone_on() {
    let Village { mut w, chat } = Village::new(4);
    w.gives_role(ALICE, chat, BOB, Role::Admin);
    w.pass(60_000);
    bob_misses_a_removal_by_alice(&mut w, chat, 3, |w| w.renames(BOB, chat, "bob's"));
    w.lose = |to, frame| to == BOB && brings_more_than_letters(frame);
    w.send(BOB, chat, "is anybody there?");
    w.pass(300_000);
    assert!(w.group(BOB, chat).said_gone.is_none(), "it is handed the commits first");
    w.pass(900_000);
    w.send(BOB, chat, "nobody?");
    w.pass(1_800_000);
    w.agree(chat, &[BOB, CAROL]);
    assert_eq!(w.nodes[CAROL].texts(chat).len(), 2);
}
