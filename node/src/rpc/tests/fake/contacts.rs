//! Contacts, and how they come about.

use super::{Fake, SECRET_INVITE, page};
use crate::rpc::api::{ApiResult, ContactApi};
use crate::rpc::error::ApiError;
use crate::rpc::params::*;
use crate::rpc::types::*;

impl ContactApi for Fake {
    async fn contact_invite(&self, params: InviteParams) -> ApiResult<Invite> {
        let expires_ms = 1_000 * params.expires_in_s.unwrap_or(60);
        Ok(Invite {
            invite: SECRET_INVITE.into(),
            expires_ms,
        })
    }

    async fn contact_accept(&self, params: AcceptParams) -> ApiResult<ChatRef> {
        if params.invite != SECRET_INVITE {
            return Err(ApiError::InviteInvalid {
                reason: "it is not a link".into(),
            });
        }
        Ok(ChatRef { chat: ChatId([3; 32]) })
    }

    async fn contact_requests(&self, _: ListParams) -> ApiResult<Page<ContactRequest>> {
        let contact = ContactRequest {
            request: RequestId([7; 32]),
            account: "madang1bob".into(),
            name: None,
            received_ms: 3,
            chat: None,
            chat_name: None,
        };
        let guest = ContactRequest {
            chat: Some(ChatId([4; 32])),
            chat_name: Some("village".into()),
            ..contact.clone()
        };
        Ok(page(vec![contact, guest]))
    }

    async fn contact_approve(&self, _: ApproveParams) -> ApiResult<ChatRef> {
        Ok(ChatRef { chat: ChatId([3; 32]) })
    }

    async fn contact_decline(&self, _: ApproveParams) -> ApiResult<Done> {
        Ok(Done {})
    }

    async fn contact_list(&self, _: ListParams) -> ApiResult<Page<Contact>> {
        Ok(page(vec![Contact {
            account: "madang1bob".into(),
            name: Some("Bob".into()),
            chat: ChatId([3; 32]),
            devices: vec![DeviceKey([2; 32])],
            since_ms: 3,
        }]))
    }
}
