//! Chats under an alias: what the other gets to know, and what it doesn't.

use super::*;
use crate::custody::{Compare, Deposit, Refusal};
use crate::inbox::{GroupWelcome, InboxMessage};
use crate::seal::{self, Purpose};

const NAME: &str = "Robert of Busan";

/// Alice, whom the others write to, and carol have a relay, bob another one. Nobody is connected to anybody directly.
fn apart() -> World {
    World::with_relays(|place, config| {
        let own = if place == BOB {
            second_address()
        } else {
            relay_address()
        };
        config.relays = Some(vec![own]);
        if place == BOB {
            config.name = Some(NAME.into());
        }
    })
}

impl World {
    fn try_accept_as(&mut self, place: usize, link: &str, name: &str) -> Result<ChatId, CommandError> {
        let (link, name) = (link.into(), name.into());
        match self
            .command(place, Command::AcceptAs { link, name })
            .expect("no answer yet")?
        {
            Reply::Chat(chat) => Ok(chat),
            other => panic!("{other:?}"),
        }
    }

    fn accept_as(&mut self, place: usize, link: &str, name: &str) -> ChatId {
        self.try_accept_as(place, link, name).unwrap()
    }

    /// Asks under an alias and is approved.
    fn befriend_as(&mut self, place: usize, name: &str) -> ChatId {
        let link = self.invite(ALICE, true);
        let chat = self.accept_as(place, &link, name);
        let request = self.nodes[ALICE].requests()[0];
        assert_eq!(self.approve(ALICE, request).unwrap(), chat);
        self.pass(10_000);
        assert!(!self.nodes[place].client.chats[&chat].row.requested);
        chat
    }
}

/// What names a node: account, device, transport key, name, own relays, addresses.
fn traces(w: &World, place: usize) -> Vec<(&'static str, Vec<u8>)> {
    let client = &w.nodes[place].client;
    let mut traces = vec![
        ("account", client.account().0.to_vec()),
        ("account's name", client.account().to_string().into_bytes()),
        ("device", client.device().0.to_vec()),
        ("transport", client.transport().0.to_vec()),
        ("name", client.name().as_bytes().to_vec()),
        ("address", format!("/memory/{place}").into_bytes()),
    ];
    for relay in client.relays() {
        traces.push(("relay", relay.key.0.to_vec()));
        traces.push(("relay's address", relay.addrs[0].clone().into_bytes()));
    }
    traces
}

fn holds(bytes: &[u8], trace: &[u8]) -> bool {
    bytes.windows(trace.len()).any(|window| window == trace)
}

/// Which traces of a node are in what another ever wrote to its disk: everything that it opened, and MLS's own rows.
fn known(w: &World, by: usize, of: usize) -> BTreeSet<&'static str> {
    let ops = w.nodes[by].batches.iter().flat_map(|batch| &batch.ops);
    let written: Vec<Vec<u8>> = ops
        .map(|op| match op {
            Op::Put { key, value, .. } => [key.as_slice(), value].concat(),
            Op::Delete { key, .. } => key.clone(),
        })
        .collect();
    let found = |trace: &[u8]| written.iter().any(|bytes| holds(bytes, trace));
    let traces = traces(w, of).into_iter();
    traces.filter(|(_, trace)| found(trace)).map(|(what, _)| what).collect()
}

