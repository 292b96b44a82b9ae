//! What has to come of a group: the reference model says which state counts, who is in it and who has which messages, and everybody is
//! compared with that. A hostile member is owed nothing and judged in nothing.

use super::checker::{Book, Sent, list};
use super::host::Machine;
use super::random::Micros;
use super::village::{Asked, Change, Village, Wanted, account};
use super::world::{HostId, World};
use crate::chat::Role;
use crate::client::inspect::{Inside, StateInside};
use crate::client::{MessageView, history};
use crate::keys::{AccountId, ChatId, MessageId, NodeId};
use std::collections::{BTreeMap, BTreeSet};

/// Whether an author has wished for something like this.
type Wished<'a> = dyn Fn(&dyn Fn(&Wanted) -> bool) -> bool + 'a;

impl Village {
    /// Whether everybody is where the model says, and has what it should.
    pub fn check(&mut self, world: &World, book: &Book) -> Result<(), String> {
        let Some(chat) = self.chat else {
            return Err("there is no group".into());
        };
        let tip = self.tip(world)?;
        let Some(end) = self.states.get(&tip) else {
            return Err(format!("nobody has the state {tip:?} that counts"));
        };
        let end = &self.ended(world, &tip, end);
        let path = self.model.path(&tip);
        if self.model.root.as_ref().map(|(root, _)| *root) != path.first().copied() {
            return Err(format!("the state {tip:?} has a past that nobody recorded"));
        }
        self.check_states(world, &chat, &path, end)?;
        self.check_justified(world, &path)?;
        self.check_wanted(world, &path)?;
        self.check_messages(world, book, &chat, &path, end)
    }

    /// The state that counts, as the model says.
    ///
    /// Where nobody settles or loses a state it is told every commit that there ever was. Otherwise it is told those that are known to
    /// somebody: from the oldest state on that a member still has, or where members settle, from the newest such one. Where a hostile
    /// member shows two ways, most may have been put back on the one that loses, and can't follow the other: theirs counts.
    fn tip(&mut self, world: &World) -> Result<NodeId, String> {
        let inside = |host: HostId| Some((host, self.inside(world, host)?));
        let mut rows: Vec<(HostId, Inside)> = world.honest().into_iter().filter_map(inside).collect();
        let whole = self.exact && self.lost.is_empty();
        let asked: Asked = if whole {
            let (root, _) = self.model.root.as_ref().ok_or("the group was never recorded")?;
            (vec![*root], self.model.commits.keys().copied().collect())
        } else {
            // Where all are gone, those who left know how it ended.
            let anybody = rows.iter().any(|(_, row)| !row.out && !row.lost);
            if !anybody {
                // A hostile member who leads may have removed them all.
                rows.extend(world.mole.and_then(inside));
            }
            let members = rows
                .iter()
                .filter(|(host, row)| !row.out && !row.lost || !anybody && row.out && self.wished_to_leave(*host));
            let roots: Vec<NodeId> = members
                .filter_map(|(_, row)| row.nodes.first())
                .map(|(root, _)| *root)
                .collect();
            let mut roots: Vec<NodeId> = self.shared_by_most(world, &roots).copied().collect();
            roots.sort_by_cached_key(|root| self.model.path(root).len());
            if !self.exact {
                roots.reverse();
            }
            if world.mole.is_none() || !self.exact {
                roots.truncate(1);
            }
            let nodes = rows.iter().flat_map(|(_, row)| &row.nodes);
            (roots, nodes.flat_map(|(node, _)| self.model.path(node)).collect())
        };
        // Slow, so it is asked only when there is something else to judge.
        if let Some((of, tip)) = &self.judged
            && *of == asked
        {
            return Ok(*tip);
        }
        let (roots, known) = &asked;
        let mut from: Vec<&NodeId> = roots.iter().collect();
        from.dedup();
        let tips = from.into_iter().map(|root| self.model.tip(*root, known));
        let tips = tips.map(|tip| {
            let path = self.model.path(&tip);
            (roots.iter().filter(|root| path.contains(root)).count(), tip)
        });
        // Of as many the first.
        let tip = tips.rev().max_by_key(|(followed, _)| *followed);
        let (_, tip) = tip.ok_or("nobody is left in the group")?;
        self.judged = Some((asked, tip));
        Ok(tip)
    }

