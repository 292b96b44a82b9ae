//! The states of a chat: commits by whomever, the branch that counts, and what is kept of the others.

use super::chats::Chat;
use super::divergence::SaidGone;
use super::inbound::Taken;
use super::outbox::OutWhat;
use super::records::{NodeRow, OldTopic, OutKind};
use super::{Client, EventRow, LoadError, TopicUse};
use crate::blob;
use crate::chat::{Change, ChatKind, Dag, Group, GroupError, Header, Member, Plan, Pointer, Unfit, dag, node_of};
use crate::custody::Refusal;
use crate::envelope::Envelope;
use crate::keys::{AccountId, ChatId, DeviceId, NodeId, TopicId, TopicSecret};
use crate::limits;
use crate::rows::RowsError;
use std::collections::{BTreeMap, BTreeSet};

/// Milliseconds between the tries of members that lost against each other (guess: a few round trips).
const RETRY_MS: u64 = 2_000;

/// The node that a commit of ours makes, with the Welcome if it adds somebody; or why it can't be made.
pub(super) type Made = Result<(NodeId, Option<Vec<u8>>), GroupError>;

/// A commit that is to be taken into the tree.
struct Arrived {
    node: NodeId,
    /// The encoded MLSMessage.
    body: Vec<u8>,
    place: dag::Commit,
    /// The state after; none where this device isn't in it.
    group: Option<Group>,
    renews: bool,
    /// The devices that it puts back with another leaf, and the hash of that leaf's key.
    back: Vec<(DeviceId, [u8; 32])>,
}

/// How a chat's state is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChatStatus {
    /// The epoch of the state that counts.
    pub epoch: u64,
    /// Branches of unsettled commits: 1 where there is no fork.
    pub branches: u64,
    /// Unsettled commits.
    pub unsettled: u64,
    /// Envelopes that wait for a state which isn't here yet.
    pub waiting: u64,
    /// Changes by this device that aren't settled.
    pub changes: u64,
    /// This device has asked to be put back, since it has no state that the others use.
    pub rejoining: bool,
    /// Ranges of others' messages that are missing and looked for.
    pub gaps: u64,
    /// Ranges of others' messages that their authors gave up.
    pub lost: u64,
}

/// A state beside or before the one that counts, as it is loaded.
pub(super) struct Loaded {
    pub dag: Dag,
    pub frozen: Vec<Group>,
}

/// Loads the tree of a chat's states.
pub(super) fn load(
    row: &super::records::ChatRow,
    mut state: impl FnMut(NodeId) -> Result<Group, LoadError>,
) -> Result<Loaded, LoadError> {
    let mut dag: Option<Dag> = None;
    let mut frozen = Vec::new();
    // Parents were written before their children.
    for known in &row.nodes {
        match (&known.commit, &mut dag) {
            (Some(commit), Some(dag)) => {
                // It was taken once, in this order.
                dag.insert_parting(known.node, commit.clone()).ok();
            }
            _ => dag = Some(Dag::new(known.node, row.root_admins.clone())),
        }
        if known.kept && known.node != row.state {
            let group = state(known.node)?;
            group.sleep();
            frozen.push(group);
        }
    }
    Ok(Loaded {
        dag: dag.unwrap_or_else(|| Dag::new(row.state, row.root_admins.clone())),
        frozen,
    })
}

impl Chat {
    /// Begins the tree with the one state there is.
    pub(super) fn plant(&mut self, now_ms: u64, topic: TopicSecret) {
        self.dag = Dag::new(self.group.node(), self.group.context().admins.clone());
        self.row.root_admins = self.group.context().admins.clone();
        self.row.state = self.group.node();
        self.row.out = false;
        self.row.nodes = vec![NodeRow {
            node: self.group.node(),
            since_ms: now_ms,
            topic: topic.clone(),
            commit: None,
            kept: true,
            puts_back: false,
            unasked: false,
        }];
        self.row.topic = topic;
        self.describe();
    }

    /// The topics that members may still write on: of all states that are known, and of those that were.
    pub(super) fn topics(&self) -> BTreeSet<TopicId> {
        let states = self.row.nodes.iter().map(|known| known.topic.public());
        states.chain(self.row.old_topics.iter().map(|old| old.topic)).collect()
    }

