//! What the JSON-RPC needs of the node: one function for each method, typed. The core implements it.

use std::future::Future;
use std::sync::Arc;

use tokio::sync::watch;

use super::access::{Grant, Grants};
use super::directory::{ChannelSearchParams, EnlistParams, FoundChannels};
use super::error::ApiError;
use super::figures::{ChannelFigures, ChannelFiguresParams};
use super::params::*;
use super::polls::ChannelVoteParams;
use super::reports::{ReportParams, ReportSent};
use super::types::*;
use super::webhooks::{Hooks, Outcome, WebhookMade, WebhookSetParams};

/// What a method gives.
pub type ApiResult<T> = Result<T, ApiError>;

/// The node as the JSON-RPC sees it, by namespace.
///
/// A future may be dropped at any point (the caller went away); what it has already handed to its owner still takes place.
pub trait Api:
    NodeApi + ContactApi + ChatApi + MessageApi + BlobApi + ChannelApi + ArchiveApi + EventApi + AppApi + ShareApi
{
}

impl<A> Api for A where
    A: NodeApi + ContactApi + ChatApi + MessageApi + BlobApi + ChannelApi + ArchiveApi + EventApi + AppApi + ShareApi
{
}

/// The node itself, its account, and what it knows of relays.
pub trait NodeApi: Send + Sync + 'static {
    /// `node.info`.
    fn node_info(&self) -> impl Future<Output = ApiResult<NodeInfo>> + Send;

    /// `node.doctor`.
    fn node_doctor(&self) -> impl Future<Output = ApiResult<Doctor>> + Send;

    /// `relay.evidence`.
    fn relay_evidence(&self, params: EvidenceParams) -> impl Future<Output = ApiResult<Page<Evidence>>> + Send;

    /// `account.get`.
    fn account_get(&self) -> impl Future<Output = ApiResult<AccountInfo>> + Send;

    /// `account.phrase`: fails with [`ApiError::PhraseErased`] once confirmed.
    fn account_phrase(&self) -> impl Future<Output = ApiResult<Phrase>> + Send;

    /// `account.confirm_phrase`: erases the root key; does nothing when it is gone already.
    fn account_confirm_phrase(&self) -> impl Future<Output = ApiResult<Done>> + Send;
}

/// Contacts, and how they come about.
pub trait ContactApi: Send + Sync + 'static {
    /// `contact.invite`.
    fn contact_invite(&self, params: InviteParams) -> impl Future<Output = ApiResult<Invite>> + Send;

    /// `contact.accept`: waits up to 20 s for the inviter's card.
    fn contact_accept(&self, params: AcceptParams) -> impl Future<Output = ApiResult<ChatRef>> + Send;

    /// `contact.requests`.
    fn contact_requests(&self, params: ListParams) -> impl Future<Output = ApiResult<Page<ContactRequest>>> + Send;

    /// `contact.approve`.
    fn contact_approve(&self, params: ApproveParams) -> impl Future<Output = ApiResult<ChatRef>> + Send;

    /// `contact.decline`: drops a request; whoever asked isn't told.
    fn contact_decline(&self, params: ApproveParams) -> impl Future<Output = ApiResult<Done>> + Send;

    /// `contact.list`.
    fn contact_list(&self, params: ListParams) -> impl Future<Output = ApiResult<Page<Contact>>> + Send;
}

