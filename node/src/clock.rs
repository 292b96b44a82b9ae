//! The system's clock, as the state machines take it.

use std::time::{SystemTime, UNIX_EPOCH};

/// Unix milliseconds; a clock before 1970 counts as 1970.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
