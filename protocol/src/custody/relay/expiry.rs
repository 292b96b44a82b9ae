//! Expiry: what expires within the same stretch of time is removed together at its end, a bounded chunk each tick. An envelope that has
//! expired leaves its hash behind while older ones are kept, so that cursors stay checkable; a prefix without envelopes is trimmed; an
//! emptied topic is forgotten after another retention.

use super::config::{EXPIRY_BYTES, EXPIRY_CHUNK, EXPIRY_ROWS, ROWS_BYTES, ROWS_PER_READ};
use super::damage::{self, First};
use super::stored::{self, LogRow, Span};
use super::{Head, Relay};
use crate::keys::TopicId;
use crate::rows::{Rows, RowsError, Tree};
use crate::wire::Wire;

/// Bytes of a key of `RelayExpiry`.
const KEY: usize = 14;

/// What one tick may still do.
struct Budget {
    rows: usize,
    bytes: usize,
}

impl Budget {
    fn is_spent(&self) -> bool {
        self.rows == 0 || self.bytes == 0
    }
}

/// What a chunk does to one topic, found before anything is changed.
#[derive(Default)]
struct Plan {
    expired: Vec<Expired>,
    /// Positions whose rows go without a stub.
    trimmed: Vec<u64>,
    /// Positions whose rows are damaged.
    lost: Vec<u64>,
    /// The base after it.
    base: Head,
    /// Where the work goes on if this chunk's is done; positions from there on were not looked at.
    goes_on: Option<u64>,
}

struct Expired {
    head: Head,
    bytes: u64,
    id_key: Vec<u8>,
}

/// The earliest time in the expiry index.
pub(super) fn next_due(rows: &dyn Rows, damage: &mut damage::Damage) -> Result<Option<u64>, RowsError> {
    let end = [u8::MAX; KEY + 1];
    Ok(match damage::first(rows, Tree::RelayExpiry, (&[], &end), 1, KEY)? {
        First::Rows(found) => found.first().map(|(key, _)| stored::parse_expiry_key(key).0),
        First::Damaged(key) => {
            damage.note(Tree::RelayExpiry, key);
            None
        }
    })
}

impl Relay {
    /// Takes one chunk of what has expired, unless the last one isn't durable yet.
    pub(super) fn expire(&mut self, now_s: u64, rows: &dyn Rows) -> Result<(), RowsError> {
        if self.expiring || self.read_only {
            return Ok(());
        }
        let end = now_s.saturating_add(1).to_be_bytes();
        let due = match damage::first(rows, Tree::RelayExpiry, (&[], &end), EXPIRY_ROWS, KEY)? {
            First::Rows(due) => due,
            First::Damaged(key) => {
                // What it named goes with the rest of its topic: a prefix that has expired is trimmed whatever the index says.
                self.expiry_more = true;
                self.expiring = true;
                self.expiry_in_current = true;
                self.damage.note(Tree::RelayExpiry, key);
                return Ok(());
            }
        };
        self.expiry_more = due.len() == EXPIRY_ROWS;
        let mut budget = Budget {
            rows: EXPIRY_CHUNK,
            bytes: EXPIRY_BYTES,
        };
        for (key, value) in due {
            if budget.is_spent() {
                self.expiry_more = true;
                break;
            }
            self.expiring = true;
            self.expiry_in_current = true;
            self.current_bytes += ROWS_BYTES;
            let (due_s, number) = stored::parse_expiry_key(&key);
            let Ok(span) = Span::decode(&value) else {
                self.damage.note(Tree::RelayExpiry, key);
                continue;
            };
            self.expire_span(now_s, due_s, number, span, &mut budget, rows)?;
        }
        Ok(())
    }

    fn expire_span(
        &mut self,
        now_s: u64,
        due_s: u64,
        number: u64,
        span: Span,
        budget: &mut Budget,
        rows: &dyn Rows,
    ) -> Result<(), RowsError> {
        let id = span.topic;
        let topic = self.topics.load(id, rows, &self.config, &mut self.damage)?;
        if !topic.kept || topic.row.number != number {
            return self.sweep_orphans(due_s, number, span, budget, rows);
        }
        // What is in memory may be more than the row that was read says.
        let span = topic.spans.get(&due_s).copied().unwrap_or(span);
        let plan = self.plan(now_s, id, span, budget, rows)?;
        let goes_on = plan.goes_on;
        self.touch(id);
        self.apply(id, plan);
        self.expiry_more |= goes_on.is_some();
        let Some(topic) = self.topics.get_mut(&id) else {
            return Ok(());
        };
        topic.changed_spans.insert(due_s);
        match goes_on {
            Some(first) => {
                topic.spans.insert(due_s, Span { first, ..span });
            }
            None => {
                topic.spans.remove(&due_s);
            }
        }
        self.leave_empty(now_s, id, rows)
    }

