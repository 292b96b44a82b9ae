//! Chats: their states, what is sent in them, and the schedule of leaf updates.

use super::commits::Handed;
use super::divergence::{AskedTimes, Doubts, SaidGone};
use super::frontiers::Telling;
use super::gaps::Gaps;
use super::io::{CommandError, ReadMark, Reply};
use super::outbox::OutWhat;
use super::pending::Pending;
use super::profiles::{self, Known};
use super::records::{
    AckRow, AuthorRow, ChatHead, ChatRow, MessageRow, OutKind, StreamRow, decode, encode, encode_small, key,
};
use super::shared::Shared;
use super::spares::Spare;
use super::states;
use super::throttle::Throttle;
use super::typing::Typing;
use super::{Client, EventRow, LoadError, TopicUse, array};
use crate::chat::{Dag, Group, Member};
use crate::keys::{AccountId, ChatId, DeviceId, EnvelopeId, MessageId, NodeId, TopicId};
use crate::limits;
use crate::message::{Durable, StreamId};
use crate::rows::{Batch, Rows, RowsError, Tree};
use crate::seq_set::SeqSet;
use std::collections::{BTreeMap, BTreeSet};

/// A message that may be here already.
pub(super) struct Returned {
    chat: ChatId,
    id: MessageId,
    clock: u64,
    sent_ms: u64,
    row: MessageRow,
}

/// A chat in memory.
pub(super) struct Chat {
    pub id: ChatId,
    pub row: ChatRow,
    pub head: ChatHead,
    pub group: Group,
    /// It is an alias's: nothing of it goes to a device directly, or by gossip.
    pub quiet: bool,
    /// The commits that aren't settled.
    pub dag: Dag,
    /// Their states, but the current one.
    pub frozen: Vec<Group>,
    pub members: Vec<Member>,
    pub streams: BTreeMap<StreamId, StreamRow>,
    /// What of them is to be told.
    pub telling: Telling,
    pub acks: BTreeMap<DeviceId, AckRow>,
    /// What the others have of streams of ours that have ended.
    pub past_acks: BTreeMap<(u64, DeviceId), AckRow>,
    /// Envelopes that build on a state we don't have yet.
    pub pending: BTreeMap<EnvelopeId, Pending>,
    pub pending_bytes: usize,
    /// Some envelope found no room in `pending`: fetch all again once there is.
    pub refetch: bool,
    /// When a report is due.
    pub report_due_ms: Option<u64>,
    /// When undelivered messages are looked after again, and after how many tries.
    pub nudge_ms: Option<u64>,
    pub nudges: u32,
    /// Something was delivered since the last nudge: the other is there.
    pub answered: bool,
    /// Numbers of the outgoing messages and commits.
    pub waiting: BTreeSet<u64>,
    /// Those of them that are commits.
    pub commits: BTreeSet<u64>,
    /// Numbers of the outgoing messages that all members have, but not all who may prove to be members.
    pub aside: BTreeSet<u64>,
    /// Number of the outgoing messages that take more until they are sealed.
    pub filling: Option<u64>,
    /// Number of the outgoing report.
    pub report: Option<u64>,
    /// Who types.
    pub typing: Typing,
    /// What speaks against the state here.
    pub doubts: Doubts,
    /// Commits that wait for their turn.
    pub throttle: Throttle,
    /// When what lost is committed again.
    pub retry_ms: Option<u64>,
    /// Who was told that it was removed, and when.
    pub told_gone: BTreeMap<DeviceId, u64>,
    /// On which topics it was told that the others have gone on, and when.
    pub told_on: BTreeMap<TopicId, u64>,
    /// Letters that this device has passed on, and when.
    pub passed_on: BTreeMap<[u8; 32], u64>,
    /// The topics on which the wishes came that it has passed on, by their devices.
    pub passed_for: BTreeMap<DeviceId, TopicId>,
    /// Somebody has said so of this device.
    pub said_gone: Option<SaidGone>,
    /// How often it asked in vain to come over to a way that goes before the one here.
    pub misled: u32,
    /// Members that have asked to be put back and are only behind.
    pub handed: BTreeMap<DeviceId, Handed>,
    /// How often it was put back since others were read on a topic who have gone another way.
    pub astray: BTreeMap<TopicId, u32>,
    /// Members that this device has put back, and that weren't heard in the state that counts since.
    pub helped: BTreeSet<DeviceId>,
    /// Members that have asked to be put back since they were heard in the state at hand.
    pub wishing: BTreeSet<DeviceId>,
    /// Welcomes to what this device has asked for, by makers that it doesn't know.
    pub strangers: u32,
    /// Members that aren't known to have a state of the tree and have asked to be put back, and how often.
    pub elsewhere: BTreeMap<DeviceId, AskedTimes>,
    /// Members that have asked to be put back since they lack states which are unknown here too.
    pub unhelped: BTreeMap<DeviceId, AskedTimes>,
    /// Somebody was asked whether another copy of this device's data has gone on; nothing is sealed before.
    pub checked: bool,
    /// Nobody of whom this device would hear of another copy was connected since.
    pub alone: bool,
    /// When a member's frontier last made us ask again.
    pub looked_ms: Option<u64>,
    /// How often this device had sealed when the chat was loaded.
    pub loaded_count: u64,
    /// When this device asks to be put back, since what comes builds on states that it lacks.
    pub rejoin_ms: Option<u64>,
    /// A Welcome to go on with if the state that counts here turns out to be dead.
    pub spare: Option<Spare>,
    /// How often it has asked, and for which leaves of its own it asks now.
    pub asks: u32,
    /// Members that were heard in the state here since the last wish.
    pub heard_since: BTreeSet<DeviceId>,
    pub wished: Vec<[u8; 32]>,
    /// What members call themselves, and when ours is to be told.
    pub profiles: BTreeMap<DeviceId, Known>,
    pub profile_ms: Option<u64>,
    /// What is missing of others' streams.
    pub gaps: Gaps,
    pub row_dirty: bool,
    head_dirty: bool,
    pub streams_dirty: BTreeSet<StreamId>,
    /// The stream in which each device wrote last.
    pub speaks: BTreeMap<DeviceId, u64>,
    pub acks_dirty: BTreeSet<DeviceId>,
    pub past_dirty: BTreeSet<(u64, DeviceId)>,
    /// States that left memory and whose rows go.
    pub dropped: Vec<(NodeId, Vec<Vec<u8>>)>,
    /// The rows of its states on the disk.
    shared: Shared,
}

