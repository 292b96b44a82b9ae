//! What members tell each other beside wishes: which leaf one has, that it has none, and that the others have gone on (`spec/chat.md`, section 12).

use super::Client;
use super::chats::Chat;
use super::divergence::SaidGone;
use super::letters::AskedBy;
use super::wishes::wish;
use crate::chat::{Header, Member};
use crate::inbox::{InboxMessage, LeafTold, Rejoin};
use crate::keys::{ChatId, DeviceId, NodeId, TopicId, TransportKey, derive};
use crate::limits;
use crate::rows::RowsError;
use std::collections::BTreeMap;

/// Members who tell the author of a wish about a leaf that it doesn't have which one it has, on the average (guess: one of them is there).
const LEAF_TELLERS: usize = 4;
/// In place of a leaf's key: there is none.
pub(super) const NO_LEAF: [u8; 32] = [0; 32];

/// Whether somebody, or a topic, hasn't been told for some time; it counts as told now. Beyond `STATEMENTS` all are forgotten.
pub(super) fn is_told_anew<K: Ord>(told: &mut BTreeMap<K, u64>, whom: K, now_ms: u64, wait_ms: u64) -> bool {
    if told.get(&whom).is_some_and(|at_ms| now_ms.abs_diff(*at_ms) < wait_ms) {
        return false;
    }
    if told.len() >= limits::STATEMENTS {
        told.clear();
    }
    told.insert(whom, now_ms);
    true
}

impl Client {
    /// A wish is about a leaf that its device doesn't have in the state that counts: some members tell it which it has.
    pub(super) fn tell_leaf(
        &mut self,
        now_ms: u64,
        by: AskedBy,
        rejoin: &Rejoin,
        leaf: [u8; 32],
    ) -> Result<(), RowsError> {
        let (own, statement) = (self.device_in(&rejoin.chat), &rejoin.statement);
        let Some(chat) = self.chats.get(&rejoin.chat) else {
            return Ok(());
        };
        let told = LeafTold {
            chat: rejoin.chat,
            leaf,
            at: None,
            past: Vec::new(),
        };
        let message = InboxMessage::Leaf(told).encode();
        match by {
            AskedBy::Inbox(contact) => self.write_inbox(now_ms, rejoin.chat, contact, None, &message),
            AskedBy::Letter(topic) => {
                // Others for each wish, so that nobody is waited for who is away.
                let drawn = chat.drawn(&own, &[&statement.about]);
                let Some(secret) = chat.topic_secret(&topic).filter(|_| drawn < LEAF_TELLERS).cloned() else {
                    return Ok(());
                };
                let to = Some((statement.device, chat.group.node()));
                self.write_letter(now_ms, rejoin.chat, &secret, to, &message)
            }
        }
    }

