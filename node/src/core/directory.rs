//! Relays' public directories, for the JSON-RPC.

use std::collections::{BTreeMap, BTreeSet};

use madang_protocol::channel::Listing;
use madang_protocol::client::channel_view::{self as view, ListingView};
use madang_protocol::client::{ChannelCommand, Reply};
use madang_protocol::keys::{self, TransportKey};

use super::api::Facade;
use super::channels::{inner, of_parameters, other_said};
use crate::rpc::api::ApiResult;
use crate::rpc::directory::{ChannelSearchParams, EnlistParams, FoundChannel, FoundChannels, Listed, ListedState};
use crate::rpc::error::ApiError;
use crate::rpc::types::*;

/// Answers that one call asks a relay for: each looks at a thousand channels (guess).
const ANSWERS: usize = 8;

impl Facade {
    pub(super) async fn enlist(&self, params: EnlistParams) -> ApiResult<Channel> {
        let id = inner(params.channel);
        let relays = match params.relays {
            Some(relays) => relays.into_iter().map(|relay| TransportKey(relay.0)).collect(),
            None => {
                let found = self.read(move |rows| view::channel(rows, &id)).await?;
                let found = found.ok_or(ApiError::NotFound { field: "channel" })?;
                found.relays.into_iter().map(|relay| relay.key).collect()
            }
        };
        let command = ChannelCommand::Enlist { channel: id, relays };
        self.on_channel(command).await.map_err(of_parameters)?;
        self.channel(params.channel).await
    }

    /// Asks one relay after the other, where none is named; those that can't be reached or have no directory are passed over.
    pub(super) async fn search_channels(&self, params: ChannelSearchParams) -> ApiResult<FoundChannels> {
        let known = self.read(|rows| view::channels(rows)).await?;
        let mut relays: BTreeSet<TransportKey> = match params.relay {
            Some(relay) => [TransportKey(relay.0)].into(),
            None => {
                let own = self
                    .status()
                    .await?
                    .relays
                    .into_iter()
                    .map(|relay| relay.standing.relay);
                let of_channels = known.iter().flat_map(|channel| &channel.relays).map(|relay| relay.key);
                own.chain(of_channels).collect()
            }
        };
        let mut after = Vec::new();
        if let Some(cursor) = &params.after {
            let bytes = hex::decode(cursor).ok().filter(|bytes| bytes.len() >= 32);
            let bytes = bytes.ok_or(ApiError::invalid("after", "is not a cursor of this list"))?;
            let (relay, place) = bytes.split_at_checked(32).unwrap_or_default();
            let relay = TransportKey(relay.try_into().unwrap_or_default());
            relays.retain(|known| *known >= relay);
            if relays.contains(&relay) {
                after = place.to_vec();
            }
        }
        let followed: BTreeMap<keys::ChannelId, bool> = known
            .iter()
            .map(|channel| (channel.id, channel.followed || channel.own))
            .collect();
        let limit = params.limit as usize;
        let mut found = FoundChannels {
            items: Vec::new(),
            next: None,
        };
        let mut refused = None;
        let mut answered = false;
        let cursor = |relay: &TransportKey, place: &[u8]| Some(hex::encode([relay.0.as_slice(), place].concat()));
        for relay in relays {
            for answer in 1.. {
                let (listings, next) = match self.ask_directory(relay, &params, after.clone()).await {
                    Ok(page) => page,
                    Err(error) => {
                        refused = Some(error);
                        break;
                    }
                };
                answered = true;
                let room = limit.saturating_sub(found.items.len());
                if listings.len() > room {
                    let last = listings.get(..room).and_then(<[Listing]>::last);
                    let place = last.map_or(after, Listing::place);
                    let taken = listings.iter().take(room);
                    found.items.extend(taken.map(|listing| shown(listing, &followed)));
                    found.next = cursor(&relay, &place);
                    return Ok(found);
                }
                found
                    .items
                    .extend(listings.iter().map(|listing| shown(listing, &followed)));
                after = next;
                if after.is_empty() {
                    break;
                }
                if answer == ANSWERS {
                    found.next = cursor(&relay, &after);
                    return Ok(found);
                }
            }
            after = Vec::new();
        }
        match refused {
            Some(error) if !answered => Err(error),
            None if !answered => Err(ApiError::RelayUnavailable),
            _ => Ok(found),
        }
    }

    async fn ask_directory(
        &self,
        relay: TransportKey,
        params: &ChannelSearchParams,
        after: Vec<u8>,
    ) -> ApiResult<(Vec<Listing>, Vec<u8>)> {
        let command = ChannelCommand::Search {
            relay,
            query: params.query.clone(),
            category: params.category.clone(),
            after,
        };
        match self.on_channel(command).await? {
            Reply::Found { listings, next } => Ok((listings, next)),
            _ => Err(other_said()),
        }
    }
}

fn shown(listing: &Listing, followed: &BTreeMap<keys::ChannelId, bool>) -> FoundChannel {
    FoundChannel {
        channel: ChannelId(listing.channel.0),
        name: listing.name.clone(),
        description: listing.description.clone(),
        categories: listing.categories.clone(),
        link: listing.link().to_link(),
        relay: RelayKey(listing.relay.0),
        followed: followed.get(&listing.channel).copied().unwrap_or_default(),
    }
}

/// An own channel in a relay's directory.
pub(super) fn listed(found: &ListingView) -> Listed {
    Listed {
        relay: RelayKey(found.relay.0),
        state: match (found.withdrawn, found.settled) {
            (true, _) => ListedState::Leaving,
            (false, true) => ListedState::Listed,
            (false, false) => ListedState::Waiting,
        },
        reason: found.refused.map(|why| why.name().to_owned()),
        until_ms: (found.until_s > 0).then(|| found.until_s.saturating_mul(1000)),
    }
}
