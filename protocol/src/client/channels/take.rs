//! What comes of a channel: entries and beacons, in any order and from anywhere, and what contradicts what is here.

use super::digest::facts;
use super::rows::{EntryRow, key};
use super::{Channel, view};
use crate::channel::{Act, Authority, Beacon, Entry, Evidence, Proof, Statement};
use crate::client::records::encode_small;
use crate::client::{Client, EventRow};
use crate::envelope::Envelope;
use crate::keys::{ChannelId, EnvelopeId, TransportKey, WriterId};
use crate::limits;
use crate::rows::{Rows, RowsError, Tree};
use crate::wire::Wire;
use std::collections::BTreeSet;

/// An envelope of a channel that was verified.
pub(super) struct Arrived {
    pub envelope: Envelope,
    pub came: Came,
    /// Who gossiped it, and the network's id of it: a verdict is owed.
    pub gossip: Option<(TransportKey, [u8; 16])>,
}

/// How it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// By itself.
    Live,
    /// It was asked for.
    Found,
    /// With the first that is heard of the channel.
    First,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is stored.
    New,
    /// It contradicts what is stored, which wasn't known.
    Proof,
    /// It was known, or counts for nothing.
    Nothing,
}

/// Entries that one step removes when a channel has too many.
const TRIMMED: usize = 64;

impl Client {
    /// Takes a verified envelope of a channel at the end of the input.
    pub(in crate::client) fn channel_envelope(&mut self, envelope: &Envelope) {
        self.channels.arrived.push(Arrived {
            envelope: envelope.clone(),
            came: Came::Live,
            gossip: None,
        });
    }

    pub(in crate::client) fn take_channels(&mut self, now_ms: u64, rows: &dyn Rows) -> Result<(), RowsError> {
        let mut touched = BTreeSet::new();
        for arrived in std::mem::take(&mut self.channels.arrived) {
            let id = ChannelId(arrived.envelope.topic().0);
            let proofs = self.proofs(&id);
            let mut fate = self.take_arrived(now_ms, id, &arrived, rows)?;
            if self.proofs(&id) > proofs {
                fate = Fate::Proof;
            }
            touched.insert(id);
            self.pass_on_entry(id, &arrived, fate);
        }
        for id in touched {
            self.trim_channel(id, rows)?;
            self.watch_gaps(now_ms, id);
            self.cover_writers(now_ms, id, rows)?;
        }
        self.answer_readers();
        self.let_go_of_relays(now_ms)?;
        self.count_ballots(rows)?;
        self.deposit_again(now_ms, rows)
    }

    fn proofs(&self, id: &ChannelId) -> u32 {
        self.channels.by_id.get(id).map_or(0, |channel| channel.row.evidence)
    }

    fn take_arrived(
        &mut self,
        now_ms: u64,
        id: ChannelId,
        Arrived { envelope, came, .. }: &Arrived,
        rows: &dyn Rows,
    ) -> Result<Fate, RowsError> {
        let open = self.channels.by_id.get(&id).is_some_and(Channel::is_open);
        let Some(authority) = envelope.authority().filter(|_| open).cloned() else {
            return Ok(Fate::Nothing);
        };
        match Statement::decode(envelope.body()) {
            Ok(Statement::Entry(entry)) => self.take_entry(now_ms, id, (envelope, *came), &authority, &entry, rows),
            Ok(Statement::Beacon(beacon)) => self.take_beacon(now_ms, id, envelope, authority, *beacon, rows),
            // Of a later version, or signed nonsense: nothing that a reader can use.
            Ok(Statement::Unknown { .. }) | Err(_) => Ok(Fate::Nothing),
        }
    }

    pub(super) fn entry_at(
        &self,
        id: &ChannelId,
        writer: WriterId,
        number: u64,
        rows: &dyn Rows,
    ) -> Result<Option<Envelope>, RowsError> {
        let stored = self
            .fresh
            .get(rows, Tree::ChannelEntries, &key::entry(id, &(writer, number)))?;
        let Some(stored) = stored else {
            return Ok(None);
        };
        let row: EntryRow = crate::client::records::decode(&stored)?;
        Ok(Envelope::trusted(&row.envelope).ok())
    }