/// Key suffix of a chat's fast part.
const HEAD: u8 = b'h';

impl Chat {
    pub fn new(id: ChatId, row: ChatRow, group: Group) -> Result<Self, crate::chat::GroupError> {
        let members = group.members()?;
        Ok(Self {
            id,
            row,
            head: ChatHead::default(),
            dag: Dag::new(group.node(), Vec::new()),
            group,
            quiet: false,
            frozen: Vec::new(),
            members,
            streams: BTreeMap::new(),
            telling: Telling::default(),
            acks: BTreeMap::new(),
            past_acks: BTreeMap::new(),
            pending: BTreeMap::new(),
            pending_bytes: 0,
            refetch: false,
            report_due_ms: None,
            nudge_ms: None,
            nudges: 0,
            answered: false,
            waiting: BTreeSet::new(),
            aside: BTreeSet::new(),
            commits: BTreeSet::new(),
            filling: None,
            report: None,
            typing: Typing::new(),
            doubts: Doubts::default(),
            throttle: Throttle::default(),
            retry_ms: None,
            told_gone: BTreeMap::new(),
            told_on: BTreeMap::new(),
            passed_on: BTreeMap::new(),
            passed_for: BTreeMap::new(),
            said_gone: None,
            misled: 0,
            astray: BTreeMap::new(),
            handed: BTreeMap::new(),
            helped: BTreeSet::new(),
            wishing: BTreeSet::new(),
            strangers: 0,
            elsewhere: BTreeMap::new(),
            unhelped: BTreeMap::new(),
            checked: true,
            alone: false,
            looked_ms: None,
            loaded_count: 0,
            rejoin_ms: None,
            spare: None,
            asks: 0,
            heard_since: BTreeSet::new(),
            wished: Vec::new(),
            profiles: BTreeMap::new(),
            profile_ms: None,
            gaps: Gaps::default(),
            row_dirty: true,
            head_dirty: true,
            streams_dirty: BTreeSet::new(),
            speaks: BTreeMap::new(),
            acks_dirty: BTreeSet::new(),
            past_dirty: BTreeSet::new(),
            dropped: Vec::new(),
            shared: Shared::default(),
        })
    }

