//! Figures of channels: how many peers watch one, and to how many each of its newest entries was handed.
//!
//! Whom something was handed to is kept as a sketch (Flajolet and others, HyperLogLog, 2007) under marks that only this relay can make, in
//! memory, so that each peer counts once however often it asks, and no list of followers comes about. What is told is rounded, and told again for an hour.

use super::Relay;
use super::config::{BEACON_BYTES, BEACON_ROWS, READ_ONLY_RETRY_S, RETRY_S, ROWS_PER_READ};
use super::damage::{self, Found};
use super::stored::{self, LogRow};
use crate::channel::{Authority, Beacon, Inquiry, InquiryError, Statement, rounded};
use crate::custody::frames::{CustodianFrame, Item, Refusal};
use crate::custody::{AskFigures, Figures, Handed};
use crate::envelope::Envelope;
use crate::keys::{EnvelopeId, TopicId, TransportKey, TransportSecret, derive};
use crate::limits;
use crate::rows::{Rows, RowsError, Tree};
use crate::wire::Wire;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Entries of one channel that are counted, the newest (guess: what a brand looks at).
const PER_CHANNEL: usize = 64;
/// Entries of all channels that are counted; beyond, the one that was handed out first longest ago is no more (16 MB).
const IN_ALL: usize = 16_384;
/// Figures that are told again for their time; beyond, no others are told (1 MB).
const TOLD: usize = 16_384;
/// Peers that a sketch knows exactly.
const EXACT: usize = 128;
/// Registers of a sketch beyond that, a power of two: it errs by 3 % then, which rounding hides below a few hundred.
const REGISTERS: usize = 1024;
/// Bits of a mark that choose its register.
const REGISTER_BITS: u32 = REGISTERS.trailing_zeros();

/// By what a peer is counted: nobody else can tell whose it is, or choose it.
pub(super) fn mark(key: &TransportSecret, peer: &TransportKey) -> u64 {
    let bytes = derive("madang 1 relay handed", &[key.to_bytes().as_slice(), &peer.0]);
    bytes.iter().take(8).fold(0, |mark, byte| mark << 8 | u64::from(*byte))
}

/// Positions of what is counted of a page: entries of channels.
pub(super) fn counted(items: &[Item]) -> Vec<u64> {
    let is_entry = |item: &&Item| {
        Envelope::is_of_channel(&item.envelope)
            && Envelope::trusted(&item.envelope).is_ok_and(|envelope| Statement::is_entry(envelope.body()))
    };
    items.iter().filter(is_entry).map(|item| item.position).collect()
}

/// A set of peers by their marks: those, or what their number is estimated from.
#[derive(Debug)]
enum Sketch {
    Few(BTreeSet<u64>),
    Many(Box<[u8; REGISTERS]>),
}

impl Sketch {
    fn add(&mut self, mark: u64) {
        match self {
            Self::Few(marks) => {
                marks.insert(mark);
                if marks.len() > EXACT {
                    let marks = std::mem::take(marks);
                    *self = Self::Many(Box::new([0; REGISTERS]));
                    marks.into_iter().for_each(|mark| self.add(mark));
                }
            }
            Self::Many(registers) => {
                let place = (mark >> (u64::BITS - REGISTER_BITS)) as usize;
                // How many zeros the rest begins with, and one more.
                let rest = mark << REGISTER_BITS | 1 << (REGISTER_BITS - 1);
                let rank = rest.leading_zeros() as u8 + 1;
                if let Some(register) = registers.get_mut(place) {
                    *register = (*register).max(rank);
                }
            }
        }
    }

    fn count(&self) -> u64 {
        let registers = match self {
            Self::Few(marks) => return marks.len() as u64,
            Self::Many(registers) => registers,
        };
        let many = REGISTERS as f64;
        let sum: f64 = registers.iter().map(|rank| (-f64::from(*rank)).exp2()).sum();
        let estimate = 0.7213 / (1.0 + 1.079 / many) * many * many / sum;
        let empty = registers.iter().filter(|rank| **rank == 0).count();
        let count = match empty > 0 && estimate <= 2.5 * many {
            true => many * (many / empty as f64).ln(),
            false => estimate,
        };
        (count.round() as u64).max(EXACT as u64 + 1)
    }
}

/// An entry's count.
#[derive(Debug)]
struct Count {
    since_s: u64,
    /// Its place among all, by when they began.
    place: u64,
    sketch: Sketch,
}

