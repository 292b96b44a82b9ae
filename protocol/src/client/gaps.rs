//! Gaps: what this device lacks of others' streams, how that is found, kept and shown.
//!
//! A message is known to exist from a later one of its stream, from its author's word, or from what another member says it has. Only
//! messages from this device's joining on concern it: from a stream's *baseline*. A gap is shown once it is older than a grace, and
//! what is done about it is in `fill`; what others are helped with in `answer`; whether a stream has one history in `chain`.

pub(super) mod answer;
mod chain;
mod fill;

use super::chats::Chat;
use super::records::{ForkRow, GapRow, StreamRow, decode, encode_small, key};
use super::{Client, EventRow};
use crate::chat::Member;
use crate::keys::{AccountId, ChatId, DeviceId, TransportKey};
use crate::limits;
use crate::message::repair::{Baseline, OwnStream};
use crate::message::{Durable, Frontier, StreamId};
use crate::rows::{Batch, Rows, RowsError, Tree};
use crate::seq_set::SeqSet;
use std::collections::{BTreeMap, BTreeSet};

/// The longest that a backlog which still comes in keeps a gap from being shown, in milliseconds (guess).
const BACKLOG_MS: u64 = 60_000;

/// Gaps of a chat, those that were given up included; beyond, the oldest of these are forgotten.
const LISTED: usize = 2 * limits::GAPS_PER_CHAT;

/// How a gap is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GapState {
    /// Messages are missing and looked for.
    Open,
    /// All of it came.
    Filled,
    /// Its author gave it up: nobody looks for it any more.
    Lost,
    /// Nothing is missing: it was said wrongly, or before this device joined.
    Void,
    /// Two histories of one stream: its author said two things at one place, or runs twice.
    Forked,
}

impl GapState {
    const ALL: [Self; 5] = [Self::Open, Self::Filled, Self::Lost, Self::Void, Self::Forked];

    /// Its number in rows, from 1.
    pub(super) fn number(self) -> u8 {
        let at = Self::ALL.iter().position(|state| *state == self);
        at.and_then(|at| u8::try_from(at + 1).ok()).unwrap_or(0)
    }

    pub(super) fn numbered(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number).checked_sub(1)?).copied()
    }
}

/// A gap in memory.
struct Gap {
    row: GapRow,
    /// It is older than the grace: people and programs were told.
    shown: bool,
}

/// What is known of the gaps of a chat.
#[derive(Default)]
pub(super) struct Gaps {
    /// By stream and first sequence.
    known: BTreeMap<(StreamId, u64), Gap>,
    dirty: BTreeSet<(StreamId, u64)>,
    /// Where a stream's history was found to be double.
    forks: BTreeMap<StreamId, ForkRow>,
    forks_dirty: BTreeSet<StreamId>,
    /// When something is to be done.
    pub due_ms: Option<u64>,
    /// When a page came last that wasn't the last of its topic.
    pub busy_ms: u64,
    /// The next report says what is wanted.
    pub asking: bool,
    /// How often each relay was asked for all it has, since when.
    fetched: BTreeMap<TransportKey, (u64, u32)>,
    /// What others ask for.
    pub asks: answer::Asks,
    /// Who is to be told its baseline again.
    pub retell: BTreeSet<DeviceId>,
}

impl Gaps {
    pub fn load(chat: &ChatId, rows: &dyn Rows) -> Result<Self, RowsError> {
        let mut gaps = Self::default();
        for (stored, value) in rows.prefix(Tree::Gaps, &chat.0, usize::MAX)? {
            let Some((stream, fork, first)) = key::gap_place(&stored) else {
                continue;
            };
            if fork {
                gaps.forks.insert(stream, decode(&value)?);
            } else {
                let row: GapRow = decode(&value)?;
                gaps.due_ms = Some(0);
                gaps.known.insert((stream, first), Gap { row, shown: true });
            }
        }
        Ok(gaps)
    }

