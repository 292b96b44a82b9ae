//! Copied data directories: before it seals anything in a chat after a start, this device asks a relay or a member what it has of this
//! device. What another copy of its data has sent shows by its marks, which nobody else can make; then the device joins anew, under
//! another stream, and what it numbered as that copy didn't know it gets other numbers (FAULTS 33; spec/chat.md, section 13).

use super::chats::Chat;
use super::io::Side;
use super::outbox::OutWhat;
use super::records::{AckRow, AuthorRow, MessageRow, OutKind, StartsRow, decode, encode, key};
use super::{Client, EventRow, TopicUse};
use crate::chat::{Mark, Sealed};
use crate::custody::{ClientFrame, Compare, Compared, CustodianFrame};
use crate::keys::{ChatId, DeviceId, MessageId, TopicId, TransportKey};
use crate::limits;
use crate::message::{Durable, StreamId};
use crate::mls::Crypto;
use crate::rows::{Rows, RowsError, Tree, prefix_end};
use crate::wire::Wire;
use std::collections::{BTreeMap, BTreeSet};

/// Milliseconds between two looks that a member's frontier makes us take (guess): it may be made up.
const LOOK_AGAIN_MS: u64 = 60_000;

/// The starts of this program on this data: a copy's differ from the moment on when it was made.
pub(super) struct Starts(StartsRow);

impl Starts {
    /// Reads the starts before, and adds this one.
    pub fn load(rows: &dyn Rows, crypto: &Crypto) -> Result<Self, RowsError> {
        let mut row: StartsRow = match rows.get(Tree::Meta, key::STARTS)? {
            Some(bytes) => decode(&bytes)?,
            None => StartsRow::default(),
        };
        let [a, b, c, d, ..] = crypto.random_u64().to_be_bytes();
        row.nonces.push(u32::from_be_bytes([a, b, c, d]));
        if row.nonces.len() > limits::STARTS {
            row.nonces.remove(0);
            row.first = row.first.saturating_add(1);
        }
        Ok(Self(row))
    }

    pub fn row(&self) -> Result<Vec<u8>, RowsError> {
        encode(&self.0)
    }

    /// The number of this start.
    pub fn current(&self) -> u32 {
        let count = u32::try_from(self.0.nonces.len()).unwrap_or(u32::MAX);
        self.0.first.saturating_add(count.saturating_sub(1))
    }

    fn nonce(&self, start: u32) -> Option<u32> {
        let place = usize::try_from(start.checked_sub(self.0.first)?).ok()?;
        self.0.nonces.get(place).copied()
    }

    /// If something was sealed by another copy: the first start that isn't shared with it. `loaded` and `count` are how often this
    /// copy had sealed in the chat when it was loaded, and has by now.
    fn split(&self, sealed: &Sealed, loaded: u64, count: u64) -> Option<u32> {
        if sealed.start < self.0.first {
            // Too long ago to be told.
            return None;
        }
        if self.nonce(sealed.start) != Some(sealed.nonce) {
            return Some(sealed.start);
        }
        let own = if sealed.start == self.current() { count } else { loaded };
        (sealed.count > own).then(|| sealed.start.saturating_add(1))
    }
}

/// A message that gets another number.
pub(super) struct Moved {
    chat: ChatId,
    stream: StreamId,
    message: Durable,
}

impl Chat {
    /// Whether this device may commit: it knows that no other copy of its data had gone on when it started.
    pub fn may_commit(&self) -> bool {
        self.checked && self.row.copied.is_none()
    }

    /// Whether it may seal messages: somebody of whom it would hear of another copy has been there since, and whom it has removed doesn't read them.
    pub fn may_seal(&self) -> bool {
        self.may_commit() && !self.alone && !self.removes_first()
    }

    /// Whether somebody is to be asked.
    fn is_unknown(&self) -> bool {
        !self.checked || self.alone
    }

    /// What another device has of one of our streams. Who joined after a stream had ended isn't concerned by it.
    pub fn has(&self, device: DeviceId, incarnation: u64, sequence: u64) -> bool {
        let has = |ack: &AckRow| sequence < ack.from || ack.delivered.contains(sequence);
        if incarnation == self.row.incarnation {
            self.acks.get(&device).is_some_and(has)
        } else {
            self.past_acks.get(&(incarnation, device)).is_none_or(has)
        }
    }

