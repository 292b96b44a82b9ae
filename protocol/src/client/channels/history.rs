//! Reading back: a channel's newest posts when it is followed, older ones page by page, and what a writer's chain or a beacon shows to be
//! missing.

use super::mesh::ASKED_PEERS;
use super::take::{Arrived, Came};
use crate::client::io::{Effect, Side};
use crate::client::{Client, CommandError, EventRow, Reply};
use crate::custody::{ClientFrame, History, HistoryPage, Item};
use crate::envelope::Envelope;
use crate::keys::{ChannelId, TransportKey};
use crate::limits;
use crate::rows::RowsError;
use crate::wire::Wire;

use super::rows::ReachedRow;

/// Envelopes that somebody who begins to follow asks for, and that a page of the past has (guess: some screens).
pub(super) const PAGE: u16 = 60;
/// Milliseconds that a relay has to answer (guess).
const ANSWER_MS: u64 = 20_000;
/// Milliseconds until a relay that refused is asked again, at the least.
const AGAIN_MS: u64 = 5_000;
/// Pages that one look for what is missing reads of a relay: some thousand entries (guess).
const FILL_PAGES: u32 = 8;

/// Why a relay was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// The channel is new here.
    Newest,
    /// The user reads back.
    Older {
        /// The command's token.
        token: u64,
    },
    /// Something is missing; so many pages were read.
    Missing(u32),
    /// A follower that passes the channel on came to be connected.
    Met,
}

/// What is asked of a channel's past.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub channel: ChannelId,
    pub why: Why,
    /// Only what is before this position; all if it is 0.
    pub before: u64,
    /// Envelopes at most.
    pub count: u16,
    /// Who was asked before and gave no answer.
    pub tried: Vec<TransportKey>,
    /// When whoever is asked is given up; set as it is asked.
    pub until_ms: u64,
}

impl Asked {
    /// The newest page.
    pub fn newest(channel: ChannelId, why: Why) -> Self {
        Self {
            channel,
            why,
            before: 0,
            count: PAGE,
            tried: Vec::new(),
            until_ms: 0,
        }
    }

    /// As much as a page holds, for what is missing.
    fn missing(channel: ChannelId, before: u64, pages: u32) -> Self {
        Self {
            before,
            count: limits::HISTORY_ITEMS as u16,
            ..Self::newest(channel, Why::Missing(pages))
        }
    }

    /// Whether a relay's page is what an honest one gives: no more than was asked for, before that place, in ascending positions.
    fn is_answered_by(&self, page: &HistoryPage) -> bool {
        let within = |item: &Item| self.before == 0 || item.position < self.before;
        let mut pairs = page.items.iter().zip(page.items.iter().skip(1));
        page.items.len() <= usize::from(self.count)
            && page.items.iter().all(within)
            && pairs.all(|(one, next)| one.position < next.position)
    }
}

/// Who is asked for what is before.
enum Reader {
    /// This one, for what is before that position.
    Ask(TransportKey, u64),
    /// Nobody has more.
    End,
    /// Nobody is there.
    Nobody,
}

impl Client {
    /// Asks a relay for the newest posts of each channel that it wasn't read of yet; only then is it watched, from there on.
    pub(in crate::client) fn ask_newest(&mut self, now_ms: u64, peer: TransportKey) {
        let Some(link) = self.links.get(&peer).filter(|link| link.opened && link.relay) else {
            return;
        };
        let new: Vec<ChannelId> =
            link.channels
                .iter()
                .filter(|channel| {
                    let known = self.cursors.contains_key(&(peer, channel.topic()));
                    let asked =
                        self.channels.asked.iter().any(|((at, _), asked)| {
                            *at == peer && asked.channel == **channel && asked.why == Why::Newest
                        });
                    let waits = self.channels.ask_again_ms.contains_key(&(peer, **channel));
                    !known && !asked && !waits
                })
                .copied()
                .collect();
        for channel in new {
            self.ask_back(now_ms, peer, Asked::newest(channel, Why::Newest));
        }
    }

