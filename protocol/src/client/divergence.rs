//! Silent divergence: who shares a chat's state by name, but not what is in it, notices and asks to be put back (FAULTS 47; spec/chat.md,
//! section 11).

use super::Client;
use super::chats::Chat;
use crate::chat::{ChatKind, Header, Member};
use crate::keys::{AccountId, ChatId, DeviceId, NodeId, TopicId};
use crate::limits;
use crate::message::extensions::StateSummary;
use crate::rows::RowsError;
use std::collections::{BTreeMap, BTreeSet};

/// What others say of the state that counts here.
#[derive(Default)]
pub(super) struct Doubts {
    /// The state that it is about.
    node: Option<NodeId>,
    /// By device: whether it has the state as it is here.
    agree: BTreeMap<DeviceId, bool>,
    /// Envelopes on it that didn't open since the last that did, though nothing is wrong with their place.
    unread: usize,
    /// Where something was read last that builds on a state before the oldest one, and on none that was on the way to it.
    astray: Option<TopicId>,
}

impl Doubts {
    fn about(&mut self, node: NodeId) -> &mut Self {
        if self.node != Some(node) {
            *self = Self {
                node: Some(node),
                ..Self::default()
            };
        }
        self
    }

    /// Whether the state here is the odd one. Where it is one against one, one of the two yields: the one with the lower id.
    fn is_odd(&self, own: DeviceId) -> bool {
        let against = self.agree.values().filter(|agree| !**agree).count();
        let with = 1 + self.agree.len() - against;
        let lowest = self
            .agree
            .iter()
            .filter(|(_, agree)| !**agree)
            .all(|(device, _)| own < *device);
        self.unread >= limits::UNREAD_IN_A_ROW || against > with || (against == with && lowest)
    }
}

impl Chat {
    /// Whether what others say speaks against the state that counts here.
    pub fn is_diverged(&self, own: DeviceId) -> bool {
        self.doubts.node == Some(self.group.node()) && self.doubts.is_odd(own)
    }

    /// This device was put back.
    pub fn note_put_back(&mut self) {
        if let Some(topic) = self.doubts.astray.take() {
            if self.astray.len() >= limits::STATEMENTS {
                self.astray.clear();
            }
            *self.astray.entry(topic).or_default() += 1;
        }
    }

    /// The topic on which others were heard who have gone another way.
    pub fn heard_astray(&self) -> Option<TopicId> {
        self.doubts.astray
    }

    /// A short form of the authenticator of the state that counts here.
    pub fn summary(&self) -> StateSummary {
        let authenticator = self.group.authenticator();
        authenticator.first_chunk().copied().unwrap_or_default()
    }
}

/// This device was told that the others have gone on to a state without it.
#[derive(Debug)]
pub(super) struct SaidGone {
    /// That state.
    pub at: NodeId,
    /// Members that were heard in the state here since.
    heard: BTreeSet<DeviceId>,
    /// What was on the way to it, as it was told.
    past: Vec<NodeId>,
    /// Where it was told: whoever did reads there.
    pub on: Option<TopicId>,
    /// How often this device was put back since.
    put_back: u32,
}

impl SaidGone {
    pub fn new(at: NodeId, past: Vec<NodeId>, on: Option<TopicId>) -> Self {
        Self {
            at,
            past,
            on,
            heard: BTreeSet::new(),
            put_back: 0,
        }
    }

    /// This device was put back, maybe by one that was left behind too: where it doesn't lead to that state it asks once more.
    pub fn put_back(self) -> Option<Self> {
        (self.put_back < YIELDS).then_some(Self {
            put_back: self.put_back + 1,
            heard: BTreeSet::new(),
            ..self
        })
    }
}

/// How often a member has asked to be put back.
#[derive(Debug, Default)]
pub(super) struct AskedTimes {
    times: u32,
    /// The leaf of the last wish: the same one comes by several ways.
    leaf: [u8; 32],
}

impl AskedTimes {
    fn count(&mut self, leaf: [u8; 32]) {
        if self.leaf != leaf {
            (self.times, self.leaf) = (self.times.saturating_add(1), leaf);
        }
    }
}

/// Wishes of a device that comes over to another way, after which the greater part of its own one tells it to stay (guess: one of the others is there).
const COMES_OVER_ASKS: u32 = 2;
/// Wishes of a device that was removed and was told of a way on which it may be a member still (guess: whoever is there may be about to come over).
const COUNTED_ASKS: u32 = 4;
/// Times that a device asks in vain as it was told of a way that goes before its own, after which it believes that no more where it doesn't read
/// otherwise (guess: it may have been made up).
pub(super) const MISLED: u32 = 2;
/// After so many wishes a member is put back also by those who ought to yield to it: they may be wrong.
pub(super) const YIELDS: u32 = 1;

