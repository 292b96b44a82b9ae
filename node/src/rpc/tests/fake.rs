//! A node in memory: fixed answers, and an event log that grows when told to. Each namespace has a room.

mod apps;
mod archives;
mod blobs;
mod channels;
mod chats;
mod contacts;
mod events;
mod messages;
mod node;
mod shares;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use crate::rpc::access::Grants;
use crate::rpc::api::{ApiResult, ChatApi as _};
use crate::rpc::error::ApiError;
use crate::rpc::params::*;
use crate::rpc::types::*;
use crate::rpc::webhooks::Hooks;

pub(super) const SECRET_WORD: &str = "abandon";
pub(super) const SECRET_INVITE: &str = "https://madang.example/i#secret-of-the-invite";

/// Bytes of the one upload.
pub(super) const CONTENT_BYTES: u64 = 2_500_000;

/// The epoch of the log.
pub(super) const EPOCH: EventEpoch = EventEpoch(0xe0);

pub(super) const SECRET_HOOK: &str = "whsec_c2VjcmV0LW9mLXRoZS13ZWJob29r";
pub(super) const SECRET_TOKEN: &str = "0badc0de";

/// The node.
pub(super) struct Fake {
    newest: watch::Sender<u64>,
    /// Bytes of each event's text.
    pub(super) text_len: AtomicUsize,
    /// Events that were handed out, to anyone.
    pub(super) handed: AtomicU64,
    /// Of what is read: always another.
    pub(super) version: AtomicU64,
    /// Events up to this one are about what is gone.
    pub(super) gone: AtomicU64,
    /// Calls of `node.info`.
    pub(super) infos: AtomicU64,
    pub(super) sent: Mutex<Vec<SendParams>>,
    /// Cards that were sent.
    pub(super) cards: Mutex<Vec<ShareSendParams>>,
    pub(super) lists: Mutex<Vec<MessageListParams>>,
    /// What was written of the one upload.
    pub(super) content: Mutex<Vec<u8>>,
    pub(super) archived: Mutex<Vec<Archived>>,
    /// What `message.get` fails with.
    pub(super) failure: Mutex<Option<ApiError>>,
    pub(super) grants: watch::Sender<Arc<Grants>>,
    /// Apps that asked.
    pub(super) asked: Mutex<Vec<AppRequestParams>>,
    pub(super) hooks: watch::Sender<Arc<Hooks>>,
    pub(super) acks: Mutex<BTreeMap<Option<AppKey>, EventCursor>>,
}

impl Fake {
    pub(super) fn new() -> Self {
        Self {
            newest: watch::Sender::new(0),
            text_len: AtomicUsize::new(8),
            handed: AtomicU64::new(0),
            version: AtomicU64::new(0),
            gone: AtomicU64::new(0),
            infos: AtomicU64::new(0),
            sent: Mutex::default(),
            cards: Mutex::default(),
            lists: Mutex::default(),
            content: Mutex::default(),
            archived: Mutex::default(),
            failure: Mutex::default(),
            grants: watch::Sender::new(Arc::default()),
            asked: Mutex::default(),
            hooks: watch::Sender::new(Arc::default()),
            acks: Mutex::default(),
        }
    }

    /// Lets the log grow by `count` events.
    pub(super) fn grow(&self, count: u64) {
        self.newest.send_modify(|newest| *newest += count);
    }

    /// How many long polls and subscriptions watch the log now.
    pub(super) fn watchers(&self) -> usize {
        self.newest.receiver_count()
    }

    /// The one chat, under the name that was asked for.
    async fn changed(&self, chat: ChatId) -> ApiResult<Chat> {
        let params = ListParams { after: None, limit: 1 };
        let one = self.chat_list(params).await?.items.into_iter().next();
        Ok(Chat {
            chat,
            ..one.ok_or(ApiError::NotFound { field: "chat" })?
        })
    }

    fn event(&self, cursor: u64) -> Event {
        let body = text("x".repeat(self.text_len.load(Ordering::Relaxed)));
        Event {
            cursor: EventCursor(cursor),
            epoch: EPOCH,
            what: EventKind::MessageReceived(Message { body, ..message() }),
        }
    }
}

pub(super) fn ledger() -> Ledger {
    Ledger {
        state: LedgerState::Held,
        reason: None,
        held: vec![Held {
            relay: RelayKey([4; 32]),
            until_ms: 9,
        }],
        delivered: vec![],
        read: vec![DeviceKey([2; 32])],
    }
}

pub(super) fn message() -> Message {
    Message {
        message: MessageId([1; 32]),
        chat: ChatId([3; 32]),
        account: "madang1alice".into(),
        name: None,
        device: DeviceKey([2; 32]),
        outgoing: false,
        sent_ms: 5,
        received_ms: 6,
        body: text("hi".into()),
        edited_ms: None,
        reactions: vec![],
        pinned: None,
        expires_after_s: None,
        ledger: None,
    }
}

pub(super) fn text(text: String) -> Body {
    Body::Text {
        text,
        reply_to: None,
        mentions: vec![],
    }
}

/// What is said of a message to which all was done.
pub(super) fn touched() -> Message {
    Message {
        edited_ms: Some(7),
        reactions: vec![Reaction {
            emoji: "👍".into(),
            accounts: vec!["madang1bob".into()],
        }],
        pinned: None,
        expires_after_s: Some(60),
        ..message()
    }
}

pub(super) fn app_token() -> AppToken {
    AppToken {
        app: AppKey([6; 32]),
        token: Secret(SECRET_TOKEN.into()),
    }
}

pub(super) fn app(key: AppKey) -> App {
    App {
        app: key,
        name: "shop".into(),
        icon: None,
        wants: Vec::new(),
        scopes: vec!["chat:read".parse().unwrap()],
        origin: None,
        state: AppState::Requested,
        parent: None,
        created_ms: 1,
        expires_ms: None,
        acknowledged: EventCursor(0),
    }
}

fn page<T>(items: Vec<T>) -> Page<T> {
    Page {
        items,
        next: Some("opaque".into()),
        prev: None,
    }
}
