//! Contacts: making and accepting invites, and letting strangers in.

use super::chats::Chat;
use super::inbound::Taken;
use super::io::{CommandError, Effect, Reply};
use super::outbox::OutWhat;
use super::records::{
    Acceptance, Accepting, AliasRow, ContactRow, InviteRow, OutKind, OwnInbox, OwnPackage, RequestRow, decode, encode,
};
use super::{Client, EventRow, LoadError, TopicUse};
use crate::chat::{self, ChatContext, Group, Joined, Plan};
use crate::contact::{Card, CardKey, CardPackage, ContactError, Invite, Request};
use crate::custody::Refusal;
use crate::envelope::Envelope;
use crate::keys::{AccountId, ChatId, RequestId, TopicId, TopicSecret};
use crate::limits;
use crate::mls::{GroupRows, Suite};
use crate::rows::{Rows, RowsError, Tree};
use crate::seal::{self, Purpose};

/// Seconds that key packages are valid before now: the clocks of both sides may be a day off, in opposite directions.
const PACKAGE_SKEW_S: u64 = 2 * 24 * 3600;
/// Seconds that a key package told to a contact is valid: the longest absence after which one can be added (guess: 90 days).
pub(super) const INBOX_PACKAGE_SECONDS: u64 = 90 * 24 * 3600;
/// Older last-resort packages that a multi-use invite still answers to.
const OLD_PACKAGES: usize = 4;

pub(super) fn internal(error: impl std::fmt::Display) -> CommandError {
    CommandError::Internal {
        reason: error.to_string(),
    }
}

/// A request that waits for the user.
pub(super) struct Asking {
    pub id: RequestId,
    pub card: TopicId,
    pub account: AccountId,
    pub name: String,
    /// The group that it asks to be let into.
    pub chat: Option<ChatId>,
    pub content: Vec<u8>,
}

impl Card {
    /// The inviter as a contact who hasn't answered yet.
    pub(super) fn contact(&self, chat: ChatId, now_ms: u64, our_inbox: OwnInbox) -> ContactRow {
        ContactRow {
            account: self.log.account,
            name: self.name.clone(),
            chat,
            since_ms: now_ms,
            log: self.log.clone(),
            transports: self.transports.clone(),
            devices: self.devices.clone(),
            relays: self.relays.clone(),
            suite: self.suite,
            their_inbox: None,
            package: None,
            our_inbox,
            told_by: None,
        }
    }
}

impl Client {
    pub(super) fn load_contacts(&mut self, rows: &dyn Rows) -> Result<(), LoadError> {
        for (_, value) in rows.prefix(Tree::Contacts, &[], usize::MAX)? {
            let contact: ContactRow = decode(&value)?;
            self.topics
                .insert(contact.our_inbox.topic.public(), TopicUse::Inbox(contact.account));
            self.contacts.insert(contact.account, contact);
        }
        for (_, value) in rows.prefix(Tree::Invites, &[], usize::MAX)? {
            let invite: InviteRow = decode(&value)?;
            self.open_door(invite);
        }
        for (_, value) in rows.prefix(Tree::Requests, &[], usize::MAX)? {
            let request: RequestRow = decode(&value)?;
            self.requests.insert(request.request, request);
        }
        Ok(())
    }

    pub(super) fn open_door(&mut self, invite: InviteRow) {
        let card = invite.card.public();
        self.topics.insert(card, TopicUse::OwnCard);
        self.topics
            .insert(invite.invite.requests.public(), TopicUse::Requests(card));
        self.invites.insert(card, invite);
    }

