//! What strangers may do at the doors that invites open.

use super::*;
use crate::chat::{ChatContext, Group, Plan};
use crate::contact::{Card, Request};
use crate::custody::{Deposit, Refusal};
use crate::keys::NodeId;
use crate::seal::{self, Purpose};

fn invite_row(w: &World) -> records::InviteRow {
    w.nodes[ALICE].client.invites.values().next().unwrap().clone()
}

/// A request of carol's as her client makes it, changed before it is sealed.
fn craft(w: &World, change: impl FnOnce(&mut Request)) -> Vec<u8> {
    let invite = invite_row(w);
    let carol = &w.nodes[CAROL].client;
    let (crypto, device) = (&carol.crypto, &carol.account.device);
    let chat = ChatId(crypto.random());
    let (group, topic) = Group::create(
        crypto,
        device,
        &carol.identity(),
        invite.suite,
        chat,
        ChatContext::one_to_one(),
    )
    .unwrap();
    let package = std::slice::from_ref(&invite.packages[0].package);
    let added = group.commit(crypto, device, &Plan::adding(package), &topic).unwrap();
    let mut request = Request {
        details: carol.details(&carol.new_inbox(START_MS).unwrap()),
        chat,
        node: added.group.node(),
        welcome: added.welcome.unwrap(),
    };
    change(&mut request);
    seal_request(w, &request.encode())
}

fn seal_request(w: &World, content: &[u8]) -> Vec<u8> {
    let invite = invite_row(w);
    let topic = invite.invite.requests.public();
    let crypto = &w.nodes[CAROL].client.crypto;
    let body = seal::seal_to(
        crypto,
        invite.suite,
        &invite.seal_public,
        Purpose::Request,
        topic,
        content,
    )
    .unwrap();
    Envelope::sign(&invite.invite.requests, 3600, &body)
        .unwrap()
        .into_bytes()
}

/// What alice answers to envelopes that a peer deposits with her.
fn hand(w: &mut World, peer: TransportKey, envelopes: Vec<Vec<u8>>) -> (usize, Vec<Refusal>) {
    let bytes = ClientFrame::Deposit(Deposit { request: 1, envelopes }).encode();
    w.nodes[ALICE].sent.clear();
    let input = Input::Frame {
        peer,
        side: Side::Server,
        bytes,
    };
    w.input(ALICE, input);
    let receipt = w.nodes[ALICE]
        .sent
        .iter()
        .rev()
        .find_map(|(_, side, frame)| match CustodianFrame::decode(frame) {
            Ok(CustodianFrame::Receipt(receipt)) if *side == Side::Server => Some(receipt),
            _ => None,
        });
    let receipt = receipt.unwrap();
    (
        receipt.accepted.len(),
        receipt.refused.iter().map(|refused| refused.why).collect(),
    )
}

/// Bob's request for an invite, as he deposited it.
fn request_of_bob(w: &World) -> Vec<u8> {
    let topic = invite_row(w).invite.requests.public();
    let sent = deposits(&w.nodes[BOB].sent);
    sent.into_iter()
        .find(|bytes| Envelope::peek(bytes).unwrap().0 == topic)
        .unwrap()
}

#[test]
fn f41_a_request_that_comes_again_is_neither_shown_nor_told_twice() {
    let mut w = World::new();
    w.connect(ALICE, BOB);
    let link = w.invite(ALICE, true);
    w.accept(BOB, &link).unwrap();
    let request = request_of_bob(&w);
    let asked = |w: &World| {
        w.nodes[ALICE]
            .events()
            .iter()
            .filter(|event| matches!(event, EventRow::Requested { .. }))
            .count()
    };
    assert_eq!((w.nodes[ALICE].requests().len(), asked(&w)), (1, 1));
    for _ in 0..2 {
        let peer = w.key(CAROL);
        hand(&mut w, peer, vec![request.clone()]);
        assert_eq!((w.nodes[ALICE].requests().len(), asked(&w)), (1, 1));
        w.restart(ALICE);
    }
}

