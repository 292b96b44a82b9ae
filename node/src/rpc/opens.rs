//! Parameters and results of the methods around cards that came: opening them, and answering them.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use super::ids::{AppKey, MessageId, PickId};
use super::limits::{MAX_BUTTON, MAX_POSTBACK, MAX_SCHEME, MAX_SCHEMES};
use super::params::{Fields, FromParams};
use super::schema::Text;

/// Parameters of `share.open`.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct ShareOpenParams {
    /// The message with the card.
    pub message: MessageId,
    /// What of it is tapped, by its path, like `buttons[0]` or `contents[1]`; without it the card itself.
    #[schemars(with = "Option<Text<1, MAX_BUTTON>>")]
    pub button: Option<String>,
    /// The system where it is tapped, if that isn't the node's.
    pub os: Option<ShareOs>,
    /// The kind of device, if that isn't a computer.
    pub device: Option<ShareDevice>,
    /// Schemes that something on the device opens.
    #[schemars(with = "Option<Vec<Text<1, MAX_SCHEME>>>", length(max = MAX_SCHEMES))]
    pub schemes: Vec<String>,
    /// Whether who shared it may learn that it was opened, where its app asks for that; false if absent.
    #[schemars(with = "Option<bool>")]
    pub tell: bool,
}

impl FromParams for ShareOpenParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        let schemes: Vec<String> = fields.optional("schemes")?.unwrap_or_default();
        if schemes.len() > MAX_SCHEMES || schemes.iter().any(|scheme| scheme.len() > MAX_SCHEME) {
            let reason = format!("must be at most {MAX_SCHEMES}, each of at most {MAX_SCHEME} bytes");
            return Err(fields.invalid("schemes", reason));
        }
        Ok(Self {
            message: fields.required("message")?,
            button: fields.optional_text("button", MAX_BUTTON)?,
            os: fields.optional("os")?,
            device: fields.optional("device")?,
            schemes,
            tell: fields.optional("tell")?.unwrap_or_default(),
        })
    }
}

/// Parameters of methods about one card that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
pub struct CardParams {
    /// The message with the card.
    pub message: MessageId,
}

impl FromParams for CardParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            message: fields.required("message")?,
        })
    }
}

/// Parameters of `share.reply`.
#[derive(Clone, PartialEq, Eq, JsonSchema)]
pub struct ShareReplyParams {
    /// The message with the card.
    pub message: MessageId,
    /// The button that hands its `data` back, by its path.
    #[schemars(with = "Option<Text<1, MAX_BUTTON>>")]
    pub button: Option<String>,
    /// What is handed back, where no button says it.
    #[schemars(with = "Option<Text<1, MAX_POSTBACK>>")]
    pub data: Option<String>,
}

impl FromParams for ShareReplyParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        let read = Self {
            message: fields.required("message")?,
            button: fields.optional_text("button", MAX_BUTTON)?,
            data: fields.optional_text("data", MAX_POSTBACK)?,
        };
        if read.button.is_some() == read.data.is_some() || read.data.as_deref() == Some("") {
            return Err(fields.invalid("data", "must be there and not be empty, or else `button`"));
        }
        Ok(read)
    }
}

/// Gives no content.
impl fmt::Debug for ShareReplyParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ShareReplyParams({:?})", self.message)
    }
}

/// Result of `share.reply`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShareReplied {
    /// What became of it.
    pub state: ReplyState,
    /// Names one that waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<PickId>,
}

/// What became of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReplyState {
    /// It is on its way.
    Sent,
    /// It waits for the user.
    Waiting,
}

/// Parameters of `share.confirm_reply` and `share.decline_reply`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
pub struct WaitingReplyParams {
    /// Which.
    pub reply: PickId,
}

impl FromParams for WaitingReplyParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            reply: fields.required("reply")?,
        })
    }
}

/// An answer of an app to a card, which waits for the user.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WaitingReply {
    /// Names it.
    pub reply: PickId,
    /// The app that wants to answer.
    pub app: AppKey,
    /// What it calls itself, if it is still there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The message with the card.
    pub message: MessageId,
    /// The button that hands `data` back, by its path; absent for what the app says itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub button: Option<String>,
    /// What is handed back to the app that shared the card.
    pub data: String,
    /// When it is forgotten, in Unix milliseconds.
    pub until_ms: u64,
}

/// Gives no content.
impl fmt::Debug for WaitingReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WaitingReply({})", self.reply)
    }
}

/// An operating system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShareOs {
    /// Android.
    Android,
    /// iOS and iPadOS.
    Ios,
    /// Linux.
    Linux,
    /// macOS.
    Macos,
    /// Windows.
    Windows,
}

/// A kind of device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShareDevice {
    /// A phone.
    Phone,
    /// A tablet.
    Tablet,
    /// A computer.
    Desktop,
}

/// Result of `share.open`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShareOpened {
    /// What the tap does here.
    pub action: ShareAction,
}

/// What a tap on a card does. Only `handler` was done by the node; the rest is for the program to do, or to ask the user about.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ShareAction {
    /// An app at this node was handed the card: event `share.payload`.
    Handler {
        /// What it is opened with.
        params: BTreeMap<String, String>,
    },
    /// The system opens an address on a domain of the app's in the app.
    VerifiedLink {
        /// With its parameters.
        url: String,
    },
    /// The system opens an address of the app's own scheme.
    Scheme {
        /// With its parameters.
        url: String,
    },
    /// The app isn't here: this is where it can be had.
    Install {
        /// Where.
        url: String,
    },
    /// A page, or a place, a telephone or a mail address.
    Web {
        /// Which.
        url: String,
    },
    /// An answer is begun in the chat; the user sends it, or doesn't.
    Reply {
        /// What it begins with.
        text: String,
    },
    /// A text is copied.
    Copy {
        /// Which.
        text: String,
    },
    /// A channel is followed, once the user has seen it.
    Follow {
        /// Its link.
        channel: String,
    },
    /// Something is handed to the app by `share.reply`, once the user has seen it.
    Postback {
        /// What.
        data: String,
    },
    /// The user chooses other chats for the card.
    Share,
    /// Nothing.
    None {
        /// Why.
        reason: NoShareAction,
    },
}

/// Gives no content.
impl fmt::Debug for ShareAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Handler { .. } => "Handler",
            Self::VerifiedLink { .. } => "VerifiedLink",
            Self::Scheme { .. } => "Scheme",
            Self::Install { .. } => "Install",
            Self::Web { .. } => "Web",
            Self::Reply { .. } => "Reply",
            Self::Copy { .. } => "Copy",
            Self::Follow { .. } => "Follow",
            Self::Postback { .. } => "Postback",
            Self::Share => "Share",
            Self::None { .. } => "None",
        })
    }
}

/// Why a button does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoShareAction {
    /// No app signed the card.
    Unsigned,
    /// Its time is over.
    Expired,
}