    pub fn write(&mut self, chat: &ChatId, batch: &mut Batch) -> Result<(), RowsError> {
        for (stream, first) in std::mem::take(&mut self.dirty) {
            let stored = key::gap(chat, &stream, false, first);
            match self.known.get(&(stream, first)) {
                Some(gap) => batch.put(Tree::Gaps, stored, encode_small(&gap.row)?),
                None => batch.delete(Tree::Gaps, stored),
            }
        }
        for stream in std::mem::take(&mut self.forks_dirty) {
            if let Some(fork) = self.forks.get(&stream) {
                batch.put(
                    Tree::Gaps,
                    key::gap(chat, &stream, true, fork.sequence),
                    encode_small(fork)?,
                );
            }
        }
        Ok(())
    }

    /// Puts a gap in its place; what is there already takes it in.
    /// Forgets the gaps of a stream that isn't kept any more.
    pub fn forget(&mut self, stream: StreamId) {
        let of_stream = (stream, 0)..=(stream, u64::MAX);
        for (place, gap) in self.known.extract_if(of_stream, |_, _| true) {
            self.dirty.extend(gap.shown.then_some(place));
        }
    }

    fn put(&mut self, stream: StreamId, first: u64, gap: Gap) {
        let place = (stream, first);
        match self.known.get_mut(&place) {
            Some(there) => {
                there.row.missing.merge(&gap.row.missing);
                there.row.last = there.row.last.max(gap.row.last);
                there.row.lost &= gap.row.lost;
            }
            None => {
                self.known.insert(place, gap);
            }
        }
        if self.known.get(&place).is_some_and(|gap| gap.shown) {
            self.dirty.insert(place);
        }
    }

    /// Forgets what was given up longest ago; false if nothing was.
    fn forget_lost(&mut self) -> bool {
        let lost = self.known.iter().filter(|(_, gap)| gap.row.lost);
        let Some(oldest) = lost.min_by_key(|(_, gap)| gap.row.since_ms).map(|(place, _)| *place) else {
            return false;
        };
        self.known.remove(&oldest);
        self.dirty.insert(oldest);
        true
    }

    /// The gaps of a stream.
    fn of(&self, stream: StreamId) -> impl Iterator<Item = (u64, &Gap)> {
        let gaps = self.known.range((stream, 0)..=(stream, u64::MAX));
        gaps.map(|((_, first), gap)| (*first, gap))
    }

    /// The last sequence of a stream that is known to be missing.
    fn end(&self, stream: StreamId) -> u64 {
        self.of(stream).map(|(_, gap)| gap.row.missing.max()).max().unwrap_or(0)
    }

    /// How many ranges are missing and shown, and how many were given up.
    pub fn counts(&self) -> (u64, u64) {
        let mut counts = (0, 0);
        for gap in self.known.values().filter(|gap| gap.shown) {
            let ranges = gap.row.missing.ranges().len() as u64;
            if gap.row.lost {
                counts.1 += ranges;
            } else {
                counts.0 += ranges;
            }
        }
        counts
    }

    /// A clock that was turned back: nothing waits longer than from now on.
    pub fn clock_turned(&mut self, now_ms: u64) {
        self.due_ms = self.due_ms.map(|due| due.min(now_ms));
        self.busy_ms = self.busy_ms.min(now_ms);
        for gap in self.known.values_mut() {
            gap.row.since_ms = gap.row.since_ms.min(now_ms);
            gap.row.due_ms = gap.row.due_ms.min(now_ms.saturating_add(fill::LONGEST_MS));
        }
        self.asks.clock_turned(now_ms);
    }
}

impl Chat {
    /// Whose stream it is; none if its device isn't a member.
    fn account_of(&self, device: DeviceId) -> Option<AccountId> {
        let mut members = self.members.iter();
        members
            .find(|member| member.device == device)
            .map(|member| member.account)
    }

    /// The first sequence of a stream that concerns this device, where that is certain without its author's word: it was there first.
    fn certain_baseline(&self, device: DeviceId) -> Option<u64> {
        let later = self.acks.get(&device).is_some_and(|ack| ack.from > 0);
        (later || self.row.peer.is_some()).then_some(1)
    }

    /// The last sequence of a stream that is known to exist, and of which the gaps are noted up to.
    fn known_end(&self, stream: StreamId) -> u64 {
        let row = self.streams.get(&stream);
        let received = row.map_or(0, |row| row.received.max().max(row.from.saturating_sub(1)));
        received.max(self.gaps.end(stream))
    }

