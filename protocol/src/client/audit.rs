//! Asking relays whether they still hold what they signed for, and handing over again what they lack.
//!
//! A look costs a few kilobytes: some of a relay's promises are drawn, the hour around each is compared (`custody/sets.rs`), and what
//! the relay lacks is a broken word. It happens about once a day for each relay, some minutes after a stream opens that was long away,
//! and soon once there is a reason: an own deposit that isn't pushed back to us who watch its topic, or a member that lacks what a
//! relay is said to hold. Nothing here trusts a clock that disagrees with the relay's (`trust.rs`).

use super::Client;
use super::io::Side;
use super::trust::{Fault, Proof};
use crate::custody::{
    Answer, Ask, ClientFrame, CustodianFrame, Elements, Next, Reconcile, Reconciled, Refusal, Session, SessionKey,
    SetError, Window,
};
use crate::envelope::Envelope;
use crate::keys::{EnvelopeId, TopicId, TransportKey};
use crate::limits;
use crate::rows::RowsError;
use crate::wire::Wire;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Milliseconds between looks at a relay without a reason, at the least; the half of it more, drawn, at the most (guess: a day).
const DAILY_MS: u64 = 24 * 3600 * 1000;
/// Milliseconds after a stream opened, or a reason came up, until the look: what was just deposited is in a closed window then, and the
/// most that is drawn beside it, so that devices that return together don't ask together.
const SOON_MS: (u64, u64) = ((limits::RECONCILE_CLOSED_S + 180) * 1000, 60_000);
/// Milliseconds that a relay has for an answer; one of an earlier version gives none.
const ANSWER_MS: u64 = 60_000;
/// Windows of one look (guess: of a few topics).
const WINDOWS: usize = 4;
/// Questions of one look, so that a relay that refuses and splits can't keep it going.
const QUESTIONS: usize = 64;
/// Seconds around a promise that are compared.
const AROUND_S: u64 = 1800;
/// Deposits of each relay that are to come back, at the most; what is beyond is looked at by chance alone.
const ECHOES: usize = 1024;

/// What is asked of a relay, and what is to be asked.
#[derive(Default)]
pub(super) struct Audit {
    /// When the next look begins.
    pub due_ms: Option<u64>,
    /// Windows still to be compared in this look.
    queue: VecDeque<(TopicId, Window)>,
    running: Option<Running>,
    left: usize,
    /// Own deposits that it hasn't pushed back, on topics that we watch there, since when.
    echoes: BTreeMap<EnvelopeId, u64>,
    /// It refused a watch: what we deposit needn't come back.
    pub unwatched: bool,
    /// Topics with a reason to look.
    suspected: BTreeSet<TopicId>,
}

struct Running {
    topic: TopicId,
    window: Window,
    key: SessionKey,
    request: u64,
    session: Session<EnvelopeId>,
    /// An envelope that it says it has and hasn't pushed to us: it is to send it now.
    fetching: Option<EnvelopeId>,
    until_ms: u64,
}

impl Audit {
    pub fn timer(&self) -> Option<u64> {
        // The next look waits until this one is over, also where its time has come meanwhile by a clock that leapt.
        let running = self.running.as_ref().map(|running| running.until_ms);
        running.or(self.due_ms)
    }

    /// The stream is gone, and with it what was asked on it.
    pub fn closed(&mut self) {
        self.queue.clear();
        self.running = None;
        self.echoes.clear();
        self.unwatched = false;
    }

    pub fn clock_turned(&mut self, now_ms: u64) {
        let within = |at_ms: u64, wait_ms: u64| at_ms.min(now_ms.saturating_add(wait_ms));
        self.due_ms = self.due_ms.map(|at| within(at, DAILY_MS));
        if let Some(running) = &mut self.running {
            running.until_ms = within(running.until_ms, ANSWER_MS);
        }
        self.echoes.values_mut().for_each(|since| *since = (*since).min(now_ms));
    }

    /// It took envelopes that are to come back.
    pub fn expect(&mut self, id: EnvelopeId, now_ms: u64) {
        if self.echoes.len() < ECHOES && !self.unwatched {
            self.echoes.insert(id, now_ms);
        }
    }

