//! Trees from few words.

use madang_protocol::chat::dag::{Commit, Unfit};
use madang_protocol::chat::{Dag, Target};
use madang_protocol::keys::{AccountId, DeviceId, NodeId};

/// Accounts, each with one device of the same number unless said otherwise.
pub const OWNER: u8 = 1;
pub const ADMIN: u8 = 2;
pub const SECOND: u8 = 3;
pub const MEMBER: u8 = 4;
pub const OTHER: u8 = 5;
pub const NEW: u8 = 6;

pub fn node(name: u8) -> NodeId {
    NodeId([name; 32])
}

pub fn account(name: u8) -> AccountId {
    AccountId([name; 32])
}

pub fn device(name: u8) -> DeviceId {
    DeviceId([name; 32])
}

/// A tree whose first state is node 0.
pub struct Tree {
    pub root_admins: Vec<u8>,
    /// In the order in which they were given.
    pub commits: Vec<(u8, Commit)>,
}

impl Tree {
    /// The owner and two admins.
    pub fn new() -> Self {
        Self::with(&[OWNER, ADMIN, SECOND])
    }

    pub fn with(admins: &[u8]) -> Self {
        Self {
            root_admins: admins.to_vec(),
            commits: Vec::new(),
        }
    }

    fn find(&self, name: u8) -> Option<&Commit> {
        self.commits.iter().find(|(known, _)| *known == name).map(|(_, c)| c)
    }

    fn add(&mut self, name: u8, parent: u8, author: u8, targets: Vec<Target>) -> &mut Commit {
        let (epoch, mut admins) = match self.find(parent) {
            Some(parent) => (parent.epoch + 1, parent.admins.clone()),
            None => (1, self.root_admins.iter().copied().map(account).collect()),
        };
        admins.retain(|admin| !targets.contains(&Target::Account(*admin)));
        let commit = Commit {
            parent: node(parent),
            epoch,
            author: account(author),
            device: device(author),
            tie: [author ^ 0x55; 32],
            targets,
            admins,
        };
        self.commits.push((name, commit));
        &mut self.commits.last_mut().unwrap().1
    }

    /// A commit that removes nobody against their will.
    pub fn by(&mut self, name: u8, parent: u8, author: u8) -> &mut Commit {
        self.add(name, parent, author, Vec::new())
    }

    /// A removal of accounts.
    pub fn removes(&mut self, name: u8, parent: u8, author: u8, targets: &[u8]) -> &mut Commit {
        let targets = targets.iter().map(|target| Target::Account(account(*target))).collect();
        self.add(name, parent, author, targets)
    }

    /// A removal of an own device.
    pub fn removes_device(&mut self, name: u8, parent: u8, author: u8, target: u8) -> &mut Commit {
        self.add(name, parent, author, vec![Target::Device(device(target))])
    }

    /// The same ones under new ranks.
    pub fn ranks(&mut self, name: u8, parent: u8, author: u8, admins: &[u8]) {
        self.by(name, parent, author).admins = admins.iter().copied().map(account).collect();
    }

    pub fn dag(&self) -> Dag {
        let mut dag = Dag::new(node(0), self.root_admins.iter().copied().map(account).collect());
        for (name, commit) in &self.commits {
            assert_eq!(dag.insert(node(*name), commit.clone()), Ok::<(), Unfit>(()));
        }
        dag
    }

    pub fn tip(&self) -> NodeId {
        self.dag().tip()
    }
}
