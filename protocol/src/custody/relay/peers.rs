//! Other relays, of the same operator or of friends, with which this one compares what both keep, and copies what either lacks.
//!
//! A round goes through the topics that have something in the time since the last round; each is compared (`custody/sets.rs`), what the
//! other lacks is deposited there and what is lacking here is fetched, as any client would, under the quotas of either side. The other
//! says `not_here` of topics that it doesn't keep, so that only what both host is copied. Rounds look back at most [`BACK_S`]: a copy
//! lives as long as an envelope that comes by itself, and what went around for ever would never expire.

use super::Relay;
use super::config::ROWS_PER_READ;
use super::damage;
use super::stored::LogRow;
use super::windows::Read;
use crate::custody::frames::{ClientFrame, CustodianFrame, Deposit, Receipt, Refusal};
use crate::custody::reconcile::{Answer, Ask, KeyedId, Reconcile, Reconciled, SessionKey, Window};
use crate::custody::sets::{Elements, Next, Session};
use crate::envelope::Envelope;
use crate::keys::{EnvelopeId, TopicId, TransportKey, derive};
use crate::limits;
use crate::rows::{Rows, RowsError, Tree, prefix_end};
use crate::wire::{Reader, Wire};
use std::collections::{BTreeMap, VecDeque};

/// Seconds between rounds with one relay (guess: long enough to be cheap, short against what is kept).
const ROUND_S: u64 = 3600;
/// Seconds that a round looks back at most: a copy made by it outlives the first by no more.
const BACK_S: u64 = 7 * 24 * 3600;
/// Seconds until a round goes on that the other interrupted without a time of its own.
const PAUSE_S: u64 = 60;
/// Seconds that the other has for an answer.
const ANSWER_S: u64 = 60;
/// Topics that one tick looks through for something to compare.
const TOPICS_PER_STEP: usize = 64;

/// Where it is remembered until when all was compared with a relay.
fn row_key(peer: &TransportKey) -> Vec<u8> {
    [b"relay.peer.".as_slice(), &peer.0].concat()
}

/// All other relays.
#[derive(Debug, Default)]
pub(super) struct Others {
    known: BTreeMap<TransportKey, Other>,
}

#[derive(Debug, Default)]
struct Other {
    open: bool,
    /// When the next step is due.
    due_s: u64,
    /// Until when all was compared.
    done_s: u64,
    round: Option<Round>,
    running: Option<Running>,
    next_request: u64,
    /// Bytes of envelopes fetched on this stream.
    taken_bytes: u64,
}

/// One way through the topics.
#[derive(Debug)]
struct Round {
    window: Window,
    /// The key of the next topic.
    next: Vec<u8>,
    /// Parts of windows that were too large.
    queue: VecDeque<(TopicId, Window)>,
}

/// The window that is being compared.
#[derive(Debug)]
struct Running {
    topic: TopicId,
    window: Window,
    key: SessionKey,
    request: u64,
    since_s: u64,
    session: Session<(EnvelopeId, u64)>,
    /// Positions of what the other lacks.
    give: VecDeque<u64>,
    /// What is still to be fetched.
    want: Vec<KeyedId>,
}

impl Relay {
    /// Sets the relays with which windows are compared; what they ask for topics that are kept here is served as for users.
    ///
    /// # Errors
    /// When no row can be read.
    pub fn set_others(
        &mut self,
        peers: impl IntoIterator<Item = TransportKey>,
        rows: &dyn Rows,
    ) -> Result<(), RowsError> {
        for peer in peers {
            let stored = rows.get(Tree::Meta, &row_key(&peer))?;
            let done_s = stored
                .and_then(|value| Reader::new(&value).u64("done").ok())
                .unwrap_or(0);
            self.others.known.insert(
                peer,
                Other {
                    done_s,
                    ..Other::default()
                },
            );
        }
        Ok(())
    }

    pub(super) fn is_other(&self, peer: &TransportKey) -> bool {
        self.others.known.contains_key(peer)
    }

    pub(super) fn other_opened(&mut self, now_s: u64, peer: TransportKey, rows: &dyn Rows) -> Result<(), RowsError> {
        if let Some(other) = self.others.known.get_mut(&peer) {
            other.open = true;
            other.running = None;
            other.taken_bytes = 0;
            other.due_s = now_s;
        }
        self.step_other(now_s, peer, rows)
    }

    pub(super) fn other_closed(&mut self, peer: &TransportKey) {
        if let Some(other) = self.others.known.get_mut(peer) {
            other.open = false;
            other.running = None;
        }
    }

