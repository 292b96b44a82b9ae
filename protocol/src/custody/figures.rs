//! Figures of a channel, which a relay tells its root and whom the root lets be told.

use crate::channel::rounded;
use crate::keys::EnvelopeId;
use crate::limits;
use crate::wire::{DecodeError, Reader, Wire, Writer};

/// Tell how many watch a channel, and to how many a post was handed.
///
/// | bytes | field |
/// |---|---|
/// | 8 | request, chosen by the client, returned in the answer |
/// | V | an encoded [`crate::channel::Inquiry`], at most [`limits::INQUIRY_BYTES`] |
/// | 1 or 33 | a post's envelope id, optional |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskFigures {
    /// Chosen by the client, returned in the answer.
    pub request: u64,
    /// By what right.
    pub inquiry: Vec<u8>,
    /// Of which post too.
    pub post: Option<EnvelopeId>,
}

/// The answer. All figures are [`rounded`].
///
/// | bytes | field |
/// |---|---|
/// | 8 | request |
/// | 8 | when watchers were counted, Unix seconds by the relay's clock |
/// | 4 | peers that watched the channel |
/// | 1 or 21 | what is known of the post, optional |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// As asked.
    pub request: u64,
    /// Unix seconds.
    pub time_s: u64,
    /// Peers that watched then.
    pub watchers: u32,
    /// To how many the post was handed; none if that wasn't asked for or isn't counted here.
    pub handed: Option<Handed>,
}

/// To how many peers an envelope was handed, by pushing or as a part of the past, each counted once.
///
/// | bytes | field |
/// |---|---|
/// | 8 | when they were counted, Unix seconds |
/// | 8 | since when they are counted, Unix seconds |
/// | 4 | peers |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handed {
    /// Unix seconds.
    pub time_s: u64,
    /// Unix seconds.
    pub since_s: u64,
    /// How many.
    pub peers: u32,
}

/// Reads a figure that names nobody; another one isn't what a relay tells.
fn figure(r: &mut Reader<'_>, field: &'static str) -> Result<u32, DecodeError> {
    let found = r.u32(field)?;
    if u64::from(found) != rounded(found.into()) {
        let reason = "figures are tens, from 20 on";
        return Err(DecodeError::Invalid { field, reason });
    }
    Ok(found)
}

impl Wire for AskFigures {
    fn write(&self, w: &mut Writer) {
        w.u64(self.request);
        w.bytes(&self.inquiry);
        w.option(self.post.as_ref(), |w, post| post.write(w));
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            request: r.u64("ask_figures.request")?,
            inquiry: r.bytes("ask_figures.inquiry", limits::INQUIRY_BYTES)?.to_vec(),
            post: r.option("ask_figures.post", EnvelopeId::read)?,
        })
    }
}

impl Wire for Figures {
    fn write(&self, w: &mut Writer) {
        w.u64(self.request);
        w.u64(self.time_s);
        w.u32(self.watchers);
        w.option(self.handed.as_ref(), |w, handed| handed.write(w));
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            request: r.u64("figures.request")?,
            time_s: r.u64("figures.time_s")?,
            watchers: figure(r, "figures.watchers")?,
            handed: r.option("figures.handed", Handed::read)?,
        })
    }
}

impl Wire for Handed {
    fn write(&self, w: &mut Writer) {
        w.u64(self.time_s);
        w.u64(self.since_s);
        w.u32(self.peers);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            time_s: r.u64("handed.time_s")?,
            since_s: r.u64("handed.since_s")?,
            peers: figure(r, "handed.peers")?,
        })
    }
}
