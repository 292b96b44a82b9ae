//! The JSON-RPC's methods on the core: what changes goes to the owner, what is only read goes past it. Each namespace has a room.

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

use std::sync::{Arc, Mutex, PoisonError};

use madang_protocol::client::{Client, Command, Content, Reply, history};
use madang_protocol::keys;
use madang_protocol::rows::{Rows, RowsError};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use super::apps::{AppAsk, AppSaid};
use super::engine::{Answer, Ask, Status};
use super::epochs::Epochs;
use super::feedback::Awaited;
use super::media::{OneAtATime, one_at_a_time};
use super::shares::Rates;
use super::show::{given, message, refusal};
use crate::net::NetHandle;
use crate::rpc::access::Grants;
use crate::rpc::api::ApiResult;
use crate::rpc::error::ApiError;
use crate::rpc::params::*;
use crate::rpc::types::*;
use crate::rpc::webhooks::Hooks;
use crate::store::StoreReader;

/// When to try again after the inbox was full, in milliseconds (guess: a few turns).
const RETRY_AFTER_MS: u64 = 250;

/// What the owner shows of itself as it changes.
pub(super) struct Shown {
    pub newest: watch::Receiver<u64>,
    pub grants: watch::Receiver<Arc<Grants>>,
    pub hooks: watch::Receiver<Arc<Hooks>>,
    pub epochs: Epochs,
}

/// The core as the JSON-RPC sees it.
#[derive(Clone)]
pub(crate) struct Facade {
    pub(super) account: keys::AccountId,
    pub(super) device: keys::DeviceId,
    store: StoreReader,
    asks: mpsc::Sender<Ask>,
    newest: watch::Receiver<u64>,
    grants: watch::Receiver<Arc<Grants>>,
    hooks: watch::Receiver<Arc<Hooks>>,
    epochs: Arc<Epochs>,
    net: NetHandle,
    read_only: Arc<Mutex<Option<String>>>,
    pub(super) media: OneAtATime,
    pub(super) rates: Arc<Rates>,
    pub(super) awaited: Awaited,
    started: Instant,
}

impl Facade {
    pub(super) fn new(
        client: &Client,
        store: StoreReader,
        asks: mpsc::Sender<Ask>,
        shown: Shown,
        net: NetHandle,
        read_only: Arc<Mutex<Option<String>>>,
    ) -> Self {
        Self {
            account: client.account(),
            device: client.device(),
            store,
            asks,
            newest: shown.newest,
            grants: shown.grants,
            hooks: shown.hooks,
            epochs: Arc::new(shown.epochs),
            net,
            read_only,
            media: one_at_a_time(),
            rates: Arc::default(),
            awaited: Awaited::default(),
            started: Instant::now(),
        }
    }

    /// The newest durable event, and its changes.
    pub(super) fn newest(&self) -> watch::Receiver<u64> {
        self.newest.clone()
    }

    fn read_only(&self) -> Option<String> {
        self.read_only.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts a question to the owner; whoever gets no answer meets a node that stopped or whose store failed.
    pub(super) async fn ask<T>(&self, question: impl FnOnce(oneshot::Sender<T>) -> Ask) -> ApiResult<T> {
        if let Some(reason) = self.read_only() {
            return Err(ApiError::ReadOnly { reason });
        }
        let (sender, answer) = oneshot::channel();
        self.asks.try_send(question(sender)).map_err(|_| ApiError::Overloaded {
            retry_after_ms: RETRY_AFTER_MS,
        })?;
        answer.await.map_err(|_| match self.read_only() {
            Some(reason) => ApiError::ReadOnly { reason },
            None => ApiError::Internal {
                reason: "the core stopped before it answered".into(),
            },
        })
    }

    pub(super) async fn command(&self, command: Command) -> ApiResult<Reply> {
        let answer: Answer = self.ask(|sender| Ask::Command(command, sender)).await?;
        answer.map_err(refusal)
    }

    pub(super) async fn status(&self) -> ApiResult<Status> {
        self.ask(Ask::Status).await
    }

    /// Reads on a thread where waiting for a commit under way disturbs nobody.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&StoreReader) -> Result<T, RowsError> + Send + 'static,
    ) -> ApiResult<T> {
        let store = self.store.clone();
        tokio::task::spawn_blocking(move || read(&store))
            .await
            .map_err(|error| ApiError::Internal {
                reason: error.to_string(),
            })?
            .map_err(|error| {
                // The owner puts aside what can't be read; the next call finds the rest. If it is busy, the next one asks again.
                drop(self.asks.try_send(Ask::Mend));
                ApiError::Internal {
                    reason: error.to_string(),
                }
            })
    }

