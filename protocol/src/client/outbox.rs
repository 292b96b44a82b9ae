//! The outbox: envelopes that wait for a custodian, and how they are sealed and handed over.

use super::chats::Chat;
use super::io::Side;
use super::links::Link;
use super::records::{About, LedgerRow, OutKind, OutRow, decode, encode, key};
use super::{Client, LoadError};
use crate::custody::{ClientFrame, Deposit, Refusal};
use crate::envelope::Envelope;
use crate::keys::{AccountId, ChatId, MessageId, NodeId, TopicId, TransportKey};
use crate::limits;
use crate::message::{Durable, Inner, StreamId, extensions};
use crate::rows::{Rows, RowsError, Tree};
use crate::wire::Wire;
use std::collections::{BTreeMap, BTreeSet};

/// An outgoing envelope in memory.
pub(super) struct Out {
    pub what: OutWhat,
    pub topic: TopicId,
    /// None while nobody is there to hand it to, or when it has to be sealed again.
    pub envelope: Option<Envelope>,
    /// Bytes of its messages.
    bytes: usize,
    pub node: NodeId,
    pub epoch: u64,
    pub sealed_ms: u64,
    /// Relays that signed for it, until when (Unix milliseconds).
    pub held: BTreeMap<TransportKey, u64>,
    /// Those of them that have lost it since: the ledger never goes back, but they are handed it again.
    pub forgotten: BTreeSet<TransportKey>,
    /// Relays whose signature isn't custody at present, until when: they aren't handed it again, and that is all.
    pub doubted: BTreeMap<TransportKey, u64>,
    /// Relays that pushed it back to us.
    pub echoed: BTreeSet<TransportKey>,
    pub refused: Option<Refusal>,
    /// It has waited for too long.
    pub expired: bool,
    /// Gossip had its chance until then; a connected device is handed it by stream from then on.
    pub direct_after_ms: u64,
}

/// What an outgoing envelope is, and whether it outlives a restart.
pub(super) enum OutWhat {
    /// It has a row.
    Row(OutKind),
    /// A report of a chat: never kept, a newer one replaces it.
    Report(ChatId),
}

/// What is sealed together.
pub(super) enum Sealing {
    /// Messages of one of our streams.
    Messages(u64, Vec<Durable>),
    /// What we have of the others' streams, and how we have the state.
    Report,
    /// Extensions alone, of which nothing is kept.
    Note(Vec<u8>),
}

impl OutWhat {
    /// The chat that it belongs to, for envelopes that members exchange.
    pub fn chat(&self) -> Option<ChatId> {
        match self {
            Self::Row(OutKind::Messages { chat, .. } | OutKind::Commit { chat, .. } | OutKind::Letter { chat, .. })
            | Self::Report(chat) => Some(*chat),
            Self::Row(
                OutKind::Card { .. }
                | OutKind::Request { .. }
                | OutKind::Inbox { .. }
                | OutKind::Channel { .. }
                | OutKind::Ballot { .. }
                | OutKind::Stranger { .. },
            ) => None,
        }
    }

    /// Its messages, which are in a row without holes.
    pub fn run(&self) -> &[Durable] {
        match self {
            Self::Row(OutKind::Messages { run, .. }) => run,
            _ => &[],
        }
    }

    /// The chat and state of a commit.
    pub fn commit(&self) -> Option<(ChatId, NodeId)> {
        match self {
            Self::Row(kind) => kind.commit(),
            Self::Report(_) => None,
        }
    }

    /// The stream of ours that its messages are of.
    pub fn incarnation(&self) -> Option<u64> {
        match self {
            Self::Row(OutKind::Messages { incarnation, .. }) => Some(*incarnation),
            _ => None,
        }
    }

    /// Bytes of its messages.
    fn bytes(&self) -> usize {
        self.run().iter().map(|message| message.encode().len()).sum()
    }
}

/// Deposits of one link that await a receipt: keeps a slow custodian from holding our memory.
const DEPOSITS_IN_FLIGHT: usize = 8;
/// Bytes up to which messages of an earlier step take more, where nobody is there to hand them to: each more writes them all again.
const RUN_LATER_BYTES: usize = 4 * 1024;

impl Chat {
    fn note_waiting(&mut self, number: u64, what: &OutWhat) {
        self.waiting.insert(number);
        if matches!(what, OutWhat::Row(OutKind::Commit { .. })) {
            self.commits.insert(number);
        }
    }
}

