//! The event log: what happened, numbered from 1, for programs that follow along.
//!
//! Events are short and many, so a row holds a slot of [`SLOT`]; the newest slot is kept in memory and written whole while it fills.

use super::Client;
use super::blobs::BlobState;
use super::gaps::GapState;
use super::io::Effect;
use super::trust::Fault;
use crate::custody::Refusal;
use crate::keys::{AccountId, BlobId, ChannelId, ChatId, DeviceId, EnvelopeId, MessageId, RequestId, TransportKey};
use crate::limits;
use crate::message::CardAnswer;
use crate::rows::{Rows, RowsError, Tree, prefix_end};
use crate::wire::{DecodeError, Reader, Wire, Writer};
use std::collections::BTreeMap;

/// Events of one row: a lone event writes at most so many again (guess: about a kibibyte).
const SLOT: u64 = 32;
/// Bytes of one event: the largest names its account, a chat and 128 bytes.
const EVENT_BYTES: usize = 1024;

/// What became of a report of a post at a relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum ReportOutcome {
    /// It is kept there for the operator.
    Taken,
    /// The relay refused it for good.
    Refused(Refusal),
    /// The relay didn't answer in time.
    GivenUp,
}

/// An entry of the event log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventRow {
    /// A message arrived.
    MessageReceived {
        /// Which.
        message: MessageId,
    },
    /// A message of ours is durable.
    MessageSent {
        /// Which.
        message: MessageId,
    },
    /// A message of ours got further.
    Ledger {
        /// Which.
        message: MessageId,
    },
    /// Something was done to a message: an edit, a deletion, a reaction, a vote.
    MessageUpdated {
        /// Which.
        message: MessageId,
    },
    /// A message disappeared in its time.
    MessageExpired {
        /// Where.
        chat: ChatId,
        /// Which.
        message: MessageId,
    },
    /// A group's members or settings changed.
    ChatUpdated {
        /// Which.
        chat: ChatId,
    },
    /// A relay broke its word, or wasted our time, so often that it is no longer relied on.
    RelayDemoted {
        /// Which.
        relay: TransportKey,
        /// What it did last.
        fault: Fault,
    },
    /// A file got further.
    Blob {
        /// Which.
        blob: BlobId,
        /// How it is.
        state: BlobState,
        /// Bytes that are done: at the relay, or here.
        done_bytes: u64,
        /// Bytes of the whole.
        length_bytes: u64,
    },
    /// Something of the shell's own.
    Note {
        /// What it was about, for the shell.
        subject: [u8; 32],
    },
    /// Something about a gap in another device's messages changed.
    Gap {
        /// Where.
        chat: ChatId,
        /// Whose messages.
        account: AccountId,
        /// Of which device.
        device: DeviceId,
        /// The first sequence.
        first: u64,
        /// The last one.
        last: u64,
        /// How it is now.
        state: GapState,
    },
    /// A member types, or has stopped.
    Typing {
        /// Where.
        chat: ChatId,
        /// Who.
        account: AccountId,
        /// On which device.
        device: DeviceId,
        /// Not stopped.
        active: bool,
        /// When it was heard.
        at_ms: u64,
    },
    /// A channel's manifest came or changed, or how the user has it.
    ChannelUpdated {
        /// Which.
        channel: ChannelId,
    },
    /// A channel has a new post.
    ChannelPost {
        /// Where.
        channel: ChannelId,
        /// Which.
        post: EnvelopeId,
    },
    /// A post was edited or taken back.
    ChannelPostUpdated {
        /// Where.
        channel: ChannelId,
        /// Which.
        post: EnvelopeId,
    },
    /// A channel signed two things that contradict each other.
    ChannelEvidence {
        /// Which.
        channel: ChannelId,
        /// The number of the evidence, from 0.
        number: u32,
    },
    /// A relay has answered a report of a post, or is given up.
    ChannelReported {
        /// Whose post.
        channel: ChannelId,
        /// Which.
        post: EnvelopeId,
        /// Where.
        relay: TransportKey,
        /// What became of it there.
        outcome: ReportOutcome,
    },
    /// Something of a channel is missing, or no longer.
    ChannelGap {
        /// Which.
        channel: ChannelId,
        /// It is.
        open: bool,
    },
    /// Somebody did something with a card of ours.
    CardAnswered {
        /// Where.
        chat: ChatId,
        /// Who.
        account: AccountId,
        /// Which card, and what.
        answer: CardAnswer,
    },
    /// A stranger asks.
    Requested {
        /// Which request.
        request: RequestId,
        /// Who.
        account: AccountId,
        /// What they call themselves.
        name: String,
    },
    /// There is a new contact.
    ContactAdded {
        /// Who.
        account: AccountId,
        /// The chat with them.
        chat: ChatId,
        /// What they call themselves.
        name: String,
    },
}

