//! What peers did wrong, weighed and forgiven over time.

use std::collections::HashMap;
use std::time::Instant;

use super::PeerKey;
use super::limits::{BAN_POINTS, REMEMBERED_OFFENDERS};

/// Something a peer must not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Offence {
    /// Announced a frame over the limit.
    OversizeFrame,
    /// Began a frame and let it lie; a broken line does so too.
    StalledFrame,
    /// Replaced its stream while the old one lived, on the only connection; a lost acknowledgement does so too.
    ReplacedStream,
    /// Opened its stream again after the old one had ended. That is its right, but tells as well that it may have lived before.
    ReopenedStream,
    /// Sent gossip that the core rejected.
    RejectedGossip,
    /// Subscribed to more topics than it may, or changed its mind too often.
    SubscriptionFlood,
    /// Fell below the score at which gossipsub ignores it: GRAFT floods, broken IHAVE promises.
    Graylisted,
    /// Did something wrong that the core saw.
    Reported,
}

impl Offence {
    /// Its weight; a ban comes at [`BAN_POINTS`] (guess).
    fn points(self) -> f64 {
        match self {
            Self::ReopenedStream => 0.0,
            Self::ReplacedStream => 5.0,
            Self::StalledFrame | Self::RejectedGossip => 10.0,
            Self::Reported => 25.0,
            Self::OversizeFrame => 50.0,
            Self::SubscriptionFlood | Self::Graylisted => 100.0,
        }
    }
}

/// The offenders.
#[derive(Default)]
pub(super) struct Penalties(HashMap<PeerKey, (f64, Instant)>);

impl Penalties {
    /// Adds an offence and says whether the peer is to be banned, upon which it starts anew.
    pub(super) fn add(&mut self, peer: PeerKey, offence: Offence, now: Instant) -> bool {
        let points = self.0.get(&peer).map_or(0.0, |entry| current(entry, now)) + offence.points();
        if points >= BAN_POINTS.0 {
            self.0.remove(&peer);
            return true;
        }
        if self.0.len() >= REMEMBERED_OFFENDERS && !self.0.contains_key(&peer) {
            let mildest = self
                .0
                .iter()
                .min_by(|a, b| current(a.1, now).total_cmp(&current(b.1, now)));
            if let Some(mildest) = mildest.map(|(peer, _)| *peer) {
                self.0.remove(&mildest);
            }
        }
        self.0.insert(peer, (points, now));
        false
    }

    /// Forgets who has been forgiven.
    pub(super) fn forgive(&mut self, now: Instant) {
        self.0.retain(|_, entry| current(entry, now) > 0.0);
    }
}

fn current((points, since): &(f64, Instant), now: Instant) -> f64 {
    let minutes = now.saturating_duration_since(*since).as_secs_f64() / 60.0;
    // Whole points, so that offences in quick succession add up to what the weights say.
    (points - (minutes * BAN_POINTS.1).floor()).max(0.0)
}
