//! What is erased in its time: messages that disappear, and what was done to messages that never came.
//!
//! | entry of the tree | then | value |
//! |---|---|---|
//! | 1, due (8), a message's key | the message is erased | seconds |
//! | 2, a message's key | its time begins when it is read | seconds |
//! | 3, due (8), chat, half a message id | what was done to that message is erased | |
//!
//! An author's time begins when it sends, another's when it has read. Each step erases a few; the timer asks for the next.

use super::records::{MessageRow, decode, key};
use super::{Client, EventRow, array};
use crate::keys::{ChatId, MessageId};
use crate::limits;
use crate::message::extensions;
use crate::rows::{Rows, RowsError, Tree, prefix_end};
use std::collections::{BTreeMap, BTreeSet};

const DUE: u8 = 1;
const UNREAD: u8 = 2;
const EARLY: u8 = 3;
/// Bytes of an entry before what it is about: its kind and its time.
const HEAD: usize = 1 + 8;

/// The half of a message's id that stands in keys.
pub(super) type Short = [u8; 16];

/// What is known of the entries without reading them.
#[derive(Default)]
pub(super) struct Expiry {
    /// When the next message is due.
    due_ms: Option<u64>,
    /// Messages that aren't here and to which something was done, and until when that is kept.
    early: BTreeMap<(ChatId, Short), u64>,
    early_due: BTreeSet<(u64, ChatId, Short)>,
    /// Ranges of entries that are still to be looked through: read messages, or what is due after the clock was turned back.
    sweeps: BTreeMap<Vec<u8>, Vec<u8>>,
}

pub(super) fn short(id: &MessageId) -> Short {
    id.0.first_chunk().copied().unwrap_or_default()
}

fn due_key(due_ms: u64, stored: &[u8]) -> Vec<u8> {
    [&[DUE][..], &due_ms.to_be_bytes(), stored].concat()
}

fn early_key(due_ms: u64, chat: &ChatId, target: &Short) -> Vec<u8> {
    [&[EARLY][..], &due_ms.to_be_bytes(), &chat.0, target].concat()
}

fn time_of(entry: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(entry.get(1..HEAD)?.try_into().ok()?))
}

fn wait_ms(value: &[u8]) -> u64 {
    value
        .try_into()
        .map_or(0, |bytes| u64::from(u32::from_be_bytes(bytes)) * 1000)
}

impl Expiry {
    pub fn load(rows: &dyn Rows) -> Result<Self, RowsError> {
        let mut expiry = Self::default();
        let first = rows.prefix(Tree::Expiry, &[DUE], 1)?;
        expiry.due_ms = first.first().and_then(|(entry, _)| time_of(entry));
        if !rows.prefix(Tree::Expiry, &[UNREAD], 1)?.is_empty() {
            // What was read just before the end may not have been looked through.
            expiry.sweep(&[UNREAD], prefix_end(&[UNREAD]));
        }
        for (entry, _) in rows.prefix(Tree::Expiry, &[EARLY], usize::MAX)? {
            let target = entry.get(HEAD + 32..).and_then(|bytes| bytes.try_into().ok());
            if let (Some(due_ms), Some(chat), Some(target)) = (time_of(&entry), array(&entry, HEAD), target) {
                expiry.early.insert((ChatId(chat), target), due_ms);
                expiry.early_due.insert((due_ms, ChatId(chat), target));
            }
        }
        Ok(expiry)
    }

    /// Has entries looked through.
    fn sweep(&mut self, from: &[u8], to: Vec<u8>) {
        let known = self.sweeps.entry(from.to_vec()).or_default();
        *known = to.max(std::mem::take(known));
    }

    /// The clock was turned back: what waits for a time that was never real waits for its time from now on.
    pub fn clock_turned(&mut self) {
        if self.due_ms.is_some() {
            self.sweep(&[DUE], prefix_end(&[DUE]));
        }
    }

