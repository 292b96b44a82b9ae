//! Chats as the JSON-RPC shows them: members with their roles, settings, and how the chat's state is.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use madang_protocol::chat;
use madang_protocol::client::Command;
use madang_protocol::client::history::{self, ChatView, ContactView};
use madang_protocol::keys;
use madang_protocol::rows::{Rows, RowsError};

use super::api::{Facade, name_in};
use super::engine::Ask;
use super::show::{gap_state, given, message};
use crate::rpc::api::ApiResult;
use crate::rpc::error::ApiError;
use crate::rpc::types::*;

/// A chat with its members and what is known of them.
struct Read {
    chat: ChatView,
    name: Option<String>,
    members: Vec<(keys::AccountId, Option<ContactView>)>,
    /// What members call themselves in the group.
    told: BTreeMap<keys::AccountId, String>,
}

impl Facade {
    /// All chats that people see, by id.
    pub(super) async fn chats(&self) -> ApiResult<Vec<Chat>> {
        let own_name = self.status().await?.name;
        let all = self
            .read(move |rows| {
                let mut list = Vec::new();
                for chat in history::chats(rows)? {
                    // Of two chats that were asked for at once only the chosen one is shown, unless the other was used.
                    let peer = chat
                        .peer
                        .map(|peer| history::contact(rows, &peer))
                        .transpose()?
                        .flatten();
                    let chosen = chat.alias.is_some() || peer.is_none_or(|contact| contact.chat == chat.id);
                    if chosen || !history::messages(rows, &chat.id, None, None, 1)?.is_empty() {
                        list.push(read(rows, chat)?);
                    }
                }
                Ok(list)
            })
            .await?;
        Ok(all.into_iter().map(|chat| self.show(&own_name, chat)).collect())
    }

    /// One chat.
    pub(super) async fn chat(&self, id: keys::ChatId) -> ApiResult<Chat> {
        let own_name = self.status().await?.name;
        let found = self
            .read(move |rows| match history::chat(rows, &id)? {
                Some(chat) => read(rows, chat).map(Some),
                None => Ok(None),
            })
            .await?;
        let found = found.ok_or(ApiError::NotFound { field: "chat" })?;
        Ok(self.show(&own_name, found))
    }

    /// One chat and how its state is.
    pub(super) async fn chat_details(&self, id: keys::ChatId) -> ApiResult<ChatDetails> {
        let chat = self.chat(id).await?;
        let state = self.ask(|sender| Ask::Chat(id, sender)).await?;
        let state = state.ok_or(ApiError::NotFound { field: "chat" })?;
        Ok(ChatDetails {
            chat,
            epoch: state.epoch,
            branches: state.branches,
            unsettled: state.unsettled,
            waiting_envelopes: state.waiting,
            changes_under_way: state.changes,
            rejoining: state.rejoining,
            gaps: state.gaps,
            lost: state.lost,
        })
    }

    /// What is missing of a chat.
    pub(super) async fn gaps(&self, id: keys::ChatId) -> ApiResult<Gaps> {
        let found = self
            .read(move |rows| {
                if !history::chat_exists(rows, &id)? {
                    return Ok(None);
                }
                let gaps = history::gaps(rows, &id)?.into_iter();
                let gaps = gaps.map(|gap| Ok((name_in(rows, &id, &gap.account)?, gap)));
                gaps.collect::<Result<Vec<_>, RowsError>>().map(Some)
            })
            .await?;
        let found = found.ok_or(ApiError::NotFound { field: "chat" })?;
        let items = found.into_iter().map(|(name, gap)| Gap {
            account: gap.account.to_string(),
            name,
            device: DeviceKey(gap.device.0),
            first: gap.first,
            last: gap.last,
            since_ms: gap.since_ms,
            state: gap_state(gap.state),
            asked: gap.asked,
        });
        Ok(Gaps { items: items.collect() })
    }

    /// What is kept in sight in a chat.
    pub(super) async fn pins(&self, id: keys::ChatId) -> ApiResult<Page<Message>> {
        let items = self
            .read(move |rows| {
                if !history::chat_exists(rows, &id)? {
                    return Ok(None);
                }
                let pins = history::pins(rows, &id)?.into_iter();
                pins.map(|view| message(rows, view))
                    .collect::<Result<Vec<_>, _>>()
                    .map(Some)
            })
            .await?;
        Ok(Page {
            items: items.ok_or(ApiError::NotFound { field: "chat" })?,
            next: None,
            prev: None,
        })
    }