    fn load(id: ChatId, row: ChatRow, rows: &dyn Rows) -> Result<Self, LoadError> {
        let (mut shared, numbered) = Shared::load(id, rows)?;
        let group = shared.state(id, row.state, &numbered, rows)?;
        let states = states::load(&row, |node| shared.state(id, node, &numbered, rows))?;
        let mut chat = Self::new(id, row, group)?;
        chat.shared = shared;
        chat.row_dirty = false;
        chat.head_dirty = false;
        (chat.dag, chat.frozen) = (states.dag, states.frozen);
        if chat.row.intents.iter().any(|intent| intent.node.is_none()) {
            chat.retry_ms = Some(0);
        }
        if let Some(bytes) = rows.get(Tree::Chats, &head_key(&id))? {
            chat.head = decode(&bytes)?;
        }
        // Where nobody else is, nobody has seen what a copy has sealed.
        chat.checked = chat.members.len() <= 1;
        chat.loaded_count = chat.head.sealed;
        for (stored, value) in rows.prefix(Tree::Streams, &id.0, usize::MAX)? {
            let incarnation = stored.get(64..72).and_then(|bytes| bytes.try_into().ok());
            if let (Some(device), Some(incarnation)) = (array(&stored, 32), incarnation) {
                let stream = StreamId {
                    device: DeviceId(device),
                    incarnation: u64::from_be_bytes(incarnation),
                };
                chat.streams.insert(stream, decode(&value)?);
            }
        }
        if chat.head.owed {
            chat.tell_all();
        }
        for (stored, value) in rows.prefix(Tree::Acks, &id.0, usize::MAX)? {
            let Some(device) = array(&stored, 32).map(DeviceId) else {
                continue;
            };
            match key::ack_incarnation(&stored) {
                Some(incarnation) => chat.past_acks.insert((incarnation, device), decode(&value)?),
                None => chat.acks.insert(device, decode(&value)?),
            };
        }
        chat.profiles = profiles::read(rows, &id)?;
        chat.gaps = Gaps::load(&id, rows)?;
        for (stored, bytes) in rows.prefix(Tree::Pending, &id.0, limits::PENDING_PER_CHAT)? {
            let (Some(envelope), Some(node)) = (array(&stored, 32), array(&bytes, 0)) else {
                continue;
            };
            let bytes = bytes.get(32..).unwrap_or_default().to_vec();
            chat.pending_bytes += bytes.len();
            chat.pending.insert(
                EnvelopeId(envelope),
                Pending {
                    node: NodeId(node),
                    bytes,
                },
            );
        }
        let known = |waiting: &Pending| {
            chat.row
                .nodes
                .iter()
                .any(|known| known.kept && known.node == waiting.node)
        };
        if chat.pending.values().any(known) {
            chat.throttle.due_ms = Some(0);
        }
        Ok(chat)
    }

    /// Writes what changed.
    pub fn write(
        &mut self,
        batch: &mut Batch,
        #[cfg(feature = "sim")] sabotage: super::Sabotage,
    ) -> Result<(), RowsError> {
        for (node, row_keys) in std::mem::take(&mut self.dropped) {
            for row in row_keys {
                self.shared.write(&self.id, &node, row, None, batch);
            }
        }
        for group in self.frozen.iter().chain([&self.group]) {
            for (row, value) in group.take_changes() {
                self.shared.write(&self.id, &group.node(), row, value, batch);
            }
        }
        self.sleep();
        if std::mem::take(&mut self.row_dirty) {
            batch.put(Tree::Chats, self.id.0, encode(&self.row)?);
        }
        if std::mem::take(&mut self.head_dirty) {
            batch.put(Tree::Chats, head_key(&self.id), encode(&self.head)?);
        }
        for stream in std::mem::take(&mut self.streams_dirty) {
            #[cfg(feature = "sim")]
            if sabotage == super::Sabotage::NoDurableDedup {
                continue;
            }
            let stored = key::stream(&self.id, &stream);
            match self.streams.get(&stream) {
                Some(row) => batch.put(Tree::Streams, stored, encode(row)?),
                None => batch.delete(Tree::Streams, stored),
            }
        }
        self.gaps.write(&self.id, batch)?;
        for device in std::mem::take(&mut self.acks_dirty) {
            if let Some(row) = self.acks.get(&device) {
                batch.put(Tree::Acks, key::ack(&self.id, &device), encode(row)?);
            }
        }
        for (incarnation, device) in std::mem::take(&mut self.past_dirty) {
            let stored = key::past_ack(&self.id, &device, incarnation);
            match self.past_acks.get(&(incarnation, device)) {
                Some(row) => batch.put(Tree::Acks, stored, encode(row)?),
                None => batch.delete(Tree::Acks, stored),
            }
        }
        Ok(())
    }