#[test]
fn f41_a_welcome_replayed_after_approval_does_not_overwrite_the_chat() {
    let mut w = World::new();
    w.connect(ALICE, BOB);
    let link = w.invite(ALICE, true);
    let chat = w.accept(BOB, &link).unwrap();
    let request = request_of_bob(&w);
    let id = w.nodes[ALICE].requests()[0];
    w.approve(ALICE, id).unwrap();
    w.send(BOB, chat, "before");
    w.pass(5_000);
    let node = w.nodes[ALICE].client.chats[&chat].group.node();
    for _ in 0..2 {
        let peer = w.key(CAROL);
        hand(&mut w, peer, vec![request.clone()]);
        assert!(w.nodes[ALICE].requests().is_empty(), "the replayed request is shown");
        assert!(matches!(
            w.approve(ALICE, id),
            Err(CommandError::NotFound { field: "request" })
        ));
        assert_eq!(w.nodes[ALICE].client.chats[&chat].group.node(), node);
        w.restart(ALICE);
    }
    w.connect(ALICE, BOB);
    w.send(BOB, chat, "after");
    assert_eq!(w.nodes[ALICE].texts(chat), ["before", "after"]);
}

#[test]
fn f41_a_welcome_to_a_chat_that_is_there_or_not_as_told_is_refused() {
    let mut w = World::new();
    w.connect(ALICE, BOB);
    let chat = w.befriend();
    w.invite(ALICE, true);
    let peer = w.key(CAROL);
    let there = craft(&w, |request| request.chat = chat);
    hand(&mut w, peer, vec![there]);
    assert!(w.nodes[ALICE].requests().is_empty());
    let other = craft(&w, |request| request.chat = ChatId([5; 32]));
    hand(&mut w, peer, vec![other]);
    assert!(w.nodes[ALICE].requests().is_empty());
    let elsewhere = craft(&w, |request| request.node = NodeId([3; 32]));
    hand(&mut w, peer, vec![elsewhere]);
    assert_eq!(w.nodes[ALICE].client.chats.len(), 1);
}

#[test]
fn f41_a_request_in_anothers_name_is_refused_and_does_not_replace_theirs() {
    let mut w = World::new();
    w.connect(ALICE, BOB);
    let link = w.invite(ALICE, true);
    let chat = w.accept(BOB, &link).unwrap();
    let account = w.nodes[ALICE].client.account();
    let bob = &w.nodes[BOB].client;
    let details = bob.details(&bob.contacts[&account].our_inbox);
    let peer = w.key(CAROL);
    let forged = craft(&w, |request| request.details = details);
    hand(&mut w, peer, vec![forged]);
    let mut chats = Vec::new();
    for id in w.nodes[ALICE].requests() {
        chats.extend(w.approve(ALICE, id).ok());
    }
    assert_eq!(chats, [chat]);
    assert_eq!(w.nodes[ALICE].client.chats.len(), 1);
}

#[test]
fn f41_a_chat_on_a_topic_that_has_another_use_is_refused() {
    let mut w = World::new();
    w.connect(ALICE, BOB);
    let link = w.invite(ALICE, true);
    let invite = invite_row(&w);
    let carol = &w.nodes[CAROL].client;
    let (crypto, device) = (&carol.crypto, &carol.account.device);
    let id = ChatId([6; 32]);
    let (group, _) = Group::create(
        crypto,
        device,
        &carol.identity(),
        invite.suite,
        id,
        ChatContext::one_to_one(),
    )
    .unwrap();
    let package = std::slice::from_ref(&invite.packages[0].package);
    // The chat is to live on the topic that requests come on: who writes there would be heard no more.
    let added = group
        .commit(crypto, device, &Plan::adding(package), &invite.invite.requests)
        .unwrap();
    let welcome = added.welcome.unwrap();
    let node = added.group.node();
    let request = craft(&w, |request| {
        (request.chat, request.node, request.welcome) = (id, node, welcome)
    });
    let peer = w.key(CAROL);
    hand(&mut w, peer, vec![request]);
    assert!(w.nodes[ALICE].requests().is_empty());
    w.accept(BOB, &link).unwrap();
    assert!(
        w.nodes[ALICE]
            .events()
            .iter()
            .any(|event| matches!(event, EventRow::Requested { name, .. } if name == "bob"))
    );
}

