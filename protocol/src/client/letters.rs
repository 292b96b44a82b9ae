//! Letters on a chat's topic: wishes of members who lack a state, and the Welcomes that put them back. Whoever has the topic's secret can
//! write and read them, contact or not (`spec/chat.md`, section 12).

use super::Client;
use super::chats::Chat;
use super::contacts::INBOX_PACKAGE_SECONDS;
use super::divergence::{MISLED, SaidGone, YIELDS};
use super::inbound::Taken;
use super::inboxes::{Offer, Opened};
use super::outbox::OutWhat;
use super::pending::Pending;
use super::records::OutKind;
use crate::chat::{Group, Header, Joined, Letter, Member, Statement, Wish, package_leaf, rejoin_about};
use crate::contact::CardPackage;
use crate::custody::Refusal;
use crate::envelope::Envelope;
use crate::inbox::{GroupWelcome, InboxMessage, LeafTold, Rejoin};
use crate::keys::{AccountId, ChatId, DeviceId, DeviceSecret, NodeId, TopicId, TopicSecret, TransportKey, derive};
use crate::limits;
use crate::mls::Crypto;
use crate::rows::RowsError;
use crate::wire::Writer;
use std::collections::{BTreeMap, BTreeSet};

/// Contacts that are asked at once by their inboxes; the next ones are asked when these didn't help (guess).
const ASKED_AT_ONCE: usize = 3;
/// Members who tell the author of a wish about a leaf that it doesn't have which one it has, on the average (guess: one of them is there).
const LEAF_TELLERS: usize = 4;

/// Times that a device asks again soon after it was put back in vain (guess: somebody knows it).
const STRANGERS: u32 = 4;
/// In place of a leaf's key: there is none.
const NO_LEAF: [u8; 32] = [0; 32];

/// How a wish to be put back came, or what answers it.
#[derive(Clone, Copy)]
pub(super) enum AskedBy {
    /// By a contact's inbox.
    Inbox(AccountId),
    /// By a letter on a topic of the chat.
    Letter(TopicId),
}

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

fn fault(error: impl std::fmt::Display) -> RowsError {
    RowsError {
        reason: error.to_string(),
    }
}

impl Client {
    /// Writes a letter; `to` is the device that it is for and the state that its Welcome leads to.
    pub(super) fn write_letter(
        &mut self,
        now_ms: u64,
        chat: ChatId,
        topic: &TopicSecret,
        to: Option<(DeviceId, NodeId)>,
        message: &[u8],
    ) -> Result<(), RowsError> {
        self.write_letter_to(now_ms, chat, topic, to.map(|(device, _)| device), (to, message))
    }

    /// The same for one that isn't for the device whose state it waits for.
    fn write_letter_to(
        &mut self,
        now_ms: u64,
        chat: ChatId,
        topic: &TopicSecret,
        reader: Option<DeviceId>,
        (to, message): (Option<(DeviceId, NodeId)>, &[u8]),
    ) -> Result<(), RowsError> {
        let body = Letter::seal(&self.crypto, chat, topic, reader, message).map_err(fault)?;
        let envelope = Envelope::sign(topic, limits::CUSTODY_SECONDS, &body).map_err(fault)?;
        let what = OutWhat::Row(OutKind::Letter { chat, to });
        self.add_out(now_ms, envelope.topic(), what, envelope)
    }

