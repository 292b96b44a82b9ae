//! Results of the methods and contents of the events: structs of their own, converted from the core's, never the core's.
//!
//! All can be read back as well, so that a program in Rust can use them as a client.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::{Zeroize, ZeroizeOnDrop};

mod blobs;

use super::access::Scope;
pub use super::apps::{App, AppState, AppToken, Secret};
pub use super::archive::{Archive, ArchiveImported, ArchiveItem, Archived};
pub use super::ids::{AppKey, ArchiveId, ChatId, DeviceKey, EventCursor, EventEpoch, MessageId, RelayKey, RequestId};
pub use super::relays::{Evidence, RelayInfo, RelayState};
use super::schema::{Account, Link, PageCursor};
pub use super::search::{Highlight, SearchHit, SearchPage};
pub use blobs::{Attachment, Blob, BlobId, BlobPart, BlobState, Blobs, Written};

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "{T}Page")]
pub struct Page<T> {
    /// The items in the list's order.
    pub items: Vec<T>,
    /// As `after` it gives the page that follows. Absent at the end.
    #[schemars(with = "Option<PageCursor>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// As `before` it gives the page that precedes. Absent at the start and in lists that only go forward.
    #[schemars(with = "Option<PageCursor>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prev: Option<String>,
}

/// The empty object of a method that has nothing to say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Done {}

/// Result of `node.info`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NodeInfo {
    /// The program's version.
    pub version: String,
    /// The account, `madang1…`.
    #[schemars(with = "Account")]
    pub account: String,
    /// This device.
    pub device: DeviceKey,
    /// The network's name of this node.
    pub peer: String,
    /// Multiaddrs on which the node listens.
    pub listen: Vec<String>,
    /// The relays it uses.
    pub relays: Vec<RelayInfo>,
    /// Milliseconds since the start.
    pub uptime_ms: u64,
}

/// Result of `node.doctor`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Doctor {
    /// Whether all checks passed.
    pub ok: bool,
    /// What was checked.
    pub checks: Vec<Check>,
    /// How each chat's other side can be reached now.
    pub chats: Vec<ChatHealth>,
}

/// One check of the doctor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    /// A short name.
    pub name: String,
    /// Whether it passed.
    pub ok: bool,
    /// What was found.
    pub detail: String,
    /// What the user can do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// How a chat's other side can be reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChatHealth {
    /// The chat.
    pub chat: ChatId,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The way there.
    pub path: Path,
    /// Own messages that no other device has yet.
    pub waiting: u64,
    /// Why they wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Ranges of others' messages that are missing; see `chat.gaps`.
    pub gaps: u64,
}

/// The way to a chat's other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Path {
    /// A connection to one of its devices.
    Direct,
    /// A connection to one of its relays.
    Relay,
    /// No connection.
    None,
}

/// Result of `account.get`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountInfo {
    /// The account, `madang1…`.
    #[schemars(with = "Account")]
    pub account: String,
    /// This device.
    pub device: DeviceKey,
    /// The name others are shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether the user has confirmed the phrase, and with it the root key is gone from this device.
    pub phrase_confirmed: bool,
}

/// Result of `account.phrase`: the account's root.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Zeroize, ZeroizeOnDrop)]
// Wiped on drop.
pub struct Phrase {
    /// The words in order.
    pub words: Vec<String>,
}

/// Whoever has the words has the account.
impl fmt::Debug for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phrase(redacted)")
    }
}

/// Result of `contact.invite` and `chat.invite`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Invite {
    /// The link.
    #[schemars(with = "Link")]
    pub invite: String,
    /// When it stops working, in Unix milliseconds.
    pub expires_ms: u64,
}

/// Whoever has the link may use it.
impl fmt::Debug for Invite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invite")
            .field("expires_ms", &self.expires_ms)
            .finish_non_exhaustive()
    }
}

/// Result of `contact.accept`, `contact.approve` and `chat.create`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChatRef {
    /// The chat with the contact, or the group.
    pub chat: ChatId,
}

/// A request that waits for the user: for contact, or to be let into a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ContactRequest {
    /// Names it for `contact.approve` and `contact.decline`.
    pub request: RequestId,
    /// Who asks.
    #[schemars(with = "Account")]
    pub account: String,
    /// The name they give themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When it came, in Unix milliseconds.
    pub received_ms: u64,
    /// The group that they ask to be let into; absent where they ask for contact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chat: Option<ChatId>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chat_name: Option<String>,
}

