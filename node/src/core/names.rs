//! Names of files that others chose: what to store them as, what to show, and whether they may pass for another (FAULTS 59, 60).

use unicode_security::{RestrictionLevel, RestrictionLevelDetection};

/// Begins a text whose direction its own letters decide.
const ISOLATE: char = '\u{2068}';
/// Ends such a text.
const POP: char = '\u{2069}';
/// Stands for a character that isn't shown.
const HIDDEN: char = '\u{fffd}';
/// Bytes of a stored name: room is left for what a program adds to it.
const STORED_BYTES: usize = 200;
/// Bytes of its ending that stay when it is cut.
const ENDING_BYTES: usize = 20;
/// What a name becomes of which nothing is left.
const NAMELESS: &str = "file";
/// Names that are devices on Windows, with any ending.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];

/// A name of a file as it can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FileName {
    /// One element of a path on every platform, without anything hidden.
    pub(super) stored: String,
    /// For people, isolated from the text around it.
    pub(super) shown: String,
    /// Whether it hides something, or mixes scripts so that it may look like another.
    pub(super) suspicious: bool,
}

impl FileName {
    /// Of what the sender calls a file.
    pub(super) fn of(given: &str) -> Self {
        let clean: String = given.chars().map(|c| if is_hidden(c) { HIDDEN } else { c }).collect();
        let has_hidden = given.chars().any(is_hidden);
        let mut words = given.split(|c: char| !c.is_alphanumeric());
        // Each word by itself: an ending in Latin letters is common everywhere.
        let mixes = words.any(|word| !word.check_restriction_level(RestrictionLevel::HighlyRestrictive));
        Self {
            stored: stored(given),
            shown: format!("{ISOLATE}{clean}{POP}"),
            suspicious: has_hidden || mixes,
        }
    }
}

fn stored(given: &str) -> String {
    let kept = given.chars().filter(|c| !is_hidden(*c));
    let neutral: String = kept
        .map(|c| {
            if matches!(c, '/' | '\\' | '<' | '>' | ':' | '"' | '|' | '?' | '*') {
                '_'
            } else {
                c
            }
        })
        .collect();
    // A dot in front hides a file, one at the end is dropped by Windows.
    let trimmed = neutral.trim().trim_matches('.').trim();
    let mut name = if trimmed.is_empty() {
        NAMELESS.to_owned()
    } else {
        shortened(trimmed)
    };
    if is_device(&name) {
        name.insert(0, '_');
    }
    name
}

/// Cuts a long name in front of its ending.
fn shortened(name: &str) -> String {
    if name.len() <= STORED_BYTES {
        return name.to_owned();
    }
    let ending = name.rfind('.').and_then(|at| name.get(at..));
    let ending = ending.filter(|ending| ending.len() <= ENDING_BYTES).unwrap_or_default();
    let mut stem = String::new();
    for c in name.chars() {
        if stem.len() + c.len_utf8() + ending.len() > STORED_BYTES {
            break;
        }
        stem.push(c);
    }
    stem + ending
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim().to_ascii_lowercase();
    let numbered = ["com", "lpt"].iter().any(|device| {
        let number = stem.strip_prefix(device).unwrap_or_default();
        number.chars().count() == 1
            && number
                .chars()
                .all(|c| c.is_ascii_digit() || matches!(c, '¹' | '²' | '³'))
    });
    DEVICES.contains(&stem.as_str()) || numbered
}

/// Characters that steer the text around them or show nothing.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
            | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn f59_no_name_leads_anywhere_or_is_a_device() {
        for (given, expected) in [
            ("photo.jpg", "photo.jpg"),
            ("사진 1.jpg", "사진 1.jpg"),
            ("../../etc/passwd", "_.._etc_passwd"),
            ("/etc/passwd", "_etc_passwd"),
            ("C:\\Windows\\x", "C__Windows_x"),
            ("..", "file"),
            ("", "file"),
            (" . ", "file"),
            (".bashrc", "bashrc"),
            ("name.", "name"),
            ("NUL", "_NUL"),
            ("con.txt", "_con.txt"),
            ("Com1.log", "_Com1.log"),
            ("COM¹", "_COM¹"),
            ("common.txt", "common.txt"),
            ("a\0b\n.txt", "ab.txt"),
            ("a?b*c|d.txt", "a_b_c_d.txt"),
        ] {
            assert_eq!(FileName::of(given).stored, expected, "{given:?}");
        }
    }

    #[test]
    fn f59_a_long_name_is_cut_in_front_of_its_ending() {
        let name = FileName::of(&format!("{}.tar.gz", "가".repeat(1_500)));
        assert!(
            name.stored.len() <= STORED_BYTES && name.stored.ends_with("가.gz"),
            "{}",
            name.stored
        );
        let name = FileName::of(&"x".repeat(4_096));
        assert_eq!(name.stored.len(), STORED_BYTES);
    }

    #[test]
    fn f60_names_that_hide_or_mix_are_marked_and_isolated() {
        for good in [
            "photo.jpg",
            "사진 photo 2.jpg",
            "日本語ファイル.pdf",
            "отчёт.pdf",
            "report-2026_(1).pdf",
        ] {
            let name = FileName::of(good);
            assert!(!name.suspicious, "{good}");
            assert_eq!(name.shown, format!("{ISOLATE}{good}{POP}"));
        }
        for bad in ["photo\u{202e}gpj.exe", "a\u{200b}b.txt", "pаypal.pdf", "\u{feff}x"] {
            let name = FileName::of(bad);
            assert!(name.suspicious, "{bad:?}");
            assert!(!name.stored.chars().any(is_hidden), "{bad:?}");
            assert!(
                !name.shown.trim_matches([ISOLATE, POP]).chars().any(is_hidden),
                "{bad:?}"
            );
        }
    }
}
