//! Windows of a topic compared with somebody else's: what the log took in a stretch of time, as a set.
//!
//! A session's set is read once and kept while it is used, so that each of its rounds costs little. What one question reads is bounded,
//! what a peer and all peers may have read in a minute too; beyond, they are told when to come again.

use super::Relay;
use super::config::{
    COMPARE_BYTES, COMPARE_BYTES_PER_MINUTE, COMPARE_COST_BYTES, COMPARE_ROWS, READ_ONLY_RETRY_S, RETRY_S,
    ROWS_PER_READ, SESSION_S, SESSIONS, WINDOW_RETRY_S,
};
use super::damage;
use super::stored::{Kept, LogRow};
use crate::custody::frames::{CustodianFrame, Refusal};
use crate::custody::reconcile::{Answer, Ask, KeyedId, Reconcile, Reconciled, SessionKey, Window};
use crate::custody::sets::Elements;
use crate::envelope::Envelope;
use crate::keys::{EnvelopeId, TopicId, TransportKey};
use crate::limits;
use crate::rows::{Rows, RowsError};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Seconds in which [`COMPARE_BYTES_PER_MINUTE`] may be read.
const MINUTE_S: u64 = 60;

/// Why something isn't answered, and the seconds until a retry makes sense.
type Refused = (Refusal, u32);

/// The envelopes of a window, each with its id and position.
type Set = Arc<Elements<(EnvelopeId, u64)>>;

/// What was read lately to compare.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spent {
    since_s: u64,
    used: u64,
}

impl Spent {
    /// Seconds until there is room again, if there is none.
    pub fn wait(&mut self, now_s: u64, most: u64) -> Option<u32> {
        if now_s.saturating_sub(self.since_s) >= MINUTE_S || now_s < self.since_s {
            *self = Self {
                since_s: now_s,
                used: 0,
            };
        }
        (self.used >= most).then(|| u32::try_from(MINUTE_S - (now_s - self.since_s)).unwrap_or(RETRY_S))
    }

    pub fn add(&mut self, used: u64) {
        self.used += used;
    }
}

/// A window's envelopes with their positions, for one peer.
#[derive(Debug)]
struct Compared {
    topic: TopicId,
    window: Window,
    key: SessionKey,
    used_s: u64,
    elements: Set,
}

/// The sessions under way, one a peer.
#[derive(Debug, Default)]
pub(super) struct Windows {
    sessions: BTreeMap<TransportKey, Compared>,
    spent: Spent,
}

impl Windows {
    pub fn forget(&mut self, peer: &TransportKey) {
        self.sessions.remove(peer);
    }

    pub fn clear(&mut self) {
        self.sessions.clear();
    }

    pub fn tick(&mut self, now_s: u64) {
        self.sessions
            .retain(|_, session| now_s.abs_diff(session.used_s) < SESSION_S);
    }

    fn make_room(&mut self) {
        while self.sessions.len() >= SESSIONS {
            let oldest = self.sessions.iter().min_by_key(|(_, session)| session.used_s);
            let Some(oldest) = oldest.map(|(peer, _)| *peer) else {
                return;
            };
            self.sessions.remove(&oldest);
        }
    }
}

impl Relay {
    pub(super) fn reconcile(
        &mut self,
        now_s: u64,
        peer: TransportKey,
        question: Reconcile,
        rows: &dyn Rows,
    ) -> Result<(), RowsError> {
        let request = question.request;
        let answer = match self.answer(now_s, peer, &question, rows) {
            Err(_) if self.read_only => Err((Refusal::ReadOnly, READ_ONLY_RETRY_S)),
            answer => answer?,
        };
        let answer = answer.unwrap_or_else(|(why, retry_after_s)| {
            *self.stats.compares_refused.entry(why.name()).or_default() += 1;
            if why == Refusal::Invalid {
                self.penalise(peer, "a comparison that no honest peer asks for");
            }
            Answer::Refused { why, retry_after_s }
        });
        if let Answer::Fetched(envelopes) = &answer {
            self.stats.compared_fetched += envelopes.len() as u64;
            let bytes = answer.counted();
            if let Some(state) = self.peers.get_mut(&peer) {
                state.count_sent(bytes);
            }
            self.unacknowledged += bytes;
        }
        self.send(peer, &CustodianFrame::Reconciled(Reconciled { request, answer }));
        Ok(())
    }

