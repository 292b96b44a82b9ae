//! Whether relays keep their word: what they have signed for, what they did against it, and what follows.
//!
//! A relay that breaks its word, or wastes our time, gains points; they halve each week. From [`DEMOTED`] points on it is *demoted*: its
//! receipts are no custody as long as another relay could have given one, contacts are told the others if there are two, and nobody has to do
//! anything for that. It is trusted again below [`TRUSTED`]. What it signed and what it answered is kept as evidence.
//!
//! | row | key | value |
//! |---|---|---|
//! | standing | relay, 0 | [`StandingRow`] |
//! | receipt | relay, 1, number | [`ReceiptRow`]; the newest [`RECEIPTS`] |
//! | evidence | relay, 2, number | [`EvidenceRow`]; the newest [`EVIDENCE`] |
//!
//! Receipts are written about a minute after they came, so that keeping them costs the way of a message nothing; a crash forgets the last.

mod pages;
mod rows;

pub(super) use pages::Pushed;
pub use rows::{Evidence, Fault, Mark, Standing, evidence};

use super::links::Link;
use super::outbox::Out;
use super::records::{decode, encode};
use super::{Client, EventRow};
use crate::custody::{Accepted, CustodianFrame, Receipt};
use crate::keys::{EnvelopeId, TopicId, TransportKey};
use crate::rows::{Rows, RowsError, Tree};
use crate::wire::Wire;
use rows::{DEMOTED, EvidenceRow, PROOF, Promise, RECEIPT, ReceiptRow, STANDING, StandingRow, parts, row_key};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Points below which it is trusted again.
const TRUSTED: u32 = 2;
/// Points beyond which none are added: with the half-life the longest demotion takes some five weeks.
const MOST: u32 = 32;
/// Milliseconds in which points halve (guess: a week; who errs once a month is trusted most of the time).
const HALF_LIFE_MS: u64 = 7 * 24 * 3600 * 1000;
/// Milliseconds in which faults that seldom come alone count once: bad pages, and the topics of a relay that forgot.
const SMALL_FAULT_MS: u64 = 60_000;
/// Receipts kept of each relay, the newest.
const RECEIPTS: usize = 128;
/// Envelopes promised in them, of each relay; beyond, the oldest receipts go.
const PROMISES: usize = 1024;
/// Pieces of evidence kept of each relay, the newest.
const EVIDENCE: u64 = 32;
/// Faults shown of each relay, the newest.
const MARKS: usize = 16;
/// Relays whose conduct is kept account of: own ones and those of contacts; beyond, receipts of others aren't kept (8 MB at the most).
const RELAYS: usize = 64;
/// Milliseconds until kept receipts are written.
const WRITE_MS: u64 = 60_000;
/// Bytes of what a relay answered that are kept with evidence.
const ANSWER_BYTES: usize = 2048;
/// Milliseconds for which a relay that takes nothing isn't waited for (guess).
const FULL_MS: u64 = 60_000;
/// Own relays that contacts are told at the least, if there are so many.
const TOLD_RELAYS: usize = 2;
/// Seconds by which a relay's clock and ours may differ for its expiries to tell when it took something.
const DATED_S: u64 = 2 * 3600;
/// Milliseconds that this is believed without another receipt.
const DATED_MS: u64 = 25 * 3600 * 1000;
/// Seconds before its expiry from which a promise is no longer asked after: twice what clocks may differ.
const LATE_S: u64 = 2 * DATED_S;

/// A relay's conduct, in memory.
#[derive(Debug, Default)]
struct Known {
    row: StandingRow,
    receipts: BTreeMap<u64, ReceiptRow>,
    /// Where each promise's newest receipt is.
    promises: BTreeMap<EnvelopeId, u64>,
    /// Receipts without a row yet, and rows whose receipt is gone.
    unwritten: BTreeSet<u64>,
    gone: BTreeSet<u64>,
    evidence: VecDeque<u64>,
    /// Promises from before the relay went back to an earlier state, the newest of each topic: its pages tell for which topics it did.
    suspended: BTreeMap<TopicId, (Promise, serde_bytes::ByteBuf)>,
    row_dirty: bool,
}

/// All relays' conduct.
#[derive(Debug, Default)]
pub(super) struct Trust {
    relays: BTreeMap<TransportKey, Known>,
    /// When what was kept since the last time is to be written.
    write_ms: Option<u64>,
    /// Relays that became demoted, or trusted again, and what follows isn't done yet.
    turned: BTreeSet<TransportKey>,
}

