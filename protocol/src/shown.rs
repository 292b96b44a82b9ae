//! Texts that others chose, made safe to show: they can neither steer a terminal, nor turn the text around them, nor pass for an entry of
//! their own (FAULTS 60). What was taken away leaves a mark.

/// Stands for a character that isn't shown.
const HIDDEN: char = '\u{fffd}';
/// Begins a text whose direction its own letters decide.
const ISOLATE: char = '\u{2068}';
/// Ends such a text.
const POP: char = '\u{2069}';

/// Returns a string of one line: control, bidirectional and invisible characters are replaced, so that a name can neither move the
/// cursor nor turn the text around it. What is written from right to left is isolated.
pub fn line(text: &str) -> String {
    isolated(
        text.chars()
            .map(|c| if is_steering(c) || is_invisible(c) { HIDDEN } else { c })
            .collect(),
    )
}

/// Returns a string that keeps its line breaks; each further line begins with `indent`, so that it can't pass for an entry of its own.
/// Joiners stay, since scripts and emoji need them.
pub fn multiline(text: &str, indent: &str) -> String {
    let unbroken = text.replace("\r\n", "\n").replace('\t', " ");
    let lines: Vec<String> = unbroken
        .split('\n')
        .map(|line| isolated(line.chars().map(|c| if is_steering(c) { HIDDEN } else { c }).collect()))
        .collect();
    lines.join(&format!("\n{indent}"))
}

fn isolated(text: String) -> String {
    if text.chars().any(is_right_to_left) {
        return format!("{ISOLATE}{text}{POP}");
    }
    text
}

fn is_steering(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{206f}')
}

fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}' | '\u{200b}'..='\u{200d}'
        | '\u{2060}'..='\u{2064}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}')
}

/// The blocks of scripts that are written from right to left (Unicode's DerivedBidiClass: R and AL by default).
fn is_right_to_left(c: char) -> bool {
    matches!(c,
        '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefe}' | '\u{10800}'..='\u{10fff}'
        | '\u{1e800}'..='\u{1efff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f60_names_can_not_steer_the_terminal() {
        assert_eq!(line("a\u{1b}[2Jb\u{202e}c\u{2066}\n\u{9b}d"), "a�[2Jb�c���d");
        assert_eq!(line("Al\u{200b}ice\u{e0041}"), "Al�ice�");
        assert_eq!(line("마당 é 👋🏽"), "마당 é 👋🏽");
    }

    #[test]
    fn f60_what_runs_from_right_to_left_is_isolated() {
        assert_eq!(line("אבג 12"), "\u{2068}אבג 12\u{2069}");
        assert_eq!(multiline("a\nمرحبا", "  "), "a\n  \u{2068}مرحبا\u{2069}");
        assert_eq!(line("\u{2069}אב\u{2068}"), "\u{2068}�אב�\u{2069}");
    }

    #[test]
    fn f60_a_text_can_not_pass_for_another_entry() {
        assert_eq!(
            multiline("one\r\n12:00:00  Bob  two\rx", "    "),
            "one\n    12:00:00  Bob  two�x"
        );
        assert_eq!(multiline("👩\u{200d}💻\ttab", ""), "👩\u{200d}💻 tab");
        assert_eq!(multiline("a\u{202e}b\u{2028}c", ""), "a�b�c");
    }
}
