//! Which frontiers an envelope tells, and how often: in a chat of two all of them at once, in a group of a thousand what changed last, and
//! the others in turn.

use super::chats::Chat;
use super::records::StreamRow;
use crate::keys::DeviceId;
use crate::limits;
use crate::message::{Frontier, StreamId};
use std::collections::BTreeSet;

/// Devices up to which all report as soon as there may be no more to tell; in larger groups they spread out.
const PROMPT_DEVICES: u64 = 32;
/// How many times the configured delay each device of a large group adds to the time between two reports of one.
const SPREAD: u64 = 2;
/// The longest that a report waits for more to tell, in milliseconds (guess).
pub(super) const REPORT_MOST_MS: u64 = 60_000;

/// What of a chat's streams is still to be told.
#[derive(Default)]
pub(super) struct Telling {
    /// Streams of which more came since they were told, the newest last.
    changed: Vec<StreamId>,
    /// The last of those that were told in turn.
    turn: Option<StreamId>,
}

impl Telling {
    /// More came of a stream, or the same again.
    pub fn changed(&mut self, stream: StreamId) {
        self.changed.retain(|known| *known != stream);
        self.changed.push(stream);
    }

    /// Whether something is still to be told.
    pub fn is_owed(&self) -> bool {
        !self.changed.is_empty()
    }
}

impl Chat {
    /// All that is here may have been forgotten by the others.
    pub fn tell_all(&mut self) {
        self.telling.changed = self.streams.keys().copied().collect();
    }

    /// What is here of at most so many streams of members: what changed last first, then, in a report, the others in turn.
    pub fn tell(&mut self, most: usize, report: bool) -> Vec<Frontier> {
        let members: BTreeSet<DeviceId> = self.members.iter().map(|member| member.device).collect();
        let told = |stream: &StreamId| members.contains(&stream.device);
        let mut chosen: BTreeSet<StreamId> = BTreeSet::new();
        if self.streams.len() <= most {
            chosen.extend(self.streams.keys().filter(|stream| told(stream)));
        } else {
            // A part is left to those in turn, however much comes.
            let newest = if report { most - most / 4 } else { most };
            let changed = self.telling.changed.iter().rev().filter(|stream| told(stream));
            chosen.extend(changed.take(newest));
            if report {
                let streams: Vec<StreamId> = self.streams.keys().filter(|stream| told(stream)).copied().collect();
                let begin = streams.partition_point(|stream| self.telling.turn.is_some_and(|turn| *stream <= turn));
                for stream in streams.iter().cycle().skip(begin).take(streams.len()) {
                    if chosen.len() >= most {
                        break;
                    }
                    chosen.insert(*stream);
                    self.telling.turn = Some(*stream);
                }
            }
        }
        self.telling
            .changed
            .retain(|stream| told(stream) && !chosen.contains(stream));
        chosen
            .iter()
            .filter_map(|stream| Some(frontier(*stream, self.streams.get(stream)?)))
            .collect()
    }

    /// Makes room for one more stream of a device: of too many, the one that was silent longest goes.
    pub fn make_room(&mut self, stream: &StreamId) {
        let of_device = self.streams.iter().filter(|(known, _)| known.device == stream.device);
        let mut others: Vec<(u64, StreamId)> = of_device.map(|(known, row)| (row.heard_ms, *known)).collect();
        if self.streams.contains_key(stream) || others.len() < limits::STREAMS_PER_DEVICE {
            return;
        }
        others.sort();
        if let Some((_, silent)) = others.first() {
            self.drop_stream(*silent);
        }
    }

    /// Forgets streams of those who have left and can't be heard any more: the states that they could write on are settled.
    pub fn drop_left(&mut self, now_ms: u64, after_ms: u64) {
        let members: BTreeSet<DeviceId> = self.members.iter().map(|member| member.device).collect();
        let silent = |row: &StreamRow| now_ms.saturating_sub(row.heard_ms) > after_ms;
        let left = self
            .streams
            .iter()
            .filter(|(stream, row)| !members.contains(&stream.device) && silent(row));
        let left: Vec<StreamId> = left.map(|(stream, _)| *stream).collect();
        for stream in left {
            self.drop_stream(stream);
        }
    }

    fn drop_stream(&mut self, stream: StreamId) {
        self.streams.remove(&stream);
        self.streams_dirty.insert(stream);
        self.telling.changed.retain(|known| *known != stream);
        self.gaps.forget(stream);
    }

    /// Milliseconds that a report waits for more to tell, up to twice as long as it may; `jitter` is random.
    pub fn report_wait_ms(&self, delay_ms: u64, jitter: u64) -> u64 {
        let devices = self.members.len() as u64;
        if devices <= PROMPT_DEVICES {
            return delay_ms.saturating_mul((devices / 2).max(1)).min(REPORT_MOST_MS);
        }
        let longest = self.report_longest_ms(delay_ms);
        longest / 2 + jitter % (longest / 2).max(1)
    }

    /// The longest that a report waits.
    pub fn report_longest_ms(&self, delay_ms: u64) -> u64 {
        let devices = self.members.len() as u64;
        let factor = if devices <= PROMPT_DEVICES {
            (devices / 2).max(1)
        } else {
            devices * SPREAD
        };
        delay_ms.saturating_mul(factor).min(REPORT_MOST_MS)
    }
}

fn frontier(stream: StreamId, row: &StreamRow) -> Frontier {
    // The first range stays in, so that a repair from the oldest gap on shows, however many gaps there are.
    let mut delivered = row.received.newest(limits::FRONTIER_RANGES - 1);
    if let Some((first, last)) = row.received.ranges().first() {
        delivered.insert_range(*first, *last);
    }
    Frontier {
        stream,
        delivered,
        read_through: row.read_through,
    }
}