/// Chats: who is in them, and how they are set.
pub trait ChatApi: Send + Sync + 'static {
    /// `chat.list`.
    fn chat_list(&self, params: ListParams) -> impl Future<Output = ApiResult<Page<Chat>>> + Send;

    /// `chat.get`.
    fn chat_get(&self, params: ChatParams) -> impl Future<Output = ApiResult<ChatDetails>> + Send;

    /// `chat.members`.
    fn chat_members(&self, params: ChatParams) -> impl Future<Output = ApiResult<Members>> + Send;

    /// `chat.gaps`: what is missing of others' messages.
    fn chat_gaps(&self, params: ChatParams) -> impl Future<Output = ApiResult<Gaps>> + Send;

    /// `chat.pins`.
    fn chat_pins(&self, params: ChatParams) -> impl Future<Output = ApiResult<Page<Message>>> + Send;

    /// `chat.create`: makes a group of contacts.
    fn chat_create(&self, params: ChatCreateParams) -> impl Future<Output = ApiResult<ChatRef>> + Send;

    /// `chat.add`: answers once the change is durable here; if another change wins, it is made again by itself.
    fn chat_add(&self, params: ChatMembersParams) -> impl Future<Output = ApiResult<Chat>> + Send;

    /// `chat.remove`.
    fn chat_remove(&self, params: ChatMembersParams) -> impl Future<Output = ApiResult<Chat>> + Send;

    /// `chat.leave`: the others are asked to remove this account.
    fn chat_leave(&self, params: ChatParams) -> impl Future<Output = ApiResult<Chat>> + Send;

    /// `chat.invite`: makes an invite link of a group.
    fn chat_invite(&self, params: ChatInviteParams) -> impl Future<Output = ApiResult<Invite>> + Send;

    /// `chat.invites`: this account's open links of a group.
    fn chat_invites(&self, params: ChatParams) -> impl Future<Output = ApiResult<GroupInvites>> + Send;

    /// `chat.uninvite`: takes a link back.
    fn chat_uninvite(&self, params: UninviteParams) -> impl Future<Output = ApiResult<Done>> + Send;

    /// `chat.typing`: tells whoever is connected, seldom.
    fn chat_typing(&self, params: ChatTypingParams) -> impl Future<Output = ApiResult<Done>> + Send;

    /// `chat.update`.
    fn chat_update(&self, params: ChatUpdateParams) -> impl Future<Output = ApiResult<Chat>> + Send;

    /// `chat.roles`.
    fn chat_roles(&self, params: ChatRoleParams) -> impl Future<Output = ApiResult<Chat>> + Send;
}

/// Messages.
pub trait MessageApi: Send + Sync + 'static {
    /// `message.send`: answers when the message is durable.
    fn message_send(&self, params: SendParams) -> impl Future<Output = ApiResult<Sent>> + Send;

    /// `message.edit`: answers with the message once the change is durable.
    fn message_edit(&self, params: EditParams) -> impl Future<Output = ApiResult<Message>> + Send;

    /// `message.delete`.
    fn message_delete(&self, params: MessageParams) -> impl Future<Output = ApiResult<Message>> + Send;

    /// `message.react`.
    fn message_react(&self, params: ReactParams) -> impl Future<Output = ApiResult<Message>> + Send;

    /// `message.pin` and `message.unpin`.
    fn message_pin(&self, params: MessageParams, remove: bool) -> impl Future<Output = ApiResult<Message>> + Send;

    /// `message.vote`.
    fn message_vote(&self, params: VoteParams) -> impl Future<Output = ApiResult<Message>> + Send;

    /// `message.list`.
    fn message_list(&self, params: MessageListParams) -> impl Future<Output = ApiResult<Page<Message>>> + Send;

    /// `message.search`.
    fn message_search(&self, params: SearchParams) -> impl Future<Output = ApiResult<SearchPage>> + Send;

    /// `message.get`.
    fn message_get(&self, params: MessageParams) -> impl Future<Output = ApiResult<Message>> + Send;

    /// `message.mark_read`.
    fn message_mark_read(&self, params: MarkReadParams) -> impl Future<Output = ApiResult<Done>> + Send;
}

/// Contents of files.
pub trait BlobApi: Send + Sync + 'static {
    /// `blob.put`: begins an upload.
    fn blob_put(&self, params: BlobPutParams) -> impl Future<Output = ApiResult<Written>> + Send;

    /// `blob.write`: answers once the part is sealed and on disk.
    fn blob_write(
        &self,
        upload: BlobId,
        offset_bytes: u64,
        data: Vec<u8>,
    ) -> impl Future<Output = ApiResult<Written>> + Send;

    /// Reads at most `limit` bytes of a content that is here whole; gives its length too.
    fn blob_read(
        &self,
        blob: BlobId,
        offset_bytes: u64,
        limit: usize,
    ) -> impl Future<Output = ApiResult<(u64, Vec<u8>)>> + Send;

    /// `blob.stat`.
    fn blob_stat(&self, blob: BlobId) -> impl Future<Output = ApiResult<Blob>> + Send;

    /// `blob.fetch`: begins, and doesn't wait.
    fn blob_fetch(&self, params: MessageParams) -> impl Future<Output = ApiResult<Blobs>> + Send;

    /// `blob.cancel`.
    fn blob_cancel(&self, blob: BlobId) -> impl Future<Output = ApiResult<Done>> + Send;
}

