//! Keeping the search index: it follows the event log, in passes that the shell makes when it has time.
//!
//! Nothing of it is written with a message. What the log tells that the index doesn't have yet is read by each search itself, so that a
//! search always finds what is there now, and only that. A pass writes when a segment's worth of messages has come, when something was
//! edited or erased that a segment has, or when much of the log waits. Where the log was pruned before it was read, and in data of
//! versions that had no index, it is made anew by reading all messages.

use super::segment::{Builder, Doc, IndexKey, STATE, docs, erase, heads, strike, text_hash};
use crate::client::history::{Lookup, MessageView, events, newest_event};
use crate::client::records::{decode, encode, key};
use crate::client::{EventRow, expiry};
use crate::limits;
use crate::message::Body;
use crate::rows::{Batch, Rows, RowsError, Tree, prefix_end};
use crate::words::{Gram, fold, grams};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How texts become grams, and how segments are written: another number has the index made anew.
const VERSION: u32 = 2;
/// Rows of messages that are read at once, so that commits don't wait for long.
const CHUNK: usize = 128;
/// Segments with fewer living messages than this part of a full one are put together with what is new.
const SPARSE: usize = limits::SEARCH_SEGMENT / 2;

/// Half a message's id.
pub(super) type Short = [u8; 16];

/// Where the index stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StateRow {
    pub version: u32,
    #[serde(with = "serde_bytes")]
    pub key: IndexKey,
    /// The last event that it has taken in.
    pub through: u64,
    /// While all messages are read: where that goes on.
    pub sweep: Option<serde_bytes::ByteBuf>,
    /// The number of the next segment.
    pub next: u32,
}

/// What a pass wants written.
#[derive(Debug, Default)]
pub struct Pass {
    /// To be committed before the next pass.
    pub batch: Batch,
    /// There is more to do at once.
    pub again: bool,
}

/// What the log tells that the index doesn't have.
#[derive(Debug, Default)]
pub(super) struct News {
    /// Messages that came, the oldest first, and those that something was done to.
    pub came: Vec<Short>,
    pub changed: Vec<Short>,
    /// The last event that tells of these.
    pub through: u64,
    /// Some of the log is gone.
    pub pruned: bool,
    /// How many events were read.
    pub events: usize,
}

/// The index's state; none if there is no index that could be read.
pub(super) fn state(rows: &dyn Rows) -> Result<Option<StateRow>, RowsError> {
    let stored = rows.get(Tree::Search, STATE)?;
    let state = stored.and_then(|bytes| decode::<StateRow>(&bytes).ok());
    Ok(state.filter(|state| state.version == VERSION))
}

/// Reads the log on from an event, until so many messages came or so many events were read.
pub(super) fn news(rows: &dyn Rows, after: u64, messages: usize, most: usize) -> Result<News, RowsError> {
    let mut news = News {
        through: after,
        ..News::default()
    };
    while news.came.len() < messages && news.events < most {
        let read = events(rows, news.through, 1024)?;
        news.pruned |= read.missing.is_some();
        if read.next == news.through {
            break;
        }
        news.through = read.next;
        news.events += read.events.len();
        for (cursor, event) in read.events {
            match event {
                EventRow::MessageReceived { message } | EventRow::MessageSent { message } => {
                    news.came.push(expiry::short(&message));
                }
                EventRow::MessageUpdated { message } | EventRow::MessageExpired { message, .. } => {
                    news.changed.push(expiry::short(&message));
                }
                _ => continue,
            }
            if news.came.len() >= messages {
                news.through = cursor;
                break;
            }
        }
    }
    Ok(news)
}

/// What people read in a message.
pub(super) fn text_of(view: &MessageView) -> String {
    match &view.body {
        _ if view.deleted => String::new(),
        Body::Text(text) => text.clone(),
        Body::Poll(poll) => [std::slice::from_ref(&poll.question), &poll.options]
            .concat()
            .join("\n"),
        Body::Files(files) => {
            let items = files.items.iter().flat_map(|item| [item.name.as_str(), &item.caption]);
            let lines = std::iter::once(view.fallback.as_str()).chain(items);
            lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
        }
        Body::Channel(link) => link.name.clone(),
        _ => view.fallback.clone(),
    }
}

