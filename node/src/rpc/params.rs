//! Parameters of the methods: by name, unknown ones ignored, each error with the parameter's name.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::error::ApiError;
use super::ids::{ChatId, EventCursor, EventEpoch, MessageId, RequestId};
use super::limits::{DEFAULT_PAGE, MAX_FILTER, MAX_LIST_CURSOR, MAX_NAME, MAX_PAGE, MAX_POLL};
use super::objects::read;
use super::schema::{CursorOrAck, Link, PageCursor, Text};

pub use super::apps::{AckParams, AppApproveParams, AppHandleParams, AppMintParams, AppParams, AppRequestParams};
pub use super::archive::{ArchiveImportParams, ArchiveMessagesParams, ArchiveParams};
pub use super::blobs::{BlobGetParams, BlobParams, BlobPutParams, BlobWriteParams};
pub use super::bodies::{EditParams, ReactParams, SendBody, SendFile, SendParams, VoteParams};
pub use super::channels::{
    BlockParams, ChannelCreateParams, ChannelEditParams, ChannelParams, ChannelPostParams, ChannelPreviewParams,
    ChannelUpdateParams, FollowParams, ManifestParams, MuteParams, NewCard, NewPost, NewPostBody, PostListParams,
    PostParams, RetractParams, VerifyParams, ViaParams,
};
pub use super::chats::{
    ChatCreateParams, ChatInviteParams, ChatMembersParams, ChatParams, ChatRoleParams, ChatTypingParams,
    ChatUpdateParams,
};
pub use super::opens::{CardParams, ShareOpenParams, ShareReplyParams, WaitingReplyParams};
pub use super::relays::EvidenceParams;
pub use super::scrape::ScrapeParams;
pub use super::search::SearchParams;
pub use super::shares::{
    CardText, ConfirmParams, EnterParams, HeldCard, PickParams, PickedParams, ShareLanguage, ShareOfferParams,
    ShareParams, SharePickParams, SharePreviewParams, ShareSendParams, ShownParams,
};
pub use super::terms::{CertifyParams, RecoverParams, RevokeParams, TermsParams, UseCertificateParams};

/// Parameters of a method.
pub trait FromParams: Sized {
    /// Takes the parameters that the method knows.
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError>;

    /// Reads the `params` of a request, which may be absent.
    fn read(json: Option<&str>) -> Result<Self, ApiError> {
        Self::from_params(&mut Fields::parse(json)?)
    }
}

pub(super) fn default_page() -> u32 {
    DEFAULT_PAGE
}

/// The default of `timeout_ms`.
fn no_wait() -> u64 {
    0
}

/// No parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
pub struct NoParams;

impl FromParams for NoParams {
    fn from_params(_: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self)
    }
}

/// Parameters of `contact.invite`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
pub struct InviteParams {
    /// Whether more than one account may use it.
    #[schemars(default)]
    pub multi_use: bool,
    /// How long it works, in seconds; seven days unless given, 90 at most.
    pub expires_in_s: Option<u64>,
}

impl FromParams for InviteParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            multi_use: fields.optional("multi_use")?.unwrap_or_default(),
            expires_in_s: fields.optional("expires_in_s")?,
        })
    }
}

/// Parameters of `contact.accept`; absent from Debug, as whoever has the link may use it.
#[derive(Clone, PartialEq, Eq, JsonSchema)]
pub struct AcceptParams {
    /// The link.
    #[schemars(with = "Link")]
    pub invite: String,
    /// Asks under an alias: as another account, made for this chat alone, whose other side learns nothing of yours. An alias of the same name
    /// with the same inviter is one alias, and its chat the result. Not for invites of groups, nor of those who name no relay.
    pub alias: Option<NewAlias>,
}

impl FromParams for AcceptParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        let invite = fields.required("invite")?;
        let alias = fields.optional_nested("alias")?;
        let name = |mut alias: Fields| alias.optional_text("name", MAX_NAME);
        Ok(Self {
            invite,
            alias: alias.map(name).transpose()?.map(|name| NewAlias {
                name: name.unwrap_or_default(),
            }),
        })
    }
}