    /// Whether another stream of a device has room: nobody joins so often, and a member can't fill the memory by making up streams.
    pub(super) fn stream_fits(&self, stream: StreamId) -> bool {
        let of_device = |incarnation| StreamId { incarnation, ..stream };
        let known = self.streams.range(of_device(0)..=of_device(u64::MAX));
        self.streams.contains_key(&stream) || known.count() < limits::STREAMS_PER_DEVICE
    }

    /// A stream's row; a new one begins at its baseline, or at `from` where that isn't known.
    pub(super) fn stream_row(&mut self, stream: StreamId, from: u64) -> &mut StreamRow {
        let certain = self.certain_baseline(stream.device);
        let listed = || self.row.authors.iter().any(|author| author.stream == stream);
        let forgotten = !self.streams.contains_key(&stream) && listed();
        let row = self.streams.entry(stream).or_default();
        row.again |= forgotten;
        if row.from == 0 {
            // What this device has from before it was put out and added again, or from before it kept baselines, is none.
            let again = !row.received.ranges().is_empty();
            row.from = certain.filter(|_| !again).unwrap_or(from);
            row.told = again || certain.is_some();
            self.streams_dirty.insert(stream);
        }
        row
    }

    /// This device was put out and is added again: what was written meanwhile is none of its own.
    pub(super) fn forget_baselines(&mut self) {
        for (stream, row) in &mut self.streams {
            row.before = Some((row.from, row.told));
            (row.from, row.told) = (0, false);
            self.streams_dirty.insert(*stream);
        }
        for (place, gap) in std::mem::take(&mut self.gaps.known) {
            self.gaps.dirty.extend(gap.shown.then_some(place));
        }
    }

    /// It was put out and added again on a branch that lost: it was a member all the time.
    pub(super) fn recall_baselines(&mut self) {
        for (stream, row) in &mut self.streams {
            if let Some(before) = row.before.take() {
                (row.from, row.told) = before;
                self.streams_dirty.insert(*stream);
            }
        }
    }

    /// Notes what is missing of a stream in a range, as far as it isn't noted yet.
    fn note_missing(&mut self, now_ms: u64, stream: StreamId, account: AccountId, first: u64, last: u64) {
        let Some(row) = self.streams.get(&stream) else {
            return;
        };
        let mut here = row.received.clone();
        for (_, gap) in self.gaps.of(stream) {
            here.merge(&gap.row.missing);
        }
        for (first, last) in here.holes(first.max(row.from), last, limits::GAPS_PER_STREAM) {
            let newest = self.gaps.known.range_mut((stream, 0)..=(stream, u64::MAX));
            let (mut count, mut open) = (0, None);
            for (place, gap) in newest.filter(|(_, gap)| !gap.row.lost) {
                count += 1;
                open = Some((*place, gap));
            }
            if count >= limits::GAPS_PER_STREAM {
                // Too many to tell apart: the newest takes it in.
                if let Some((place, gap)) = open
                    && gap.row.missing.ranges().len() < limits::GAPS_PER_CHAT
                {
                    gap.row.missing.insert_range(first, last);
                    gap.row.last = gap.row.last.max(last);
                    self.gaps.dirty.extend(gap.shown.then_some(place));
                }
                continue;
            }
            if self.gaps.known.len() >= limits::GAPS_PER_CHAT && !self.gaps.forget_lost() {
                return;
            }
            let mut missing = SeqSet::default();
            missing.insert_range(first, last);
            let row = GapRow {
                account,
                last,
                missing,
                since_ms: now_ms,
                lost: false,
                rounds: 0,
                due_ms: 0,
            };
            self.gaps.put(stream, first, Gap { row, shown: false });
            self.gaps.due_ms = Some(now_ms);
        }
    }
}

impl Client {
    /// Holes in what was stored when this device stopped, which weren't shown yet.
    pub(super) fn find_stored_gaps(&mut self, now_ms: u64) {
        for chat in self.chats.values_mut() {
            let streams: Vec<(StreamId, u64, u64)> = chat
                .streams
                .iter()
                .filter(|(_, row)| row.from > 0 && !row.received.holes(row.from, row.received.max(), 1).is_empty())
                .map(|(stream, row)| (*stream, row.from, row.received.max()))
                .collect();
            for (stream, from, max) in streams {
                if let Some(account) = chat.account_of(stream.device) {
                    chat.note_missing(now_ms, stream, account, from, max);
                }
            }
        }
    }

