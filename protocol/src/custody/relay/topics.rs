//! The topics that the relay has in memory, and the days of its depositors.

use super::config::{DAY_S, RelayConfig};
use super::stored::{self, Head, TopicRow};
use crate::keys::{TopicId, TransportKey};
use crate::rows::{Rows, RowsError, Tree};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Entries that loading one topic looks at to make room.
const EVICTION_TRIES: usize = 8;

/// A topic in memory. What isn't flushed yet is only here, so a topic with steps in flight or watchers stays.
#[derive(Debug, Default)]
pub(super) struct Topic {
    /// What is, or will be, stored.
    pub row: TopicRow,
    /// Whether there is a row, or will be.
    pub kept: bool,
    /// The newest envelope that is known to be on disk: as far as readers are served.
    pub flushed: Head,
    /// Steps that changed the topic and aren't durable yet.
    pub in_flight: usize,
    /// Peers that watch it.
    pub watchers: BTreeSet<TransportKey>,
    used: bool,
}

impl Topic {
    fn is_pinned(&self) -> bool {
        self.in_flight > 0 || !self.watchers.is_empty()
    }
}

/// Topics by id: all that are pinned, and of the others at most the configured number, by second chance.
#[derive(Debug, Default)]
pub(super) struct Topics {
    loaded: BTreeMap<TopicId, Topic>,
    /// Each loaded topic once.
    order: VecDeque<TopicId>,
}

impl Topics {
    pub fn get(&self, id: &TopicId) -> Option<&Topic> {
        self.loaded.get(id)
    }

    pub fn get_mut(&mut self, id: &TopicId) -> Option<&mut Topic> {
        self.loaded.get_mut(id)
    }

    /// The topic from memory or from its row; new if there is none.
    pub fn load(&mut self, id: TopicId, rows: &dyn Rows, config: &RelayConfig) -> Result<&mut Topic, RowsError> {
        if !self.loaded.contains_key(&id) {
            let row: Option<TopicRow> = stored::get(rows, Tree::RelayTopics, id.as_bytes())?;
            self.make_room(config.cached_topics);
            self.order.push_back(id);
            let (kept, row) = (row.is_some(), row.unwrap_or_default());
            self.loaded.insert(
                id,
                Topic {
                    row,
                    kept,
                    flushed: row.head,
                    ..Topic::default()
                },
            );
        }
        let topic = self.loaded.entry(id).or_default();
        topic.used = true;
        Ok(topic)
    }

    fn make_room(&mut self, limit: usize) {
        for _ in 0..EVICTION_TRIES {
            if self.loaded.len() < limit {
                return;
            }
            let Some(id) = self.order.pop_front() else {
                return;
            };
            match self.loaded.get_mut(&id) {
                Some(topic) if topic.used || topic.is_pinned() => {
                    topic.used = false;
                    self.order.push_back(id);
                }
                _ => {
                    self.loaded.remove(&id);
                }
            }
        }
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.loaded.len()
    }
}

/// What each depositor has deposited today.
#[derive(Debug, Default)]
pub(super) struct Depositors {
    days: BTreeMap<TransportKey, Day>,
    by_start: BTreeSet<(u64, TransportKey)>,
}

#[derive(Clone, Copy, Debug)]
struct Day {
    start_s: u64,
    bytes: u64,
}

impl Depositors {
    /// Whether `cost` bytes fit; otherwise the seconds until the day is over.
    pub fn room(&self, peer: &TransportKey, cost: u64, quota: u64, now_s: u64) -> Result<(), u32> {
        let day = self.day(peer, now_s);
        if day.bytes.saturating_add(cost) <= quota {
            return Ok(());
        }
        let left = day.start_s.saturating_add(DAY_S).saturating_sub(now_s);
        Err(u32::try_from(left).unwrap_or(u32::MAX).max(1))
    }

    /// Counts `cost` bytes.
    pub fn charge(&mut self, peer: TransportKey, cost: u64, limit: usize, now_s: u64) {
        let mut day = self.day(&peer, now_s);
        day.bytes = day.bytes.saturating_add(cost);
        if let Some(old) = self.days.insert(peer, day) {
            self.by_start.remove(&(old.start_s, peer));
        }
        self.by_start.insert((day.start_s, peer));
        while self.days.len() > limit.max(1) {
            let Some((_, oldest)) = self.by_start.pop_first() else {
                return;
            };
            self.days.remove(&oldest);
        }
    }

    /// The peer's day; a new one if it is over. When the clock has jumped back, the day begins again with what it held, so that
    /// nobody is shut out until a time that was never real.
    fn day(&self, peer: &TransportKey, now_s: u64) -> Day {
        match self.days.get(peer) {
            Some(day) if now_s < day.start_s => Day {
                start_s: now_s,
                bytes: day.bytes,
            },
            Some(day) if now_s - day.start_s < DAY_S => *day,
            _ => Day {
                start_s: now_s,
                bytes: 0,
            },
        }
    }
}
