//! Alice and Bob with fixed keys and fixed entropy: one chat, the same bytes each time.
#![allow(dead_code, clippy::unwrap_used, clippy::indexing_slicing)]

use madang_protocol::chat::{Change, ChatContext, Group, LeafIdentity, Plan, key_package};
use madang_protocol::contact::CardPackage;
use madang_protocol::identity::{DeviceLog, StatementBody};
use madang_protocol::keys::{AccountId, AccountSecret, ChatId, DeviceSecret, TopicSecret};
use madang_protocol::mls::{Crypto, GroupRows, Suite};

/// A device and all that its randomness comes from.
#[derive(Clone)]
pub struct Person {
    pub root_seed: [u8; 32],
    pub device_seed: [u8; 32],
    pub entropy: [u8; 32],
    /// The device of the same account that added this one.
    pub added_by: Option<[u8; 32]>,
}

pub const ALICE: Person = Person {
    root_seed: [0xa0; 32],
    device_seed: [0xa1; 32],
    entropy: [0xa2; 32],
    added_by: None,
};
pub const BOB: Person = Person {
    root_seed: [0xb0; 32],
    device_seed: [0xb1; 32],
    entropy: [0xb2; 32],
    added_by: None,
};
pub const CAROL: Person = Person {
    root_seed: [0xc0; 32],
    device_seed: [0xc1; 32],
    entropy: [0xc2; 32],
    added_by: None,
};
pub const DAVE: Person = Person {
    root_seed: [0xd0; 32],
    device_seed: [0xd1; 32],
    entropy: [0xd2; 32],
    added_by: None,
};
pub const ERIN: Person = Person {
    root_seed: [0xe0; 32],
    device_seed: [0xe1; 32],
    entropy: [0xe2; 32],
    added_by: None,
};
pub const FRANK: Person = Person {
    root_seed: [0xf0; 32],
    device_seed: [0xf1; 32],
    entropy: [0xf2; 32],
    added_by: None,
};
/// Erin's second device.
pub const ERIN_AGAIN: Person = Person {
    device_seed: [0xe3; 32],
    entropy: [0xe4; 32],
    added_by: Some(ERIN.device_seed),
    ..ERIN
};
pub const CHAT: ChatId = ChatId([0xcc; 32]);

impl Person {
    pub fn device(&self) -> DeviceSecret {
        DeviceSecret::from_bytes(self.device_seed)
    }

    pub fn identity(&self) -> LeafIdentity {
        let (device, root) = (self.device().public(), AccountSecret::from_bytes(self.root_seed));
        let log = match self.added_by.map(DeviceSecret::from_bytes) {
            None => DeviceLog::create(&root, device),
            Some(first) => {
                let mut log = DeviceLog::create(&root, first.public());
                log.append_by_device(&first, StatementBody::Add { device });
                log
            }
        };
        LeafIdentity { log, device }
    }

    pub fn account(&self) -> AccountId {
        self.identity().account()
    }

    pub fn crypto(&self) -> Crypto {
        Crypto::new(self.entropy)
    }

    pub fn package(&self, crypto: &Crypto, suite: Suite, last_resort: bool) -> (CardPackage, GroupRows) {
        key_package(
            crypto,
            &self.device(),
            &self.identity(),
            suite,
            last_resort,
            0,
            u64::MAX,
        )
        .unwrap()
    }
}

/// The chat once Bob has joined.
pub struct Session {
    pub people: [Person; 2],
    pub alice: Crypto,
    pub bob: Crypto,
    pub package: CardPackage,
    pub package_rows: GroupRows,
    pub topic: TopicSecret,
    pub first: Group,
    pub commit: Vec<u8>,
    pub welcome: Vec<u8>,
    /// Both at the state that the Welcome leads to.
    pub a: Group,
    pub b: Group,
}

impl Session {
    /// Alice's and Bob's, on a suite.
    pub fn new(suite: Suite) -> Self {
        Self::of(suite, CHAT, [ALICE, BOB])
    }

    /// The second makes a key package; the first makes a group and adds the second.
    pub fn of(suite: Suite, chat: ChatId, people: [Person; 2]) -> Self {
        let [one, two] = &people;
        let (alice, bob) = (one.crypto(), two.crypto());
        let (package, package_rows) = two.package(&bob, suite, false);
        let (first, topic) = {
            let settings = ChatContext::one_to_one();
            Group::create(&alice, &one.device(), &one.identity(), suite, chat, settings).unwrap()
        };
        let change = first
            .commit(
                &alice,
                &one.device(),
                &Plan::adding(std::slice::from_ref(&package)),
                &topic,
            )
            .unwrap();
        let welcome = change.welcome.unwrap();
        let joined = Group::join(&bob, package_rows.clone(), &welcome, change.group.node()).unwrap();
        Self {
            alice,
            bob,
            package,
            package_rows,
            topic,
            first,
            commit: change.commit,
            welcome,
            a: change.group,
            b: joined.group,
            people,
        }
    }

    /// Both go one state on.
    pub fn advance(&mut self) {
        let change = self.update();
        if self.first_is_next() {
            self.b = self.b.apply(&self.bob, &change.commit).unwrap().group.unwrap();
            self.a = change.group;
        } else {
            self.a = self.a.apply(&self.alice, &change.commit).unwrap().group.unwrap();
            self.b = change.group;
        }
    }

    /// The next leaf update: here the second's after odd epochs, the first's after even ones.
    pub fn update(&self) -> Change {
        if self.first_is_next() {
            self.a.update_leaf(&self.alice, &self.people[0].device()).unwrap()
        } else {
            self.b.update_leaf(&self.bob, &self.people[1].device()).unwrap()
        }
    }

    fn first_is_next(&self) -> bool {
        self.a.epoch().is_multiple_of(2)
    }

    pub fn alice_says(&mut self, inner: &[u8]) -> Vec<u8> {
        self.a.seal(&self.alice, &self.people[0].device(), None, inner).unwrap()
    }

    pub fn bob_says(&mut self, inner: &[u8]) -> Vec<u8> {
        self.b.seal(&self.bob, &self.people[1].device(), None, inner).unwrap()
    }
}

/// All rows of a state that was never on disk.
pub fn rows_of(group: &Group) -> GroupRows {
    group
        .take_changes()
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?.bytes().into_owned())))
        .collect()
}
