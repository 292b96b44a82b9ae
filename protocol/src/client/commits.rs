//! Commits are kept as long as their states are remembered, also after these were settled: a member that was away for longer than relays keep
//! anything names the states that it has, and is handed what followed. So it goes on with what it has, and sees who was added
//! meanwhile (`spec/chat.md`, section 12).

use super::Client;
use super::chats::Chat;
use super::letters::AskedBy;
use super::outbox::OutWhat;
use super::pending::Pending;
use super::records::{OutKind, key};
use super::told::is_told_anew;
use crate::envelope::Envelope;
use crate::inbox::Rejoin;
use crate::keys::{ChatId, DeviceId, NodeId, TopicId, TopicSecret};
use crate::limits;
use crate::rows::{Rows, RowsError, Tree};

/// Members who hand the author of a wish the commits that it lacks, on the average (guess: one of them is there).
const HANDERS: usize = 2;
/// Milliseconds that a member has to get where the others are before it is put back all the same (guess: some pages, and as many commits).
const CATCHES_UP_MS: u64 = 10_000;

/// Seconds by which the custody of what is handed on ends sooner, at the most.
const SOONER_S: u64 = 3600;

/// Commits that are to be handed to a member.
pub(super) struct Handing {
    chat: ChatId,
    topic: TopicId,
    to: DeviceId,
    /// The newest of its states that is on the way to the one that counts.
    after: NodeId,
    /// The last that it is handed.
    through: NodeId,
}

/// A member was handed what followed a state, or ought to have been by others.
pub(super) struct Handed {
    at_ms: u64,
    after: NodeId,
    /// Where it was heard last before.
    was: Option<NodeId>,
}

impl Client {
    /// Keeps a commit that was taken into the tree.
    pub(super) fn keep_commit(&mut self, chat_id: ChatId, node: &NodeId, body: Vec<u8>) {
        let group = self.chats.get(&chat_id).is_some_and(Chat::is_group);
        // A pointer is sealed to a state whose keys are erased by then; whoever lacks such a commit is put back.
        if group && body.len() <= limits::INLINE_BYTES {
            self.put_fresh(Tree::Commits, key::commit(&chat_id, node), body);
        }
    }

    /// Lets go of commits that lost, or whose states aren't remembered any more.
    pub(super) fn forget_commits(&mut self, chat_id: &ChatId, nodes: Vec<NodeId>) {
        for node in nodes {
            self.delete_fresh(Tree::Commits, key::commit(chat_id, &node));
        }
    }

    /// A member asks to be put back that has a state on the way to the one that counts. Some members hand it what followed on the topic of its letter.
    /// Gives when it is to be put back if it doesn't get there by that.
    pub(super) fn hand_on(&mut self, now_ms: u64, by: AskedBy, rejoin: &Rejoin, after: NodeId) -> u64 {
        let through = self.chats.get(&rejoin.chat).map(|chat| chat.group.node());
        through.map_or(now_ms, |through| {
            self.hand_on_through(now_ms, by, rejoin, (after, through))
        })
    }

    fn hand_on_through(
        &mut self,
        now_ms: u64,
        by: AskedBy,
        rejoin: &Rejoin,
        (after, through): (NodeId, NodeId),
    ) -> u64 {
        let (own, to) = (self.device_in(&rejoin.chat), rejoin.statement.device);
        let wait_ms = self.config.rejoin_ms;
        let Some(chat) = self.chats.get_mut(&rejoin.chat) else {
            return now_ms;
        };
        if chat.dag.tip() == after {
            chat.handed.remove(&to);
            return now_ms;
        }
        if let AskedBy::Letter(topic) = by {
            let just = chat.handed.remove(&to);
            let just = just.filter(|handed| now_ms.abs_diff(handed.at_ms) < wait_ms);
            if just.is_none() && chat.drawn(&own, &[&rejoin.statement.about]) < HANDERS {
                self.handing.push(Handing {
                    chat: rejoin.chat,
                    topic,
                    to,
                    after,
                    through,
                });
            }
            if chat.handed.len() >= limits::STATEMENTS {
                chat.handed.clear();
            }
            let at_ms = just.map_or(now_ms, |handed| handed.at_ms);
            let was = chat.acks.get(&to).and_then(|ack| ack.node);
            chat.handed.insert(to, Handed { at_ms, after, was });
        }
        now_ms.saturating_add(CATCHES_UP_MS)
    }

    /// Commits prove themselves: also who has left hands on those that it has. It may be the only one whom the author of a wish knows. And who was
    /// removed is handed what leads to its removal, as it may have gone on elsewhere without it; or if that is settled all that follows.
    pub(super) fn hand_on_beside(&mut self, now_ms: u64, by: AskedBy, rejoin: &Rejoin) {
        let Some(chat) = self.chats.get(&rejoin.chat) else {
            return;
        };
        let statement = &rejoin.statement;
        let member = chat.members.iter().any(|member| member.device == statement.device);
        // Anybody can make up devices: each that is handed something was a member once.
        let all = match member {
            true => chat.is_removed(),
            false => chat.acks.contains_key(&statement.device),
        };
        let through = chat.removed_in(&statement.device).or(all.then(|| chat.group.node()));
        let behind = chat.newest_on_the_way(&rejoin.has);
        if let Some(way) = behind.zip(through)
            && statement.verify(rejoin.chat).is_ok()
        {
            self.hand_on_through(now_ms, by, rejoin, way);
        }
    }

