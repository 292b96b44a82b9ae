//! What is done when nobody confirms: messages are sealed and handed over again.

use super::Client;
use super::chats::Chat;
use super::outbox::OutWhat;
use super::records::OutKind;
use crate::keys::{ChatId, NodeId};
use crate::rows::RowsError;

/// Undelivered messages that one nudge looks after.
const NUDGED: usize = 64;
/// A nudge waits at most 2^this times the configured time.
const NUDGE_DOUBLINGS: u32 = 9;

impl Client {
    /// Seals again what was sealed on a state that the others may no longer have.
    pub(super) fn reseal_stale(&mut self, now_ms: u64, chat_id: ChatId) -> Result<(), RowsError> {
        // What is sealed may be all that this device can give for now.
        let Some(epoch) = self
            .chats
            .get(&chat_id)
            .filter(|chat| chat.may_seal())
            .map(|chat| chat.group.epoch())
        else {
            return Ok(());
        };
        let kept = self.config.frozen_states as u64;
        let stale: Vec<u64> = self
            .waiting(&chat_id)
            .filter(|(_, out)| {
                matches!(&out.what, OutWhat::Row(OutKind::Messages { .. }))
                    && out.envelope.is_some()
                    && epoch.saturating_sub(out.epoch) >= kept
            })
            .map(|(number, _)| number)
            .collect();
        for number in stale {
            self.send_again(now_ms, number)?;
        }
        Ok(())
    }

    /// Seals a message anew and hands it to everybody again; whoever has it already drops the repeat by its sequence.
    pub(super) fn send_again(&mut self, now_ms: u64, number: u64) -> Result<(), RowsError> {
        let Some(out) = self.outs.get_mut(&number) else {
            return Ok(());
        };
        if let OutWhat::Row(OutKind::Messages { .. }) = out.what
            && let Some(envelope) = out.envelope.take()
        {
            self.out_ids.remove(&envelope.id());
            self.dirty.outs.insert(number);
        }
        for peer in self.custodians(number) {
            let topic = self.outs.get(&number).map(|out| out.topic);
            if let (Some(link), Some(topic)) = (self.links.get_mut(&peer), topic)
                && link.offer(number, topic)
            {
                self.pump(now_ms, peer)?;
            }
        }
        Ok(())
    }

    /// Looks after them at once: somebody was put back by a commit and can't read what was sealed before.
    pub(super) fn nudge_for(&mut self, now_ms: u64, chat_id: ChatId, node: &NodeId) {
        let counts = |chat: &&mut Chat| chat.dag.leads_to(node, &chat.dag.tip());
        if let Some(chat) = self.chats.get_mut(&chat_id).filter(counts)
            && chat.nudge_ms.is_some()
        {
            chat.nudge_ms = Some(now_ms);
            chat.nudges = 0;
            chat.answered = true;
        }
    }

    /// Looks after messages that nobody confirms: those that a frontier shows to be missing, else the oldest.
    pub(super) fn nudge_if_due(&mut self, now_ms: u64, chat_id: ChatId) -> Result<(), RowsError> {
        let own = self.device_in(&chat_id);
        let Some(chat) = self.chats.get(&chat_id) else {
            return Ok(());
        };
        // Whoever has it may be waiting for more to tell.
        let longest_ms = chat.report_longest_ms(self.config.report_delay_ms);
        let interval = self.config.nudge_ms.max(longest_ms.saturating_mul(2));
        let Some(due) = chat.nudge_ms else {
            return Ok(());
        };
        // A clock that jumped back must not leave the next look far in the future.
        let longest = interval.saturating_mul(1 << NUDGE_DOUBLINGS);
        if due > now_ms && due - now_ms <= longest {
            return Ok(());
        }
        self.give_up_old(now_ms, chat_id)?;
        let Some(chat) = self.chats.get(&chat_id) else {
            return Ok(());
        };
        let reported = chat
            .others(own)
            .filter_map(|member| chat.acks.get(&member.device))
            .map(|ack| ack.delivered.max())
            .max()
            .unwrap_or(0);
        let (mut waiting, mut holes) = (Vec::new(), 0);
        for (number, out) in self.waiting(&chat_id) {
            match &out.what {
                OutWhat::Row(OutKind::Messages { run, incarnation, .. }) => {
                    let hole = run.iter().any(|message| {
                        message.sequence < reported && !chat.delivered(own, *incarnation, message.sequence)
                    });
                    holes += usize::from(hole);
                    waiting.push((number, hole));
                }
                OutWhat::Row(OutKind::Commit { .. }) => waiting.push((number, true)),
                _ => {}
            }
        }
        let mut chosen: Vec<u64> = waiting
            .iter()
            .filter(|(_, missing)| *missing)
            .map(|(number, _)| *number)
            .take(NUDGED)
            .collect();
        // Whoever is away gets one more copy of the oldest; whoever answers lacks a tail, and gets it sooner.
        // A commit that nobody confirms must not keep them from being sealed again: it may be they that can't be read any more.
        if holes == 0 {
            let most = if chat.answered { NUDGED } else { 1 };
            let tail = waiting.iter().filter(|(_, missing)| !missing);
            chosen.extend(tail.map(|(number, _)| *number).take(most));
        }
        let reachable = chat.may_seal() && self.reachable(&chat_id);
        if let Some(chat) = self.chats.get_mut(&chat_id) {
            if reachable && due != 0 {
                chat.nudges = (chat.nudges + 1).min(NUDGE_DOUBLINGS);
                chat.answered = false;
            }
            let wait = interval.saturating_mul(1 << chat.nudges);
            chat.nudge_ms = (!waiting.is_empty()).then(|| now_ms.saturating_add(wait));
        }
        if reachable && due != 0 {
            for number in chosen {
                // A member has what came later: whoever signed for this is asked whether it is still there.
                if holes > 0
                    && let Some(topic) = self.outs.get(&number).map(|out| out.topic)
                {
                    self.suspect(now_ms, topic);
                }
                self.send_again(now_ms, number)?;
            }
        }
        Ok(())
    }
}
