//! Polls: a follower's answer goes to the box that the post names, sealed to whoever posted it, under a name that is made for this one
//! poll; whoever posted it counts ([spec/channel.md], section 11; ADR 0019).
//!
//! [spec/channel.md]: ../../../spec/channel.md

use super::rows::{BoxRow, VoteRow, key};
use super::{NOT_FOR_OWN, view};
use crate::channel::{Act, Ballot, BallotBox, PollResult, Post, PostBody, rounded};
use crate::client::inbound::Taken;
use crate::client::outbox::OutWhat;
use crate::client::records::{OutKind, decode, encode_small};
use crate::client::{Client, CommandError, EventRow, Reply, TopicUse};
use crate::envelope::Envelope;
use crate::keys::{ChannelId, EnvelopeId, TopicId, TopicSecret, TransportKey};
use crate::limits;
use crate::rows::{Rows, RowsError, Tree};
use crate::seal::{self, Purpose};
use crate::wire::Wire;
use std::collections::BTreeMap;

/// Answers of one poll that are let go of in one step once it is over.
const CLEARED: usize = 512;
/// Answers that one input leaves to be counted at its end: those of a page.
const ARRIVED: usize = limits::PAGE_BYTES / 256;

/// A poll of ours.
pub(super) struct PollBox {
    pub channel: ChannelId,
    pub row: BoxRow,
}

/// What this device knows of polls beside their rows.
pub(in crate::client) struct Polls {
    boxes: BTreeMap<TopicId, PollBox>,
    /// Sealed answers that came, to be counted at the end of the input.
    arrived: Vec<(TopicId, Vec<u8>)>,
    /// Answers that each poll may have us open.
    shares: crate::client::serve::Shares,
    /// Own answers on their way: their places in the outbox, and when their polls are over.
    sent: BTreeMap<TopicId, (u64, u64)>,
}

impl Default for Polls {
    fn default() -> Self {
        let (burst, per_second) = limits::BALLOTS_SHARE;
        Self {
            boxes: BTreeMap::new(),
            arrived: Vec::new(),
            shares: crate::client::serve::Shares::new(burst, per_second),
            sent: BTreeMap::new(),
        }
    }
}

impl Polls {
    #[cfg(any(test, feature = "sim"))]
    pub fn rows(&self) -> impl Iterator<Item = &BoxRow> {
        self.boxes.values().map(|known| &known.row)
    }

    /// When a poll is over that is still counted, or an answer isn't worth sending any more.
    pub fn timer(&self) -> Option<u64> {
        let open = self.boxes.values().filter(|known| !known.row.cleared);
        let ends = open.map(|known| known.row.until_s.saturating_mul(1000));
        ends.chain(self.sent.values().map(|(_, until_ms)| *until_ms)).min()
    }

    /// What is no longer in the outbox isn't on its way.
    pub(in crate::client) fn forget_sent(&mut self, number: u64, topic: &TopicId) {
        if self.sent.get(topic).is_some_and(|(known, _)| *known == number) {
            self.sent.remove(topic);
        }
    }

    /// The topics of those of a channel that are counted.
    pub(in crate::client) fn watched(&self, channel: ChannelId) -> impl Iterator<Item = TopicId> {
        let open = self.boxes.iter().filter(|(_, known)| known.row.private.is_some());
        open.filter(move |(_, known)| known.channel == channel)
            .map(|(topic, _)| *topic)
    }
}

impl Client {
    /// Polls that are counted, and who answered each: for the simulator.
    #[cfg(feature = "sim")]
    pub(crate) fn counted_polls(&self) -> impl Iterator<Item = (EnvelopeId, u32)> {
        let open = self.channels.polls.rows().filter(|row| row.private.is_some());
        open.map(|row| (row.post, row.voters))
    }

    pub(super) fn load_polls(&mut self, rows: &dyn Rows, id: ChannelId) -> Result<(), RowsError> {
        for (stored, value) in rows.prefix(Tree::ChannelVotes, &key::boxes(&id), usize::MAX)? {
            let Some(topic) = key::topic_of_box(&stored) else {
                continue;
            };
            let row: BoxRow = decode(&value)?;
            if row.private.is_some() {
                self.topics.insert(topic, TopicUse::Ballots);
            }
            self.channels.polls.boxes.insert(topic, PollBox { channel: id, row });
        }
        Ok(())
    }

