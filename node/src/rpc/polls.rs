//! Polls of channels: parameters and answers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bodies::choices;
use super::error::ApiError;
use super::ids::{ChannelId, PostId};
use super::limits::MAX_OPTIONS;
use super::params::{Fields, FromParams};

/// Parameters of `channel.vote`.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct ChannelVoteParams {
    /// A channel that is followed.
    pub channel: ChannelId,
    /// The post.
    pub post: PostId,
    /// Places of the chosen options from 0; none takes the answer back.
    #[schemars(length(max = MAX_OPTIONS))]
    pub choices: Vec<u8>,
}

impl FromParams for ChannelVoteParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        let choices = choices(fields)?;
        Ok(Self {
            channel: fields.required("channel")?,
            post: fields.required("post")?,
            choices,
        })
    }
}

/// What a poll has come to, as its channel says: rounded down to tens; 0 is fewer than 20.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PollResult {
    /// When it was counted, in Unix milliseconds.
    pub counted_ms: u64,
    /// Who answered.
    pub voters: u64,
    /// Who chose each option.
    pub options: Vec<u64>,
}

/// How a poll stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PollFigures {
    /// The post.
    pub post: PostId,
    /// Until when it can be answered, in Unix milliseconds, or when it was ended.
    pub until_ms: u64,
    /// It can be answered.
    pub open: bool,
    /// Who answered.
    pub voters: u64,
    /// Who chose each option.
    pub options: Vec<u64>,
    /// More answers came than are counted: too many for one poll, or too many at once.
    pub capped: bool,
}