    pub(super) fn shut_door(&mut self, card: TopicId) {
        if let Some(invite) = self.invites.remove(&card) {
            let requests = invite.invite.requests.public();
            self.topics.remove(&card);
            self.topics.remove(&requests);
            self.crowded.remove(&card);
            let ended = self.cursors.extract_if(.., |(_, topic), _| *topic == requests);
            self.dirty.cursors.extend(ended.map(|(place, _)| place));
            self.step.batch.delete(Tree::Invites, card.0);
            // What else came through this door can't be let in any more.
            let gone: Vec<RequestId> = self
                .requests
                .values()
                .filter(|request| request.invite == card)
                .map(|request| request.request)
                .collect();
            for request in gone {
                self.requests.remove(&request);
                self.step.batch.delete(Tree::Requests, request.0);
            }
            self.drop_outs(|out| matches!(&out.what, OutWhat::Row(OutKind::Card { invite }) if *invite == card));
        }
    }

    pub(super) fn put_invite(&mut self, invite: &InviteRow) -> Result<(), RowsError> {
        let row = encode(invite)?;
        self.put(Tree::Invites, invite.card.public().0, row);
        Ok(())
    }

    pub(super) fn put_contact(&mut self, contact: ContactRow) -> Result<(), RowsError> {
        let row = encode(&contact)?;
        self.put(Tree::Contacts, contact.account.0, row);
        self.topics
            .insert(contact.our_inbox.topic.public(), TopicUse::Inbox(contact.account));
        self.contacts.insert(contact.account, contact);
        Ok(())
    }

    pub(super) fn new_package(
        &self,
        last_resort: bool,
        now_s: u64,
        expires_s: u64,
    ) -> Result<OwnPackage, CommandError> {
        let (package, rows) = self.package_of_suite(self.config.suite, last_resort, now_s, expires_s)?;
        Ok(OwnPackage { package, rows })
    }

    /// One of whoever this device is in a chat.
    pub(super) fn package_in(
        &self,
        chat: &ChatId,
        last_resort: bool,
        now_s: u64,
        expires_s: u64,
    ) -> Result<OwnPackage, CommandError> {
        let (package, rows) = chat::key_package(
            &self.crypto,
            &self.secret_in(chat),
            &self.identity_in(chat),
            self.config.suite,
            last_resort,
            now_s.saturating_sub(PACKAGE_SKEW_S),
            expires_s,
        )?;
        Ok(OwnPackage { package, rows })
    }

    pub(super) fn package_of_suite(
        &self,
        suite: Suite,
        last_resort: bool,
        now_s: u64,
        expires_s: u64,
    ) -> Result<(CardPackage, GroupRows), CommandError> {
        Ok(chat::key_package(
            &self.crypto,
            &self.account.device,
            &self.identity(),
            suite,
            last_resort,
            now_s.saturating_sub(PACKAGE_SKEW_S),
            expires_s,
        )?)
    }

    /// Fails if there are as many open invites as there may be.
    pub(super) fn invites_left(&self) -> Result<(), CommandError> {
        if self.invites.len() < limits::INVITES {
            return Ok(());
        }
        Err(CommandError::Limit {
            what: "open invites",
            limit: limits::INVITES,
        })
    }

    pub(super) fn invite(
        &mut self,
        now_ms: u64,
        multi_use: bool,
        expires_in_s: Option<u64>,
    ) -> Result<Reply, CommandError> {
        self.invites_left()?;
        let usual = if multi_use {
            limits::MULTI_USE_INVITE_SECONDS
        } else {
            limits::INVITE_SECONDS
        };
        let now_s = now_ms / 1000;
        let expires_s = now_s.saturating_add(expires_in_s.unwrap_or(usual).min(limits::INVITE_SECONDS_MAX));
        let card = TopicSecret::from_bytes(self.crypto.random());
        let card_key = CardKey(self.crypto.random());
        let (seal_private, seal_public) = self.crypto.hpke_key_pair(self.config.suite).map_err(internal)?;
        let mut packages = vec![self.new_package(true, now_s, expires_s)?];
        if !multi_use {
            packages.insert(0, self.new_package(false, now_s, expires_s)?);
        }
        let invite = Invite {
            account: self.account(),
            card: card.public(),
            card_key: card_key.clone(),
            requests: TopicSecret::from_bytes(self.crypto.random()),
            relays: self.told_relays(),
            devices: vec![self.own_address()],
            name: self.settings.name.clone(),
            expires_s,
            group: None,
        };
        let link = invite.to_link();
        let topic = card.public();
        self.open_door(InviteRow {
            invite,
            card,
            card_key,
            suite: self.config.suite,
            seal_private,
            seal_public,
            multi_use,
            packages,
            number: 0,
            expires_s,
            group: None,
            declined: Vec::new(),
        });
        self.publish_card(now_ms, topic)?;
        self.refresh_links(now_ms)?;
        Ok(Reply::Invited { link, expires_s })
    }