#[test]
fn f42_a_stranger_that_floods_is_refused_and_others_are_served() {
    let mut w = World::new();
    let link = w.invite(ALICE, true);
    let peer = TransportKey([66; 32]);
    let junk: Vec<Vec<u8>> = (0..200_u8).map(|n| seal_request(&w, &[n; 40])).collect();
    let (accepted, refused) = hand(&mut w, peer, junk.clone());
    assert!(accepted <= 64, "{accepted} were taken");
    assert!(refused.iter().all(|why| *why == Refusal::Busy));
    w.input(ALICE, Input::Disconnected { peer });
    assert_eq!(
        hand(&mut w, peer, junk[..5].to_vec()).0,
        0,
        "reconnecting gives a new share"
    );
    w.pass(10_000);
    let later = hand(&mut w, peer, junk[100..150].to_vec()).0;
    assert!((1..=11).contains(&later), "{later} after ten seconds");
    assert_eq!(w.nodes[ALICE].disk.count(Tree::Requests), 0);
    w.connect(ALICE, BOB);
    w.accept(BOB, &link).unwrap();
    assert_eq!(w.nodes[ALICE].requests().len(), 1);
}

#[test]
fn f42_many_strangers_that_came_and_went_do_not_lock_out_guests() {
    let mut w = World::new();
    let link = w.invite(ALICE, true);
    let junk = seal_request(&w, &[1; 40]);
    for n in 0..limits::PEERS as u32 {
        let mut key = [7; 32];
        key[..4].copy_from_slice(&n.to_be_bytes());
        let peer = TransportKey(key);
        hand(&mut w, peer, vec![junk.clone()]);
        w.input(ALICE, Input::Disconnected { peer });
    }
    w.pass(60_000);
    w.connect(ALICE, BOB);
    w.accept(BOB, &link).unwrap();
    assert_eq!(w.nodes[ALICE].requests().len(), 1);
}

#[test]
fn f42_requests_are_bounded_per_invite_and_earlier_guests_can_all_be_approved() {
    let mut w = World::new();
    let link = w.invite(ALICE, true);
    let mut guests = Vec::new();
    for _ in 0..limits::REQUESTS_PER_INVITE + 1 {
        let guest = w.guest();
        w.connect(ALICE, guest);
        w.accept(guest, &link).unwrap();
        guests.push(guest);
    }
    assert_eq!(w.nodes[ALICE].requests().len(), limits::REQUESTS_PER_INVITE);
    let offered = invite_row(&w).packages[0].package.clone();
    for id in w.nodes[ALICE].requests() {
        w.approve(ALICE, id)
            .unwrap_or_else(|error| panic!("an earlier guest: {error}"));
    }
    let invite = invite_row(&w);
    assert_ne!(
        invite.packages[0].package, offered,
        "the last-resort package isn't rotated"
    );
    assert!(invite.packages.len() < 10);
    // The one that found no room asks again by itself.
    w.pass(60_000);
    let late = w.nodes[ALICE].requests();
    assert_eq!(late.len(), 1);
    w.approve(ALICE, late[0]).unwrap();
    assert_eq!(w.nodes[ALICE].client.chats.len(), guests.len());
}

#[test]
fn f42_a_request_that_found_no_room_is_fetched_from_the_relay_once_there_is_some() {
    for restart in [false, true] {
        let mut w = World::relayed();
        let link = w.invite(ALICE, true);
        let peer = TransportKey([66; 32]);
        for n in 0..limits::REQUESTS_PER_INVITE as u8 {
            let request = foreign_request(&w, n);
            hand(&mut w, peer, vec![request]);
        }
        assert_eq!(w.nodes[ALICE].requests().len(), limits::REQUESTS_PER_INVITE);
        w.accept(BOB, &link).unwrap();
        w.pass(1_000);
        assert_eq!(w.nodes[ALICE].requests().len(), limits::REQUESTS_PER_INVITE);
        if restart {
            w.restart(ALICE);
            w.pass(1_000);
        }
        let first = w.nodes[ALICE].requests()[0];
        w.approve(ALICE, first).unwrap();
        w.pass(1_000);
        let bob = |event: &EventRow| matches!(event, EventRow::Requested { name, .. } if name == "bob");
        assert!(w.nodes[ALICE].events().iter().any(bob), "restart: {restart}");
    }
}

