//! The way to the state that counts (spec/chat.md, section 9), in one look at the tree for what doesn't depend on the fork, and one at
//! each fork for what does.
//!
//! Places are numbered in preorder, so that what builds on a place is a range. Which commits a removal strikes, and which removals it
//! fells, is the same at each fork: whatever is struck is beside the removal, and so after the same fork as it. Only which removals
//! stand is asked anew at each fork, among those after it.

use super::{Commit, Dag, Merit, Target};
use crate::keys::{AccountId, NodeId};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// A node in its place.
struct Place<'a> {
    node: NodeId,
    /// None for the root.
    commit: Option<&'a Commit>,
    parent: usize,
    /// The first place that doesn't build on this one.
    end: usize,
}

/// A removal and what it does.
#[derive(Default)]
struct Removal {
    place: usize,
    /// By place: the commits that it strikes.
    struck: Vec<bool>,
    /// Removals that it fells, by their place among removals.
    fells: Vec<usize>,
}

pub(super) struct Choice<'a> {
    places: Vec<Place<'a>>,
    root_admins: &'a [AccountId],
    removals: Vec<Removal>,
    /// Looks at a place or pair, to compare the work of trees.
    pub steps: u64,
}

impl<'a> Choice<'a> {
    pub fn new(dag: &'a Dag) -> Self {
        let mut places: Vec<Place<'a>> = Vec::with_capacity(dag.nodes.len() + 1);
        let mut open = vec![(dag.root, 0)];
        while let Some((node, parent)) = open.pop() {
            let place = places.len();
            places.push(Place {
                node,
                commit: dag.nodes.get(&node),
                parent,
                end: place + 1,
            });
            open.extend(dag.children_of(&node).map(|child| (child, place)));
        }
        // Children come after their parents: from the last on, each widens its parent's range.
        let mut ends: Vec<usize> = places.iter().map(|place| place.end).collect();
        for (at, place) in places.iter().enumerate().skip(1).rev() {
            let end = ends.get(at).copied().unwrap_or(at);
            if let Some(above) = ends.get_mut(place.parent) {
                *above = end.max(*above);
            }
        }
        places.iter_mut().zip(ends).for_each(|(place, end)| place.end = end);
        let steps = places.len() as u64;
        Self {
            places,
            root_admins: &dag.root_admins,
            removals: Vec::new(),
            steps,
        }
    }

    /// The state that counts.
    pub fn tip(&mut self) -> Option<NodeId> {
        let forked = (0..self.places.len()).any(|at| self.children(at).nth(1).is_some());
        if forked {
            self.judge();
        }
        let mut at = 0;
        loop {
            let children: Vec<usize> = self.children(at).collect();
            let best = match children.as_slice() {
                [] => None,
                // Nothing after the state is beside it, so nothing strikes it there.
                [only] => Some(*only),
                _ => {
                    let void = self.void(at);
                    let is_void = |child: &usize| void.get(*child).copied().unwrap_or(false);
                    let mut merits = Vec::new();
                    for child in children.iter().copied().filter(|child| !is_void(child)) {
                        merits.push((self.merit(at, child, &void), child));
                    }
                    merits.into_iter().max().map(|(_, child)| child)
                }
            };
            match best {
                Some(child) => at = child,
                None => return self.places.get(at).map(|place| place.node),
            }
        }
    }

    fn end(&self, at: usize) -> usize {
        self.places.get(at).map_or(0, |place| place.end)
    }

