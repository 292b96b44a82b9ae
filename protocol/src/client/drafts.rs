//! Plans in the making: what is wanted in a group becomes the next commit of ours.

use super::Client;
use super::chats::Chat;
use super::records::{Intent, WelcomeTo};
use crate::chat::{ChatContext, ChatKind, Member, Plan, Role, Statement, Target, Wish, package_leaf, rejoin_about};
use crate::contact::ContactError;
use crate::inbox::Rejoin;
use crate::keys::{AccountId, ChatId};
use crate::limits;
use crate::wire::{Reader, Wire};

/// A plan in the making.
pub(super) struct Draft {
    pub plan: Plan,
    pub context: ChatContext,
    /// Whom it adds, in the order of the key packages, and how they are told.
    pub added: Vec<(AccountId, WelcomeTo)>,
}

/// What became of a change that is wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Drafted {
    /// It is in the plan.
    Taken,
    /// The chat has it already.
    Had,
    /// It can't be made any more, or others have done what they asked for.
    Done,
    /// It fits only into a plan after this one.
    Later,
}

impl Drafted {
    fn of(taken: bool) -> Self {
        if taken { Self::Taken } else { Self::Had }
    }
}

impl Draft {
    pub fn new(chat: &Chat) -> Self {
        Self {
            plan: Plan::default(),
            context: chat.group.context().clone(),
            added: Vec::new(),
        }
    }

    /// Removes an account's leaves, and doesn't add it; false if it has none.
    fn remove(&mut self, members: &[Member], account: &AccountId) -> bool {
        let its: Vec<&Member> = members.iter().filter(|member| member.account == *account).collect();
        // Whoever goes isn't put back either.
        let added = self.cancel(account);
        let back = |statement: &Statement| {
            statement.wish == Wish::Rejoin && its.iter().any(|member| member.device == statement.device)
        };
        self.plan.statements.retain(|statement| !back(statement));
        let leaves: Vec<u32> = its
            .iter()
            .map(|member| member.leaf)
            .filter(|leaf| !self.plan.remove.contains(leaf))
            .collect();
        let any = added || !leaves.is_empty();
        self.plan.remove.extend(leaves);
        self.context.admins.retain(|admin| admin != account);
        any
    }

    /// Lets go of what would add an account; true if something would have.
    fn cancel(&mut self, account: &AccountId) -> bool {
        let before = self.added.len();
        let mut accounts = self.added.iter().map(|(added, _)| added);
        self.plan.add.retain(|_| accounts.next() != Some(account));
        self.added.retain(|(added, _)| added != account);
        self.added.len() != before
    }

    fn is_full(&self) -> bool {
        self.plan.add.len() >= limits::ADDED_AT_ONCE
    }

    /// Whether it removes an account that is in the chat.
    fn removes(&self, members: &[Member], account: &AccountId) -> bool {
        let mut its = members.iter().filter(|member| member.account == *account);
        its.any(|member| self.plan.remove.contains(&member.leaf)) && !self.adds(account)
    }

    fn adds(&self, account: &AccountId) -> bool {
        self.added.iter().any(|(added, _)| added == account)
    }

    pub fn plan(mut self, chat: &Chat) -> Plan {
        if self.context != *chat.group.context() {
            // The last admin has left: whoever has been here longest follows. One that stays can't only lay it down.
            let stays = |member: &&Member| !self.plan.remove.contains(&member.leaf);
            let before = &chat.group.context().admins;
            let left = !chat
                .members
                .iter()
                .filter(stays)
                .any(|member| before.contains(&member.account));
            // Whoever is alone is checked by nobody.
            let alone = chat.members.len() == 1;
            if (left || alone) && self.context.admins.is_empty() && self.context.kind == ChatKind::Group {
                let next = chat.members.iter().filter(stays).min_by_key(|member| member.leaf);
                self.context.admins.extend(next.map(|member| member.account));
            }
            self.plan.context = Some(self.context);
        }
        self.plan
    }
}

/// A wish as it is kept: a statement, and for who wants to be put back its key package.
pub(super) enum Asked {
    Leave(Statement),
    Rejoin(Rejoin),
}

impl Asked {
    pub fn read(chat: ChatId, bytes: &[u8]) -> Result<Self, ContactError> {
        let mut r = Reader::new(bytes);
        let statement = Statement::read(&mut r)?;
        if statement.wish == Wish::Leave {
            r.finish()?;
            return Ok(Self::Leave(statement));
        }
        let mut r = Reader::new(bytes);
        let rejoin = Rejoin::read(&mut r, chat)?;
        r.finish()?;
        Ok(Self::Rejoin(rejoin))
    }

    pub fn statement(&self) -> &Statement {
        match self {
            Self::Leave(statement) => statement,
            Self::Rejoin(rejoin) => &rejoin.statement,
        }
    }
}

