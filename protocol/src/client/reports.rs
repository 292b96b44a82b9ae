//! Frontiers: telling the others what we have, and learning what they have.

use super::chats::Chat;
use super::frontiers::REPORT_MOST_MS;
use super::outbox::{OutWhat, Sealing};
use super::records::{About, AckRow, OutKind};
use super::{Client, EventRow};
use crate::chat::{Mark, Member};
use crate::keys::{AccountId, ChatId, NodeId};
use crate::message::Frontier;
use crate::rows::RowsError;
use crate::seq_set::SeqSet;

impl Client {
    /// Notes that the others should be told soon.
    pub(super) fn owe_report(&mut self, now_ms: u64, chat_id: ChatId) {
        // In a group each report is read by all: the more there are, the longer each waits for more to tell.
        let (delay_ms, jitter) = (self.config.report_delay_ms, self.crypto.random_u64());
        let wait_ms = self
            .chats
            .get(&chat_id)
            .map_or(delay_ms, |chat| chat.report_wait_ms(delay_ms, jitter));
        self.owe_report_by(now_ms.saturating_add(wait_ms), chat_id);
    }

    /// Notes that the others should be told again what they were told before.
    pub(super) fn owe_repeat(&mut self, now_ms: u64, chat_id: ChatId) {
        let delay_ms = self.config.report_delay_ms;
        let longest_ms = self
            .chats
            .get(&chat_id)
            .map_or(0, |chat| chat.report_longest_ms(delay_ms));
        self.owe_report_by(
            now_ms.saturating_add(self.config.repeat_delay_ms.max(longest_ms)),
            chat_id,
        );
    }

    /// Notes that the others should be told at once.
    pub(super) fn owe_report_soon(&mut self, chat_id: ChatId) {
        self.owe_report_by(self.last_ms.saturating_add(self.config.report_delay_ms), chat_id);
    }

    fn owe_report_by(&mut self, due_ms: u64, chat_id: ChatId) {
        if let Some(chat) = self.chats.get_mut(&chat_id) {
            chat.set_owed(true);
            let earlier = chat.report_due_ms.map_or(due_ms, |known| known.min(due_ms));
            chat.report_due_ms = Some(earlier);
            self.dirty.chats.insert(chat_id);
        }
    }

    /// Sends a report that is due, if somebody is there to hand it to.
    pub(super) fn report_if_due(&mut self, now_ms: u64, chat_id: ChatId) -> Result<(), RowsError> {
        let delay = self.config.repeat_delay_ms.max(REPORT_MOST_MS);
        let Some(due) = self.chats.get(&chat_id).and_then(|chat| chat.report_due_ms) else {
            return Ok(());
        };
        // A clock that jumped back must not leave the report far in the future.
        let may_seal = self.chats.get(&chat_id).is_some_and(Chat::may_seal);
        if (due > now_ms && due - now_ms <= delay) || !may_seal || !self.reachable(&chat_id) {
            return Ok(());
        }
        if let Some(chat) = self.chats.get_mut(&chat_id) {
            chat.report_due_ms = None;
        }
        let Some(envelope) = self.seal_inner(chat_id, Sealing::Report)? else {
            return Ok(());
        };
        let topic = envelope.topic();
        if let Some(number) = self.chats.get(&chat_id).and_then(|chat| chat.report) {
            self.drop_out(number);
        }
        self.add_out(now_ms, topic, OutWhat::Report(chat_id), envelope)?;
        // What had no room goes with the next.
        if self.chats.get(&chat_id).is_some_and(|chat| chat.telling.is_owed()) {
            self.owe_report(now_ms, chat_id);
        }
        Ok(())
    }

