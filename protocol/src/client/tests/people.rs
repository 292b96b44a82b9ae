//! Members of a group who aren't contacts: their names, and being put back by them.

use super::groups::Village;
use super::*;
use crate::chat::{Profile, Role};

impl World {
    /// What the accounts of a chat call themselves, as one of them knows.
    fn names(&self, place: usize, chat: ChatId) -> BTreeMap<AccountId, String> {
        history::profile_names(&self.nodes[place].disk, &chat).unwrap()
    }

    fn knows(&self, place: usize, chat: ChatId, whom: usize) -> Option<String> {
        self.names(place, chat).remove(&self.account(whom))
    }

    /// Profiles that a client has sent in a chat as messages.
    fn told(&self, place: usize, chat: ChatId) -> u64 {
        self.group(place, chat).head.sequence
    }

    /// Asks to be put back.
    fn asks(&mut self, place: usize, chat: ChatId) {
        let now_ms = self.now(place);
        let client = &mut self.nodes[place].client;
        client.ask_rejoin(now_ms, chat).unwrap();
        let step = client.drain().unwrap();
        self.commit(place, step);
        self.run();
    }
}

#[test]
fn members_who_are_no_contacts_know_each_others_names() {
    let Village { mut w, chat } = Village::new(4);
    for (place, whom) in [(BOB, CAROL), (CAROL, BOB), (3, BOB), (BOB, 3)] {
        let name = w.nodes[whom].config.name.clone();
        assert_eq!(w.knows(place, chat, whom), name, "{place} of {whom}");
    }
    // Alice told hers by the Welcome, the others by a message each.
    assert_eq!(w.knows(BOB, chat, ALICE).as_deref(), Some("alice"));
    assert_eq!((w.told(ALICE, chat), w.told(BOB, chat)), (0, 1));
    let message = w.send(CAROL, chat, "hello");
    w.pass(5_000);
    let view = history::message(&w.nodes[BOB].disk, &message).unwrap().unwrap();
    assert_eq!(view.name.as_deref(), Some("carol"));
    w.restart(BOB);
    let view = history::message(&w.nodes[BOB].disk, &message).unwrap().unwrap();
    assert_eq!(view.name.as_deref(), Some("carol"));
}

#[test]
fn a_newcomer_is_told_all_names_by_its_welcome_and_the_members_say_nothing() {
    let Village { mut w, chat } = Village::new(4);
    let dave = w.another();
    w.befriend_two(BOB, dave);
    w.gives_role(ALICE, chat, BOB, Role::Admin);
    w.pass(60_000);
    let before: Vec<u64> = (0..4).map(|place| w.told(place, chat)).collect();
    let members = vec![w.account(dave)];
    w.does(BOB, Command::AddMembers { chat, members });
    w.pass(60_000);
    for (place, before) in before.into_iter().enumerate() {
        let name = w.nodes[place].config.name.clone();
        assert_eq!(w.knows(dave, chat, place), name, "of {place}");
        assert_eq!(w.knows(place, chat, dave).as_deref(), Some("guest 4"), "{place}");
        assert_eq!(w.told(place, chat), before, "{place} said it again");
    }
}

#[test]
fn whoever_joins_before_a_profile_reached_the_one_who_adds_it_is_told_too() {
    let Village { mut w, chat } = Village::new(3);
    let dave = w.another();
    w.befriend_two(ALICE, dave);
    let erin = w.another();
    w.befriend_two(BOB, erin);
    w.gives_role(ALICE, chat, BOB, Role::Admin);
    w.pass(60_000);
    let members = vec![w.account(dave)];
    w.does(ALICE, Command::AddMembers { chat, members });
    w.run();
    // Bob takes the commit, but nothing of what dave says.
    w.lose = |to, frame| match frame {
        CustodianFrame::Items(items) => {
            to == BOB
                && items.items.len() < 2
                && items.items.iter().any(|item| {
                    let body = Envelope::trusted(&item.envelope).unwrap();
                    crate::chat::Header::read(body.body()).is_ok_and(|header| !header.commit)
                })
        }
        _ => false,
    };
    w.pass(2_000);
    assert_eq!(
        w.knows(BOB, chat, dave),
        None,
        "bob knows already, so this shows nothing"
    );
    let members = vec![w.account(erin)];
    w.does(BOB, Command::AddMembers { chat, members });
    w.pass(2_000);
    w.lose = |_, _| false;
    w.pass(600_000);
    w.agree(chat, &[ALICE, BOB, CAROL, dave, erin]);
    assert_eq!(w.knows(erin, chat, dave).as_deref(), Some("guest 3"));
    assert_eq!(w.knows(BOB, chat, dave).as_deref(), Some("guest 3"));
}

