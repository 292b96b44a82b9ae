//! Invite links of groups: making and revoking them, and letting guests in (`spec/contact.md`, section 6).

use super::Client;
use super::contacts::Asking;
use super::inbound::Taken;
use super::io::{CommandError, Reply};
use super::outbox::OutWhat;
use super::records::{About, DoorRow, Guest, Intent, IntentRow, InviteRow, OutKind, Reach, RequestRow};
use crate::chat::ChatKind;
use crate::contact::{CardKey, Invite, InvitedGroup, Request};
use crate::custody::Refusal;
use crate::envelope::Envelope;
use crate::keys::{ChatId, NodeId, RequestId, TopicId, TopicSecret};
use crate::limits;
use crate::rows::RowsError;
use crate::seal::{self, Purpose};

/// Milliseconds that guests wait for others, so that those who come at once are added by one commit (guess: a few round trips).
const GUESTS_WAIT_MS: u64 = 1_000;

fn fault(error: impl std::fmt::Display) -> RowsError {
    RowsError {
        reason: error.to_string(),
    }
}

impl Client {
    /// Makes an invite link of a group.
    pub(super) fn invite_to_group(
        &mut self,
        now_ms: u64,
        chat_id: ChatId,
        approval: bool,
        expires_in_s: Option<u64>,
        max_uses: Option<u32>,
    ) -> Result<Reply, CommandError> {
        self.invites_left()?;
        let own = self.account();
        let Some(chat) = self.chats.get(&chat_id) else {
            return Err(CommandError::NotFound { field: "chat" });
        };
        if chat.row.context.kind != ChatKind::Group {
            return Err(CommandError::Invalid {
                field: "chat",
                reason: "it is not a group",
            });
        }
        if !chat.is_member() || chat.row.context.rank(&own).is_none() {
            return Err(CommandError::NotAllowed {
                reason: "only admins of a group invite to it",
            });
        }
        let most = limits::GROUP_MEMBERS as u32;
        let max_uses = max_uses.unwrap_or(most);
        if max_uses == 0 || max_uses > most {
            return Err(CommandError::Invalid {
                field: "max_uses",
                reason: "must be from 1 to 1,000",
            });
        }
        let (suite, name) = (chat.row.suite, chat.row.context.name.clone());
        let now_s = now_ms / 1000;
        let usual = limits::MULTI_USE_INVITE_SECONDS;
        let expires_s = now_s.saturating_add(expires_in_s.unwrap_or(usual).min(limits::INVITE_SECONDS_MAX));
        let card = TopicSecret::from_bytes(self.crypto.random());
        let card_key = CardKey(self.crypto.random());
        let (seal_private, seal_public) = self.crypto.hpke_key_pair(suite).map_err(fault)?;
        let invite = Invite {
            account: own,
            card: card.public(),
            card_key: card_key.clone(),
            requests: TopicSecret::from_bytes(self.crypto.random()),
            relays: self.settings.relays.clone(),
            devices: vec![self.own_address()],
            name: self.settings.name.clone(),
            expires_s,
            group: Some(InvitedGroup { chat: chat_id, name }),
        };
        let link = invite.to_link();
        let topic = card.public();
        self.open_door(InviteRow {
            invite,
            card,
            card_key,
            suite,
            seal_private,
            seal_public,
            multi_use: true,
            // A guest of a group adds nobody.
            packages: Vec::new(),
            number: 0,
            expires_s,
            group: Some(DoorRow {
                approval,
                max_uses,
                let_in: Vec::new(),
            }),
            declined: Vec::new(),
        });
        self.publish_card(now_ms, topic)?;
        self.refresh_links(now_ms)?;
        Ok(Reply::Invited { link, expires_s })
    }

    /// Takes an invite link back: its topics aren't read any more, and who asked by it isn't let in.
    pub(super) fn revoke_invite(&mut self, now_ms: u64, link: &str) -> Result<Reply, CommandError> {
        let invite = Invite::from_link(link).map_err(CommandError::Invite)?;
        let own = self.invites.get(&invite.card);
        if own.is_none_or(|own| own.invite.group.is_none()) {
            return Err(CommandError::NotFound { field: "invite" });
        }
        self.shut_door(invite.card);
        self.refresh_links(now_ms)?;
        Ok(Reply::Done)
    }

    /// Shuts the doors to a group of whoever may not let anybody in any more.
    pub(super) fn shut_stale_doors(&mut self, chat_id: ChatId) {
        let own = self.account();
        let may = self
            .chats
            .get(&chat_id)
            .is_some_and(|chat| chat.is_member() && chat.row.context.rank(&own).is_some());
        if may {
            return;
        }
        let leads = |invite: &&InviteRow| invite.invite.group.as_ref().is_some_and(|group| group.chat == chat_id);
        let stale: Vec<TopicId> = self
            .invites
            .values()
            .filter(leads)
            .map(|invite| invite.card.public())
            .collect();
        for card in stale {
            self.shut_door(card);
        }
    }

    /// A guest asks to be let into a group.
    pub(super) fn group_request(
        &mut self,
        now_ms: u64,
        card: TopicId,
        id: RequestId,
        request: &Request,
        content: Vec<u8>,
    ) -> Result<Taken, RowsError> {
        let account = request.details.log.account;
        let Some(door) = self.invites.get(&card).and_then(|invite| invite.group.as_ref()) else {
            return Ok(Taken::Refused(Refusal::NotHere));
        };
        // Who was let in once and isn't a member any more was removed: only the user lets it in again.
        let by_itself = !door.approval && !door.let_in.contains(&account);
        if !self.is_fit(now_ms, card, request) {
            return Ok(Taken::Yes);
        }
        if !by_itself {
            let asking = Asking {
                id,
                card,
                account,
                name: request.details.name.clone(),
                chat: Some(request.chat),
                content,
            };
            return self.keep_request(now_ms, asking);
        }
        let waiting = self.chats.get(&request.chat).map_or(0, |chat| {
            let guests = chat.row.intents.iter();
            guests
                .filter(|intent| matches!(intent.change, Intent::Guest(_)))
                .count()
        });
        if waiting >= limits::REQUESTS_PER_INVITE {
            self.crowded.insert(card);
            return Ok(Taken::Refused(Refusal::Busy));
        }
        self.forget_request(card, id)?;
        self.let_in(now_ms, card, request)?;
        self.refresh_links(now_ms)?;
        Ok(Taken::Yes)
    }