    /// A channel is let go of, with what is on its way.
    pub(super) fn forget_polls(&mut self, id: ChannelId) {
        let polls = &mut self.channels.polls;
        let topics = &mut self.topics;
        polls.boxes.retain(|topic, known| {
            if known.channel == id {
                topics.remove(topic);
            }
            known.channel != id
        });
        let of_channel = |number: &u64| {
            let what = self.outs.get(number).map(|out| &out.what);
            matches!(what, Some(OutWhat::Row(OutKind::Ballot { channel, .. })) if *channel == id)
        };
        let sent = polls.sent.iter().filter(|(_, (number, _))| of_channel(number));
        let gone: Vec<TopicId> = sent.map(|(topic, _)| *topic).collect();
        for topic in gone {
            self.drop_sent(&topic);
        }
    }

    /// An own answer waits in the outbox.
    pub(in crate::client) fn note_ballot(&mut self, number: u64, what: &OutWhat, topic: TopicId) {
        if let OutWhat::Row(OutKind::Ballot { until_ms, .. }) = what {
            self.channels.polls.sent.insert(topic, (number, *until_ms));
        }
    }

    /// A poll gets a box, unless it goes on with that of the same poll before; another body has none. Whatever a post has that isn't a
    /// poll's stays.
    pub(super) fn with_box(
        &mut self,
        now_ms: u64,
        mut post: Post,
        before: Option<&Post>,
    ) -> Result<(Post, Option<(TopicId, BoxRow)>), CommandError> {
        let PostBody::Poll(poll) = &post.body else {
            return Ok((post, None));
        };
        if let Some((_, known)) = before.and_then(BallotBox::of).filter(|(same, _)| *same == poll) {
            known.put(before.and_then(PollResult::of).as_ref(), &mut post);
            return Ok((post, None));
        }
        self.room_for_poll()?;
        let suite = self.config.suite;
        let fault = |_| CommandError::Invalid {
            field: "post",
            reason: "no key could be made for its answers",
        };
        let (private, seal_key) = self.crypto.hpke_key_pair(suite).map_err(fault)?;
        let ballots = BallotBox {
            secret: TopicSecret::from_bytes(self.crypto.random()),
            suite,
            seal_key,
            until_s: (now_ms / 1000).saturating_add(limits::POLL_SECONDS),
        };
        let row = BoxRow {
            post: EnvelopeId([0; 32]),
            suite: suite.number(),
            private: Some(private.into()),
            until_s: ballots.until_s,
            multiple: poll.multiple,
            kept: 0,
            voters: 0,
            counts: vec![0; poll.options.len()],
            capped: false,
            told: 0,
            cleared: false,
        };
        ballots.put(None, &mut post);
        Ok((post, Some((ballots.topic(), row))))
    }

    /// Of polls that are over the oldest gives way.
    fn room_for_poll(&mut self) -> Result<(), CommandError> {
        let polls = &self.channels.polls.boxes;
        if polls.len() < limits::POLLS {
            return Ok(());
        }
        let over = polls.iter().filter(|(_, known)| known.row.cleared);
        let Some((topic, channel)) = over
            .min_by_key(|(_, known)| known.row.until_s)
            .map(|(topic, known)| (*topic, known.channel))
        else {
            return Err(CommandError::Limit {
                what: "polls that can be answered",
                limit: limits::POLLS,
            });
        };
        self.channels.polls.boxes.remove(&topic);
        self.delete_fresh(Tree::ChannelVotes, key::ballot_box(&channel, &topic));
        Ok(())
    }

    /// From now on the answers to a post are counted.
    pub(super) fn open_box(
        &mut self,
        channel: ChannelId,
        post: EnvelopeId,
        (topic, row): (TopicId, BoxRow),
    ) -> Result<(), RowsError> {
        let row = BoxRow { post, ..row };
        self.topics.insert(topic, TopicUse::Ballots);
        self.channels.polls.boxes.insert(topic, PollBox { channel, row });
        self.write_box(topic)?;
        self.watch_polls();
        Ok(())
    }

