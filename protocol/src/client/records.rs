//! The client's rows: msgpack with names, so that later versions can add fields; those of which there are many go without names and
//! grow at their end.

use super::io::SettingsChange;
use crate::address::PeerAddress;
use crate::chat::{ChatContext, Mark, Role, dag};
use crate::contact::{CardKey, CardPackage, Inbox, Invite};
use crate::custody::Refusal;
use crate::identity::{DeviceLog, TransportCertificate};
use crate::keys::{
    AccountId, ChannelId, ChatId, DeviceId, DeviceSecret, EnvelopeId, MessageId, NodeId, RequestId, TopicId,
    TopicSecret, TransportKey, TransportSecret,
};
use crate::limits;
use crate::message::{Body, Durable, StreamId};
use crate::mls::{GroupRows, Suite};
use crate::rows::RowsError;
use crate::seq_set::SeqSet;
use crate::wire::{Reader, Wire, Writer};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Encodes a row. Fails only on values that msgpack can't hold, of which there are none here.
pub(crate) fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, RowsError> {
    rmp_serde::to_vec_named(value).map_err(|error| RowsError {
        reason: error.to_string(),
    })
}

/// Encodes a row of which there are many: an array, to which later versions may append fields that have a default.
pub(crate) fn encode_small<T: Serialize>(value: &T) -> Result<Vec<u8>, RowsError> {
    rmp_serde::to_vec(value).map_err(|error| RowsError {
        reason: error.to_string(),
    })
}

/// Decodes a row.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, RowsError> {
    rmp_serde::from_slice(bytes).map_err(|error| RowsError {
        reason: format!("a record can't be read: {error}"),
    })
}

/// Keys of the rows; see the table in ARCHITECTURE.md.
pub(crate) mod key {
    use super::*;

    pub(crate) const ACCOUNT: &[u8] = b"account";
    pub(crate) const SETTINGS: &[u8] = b"settings";
    pub(crate) const STARTS: &[u8] = b"starts";

    pub(crate) fn mls(chat: &ChatId, node: &NodeId, row: &[u8]) -> Vec<u8> {
        [chat.0.as_slice(), &node.0, row].concat()
    }
    pub(crate) fn commit(chat: &ChatId, node: &NodeId) -> Vec<u8> {
        [chat.0, node.0].concat()
    }
    pub(crate) fn stream(chat: &ChatId, stream: &StreamId) -> Vec<u8> {
        [chat.0.as_slice(), &stream.device.0, &stream.incarnation.to_be_bytes()].concat()
    }
    pub(crate) fn ack(chat: &ChatId, device: &DeviceId) -> Vec<u8> {
        [chat.0, device.0].concat()
    }
    pub(crate) fn past_ack(chat: &ChatId, device: &DeviceId, incarnation: u64) -> Vec<u8> {
        [chat.0.as_slice(), &device.0, &incarnation.to_be_bytes()].concat()
    }
    /// The stream of ours that a row of acks is about, if it has ended.
    pub(crate) fn ack_incarnation(stored: &[u8]) -> Option<u64> {
        stored.get(64..)?.try_into().ok().map(u64::from_be_bytes)
    }
    /// Bytes of a message id that stand in keys: enough that nobody finds a second id with them.
    const ID_BYTES: usize = 16;
    /// Bytes of a message's key before its id.
    const PLACE_BYTES: usize = 32 + 8 + 8;
    /// Bytes of a message's key.
    pub(crate) const MESSAGE_BYTES: usize = PLACE_BYTES + ID_BYTES;

