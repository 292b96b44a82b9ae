//! The relay's time: the shell's clock, but a leap ahead counts only once it has stood for a while, so that a clock that is wrong for a
//! moment expires nothing.

/// Seconds between two looks beyond which the clock has leapt: ticks come every few seconds, and a machine that slept for a night may
/// wait (FAULTS 24: a day off).
const LEAP_S: u64 = 6 * 3600;
/// Seconds that the new time has to stand, by ticks, before it counts (guess: time servers are asked every 17 minutes at most).
const STANDS_S: u64 = 3600;
/// Seconds that the time between two looks adds to that, at most: one more leap isn't an hour that passed.
const LOOK_S: u64 = 60;

/// What the relay takes for the time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    /// The shell's clock at the last look; `None` before the first on a new store.
    last_s: Option<u64>,
    leapt: Option<Leapt>,
}

#[derive(Clone, Copy, Debug)]
struct Leapt {
    /// The time that counts, which goes on from before the leap.
    counts_s: u64,
    stood_s: u64,
}

impl Clock {
    /// A clock that saw `seen_s` last, in an earlier run.
    pub fn new(seen_s: Option<u64>) -> Self {
        Self {
            last_s: seen_s,
            leapt: None,
        }
    }

    /// The time that counts when the shell's clock says `raw_s`. A step back counts at once: it expires nothing.
    pub fn look(&mut self, raw_s: u64) -> u64 {
        let last = self.last_s.replace(raw_s).unwrap_or(raw_s);
        if let Some(leapt) = &mut self.leapt {
            let passed = raw_s.saturating_sub(last).min(LOOK_S);
            leapt.counts_s = leapt.counts_s.saturating_add(passed);
            leapt.stood_s += passed;
            if leapt.stood_s < STANDS_S && raw_s.saturating_sub(leapt.counts_s) > LEAP_S {
                return leapt.counts_s;
            }
            self.leapt = None;
        } else if raw_s.saturating_sub(last) > LEAP_S {
            self.leapt = Some(Leapt {
                counts_s: last,
                stood_s: 0,
            });
            return last;
        }
        raw_s
    }

    /// Whether the clock isn't believed at present.
    pub fn is_suspect(&self) -> bool {
        self.leapt.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: u64 = 1_700_000_000;

    #[test]
    fn f24_a_leap_counts_only_once_it_has_stood() {
        let mut clock = Clock::new(None);
        assert_eq!(clock.look(NOON), NOON);
        assert_eq!(clock.look(NOON + LEAP_S), NOON + LEAP_S, "a night's sleep is no leap");
        let (before, far) = (NOON + LEAP_S, 4_102_444_800);
        assert_eq!(clock.look(far), before);
        for look in 1..STANDS_S / LOOK_S {
            assert_eq!(clock.look(far + look * LOOK_S), before + look * LOOK_S, "{look}");
        }
        assert!(clock.is_suspect());
        assert_eq!(clock.look(far + STANDS_S), far + STANDS_S);
        assert!(!clock.is_suspect());
    }

    #[test]
    fn f24_a_leap_that_is_taken_back_never_counted() {
        let mut clock = Clock::new(Some(NOON));
        assert_eq!(clock.look(4_102_444_800), NOON);
        assert_eq!(
            clock.look(8_102_444_800),
            NOON + LOOK_S,
            "another leap is no hour that passed"
        );
        assert_eq!(
            clock.look(7_102_444_800),
            NOON + LOOK_S,
            "nor is a step back to a time as far off"
        );
        assert_eq!(clock.look(NOON + 90), NOON + 90);
        assert!(!clock.is_suspect());
        assert_eq!(clock.look(7), 7, "a step back counts at once");
        assert_eq!(clock.look(8), 8);
    }
}
