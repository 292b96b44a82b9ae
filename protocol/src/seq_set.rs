//! A set of sequence numbers as ranges: what a device has of a stream, and what it reports.

use crate::wire::{DecodeError, Reader, Wire, Writer};
use serde::{Deserialize, Serialize};

/// Most ranges a set holds in memory or on disk; beyond, the lowest gap is closed, as if given up (a stream with so many holes is an attack).
const RANGES: usize = 8192;

/// Ascending ranges, inclusive, never touching. Encoded as `{uint64 first; uint64 last;}<V>`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeqSet {
    ranges: Vec<(u64, u64)>,
}

impl SeqSet {
    /// Adds a number; false if it was there.
    pub fn insert(&mut self, n: u64) -> bool {
        let at = self.ranges.partition_point(|(_, last)| *last < n);
        if let Some((first, _)) = self.ranges.get(at)
            && *first <= n
        {
            return false;
        }
        self.insert_range(n, n);
        true
    }

    /// Adds a range.
    pub fn insert_range(&mut self, first: u64, last: u64) {
        if first > last {
            return;
        }
        let from = self.ranges.partition_point(|(_, end)| end.saturating_add(1) < first);
        let to = self
            .ranges
            .partition_point(|(start, _)| *start <= last.saturating_add(1));
        let mut merged = (first, last);
        for (start, end) in self.ranges.get(from..to).unwrap_or_default() {
            merged = (merged.0.min(*start), merged.1.max(*end));
        }
        self.ranges.splice(from..to.max(from), [merged]);
        if self.ranges.len() > RANGES {
            let (first, _) = self.ranges.remove(0);
            if let Some(next) = self.ranges.first_mut() {
                next.0 = first;
            }
        }
    }

    /// Adds all of another set and returns what is new, as ranges.
    pub fn merge(&mut self, other: &Self) -> Vec<(u64, u64)> {
        let mut new = Vec::new();
        for (first, last) in &other.ranges {
            let mut at = *first;
            for (start, end) in &self.ranges {
                if *end < at {
                    continue;
                }
                if *start > *last {
                    break;
                }
                if *start > at {
                    new.push((at, *start - 1));
                }
                at = end.saturating_add(1);
            }
            if at <= *last {
                new.push((at, *last));
            }
        }
        for (first, last) in &new {
            self.insert_range(*first, *last);
        }
        new
    }

    /// Takes a range out, and returns what of it was in.
    pub fn remove_range(&mut self, first: u64, last: u64) -> Self {
        let (mut left, mut gone) = (Vec::with_capacity(self.ranges.len()), Self::default());
        for (start, end) in std::mem::take(&mut self.ranges) {
            let (from, to) = (start.max(first), end.min(last));
            if from > to {
                left.push((start, end));
                continue;
            }
            gone.ranges.push((from, to));
            if start < from {
                left.push((start, from - 1));
            }
            if to < end {
                left.push((to + 1, end));
            }
        }
        self.ranges = left;
        gone
    }

    /// What isn't in between two numbers, both included: the first `limit` ranges.
    pub fn holes(&self, first: u64, last: u64, limit: usize) -> Vec<(u64, u64)> {
        let mut holes = Vec::new();
        let (mut at, from) = (first, self.ranges.partition_point(|(_, end)| *end < first));
        for (start, end) in self.ranges.get(from..).unwrap_or_default() {
            if *start > last || holes.len() == limit {
                break;
            }
            if *start > at {
                holes.push((at, *start - 1));
            }
            at = end.saturating_add(1);
        }
        if at <= last && holes.len() < limit {
            holes.push((at, last));
        }
        holes
    }

    /// Whether something of a range is in.
    pub fn meets(&self, first: u64, last: u64) -> bool {
        let at = self.ranges.partition_point(|(_, end)| *end < first);
        self.ranges.get(at).is_some_and(|(start, _)| *start <= last)
    }

    /// Whether a number is in.
    pub fn contains(&self, n: u64) -> bool {
        let at = self.ranges.partition_point(|(_, last)| *last < n);
        self.ranges.get(at).is_some_and(|(first, _)| *first <= n)
    }