/// Channels: those that are followed and own ones.
pub trait ChannelApi: Send + Sync + 'static {
    /// `channel.list`.
    fn channel_list(&self, params: ListParams) -> impl Future<Output = ApiResult<Page<Channel>>> + Send;

    /// `channel.get`.
    fn channel_get(&self, channel: ChannelId) -> impl Future<Output = ApiResult<Channel>> + Send;

    /// `channel.create`.
    fn channel_create(&self, params: ChannelCreateParams) -> impl Future<Output = ApiResult<Channel>> + Send;

    /// `channel.update`.
    fn channel_update(&self, params: ChannelUpdateParams) -> impl Future<Output = ApiResult<Channel>> + Send;

    /// `channel.follow`.
    fn channel_follow(&self, params: FollowParams) -> impl Future<Output = ApiResult<Channel>> + Send;

    /// `channel.via`.
    fn channel_via(&self, params: ViaParams) -> impl Future<Output = ApiResult<Channel>> + Send;

    /// `channel.unfollow`.
    fn channel_unfollow(&self, channel: ChannelId) -> impl Future<Output = ApiResult<Done>> + Send;

    /// `channel.mute`.
    fn channel_mute(&self, params: MuteParams) -> impl Future<Output = ApiResult<Channel>> + Send;

    /// `channel.block`.
    fn channel_block(&self, params: BlockParams) -> impl Future<Output = ApiResult<Done>> + Send;

    /// What a follower would see of a post.
    fn channel_preview(&self, params: ChannelPreviewParams) -> impl Future<Output = ApiResult<Post>> + Send;
    /// `channel.post`.
    fn channel_post(&self, params: ChannelPostParams) -> impl Future<Output = ApiResult<Posted>> + Send;

    /// `channel.plans`.
    fn channel_plans(&self, channel: ChannelId) -> impl Future<Output = ApiResult<Page<Plan>>> + Send;

    /// `channel.unplan`.
    fn channel_unplan(&self, params: PostParams) -> impl Future<Output = ApiResult<Done>> + Send;

    /// `channel.edit`.
    fn channel_edit(&self, params: ChannelEditParams) -> impl Future<Output = ApiResult<Posted>> + Send;

    /// `channel.retract`.
    fn channel_retract(&self, params: RetractParams) -> impl Future<Output = ApiResult<Posted>> + Send;

    /// `channel.posts`.
    fn channel_posts(&self, params: PostListParams) -> impl Future<Output = ApiResult<PostPage>> + Send;

    /// `channel.fetch`: begins, and doesn't wait.
    fn channel_fetch(&self, params: PostParams) -> impl Future<Output = ApiResult<Blobs>> + Send;

    /// `channel.mark_read`.
    fn channel_mark_read(&self, params: PostParams) -> impl Future<Output = ApiResult<Done>> + Send;

    /// `channel.evidence`.
    fn channel_evidence(&self, channel: ChannelId) -> impl Future<Output = ApiResult<Page<ChannelEvidence>>> + Send;

    /// `channel.verify`.
    fn channel_verify(&self, params: VerifyParams) -> impl Future<Output = ApiResult<ChannelEvidence>> + Send;

    /// `channel.terms`.
    fn channel_terms(&self, params: TermsParams) -> impl Future<Output = ApiResult<Channel>> + Send;

    /// `channel.digest`.
    fn channel_digest(&self, channel: ChannelId) -> impl Future<Output = ApiResult<Page<Post>>> + Send;

    /// `channel.vote`.
    fn channel_vote(&self, params: ChannelVoteParams) -> impl Future<Output = ApiResult<Post>> + Send;

    /// `channel.report`.
    fn channel_report(&self, params: ReportParams) -> impl Future<Output = ApiResult<ReportSent>> + Send;

    /// `channel.figures`.
    fn channel_figures(&self, params: ChannelFiguresParams) -> impl Future<Output = ApiResult<ChannelFigures>> + Send;

    /// `channel.publish_result`.
    fn channel_publish_result(&self, params: PostParams) -> impl Future<Output = ApiResult<Post>> + Send;

    /// `channel.writer_key`.
    fn channel_writer_key(&self, channel: ChannelId) -> impl Future<Output = ApiResult<WriterKeyMade>> + Send;

    /// `channel.certify`.
    fn channel_certify(&self, params: CertifyParams) -> impl Future<Output = ApiResult<Certified>> + Send;

    /// `channel.use_certificate`.
    fn channel_use_certificate(&self, params: UseCertificateParams) -> impl Future<Output = ApiResult<Channel>> + Send;

    /// `channel.writers`.
    fn channel_writers(&self, channel: ChannelId) -> impl Future<Output = ApiResult<Page<ChannelWriter>>> + Send;

    /// `channel.revoke`.
    fn channel_revoke(&self, params: RevokeParams) -> impl Future<Output = ApiResult<Done>> + Send;

    /// `channel.recovery_key`.
    fn channel_recovery_key(&self, channel: ChannelId) -> impl Future<Output = ApiResult<RecoveryMade>> + Send;

    /// `channel.recover`.
    fn channel_recover(&self, params: RecoverParams) -> impl Future<Output = ApiResult<Channel>> + Send;

    /// `channel.enlist`.
    fn channel_enlist(&self, params: EnlistParams) -> impl Future<Output = ApiResult<Channel>> + Send;

    /// `channel.search`.
    fn channel_search(&self, params: ChannelSearchParams) -> impl Future<Output = ApiResult<FoundChannels>> + Send;

    /// For `channel.vouch`: the domain that an own channel names, and its root's word for it.
    fn channel_vouch(&self, channel: ChannelId) -> impl Future<Output = ApiResult<(String, Vec<u8>)>> + Send;

    /// For `channel.prove`: what a domain publishes.
    fn channel_prove(
        &self,
        channel: ChannelId,
        domain: String,
        vouches: Vec<Vec<u8>>,
    ) -> impl Future<Output = ApiResult<Channel>> + Send;
}

