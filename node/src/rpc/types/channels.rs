//! Channels and their posts.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::polls::PollResult;
use super::super::schema::{Base64, PageCursor};
use super::{
    Attachment, ChannelId, ChannelTerms, Held, HeldBack, HeldWhy, PostId, RelayAddress, WriterKey, WriterScope,
};
use crate::rpc::directory::Listed;
use crate::rpc::limits::MAX_EVIDENCE;

/// By whom the posts of a channel come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// By its relays alone.
    #[default]
    Relays,
    /// By followers too: this node passes on what it hears, and others learn that it follows.
    Followers,
}

/// A channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Channel {
    /// Its id, which is its root's public key.
    pub channel: ChannelId,
    /// What it calls itself, or before that is here, its link.
    pub name: String,
    /// The link by which others follow it.
    pub link: String,
    /// It is this account's own.
    pub own: bool,
    /// This account follows it.
    pub followed: bool,
    /// Where it is kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relays: Vec<RelayAddress>,
    /// The user isn't told of new posts.
    pub muted: bool,
    /// By whom its posts come.
    pub via: Via,
    /// The user wants nothing of it.
    pub blocked: bool,
    /// Posts that the user hasn't seen, counted up to 1,000.
    pub unread: u64,
    /// When it last said something, in Unix milliseconds.
    pub last_ms: u64,
    /// What it says of itself; absent until that is here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<Manifest>,
    /// Its newest word on how far its writers are; absent until one is here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beacon: Option<Beacon>,
    /// Posts that its writers signed and that aren't here; they are looked for at its relays.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<ChannelGap>,
    /// Pieces of evidence against its writers; see `channel.evidence`.
    pub evidence: u32,
    /// What this account may do on it; its own channels' root may do all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<WriterScope>,
    /// What of it is wanted, and when; absent for everything, at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<ChannelTerms>,
    /// Posts that are held back, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<HeldBack>,
    /// When it last posted more often on a day than it promised, in Unix milliseconds; what was beyond is held back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broke_promise_ms: Option<u64>,
    /// When the domain that it names was last seen to vouch for it, in Unix milliseconds; see `channel.prove`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain_proved_ms: Option<u64>,
    /// In whose public directories an own channel is to be found; see `channel.enlist`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub listings: Vec<Listed>,
}

/// What a channel says of itself, signed by its root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Manifest {
    /// Grows with each change.
    pub number: u64,
    /// For people.
    pub description: String,
    /// Addresses.
    pub links: Vec<WebLink>,
    /// What its posts can be of.
    pub categories: Vec<Category>,
    /// An invite link by which followers write back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inbox: Option<String>,
    /// The domain that it says it belongs to: a claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// Posts a day that it promises at most; absent for no promise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub posts_per_day: Option<u16>,
    /// What its advertising is labelled with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advertising_label: Option<String>,
}

/// An address with a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WebLink {
    /// What it is called.
    pub label: String,
    /// Where it leads.
    pub url: String,
    /// Whether it may be opened: `https`, `http`, `mailto`, `tel` and `madang` addresses. Any other is only text.
    #[serde(default)]
    pub actionable: bool,
}

/// A category of a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Category {
    /// Lower-case letters, digits and hyphens.
    pub id: String,
    /// For people.
    pub name: String,
}

/// A channel's word on how far its writers are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Beacon {
    /// Grows with each.
    pub number: u64,
    /// By the channel's clock, in Unix milliseconds.
    pub time_ms: u64,
    /// Another should have come long ago: its relays may keep back what is new.
    pub stale: bool,
}

/// Posts of a writer that aren't here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChannelGap {
    /// Whose.
    pub writer: WriterKey,
    /// The first number.
    pub first: u64,
    /// The last one.
    pub last: u64,
}

/// A post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Post {
    /// Its id.
    pub post: PostId,
    /// Where.
    pub channel: ChannelId,
    /// Whose key signed it: the channel's own id, or an editor's.
    pub writer: WriterKey,
    /// Its number among what the writer signed.
    pub number: u64,
    /// By the writer's clock, in Unix milliseconds.
    pub time_ms: u64,
    /// When this device stored it, in Unix milliseconds.
    pub received_ms: u64,
    /// Ids of the channel's categories.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// Where it matters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<Area>,
    /// It is advertising, by the channel's word.
    pub advertising: bool,
    /// It is urgent, by the channel's word.
    pub urgent: bool,
    /// What it says, after edits.
    pub body: PostBody,
    /// When it was edited last, in Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_ms: Option<u64>,
    /// It was taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retracted: Option<Retracted>,
    /// The channel's root hasn't confirmed it yet.
    pub provisional: bool,
    /// Why the terms don't want it, if they don't.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unwanted: Option<HeldWhy>,
    /// Relays that signed for it; only of own channels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Vec<Held>>,
    /// Why no relay has signed for it yet, if one refused it; it waits and is handed to them again. Only of own channels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A post was taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Retracted {
    /// When, in Unix milliseconds.
    pub time_ms: u64,
    /// Why, for people; may be empty.
    pub reason: String,
}