    /// Lets frozen states sleep when too many are awake; what OpenMLS did with them is in their rows.
    fn sleep(&mut self) {
        if self.frozen.iter().filter(|group| group.is_awake()).count() > limits::AWAKE_STATES {
            self.frozen.iter().for_each(Group::sleep);
        }
    }

    /// Seconds after which what is sent disappears, 0 for never.
    pub fn timer_s(&self) -> u32 {
        self.row.context.timer_s
    }

    /// Notes what the current state says in the row, for whoever reads it.
    pub fn describe(&mut self) {
        self.row.context = self.group.context().clone();
        self.row.accounts = self.members.iter().map(|member| member.account).collect();
        self.row.accounts.sort();
        self.row.accounts.dedup();
        self.row_dirty = true;
    }

    /// This device's stream.
    pub fn stream(&self, device: DeviceId) -> StreamId {
        StreamId {
            device,
            incarnation: self.row.incarnation,
        }
    }

    /// An author's place in the chat's list of them.
    pub fn author(&mut self, author: AuthorRow) -> u32 {
        let place = self.row.authors.iter().position(|known| *known == author);
        let place = place.unwrap_or_else(|| {
            self.row.authors.push(author);
            self.row_dirty = true;
            self.row.authors.len() - 1
        });
        u32::try_from(place).unwrap_or(u32::MAX)
    }

    /// All members but this device.
    pub fn others(&self, own: DeviceId) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(move |member| member.device != own)
    }

    /// Whether all other devices have a message of one of our streams.
    pub fn delivered(&self, own: DeviceId, incarnation: u64, sequence: u64) -> bool {
        self.others(own)
            .all(|member| self.has(member.device, incarnation, sequence))
    }

    /// Whether a commit is settled.
    pub fn is_settled(&self, node: &NodeId) -> bool {
        *node == self.dag.root() || !self.dag.contains(node)
    }

    /// Whether all other devices have a commit.
    pub fn is_known(&self, own: DeviceId, node: &NodeId) -> bool {
        let has = |ack: &AckRow| ack.node.is_some_and(|at| self.dag.leads_to(node, &at));
        let mut others = self.others(own);
        others.all(|member| self.acks.get(&member.device).is_some_and(has))
    }

    /// Adopts a message into clock and heads.
    pub fn observe(&mut self, id: crate::keys::MessageId, parents: &[crate::keys::MessageId], clock: u64) {
        if clock <= self.head.clock.saturating_add(limits::CLOCK_LEAP) {
            self.head.clock = self.head.clock.max(clock);
        }
        self.head.heads.retain(|head| !parents.contains(head));
        self.head.heads.push(id);
        if self.head.heads.len() > limits::PARENTS {
            self.head.heads.remove(0);
        }
        self.head_dirty = true;
    }

    /// Counts that something is sealed.
    pub fn count_sealed(&mut self) -> u64 {
        self.head.sealed += 1;
        self.head_dirty = true;
        self.head.sealed
    }

    /// Adopts the clock of a copy of this device.
    pub fn adopt_clock(&mut self, clock: u64) {
        if clock > self.head.clock {
            self.head.clock = clock;
            self.head_dirty = true;
        }
    }

    /// Begins to number from 1.
    pub fn restart_head(&mut self) {
        self.head.sequence = 0;
        self.head.previous = [0; 32];
        self.head.sealed = 0;
        self.head_dirty = true;
    }

    pub fn set_passed(&mut self, bytes: u64) {
        self.head.passed_bytes = bytes;
        self.head_dirty = true;
    }

    pub fn set_owed(&mut self, owed: bool) {
        if self.head.owed != owed {
            self.head.owed = owed;
            self.head_dirty = true;
        }
    }
}

