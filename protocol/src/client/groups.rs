//! Groups: making them, and the changes that this device wants in them, until they are settled.

use super::chats::Chat;
use super::drafts::{Asked, Draft, Drafted};
use super::io::{CommandError, Reply, SettingsChange};
use super::outbox::OutWhat;
use super::records::{Intent, IntentRow, OutKind, WelcomeRow, WelcomeTo};
use super::sending::{Once, RepeatKey};
use super::{Client, EventRow};
use crate::blob;
use crate::chat::{ChatContext, ChatKind, Group, GroupError, Plan, Role, Statement, Wish};
use crate::contact::CardPackage;
use crate::inbox::{GroupWelcome, InboxMessage, LargeMessage};
use crate::keys::{AccountId, ChatId, NodeId};
use crate::limits;
use crate::message::Body;
use crate::rows::{Rows, RowsError};
use crate::wire::Wire;
use std::collections::BTreeSet;

/// Milliseconds that each member in turn waits before it does what a member asked for (guess: some round trips).
const WISH_STEP_MS: u64 = 2_000;
/// Members that wait in turn; the others wait as long as the last of these.
const WISH_STEPS: usize = 30;

impl Client {
    /// Makes a group of contacts, once under the same key.
    pub(super) fn create_chat_once(
        &mut self,
        now_ms: u64,
        name: String,
        members: Vec<AccountId>,
        idempotency_key: Option<String>,
        rows: &dyn Rows,
    ) -> Result<Reply, CommandError> {
        let repeat = idempotency_key.map(|key| {
            let mut parts: Vec<&[u8]> = vec![b"chat", name.as_bytes()];
            parts.extend(members.iter().map(|account| account.0.as_slice()));
            RepeatKey::of(key, &parts)
        });
        let made = self.once(now_ms, repeat, rows, |client| {
            Ok(client.create_chat(now_ms, name, members)?.0)
        })?;
        let (Once::Made(id) | Once::Repeated(id)) = made;
        Ok(Reply::Chat(ChatId(id)))
    }

    fn create_chat(&mut self, now_ms: u64, name: String, members: Vec<AccountId>) -> Result<ChatId, CommandError> {
        if self.chats.len() >= limits::CHATS {
            return Err(CommandError::Limit {
                what: "chats",
                limit: limits::CHATS,
            });
        }
        check_name(&name)?;
        if members.len() > limits::ADDED_AT_ONCE {
            return Err(CommandError::Limit {
                what: "members added at once",
                limit: limits::ADDED_AT_ONCE,
            });
        }
        let packages = self.packages_of(now_ms, &members)?;
        let id = ChatId(self.crypto.random());
        let context = ChatContext::group(name, self.account(), self.told_relays());
        let suite = self.config.suite;
        let identity = self.identity();
        let (mut group, topic) = Group::create(&self.crypto, &self.account.device, &identity, suite, id, context)?;
        let mut welcome = None;
        let profile = self.first_profile(now_ms, id);
        if !packages.is_empty() {
            let plan = Plan {
                profiles: profile.iter().cloned().collect(),
                ..Plan::adding(&packages)
            };
            let change = group.commit(&self.crypto, &self.account.device, &plan, &topic)?;
            (group, welcome) = (change.group, change.welcome);
        }
        let node = group.node();
        let row = self.new_chat_row(now_ms, topic.clone(), None, &group);
        let mut chat = Chat::new(id, row, group)?;
        chat.plant(now_ms, topic);
        self.insert_chat(chat);
        self.keep_first_profile(id, profile)?;
        self.refresh_links(now_ms)?;
        if let Some(welcome) = welcome {
            let newcomers = members.into_iter().map(|account| (account, WelcomeTo::Contact));
            self.welcome(now_ms, id, node, newcomers.collect(), welcome)?;
        }
        self.event(&EventRow::ChatUpdated { chat: id });
        Ok(id)
    }

    /// Wants members in a group.
    pub(super) fn add_members(
        &mut self,
        now_ms: u64,
        chat_id: ChatId,
        members: Vec<AccountId>,
    ) -> Result<Reply, CommandError> {
        if members.len() > limits::ADDED_AT_ONCE {
            return Err(CommandError::Limit {
                what: "members added at once",
                limit: limits::ADDED_AT_ONCE,
            });
        }
        self.packages_of(now_ms, &members)?;
        self.want(now_ms, chat_id, members.into_iter().map(Intent::Add).collect())
    }

