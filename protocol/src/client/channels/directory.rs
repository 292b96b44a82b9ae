//! Relays' public directories: own channels that are to be found there, and looking for others'.
//!
//! A listing is signed for one relay when it is sent, with a number that no earlier one had. It is sent again after each change, and when
//! half of its time is over.

use super::Channel;
use super::rows::ListingRow;
use crate::channel::{Listing, Wanted};
use crate::client::io::{Effect, Side};
use crate::client::{Client, CommandError, Reply};
use crate::custody::{ClientFrame, Enlist, Enlisted, Found, Refusal, Search};
use crate::keys::{ChannelId, TransportKey};
use crate::limits;
use crate::rows::RowsError;
use crate::wire::Wire;
use std::collections::BTreeMap;

/// Milliseconds that a relay has to answer (guess).
const ANSWER_MS: u64 = 20_000;
/// Milliseconds until a relay that refused a listing is asked again, at the least and at the most.
const AGAIN_MS: (u64, u64) = (30_000, 3_600_000);
/// Searches under way (guess: what a person looks at).
const SEARCHES: usize = 32;

/// Somebody looks for channels.
struct Looking {
    token: u64,
    wanted: Wanted,
    until_ms: u64,
}

/// What relays are asked.
#[derive(Default)]
pub(super) struct Directory {
    searches: BTreeMap<(TransportKey, u64), Looking>,
    /// Listings under way, and until when there is an answer.
    sent: BTreeMap<(TransportKey, u64), (ChannelId, u64)>,
    /// When a relay that refused gets a channel's again.
    again_ms: BTreeMap<(TransportKey, ChannelId), u64>,
}

impl Directory {
    pub fn timer(&self) -> Option<u64> {
        let searches = self.searches.values().map(|looking| looking.until_ms);
        let sent = self.sent.values().map(|(_, until_ms)| *until_ms);
        searches.chain(sent).chain(self.again_ms.values().copied()).min()
    }
}

/// When the first of a channel's listings that a relay has is to be renewed.
pub(super) fn renewed_ms(channel: &Channel) -> Option<u64> {
    let own = channel.row.own.as_ref()?;
    let settled = own.listings.iter().filter(|listing| listing.settled);
    settled.map(ListingRow::renewed_ms).min()
}

impl ListingRow {
    fn renewed_ms(&self) -> u64 {
        self.until_s
            .saturating_sub(limits::LISTING_SECONDS / 2)
            .saturating_mul(1000)
    }
}

impl Client {
    pub(super) fn enlist(
        &mut self,
        now_ms: u64,
        id: ChannelId,
        relays: &[TransportKey],
    ) -> Result<Reply, CommandError> {
        let manifest = self.own_manifest(&id)?;
        if relays
            .iter()
            .any(|relay| manifest.relays.iter().all(|known| known.key != *relay))
        {
            return Err(CommandError::Invalid {
                field: "relays",
                reason: "the channel isn't kept at that relay",
            });
        }
        let channel = self.channel_mut(&id)?;
        let own = channel.row.own.as_mut().ok_or(super::NOT_ROOT)?;
        // What was never sent needs no taking back.
        own.listings
            .retain(|listing| listing.number > 0 || relays.contains(&listing.relay));
        for listing in &mut own.listings {
            let withdrawn = !relays.contains(&listing.relay);
            listing.settled &= withdrawn == listing.withdrawn;
            listing.withdrawn = withdrawn;
        }
        for relay in relays {
            if own.listings.iter().all(|listing| listing.relay != *relay) {
                own.listings.push(ListingRow {
                    relay: *relay,
                    withdrawn: false,
                    number: 0,
                    until_s: 0,
                    settled: false,
                    refused: None,
                });
            }
        }
        channel.dirty = true;
        self.send_all_listings(now_ms, id);
        Ok(Reply::Done)
    }

    /// What an own channel says of itself has changed.
    pub(super) fn list_anew(&mut self, now_ms: u64, id: ChannelId) {
        if let Some(channel) = self.channels.by_id.get_mut(&id)
            && let Some(own) = &mut channel.row.own
        {
            own.listings.iter_mut().for_each(|listing| listing.settled = false);
            channel.dirty = true;
        }
        self.send_all_listings(now_ms, id);
    }

    fn send_all_listings(&mut self, now_ms: u64, id: ChannelId) {
        let own = self
            .channels
            .by_id
            .get(&id)
            .and_then(|channel| channel.row.own.as_ref());
        let relays: Vec<TransportKey> = own
            .map(|own| own.listings.iter().map(|listing| listing.relay).collect())
            .unwrap_or_default();
        for relay in relays {
            self.channels.directory.again_ms.remove(&(relay, id));
            // What is under way there says something else.
            self.channels
                .directory
                .sent
                .retain(|(peer, _), (channel, _)| (*peer, *channel) != (relay, id));
            self.send_listings(now_ms, relay);
        }
    }

