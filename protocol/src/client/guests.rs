//! Guests of groups: asking by an invite link of a group to be let in, until a member has or the link has expired (`spec/contact.md`,
//! section 6).

use super::contacts::INBOX_PACKAGE_SECONDS;
use super::inbound::Taken;
use super::inboxes::{Offer, Opened};
use super::io::{CommandError, Reply};
use super::outbox::OutWhat;
use super::records::{About, GuestRow, OutKind, OwnInbox, OwnPackage, Reach, decode, encode};
use super::{Client, LoadError, TopicUse};
use crate::chat::ChatKind;
use crate::contact::{Card, Invite, Request};
use crate::custody::Refusal;
use crate::envelope::Envelope;
use crate::inbox::{GroupWelcome, InboxMessage};
use crate::keys::{ChatId, NodeId, TopicId, TopicSecret};
use crate::limits;
use crate::rows::{Rows, RowsError, Tree};
use crate::seal::{self, Purpose};

fn internal(error: impl std::fmt::Display) -> CommandError {
    CommandError::Internal {
        reason: error.to_string(),
    }
}

impl Client {
    pub(super) fn load_guests(&mut self, rows: &dyn Rows) -> Result<(), LoadError> {
        for (_, value) in rows.prefix(Tree::Guests, &[], limits::GUESTS)? {
            let guest: GuestRow = decode(&value)?;
            self.note_guest(guest);
        }
        Ok(())
    }

    fn note_guest(&mut self, guest: GuestRow) {
        self.topics
            .insert(guest.inbox.topic.public(), TopicUse::Guest(guest.card));
        self.guests.insert(guest.card, guest);
    }

    fn put_guest(&mut self, guest: GuestRow) -> Result<(), RowsError> {
        let row = encode(&guest)?;
        self.put(Tree::Guests, guest.card.0, row);
        self.note_guest(guest);
        Ok(())
    }

    /// The group that an invite leads to, if this account is in it or has asked already.
    pub(super) fn is_guest(&self, invite: &Invite) -> Option<ChatId> {
        let chat = invite.group.as_ref()?.chat;
        let member = self.chats.get(&chat).is_some_and(|chat| chat.is_member());
        let asked = self.guests.get(&invite.card).is_some_and(|guest| !guest.joined);
        (member || asked).then_some(chat)
    }

    /// Whether this account waits to be let into a group.
    pub(super) fn awaits(&self, chat: &ChatId) -> bool {
        self.guests.values().any(|guest| guest.chat == *chat && !guest.joined)
    }

    /// Asks to be let into the group of an invite, whose card is here.
    pub(super) fn request_group(&mut self, now_ms: u64, invite: &Invite, card: &Card) -> Result<ChatId, CommandError> {
        let Some(group) = invite.group.clone() else {
            return Err(CommandError::NotFound { field: "group" });
        };
        if self.guests.len() >= limits::GUESTS {
            return Err(CommandError::Limit {
                what: "groups that this account has asked to be let into",
                limit: limits::GUESTS,
            });
        }
        let now_s = now_ms / 1000;
        let (package, rows) = self.package_of_suite(card.suite, true, now_s, now_s + INBOX_PACKAGE_SECONDS)?;
        let (seal_private, seal_public) = self.crypto.hpke_key_pair(self.config.suite).map_err(internal)?;
        let inbox = OwnInbox {
            topic: TopicSecret::from_bytes(self.crypto.random()),
            seal_private,
            seal_public,
            packages: vec![OwnPackage { package, rows }],
        };
        let request = Request {
            details: self.details(&inbox),
            chat: group.chat,
            node: NodeId([0; 32]),
            welcome: Vec::new(),
        };
        let requests = invite.requests.public();
        let body = seal::seal_to(
            &self.crypto,
            card.suite,
            &card.seal_key,
            Purpose::Request,
            requests,
            &request.encode(),
        )
        .map_err(internal)?;
        let ttl_s = invite
            .expires_s
            .saturating_sub(now_s)
            .min(u64::from(limits::CUSTODY_SECONDS)) as u32;
        let envelope = Envelope::sign(&invite.requests, ttl_s, &body).map_err(internal)?;
        let until_ms = invite.expires_s.saturating_mul(1000);
        // Whoever was in and has been removed asks anew, with another inbox.
        if let Some(before) = self.guests.remove(&invite.card) {
            self.topics.remove(&before.inbox.topic.public());
        }
        self.put_guest(GuestRow {
            card: invite.card,
            chat: group.chat,
            name: group.name,
            inviter: invite.account,
            inbox,
            asked_ms: now_ms,
            until_ms,
            joined: false,
        })?;
        let relays = card.relays.iter().chain(&invite.relays).cloned().collect();
        let to = Reach::new(relays, &card.devices, &card.transports, until_ms);
        let about = About::Request(invite.card);
        let what = OutWhat::Row(OutKind::Stranger { about, to });
        self.add_out(now_ms, requests, what, envelope)?;
        self.refresh_links(now_ms)?;
        Ok(group.chat)
    }