    pub(super) fn tick_others(&mut self, now_s: u64, rows: &dyn Rows) -> Result<(), RowsError> {
        let peers: Vec<TransportKey> = self.others.known.keys().copied().collect();
        for peer in peers {
            if let Some(other) = self.others.known.get_mut(&peer)
                && other
                    .running
                    .as_ref()
                    .is_some_and(|running| now_s.abs_diff(running.since_s) > ANSWER_S)
            {
                other.running = None;
                other.due_s = now_s.saturating_add(PAUSE_S);
            }
            self.step_other(now_s, peer, rows)?;
        }
        Ok(())
    }

    /// Begins to compare the next window of the round, if it is time.
    fn step_other(&mut self, now_s: u64, peer: TransportKey, rows: &dyn Rows) -> Result<(), RowsError> {
        for _ in 0..TOPICS_PER_STEP {
            let Some(other) = self.others.known.get_mut(&peer) else {
                return Ok(());
            };
            // A clock that was turned back must not leave the next round far in the future.
            other.due_s = other.due_s.min(now_s.saturating_add(ROUND_S));
            if !other.open || other.running.is_some() || other.due_s > now_s {
                return Ok(());
            }
            let to_s = now_s.saturating_sub(limits::RECONCILE_CLOSED_S + limits::RECONCILE_SLACK_S);
            let from_s = other.done_s.min(to_s).max(now_s.saturating_sub(BACK_S));
            let round = other.round.get_or_insert_with(|| Round {
                window: Window { from_s, to_s },
                next: Vec::new(),
                queue: VecDeque::new(),
            });
            let part = match round.queue.pop_front() {
                Some(part) => Some(part),
                None if round.window.from_s >= round.window.to_s => None,
                None => {
                    let found = rows.range(Tree::RelayTopics, &round.next, &prefix_end(&[]), 1, false)?;
                    found.into_iter().next().and_then(|(key, _)| {
                        round.next = [key.as_slice(), &[0]].concat();
                        Some((TopicId(key.try_into().ok()?), round.window))
                    })
                }
            };
            match part {
                Some((topic, window)) => self.compare_with(now_s, peer, topic, window, rows)?,
                None => self.end_round(now_s, peer),
            }
        }
        Ok(())
    }

    fn end_round(&mut self, now_s: u64, peer: TransportKey) {
        let Some(other) = self.others.known.get_mut(&peer) else {
            return;
        };
        other.due_s = now_s.saturating_add(ROUND_S);
        if let Some(round) = other.round.take()
            && round.window.to_s > other.done_s
        {
            other.done_s = round.window.to_s;
            let done = other.done_s.to_be_bytes();
            if !self.read_only {
                self.current.batch.put(Tree::Meta, row_key(&peer), done);
            }
        }
    }

    fn compare_with(
        &mut self,
        now_s: u64,
        peer: TransportKey,
        topic: TopicId,
        window: Window,
        rows: &dyn Rows,
    ) -> Result<(), RowsError> {
        self.topics.load(topic, rows, &self.config, &mut self.damage)?;
        let mut read = Read::default();
        let found = self.read_window(now_s, &topic, window, &mut read, rows)?;
        for position in std::mem::take(&mut read.lost) {
            self.lose(topic, position);
        }
        let Some(found) = found else {
            self.split(&peer, topic, window);
            return Ok(());
        };
        if found.is_empty() {
            return Ok(());
        }
        let Some(other) = self.others.known.get_mut(&peer) else {
            return Ok(());
        };
        other.next_request += 1;
        // Unknown to whoever made the envelopes: it comes from the relay's own secret.
        let secret = self.key.to_bytes();
        let number = other.next_request.to_be_bytes();
        let key = SessionKey(derive(
            "madang 1 relay session key",
            &[secret.as_slice(), &number, &now_s.to_be_bytes()],
        ));
        let elements = found.into_iter().map(|(id, position)| (id, (id, position)));
        let Ok((session, message)) = Elements::new(&key, elements).and_then(Session::begin) else {
            return Ok(());
        };
        other.running = Some(Running {
            topic,
            window,
            key,
            request: 0,
            since_s: now_s,
            session,
            give: VecDeque::new(),
            want: Vec::new(),
        });
        self.stats.others_compared += 1;
        self.ask_other(now_s, peer, Ask::Compare(message));
        Ok(())
    }