    /// A member seals on a branch that lost long ago, or before it was removed long ago: it may lack what made it so, which somebody kept from it. Some
    /// members hand it that. Whether that was to be done now, though it was already.
    pub(super) fn hand_on_unasked(&mut self, now_ms: u64, chat_id: ChatId, to: DeviceId, node: NodeId) -> bool {
        let (own, wait_ms) = (self.device_in(&chat_id), self.config.rejoin_ms);
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return false;
        };
        let Some((after, since_ms)) = chat.parted_from(&node).filter(|_| chat.is_group()) else {
            return false;
        };
        if now_ms.abs_diff(since_ms) < wait_ms || !is_told_anew(&mut chat.told_gone, to, now_ms, wait_ms) {
            return false;
        }
        let through = chat.removed_in(&to).unwrap_or(chat.group.node());
        let topic = chat.topic_of(&node).map(TopicSecret::public);
        if let Some(topic) = topic.filter(|_| chat.drawn(&own, &[&node.0, &to.0]) < HANDERS) {
            self.handing.push(Handing {
                chat: chat_id,
                topic,
                to,
                after,
                through,
            });
        }
        now_ms.abs_diff(since_ms) >= wait_ms.saturating_mul(2)
    }

    /// Hands over what is to be handed: at the end of each input, when rows can be read.
    pub(super) fn hand_commits(&mut self, now_ms: u64, rows: &dyn Rows) -> Result<(), RowsError> {
        for handing in std::mem::take(&mut self.handing) {
            let Some(chat) = self.chats.get(&handing.chat) else {
                continue;
            };
            let Some(secret) = chat.topic_secret(&handing.topic).cloned() else {
                continue;
            };
            // Another envelope than the first one and those of before, as its reader may have dropped it; the same one by all who hand it on now.
            let sooner_s = u32::try_from(now_ms / self.config.rejoin_ms.max(1) % SOONER_S).unwrap_or(0);
            let ttl_s = limits::CUSTODY_SECONDS - sooner_s;
            let (way, tip) = (chat.way(), chat.group.node());
            let between = way.iter().skip_while(|node| **node != handing.after).skip(1);
            for node in between {
                // What follows one that isn't here is of no use.
                let Some(body) = self.fresh.get(rows, Tree::Commits, &key::commit(&handing.chat, node))? else {
                    break;
                };
                let envelope = Envelope::sign(&secret, ttl_s, &body).map_err(|error| RowsError {
                    reason: error.to_string(),
                })?;
                let what = OutWhat::Row(OutKind::Letter {
                    chat: handing.chat,
                    to: Some((handing.to, tip)),
                });
                self.add_out(now_ms, envelope.topic(), what, envelope)?;
                if *node == handing.through {
                    break;
                }
            }
        }
        Ok(())
    }

    /// A commit that this device lacked is here, or older states are settled. Where others are here and nothing speaks against it, this device needn't be put
    /// back.
    pub(super) fn note_caught_up(&mut self, now_ms: u64, chat_id: ChatId) -> Result<(), RowsError> {
        let own = self.device_in(&chat_id);
        let Some(chat) = self.chats.get_mut(&chat_id).filter(|chat| chat.row.lost) else {
            return Ok(());
        };
        // What builds on states before the oldest one is of a branch that lost.
        let root = chat.root_epoch();
        let ahead = |waiting: &Pending| waiting.epoch().is_none_or(|epoch| epoch >= root);
        let doubt = chat.pending.values().any(ahead)
            || chat.row.copied.is_some()
            || !chat.is_member()
            || chat.is_put_aside()
            || chat.is_diverged(own)
            || !chat.others(own).any(|member| chat.is_here(&member.device))
            || chat.is_left_behind()
            || chat.yields(own);
        if doubt {
            return Ok(());
        }
        (chat.row.lost, chat.asks, chat.rejoin_ms) = (false, 0, None);
        chat.row_dirty = true;
        self.dirty.chats.insert(chat_id);
        self.drop_wishes(chat_id);
        self.drop_stale_pending(now_ms, chat_id)
    }
}

impl Chat {
    /// The first of some states that is on the way to the one that counts.
    pub(super) fn newest_on_the_way(&self, has: &[NodeId]) -> Option<NodeId> {
        has.iter().copied().find(|node| self.comes_from(node))
    }

    /// Whether a member that was handed commits has shown to have a state that it lacked.
    pub(super) fn has_caught_up(&self, device: &DeviceId) -> bool {
        let at = self.acks.get(device).and_then(|ack| ack.node);
        let handed = self.handed.get(device).filter(|handed| at != handed.was);
        handed.is_some_and(|handed| at.is_some_and(|at| at != handed.after && self.dag.contains(&at)))
    }
}
