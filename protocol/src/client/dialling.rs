//! Dialling: who is tried when.

use super::Client;
use super::io::Effect;
use super::links::Link;
use crate::keys::TransportKey;
use crate::rows::RowsError;

/// The first wait for a device that a relay serves, as a share of the longest (guess: four dials until the longest, and a link that was
/// cut on both sides is back within a minute).
const SERVED_SHARE: u64 = 8;

impl Client {
    /// Dials a peer that is wanted and whose time has come.
    pub(super) fn dial_if_due(&mut self, now_ms: u64, peer: TransportKey) {
        let waits = |link: &Link| !link.connected && !link.dialing && link.wanted() && !link.address.addrs.is_empty();
        if !self.links.get(&peer).is_some_and(waits) {
            return;
        }
        let (_, most) = self.back_off_range(peer);
        let Some(link) = self.links.get_mut(&peer) else {
            return;
        };
        // A clock that jumped back must not leave the next dial far in the future.
        link.retry_at_ms = link.retry_at_ms.min(now_ms.saturating_add(most));
        if link.retry_at_ms > now_ms {
            return;
        }
        link.dialing = true;
        let address = link.address.clone();
        self.step.effects.push(Effect::Dial(address));
    }

    /// The least and the most that a peer which isn't there waits to be dialled again, in milliseconds. A device that a relay serves
    /// beside us can wait: what is sent goes by the relay, and when it comes back it dials us.
    pub(super) fn back_off_range(&self, peer: TransportKey) -> (u64, u64) {
        let (least, most) = self.config.dial_backoff_ms;
        let Some(link) = self.links.get(&peer).filter(|link| !link.relay) else {
            return (least, most);
        };
        let theirs = link.accounts.iter().filter_map(|account| self.contacts.get(account));
        let mut relays = theirs
            .flat_map(|contact| &contact.relays)
            .chain(&self.settings.relays)
            .filter_map(|relay| self.links.get(&relay.key));
        if relays.any(|relay| relay.relay && relay.opened) {
            let device = self.config.device_backoff_ms;
            (least.max(device / SERVED_SHARE), most.max(device))
        } else {
            (least, most)
        }
    }

    pub(super) fn dial_failed(&mut self, now_ms: u64, peer: TransportKey) -> Result<(), RowsError> {
        let jitter = self.crypto.random_u64();
        let range = self.back_off_range(peer);
        if let Some(link) = self.links.get_mut(&peer) {
            link.dialing = false;
            link.backoff_ms = link.backoff_ms.clamp(range.0, range.1);
            link.back_off(now_ms, jitter, range);
        }
        // Of followers others take its place.
        self.mesh_gone(now_ms, peer, false)
    }
}

impl Link {
    /// Waits between half and all of the back-off, which doubles.
    pub(super) fn back_off(&mut self, now_ms: u64, jitter: u64, (least, most): (u64, u64)) {
        let half = self.backoff_ms / 2;
        self.retry_at_ms = now_ms.saturating_add(half + jitter % half.max(1));
        self.backoff_ms = self.backoff_ms.saturating_mul(2).clamp(least, most);
    }
}