    fn split(&mut self, peer: &TransportKey, topic: TopicId, window: Window) {
        let round = self.others.known.get_mut(peer).and_then(|other| other.round.as_mut());
        if let (Some(round), Some((first, second))) = (round, window.halves()) {
            round.queue.push_front((topic, second));
            round.queue.push_front((topic, first));
        }
    }

    fn ask_other(&mut self, now_s: u64, peer: TransportKey, ask: Ask) {
        let Some(running) = self.request(now_s, &peer) else {
            return;
        };
        let question = Reconcile {
            request: running.request,
            topic: running.topic,
            window: running.window,
            key: running.key,
            ask,
        };
        self.send_other(peer, &ClientFrame::Reconcile(question));
    }

    /// Gives the running window the number of its next question.
    fn request(&mut self, now_s: u64, peer: &TransportKey) -> Option<&mut Running> {
        let other = self.others.known.get_mut(peer)?;
        let running = other.running.as_mut()?;
        other.next_request += 1;
        running.request = other.next_request;
        running.since_s = now_s;
        Some(running)
    }

    fn send_other(&mut self, peer: TransportKey, frame: &ClientFrame) {
        let frame = frame.encode();
        self.current_bytes += frame.len();
        self.current.effects.push(super::RelayEffect::Ask {
            peer,
            frame: frame.into(),
        });
    }

    /// A frame on the stream that we opened to another relay.
    pub(super) fn other_frame(
        &mut self,
        now_s: u64,
        peer: TransportKey,
        bytes: &[u8],
        rows: &dyn Rows,
    ) -> Result<(), RowsError> {
        let Ok(frame) = CustodianFrame::decode(bytes) else {
            self.penalise(peer, "the frame can't be read");
            self.pause(now_s, &peer, PAUSE_S);
            return Ok(());
        };
        let known = self.others.known.get(&peer).and_then(|other| other.running.as_ref());
        let Some(request) = known.map(|running| running.request) else {
            return Ok(());
        };
        match frame {
            CustodianFrame::Reconciled(answer) if answer.request == request => {
                self.other_answered(now_s, peer, answer, rows)?;
            }
            CustodianFrame::Receipt(receipt) if receipt.request == request => {
                self.other_took(now_s, peer, &receipt, rows)?;
            }
            _ => {}
        }
        self.step_other(now_s, peer, rows)
    }

    fn other_answered(
        &mut self,
        now_s: u64,
        peer: TransportKey,
        reconciled: Reconciled,
        rows: &dyn Rows,
    ) -> Result<(), RowsError> {
        let counted = reconciled.answer.counted();
        let Some(running) = self
            .others
            .known
            .get_mut(&peer)
            .and_then(|other| other.running.as_mut())
        else {
            return Ok(());
        };
        let next = match reconciled.answer {
            Answer::Compared(message) => running.session.take(&message),
            Answer::Listed(ids) => running.session.listed(&running.key, &ids).map(|()| Next::Done),
            Answer::Fetched(envelopes) => {
                self.take_copies(now_s, peer, &envelopes, rows)?;
                self.acknowledge_other(peer, counted);
                return self.exchange(now_s, peer, rows);
            }
            Answer::Refused { why, retry_after_s } => {
                let (topic, window) = (running.topic, running.window);
                match why {
                    Refusal::TooLarge => self.split(&peer, topic, window),
                    Refusal::Busy | Refusal::ReadOnly | Refusal::Full => {
                        // The same window again, later.
                        if let Some(round) = self.others.known.get_mut(&peer).and_then(|other| other.round.as_mut()) {
                            round.queue.push_front((topic, window));
                        }
                        self.pause(now_s, &peer, u64::from(retry_after_s.max(1)));
                    }
                    // It doesn't keep the topic, or doesn't serve us there, or has let go of what it had.
                    _ => self.leave_window(&peer),
                }
                if why == Refusal::TooLarge {
                    self.leave_window(&peer);
                }
                return Ok(());
            }
            Answer::Later { .. } => {
                self.leave_window(&peer);
                return Ok(());
            }
        };
        match next {
            Ok(Next::Compare(message)) => self.ask_other(now_s, peer, Ask::Compare(message)),
            Ok(Next::List) => self.ask_other(now_s, peer, Ask::List),
            Ok(Next::Done) => {
                running.give = running.session.lacked().map(|(_, (_, position))| *position).collect();
                running.want = running.session.missing().collect();
                return self.exchange(now_s, peer, rows);
            }
            Err(_) => {
                self.penalise(peer, "a comparison that no honest relay answers");
                self.leave_window(&peer);
            }
        }
        Ok(())
    }

