//! The relay's figures, as Prometheus reads them.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use madang_protocol::custody::relay::RelayStats;
use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

type Reason = [(&'static str, &'static str); 1];

/// All figures; the keeper writes them, the HTTP responder reads them.
pub(super) struct Metrics {
    registry: Registry,
    healthy: AtomicBool,
    accepted: Counter,
    repeated: Counter,
    refused: Family<Reason, Counter>,
    pushed: Counter,
    expired: Counter,
    envelopes: Gauge,
    bytes: Gauge,
    topics: Gauge,
    peers: Gauge,
    watches: Gauge,
    flushes: Histogram,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("madang_relay"),
            healthy: AtomicBool::new(true),
            accepted: Counter::default(),
            repeated: Counter::default(),
            refused: Family::default(),
            pushed: Counter::default(),
            expired: Counter::default(),
            envelopes: Gauge::default(),
            bytes: Gauge::default(),
            topics: Gauge::default(),
            peers: Gauge::default(),
            watches: Gauge::default(),
            // 0.1 ms to 0.8 s: a quiet disk's flush is 0.16 ms.
            flushes: Histogram::new(exponential_buckets(0.0001, 2.0, 14)),
        };
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let r = &mut self.registry;
        r.register("accepted", "Envelopes taken into custody", self.accepted.clone());
        r.register("repeated", "Envelopes deposited again", self.repeated.clone());
        r.register("refused", "Envelopes and watches refused", self.refused.clone());
        r.register("pushed", "Envelopes sent to watchers", self.pushed.clone());
        r.register("expired", "Envelopes that expired", self.expired.clone());
        r.register("envelopes", "Envelopes stored", self.envelopes.clone());
        r.register("envelope_bytes", "Bytes of envelopes stored", self.bytes.clone());
        r.register("topics", "Topics stored", self.topics.clone());
        r.register("peers", "Peers with a custody stream", self.peers.clone());
        r.register("watches", "Topics watched, summed over peers", self.watches.clone());
        r.register(
            "flush_seconds",
            "Time to commit and flush a batch",
            self.flushes.clone(),
        );
    }

    /// Takes over the state machine's figures. Its counters begin at zero when it is loaded again, as after a restart.
    pub(super) fn update(&self, stats: &RelayStats) {
        let counters = [
            (&self.accepted, stats.accepted),
            (&self.repeated, stats.repeated),
            (&self.pushed, stats.pushed),
            (&self.expired, stats.expired),
        ];
        for (counter, value) in counters {
            store(counter.inner(), value);
        }
        for (reason, value) in &stats.refused {
            store(self.refused.get_or_create(&[("reason", *reason)]).inner(), *value);
        }
        let gauges = [
            (&self.envelopes, stats.envelopes),
            (&self.bytes, stats.bytes),
            (&self.topics, stats.topics),
            (&self.peers, stats.peers),
            (&self.watches, stats.watches),
        ];
        for (gauge, value) in gauges {
            let inner: &AtomicI64 = gauge.inner();
            inner.store(i64::try_from(value).unwrap_or(i64::MAX), Ordering::Relaxed);
        }
    }

    /// Counts a flush.
    pub(super) fn flushed(&self, took: Duration) {
        self.flushes.observe(took.as_secs_f64());
    }

    /// Says whether the store takes writes.
    pub(super) fn set_healthy(&self, healthy: bool) {
        self.healthy.store(healthy, Ordering::Relaxed);
    }

    /// Whether the store takes writes.
    pub(super) fn is_healthy(&self) -> bool {
        self.healthy.load(Ordering::Relaxed)
    }

    /// The text that Prometheus reads.
    pub(super) fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

fn store(counter: &AtomicU64, value: u64) {
    counter.store(value, Ordering::Relaxed);
}
