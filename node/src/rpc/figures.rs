//! Figures of an own channel: parameters and answers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use super::ids::{ChannelId, PostId, RelayKey};
use super::params::{Fields, FromParams};
use super::polls::PollFigures;

/// Parameters of `channel.figures`.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct ChannelFiguresParams {
    /// A channel on which this account writes.
    pub channel: ChannelId,
    /// A post: then relays are asked to how many it was handed, too, and of polls only it is shown.
    pub post: Option<PostId>,
}

impl FromParams for ChannelFiguresParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            channel: fields.required("channel")?,
            post: fields.optional("post")?,
        })
    }
}

/// Figures of a channel on which this account writes; all are rounded down to tens, and 0 is fewer than 20.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChannelFigures {
    /// Peers that watch the channel at the relay that says the most. Not the sum: who follows watches at several. Absent if no relay tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watchers: Option<u64>,
    /// Peers to which the relay that says the most has handed the post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deliveries: Option<u64>,
    /// What each relay of the channel says; none where this account may not be told, without the scope `stats`.
    pub relays: Vec<RelayFigures>,
    /// Polls that were posted by this device, the one that is over last first.
    pub polls: Vec<PollFigures>,
}

/// What one relay says of a channel. It counts peers, by their transport keys: each device once, also this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RelayFigures {
    /// Which.
    pub relay: RelayKey,
    /// Whether it tells figures.
    pub state: FiguresState,
    /// Why it refused, if it did: `not_allowed` if this account may not be told, `not_found` as long as nothing of the channel is kept there, `busy`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Peers that watched the channel at `counted_ms`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watchers: Option<u64>,
    /// When watchers were counted, in Unix milliseconds. A relay tells the same for an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted_ms: Option<u64>,
    /// Peers to which it has handed the post. Absent if it doesn't count that, or no longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deliveries: Option<Deliveries>,
}

/// To how many peers a relay has handed a post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Deliveries {
    /// Each counts once.
    pub peers: u64,
    /// Since when they are counted, in Unix milliseconds: what was before the relay's start isn't known.
    pub since_ms: u64,
    /// When they were counted, in Unix milliseconds. A relay tells the same for an hour.
    pub counted_ms: u64,
}

/// Whether a relay tells figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FiguresState {
    /// It does.
    Told,
    /// It isn't connected.
    Away,
    /// It gave no answer in time, as a relay of an earlier version, which tells none.
    Silent,
    /// It refused.
    Refused,
}
