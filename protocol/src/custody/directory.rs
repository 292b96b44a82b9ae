//! The public directory of a relay: channels that want to be found there.

use crate::limits;
use crate::wire::{DecodeError, Reader, Wire, Writer};

/// Put a channel into the directory, or take it out.
///
/// | bytes | field |
/// |---|---|
/// | 8 | request, chosen by the client, returned in the answer |
/// | V | an encoded [`crate::channel::Listing`], at most [`limits::LISTING_BYTES`] |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enlist {
    /// Chosen by the client, returned in the answer.
    pub request: u64,
    /// The listing.
    pub listing: Vec<u8>,
}

/// It is done and on disk.
///
/// | bytes | field |
/// |---|---|
/// | 8 | request |
/// | 8 | until when it holds, Unix seconds |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enlisted {
    /// As asked.
    pub request: u64,
    /// As the listing says.
    pub until_s: u64,
}

/// Name channels of the directory.
///
/// | bytes | field |
/// |---|---|
/// | 8 | request, chosen by the client, returned in the answer |
/// | V | words, at most [`limits::SEARCH_QUERY_BYTES`]; empty for all |
/// | V | id of a category, at most [`limits::CATEGORY_BYTES`]; empty for all |
/// | V | where to go on, from the answer before; empty for the beginning |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// Chosen by the client, returned in the answer.
    pub request: u64,
    /// Words.
    pub query: String,
    /// A category's id.
    pub category: String,
    /// Behind which place.
    pub after: Vec<u8>,
}

/// Some of what was looked for.
///
/// | bytes | field |
/// |---|---|
/// | 8 | request |
/// | V | listings `opaque<V>`, at most [`limits::LISTINGS_FOUND`] |
/// | V | where to go on; empty at the end |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// As asked.
    pub request: u64,
    /// Each an encoded [`crate::channel::Listing`], which the client checks.
    pub listings: Vec<Vec<u8>>,
    /// For [`Search::after`].
    pub next: Vec<u8>,
}

impl Wire for Enlist {
    fn write(&self, w: &mut Writer) {
        w.u64(self.request);
        w.bytes(&self.listing);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            request: r.u64("enlist.request")?,
            listing: r.bytes("enlist.listing", limits::LISTING_BYTES)?.to_vec(),
        })
    }
}

impl Wire for Enlisted {
    fn write(&self, w: &mut Writer) {
        w.u64(self.request);
        w.u64(self.until_s);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            request: r.u64("enlisted.request")?,
            until_s: r.u64("enlisted.until_s")?,
        })
    }
}

impl Wire for Search {
    fn write(&self, w: &mut Writer) {
        w.u64(self.request);
        w.bytes(self.query.as_bytes());
        w.bytes(self.category.as_bytes());
        w.bytes(&self.after);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            request: r.u64("search.request")?,
            query: r.text("search.query", limits::SEARCH_QUERY_BYTES)?,
            category: r.text("search.category", limits::CATEGORY_BYTES)?,
            after: r.bytes("search.after", limits::LISTING_PLACE_BYTES)?.to_vec(),
        })
    }
}

impl Wire for Found {
    fn write(&self, w: &mut Writer) {
        w.u64(self.request);
        w.list(&self.listings, |w, listing| w.bytes(listing));
        w.bytes(&self.next);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            request: r.u64("found.request")?,
            listings: r.list("found.listings", limits::LISTINGS_FOUND, |r| {
                Ok(r.bytes("found.listing", limits::LISTING_BYTES)?.to_vec())
            })?,
            next: r.bytes("found.next", limits::LISTING_PLACE_BYTES)?.to_vec(),
        })
    }
}
