//! Cards that apps and pages offer for chats.

use std::sync::Arc;

use super::{Fake, ledger};
use crate::rpc::access::Grant;
use crate::rpc::api::{ApiResult, ShareApi};
use crate::rpc::error::ApiError;
use crate::rpc::params::*;
use crate::rpc::types::*;

/// Whoever offers a card here; what holds `refused` isn't one.
fn by(card: &CardText, origin: Option<String>) -> ApiResult<ShareBy> {
    if card.0.contains("refused") {
        return Err(ApiError::invalid("share.buttons[0].label", "is missing"));
    }
    Ok(origin.map_or(ShareBy::Nobody, |origin| ShareBy::Page { origin }))
}

impl ShareApi for Fake {
    async fn share_check(&self, card: CardText, origin: Option<String>) -> ApiResult<ShareChecked> {
        Ok(ShareChecked {
            by: by(&card, origin)?,
            length_bytes: card.0.len() as u64,
            expires_ms: Some(9),
        })
    }

    async fn share_preview(&self, params: SharePreviewParams, origin: Option<String>) -> ApiResult<SharePreview> {
        by(&params.card, origin)?;
        Ok(SharePreview {
            text: "hi".into(),
            html: "<article></article>".into(),
        })
    }

    async fn share_card(&self, card: CardText, origin: Option<String>) -> ApiResult<ShareCard> {
        Ok(ShareCard {
            template: "text".into(),
            share: serde_json::Map::from_iter([("text".to_owned(), "hi".into())]),
            by: by(&card, origin)?,
            fallback: "hi".into(),
            pictures: Vec::new(),
        })
    }

    async fn share_count(&self, _: Option<AppKey>, origin: Option<String>, params: &ShareSendParams) -> ApiResult<()> {
        by(&params.card, origin).map(drop)
    }

    async fn share_held(&self, _: MessageId) -> ApiResult<HeldCard> {
        Ok(HeldCard {
            card: CardText("{}".into()),
            origin: None,
        })
    }

    async fn share_pictures(&self, _: Option<String>, _: &ShareSendParams) -> ApiResult<Vec<(u8, String)>> {
        Ok(Vec::new())
    }

    async fn share_picture(
        &self,
        _: CardText,
        _: Option<String>,
        _: String,
        _: u8,
        _: Result<Vec<u8>, String>,
    ) -> ApiResult<()> {
        Ok(())
    }

    async fn share_send(
        &self,
        _: Option<AppKey>,
        origin: Option<String>,
        params: ShareSendParams,
    ) -> ApiResult<SharesSent> {
        by(&params.card, origin)?;
        let items = params.chats.iter().map(|chat| ShareSent {
            chat: *chat,
            message: MessageId([1; 32]),
            ledger: ledger(),
            to: Pseudonym {
                pseudonym: "ab".repeat(16),
                kind: PseudonymKind::Direct,
            },
        });
        let items = items.collect();
        self.cards.lock().unwrap().push(params);
        Ok(SharesSent {
            items,
            left_out: Vec::new(),
        })
    }

    async fn share_named(&self, _: MessageId) -> ApiResult<Vec<String>> {
        Ok(Vec::new())
    }

    async fn share_asks(&self, _: ShareOpenParams) -> ApiResult<Vec<String>> {
        Ok(Vec::new())
    }

    async fn share_told(&self, _: MessageId, _: DomainAnswers) -> ApiResult<ShareBy> {
        Ok(ShareBy::Nobody)
    }

    async fn share_open(&self, params: ShareOpenParams) -> ApiResult<ShareOpened> {
        Ok(ShareOpened {
            action: match params.button {
                Some(_) => ShareAction::Postback { data: "yes".into() },
                None => ShareAction::Web {
                    url: "https://a.example/".into(),
                },
            },
        })
    }

    async fn share_replies(&self) -> ApiResult<Page<WaitingReply>> {
        Ok(Page {
            items: Vec::new(),
            next: None,
            prev: None,
        })
    }

    async fn share_settle_reply(&self, _: PickId, _: bool) -> ApiResult<Done> {
        Ok(Done {})
    }

    async fn share_reply(&self, grant: Arc<Grant>, _: ShareReplyParams) -> ApiResult<ShareReplied> {
        match grant.answers(&ShareAppId([7; 32])) {
            true => Ok(ShareReplied {
                state: ReplyState::Sent,
                reply: None,
            }),
            false => Err(ApiError::ScopeMissing {
                scope: "share:reply".into(),
            }),
        }
    }
}
