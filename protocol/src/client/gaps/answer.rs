//! What others lack: whoever is asked and has it hands it over again, members in turn, the author last.
//!
//! Asking costs the others a look at what they keep, and the bytes of the answer; both are bounded for each device that asks (FAULTS 25).

use super::fill::LONGEST_MS;
use crate::chat::Member;
use crate::client::Client;
use crate::client::chats::Chat;
use crate::client::io::{Effect, Side};
use crate::client::passed::Passed;
use crate::custody::{ClientFrame, Deposit};
use crate::keys::{AccountId, ChatId, DeviceId, EnvelopeId, TopicId, TransportKey};
use crate::limits;
use crate::message::repair::Wanted;
use crate::message::{Frontier, StreamId};
use crate::rows::{Rows, RowsError};
use crate::seq_set::SeqSet;
use crate::wire::Wire;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Milliseconds between two requests of one device that are heeded (guess: below the first wait of an honest one).
const HEEDED_MS: u64 = 5_000;
/// Members that may answer one request: each waits for those before it.
const ANSWERERS: usize = 16;
/// Envelopes of one answer.
const ANSWER_ENVELOPES: usize = 64;
/// Bytes of answers to one device in an hour (guess: as many as are kept of a group).
const ANSWER_BYTES: u64 = limits::PASSED_BYTES;
/// Envelopes that were seen to be handed over again lately.
const SEEN_AGAIN: usize = 512;

/// What a device asks for.
struct Ask {
    account: AccountId,
    wants: BTreeMap<StreamId, SeqSet>,
    due_ms: u64,
    since_ms: u64,
}

/// What a device was given.
#[derive(Default)]
struct Given {
    asked_ms: u64,
    since_ms: u64,
    bytes: u64,
}

/// What the members of a chat ask for; one request a device, a later one takes the place of the one before.
#[derive(Default)]
pub(in crate::client) struct Asks {
    open: BTreeMap<DeviceId, Ask>,
    given: BTreeMap<DeviceId, Given>,
    seen: VecDeque<(u64, EnvelopeId)>,
}

impl Asks {
    /// When the next is due.
    pub fn due_ms(&self) -> Option<u64> {
        self.open.values().map(|ask| ask.due_ms).min()
    }

    pub(super) fn clock_turned(&mut self, now_ms: u64) {
        for ask in self.open.values_mut() {
            ask.due_ms = ask.due_ms.min(now_ms);
            ask.since_ms = ask.since_ms.min(now_ms);
        }
        for given in self.given.values_mut() {
            given.asked_ms = given.asked_ms.min(now_ms);
            given.since_ms = given.since_ms.min(now_ms);
        }
    }

    /// Somebody has what it asked for.
    fn satisfied(&mut self, device: DeviceId, frontiers: &[Frontier]) {
        let Some(ask) = self.open.get_mut(&device) else {
            return;
        };
        for frontier in frontiers {
            if let Some(ranges) = ask.wants.get_mut(&frontier.stream) {
                for (first, last) in frontier.delivered.ranges() {
                    ranges.remove_range(*first, *last);
                }
            }
        }
        ask.wants.retain(|_, ranges| !ranges.ranges().is_empty());
        if ask.wants.is_empty() {
            self.open.remove(&device);
        }
    }
}

impl Chat {
    /// This device's place among those who may answer, which differs from one request to the next.
    fn place_for(&self, own: DeviceId, turn: u64) -> usize {
        let count = self.members.len().max(1);
        let place = self.members.iter().position(|member| member.device == own).unwrap_or(0);
        let first = usize::try_from(turn % count as u64).unwrap_or(0);
        (place + count - first) % count
    }
}

impl Client {
    /// A member says what it has: it needn't be helped with that.
    pub(in crate::client) fn helped(&mut self, chat_id: ChatId, member: &Member, frontiers: &[Frontier]) {
        if let Some(chat) = self.chats.get_mut(&chat_id) {
            chat.gaps.asks.satisfied(member.device, frontiers);
        }
    }