fn head_key(chat: &ChatId) -> Vec<u8> {
    let mut stored = chat.0.to_vec();
    stored.push(HEAD);
    stored
}

impl Client {
    pub(super) fn load_chats(&mut self, rows: &dyn Rows) -> Result<(), LoadError> {
        for (stored, value) in rows.prefix(Tree::Chats, &[], usize::MAX)? {
            let (32, Some(id)) = (stored.len(), array(&stored, 0)) else {
                continue;
            };
            let chat = Chat::load(ChatId(id), decode(&value)?, rows)?;
            self.insert_chat(chat);
        }
        Ok(())
    }

    pub(super) fn insert_chat(&mut self, mut chat: Chat) {
        chat.quiet = self.aliases.contains_key(&chat.id);
        for topic in chat.topics() {
            self.topics.insert(topic, TopicUse::Chat(chat.id));
        }
        self.dirty.chats.insert(chat.id);
        self.chats.insert(chat.id, chat);
    }

    pub(super) fn new_chat_row(
        &self,
        now_ms: u64,
        topic: crate::keys::TopicSecret,
        peer: Option<AccountId>,
        group: &Group,
    ) -> ChatRow {
        ChatRow {
            suite: self.config.suite,
            topic,
            peer,
            created_ms: now_ms,
            requested: false,
            incarnation: self.crypto.random_u64(),
            state: group.node(),
            out: false,
            nodes: Vec::new(),
            root_admins: Vec::new(),
            old_topics: Vec::new(),
            intents: Vec::new(),
            past_nodes: Vec::new(),
            again: None,
            leaving: None,
            parted: Vec::new(),
            welcomes: Vec::new(),
            lost: false,
            rejoin_package: None,
            rejoin_older: None,
            offered: Vec::new(),
            asked: Vec::new(),
            context: group.context().clone(),
            accounts: Vec::new(),
            leaf_updated_ms: now_ms,
            leaf_update_due: false,
            read_through: Vec::new(),
            hidden: SeqSet::default(),
            details_sequence: 0,
            details_due: false,
            copied: None,
            past: Vec::new(),
            given_up: SeqSet::default(),
            authors: Vec::new(),
        }
    }

    pub(super) fn put_message(
        &mut self,
        chat: &ChatId,
        id: crate::keys::MessageId,
        clock: u64,
        sent_ms: u64,
        row: &MessageRow,
    ) -> Result<(), RowsError> {
        let stored = key::message(chat, clock, sent_ms, &id);
        let value = encode_small(row)?;
        self.note_stored(*chat, id, &stored, row);
        self.put_fresh(Tree::MessageIds, key::message_id(&id), key::message_place(&stored));
        self.put_fresh(Tree::Messages, stored, value);
        Ok(())
    }