    /// Does something to a message and gives the message as it is then.
    async fn change(&self, target: MessageId, content: impl FnOnce(keys::MessageId) -> Content) -> ApiResult<Message> {
        let id = keys::MessageId(target.0);
        let missing = ApiError::NotFound { field: "message" };
        let chat = self.read(move |rows| history::message(rows, &id)).await?;
        let command = Command::Send {
            chat: chat.ok_or(missing.clone())?.chat,
            content: content(id),
            idempotency_key: None,
        };
        self.command(command).await?;
        self.shown(id).await?.ok_or(missing)
    }

    /// A message as it is shown.
    async fn shown(&self, id: keys::MessageId) -> ApiResult<Option<Message>> {
        self.read(move |rows| {
            let found = history::message(rows, &id)?;
            found.map(|view| message(rows, view)).transpose()
        })
        .await
    }

    /// Makes an invite.
    async fn invited(&self, command: Command) -> ApiResult<Invite> {
        match self.command(command).await? {
            Reply::Invited { link, expires_s } => Ok(Invite {
                invite: link,
                expires_ms: expires_s.saturating_mul(1000),
            }),
            other => Err(unexpected(&other)),
        }
    }

    async fn chat_of(&self, reply: ApiResult<Reply>) -> ApiResult<ChatRef> {
        match reply? {
            Reply::Chat(chat) => Ok(ChatRef { chat: ChatId(chat.0) }),
            other => Err(unexpected(&other)),
        }
    }
}

impl Facade {
    async fn ask_apps(&self, ask: AppAsk) -> ApiResult<AppSaid> {
        self.ask(|sender| Ask::App(ask, sender)).await?
    }

    async fn token(&self, ask: AppAsk) -> ApiResult<AppToken> {
        match self.ask_apps(ask).await? {
            AppSaid::Token(token) => Ok(token),
            _ => Err(other_said()),
        }
    }
}

pub(super) fn check(name: &str, ok: bool, detail: &str, hint: Option<&str>) -> Check {
    Check {
        name: name.to_owned(),
        ok,
        detail: detail.to_owned(),
        hint: hint.map(str::to_owned),
    }
}

pub(super) fn name_in(
    rows: &dyn Rows,
    chat: &keys::ChatId,
    account: &keys::AccountId,
) -> Result<Option<String>, RowsError> {
    Ok(history::contact_in(rows, chat, account)?.and_then(|contact| given(&contact.name)))
}

fn unexpected(_: &Reply) -> ApiError {
    other_said()
}

pub(super) fn other_said() -> ApiError {
    ApiError::Internal {
        reason: "the core answered something else than was asked".into(),
    }
}

/// A page of a list that is ordered by 32-byte keys; the cursor is the last key in hex.
fn page<T>(items: impl Iterator<Item = ([u8; 32], T)>, params: &ListParams) -> ApiResult<Page<T>> {
    let mut after = None;
    if let Some(text) = &params.after {
        let mut key = [0; 32];
        hex::decode_to_slice(text, &mut key).map_err(|_| ApiError::invalid("after", "is not a cursor of this list"))?;
        after = Some(key);
    }
    let limit = params.limit as usize;
    let mut taken: Vec<([u8; 32], T)> = items
        .filter(|(key, _)| after.is_none_or(|after| *key > after))
        .take(limit + 1)
        .collect();
    let more = taken.len() > limit;
    taken.truncate(limit);
    Ok(Page {
        next: taken.last().filter(|_| more).map(|(key, _)| hex::encode(key)),
        prev: None,
        items: taken.into_iter().map(|(_, item)| item).collect(),
    })
}
