//! What one group does, on both suites.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::identity::DeviceLog;
use crate::keys::{AccountSecret, ChatId, DeviceSecret, NodeId};
use crate::mls::{Crypto, Suite};

pub(crate) fn device(n: u8) -> (DeviceSecret, LeafIdentity) {
    let device = DeviceSecret::from_bytes([n; 32]);
    let log = DeviceLog::create(&AccountSecret::from_bytes([n + 100; 32]), device.public());
    let identity = LeafIdentity {
        log,
        device: device.public(),
    };
    (device, identity)
}

struct Pair {
    crypto: Crypto,
    alice: DeviceSecret,
    bob: DeviceSecret,
    a: Group,
    b: Group,
    wire: Vec<Vec<u8>>,
}

fn pair(suite: Suite) -> Pair {
    let crypto = Crypto::new([1; 32]);
    let (alice, alice_id) = device(1);
    let (bob, bob_id) = device(2);
    let (package, rows) = key_package(&crypto, &bob, &bob_id, suite, false, 0, 100).unwrap();
    let (group, topic) = Group::create(&crypto, &alice, &alice_id, suite, ChatId([9; 32])).unwrap();
    let change = group
        .add(&crypto, &alice, std::slice::from_ref(&package), &topic)
        .unwrap();
    let welcome = change.welcome.unwrap();
    let joined = Group::join(&crypto, rows, &welcome, change.group.node()).unwrap();
    assert_eq!(joined.inviter.device, alice.public());
    assert_eq!(joined.info.topic.public(), topic.public());
    assert_eq!(joined.info.parent, group.node());
    Pair {
        crypto,
        alice,
        bob,
        a: change.group,
        b: joined.group,
        wire: vec![package.bytes, welcome],
    }
}

#[test]
fn two_devices_talk_on_both_suites() {
    for suite in [Suite::XWing, Suite::X25519] {
        let mut p = pair(suite);
        let sealed = p.a.seal(&p.crypto, &p.alice, b"hello").unwrap();
        let opened = p.b.open(&p.crypto, &sealed).unwrap();
        assert_eq!(
            (opened.inner.as_slice(), opened.member.device),
            (b"hello".as_slice(), p.alice.public())
        );
        let sealed = p.b.seal(&p.crypto, &p.bob, b"hi").unwrap();
        assert_eq!(p.a.open(&p.crypto, &sealed).unwrap().inner, b"hi");
    }
}

#[test]
fn the_same_entropy_gives_the_same_bytes() {
    for suite in [Suite::XWing, Suite::X25519] {
        let (mut one, mut two) = (pair(suite), pair(suite));
        assert_eq!(one.wire, two.wire);
        assert_eq!(
            one.a.seal(&one.crypto, &one.alice, b"x").unwrap(),
            two.a.seal(&two.crypto, &two.alice, b"x").unwrap()
        );
        let (c, d) = (
            one.b.update_leaf(&one.crypto, &one.bob).unwrap(),
            two.b.update_leaf(&two.crypto, &two.bob).unwrap(),
        );
        assert_eq!(c.commit, d.commit);
    }
}

#[test]
fn f36_late_messages_open_on_the_state_they_build_on_and_future_ones_name_theirs() {
    let mut p = pair(Suite::X25519);
    let late = p.a.seal(&p.crypto, &p.alice, b"late").unwrap();
    assert!(p.b.own_turn() && !p.a.own_turn());
    let change = p.b.update_leaf(&p.crypto, &p.bob).unwrap();
    let mut new_b = change.group;
    assert_eq!(p.b.open(&p.crypto, &late).unwrap().inner, b"late");
    let future = new_b.seal(&p.crypto, &p.bob, b"future").unwrap();
    assert!(matches!(p.a.open(&p.crypto, &future), Err(GroupError::Node)));
    let mut new_a = p.a.apply(&p.crypto, &change.commit).unwrap();
    assert_eq!(Header::read(&future).unwrap().node, new_a.node());
    assert_eq!(new_a.open(&p.crypto, &future).unwrap().inner, b"future");
    assert!(new_a.own_turn() && !new_b.own_turn());
}

