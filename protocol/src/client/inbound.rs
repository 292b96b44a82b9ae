//! Envelopes from wherever they come: one path for gossip, relays, devices and our own pending rows.

use super::chats::Chat;
use super::inboxes::Ours;
use super::io::{Effect, Verdict};
use super::{Client, TopicUse};
use crate::chat::{GroupError, Header, Letter, Mark, Member};
use crate::custody::Refusal;
use crate::envelope::Envelope;
use crate::keys::{ChatId, NodeId, TransportKey};
use crate::message::{Body, Durable, Inner, StreamId, extensions, repair};
use crate::rows::RowsError;
use crate::wire::Wire;

/// What became of an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// Stored, used, or known to be of no use: whoever has it may let go.
    Yes,
    /// It came before.
    Repeat,
    /// Not admissible, or not for us.
    Refused(Refusal),
}

impl Client {
    /// Takes one envelope.
    pub(super) fn receive(&mut self, now_ms: u64, bytes: &[u8]) -> Result<Taken, RowsError> {
        let Ok((topic, id)) = Envelope::peek(bytes) else {
            return Ok(Taken::Refused(Refusal::Invalid));
        };
        let Some(usage) = self.topics.get(&topic).copied() else {
            return Ok(Taken::Refused(Refusal::NotHere));
        };
        // A card is read again by whoever accepts its invite again.
        if self.recent.contains(&id) && usage != TopicUse::Card {
            if let TopicUse::Chat(chat) = usage {
                self.seen_again(now_ms, chat, id);
            }
            return Ok(Taken::Repeat);
        }
        let Ok(envelope) = Envelope::verify(bytes) else {
            return Ok(Taken::Refused(Refusal::Invalid));
        };
        // A channel's envelope has no place on another topic, nor a chat's on a channel's.
        if envelope.authority().is_some() != matches!(usage, TopicUse::Channel(_)) {
            return Ok(Taken::Refused(Refusal::Invalid));
        }
        let taken = match usage {
            TopicUse::Chat(chat) => self.chat_envelope(now_ms, chat, &envelope)?,
            TopicUse::Requests(invite) => self.request_envelope(now_ms, invite, &envelope)?,
            TopicUse::Card => self.card_envelope(now_ms, &envelope)?,
            TopicUse::Inbox(account) => self.inbox_envelope(now_ms, Ours::Contact(account), &envelope)?,
            TopicUse::Alias(chat) => self.inbox_envelope(now_ms, Ours::Alias(chat), &envelope)?,
            TopicUse::Guest(card) => self.guest_envelope(now_ms, card, &envelope)?,
            TopicUse::Channel(_) => {
                self.channel_envelope(&envelope);
                Taken::Yes
            }
            TopicUse::Ballots => self.ballot_envelope(now_ms, &envelope),
            // Our own card come back.
            TopicUse::OwnCard => Taken::Yes,
        };
        if taken == Taken::Yes {
            self.recent.insert(id);
        }
        Ok(taken)
    }

    /// An envelope by gossip.
    pub(super) fn gossiped(
        &mut self,
        now_ms: u64,
        peer: TransportKey,
        id: [u8; 16],
        bytes: &[u8],
    ) -> Result<(), RowsError> {
        if let Ok((topic, envelope)) = Envelope::peek(bytes)
            && matches!(self.topics.get(&topic), Some(TopicUse::Channel(_)))
        {
            self.channel_gossiped(now_ms, peer, id, (envelope, bytes));
            return Ok(());
        }
        // Whoever gossips on an alias's topic wants to know whether it is this node's.
        let quiet = Envelope::peek(bytes).is_ok_and(|(topic, _)| self.is_quiet(&topic));
        let taken = if quiet {
            Taken::Refused(Refusal::NotHere)
        } else {
            self.receive(now_ms, bytes)?
        };
        let verdict = match taken {
            Taken::Yes => Verdict::Accept,
            // A repeat is known by its id, which says nothing about this copy's signature.
            Taken::Repeat if Envelope::verify(bytes).is_ok() => Verdict::Accept,
            Taken::Repeat => Verdict::Reject,
            Taken::Refused(Refusal::Invalid) => Verdict::Reject,
            Taken::Refused(_) => Verdict::Ignore,
        };
        self.step.effects.push(Effect::Verdict { peer, id, verdict });
        Ok(())
    }

