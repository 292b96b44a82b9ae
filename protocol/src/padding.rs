//! Padmé padding: sizes leak at most O(log log n) bits, at a cost of at most 12 % (Nikitin et al., "Reducing Metadata Leakage from
//! Encrypted Files and Communication with PURBs", 2019, section 4).

use crate::wire::{DecodeError, Reader, Writer};

/// The least size: the shortest messages all look alike.
const LEAST: usize = 64;

/// The Padmé size for `len` bytes.
pub fn padded_len(len: usize) -> usize {
    let len = len.max(LEAST);
    let exponent = len.ilog2();
    let bits = exponent.ilog2() + 1;
    let mask = (1_usize << (exponent - bits)) - 1;
    (len + mask) & !mask
}

/// Writes `opaque content<V>` and zeros up to the Padmé size.
pub fn pad(content: &[u8]) -> Vec<u8> {
    let mut w = Writer::default();
    w.bytes(content);
    let mut bytes = w.into_bytes();
    bytes.resize(padded_len(bytes.len()), 0);
    bytes
}

/// Takes the content out of padded bytes; what follows must be zeros.
pub fn unpad(bytes: &[u8], limit: usize) -> Result<&[u8], DecodeError> {
    let mut r = Reader::new(bytes);
    let content = r.bytes("padded content", limit)?;
    if r.rest().iter().any(|byte| *byte != 0) {
        return Err(DecodeError::Invalid {
            field: "padding",
            reason: "not zero",
        });
    }
    Ok(content)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn padding_costs_at_most_an_eighth_and_comes_off_again() {
        for len in [0, 1, 63, 64, 65, 200, 1000, 1025, 40_000] {
            let content = vec![9; len];
            let padded = pad(&content);
            assert_eq!(unpad(&padded, len).unwrap(), content);
            assert!(
                padded.len() <= LEAST.max((len + 4) * 9 / 8),
                "{len} became {}",
                padded.len()
            );
        }
    }

    #[test]
    fn padding_that_hides_something_is_refused() {
        let mut padded = pad(b"content");
        *padded.last_mut().unwrap() = 1;
        assert!(unpad(&padded, 100).is_err());
    }
}