    fn short(id: &MessageId) -> &[u8] {
        id.0.get(..ID_BYTES).unwrap_or_default()
    }
    /// Messages of a chat in the order shown: causal (Lamport clock), then time, then id.
    pub(crate) fn message(chat: &ChatId, clock: u64, sent_ms: u64, id: &MessageId) -> Vec<u8> {
        [
            chat.0.as_slice(),
            &clock.to_be_bytes(),
            &sent_ms.to_be_bytes(),
            short(id),
        ]
        .concat()
    }
    /// Where a message's place is written.
    pub(crate) fn message_id(id: &MessageId) -> Vec<u8> {
        short(id).to_vec()
    }
    /// The part of a message's key that its id doesn't tell.
    pub(crate) fn message_place(stored: &[u8]) -> Vec<u8> {
        stored.get(..PLACE_BYTES).unwrap_or(stored).to_vec()
    }
    /// A message's key from its place and id.
    pub(crate) fn message_at(place: &[u8], id: &MessageId) -> Vec<u8> {
        if is_alias(place) {
            return place.to_vec();
        }
        [place, short(id)].concat()
    }
    /// Whether a place is that of a message which was numbered anew since: its whole key.
    pub(crate) fn is_alias(place: &[u8]) -> bool {
        place.len() == MESSAGE_BYTES
    }
    /// The part of an id in a message's key.
    pub(crate) fn message_short(stored: &[u8]) -> &[u8] {
        stored.get(PLACE_BYTES..).unwrap_or_default()
    }
    /// Where what was done to a message begins.
    pub(crate) fn effects(chat: &ChatId, message: &MessageId) -> Vec<u8> {
        [chat.0.as_slice(), short(message)].concat()
    }
    /// What an account did to a message.
    pub(crate) fn effects_of(chat: &ChatId, message: &MessageId, account: &AccountId) -> Vec<u8> {
        [
            chat.0.as_slice(),
            short(message),
            account.0.get(..ID_BYTES).unwrap_or_default(),
        ]
        .concat()
    }
    /// The author's time in a message's key.
    pub(crate) fn sent_ms(stored: &[u8]) -> Option<u64> {
        let bytes = stored.get(40..48)?.try_into().ok()?;
        Some(u64::from_be_bytes(bytes))
    }
    /// Who holds the own messages from a sequence on.
    pub(crate) fn ledger(chat: &ChatId, incarnation: u64, first: u64) -> Vec<u8> {
        [chat.0.as_slice(), &incarnation.to_be_bytes(), &first.to_be_bytes()].concat()
    }
    pub(crate) fn cursor(custodian: &TransportKey, topic: &TopicId) -> Vec<u8> {
        [custodian.0, topic.0].concat()
    }
    pub(crate) fn pending(chat: &ChatId, envelope: &EnvelopeId) -> Vec<u8> {
        [chat.0, envelope.0].concat()
    }
    pub(crate) fn profile(chat: &ChatId, device: &DeviceId) -> Vec<u8> {
        [chat.0, device.0].concat()
    }
    /// A gap of a stream, or where its histories part.
    pub(crate) fn gap(chat: &ChatId, of: &StreamId, fork: bool, first: u64) -> Vec<u8> {
        let mut stored = stream(chat, of);
        stored.push(u8::from(fork));
        stored.extend(first.to_be_bytes());
        stored
    }
    /// What a gap's key says: stream, whether it is a fork, first sequence.
    pub(crate) fn gap_place(stored: &[u8]) -> Option<(StreamId, bool, u64)> {
        let number = |at: usize| -> Option<u64> {
            let bytes = stored.get(at..at.checked_add(8)?)?.try_into().ok()?;
            Some(u64::from_be_bytes(bytes))
        };
        let stream = StreamId {
            device: DeviceId(stored.get(32..64)?.try_into().ok()?),
            incarnation: number(64)?,
        };
        Some((stream, *stored.get(72)? == 1, number(73)?))
    }
    pub(crate) fn idempotency(text: &str) -> Vec<u8> {
        crate::keys::derive("madang 1 idempotency key", &[text.as_bytes()]).to_vec()
    }
}

/// The account and this device.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct AccountRow {
    /// Of the recovery phrase, until the user has confirmed it.
    pub phrase: Option<serde_bytes::ByteArray<32>>,
    pub log: DeviceLog,
    pub device: DeviceSecret,
    pub transport: TransportSecret,
    pub certificate: TransportCertificate,
}

/// The starts of the program on this data.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct StartsRow {
    /// The number of the oldest that is remembered.
    pub first: u32,
    /// A random number for each, the oldest first.
    pub nonces: Vec<u32>,
}

/// What the user set.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SettingsRow {
    pub name: String,
    pub relays: Vec<PeerAddress>,
    /// The addresses that contacts were told.
    pub told: Vec<String>,
    /// What own relays admit us by: never told to anybody else.
    #[serde(default)]
    pub relay_tokens: Vec<(TransportKey, serde_bytes::ByteBuf)>,
}

