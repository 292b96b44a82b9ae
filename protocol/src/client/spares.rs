//! Welcomes that came while the chat had another state that was alive. One a chat is kept: if what the others write builds on states
//! that aren't here, or if its maker writes nothing in the state at hand, that may be of a branch that lost, and this is the way out of
//! it (FAULTS 40).

use super::chats::Chat;
use super::records::{decode, encode};
use super::{Client, LoadError, array};
use crate::inbox::{GroupWelcome, InboxMessage};
use crate::keys::{AccountId, ChatId, NodeId};
use crate::limits;
use crate::rows::{Rows, RowsError, Tree};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

/// A Welcome that waits.
pub(super) struct Spare {
    account: AccountId,
    welcome: GroupWelcome,
    epoch: u64,
    /// Its maker has written in the state at hand since: as long as this device is a member there, it leads nowhere.
    refuted: bool,
}

/// A Welcome that waits, as it is kept.
#[derive(Serialize, Deserialize)]
struct SpareRow {
    account: AccountId,
    epoch: u64,
    message: ByteBuf,
    #[serde(default)]
    refuted: bool,
}

impl Spare {
    fn row(&self) -> Result<Vec<u8>, RowsError> {
        let message = InboxMessage::Welcome(self.welcome.clone()).encode();
        encode(&SpareRow {
            account: self.account,
            epoch: self.epoch,
            message: ByteBuf::from(message),
            refuted: self.refuted,
        })
    }
}

impl Client {
    pub(super) fn load_spares(&mut self, rows: &dyn Rows) -> Result<(), LoadError> {
        for (stored, value) in rows.prefix(Tree::SpareWelcomes, &[], usize::MAX)? {
            let row: SpareRow = decode(&value)?;
            let chat = array(&stored, 0).and_then(|id| self.chats.get_mut(&ChatId(id)));
            match (chat, InboxMessage::decode(&row.message)) {
                (Some(chat), Ok(Some(InboxMessage::Welcome(welcome)))) => {
                    chat.spare = Some(Spare {
                        account: row.account,
                        welcome,
                        epoch: row.epoch,
                        refuted: row.refuted,
                    });
                }
                _ => self.step.batch.delete(Tree::SpareWelcomes, stored),
            }
        }
        Ok(())
    }

    /// Keeps a Welcome to a state that isn't here; a later one takes its place, but not a stranger's that of a member, unless that one
    /// is refuted.
    pub(super) fn keep_spare(
        &mut self,
        now_ms: u64,
        account: AccountId,
        welcome: &GroupWelcome,
        epoch: u64,
    ) -> Result<(), RowsError> {
        let Some(chat) = self.chats.get_mut(&welcome.chat) else {
            return Ok(());
        };
        let before = |known: &Spare| match (chat.is_of(&known.account), chat.is_of(&account)) {
            _ if known.refuted => false,
            (true, false) => true,
            (false, true) => false,
            _ => known.epoch > epoch,
        };
        let late = chat.dag.contains(&welcome.node) || chat.spare.as_ref().is_some_and(before);
        if late || epoch < chat.root_epoch() || welcome.welcome.len() > limits::SPARE_BYTES {
            return Ok(());
        }
        let spare = Spare {
            account,
            welcome: welcome.clone(),
            epoch,
            refuted: false,
        };
        let row = spare.row()?;
        chat.spare = Some(spare);
        self.put(Tree::SpareWelcomes, welcome.chat.0, row);
        self.hurry_spare(now_ms, welcome.chat);
        Ok(())
    }

    /// With a Welcome at hand nothing waits for its state for long.
    pub(super) fn hurry_spare(&mut self, now_ms: u64, chat_id: ChatId) {
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return;
        };
        if chat.has_spare() && !chat.pending.is_empty() {
            let due_ms = now_ms.saturating_add(limits::SPARE_MS);
            chat.rejoin_ms = Some(chat.rejoin_ms.map_or(due_ms, |known| known.min(due_ms)));
        }
    }

    /// Goes on from the Welcome at hand; false if there is none that leads anywhere.
    pub(super) fn take_spare(&mut self, now_ms: u64, chat_id: ChatId) -> Result<bool, RowsError> {
        let root = self.chats.get(&chat_id).map_or(0, Chat::root_epoch);
        let Some(spare) = self.drop_spare(chat_id).filter(|spare| spare.epoch >= root) else {
            return Ok(false);
        };
        let Ok(opened) = self.join_group(spare.account, &spare.welcome) else {
            return Ok(false);
        };
        self.enter(now_ms, &spare.welcome, opened)?;
        self.package_served(now_ms, spare.account, chat_id)?;
        Ok(true)
    }

    /// Whoever made the Welcome at hand writes in the state at hand: it is the Welcome that leads nowhere. But it may have been written
    /// before; once this device is removed there it is the way back.
    pub(super) fn spare_refuted(&mut self, chat_id: ChatId, author: AccountId, node: NodeId) -> Result<(), RowsError> {
        let chat = self.chats.get_mut(&chat_id).filter(|chat| chat.group.node() == node);
        let spare = chat.and_then(|chat| chat.spare.as_mut());
        let Some(spare) = spare.filter(|spare| spare.account == author && !spare.refuted) else {
            return Ok(());
        };
        spare.refuted = true;
        let row = spare.row()?;
        self.put(Tree::SpareWelcomes, chat_id.0, row);
        Ok(())
    }

    /// This device has gone on from another Welcome. If that was no answer to a wish it may be older than the one at hand.
    pub(super) fn drop_spare_if_older(&mut self, chat_id: ChatId, asked: bool) {
        let chat = self.chats.get(&chat_id);
        let later = chat.is_some_and(|chat| {
            chat.spare
                .as_ref()
                .is_some_and(|spare| chat.is_outlived_by(spare.epoch))
        });
        if asked || !later {
            self.drop_spare(chat_id);
        }
    }

    fn drop_spare(&mut self, chat_id: ChatId) -> Option<Spare> {
        let spare = self.chats.get_mut(&chat_id)?.spare.take()?;
        self.step.batch.delete(Tree::SpareWelcomes, chat_id.0);
        Some(spare)
    }
}

impl Chat {
    /// Whether an account is a member in the state that counts.
    pub(super) fn is_of(&self, account: &AccountId) -> bool {
        self.row.accounts.contains(account)
    }

    /// Whether an epoch comes after that of the state that counts.
    pub(super) fn is_outlived_by(&self, epoch: u64) -> bool {
        epoch > self.tip_epoch()
    }

    /// Whether the Welcome at hand is one that this device may go on from: while it is a member only another member's, who may have made
    /// it on a branch that counts elsewhere; after its removal whoever's, if it is of a later state.
    pub(super) fn has_spare(&self) -> bool {
        self.spare.as_ref().is_some_and(|spare| {
            if self.is_removed() {
                self.is_outlived_by(spare.epoch)
            } else {
                self.is_of(&spare.account) && !spare.refuted
            }
        })
    }
}
