//! Reading a topic backwards: what whoever comes new to a channel sees first, and the pages before.

use super::frames::{Cursor, Item};
use crate::keys::TopicId;
use crate::limits;
use crate::wire::{DecodeError, Reader, Wire, Writer};

/// Send the newest envelopes of a topic before a position.
///
/// | bytes | field |
/// |---|---|
/// | 8 | request, chosen by the client, returned in the answer |
/// | 32 | topic |
/// | 8 | position; 0 for the end of the log |
/// | 2 | how many at most; [`limits::HISTORY_ITEMS`] count |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct History {
    /// Chosen by the client, returned in the answer.
    pub request: u64,
    /// The topic.
    pub topic: TopicId,
    /// Only what is before it; all if it is 0.
    pub before: u64,
    /// How many at most.
    pub count: u16,
}

/// What was asked for, or as much of it as a page has room for.
///
/// | bytes | field |
/// |---|---|
/// | 8 | request |
/// | 32 | topic |
/// | 32 | cursor at the end of the log: a watch from there misses nothing |
/// | 1 | flags: 1 nothing older is kept |
/// | V | items `{uint64 position, opaque envelope<V>}`, ascending |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryPage {
    /// As asked.
    pub request: u64,
    /// As asked.
    pub topic: TopicId,
    /// Where the log ends.
    pub cursor: Cursor,
    /// Nothing older is kept.
    pub oldest: bool,
    /// In ascending position; may be empty.
    pub items: Vec<Item>,
}

const FLAG_OLDEST: u8 = 1;

impl HistoryPage {
    /// What it counts for in the window of what is on its way.
    pub fn counted(&self) -> u64 {
        self.items.iter().map(|item| item.envelope.len() as u64).sum()
    }
}

impl Wire for History {
    fn write(&self, w: &mut Writer) {
        w.u64(self.request);
        self.topic.write(w);
        w.u64(self.before);
        w.u16(self.count);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            request: r.u64("history.request")?,
            topic: TopicId::read(r)?,
            before: r.u64("history.before")?,
            count: r.u16("history.count")?,
        })
    }
}

impl Wire for HistoryPage {
    fn write(&self, w: &mut Writer) {
        w.u64(self.request);
        self.topic.write(w);
        self.cursor.write(w);
        w.u8(u8::from(self.oldest) * FLAG_OLDEST);
        w.list(&self.items, |w, item| {
            w.u64(item.position);
            w.bytes(&item.envelope);
        });
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            request: r.u64("history_page.request")?,
            topic: TopicId::read(r)?,
            cursor: Cursor::read(r)?,
            oldest: r.u8("history_page.flags")? & FLAG_OLDEST != 0,
            items: r.list("history_page.items", limits::HISTORY_ITEMS, |r| {
                Ok(Item {
                    position: r.u64("history_page.position")?,
                    envelope: r.bytes("history_page.envelope", limits::ENVELOPE_BYTES)?.to_vec(),
                })
            })?,
        })
    }
}
