//! The table of methods: name, what a token needs for it, parameters, result, function of the [`Api`]. All else follows from it:
//! registration, scopes, what is fuzzed, the schema and what is generated from that.

use jsonrpsee::RpcModule;
use jsonrpsee::core::RegisterMethodError;
use schemars::{JsonSchema as _, SchemaGenerator};

use super::access::Need;
use super::api::Api;
use super::blobs;
use super::bodies::key_of;
use super::directory::{ChannelSearchParams, EnlistParams, FoundChannels};
use super::dispatch::{Shared, add};
use super::domains;
use super::error::ApiError;
use super::events;
use super::figures::{ChannelFigures, ChannelFiguresParams};
use super::openrpc::{Document, SchemaOf};
use super::params::*;
use super::picks;
use super::polls::ChannelVoteParams;
use super::reports::{ReportParams, ReportSent};
use super::scrape;
use super::types::*;
use super::webhooks::{self, Webhook, WebhookMade, WebhookParams, WebhookSetParams};
use crate::clock::now_ms;

/// Starts a subscription.
pub(super) const SUBSCRIBE: &str = "event.subscribe";
/// Ends a subscription.
pub(super) const UNSUBSCRIBE: &str = "event.unsubscribe";
/// The notifications of a subscription.
pub(super) const NOTIFICATION: &str = "event";

/// A method, as all but its function know it.
pub(super) struct Method {
    pub(super) name: &'static str,
    /// What it does, line by line: a summary, and perhaps more behind an empty line.
    pub(super) doc: &'static [&'static str],
    /// What a token needs for it.
    pub(super) need: Need,
    /// The schema of its parameters, an object.
    pub(super) params: SchemaOf,
    /// The schema of its result.
    pub(super) result: SchemaOf,
    /// Reads its parameters.
    #[cfg(feature = "failpoints")]
    pub(super) read: fn(Option<&str>) -> Result<(), ApiError>,
}

