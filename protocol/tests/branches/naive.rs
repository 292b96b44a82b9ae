//! The rule of branches as spec/chat.md, sections 8 and 9, words it, by brute force: slow, and written apart from the code.
//!
//! The code walks one tree; here each step of the way is a smaller tree of its own, whose root knows of nothing before it.

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

    fn ranks(&self, state: NodeId) -> &[AccountId] {
        match self.commits.get(&state) {
            Some(commit) => &commit.admins,
            None => &self.root_admins,
        }
    }

    /// How many are more senior than a commit's author in the state where its line and another one's part.
    fn seniority(&self, node: NodeId, other: NodeId) -> usize {
        let (line, others) = (self.line(node), self.line(other));
        let mut shared = line.iter().filter(|node| others.contains(node));
        let ranks = self.ranks(*shared.next_back().unwrap());
        let author = self.commits[&node].author;
        match ranks.contains(&author) {
            true => ranks.split(|admin| *admin == author).next().unwrap().len(),
            false => usize::MAX,
        }
    }

    /// Whether a removal strikes another one or what that one builds on.
    fn reaches(&self, a: NodeId, b: NodeId) -> bool {
        a != b && self.line(b).into_iter().any(|node| self.strikes(a, node))
    }

    fn fells(&self, a: NodeId, b: NodeId) -> bool {
        self.reaches(a, b) && !(self.reaches(b, a) && self.seniority(b, a) < self.seniority(a, b))
    }

    /// Commits that no standing removal strikes, nor anything that they build on.
    pub fn counted(&self) -> BTreeSet<NodeId> {
        let removals: Vec<NodeId> = self
            .commits
            .iter()
            .filter(|(_, commit)| !commit.targets.is_empty())
            .map(|(node, _)| *node)
            .collect();
        let mut labels: BTreeMap<NodeId, Label> = removals.iter().map(|node| (*node, Label::Open)).collect();
        loop {
            let before = labels.clone();
            for node in &removals {
                let against = removals.iter().filter(|other| self.fells(**other, *node));
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

    /// The tree of what builds on a node, which is its root.
    fn after(&self, root: NodeId) -> Self {
        let after = |node: &NodeId| *node != root && self.line(*node).contains(&root);
        let commits = self.commits.iter().filter(|(node, _)| after(node));
        Self {
            root,
            root_admins: self.ranks(root).to_vec(),
            commits: commits.map(|(node, commit)| (*node, commit.clone())).collect(),
        }
    }

    /// The root, if nothing on it counts; else the tip of the tree after the child that beats each other.
    pub fn tip(&self) -> NodeId {
        let counted = self.counted();
        let on_root = |node: &&NodeId| self.commits[*node].parent == self.root;
        let children: Vec<NodeId> = counted.iter().filter(on_root).copied().collect();
        let winners: Vec<NodeId> = children
            .iter()
            .filter(|one| {
                let mut others = children.iter().filter(|other| one != other);
                others.all(|other| self.beats(**one, *other, &counted))
            })
            .copied()
            .collect();
        match winners[..] {
            [] if children.is_empty() => self.root,
            [winner] => self.after(winner).tip(),
            _ => panic!("the rule gives {} winners", winners.len()),
        }
    }

    /// Whether one branch on the root beats another.
    fn beats(&self, one: NodeId, other: NodeId, counted: &BTreeSet<NodeId>) -> bool {
        let ranks = &self.root_admins;
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
        let removes = |first: NodeId| {
            let mut targets = self.commits[&first].targets.iter();
            targets.any(|target| matches!(target, Target::Account(_)))
        };
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
