//! The commits of a chat as a tree, and the rule that picks the branch which counts (spec/chat.md, sections 8 and 9).
//!
//! Every commit names the state that it builds on, so the commits that are known form a tree. Which leaf of it is the chat's state is a
//! function of the tree alone: not of what came first, nor of clocks, relays, or anything that an author could try out until it fits.

mod choose;

use crate::keys::{AccountId, DeviceId, NodeId};
use crate::limits;
use choose::Choice;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// What the rule knows of a commit. All of it follows from the commit and the state that it builds on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// The state that it builds on.
    pub parent: NodeId,
    /// The epoch that it leads to.
    pub epoch: u64,
    /// Who made it.
    pub author: AccountId,
    /// The author's device.
    pub device: DeviceId,
    /// A hash of a secret of the parent's state and the author's leaf: orders authors of one rank, and none can choose it.
    #[serde(with = "serde_bytes")]
    pub tie: [u8; 32],
    /// Whom it removes against their will.
    pub targets: Vec<Target>,
    /// The admins after it, the most senior one first.
    pub admins: Vec<AccountId>,
}

/// Who is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Target {
    /// An account with all its devices, by an admin.
    Account(AccountId),
    /// One device, by its own account.
    Device(DeviceId),
}

/// The known commits that aren't settled yet, as a tree.
#[derive(Clone, Debug)]
pub struct Dag {
    root: NodeId,
    root_admins: Vec<AccountId>,
    nodes: BTreeMap<NodeId, Commit>,
    children: BTreeMap<NodeId, BTreeSet<NodeId>>,
    tip: NodeId,
}

/// Why a commit isn't taken into the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// It builds on a node that isn't in the tree.
    NoParent,
    /// Its author has made too many on that state.
    TooMany,
}

/// How a branch compares with others at their fork; the greatest wins.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Merit {
    /// The epoch of the last commit in it by the most senior admin at the fork, 0 for none.
    checkpoint: u64,
    /// Its first commit removes an account.
    removal: bool,
    /// The most senior author in it, by the ranks at the fork.
    rank: Reverse<usize>,
    /// Of its first commit: lower is better.
    tie: Reverse<[u8; 32]>,
    /// Its first commit: only orders what one author made on one state.
    node: Reverse<NodeId>,
}

impl Dag {
    /// Begins with the one state that is known.
    pub fn new(root: NodeId, admins: Vec<AccountId>) -> Self {
        Self {
            root,
            root_admins: admins,
            nodes: BTreeMap::new(),
            children: BTreeMap::new(),
            tip: root,
        }
    }

    /// The oldest state.
    pub fn root(&self) -> NodeId {
        self.root
    }

    /// The admins of the oldest state.
    pub fn root_admins(&self) -> &[AccountId] {
        &self.root_admins
    }

    /// The state that counts.
    pub fn tip(&self) -> NodeId {
        self.tip
    }

    /// Whether a node is in the tree.
    pub fn contains(&self, node: &NodeId) -> bool {
        *node == self.root || self.nodes.contains_key(node)
    }

    /// A node's commit; none for the root and for what isn't in the tree.
    pub fn commit(&self, node: &NodeId) -> Option<&Commit> {
        self.nodes.get(node)
    }

    /// All nodes but the root, with their commits.
    pub fn commits(&self) -> impl Iterator<Item = (&NodeId, &Commit)> {
        self.nodes.iter()
    }

    /// Nodes that nothing builds on.
    pub fn branches(&self) -> usize {
        let inner = self.children.values().filter(|children| !children.is_empty()).count();
        1 + self.nodes.len() - inner
    }

    /// Branches that lost: commits whose node isn't an ancestor of the tip.
    pub fn losers(&self) -> Vec<NodeId> {
        let path: BTreeSet<NodeId> = self.path(&self.tip).collect();
        self.nodes.keys().filter(|node| !path.contains(node)).copied().collect()
    }

