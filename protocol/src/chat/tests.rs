//! What one group does, on both suites.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::contact::CardPackage;
use crate::identity::DeviceLog;
use crate::keys::{AccountId, AccountSecret, ChatId, DeviceSecret, NodeId, TopicSecret};
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

fn two(crypto: &Crypto, device: &DeviceSecret, identity: &LeafIdentity, suite: Suite) -> (Group, TopicSecret) {
    let settings = ChatContext::one_to_one();
    Group::create(crypto, device, identity, suite, ChatId([9; 32]), settings).unwrap()
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
    let (group, topic) = two(&crypto, &alice, &alice_id, suite);
    let change = group
        .commit(&crypto, &alice, &Plan::adding(std::slice::from_ref(&package)), &topic)
        .unwrap();
    let welcome = change.welcome.unwrap();
    let joined = Group::join(&crypto, rows, &welcome, change.group.node()).unwrap();
    assert_eq!(joined.inviter.device, alice.public());
    assert_eq!(joined.topic.public(), topic.public());
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
        let sealed = p.a.seal(&p.crypto, &p.alice, None, b"hello").unwrap();
        let opened = p.b.open(&p.crypto, &sealed).unwrap();
        assert_eq!(
            (opened.inner.as_slice(), opened.member.device),
            (b"hello".as_slice(), p.alice.public())
        );
        let sealed = p.b.seal(&p.crypto, &p.bob, None, b"hi").unwrap();
        assert_eq!(p.a.open(&p.crypto, &sealed).unwrap().inner, b"hi");
    }
}

