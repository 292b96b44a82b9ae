//! The JSON-RPC's methods on the core: what changes goes to the owner, what is only read goes past it.

use std::sync::{Arc, Mutex, PoisonError};

use madang_protocol::client::history::{self, LedgerView, MessageView};
use madang_protocol::client::{Client, Command, Content, Reply, SettingsChange, evidence};
use madang_protocol::keys;
use madang_protocol::message::{Edit, Pin, Reaction, Vote};
use madang_protocol::rows::{Rows, RowsError};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use super::apps::{AppAsk, AppSaid, Apps};
use super::channels::verify;
use super::chats::{account, accounts, chat_name, role_in};
use super::engine::{Answer, Ask, Status};
use super::epochs::Epochs;
use super::media::{OneAtATime, one_at_a_time};
use super::relays::{proof, relay_check};
use super::show::{event, given, ledger, mentions, message, refusal};
use crate::clock::now_ms;
use crate::net::NetHandle;
use crate::rpc::access::{Grant, Grants};
use crate::rpc::api::{Api, ApiResult};
use crate::rpc::error::ApiError;
use crate::rpc::params::*;
use crate::rpc::types::*;
use crate::rpc::webhooks::{Hooks, Outcome, WebhookMade, WebhookSetParams};
use crate::store::StoreReader;

/// When to try again after the inbox was full, in milliseconds (guess: a few turns).
const RETRY_AFTER_MS: u64 = 250;

/// Stretches of the event log that one read looks at, at most (guess).
const STRETCHES: usize = 32;

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
        let changed = self.read(move |rows| history::message(rows, &id)).await?;
        changed.map(message).ok_or(missing)
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

