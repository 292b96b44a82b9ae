//! Times as people type them, in UTC as they are shown.

/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;

/// Reads `2026-11-01`, `2026-11-01 18:30` or `2026-11-01T18:30:05`, in UTC, as Unix milliseconds.
///
/// # Errors
/// What is expected instead.
pub fn time(text: &str) -> Result<u64, String> {
    read(text.trim()).ok_or_else(|| "expected a date as 2026-11-01, or with a time as 2026-11-01T18:30".to_owned())
}

fn read(text: &str) -> Option<u64> {
    let (date, clock) = match text.split_once(['T', ' ']) {
        Some((date, clock)) => (date, clock.strip_suffix('Z').unwrap_or(clock)),
        None => (text, "0:0"),
    };
    let mut parts = date.split('-');
    let (year, month, day) = (number(parts.next())?, number(parts.next())?, number(parts.next())?);
    if parts.next().is_some() || !(1970..=9999).contains(&year) || !(1..=12).contains(&month) {
        return None;
    }
    let days_in_month = match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if !(1..=days_in_month).contains(&day) {
        return None;
    }
    let mut parts = clock.split(':');
    let (hour, minute) = (number(parts.next())?, number(parts.next())?);
    let second = parts.next().map_or(Some(0), |text| number(Some(text)))?;
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some(days(year, month, day) * DAY_MS + ((hour * 60 + minute) * 60 + second) * 1000)
}

fn number(text: Option<&str>) -> Option<u64> {
    let text = text?;
    let digits = !text.is_empty() && text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// Days from 1970 to a date of the Gregorian calendar (Howard Hinnant, "chrono-compatible low-level date algorithms", `days_from_civil`).
fn days(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year / 400, year % 400);
    let shifted = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * shifted + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_can_be_typed() {
        for ms in [0, 951_782_400_000, 1_700_000_005_000, 4_102_444_799_000] {
            assert_eq!(time(&crate::show::time(ms, u64::MAX)), Ok(ms));
        }
        assert_eq!(time("2026-11-01"), time("2026-11-01T00:00:00Z"));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "today",
            "2026",
            "2026-13-01",
            "2026-02-29",
            "2026-11-01 24:00",
            "2026-11-01 1",
            "1969-12-31",
            "2026-+1-01",
        ] {
            assert!(time(text).is_err(), "{text}");
        }
    }
}