#[test]
fn another_name_is_told_once_and_the_name_of_a_contact_wins() {
    let Village { mut w, chat } = Village::new(3);
    let before = w.told(CAROL, chat);
    w.nodes[CAROL].config.name = Some("Carola".into());
    w.restart(CAROL);
    w.pass(60_000);
    w.restart(CAROL);
    w.pass(60_000);
    assert_eq!(w.told(CAROL, chat), before + 1);
    assert_eq!(w.knows(BOB, chat, CAROL).as_deref(), Some("Carola"));
    let event = EventRow::ChatUpdated { chat };
    assert!(w.nodes[BOB].count_events(&event) > 0);
    // What a contact is called is what its details say, whatever its profile says.
    let carol = w.nodes[CAROL].client.account.device.clone();
    let lie = Profile::sign(&carol, chat, u64::MAX, "Alice's friend".into());
    let device = w.nodes[CAROL].client.device();
    w.nodes[ALICE].client.profile_told(chat, device, &lie.encode()).unwrap();
    let step = w.nodes[ALICE].client.drain().unwrap();
    w.commit(ALICE, step);
    let message = w.send(CAROL, chat, "it's me");
    w.pass(5_000);
    let view = history::message(&w.nodes[ALICE].disk, &message).unwrap().unwrap();
    assert_eq!(view.name.as_deref(), Some("Carola"));
}

#[test]
fn f46_nobody_can_name_another_or_itself_out_of_place() {
    let Village { mut w, chat } = Village::new(3);
    let carol = w.nodes[CAROL].client.account.device.clone();
    let bob = w.nodes[BOB].client.account.device.clone();
    let (of_bob, of_carol) = (bob.public(), carol.public());
    let elsewhere = ChatId([9; 32]);
    let mut changed = Profile::sign(&carol, chat, u64::MAX, "not carol".into());
    changed.name = "carol!".into();
    for (author, profile) in [
        (of_bob, Profile::sign(&carol, chat, u64::MAX, "by bob".into())),
        (of_carol, Profile::sign(&bob, chat, u64::MAX, "bob's".into())),
        (
            of_carol,
            Profile::sign(&carol, elsewhere, u64::MAX, "from elsewhere".into()),
        ),
        (of_carol, Profile::sign(&carol, chat, 0, "of before".into())),
        (of_carol, changed),
    ] {
        w.nodes[BOB]
            .client
            .profile_told(chat, author, &profile.encode())
            .unwrap();
    }
    let step = w.nodes[BOB].client.drain().unwrap();
    w.commit(BOB, step);
    assert_eq!(w.knows(BOB, chat, CAROL).as_deref(), Some("carol"));
    assert_eq!(w.names(BOB, chat).len(), 3);
    // A newcomer believes the one who adds it no more than that.
    let forged = vec![
        Profile::sign(&carol, elsewhere, u64::MAX, "from elsewhere".into()),
        Profile::sign(
            &crate::keys::DeviceSecret::from_bytes([8; 32]),
            chat,
            1,
            "nobody".into(),
        ),
    ];
    w.nodes[BOB].client.welcome_profiles(START_MS, chat, forged).unwrap();
    let step = w.nodes[BOB].client.drain().unwrap();
    w.commit(BOB, step);
    assert_eq!(w.names(BOB, chat).len(), 3);
    assert_eq!(w.knows(BOB, chat, CAROL).as_deref(), Some("carol"));
}

