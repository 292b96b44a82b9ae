//! Groups: members, roles, forks, removals, and who has lost its state.

use super::*;
use crate::chat::Role;
use crate::client::SettingsChange;

/// Everybody knows alice, all have the one relay, and alice has made a group of them.
pub(super) struct Village {
    pub w: World,
    pub chat: ChatId,
}

impl World {
    pub fn befriend_two(&mut self, a: usize, b: usize) {
        let link = self.invite(a, false);
        self.accept(b, &link).unwrap();
        let request = self.nodes[a].requests()[0];
        self.approve(a, request).unwrap();
        self.pass(5_000);
    }

    /// One more client with the relay.
    pub fn another(&mut self) -> usize {
        let place = self.guest();
        self.nodes[place].config.relays = Some(vec![relay_address()]);
        self.nodes[place].config.suite = self.nodes[ALICE].config.suite;
        self.restart(place);
        self.pass(5_000);
        place
    }

    pub fn account(&self, place: usize) -> AccountId {
        self.nodes[place].client.account()
    }

    pub fn group(&self, place: usize, chat: ChatId) -> &crate::client::chats::Chat {
        &self.nodes[place].client.chats[&chat]
    }

    pub fn does(&mut self, place: usize, command: Command) {
        let reply = self.command(place, command).unwrap();
        assert!(reply.is_ok(), "{reply:?}");
    }

    pub fn renames(&mut self, place: usize, chat: ChatId, name: &str) {
        let change = SettingsChange {
            name: Some(name.into()),
            ..SettingsChange::default()
        };
        self.does(place, Command::UpdateChat { chat, change });
    }

    /// Alice makes a group with others.
    pub fn founds(&mut self, name: &str, others: impl IntoIterator<Item = usize>) -> ChatId {
        let members = others.into_iter().map(|place| self.account(place)).collect();
        let command = Command::CreateChat {
            name: name.into(),
            members,
            idempotency_key: None,
        };
        match self.command(ALICE, command) {
            Some(Ok(Reply::Chat(chat))) => chat,
            _ => panic!("no chat"),
        }
    }

    pub fn gives_role(&mut self, place: usize, chat: ChatId, to: usize, role: Role) {
        let account = self.account(to);
        self.does(place, Command::SetRole { chat, account, role });
    }

    pub fn removes(&mut self, place: usize, chat: ChatId, whom: usize) {
        let members = vec![self.account(whom)];
        self.does(place, Command::RemoveMembers { chat, members });
    }

    /// All of these are in one state of the chat.
    pub fn agree(&self, chat: ChatId, places: &[usize]) {
        let states: BTreeSet<_> = places
            .iter()
            .map(|place| {
                let group = self.group(*place, chat);
                assert!(group.is_member(), "{place} is out");
                (
                    group.group.node(),
                    group.group.authenticator(),
                    group.row.topic.public(),
                )
            })
            .collect();
        assert_eq!(states.len(), 1, "{states:?}");
    }
}

impl Village {
    pub fn new(size: usize) -> Self {
        Self::with(size, |_, _| {})
    }

    pub fn with(size: usize, change: impl Fn(usize, &mut ClientConfig)) -> Self {
        let mut w = World::with_relay(RelayConfig::default(), change);
        while w.nodes.len() < size {
            w.another();
        }
        for place in 1..size {
            w.befriend_two(ALICE, place);
        }
        let chat = w.founds("village", 1..size);
        w.pass(10_000);
        let places: Vec<usize> = (0..size).collect();
        w.agree(chat, &places);
        Self { w, chat }
    }
}