/// As whom to ask.
#[derive(Clone, PartialEq, Eq, JsonSchema)]
pub struct NewAlias {
    /// What it calls itself towards the other; no name unless given, and never yours.
    #[schemars(with = "Option<Text<0, MAX_NAME>>")]
    pub name: String,
}

/// Parameters of `chat.uninvite`; absent from Debug, as whoever has the link may use it.
#[derive(Clone, PartialEq, Eq, JsonSchema)]
pub struct UninviteParams {
    /// The link.
    #[schemars(with = "Link")]
    pub invite: String,
}

impl FromParams for UninviteParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            invite: fields.required("invite")?,
        })
    }
}

impl fmt::Debug for AcceptParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AcceptParams(redacted)")
    }
}

impl fmt::Debug for UninviteParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UninviteParams(redacted)")
    }
}

/// Parameters of the lists that only go forward.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct ListParams {
    /// `next` of the page before; absent for the first.
    #[schemars(with = "Option<PageCursor>")]
    pub after: Option<String>,
    /// Items at most; counts as 1,000 if above.
    #[schemars(with = "u64", default = "default_page", range(min = 1))]
    pub limit: u32,
}

impl FromParams for ListParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            after: fields.list_cursor("after")?,
            limit: fields.limit()?,
        })
    }
}

/// Parameters of `contact.approve` and `contact.decline`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
pub struct ApproveParams {
    /// The request.
    pub request: RequestId,
}

impl FromParams for ApproveParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            request: fields.required("request")?,
        })
    }
}

/// Parameters of `message.list`.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct MessageListParams {
    /// Of which chat.
    pub chat: ChatId,
    /// `prev` of a page: the messages before it. Not together with `after`.
    #[schemars(with = "Option<PageCursor>")]
    pub before: Option<String>,
    /// `next` of a page: the messages after it.
    #[schemars(with = "Option<PageCursor>")]
    pub after: Option<String>,
    /// A time in Unix milliseconds: the first message that was sent then or later, and those after it; the newest if there is none.
    /// Not together with the others.
    pub at_ms: Option<u64>,
    /// Items at most; counts as 1,000 if above.
    #[schemars(with = "u64", default = "default_page", range(min = 1))]
    pub limit: u32,
}

impl FromParams for MessageListParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        let params = Self {
            chat: fields.required("chat")?,
            before: fields.list_cursor("before")?,
            after: fields.list_cursor("after")?,
            at_ms: fields.optional("at_ms")?,
            limit: fields.limit()?,
        };
        if params.at_ms.is_some() && (params.before.is_some() || params.after.is_some()) {
            return Err(ApiError::invalid("at_ms", "can't be used with 'before' or 'after'"));
        }
        if params.before.is_some() && params.after.is_some() {
            return Err(ApiError::invalid("before", "can't be used with 'after'"));
        }
        Ok(params)
    }
}

/// Parameters of `message.get` and `message.delete`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
pub struct MessageParams {
    /// The message.
    pub message: MessageId,
}

impl FromParams for MessageParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            message: fields.required("message")?,
        })
    }
}

/// Parameters of `message.mark_read`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
pub struct MarkReadParams {
    /// The chat.
    pub chat: ChatId,
    /// The last message that was read; all shown before it count as read too.
    pub through: MessageId,
}

impl FromParams for MarkReadParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            chat: fields.required("chat")?,
            through: fields.required("through")?,
        })
    }
}

/// Where events are read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// Now.
    Newest,
    /// The last one that this token's app has acknowledged.
    Acknowledged,
    /// The last one that was seen, and the epoch that came with it; 0 is the log's start.
    Cursor(EventCursor, Option<EventEpoch>),
}