    /// Wants members out of a group.
    pub(super) fn remove_members(
        &mut self,
        now_ms: u64,
        chat_id: ChatId,
        members: Vec<AccountId>,
    ) -> Result<Reply, CommandError> {
        if members.contains(&self.account()) {
            return Err(CommandError::Invalid {
                field: "members",
                reason: "this account leaves a chat by itself",
            });
        }
        self.want(now_ms, chat_id, members.into_iter().map(Intent::Remove).collect())
    }

    /// Wants other settings.
    pub(super) fn update_chat(
        &mut self,
        now_ms: u64,
        chat_id: ChatId,
        change: SettingsChange,
    ) -> Result<Reply, CommandError> {
        if let Some(name) = &change.name {
            check_name(name)?;
        }
        if let Some(picture) = change
            .picture
            .as_ref()
            .filter(|picture| picture.len() > limits::PICTURE_BYTES)
        {
            return Err(CommandError::TooLarge {
                field: "picture",
                found: picture.len(),
                limit: limits::PICTURE_BYTES,
            });
        }
        self.want(now_ms, chat_id, vec![Intent::Settings(change)])
    }

    /// Wants another role for a member.
    pub(super) fn set_role(
        &mut self,
        now_ms: u64,
        chat_id: ChatId,
        account: AccountId,
        role: Role,
    ) -> Result<Reply, CommandError> {
        let known = self
            .chats
            .get(&chat_id)
            .map(|chat| chat.row.accounts.contains(&account));
        if known == Some(false) {
            return Err(CommandError::NotFound { field: "account" });
        }
        self.want(now_ms, chat_id, vec![Intent::Role(account, role)])
    }

    /// Asks the others to remove this account.
    pub(super) fn leave_chat(&mut self, now_ms: u64, chat_id: ChatId) -> Result<Reply, CommandError> {
        let own = self.account();
        let chat = self.group_chat(chat_id)?;
        if chat.members.iter().all(|member| member.account == own) {
            chat.row.out = true;
            // Nobody was asked: should another branch come to count, its members are.
            chat.row.leaving = Some([0; 32].into());
            chat.row_dirty = true;
            self.dirty.chats.insert(chat_id);
            self.shut_stale_doors(chat_id);
            self.event(&EventRow::ChatUpdated { chat: chat_id });
            return Ok(Reply::Done);
        }
        let leaf = chat.group.own_leaf_key()?;
        chat.row.leaving = Some(leaf.into());
        chat.row_dirty = true;
        let asked = Statement::sign(&self.account.device, chat_id, Wish::Leave, leaf);
        self.send_body(now_ms, chat_id, Body::Wish(asked.encode()))?;
        Ok(Reply::Done)
    }

