//! Named points at which a test can kill the process, to show what a crash there leaves behind.
//!
//! Without the feature `failpoints` a point costs nothing. With it, `MADANG_FAILPOINT=name` aborts the process at the first hit of
//! `name`, and `MADANG_FAILPOINT=name:3` at the third. An abort runs no destructor and flushes nothing, like a `kill -9`.

/// The names of all points, in the order in which a commit passes them; the last two follow a node's and a relay's flush.
pub const NAMES: [&str; 5] = [
    "store.before_apply",
    "store.before_sync",
    "store.after_sync",
    "core.after_flush",
    "relay.after_flush",
];

/// The names of the points that a compaction of the store passes, in order; `compact.copied_chunk` perhaps more often, or never.
pub const COMPACTION_NAMES: [&str; 7] = [
    "compact.made",
    "compact.frozen",
    "compact.copied_chunk",
    "compact.before_sync",
    "compact.before_switch",
    "compact.after_switch",
    "compact.before_remove",
];

/// The name of the point between sealing an image and removing what it tells beside the picture.
pub const BEFORE_STRIP: &str = "core.before_strip";

/// Marks a named point; aborts the process there if the environment asks for it.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub fn hit(_name: &str) {}

/// Marks a named point; aborts the process there if the environment asks for it.
#[cfg(feature = "failpoints")]
pub fn hit(name: &str) {
    use std::io::Write;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static WANTED: OnceLock<Option<(String, u64)>> = OnceLock::new();
    static HITS: AtomicU64 = AtomicU64::new(0);

    debug_assert!(
        NAMES.contains(&name) || COMPACTION_NAMES.contains(&name) || name == BEFORE_STRIP,
        "{name} is missing in NAMES"
    );
    let wanted = WANTED.get_or_init(|| std::env::var("MADANG_FAILPOINT").ok().map(|v| parse(&v)));
    let Some((point, nth)) = wanted else { return };
    if point != name || HITS.fetch_add(1, Ordering::SeqCst) + 1 != *nth {
        return;
    }
    // A closed stderr must not keep the process alive.
    drop(writeln!(std::io::stderr(), "failpoint {name}: aborting at hit {nth}"));
    std::process::abort();
}

/// What a test asks for instead of a setting of the client, since it can't wait days: `MADANG_LEAF_UPDATE_MS` and `MADANG_REJOIN_MS` in
/// milliseconds, `MADANG_FROZEN_STATES`; and instead of what the system says, `MADANG_FREE_BYTES` of the disk.
#[cfg(feature = "failpoints")]
pub fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// What a test asks for instead of a setting: nothing without the feature.
#[cfg(not(feature = "failpoints"))]
pub fn setting(_: &str) -> Option<u64> {
    None
}

/// Where a test says that a host is, with `MADANG_RESOLVE=host=127.0.0.1:443`, instead of what the system says: it has no domain of its own.
#[cfg(feature = "failpoints")]
pub fn resolved(host: &str) -> Option<std::net::SocketAddr> {
    let said = std::env::var("MADANG_RESOLVE").ok()?;
    let (named, address) = said.split_once('=')?;
    (named == host).then(|| address.parse().ok())?
}

/// Where a test says that a host is: nowhere without the feature.
#[cfg(not(feature = "failpoints"))]
pub fn resolved(_: &str) -> Option<std::net::SocketAddr> {
    None
}

/// Whether a test asks, with `MADANG_STORE_SYNC=off`, for a store that never syncs: what a power-cut test must catch.
#[cfg(feature = "failpoints")]
pub fn sync_is_off() -> bool {
    static OFF: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    *OFF.get_or_init(|| std::env::var("MADANG_STORE_SYNC").is_ok_and(|v| v == "off"))
}

/// Whether a test asks for a store that never syncs: never without the feature.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub fn sync_is_off() -> bool {
    false
}

/// The number of commits after each of which a test wants a compaction, asked for with `MADANG_COMPACT_EVERY`.
#[cfg(feature = "failpoints")]
pub fn compact_every() -> Option<u64> {
    static EVERY: std::sync::OnceLock<Option<u64>> = std::sync::OnceLock::new();
    *EVERY.get_or_init(|| {
        std::env::var("MADANG_COMPACT_EVERY")
            .ok()?
            .parse()
            .ok()
            .filter(|n| *n > 0)
    })
}

/// The number of commits after each of which a test wants a compaction: none without the feature.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub fn compact_every() -> Option<u64> {
    None
}

/// Splits `name[:n]`; what isn't a number from 1 up after the last colon belongs to the name.
#[cfg(any(test, feature = "failpoints"))]
fn parse(value: &str) -> (String, u64) {
    match value.rsplit_once(':').map(|(name, n)| (name, n.parse::<u64>())) {
        Some((name, Ok(n))) if n > 0 => (name.to_owned(), n),
        _ => (value.to_owned(), 1),
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    use super::parse;

    #[test]
    fn reads_name_and_count() {
        assert_eq!(parse("store.after_sync"), ("store.after_sync".into(), 1));
        assert_eq!(parse("store.before_sync:7"), ("store.before_sync".into(), 7));
        assert_eq!(parse("a:b"), ("a:b".into(), 1));
        assert_eq!(parse("a:0"), ("a:0".into(), 1));
    }

    #[test]
    fn a_point_that_nobody_asks_for_is_passed() {
        super::hit(super::NAMES[0]);
    }
}