    /// The greatest number, 0 if empty.
    pub fn max(&self) -> u64 {
        self.ranges.last().map_or(0, |(_, last)| *last)
    }

    /// The ranges.
    pub fn ranges(&self) -> &[(u64, u64)] {
        &self.ranges
    }

    /// At most `limit` ranges, the newest kept: older ones are told by an earlier report.
    pub fn newest(&self, limit: usize) -> Self {
        let from = self.ranges.len().saturating_sub(limit);
        Self {
            ranges: self.ranges.get(from..).unwrap_or_default().to_vec(),
        }
    }

    /// At most `limit` ranges, the oldest kept.
    pub fn oldest(&self, limit: usize) -> Self {
        let to = self.ranges.len().min(limit);
        Self {
            ranges: self.ranges.get(..to).unwrap_or_default().to_vec(),
        }
    }

    /// Writes the ranges.
    pub fn write(&self, w: &mut Writer) {
        w.list(&self.ranges, |w, (first, last)| {
            w.u64(*first);
            w.u64(*last);
        });
    }

    /// Reads at most `limit` ranges, which must ascend without touching.
    pub fn read(r: &mut Reader<'_>, field: &'static str, limit: usize) -> Result<Self, DecodeError> {
        let ranges = r.list(field, limit, |r| Ok((r.u64(field)?, r.u64(field)?)))?;
        let mut least = 0;
        for (first, last) in &ranges {
            if *first < least || first > last || *last > u64::MAX - 2 {
                return Err(DecodeError::Invalid {
                    field,
                    reason: "ranges must ascend and not touch",
                });
            }
            least = last + 2;
        }
        Ok(Self { ranges })
    }
}

impl Wire for SeqSet {
    fn write(&self, w: &mut Writer) {
        SeqSet::write(self, w);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        SeqSet::read(r, "ranges", RANGES)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn behaves_as_a_set_of_numbers(numbers in proptest::collection::vec(1_u64..60, 0..80), others in proptest::collection::vec(1_u64..60, 0..80)) {
            let (mut set, mut model) = (SeqSet::default(), BTreeSet::new());
            for n in &numbers {
                prop_assert_eq!(set.insert(*n), model.insert(*n));
            }
            let mut other = SeqSet::default();
            for n in &others {
                other.insert(*n);
            }
            let new: BTreeSet<u64> = set.merge(&other).into_iter().flat_map(|(a, b)| a..=b).collect();
            let expected: BTreeSet<u64> = others.iter().copied().filter(|n| !model.contains(n)).collect();
            prop_assert_eq!(new, expected);
            model.extend(&others);
            for n in 0..62 {
                prop_assert_eq!(set.contains(n), model.contains(&n));
            }
            prop_assert_eq!(&SeqSet::decode(&set.encode()).unwrap(), &set);
            let holes: BTreeSet<u64> = set.holes(5, 40, 99).into_iter().flat_map(|(a, b)| a..=b).collect();
            prop_assert_eq!(holes, (5..=40).filter(|n| !model.contains(n)).collect::<BTreeSet<u64>>());
            prop_assert!(set.holes(5, 40, 2).len() <= 2);
            prop_assert_eq!(set.meets(10, 12), model.range(10..=12).next().is_some());
            let gone: BTreeSet<u64> = set.remove_range(10, 30).ranges().iter().flat_map(|(a, b)| *a..=*b).collect();
            prop_assert_eq!(gone, model.range(10..=30).copied().collect::<BTreeSet<u64>>());
            model.retain(|n| !(10..=30).contains(n));
            for n in 0..62 {
                prop_assert_eq!(set.contains(n), model.contains(&n));
            }
        }
    }

    #[test]
    fn overlapping_ranges_on_the_wire_are_refused() {
        let mut w = Writer::default();
        w.list(&[(5_u64, 9_u64), (10, 12)], |w, (a, b)| {
            w.u64(*a);
            w.u64(*b);
        });
        assert!(SeqSet::decode(&w.into_bytes()).is_err());
    }
}
