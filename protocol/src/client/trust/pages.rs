//! What relays push, as honest ones do: what is valid, in ascending positions, with an end, and our own deposits among it.

use super::super::Client;
use super::super::outbox::OutWhat;
use super::{Fault, Proof};
use crate::custody::Items;
use crate::envelope::Envelope;
use crate::keys::TransportKey;
use crate::limits;
use crate::rows::RowsError;

/// What came of a topic on a stream.
#[derive(Default)]
pub(in crate::client) struct Pushed {
    /// The last position.
    position: u64,
    /// Envelopes, until the relay said that there are no more.
    items: usize,
    /// How often it was asked to begin anew and hasn't yet: what was on its way before comes first.
    restarts: u32,
}

impl Pushed {
    /// The topic is watched again, from an earlier place.
    pub fn restart(&mut self) {
        self.items = 0;
        self.restarts = self.restarts.saturating_add(1);
    }
}

impl Client {
    /// A custodian sent what no honest one sends; a relay's word counts less for it.
    pub(in crate::client) fn junk(
        &mut self,
        now_ms: u64,
        peer: TransportKey,
        answer: &str,
        frame: &[u8],
    ) -> Result<(), RowsError> {
        if self.links.get(&peer).is_none_or(|link| !link.relay) {
            return Ok(());
        }
        let proof = Proof {
            answer: answer.into(),
            frame,
            ..Proof::default()
        };
        self.fault(now_ms, peer, Fault::Junk, &proof)
    }

    /// Whether a relay's page is one that an honest relay sends: positions ascend, and a topic has an end.
    pub(in crate::client) fn judge_page(
        &mut self,
        now_ms: u64,
        peer: TransportKey,
        page: &Items,
        frame: &[u8],
    ) -> Result<(), RowsError> {
        let Some(link) = self.links.get_mut(&peer) else {
            return Ok(());
        };
        let pushed = link.pushed.entry(page.topic).or_default();
        if page.void {
            *pushed = Pushed::default();
        }
        let begins_anew = page.items.first().is_some_and(|item| item.position <= pushed.position);
        if begins_anew && pushed.restarts > 0 {
            pushed.restarts -= 1;
            pushed.position = 0;
        }
        let mut ascends = true;
        for item in &page.items {
            ascends &= item.position > pushed.position;
            pushed.position = pushed.position.max(item.position);
        }
        pushed.items = if page.caught_up {
            0
        } else {
            pushed.items + page.items.len().max(1)
        };
        let endless = pushed.items > limits::TOPIC_ITEMS;
        if endless {
            pushed.items = 0;
        }
        if !ascends {
            self.junk(
                now_ms,
                peer,
                "it pushed positions of a topic again, or out of order",
                frame,
            )?;
        }
        if endless {
            let proof = Proof {
                topic: Some(page.topic),
                answer: format!("{} envelopes of one topic, and no end", limits::TOPIC_ITEMS),
                frame,
                ..Proof::default()
            };
            self.fault(now_ms, peer, Fault::Endless, &proof)?;
        }
        Ok(())
    }

    /// An own deposit came back from a relay.
    pub(in crate::client) fn note_echo(&mut self, peer: TransportKey, envelope: &[u8]) {
        if self.outs.is_empty() && self.links.get(&peer).is_none_or(|link| !link.audit.awaits_echoes()) {
            return;
        }
        let Ok((_, id)) = Envelope::peek(envelope) else {
            return;
        };
        if let Some(link) = self.links.get_mut(&peer) {
            link.audit.came(&id);
        }
        let Some(number) = self.out_ids.get(&id).copied() else {
            return;
        };
        if let Some(out) = self.outs.get_mut(&number) {
            out.echoed.insert(peer);
            if matches!(out.what, OutWhat::Report(_)) && out.held.contains_key(&peer) {
                self.report_told(number);
            }
        }
    }
}
