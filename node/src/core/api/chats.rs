//! Chats: who is in them, and how they are set.

use madang_protocol::client::{Command, SettingsChange};
use madang_protocol::keys;

use super::{Facade, page};
use crate::core::chats::{account, accounts, role_in};
use crate::rpc::api::{ApiResult, ChatApi};
use crate::rpc::params::*;
use crate::rpc::types::*;

impl ChatApi for Facade {
    async fn chat_list(&self, params: ListParams) -> ApiResult<Page<Chat>> {
        let items = self.chats().await?.into_iter().map(|chat| (chat.chat.0, chat));
        page(items, &params)
    }

    async fn chat_get(&self, params: ChatParams) -> ApiResult<ChatDetails> {
        self.chat_details(keys::ChatId(params.chat.0)).await
    }

    async fn chat_members(&self, params: ChatParams) -> ApiResult<Members> {
        let chat = self.chat(keys::ChatId(params.chat.0)).await?;
        Ok(Members { items: chat.members })
    }

    async fn chat_gaps(&self, params: ChatParams) -> ApiResult<Gaps> {
        self.gaps(keys::ChatId(params.chat.0)).await
    }

    async fn chat_pins(&self, params: ChatParams) -> ApiResult<Page<Message>> {
        self.pins(keys::ChatId(params.chat.0)).await
    }

    async fn chat_create(&self, params: ChatCreateParams) -> ApiResult<ChatRef> {
        let command = Command::CreateChat {
            name: params.name,
            members: accounts("members", &params.members)?,
            idempotency_key: params.idempotency_key,
        };
        let reply = self.command(command).await;
        self.chat_of(reply).await
    }

    async fn chat_add(&self, params: ChatMembersParams) -> ApiResult<Chat> {
        let chat = keys::ChatId(params.chat.0);
        let members = accounts("members", &params.members)?;
        self.change_chat(chat, Command::AddMembers { chat, members }).await
    }

    async fn chat_remove(&self, params: ChatMembersParams) -> ApiResult<Chat> {
        let chat = keys::ChatId(params.chat.0);
        let members = accounts("members", &params.members)?;
        self.change_chat(chat, Command::RemoveMembers { chat, members }).await
    }

    async fn chat_leave(&self, params: ChatParams) -> ApiResult<Chat> {
        let chat = keys::ChatId(params.chat.0);
        self.change_chat(chat, Command::LeaveChat { chat }).await
    }

    async fn chat_invite(&self, params: ChatInviteParams) -> ApiResult<Invite> {
        let command = Command::InviteToGroup {
            chat: keys::ChatId(params.chat.0),
            approval: params.approval,
            expires_in_s: params.expires_in_s,
            max_uses: params.max_uses,
        };
        self.invited(command).await
    }

    async fn chat_invites(&self, params: ChatParams) -> ApiResult<GroupInvites> {
        self.group_invites(keys::ChatId(params.chat.0)).await
    }

    async fn chat_uninvite(&self, params: UninviteParams) -> ApiResult<Done> {
        self.command(Command::RevokeInvite { link: params.invite }).await?;
        Ok(Done {})
    }

    async fn chat_update(&self, params: ChatUpdateParams) -> ApiResult<Chat> {
        let chat = keys::ChatId(params.chat.0);
        let change = SettingsChange {
            name: params.name,
            picture: params.picture,
            timer_s: params.timer_s,
        };
        self.change_chat(chat, Command::UpdateChat { chat, change }).await
    }

    async fn chat_roles(&self, params: ChatRoleParams) -> ApiResult<Chat> {
        let chat = keys::ChatId(params.chat.0);
        let command = Command::SetRole {
            chat,
            account: account("account", &params.account)?,
            role: role_in(params.role),
        };
        self.change_chat(chat, command).await
    }

    async fn chat_typing(&self, params: ChatTypingParams) -> ApiResult<Done> {
        let command = Command::Type {
            chat: keys::ChatId(params.chat.0),
            active: params.active,
        };
        self.command(command).await?;
        Ok(Done {})
    }
}
