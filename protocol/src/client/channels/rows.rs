//! The rows of channels, and their keys.

use crate::address::PeerAddress;
use crate::channel::Scopes;
use crate::channel::terms::{Terms, Why};
use crate::client::ReportOutcome;
use crate::keys::{ChannelId, EnvelopeId, TopicId, TransportKey, WriterId, WriterSecret};
use crate::seq_set::SeqSet;
use serde::{Deserialize, Serialize};

/// A channel that is followed, or our own.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(in crate::client) struct ChannelRow {
    /// As the link calls it, to be shown until a beacon is here.
    pub name: String,
    /// Where the link says that it is kept.
    pub relays: Vec<PeerAddress>,
    pub since_ms: u64,
    pub followed: bool,
    pub muted: bool,
    pub blocked: bool,
    /// It is our own: what its root does beside writing.
    pub own: Option<OwnRow>,
    /// What we write with, the root's key or one that it certified.
    pub pen: Option<PenRow>,
    /// The beacon that counts, as it came; empty before the first.
    #[serde(with = "serde_bytes")]
    pub beacon: Vec<u8>,
    pub beacon_ms: u64,
    pub writers: Vec<WriterRow>,
    /// The key of the last post that the user has seen.
    #[serde(with = "serde_bytes")]
    pub read_through: Vec<u8>,
    /// Pieces of evidence that are kept.
    pub evidence: u32,
    /// Entries that are kept, and their bytes.
    pub kept: u64,
    pub kept_bytes: u64,
    pub last_ms: u64,
    /// How far back each relay was read.
    pub reached: Vec<ReachedRow>,
    /// Since when something is missing; 0 if nothing is.
    pub gap_ms: u64,
    /// What the follower wants, and when.
    pub terms: Terms,
    /// What is held back, the oldest first.
    pub held: Vec<HeldRow>,
    /// The day for which it counts what is shown, by its beginning.
    pub day_ms: u64,
    /// Posts shown on that day.
    pub shown: u32,
    /// When it last posted more than it promised; 0 for never.
    pub broke_ms: u64,
    /// This device takes part in its mesh.
    #[serde(default)]
    pub mesh: bool,
    /// The domain that was last seen to vouch for it, and when.
    pub proved: Option<(String, u64)>,
}

/// A post that is held back.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::client) struct HeldRow {
    pub post: EnvelopeId,
    pub since_ms: u64,
    /// When it is weighed again; never by itself if there is no time.
    pub until_ms: Option<u64>,
    pub why: Why,
}

/// What the root of a channel of our own knows.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(in crate::client) struct OwnRow {
    /// Of the last beacon.
    pub beacon: u64,
    /// When the next one is due.
    pub beacon_due_ms: u64,
    /// Whom we certified, and not revoked.
    pub granted: Vec<GrantRow>,
    /// In whose directories it is to be found, or was.
    #[serde(default)]
    pub listings: Vec<ListingRow>,
    /// Relays that it has left and that haven't signed yet for a beacon that says so.
    #[serde(default)]
    pub left: Vec<LeftRow>,
}

/// A relay that an own channel has left.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::client) struct LeftRow {
    pub relay: PeerAddress,
    /// When it is given up, Unix milliseconds.
    pub until_ms: u64,
}

/// An own channel in the directory of a relay.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::client) struct ListingRow {
    pub relay: TransportKey,
    /// It is to be in it no longer.
    pub withdrawn: bool,
    /// Of the last listing that was signed.
    pub number: u64,
    /// Until when the one holds that the relay took; 0 if it took none.
    pub until_s: u64,
    /// The relay has what is wanted now.
    pub settled: bool,
    /// The code by which it refused the last one.
    pub refused: Option<u8>,
}

/// What we write on a channel with.
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::client) struct PenRow {
    pub secret: WriterSecret,
    /// The certificates, as on the wire; none for the channel's own key, or as long as there are none.
    #[serde(with = "serde_bytes")]
    pub chain: Vec<u8>,
    /// Of our last entry; 0 and zeros for none.
    pub number: u64,
    pub previous: EnvelopeId,
}