    /// A member has sealed something on a branch that lost, and the one that counts has removed its account. It may have been added on that
    /// branch, so that it can't read what removed it: some members tell it that it has no leaf, and so does who was removed itself, or has left:
    /// nobody else may be left who has heard of it.
    pub(super) fn tell_gone(
        &mut self,
        now_ms: u64,
        chat_id: ChatId,
        member: &Member,
        node: NodeId,
    ) -> Result<(), RowsError> {
        let (own, wait_ms) = (self.device_in(&chat_id), self.config.rejoin_ms);
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return Ok(());
        };
        let counts = |node: &NodeId| chat.dag.leads_to(node, &chat.dag.tip());
        let (behind, here) = (counts(&node), counts(&chat.group.node()) && chat.is_of(&member.account));
        if behind && here || (behind || here) && !chat.is_member() {
            // Nearly everything is on the state that counts; and who is out hands on only what it is asked for.
            return Ok(());
        }
        if behind || here {
            // It may have been put back there, and have no state to which that could be applied.
            if !self.hand_on_unasked(now_ms, chat_id, member.device, node) || behind {
                return Ok(());
            }
        } else if !is_told_anew(&mut chat.told_gone, member.device, now_ms, wait_ms) {
            return Ok(());
        }
        let Some(chat) = self.chats.get(&chat_id) else {
            return Ok(());
        };
        let drawn = chat.drawn(&own, &[&node.0, &member.device.0]);
        let Some(secret) = chat.topic_of(&node).filter(|_| drawn < LEAF_TELLERS).cloned() else {
            return Ok(());
        };
        let (to, message) = (Some((member.device, chat.group.node())), chat.gone_on());
        self.write_letter(now_ms, chat_id, &secret, to, &message)
    }

    /// Something builds on a state before the oldest one. Whoever wrote it on a topic that isn't in use here any more may have missed how the others
    /// went on, or be on a branch that they have left, and hear nothing of theirs; on the topic in use it may only be behind. Some members tell so there.
    pub(super) fn tell_gone_on(
        &mut self,
        now_ms: u64,
        chat_id: ChatId,
        topic: TopicId,
        header: &Header,
    ) -> Result<(), RowsError> {
        let (own, wait_ms) = (self.device_in(&chat_id), self.config.rejoin_ms);
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return Ok(());
        };
        let over = header.epoch < chat.root_epoch() && !chat.dag.contains(&header.node);
        let drawn = chat.drawn(&own, &[&topic.0, &now_ms.to_be_bytes()]);
        // On the topic in use the others are heard anyway, but where they write nothing who is only behind doesn't learn it.
        let behind = chat.has_been(&header.node) && chat.has_settled_for(now_ms, wait_ms);
        let heard = topic == chat.row.topic.public() && !behind;
        if heard || !over || !chat.may_tell(now_ms, wait_ms, topic) || drawn >= LEAF_TELLERS {
            return Ok(());
        }
        self.write_gone_on(now_ms, chat_id, topic)
    }

    /// A member's device doesn't know the topic of the state that counts here, though it had a state before: it may have missed how the others went on,
    /// and hear nothing of them. It is told on topics of before, one after the other, as it may still read one of them.
    pub(super) fn tell_behind(&mut self, now_ms: u64, peer: TransportKey, number: u64) -> Result<(), RowsError> {
        let (out, wait_ms) = (self.outs.get(&number), self.config.rejoin_ms);
        let Some((chat_id, topic)) = out.and_then(|out| Some((out.what.chat()?, out.topic))) else {
            return Ok(());
        };
        let (Some(chat), Some(link)) = (self.chats.get_mut(&chat_id), self.links.get(&peer)) else {
            return Ok(());
        };
        let was_before = |member: &Member| {
            let at = chat.acks.get(&member.device).and_then(|ack| ack.node);
            link.accounts.contains(&member.account) && at.is_some_and(|at| !chat.dag.contains(&at))
        };
        if !chat.is_group() || topic != chat.row.topic.public() || !chat.members.iter().any(was_before) {
            return Ok(());
        }
        let older = chat.row.old_topics.iter().rev().filter(|old| old.secret.is_some());
        let older: Vec<TopicId> = older.map(|old| old.topic).collect();
        let untold: Vec<TopicId> = older
            .into_iter()
            .filter(|topic| chat.may_tell(now_ms, wait_ms, *topic))
            .take(limits::WISH_TOPICS)
            .collect();
        for topic in untold {
            self.write_gone_on(now_ms, chat_id, topic)?;
        }
        Ok(())
    }

    /// This device has gone on elsewhere before it was put back here.
    pub(super) fn tell_late(&mut self, now_ms: u64, chat_id: ChatId, topic: TopicId) -> Result<(), RowsError> {
        let wait_ms = self.config.rejoin_ms;
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return Ok(());
        };
        if !chat.may_tell(now_ms, wait_ms, topic) {
            return Ok(());
        }
        self.write_gone_on(now_ms, chat_id, topic)
    }

    /// Tells on a topic that those who are here have gone on to the state at hand.
    fn write_gone_on(&mut self, now_ms: u64, chat_id: ChatId, topic: TopicId) -> Result<(), RowsError> {
        let own = self.device_in(&chat_id);
        let Some(chat) = self.chats.get(&chat_id) else {
            return Ok(());
        };
        let Some(secret) = chat.topic_secret(&topic).cloned() else {
            return Ok(());
        };
        // It is kept until the state at hand is settled.
        let (until, message) = (Some((own, chat.group.node())), chat.gone_on());
        self.write_letter_to(now_ms, chat_id, &secret, None, (until, &message))
    }

    /// This device is said to have been left behind, or removed where it can't read it. If it doesn't get to where the others are, and most
    /// aren't heard in its state meanwhile, it asks.
    pub(super) fn gone_told(&mut self, now_ms: u64, chat_id: ChatId, (on, told): (Option<TopicId>, &LeafTold)) {
        let wait_ms = self.config.rejoin_ms;
        let Some(at) = told.at else {
            return;
        };
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return;
        };
        let said = SaidGone::new(at, told.past.clone(), on);
        if chat.is_removed() {
            chat.note_counted_in(now_ms.saturating_add(wait_ms), said);
        } else if chat.is_member() && !chat.row.lost && !chat.comes_from(&at) {
            if !chat.is_left_behind() {
                chat.said_gone = Some(said);
            }
            chat.rejoin_ms.get_or_insert(now_ms.saturating_add(wait_ms));
        }
    }

    /// Which leaf this device has in the others' state, after it wished to be put back in the place of another one.
    pub(super) fn leaf_told(&mut self, now_ms: u64, by: AskedBy, told: &LeafTold) -> Result<(), RowsError> {
        if told.leaf == NO_LEAF {
            self.gone_told(now_ms, told.chat, (by.topic(), told));
            return Ok(());
        }
        let device = self.secret_in(&told.chat);
        let Some(chat) = self.chats.get_mut(&told.chat).filter(|chat| chat.row.lost) else {
            return Ok(());
        };
        if chat.wished.contains(&told.leaf) || chat.wished.len() >= limits::WISHES_AT_ONCE {
            return Ok(());
        }
        let Some(own) = &chat.row.rejoin_package else {
            return Ok(());
        };
        let message = wish(
            &self.crypto,
            &device,
            told.chat,
            &own.package,
            (&told.leaf, chat.lacks(), chat.goes_on_from(), chat.past()),
        )?;
        chat.wished.push(told.leaf);
        match by {
            AskedBy::Inbox(contact) => self.write_inbox(now_ms, told.chat, contact, None, &message),
            AskedBy::Letter(topic) => {
                let topic = chat.topic_secret(&topic).unwrap_or(&chat.row.topic).clone();
                self.write_letter(now_ms, told.chat, &topic, None, &message)
            }
        }
    }
}

impl Chat {
    /// Says that its reader has no leaf where the others are, and which way they went there. Who is out knows only what put it out.
    fn gone_on(&self) -> Vec<u8> {
        let at = if self.is_member() {
            self.group.node()
        } else {
            self.dag.tip()
        };
        let told = LeafTold {
            chat: self.id,
            leaf: NO_LEAF,
            at: Some(at),
            past: self.past_of(at),
        };
        InboxMessage::Leaf(told).encode()
    }

    /// A number below that of the members, another one for each of them and occasion.
    pub(super) fn drawn(&self, own: &DeviceId, about: &[&[u8]]) -> usize {
        let [a, b, c, d, ..] = derive("madang 1 leaf teller", &[about, &[&own.0]].concat());
        u32::from_be_bytes([a, b, c, d]) as usize % self.members.len().max(1)
    }

    /// Whether this device may tell on a topic that it has gone on, as it hasn't for as long as a device waits before it asks; it counts as told.
    fn may_tell(&mut self, now_ms: u64, wait_ms: u64, topic: TopicId) -> bool {
        let may = self.is_member() && !self.row.lost && self.members.len() > 1;
        may && is_told_anew(&mut self.told_on, topic, now_ms, wait_ms)
    }
}
