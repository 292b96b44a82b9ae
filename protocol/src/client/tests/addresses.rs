//! Addresses and relays that change.

use super::*;

fn known(w: &World, place: usize, of: usize) -> Vec<String> {
    let account = w.nodes[of].client.account();
    let contact = &w.nodes[place].client.contacts[&account];
    contact.devices.iter().flat_map(|device| device.addrs.clone()).collect()
}

#[test]
fn new_addresses_are_told_to_contacts_and_the_same_ones_are_not() {
    let (mut w, chat) = World::friends();
    assert_eq!(known(&w, BOB, ALICE), ["/memory/0"]);
    w.nodes[ALICE].batches.clear();
    w.nodes[ALICE].sent.clear();
    w.input(
        ALICE,
        Input::Listening {
            addrs: vec!["/memory/0".into()],
        },
    );
    assert!(w.nodes[ALICE].batches.is_empty() && w.nodes[ALICE].sent.is_empty());

    let addrs = vec!["/memory/5".into(), "/memory/4".into()];
    w.input(ALICE, Input::Listening { addrs: addrs.clone() });
    w.pass(1_000);
    assert_eq!(known(&w, BOB, ALICE), ["/memory/4", "/memory/5"]);
    assert!(w.nodes[BOB].texts(chat).is_empty(), "details are shown");
    let sequence = w.nodes[ALICE].client.chats[&chat].head.sequence;
    w.restart(ALICE);
    w.input(ALICE, Input::Listening { addrs });
    assert_eq!(
        w.nodes[ALICE].client.chats[&chat].head.sequence, sequence,
        "told again after a restart"
    );
}

#[test]
fn addresses_reach_a_contact_that_was_away() {
    let (mut w, _) = World::friends();
    w.disconnect(ALICE, BOB);
    w.input(
        ALICE,
        Input::Listening {
            addrs: vec!["/memory/5".into()],
        },
    );
    w.connect(ALICE, BOB);
    w.pass(1_000);
    assert_eq!(known(&w, BOB, ALICE), ["/memory/5"]);
}

#[test]
fn addresses_that_change_between_request_and_approval_are_told_after_it() {
    let mut w = World::new();
    w.connect(ALICE, BOB);
    let link = w.invite(ALICE, false);
    w.accept(BOB, &link).unwrap();
    w.input(
        BOB,
        Input::Listening {
            addrs: vec!["/memory/6".into()],
        },
    );
    w.restart(BOB);
    w.connect(ALICE, BOB);
    let request = w.nodes[ALICE].requests()[0];
    w.approve(ALICE, request).unwrap();
    w.pass(1_000);
    assert_eq!(known(&w, ALICE, BOB), ["/memory/6"]);
}

#[test]
fn addresses_that_change_while_a_contact_is_away_do_not_fill_the_outbox() {
    let (mut w, _) = World::friends();
    w.disconnect(ALICE, BOB);
    for n in 0..200 {
        w.input(
            ALICE,
            Input::Listening {
                addrs: vec![format!("/memory/{n}")],
            },
        );
    }
    let waiting = w.nodes[ALICE].disk.count(Tree::Outbox);
    assert!(waiting <= 3, "{waiting} messages wait for one contact");
    w.connect(ALICE, BOB);
    w.pass(5_000);
    assert_eq!(known(&w, BOB, ALICE), ["/memory/199"]);
}

#[test]
fn older_details_that_arrive_late_do_not_replace_newer_ones() {
    let mut w = World::relayed();
    let chat = w.befriend();
    w.lose = |to, frame| to == BOB && matches!(frame, CustodianFrame::Items(page) if !page.items.is_empty());
    w.nodes[ALICE].sent.clear();
    let mut sealed = Vec::new();
    for n in 4..8 {
        w.input(
            ALICE,
            Input::Listening {
                addrs: vec![format!("/memory/{n}")],
            },
        );
        sealed.extend(deposits(&std::mem::take(&mut w.nodes[ALICE].sent)));
        w.send(ALICE, chat, "and");
        sealed.extend(deposits(&std::mem::take(&mut w.nodes[ALICE].sent)));
    }
    for envelope in sealed.iter().rev() {
        w.gossip_to(BOB, ALICE, envelope);
    }
    w.lose = |_, _| false;
    w.pass(5_000);
    assert_eq!(known(&w, BOB, ALICE), ["/memory/7"]);
}

#[test]
fn a_contact_that_repeats_its_details_cannot_make_us_send_our_outbox_again() {
    let mut w = World::relayed();
    let chat = w.befriend();
    w.nodes[BOB].config.relays = Some(vec![relay_address()]);
    w.lose = |_, frame| {
        matches!(frame, CustodianFrame::Receipt(_))
            || matches!(frame, CustodianFrame::Items(page) if !page.items.is_empty())
    };
    for n in 0..20 {
        w.send(ALICE, chat, &format!("message {n}"));
    }
    let before = deposits(&w.nodes[ALICE].sent).len();
    let mut writer = crate::wire::Writer::default();
    let account = w.nodes[ALICE].client.account();
    let bob = &w.nodes[BOB].client;
    bob.details(&bob.contacts[&account].our_inbox).write(&mut writer);
    let details = writer.into_bytes();
    for n in 0..10 {
        let mut told = inner(w.nodes[BOB].stream(chat), 100 + n, "");
        told.messages[0].body = Body::Contact(details.clone());
        let envelope = w.nodes[BOB].forge(chat, &told);
        w.gossip_to(ALICE, BOB, envelope.bytes());
    }
    let again = deposits(&w.nodes[ALICE].sent).len() - before;
    assert!(again <= 4, "{again} envelopes were deposited again");
}

#[test]
fn f52_details_with_a_forged_log_or_a_foreign_certificate_are_not_taken() {
    let (mut w, chat) = World::friends();
    w.disconnect(ALICE, BOB);
    let account = w.nodes[ALICE].client.account();
    let carol = w.nodes[CAROL].client.account.clone();
    let bob = &w.nodes[BOB].client;
    let honest = bob.details(&bob.contacts[&account].our_inbox);
    let mut foreign_log = honest.clone();
    foreign_log.log = carol.log.clone();
    foreign_log.transports = vec![carol.certificate.clone()];
    let mut forged_log = honest.clone();
    forged_log.log.account = carol.log.account;
    let mut foreign_certificate = honest.clone();
    foreign_certificate.transports = vec![carol.certificate.clone()];
    let mut damaged_certificate = honest.clone();
    damaged_certificate.transports[0].signature[0] ^= 1;
    let mut uncertified_device = honest.clone();
    uncertified_device.devices = vec![PeerAddress {
        key: carol.transport.public(),
        addrs: vec!["/memory/2".into()],
    }];
    let all = [
        foreign_log,
        forged_log,
        foreign_certificate,
        damaged_certificate,
        uncertified_device,
    ];
    for (at, mut details) in all.into_iter().enumerate() {
        details.name = "mallory".into();
        let mut writer = crate::wire::Writer::default();
        details.write(&mut writer);
        let mut told = inner(w.nodes[BOB].stream(chat), 10 + at as u64, "");
        told.messages[0].body = Body::Contact(writer.into_bytes());
        let envelope = w.nodes[BOB].forge(chat, &told);
        w.gossip_to(ALICE, BOB, envelope.bytes());
        let contact = &w.nodes[ALICE].client.contacts[&w.nodes[BOB].client.account()];
        assert_eq!(contact.name == "mallory", at == 4, "forgery {at}");
        assert!(
            !w.nodes[ALICE].client.links.contains_key(&carol.transport.public()),
            "an uncertified device is dialled"
        );
    }
}
