//! What goes into the client and what comes out.

use super::channels::ChannelCommand;
use super::kinds::Content;
use crate::address::PeerAddress;
use crate::channel::Listing;
use crate::chat::Role;
use crate::contact::ContactError;
use crate::custody::{Figures, Refusal};
use crate::keys::{
    AccountId, BlobId, ChannelId, ChatId, EnvelopeId, MessageId, RequestId, TopicId, TransportKey, WriterId,
};
use crate::message::StreamId;
use crate::rows::RowsError;

/// Which of the two custody streams with a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The one that we opened: we ask.
    Client,
    /// The one that the peer opened: it asks.
    Server,
}

/// Something happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// Time has passed; give it when [`super::Client::next_timer`] is due.
    Tick,
    /// The oldest drained step that wasn't is now durable; steps become so in order.
    Committed,
    /// A peer is connected.
    Connected {
        /// The peer.
        peer: TransportKey,
    },
    /// All connections to a peer are gone.
    Disconnected {
        /// The peer.
        peer: TransportKey,
    },
    /// A dial failed.
    DialFailed {
        /// The peer.
        peer: TransportKey,
    },
    /// A custody stream is ready.
    Opened {
        /// The peer.
        peer: TransportKey,
        /// Which.
        side: Side,
    },
    /// A custody stream is gone.
    Closed {
        /// The peer.
        peer: TransportKey,
        /// Which.
        side: Side,
    },
    /// A custody frame arrived.
    Frame {
        /// From whom.
        peer: TransportKey,
        /// On which stream.
        side: Side,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// An envelope arrived by gossip; a verdict is owed.
    Gossip {
        /// Who passed it on.
        peer: TransportKey,
        /// The network's id of it.
        id: [u8; 16],
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// A connected peer joined or left a topic's gossip.
    GossipPeer {
        /// The peer.
        peer: TransportKey,
        /// The topic.
        topic: TopicId,
        /// Joined.
        subscribed: bool,
    },
    /// The addresses that this node can be reached at, without `/p2p/…`.
    Listening {
        /// Multiaddrs.
        addrs: Vec<String>,
    },
    /// Something of the shell's own happened that belongs in the event log.
    Note {
        /// What it was about, for the shell.
        subject: [u8; 32],
    },
    /// The user wants something; answered by one [`Effect::Reply`] with the same token.
    Command {
        /// Chosen by the shell.
        token: u64,
        /// What.
        command: Command,
    },
}

/// What the user can want.
#[derive(Clone, Debug)]
pub enum Command {
    /// Make an invite. Replies [`Reply::Invited`].
    Invite {
        /// Whether several may use it.
        multi_use: bool,
        /// Seconds until it expires; the default if `None`.
        expires_in_s: Option<u64>,
    },
    /// Accept an invite link. Replies [`Reply::Chat`] once the inviter's card was read; that of a group has to let this account in first.
    Accept {
        /// The link.
        link: String,
    },
    /// The same under an alias: another account, for that chat alone. Replies [`Reply::Chat`], with the chat that there is under an alias of
    /// this name with the inviter.
    AcceptAs {
        /// The link, of nobody's group.
        link: String,
        /// What the alias calls itself; may be empty.
        name: String,
    },
    /// Let a stranger in: as a contact, or into a group. Replies [`Reply::Chat`].
    Approve {
        /// Which request.
        request: RequestId,
    },
    /// Drop a request; whoever asked isn't told. Replies [`Reply::Done`].
    Decline {
        /// Which request.
        request: RequestId,
    },
    /// Make an invite link of a group, as an admin of it. Replies [`Reply::Invited`].
    InviteToGroup {
        /// Which group.
        chat: ChatId,
        /// Whether the user decides on each guest; else they are let in at once.
        approval: bool,
        /// Seconds until it expires; the default if `None`.
        expires_in_s: Option<u64>,
        /// How many it lets in; as many as a group may have if `None`.
        max_uses: Option<u32>,
    },
    /// Take an invite link of a group back. Replies [`Reply::Done`].
    RevokeInvite {
        /// The link.
        link: String,
    },
    /// Send something. Replies [`Reply::Sent`].
    Send {
        /// Where.
        chat: ChatId,
        /// What.
        content: Content,
        /// Makes a repeat harmless: same key and content, same message.
        idempotency_key: Option<String>,
    },
    /// Make a group of contacts. Replies [`Reply::Chat`].
    CreateChat {
        /// Its name, at most [`crate::limits::NAME_BYTES`].
        name: String,
        /// Contacts, at most [`crate::limits::ADDED_AT_ONCE`].
        members: Vec<AccountId>,
        /// Makes a repeat harmless: same key, name and members, same chat.
        idempotency_key: Option<String>,
    },
    /// Add contacts to a group. Replies [`Reply::Done`] once the change is durable here.
    AddMembers {
        /// Where.
        chat: ChatId,
        /// Contacts, at most [`crate::limits::ADDED_AT_ONCE`].
        members: Vec<AccountId>,
    },
    /// Remove members from a group. Replies [`Reply::Done`] once the change is durable here.
    RemoveMembers {
        /// Where.
        chat: ChatId,
        /// Whom.
        members: Vec<AccountId>,
    },
    /// Change a chat's settings. Replies [`Reply::Done`] once the change is durable here.
    UpdateChat {
        /// Where.
        chat: ChatId,
        /// What.
        change: SettingsChange,
    },
    /// Change a member's role. Replies [`Reply::Done`] once the change is durable here.
    SetRole {
        /// Where.
        chat: ChatId,
        /// Whose.
        account: AccountId,
        /// The new one; making an owner gives one's own place away.
        role: Role,
    },
    /// Leave a group: the others are asked to remove this account. Replies [`Reply::Done`].
    LeaveChat {
        /// Which.
        chat: ChatId,
    },
    /// The user types, or has stopped: whoever is connected is told, seldom. Replies [`Reply::Done`].
    Type {
        /// Where.
        chat: ChatId,
        /// Not stopped.
        active: bool,
    },
    /// The user has seen messages; the mark comes from [`super::history::read_mark`]. Replies [`Reply::Done`].
    MarkRead {
        /// Where.
        chat: ChatId,
        /// What was seen.
        mark: ReadMark,
    },
    /// Begin a file that is to be sent. Replies [`Reply::Written`].
    BeginFile {
        /// Bytes of its content, at most [`crate::limits::FILE_BYTES`].
        length_bytes: u64,
        /// Its metadata is to be removed before it is sent, which is the shell's to do ([`super::history::blob_strips`]).
        strip: bool,
    },
    /// Seal the next part of a file: whole chunks of [`crate::limits::BLOB_CHUNK_BYTES`], or all that is left. Replies
    /// [`Reply::Written`]; while that has no blob though all is written, the same again with nothing seals more of the padding.
    WriteFile {
        /// The number of the upload.
        upload: [u8; 32],
        /// Where it goes on.
        offset_bytes: u64,
        /// The part.
        bytes: Vec<u8>,
    },
    /// Fetch the files of a message. Replies [`Reply::Done`].
    FetchFiles {
        /// Where.
        chat: ChatId,
        /// Which message.
        message: MessageId,
    },
    /// Look at a part of a file that was fetched, and fetch again what can't be read of it. Replies [`Reply::Done`].
    MendFile {
        /// Which.
        blob: BlobId,
        /// Where the part begins.
        offset_bytes: u64,
        /// How long it is.
        length_bytes: u64,
    },
    /// Forget a file that is written or fetched, by upload or blob. Replies [`Reply::Done`].
    CancelFile {
        /// Which.
        id: [u8; 32],
    },
    /// Something of channels.
    Channel(Box<ChannelCommand>),
    /// The user has written the phrase down: forget the root key. Replies [`Reply::Done`].
    ConfirmPhrase,
}

/// New settings of a group; what isn't given stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SettingsChange {
    /// The name, at most [`crate::limits::NAME_BYTES`].
    pub name: Option<String>,
    /// A small picture, at most [`crate::limits::PICTURE_BYTES`]; empty for none.
    #[serde(with = "serde_bytes")]
    pub picture: Option<Vec<u8>>,
    /// Seconds after which messages disappear; 0 for never.
    pub timer_s: Option<u32>,
}