/// Carol misses what happens, the relay forgets it, and alice, her only contact, is away.
fn lost_by_all_but_bob(w: &mut World, chat: ChatId, meanwhile: impl Fn(&mut World)) {
    w.gives_role(ALICE, chat, BOB, Role::Admin);
    w.pass(10_000);
    w.lose = |to, frame| to == CAROL && matches!(frame, CustodianFrame::Items(_));
    meanwhile(w);
    for round in 0..6 {
        w.renames(ALICE, chat, &format!("name {round}"));
        w.pass(20_000);
    }
    w.send(BOB, chat, "are you there?");
    w.empty_relay();
    w.lose = |to, frame| to == ALICE && matches!(frame, CustodianFrame::Items(_));
    w.pass(60_000);
    assert!(!w.nodes[CAROL].client.contacts.contains_key(&w.account(BOB)));
}

#[test]
fn whoever_lacks_a_state_is_put_back_by_a_member_who_is_no_contact() {
    let Village { mut w, chat } = Village::with(3, |_, config| config.frozen_states = 2);
    lost_by_all_but_bob(&mut w, chat, |_| {});
    assert!(!w.group(CAROL, chat).pending.is_empty());
    w.restart(CAROL);
    w.pass(7_200_000);
    w.agree(chat, &[BOB, CAROL]);
    w.send(CAROL, chat, "yes");
    w.pass(10_000);
    assert_eq!(w.nodes[CAROL].texts(chat), ["are you there?", "yes"]);
    assert_eq!(w.nodes[BOB].texts(chat).len(), 2);
    assert_eq!(w.knows(CAROL, chat, BOB).as_deref(), Some("bob"));
    // Nothing of it is left to be handed over again, once what was told to all is settled.
    w.lose = |_, _| false;
    w.leave_relay(ALICE);
    w.pass(3_600_000);
    w.agree(chat, &[ALICE, BOB, CAROL]);
    for round in 0..4 {
        w.renames(ALICE, chat, &format!("settled {round}"));
        w.pass(20_000);
    }
    for place in [BOB, CAROL] {
        let outs = w.nodes[place].client.outs.values();
        let letters = outs.filter(|out| {
            matches!(
                &out.what,
                super::outbox::OutWhat::Row(super::records::OutKind::Letter { .. })
            )
        });
        assert_eq!(letters.count(), 0, "{place}");
    }
}

#[test]
fn also_where_the_topic_that_it_knows_is_not_used_any_more() {
    let Village { mut w, chat } = Village::with(4, |_, config| config.frozen_states = 2);
    let before = w.group(CAROL, chat).row.topic.public();
    lost_by_all_but_bob(&mut w, chat, |w| {
        w.removes(ALICE, chat, 3);
        w.pass(10_000);
    });
    assert_ne!(w.group(BOB, chat).row.topic.public(), before);
    w.restart(BOB);
    w.asks(CAROL, chat);
    w.pass(7_200_000);
    w.agree(chat, &[BOB, CAROL]);
    assert!(!w.group(CAROL, chat).row.accounts.contains(&w.account(3)));
}

#[test]
fn f45_who_was_removed_is_not_put_back_and_a_wish_of_another_is_dropped() {
    let Village { mut w, chat } = Village::new(4);
    w.removes(ALICE, chat, 3);
    w.pass(10_000);
    let epoch = w.group(ALICE, chat).group.epoch();
    w.nodes[3].client.chats.get_mut(&chat).unwrap().row.out = false;
    w.asks(3, chat);
    w.pass(120_000);
    w.agree(chat, &[ALICE, BOB, CAROL]);
    assert_eq!(w.group(ALICE, chat).group.epoch(), epoch);
    assert!(!w.group(BOB, chat).row.accounts.contains(&w.account(3)));
}

#[test]
fn f33_a_device_that_knows_only_an_older_leaf_of_its_own_is_told_which_it_has() {
    let Village { mut w, chat } = Village::new(3);
    let before = w.nodes[CAROL].disk.clone();
    let now_ms = w.now_ms;
    let client = &mut w.nodes[CAROL].client;
    client
        .make_commit(now_ms, chat, &crate::chat::Plan::default())
        .unwrap()
        .unwrap();
    let step = client.drain().unwrap();
    w.commit(CAROL, step);
    w.pass(10_000);
    w.agree(chat, &[ALICE, BOB, CAROL]);
    // Her disk is an older copy of itself.
    w.stop(CAROL);
    w.nodes[CAROL].disk = before;
    w.restart(CAROL);
    w.send(BOB, chat, "who are you?");
    w.pass(7_200_000);
    w.agree(chat, &[ALICE, BOB, CAROL]);
    w.send(CAROL, chat, "carol");
    w.pass(10_000);
    for place in [ALICE, BOB, CAROL] {
        assert_eq!(w.nodes[place].texts(chat), ["who are you?", "carol"], "{place}");
    }
}

