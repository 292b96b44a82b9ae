//! Which commits are valid: a function of the state before and the commit alone, checked by every member (spec/chat.md, section 6).

use super::context::{ChatContext, ChatKind};
use super::dag::Target;
use super::leaf::Member;
use super::statement::{Statement, Wish, rejoin_about};
use crate::keys::{AccountId, DeviceId};
use crate::limits;
use std::collections::BTreeSet;

/// What a commit does, besides renewing its author's leaf.
#[derive(Debug, Default)]
pub(super) struct Delta {
    /// New leaves, with the hashes of their keys.
    pub added: Vec<(Member, [u8; 32])>,
    /// Leaves that go, with the hashes of their keys.
    pub removed: Vec<(Member, [u8; 32])>,
    /// New settings.
    pub context: Option<ChatContext>,
    /// What devices have asked for, their signatures checked.
    pub statements: Vec<Statement>,
}

impl Delta {
    /// The devices that have another leaf afterwards, with the hash of its key.
    pub fn back(&self) -> Vec<(DeviceId, [u8; 32])> {
        let went = |device: &DeviceId| self.removed.iter().any(|(member, _)| member.device == *device);
        let came = self.added.iter().map(|(member, leaf)| (member.device, *leaf));
        came.filter(|(device, _)| went(device)).collect()
    }
}

/// Checks a commit; gives whom it removes against their will.
pub(super) fn check(
    before: &ChatContext,
    members: &[Member],
    author: &Member,
    delta: &Delta,
) -> Result<Vec<Target>, &'static str> {
    let after: Vec<&Member> = members
        .iter()
        .filter(|member| delta.removed.iter().all(|(gone, _)| gone.leaf != member.leaf))
        .chain(delta.added.iter().map(|(member, _)| member))
        .collect();
    let accounts: BTreeSet<AccountId> = after.iter().map(|member| member.account).collect();
    if after.len() > limits::GROUP_MEMBERS {
        return Err("a chat has at most 1,000 devices");
    }
    let devices: BTreeSet<_> = after.iter().map(|member| member.device).collect();
    if devices.len() != after.len() {
        return Err("a device has one leaf");
    }
    let rank = before.rank(&author.account);
    for (added, hash) in &delta.added {
        let own = added.account == author.account;
        let again = delta.removed.iter().any(|(gone, key)| {
            gone.device == added.device && asked(delta, Wish::Rejoin, added, &rejoin_about(hash, key))
        });
        if !own && !again && (before.kind == ChatKind::OneToOne || rank.is_none()) {
            return Err("only admins add members");
        }
    }
    let mut targets = Vec::new();
    for (gone, key) in &delta.removed {
        let wished = |added: &Member, hash| asked(delta, Wish::Rejoin, added, &rejoin_about(hash, key));
        let back = delta.added.iter().any(|(added, hash)| {
            added.device == gone.device && (gone.account == author.account || wished(added, hash))
        });
        let left = delta
            .removed
            .iter()
            .any(|(other, key)| other.account == gone.account && asked(delta, Wish::Leave, other, key));
        if left && accounts.contains(&gone.account) {
            return Err("a member leaves with all its devices");
        }
        if back || left {
            continue;
        }
        if gone.account == author.account {
            targets.push(Target::Device(gone.device));
            continue;
        }
        if before.kind == ChatKind::OneToOne {
            return Err("in a one-to-one chat only own devices change");
        }
        let senior = match (rank, before.rank(&gone.account)) {
            (Some(author), Some(theirs)) => author < theirs,
            (Some(_), None) => true,
            (None, _) => false,
        };
        if !senior {
            return Err("only a more senior admin removes a member");
        }
        if accounts.contains(&gone.account) {
            return Err("an admin removes all devices of an account, or none");
        }
        targets.push(Target::Account(gone.account));
    }
    targets.sort();
    targets.dedup();
    check_context(
        before,
        delta.context.as_ref().unwrap_or(before),
        &after,
        &accounts,
        author,
    )?;
    Ok(targets)
}

fn asked(delta: &Delta, wish: Wish, member: &Member, about: &[u8; 32]) -> bool {
    let mut statements = delta.statements.iter();
    statements.any(|asked| asked.wish == wish && asked.device == member.device && asked.about == *about)
}

fn check_context(
    before: &ChatContext,
    after: &ChatContext,
    members: &[&Member],
    accounts: &BTreeSet<AccountId>,
    author: &Member,
) -> Result<(), &'static str> {
    if before.kind != after.kind {
        return Err("a chat keeps its kind");
    }
    if before.kind == ChatKind::OneToOne {
        let timer_only = ChatContext {
            timer_s: before.timer_s,
            ..after.clone()
        };
        return if timer_only == *before {
            Ok(())
        } else {
            Err("a one-to-one chat has a timer and no other settings")
        };
    }
    let settings = |context: &ChatContext| {
        let mut settings = context.clone();
        settings.admins.clear();
        settings
    };
    if settings(before) != settings(after) && before.rank(&author.account).is_none() {
        return Err("only admins change the settings");
    }
    if after.admins.iter().any(|admin| !accounts.contains(admin)) {
        return Err("admins are members");
    }
    if after.admins.iter().collect::<BTreeSet<_>>().len() != after.admins.len() {
        return Err("an admin has one rank");
    }
    check_ranks(&staying(before, accounts), &after.admins, members, author.account)
}

/// The admins that are still members, in their order.
fn staying(before: &ChatContext, accounts: &BTreeSet<AccountId>) -> Vec<AccountId> {
    let staying = before.admins.iter().filter(|admin| accounts.contains(admin));
    staying.copied().collect()
}

fn check_ranks(
    before: &[AccountId],
    after: &[AccountId],
    members: &[&Member],
    author: AccountId,
) -> Result<(), &'static str> {
    if before.is_empty() {
        // The last admin has left: whoever has been here longest is next.
        let next = members
            .iter()
            .min_by_key(|member| member.leaf)
            .map(|member| member.account);
        return if after.iter().copied().eq(next) {
            Ok(())
        } else {
            Err("the member of the lowest leaf follows the last admin")
        };
    }
    if after == before {
        return Ok(());
    }
    let Some(rank) = before.iter().position(|admin| *admin == author) else {
        return Err("only admins change ranks");
    };
    let resigned = before.iter().filter(|admin| **admin != author);
    let hand_over = rank == 0 && !after.is_empty();
    if hand_over || (!after.is_empty() && resigned.eq(after)) || before.get(..=rank) == after.get(..=rank) {
        Ok(())
    } else {
        Err("an admin changes only ranks below its own")
    }
}

/// The settings after members have gone, where they must change with them.
pub(super) fn follow(context: &ChatContext, members: &[Member]) -> ChatContext {
    let accounts: BTreeSet<AccountId> = members.iter().map(|member| member.account).collect();
    let mut admins = staying(context, &accounts);
    if admins.is_empty() && context.kind == ChatKind::Group {
        let next = members.iter().min_by_key(|member| member.leaf);
        admins.extend(next.map(|member| member.account));
    }
    ChatContext {
        admins,
        ..context.clone()
    }
}