    /// It pushed an envelope.
    pub fn came(&mut self, id: &EnvelopeId) {
        self.echoes.remove(id);
    }

    pub fn awaits_echoes(&self) -> bool {
        !self.echoes.is_empty()
    }
}

impl Client {
    /// A relay's stream is open: it is looked at soon if the last look is long ago.
    pub(super) fn plan_audit(&mut self, now_ms: u64, relay: TransportKey) {
        let last_ms = self.trust.audited_ms(&relay);
        let soon = now_ms.saturating_sub(last_ms) >= DAILY_MS;
        let draw = self.crypto.random_u64();
        let wait_ms = if soon {
            SOON_MS.0 + draw % SOON_MS.1
        } else {
            DAILY_MS - (now_ms - last_ms) + draw % (DAILY_MS / 2)
        };
        if let Some(link) = self.links.get_mut(&relay).filter(|link| link.relay) {
            link.audit.due_ms = Some(now_ms.saturating_add(wait_ms));
        }
    }

    /// Somebody lacks what was deposited on a topic: whoever signed for it is asked.
    pub(super) fn suspect(&mut self, now_ms: u64, topic: TopicId) {
        let at_ms = now_ms.saturating_add(SOON_MS.0);
        for link in self.links.values_mut().filter(|link| link.relay && link.opened) {
            if link.audit.suspected.len() < limits::WATCH_ITEMS && link.audit.suspected.insert(topic) {
                link.audit.due_ms = Some(link.audit.due_ms.map_or(at_ms, |due| due.min(at_ms)));
            }
        }
    }

    pub(super) fn tick_audit(&mut self, now_ms: u64, relay: TransportKey) -> Result<(), RowsError> {
        let Some(link) = self.links.get_mut(&relay).filter(|link| link.relay && link.opened) else {
            return Ok(());
        };
        let audit = &mut link.audit;
        if audit.running.as_ref().is_some_and(|running| running.until_ms <= now_ms) {
            audit.running = None;
            return self.next_window(now_ms, relay);
        }
        if audit.due_ms.is_some_and(|due| due <= now_ms) && audit.running.is_none() {
            self.begin_audit(now_ms, relay);
            return self.next_window(now_ms, relay);
        }
        Ok(())
    }

    /// Draws what is looked at.
    fn begin_audit(&mut self, now_ms: u64, relay: TransportKey) {
        let draw = self.crypto.random_u64();
        let closed_s = (now_ms / 1000).saturating_sub(limits::RECONCILE_CLOSED_S + 60);
        let Some(link) = self.links.get_mut(&relay) else {
            return;
        };
        let audit = &mut link.audit;
        let suspected = std::mem::take(&mut audit.suspected);
        let late_ms = now_ms.saturating_sub(SOON_MS.0);
        let ready = self
            .trust
            .promises(&relay, now_ms)
            .filter(|promise| promise.taken_s.saturating_add(limits::RECONCILE_SLACK_S) < closed_s);
        let is_late = |id: &EnvelopeId| audit.echoes.get(id).is_some_and(|since| *since <= late_ms);
        let (mut urgent, mut others) = (Vec::new(), Vec::new());
        for promise in ready {
            let place = (promise.topic, promise.taken_s);
            if suspected.contains(&promise.topic) || is_late(&promise.id) {
                urgent.push(place);
            } else {
                others.push(place);
            }
        }
        // The newest with a reason; of the others, any.
        urgent.reverse();
        let start = usize::try_from(draw).unwrap_or_default() % others.len().max(1);
        let step = (others.len() / WINDOWS).max(1);
        let drawn = (0..WINDOWS).filter_map(|n| others.get((start + n * step) % others.len().max(1)));
        let mut windows: Vec<(TopicId, Window)> = Vec::new();
        for (topic, taken_s) in urgent.iter().chain(drawn) {
            let holds = |(known, window): &(TopicId, Window)| known == topic && window.holds(*taken_s);
            if windows.len() >= WINDOWS || windows.iter().any(holds) {
                continue;
            }
            let window = Window {
                from_s: taken_s.saturating_sub(AROUND_S),
                to_s: taken_s.saturating_add(AROUND_S).min(closed_s),
            };
            windows.push((*topic, window));
        }
        audit.queue = windows.into();
        audit.left = QUESTIONS;
        audit.due_ms = Some(now_ms.saturating_add(DAILY_MS + draw % (DAILY_MS / 2)));
        self.trust.set_audited(&relay, now_ms);
    }

