//! Reporting posts to operators of relays: parameters and answers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use super::ids::{ChannelId, PostId, RelayKey};
use super::limits::MAX_REPORT;
use super::params::{Fields, FromParams};
use super::schema::Text;

/// Parameters of `channel.report`.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct ReportParams {
    /// A channel that is followed.
    pub channel: ChannelId,
    /// The post.
    pub post: PostId,
    /// Why.
    pub reason: ReportReason,
    /// For the operators; they see nothing else of who reports.
    #[schemars(default, with = "Text<0, MAX_REPORT>")]
    pub text: String,
    /// Block the channel in the same step.
    #[schemars(default)]
    pub block: bool,
}

impl FromParams for ReportParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            channel: fields.required("channel")?,
            post: fields.required("post")?,
            reason: fields.required("reason")?,
            text: fields.optional_text("text", MAX_REPORT)?.unwrap_or_default(),
            block: fields.optional("block")?.unwrap_or_default(),
        })
    }
}

/// Why a post is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportReason {
    /// Unwanted advertising, over and over.
    Spam,
    /// It is to cheat people of something.
    Fraud,
    /// It incites hatred, or threatens.
    Hate,
    /// It shows or calls for violence.
    Violence,
    /// It is sexual, and doesn't say so or may not be shown.
    Sexual,
    /// It harms children.
    Children,
    /// It passes for somebody else.
    Impersonation,
    /// It infringes somebody's rights.
    Rights,
    /// Something else, which `text` says.
    Other,
}

/// Result of `channel.report`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportSent {
    /// Relays to which the report is on its way; event `channel.reported` tells of each what became of it.
    pub relays: Vec<RelayKey>,
}

/// What became of a report at a relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportState {
    /// It is kept there for the operator.
    Taken,
    /// The relay refused it.
    Refused,
    /// The relay didn't answer for a week.
    GivenUp,
}
