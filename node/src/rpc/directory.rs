//! Relays' public directories: being found there, and finding others.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use super::ids::{ChannelId, RelayKey};
use super::limits::{MAX_CATEGORY, MAX_CHANNEL_RELAYS, MAX_NAME, MAX_QUERY};
use super::params::{Fields, FromParams, default_page};
use super::schema::{ChannelLink, PageCursor, Text};

/// Parameters of `channel.enlist`.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct EnlistParams {
    /// An own channel.
    pub channel: ChannelId,
    /// In whose directories it is to be: relays that keep it. Absent for all of them; empty for none.
    #[schemars(length(max = MAX_CHANNEL_RELAYS))]
    pub relays: Option<Vec<RelayKey>>,
}

impl FromParams for EnlistParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        let relays: Option<Vec<RelayKey>> = fields.optional("relays")?;
        if relays.as_ref().is_some_and(|relays| relays.len() > MAX_CHANNEL_RELAYS) {
            return Err(fields.invalid("relays", format!("must be at most {MAX_CHANNEL_RELAYS}")));
        }
        Ok(Self {
            channel: fields.required("channel")?,
            relays,
        })
    }
}

/// Parameters of `channel.search`.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct ChannelSearchParams {
    /// Words, all of which the name or the description has; absent for all channels.
    #[schemars(default, with = "Text<0, MAX_QUERY>")]
    pub query: String,
    /// A category's id; absent for all.
    #[schemars(default, with = "Text<0, MAX_CATEGORY>")]
    pub category: String,
    /// In whose directory, of a relay that is connected; absent for all of these, one after the other.
    pub relay: Option<RelayKey>,
    /// `next` of a page: what comes behind it.
    #[schemars(with = "Option<PageCursor>")]
    pub after: Option<String>,
    /// Items at most; counts as 1,000 if above. A page may have fewer.
    #[schemars(with = "u64", default = "default_page", range(min = 1))]
    pub limit: u32,
}

impl FromParams for ChannelSearchParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            query: fields.optional_text("query", MAX_QUERY)?.unwrap_or_default(),
            category: fields.optional_text("category", MAX_CATEGORY)?.unwrap_or_default(),
            relay: fields.optional("relay")?,
            after: fields.optional("after")?,
            limit: fields.limit()?,
        })
    }
}

/// A channel in a relay's directory, as its root signed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FoundChannel {
    /// Which.
    pub channel: ChannelId,
    /// What it calls itself. Anybody can call a channel so; what counts is the key.
    #[schemars(with = "Text<1, MAX_NAME>")]
    pub name: String,
    /// For people; the beginning of a long one.
    pub description: String,
    /// Ids of what its posts can be of.
    pub categories: Vec<String>,
    /// By which it is followed.
    #[schemars(with = "ChannelLink")]
    pub link: String,
    /// In whose directory it is.
    pub relay: RelayKey,
    /// This account follows it, or it is its own.
    pub followed: bool,
}

/// Result of `channel.search`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FoundChannels {
    /// By name; what several relays name comes once from each.
    pub items: Vec<FoundChannel>,
    /// As `after` it gives the page that follows. Absent at the end.
    #[schemars(with = "Option<PageCursor>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// An own channel in a relay's directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Listed {
    /// Whose.
    pub relay: RelayKey,
    /// How it stands.
    pub state: ListedState,
    /// Why the relay refused, if it did: `not_here` if it has no directory, `not_found` as long as it doesn't keep the channel, `full`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Until when it is there, in Unix milliseconds; it is renewed in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<u64>,
}

/// How an own channel stands in a relay's directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ListedState {
    /// The relay has what is wanted.
    Listed,
    /// The relay hasn't been told yet, or refused; it is asked again.
    Waiting,
    /// It is to be taken out, and the relay hasn't been told yet.
    Leaving,
}
