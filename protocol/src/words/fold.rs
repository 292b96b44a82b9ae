//! Texts as they are compared: compatible forms are one (NFKC), case and accents don't count, and what isn't seen is left out.
//!
//! Each character knows the bytes that it comes from, so that what is found can be marked in the text as it was written.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::canonical_combining_class;

/// A character of a folded text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Letter {
    pub c: char,
    pub class: Class,
    /// The bytes that it comes from, in the text as it was written.
    pub from: usize,
    pub to: usize,
}

/// How characters make up words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Between terms.
    Space,
    /// Of words that are found by how they begin.
    Word,
    /// Of writing in which words aren't set apart, or carry endings: found anywhere.
    Wide,
    /// Signs, each by itself: punctuation and emoji.
    Sign,
}

/// Folds a text.
pub(crate) fn fold(text: &str) -> Vec<Letter> {
    let mut letters = Vec::with_capacity(text.len());
    let mut rest = text.char_indices().peekable();
    while let Some((from, first)) = rest.next() {
        let mut to = from + first.len_utf8();
        while let Some((at, next)) = rest.peek().copied()
            && continues(next)
        {
            to = at + next.len_utf8();
            rest.next();
        }
        let mut push = |c: char| {
            if !is_hidden(c) {
                let class = class(c);
                letters.push(Letter { c, class, from, to });
            }
        };
        let alone = to == from + first.len_utf8();
        match first {
            c if alone && c.is_ascii() => push(c.to_ascii_lowercase()),
            // A syllable as it is; taking it apart and together again is most of the work on Korean texts.
            c @ '\u{ac00}'..='\u{d7a3}' if alone => push(c),
            _ => {
                let group = text.get(from..to).unwrap_or_default();
                let plain = group.nfkd().filter(|c| !is_accent(*c)).nfc();
                // By way of upper case, which makes one of what has several lower forms.
                plain
                    .flat_map(char::to_uppercase)
                    .flat_map(char::to_lowercase)
                    .for_each(&mut push);
            }
        }
    }
    letters
}

/// Whether a character may melt into the one before it: marks, and the later letters of a syllable of single jamo.
fn continues(c: char) -> bool {
    !c.is_ascii()
        && (matches!(c, '\u{1160}'..='\u{11ff}' | '\u{d7b0}'..='\u{d7fb}' | '\u{ff9e}' | '\u{ff9f}')
            || canonical_combining_class(c) != 0)
}

/// Accents of alphabets; the marks of other scripts are letters to their readers.
fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

/// What no one sees: joiners, marks of direction, variation selectors.
fn is_hidden(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
}

fn class(c: char) -> Class {
    match c {
        _ if c.is_whitespace() || c.is_control() => Class::Space,
        // Thai to Tibetan, Burmese, Hangul, Khmer; kana, bopomofo, ideographs.
        '\u{e00}'..='\u{fff}'
        | '\u{1000}'..='\u{109f}'
        | '\u{1100}'..='\u{11ff}'
        | '\u{1780}'..='\u{17ff}'
        | '\u{3005}'..='\u{3007}'
        | '\u{3040}'..='\u{30ff}'
        | '\u{3100}'..='\u{318f}'
        | '\u{31a0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{a960}'..='\u{a97f}'
        | '\u{ac00}'..='\u{d7ff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}' => Class::Wide,
        _ if c.is_alphanumeric() || canonical_combining_class(c) != 0 => Class::Word,
        _ => Class::Sign,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(text: &str) -> String {
        fold(text).iter().map(|letter| letter.c).collect()
    }

    #[test]
    fn forms_case_and_accents_do_not_count() {
        for (one, other) in [
            ("Straße", "STRASSE"),
            ("café", "cafe\u{301}"),
            ("Café", "cafe"),
            ("ＡＢＣ１２", "abc12"),
            ("ﬁnal", "final"),
            ("ΣΊΣΥΦΟΣ", "σίσυφος"),
            ("안녕", "\u{110b}\u{1161}\u{11ab}\u{1102}\u{1167}\u{11bc}"),
            ("ㅋㅋ", "\u{110f}\u{110f}"),
            ("ｶﾞ", "ガ"),
            ("wo\u{ad}rd\u{200b}s", "words"),
            ("👨\u{200d}👩\u{200d}👧", "👨👩👧"),
            ("❤\u{fe0f}", "❤"),
        ] {
            assert_eq!(folded(one), folded(other), "{one} {other}");
        }
        assert_ne!(folded("가"), folded("각"));
        assert_ne!(folded("か"), folded("が"));
    }

    #[test]
    fn every_letter_knows_the_bytes_that_it_comes_from() {
        let text = "Cafe\u{301} \u{110b}\u{1161}\u{11ab}ß!";
        let places: Vec<(String, &str)> = fold(text)
            .iter()
            .map(|letter| (letter.c.to_string(), text.get(letter.from..letter.to).unwrap_or("?")))
            .collect();
        let found: Vec<(&str, &str)> = places.iter().map(|(c, bytes)| (c.as_str(), *bytes)).collect();
        let expected = [
            ("c", "C"),
            ("a", "a"),
            ("f", "f"),
            ("e", "e\u{301}"),
            (" ", " "),
            ("안", "\u{110b}\u{1161}\u{11ab}"),
            ("s", "ß"),
            ("s", "ß"),
            ("!", "!"),
        ];
        assert_eq!(found, expected);
    }
}