    pub(super) fn ask_back(&mut self, now_ms: u64, peer: TransportKey, asked: Asked) {
        let Some(link) = self.links.get_mut(&peer).filter(|link| link.opened) else {
            return;
        };
        let request = link.request();
        let ask = History {
            request,
            topic: asked.channel.topic(),
            before: asked.before,
            count: asked.count,
        };
        let until_ms = now_ms.saturating_add(ANSWER_MS);
        self.channels.asked.insert((peer, request), Asked { until_ms, ..asked });
        self.send(peer, Side::Client, ClientFrame::History(ask).encode());
    }

    /// The user reads back.
    pub(super) fn read_back(&mut self, now_ms: u64, id: ChannelId, token: u64) -> Result<Option<Reply>, CommandError> {
        self.channel_mut(&id)?;
        if self.channels.asked.len() >= limits::CHANNELS {
            return Err(CommandError::Limit {
                what: "questions to relays",
                limit: limits::CHANNELS,
            });
        }
        match self.reader(&id, &[]) {
            Reader::Ask(peer, before) => {
                let newest = Asked::newest(id, Why::Older { token });
                self.ask_back(now_ms, peer, Asked { before, ..newest });
                Ok(None)
            }
            Reader::End => Ok(Some(Reply::Older { more: false })),
            Reader::Nobody => Err(CommandError::RelayUnavailable),
        }
    }

    /// Who is asked next: of the relays that are connected and weren't read to their end the one that was read the least far, those that broke
    /// their word last, and those that gave no answer only if no other was read to its end; if there is none, a follower that passes the
    /// channel on.
    fn reader(&self, id: &ChannelId, tried: &[TransportKey]) -> Reader {
        let Some(channel) = self.channels.by_id.get(id) else {
            return Reader::Nobody;
        };
        let (mut any, mut ended, mut best) = (false, false, None);
        for relay in self.open_relays(id).into_iter().filter(|relay| !tried.contains(relay)) {
            any = true;
            let at = channel.row.reached.iter().find(|known| known.relay == relay);
            if at.is_some_and(|at| at.oldest) {
                ended = true;
                continue;
            }
            let before = at.map_or(0, |at| at.position);
            let last = (self.channels.late.contains(&relay), self.trust.is_demoted(&relay));
            let order = (last, std::cmp::Reverse(before));
            if best.is_none_or(|(known, _, _)| order < known) {
                best = Some((order, relay, before));
            }
        }
        if let Some((((late, _), _), relay, before)) = best
            && !(late && ended)
        {
            return Reader::Ask(relay, before);
        }
        for peer in self.mesh_servers(id).into_iter().filter(|peer| !tried.contains(peer)) {
            any = true;
            let (before, oldest) = self.channels.mesh.read.get(&(peer, *id)).copied().unwrap_or_default();
            if !oldest {
                return Reader::Ask(peer, before);
            }
        }
        if any { Reader::End } else { Reader::Nobody }
    }

    /// Whether somebody who is connected and answers may have what whoever said that this was all kept back: the numbers of what is here
    /// tell that there is more.
    fn more_elsewhere(&self, id: &ChannelId) -> bool {
        let Some(channel) = self.channels.by_id.get(id).filter(|channel| !channel.is_whole()) else {
            return false;
        };
        let ended = |relay: &TransportKey| channel.row.reached.iter().any(|at| at.relay == *relay && at.oldest);
        let mut relays = self.open_relays(id).into_iter();
        relays.any(|relay| !ended(&relay) && !self.channels.late.contains(&relay))
    }