/// A genuine request of an account that lives only in this test.
fn foreign_request(w: &World, n: u8) -> Vec<u8> {
    let rows = MemoryRows::default();
    let guest = Client::load(config("guest"), [100 + n; 32], &rows, w.now_ms).unwrap();
    let invite = invite_row(w);
    let (crypto, device) = (&guest.crypto, &guest.account.device);
    let chat = ChatId(crypto.random());
    let (group, topic) = Group::create(
        crypto,
        device,
        &guest.identity(),
        invite.suite,
        chat,
        ChatContext::one_to_one(),
    )
    .unwrap();
    let added = group
        .commit(
            crypto,
            device,
            &Plan::adding(std::slice::from_ref(&invite.packages[0].package)),
            &topic,
        )
        .unwrap();
    let request = Request {
        details: guest.details(&guest.new_inbox(START_MS).unwrap()),
        chat,
        node: added.group.node(),
        welcome: added.welcome.unwrap(),
    };
    seal_request(w, &request.encode())
}

#[test]
fn f42_requests_are_bounded_over_all_invites() {
    let mut w = World::new();
    w.invite(ALICE, true);
    let genuine = foreign_request(&w, 0);
    let peer = TransportKey([66; 32]);
    hand(&mut w, peer, vec![genuine]);
    let row = w.nodes[ALICE].client.requests.values().next().unwrap().clone();
    for n in 0..limits::REQUESTS_WAITING as u64 - 1 {
        let mut other = row.clone();
        other.invite = TopicId([1; 32]);
        other.request.0[..8].copy_from_slice(&n.to_be_bytes());
        other.account.0[..8].copy_from_slice(&n.to_be_bytes());
        w.nodes[ALICE].client.requests.insert(other.request, other);
    }
    let late = foreign_request(&w, 1);
    assert_eq!(hand(&mut w, peer, vec![late]), (0, vec![Refusal::Busy]));
    assert_eq!(w.nodes[ALICE].client.requests.len(), limits::REQUESTS_WAITING);
}

#[test]
fn f42_a_stranger_cannot_have_a_card_sent_again_and_again() {
    let mut w = World::new();
    w.invite(ALICE, true);
    let card = invite_row(&w).card.public();
    let watch = ClientFrame::Watch(crate::custody::Watch {
        request: 1,
        topics: vec![(card, None); limits::WATCH_ITEMS],
    });
    w.nodes[ALICE].sent.clear();
    let peer = TransportKey([66; 32]);
    for _ in 0..200 {
        let input = Input::Frame {
            peer,
            side: Side::Server,
            bytes: watch.encode(),
        };
        w.input(ALICE, input);
    }
    let cards = w.nodes[ALICE]
        .sent
        .iter()
        .filter(|(_, _, frame)| matches!(CustodianFrame::decode(frame), Ok(CustodianFrame::Items(_))))
        .count();
    assert!((1..=64).contains(&cards), "{cards} cards for one stranger");
}

/// Puts bob before a card of alice's that is changed before she signs it, and tells how that ended.
fn accept_changed(change: impl FnOnce(&mut records::InviteRow, u64)) -> String {
    let mut w = World::new();
    w.connect(ALICE, BOB);
    let link = w.invite(ALICE, false);
    let topic = invite_row(&w).card.public();
    let now_ms = w.now_ms;
    let alice = &mut w.nodes[ALICE].client;
    change(alice.invites.get_mut(&topic).unwrap(), now_ms / 1000);
    alice.publish_card(now_ms, topic).unwrap();
    w.input(ALICE, Input::Tick);
    let error = w.accept(BOB, &link).expect_err("accepted");
    assert!(w.nodes[BOB].client.chats.is_empty() && w.nodes[BOB].client.contacts.is_empty());
    assert_eq!(w.nodes[BOB].disk.count(Tree::Mls), 0);
    error.to_string()
}

#[test]
fn f43_a_package_out_of_its_time_or_of_another_suite_is_refused() {
    let expired = accept_changed(|invite, now_s| {
        for own in &mut invite.packages {
            own.package.not_after_s = now_s;
        }
    });
    assert!(expired.contains("no usable key package"), "{expired}");
    let early = accept_changed(|invite, now_s| {
        for own in &mut invite.packages {
            own.package.not_before_s = now_s + 1;
        }
    });
    assert!(early.contains("no usable key package"), "{early}");
    let suite = accept_changed(|invite, _| invite.suite = Suite::XWing);
    assert!(suite.contains("suite"), "{suite}");
    let junk = accept_changed(|invite, _| {
        for own in &mut invite.packages {
            own.package.bytes = vec![1; 300];
        }
    });
    assert!(junk.contains("add a member"), "{junk}");
}

