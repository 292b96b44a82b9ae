//! Parameters of the methods that make and change chats.

use data_encoding::BASE64;
use schemars::JsonSchema;

use super::bodies::idempotency_key;
use super::error::ApiError;
use super::ids::ChatId;
use super::limits::{MAX_IDEMPOTENCY_KEY, MAX_MEMBERS, MAX_NAME, MAX_PICTURE};
use super::params::{Fields, FromParams, too_large};
use super::schema::{Account, Base64, Text};
use super::types::Role;

/// Parameters of `chat.get`, `chat.members`, `chat.gaps`, `chat.invites` and `chat.leave`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
pub struct ChatParams {
    /// The chat.
    pub chat: ChatId,
}

impl FromParams for ChatParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            chat: fields.required("chat")?,
        })
    }
}

/// Parameters of `chat.create`.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct ChatCreateParams {
    /// Its name.
    #[schemars(with = "Option<Text<0, MAX_NAME>>")]
    pub name: String,
    /// Accounts of contacts.
    #[schemars(with = "Vec<Account>", length(max = MAX_MEMBERS))]
    pub members: Vec<String>,
    /// The same key with the same name and members gives the same chat, for seven days; with others an error.
    #[schemars(with = "Option<Text<1, MAX_IDEMPOTENCY_KEY>>")]
    pub idempotency_key: Option<String>,
}

impl FromParams for ChatCreateParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            name: name(fields)?.unwrap_or_default(),
            members: members(fields)?,
            idempotency_key: idempotency_key(fields)?,
        })
    }
}

/// Parameters of `chat.add` and `chat.remove`.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct ChatMembersParams {
    /// The chat.
    pub chat: ChatId,
    /// Accounts.
    #[schemars(with = "Vec<Account>", length(max = MAX_MEMBERS))]
    pub members: Vec<String>,
}

impl FromParams for ChatMembersParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            chat: fields.required("chat")?,
            members: members(fields)?,
        })
    }
}

/// Parameters of `chat.typing`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
pub struct ChatTypingParams {
    /// The chat.
    pub chat: ChatId,
    /// False once the user has stopped.
    #[schemars(default = "yes")]
    pub active: bool,
}

impl FromParams for ChatTypingParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            chat: fields.required("chat")?,
            active: fields.optional("active")?.unwrap_or_else(yes),
        })
    }
}

/// Parameters of `chat.update`; what is absent stays.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct ChatUpdateParams {
    /// The chat.
    pub chat: ChatId,
    /// Its name.
    #[schemars(with = "Option<Text<0, MAX_NAME>>")]
    pub name: Option<String>,
    /// A small picture, in base64; empty for none.
    #[schemars(with = "Option<Base64<MAX_PICTURE>>")]
    pub picture: Option<Vec<u8>>,
    /// Seconds after which messages disappear; 0 for never.
    pub timer_s: Option<u32>,
}

impl FromParams for ChatUpdateParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        let picture: Option<String> = fields.optional("picture")?;
        let picture = picture.map(|text| {
            if text.len() > BASE64.encode_len(MAX_PICTURE) {
                return Err(too_large("picture", MAX_PICTURE));
            }
            BASE64
                .decode(text.as_bytes())
                .map_err(|_| fields.invalid("picture", "must be base64"))
        });
        Ok(Self {
            chat: fields.required("chat")?,
            name: name(fields)?,
            picture: picture.transpose()?,
            timer_s: fields.optional("timer_s")?,
        })
    }
}

/// Parameters of `chat.roles`.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct ChatRoleParams {
    /// The chat.
    pub chat: ChatId,
    /// Whose role.
    #[schemars(with = "Account")]
    pub account: String,
    /// The new role. Making an owner gives one's own place away.
    pub role: Role,
}

impl FromParams for ChatRoleParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            chat: fields.required("chat")?,
            account: fields.required("account")?,
            role: fields.required("role")?,
        })
    }
}

/// Parameters of `chat.invite`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
pub struct ChatInviteParams {
    /// The group.
    pub chat: ChatId,
    /// Whether each guest waits in `contact.requests` for the user; else this node lets it in while it runs.
    #[schemars(default = "yes")]
    pub approval: bool,
    /// How long it works, in seconds; seven days unless given, 90 at most.
    pub expires_in_s: Option<u64>,
    /// How many it lets in; 1,000 unless given.
    pub max_uses: Option<u32>,
}

impl FromParams for ChatInviteParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            chat: fields.required("chat")?,
            approval: fields.optional("approval")?.unwrap_or_else(yes),
            expires_in_s: fields.optional("expires_in_s")?,
            max_uses: fields.optional("max_uses")?,
        })
    }
}

/// What flags are that are on unless given.
fn yes() -> bool {
    true
}

fn name(fields: &mut Fields) -> Result<Option<String>, ApiError> {
    fields.optional_text("name", MAX_NAME)
}

fn members(fields: &mut Fields) -> Result<Vec<String>, ApiError> {
    let members: Vec<String> = fields.required("members")?;
    if members.len() > MAX_MEMBERS {
        return Err(too_large("members", MAX_MEMBERS));
    }
    Ok(members)
}
