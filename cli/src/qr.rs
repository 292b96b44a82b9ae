//! QR codes of links, drawn in a terminal with half blocks.
//!
//! Light parts are drawn, dark ones left out, both in colours that don't depend on the terminal's: whoever's terminal is light sees the same
//! as whoever's is dark. Where colours aren't wanted the code is right on a dark one.

use qrcode::{Color, EcLevel, QrCode};
use serde_json::Value;

use crate::fault::Fault;
use crate::out::Out;

/// White on black, by the numbers that no theme changes.
const COLOURS: &str = "\u{1b}[38;5;231;48;5;16m";
/// The terminal's own again.
const RESET: &str = "\u{1b}[0m";
/// Light modules around the code: scanners want four.
const MARGIN: usize = 4;

/// A code, line by line, and its columns.
struct Drawn {
    /// Each with the colours on and off again.
    lines: String,
    /// How wide the terminal has to be.
    columns: usize,
}

/// Prints a link, and before it its code if that is wanted.
///
/// # Errors
/// When it is too long for a code, or nothing can be printed.
pub fn print(out: &Out, document: &Value, link: &str, qr: bool) -> Result<(), Fault> {
    if !qr || out.json() {
        return out.print(document, || link.to_owned());
    }
    let drawn = draw(link)?;
    if out.width().is_some_and(|columns| columns < drawn.columns) {
        out.remark(&(out.t().qr_needs_columns)(drawn.columns));
    }
    out.print(document, || format!("{}\n{link}", drawn.lines))
}

/// Draws a text.
fn draw(text: &str) -> Result<Drawn, Fault> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L)
        .map_err(|_| Fault::failed(|t| t.too_long_for_qr.to_owned()))?;
    let side = code.width();
    let columns = side + 2 * MARGIN;
    let modules = code.to_colors();
    let is_light = |x: usize, y: usize| {
        let place = |at: usize| at.checked_sub(MARGIN).filter(|at| *at < side);
        match (place(x), place(y)) {
            (Some(x), Some(y)) => modules.get(y * side + x) == Some(&Color::Light),
            _ => true,
        }
    };
    let line = |y: usize| {
        let half = |x: usize| match (is_light(x, y), is_light(x, y + 1)) {
            (true, true) => '█',
            (true, false) => '▀',
            (false, true) => '▄',
            (false, false) => ' ',
        };
        format!("{COLOURS}{}{RESET}", (0..columns).map(half).collect::<String>())
    };
    let lines: Vec<String> = (0..columns).step_by(2).map(line).collect();
    Ok(Drawn {
        lines: lines.join("\n"),
        columns,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// What a scanner reads on a screen where each half block is so many points.
    fn scanned(drawn: &Drawn) -> String {
        const POINTS: usize = 4;
        let rows: Vec<Vec<bool>> = drawn
            .lines
            .lines()
            .flat_map(|line| {
                let line = line.strip_prefix(COLOURS).unwrap().strip_suffix(RESET).unwrap();
                let half = |top: bool| {
                    let lit = if top { '▀' } else { '▄' };
                    line.chars().map(|c| c == '█' || c == lit).collect::<Vec<bool>>()
                };
                [half(true), half(false)]
            })
            .collect();
        let (width, height) = (drawn.columns * POINTS, rows.len() * POINTS);
        let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| {
            let lit = rows.get(y / POINTS).and_then(|row| row.get(x / POINTS));
            if lit == Some(&true) { 255 } else { 0 }
        });
        let grids = image.detect_grids();
        let (_, text) = grids.first().unwrap().decode().unwrap();
        text
    }

    #[test]
    fn what_is_drawn_is_read_again() {
        for text in [
            "madang:channel?d=AAAA".to_owned(),
            format!("madang:invite?d={}", "Ab_9-".repeat(120)),
            "마당".to_owned(),
        ] {
            let drawn = draw(&text).unwrap();
            assert_eq!(scanned(&drawn), text);
            let widths = drawn.lines.lines().map(|line| line.chars().count());
            let whole = drawn.columns + COLOURS.len() + RESET.len();
            assert!(widths.into_iter().all(|width| width == whole));
        }
    }

    #[test]
    fn what_is_too_long_is_said_to_be() {
        assert!(draw(&"a".repeat(4000)).is_err());
    }
}