    /// A node and its ancestors, up to the root.
    pub fn path<'a>(&'a self, node: &NodeId) -> impl Iterator<Item = NodeId> + 'a {
        let first = self.contains(node).then_some(*node);
        std::iter::successors(first, |node| self.nodes.get(node).map(|commit| commit.parent))
    }

    /// Whether a node is another one or an ancestor of it.
    pub fn leads_to(&self, node: &NodeId, later: &NodeId) -> bool {
        self.path(later).any(|known| known == *node)
    }

    /// Takes a valid commit, unless there are many of its author on its state. A repeat changes nothing.
    pub fn insert(&mut self, node: NodeId, commit: Commit) -> Result<(), Unfit> {
        self.insert_within(node, commit, limits::SIBLINGS)
    }

    /// The same for one that parts those who take it from those who don't: others have gone on from it, or on another topic.
    pub fn insert_parting(&mut self, node: NodeId, commit: Commit) -> Result<(), Unfit> {
        self.insert_within(node, commit, limits::SIBLINGS_THAT_PART)
    }

    fn insert_within(&mut self, node: NodeId, commit: Commit, room: usize) -> Result<(), Unfit> {
        if self.contains(&node) {
            return Ok(());
        }
        if !self.contains(&commit.parent) {
            return Err(Unfit::NoParent);
        }
        let siblings = self.children.entry(commit.parent).or_default();
        let same = siblings
            .iter()
            .filter_map(|sibling| self.nodes.get(sibling))
            .filter(|sibling| sibling.device == commit.device);
        if same.count() >= room {
            return Err(Unfit::TooMany);
        }
        siblings.insert(node);
        // Whatever nobody is removed by follows the tip, as the proof sketch says (section 10).
        let follows = commit.parent == self.tip && commit.targets.is_empty();
        self.nodes.insert(node, commit);
        self.tip = if follows { node } else { self.choose() };
        Ok(())
    }

    /// Forgets what is before a node of the tip's path, and every branch that forks before it. Gives what was forgotten. Nothing
    /// happens if that would let another branch win.
    pub fn settle(&mut self, root: NodeId) -> Vec<NodeId> {
        let Some(commit) = self.nodes.get(&root) else {
            return Vec::new();
        };
        if !self.leads_to(&root, &self.tip) {
            return Vec::new();
        }
        let mut kept = Self::new(root, commit.admins.clone());
        for node in self.nodes.keys().filter(|node| **node != root) {
            if self.leads_to(&root, node)
                && let Some(commit) = self.nodes.get(node)
            {
                kept.children.entry(commit.parent).or_default().insert(*node);
                kept.nodes.insert(*node, commit.clone());
            }
        }
        kept.tip = kept.choose();
        if kept.tip != self.tip {
            return Vec::new();
        }
        let before = std::mem::replace(self, kept);
        let known = before.nodes.into_keys().chain([before.root]);
        known.filter(|node| !self.contains(node)).collect()
    }

    /// The branch that counts: from the root, at each fork the branch of the greatest merit.
    fn choose(&self) -> NodeId {
        Choice::new(self).tip().unwrap_or(self.root)
    }

    /// How many looks at a commit, or at a pair of them, choosing takes.
    #[cfg(any(test, feature = "sim"))]
    pub fn effort(&self) -> u64 {
        let mut choice = Choice::new(self);
        choice.tip();
        choice.steps
    }

    fn children_of(&self, node: &NodeId) -> impl Iterator<Item = NodeId> + '_ {
        self.children.get(node).into_iter().flatten().copied()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    const OWNER: u8 = 1;
    const ADMIN: u8 = 2;
    const SECOND: u8 = 3;
    const MEMBER: u8 = 4;

    fn node(name: u8) -> NodeId {
        NodeId([name; 32])
    }

    fn account(name: u8) -> AccountId {
        AccountId([name; 32])
    }

    fn admins() -> Vec<AccountId> {
        [OWNER, ADMIN, SECOND].map(account).to_vec()
    }

    fn dag() -> Dag {
        Dag::new(node(0), admins())
    }

    fn admins_of(dag: &Dag, node: &NodeId) -> Vec<AccountId> {
        dag.commit(node)
            .map_or(dag.root_admins.clone(), |commit| commit.admins.clone())
    }

    /// A commit of an author on a parent.
    fn by(dag: &Dag, parent: u8, author: u8, targets: &[u8]) -> Commit {
        let parent = node(parent);
        let mut admins = admins_of(dag, &parent);
        admins.retain(|admin| !targets.iter().any(|target| account(*target) == *admin));
        Commit {
            parent,
            epoch: dag.path(&parent).count() as u64,
            author: account(author),
            device: DeviceId([author; 32]),
            tie: [author ^ 0x55; 32],
            targets: targets.iter().map(|target| Target::Account(account(*target))).collect(),
            admins,
        }
    }

    fn add(dag: &mut Dag, name: u8, parent: u8, author: u8, targets: &[u8]) {
        let commit = by(dag, parent, author, targets);
        dag.insert(node(name), commit).unwrap();
    }

    #[test]
    fn the_branch_with_the_later_commit_of_the_owner_wins() {
        let mut dag = dag();
        add(&mut dag, 1, 0, ADMIN, &[]);
        add(&mut dag, 2, 0, MEMBER, &[]);
        assert_eq!(dag.tip(), node(1));
        add(&mut dag, 3, 2, OWNER, &[]);
        assert_eq!(dag.tip(), node(3));
        // A longer branch without the owner changes nothing.
        add(&mut dag, 4, 1, ADMIN, &[]);
        add(&mut dag, 5, 4, SECOND, &[]);
        assert_eq!(dag.tip(), node(3));
    }

    #[test]
    fn f39_a_removed_admin_can_not_win_by_commits_beside_its_removal() {
        let mut dag = dag();
        add(&mut dag, 1, 0, OWNER, &[ADMIN]);
        // It goes back before its removal, and would remove the others.
        add(&mut dag, 2, 0, ADMIN, &[SECOND]);
        add(&mut dag, 3, 2, ADMIN, &[MEMBER]);
        assert_eq!(dag.tip(), node(1));
        // Nor through a puppet that it made senior.
        let mut puppet = by(&dag, 3, ADMIN, &[]);
        puppet.admins.push(account(9));
        dag.insert(node(4), puppet).unwrap();
        add(&mut dag, 5, 4, 9, &[MEMBER]);
        assert_eq!(dag.tip(), node(1));
        // What others build on the removal counts, also that of whom it wanted removed.
        add(&mut dag, 6, 1, SECOND, &[]);
        assert_eq!(dag.tip(), node(6));
    }

    #[test]
    fn f39_of_two_admins_who_remove_each_other_by_contradicting_ranks_the_senior_counts() {
        let mut dag = dag();
        add(&mut dag, 1, 0, ADMIN, &[SECOND]);
        add(&mut dag, 2, 0, SECOND, &[ADMIN]);
        // By the ranks where the two part.
        assert_eq!(dag.tip(), node(1));
        // Somebody more senior ends it.
        add(&mut dag, 3, 0, OWNER, &[ADMIN, SECOND]);
        assert_eq!(dag.tip(), node(3));
    }

    #[test]
    fn f39_own_hashes_order_only_one_authors_commits() {
        let mut dag = dag();
        add(&mut dag, 9, 0, ADMIN, &[]);
        // Ground until the hash is low: no use.
        add(&mut dag, 1, 0, MEMBER, &[]);
        assert_eq!(dag.tip(), node(9));
        add(&mut dag, 5, 0, ADMIN, &[]);
        assert_eq!(dag.tip(), node(5));
    }

    #[test]
    fn f48_commits_of_one_author_on_one_state_are_bounded() {
        let mut dag = dag();
        for name in 1..=limits::SIBLINGS as u8 {
            add(&mut dag, name, 0, MEMBER, &[]);
        }
        let more = by(&dag, 0, MEMBER, &[]);
        assert_eq!(dag.insert(node(99), more.clone()), Err(Unfit::TooMany));
        dag.insert_parting(node(99), more).unwrap();
    }

    #[test]
    fn settling_forgets_branches_that_lost_and_keeps_the_winner() {
        let mut dag = dag();
        add(&mut dag, 1, 0, OWNER, &[]);
        add(&mut dag, 2, 0, MEMBER, &[]);
        add(&mut dag, 3, 1, MEMBER, &[]);
        assert_eq!(dag.losers(), [node(2)]);
        let mut gone = dag.settle(node(1));
        gone.sort();
        assert_eq!(gone, [node(0), node(2)]);
        assert_eq!((dag.root(), dag.tip()), (node(1), node(3)));
        // What doesn't lead to the tip can't be settled on.
        add(&mut dag, 4, 1, OWNER, &[]);
        assert!(dag.settle(node(3)).is_empty());
    }

    /// A number made from another.
    fn next(state: &mut u64) -> u64 {
        *state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        *state >> 33
    }

    #[test]
    fn f37_any_order_of_arrival_gives_the_same_winner() {
        for seed in 1..400_u64 {
            let mut state = seed;
            let mut first = dag();
            for name in 1..24 {
                let parent = (next(&mut state) % u64::from(name)) as u8;
                let author = 1 + (next(&mut state) % 5) as u8;
                let targets = match next(&mut state) % 4 {
                    0 => vec![1 + (next(&mut state) % 5) as u8],
                    _ => vec![],
                };
                add(&mut first, name, parent, author, &targets);
            }
            let mut waiting: Vec<(NodeId, Commit)> = first.commits().map(|(n, c)| (*n, c.clone())).collect();
            let mut second = dag();
            while !waiting.is_empty() {
                let at = next(&mut state) as usize % waiting.len();
                let (name, commit) = waiting.swap_remove(at);
                if second.insert(name, commit.clone()) == Err(Unfit::NoParent) {
                    waiting.push((name, commit));
                }
            }
            assert_eq!(first.tip(), second.tip(), "seed {seed}");
        }
    }

    #[test]
    fn f38_what_builds_on_the_winner_keeps_it_winning() {
        for seed in 1..400_u64 {
            let mut state = seed;
            let mut dag = dag();
            for name in 1..60 {
                let on_tip = next(&mut state).is_multiple_of(2);
                let parent = if on_tip {
                    dag.tip().0[0]
                } else {
                    (next(&mut state) % u64::from(name)) as u8
                };
                add(&mut dag, name, parent, 1 + (next(&mut state) % 5) as u8, &[]);
                if on_tip {
                    assert_eq!(dag.tip(), node(name), "seed {seed}");
                }
            }
        }
    }
}