    /// Stores another's message that is new here.
    pub(super) fn store_received(
        &mut self,
        now_ms: u64,
        chat_id: ChatId,
        member: &Member,
        stream: StreamId,
        durable: Durable,
    ) -> Result<(), RowsError> {
        let id = stream.message(durable.sequence);
        let own = member.account == self.account_in(&chat_id);
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return Ok(());
        };
        // A clock from the far future orders its own message last, in the same place for all, but doesn't drag ours along.
        let clock = durable.clock;
        chat.observe(id, &durable.parents, durable.clock);
        chat.head.last_ms = now_ms;
        self.dirty.chats.insert(chat_id);
        if !durable.body.shown() {
            self.note_effect(now_ms, chat_id, member.account, id, durable);
            return Ok(());
        }
        let again = chat.streams.get(&stream).is_some_and(|row| row.again);
        #[cfg(feature = "sim")]
        let again = again && self.config.sabotage != super::Sabotage::NoDurableDedup;
        let author = chat.author(AuthorRow {
            stream,
            account: member.account,
            own,
        });
        let row = MessageRow {
            author,
            sequence: durable.sequence,
            received_ms: now_ms,
            body: durable.body,
            fallback: durable.fallback,
            extensions: durable.extensions,
            touched: false,
            deleted: false,
        };
        // The author's own time, also one of the future: only what all members know gives all the same order (FAULTS 24).
        if again {
            let sent_ms = durable.sent_ms;
            self.returned.push(Returned {
                chat: chat_id,
                id,
                clock,
                sent_ms,
                row,
            });
            return Ok(());
        }
        self.put_message(&chat_id, id, clock, durable.sent_ms, &row)?;
        self.event(&EventRow::MessageReceived { message: id });
        if !own {
            self.files_came(now_ms, chat_id, &row.body);
        }
        Ok(())
    }

    /// Stores what came in streams that were let go of, unless it is here already.
    pub(super) fn store_returned(&mut self, rows: &dyn Rows) -> Result<(), RowsError> {
        for message in std::mem::take(&mut self.returned) {
            if self.found(&message.chat, &message.id, rows)?.is_none() {
                self.put_message(&message.chat, message.id, message.clock, message.sent_ms, &message.row)?;
                self.event(&EventRow::MessageReceived { message: message.id });
            }
        }
        Ok(())
    }

    pub(super) fn mark_read(&mut self, now_ms: u64, chat_id: ChatId, mark: ReadMark) -> Result<Reply, CommandError> {
        let (delay_ms, jitter) = (self.config.report_delay_ms, self.crypto.random_u64());
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return Err(CommandError::NotFound { field: "chat" });
        };
        let due = now_ms.saturating_add(chat.report_wait_ms(delay_ms, jitter));
        if mark.through > chat.row.read_through {
            chat.row.read_through = mark.through;
            chat.row_dirty = true;
        }
        for (stream, through) in mark.streams {
            if let Some(row) = chat.streams.get_mut(&stream)
                && through > row.read_through
            {
                row.read_through = through;
                chat.streams_dirty.insert(stream);
                chat.telling.changed(stream);
                chat.set_owed(true);
                chat.report_due_ms.get_or_insert(due);
            }
        }
        self.dirty.chats.insert(chat_id);
        self.note_read(chat_id);
        Ok(Reply::Done)
    }

    pub(super) fn chat_timer(&self, chat: &Chat) -> Option<u64> {
        let may_seal = chat.may_seal();
        let report = chat.report_due_ms.filter(|_| may_seal && self.reachable(&chat.id));
        let frozen = self.thaw_timer(chat);
        let leaf = self.leaf_due_ms(chat);
        let retry = chat.retry_due_ms();
        [
            report,
            frozen,
            leaf,
            chat.nudge_ms,
            retry,
            chat.rejoin_ms,
            chat.profile_ms,
            chat.throttle.due_ms,
            chat.gaps.due_ms,
            chat.gaps.asks.due_ms(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    pub(super) fn tick_chats(&mut self, now_ms: u64) -> Result<(), RowsError> {
        let ids: Vec<ChatId> = self.chats.keys().copied().collect();
        for id in ids {
            self.thaw(now_ms, id)?;
            self.take_turn_if_due(now_ms, id)?;
            self.update_leaf_if_due(now_ms, id)?;
            self.retry_if_due(now_ms, id)?;
            self.rejoin_if_due(now_ms, id)?;
            self.tell_profile_if_due(now_ms, id)?;
            self.nudge_if_due(now_ms, id)?;
            self.gaps_if_due(now_ms, id)?;
            self.report_if_due(now_ms, id)?;
        }
        Ok(())
    }

    /// The other was heard: the request is accepted.
    pub(super) fn heard(&mut self, now_ms: u64, chat_id: ChatId) -> Result<(), RowsError> {
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return Ok(());
        };
        let Some(account) = chat.row.peer.filter(|_| chat.row.requested) else {
            return Ok(());
        };
        chat.row.requested = false;
        chat.row_dirty = true;
        self.dirty.chats.insert(chat_id);
        self.drop_outs(|out| matches!(&out.what, OutWhat::Row(OutKind::Request { chat }) if *chat == chat_id));
        // The other's devices can read the chat, and tell what they have of it, from now on.
        let peers: Vec<_> = self
            .links
            .iter()
            .filter(|(_, link)| link.opened && link.accounts.contains(&account))
            .map(|(peer, _)| *peer)
            .collect();
        for peer in peers {
            self.compare_with(peer);
            self.fill_todo(now_ms, peer);
            self.pump(now_ms, peer)?;
        }
        let name = self
            .contact_in(&chat_id, &account)
            .map(|contact| contact.name.clone())
            .unwrap_or_default();
        self.event(&EventRow::ContactAdded {
            account,
            chat: chat_id,
            name,
        });
        self.tell_details_if_due(now_ms, chat_id)
    }
}
