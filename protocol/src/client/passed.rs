//! Envelopes of groups that this device took or made lately, kept as they are for members who lack them.
//!
//! A row's key is chat, Unix milliseconds, envelope id; its value says whose messages are in it, and the envelope's bytes. What is kept
//! is bounded by time, by chat and in all ([`limits::PASSED_MS`], [`limits::PASSED_BYTES`], [`limits::PASSED_BYTES_ALL`]); the oldest
//! go first. Chats of two devices keep nothing: the sender is the only other member.

use super::Client;
use super::array;
use crate::envelope::Envelope;
use crate::keys::{ChatId, EnvelopeId};
use crate::limits;
use crate::message::StreamId;
use crate::rows::{Rows, RowsError, Tree, prefix_end};
use crate::wire::{DecodeError, Reader, Wire, Writer};
use std::collections::BTreeSet;

/// What a row costs besides its bytes: key, seal, index (guess).
const ROW_BYTES: u64 = 160;
/// Rows that one step lets go of in a chat.
const TRIMMED: usize = 256;
/// Milliseconds between two looks at what is too old.
const LOOK_MS: u64 = 3_600_000;

/// An envelope that is kept for other members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Passed {
    /// When it was taken or made here, in Unix milliseconds.
    pub at_ms: u64,
    pub id: EnvelopeId,
    /// Whose messages are in it, the first and the last of them; none for a commit.
    pub run: Option<(StreamId, u64, u64)>,
    /// The envelope.
    pub bytes: Vec<u8>,
}

/// What is remembered of all chats.
#[derive(Default)]
pub(super) struct Keeping {
    /// Bytes kept, over all chats.
    bytes: u64,
    /// Chats that keep too much.
    over: BTreeSet<ChatId>,
    /// When the next look is due.
    look_ms: u64,
}

fn key(chat: &ChatId, at_ms: u64, id: &EnvelopeId) -> Vec<u8> {
    [chat.0.as_slice(), &at_ms.to_be_bytes(), &id.0].concat()
}

fn write(run: Option<(StreamId, u64, u64)>, bytes: &[u8]) -> Vec<u8> {
    let mut w = Writer::default();
    match run {
        Some((stream, first, last)) => {
            w.u8(1);
            stream.write(&mut w);
            w.u64(first);
            w.u64(last);
        }
        None => w.u8(0),
    }
    let mut value = w.into_bytes();
    value.extend_from_slice(bytes);
    value
}

/// None for a row that isn't one of these: what a damaged disk left.
fn read(stored: &[u8], value: &[u8]) -> Option<Passed> {
    let at_ms = u64::from_be_bytes(stored.get(32..40)?.try_into().ok()?);
    let id = EnvelopeId(array(stored, 40)?);
    let mut r = Reader::new(value);
    let run = |r: &mut Reader<'_>| -> Result<Option<(StreamId, u64, u64)>, DecodeError> {
        Ok(match r.u8("passed.run")? {
            0 => None,
            _ => Some((
                StreamId::read(r)?,
                r.u64("passed.run.first")?,
                r.u64("passed.run.last")?,
            )),
        })
    };
    let run = run(&mut r).ok()?;
    Some(Passed {
        at_ms,
        id,
        run,
        bytes: r.rest().to_vec(),
    })
}

fn cost(value: &[u8]) -> u64 {
    value.len() as u64 + ROW_BYTES
}

impl Client {
    pub(super) fn load_passed(&mut self) {
        self.passed.bytes = self.chats.values().map(|chat| chat.head.passed_bytes).sum();
    }

