//! The schedule of leaf updates.

use super::Client;
use super::chats::Chat;
use crate::chat::{GroupError, Plan};
use crate::keys::ChatId;
use crate::rows::RowsError;

/// Milliseconds on a link before a device commits unasked (guess: a backlog's first pages are there by then).
const CATCH_UP_MS: u64 = 10_000;
/// Milliseconds that each member in turn waits before it commits unasked (guess: some round trips).
const LEAF_STEP_MS: u64 = 2_000;

impl Client {
    /// Renews this device's leaf when it is due, so that a stolen state heals.
    pub(super) fn update_leaf_if_due(&mut self, now_ms: u64, chat_id: ChatId) -> Result<(), RowsError> {
        let Some(chat) = self.chats.get(&chat_id) else {
            return Ok(());
        };
        if self.leaf_due_ms(chat).is_none_or(|due| due > now_ms) {
            return Ok(());
        }
        match self.make_commit(now_ms, chat_id, &Plan::default())? {
            // It has made too many commits on this state: it is done with a later one.
            Ok(_) | Err(GroupError::Node) => Ok(()),
            Err(error) => Err(RowsError {
                reason: error.to_string(),
            }),
        }
    }

    /// When the leaf is to be renewed: members of one chat at different times, so that they seldom do at once; never while a commit of
    /// ours isn't known to all, so that a chat that is apart forks by a few commits only.
    pub(super) fn leaf_due_ms(&self, chat: &Chat) -> Option<u64> {
        // Whoever has asked to leave has named its leaf.
        if chat.row.requested
            || !chat.may_commit()
            || !chat.is_member()
            || self.is_unheard(chat)
            || chat.row.leaving.is_some()
        {
            return None;
        }
        let turn_ms = self.leaf_turn_ms(chat);
        if chat.row.leaf_update_due {
            return Some(turn_ms);
        }
        // Whoever was away may have missed commits: it hears first what there is.
        let serving = self.links.values().filter(|link| link.opened && link.serves(chat));
        let heard_ms = serving.map(|link| link.opened_ms.saturating_add(CATCH_UP_MS)).min()?;
        let interval = self.config.leaf_update_ms;
        let [a, b, ..] = chat.row.incarnation.to_be_bytes();
        let jitter = interval / 4 * u64::from(u16::from_be_bytes([a, b])) / u64::from(u16::MAX);
        let least = interval - interval / 8;
        Some(
            chat.row
                .leaf_updated_ms
                .saturating_add(least)
                .saturating_add(jitter)
                .max(heard_ms)
                .max(turn_ms),
        )
    }

    /// When it is this device's turn to commit unasked in a group, after what was committed last: where many are due at once, after a relay's
    /// absence or because they were added together, one does after the other.
    fn leaf_turn_ms(&self, chat: &Chat) -> u64 {
        if chat.members.len() <= 2 {
            return 0;
        }
        let newest_ms = chat.row.nodes.iter().map(|known| known.since_ms).max().unwrap_or(0);
        let serving = self.links.values().filter(|link| link.opened && link.serves(chat));
        let there_ms = serving.map(|link| link.opened_ms).min().unwrap_or(0);
        let turn = chat.turn(self.device_in(&chat.id)) as u64;
        newest_ms
            .max(there_ms)
            .saturating_add(turn.saturating_mul(LEAF_STEP_MS))
    }

    /// Whether members haven't all heard of a commit of ours.
    fn is_unheard(&self, chat: &Chat) -> bool {
        let own = self.device_in(&chat.id);
        let commits = chat.commits.iter().filter_map(|number| self.outs.get(number));
        commits
            .filter_map(|out| out.what.commit())
            .any(|(_, node)| !chat.is_settled(&node) && !chat.is_known(own, &node))
    }
}