#[test]
fn nothing_of_the_account_reaches_whom_an_alias_writes_to() {
    let mut w = apart();
    let link = w.invite(ALICE, true);
    let as_carol = w.accept(CAROL, &link).unwrap();
    let as_alias = w.accept_as(BOB, &link, "A reader");
    w.send(BOB, as_alias, "in blue?");
    w.send(CAROL, as_carol, "in green?");
    let asked = history::requests(&w.nodes[ALICE].disk).unwrap();
    let names: BTreeSet<&str> = asked.iter().map(|request| request.name.as_str()).collect();
    assert_eq!(names, BTreeSet::from(["A reader", "carol"]));
    for request in w.nodes[ALICE].requests() {
        w.approve(ALICE, request).unwrap();
    }
    w.pass(10_000);
    w.send(ALICE, as_alias, "also in blue");
    w.send(ALICE, as_carol, "only in blue");
    w.pass(10_000);
    for place in [ALICE, BOB] {
        assert_eq!(w.nodes[place].texts(as_alias), ["in blue?", "also in blue"]);
    }
    for place in [ALICE, CAROL] {
        assert_eq!(w.nodes[place].texts(as_carol), ["in green?", "only in blue"]);
    }
    // What an account does besides changes nothing: another name, other addresses, other relays, marks, a wish to be put back.
    w.nodes[BOB].config.name = Some("Robert of Seoul".into());
    w.restart(BOB);
    let addrs = vec!["/memory/1".into(), "/memory/9".into()];
    w.input(BOB, Input::Listening { addrs });
    let last = w.send(ALICE, as_alias, "and in grey");
    w.pass(10_000);
    w.mark_read(BOB, as_alias, last);
    assert_eq!(
        w.command(
            BOB,
            Command::Type {
                chat: as_alias,
                active: true
            }
        )
        .unwrap()
        .unwrap(),
        Reply::Done
    );
    let change = SettingsChange {
        timer_s: Some(3600),
        ..SettingsChange::default()
    };
    w.command(BOB, Command::UpdateChat { chat: as_alias, change })
        .unwrap()
        .unwrap();
    w.pass(10_000);
    let now_ms = w.now_ms;
    w.nodes[BOB].client.ask_rejoin(now_ms, as_alias).unwrap();
    w.pass(120_000);
    assert!(!w.nodes[BOB].client.chats[&as_alias].row.lost, "was not put back");
    let after = w.send(BOB, as_alias, "thank you");
    w.pass(10_000);
    assert_eq!(w.nodes[BOB].ledger(after).state, LedgerState::Delivered);

    assert_eq!(known(&w, ALICE, BOB), BTreeSet::new());
    let all = traces(&w, CAROL).into_iter().map(|(what, _)| what);
    let told: BTreeSet<&str> = all.filter(|what| *what != "account's name").collect();
    assert_eq!(known(&w, ALICE, CAROL), told, "the check finds nothing anywhere");
    // Nor is it in what goes there as it is, through alice's relay or straight to her.
    let to_her = [relay_secret().public(), w.key(ALICE)];
    let frames = w.nodes[BOB].sent.iter().filter(|(peer, ..)| to_her.contains(peer));
    for (_, _, frame) in frames {
        for (what, trace) in traces(&w, BOB) {
            assert!(!holds(frame, &trace), "{what}");
        }
    }
    assert!(w.nodes[BOB].dialled.iter().all(|address| address.key != w.key(ALICE)));
    assert!(w.nodes[BOB].published.is_empty());
}

#[test]
fn an_alias_outlives_a_restart_and_is_found_again_by_its_name() {
    let mut w = apart();
    let link = w.invite(ALICE, true);
    let chat = w.accept_as(BOB, &link, "A reader");
    w.send(BOB, chat, "before");
    w.restart(BOB);
    assert_eq!(w.accept_as(BOB, &link, "A reader"), chat);
    let request = w.nodes[ALICE].requests()[0];
    w.approve(ALICE, request).unwrap();
    w.pass(10_000);
    w.restart(BOB);
    w.restart(ALICE);
    w.pass(10_000);
    w.send(BOB, chat, "after");
    w.send(ALICE, chat, "heard");
    w.pass(10_000);
    for place in [ALICE, BOB] {
        assert_eq!(w.nodes[place].texts(chat), ["before", "after", "heard"]);
    }
    let shown = history::chat(&w.nodes[BOB].disk, &chat).unwrap().unwrap();
    let (alias, own) = (shown.alias.unwrap(), w.nodes[BOB].client.account());
    assert_eq!(alias.name, "A reader");
    assert_eq!(alias.contact.name, "alice");
    assert!(alias.account != own && shown.accounts.contains(&alias.account) && !shown.accounts.contains(&own));
    assert!(history::contacts(&w.nodes[BOB].disk).unwrap().is_empty());
    let seen = history::messages(&w.nodes[BOB].disk, &chat, None, None, 9).unwrap();
    let outgoing: Vec<bool> = seen.iter().map(|(_, message)| message.outgoing).collect();
    assert_eq!(outgoing, [true, true, false]);
    assert_eq!(seen[2].1.name.as_deref(), Some("alice"));
    // Another name is another alias, and the account is a third.
    let other = w.befriend_as(BOB, "");
    let own = w.accept(BOB, &link).unwrap();
    assert!(other != chat && own != chat && own != other);
}

