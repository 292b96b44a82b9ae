//! What relays did, and what they signed, as it is stored and shown.

use super::super::records::decode;
use crate::keys::{EnvelopeId, TopicId, TransportKey};
use crate::rows::{Rows, RowsError, Tree};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Points from which a relay is demoted.
pub(super) const DEMOTED: u32 = 4;
pub(super) const STANDING: u8 = 0;
pub(super) const RECEIPT: u8 = 1;
pub(super) const PROOF: u8 = 2;

/// What a relay did wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Fault {
    /// Its storage shows an earlier state than the one that it signed for, as after a backup was restored.
    Forgot,
    /// It signed for an envelope and lacked it before its expiry.
    Denied,
    /// It sent what isn't valid: frames, envelopes or receipts that don't verify, items out of order.
    Junk,
    /// It sends pages, or goes on comparing, without end.
    Endless,
    /// It says that it has an envelope and doesn't serve it.
    Unserved,
}

impl Fault {
    /// A stable name for people and the local API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Forgot => "forgot",
            Self::Denied => "denied",
            Self::Junk => "junk",
            Self::Endless => "endless",
            Self::Unserved => "unserved",
        }
    }

    /// Reads what [`Self::code`] gives.
    pub(in crate::client) fn from_code(code: u8) -> Option<Self> {
        [Self::Forgot, Self::Denied, Self::Junk, Self::Endless, Self::Unserved]
            .into_iter()
            .find(|fault| fault.code() == code)
    }

    /// Its number in events, never reused.
    pub(in crate::client) fn code(self) -> u8 {
        match self {
            Self::Forgot => 1,
            Self::Denied => 2,
            Self::Junk => 3,
            Self::Endless => 4,
            Self::Unserved => 5,
        }
    }

    pub(super) fn points(self) -> u32 {
        match self {
            // Whoever restores a backup has erred, not lied.
            Self::Forgot | Self::Endless | Self::Unserved => DEMOTED,
            Self::Denied => 2 * DEMOTED,
            Self::Junk => 1,
        }
    }
}

/// A fault and its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// What.
    pub fault: Fault,
    /// When it was found, Unix milliseconds.
    pub at_ms: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StandingRow {
    pub points: u32,
    /// From when the next half-life counts.
    pub counted_ms: u64,
    pub demoted_ms: Option<u64>,
    pub marks: VecDeque<Mark>,
    pub next: u64,
    /// When a receipt last told when the relay takes things, Unix milliseconds.
    pub dated_ms: u64,
    pub audited_ms: u64,
}

/// One envelope that a relay signed for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::client) struct Promise {
    pub id: EnvelopeId,
    pub topic: TopicId,
    /// By the relay's clock.
    pub until_s: u64,
    /// When it took it, if its expiry tells.
    pub taken_s: u64,
}

/// A signed receipt, as far as it is about envelopes of ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ReceiptRow {
    /// The frame as it came, without what was refused.
    pub frame: serde_bytes::ByteBuf,
    pub promises: Vec<Promise>,
    pub at_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct EvidenceRow {
    pub fault: Fault,
    pub at_ms: u64,
    pub topic: Option<TopicId>,
    pub envelope: Option<EnvelopeId>,
    pub until_s: u64,
    pub receipts: Vec<serde_bytes::ByteBuf>,
    pub answer: String,
    pub frame: serde_bytes::ByteBuf,
}

/// What is known of a relay's conduct.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The relay.
    pub relay: TransportKey,
    /// Since when it is demoted, Unix milliseconds; `None` while it is trusted.
    pub demoted_ms: Option<u64>,
    /// What it did, the newest last.
    pub marks: Vec<Mark>,
}

impl Standing {
    /// The gravest of its faults.
    pub fn reason(&self) -> Option<Fault> {
        self.marks
            .iter()
            .map(|mark| mark.fault)
            .max_by_key(|fault| fault.points())
    }
}

/// What was kept as proof of a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The relay.
    pub relay: TransportKey,
    /// What it shows.
    pub fault: Fault,
    /// When it was found, Unix milliseconds.
    pub at_ms: u64,
    /// The topic that it is about.
    pub topic: Option<TopicId>,
    /// The envelope that it is about.
    pub envelope: Option<EnvelopeId>,
    /// Until when the relay signed to keep it, Unix seconds; 0 if it isn't about a promise.
    pub until_s: u64,
    /// Custody frames with receipts that the relay signed.
    pub receipts: Vec<Vec<u8>>,
    /// What it answered instead, in words.
    pub answer: String,
    /// The beginning of the frame in which it did.
    pub frame: Vec<u8>,
}

/// Reads evidence, that about one relay or all, the newest of each relay last.
pub fn evidence(rows: &dyn Rows, relay: Option<&TransportKey>) -> Result<Vec<Evidence>, RowsError> {
    let prefix = relay.map_or(Vec::new(), |relay| [relay.0.as_slice(), &[PROOF]].concat());
    let mut found = Vec::new();
    for (stored, value) in rows.prefix(Tree::Trust, &prefix, usize::MAX)? {
        let Some((relay, PROOF, _)) = parts(&stored) else {
            continue;
        };
        let row: EvidenceRow = decode(&value)?;
        found.push(Evidence {
            relay,
            fault: row.fault,
            at_ms: row.at_ms,
            topic: row.topic,
            envelope: row.envelope,
            until_s: row.until_s,
            receipts: row.receipts.into_iter().map(|frame| frame.into_vec()).collect(),
            answer: row.answer,
            frame: row.frame.into_vec(),
        });
    }
    Ok(found)
}

pub(super) fn parts(stored: &[u8]) -> Option<(TransportKey, u8, u64)> {
    let (relay, rest) = stored.split_first_chunk::<32>()?;
    let (kind, number) = rest.split_first()?;
    let number = number.try_into().map_or(0, u64::from_be_bytes);
    Some((TransportKey(*relay), *kind, number))
}

pub(super) fn row_key(relay: &TransportKey, kind: u8, number: u64) -> Vec<u8> {
    let number = number.to_be_bytes();
    let number: &[u8] = if kind == STANDING { &[] } else { &number };
    [relay.0.as_slice(), &[kind], number].concat()
}
