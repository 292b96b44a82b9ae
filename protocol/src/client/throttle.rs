//! Floods of commits: what one device commits faster than people would waits for its turn. It is taken later, never left out, so which
//! branch counts doesn't depend on it (FAULTS 48).

use super::Client;
use super::chats::Chat;
use super::inbound::Taken;
use crate::envelope::Envelope;
use crate::keys::{ChatId, DeviceId, EnvelopeId, NodeId};
use crate::limits;
use crate::rows::RowsError;
use std::collections::{BTreeMap, BTreeSet};

/// Waiting commits that one turn tries: each costs as much as taking one.
const TRIED: usize = 8;

/// How many commits of each device were taken lately.
#[derive(Default)]
pub(super) struct Throttle {
    used: BTreeMap<DeviceId, (u64, u64)>,
    /// When waiting commits are tried again.
    pub due_ms: Option<u64>,
    /// Where the next turn goes on among what waits.
    from: Option<EnvelopeId>,
}

impl Throttle {
    /// Takes one of a device's share, which grows by one each `interval_ms`; or says when there is one.
    fn take(&mut self, now_ms: u64, device: DeviceId, interval_ms: u64) -> Result<(), u64> {
        let (used, since_ms) = self.used.entry(device).or_insert((0, now_ms));
        // A clock that was turned back begins anew.
        *since_ms = (*since_ms).min(now_ms);
        let grown = (now_ms - *since_ms) / interval_ms;
        *used = used.saturating_sub(grown);
        *since_ms = since_ms.saturating_add(grown.saturating_mul(interval_ms));
        if *used >= limits::COMMIT_BURST {
            return Err(since_ms.saturating_add(interval_ms));
        }
        *used += 1;
        Ok(())
    }
}

impl Chat {
    /// Forgets the shares of those who aren't members any more, and who types.
    pub fn forget_shares(&mut self) {
        let members: BTreeSet<DeviceId> = self.members.iter().map(|member| member.device).collect();
        self.throttle.used.retain(|device, _| members.contains(device));
        self.typing.retain(|device, _| members.contains(device));
    }
}

impl Client {
    /// Whether a commit of a device may be taken now. If not, its envelope waits with those of states to come; a commit that came as a blob
    /// is fetched again.
    pub(super) fn commit_in_turn(
        &mut self,
        now_ms: u64,
        chat_id: ChatId,
        author: DeviceId,
        parent: NodeId,
        envelope: Option<&Envelope>,
    ) -> Result<(), Taken> {
        // Where devices are made to renew their leaves faster, they may.
        let interval_ms = limits::COMMIT_INTERVAL_MS.min(self.config.leaf_update_ms / 2).max(1);
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return Ok(());
        };
        let Err(due_ms) = chat.throttle.take(now_ms, author, interval_ms) else {
            return Ok(());
        };
        chat.throttle.due_ms = Some(chat.throttle.due_ms.map_or(due_ms, |known| known.min(due_ms)));
        match envelope {
            Some(envelope) => Err(self.keep_pending(chat_id, parent, envelope)),
            None => {
                chat.refetch = true;
                Err(Taken::Yes)
            }
        }
    }

    /// Tries some of the commits that wait for their turn.
    pub(super) fn take_turn_if_due(&mut self, now_ms: u64, chat_id: ChatId) -> Result<(), RowsError> {
        let rejoin_ms = now_ms.saturating_add(self.config.rejoin_ms);
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return Ok(());
        };
        if chat.throttle.due_ms.is_none_or(|due_ms| due_ms > now_ms) {
            return Ok(());
        }
        chat.throttle.due_ms = None;
        // What builds on a commit that waits here needn't be asked for elsewhere.
        chat.rejoin_ms = chat.rejoin_ms.map(|due_ms| due_ms.max(rejoin_ms));
        let known = chat.kept_nodes();
        let ready: Vec<EnvelopeId> = chat
            .pending
            .iter()
            .filter(|(_, waiting)| known.contains(&waiting.node))
            .map(|(id, _)| *id)
            .collect();
        let begin = ready.partition_point(|id| chat.throttle.from.is_some_and(|from| *id <= from));
        let chosen: BTreeSet<EnvelopeId> = ready
            .iter()
            .cycle()
            .skip(begin)
            .take(TRIED.min(ready.len()))
            .copied()
            .collect();
        chat.throttle.from = ready
            .iter()
            .cycle()
            .skip(begin)
            .take(TRIED.min(ready.len()))
            .last()
            .copied();
        for bytes in self.unpend(chat_id, |id, _| chosen.contains(id)) {
            if let Ok(waiting) = Envelope::trusted(&bytes) {
                self.chat_envelope(now_ms, chat_id, &waiting)?;
            }
        }
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return Ok(());
        };
        if ready.len() > chosen.len() {
            chat.throttle
                .due_ms
                .get_or_insert(now_ms.saturating_add(limits::COMMIT_INTERVAL_MS));
        }
        self.refetch_if_room(now_ms, chat_id)
    }
}