    /// Learns from a member's message or report what that device has of ours.
    pub(super) fn learn(
        &mut self,
        now_ms: u64,
        chat_id: ChatId,
        member: &Member,
        node: NodeId,
        mark: Option<Mark>,
        frontiers: &[Frontier],
    ) -> Result<(), RowsError> {
        let (own, last) = (self.device_in(&chat_id), self.last_sent(chat_id));
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return Ok(());
        };
        if member.device == own {
            return Ok(());
        }
        let stream = chat.stream(own);
        let before = chat.acks.get(&member.device).cloned().unwrap_or_default();
        let mut ack: AckRow = before.clone();
        ack.node = Some(node);
        ack.mark = mark.or(ack.mark);
        let (mut delivered, mut unsent) = (Vec::new(), false);
        self.learn_past(chat_id, member, frontiers);
        for frontier in frontiers.iter().filter(|frontier| frontier.stream == stream) {
            // Nobody can have what was never sent, but by another copy of this device's data.
            if frontier.delivered.max() > last || frontier.read_through > last {
                unsent = true;
                continue;
            }
            delivered.extend(ack.delivered.merge(&frontier.delivered));
            ack.read_through = ack.read_through.max(frontier.read_through);
        }
        if unsent {
            self.look_again(now_ms, chat_id);
        }
        let Some(chat) = self.chats.get_mut(&chat_id).filter(|_| ack != before) else {
            return Ok(());
        };
        let read = (before.read_through + 1..=ack.read_through).filter(|sequence| before.delivered.contains(*sequence));
        let mut moved: Vec<u64> = read.collect();
        moved.extend(delivered.iter().flat_map(|(first, last)| *first..=*last));
        chat.acks.insert(member.device, ack);
        chat.acks_dirty.insert(member.device);
        chat.elsewhere.remove(&member.device);
        if !delivered.is_empty() {
            chat.nudges = 0;
            chat.answered = true;
        }
        self.dirty.chats.insert(chat_id);
        self.confirm(chat_id);
        if before.node != Some(node) {
            self.heard_at(chat_id, member.account, node);
        }
        for sequence in moved {
            if self.is_shown(chat_id, sequence) {
                self.event(&EventRow::Ledger {
                    message: stream.message(sequence),
                });
            }
        }
        let missing = self.chats.get_mut(&chat_id);
        if let Some(chat) = missing
            && !delivered.is_empty()
            && chat.nudge_ms.is_some()
        {
            chat.nudge_ms = Some(now_ms.saturating_add(self.config.nudge_ms));
        }
        self.tell_details_if_due(now_ms, chat_id)
    }

    /// Learns what a member's device has of our streams that have ended.
    fn learn_past(&mut self, chat_id: ChatId, member: &Member, frontiers: &[Frontier]) {
        let own = self.device_in(&chat_id);
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return;
        };
        let mut moved = Vec::new();
        for frontier in frontiers.iter().filter(|frontier| frontier.stream.device == own) {
            let incarnation = frontier.stream.incarnation;
            let ended = chat.row.past.iter().find(|(past, _)| *past == incarnation);
            let (Some((_, last)), Some(ack)) = (ended, chat.past_acks.get_mut(&(incarnation, member.device))) else {
                continue;
            };
            // What is beyond is the other copy's.
            let mut ours = SeqSet::default();
            for (first, through) in frontier.delivered.ranges().iter().filter(|(first, _)| first <= last) {
                ours.insert_range(*first, *through.min(last));
            }
            let before = ack.clone();
            let delivered = ack.delivered.merge(&ours);
            ack.read_through = ack.read_through.max(frontier.read_through.min(*last));
            if *ack != before {
                moved.extend(
                    delivered
                        .iter()
                        .flat_map(|(first, last)| *first..=*last)
                        .map(|at| frontier.stream.message(at)),
                );
                chat.past_dirty.insert((incarnation, member.device));
                self.dirty.chats.insert(chat_id);
            }
        }
        if !moved.is_empty() {
            self.confirm(chat_id);
        }
        for message in moved {
            self.event(&EventRow::Ledger { message });
        }
    }

    /// A member was heard in a state: if it is in the one that its Welcome leads to, or beyond, it needs no Welcome.
    pub(super) fn heard_at(&mut self, chat_id: ChatId, joined: AccountId, at: NodeId) {
        let own = self.device_in(&chat_id);
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return;
        };
        chat.drop_done(own);
        self.dirty.chats.insert(chat_id);
        let dag = &chat.dag;
        let past = |node: &NodeId| *node == at || dag.leads_to(node, &at) || !dag.contains(node) && *node != dag.root();
        let came = |what: &OutWhat| match what {
            OutWhat::Row(OutKind::Inbox {
                account,
                chat,
                node: Some(node),
                ..
            })
            | OutWhat::Row(OutKind::Stranger {
                about: About::Welcome { chat, account, node },
                ..
            }) => *account == joined && *chat == chat_id && past(node),
            _ => false,
        };
        let outs = self.outs.iter().filter(|(_, out)| came(&out.what));
        let gone: Vec<u64> = outs.map(|(number, _)| *number).collect();
        for number in gone {
            self.drop_out(number);
        }
    }

    /// Drops from the outbox what all others have.
    pub(super) fn confirm(&mut self, chat_id: ChatId) {
        let own = self.device_in(&chat_id);
        let Some(chat) = self.chats.get(&chat_id) else {
            return;
        };
        #[cfg(feature = "sim")]
        let believed = self.config.sabotage == super::Sabotage::RelayBelieved;
        #[cfg(not(feature = "sim"))]
        let believed = false;
        let done: Vec<(u64, bool)> = self
            .waiting(&chat_id)
            .filter(|(number, out)| match &out.what {
                OutWhat::Row(OutKind::Messages { .. }) if believed && !out.held.is_empty() => true,
                OutWhat::Row(OutKind::Messages { .. }) => chat.has_all(own, &out.what),
                // Whoever is removed confirms nothing: it is told until the commit is settled.
                OutWhat::Row(OutKind::Commit { node, removed, .. }) => {
                    chat.is_settled(node) && (self.is_somewhere(*number) || chat.others(own).next().is_none())
                        || removed.is_empty() && chat.is_known(own, node)
                }
                // It is in the state that the Welcome leads to, or beyond.
                OutWhat::Row(OutKind::Letter {
                    to: Some((device, node)),
                    ..
                }) => {
                    let at = chat.acks.get(device).and_then(|ack| ack.node);
                    chat.is_settled(node) || at.is_some_and(|at| chat.dag.leads_to(node, &at))
                }
                _ => false,
            })
            .map(|(number, out)| (number, chat.is_owed(&out.what)))
            .collect();
        for (number, owed) in done {
            if owed && !believed {
                self.lay_aside(chat_id, number);
            } else {
                self.drop_out(number);
            }
        }
        if let Some(chat) = self.chats.get_mut(&chat_id)
            && chat.waiting.is_empty()
        {
            chat.nudge_ms = None;
            chat.nudges = 0;
        }
    }

    /// Whether somebody has taken an outgoing envelope: where many are made at once, some are settled before.
    fn is_somewhere(&self, number: u64) -> bool {
        let held = self.outs.get(&number).is_some_and(|out| !out.held.is_empty());
        held || self.links.values().any(|link| link.handed.contains(&number))
    }

    /// Whether people see our message of a sequence: what isn't in the outbox any more is remembered by its rows alone, so the
    /// hidden sequences of this chat are kept with it.
    fn is_shown(&self, chat_id: ChatId, sequence: u64) -> bool {
        self.chats
            .get(&chat_id)
            .is_some_and(|chat| !chat.row.hidden.contains(sequence))
    }
}
