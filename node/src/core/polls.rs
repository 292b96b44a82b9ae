//! Polls of channels, for the JSON-RPC.

use madang_protocol::channel::{self as protocol, BallotBox};
use madang_protocol::client::ChannelCommand;
use madang_protocol::client::channel_view::{self as view, PostView};
use madang_protocol::keys;

use super::api::Facade;
use super::channels::{inner, post};
use crate::rpc::api::ApiResult;
use crate::rpc::error::ApiError;
use crate::rpc::params::*;
use crate::rpc::polls::{ChannelVoteParams, PollResult};
use crate::rpc::types::*;

impl Facade {
    pub(super) async fn vote(&self, params: ChannelVoteParams) -> ApiResult<Post> {
        let (channel, id) = (inner(params.channel), keys::EnvelopeId(params.post.0));
        let choices = params.choices;
        let command = ChannelCommand::Vote {
            channel,
            post: id,
            choices,
        };
        self.on_channel(command).await?;
        self.one_post(id).await
    }

    pub(super) async fn publish_result(&self, params: PostParams) -> ApiResult<Post> {
        let (channel, id) = (inner(params.channel), keys::EnvelopeId(params.post.0));
        self.on_channel(ChannelCommand::PublishResult { channel, post: id })
            .await?;
        self.one_post(id).await
    }

    async fn one_post(&self, id: keys::EnvelopeId) -> ApiResult<Post> {
        let found = self.read(move |rows| view::post(rows, &id)).await?;
        let found: PostView = found.ok_or(ApiError::NotFound { field: "post" })?;
        let channel = found.channel;
        let own = self.read(move |rows| view::channel(rows, &channel)).await?;
        Ok(post(found, own.is_some_and(|channel| channel.own)))
    }
}

/// Until when a poll can be answered, and what it has come to by its channel's word.
pub(super) fn of_poll(post: &protocol::Post) -> (Option<u64>, Option<PollResult>) {
    let until_ms = BallotBox::of(post).map(|(_, ballots)| ballots.until_s.saturating_mul(1000));
    let result = protocol::PollResult::of(post).map(|result| PollResult {
        counted_ms: result.time_ms,
        voters: result.voters.into(),
        options: result.counts.into_iter().map(u64::from).collect(),
    });
    (until_ms, result)
}
