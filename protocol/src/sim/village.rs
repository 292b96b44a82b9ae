//! A group and what its members want of it. What has to come of that: `judge`.

use super::host::Machine;
use super::model::Model;
use super::random::{MS, Micros, Random};
use super::world::{HostId, World};
use crate::chat::{ChatKind, Role};
use crate::client::inspect::{Adopted, Inside, StateInside, inside};
use crate::client::{Command, CommandError, Reply, SettingsChange, history};
use crate::keys::{AccountId, ChatId, NodeId};
use std::collections::{BTreeMap, BTreeSet};

/// The first name of the group.
const NAME: &str = "village";

/// A change that somebody wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Name(String),
    Add(HostId),
    Remove(HostId),
    Role(HostId, Role),
    Leave,
}

/// Who was asked for a change.
#[derive(Debug)]
pub(super) struct Wanted {
    pub by: HostId,
    pub change: Change,
    /// The state that its device was in when it was asked.
    pub asked_at: Option<NodeId>,
    /// The state that its device was in once it had answered that this is done.
    pub done_at: Option<NodeId>,
}

/// States from which it is asked which one counts, the ones to start from first, and the commits that are known.
pub(super) type Asked = (Vec<NodeId>, BTreeSet<NodeId>);

/// A group.
pub(super) struct Village {
    founder: HostId,
    pub chat: Option<ChatId>,
    first: Vec<HostId>,
    asked: bool,
    not_before: Micros,
    pub wanted: Vec<Wanted>,
    /// Nobody settles a state in this history, so that the model knows what all do.
    pub exact: bool,
    pub model: Model,
    /// What it said last that counts.
    pub judged: Option<(Asked, NodeId)>,
    pub states: BTreeMap<NodeId, StateInside>,
    /// Who has ever asked to be put back.
    pub lost: BTreeSet<HostId>,
    /// The oldest states that each host has had, and until when: on the way to them all is settled for it.
    pub roots: BTreeMap<HostId, BTreeMap<NodeId, Micros>>,
    /// The states that each host has been in, and until when.
    pub been: BTreeMap<HostId, BTreeMap<NodeId, Micros>>,
}

impl Village {
    pub fn new(people: usize, exact: bool, random: &mut Random) -> Self {
        let mut first: Vec<HostId> = (1..people).map(HostId).filter(|_| random.chance(75)).collect();
        if first.is_empty() {
            first.push(HostId(1));
        }
        Self {
            founder: HostId(0),
            chat: None,
            first,
            asked: false,
            not_before: 0,
            wanted: Vec::new(),
            exact,
            model: Model::default(),
            judged: None,
            states: BTreeMap::new(),
            lost: BTreeSet::new(),
            roots: BTreeMap::new(),
            been: BTreeMap::new(),
        }
    }

    /// What to ask of the founder until there is a group.
    pub fn found(&mut self, world: &World) -> Option<(HostId, Command)> {
        let host = &world.hosts[self.founder.0];
        if self.chat.is_some() || self.asked || world.now < self.not_before || !host.is_up() {
            return None;
        }
        // The answer may have got lost with the process.
        let chats = history::chats(&host.disk).unwrap_or_default();
        if let Some(chat) = chats.iter().find(|chat| chat.context.kind == ChatKind::Group) {
            self.chat = Some(chat.id);
            return None;
        }
        self.asked = true;
        let members = self.first.iter().filter_map(|host| account(world, *host)).collect();
        let name = NAME.into();
        Some((
            self.founder,
            Command::CreateChat {
                name,
                members,
                idempotency_key: None,
            },
        ))
    }

    pub fn founded(&mut self, now: Micros, result: Result<Reply, CommandError>) -> Result<(), String> {
        self.unanswered();
        match result {
            Ok(Reply::Chat(chat)) => self.chat = Some(chat),
            // Somebody hasn't told its key package yet.
            Err(CommandError::NotFound { .. }) => self.not_before = now + 300 * MS,
            other => return Err(format!("making a group: {other:?}")),
        }
        Ok(())
    }

    pub fn unanswered(&mut self) {
        self.asked = false;
    }

    /// Whether all who are to be in it from the beginning are.
    pub fn is_founded(&self, world: &World) -> bool {
        let Some(chat) = self.chat else {
            return false;
        };
        self.first.iter().all(|host| is_member(world, *host, &chat))
    }

    /// Those who are up and think that they are members.
    pub fn seats(&self, world: &World) -> Vec<(HostId, ChatId)> {
        let Some(chat) = self.chat else {
            return Vec::new();
        };
        let up = |host: &HostId| world.hosts[host.0].is_up() && is_member(world, *host, &chat);
        world
            .clients()
            .into_iter()
            .filter(up)
            .map(|host| (host, chat))
            .collect()
    }