    fn answer(
        &mut self,
        now_s: u64,
        peer: TransportKey,
        question: &Reconcile,
        rows: &dyn Rows,
    ) -> Result<Result<Answer, Refused>, RowsError> {
        let elements = match self.elements(now_s, peer, question, rows)? {
            Ok(elements) => elements,
            Err(refused) => return Ok(Err(refused)),
        };
        Ok(match &question.ask {
            Ask::Compare(message) => {
                self.stats.compared += 1;
                let answer = elements.answer(message).map(Answer::Compared);
                answer.map_err(|_| (Refusal::Invalid, 0))
            }
            Ask::List => {
                self.stats.compared_listed += 1;
                Ok(Answer::Listed(elements.iter().map(|(_, (id, _))| *id).collect()))
            }
            Ask::Fetch(ids) => self.fetch(now_s, peer, question.topic, &elements, ids, rows)?,
            Ask::Later { .. } => Err((Refusal::NotFound, 0)),
        })
    }

    /// The set of a peer's session: as it was read before, or read now.
    fn elements(
        &mut self,
        now_s: u64,
        peer: TransportKey,
        question: &Reconcile,
        rows: &dyn Rows,
    ) -> Result<Result<Set, Refused>, RowsError> {
        let Reconcile { topic, window, key, .. } = *question;
        if !self.peers.contains_key(&peer) {
            return Ok(Err((Refusal::Busy, RETRY_S)));
        }
        if window.from_s >= window.to_s {
            return Ok(Err((Refusal::Invalid, 0)));
        }
        let closed_s = window.to_s.saturating_add(limits::RECONCILE_CLOSED_S);
        if closed_s > now_s {
            let wait_s = u32::try_from(closed_s - now_s).unwrap_or(u32::MAX);
            return Ok(Err((Refusal::Busy, wait_s)));
        }
        if let Some(session) = self.windows.sessions.get_mut(&peer)
            && (session.topic, session.window, session.key) == (topic, window, key)
        {
            session.used_s = now_s;
            return Ok(Ok(session.elements.clone()));
        }
        self.topics.load(topic, rows, &self.config, &mut self.damage)?;
        let known = self
            .topics
            .get(&topic)
            .is_some_and(|topic| topic.kept || !topic.watchers.is_empty());
        if !known {
            return Ok(Err((Refusal::NotHere, 0)));
        }
        if !self.may_use(&peer, &topic) {
            return Ok(Err((Refusal::NotAdmitted, RETRY_S)));
        }
        let (each, all) = COMPARE_BYTES_PER_MINUTE;
        let theirs = self
            .peers
            .get_mut(&peer)
            .and_then(|state| state.compared.wait(now_s, each));
        if let Some(wait_s) = theirs.or(self.windows.spent.wait(now_s, all)) {
            return Ok(Err((Refusal::Busy, wait_s)));
        }
        let mut read = Read::default();
        let widened = window.widened(limits::RECONCILE_SLACK_S);
        let found = self.read_window(now_s, &topic, widened, &mut read, rows)?;
        for position in read.lost {
            self.lose(topic, position);
        }
        let bytes = COMPARE_COST_BYTES + read.bytes as u64;
        self.windows.spent.add(bytes);
        if let Some(state) = self.peers.get_mut(&peer) {
            state.compared.add(bytes);
        }
        let Some(elements) = found.and_then(|found| {
            let found = found.into_iter().map(|(id, position)| (id, (id, position)));
            Elements::new(&key, found).ok()
        }) else {
            return Ok(Err((Refusal::TooLarge, 0)));
        };
        let elements = Arc::new(elements);
        self.windows.forget(&peer);
        self.windows.make_room();
        let session = Compared {
            topic,
            window,
            key,
            used_s: now_s,
            elements: elements.clone(),
        };
        self.windows.sessions.insert(peer, session);
        Ok(Ok(elements))
    }