/// Imported messages.
pub trait ArchiveApi: Send + Sync + 'static {
    /// `archive.add`.
    fn archive_import(&self, params: ArchiveImportParams) -> impl Future<Output = ApiResult<ArchiveImported>> + Send;

    /// `archive.list`.
    fn archive_list(&self, params: ListParams) -> impl Future<Output = ApiResult<Page<Archive>>> + Send;

    /// `archive.messages`.
    fn archive_messages(
        &self,
        params: ArchiveMessagesParams,
    ) -> impl Future<Output = ApiResult<Page<ArchiveItem>>> + Send;

    /// `archive.remove`.
    fn archive_remove(&self, params: ArchiveParams) -> impl Future<Output = ApiResult<Done>> + Send;
}

/// The event log.
pub trait EventApi: Send + Sync + 'static {
    /// Reads at most `limit` durable events with a cursor above `after` (the newest cursor if absent), in order, and never waits.
    ///
    /// Where the log was pruned above `after`, the first item is a `gap`. Of other kinds than `kinds` there may be some or none. At the
    /// log's end `next` is `after`.
    fn event_poll(
        &self,
        after: Option<u64>,
        limit: u32,
        kinds: Option<&Vec<String>>,
    ) -> impl Future<Output = ApiResult<EventPage>> + Send;

    /// Changes whenever what is read may have.
    fn version(&self) -> u64;

    /// The epoch of an event.
    fn event_epoch(&self, cursor: u64) -> EventEpoch;

    /// How far a reader has read in this log, if the last event that it read was `cursor` of `epoch`.
    fn event_known(&self, cursor: u64, epoch: Option<EventEpoch>) -> impl Future<Output = ApiResult<u64>> + Send;

    /// `event.ack`; no app is the owner.
    fn event_ack(&self, app: Option<AppKey>, params: AckParams) -> impl Future<Output = ApiResult<Done>> + Send;

    /// The last event that an app has acknowledged; 0 if none.
    fn event_acknowledged(&self, app: Option<AppKey>) -> impl Future<Output = ApiResult<EventCursor>> + Send;

    /// Gives the newest durable cursor and its changes; 0 while the log is empty. The sender is dropped when the core ends.
    fn event_watch(&self) -> watch::Receiver<u64>;
}