    /// Asks again to leave if another branch counts, in which this device's leaf has another key; goes if it is alone there.
    pub(super) fn leave_again(&mut self, now_ms: u64, chat_id: ChatId) -> Result<(), RowsError> {
        let own = self.account();
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return Ok(());
        };
        let Some(asked) = chat.row.leaving else {
            return Ok(());
        };
        if !chat.is_member() {
            // It is done, unless another branch comes to count.
            return Ok(());
        }
        // Nobody may be left who could do it.
        let alone = chat.members.iter().all(|member| member.account == own);
        if !alone && chat.group.own_leaf_key().ok() == Some(*asked) {
            return Ok(());
        }
        // If the outbox is full, the next branch that counts asks.
        self.leave_chat(now_ms, chat_id).ok();
        Ok(())
    }

    /// A group that this device is a member of.
    fn group_chat(&mut self, chat_id: ChatId) -> Result<&mut Chat, CommandError> {
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return Err(CommandError::NotFound { field: "chat" });
        };
        if !chat.is_member() {
            return Err(CommandError::NotAllowed {
                reason: "this account is no member of the chat any more",
            });
        }
        if chat.row.context.kind != ChatKind::Group {
            return Err(CommandError::Invalid {
                field: "chat",
                reason: "it is not a group",
            });
        }
        Ok(chat)
    }

    fn want(&mut self, now_ms: u64, chat_id: ChatId, mut wanted: Vec<Intent>) -> Result<Reply, CommandError> {
        let timer_only = |intent: &Intent| {
            matches!(
                intent,
                Intent::Settings(SettingsChange {
                    name: None,
                    picture: None,
                    timer_s: Some(_)
                })
            )
        };
        // A one-to-one chat has a timer too.
        if !wanted.iter().all(timer_only) || !self.chats.contains_key(&chat_id) {
            self.group_chat(chat_id)?;
        }
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return Err(CommandError::NotFound { field: "chat" });
        };
        let before = chat.row.intents.len();
        wanted.retain(|change| !chat.row.adds_a_member(change));
        let changes = wanted.into_iter().map(|change| IntentRow { change, node: None });
        chat.row.intents.extend(changes);
        match self.commit_intents(now_ms, chat_id, before)? {
            Ok(()) => Ok(Reply::Done),
            Err(error) => {
                // Nobody waits for what isn't allowed.
                if let Some(chat) = self.chats.get_mut(&chat_id) {
                    chat.row.intents.truncate(before);
                }
                Err(match error {
                    GroupError::NotAllowed { reason } => CommandError::NotAllowed { reason },
                    other => other.into(),
                })
            }
        }
    }

    /// The key packages that contacts have told, for adding them.
    fn packages_of(&self, now_ms: u64, members: &[AccountId]) -> Result<Vec<CardPackage>, CommandError> {
        let package = |account: &AccountId| {
            self.package_of(now_ms, account).ok_or(CommandError::NotFound {
                field: "member among the contacts whose device has told its key package",
            })
        };
        members.iter().map(package).collect()
    }

    pub(super) fn package_of(&self, now_ms: u64, account: &AccountId) -> Option<CardPackage> {
        let now_s = now_ms / 1000;
        let told = self.contacts.get(account)?.package.as_ref()?;
        (told.not_before_s <= now_s && now_s < told.not_after_s).then(|| told.clone())
    }

    /// Commits what is wanted and isn't committed, from a place in the list on. What the chat has already counts as made by its state.
    fn commit_intents(
        &mut self,
        now_ms: u64,
        chat_id: ChatId,
        from: usize,
    ) -> Result<Result<(), GroupError>, RowsError> {
        let Some(chat) = self.chats.get(&chat_id).filter(|chat| chat.is_member()) else {
            return Ok(Ok(()));
        };
        let mut draft = Draft::new(chat);
        let mut kept = Vec::new();
        let (mut later, mut had) = (BTreeSet::new(), BTreeSet::new());
        for (place, intent) in chat.row.intents.iter().enumerate() {
            if place >= from && intent.node.is_none() {
                match self.draft(now_ms, chat, &mut draft, &intent.change) {
                    Drafted::Done if !intent.change.is_own() => continue,
                    // Another branch may come to count that hasn't, or in which it can be made.
                    Drafted::Done | Drafted::Had => _ = had.insert(kept.len()),
                    Drafted::Later => _ = later.insert(kept.len()),
                    Drafted::Taken => {}
                }
            }
            kept.push(intent.clone());
        }
        self.redo_removals(chat, &mut draft);
        let added = draft.added.clone();
        let plan = draft.plan(chat);
        let made = if plan.is_empty() {
            // Together they leave the chat as it is; where another branch comes to count they may not.
            for (place, intent) in kept.iter_mut().enumerate().skip(from) {
                let done = had.contains(&place) || intent.change.is_own() && !later.contains(&place);
                if intent.node.is_none() && done {
                    intent.node = Some(chat.group.node());
                }
            }
            let mut place = 0..;
            kept.retain(|intent| {
                let place = place.next().unwrap_or(usize::MAX);
                place < from || intent.node.is_some() || later.contains(&place)
            });
            None
        } else if !chat.may_commit() {
            // It is made as soon as this device may; what isn't allowed is said at once.
            let secret = self.secret_in(&chat_id);
            let tried = chat.group.commit(&self.crypto, &secret, &plan, &chat.row.topic);
            if let Err(error) = tried {
                return Ok(Err(error));
            }
            None
        } else {
            match self.make_commit(now_ms, chat_id, &plan)? {
                Ok(made) => Some(made),
                Err(error) => return Ok(Err(error)),
            }
        };
        if let Some(chat) = self.chats.get_mut(&chat_id) {
            let open = kept
                .iter_mut()
                .enumerate()
                .skip(from)
                .filter(|(_, intent)| intent.node.is_none());
            for (_, intent) in open.filter(|(place, _)| !later.contains(place)) {
                intent.node = made.as_ref().map(|(node, _)| *node);
                if let (Some(_), Intent::Wish(wish)) = (intent.node, &intent.change)
                    && let Ok(Asked::Rejoin(rejoin)) = Asked::read(chat_id, wish)
                {
                    chat.helped.insert(rejoin.statement.device);
                }
            }
            if made.is_some() && !later.is_empty() {
                chat.retry_ms = Some(now_ms);
            }
            chat.row.intents = kept;
            chat.limit_leaves();
            chat.row_dirty = true;
            self.dirty.chats.insert(chat_id);
        }
        if let Some((node, Some(welcome))) = made {
            self.welcome(now_ms, chat_id, node, added, welcome)?;
        }
        Ok(Ok(()))
    }

    /// Keeps a Welcome until its commit is in custody.
    fn welcome(
        &mut self,
        now_ms: u64,
        chat_id: ChatId,
        node: NodeId,
        newcomers: Vec<(AccountId, WelcomeTo)>,
        welcome: Vec<u8>,
    ) -> Result<(), RowsError> {
        let Some((suite, topic)) = self
            .chats
            .get(&chat_id)
            .map(|chat| (chat.row.suite, chat.row.topic.clone()))
        else {
            return Ok(());
        };
        let welcome = GroupWelcome {
            chat: chat_id,
            node,
            suite,
            welcome,
        };
        let mut message = InboxMessage::Welcome(welcome).encode();
        // One blob serves all of them; a small one for few needs none.
        if message.len().saturating_mul(newcomers.len()) > limits::INLINE_BYTES {
            let fault = |error: &dyn std::fmt::Display| RowsError {
                reason: error.to_string(),
            };
            let (blob, chunks) = blob::seal(&self.crypto, &message).map_err(|error| fault(&error))?;
            self.blob_put(now_ms, &topic, &blob, chunks)
                .map_err(|error| fault(&error))?;
            let topic = topic.public();
            message = InboxMessage::Large(LargeMessage { topic, blob }).encode();
        }
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return Ok(());
        };
        // A commit that is made alone in a group goes nowhere; others may still wait, for those whom they removed.
        let travels = chat.commits.iter().any(|number| {
            let out = self.outs.get(number);
            out.is_some_and(|out| matches!(&out.what, OutWhat::Row(OutKind::Commit { node: of, .. }) if *of == node))
        });
        let rows = newcomers.into_iter().map(|(account, to)| WelcomeRow {
            node,
            account,
            message: message.clone(),
            to,
            held: false,
        });
        chat.row.welcomes.extend(rows);
        chat.row_dirty = true;
        self.dirty.chats.insert(chat_id);
        if travels {
            Ok(())
        } else {
            self.release_welcomes(now_ms, chat_id, node)
        }
    }

    /// A commit is in custody: whom it adds may hear of it.
    pub(super) fn release_welcomes(&mut self, now_ms: u64, chat_id: ChatId, node: NodeId) -> Result<(), RowsError> {
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return Ok(());
        };
        let mut waiting = chat.row.welcomes.iter_mut().filter(|row| row.node == node).peekable();
        if waiting.peek().is_none() {
            return Ok(());
        }
        waiting.for_each(|row| row.held = true);
        chat.row_dirty = true;
        self.dirty.chats.insert(chat_id);
        self.release_held(now_ms, chat_id)
    }

    /// Sends the Welcomes of commits that are in custody. A branch that lost meanwhile leads nowhere, and what it changed is made again
    /// on the one that counts; its Welcomes wait, since it may come to count again until it is settled.
    pub(super) fn release_held(&mut self, now_ms: u64, chat_id: ChatId) -> Result<(), RowsError> {
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return Ok(());
        };
        let dag = &chat.dag;
        let counts = |node: &NodeId| dag.root() == *node || dag.leads_to(node, &dag.tip());
        let ready: Vec<WelcomeRow> = {
            let goes = |row: &mut WelcomeRow| row.held && counts(&row.node);
            chat.row.welcomes.extract_if(.., goes).collect()
        };
        if ready.is_empty() {
            return Ok(());
        }
        chat.row_dirty = true;
        self.dirty.chats.insert(chat_id);
        for row in ready {
            self.send_welcome(now_ms, chat_id, &row)?;
        }
        Ok(())
    }

    pub(super) fn send_welcome(&mut self, now_ms: u64, chat_id: ChatId, row: &WelcomeRow) -> Result<(), RowsError> {
        match &row.to {
            WelcomeTo::Contact => self.write_inbox(now_ms, chat_id, row.account, Some(row.node), &row.message),
            WelcomeTo::Guest(guest) => self.welcome_guest(now_ms, chat_id, row.node, guest, &row.message),
            WelcomeTo::Member { device, topic } => {
                let Some(chat) = self.chats.get(&chat_id) else {
                    return Ok(());
                };
                let topic = chat.topic_secret(topic).unwrap_or(&chat.row.topic).clone();
                self.write_letter(now_ms, chat_id, &topic, Some((*device, row.node)), &row.message)
            }
        }
    }

    /// Commits are settled: Welcomes that still wait for their receipts go, if their branch counts.
    pub(super) fn release_settled(
        &mut self,
        now_ms: u64,
        chat_id: ChatId,
        path: &BTreeSet<NodeId>,
    ) -> Result<(), RowsError> {
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return Ok(());
        };
        let gone: Vec<WelcomeRow> = {
            let dag = &chat.dag;
            let settled = |row: &mut WelcomeRow| !dag.contains(&row.node);
            chat.row.welcomes.extract_if(.., settled).collect()
        };
        for row in gone.into_iter().filter(|row| path.contains(&row.node)) {
            self.send_welcome(now_ms, chat_id, &row)?;
        }
        Ok(())
    }

    /// A member asked for something, inside the chat or by its inbox: this device does it unless others have by then.
    pub(super) fn note_wish(&mut self, now_ms: u64, chat_id: ChatId, bytes: &[u8]) {
        let own = self.device_in(&chat_id);
        let Ok(asked) = Asked::read(chat_id, bytes) else {
            return;
        };
        let Some(chat) = self.chats.get_mut(&chat_id).filter(|chat| chat.is_member()) else {
            return;
        };
        let wanted = Intent::Wish(bytes.to_vec());
        let known = chat.row.intents.iter().any(|intent| intent.change == wanted);
        let member = chat
            .members
            .iter()
            .any(|member| member.device == asked.statement().device);
        if known
            || !member
            || asked.statement().verify(chat_id).is_err()
            || chat.unsettled_intents() >= limits::STATEMENTS
        {
            return;
        }
        chat.row.intents.push(IntentRow {
            change: wanted,
            node: None,
        });
        // It may not know this device: then another member helps.
        let again = chat.helped.contains(&asked.statement().device);
        let turns = chat.turn(own) + if again { chat.members.len() } else { 0 };
        let step = turns.min(WISH_STEPS) as u64;
        let due_ms = now_ms.saturating_add(step * WISH_STEP_MS);
        chat.retry_ms = Some(chat.retry_ms.map_or(due_ms, |known| known.min(due_ms)));
        chat.row_dirty = true;
        self.dirty.chats.insert(chat_id);
    }

    /// Makes again what lost, and what others asked for.
    pub(super) fn retry_if_due(&mut self, now_ms: u64, chat_id: ChatId) -> Result<(), RowsError> {
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return Ok(());
        };
        if chat.retry_due_ms().is_none_or(|due| due > now_ms) {
            return Ok(());
        }
        let held = chat.removes_first();
        chat.retry_ms = None;
        self.retry(now_ms, chat_id)?;
        if held {
            self.hand_over_waiting(now_ms, chat_id)?;
        }
        Ok(())
    }

    fn retry(&mut self, now_ms: u64, chat_id: ChatId) -> Result<(), RowsError> {
        if self.commit_intents(now_ms, chat_id, 0)?.is_ok() {
            return Ok(());
        }
        // One of them isn't allowed any more. Each is tried alone, and what can't be made is given up.
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return Ok(());
        };
        let (open, made): (Vec<_>, Vec<_>) = std::mem::take(&mut chat.row.intents)
            .into_iter()
            .partition(|intent| intent.node.is_none());
        chat.row.intents = made;
        chat.row_dirty = true;
        self.dirty.chats.insert(chat_id);
        for intent in open {
            let Some(chat) = self.chats.get_mut(&chat_id) else {
                break;
            };
            let before = chat.row.intents.len();
            chat.row.intents.push(intent);
            if self.commit_intents(now_ms, chat_id, before)?.is_err()
                && let Some(chat) = self.chats.get_mut(&chat_id)
            {
                match chat.row.intents.last_mut().filter(|intent| intent.change.is_own()) {
                    // Another branch may come to count in which it is allowed.
                    Some(intent) => intent.node = Some(chat.group.node()),
                    None => chat.row.intents.truncate(before),
                }
            }
        }
        Ok(())
    }
}

impl Chat {
    /// This device's place among those who may do what a member asked for; the first one changes with each epoch.
    pub(super) fn turn(&self, own: crate::keys::DeviceId) -> usize {
        let count = self.members.len().max(1);
        let place = self.members.iter().position(|member| member.device == own).unwrap_or(0);
        let first = usize::try_from(self.group.epoch() % count as u64).unwrap_or(0);
        (place + count - first) % count
    }
}

fn check_name(name: &str) -> Result<(), CommandError> {
    if name.len() > limits::NAME_BYTES {
        return Err(CommandError::TooLarge {
            field: "name",
            found: name.len(),
            limit: limits::NAME_BYTES,
        });
    }
    Ok(())
}
