//! What the simulator sees of a chat, besides what is stored for people.

use super::chats::Chat;
use super::io::CommandError;
use super::records::{ChatRow, ContactRow, NodeRow, decode};
use super::{Client, Sabotage};
use crate::chat::{ChatContext, Group, dag};
use crate::contact::{CardPackage, Inbox};
use crate::identity::DeviceLog;
use crate::keys::{AccountId, ChatId, NodeId, TopicId};
use crate::rows::{Rows, RowsError, Tree};

/// A chat's rows.
pub(crate) struct Inside {
    /// The state that counts, or the last one with this device.
    pub state: NodeId,
    /// This device isn't in the one that counts.
    pub out: bool,
    /// It has asked to be put back.
    pub lost: bool,
    /// The chat's topic.
    pub topic: TopicId,
    /// All topics that this device can read or write on.
    pub topics: Vec<TopicId>,
    /// The unsettled states, parents first; the oldest has no commit.
    pub nodes: Vec<(NodeId, Option<dag::Commit>)>,
    /// Changes that are still to be made.
    pub open: usize,
    /// Envelopes that build on states that aren't here.
    pub pending: usize,
}

/// One state of a chat.
#[derive(Clone, Debug)]
pub(crate) struct StateInside {
    /// Equal at all who share it.
    pub authenticator: Vec<u8>,
    /// Who is in it.
    pub accounts: Vec<AccountId>,
    /// Its settings.
    pub context: ChatContext,
}

/// A commit that was taken into a tree, and the state after it for who is in that.
#[derive(Debug)]
pub(crate) struct Adopted {
    pub chat: ChatId,
    pub node: NodeId,
    pub commit: dag::Commit,
    pub state: Option<StateInside>,
}

impl Adopted {
    pub fn new(chat: ChatId, node: NodeId, commit: &dag::Commit, group: Option<&Group>) -> Self {
        Self {
            chat,
            node,
            commit: commit.clone(),
            state: group.and_then(StateInside::of),
        }
    }
}

impl StateInside {
    fn of(group: &Group) -> Option<Self> {
        let mut accounts: Vec<AccountId> = group.members().ok()?.iter().map(|member| member.account).collect();
        accounts.sort();
        accounts.dedup();
        Some(Self {
            authenticator: group.authenticator(),
            accounts,
            context: group.context().clone(),
        })
    }
}

/// Reads a chat's rows; none if it isn't there.
pub(crate) fn inside(rows: &dyn Rows, chat: &ChatId) -> Result<Option<Inside>, RowsError> {
    let Some(bytes) = rows.get(Tree::Chats, &chat.0)? else {
        return Ok(None);
    };
    let row: ChatRow = decode(&bytes)?;
    let states = row.nodes.iter().map(|known| known.topic.public());
    Ok(Some(Inside {
        state: row.state,
        out: row.out,
        lost: row.lost,
        topic: row.topic.public(),
        topics: states.chain(row.old_topics.iter().map(|old| old.topic)).collect(),
        nodes: row.nodes.into_iter().map(|known| (known.node, known.commit)).collect(),
        pending: rows.prefix(Tree::Pending, &chat.0, usize::MAX)?.len(),
        open: row.intents.iter().filter(|intent| intent.node.is_none()).count(),
    }))
}

impl Client {
    /// Takes an account as a contact that has told its inbox and its key package: a group of a thousand needs no thousand clients.
    pub fn meet(&mut self, now_ms: u64, log: DeviceLog, package: CardPackage) -> Result<(), CommandError> {
        let (ours, theirs) = (self.new_inbox(now_ms)?, self.new_inbox(now_ms)?);
        let contact = ContactRow {
            account: log.account,
            name: String::new(),
            suite: self.config.suite,
            chat: ChatId(log.account.0),
            since_ms: now_ms,
            log,
            transports: Vec::new(),
            devices: Vec::new(),
            relays: Vec::new(),
            their_inbox: Some(Inbox {
                topic: theirs.topic,
                seal_key: theirs.seal_public,
            }),
            package: Some(package),
            our_inbox: ours,
            told_by: None,
        };
        Ok(self.put_contact(contact)?)
    }

    /// A state of a chat that this device has in memory.
    pub(crate) fn state_inside(&self, chat: &ChatId, node: &NodeId) -> Option<StateInside> {
        let chat = self.chats.get(chat)?;
        let mut states = chat.frozen.iter().chain([&chat.group]);
        StateInside::of(states.find(|group| group.node() == *node)?)
    }

    /// The commits that were taken into trees since the last call.
    pub(crate) fn take_adopted(&mut self) -> Vec<Adopted> {
        std::mem::take(&mut self.adopted)
    }
}

impl Chat {
    /// The state that a broken rule picks.
    pub(super) fn sabotaged_tip(&self, sabotage: Sabotage) -> Option<NodeId> {
        let (mut tip, mut at) = (None, Some(self.dag.root()));
        while let Some(node) = at {
            tip = Some(node);
            let builds = |known: &&NodeRow| known.commit.as_ref().is_some_and(|commit| commit.parent == node);
            let mut children = self.row.nodes.iter().filter(builds).map(|known| known.node);
            at = match sabotage {
                // They are in the order in which they came.
                Sabotage::ArrivalDecides => children.next(),
                Sabotage::LowestHashDecides => children.min(),
                _ => return None,
            };
        }
        tip
    }
}