    fn write_box(&mut self, topic: TopicId) -> Result<(), RowsError> {
        let Some(known) = self.channels.polls.boxes.get(&topic) else {
            return Ok(());
        };
        let (stored, row) = (key::ballot_box(&known.channel, &topic), encode_small(&known.row)?);
        self.put_fresh(Tree::ChannelVotes, stored, row);
        Ok(())
    }

    fn watch_polls(&mut self) {
        let peers: Vec<TransportKey> = self.links.keys().copied().collect();
        for peer in peers {
            self.refresh_watches(peer);
        }
    }

    /// The answers to a post aren't counted any more, but for those of one box.
    pub(super) fn close_boxes(
        &mut self,
        post: &EnvelopeId,
        but: Option<TopicId>,
        rows: &dyn Rows,
    ) -> Result<(), RowsError> {
        let polls = self.channels.polls.boxes.iter();
        let closed = polls.filter(|(topic, known)| known.row.post == *post && Some(**topic) != but);
        let closed: Vec<TopicId> = closed.map(|(topic, _)| *topic).collect();
        for topic in closed {
            self.clear_box(topic, rows)?;
        }
        Ok(())
    }

    /// Ends the counting of a poll, and lets go of its answers, as many as one step may.
    fn clear_box(&mut self, topic: TopicId, rows: &dyn Rows) -> Result<(), RowsError> {
        let Some(known) = self.channels.polls.boxes.get_mut(&topic) else {
            return Ok(());
        };
        let was_open = known.row.private.take().is_some();
        // Whatever was chosen when is forgotten; the sums stay.
        known.row.until_s = known.row.until_s.min(self.last_ms / 1000);
        let votes = key::votes(&known.channel, &topic);
        let end = crate::rows::prefix_end(&votes);
        let gone = self.fresh.range(rows, Tree::ChannelVotes, &votes, &end, CLEARED)?;
        let all = gone.len() < CLEARED;
        for (stored, _) in gone {
            self.delete_fresh(Tree::ChannelVotes, stored);
        }
        if let Some(known) = self.channels.polls.boxes.get_mut(&topic) {
            known.row.cleared = all;
        }
        if was_open {
            self.topics.remove(&topic);
            self.cursors.retain(|(peer, known), _| {
                if *known == topic {
                    self.dirty.cursors.insert((*peer, *known));
                }
                *known != topic
            });
            self.watch_polls();
        }
        self.write_box(topic)
    }

    pub(super) fn tick_polls(&mut self, now_ms: u64, rows: &dyn Rows) -> Result<(), RowsError> {
        // A clock that leapt would end them all (FAULTS 24).
        if now_ms < self.believed_ms() {
            return Ok(());
        }
        let ended = |known: &PollBox| !known.row.cleared && known.row.until_s.saturating_mul(1000) <= now_ms;
        let polls = self.channels.polls.boxes.iter();
        let over: Vec<TopicId> = polls
            .filter(|(_, known)| ended(known))
            .map(|(topic, _)| *topic)
            .collect();
        for topic in over {
            self.clear_box(topic, rows)?;
        }
        let sent = self.channels.polls.sent.iter();
        let late: Vec<TopicId> = sent
            .filter(|(_, (_, until_ms))| *until_ms <= now_ms)
            .map(|(topic, _)| *topic)
            .collect();
        for topic in late {
            self.drop_sent(&topic);
        }
        Ok(())
    }

    /// An own answer isn't sent any more.
    fn drop_sent(&mut self, topic: &TopicId) {
        if let Some((number, _)) = self.channels.polls.sent.get(topic).copied() {
            self.drop_out(number);
        }
    }