    /// Keeps an envelope for members who may lack it, if there are more than two devices.
    pub(super) fn pass_on(
        &mut self,
        now_ms: u64,
        chat_id: ChatId,
        envelope: &Envelope,
        run: Option<(StreamId, u64, u64)>,
    ) {
        let Some(chat) = self.chats.get_mut(&chat_id).filter(|chat| chat.members.len() > 2) else {
            return;
        };
        let value = write(run, envelope.bytes());
        let bytes = chat.head.passed_bytes.saturating_add(cost(&value));
        chat.set_passed(bytes);
        self.passed.bytes = self.passed.bytes.saturating_add(cost(&value));
        self.dirty.chats.insert(chat_id);
        if bytes > limits::PASSED_BYTES {
            self.passed.over.insert(chat_id);
        }
        if self.passed.bytes > limits::PASSED_BYTES_ALL {
            let most = self.chats.values().max_by_key(|chat| chat.head.passed_bytes);
            self.passed.over.extend(most.map(|chat| chat.id));
        }
        self.put_fresh(Tree::Passed, key(&chat_id, now_ms, &envelope.id()), value);
    }

    /// What of a chat was kept from `from_ms` on and before `to_ms`, the oldest first, at most `limit`.
    pub(super) fn passed_between(
        &self,
        rows: &dyn Rows,
        chat: &ChatId,
        from_ms: u64,
        to_ms: u64,
        limit: usize,
    ) -> Result<Vec<Passed>, RowsError> {
        let at = |ms: u64| [chat.0.as_slice(), &ms.to_be_bytes()].concat();
        let found = self.fresh.range(rows, Tree::Passed, &at(from_ms), &at(to_ms), limit)?;
        Ok(found.iter().filter_map(|(stored, value)| read(stored, value)).collect())
    }

    /// Lets go of what is too old or too much.
    pub(super) fn trim_passed(&mut self, now_ms: u64, rows: &dyn Rows) -> Result<(), RowsError> {
        // A clock that jumped back must not put the next look off.
        if now_ms >= self.passed.look_ms || self.passed.look_ms - now_ms > LOOK_MS {
            self.passed.look_ms = now_ms.saturating_add(LOOK_MS);
            let keep = self.chats.values().filter(|chat| chat.head.passed_bytes > 0);
            self.passed.over.extend(keep.map(|chat| chat.id));
        }
        for chat_id in std::mem::take(&mut self.passed.over) {
            self.trim_chat(now_ms, chat_id, rows)?;
        }
        Ok(())
    }

    fn trim_chat(&mut self, now_ms: u64, chat_id: ChatId, rows: &dyn Rows) -> Result<(), RowsError> {
        let oldest = self
            .fresh
            .range(rows, Tree::Passed, &chat_id.0, &prefix_end(&chat_id.0), TRIMMED)?;
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return Ok(());
        };
        let (before, all) = (chat.head.passed_bytes, self.passed.bytes);
        let (mut bytes, mut gone) = (before, Vec::new());
        // Below the bound by an eighth, so that not each envelope asks again.
        let most = limits::PASSED_BYTES - limits::PASSED_BYTES / 8;
        let most_all = limits::PASSED_BYTES_ALL - limits::PASSED_BYTES_ALL / 8;
        let crowded = before > limits::PASSED_BYTES || all > limits::PASSED_BYTES_ALL;
        for (stored, value) in &oldest {
            let at_ms = stored
                .get(32..40)
                .and_then(|at| at.try_into().ok())
                .map(u64::from_be_bytes);
            // What the clock of then called the future is told from what is kept by its distance alone.
            let old = at_ms.is_none_or(|at_ms| now_ms.abs_diff(at_ms) >= limits::PASSED_MS);
            let much = crowded && (bytes > most || all - (before - bytes).min(all) > most_all);
            if !old && !much {
                break;
            }
            bytes = bytes.saturating_sub(cost(value));
            gone.push(stored.clone());
        }
        if gone.len() == oldest.len() {
            // Nothing is left, or there is more to look at.
            if oldest.len() == TRIMMED {
                self.passed.over.insert(chat_id);
            } else {
                bytes = 0;
            }
        }
        if bytes != before {
            chat.set_passed(bytes);
            self.dirty.chats.insert(chat_id);
            self.passed.bytes = all.saturating_sub(before.saturating_sub(bytes));
        }
        for stored in gone {
            self.delete_fresh(Tree::Passed, stored);
        }
        Ok(())
    }
}