/// How far a user has read a chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadMark {
    /// The key in the message tree of the last message seen.
    pub through: Vec<u8>,
    /// For each stream of others, the greatest sequence among the messages seen.
    pub streams: Vec<(StreamId, u64)>,
}

/// The answer to a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// An invite is made.
    Invited {
        /// Its link.
        link: String,
        /// Unix seconds.
        expires_s: u64,
    },
    /// A chat is there.
    Chat(ChatId),
    /// What a follower would see of a post; its id is zeros.
    Preview(Box<super::channel_view::PostView>),
    /// A message is durable.
    Sent(MessageId),
    /// It was sent before, with the same idempotency key.
    Repeated(MessageId),
    /// How far a file is sealed.
    Written {
        /// The number of the upload.
        upload: [u8; 32],
        /// Bytes of its content.
        written_bytes: u64,
        /// The blob, once it is sealed whole.
        blob: Option<BlobId>,
    },
    /// A channel is there.
    Channel(ChannelId),
    /// An entry of a channel is durable, or planned.
    Posted {
        /// Its id: the envelope's, or the plan's.
        id: EnvelopeId,
        /// It is published later.
        planned: bool,
    },
    /// A key that writes on a channel once it is certified.
    Writer(WriterId),
    /// A certificate or recovery key of a channel, as text.
    Certificate(String),
    /// What a domain is to publish: an encoded [`crate::channel::Vouch`].
    Vouch(Vec<u8>),
    /// Older posts came from a relay.
    Older {
        /// There may be still older ones.
        more: bool,
    },
    /// Channels of a relay's directory, each checked.
    Found {
        /// In the order of their names.
        listings: Vec<Listing>,
        /// Where to go on; empty at the end.
        next: Vec<u8>,
    },
    /// A report is on its way to these relays.
    ReportedTo(Vec<TransportKey>),
    /// What a channel's relays tell of it, by their keys.
    Figures(Vec<RelayFigures>),
    /// It is done.
    Done,
}

