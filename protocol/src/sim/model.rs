//! The reference model: which branch of a chat's commits counts, once more from spec/chat.md, as simply as it can be said.
//!
//! It shares nothing with `chat::dag` but the record of a commit. It is slow, and asks the whole tree each time.

use crate::chat::dag::{Commit, Target};
use crate::keys::{AccountId, NodeId};
use std::collections::BTreeMap;

/// Every commit that any device has ever recorded, and the state that all began with.
#[derive(Default)]
pub(super) struct Model {
    pub root: Option<NodeId>,
    pub root_admins: Vec<AccountId>,
    pub commits: BTreeMap<NodeId, Commit>,
}

impl Model {
    /// The state that counts.
    pub fn tip(&self) -> Option<NodeId> {
        let void = self.void();
        let mut at = self.root?;
        loop {
            let mut best: Option<NodeId> = None;
            for child in self.children(&at) {
                if void.contains(&child) {
                    continue;
                }
                best = match best {
                    Some(other) if !self.beats(&at, &child, &other, &void) => Some(other),
                    _ => Some(child),
                };
            }
            match best {
                Some(next) => at = next,
                None => return Some(at),
            }
        }
    }

    /// A state and all before it, the oldest first.
    pub fn path(&self, node: &NodeId) -> Vec<NodeId> {
        let mut path = vec![*node];
        while let Some(commit) = path.last().and_then(|last| self.commits.get(last)) {
            path.push(commit.parent);
        }
        path.reverse();
        path
    }

    pub fn is_before(&self, early: &NodeId, late: &NodeId) -> bool {
        early != late && self.path(late).contains(early)
    }

    fn children(&self, node: &NodeId) -> Vec<NodeId> {
        let of = |commit: &Commit| commit.parent == *node;
        let children = self.commits.iter().filter(|(_, commit)| of(commit));
        children.map(|(child, _)| *child).collect()
    }

    /// Whether one branch wins against another at their fork: by the later commit of the owner; then by a removal at its beginning;
    /// then by the most senior author; then by the tie break.
    fn beats(&self, fork: &NodeId, one: &NodeId, other: &NodeId, void: &[NodeId]) -> bool {
        let admins = match self.commits.get(fork) {
            Some(commit) => &commit.admins,
            None => &self.root_admins,
        };
        let (ones, others) = (self.branch(one, void), self.branch(other, void));
        let by_owner = |branch: &[&Commit]| {
            let owners = branch.iter().filter(|commit| admins.first() == Some(&commit.author));
            owners.map(|commit| commit.epoch).max().unwrap_or(0)
        };
        if by_owner(&ones) != by_owner(&others) {
            return by_owner(&ones) > by_owner(&others);
        }
        let (first, second) = (&self.commits[one], &self.commits[other]);
        if first.targets.is_empty() != second.targets.is_empty() {
            return second.targets.is_empty();
        }
        let senior = |branch: &[&Commit]| {
            let ranks = branch
                .iter()
                .map(|commit| admins.iter().position(|admin| *admin == commit.author));
            ranks.map(|rank| rank.unwrap_or(admins.len())).min()
        };
        if senior(&ones) != senior(&others) {
            return senior(&ones) < senior(&others);
        }
        if first.tie != second.tie {
            return first.tie < second.tie;
        }
        one < other
    }

    /// A commit and all that build on it and aren't void.
    fn branch(&self, node: &NodeId, void: &[NodeId]) -> Vec<&Commit> {
        if void.contains(node) {
            return Vec::new();
        }
        let mut branch: Vec<&Commit> = self.commits.get(node).into_iter().collect();
        for child in self.children(node) {
            branch.extend(self.branch(&child, void));
        }
        branch
    }

    /// Commits that a removal which stands strikes. One stands if every removal that strikes it, or something before it, doesn't.
    fn void(&self) -> Vec<NodeId> {
        let removals = self.commits.iter().filter(|(_, commit)| !commit.targets.is_empty());
        let removals: Vec<NodeId> = removals.map(|(node, _)| *node).collect();
        let mut stands: BTreeMap<NodeId, bool> = BTreeMap::new();
        loop {
            let before = stands.len();
            for removal in &removals {
                let path = self.path(removal);
                let by = removals
                    .iter()
                    .filter(|by| *by != removal && path.iter().any(|node| self.strikes(by, node)));
                let by: Vec<Option<bool>> = by.map(|by| stands.get(by).copied()).collect();
                if stands.contains_key(removal) {
                    continue;
                }
                if by.contains(&Some(true)) {
                    stands.insert(*removal, false);
                } else if by.iter().all(|known| *known == Some(false)) {
                    stands.insert(*removal, true);
                }
            }
            if stands.len() == before {
                break;
            }
        }
        let standing: Vec<NodeId> = removals
            .into_iter()
            .filter(|node| stands.get(node) == Some(&true))
            .collect();
        let struck = |node: &&NodeId| standing.iter().any(|removal| self.strikes(removal, node));
        self.commits.keys().filter(struck).copied().collect()
    }

    /// Whether a removal makes a commit void: one by whom it removes, that is neither before nor after it.
    fn strikes(&self, removal: &NodeId, node: &NodeId) -> bool {
        let Some(commit) = self.commits.get(node) else {
            return false;
        };
        let target = self.commits[removal].targets.iter().any(|target| match target {
            Target::Account(account) => commit.author == *account,
            Target::Device(device) => commit.device == *device,
        });
        target && removal != node && !self.is_before(node, removal) && !self.is_before(removal, node)
    }
}