    /// Begins to compare the next window; the look is over when there is none.
    fn next_window(&mut self, now_ms: u64, relay: TransportKey) -> Result<(), RowsError> {
        let Some(link) = self.links.get_mut(&relay).filter(|link| link.opened) else {
            return Ok(());
        };
        let Some((topic, window)) = link.audit.queue.pop_front() else {
            return Ok(());
        };
        let key = SessionKey(self.crypto.random());
        let promises = self.trust.promises(&relay, now_ms);
        let ours = promises.filter(|promise| promise.topic == topic && window.holds(promise.taken_s));
        let begun = Elements::new(&key, ours.map(|promise| (promise.id, promise.id))).and_then(Session::begin);
        let Ok((session, message)) = begun else {
            return Ok(());
        };
        link.audit.running = Some(Running {
            topic,
            window,
            key,
            request: 0,
            session,
            fetching: None,
            until_ms: 0,
        });
        self.ask_about(now_ms, relay, Ask::Compare(message));
        Ok(())
    }

    fn ask_about(&mut self, now_ms: u64, relay: TransportKey, ask: Ask) {
        let Some(link) = self.links.get_mut(&relay) else {
            return;
        };
        if link.audit.left == 0 {
            link.audit.running = None;
            link.audit.queue.clear();
            return;
        }
        let request = link.request();
        let Some(running) = &mut link.audit.running else {
            return;
        };
        link.audit.left -= 1;
        running.request = request;
        running.until_ms = now_ms.saturating_add(ANSWER_MS);
        let question = Reconcile {
            request: running.request,
            topic: running.topic,
            window: running.window,
            key: running.key,
            ask,
        };
        self.send(relay, Side::Client, ClientFrame::Reconcile(question).encode());
    }

    /// A custodian answers about a window.
    pub(super) fn reconciled(
        &mut self,
        now_ms: u64,
        relay: TransportKey,
        reconciled: Reconciled,
    ) -> Result<(), RowsError> {
        let Some(link) = self.links.get_mut(&relay).filter(|link| link.relay && link.opened) else {
            return Ok(());
        };
        let Some(mut running) = link
            .audit
            .running
            .take_if(|running| running.request == reconciled.request)
        else {
            return Ok(());
        };
        if let Some(id) = running.fetching {
            return self.judge_fetch(now_ms, relay, &running, id, reconciled);
        }
        let next = match &reconciled.answer {
            Answer::Compared(message) => running.session.take(message),
            Answer::Listed(ids) => running.session.listed(&running.key, ids).map(|()| Next::Done),
            // It keeps nothing of a topic for which it has signed.
            Answer::Refused {
                why: Refusal::NotHere | Refusal::NotFound,
                ..
            } => running.session.listed(&running.key, &[]).map(|()| Next::Done),
            Answer::Refused {
                why: Refusal::TooLarge, ..
            } => {
                if let Some((first, second)) = running.window.halves() {
                    link.audit.queue.push_front((running.topic, second));
                    link.audit.queue.push_front((running.topic, first));
                }
                return self.next_window(now_ms, relay);
            }
            // Nothing against it: it serves us no more than a guest, has too much to do, or is of another version.
            Answer::Refused { .. } | Answer::Fetched(_) | Answer::Later { .. } => {
                link.audit.queue.clear();
                return Ok(());
            }
        };
        match next {
            Ok(Next::Compare(message)) => {
                link.audit.running = Some(running);
                self.ask_about(now_ms, relay, Ask::Compare(message));
                Ok(())
            }
            Ok(Next::List) => {
                link.audit.running = Some(running);
                self.ask_about(now_ms, relay, Ask::List);
                Ok(())
            }
            Ok(Next::Done) => self.judge(now_ms, relay, running, reconciled),
            Err(error) => {
                let fault = match error {
                    SetError::Named { .. } => Fault::Endless,
                    SetError::Message { .. } | SetError::TooMany { .. } => Fault::Junk,
                };
                let frame = CustodianFrame::Reconciled(reconciled).encode();
                let proof = Proof {
                    topic: Some(running.topic),
                    answer: error.to_string(),
                    frame: &frame,
                    ..Proof::default()
                };
                self.fault(now_ms, relay, fault, &proof)?;
                self.next_window(now_ms, relay)
            }
        }
    }

