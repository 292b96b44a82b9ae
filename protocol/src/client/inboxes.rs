//! Contact inboxes: Welcomes to groups, and wishes of those who have lost a chat's state.

use super::chats::Chat;
use super::contacts::INBOX_PACKAGE_SECONDS;
use super::inbound::Taken;
use super::io::CommandError;
use super::letters::AskedBy;
use super::outbox::{Out, OutWhat};
use super::records::{ContactRow, OutKind, OwnPackage};
use super::{Client, EventRow};
use crate::chat::{ChatKind, Group, GroupError, Joined};
use crate::custody::Refusal;
use crate::envelope::Envelope;
use crate::inbox::{GroupWelcome, InboxMessage};
use crate::keys::{AccountId, ChatId, NodeId, TransportKey};
use crate::limits;
use crate::rows::RowsError;
use crate::seal::{self, Purpose};

/// What a Welcome is good for.
pub(super) enum Offer {
    /// This device goes on from there.
    Leads,
    /// Nothing: the state is here, or there is no room for another chat.
    Known,
    /// The state at hand is alive; should it prove dead, the Welcome is the way out.
    Alive,
}

/// A Welcome that opens.
pub(super) struct Opened {
    /// What it leads to.
    pub joined: Joined,
    /// Whether it answers a wish of this device, which only members have read.
    pub asked: bool,
}

/// One of this device's inboxes.
#[derive(Clone, Copy)]
pub(super) enum Ours {
    /// The account's for a contact.
    Contact(AccountId),
    /// An alias's for the other of its chat.
    Alias(ChatId),
}

/// Packages of an inbox that were offered before and still work.
const OLD_PACKAGES: usize = 2;

impl Client {
    /// Makes another key package for a contact to add us by, if the last one was used or has had half its time.
    pub(super) fn renew_inbox_package(&mut self, now_ms: u64, account: AccountId) -> Result<(), CommandError> {
        let now_s = now_ms / 1000;
        let fresh = |own: &OwnPackage| own.package.not_after_s > now_s + INBOX_PACKAGE_SECONDS / 2;
        let Some(contact) = self.contacts.get(&account) else {
            return Ok(());
        };
        if contact.our_inbox.packages.first().is_some_and(fresh) {
            return Ok(());
        }
        let made = self.new_package(true, now_s, now_s + INBOX_PACKAGE_SECONDS)?;
        let mut contact = contact.clone();
        contact.our_inbox.packages.insert(0, made);
        contact.our_inbox.packages.truncate(1 + OLD_PACKAGES);
        Ok(self.put_contact(contact)?)
    }

    /// Writes to a contact's inbox; `node` is the state that a Welcome leads to.
    pub(super) fn write_inbox(
        &mut self,
        now_ms: u64,
        chat: ChatId,
        account: AccountId,
        node: Option<NodeId>,
        message: &[u8],
    ) -> Result<(), RowsError> {
        let theirs = self.contact_in(&chat, &account).and_then(|contact| {
            let inbox = contact.their_inbox.clone()?;
            Some((inbox, contact.suite))
        });
        let Some((inbox, suite)) = theirs else {
            // Whoever hasn't told an inbox hasn't told a key package either.
            return Ok(());
        };
        let fault = |error: &dyn std::fmt::Display| RowsError {
            reason: error.to_string(),
        };
        let topic = inbox.topic.public();
        let wish = matches!(InboxMessage::decode(message), Ok(Some(InboxMessage::Rejoin(_))));
        let sealed = seal::seal_to(&self.crypto, suite, &inbox.seal_key, Purpose::Inbox, topic, message)
            .map_err(|error| fault(&error))?;
        let envelope = Envelope::sign(&inbox.topic, limits::CUSTODY_SECONDS, &sealed).map_err(|error| fault(&error))?;
        self.add_out(
            now_ms,
            topic,
            OutWhat::Row(OutKind::Inbox {
                account,
                chat,
                wish,
                node,
            }),
            envelope,
        )
    }

    /// An envelope in the inbox of a contact.
    pub(super) fn inbox_envelope(&mut self, now_ms: u64, inbox: Ours, envelope: &Envelope) -> Result<Taken, RowsError> {
        let Some(contact) = self.writer(inbox) else {
            return Ok(Taken::Refused(Refusal::NotHere));
        };
        let content = seal::open_with(
            &self.crypto,
            self.config.suite,
            &contact.our_inbox.seal_private,
            Purpose::Inbox,
            envelope.topic(),
            envelope.body(),
        );
        // What can't be read, or is of a later version, is dropped: only this contact can have written it.
        let Some(message) = content
            .ok()
            .and_then(|bytes| InboxMessage::decode(&bytes).ok().flatten())
        else {
            return Ok(Taken::Yes);
        };
        if let InboxMessage::Large(large) = &message {
            return Ok(self.blob_wanted(now_ms, large.topic, Some(envelope.topic()), &large.blob));
        }
        self.inbox_message(now_ms, inbox, message)?;
        Ok(Taken::Yes)
    }