/// A figure as it was told.
#[derive(Clone, Copy, Debug)]
struct Told {
    time_s: u64,
    figure: u32,
    since_s: u64,
}

/// What is counted and was told. Topics go by their numbers, which are never used again.
#[derive(Debug, Default)]
pub(super) struct Counts {
    of: BTreeMap<u64, BTreeMap<u64, Count>>,
    begun: BTreeMap<u64, (u64, u64)>,
    next_place: u64,
    /// By topic and position, 0 for watchers.
    told: BTreeMap<(u64, u64), Told>,
    /// The same in the order of their times.
    told_order: VecDeque<(u64, u64)>,
}

impl Counts {
    /// Counts what a peer is handed of a topic.
    pub fn hand(&mut self, now_s: u64, topic: u64, positions: &[u64], mark: u64) {
        for position in positions {
            if let Some(count) = self.of.get_mut(&topic).and_then(|of| of.get_mut(position)) {
                count.sketch.add(mark);
            } else if self.begin(now_s, topic, *position)
                && let Some(count) = self.of.get_mut(&topic).and_then(|of| of.get_mut(position))
            {
                count.sketch.add(mark);
            }
        }
    }

    /// Begins to count an entry; false if newer ones of its topic are enough.
    fn begin(&mut self, now_s: u64, topic: u64, position: u64) -> bool {
        let of = self.of.entry(topic).or_default();
        let oldest = of.first_key_value().map(|(oldest, _)| *oldest);
        if let Some(oldest) = oldest.filter(|_| of.len() >= PER_CHANNEL) {
            if position < oldest {
                return false;
            }
            self.end(topic, oldest);
        } else if self.begun.len() >= IN_ALL
            && let Some((_, (topic, position))) = self.begun.first_key_value()
        {
            self.end(*topic, *position);
        }
        self.next_place += 1;
        let count = Count {
            since_s: now_s,
            place: self.next_place,
            sketch: Sketch::Few(BTreeSet::new()),
        };
        self.begun.insert(count.place, (topic, position));
        self.of.entry(topic).or_default().insert(position, count);
        true
    }

    fn end(&mut self, topic: u64, position: u64) {
        let Some(of) = self.of.get_mut(&topic) else {
            return;
        };
        if let Some(gone) = of.remove(&position) {
            self.begun.remove(&gone.place);
        }
        if of.is_empty() {
            self.of.remove(&topic);
        }
    }

    /// What was told of a place lately; else what is told from now on. None if too much is told.
    fn tell(&mut self, now_s: u64, place: (u64, u64), people: u64, since_s: u64) -> Option<Told> {
        while let Some(first) = self.told_order.front() {
            let told = self.told.get(first);
            if told.is_some_and(|told| told.time_s.abs_diff(now_s) < limits::FIGURES_SECONDS) {
                break;
            }
            self.told.remove(first);
            self.told_order.pop_front();
        }
        if let Some(told) = self.told.get(&place) {
            return Some(*told);
        }
        if self.told.len() >= TOLD {
            return None;
        }
        let told = Told {
            time_s: now_s,
            figure: u32::try_from(rounded(people)).unwrap_or(0),
            since_s,
        };
        self.told.insert(place, told);
        self.told_order.push_back(place);
        Some(told)
    }
}

impl Relay {
    pub(super) fn figures(
        &mut self,
        now_s: u64,
        peer: TransportKey,
        ask: &AskFigures,
        rows: &dyn Rows,
    ) -> Result<(), RowsError> {
        if self.too_often(now_s, peer, ask.request) {
            return Ok(());
        }
        let figures = match self.figures_for(now_s, peer, ask, rows) {
            Err(_) if self.read_only => Err((Refusal::ReadOnly, READ_ONLY_RETRY_S)),
            figures => figures?,
        };
        match figures {
            Ok(figures) => {
                self.stats.figures += 1;
                self.send(peer, &CustodianFrame::Figures(figures));
            }
            Err((why, retry_after_s)) => self.refuse_watch(peer, ask.request, why, retry_after_s),
        }
        Ok(())
    }