    /// Writes the next version of a card, which takes the place of the one before.
    pub(super) fn publish_card(&mut self, now_ms: u64, topic: TopicId) -> Result<(), CommandError> {
        let Some(mut invite) = self.invites.get(&topic).cloned() else {
            return Ok(());
        };
        invite.number += 1;
        let offered = if invite.multi_use { 1 } else { invite.packages.len() };
        let card = Card {
            log: self.account.log.clone(),
            suite: invite.suite,
            seal_key: invite.seal_public.clone(),
            packages: invite
                .packages
                .iter()
                .take(offered)
                .map(|own| own.package.clone())
                .collect(),
            transports: vec![self.account.certificate.clone()],
            devices: vec![self.own_address()],
            relays: self.told_relays(),
            name: self.settings.name.clone(),
            number: invite.number,
        };
        let signed = card.sign(topic, &self.account.device);
        let sealed = seal::seal_card(&self.crypto, &invite.card_key, topic, &signed).map_err(internal)?;
        let ttl_s = invite.expires_s.saturating_sub(now_ms / 1000).min(u64::from(u32::MAX)) as u32;
        let envelope = Envelope::sign(&invite.card, ttl_s, &sealed).map_err(internal)?;
        self.put_invite(&invite)?;
        self.invites.insert(topic, invite);
        self.drop_outs(|out| matches!(&out.what, OutWhat::Row(OutKind::Card { invite }) if *invite == topic));
        self.add_out(now_ms, topic, OutWhat::Row(OutKind::Card { invite: topic }), envelope)?;
        Ok(())
    }

    /// Begins to accept an invite: `None` means that the reply comes once the card is read.
    pub(super) fn accept(&mut self, now_ms: u64, token: u64, link: &str) -> Result<Option<ChatId>, CommandError> {
        let invite = self.usable_invite(now_ms, link)?;
        let known = match &invite.group {
            Some(_) => self.is_guest(&invite),
            None => self.contacts.get(&invite.account).map(|contact| contact.chat),
        };
        if known.is_some() {
            return Ok(known);
        }
        self.look_for_card(now_ms, token, invite, None)?;
        Ok(None)
    }

    /// An invite of somebody else that hasn't expired.
    pub(super) fn usable_invite(&self, now_ms: u64, link: &str) -> Result<Invite, CommandError> {
        let invite = Invite::from_link(link).map_err(CommandError::Invite)?;
        if invite.account == self.account() {
            return Err(CommandError::OwnInvite);
        }
        if invite.expires_s <= now_ms / 1000 {
            return Err(CommandError::InviteExpired);
        }
        Ok(invite)
    }

    /// Looks for the inviter's card; the chat is asked for once it is here.
    pub(super) fn look_for_card(
        &mut self,
        now_ms: u64,
        token: u64,
        invite: Invite,
        alias: Option<String>,
    ) -> Result<(), CommandError> {
        let card = invite.card;
        if self.topics.get(&card).is_some_and(|usage| *usage != TopicUse::Card) {
            return Err(CommandError::Invite(ContactError::WrongIdentity {
                what: "the topic of the invite's card",
            }));
        }
        let until_ms = now_ms.saturating_add(self.config.accept_ms);
        let acceptance = self.accepting.entry(card).or_insert(Acceptance {
            asks: Vec::new(),
            invite,
            until_ms,
            best: None,
        });
        acceptance.asks.push(Accepting { token, alias });
        acceptance.until_ms = until_ms;
        self.topics.insert(card, TopicUse::Card);
        Ok(self.refresh_links(now_ms)?)
    }