    fn plan(
        &mut self,
        now_s: u64,
        id: TopicId,
        span: Span,
        budget: &mut Budget,
        rows: &dyn Rows,
    ) -> Result<Plan, RowsError> {
        let topic = self.topics.load(id, rows, &self.config, &mut self.damage)?;
        let (number, newest) = (topic.row.number, topic.flushed);
        let mut plan = Plan {
            base: topic.row.base,
            ..Plan::default()
        };
        // First what nothing older is kept before, then what the index names beyond it.
        let mut in_front = true;
        let mut at = plan.base.position.saturating_add(1);
        loop {
            let last = if in_front {
                newest.position
            } else {
                span.last.min(newest.position)
            };
            if at > last {
                break;
            }
            if budget.is_spent() {
                plan.goes_on = Some(at);
                return Ok(plan);
            }
            let read = damage::log(rows, number, at, last, ROWS_PER_READ.min(budget.rows))?;
            if read.is_empty() {
                at = last.saturating_add(1);
            }
            for (position, value) in read {
                budget.rows = budget.rows.saturating_sub(1);
                at = position.saturating_add(1);
                let row = value.as_deref().and_then(LogRow::decode);
                budget.bytes = budget.bytes.saturating_sub(value.as_ref().map_or(0, Vec::len));
                let Some(row) = row else {
                    plan.lost.push(position);
                    continue;
                };
                let head = Head {
                    position,
                    hash: row.hash,
                };
                match row.kept {
                    Some(kept) if kept.until_s > now_s => {
                        if in_front {
                            in_front = false;
                            at = at.max(span.first);
                            break;
                        }
                        continue;
                    }
                    Some(kept) => plan.expired.push(Expired {
                        head,
                        bytes: kept.len() as u64,
                        id_key: stored::id_key(number, &kept.id(&id)),
                    }),
                    None => {}
                }
                if in_front {
                    plan.base = head;
                    plan.trimmed.push(position);
                }
            }
        }
        if in_front {
            plan.base = newest;
        }
        Ok(plan)
    }

    fn apply(&mut self, id: TopicId, plan: Plan) {
        for position in plan.lost {
            self.lose(id, position);
        }
        let Some(topic) = self.topics.get_mut(&id) else {
            return;
        };
        let (number, batch) = (topic.row.number, &mut self.current.batch);
        self.totals_changed = true;
        for expired in plan.expired {
            topic.row.bytes = topic.row.bytes.saturating_sub(expired.bytes);
            topic.row.count = topic.row.count.saturating_sub(1);
            self.totals.bytes = self.totals.bytes.saturating_sub(expired.bytes);
            self.totals.envelopes = self.totals.envelopes.saturating_sub(1);
            self.stats.expired += 1;
            self.current_bytes += ROWS_BYTES;
            batch.delete(Tree::RelayIds, expired.id_key);
            if expired.head.position > plan.base.position {
                let key = stored::log_key(number, expired.head.position);
                batch.put(Tree::RelayLog, key, LogRow::stub(expired.head.hash));
            }
        }
        for position in plan.trimmed {
            self.current_bytes += ROWS_BYTES / 8;
            batch.delete(Tree::RelayLog, stored::log_key(number, position));
        }
        topic.row.base = plan.base;
    }

    /// An emptied topic is forgotten after a retention, unless it has blobs, somebody watches it or, being hosted, did so lately.
    fn leave_empty(&mut self, now_s: u64, id: TopicId, rows: &dyn Rows) -> Result<(), RowsError> {
        let retention_s = u64::from(self.config.retention_s).max(1);
        let Some(topic) = self.topics.get_mut(&id) else {
            return Ok(());
        };
        if topic.row.base.position < topic.row.head.position {
            return Ok(());
        }
        // What is left over of rows that were lost unseen.
        self.totals.bytes = self.totals.bytes.saturating_sub(topic.row.bytes);
        self.totals.envelopes = self.totals.envelopes.saturating_sub(topic.row.count);
        (topic.row.bytes, topic.row.count) = (0, 0);
        let drop_at_s = topic.row.drop_at_s;
        if drop_at_s > now_s {
            return Ok(());
        }
        let is_used = !topic.watchers.is_empty() || topic.row.blobs > 0;
        let wanted = is_used || topic.row.hosted_s.saturating_add(retention_s) > now_s;
        if drop_at_s > 0 && !wanted {
            topic.kept = false;
            topic.spans.clear();
            self.totals.topics = self.totals.topics.saturating_sub(1);
            return Ok(());
        }
        topic.row.drop_at_s = now_s.saturating_add(retention_s);
        topic.expect(id, topic.row.drop_at_s, None, rows, &mut self.damage)
    }

    /// Removes what a damaged topic row has left without a topic.
    fn sweep_orphans(
        &mut self,
        due_s: u64,
        number: u64,
        span: Span,
        budget: &mut Budget,
        rows: &dyn Rows,
    ) -> Result<(), RowsError> {
        let key = stored::expiry_key(due_s, number);
        let mut at = span.first;
        while at <= span.last && span.last > 0 {
            if budget.is_spent() {
                let rest = Span { first: at, ..span };
                self.current.batch.put(Tree::RelayExpiry, key, rest.encode());
                self.expiry_more = true;
                return Ok(());
            }
            let read = damage::log(rows, number, at, span.last, ROWS_PER_READ.min(budget.rows))?;
            if read.is_empty() {
                break;
            }
            for (position, value) in read {
                at = position.saturating_add(1);
                budget.rows = budget.rows.saturating_sub(1);
                budget.bytes = budget.bytes.saturating_sub(value.as_ref().map_or(0, Vec::len));
                self.current_bytes += ROWS_BYTES;
                let batch = &mut self.current.batch;
                batch.delete(Tree::RelayLog, stored::log_key(number, position));
                let Some(kept) = value.as_deref().and_then(LogRow::decode).and_then(|row| row.kept) else {
                    continue;
                };
                batch.delete(Tree::RelayIds, stored::id_key(number, &kept.id(&span.topic)));
                self.totals.bytes = self.totals.bytes.saturating_sub(kept.len() as u64);
                self.totals.envelopes = self.totals.envelopes.saturating_sub(1);
                self.totals_changed = true;
                self.stats.expired += 1;
            }
        }
        self.current.batch.delete(Tree::RelayExpiry, key);
        Ok(())
    }
}