    fn figures_for(
        &mut self,
        now_s: u64,
        peer: TransportKey,
        ask: &AskFigures,
        rows: &dyn Rows,
    ) -> Result<Result<Figures, (Refusal, u32)>, RowsError> {
        let inquiry = Inquiry::decode(&ask.inquiry).map_err(InquiryError::from);
        let verified = inquiry.and_then(|inquiry| {
            inquiry.verify(&self.key.public(), &peer, now_s)?;
            Ok(inquiry)
        });
        let inquiry = match verified {
            Ok(inquiry) => inquiry,
            // Clocks differ; another one is signed next time.
            Err(InquiryError::Expired) => return Ok(Err((Refusal::Busy, RETRY_S))),
            Err(InquiryError::NotAllowed) => return Ok(Err((Refusal::NotAllowed, 0))),
            Err(InquiryError::Others) => return Ok(Err((Refusal::Invalid, 0))),
            Err(InquiryError::Decode(_) | InquiryError::Signature(_)) => {
                self.penalise(peer, "a question for figures that isn't by a channel's writer");
                return Ok(Err((Refusal::Invalid, 0)));
            }
        };
        let id = inquiry.channel.topic();
        let topic = self.topics.load(id, rows, &self.config, &mut self.damage)?;
        let (number, kept) = (topic.row.number, topic.kept && topic.row.count > 0);
        let watchers = topic.watchers.len() as u64;
        if !self.may_use(&peer, &id) {
            return Ok(Err((Refusal::NotAdmitted, 0)));
        }
        if !kept {
            return Ok(Err((Refusal::NotFound, RETRY_S)));
        }
        let word = self.newest_beacon(now_s, id, rows)?;
        if !may_be_told(&inquiry.authority(), word.as_ref()) {
            return Ok(Err((Refusal::NotAllowed, 0)));
        }
        let counts = &mut self.counts;
        let Some(watching) = counts.tell(now_s, (number, 0), watchers, now_s) else {
            return Ok(Err((Refusal::Busy, RETRY_S)));
        };
        let mut handed = None;
        if let Some(post) = &ask.post
            && let Some(position) = position_of(number, id, post, rows)?
            && let Some(count) = counts.of.get(&number).and_then(|of| of.get(&position))
        {
            let (people, since_s) = (count.sketch.count(), count.since_s);
            let Some(told) = counts.tell(now_s, (number, position), people, since_s) else {
                return Ok(Err((Refusal::Busy, RETRY_S)));
            };
            handed = Some(Handed {
                time_s: told.time_s,
                since_s: told.since_s,
                peers: told.figure,
            });
        }
        Ok(Ok(Figures {
            request: ask.request,
            time_s: watching.time_s,
            watchers: watching.figure,
            handed,
        }))
    }

    /// The word of the root that comes first among those whose beacons are in the newest envelopes here.
    fn newest_beacon(
        &mut self,
        now_s: u64,
        id: TopicId,
        rows: &dyn Rows,
    ) -> Result<Option<(Authority, Beacon)>, RowsError> {
        let topic = self.topics.load(id, rows, &self.config, &mut self.damage)?;
        let (number, base) = (topic.row.number, topic.row.base.position);
        let mut end = topic.flushed.position;
        let (mut looked, mut bytes) = (0, 0);
        let mut best: Option<(Authority, Beacon)> = None;
        while end > base && looked < BEACON_ROWS && bytes < BEACON_BYTES {
            let start = end.saturating_sub(ROWS_PER_READ as u64).max(base) + 1;
            for (_, value) in damage::log(rows, number, start, end, ROWS_PER_READ)? {
                looked += 1;
                bytes += value.as_ref().map_or(0, Vec::len);
                let row = value.as_deref().and_then(LogRow::decode).and_then(|row| row.kept);
                let Some(kept) = row.filter(|kept| kept.until_s > now_s) else {
                    continue;
                };
                if let Some(found) = beacon(&kept.envelope(&id))
                    && best.as_ref().is_none_or(|best| order(best) < order(&found))
                {
                    best = Some(found);
                }
            }
            end = start - 1;
        }
        Ok(best)
    }
}

/// Reads a root's beacon.
fn beacon(envelope: &[u8]) -> Option<(Authority, Beacon)> {
    let envelope = Envelope::trusted(envelope).ok()?;
    let authority = envelope.authority().filter(|authority| authority.is_root())?.clone();
    match Statement::decode(envelope.body()).ok()? {
        Statement::Beacon(beacon) => Some((authority, *beacon)),
        _ => None,
    }
}

fn order((authority, beacon): &(Authority, Beacon)) -> ((bool, usize), u64) {
    (authority.rank(), beacon.number)
}

