//! A node in memory: fixed answers, and an event log that grows when told to.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use super::channels;

use crate::rpc::access::{Grant, Grants};
use crate::rpc::api::{Api, ApiResult};
use crate::rpc::error::ApiError;
use crate::rpc::params::*;
use crate::rpc::types::*;
use crate::rpc::webhooks::{Hook, Hooks, Outcome, Progress, WebhookMade, WebhookSetParams};

pub(super) const SECRET_WORD: &str = "abandon";
pub(super) const SECRET_INVITE: &str = "https://madang.example/i#secret-of-the-invite";

/// Bytes of the one upload.
pub(super) const CONTENT_BYTES: u64 = 2_500_000;

/// The epoch of the log.
pub(super) const EPOCH: EventEpoch = EventEpoch(0xe0);

pub(super) const SECRET_HOOK: &str = "whsec_c2VjcmV0LW9mLXRoZS13ZWJob29r";
pub(super) const SECRET_TOKEN: &str = "0badc0de";

/// The node.
pub(super) struct Fake {
    newest: watch::Sender<u64>,
    /// Bytes of each event's text.
    pub(super) text_len: AtomicUsize,
    /// Events that were handed out, to anyone.
    pub(super) handed: AtomicU64,
    /// Of what is read: always another.
    pub(super) version: AtomicU64,
    /// Events up to this one are about what is gone.
    pub(super) gone: AtomicU64,
    /// Calls of `node.info`.
    pub(super) infos: AtomicU64,
    pub(super) sent: Mutex<Vec<SendParams>>,
    pub(super) lists: Mutex<Vec<MessageListParams>>,
    /// What was written of the one upload.
    pub(super) content: Mutex<Vec<u8>>,
    pub(super) archived: Mutex<Vec<Archived>>,
    /// What `message.get` fails with.
    pub(super) failure: Mutex<Option<ApiError>>,
    pub(super) grants: watch::Sender<Arc<Grants>>,
    /// Apps that asked.
    pub(super) asked: Mutex<Vec<AppRequestParams>>,
    pub(super) hooks: watch::Sender<Arc<Hooks>>,
    pub(super) acks: Mutex<BTreeMap<Option<AppKey>, EventCursor>>,
}

impl Fake {
    pub(super) fn new() -> Self {
        Self {
            newest: watch::Sender::new(0),
            text_len: AtomicUsize::new(8),
            handed: AtomicU64::new(0),
            version: AtomicU64::new(0),
            gone: AtomicU64::new(0),
            infos: AtomicU64::new(0),
            sent: Mutex::default(),
            lists: Mutex::default(),
            content: Mutex::default(),
            archived: Mutex::default(),
            failure: Mutex::default(),
            grants: watch::Sender::new(Arc::default()),
            asked: Mutex::default(),
            hooks: watch::Sender::new(Arc::default()),
            acks: Mutex::default(),
        }
    }

    /// Lets the log grow by `count` events.
    pub(super) fn grow(&self, count: u64) {
        self.newest.send_modify(|newest| *newest += count);
    }

    /// How many long polls and subscriptions watch the log now.
    pub(super) fn watchers(&self) -> usize {
        self.newest.receiver_count()
    }

    /// The one chat, under the name that was asked for.
    async fn changed(&self, chat: ChatId) -> ApiResult<Chat> {
        let params = ListParams { after: None, limit: 1 };
        let one = self.chat_list(params).await?.items.into_iter().next();
        Ok(Chat {
            chat,
            ..one.ok_or(ApiError::NotFound { field: "chat" })?
        })
    }

    fn event(&self, cursor: u64) -> Event {
        let body = text("x".repeat(self.text_len.load(Ordering::Relaxed)));
        Event {
            cursor: EventCursor(cursor),
            epoch: EPOCH,
            what: EventKind::MessageReceived(Message { body, ..message() }),
        }
    }
}

