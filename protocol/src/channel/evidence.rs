//! Evidence: two envelopes of a channel that no honest channel has both of. Whoever has them checks them without anybody's help.

use super::beacon::Beacon;
use super::entry::{Entry, Statement};
use crate::envelope::{Envelope, EnvelopeError};
use crate::keys::{ChannelId, WriterId};
use crate::limits;
use crate::wire::{DecodeError, Reader, Wire, Writer};

const EVIDENCE_VERSION: u16 = 1;

/// Two envelopes of one channel.
///
/// | bytes | field |
/// |---|---|
/// | 2 | version, 1 |
/// | V | one envelope |
/// | V | another |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// An encoded envelope.
    pub one: Vec<u8>,
    /// Another.
    pub other: Vec<u8>,
}

/// What evidence proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A writer signed two entries with one number.
    TwoEntries {
        /// Who.
        writer: WriterId,
        /// The number.
        number: u64,
    },
    /// An entry follows another one than the writer signed with the number before.
    TwoHistories {
        /// Who.
        writer: WriterId,
        /// The number of the later entry.
        number: u64,
    },
    /// The root signed two beacons with one number.
    TwoBeacons {
        /// The number.
        number: u64,
    },
    /// A later beacon has an earlier head of a writer, or another one with its number.
    HeadWentBack {
        /// Whose head.
        writer: WriterId,
        /// The number of the later beacon.
        beacon: u64,
    },
    /// A later beacon has an earlier manifest, or another one with its number.
    ManifestWentBack {
        /// The number of the later beacon.
        beacon: u64,
    },
    /// A beacon names another entry than the writer signed with that number.
    AnotherHead {
        /// Who.
        writer: WriterId,
        /// The entry's number.
        number: u64,
    },
}

/// Something is no evidence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// It can't be read.
    #[error("evidence: {0}")]
    Decode(#[from] DecodeError),
    /// One of the two isn't valid on its topic.
    #[error("evidence: {0}")]
    Envelope(#[from] EnvelopeError),
    /// They are of two channels, or of none.
    #[error("evidence: the two aren't of one channel")]
    Channel,
    /// They go together.
    #[error("evidence: the two don't contradict each other")]
    Nothing,
}

impl Proof {
    /// The name of the local API.
    pub fn name(&self) -> &'static str {
        match self {
            Self::TwoEntries { .. } => "two_entries",
            Self::TwoHistories { .. } => "two_histories",
            Self::TwoBeacons { .. } => "two_beacons",
            Self::HeadWentBack { .. } => "head_went_back",
            Self::ManifestWentBack { .. } => "manifest_went_back",
            Self::AnotherHead { .. } => "another_head",
        }
    }

    /// Whose signature it is about; the root's if it is none of a writer's.
    pub fn writer(&self) -> Option<WriterId> {
        match self {
            Self::TwoEntries { writer, .. }
            | Self::TwoHistories { writer, .. }
            | Self::HeadWentBack { writer, .. }
            | Self::AnotherHead { writer, .. } => Some(*writer),
            Self::TwoBeacons { .. } | Self::ManifestWentBack { .. } => None,
        }
    }

    /// What two envelopes of a channel prove, if anything.
    pub fn of(one: &Envelope, other: &Envelope) -> Option<Self> {
        let (Some(by_one), Some(by_other)) = (one.authority(), other.authority()) else {
            return None;
        };
        if one.topic() != other.topic() || one.id() == other.id() {
            return None;
        }
        let (a, b) = (
            Statement::decode(one.body()).ok()?,
            Statement::decode(other.body()).ok()?,
        );
        match (&a, &b) {
            (Statement::Entry(first), Statement::Entry(second)) if by_one.writer == by_other.writer => {
                entries(by_one.writer, (one, first), (other, second))
            }
            // Another root may have taken over: what it doesn't know of, it can't be held to.
            (Statement::Beacon(first), Statement::Beacon(second)) if by_one.writer == by_other.writer => {
                if first.number <= second.number {
                    beacons(first, second)
                } else {
                    beacons(second, first)
                }
            }
            (Statement::Entry(entry), Statement::Beacon(beacon)) if by_other.is_root() => {
                another_head(by_one.writer, one, entry, beacon)
            }
            (Statement::Beacon(beacon), Statement::Entry(entry)) if by_one.is_root() => {
                another_head(by_other.writer, other, entry, beacon)
            }
            _ => None,
        }
    }
}

fn entries(writer: WriterId, one: (&Envelope, &Entry), other: (&Envelope, &Entry)) -> Option<Proof> {
    let (earlier, later) = if one.1.number <= other.1.number {
        (one, other)
    } else {
        (other, one)
    };
    let number = later.1.number;
    match number - earlier.1.number {
        0 => Some(Proof::TwoEntries { writer, number }),
        1 if later.1.previous != earlier.0.id() => Some(Proof::TwoHistories { writer, number }),
        _ => None,
    }
}

/// `first` has the lesser number, or the same.
fn beacons(first: &Beacon, second: &Beacon) -> Option<Proof> {
    let beacon = second.number;
    if first.number == beacon {
        return Some(Proof::TwoBeacons { number: beacon });
    }
    let (before, after) = (&first.manifest, &second.manifest);
    if after.number < before.number || after.number == before.number && after != before {
        return Some(Proof::ManifestWentBack { beacon });
    }
    let back = first.heads.iter().find(|head| {
        // Whoever was revoked loses what is beyond its last entry.
        let later = second
            .head(&head.writer)
            .map(|later| (later.number, later.id))
            .or_else(|| second.revocation(&head.writer).map(|gone| (gone.last, gone.id)));
        let revoked = second.revocation(&head.writer).is_some();
        match later {
            Some((number, id)) => number < head.number && !revoked || number == head.number && id != head.id,
            None => true,
        }
    });
    back.map(|head| Proof::HeadWentBack {
        writer: head.writer,
        beacon,
    })
}

fn another_head(writer: WriterId, envelope: &Envelope, entry: &Entry, beacon: &Beacon) -> Option<Proof> {
    let head = beacon.head(&writer)?;
    (head.number == entry.number && head.id != envelope.id()).then_some(Proof::AnotherHead {
        writer,
        number: entry.number,
    })
}

impl Evidence {
    /// Checks both signatures and what they prove together.
    pub fn verify(&self) -> Result<(ChannelId, Proof), EvidenceError> {
        let one = Envelope::verify(&self.one)?;
        let other = Envelope::verify(&self.other)?;
        if one.topic() != other.topic() || one.authority().is_none() || other.authority().is_none() {
            return Err(EvidenceError::Channel);
        }
        let proof = Proof::of(&one, &other).ok_or(EvidenceError::Nothing)?;
        Ok((ChannelId(one.topic().0), proof))
    }
}

impl Wire for Evidence {
    fn write(&self, w: &mut Writer) {
        w.u16(EVIDENCE_VERSION);
        w.bytes(&self.one);
        w.bytes(&self.other);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.version("evidence.version", EVIDENCE_VERSION)?;
        Ok(Self {
            one: r.bytes("evidence.one", limits::ENVELOPE_BYTES)?.to_vec(),
            other: r.bytes("evidence.other", limits::ENVELOPE_BYTES)?.to_vec(),
        })
    }
}