/// Whom we certified.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::client) struct GrantRow {
    pub writer: WriterId,
    pub scopes: Scopes,
    pub categories: Vec<String>,
    pub from_s: u64,
    pub until_s: u64,
}

/// A writer of a channel.
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::client) struct WriterRow {
    pub writer: WriterId,
    pub received: SeqSet,
    /// The least number that is looked for; what is before it is older history.
    pub from: u64,
    /// The least number when it was first heard of: what is before it is no news, whenever it comes. 0 in rows of before this was kept.
    #[serde(default)]
    pub first: u64,
    /// The greatest that somebody signed for.
    pub last: u64,
}

/// How far back a relay was read.
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::client) struct ReachedRow {
    pub relay: TransportKey,
    /// The least position that came; 0 if none did.
    pub position: u64,
    /// It has nothing older.
    pub oldest: bool,
}

/// An entry; writer and number are in its key.
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::client) struct EntryRow {
    #[serde(with = "serde_bytes")]
    pub envelope: Vec<u8>,
    pub received_ms: u64,
}

/// A post that is to be published later; channel, time and id are in its key.
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::client) struct PlannedRow {
    #[serde(with = "serde_bytes")]
    pub post: Vec<u8>,
}

/// A poll of ours; channel and topic are in its key.
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::client) struct BoxRow {
    pub post: EnvelopeId,
    /// The suite of what answers are sealed to.
    pub suite: u16,
    /// What opens them; none once the poll is over.
    pub private: Option<serde_bytes::ByteBuf>,
    pub until_s: u64,
    pub multiple: bool,
    /// Who has answered, also with nothing.
    pub kept: u32,
    /// Who has chosen something, and who each option.
    pub voters: u32,
    pub counts: Vec<u32>,
    /// More came than is counted.
    pub capped: bool,
    /// How often a result was told.
    pub told: u32,
    /// The poll is over and its answers are gone.
    pub cleared: bool,
}

/// A post that is being reported; its id is the key.
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::client) struct ReportRow {
    pub channel: ChannelId,
    pub reason: u8,
    pub text: String,
    /// The post's, and that of the edit that counted.
    pub envelopes: Vec<serde_bytes::ByteBuf>,
    /// When relays that haven't answered are given up, Unix milliseconds.
    pub until_ms: u64,
    pub relays: Vec<ReportedRow>,
}

/// How a report stands at a relay.
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::client) struct ReportedRow {
    pub relay: PeerAddress,
    /// What has become of it; none while it waits.
    pub outcome: Option<ReportOutcome>,
}

/// An answer to a poll, that came or our own.
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::client) struct VoteRow {
    #[serde(with = "serde_bytes")]
    pub voter: [u8; 32],
    pub number: u64,
    pub choices: u16,
}

/// Where an entry is: its writer and number.
pub(in crate::client) type Place = (WriterId, u64);

/// Keys of the rows.
pub(in crate::client) mod key {
    use super::*;