/// Makes a pass. `fresh_key` must be fresh randomness: it becomes the key of an index that is made anew.
pub fn pass(rows: &dyn Rows, fresh_key: [u8; 32]) -> Result<Pass, RowsError> {
    let Some(state) = state(rows)? else {
        return renew(rows, fresh_key);
    };
    if let Some(from) = state.sweep.clone() {
        return sweep(rows, state, &from);
    }
    let news = news(rows, state.through, limits::SEARCH_SEGMENT, limits::SEARCH_EVENTS)?;
    if news.pruned {
        return renew(rows, fresh_key);
    }
    let mut pass = Pass {
        again: news.came.len() >= limits::SEARCH_SEGMENT || news.events >= limits::SEARCH_EVENTS,
        ..Pass::default()
    };
    let mut lookup = Lookup::new(rows);
    let Some((stale, alive)) = stale(rows, &state, &news, &mut lookup)? else {
        // One that is here came under another id: it was numbered anew, and the index has it by the old one.
        return renew(rows, fresh_key);
    };
    if !pass.again && stale.is_empty() {
        return Ok(pass);
    }
    for (number, struck) in &stale {
        strike(rows, *number, docs(rows, *number)?, struck, &mut pass.batch)?;
    }
    let mut making = Making::new(state, lookup);
    let mut joined: Vec<Short> = news.came.into_iter().chain(alive).collect();
    let mut sparse = heads(rows)?;
    sparse.retain(|(number, head)| (head.living as usize) < SPARSE && !stale.contains_key(number));
    sparse.sort_by_key(|(_, head)| head.living);
    for (number, head) in sparse {
        if joined.len() + head.living as usize > limits::SEARCH_SEGMENT {
            break;
        }
        let living = docs(rows, number)?
            .into_iter()
            .map(|doc| doc.id)
            .filter(|id| *id != [0; 16]);
        joined.extend(living);
        erase(number, &mut pass.batch);
    }
    let mut known = BTreeSet::new();
    for short in joined.into_iter().filter(|short| known.insert(*short)) {
        if let Some(view) = making.lookup.shortly(&short)? {
            making.add(&short, &view, &mut pass.batch)?;
        }
    }
    making.state.through = news.through;
    making.finish(&mut pass.batch)?;
    Ok(pass)
}

/// A message to which something was done.
#[derive(Default)]
struct Changed {
    /// What tells its text from another; none if it has none any more.
    text: Option<u32>,
    /// Some segment has it; and one with another text.
    known: bool,
    struck: bool,
}

/// Places of messages by segment.
type Places = BTreeMap<u32, BTreeSet<u32>>;

/// What segments have that is so no more, and which of the changed messages are here with a text that no segment has; `None` if one of
/// those was in the index under another id.
fn stale(
    rows: &dyn Rows,
    state: &StateRow,
    news: &News,
    lookup: &mut Lookup<'_>,
) -> Result<Option<(Places, Vec<Short>)>, RowsError> {
    let mut changed: BTreeMap<Short, Changed> = BTreeMap::new();
    for short in &news.changed {
        let view = lookup.shortly(short)?;
        let text = view.map(|view| text_of(&view)).filter(|text| !text.is_empty());
        let now = Changed {
            text: text.map(|text| text_hash(&state.key, &text)),
            ..Changed::default()
        };
        changed.insert(*short, now);
    }
    let mut places = Places::new();
    if !changed.is_empty() {
        for (number, _) in heads(rows)? {
            for (place, doc) in (0..).zip(docs(rows, number)?) {
                let Some(now) = changed.get_mut(&doc.id) else {
                    continue;
                };
                now.known = true;
                if now.text != Some(doc.text) {
                    now.struck = true;
                    places.entry(number).or_default().insert(place);
                }
            }
        }
    }
    let came: BTreeSet<&Short> = news.came.iter().collect();
    let lives = |now: &Changed| now.text.is_some();
    if changed
        .iter()
        .any(|(short, now)| lives(now) && !now.known && !came.contains(short))
    {
        return Ok(None);
    }
    let alive = changed.iter().filter(|(_, now)| lives(now) && now.struck);
    let alive = alive.map(|(short, _)| *short).collect();
    Ok(Some((places, alive)))
}

