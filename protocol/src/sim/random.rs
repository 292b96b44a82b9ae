//! The one source of chance of a run, and the clocks that hosts believe in.

use crate::keys::derive;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

/// Virtual time since the start of a run, in microseconds.
pub(super) type Micros = u64;

/// One millisecond of virtual time.
pub(super) const MS: Micros = 1000;
/// One second of virtual time.
pub(super) const SECOND: Micros = 1000 * MS;

/// What a right clock shows at the start, in Unix milliseconds: some day in 2025.
const START_MS: i64 = 1_760_000_000_000;

/// A seeded generator.
pub(super) struct Random(ChaCha20Rng);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(ChaCha20Rng::from_seed(derive(
            "madang 1 simulation",
            &[&seed.to_be_bytes()],
        )))
    }

    /// A number under `bound`; 0 if that is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0.next_u64().checked_rem(bound).unwrap_or(0)
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// True `percent` times of a hundred.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub fn pick<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        let index = usize::try_from(self.below(from.len() as u64)).ok()?;
        from.get(index).cloned()
    }

    pub fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap_or(0)
    }

    pub fn bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.0.fill_bytes(&mut bytes);
        bytes
    }
}

/// A host's clock: off by some time, and running too fast or too slow.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    pub offset_ms: i64,
    pub drift_ppm: i64,
}

impl Clock {
    /// What it shows, in Unix milliseconds.
    pub fn read(&self, now: Micros) -> u64 {
        let elapsed = i64::try_from(now / MS).unwrap_or(i64::MAX);
        let shown = START_MS + self.offset_ms + elapsed + elapsed * self.drift_ppm / 1_000_000;
        u64::try_from(shown).unwrap_or(0)
    }
}