/// Kinds of events by number, never reused.
const EVENT_RECEIVED: u8 = 1;
const EVENT_SENT: u8 = 2;
const EVENT_LEDGER: u8 = 3;
const EVENT_REQUESTED: u8 = 4;
const EVENT_CONTACT_ADDED: u8 = 5;
const EVENT_UPDATED: u8 = 6;
const EVENT_EXPIRED: u8 = 7;
const EVENT_CHAT_UPDATED: u8 = 8;
const EVENT_CARD_ANSWERED: u8 = 9;
const EVENT_TYPING: u8 = 20;
const EVENT_RELAY_DEMOTED: u8 = 16;
const EVENT_GAP: u8 = 19;
const EVENT_BLOB: u8 = 24;
const EVENT_CHANNEL_UPDATED: u8 = 40;
const EVENT_CHANNEL_POST: u8 = 41;
const EVENT_CHANNEL_POST_UPDATED: u8 = 42;
const EVENT_CHANNEL_EVIDENCE: u8 = 43;
const EVENT_CHANNEL_GAP: u8 = 44;
const EVENT_CHANNEL_REPORTED: u8 = 45;
/// Outcomes of a report; a refusal's code is behind the second.
const REPORT_TAKEN: u8 = 0;
const REPORT_REFUSED: u8 = 1;
const REPORT_GIVEN_UP: u8 = 2;
/// The shell's own; below it there is room for the client's.
const EVENT_NOTE: u8 = 64;