    /// The secrets of the topics of all states.
    fn topics_of_states(&self) -> BTreeMap<TopicId, TopicSecret> {
        let topics = self.row.nodes.iter().map(|known| &known.topic);
        topics.map(|topic| (topic.public(), topic.clone())).collect()
    }

    /// Topics that no state has any more are still read for one custody period.
    fn retire(&mut self, now_ms: u64, before: BTreeMap<TopicId, TopicSecret>) {
        let until_ms = now_ms.saturating_add(u64::from(limits::CUSTODY_SECONDS) * 1000);
        let after = self.topics();
        let old = before.into_iter().filter(|(topic, _)| !after.contains(topic));
        self.row.old_topics.extend(old.map(|(topic, secret)| OldTopic {
            topic,
            until_ms,
            secret: Some(secret),
        }));
    }

    /// The state of a node, if it is kept.
    pub(super) fn state(&mut self, node: NodeId) -> Option<&mut Group> {
        if self.group.node() == node {
            return Some(&mut self.group);
        }
        self.frozen.iter_mut().find(|group| group.node() == node)
    }

    /// The nodes whose states are kept.
    pub(super) fn kept_nodes(&self) -> BTreeSet<NodeId> {
        let kept = self.row.nodes.iter().filter(|known| known.kept);
        kept.map(|known| known.node).collect()
    }

    /// Whether the state that counts puts this device back, and it has no Welcome to it.
    pub(super) fn is_put_aside(&self) -> bool {
        self.row.lost && self.node(&self.dag.tip()).is_some_and(|known| known.puts_back)
    }

    /// Whether this device is put back where it lacks the state, and an account is a member in the newest one on the way there that it has: the state at
    /// hand is of a branch that lost, which may have removed it.
    pub(super) fn was_of(&self, account: &AccountId) -> bool {
        let tip = self.dag.tip();
        let before = self
            .frozen
            .iter()
            .filter(|group| self.dag.leads_to(&group.node(), &tip));
        let newest = before.max_by_key(|group| group.epoch()).filter(|_| self.is_put_aside());
        let members = newest.and_then(|group| group.members().ok()).unwrap_or_default();
        members.iter().any(|member| member.account == *account)
    }

    /// Whether this device is a member in the state that counts.
    pub(super) fn is_member(&self) -> bool {
        !self.row.out
    }

    /// Whether this device was removed in the state that counts, and isn't only waiting to be put back.
    pub(super) fn is_removed(&self) -> bool {
        !self.is_member() && !self.node(&self.dag.tip()).is_some_and(|known| known.puts_back)
    }

    /// Whether others may have gone another way since the oldest state: what replaced it is our own, and none of them has shown that it
    /// has that.
    fn is_unheard(&self, own: DeviceId, next: &NodeId) -> bool {
        let heard = |member: &Member| {
            let at = self.acks.get(&member.device).and_then(|ack| ack.node);
            at.is_some_and(|at| self.dag.leads_to(next, &at))
        };
        let mut others = self.others(own).peekable();
        let ours = self.dag.commit(next).is_some_and(|commit| commit.device == own);
        ours && others.peek().is_some() && !others.any(heard)
    }

    /// The secret of a state's topic.
    pub(super) fn topic_of(&self, node: &NodeId) -> Option<&TopicSecret> {
        self.node(node).map(|known| &known.topic)
    }

    /// Where the branch of a state parts from the one that counts, and since when this device knows what that has instead.
    pub(super) fn parted_from(&self, node: &NodeId) -> Option<(NodeId, u64)> {
        let way: Vec<NodeId> = self.dag.path(&self.dag.tip()).collect();
        let mut branch = self.dag.path(node);
        let (fork, place) = branch.find_map(|known| Some((known, way.iter().position(|on| *on == known)?)))?;
        let next = way.get(place.checked_sub(1)?)?;
        Some((fork, self.node(next)?.since_ms))
    }

    /// Whether this device has known its oldest state for some time.
    pub(super) fn has_settled_for(&self, now_ms: u64, wait_ms: u64) -> bool {
        let oldest = self.node(&self.dag.root());
        oldest.is_some_and(|known| known.since_ms.saturating_add(wait_ms) <= now_ms)
    }

    fn node(&self, node: &NodeId) -> Option<&NodeRow> {
        self.row.nodes.iter().find(|known| known.node == *node)
    }

    /// The epoch of the state that counts, also where this device isn't in it.
    pub(super) fn tip_epoch(&self) -> u64 {
        let tip = self.dag.commit(&self.dag.tip());
        tip.map_or_else(|| self.group.epoch(), |commit| commit.epoch)
    }