/// A chat's slow part.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ChatRow {
    pub suite: Suite,
    pub topic: TopicSecret,
    /// The other of a one-to-one chat.
    pub peer: Option<AccountId>,
    pub created_ms: u64,
    /// The other has not been heard yet: our request waits.
    pub requested: bool,
    pub incarnation: u64,
    /// The state that counts; if this device isn't in that one, the last that it is in.
    pub state: NodeId,
    /// The state that counts is one without this device.
    pub out: bool,
    /// The unsettled states, parents before their children.
    pub nodes: Vec<NodeRow>,
    /// The admins of the oldest of them.
    pub root_admins: Vec<AccountId>,
    /// Topics of settled states, which members who were away may still write on.
    pub old_topics: Vec<OldTopic>,
    /// What we want changed, until it is settled and that is long ago.
    pub intents: Vec<IntentRow>,
    /// The states before the oldest one, on the way to it, the oldest first.
    #[serde(default)]
    pub past_nodes: Vec<NodeId>,
    /// The state into which this device was added again after it had been put out.
    #[serde(default)]
    pub again: Option<NodeId>,
    /// The key of the leaf with which this device has asked to leave; zeros if nobody else was there to be asked.
    #[serde(default)]
    pub leaving: Option<serde_bytes::ByteArray<32>>,
    /// Devices that aren't in the state that counts by a commit that isn't settled, and the first state without them.
    #[serde(default)]
    pub parted: Vec<(DeviceId, NodeId)>,
    /// Welcomes whose commit isn't in custody yet, or lost against another.
    pub welcomes: Vec<WelcomeRow>,
    /// This device has no state that the others can use, and has asked to be put back with this package.
    pub lost: bool,
    pub rejoin_package: Option<OwnPackage>,
    /// That of the wish before, which may have been answered.
    #[serde(default)]
    pub rejoin_older: Option<OwnPackage>,
    /// The leaves with which this device has asked to be put back last, as hashes of their keys.
    #[serde(default)]
    pub offered: Vec<serde_bytes::ByteArray<32>>,
    /// Members that asked by letter to be put back, and on which topic: they are answered there.
    #[serde(default)]
    pub asked: Vec<(DeviceId, TopicId)>,
    /// Settings and accounts of the state that counts, for whoever reads the rows.
    pub context: ChatContext,
    pub accounts: Vec<AccountId>,
    pub leaf_updated_ms: u64,
    /// A last-resort package was used to join: update the leaf at once.
    pub leaf_update_due: bool,
    /// The key of the last message that the user has seen.
    #[serde(with = "serde_bytes")]
    pub read_through: Vec<u8>,
    /// Sequences of our own messages that people don't see.
    pub hidden: SeqSet,
    /// Our message that told our details last, 0 if none did.
    #[serde(default)]
    pub details_sequence: u64,
    /// Our details changed while that message was on its way.
    #[serde(default)]
    pub details_due: bool,
    /// Another copy of this device's data has gone on in this chat: the first start of the program that it doesn't share. Nothing is
    /// sealed until this device has joined anew.
    #[serde(default)]
    pub copied: Option<u32>,
    /// Streams of ours that have ended, with their last sequence.
    #[serde(default)]
    pub past: Vec<(u64, u64)>,
    /// Own messages that were given up: nobody is to wait for them.
    #[serde(default)]
    pub given_up: SeqSet,
    /// Whose messages are stored: messages name them by their place here.
    #[serde(default)]
    pub authors: Vec<AuthorRow>,
}

/// An author of stored messages.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AuthorRow {
    pub stream: StreamId,
    pub account: AccountId,
    /// Of this account.
    pub own: bool,
}

/// An unsettled state.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct NodeRow {
    pub node: NodeId,
    pub since_ms: u64,
    /// The chat's topic in it.
    pub topic: TopicSecret,
    /// What led to it; none for the oldest.
    pub commit: Option<dag::Commit>,
    /// Its MLS rows are here: this device is in it.
    pub kept: bool,
    /// It puts this device back: the Welcome is on its way.
    #[serde(default)]
    pub puts_back: bool,
    /// That with a leaf that this device hasn't offered, as far as it remembers.
    #[serde(default)]
    pub unasked: bool,
}

/// A topic that is only read from now on.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct OldTopic {
    pub topic: TopicId,
    pub until_ms: u64,
    /// Letters on it are read and answered.
    #[serde(default)]
    pub secret: Option<TopicSecret>,
}

/// A Welcome that waits.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct WelcomeRow {
    pub node: NodeId,
    pub account: AccountId,
    /// What it is to be told.
    #[serde(with = "serde_bytes")]
    pub message: Vec<u8>,
    #[serde(default)]
    pub to: WelcomeTo,
    /// Its commit is in custody.
    #[serde(default)]
    pub held: bool,
}

