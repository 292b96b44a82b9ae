//! Deposits: what is taken, what is refused and why, and the receipt.

use super::config::{ENVELOPE_OVERHEAD_BYTES, READ_ONLY_RETRY_S, REMOVAL_S, RETRY_S, ROWS_BYTES, RelayConfig};
use super::damage::{self, Damage, Found};
use super::stored::{self, LATEST_S, LogRow};
use super::topics::Topic;
use super::{Head, Relay};
use crate::custody::frames::{Accepted, ClientFrame, CustodianFrame, Receipt, Refusal, Refused};
use crate::envelope::Envelope;
use crate::keys::{EnvelopeId, TopicId, TransportKey};
use crate::rows::{Rows, RowsError, Tree};
use crate::wire::Wire;
use std::collections::BTreeMap;

/// Seconds after which a retry makes sense, found once for each reason of a deposit.
type Retries = BTreeMap<&'static str, u32>;

/// A deposit whose envelopes have been verified. Only [`Verified::check`] makes one, so that a shell can do that work on other threads
/// and nothing reaches the log that wasn't checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    request: u64,
    /// Each envelope, or the id to refuse it by.
    envelopes: Vec<Result<Envelope, EnvelopeId>>,
}

impl Verified {
    /// Reads a frame and verifies what it deposits; `None` if it isn't a deposit that can be read.
    #[must_use]
    pub fn check(frame: &[u8]) -> Option<Self> {
        match ClientFrame::decode(frame) {
            Ok(ClientFrame::Deposit(deposit)) => Some(Self::of(deposit.request, &deposit.envelopes)),
            _ => None,
        }
    }

    pub(super) fn of(request: u64, envelopes: &[Vec<u8>]) -> Self {
        let envelopes = envelopes
            .iter()
            .map(|bytes| Envelope::verify(bytes).map_err(|_| name(bytes)));
        Self {
            request,
            envelopes: envelopes.collect(),
        }
    }

    /// The number of envelopes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.envelopes.len()
    }

    /// Whether it deposits nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.envelopes.is_empty()
    }

    /// Envelopes that a test takes for verified.
    #[cfg(test)]
    pub(super) fn unchecked(request: u64, envelopes: Vec<Envelope>) -> Self {
        Self {
            request,
            envelopes: envelopes.into_iter().map(Ok).collect(),
        }
    }
}

/// What bytes are refused by: the envelope's id, or if they aren't one, their hash.
fn name(bytes: &[u8]) -> EnvelopeId {
    Envelope::peek(bytes).map_or_else(|_| EnvelopeId(*blake3::hash(bytes).as_bytes()), |(_, id)| id)
}

impl Relay {
    pub(super) fn deposit(
        &mut self,
        now_s: u64,
        peer: TransportKey,
        deposit: Verified,
        rows: &dyn Rows,
    ) -> Result<(), RowsError> {
        let (mut accepted, mut refused) = (Vec::new(), Vec::new());
        let mut retries = Retries::new();
        let mut junk = false;
        for envelope in deposit.envelopes {
            let (id, outcome) = match envelope {
                Ok(envelope) => (envelope.id(), self.admit(now_s, peer, &envelope, &mut retries, rows)?),
                Err(id) => {
                    junk = true;
                    (id, Err((Refusal::Invalid, 0)))
                }
            };
            match outcome {
                Ok(until_s) => accepted.push(Accepted { id, until_s }),
                Err((why, retry_after_s)) => {
                    self.count_refusal(why);
                    refused.push(Refused { id, why, retry_after_s });
                }
            }
        }
        if junk {
            self.penalise(peer, "a deposited envelope isn't valid");
        }
        let receipt = Receipt::sign(&self.key, deposit.request, accepted, refused);
        self.send(peer, &CustodianFrame::Receipt(receipt));
        Ok(())
    }

    /// Answers a deposit or a put of chunks with `busy`, unverified and unread but for its ids.
    pub(super) fn shed(&mut self, peer: TransportKey, frame: &[u8], retry_after_s: u32) {
        let deposit = match ClientFrame::decode(frame) {
            Ok(ClientFrame::Deposit(deposit)) => deposit,
            Ok(ClientFrame::PutBlob(put)) => {
                self.stats.shed += 1;
                return self.refuse_blob(peer, put.request, Refusal::Busy, retry_after_s);
            }
            _ => return,
        };
        self.stats.shed += 1;
        let why = Refusal::Busy;
        let refuse = |bytes: &Vec<u8>| Refused {
            id: name(bytes),
            why,
            retry_after_s,
        };
        let refused: Vec<_> = deposit.envelopes.iter().map(refuse).collect();
        refused.iter().for_each(|refused| self.count_refusal(refused.why));
        let receipt = Receipt::sign(&self.key, deposit.request, Vec::new(), refused);
        self.send(peer, &CustodianFrame::Receipt(receipt));
    }

