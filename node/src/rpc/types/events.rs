//! The event log: what is in it, and pages of it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::reports::ReportState;
use super::super::schema::Account;
use super::{
    AppKey, BlobId, BlobState, ChannelId, ChatId, DeviceKey, EventCursor, EventEpoch, GapState, Ledger, Message,
    MessageId, Post, PostId, Pseudonym, RelayKey, RequestId, Scope, ShareAppId, ShareCard, WaitingReply, WriterKey,
};

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

    /// A channel has a new post.
    pub const CHANNEL_POST: &str = "channel.post";
    /// A post was edited or taken back.
    pub const CHANNEL_POST_UPDATED: &str = "channel.post_updated";

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
            Self::SharePayload { .. } => "share.payload",
            Self::ShareSent { .. } => "share.sent",
            Self::ShareDelivered { .. } => "share.delivered",
            Self::ShareOpened { .. } => "share.opened",
            Self::SharePostback { .. } => "share.postback",
            Self::ShareReplyWaiting(_) => "share.reply_waiting",
            Self::ChannelUpdated { .. } => "channel.updated",
            Self::ChannelPost(_) => Self::CHANNEL_POST,
            Self::ChannelPostUpdated(_) => Self::CHANNEL_POST_UPDATED,
            Self::ChannelEvidence { .. } => "channel.evidence",
            Self::ChannelReported { .. } => "channel.reported",
            Self::ChannelGap { .. } => "channel.gap",
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
            | Self::ChannelUpdated { .. }
            | Self::ChannelPost(_)
            | Self::ChannelPostUpdated(_)
            | Self::ChannelEvidence { .. }
            | Self::ChannelReported { .. }
            | Self::ChannelGap { .. }
            | Self::RelayDemoted { .. }
            | Self::ContactRequested { .. }
            | Self::AppRequested { .. }
            | Self::Gap { .. }
            | Self::WebhookDisabled { .. }
            | Self::SharePayload { .. }
            | Self::ShareSent { .. }
            | Self::ShareDelivered { .. }
            | Self::ShareOpened { .. }
            | Self::SharePostback { .. }
            | Self::ShareReplyWaiting(_)
            | Self::Lagged { .. } => None,
        }
    }

    /// The channel that it is about.
    pub fn channel(&self) -> Option<ChannelId> {
        match self {
            Self::ChannelPost(post) | Self::ChannelPostUpdated(post) => Some(post.channel),
            Self::ChannelUpdated { channel }
            | Self::ChannelEvidence { channel, .. }
            | Self::ChannelReported { channel, .. }
            | Self::ChannelGap { channel, .. } => Some(*channel),
            _ => None,
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
    /// What a channel says of itself, or how this account has it, came or changed; see `channel.get`.
    #[serde(rename = "channel.updated")]
    ChannelUpdated {
        /// The channel.
        channel: ChannelId,
    },
    /// A channel has a new post. Of a muted one too: see `muted` in `channel.get`.
    #[serde(rename = "channel.post")]
    ChannelPost(Post),
    /// A post was edited or taken back.
    #[serde(rename = "channel.post_updated")]
    ChannelPostUpdated(Post),
    /// A writer of a channel signed what contradicts itself; see `channel.evidence`.
    #[serde(rename = "channel.evidence")]
    ChannelEvidence {
        /// The channel.
        channel: ChannelId,
        /// What it proves.
        proof: String,
        /// Whose entries it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        writer: Option<WriterKey>,
    },
    /// A relay has answered a report of a post, or is given up; see `channel.report`.
    #[serde(rename = "channel.reported")]
    ChannelReported {
        /// Whose post.
        channel: ChannelId,
        /// Which.
        post: PostId,
        /// Where.
        relay: RelayKey,
        /// What became of it there.
        state: ReportState,
        /// Why the relay refused, if it did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Something of a channel is missing, or no longer; see `gaps` in `channel.get`.
    #[serde(rename = "channel.gap")]
    ChannelGap {
        /// The channel.
        channel: ChannelId,
        /// Whether something is missing.
        open: bool,
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
    /// The user has opened a card that leads into this app. A second time with the same `key` and `button` is the same again.
    #[serde(rename = "share.payload")]
    SharePayload {
        /// The app that signed the card.
        app: ShareAppId,
        /// Names the card for `share.reply`.
        message: MessageId,
        /// What of it was tapped, by its path; absent for the card itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        button: Option<String>,
        /// What the app is opened with.
        params: BTreeMap<String, String>,
        /// The card.
        card: Box<ShareCard>,
    },
    /// An app wants to answer a card, which is for the user to decide; see `share.replies`.
    #[serde(rename = "share.reply_waiting")]
    ShareReplyWaiting(WaitingReply),
    /// A card is durable here, on its way to a chat. Told to the app that sent it, as what follows.
    #[serde(rename = "share.sent")]
    ShareSent {
        /// The app that sent it; absent for the owner's own programs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        app: Option<AppKey>,
        /// The card's `key`, if it has one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<String>,
        /// The chat.
        to: Pseudonym,
    },
    /// The first device of the chat has it.
    #[serde(rename = "share.delivered")]
    ShareDelivered {
        /// The app that sent it; absent for the owner's own programs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        app: Option<AppKey>,
        /// The card's `key`, if it has one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<String>,
        /// The chat.
        to: Pseudonym,
    },
    /// Somebody opened a card, and lets its app know. Told to the app that sent it.
    #[serde(rename = "share.opened")]
    ShareOpened {
        /// The app that sent it; absent for the owner's own programs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        app: Option<AppKey>,
        /// The card's `key`, if it has one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<String>,
        /// The chat.
        to: Pseudonym,
    },
    /// Somebody, or their app, answers a card. Told to the app that sent it.
    #[serde(rename = "share.postback")]
    SharePostback {
        /// The app that sent it; absent for the owner's own programs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        app: Option<AppKey>,
        /// The card's `key`, if it has one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<String>,
        /// The chat.
        to: Pseudonym,
        /// By which button, by its path; absent where an app answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        button: Option<String>,
        /// What is handed back.
        data: String,
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