#[test]
fn an_alias_takes_a_chat_of_two_a_relay_and_a_short_name() {
    let mut w = apart();
    let create = Command::CreateChat {
        name: "group".into(),
        members: Vec::new(),
        idempotency_key: None,
    };
    let Reply::Chat(group) = w.command(ALICE, create).unwrap().unwrap() else {
        panic!("no group");
    };
    let invite = Command::InviteToGroup {
        chat: group,
        approval: true,
        expires_in_s: None,
        max_uses: None,
    };
    let Reply::Invited { link, .. } = w.command(ALICE, invite).unwrap().unwrap() else {
        panic!("no invite");
    };
    let field = |refused| match refused {
        Err(CommandError::Invalid { field, .. } | CommandError::TooLarge { field, .. }) => field,
        other => panic!("{other:?}"),
    };
    assert_eq!(field(w.try_accept_as(BOB, &link, "")), "alias");
    let link = w.invite(ALICE, true);
    assert_eq!(field(w.try_accept_as(BOB, &link, &"n".repeat(129))), "alias.name");
    // Of somebody who has no relay.
    let dave = w.guest();
    let link = w.invite(dave, true);
    assert_eq!(field(w.try_accept_as(BOB, &link, "")), "alias");
    assert_eq!(w.nodes[BOB].disk.count(Tree::Aliases), 0);
    assert!(matches!(
        w.try_accept_as(
            BOB,
            &w.nodes[BOB]
                .client
                .invites
                .values()
                .next()
                .map_or(String::new(), |own| own.invite.to_link()),
            ""
        ),
        Err(CommandError::Invite(_))
    ));
}

#[test]
fn whoever_knows_both_learns_nothing_from_the_accounts_device() {
    let mut w = apart();
    w.gossip = true;
    w.connect(ALICE, BOB);
    let own = w.befriend();
    let quiet = w.befriend_as(BOB, "A reader");
    assert!(w.are_joined(ALICE, BOB));
    let topic = w.nodes[BOB].client.chats[&quiet].row.topic.public();
    // What is written goes by the relay alone, in both directions.
    w.nodes[BOB].sent.clear();
    w.nodes[BOB].published.clear();
    w.send(BOB, quiet, "quietly");
    w.send(BOB, own, "openly");
    w.pass(10_000);
    let alice = w.key(ALICE);
    let direct = w.nodes[BOB].sent.iter().filter(|(peer, ..)| *peer == alice);
    let direct: Vec<_> = direct.cloned().collect();
    let on_topic = |bytes: &Vec<u8>| Envelope::peek(bytes).is_ok_and(|(on, _)| on == topic);
    assert!(!deposits(&direct).iter().any(on_topic) && !w.nodes[BOB].published.iter().any(on_topic));
    assert!(!w.nodes[BOB].subscribed.contains(&topic));
    assert_eq!(w.nodes[ALICE].texts(quiet), ["quietly"]);

    // She gossips on its topic, deposits there, asks for marks: his device knows nothing of it.
    let told = Input::GossipPeer {
        peer: alice,
        topic,
        subscribed: true,
    };
    w.input(BOB, told);
    w.nodes[BOB].published.clear();
    w.send(BOB, quiet, "still quietly");
    assert!(w.nodes[BOB].published.is_empty());
    let stream = w.nodes[ALICE].stream(quiet);
    let probe = w.nodes[ALICE].forge(quiet, &inner(stream, 9, "are you there?"));
    assert_eq!(w.gossip_to(BOB, ALICE, probe.bytes()), Verdict::Ignore);
    let answer = |w: &mut World, frame: ClientFrame| {
        w.nodes[BOB].sent.clear();
        let (peer, side, bytes) = (alice, Side::Server, frame.encode());
        w.input(BOB, Input::Frame { peer, side, bytes });
        let sent = w.nodes[BOB]
            .sent
            .iter()
            .find(|(to, side, _)| *to == alice && *side == Side::Server);
        CustodianFrame::decode(&sent.unwrap().2).unwrap()
    };
    let envelopes = vec![probe.bytes().to_vec()];
    let CustodianFrame::Receipt(receipt) = answer(&mut w, ClientFrame::Deposit(Deposit { request: 1, envelopes }))
    else {
        panic!("no receipt");
    };
    assert_eq!(receipt.refused[0].why, Refusal::NotHere);
    let device = w.nodes[BOB].client.device_in(&quiet);
    let CustodianFrame::Compared(compared) = answer(&mut w, ClientFrame::Compare(Compare { topic, device })) else {
        panic!("no answer");
    };
    assert_eq!(compared.mark, None);
    assert!(!w.nodes[BOB].texts(quiet).contains(&"are you there?".into()));
}

