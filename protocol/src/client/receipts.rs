//! The custodians' answers to deposits.

use super::io::Effect;
use super::links::Link;
use super::outbox::{Out, OutWhat};
use super::records::{LedgerRow, OutKind, encode_small};
use super::{Client, EventRow};
use crate::custody::{Receipt, Refusal};
use crate::keys::{EnvelopeId, TransportKey};
use crate::rows::{RowsError, Tree};
use std::collections::{BTreeMap, BTreeSet};

/// The longest that a custodian's request for patience is heeded, in milliseconds (guess: an hour).
const PATIENCE_MS: u64 = 3_600_000;
/// Milliseconds until a custodian that left out an answer is asked again (guess).
const UNANSWERED_MS: u64 = 30_000;

impl Client {
    /// A custodian answered a deposit.
    pub(super) fn receipt(&mut self, now_ms: u64, peer: TransportKey, receipt: &Receipt) -> Result<(), RowsError> {
        if receipt.verify(&peer).is_err() {
            self.step.effects.push(Effect::Penalise {
                peer,
                reason: "a receipt whose signature doesn't hold",
            });
            return self.junk(now_ms, peer, "it sent a receipt whose signature doesn't hold", &[]);
        }
        let Some(link) = self.links.get_mut(&peer) else {
            return Ok(());
        };
        let Some(flight) = link.flight.remove(&receipt.request) else {
            return Ok(());
        };
        let relay = link.relay;
        let asked: BTreeMap<EnvelopeId, u64> = flight.into_iter().map(|(number, id)| (id, number)).collect();
        if relay {
            self.note_receipt(now_ms, peer, receipt, &asked)?;
        }
        let Some(link) = self.links.get_mut(&peer) else {
            return Ok(());
        };
        // What the custodian didn't answer for is asked again, after a pause.
        let answered: BTreeSet<EnvelopeId> = receipt
            .accepted
            .iter()
            .map(|accepted| accepted.id)
            .chain(receipt.refused.iter().map(|refused| refused.id))
            .collect();
        let unanswered: Vec<u64> = asked
            .iter()
            .filter(|(id, _)| !answered.contains(id))
            .map(|(_, number)| *number)
            .collect();
        if !unanswered.is_empty() {
            link.todo.extend(unanswered);
            link.refused_until_ms = now_ms.saturating_add(UNANSWERED_MS);
            self.step.effects.push(Effect::Penalise {
                peer,
                reason: "a receipt that leaves out what was deposited",
            });
        }
        for accepted in &receipt.accepted {
            if let Some(number) = asked.get(&accepted.id) {
                self.accepted(peer, relay, *number, accepted.until_s.saturating_mul(1000))?;
            }
        }
        for refused in &receipt.refused {
            let Some(number) = asked.get(&refused.id) else {
                continue;
            };
            let out = self.outs.get(number);
            let topic = out.map(|out| out.topic);
            // The same bytes are taken again once they are gone there: nothing else has to wait for that.
            let lapsed = refused.why == Refusal::Busy && out.is_some_and(|out| out.held.contains_key(&peer));
            if let (Some(link), Some(topic)) = (self.links.get_mut(&peer), topic)
                && refused.why.retryable()
                && refused.why != Refusal::NotHere
            {
                let wait_ms = (u64::from(refused.retry_after_s.max(1)) * 1000).min(PATIENCE_MS);
                let until_ms = now_ms.saturating_add(wait_ms);
                if lapsed {
                    link.lapses_at(until_ms);
                    continue;
                }
                link.todo.insert(*number);
                if relay && refused.why == Refusal::TopicQuota {
                    // Only this topic has to wait: nobody can hold up other chats by filling one.
                    link.parked.entry(topic).or_default().until_ms = until_ms;
                } else {
                    link.refused_until_ms = until_ms;
                }
            }
            if relay {
                self.refused(*number, refused.why)?;
            } else if refused.why == Refusal::NotHere {
                self.release_unkept(now_ms, *number)?;
                self.tell_behind(now_ms, peer, *number)?;
            }
        }
        if self.links.get(&peer).is_some_and(|link| link.refused_until_ms > now_ms) {
            self.weigh_doubted()?;
        }
        self.park(peer)?;
        self.pump(now_ms, peer)
    }