    /// A letter on a topic of a chat.
    pub(super) fn letter_envelope(
        &mut self,
        now_ms: u64,
        chat_id: ChatId,
        envelope: &Envelope,
        letter: &Letter,
    ) -> Result<Taken, RowsError> {
        let topic = envelope.topic();
        let Some(chat) = self.chats.get(&chat_id).filter(|_| letter.chat == chat_id) else {
            return Ok(Taken::Refused(Refusal::Invalid));
        };
        // What can't be opened or read is of a later version, or junk by somebody who is or was a member.
        let Some(Ok(Some(content))) = chat.topic_secret(&topic).map(|secret| letter.open(secret)) else {
            return Ok(Taken::Yes);
        };
        let for_us = content.to == Some(self.device_in(&chat_id));
        match content.message {
            InboxMessage::Rejoin(rejoin) if content.to.is_none() && rejoin.chat == chat_id => {
                self.rejoin_asked(now_ms, AskedBy::Letter(topic), &rejoin)?;
            }
            // Whoever still writes on this topic, or answers on it, is told that the others have gone on; or of two ways that of the other.
            InboxMessage::Leaf(told) if content.to.is_none() && told.chat == chat_id && told.leaf == NO_LEAF => {
                let here = topic == chat.row.topic.public() || chat.row.asked.iter().any(|(_, on)| *on == topic);
                let first = told.at.and_then(|at| chat.way_goes_before(&told.past, at));
                if here || first == Some(true) && chat.misled < MISLED {
                    self.gone_told(now_ms, chat_id, (Some(topic), &told));
                }
            }
            InboxMessage::Leaf(told) if for_us && told.chat == chat_id => {
                self.leaf_told(now_ms, AskedBy::Letter(topic), &told)?;
            }
            InboxMessage::Welcome(welcome) if for_us => self.put_back(now_ms, chat_id, Some(topic), &welcome)?,
            InboxMessage::Large(large) if for_us => {
                return Ok(self.blob_wanted(now_ms, large.topic, Some(topic), &large.blob));
            }
            _ => {}
        }
        Ok(Taken::Yes)
    }

    /// A letter's message that was too large for it is here.
    pub(super) fn letter_blob(&mut self, now_ms: u64, chat_id: ChatId, content: &[u8]) -> Result<(), RowsError> {
        match InboxMessage::decode(content) {
            Ok(Some(InboxMessage::Welcome(welcome))) => self.put_back(now_ms, chat_id, None, &welcome),
            _ => Ok(()),
        }
    }

    /// A member, contact or not, puts this device back, as it has asked.
    fn put_back(
        &mut self,
        now_ms: u64,
        chat_id: ChatId,
        topic: Option<TopicId>,
        welcome: &GroupWelcome,
    ) -> Result<(), RowsError> {
        let Some(chat) = self.chats.get(&chat_id).filter(|_| welcome.chat == chat_id) else {
            return Ok(());
        };
        let offered = chat.row.rejoin_package.iter().chain(&chat.row.rejoin_older);
        let mut opened = offered
            .filter_map(|own| Group::join(&self.crypto, own.rows.clone(), &welcome.welcome, welcome.node).ok())
            .peekable();
        let any = opened.peek().is_some();
        let joined = opened.find(|joined| self.is_member_of(chat, joined));
        let known = chat.has_been(&welcome.node);
        let opened = joined.map(|joined| Opened { joined, asked: true });
        match (opened, topic) {
            (Some(opened), _) if matches!(self.offer(welcome, &opened), Offer::Leads) => {
                self.enter(now_ms, welcome, opened)
            }
            // By an earlier wish, where this device isn't known to have left.
            (None, _) if any || !known && chat.is_removed() => self.helped_in_vain(now_ms, chat_id),
            // Somebody else was faster, and has put this device where its maker isn't.
            (_, Some(topic)) if !known => self.tell_late(now_ms, chat_id, topic),
            _ => Ok(()),
        }
    }

    /// A member whom this device doesn't know has carried out its wish, as it may have joined later; or one whose package is gone. Others are asked soon,
    /// a few times.
    fn helped_in_vain(&mut self, now_ms: u64, chat_id: ChatId) -> Result<(), RowsError> {
        let due_ms = now_ms.saturating_add(self.config.rejoin_ms);
        let Some(chat) = self.chats.get_mut(&chat_id).filter(|chat| chat.strangers < STRANGERS) else {
            return Ok(());
        };
        chat.strangers += 1;
        // It was answered, so the others aren't asked less often for it.
        chat.asks = chat.asks.saturating_sub(1);
        if chat.is_removed() {
            return self.ask_rejoin(now_ms, chat_id);
        }
        chat.rejoin_ms = Some(chat.rejoin_ms.map_or(due_ms, |known| known.min(due_ms)));
        Ok(())
    }

