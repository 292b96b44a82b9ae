//! Sending: idempotency keys, numbers, and the way into the outbox.

use super::io::{CommandError, Reply};
use super::kinds::Content;
use super::records::{AuthorRow, IdempotencyRow, MessageRow, decode, encode_small, key};
use super::{Client, EventRow};
use crate::keys::{ChatId, MessageId, derive};
use crate::limits;
use crate::message::{Body, Durable, extensions};
use crate::rows::{Rows, RowsError, Tree, prefix_end};
use std::collections::{BTreeMap, VecDeque};

/// Old idempotency keys that each new one looks at.
const PRUNED_KEYS: usize = 4;
/// Idempotency keys that may not be on disk yet: more than the steps in flight can hold.
const FRESH_KEYS: usize = 8192;
/// Ranges of own messages that people don't see, which a chat remembers so as not to tell of their delivery (guess).
const HIDDEN_RANGES: usize = 64;

/// Idempotency keys of steps that may not be committed yet.
#[derive(Default)]
pub(super) struct FreshKeys {
    order: VecDeque<Vec<u8>>,
    rows: BTreeMap<Vec<u8>, IdempotencyRow>,
    pruned_to: Vec<u8>,
}

impl FreshKeys {
    pub fn get(&self, stored: &[u8]) -> Option<IdempotencyRow> {
        self.rows.get(stored).cloned()
    }

    /// Where the look at old keys goes on.
    pub fn pruned_to(&self) -> &[u8] {
        &self.pruned_to
    }

    pub fn set_pruned_to(&mut self, next: Vec<u8>) {
        self.pruned_to = next;
    }

    pub fn insert(&mut self, stored: Vec<u8>, row: IdempotencyRow) {
        self.order.push_back(stored.clone());
        self.rows.insert(stored, row);
        if self.order.len() > FRESH_KEYS
            && let Some(oldest) = self.order.pop_front()
        {
            self.rows.remove(&oldest);
        }
    }
}

/// An idempotency key, and what is made under it.
pub(super) struct RepeatKey {
    key: String,
    content: [u8; 32],
}

impl RepeatKey {
    /// For what is made of these parts.
    pub fn of(key: String, parts: &[&[u8]]) -> Self {
        Self {
            key,
            content: derive("madang 1 idempotent content", parts),
        }
    }
}

/// The id of what was to be made once.
pub(super) enum Once {
    /// It is new.
    Made([u8; 32]),
    /// The key was used for the same before.
    Repeated([u8; 32]),
}

impl Client {
    pub(super) fn send_content(
        &mut self,
        now_ms: u64,
        chat: ChatId,
        content: Content,
        idempotency_key: Option<String>,
        rows: &dyn Rows,
    ) -> Result<Reply, CommandError> {
        if !self.chats.contains_key(&chat) {
            return Err(if self.awaits(&chat) {
                CommandError::NotAllowed {
                    reason: "the group has not let this account in yet",
                }
            } else {
                CommandError::NotFound { field: "chat" }
            });
        }
        let (mut body, fallback) = content.into_parts(|files| self.attachments(&chat, files))?;
        if let Some(named) = body.named() {
            let now = self.current_id(&chat, named, rows)?;
            body.rename(|_| Some(now));
        }
        let kind = body.kind().to_be_bytes();
        let repeat =
            idempotency_key.map(|key| RepeatKey::of(key, &[&chat.0, &kind, fallback.as_bytes(), &body.bytes()]));
        let sent = self.once(now_ms, repeat, rows, |client| {
            client.check_target(&chat, &body, rows)?;
            Ok(client.send_with(now_ms, chat, body, fallback)?.0)
        })?;
        Ok(match sent {
            Once::Made(id) => Reply::Sent(MessageId(id)),
            Once::Repeated(id) => Reply::Repeated(MessageId(id)),
        })
    }

    /// Makes something that has an id, unless it was made before under the same key.
    pub(super) fn once(
        &mut self,
        now_ms: u64,
        repeat: Option<RepeatKey>,
        rows: &dyn Rows,
        make: impl FnOnce(&mut Self) -> Result<[u8; 32], CommandError>,
    ) -> Result<Once, CommandError> {
        let Some(RepeatKey { key, content }) = repeat else {
            return make(self).map(Once::Made);
        };
        if key.len() > limits::IDEMPOTENCY_KEY_BYTES {
            return Err(CommandError::TooLarge {
                field: "idempotency_key",
                found: key.len(),
                limit: limits::IDEMPOTENCY_KEY_BYTES,
            });
        }
        let stored = key::idempotency(&key);
        let known = match self.fresh_keys.get(&stored) {
            Some(row) => Some(row),
            None => rows
                .get(Tree::Idempotency, &stored)?
                .map(|bytes| decode::<IdempotencyRow>(&bytes))
                .transpose()?,
        };
        if let Some(known) = known.filter(|known| now_ms.saturating_sub(known.at_ms) < limits::IDEMPOTENCY_MS) {
            if known.content != content {
                return Err(CommandError::IdempotencyConflict);
            }
            return Ok(Once::Repeated(known.made));
        }
        let made = make(self)?;
        let row = IdempotencyRow {
            content,
            made,
            at_ms: now_ms,
        };
        let bytes = encode_small(&row)?;
        self.put(Tree::Idempotency, stored.clone(), bytes);
        self.fresh_keys.insert(stored, row);
        self.prune_keys(now_ms, rows)?;
        Ok(Once::Made(made))
    }