    /// An envelope in the inbox that a group's inviter was told.
    pub(super) fn guest_envelope(
        &mut self,
        now_ms: u64,
        card: TopicId,
        envelope: &Envelope,
    ) -> Result<Taken, RowsError> {
        let Some(guest) = self.guests.get(&card) else {
            return Ok(Taken::Refused(Refusal::NotHere));
        };
        let content = seal::open_with(
            &self.crypto,
            self.config.suite,
            &guest.inbox.seal_private,
            Purpose::Inbox,
            envelope.topic(),
            envelope.body(),
        );
        // What can't be read is dropped: only whoever the inviter gave the inbox can have written it.
        let message = content
            .ok()
            .and_then(|bytes| InboxMessage::decode(&bytes).ok().flatten());
        match message {
            Some(InboxMessage::Welcome(welcome)) => self.let_in_by(now_ms, card, &welcome)?,
            Some(InboxMessage::Large(large)) => {
                return Ok(self.blob_wanted(now_ms, large.topic, Some(envelope.topic()), &large.blob));
            }
            _ => {}
        }
        Ok(Taken::Yes)
    }

    /// A large message to such an inbox is here.
    pub(super) fn guest_blob(&mut self, now_ms: u64, card: TopicId, content: &[u8]) -> Result<(), RowsError> {
        match InboxMessage::decode(content) {
            Ok(Some(InboxMessage::Welcome(welcome))) => self.let_in_by(now_ms, card, &welcome),
            _ => Ok(()),
        }
    }

    /// The inviter has let this account in.
    fn let_in_by(&mut self, now_ms: u64, card: TopicId, welcome: &GroupWelcome) -> Result<(), RowsError> {
        let Some(guest) = self.guests.get(&card).cloned() else {
            return Ok(());
        };
        let group = |opened: &Opened| opened.joined.group.context().kind == ChatKind::Group;
        let opened = self.join_group(guest.inviter, welcome).ok().filter(group);
        let Some(opened) = opened.filter(|_| welcome.chat == guest.chat) else {
            return Ok(());
        };
        match self.offer(welcome, &opened) {
            Offer::Known => return Ok(()),
            Offer::Alive => return self.keep_spare(now_ms, guest.inviter, welcome, opened.joined.group.epoch()),
            Offer::Leads => self.enter(now_ms, welcome, opened)?,
        }
        // A branch that loses takes this joining with it: then the inviter adds this device again, by the same package.
        self.put_guest(GuestRow {
            joined: true,
            until_ms: now_ms.saturating_add(self.config.frozen_ms),
            ..guest
        })?;
        self.drop_request(card);
        self.refresh_links(now_ms)
    }

    fn drop_request(&mut self, card: TopicId) {
        let about = About::Request(card);
        self.drop_outs(
            |out| matches!(&out.what, OutWhat::Row(OutKind::Stranger { about: known, .. }) if *known == about),
        );
    }

    /// Lets go of requests and inboxes that are past their time, and of what strangers didn't take in it.
    pub(super) fn expire_guests(&mut self, now_ms: u64) -> bool {
        let gone: Vec<TopicId> = self
            .guests
            .values()
            .filter(|guest| guest.until_ms <= now_ms)
            .map(|guest| guest.card)
            .collect();
        for card in &gone {
            self.drop_request(*card);
            let Some(guest) = self.guests.remove(card) else {
                continue;
            };
            let topic = guest.inbox.topic.public();
            self.topics.remove(&topic);
            let ended = self.cursors.extract_if(.., |(_, known), _| *known == topic);
            self.dirty.cursors.extend(ended.map(|(place, _)| place));
            self.step.batch.delete(Tree::Guests, card.0);
        }
        let late: Vec<u64> = self
            .reaches
            .iter()
            .filter(|(_, to)| to.until_ms <= now_ms)
            .map(|(number, _)| *number)
            .collect();
        for number in &late {
            self.drop_out(*number);
        }
        !gone.is_empty() || !late.is_empty()
    }

    /// When the next of these is due.
    pub(super) fn guests_timer(&self) -> Option<u64> {
        let guests = self.guests.values().map(|guest| guest.until_ms);
        guests.chain(self.reaches.values().map(|to| to.until_ms)).min()
    }

    /// Declines a request: it is gone, and the asker isn't told.
    pub(super) fn decline(&mut self, request: crate::keys::RequestId) -> Result<Reply, CommandError> {
        let Some(row) = self.requests.remove(&request) else {
            return Err(CommandError::NotFound { field: "request" });
        };
        self.step.batch.delete(Tree::Requests, request.0);
        self.forget_request(row.invite, request)?;
        self.fetch_crowded();
        Ok(Reply::Done)
    }
}