    /// Who writes to an inbox.
    fn writer(&self, inbox: Ours) -> Option<&ContactRow> {
        match inbox {
            Ours::Contact(account) => self.contacts.get(&account),
            Ours::Alias(chat) => self.aliases.get(&chat).map(|alias| &alias.row.contact),
        }
    }

    /// A large message to the inbox of a contact is here.
    pub(super) fn inbox_blob(&mut self, now_ms: u64, inbox: Ours, content: &[u8]) -> Result<(), RowsError> {
        match InboxMessage::decode(content) {
            Ok(Some(message)) => self.inbox_message(now_ms, inbox, message),
            _ => Ok(()),
        }
    }

    fn inbox_message(&mut self, now_ms: u64, inbox: Ours, message: InboxMessage) -> Result<(), RowsError> {
        let about = match &message {
            InboxMessage::Welcome(welcome) => welcome.chat,
            InboxMessage::Rejoin(rejoin) => rejoin.chat,
            InboxMessage::Leaf(told) => told.chat,
            InboxMessage::Large(_) => return Ok(()),
        };
        // An alias is in one chat, of which the account knows nothing: whoever writes of the one to the other tries whether they are the same.
        let fits = match inbox {
            Ours::Contact(_) => !self.aliases.contains_key(&about),
            Ours::Alias(chat) => chat == about,
        };
        let Some(account) = self.writer(inbox).map(|contact| contact.account).filter(|_| fits) else {
            return Ok(());
        };
        match message {
            // One blob needn't point to another.
            InboxMessage::Large(_) => {}
            InboxMessage::Welcome(welcome) => self.welcomed(now_ms, account, &welcome)?,
            InboxMessage::Rejoin(rejoin) => {
                let by = AskedBy::Inbox(account);
                self.rejoin_asked(now_ms, by, &rejoin)?;
            }
            InboxMessage::Leaf(told) => self.leaf_told(now_ms, AskedBy::Inbox(account), &told)?,
        }
        Ok(())
    }

    /// A contact added this device to a group, or put it back into one.
    fn welcomed(&mut self, now_ms: u64, account: AccountId, welcome: &GroupWelcome) -> Result<(), RowsError> {
        let Ok(opened) = self.join_group(account, welcome) else {
            return Ok(());
        };
        match self.offer(welcome, &opened) {
            Offer::Known => Ok(()),
            Offer::Alive => self.keep_spare(now_ms, account, welcome, opened.joined.group.epoch()),
            Offer::Leads => {
                self.enter(now_ms, welcome, opened)?;
                self.package_served(now_ms, account, welcome.chat)
            }
        }
    }

    /// What a Welcome that opens is good for.
    pub(super) fn offer(&self, welcome: &GroupWelcome, opened: &Opened) -> Offer {
        let Some(chat) = self.chats.get(&welcome.chat) else {
            return if self.chats.len() < limits::CHATS {
                Offer::Leads
            } else {
                Offer::Known
            };
        };
        let state = chat.row.nodes.iter().find(|state| state.node == welcome.node);
        if state.is_some_and(|state| state.kept) {
            return Offer::Known;
        }
        let by = &opened.joined.inviter.account;
        let leads = if chat.is_removed() {
            // Whoever adds this device again may have come later than it went; an old Welcome doesn't bring it back (FAULTS 41).
            // It may have been removed on a branch that lost, and have asked since.
            let another_way = chat.comes_back_by(&opened.joined.info.past);
            let asked = opened.asked && (chat.asks > 0 && chat.is_of(by) || another_way);
            state.is_some() || asked || chat.is_outlived_by(opened.joined.group.epoch())
        } else if chat.row.lost {
            opened.asked || chat.is_of(by)
        } else {
            // The commit that puts this device back may be here already, without its keys. Else only an admin adds whom it has removed;
            // anybody can make up a group with this one's id and a later epoch.
            let epoch = opened.joined.group.epoch();
            let later = chat.is_outlived_by(epoch) && chat.row.context.rank(by).is_some();
            let first = opened.asked && chat.goes_before(&opened.joined.info.past, welcome.node, epoch);
            chat.is_of(by) && (state.is_some() || later || first)
        };
        if leads { Offer::Leads } else { Offer::Alive }
    }

    /// A package has served: the contact is told another one.
    pub(super) fn package_served(&mut self, now_ms: u64, account: AccountId, entered: ChatId) -> Result<(), RowsError> {
        // An alias has told none.
        let contact = self
            .contacts
            .get(&account)
            .filter(|_| !self.aliases.contains_key(&entered));
        let Some(mut contact) = contact.cloned() else {
            return Ok(());
        };
        if let Some(own) = contact.our_inbox.packages.first_mut() {
            own.package.not_after_s = own.package.not_after_s.min(now_ms / 1000 + INBOX_PACKAGE_SECONDS / 2);
        }
        let chat = contact.chat;
        self.put_contact(contact)?;
        self.send_details(now_ms, account, chat).map_err(|error| RowsError {
            reason: error.to_string(),
        })
    }