impl Wire for EventRow {
    fn write(&self, w: &mut Writer) {
        match self {
            Self::MessageReceived { message } => {
                w.u8(EVENT_RECEIVED);
                message.write(w);
            }
            Self::MessageSent { message } => {
                w.u8(EVENT_SENT);
                message.write(w);
            }
            Self::Ledger { message } => {
                w.u8(EVENT_LEDGER);
                message.write(w);
            }
            Self::MessageUpdated { message } => {
                w.u8(EVENT_UPDATED);
                message.write(w);
            }
            Self::MessageExpired { chat, message } => {
                w.u8(EVENT_EXPIRED);
                chat.write(w);
                message.write(w);
            }
            Self::ChatUpdated { chat } => {
                w.u8(EVENT_CHAT_UPDATED);
                chat.write(w);
            }
            Self::RelayDemoted { relay, fault } => {
                w.u8(EVENT_RELAY_DEMOTED);
                relay.write(w);
                w.u8(fault.code());
            }
            Self::Blob {
                blob,
                state,
                done_bytes,
                length_bytes,
            } => {
                w.u8(EVENT_BLOB);
                blob.write(w);
                w.u8(state.number());
                w.u64(*done_bytes);
                w.u64(*length_bytes);
            }
            Self::Note { subject } => {
                w.u8(EVENT_NOTE);
                w.fixed(subject);
            }
            Self::Gap {
                chat,
                account,
                device,
                first,
                last,
                state,
            } => {
                w.u8(EVENT_GAP);
                chat.write(w);
                account.write(w);
                device.write(w);
                w.u64(*first);
                w.u64(*last);
                w.u8(state.number());
            }
            Self::Typing {
                chat,
                account,
                device,
                active,
                at_ms,
            } => {
                w.u8(EVENT_TYPING);
                chat.write(w);
                account.write(w);
                device.write(w);
                w.u8(u8::from(*active));
                w.u64(*at_ms);
            }
            Self::ChannelUpdated { channel } => {
                w.u8(EVENT_CHANNEL_UPDATED);
                channel.write(w);
            }
            Self::ChannelPost { channel, post } => {
                w.u8(EVENT_CHANNEL_POST);
                channel.write(w);
                post.write(w);
            }
            Self::ChannelPostUpdated { channel, post } => {
                w.u8(EVENT_CHANNEL_POST_UPDATED);
                channel.write(w);
                post.write(w);
            }
            Self::ChannelEvidence { channel, number } => {
                w.u8(EVENT_CHANNEL_EVIDENCE);
                channel.write(w);
                w.u32(*number);
            }
            Self::ChannelReported {
                channel,
                post,
                relay,
                outcome,
            } => {
                w.u8(EVENT_CHANNEL_REPORTED);
                channel.write(w);
                post.write(w);
                relay.write(w);
                let (outcome, code) = match outcome {
                    ReportOutcome::Taken => (REPORT_TAKEN, 0),
                    ReportOutcome::Refused(why) => (REPORT_REFUSED, why.code()),
                    ReportOutcome::GivenUp => (REPORT_GIVEN_UP, 0),
                };
                w.u8(outcome);
                w.u8(code);
            }
            Self::ChannelGap { channel, open } => {
                w.u8(EVENT_CHANNEL_GAP);
                channel.write(w);
                w.u8(u8::from(*open));
            }
            Self::Requested { request, account, name } => {
                w.u8(EVENT_REQUESTED);
                request.write(w);
                account.write(w);
                w.bytes(name.as_bytes());
            }
            Self::CardAnswered { chat, account, answer } => {
                w.u8(EVENT_CARD_ANSWERED);
                chat.write(w);
                account.write(w);
                answer.write(w);
            }
            Self::ContactAdded { account, chat, name } => {
                w.u8(EVENT_CONTACT_ADDED);
                account.write(w);
                chat.write(w);
                w.bytes(name.as_bytes());
            }
        }
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(match r.u8("event.kind")? {
            EVENT_RECEIVED => Self::MessageReceived {
                message: MessageId::read(r)?,
            },
            EVENT_SENT => Self::MessageSent {
                message: MessageId::read(r)?,
            },
            EVENT_LEDGER => Self::Ledger {
                message: MessageId::read(r)?,
            },
            EVENT_UPDATED => Self::MessageUpdated {
                message: MessageId::read(r)?,
            },
            EVENT_EXPIRED => Self::MessageExpired {
                chat: ChatId::read(r)?,
                message: MessageId::read(r)?,
            },
            EVENT_CHAT_UPDATED => Self::ChatUpdated { chat: ChatId::read(r)? },
            EVENT_CARD_ANSWERED => Self::CardAnswered {
                chat: ChatId::read(r)?,
                account: AccountId::read(r)?,
                answer: CardAnswer::read(r)?,
            },
            EVENT_RELAY_DEMOTED => Self::RelayDemoted {
                relay: TransportKey::read(r)?,
                fault: Fault::from_code(r.u8("event.fault")?).unwrap_or(Fault::Junk),
            },
            EVENT_BLOB => Self::Blob {
                blob: BlobId::read(r)?,
                state: BlobState::from_number(r.u8("event.state")?).ok_or(DecodeError::Invalid {
                    field: "event.state",
                    reason: "not known",
                })?,
                done_bytes: r.u64("event.done_bytes")?,
                length_bytes: r.u64("event.length_bytes")?,
            },
            EVENT_NOTE => Self::Note {
                subject: r.array("event.subject")?,
            },
            EVENT_GAP => Self::Gap {
                chat: ChatId::read(r)?,
                account: AccountId::read(r)?,
                device: DeviceId::read(r)?,
                first: r.u64("event.first")?,
                last: r.u64("event.last")?,
                state: GapState::numbered(r.u8("event.state")?).ok_or(DecodeError::Invalid {
                    field: "event.state",
                    reason: "not known",
                })?,
            },
            EVENT_TYPING => Self::Typing {
                chat: ChatId::read(r)?,
                account: AccountId::read(r)?,
                device: DeviceId::read(r)?,
                active: r.u8("event.active")? != 0,
                at_ms: r.u64("event.at_ms")?,
            },
            EVENT_CHANNEL_UPDATED => Self::ChannelUpdated {
                channel: ChannelId::read(r)?,
            },
            EVENT_CHANNEL_POST => Self::ChannelPost {
                channel: ChannelId::read(r)?,
                post: EnvelopeId::read(r)?,
            },
            EVENT_CHANNEL_POST_UPDATED => Self::ChannelPostUpdated {
                channel: ChannelId::read(r)?,
                post: EnvelopeId::read(r)?,
            },
            EVENT_CHANNEL_EVIDENCE => Self::ChannelEvidence {
                channel: ChannelId::read(r)?,
                number: r.u32("event.number")?,
            },
            EVENT_CHANNEL_REPORTED => Self::ChannelReported {
                channel: ChannelId::read(r)?,
                post: EnvelopeId::read(r)?,
                relay: TransportKey::read(r)?,
                outcome: match (r.u8("event.outcome")?, r.u8("event.code")?) {
                    (REPORT_TAKEN, _) => ReportOutcome::Taken,
                    (REPORT_REFUSED, code) => ReportOutcome::Refused(Refusal::from_code(code)),
                    _ => ReportOutcome::GivenUp,
                },
            },
            EVENT_CHANNEL_GAP => Self::ChannelGap {
                channel: ChannelId::read(r)?,
                open: r.u8("event.open")? != 0,
            },
            EVENT_REQUESTED => Self::Requested {
                request: RequestId::read(r)?,
                account: AccountId::read(r)?,
                name: r.text("event.name", limits::NAME_BYTES)?,
            },
            EVENT_CONTACT_ADDED => Self::ContactAdded {
                account: AccountId::read(r)?,
                chat: ChatId::read(r)?,
                name: r.text("event.name", limits::NAME_BYTES)?,
            },
            _ => {
                return Err(DecodeError::Invalid {
                    field: "event.kind",
                    reason: "not known",
                });
            }
        })
    }
}