impl Chat {
    /// Whether a member has shown to have a state of the tree.
    pub fn is_here(&self, device: &DeviceId) -> bool {
        let at = self.acks.get(device).and_then(|ack| ack.node);
        at.is_some_and(|at| self.dag.contains(&at))
    }

    /// Whether any of the others has shown to have a state here in which an account is no member.
    pub fn is_followed_without(&self, own: DeviceId, account: &AccountId) -> bool {
        let shown: BTreeSet<NodeId> = self.shown(own).collect();
        let mut states = self.frozen.iter().chain([&self.group]);
        let without = |members: Vec<Member>| members.iter().all(|member| member.account != *account);
        states.any(|group| shown.contains(&group.node()) && group.members().is_ok_and(without))
    }

    /// Whether each of the others has asked to be put back since it was heard here: none of them follows, and another way goes before, of which some
    /// states and the last one are told.
    pub fn is_left_for(&self, own: DeviceId, past: &[NodeId], node: NodeId) -> bool {
        let all = self.others(own).all(|member| self.wishing.contains(&member.device));
        all && self.way_goes_before(past, node) == Some(true)
    }

    /// Whether none of the others has shown to have a state of the tree, though some had states before it: they may have settled otherwise
    /// and write on a topic that is unknown here.
    pub fn is_deserted(&self, own: DeviceId) -> bool {
        let mut known = self.shown(own).peekable();
        self.row.context.kind == ChatKind::Group
            && self.is_member()
            && !self.row.past_nodes.is_empty()
            && known.peek().is_some()
            && !known.any(|node| self.dag.contains(&node))
    }

    /// Whether something builds on a state before the oldest one that wasn't on the way to it, as far as this device remembers.
    pub fn is_elsewhere(&self, header: &Header) -> bool {
        header.epoch < self.root_epoch() && !self.has_been(&header.node)
    }

    /// Whether nobody else is in the group any more.
    pub fn is_alone(&self) -> bool {
        self.is_group() && self.is_member() && self.members.len() == 1
    }

    /// Whether this device has no member to hand its letters to: its account is the only one in its state, though others have gone on elsewhere, or
    /// write on what isn't here; or it was removed, and asks because it may be a member elsewhere.
    pub fn is_alone_astray(&self) -> bool {
        let hears = self.row.lost || self.is_left_behind() || !self.pending.is_empty();
        let alone = self.row.accounts.len() == 1 && hears;
        self.is_group() && (alone || self.row.lost && self.is_removed())
    }

    /// Whether the others have gone on to a state that this one doesn't come from.
    pub fn is_left_behind(&self) -> bool {
        self.said_gone.as_ref().is_some_and(|said| !self.comes_from(&said.at))
    }

    /// This device was removed, or has left, and is told of a way that parts from the one here before that: it may be a member there still, and asks
    /// to be put back from some time on.
    pub fn note_counted_in(&mut self, due_ms: u64, said: SaidGone) {
        let tip = self.dag.tip();
        let way = || said.past.iter().chain([&said.at]);
        // Who was removed by the same commit is on no other way.
        let parts =
            way().all(|node| *node != tip) && way().any(|node| self.comes_from(node)) && !self.comes_from(&said.at);
        if parts && !self.is_left_behind() {
            self.asks = 0;
            self.said_gone = Some(said);
            self.rejoin_ms = Some(due_ms);
        }
    }

    /// Whether this device was removed, or has left, and asks all the same, and a way of which some states are told parts from the one here: it has no
    /// state to lose, and may have forgotten who is there.
    pub fn comes_back_by(&self, past: &[NodeId]) -> bool {
        self.is_removed() && self.asks > 0 && past.iter().any(|node| self.has_been(node))
    }

    /// Whether this device was removed, and was told of another way than the one here.
    pub fn knows_two_ways(&self) -> bool {
        self.is_removed() && self.is_left_behind()
    }

    /// Whether this device was removed, was told of a way on which it may be a member still, and is to ask there.
    pub fn asks_though_removed(&self) -> bool {
        self.knows_two_ways() && self.asks < COUNTED_ASKS
    }

    /// Whether a state is on the way to the one that counts here, as far as this device remembers.
    pub fn comes_from(&self, node: &NodeId) -> bool {
        let tip = self.dag.tip();
        *node == self.dag.root() || self.dag.leads_to(node, &tip) || self.row.past_nodes.contains(node)
    }

    /// Whether another way, of which some states and the last one are told, goes before the one here, where both were settled: the first state in which
    /// they differ has the lower name, or the last one the higher epoch where they share none. All on both ways say the same of it.
    pub fn goes_before(&self, past: &[NodeId], node: NodeId, epoch: u64) -> bool {
        let before = self.way_goes_before(past, node);
        before.unwrap_or_else(|| epoch > self.tip_epoch())
    }

