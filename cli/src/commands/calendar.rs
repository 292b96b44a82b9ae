//! An event of a channel as a calendar file (RFC 5545), which any calendar opens.

use serde_json::Value;

use crate::show;

/// Bytes of a line before it is folded (RFC 5545, section 3.1).
const LINE_BYTES: usize = 75;

/// The last second of the year 9999, after which a year has five digits.
const LAST_S: u64 = 253_402_300_799;

/// The file for a post; none if it is no event.
pub(super) fn file(post: &Value) -> Option<String> {
    let event = post.get("body")?.get("event")?;
    let mut text = String::new();
    let id = show::text_of(post, "post");
    let made = stamp(show::number(post, "time_ms") / 1000);
    let edited = post.get("edited_ms").and_then(Value::as_u64);
    add(&mut text, "BEGIN", "VCALENDAR");
    add(&mut text, "VERSION", "2.0");
    add(&mut text, "PRODID", "-//Madang//Madang//EN");
    add(&mut text, "BEGIN", "VEVENT");
    // The same after an edit, so that a calendar replaces what it has.
    add(&mut text, "UID", &format!("{id}@madang"));
    add(&mut text, "DTSTAMP", &made);
    if let Some(edited_ms) = edited {
        add(&mut text, "LAST-MODIFIED", &stamp(edited_ms / 1000));
        add(&mut text, "SEQUENCE", &(edited_ms / 1000).to_string());
    }
    add(&mut text, "DTSTART", &stamp(show::number(event, "starts_s")));
    add(&mut text, "DTEND", &stamp(show::number(event, "ends_s")));
    for (name, member) in [("SUMMARY", "title"), ("LOCATION", "place"), ("DESCRIPTION", "details")] {
        let value = show::text_of(event, member);
        if !value.is_empty() {
            add(&mut text, name, &escaped(value));
        }
    }
    let url = show::text_of(event, "url");
    if (url.starts_with("https://") || url.starts_with("http://")) && !url.contains(char::is_control) {
        add(&mut text, "URL", url);
    }
    add(&mut text, "END", "VEVENT");
    add(&mut text, "END", "VCALENDAR");
    Some(text)
}

/// A time as calendars write it, in UTC: `20270115T080000Z`.
fn stamp(seconds: u64) -> String {
    let ms = seconds.min(LAST_S).saturating_mul(1000);
    let shown = show::time(ms, u64::MAX);
    let digits = shown.replace(['-', ':'], "").replace(' ', "T");
    format!("{digits}Z")
}

/// A text as a value (section 3.3.11). Control characters can't stand in one.
fn escaped(text: &str) -> String {
    let mut value = String::with_capacity(text.len());
    for c in text.replace("\r\n", "\n").chars() {
        match c {
            '\\' | ';' | ',' => value.extend(['\\', c]),
            '\n' | '\r' => value.push_str("\\n"),
            c if c.is_control() => {}
            c => value.push(c),
        }
    }
    value
}

/// Adds a line, folded between characters.
fn add(text: &mut String, name: &str, value: &str) {
    let mut used = 0;
    let line = format!("{name}:{value}");
    for c in line.chars() {
        if used + c.len_utf8() > LINE_BYTES {
            text.push_str("\r\n ");
            used = 1;
        }
        text.push(c);
        used += c.len_utf8();
    }
    text.push_str("\r\n");
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(details: &str) -> Value {
        json!({
            "post": "ab", "time_ms": 1_800_000_000_123_u64,
            "body": { "kind": "event", "event": {
                "title": "Reading; with wine, cheese", "starts_s": 1_800_000_000, "ends_s": 1_800_003_600,
                "place": "마당 서점", "details": details, "url": "https://shop.example/reading",
            }},
        })
    }

    #[test]
    fn an_event_is_a_calendar_file() {
        let file = file(&event("at eight\nEND:VEVENT\r\nBEGIN:VALARM")).unwrap();
        for line in [
            "DTSTART:20270115T080000Z\r\n",
            "DTEND:20270115T090000Z\r\n",
            "SUMMARY:Reading\\; with wine\\, cheese\r\n",
            "LOCATION:마당 서점\r\n",
            "DESCRIPTION:at eight\\nEND:VEVENT\\nBEGIN:VALARM\r\n",
            "URL:https://shop.example/reading\r\n",
        ] {
            assert!(file.contains(line), "{line}: {file}");
        }
        assert_eq!(file.matches("BEGIN:").count(), 3, "{file}");
        assert!(file.ends_with("END:VEVENT\r\nEND:VCALENDAR\r\n"));
    }

    #[test]
    fn lines_are_folded_between_characters_and_read_back_whole() {
        let details = "가나다라마바사아자차카타파하".repeat(20);
        let file = file(&event(&details)).unwrap();
        assert!(file.split("\r\n").all(|line| line.len() <= LINE_BYTES), "{file}");
        assert!(file.replace("\r\n ", "").contains(&details));
    }

    #[test]
    fn a_time_without_end_is_still_a_time() {
        assert_eq!(stamp(u64::MAX), "99991231T235959Z");
        assert_eq!(stamp(0), "19700101T000000Z");
    }

    #[test]
    fn what_is_no_event_has_none() {
        assert_eq!(
            file(&json!({ "post": "ab", "body": { "kind": "text", "text": "hi" } })),
            None
        );
    }
}