impl Trust {
    pub fn is_demoted(&self, relay: &TransportKey) -> bool {
        self.relays
            .get(relay)
            .is_some_and(|known| known.row.demoted_ms.is_some())
    }

    pub fn timer(&self) -> Option<u64> {
        self.write_ms
    }

    /// The known state of a relay; `None` if too many others are known.
    fn known(&mut self, relay: &TransportKey) -> Option<&mut Known> {
        if self.relays.len() >= RELAYS && !self.relays.contains_key(relay) {
            return None;
        }
        Some(self.relays.entry(*relay).or_default())
    }

    /// The promise of a relay for an envelope that still binds it.
    pub fn promise(&self, relay: &TransportKey, id: &EnvelopeId, now_ms: u64) -> Option<&Promise> {
        let known = self.relays.get(relay)?;
        let receipt = known.receipts.get(known.promises.get(id)?)?;
        let promise = receipt.promises.iter().find(|promise| promise.id == *id)?;
        binds(promise, now_ms).then_some(promise)
    }

    /// A relay's promises that still bind it, if its expiries tell when it took what they are about; the oldest first.
    pub fn promises(&self, relay: &TransportKey, now_ms: u64) -> impl Iterator<Item = &Promise> {
        let known = self.relays.get(relay);
        let known = known.filter(|known| now_ms.checked_sub(known.row.dated_ms).is_some_and(|ago| ago < DATED_MS));
        known
            .into_iter()
            .flat_map(|known| {
                let newest = |number: u64, promise: &Promise| known.promises.get(&promise.id) == Some(&number);
                let receipts = known.receipts.iter();
                receipts.flat_map(move |(number, receipt)| {
                    receipt.promises.iter().filter(move |promise| newest(*number, promise))
                })
            })
            .filter(move |promise| binds(promise, now_ms))
    }

    pub fn audited_ms(&self, relay: &TransportKey) -> u64 {
        self.relays.get(relay).map_or(0, |known| known.row.audited_ms)
    }

    pub fn set_audited(&mut self, relay: &TransportKey, now_ms: u64) {
        if let Some(known) = self.relays.get_mut(relay) {
            known.row.audited_ms = now_ms;
            known.row_dirty = true;
            self.write_ms.get_or_insert(now_ms.saturating_add(WRITE_MS));
        }
    }

    /// Promises that are known to be broken: they are no reason to ask again.
    pub fn drop_promises(&mut self, relay: &TransportKey, ids: &[EnvelopeId]) {
        if let Some(known) = self.relays.get_mut(relay) {
            for id in ids {
                known.promises.remove(id);
            }
        }
    }

    /// A clock that was turned back: nothing counts from a time that was never real.
    pub fn clock_turned(&mut self, now_ms: u64) {
        self.write_ms = self.write_ms.map(|at| at.min(now_ms.saturating_add(WRITE_MS)));
        for known in self.relays.values_mut() {
            known.row.counted_ms = known.row.counted_ms.min(now_ms);
            known.row.audited_ms = known.row.audited_ms.min(now_ms);
            // Until its next receipt its expiries are compared with no clock.
            known.row.dated_ms = 0;
        }
    }
}

fn binds(promise: &Promise, now_ms: u64) -> bool {
    promise.until_s > (now_ms / 1000).saturating_add(LATE_S)
}

impl Known {
    /// Points of today.
    fn decay(&mut self, now_ms: u64) {
        let halvings = now_ms.saturating_sub(self.row.counted_ms) / HALF_LIFE_MS;
        if self.row.points == 0 || halvings == 0 {
            return;
        }
        self.row.points = self
            .row
            .points
            .checked_shr(u32::try_from(halvings).unwrap_or(u32::MAX))
            .unwrap_or(0);
        self.row.counted_ms = self.row.counted_ms.saturating_add(halvings * HALF_LIFE_MS);
        self.row_dirty = true;
    }

    /// Its history begins anew: what it promised before is no reason to ask it.
    fn suspend(&mut self) {
        self.promises.clear();
        self.unwritten.clear();
        for (number, receipt) in std::mem::take(&mut self.receipts) {
            self.gone.insert(number);
            for promise in receipt.promises {
                self.suspended.insert(promise.topic, (promise, receipt.frame.clone()));
            }
        }
        while self.suspended.len() > PROMISES {
            self.suspended.pop_first();
        }
    }

