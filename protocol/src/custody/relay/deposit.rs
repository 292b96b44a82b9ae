//! Deposits: what is taken, what is refused and why, and the receipt.

use super::config::{ENVELOPE_OVERHEAD_BYTES, EXPIRED_RETRY_S, RETRY_S, ROWS_BYTES};
use super::stored::{self, Kept, LogRow, Place};
use super::topics::Topic;
use super::{Head, Relay};
use crate::custody::frames::{Accepted, CustodianFrame, Deposit, Receipt, Refusal, Refused};
use crate::envelope::Envelope;
use crate::keys::{EnvelopeId, TransportKey};
use crate::rows::{Rows, RowsError, Tree};
use crate::wire::Wire;
use std::collections::BTreeMap;

/// Seconds after which a retry makes sense, found once for each reason of a deposit.
type Retries = BTreeMap<&'static str, u32>;

impl Relay {
    pub(super) fn deposit(
        &mut self,
        now_s: u64,
        peer: TransportKey,
        deposit: Deposit,
        rows: &dyn Rows,
    ) -> Result<(), RowsError> {
        let (mut accepted, mut refused) = (Vec::new(), Vec::new());
        let mut retries = Retries::new();
        for bytes in &deposit.envelopes {
            match self.admit(now_s, peer, bytes, &mut retries, rows)? {
                Ok(taken) => accepted.push(taken),
                Err(not) => {
                    self.count_refusal(not.why);
                    refused.push(not);
                }
            }
        }
        if refused.iter().any(|refused| refused.why == Refusal::Invalid) {
            self.penalise(peer, "a deposited envelope isn't valid");
        }
        let receipt = Receipt::sign(&self.key, deposit.request, accepted, refused);
        self.send(peer, &CustodianFrame::Receipt(receipt));
        Ok(())
    }

    fn admit(
        &mut self,
        now_s: u64,
        peer: TransportKey,
        bytes: &[u8],
        retries: &mut Retries,
        rows: &dyn Rows,
    ) -> Result<Result<Accepted, Refused>, RowsError> {
        let Ok((topic, id)) = Envelope::peek(bytes) else {
            let id = EnvelopeId(*blake3::hash(bytes).as_bytes());
            return Ok(Err(Refused {
                id,
                why: Refusal::Invalid,
                retry_after_s: 0,
            }));
        };
        if !self.peers.contains_key(&peer) {
            return Ok(Err(Refused {
                id,
                why: Refusal::Busy,
                retry_after_s: RETRY_S,
            }));
        }
        let kept = match self.recent.get(&(topic, id)) {
            Some(place) => Some(*place),
            None => stored::get(rows, Tree::RelayIds, &stored::id_key(&topic, &id))?,
        };
        if let Some(Place { until_s, .. }) = kept {
            // What has expired, and is still to be removed or being removed, isn't held: a receipt would promise nothing.
            if until_s <= now_s && !self.recent.contains_key(&(topic, id)) {
                return Ok(Err(Refused {
                    id,
                    why: Refusal::Busy,
                    retry_after_s: EXPIRED_RETRY_S,
                }));
            }
            self.stats.repeated += 1;
            return Ok(Ok(Accepted { id, until_s }));
        }
        let Ok(envelope) = Envelope::verify(bytes) else {
            return Ok(Err(Refused {
                id,
                why: Refusal::Invalid,
                retry_after_s: 0,
            }));
        };
        self.topics.load(topic, rows, &self.config)?;
        if let Err((why, retry_after_s)) = self.quota(now_s, peer, &envelope, retries, rows)? {
            return Ok(Err(Refused { id, why, retry_after_s }));
        }
        let until_s = now_s.saturating_add(u64::from(envelope.ttl_s().min(self.config.retention_s)));
        self.keep(now_s, peer, &envelope, until_s);
        Ok(Ok(Accepted { id, until_s }))
    }

