//! Named points at which a test can kill the process, to show what a crash there leaves behind.
//!
//! Without the feature `failpoints` a point costs nothing. With it, `MADANG_FAILPOINT=name` aborts the process at the first hit of
//! `name`, and `MADANG_FAILPOINT=name:3` at the third. An abort runs no destructor and flushes nothing, like a `kill -9`.

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

    let wanted = WANTED.get_or_init(|| std::env::var("MADANG_FAILPOINT").ok().map(|v| parse(&v)));
    let Some((point, nth)) = wanted else { return };
    if point != name || HITS.fetch_add(1, Ordering::SeqCst) + 1 != *nth {
        return;
    }
    // A closed stderr must not keep the process alive.
    drop(writeln!(
        std::io::stderr(),
        "failpoint {name}: aborting at hit {nth}"
    ));
    std::process::abort();
}

/// Splits `name[:n]`; what isn't a number from 1 up after the last colon belongs to the name.
#[cfg(any(test, feature = "failpoints"))]
fn parse(value: &str) -> (String, u64) {
    match value
        .rsplit_once(':')
        .map(|(name, n)| (name, n.parse::<u64>()))
    {
        Some((name, Ok(n))) if n > 0 => (name.to_owned(), n),
        _ => (value.to_owned(), 1),
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn reads_name_and_count() {
        assert_eq!(parse("store.after_sync"), ("store.after_sync".into(), 1));
        assert_eq!(
            parse("store.before_sync:7"),
            ("store.before_sync".into(), 7)
        );
        assert_eq!(parse("a:b"), ("a:b".into(), 1));
        assert_eq!(parse("a:0"), ("a:0".into(), 1));
    }

    #[test]
    fn an_unnamed_point_is_passed() {
        super::hit("no such point");
    }
}