    /// Sends a relay what it lacks of own channels' listings.
    pub(in crate::client) fn send_listings(&mut self, now_ms: u64, relay: TransportKey) {
        if !self.links.get(&relay).is_some_and(|link| link.opened && link.relay) {
            return;
        }
        let lacks = |channel: &Channel| {
            let own = channel.row.own.as_ref();
            own.is_some_and(|own| {
                own.listings
                    .iter()
                    .any(|listing| listing.relay == relay && !listing.settled)
            })
        };
        let all = self.channels.by_id.iter().filter(|(_, channel)| lacks(channel));
        let due: Vec<ChannelId> = all.map(|(id, _)| *id).collect();
        for id in due {
            let waits = self.channels.directory.again_ms.contains_key(&(relay, id));
            let mut sent = self.channels.directory.sent.iter();
            if !waits && !sent.any(|((peer, _), (channel, _))| (*peer, *channel) == (relay, id)) {
                self.send_listing(now_ms, relay, id);
            }
        }
    }

    fn send_listing(&mut self, now_ms: u64, relay: TransportKey, id: ChannelId) {
        let Ok(manifest) = self.own_manifest(&id) else {
            return;
        };
        let Some(channel) = self.channels.by_id.get_mut(&id) else {
            return;
        };
        let (Some(root), Some(own)) = (channel.root(&id), &mut channel.row.own) else {
            return;
        };
        let Some(row) = own.listings.iter_mut().find(|listing| listing.relay == relay) else {
            return;
        };
        // A copy of this device that was set back signs no number again.
        row.number = row.number.saturating_add(1).max(now_ms / 1000);
        let until_s = (now_ms / 1000).saturating_add(limits::LISTING_SECONDS);
        let sign = if row.withdrawn {
            Listing::withdraw
        } else {
            Listing::sign
        };
        let listing = sign(&root, relay, row.number, until_s, &manifest).encode();
        channel.dirty = true;
        let Some(link) = self.links.get_mut(&relay) else {
            return;
        };
        let request = link.request();
        let until_ms = now_ms.saturating_add(ANSWER_MS);
        self.channels.directory.sent.insert((relay, request), (id, until_ms));
        self.send(
            relay,
            Side::Client,
            ClientFrame::Enlist(Enlist { request, listing }).encode(),
        );
    }

    /// A relay has a listing.
    pub(in crate::client) fn enlisted(&mut self, relay: TransportKey, enlisted: Enlisted) {
        let Some((id, _)) = self.channels.directory.sent.remove(&(relay, enlisted.request)) else {
            return;
        };
        let Some(channel) = self.channels.by_id.get_mut(&id) else {
            return;
        };
        let Some(own) = &mut channel.row.own else {
            return;
        };
        own.listings
            .retain(|listing| listing.relay != relay || !listing.withdrawn);
        if let Some(listing) = own.listings.iter_mut().find(|listing| listing.relay == relay) {
            listing.until_s = enlisted.until_s;
            listing.settled = true;
            listing.refused = None;
        }
        channel.dirty = true;
    }

    pub(super) fn search_directory(
        &mut self,
        now_ms: u64,
        token: u64,
        relay: TransportKey,
        (query, category): (String, String),
        after: Vec<u8>,
    ) -> Result<Option<Reply>, CommandError> {
        let wanted = Wanted::read(&query, &category).ok_or(CommandError::Invalid {
            field: "query",
            reason: "has too many words",
        })?;
        if query.len() > limits::SEARCH_QUERY_BYTES {
            return Err(CommandError::TooLarge {
                field: "query",
                found: query.len(),
                limit: limits::SEARCH_QUERY_BYTES,
            });
        }
        if category.len() > limits::CATEGORY_BYTES {
            return Err(CommandError::TooLarge {
                field: "category",
                found: category.len(),
                limit: limits::CATEGORY_BYTES,
            });
        }
        if self.channels.directory.searches.len() >= SEARCHES {
            return Err(CommandError::Limit {
                what: "searches under way",
                limit: SEARCHES,
            });
        }
        let open = self.links.get_mut(&relay).filter(|link| link.opened && link.relay);
        let request = open.ok_or(CommandError::RelayUnavailable)?.request();
        let until_ms = now_ms.saturating_add(ANSWER_MS);
        let looking = Looking {
            token,
            wanted,
            until_ms,
        };
        self.channels.directory.searches.insert((relay, request), looking);
        let search = Search {
            request,
            query,
            category,
            after,
        };
        self.send(relay, Side::Client, ClientFrame::Search(search).encode());
        Ok(None)
    }