    /// Whether nothing that comes brings the state that an envelope builds on: it was settled otherwise, or this device isn't in it. Whoever
    /// has asked to be put back may be put into a state of a lower epoch than its own.
    pub(super) fn is_hopeless(&self, header: &Header) -> bool {
        self.dag.contains(&header.node) || !self.row.lost && header.epoch < self.root_epoch()
    }

    /// Whether something waits for a state.
    fn is_built_on(&self, node: &NodeId) -> bool {
        self.pending.values().any(|waiting| waiting.node == *node)
    }

    /// The epoch of the oldest state.
    pub(super) fn root_epoch(&self) -> u64 {
        let root = self.dag.root();
        let all = self.frozen.iter().chain([&self.group]);
        let oldest = all.filter(|group| group.node() == root).map(Group::epoch).next();
        oldest.unwrap_or_else(|| self.group.epoch())
    }
}

impl Client {
    /// How a chat's state is, with nothing known of a group that hasn't let this account in; none if there is no such chat.
    pub fn chat_status(&self, chat: &ChatId) -> Option<ChatStatus> {
        let Some(chat) = self.chats.get(chat) else {
            return self.awaits(chat).then(ChatStatus::default);
        };
        let (gaps, lost) = chat.gaps.counts();
        Some(ChatStatus {
            gaps,
            lost,
            epoch: chat.group.epoch(),
            branches: chat.dag.branches() as u64,
            unsettled: chat.dag.commits().count() as u64,
            waiting: chat.pending.len() as u64,
            changes: chat.unsettled_intents() as u64,
            rejoining: chat.row.lost && !chat.is_removed() || chat.row.copied.is_some(),
        })
    }

