//! Parameters and results of the methods around apps and their tokens.

use std::fmt;

use data_encoding::BASE64;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::access::Scope;
use super::error::ApiError;
use super::ids::{AppKey, EventCursor, EventEpoch, ShareAppId};
use super::limits::{MAX_APP_NAME, MAX_ICON, MAX_ORIGIN, MAX_SCOPES};
use super::params::{Fields, FromParams, too_large};
use super::schema::{Base64, Origin, Text};

/// Parameters of `app.request`.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct AppRequestParams {
    /// What it calls itself; no control characters.
    #[schemars(with = "Text<1, MAX_APP_NAME>")]
    pub name: String,
    /// A small picture, in base64.
    #[schemars(with = "Option<Base64<MAX_ICON>>")]
    pub icon: Option<Vec<u8>>,
    /// What it wants to be allowed.
    #[schemars(length(min = 1, max = MAX_SCOPES))]
    pub scopes: Vec<Scope>,
    /// The page that it is, as the browser names it: `https://shop.example`. From a page nothing else is taken, and it may be absent.
    #[schemars(with = "Option<Origin>")]
    pub origin: Option<String>,
}

impl FromParams for AppRequestParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            name: name(fields)?,
            icon: icon(fields)?,
            scopes: scopes(fields)?.ok_or_else(|| fields.invalid("scopes", "is missing"))?,
            origin: origin(fields)?,
        })
    }
}

impl AppRequestParams {
    /// The same, asked by a page of another site if there is one: it asks for itself, and in no other's name.
    pub(super) fn by_page(mut self, page: Option<&str>) -> Result<Self, ApiError> {
        let Some(page) = page else {
            return Ok(self);
        };
        if !is_origin(page) || self.origin.as_deref().is_some_and(|named| named != page) {
            return Err(ApiError::invalid("origin", "must be that of the page which asks"));
        }
        self.origin = Some(page.to_owned());
        Ok(self)
    }
}

/// Parameters of `app.approve`.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct AppApproveParams {
    /// Which.
    pub app: AppKey,
    /// What it is allowed of what it asks for; all of that if absent.
    #[schemars(length(min = 1, max = MAX_SCOPES))]
    pub scopes: Option<Vec<Scope>>,
    /// How long, in seconds; for good if absent. Of one that is in already its token's end stays.
    #[schemars(range(min = 1))]
    pub expires_in_s: Option<u64>,
}

impl FromParams for AppApproveParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            app: fields.required("app")?,
            scopes: scopes(fields)?,
            expires_in_s: lifetime(fields)?,
        })
    }
}

/// Parameters of `app.handle`.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct AppHandleParams {
    /// The app whose cards they are: its key.
    pub app: ShareAppId,
    /// What it wants to be told of them; one at least.
    pub events: Vec<HandledEvent>,
}

impl FromParams for AppHandleParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        let events: Vec<HandledEvent> = fields.required("events")?;
        if events.is_empty() {
            return Err(fields.invalid("events", "must name one at least"));
        }
        Ok(Self {
            app: fields.required("app")?,
            events,
        })
    }
}

/// An event that an app which handles cards is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum HandledEvent {
    /// The user has opened one here.
    #[serde(rename = "share.payload")]
    Payload,
}

/// Parameters of `app.mint`.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct AppMintParams {
    /// What the new token is called; no control characters.
    #[schemars(with = "Text<1, MAX_APP_NAME>")]
    pub name: String,
    /// What it allows; each within what the caller's allows.
    #[schemars(length(min = 1, max = MAX_SCOPES))]
    pub scopes: Vec<Scope>,
    /// How long, in seconds; as long as the caller's if absent.
    #[schemars(range(min = 1))]
    pub expires_in_s: Option<u64>,
}

impl FromParams for AppMintParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            name: name(fields)?,
            scopes: scopes(fields)?.ok_or_else(|| fields.invalid("scopes", "is missing"))?,
            expires_in_s: lifetime(fields)?,
        })
    }
}

/// Parameters of `app.revoke`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
pub struct AppParams {
    /// Which.
    pub app: AppKey,
}

impl FromParams for AppParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            app: fields.required("app")?,
        })
    }
}