    fn keep(&mut self, now_s: u64, peer: TransportKey, envelope: &Envelope, until_s: u64) {
        let (topic_id, id, bytes) = (envelope.topic(), envelope.id(), envelope.bytes());
        self.touch(topic_id);
        let Some(topic) = self.topics.get_mut(&topic_id) else {
            return;
        };
        let head = Head {
            position: topic.row.head.position.saturating_add(1),
            hash: topic.row.head.hash.then(&id),
        };
        topic.row.head = head;
        topic.row.bytes += bytes.len() as u64;
        topic.row.count += 1;
        if !std::mem::replace(&mut topic.kept, true) {
            self.totals.topics += 1;
        }
        self.totals.bytes += bytes.len() as u64;
        self.totals.envelopes += 1;
        self.totals_changed = true;
        self.depositors
            .charge(peer, cost(envelope), self.config.depositors, now_s);

        let place = Place {
            position: head.position,
            until_s,
        };
        let row = LogRow {
            hash: head.hash,
            kept: Some(Kept {
                until_s,
                envelope: bytes,
            }),
        };
        self.current_bytes += ROWS_BYTES + bytes.len();
        let batch = &mut self.current.batch;
        batch.put(Tree::RelayLog, stored::log_key(&topic_id, head.position), row.encode());
        batch.put(Tree::RelayIds, stored::id_key(&topic_id, &id), place.encode());
        batch.put(
            Tree::RelayExpiry,
            stored::expiry_key(until_s, &topic_id, head.position),
            Vec::new(),
        );
        self.recent.insert((topic_id, id), place);
        self.current_ids.push((topic_id, id));
        self.stats.accepted += 1;
    }

    /// Whether every quota has room; otherwise which has not, and when a retry makes sense.
    fn quota(
        &self,
        now_s: u64,
        peer: TransportKey,
        envelope: &Envelope,
        retries: &mut Retries,
        rows: &dyn Rows,
    ) -> Result<Result<(), (Refusal, u32)>, RowsError> {
        let config = &self.config;
        let cost = cost(envelope);
        let Some(topic) = self.topics.get(&envelope.topic()) else {
            return Ok(Err((Refusal::Busy, RETRY_S)));
        };
        if topic.row.count >= config.topic_envelopes
            || charged(topic.row.bytes, topic.row.count).saturating_add(cost) > config.topic_bytes
        {
            let retry = topic_retry(now_s, envelope, topic, rows)?;
            return Ok(Err((Refusal::TopicQuota, retry)));
        }
        if let Err(retry) = self.depositors.room(&peer, cost, config.depositor_bytes_per_day, now_s) {
            return Ok(Err((Refusal::DepositorQuota, retry)));
        }
        if charged(self.totals.bytes, self.totals.envelopes).saturating_add(cost) > config.total_bytes
            || (!topic.kept && self.totals.topics >= config.topics)
        {
            let name = Refusal::Full.name();
            let retry = match retries.get(name) {
                Some(retry) => *retry,
                None => next_expiry(now_s, rows)?,
            };
            retries.insert(name, retry);
            return Ok(Err((Refusal::Full, retry)));
        }
        Ok(Ok(()))
    }
}

/// Bytes that an envelope counts for in every quota.
fn cost(envelope: &Envelope) -> u64 {
    charged(envelope.bytes().len() as u64, 1)
}

fn charged(bytes: u64, envelopes: u64) -> u64 {
    bytes.saturating_add(envelopes.saturating_mul(ENVELOPE_OVERHEAD_BYTES))
}

/// Until the topic's oldest envelope expires; the one after the base is never a stub for long.
fn topic_retry(now_s: u64, envelope: &Envelope, topic: &Topic, rows: &dyn Rows) -> Result<u32, RowsError> {
    let oldest = stored::log_key(&envelope.topic(), topic.row.base.position.saturating_add(1));
    let Some(value) = rows.get(Tree::RelayLog, &oldest)? else {
        return Ok(RETRY_S);
    };
    Ok(LogRow::decode(&value)?
        .kept
        .map_or(RETRY_S, |kept| seconds_until(kept.until_s, now_s)))
}

fn next_expiry(now_s: u64, rows: &dyn Rows) -> Result<u32, RowsError> {
    let first = rows.range(Tree::RelayExpiry, &[], &u64::MAX.to_be_bytes(), 1, false)?;
    let Some((key, _)) = first.first() else {
        return Ok(RETRY_S);
    };
    let (until_s, ..) = stored::parse_expiry_key(key)?;
    Ok(seconds_until(until_s, now_s))
}

fn seconds_until(until_s: u64, now_s: u64) -> u32 {
    u32::try_from(until_s.saturating_sub(now_s)).unwrap_or(u32::MAX).max(1)
}
