//! Letters on a chat's topic: wishes of members who lack a state, and the Welcomes that put them back. Whoever has the topic's secret can
//! write and read them, contact or not (`spec/chat.md`, section 12).

use super::Client;
use super::chats::Chat;
use super::divergence::MISLED;
use super::inbound::Taken;
use super::outbox::OutWhat;
use super::records::OutKind;
use super::told::NO_LEAF;
use crate::chat::{Letter, LetterContent};
use crate::custody::Refusal;
use crate::envelope::Envelope;
use crate::inbox::InboxMessage;
use crate::keys::{AccountId, ChatId, DeviceId, NodeId, TopicId, TopicSecret, derive};
use crate::limits;
use crate::rows::RowsError;

/// How a wish to be put back came, or what answers it.
#[derive(Clone, Copy)]
pub(super) enum AskedBy {
    /// By a contact's inbox.
    Inbox(AccountId),
    /// By a letter on a topic of the chat.
    Letter(TopicId),
}

impl AskedBy {
    /// The chat's topic on which it came.
    pub fn topic(self) -> Option<TopicId> {
        match self {
            Self::Letter(topic) => Some(topic),
            Self::Inbox(_) => None,
        }
    }
}

pub(super) fn fault(error: impl std::fmt::Display) -> RowsError {
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
    pub(super) fn write_letter_to(
        &mut self,
        now_ms: u64,
        chat: ChatId,
        topic: &TopicSecret,
        reader: Option<DeviceId>,
        (to, message): (Option<(DeviceId, NodeId)>, &[u8]),
    ) -> Result<(), RowsError> {
        if to.is_some_and(|(device, _)| device == self.device_in(&chat)) {
            self.drop_older_letters(now_ms, chat, topic.public());
        }
        let body = Letter::seal(&self.crypto, chat, topic, reader, message).map_err(fault)?;
        let envelope = Envelope::sign(topic, limits::CUSTODY_SECONDS, &body).map_err(fault)?;
        let what = OutWhat::Row(OutKind::Letter { chat, to });
        self.add_out(now_ms, envelope.topic(), what, envelope)
    }

    /// Nobody confirms a letter that isn't for one device: it gives way to a later one on its topic.
    fn drop_older_letters(&mut self, now_ms: u64, chat: ChatId, topic: TopicId) {
        let (own, wait_ms) = (self.device_in(&chat), self.config.rejoin_ms);
        self.drop_outs(|out| {
            let kept =
                matches!(&out.what, OutWhat::Row(OutKind::Letter { to: Some((device, _)), .. }) if *device == own);
            kept && out.topic == topic && out.sealed_ms.saturating_add(wait_ms) <= now_ms
        });
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
        self.pass_on_letter(now_ms, chat_id, topic, &content)?;
        let own = self.device_in(&chat_id);
        let for_us = content.to == Some(own);
        match content.message {
            InboxMessage::Rejoin(rejoin) if content.to.is_none() && rejoin.chat == chat_id => {
                self.rejoin_asked(now_ms, AskedBy::Letter(topic), &rejoin)?;
            }
            // Whoever still writes on this topic, or answers on it, is told that the others have gone on; or of two ways that of the other.
            InboxMessage::Leaf(told) if content.to.is_none() && told.chat == chat_id && told.leaf == NO_LEAF => {
                let Some(chat) = self.chats.get(&chat_id) else {
                    return Ok(Taken::Yes);
                };
                let here = topic == chat.row.topic.public() || chat.row.asked.iter().any(|(_, on)| *on == topic);
                let way = told.at.and_then(|at| chat.way_goes_before(&told.past, at));
                // Whoever is alone, or isn't followed by anybody, leaves nobody behind.
                let unfollowed = || told.at.is_some_and(|at| chat.is_unfollowed(own, &told.past, &at));
                let first = way.map(|first| first || chat.is_alone() || unfollowed());
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

    /// Two ways may share no topic, and know each other only by whom they have removed: it passes on the wishes of each to the other, and what
    /// answers them. They prove themselves.
    fn pass_on_letter(
        &mut self,
        now_ms: u64,
        chat_id: ChatId,
        from: TopicId,
        content: &LetterContent,
    ) -> Result<(), RowsError> {
        let (own, wait_ms) = (self.device_in(&chat_id), self.config.rejoin_ms);
        let Some(chat) = self.chats.get_mut(&chat_id).filter(|chat| chat.knows_two_ways()) else {
            return Ok(());
        };
        let (wish, topics) = match (content.to, &content.message) {
            (Some(to), _) if to != own => (None, chat.passed_for(&to)),
            (None, InboxMessage::Rejoin(rejoin)) if rejoin.chat == chat_id && rejoin.statement.device != own => {
                (Some(&rejoin.statement), chat.topics_to_ask_on(true))
            }
            _ => return Ok(()),
        };
        let message = content.message.encode();
        let id = derive("madang 1 passed letter", &[&message]);
        let proven = wish.is_none_or(|statement| statement.verify(chat_id).is_ok());
        if topics.is_empty() || !proven || !chat.passes_on(id, now_ms, wait_ms) {
            return Ok(());
        }
        if let Some(statement) = wish {
            chat.note_passed_for(statement.device, from);
        }
        // It is no wish of this device, and stays when that asks again.
        let until = Some((own, chat.group.node()));
        for topic in topics.iter().filter(|topic| topic.public() != from) {
            self.write_letter_to(now_ms, chat_id, topic, content.to, (until, &message))?;
        }
        Ok(())
    }

    /// A letter's message that was too large for it is here.
    pub(super) fn letter_blob(&mut self, now_ms: u64, chat_id: ChatId, content: &[u8]) -> Result<(), RowsError> {
        match InboxMessage::decode(content) {
            Ok(Some(InboxMessage::Welcome(welcome))) => self.put_back(now_ms, chat_id, None, &welcome),
            _ => Ok(()),
        }
    }
}

impl Chat {
    /// Whether a letter is passed on now, as it wasn't lately; so many in that time, at most.
    fn passes_on(&mut self, id: [u8; 32], now_ms: u64, wait_ms: u64) -> bool {
        self.passed_on.retain(|_, at_ms| now_ms.abs_diff(*at_ms) < wait_ms);
        self.passed_on.len() < limits::STATEMENTS && self.passed_on.insert(id, now_ms).is_none()
    }

    /// A wish of a device was passed on. What answers it goes to where it came from.
    fn note_passed_for(&mut self, device: DeviceId, from: TopicId) {
        if self.passed_for.len() >= limits::STATEMENTS {
            self.passed_for.clear();
        }
        self.passed_for.insert(device, from);
    }

    fn passed_for(&self, device: &DeviceId) -> Vec<TopicSecret> {
        let from = self.passed_for.get(device);
        from.and_then(|topic| self.topic_secret(topic))
            .cloned()
            .into_iter()
            .collect()
    }

    /// The secret of a topic that members may still write on.
    pub(super) fn topic_secret(&self, topic: &TopicId) -> Option<&TopicSecret> {
        let states = self.row.nodes.iter().map(|known| &known.topic);
        let old = self.row.old_topics.iter().filter_map(|old| old.secret.as_ref());
        let mut secrets = states.chain(old);
        secrets.find(|secret| secret.public() == *topic)
    }
}
