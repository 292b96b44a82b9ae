//! Wishes of devices that lack a usable state, and what answers them: a member puts such a device back (`spec/chat.md`, section 12).

use super::Client;
use super::chats::Chat;
use super::contacts::INBOX_PACKAGE_SECONDS;
use super::divergence::{SaidGone, YIELDS};
use super::inboxes::{Offer, Opened};
use super::letters::{AskedBy, fault};
use super::outbox::OutWhat;
use super::pending::Pending;
use super::records::OutKind;
use crate::chat::{Group, Joined, Statement, Wish, package_leaf, rejoin_about};
use crate::contact::CardPackage;
use crate::envelope::Envelope;
use crate::inbox::{GroupWelcome, InboxMessage, Rejoin};
use crate::keys::{AccountId, ChatId, DeviceSecret, NodeId, TopicId, TopicSecret, derive};
use crate::limits;
use crate::mls::Crypto;
use crate::rows::RowsError;
use crate::wire::Writer;
use std::collections::BTreeSet;

/// Contacts that are asked at once by their inboxes; the next ones are asked when these didn't help (guess).
const ASKED_AT_ONCE: usize = 3;
/// Times that a device asks again soon after it was put back in vain (guess: somebody knows it).
const STRANGERS: u32 = 4;

impl Client {
    /// A member, contact or not, puts this device back, as it has asked.
    pub(super) fn put_back(
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

    /// Whether a Welcome to a chat was made by one of its members, as far as this device knows them. Whoever is alone, or with none of whom it knows
    /// that they follow since it removed the Welcome's maker, has no other to put it back than who doesn't know yet that it isn't a member; it goes there if
    /// its rank is the same there, and makes its changes again. Where all others have asked to be put back themselves, so does whoever it is, to a way that
    /// goes before its own.
    fn is_member_of(&self, chat: &Chat, joined: &Joined) -> bool {
        let own = self.account_in(&chat.id);
        let rank = chat.row.context.rank(&own);
        let maker = &joined.inviter.account;
        let known = chat.is_of(maker) || chat.was_of(maker) || chat.comes_back_by(&joined.info.past);
        let device = self.device_in(&chat.id);
        let ranked = rank.is_some() && joined.group.context().rank(&own) == rank;
        let taken = known
            || ranked && !chat.is_followed_without(device, maker)
            || chat.is_left_for(device, &joined.info.past, joined.group.node());
        taken && self.is_into(chat.id, joined)
    }

    /// Somebody asks to be put back.
    pub(super) fn rejoin_asked(&mut self, now_ms: u64, by: AskedBy, rejoin: &Rejoin) -> Result<(), RowsError> {
        let (own, statement, wait_ms) = (self.device_in(&rejoin.chat), &rejoin.statement, self.config.rejoin_ms);
        self.hand_on_beside(now_ms, by, rejoin);
        if let Some(chat) = self.chats.get_mut(&rejoin.chat).filter(|chat| chat.is_removed()) {
            if chat.may_be_member_of(statement) {
                return self.ask_rejoin(now_ms, rejoin.chat);
            }
            if let Some(at) = rejoin.has.first().filter(|_| statement.verify(rejoin.chat).is_ok()) {
                chat.note_counted_in(now_ms, SaidGone::new(*at, rejoin.past.clone(), by.topic()));
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
        chat.wishing.insert(statement.device);
        // Who has a state on the way to the one that counts is on no other side, but behind.
        let behind = chat.newest_on_the_way(&rejoin.has);
        let comes_over = chat.is_come_over_to(&rejoin.lacks, &rejoin.past, &rejoin.has);
        if comes_over {
            chat.elsewhere.remove(&statement.device);
        }
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
        self.drop_outs(|out| matches!(&out.what, OutWhat::Row(OutKind::Letter { chat, to: None }) if *chat == chat_id));
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
pub(super) fn wish(
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
    /// States that this device lacks, on which others have written: the latest.
    pub(super) fn lacks(&self) -> Vec<NodeId> {
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
    pub(super) fn goes_on_from(&self) -> Vec<NodeId> {
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

    /// The topics on which others may be heard: that of the state at hand, and those on which they have written what can't be read; if
    /// that was in vain also those that aren't used any more here, since the others may have gone on from an older state, or still read them.
    pub(super) fn topics_to_ask_on(&self, again: bool) -> Vec<TopicSecret> {
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
}