    /// When there is something to erase or to look through.
    pub fn timer(&self) -> Option<u64> {
        if !self.sweeps.is_empty() {
            return Some(0);
        }
        let early = self.early_due.first().map(|(due_ms, ..)| *due_ms);
        [self.due_ms, early].into_iter().flatten().min()
    }
}

impl Client {
    /// Notes that a stored message may disappear, or may have been awaited.
    pub(super) fn note_stored(&mut self, chat_id: ChatId, id: MessageId, stored: &[u8], row: &MessageRow) {
        if self.expiry.early.contains_key(&(chat_id, short(&id))) {
            self.arrived.push((chat_id, id));
        }
        let (Some(chat), Some(after_s)) = (self.chats.get(&chat_id), extensions::expires_after_s(&row.extensions))
        else {
            return;
        };
        let own = chat
            .row
            .authors
            .get(row.author as usize)
            .is_some_and(|author| author.own);
        // What comes late, below what was read, counts as read.
        if own || stored <= chat.row.read_through.as_slice() {
            self.put_due(row.received_ms, stored, after_s.to_be_bytes());
        } else {
            let entry = [&[UNREAD][..], stored].concat();
            self.put_fresh(Tree::Expiry, entry, after_s.to_be_bytes().to_vec());
        }
    }

    fn put_due(&mut self, now_ms: u64, stored: &[u8], after_s: [u8; 4]) {
        let due_ms = now_ms.saturating_add(wait_ms(&after_s));
        self.expiry.due_ms = Some(self.expiry.due_ms.map_or(due_ms, |known| known.min(due_ms)));
        self.put_fresh(Tree::Expiry, due_key(due_ms, stored), after_s.to_vec());
    }

    /// The user has read a chat up to its mark: the time of what disappears begins.
    pub(super) fn note_read(&mut self, chat_id: ChatId) {
        if let Some(chat) = self.chats.get(&chat_id) {
            let from = [&[UNREAD][..], &chat_id.0].concat();
            let to = [&[UNREAD][..], &chat.row.read_through, &[0]].concat();
            self.expiry.sweep(&from, to);
        }
    }

    /// Remembers that something was done to a message that isn't here. The oldest such is dropped where there are too many.
    pub(super) fn keep_early(
        &mut self,
        now_ms: u64,
        chat: ChatId,
        target: MessageId,
        after_s: Option<u32>,
        rows: &dyn Rows,
    ) -> Result<(), RowsError> {
        let target = short(&target);
        if self.expiry.early.contains_key(&(chat, target)) {
            return Ok(());
        }
        let of_chat = (chat, [0; 16])..=(chat, [u8::MAX; 16]);
        let others: Vec<(u64, Short)> = self
            .expiry
            .early
            .range(of_chat)
            .map(|((_, target), due_ms)| (*due_ms, *target))
            .collect();
        if others.len() >= limits::EARLY_TARGETS
            && let Some((_, oldest)) = others.iter().min()
        {
            self.erase_early(chat, *oldest, rows)?;
        }
        // What was to disappear doesn't stay longer because its message never came.
        let wait_ms = after_s.map_or(limits::EARLY_MS, |after_s| {
            limits::EARLY_MS.min(u64::from(after_s) * 1000)
        });
        let due_ms = now_ms.saturating_add(wait_ms);
        self.expiry.early.insert((chat, target), due_ms);
        self.expiry.early_due.insert((due_ms, chat, target));
        self.put_fresh(Tree::Expiry, early_key(due_ms, &chat, &target), Vec::new());
        Ok(())
    }

    /// Forgets that a message was awaited; false if it wasn't.
    pub(super) fn drop_early(&mut self, chat: ChatId, target: Short) -> bool {
        let Some(due_ms) = self.expiry.early.remove(&(chat, target)) else {
            return false;
        };
        self.expiry.early_due.remove(&(due_ms, chat, target));
        self.delete_fresh(Tree::Expiry, early_key(due_ms, &chat, &target));
        true
    }