/// Begins anew: erases what there is, and reads all messages.
fn renew(rows: &dyn Rows, fresh_key: [u8; 32]) -> Result<Pass, RowsError> {
    let mut batch = Batch::default();
    for (stored, _) in rows.prefix(Tree::Search, &[], limits::SEARCH_SEGMENT)? {
        batch.delete(Tree::Search, stored);
    }
    // In steps that a commit takes: the state goes first, so that the next step goes on with the rest.
    if batch.is_empty() {
        let state = StateRow {
            version: VERSION,
            key: fresh_key,
            through: newest_event(rows)?,
            sweep: Some(serde_bytes::ByteBuf::new()),
            next: 1,
        };
        batch.put(Tree::Search, STATE, encode(&state)?);
    }
    Ok(Pass { batch, again: true })
}

/// Takes in the next of all messages.
fn sweep(rows: &dyn Rows, state: StateRow, from: &[u8]) -> Result<Pass, RowsError> {
    let mut pass = Pass {
        again: true,
        ..Pass::default()
    };
    let mut making = Making::new(state, Lookup::new(rows));
    let mut from = from.to_vec();
    let end = prefix_end(&[]);
    let (mut ended, mut count) = (false, 0);
    while !ended && count < limits::SEARCH_SEGMENT {
        let chunk = rows.range(Tree::Messages, &from, &end, CHUNK, false)?;
        ended = chunk.len() < CHUNK;
        count += chunk.len();
        for (stored, value) in chunk {
            if let Some(view) = making.lookup.of_row(&stored, &value)?
                && let Ok(short) = key::message_short(&stored).try_into()
            {
                making.add(&short, &view, &mut pass.batch)?;
            }
            from = [stored.as_slice(), &[0]].concat();
        }
    }
    making.state.sweep = (!ended).then(|| serde_bytes::ByteBuf::from(from));
    making.finish(&mut pass.batch)?;
    Ok(pass)
}

/// A pass that adds messages.
struct Making<'a> {
    state: StateRow,
    builder: Builder,
    lookup: Lookup<'a>,
}

impl<'a> Making<'a> {
    fn new(state: StateRow, lookup: Lookup<'a>) -> Self {
        Self {
            state,
            builder: Builder::default(),
            lookup,
        }
    }

    fn add(&mut self, short: &Short, view: &MessageView, batch: &mut Batch) -> Result<(), RowsError> {
        let text = text_of(view);
        if text.is_empty() {
            return Ok(());
        }
        let mut found = grams(&fold(&text));
        found.extend([Gram::Chat(view.chat), Gram::From(view.account)]);
        let doc = Doc {
            at_ms: view.sent_ms,
            id: *short,
            text: text_hash(&self.state.key, &text),
        };
        self.builder.add(&self.state.key, doc, text.len(), &found);
        if self.builder.is_full() {
            self.close(batch)?;
        }
        Ok(())
    }

    fn close(&mut self, batch: &mut Batch) -> Result<(), RowsError> {
        let builder = std::mem::take(&mut self.builder);
        if builder.len() > 0 {
            builder.write(self.state.next, batch)?;
            self.state.next += 1;
        }
        Ok(())
    }

    fn finish(mut self, batch: &mut Batch) -> Result<(), RowsError> {
        self.close(batch)?;
        batch.put(Tree::Search, STATE, encode(&self.state)?);
        Ok(())
    }
}
