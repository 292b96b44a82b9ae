//! Which chunks of a blob are held: a bit for each.

use super::Shape;
use serde::{Deserialize, Serialize};

/// Which chunks of a blob are held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    #[serde(with = "serde_bytes")]
    bits: Vec<u8>,
}

impl Held {
    /// None of them.
    pub fn none(shape: Shape) -> Self {
        Self {
            bits: vec![0; (shape.chunks() as usize).div_ceil(8)],
        }
    }

    /// From its bits, the first chunk's the lowest of the first byte.
    pub fn from_bits(bits: Vec<u8>) -> Self {
        Self { bits }
    }

    /// Its bits.
    pub fn bits(&self) -> &[u8] {
        &self.bits
    }

    /// Whether a chunk is held.
    pub fn has(&self, index: u32) -> bool {
        let byte = self.bits.get(index as usize / 8).copied().unwrap_or_default();
        byte & (1 << (index % 8)) != 0
    }

    /// Notes whether a chunk is held; one beyond the last is left out.
    pub fn set(&mut self, index: u32, held: bool) {
        if let Some(byte) = self.bits.get_mut(index as usize / 8) {
            let bit = 1 << (index % 8);
            *byte = if held { *byte | bit } else { *byte & !bit };
        }
    }

    /// How many are held.
    pub fn count(&self) -> u32 {
        self.bits.iter().map(|byte| byte.count_ones()).sum()
    }

    /// Whether all of a blob's are.
    pub fn is_whole(&self, shape: Shape) -> bool {
        self.count() == shape.chunks()
    }

    /// Those of a blob that aren't, ascending.
    pub fn missing(&self, shape: Shape) -> impl Iterator<Item = u32> {
        (0..shape.chunks()).filter(|index| !self.has(*index))
    }
}
