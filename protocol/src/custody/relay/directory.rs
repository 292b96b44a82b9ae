//! The public directory: channels whose roots want them to be found here. It is in memory as well as in its rows, since it is small.

use super::Relay;
use super::config::{
    LISTINGS_LOOKED_AT, LISTINGS_PER_EXPIRY, READ_ONLY_RETRY_S, RETRY_S, ROWS_PER_READ, SEARCHES_PER_MINUTE,
};
use super::damage::{self, Damage, First};
use super::windows::Spent;
use crate::channel::{Listing, ListingError, Wanted};
use crate::custody::frames::{CustodianFrame, Refusal};
use crate::custody::{Enlist, Enlisted, Found, Search};
use crate::keys::{ChannelId, TransportKey};
use crate::limits;
use crate::rows::{Rows, RowsError, Tree};
use crate::wire::Wire;
use std::collections::{BTreeMap, BTreeSet};

/// Channels by their places.
#[derive(Debug, Default)]
pub(super) struct Directory {
    listed: BTreeMap<Vec<u8>, Listing>,
    places: BTreeMap<ChannelId, Vec<u8>>,
    due: BTreeSet<(u64, ChannelId)>,
    /// Searches, listings and questions for figures of all peers lately.
    asked: Spent,
}

impl Directory {
    pub fn load(rows: &dyn Rows, most: usize, damage: &mut Damage) -> Result<Self, RowsError> {
        let mut directory = Self::default();
        // Where there is no directory what is stored of an earlier one waits, and expires once there is one again.
        if most == 0 {
            return Ok(directory);
        }
        let end = crate::rows::prefix_end(&[]);
        let mut after = Vec::new();
        loop {
            let read = match damage::first(rows, Tree::RelayListings, (&after, &end), ROWS_PER_READ, 32)? {
                First::Rows(read) => read,
                First::Damaged(key) => {
                    after = [key.as_slice(), &[0]].concat();
                    damage.note(Tree::RelayListings, key);
                    continue;
                }
            };
            let Some((last, _)) = read.last() else {
                return Ok(directory);
            };
            after = [last.as_slice(), &[0]].concat();
            for (key, value) in read {
                match Listing::decode(&value) {
                    Ok(listing) => directory.put(listing),
                    Err(_) => drop(damage.note(Tree::RelayListings, key)),
                }
            }
        }
    }

    pub fn len(&self) -> usize {
        self.listed.len()
    }

    fn get(&self, channel: &ChannelId) -> Option<&Listing> {
        self.listed.get(self.places.get(channel)?)
    }

    fn put(&mut self, listing: Listing) {
        self.remove(&listing.channel);
        let place = listing.place();
        self.places.insert(listing.channel, place.clone());
        self.due.insert((listing.until_s, listing.channel));
        self.listed.insert(place, listing);
    }

    fn remove(&mut self, channel: &ChannelId) {
        let gone = self.places.remove(channel).and_then(|place| self.listed.remove(&place));
        if let Some(gone) = gone {
            self.due.remove(&(gone.until_s, gone.channel));
        }
    }

    /// What is looked for behind a place: as much as an answer has room for, of so many that are looked at.
    fn find(&self, now_s: u64, search: &Search, wanted: &Wanted) -> Found {
        let mut found = Found {
            request: search.request,
            listings: Vec::new(),
            next: Vec::new(),
        };
        let mut bytes = 0;
        let from = (
            std::ops::Bound::Excluded(search.after.clone()),
            std::ops::Bound::Unbounded,
        );
        for (looked, (place, listing)) in self.listed.range(from).enumerate() {
            let full = found.listings.len() == limits::LISTINGS_FOUND
                || bytes + limits::LISTING_BYTES > limits::PAGE_BYTES
                || looked == LISTINGS_LOOKED_AT;
            if full {
                return found;
            }
            if listing.until_s >= now_s && wanted.is(listing) {
                let listing = listing.encode();
                bytes += listing.len();
                found.listings.push(listing);
            }
            found.next.clone_from(place);
        }
        found.next.clear();
        found
    }
}

