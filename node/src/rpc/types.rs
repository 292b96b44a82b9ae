//! Results of the methods and contents of the events: structs of their own, converted from the core's, never the core's.
//!
//! All can be read back as well, so that a program in Rust can use them as a client.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

mod blobs;
mod channels;
mod events;
mod messages;
mod terms;

use super::access::Scope;
pub use super::apps::{App, AppState, AppToken, Secret};
pub use super::archive::{Archive, ArchiveImported, ArchiveItem, Archived};
pub use super::ids::{
    AppKey, ArchiveId, ChannelId, ChatId, DeviceKey, EventCursor, EventEpoch, MessageId, PickId, PostId, RelayKey,
    RequestId, ShareAppId, WriterKey,
};
pub use super::opens::{
    NoShareAction, ReplyState, ShareAction, ShareDevice, ShareOpened, ShareOs, ShareReplied, WaitingReply,
};
pub use super::relays::{Evidence, RelayAddress, RelayInfo, RelayState};
use super::schema::{Account, Link, PageCursor};
pub use super::scrape::Scraped;
pub use super::search::{Highlight, SearchHit, SearchPage};
pub use super::shares::{
    BrowserCode, DomainAnswers, DomainUnavailable, Pick, PickShown, PickState, Picked, PictureLeftOut, Pseudonym,
    PseudonymKind, ShareBy, ShareCard, ShareChecked, ShareDomain, SharePicture, SharePreview, ShareProved, ShareSent,
    SharesSent,
};
pub use blobs::{Attachment, Blob, BlobId, BlobPart, BlobState, Blobs, Written};
pub use channels::{
    Area, Beacon, CalendarEvent, Card, Category, Channel, ChannelEvidence, ChannelGap, Coupon, Manifest, Plan, Post,
    PostBody, PostPage, Posted, Retracted, Via, WebLink,
};
pub use events::{Event, EventKind, EventPage, GapReason};
pub use messages::{Body, Held, Ledger, LedgerState, Mention, Message, Pinned, PollOption, Reaction, Sent};
pub use terms::{
    Certified, ChannelTerms, ChannelWriter, Day, HeldBack, HeldWhy, Hours, RecoveryMade, Vouched, WriterKeyMade,
    WriterScope,
};

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
    /// As whom you are in it, if not as your account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<ChatAlias>,
}

/// An alias: another account of yours, in one chat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChatAlias {
    /// Its account.
    #[schemars(with = "Account")]
    pub account: String,
    /// What it calls itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
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