    /// A relay answers.
    pub(in crate::client) fn history_came(
        &mut self,
        now_ms: u64,
        peer: TransportKey,
        page: HistoryPage,
        frame: &[u8],
    ) -> Result<(), RowsError> {
        self.acknowledge(peer, page.counted());
        let Some(asked) = self.channels.asked.remove(&(peer, page.request)) else {
            return Ok(());
        };
        let id = asked.channel;
        if page.topic != id.topic() {
            self.unanswered(now_ms, peer, asked);
            return self.junk(now_ms, peer, "it answered for another topic", frame);
        }
        let (mut junk, known) = (false, self.channels.by_id.get(&id));
        let came = match known.and_then(|channel| channel.beacon.as_ref()) {
            Some(_) => Came::Found,
            None => Came::First,
        };
        for item in &page.items {
            match Envelope::verify(&item.envelope) {
                Ok(envelope) if envelope.topic() == page.topic => self.channels.arrived.push(Arrived {
                    envelope,
                    came,
                    gossip: None,
                }),
                _ => junk = true,
            }
        }
        let relay = self.links.get(&peer).is_some_and(|link| link.relay);
        if junk && !relay {
            self.step.effects.push(Effect::Penalise {
                peer,
                reason: "an envelope that isn't valid on its topic",
            });
        }
        if junk {
            self.junk(now_ms, peer, "it sent what isn't an envelope of the topic", frame)?;
        }
        let first = page.items.first().map(|item| item.position);
        // One that never comes nearer to its end is read no further.
        let stands_still = asked.before > 0 && first.is_none() && !page.oldest;
        if relay && (stands_still || !asked.is_answered_by(&page)) {
            if !stands_still {
                self.junk(
                    now_ms,
                    peer,
                    "its page of the past isn't before what was asked for",
                    frame,
                )?;
            }
            if asked.why == Why::Newest {
                self.watch_on(peer, &page);
            }
            self.unanswered(now_ms, peer, asked);
            return Ok(());
        }
        self.channels.late.remove(&peer);
        if !relay {
            let read = self.channels.mesh.read.entry((peer, id)).or_insert((u64::MAX, false));
            read.0 = read.0.min(first.unwrap_or(u64::MAX));
            read.1 |= page.oldest;
        } else if let Some(channel) = self.channels.by_id.get_mut(&id) {
            let place = channel.row.reached.iter().position(|known| known.relay == peer);
            let place = place.unwrap_or_else(|| {
                channel.row.reached.push(ReachedRow {
                    relay: peer,
                    position: 0,
                    oldest: false,
                });
                channel.row.reached.len() - 1
            });
            if let Some(reached) = channel.row.reached.get_mut(place)
                && let Some(first) = first
                && (reached.position == 0 || first <= reached.position)
            {
                reached.position = first;
                reached.oldest |= page.oldest;
            } else if let Some(reached) = channel.row.reached.get_mut(place) {
                reached.oldest |= page.oldest && first.is_none();
            }
            if channel.row.reached.len() > 2 * limits::RELAYS {
                channel.row.reached.remove(0);
            }
            channel.dirty = true;
        }
        match asked.why {
            Why::Newest => self.watch_on(peer, &page),
            Why::Met => {}
            Why::Older { token } => self.channels.read_back.push((id, token, page.oldest)),
            Why::Missing(pages) => {
                let more = !page.oldest && pages < FILL_PAGES;
                if let Some(before) = first.filter(|_| more) {
                    self.ask_back(now_ms, peer, Asked::missing(id, before, pages + 1));
                }
            }
        }
        Ok(())
    }

    /// What was read back is taken: whether there may be more follows from it.
    pub(super) fn answer_readers(&mut self) {
        for (id, token, oldest) in std::mem::take(&mut self.channels.read_back) {
            let more = !oldest || self.more_elsewhere(&id);
            let result = Ok(Reply::Older { more });
            self.step.effects.push(Effect::Reply { token, result });
        }
    }

    /// From the end of what a relay has on, it pushes.
    fn watch_on(&mut self, peer: TransportKey, page: &HistoryPage) {
        self.cursors.insert((peer, page.topic), page.cursor);
        self.dirty.cursors.insert((peer, page.topic));
        self.refresh_watches(peer);
    }

    /// A relay refuses; true if that was the answer to one of these questions.
    pub(in crate::client) fn history_refused(
        &mut self,
        now_ms: u64,
        peer: TransportKey,
        request: u64,
        retry_after_s: u32,
    ) -> bool {
        let Some(asked) = self.channels.asked.remove(&(peer, request)) else {
            return false;
        };
        if asked.why == Why::Newest {
            let wait_ms = u64::from(retry_after_s)
                .saturating_mul(1000)
                .clamp(AGAIN_MS, 60 * AGAIN_MS);
            let at_ms = now_ms.saturating_add(wait_ms);
            self.channels.ask_again_ms.insert((peer, asked.channel), at_ms);
        }
        self.unanswered(now_ms, peer, asked);
        true
    }