    fn take_entry(
        &mut self,
        now_ms: u64,
        id: ChannelId,
        (envelope, came): (&Envelope, Came),
        authority: &Authority,
        entry: &Entry,
        rows: &dyn Rows,
    ) -> Result<Fate, RowsError> {
        let (writer, number) = (authority.writer, entry.number);
        if let Some(known) = self.entry_at(&id, writer, number, rows)? {
            if known.id() != envelope.id() {
                self.keep_evidence(now_ms, id, &known, envelope)?;
            }
            return Ok(Fate::Nothing);
        }
        let mut contradicted = false;
        let beacon = self.channels.by_id.get(&id).map(|channel| channel.row.beacon.clone());
        if let Some(beacon) = beacon.and_then(|bytes| Envelope::trusted(&bytes).ok()) {
            contradicted = self.keep_evidence(now_ms, id, &beacon, envelope)?;
        }
        for neighbour in [number.checked_sub(1), number.checked_add(1)].into_iter().flatten() {
            if let Some(known) = self.entry_at(&id, writer, neighbour, rows)? {
                self.keep_evidence(now_ms, id, &known, envelope)?;
            }
        }
        let Some(channel) = self.channels.by_id.get_mut(&id) else {
            return Ok(Fate::Nothing);
        };
        channel.dirty = true;
        let (since_ms, begins) = (channel.row.since_ms, channel.begins(&writer));
        let Some(state) = channel.writer(writer).filter(|_| !contradicted) else {
            return Ok(Fate::Nothing);
        };
        if !state.received.insert(number) {
            return Ok(Fate::Nothing);
        }
        let known = state.from > 0;
        if !known {
            state.from = if begins && came == Came::Live { 1 } else { number };
        }
        if state.first == 0 {
            state.first = state.from;
        }
        // What a relay serves of the time before isn't told as new, however it serves it.
        let news = match came {
            Came::Live => number >= state.first,
            Came::Found => known && number > state.first && entry.time_ms >= since_ms,
            // It was posted between the wish to follow and the relay's first answer.
            Came::First => entry.time_ms > since_ms,
        };
        state.last = state.last.max(number);
        state.from = state.from.min(number);
        // A copy of this data went on: its numbers aren't given twice.
        if let Some(pen) = channel.row.pen.as_mut().filter(|pen| pen.secret.public() == writer)
            && pen.number < number
        {
            (pen.number, pen.previous) = (number, envelope.id());
        }
        let place = (writer, number);
        // A time of the future shows as that of its coming.
        let time_ms = entry.time_ms.min(now_ms);
        let void = view::void_of(authority, entry, channel.beacon.as_ref().map(|(beacon, _)| beacon)).is_some();
        let ours = channel
            .row
            .pen
            .as_ref()
            .is_some_and(|pen| pen.secret.public() == writer);
        if channel.row.own.is_some() && !ours && !void && authority.holds_at(now_ms / 1000) {
            channel.covers.insert(writer);
        }
        channel.row.kept += 1;
        channel.row.kept_bytes += envelope.bytes().len() as u64;
        if !void {
            channel.row.last_ms = channel.row.last_ms.max(time_ms);
        }
        let row = encode_small(&EntryRow {
            envelope: envelope.bytes().to_vec(),
            received_ms: now_ms,
        })?;
        let stored = key::entry(&id, &place);
        let kind = match &entry.act {
            Act::Post(post) if channel.row.own.is_none() && channel.row.terms.unwanted(&facts(post)).is_some() => {
                key::Kind::Unwanted
            }
            Act::Post(_) => key::Kind::Post,
            _ => key::Kind::Act,
        };
        if let Act::Post(post) = &entry.act
            && news
            && !void
        {
            self.weigh_post(now_ms, id, (envelope.id(), time_ms), post, rows)?;
        }
        self.put_fresh(Tree::ChannelEntries, stored.clone(), row);
        self.put_fresh(Tree::ChannelIds, key::id(&envelope.id()), stored);
        self.put_fresh(
            Tree::ChannelTimeline,
            key::timeline(&id, time_ms, number, &envelope.id()),
            key::on_timeline(kind, &place),
        );
        if let Act::Post(post) = &entry.act
            && news
            && !void
        {
            self.post_files_came(now_ms, id, &post.files());
        }
        match &entry.act {
            Act::Edit { target, .. } | Act::Retract { target, .. } => {
                let mark = key::mark(&id, target, &envelope.id());
                self.put_fresh(Tree::ChannelMarks, mark, key::on_timeline(key::Kind::Act, &place));
                if news && !void {
                    self.event(&EventRow::ChannelPostUpdated {
                        channel: id,
                        post: *target,
                    });
                }
            }
            Act::Post(_) | Act::Unknown { .. } => {}
        }
        #[cfg(feature = "sim")] // A fault on purpose.
        let void = void || kind == key::Kind::Unwanted && self.config.sabotage == crate::client::Sabotage::TermsShown;
        Ok(if void { Fate::Nothing } else { Fate::New })
    }