/// A circle on the earth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Area {
    /// Millionths of a degree north.
    pub latitude_e6: i32,
    /// Millionths of a degree east.
    pub longitude_e6: i32,
    /// Metres.
    pub radius_m: u32,
}

/// What a post says.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PostBody {
    /// Text.
    Text {
        /// What it says.
        text: String,
    },
    /// Photos and other files.
    Album {
        /// In their order.
        files: Vec<Attachment>,
        /// What is written with them.
        #[serde(default)]
        text: String,
    },
    /// A card.
    Card {
        /// The card.
        card: Card,
        /// What is written with it.
        #[serde(default)]
        text: String,
    },
    /// Cards side by side.
    Carousel {
        /// 2 to 10.
        cards: Vec<Card>,
        /// What is written with them.
        #[serde(default)]
        text: String,
    },
    /// Something that takes place.
    Event {
        /// What.
        event: CalendarEvent,
        /// What is written with it.
        #[serde(default)]
        text: String,
    },
    /// A question.
    Poll {
        /// The question.
        question: String,
        /// What can be chosen.
        options: Vec<String>,
        /// Whether one may choose several.
        #[serde(default)]
        multiple: bool,
        /// Until when it can be answered, in Unix milliseconds; absent if it can't be.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until_ms: Option<u64>,
        /// What this device has answered: places of options from 0.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        vote: Option<Vec<u8>>,
        /// What it has come to, once the channel says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        result: Option<PollResult>,
        /// What is written with it.
        #[serde(default)]
        text: String,
    },
    /// An offer; it can't be claimed yet.
    Coupon {
        /// What.
        coupon: Coupon,
        /// What is written with it.
        #[serde(default)]
        text: String,
    },
    /// It was taken back.
    Retracted,
    /// A kind that this version doesn't know.
    Unknown {
        /// The kind's number.
        code: u64,
        /// What is to be shown instead.
        text: String,
    },
}

/// Gives its kind only.
impl fmt::Debug for PostBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text { .. } => "Text",
            Self::Album { .. } => "Album",
            Self::Card { .. } => "Card",
            Self::Carousel { .. } => "Carousel",
            Self::Event { .. } => "Event",
            Self::Poll { .. } => "Poll",
            Self::Coupon { .. } => "Coupon",
            Self::Retracted => "Retracted",
            Self::Unknown { .. } => "Unknown",
        })
    }
}

/// A card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Card {
    /// Its title.
    pub title: String,
    /// What it says.
    #[serde(default)]
    pub text: String,
    /// Its picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Attachment>,
    /// What can be opened from it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<WebLink>,
}

/// Something that takes place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CalendarEvent {
    /// What.
    pub title: String,
    /// When it begins, in Unix seconds.
    pub starts_s: u64,
    /// When it ends, in Unix seconds.
    pub ends_s: u64,
    /// Where.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub place: String,
    /// More of it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub details: String,
    /// An address.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub url: String,
}

/// An offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Coupon {
    /// What is shown.
    pub card: Card,
    /// Its terms.
    #[serde(default)]
    pub terms: String,
    /// From when, in Unix seconds.
    pub starts_s: u64,
    /// Until when, in Unix seconds.
    pub ends_s: u64,
    /// How many there are; 0 for no limit.
    #[serde(default)]
    pub total: u32,
    /// How many each follower gets; 0 for no limit.
    #[serde(default)]
    pub per_follower: u32,
}

/// Result of `channel.post`, `channel.edit` and `channel.retract`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Posted {
    /// The id of the post, edit or retraction; of a planned post that of the plan, by which `channel.unplan` drops it.
    pub post: PostId,
    /// It is published later.
    pub planned: bool,
}

/// Posts of a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PostPage {
    /// In ascending order of time.
    pub items: Vec<Post>,
    /// As `after` it gives the page that follows. Absent at the end.
    #[schemars(with = "Option<PageCursor>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// As `before` it gives the page that precedes, from a relay where it isn't here. Absent at the start.
    #[schemars(with = "Option<PageCursor>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prev: Option<String>,
}

/// A post that is to be published later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// By which it is dropped.
    pub post: PostId,
    /// When, in Unix milliseconds.
    pub at_ms: u64,
    /// What.
    pub body: PostBody,
}

/// Two things that a channel's writer signed and that contradict each other; or, from `channel.verify`, one that it signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChannelEvidence {
    /// The channel.
    pub channel: ChannelId,
    /// What they prove: `two_entries`, `two_histories`, `two_beacons`, `head_went_back`, `manifest_went_back` or `another_head`; `signed` of one entry alone.
    pub proof: String,
    /// Whose entries it is about; absent if it is about the channel's beacons alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writer: Option<WriterKey>,
    /// The number of the entry or beacon.
    pub number: u64,
    /// Both, for `channel.verify` on any node.
    #[schemars(with = "Base64<MAX_EVIDENCE>")]
    pub data: String,
}
