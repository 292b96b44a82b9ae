//! What this device wants changed, until it is settled and that is long ago. A branch may be left also after it was settled, where others
//! have settled another one; then what was changed on it is made again.

use super::chats::Chat;
use super::drafts::Asked;
use super::records::{ChatRow, Intent, IntentRow};
use crate::keys::{ChatId, DeviceId, NodeId};
use crate::limits;
use std::collections::BTreeMap;

impl Intent {
    /// Whether nothing is left of an earlier change once this one is made too.
    fn supersedes(&self, earlier: &Self) -> bool {
        match (self, earlier) {
            (Self::Settings(later), Self::Settings(earlier)) => {
                (later.name.is_some() || earlier.name.is_none())
                    && (later.picture.is_some() || earlier.picture.is_none())
                    && (later.timer_s.is_some() || earlier.timer_s.is_none())
            }
            (Self::Role(later, _), Self::Role(earlier, _)) => later == earlier,
            // Who is removed and added again reads nothing of before.
            (Self::Remove(later), Self::Add(earlier) | Self::Remove(earlier))
            | (Self::Add(later), Self::Add(earlier)) => later == earlier,
            _ => false,
        }
    }

    /// Whether it is this device's own, and worth keeping after it was settled: who asked for something asks again.
    pub(super) fn is_own(&self) -> bool {
        !matches!(self, Self::Wish(_) | Self::Guest(_))
    }

    /// The device that has wished to leave.
    pub(super) fn leaver(&self, chat: ChatId) -> Option<DeviceId> {
        let Self::Wish(wish) = self else {
            return None;
        };
        match Asked::read(chat, wish) {
            Ok(Asked::Leave(statement)) => Some(statement.device),
            _ => None,
        }
    }
}

impl ChatRow {
    /// Whether a change adds who is a member, whom no open change of ours removes. Nothing is to be looked after: made again on another
    /// branch, it would undo that the member has left since.
    pub(super) fn adds_a_member(&self, change: &Intent) -> bool {
        let Intent::Add(account) = change else {
            return false;
        };
        let mut open = self.intents.iter().filter(|intent| intent.node.is_none());
        self.accounts.contains(account)
            && !open.any(|intent| matches!(&intent.change, Intent::Remove(removed) if removed == account))
    }
}

impl Chat {
    /// Whether a change is in the oldest state, or in one that was settled otherwise.
    fn is_made(&self, intent: &IntentRow) -> bool {
        intent.node.is_some_and(|node| self.is_settled(&node))
    }

    /// Whether a removal is about to be made again, on a branch in which it isn't: messages wait for it.
    pub(super) fn removes_first(&self) -> bool {
        let mut open = self.row.intents.iter().filter(|intent| intent.node.is_none());
        self.retry_ms.is_some()
            && open.any(|intent| matches!(&intent.change, Intent::Remove(account) if self.is_of(account)))
    }

    /// When what isn't made is to be made: not while another branch counts, of which this device is no member.
    pub(super) fn retry_due_ms(&self) -> Option<u64> {
        self.retry_ms.filter(|_| self.may_commit() && self.is_member())
    }

    /// How many changes aren't settled.
    pub(super) fn unsettled_intents(&self) -> usize {
        self.row.intents.iter().filter(|intent| !self.is_made(intent)).count()
    }

    /// Lets go of the oldest wishes of a device to leave that were carried out, where it has wished so for many leaves.
    pub(super) fn limit_leaves(&mut self) {
        let mut counts: BTreeMap<DeviceId, usize> = BTreeMap::new();
        let mut stays = |intent: &IntentRow| {
            let Some(leaver) = intent.node.and(intent.change.leaver(self.id)) else {
                return true;
            };
            let count = counts.entry(leaver).or_default();
            *count += 1;
            *count <= limits::LEAVE_WISHES
        };
        let intents = std::mem::take(&mut self.row.intents).into_iter();
        let mut kept: Vec<IntentRow> = intents.rev().filter(|intent| stays(intent)).collect();
        kept.reverse();
        self.row.intents = kept;
    }

    /// Lets go of own changes that were settled so long ago that their states are forgotten, and of what others have asked for once it is
    /// settled and one of them has shown to have it.
    pub(super) fn drop_done(&mut self, own: DeviceId) {
        let alone = self.others(own).next().is_none();
        let heard = alone || self.others(own).any(|member| self.is_here(&member.device));
        let before = self.row.intents.len();
        let intents = std::mem::take(&mut self.row.intents);
        let mut kept: Vec<IntentRow> = Vec::new();
        for intent in intents.into_iter().rev() {
            if self.is_made(&intent) {
                let known = intent.node.is_some_and(|node| self.has_been(&node));
                let superseded = || kept.iter().any(|later| later.change.supersedes(&intent.change));
                let done = if intent.change.is_own() {
                    !known || superseded()
                } else {
                    heard
                };
                if done {
                    continue;
                }
            }
            kept.push(intent);
        }
        kept.reverse();
        self.row.intents = kept;
        self.row_dirty |= self.row.intents.len() != before;
    }

    /// The oldest state is settled on its successor. Gives those that are remembered no longer.
    pub(super) fn note_past(&mut self, root: NodeId) -> Vec<NodeId> {
        self.row.past_nodes.push(root);
        let over = self.row.past_nodes.len().saturating_sub(limits::PAST_NODES);
        self.row.past_nodes.drain(..over).collect()
    }

    /// All states on the way to the one that counts, as far as they are remembered, the oldest first.
    pub(super) fn way(&self) -> Vec<NodeId> {
        self.way_to(self.dag.tip())
    }

    /// The newest states on the way to the one at hand, the oldest first and that one last.
    pub(super) fn past(&self) -> Vec<NodeId> {
        self.past_of(self.group.node())
    }

    /// The newest states on the way to one, the oldest first and that one last.
    pub(super) fn past_of(&self, node: NodeId) -> Vec<NodeId> {
        let mut way = self.way_to(node);
        let over = way.len().saturating_sub(limits::PAST_NODES);
        way.drain(..over);
        way
    }

    fn way_to(&self, node: NodeId) -> Vec<NodeId> {
        let mut way: Vec<NodeId> = self.dag.path(&node).collect();
        way.extend(self.row.past_nodes.iter().rev());
        way.reverse();
        way
    }

    /// This device is put into a state, of which the past is told: what isn't in that is made again. Where nothing of it is known here,
    /// that is all.
    pub(super) fn reopen_intents(&mut self, node: NodeId, past: Vec<NodeId>) {
        let way = self.past();
        let shared = way.iter().rposition(|known| past.contains(known));
        let shared = way.get(..shared.map_or(0, |last| last + 1)).unwrap_or_default();
        let is_in = |made: &NodeId| *made == node || past.contains(made) || shared.contains(made);
        for intent in &mut self.row.intents {
            // What is in it is kept: this device may be put into yet another branch.
            intent.node = intent.node.filter(is_in);
        }
        // Who told it may have joined later, and know less of before.
        let begins = past
            .first()
            .and_then(|first| way.iter().position(|known| known == first));
        let mut known = way.get(..begins.unwrap_or(0)).unwrap_or_default().to_vec();
        known.extend(past);
        let over = known.len().saturating_sub(limits::PAST_NODES);
        self.row.past_nodes = known.split_off(over);
    }
}