impl Relay {
    pub(super) fn enlist(
        &mut self,
        now_s: u64,
        peer: TransportKey,
        enlist: &Enlist,
        rows: &dyn Rows,
    ) -> Result<(), RowsError> {
        let request = enlist.request;
        if self.read_only {
            self.refuse_watch(peer, request, Refusal::ReadOnly, READ_ONLY_RETRY_S);
            return Ok(());
        }
        if self.too_often(now_s, peer, request) {
            return Ok(());
        }
        let (listing, why) = match Listing::decode(&enlist.listing) {
            Ok(listing) => {
                let verified = listing.verify(&self.key.public(), now_s);
                (Some(listing), verified.err())
            }
            Err(error) => (None, Some(ListingError::Decode(error))),
        };
        let Some(listing) = listing.filter(|_| why.is_none()) else {
            let (why, retry_after_s) = match why {
                // Clocks differ; its root signs another one.
                Some(ListingError::Expired) => (Refusal::Busy, RETRY_S),
                Some(ListingError::OtherRelay) => (Refusal::Invalid, 0),
                _ => {
                    self.penalise(peer, "a channel's listing that isn't by its root");
                    (Refusal::Invalid, 0)
                }
            };
            self.refuse_watch(peer, request, why, retry_after_s);
            return Ok(());
        };
        let topic = listing.channel.topic();
        let loaded = self.topics.load(topic, rows, &self.config, &mut self.damage)?;
        // Whoever is found here can be followed here.
        let has_posts = loaded.kept && loaded.row.count > 0;
        let known = self.directory.get(&listing.channel);
        let backward = known.is_some_and(|known| known.rank() > listing.rank());
        let full = known.is_none() && self.directory.len() >= self.config.listings;
        let why = match () {
            () if !self.may_use(&peer, &topic) => Some((Refusal::NotAdmitted, 0)),
            () if self.config.listings == 0 => Some((Refusal::NotHere, 0)),
            () if !has_posts => Some((Refusal::NotFound, RETRY_S)),
            () if backward => Some((Refusal::Invalid, 0)),
            () if full => Some((Refusal::Full, RETRY_S)),
            () => None,
        };
        if let Some((why, retry_after_s)) = why {
            self.refuse_watch(peer, request, why, retry_after_s);
            return Ok(());
        }
        let until_s = listing.until_s;
        let key = listing.channel.0;
        self.current_bytes += enlist.listing.len();
        self.current.batch.put(Tree::RelayListings, key, enlist.listing.clone());
        self.directory.put(listing);
        self.send(peer, &CustodianFrame::Enlisted(Enlisted { request, until_s }));
        Ok(())
    }

    pub(super) fn search(&mut self, now_s: u64, peer: TransportKey, search: &Search) {
        if self.config.listings == 0 {
            return self.refuse_watch(peer, search.request, Refusal::NotHere, 0);
        }
        if self.too_often(now_s, peer, search.request) {
            return;
        }
        let Some(wanted) = Wanted::read(&search.query, &search.category) else {
            return self.refuse_watch(peer, search.request, Refusal::Invalid, 0);
        };
        let found = self.directory.find(now_s, search, &wanted);
        self.stats.searches += 1;
        self.send(peer, &CustodianFrame::Found(found));
    }

    /// Counts what a peer asks of the directory, or for figures; true if that is refused because it is too much.
    pub(super) fn too_often(&mut self, now_s: u64, peer: TransportKey, request: u64) -> bool {
        let (each, all) = SEARCHES_PER_MINUTE;
        let Some(state) = self.peers.get_mut(&peer) else {
            return true;
        };
        let wait = state
            .searched
            .wait(now_s, each)
            .or(self.directory.asked.wait(now_s, all));
        match wait {
            Some(wait_s) => self.refuse_watch(peer, request, Refusal::Busy, wait_s),
            None => {
                state.searched.add(1);
                self.directory.asked.add(1);
            }
        }
        wait.is_some()
    }

    /// Lets go of listings that hold no longer.
    pub(super) fn expire_listings(&mut self, now_s: u64) {
        for _ in 0..LISTINGS_PER_EXPIRY {
            let Some((_, channel)) = self
                .directory
                .due
                .first()
                .copied()
                .filter(|(until_s, _)| *until_s < now_s)
            else {
                return;
            };
            self.directory.remove(&channel);
            self.current.batch.delete(Tree::RelayListings, channel.0);
        }
    }
}