    /// Bytes of an envelope's id in keys.
    const ID_BYTES: usize = 16;
    /// What a timeline's row begins with.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Kind {
        /// No post: it is there for what it was done to.
        Act = 0,
        /// A post.
        Post = 1,
        /// A post that the terms didn't want when it came.
        Unwanted = 2,
    }

    impl Kind {
        pub fn is_post(self) -> bool {
            self != Self::Act
        }
    }

    fn short(id: &EnvelopeId) -> &[u8] {
        id.0.get(..ID_BYTES).unwrap_or_default()
    }

    pub fn entry(channel: &ChannelId, (writer, number): &Place) -> Vec<u8> {
        [channel.0.as_slice(), &writer.0, &number.to_be_bytes()].concat()
    }

    /// Bytes of a timeline's key before the envelope's id.
    const WHEN_BYTES: usize = 32 + 8 + 8;

    /// Entries of a channel by time; a writer's of one time by their numbers.
    pub fn timeline(channel: &ChannelId, time_ms: u64, number: u64, id: &EnvelopeId) -> Vec<u8> {
        [
            channel.0.as_slice(),
            &time_ms.to_be_bytes(),
            &number.to_be_bytes(),
            short(id),
        ]
        .concat()
    }

    /// The least key of a time.
    pub fn timeline_from(channel: &ChannelId, time_ms: u64) -> Vec<u8> {
        [channel.0.as_slice(), &time_ms.to_be_bytes()].concat()
    }

    /// The time of a timeline's key.
    pub fn timeline_time(stored: &[u8]) -> Option<u64> {
        let time = stored.get(32..40)?.try_into().ok()?;
        Some(u64::from_be_bytes(time))
    }

    /// The key by which the entry of a timeline's key is found by its id.
    pub fn timeline_id(stored: &[u8]) -> Option<Vec<u8>> {
        stored.get(WHEN_BYTES..).map(<[u8]>::to_vec)
    }

    /// What the timeline says of an entry.
    pub fn on_timeline(kind: Kind, (writer, number): &Place) -> Vec<u8> {
        [&[kind as u8][..], &writer.0, &number.to_be_bytes()].concat()
    }

    /// Reads that.
    pub fn read_timeline(value: &[u8]) -> Option<(Kind, Place)> {
        let (kind, place) = value.split_first()?;
        let kind = match kind {
            0 => Kind::Act,
            1 => Kind::Post,
            _ => Kind::Unwanted,
        };
        Some((kind, self::place(place)?))
    }

    /// Reads writer and number.
    pub fn place(value: &[u8]) -> Option<Place> {
        let (writer, number) = value.split_at_checked(32)?;
        let number = u64::from_be_bytes(number.try_into().ok()?);
        Some((WriterId(writer.try_into().ok()?), number))
    }

    /// Where an entry is found by its id: the value is its key in the tree of entries.
    pub fn id(id: &EnvelopeId) -> Vec<u8> {
        short(id).to_vec()
    }

    /// What was done to a post.
    pub fn marks(channel: &ChannelId, target: &EnvelopeId) -> Vec<u8> {
        [channel.0.as_slice(), short(target)].concat()
    }

    /// One thing that was done to it.
    pub fn mark(channel: &ChannelId, target: &EnvelopeId, act: &EnvelopeId) -> Vec<u8> {
        [channel.0.as_slice(), short(target), short(act)].concat()
    }

    pub fn evidence(channel: &ChannelId, number: u32) -> Vec<u8> {
        [channel.0.as_slice(), &number.to_be_bytes()].concat()
    }

    /// Kinds of rows of polls: those of ours, answers to them, and own answers.
    const BOX: u8 = 0;
    const VOTE: u8 = 1;
    const OWN_VOTE: u8 = 2;

    /// The polls of ours on a channel.
    pub fn boxes(channel: &ChannelId) -> Vec<u8> {
        [channel.0.as_slice(), &[BOX]].concat()
    }

    pub fn ballot_box(channel: &ChannelId, topic: &TopicId) -> Vec<u8> {
        [channel.0.as_slice(), &[BOX], &topic.0].concat()
    }

    /// Reads the topic.
    pub fn topic_of_box(stored: &[u8]) -> Option<TopicId> {
        stored.get(33..)?.try_into().ok().map(TopicId)
    }

    /// The answers to a poll.
    pub fn votes(channel: &ChannelId, topic: &TopicId) -> Vec<u8> {
        [channel.0.as_slice(), &[VOTE], &topic.0].concat()
    }

    pub fn vote(channel: &ChannelId, topic: &TopicId, voter: &[u8; 32]) -> Vec<u8> {
        [votes(channel, topic).as_slice(), voter].concat()
    }

    /// Our own answer to a poll.
    pub fn own_vote(channel: &ChannelId, topic: &TopicId) -> Vec<u8> {
        [channel.0.as_slice(), &[OWN_VOTE], &topic.0].concat()
    }

    pub fn planned(channel: &ChannelId, at_ms: u64, id: &[u8; 32]) -> Vec<u8> {
        [channel.0.as_slice(), &at_ms.to_be_bytes(), id].concat()
    }

    /// Reads channel, time and id.
    pub fn read_planned(stored: &[u8]) -> Option<(ChannelId, u64, [u8; 32])> {
        let channel = stored.get(..32)?.try_into().ok()?;
        let at_ms = u64::from_be_bytes(stored.get(32..40)?.try_into().ok()?);
        Some((ChannelId(channel), at_ms, stored.get(40..)?.try_into().ok()?))
    }
}
