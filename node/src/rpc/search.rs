//! `message.search`: parameters and results.

use std::fmt;
use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use super::ids::ChatId;
use super::limits::MAX_QUERY;
use super::params::{Fields, FromParams, default_page};
use super::schema::{Account, PageCursor, Text};
use super::types::Message;

/// Parameters of `message.search`; Debug leaves out what is looked for.
#[derive(Clone, PartialEq, Eq, JsonSchema)]
pub struct SearchParams {
    /// Words, all of which a message has; case, accents and compatible forms don't count. Hangul and other writing without spaces is
    /// found anywhere in a word, the words of alphabets by how they begin.
    #[schemars(with = "Text<1, MAX_QUERY>")]
    pub query: String,
    /// Only in this chat.
    pub chat: Option<ChatId>,
    /// Only what this account wrote.
    #[schemars(with = "Option<Account>")]
    pub account: Option<String>,
    /// Only what was sent then or later, in Unix milliseconds.
    pub after_ms: Option<u64>,
    /// Only what was sent before then, in Unix milliseconds.
    pub before_ms: Option<u64>,
    /// `next` of the page before; absent for the first.
    #[schemars(with = "Option<PageCursor>")]
    pub after: Option<String>,
    /// Items at most; counts as 1,000 if above.
    #[schemars(with = "u64", default = "default_page", range(min = 1))]
    pub limit: u32,
}

impl FromParams for SearchParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            query: fields.text("query", MAX_QUERY)?,
            chat: fields.optional("chat")?,
            account: fields.optional("account")?,
            after_ms: fields.optional("after_ms")?,
            before_ms: fields.optional("before_ms")?,
            after: fields.list_cursor("after")?,
            limit: fields.limit()?,
        })
    }
}

impl fmt::Debug for SearchParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SearchParams({} bytes)", self.query.len())
    }
}

/// What a search finds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SearchPage {
    /// The newest first. There may be fewer than `limit`, or none, although there is a `next`: a page ends when much was read.
    pub items: Vec<SearchHit>,
    /// The `after` of the next page; absent at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<PageCursor>")]
    pub next: Option<String>,
    /// Whether all messages were looked at. Not while the index is being made, as at the first start of a version that has one, or
    /// behind a rush of messages.
    pub complete: bool,
}

/// A message that a search finds.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SearchHit {
    /// The message as it is now.
    pub message: Message,
    /// The part of its text around the first place; `…` stands for what is left out.
    pub snippet: String,
    /// The places in `snippet` that were looked for, ascending, apart.
    pub highlights: Vec<Highlight>,
}

/// Leaves out what it says.
impl fmt::Debug for SearchHit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SearchHit({:?}, {} places)", self.message, self.highlights.len())
    }
}

impl From<Range<usize>> for Highlight {
    fn from(place: Range<usize>) -> Self {
        Self {
            start_bytes: place.start as u64,
            length_bytes: place.len() as u64,
        }
    }
}

/// A place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Highlight {
    /// Where it begins in the text's UTF-8.
    pub start_bytes: u64,
    /// How long it is there.
    pub length_bytes: u64,
}
