//! Who types: told to whoever is connected now, kept by nobody, and seldom (FAULTS 25).

use super::io::{CommandError, Reply, Side};
use super::outbox::Sealing;
use super::{Client, EventRow};
use crate::chat::Member;
use crate::custody::{ClientFrame, Deposit};
use crate::keys::{ChatId, DeviceId, TransportKey};
use crate::limits;
use crate::message::extensions;
use crate::rows::RowsError;
use crate::wire::Wire;
use std::collections::BTreeMap;

/// When a device last said that it types, and whether it has stopped since.
pub(super) type Typing = BTreeMap<DeviceId, (u64, bool)>;

/// Notes what a device says; false if it says so too often.
fn note(known: &mut Typing, device: DeviceId, now_ms: u64, active: bool, least_ms: u64) -> bool {
    let before = known.get(&device).copied();
    // A clock that was turned back holds nothing up.
    let soon = |at_ms: u64| at_ms <= now_ms && now_ms - at_ms < least_ms;
    let new = match before {
        Some((at_ms, _)) if active => !soon(at_ms),
        // Of stopping there is one for each beginning.
        Some((_, was_active)) => was_active,
        None => active,
    };
    if new {
        let at_ms = if active {
            now_ms
        } else {
            before.map_or(now_ms, |(at_ms, _)| at_ms)
        };
        known.insert(device, (at_ms, active));
    }
    new
}

impl Client {
    /// Tells the members who are connected that the user types, or has stopped. What comes too soon after the last is left out.
    pub(super) fn type_in(&mut self, now_ms: u64, chat_id: ChatId, active: bool) -> Result<Reply, CommandError> {
        let own = self.device_in(&chat_id);
        let Some(chat) = self.chats.get(&chat_id) else {
            return Err(CommandError::NotFound { field: "chat" });
        };
        if !chat.is_member() {
            return Err(CommandError::NotAllowed {
                reason: "this account is no member of the chat any more",
            });
        }
        let topic = chat.row.topic.public();
        let gossips = self.is_gossiped(&topic);
        let serves = |link: &super::Link| link.opened && !link.relay && !chat.row.requested && link.serves(chat);
        let devices: Vec<TransportKey> = self
            .links
            .iter()
            .filter(|(_, link)| serves(link))
            .map(|(peer, _)| *peer)
            .collect();
        if (!gossips && devices.is_empty()) || !chat.may_seal() {
            return Ok(Reply::Done);
        }
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return Ok(Reply::Done);
        };
        if !note(&mut chat.typing, own, now_ms, active, limits::TYPING_MS) {
            return Ok(Reply::Done);
        }
        let Some(envelope) = self.seal_inner(chat_id, Sealing::Note(extensions::typing(active)))? else {
            return Ok(Reply::Done);
        };
        self.recent.insert(envelope.id());
        if gossips {
            let bytes = envelope.bytes().to_vec();
            self.step.effects.push(super::Effect::Publish { topic, bytes });
            return Ok(Reply::Done);
        }
        for peer in devices {
            let Some(link) = self.links.get_mut(&peer) else {
                continue;
            };
            // Nobody looks after it: the receipt is for nothing that is in flight.
            let request = link.request();
            let envelopes = vec![envelope.bytes().to_vec()];
            let frame = ClientFrame::Deposit(Deposit { request, envelopes }).encode();
            self.send(peer, Side::Client, frame);
        }
        Ok(Reply::Done)
    }

    /// A member's device says that its user types, or has stopped.
    pub(super) fn types(
        &mut self,
        now_ms: u64,
        chat_id: ChatId,
        member: &Member,
        active: bool,
    ) -> Result<(), RowsError> {
        if member.account == self.account_in(&chat_id) {
            return Ok(());
        }
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return Ok(());
        };
        // The way may be faster for the second of two.
        if !note(
            &mut chat.typing,
            member.device,
            now_ms,
            active,
            limits::TYPING_MS * 4 / 5,
        ) {
            return Ok(());
        }
        self.event(&EventRow::Typing {
            chat: chat_id,
            account: member.account,
            device: member.device,
            active,
            at_ms: now_ms,
        });
        Ok(())
    }
}