#[test]
fn everybody_reads_what_everybody_writes_also_after_a_restart() {
    let Village { mut w, chat } = Village::new(5);
    for place in 0..5 {
        w.send(place, chat, &format!("from {place}"));
        w.pass(1_000);
    }
    for place in 0..5 {
        assert_eq!(w.nodes[place].texts(chat).len(), 5, "{place}");
        assert_eq!(w.group(place, chat).row.context.name, "village");
        w.restart(place);
    }
    w.pass(5_000);
    let message = w.send(BOB, chat, "again");
    w.pass(10_000);
    for place in 0..5 {
        assert_eq!(w.nodes[place].texts(chat).len(), 6, "{place}");
    }
    let ledger = w.nodes[BOB].ledger(message);
    assert_eq!(ledger.state, LedgerState::Delivered);
    assert_eq!(ledger.delivered.len(), 4);
    assert_eq!(
        w.nodes[BOB].disk.count(Tree::Outbox),
        0,
        "what all have stays in the outbox"
    );
}

#[test]
fn a_member_who_is_added_reads_what_comes_and_one_who_is_removed_does_not() {
    let Village { mut w, chat } = Village::new(3);
    let dave = w.another();
    w.befriend_two(BOB, dave);
    let before = w.group(ALICE, chat).row.topic.public();
    w.gives_role(ALICE, chat, BOB, Role::Admin);
    w.pass(5_000);
    let members = vec![w.account(dave)];
    w.does(BOB, Command::AddMembers { chat, members });
    w.pass(10_000);
    w.agree(chat, &[ALICE, BOB, CAROL, dave]);
    w.send(dave, chat, "hello");
    w.pass(5_000);
    assert_eq!(w.nodes[CAROL].texts(chat), ["hello"]);
    assert_eq!(w.group(dave, chat).row.topic.public(), before);

    w.removes(BOB, chat, CAROL);
    w.pass(5_000);
    w.agree(chat, &[ALICE, BOB, dave]);
    assert!(!w.group(CAROL, chat).is_member());
    assert_ne!(w.group(ALICE, chat).row.topic.public(), before, "the topic stays");
    w.send(ALICE, chat, "without carol");
    w.pass(5_000);
    assert_eq!(w.nodes[CAROL].texts(chat), ["hello"]);
    assert_eq!(w.nodes[dave].texts(chat).len(), 2);
    let refused = w.try_send(CAROL, chat, "am I here?", None);
    assert!(matches!(refused, Err(CommandError::NotAllowed { .. })), "{refused:?}");
    // She may come back.
    let members = vec![w.account(CAROL)];
    w.does(ALICE, Command::AddMembers { chat, members });
    w.pass(10_000);
    w.agree(chat, &[ALICE, BOB, CAROL, dave]);
    w.send(CAROL, chat, "here again");
    w.pass(5_000);
    assert_eq!(w.nodes[dave].texts(chat).len(), 3);
}

#[test]
fn f45_who_is_removed_while_away_learns_of_it_also_by_the_commits_before() {
    let Village { mut w, chat } = Village::new(3);
    w.relay_up(false);
    // This one renews the topic.
    w.removes(ALICE, chat, BOB);
    w.renames(ALICE, chat, "two");
    w.removes(ALICE, chat, CAROL);
    w.pass(60_000);
    assert!(w.group(CAROL, chat).is_member());
    w.connect(ALICE, CAROL);
    w.pass(600_000);
    assert!(w.group(CAROL, chat).is_removed());
}

#[test]
fn f44_who_has_not_the_rank_is_told_so() {
    let Village { mut w, chat } = Village::new(3);
    let members = vec![w.account(CAROL)];
    for command in [
        Command::RemoveMembers { chat, members },
        Command::UpdateChat {
            chat,
            change: SettingsChange {
                name: Some("mine".into()),
                ..SettingsChange::default()
            },
        },
        Command::SetRole {
            chat,
            account: w.account(BOB),
            role: Role::Admin,
        },
    ] {
        let refused = w.command(BOB, command).unwrap();
        assert!(matches!(refused, Err(CommandError::NotAllowed { .. })), "{refused:?}");
    }
    w.pass(5_000);
    w.agree(chat, &[ALICE, BOB, CAROL]);
    assert_eq!(w.group(BOB, chat).group.epoch(), w.group(ALICE, chat).group.epoch());
}