    /// A commit by whomever.
    pub(super) fn commit(
        &mut self,
        now_ms: u64,
        chat_id: ChatId,
        header: &Header,
        envelope: &Envelope,
    ) -> Result<Taken, RowsError> {
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return Ok(Taken::Refused(Refusal::NotHere));
        };
        let hopeless = chat.is_hopeless(header);
        let Some(parent) = chat.state(header.node) else {
            if hopeless {
                // What it builds on was settled otherwise, or is a state that this device wasn't in.
                return Ok(Taken::Yes);
            }
            return Ok(self.keep_pending(chat_id, header.node, envelope));
        };
        if let Some(Ok(pointer)) = Pointer::read(envelope.body()) {
            let Ok(blob) = parent.pointed(&self.crypto, envelope.topic(), &pointer) else {
                return Ok(Taken::Yes);
            };
            // Without its body it is no node yet.
            return Ok(self.blob_wanted(now_ms, envelope.topic(), None, &blob));
        }
        self.commit_body(now_ms, chat_id, header.node, envelope.body(), Some(envelope))
    }

    /// A commit, or a letter's message, that was too large for its envelope is here.
    pub(super) fn commit_blob(&mut self, now_ms: u64, chat_id: ChatId, body: &[u8]) -> Result<(), RowsError> {
        if let Ok(header) = Header::read(body)
            && header.chat == chat_id
            && header.commit
            && Pointer::read(body).is_none()
        {
            if let Some(mark) = &header.mark {
                self.look_at(now_ms, chat_id, mark);
            }
            self.commit_body(now_ms, chat_id, header.node, body, None)?;
            return Ok(());
        }
        self.letter_blob(now_ms, chat_id, body)
    }

    fn commit_body(
        &mut self,
        now_ms: u64,
        chat_id: ChatId,
        on: NodeId,
        body: &[u8],
        envelope: Option<&Envelope>,
    ) -> Result<Taken, RowsError> {
        if self
            .chats
            .get(&chat_id)
            .is_some_and(|chat| chat.dag.contains(&node_of(body)))
        {
            return Ok(Taken::Yes);
        }
        let parent = self.chats.get_mut(&chat_id).and_then(|chat| chat.state(on));
        // What comes back to its author, isn't allowed, or isn't what it says: whoever passed it on can't know.
        let Some(Ok(applied)) = parent.map(|parent| parent.apply(&self.crypto, body)) else {
            return Ok(Taken::Yes);
        };
        let (node, member) = (applied.node, applied.author);
        let (author, account) = (member.device, member.account);
        if let Err(taken) = self.commit_in_turn(now_ms, chat_id, author, on, envelope) {
            return Ok(taken);
        }
        if self
            .adopt(
                now_ms,
                chat_id,
                Arrived {
                    node,
                    body: body.to_vec(),
                    place: applied.place,
                    group: applied.group,
                    renews: applied.renews,
                    back: applied.back,
                },
            )?
            .is_err()
        {
            return Ok(Taken::Yes);
        }
        let mut moved = false;
        if let Some(chat) = self.chats.get_mut(&chat_id) {
            chat.elsewhere.remove(&author);
            chat.wishing.remove(&author);
            // Its author had the state that it builds on.
            let ack = chat.acks.entry(author).or_default();
            if ack.node != Some(node) {
                ack.node = Some(node);
                chat.acks_dirty.insert(author);
                moved = true;
            }
        }
        if moved {
            self.heard_at(chat_id, account, node);
        }
        self.ask_if_unknown(now_ms, chat_id);
        self.tell_gone(now_ms, chat_id, &member, node)?;
        self.confirm(chat_id);
        self.owe_report(now_ms, chat_id);
        self.take_pending(now_ms, chat_id, node)?;
        self.note_caught_up(now_ms, chat_id)?;
        self.refetch_if_room(now_ms, chat_id)?;
        Ok(Taken::Yes)
    }

    /// Commits a plan on the state that counts. Gives the Welcome, if somebody is added, and the node.
    pub(super) fn make_commit(&mut self, now_ms: u64, chat_id: ChatId, plan: &Plan) -> Result<Made, RowsError> {
        let may = |chat: &Chat| chat.is_member() && chat.may_commit();
        if !self.chats.get(&chat_id).is_some_and(may) {
            return Ok(Err(GroupError::Node));
        }
        let mut plan = Plan {
            mark: self.next_mark(chat_id),
            ..plan.clone()
        };
        if !plan.add.is_empty() && self.chats.get(&chat_id).is_some_and(Chat::is_group) {
            plan.profiles = self.profiles_for_newcomers(now_ms, chat_id)?;
            plan.past = self.chats.get(&chat_id).map(Chat::past).unwrap_or_default();
        }
        let secret = self.secret_in(&chat_id);
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return Ok(Err(GroupError::Node));
        };
        let change = chat.group.commit(&self.crypto, &secret, &plan, &chat.row.topic);
        let Change {
            group,
            commit,
            welcome,
            place,
            renews,
            back,
        } = match change {
            Ok(change) => change,
            Err(error) => return Ok(Err(error)),
        };
        let alone = chat.members.len() == 1;
        let stays: BTreeSet<_> = group
            .members()
            .unwrap_or_default()
            .iter()
            .map(|member| member.account)
            .collect();
        let mut removed = chat.row.accounts.clone();
        removed.retain(|account| !stays.contains(account));
        let node = group.node();
        chat.row.leaf_update_due = false;
        chat.row.leaf_updated_ms = now_ms;
        chat.row_dirty = true;
        if chat.nudge_ms.is_none() {
            chat.nudge_ms = Some(now_ms.saturating_add(self.config.nudge_ms));
        }
        let secret = chat.row.topic.clone();
        let fault = |error: &dyn std::fmt::Display| RowsError {
            reason: error.to_string(),
        };
        let (whole, mut body) = (commit.clone(), commit);
        if body.len() > limits::INLINE_BYTES {
            let (blob, chunks) = blob::seal(&self.crypto, &body).map_err(|error| fault(&error))?;
            let pointer = chat.group.point_to(&self.crypto, secret.public(), &blob);
            body = pointer.map_err(|error| fault(&error))?;
            self.blob_put(now_ms, &secret, &blob, chunks)
                .map_err(|error| fault(&error))?;
        }
        let envelope = Envelope::sign(&secret, limits::CUSTODY_SECONDS, &body).map_err(|error| fault(&error))?;
        let topic = envelope.topic();
        let taken = self.adopt(
            now_ms,
            chat_id,
            Arrived {
                node,
                body: whole,
                place,
                group: Some(group),
                renews,
                back,
            },
        )?;
        if taken.is_err() {
            return Ok(Err(GroupError::Node));
        }
        if !alone {
            let what = OutWhat::Row(OutKind::Commit {
                chat: chat_id,
                node,
                removed,
            });
            self.add_out(now_ms, topic, what, envelope)?;
        }
        Ok(Ok((node, welcome)))
    }

    /// Takes a valid commit into the tree, and moves to another state if another one counts now.
    fn adopt(&mut self, now_ms: u64, chat_id: ChatId, arrived: Arrived) -> Result<Result<(), Unfit>, RowsError> {
        let Arrived {
            node,
            body,
            place,
            group,
            renews,
            back,
        } = arrived;
        let own = self.device_in(&chat_id);
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return Ok(Err(Unfit::NoParent));
        };
        if chat.dag.contains(&node) {
            return Ok(Ok(()));
        }
        let Some(before) = chat.node(&place.parent).map(|known| known.topic.clone()) else {
            return Ok(Err(Unfit::NoParent));
        };
        #[cfg(feature = "sim")]
        let renews = renews && self.config.sabotage != super::Sabotage::TopicStays;
        let topic = match group.as_ref().filter(|_| renews) {
            Some(group) => group.topic(&self.crypto).map_err(|error| RowsError {
                reason: error.to_string(),
            })?,
            None => before.clone(),
        };
        let parts = renews || chat.is_built_on(&node);
        let taken = match parts {
            true => chat.dag.insert_parting(node, place.clone()),
            false => chat.dag.insert(node, place.clone()),
        };
        if let Err(unfit) = taken {
            return Ok(Err(unfit));
        }
        #[cfg(feature = "sim")]
        self.adopted
            .push(super::inspect::Adopted::new(chat_id, node, &place, group.as_ref()));
        let leaf = back.iter().find(|(device, _)| *device == own).map(|(_, leaf)| leaf);
        let offered = |leaf: &[u8; 32]| chat.row.offered.iter().any(|known| **known == *leaf);
        chat.row.nodes.push(NodeRow {
            node,
            since_ms: now_ms,
            topic: topic.clone(),
            commit: Some(place),
            kept: group.is_some(),
            puts_back: group.is_none() && leaf.is_some(),
            unasked: leaf.is_some_and(|leaf| !offered(leaf)),
        });
        chat.frozen.extend(group);
        chat.row_dirty = true;
        self.dirty.chats.insert(chat_id);
        if topic.public() != before.public() {
            self.topics.insert(topic.public(), TopicUse::Chat(chat_id));
        }
        self.keep_commit(chat_id, &node, body);
        self.move_to_tip(now_ms, chat_id)?;
        if back.iter().any(|(device, _)| *device != own) {
            self.nudge_for(now_ms, chat_id, &node);
        }
        self.thaw(now_ms, chat_id)?;
        if topic.public() != before.public() {
            self.refresh_links(now_ms)?;
        }
        Ok(Ok(()))
    }

    /// Makes the state that counts the current one.
    fn move_to_tip(&mut self, now_ms: u64, chat_id: ChatId) -> Result<(), RowsError> {
        let own = self.device_in(&chat_id);
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return Ok(());
        };
        let tip = chat.dag.tip();
        #[cfg(feature = "sim")]
        let tip = chat.sabotaged_tip(self.config.sabotage).unwrap_or(tip);
        let known = chat.node(&tip);
        let kept = known.is_some_and(|known| known.kept);
        let puts_back = known.is_some_and(|known| known.puts_back);
        let unasked = known.is_some_and(|known| known.unasked);
        // Whoever is put back goes on with the state that it has until the Welcome is here.
        let member = kept || puts_back;
        let there = if kept { chat.group.node() == tip } else { chat.row.lost };
        if member == chat.is_member() && (!member || there) {
            return Ok(());
        }
        if !member && !chat.row.out {
            // What it asked for before is answered by who may not know of its removal.
            chat.asks = 0;
        }
        chat.row.out = !member;
        if !member && chat.has_spare() {
            chat.rejoin_ms = Some(now_ms);
        }
        chat.row.lost |= puts_back;
        chat.row_dirty = true;
        self.dirty.chats.insert(chat_id);
        if puts_back {
            let wait_ms = self.config.rejoin_ms;
            chat.rejoin_ms.get_or_insert(now_ms.saturating_add(wait_ms));
            // The Welcome is for another copy of this device's data.
            if unasked && chat.row.rejoin_package.is_none() {
                chat.row.copied.get_or_insert(self.starts.current());
            }
        }
        if let Some(place) = chat.frozen.iter().position(|group| group.node() == tip) {
            let next = chat.frozen.swap_remove(place);
            chat.frozen.push(std::mem::replace(&mut chat.group, next));
            chat.row.state = tip;
        }
        if let Some(topic) = chat.node(&tip).map(|known| known.topic.clone()) {
            chat.row.topic = topic;
        }
        let before: BTreeSet<_> = chat.members.iter().map(|member| member.device).collect();
        let were = chat.row.accounts.clone();
        if let Ok(members) = chat.group.members() {
            chat.members = members;
        }
        chat.recall_joiners();
        let others = chat.others(own).map(|member| member.device);
        let joined: Vec<DeviceId> = others.filter(|device| !before.contains(device)).collect();
        for device in &joined {
            if !chat.was_there(device) {
                chat.note_joined(*device);
            }
        }
        chat.note_parted(own, &before);
        chat.describe();
        chat.forget_shares();
        if chat.is_group() {
            self.event(&EventRow::ChatUpdated { chat: chat_id });
            if !joined.is_empty() {
                self.profile_for_others(now_ms, chat_id);
            }
            self.shut_stale_doors(chat_id);
        }
        self.commits_for_removed(chat_id, were);
        self.refresh_links(now_ms)?;
        self.reseal_stale(now_ms, chat_id)?;
        self.send_aside(now_ms, chat_id)?;
        self.confirm(chat_id);
        self.retry_losers(now_ms, chat_id);
        self.release_held(now_ms, chat_id)?;
        self.leave_again(now_ms, chat_id)
    }

    /// What of ours lost is tried again, after a while that differs between members.
    fn retry_losers(&mut self, now_ms: u64, chat_id: ChatId) {
        #[cfg(feature = "sim")]
        if self.config.sabotage == super::Sabotage::LoserNotRetried {
            return;
        }
        let jitter = self.crypto.random_u64();
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return;
        };
        let mut lost = false;
        for intent in &mut chat.row.intents {
            let Some(node) = intent.node else {
                continue;
            };
            if chat.dag.contains(&node) && !chat.dag.leads_to(&node, &chat.dag.tip()) {
                intent.node = None;
                lost = true;
            }
        }
        if lost {
            chat.row_dirty = true;
            chat.retry_ms = Some(now_ms.saturating_add(jitter % RETRY_MS));
            self.dirty.chats.insert(chat_id);
        }
    }

    /// Settles states that are too old or too many: their keys are gone, and so are the branches that lost against them.
    pub(super) fn thaw(&mut self, now_ms: u64, chat_id: ChatId) -> Result<(), RowsError> {
        let (states, age, own) = (
            self.config.frozen_states,
            self.config.frozen_ms,
            self.device_in(&chat_id),
        );
        let (mut settled, mut unheard) = (false, false);
        let mut unkept = Vec::new();
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return Ok(());
        };
        let path: BTreeSet<NodeId> = chat.dag.path(&chat.dag.tip()).collect();
        loop {
            let (root, tip) = (chat.dag.root(), chat.dag.tip());
            let Some(next) = chat.dag.path(&tip).take_while(|node| *node != root).last() else {
                break;
            };
            // What replaced the oldest state, and when.
            let expired = chat
                .node(&next)
                .is_some_and(|known| now_ms.saturating_sub(known.since_ms) >= age);
            let many = chat.row.nodes.iter().filter(|known| known.kept).count() > states + 1;
            // A state that this device isn't in can't be the oldest one: nothing would be left to go on from.
            if !(expired || many) || !chat.node(&next).is_some_and(|known| known.kept) {
                break;
            }
            // Many changes at once settle before the others can have answered: only time tells.
            let alone = expired && chat.row.context.kind == ChatKind::Group && chat.is_unheard(own, &next);
            let gone = chat.dag.settle(next);
            if gone.is_empty() {
                break;
            }
            // Whoever has asked asks again in its time.
            (settled, unheard) = (true, alone && !chat.row.lost);
            unkept.extend(gone.iter().filter(|node| **node != root).copied());
            unkept.extend(chat.note_past(root));
            chat.row.root_admins = chat.dag.root_admins().to_vec();
            chat.forget(now_ms, &gone);
        }
        if settled {
            chat.drop_left(now_ms, age);
            chat.drop_done(own);
            chat.settle_parted();
        }
        let expired: Vec<TopicId> = chat
            .row
            .old_topics
            .extract_if(.., |old| old.until_ms <= now_ms)
            .map(|old| old.topic)
            .collect();
        chat.row_dirty |= settled || !expired.is_empty();
        self.forget_commits(&chat_id, unkept);
        if settled {
            self.dirty.chats.insert(chat_id);
            self.drop_stale_pending(now_ms, chat_id)?;
            self.note_caught_up(now_ms, chat_id)?;
            self.confirm(chat_id);
            self.send_aside(now_ms, chat_id)?;
            self.release_settled(now_ms, chat_id, &path)?;
        }
        if unheard {
            // They may write on a topic that is unknown here, so that nothing of theirs would show it.
            self.ask_rejoin(now_ms, chat_id)?;
        }
        if expired.is_empty() {
            return Ok(());
        }
        self.dirty.chats.insert(chat_id);
        for topic in &expired {
            self.topics.remove(topic);
        }
        let ended = self.cursors.extract_if(.., |(_, topic), _| expired.contains(topic));
        self.dirty.cursors.extend(ended.map(|(place, _)| place));
        self.refresh_links(now_ms)
    }

    /// When the oldest state has had its time.
    pub(super) fn thaw_timer(&self, chat: &Chat) -> Option<u64> {
        let (root, tip) = (chat.dag.root(), chat.dag.tip());
        let next = chat.dag.path(&tip).take_while(|node| *node != root).last()?;
        let settles = chat.node(&next).filter(|known| known.kept)?.since_ms;
        Some(settles.saturating_add(self.config.frozen_ms))
    }

    /// Seals everything of ours that waits on the state that counts now.
    pub(super) fn seal_again(&mut self, now_ms: u64, chat_id: ChatId) -> Result<(), RowsError> {
        let waiting: Vec<u64> = self.waiting(&chat_id).map(|(number, _)| number).collect();
        for number in waiting {
            let commit = self
                .outs
                .get(&number)
                .is_some_and(|out| matches!(&out.what, OutWhat::Row(OutKind::Commit { .. })));
            if commit {
                self.drop_out(number);
            } else {
                self.send_again(now_ms, number)?;
            }
        }
        Ok(())
    }
}

