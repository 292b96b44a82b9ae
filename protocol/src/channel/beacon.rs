//! Beacons: how far each writer is, who was revoked, and the manifest, signed by the root. Who drops the tail of a channel has to drop
//! these too, and is found out by their absence or by whoever has a later one.

use super::invalid;
use super::manifest::Manifest;
use crate::keys::{EnvelopeId, WriterId};
use crate::limits;
use crate::wire::{DecodeError, Reader, Wire, Writer};

/// What the root says of the whole channel. Later ones have greater numbers, and nothing in them goes back.
///
/// | bytes | field |
/// |---|---|
/// | 8 | number, from 1 |
/// | 8 | Unix milliseconds, by the root's clock |
/// | 4 | seconds until the next one at the latest |
/// | V | manifest |
/// | V | heads, `{opaque writer[32]; uint64 number; opaque id[32];}` each, ascending by writer |
/// | V | revocations, `{opaque writer[32]; uint64 last; opaque id[32];}` each, ascending by writer |
/// | V | extensions |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beacon {
    /// From 1.
    pub number: u64,
    /// By the root's clock.
    pub time_ms: u64,
    /// After so many seconds there is another, whatever happens.
    pub period_s: u32,
    /// What the channel says of itself.
    pub manifest: Manifest,
    /// How far writers are whose entries count; at most [`limits::CHANNEL_WRITERS`].
    pub heads: Vec<Head>,
    /// Writers who may no longer write; at most [`limits::CHANNEL_REVOCATIONS`].
    pub revocations: Vec<Revocation>,
    /// Of later versions.
    pub extensions: Vec<u8>,
}

/// How far a writer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Who.
    pub writer: WriterId,
    /// The number of the last entry that counts.
    pub number: u64,
    /// The id of its envelope.
    pub id: EnvelopeId,
}

/// Who may no longer write: what is beyond the last entry is void, whatever its time says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// Who.
    pub writer: WriterId,
    /// The number of the last entry that counts; 0 for none.
    pub last: u64,
    /// The id of its envelope; zeros for none.
    pub id: EnvelopeId,
}

impl Beacon {
    /// How far a writer is.
    pub fn head(&self, writer: &WriterId) -> Option<&Head> {
        let place = self.heads.binary_search_by_key(writer, |head| head.writer).ok()?;
        self.heads.get(place)
    }

    /// Whether and where a writer was revoked.
    pub fn revocation(&self, writer: &WriterId) -> Option<&Revocation> {
        let place = self
            .revocations
            .binary_search_by_key(writer, |revoked| revoked.writer)
            .ok()?;
        self.revocations.get(place)
    }
}

fn ascending(writers: impl Iterator<Item = WriterId> + Clone, field: &'static str) -> Result<(), DecodeError> {
    let next = writers.clone().skip(1);
    if writers.zip(next).all(|(one, other)| one < other) {
        Ok(())
    } else {
        Err(invalid(field, "must ascend by writer"))
    }
}

impl Wire for Head {
    fn write(&self, w: &mut Writer) {
        self.writer.write(w);
        w.u64(self.number);
        self.id.write(w);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            writer: WriterId::read(r)?,
            number: r.u64("head.number")?,
            id: EnvelopeId::read(r)?,
        })
    }
}

impl Wire for Revocation {
    fn write(&self, w: &mut Writer) {
        self.writer.write(w);
        w.u64(self.last);
        self.id.write(w);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            writer: WriterId::read(r)?,
            last: r.u64("revocation.last")?,
            id: EnvelopeId::read(r)?,
        })
    }
}

impl Wire for Beacon {
    fn write(&self, w: &mut Writer) {
        w.u64(self.number);
        w.u64(self.time_ms);
        w.u32(self.period_s);
        w.bytes(&self.manifest.encode());
        w.list(&self.heads, |w, head| head.write(w));
        w.list(&self.revocations, |w, revoked| revoked.write(w));
        w.bytes(&self.extensions);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let beacon = Self {
            number: r.u64("beacon.number")?,
            time_ms: r.u64("beacon.time_ms")?,
            period_s: r.u32("beacon.period_s")?,
            manifest: Manifest::decode(r.bytes("beacon.manifest", limits::POST_BYTES)?)?,
            heads: r.list("beacon.heads", limits::CHANNEL_WRITERS, Head::read)?,
            revocations: r.list("beacon.revocations", limits::CHANNEL_REVOCATIONS, Revocation::read)?,
            extensions: r.bytes("beacon.extensions", limits::CHANNEL_EXTENSION_BYTES)?.to_vec(),
        };
        if beacon.number == 0 {
            return Err(invalid("beacon.number", "must not be 0"));
        }
        ascending(beacon.heads.iter().map(|head| head.writer), "beacon.heads")?;
        ascending(
            beacon.revocations.iter().map(|revoked| revoked.writer),
            "beacon.revocations",
        )?;
        Ok(beacon)
    }
}