/// An invite link of a group.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GroupInvite {
    /// The link.
    #[schemars(with = "Link")]
    pub invite: String,
    /// Until when it works, in Unix milliseconds.
    pub expires_ms: u64,
    /// Whether each guest waits in `contact.requests`.
    pub approval: bool,
    /// How many it has let in.
    pub uses: u32,
    /// How many it lets in at most.
    pub max_uses: u32,
}

/// Whoever has the link may use it.
impl fmt::Debug for GroupInvite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupInvite")
            .field("expires_ms", &self.expires_ms)
            .finish_non_exhaustive()
    }
}

/// Result of `chat.invites`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GroupInvites {
    /// This account's open links of the group.
    pub items: Vec<GroupInvite>,
}

/// A contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Contact {
    /// The account.
    #[schemars(with = "Account")]
    pub account: String,
    /// Their name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The chat with them.
    pub chat: ChatId,
    /// Their devices.
    pub devices: Vec<DeviceKey>,
    /// Since when, in Unix milliseconds.
    pub since_ms: u64,
}

/// A chat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Chat {
    /// The chat.
    pub chat: ChatId,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What kind of chat it is.
    pub kind: ChatKind,
    /// Who is in it.
    pub members: Vec<Member>,
    /// How far its making has come.
    pub state: ChatState,
    /// Seconds after which its messages disappear; 0 for never.
    pub timer_s: u32,
    /// Received messages that aren't marked read.
    pub unread: u64,
    /// When its last message was sent or received, in Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_ms: Option<u64>,
}

/// Result of `chat.get`: the chat, and how its state is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChatDetails {
    /// The chat.
    #[serde(flatten)]
    pub chat: Chat,
    /// Commits that led to the state that counts.
    pub epoch: u64,
    /// Branches of commits that aren't settled: 1 where there is no fork.
    pub branches: u64,
    /// Commits that aren't settled.
    pub unsettled: u64,
    /// Envelopes that wait for a commit which isn't here yet.
    pub waiting_envelopes: u64,
    /// Changes by this device that aren't settled.
    pub changes_under_way: u64,
    /// Whether this device has lost the chat's state and has asked to be put back.
    pub rejoining: bool,
    /// Ranges of others' messages that are missing and looked for.
    pub gaps: u64,
    /// Ranges of others' messages that their authors gave up.
    pub lost: u64,
}

/// Result of `chat.gaps`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Gaps {
    /// What is missing, by device and sequence.
    pub items: Vec<Gap>,
}

/// A range of another device's messages that is missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Gap {
    /// Whose messages.
    #[schemars(with = "Account")]
    pub account: String,
    /// Their name, if they are a contact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The device that wrote them.
    pub device: DeviceKey,
    /// The first, counted from 1 in what that device wrote in this chat.
    pub first: u64,
    /// The last.
    pub last: u64,
    /// Since when it is known, in Unix milliseconds.
    pub since_ms: u64,
    /// How it is.
    pub state: GapState,
    /// How often relays, members or the author were asked for it.
    pub asked: u32,
}

/// How a gap is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GapState {
    /// It is looked for.
    Open,
    /// All of it came.
    Filled,
    /// The author gave it up.
    Lost,
    /// Nothing is missing: it was said wrongly, or is from before this device joined.
    Void,
    /// The device has said two things at this place.
    Forked,
}

/// Result of `chat.members`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Members {
    /// Who is in the chat, by account.
    pub items: Vec<Member>,
}

/// The kinds of chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChatKind {
    /// Two accounts.
    OneToOne,
    /// Any number, with roles.
    Group,
}

/// A member's part in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The most senior admin.
    Owner,
    /// May add, remove and change settings, below its own rank.
    Admin,
    /// Neither of the others.
    Member,
}

/// How far a chat's making has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChatState {
    /// The other has not approved yet.
    Requested,
    /// Messages flow.
    Active,
    /// This account is no member any more.
    Left,
}