    /// Begins another stream: what was numbered in this one is known to others as of a copy too.
    fn renew_stream(&mut self, own: DeviceId, incarnation: u64, last: u64) {
        let ended = std::mem::replace(&mut self.row.incarnation, incarnation);
        self.row.past.push((ended, last));
        if self.row.past.len() > limits::PAST_STREAMS {
            let (oldest, _) = self.row.past.remove(0);
            self.past_acks.retain(|(incarnation, device), _| {
                let keep = *incarnation != oldest;
                if !keep {
                    self.past_dirty.insert((oldest, *device));
                }
                keep
            });
        }
        let members: BTreeSet<DeviceId> = self.others(own).map(|member| member.device).collect();
        let parted = self.row.parted.iter().map(|(device, _)| *device);
        let concerned: BTreeSet<DeviceId> = members.into_iter().chain(parted).collect();
        let mut acks = std::mem::take(&mut self.acks);
        for device in &concerned {
            acks.entry(*device).or_default();
        }
        // Also of those who have gone: what they had is still told.
        for (device, mut ack) in acks {
            let anew = AckRow {
                node: ack.node,
                mark: ack.mark,
                ..AckRow::default()
            };
            if !concerned.contains(&device) {
                ack.from = u64::MAX;
            }
            self.past_acks.insert((ended, device), ack);
            self.past_dirty.insert((ended, device));
            self.acks.insert(device, anew);
            self.acks_dirty.insert(device);
        }
        self.restart_head();
        self.row.hidden = Default::default();
        self.row.given_up = Default::default();
        self.row.details_due |= self.row.details_sequence > 0;
        self.row.details_sequence = 0;
        self.row.copied = None;
        (self.checked, self.alone) = (true, false);
        self.loaded_count = 0;
        self.row_dirty = true;
    }
}

impl Client {
    /// A mark for what is sealed now.
    pub(super) fn next_mark(&mut self, chat_id: ChatId) -> Option<Mark> {
        let start = self.starts.current();
        let nonce = self.starts.nonce(start)?;
        let marks = self.aliases.get(&chat_id).map_or(&self.marks, |alias| &alias.marks);
        let chat = self.chats.get_mut(&chat_id)?;
        let sealed = Sealed {
            start,
            nonce,
            count: chat.count_sealed(),
            clock: chat.head.clock,
        };
        self.dirty.chats.insert(chat_id);
        Some(marks.seal(chat_id, chat.row.incarnation, &sealed))
    }

    /// Asks a device what it has of ours, for the chats in which we don't know yet whether we are behind.
    pub(super) fn compare_with(&mut self, peer: TransportKey) {
        let Some(link) = self.links.get(&peer).filter(|link| link.opened && !link.relay) else {
            return;
        };
        let unknown = self
            .chats
            .values()
            .filter(|chat| chat.is_unknown() && link.serves(chat));
        let asked = unknown.map(|chat| (chat.row.topic.public(), self.device_in(&chat.id)));
        let asked: Vec<(TopicId, DeviceId)> = asked.collect();
        for (topic, device) in asked {
            let ask = ClientFrame::Compare(Compare { topic, device });
            self.send(peer, Side::Client, ask.encode());
        }
    }

    /// A member is there. When it was asked it may not have known this account yet, so that it didn't answer.
    pub(super) fn ask_if_unknown(&mut self, now_ms: u64, chat_id: ChatId) {
        if self.chats.get(&chat_id).is_some_and(Chat::is_unknown) {
            self.look_again(now_ms, chat_id);
        }
    }