    /// A follower answers a poll.
    pub(super) fn vote_in_channel(
        &mut self,
        now_ms: u64,
        id: ChannelId,
        post: EnvelopeId,
        places: &[u8],
        rows: &dyn Rows,
    ) -> Result<Reply, CommandError> {
        let channel = self.channels.by_id.get(&id).filter(|channel| channel.is_open());
        let channel = channel.ok_or(CommandError::NotFound { field: "channel" })?;
        if channel.row.own.is_some() {
            return Err(NOT_FOR_OWN);
        }
        let found = view::post(rows, &post)?.filter(|found| found.channel == id && found.void.is_none());
        let found = found.filter(|found| found.retracted.is_none());
        let found = found.ok_or(CommandError::NotFound { field: "post" })?;
        let Some((poll, ballots)) = BallotBox::of(&found.post) else {
            return Err(CommandError::Invalid {
                field: "post",
                reason: "this isn't a poll that can be answered",
            });
        };
        if ballots.until_s <= now_ms / 1000 {
            return Err(CommandError::NotAllowed {
                reason: "the poll is over",
            });
        }
        let choices = Ballot::choose(poll, places).ok_or(CommandError::Invalid {
            field: "choices",
            reason: "must be options of the poll, each once, and one at most unless one may choose several",
        })?;
        let topic = ballots.topic();
        let stored = key::own_vote(&id, &topic);
        let before: Option<VoteRow> = match self.fresh.get(rows, Tree::ChannelVotes, &stored)? {
            Some(bytes) => Some(decode(&bytes)?),
            None => None,
        };
        if before.as_ref().is_some_and(|before| before.choices == choices) {
            return Ok(Reply::Done);
        }
        if self.outs.len() >= limits::OUTBOX_ITEMS {
            return Err(CommandError::Limit {
                what: "messages that wait to be delivered",
                limit: limits::OUTBOX_ITEMS,
            });
        }
        let vote = VoteRow {
            voter: before
                .as_ref()
                .map_or_else(|| self.crypto.random(), |before| before.voter),
            number: before.as_ref().map_or(1, |before| before.number.saturating_add(1)),
            choices,
        };
        let ballot = Ballot {
            voter: vote.voter,
            number: vote.number,
            choices,
        };
        let refused = CommandError::Invalid {
            field: "post",
            reason: "nothing can be sealed to the key that the poll names",
        };
        let sealed = seal::seal_to(
            &self.crypto,
            ballots.suite,
            &ballots.seal_key,
            Purpose::Ballot,
            topic,
            &ballot.encode(),
        );
        let envelope = sealed
            .ok()
            .and_then(|sealed| Envelope::sign(&ballots.secret, limits::CUSTODY_SECONDS, &sealed).ok());
        let envelope = envelope.ok_or(refused)?;
        self.put_fresh(Tree::ChannelVotes, stored, encode_small(&vote)?);
        self.drop_sent(&topic);
        let until_ms = ballots.until_s.saturating_mul(1000);
        let what = OutWhat::Row(OutKind::Ballot { channel: id, until_ms });
        self.add_out(now_ms, topic, what, envelope)?;
        self.event(&EventRow::ChannelPostUpdated { channel: id, post });
        Ok(Reply::Done)
    }

    /// An answer to a poll of ours came: it is counted at the end of the input, when rows can be read.
    pub(in crate::client) fn ballot_envelope(&mut self, now_ms: u64, envelope: &Envelope) -> Taken {
        let topic = envelope.topic();
        let polls = &mut self.channels.polls;
        // Anybody may write there: one poll takes only so much of our time, by its box's key.
        let may = polls.arrived.len() < ARRIVED && polls.shares.take(now_ms, TransportKey(topic.0));
        if may {
            polls.arrived.push((topic, envelope.body().to_vec()));
        } else if let Some(known) = polls.boxes.get_mut(&topic) {
            known.row.capped = true;
        }
        Taken::Yes
    }

    /// Counts the answers that came.
    pub(super) fn count_ballots(&mut self, rows: &dyn Rows) -> Result<(), RowsError> {
        let mut touched = Vec::new();
        for (topic, sealed) in std::mem::take(&mut self.channels.polls.arrived) {
            if self.count_ballot(topic, &sealed, rows)? && !touched.contains(&topic) {
                touched.push(topic);
            }
        }
        touched.into_iter().try_for_each(|topic| self.write_box(topic))
    }