/// The parameters of [`After`].
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is of use")]
struct Beginning {
    /// The event behind which to begin: `0` is the log's start, `ack` what this token's app has acknowledged last, absent is now.
    after: Option<CursorOrAck>,
    /// The epoch that came with the cursor in `after`: says whether it is of this log.
    epoch: Option<EventEpoch>,
}

impl After {
    fn take(fields: &mut Fields) -> Result<Self, ApiError> {
        let epoch = fields.optional("epoch")?;
        match fields.optional::<String>("after")?.as_deref() {
            None => Ok(Self::Newest),
            Some("ack") => Ok(Self::Acknowledged),
            Some(text) => text
                .parse()
                .map(|cursor| Self::Cursor(cursor, epoch))
                .map_err(|error| fields.invalid("after", error)),
        }
    }
}

/// Which events are read; all if nothing is named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Filter {
    /// Kinds, as `message.received`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = MAX_FILTER))]
    pub kinds: Option<Vec<String>>,
    /// Of these chats, and what is of none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = MAX_FILTER))]
    pub chats: Option<Vec<ChatId>>,
}

impl Filter {
    pub(super) fn take(fields: &mut Fields) -> Result<Self, ApiError> {
        if !fields.is_given("filter") {
            return Ok(Self::default());
        }
        let mut inner = fields.nested("filter")?;
        let filter = Self {
            kinds: inner.optional("kinds")?,
            chats: inner.optional("chats")?,
        };
        for (name, len) in [
            ("kinds", filter.kinds.as_ref().map_or(0, Vec::len)),
            ("chats", filter.chats.as_ref().map_or(0, Vec::len)),
        ] {
            if len > MAX_FILTER {
                return Err(inner.invalid(name, format!("must be at most {MAX_FILTER}")));
            }
        }
        Ok(filter)
    }
}

/// Parameters of `event.poll`.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct PollParams {
    /// Where to begin.
    #[schemars(flatten, with = "Beginning")]
    pub after: After,
    /// Which events; all if absent.
    #[schemars(with = "Option<Filter>")]
    pub filter: Filter,
    /// Items at most; counts as 1,000 if above.
    #[schemars(with = "u64", default = "default_page", range(min = 1))]
    pub limit: u32,
    /// How long to wait for the first, in milliseconds; counts as 60,000 if above.
    #[schemars(rename = "timeout_ms", with = "u64", default = "no_wait")]
    pub timeout: Duration,
}

impl FromParams for PollParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        let timeout_ms: Option<u64> = fields.optional("timeout_ms")?;
        Ok(Self {
            after: After::take(fields)?,
            filter: Filter::take(fields)?,
            limit: fields.limit()?,
            timeout: Duration::from_millis(timeout_ms.unwrap_or_default()).min(MAX_POLL),
        })
    }
}

/// Parameters of `event.subscribe`.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct SubscribeParams {
    /// Where to begin.
    #[schemars(flatten, with = "Beginning")]
    pub after: After,
    /// Which events; all if absent.
    #[schemars(with = "Option<Filter>")]
    pub filter: Filter,
}

impl FromParams for SubscribeParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            after: After::take(fields)?,
            filter: Filter::take(fields)?,
        })
    }
}

/// Parameters of `event.unsubscribe`, which jsonrpsee reads by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
pub struct UnsubscribeParams {
    /// The subscription.
    pub subscription: u64,
}

impl FromParams for UnsubscribeParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            subscription: fields.required("subscription")?,
        })
    }
}

/// The members of a `params` object that haven't been taken yet.
pub struct Fields {
    members: Map<String, Value>,
    path: String,
}

impl Fields {
    /// Reads an object; an empty array counts as an empty object, as some clients send it.
    ///
    /// Nesting is bounded by serde_json's recursion limit of 128.
    pub(super) fn parse(json: Option<&str>) -> Result<Self, ApiError> {
        let value = match json {
            None => Value::Null,
            Some(json) => serde_json::from_str(json).map_err(|error| ApiError::invalid("params", error))?,
        };
        let members = match value {
            Value::Object(members) => members,
            Value::Null => Map::new(),
            Value::Array(items) if items.is_empty() => Map::new(),
            _ => return Err(ApiError::invalid("params", "must be an object")),
        };
        Ok(Self {
            members,
            path: String::new(),
        })
    }