    fn take_beacon(
        &mut self,
        now_ms: u64,
        id: ChannelId,
        envelope: &Envelope,
        authority: Authority,
        beacon: Beacon,
        rows: &dyn Rows,
    ) -> Result<Fate, RowsError> {
        if !authority.is_root() {
            return Ok(Fate::Nothing);
        }
        for head in &beacon.heads {
            if let Some(known) = self.entry_at(&id, head.writer, head.number, rows)?
                && known.id() != head.id
            {
                self.keep_evidence(now_ms, id, &known, envelope)?;
            }
        }
        let Some(channel) = self.channels.by_id.get(&id) else {
            return Ok(Fate::Nothing);
        };
        if let Some((known, by)) = &channel.beacon {
            let (rank, known_rank) = (authority.rank(), by.rank());
            let same_root = authority.writer == by.writer;
            let later = beacon.number > known.number;
            if same_root
                && let Ok(known) = Envelope::trusted(&channel.row.beacon)
                && self.keep_evidence(now_ms, id, &known, envelope)?
            {
                return Ok(Fate::Nothing);
            }
            if rank < known_rank || rank == known_rank && !later {
                return Ok(Fate::Nothing);
            }
        }
        let Some(channel) = self.channels.by_id.get_mut(&id) else {
            return Ok(Fate::Nothing);
        };
        channel.dirty = true;
        let ours = channel
            .signatory(&id)
            .map(|ours| ours.authority().rank())
            .unwrap_or_default();
        let before = channel.beacon.as_ref().map(|(known, _)| &known.manifest);
        let told = before != Some(&beacon.manifest);
        let moved = before.is_none_or(|known| known.relays != beacon.manifest.relays);
        let edits = before.is_some() && channel.row.own.is_none();
        if let Some(own) = &mut channel.row.own {
            own.beacon = own.beacon.max(beacon.number);
            // Another root comes before this one, by hand-over or recovery.
            if authority.rank() > ours {
                channel.row.own = None;
                channel.row.followed = true;
            }
        }
        channel.go_on_from(&beacon);
        for head in &beacon.heads {
            let begins = channel.begins(&head.writer);
            if let Some(state) = channel.writer(head.writer) {
                state.last = state.last.max(head.number);
                if state.from == 0 {
                    state.from = if begins { 1 } else { head.number };
                    state.first = state.from;
                }
            }
        }
        channel.row.beacon = envelope.bytes().to_vec();
        channel.row.beacon_ms = now_ms;
        channel.beacon = Some((beacon, authority));
        if told {
            self.event(&EventRow::ChannelUpdated { channel: id });
        }
        if moved {
            self.refresh_links(now_ms)?;
            // An editor hands its own entries to the new ones itself.
            if edits {
                self.channel_forgotten(id);
            }
        }
        Ok(Fate::New)
    }

    /// Keeps two envelopes that contradict each other; true if they do.
    fn keep_evidence(
        &mut self,
        now_ms: u64,
        id: ChannelId,
        one: &Envelope,
        other: &Envelope,
    ) -> Result<bool, RowsError> {
        let Some(proof) = Proof::of(one, other) else {
            return Ok(false);
        };
        let Some(channel) = self.channels.by_id.get_mut(&id) else {
            return Ok(true);
        };
        if channel.proofs.contains(&proof) || channel.proofs.len() >= limits::CHANNEL_EVIDENCE {
            return Ok(true);
        }
        channel.proofs.push(proof);
        let number = channel.row.evidence;
        channel.row.evidence += 1;
        channel.dirty = true;
        let evidence = Evidence {
            one: one.bytes().to_vec(),
            other: other.bytes().to_vec(),
        };
        self.put_fresh(Tree::ChannelEvidence, key::evidence(&id, number), evidence.encode());
        self.event(&EventRow::ChannelEvidence { channel: id, number });
        self.tell_evidence(now_ms, id, one, other);
        Ok(true)
    }

    /// Removes the oldest entries of a channel that is followed, where it has too many.
    fn trim_channel(&mut self, id: ChannelId, rows: &dyn Rows) -> Result<(), RowsError> {
        let Some(channel) = self.channels.by_id.get(&id).filter(|channel| channel.row.own.is_none()) else {
            return Ok(());
        };
        let (mut kept, mut kept_bytes) = (channel.row.kept, channel.row.kept_bytes);
        let too_much = |kept: u64, bytes: u64| kept > limits::CHANNEL_ENTRIES || bytes > limits::CHANNEL_ENTRY_BYTES;
        if !too_much(kept, kept_bytes) {
            return Ok(());
        }
        let end = crate::rows::prefix_end(&id.0);
        let oldest = self.fresh.range(rows, Tree::ChannelTimeline, &id.0, &end, TRIMMED)?;
        for (stored, value) in oldest {
            if !too_much(kept, kept_bytes) {
                break;
            }
            if let Some((_, (writer, number))) = key::read_timeline(&value)
                && let Some(envelope) = self.entry_at(&id, writer, number, rows)?
            {
                kept_bytes = kept_bytes.saturating_sub(envelope.bytes().len() as u64);
                self.delete_fresh(Tree::ChannelEntries, key::entry(&id, &(writer, number)));
                self.delete_fresh(Tree::ChannelIds, key::id(&envelope.id()));
                self.trim_marks(&id, &envelope.id(), rows)?;
            }
            kept = kept.saturating_sub(1);
            self.delete_fresh(Tree::ChannelTimeline, stored);
        }
        if let Some(channel) = self.channels.by_id.get_mut(&id) {
            (channel.row.kept, channel.row.kept_bytes) = (kept, kept_bytes);
            channel.dirty = true;
        }
        Ok(())
    }

    fn trim_marks(&mut self, id: &ChannelId, target: &EnvelopeId, rows: &dyn Rows) -> Result<(), RowsError> {
        let from = key::marks(id, target);
        let to = crate::rows::prefix_end(&from);
        for (stored, _) in self.fresh.range(rows, Tree::ChannelMarks, &from, &to, TRIMMED)? {
            self.delete_fresh(Tree::ChannelMarks, stored);
        }
        Ok(())
    }
}