#[test]
fn f37_changes_made_at_once_all_happen() {
    let Village { mut w, chat } = Village::new(4);
    let all = [ALICE, BOB, CAROL, 3];
    for place in [BOB, CAROL] {
        w.gives_role(ALICE, chat, place, Role::Admin);
        w.pass(5_000);
    }
    w.relay_up(false);
    w.renames(ALICE, chat, "by alice");
    w.send(ALICE, chat, "a");
    let change = SettingsChange {
        timer_s: Some(86_400),
        ..SettingsChange::default()
    };
    w.does(BOB, Command::UpdateChat { chat, change });
    w.send(BOB, chat, "b");
    w.removes(CAROL, chat, 3);
    w.send(CAROL, chat, "c");
    w.send(3, chat, "d");
    w.relay_up(true);
    // Whoever is being removed comes first: once it has heard of that it says nothing more.
    w.nodes[3]
        .client
        .links
        .values_mut()
        .for_each(|link| link.retry_at_ms = 0);
    w.input(3, Input::Tick);
    w.pass(120_000);
    w.agree(chat, &all[..3]);
    for place in [ALICE, BOB, CAROL] {
        let context = &w.group(place, chat).row.context;
        assert_eq!((context.name.as_str(), context.timer_s), ("by alice", 86_400));
        assert!(!w.group(place, chat).row.accounts.contains(&w.account(3)));
        let mut texts = w.nodes[place].texts(chat);
        texts.sort();
        assert_eq!(texts, ["a", "b", "c", "d"], "{place}");
    }
}

#[test]
fn a_member_leaves_and_the_others_remove_it() {
    let Village { mut w, chat } = Village::new(4);
    w.does(CAROL, Command::LeaveChat { chat });
    w.pass(30_000);
    w.agree(chat, &[ALICE, BOB, 3]);
    assert!(!w.group(CAROL, chat).is_member());
    // The owner too: the lowest leaf follows.
    w.does(ALICE, Command::LeaveChat { chat });
    w.pass(60_000);
    w.agree(chat, &[BOB, 3]);
    assert_eq!(w.group(3, chat).row.context.role(&w.account(BOB)), Role::Owner);
}

#[test]
fn who_wished_to_leave_and_is_left_alone_goes_by_itself() {
    let Village { mut w, chat } = Village::new(2);
    w.relay_up(false);
    w.does(ALICE, Command::LeaveChat { chat });
    w.removes(ALICE, chat, BOB);
    w.pass(10_000);
    assert!(!w.group(ALICE, chat).is_member());
}

#[test]
fn f44_the_only_admin_cannot_just_lay_it_down() {
    let Village { mut w, chat } = Village::new(3);
    let account = w.account(ALICE);
    let role = Role::Member;
    let refused = w.command(ALICE, Command::SetRole { chat, account, role }).unwrap();
    assert!(matches!(refused, Err(CommandError::NotAllowed { .. })), "{refused:?}");
    w.pass(5_000);
    assert_eq!(w.group(BOB, chat).row.context.role(&account), Role::Owner);
    w.gives_role(ALICE, chat, BOB, Role::Admin);
    w.does(ALICE, Command::SetRole { chat, account, role });
    w.pass(10_000);
    assert_eq!(w.group(2, chat).row.context.admins, [w.account(BOB)]);
}

#[test]
fn f40_who_is_added_by_somebody_alone_gets_its_welcome() {
    let Village { mut w, chat } = Village::new(3);
    w.removes(ALICE, chat, BOB);
    w.removes(ALICE, chat, CAROL);
    w.pass(10_000);
    // The removals are still told to those whom they removed, while nobody is there to have the next commit in custody.
    assert!(!w.group(ALICE, chat).commits.is_empty());
    let members = vec![w.account(BOB)];
    w.does(ALICE, Command::AddMembers { chat, members });
    w.pass(10_000);
    w.agree(chat, &[ALICE, BOB]);
    assert!(!w.group(CAROL, chat).is_member());
}

