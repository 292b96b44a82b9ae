//! A group of people with fixed keys and fixed entropy.
#![allow(dead_code, clippy::unwrap_used, clippy::indexing_slicing)]

use super::session::Person;
use madang_protocol::chat::{
    Change, ChatContext, Group, GroupError, Plan, Statement, Wish, package_leaf, rejoin_about,
};
use madang_protocol::keys::{ChatId, NodeId, TopicSecret};
use madang_protocol::mls::{Crypto, GroupRows, Suite};
use serde_json::Value;

/// The group once the first people have joined; the others can be added.
pub struct Village {
    pub suite: Suite,
    pub chat: ChatId,
    pub people: Vec<Person>,
    pub cryptos: Vec<Crypto>,
    /// The private rows of each one's first key package.
    pub packages: Vec<GroupRows>,
    pub topic: TopicSecret,
    /// For all that joined.
    pub welcome: Vec<u8>,
    /// The state that it leads to.
    pub node: NodeId,
    /// Each one's state, by the places of `people`; none for whoever isn't in.
    pub groups: Vec<Option<Group>>,
}

impl Village {
    /// The first of the people makes the group and adds the next ones, `joined` in all, with one commit.
    pub fn of(suite: Suite, chat: ChatId, people: &[Person], joined: usize, settings: ChatContext) -> Self {
        let cryptos: Vec<Crypto> = people.iter().map(Person::crypto).collect();
        let owner = &people[0];
        let (group, topic) =
            Group::create(&cryptos[0], &owner.device(), &owner.identity(), suite, chat, settings).unwrap();
        let made = people.iter().zip(&cryptos).skip(1);
        let (cards, rows): (Vec<_>, Vec<_>) = made.map(|(one, crypto)| one.package(crypto, suite, false)).unzip();
        let plan = Plan::adding(&cards[..joined - 1]);
        let change = group.commit(&cryptos[0], &owner.device(), &plan, &topic).unwrap();
        let (welcome, node) = (change.welcome.unwrap(), change.group.node());
        let mut groups = vec![Some(change.group)];
        for (at, rows) in rows.iter().enumerate() {
            let join = || {
                Group::join(&cryptos[at + 1], rows.clone(), &welcome, node)
                    .unwrap()
                    .group
            };
            groups.push((at + 1 < joined).then(join));
        }
        Self {
            suite,
            chat,
            people: people.to_vec(),
            packages: [vec![GroupRows::default()], rows].concat(),
            cryptos,
            topic,
            welcome,
            node,
            groups,
        }
    }

    /// A state of somebody who is in.
    pub fn group(&self, who: usize) -> &Group {
        self.groups[who].as_ref().unwrap()
    }

    pub fn leaf(&self, who: usize) -> u32 {
        let device = self.people[who].device().public();
        let members = self.groups.iter().flatten().next().unwrap().members().unwrap();
        members.iter().find(|member| member.device == device).unwrap().leaf
    }

    /// The wish of somebody to leave.
    pub fn leave(&self, who: usize) -> Statement {
        let key = self.group(who).own_leaf_key().unwrap();
        Statement::sign(&self.people[who].device(), self.chat, Wish::Leave, key)
    }

    /// A plan from its description: `add`, `remove`, `leave` and `rejoin` list people; `name`, `picture`, `timer_s` and `admins` are new
    /// settings.
    pub fn plan(&self, described: &Value) -> Plan {
        let listed = |member: &str| -> Vec<usize> {
            let list = described[member].as_array().into_iter().flatten();
            list.map(|at| at.as_u64().unwrap() as usize).collect()
        };
        let mut plan = Plan::default();
        for who in listed("add") {
            // Whoever has joined already is added by another key package.
            plan.add
                .push(self.people[who].package(&self.cryptos[who], self.suite, false).0);
        }
        for who in listed("remove") {
            plan.remove.push(self.leaf(who));
        }
        for who in listed("leave") {
            plan.remove.push(self.leaf(who));
            plan.statements.push(self.leave(who));
        }
        for who in listed("rejoin") {
            let (person, crypto) = (&self.people[who], &self.cryptos[who]);
            let package = person.package(crypto, self.suite, false).0;
            let state = self.groups.iter().flatten().next().unwrap();
            let old = state.leaf_key(self.leaf(who)).unwrap();
            let about = rejoin_about(&package_leaf(crypto, &package).unwrap(), &old);
            plan.remove.push(self.leaf(who));
            plan.statements
                .push(Statement::sign(&person.device(), self.chat, Wish::Rejoin, about));
            plan.add.push(package);
        }
        let before = self.groups.iter().flatten().next().unwrap().context();
        let mut context = before.clone();
        if let Some(name) = described["name"].as_str() {
            context.name = name.into();
        }
        if let Some(picture) = described["picture"].as_str() {
            context.picture = hex::decode(picture).unwrap();
        }
        if let Some(timer_s) = described["timer_s"].as_u64() {
            context.timer_s = timer_s as u32;
        }
        if described["admins"].is_array() {
            context.admins = listed("admins")
                .into_iter()
                .map(|who| self.people[who].account())
                .collect();
        }
        plan.context = (context != *before).then_some(context);
        plan
    }

    pub fn commits(&self, who: usize, plan: &Plan) -> Result<Change, GroupError> {
        self.group(who)
            .commit(&self.cryptos[who], &self.people[who].device(), plan, &self.topic)
    }

    /// Somebody commits and everybody follows; gives the commit.
    pub fn advance(&mut self, who: usize, described: &Value) -> Vec<u8> {
        let change = self.commits(who, &self.plan(described)).unwrap();
        for (at, state) in self.groups.iter_mut().enumerate() {
            if at != who
                && let Some(group) = state
            {
                *state = group.apply(&self.cryptos[at], &change.commit).unwrap().group;
            }
        }
        self.groups[who] = Some(change.group);
        change.commit
    }
}