    /// Lets go of the oldest receipts beyond the bounds.
    fn trim(&mut self) {
        while self.receipts.len() > RECEIPTS || self.promises.len() > PROMISES {
            let Some((number, receipt)) = self.receipts.pop_first() else {
                return;
            };
            for promise in receipt.promises {
                if self.promises.get(&promise.id) == Some(&number) {
                    self.promises.remove(&promise.id);
                }
            }
            if !self.unwritten.remove(&number) {
                self.gone.insert(number);
            }
        }
    }
}

/// What a fault is about, and the proof.
#[derive(Default)]
pub(super) struct Proof<'a> {
    pub topic: Option<TopicId>,
    pub promise: Option<&'a Promise>,
    /// Receipts beside the one that is kept of the promise.
    pub receipts: Vec<serde_bytes::ByteBuf>,
    pub answer: String,
    /// The frame in which the relay did it.
    pub frame: &'a [u8],
}

impl Client {
    pub(super) fn load_trust(&mut self, rows: &dyn Rows, now_ms: u64) -> Result<(), RowsError> {
        for (stored, value) in rows.prefix(Tree::Trust, &[], usize::MAX)? {
            let Some((relay, kind, number)) = parts(&stored) else {
                continue;
            };
            let known = self.trust.relays.entry(relay).or_default();
            match kind {
                STANDING => known.row = decode(&value)?,
                RECEIPT => {
                    let receipt: ReceiptRow = decode(&value)?;
                    for promise in &receipt.promises {
                        known.promises.insert(promise.id, number);
                    }
                    known.receipts.insert(number, receipt);
                }
                PROOF => known.evidence.push_back(number),
                _ => {}
            }
            // Receipts are written before the number of the next.
            if kind != STANDING {
                known.row.next = known.row.next.max(number + 1);
            }
        }
        self.review(now_ms);
        Ok(())
    }

    /// A relay signed for envelopes of ours: its word is kept. Gives whether it contradicts what it signed before.
    pub(super) fn keep_receipt(
        &mut self,
        now_ms: u64,
        relay: TransportKey,
        receipt: &Receipt,
        ours: &BTreeMap<EnvelopeId, (TopicId, u32)>,
    ) -> Result<(), RowsError> {
        let now_s = now_ms / 1000;
        let mut promises = Vec::new();
        for Accepted { id, until_s } in &receipt.accepted {
            let Some((topic, ttl_s)) = ours.get(id) else {
                continue;
            };
            let taken_s = until_s.saturating_sub(u64::from(*ttl_s));
            promises.push(Promise {
                id: *id,
                topic: *topic,
                until_s: *until_s,
                taken_s,
            });
        }
        let broken: Vec<(Promise, Promise)> = promises
            .iter()
            .filter_map(|new| {
                let old = self.trust.promise(&relay, &new.id, now_ms)?;
                // Who had it still would have signed for the same expiry.
                (new.until_s > old.until_s.saturating_add(DATED_S)).then(|| (old.clone(), new.clone()))
            })
            .collect();
        if let Some((old, new)) = broken.first() {
            let answer = format!(
                "it signed to keep the envelope until {}, and on its next deposit until {}, as whoever has lost it does",
                old.until_s, new.until_s
            );
            let proof = Proof {
                topic: Some(old.topic),
                promise: Some(old),
                receipts: vec![CustodianFrame::Receipt(receipt.clone()).encode().into()],
                answer,
                frame: &[],
            };
            self.fault(now_ms, relay, Fault::Denied, &proof)?;
        }
        let frame = CustodianFrame::Receipt(Receipt {
            refused: Vec::new(),
            ..receipt.clone()
        });
        let Some(known) = self.trust.known(&relay) else {
            return Ok(());
        };
        if promises.iter().any(|promise| promise.taken_s.abs_diff(now_s) < DATED_S) {
            known.row.dated_ms = now_ms;
        }
        if promises.is_empty() {
            return Ok(());
        }
        let number = known.row.next;
        known.row.next += 1;
        for promise in &promises {
            known.promises.insert(promise.id, number);
        }
        known.receipts.insert(
            number,
            ReceiptRow {
                frame: frame.encode().into(),
                promises,
                at_ms: now_ms,
            },
        );
        known.unwritten.insert(number);
        known.trim();
        self.trust.write_ms.get_or_insert(now_ms.saturating_add(WRITE_MS));
        Ok(())
    }