    fn leave_window(&mut self, peer: &TransportKey) {
        if let Some(other) = self.others.known.get_mut(peer) {
            other.running = None;
        }
    }

    fn pause(&mut self, now_s: u64, peer: &TransportKey, seconds: u64) {
        if let Some(other) = self.others.known.get_mut(peer) {
            other.running = None;
            other.due_s = now_s.saturating_add(seconds.min(ROUND_S));
        }
    }

    /// Gives the other the next of what it lacks, then fetches the next of what it has.
    fn exchange(&mut self, now_s: u64, peer: TransportKey, rows: &dyn Rows) -> Result<(), RowsError> {
        let Some(running) = self
            .others
            .known
            .get_mut(&peer)
            .and_then(|other| other.running.as_mut())
        else {
            return Ok(());
        };
        let topic = running.topic;
        let (mut envelopes, mut bytes) = (Vec::new(), 0);
        let number = self
            .topics
            .load(topic, rows, &self.config, &mut self.damage)?
            .row
            .number;
        while envelopes.len() < limits::DEPOSIT_ITEMS && bytes < limits::PAGE_BYTES {
            let Some(position) = running.give.pop_front() else {
                break;
            };
            let logged = damage::log(rows, number, position, position, ROWS_PER_READ)?;
            let value = logged.into_iter().find_map(|(_, value)| value);
            let kept = value.as_deref().and_then(LogRow::decode).and_then(|row| row.kept);
            if let Some(kept) = kept.filter(|kept| kept.until_s > now_s) {
                bytes += kept.len();
                envelopes.push(kept.envelope(&topic));
            }
        }
        if !envelopes.is_empty() {
            if let Some(running) = self.request(now_s, &peer) {
                let request = running.request;
                self.send_other(peer, &ClientFrame::Deposit(Deposit { request, envelopes }));
            }
            return Ok(());
        }
        let some: Vec<KeyedId> = running.want.iter().take(limits::DEPOSIT_ITEMS).copied().collect();
        if some.is_empty() {
            self.leave_window(&peer);
        } else {
            self.ask_other(now_s, peer, Ask::Fetch(some));
        }
        Ok(())
    }

    /// The other took what it lacked, or refuses to.
    fn other_took(
        &mut self,
        now_s: u64,
        peer: TransportKey,
        receipt: &Receipt,
        rows: &dyn Rows,
    ) -> Result<(), RowsError> {
        self.stats.others_given += receipt.accepted.len() as u64;
        if !receipt.refused.is_empty()
            && let Some(running) = self
                .others
                .known
                .get_mut(&peer)
                .and_then(|other| other.running.as_mut())
        {
            running.give.clear();
        }
        self.exchange(now_s, peer, rows)
    }

    /// Keeps what was fetched, as if the other relay had deposited it.
    fn take_copies(
        &mut self,
        now_s: u64,
        peer: TransportKey,
        envelopes: &[Vec<u8>],
        rows: &dyn Rows,
    ) -> Result<(), RowsError> {
        let Some(running) = self
            .others
            .known
            .get_mut(&peer)
            .and_then(|other| other.running.as_mut())
        else {
            return Ok(());
        };
        let (topic, key) = (running.topic, running.key);
        let mut wanted: std::collections::BTreeSet<KeyedId> = running.want.iter().copied().collect();
        let before = wanted.len();
        let mut room = true;
        for bytes in envelopes {
            let Ok(envelope) = Envelope::verify(bytes) else {
                room = false;
                break;
            };
            if envelope.topic() != topic || !wanted.remove(&KeyedId::of(&key, &envelope.id())) {
                room = false;
                break;
            }
            if self.admit_copy(now_s, peer, &envelope, rows)?.is_err() {
                room = false;
                break;
            }
            self.stats.others_taken += 1;
        }
        let progressed = wanted.len() < before;
        if let Some(running) = self
            .others
            .known
            .get_mut(&peer)
            .and_then(|other| other.running.as_mut())
        {
            running.want = wanted.into_iter().collect();
            if !room || !progressed {
                running.want.clear();
            }
        }
        Ok(())
    }

    /// Lets the other send as much again; what it sent is committed with this step.
    fn acknowledge_other(&mut self, peer: TransportKey, bytes: u64) {
        let Some(other) = self.others.known.get_mut(&peer) else {
            return;
        };
        other.taken_bytes = other.taken_bytes.saturating_add(bytes);
        let bytes = other.taken_bytes;
        self.send_other(peer, &ClientFrame::Ack { bytes });
    }
}