    pub(super) fn expire_contacts(&mut self, now_ms: u64) -> Result<(), RowsError> {
        let accept_ms = self.config.accept_ms;
        let late: Vec<TopicId> = self
            .accepting
            .iter()
            .filter(|(_, waiting)| waiting.until_ms <= now_ms || waiting.until_ms - now_ms > accept_ms)
            .map(|(card, _)| *card)
            .collect();
        for card in &late {
            self.end_accept(*card, || Err(CommandError::CardUnavailable));
        }
        let shut: Vec<TopicId> = self
            .invites
            .iter()
            .filter(|(_, invite)| invite.expires_s <= now_ms / 1000)
            .map(|(card, _)| *card)
            .collect();
        for card in &shut {
            self.shut_door(*card);
        }
        let guests = self.expire_guests(now_ms);
        if late.is_empty() && shut.is_empty() && !guests {
            return Ok(());
        }
        self.refresh_links(now_ms)
    }

    fn end_accept(&mut self, card: TopicId, result: impl Fn() -> Result<Reply, CommandError>) {
        self.topics.remove(&card);
        // Whoever accepts it again reads the card again.
        let ended = self.cursors.extract_if(.., |(_, topic), _| *topic == card);
        self.dirty.cursors.extend(ended.map(|(place, _)| place));
        if let Some(acceptance) = self.accepting.remove(&card) {
            for Accepting { token, .. } in acceptance.asks {
                let result = result();
                self.step.effects.push(Effect::Reply { token, result });
            }
        }
    }

    /// A version of a card that we look for; the newest of a page counts.
    pub(super) fn card_envelope(&mut self, now_ms: u64, envelope: &Envelope) -> Result<Taken, RowsError> {
        let topic = envelope.topic();
        let Some(acceptance) = self.accepting.get_mut(&topic) else {
            return Ok(Taken::Refused(Refusal::NotHere));
        };
        let card = seal::open_card(&acceptance.invite.card_key, topic, envelope.body())
            .and_then(|bytes| Card::verify(&bytes, topic, acceptance.invite.account));
        match card {
            Ok(card) => {
                if acceptance.best.as_ref().is_none_or(|best| best.number < card.number) {
                    acceptance.best = Some(card);
                }
            }
            Err(error) => {
                let reason = error.to_string();
                self.end_accept(topic, || {
                    Err(CommandError::Invite(ContactError::Mls {
                        what: "read the inviter's card",
                        reason: reason.clone(),
                    }))
                });
                self.refresh_links(now_ms)?;
            }
        }
        Ok(Taken::Yes)
    }

    /// Makes the chat from the best card read.
    pub(super) fn finish_accept(&mut self, now_ms: u64, topic: TopicId) -> Result<(), RowsError> {
        let Some((invite, card, asks)) = self.accepting.get_mut(&topic).and_then(|acceptance| {
            let card = acceptance.best.take()?;
            Some((acceptance.invite.clone(), card, std::mem::take(&mut acceptance.asks)))
        }) else {
            return Ok(());
        };
        for Accepting { token, alias } in asks {
            let asked = match alias {
                Some(name) => self.request_as(now_ms, &invite, &card, name),
                None => self.request(now_ms, &invite, &card),
            };
            let result = match asked {
                Ok(chat) => Ok(Reply::Chat(chat)),
                Err(error @ (CommandError::Invalid { .. } | CommandError::Limit { .. })) => Err(error),
                Err(error) => Err(CommandError::Invite(ContactError::Mls {
                    what: "use the inviter's card",
                    reason: error.to_string(),
                })),
            };
            self.step.effects.push(Effect::Reply { token, result });
        }
        self.end_accept(topic, || Err(CommandError::CardUnavailable));
        self.refresh_links(now_ms)
    }