impl Api for Facade {
    async fn node_info(&self) -> ApiResult<NodeInfo> {
        let status = self.status().await?;
        Ok(NodeInfo {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            account: self.account.to_string(),
            device: DeviceKey(self.device.0),
            peer: self.net.local().to_string(),
            listen: self.net.listen_addrs(),
            relays: status
                .relays
                .into_iter()
                .map(|relay| RelayInfo {
                    relay: RelayKey(relay.standing.relay.0),
                    address: relay.address,
                    connected: relay.connected,
                    state: match relay.standing.demoted_ms {
                        None => RelayState::Trusted,
                        Some(_) => RelayState::Demoted,
                    },
                    reason: relay.standing.reason().map(|fault| fault.name().to_owned()),
                    since_ms: relay.standing.demoted_ms,
                })
                .collect(),
            uptime_ms: u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX),
        })
    }

    async fn node_doctor(&self) -> ApiResult<Doctor> {
        let mut checks = vec![match self.read_only() {
            None => check("store", true, "takes writes", None),
            Some(reason) => check(
                "store",
                false,
                &reason,
                Some("free disk space or check the disk, then restart the node"),
            ),
        }];
        let listen = self.net.listen_addrs();
        checks.push(check(
            "listen",
            !listen.is_empty(),
            &listen.join(" "),
            listen.is_empty().then_some("give an address with --listen"),
        ));
        let status = match self.status().await {
            Ok(status) => status,
            Err(ApiError::ReadOnly { .. }) => Status::default(),
            Err(error) => return Err(error),
        };
        if status.relays.is_empty() {
            checks.push(check(
                "relay",
                true,
                "no relay is set: messages wait here until the other side is connected",
                Some("give one with --relay, so that messages reach people who are offline"),
            ));
        }
        let alone = status.relays.len() == 1;
        checks.extend(status.relays.iter().map(|relay| relay_check(relay, alone)));
        let chats = self
            .read(|rows| {
                history::chats(rows)?
                    .into_iter()
                    .map(|chat| {
                        let open = |gap: &history::GapView| gap.state == madang_protocol::client::GapState::Open;
                        let gaps = history::gaps(rows, &chat.id)?.iter().filter(|gap| open(gap)).count() as u64;
                        let waiting = history::waiting(rows, &chat.id)?;
                        Ok((chat_name(rows, &chat)?, waiting, gaps, chat))
                    })
                    .collect::<Result<Vec<_>, RowsError>>()
            })
            .await?;
        let chats = chats
            .into_iter()
            .map(|(name, waiting, gaps, chat)| {
                let path = match status.paths.get(&chat.id) {
                    Some((true, _)) => Path::Direct,
                    Some((false, true)) => Path::Relay,
                    _ => Path::None,
                };
                let reason = match (waiting, path) {
                    (0, _) => None,
                    (_, Path::None) => Some("neither a relay nor a device of the contact is connected".to_owned()),
                    (_, _) if chat.requested => Some("the contact has not approved the request yet".to_owned()),
                    _ => Some("the contact's devices have not confirmed yet".to_owned()),
                };
                ChatHealth {
                    chat: ChatId(chat.id.0),
                    name,
                    path,
                    waiting,
                    reason,
                    gaps,
                }
            })
            .collect();
        Ok(Doctor {
            ok: checks.iter().all(|check| check.ok),
            checks,
            chats,
        })
    }

    async fn relay_evidence(&self, params: EvidenceParams) -> ApiResult<Page<Evidence>> {
        let relay = params.relay.map(|relay| keys::TransportKey(relay.0));
        let found = self.read(move |rows| evidence(rows, relay.as_ref())).await?;
        Ok(Page {
            items: found.into_iter().map(proof).collect(),
            next: None,
            prev: None,
        })
    }

    async fn account_get(&self) -> ApiResult<AccountInfo> {
        let status = self.status().await?;
        Ok(AccountInfo {
            account: self.account.to_string(),
            device: DeviceKey(self.device.0),
            name: given(&status.name),
            phrase_confirmed: status.phrase_confirmed,
        })
    }

    async fn account_phrase(&self) -> ApiResult<Phrase> {
        let phrase = self.ask(Ask::Phrase).await?.ok_or(ApiError::PhraseErased)?;
        let words = phrase.words().map_err(|error| ApiError::Internal {
            reason: error.to_string(),
        })?;
        Ok(Phrase {
            words: words.split(' ').map(str::to_owned).collect(),
        })
    }

    async fn account_confirm_phrase(&self) -> ApiResult<Done> {
        self.command(Command::ConfirmPhrase).await?;
        Ok(Done {})
    }

    async fn contact_invite(&self, params: InviteParams) -> ApiResult<Invite> {
        let command = Command::Invite {
            multi_use: params.multi_use,
            expires_in_s: params.expires_in_s,
        };
        self.invited(command).await
    }

    async fn contact_accept(&self, params: AcceptParams) -> ApiResult<ChatRef> {
        let reply = self.command(Command::Accept { link: params.invite }).await;
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

    async fn chat_uninvite(&self, params: AcceptParams) -> ApiResult<Done> {
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

    async fn blob_put(&self, params: BlobPutParams) -> ApiResult<Written> {
        self.put_file(params.length_bytes, params.strip_metadata).await
    }

    async fn blob_write(&self, upload: BlobId, offset_bytes: u64, data: Vec<u8>) -> ApiResult<Written> {
        self.take_file(upload, offset_bytes, data).await
    }

    async fn blob_read(&self, blob: BlobId, offset_bytes: u64, limit: usize) -> ApiResult<(u64, Vec<u8>)> {
        self.read_file(blob, offset_bytes, limit).await
    }

    async fn blob_stat(&self, blob: BlobId) -> ApiResult<Blob> {
        self.stat_file(blob).await
    }

    async fn blob_fetch(&self, params: MessageParams) -> ApiResult<Blobs> {
        self.fetch_files(params.message).await
    }

    async fn blob_cancel(&self, blob: BlobId) -> ApiResult<Done> {
        self.cancel_file(blob).await?;
        Ok(Done {})
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
                Ok(Some((found, after.is_some())))
            })
            .await?;
        let (mut found, forward) = found.ok_or(ApiError::NotFound { field: "chat" })?;
        let more = found.len() > limit;
        if more && forward {
            found.truncate(limit);
        } else if more {
            found.remove(0);
        }
        let key = |row: Option<&(Vec<u8>, MessageView)>| row.map(|(key, _)| hex::encode(key));
        Ok(Page {
            next: key(found.last()).filter(|_| more && forward || from_middle),
            prev: key(found.first()).filter(|_| more || forward),
            items: found.into_iter().map(|(_, view)| message(view)).collect(),
        })
    }

    async fn message_search(&self, params: SearchParams) -> ApiResult<SearchPage> {
        self.search(params).await
    }

    async fn message_get(&self, params: MessageParams) -> ApiResult<Message> {
        let id = keys::MessageId(params.message.0);
        let found = self.read(move |rows| history::message(rows, &id)).await?;
        found.map(message).ok_or(ApiError::NotFound { field: "message" })
    }

    async fn chat_typing(&self, params: ChatTypingParams) -> ApiResult<Done> {
        let command = Command::Type {
            chat: keys::ChatId(params.chat.0),
            active: params.active,
        };
        self.command(command).await?;
        Ok(Done {})
    }

    async fn channel_list(&self, params: ListParams) -> ApiResult<Page<Channel>> {
        let items = self.channels().await?.into_iter();
        page(items.map(|channel| (channel.channel.0, channel)), &params)
    }

    async fn channel_get(&self, channel: ChannelId) -> ApiResult<Channel> {
        self.channel(channel).await
    }

    async fn channel_create(&self, params: ChannelCreateParams) -> ApiResult<Channel> {
        self.make_channel(params).await
    }

    async fn channel_update(&self, params: ChannelUpdateParams) -> ApiResult<Channel> {
        self.change_channel(params).await
    }

    async fn channel_follow(&self, params: FollowParams) -> ApiResult<Channel> {
        self.follow(params.link).await
    }

    async fn channel_unfollow(&self, channel: ChannelId) -> ApiResult<Done> {
        self.unfollow(channel).await
    }

    async fn channel_mute(&self, params: MuteParams) -> ApiResult<Channel> {
        self.mute(params).await
    }

    async fn channel_block(&self, params: BlockParams) -> ApiResult<Done> {
        self.block(params).await
    }

    async fn channel_post(&self, params: ChannelPostParams) -> ApiResult<Posted> {
        self.post(params).await
    }

    async fn channel_plans(&self, channel: ChannelId) -> ApiResult<Page<Plan>> {
        self.plans(channel).await
    }

    async fn channel_unplan(&self, params: PostParams) -> ApiResult<Done> {
        self.unplan(params).await
    }

    async fn channel_edit(&self, params: ChannelEditParams) -> ApiResult<Posted> {
        self.edit_post(params).await
    }

    async fn channel_retract(&self, params: RetractParams) -> ApiResult<Posted> {
        self.retract_post(params).await
    }

    async fn channel_posts(&self, params: PostListParams) -> ApiResult<PostPage> {
        self.posts(params).await
    }

    async fn channel_fetch(&self, params: PostParams) -> ApiResult<Blobs> {
        self.fetch_post(params).await
    }

    async fn channel_mark_read(&self, params: PostParams) -> ApiResult<Done> {
        self.mark_posts_read(params).await
    }

    async fn channel_evidence(&self, channel: ChannelId) -> ApiResult<Page<ChannelEvidence>> {
        self.channel_proofs(channel).await
    }

    async fn channel_verify(&self, params: VerifyParams) -> ApiResult<ChannelEvidence> {
        verify(&params)
    }

    async fn channel_terms(&self, params: TermsParams) -> ApiResult<Channel> {
        self.set_terms(params).await
    }

    async fn channel_digest(&self, channel: ChannelId) -> ApiResult<Page<Post>> {
        self.open_digest(channel).await
    }

    async fn channel_writer_key(&self, channel: ChannelId) -> ApiResult<WriterKeyMade> {
        self.writer_key(channel).await
    }

    async fn channel_certify(&self, params: CertifyParams) -> ApiResult<Certified> {
        self.certify(params).await
    }

    async fn channel_use_certificate(&self, params: UseCertificateParams) -> ApiResult<Channel> {
        self.use_certificate(params.certificate).await
    }

    async fn channel_writers(&self, channel: ChannelId) -> ApiResult<Page<ChannelWriter>> {
        self.writers(channel).await
    }

    async fn channel_revoke(&self, params: RevokeParams) -> ApiResult<Done> {
        self.revoke(params).await
    }

    async fn channel_recovery_key(&self, channel: ChannelId) -> ApiResult<RecoveryMade> {
        self.recovery_key(channel).await
    }

    async fn channel_recover(&self, params: RecoverParams) -> ApiResult<Channel> {
        self.recover(params.key).await
    }

    async fn channel_vouch(&self, channel: ChannelId) -> ApiResult<(String, Vec<u8>)> {
        self.vouch(channel).await
    }

    async fn channel_prove(&self, channel: ChannelId, domain: String, vouches: Vec<Vec<u8>>) -> ApiResult<Channel> {
        self.prove(channel, domain, vouches).await
    }

    async fn archive_import(&self, params: ArchiveImportParams) -> ApiResult<ArchiveImported> {
        self.import(params).await
    }

    async fn archive_list(&self, params: ListParams) -> ApiResult<Page<Archive>> {
        let items = self.archives().await?.into_iter();
        page(items.map(|archive| (archive.archive.0, archive)), &params)
    }

    async fn archive_messages(&self, params: ArchiveMessagesParams) -> ApiResult<Page<ArchiveItem>> {
        self.archive_page(params).await
    }

    async fn archive_remove(&self, params: ArchiveParams) -> ApiResult<Done> {
        self.remove_archive(params).await
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

    async fn event_poll(&self, after: Option<u64>, limit: u32, kinds: Option<&Vec<String>>) -> ApiResult<EventPage> {
        let after = after.unwrap_or_else(|| *self.newest.borrow());
        let epochs = Arc::clone(&self.epochs);
        let (kinds, limit) = (kinds.cloned(), limit as usize);
        self.read(move |rows| {
            let wanted = |name: &str| kinds.as_ref().is_none_or(|kinds| kinds.iter().any(|kind| kind == name));
            let (mut items, mut next) = (Vec::new(), after);
            let add = |items: &mut Vec<Event>, cursor, what| {
                items.push(Event {
                    cursor: EventCursor(cursor),
                    epoch: epochs.of(cursor),
                    what,
                });
            };
            let mut lookup = history::Lookup::new(rows);
            // Where little is wanted, more is looked at.
            'stretches: for _ in 0..STRETCHES {
                let read = history::events(rows, next, limit)?;
                if let Some((from, to)) = read.missing {
                    let reason = GapReason::Pruned;
                    let (from, last) = (EventCursor(from), EventCursor(to));
                    add(&mut items, to, EventKind::Gap { from, to: last, reason });
                }
                let looked_at = read.events.len() + usize::from(read.missing.is_some());
                for (cursor, row) in read.events {
                    if items.len() >= limit {
                        break 'stretches;
                    }
                    next = cursor;
                    if let Some(what) = event(&mut lookup, row, wanted)? {
                        add(&mut items, cursor, what);
                    }
                }
                next = read.next;
                if items.len() >= limit || looked_at < limit {
                    break;
                }
            }
            Ok(EventPage {
                items,
                next: EventCursor(next),
                epoch: epochs.of(next),
            })
        })
        .await
    }

    fn version(&self) -> u64 {
        self.store.version()
    }

    fn event_epoch(&self, cursor: u64) -> EventEpoch {
        self.epochs.of(cursor)
    }

    async fn event_known(&self, cursor: u64, epoch: Option<EventEpoch>) -> ApiResult<u64> {
        let mut newest = *self.newest.borrow();
        if cursor > newest {
            // An event can be read a moment before it is announced.
            newest = self.read(|rows| history::newest_event(rows)).await?;
        }
        Ok(self.epochs.known(cursor, epoch, newest))
    }

    fn event_watch(&self) -> watch::Receiver<u64> {
        self.newest()
    }

    fn grants(&self) -> watch::Receiver<Arc<Grants>> {
        self.grants.clone()
    }

    async fn app_request(&self, params: AppRequestParams) -> ApiResult<AppToken> {
        self.token(AppAsk::Request(params)).await
    }

    async fn app_list(&self, params: ListParams) -> ApiResult<Page<App>> {
        let all = self.read(|rows| Ok(Apps::load(rows)?.list(now_ms()))).await?;
        page(all.into_iter().map(|app| (app.app.0, app)), &params)
    }

    async fn app_self(&self, app: AppKey) -> ApiResult<App> {
        let all = self.read(|rows| Ok(Apps::load(rows)?.list(now_ms()))).await?;
        let own = all.into_iter().find(|known| known.app == app);
        own.ok_or(ApiError::TokenEnded)
    }

    async fn app_approve(&self, params: AppApproveParams) -> ApiResult<App> {
        match self.ask_apps(AppAsk::Approve(params)).await? {
            AppSaid::App(app) => Ok(*app),
            _ => Err(other_said()),
        }
    }

    async fn app_mint(&self, by: Arc<Grant>, params: AppMintParams) -> ApiResult<AppToken> {
        self.token(AppAsk::Mint(by, params)).await
    }

    async fn app_revoke(&self, by: Arc<Grant>, app: AppKey) -> ApiResult<Done> {
        self.ask_apps(AppAsk::Revoke(by, app)).await?;
        Ok(Done {})
    }

    async fn event_ack(&self, app: Option<AppKey>, params: AckParams) -> ApiResult<Done> {
        if self.event_known(params.cursor.0, params.epoch).await? < params.cursor.0 {
            return Err(ApiError::invalid("cursor", "is of no event of this log"));
        }
        self.ask_apps(AppAsk::Ack(app, params.cursor)).await?;
        Ok(Done {})
    }

    fn webhooks(&self) -> watch::Receiver<Arc<Hooks>> {
        self.hooks.clone()
    }

    async fn webhook_set(&self, app: Option<AppKey>, params: WebhookSetParams) -> ApiResult<WebhookMade> {
        match self.ask_apps(AppAsk::SetHook(app, params)).await? {
            AppSaid::Hook(made) => Ok(*made),
            _ => Err(other_said()),
        }
    }

    async fn webhook_remove(&self, app: Option<AppKey>) -> ApiResult<Done> {
        self.ask_apps(AppAsk::RemoveHook(app)).await?;
        Ok(Done {})
    }

    async fn webhook_note(&self, app: Option<AppKey>, id: u64, outcome: Outcome) -> ApiResult<Option<u64>> {
        match self.ask_apps(AppAsk::NoteHook(app, id, outcome)).await? {
            AppSaid::NextTry(next_try) => Ok(next_try),
            _ => Err(other_said()),
        }
    }

    async fn event_acknowledged(&self, app: Option<AppKey>) -> ApiResult<EventCursor> {
        self.read(move |rows| Ok(Apps::load(rows)?.acknowledged(app))).await
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

pub(super) fn name_of(rows: &dyn Rows, account: &keys::AccountId) -> Result<Option<String>, RowsError> {
    Ok(history::contact(rows, account)?.and_then(|contact| given(&contact.name)))
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