    /// Until when the envelope is kept; otherwise why it isn't, and the seconds until a retry makes sense.
    fn admit(
        &mut self,
        now_s: u64,
        peer: TransportKey,
        envelope: &Envelope,
        retries: &mut Retries,
        rows: &dyn Rows,
    ) -> Result<Result<u64, (Refusal, u32)>, RowsError> {
        if !self.peers.contains_key(&peer) {
            return Ok(Err((Refusal::Busy, RETRY_S)));
        }
        self.admit_of(now_s, peer, envelope, retries, rows)
    }

    /// The same for a copy of what another relay keeps, which counts as its deposit.
    pub(super) fn admit_copy(
        &mut self,
        now_s: u64,
        peer: TransportKey,
        envelope: &Envelope,
        rows: &dyn Rows,
    ) -> Result<Result<u64, (Refusal, u32)>, RowsError> {
        self.admit_of(now_s, peer, envelope, &mut Retries::new(), rows)
    }

    fn admit_of(
        &mut self,
        now_s: u64,
        peer: TransportKey,
        envelope: &Envelope,
        retries: &mut Retries,
        rows: &dyn Rows,
    ) -> Result<Result<u64, (Refusal, u32)>, RowsError> {
        let (topic, id) = (envelope.topic(), envelope.id());
        if let Some(until_s) = self.recent.get(&(topic, id)) {
            self.stats.repeated += 1;
            return Ok(Ok(*until_s));
        }
        let kept = match self.kept_until(envelope, rows) {
            Err(_) if self.read_only => None,
            other => other?,
        };
        if let Some(until_s) = kept {
            // What has expired, and is still to be removed or being removed, isn't held: a receipt would promise nothing.
            if until_s <= now_s {
                let gone_s = self.config.removed_at_s(until_s).saturating_add(REMOVAL_S);
                return Ok(Err((Refusal::Busy, seconds_until(gone_s, now_s))));
            }
            self.stats.repeated += 1;
            return Ok(Ok(until_s));
        }
        if envelope.authority().is_some_and(|authority| !authority.holds_at(now_s)) {
            return Ok(Err((Refusal::Invalid, 0)));
        }
        if self.read_only {
            return Ok(Err((Refusal::ReadOnly, READ_ONLY_RETRY_S)));
        }
        if !self.may_use(&peer, &topic) {
            return Ok(Err((Refusal::NotAdmitted, RETRY_S)));
        }
        if let Err(refused) = self.quota(now_s, peer, envelope, retries, rows)? {
            return Ok(Err(refused));
        }
        self.keep(now_s, peer, envelope, rows).map(Ok)
    }

    /// Until when an envelope is kept that is on disk already.
    fn kept_until(&mut self, envelope: &Envelope, rows: &dyn Rows) -> Result<Option<u64>, RowsError> {
        let topic = self
            .topics
            .load(envelope.topic(), rows, &self.config, &mut self.damage)?;
        if !topic.kept {
            return Ok(None);
        }
        let number = topic.row.number;
        let key = stored::id_key(number, &envelope.id());
        let position = match damage::look(rows, Tree::RelayIds, &key)? {
            Found::Absent => return Ok(None),
            Found::Whole(value) => stored::id_position(&value),
            Found::Damaged => None,
        };
        let Some(position) = position else {
            self.damage.note(Tree::RelayIds, key);
            return Ok(None);
        };
        // Its row may be damaged: then it is lost, and is taken anew. Or it is another with the same first bytes of its id.
        match damage::look(rows, Tree::RelayLog, &stored::log_key(number, position))? {
            Found::Absent => Ok(None),
            Found::Damaged => {
                self.lose(envelope.topic(), position);
                Ok(None)
            }
            Found::Whole(value) => {
                let kept = LogRow::decode(&value).and_then(|row| row.kept);
                Ok(kept.filter(|kept| kept.is(envelope.bytes())).map(|kept| kept.until_s))
            }
        }
    }

