//! The relay's figures, as Prometheus reads them: requests, errors and durations of each operation, sizes, queues.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use madang_protocol::custody::relay::{RelayConfig as Rules, RelayStats};
use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::inbox::Operation;
use crate::net::NetStats;

type Label = [(&'static str, &'static str); 1];
type Labels = [(&'static str, &'static str); 2];

/// Buckets of durations: 0.1 ms to 3.3 s by powers of two; a quiet disk's flush is 0.16 ms.
fn durations() -> Histogram {
    Histogram::new(exponential_buckets(0.0001, 2.0, 16))
}

/// Each operation whose duration is told.
const OPERATIONS: [Operation; 11] = [
    Operation::Deposit,
    Operation::Watch,
    Operation::Unwatch,
    Operation::Ack,
    Operation::Hello,
    Operation::PutBlob,
    Operation::GetBlob,
    Operation::Reconcile,
    Operation::Push,
    Operation::Expiry,
    Operation::Flush,
];

/// All figures; the keeper and the service write them, the HTTP responder reads them.
pub(super) struct Metrics {
    registry: Registry,
    state: Mutex<State>,
    requests: Family<Label, Counter>,
    errors: Family<Labels, Counter>,
    durations: Family<Label, Histogram, fn() -> Histogram>,
    accepted: Counter,
    repeated: Counter,
    pushed: Counter,
    pages: Counter,
    history_pages: Counter,
    expired: Counter,
    blobs_accepted: Counter,
    blobs_expired: Counter,
    chunks_accepted: Counter,
    chunks_served: Counter,
    searches: Counter,
    figures: Counter,
    reports: Counter,
    compared: Counter,
    compared_listed: Counter,
    compared_fetched: Counter,
    others: Family<Label, Counter>,
    shed: Counter,
    damaged: Counter,
    admissions: Family<Label, Counter>,
    network: Family<Label, Counter>,
    sizes: Sizes,
    queue_items: Family<Label, Gauge>,
    queue_bytes: Family<Label, Gauge>,
}

/// Whether the relay serves.
#[derive(Default)]
struct State {
    read_only: Option<String>,
    stopping: bool,
}

