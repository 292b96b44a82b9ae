//! Messages, and where they are.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::schema::Account;
use super::{Attachment, ChannelId, ChatId, DeviceKey, MessageId, RelayKey, ShareCard};

/// Result of `message.send`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sent {
    /// The message's permanent id.
    pub message: MessageId,
    /// Where it is now.
    pub ledger: Ledger,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Message {
    /// Its id.
    pub message: MessageId,
    /// The chat it is in.
    pub chat: ChatId,
    /// The author's account.
    #[schemars(with = "Account")]
    pub account: String,
    /// The author's name, as the contact's or else as it calls itself in the group; absent of own messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The author's device.
    pub device: DeviceKey,
    /// Whether this account wrote it.
    pub outgoing: bool,
    /// When it was written, by its author's clock, in Unix milliseconds.
    pub sent_ms: u64,
    /// When this device stored it, in Unix milliseconds.
    pub received_ms: u64,
    /// What it says, after edits.
    pub body: Body,
    /// When its author changed it last, by its author's clock, in Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_ms: Option<u64>,
    /// Emoji that were left at it, the first one first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<Reaction>,
    /// Who keeps it in sight; absent if nobody does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned: Option<Pinned>,
    /// Seconds after which it disappears: from sending for an outgoing one, else from reading.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_after_s: Option<u32>,
    /// Who has it; only of outgoing ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<Ledger>,
}

/// What a message says.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Body {
    /// Text.
    Text {
        /// What it says.
        text: String,
        /// The message that it answers; it may be gone, or not be here yet.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reply_to: Option<MessageId>,
        /// Who is named in it, ascending.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        mentions: Vec<Mention>,
    },
    /// A question with options to choose from.
    Poll {
        /// The question.
        question: String,
        /// What can be chosen, and who did.
        options: Vec<PollOption>,
        /// Whether one may choose several.
        multiple: bool,
    },
    /// A file.
    File {
        /// Which.
        file: Attachment,
        /// What is written with it.
        text: String,
    },
    /// An image.
    Image {
        /// Which.
        file: Attachment,
        /// What is written with it.
        text: String,
    },
    /// A voice note.
    Voice {
        /// Which.
        file: Attachment,
        /// What is written with it.
        text: String,
    },
    /// Several files or images.
    Album {
        /// In their order.
        files: Vec<Attachment>,
        /// What is written with them.
        text: String,
    },
    /// A card of an app or a page.
    Share {
        /// Which.
        card: Box<ShareCard>,
    },
    /// A channel to follow, by its link.
    Channel {
        /// Its key, which is who it is.
        channel: ChannelId,
        /// What whoever sent it calls it; may be empty.
        name: String,
        /// For `channel.follow`.
        link: String,
    },
    /// Its author took it back.
    Deleted,
    /// A kind that this version doesn't know.
    Unknown {
        /// The kind's number on the wire.
        code: u64,
        /// What its author wants shown instead.
        fallback: String,
    },
}

/// Gives sizes only.
impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text { text, .. } => write!(f, "Text({} bytes)", text.len()),
            Self::Poll { options, .. } => write!(f, "Poll({} options)", options.len()),
            Self::File { file, .. } => write!(f, "File({file:?})"),
            Self::Image { file, .. } => write!(f, "Image({file:?})"),
            Self::Voice { file, .. } => write!(f, "Voice({file:?})"),
            Self::Album { files, .. } => write!(f, "Album({} files)", files.len()),
            Self::Share { card } => write!(f, "Share({card:?})"),
            Self::Channel { .. } => f.write_str("Channel"),
            Self::Deleted => f.write_str("Deleted"),
            Self::Unknown { code, fallback } => {
                write!(f, "Unknown({code}, {} bytes)", fallback.len())
            }
        }
    }
}

/// Somebody named in a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Mention {
    /// Who.
    #[schemars(with = "Account")]
    pub account: String,
    /// Where the name begins in the text's UTF-8.
    pub start_bytes: u32,
    /// How long it is there.
    pub length_bytes: u32,
}

/// An option of a poll.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PollOption {
    /// What it says.
    pub text: String,
    /// The accounts that chose it.
    #[schemars(with = "Vec<Account>")]
    pub accounts: Vec<String>,
}

/// Gives its size only.
impl fmt::Debug for PollOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PollOption({} bytes, {})", self.text.len(), self.accounts.len())
    }
}

/// A message is kept in sight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pinned {
    /// By this account.
    #[schemars(with = "Account")]
    pub account: String,
    /// Since when, by its clock, in Unix milliseconds.
    pub at_ms: u64,
}

/// An emoji at a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reaction {
    /// Which.
    pub emoji: String,
    /// The accounts that left it.
    #[schemars(with = "Vec<Account>")]
    pub accounts: Vec<String>,
}

/// Who has an outgoing message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ledger {
    /// The furthest it got; never goes back.
    pub state: LedgerState,
    /// Why a queued message waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Relays that signed for it.
    pub held: Vec<Held>,
    /// Devices that acknowledged it.
    pub delivered: Vec<DeviceKey>,
    /// Devices that showed it.
    pub read: Vec<DeviceKey>,
}

/// The furthest that a message got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LedgerState {
    /// Stored here only.
    Queued,
    /// A relay signed for it.
    Held,
    /// A device of the other side has it.
    Delivered,
    /// A device of the other side showed it.
    Read,
}

/// A relay's promise to hold a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Held {
    /// The relay.
    pub relay: RelayKey,
    /// How long, in Unix milliseconds.
    pub until_ms: u64,
}