    fn keep(&mut self, now_s: u64, peer: TransportKey, envelope: &Envelope, rows: &dyn Rows) -> Result<u64, RowsError> {
        let (id, bytes) = (envelope.id(), envelope.bytes());
        let until_s = now_s.saturating_add(self.config.kept_s(envelope)).min(LATEST_S);
        self.begin_topic(now_s, peer, envelope.topic(), rows)?;
        let Some(topic) = self.topics.get_mut(&envelope.topic()) else {
            return Ok(until_s);
        };
        let head = Head {
            position: topic.row.head.position.saturating_add(1),
            hash: topic.row.head.hash.then(&id),
        };
        let due_s = self.config.removed_at_s(until_s);
        topic.expect(envelope.topic(), due_s, Some(head.position), rows, &mut self.damage)?;
        topic.row.head = head;
        topic.row.bytes += bytes.len() as u64;
        topic.row.count += 1;
        topic.row.drop_at_s = 0;
        self.totals.bytes += bytes.len() as u64;
        self.totals.envelopes += 1;
        self.totals_changed = true;
        self.depositors.charge(peer, cost(envelope), &self.config, now_s);

        self.current_bytes += ROWS_BYTES + bytes.len();
        let (number, batch) = (topic.row.number, &mut self.current.batch);
        let row = LogRow::encode(head.hash, until_s, bytes);
        batch.put(Tree::RelayLog, stored::log_key(number, head.position), row);
        batch.put(
            Tree::RelayIds,
            stored::id_key(number, &id),
            stored::id_value(head.position),
        );
        self.recent.insert((envelope.topic(), id), until_s);
        self.current_ids.push((envelope.topic(), id));
        self.stats.accepted += 1;
        Ok(until_s)
    }

    /// Makes sure that a topic, which is in memory, has a row, and that the current step writes it.
    pub(super) fn begin_topic(
        &mut self,
        now_s: u64,
        peer: TransportKey,
        topic: TopicId,
        rows: &dyn Rows,
    ) -> Result<(), RowsError> {
        if !self.admitted(&peer) || self.is_open() {
            self.found(topic);
        } else {
            self.host(now_s, topic, rows)?;
        }
        self.touch(topic);
        Ok(())
    }

    /// Whether every quota has room; otherwise which has not, and when a retry makes sense.
    fn quota(
        &mut self,
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
            let retry = topic_retry(now_s, topic, config, rows)?;
            return Ok(Err((Refusal::TopicQuota, retry)));
        }
        if let Err(retry) = self.depositors.room(&peer, cost, config.depositor_bytes_per_day, now_s) {
            return Ok(Err((Refusal::DepositorQuota, retry)));
        }
        if self.totals.charged().saturating_add(cost) > config.total_bytes
            || (!topic.kept && self.totals.topics >= config.topics)
        {
            let name = Refusal::Full.name();
            let retry = match retries.get(name) {
                Some(retry) => *retry,
                None => next_expiry(now_s, rows, &mut self.damage)?,
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

pub(super) fn charged(bytes: u64, envelopes: u64) -> u64 {
    bytes.saturating_add(envelopes.saturating_mul(ENVELOPE_OVERHEAD_BYTES))
}

/// Until the topic's oldest envelope is removed; the one after the base is never a stub for long.
fn topic_retry(now_s: u64, topic: &Topic, config: &RelayConfig, rows: &dyn Rows) -> Result<u32, RowsError> {
    let oldest = stored::log_key(topic.row.number, topic.row.base.position.saturating_add(1));
    let Found::Whole(value) = damage::look(rows, Tree::RelayLog, &oldest)? else {
        return Ok(RETRY_S);
    };
    let kept = LogRow::decode(&value).and_then(|row| row.kept);
    Ok(kept.map_or(RETRY_S, |kept| {
        seconds_until(config.removed_at_s(kept.until_s).saturating_add(REMOVAL_S), now_s)
    }))
}

pub(super) fn next_expiry(now_s: u64, rows: &dyn Rows, damage: &mut Damage) -> Result<u32, RowsError> {
    let due = super::next_due(rows, damage)?;
    Ok(due.map_or(RETRY_S, |due_s| seconds_until(due_s.saturating_add(REMOVAL_S), now_s)))
}

pub(super) fn seconds_until(until_s: u64, now_s: u64) -> u32 {
    u32::try_from(until_s.saturating_sub(now_s)).unwrap_or(u32::MAX).max(1)
}