    /// Whether a member is there, and not `null`.
    pub(super) fn is_given(&self, name: &str) -> bool {
        self.members.get(name).is_some_and(|value| !value.is_null())
    }

    pub(super) fn required<T: DeserializeOwned>(&mut self, name: &'static str) -> Result<T, ApiError> {
        let Some(value) = self.optional(name)? else {
            return Err(self.invalid(name, "is missing"));
        };
        Ok(value)
    }

    pub(super) fn optional<T: DeserializeOwned>(&mut self, name: &'static str) -> Result<Option<T>, ApiError> {
        let value = self.members.remove(name).unwrap_or_default();
        read(value).map_err(|error| self.invalid(name, error))
    }

    /// A text of at most so many bytes.
    pub(super) fn text(&mut self, name: &'static str, limit: usize) -> Result<String, ApiError> {
        let text = self.required(name)?;
        self.within(name, text, limit)
    }

    /// A text of at most so many bytes, if there is one.
    pub(super) fn optional_text(&mut self, name: &'static str, limit: usize) -> Result<Option<String>, ApiError> {
        let text = self.optional(name)?;
        text.map(|text| self.within(name, text, limit)).transpose()
    }

    fn within(&self, name: &str, text: String, limit: usize) -> Result<String, ApiError> {
        if text.len() > limit {
            return Err(too_large(self.path_of(name), limit));
        }
        Ok(text)
    }

    /// An object within the object, one level down.
    pub(super) fn nested(&mut self, name: &'static str) -> Result<Self, ApiError> {
        Ok(Self {
            members: self.required(name)?,
            path: self.path_of(name),
        })
    }

    /// The same where there need be none.
    pub(super) fn optional_nested(&mut self, name: &'static str) -> Result<Option<Self>, ApiError> {
        let path = self.path_of(name);
        let members = self.optional(name)?;
        Ok(members.map(|members| Self { members, path }))
    }

    /// The objects of a list within the object.
    pub(super) fn list(&mut self, name: &'static str) -> Result<Vec<Self>, ApiError> {
        let objects: Vec<Map<String, Value>> = self.required(name)?;
        let nested = |(at, members)| Self {
            members,
            path: self.path_of(&format!("{name}[{at}]")),
        };
        Ok(objects.into_iter().enumerate().map(nested).collect())
    }

    pub(super) fn limit(&mut self) -> Result<u32, ApiError> {
        let limit: u64 = self.optional("limit")?.unwrap_or_else(|| default_page().into());
        if limit == 0 {
            return Err(self.invalid("limit", "must be at least 1"));
        }
        Ok(u32::try_from(limit).unwrap_or(MAX_PAGE).min(MAX_PAGE))
    }

    pub(super) fn list_cursor(&mut self, name: &'static str) -> Result<Option<String>, ApiError> {
        let cursor: Option<String> = self.optional(name)?;
        if cursor.as_ref().is_some_and(|c| c.len() > MAX_LIST_CURSOR) {
            return Err(self.invalid(name, "is not a cursor of this node"));
        }
        Ok(cursor)
    }

    pub(super) fn invalid(&self, name: &'static str, reason: impl ToString) -> ApiError {
        ApiError::invalid(self.path_of(name), reason)
    }

    /// A member's path from the top.
    pub(super) fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() {
            return name.to_owned();
        }
        format!("{}.{name}", self.path)
    }
}

pub(super) fn too_large(field: impl Into<Cow<'static, str>>, limit: usize) -> ApiError {
    ApiError::TooLarge {
        field: field.into(),
        limit: u64::try_from(limit).unwrap_or(u64::MAX),
    }
}
