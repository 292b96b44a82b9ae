//! What is looked for, and the grams by which texts that may have it are found: short pieces, so that parts of words are found too.
//!
//! | writing | a text has | a word of a query asks for |
//! |---|---|---|
//! | words (Latin, digits, …) | how it begins, up to three letters; all threes | how it begins; the threes after that |
//! | Hangul, kana, ideographs, … | each letter; all twos | the letter if it is one; else its twos |
//! | signs, emoji | each | each |
//!
//! Grams only say where to look: whether a text has what is looked for is then read in the text itself ([`Terms::places`]).

use super::fold::{Class, Letter, fold};
use crate::keys::{AccountId, ChatId};
use crate::limits;
use std::ops::Range;

/// Letters of a word from which grams are made; the rest of a longer one is only compared.
const WORD_LETTERS: usize = 32;

/// What an index tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Gram {
    /// How a word begins: one to three letters.
    Start([char; 3]),
    /// Three letters further on in a word.
    Inside([char; 3]),
    /// A letter or sign by itself.
    One(char),
    /// Two letters of a writing in which words aren't set apart.
    Two([char; 2]),
    /// A message of this chat.
    Chat(ChatId),
    /// A message by this account.
    From(AccountId),
}

impl Gram {
    /// Its bytes for hashing.
    pub fn bytes(&self) -> Vec<u8> {
        let letters = |kind: u8, letters: &[char]| {
            let mut bytes = vec![kind];
            letters.iter().for_each(|c| bytes.extend(u32::from(*c).to_be_bytes()));
            bytes
        };
        match self {
            Self::Start(three) => letters(0, three),
            Self::Inside(three) => letters(1, three),
            Self::One(one) => letters(2, &[*one]),
            Self::Two(two) => letters(3, two),
            Self::Chat(chat) => [&[4], chat.0.as_slice()].concat(),
            Self::From(account) => [&[5], account.0.as_slice()].concat(),
        }
    }
}