#[test]
fn f43_a_wish_that_was_carried_out_is_of_no_use_to_whoever_shows_it_again() {
    let Village { mut w, chat } = Village::new(3);
    w.asks(CAROL, chat);
    let wish = w.nodes[CAROL].client.outs.values().find_map(|out| match &out.what {
        super::outbox::OutWhat::Row(super::records::OutKind::Letter { .. }) => out.envelope.clone(),
        _ => None,
    });
    w.pass(60_000);
    w.agree(chat, &[ALICE, BOB, CAROL]);
    assert!(!w.group(CAROL, chat).row.lost);
    let epoch = w.group(ALICE, chat).group.epoch();
    let now_ms = w.now_ms;
    for place in [ALICE, BOB] {
        w.restart(place);
        w.nodes[place]
            .client
            .receive(now_ms, wish.as_ref().unwrap().bytes())
            .unwrap();
        let step = w.nodes[place].client.drain().unwrap();
        w.commit(place, step);
    }
    w.pass(120_000);
    w.agree(chat, &[ALICE, BOB, CAROL]);
    assert_eq!(w.group(ALICE, chat).group.epoch(), epoch);
}

#[test]
fn contacts_are_asked_a_few_at_a_time_the_admins_first() {
    let mut w = World::relayed();
    while w.nodes.len() < 9 {
        w.another();
    }
    for place in 1..9 {
        w.befriend_two(ALICE, place);
    }
    let chat = w.founds("village", 1..9);
    w.pass(60_000);
    w.gives_role(ALICE, chat, 8, Role::Admin);
    w.pass(60_000);
    let (mut asked, mut first) = (BTreeSet::new(), Vec::new());
    for round in 0..3 {
        let now_ms = w.now_ms;
        let client = &mut w.nodes[ALICE].client;
        let before: BTreeSet<u64> = client.outs.keys().copied().collect();
        client.ask_rejoin(now_ms, chat).unwrap();
        let new = client.outs.iter().filter(|(number, _)| !before.contains(number));
        let accounts: Vec<AccountId> = new
            .filter_map(|(_, out)| match &out.what {
                super::outbox::OutWhat::Row(super::records::OutKind::Inbox { account, .. }) => Some(*account),
                _ => None,
            })
            .collect();
        assert_eq!(accounts.len(), 3, "round {round}");
        if round == 0 {
            first.clone_from(&accounts);
        }
        asked.extend(accounts);
    }
    assert!(first.contains(&w.account(8)), "the admin comes first");
    assert_eq!(asked.len(), 8, "all have been asked");
}

#[test]
fn who_has_no_name_says_nothing() {
    let mut w = World::with_relay(RelayConfig::default(), |_, config| config.name = Some(String::new()));
    w.befriend_two(ALICE, BOB);
    let chat = w.founds("quiet", [BOB]);
    w.pass(60_000);
    assert!(w.names(ALICE, chat).is_empty() && w.names(BOB, chat).is_empty());
    assert_eq!(w.told(BOB, chat), 0);
}

#[test]
fn who_has_asked_to_leave_and_is_put_back_then_asks_again() {
    let Village { mut w, chat } = Village::new(3);
    w.lose = |to, frame| to == CAROL && matches!(frame, CustodianFrame::Items(_));
    let before = w.group(ALICE, chat).group.epoch();
    w.asks(CAROL, chat);
    w.pass(60_000);
    assert!(w.group(ALICE, chat).group.epoch() > before, "nobody put her back");
    // Her wish is about a leaf that she hasn't any more.
    w.does(CAROL, Command::LeaveChat { chat });
    w.pass(10_000);
    w.agree(chat, &[ALICE, BOB]);
    assert!(w.group(ALICE, chat).is_of(&w.account(CAROL)));
    w.lose = |_, _| false;
    w.relay_up(false);
    w.relay_up(true);
    w.pass(600_000);
    w.agree(chat, &[ALICE, BOB]);
    assert!(!w.group(ALICE, chat).is_of(&w.account(CAROL)));
    assert!(!w.group(CAROL, chat).is_member());
}