    /// A relay names channels: only what their roots signed for its directory, and what was asked for, counts.
    pub(in crate::client) fn channels_found(
        &mut self,
        now_ms: u64,
        relay: TransportKey,
        found: Found,
        frame: &[u8],
    ) -> Result<(), RowsError> {
        let Some(looking) = self.channels.directory.searches.remove(&(relay, found.request)) else {
            return Ok(());
        };
        let mut listings = Vec::new();
        let mut forged = false;
        for bytes in &found.listings {
            match Listing::decode(bytes) {
                Ok(listing) if listing.verify(&relay, now_ms / 1000).is_ok() => listings.push(listing),
                _ => forged = true,
            }
        }
        // Clocks differ by less than what it would gain by showing what is over.
        listings.retain(|listing| looking.wanted.is(listing));
        let result = Ok(Reply::Found {
            listings,
            next: found.next,
        });
        let token = looking.token;
        self.step.effects.push(Effect::Reply { token, result });
        if forged {
            self.junk(now_ms, relay, "it named a channel whose root didn't sign that", frame)?;
        }
        Ok(())
    }

    /// A relay refuses; true if that was the answer to one of these questions.
    pub(in crate::client) fn directory_refused(
        &mut self,
        now_ms: u64,
        relay: TransportKey,
        request: u64,
        why: Refusal,
        retry_after_s: u32,
    ) -> bool {
        if let Some(looking) = self.channels.directory.searches.remove(&(relay, request)) {
            self.answer_search(looking.token, why);
            return true;
        }
        let Some((id, _)) = self.channels.directory.sent.remove(&(relay, request)) else {
            return false;
        };
        let (least, most) = AGAIN_MS;
        let wait_ms = match why.retryable() {
            true => u64::from(retry_after_s).saturating_mul(1000).clamp(least, most),
            false => most,
        };
        let at_ms = now_ms.saturating_add(wait_ms);
        self.channels.directory.again_ms.insert((relay, id), at_ms);
        let channel = self.channels.by_id.get_mut(&id);
        if let Some(channel) = channel
            && let Some(own) = &mut channel.row.own
            && let Some(listing) = own.listings.iter_mut().find(|listing| listing.relay == relay)
        {
            listing.refused = Some(why.code());
            channel.dirty = true;
        }
        true
    }

    fn answer_search(&mut self, token: u64, why: Refusal) {
        let result = Err(match why {
            Refusal::NotHere => CommandError::NotAllowed {
                reason: "the relay has no directory",
            },
            Refusal::Busy => CommandError::Limit {
                what: "searches of a relay in a minute",
                limit: SEARCHES,
            },
            _ => CommandError::RelayUnavailable,
        });
        self.step.effects.push(Effect::Reply { token, result });
    }

    /// A relay's stream is gone, and with it what it was asked.
    pub(in crate::client) fn directory_stream_closed(&mut self, relay: TransportKey) {
        let directory = &mut self.channels.directory;
        directory.sent.retain(|(peer, _), _| *peer != relay);
        directory.again_ms.retain(|(peer, _), _| *peer != relay);
        self.end_searches(|(peer, _), _| *peer == relay);
    }

    fn end_searches(&mut self, ended: impl Fn(&(TransportKey, u64), &Looking) -> bool) {
        let mut tokens = Vec::new();
        self.channels.directory.searches.retain(|place, looking| {
            let over = ended(place, looking);
            tokens.extend(over.then_some(looking.token));
            !over
        });
        for token in tokens {
            self.answer_search(token, Refusal::Other(0));
        }
    }

    pub(super) fn tick_directory(&mut self, now_ms: u64) {
        self.end_searches(|_, looking| looking.until_ms <= now_ms);
        let directory = &mut self.channels.directory;
        let mut due: Vec<TransportKey> = Vec::new();
        directory.sent.retain(|(relay, _), (_, until_ms)| {
            due.extend((*until_ms <= now_ms).then_some(*relay));
            *until_ms > now_ms
        });
        directory.again_ms.retain(|(relay, _), at_ms| {
            due.extend((*at_ms <= now_ms).then_some(*relay));
            *at_ms > now_ms
        });
        for channel in self.channels.by_id.values_mut() {
            let Some(own) = &mut channel.row.own else {
                continue;
            };
            let over = own.listings.iter_mut();
            for listing in over.filter(|listing| listing.settled && listing.renewed_ms() <= now_ms) {
                listing.settled = false;
                channel.dirty = true;
                due.push(listing.relay);
            }
        }
        for relay in due {
            self.send_listings(now_ms, relay);
        }
    }
}
