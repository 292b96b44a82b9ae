//! How things look for people: times, ids, ledgers, messages.

use serde_json::Value;

use crate::safe::{Names, line, multiline};
use crate::text::Texts;

/// Digits of an id that are shown; enough to tell apart what one person has, and taken back as a prefix.
const SHORT_ID: usize = 8;
/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;
/// Returns the beginning of an id.
pub fn short(id: &str) -> String {
    line(&id.chars().take(SHORT_ID).collect::<String>())
}

/// Returns a field's string for one line; empty if it is absent.
pub fn field(value: &Value, name: &str) -> String {
    line(text_of(value, name))
}

/// Returns a field's string as it is; empty if it is absent.
pub fn text_of<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Returns a field's items; none if it is absent.
pub fn items_of<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Returns the name of a person or chat, or the beginning of its id where it has none.
pub fn name_or(value: &Value, id_field: &str) -> String {
    match field(value, "name") {
        name if name.trim().is_empty() => short_account(text_of(value, id_field)),
        name => name,
    }
}

/// Returns the name as [`name_or`] does, marked if it looks like that of somebody else among `names`.
pub fn marked(value: &Value, id_field: &str, names: &Names, t: &Texts) -> String {
    let name = name_or(value, id_field);
    match names.like(text_of(value, "name"), text_of(value, id_field)) {
        Some(other) => format!("{name} {}", (t.looks_like)(&other)),
        None => name,
    }
}

/// Returns the beginning of an account or id, whichever it is.
pub fn short_account(id: &str) -> String {
    match id.strip_prefix("madang1") {
        Some(rest) => format!("madang1{}…", short(rest)),
        None => short(id),
    }
}

/// Returns a time in UTC: `12:03:44` on the day of `now_ms`, else with its date. The same on every machine, whatever its locale.
pub fn time(ms: u64, now_ms: u64) -> String {
    let seconds = ms % DAY_MS / 1000;
    let clock = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if ms / DAY_MS == now_ms / DAY_MS {
        return clock;
    }
    let (year, month, day) = date(ms / DAY_MS);
    format!("{year:04}-{month:02}-{day:02} {clock}")
}

/// Returns a field's time, or `-` if it is absent.
pub fn time_of(value: &Value, name: &str, now_ms: u64) -> String {
    value
        .get(name)
        .and_then(Value::as_u64)
        .map_or_else(|| "-".to_owned(), |ms| time(ms, now_ms))
}

/// Days since 1970 to a date of the Gregorian calendar (Howard Hinnant, "chrono-compatible low-level date algorithms", `civil_from_days`).
fn date(days: u64) -> (u64, u64, u64) {
    let z = days + 719_468;
    let era = z / 146_097;
    let day_of_era = z % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

/// Returns Unix milliseconds of this machine's clock.
pub fn now_ms() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
}

/// Returns a ledger in words: `queued (no relay is connected)`, `held until 2026-01-02 03:04:05`, `delivered`, `read`.
pub fn ledger(ledger: &Value, now_ms: u64, t: &Texts) -> String {
    let word = (t.node_says)(&field(ledger, "state"));
    match text_of(ledger, "state") {
        "queued" => match field(ledger, "reason") {
            reason if reason.is_empty() => word,
            reason => format!("{word} ({})", (t.node_says)(&reason)),
        },
        "held" => {
            let until = items_of(ledger, "held")
                .iter()
                .filter_map(|h| h.get("until_ms").and_then(Value::as_u64))
                .max();
            until.map_or(word, |ms| (t.held_until)(&time(ms, now_ms)))
        }
        _ => word,
    }
}

/// Returns what a message says and what was done to it: `(to 9b1c22aa) Hello!  (edited)  👍 2`.
pub fn message(message: &Value, indent: &str, t: &Texts) -> String {
    let says = message.get("body").unwrap_or(&Value::Null);
    let mut shown = match text_of(says, "reply_to") {
        "" => String::new(),
        answered => format!("({}) ", (t.reply_to)(&short(answered))),
    };
    shown.push_str(&body(says, indent, t));
    if message.get("edited_ms").is_some_and(Value::is_u64) {
        shown.push_str(&format!("  ({})", t.edited));
    }
    if message.get("pinned").is_some_and(Value::is_object) {
        shown.push_str(&format!("  ({})", t.pinned));
    }
    for reaction in items_of(message, "reactions") {
        let (emoji, many) = (text_of(reaction, "emoji"), items_of(reaction, "accounts").len());
        shown.push_str(&format!("  {} {many}", multiline(emoji, "")));
    }
    shown
}