/// How a Welcome reaches whom it is for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum WelcomeTo {
    /// By the inbox of a contact.
    #[default]
    Contact,
    /// By a letter to a member's device, on the topic on which it asked.
    Member { device: DeviceId, topic: TopicId },
    /// By the inbox that a guest told.
    Guest(Box<Guest>),
}

/// Somebody who is let into a group by an invite link of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Guest {
    pub account: AccountId,
    pub package: CardPackage,
    pub inbox: Inbox,
    /// Of the inbox's key.
    pub suite: Suite,
    pub to: Reach,
}

/// Where somebody who is no contact can be reached, and until when that is tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reach {
    pub relays: Vec<PeerAddress>,
    pub devices: Vec<PeerAddress>,
    pub until_ms: u64,
}

impl Reach {
    /// Relays, and the devices whose transport keys are certified.
    pub fn new(
        mut relays: Vec<PeerAddress>,
        devices: &[PeerAddress],
        transports: &[TransportCertificate],
        until_ms: u64,
    ) -> Self {
        let is_device = |key: &TransportKey| transports.iter().any(|known| known.transport == *key);
        relays.retain(|relay| !is_device(&relay.key));
        relays.truncate(limits::RELAYS);
        let devices = devices.iter().filter(|device| is_device(&device.key));
        Self {
            relays,
            devices: devices.take(limits::RELAYS).cloned().collect(),
            until_ms,
        }
    }

    /// Whether a peer is one of these.
    pub fn leads_to(&self, peer: &TransportKey) -> bool {
        self.relays.iter().chain(&self.devices).any(|known| known.key == *peer)
    }
}

/// What somebody who is no contact is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum About {
    /// That this account asks to be let into a group: the card topic of the invite.
    Request(TopicId),
    /// That it is in, and by which state.
    Welcome {
        chat: ChatId,
        account: AccountId,
        node: NodeId,
    },
}

/// A group that this account has asked to be let into.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct GuestRow {
    /// The card topic of the invite.
    pub card: TopicId,
    pub chat: ChatId,
    /// The group's name, as the invite says.
    pub name: String,
    pub inviter: AccountId,
    /// Where the inviter answers, and the package by which it adds this device.
    pub inbox: OwnInbox,
    pub asked_ms: u64,
    pub until_ms: u64,
    /// It was let in; the inbox is kept for the case that the branch of that commit loses.
    pub joined: bool,
}

/// A change of a group that this device wants.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct IntentRow {
    pub change: Intent,
    /// The commit that makes it; none if it is still to be made, or was lost.
    pub node: Option<NodeId>,
}

/// What is to be changed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Intent {
    /// A contact becomes a member.
    Add(AccountId),
    /// An account is no member any more.
    Remove(AccountId),
    /// Settings that are given replace those of the chat.
    Settings(SettingsChange),
    /// An account's role changes.
    Role(AccountId, Role),
    /// A guest becomes a member.
    Guest(Box<Guest>),
    /// A member asked to leave, or to be put back.
    Wish(#[serde(with = "serde_bytes")] Vec<u8>),
}

/// A chat's fast part: written with every message.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct ChatHead {
    /// The last sequence of our own.
    pub sequence: u64,
    #[serde(with = "serde_bytes")]
    pub previous: [u8; 32],
    pub clock: u64,
    pub heads: Vec<MessageId>,
    pub last_ms: u64,
    /// The others haven't been told what we have.
    pub owed: bool,
    /// How often this device has sealed something since it joined.
    #[serde(default)]
    pub sealed: u64,
    /// Bytes of envelopes that are kept for other members.
    #[serde(default)]
    pub passed_bytes: u64,
}

/// What we have of another's stream.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct StreamRow {
    pub received: SeqSet,
    pub read_through: u64,
    /// The first sequence that concerns this device; 0 if nothing of the stream has come yet.
    #[serde(default)]
    pub from: u64,
    /// Its author said so, or it is certain.
    #[serde(default)]
    pub told: bool,
    /// Both as they were before this device was put out and added again.
    #[serde(default)]
    pub before: Option<(u64, bool)>,
    /// Hashes of the last messages of ranges, for what comes next; and what the first messages of ranges say of the one before.
    #[serde(default)]
    pub lasts: Vec<(u64, serde_bytes::ByteArray<16>)>,
    #[serde(default)]
    pub firsts: Vec<(u64, serde_bytes::ByteArray<16>)>,
    /// When something of it came last.
    #[serde(default)]
    pub heard_ms: u64,
    /// This device let go of what it knew of the stream, and hears of it again: what came before may come again.
    #[serde(default)]
    pub again: bool,
}