/// Takes lines of `/// What it does.`, then `NAME, NEED, PARAMETERS => RESULT, |shared, parameters, grant| CALL;`.
macro_rules! methods {
    ($($(#[doc = $doc:literal])+ $name:literal, $need:expr, $params:ty => $result:ty, |$s:pat_param, $p:pat_param, $g:pat_param| $call:expr;)+) => {
        /// The methods that are called and answer.
        static CALLED: &[Method] = &[$(Method {
            name: $name,
            doc: &[$($doc),+],
            need: $need,
            params: <$params>::json_schema,
            result: SchemaGenerator::subschema_for::<$result>,
            #[cfg(feature = "failpoints")]
            read: read::<$params>,
        }),+];

        fn register<A: Api>(module: &mut RpcModule<Shared<A>>) -> Result<(), RegisterMethodError> {
            $(add::<A, $params, $result, _, _>(module, $name, $need, |$s, $p, $g| async move { $call })?;)+
            Ok(())
        }
    };
}

methods! {
    /// This JSON-RPC, as an OpenRPC document.
    "rpc.discover", Need::Token, NoParams => Document, |_, _, _| Ok(Document::of_this_version());

    /// This node: its account and device, its addresses, the relays that it uses.
    "node.info", Need::all("node", "read"), NoParams => NodeInfo, |s, _, _| s.api.node_info().await;

    /// Looks for what keeps messages from flowing, and what the user can do about it.
    "node.doctor", Need::all("node", "read"), NoParams => Doctor, |s, _, _| s.api.node_doctor().await;

    /// This account.
    "account.get", Need::all("account", "read"), NoParams => AccountInfo, |s, _, _| s.api.account_get().await;

    /// The account's recovery phrase.
    ///
    /// It is gone once it was confirmed: `phrase_erased`.
    "account.phrase", Need::all("account", "secret"), NoParams => Phrase, |s, _, _| s.api.account_phrase().await;

    /// Says that the user has written the phrase down: the root key is erased from this device.
    "account.confirm_phrase", Need::all("account", "secret"), NoParams => Done, |s, _, _| s.api.account_confirm_phrase().await;

    /// Makes a link by which others ask for contact.
    "contact.invite", Need::all("contact", "write"), InviteParams => Invite, |s, p, _| s.api.contact_invite(p).await;

    /// Asks for contact by a link, or to be let into a group by its link.
    ///
    /// Waits up to 20 s for the inviter's card. The chat is `requested` until the other side has approved.
    "contact.accept", Need::all("contact", "write"), AcceptParams => ChatRef, |s, p, _| s.api.contact_accept(p).await;

    /// Requests that wait for the user: for contact, or with `chat` to be let into that group.
    "contact.requests", Need::all("contact", "read"), ListParams => Page<ContactRequest>, |s, p, _| s.api.contact_requests(p).await;

    /// Approves a request.
    "contact.approve", Need::all("contact", "write"), ApproveParams => ChatRef, |s, p, _| s.api.contact_approve(p).await;

    /// Drops a request; whoever asked isn't told.
    "contact.decline", Need::all("contact", "write"), ApproveParams => Done, |s, p, _| s.api.contact_decline(p).await;

    /// Contacts.
    "contact.list", Need::all("contact", "read"), ListParams => Page<Contact>, |s, p, _| s.api.contact_list(p).await;

    /// Chats; of a token that names single chats those.
    "chat.list", Need::listed("chat", "read"), ListParams => Page<Chat>, |s, p, grant| {
        let mut page = s.api.chat_list(p).await?;
        page.items.retain(|chat| grant.allows_in("chat", "read", &chat.chat.0) || !grant.names("chat"));
        Ok(page)
    };

    /// A chat, and how its state is.
    "chat.get", Need::chat("read"), ChatParams => ChatDetails, |s, p, _| s.api.chat_get(p).await;

    /// Who is in a chat.
    "chat.members", Need::chat("read"), ChatParams => Members, |s, p, _| s.api.chat_members(p).await;

    /// What is missing of others' messages in a chat.
    "chat.gaps", Need::chat("read"), ChatParams => Gaps, |s, p, _| s.api.chat_gaps(p).await;

    /// Messages that are kept in sight in a chat, the ones that came to be so last first; 100 at most.
    "chat.pins", Need::chat("read"), ChatParams => Page<Message>, |s, p, _| s.api.chat_pins(p).await;

    /// Makes a group of contacts. Its relays are the creator's.
    "chat.create", Need::all("chat", "manage"), ChatCreateParams => ChatRef, |s, mut p, grant| {
        p.idempotency_key = key_of(grant.app, p.idempotency_key);
        s.api.chat_create(p).await
    };

    /// Adds contacts to a group, as an admin.
    ///
    /// Answers once the change is durable here, with the chat as it is then. If another's change wins, it is made again by itself.
    "chat.add", Need::chat("manage"), ChatMembersParams => Chat, |s, p, _| s.api.chat_add(p).await;

    /// Removes members from a group, as an admin of higher rank.
    ///
    /// Whoever is removed neither finds nor reads what follows.
    "chat.remove", Need::chat("manage"), ChatMembersParams => Chat, |s, p, _| s.api.chat_remove(p).await;

    /// Leaves a group: the others are asked to remove this account.
    ///
    /// The chat's `state` becomes `left` once one of them has.
    "chat.leave", Need::chat("manage"), ChatParams => Chat, |s, p, _| s.api.chat_leave(p).await;

    /// Makes an invite link of a group, as an admin; for `contact.accept`.
    ///
    /// Who was removed from the group waits for approval in any case.
    "chat.invite", Need::chat("manage"), ChatInviteParams => Invite, |s, p, _| s.api.chat_invite(p).await;

    /// This account's open links of a group.
    "chat.invites", Need::chat("manage"), ChatParams => GroupInvites, |s, p, _| s.api.chat_invites(p).await;

    /// Takes a link of a group back: it lets nobody in any more.
    ///
    /// Requests by it are gone. So it is for links whose maker is no admin any more.
    "chat.uninvite", Need::chat("manage"), UninviteParams => Done, |s, p, _| s.api.chat_uninvite(p).await;

    /// Changes a chat's name, picture or timer; what is absent stays. In a one-to-one chat only the timer.
    "chat.update", Need::chat("manage"), ChatUpdateParams => Chat, |s, p, _| s.api.chat_update(p).await;

    /// Tells members' devices that are connected now that the user types, or has stopped.
    ///
    /// At most once in 5 s for a chat; more is left out without an error. It goes by no relay and is kept by nobody.
    "chat.typing", Need::chat("send"), ChatTypingParams => Done, |s, p, _| s.api.chat_typing(p).await;

    /// Changes a member's rank, as an admin of higher rank. Making an `owner` gives one's own place away.
    "chat.roles", Need::chat("manage"), ChatRoleParams => Chat, |s, p, _| s.api.chat_roles(p).await;

    /// Sends a message: answers when it is durable here.
    ///
    /// The id stays, but for what is sent on data that turns out to be an old copy: it gets another one, `message.updated` tells it, and
    /// the one that was answered leads to it in this node's answers.
    "message.send", Need::chat("send"), SendParams => Sent, |s, mut p, grant| {
        p.idempotency_key = key_of(grant.app, p.idempotency_key);
        s.api.message_send(p).await
    };

    /// Changes a text that this account wrote.
    "message.edit", Need::message("send"), EditParams => Message, |s, p, _| s.api.message_edit(p).await;

    /// Takes a message back that this account wrote.
    "message.delete", Need::message("send"), MessageParams => Message, |s, p, _| s.api.message_delete(p).await;

    /// Leaves an emoji at a message, or takes it back.
    "message.react", Need::message("send"), ReactParams => Message, |s, p, _| s.api.message_react(p).await;

    /// Keeps a message in sight for all of its chat; in a group as an admin.
    ///
    /// It counts while whoever pinned it is an admin.
    "message.pin", Need::message("send"), MessageParams => Message, |s, p, _| s.api.message_pin(p, false).await;

    /// Keeps a message in sight no longer; in a group as an admin.
    "message.unpin", Need::message("send"), MessageParams => Message, |s, p, _| s.api.message_pin(p, true).await;

    /// Votes in a poll.
    "message.vote", Need::message("send"), VoteParams => Message, |s, p, _| s.api.message_vote(p).await;

    /// Finds messages by words, the newest first.
    "message.search", Need::chat("read"), SearchParams => SearchPage, |s, p, _| s.api.message_search(p).await;

    /// Messages of a chat in the order shown; without `before`, `after` and `at_ms` the newest.
    "message.list", Need::chat("read"), MessageListParams => Page<Message>, |s, p, _| s.api.message_list(p).await;

    /// A message.
    "message.get", Need::message("read"), MessageParams => Message, |s, p, _| s.api.message_get(p).await;

    /// Marks a chat's messages as read.
    "message.mark_read", Need::chat("send"), MarkReadParams => Done, |s, p, _| s.api.message_mark_read(p).await;

    /// Begins an upload of a file that is to be sent.
    ///
    /// Its content goes by `blob.write`, or by `PATCH /blob/UPLOAD` with `Upload-Offset`; `blob.stat` says where it goes on after an
    /// interruption. What is not written to for a day, or named by no message, is forgotten.
    "blob.put", Need::all("blob", "write"), BlobPutParams => Written, |s, p, _| s.api.blob_put(p).await;

    /// Writes the next part of an upload: it is sealed and on disk when this answers, with `blob` once it was the last.
    "blob.write", Need::all("blob", "write"), BlobWriteParams => Written, |s, p, _| s.api.blob_write(p.upload, p.offset_bytes, p.data).await;

    /// How a file is, by its content or the number of its upload.
    "blob.stat", Need::all("blob", "read"), BlobParams => Blob, |s, p, _| s.api.blob_stat(p.blob).await;

    /// Fetches the files of a message from whoever has them; answers how they are at once.
    ///
    /// Event `blob.progress` tells how it goes. What was begun goes on after a restart. Small files are fetched when their message comes.
    "blob.fetch", Need::all("blob", "read"), MessageParams => Blobs, |s, p, _| s.api.blob_fetch(p).await;

    /// Reads a part of a file that is here whole. `GET /blob/ID` reads it too, with `Range`.
    "blob.get", Need::all("blob", "read"), BlobGetParams => BlobPart, |s, p, _| blobs::get(&*s.api, p).await;

    /// Ends an upload or a fetch, and forgets what is here of it; also frees the room of a file that was fetched.
    "blob.cancel", Need::all("blob", "write"), BlobParams => Done, |s, p, _| s.api.blob_cancel(p.blob).await;

    /// Channels that are followed, blocked or this account's own, by id; of a token that names single channels those.
    "channel.list", Need::listed("channel", "read"), ListParams => Page<Channel>, |s, p, grant| {
        let mut page = s.api.channel_list(p).await?;
        page.items.retain(|shown| grant.allows_in("channel", "read", &shown.channel.0) || !grant.names("channel"));
        Ok(page)
    };

    /// A channel: what it says of itself, and what is missing of it.
    "channel.get", Need::channel("read"), ChannelParams => Channel, |s, p, _| s.api.channel_get(p.channel).await;

    /// Makes a channel. Its relays are this account's.
    "channel.create", Need::all("channel", "manage"), ChannelCreateParams => Channel, |s, mut p, grant| {
        p.idempotency_key = key_of(grant.app, p.idempotency_key);
        s.api.channel_create(p).await
    };

    /// Changes what an own channel says of itself; what is absent stays.
    "channel.update", Need::channel("manage"), ChannelUpdateParams => Channel, |s, p, _| s.api.channel_update(p).await;

    /// Follows a channel by its link.
    ///
    /// Answers at once; what it says comes from its relays, and `channel.updated` tells it.
    "channel.follow", Need::all("channel", "manage"), FollowParams => Channel, |s, p, _| s.api.channel_follow(p).await;

    /// Says by whom a channel's posts come: its relays alone, or followers too, who pass them on to each other.
    ///
    /// With `followers` this node is named to others who follow the channel, with its addresses, and whoever is connected to it learns that
    /// it follows. It is how nobody can show two followers two versions for long, and how posts come while all relays are away.
    "channel.via", Need::channel("manage"), ViaParams => Channel, |s, p, _| s.api.channel_via(p).await;

    /// Follows a channel no longer, and forgets what is here of it.
    "channel.unfollow", Need::channel("manage"), ChannelParams => Done, |s, p, _| s.api.channel_unfollow(p.channel).await;

    /// Has the user told of a channel's new posts no longer, or again. They come all the same.
    "channel.mute", Need::channel("manage"), MuteParams => Channel, |s, p, _| s.api.channel_mute(p).await;

    /// Has nothing to do with a channel any more, or allows it again: it is followed no longer, and can't be.
    "channel.block", Need::channel("manage"), BlockParams => Done, |s, p, _| s.api.channel_block(p).await;

    /// Reports a post of a followed channel to the operators of the channel's relays, with its envelope as evidence, and blocks the channel in the
    /// same step if `block` says so.
    ///
    /// It says nothing of who reports; a relay sees the connection that it comes by. It waits for relays that are away, for a week; event
    /// `channel.reported` tells of each relay whether it has it. A post that is on its way already isn't reported once more.
    "channel.report", Need::channel("manage"), ReportParams => ReportSent, |s, p, _| s.api.channel_report(p).await;

    /// What a follower would see of a post: it is checked and shown as if it had come, but neither kept nor sent. Its id is zeros, and the
    /// follower's own terms aren't known here.
    "channel.preview", Need::channel("publish"), ChannelPreviewParams => Post, |s, p, _| s.api.channel_preview(p).await;

    /// Posts on an own channel, now or at a time: answers when it is durable here.
    "channel.post", Need::channel("publish"), ChannelPostParams => Posted, |s, mut p, grant| {
        p.idempotency_key = key_of(grant.app, p.idempotency_key);
        s.api.channel_post(p).await
    };

    /// Posts of an own channel that are to be published later.
    "channel.plans", Need::channel("publish"), ChannelParams => Page<Plan>, |s, p, _| s.api.channel_plans(p.channel).await;

    /// Drops a post that was to be published later.
    "channel.unplan", Need::channel("publish"), PostParams => Done, |s, p, _| s.api.channel_unplan(p).await;

    /// Gives a post of an own channel another content. Both stay in the channel's log.
    "channel.edit", Need::channel("publish"), ChannelEditParams => Posted, |s, p, _| s.api.channel_edit(p).await;

    /// Takes a post of an own channel back. It stays in the channel's log, and isn't shown.
    "channel.retract", Need::channel("publish"), RetractParams => Posted, |s, p, _| s.api.channel_retract(p).await;

    /// Posts of a channel by time; without `before` and `after` the newest. Older ones come from a relay where they aren't here.
    "channel.posts", Need::channel("read"), PostListParams => PostPage, |s, p, _| s.api.channel_posts(p).await;

    /// Fetches the files of a post; answers how they are at once. Event `blob.progress` tells how it goes.
    "channel.fetch", Need::channel("read"), PostParams => Blobs, |s, p, _| s.api.channel_fetch(p).await;

    /// Marks posts as seen, up to one.
    "channel.mark_read", Need::channel("manage"), PostParams => Done, |s, p, _| s.api.channel_mark_read(p).await;

    /// What was kept as proof that a channel's writers signed what contradicts itself.
    "channel.evidence", Need::channel("read"), ChannelParams => Page<ChannelEvidence>, |s, p, _| s.api.channel_evidence(p.channel).await;

    /// Checks evidence against a channel, whoever gives it: says what it proves, without asking anybody.
    "channel.verify", Need::Token, VerifyParams => ChannelEvidence, |s, p, _| s.api.channel_verify(p).await;

    /// Says what of a followed channel is wanted, and when, in place of what was. It is weighed on this device, and nobody learns of it.
    ///
    /// What is held back waits in `held` of `channel.get`; `channel.post` tells it when its time has come.
    "channel.terms", Need::channel("manage"), TermsParams => Channel, |s, p, _| s.api.channel_terms(p).await;

    /// Opens the digest: the posts that were held back, which nothing is any more.
    "channel.digest", Need::channel("manage"), ChannelParams => Page<Post>, |s, p, _| s.api.channel_digest(p.channel).await;

    /// Answers a poll of a followed channel, in place of an earlier answer.
    ///
    /// Only whoever posted the poll can read the answer, and learns nothing of who gave it. The channel's relays see that this device
    /// has answered.
    "channel.vote", Need::channel("manage"), ChannelVoteParams => Post, |s, p, _| s.api.channel_vote(p).await;

    /// Figures of a channel on which this account writes, rounded down to tens and none below 20: how many watch it at each of its relays, to how
    /// many these have handed a post, and polls.
    ///
    /// The relays are asked; one that doesn't answer within ten seconds is `silent`.
    "channel.figures", Need::channel("publish"), ChannelFiguresParams => ChannelFigures, |s, p, _| s.api.channel_figures(p).await;

    /// Tells followers what a poll that this device posted has come to so far, by an edit of the post.
    "channel.publish_result", Need::channel("publish"), PostParams => Post, |s, p, _| s.api.channel_publish_result(p).await;

    /// A key of this account's to write on a followed channel with, once its root certifies it; the same each time.
    "channel.writer_key", Need::channel("manage"), ChannelParams => WriterKeyMade, |s, p, _| s.api.channel_writer_key(p.channel).await;

    /// Lets a key write on an own channel: gives the certificate for its holder.
    "channel.certify", Need::channel("manage"), CertifyParams => Certified, |s, p, _| s.api.channel_certify(p).await;

    /// Uses a certificate. With the scope `root` the channel is this account's from then on.
    "channel.use_certificate", Need::all("channel", "manage"), UseCertificateParams => Channel, |s, p, _| s.api.channel_use_certificate(p).await;

    /// Who may write on an own channel beside its root.
    "channel.writers", Need::channel("manage"), ChannelParams => Page<ChannelWriter>, |s, p, _| s.api.channel_writers(p.channel).await;

    /// Lets a key write no longer on an own channel. What it wrote until now stays.
    "channel.revoke", Need::channel("manage"), RevokeParams => Done, |s, p, _| s.api.channel_revoke(p).await;

    /// Makes a key that takes an own channel back should this account's be lost or stolen. It isn't kept here, and takes the place of earlier ones.
    "channel.recovery_key", Need::channel("manage"), ChannelParams => RecoveryMade, |s, p, _| s.api.channel_recovery_key(p.channel).await;

    /// Takes a channel back: it is this account's from then on.
    "channel.recover", Need::all("channel", "manage"), RecoverParams => Channel, |s, p, _| s.api.channel_recover(p).await;

    /// Puts an own channel into the public directories of relays that keep it, so that anybody can find it there, and takes it out of the others'.
    ///
    /// No channel is in one unless this is called. What the relays say to it is in `listings` of `channel.get`.
    "channel.enlist", Need::channel("manage"), EnlistParams => Channel, |s, p, _| s.api.channel_enlist(p).await;

    /// Looks for channels in the public directories of relays that are connected.
    ///
    /// A relay sees what is looked for. It can leave out channels, but can't make up or change any: each is signed by its root.
    "channel.search", Need::all("channel", "read"), ChannelSearchParams => FoundChannels, |s, p, _| s.api.channel_search(p).await;

    /// What the domain that an own channel names is to publish, so that followers can see that it is the channel's.
    "channel.vouch", Need::channel("manage"), ChannelParams => Vouched, |s, p, _| domains::vouch(&*s.api, p.channel).await;

    /// Asks the domain that a channel names whether it vouches for it. Its web server sees this machine's address.
    "channel.prove", Need::channel("manage"), ChannelParams => Channel, |s, p, _| domains::prove(&*s.api, p.channel).await;

    /// Keeps messages of an exported chat, apart from those of chats: they are what a file says and nobody has proved.
    ///
    /// A few at a time, in as many calls as it takes. Importing the same again changes nothing.
    "archive.add", Need::all("chat", "manage"), ArchiveImportParams => ArchiveImported, |s, p, _| s.api.archive_import(p).await;

    /// What was imported.
    "archive.list", Need::all("chat", "read"), ListParams => Page<Archive>, |s, p, _| s.api.archive_list(p).await;

    /// Imported messages, the oldest first.
    ///
    /// With `query` a page may be short, or empty, although there is a `next`: it ends when much was read.
    "archive.messages", Need::all("chat", "read"), ArchiveMessagesParams => Page<ArchiveItem>, |s, p, _| s.api.archive_messages(p).await;

    /// Removes imported messages.
    "archive.remove", Need::all("chat", "manage"), ArchiveParams => Done, |s, p, _| s.api.archive_remove(p).await;

    /// What was kept as proof of what relays did.
    "relay.evidence", Need::all("relay", "read"), EvidenceParams => Page<Evidence>, |s, p, _| s.api.relay_evidence(p).await;

    /// Asks for a token; at `/app`, without one. It works once the user has approved.
    "app.request", Need::Door, AppRequestParams => AppToken, |s, p, grant| {
        s.api.app_request(p.by_page(grant.origin.as_deref())?).await
    };

    /// Apps, and who wants to become one.
    "app.list", Need::all("app", "manage"), ListParams => Page<App>, |s, p, _| s.api.app_list(p).await;

    /// Asks the user to let this token's app handle the cards that an app's key signed: scope `share:KEY:handle`, once it is approved.
    ///
    /// An app without a token asks for the scope as for any other, by `app.request`. What waits for longer than ten minutes is forgotten.
    "app.handle", Need::Token, AppHandleParams => App, |s, p, grant| {
        s.api.app_handle(grant.app.ok_or(ApiError::NotFound { field: "app" })?, p).await
    };

    /// Lets an app in: its token works from now on. Or allows what one asks for that is in already.
    "app.approve", Need::all("app", "manage"), AppApproveParams => App, |s, p, _| s.api.app_approve(p).await;

    /// The app of this token.
    "app.self", Need::Token, NoParams => App, |s, _, grant| {
        s.api.app_self(grant.app.ok_or(ApiError::NotFound { field: "app" })?).await
    };

    /// Makes a token within the caller's own, which ends no later and ends with it.
    "app.mint", Need::Token, AppMintParams => AppToken, |s, p, grant| s.api.app_mint(grant, p).await;

    /// Ends an app's token and those that it made, and closes their connections; also turns away who asks.
    ///
    /// Any token may end itself and those that it made.
    "app.revoke", Need::Token, AppParams => Done, |s, p, grant| s.api.app_revoke(grant, p.app).await;

    /// Checks a card as whoever receives it does, and says who stands for it. Errors name the member at fault.
    "share.validate", Need::Token, ShareParams => ShareChecked, |s, p, grant| s.api.share_check(p.card, grant.origin.clone()).await;

    /// Shows a card as whoever receives it sees it, before it is sent: as text, and as HTML for a page of the caller's own.
    "share.preview", Need::Token, SharePreviewParams => SharePreview, |s, p, grant| s.api.share_preview(p, grant.origin.clone()).await;

    /// Makes a card of a page, of what it says of itself (Open Graph, oEmbed): this node fetches it, so that no receiver does.
    ///
    /// Nothing is sent: the card is for `share.pick` or `share.send`. Only from public addresses.
    "share.scrape", Need::all("share", "pick"), ScrapeParams => Scraped, |s, p, _| scrape::scrape(&*s.api, p).await;

    /// Sends a card to chats. The scope is the user's grant; without it `share.pick` asks the user.
    ///
    /// Answers when all are durable here. If it fails at one chat, the same call goes on where it was.
    "share.send", Need::all("share", "send"), ShareSendParams => SharesSent, |s, mut p, grant| {
        p.idempotency_key = key_of(grant.app, Some(p.idempotency_key)).unwrap_or_default();
        picks::send(&s, p, &grant).await
    };

    /// Offers a card to the user, who chooses chats in the picker, and waits for the choice.
    ///
    /// Nothing is sent before. `url` is where the user chooses; what waits for longer than ten minutes is forgotten.
    "share.pick", Need::all("share", "pick"), SharePickParams => Picked, |s, p, grant| picks::pick(&s, p, &grant).await;

    /// Waits for the user's choice about a card that this token's app has offered.
    "share.picked", Need::all("share", "pick"), PickedParams => Picked, |s, p, grant| picks::picked(&s, p, &grant).await;

    /// Cards that wait for the user.
    "share.picks", Need::all("share", "confirm"), NoParams => Page<Pick>, |s, _, _| picks::list(&s);

    /// One of them.
    "share.shown", Need::all("share", "confirm"), ShownParams => PickShown, |s, p, _| picks::shown(&s, p).await;

    /// Takes the card with which a page has sent the user's browser to the picker. It waits for the user as others do.
    "share.offer", Need::all("share", "confirm"), ShareOfferParams => Pick, |s, p, _| picks::offer(&s, p).await;

    /// Sends what waits: the user has seen it and chosen where to.
    "share.confirm", Need::all("share", "confirm"), ConfirmParams => Picked, |s, p, _| picks::confirm(&s, p).await;

    /// Drops what waits; whoever asked is told `cancelled`.
    "share.decline", Need::all("share", "confirm"), PickParams => Done, |s, p, _| picks::decline(&s, p);

    /// Says what a tap on a card does on this device, and hands the card to the app at this node that handles it, if the tap leads there.
    ///
    /// The sharer learns nothing of it unless `tell` says so. What the action names is for the program to do. Where it leads to the app or a
    /// page, the domains that the app names are asked before whether they vouch for it, at most once a day; an app here is handed the card
    /// without that.
    "share.open", Need::all("share", "open"), ShareOpenParams => ShareOpened, |s, p, _| domains::open(&*s.api, p).await;

    /// Asks the domains that a card's app names whether they vouch for it. They learn this node's address.
    "share.prove", Need::all("share", "open"), CardParams => ShareProved, |s, p, _| domains::prove_app(&*s.api, p.message).await;

    /// Answers a card, for the app that shared it: with what a button hands back once the user has seen it, or with `data` of an app that handles it.
    ///
    /// With `share:reply`, or `share:KEY:reply` for the card's key, it is sent. An app that handles the card without that has it wait for the
    /// user, for a week; event `share.reply_waiting`.
    "share.reply", Need::Token, ShareReplyParams => ShareReplied, |s, p, grant| s.api.share_reply(grant, p).await;

    /// Answers of apps that wait for the user.
    "share.replies", Need::all("share", "confirm"), NoParams => Page<WaitingReply>, |s, _, _| s.api.share_replies().await;

    /// Sends an answer that waits: the user has seen it.
    "share.confirm_reply", Need::all("share", "confirm"), WaitingReplyParams => Done, |s, p, _| s.api.share_settle_reply(p.reply, true).await;

    /// Drops an answer that waits; its app isn't told.
    "share.decline_reply", Need::all("share", "confirm"), WaitingReplyParams => Done, |s, p, _| s.api.share_settle_reply(p.reply, false).await;

    /// Makes an address that lets the browser in that opens it first, so that the user chooses there.
    "share.browser", Need::all("app", "manage"), NoParams => BrowserCode, |s, _, _| picks::browser(&s);

    /// Gives the picker's page in the user's browser its token, for a code of `share.browser`; at `/app`, without a token.
    "share.enter", Need::Door, EnterParams => AppToken, |s, p, grant| picks::enter(&s, p, &grant).await;

    /// Reads events of the durable log, and waits for the first.
    ///
    /// A page may be shorter than `limit` although there is more.
    "event.poll", Need::Token, PollParams => EventPage, |s, p, grant| events::poll(s, p, grant).await;

    /// Says which event this token's app has dealt with last; never goes back.
    "event.ack", Need::Token, AckParams => Done, |s, p, grant| s.api.event_ack(grant.app, p).await;

    /// Has events posted to a URL, signed as Standard Webhooks has it.
    ///
    /// One webhook a token: another takes its place and goes on where that was. It ends with the token.
    "event.webhook_set", Need::Token, WebhookSetParams => WebhookMade, |s, p, grant| webhooks::set(&*s.api, p, &grant).await;

    /// The webhook of this token's app; of all, to who manages apps.
    "event.webhooks", Need::Token, NoParams => Page<Webhook>, |s, _, grant| Ok(webhooks::list(&*s.api, &grant, now_ms()));

    /// Ends a webhook.
    "event.webhook_remove", Need::Token, WebhookParams => Done, |s, p, grant| webhooks::remove(&*s.api, p, &grant).await;
}

/// The two of subscriptions, which `events` answers.
static SUBSCRIPTIONS: &[Method] = &[
    Method {
        name: SUBSCRIBE,
        doc: &[
            "Sends events of the durable log as they come; WebSocket only, not in a batch.",
            "",
            "Answers with the subscription's number. Each event is a notification `event`. If the node can't go on, the last one has `error` \
             instead of `result`. A subscriber that reads slowly loses nothing: the subscription waits for it.",
        ],
        need: Need::Token,
        params: SubscribeParams::json_schema,
        result: u64::json_schema,
        #[cfg(feature = "failpoints")]
        read: read::<SubscribeParams>,
    },
    Method {
        name: UNSUBSCRIBE,
        doc: &["Ends a subscription; says whether there was one."],
        need: Need::Token,
        params: UnsubscribeParams::json_schema,
        result: bool::json_schema,
        #[cfg(feature = "failpoints")]
        read: read::<UnsubscribeParams>,
    },
];

/// All methods.
pub(super) fn all() -> impl Iterator<Item = &'static Method> {
    CALLED.iter().chain(SUBSCRIPTIONS)
}

/// The method of a name.
pub(super) fn find(name: &str) -> Option<&'static Method> {
    all().find(|method| method.name == name)
}

/// Registers them all.
pub(super) fn module<A: Api>(shared: Shared<A>) -> Result<RpcModule<Shared<A>>, RegisterMethodError> {
    let mut module = RpcModule::new(shared);
    register(&mut module)?;
    module.register_subscription(SUBSCRIBE, NOTIFICATION, UNSUBSCRIBE, |params, pending, shared, extensions| async move {
        events::subscribe(params, pending, shared, &extensions).await
    })?;
    Ok(module)
}

#[cfg(feature = "failpoints")]
fn read<P: FromParams>(params: Option<&str>) -> Result<(), ApiError> {
    P::read(params).map(|_| ())
}
