//! Silent divergence: who shares a chat's state by name, but not what is in it, notices and asks to be put back (FAULTS 47; spec/chat.md,
//! section 11).

use super::Client;
use super::chats::Chat;
use crate::chat::{Header, Member};
use crate::keys::{ChatId, DeviceId, NodeId};
use crate::limits;
use crate::message::extensions::StateSummary;
use std::collections::BTreeMap;

/// What others say of the state that counts here.
#[derive(Default)]
pub(super) struct Doubts {
    /// The state that it is about.
    node: Option<NodeId>,
    /// By device: whether it has the state as it is here.
    agree: BTreeMap<DeviceId, bool>,
    /// Envelopes on it that didn't open since the last that did, though nothing is wrong with their place.
    unread: usize,
}

impl Doubts {
    fn about(&mut self, node: NodeId) -> &mut Self {
        if self.node != Some(node) {
            *self = Self {
                node: Some(node),
                ..Self::default()
            };
        }
        self
    }

    /// Whether the state here is the odd one. Where it is one against one, one of the two yields: the one with the lower id.
    fn is_odd(&self, own: DeviceId) -> bool {
        let against = self.agree.values().filter(|agree| !**agree).count();
        let with = 1 + self.agree.len() - against;
        let lowest = self
            .agree
            .iter()
            .filter(|(_, agree)| !**agree)
            .all(|(device, _)| own < *device);
        self.unread >= limits::UNREAD_IN_A_ROW || against > with || (against == with && lowest)
    }
}

impl Chat {
    /// Whether what others say speaks against the state that counts here.
    pub fn is_diverged(&self, own: DeviceId) -> bool {
        self.doubts.node == Some(self.group.node()) && self.doubts.is_odd(own)
    }

    /// A short form of the authenticator of the state that counts here.
    pub fn summary(&self) -> StateSummary {
        let authenticator = self.group.authenticator();
        authenticator.first_chunk().copied().unwrap_or_default()
    }
}

impl Client {
    /// A member says what it has of a state.
    pub(super) fn compare_state(
        &mut self,
        now_ms: u64,
        chat_id: ChatId,
        member: &Member,
        node: NodeId,
        told: StateSummary,
    ) {
        let Some(chat) = self.chats.get_mut(&chat_id).filter(|chat| chat.group.node() == node) else {
            return;
        };
        let agrees = chat.summary() == told;
        let doubts = chat.doubts.about(node);
        doubts.agree.insert(member.device, agrees);
        self.doubt(now_ms, chat_id);
    }

    /// Something on a state was opened, or wasn't though it should have been.
    pub(super) fn note_opened(&mut self, now_ms: u64, chat_id: ChatId, node: NodeId, opened: bool) {
        let Some(chat) = self.chats.get_mut(&chat_id).filter(|chat| chat.group.node() == node) else {
            return;
        };
        let doubts = chat.doubts.about(node);
        doubts.unread = if opened { 0 } else { doubts.unread + 1 };
        if !opened {
            self.doubt(now_ms, chat_id);
        }
    }

    /// Something came that builds on a state before the oldest one here, and none that was on the way to it as far as this device knows.
    /// Old envelopes come again by a relay that lost its place; but where nothing else comes, the others have gone another way.
    pub(super) fn note_elsewhere(&mut self, now_ms: u64, chat_id: ChatId, header: &Header) {
        let Some(chat) = self.chats.get(&chat_id) else {
            return;
        };
        let tip = chat.group.node();
        if header.epoch < chat.root_epoch() && !chat.dag.contains(&header.node) {
            self.note_opened(now_ms, chat_id, tip, false);
        }
    }

    fn doubt(&mut self, now_ms: u64, chat_id: ChatId) {
        let (own, wait_ms) = (self.device(), self.config.rejoin_ms);
        if let Some(chat) = self.chats.get_mut(&chat_id).filter(|chat| chat.is_diverged(own)) {
            // What comes meanwhile may show that it was a mistake.
            chat.rejoin_ms.get_or_insert(now_ms.saturating_add(wait_ms));
        }
    }
}