/// A gap; stream and first sequence are in its key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct GapRow {
    pub account: AccountId,
    pub last: u64,
    /// What of it isn't here.
    pub missing: SeqSet,
    pub since_ms: u64,
    /// Its author gave it up.
    pub lost: bool,
    /// How often somebody was asked for it.
    pub rounds: u32,
    pub due_ms: u64,
}

/// Where two histories of a stream part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ForkRow {
    pub account: AccountId,
    /// The first sequence at which that was found.
    pub sequence: u64,
    pub since_ms: u64,
}

/// What another device has of our stream.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AckRow {
    pub delivered: SeqSet,
    pub read_through: u64,
    /// The state that its last message built on.
    pub node: Option<NodeId>,
    /// The first of our messages that concerns it: it joined then.
    #[serde(default)]
    pub from: u64,
    /// The state in which it joined, until that is settled, and the same before.
    #[serde(default)]
    pub joined: Option<(NodeId, u64)>,
    /// The mark of what came from it last.
    #[serde(default)]
    pub mark: Option<Mark>,
}

/// A message; its author's time is in its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MessageRow {
    /// Its place in the chat's authors.
    pub author: u32,
    pub sequence: u64,
    pub received_ms: u64,
    pub body: Body,
    pub fallback: String,
    #[serde(with = "serde_bytes")]
    pub extensions: Vec<u8>,
    /// Something was done to it: there are rows of effects.
    #[serde(default)]
    pub touched: bool,
    /// Its author took it back: nothing is left of what it said.
    #[serde(default)]
    pub deleted: bool,
}

/// What waits to be handed over.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct OutRow {
    pub kind: OutKind,
    pub topic: TopicId,
    /// The sealed envelope; none while nobody is there to hand it to.
    pub envelope: Option<serde_bytes::ByteBuf>,
    /// The state that it was sealed on, and when.
    pub node: NodeId,
    pub epoch: u64,
    pub sealed_ms: u64,
}

/// What an outgoing envelope is.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) enum OutKind {
    /// Numbered messages in a row, without holes; they are kept, so that they can be sealed again.
    Messages {
        chat: ChatId,
        #[serde(with = "run")]
        run: Vec<Durable>,
        /// The stream of ours.
        incarnation: u64,
        /// The start of the program in which they were numbered.
        start: u32,
        /// They were sealed once: somebody may have them.
        sent: bool,
    },
    /// A commit of ours, and the node that it makes.
    Commit {
        chat: ChatId,
        node: NodeId,
        /// Whom it removes: they are to hear of it too.
        removed: Vec<AccountId>,
    },
    /// What is in a contact's inbox for a chat.
    Inbox {
        account: AccountId,
        chat: ChatId,
        /// It asks to put this device back.
        wish: bool,
        /// The state that a Welcome leads to.
        #[serde(default)]
        node: Option<NodeId>,
    },
    /// A letter on a chat's topic: to a device, with a Welcome to a state, or a wish to all.
    Letter {
        chat: ChatId,
        to: Option<(DeviceId, NodeId)>,
    },
    /// The card of an invite, by its card topic.
    Card { invite: TopicId },
    /// A contact request for a chat.
    Request { chat: ChatId },
    /// An entry of an own channel, or a beacon: number 0.
    Channel { channel: ChannelId, number: u64 },
    /// An answer to a poll of a channel, which is over by then.
    Ballot { channel: ChannelId, until_ms: u64 },
    /// Something for somebody who is no contact.
    Stranger { about: About, to: Reach },
}

impl OutKind {
    /// The chat of a commit, and the node that it makes.
    pub fn commit(&self) -> Option<(ChatId, NodeId)> {
        match self {
            Self::Commit { chat, node, .. } => Some((*chat, *node)),
            _ => None,
        }
    }
}

