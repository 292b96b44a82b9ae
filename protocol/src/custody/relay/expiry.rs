//! Expiry: an envelope that has expired leaves its hash behind while older ones are kept, so that cursors stay checkable; a prefix
//! without envelopes is trimmed; an emptied topic is forgotten after another retention.

use super::config::{EXPIRY_CHUNK, ROWS_BYTES};
use super::stored::{self, LogRow};
use super::{Head, Relay};
use crate::envelope::Envelope;
use crate::keys::TopicId;
use crate::rows::{Rows, RowsError, Tree};
use std::collections::BTreeMap;

/// What a chunk does to one topic, found before anything is changed.
#[derive(Default)]
struct Plan {
    /// Expired rows by position.
    expired: BTreeMap<u64, Expired>,
    /// Positions that are trimmed.
    trimmed: Vec<u64>,
    /// The base after it.
    base: Head,
    /// The next row may be a stub too, but this chunk's work is done.
    unfinished: bool,
}

struct Expired {
    bytes: u64,
    id_key: Vec<u8>,
    stub: Vec<u8>,
    head: Head,
}

impl Relay {
    /// Takes one chunk of what has expired, unless the last one isn't durable yet.
    pub(super) fn expire(&mut self, now_s: u64, rows: &dyn Rows) -> Result<(), RowsError> {
        if self.expiring {
            return Ok(());
        }
        let end = now_s.saturating_add(1).to_be_bytes();
        let due = rows.range(Tree::RelayExpiry, &[], &end, EXPIRY_CHUNK, false)?;
        self.expiry_more = due.len() == EXPIRY_CHUNK;
        let mut topics: BTreeMap<TopicId, Vec<(u64, Vec<u8>)>> = BTreeMap::new();
        for (key, _) in due {
            let (_, topic, position) = stored::parse_expiry_key(&key)?;
            topics.entry(topic).or_default().push((position, key));
        }
        for (id, due) in topics {
            let plan = self.plan(id, &due, rows)?;
            self.expiring = true;
            self.expiry_in_current = true;
            for (_, key) in &due {
                self.current.batch.delete(Tree::RelayExpiry, key.clone());
                self.current_bytes += ROWS_BYTES;
            }
            self.apply(now_s, id, plan);
            if due.iter().any(|(position, _)| *position == 0) {
                self.forget(now_s, id);
            }
        }
        Ok(())
    }

    fn plan(&mut self, id: TopicId, due: &[(u64, Vec<u8>)], rows: &dyn Rows) -> Result<Plan, RowsError> {
        let topic = self.topics.load(id, rows, &self.config)?;
        let mut plan = Plan {
            base: topic.row.base,
            ..Plan::default()
        };
        for (position, _) in due {
            let Some(value) = rows.get(Tree::RelayLog, &stored::log_key(&id, *position))? else {
                continue;
            };
            let row = LogRow::decode(&value)?;
            let Some(kept) = row.kept else {
                continue;
            };
            let (_, envelope) = Envelope::peek(kept.envelope).map_err(|error| RowsError {
                reason: format!("a stored envelope is damaged: {error}"),
            })?;
            let expired = Expired {
                bytes: kept.envelope.len() as u64,
                id_key: stored::id_key(&id, &envelope),
                stub: LogRow {
                    hash: row.hash,
                    kept: None,
                }
                .encode(),
                head: Head {
                    position: *position,
                    hash: row.hash,
                },
            };
            plan.expired.insert(*position, expired);
        }
        while plan.base.position < topic.flushed.position {
            if plan.trimmed.len() == EXPIRY_CHUNK {
                plan.unfinished = true;
                break;
            }
            let next = plan.base.position + 1;
            plan.base = match plan.expired.get(&next) {
                Some(expired) => expired.head,
                None => match stub_at(&id, next, rows)? {
                    Some(head) => head,
                    None => break,
                },
            };
            plan.trimmed.push(next);
        }
        Ok(plan)
    }

    fn apply(&mut self, now_s: u64, id: TopicId, plan: Plan) {
        if plan.expired.is_empty() && plan.trimmed.is_empty() {
            return;
        }
        self.touch(id);
        let Some(topic) = self.topics.get_mut(&id) else {
            return;
        };
        let batch = &mut self.current.batch;
        for (position, expired) in plan.expired {
            topic.row.bytes = topic.row.bytes.saturating_sub(expired.bytes);
            topic.row.count = topic.row.count.saturating_sub(1);
            self.totals.bytes = self.totals.bytes.saturating_sub(expired.bytes);
            self.totals.envelopes = self.totals.envelopes.saturating_sub(1);
            self.totals_changed = true;
            self.stats.expired += 1;
            batch.delete(Tree::RelayIds, expired.id_key);
            if position > plan.base.position {
                batch.put(Tree::RelayLog, stored::log_key(&id, position), expired.stub);
            }
        }
        for position in plan.trimmed {
            batch.delete(Tree::RelayLog, stored::log_key(&id, position));
        }
        topic.row.base = plan.base;
        if plan.unfinished {
            let next = plan.base.position.saturating_add(1);
            batch.put(Tree::RelayExpiry, stored::expiry_key(now_s, &id, next), Vec::new());
            self.expiry_more = true;
        }
        if topic.row.count == 0 && topic.row.base.position == topic.row.head.position {
            topic.row.drop_at_s = now_s.saturating_add(u64::from(self.config.retention_s).max(1));
            batch.put(
                Tree::RelayExpiry,
                stored::expiry_key(topic.row.drop_at_s, &id, 0),
                Vec::new(),
            );
        }
    }

    /// Drops the row of a topic that is still empty after its time, unless somebody watches it.
    fn forget(&mut self, now_s: u64, id: TopicId) {
        let Some(topic) = self.topics.get_mut(&id) else {
            return;
        };
        if !topic.kept || topic.row.count > 0 || topic.row.drop_at_s > now_s {
            return;
        }
        if topic.watchers.is_empty() {
            topic.kept = false;
            self.totals.topics = self.totals.topics.saturating_sub(1);
            self.totals_changed = true;
        } else {
            topic.row.drop_at_s = now_s.saturating_add(u64::from(self.config.retention_s).max(1));
            let key = stored::expiry_key(topic.row.drop_at_s, &id, 0);
            self.current.batch.put(Tree::RelayExpiry, key, Vec::new());
        }
        self.touch(id);
    }
}

fn stub_at(id: &TopicId, position: u64, rows: &dyn Rows) -> Result<Option<Head>, RowsError> {
    let Some(value) = rows.get(Tree::RelayLog, &stored::log_key(id, position))? else {
        return Ok(None);
    };
    let row = LogRow::decode(&value)?;
    Ok(row.kept.is_none().then_some(Head {
        position,
        hash: row.hash,
    }))
}
