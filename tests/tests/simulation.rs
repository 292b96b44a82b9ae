//! The simulator's runs: a thousand seeded histories, kept seeds, determinism, and proof that broken variants are caught.
//!
//! One seed with its trace: `MADANG_SEEDS=7 cargo test -p madang-tests --test simulation some_seeds`; `MADANG_SEEDS=7-90` runs a range;
//! `MADANG_TRACE` sets the lines of trace that a failure shows, `MADANG_ACTS` the length of the histories.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use madang_protocol::mls::Suite;
use madang_protocol::sim::{self, Broken, Outcome, SimConfig};
use std::ops::RangeInclusive;

/// Failures of one range that are shown; more only repeat.
const SHOWN: usize = 3;
/// Seeds within which each broken variant has to be caught.
const CAUGHT_WITHIN: u64 = 200;

/// Seeds that failed once, each with what it showed.
const REGRESSIONS: &str = include_str!("seeds/regressions.txt");
/// Histories of groups: their kind as the kept seeds name it, and the variable that plays a range of them.
const GROUPS: [(&str, &str, Config); 8] = [
    ("group", "MADANG_GROUPS", group),
    ("lied-to", "MADANG_LIED_TO_GROUPS", lied_to_group),
    ("audited", "MADANG_AUDITED_GROUPS", audited_group),
    ("betrayed", "MADANG_BETRAYED_GROUPS", betrayed_group),
    ("settling", "MADANG_SETTLING_GROUPS", settling_group),
    ("forgotten", "MADANG_FORGOTTEN_GROUPS", forgotten_group),
    ("large", "MADANG_LARGE_GROUPS", large_group),
    ("brand", "MADANG_BRANDS", brand),
];

/// What a seed plays.
type Config = fn(u64) -> SimConfig;

