//! Own messages that nobody confirmed for too long: they are given up, and the others are told, so that nobody waits for them.

use super::Client;
use super::outbox::OutWhat;
use super::records::OutKind;
use crate::keys::ChatId;
use crate::limits;
use crate::rows::RowsError;

/// Milliseconds that the clock has to go on without a leap before its time is believed: one that leapt into the future gives nothing up,
/// and a device that slept long has its chance to deliver first (FAULTS 24; guess: an hour).
const STEADY_MS: u64 = 3_600_000;

impl Client {
    /// Notes how long the clock has gone on without a leap; `before_ms` is the time of the last input.
    pub(super) fn watch_clock(&mut self, before_ms: u64, now_ms: u64) {
        if before_ms == u64::MAX || now_ms.abs_diff(before_ms) >= STEADY_MS {
            self.steady_ms = now_ms;
        }
        self.steady_ms = self.steady_ms.min(now_ms);
    }

    /// Since when the clock is believed where something would be lost by it, or from when on it will be.
    pub(super) fn believed_ms(&self) -> u64 {
        self.steady_ms.saturating_add(STEADY_MS)
    }

    /// Gives up what has waited too long.
    pub(super) fn give_up_old(&mut self, now_ms: u64, chat_id: ChatId) -> Result<(), RowsError> {
        if now_ms < self.believed_ms() {
            return Ok(());
        }
        let before_ms = now_ms.saturating_sub(self.config.give_up_ms);
        let old: Vec<u64> = self
            .waiting(&chat_id)
            .filter(|(_, out)| {
                let newest = out.what.run().last();
                matches!(&out.what, OutWhat::Row(OutKind::Messages { .. }))
                    && newest.is_some_and(|message| message.sent_ms <= before_ms)
            })
            .map(|(number, _)| number)
            .collect();
        if old.is_empty() {
            return Ok(());
        }
        for number in old {
            self.expired(number)?;
            let Some(out) = self.outs.get(&number) else {
                continue;
            };
            let (run, incarnation) = (out.what.run(), out.what.incarnation());
            if let (Some(first), Some(last)) = (run.first(), run.last())
                && let Some(chat) = self.chats.get_mut(&chat_id)
                // A stream that has ended is given up by those who lack some of it.
                && incarnation == Some(chat.row.incarnation)
            {
                chat.row.given_up.insert_range(first.sequence, last.sequence);
                chat.row.given_up = chat.row.given_up.newest(limits::FRONTIER_RANGES);
                chat.row_dirty = true;
                self.dirty.chats.insert(chat_id);
            }
            self.drop_out(number);
        }
        self.owe_report_soon(chat_id);
        Ok(())
    }
}
