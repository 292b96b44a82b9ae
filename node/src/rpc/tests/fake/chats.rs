//! Chats: who is in them, and how they are set.

use super::{Fake, SECRET_INVITE, message, page};
use crate::rpc::api::{ApiResult, ChatApi, ContactApi};
use crate::rpc::params::*;
use crate::rpc::types::*;

impl ChatApi for Fake {
    async fn chat_list(&self, _: ListParams) -> ApiResult<Page<Chat>> {
        Ok(page(vec![Chat {
            chat: ChatId([3; 32]),
            name: None,
            kind: ChatKind::OneToOne,
            members: vec![Member {
                account: "madang1bob".into(),
                name: None,
                devices: vec![],
                role: None,
            }],
            state: ChatState::Requested,
            timer_s: 0,
            unread: 1,
            last_ms: None,
            alias: None,
        }]))
    }

    async fn chat_invite(&self, params: ChatInviteParams) -> ApiResult<Invite> {
        Ok(Invite {
            invite: SECRET_INVITE.into(),
            expires_ms: 1_000 * params.expires_in_s.unwrap_or(60) + u64::from(params.approval),
        })
    }

    async fn chat_invites(&self, _: ChatParams) -> ApiResult<GroupInvites> {
        let invite = GroupInvite {
            invite: SECRET_INVITE.into(),
            expires_ms: 60_000,
            approval: true,
            uses: 2,
            max_uses: 1_000,
        };
        Ok(GroupInvites { items: vec![invite] })
    }

    async fn chat_uninvite(&self, params: UninviteParams) -> ApiResult<Done> {
        let invite = params.invite;
        let params = AcceptParams { invite, alias: None };
        self.contact_accept(params).await.map(|_| Done {})
    }

    async fn chat_get(&self, params: ChatParams) -> ApiResult<ChatDetails> {
        Ok(ChatDetails {
            chat: self.changed(params.chat).await?,
            epoch: 3,
            branches: 1,
            unsettled: 2,
            waiting_envelopes: 0,
            changes_under_way: 0,
            rejoining: false,
            gaps: 1,
            lost: 0,
        })
    }

    async fn chat_gaps(&self, params: ChatParams) -> ApiResult<Gaps> {
        self.changed(params.chat).await?;
        Ok(Gaps {
            items: vec![Gap {
                account: "madang1bob".into(),
                name: None,
                device: DeviceKey([2; 32]),
                first: 3,
                last: 5,
                since_ms: 7,
                state: GapState::Open,
                asked: 2,
            }],
        })
    }

    async fn chat_members(&self, params: ChatParams) -> ApiResult<Members> {
        Ok(Members {
            items: self.changed(params.chat).await?.members,
        })
    }

    async fn chat_create(&self, _: ChatCreateParams) -> ApiResult<ChatRef> {
        Ok(ChatRef { chat: ChatId([3; 32]) })
    }

    async fn chat_add(&self, params: ChatMembersParams) -> ApiResult<Chat> {
        self.changed(params.chat).await
    }

    async fn chat_remove(&self, params: ChatMembersParams) -> ApiResult<Chat> {
        self.changed(params.chat).await
    }

    async fn chat_leave(&self, params: ChatParams) -> ApiResult<Chat> {
        self.changed(params.chat).await
    }

    async fn chat_typing(&self, params: ChatTypingParams) -> ApiResult<Done> {
        self.changed(params.chat).await.map(|_| Done {})
    }

    async fn chat_update(&self, params: ChatUpdateParams) -> ApiResult<Chat> {
        self.changed(params.chat).await
    }

    async fn chat_roles(&self, params: ChatRoleParams) -> ApiResult<Chat> {
        self.changed(params.chat).await
    }

    async fn chat_pins(&self, params: ChatParams) -> ApiResult<Page<Message>> {
        let chat = params.chat;
        Ok(page(vec![Message { chat, ..message() }]))
    }
}