/// What one relay tells of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RelayFigures {
    /// Which.
    pub relay: TransportKey,
    /// Its figures, if it tells any.
    pub told: Result<Figures, Untold>,
}

/// Why a relay tells no figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Untold {
    /// It isn't connected.
    Away,
    /// It gave no answer in time; one of an earlier version never does.
    Silent,
    /// It refused.
    Refused(Refusal),
}

/// Why a command isn't carried out.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// No such thing.
    #[error("no such {field}")]
    NotFound {
        /// The parameter.
        field: &'static str,
    },
    /// Over a bound of its size.
    #[error("{field} has {found} bytes; at most {limit} are allowed")]
    TooLarge {
        /// The parameter.
        field: &'static str,
        /// Bytes given.
        found: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// A value that isn't allowed.
    #[error("{field}: {reason}")]
    Invalid {
        /// The parameter.
        field: &'static str,
        /// Why.
        reason: &'static str,
    },
    /// Not for this account.
    #[error("not allowed: {reason}")]
    NotAllowed {
        /// Who may.
        reason: &'static str,
    },
    /// The key was used with something else.
    #[error("the idempotency key was used with something else")]
    IdempotencyConflict,
    /// The invite can't be used.
    #[error("invite: {0}")]
    Invite(#[source] ContactError),
    /// The invite has expired.
    #[error("the invite has expired; ask for a new one")]
    InviteExpired,
    /// The invite is our own.
    #[error("the invite is this account's own; give it to somebody else")]
    OwnInvite,
    /// The inviter's card wasn't found in time.
    #[error("the inviter's card was not found at its relays or addresses; try again when one of them is online")]
    CardUnavailable,
    /// No relay of the channel answers.
    #[error("no relay of the channel answers; try again when one can be reached")]
    RelayUnavailable,
    /// A bound of the node is reached.
    #[error("{what}: the limit of {limit} is reached")]
    Limit {
        /// What.
        what: &'static str,
        /// How many.
        limit: usize,
    },
    /// The disk has no room for a file.
    #[error("the disk is nearly full; make room and try again")]
    DiskFull,
    /// The store can't be read, or MLS fails on our own state.
    #[error("internal: {reason}")]
    Internal {
        /// What failed.
        reason: String,
    },
}

impl From<RowsError> for CommandError {
    fn from(error: RowsError) -> Self {
        Self::Internal {
            reason: error.to_string(),
        }
    }
}

impl From<crate::chat::GroupError> for CommandError {
    fn from(error: crate::chat::GroupError) -> Self {
        Self::Internal {
            reason: error.to_string(),
        }
    }
}

/// Something to do once the step's rows are durable.
#[derive(Debug)]
pub enum Effect {
    /// Connect to a peer.
    Dial(PeerAddress),
    /// Send a custody frame.
    Send {
        /// To whom.
        peer: TransportKey,
        /// On which stream.
        side: Side,
        /// Its bytes.
        frame: Vec<u8>,
    },
    /// Join a topic's gossip.
    Subscribe(TopicId),
    /// Leave a topic's gossip.
    Unsubscribe(TopicId),
    /// Gossip an envelope.
    Publish {
        /// Where.
        topic: TopicId,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// What we think of a gossiped envelope.
    Verdict {
        /// Who passed it on.
        peer: TransportKey,
        /// The network's id of it.
        id: [u8; 16],
        /// The judgement.
        verdict: Verdict,
    },
    /// The peer sent something that no honest peer sends.
    Penalise {
        /// The peer.
        peer: TransportKey,
        /// Why, for the log.
        reason: &'static str,
    },
    /// The answer to a command.
    Reply {
        /// The command's token.
        token: u64,
        /// The answer.
        result: Result<Reply, CommandError>,
    },
    /// The event log grew.
    Events {
        /// Its newest cursor.
        newest: u64,
    },
}

/// What to do with a gossiped envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Good: pass it on.
    Accept,
    /// No honest peer passes it on.
    Reject,
    /// Nothing against the peer, but don't pass it on.
    Ignore,
}