/// A slot's number and its encoded events.
type Slot = (u64, Vec<Vec<u8>>);

/// Events that aren't written yet, and those that share their slots.
#[derive(Default)]
pub(super) struct Log {
    newest: u64,
    /// By number of the slot: the encoded events of the newest one, and of those that are still to be written.
    slots: BTreeMap<u64, Vec<Vec<u8>>>,
    dirty: bool,
}

impl Log {
    /// Goes on where the rows end.
    pub fn load(rows: &dyn Rows) -> Result<Self, RowsError> {
        let mut log = Self::default();
        if let Some((slot, events)) = end(rows)? {
            log.newest = (slot * SLOT + events.len() as u64).saturating_sub(1);
            log.slots.insert(slot, events);
        }
        Ok(log)
    }
}

impl Log {
    /// The number of the newest event.
    pub fn newest(&self) -> u64 {
        self.newest
    }
}

impl Client {
    /// Appends to the event log, which keeps the newest [`limits::EVENTS`].
    pub(super) fn event(&mut self, event: &EventRow) {
        let log = &mut self.events;
        log.newest += 1;
        log.dirty = true;
        let slot = log.slots.entry(log.newest / SLOT).or_default();
        if slot.is_empty() && log.newest == 1 {
            // Numbers begin with 1: the first slot has no event 0.
            slot.push(Vec::new());
        }
        slot.push(event.encode());
    }

    /// Writes the slots that changed, and lets go of the oldest.
    pub(super) fn write_events(&mut self) {
        let log = &mut self.events;
        if !std::mem::take(&mut log.dirty) {
            return;
        }
        let current = log.newest / SLOT;
        for (number, slot) in &log.slots {
            let mut w = Writer::default();
            w.list(slot, |w, event| w.bytes(event));
            self.step.batch.put(Tree::Events, number.to_be_bytes(), w.into_bytes());
            if let Some(oldest) = number.checked_sub(limits::EVENTS / SLOT + 1) {
                self.step.batch.delete(Tree::Events, oldest.to_be_bytes());
            }
        }
        log.slots.retain(|number, _| *number == current);
        self.step.effects.push(Effect::Events { newest: log.newest });
    }
}

/// A stretch of the event log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The first and last number right behind the cursor that aren't there any more: pruned, or put aside as unreadable.
    pub missing: Option<(u64, u64)>,
    /// What follows, ascending.
    pub events: Vec<(u64, EventRow)>,
    /// The last number that was looked at.
    pub next: u64,
}

/// Reads the log after a cursor, at most `limit` events, where what is missing counts as one; events of a later version's kind are
/// passed over.
pub fn events(rows: &dyn Rows, after: u64, limit: usize) -> Result<Stretch, RowsError> {
    let slots = limit.div_ceil(SLOT as usize).saturating_add(1);
    let first = (after.saturating_add(1) / SLOT).to_be_bytes();
    let mut read = Stretch {
        missing: None,
        events: Vec::new(),
        next: after,
    };
    for (stored, value) in rows.range(Tree::Events, &first, &prefix_end(&[]), slots, false)? {
        let (slot, events) = slot_of(&stored, &value)?;
        let (start, wanted) = ((slot * SLOT).max(1), read.next.saturating_add(1));
        if start > wanted {
            if read.next > after {
                // The next stretch begins with what is missing here.
                break;
            }
            read.missing = Some((wanted, start - 1));
            read.next = start - 1;
        }
        for (cursor, event) in (slot * SLOT..).zip(events) {
            if cursor <= read.next {
                continue;
            }
            if read.events.len() + usize::from(read.missing.is_some()) >= limit {
                return Ok(read);
            }
            read.next = cursor;
            if let Ok(event) = EventRow::decode(&event) {
                read.events.push((cursor, event));
            }
        }
    }
    Ok(read)
}