    pub(super) fn chat_envelope(
        &mut self,
        now_ms: u64,
        chat_id: ChatId,
        envelope: &Envelope,
    ) -> Result<Taken, RowsError> {
        match Letter::read(envelope.body()) {
            None => {}
            Some(Ok(letter)) => return self.letter_envelope(now_ms, chat_id, envelope, &letter),
            Some(Err(_)) => return Ok(Taken::Refused(Refusal::Invalid)),
        }
        let Ok(header) = Header::read(envelope.body()) else {
            return Ok(Taken::Refused(Refusal::Invalid));
        };
        if header.chat != chat_id {
            return Ok(Taken::Refused(Refusal::Invalid));
        }
        if !self.chats.contains_key(&chat_id) {
            return Ok(Taken::Refused(Refusal::NotHere));
        }
        let own = header.mark.is_some_and(|mark| self.look_at(now_ms, chat_id, &mark));
        if !own {
            self.note_elsewhere(now_ms, chat_id, envelope.topic(), &header)?;
        }
        if header.commit {
            let newest = |chat: Option<&Chat>| chat?.row.nodes.last().map(|state| state.node);
            let before = newest(self.chats.get(&chat_id));
            let taken = self.commit(now_ms, chat_id, &header, envelope)?;
            if newest(self.chats.get(&chat_id)) != before {
                self.pass_on(now_ms, chat_id, envelope, None);
            }
            return Ok(taken);
        }
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return Ok(Taken::Refused(Refusal::NotHere));
        };
        let (crypto, hopeless) = (&self.crypto, chat.is_hopeless(&header));
        let Some(state) = chat.state(header.node) else {
            if hopeless {
                // A state that is gone, or that this device isn't in: its sender seals the message again.
                return Ok(Taken::Yes);
            }
            return Ok(self.keep_pending(chat_id, header.node, envelope));
        };
        let opened = state.open(crypto, envelope.body());
        let node = state.node();
        self.dirty.chats.insert(chat_id);
        match opened {
            Ok(opened) => {
                self.note_heard(chat_id, node, opened.member.device);
                if let Some(run) = self.inner(now_ms, chat_id, &opened.member, (node, header.mark), &opened.inner)? {
                    self.pass_on(now_ms, chat_id, envelope, Some(run));
                }
                Ok(Taken::Yes)
            }
            // Sealed by us, replayed, or tampered with by a member: nothing to keep.
            Err(error) => {
                if matches!(error, GroupError::Unreadable) && !own {
                    self.note_unopened(now_ms, chat_id, node);
                }
                Ok(Taken::Yes)
            }
        }
    }

    /// Takes what a member sealed. Gives whose messages it holds, if some of them are new: stream, first, last.
    fn inner(
        &mut self,
        now_ms: u64,
        chat_id: ChatId,
        member: &Member,
        (node, mark): (NodeId, Option<Mark>),
        bytes: &[u8],
    ) -> Result<Option<(StreamId, u64, u64)>, RowsError> {
        // A later version's message can't be read; one whose author isn't its leaf's device is a forgery (FAULTS 5, 46).
        let Ok(inner) = Inner::decode(bytes) else {
            return Ok(None);
        };
        if inner.stream.device != member.device {
            return Ok(None);
        }
        if let Some(chat) = self.chats.get_mut(&chat_id) {
            chat.speaks.insert(member.device, inner.stream.incarnation);
        }
        self.ask_if_unknown(now_ms, chat_id);
        if let Some(told) = repair::own_stream(&inner.extensions) {
            self.own_told(now_ms, chat_id, member, inner.stream, &told);
        }
        self.spare_refuted(chat_id, member.account, node)?;
        self.tell_gone(now_ms, chat_id, member, node)?;
        self.learn(now_ms, chat_id, member, node, mark, &inner.frontiers)?;
        self.helped(chat_id, member, &inner.frontiers);
        self.claims(now_ms, chat_id, member, &inner.frontiers);
        if let Some(wanted) = repair::wanted(&inner.extensions) {
            self.asked(now_ms, chat_id, member, wanted, repair::turn(bytes));
        }
        if let Some(summary) = extensions::state_of(&inner.extensions) {
            self.compare_state(now_ms, chat_id, member, node, summary);
        }
        if let Some(active) = extensions::typing_of(&inner.extensions) {
            self.types(now_ms, chat_id, member, active)?;
        }
        if member.account != self.account_in(&chat_id) {
            self.heard(now_ms, chat_id)?;
        }
        let sequences = || inner.messages.iter().map(|message| message.sequence);
        let run = sequences().min().zip(sequences().max());
        let mut new = false;
        for message in inner.messages {
            new |= self.numbered(now_ms, chat_id, member, inner.stream, message)?;
        }
        Ok(run.filter(|_| new).map(|(first, last)| (inner.stream, first, last)))
    }

    /// Takes a message; true if it is new.
    fn numbered(
        &mut self,
        now_ms: u64,
        chat_id: ChatId,
        member: &Member,
        stream: StreamId,
        durable: Durable,
    ) -> Result<bool, RowsError> {
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return Ok(false);
        };
        // Nobody joins so often: a member that makes up streams can't fill the memory with them.
        chat.make_room(&stream);
        let row = chat.stream_row(stream, durable.sequence);
        let before = row.received.max();
        let new = row.received.insert(durable.sequence);
        row.heard_ms = now_ms;
        chat.telling.changed(stream);
        chat.streams_dirty.insert(stream);
        if !new {
            self.check_repeat(chat_id, member, stream, &durable);
            // Its sender hasn't heard of the first: tell again.
            self.owe_repeat(now_ms, chat_id);
            return Ok(false);
        }
        self.gap_arrived(now_ms, chat_id, member, stream, &durable, before);
        self.owe_report(now_ms, chat_id);
        if let Body::Wish(asked) = &durable.body {
            let asked = asked.clone();
            self.note_wish(now_ms, chat_id, &asked);
        }
        let (mut contact, mut profile) = (None, None);
        match &durable.body {
            Body::Contact(bytes) => contact = Some(bytes.clone()),
            Body::Profile(bytes) => profile = Some(bytes.clone()),
            _ => {}
        }
        let place = (stream, durable.sequence);
        self.store_received(now_ms, chat_id, member, stream, durable)?;
        if let Some(profile) = profile {
            self.profile_told(chat_id, member.device, &profile)?;
        }
        if let Some(details) = contact {
            self.contact_details(now_ms, chat_id, member.account, place, &details)?;
        }
        Ok(true)
    }
}
