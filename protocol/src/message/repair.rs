//! What devices tell each other about holes in streams, as extensions of an inner message (`spec/message.md`, section 9).

use super::StreamId;
use super::extensions::{extension, find};
use crate::keys::{DeviceId, derive};
use crate::limits;
use crate::seq_set::SeqSet;
use crate::wire::{DecodeError, Reader, Wire, Writer};

/// Types of an inner message by number, never reused.
const WANTED: u16 = 2;
const OWN_STREAM: u16 = 4;

/// What the author lacks of one stream and asks for: `{StreamId stream; Range ranges<V>;}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Want {
    /// Whose messages.
    pub stream: StreamId,
    /// Which, at most [`limits::WANT_RANGES`] ranges.
    pub ranges: SeqSet,
}

impl Wire for Want {
    fn write(&self, w: &mut Writer) {
        self.stream.write(w);
        self.ranges.write(w);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            stream: StreamId::read(r)?,
            ranges: SeqSet::read(r, "want.ranges", limits::WANT_RANGES)?,
        })
    }
}

/// What the author lacks, at most [`limits::WANT_STREAMS`] streams: `Want wants<V>`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted(pub Vec<Want>);

impl Wire for Wanted {
    fn write(&self, w: &mut Writer) {
        w.list(&self.0, |w, want| want.write(w));
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self(r.list("wanted", limits::WANT_STREAMS, Want::read)?))
    }
}

/// A device by its first eight bytes, and the first message that concerns it: `{opaque device[8]; uint64 from;}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Baseline {
    /// The device's first bytes.
    pub device: [u8; 8],
    /// It joined when this was the next sequence.
    pub from: u64,
}

impl Baseline {
    /// A device's first bytes.
    pub fn short(device: &DeviceId) -> [u8; 8] {
        let mut short = [0; 8];
        short.copy_from_slice(device.0.first_chunk::<8>().unwrap_or(&[0; 8]));
        short
    }
}

impl Wire for Baseline {
    fn write(&self, w: &mut Writer) {
        w.fixed(&self.device);
        w.u64(self.from);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            device: r.array("baseline.device")?,
            from: r.u64("baseline.from")?,
        })
    }
}

/// What the author says of its own stream: `{uint64 last; Range lost<V>; Baseline baselines<V>;}`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnStream {
    /// The last sequence there is.
    pub last: u64,
    /// What the author gave up: it has it no more, and nobody is to wait for it. At most [`limits::FRONTIER_RANGES`] ranges.
    pub lost: SeqSet,
    /// Devices that joined later, at most [`limits::BASELINES`]. If there are fewer, all messages concern whoever isn't named.
    pub baselines: Vec<Baseline>,
}

impl Wire for OwnStream {
    fn write(&self, w: &mut Writer) {
        w.u64(self.last);
        self.lost.write(w);
        w.list(&self.baselines, |w, baseline| baseline.write(w));
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let last = r.u64("own_stream.last")?;
        if last > u64::MAX - 2 {
            return Err(DecodeError::Invalid {
                field: "own_stream.last",
                reason: "the two greatest numbers are reserved",
            });
        }
        Ok(Self {
            last,
            lost: SeqSet::read(r, "own_stream.lost", limits::FRONTIER_RANGES)?,
            baselines: r.list("own_stream.baselines", limits::BASELINES, Baseline::read)?,
        })
    }
}

/// Adds what is wanted.
pub fn want(extensions: &mut Vec<u8>, wanted: &Wanted) {
    extensions.extend(extension(WANTED, &wanted.encode()));
}

/// What is wanted; none if nothing is, or if it can't be read.
pub fn wanted(extensions: &[u8]) -> Option<Wanted> {
    Wanted::decode(find(extensions, WANTED, limits::MESSAGE_BYTES).ok()??).ok()
}

/// Adds what the author says of its own stream.
pub fn tell_own(extensions: &mut Vec<u8>, own: &OwnStream) {
    extensions.extend(extension(OWN_STREAM, &own.encode()));
}

/// What the author says of its own stream; none if nothing, or if it can't be read.
pub fn own_stream(extensions: &[u8]) -> Option<OwnStream> {
    OwnStream::decode(find(extensions, OWN_STREAM, limits::MESSAGE_BYTES).ok()??).ok()
}

/// Where the turns of those who may answer begin, for an inner message that asks: the same for all who read it.
pub fn turn(inner: &[u8]) -> u64 {
    let hash = derive("madang 1 answer turn", &[inner]);
    u64::from_be_bytes(*hash.first_chunk::<8>().unwrap_or(&[0; 8]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_of_holes_is_found_among_other_extensions() {
        let stream = StreamId {
            device: DeviceId([3; 32]),
            incarnation: 4,
        };
        let mut ranges = SeqSet::default();
        ranges.insert_range(2, 9);
        let told = Wanted(vec![Want {
            stream,
            ranges: ranges.clone(),
        }]);
        let own = OwnStream {
            last: 12,
            lost: ranges,
            baselines: vec![Baseline {
                device: Baseline::short(&stream.device),
                from: 3,
            }],
        };
        let mut extensions = vec![0, 9, 1, 0xaa];
        want(&mut extensions, &told);
        tell_own(&mut extensions, &own);
        assert_eq!(wanted(&extensions), Some(told));
        assert_eq!(own_stream(&extensions), Some(own));
        extensions.truncate(extensions.len() - 1);
        assert_eq!(own_stream(&extensions), None);
    }
}
