//! Columns and lines: tables, and texts that are broken where the terminal ends.
//!
//! Widths are columns of a terminal, of which Korean letters and emoji take two.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Between columns.
const GAP: &str = "  ";
/// Columns that a last column needs; with less, rows are stacked (guess).
const LAST_COLUMN: usize = 24;
/// What is indented below a stacked row's first line.
const STACKED: &str = "    ";

/// Returns how many columns a text takes; sequences that colour it take none.
pub fn width(text: &str) -> usize {
    if !text.contains('\u{1b}') {
        return text.width();
    }
    anstream::adapter::strip_str(text).to_string().width()
}

/// Returns rows as lines whose columns are aligned; the last column isn't padded. Where they are wider than `limit`, the last column is
/// broken below itself, or if that is too narrow, cells go below each other.
pub fn table(rows: &[Vec<String>], limit: Option<usize>) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|i| {
            rows.iter()
                .filter_map(|r| r.get(i))
                .map(|c| width(c))
                .max()
                .unwrap_or(0)
        })
        .collect();
    let before: usize = widths.iter().rev().skip(1).map(|w| w + GAP.len()).sum();
    let last = widths.last().copied().unwrap_or(0);
    let limit = limit.unwrap_or(usize::MAX);
    let lines = rows.iter().map(|row| {
        if before + last <= limit {
            aligned(row, &widths)
        } else if before + LAST_COLUMN <= limit {
            wrapped(&aligned(row, &widths), Some(limit), &" ".repeat(before))
        } else {
            stacked(row, limit)
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Returns a text that takes at least so many columns.
pub fn padded(text: &str, wanted: usize) -> String {
    format!("{text}{}", " ".repeat(wanted.saturating_sub(width(text))))
}

fn aligned(row: &[String], widths: &[usize]) -> String {
    let cells: Vec<String> = row
        .iter()
        .zip(widths)
        .map(|(cell, wanted)| padded(cell, *wanted))
        .collect();
    cells.join(GAP).trim_end().to_owned()
}

/// A row whose cells fill as few lines as they need, further ones indented.
fn stacked(row: &[String], limit: usize) -> String {
    let cells: Vec<&str> = row
        .iter()
        .map(|cell| cell.trim_end())
        .filter(|c| !c.is_empty())
        .collect();
    let mut lines: Vec<String> = Vec::new();
    for cell in cells {
        match lines.last_mut() {
            Some(line) if width(line) + GAP.len() + width(cell) <= limit => {
                line.push_str(GAP);
                line.push_str(cell);
            }
            Some(_) => lines.push(format!("{STACKED}{cell}")),
            None => lines.push(cell.to_owned()),
        }
    }
    wrapped(&lines.join("\n"), Some(limit), STACKED)
}

/// Returns a text whose lines end before `limit`; what is broken off goes on below, behind `indent`. So a text of another can't be made
/// to go on at the left edge, where it would pass for an entry of its own.
pub fn wrapped(text: &str, limit: Option<usize>, indent: &str) -> String {
    let Some(limit) = limit.filter(|limit| *limit > indent.len() + 4) else {
        return text.to_owned();
    };
    let lines: Vec<String> = text.split('\n').map(|line| broken(line, limit, indent)).collect();
    lines.join("\n")
}

fn broken(line: &str, limit: usize, indent: &str) -> String {
    if width(line) <= limit {
        return line.to_owned();
    }
    let mut shown = String::with_capacity(line.len() + 64);
    // What is on the line that is being filled, where it could be broken last, and the columns behind that place.
    let (mut at, mut space, mut behind) = (0, None, 0);
    let mut colouring = false;
    for c in line.chars() {
        colouring = (colouring || c == '\u{1b}') && c != 'm';
        let columns = if colouring { 0 } else { c.width().unwrap_or(0) };
        if at + columns > limit {
            match space.take() {
                Some(place) => {
                    shown.replace_range(place..place + 1, &format!("\n{indent}"));
                    at = indent.len() + behind;
                }
                None => {
                    shown.push('\n');
                    shown.push_str(indent);
                    at = indent.len();
                }
            }
            behind = 0;
        }
        if c == ' ' && at > indent.len() {
            (space, behind) = (Some(shown.len()), 0);
        } else {
            behind += columns;
        }
        shown.push(c);
        at += columns;
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[&[&str]]) -> Vec<Vec<String>> {
        rows.iter()
            .map(|row| row.iter().map(|c| (*c).to_owned()).collect())
            .collect()
    }

    #[test]
    fn columns_are_aligned_by_what_they_take_on_a_terminal() {
        assert_eq!(table(&rows(&[&["a", "b"], &["long", "c"]]), None), "a     b\nlong  c");
        assert_eq!(table(&rows(&[&["민지", "b"], &["Bob", "c"]]), None), "민지  b\nBob   c");
        let red = "\u{1b}[31mno\u{1b}[0m";
        assert_eq!(
            table(&rows(&[&[red, "b"], &["yes", "c"]]), None),
            format!("{red}   b\nyes  c")
        );
    }

    #[test]
    fn a_wide_last_column_is_broken_below_itself() {
        let shown = table(&rows(&[&["relay", "one two three four five six seven"]]), Some(32));
        assert_eq!(shown, "relay  one two three four five\n       six seven");
    }

    #[test]
    fn rows_are_stacked_where_the_terminal_is_narrow() {
        let shown = table(
            &rows(&[&["12345678", "a name", "a state", "some more words"]]),
            Some(20),
        );
        assert_eq!(shown, "12345678  a name\n    a state\n    some more words");
    }

    #[test]
    fn f60_no_text_goes_on_at_the_left_edge() {
        let wide = format!("12:00:00  Bob: {}12:00:01  Alice: yes", "\u{a0}".repeat(30));
        for limit in 16..60 {
            let shown = wrapped(&wide, Some(limit), "          ");
            for line in shown.lines().skip(1) {
                assert!(line.starts_with("          "), "{limit}: {shown}");
            }
            assert!(shown.lines().all(|line| width(line) <= limit), "{limit}: {shown}");
        }
        assert_eq!(wrapped("가나다라마바사", Some(10), "  "), "가나다라마\n  바사");
    }
}