    fn erase_early(&mut self, chat: ChatId, target: Short, rows: &dyn Rows) -> Result<(), RowsError> {
        self.drop_early(chat, target);
        self.erase_effects(&[chat.0.as_slice(), &target].concat(), rows)
    }

    /// Erases what is due, a part of it at a time.
    pub(super) fn erase_due(&mut self, now_ms: u64, rows: &dyn Rows) -> Result<(), RowsError> {
        if self.expiry.timer().is_none_or(|due_ms| due_ms > now_ms) {
            return Ok(());
        }
        self.sweep_some(now_ms, rows)?;
        let end = due_key(now_ms.saturating_add(1), &[]);
        let due = self
            .fresh
            .range(rows, Tree::Expiry, &[DUE], &end, limits::ERASED_PER_STEP)?;
        for (entry, _) in due {
            self.erase_message(entry.get(HEAD..).unwrap_or_default(), rows)?;
            self.delete_fresh(Tree::Expiry, entry);
        }
        let next = self.fresh.range(rows, Tree::Expiry, &[DUE], &prefix_end(&[DUE]), 1)?;
        self.expiry.due_ms = next.first().and_then(|(entry, _)| time_of(entry));
        for _ in 0..limits::ERASED_PER_STEP {
            match self.expiry.early_due.first().copied() {
                Some((due_ms, chat, target)) if due_ms <= now_ms => self.erase_early(chat, target, rows)?,
                _ => break,
            }
        }
        Ok(())
    }

    /// Looks through some of the entries that are to be looked through.
    fn sweep_some(&mut self, now_ms: u64, rows: &dyn Rows) -> Result<(), RowsError> {
        let Some((from, to)) = self.expiry.sweeps.pop_first() else {
            return Ok(());
        };
        let entries = self
            .fresh
            .range(rows, Tree::Expiry, &from, &to, limits::ERASED_PER_STEP)?;
        if let Some((last, _)) = entries.last()
            && entries.len() == limits::ERASED_PER_STEP
        {
            self.expiry.sweep(&[last.as_slice(), &[0]].concat(), to);
        }
        for (entry, value) in entries {
            let Ok(after_s) = <[u8; 4]>::try_from(value.as_slice()) else {
                continue;
            };
            if entry.first() == Some(&UNREAD) {
                let stored = entry.get(1..).unwrap_or_default().to_vec();
                let chat = array(&stored, 0).and_then(|chat| self.chats.get(&ChatId(chat)));
                if chat.is_none_or(|chat| stored <= chat.row.read_through) {
                    self.delete_fresh(Tree::Expiry, entry);
                    self.put_due(now_ms, &stored, after_s);
                }
            } else if time_of(&entry).is_some_and(|due_ms| due_ms > now_ms.saturating_add(wait_ms(&value))) {
                let stored = entry.get(HEAD..).unwrap_or_default().to_vec();
                self.delete_fresh(Tree::Expiry, entry);
                self.put_due(now_ms, &stored, after_s);
            }
        }
        Ok(())
    }

    /// Erases a message, its place, and what was done to it.
    fn erase_message(&mut self, stored: &[u8], rows: &dyn Rows) -> Result<(), RowsError> {
        let (Some(chat), Some(value)) = (
            array(stored, 0).map(ChatId),
            self.fresh.get(rows, Tree::Messages, stored)?,
        ) else {
            return Ok(());
        };
        let row: MessageRow = decode(&value)?;
        let target = key::message_short(stored);
        self.forget_files(&row.body);
        self.erase_effects(&[chat.0.as_slice(), target].concat(), rows)?;
        self.delete_fresh(Tree::MessageIds, target.to_vec());
        self.delete_fresh(Tree::Messages, stored.to_vec());
        let author = self
            .chats
            .get(&chat)
            .and_then(|chat| chat.row.authors.get(row.author as usize));
        if let Some(author) = author {
            let message = author.stream.message(row.sequence);
            self.event(&EventRow::MessageExpired { chat, message });
        }
        Ok(())
    }
}
