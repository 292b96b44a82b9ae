//! Alice and Bob with fixed keys and fixed entropy: one chat, the same bytes each time.
#![allow(dead_code, clippy::unwrap_used)]

use madang_protocol::chat::{Change, Group, LeafIdentity, key_package};
use madang_protocol::contact::CardPackage;
use madang_protocol::identity::DeviceLog;
use madang_protocol::keys::{AccountSecret, ChatId, DeviceSecret, TopicSecret};
use madang_protocol::mls::{Crypto, GroupRows, Suite};

/// A device and all that its randomness comes from.
pub struct Person {
    pub root_seed: [u8; 32],
    pub device_seed: [u8; 32],
    pub entropy: [u8; 32],
}

pub const ALICE: Person = Person {
    root_seed: [0xa0; 32],
    device_seed: [0xa1; 32],
    entropy: [0xa2; 32],
};
pub const BOB: Person = Person {
    root_seed: [0xb0; 32],
    device_seed: [0xb1; 32],
    entropy: [0xb2; 32],
};
pub const CAROL: Person = Person {
    root_seed: [0xc0; 32],
    device_seed: [0xc1; 32],
    entropy: [0xc2; 32],
};
pub const CHAT: ChatId = ChatId([0xcc; 32]);

impl Person {
    pub fn device(&self) -> DeviceSecret {
        DeviceSecret::from_bytes(self.device_seed)
    }

    pub fn identity(&self) -> LeafIdentity {
        let device = self.device().public();
        LeafIdentity {
            log: DeviceLog::create(&AccountSecret::from_bytes(self.root_seed), device),
            device,
        }
    }

    pub fn crypto(&self) -> Crypto {
        Crypto::new(self.entropy)
    }

    pub fn package(&self, crypto: &Crypto, suite: Suite, last_resort: bool) -> (CardPackage, GroupRows) {
        key_package(crypto, &self.device(), &self.identity(), suite, last_resort, 0, u64::MAX).unwrap()
    }
}

/// The chat once Bob has joined.
pub struct Session {
    pub suite: Suite,
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
    /// Bob makes a key package, Alice a group, and adds him.
    pub fn new(suite: Suite) -> Self {
        let (alice, bob) = (ALICE.crypto(), BOB.crypto());
        let (package, package_rows) = BOB.package(&bob, suite, false);
        let (first, topic) = Group::create(&alice, &ALICE.device(), &ALICE.identity(), suite, CHAT).unwrap();
        let change = first.add(&alice, &ALICE.device(), std::slice::from_ref(&package), &topic).unwrap();
        let welcome = change.welcome.unwrap();
        let joined = Group::join(&bob, package_rows.clone(), &welcome, change.group.node()).unwrap();
        Self {
            suite,
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
        }
    }

    /// Bob's turn: he updates his leaf.
    pub fn bob_updates(&self) -> Change {
        self.b.update_leaf(&self.bob, &BOB.device()).unwrap()
    }

    pub fn alice_says(&mut self, inner: &[u8]) -> Vec<u8> {
        self.a.seal(&self.alice, &ALICE.device(), inner).unwrap()
    }

    pub fn bob_says(&mut self, inner: &[u8]) -> Vec<u8> {
        self.b.seal(&self.bob, &BOB.device(), inner).unwrap()
    }
}
