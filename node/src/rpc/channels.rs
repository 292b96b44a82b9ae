//! Parameters of the methods of channels.

use std::fmt;
use std::ops::RangeInclusive;

use data_encoding::BASE64;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::bodies::{SendFile, idempotency_key};
use super::error::ApiError;
use super::ids::{ChannelId, PostId};
use super::limits::{
    MAX_ATTACHMENTS, MAX_CARDS, MAX_CATEGORIES, MAX_CHANNEL_ADDRESSES, MAX_CHANNEL_DESCRIPTION, MAX_CHANNEL_LINKS,
    MAX_EVIDENCE, MAX_IDEMPOTENCY_KEY, MAX_NAME, MAX_REASON, MAX_TEXT,
};
use super::params::{Fields, FromParams, default_page, too_large};
use super::schema::{Base64, ChannelLink, PageCursor, Text};
use super::types::{Area, CalendarEvent, Category, Via, WebLink};

/// Parameters of `channel.create`.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct ChannelCreateParams {
    /// What it calls itself.
    #[schemars(with = "Text<1, MAX_NAME>")]
    pub name: String,
    /// What else it says of itself.
    #[schemars(flatten, with = "ManifestParams")]
    pub manifest: ManifestParams,
    /// The same key with the same name gives the same channel, for seven days; with another name an error.
    #[schemars(with = "Option<Text<1, MAX_IDEMPOTENCY_KEY>>")]
    pub idempotency_key: Option<String>,
}

/// What a channel says of itself; what is absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema)]
pub struct ManifestParams {
    /// For people.
    #[schemars(with = "Option<Text<0, MAX_CHANNEL_DESCRIPTION>>")]
    pub description: Option<String>,
    /// Addresses.
    #[schemars(length(max = MAX_CHANNEL_LINKS))]
    pub links: Option<Vec<WebLink>>,
    /// What its posts can be of.
    #[schemars(length(max = MAX_CATEGORIES))]
    pub categories: Option<Vec<Category>>,
    /// An invite link by which followers write back; empty for none.
    pub inbox: Option<String>,
    /// Where it is kept, as multiaddrs that end in `/p2p/…`: one relay at least. New ones are handed its newest posts, and who follows goes there.
    #[schemars(length(min = 1, max = MAX_CHANNEL_ADDRESSES))]
    pub relays: Option<Vec<String>>,
    /// The domain that it belongs to; empty for none.
    pub domain: Option<String>,
    /// Posts a day that it promises at most; 0 for no promise.
    pub posts_per_day: Option<u16>,
    /// What its advertising is labelled with; empty for none.
    #[schemars(with = "Option<Text<0, MAX_NAME>>")]
    pub advertising_label: Option<String>,
}

impl ManifestParams {
    fn take(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            description: fields.optional_text("description", MAX_CHANNEL_DESCRIPTION)?,
            links: some(fields, "links", MAX_CHANNEL_LINKS)?,
            categories: some(fields, "categories", MAX_CATEGORIES)?,
            inbox: fields.optional("inbox")?,
            relays: some(fields, "relays", MAX_CHANNEL_ADDRESSES)?,
            domain: fields.optional("domain")?,
            posts_per_day: fields.optional("posts_per_day")?,
            advertising_label: fields.optional_text("advertising_label", MAX_NAME)?,
        })
    }
}

/// A list of at most so many.
fn some<T: DeserializeOwned>(fields: &mut Fields, name: &'static str, most: usize) -> Result<Option<Vec<T>>, ApiError> {
    let list: Option<Vec<T>> = fields.optional(name)?;
    if list.as_ref().is_some_and(|list| list.len() > most) {
        return Err(fields.invalid(name, format!("must be at most {most}")));
    }
    Ok(list)
}

impl FromParams for ChannelCreateParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            name: fields.text("name", MAX_NAME)?,
            manifest: ManifestParams::take(fields)?,
            idempotency_key: idempotency_key(fields)?,
        })
    }
}

/// Parameters of `channel.update`; what is absent stays.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct ChannelUpdateParams {
    /// The channel.
    pub channel: ChannelId,
    /// What it calls itself.
    #[schemars(with = "Option<Text<1, MAX_NAME>>")]
    pub name: Option<String>,
    /// What else it says of itself.
    #[schemars(flatten, with = "ManifestParams")]
    pub manifest: ManifestParams,
}