impl Client {
    pub(super) fn load_outbox(&mut self, rows: &dyn Rows) -> Result<(), LoadError> {
        for (stored, value) in rows.prefix(Tree::Outbox, &[], usize::MAX)? {
            let Ok(number) = <[u8; 8]>::try_from(stored.as_slice()).map(u64::from_be_bytes) else {
                continue;
            };
            let row: OutRow = decode(&value)?;
            let mut out = Out {
                topic: row.topic,
                envelope: row.envelope.and_then(|bytes| Envelope::trusted(&bytes).ok()),
                bytes: 0,
                node: row.node,
                epoch: row.epoch,
                sealed_ms: row.sealed_ms,
                held: BTreeMap::new(),
                forgotten: BTreeSet::new(),
                doubted: BTreeMap::new(),
                echoed: BTreeSet::new(),
                refused: None,
                expired: false,
                direct_after_ms: 0,
                what: OutWhat::Row(row.kind),
            };
            out.bytes = out.what.bytes();
            if let Some((stored, _)) = self.ledger_place(&out.what)
                && let Some(bytes) = rows.get(Tree::Ledger, &stored)?
            {
                let ledger: LedgerRow = decode(&bytes)?;
                out.held = ledger.held.into_iter().collect();
                out.forgotten = out
                    .held
                    .iter()
                    .filter(|(_, until_ms)| **until_ms == 0)
                    .map(|(relay, _)| *relay)
                    .collect();
                out.refused = ledger.refused;
            }
            if let Some(chat) = out.what.chat()
                && let Some(chat) = self.chats.get_mut(&chat)
            {
                chat.nudge_ms.get_or_insert(0);
                chat.note_waiting(number, &out.what);
            }
            self.next_out = self.next_out.max(number + 1);
            self.out_bytes += out.bytes;
            self.out_messages += out.what.run().len();
            if let Some(envelope) = &out.envelope {
                self.out_ids.insert(envelope.id(), number);
            }
            self.note_reach(number, &out.what);
            self.note_ballot(number, &out.what, out.topic);
            self.outs.insert(number, out);
        }
        Ok(())
    }

    pub(super) fn write_out(&mut self, number: u64) -> Result<(), RowsError> {
        let Some(out) = self.outs.get(&number) else {
            self.step.batch.delete(Tree::Outbox, number.to_be_bytes());
            return Ok(());
        };
        let OutWhat::Row(kind) = &out.what else {
            return Ok(());
        };
        let row = OutRow {
            kind: kind.clone(),
            topic: out.topic,
            envelope: out
                .envelope
                .as_ref()
                .map(|envelope| serde_bytes::ByteBuf::from(envelope.bytes())),
            node: out.node,
            epoch: out.epoch,
            sealed_ms: out.sealed_ms,
        };
        let row = encode(&row)?;
        self.step.batch.put(Tree::Outbox, number.to_be_bytes(), row);
        Ok(())
    }