#[test]
fn f37_a_commit_out_of_turn_is_refused() {
    let p = pair(Suite::X25519);
    let change = p.a.update_leaf(&p.crypto, &p.alice).unwrap();
    assert!(matches!(
        p.b.apply(&p.crypto, &change.commit),
        Err(GroupError::NotAllowed { .. })
    ));
}

#[test]
fn f03_a_backlog_that_arrives_newest_first_opens_whole() {
    let mut p = pair(Suite::X25519);
    let sealed: Vec<_> = (0..2000_u32)
        .map(|n| p.a.seal(&p.crypto, &p.alice, &n.to_be_bytes()).unwrap())
        .collect();
    for (n, bytes) in sealed.iter().enumerate().rev() {
        assert_eq!(p.b.open(&p.crypto, bytes).unwrap().inner, (n as u32).to_be_bytes());
    }
    assert!(
        p.b.open(&p.crypto, sealed.first().unwrap()).is_err(),
        "a replay opens again"
    );
}

#[test]
fn a_state_that_was_never_committed_to_disk_leaves_no_trace() {
    let mut p = pair(Suite::X25519);
    let rows: crate::mls::GroupRows =
        p.b.take_changes()
            .into_iter()
            .filter_map(|(k, v)| Some((k, v?)))
            .collect();
    let sealed = p.a.seal(&p.crypto, &p.alice, b"once").unwrap();
    p.b.open(&p.crypto, &sealed).unwrap();
    let mut reloaded = Group::load(rows, p.b.chat().unwrap(), p.b.node()).unwrap();
    assert_eq!(reloaded.open(&p.crypto, &sealed).unwrap().inner, b"once");
}

#[test]
fn f41_f43_a_welcome_does_not_open_twice_with_a_used_or_foreign_package() {
    let crypto = Crypto::new([1; 32]);
    let (alice, alice_id) = device(1);
    let (bob, bob_id) = device(2);
    let (package, _) = key_package(&crypto, &bob, &bob_id, Suite::X25519, false, 0, 100).unwrap();
    let (_, other_rows) = key_package(&crypto, &bob, &bob_id, Suite::X25519, false, 0, 100).unwrap();
    let (group, topic) = Group::create(&crypto, &alice, &alice_id, Suite::X25519, ChatId([9; 32])).unwrap();
    let change = group
        .add(&crypto, &alice, std::slice::from_ref(&package), &topic)
        .unwrap();
    assert!(Group::join(&crypto, other_rows, &change.welcome.unwrap(), change.group.node()).is_err());

    let (xwing, _) = key_package(&crypto, &bob, &bob_id, Suite::XWing, false, 0, 100).unwrap();
    assert!(
        group.add(&crypto, &alice, &[xwing], &topic).is_err(),
        "a package of another suite was added"
    );
}

#[test]
fn f46_a_leaf_whose_device_its_account_does_not_certify_is_refused() {
    let crypto = Crypto::new([1; 32]);
    let (alice, alice_id) = device(1);
    let (_, bob_id) = device(2);
    let (mallory, _) = device(3);
    let forged = LeafIdentity {
        log: bob_id.log,
        device: mallory.public(),
    };
    let (package, _) = key_package(&crypto, &mallory, &forged, Suite::X25519, false, 0, 100).unwrap();
    let (group, topic) = Group::create(&crypto, &alice, &alice_id, Suite::X25519, ChatId([9; 32])).unwrap();
    assert!(matches!(
        group.add(&crypto, &alice, &[package], &topic),
        Err(GroupError::Identity { .. })
    ));
}

#[test]
fn bytes_that_are_not_a_message_give_an_error() {
    let mut p = pair(Suite::X25519);
    let sealed = p.a.seal(&p.crypto, &p.alice, b"x").unwrap();
    for end in 0..sealed.len() {
        assert!(Header::read(sealed.get(..end).unwrap()).is_err());
    }
    for at in 0..sealed.len() {
        let mut bytes = sealed.clone();
        *bytes.get_mut(at).unwrap() ^= 0x55;
        assert!(p.b.open(&p.crypto, &bytes).is_err(), "byte {at} changed and it opens");
    }
    assert_eq!(
        p.b.open(&p.crypto, &sealed).unwrap().inner,
        b"x",
        "tampered copies spoilt the genuine message"
    );
    let _ = NodeId([0; 32]);
}
