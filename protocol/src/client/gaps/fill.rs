//! What is done about open gaps: the chat's relays are asked anew for all they have, then members and the author are asked for what is
//! missing. Each round waits longer than the one before.

use super::GapState;
use crate::client::Client;
use crate::keys::{ChatId, TopicId, TransportKey};
use crate::limits;
use crate::message::StreamId;
use crate::message::repair::{self, Baseline, OwnStream, Want, Wanted};
use crate::rows::RowsError;
use crate::seq_set::SeqSet;
use std::collections::BTreeMap;

/// The longest between two rounds, in milliseconds (guess: an hour).
pub(super) const LONGEST_MS: u64 = 3_600_000;
/// How often an hour a relay is asked for all it has of a chat (guess: it may be a month's messages).
const FETCHES_PER_HOUR: u32 = 4;
/// Rounds after which what a member wrote who is none any more, or in a stream that has ended, is given up.
const ROUNDS_FOR_GONE: u32 = 8;
/// Own messages that a newcomer has confirmed before its baseline needn't be told any more.
const BASELINE_TOLD: u64 = 16;

impl Client {
    /// Does what is due about open gaps; when the next is due.
    pub(super) fn fill_gaps(&mut self, now_ms: u64, chat_id: ChatId) -> Result<Option<u64>, RowsError> {
        let first_ms = self.config.gap_fill_ms;
        let reachable = self.reachable(&chat_id);
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return Ok(None);
        };
        let members: Vec<_> = chat.members.iter().map(|member| member.device).collect();
        let (mut fetch, mut ask, mut gone) = (false, false, Vec::new());
        let mut next: Option<u64> = None;
        for ((stream, first), gap) in &mut chat.gaps.known {
            if !gap.shown || gap.row.lost {
                continue;
            }
            // Where nobody is there to ask, asking counts for nothing.
            if gap.row.due_ms <= now_ms && reachable {
                let rounds = gap.row.rounds;
                if rounds == 0 {
                    fetch = true;
                } else {
                    ask = true;
                }
                let ended = chat
                    .speaks
                    .get(&stream.device)
                    .is_some_and(|now| *now != stream.incarnation);
                if rounds >= ROUNDS_FOR_GONE && (ended || !members.contains(&stream.device)) {
                    gone.push((*stream, *first, gap.row.last));
                }
                let wait_ms = first_ms
                    .saturating_mul(1 << rounds.saturating_sub(1).min(16))
                    .min(LONGEST_MS);
                gap.row.rounds = rounds.saturating_add(1);
                gap.row.due_ms = now_ms.saturating_add(wait_ms);
                chat.gaps.dirty.insert((*stream, *first));
                self.dirty.chats.insert(chat_id);
            }
            let due = gap
                .row
                .due_ms
                .max(if reachable { 0 } else { now_ms.saturating_add(first_ms) });
            next = Some(next.map_or(due, |known| known.min(due)));
        }
        for (stream, first, last) in gone {
            self.close(chat_id, stream, None, (first, last), GapState::Lost);
        }
        if fetch {
            // Whom no relay serves needn't wait for one.
            ask |= !self.fetch_anew(now_ms, chat_id);
        }
        if ask {
            if let Some(chat) = self.chats.get_mut(&chat_id) {
                chat.gaps.asking = true;
            }
            self.owe_report_soon(chat_id);
        }
        Ok(next)
    }

    /// Fetches a chat's topics from the start, at each relay that serves it and wasn't asked too often. False if there is none.
    fn fetch_anew(&mut self, now_ms: u64, chat_id: ChatId) -> bool {
        let Some(chat) = self.chats.get(&chat_id) else {
            return false;
        };
        let topics: Vec<TopicId> = chat.topics().into_iter().collect();
        let relays: Vec<TransportKey> = self
            .links
            .iter()
            .filter(|(_, link)| link.relay && link.opened && link.serves(chat))
            .map(|(peer, _)| *peer)
            .collect();
        let mut fetched = false;
        for relay in relays {
            let Some(chat) = self.chats.get_mut(&chat_id) else {
                return fetched;
            };
            let (since_ms, times) = chat.gaps.fetched.entry(relay).or_insert((now_ms, 0));
            if now_ms.abs_diff(*since_ms) >= LONGEST_MS {
                (*since_ms, *times) = (now_ms, 0);
            }
            if *times >= FETCHES_PER_HOUR {
                continue;
            }
            *times += 1;
            fetched = true;
            for topic in &topics {
                self.fetch_from(relay, *topic);
            }
        }
        fetched
    }

    /// What a report adds about holes: what the others should know of this device's stream, and what it asks for.
    pub(in crate::client) fn tell_holes(&mut self, chat_id: ChatId, extensions: &mut Vec<u8>) {
        let last = self.last_sent(chat_id);
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return;
        };
        let retell = std::mem::take(&mut chat.gaps.retell);
        let mut newcomers: Vec<(u64, [u8; 8])> = chat
            .acks
            .iter()
            .filter(|(device, ack)| {
                let new = ack.from > 1 && ack.delivered.max() < ack.from.saturating_add(BASELINE_TOLD);
                new || retell.contains(device)
            })
            .map(|(device, ack)| (ack.from, Baseline::short(device)))
            .collect();
        // The newest first: the others had their time.
        newcomers.sort_unstable_by(|a, b| b.cmp(a));
        let baselines = newcomers.into_iter().take(limits::BASELINES);
        let own = OwnStream {
            last,
            lost: chat.row.given_up.newest(limits::FRONTIER_RANGES),
            baselines: baselines.map(|(from, device)| Baseline { device, from }).collect(),
        };
        repair::tell_own(extensions, &own);
        if chat.gaps.asking {
            let wanted = chat.gaps.wanted();
            if wanted.0.is_empty() {
                chat.gaps.asking = false;
            } else {
                repair::want(extensions, &wanted);
            }
        }
    }
}

impl super::Gaps {
    /// What is to be asked for.
    fn wanted(&self) -> Wanted {
        let mut streams: BTreeMap<StreamId, SeqSet> = BTreeMap::new();
        let open = self
            .known
            .iter()
            .filter(|(_, gap)| gap.shown && !gap.row.lost && gap.row.rounds > 0);
        for ((stream, _), gap) in open {
            if !streams.contains_key(stream) && streams.len() == limits::WANT_STREAMS {
                continue;
            }
            streams.entry(*stream).or_default().merge(&gap.row.missing);
        }
        let wants = streams.into_iter().map(|(stream, missing)| Want {
            stream,
            // The oldest first: what is newer may be on its way.
            ranges: missing.oldest(limits::WANT_RANGES),
        });
        Wanted(wants.collect())
    }
}