pub(super) fn ledger() -> Ledger {
    Ledger {
        state: LedgerState::Held,
        reason: None,
        held: vec![Held {
            relay: RelayKey([4; 32]),
            until_ms: 9,
        }],
        delivered: vec![],
        read: vec![DeviceKey([2; 32])],
    }
}

pub(super) fn message() -> Message {
    Message {
        message: MessageId([1; 32]),
        chat: ChatId([3; 32]),
        account: "madang1alice".into(),
        name: None,
        device: DeviceKey([2; 32]),
        outgoing: false,
        sent_ms: 5,
        received_ms: 6,
        body: text("hi".into()),
        edited_ms: None,
        reactions: vec![],
        pinned: None,
        expires_after_s: None,
        ledger: None,
    }
}

pub(super) fn text(text: String) -> Body {
    Body::Text {
        text,
        reply_to: None,
        mentions: vec![],
    }
}

/// What is said of a message to which all was done.
pub(super) fn touched() -> Message {
    Message {
        edited_ms: Some(7),
        reactions: vec![Reaction {
            emoji: "👍".into(),
            accounts: vec!["madang1bob".into()],
        }],
        pinned: None,
        expires_after_s: Some(60),
        ..message()
    }
}

pub(super) fn app_token() -> AppToken {
    AppToken {
        app: AppKey([6; 32]),
        token: Secret(SECRET_TOKEN.into()),
    }
}

pub(super) fn app(key: AppKey) -> App {
    App {
        app: key,
        name: "shop".into(),
        icon: None,
        scopes: vec!["chat:read".parse().unwrap()],
        origin: None,
        state: AppState::Requested,
        parent: None,
        created_ms: 1,
        expires_ms: None,
        acknowledged: EventCursor(0),
    }
}

fn page<T>(items: Vec<T>) -> Page<T> {
    Page {
        items,
        next: Some("opaque".into()),
        prev: None,
    }
}

impl Api for Fake {
    async fn node_info(&self) -> ApiResult<NodeInfo> {
        self.infos.fetch_add(1, Ordering::Relaxed);
        Ok(NodeInfo {
            version: "0.1.0".into(),
            account: "madang1alice".into(),
            device: DeviceKey([2; 32]),
            peer: "12D3".into(),
            listen: vec!["/ip4/127.0.0.1/tcp/1".into()],
            relays: vec![RelayInfo {
                relay: RelayKey([4; 32]),
                address: "/ip4/127.0.0.1/tcp/2/p2p/12D3".into(),
                connected: true,
                state: RelayState::Demoted,
                reason: Some("denied".into()),
                since_ms: Some(8),
            }],
            uptime_ms: 10,
        })
    }

    async fn node_doctor(&self) -> ApiResult<Doctor> {
        Ok(Doctor {
            ok: false,
            checks: vec![Check {
                name: "relay".into(),
                ok: false,
                detail: "no relay is connected".into(),
                hint: Some("start one".into()),
            }],
            chats: vec![ChatHealth {
                chat: ChatId([3; 32]),
                name: None,
                path: Path::None,
                waiting: 2,
                reason: Some("no relay is connected".into()),
                gaps: 1,
            }],
        })
    }

    async fn relay_evidence(&self, params: EvidenceParams) -> ApiResult<Page<Evidence>> {
        let relay = params.relay.ok_or(ApiError::NotFound { field: "relay" })?;
        Ok(page(vec![Evidence {
            relay,
            reason: "denied".into(),
            found_ms: 9,
            answer: "it lacked one".into(),
            topic: Some("07".into()),
            envelope: Some("08".into()),
            until_ms: Some(10),
            receipts: vec!["81".into()],
            frame: "89".into(),
        }]))
    }

    async fn account_get(&self) -> ApiResult<AccountInfo> {
        Ok(AccountInfo {
            account: "madang1alice".into(),
            device: DeviceKey([2; 32]),
            name: Some("Alice".into()),
            phrase_confirmed: false,
        })
    }

