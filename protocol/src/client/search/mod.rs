//! Looking for words in what is stored. Searches go by a read handle past the client, as `history` does.
//!
//! | file | room |
//! |---|---|
//! | `segment` | the rows of the index |
//! | `index` | keeping it |
//!
//! The index says where to look. What is found is always read in the messages as they are now, so that nothing that was deleted, edited
//! away or erased by a timer shows, also while the index still has it.

mod index;
mod segment;

pub use index::{Pass, pass};

use super::history::{Lookup, MessageView, newest_event};
use crate::keys::{AccountId, ChatId};
use crate::limits;
use crate::rows::{Rows, RowsError};
use crate::words::{Gram, Terms};
use index::{Short, news, state, text_of};
use segment::{STATE, docs, heads, matches};
use std::collections::BTreeSet;
use std::ops::Range;

/// The key in `Tree::Search` without which the index is made anew.
pub const INDEX_STATE: &[u8] = STATE;

/// What is looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Words, all of which a message has: at most [`limits::SEARCH_TERMS`], of [`limits::SEARCH_QUERY_BYTES`] together.
    pub text: String,
    /// Only in this chat.
    pub chat: Option<ChatId>,
    /// Only what this account wrote.
    pub from: Option<AccountId>,
    /// Only what was sent at this time or later, in Unix milliseconds.
    pub after_ms: Option<u64>,
    /// Only what was sent before this time.
    pub before_ms: Option<u64>,
}

/// A place in what a query finds, the newest first; a page goes on behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// When it was sent.
    pub at_ms: u64,
    /// Half its id.
    pub id: [u8; 16],
}

/// A message that has what was looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Which.
    pub message: MessageView,
    /// A part of its text around the first place.
    pub snippet: String,
    /// Bytes of the snippet that were looked for, ascending, apart.
    pub highlights: Vec<Range<usize>>,
}

/// A page of what a query finds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The newest first.
    pub hits: Vec<Hit>,
    /// Where the next page begins, if there may be more; this one may be short.
    pub next: Option<Place>,
    /// Whether all messages were looked at; not while the index is being made, or much has come at once.
    pub complete: bool,
}

/// Words to look for in texts that the index doesn't have.
#[derive(Clone, Debug)]
pub struct Words(Terms);

impl Words {
    /// Reads a query; `None` if there is nothing to look for in it, or more than [`limits::SEARCH_TERMS`].
    pub fn read(query: &str) -> Option<Self> {
        Terms::read(query).map(Self)
    }

    /// Where a text has them: bytes, ascending, apart; `None` if it lacks one.
    pub fn places(&self, text: &str) -> Option<Vec<Range<usize>>> {
        self.0.places(text)
    }
}