    pub(super) fn accepted(
        &mut self,
        peer: TransportKey,
        relay: bool,
        number: u64,
        until_ms: u64,
    ) -> Result<(), RowsError> {
        let Some(out) = self.outs.get_mut(&number) else {
            return Ok(());
        };
        match &out.what {
            OutWhat::Report(_) if !relay => {
                if let Some(link) = self.links.get_mut(&peer) {
                    link.handed.insert(number);
                }
                if self.all_handed(number) {
                    self.report_told(number);
                }
                return Ok(());
            }
            OutWhat::Report(_) => {}
            OutWhat::Row(kind) if !relay => {
                let commit = kind.commit();
                if let Some(link) = self.links.get_mut(&peer) {
                    link.handed.insert(number);
                }
                if let Some((chat, node)) = commit {
                    self.release_welcomes(self.last_ms, chat, node)?;
                }
                return Ok(());
            }
            OutWhat::Row(_) => {}
        }
        let commit = out.what.commit();
        let lapses_ms = self.lapse_ms(self.last_ms, until_ms);
        if let Some(link) = self.links.get_mut(&peer) {
            link.lapses_at(lapses_ms);
        }
        let counts = self.outs.get(&number).is_none_or(|out| self.counts(&peer, out));
        let Some(out) = self.outs.get_mut(&number) else {
            return Ok(());
        };
        if !counts {
            // Its word is no custody while another relay could give its own.
            out.doubted.insert(peer, until_ms);
            return Ok(());
        }
        out.doubted.remove(&peer);
        let first = out.held.is_empty();
        out.held.insert(peer, until_ms);
        out.forgotten.remove(&peer);
        let refused = out.refused.take().is_some();
        if matches!(out.what, OutWhat::Report(_)) {
            // Its word is enough only where it needn't show that it serves what it took.
            let shown = out.echoed.contains(&peer);
            let topic = out.topic;
            let shows = |link: &Link| link.watched.contains(&topic) && !link.audit.unwatched;
            if shown || !self.links.get(&peer).is_some_and(shows) {
                self.report_told(number);
            }
            return Ok(());
        }
        self.write_ledger(number)?;
        if first {
            self.tell_ledger(number);
        }
        if refused {
            self.tell_channel_post(number);
        }
        if let Some((chat, node)) = commit {
            self.release_welcomes(self.last_ms, chat, node)?;
        }
        self.channel_held(number);
        Ok(())
    }

    /// Whether each other device of a report's chat was handed it.
    fn all_handed(&self, number: u64) -> bool {
        let chat = self.outs.get(&number).and_then(|out| out.what.chat());
        let Some(chat) = chat.and_then(|chat| self.chats.get(&chat)) else {
            return true;
        };
        let handed = |link: &&Link| !link.relay && link.handed.contains(&number);
        self.links.values().filter(handed).count() >= chat.others(self.device_in(&chat.id)).count()
    }

    /// A report is where the others find it. Until then it is handed to whoever else comes: it may say what no sender asks for again.
    pub(super) fn report_told(&mut self, number: u64) {
        let chat = self.outs.get(&number).and_then(|out| out.what.chat());
        // What came since it was written is still owed: a crash before the next report must not forget that.
        if let Some(chat) = chat.and_then(|chat| self.chats.get_mut(&chat))
            && chat.report_due_ms.is_none()
        {
            chat.set_owed(false);
            chat.gaps.asking = false;
            self.dirty.chats.insert(chat.id);
        }
        self.drop_out(number);
    }

    /// Keeps a relay's word, and waits for what it took to come back where we watch its topic.
    fn note_receipt(
        &mut self,
        now_ms: u64,
        peer: TransportKey,
        receipt: &Receipt,
        asked: &BTreeMap<EnvelopeId, u64>,
    ) -> Result<(), RowsError> {
        let sealed = |number: &u64| {
            let envelope = self.outs.get(number)?.envelope.as_ref()?;
            Some((envelope.id(), (envelope.topic(), envelope.ttl_s())))
        };
        let ours: BTreeMap<_, _> = asked.values().filter_map(sealed).collect();
        for accepted in &receipt.accepted {
            let (Some((topic, _)), Some(number)) = (ours.get(&accepted.id), asked.get(&accepted.id)) else {
                continue;
            };
            let echoed = self.outs.get(number).is_some_and(|out| out.echoed.contains(&peer));
            if let Some(link) = self
                .links
                .get_mut(&peer)
                .filter(|link| !echoed && link.watched.contains(topic))
            {
                link.audit.expect(accepted.id, now_ms);
            }
        }
        self.keep_receipt(now_ms, peer, receipt, &ours)
    }