    /// Forgets idempotency keys that are past their time: each new key looks at a few old ones, round and round, so that the tree stays
    /// below a small multiple of a week's keys.
    fn prune_keys(&mut self, now_ms: u64, rows: &dyn Rows) -> Result<(), RowsError> {
        let from = self.fresh_keys.pruned_to();
        let looked_at = rows.range(Tree::Idempotency, from, &prefix_end(&[]), PRUNED_KEYS, false)?;
        let next = match looked_at.last() {
            Some((stored, _)) if looked_at.len() == PRUNED_KEYS => [stored.as_slice(), &[0]].concat(),
            _ => Vec::new(),
        };
        self.fresh_keys.set_pruned_to(next);
        for (stored, value) in looked_at {
            let row: IdempotencyRow = decode(&value)?;
            if now_ms.saturating_sub(row.at_ms) >= limits::IDEMPOTENCY_MS && self.fresh_keys.get(&stored).is_none() {
                self.step.batch.delete(Tree::Idempotency, stored);
            }
        }
        Ok(())
    }

    pub(super) fn outbox_full(&self) -> bool {
        self.out_messages >= limits::OUTBOX_ITEMS || self.out_bytes >= limits::OUTBOX_BYTES
    }

    /// Sends a body that needs no fallback.
    pub(super) fn send_body(&mut self, now_ms: u64, chat_id: ChatId, body: Body) -> Result<MessageId, CommandError> {
        self.send_with(now_ms, chat_id, body, String::new())
    }

    /// Numbers a message, stores it, and puts it in the outbox.
    fn send_with(
        &mut self,
        now_ms: u64,
        chat_id: ChatId,
        body: Body,
        fallback: String,
    ) -> Result<MessageId, CommandError> {
        if self.outbox_full() {
            return Err(CommandError::Limit {
                what: "messages that wait to be delivered",
                limit: limits::OUTBOX_ITEMS,
            });
        }
        let (own, account) = (self.device_in(&chat_id), self.account_in(&chat_id));
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return Err(CommandError::NotFound { field: "chat" });
        };
        if !chat.is_member() {
            return Err(CommandError::NotAllowed {
                reason: "this account is no member of the chat any more",
            });
        }
        let expires = if matches!(body, Body::Contact(_) | Body::Wish(_) | Body::Profile(_)) {
            Vec::new()
        } else {
            extensions::expiring(chat.timer_s())
        };
        chat.head.last_ms = now_ms;
        let Some((id, durable)) = self.numbered_next(chat_id, body, fallback, now_ms, expires) else {
            return Err(CommandError::NotFound { field: "chat" });
        };
        if !durable.body.shown() {
            self.hide(chat_id, &durable);
            self.note_effect(now_ms, chat_id, account, id, durable.clone());
        } else if let Some(chat) = self.chats.get_mut(&chat_id) {
            let clock = durable.clock;
            let row = MessageRow {
                author: chat.author(AuthorRow {
                    stream: chat.stream(own),
                    account,
                    own: true,
                }),
                sequence: durable.sequence,
                received_ms: now_ms,
                body: durable.body.clone(),
                fallback: durable.fallback.clone(),
                extensions: durable.extensions.clone(),
                touched: false,
                deleted: false,
            };
            self.put_message(&chat_id, id, clock, now_ms, &row)?;
            self.event(&EventRow::MessageSent { message: id });
        }
        self.attach_files(now_ms, chat_id, &durable.body.attachments())?;
        self.queue_message(now_ms, chat_id, durable);
        Ok(id)
    }

    /// Gives a message the next number of this device's stream, and its place among what is known of the chat.
    pub(super) fn numbered_next(
        &mut self,
        chat_id: ChatId,
        body: Body,
        fallback: String,
        sent_ms: u64,
        extensions: Vec<u8>,
    ) -> Option<(MessageId, Durable)> {
        // Before the first input there is no time yet: it is looked after with what is loaded.
        let nudge_ms = self.last_ms.checked_add(self.config.nudge_ms).unwrap_or(0);
        let own = self.device_in(&chat_id);
        let chat = self.chats.get_mut(&chat_id)?;
        let stream = chat.stream(own);
        let sequence = chat.head.sequence + 1;
        let id = stream.message(sequence);
        let durable = Durable {
            sequence,
            previous: chat.head.previous,
            parents: chat.head.heads.clone(),
            clock: chat.head.clock.saturating_add(1),
            sent_ms,
            fallback,
            body,
            extensions,
        };
        chat.head.sequence = sequence;
        chat.head.previous = durable.hash(&stream);
        let parents = chat.head.heads.clone();
        chat.observe(id, &parents, durable.clock);
        chat.nudge_ms.get_or_insert(nudge_ms);
        self.dirty.chats.insert(chat_id);
        Some((id, durable))
    }

    /// Remembers that people don't see a message of ours.
    pub(super) fn hide(&mut self, chat_id: ChatId, durable: &Durable) {
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return;
        };
        chat.row.hidden.insert(durable.sequence);
        if durable.body.target().is_some() {
            // There may be many of these, and forgetting one costs an event that is about nothing: not worth a row each time.
            chat.row.hidden = chat.row.hidden.newest(HIDDEN_RANGES);
        } else {
            chat.row_dirty = true;
        }
    }
}