    /// A relay's history isn't the one that its receipts were about. That is a fault only if it owes something still: a topic that was
    /// empty for long begins again honestly.
    pub(super) fn relay_lost_its_past(
        &mut self,
        now_ms: u64,
        relay: TransportKey,
        topic: TopicId,
        frame: &[u8],
        first: bool,
    ) -> Result<(), RowsError> {
        let Some(known) = self.trust.relays.get_mut(&relay) else {
            return Ok(());
        };
        // What it signs from then on is about its new history.
        if first {
            known.suspend();
        }
        let owed = known.suspended.remove(&topic);
        if let Some((promise, receipt)) = owed.filter(|(promise, _)| binds(promise, now_ms)) {
            let proof = Proof {
                topic: Some(topic),
                promise: Some(&promise),
                receipts: vec![receipt],
                answer: "the cursor that it gave doesn't fit its history any more".into(),
                frame,
            };
            self.fault(now_ms, relay, Fault::Forgot, &proof)?;
        }
        Ok(())
    }

    /// Counts a fault of a relay and keeps the proof.
    pub(super) fn fault(
        &mut self,
        now_ms: u64,
        relay: TransportKey,
        fault: Fault,
        proof: &Proof<'_>,
    ) -> Result<(), RowsError> {
        let Some(known) = self.trust.known(&relay) else {
            return Ok(());
        };
        let newest = known.row.marks.iter().rfind(|mark| mark.fault == fault);
        if matches!(fault, Fault::Junk | Fault::Forgot)
            && newest.is_some_and(|mark| now_ms.abs_diff(mark.at_ms) < SMALL_FAULT_MS)
        {
            return Ok(());
        }
        known.decay(now_ms);
        if known.row.points == 0 {
            known.row.counted_ms = now_ms;
        }
        known.row.points = known.row.points.saturating_add(fault.points()).min(MOST);
        known.row.marks.push_back(Mark { fault, at_ms: now_ms });
        if known.row.marks.len() > MARKS {
            known.row.marks.pop_front();
        }
        let kept = proof.promise.and_then(|promise| known.promises.get(&promise.id));
        let kept = kept.and_then(|number| known.receipts.get(number));
        let receipts = kept.map(|kept| kept.frame.clone()).into_iter();
        let receipts = receipts.chain(proof.receipts.iter().cloned());
        let row = encode(&EvidenceRow {
            fault,
            at_ms: now_ms,
            topic: proof.topic,
            envelope: proof.promise.map(|promise| promise.id),
            until_s: proof.promise.map_or(0, |promise| promise.until_s),
            receipts: receipts.collect(),
            answer: proof.answer.clone(),
            frame: proof.frame.get(..ANSWER_BYTES).unwrap_or(proof.frame).to_vec().into(),
        })?;
        let number = known.row.next;
        known.row.next += 1;
        known.evidence.push_back(number);
        let dropped = (known.evidence.len() as u64 > EVIDENCE)
            .then(|| known.evidence.pop_front())
            .flatten();
        let turned = known.row.demoted_ms.is_none() && known.row.points >= DEMOTED;
        if turned {
            known.row.demoted_ms = Some(now_ms);
        }
        let standing = encode(&known.row)?;
        self.put(Tree::Trust, row_key(&relay, PROOF, number), row);
        self.put(Tree::Trust, row_key(&relay, STANDING, 0), standing);
        if let Some(dropped) = dropped {
            self.step.batch.delete(Tree::Trust, row_key(&relay, PROOF, dropped));
        }
        if turned {
            self.event(&EventRow::RelayDemoted { relay, fault });
            self.trust.turned.insert(relay);
        }
        Ok(())
    }

    /// Lets points decay: who has behaved is trusted again.
    fn review(&mut self, now_ms: u64) {
        for (relay, known) in &mut self.trust.relays {
            known.decay(now_ms);
            if known.row.points < TRUSTED && known.row.demoted_ms.take().is_some() {
                known.row_dirty = true;
                self.trust.turned.insert(*relay);
            }
            if known.row_dirty {
                self.trust.write_ms.get_or_insert(now_ms.saturating_add(WRITE_MS));
            }
        }
    }