/// Messages in a row as bytes, the way they travel.
mod run {
    use super::*;
    use serde::{Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(run: &[Durable], serializer: S) -> Result<S::Ok, S::Error> {
        let mut w = Writer::default();
        w.list(run, |w, message| message.write(w));
        serde_bytes::serialize(&w.into_bytes(), serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Durable>, D::Error> {
        let bytes: Vec<u8> = serde_bytes::deserialize(deserializer)?;
        let mut r = Reader::new(&bytes);
        let run = r
            .list("run", limits::RUN_MESSAGES, Durable::read)
            .map_err(D::Error::custom)?;
        r.finish().map_err(D::Error::custom)?;
        Ok(run)
    }
}

/// Who holds own messages that were handed over together.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LedgerRow {
    /// The last sequence; the first is in the key.
    pub last: u64,
    /// Relay, Unix milliseconds until which it keeps it; 0 if it has lost it since.
    pub held: Vec<(TransportKey, u64)>,
    /// Why the last custodian refused, while none holds it.
    pub refused: Option<Refusal>,
    /// They waited for too long and were given up.
    #[serde(default)]
    pub expired: bool,
}

/// One of our invites.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct InviteRow {
    pub invite: Invite,
    pub card: TopicSecret,
    pub card_key: CardKey,
    pub suite: Suite,
    #[serde(with = "serde_bytes")]
    pub seal_private: Vec<u8>,
    #[serde(with = "serde_bytes")]
    pub seal_public: Vec<u8>,
    pub multi_use: bool,
    pub packages: Vec<OwnPackage>,
    pub number: u64,
    pub expires_s: u64,
    /// Where it leads to a group: how guests are let in.
    #[serde(default)]
    pub group: Option<DoorRow>,
    /// Requests that the user declined, or that were served: relays may bring them again.
    #[serde(default)]
    pub declined: Vec<RequestId>,
}

/// How an invite lets guests into a group.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct DoorRow {
    /// The user decides on each.
    pub approval: bool,
    /// How many it lets in.
    pub max_uses: u32,
    /// Whom it has let in.
    pub let_in: Vec<AccountId>,
}

/// A key package of ours with its private rows.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct OwnPackage {
    pub package: CardPackage,
    pub rows: GroupRows,
}

/// An invite that we accept: its card is being looked for.
#[derive(Clone)]
pub(crate) struct Acceptance {
    pub asks: Vec<Accepting>,
    pub invite: Invite,
    pub until_ms: u64,
    /// The newest version of the card so far.
    pub best: Option<crate::contact::Card>,
}

/// Who waits for the chat: by the token of the reply, and under which name if not as the account.
#[derive(Clone)]
pub(crate) struct Accepting {
    pub token: u64,
    pub alias: Option<String>,
}

impl Acceptance {
    /// Whether the inviter's devices may be asked too: not by an alias, since they would see this node's key.
    pub fn is_open(&self) -> bool {
        self.asks.iter().any(|ask| ask.alias.is_none())
    }
}

/// A contact request that waits for the user.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct RequestRow {
    pub request: RequestId,
    pub invite: TopicId,
    pub account: AccountId,
    pub name: String,
    pub received_ms: u64,
    #[serde(with = "serde_bytes")]
    pub content: Vec<u8>,
    /// The group that it asks to be let into; none if it asks for contact.
    #[serde(default)]
    pub chat: Option<ChatId>,
}

/// A contact.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ContactRow {
    pub account: AccountId,
    pub name: String,
    /// Of its inbox and key package.
    pub suite: Suite,
    pub chat: ChatId,
    pub since_ms: u64,
    pub log: DeviceLog,
    pub transports: Vec<TransportCertificate>,
    pub devices: Vec<PeerAddress>,
    pub relays: Vec<PeerAddress>,
    /// Where we write to them; known once they have told.
    pub their_inbox: Option<Inbox>,
    /// By which we can add them to groups.
    pub package: Option<CardPackage>,
    /// Where they write to us.
    pub our_inbox: OwnInbox,
    /// The message that told these details: an older one may come later.
    #[serde(default)]
    pub told_by: Option<(StreamId, u64)>,
}

/// As whom this device is in a chat that it asked for under an alias.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct AliasRow {
    pub log: DeviceLog,
    pub device: DeviceSecret,
    /// What it calls itself; may be empty.
    pub name: String,
    /// The other of the chat, who is no contact of the account's by that.
    pub contact: ContactRow,
}

/// An inbox of ours, for one contact.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct OwnInbox {
    pub topic: TopicSecret,
    #[serde(with = "serde_bytes")]
    pub seal_private: Vec<u8>,
    #[serde(with = "serde_bytes")]
    pub seal_public: Vec<u8>,
    /// What the contact adds us to groups by, the newest first.
    pub packages: Vec<OwnPackage>,
}

/// What an idempotency key was used for.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct IdempotencyRow {
    /// Hash of what it was made of.
    #[serde(with = "serde_bytes")]
    pub content: [u8; 32],
    /// The id of the message or chat.
    #[serde(with = "serde_bytes")]
    pub made: [u8; 32],
    pub at_ms: u64,
}