    /// Changes a chat and gives it as it is then.
    pub(super) async fn change_chat(&self, id: keys::ChatId, command: Command) -> ApiResult<Chat> {
        self.command(command).await?;
        self.chat(id).await
    }

    /// This account's open invite links of a group.
    pub(super) async fn group_invites(&self, id: keys::ChatId) -> ApiResult<GroupInvites> {
        let found = self
            .read(move |rows| {
                let known = history::chat_exists(rows, &id)?;
                known.then(|| history::group_invites(rows, &id)).transpose()
            })
            .await?;
        let items = found.ok_or(ApiError::NotFound { field: "chat" })?.into_iter();
        let items = items.map(|view| GroupInvite {
            invite: view.link,
            expires_ms: view.expires_s.saturating_mul(1000),
            approval: view.approval,
            uses: view.uses,
            max_uses: view.max_uses,
        });
        Ok(GroupInvites { items: items.collect() })
    }

    fn show(&self, own_name: &str, found: Read) -> Chat {
        let Read {
            chat,
            name,
            members,
            told,
        } = found;
        let (own_account, own_device, own_name) = match &chat.alias {
            Some(alias) => (alias.account, alias.device, alias.name.as_str()),
            None => (self.account, self.device, own_name),
        };
        let members = members.into_iter().map(|(account, contact)| {
            let own = account == own_account;
            let devices = contact.iter().flat_map(|contact| &contact.devices);
            Member {
                account: account.to_string(),
                name: if own {
                    given(own_name)
                } else {
                    let known = contact.as_ref().and_then(|contact| given(&contact.name));
                    known.or_else(|| told.get(&account).and_then(|name| given(name)))
                },
                devices: if own {
                    vec![DeviceKey(own_device.0)]
                } else {
                    devices.map(|device| DeviceKey(device.0)).collect()
                },
                role: role_of(&chat.context, &account),
            }
        });
        Chat {
            chat: ChatId(chat.id.0),
            name,
            kind: match chat.context.kind {
                chat::ChatKind::OneToOne => ChatKind::OneToOne,
                chat::ChatKind::Group => ChatKind::Group,
            },
            members: members.collect(),
            state: if chat.requested {
                ChatState::Requested
            } else if chat.member {
                ChatState::Active
            } else {
                ChatState::Left
            },
            timer_s: chat.context.timer_s,
            unread: chat.unread,
            last_ms: Some(chat.last_ms),
            alias: chat.alias.as_ref().map(|alias| ChatAlias {
                account: alias.account.to_string(),
                name: given(&alias.name),
            }),
        }
    }
}

fn read(rows: &dyn Rows, chat: ChatView) -> Result<Read, RowsError> {
    let accounts: BTreeSet<_> = chat.accounts.iter().chain(&chat.peer).copied().collect();
    let mut members = Vec::new();
    for account in accounts {
        members.push((account, history::contact_in(rows, &chat.id, &account)?));
    }
    Ok(Read {
        name: chat_name(rows, &chat)?,
        told: history::profile_names(rows, &chat.id)?,
        members,
        chat,
    })
}

/// What people call a chat: a group's name, or the other's.
pub(super) fn chat_name(rows: &dyn Rows, chat: &ChatView) -> Result<Option<String>, RowsError> {
    match &chat.peer {
        Some(peer) => name_in(rows, &chat.id, peer),
        None => Ok(given(&chat.context.name)),
    }
}

/// Reads an account's short form.
pub(super) fn account(field: impl Into<Cow<'static, str>>, text: &str) -> ApiResult<keys::AccountId> {
    text.parse()
        .map_err(|error: keys::ParseIdError| ApiError::invalid(field, error))
}

/// Reads accounts, each named by its place.
pub(super) fn accounts(field: &'static str, list: &[String]) -> ApiResult<Vec<keys::AccountId>> {
    let read = |(place, text): (usize, &String)| {
        text.parse()
            .map_err(|error: keys::ParseIdError| ApiError::invalid(format!("{field}[{place}]"), error))
    };
    list.iter().enumerate().map(read).collect()
}

/// The protocol's word for a role.
pub(super) fn role_in(role: Role) -> chat::Role {
    match role {
        Role::Owner => chat::Role::Owner,
        Role::Admin => chat::Role::Admin,
        Role::Member => chat::Role::Member,
    }
}

fn role_of(context: &chat::ChatContext, account: &keys::AccountId) -> Option<Role> {
    (context.kind == chat::ChatKind::Group).then(|| match context.role(account) {
        chat::Role::Owner => Role::Owner,
        chat::Role::Admin => Role::Admin,
        chat::Role::Member => Role::Member,
    })
}