    fn commit(&self, at: usize) -> Option<&'a Commit> {
        self.places.get(at).and_then(|place| place.commit)
    }

    fn children(&self, at: usize) -> impl Iterator<Item = usize> + '_ {
        let end = self.end(at);
        let within = move |child: &usize| *child < end;
        std::iter::successors(Some(at + 1).filter(within), move |child| {
            Some(self.end(*child)).filter(within)
        })
    }

    /// Whether a place is another one or builds on it.
    fn is_after(&self, later: usize, at: usize) -> bool {
        at <= later && later < self.end(at)
    }

    fn admins(&self, at: usize) -> &'a [AccountId] {
        self.commit(at).map_or(self.root_admins, |commit| &commit.admins)
    }

    fn rank(&self, state: usize, at: usize) -> usize {
        let author = self.commit(at).map(|commit| commit.author);
        let place = self.admins(state).iter().position(|admin| Some(*admin) == author);
        place.unwrap_or(usize::MAX)
    }

    /// Finds out what removals strike and fell.
    fn judge(&mut self) {
        let of_removal = |at: &usize| self.commit(*at).is_some_and(|commit| !commit.targets.is_empty());
        let places: Vec<usize> = (0..self.places.len()).filter(of_removal).collect();
        let mut by_account: BTreeMap<Target, Vec<usize>> = BTreeMap::new();
        for (at, place) in self.places.iter().enumerate() {
            if let Some(commit) = place.commit.filter(|_| !places.is_empty()) {
                by_account.entry(Target::Account(commit.author)).or_default().push(at);
                by_account.entry(Target::Device(commit.device)).or_default().push(at);
            }
        }
        let mut removals = Vec::with_capacity(places.len());
        let mut reached: Vec<Vec<bool>> = Vec::with_capacity(places.len());
        for removal in &places {
            let mut struck = vec![false; self.places.len()];
            let targets = self
                .commit(*removal)
                .map(|commit| commit.targets.as_slice())
                .unwrap_or_default();
            for at in targets
                .iter()
                .flat_map(|target| by_account.get(target).into_iter().flatten())
            {
                self.steps += 1;
                let beside = !self.is_after(*at, *removal) && !self.is_after(*removal, *at);
                if let Some(struck) = struck.get_mut(*at) {
                    *struck = beside;
                }
            }
            // It reaches what it strikes, and what builds on that.
            let mut reaches = struck.clone();
            for (at, place) in self.places.iter().enumerate().skip(1) {
                self.steps += 1;
                let above = reaches.get(place.parent).copied().unwrap_or(false);
                if let Some(reaches) = reaches.get_mut(at) {
                    *reaches |= above;
                }
            }
            reached.push(
                places
                    .iter()
                    .map(|other| reaches.get(*other).copied().unwrap_or(false))
                    .collect(),
            );
            removals.push(Removal {
                place: *removal,
                struck,
                fells: Vec::new(),
            });
        }
        let reaches = |by: usize, other: usize| {
            let row = reached.get(by);
            row.and_then(|row| row.get(other)).copied().unwrap_or(false)
        };
        for by in 0..removals.len() {
            let mut fells = Vec::new();
            for other in 0..removals.len() {
                self.steps += 1;
                let both = |places: &[usize]| Some((*places.get(by)?, *places.get(other)?));
                if by == other || !reaches(by, other) {
                    continue;
                }
                // Of two that reach each other the more senior one's counts.
                if reaches(other, by)
                    && let Some((by, other)) = both(&places)
                {
                    let fork = self.fork(by, other);
                    if self.rank(fork, other) < self.rank(fork, by) {
                        continue;
                    }
                }
                fells.push(other);
            }
            if let Some(removal) = removals.get_mut(by) {
                removal.fells = fells;
            }
        }
        self.removals = removals;
    }

    /// The deepest state that two places build on.
    fn fork(&mut self, one: usize, other: usize) -> usize {
        let mut at = one;
        while !self.is_after(other, at) {
            self.steps += 1;
            at = self.places.get(at).map_or(0, |place| place.parent);
        }
        at
    }

    /// By place: what standing removals after a state strike.
    fn void(&mut self, at: usize) -> Vec<bool> {
        let mut void = vec![false; self.places.len()];
        let mut open: Vec<bool> = self
            .removals
            .iter()
            .map(|removal| removal.place != at && self.is_after(removal.place, at))
            .collect();
        // How many open ones fell each.
        let mut fellers = vec![0_usize; open.len()];
        for removal in self
            .removals
            .iter()
            .zip(&open)
            .filter(|(_, open)| **open)
            .map(|(removal, _)| removal)
        {
            for other in &removal.fells {
                self.steps += 1;
                if let Some(count) = fellers.get_mut(*other) {
                    *count += 1;
                }
            }
        }
        let stands = |open: &[bool], fellers: &[usize], which: usize| {
            open.get(which) == Some(&true) && fellers.get(which) == Some(&0)
        };
        let mut standing: Vec<usize> = (0..open.len())
            .filter(|which| stands(&open, &fellers, *which))
            .collect();
        while let Some(by) = standing.pop() {
            let Some(removal) = self.removals.get(by) else {
                continue;
            };
            if let Some(open) = open.get_mut(by) {
                *open = false;
            }
            void.iter_mut()
                .zip(&removal.struck)
                .for_each(|(void, struck)| *void |= struck);
            self.steps += void.len() as u64;
            for fallen in &removal.fells {
                // Whatever fell once fells nobody any more.
                if open.get_mut(*fallen).is_none_or(|open| !std::mem::replace(open, false)) {
                    continue;
                }
                let freed = self.removals.get(*fallen).map(|fallen| fallen.fells.as_slice());
                for other in freed.unwrap_or_default() {
                    self.steps += 1;
                    if let Some(count) = fellers.get_mut(*other) {
                        *count = count.saturating_sub(1);
                    }
                    if stands(&open, &fellers, *other) {
                        standing.push(*other);
                    }
                }
            }
        }
        void
    }

    fn merit(&mut self, fork: usize, child: usize, void: &[bool]) -> Option<Merit> {
        let first = self.commit(child)?;
        let end = self.end(child);
        let (mut checkpoint, mut best) = (0, usize::MAX);
        let mut at = child;
        while at < end {
            self.steps += 1;
            if void.get(at) == Some(&true) {
                at = self.end(at);
                continue;
            }
            let rank = self.rank(fork, at);
            if rank == 0 {
                checkpoint = checkpoint.max(self.commit(at).map_or(0, |commit| commit.epoch));
            }
            best = best.min(rank);
            at += 1;
        }
        let node = self.places.get(child)?.node;
        Some(Merit {
            checkpoint,
            removal: first.targets.iter().any(|target| matches!(target, Target::Account(_))),
            rank: Reverse(best),
            tie: Reverse(first.tie),
            node: Reverse(node),
        })
    }
}
