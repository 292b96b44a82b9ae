//! Segments of the search index: up to [`limits::SEARCH_SEGMENT`] messages, and which of them have which gram.
//!
//! | key in `Search` | value |
//! |---|---|
//! | 0 | the state of the index |
//! | 1, segment (4) | how many messages it has, and of when |
//! | 2, segment | the messages: time (8), half an id (16), part of a hash of the text (4); zeros where one was struck |
//! | 3, segment, bucket (1) | grams, ascending by fingerprint: difference to the one before, bytes of the list, list of places as differences |
//!
//! Bucket and fingerprint of a gram come of a hash under the index's own key, so that the keys and sizes of rows, which anybody with the
//! disk sees, don't tell which letters a text has. Numbers in lists are LEB128.

use crate::client::records::{decode, encode_small};
use crate::limits;
use crate::rows::{Batch, Rows, RowsError, Tree};
use crate::words::Gram;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The state's key.
pub(super) const STATE: &[u8] = &[0];
const HEAD: u8 = 1;
const DOCS: u8 = 2;
const TERMS: u8 = 3;
/// Buckets of a segment: a search reads one for each gram, of about 2 KiB.
const BUCKETS: u8 = 64;
/// Bytes of a message in a segment's list.
const DOC_BYTES: usize = 8 + 16 + 4;

/// A segment at a glance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    /// Messages that are in it still.
    pub living: u32,
    pub oldest_ms: u64,
    pub newest_ms: u64,
}

/// A message in a segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Doc {
    pub at_ms: u64,
    pub id: [u8; 16],
    /// Tells whether the text has changed since.
    pub text: u32,
}

impl Doc {
    fn is_struck(&self) -> bool {
        *self == Self::default()
    }
}

/// The index's key.
pub(super) type IndexKey = [u8; 32];

/// Where a gram is in each segment.
fn slot(key: &IndexKey, gram: &Gram) -> (u8, u32) {
    let hash = blake3::keyed_hash(key, &gram.bytes());
    let (bucket, rest) = hash.as_bytes().split_first().unwrap_or((&0, &[]));
    let fingerprint = rest.first_chunk().copied().unwrap_or_default();
    (bucket % BUCKETS, u32::from_be_bytes(fingerprint))
}

/// What tells a text from another one.
pub(super) fn text_hash(key: &IndexKey, text: &str) -> u32 {
    let hash = blake3::keyed_hash(key, text.as_bytes());
    u32::from_be_bytes(hash.as_bytes().first_chunk().copied().unwrap_or_default())
}

fn row_key(kind: u8, segment: u32) -> Vec<u8> {
    [&[kind][..], &segment.to_be_bytes()].concat()
}

fn bucket_key(segment: u32, bucket: u8) -> Vec<u8> {
    let mut stored = row_key(TERMS, segment);
    stored.push(bucket);
    stored
}

/// All segments, by number.
pub(super) fn heads(rows: &dyn Rows) -> Result<Vec<(u32, Head)>, RowsError> {
    let mut list = Vec::new();
    for (stored, value) in rows.prefix(Tree::Search, &[HEAD], usize::MAX)? {
        let number = stored.get(1..).and_then(|bytes| bytes.try_into().ok());
        let number = number.map(u32::from_be_bytes).ok_or_else(damaged)?;
        list.push((number, decode(&value)?));
    }
    Ok(list)
}

/// A segment's messages; struck ones are among them.
pub(super) fn docs(rows: &dyn Rows, segment: u32) -> Result<Vec<Doc>, RowsError> {
    let stored = rows.get(Tree::Search, &row_key(DOCS, segment))?;
    let list = stored.ok_or_else(damaged)?;
    list.chunks(DOC_BYTES)
        .map(read_doc)
        .collect::<Option<_>>()
        .ok_or_else(damaged)
}

fn read_doc(bytes: &[u8]) -> Option<Doc> {
    let (at_ms, rest) = bytes.split_first_chunk()?;
    let (id, text) = rest.split_first_chunk()?;
    Some(Doc {
        at_ms: u64::from_be_bytes(*at_ms),
        id: *id,
        text: u32::from_be_bytes(text.try_into().ok()?),
    })
}