    /// Whether a Welcome to a chat was made by one of its members, as far as this device knows them. Whoever is alone has no other to put
    /// it back than who doesn't know yet that it isn't one; it goes there if its rank is the same there, and makes its changes again.
    fn is_member_of(&self, chat: &Chat, joined: &Joined) -> bool {
        let own = self.account_in(&chat.id);
        let rank = chat.row.context.rank(&own);
        let alone = chat.others(self.device_in(&chat.id)).next().is_none();
        let back = alone && rank.is_some() && joined.group.context().rank(&own) == rank;
        (back || chat.is_of(&joined.inviter.account)) && self.is_into(chat.id, joined)
    }

    /// Somebody asks to be put back.
    pub(super) fn rejoin_asked(&mut self, now_ms: u64, by: AskedBy, rejoin: &Rejoin) -> Result<(), RowsError> {
        let (own, statement, wait_ms) = (self.device_in(&rejoin.chat), &rejoin.statement, self.config.rejoin_ms);
        self.hand_on_beside(now_ms, by, rejoin);
        if let Some(chat) = self.chats.get_mut(&rejoin.chat).filter(|chat| chat.is_removed()) {
            if chat.may_be_member_of(statement) {
                return self.ask_rejoin(now_ms, rejoin.chat);
            }
            let on = match by {
                AskedBy::Letter(topic) => Some(topic),
                AskedBy::Inbox(_) => None,
            };
            if let Some(at) = rejoin.has.first().filter(|_| statement.verify(rejoin.chat).is_ok()) {
                chat.note_counted_in(now_ms, SaidGone::new(*at, rejoin.past.clone(), on));
            }
            return Ok(());
        }
        let Some(chat) = self.chats.get_mut(&rejoin.chat).filter(|chat| chat.is_member()) else {
            return Ok(());
        };
        let its = |account: AccountId| !matches!(by, AskedBy::Inbox(contact) if contact != account);
        let mut others = chat.members.iter().filter(|member| member.device != own);
        let member = others.find(|member| member.device == statement.device && its(member.account));
        let old = member.and_then(|member| chat.group.leaf_key(member.leaf).ok());
        let new = package_leaf(&self.crypto, &rejoin.package).ok();
        let (Some(old), Some(new)) = (old, new) else {
            return Ok(());
        };
        if statement.wish != Wish::Rejoin || statement.verify(rejoin.chat).is_err() || new == old {
            return Ok(());
        }
        // Who has a state on the way to the one that counts is on no other side, but behind.
        let behind = chat.newest_on_the_way(&rejoin.has);
        let comes_over = chat.is_come_over_to(&rejoin.lacks, &rejoin.past, &rejoin.has);
        let yields = behind.is_none() && !comes_over && chat.yields_to(own, statement.device, new);
        // Who may have been left behind itself would only lead others astray, unless they wait for each other.
        if chat.is_left_behind() && !comes_over && !chat.leads_all_the_same(own, &statement.device) {
            return Ok(());
        }
        if yields {
            chat.rejoin_ms.get_or_insert(now_ms.saturating_add(wait_ms));
            return Ok(());
        }
        if behind.is_none() && !chat.can_help(statement.device, new, &rejoin.lacks) {
            return Ok(());
        }
        let mut due_ms = now_ms;
        match behind {
            Some(after) => due_ms = self.hand_on(now_ms, by, rejoin, after),
            None => {
                chat.handed.remove(&statement.device);
            }
        }
        let Some(chat) = self.chats.get_mut(&rejoin.chat) else {
            return Ok(());
        };
        if statement.about != rejoin_about(&new, &old) {
            return self.tell_leaf(now_ms, by, rejoin, old);
        }
        if let AskedBy::Letter(topic) = by {
            chat.row.asked.retain(|(asker, _)| *asker != statement.device);
            chat.row.asked.push((statement.device, topic));
            if chat.row.asked.len() > limits::STATEMENTS {
                chat.row.asked.remove(0);
            }
            chat.row_dirty = true;
            self.dirty.chats.insert(rejoin.chat);
        }
        let mut w = Writer::default();
        rejoin.write(&mut w);
        self.note_wish(due_ms, rejoin.chat, &w.into_bytes());
        Ok(())
    }