    /// Whether what a guest asks for can be done: it isn't a member, and its key package is its own and fits the group.
    fn is_fit(&self, now_ms: u64, card: TopicId, request: &Request) -> bool {
        let leads = self.invites.get(&card).and_then(|invite| invite.invite.group.as_ref());
        let Some(chat) = self.chats.get(&request.chat) else {
            return false;
        };
        let account = request.details.log.account;
        let its = leads.is_some_and(|group| group.chat == request.chat);
        let package = request.details.packages.first();
        let now_s = now_ms / 1000;
        let fits = package.is_some_and(|package| {
            let in_time = package.not_before_s <= now_s && now_s < package.not_after_s;
            let owner = chat.group.package_owner(&self.crypto, package);
            in_time && owner.is_ok_and(|owner| owner.account == account)
        });
        its && fits && chat.is_member() && !chat.row.accounts.contains(&account) && account != self.account()
    }

    /// Wants a guest in the group; counts it, and shuts the door behind the last one.
    fn let_in(&mut self, now_ms: u64, card: TopicId, request: &Request) -> Result<(), RowsError> {
        let details = &request.details;
        let account = details.log.account;
        let Some(package) = details.packages.first().cloned() else {
            return Ok(());
        };
        let until_ms = now_ms.saturating_add(u64::from(limits::CUSTODY_SECONDS) * 1000);
        let guest = Guest {
            account,
            package,
            inbox: details.inbox.clone(),
            suite: details.suite,
            to: Reach::new(details.relays.clone(), &details.devices, &details.transports, until_ms),
        };
        if let Some(chat) = self.chats.get_mut(&request.chat) {
            let same = |intent: &IntentRow| matches!(&intent.change, Intent::Guest(known) if known.account == account);
            chat.row.intents.retain(|intent| !same(intent));
            chat.row.intents.push(IntentRow {
                change: Intent::Guest(Box::new(guest)),
                node: None,
            });
            let due_ms = now_ms.saturating_add(GUESTS_WAIT_MS);
            chat.retry_ms = Some(chat.retry_ms.map_or(due_ms, |known| known.min(due_ms)));
            chat.row_dirty = true;
            self.dirty.chats.insert(request.chat);
        }
        let Some(mut invite) = self.invites.get(&card).cloned() else {
            return Ok(());
        };
        let Some(door) = &mut invite.group else {
            return Ok(());
        };
        if !door.let_in.contains(&account) {
            door.let_in.push(account);
        }
        if door.let_in.len() >= door.max_uses as usize {
            self.shut_door(card);
            return Ok(());
        }
        self.put_invite(&invite)?;
        self.invites.insert(card, invite);
        Ok(())
    }

    /// The user lets a guest in.
    pub(super) fn approve_guest(
        &mut self,
        now_ms: u64,
        row: &RequestRow,
        asked: &Request,
    ) -> Result<Reply, CommandError> {
        let may = self
            .chats
            .get(&asked.chat)
            .is_some_and(|chat| chat.is_member() && chat.row.context.rank(&self.account()).is_some());
        if !may {
            return Err(CommandError::NotAllowed {
                reason: "only admins of a group let others in",
            });
        }
        self.requests.remove(&row.request);
        self.step.batch.delete(crate::rows::Tree::Requests, row.request.0);
        self.forget_request(row.invite, row.request)?;
        // Another admin may have been faster.
        if self.is_fit(now_ms, row.invite, asked) {
            self.let_in(now_ms, row.invite, asked)?;
        }
        self.fetch_crowded();
        self.refresh_links(now_ms)?;
        Ok(Reply::Chat(asked.chat))
    }

    /// Remembers a request that is decided: a relay that lost its past may bring it again.
    pub(super) fn forget_request(&mut self, card: TopicId, id: RequestId) -> Result<(), RowsError> {
        let Some(mut invite) = self.invites.get(&card).cloned() else {
            return Ok(());
        };
        invite.declined.push(id);
        if invite.declined.len() > limits::DECIDED_PER_INVITE {
            invite.declined.remove(0);
        }
        self.put_invite(&invite)?;
        self.invites.insert(card, invite);
        Ok(())
    }

    /// Sends a Welcome to a guest, at the addresses that it told.
    pub(super) fn welcome_guest(
        &mut self,
        now_ms: u64,
        chat: ChatId,
        node: NodeId,
        guest: &Guest,
        message: &[u8],
    ) -> Result<(), RowsError> {
        let topic = guest.inbox.topic.public();
        let sealed = seal::seal_to(
            &self.crypto,
            guest.suite,
            &guest.inbox.seal_key,
            Purpose::Inbox,
            topic,
            message,
        )
        .map_err(fault)?;
        let envelope = Envelope::sign(&guest.inbox.topic, limits::CUSTODY_SECONDS, &sealed).map_err(fault)?;
        let about = About::Welcome {
            chat,
            account: guest.account,
            node,
        };
        let to = guest.to.clone();
        let what = OutWhat::Row(OutKind::Stranger { about, to });
        self.add_out(now_ms, topic, what, envelope)?;
        self.refresh_links(now_ms)
    }
}
