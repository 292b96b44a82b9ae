//! Envelopes that build on states which aren't here: they wait for them, and if they wait in vain this device asks to be put back.

use super::Client;
use super::inbound::Taken;
use super::records::key;
use crate::chat::Header;
use crate::custody::Refusal;
use crate::envelope::Envelope;
use crate::keys::{ChatId, EnvelopeId, NodeId};
use crate::limits;
use crate::rows::{RowsError, Tree};
use std::collections::BTreeSet;

/// A waiting envelope.
pub(super) struct Pending {
    pub node: NodeId,
    pub bytes: Vec<u8>,
}

impl Pending {
    /// The epoch of the state that it builds on.
    pub fn epoch(&self) -> Option<u64> {
        let envelope = Envelope::trusted(&self.bytes).ok()?;
        Some(Header::read(envelope.body()).ok()?.epoch)
    }
}

/// Bytes of waiting envelopes for each chat (guess).
const PENDING_BYTES: usize = 4 * 1024 * 1024;
/// How much longer each further try to be put back waits (guess).
const REJOIN_LONGER: u64 = 6;
/// Times that this doubles.
const REJOIN_DOUBLINGS: u32 = 4;
/// Wishes of a device that is alone in its state after which it goes on there (guess).
const ALONE_ASKS: u32 = 2;

