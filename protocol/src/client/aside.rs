//! Messages laid aside: all who are left in a chat have them, but somebody whom an unsettled commit put out doesn't. Another branch may
//! come to count in which it is a member still, and then they are owed to it; once the commit is settled they aren't.

use super::Client;
use super::chats::Chat;
use super::outbox::{Out, OutWhat};
use super::records::AckRow;
use crate::keys::{ChatId, DeviceId, NodeId};
use crate::rows::RowsError;
use std::collections::BTreeSet;

impl Chat {
    /// Notes who has gone from the state that counts, and who has come back; `before` are the devices that were in it.
    pub(super) fn note_parted(&mut self, own: DeviceId, before: &BTreeSet<DeviceId>) {
        let here: BTreeSet<DeviceId> = self.members.iter().map(|member| member.device).collect();
        self.row.parted.retain(|(device, _)| !here.contains(device));
        let tip = self.dag.tip();
        let gone = before.iter().filter(|device| **device != own && !here.contains(device));
        self.row.parted.extend(gone.map(|device| (*device, tip)));
        self.row_dirty = true;
    }

    /// Whether a member that wasn't in the state at hand before was only put out on another branch.
    pub(super) fn was_there(&self, device: &DeviceId) -> bool {
        let mut parted = self.row.parted.iter().filter(|(gone, _)| gone == device).peekable();
        let tip = self.dag.tip();
        parted.peek().is_some() && parted.all(|(_, node)| !self.dag.leads_to(node, &tip))
    }

    /// Where a device was put out on the way to the state that counts, unless that is settled.
    pub(super) fn removed_in(&self, device: &DeviceId) -> Option<NodeId> {
        let tip = self.dag.tip();
        let mut parted = self.row.parted.iter();
        let gone = parted.find(|(gone, node)| gone == device && self.dag.leads_to(node, &tip));
        gone.map(|(_, node)| *node)
    }

    /// A device has joined in the state that counts: it isn't waited for to have what was written before.
    pub(super) fn note_joined(&mut self, device: DeviceId) {
        let (tip, next) = (self.dag.tip(), self.head.sequence + 1);
        let anew = |ack: &mut AckRow, from| {
            ack.joined = Some((tip, ack.from));
            ack.from = from;
        };
        anew(self.acks.entry(device).or_default(), next);
        self.acks_dirty.insert(device);
        for (place, ack) in self.past_acks.iter_mut().filter(|((_, of), _)| *of == device) {
            anew(ack, u64::MAX);
            self.past_dirty.insert(*place);
        }
    }

    /// Who joined on a branch that lost was there before as it was.
    pub(super) fn recall_joiners(&mut self) {
        let way: BTreeSet<NodeId> = self.dag.path(&self.dag.tip()).collect();
        let past = self.row.past_nodes.clone();
        self.end_joined(|node| !way.contains(node) && !past.contains(node), true);
    }

    /// Those who have gone by settled commits are gone for good, and who joined by one has joined.
    pub(super) fn settle_parted(&mut self) {
        let root = self.dag.root();
        let known: BTreeSet<NodeId> = self.dag.commits().map(|(node, _)| *node).collect();
        let is_settled = |node: &NodeId| *node == root || !known.contains(node);
        self.end_joined(is_settled, false);
        let before = self.row.parted.len();
        self.row.parted.retain(|(_, node)| !is_settled(node));
        self.row_dirty |= self.row.parted.len() != before;
    }

    /// It is clear for some states whether who joined in them has joined; whoever hasn't is as it was `before`.
    fn end_joined(&mut self, is_clear: impl Fn(&NodeId) -> bool, before: bool) {
        let end = |ack: &mut AckRow| {
            let ended = ack.joined.take_if(|(node, _)| is_clear(node));
            if let Some((_, from)) = ended.filter(|_| before) {
                ack.from = from;
            }
            ended.is_some()
        };
        for (device, ack) in &mut self.acks {
            if end(ack) {
                self.acks_dirty.insert(*device);
                self.gaps.retell.extend(before.then_some(*device));
            }
        }
        for (place, ack) in &mut self.past_acks {
            if end(ack) {
                self.past_dirty.insert(*place);
            }
        }
    }

    /// Whether somebody who may prove to be a member still lacks some of a run of ours.
    pub(super) fn is_owed(&self, what: &OutWhat) -> bool {
        let Some(incarnation) = what.incarnation() else {
            return false;
        };
        self.row.parted.iter().any(|(device, _)| {
            let has = |sequence| self.has(*device, incarnation, sequence);
            !what.run().iter().all(|message| has(message.sequence))
        })
    }

    /// Whether all others have a run of ours.
    pub(super) fn has_all(&self, own: DeviceId, what: &OutWhat) -> bool {
        let Some(incarnation) = what.incarnation() else {
            return false;
        };
        let mut run = what.run().iter();
        run.all(|message| self.delivered(own, incarnation, message.sequence))
    }
}

impl Client {
    /// Nobody who is left needs a message: it is kept for those who may come back.
    pub(super) fn lay_aside(&mut self, chat_id: ChatId, number: u64) {
        if let Some(topic) = self.outs.get(&number).map(|out| out.topic) {
            self.unlink(number, topic);
        }
        if let Some(chat) = self.chats.get_mut(&chat_id) {
            chat.waiting.remove(&number);
            chat.filling = chat.filling.filter(|filling| *filling != number);
            chat.aside.insert(number);
        }
    }

    /// After a start everything waits.
    pub(super) fn lay_aside_again(&mut self) {
        let some = self.chats.values().filter(|chat| !chat.row.parted.is_empty());
        for chat in some.map(|chat| chat.id).collect::<Vec<_>>() {
            self.confirm(chat);
        }
    }

    /// Looks anew at what was laid aside: what a member lacks waits again, what nobody can need is dropped.
    pub(super) fn look_aside(&mut self, chat_id: ChatId) -> Vec<u64> {
        let own = self.device_in(&chat_id);
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return Vec::new();
        };
        let (mut back, mut gone) = (Vec::new(), Vec::new());
        for number in &chat.aside {
            match self.outs.get(number) {
                Some(out) if !chat.has_all(own, &out.what) => back.push(*number),
                Some(out) if chat.is_owed(&out.what) => {}
                _ => gone.push(*number),
            }
        }
        chat.aside
            .retain(|number| !back.contains(number) && !gone.contains(number));
        chat.waiting.extend(&back);
        if !back.is_empty() {
            chat.nudge_ms.get_or_insert(0);
        }
        for number in gone {
            self.drop_out(number);
        }
        back
    }

    /// Whether nobody is to have it for now.
    pub(super) fn is_aside(&self, number: u64, out: &Out) -> bool {
        let chat = out.what.chat().and_then(|chat| self.chats.get(&chat));
        chat.is_some_and(|chat| chat.aside.contains(&number))
    }

    /// Sends again what was laid aside and is owed to a member now.
    pub(super) fn send_aside(&mut self, now_ms: u64, chat_id: ChatId) -> Result<(), RowsError> {
        for number in self.look_aside(chat_id) {
            self.send_again(now_ms, number)?;
        }
        Ok(())
    }
}