    /// A member doesn't know the topic of a commit of ours. Where no relay serves the chat, and none of those who are there knows it, nobody may
    /// ever take it; whom it adds is told all the same, and will know it.
    fn release_unkept(&mut self, now_ms: u64, number: u64) -> Result<(), RowsError> {
        let commit = self.outs.get(&number).and_then(|out| out.what.commit());
        let Some((chat_id, node)) = commit else {
            return Ok(());
        };
        let Some(chat) = self.chats.get(&chat_id) else {
            return Ok(());
        };
        let may_take =
            |link: &Link| link.relay || link.opened && (link.handed.contains(&number) || link.is_to_answer(number));
        if self.links.values().any(|link| link.serves(chat) && may_take(link)) {
            return Ok(());
        }
        self.release_welcomes(now_ms, chat_id, node)
    }

    pub(super) fn refused(&mut self, number: u64, why: Refusal) -> Result<(), RowsError> {
        let Some(out) = self.outs.get_mut(&number) else {
            return Ok(());
        };
        if !out.held.is_empty() || out.refused == Some(why) {
            return Ok(());
        }
        out.refused = Some(why);
        self.write_ledger(number)?;
        self.tell_ledger(number);
        self.tell_channel_post(number);
        Ok(())
    }

    /// Messages have waited for too long: their ledger says so.
    pub(super) fn expired(&mut self, number: u64) -> Result<(), RowsError> {
        if let Some(out) = self.outs.get_mut(&number) {
            out.expired = true;
        }
        self.write_ledger(number)?;
        self.tell_ledger(number);
        Ok(())
    }

    /// Tells that messages got further.
    fn tell_ledger(&mut self, number: u64) {
        let messages = self.outs.get(&number).map(|out| self.messages_of(&out.what));
        for message in messages.unwrap_or_default() {
            self.event(&EventRow::Ledger { message });
        }
    }

    /// Tells who writes a channel that relays refuse an entry, or do so no longer.
    fn tell_channel_post(&mut self, number: u64) {
        let out = self.outs.get(&number);
        if let Some(OutWhat::Row(OutKind::Channel { channel, number: 1.. })) = out.map(|out| &out.what)
            && let Some(envelope) = out.and_then(|out| out.envelope.as_ref())
        {
            let (channel, post) = (*channel, envelope.id());
            self.event(&EventRow::ChannelPostUpdated { channel, post });
        }
    }

    /// Writes who holds the messages of an outgoing envelope.
    pub(super) fn write_ledger(&mut self, number: u64) -> Result<(), RowsError> {
        let Some(out) = self.outs.get(&number) else {
            return Ok(());
        };
        let Some((stored, last)) = self.ledger_place(&out.what) else {
            return Ok(());
        };
        let row = encode_small(&LedgerRow {
            last,
            held: out
                .held
                .iter()
                .map(|(relay, until)| (*relay, if out.forgotten.contains(relay) { 0 } else { *until }))
                .collect(),
            refused: out.refused,
            expired: out.expired,
        })?;
        self.put(Tree::Ledger, stored, row);
        Ok(())
    }

    /// A relay lost its past: what it held has to be deposited again. The rows say so too, since its cursors are void only once.
    pub(super) fn relay_forgot(&mut self, now_ms: u64, peer: TransportKey) -> Result<(), RowsError> {
        let signed = |out: &Out| {
            out.held.contains_key(&peer) && !out.forgotten.contains(&peer) || out.doubted.contains_key(&peer)
        };
        let outs = self.outs.iter().filter(|(_, out)| signed(out));
        let lost: Vec<u64> = outs.map(|(number, _)| *number).collect();
        self.blobs_forgotten(&peer)?;
        self.lost_there(now_ms, peer, &lost)
    }

    /// A relay has lost some of what it held: it is handed that again, as far as we still have it. The ledger stays what it was, but for
    /// the relay that no longer holds it.
    pub(super) fn lost_there(&mut self, now_ms: u64, relay: TransportKey, lost: &[u64]) -> Result<(), RowsError> {
        for number in lost {
            if let Some(out) = self.outs.get_mut(number) {
                out.doubted.remove(&relay);
                if out.held.contains_key(&relay) {
                    out.forgotten.insert(relay);
                }
            }
            self.write_ledger(*number)?;
        }
        self.fill_todo(now_ms, relay);
        self.pump(now_ms, relay)
    }

    /// Takes what is on a refused topic out of a link's way.
    fn park(&mut self, peer: TransportKey) -> Result<(), RowsError> {
        let Some(link) = self.links.get_mut(&peer).filter(|link| !link.parked.is_empty()) else {
            return Ok(());
        };
        let mut parked = Vec::new();
        for number in std::mem::take(&mut link.todo) {
            if let Some(out) = self.outs.get(&number)
                && !link.offer(number, out.topic)
            {
                parked.push(number);
            }
        }
        for number in parked {
            self.refused(number, Refusal::TopicQuota)?;
        }
        Ok(())
    }
}