impl FromParams for ChannelUpdateParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            channel: fields.required("channel")?,
            name: fields.optional_text("name", MAX_NAME)?,
            manifest: ManifestParams::take(fields)?,
        })
    }
}

/// Parameters of `channel.get`, `channel.unfollow`, `channel.plans` and `channel.evidence`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
pub struct ChannelParams {
    /// The channel.
    pub channel: ChannelId,
}

impl FromParams for ChannelParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            channel: fields.required("channel")?,
        })
    }
}

/// Parameters of `channel.follow`.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct FollowParams {
    /// The channel's link.
    #[schemars(with = "ChannelLink")]
    pub link: String,
    /// By whom its posts come.
    #[schemars(default)]
    pub via: Via,
}

impl FromParams for FollowParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            link: fields.required("link")?,
            via: fields.optional("via")?.unwrap_or_default(),
        })
    }
}

/// Parameters of `channel.via`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
pub struct ViaParams {
    /// A channel that is followed, or an own one.
    pub channel: ChannelId,
    /// By whom its posts come.
    pub via: Via,
}

impl FromParams for ViaParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            channel: fields.required("channel")?,
            via: fields.required("via")?,
        })
    }
}

/// Parameters of `channel.mute`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
pub struct MuteParams {
    /// The channel.
    pub channel: ChannelId,
    /// False to be told again.
    #[schemars(default = "yes")]
    pub muted: bool,
}

impl FromParams for MuteParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            channel: fields.required("channel")?,
            muted: fields.optional("muted")?.unwrap_or_else(yes),
        })
    }
}

/// Parameters of `channel.block`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
pub struct BlockParams {
    /// The channel; it needn't be followed.
    pub channel: ChannelId,
    /// False to allow it again.
    #[schemars(default = "yes")]
    pub blocked: bool,
}

impl FromParams for BlockParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            channel: fields.required("channel")?,
            blocked: fields.optional("blocked")?.unwrap_or_else(yes),
        })
    }
}

/// What flags are that are on unless given.
fn yes() -> bool {
    true
}

/// What is posted.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct NewPost {
    /// What it says.
    pub body: NewPostBody,
    /// Ids of the channel's categories that it is of; none for all who follow.
    #[schemars(default, length(max = MAX_CATEGORIES))]
    pub categories: Vec<String>,
    /// Where it matters; followers' nodes compare.
    pub area: Option<Area>,
    /// It is advertising.
    #[schemars(default)]
    pub advertising: bool,
    /// It is urgent.
    #[schemars(default)]
    pub urgent: bool,
}

/// What can be posted.
#[derive(Clone, PartialEq, Eq, JsonSchema)]
#[schemars(tag = "kind", rename_all = "snake_case")]
pub enum NewPostBody {
    /// Text.
    Text {
        /// What it says.
        #[schemars(with = "Text<1, MAX_TEXT>")]
        text: String,
    },
    /// Photos and other files; those whose media type says so as images.
    Album {
        /// In their order.
        #[schemars(length(min = 1, max = MAX_ATTACHMENTS))]
        files: Vec<SendFile>,
        /// What is written with them.
        #[schemars(default, with = "Text<0, MAX_TEXT>")]
        text: String,
    },
    /// A card.
    Card {
        /// The card.
        card: NewCard,
        /// What is written with it.
        #[schemars(default, with = "Text<0, MAX_TEXT>")]
        text: String,
    },
    /// Cards side by side.
    Carousel {
        /// 2 to 10.
        #[schemars(length(min = 2, max = MAX_CARDS))]
        cards: Vec<NewCard>,
        /// What is written with them.
        #[schemars(default, with = "Text<0, MAX_TEXT>")]
        text: String,
    },
    /// Something that takes place.
    Event {
        /// What.
        event: CalendarEvent,
        /// What is written with it.
        #[schemars(default, with = "Text<0, MAX_TEXT>")]
        text: String,
    },
    /// A question.
    Poll {
        /// The question.
        question: String,
        /// What can be chosen, 2 to 12.
        options: Vec<String>,
        /// Whether one may choose several.
        #[schemars(default)]
        multiple: bool,
        /// What is written with it.
        #[schemars(default, with = "Text<0, MAX_TEXT>")]
        text: String,
    },
    /// An offer; it can't be claimed yet.
    Coupon {
        /// What.
        coupon: NewCoupon,
        /// What is written with it.
        #[schemars(default, with = "Text<0, MAX_TEXT>")]
        text: String,
    },
}