#[test]
fn f41_an_old_welcome_does_not_bring_a_removed_member_back() {
    let mut w = World::with_relay(RelayConfig::default(), |_, _| {});
    w.befriend_two(ALICE, BOB);
    let chat = w.founds("village", [BOB]);
    w.pass(10_000);
    w.agree(chat, &[ALICE, BOB]);
    w.removes(ALICE, chat, BOB);
    w.pass(10_000);
    let removed = w.group(BOB, chat).row.clone();
    assert!(removed.out);
    // Bob loses what he knows of envelopes that came, and fetches his inbox anew.
    w.restart(BOB);
    w.nodes[BOB].client.cursors.clear();
    w.relay_up(false);
    w.relay_up(true);
    w.pass(60_000);
    assert!(!w.nodes[BOB].client.cursors.is_empty(), "nothing was fetched");
    let now = &w.group(BOB, chat).row;
    assert!(now.out, "he is back in {:?}", now.state);
    assert_eq!(now.nodes.len(), removed.nodes.len());
}

#[test]
fn f47_who_settled_alone_while_the_others_went_elsewhere_is_put_back() {
    let Village { mut w, chat } = Village::with(4, |_, config| config.frozen_ms = 60_000);
    w.gives_role(ALICE, chat, CAROL, Role::Admin);
    w.pass(10_000);
    w.relay_up(false);
    w.connect(ALICE, BOB);
    w.renames(CAROL, chat, "carol's");
    w.removes(ALICE, chat, 3);
    w.pass(120_000);
    // Nothing that the others write from now on reaches her.
    let topics = w.group(CAROL, chat).topics();
    assert!(!topics.contains(&w.group(ALICE, chat).row.topic.public()));
    w.relay_up(true);
    w.pass(1_800_000);
    w.agree(chat, &[ALICE, BOB, CAROL]);
    // What only she had settled isn't lost with her branch.
    assert_eq!(w.group(BOB, chat).row.context.name, "carol's");
}

#[test]
fn changes_that_undo_each_other_are_not_wanted_for_ever() {
    let Village { mut w, chat } = Village::new(3);
    w.renames(ALICE, chat, "square");
    w.pass(10_000);
    let group = w.nodes[ALICE].client.chats.get_mut(&chat).unwrap();
    for name in ["yard", "square"] {
        let change = SettingsChange {
            name: Some(name.into()),
            ..SettingsChange::default()
        };
        let change = crate::client::records::Intent::Settings(change);
        group
            .row
            .intents
            .push(crate::client::records::IntentRow { change, node: None });
    }
    group.retry_ms = Some(0);
    w.pass(10_000);
    let open = |intent: &crate::client::records::IntentRow| intent.node.is_none();
    assert!(!w.group(ALICE, chat).row.intents.iter().any(open));
    assert_eq!(w.group(BOB, chat).row.context.name, "square");
}

#[test]
fn f38_a_fork_of_five_epochs_heals_and_both_branches_are_read() {
    let Village { mut w, chat } = Village::new(4);
    w.gives_role(ALICE, chat, BOB, Role::Admin);
    w.pass(10_000);
    // Alice and carol on one side, bob and the fourth on the other: all by stream.
    w.relay_up(false);
    w.connect(ALICE, CAROL);
    for round in 0..5 {
        w.renames(ALICE, chat, &format!("alice {round}"));
        w.send(ALICE, chat, &format!("a{round}"));
        w.renames(BOB, chat, &format!("bob {round}"));
        w.send(BOB, chat, &format!("b{round}"));
        w.pass(1_000);
    }
    w.agree(chat, &[ALICE, CAROL]);
    w.relay_up(true);
    w.pass(300_000);
    w.agree(chat, &[ALICE, BOB, CAROL, 3]);
    for place in 0..4 {
        assert_eq!(w.nodes[place].texts(chat).len(), 10, "{place}");
        assert!(w.group(place, chat).row.context.name.starts_with("bob 4"));
    }
}