/// A member of a chat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Member {
    /// The account.
    #[schemars(with = "Account")]
    pub account: String,
    /// Their name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Their devices in the chat.
    pub devices: Vec<DeviceKey>,
    /// Its role, in a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

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

/// Result of `event.poll`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventPage {
    /// Events in the log's order.
    pub items: Vec<Event>,
    /// The `after` of the next poll: the last item's cursor, or the cursor that was asked about if there are none.
    pub next: EventCursor,
    /// The epoch of `next`.
    pub epoch: EventEpoch,
}

/// An entry of the event log, and what a subscription's notification carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its place in the log.
    pub cursor: EventCursor,
    /// The log's epoch then: with the cursor it says where to go on, whatever becomes of the node's data.
    pub epoch: EventEpoch,
    /// What happened.
    #[serde(flatten)]
    pub what: EventKind,
}

impl JsonSchema for Event {
    fn schema_name() -> Cow<'static, str> {
        "Event".into()
    }

    /// Those of the kinds, each with cursor and epoch.
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let place = [
            ("cursor", generator.subschema_for::<EventCursor>()),
            ("epoch", generator.subschema_for::<EventEpoch>()),
        ];
        let mut schema = EventKind::json_schema(generator);
        let kinds = schema.get_mut("oneOf").and_then(Value::as_array_mut);
        for kind in kinds.into_iter().flatten() {
            if let Some(Value::Object(properties)) = kind.get_mut("properties") {
                properties.extend(
                    place
                        .iter()
                        .map(|(name, schema)| ((*name).to_owned(), schema.as_value().clone())),
                );
            }
            if let Some(Value::Array(required)) = kind.get_mut("required") {
                required.extend(place.iter().map(|(name, _)| Value::from(*name)));
            }
        }
        schema.insert("description".to_owned(), "An entry of the event log.".into());
        schema
    }
}

impl EventKind {
    /// A message of another's is here.
    pub const MESSAGE_RECEIVED: &str = "message.received";
    /// A message of this account is durable.
    pub const MESSAGE_SENT: &str = "message.sent";
    /// One of those got further.
    pub const MESSAGE_LEDGER: &str = "message.ledger";
    /// A message was changed.
    pub const MESSAGE_UPDATED: &str = "message.updated";

    /// Its kind's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::MessageReceived(_) => Self::MESSAGE_RECEIVED,
            Self::MessageSent(_) => Self::MESSAGE_SENT,
            Self::MessageLedger { .. } => Self::MESSAGE_LEDGER,
            Self::MessageUpdated(_) => Self::MESSAGE_UPDATED,
            Self::MessageExpired { .. } => "message.expired",
            Self::BlobProgress { .. } => "blob.progress",
            Self::ChatUpdated { .. } => "chat.updated",
            Self::ChatGap { .. } => "chat.gap",
            Self::ChatTyping { .. } => "chat.typing",
            Self::ContactRequested { .. } => "contact.requested",
            Self::ContactAdded { .. } => "contact.added",
            Self::RelayDemoted { .. } => "relay.demoted",
            Self::AppRequested { .. } => "app.requested",
            Self::WebhookDisabled { .. } => "webhook.disabled",
            Self::Gap { .. } => "gap",
            Self::Lagged { .. } => "lagged",
        }
    }

    /// The chat that it is about.
    pub fn chat(&self) -> Option<ChatId> {
        match self {
            Self::MessageReceived(message) | Self::MessageSent(message) | Self::MessageUpdated(message) => {
                Some(message.chat)
            }
            Self::MessageLedger { chat, .. }
            | Self::MessageExpired { chat, .. }
            | Self::ChatTyping { chat, .. }
            | Self::ChatUpdated { chat }
            | Self::ChatGap { chat, .. }
            | Self::ContactAdded { chat, .. } => Some(*chat),
            Self::BlobProgress { .. }
            | Self::RelayDemoted { .. }
            | Self::ContactRequested { .. }
            | Self::AppRequested { .. }
            | Self::Gap { .. }
            | Self::WebhookDisabled { .. }
            | Self::Lagged { .. } => None,
        }
    }
}