/// The grams of a text, each once.
pub(crate) fn grams(text: &[Letter]) -> Vec<Gram> {
    let mut found = Vec::with_capacity(text.len() * 2);
    for run in runs(text) {
        each_gram(run, true, &mut found);
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// Letters of one class in a row; each sign by itself.
fn runs(text: &[Letter]) -> impl Iterator<Item = &[Letter]> {
    text.chunk_by(|one, next| one.class == next.class && one.class != Class::Sign)
}

/// The grams of a run: all, or those that a query asks for.
fn each_gram(run: &[Letter], all: bool, found: &mut Vec<Gram>) {
    let Some(first) = run.first() else {
        return;
    };
    match first.class {
        Class::Space => {}
        Class::Sign => found.push(Gram::One(first.c)),
        Class::Wide => {
            if all || run.len() == 1 {
                found.extend(run.iter().map(|letter| Gram::One(letter.c)));
            }
            let twos = run.windows(2).filter_map(|two| match two {
                [one, other] => Some(Gram::Two([one.c, other.c])),
                _ => None,
            });
            found.extend(twos);
        }
        Class::Word => {
            let letters: Vec<char> = run.iter().take(WORD_LETTERS).map(|letter| letter.c).collect();
            let start = |len: usize| {
                let mut three = ['\0'; 3];
                for (place, letter) in three.iter_mut().zip(letters.iter().take(len)) {
                    *place = *letter;
                }
                Gram::Start(three)
            };
            if all {
                found.extend((1..letters.len().min(3)).map(start));
            }
            found.push(start(3));
            let inside = letters.windows(3).skip(1).filter_map(|three| three.try_into().ok());
            found.extend(inside.map(Gram::Inside));
        }
    }
}

/// What a query asks for: all of its terms, anywhere in a text.
#[derive(Clone, Debug)]
pub(crate) struct Terms(Vec<Vec<Letter>>);

impl Terms {
    /// The terms of a query; `None` if there is none, or there are too many.
    pub fn read(query: &str) -> Option<Self> {
        let folded = fold(query);
        let mut terms: Vec<Vec<Letter>> = folded
            .split(|letter| letter.class == Class::Space)
            .filter(|term| !term.is_empty())
            .map(<[Letter]>::to_vec)
            .collect();
        let chars = |term: &Vec<Letter>| term.iter().map(|letter| letter.c).collect::<Vec<char>>();
        terms.sort_by_key(chars);
        terms.dedup_by_key(|term| chars(term));
        let fits = !terms.is_empty() && terms.len() <= limits::SEARCH_TERMS;
        fits.then_some(Self(terms))
    }

    /// The grams that a text has if it has all terms.
    pub fn grams(&self) -> Vec<Gram> {
        let mut found = Vec::new();
        for run in self.0.iter().flat_map(|term| runs(term)) {
            each_gram(run, false, &mut found);
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Where a text has them: bytes of the text as it was written, ascending, apart; `None` if it lacks one.
    pub fn places(&self, text: &str) -> Option<Vec<Range<usize>>> {
        let folded = fold(text);
        let mut places: Vec<Range<usize>> = Vec::new();
        for term in &self.0 {
            let before = places.len();
            let found = (0..folded.len()).filter_map(|at| begins(&folded, at, term));
            places.extend(found.take(limits::SEARCH_HIGHLIGHTS));
            if places.len() == before {
                return None;
            }
        }
        places.sort_by_key(|place| (place.start, place.end));
        let mut apart: Vec<Range<usize>> = Vec::new();
        for place in places {
            match apart.last_mut() {
                Some(last) if place.start <= last.end => last.end = last.end.max(place.end),
                _ => apart.push(place),
            }
        }
        apart.truncate(limits::SEARCH_HIGHLIGHTS);
        Some(apart)
    }
}

/// Whether a term is at a place of a text. A word has to begin there; what comes behind it doesn't count.
fn begins(text: &[Letter], at: usize, term: &[Letter]) -> Option<Range<usize>> {
    let there = text.get(at..at.checked_add(term.len())?)?;
    let first = term.first()?;
    if there.first()?.c != first.c || !there.iter().zip(term).all(|(one, other)| one.c == other.c) {
        return None;
    }
    let before = at.checked_sub(1).and_then(|before| text.get(before));
    if first.class == Class::Word && before.is_some_and(|before| before.class == Class::Word) {
        return None;
    }
    Some(there.first()?.from..there.last()?.to)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn found<'a>(query: &str, text: &'a str) -> Option<Vec<&'a str>> {
        let terms = Terms::read(query).unwrap();
        let places = terms.places(text);
        if places.is_some() {
            let has = grams(&fold(text));
            assert!(terms.grams().iter().all(|gram| has.contains(gram)), "{query} in {text}");
        }
        places.map(|places| places.into_iter().map(|place| text.get(place).unwrap()).collect())
    }

    #[test]
    fn hangul_is_found_anywhere_and_words_by_how_they_begin() {
        assert_eq!(found("녕하", "안녕하세요"), Some(vec!["녕하"]));
        assert_eq!(found("세", "안녕하세요"), Some(vec!["세"]));
        assert_eq!(found("당", "Madang마당을"), Some(vec!["당"]));
        assert_eq!(found("meet", "Let's MEET at the meeting"), Some(vec!["MEET", "meet"]));
        assert_eq!(found("eeting", "the meeting"), None);
        assert_eq!(found("요안", "안녕하세요 안녕"), None);
        assert_eq!(found("ㅋㅋ", "아ㅋㅋㅋ"), Some(vec!["ㅋㅋㅋ"]));
        assert_eq!(found("kakao", "카톡kakaotalk"), Some(vec!["kakao"]));
    }

    #[test]
    fn every_term_has_to_be_there_in_any_order_and_signs_count() {
        assert_eq!(found("내일 회의", "회의는 내일이에요"), Some(vec!["회의", "내일"]));
        assert_eq!(found("내일 모레", "회의는 내일이에요"), None);
        assert_eq!(found("🎉", "축하해요🎉🎉"), Some(vec!["🎉🎉"]));
        assert_eq!(found("c++", "In C++20 or C"), Some(vec!["C++"]));
        assert_eq!(found("user@ex", "mail user@example.org"), Some(vec!["user@ex"]));
        let long = "x".repeat(100);
        assert_eq!(found(&long, &format!("{long}y")), Some(vec![long.as_str()]));
        assert_eq!(found(&long, &"x".repeat(99)), None);
    }

    #[test]
    fn a_query_has_something_to_look_for_and_not_too_much() {
        assert!(Terms::read(" \u{200b}\n").is_none());
        let many: Vec<String> = (0..=limits::SEARCH_TERMS).map(|n| n.to_string()).collect();
        assert!(Terms::read(&many.join(" ")).is_none());
        assert!(Terms::read(&"same ".repeat(99)).is_some());
    }
}