    fn count_ballot(&mut self, topic: TopicId, sealed: &[u8], rows: &dyn Rows) -> Result<bool, RowsError> {
        let Some(known) = self.channels.polls.boxes.get_mut(&topic) else {
            return Ok(false);
        };
        let suite = crate::mls::Suite::from_number(known.row.suite);
        let (Some(private), Some(suite)) = (&known.row.private, suite) else {
            return Ok(false);
        };
        // Junk by somebody who can read the post.
        let Some(ballot) = seal::open_with(&self.crypto, suite, private, Purpose::Ballot, topic, sealed)
            .ok()
            .and_then(|bytes| Ballot::decode(&bytes).ok())
        else {
            return Ok(false);
        };
        let options = known.row.counts.len();
        let places = Ballot::places(ballot.choices);
        let fits = places.iter().all(|place| usize::from(*place) < options);
        if !fits || !known.row.multiple && places.len() > 1 {
            return Ok(false);
        }
        let stored = key::vote(&known.channel, &topic, &ballot.voter);
        let before: Option<VoteRow> = match self.fresh.get(rows, Tree::ChannelVotes, &stored)? {
            Some(bytes) => Some(decode(&bytes)?),
            None => None,
        };
        match &before {
            Some(before) if before.number >= ballot.number => return Ok(false),
            None if known.row.kept >= limits::POLL_VOTERS => {
                known.row.capped = true;
                return Ok(true);
            }
            Some(_) => {}
            None => known.row.kept += 1,
        }
        let was = before.map_or(0, |before| before.choices);
        known.row.count(was, ballot.choices);
        let row = encode_small(&VoteRow {
            voter: ballot.voter,
            number: ballot.number,
            choices: ballot.choices,
        })?;
        self.put_fresh(Tree::ChannelVotes, stored, row);
        Ok(true)
    }

    /// Tells followers what a poll has come to, in figures that name nobody.
    pub(super) fn publish_result(
        &mut self,
        now_ms: u64,
        id: ChannelId,
        target: EnvelopeId,
        rows: &dyn Rows,
    ) -> Result<Reply, CommandError> {
        let found = view::post(rows, &target)?.filter(|found| found.channel == id && found.retracted.is_none());
        let found = found.ok_or(CommandError::NotFound { field: "post" })?;
        let ours = BallotBox::of(&found.post).and_then(|(_, ballots)| {
            let known = self.channels.polls.boxes.get(&ballots.topic())?;
            Some((ballots, known.row.result(now_ms), known.row.told))
        });
        let (ballots, result, times) = ours.ok_or(CommandError::NotAllowed {
            reason: "only where a poll was posted its answers are counted",
        })?;
        let told = PollResult::of(&found.post);
        if told.is_some_and(|told| (told.voters, &told.counts) == (result.voters, &result.counts)) {
            return Ok(Reply::Done);
        }
        if times >= limits::POLL_RESULTS {
            return Err(CommandError::Limit {
                what: "results of one poll",
                limit: limits::POLL_RESULTS as usize,
            });
        }
        let mut post = found.post;
        ballots.put(Some(&result), &mut post);
        let act = Act::Edit { target, post };
        self.may_change(now_ms, &id, &target, &act, rows)?;
        self.act(now_ms, id, act)?;
        let topic = ballots.topic();
        if let Some(known) = self.channels.polls.boxes.get_mut(&topic) {
            known.row.told = times.saturating_add(1);
        }
        self.write_box(topic)?;
        Ok(Reply::Done)
    }
}

impl BoxRow {
    /// A voter that chose something before chooses something now; nothing is no answer.
    fn count(&mut self, was: u16, is: u16) {
        for (place, count) in self.counts.iter_mut().enumerate() {
            let bit = 1_u16.checked_shl(u32::try_from(place).unwrap_or(u32::MAX)).unwrap_or(0);
            *count = count
                .saturating_add((is & bit != 0).into())
                .saturating_sub((was & bit != 0).into());
        }
        self.voters = self
            .voters
            .saturating_add((is != 0).into())
            .saturating_sub((was != 0).into());
    }

    /// What may be told of it.
    pub(super) fn result(&self, now_ms: u64) -> PollResult {
        let told = |count: u32| u32::try_from(rounded(count.into())).unwrap_or(u32::MAX);
        PollResult {
            time_ms: now_ms,
            voters: told(self.voters),
            counts: self.counts.iter().copied().map(told).collect(),
        }
    }
}