    /// A wish is about a leaf that its device doesn't have in the state that counts: some members tell it which it has.
    fn tell_leaf(&mut self, now_ms: u64, by: AskedBy, rejoin: &Rejoin, leaf: [u8; 32]) -> Result<(), RowsError> {
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
    /// branch, so that it can't read what removed it: some members tell it that it has no leaf.
    pub(super) fn tell_gone(
        &mut self,
        now_ms: u64,
        chat_id: ChatId,
        member: &Member,
        node: NodeId,
    ) -> Result<(), RowsError> {
        let (own, wait_ms) = (self.device_in(&chat_id), self.config.rejoin_ms);
        let Some(chat) = self.chats.get_mut(&chat_id).filter(|chat| chat.is_member()) else {
            return Ok(());
        };
        let (behind, here) = (chat.dag.leads_to(&node, &chat.dag.tip()), chat.is_of(&member.account));
        if behind && here {
            // Nearly everything is on the state that counts.
            return Ok(());
        }
        if behind || here {
            self.hand_on_unasked(now_ms, chat_id, member.device, node);
            return Ok(());
        }
        if !is_told_anew(&mut chat.told_gone, member.device, now_ms, wait_ms) {
            return Ok(());
        }
        let drawn = chat.drawn(&own, &[&node.0, &member.device.0]);
        let Some(secret) = chat.topic_of(&node).filter(|_| drawn < LEAF_TELLERS).cloned() else {
            return Ok(());
        };
        let told = LeafTold {
            chat: chat_id,
            leaf: NO_LEAF,
            at: Some(chat.group.node()),
            past: chat.past(),
        };
        let to = Some((member.device, chat.group.node()));
        self.write_letter(now_ms, chat_id, &secret, to, &InboxMessage::Leaf(told).encode())
    }

    /// Something on a topic that isn't in use here any more builds on a state before the oldest one. Whoever wrote it may have missed how
    /// the others went on, or be on a branch that they have left, and hear nothing of theirs: some members tell so there.
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
        if topic == chat.row.topic.public() || !over || !chat.may_tell(now_ms, wait_ms, topic) || drawn >= LEAF_TELLERS
        {
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
    fn tell_late(&mut self, now_ms: u64, chat_id: ChatId, topic: TopicId) -> Result<(), RowsError> {
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
        let until = Some((own, chat.group.node()));
        let told = LeafTold {
            chat: chat_id,
            leaf: NO_LEAF,
            at: Some(chat.group.node()),
            past: chat.past(),
        };
        let message = InboxMessage::Leaf(told).encode();
        self.write_letter_to(now_ms, chat_id, &secret, None, (until, &message))
    }

    /// This device is said to have been left behind, or removed where it can't read it. If it doesn't get to where the others are, and most
    /// aren't heard in its state meanwhile, it asks.
    fn gone_told(&mut self, now_ms: u64, chat_id: ChatId, (on, told): (Option<TopicId>, &LeafTold)) {
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
            let on = match by {
                AskedBy::Letter(topic) => Some(topic),
                AskedBy::Inbox(_) => None,
            };
            self.gone_told(now_ms, told.chat, (on, told));
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

    /// Asks to be put back into a chat of which this device has no usable state: all members by letters on the topics that are in use, and
    /// some contacts by their inboxes, which work also when that topic isn't used any more.
    pub(super) fn ask_rejoin(&mut self, now_ms: u64, chat_id: ChatId) -> Result<(), RowsError> {
        let now_s = now_ms / 1000;
        let own = self
            .package_in(&chat_id, true, now_s, now_s + INBOX_PACKAGE_SECONDS)
            .map_err(fault)?;
        let device = self.secret_in(&chat_id);
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return Ok(());
        };
        let leaf = chat.group.own_leaf_key().map_err(fault)?;
        let known = (&leaf, chat.lacks(), chat.goes_on_from(), chat.past());
        let message = wish(&self.crypto, &device, chat_id, &own.package, known)?;
        let offered = package_leaf(&self.crypto, &own.package).map_err(fault)?;
        chat.row.offered.push(offered.into());
        if chat.row.offered.len() > limits::LEAVES_OFFERED {
            chat.row.offered.remove(0);
        }
        // An answer to the wish before may be on its way.
        chat.row.rejoin_older = chat.row.rejoin_package.replace(own);
        chat.row.lost = true;
        chat.heard_since.clear();
        chat.row_dirty = true;
        chat.wished = vec![leaf];
        let tries = chat.asks;
        chat.asks = chat.asks.saturating_add(1);
        // Who isn't a member here asks seldom.
        let topics = chat.topics_to_ask_on(tries > 0 || chat.is_removed());
        self.dirty.chats.insert(chat_id);
        for contact in self.asked_by_inbox(chat_id, tries) {
            self.write_inbox(now_ms, chat_id, contact, None, &message)?;
        }
        self.drop_wishes(chat_id);
        for topic in &topics {
            self.write_letter(now_ms, chat_id, topic, None, &message)?;
        }
        Ok(())
    }

    /// Lets go of letters in which this device asks to be put back.
    pub(super) fn drop_wishes(&mut self, chat_id: ChatId) {
        self.drop_outs(|what| matches!(what, OutWhat::Row(OutKind::Letter { chat, to: None }) if *chat == chat_id));
    }

    /// The members among the contacts whose turn it is to be asked: admins first, then in an order that chat and epoch give.
    fn asked_by_inbox(&self, chat_id: ChatId, tries: u32) -> Vec<AccountId> {
        let Some(chat) = self.chats.get(&chat_id) else {
            return Vec::new();
        };
        let epoch = chat.group.epoch().to_be_bytes();
        let turn = |account: &AccountId| derive("madang 1 rejoin turn", &[&chat_id.0, &epoch, &account.0]);
        let own = self.account_in(&chat_id);
        let known = |account: &&AccountId| **account != own && self.contact_in(&chat_id, account).is_some();
        let mut members: Vec<AccountId> = chat.row.accounts.iter().filter(known).copied().collect();
        members.sort_by_cached_key(|account| (chat.row.context.rank(account).is_none(), turn(account)));
        if members.is_empty() {
            return members;
        }
        let first = (tries as usize).saturating_mul(ASKED_AT_ONCE) % members.len();
        members.rotate_left(first);
        members.truncate(ASKED_AT_ONCE);
        members
    }
}

/// An encoded wish to be put back with a key package, in the place of a leaf, by a device that lacks some states and has others.
fn wish(
    crypto: &Crypto,
    device: &DeviceSecret,
    chat: ChatId,
    package: &CardPackage,
    (leaf, lacks, has, past): (&[u8; 32], Vec<NodeId>, Vec<NodeId>, Vec<NodeId>),
) -> Result<Vec<u8>, RowsError> {
    let new = package_leaf(crypto, package).map_err(fault)?;
    let rejoin = Rejoin {
        chat,
        statement: Statement::sign(device, chat, Wish::Rejoin, rejoin_about(&new, leaf)),
        package: package.clone(),
        lacks,
        has,
        past,
    };
    Ok(InboxMessage::Rejoin(rejoin).encode())
}

impl Chat {
    /// A number below that of the members, another one for each of them and occasion.
    pub(super) fn drawn(&self, own: &DeviceId, about: &[&[u8]]) -> usize {
        let [a, b, c, d, ..] = derive("madang 1 leaf teller", &[about, &[&own.0]].concat());
        u32::from_be_bytes([a, b, c, d]) as usize % self.members.len().max(1)
    }

    /// States that this device lacks, on which others have written: the latest.
    fn lacks(&self) -> Vec<NodeId> {
        let header = |waiting: &Pending| Some((waiting.epoch()?, waiting.node));
        let states: BTreeSet<(u64, NodeId)> = self.pending.values().filter_map(header).collect();
        let said = self.said_gone.as_ref().map(|gone| gone.at);
        said.into_iter()
            .chain(states.into_iter().rev().map(|(_, node)| node))
            .take(limits::WISH_NODES)
            .collect()
    }

    /// States that this device can go on from if it is handed what followed: none where another copy may have gone on from them, or where it
    /// was put back.
    fn goes_on_from(&self) -> Vec<NodeId> {
        if self.row.copied.is_some() || self.is_put_aside() {
            return Vec::new();
        }
        let (tip, root) = (self.group.node(), self.dag.root());
        let root = Some(root).filter(|root| *root != tip);
        [tip].into_iter().chain(root).collect()
    }

    /// Whether somebody who was a member with this device, which was removed since, asks to be put back: the branch that removed this device
    /// may have lost, and the one who asks may count it as a member still. It asks as often as those are asked who ought to yield.
    fn may_be_member_of(&self, statement: &Statement) -> bool {
        self.is_removed()
            && self.asks <= YIELDS
            && statement.wish == Wish::Rejoin
            && statement.verify(self.id).is_ok()
            && self.members.iter().any(|member| member.device == statement.device)
    }

    /// Whether this device may tell on a topic that it has gone on, as it hasn't for as long as a device waits before it asks; it counts as told.
    fn may_tell(&mut self, now_ms: u64, wait_ms: u64, topic: TopicId) -> bool {
        let may = self.is_member() && !self.row.lost && self.members.len() > 1;
        may && is_told_anew(&mut self.told_on, topic, now_ms, wait_ms)
    }

    /// The topics on which others may be heard: that of the state at hand, and those on which they have written what can't be read; if
    /// that was in vain also those that aren't used any more here, since the others may have gone on from an older state, or still read them.
    fn topics_to_ask_on(&self, again: bool) -> Vec<TopicSecret> {
        let written = self.pending.values().filter_map(|waiting| {
            let topic = Envelope::trusted(&waiting.bytes).ok()?.topic();
            self.topic_secret(&topic)
        });
        let told = self.said_gone.as_ref().and_then(|said| said.on);
        let astray = told.into_iter().chain(self.heard_astray());
        let astray = astray.filter_map(|topic| self.topic_secret(&topic));
        let before = self.row.nodes.iter().rev().map(|known| &known.topic);
        let older = self.row.old_topics.iter().rev().filter_map(|old| old.secret.as_ref());
        let mut topics = vec![self.row.topic.clone()];
        let past = before.chain(older).filter(|_| again);
        for secret in astray.chain(written).chain(past) {
            if topics.len() < limits::WISH_TOPICS && topics.iter().all(|known| known.public() != secret.public()) {
                topics.push(secret.clone());
            }
        }
        topics
    }

    /// The secret of a topic that members may still write on.
    pub(super) fn topic_secret(&self, topic: &TopicId) -> Option<&TopicSecret> {
        let states = self.row.nodes.iter().map(|known| &known.topic);
        let old = self.row.old_topics.iter().filter_map(|old| old.secret.as_ref());
        let mut secrets = states.chain(old);
        secrets.find(|secret| secret.public() == *topic)
    }
}