    /// What was taken in a window and is kept; `None` if that is too much for one comparison.
    ///
    /// Positions ascend with time but where the clock was set back: around there something may be passed over, which only means that
    /// it is offered once more.
    pub(super) fn read_window(
        &self,
        now_s: u64,
        id: &TopicId,
        window: Window,
        read: &mut Read,
        rows: &dyn Rows,
    ) -> Result<Option<Vec<(EnvelopeId, u64)>>, RowsError> {
        let Some(topic) = self.topics.get(id).filter(|topic| topic.kept) else {
            return Ok(Some(Vec::new()));
        };
        let (number, newest) = (topic.row.number, topic.flushed.position);
        let mut found = Vec::new();
        let mut at = self.first_since(id, number, (topic.row.base.position, newest), window.from_s, read, rows)?;
        while at <= newest {
            let logged = damage::log(rows, number, at, newest, ROWS_PER_READ)?;
            if logged.is_empty() {
                break;
            }
            for (position, value) in logged {
                at = position.saturating_add(1);
                read.rows += 1;
                read.bytes += value.as_ref().map_or(0, Vec::len);
                if read.rows > COMPARE_ROWS || read.bytes > COMPARE_BYTES {
                    return Ok(None);
                }
                let Some(row) = value.as_deref().and_then(LogRow::decode) else {
                    read.lost.push(position);
                    continue;
                };
                let Some(kept) = row.kept else {
                    continue;
                };
                let taken_s = self.taken_s(id, &kept);
                if taken_s >= window.to_s {
                    return Ok(Some(found));
                }
                if taken_s >= window.from_s && kept.until_s > now_s {
                    found.push((kept.id(id), position));
                    if found.len() > limits::RECONCILE_ELEMENTS {
                        return Ok(None);
                    }
                }
            }
        }
        Ok(Some(found))
    }

    /// The first position that may have been taken at `from_s` or later, by halving.
    fn first_since(
        &self,
        id: &TopicId,
        number: u64,
        (base, newest): (u64, u64),
        from_s: u64,
        read: &mut Read,
        rows: &dyn Rows,
    ) -> Result<u64, RowsError> {
        let (mut low, mut high) = (base.saturating_add(1), newest.saturating_add(1));
        while low < high {
            let middle = low + (high - low) / 2;
            let mut earlier = None;
            for limit in [1, ROWS_PER_READ] {
                let logged = damage::log(rows, number, middle, high.saturating_sub(1), limit)?;
                read.bytes += logged.iter().flat_map(|(_, value)| value).map(Vec::len).sum::<usize>();
                earlier = logged.iter().find_map(|(_, value)| {
                    let kept = value.as_deref().and_then(LogRow::decode)?.kept?;
                    Some(self.taken_s(id, &kept) < from_s)
                });
                if earlier.is_some() {
                    break;
                }
            }
            // Where nothing tells, the search goes to the earlier side: that may read more and misses nothing.
            if earlier == Some(true) {
                low = middle.saturating_add(1);
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    /// When an envelope was taken: its row says until when it is kept.
    fn taken_s(&self, topic: &TopicId, kept: &Kept<'_>) -> u64 {
        let envelope = Envelope::trusted(&kept.envelope(topic));
        let kept_s = envelope.map_or(0, |envelope| self.config.kept_s(&envelope));
        kept.until_s.saturating_sub(kept_s)
    }

    /// Some of what is asked for, as much as a page and the peer's window have room for.
    fn fetch(
        &mut self,
        now_s: u64,
        peer: TransportKey,
        topic: TopicId,
        elements: &Elements<(EnvelopeId, u64)>,
        ids: &[KeyedId],
        rows: &dyn Rows,
    ) -> Result<Result<Answer, Refused>, RowsError> {
        let window = self.peers.get(&peer).map_or(0, |state| state.window());
        let room = window.min(limits::PAGE_BYTES as u64) as usize;
        let Some(number) = self
            .topics
            .load(topic, rows, &self.config, &mut self.damage)
            .map(|topic| topic.kept.then_some(topic.row.number))?
        else {
            return Ok(Err((Refusal::NotFound, 0)));
        };
        let (mut envelopes, mut bytes, mut full) = (Vec::new(), 0, false);
        for position in ids
            .iter()
            .filter_map(|id| elements.get(id))
            .map(|(_, position)| *position)
        {
            let logged = damage::log(rows, number, position, position, 1)?;
            let Some((_, Some(value))) = logged.into_iter().next() else {
                continue;
            };
            let row = LogRow::decode(&value);
            let Some(kept) = row.and_then(|row| row.kept).filter(|kept| kept.until_s > now_s) else {
                continue;
            };
            if bytes + kept.len() > room {
                full = true;
                break;
            }
            bytes += kept.len();
            envelopes.push(kept.envelope(&topic));
        }
        Ok(match (envelopes.is_empty(), full) {
            (true, true) => Err((Refusal::Busy, WINDOW_RETRY_S)),
            (true, false) => Err((Refusal::NotFound, 0)),
            _ => Ok(Answer::Fetched(envelopes)),
        })
    }
}

/// What a question has cost.
#[derive(Debug, Default)]
pub(super) struct Read {
    rows: usize,
    bytes: usize,
    /// Positions whose rows are damaged.
    pub lost: Vec<u64>,
}