/// Whether the word of the root that counts leaves somebody the right to be told: it names none of the keys as revoked, and no later root
/// has come. A writer that isn't root needs such a word.
fn may_be_told(who: &Authority, word: Option<&(Authority, Beacon)>) -> bool {
    let Some((root, beacon)) = word else {
        return who.is_root();
    };
    let revoked = who.chain.iter().any(|known| beacon.revocation(&known.writer).is_some());
    !revoked && (!who.is_root() || who.rank() >= root.rank())
}

/// Where an envelope is in a topic's log.
fn position_of(number: u64, topic: TopicId, id: &EnvelopeId, rows: &dyn Rows) -> Result<Option<u64>, RowsError> {
    let Found::Whole(value) = damage::look(rows, Tree::RelayIds, &stored::id_key(number, id))? else {
        return Ok(None);
    };
    let Some(position) = stored::id_position(&value) else {
        return Ok(None);
    };
    let Found::Whole(value) = damage::look(rows, Tree::RelayLog, &stored::log_key(number, position))? else {
        return Ok(None);
    };
    let kept = LogRow::decode(&value).and_then(|row| row.kept);
    Ok(kept.is_some_and(|kept| kept.id(&topic) == *id).then_some(position))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(many: u64) -> impl Iterator<Item = u64> {
        let key = TransportSecret::from_bytes([1; 32]);
        (0..many).map(move |n| {
            let mut peer = [0; 32];
            peer.iter_mut().zip(n.to_be_bytes()).for_each(|(to, from)| *to = from);
            mark(&key, &TransportKey(peer))
        })
    }

    #[test]
    fn a_sketch_counts_each_once_exactly_while_they_are_few_and_nearly_beyond() {
        for many in [0, 1, 19, 20, 128, 129, 500, 2_000, 3_000, 10_000, 100_000] {
            let mut sketch = Sketch::Few(BTreeSet::new());
            for mark in marks(many).chain(marks(many)) {
                sketch.add(mark);
            }
            let off = sketch.count().abs_diff(many);
            let most = if many <= EXACT as u64 { 0 } else { many / 10 };
            assert!(off <= most, "{} for {many}", sketch.count());
        }
    }

    #[test]
    fn f21_no_channel_and_no_number_of_channels_takes_more_than_its_room() {
        let mut counts = Counts::default();
        for position in 1..=1_000 {
            counts.hand(5, 1, &[position], 7);
        }
        let of: Vec<u64> = counts
            .of
            .get(&1)
            .into_iter()
            .flat_map(BTreeMap::keys)
            .copied()
            .collect();
        assert_eq!(of, (937..=1_000).collect::<Vec<u64>>(), "the newest");
        counts.hand(5, 1, &[3], 7);
        assert_eq!(counts.begun.len(), PER_CHANNEL, "reading back takes no place");
        for topic in 2..=IN_ALL as u64 + 1 {
            counts.hand(6, topic, &[1], 7);
        }
        assert_eq!(counts.begun.len(), IN_ALL);
        let all: usize = counts.of.values().map(BTreeMap::len).sum();
        assert_eq!(all, IN_ALL);
        assert!(!counts.of.contains_key(&1) && counts.of.contains_key(&2));
    }

    #[test]
    fn f25_a_figure_stays_for_its_time_whatever_has_changed_and_no_flood_cuts_that_short() {
        let mut counts = Counts::default();
        let mut told = |now_s: u64, topic: u64, people: u64| {
            let told = counts.tell(now_s, (topic, 0), people, now_s);
            told.map(|told| (told.time_s, told.figure))
        };
        assert_eq!(told(1_000, 1, 39), Some((1_000, 30)));
        assert_eq!(told(1_000 + limits::FIGURES_SECONDS - 1, 1, 40), Some((1_000, 30)));
        let later_s = 1_000 + limits::FIGURES_SECONDS;
        assert_eq!(told(later_s, 1, 40), Some((later_s, 40)));
        for topic in 2..=TOLD as u64 {
            assert_eq!(told(later_s, topic, 19), Some((later_s, 0)));
        }
        assert_eq!(told(later_s + 1, 0, 40), None, "too much is told");
        assert_eq!(told(later_s + 1, 1, 99), Some((later_s, 40)));
        assert!(told(later_s + limits::FIGURES_SECONDS, 0, 40).is_some());
    }
}