impl Chat {
    /// Begins anew from a state that this device was put into. Its numbers go on: they are as they were. Where it was put back as it
    /// has asked it was a member all the time, whatever the branch says that it knew.
    pub(super) fn replant(
        &mut self,
        now_ms: u64,
        group: Group,
        (topic, past): (TopicSecret, Vec<NodeId>),
        asked: bool,
    ) -> Result<(), GroupError> {
        let before = self.topics_of_states();
        let again = self.row.again.filter(|again| !past.contains(again));
        self.reopen_intents(group.node(), past);
        if self.row.out && !asked {
            self.forget_baselines();
            self.row.again = Some(group.node());
            // It has left, and was added again: it stays.
            self.row.leaving = None;
        } else if asked && again.is_some() {
            self.recall_baselines();
            self.row.again = None;
        }
        self.members = group.members()?;
        let last = std::mem::replace(&mut self.group, group);
        for gone in self.frozen.drain(..).chain([last]) {
            self.dropped.push((gone.node(), gone.row_keys()));
        }
        // What was before is as good as settled.
        self.row.parted.clear();
        self.plant(now_ms, topic);
        self.recall_joiners();
        self.settle_parted();
        self.retire(now_ms, before);
        self.retry_ms = Some(now_ms);
        self.row.lost = false;
        self.elsewhere.clear();
        self.wishing.clear();
        self.note_put_back();
        self.said_gone = self.said_gone.take().and_then(SaidGone::put_back);
        // Another answer may be on its way, by a way that goes before this one.
        self.row.rejoin_older = self.row.rejoin_package.take().or(self.row.rejoin_older.take());
        self.asks = 0;
        self.strangers = 0;
        self.row.leaf_update_due = true;
        self.rejoin_ms = None;
        Ok(())
    }

    /// Lets go of settled nodes.
    fn forget(&mut self, now_ms: u64, gone: &[NodeId]) {
        let before = self.topics_of_states();
        self.row.nodes.retain(|known| !gone.contains(&known.node));
        // The oldest one is known as a state, no more as a commit.
        let root = self.dag.root();
        for known in &mut self.row.nodes {
            if known.node == root {
                known.commit = None;
            }
        }
        for group in self.frozen.extract_if(.., |group| gone.contains(&group.node())) {
            self.dropped.push((group.node(), group.row_keys()));
        }
        self.retire(now_ms, before);
    }
}