/// Returns a poll with the number and the votes of each option on a line of its own.
fn poll(body: &Value, indent: &str) -> String {
    let mut shown = multiline(text_of(body, "question"), indent);
    for (option, number) in items_of(body, "options").iter().zip(1..) {
        let (text, votes) = (text_of(option, "text"), items_of(option, "accounts").len());
        shown.push_str(&format!("\n{indent}{number}. {}  ({votes})", multiline(text, indent)));
    }
    shown
}

/// Returns the text of a body, or what its sender gave for programs that don't know the kind.
/// A channel that somebody passes on: what they call it, and the key that it is.
pub fn channel_card(body: &Value, t: &Texts) -> String {
    format!(
        "({})",
        (t.channel_card)(&name_or(body, "channel"), &short(text_of(body, "channel")))
    )
}

fn body(body: &Value, indent: &str, t: &Texts) -> String {
    let text = match text_of(body, "kind") {
        "text" => text_of(body, "text"),
        "poll" => return poll(body, indent),
        "file" | "image" | "voice" | "album" => return files(body, indent, t),
        "deleted" => return format!("({})", t.deleted),
        "channel" => return channel_card(body, t),
        "share" => {
            let card = body.get("card").unwrap_or(&Value::Null);
            let by = crate::commands::shares::by(card.get("by").unwrap_or(&Value::Null), t);
            let said = card.get("share").and_then(|share| crate::offline::lines(share, t));
            let said = said.map_or_else(
                || multiline(text_of(card, "fallback"), indent),
                |lines| lines.join(&format!("\n{indent}")),
            );
            return format!("({by})\n{indent}{said}");
        }
        _ => text_of(body, "fallback"),
    };
    if text.is_empty() {
        return format!("({})", t.cannot_show);
    }
    multiline(text, indent)
}

/// Returns each file on a line of its own, with its size, and the text that goes with them.
fn files(body: &Value, indent: &str, t: &Texts) -> String {
    let one = body.get("file");
    let all = one.into_iter().chain(items_of(body, "files"));
    let mut lines: Vec<String> = all
        .map(|file| {
            let mut shown = format!("[{} {}", (t.node_says)(&field(body, "kind")), field(file, "name"));
            if let (Some(width), Some(height)) = (file.get("width"), file.get("height")) {
                shown.push_str(&format!(", {width}×{height}"));
            }
            if let Some(ms) = file.get("duration_ms").and_then(Value::as_u64) {
                shown.push_str(&format!(", {}", span(ms)));
            }
            shown.push_str(&format!(", {}]", bytes(number(file, "length_bytes"))));
            if flag(file, "suspicious") {
                shown.push_str(&format!(" ({})", t.name_suspicious));
            }
            match text_of(file, "caption") {
                "" => shown,
                caption => format!("{shown} {}", multiline(caption, indent)),
            }
        })
        .collect();
    match text_of(body, "text") {
        "" => {}
        text => lines.push(multiline(text, indent)),
    }
    lines.join(&format!("\n{indent}"))
}

/// Returns a size in its greatest unit: `512 B`, `60.0 KiB`, `2.0 GiB`.
pub fn bytes(bytes: u64) -> String {
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut size = bytes as f64 / 1024.0;
    for unit in ["KiB", "MiB"] {
        if size < 1023.95 {
            return format!("{size:.1} {unit}");
        }
        size /= 1024.0;
    }
    format!("{size:.1} GiB")
}

/// Returns a number of a document; 0 if it is absent.
pub fn number(value: &Value, name: &str) -> u64 {
    value.get(name).and_then(Value::as_u64).unwrap_or(0)
}