    async fn account_phrase(&self) -> ApiResult<Phrase> {
        Ok(Phrase {
            words: vec![SECRET_WORD.into(), "zoo".into()],
        })
    }

    async fn account_confirm_phrase(&self) -> ApiResult<Done> {
        Ok(Done {})
    }

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

    async fn chat_uninvite(&self, params: AcceptParams) -> ApiResult<Done> {
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

    async fn message_send(&self, params: SendParams) -> ApiResult<Sent> {
        self.sent.lock().unwrap().push(params);
        Ok(Sent {
            message: MessageId([1; 32]),
            ledger: ledger(),
        })
    }

    async fn blob_put(&self, _: BlobPutParams) -> ApiResult<Written> {
        Ok(Written {
            upload: BlobId([5; 32]),
            written_bytes: 0,
            blob: None,
        })
    }

    async fn blob_write(&self, upload: BlobId, offset_bytes: u64, data: Vec<u8>) -> ApiResult<Written> {
        let mut content = self.content.lock().unwrap();
        if offset_bytes != content.len() as u64 {
            return Err(ApiError::invalid("offset_bytes", "is not where the upload goes on"));
        }
        if offset_bytes + data.len() as u64 > CONTENT_BYTES {
            return Err(ApiError::invalid("data", "is more than the upload was said to have"));
        }
        content.extend(data);
        Ok(Written {
            upload,
            written_bytes: content.len() as u64,
            blob: (content.len() as u64 == CONTENT_BYTES).then_some(BlobId([6; 32])),
        })
    }

    async fn blob_read(&self, _: BlobId, offset_bytes: u64, limit: usize) -> ApiResult<(u64, Vec<u8>)> {
        let content = self.content.lock().unwrap();
        let part = content
            .iter()
            .skip(offset_bytes as usize)
            .take(limit)
            .copied()
            .collect();
        Ok((content.len() as u64, part))
    }

    async fn blob_stat(&self, blob: BlobId) -> ApiResult<Blob> {
        Ok(Blob {
            blob: None,
            upload: Some(blob),
            state: BlobState::Sealing,
            length_bytes: CONTENT_BYTES,
            here_bytes: self.content.lock().unwrap().len() as u64,
            held: Vec::new(),
        })
    }

    async fn blob_fetch(&self, _: MessageParams) -> ApiResult<Blobs> {
        Ok(Blobs { items: Vec::new() })
    }

    async fn blob_cancel(&self, _: BlobId) -> ApiResult<Done> {
        Ok(Done {})
    }

    async fn message_edit(&self, params: EditParams) -> ApiResult<Message> {
        let body = Body::Text {
            text: params.text,
            reply_to: Some(params.message),
            mentions: params.mentions,
        };
        Ok(Message { body, ..touched() })
    }

    async fn message_delete(&self, _: MessageParams) -> ApiResult<Message> {
        Ok(Message {
            body: Body::Deleted,
            ..message()
        })
    }

    async fn message_react(&self, params: ReactParams) -> ApiResult<Message> {
        if params.remove {
            return Ok(message());
        }
        Ok(touched())
    }

    async fn message_pin(&self, _: MessageParams, remove: bool) -> ApiResult<Message> {
        let pinned = (!remove).then(|| Pinned {
            account: "madang1bob".into(),
            at_ms: 8,
        });
        Ok(Message { pinned, ..message() })
    }

    async fn channel_list(&self, _: ListParams) -> ApiResult<Page<Channel>> {
        Ok(page(vec![channels::channel(5), channels::channel(6)]))
    }

    async fn channel_get(&self, channel: ChannelId) -> ApiResult<Channel> {
        channels::known(channel)
    }

    async fn channel_create(&self, params: ChannelCreateParams) -> ApiResult<Channel> {
        Ok(Channel {
            name: params.name,
            ..channels::channel(5)
        })
    }

    async fn channel_update(&self, params: ChannelUpdateParams) -> ApiResult<Channel> {
        channels::known(params.channel)
    }

    async fn channel_follow(&self, params: FollowParams) -> ApiResult<Channel> {
        Ok(Channel {
            link: params.link,
            ..channels::channel(5)
        })
    }

    async fn channel_unfollow(&self, channel: ChannelId) -> ApiResult<Done> {
        channels::known(channel).map(|_| Done {})
    }

    async fn channel_mute(&self, params: MuteParams) -> ApiResult<Channel> {
        let muted = params.muted;
        Ok(Channel {
            muted,
            ..channels::known(params.channel)?
        })
    }

    async fn channel_block(&self, params: BlockParams) -> ApiResult<Done> {
        channels::known(params.channel).map(|_| Done {})
    }

    async fn channel_post(&self, params: ChannelPostParams) -> ApiResult<Posted> {
        channels::known(params.channel)?;
        Ok(Posted {
            post: PostId([8; 32]),
            planned: params.at_ms.is_some(),
        })
    }

    async fn channel_plans(&self, channel: ChannelId) -> ApiResult<Page<Plan>> {
        channels::known(channel)?;
        let body = PostBody::Text { text: "soon".into() };
        let post = PostId([8; 32]);
        Ok(page(vec![Plan { post, at_ms: 9, body }]))
    }

    async fn channel_unplan(&self, params: PostParams) -> ApiResult<Done> {
        channels::known(params.channel).map(|_| Done {})
    }

    async fn channel_edit(&self, params: ChannelEditParams) -> ApiResult<Posted> {
        channels::known(params.channel)?;
        let planned = false;
        Ok(Posted {
            post: params.post,
            planned,
        })
    }

    async fn channel_retract(&self, params: RetractParams) -> ApiResult<Posted> {
        channels::known(params.channel)?;
        let planned = false;
        Ok(Posted {
            post: params.post,
            planned,
        })
    }

    async fn channel_posts(&self, params: PostListParams) -> ApiResult<PostPage> {
        channels::known(params.channel)?;
        Ok(PostPage {
            items: vec![channels::post()],
            next: None,
            prev: Some("opaque".into()),
        })
    }

    async fn channel_fetch(&self, params: PostParams) -> ApiResult<Blobs> {
        channels::known(params.channel)?;
        Ok(Blobs { items: Vec::new() })
    }

    async fn channel_mark_read(&self, params: PostParams) -> ApiResult<Done> {
        channels::known(params.channel).map(|_| Done {})
    }

    async fn channel_evidence(&self, channel: ChannelId) -> ApiResult<Page<ChannelEvidence>> {
        channels::known(channel)?;
        Ok(page(vec![channels::evidence()]))
    }

    async fn channel_verify(&self, _: VerifyParams) -> ApiResult<ChannelEvidence> {
        Ok(channels::evidence())
    }

    async fn channel_terms(&self, params: TermsParams) -> ApiResult<Channel> {
        Ok(Channel {
            terms: Some(params.terms),
            ..channels::known(params.channel)?
        })
    }

    async fn channel_digest(&self, channel: ChannelId) -> ApiResult<Page<Post>> {
        channels::known(channel)?;
        Ok(page(vec![channels::post()]))
    }

    async fn channel_writer_key(&self, channel: ChannelId) -> ApiResult<WriterKeyMade> {
        channels::known(channel)?;
        Ok(WriterKeyMade {
            writer: WriterKey([6; 32]),
        })
    }

    async fn channel_certify(&self, params: CertifyParams) -> ApiResult<Certified> {
        channels::known(params.channel)?;
        Ok(Certified {
            certificate: "madang:writer?d=AAAA".into(),
        })
    }

    async fn channel_use_certificate(&self, _: UseCertificateParams) -> ApiResult<Channel> {
        Ok(channels::channel(5))
    }

    async fn channel_writers(&self, channel: ChannelId) -> ApiResult<Page<ChannelWriter>> {
        channels::known(channel)?;
        Ok(page(vec![ChannelWriter {
            writer: WriterKey([6; 32]),
            scopes: vec![WriterScope::Publish],
            categories: None,
            from_ms: 1,
            until_ms: 2,
            number: 0,
        }]))
    }

    async fn channel_revoke(&self, params: RevokeParams) -> ApiResult<Done> {
        channels::known(params.channel).map(|_| Done {})
    }

    async fn channel_recovery_key(&self, channel: ChannelId) -> ApiResult<RecoveryMade> {
        channels::known(channel)?;
        Ok(RecoveryMade {
            key: "madang:recovery?d=AAAA".into(),
        })
    }

    async fn channel_recover(&self, _: RecoverParams) -> ApiResult<Channel> {
        Ok(channels::channel(5))
    }

    async fn channel_vouch(&self, channel: ChannelId) -> ApiResult<(String, Vec<u8>)> {
        channels::known(channel)?;
        Ok(("shop.example".into(), vec![1, 2]))
    }

    async fn channel_prove(&self, channel: ChannelId, _: String, _: Vec<Vec<u8>>) -> ApiResult<Channel> {
        channels::known(channel)
    }

    async fn chat_pins(&self, params: ChatParams) -> ApiResult<Page<Message>> {
        let chat = params.chat;
        Ok(page(vec![Message { chat, ..message() }]))
    }

    async fn message_vote(&self, params: VoteParams) -> ApiResult<Message> {
        let option = |(at, text): (u8, &str)| PollOption {
            text: text.into(),
            accounts: params
                .choices
                .contains(&at)
                .then(|| "madang1bob".into())
                .into_iter()
                .collect(),
        };
        let body = Body::Poll {
            question: "when?".into(),
            options: [(0, "now"), (1, "later")].map(option).into(),
            multiple: false,
        };
        Ok(Message { body, ..message() })
    }

    async fn message_list(&self, params: MessageListParams) -> ApiResult<Page<Message>> {
        let count = usize::try_from(params.limit).unwrap();
        let text = "x".repeat(self.text_len.load(Ordering::Relaxed));
        self.lists.lock().unwrap().push(params);
        let body = self::text(text);
        Ok(page(vec![Message { body, ..message() }; count]))
    }

    async fn message_search(&self, params: SearchParams) -> ApiResult<SearchPage> {
        let hit = SearchHit {
            message: message(),
            snippet: format!("…{}", params.query),
            highlights: vec![Highlight {
                start_bytes: 3,
                length_bytes: params.query.len() as u64,
            }],
        };
        Ok(SearchPage {
            items: vec![hit],
            next: params.after,
            complete: true,
        })
    }

    async fn message_get(&self, _: MessageParams) -> ApiResult<Message> {
        if let Some(failure) = self.failure.lock().unwrap().clone() {
            return Err(failure);
        }
        let body = Body::Unknown {
            code: 99,
            fallback: "a sticker".into(),
        };
        Ok(Message {
            outgoing: true,
            body,
            ledger: Some(ledger()),
            ..message()
        })
    }

    async fn archive_import(&self, params: ArchiveImportParams) -> ApiResult<ArchiveImported> {
        let added = params.messages.len() as u64;
        self.archived.lock().unwrap().extend(params.messages);
        Ok(ArchiveImported {
            archive: ArchiveId([8; 32]),
            added,
        })
    }

    async fn archive_list(&self, _: ListParams) -> ApiResult<Page<Archive>> {
        Ok(page(vec![Archive {
            archive: ArchiveId([8; 32]),
            chat: ChatId([3; 32]),
            account: "madang1alice".into(),
            name: Some("garden".into()),
            exported_ms: 5,
            imported_ms: 6,
        }]))
    }

    async fn archive_messages(&self, _: ArchiveMessagesParams) -> ApiResult<Page<ArchiveItem>> {
        let found = self.archived.lock().unwrap().clone();
        let item = |archived| ArchiveItem {
            archived,
            highlights: vec![Highlight::from(1..3)],
        };
        Ok(page(found.into_iter().map(item).collect()))
    }

    async fn archive_remove(&self, _: ArchiveParams) -> ApiResult<Done> {
        Ok(Done {})
    }

    async fn message_mark_read(&self, _: MarkReadParams) -> ApiResult<Done> {
        Ok(Done {})
    }

    async fn event_poll(&self, after: Option<u64>, limit: u32, _: Option<&Vec<String>>) -> ApiResult<EventPage> {
        let newest = *self.newest.borrow();
        let after = after.unwrap_or(newest);
        let last = newest.min(after.saturating_add(limit.into()));
        let items: Vec<Event> = (after + 1..=last)
            .filter(|cursor| *cursor > self.gone.load(Ordering::Relaxed))
            .map(|cursor| self.event(cursor))
            .collect();
        self.handed
            .fetch_add(u64::try_from(items.len()).unwrap(), Ordering::Relaxed);
        Ok(EventPage {
            next: EventCursor(after.max(last)),
            epoch: EPOCH,
            items,
        })
    }

    fn version(&self) -> u64 {
        self.version.fetch_add(1, Ordering::Relaxed)
    }

    fn event_epoch(&self, _: u64) -> EventEpoch {
        EPOCH
    }

    async fn event_known(&self, cursor: u64, epoch: Option<EventEpoch>) -> ApiResult<u64> {
        let known = cursor <= *self.newest.borrow() && epoch.is_none_or(|epoch| epoch == EPOCH);
        Ok(if known { cursor } else { 0 })
    }

    fn grants(&self) -> watch::Receiver<Arc<Grants>> {
        self.grants.subscribe()
    }

    async fn app_request(&self, params: AppRequestParams) -> ApiResult<AppToken> {
        self.asked.lock().unwrap().push(params);
        Ok(app_token())
    }

    async fn app_list(&self, _: ListParams) -> ApiResult<Page<App>> {
        Ok(page(vec![app(AppKey([6; 32]))]))
    }

    async fn app_self(&self, key: AppKey) -> ApiResult<App> {
        Ok(app(key))
    }

    async fn app_approve(&self, params: AppApproveParams) -> ApiResult<App> {
        Ok(app(params.app))
    }

    async fn app_mint(&self, by: Arc<Grant>, params: AppMintParams) -> ApiResult<AppToken> {
        by.covers(&params.scopes).map_err(|scope| ApiError::ScopeMissing {
            scope: scope.to_string(),
        })?;
        Ok(app_token())
    }

    async fn app_revoke(&self, _: Arc<Grant>, _: AppKey) -> ApiResult<Done> {
        Ok(Done {})
    }

    fn webhooks(&self) -> watch::Receiver<Arc<Hooks>> {
        self.hooks.subscribe()
    }

    async fn webhook_set(&self, app: Option<AppKey>, params: WebhookSetParams) -> ApiResult<WebhookMade> {
        let hook = Hook {
            id: 5,
            url: params.url,
            filter: params.filter,
            secret: params.secret.unwrap_or(Secret(SECRET_HOOK.into())),
            cursor: params.after.unwrap_or_default(),
            progress: Progress::default(),
        };
        Ok(WebhookMade {
            webhook: hook.shown(app, false),
            secret: hook.secret,
        })
    }

    async fn webhook_remove(&self, _: Option<AppKey>) -> ApiResult<Done> {
        Ok(Done {})
    }

    async fn webhook_note(&self, _: Option<AppKey>, _: u64, _: Outcome) -> ApiResult<Option<u64>> {
        Ok(None)
    }

    async fn event_ack(&self, app: Option<AppKey>, params: AckParams) -> ApiResult<Done> {
        self.acks.lock().unwrap().insert(app, params.cursor);
        Ok(Done {})
    }

    async fn event_acknowledged(&self, app: Option<AppKey>) -> ApiResult<EventCursor> {
        Ok(self.acks.lock().unwrap().get(&app).copied().unwrap_or_default())
    }

    fn event_watch(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }
}