#[test]
fn the_account_is_never_drawn_into_an_aliass_chat() {
    let mut w = apart();
    w.connect(ALICE, BOB);
    w.befriend();
    let quiet = w.befriend_as(BOB, "A reader");
    // By the account's key package and inbox she adds it to what calls itself the alias's chat, or tells it of that one's leaf.
    let account = w.nodes[BOB].client.account();
    let (inbox, package, suite) = {
        let contact = &w.nodes[ALICE].client.contacts[&account];
        (
            contact.their_inbox.clone().unwrap(),
            contact.package.clone().unwrap(),
            contact.suite,
        )
    };
    let alice = &w.nodes[ALICE].client;
    let (mut group, topic) = crate::chat::Group::create(
        &alice.crypto,
        &alice.account.device,
        &alice.identity(),
        suite,
        quiet,
        crate::chat::ChatContext::group("g".into(), alice.account(), Vec::new()),
    )
    .unwrap();
    for _ in 0..8 {
        let plan = crate::chat::Plan::default();
        group = group
            .commit(&alice.crypto, &alice.account.device, &plan, &topic)
            .unwrap()
            .group;
    }
    let plan = crate::chat::Plan::adding(&[package]);
    let change = group
        .commit(&alice.crypto, &alice.account.device, &plan, &topic)
        .unwrap();
    let message = InboxMessage::Welcome(GroupWelcome {
        chat: quiet,
        node: change.group.node(),
        suite,
        welcome: change.welcome.unwrap(),
    });
    let on = inbox.topic.public();
    let sealed = seal::seal_to(
        &alice.crypto,
        suite,
        &inbox.seal_key,
        Purpose::Inbox,
        on,
        &message.encode(),
    )
    .unwrap();
    let envelope = Envelope::sign(&inbox.topic, 3600, &sealed).unwrap();
    let before = w.nodes[BOB].client.chats[&quiet].group.node();
    let now_ms = w.now_ms;
    w.nodes[BOB].client.receive(now_ms, envelope.bytes()).unwrap();
    w.run();
    w.pass(120_000);
    let chat = &w.nodes[BOB].client.chats[&quiet];
    assert_eq!(chat.group.node(), before);
    assert!(!chat.row.accounts.contains(&account) && !chat.has_spare());
    // Nor can she invite the alias anywhere: it has told no package.
    let alias = w.nodes[BOB].client.account_in(&quiet);
    assert!(w.nodes[ALICE].client.contacts[&alias].package.is_none());
    // Nor does the account know her by it.
    let other = w.befriend_as(CAROL, "");
    let brand = w.nodes[ALICE].client.account();
    let create = Command::CreateChat {
        name: "group".into(),
        members: vec![brand],
        idempotency_key: None,
    };
    assert!(w.nodes[CAROL].client.chats.contains_key(&other));
    assert!(matches!(
        w.command(CAROL, create).unwrap(),
        Err(CommandError::NotFound { .. })
    ));
}

#[test]
fn an_alias_goes_along_where_the_other_moves_to() {
    let mut w = apart();
    let chat = w.befriend_as(CAROL, "");
    w.nodes[ALICE].config.relays = Some(vec![relay_address(), second_address()]);
    w.restart(ALICE);
    w.pass(60_000);
    w.nodes[ALICE].config.relays = Some(vec![second_address()]);
    w.restart(ALICE);
    w.pass(60_000);
    w.relay_up(false);
    w.send(ALICE, chat, "we have moved");
    w.send(CAROL, chat, "so have I");
    w.pass(60_000);
    for place in [ALICE, CAROL] {
        assert_eq!(w.nodes[place].texts(chat), ["we have moved", "so have I"]);
    }
}
