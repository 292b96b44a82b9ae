//! The topics that the relay has in memory, and the days of its depositors.

use super::config::{DAY_S, DEPOSITOR_STEPS, ROWS_PER_READ, RelayConfig};
use super::damage::{self, Damage, First};
use super::stored::{self, Day, Head, Span, TopicRow, Totals};
use crate::keys::{TopicId, TransportKey};
use crate::rows::{Batch, Rows, RowsError, Tree};
use crate::wire::Wire;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Entries that loading one topic looks at to make room.
const EVICTION_TRIES: usize = 8;
/// Numbers left out where the next one isn't known: as many topics as may be remembered, so that none that is forgotten or damaged
/// shares its number with a new one.
const NUMBERS_SKIPPED: u64 = 1 << 20;

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
    /// What is, or will be, in the expiry index, as far as it was needed.
    pub spans: BTreeMap<u64, Span>,
    /// Those that the current step changed.
    pub changed_spans: BTreeSet<u64>,
    used: bool,
}

impl Topic {
    fn is_pinned(&self) -> bool {
        self.in_flight > 0 || !self.watchers.is_empty()
    }

    /// Adds positions to what is looked at when `due_s` comes, or, without one, the topic itself.
    pub fn expect(
        &mut self,
        topic: TopicId,
        due_s: u64,
        position: Option<u64>,
        rows: &dyn Rows,
        damage: &mut Damage,
    ) -> Result<(), RowsError> {
        let known = match self.spans.get(&due_s) {
            Some(known) => Some(*known),
            None => {
                let key = stored::expiry_key(due_s, self.row.number);
                damage::get(rows, Tree::RelayExpiry, &key, damage)?
            }
        };
        let mut span = known.unwrap_or(Span {
            topic,
            first: 0,
            last: 0,
        });
        if let Some(position) = position {
            span.first = if span.first == 0 {
                position
            } else {
                span.first.min(position)
            };
            span.last = span.last.max(position);
        }
        if known != Some(span) {
            self.spans.insert(due_s, span);
            self.changed_spans.insert(due_s);
        }
        Ok(())
    }