    /// A member asks for what it lacks. `turn` is the same for all who read it.
    pub(in crate::client) fn asked(
        &mut self,
        now_ms: u64,
        chat_id: ChatId,
        member: &Member,
        wanted: Wanted,
        turn: u64,
    ) {
        let (own, step_ms) = (self.device_in(&chat_id), self.config.answer_step_ms);
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return;
        };
        if member.device == own || !chat.is_member() {
            return;
        }
        let members: BTreeSet<DeviceId> = chat.members.iter().map(|member| member.device).collect();
        let place = chat.place_for(own, turn);
        let asks = &mut chat.gaps.asks;
        asks.given.retain(|device, _| members.contains(device));
        let given = asks.given.entry(member.device).or_default();
        if given.asked_ms > 0 && now_ms.abs_diff(given.asked_ms) < HEEDED_MS {
            return;
        }
        given.asked_ms = now_ms;
        let author = wanted.0.iter().any(|want| want.stream.device == own);
        let turns = if author {
            // What others keep they hand over before.
            members.len().saturating_sub(2).min(ANSWERERS)
        } else if place < ANSWERERS && members.len() > 2 {
            place
        } else {
            return;
        };
        let due_ms = now_ms.saturating_add(step_ms.saturating_mul(turns as u64));
        let wants = wanted.0.into_iter().map(|want| (want.stream, want.ranges)).collect();
        let ask = Ask {
            account: member.account,
            wants,
            due_ms,
            since_ms: now_ms,
        };
        asks.open.insert(member.device, ask);
    }

    /// An envelope of a chat came again: somebody hands it over.
    pub(in crate::client) fn seen_again(&mut self, now_ms: u64, chat_id: ChatId, id: EnvelopeId) {
        let Some(chat) = self
            .chats
            .get_mut(&chat_id)
            .filter(|chat| !chat.gaps.asks.open.is_empty())
        else {
            return;
        };
        let seen = &mut chat.gaps.asks.seen;
        seen.push_back((now_ms, id));
        if seen.len() > SEEN_AGAIN {
            seen.pop_front();
        }
    }

    /// Answers what is due.
    pub(in crate::client) fn answer_asks(&mut self, now_ms: u64, rows: &dyn Rows) -> Result<(), RowsError> {
        let is_due = |chat: &&Chat| chat.gaps.asks.due_ms().is_some_and(|due| due <= now_ms);
        let due: Vec<ChatId> = self.chats.values().filter(is_due).map(|chat| chat.id).collect();
        for chat_id in due {
            let Some(chat) = self.chats.get_mut(&chat_id) else {
                continue;
            };
            let asks: Vec<(DeviceId, Ask)> = chat
                .gaps
                .asks
                .open
                .extract_if(.., |_, ask| ask.due_ms <= now_ms)
                .collect();
            for (device, ask) in asks {
                self.answer(now_ms, chat_id, device, ask, rows)?;
            }
        }
        Ok(())
    }

    fn answer(
        &mut self,
        now_ms: u64,
        chat_id: ChatId,
        device: DeviceId,
        ask: Ask,
        rows: &dyn Rows,
    ) -> Result<(), RowsError> {
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return Ok(());
        };
        let again: BTreeSet<EnvelopeId> = chat
            .gaps
            .asks
            .seen
            .iter()
            .filter(|(at_ms, _)| *at_ms >= ask.since_ms)
            .map(|(_, id)| *id)
            .collect();
        let given = chat.gaps.asks.given.entry(device).or_default();
        if now_ms.abs_diff(given.since_ms) >= LONGEST_MS {
            (given.since_ms, given.bytes) = (now_ms, 0);
        }
        let mut room = ANSWER_BYTES.saturating_sub(given.bytes).min(limits::PAGE_BYTES as u64);
        let mut wants = ask.wants.clone();
        let mut answer = Vec::new();
        let kept = if chat.head.passed_bytes > 0 {
            self.passed_between(rows, &chat_id, 0, u64::MAX, usize::MAX)?
        } else {
            Vec::new()
        };
        for kept in kept {
            let Some((stream, first, last)) = kept.run else {
                continue;
            };
            let Some(ranges) = wants.get_mut(&stream).filter(|ranges| ranges.meets(first, last)) else {
                continue;
            };
            if again.contains(&kept.id) {
                ranges.remove_range(first, last);
                continue;
            }
            let bytes = kept.bytes.len() as u64;
            ranges.remove_range(first, last);
            if answer.len() < ANSWER_ENVELOPES && bytes <= room {
                room -= bytes;
                answer.push(kept);
            }
        }
        if let Some(chat) = self.chats.get_mut(&chat_id) {
            let given = chat.gaps.asks.given.entry(device).or_default();
            given.bytes = given
                .bytes
                .saturating_add(answer.iter().map(|kept| kept.bytes.len() as u64).sum());
        }
        self.hand_over_kept(chat_id, ask.account, &answer);
        wants.retain(|stream, _| stream.device == self.device_in(&chat_id));
        for (stream, ranges) in wants {
            self.answer_own(now_ms, chat_id, device, stream.incarnation, ranges)?;
        }
        Ok(())
    }

    /// Deposits envelopes again with the chat's relays and, if it is connected, with whoever asked, and gossips them.
    fn hand_over_kept(&mut self, chat_id: ChatId, account: AccountId, kept: &[Passed]) {
        let Some(chat) = self.chats.get(&chat_id).filter(|_| !kept.is_empty()) else {
            return;
        };
        let peers: Vec<TransportKey> = self
            .links
            .iter()
            .filter(|(_, link)| link.opened && link.serves(chat) && (link.relay || link.accounts.contains(&account)))
            .map(|(peer, _)| *peer)
            .collect();
        for peer in peers {
            let Some(link) = self.links.get_mut(&peer) else {
                continue;
            };
            let request = link.request();
            let envelopes = kept.iter().map(|kept| kept.bytes.clone()).collect();
            let frame = ClientFrame::Deposit(Deposit { request, envelopes }).encode();
            self.send(peer, Side::Client, frame);
        }
        for kept in kept {
            let topic: Option<TopicId> = crate::envelope::Envelope::trusted(&kept.bytes)
                .ok()
                .map(|kept| kept.topic());
            if let Some(topic) = topic.filter(|topic| self.is_gossiped(topic)) {
                self.step.effects.push(Effect::Publish {
                    topic,
                    bytes: kept.bytes.clone(),
                });
            }
        }
    }

    /// Somebody lacks messages of this device that nobody keeps as they were: they are sealed again. What this device has no more it
    /// gives up, and says so.
    fn answer_own(
        &mut self,
        now_ms: u64,
        chat_id: ChatId,
        device: DeviceId,
        incarnation: u64,
        mut ranges: SeqSet,
    ) -> Result<(), RowsError> {
        let numbers: Vec<u64> = self
            .waiting(&chat_id)
            .filter(|(_, out)| {
                let mut run = out.what.run().iter();
                out.what.incarnation() == Some(incarnation) && run.any(|message| ranges.contains(message.sequence))
            })
            .map(|(number, _)| number)
            .take(ANSWER_ENVELOPES)
            .collect();
        for (_, out) in self.waiting(&chat_id) {
            if out.what.incarnation() == Some(incarnation) {
                for message in out.what.run() {
                    ranges.remove_range(message.sequence, message.sequence);
                }
            }
        }
        for number in numbers {
            self.send_again(now_ms, number)?;
        }
        let last = self.last_sent(chat_id);
        let Some(chat) = self
            .chats
            .get_mut(&chat_id)
            .filter(|chat| chat.row.incarnation == incarnation)
        else {
            // Of a stream that has ended there is nothing more to say.
            return Ok(());
        };
        let ack = chat.acks.get(&device).cloned().unwrap_or_default();
        let before = ranges.remove_range(0, ack.from.saturating_sub(1));
        if !before.ranges().is_empty() {
            // That is before it joined: it doesn't know since when it is in.
            chat.gaps.retell.insert(device);
        }
        // Nothing beyond the end was ever sent.
        ranges.remove_range(last.saturating_add(1), u64::MAX);
        for (first, last) in ranges.ranges() {
            chat.row.given_up.insert_range(*first, *last);
            chat.row.given_up = chat.row.given_up.newest(limits::FRONTIER_RANGES);
            chat.row_dirty = true;
        }
        if before.ranges().is_empty() && ranges.ranges().is_empty() {
            return Ok(());
        }
        self.dirty.chats.insert(chat_id);
        self.owe_report_soon(chat_id);
        Ok(())
    }
}
