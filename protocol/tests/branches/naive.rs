//! The rule of branches as spec/chat.md, sections 8 and 9, words it, by brute force: slow, and written apart from the code.

use madang_protocol::chat::dag::Commit;
use madang_protocol::chat::{Dag, Target};
use madang_protocol::keys::{AccountId, NodeId};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// A tree as a list of facts.
pub struct Naive {
    pub root: NodeId,
    pub root_admins: Vec<AccountId>,
    pub commits: BTreeMap<NodeId, Commit>,
}

/// What is known of a removal while removals are judged.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Label {
    Open,
    Stands,
    Falls,
}

impl Naive {
    pub fn of(dag: &Dag) -> Self {
        Self {
            root: dag.root(),
            root_admins: dag.root_admins().to_vec(),
            commits: dag.commits().map(|(node, commit)| (*node, commit.clone())).collect(),
        }
    }

    /// The node and all that it builds on, the root first.
    fn line(&self, node: NodeId) -> Vec<NodeId> {
        let mut line = match self.commits.get(&node) {
            Some(commit) => self.line(commit.parent),
            None => Vec::new(),
        };
        line.push(node);
        line
    }

    fn beside(&self, a: NodeId, b: NodeId) -> bool {
        !self.line(a).contains(&b) && !self.line(b).contains(&a)
    }

    fn strikes(&self, removal: NodeId, node: NodeId) -> bool {
        let Some(struck) = self.commits.get(&node) else {
            return false;
        };
        let hit = self.commits[&removal].targets.iter().any(|target| match target {
            Target::Account(account) => struck.author == *account,
            Target::Device(device) => struck.device == *device,
        });
        hit && self.beside(removal, node)
    }

    /// Commits that no standing removal strikes, nor anything that they build on.
    pub fn counted(&self) -> BTreeSet<NodeId> {
        let removals: Vec<NodeId> = self
            .commits
            .iter()
            .filter(|(_, commit)| !commit.targets.is_empty())
            .map(|(node, _)| *node)
            .collect();
        let fells = |a: NodeId, b: NodeId| a != b && self.line(b).into_iter().any(|node| self.strikes(a, node));
        let mut labels: BTreeMap<NodeId, Label> = removals.iter().map(|node| (*node, Label::Open)).collect();
        loop {
            let before = labels.clone();
            for node in &removals {
                let against = removals.iter().filter(|other| fells(**other, *node));
                let against: Vec<Label> = against.map(|other| before[other]).collect();
                if against.contains(&Label::Stands) {
                    labels.insert(*node, Label::Falls);
                } else if against.iter().all(|label| *label == Label::Falls) {
                    labels.insert(*node, Label::Stands);
                }
            }
            if labels == before {
                break;
            }
        }
        let standing = |node: &&NodeId| labels[*node] == Label::Stands;
        let standing: Vec<NodeId> = removals.iter().filter(standing).copied().collect();
        let counts = |node: &NodeId| {
            let line = self.line(*node);
            !standing
                .iter()
                .any(|by| line.iter().any(|other| self.strikes(*by, *other)))
        };
        self.commits.keys().filter(|node| counts(node)).copied().collect()
    }

    /// The state that wins against each other that could be the last one.
    pub fn tip(&self) -> NodeId {
        let counted = self.counted();
        let goes_on = |node: &NodeId| counted.iter().any(|other| self.commits[other].parent == *node);
        let last: Vec<NodeId> = counted
            .iter()
            .chain([&self.root])
            .filter(|node| !goes_on(node))
            .copied()
            .collect();
        let winners: Vec<NodeId> = last
            .iter()
            .filter(|one| {
                last.iter()
                    .all(|other| one == &other || self.beats(**one, *other, &counted))
            })
            .copied()
            .collect();
        assert_eq!(winners.len(), 1, "the rule gives {} winners", winners.len());
        winners[0]
    }

    fn beats(&self, one: NodeId, other: NodeId, counted: &BTreeSet<NodeId>) -> bool {
        let (one, other) = (self.line(one), self.line(other));
        let at = one.iter().zip(&other).position(|(a, b)| a != b).unwrap();
        let (fork, one, other) = (one[at - 1], one[at], other[at]);
        let ranks = match self.commits.get(&fork) {
            Some(commit) => &commit.admins,
            None => &self.root_admins,
        };
        let branch = |first: NodeId| -> Vec<&Commit> {
            let inside = counted.iter().filter(|node| self.line(**node).contains(&first));
            inside.map(|node| &self.commits[node]).collect()
        };
        let checkpoint = |first: NodeId| {
            let owner = ranks.first();
            let by_owner = branch(first).into_iter().filter(|commit| owner == Some(&commit.author));
            by_owner.map(|commit| commit.epoch).max().unwrap_or(0)
        };
        let seniority = |first: NodeId| {
            let authors: BTreeSet<AccountId> = branch(first).into_iter().map(|commit| commit.author).collect();
            ranks.iter().take_while(|admin| !authors.contains(admin)).count()
        };
        let removes = |first: NodeId| !self.commits[&first].targets.is_empty();
        let tie = |first: NodeId| self.commits[&first].tie;
        let order = checkpoint(one)
            .cmp(&checkpoint(other))
            .then(removes(one).cmp(&removes(other)))
            .then(seniority(other).cmp(&seniority(one)))
            .then(tie(other).cmp(&tie(one)))
            .then(other.cmp(&one));
        order == Ordering::Greater
    }
}
