//! Figures of own channels, for the JSON-RPC.

use madang_protocol::channel::Scopes;
use madang_protocol::client::channel_view::{self as view, ChannelView, PollView};
use madang_protocol::client::{self as protocol, ChannelCommand, Reply, Untold};
use madang_protocol::custody::Handed;
use madang_protocol::keys;

use super::api::Facade;
use super::channels::{inner, other_said};
use crate::rpc::api::ApiResult;
use crate::rpc::error::ApiError;
use crate::rpc::figures::{ChannelFigures, ChannelFiguresParams, Deliveries, FiguresState, RelayFigures};
use crate::rpc::polls::PollFigures;
use crate::rpc::types::*;

impl Facade {
    pub(super) async fn figures(&self, params: ChannelFiguresParams) -> ApiResult<ChannelFigures> {
        let channel = inner(params.channel);
        let post = params.post.map(|post| keys::EnvelopeId(post.0));
        let found = self
            .read(move |rows| {
                let writes = |known: &ChannelView| known.own || known.scopes != Scopes::default();
                let Some(known) = view::channel(rows, &channel)?.filter(writes) else {
                    return Ok(None);
                };
                let told = known.own || known.scopes.allow(Scopes::STATS);
                let posted = match &post {
                    Some(post) => view::post(rows, post)?.is_some_and(|found| found.channel == channel),
                    None => true,
                };
                Ok(Some((told, posted, view::polls(rows, &channel)?)))
            })
            .await?;
        let (told, posted, polls) = found.ok_or(ApiError::NotFound { field: "channel" })?;
        if !posted {
            return Err(ApiError::NotFound { field: "post" });
        }
        let asked = ChannelCommand::Figures { channel, post };
        let relays: Vec<RelayFigures> = match told {
            true => match self.on_channel(asked).await? {
                Reply::Figures(found) => found.into_iter().map(of_relay).collect(),
                _ => return Err(other_said()),
            },
            false => Vec::new(),
        };
        let delivered = relays.iter().filter_map(|told| told.deliveries.as_ref());
        let polls = polls
            .into_iter()
            .filter(|poll| post.is_none_or(|post| poll.post == post));
        Ok(ChannelFigures {
            watchers: relays.iter().filter_map(|told| told.watchers).max(),
            deliveries: delivered.map(|delivered| delivered.peers).max(),
            polls: polls.map(of_poll).collect(),
            relays,
        })
    }
}

fn of_relay(found: protocol::RelayFigures) -> RelayFigures {
    let told = found.told.ok();
    let deliveries = |handed: Handed| Deliveries {
        peers: handed.peers.into(),
        since_ms: handed.since_s.saturating_mul(1000),
        counted_ms: handed.time_s.saturating_mul(1000),
    };
    RelayFigures {
        relay: RelayKey(found.relay.0),
        state: match found.told {
            Ok(_) => FiguresState::Told,
            Err(Untold::Away) => FiguresState::Away,
            Err(Untold::Silent) => FiguresState::Silent,
            Err(Untold::Refused(_)) => FiguresState::Refused,
        },
        reason: match found.told {
            Err(Untold::Refused(why)) => Some(why.name().to_owned()),
            _ => None,
        },
        watchers: told.map(|told| told.watchers.into()),
        counted_ms: told.map(|told| told.time_s.saturating_mul(1000)),
        deliveries: told.and_then(|told| told.handed).map(deliveries),
    }
}

fn of_poll(found: PollView) -> PollFigures {
    PollFigures {
        post: PostId(found.post.0),
        until_ms: found.until_s.saturating_mul(1000),
        open: found.open,
        voters: found.voters.into(),
        options: found.counts.into_iter().map(u64::from).collect(),
        capped: found.capped,
    }
}