fn write_docs(docs: &[Doc]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(docs.len() * DOC_BYTES);
    for doc in docs {
        bytes.extend(doc.at_ms.to_be_bytes());
        bytes.extend(doc.id);
        bytes.extend(doc.text.to_be_bytes());
    }
    bytes
}

fn damaged() -> RowsError {
    RowsError {
        reason: "a row of the search index is missing or can't be read".into(),
    }
}

/// The places in a segment's list of the messages that have all of some grams.
pub(super) fn matches(rows: &dyn Rows, key: &IndexKey, segment: u32, grams: &[Gram]) -> Result<Vec<u32>, RowsError> {
    let mut places: Option<Vec<u32>> = None;
    let mut slots: Vec<(u8, u32)> = grams.iter().map(|gram| slot(key, gram)).collect();
    slots.sort_unstable();
    let mut read: Option<(u8, Vec<u8>)> = None;
    for (bucket, fingerprint) in slots {
        if read.as_ref().is_none_or(|(known, _)| *known != bucket) {
            let stored = rows.get(Tree::Search, &bucket_key(segment, bucket))?;
            read = Some((bucket, stored.unwrap_or_default()));
        }
        let bytes = read.as_ref().map(|(_, bytes)| bytes.as_slice()).unwrap_or_default();
        let mut found = Vec::new();
        for entry in Entries(bytes, 0) {
            let (known, list) = entry?;
            if known >= fingerprint {
                if known == fingerprint {
                    found = list_of(list)?;
                }
                break;
            }
        }
        let both = match places {
            None => found,
            Some(mut places) => {
                places.retain(|place| found.binary_search(place).is_ok());
                places
            }
        };
        if both.is_empty() {
            return Ok(both);
        }
        places = Some(both);
    }
    Ok(places.unwrap_or_default())
}

/// The grams of a bucket: fingerprint and list.
struct Entries<'a>(&'a [u8], u32);

impl<'a> Iterator for Entries<'a> {
    type Item = Result<(u32, &'a [u8]), RowsError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let entry = self.read();
        if entry.is_none() {
            self.0 = &[];
        }
        Some(entry.ok_or_else(damaged))
    }
}

