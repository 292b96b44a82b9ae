//! Reporting a channel's post to the operator of a relay that keeps it.

use crate::limits;
use crate::wire::{DecodeError, Reader, Wire, Writer};

/// Show the relay's operator a post.
///
/// | bytes | field |
/// |---|---|
/// | 8 | request, chosen by the client, returned in the answer |
/// | 1 | why, by [`Reason`] |
/// | V | what whoever reports says, UTF-8, at most [`limits::REPORT_TEXT_BYTES`] |
/// | V | the post's envelope, and behind it that of the edit that counts, `opaque<V>` each |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Chosen by the client, returned in the answer.
    pub request: u64,
    /// Why.
    pub reason: Reason,
    /// For the operator.
    pub text: String,
    /// One, or two of which the second edits the first.
    pub envelopes: Vec<Vec<u8>>,
}

/// It is kept for the operator, on disk.
///
/// | bytes | field |
/// |---|---|
/// | 8 | request |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reported {
    /// As asked.
    pub request: u64,
}

/// Why a post is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Something else, which the text says.
    Other,
    /// Unwanted advertising, over and over.
    Spam,
    /// It is to cheat people of something.
    Fraud,
    /// It incites hatred, or threatens.
    Hate,
    /// It shows or calls for violence.
    Violence,
    /// It is sexual, and doesn't say so or may not be shown.
    Sexual,
    /// It harms children.
    Children,
    /// It passes for somebody else.
    Impersonation,
    /// It infringes somebody's rights.
    Rights,
    /// A reason of a later version.
    Unknown(u8),
}

impl Reason {
    /// Those of this version.
    pub const ALL: [Self; 9] = [
        Self::Spam,
        Self::Fraud,
        Self::Hate,
        Self::Violence,
        Self::Sexual,
        Self::Children,
        Self::Impersonation,
        Self::Rights,
        Self::Other,
    ];

    /// Its number.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Other => 0,
            Self::Spam => 1,
            Self::Fraud => 2,
            Self::Hate => 3,
            Self::Violence => 4,
            Self::Sexual => 5,
            Self::Children => 6,
            Self::Impersonation => 7,
            Self::Rights => 8,
            Self::Unknown(code) => code,
        }
    }

    /// By its number.
    #[must_use]
    pub fn from_code(code: u8) -> Self {
        let known = Self::ALL.into_iter().find(|reason| reason.code() == code);
        known.unwrap_or(Self::Unknown(code))
    }

    /// A stable name for people and the local API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Spam => "spam",
            Self::Fraud => "fraud",
            Self::Hate => "hate",
            Self::Violence => "violence",
            Self::Sexual => "sexual",
            Self::Children => "children",
            Self::Impersonation => "impersonation",
            Self::Rights => "rights",
            Self::Other | Self::Unknown(_) => "other",
        }
    }
}

impl Wire for Report {
    fn write(&self, w: &mut Writer) {
        w.u64(self.request);
        w.u8(self.reason.code());
        w.bytes(self.text.as_bytes());
        w.list(&self.envelopes, |w, envelope| w.bytes(envelope));
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            request: r.u64("report.request")?,
            reason: Reason::from_code(r.u8("report.reason")?),
            text: r.text("report.text", limits::REPORT_TEXT_BYTES)?,
            envelopes: r.list("report.envelopes", limits::REPORT_ENVELOPES, |r| {
                Ok(r.bytes("report.envelope", limits::ENVELOPE_BYTES)?.to_vec())
            })?,
        })
    }
}

impl Wire for Reported {
    fn write(&self, w: &mut Writer) {
        w.u64(self.request);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            request: r.u64("reported.request")?,
        })
    }
}