    /// What a member's frontiers show of the others: whoever has a message shows that it exists.
    pub(super) fn claims(&mut self, now_ms: u64, chat_id: ChatId, author: &Member, frontiers: &[Frontier]) {
        let own = self.device_in(&chat_id);
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return;
        };
        for frontier in frontiers {
            let (stream, max) = (frontier.stream, frontier.delivered.max());
            if stream.device == own || stream.device == author.device || max <= chat.known_end(stream) {
                continue;
            }
            let Some(account) = chat.account_of(stream.device).filter(|_| chat.stream_fits(stream)) else {
                continue;
            };
            // Without a baseline what was before this is none of ours.
            chat.stream_row(stream, max.saturating_add(1));
            let from = chat.known_end(stream).saturating_add(1);
            chat.note_missing(now_ms, stream, account, from, max);
        }
    }

    /// What an author says of its own stream.
    pub(super) fn own_told(
        &mut self,
        now_ms: u64,
        chat_id: ChatId,
        author: &Member,
        stream: StreamId,
        told: &OwnStream,
    ) {
        let (own, grace) = (Baseline::short(&self.device_in(&chat_id)), self.config.gap_grace_ms);
        let Some(chat) = self.chats.get_mut(&chat_id).filter(|chat| chat.stream_fits(stream)) else {
            return;
        };
        let named = told.baselines.iter().find(|baseline| baseline.device == own);
        // Whoever isn't named by a list that has room for it was there from the beginning.
        let from = match named {
            Some(baseline) => Some(baseline.from.max(1)),
            None => (told.baselines.len() < limits::BASELINES).then_some(1),
        };
        let row = chat.stream_row(stream, told.last.saturating_add(1));
        let rebased = match from {
            Some(from) if named.is_some() && row.from != from => Some(from),
            Some(from) if !row.told && row.from != from => Some(from),
            _ => None,
        };
        if from.is_some() && !row.told {
            row.told = true;
            chat.streams_dirty.insert(stream);
        }
        self.dirty.chats.insert(chat_id);
        if let Some(from) = rebased {
            row_from(chat, stream, from);
            self.close(chat_id, stream, None, (0, from - 1), GapState::Void);
        }
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return;
        };
        if told.last >= chat.streams.get(&stream).map_or(u64::MAX, |row| row.from) {
            chat.note_missing(now_ms, stream, author.account, 0, told.last);
        }
        // What others said there was beyond it, and is no news any more, wasn't so. It is said again if it is.
        let before = now_ms.saturating_sub(grace);
        self.close(
            chat_id,
            stream,
            Some(before),
            (told.last.saturating_add(1), u64::MAX),
            GapState::Void,
        );
        for (first, last) in told.lost.ranges() {
            self.close(chat_id, stream, None, (*first, *last), GapState::Lost);
        }
    }

    /// A message is here for the first time; `before` was the greatest sequence of its stream until then.
    pub(super) fn gap_arrived(
        &mut self,
        now_ms: u64,
        chat_id: ChatId,
        member: &Member,
        stream: StreamId,
        durable: &Durable,
        before: u64,
    ) {
        let sequence = durable.sequence;
        self.check_chain(chat_id, member, stream, durable);
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return;
        };
        let from = chat.streams.get(&stream).map_or(0, |row| row.from);
        if sequence < from {
            // It was sealed for this device, so it concerns it.
            row_from(chat, stream, sequence);
            chat.note_missing(now_ms, stream, member.account, sequence, from - 1);
        } else if sequence > before.saturating_add(1) {
            chat.note_missing(now_ms, stream, member.account, before.saturating_add(1), sequence);
        }
        if chat.gaps.end(stream) > 0 {
            self.close(chat_id, stream, None, (sequence, sequence), GapState::Filled);
        }
    }

    /// Takes a range out of a stream's gaps, of those that are known since before some time.
    fn close(&mut self, chat_id: ChatId, stream: StreamId, before_ms: Option<u64>, range: (u64, u64), why: GapState) {
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return;
        };
        let (first, last) = range;
        let meets = |(at, gap): &(u64, &Gap)| {
            *at <= last
                && gap.row.last >= first
                && before_ms.is_none_or(|before_ms| gap.row.since_ms <= before_ms)
                && !(why == GapState::Lost && gap.row.lost)
                && gap.row.missing.meets(first, last)
        };
        let places: Vec<u64> = chat.gaps.of(stream).filter(meets).map(|(at, _)| at).collect();
        let mut told = Vec::new();
        for at in places {
            let Some(mut gap) = chat.gaps.known.remove(&(stream, at)) else {
                continue;
            };
            chat.gaps.dirty.extend(gap.shown.then_some((stream, at)));
            let gone = gap.row.missing.remove_range(first, last);
            let account = gap.row.account;
            if why == GapState::Lost {
                // What is given up is shown as lost at once, also within the grace.
                if let Some((first, _)) = gone.ranges().first().copied() {
                    let last = gone.max();
                    let row = GapRow {
                        last,
                        missing: gone,
                        lost: true,
                        ..gap.row.clone()
                    };
                    chat.gaps.put(stream, first, Gap { row, shown: true });
                    told.push((account, first, last, why));
                }
                if let Some((first, _)) = gap.row.missing.ranges().first().copied() {
                    gap.row.last = gap.row.missing.max();
                    chat.gaps.put(stream, first, gap);
                }
            } else if gap.row.missing.ranges().is_empty() {
                if gap.shown {
                    told.push((account, at, gap.row.last, why));
                }
            } else {
                if why == GapState::Void {
                    gap.row.last = gap.row.missing.max();
                }
                chat.gaps.put(stream, at, gap);
            }
        }
        if told.is_empty() {
            return;
        }
        while chat.gaps.known.len() > LISTED && chat.gaps.forget_lost() {}
        self.dirty.chats.insert(chat_id);
        for (account, first, last, state) in told {
            self.tell_gap(chat_id, account, stream, (first, last), state);
        }
        if why == GapState::Filled {
            // Whoever was about to help hears soon that it needn't.
            self.owe_report_soon(chat_id);
        }
    }

    fn tell_gap(&mut self, chat: ChatId, account: AccountId, stream: StreamId, range: (u64, u64), state: GapState) {
        self.event(&EventRow::Gap {
            chat,
            account,
            device: stream.device,
            first: range.0,
            last: range.1,
            state,
        });
    }

    /// Shows gaps whose grace is over, and does what is due about those that are open.
    pub(super) fn gaps_if_due(&mut self, now_ms: u64, chat_id: ChatId) -> Result<(), RowsError> {
        let grace = self.config.gap_grace_ms;
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return Ok(());
        };
        if chat.gaps.due_ms.is_none_or(|due| due > now_ms) {
            return Ok(());
        }
        chat.gaps.due_ms = None;
        if !chat.is_member() {
            return Ok(());
        }
        let quiet_ms = chat.gaps.busy_ms.saturating_add(grace);
        let mut opened = Vec::new();
        let mut next: Option<u64> = None;
        for ((stream, first), gap) in &mut chat.gaps.known {
            if gap.shown {
                continue;
            }
            let since = gap.row.since_ms.min(now_ms);
            let due = since
                .saturating_add(grace)
                .max(quiet_ms.min(since.saturating_add(BACKLOG_MS)));
            if due > now_ms {
                next = Some(next.map_or(due, |known| known.min(due)));
                continue;
            }
            gap.shown = true;
            gap.row.due_ms = now_ms;
            chat.gaps.dirty.insert((*stream, *first));
            for (first, last) in gap.row.missing.ranges() {
                opened.push((gap.row.account, *stream, (*first, *last)));
            }
        }
        if !opened.is_empty() {
            self.dirty.chats.insert(chat_id);
        }
        for (account, stream, range) in opened {
            self.tell_gap(chat_id, account, stream, range, GapState::Open);
        }
        let fill = self.fill_gaps(now_ms, chat_id)?;
        if let Some(chat) = self.chats.get_mut(&chat_id) {
            let due = [chat.gaps.due_ms, next, fill].into_iter().flatten().min();
            chat.gaps.due_ms = due;
        }
        Ok(())
    }
}

/// Sets a stream's baseline.
fn row_from(chat: &mut Chat, stream: StreamId, from: u64) {
    if let Some(row) = chat.streams.get_mut(&stream) {
        row.from = from;
        chat.streams_dirty.insert(stream);
    }
}