#[derive(Default)]
struct Sizes {
    envelopes: Gauge,
    envelope_bytes: Gauge,
    topics: Gauge,
    blobs: Gauge,
    blob_bytes: Gauge,
    peers: Gauge,
    guests: Gauge,
    reported: Gauge,
    watches: Gauge,
    listings: Gauge,
    quota_bytes: Gauge,
    quota_topics: Gauge,
    disk_used: Gauge,
    disk_free: Gauge,
    next_expiry: Gauge,
    clock_suspect: Gauge,
    read_only: Gauge,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("madang_relay"),
            state: Mutex::default(),
            requests: Family::default(),
            errors: Family::default(),
            durations: Family::new_with_constructor(durations),
            accepted: Counter::default(),
            repeated: Counter::default(),
            pushed: Counter::default(),
            pages: Counter::default(),
            history_pages: Counter::default(),
            expired: Counter::default(),
            blobs_accepted: Counter::default(),
            blobs_expired: Counter::default(),
            chunks_accepted: Counter::default(),
            chunks_served: Counter::default(),
            searches: Counter::default(),
            figures: Counter::default(),
            reports: Counter::default(),
            compared: Counter::default(),
            compared_listed: Counter::default(),
            compared_fetched: Counter::default(),
            others: Family::default(),
            shed: Counter::default(),
            damaged: Counter::default(),
            admissions: Family::default(),
            network: Family::default(),
            sizes: Sizes::default(),
            queue_items: Family::default(),
            queue_bytes: Family::default(),
        };
        // So that each is there with 0 from the start.
        for operation in OPERATIONS {
            let label = [("operation", operation.name())];
            drop(metrics.requests.get_or_create(&label));
            drop(metrics.durations.get_or_create(&label));
        }
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let r = &mut self.registry;
        let version: Vec<(&str, &str)> = vec![("version", env!("CARGO_PKG_VERSION"))];
        r.register("build", "The program", Info::new(version));
        r.register(
            "requests",
            "Requests of peers, and what the relay did by itself",
            self.requests.clone(),
        );
        r.register(
            "errors",
            "Envelopes, watches and flushes that were refused or failed",
            self.errors.clone(),
        );
        let help = "Time from a request's arrival until its answer went to the network, or of the work itself";
        r.register_with_unit("duration", help, Unit::Seconds, self.durations.clone());
        r.register(
            "envelopes_accepted",
            "Envelopes taken into custody",
            self.accepted.clone(),
        );
        r.register("envelopes_repeated", "Envelopes deposited again", self.repeated.clone());
        r.register("envelopes_pushed", "Envelopes sent to watchers", self.pushed.clone());
        r.register("pages_pushed", "Pages sent to watchers", self.pages.clone());
        r.register(
            "history_pages",
            "Pages of topics' pasts sent to those who asked",
            self.history_pages.clone(),
        );
        r.register("envelopes_expired", "Envelopes that expired", self.expired.clone());
        r.register("blobs_accepted", "Blobs that became whole", self.blobs_accepted.clone());
        r.register(
            "blobs_expired",
            "Blobs removed, whole or not",
            self.blobs_expired.clone(),
        );
        r.register("chunks_accepted", "Chunks of blobs taken", self.chunks_accepted.clone());
        r.register("chunks_served", "Chunks of blobs sent", self.chunks_served.clone());
        let help = "Searches of the directory answered";
        r.register("searches", help, self.searches.clone());
        let help = "Questions for figures of channels answered";
        r.register("figures", help, self.figures.clone());
        r.register(
            "reports",
            "Reports of posts kept for the operator",
            self.reports.clone(),
        );
        let help = "Messages of comparisons of windows answered";
        r.register("windows_compared", help, self.compared.clone());
        r.register("windows_listed", "Windows listed", self.compared_listed.clone());
        let help = "Envelopes sent after a comparison";
        r.register("windows_fetched", help, self.compared_fetched.clone());
        let help = "Windows compared with other relays, envelopes given to and copied from them";
        r.register("other_relays", help, self.others.clone());
        r.register(
            "deposits_shed",
            "Deposits refused because the disk didn't follow",
            self.shed.clone(),
        );
        r.register(
            "damaged_rows",
            "Rows found damaged, left out and removed",
            self.damaged.clone(),
        );
        r.register("admissions", "Hellos, by outcome", self.admissions.clone());
        r.register("network_events", "What the network counted", self.network.clone());
        let s = &self.sizes;
        r.register("envelopes", "Envelopes stored", s.envelopes.clone());
        r.register_with_unit(
            "envelopes",
            "Bytes of envelopes stored",
            Unit::Bytes,
            s.envelope_bytes.clone(),
        );
        r.register("topics", "Topics stored", s.topics.clone());
        r.register("blobs", "Blobs stored, whole or not", s.blobs.clone());
        r.register_with_unit(
            "blobs",
            "Bytes that blobs count for in the quotas",
            Unit::Bytes,
            s.blob_bytes.clone(),
        );
        r.register("peers", "Peers with a custody stream", s.peers.clone());
        r.register(
            "guests",
            "Peers with a custody stream that aren't admitted",
            s.guests.clone(),
        );
        let help = "Posts that were reported to the operator and not dismissed";
        r.register("reported_posts", help, s.reported.clone());
        r.register("listings", "Channels in the directory", s.listings.clone());
        r.register("watches", "Topics watched, summed over peers", s.watches.clone());
        r.register_with_unit(
            "quota",
            "Bytes that all envelopes together may take",
            Unit::Bytes,
            s.quota_bytes.clone(),
        );
        r.register("quota_topics", "Topics that may be stored", s.quota_topics.clone());
        r.register_with_unit(
            "disk_used",
            "Bytes of the data directory's files",
            Unit::Bytes,
            s.disk_used.clone(),
        );
        r.register_with_unit("disk_free", "Bytes free on its disk", Unit::Bytes, s.disk_free.clone());
        let help = "Unix time at which the next envelope is removed; 0 if there is none";
        r.register_with_unit("next_expiry_timestamp", help, Unit::Seconds, s.next_expiry.clone());
        r.register(
            "clock_suspect",
            "1 while the clock has leapt ahead and isn't believed",
            s.clock_suspect.clone(),
        );
        r.register(
            "read_only",
            "1 while the disk takes no writes and deposits are refused",
            s.read_only.clone(),
        );
        r.register("queue_items", "Items that wait, by queue", self.queue_items.clone());
        r.register_with_unit(
            "queue",
            "Bytes that wait, by queue",
            Unit::Bytes,
            self.queue_bytes.clone(),
        );
    }

    /// Takes over the state machine's figures.
    pub(super) fn update(&self, stats: &RelayStats) {
        let counters = [
            (&self.accepted, stats.accepted),
            (&self.repeated, stats.repeated),
            (&self.pushed, stats.pushed),
            (&self.pages, stats.pages),
            (&self.history_pages, stats.history_pages),
            (&self.expired, stats.expired),
            (&self.blobs_accepted, stats.blobs_accepted),
            (&self.blobs_expired, stats.blobs_expired),
            (&self.chunks_accepted, stats.chunks_accepted),
            (&self.chunks_served, stats.chunks_served),
            (&self.searches, stats.searches),
            (&self.figures, stats.figures),
            (&self.reports, stats.reports),
            (&self.compared, stats.compared),
            (&self.compared_listed, stats.compared_listed),
            (&self.compared_fetched, stats.compared_fetched),
            (&self.shed, stats.shed),
            (&self.damaged, stats.damaged),
        ];
        for (counter, value) in counters {
            store(counter.inner(), value);
        }
        for (what, value) in [
            ("windows", stats.others_compared),
            ("given", stats.others_given),
            ("taken", stats.others_taken),
        ] {
            store(self.others.get_or_create(&[("what", what)]).inner(), value);
        }
        for (operation, refused) in [
            ("deposit", &stats.refused),
            ("watch", &stats.watches_refused),
            ("blob", &stats.blobs_refused),
            ("reconcile", &stats.compares_refused),
        ] {
            for (reason, value) in refused {
                let labels = [("operation", operation), ("reason", *reason)];
                store(self.errors.get_or_create(&labels).inner(), *value);
            }
        }
        for (outcome, value) in [("admitted", stats.admitted), ("refused", stats.not_admitted)] {
            store(self.admissions.get_or_create(&[("outcome", outcome)]).inner(), value);
        }
        let s = &self.sizes;
        set(&s.envelopes, stats.envelopes);
        set(&s.envelope_bytes, stats.bytes);
        set(&s.topics, stats.topics);
        set(&s.blobs, stats.blobs);
        set(&s.blob_bytes, stats.blob_bytes);
        set(&s.peers, stats.peers);
        set(&s.watches, stats.watches);
        set(&s.listings, stats.listings);
        set(&s.clock_suspect, stats.clock_suspect.into());
        self.queue("watchers", stats.runnable);
        self.queued_bytes("unacknowledged", stats.unacknowledged_bytes);
    }

    /// Counts a request or a piece of the relay's own work.
    pub(super) fn took(&self, operation: Operation, time: Duration) {
        let label = [("operation", operation.name())];
        self.requests.get_or_create(&label).inc();
        self.durations.get_or_create(&label).observe(time.as_secs_f64());
    }

    /// Counts several that took a time together.
    pub(super) fn took_each(&self, operation: Operation, count: u64, time: Duration) {
        if count > 0 {
            let label = [("operation", operation.name())];
            self.requests.get_or_create(&label).inc_by(count);
            self.durations.get_or_create(&label).observe(time.as_secs_f64());
        }
    }

    /// Counts a commit and its flush.
    pub(super) fn flushed(&self, took: Duration, well: bool) {
        self.took(Operation::Flush, took);
        if !well {
            let labels = [("operation", Operation::Flush.name()), ("reason", "disk")];
            self.errors.get_or_create(&labels).inc();
        }
    }

    /// Tells the depth of a queue.
    pub(super) fn queue(&self, queue: &'static str, items: u64) {
        set(&self.queue_items.get_or_create(&[("queue", queue)]), items);
    }

    /// Tells the bytes of a queue.
    pub(super) fn queued_bytes(&self, queue: &'static str, bytes: u64) {
        set(&self.queue_bytes.get_or_create(&[("queue", queue)]), bytes);
    }

    /// Tells the writes of the step that is being committed.
    pub(super) fn uncommitted(&self, writes: usize) {
        self.queue("uncommitted", writes as u64);
    }

    pub(super) fn reports(&self, posts: usize) {
        set(&self.sizes.reported, posts as u64);
    }

    pub(super) fn guests(&self, guests: usize) {
        set(&self.sizes.guests, guests as u64);
    }

    pub(super) fn next_expiry(&self, at_s: Option<u64>) {
        set(&self.sizes.next_expiry, at_s.unwrap_or(0));
    }

    pub(super) fn quotas(&self, rules: &Rules) {
        set(&self.sizes.quota_bytes, rules.total_bytes);
        set(&self.sizes.quota_topics, rules.topics);
    }

    pub(super) fn disk(&self, used: u64, free: Option<u64>) {
        set(&self.sizes.disk_used, used);
        set(&self.sizes.disk_free, free.unwrap_or(0));
    }

    /// Takes over the network's figures.
    pub(super) fn network(&self, stats: &NetStats) {
        let counters = [
            ("banned_peers", stats.banned_peers),
            ("dropped_streams", stats.dropped_streams),
            ("overflowed_streams", stats.overflowed_streams),
            ("oversize_frames", stats.oversize_frames),
            ("refused_connections", stats.refused_connections),
            ("stalled_frames", stats.stalled_frames),
            ("unread_streams", stats.unread_streams),
            ("unsent_frames", stats.unsent_frames),
        ];
        for (event, value) in counters {
            store(self.network.get_or_create(&[("event", event)]).inner(), value);
        }
        self.queued_bytes("outbound", stats.queued_bytes);
    }

    /// Says why deposits are refused, if they are.
    pub(super) fn set_read_only(&self, reason: Option<String>) {
        set(&self.sizes.read_only, reason.is_some().into());
        self.state().read_only = reason;
    }

    /// Says that the relay is about to end.
    pub(super) fn set_stopping(&self) {
        self.state().stopping = true;
    }

    /// Why the relay isn't ready for deposits; `None` if it is.
    pub(super) fn not_ready(&self) -> Option<String> {
        let state = self.state();
        if state.stopping {
            return Some("stopping".into());
        }
        state.read_only.as_ref().map(|reason| format!("read-only: {reason}"))
    }

    /// The text that Prometheus reads.
    pub(super) fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn store(counter: &AtomicU64, value: u64) {
    counter.store(value, Ordering::Relaxed);
}

fn set(gauge: &Gauge, value: u64) {
    let inner: &AtomicI64 = gauge.inner();
    inner.store(i64::try_from(value).unwrap_or(i64::MAX), Ordering::Relaxed);
}
