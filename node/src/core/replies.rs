//! Answers to cards: of apps that the user lets answer they are sent, of others that handle a card they wait for the user.

use madang_protocol::client::{Command, Content};
use madang_protocol::keys;
use madang_protocol::message::{CardAnswer, CardDeed};
use madang_protocol::rows::{Batch, Rows, RowsError, Tree};
use madang_protocol::share::ButtonAction;
use serde::{Deserialize, Serialize};

use super::api::Facade;
use super::apps::{Apps, limit};
use super::cards::REPLIES;
use super::engine::Ask;
use super::opens::{Found, signer};
use crate::clock::now_ms;
use crate::random::random;
use crate::rpc::access::Grant;
use crate::rpc::api::ApiResult;
use crate::rpc::error::ApiError;
use crate::rpc::limits::{MAX_ALL_REPLIES, MAX_REPLIES, REPLY_MS};
use crate::rpc::params::ShareReplyParams;
use crate::rpc::types::*;

/// An answer that waits for the user.
#[derive(Serialize, Deserialize)]
struct ReplyRow {
    at_ms: u64,
    by: AppKey,
    message: MessageId,
    button: String,
    data: String,
}

impl ReplyRow {
    fn waits(&self, now_ms: u64) -> bool {
        now_ms.saturating_sub(self.at_ms) < REPLY_MS
    }
}

/// The event that an answer waits; none if it is about something else, or that waits no more.
pub(super) fn waiting(rows: &dyn Rows, subject: &[u8; 32]) -> Result<Option<EventKind>, RowsError> {
    let row: Option<ReplyRow> = REPLIES.get(rows, subject)?;
    row.map(|row| Ok(EventKind::ShareReplyWaiting(shown(rows, PickId(*subject), row)?)))
        .transpose()
}

fn shown(rows: &dyn Rows, reply: PickId, row: ReplyRow) -> Result<WaitingReply, RowsError> {
    Ok(WaitingReply {
        reply,
        app: row.by,
        name: Apps::load(rows)?.name_of(&row.by),
        message: row.message,
        button: (!row.button.is_empty()).then_some(row.button),
        data: row.data,
        until_ms: row.at_ms.saturating_add(REPLY_MS),
    })
}

impl Facade {
    /// `share.reply`.
    pub(super) async fn reply_card(&self, grant: &Grant, params: ShareReplyParams) -> ApiResult<ShareReplied> {
        let found = self.card(params.message).await?;
        let Some(app) = signer(&found.card) else {
            return Err(not_allowed("no app signed this card, so there is none to answer"));
        };
        let may = grant.answers(&app);
        let by = grant.app.filter(|_| grant.handles(&app));
        if !may && by.is_none() {
            return Err(ApiError::ScopeMissing {
                scope: format!("share:{app}:reply"),
            });
        }
        live(&found)?;
        let (button, data) = match (params.button, params.data) {
            (Some(button), _) => {
                let all = found.card.share.card().all_buttons();
                let pressed = all.into_iter().find(|(path, _)| *path == button);
                let (_, pressed) = pressed.ok_or(ApiError::NotFound { field: "button" })?;
                match (pressed.action, &pressed.data) {
                    (ButtonAction::Postback, Some(data)) => (button, data.to_string()),
                    _ => return Err(ApiError::invalid("button", "hands nothing back")),
                }
            }
            (None, data) => (String::new(), data.unwrap_or_default()),
        };
        match by.filter(|_| !may) {
            None => {
                self.answer_card(found.chat, params.message, CardDeed::Postback { button, data }, None)
                    .await?;
                Ok(ShareReplied {
                    state: ReplyState::Sent,
                    reply: None,
                })
            }
            Some(by) => {
                let row = ReplyRow {
                    at_ms: now_ms(),
                    by,
                    message: params.message,
                    button,
                    data,
                };
                let reply = self.keep_reply(row).await?;
                Ok(ShareReplied {
                    state: ReplyState::Waiting,
                    reply: Some(reply),
                })
            }
        }
    }

    async fn keep_reply(&self, row: ReplyRow) -> ApiResult<PickId> {
        let reply = PickId(*random()?);
        let batch = self
            .read(move |rows| {
                let mut batch = Batch::default();
                let (mut all, mut own) = (0, 0);
                for (key, other) in REPLIES.all::<ReplyRow>(rows)? {
                    if !other.waits(row.at_ms) {
                        batch.delete(Tree::AppCards, key);
                        continue;
                    }
                    all += 1;
                    own += usize::from(other.by == row.by);
                }
                if own >= MAX_REPLIES || all >= MAX_ALL_REPLIES {
                    return Ok(None);
                }
                REPLIES.put(&reply.0, &row, &mut batch)?;
                Ok(Some(batch))
            })
            .await?;
        let batch = batch.ok_or_else(|| limit("answers of an app that wait for the user", MAX_REPLIES))?;
        self.ask(|kept| Ask::Tell(batch, vec![reply.0], kept)).await?;
        Ok(reply)
    }

    /// `share.replies`.
    pub(super) async fn waiting_replies(&self) -> ApiResult<Page<WaitingReply>> {
        let items = self
            .read(|rows| {
                let now_ms = now_ms();
                let mut all = REPLIES.all::<ReplyRow>(rows)?;
                all.retain(|(_, row)| row.waits(now_ms));
                all.sort_by_key(|(_, row)| row.at_ms);
                let shown = all
                    .into_iter()
                    .filter_map(|(key, row)| Some(shown(rows, PickId(REPLIES.id(&key)?), row)));
                shown.collect()
            })
            .await?;
        Ok(Page {
            items,
            next: None,
            prev: None,
        })
    }

    /// `share.confirm_reply` and `share.decline_reply`.
    pub(super) async fn settle_reply(&self, reply: PickId, sends: bool) -> ApiResult<Done> {
        let row: Option<ReplyRow> = self.read(move |rows| REPLIES.get(rows, &reply.0)).await?;
        let row = row
            .filter(|row| row.waits(now_ms()))
            .ok_or(ApiError::NotFound { field: "reply" })?;
        if sends {
            let found = self.card(row.message).await?;
            live(&found)?;
            let what = CardDeed::Postback {
                button: row.button,
                data: row.data,
            };
            // Confirmed twice it is sent once.
            let key = Some(format!("share.reply {reply}"));
            self.answer_card(found.chat, row.message, what, key).await?;
        }
        let mut batch = Batch::default();
        batch.delete(Tree::AppCards, REPLIES.key(&reply.0));
        self.ask(|kept| Ask::Keep(batch, kept)).await?;
        Ok(Done {})
    }

    /// Says what was done with a card, to who shared it.
    pub(super) async fn answer_card(
        &self,
        chat: keys::ChatId,
        id: MessageId,
        what: CardDeed,
        idempotency_key: Option<String>,
    ) -> ApiResult<()> {
        let command = Command::Send {
            chat,
            content: Content::CardAnswer(CardAnswer {
                message: keys::MessageId(id.0),
                what,
            }),
            idempotency_key,
        };
        self.command(command).await.map(|_| ())
    }
}

/// Requires that a card hasn't expired.
fn live(found: &Found) -> ApiResult<()> {
    if found.card.share.has_expired(now_ms() / 1000) {
        return Err(not_allowed("this card has expired"));
    }
    Ok(())
}

fn not_allowed(reason: &'static str) -> ApiError {
    ApiError::NotAllowed { reason: reason.into() }
}