    /// Somebody wants something.
    pub fn want(&mut self, world: &mut World) -> Option<(HostId, Command, usize)> {
        let seats = self.seats(world);
        let admins: Vec<_> = seats
            .iter()
            .copied()
            .filter(|(host, chat)| is_admin(world, *host, chat))
            .collect();
        let of = if world.random.chance(85) && !admins.is_empty() {
            &admins
        } else {
            &seats
        };
        let (by, chat) = world.random.pick(of)?;
        let whom = world.random.pick(&world.clients())?;
        let whom_account = account(world, whom)?;
        let members = vec![whom_account];
        let (change, command) = match world.random.below(100) {
            0..35 => {
                let name = format!("name {}", self.wanted.len());
                let change = SettingsChange {
                    name: Some(name.clone()),
                    ..SettingsChange::default()
                };
                (Change::Name(name), Command::UpdateChat { chat, change })
            }
            35..60 => (Change::Add(whom), Command::AddMembers { chat, members }),
            60..76 if whom != by => (Change::Remove(whom), Command::RemoveMembers { chat, members }),
            76..96 => {
                let role = match world.random.below(8) {
                    0 => Role::Owner,
                    1 => Role::Member,
                    _ => Role::Admin,
                };
                let account = whom_account;
                (Change::Role(whom, role), Command::SetRole { chat, account, role })
            }
            96..98 => (Change::Leave, Command::LeaveChat { chat }),
            _ => return None,
        };
        let asked_at = self.state_of(world, by);
        self.wanted.push(Wanted {
            by,
            change,
            asked_at,
            done_at: None,
        });
        Some((by, command, self.wanted.len() - 1))
    }

    pub fn answered(&mut self, world: &World, at: usize, result: Result<Reply, CommandError>) -> Result<(), String> {
        match result {
            Ok(Reply::Done) => {
                self.wanted[at].done_at = self.state_of(world, self.wanted[at].by);
                Ok(())
            }
            Err(CommandError::NotAllowed { .. } | CommandError::NotFound { .. } | CommandError::Invalid { .. }) => {
                Ok(())
            }
            other => Err(format!("{:?}: {other:?}", self.wanted[at])),
        }
    }

    /// The state that a host's rows are in.
    pub fn state_of(&self, world: &World, host: HostId) -> Option<NodeId> {
        Some(self.inside(world, host)?.state)
    }

    pub fn inside(&self, world: &World, host: HostId) -> Option<Inside> {
        inside(&world.hosts[host.0].disk, &self.chat?).ok().flatten()
    }

    /// A host has taken commits into its tree. Many at once may settle before its rows tell of them.
    pub fn record(&mut self, adopted: Vec<Adopted>) {
        for adopted in adopted {
            let group = |state: &StateInside| state.context.kind == ChatKind::Group;
            if self.chat.is_none_or(|chat| chat != adopted.chat) {
                continue;
            }
            self.model.commits.entry(adopted.node).or_insert(adopted.commit);
            if let Some(state) = adopted.state.filter(group) {
                self.states.entry(adopted.node).or_insert(state);
            }
        }
    }

    /// A host has written the chat's row: what is new in its tree is recorded.
    pub fn note(&mut self, world: &World, host: HostId, chat: ChatId) -> Result<(), String> {
        let group = |row: &Inside| row.nodes.first().map(|(node, _)| *node);
        if self.chat.is_some_and(|known| known != chat) {
            return Ok(());
        }
        let Some(row) = inside(&world.hosts[host.0].disk, &chat).map_err(|error| error.to_string())? else {
            return Ok(());
        };
        let Some(Machine::Client(client)) = &world.hosts[host.0].machine else {
            return Ok(());
        };
        for (node, _) in &row.nodes {
            if !self.states.contains_key(node)
                && let Some(state) = client.state_inside(&chat, node)
                && state.context.kind == ChatKind::Group
            {
                self.states.insert(*node, state);
            }
        }
        let Some(root) = group(&row).filter(|root| self.states.contains_key(root)) else {
            return Ok(());
        };
        if row.lost {
            self.lost.insert(host);
        }
        self.roots.entry(host).or_default().insert(root, world.now);
        self.been.entry(host).or_default().insert(row.state, world.now);
        if self.model.root.is_none() && host == self.founder {
            self.model.root = Some((root, self.states[&root].context.admins.clone()));
        }
        for (node, commit) in row.nodes {
            if let Some(commit) = commit {
                self.model.commits.entry(node).or_insert(commit);
            }
        }
        Ok(())
    }

    /// Where everybody is, for whoever looks for a fault.
    pub fn table(&self, world: &World) -> String {
        let mut table = format!(
            "exact: {}, lost: {:?}, the model: {:?}",
            self.exact,
            self.lost,
            self.judged
                .as_ref()
                .map(|((root, known), tip)| (root, known.len(), tip))
        );
        for host in world.clients() {
            let account = account(world, host);
            let Some(row) = self.inside(world, host) else {
                table.push_str(&format!("\n{host:?} {account:?} doesn't know the group"));
                continue;
            };
            table.push_str(&format!(
                "\n{host:?} {account:?}: {:?}, out: {}, lost: {}, open: {}, pending: {}, oldest: {:?}",
                row.state,
                row.out,
                row.lost,
                row.open,
                row.pending,
                row.nodes.first().map(|(node, _)| *node)
            ));
        }
        for (node, commit) in &self.model.commits {
            let (author, targets, admins) = (commit.author, &commit.targets, &commit.admins);
            table.push_str(&format!(
                "\n{node:?} on {:?}, epoch {}, by {author:?}, removes {targets:?}, admins {admins:?}",
                commit.parent, commit.epoch
            ));
        }
        table
    }
}

pub(super) fn account(world: &World, host: HostId) -> Option<AccountId> {
    world.hosts[host.0].identity.map(|(account, _)| account)
}

fn is_member(world: &World, host: HostId, chat: &ChatId) -> bool {
    let known = history::chat(&world.hosts[host.0].disk, chat).ok().flatten();
    known.is_some_and(|chat| chat.member)
}

fn is_admin(world: &World, host: HostId, chat: &ChatId) -> bool {
    let known = history::chat(&world.hosts[host.0].disk, chat).ok().flatten();
    let account = account(world, host);
    known.is_some_and(|chat| account.is_some_and(|account| chat.context.rank(&account).is_some()))
}