    /// Whoever was asked gave no answer: another one is asked what the user waits for.
    fn unanswered(&mut self, now_ms: u64, peer: TransportKey, mut asked: Asked) {
        self.channels.late.insert(peer);
        let Why::Older { token } = asked.why else {
            return;
        };
        asked.tried.push(peer);
        match self.reader(&asked.channel, &asked.tried) {
            Reader::Ask(next, before) => self.ask_back(now_ms, next, Asked { before, ..asked }),
            Reader::End | Reader::Nobody => {
                let result = Err(CommandError::RelayUnavailable);
                self.step.effects.push(Effect::Reply { token, result });
            }
        }
    }

    /// A relay's stream is gone, and with it what it was asked.
    pub(in crate::client) fn history_stream_closed(&mut self, now_ms: u64, peer: TransportKey) {
        let gone: Vec<_> = self
            .channels
            .asked
            .keys()
            .filter(|(at, _)| *at == peer)
            .copied()
            .collect();
        for place in gone {
            if let Some(asked) = self.channels.asked.remove(&place) {
                self.unanswered(now_ms, peer, asked);
            }
        }
        self.channels.late.remove(&peer);
        self.channels.ask_again_ms.retain(|(at, _), _| *at != peer);
    }

    /// Ends questions that nobody answered in time.
    pub(super) fn end_questions(&mut self, now_ms: u64) {
        let late: Vec<_> = self
            .channels
            .asked
            .iter()
            .filter(|(_, asked)| asked.until_ms <= now_ms)
            .map(|(place, _)| *place)
            .collect();
        for (peer, request) in late {
            self.history_refused(now_ms, peer, request, 0);
        }
    }

    pub(super) fn ask_refusers(&mut self, now_ms: u64) {
        let due: Vec<_> = self
            .channels
            .ask_again_ms
            .iter()
            .filter(|(_, at_ms)| **at_ms <= now_ms)
            .map(|(place, _)| *place)
            .collect();
        for place in due {
            self.channels.ask_again_ms.remove(&place);
            self.ask_newest(now_ms, place.0);
        }
    }

    /// Notes whether something is missing of a channel, and when it is looked for.
    pub(super) fn watch_gaps(&mut self, now_ms: u64, id: ChannelId) {
        let (grace_ms, fill_ms) = (self.config.gap_grace_ms, self.config.gap_fill_ms);
        let Some(channel) = self.channels.by_id.get_mut(&id) else {
            return;
        };
        let missing = channel
            .row
            .writers
            .iter()
            .any(|writer| !writer.received.holes(writer.from.max(1), writer.last, 1).is_empty());
        let known = channel.row.gap_ms > 0;
        if missing == known {
            return;
        }
        channel.dirty = true;
        if missing {
            channel.row.gap_ms = now_ms;
            channel.rounds = 0;
            channel.fill_ms = Some(now_ms.saturating_add(grace_ms.min(fill_ms)));
        } else {
            // One that nobody was told of needn't be told to be over.
            let told = channel.rounds > 0;
            channel.row.gap_ms = 0;
            channel.fill_ms = None;
            if told {
                self.event(&EventRow::ChannelGap {
                    channel: id,
                    open: false,
                });
            }
        }
    }

    /// Looks for what is missing at all relays of a channel and at some who pass it on, again and again, ever more seldom.
    pub(super) fn fill_channels(&mut self, now_ms: u64) {
        let due: Vec<ChannelId> = self
            .channels
            .by_id
            .iter()
            .filter(|(_, channel)| channel.fill_ms.is_some_and(|at_ms| at_ms <= now_ms))
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            let first = {
                let fill_ms = self.config.gap_fill_ms;
                let Some(channel) = self.channels.by_id.get_mut(&id) else {
                    continue;
                };
                let wait_ms = fill_ms.saturating_mul(1 << channel.rounds.min(8));
                channel.fill_ms = Some(now_ms.saturating_add(wait_ms));
                channel.rounds = channel.rounds.saturating_add(1);
                channel.rounds == 1
            };
            if first {
                self.event(&EventRow::ChannelGap {
                    channel: id,
                    open: true,
                });
            }
            let mut peers = self.open_relays(&id);
            peers.extend(self.mesh_servers(&id).into_iter().take(ASKED_PEERS));
            for peer in peers {
                self.ask_back(now_ms, peer, Asked::missing(id, 0, 1));
            }
        }
    }
}