    /// Writes what was kept, when it is time.
    pub(super) fn tick_trust(&mut self, now_ms: u64) -> Result<(), RowsError> {
        if self.trust.write_ms.is_none_or(|at| at > now_ms) {
            return Ok(());
        }
        self.review(now_ms);
        self.trust.write_ms = None;
        for (relay, known) in &mut self.trust.relays {
            for number in std::mem::take(&mut known.gone) {
                self.step.batch.delete(Tree::Trust, row_key(relay, RECEIPT, number));
            }
            let fresh = std::mem::take(&mut known.unwritten);
            for number in &fresh {
                if let Some(receipt) = known.receipts.get(number) {
                    let row = encode(receipt)?;
                    self.step.batch.put(Tree::Trust, row_key(relay, RECEIPT, *number), row);
                }
            }
            if std::mem::take(&mut known.row_dirty) || !fresh.is_empty() {
                let row = encode(&known.row)?;
                self.step.batch.put(Tree::Trust, row_key(relay, STANDING, 0), row);
            }
        }
        Ok(())
    }

    /// Does what follows from relays that became demoted, or trusted again: contacts are told others, or them too, and those who wait for
    /// messages that only such a relay holds are looked after soon.
    pub(super) fn follow_trust(&mut self, now_ms: u64) -> Result<(), RowsError> {
        let turned = std::mem::take(&mut self.trust.turned);
        if turned.is_empty() {
            return Ok(());
        }
        if turned
            .iter()
            .any(|relay| self.settings.relays.iter().any(|own| own.key == *relay))
        {
            self.tell_details(now_ms)?;
            self.publish_cards(now_ms)?;
        }
        let waiting: BTreeSet<_> = self
            .outs
            .values()
            .filter(|out| out.held.keys().any(|relay| turned.contains(relay)))
            .filter_map(|out| out.what.chat())
            .collect();
        self.weigh_doubted()?;
        for chat in waiting {
            if let Some(chat) = self.chats.get_mut(&chat) {
                chat.nudges = 0;
                chat.nudge_ms = chat
                    .nudge_ms
                    .map(|at| at.min(now_ms.saturating_add(self.config.nudge_ms)));
            }
        }
        Ok(())
    }

    /// Takes the words of demoted relays for what they are now: some may count again.
    pub(super) fn weigh_doubted(&mut self) -> Result<(), RowsError> {
        let again: Vec<(u64, TransportKey, u64)> = self
            .outs
            .iter()
            .flat_map(|(number, out)| out.doubted.iter().map(|(relay, until_ms)| (*number, *relay, *until_ms)))
            .collect();
        for (number, relay, until_ms) in again {
            self.accepted(relay, true, number, until_ms)?;
        }
        Ok(())
    }

    /// Whether a relay's signature is custody of an envelope: it is trusted, or no relay is wanted for it that is and takes anything.
    pub(super) fn counts(&self, relay: &TransportKey, out: &Out) -> bool {
        let full_ms = self.last_ms.saturating_add(FULL_MS);
        let trusted = |(other, link): (&TransportKey, &Link)| {
            !self.trust.is_demoted(other) && link.refused_until_ms <= full_ms && self.is_relay_for(link, out)
        };
        !self.trust.is_demoted(relay) || !self.links.iter().any(trusted)
    }

    /// The own relays that others are told: those that are trusted, and others as long as these are fewer than two: the one that is left may lie too, or be full.
    pub(super) fn told_relays(&self) -> Vec<crate::address::PeerAddress> {
        let (trusted, mut demoted): (Vec<_>, Vec<_>) = {
            let own = self.settings.relays.iter().cloned();
            own.partition(|relay| !self.trust.is_demoted(&relay.key))
        };
        demoted.truncate(TOLD_RELAYS.saturating_sub(trusted.len()));
        [trusted, demoted].concat()
    }

    /// What is known of a relay's conduct, for the doctor.
    pub fn standing(&self, relay: &TransportKey) -> Standing {
        let row = self.trust.relays.get(relay).map(|known| &known.row);
        Standing {
            relay: *relay,
            demoted_ms: row.and_then(|row| row.demoted_ms),
            marks: row.map(|row| row.marks.iter().copied().collect()).unwrap_or_default(),
        }
    }
}