/// The cursor of the newest event, 0 if there is none.
pub fn newest_event(rows: &dyn Rows) -> Result<u64, RowsError> {
    Ok(end(rows)?.map_or(0, |(slot, events)| {
        (slot * SLOT + events.len() as u64).saturating_sub(1)
    }))
}

fn end(rows: &dyn Rows) -> Result<Option<Slot>, RowsError> {
    let ends = rows.range(Tree::Events, &[], &prefix_end(&[]), 1, true)?;
    ends.first().map(|(stored, value)| slot_of(stored, value)).transpose()
}

fn slot_of(stored: &[u8], value: &[u8]) -> Result<Slot, RowsError> {
    let fault = |reason: String| RowsError {
        reason: format!("the event log is damaged: {reason}"),
    };
    let number = <[u8; 8]>::try_from(stored).map_err(|error| fault(error.to_string()))?;
    let mut r = Reader::new(value);
    let events = r
        .list("slot", SLOT as usize, |r| Ok(r.bytes("event", EVENT_BYTES)?.to_vec()))
        .map_err(|error| fault(error.to_string()))?;
    Ok((u64::from_be_bytes(number), events))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::rows::{Batch, MemoryRows};

    /// A log of so many events, of which one slot was put aside.
    fn log(newest: u64, without: Option<u64>) -> MemoryRows {
        let (mut disk, mut batch) = (MemoryRows::default(), Batch::default());
        for slot in (0..=newest / SLOT).filter(|slot| Some(*slot) != without) {
            let numbers = slot * SLOT..=newest.min(slot * SLOT + SLOT - 1);
            let events: Vec<Vec<u8>> = numbers
                .map(|number| match number {
                    0 => Vec::new(),
                    // A kind of a later version.
                    7 => vec![63],
                    number => EventRow::Note {
                        subject: [number as u8; 32],
                    }
                    .encode(),
                })
                .collect();
            let mut w = Writer::default();
            w.list(&events, |w, event| w.bytes(event));
            batch.put(Tree::Events, slot.to_be_bytes(), w.into_bytes());
        }
        disk.apply(&batch);
        disk
    }

    fn read(disk: &MemoryRows, after: u64, limit: usize) -> (Option<(u64, u64)>, Vec<u64>, u64) {
        let read = events(disk, after, limit).unwrap();
        (
            read.missing,
            read.events.iter().map(|(number, _)| *number).collect(),
            read.next,
        )
    }

    #[test]
    fn a_stretch_ends_at_its_limit_and_passes_over_what_it_does_not_know() {
        let disk = log(70, None);
        assert_eq!(read(&disk, 0, 3), (None, vec![1, 2, 3], 3));
        assert_eq!(read(&disk, 5, 2), (None, vec![6, 8], 8));
        assert_eq!(read(&disk, 6, 0), (None, vec![], 6));
        assert_eq!(read(&disk, 60, 100), (None, (61..=70).collect(), 70));
        assert_eq!(read(&disk, 70, 100), (None, vec![], 70));
        assert_eq!(read(&log(7, None), 6, 100), (None, vec![], 7));
    }

    #[test]
    fn f30_events_that_are_gone_are_told_wherever_they_were() {
        let pruned = log(70, Some(0));
        assert_eq!(read(&pruned, 0, 100), (Some((1, 31)), (32..=70).collect(), 70));
        assert_eq!(read(&pruned, 10, 3), (Some((11, 31)), vec![32, 33], 33));
        let holed = log(100, Some(1));
        assert_eq!(read(&holed, 0, 100).2, 31, "a stretch ends before what is missing");
        assert_eq!(read(&holed, 31, 1), (Some((32, 63)), vec![], 63));
        assert_eq!(read(&holed, 40, 2), (Some((41, 63)), vec![64], 64));
    }
}