#[test]
fn the_same_entropy_gives_the_same_bytes() {
    for suite in [Suite::XWing, Suite::X25519] {
        let (mut one, mut two) = (pair(suite), pair(suite));
        assert_eq!(one.wire, two.wire);
        assert_eq!(
            one.a.seal(&one.crypto, &one.alice, None, b"x").unwrap(),
            two.a.seal(&two.crypto, &two.alice, None, b"x").unwrap()
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
    let late = p.a.seal(&p.crypto, &p.alice, None, b"late").unwrap();
    let change = p.b.update_leaf(&p.crypto, &p.bob).unwrap();
    let mut new_b = change.group;
    assert_eq!(p.b.open(&p.crypto, &late).unwrap().inner, b"late");
    let future = new_b.seal(&p.crypto, &p.bob, None, b"future").unwrap();
    assert!(matches!(p.a.open(&p.crypto, &future), Err(GroupError::Node)));
    let mut new_a = p.a.apply(&p.crypto, &change.commit).unwrap().group.unwrap();
    assert_eq!(Header::read(&future).unwrap().node, new_a.node());
    assert_eq!(new_a.open(&p.crypto, &future).unwrap().inner, b"future");
}

#[test]
fn f03_a_backlog_that_arrives_newest_first_opens_whole() {
    let mut p = pair(Suite::X25519);
    let sealed: Vec<_> = (0..2000_u32)
        .map(|n| p.a.seal(&p.crypto, &p.alice, None, &n.to_be_bytes()).unwrap())
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
            .filter_map(|(k, v)| Some((k, v?.bytes().into_owned())))
            .collect();
    let sealed = p.a.seal(&p.crypto, &p.alice, None, b"once").unwrap();
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
    let (group, topic) = two(&crypto, &alice, &alice_id, Suite::X25519);
    let change = group
        .commit(&crypto, &alice, &Plan::adding(std::slice::from_ref(&package)), &topic)
        .unwrap();
    assert!(Group::join(&crypto, other_rows, &change.welcome.unwrap(), change.group.node()).is_err());

    let (xwing, _) = key_package(&crypto, &bob, &bob_id, Suite::XWing, false, 0, 100).unwrap();
    assert!(
        group.commit(&crypto, &alice, &Plan::adding(&[xwing]), &topic).is_err(),
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
    let (group, topic) = two(&crypto, &alice, &alice_id, Suite::X25519);
    assert!(matches!(
        group.commit(&crypto, &alice, &Plan::adding(&[package]), &topic),
        Err(GroupError::Identity { .. })
    ));
}

#[test]
fn bytes_that_are_not_a_message_give_an_error() {
    let mut p = pair(Suite::X25519);
    let sealed = p.a.seal(&p.crypto, &p.alice, None, b"x").unwrap();
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

/// A group of devices with one account each, the first one its owner.
struct Crowd {
    crypto: Crypto,
    devices: Vec<DeviceSecret>,
    identities: Vec<LeafIdentity>,
    topic: TopicSecret,
    groups: Vec<Group>,
}

fn crowd(size: u8) -> Crowd {
    let crypto = Crypto::new([1; 32]);
    let (devices, identities): (Vec<_>, Vec<_>) = (1..=size).map(device).unzip();
    let owner = identities.first().unwrap();
    let context = ChatContext::group("village".into(), owner.account(), Vec::new());
    let chat = ChatId([9; 32]);
    let (group, topic) = Group::create(&crypto, devices.first().unwrap(), owner, Suite::X25519, chat, context).unwrap();
    let mut crowd = Crowd {
        crypto,
        devices,
        identities,
        topic,
        groups: Vec::new(),
    };
    let (packages, rows): (Vec<_>, Vec<_>) = (1..usize::from(size)).map(|who| crowd.package(who)).unzip();
    let change = group
        .commit(
            &crowd.crypto,
            crowd.devices.first().unwrap(),
            &Plan::adding(&packages),
            &crowd.topic,
        )
        .unwrap();
    let node = change.group.node();
    let welcome = change.welcome.unwrap();
    crowd.groups.push(change.group);
    for rows in rows {
        crowd
            .groups
            .push(Group::join(&crowd.crypto, rows, &welcome, node).unwrap().group);
    }
    crowd
}

impl Crowd {
    fn package(&self, who: usize) -> (CardPackage, crate::mls::GroupRows) {
        let (device, identity) = (self.devices.get(who).unwrap(), self.identities.get(who).unwrap());
        key_package(&self.crypto, device, identity, Suite::X25519, false, 0, 100).unwrap()
    }

    fn account(&self, who: usize) -> AccountId {
        self.identities.get(who).unwrap().account()
    }

    fn leaf(&self, who: usize) -> u32 {
        let device = self.devices.get(who).unwrap().public();
        let members = self.groups.first().unwrap().members().unwrap();
        members.iter().find(|member| member.device == device).unwrap().leaf
    }

    fn commits(&self, who: usize, plan: &Plan) -> Result<Change, GroupError> {
        let group = self.groups.get(who).unwrap();
        group.commit(&self.crypto, self.devices.get(who).unwrap(), plan, &self.topic)
    }

    /// Everybody applies it.
    fn follow(&mut self, who: usize, plan: &Plan) -> Change {
        let change = self.commits(who, plan).unwrap();
        for (place, group) in self.groups.iter_mut().enumerate() {
            // Whoever has left stays where it was.
            if place == who || group.node() != change.place.parent {
                continue;
            }
            let applied = group.apply(&self.crypto, &change.commit).unwrap();
            assert_eq!(applied.place, change.place);
            if let Some(next) = applied.group {
                assert_eq!(next.authenticator(), change.group.authenticator());
                *group = next;
            }
        }
        let own = self.groups.get_mut(who).unwrap();
        *own = Group::load(
            change
                .group
                .take_changes()
                .into_iter()
                .filter_map(|(k, v)| Some((k, v?))),
            ChatId([9; 32]),
            change.group.node(),
        )
        .unwrap();
        change
    }

    fn ranks(&mut self, who: usize, admins: &[usize]) -> Plan {
        let mut context = self.groups.get(who).unwrap().context().clone();
        context.admins = admins.iter().map(|admin| self.account(*admin)).collect();
        Plan {
            context: Some(context),
            ..Plan::default()
        }
    }
}

fn removing(leaf: u32) -> Plan {
    Plan {
        remove: vec![leaf],
        ..Plan::default()
    }
}

#[test]
fn f44_members_without_the_rank_add_remove_and_rename_nothing() {
    let mut c = crowd(5);
    let (package, _) = key_package(&c.crypto, &device(9).0, &device(9).1, Suite::X25519, false, 0, 100).unwrap();
    let refused = |result: Result<Change, GroupError>| matches!(result, Err(GroupError::NotAllowed { .. }));
    let plan = c.ranks(0, &[0, 1, 2]);
    c.follow(0, &plan);
    assert!(refused(c.commits(3, &Plan::adding(std::slice::from_ref(&package)))));
    assert!(refused(c.commits(3, &removing(c.leaf(4)))));
    let mut named = c.groups.get(3).unwrap().context().clone();
    named.name = "mine".into();
    let rename = Plan {
        context: Some(named),
        ..Plan::default()
    };
    assert!(refused(c.commits(3, &rename)));
    // Ranks: nobody above one's own, oneself included.
    for admins in [&[0, 2, 1][..], &[1, 0, 2], &[0, 1, 2, 3]] {
        let plan = c.ranks(2, admins);
        assert_eq!(refused(c.commits(2, &plan)), admins != [0, 1, 2, 3]);
    }
    assert!(refused(c.commits(2, &removing(c.leaf(1)))));
    // And what the rank allows is applied by all.
    c.follow(1, &rename);
    assert_eq!(c.groups.get(4).unwrap().context().name, "mine");
    let change = c.follow(1, &removing(c.leaf(2)));
    assert!(change.renews);
    assert_eq!(change.place.targets, [Target::Account(c.account(2))]);
    assert_eq!(c.groups.get(3).unwrap().context().admins, [c.account(0), c.account(1)]);
    let plan = Plan::adding(&[package]);
    c.groups.remove(2);
    let adder = c.devices.get(1).unwrap();
    let change = c
        .groups
        .get(1)
        .unwrap()
        .commit(&c.crypto, adder, &plan, &c.topic)
        .unwrap();
    assert!(!change.renews);
    let applied = c.groups.get(2).unwrap().apply(&c.crypto, &change.commit).unwrap();
    assert_eq!(applied.group.unwrap().members().unwrap().len(), 5);
}

#[test]
fn f44_a_commit_that_skips_its_own_check_is_refused_by_every_member() {
    let c = crowd(4);
    let group = c.groups.get(3).unwrap();
    let forged = group
        .commit_unchecked(&c.crypto, c.devices.get(3).unwrap(), &removing(c.leaf(1)), &c.topic)
        .unwrap();
    for who in [0, 2] {
        let refused = c.groups.get(who).unwrap().apply(&c.crypto, &forged.commit);
        assert!(matches!(refused, Err(GroupError::NotAllowed { .. })));
    }
}

#[test]
fn f45_the_removed_can_not_derive_the_new_topic() {
    let mut c = crowd(3);
    let before = c.groups.get(2).unwrap().topic(&c.crypto).unwrap().public();
    let change = c.commits(0, &removing(c.leaf(2))).unwrap();
    let applied = c.groups.get(2).unwrap().apply(&c.crypto, &change.commit).unwrap();
    assert!(applied.group.is_none());
    let kept = c.groups.get(1).unwrap().apply(&c.crypto, &change.commit).unwrap();
    let renewed = kept.group.unwrap().topic(&c.crypto).unwrap().public();
    assert_eq!(renewed, change.group.topic(&c.crypto).unwrap().public());
    assert_ne!(renewed, before);
    c.groups.clear();
}

#[test]
fn a_member_leaves_by_another_who_shows_its_wish() {
    let mut c = crowd(4);
    let plan = c.ranks(0, &[0, 1]);
    c.follow(0, &plan);
    for leaver in [1, 0] {
        let key = c.groups.get(leaver).unwrap().own_leaf_key().unwrap();
        let asked = Statement::sign(c.devices.get(leaver).unwrap(), ChatId([9; 32]), Wish::Leave, key);
        let plan = Plan {
            remove: vec![c.leaf(leaver)],
            statements: vec![asked],
            ..Plan::default()
        };
        let change = c.follow(3, &plan);
        assert!(change.renews && change.place.targets.is_empty());
    }
    // The last admin has gone: the lowest leaf follows.
    assert_eq!(c.groups.get(3).unwrap().context().admins, [c.account(2)]);
    // A wish of before its leaf was renewed is of no use.
    let c = crowd(3);
    let key = [7; 32];
    let asked = Statement::sign(c.devices.get(1).unwrap(), ChatId([9; 32]), Wish::Leave, key);
    let plan = Plan {
        remove: vec![c.leaf(1)],
        statements: vec![asked],
        ..Plan::default()
    };
    assert!(matches!(c.commits(2, &plan), Err(GroupError::NotAllowed { .. })));
}

#[test]
fn a_device_that_lost_its_state_is_put_back_by_any_member() {
    let c = crowd(3);
    let (package, rows) = c.package(1);
    let new = package_leaf(&c.crypto, &package).unwrap();
    let old = c.groups.first().unwrap().leaf_key(c.leaf(1)).unwrap();
    let about = rejoin_about(&new, &old);
    let asked = Statement::sign(c.devices.get(1).unwrap(), ChatId([9; 32]), Wish::Rejoin, about);
    let mut plan = Plan {
        add: vec![package],
        remove: vec![c.leaf(1)],
        ..Plan::default()
    };
    assert!(matches!(c.commits(2, &plan), Err(GroupError::NotAllowed { .. })));
    plan.statements.push(asked);
    let change = c.commits(2, &plan).unwrap();
    assert!(!change.renews && change.place.targets.is_empty());
    let applied = c.groups.first().unwrap().apply(&c.crypto, &change.commit).unwrap();
    let joined = Group::join(&c.crypto, rows, &change.welcome.unwrap(), change.group.node()).unwrap();
    assert_eq!(joined.group.authenticator(), applied.group.unwrap().authenticator());
    assert_eq!(joined.topic.public(), c.topic.public());
}
