//! Makes inputs of a corpus by the seeded changes that the tests use, and keeps what a decoder accepts as a source of more.

use std::collections::{BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::mutate::{self, Change};
use super::{Target, corpus, files};

/// Accepted inputs kept beside the corpus; the oldest goes first (guess).
const KEPT: usize = 2_000;
/// Bytes of an input at most (guess): the formats' own limits are met with less.
const MAX_INPUT: usize = 64 * 1024;
/// Inputs between two looks at the clock.
const BETWEEN_LOOKS: u64 = 64;

/// Measures the memory of the whole process.
#[derive(Clone, Copy, Debug)]
pub struct Meter {
    /// Bytes allocated now; begins a new peak.
    pub begin: fn() -> usize,
    /// The most bytes that were allocated at once since then.
    pub peak: fn() -> usize,
}

/// An input that a target fails on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The input, as short as it could be made.
    pub input: Vec<u8>,
    /// What was wrong.
    pub why: String,
}

/// What a run did.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// Inputs that were tried.
    pub tried: u64,
    /// Inputs that were accepted, each counted once.
    pub accepted: usize,
    /// What was wrong, each reason once.
    pub found: Vec<Found>,
}

/// Tries inputs on a target for a time; one seed gives the same inputs again.
#[must_use]
pub fn run(target: &Target, time: Duration, seed: u64, meter: Option<Meter>) -> Run {
    let mut sources: Vec<Vec<u8>> = files(&corpus(target)).into_iter().map(|(_, bytes)| bytes).collect();
    sources.extend((target.valid)());
    let known: BTreeSet<Vec<u8>> = sources.iter().filter_map(|bytes| (target.read)(bytes)).collect();
    let mut kept: VecDeque<Vec<u8>> = VecDeque::new();
    let mut seen = BTreeSet::new();
    let mut reasons = BTreeSet::new();
    let mut run = Run::default();
    let mut dice = dice(seed);
    let (changes, pick) = (
        prop::collection::vec(mutate::change(), 1..6),
        any::<prop::sample::Index>(),
    );
    let began = Instant::now();
    while !run.tried.is_multiple_of(BETWEEN_LOOKS) || began.elapsed() < time {
        run.tried += 1;
        // Half of them from the corpus, which what is accepted easily would crowd out.
        let of = |many: usize, dice: &mut TestRunner| draw(&pick, dice).index(many);
        let source = match kept.len() {
            many if many > 0 && of(2, &mut dice) == 0 => &kept[of(many, &mut dice)],
            _ => &sources[of(sources.len(), &mut dice)],
        };
        let changes: Vec<Change> = draw(&changes, &mut dice);
        let mut input = mutate::apply(source, &changes);
        input.truncate(MAX_INPUT);
        match tried(target, &known, &input, meter) {
            Ok(false) => {}
            Ok(true) => {
                // Enough to tell one input from another here.
                if seen.insert(std::hash::BuildHasher::hash_one(
                    &std::hash::BuildHasherDefault::<std::hash::DefaultHasher>::default(),
                    &input,
                )) {
                    kept.push_back(input);
                    if kept.len() > KEPT {
                        kept.pop_front();
                    }
                }
            }
            Err(why) => {
                if reasons.insert(kind(&why)) {
                    let input = shortened(input, |input| {
                        tried(target, &known, input, meter).is_err_and(|other| kind(&other) == kind(&why))
                    });
                    run.found.push(Found { input, why });
                }
            }
        }
    }
    run.accepted = seen.len();
    run
}

/// Tries one input: whether it was accepted, or what is wrong with that.
fn tried(target: &Target, known: &BTreeSet<Vec<u8>>, input: &[u8], meter: Option<Meter>) -> Result<bool, String> {
    let before = meter.map(|meter| (meter.begin)());
    let read = catch_unwind(AssertUnwindSafe(|| std::hint::black_box((target.read)(input))));
    let peak = meter.map(|meter| (meter.peak)());
    let read = read.map_err(|panic| {
        let words = panic.downcast_ref::<String>().cloned();
        let words = words.or_else(|| panic.downcast_ref::<&str>().map(|words| (*words).to_owned()));
        format!("panic: {}", words.unwrap_or_default())
    })?;
    if let (Some(before), Some(peak)) = (before, peak)
        && peak.saturating_sub(before) > target.memory(input)
    {
        return Err(format!("memory: {} bytes for {}", peak - before, input.len()));
    }
    if let Some(read) = read
        && target.authentic
        && !known.contains(&read)
    {
        return Err("forged: nobody authenticated this".to_owned());
    }
    target.check(input).map_err(|why| format!("encoding: {why}"))
}

/// What tells one reason from another: the words without what depends on the input.
fn kind(why: &str) -> String {
    let end = why.find(|c: char| c.is_ascii_digit()).unwrap_or(why.len());
    why.chars().take(end).collect()
}

/// Takes parts out as long as it still fails.
fn shortened(mut input: Vec<u8>, fails: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut part = input.len() / 2;
    while part > 0 {
        let mut at = 0;
        while at + part <= input.len() {
            let shorter = [&input[..at], &input[at + part..]].concat();
            if fails(&shorter) {
                input = shorter;
            } else {
                at += part;
            }
        }
        part /= 2;
    }
    input
}

fn draw<S: Strategy>(strategy: &S, dice: &mut TestRunner) -> S::Value {
    strategy.new_tree(dice).unwrap().current()
}

fn dice(seed: u64) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_be_bytes());
    TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Accepts what begins with 7, and fails on what has a 9 behind it.
    fn broken(bytes: &[u8]) -> Option<Vec<u8>> {
        assert!(!(bytes.first() == Some(&7) && bytes[1..].contains(&9)), "a bug");
        (bytes.first() == Some(&7)).then(|| bytes.to_vec())
    }

    fn valid() -> Vec<Vec<u8>> {
        vec![vec![7; 20]]
    }

    #[test]
    fn a_decoder_that_panics_is_caught_and_the_input_made_short() {
        let run = run(
            &Target::new("broken", broken, valid),
            Duration::from_millis(500),
            1,
            None,
        );
        let [found] = &run.found[..] else {
            panic!("{:?}", run.found)
        };
        assert_eq!((&found.input[..], &found.why[..]), (&[7, 9][..], "panic: a bug"));
    }

    #[test]
    fn a_decoder_that_takes_two_encodings_is_caught() {
        let run = run(
            &Target::new("second", |bytes| Some(bytes[..bytes.len().min(20)].to_vec()), valid),
            Duration::from_millis(500),
            1,
            None,
        );
        assert!(run.found[0].why.contains("a second encoding"), "{:?}", run.found);
    }

    #[test]
    fn a_decoder_that_takes_what_nobody_signed_is_caught() {
        let target = Target::new("forged", |bytes| Some(bytes.to_vec()), valid).authentic();
        let run = run(&target, Duration::from_millis(500), 1, None);
        assert!(run.found[0].why.contains("forged"), "{:?}", run.found);
    }
}