impl Client {
    /// Keeps an envelope whose state isn't here yet.
    pub(super) fn keep_pending(&mut self, chat_id: ChatId, node: NodeId, envelope: &Envelope) -> Taken {
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return Taken::Refused(Refusal::NotHere);
        };
        if chat.pending.contains_key(&envelope.id()) {
            return Taken::Yes;
        }
        let bytes = envelope.bytes();
        if chat.pending.len() >= limits::PENDING_PER_CHAT || chat.pending_bytes + bytes.len() > PENDING_BYTES {
            chat.refetch = true;
            return Taken::Refused(Refusal::Busy);
        }
        let mut row = node.0.to_vec();
        row.extend_from_slice(bytes);
        chat.pending_bytes += bytes.len();
        chat.pending.insert(
            envelope.id(),
            Pending {
                node,
                bytes: bytes.to_vec(),
            },
        );
        let due_ms = self.last_ms.saturating_add(self.config.rejoin_ms);
        chat.rejoin_ms.get_or_insert(due_ms);
        self.hurry_spare(self.last_ms, chat_id);
        self.put(Tree::Pending, key::pending(&chat_id, &envelope.id()), row);
        Taken::Yes
    }

    /// Takes the waiting envelopes that build on a state.
    pub(super) fn take_pending(&mut self, now_ms: u64, chat_id: ChatId, node: NodeId) -> Result<(), RowsError> {
        for bytes in self.unpend(chat_id, |_, waiting| waiting.node == node) {
            if let Ok(waiting) = Envelope::trusted(&bytes) {
                self.chat_envelope(now_ms, chat_id, &waiting)?;
            }
        }
        Ok(())
    }

    /// Drops waiting envelopes that build on what was settled otherwise.
    pub(super) fn drop_stale_pending(&mut self, now_ms: u64, chat_id: ChatId) -> Result<(), RowsError> {
        let Some(chat) = self.chats.get(&chat_id) else {
            return Ok(());
        };
        // A commit whose state is here waits for its turn.
        let kept = chat.kept_nodes();
        let hopeless = |waiting: &Pending| {
            let header = Envelope::trusted(&waiting.bytes).map(|envelope| Header::read(envelope.body()));
            !matches!(header, Ok(Ok(header)) if !chat.is_hopeless(&header))
        };
        let waiting = chat.pending.iter();
        let gone: BTreeSet<EnvelopeId> = waiting
            .filter(|(_, waiting)| !kept.contains(&waiting.node) && hopeless(waiting))
            .map(|(id, _)| *id)
            .collect();
        for bytes in self.unpend(chat_id, |id, _| gone.contains(id)) {
            let envelope = Envelope::trusted(&bytes).ok();
            let header = envelope.as_ref().map(|envelope| Header::read(envelope.body()));
            if let (Some(envelope), Some(Ok(header))) = (&envelope, header) {
                self.tell_gone_on(now_ms, chat_id, envelope.topic(), &header)?;
            }
        }
        Ok(())
    }

    pub(super) fn unpend(&mut self, chat_id: ChatId, which: impl Fn(&EnvelopeId, &Pending) -> bool) -> Vec<Vec<u8>> {
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return Vec::new();
        };
        let ready: Vec<(EnvelopeId, Pending)> = chat.pending.extract_if(.., |id, waiting| which(id, waiting)).collect();
        let mut taken = Vec::new();
        for (id, waiting) in ready {
            chat.pending_bytes -= waiting.bytes.len();
            taken.push(waiting.bytes);
            self.step.batch.delete(Tree::Pending, key::pending(&chat_id, &id));
        }
        taken
    }

    /// Takes the waiting envelopes whose states are here.
    pub(super) fn take_all_pending(&mut self, now_ms: u64, chat_id: ChatId) -> Result<(), RowsError> {
        let Some(chat) = self.chats.get(&chat_id) else {
            return Ok(());
        };
        let known: BTreeSet<NodeId> = chat.row.nodes.iter().map(|known| known.node).collect();
        for node in known {
            self.take_pending(now_ms, chat_id, node)?;
        }
        self.drop_stale_pending(now_ms, chat_id)
    }

    /// A device that is alone in its state has asked in vain: those of whom it has heard have left, or there was nobody. What comes later makes it
    /// ask again.
    fn gives_up(&mut self, chat_id: ChatId) -> bool {
        let own = self.device_in(&chat_id);
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return false;
        };
        let alone = chat.row.lost && chat.others(own).next().is_none();
        // Where it knows the state that the others are said to be in, its own counts: whoever said so may not have known that yet.
        let elsewhere = chat.said_gone.as_ref().is_some_and(|said| !chat.has_been(&said.at));
        if !alone || chat.asks < ALONE_ASKS || chat.row.copied.is_some() || elsewhere || chat.is_put_aside() {
            return false;
        }
        chat.said_gone = None;
        (chat.row.lost, chat.asks, chat.rejoin_ms) = (false, 0, None);
        chat.row_dirty = true;
        self.dirty.chats.insert(chat_id);
        self.unpend(chat_id, |_, _| true);
        self.drop_wishes(chat_id);
        true
    }

    /// Asks to be put back once what came builds on states that don't come, and again until it is; takes a Welcome at hand before.
    pub(super) fn rejoin_if_due(&mut self, now_ms: u64, chat_id: ChatId) -> Result<(), RowsError> {
        let own = self.device_in(&chat_id);
        let wait_ms = self.config.rejoin_ms;
        let reachable = self.reachable(&chat_id);
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return Ok(());
        };
        if chat.stays() {
            self.dirty.chats.insert(chat_id);
        }
        let waits = !chat.pending.is_empty()
            || chat.row.copied.is_some()
            || chat.is_put_aside()
            || chat.is_diverged(own)
            || chat.is_deserted(own)
            || chat.is_member() && (chat.is_left_behind() || chat.yields(own))
            || chat.asks_though_removed()
            || chat.row.lost && !chat.is_removed();
        let spare = chat.has_spare();
        if !waits && !spare {
            chat.rejoin_ms = None;
            if !chat.row.lost && std::mem::take(&mut chat.asks) > 0 {
                self.drop_wishes(chat_id);
            }
            return Ok(());
        }
        let due_ms = *chat.rejoin_ms.get_or_insert(now_ms.saturating_add(wait_ms));
        if due_ms > now_ms {
            return Ok(());
        }
        if spare && self.take_spare(now_ms, chat_id)? || !waits {
            return Ok(());
        }
        if self.gives_up(chat_id) {
            return Ok(());
        }
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return Ok(());
        };
        // Each try waits longer: what builds on states that nobody has may be made up.
        let longer = match chat.asks.checked_sub(1) {
            Some(again) => wait_ms.saturating_mul(REJOIN_LONGER << again.min(REJOIN_DOUBLINGS)),
            None => wait_ms,
        };
        chat.rejoin_ms = Some(now_ms.saturating_add(longer));
        if reachable {
            self.ask_rejoin(now_ms, chat_id)
        } else {
            Ok(())
        }
    }
}
