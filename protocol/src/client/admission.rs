//! Relays that serve only some: our token, and what becomes of it.

use super::Client;
use super::io::Side;
use crate::custody::{AdmissionToken, ClientFrame, Refusal};
use crate::keys::TransportKey;
use crate::rows::RowsError;
use crate::wire::Wire;

/// Least and greatest milliseconds until a relay that turned us away is told our token again, doubled each time (guess: a relay learns
/// of a new token within seconds; an operator who is asked answers within hours).
const HELLO_MS: (u64, u64) = (6_000, 3_600_000);

impl Client {
    /// Names our token to a relay of our own, before anything else is asked of it.
    pub(super) fn say_hello(&mut self, peer: TransportKey) {
        // Only those of own relays are kept.
        let mut tokens = self.settings.relay_tokens.iter();
        let ours = tokens.find(|(relay, _)| *relay == peer);
        if let Some(token) = ours.and_then(|(_, token)| AdmissionToken::new(token)) {
            self.send(peer, Side::Client, ClientFrame::Hello(token).encode());
        }
    }

    /// Names it again to a relay that turned us away.
    pub(super) fn say_hello_if_due(&mut self, now_ms: u64, peer: TransportKey) {
        let Some(link) = self.links.get_mut(&peer) else {
            return;
        };
        if link.hello_ms.is_some_and(|at| at <= now_ms) {
            link.hello_ms = None;
            self.say_hello(peer);
        }
    }

    /// A relay says whether it serves us as a user.
    pub(super) fn admission(
        &mut self,
        now_ms: u64,
        peer: TransportKey,
        why: Option<Refusal>,
        retry_after_s: u32,
    ) -> Result<(), RowsError> {
        let Some(link) = self.links.get_mut(&peer).filter(|link| link.opened) else {
            return Ok(());
        };
        let was_turned_away = std::mem::replace(&mut link.turned_away, why.is_some());
        link.hello_wait_ms = (2 * link.hello_wait_ms.max(u64::from(retry_after_s) * 500)).clamp(HELLO_MS.0, HELLO_MS.1);
        link.hello_ms = why.map(|_| now_ms.saturating_add(link.hello_wait_ms));
        if was_turned_away && why.is_none() {
            // What it refused to a guest is asked for again.
            link.refused_until_ms = 0;
            link.watched.clear();
            self.refresh_watches(peer);
            self.fill_todo(now_ms, peer);
            self.pump(now_ms, peer)?;
        }
        Ok(())
    }

    /// Whether a relay of our own serves us no more than any guest.
    pub fn is_turned_away(&self, relay: &TransportKey) -> bool {
        self.links
            .get(relay)
            .is_some_and(|link| link.opened && link.turned_away)
    }
}