    /// The same by names alone; none where they share none.
    pub fn way_goes_before(&self, past: &[NodeId], node: NodeId) -> Option<bool> {
        let (own, theirs) = (self.way(), [past, &[node]].concat());
        let place = |shared: &NodeId| own.iter().position(|known| known == shared);
        let shared = theirs.iter().rposition(|known| place(known).is_some())?;
        let next = |way: &[NodeId], shared: usize| way.get(shared + 1).copied();
        let here = theirs.get(shared).and_then(place).and_then(|shared| next(&own, shared));
        Some(match (here, next(&theirs, shared)) {
            (Some(here), Some(there)) => there.0 < here.0,
            (None, there) => there.is_some(),
            (Some(_), None) => false,
        })
    }

    /// Whether another way, of which some states are told, parts from the one here where nothing is settled: whoever knows both can tell which one counts.
    fn parts_unsettled(&self, past: &[NodeId]) -> bool {
        self.unsettled_fork(past).is_some()
    }

    /// The state from which another way, of which some states are told, parts from the one here; none where that is settled.
    fn unsettled_fork(&self, past: &[NodeId]) -> Option<NodeId> {
        let last = past.iter().rev().find(|known| self.comes_from(known));
        last.filter(|last| self.dag.contains(last)).copied()
    }

    /// The states that the others have shown to have.
    fn shown(&self, own: DeviceId) -> impl Iterator<Item = NodeId> {
        self.others(own)
            .filter_map(|member| self.acks.get(&member.device)?.node)
    }

    /// Whether who asks to be put back has gone another way, knows of this one, and comes over because this one goes before.
    pub fn is_come_over_to(&self, lacks: &[NodeId], past: &[NodeId], has: &[NodeId]) -> bool {
        let elsewhere = has.first().filter(|tip| !self.comes_from(tip));
        let theirs = elsewhere.and_then(|tip| self.way_goes_before(past, *tip));
        theirs == Some(false) && lacks.iter().any(|node| self.has_been(node))
    }

    /// Whether another way, of which some states are told and which isn't known here, parts from the one here where nothing is settled, and none of the
    /// others has shown to have a state of this one after that: those who know both may be on the other.
    pub fn is_unfollowed(&self, own: DeviceId, past: &[NodeId], node: &NodeId) -> bool {
        let Some(fork) = self.unsettled_fork(past).filter(|_| !self.dag.contains(node)) else {
            return false;
        };
        let after = |node: NodeId| node != fork && self.dag.leads_to(&fork, &node);
        after(self.dag.tip()) && !self.shown(own).any(after)
    }

    /// Whether a state is known by name.
    pub fn has_been(&self, node: &NodeId) -> bool {
        self.dag.contains(node) || self.row.past_nodes.contains(node)
    }

    /// A member asks to be put back with the leaf of a key package. Whether this device ought to yield: members of two ways that were
    /// settled ask each other, and would change sides by turns.
    pub fn yields_to(&mut self, own: DeviceId, asker: DeviceId, leaf: [u8; 32]) -> bool {
        if self.is_here(&asker) {
            return false;
        }
        self.elsewhere.entry(asker).or_default().count(leaf);
        self.yields_still(own, &asker)
    }

    /// Whether it is of use to put a member back that lacks some states: not where none of them is known. It is done all the same if the
    /// member asks again, since what it lacks may be made up, or gone.
    pub fn can_help(&mut self, asker: DeviceId, leaf: [u8; 32], lacks: &[NodeId]) -> bool {
        if lacks.is_empty() || lacks.iter().any(|node| self.has_been(node)) {
            return true;
        }
        let asked = self.unhelped.entry(asker).or_default();
        asked.count(leaf);
        asked.times > YIELDS
    }

    /// Whether the wish of a member that has asked from elsewhere isn't to be carried out yet.
    pub fn yields_still(&self, own: DeviceId, asker: &DeviceId) -> bool {
        self.elsewhere.get(asker).is_some_and(|asked| asked.times <= YIELDS) && self.yields(own)
    }

    /// Whether a device that was said to have been left behind puts a member back all the same: the member has asked again, so nobody else does,
    /// and of two that wait for each other the lower one stays.
    pub fn leads_all_the_same(&self, own: DeviceId, asker: &DeviceId) -> bool {
        own < *asker && self.elsewhere.get(asker).is_some_and(|asked| asked.times > YIELDS)
    }

