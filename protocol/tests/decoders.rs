//! No decoder panics or believes what it shouldn't, whatever bytes it is given (FAULTS 7 and 8).
//!
//! The corpus in `fuzz/corpus/DECODER` is replayed: `ok-…` must be accepted, `bad-…` refused. A file that made a decoder fail is put
//! there. `MADANG_WRITE_VECTORS=1 cargo test -p madang-protocol --test decoders` writes the `…-seed-…` files anew.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "decoders/mutate.rs"]
mod mutate;
#[path = "common/session.rs"]
mod session;
#[path = "decoders/targets.rs"]
#[allow(dead_code)]
mod targets;
#[path = "common/village.rs"]
mod village;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use targets::{TARGETS, Target};

/// Cases for each decoder and property; the expensive ones (a group is loaded each time) get what fits this time.
const CASES: u32 = 2_000;
const TIME: Duration = Duration::from_secs(2);

fn corpus() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus")
}

/// Runs a property over a strategy for each decoder, until the cases or the time are used up.
fn for_each<S: Strategy>(
    strategy: impl Fn(&Target) -> S,
    property: impl Fn(&Target, S::Value) -> Result<(), TestCaseError>,
) where
    S::Value: std::fmt::Debug,
{
    for target in &TARGETS {
        let started = Instant::now();
        let config = ProptestConfig {
            cases: CASES,
            failure_persistence: None,
            max_shrink_iters: 2_000,
            ..ProptestConfig::default()
        };
        TestRunner::new(config)
            .run(&strategy(target), |input| {
                if started.elapsed() > TIME {
                    Ok(())
                } else {
                    property(target, input)
                }
            })
            .unwrap_or_else(|error| panic!("{}: {error}", target.name));
    }
}

#[test]
fn every_decoder_accepts_its_valid_inputs() {
    for target in &TARGETS {
        for (at, bytes) in (target.valid)().iter().enumerate() {
            assert!(target.check(bytes).unwrap(), "{} refuses valid input {at}", target.name);
        }
    }
}

#[test]
fn f08_random_bytes_never_panic() {
    for_each(
        |_| prop::collection::vec(any::<u8>(), 0..600),
        |target, bytes| {
            target.check(&bytes).map_err(TestCaseError::fail)?;
            Ok(())
        },
    );
}

#[test]
fn f08_changed_inputs_never_panic_and_what_is_authenticated_is_refused() {
    for_each(
        |target| {
            let valid = (target.valid)();
            (
                prop::sample::select(valid),
                prop::collection::vec(mutate::change(), 1..4),
            )
        },
        |target, (valid, changes)| {
            let changed = mutate::apply(&valid, &changes);
            let accepted = target.check(&changed).map_err(TestCaseError::fail)?;
            prop_assert!(
                !target.authentic || !accepted || changed == valid,
                "{} accepts {}",
                target.name,
                hex::encode(&changed)
            );
            Ok(())
        },
    );
}

#[test]
fn f08_every_truncation_and_a_byte_too_many_are_refused() {
    for target in &TARGETS {
        for valid in (target.valid)() {
            let step = if target.allowance >= targets::GROUP { 7 } else { 1 };
            for end in (0..valid.len()).step_by(step) {
                let refused = !target.accepts(&valid[..end]) || shorter_is_valid(target, &valid, end);
                assert!(refused, "{} accepts {end} of {} bytes", target.name, valid.len());
            }
            let longer = [&valid[..], &[1]].concat();
            assert!(
                !target.accepts(&longer) || takes_any_rest(target, &valid),
                "{} accepts a byte too many",
                target.name
            );
        }
    }
}

/// Padding may have any size, so one cut in the zeros is still one. What a message of a comparison leaves out counts as equal.
fn shorter_is_valid(target: &Target, valid: &[u8], end: usize) -> bool {
    let later = target.name == "channel_statement" && valid[0] > 2 && end > 0;
    compares(target) || later || target.name == "padding" && valid[end..].iter().all(|byte| *byte == 0)
}

fn compares(target: &Target) -> bool {
    target.name.starts_with("reconcile_")
}

/// The content of a frame of an unknown tag is passed over.
fn takes_any_rest(target: &Target, valid: &[u8]) -> bool {
    let later = target.name == "channel_statement" && valid[0] > 2;
    compares(target) || later || target.name.ends_with("_frame") && valid.len() == 1
}

#[test]
fn f07_a_length_that_claims_a_gigabyte_is_refused_wherever_it_stands() {
    for target in &TARGETS {
        for valid in (target.valid)() {
            let step = if target.allowance >= targets::GROUP { 11 } else { 1 };
            for at in (0..valid.len()).step_by(step) {
                let bomb = mutate::claim(&valid[..valid.len().min(at + 64)], at, (1 << 30) - 1);
                let accepted = target.accepts(&bomb);
                assert!(!accepted || !target.authentic, "{} accepts a bomb at {at}", target.name);
            }
        }
    }
}

#[test]
fn f08_the_corpus_gives_what_its_names_say() {
    let mut seen = BTreeSet::new();
    if std::env::var_os("MADANG_WRITE_VECTORS").is_some() {
        TARGETS.iter().for_each(write_seeds);
    }
    for entry in std::fs::read_dir(corpus()).unwrap() {
        let folder = entry.unwrap();
        let name = folder.file_name().into_string().unwrap();
        let target = TARGETS
            .iter()
            .find(|target| target.name == name)
            .unwrap_or_else(|| panic!("nothing reads the corpus {name}"));
        let mut files = 0;
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let file = file.unwrap();
            let accepted = target.check(&std::fs::read(file.path()).unwrap()).unwrap();
            let said = file.file_name().into_string().unwrap();
            match said.split('-').next() {
                Some("ok") => assert!(accepted, "{name}/{said} is refused"),
                Some("bad") => assert!(!accepted, "{name}/{said} is accepted"),
                _ => panic!("{name}/{said} begins with neither ok- nor bad-"),
            }
            files += 1;
        }
        assert!(files >= 3, "the corpus {name} is nearly empty");
        seen.insert(target.name);
    }
    assert_eq!(seen.len(), TARGETS.len(), "a decoder has no corpus");
}

/// Valid inputs, one cut, one with a hostile length, one that is all ones.
fn write_seeds(target: &Target) {
    let folder = corpus().join(target.name);
    std::fs::create_dir_all(&folder).unwrap();
    let valid = (target.valid)();
    for (at, bytes) in valid.iter().enumerate() {
        std::fs::write(folder.join(format!("ok-seed-{at}")), bytes).unwrap();
    }
    let longest = valid.iter().max_by_key(|bytes| bytes.len()).unwrap();
    let bad = [
        ("cut", longest[..longest.len() / 3].to_vec()),
        ("claim", mutate::claim(longest, 0, (1 << 30) - 1)),
        ("ones", vec![0xff; 70]),
    ];
    for (what, bytes) in bad {
        if !target.accepts(&bytes) {
            std::fs::write(folder.join(format!("bad-seed-{what}")), bytes).unwrap();
        }
    }
}