/// A card that is to be posted.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct NewCard {
    /// Its title.
    pub title: String,
    /// What it says.
    #[schemars(default)]
    pub text: String,
    /// Its picture: JPEG, PNG, WebP or GIF, written whole by `blob.put`.
    pub image: Option<SendFile>,
    /// What can be opened from it.
    #[schemars(default)]
    pub buttons: Vec<WebLink>,
}

impl FromParams for NewCard {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        let image = fields.optional_nested("image")?;
        Ok(Self {
            title: fields.required("title")?,
            text: fields.optional("text")?.unwrap_or_default(),
            image: image.map(|mut image| SendFile::from_params(&mut image)).transpose()?,
            buttons: fields.optional("buttons")?.unwrap_or_default(),
        })
    }
}

/// An offer that is to be posted.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct NewCoupon {
    /// What is shown.
    pub card: NewCard,
    /// Its terms.
    #[schemars(default)]
    pub terms: String,
    /// From when, in Unix seconds.
    pub starts_s: u64,
    /// Until when, in Unix seconds.
    pub ends_s: u64,
    /// How many there are; 0 for no limit.
    #[schemars(default)]
    pub total: u32,
    /// How many each follower gets; 0 for no limit.
    #[schemars(default)]
    pub per_follower: u32,
}

impl FromParams for NewCoupon {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            card: NewCard::from_params(&mut fields.nested("card")?)?,
            terms: fields.optional("terms")?.unwrap_or_default(),
            starts_s: fields.required("starts_s")?,
            ends_s: fields.required("ends_s")?,
            total: fields.optional("total")?.unwrap_or_default(),
            per_follower: fields.optional("per_follower")?.unwrap_or_default(),
        })
    }
}

/// Gives its kind only.
impl fmt::Debug for NewPostBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text { .. } => "Text",
            Self::Album { .. } => "Album",
            Self::Card { .. } => "Card",
            Self::Carousel { .. } => "Carousel",
            Self::Event { .. } => "Event",
            Self::Poll { .. } => "Poll",
            Self::Coupon { .. } => "Coupon",
        })
    }
}

/// A list that has so many members.
fn so_many(body: &mut Fields, name: &'static str, many: RangeInclusive<usize>) -> Result<Vec<Fields>, ApiError> {
    let list = body.list(name)?;
    if !many.contains(&list.len()) {
        return Err(body.invalid(name, format!("must be {} to {}", many.start(), many.end())));
    }
    Ok(list)
}

impl NewPost {
    fn take(fields: &mut Fields) -> Result<Self, ApiError> {
        let mut body = fields.nested("body")?;
        let kind: String = body.required("kind")?;
        let text = match kind.as_str() {
            "text" => body.text("text", MAX_TEXT)?,
            _ => body.optional_text("text", MAX_TEXT)?.unwrap_or_default(),
        };
        let body = match kind.as_str() {
            "text" => NewPostBody::Text { text },
            "album" => {
                let mut files = so_many(&mut body, "files", 1..=MAX_ATTACHMENTS)?;
                let files = files.iter_mut().map(SendFile::from_params);
                NewPostBody::Album {
                    files: files.collect::<Result<_, _>>()?,
                    text,
                }
            }
            "card" => NewPostBody::Card {
                card: NewCard::from_params(&mut body.nested("card")?)?,
                text,
            },
            "carousel" => {
                let mut cards = so_many(&mut body, "cards", 2..=MAX_CARDS)?;
                let cards = cards.iter_mut().map(NewCard::from_params);
                NewPostBody::Carousel {
                    cards: cards.collect::<Result<_, _>>()?,
                    text,
                }
            }
            "event" => NewPostBody::Event {
                event: body.required("event")?,
                text,
            },
            "poll" => NewPostBody::Poll {
                question: body.required("question")?,
                options: body.required("options")?,
                multiple: body.optional("multiple")?.unwrap_or_default(),
                text,
            },
            "coupon" => NewPostBody::Coupon {
                coupon: NewCoupon::from_params(&mut body.nested("coupon")?)?,
                text,
            },
            _ => {
                let reason = "must be \"text\", \"album\", \"card\", \"carousel\", \"event\", \"poll\" or \"coupon\"";
                return Err(body.invalid("kind", reason));
            }
        };
        Ok(Self {
            body,
            categories: some(fields, "categories", MAX_CATEGORIES)?.unwrap_or_default(),
            area: fields.optional("area")?,
            advertising: fields.optional("advertising")?.unwrap_or_default(),
            urgent: fields.optional("urgent")?.unwrap_or_default(),
        })
    }
}

