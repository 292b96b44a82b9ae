//! A group and what its members want of it; in the end, what the reference model makes of it is compared with what everybody has.

use super::checker::{Book, Sent, list};
use super::host::Machine;
use super::model::Model;
use super::random::{MS, Micros, Random};
use super::world::{HostId, World};
use crate::chat::{ChatKind, Role};
use crate::client::inspect::{Inside, StateInside, inside};
use crate::client::{Command, CommandError, MessageView, Reply, SettingsChange, history};
use crate::keys::{AccountId, ChatId, MessageId, NodeId};
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
struct Wanted {
    by: HostId,
    change: Change,
    /// The state that its device was in once it had answered that this is done.
    done_at: Option<NodeId>,
}

/// A group.
pub(super) struct Village {
    founder: HostId,
    pub chat: Option<ChatId>,
    first: Vec<HostId>,
    asked: bool,
    not_before: Micros,
    wanted: Vec<Wanted>,
    /// Nobody settles a state in this history, so that the model knows what all do.
    pub exact: bool,
    model: Model,
    /// What it says counts, of so many commits.
    judged: Option<(usize, Option<NodeId>)>,
    states: BTreeMap<NodeId, StateInside>,
    /// Who has asked to be put back: its wishes went with its state.
    lost: BTreeSet<HostId>,
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
        Some((self.founder, Command::CreateChat { name, members }))
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
        self.wanted.push(Wanted {
            by,
            change,
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

    fn inside(&self, world: &World, host: HostId) -> Option<Inside> {
        inside(&world.hosts[host.0].disk, &self.chat?).ok().flatten()
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
        if self.model.root.is_none() && host == self.founder {
            self.model.root = Some(root);
            self.model.root_admins = self.states[&root].context.admins.clone();
        }
        for (node, commit) in row.nodes {
            if let Some(commit) = commit {
                self.model.commits.entry(node).or_insert(commit);
            }
        }
        Ok(())
    }

    /// Whether everybody is where the model says, and has what it should.
    pub fn check(&mut self, world: &World, book: &Book) -> Result<(), String> {
        self.judge(world, book)
    }

    /// Where everybody is, for whoever looks for a fault.
    pub fn table(&self, world: &World) -> String {
        let mut table = format!(
            "exact: {}, lost: {:?}, the model: {:?}",
            self.exact, self.lost, self.judged
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

    fn judge(&mut self, world: &World, book: &Book) -> Result<(), String> {
        let Some(chat) = self.chat else {
            return Err("there is no group".into());
        };
        let tip = self.tip(world)?;
        let Some(end) = self.states.get(&tip) else {
            return Err(format!("nobody has the state {tip:?} that counts"));
        };
        let path = self.model.path(&tip);
        if self.model.root != path.first().copied() {
            return Err(format!("the state {tip:?} has a past that nobody recorded"));
        }
        self.check_states(world, &chat, tip, end)?;
        self.check_justified(world, &path)?;
        self.check_wanted(world, &path)?;
        self.check_messages(world, book, &chat, &path, end)
    }

    /// The state that counts: as the model says, or where states are settled in the meantime as the first member does.
    fn tip(&mut self, world: &World) -> Result<NodeId, String> {
        if self.exact && self.lost.is_empty() {
            // Slow, so it is asked only when there is more to judge.
            let known = self.model.commits.len();
            if self.judged.is_none_or(|(of, _)| of != known) {
                self.judged = Some((known, self.model.tip()));
            }
            return self
                .judged
                .and_then(|(_, tip)| tip)
                .ok_or_else(|| "the group was never recorded".into());
        }
        let mut rows = world.clients().into_iter().filter_map(|host| self.inside(world, host));
        let first = rows.find(|row| !row.out && !row.lost).map(|row| row.state);
        first.ok_or_else(|| "nobody is left in the group".into())
    }

    fn check_states(&self, world: &World, chat: &ChatId, tip: NodeId, end: &StateInside) -> Result<(), String> {
        let rows: Vec<_> = world
            .clients()
            .into_iter()
            .map(|host| (host, self.inside(world, host)))
            .collect();
        let topic = rows.iter().filter_map(|(_, row)| row.as_ref());
        let topic = topic
            .filter(|row| row.state == tip && !row.out)
            .map(|row| row.topic)
            .next();
        for (host, row) in rows {
            let is_member = account(world, host).is_some_and(|account| end.accounts.contains(&account));
            let Some(row) = row else {
                if is_member {
                    return Err(format!("{host:?} is a member and doesn't know the group"));
                }
                continue;
            };
            if !is_member {
                // Nobody owes a removed member its removal: where no relay has kept it, it is behind, or has asked in vain to be put back.
                let behind = world.forgetful() && self.model.is_before(&row.state, &tip);
                if !row.out && !row.lost && !behind {
                    return Err(format!(
                        "{host:?} is no member and thinks that it is one, in {:?}, not {tip:?}",
                        row.state
                    ));
                }
                if topic.is_some_and(|topic| row.topics.contains(&topic)) {
                    return Err(format!("{host:?} is removed and knows the topic"));
                }
                continue;
            }
            if row.out || row.state != tip {
                return Err(format!(
                    "{host:?} is in {:?}, out: {}, where {tip:?} counts",
                    row.state, row.out
                ));
            }
            if row.open > 0 {
                return Err(format!("{host:?} still wants {} changes", row.open));
            }
            let Some(Machine::Client(client)) = &world.hosts[host.0].machine else {
                return Err(format!("{host:?} is down"));
            };
            let Some(state) = client.state_inside(chat, &tip) else {
                return Err(format!("{host:?} has no keys of {tip:?}"));
            };
            if state.authenticator != end.authenticator || topic != Some(row.topic) {
                return Err(format!("{host:?} has another authenticator or topic of {tip:?}"));
            }
            if state.accounts != end.accounts || state.context != end.context {
                return Err(format!("{host:?} has other members or settings in {tip:?}"));
            }
        }
        Ok(())
    }

    /// Whether everything that happened on the branch that counts was somebody's wish.
    fn check_justified(&self, world: &World, path: &[NodeId]) -> Result<(), String> {
        for (before, after) in path.iter().zip(path.iter().skip(1)) {
            let (Some(before), Some(state)) = (self.states.get(before), self.states.get(after)) else {
                continue;
            };
            let author = self.model.commits.get(after).map(|commit| commit.author);
            let by = |wanted: &Wanted| account(world, wanted.by) == author;
            let about = |account: AccountId| move |host: &HostId| self::account(world, *host) == Some(account);
            for new in state.accounts.iter().filter(|new| !before.accounts.contains(new)) {
                let is_new = about(*new);
                let mut wanted = self.wanted.iter();
                if !wanted.any(|wanted| by(wanted) && matches!(&wanted.change, Change::Add(host) if is_new(host))) {
                    return Err(format!("nobody wanted {new:?} in {after:?}"));
                }
            }
            for gone in before.accounts.iter().filter(|gone| !state.accounts.contains(gone)) {
                let is_gone = about(*gone);
                let mut wanted = self.wanted.iter();
                if !wanted.any(|wanted| match &wanted.change {
                    Change::Remove(host) => is_gone(host),
                    Change::Leave => is_gone(&wanted.by),
                    _ => false,
                }) {
                    return Err(format!("nobody wanted {gone:?} out in {after:?}"));
                }
            }
            let name = Change::Name(state.context.name.clone());
            let renamed = before.context.name != state.context.name;
            if renamed && !self.wanted.iter().any(|wanted| by(wanted) && wanted.change == name) {
                return Err(format!("nobody wanted the name {:?}", state.context.name));
            }
        }
        Ok(())
    }

    /// Whether all that was done has its place on the branch that counts, unless its author lost the right meanwhile.
    fn check_wanted(&self, world: &World, path: &[NodeId]) -> Result<(), String> {
        for (number, wanted) in self.wanted.iter().enumerate() {
            let Some(done_at) = wanted.done_at.filter(|_| !self.lost.contains(&wanted.by)) else {
                continue;
            };
            let since = self.since(path, &done_at);
            let Some(by) = account(world, wanted.by) else {
                continue;
            };
            let states: Vec<&StateInside> = since.iter().filter_map(|node| self.states.get(node)).collect();
            let is_in = |host: &HostId| account(world, *host);
            let mut after = self.wanted.iter().skip(number + 1);
            let happened = match &wanted.change {
                Change::Name(name) => {
                    states.iter().any(|state| state.context.name == *name)
                        // A later one of its own takes its place.
                        || after.any(|later| later.by == wanted.by && matches!(later.change, Change::Name(_)))
                }
                Change::Add(host) => {
                    let had = self.states.get(&done_at).is_some_and(|state| holds(state, is_in(host)));
                    had && !self.made(&done_at, by) || states.iter().any(|state| holds(state, is_in(host)))
                }
                Change::Remove(host) => states.iter().any(|state| !holds(state, is_in(host))),
                // A wish names the leaf that it is of, and is void once that is renewed.
                Change::Leave => true,
                Change::Role(..) => true,
            };
            let may = |state: &&StateInside| state.context.rank(&by).is_some();
            let junior = |state: &&StateInside| match &wanted.change {
                Change::Remove(host) => is_in(host).is_some_and(|whom| {
                    let (own, theirs) = (state.context.rank(&by), state.context.rank(&whom));
                    own.is_none() || theirs.is_some_and(|theirs| own.is_some_and(|own| own > theirs))
                }),
                _ => false,
            };
            let allowed = states.iter().all(may) && !states.iter().any(junior);
            if !happened && allowed {
                return Err(format!(
                    "{:?} was done and never happened: {:?}",
                    wanted.by, wanted.change
                ));
            }
        }
        Ok(())
    }

    /// Whether a state was made by an account.
    fn made(&self, node: &NodeId, by: AccountId) -> bool {
        self.model.commits.get(node).is_some_and(|commit| commit.author == by)
    }

    /// The states that count, from the last one on which a state builds.
    fn since<'a>(&self, path: &'a [NodeId], state: &NodeId) -> &'a [NodeId] {
        let known = self.model.path(state);
        let fork = path.iter().rposition(|node| known.contains(node)).unwrap_or(0);
        &path[fork..]
    }

    fn check_messages(
        &self,
        world: &World,
        book: &Book,
        chat: &ChatId,
        path: &[NodeId],
        end: &StateInside,
    ) -> Result<(), String> {
        let mut lists: BTreeMap<HostId, Vec<MessageView>> = BTreeMap::new();
        for host in world.clients() {
            let listed = list(world, host, chat)?;
            book.check_list(world, *chat, host, &listed)?;
            lists.insert(host, listed);
        }
        let has: BTreeMap<HostId, BTreeSet<MessageId>> = lists
            .iter()
            .map(|(host, listed)| (*host, listed.iter().map(|message| message.id).collect()))
            .collect();
        for (sent, id) in book.acknowledged_in(*chat) {
            self.check_message(world, &has, sent, id, path)?;
        }
        let member = |host: &&HostId| account(world, **host).is_some_and(|account| end.accounts.contains(&account));
        let members: Vec<HostId> = has.keys().filter(member).copied().collect();
        for (one, other) in members.iter().zip(members.iter().skip(1)) {
            let common = |of: HostId, with: HostId| -> Vec<MessageId> {
                let ids = lists[&of].iter().map(|message| message.id);
                ids.filter(|id| has[&with].contains(id)).collect()
            };
            if common(*one, *other) != common(*other, *one) {
                return Err(format!("{one:?} and {other:?} order messages differently"));
            }
        }
        Ok(())
    }

    fn check_message(
        &self,
        world: &World,
        has: &BTreeMap<HostId, BTreeSet<MessageId>>,
        sent: &Sent,
        id: MessageId,
        path: &[NodeId],
    ) -> Result<(), String> {
        let (Some(asked_in), Some(done_in)) = (sent.asked_in, sent.done_in) else {
            return Ok(());
        };
        let since = self.since(path, &asked_in);
        let always = |host: HostId| {
            let account = account(world, host);
            let known = |node: &NodeId| self.states.get(node).is_some_and(|state| holds(state, account));
            account.is_some() && since.iter().all(known)
        };
        let stays = always(sent.author);
        let ledger = history::message(&world.hosts[sent.author.0].disk, &id).ok().flatten();
        let ledger = ledger.and_then(|message| message.ledger).unwrap_or_default();
        for (host, has) in has {
            if stays && always(*host) {
                if !has.contains(&id) {
                    return Err(format!(
                        "{host:?} lacks the acknowledged {id:?} of {:?}: {}",
                        sent.author, sent.text
                    ));
                }
                let device = world.hosts[host.0].identity.map(|(_, device)| device);
                if *host != sent.author && device.is_some_and(|device| !ledger.delivered.contains(&device)) {
                    return Err(format!("{:?} doesn't know that {host:?} has {id:?}", sent.author));
                }
            }
            // Written on the branch that counts, once this one was out of it for good (FAULTS 45).
            let account = account(world, *host);
            let never = |node: &NodeId| self.states.get(node).is_some_and(|state| !holds(state, account));
            let since = self.since(path, &done_in);
            if since.first() == Some(&done_in) && since.iter().all(never) && has.contains(&id) {
                return Err(format!("{host:?} is removed and reads {id:?} of {:?}", sent.author));
            }
        }
        Ok(())
    }
}

fn holds(state: &StateInside, account: Option<AccountId>) -> bool {
    account.is_some_and(|account| state.accounts.contains(&account))
}

fn account(world: &World, host: HostId) -> Option<AccountId> {
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