impl Client {
    /// Puts a change into a plan.
    pub(super) fn draft(&self, now_ms: u64, chat: &Chat, draft: &mut Draft, change: &Intent) -> Drafted {
        let adds = match change {
            Intent::Add(account) => Some(account),
            Intent::Guest(guest) => Some(&guest.account),
            _ => None,
        };
        if adds.is_some_and(|account| draft.removes(&chat.members, account) || draft.is_full()) {
            return Drafted::Later;
        }
        let has_leaf = |device| chat.members.iter().any(|member| member.device == device);
        match change {
            Intent::Add(account) => {
                if chat.row.accounts.contains(account) || draft.adds(account) {
                    return Drafted::Had;
                }
                let Some(package) = self.package_of(now_ms, account) else {
                    return Drafted::Done;
                };
                draft.added.push((*account, WelcomeTo::Contact));
                draft.plan.add.push(package);
            }
            Intent::Guest(guest) => {
                let member = chat.row.accounts.contains(&guest.account) || draft.adds(&guest.account);
                let now_s = now_ms / 1000;
                let in_time = guest.package.not_before_s <= now_s && now_s < guest.package.not_after_s;
                if member || !in_time {
                    return Drafted::Done;
                }
                draft.added.push((guest.account, WelcomeTo::Guest(guest.clone())));
                draft.plan.add.push(guest.package.clone());
            }
            Intent::Remove(account) => return Drafted::of(draft.remove(&chat.members, account)),
            Intent::Settings(change) => {
                let before = draft.context.clone();
                if let Some(name) = &change.name {
                    draft.context.name.clone_from(name);
                }
                if let Some(picture) = &change.picture {
                    draft.context.picture.clone_from(picture);
                }
                if let Some(timer_s) = change.timer_s {
                    draft.context.timer_s = timer_s;
                }
                return Drafted::of(draft.context != before);
            }
            Intent::Role(account, role) => {
                if !chat.row.accounts.contains(account) {
                    return Drafted::Done;
                }
                if draft.context.role(account) == *role {
                    return Drafted::Had;
                }
                let admins = &mut draft.context.admins;
                match role {
                    Role::Owner => {
                        admins.retain(|admin| admin != account);
                        admins.insert(0, *account);
                    }
                    Role::Admin if admins.first() != Some(account) => admins.push(*account),
                    // An owner becomes an admin only by giving its place to another.
                    Role::Admin => return Drafted::Done,
                    Role::Member => admins.retain(|admin| admin != account),
                }
            }
            Intent::Wish(bytes) if self.draft_wish(chat, draft, bytes) => {}
            // Where another branch comes to count, whoever has left may be a member again.
            Intent::Wish(_) if change.leaver(chat.id).is_some_and(|device| !has_leaf(device)) => return Drafted::Had,
            Intent::Wish(_) => return Drafted::Done,
        }
        Drafted::Taken
    }

    fn draft_wish(&self, chat: &Chat, draft: &mut Draft, bytes: &[u8]) -> bool {
        let Ok(asked) = Asked::read(chat.id, bytes) else {
            return false;
        };
        let device = asked.statement().device;
        let Some(member) = chat.members.iter().find(|member| member.device == device) else {
            return false;
        };
        match asked {
            Asked::Leave(statement) => {
                let current = chat.group.leaf_key(member.leaf).ok() == Some(statement.about);
                if !current
                    || member.account == self.account_in(&chat.id)
                    || !draft.remove(&chat.members, &member.account)
                {
                    return false;
                }
                draft.plan.statements.push(statement);
            }
            Asked::Rejoin(rejoin) => {
                let old = chat.group.leaf_key(member.leaf);
                let new = package_leaf(&self.crypto, &rejoin.package);
                // Whoever was put back has another leaf: its wish is done.
                let (Ok(old), Ok(new)) = (old, new) else {
                    return false;
                };
                let stands = rejoin.statement.about == rejoin_about(&new, &old);
                let yields = chat.yields_still(self.device_in(&chat.id), &device) || chat.has_caught_up(&device);
                if yields || !stands || draft.plan.remove.contains(&member.leaf) {
                    return false;
                }
                draft.plan.remove.push(member.leaf);
                draft.plan.add.push(rejoin.package);
                draft.plan.statements.push(rejoin.statement);
                // A Welcome by a letter is taken from whom the device knows as a member, by its inbox from any contact.
                let inbox = self
                    .contacts
                    .get(&member.account)
                    .is_some_and(|contact| contact.their_inbox.is_some());
                let in_vain = chat.helped.contains(&device) && inbox;
                let asked = chat.row.asked.iter().find(|(asker, _)| *asker == device && !in_vain);
                let to = asked.map_or(WelcomeTo::Contact, |(device, topic)| WelcomeTo::Member {
                    device: *device,
                    topic: *topic,
                });
                draft.added.push((member.account, to));
            }
        }
        true
    }

    /// Removals that lost are made again by whoever may, with whatever it commits next.
    pub(super) fn redo_removals(&self, chat: &Chat, draft: &mut Draft) {
        let Some(rank) = draft.context.rank(&self.account_in(&chat.id)) else {
            return;
        };
        for node in chat.dag.losers() {
            for target in chat
                .dag
                .commit(&node)
                .map(|commit| commit.targets.as_slice())
                .unwrap_or_default()
            {
                let Target::Account(account) = target else {
                    continue;
                };
                let junior = draft.context.rank(account).is_none_or(|theirs| rank < theirs);
                // Whoever isn't in it any more may be added again.
                if junior && chat.is_of(account) && !draft.plan.is_empty() {
                    draft.remove(&chat.members, account);
                }
            }
        }
    }
}