    /// Goes on from the state that a Welcome leads to, whoever brought it.
    pub(super) fn enter(&mut self, now_ms: u64, welcome: &GroupWelcome, opened: Opened) -> Result<(), RowsError> {
        let Opened { joined, asked } = opened;
        let Joined { group, topic, info, .. } = joined;
        let fault = |error: GroupError| RowsError {
            reason: error.to_string(),
        };
        if self.chats.contains_key(&welcome.chat) {
            let mut welcomes = Vec::new();
            let mut unkept = Vec::new();
            if let Some(chat) = self.chats.get_mut(&welcome.chat) {
                welcomes = std::mem::take(&mut chat.row.welcomes);
                unkept = chat.way();
                unkept.extend(chat.dag.commits().map(|(node, _)| *node));
                chat.replant(now_ms, group, (topic, info.past), asked).map_err(fault)?;
                unkept.retain(|node| !chat.has_been(node));
                welcomes.retain(|row| chat.row.accounts.contains(&row.account));
            }
            self.forget_commits(&welcome.chat, unkept);
            // Whom this device has added, and who is in: nobody else has its Welcome.
            for row in welcomes {
                self.send_welcome(now_ms, welcome.chat, &row)?;
            }
            self.begin_stream(welcome.chat);
            // It is granted.
            let asks = |out: &Out| match &out.what {
                OutWhat::Row(OutKind::Inbox { chat, wish: true, .. } | OutKind::Letter { chat, .. }) => {
                    *chat == welcome.chat
                }
                _ => false,
            };
            self.drop_outs(asks);
            self.look_aside(welcome.chat);
            self.seal_again(now_ms, welcome.chat)?;
        } else {
            let mut row = self.new_chat_row(now_ms, topic.clone(), None, &group);
            row.suite = welcome.suite;
            row.leaf_update_due = true;
            row.past_nodes = info.past;
            let mut chat = Chat::new(welcome.chat, row, group).map_err(fault)?;
            chat.plant(now_ms, topic);
            self.insert_chat(chat);
        }
        if let Some(chat) = self.chats.get(&welcome.chat) {
            for topic in chat.topics() {
                self.topics.insert(topic, super::TopicUse::Chat(welcome.chat));
            }
        }
        self.dirty.chats.insert(welcome.chat);
        self.drop_spare_if_older(welcome.chat, asked);
        self.event(&EventRow::ChatUpdated { chat: welcome.chat });
        self.refresh_links(now_ms)?;
        // Nobody else may know the topic on which this device has asked before.
        let peers: Vec<TransportKey> = self.links.keys().copied().collect();
        for peer in peers {
            self.compare_with(peer);
        }
        self.welcome_profiles(now_ms, welcome.chat, info.profiles)?;
        self.take_all_pending(now_ms, welcome.chat)?;
        self.owe_report(now_ms, welcome.chat);
        // It has another leaf now.
        self.leave_again(now_ms, welcome.chat)
    }

    /// Whether a Welcome that opens leads into a chat, on a topic that has no other use.
    pub(super) fn is_into(&self, chat: ChatId, joined: &Joined) -> bool {
        let topic = self.topics.get(&joined.topic.public());
        let free = topic.is_none_or(|usage| *usage == super::TopicUse::Chat(chat));
        free && joined.group.chat().is_ok_and(|id| id == chat)
    }

    /// Opens a Welcome by a contact, or by whom this account has asked to be let in.
    pub(super) fn join_group(&self, account: AccountId, welcome: &GroupWelcome) -> Result<Opened, GroupError> {
        let contact = self.contacts.get(&account);
        let told = contact.into_iter().flat_map(|contact| &contact.our_inbox.packages);
        let chat = self.chats.get(&welcome.chat);
        let wished = chat
            .into_iter()
            .flat_map(|chat| chat.row.rejoin_package.iter().chain(&chat.row.rejoin_older));
        let guest = self.guests.values();
        let guest = guest.filter(|guest| guest.chat == welcome.chat && guest.inviter == account);
        let told = told.chain(guest.flat_map(|guest| &guest.inbox.packages));
        // The account never comes to be in an alias's chat.
        let told = told.filter(|_| !self.aliases.contains_key(&welcome.chat));
        let packages = wished.map(|own| (own, true)).chain(told.map(|own| (own, false)));
        let mut failure = GroupError::Kind;
        for (own, asked) in packages {
            match Group::join(&self.crypto, own.rows.clone(), &welcome.welcome, welcome.node) {
                Ok(joined) => {
                    let group = joined.group.context().kind == ChatKind::Group || chat.is_some();
                    let fits = joined.inviter.account == account && group;
                    return if fits && self.is_into(welcome.chat, &joined) {
                        Ok(Opened { joined, asked })
                    } else {
                        Err(GroupError::Kind)
                    };
                }
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }
}
