//! `archive.*`: messages of exported chats that were imported. They are what a file says, proved by nobody, and so are kept and shown apart
//! from what came by the chats themselves.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::ApiError;
use super::ids::{ArchiveId, ChatId, MessageId};
use super::limits::{MAX_ARCHIVED, MAX_ARCHIVED_BYTES, MAX_NAME, MAX_QUERY, MAX_TEXT};
use super::params::{Fields, FromParams, default_page, too_large};
use super::schema::{Account, PageCursor, Text};
use super::search::Highlight;
use super::types::{Body, Reaction};

/// Parameters of `archive.add`.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct ArchiveImportParams {
    /// The chat that was exported, which need not be known here.
    pub chat: ChatId,
    /// The account that exported it.
    #[schemars(with = "Account")]
    pub account: String,
    /// What the chat was called.
    #[schemars(with = "Option<Text<0, MAX_NAME>>")]
    pub name: Option<String>,
    /// When it was exported, in Unix milliseconds.
    pub exported_ms: u64,
    /// Some of its messages; those that are there already are passed over.
    #[schemars(length(max = MAX_ARCHIVED))]
    pub messages: Vec<Archived>,
}

impl FromParams for ArchiveImportParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        let name = fields.optional_text("name", MAX_NAME)?;
        let account = fields.text("account", MAX_NAME)?;
        let given: Vec<Value> = fields.required("messages")?;
        if given.len() > MAX_ARCHIVED {
            return Err(too_large("messages", MAX_ARCHIVED));
        }
        let read = |(at, value): (usize, Value)| {
            let message: Archived =
                serde_json::from_value(value).map_err(|error| ApiError::invalid(format!("messages[{at}]"), error))?;
            message.check(at)?;
            Ok(message)
        };
        Ok(Self {
            chat: fields.required("chat")?,
            account,
            name,
            exported_ms: fields.required("exported_ms")?,
            messages: given
                .into_iter()
                .enumerate()
                .map(read)
                .collect::<Result<_, ApiError>>()?,
        })
    }
}

/// A message of an exported chat: what the file says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Archived {
    /// Its id.
    pub message: MessageId,
    /// The author's account.
    #[schemars(with = "Account")]
    pub account: String,
    /// The author's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether whoever exported it wrote it.
    #[serde(default)]
    pub outgoing: bool,
    /// When it was written, in Unix milliseconds.
    pub sent_ms: u64,
    /// What it says.
    pub body: Body,
    /// When its author changed it last, in Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_ms: Option<u64>,
    /// Emoji that were left at it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<Reaction>,
}

impl Archived {
    fn check(&self, at: usize) -> Result<(), ApiError> {
        let field = |name: &str| format!("messages[{at}].{name}");
        if self.account.len() > MAX_NAME {
            return Err(too_large(field("account"), MAX_NAME));
        }
        if self.name.as_ref().is_some_and(|name| name.len() > MAX_NAME) {
            return Err(too_large(field("name"), MAX_NAME));
        }
        if let Body::Text { text, .. } = &self.body
            && text.len() > MAX_TEXT
        {
            return Err(too_large(field("body.text"), MAX_TEXT));
        }
        let whole = serde_json::to_vec(self).map_err(|error| ApiError::invalid(field("body"), error))?;
        if whole.len() > MAX_ARCHIVED_BYTES {
            return Err(too_large(format!("messages[{at}]"), MAX_ARCHIVED_BYTES));
        }
        Ok(())
    }
}

/// Result of `archive.add`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ArchiveImported {
    /// The archive that the messages are in.
    pub archive: ArchiveId,
    /// How many are new.
    pub added: u64,
}

/// Imported messages of a chat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Archive {
    /// Its id: the same for each export of that chat by that account.
    pub archive: ArchiveId,
    /// The chat that was exported.
    pub chat: ChatId,
    /// The account that exported it, as the file says.
    #[schemars(with = "Account")]
    pub account: String,
    /// What the chat was called, as the file says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When it was exported last, as the file says, in Unix milliseconds.
    pub exported_ms: u64,
    /// When it was imported last, in Unix milliseconds.
    pub imported_ms: u64,
}

/// Parameters of `archive.remove`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
pub struct ArchiveParams {
    /// The archive.
    pub archive: ArchiveId,
}

impl FromParams for ArchiveParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            archive: fields.required("archive")?,
        })
    }
}

/// Parameters of `archive.messages`; Debug leaves out what is looked for.
#[derive(Clone, PartialEq, Eq, JsonSchema)]
pub struct ArchiveMessagesParams {
    /// Of which archive.
    pub archive: ArchiveId,
    /// Only those that have these words, as `message.search` finds them.
    #[schemars(with = "Option<Text<1, MAX_QUERY>>")]
    pub query: Option<String>,
    /// `next` of the page before; absent for the first.
    #[schemars(with = "Option<PageCursor>")]
    pub after: Option<String>,
    /// A time in Unix milliseconds: only what was sent then or later.
    pub at_ms: Option<u64>,
    /// Items at most; counts as 1,000 if above.
    #[schemars(with = "u64", default = "default_page", range(min = 1))]
    pub limit: u32,
}

impl FromParams for ArchiveMessagesParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        let query = fields.optional_text("query", MAX_QUERY)?;
        Ok(Self {
            archive: fields.required("archive")?,
            query,
            after: fields.list_cursor("after")?,
            at_ms: fields.optional("at_ms")?,
            limit: fields.limit()?,
        })
    }
}

impl fmt::Debug for ArchiveMessagesParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ArchiveMessagesParams({})", self.archive)
    }
}

/// A message of an archive, on a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ArchiveItem {
    /// What the file says.
    #[serde(flatten)]
    pub archived: Archived,
    /// Where `query` was found: places in the text, or in the question of a poll and its options, each on a line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub highlights: Vec<Highlight>,
}