/// Parameters of `event.ack`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
pub struct AckParams {
    /// The last event that was dealt with.
    pub cursor: EventCursor,
    /// The epoch that came with it.
    pub epoch: Option<EventEpoch>,
}

impl FromParams for AckParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            cursor: fields.required("cursor")?,
            epoch: fields.optional("epoch")?,
        })
    }
}

/// A token. One that was asked for works once the user has approved.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AppToken {
    /// Names it, here and for `app.approve`.
    pub app: AppKey,
    /// The bearer token.
    pub token: Secret,
}

/// Says nothing of the token.
impl fmt::Debug for AppToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AppToken({}, redacted)", self.app)
    }
}

/// Text that nobody else may read.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Zeroize, ZeroizeOnDrop)]
#[serde(transparent)]
// Wiped on drop, and without Debug.
pub struct Secret(pub String);

/// An app, or who wants to become one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct App {
    /// Names it.
    pub app: AppKey,
    /// What it calls itself.
    pub name: String,
    /// A small picture, in base64.
    #[schemars(with = "Option<Base64<MAX_ICON>>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
    /// What it may do, or wants to.
    pub scopes: Vec<Scope>,
    /// What it asks for besides, and waits for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wants: Vec<Scope>,
    /// The page that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Whether the user has approved it.
    pub state: AppState,
    /// By whose token it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<AppKey>,
    /// When it asked or was made, in Unix milliseconds.
    pub created_ms: u64,
    /// When its token ends, in Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_ms: Option<u64>,
    /// The last event that it has acknowledged.
    pub acknowledged: EventCursor,
}

/// Whether an app's token works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AppState {
    /// It waits for the user.
    Requested,
    /// Its token works.
    Active,
    /// Its time is over.
    Expired,
}

fn name(fields: &mut Fields) -> Result<String, ApiError> {
    let name = fields.text("name", MAX_APP_NAME)?;
    if name.trim().is_empty() || name.chars().any(char::is_control) {
        return Err(fields.invalid("name", "must not be empty, nor hold control characters"));
    }
    Ok(name)
}

fn icon(fields: &mut Fields) -> Result<Option<Vec<u8>>, ApiError> {
    let Some(text) = fields.optional::<String>("icon")? else {
        return Ok(None);
    };
    let bytes = BASE64
        .decode(text.as_bytes())
        .map_err(|_| fields.invalid("icon", "must be base64"))?;
    if bytes.len() > MAX_ICON {
        return Err(too_large(fields.path_of("icon"), MAX_ICON));
    }
    Ok(Some(bytes))
}

fn scopes(fields: &mut Fields) -> Result<Option<Vec<Scope>>, ApiError> {
    let Some(texts) = fields.optional::<Vec<String>>("scopes")? else {
        return Ok(None);
    };
    if texts.is_empty() || texts.len() > MAX_SCOPES {
        return Err(fields.invalid("scopes", format!("must be 1 to {MAX_SCOPES}")));
    }
    let mut scopes = Vec::with_capacity(texts.len());
    for (at, text) in texts.iter().enumerate() {
        let read: Result<Scope, _> = text.parse();
        scopes.push(read.map_err(|error| ApiError::invalid(format!("{}[{at}]", fields.path_of("scopes")), error))?);
    }
    scopes.sort();
    scopes.dedup();
    Ok(Some(scopes))
}

/// `http` or `https`, a host and perhaps a port, as a browser writes it.
fn origin(fields: &mut Fields) -> Result<Option<String>, ApiError> {
    let Some(origin) = fields.optional::<String>("origin")? else {
        return Ok(None);
    };
    if !is_origin(&origin) {
        return Err(fields.invalid("origin", "must be http:// or https://, a host and perhaps a port"));
    }
    Ok(Some(origin))
}

pub(super) fn is_origin(text: &str) -> bool {
    let authority = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-:[]".contains(&byte);
    text.len() <= MAX_ORIGIN && authority.is_some_and(|text| !text.is_empty() && text.bytes().all(plain))
}

fn lifetime(fields: &mut Fields) -> Result<Option<u64>, ApiError> {
    let seconds: Option<u64> = fields.optional("expires_in_s")?;
    if seconds == Some(0) {
        return Err(fields.invalid("expires_in_s", "must be at least 1"));
    }
    Ok(seconds)
}
