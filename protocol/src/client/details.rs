//! Contact details: what we tell of ourselves, and what contacts tell of themselves.

use super::Client;
use super::io::CommandError;
use super::records::{ContactRow, OwnInbox};
use crate::contact::{Details, Inbox};
use crate::keys::{AccountId, ChatId, TopicId};
use crate::limits;
use crate::message::{Body, StreamId};
use crate::rows::RowsError;
use crate::wire::{Reader, Writer};

impl Client {
    pub(super) fn details(&self, our_inbox: &OwnInbox) -> Details {
        Details {
            log: self.account.log.clone(),
            suite: self.config.suite,
            inbox: Inbox {
                topic: our_inbox.topic.clone(),
                seal_key: our_inbox.seal_public.clone(),
            },
            transports: vec![self.account.certificate.clone()],
            devices: vec![self.own_address()],
            relays: self.told_relays(),
            name: self.settings.name.clone(),
            packages: our_inbox
                .packages
                .iter()
                .take(1)
                .map(|own| own.package.clone())
                .collect(),
        }
    }

    /// Tells a contact our details, inside the chat. While it hasn't got the last ones, or the outbox is full, it is told later, so
    /// that addresses that change often don't fill the outbox for somebody who is away.
    pub(super) fn send_details(&mut self, now_ms: u64, account: AccountId, id: ChatId) -> Result<(), CommandError> {
        let own = self.device_in(&id);
        let full = self.outbox_full();
        if !self.aliases.contains_key(&id) {
            self.renew_inbox_package(now_ms, account)?;
        }
        let Some(details) = self.details_in(&id, &account) else {
            return Ok(());
        };
        let Some(chat) = self.chats.get_mut(&id) else {
            return Ok(());
        };
        let told = chat.row.details_sequence;
        let later = full || (told > 0 && !chat.delivered(own, chat.row.incarnation, told));
        chat.row.details_due = later;
        chat.row_dirty = true;
        self.dirty.chats.insert(id);
        if later {
            return Ok(());
        }
        chat.row.details_sequence = chat.head.sequence + 1;
        let mut w = Writer::default();
        details.write(&mut w);
        self.send_body(now_ms, id, Body::Contact(w.into_bytes()))?;
        Ok(())
    }

    /// Tells a contact what changed while it was being told.
    pub(super) fn tell_details_if_due(&mut self, now_ms: u64, id: ChatId) -> Result<(), RowsError> {
        let own = self.device_in(&id);
        let Some(chat) = self.chats.get(&id).filter(|chat| chat.row.details_due) else {
            return Ok(());
        };
        let told = chat.row.details_sequence;
        if told > 0 && !chat.delivered(own, chat.row.incarnation, told) {
            return Ok(());
        }
        let Some(account) = chat.row.peer else {
            return Ok(());
        };
        self.send_details(now_ms, account, id).map_err(|error| RowsError {
            reason: error.to_string(),
        })
    }

    /// Tells all contacts our details, after they changed.
    pub(super) fn tell_details(&mut self, now_ms: u64) -> Result<(), RowsError> {
        let mut chats: Vec<(AccountId, ChatId)> = Vec::new();
        // An alias tells nothing that changes here.
        for chat in self.chats.values_mut().filter(|chat| !chat.quiet) {
            let Some(peer) = chat.row.peer else {
                continue;
            };
            if !chat.row.requested {
                chats.push((peer, chat.id));
                continue;
            }
            // Its request holds what was true when it was made.
            chat.row.details_due = true;
            chat.row_dirty = true;
            self.dirty.chats.insert(chat.id);
        }
        for (account, chat) in chats {
            self.send_details(now_ms, account, chat).map_err(|error| RowsError {
                reason: error.to_string(),
            })?;
        }
        Ok(())
    }

    /// A contact told its details.
    pub(super) fn contact_details(
        &mut self,
        now_ms: u64,
        chat: ChatId,
        account: AccountId,
        told_by: (StreamId, u64),
        bytes: &[u8],
    ) -> Result<(), RowsError> {
        let mut r = Reader::new(bytes);
        let (Ok(details), Ok(())) = (Details::read(&mut r), r.finish()) else {
            return Ok(());
        };
        if details.log.account != account || self.chats.get(&chat).is_none_or(|chat| chat.row.peer != Some(account)) {
            return Ok(());
        }
        let Some(contact) = self.contact_in(&chat, &account).cloned() else {
            return Ok(());
        };
        // A backlog may arrive newest first.
        let (stream, sequence) = told_by;
        if contact
            .told_by
            .is_some_and(|(known, newest)| known == stream && newest > sequence)
        {
            return Ok(());
        }
        let moved = contact.relays != details.relays;
        let told = ContactRow {
            told_by: Some(told_by),
            name: details.name,
            log: details.log,
            transports: details.transports,
            devices: details.devices,
            relays: details.relays,
            suite: details.suite,
            their_inbox: Some(details.inbox),
            package: details.packages.into_iter().next(),
            ..contact
        };
        if self.aliases.contains_key(&chat) {
            return self.other_told(now_ms, chat, told, moved);
        }
        self.put_contact(told)?;
        self.refresh_links(now_ms)
    }

    /// The addresses that we can be reached at; contacts and cards learn when they changed.
    pub(super) fn listening(&mut self, now_ms: u64, addrs: Vec<String>) -> Result<(), RowsError> {
        let mut sorted = addrs;
        sorted.sort();
        sorted.truncate(limits::ADDRESSES);
        if self.settings.told == sorted {
            return Ok(());
        }
        self.listening = sorted.clone();
        self.settings.told = sorted;
        self.put_settings()?;
        self.tell_details(now_ms)?;
        self.publish_cards(now_ms)
    }

    /// Brings the cards of all open invites up to date.
    pub(super) fn publish_cards(&mut self, now_ms: u64) -> Result<(), RowsError> {
        let cards: Vec<TopicId> = self.invites.keys().copied().collect();
        for card in cards {
            self.publish_card(now_ms, card).map_err(|error| RowsError {
                reason: error.to_string(),
            })?;
        }
        Ok(())
    }
}