/// Returns whether a document says yes.
pub fn flag(value: &Value, name: &str) -> bool {
    value.get(name).and_then(Value::as_bool).unwrap_or(false)
}

/// Returns a time span in its greatest unit or two: `5 s`, `2 min`, `3 h 20 min`, `4 d 5 h`.
pub fn span(ms: u64) -> String {
    let seconds = ms / 1000;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{EN, KO};
    use serde_json::json;

    #[test]
    fn times_are_short_today_and_dated_otherwise() {
        let day = 1_763_824_000_000;
        assert_eq!(time(day + 1, day), "15:06:40");
        assert_eq!(time(951_782_400_000, day), "2000-02-29 00:00:00");
        assert_eq!(time(0, day), "1970-01-01 00:00:00");
        assert_eq!(time(4_102_444_799_000, day), "2099-12-31 23:59:59");
    }

    #[test]
    fn times_of_any_size_are_shown() {
        assert!(time(u64::MAX, 0).ends_with(':') || time(u64::MAX, 0).len() > 8);
    }

    #[test]
    fn ledgers_are_words() {
        let held = json!({ "state": "held", "held": [{ "until_ms": 61_000 }, { "until_ms": 62_000 }] });
        assert_eq!(ledger(&held, 0, &EN), "held until 00:01:02");
        let queued = json!({ "state": "queued", "reason": "no relay is connected" });
        assert_eq!(ledger(&queued, 0, &EN), "queued (no relay is connected)");
        assert_eq!(ledger(&json!({ "state": "read" }), 0, &EN), "read");
    }

    #[test]
    fn ledgers_are_korean_words_for_who_reads_korean() {
        let queued = json!({ "state": "queued", "reason": "the contact's devices have not confirmed yet" });
        assert_eq!(
            ledger(&queued, 0, &KO),
            "대기 중 (상대 기기가 아직 확인하지 않았습니다)"
        );
        assert_eq!(ledger(&json!({ "state": "read" }), 0, &KO), "읽음");
    }

    #[test]
    fn spans_have_two_units_at_most() {
        for (ms, wanted) in [
            (5_999, "5 s"),
            (120_000, "2 min"),
            (12_000_000, "3 h 20 min"),
            (363_600_000, "4 d 5 h"),
        ] {
            assert_eq!(span(ms), wanted);
        }
    }

    #[test]
    fn unknown_kinds_show_their_fallback() {
        assert_eq!(
            body(&json!({ "kind": "unknown", "code": 9, "fallback": "a poll" }), "", &EN),
            "a poll"
        );
        assert_eq!(
            body(&json!({ "kind": "unknown", "code": 9 }), "", &EN),
            "(this version can't show it)"
        );
    }

    #[test]
    fn a_message_shows_what_was_done_to_it() {
        let touched = json!({
            "body": { "kind": "text", "text": "hello", "reply_to": "0123456789" }, "edited_ms": 5,
            "reactions": [{ "emoji": "👍\u{202e}", "accounts": ["a", "b"] }, { "emoji": "👩\u{200d}💻", "accounts": ["a"] }],
        });
        assert_eq!(
            message(&touched, "", &EN),
            "(to 01234567) hello  (edited)  👍� 2  👩\u{200d}💻 1"
        );
        let question = json!({ "body": { "kind": "poll", "question": "when?", "options": [
            { "text": "now", "accounts": ["a"] }, { "text": "la\nter", "accounts": [] } ] } });
        assert_eq!(
            message(&question, "  ", &EN),
            "when?\n  1. now  (1)\n  2. la\n  ter  (0)"
        );
        assert_eq!(message(&json!({ "body": { "kind": "deleted" } }), "", &EN), "(deleted)");
    }

    #[test]
    fn accounts_and_ids_are_shortened() {
        assert_eq!(short_account("madang1qqqqqqqqqqqq"), "madang1qqqqqqqq…");
        assert_eq!(short_account("0123456789abcdef"), "01234567");
        assert_eq!(
            name_or(&json!({ "account": "0123456789", "name": " " }), "account"),
            "01234567"
        );
    }
}
