//! What a follower wants of a channel, and who may write on it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Area, PostId, WriterKey};

/// What a follower wants of a channel, and when. It is weighed on this device; nobody learns of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ChannelTerms {
    /// Ids of the categories that are wanted; all if absent. A post of no category is of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub categories: Option<Vec<String>>,
    /// Whether advertising is wanted.
    pub advertising: bool,
    /// When nothing is shown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub quiet: Vec<Hours>,
    /// When something may be shown; always if there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub window: Vec<Hours>,
    /// Posts that are shown on a day at most; 0 for a digest that is only opened by hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub daily_cap: Option<u16>,
    /// Places that matter: a post for an area elsewhere isn't wanted. All are if there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<Area>,
    /// Whether what the channel calls urgent is shown at any hour.
    pub urgent: bool,
    /// The time zone by its IANA name, as `Asia/Seoul`; that of this machine if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}

impl Default for ChannelTerms {
    fn default() -> Self {
        Self {
            categories: None,
            advertising: true,
            quiet: Vec::new(),
            window: Vec::new(),
            daily_cap: None,
            places: Vec::new(),
            urgent: false,
            zone: None,
        }
    }
}

/// Hours of the day. Those that end no later than they begin end on the day after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hours {
    /// When they begin, as `22:00`.
    pub from: String,
    /// Before when they end, as `07:00`.
    pub to: String,
    /// On which days they begin; on all if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<Vec<Day>>,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Day {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl Day {
    /// All seven, in their order.
    pub const ALL: [Self; 7] = [
        Self::Mon,
        Self::Tue,
        Self::Wed,
        Self::Thu,
        Self::Fri,
        Self::Sat,
        Self::Sun,
    ];
}

/// A post that waits in the digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HeldBack {
    /// Which.
    pub post: PostId,
    /// Why.
    pub why: HeldWhy,
    /// Since when, in Unix milliseconds.
    pub since_ms: u64,
    /// When it is shown at the earliest, in Unix milliseconds; absent if only when the digest is opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<u64>,
}

/// Why a post isn't shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HeldWhy {
    /// It is of none of the categories that are wanted.
    Category,
    /// It is for an area elsewhere.
    Area,
    /// It is advertising.
    Advertising,
    /// It came in quiet hours.
    Quiet,
    /// It came outside the window.
    Window,
    /// As many were shown on that day as are wanted.
    DailyCap,
    /// The channel had posted as often on that day as it promised at most.
    Promise,
}

/// What a key may do on a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WriterScope {
    /// Post; edit and retract own posts.
    Publish,
    /// Edit and retract others' posts.
    Edit,
    /// Post coupons.
    Coupons,
    /// Be told figures.
    Stats,
    /// All that the root may: the channel is handed over.
    Root,
    /// It comes before other roots.
    Recovery,
}

/// Whom a channel's root lets write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChannelWriter {
    /// The key.
    pub writer: WriterKey,
    /// What for.
    pub scopes: Vec<WriterScope>,
    /// In which of the channel's categories; all if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub categories: Option<Vec<String>>,
    /// From when, in Unix milliseconds.
    pub from_ms: u64,
    /// Until when, in Unix milliseconds.
    pub until_ms: u64,
    /// The number of the last thing it signed that the root has confirmed; 0 for nothing.
    pub number: u64,
}

/// Result of `channel.writer_key`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WriterKeyMade {
    /// The key, for the channel's root to certify.
    pub writer: WriterKey,
}

/// Result of `channel.certify`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Certified {
    /// The certificate, for the key's holder.
    pub certificate: String,
}

/// Result of `channel.recovery_key`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecoveryMade {
    /// Whoever has it has the channel: keep it apart, as a recovery phrase.
    pub key: String,
}

impl std::fmt::Debug for RecoveryMade {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecoveryMade")
    }
}

/// Result of `channel.vouch`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Vouched {
    /// Where to publish it.
    pub url: String,
    /// What to publish; what is there for other channels stays in it.
    pub file: String,
}