impl<'a> Entries<'a> {
    fn read(&mut self) -> Option<(u32, &'a [u8])> {
        self.1 = self.1.checked_add(take_number(&mut self.0)?)?;
        let length = usize::try_from(take_number(&mut self.0)?).ok()?;
        let (list, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some((self.1, list))
    }
}

/// The places of a list, ascending.
fn list_of(mut bytes: &[u8]) -> Result<Vec<u32>, RowsError> {
    let (mut places, mut last) = (Vec::new(), 0_u32);
    while !bytes.is_empty() {
        let step = take_number(&mut bytes).ok_or_else(damaged)?;
        last = last.checked_add(step).ok_or_else(damaged)?;
        places.push(last);
    }
    Ok(places)
}

fn take_number(bytes: &mut &[u8]) -> Option<u32> {
    let mut number = 0_u32;
    for shift in (0..=28).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u32::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn put_number(bytes: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// A bucket in the making.
#[derive(Default)]
struct BucketWriter {
    bytes: Vec<u8>,
    last: u32,
}

impl BucketWriter {
    /// Adds the next gram; without places it is left out.
    fn gram(&mut self, fingerprint: u32, places: impl Iterator<Item = u32>) {
        let (mut list, mut last) = (Vec::new(), 0);
        for place in places {
            put_number(&mut list, place - last);
            last = place;
        }
        if list.is_empty() {
            return;
        }
        put_number(&mut self.bytes, fingerprint - self.last);
        self.last = fingerprint;
        put_number(&mut self.bytes, u32::try_from(list.len()).unwrap_or(u32::MAX));
        self.bytes.extend(list);
    }
}

/// A segment in the making.
#[derive(Default)]
pub(super) struct Builder {
    docs: Vec<Doc>,
    /// Bucket, fingerprint, place in the list.
    found: Vec<(u8, u32, u32)>,
    text_bytes: usize,
}

impl Builder {
    /// Whether it has room for more.
    pub fn is_full(&self) -> bool {
        self.docs.len() >= limits::SEARCH_SEGMENT || self.text_bytes >= limits::SEARCH_SEGMENT_BYTES
    }

    pub fn len(&self) -> usize {
        self.docs.len()
    }

    pub fn add(&mut self, key: &IndexKey, doc: Doc, text_bytes: usize, grams: &[Gram]) {
        let place = u32::try_from(self.docs.len()).unwrap_or(u32::MAX);
        self.docs.push(doc);
        self.text_bytes += text_bytes;
        self.found.extend(grams.iter().map(|gram| {
            let (bucket, fingerprint) = slot(key, gram);
            (bucket, fingerprint, place)
        }));
    }

    /// Writes it under a number of its own.
    pub fn write(mut self, segment: u32, batch: &mut Batch) -> Result<(), RowsError> {
        self.found.sort_unstable();
        self.found.dedup();
        for of_bucket in self.found.chunk_by(|one, next| one.0 == next.0) {
            let mut writer = BucketWriter::default();
            for of_gram in of_bucket.chunk_by(|one, next| one.1 == next.1) {
                if let Some((_, fingerprint, _)) = of_gram.first() {
                    writer.gram(*fingerprint, of_gram.iter().map(|(.., place)| *place));
                }
            }
            if let Some((bucket, ..)) = of_bucket.first() {
                batch.put(Tree::Search, bucket_key(segment, *bucket), writer.bytes);
            }
        }
        write_list(segment, &self.docs, batch)
    }
}

/// Writes a segment's messages, and what there is to say of them.
fn write_list(segment: u32, docs: &[Doc], batch: &mut Batch) -> Result<(), RowsError> {
    let living = || docs.iter().filter(|doc| !doc.is_struck());
    let head = Head {
        living: u32::try_from(living().count()).unwrap_or(u32::MAX),
        oldest_ms: living().map(|doc| doc.at_ms).min().unwrap_or_default(),
        newest_ms: living().map(|doc| doc.at_ms).max().unwrap_or_default(),
    };
    if head.living == 0 {
        erase(segment, batch);
        return Ok(());
    }
    batch.put(Tree::Search, row_key(DOCS, segment), write_docs(docs));
    batch.put(Tree::Search, row_key(HEAD, segment), encode_small(&head)?);
    Ok(())
}

/// Removes a segment.
pub(super) fn erase(segment: u32, batch: &mut Batch) {
    for kind in [HEAD, DOCS] {
        batch.delete(Tree::Search, row_key(kind, segment));
    }
    for bucket in 0..BUCKETS {
        batch.delete(Tree::Search, bucket_key(segment, bucket));
    }
}

/// Leaves nothing in a segment of what some of its messages had.
pub(super) fn strike(
    rows: &dyn Rows,
    segment: u32,
    mut docs: Vec<Doc>,
    struck: &BTreeSet<u32>,
    batch: &mut Batch,
) -> Result<(), RowsError> {
    for bucket in 0..BUCKETS {
        let stored = bucket_key(segment, bucket);
        let Some(bytes) = rows.get(Tree::Search, &stored)? else {
            continue;
        };
        let mut writer = BucketWriter::default();
        for entry in Entries(&bytes, 0) {
            let (fingerprint, list) = entry?;
            let places = list_of(list)?.into_iter();
            writer.gram(fingerprint, places.filter(|place| !struck.contains(place)));
        }
        if writer.bytes.is_empty() {
            batch.delete(Tree::Search, stored);
        } else if writer.bytes != bytes {
            batch.put(Tree::Search, stored, writer.bytes);
        }
    }
    for place in struck {
        if let Some(doc) = usize::try_from(*place).ok().and_then(|place| docs.get_mut(place)) {
            *doc = Doc::default();
        }
    }
    write_list(segment, &docs, batch)
}