    /// Writes what the current step changed.
    pub fn write(&mut self, id: TopicId, batch: &mut Batch) {
        for due_s in std::mem::take(&mut self.changed_spans) {
            let key = stored::expiry_key(due_s, self.row.number);
            match self.spans.get(&due_s) {
                Some(span) => batch.put(Tree::RelayExpiry, key, span.encode()),
                None => batch.delete(Tree::RelayExpiry, key),
            }
        }
        if self.kept {
            batch.put(Tree::RelayTopics, id.as_bytes().as_slice(), self.row.encode());
        } else {
            batch.delete(Tree::RelayTopics, id.as_bytes().as_slice());
        }
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

    /// The topic from memory or from its row; new if there is none, or none that can be read.
    pub fn load(
        &mut self,
        id: TopicId,
        rows: &dyn Rows,
        config: &RelayConfig,
        damage: &mut Damage,
    ) -> Result<&mut Topic, RowsError> {
        if !self.loaded.contains_key(&id) {
            let row: Option<TopicRow> = damage::get(rows, Tree::RelayTopics, id.as_bytes(), damage)?;
            self.make_room(config.cached_topics);
            self.order.push_back(id);
            self.loaded.insert(id, fresh(row));
        }
        let topic = self.loaded.entry(id).or_default();
        topic.used = true;
        Ok(topic)
    }

    /// Goes back to what is on disk, after a step that will never be there. Watchers stay: they saw only what is.
    pub fn reset(&mut self, rows: &dyn Rows, damage: &mut Damage) -> Result<(), RowsError> {
        for (id, topic) in &mut self.loaded {
            let row = damage::get(rows, Tree::RelayTopics, id.as_bytes(), damage)?;
            *topic = Topic {
                watchers: std::mem::take(&mut topic.watchers),
                used: topic.used,
                ..fresh(row)
            };
        }
        Ok(())
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

fn fresh(row: Option<TopicRow>) -> Topic {
    let (kept, row) = (row.is_some(), row.unwrap_or_default());
    Topic {
        row,
        kept,
        flushed: row.head,
        ..Topic::default()
    }
}

/// What the topics' rows hold together, for when the totals are damaged. Numbers begin again far above the greatest in use.
pub(super) fn summed(rows: &dyn Rows, damage: &mut Damage) -> Result<Totals, RowsError> {
    let mut totals = Totals::default();
    let end = crate::rows::prefix_end(&[]);
    let mut after = Vec::new();
    loop {
        let read = match damage::first(rows, Tree::RelayTopics, (&after, &end), ROWS_PER_READ, 32)? {
            First::Rows(read) => read,
            First::Damaged(key) => {
                after = [key.as_slice(), &[0]].concat();
                damage.note(Tree::RelayTopics, key);
                continue;
            }
        };
        let Some((last, _)) = read.last() else {
            return Ok(totals);
        };
        after = [last.as_slice(), &[0]].concat();
        for row in read.iter().filter_map(|(_, value)| TopicRow::decode(value).ok()) {
            totals.topics += 1;
            totals.bytes = totals.bytes.saturating_add(row.bytes);
            totals.envelopes = totals.envelopes.saturating_add(row.count);
            totals.blobs = totals.blobs.saturating_add(row.blobs);
            totals.blob_bytes = totals.blob_bytes.saturating_add(row.blob_bytes);
            totals.next_number = totals.next_number.max(row.number.saturating_add(NUMBERS_SKIPPED));
        }
    }
}

/// What each depositor has deposited today.
#[derive(Debug, Default)]
pub(super) struct Depositors {
    days: BTreeMap<TransportKey, Counted>,
    by_start: BTreeSet<(u64, TransportKey)>,
    changed: BTreeSet<TransportKey>,
}

#[derive(Clone, Copy, Debug)]
struct Counted {
    day: Day,
    /// What the row says.
    written: Day,
}

impl Depositors {
    /// Reads the days that were going on.
    pub fn load(rows: &dyn Rows, limit: usize, damage: &mut Damage) -> Result<Self, RowsError> {
        let mut depositors = Self::default();
        let end = crate::rows::prefix_end(&[]);
        let mut after = Vec::new();
        while depositors.days.len() < limit {
            let read = match damage::first(rows, Tree::RelayDepositors, (&after, &end), ROWS_PER_READ, 32)? {
                First::Rows(read) => read,
                First::Damaged(key) => {
                    after = [key.as_slice(), &[0]].concat();
                    damage.note(Tree::RelayDepositors, key);
                    continue;
                }
            };
            let Some((last, _)) = read.last() else {
                break;
            };
            after = [last.as_slice(), &[0]].concat();
            for (key, value) in read {
                let (Ok(key), Ok(day)) = (<[u8; 32]>::try_from(key.as_slice()), Day::decode(&value)) else {
                    damage.note(Tree::RelayDepositors, key);
                    continue;
                };
                let key = TransportKey(key);
                depositors.by_start.insert((day.start_s, key));
                depositors.days.insert(key, Counted { day, written: day });
            }
        }
        Ok(depositors)
    }

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
    pub fn charge(&mut self, peer: TransportKey, cost: u64, config: &RelayConfig, now_s: u64) {
        let mut day = self.day(&peer, now_s);
        day.bytes = day.bytes.saturating_add(cost);
        let none = Day { start_s: 0, bytes: 0 };
        let written = self.days.get(&peer).map_or(none, |counted| counted.written);
        if let Some(old) = self.days.insert(peer, Counted { day, written }) {
            self.by_start.remove(&(old.day.start_s, peer));
        }
        self.by_start.insert((day.start_s, peer));
        let step = config.depositor_bytes_per_day / DEPOSITOR_STEPS;
        let same_day = written.start_s == day.start_s;
        if day.bytes.saturating_sub(if same_day { written.bytes } else { 0 }) > step {
            self.changed.insert(peer);
        }
        while self.days.len() > config.depositors.max(1) {
            let Some((_, oldest)) = self.by_start.pop_first() else {
                return;
            };
            self.days.remove(&oldest);
            self.changed.insert(oldest);
        }
    }

    /// Removes the rows of days that are over; at most a few each time.
    pub fn prune(&mut self, now_s: u64) {
        for _ in 0..ROWS_PER_READ {
            let Some((start_s, peer)) = self.by_start.first().copied() else {
                return;
            };
            if start_s.saturating_add(DAY_S) > now_s {
                return;
            }
            self.by_start.remove(&(start_s, peer));
            if self.days.remove(&peer).is_some_and(|counted| counted.written.bytes > 0) {
                self.changed.insert(peer);
            }
        }
    }

    /// Writes what has changed enough.
    pub fn write(&mut self, batch: &mut Batch) {
        for peer in std::mem::take(&mut self.changed) {
            match self.days.get_mut(&peer) {
                Some(counted) => {
                    counted.written = counted.day;
                    batch.put(Tree::RelayDepositors, peer.0, counted.day.encode());
                }
                None => batch.delete(Tree::RelayDepositors, peer.0),
            }
        }
    }

    /// The peer's day; a new one if it is over. When the clock has jumped back, the day begins again with what it held, so that
    /// nobody is shut out until a time that was never real.
    fn day(&self, peer: &TransportKey, now_s: u64) -> Day {
        match self.days.get(peer).map(|counted| counted.day) {
            Some(day) if now_s < day.start_s => Day {
                start_s: now_s,
                bytes: day.bytes,
            },
            Some(day) if now_s - day.start_s < DAY_S => day,
            _ => Day {
                start_s: now_s,
                bytes: 0,
            },
        }
    }
}