    /// Puts a message in the outbox. Those of one step share an envelope, which is made when the step is drained.
    pub(super) fn queue_message(&mut self, now_ms: u64, chat_id: ChatId, message: Durable) {
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return;
        };
        let topic = chat.row.topic.public();
        let bytes = message.encode().len();
        if let Some(number) = chat.filling
            && let Some(out) = self.outs.get_mut(&number)
            // Whoever was refused was told so by name.
            && out.refused.is_none()
            && let OutWhat::Row(OutKind::Messages { run, sent, .. }) = &mut out.what
        {
            let room = if self.unsealed.contains(&number) {
                limits::RUN_BYTES
            } else {
                RUN_LATER_BYTES
            };
            if run.len() < limits::RUN_MESSAGES && out.bytes + bytes <= room {
                run.push(message);
                *sent = false;
                out.bytes += bytes;
                self.out_bytes += bytes;
                self.out_messages += 1;
                self.dirty.outs.insert(number);
                self.unsealed.insert(number);
                return;
            }
        }
        let what = OutWhat::Row(OutKind::Messages {
            chat: chat_id,
            run: vec![message],
            incarnation: chat.row.incarnation,
            start: self.starts.current(),
            sent: false,
        });
        let number = self.insert_out(now_ms, topic, what, None);
        if let Some(chat) = self.chats.get_mut(&chat_id) {
            chat.filling = Some(number);
        }
        self.unsealed.insert(number);
    }

    /// Puts a sealed envelope in the outbox and hands it over at once where somebody is there.
    pub(super) fn add_out(
        &mut self,
        now_ms: u64,
        topic: TopicId,
        what: OutWhat,
        envelope: Envelope,
    ) -> Result<(), RowsError> {
        if let OutWhat::Row(OutKind::Commit { chat, .. }) = &what {
            self.pass_on(now_ms, *chat, &envelope, None);
        }
        let number = self.insert_out(now_ms, topic, what, Some(envelope));
        self.gossip_out(now_ms, number);
        self.hand_over(now_ms, number)
    }

    fn insert_out(&mut self, now_ms: u64, topic: TopicId, what: OutWhat, envelope: Option<Envelope>) -> u64 {
        let (number, bytes) = (self.next_out, what.bytes());
        self.next_out += 1;
        let state = what.chat().and_then(|chat| self.chats.get(&chat));
        let (node, epoch) = state.map_or((NodeId([0; 32]), 0), |chat| (chat.group.node(), chat.group.epoch()));
        if let Some(envelope) = &envelope {
            self.out_ids.insert(envelope.id(), number);
            self.recent.insert(envelope.id());
        }
        self.out_bytes += bytes;
        self.out_messages += what.run().len();
        if let Some(chat) = what.chat().and_then(|chat| self.chats.get_mut(&chat)) {
            match &what {
                OutWhat::Report(_) => chat.report = Some(number),
                OutWhat::Row(_) => chat.note_waiting(number, &what),
            }
        }
        self.note_reach(number, &what);
        self.note_ballot(number, &what, topic);
        self.outs.insert(
            number,
            Out {
                what,
                topic,
                envelope,
                bytes,
                node,
                epoch,
                sealed_ms: now_ms,
                held: BTreeMap::new(),
                forgotten: BTreeSet::new(),
                doubted: BTreeMap::new(),
                echoed: BTreeSet::new(),
                refused: None,
                expired: false,
                direct_after_ms: 0,
            },
        );
        self.dirty.outs.insert(number);
        number
    }

    fn note_reach(&mut self, number: u64, what: &OutWhat) {
        if let OutWhat::Row(OutKind::Stranger { to, .. }) = what {
            self.reaches.insert(number, to.clone());
        }
    }

    /// The outgoing request by an invite of a group.
    pub(super) fn request_of(&self, card: &TopicId) -> Option<u64> {
        let mut numbers = self.reaches.keys();
        let about = About::Request(*card);
        numbers
            .find(|number| {
                let what = self.outs.get(number).map(|out| &out.what);
                matches!(what, Some(OutWhat::Row(OutKind::Stranger { about: known, .. })) if *known == about)
            })
            .copied()
    }

    /// Seals and hands over the messages that came since the last drain, where somebody can take them.
    pub(super) fn hand_over_unsealed(&mut self) -> Result<(), RowsError> {
        let now_ms = self.last_ms;
        for number in std::mem::take(&mut self.unsealed) {
            let gossips = self.outs.get(&number).is_some_and(|out| self.is_gossiped(&out.topic));
            if gossips {
                self.sealed(now_ms, number)?;
            }
            self.hand_over(now_ms, number)?;
        }
        Ok(())
    }

    fn hand_over(&mut self, now_ms: u64, number: u64) -> Result<(), RowsError> {
        for peer in self.custodians(number) {
            let Some(out) = self.outs.get(&number) else {
                return Ok(());
            };
            let (topic, direct_after_ms) = (out.topic, out.direct_after_ms);
            let Some(link) = self.links.get_mut(&peer).filter(|link| link.opened) else {
                continue;
            };
            if !link.offer(number, topic) {
                self.refused(number, Refusal::TopicQuota)?;
                continue;
            }
            if !link.relay && direct_after_ms > now_ms {
                // Nothing is due earlier because of this one, so what waits for gossip isn't gone through again.
                link.due_ms = Some(link.due_ms.map_or(direct_after_ms, |due| due.min(direct_after_ms)));
                continue;
            }
            self.pump(now_ms, peer)?;
        }
        Ok(())
    }

    /// Some of those who `were` members may have been removed. They may lack commits on the way to the one that did it, which nobody else hands to
    /// them: those that wait here are told to them too.
    pub(super) fn commits_for_removed(&mut self, chat_id: ChatId, mut were: Vec<AccountId>) {
        let Some(chat) = self.chats.get(&chat_id) else {
            return;
        };
        were.retain(|account| chat.row.accounts.binary_search(account).is_err());
        if were.is_empty() {
            return;
        }
        for number in &chat.commits {
            let what = self.outs.get_mut(number).map(|out| &mut out.what);
            if let Some(OutWhat::Row(OutKind::Commit { removed, .. })) = what {
                removed.extend(&were);
                removed.sort();
                removed.dedup();
                self.dirty.outs.insert(*number);
            }
        }
    }

    /// Everybody who may be handed an envelope.
    pub(super) fn custodians(&self, number: u64) -> Vec<TransportKey> {
        let Some(out) = self.outs.get(&number) else {
            return Vec::new();
        };
        self.links
            .iter()
            .filter(|(_, link)| self.is_custodian(link, out))
            .map(|(peer, _)| *peer)
            .collect()
    }

    /// Whether a link leads to a relay that may be handed an envelope.
    pub(super) fn is_relay_for(&self, link: &Link, out: &Out) -> bool {
        link.relay && self.is_custodian(link, out)
    }

    fn is_custodian(&self, link: &Link, out: &Out) -> bool {
        match &out.what {
            OutWhat::Row(OutKind::Commit { chat, removed, .. })
                if !link.relay
                    && !self.aliases.contains_key(chat)
                    && removed.iter().any(|gone| link.accounts.contains(gone)) =>
            {
                true
            }
            OutWhat::Row(
                OutKind::Messages { chat, .. } | OutKind::Commit { chat, .. } | OutKind::Letter { chat, .. },
            )
            | OutWhat::Report(chat) => {
                let Some(chat) = self.chats.get(chat) else {
                    return false;
                };
                // Before the other has joined, its devices can't read the chat; relays keep what is written meanwhile.
                link.serves(chat) && (link.relay || !chat.row.requested)
            }
            OutWhat::Row(OutKind::Card { invite }) => link.relay && (link.own || link.doors.contains(invite)),
            OutWhat::Row(OutKind::Request { chat }) => self
                .chats
                .get(chat)
                .is_some_and(|chat| chat.row.peer.is_some_and(|peer| link.leads_to(&peer, chat))),
            // A contact watches its inboxes at its own relays.
            OutWhat::Row(OutKind::Inbox { account, chat, .. }) => match self.chats.get(chat) {
                Some(chat) => link.leads_to(account, chat),
                None => link.accounts.contains(account),
            },
            OutWhat::Row(OutKind::Channel { channel, .. } | OutKind::Ballot { channel, .. }) => {
                link.relay && link.channels.contains(channel)
            }
            OutWhat::Row(OutKind::Stranger { to, .. }) => to.leads_to(&link.address.key),
        }
    }

    /// All that a link can be handed and isn't being handed already.
    pub(super) fn fill_todo(&mut self, now_ms: u64, peer: TransportKey) {
        let Some(link) = self.links.get(&peer) else {
            return;
        };
        let in_flight: BTreeSet<u64> = link.flight.values().flatten().map(|(number, _)| *number).collect();
        let held_until_ms = |out: &Out| {
            let until_ms = out.held.get(&peer).filter(|_| !out.forgotten.contains(&peer));
            let until_ms = until_ms.or(out.doubted.get(&peer)).copied();
            until_ms.filter(|until_ms| *until_ms > now_ms)
        };
        let lapses_ms = self.outs.values().filter_map(held_until_ms).min();
        let lapses_ms = lapses_ms.map(|until_ms| self.lapse_ms(now_ms, until_ms));
        let todo: BTreeSet<u64> = self
            .outs
            .iter()
            .filter(|(number, out)| {
                (held_until_ms(out).is_none() || out.envelope.is_none())
                    && !link
                        .parked
                        .get(&out.topic)
                        .is_some_and(|parked| parked.numbers.contains(number))
                    && !link.handed.contains(number)
                    && !in_flight.contains(number)
                    && !self.is_aside(**number, out)
                    && self.is_custodian(link, out)
            })
            .map(|(number, _)| *number)
            .collect();
        if let Some(link) = self.links.get_mut(&peer) {
            link.todo = todo;
            link.lapses_ms = lapses_ms;
        }
    }

    /// When to hand over again what a relay keeps until some time: not soon, also where its clock or its word is wrong.
    pub(super) fn lapse_ms(&self, now_ms: u64, until_ms: u64) -> u64 {
        until_ms.max(now_ms.saturating_add(self.config.rejoin_ms))
    }

    /// Hands a link what it can take now.
    pub(super) fn pump(&mut self, now_ms: u64, peer: TransportKey) -> Result<(), RowsError> {
        loop {
            let Some(link) = self.links.get_mut(&peer) else {
                return Ok(());
            };
            link.due_ms = link.unpark(now_ms);
            if !link.opened || link.flight.len() >= DEPOSITS_IN_FLIGHT || link.todo.is_empty() {
                return Ok(());
            }
            if link.refused_until_ms > now_ms {
                link.due_ms = Some(link.refused_until_ms);
                return Ok(());
            }
            let candidates: Vec<u64> = link.todo.iter().copied().collect();
            let relay = link.relay;
            let (mut taken, mut envelopes, mut bytes) = (Vec::new(), Vec::new(), 0);
            let mut due_ms = link.due_ms;
            for number in candidates {
                if envelopes.len() >= limits::DEPOSIT_ITEMS || bytes >= limits::PAGE_BYTES {
                    break;
                }
                if !self.sealed(now_ms, number)? {
                    self.forget_todo(peer, number);
                    continue;
                }
                let Some(out) = self.outs.get(&number) else {
                    continue;
                };
                if !relay && out.direct_after_ms > now_ms {
                    due_ms = Some(due_ms.map_or(out.direct_after_ms, |due| due.min(out.direct_after_ms)));
                    continue;
                }
                if let Some(envelope) = &out.envelope {
                    bytes += envelope.bytes().len();
                    envelopes.push(envelope.bytes().to_vec());
                    taken.push((number, envelope.id()));
                }
            }
            let Some(link) = self.links.get_mut(&peer) else {
                return Ok(());
            };
            link.due_ms = due_ms;
            if envelopes.is_empty() {
                return Ok(());
            }
            for (number, _) in &taken {
                link.todo.remove(number);
            }
            let request = link.request();
            link.flight.insert(request, taken);
            let frame = ClientFrame::Deposit(Deposit { request, envelopes }).encode();
            self.send(peer, Side::Client, frame);
        }
    }

    fn forget_todo(&mut self, peer: TransportKey, number: u64) {
        if let Some(link) = self.links.get_mut(&peer) {
            link.todo.remove(&number);
        }
    }

    /// Makes sure that an outgoing envelope is sealed on a state that the others can still read. False if it is gone.
    fn sealed(&mut self, now_ms: u64, number: u64) -> Result<bool, RowsError> {
        let Some(out) = self.outs.get_mut(&number) else {
            return Ok(false);
        };
        if out.envelope.is_some() {
            return Ok(true);
        }
        let OutWhat::Row(OutKind::Messages {
            chat: chat_id,
            run,
            incarnation,
            ..
        }) = &out.what
        else {
            return Ok(false);
        };
        let (chat_id, incarnation, messages) = (*chat_id, *incarnation, run.clone());
        let Some(envelope) = self.seal_inner(chat_id, Sealing::Messages(incarnation, messages))? else {
            return Ok(false);
        };
        let stream = StreamId {
            device: self.device_in(&chat_id),
            incarnation,
        };
        let (Some(chat), Some(out)) = (self.chats.get_mut(&chat_id), self.outs.get_mut(&number)) else {
            return Ok(false);
        };
        let run = out.what.run();
        let run = run.first().zip(run.last());
        let run = run.map(|(first, last)| (stream, first.sequence, last.sequence));
        chat.filling = chat.filling.filter(|filling| *filling != number);
        if let OutWhat::Row(OutKind::Messages { sent, .. }) = &mut out.what {
            *sent = true;
        }
        out.node = chat.group.node();
        out.epoch = chat.group.epoch();
        out.topic = envelope.topic();
        out.sealed_ms = now_ms;
        self.dirty.outs.insert(number);
        self.out_ids.insert(envelope.id(), number);
        self.recent.insert(envelope.id());
        self.pass_on(now_ms, chat_id, &envelope, run);
        if let Some(out) = self.outs.get_mut(&number) {
            out.envelope = Some(envelope);
        }
        self.gossip_out(now_ms, number);
        Ok(true)
    }

    /// Seals something, with what we have of the others' streams. None if the chat is gone, or another copy of this device's data may have sealed the same place of the ratchet.
    pub(super) fn seal_inner(&mut self, chat_id: ChatId, what: Sealing) -> Result<Option<Envelope>, RowsError> {
        let may = |chat: &Chat| chat.is_member() && chat.may_seal();
        if !self.chats.get(&chat_id).is_some_and(may) {
            return Ok(None);
        }
        let (own, secret) = (self.device_in(&chat_id), self.secret_in(&chat_id));
        let mut holes = Vec::new();
        if matches!(what, Sealing::Report) {
            self.tell_holes(chat_id, &mut holes);
        }
        let mark = self.next_mark(chat_id);
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return Ok(None);
        };
        let mut incarnation = chat.row.incarnation;
        let (messages, frontiers, extensions) = match what {
            Sealing::Messages(stream, messages) => {
                incarnation = stream;
                (messages, chat.tell(limits::FRONTIERS_ALONG, false), Vec::new())
            }
            Sealing::Report => {
                let added = [extensions::state(&chat.summary()), holes].concat();
                (Vec::new(), chat.tell(limits::FRONTIER_STREAMS, true), added)
            }
            Sealing::Note(extensions) => (Vec::new(), Vec::new(), extensions),
        };
        let inner = Inner {
            stream: StreamId {
                device: own,
                incarnation,
            },
            messages,
            frontiers,
            extensions,
        };
        let fault = |error: &dyn std::fmt::Display| RowsError {
            reason: error.to_string(),
        };
        let body = chat
            .group
            .seal(&self.crypto, &secret, mark, &inner.encode())
            .map_err(|error| fault(&error))?;
        let envelope =
            Envelope::sign(&chat.row.topic, limits::CUSTODY_SECONDS, &body).map_err(|error| fault(&error))?;
        self.dirty.chats.insert(chat_id);
        Ok(Some(envelope))
    }

    /// The key of the ledger of own messages, and their last sequence; that of an entry of a channel has the channel's id.
    pub(super) fn ledger_place(&self, what: &OutWhat) -> Option<(Vec<u8>, u64)> {
        if let OutWhat::Row(OutKind::Channel { channel, number }) = what {
            return (*number > 0).then(|| (key::ledger(&ChatId(channel.0), 0, *number), *number));
        }
        let (first, last) = (what.run().first()?, what.run().last()?);
        let stored = key::ledger(&what.chat()?, what.incarnation()?, first.sequence);
        Some((stored, last.sequence))
    }

    /// The own messages in an outgoing envelope that people see.
    pub(super) fn messages_of(&self, what: &OutWhat) -> Vec<MessageId> {
        let (Some(chat), Some(incarnation)) = (what.chat(), what.incarnation()) else {
            return Vec::new();
        };
        let device = self.device_in(&chat);
        let stream = StreamId { device, incarnation };
        let shown = what.run().iter().filter(|message| message.body.shown());
        shown.map(|message| stream.message(message.sequence)).collect()
    }

    /// The outgoing messages and commits of a chat.
    pub(super) fn waiting(&self, chat: &ChatId) -> impl Iterator<Item = (u64, &Out)> {
        let numbers = self.chats.get(chat).map(|chat| &chat.waiting).into_iter().flatten();
        numbers.filter_map(|number| Some((*number, self.outs.get(number)?)))
    }

    pub(super) fn drop_out(&mut self, number: u64) {
        let Some(out) = self.outs.remove(&number) else {
            return;
        };
        self.reaches.remove(&number);
        self.channels.polls.forget_sent(number, &out.topic);
        self.out_bytes = self.out_bytes.saturating_sub(out.bytes);
        self.out_messages = self.out_messages.saturating_sub(out.what.run().len());
        if let Some(chat) = out.what.chat().and_then(|chat| self.chats.get_mut(&chat)) {
            chat.waiting.remove(&number);
            chat.aside.remove(&number);
            chat.commits.remove(&number);
            chat.report = chat.report.filter(|report| *report != number);
            chat.filling = chat.filling.filter(|filling| *filling != number);
        }
        self.unlink(number, out.topic);
        if let Some(envelope) = &out.envelope {
            self.out_ids.remove(&envelope.id());
        }
        if matches!(out.what, OutWhat::Row(_)) {
            self.dirty.outs.insert(number);
        }
    }

    /// Hands it to nobody any more.
    pub(super) fn unlink(&mut self, number: u64, topic: TopicId) {
        for link in self.links.values_mut() {
            link.todo.remove(&number);
            link.handed.remove(&number);
            if let Some(parked) = link.parked.get_mut(&topic) {
                parked.numbers.remove(&number);
            }
        }
    }

    pub(super) fn drop_outs(&mut self, gone: impl Fn(&Out) -> bool) {
        let numbers: Vec<u64> = self
            .outs
            .iter()
            .filter(|(_, out)| gone(out))
            .map(|(number, _)| *number)
            .collect();
        for number in numbers {
            self.drop_out(number);
        }
    }
}
