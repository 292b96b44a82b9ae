//! The reference model: which branch of a chat's commits counts, who is a member on it and what the chat is called, said a second time.
//!
//! It reads spec/chat.md, sections 8 and 9, as they are worded, shares nothing with `chat::dag` and `chat::rules` but the record of a
//! commit, and asks the whole tree each time.

use crate::chat::dag::{Commit, Target};
use crate::keys::{AccountId, NodeId};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// Every commit that any device has ever recorded.
#[derive(Default)]
pub(super) struct Model {
    /// The state that all began with, and its admins.
    pub root: Option<(NodeId, Vec<AccountId>)>,
    pub commits: BTreeMap<NodeId, Commit>,
}

/// What is known of a removal while removals are judged.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Label {
    Open,
    Stands,
    Falls,
}

/// The commits after a state, each with all that it builds on, the oldest first and itself last.
struct Tree<'a> {
    root: NodeId,
    ranks: &'a [AccountId],
    model: &'a Model,
    lines: BTreeMap<NodeId, Vec<NodeId>>,
}

impl Model {
    /// The state that counts, for who knows some commits from a state on.
    pub fn tip(&self, root: NodeId, known: &BTreeSet<NodeId>) -> NodeId {
        let mut lines = BTreeMap::new();
        for node in known.iter().filter(|node| **node != root) {
            let line = self.path(node);
            if line.contains(&root) {
                lines.insert(*node, line);
            }
        }
        let mut tree = Tree {
            root,
            ranks: self.ranks(&root),
            model: self,
            lines,
        };
        while let Some(next) = tree.next() {
            tree = tree.after(next);
        }
        tree.root
    }

    /// A state and all before it that is known, the oldest first.
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

    /// The admins of a state, the most senior first.
    fn ranks(&self, state: &NodeId) -> &[AccountId] {
        match (self.commits.get(state), &self.root) {
            (Some(commit), _) => &commit.admins,
            (None, Some((root, admins))) if root == state => admins,
            (None, _) => &[],
        }
    }
}

impl Tree<'_> {
    /// The child of the root that beats each other; none where nothing counts.
    fn next(&self) -> Option<NodeId> {
        let counted = self.counted();
        let on_root = |node: &&NodeId| self.commit(node).parent == self.root;
        counted
            .iter()
            .filter(on_root)
            .max_by_key(|child| self.merit(child, &counted))
            .copied()
    }

    fn after(mut self, root: NodeId) -> Self {
        self.lines.retain(|node, line| *node != root && line.contains(&root));
        self.ranks = self.model.ranks(&root);
        self.root = root;
        self
    }

    fn commit(&self, node: &NodeId) -> &Commit {
        &self.model.commits[node]
    }

    /// By the later commit of the owner; by a removal at its beginning; by the most senior author; by the tie.
    fn merit(
        &self,
        first: &NodeId,
        counted: &BTreeSet<NodeId>,
    ) -> (u64, bool, Reverse<usize>, Reverse<[u8; 32]>, Reverse<NodeId>) {
        let branch: Vec<&Commit> = counted
            .iter()
            .filter(|node| self.lines[*node].contains(first))
            .map(|node| self.commit(node))
            .collect();
        let owner = self.ranks.first();
        let by_owner = branch.iter().filter(|commit| owner == Some(&commit.author));
        let seniority = |commit: &&Commit| rank(self.ranks, &commit.author);
        let begins = self.commit(first);
        let removes = begins.targets.iter().any(|target| matches!(target, Target::Account(_)));
        (
            by_owner.map(|commit| commit.epoch).max().unwrap_or(0),
            removes,
            Reverse(branch.iter().map(seniority).min().unwrap_or(usize::MAX)),
            Reverse(begins.tie),
            Reverse(*first),
        )
    }

    /// Commits that no standing removal strikes, nor anything that they build on.
    fn counted(&self) -> BTreeSet<NodeId> {
        let removes = |node: &&NodeId| !self.commit(node).targets.is_empty();
        let removals: Vec<NodeId> = self.lines.keys().filter(removes).copied().collect();
        let mut against: BTreeMap<NodeId, Vec<NodeId>> = BTreeMap::new();
        for node in &removals {
            let fells = removals.iter().filter(|by| self.fells(by, node));
            against.insert(*node, fells.copied().collect());
        }
        let mut labels: BTreeMap<NodeId, Label> = removals.iter().map(|node| (*node, Label::Open)).collect();
        loop {
            let before = labels.clone();
            for (node, by) in &against {
                if by.iter().any(|by| before[by] == Label::Stands) {
                    labels.insert(*node, Label::Falls);
                } else if by.iter().all(|by| before[by] == Label::Falls) {
                    labels.insert(*node, Label::Stands);
                }
            }
            if labels == before {
                break;
            }
        }
        let standing: Vec<&NodeId> = removals.iter().filter(|node| labels[*node] == Label::Stands).collect();
        let counts = |node: &&NodeId| {
            let line = &self.lines[*node];
            !standing
                .iter()
                .any(|by| line.iter().any(|other| self.strikes(by, other)))
        };
        self.lines.keys().filter(counts).copied().collect()
    }

    fn fells(&self, one: &NodeId, other: &NodeId) -> bool {
        self.reaches(one, other)
            && !(self.reaches(other, one) && self.seniority(other, one) < self.seniority(one, other))
    }

    /// Whether a removal strikes another one or what that one builds on.
    fn reaches(&self, one: &NodeId, other: &NodeId) -> bool {
        one != other && self.lines[other].iter().any(|node| self.strikes(one, node))
    }

    /// Whether a removal is of a commit's author or device, and neither builds on the other.
    fn strikes(&self, removal: &NodeId, node: &NodeId) -> bool {
        // What is before the root is before the removal.
        let Some(line) = self.lines.get(node) else {
            return false;
        };
        let struck = self.commit(node);
        let hit = |target: &Target| match target {
            Target::Account(account) => struck.author == *account,
            Target::Device(device) => struck.device == *device,
        };
        self.commit(removal).targets.iter().any(hit) && !line.contains(removal) && !self.lines[removal].contains(node)
    }

    /// The rank of a commit's author where its line and another one's part.
    fn seniority(&self, node: &NodeId, other: &NodeId) -> usize {
        let others = &self.lines[other];
        let fork = self.lines[node].iter().rfind(|node| others.contains(node));
        let ranks = fork.map_or(self.ranks, |fork| self.model.ranks(fork));
        rank(ranks, &self.commit(node).author)
    }
}

/// A place in a list; whoever isn't in it comes last.
fn rank(ranks: &[AccountId], account: &AccountId) -> usize {
    ranks.iter().position(|admin| admin == account).unwrap_or(usize::MAX)
}
