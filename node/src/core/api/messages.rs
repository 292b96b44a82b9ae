//! Messages.

use madang_protocol::client::history::{self, LedgerView};
use madang_protocol::client::{Command, Content, Reply};
use madang_protocol::keys;
use madang_protocol::message::{Edit, Pin, Reaction, Vote};
use madang_protocol::rows::RowsError;

use super::Facade;
use crate::core::show::{ledger, mentions, message};
use crate::rpc::api::{ApiResult, MessageApi};
use crate::rpc::error::ApiError;
use crate::rpc::params::*;
use crate::rpc::types::*;

impl MessageApi for Facade {
    async fn message_send(&self, params: SendParams) -> ApiResult<Sent> {
        let command = Command::Send {
            chat: keys::ChatId(params.chat.0),
            content: self.content(params.body).await?,
            idempotency_key: params.idempotency_key,
        };
        let (id, view) = match self.command(command).await? {
            Reply::Sent(id) => (id, LedgerView::default()),
            Reply::Repeated(id) => {
                let stored = self.read(move |rows| history::message(rows, &id)).await?;
                let view = stored.and_then(|message| message.ledger);
                (id, view.ok_or(ApiError::NotFound { field: "message" })?)
            }
            _ => {
                return Err(ApiError::Internal {
                    reason: "the core answered something else than was asked".into(),
                });
            }
        };
        Ok(Sent {
            message: MessageId(id.0),
            ledger: ledger(view),
        })
    }

    async fn message_edit(&self, params: EditParams) -> ApiResult<Message> {
        let mentions = mentions(params.mentions, "mentions")?;
        let edit = |message| {
            Content::Edit(Edit {
                message,
                text: params.text,
                mentions,
            })
        };
        self.change(params.message, edit).await
    }

    async fn message_delete(&self, params: MessageParams) -> ApiResult<Message> {
        self.change(params.message, |message| Content::Delete { message }).await
    }

    async fn message_react(&self, params: ReactParams) -> ApiResult<Message> {
        let react = |message| {
            Content::Reaction(Reaction {
                message,
                emoji: params.emoji,
                remove: params.remove,
            })
        };
        self.change(params.message, react).await
    }

    async fn message_pin(&self, params: MessageParams, remove: bool) -> ApiResult<Message> {
        self.change(params.message, |message| Content::Pin(Pin { message, remove }))
            .await
    }

    async fn message_vote(&self, params: VoteParams) -> ApiResult<Message> {
        let vote = |message| {
            Content::Vote(Vote {
                message,
                choices: params.choices,
            })
        };
        self.change(params.message, vote).await
    }

    async fn message_list(&self, params: MessageListParams) -> ApiResult<Page<Message>> {
        let chat = keys::ChatId(params.chat.0);
        let cursor = |field: &'static str, text: &Option<String>| match text {
            None => Ok(None),
            Some(text) => match hex::decode(text) {
                Ok(key) if history::is_message_key(&chat, &key) => Ok(Some(key)),
                _ => Err(ApiError::invalid(field, "is not a cursor of this chat")),
            },
        };
        let after = cursor("after", &params.after)?;
        let before = cursor("before", &params.before)?;
        let limit = params.limit as usize;
        let from_middle = before.is_some();
        let found = self
            .read(move |rows| {
                if !history::chat_exists(rows, &chat)? {
                    return Ok(None);
                }
                let after = match params.at_ms {
                    Some(at_ms) => history::before_time(rows, &chat, at_ms)?,
                    None => after,
                };
                let found = history::messages(rows, &chat, after.as_deref(), before.as_deref(), limit + 1)?;
                let shown = found.into_iter().map(|(key, view)| Ok((key, message(rows, view)?)));
                Ok(Some((shown.collect::<Result<Vec<_>, RowsError>>()?, after.is_some())))
            })
            .await?;
        let (mut found, forward) = found.ok_or(ApiError::NotFound { field: "chat" })?;
        let more = found.len() > limit;
        if more && forward {
            found.truncate(limit);
        } else if more {
            found.remove(0);
        }
        let key = |row: Option<&(Vec<u8>, Message)>| row.map(|(key, _)| hex::encode(key));
        Ok(Page {
            next: key(found.last()).filter(|_| more && forward || from_middle),
            prev: key(found.first()).filter(|_| more || forward),
            items: found.into_iter().map(|(_, message)| message).collect(),
        })
    }

    async fn message_search(&self, params: SearchParams) -> ApiResult<SearchPage> {
        self.search(params).await
    }

    async fn message_get(&self, params: MessageParams) -> ApiResult<Message> {
        let id = keys::MessageId(params.message.0);
        self.shown(id).await?.ok_or(ApiError::NotFound { field: "message" })
    }

    async fn message_mark_read(&self, params: MarkReadParams) -> ApiResult<Done> {
        let chat = keys::ChatId(params.chat.0);
        let through = keys::MessageId(params.through.0);
        let mark = self
            .read(move |rows| {
                if !history::chat_exists(rows, &chat)? {
                    return Ok(Err("chat"));
                }
                Ok(history::read_mark(rows, &chat, &through)?.ok_or("through"))
            })
            .await?;
        let mark = mark.map_err(|field| ApiError::NotFound { field })?;
        self.command(Command::MarkRead { chat, mark }).await?;
        Ok(Done {})
    }
}