/// What happened, as `kind` and `data`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", content = "data")]
pub enum EventKind {
    /// A message of another was stored.
    #[serde(rename = "message.received")]
    MessageReceived(Message),
    /// An own message was stored.
    #[serde(rename = "message.sent")]
    MessageSent(Message),
    /// An own message got further.
    #[serde(rename = "message.ledger")]
    MessageLedger {
        /// The chat.
        chat: ChatId,
        /// The message.
        message: MessageId,
        /// Who has it now.
        ledger: Ledger,
    },
    /// A message was edited or deleted, or got a reaction or a vote.
    #[serde(rename = "message.updated")]
    MessageUpdated(Message),
    /// A message disappeared in its time.
    #[serde(rename = "message.expired")]
    MessageExpired {
        /// The chat.
        chat: ChatId,
        /// The message.
        message: MessageId,
    },
    /// A file got further: once in 2 s at most, and in the end.
    #[serde(rename = "blob.progress")]
    BlobProgress {
        /// Its content.
        blob: BlobId,
        /// How it is.
        state: BlobState,
        /// Bytes that are there: at a relay, or here.
        done_bytes: u64,
        /// Bytes of the whole.
        length_bytes: u64,
    },
    /// A group's members, roles or settings changed; see `chat.get`.
    #[serde(rename = "chat.updated")]
    ChatUpdated {
        /// The chat.
        chat: ChatId,
    },
    /// A relay broke its word and is demoted; see `relay.evidence`.
    #[serde(rename = "relay.demoted")]
    RelayDemoted {
        /// The relay.
        relay: RelayKey,
        /// What it did.
        reason: String,
    },
    /// Something about a gap in another device's messages changed; see `chat.gaps`.
    #[serde(rename = "chat.gap")]
    ChatGap {
        /// The chat.
        chat: ChatId,
        /// Whose messages.
        #[schemars(with = "Account")]
        account: String,
        /// The device that wrote them.
        device: DeviceKey,
        /// The first.
        first: u64,
        /// The last.
        last: u64,
        /// How it is now.
        state: GapState,
    },
    /// A member types (told at most once in 4 s of each device), or has stopped. It stands in the log like all others: 10 s after `at_ms` it
    /// means nothing.
    #[serde(rename = "chat.typing")]
    ChatTyping {
        /// The chat.
        chat: ChatId,
        /// Who.
        #[schemars(with = "Account")]
        account: String,
        /// On which device.
        device: DeviceKey,
        /// False if they have stopped.
        active: bool,
        /// When it was heard.
        at_ms: u64,
    },
    /// Someone asks to be a contact.
    #[serde(rename = "contact.requested")]
    ContactRequested {
        /// Names it for `contact.approve`.
        request: RequestId,
        /// Who asks.
        #[schemars(with = "Account")]
        account: String,
        /// The name they give themselves.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// Someone became a contact.
    #[serde(rename = "contact.added")]
    ContactAdded {
        /// The account.
        #[schemars(with = "Account")]
        account: String,
        /// The chat with them.
        chat: ChatId,
        /// Their name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// A webhook failed for too long, or its receiver wants no more; see `event.webhooks`.
    #[serde(rename = "webhook.disabled")]
    WebhookDisabled {
        /// Whose it is; absent for the owner's own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        app: Option<AppKey>,
        /// What its receiver answered last, as an HTTP status.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last_status: Option<u16>,
    },
    /// An app asks to be let in.
    #[serde(rename = "app.requested")]
    AppRequested {
        /// Names it for `app.approve`.
        app: AppKey,
        /// What it calls itself.
        name: String,
        /// What it wants to be allowed.
        scopes: Vec<Scope>,
    },
    /// Events with `from <= cursor <= to` aren't in the log. A notice: it stands in no log itself.
    #[serde(rename = "gap")]
    Gap {
        /// The first that isn't there.
        from: EventCursor,
        /// The last that isn't there.
        to: EventCursor,
        /// Why not.
        reason: GapReason,
    },
    /// This subscription was at the log's end and has fallen behind since, as its reader reads slowly. A notice: nothing is lost.
    #[serde(rename = "lagged")]
    Lagged {
        /// Events that still wait.
        behind: u64,
        /// The newest of them.
        newest: EventCursor,
    },
}

/// Why events aren't in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// The log keeps only the newest events.
    Pruned,
    /// They were read from another log: this node goes on from an older copy of its data. What follows begins where the two logs parted.
    OtherLog,
}