/// Every tenth history is on X-Wing, the others are on X25519, for speed.
fn config(seed: u64) -> SimConfig {
    SimConfig::new(if seed.is_multiple_of(10) {
        Suite::XWing
    } else {
        Suite::X25519
    })
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Groups of three to six devices; every tenth on X-Wing.
fn group(seed: u64) -> SimConfig {
    SimConfig {
        group: Some((3, 6)),
        ..config(seed)
    }
}

/// One of the group's relays lies.
fn lied_to_group(seed: u64) -> SimConfig {
    SimConfig {
        liar: true,
        ..group(seed)
    }
}

/// There is time to ask the relays what they keep.
fn audited_group(seed: u64) -> SimConfig {
    SimConfig {
        audits: true,
        ..lied_to_group(seed)
    }
}

/// One of its members is hostile.
fn betrayed_group(seed: u64) -> SimConfig {
    SimConfig {
        mole: true,
        ..group(seed)
    }
}

/// They settle their states while some are away.
fn settling_group(seed: u64) -> SimConfig {
    SimConfig {
        settles: true,
        ..group(seed)
    }
}

/// They settle them soon, relays keep nothing for long, and some are away for longer.
fn forgotten_group(seed: u64) -> SimConfig {
    SimConfig {
        absence: true,
        ..settling_group(seed)
    }
}

/// One has a channel, a relay lies, and the brand signs two things with one number now and then.
fn brand(seed: u64) -> SimConfig {
    SimConfig {
        brand: true,
        ..config(seed)
    }
}

/// Groups of up to 24 devices, with a relay that lies.
fn large_group(seed: u64) -> SimConfig {
    SimConfig {
        group: Some((16, 24)),
        acts: 80,
        ..lied_to_group(seed)
    }
}

fn run_all(seeds: impl IntoIterator<Item = u64>) -> Outcome {
    run_each(seeds, config)
}

fn run_each(seeds: impl IntoIterator<Item = u64>, config: Config) -> Outcome {
    // A second call finds it done.
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().ok();
    let trace = number("MADANG_TRACE").and_then(|lines| lines.try_into().ok());
    let acts = number("MADANG_ACTS");
    let (mut sum, mut runs, mut failed) = (Outcome::default(), 0, Vec::new());
    for seed in seeds {
        runs += 1;
        let mut config = config(seed);
        config.trace = trace.unwrap_or(config.trace);
        config.acts = acts.unwrap_or(config.acts);
        match sim::run(seed, &config) {
            Ok(outcome) => {
                sum.sends += outcome.sends;
                sum.crashes += outcome.crashes;
                sum.commits += outcome.commits;
                sum.epochs += outcome.epochs;
                sum.envelopes += outcome.envelopes;
                sum.gossiped += outcome.gossiped;
                sum.injected += outcome.injected;
                sum.posts += outcome.posts;
                sum.withheld += outcome.withheld;
                sum.forgeries += outcome.forgeries;
                sum.questions += outcome.questions;
                sum.evidence += outcome.evidence;
                sum.events += outcome.events;
                sum.virtual_ms += outcome.virtual_ms;
            }
            Err(failure) => {
                println!("seed {}: {}", failure.seed, failure.reason);
                failed.push(failure);
            }
        }
    }
    println!("{runs} histories: {sum:?}");
    if !failed.is_empty() {
        let seeds: Vec<_> = failed.iter().map(|failure| failure.seed).collect();
        for failure in failed.iter().take(SHOWN) {
            println!("\n{failure}\n");
        }
        panic!("{} of {runs} histories failed: seeds {seeds:?}", failed.len());
    }
    sum
}

/// A range of seeds has to be clean, and eventful enough to mean something.
fn clean(seeds: RangeInclusive<u64>) {
    let runs = seeds.end() - seeds.start() + 1;
    let sum = run_all(seeds);
    assert!(sum.sends > runs * 10, "{} sends", sum.sends);
    assert!(sum.crashes > runs, "{} crashes", sum.crashes);
    assert!(sum.epochs > runs, "{} epochs", sum.epochs);
    assert!(sum.gossiped > runs && sum.injected > runs, "{sum:?}");
}

/// Lines of `seeds/regressions.txt`: for groups their kind, then a seed, then a comment.
fn kept_seeds(kind: &str) -> Vec<u64> {
    let lines = REGRESSIONS
        .lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    let seed = |line: &str| {
        let mut words = line.split_whitespace();
        let first = words.next()?;
        let is_kind = GROUPS.iter().any(|(name, ..)| *name == first);
        let (of, seed) = if is_kind { (first, words.next()?) } else { ("", first) };
        Some((of == kind, seed.parse().expect("a line begins with a seed")))
    };
    lines
        .map(|line| seed(line).expect("a line has a seed"))
        .filter_map(|(fits, seed)| fits.then_some(seed))
        .collect()
}

#[test]
fn a_kept_seeds_stay_clean() {
    run_all(kept_seeds(""));
}

#[test]
fn a_kept_seeds_of_groups_stay_clean() {
    for (kind, _, config) in GROUPS {
        run_each(kept_seeds(kind), config);
    }
}

#[test]
fn f01_f02_f04_f20_f24_f26_f27_f36_histories_1_to_250() {
    clean(1..=250);
}

#[test]
fn f01_f02_f04_f20_f24_f26_f27_f36_histories_251_to_500() {
    clean(251..=500);
}

#[test]
fn f01_f02_f04_f20_f24_f26_f27_f36_histories_501_to_750() {
    clean(501..=750);
}

#[test]
fn f01_f02_f04_f20_f24_f26_f27_f36_histories_751_to_1000() {
    clean(751..=1000);
}

/// Histories of groups have to be clean, and eventful enough to mean something.
fn clean_groups(seeds: RangeInclusive<u64>, config: Config) {
    let runs = seeds.end() - seeds.start() + 1;
    let sum = run_each(seeds, config);
    assert!(sum.sends > runs * 20, "{} sends", sum.sends);
    assert!(sum.crashes > runs * 2, "{} crashes", sum.crashes);
    assert!(sum.epochs > runs * 4, "{} epochs", sum.epochs);
}

#[test]
fn f37_f38_f40_f41_f44_f45_groups_heal() {
    clean_groups(1..=60, group);
}

#[test]
fn f15_f16_f17_f18_f19_f20_f22_groups_with_a_relay_that_lies_heal() {
    clean_groups(1..=60, lied_to_group);
}

#[test]
fn f17_f19_f23_groups_that_ask_a_relay_that_lies_what_it_keeps_heal() {
    let sum = run_each(1..=6, audited_group);
    assert!(sum.questions > 6 * 3, "{} questions", sum.questions);
    assert!(sum.evidence > 6, "{} pieces of evidence", sum.evidence);
}

#[test]
fn f15_f16_f51_brands_with_a_relay_that_lies_are_read_whole_and_proved() {
    let sum = run_each(1..=20, brand);
    assert!(sum.posts > 20 * 4 && sum.forgeries > 10, "{sum:?}");
    assert!(sum.crashes > 20, "{} crashes", sum.crashes);
    // Each follower has a twin with other terms, and what leaves the two is the same.
    assert!(sum.withheld > 20, "{} posts withheld", sum.withheld);
}

#[test]
fn terms_that_show_in_what_is_passed_on_are_caught() {
    caught_in(Broken::TermsShown, &["shows its terms"], brand);
}

#[test]
fn f05_f37_f39_f44_f46_f48_groups_with_a_hostile_member_heal() {
    clean_groups(1..=29, betrayed_group);
}

#[test]
fn f47_groups_that_settle_their_states_while_some_are_away_heal() {
    clean_groups(1..=16, settling_group);
}

#[test]
fn f47_groups_that_relays_forget_heal() {
    clean_groups(1..=13, forgotten_group);
}

#[test]
fn f15_f37_large_groups_1_to_10_heal() {
    clean_groups(1..=10, large_group);
}

#[test]
fn f15_f37_large_groups_11_to_20_heal() {
    clean_groups(11..=20, large_group);
}

#[test]
fn one_seed_run_twice_gives_the_same_bytes_on_the_wire() {
    for seed in [1, 2, 3, 4, 5, 10, 20] {
        let once = sim::run(seed, &config(seed)).unwrap_or_else(|failure| panic!("{failure}"));
        let again = sim::run(seed, &config(seed)).unwrap_or_else(|failure| panic!("{failure}"));
        assert_eq!(once, again, "seed {seed}");
    }
    for seed in [1, 2] {
        let once = sim::run(seed, &betrayed_group(seed)).unwrap_or_else(|failure| panic!("{failure}"));
        let again = sim::run(seed, &betrayed_group(seed)).unwrap_or_else(|failure| panic!("{failure}"));
        assert_eq!(once, again, "seed {seed}");
    }
    let [one, two] = [1, 2].map(|seed| {
        sim::run(seed, &config(seed))
            .unwrap_or_else(|failure| panic!("{failure}"))
            .wire
    });
    assert_ne!(one, two);
}

/// A broken variant has to be caught, and by the promise that it breaks; the same seed is clean when nothing is broken.
fn caught(broken: Broken, promises: &[&str]) {
    caught_in(broken, promises, config);
}

fn caught_in(broken: Broken, promises: &[&str], config: Config) {
    for seed in 1..=CAUGHT_WITHIN {
        // What is broken may never come to rest: it needn't be waited for as long as what is whole.
        let hurried = SimConfig {
            broken,
            patience_s: 60,
            ..config(seed)
        };
        let Err(failure) = sim::run(seed, &hurried) else {
            continue;
        };
        println!("{broken:?}, seed {seed}: {}", failure.reason);
        if promises.iter().any(|promise| failure.reason.contains(promise)) {
            if let Err(failure) = sim::run(seed, &config(seed)) {
                println!("{failure}, also when nothing is broken");
                continue;
            }
            return;
        }
    }
    panic!("{broken:?} isn't caught within {CAUGHT_WITHIN} seeds");
}

#[test]
fn f04_deduplication_that_forgets_is_caught() {
    caught(Broken::NoDurableDedup, &["announces", "twice"]);
}

#[test]
fn f27_an_acknowledgement_before_the_flush_is_caught() {
    caught(
        Broken::AckBeforeFlush,
        &["lacks the acknowledged", "forgot an acknowledged", "called delivered"],
    );
}

#[test]
fn f37_the_branch_that_came_first_is_caught() {
    caught_in(Broken::ArrivalDecides, &["counts", "thinks that it is one"], group);
}

#[test]
fn f39_the_branch_of_the_lowest_hash_is_caught() {
    caught_in(Broken::LowestHashDecides, &["counts", "thinks that it is one"], group);
}

#[test]
fn f37_a_change_that_is_not_made_again_is_caught() {
    caught_in(Broken::LoserNotRetried, &["never happened"], group);
}

#[test]
fn f45_a_topic_that_stays_is_caught() {
    caught_in(Broken::TopicStays, &["knows the topic"], group);
}

#[test]
fn f17_f18_a_relay_that_is_believed_is_caught() {
    caught_in(Broken::RelayBelieved, &["lacks the acknowledged", "differs"], config);
}

#[test]
fn f15_a_relay_that_a_brand_believes_is_caught() {
    caught_in(Broken::RelayBelieved, &["as post"], brand);
}

/// A person with a seed names it in `MADANG_SEEDS`.
#[test]
fn some_seeds() {
    let text = std::env::var("MADANG_SEEDS").unwrap_or_else(|_| "1001-1010".into());
    let (first, last) = text.split_once('-').unwrap_or((&text, &text));
    run_all(first.parse().unwrap()..=last.parse().unwrap());
}

/// The same of groups: each kind has its variable.
#[test]
fn some_groups() {
    for (_, variable, config) in GROUPS {
        let Ok(text) = std::env::var(variable) else {
            continue;
        };
        let (first, last) = text.split_once('-').unwrap_or((&text, &text));
        run_each(first.parse().unwrap()..=last.parse().unwrap(), config);
    }
}
