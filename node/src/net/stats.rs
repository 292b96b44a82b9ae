//! What the network counted: each case of abuse and overflow leaves a trace here.

use std::sync::atomic::{AtomicU64, Ordering};

/// A figure; most only grow.
#[derive(Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// For the few figures that are no counters.
    pub(super) fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }
}

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// The live counters.
        #[derive(Default)]
        pub(super) struct Counters { $(pub(super) $name: Counter),* }

        /// A reading of the network's counters, each since the start.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct NetStats { $($(#[$doc])* pub $name: u64),* }

        impl Counters {
            pub(super) fn read(&self) -> NetStats {
                NetStats { $($name: self.$name.0.load(Ordering::Relaxed)),* }
            }
        }
    };
}

counters! {
    /// Streams closed because a length prefix was over the limit.
    oversize_frames,
    /// Streams closed because a frame that began wasn't finished in time.
    stalled_frames,
    /// Streams closed because the peer didn't take what was written in time.
    unread_streams,
    /// Streams closed because their outbound queue reached its bound.
    overflowed_streams,
    /// Frames dropped because no stream was open, or larger than any peer takes.
    unsent_frames,
    /// Inbound streams dropped because the peer's task or the accepting lagged.
    dropped_streams,
    /// Gossip messages dropped because the core lagged.
    dropped_gossip,
    /// Gossip messages that the core rejected.
    rejected_gossip,
    /// Verdicts that came after gossipsub had forgotten the message, which was therefore not passed on.
    late_verdicts,
    /// Peers that couldn't take gossip as fast as it came, once per report.
    slow_gossip_peers,
    /// Peers disconnected because their subscription changes outran their task.
    outrun_peers,
    /// Peers refused for a while after too many offences.
    banned_peers,
    /// Inbound connections refused because of a limit or a ban.
    refused_connections,
    /// Dial failures and listen addresses dropped because the core lagged.
    dropped_events,
    /// Bytes queued for all streams, as of the last second: no counter.
    queued_bytes,
}
