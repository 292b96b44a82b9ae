//! Contacts, and how they come about.

use madang_protocol::client::{Command, history};
use madang_protocol::keys;
use madang_protocol::rows::RowsError;

use super::{Facade, page};
use crate::core::show::given;
use crate::rpc::api::{ApiResult, ContactApi};
use crate::rpc::params::*;
use crate::rpc::types::*;

impl ContactApi for Facade {
    async fn contact_invite(&self, params: InviteParams) -> ApiResult<Invite> {
        let command = Command::Invite {
            multi_use: params.multi_use,
            expires_in_s: params.expires_in_s,
        };
        self.invited(command).await
    }

    async fn contact_accept(&self, params: AcceptParams) -> ApiResult<ChatRef> {
        let link = params.invite;
        let command = match params.alias {
            Some(NewAlias { name }) => Command::AcceptAs { link, name },
            None => Command::Accept { link },
        };
        let reply = self.command(command).await;
        self.chat_of(reply).await
    }

    async fn contact_requests(&self, params: ListParams) -> ApiResult<Page<ContactRequest>> {
        let all = self
            .read(|rows| {
                let named = history::requests(rows)?.into_iter().map(|request| {
                    let chat = request.chat.map(|chat| history::chat(rows, &chat)).transpose()?;
                    Ok((request, chat.flatten().and_then(|chat| given(&chat.context.name))))
                });
                named.collect::<Result<Vec<_>, RowsError>>()
            })
            .await?;
        let items = all.into_iter().map(|(request, chat_name)| {
            let item = ContactRequest {
                request: RequestId(request.request.0),
                account: request.account.to_string(),
                name: given(&request.name),
                received_ms: request.received_ms,
                chat: request.chat.map(|chat| ChatId(chat.0)),
                chat_name,
            };
            (request.request.0, item)
        });
        page(items, &params)
    }

    async fn contact_approve(&self, params: ApproveParams) -> ApiResult<ChatRef> {
        let request = keys::RequestId(params.request.0);
        let reply = self.command(Command::Approve { request }).await;
        self.chat_of(reply).await
    }

    async fn contact_decline(&self, params: ApproveParams) -> ApiResult<Done> {
        let request = keys::RequestId(params.request.0);
        self.command(Command::Decline { request }).await?;
        Ok(Done {})
    }

    async fn contact_list(&self, params: ListParams) -> ApiResult<Page<Contact>> {
        let all = self.read(|rows| history::contacts(rows)).await?;
        let items = all.into_iter().map(|contact| {
            let item = Contact {
                account: contact.account.to_string(),
                name: given(&contact.name),
                chat: ChatId(contact.chat.0),
                devices: contact.devices.iter().map(|device| DeviceKey(device.0)).collect(),
                since_ms: contact.since_ms,
            };
            (contact.account.0, item)
        });
        page(items, &params)
    }
}