    /// What a comparison has shown: what the relay lacks of what it signed for, and what it has and may keep back.
    fn judge(
        &mut self,
        now_ms: u64,
        relay: TransportKey,
        mut running: Running,
        last: Reconciled,
    ) -> Result<(), RowsError> {
        let lacked: Vec<EnvelopeId> = running.session.lacked().map(|(_, id)| *id).collect();
        let frame = CustodianFrame::Reconciled(last).encode();
        let (from_s, to_s) = (running.window.from_s, running.window.to_s);
        if let Some(promise) = lacked
            .iter()
            .find_map(|id| self.trust.promise(&relay, id, now_ms))
            .cloned()
        {
            let answer = format!(
                "asked for what it took from {from_s} to {to_s}, it lacked {} of the envelopes that it had signed for",
                lacked.len()
            );
            let proof = Proof {
                topic: Some(running.topic),
                promise: Some(&promise),
                answer,
                frame: &frame,
                ..Proof::default()
            };
            self.fault(now_ms, relay, Fault::Denied, &proof)?;
            self.trust.drop_promises(&relay, &lacked);
            self.channel_lost(running.topic, &lacked);
            let numbers: Vec<u64> = lacked.iter().filter_map(|id| self.out_ids.get(id)).copied().collect();
            self.lost_there(now_ms, relay, &numbers)?;
        }
        let late_ms = now_ms.saturating_sub(SOON_MS.0);
        let Some(link) = self.links.get_mut(&relay) else {
            return Ok(());
        };
        for id in &lacked {
            link.audit.echoes.remove(id);
        }
        let is_late = |id: &EnvelopeId| link.audit.echoes.get(id).is_some_and(|since| *since <= late_ms);
        let kept_back = running.session.elements().find(|(_, id)| is_late(id)).copied();
        let Some((keyed, id)) = kept_back.filter(|_| !link.audit.unwatched) else {
            return self.next_window(now_ms, relay);
        };
        running.fetching = Some(id);
        link.audit.running = Some(running);
        self.ask_about(now_ms, relay, Ask::Fetch(vec![keyed]));
        Ok(())
    }

    /// A relay that says that it has an envelope was asked for it.
    fn judge_fetch(
        &mut self,
        now_ms: u64,
        relay: TransportKey,
        running: &Running,
        id: EnvelopeId,
        reconciled: Reconciled,
    ) -> Result<(), RowsError> {
        if let Some(link) = self.links.get_mut(&relay) {
            link.audit.echoes.remove(&id);
        }
        let served = match &reconciled.answer {
            Answer::Fetched(envelopes) => envelopes
                .iter()
                .any(|bytes| Envelope::verify(bytes).is_ok_and(|envelope| envelope.id() == id)),
            Answer::Refused { why, .. } => *why != Refusal::NotFound,
            _ => false,
        };
        if !served {
            let promise = self.trust.promise(&relay, &id, now_ms).cloned();
            let frame = CustodianFrame::Reconciled(reconciled).encode();
            let proof = Proof {
                topic: Some(running.topic),
                promise: promise.as_ref(),
                answer: "it says that it has the envelope, pushes it to nobody and doesn't send it when it is asked"
                    .into(),
                frame: &frame,
                ..Proof::default()
            };
            self.fault(now_ms, relay, Fault::Unserved, &proof)?;
        }
        self.next_window(now_ms, relay)
    }
}

#[cfg(test)]
impl Audit {
    pub fn is_fetching(&self) -> bool {
        self.running.as_ref().is_some_and(|running| running.fetching.is_some())
    }
}