    /// Asks all who are connected, if that wasn't done just now.
    pub(super) fn look_again(&mut self, now_ms: u64, chat_id: ChatId) {
        let device = self.device_in(&chat_id);
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return;
        };
        if chat
            .looked_ms
            .is_some_and(|at| now_ms.saturating_sub(at) < LOOK_AGAIN_MS)
        {
            return;
        }
        chat.looked_ms = Some(now_ms);
        let ask = ClientFrame::Compare(Compare {
            topic: chat.row.topic.public(),
            device,
        })
        .encode();
        let chat = self.chats.get(&chat_id);
        let serves = |link: &super::Link| link.opened && !link.relay && chat.is_some_and(|chat| link.serves(chat));
        let peers: Vec<TransportKey> = self
            .links
            .iter()
            .filter(|(_, link)| serves(link))
            .map(|(peer, _)| *peer)
            .collect();
        for peer in peers {
            self.send(peer, Side::Client, ask.clone());
        }
    }

    /// A device asks what we have of it.
    pub(super) fn compare_asked(&mut self, peer: TransportKey, asked: &Compare) {
        let chat = match self.topics.get(&asked.topic) {
            Some(TopicUse::Chat(chat)) => self.chats.get(chat).filter(|chat| !chat.quiet),
            // Whoever doesn't know it may be the only other member, and wait to be put back by who asks.
            _ => None,
        };
        let answer = Compared {
            topic: asked.topic,
            mark: chat.and_then(|chat| chat.acks.get(&asked.device)?.mark),
        };
        self.send(peer, Side::Server, CustodianFrame::Compared(answer).encode());
    }

    /// A device told what it has of ours.
    pub(super) fn compared(&mut self, now_ms: u64, peer: TransportKey, told: &Compared) -> Result<(), RowsError> {
        let Some(TopicUse::Chat(chat_id)) = self.topics.get(&told.topic).copied() else {
            return Ok(());
        };
        let serves = |chat| {
            self.links
                .get(&peer)
                .is_some_and(|link| !link.relay && link.serves(chat))
        };
        if !self.chats.get(&chat_id).is_some_and(serves) {
            return Ok(());
        }
        if let Some(mark) = &told.mark {
            self.look_at(now_ms, chat_id, mark);
        }
        self.looked(now_ms, chat_id)
    }

    /// A relay has shown all that it has of a topic, or won't: there is no more to learn from it.
    pub(super) fn relay_showed(
        &mut self,
        now_ms: u64,
        peer: TransportKey,
        topic: Option<TopicId>,
    ) -> Result<(), RowsError> {
        let Some(link) = self.links.get(&peer).filter(|link| link.relay) else {
            return Ok(());
        };
        let of_topic = |chat: &&Chat| topic.is_none_or(|topic| chat.row.topic.public() == topic);
        let unknown = self
            .chats
            .values()
            .filter(|chat| chat.is_unknown() && link.serves(chat));
        let chats: Vec<ChatId> = unknown.filter(of_topic).map(|chat| chat.id).collect();
        for chat in chats {
            self.looked(now_ms, chat)?;
        }
        Ok(())
    }

    /// Looks at the mark of something that is in a chat: if another copy of this device's data made it, this one is behind. True if it is this
    /// device's, whichever copy made it.
    pub(super) fn look_at(&mut self, now_ms: u64, chat_id: ChatId, mark: &Mark) -> bool {
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return false;
        };
        let marks = self.aliases.get(&chat_id).map_or(&self.marks, |alias| &alias.marks);
        let Some(sealed) = marks.open(chat_id, chat.row.incarnation, mark) else {
            return false;
        };
        let Some(first) = self.starts.split(&sealed, chat.loaded_count, chat.head.sealed) else {
            return true;
        };
        // What is written from now on comes after what the copy wrote.
        chat.adopt_clock(sealed.clock);
        self.dirty.chats.insert(chat_id);
        self.found_copied(now_ms, chat_id, first);
        true
    }

    /// Another copy of this device's data has gone on without the starts from `first` on.
    pub(super) fn found_copied(&mut self, now_ms: u64, chat_id: ChatId, first: u32) {
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return;
        };
        let known = chat
            .row
            .copied
            .replace(chat.row.copied.map_or(first, |known| known.min(first)));
        if known == chat.row.copied {
            return;
        }
        chat.row_dirty = true;
        chat.filling = None;
        self.dirty.chats.insert(chat_id);
        if known.is_none() {
            chat.rejoin_ms = Some(now_ms);
            self.event(&EventRow::ChatUpdated { chat: chat_id });
        }
    }

    /// Nobody is connected any more whom this device would hear of another copy from: it asks again before it seals.
    pub(super) fn unlooked(&mut self) {
        let open: Vec<&super::Link> = self.links.values().filter(|link| link.opened).collect();
        for chat in self.chats.values_mut().filter(|chat| chat.members.len() > 1) {
            chat.alone |= !open.iter().any(|link| link.serves(chat));
        }
    }

    /// Somebody was asked: if no copy showed, this device may seal.
    fn looked(&mut self, now_ms: u64, chat_id: ChatId) -> Result<(), RowsError> {
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return Ok(());
        };
        if !chat.is_unknown() {
            return Ok(());
        }
        (chat.checked, chat.alone) = (true, false);
        if chat.row.copied.is_some() {
            return Ok(());
        }
        self.released(now_ms, chat_id)
    }

    /// Hands over what waited until this device might seal.
    fn released(&mut self, now_ms: u64, chat_id: ChatId) -> Result<(), RowsError> {
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return Ok(());
        };
        if chat.row.intents.iter().any(|intent| intent.node.is_none()) {
            chat.retry_ms = Some(now_ms);
        }
        if chat.head.owed {
            self.owe_report(now_ms, chat_id);
        }
        self.hand_over_waiting(now_ms, chat_id)
    }

    /// Seals and hands over what waits in a chat.
    pub(super) fn hand_over_waiting(&mut self, now_ms: u64, chat_id: ChatId) -> Result<(), RowsError> {
        let chat = self.chats.get(&chat_id);
        let serves = |link: &super::Link| link.opened && chat.is_some_and(|chat| link.serves(chat));
        let peers: Vec<TransportKey> = self
            .links
            .iter()
            .filter(|(_, link)| serves(link))
            .map(|(peer, _)| *peer)
            .collect();
        for peer in peers {
            self.fill_todo(now_ms, peer);
            self.pump(now_ms, peer)?;
        }
        Ok(())
    }

    /// This device was put into a chat again, of which another copy has gone on: it writes in a stream of its own from now on.
    pub(super) fn begin_stream(&mut self, chat_id: ChatId) {
        let (own, incarnation) = (self.device_in(&chat_id), self.crypto.random_u64());
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return;
        };
        let Some(first) = chat.row.copied else {
            return;
        };
        let stream = chat.stream(own);
        chat.filling = None;
        // What the copy can't know of is numbered anew: it may have numbered something else so.
        let (unshared, last) = self.numbered_from(chat_id, |start, _| start >= first);
        if let Some(chat) = self.chats.get_mut(&chat_id) {
            chat.renew_stream(own, incarnation, last);
        }
        self.dirty.chats.insert(chat_id);
        for number in unshared {
            let run = self.outs.get(&number).map(|out| out.what.run().to_vec());
            self.drop_out(number);
            let moved = run.unwrap_or_default().into_iter().map(|message| Moved {
                chat: chat_id,
                stream,
                message,
            });
            self.moved.extend(moved);
        }
    }

    /// The last message of this device's stream that others can have of it.
    pub(super) fn last_sent(&self, chat_id: ChatId) -> u64 {
        let copied = self.chats.get(&chat_id).and_then(|chat| chat.row.copied);
        let unshared = |start| copied.is_some_and(|first| start >= first);
        self.numbered_from(chat_id, |start, sent| !sent || unshared(start)).1
    }

    /// The outgoing messages of this device's stream that are so, by the start in which they were numbered and whether they were ever
    /// sealed; and the last sequence before them.
    fn numbered_from(&self, chat_id: ChatId, so: impl Fn(u32, bool) -> bool) -> (Vec<u64>, u64) {
        let Some(chat) = self.chats.get(&chat_id) else {
            return (Vec::new(), 0);
        };
        let (mut numbers, mut last) = (Vec::new(), chat.head.sequence);
        for (number, out) in self.waiting(&chat_id) {
            if let OutWhat::Row(OutKind::Messages {
                run,
                incarnation,
                start,
                sent,
                ..
            }) = &out.what
                && *incarnation == chat.row.incarnation
                && so(*start, *sent)
            {
                let before = run.first().map_or(last, |message| message.sequence.saturating_sub(1));
                last = last.min(before);
                numbers.push(number);
            }
        }
        (numbers, last)
    }

    /// Numbers messages anew; their old ids lead to them here.
    pub(super) fn move_messages(&mut self, rows: &dyn Rows) -> Result<(), RowsError> {
        let all = std::mem::take(&mut self.moved);
        let mut renamed: BTreeMap<MessageId, MessageId> = BTreeMap::new();
        for Moved {
            chat: chat_id,
            stream,
            message,
        } in all
        {
            let was = stream.message(message.sequence);
            let found = self.found(&chat_id, &was, rows)?;
            let mut body = message.body;
            body.rename(|id| renamed.get(&id).copied());
            let Some(chat) = self.chats.get_mut(&chat_id) else {
                continue;
            };
            chat.head.heads.retain(|head| *head != was);
            let durable = self.numbered_next(chat_id, body, message.fallback, message.sent_ms, message.extensions);
            let Some((id, durable)) = durable else {
                continue;
            };
            renamed.insert(was, id);
            if let Some(found) = found {
                self.move_row(chat_id, was, id, &durable, found.stored, found.row, rows)?;
            } else if !durable.body.shown() {
                self.hide(chat_id, &durable);
            }
            let now_ms = self.last_ms;
            self.queue_message(now_ms, chat_id, durable);
        }
        Ok(())
    }

    #[allow(clippy::too_many_arguments)]
    fn move_row(
        &mut self,
        chat_id: ChatId,
        was: MessageId,
        id: MessageId,
        durable: &Durable,
        stored: Vec<u8>,
        row: MessageRow,
        rows: &dyn Rows,
    ) -> Result<(), RowsError> {
        let (own, account) = (self.device_in(&chat_id), self.account_in(&chat_id));
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return Ok(());
        };
        let author = AuthorRow {
            stream: chat.stream(own),
            account,
            own: true,
        };
        let row = MessageRow {
            author: chat.author(author),
            sequence: durable.sequence,
            body: if row.deleted { row.body } else { durable.body.clone() },
            ..row
        };
        self.delete_fresh(Tree::Messages, stored);
        self.put_message(&chat_id, id, durable.clock, durable.sent_ms, &row)?;
        let place = key::message(&chat_id, durable.clock, durable.sent_ms, &id);
        self.put_fresh(Tree::MessageIds, key::message_id(&was), place);
        let (from, to) = (key::effects(&chat_id, &was), key::effects(&chat_id, &id));
        for (stored, value) in self
            .fresh
            .range(rows, Tree::Effects, &from, &prefix_end(&from), usize::MAX)?
        {
            let moved = [to.as_slice(), stored.get(from.len()..).unwrap_or_default()].concat();
            self.put_fresh(Tree::Effects, moved, value);
            self.delete_fresh(Tree::Effects, stored);
        }
        if self.fresh.get(rows, Tree::Pins, &from)?.is_some() {
            self.put_fresh(Tree::Pins, to, Vec::new());
            self.delete_fresh(Tree::Pins, from);
        }
        self.event(&EventRow::MessageUpdated { message: id });
        Ok(())
    }

    /// The id that a message has now, if it was numbered anew.
    pub(super) fn current_id(&self, chat: &ChatId, id: MessageId, rows: &dyn Rows) -> Result<MessageId, RowsError> {
        let Some(place) = self.fresh.get(rows, Tree::MessageIds, &key::message_id(&id))? else {
            return Ok(id);
        };
        if !key::is_alias(&place) {
            return Ok(id);
        }
        let Some(value) = self.fresh.get(rows, Tree::Messages, &place)? else {
            return Ok(id);
        };
        let row: MessageRow = decode(&value)?;
        let chat = self.chats.get(chat);
        let author = chat.and_then(|chat| chat.row.authors.get(usize::try_from(row.author).ok()?));
        Ok(author.map_or(id, |author| author.stream.message(row.sequence)))
    }
}