/// Of three, carol was away for six commits and a message, and the relay has forgotten the commits.
pub(super) fn carol_was_away() -> Village {
    let mut village = Village::with(3, |_, config| config.frozen_states = 2);
    let (w, chat) = (&mut village.w, village.chat);
    w.lose = |to, frame| to == CAROL && matches!(frame, CustodianFrame::Items(_));
    for round in 0..6 {
        w.renames(ALICE, chat, &format!("name {round}"));
        w.pass(20_000);
    }
    w.send(ALICE, chat, "are you there?");
    w.empty_relay();
    w.lose = |_, _| false;
    village
}

#[test]
fn a_member_who_was_away_too_long_gets_back_by_itself() {
    let Village { mut w, chat } = carol_was_away();
    w.pass(60_000);
    assert!(!w.group(CAROL, chat).pending.is_empty());
    w.pass(3_600_000);
    w.agree(chat, &[ALICE, BOB, CAROL]);
    w.send(CAROL, chat, "yes");
    w.pass(10_000);
    assert_eq!(w.nodes[CAROL].texts(chat).len(), 2);
    assert_eq!(w.nodes[BOB].texts(chat).len(), 2);
}

#[test]
fn a_group_whose_welcomes_and_commits_are_larger_than_an_envelope_works() {
    let Village { mut w, chat } = Village::with(4, |_, config| config.suite = Suite::XWing);
    // Its picture alone makes them large.
    let picture = SettingsChange {
        picture: Some(vec![7; limits::PICTURE_BYTES]),
        ..SettingsChange::default()
    };
    w.does(ALICE, Command::UpdateChat { chat, change: picture });
    w.pass(5_000);
    let mut newcomers = Vec::new();
    for _ in 0..14 {
        let place = w.another();
        w.befriend_two(ALICE, place);
        newcomers.push(place);
    }
    let members = newcomers.iter().map(|place| w.account(*place)).collect();
    w.does(ALICE, Command::AddMembers { chat, members });
    w.pass(120_000);
    let all: Vec<usize> = (0..w.nodes.len()).collect();
    w.agree(chat, &all);
    w.send(newcomers[13], chat, "hello");
    w.pass(10_000);
    for place in all {
        assert_eq!(w.nodes[place].texts(chat), ["hello"], "{place}");
    }
    let blobs = w.keeper.as_ref().unwrap().relay.stats();
    assert!(blobs.blobs > 0, "nothing went as a blob");
}

#[test]
fn of_many_devices_at_most_one_commits_unasked_at_a_time() {
    let Village { mut w, chat } = Village::new(8);
    let forked = |w: &World| {
        let branches = |place: usize| w.nodes[place].client.chat_status(&chat).unwrap().branches;
        (0..8).any(|place| branches(place) > 1)
    };
    // Those who were added together renew their leaves one after the other.
    for _ in 0..10 {
        w.pass(2_000);
        assert!(!forked(&w));
    }
    let oldest = |w: &World| {
        let renewed = |place: usize| w.group(place, chat).row.leaf_updated_ms;
        w.now_ms - (0..8).map(renewed).min().unwrap()
    };
    let epoch = |w: &World| w.group(ALICE, chat).group.epoch();
    let before = epoch(&w);
    for _ in 0..16 {
        w.pass(DAY_MS / 2);
        assert!(!forked(&w));
    }
    // The relay is away until all are due: then one does after the other.
    w.relay_up(false);
    w.now_ms += 12 * DAY_MS;
    w.relay_up(true);
    for _ in 0..60 {
        w.pass(1_000);
        assert!(!forked(&w));
    }
    w.pass(600_000);
    assert!(!forked(&w) && oldest(&w) < DAY_MS, "{} ms", oldest(&w));
    let made = epoch(&w) - before;
    assert!((12..=32).contains(&made), "{made} commits of 8 devices in three weeks");
    let places: Vec<usize> = (0..8).collect();
    w.agree(chat, &places);
}
