//! Voice notes that are sent: how long they are, and how loud over time where that can be told without decoding.
//!
//! Of WAV both are read. Opus in Ogg (RFC 7845) tells its duration by its pages; its loudness would take an Opus decoder, and there is no
//! well-kept one in pure Rust: the waveform is then what the caller gives.

use std::io::Cursor;

/// Bytes of a voice note that is looked into; larger ones go as files.
pub(crate) const MAX_BYTES: u64 = 64 * 1024 * 1024;
/// Values of a waveform that is made here.
const VALUES: usize = 64;
/// Samples a second of Opus, whatever it was made from.
const OPUS_HZ: u64 = 48_000;
/// Bytes of the fixed part of an Ogg page's header.
const PAGE_HEAD: usize = 27;

/// What a message says of a voice note.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) duration_ms: u32,
    /// Empty if it can't be told.
    pub(crate) waveform: Vec<u8>,
    pub(crate) media_type: &'static str,
}

/// Why a voice note isn't sent as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum VoiceError {
    #[error("is neither WAV nor Opus in Ogg; send it as a file")]
    Format,
    #[error("is damaged; send it as a file")]
    Damaged,
    #[error("is over 64 MiB; send it as a file")]
    TooLarge,
}

/// Listens to a voice note.
pub(crate) fn listen(bytes: &[u8]) -> Result<Heard, VoiceError> {
    if bytes.len() as u64 > MAX_BYTES {
        return Err(VoiceError::TooLarge);
    }
    match bytes {
        [b'R', b'I', b'F', b'F', ..] => wav(bytes),
        [b'O', b'g', b'g', b'S', ..] => opus(bytes),
        _ => Err(VoiceError::Format),
    }
}

fn wav(bytes: &[u8]) -> Result<Heard, VoiceError> {
    let mut reader = hound::WavReader::new(Cursor::new(bytes)).map_err(|_| VoiceError::Damaged)?;
    let spec = reader.spec();
    let frames = u64::from(reader.duration());
    if spec.sample_rate == 0 || frames == 0 {
        return Err(VoiceError::Damaged);
    }
    let stretch = u64::from(reader.len()).div_ceil(VALUES as u64).max(1);
    let mut peaks = Vec::new();
    // Each is the share of full loudness.
    let mut loudest = 0_f32;
    let mut add = |at: u64, loudness: f32| {
        loudest = loudest.max(loudness.abs().min(1.0));
        if (at + 1).is_multiple_of(stretch) {
            peaks.push((loudest * 255.0) as u8);
            loudest = 0.0;
        }
    };
    match spec.sample_format {
        hound::SampleFormat::Float => {
            for (at, sample) in (0..).zip(reader.samples::<f32>()) {
                add(at, sample.map_err(|_| VoiceError::Damaged)?);
            }
        }
        hound::SampleFormat::Int => {
            let full = 2_f32.powi(i32::from(spec.bits_per_sample).saturating_sub(1).clamp(1, 31));
            for (at, sample) in (0..).zip(reader.samples::<i32>()) {
                add(at, sample.map_err(|_| VoiceError::Damaged)? as f32 / full);
            }
        }
    }
    if loudest > 0.0 {
        peaks.push((loudest * 255.0) as u8);
    }
    peaks.truncate(VALUES);
    Ok(Heard {
        duration_ms: milliseconds(frames, u64::from(spec.sample_rate)),
        waveform: peaks,
        media_type: "audio/wav",
    })
}

fn opus(bytes: &[u8]) -> Result<Heard, VoiceError> {
    let mut rest = bytes;
    let (mut skipped, mut last) = (None, 0_u64);
    while !rest.is_empty() {
        let head: &[u8; PAGE_HEAD] = rest.first_chunk().ok_or(VoiceError::Damaged)?;
        let [
            b'O',
            b'g',
            b'g',
            b'S',
            0,
            _,
            granule @ ..,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            segments,
        ] = head
        else {
            return Err(VoiceError::Damaged);
        };
        let granule: [u8; 8] = *granule;
        let lengths = rest
            .get(PAGE_HEAD..PAGE_HEAD + usize::from(*segments))
            .ok_or(VoiceError::Damaged)?;
        let begin = PAGE_HEAD + lengths.len();
        let length: usize = lengths.iter().map(|length| usize::from(*length)).sum();
        let content = rest.get(begin..begin + length).ok_or(VoiceError::Damaged)?;
        if skipped.is_none() {
            let [b'O', b'p', b'u', b's', b'H', b'e', b'a', b'd', _, _, low, high, ..] = content else {
                return Err(VoiceError::Format);
            };
            skipped = Some(u64::from(u16::from_le_bytes([*low, *high])));
        }
        let granule = u64::from_le_bytes(granule);
        // All ones: no packet ends on this page.
        if granule != u64::MAX {
            last = last.max(granule);
        }
        rest = rest.get(begin + length..).unwrap_or_default();
    }
    let samples = last.saturating_sub(skipped.unwrap_or_default());
    Ok(Heard {
        duration_ms: milliseconds(samples, OPUS_HZ),
        waveform: Vec::new(),
        media_type: "audio/ogg",
    })
}

fn milliseconds(samples: u64, rate: u64) -> u32 {
    u32::try_from(samples.saturating_mul(1000) / rate.max(1)).unwrap_or(u32::MAX)
}