    /// Asks as the account for a chat, or to be let into a group.
    fn request(&mut self, now_ms: u64, invite: &Invite, card: &Card) -> Result<ChatId, CommandError> {
        if invite.group.is_some() {
            return match self.is_guest(invite) {
                Some(chat) => Ok(chat),
                None => self.request_group(now_ms, invite, card),
            };
        }
        // They may have asked us, and been approved, while we looked for their card.
        if let Some(contact) = self.contacts.get(&invite.account) {
            return Ok(contact.chat);
        }
        let id = ChatId(self.crypto.random());
        self.request_chat(now_ms, invite, card, id, None)?;
        Ok(id)
    }

    /// Asks for a chat, as the account or under an alias.
    pub(super) fn request_chat(
        &mut self,
        now_ms: u64,
        invite: &Invite,
        card: &Card,
        id: ChatId,
        alias: Option<AliasRow>,
    ) -> Result<(), CommandError> {
        let now_s = now_ms / 1000;
        let usable = |package: &&CardPackage| package.not_before_s <= now_s && now_s < package.not_after_s;
        let package = card
            .packages
            .iter()
            .filter(usable)
            .min_by_key(|package| package.last_resort)
            .ok_or(CommandError::Invite(ContactError::NoKeyPackage))?;
        let (secret, identity) = match &alias {
            Some(alias) => (&alias.device, alias.identity()),
            None => (&self.account.device, self.identity()),
        };
        let one_to_one = ChatContext::one_to_one();
        let (group, topic) = Group::create(&self.crypto, secret, &identity, card.suite, id, one_to_one)?;
        let plan = Plan::adding(std::slice::from_ref(package));
        let change = group.commit(&self.crypto, secret, &plan, &topic)?;
        let welcome = change.welcome.ok_or_else(|| internal("no Welcome was made"))?;
        let others_are_theirs = change
            .group
            .members()?
            .iter()
            .all(|member| member.device == identity.device || member.account == invite.account);
        if !others_are_theirs {
            return Err(CommandError::Invite(ContactError::WrongIdentity {
                what: "a key package of the card",
            }));
        }
        let ours = match &alias {
            Some(alias) => alias.contact.our_inbox.clone(),
            None => self.new_inbox(now_ms)?,
        };
        let request = Request {
            details: match &alias {
                Some(alias) => alias.details(self.config.suite),
                None => self.details(&ours),
            },
            chat: id,
            node: change.group.node(),
            welcome,
        };
        let body = seal::seal_to(
            &self.crypto,
            card.suite,
            &card.seal_key,
            Purpose::Request,
            invite.requests.public(),
            &request.encode(),
        )
        .map_err(internal)?;
        let ttl_s = invite
            .expires_s
            .saturating_sub(now_s)
            .min(u64::from(limits::CUSTODY_SECONDS)) as u32;
        let envelope = Envelope::sign(&invite.requests, ttl_s, &body).map_err(internal)?;
        let mut row = self.new_chat_row(now_ms, topic.clone(), Some(invite.account), &change.group);
        row.requested = true;
        row.suite = card.suite;
        let mut chat = Chat::new(id, row, change.group)?;
        chat.plant(now_ms, topic);
        match alias {
            Some(alias) => self.put_alias(id, alias)?,
            None => self.put_contact(card.contact(id, now_ms, ours))?,
        }
        self.insert_chat(chat);
        self.refresh_links(now_ms)?;
        let requests = invite.requests.public();
        self.add_out(now_ms, requests, OutWhat::Row(OutKind::Request { chat: id }), envelope)?;
        Ok(())
    }

    pub(super) fn new_inbox(&self, now_ms: u64) -> Result<OwnInbox, CommandError> {
        let now_s = now_ms / 1000;
        let mut inbox = self.bare_inbox()?;
        inbox
            .packages
            .push(self.new_package(true, now_s, now_s + INBOX_PACKAGE_SECONDS)?);
        Ok(inbox)
    }