#[test]
fn f43_a_single_use_package_opens_one_door_only() {
    let mut w = World::new();
    w.connect(ALICE, BOB);
    w.connect(ALICE, CAROL);
    let link = w.invite(ALICE, false);
    w.accept(BOB, &link).unwrap();
    w.accept(CAROL, &link).unwrap();
    let ids = w.nodes[ALICE].requests();
    assert_eq!(ids.len(), 2);
    w.approve(ALICE, ids[0]).unwrap();
    assert!(w.approve(ALICE, ids[1]).is_err());
    assert_eq!(w.nodes[ALICE].client.chats.len(), 1);
    assert!(
        w.nodes[ALICE].requests().is_empty(),
        "a request that can't be approved any more stays"
    );
}

#[test]
fn f52_a_card_of_another_account_or_with_a_foreign_certificate_is_refused() {
    let mut w = World::new();
    w.connect(ALICE, BOB);
    let invite = invite_of(&mut w);
    let carol = w.nodes[CAROL].client.account.clone();
    let alice = w.nodes[ALICE].client.account.clone();
    let row = invite_row(&w);
    let honest = Card {
        log: alice.log.clone(),
        suite: row.suite,
        seal_key: row.seal_public.clone(),
        packages: row.packages.iter().map(|own| own.package.clone()).collect(),
        transports: vec![alice.certificate.clone()],
        devices: Vec::new(),
        relays: Vec::new(),
        name: "alice".into(),
        number: 5,
    };
    let topic = row.card.public();
    let mut foreign_certificate = honest.clone();
    foreign_certificate.transports = vec![carol.certificate.clone()];
    let mut foreign_log = honest.clone();
    foreign_log.log = carol.log.clone();
    let mut forged_log = honest.clone();
    forged_log.log.account = carol.log.account;
    let signed = [
        foreign_certificate.sign(topic, &alice.device),
        foreign_log.sign(topic, &carol.device),
        forged_log.sign(topic, &carol.device),
        honest.sign(topic, &carol.device),
        honest.sign(TopicId([1; 32]), &alice.device),
    ];
    for (at, card) in signed.into_iter().enumerate() {
        w.disconnect(ALICE, BOB);
        assert!(w.command(BOB, Command::Accept { link: invite.clone() }).is_none());
        let bob = &mut w.nodes[BOB].client;
        let sealed = seal::seal_card(&bob.crypto, &row.card_key, topic, &card).unwrap();
        let envelope = Envelope::sign(&row.card, 60, &sealed).unwrap();
        let rows = w.nodes[BOB].disk.clone();
        w.gossip_to(BOB, ALICE, envelope.bytes());
        let answers: Vec<_> = std::mem::take(&mut w.nodes[BOB].replies).into_values().collect();
        assert!(
            matches!(answers.as_slice(), [Err(CommandError::Invite(_))]),
            "forgery {at}: {answers:?}"
        );
        assert!(w.nodes[BOB].client.chats.is_empty());
        assert_eq!(w.nodes[BOB].disk, rows);
    }
}

fn invite_of(w: &mut World) -> String {
    w.invite(ALICE, false)
}

#[test]
fn f52_a_request_with_a_forged_log_or_a_foreign_certificate_is_dropped() {
    let mut w = World::new();
    w.invite(ALICE, true);
    let bob = w.nodes[BOB].client.account.clone();
    let peer = w.key(CAROL);
    let forged = [
        craft(&w, |request| request.details.transports = vec![bob.certificate.clone()]),
        craft(&w, |request| request.details.log.account = bob.log.account),
        craft(&w, |request| request.details.transports[0].signature[0] ^= 1),
    ];
    for request in forged {
        hand(&mut w, peer, vec![request]);
        assert!(w.nodes[ALICE].requests().is_empty());
    }
    let genuine = craft(&w, |_| {});
    hand(&mut w, peer, vec![genuine]);
    assert_eq!(w.nodes[ALICE].requests().len(), 1);
}
