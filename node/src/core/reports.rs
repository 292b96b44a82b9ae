//! Reporting posts to operators of relays, for the JSON-RPC.

use madang_protocol::client::{ChannelCommand, Reply, ReportOutcome};
use madang_protocol::custody::Reason;
use madang_protocol::keys;

use super::api::Facade;
use super::channels::{inner, other_said};
use crate::rpc::api::ApiResult;
use crate::rpc::reports::{ReportParams, ReportReason, ReportSent, ReportState};
use crate::rpc::types::*;

impl Facade {
    pub(super) async fn report(&self, params: ReportParams) -> ApiResult<ReportSent> {
        let command = ChannelCommand::Report {
            channel: inner(params.channel),
            post: keys::EnvelopeId(params.post.0),
            reason: reason(params.reason),
            text: params.text,
            block: params.block,
        };
        match self.on_channel(command).await? {
            Reply::ReportedTo(relays) => Ok(ReportSent {
                relays: relays.into_iter().map(|relay| RelayKey(relay.0)).collect(),
            }),
            _ => Err(other_said()),
        }
    }
}

fn reason(given: ReportReason) -> Reason {
    match given {
        ReportReason::Spam => Reason::Spam,
        ReportReason::Fraud => Reason::Fraud,
        ReportReason::Hate => Reason::Hate,
        ReportReason::Violence => Reason::Violence,
        ReportReason::Sexual => Reason::Sexual,
        ReportReason::Children => Reason::Children,
        ReportReason::Impersonation => Reason::Impersonation,
        ReportReason::Rights => Reason::Rights,
        ReportReason::Other => Reason::Other,
    }
}

/// What became of a report, as an event tells it.
pub(super) fn event_report(
    channel: keys::ChannelId,
    post: keys::EnvelopeId,
    relay: keys::TransportKey,
    outcome: ReportOutcome,
) -> EventKind {
    EventKind::ChannelReported {
        channel: ChannelId(channel.0),
        post: PostId(post.0),
        relay: RelayKey(relay.0),
        state: match outcome {
            ReportOutcome::Taken => ReportState::Taken,
            ReportOutcome::Refused(_) => ReportState::Refused,
            ReportOutcome::GivenUp => ReportState::GivenUp,
        },
        reason: match outcome {
            ReportOutcome::Refused(why) => Some(why.name().to_owned()),
            _ => None,
        },
    }
}