    /// An inbox without key packages.
    pub(super) fn bare_inbox(&self) -> Result<OwnInbox, CommandError> {
        let (seal_private, seal_public) = self.crypto.hpke_key_pair(self.config.suite).map_err(internal)?;
        Ok(OwnInbox {
            topic: TopicSecret::from_bytes(self.crypto.random()),
            seal_private,
            seal_public,
            packages: Vec::new(),
        })
    }

    /// A stranger's request on one of our requests topics.
    pub(super) fn request_envelope(
        &mut self,
        now_ms: u64,
        card: TopicId,
        envelope: &Envelope,
    ) -> Result<Taken, RowsError> {
        let Some(invite) = self.invites.get(&card) else {
            return Ok(Taken::Refused(Refusal::NotHere));
        };
        let content = seal::open_with(
            &self.crypto,
            invite.suite,
            &invite.seal_private,
            Purpose::Request,
            envelope.topic(),
            envelope.body(),
        );
        // Whoever holds the invite can write junk here; it is dropped, and the bounds below hold for the rest.
        let Ok(content) = content else {
            return Ok(Taken::Yes);
        };
        let Ok(request) = Request::decode(&content) else {
            return Ok(Taken::Yes);
        };
        let account = request.details.log.account;
        let id = RequestId(envelope.id().0);
        if account == self.account() || self.requests.contains_key(&id) || invite.declined.contains(&id) {
            return Ok(Taken::Yes);
        }
        if invite.group.is_some() {
            return self.group_request(now_ms, card, id, &request, content);
        }
        if self.chats.contains_key(&request.chat) {
            return Ok(Taken::Yes);
        }
        // Nobody can ask in another's name, or for what can't be approved: the Welcome shows who made it.
        let invite = invite.clone();
        if self.join_request(now_ms, &invite, &request).is_err() {
            return Ok(Taken::Yes);
        }
        self.keep_request(
            now_ms,
            Asking {
                id,
                card,
                account,
                name: request.details.name,
                chat: None,
                content,
            },
        )
    }

    /// Keeps a request until the user decides.
    pub(super) fn keep_request(&mut self, now_ms: u64, asking: Asking) -> Result<Taken, RowsError> {
        let Asking {
            id,
            card,
            account,
            name,
            chat,
            content,
        } = asking;
        let from_invite = self.requests.values().filter(|known| known.invite == card).count();
        let before = self
            .requests
            .values()
            .find(|known| known.account == account && known.chat == chat)
            .map(|known| known.request);
        if before.is_none()
            && (self.requests.len() >= limits::REQUESTS_WAITING || from_invite >= limits::REQUESTS_PER_INVITE)
        {
            self.crowded.insert(card);
            return Ok(Taken::Refused(Refusal::Busy));
        }
        // Somebody who asks again means the new request.
        if let Some(before) = before {
            self.requests.remove(&before);
            self.step.batch.delete(Tree::Requests, before.0);
        }
        let row = RequestRow {
            request: id,
            invite: card,
            account,
            name,
            received_ms: now_ms,
            content,
            chat,
        };
        let bytes = encode(&row)?;
        self.put(Tree::Requests, row.request.0, bytes);
        self.event(&EventRow::Requested {
            request: row.request,
            account,
            name: row.name.clone(),
        });
        self.requests.insert(row.request, row);
        Ok(Taken::Yes)
    }