/// Finds messages, the newest first, at most `limit` behind a place.
pub fn find(rows: &dyn Rows, query: &Query, behind: Option<Place>, limit: usize) -> Result<Found, RowsError> {
    let Some(terms) = Terms::read(&query.text) else {
        return Ok(Found::default());
    };
    let state = state(rows)?;
    let waiting = match &state {
        Some(state) => news(rows, state.through, usize::MAX, usize::MAX)?,
        // Before there is an index, what came lately is found at least.
        None => {
            let after = newest_event(rows)?.saturating_sub(limits::SEARCH_EVENTS as u64);
            news(rows, after, usize::MAX, usize::MAX)?
        }
    };
    let mut lookup = Lookup::new(rows);
    let mut found = Found {
        complete: state.as_ref().is_some_and(|state| state.sweep.is_none()) && !waiting.pruned,
        ..Found::default()
    };
    let wanted = |at_ms: u64| {
        query.after_ms.is_none_or(|after| at_ms >= after) && query.before_ms.is_none_or(|before| at_ms < before)
    };

    let mut candidates: Vec<(Place, Option<Hit>)> = Vec::new();
    let fresh: BTreeSet<Short> = waiting.came.iter().chain(&waiting.changed).copied().collect();
    let newest = waiting.came.iter().chain(&waiting.changed).rev();
    let mut seen = BTreeSet::new();
    for short in newest
        .filter(|short| seen.insert(**short))
        .take(limits::SEARCH_UNINDEXED)
    {
        if let Some(hit) = check(&mut lookup, short, query, &terms)? {
            let at_ms = hit.message.sent_ms;
            candidates.push((Place { at_ms, id: *short }, Some(hit)));
        }
    }
    found.complete &= fresh.len() <= limits::SEARCH_UNINDEXED;

    if let Some(state) = &state {
        let mut grams = terms.grams();
        grams.extend(query.chat.map(Gram::Chat));
        grams.extend(query.from.map(Gram::From));
        for (number, head) in heads(rows)? {
            let apart = query.after_ms.is_some_and(|after| head.newest_ms < after)
                || query.before_ms.is_some_and(|before| head.oldest_ms >= before)
                || behind.is_some_and(|behind| head.oldest_ms > behind.at_ms);
            if apart {
                continue;
            }
            let places = matches(rows, &state.key, number, &grams)?;
            if places.is_empty() {
                continue;
            }
            let docs = docs(rows, number)?;
            let found = places
                .iter()
                .filter_map(|place| docs.get(usize::try_from(*place).ok()?));
            candidates.extend(found.filter(|doc| !fresh.contains(&doc.id)).map(|doc| {
                let place = Place {
                    at_ms: doc.at_ms,
                    id: doc.id,
                };
                (place, None)
            }));
        }
    }

    candidates.retain(|(place, _)| wanted(place.at_ms) && behind.is_none_or(|behind| *place < behind));
    candidates.sort_by_key(|(place, _)| std::cmp::Reverse(*place));
    candidates.dedup_by_key(|(place, _)| *place);
    let (mut last, mut reads) = (None, 0);
    for (place, hit) in candidates {
        if found.hits.len() >= limit || reads >= limits::SEARCH_READS {
            found.next = last;
            break;
        }
        last = Some(place);
        let hit = match hit {
            Some(hit) => Some(hit),
            None => {
                reads += 1;
                check(&mut lookup, &place.id, query, &terms)?
            }
        };
        if let Some(mut hit) = hit {
            hit.message = lookup.with_ledger(hit.message)?;
            found.hits.push(hit);
        }
    }
    Ok(found)
}

/// Reads a message, if it has what is looked for.
fn check(lookup: &mut Lookup<'_>, short: &Short, query: &Query, terms: &Terms) -> Result<Option<Hit>, RowsError> {
    let Some(message) = lookup.shortly(short)? else {
        return Ok(None);
    };
    let other = query.chat.is_some_and(|chat| chat != message.chat)
        || query.from.is_some_and(|account| account != message.account);
    if other {
        return Ok(None);
    }
    let text = text_of(&message);
    let Some(places) = terms.places(&text) else {
        return Ok(None);
    };
    let (snippet, highlights) = snippet(&text, &places);
    Ok(Some(Hit {
        message,
        snippet,
        highlights,
    }))
}

/// The part of a text around the first place, and the places in it. `…` stands for what is left out.
fn snippet(text: &str, places: &[Range<usize>]) -> (String, Vec<Range<usize>>) {
    const CUT: &str = "…";
    let first = places.first().map_or(0, |place| place.start);
    let mut start = first.saturating_sub(limits::SEARCH_SNIPPET_BYTES / 4);
    if text.len() <= limits::SEARCH_SNIPPET_BYTES {
        start = 0;
    }
    let mut end = text.len().min(start.saturating_add(limits::SEARCH_SNIPPET_BYTES));
    end = end.max(
        places
            .first()
            .map_or(0, |place| place.end.min(first + limits::SEARCH_SNIPPET_BYTES)),
    );
    start = (start..=first)
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or_default();
    end = (end..=text.len())
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(text.len());
    let before = if start > 0 { CUT } else { "" };
    let behind = if end < text.len() { CUT } else { "" };
    let shown = text.get(start..end).unwrap_or_default();
    let highlights = places
        .iter()
        .filter(|place| place.start >= start && place.start < end)
        .map(|place| {
            let from = place.start - start + before.len();
            from..place.end.min(end) - start + before.len()
        })
        .collect();
    ([before, shown, behind].concat(), highlights)
}