    /// Whether a state counts for who knows all that is known from some oldest state on.
    fn counts_from(&self, root: &NodeId, state: &NodeId) -> bool {
        let judged = self.judged.as_ref();
        judged.is_some_and(|((_, known), _)| self.model.tip(*root, known) == *state)
    }

    /// Those of some oldest states that are on the way that most have, where a hostile member may keep others on a way of its own.
    fn shared_by_most<'a>(&self, world: &World, roots: &'a [NodeId]) -> impl Iterator<Item = &'a NodeId> {
        let one_way = |one: &NodeId, other: &NodeId| {
            one == other || self.model.is_before(one, other) || self.model.is_before(other, one)
        };
        let sharing = |root: &NodeId| roots.iter().filter(|other| one_way(root, other)).count();
        let sharing: Vec<usize> = roots.iter().map(sharing).collect();
        let most = sharing.iter().max().copied().unwrap_or(0);
        let all = world.mole.is_none();
        roots
            .iter()
            .zip(sharing)
            .filter(move |(_, sharing)| all || *sharing == most)
            .map(|(root, _)| root)
    }

    fn wished_to_leave(&self, host: HostId) -> bool {
        let mut wanted = self.wanted.iter();
        wanted.any(|wanted| wanted.by == host && wanted.change == Change::Leave)
    }

    /// Whether a host has left on another way, and on the one that counts no member is left but it and the hostile one.
    fn has_left_the_hostile(&self, world: &World, host: HostId, row: &Inside, end: &StateInside) -> bool {
        let others = |other: &HostId| *other != host && holds(end, account(world, *other));
        world.mole.is_some() && row.out && self.wished_to_leave(host) && !world.honest().iter().any(others)
    }

    /// A state as it is in the end: whoever left as the last one took the group with it, without a commit.
    fn ended(&self, world: &World, tip: &NodeId, state: &StateInside) -> StateInside {
        let left = |wanted: &&Wanted| {
            let row = self.inside(world, wanted.by);
            wanted.change == Change::Leave && row.is_some_and(|row| row.out && row.state == *tip)
        };
        let mut state = state.clone();
        if state.accounts.len() == 1 {
            let left: Vec<_> = self
                .wanted
                .iter()
                .filter(left)
                .map(|wanted| account(world, wanted.by))
                .collect();
            state.accounts.retain(|account| !left.contains(&Some(*account)));
        }
        state
    }

    fn check_states(&self, world: &World, chat: &ChatId, path: &[NodeId], end: &StateInside) -> Result<(), String> {
        let Some(tip) = path.last().copied() else {
            return Ok(());
        };
        let rows: Vec<(HostId, Option<Inside>)> = world
            .honest()
            .into_iter()
            .map(|host| (host, self.inside(world, host)))
            .collect();
        let topic = rows.iter().filter_map(|(_, row)| row.as_ref());
        let topic = topic
            .filter(|row| row.state == tip && !row.out)
            .map(|row| row.topic)
            .next();
        for (host, row) in rows {
            let is_member = holds(end, account(world, host));
            let Some(row) = row else {
                if is_member {
                    return Err(format!("{host:?} is a member and doesn't know the group"));
                }
                continue;
            };
            let Some(Machine::Client(client)) = &world.hosts[host.0].machine else {
                return Err(format!("{host:?} is down"));
            };
            if !is_member {
                // Where the removal is settled, or no relay keeps it any more, nobody owes it to whom it removes; and who has settled on
                // another branch can't read it, and hears of it only from a member. A hostile one may keep it on a way of its own, which
                // may even be the one that counts for who can follow it.
                let apart = |(root, _): &(NodeId, _)| !path.contains(root) || self.counts_from(root, &row.state);
                let elsewhere = || row.nodes.first().is_some_and(apart);
                let excused = !self.exact
                    || world.mole.is_some() && elsewhere()
                    || end.accounts.is_empty()
                    || world.forgetful() && self.model.is_before(&row.state, &tip);
                if !row.out && !row.lost && !excused {
                    return Err(format!(
                        "{host:?} is no member and thinks that it is one, in {:?}, not {tip:?}",
                        row.state
                    ));
                }
                let told = self.was_added_beside(world, host, path);
                if !told && !end.accounts.is_empty() && topic.is_some_and(|topic| row.topics.contains(&topic)) {
                    return Err(format!("{host:?} is removed and knows the topic"));
                }
                let was = self
                    .states
                    .get(&tip)
                    .is_some_and(|state| holds(state, account(world, host)));
                if !was && client.state_inside(chat, &tip).is_some() {
                    return Err(format!("{host:?} is removed and has the keys of {tip:?}"));
                }
                continue;
            }
            if self.has_left_the_hostile(world, host, &row, end) {
                continue;
            }
            if row.out || row.lost || row.state != tip {
                return Err(format!(
                    "{host:?} is in {:?}, out: {}, lost: {}, where {tip:?} counts",
                    row.state, row.out, row.lost
                ));
            }
            if row.open > 0 {
                return Err(format!("{host:?} still wants {} changes", row.open));
            }
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

    /// Whether a branch that lost has an account in it which the one that counts removed before they part: it was told the topic that
    /// both have, by a Welcome. Only a removal that counts renews it.
    fn was_added_beside(&self, world: &World, host: HostId, path: &[NodeId]) -> bool {
        let account = account(world, host);
        let last = path
            .iter()
            .rposition(|node| self.states.get(node).is_some_and(|state| holds(state, account)));
        let beside = self
            .states
            .iter()
            .filter(|(node, state)| !path.contains(node) && holds(state, account));
        beside.map(|(node, _)| self.model.path(node)).any(|line| {
            let fork = path.iter().rposition(|node| line.contains(node));
            fork > last
        })
    }

    /// Whether everything that happened on the branch that counts was the wish of whoever did it, and allowed to it.
    fn check_justified(&self, world: &World, path: &[NodeId]) -> Result<(), String> {
        let mole = world.mole.and_then(|mole| account(world, mole));
        for (before, node) in path.iter().zip(path.iter().skip(1)) {
            let (Some(before), Some(state)) = (self.states.get(before), self.states.get(node)) else {
                continue;
            };
            let Some(author) = self.model.commits.get(node).map(|commit| commit.author) else {
                continue;
            };
            let wished = |change: &dyn Fn(&Wanted) -> bool| {
                let mut wanted = self.wanted.iter();
                Some(author) == mole || wanted.any(|wanted| account(world, wanted.by) == Some(author) && change(wanted))
            };
            let is = |host: &HostId, whom: &AccountId| account(world, *host) == Some(*whom);
            for new in state.accounts.iter().filter(|new| !before.accounts.contains(new)) {
                let asked = |wanted: &Wanted| matches!(&wanted.change, Change::Add(host) if is(host, new));
                if !wished(&asked) || before.context.rank(&author).is_none() {
                    return Err(format!("{author:?} added {new:?} in {node:?} unasked or unallowed"));
                }
            }
            for gone in before.accounts.iter().filter(|gone| !state.accounts.contains(gone)) {
                let asked = |wanted: &Wanted| matches!(&wanted.change, Change::Remove(host) if is(host, gone));
                let left = |wanted: &Wanted| wanted.change == Change::Leave && is(&wanted.by, gone);
                let (own, theirs) = (before.context.rank(&author), before.context.rank(gone));
                let senior = own.is_some_and(|own| theirs.is_none_or(|theirs| own < theirs));
                // Removals that lost are made again by whoever may.
                let again = self.removes(gone);
                let left = self.wanted.iter().any(left) || mole == Some(*gone);
                if !(left || senior && (again || wished(&asked))) {
                    return Err(format!("{author:?} removed {gone:?} in {node:?} unasked or unallowed"));
                }
            }
            if before.context.name != state.context.name {
                let name = Change::Name(state.context.name.clone());
                if !wished(&|wanted| wanted.change == name) || before.context.rank(&author).is_none() {
                    return Err(format!("nobody wanted the name {:?} in {node:?}", state.context.name));
                }
            }
            self.check_ranks(world, before, state, &wished)
                .map_err(|reason| format!("{reason} in {node:?}"))?;
        }
        Ok(())
    }

    /// Whether somebody else has ever removed an account.
    fn removes(&self, gone: &AccountId) -> bool {
        let target = crate::chat::Target::Account(*gone);
        let mut commits = self.model.commits.values();
        commits.any(|commit| commit.targets.contains(&target))
    }

    fn check_ranks(
        &self,
        world: &World,
        before: &StateInside,
        state: &StateInside,
        wished: &Wished<'_>,
    ) -> Result<(), String> {
        let stay = |admins: &[AccountId]| -> Vec<AccountId> {
            let stays = admins.iter().filter(|admin| state.accounts.contains(admin));
            stays.copied().collect()
        };
        let (was, is) = (stay(&before.context.admins), &state.context.admins);
        // Where the last one has left another follows, whom nobody chose.
        if was == *is || was.is_empty() {
            return Ok(());
        }
        let asked = |whom: &AccountId, roles: &[Role]| {
            wished(&|wanted| match &wanted.change {
                Change::Role(host, role) => account(world, *host) == Some(*whom) && roles.contains(role),
                _ => false,
            })
        };
        let unasked = |whom: &AccountId, role| Err(format!("nobody wanted {whom:?} to be {role:?}"));
        for new in is.iter().filter(|new| !was.contains(new)) {
            if !asked(new, &[Role::Admin, Role::Owner]) {
                return unasked(new, Role::Admin);
            }
        }
        for gone in was.iter().filter(|gone| !is.contains(gone)) {
            if !asked(gone, &[Role::Member]) {
                return unasked(gone, Role::Member);
            }
        }
        // Who is first may only have been left there: an owner who makes somebody an admin and then becomes a plain member wishes nobody
        // to be the owner, and both may go into one commit (lying relay 6, groups 26).
        match (was.first(), is.first()) {
            (Some(before), Some(owner)) if before != owner => {
                let left = !is.contains(before);
                if left || asked(owner, &[Role::Owner]) {
                    return Ok(());
                }
                unasked(owner, Role::Owner)
            }
            _ => Ok(()),
        }
    }

    /// Whether all that was done has its place on the branch that counts, unless its author lost the right meanwhile.
    fn check_wanted(&self, world: &World, path: &[NodeId]) -> Result<(), String> {
        for (number, wanted) in self.wanted.iter().enumerate() {
            let Some(done_at) = wanted.done_at.filter(|_| Some(wanted.by) != world.mole) else {
                continue;
            };
            let Some(by) = account(world, wanted.by) else {
                continue;
            };
            let states_since = |state: &NodeId| -> Vec<&StateInside> {
                let since = self.since(path, state).iter();
                since.filter_map(|node| self.states.get(node)).collect()
            };
            // What was asked of it next may have undone this before it answered.
            let asked_at = wanted.asked_at.filter(|asked| self.model.is_before(asked, &done_at));
            let states = states_since(&asked_at.unwrap_or(done_at));
            let is_in = |host: &HostId| account(world, *host);
            let has = |role: Role, host: &HostId| {
                let whom = is_in(host);
                states
                    .iter()
                    .any(|state| whom.is_some_and(|whom| state.context.role(&whom) == role))
            };
            // A hostile member doesn't let anybody go.
            let mole = world.mole.and_then(|mole| account(world, mole));
            let nobody_else = |state: &StateInside| {
                let mut others = state.accounts.iter().filter(|account| **account != by);
                state.accounts.len() > 1 && others.all(|account| Some(*account) == mole)
            };
            let mut after = self.wanted.iter().skip(number + 1);
            let happened = match &wanted.change {
                Change::Name(name) => {
                    states.iter().any(|state| state.context.name == *name)
                        // A later one of its own takes its place.
                        || after.any(|later| later.by == wanted.by && matches!(later.change, Change::Name(_)))
                }
                Change::Add(host) => {
                    let had = |node: &NodeId| self.states.get(node).is_some_and(|state| holds(state, is_in(host)));
                    // Where it was a member nothing was to be done.
                    wanted.asked_at.is_some_and(|asked_at| had(&asked_at))
                        || had(&done_at) && !self.made(&done_at, by)
                        || states.iter().any(|state| holds(state, is_in(host)))
                        // It took it back itself, and both may have lost.
                        || after.any(|later| later.by == wanted.by && later.change == Change::Remove(*host))
                }
                Change::Remove(host) => {
                    let asked_in = wanted.asked_at.and_then(|asked_at| self.states.get(&asked_at));
                    // Where it was no member nothing was to be done.
                    asked_in.is_some_and(|state| !holds(state, is_in(host)))
                        || states.iter().any(|state| !holds(state, is_in(host)))
                }
                Change::Leave => {
                    states.last().is_some_and(|state| nobody_else(state))
                        || states.iter().any(|state| !holds(state, Some(by)))
                        // It was added again and stayed, and both may have lost.
                        || after.any(|later| later.change == Change::Add(wanted.by))
                        || self.is_added_after(&done_at, by)
                }
                Change::Role(host, role) => {
                    has(*role, host)
                        || states.iter().any(|state| !holds(state, is_in(host)))
                        || after.any(|later| matches!(&later.change, Change::Role(..)))
                }
            };
            let allowed = states_since(&done_at)
                .iter()
                .all(|state| may(world, state, by, &wanted.change));
            // Whoever was the last one and left took all with it, without a commit.
            let alone = states.last().is_some_and(|state| state.accounts == [by]);
            let row = self.inside(world, wanted.by);
            let end = path.last().and_then(|tip| self.states.get(tip));
            let beside = |(row, end)| self.has_left_the_hostile(world, wanted.by, row, end);
            let ended = alone && row.as_ref().is_some_and(|row| row.out) || row.as_ref().zip(end).is_some_and(beside);
            if !(happened || ended) && allowed {
                return Err(format!(
                    "{:?} was done and never happened: {:?}",
                    wanted.by, wanted.change
                ));
            }
        }
        Ok(())
    }

    /// Whether a state that builds on another adds an account.
    fn is_added_after(&self, node: &NodeId, added: AccountId) -> bool {
        let has = |node: &NodeId| self.states.get(node).map(|state| holds(state, Some(added)));
        let mut commits = self.model.commits.iter();
        commits.any(|(made, commit)| {
            has(made) == Some(true) && has(&commit.parent) == Some(false) && self.model.is_before(node, &commit.parent)
        })
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
        for host in world.honest() {
            let listed = list(world, host, chat)?;
            book.check_list(world, *chat, host, &listed)?;
            lists.insert(host, listed);
        }
        let has: BTreeMap<HostId, BTreeSet<MessageId>> = lists
            .iter()
            .map(|(host, listed)| (*host, listed.iter().map(|message| message.id).collect()))
            .collect();
        for (sent, id) in book.acknowledged_in(*chat) {
            if Some(sent.author) != world.mole {
                self.check_message(world, &has, sent, id, path)?;
            }
        }
        let member = |host: &&HostId| holds(end, account(world, **host));
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

    /// Whether a host has settled up to a state, after it, or later on another way, that an account isn't in the group any more: it owes it
    /// nothing of before (`spec/chat.md`, sections 10 and 11).
    fn settled_without(&self, host: HostId, whom: Option<AccountId>, (at, since): (Micros, &NodeId)) -> bool {
        let without = |state: &NodeId| self.states.get(state).is_some_and(|state| !holds(state, whom));
        let way = self.model.path(since);
        // Who was out already may have been added again up to that state.
        let up_to = |root: &NodeId| way.iter().skip_while(|state| *state != root).all(without);
        let mut roots = self.roots.get(&host).into_iter().flatten();
        roots.any(|(root, until)| *until >= at && without(root) && up_to(root))
    }

    /// Whether a host has settled on a way that isn't the one that counts, and in which an account is.
    fn settled_beside_with(&self, host: HostId, whom: Option<AccountId>, path: &[NodeId]) -> bool {
        let with = |state: &NodeId| self.states.get(state).is_some_and(|state| holds(state, whom));
        let mut roots = self.roots.get(&host).into_iter().flatten();
        roots.any(|(root, _)| !path.contains(root) && with(root))
    }

    /// Whether a host has since come over to a way that isn't the one that counts, and on which an account is, where a hostile member parted the two, or
    /// it was put back from there: it may be the one that counts for who can follow it.
    fn came_over_to(
        &self,
        world: &World,
        (host, at): (HostId, Micros),
        whom: Option<AccountId>,
        path: &[NodeId],
    ) -> bool {
        let with = |state: &NodeId| self.states.get(state).is_some_and(|state| holds(state, whom));
        let mut been = self.been.get(&host).into_iter().flatten();
        let led = |state: &NodeId| world.mole.is_some() || self.lost.contains(&host) && self.leads(state, path);
        been.any(|(state, until)| *until >= at && !path.contains(state) && with(state) && led(state))
    }

    /// Whether the way to a state goes before another one for who knows both.
    fn leads(&self, state: &NodeId, path: &[NodeId]) -> bool {
        let (way, since) = (self.model.path(state), self.since(path, state));
        let known = since.iter().chain(&way).copied().collect();
        let tip = since.first().map(|fork| self.model.tip(*fork, &known));
        tip.is_some_and(|tip| way.contains(&tip))
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
                let whom = account(world, *host);
                let device = world.hosts[host.0].identity.map(|(_, device)| device);
                if !has.contains(&id) {
                    if !self.settled_without(sent.author, whom, (sent.asked_at, &asked_in)) {
                        return Err(format!(
                            "{host:?} lacks the acknowledged {id:?} of {:?}, asked for in {asked_in:?}, done in {done_in:?}, {ledger:?}: {}",
                            sent.author,
                            sent.text.trim_end_matches('.')
                        ));
                    }
                } else if *host != sent.author && device.is_some_and(|device| !ledger.delivered.contains(&device)) {
                    return Err(format!("{:?} doesn't know that {host:?} has {id:?}", sent.author));
                }
            }
            // Written on the branch that counts, once this one was out of it for good (FAULTS 45).
            let account = account(world, *host);
            let never = |node: &NodeId| self.states.get(node).is_some_and(|state| !holds(state, account));
            // It may have been sealed in either of the two, where the author moved in between.
            let done = self.since(path, &done_in);
            // Whoever was added on another branch was given it there, or is a member on a way that was settled too and to which the author went over.
            let beside = || {
                self.was_added_beside(world, *host, path)
                    || self.settled_beside_with(sent.author, account, path)
                    || self.came_over_to(world, (sent.author, sent.asked_at), account, path)
            };
            let counts = done.first() == Some(&done_in);
            if counts && since.iter().chain(done).all(never) && has.contains(&id) && !beside() {
                return Err(format!("{host:?} is removed and reads {id:?} of {:?}", sent.author));
            }
        }
        Ok(())
    }
}

/// Whether an account may change something of a state.
fn may(world: &World, state: &StateInside, by: AccountId, change: &Change) -> bool {
    let rank = |host: &HostId| account(world, *host).and_then(|whom| state.context.rank(&whom));
    let Some(own) = state.context.rank(&by) else {
        return *change == Change::Leave && holds(state, Some(by));
    };
    match change {
        Change::Name(_) | Change::Add(_) | Change::Leave => true,
        Change::Remove(host) => rank(host).is_none_or(|theirs| own < theirs),
        Change::Role(host, Role::Owner) => own == 0 && holds(state, account(world, *host)),
        Change::Role(host, Role::Admin) => holds(state, account(world, *host)) && rank(host) != Some(0),
        Change::Role(host, Role::Member) => match rank(host) {
            Some(theirs) => own < theirs || own == theirs && state.context.admins.len() > 1,
            None => true,
        },
    }
}

fn holds(state: &StateInside, account: Option<AccountId>) -> bool {
    account.is_some_and(|account| state.accounts.contains(&account))
}