    /// Most members are here: what this device waited for was made up, or is gone. True if that is news. The greater part of each of two ways may be there:
    /// then who is on the one that goes after comes over all the same, unless nobody answers.
    pub fn stays(&mut self) -> bool {
        let before = |said: &SaidGone| self.way_goes_before(&said.past, said.at) == Some(true);
        let first = self.said_gone.as_ref().is_some_and(before);
        let open = self
            .said_gone
            .as_ref()
            .is_some_and(|said| self.parts_unsettled(&said.past));
        if first && self.asks < COMES_OVER_ASKS || open && self.asks == 0 {
            return false;
        }
        let members = self.members.len();
        let most = |heard: &BTreeSet<DeviceId>| !heard.is_empty() && 2 * (heard.len() + 1) > members;
        let in_vain = self.said_gone.take_if(|said| most(&said.heard));
        self.misled += u32::from(first && in_vain.is_some());
        let stays = self.row.lost && self.row.copied.is_none() && !self.is_put_aside() && most(&self.heard_since);
        if stays {
            self.row.lost = false;
            self.row_dirty = true;
        }
        stays
    }

    /// Whether more have asked from elsewhere than are known to be here; of as many those with the lowest device stay.
    pub fn yields(&self, own: DeviceId) -> bool {
        let members = || self.members.iter().map(|member| member.device);
        let (there, here): (Vec<DeviceId>, Vec<DeviceId>) = members()
            .filter(|device| *device == own || self.elsewhere.contains_key(device) || self.is_here(device))
            .partition(|device| *device != own && self.elsewhere.contains_key(device));
        (there.len(), here.iter().min()) > (here.len(), there.iter().min())
    }
}

impl Client {
    /// A member says what it has of a state.
    pub(super) fn compare_state(
        &mut self,
        now_ms: u64,
        chat_id: ChatId,
        member: &Member,
        node: NodeId,
        told: StateSummary,
    ) {
        let Some(chat) = self.chats.get_mut(&chat_id).filter(|chat| chat.group.node() == node) else {
            return;
        };
        let agrees = chat.summary() == told;
        let doubts = chat.doubts.about(node);
        doubts.agree.insert(member.device, agrees);
        self.doubt(now_ms, chat_id);
    }

    /// Something on a state wasn't opened though it should have been.
    pub(super) fn note_unopened(&mut self, now_ms: u64, chat_id: ChatId, node: NodeId) {
        let Some(chat) = self.chats.get_mut(&chat_id).filter(|chat| chat.group.node() == node) else {
            return;
        };
        chat.doubts.about(node).unread += 1;
        self.doubt(now_ms, chat_id);
    }

    /// Something of a member on a state was opened. This device may have been told that the others have gone on: then one of them isn't enough, since it
    /// may have been left behind too.
    pub(super) fn note_heard(&mut self, chat_id: ChatId, node: NodeId, member: DeviceId) {
        let Some(chat) = self.chats.get_mut(&chat_id).filter(|chat| chat.group.node() == node) else {
            return;
        };
        chat.doubts.about(node).unread = 0;
        chat.helped.remove(&member);
        chat.wishing.remove(&member);
        if chat.row.lost {
            chat.heard_since.insert(member);
        }
        if let Some(said) = &mut chat.said_gone {
            said.heard.insert(member);
        }
        if chat.stays() {
            self.dirty.chats.insert(chat_id);
        }
    }

    /// Something came. It may build on a state before the oldest one here, and none that was on the way to it as far as this device knows.
    /// Old envelopes come again by a relay that lost its place; but where nothing else comes, the others have gone another way.
    pub(super) fn note_elsewhere(
        &mut self,
        now_ms: u64,
        chat_id: ChatId,
        topic: TopicId,
        header: &Header,
    ) -> Result<(), RowsError> {
        if let Some(chat) = self.chats.get_mut(&chat_id).filter(|chat| chat.is_elsewhere(header)) {
            let tip = chat.group.node();
            // Who was put back, and put back again, is where the others are: those who write there were removed, or are wrong themselves.
            if chat.astray.get(&topic).is_none_or(|times| *times <= YIELDS) {
                chat.doubts.about(tip).astray = Some(topic);
                self.note_unopened(now_ms, chat_id, tip);
            }
        }
        self.tell_gone_on(now_ms, chat_id, topic, header)
    }

    fn doubt(&mut self, now_ms: u64, chat_id: ChatId) {
        let (own, wait_ms) = (self.device_in(&chat_id), self.config.rejoin_ms);
        if let Some(chat) = self.chats.get_mut(&chat_id).filter(|chat| chat.is_diverged(own)) {
            // What comes meanwhile may show that it was a mistake.
            chat.rejoin_ms.get_or_insert(now_ms.saturating_add(wait_ms));
        }
    }
}
