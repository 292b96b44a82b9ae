//! Cards that apps and pages offer for chats.

use std::sync::Arc;

use super::Facade;
use crate::core::claims::some_named;
use crate::rpc::access::Grant;
use crate::rpc::api::{ApiResult, ShareApi};
use crate::rpc::params::*;
use crate::rpc::types::*;

impl ShareApi for Facade {
    async fn share_check(&self, card: CardText, origin: Option<String>) -> ApiResult<ShareChecked> {
        self.check_card(&card, origin).await
    }

    async fn share_preview(&self, params: SharePreviewParams, origin: Option<String>) -> ApiResult<SharePreview> {
        self.preview_card(params, origin).await
    }

    async fn share_card(&self, card: CardText, origin: Option<String>) -> ApiResult<ShareCard> {
        self.show_card(&card, origin).await
    }

    async fn share_count(
        &self,
        app: Option<AppKey>,
        origin: Option<String>,
        params: &ShareSendParams,
    ) -> ApiResult<()> {
        self.check_card(&params.card, origin).await?;
        self.count_card(app, &params.chats)
    }

    async fn share_held(&self, message: MessageId) -> ApiResult<HeldCard> {
        self.held_card(message).await
    }

    async fn share_pictures(&self, origin: Option<String>, params: &ShareSendParams) -> ApiResult<Vec<(u8, String)>> {
        if let Some(message) = params.message {
            self.take_held_pictures(message, origin.clone(), params).await?;
        }
        self.missing_pictures(&params.card, origin, &params.idempotency_key)
            .await
    }

    async fn share_picture(
        &self,
        card: CardText,
        origin: Option<String>,
        idempotency_key: String,
        place: u8,
        got: Result<Vec<u8>, String>,
    ) -> ApiResult<()> {
        self.take_picture(card, origin, idempotency_key, place, got).await
    }

    async fn share_send(
        &self,
        app: Option<AppKey>,
        origin: Option<String>,
        params: ShareSendParams,
    ) -> ApiResult<SharesSent> {
        self.send_card(app, origin, params).await
    }

    async fn share_named(&self, message: MessageId) -> ApiResult<Vec<String>> {
        let named = self.named_domains(message).await?;
        some_named(&named)?;
        Ok(named)
    }

    async fn share_asks(&self, params: ShareOpenParams) -> ApiResult<Vec<String>> {
        self.domains_before(&params).await
    }

    async fn share_told(&self, message: MessageId, answers: DomainAnswers) -> ApiResult<ShareBy> {
        self.keep_proofs(message, answers).await
    }

    async fn share_open(&self, params: ShareOpenParams) -> ApiResult<ShareOpened> {
        self.open_card(params).await
    }

    async fn share_replies(&self) -> ApiResult<Page<WaitingReply>> {
        self.waiting_replies().await
    }

    async fn share_settle_reply(&self, reply: PickId, sends: bool) -> ApiResult<Done> {
        self.settle_reply(reply, sends).await
    }

    async fn share_reply(&self, grant: Arc<Grant>, params: ShareReplyParams) -> ApiResult<ShareReplied> {
        self.reply_card(&grant, params).await
    }
}