    pub(super) fn approve(&mut self, now_ms: u64, request: RequestId) -> Result<Reply, CommandError> {
        let Some(row) = self.requests.get(&request).cloned() else {
            return Err(CommandError::NotFound { field: "request" });
        };
        let asked = Request::decode(&row.content).map_err(internal)?;
        let Some(invite) = self.invites.get(&row.invite).cloned() else {
            return Err(CommandError::InviteExpired);
        };
        if invite.group.is_some() {
            return self.approve_guest(now_ms, &row, &asked);
        }
        if self.chats.contains_key(&asked.chat) {
            return Err(CommandError::NotFound { field: "request" });
        }
        let (joined, package) = self.join_request(now_ms, &invite, &asked)?;
        let last_resort = invite.packages.get(package).is_some_and(|own| own.package.last_resort);
        let account = asked.details.log.account;
        let mut chat_row = self.new_chat_row(now_ms, joined.topic.clone(), Some(account), &joined.group);
        chat_row.suite = invite.suite;
        chat_row.leaf_update_due = last_resort;
        let mut chat = Chat::new(asked.chat, chat_row, joined.group)?;
        chat.plant(now_ms, joined.topic);
        let our_inbox = match self.contacts.get(&account) {
            Some(contact) => contact.our_inbox.clone(),
            None => self.new_inbox(now_ms)?,
        };
        // Two who asked each other at once end in one chat, the lower id.
        let chosen = self
            .contacts
            .get(&account)
            .map_or(asked.chat, |contact| contact.chat.min(asked.chat));
        self.put_contact(ContactRow {
            account,
            name: asked.details.name.clone(),
            chat: chosen,
            since_ms: now_ms,
            log: asked.details.log.clone(),
            transports: asked.details.transports.clone(),
            devices: asked.details.devices.clone(),
            relays: asked.details.relays.clone(),
            suite: asked.details.suite,
            their_inbox: Some(asked.details.inbox.clone()),
            package: asked.details.packages.first().cloned(),
            our_inbox,
            told_by: None,
        })?;
        self.insert_chat(chat);
        self.requests.remove(&request);
        self.step.batch.delete(Tree::Requests, request.0);
        if !invite.multi_use {
            self.shut_door(row.invite);
        } else if package == 0 {
            self.rotate_package(now_ms, row.invite)?;
        }
        self.fetch_crowded();
        self.event(&EventRow::ContactAdded {
            account,
            chat: asked.chat,
            name: asked.details.name,
        });
        self.refresh_links(now_ms)?;
        self.send_details(now_ms, account, asked.chat)?;
        Ok(Reply::Chat(asked.chat))
    }

    /// Joins by a request's Welcome, and tells by the place of which package.
    fn join_request(&self, now_ms: u64, invite: &InviteRow, asked: &Request) -> Result<(Joined, usize), CommandError> {
        let mut refusal = ContactError::NoKeyPackage;
        let in_time = |own: &&OwnPackage| now_ms / 1000 < own.package.not_after_s;
        for (place, own) in invite.packages.iter().enumerate().filter(|(_, own)| in_time(own)) {
            let joined = match Group::join(&self.crypto, own.rows.clone(), &asked.welcome, asked.node) {
                Ok(joined) => joined,
                Err(error) => {
                    refusal = ContactError::Mls {
                        what: "join the chat",
                        reason: error.to_string(),
                    };
                    continue;
                }
            };
            let two = joined.group.members()?.len() == 2;
            let as_told = joined.inviter.account == asked.details.log.account && joined.group.chat()? == asked.chat;
            // A topic that we use already would be lost to its use.
            if !two || !as_told || self.topics.contains_key(&joined.topic.public()) {
                return Err(CommandError::Invite(ContactError::WrongIdentity {
                    what: "the Welcome",
                }));
            }
            return Ok((joined, place));
        }
        Err(CommandError::Invite(refusal))
    }

    /// There may be room for requests that were turned away.
    pub(super) fn fetch_crowded(&mut self) {
        for card in std::mem::take(&mut self.crowded) {
            if let Some(topic) = self.invites.get(&card).map(|invite| invite.invite.requests.public()) {
                self.fetch_again(topic);
            }
        }
    }

    /// The newest last-resort package was used: the card offers a fresh one from now on.
    fn rotate_package(&mut self, now_ms: u64, card: TopicId) -> Result<(), CommandError> {
        let Some(expires_s) = self.invites.get(&card).map(|invite| invite.expires_s) else {
            return Ok(());
        };
        let package = self.new_package(true, now_ms / 1000, expires_s)?;
        if let Some(invite) = self.invites.get_mut(&card) {
            invite.packages.insert(0, package);
            invite.packages.truncate(1 + OLD_PACKAGES);
        }
        self.publish_card(now_ms, card)
    }
}