/// Apps, what their tokens allow, and their webhooks.
pub trait AppApi: Send + Sync + 'static {
    /// What the tokens of apps allow, and its changes.
    fn grants(&self) -> watch::Receiver<Arc<Grants>>;

    /// `app.request`: the token works once the user has approved.
    fn app_request(&self, params: AppRequestParams) -> impl Future<Output = ApiResult<AppToken>> + Send;

    /// `app.list`.
    fn app_list(&self, params: ListParams) -> impl Future<Output = ApiResult<Page<App>>> + Send;

    /// `app.self`.
    fn app_self(&self, app: AppKey) -> impl Future<Output = ApiResult<App>> + Send;

    /// `app.handle`: an app asks for more.
    fn app_handle(&self, app: AppKey, params: AppHandleParams) -> impl Future<Output = ApiResult<App>> + Send;

    /// `app.approve`.
    fn app_approve(&self, params: AppApproveParams) -> impl Future<Output = ApiResult<App>> + Send;

    /// `app.mint`: a token within the caller's.
    fn app_mint(&self, by: Arc<Grant>, params: AppMintParams) -> impl Future<Output = ApiResult<AppToken>> + Send;

    /// `app.revoke`: the token ends, and those that it made; also refuses who asks.
    fn app_revoke(&self, by: Arc<Grant>, app: AppKey) -> impl Future<Output = ApiResult<Done>> + Send;

    /// The webhooks, and their changes.
    fn webhooks(&self) -> watch::Receiver<Arc<Hooks>>;

    /// `event.webhook_set`, for an app or the owner.
    fn webhook_set(
        &self,
        app: Option<AppKey>,
        params: WebhookSetParams,
    ) -> impl Future<Output = ApiResult<WebhookMade>> + Send;

    /// `event.webhook_remove`, for an app or the owner.
    fn webhook_remove(&self, app: Option<AppKey>) -> impl Future<Output = ApiResult<Done>> + Send;

    /// Keeps what became of a post to the webhook that has this id; gives when to try again, in Unix milliseconds.
    fn webhook_note(
        &self,
        app: Option<AppKey>,
        id: u64,
        outcome: Outcome,
    ) -> impl Future<Output = ApiResult<Option<u64>>> + Send;
}

/// Cards that apps and pages offer for chats.
pub trait ShareApi: Send + Sync + 'static {
    /// `share.validate`: a card that nobody signed is the page's, if there is one.
    fn share_check(
        &self,
        card: CardText,
        origin: Option<String>,
    ) -> impl Future<Output = ApiResult<ShareChecked>> + Send;

    /// `share.preview`.
    fn share_preview(
        &self,
        params: SharePreviewParams,
        origin: Option<String>,
    ) -> impl Future<Output = ApiResult<SharePreview>> + Send;

    /// A card as it would be shown in a chat; fails if it can't be sent.
    fn share_card(&self, card: CardText, origin: Option<String>) -> impl Future<Output = ApiResult<ShareCard>> + Send;

    /// Counts a card that an app with the grant sends, after a look at it.
    fn share_count(
        &self,
        app: Option<AppKey>,
        origin: Option<String>,
        params: &ShareSendParams,
    ) -> impl Future<Output = ApiResult<()>> + Send;

    /// The card in a message, which is to be sent on.
    fn share_held(&self, message: MessageId) -> impl Future<Output = ApiResult<HeldCard>> + Send;

    /// Which of a card's pictures are to be fetched before it is sent: their places and addresses. Those of a message are taken from there.
    fn share_pictures(
        &self,
        origin: Option<String>,
        params: &ShareSendParams,
    ) -> impl Future<Output = ApiResult<Vec<(u8, String)>>> + Send;

    /// What was fetched of one of them, or why it wasn't.
    fn share_picture(
        &self,
        card: CardText,
        origin: Option<String>,
        idempotency_key: String,
        place: u8,
        got: Result<Vec<u8>, String>,
    ) -> impl Future<Output = ApiResult<()>> + Send;

    /// Sends a card, by the user's grant or once the user has confirmed it, with the pictures that are here.
    fn share_send(
        &self,
        app: Option<AppKey>,
        origin: Option<String>,
        params: ShareSendParams,
    ) -> impl Future<Output = ApiResult<SharesSent>> + Send;

    /// For `share.prove`: the domains that a card's app names; fails if there are none.
    fn share_named(&self, message: MessageId) -> impl Future<Output = ApiResult<Vec<String>>> + Send;

    /// For `share.open`: the domains that are to be asked before.
    fn share_asks(&self, params: ShareOpenParams) -> impl Future<Output = ApiResult<Vec<String>>> + Send;

    /// For both: what domains publish of apps; nothing of those that couldn't be asked. Gives who stands for the card.
    fn share_told(&self, message: MessageId, answers: DomainAnswers)
    -> impl Future<Output = ApiResult<ShareBy>> + Send;

    /// `share.open`.
    fn share_open(&self, params: ShareOpenParams) -> impl Future<Output = ApiResult<ShareOpened>> + Send;

    /// `share.reply`; the grant says whose cards may be answered.
    fn share_reply(
        &self,
        grant: Arc<Grant>,
        params: ShareReplyParams,
    ) -> impl Future<Output = ApiResult<ShareReplied>> + Send;

    /// `share.replies`.
    fn share_replies(&self) -> impl Future<Output = ApiResult<Page<WaitingReply>>> + Send;

    /// `share.confirm_reply` and `share.decline_reply`.
    fn share_settle_reply(&self, reply: PickId, sends: bool) -> impl Future<Output = ApiResult<Done>> + Send;
}