/// Parameters of `channel.post`.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct ChannelPostParams {
    /// An own channel.
    pub channel: ChannelId,
    /// What.
    #[schemars(flatten, with = "NewPost")]
    pub post: NewPost,
    /// When it is published, in Unix milliseconds; at once if absent or past.
    pub at_ms: Option<u64>,
    /// The same key with the same post gives the same id, for seven days; with another one an error.
    #[schemars(with = "Option<Text<1, MAX_IDEMPOTENCY_KEY>>")]
    pub idempotency_key: Option<String>,
}

impl FromParams for ChannelPostParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            channel: fields.required("channel")?,
            post: NewPost::take(fields)?,
            at_ms: fields.optional("at_ms")?,
            idempotency_key: idempotency_key(fields)?,
        })
    }
}

/// Parameters of `channel.preview`.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct ChannelPreviewParams {
    /// A channel that this account may write on.
    pub channel: ChannelId,
    /// What.
    #[schemars(flatten, with = "NewPost")]
    pub post: NewPost,
    /// When it would be published, in Unix milliseconds; at once if absent or past.
    pub at_ms: Option<u64>,
}

impl FromParams for ChannelPreviewParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            channel: fields.required("channel")?,
            post: NewPost::take(fields)?,
            at_ms: fields.optional("at_ms")?,
        })
    }
}

/// Parameters of `channel.edit`.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct ChannelEditParams {
    /// An own channel.
    pub channel: ChannelId,
    /// Which post.
    pub post: PostId,
    /// What it says from now on.
    #[schemars(flatten, with = "NewPost")]
    pub content: NewPost,
}

impl FromParams for ChannelEditParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            channel: fields.required("channel")?,
            post: fields.required("post")?,
            content: NewPost::take(fields)?,
        })
    }
}

/// Parameters of `channel.retract`.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct RetractParams {
    /// An own channel.
    pub channel: ChannelId,
    /// Which post.
    pub post: PostId,
    /// Why, for people.
    #[schemars(default, with = "Text<0, MAX_REASON>")]
    pub reason: String,
}

impl FromParams for RetractParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            channel: fields.required("channel")?,
            post: fields.required("post")?,
            reason: fields.optional_text("reason", MAX_REASON)?.unwrap_or_default(),
        })
    }
}

/// Parameters of `channel.unplan` and `channel.mark_read`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
pub struct PostParams {
    /// The channel.
    pub channel: ChannelId,
    /// The post.
    pub post: PostId,
}

impl FromParams for PostParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            channel: fields.required("channel")?,
            post: fields.required("post")?,
        })
    }
}

/// Parameters of `channel.posts`.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct PostListParams {
    /// Of which channel.
    pub channel: ChannelId,
    /// `prev` of a page: the posts before it. Not together with `after`.
    #[schemars(with = "Option<PageCursor>")]
    pub before: Option<String>,
    /// `next` of a page: the posts after it.
    #[schemars(with = "Option<PageCursor>")]
    pub after: Option<String>,
    /// Items at most; counts as 1,000 if above.
    #[schemars(with = "u64", default = "default_page", range(min = 1))]
    pub limit: u32,
}

impl FromParams for PostListParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        let params = Self {
            channel: fields.required("channel")?,
            before: fields.list_cursor("before")?,
            after: fields.list_cursor("after")?,
            limit: fields.limit()?,
        };
        if params.before.is_some() && params.after.is_some() {
            return Err(ApiError::invalid("before", "can't be used with 'after'"));
        }
        Ok(params)
    }
}

/// Parameters of `channel.verify`.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct VerifyParams {
    /// Evidence, as `channel.evidence` gives it, or the envelope of an entry, as a relay's operator has it of a post that was reported.
    #[schemars(with = "Base64<MAX_EVIDENCE>")]
    pub data: Vec<u8>,
}

impl FromParams for VerifyParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        let text: String = fields.required("data")?;
        if text.len() > BASE64.encode_len(MAX_EVIDENCE) {
            return Err(too_large("data", MAX_EVIDENCE));
        }
        let data = BASE64.decode(text.trim().as_bytes());
        Ok(Self {
            data: data.map_err(|_| fields.invalid("data", "must be base64"))?,
        })
    }
}
