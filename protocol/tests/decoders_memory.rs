//! What decoders allocate stays in the order of their input, whatever lengths it claims (FAULTS 7). One test in a binary of its own: the
//! counter is the whole process's.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "decoders/mutate.rs"]
#[allow(dead_code)]
mod mutate;
#[path = "common/session.rs"]
mod session;
#[path = "decoders/targets.rs"]
#[allow(dead_code)]
mod targets;
#[path = "common/village.rs"]
mod village;

use peak_alloc::PeakAlloc;
use targets::{TARGETS, Target};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// The most that was allocated at once on top of what was before, in bytes.
fn peak(operation: impl FnOnce()) -> usize {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    operation();
    MEMORY.peak_usage().saturating_sub(before)
}

fn check(target: &Target, what: &str, bytes: &[u8]) {
    let found = peak(|| {
        std::hint::black_box(target.accepts(bytes));
    });
    let bound = target.memory(bytes);
    assert!(
        found <= bound,
        "{}: {found} bytes for {} of {what}, more than {bound}",
        target.name,
        bytes.len()
    );
}

/// A length of four bytes that claims `length`.
fn length(length: u32) -> [u8; 4] {
    (length | 0x8000_0000).to_be_bytes()
}

#[test]
fn f07_nothing_is_allocated_for_what_a_length_only_claims() {
    let seen = peak(|| drop(std::hint::black_box(vec![1_u8; 1 << 20])));
    assert!(seen >= 1 << 20, "the counter doesn't see what is allocated");
    for target in &TARGETS {
        let valid = (target.valid)();
        // What a decoder keeps from its first use (tables of curves, fixtures) is not the input's.
        assert!(
            valid.iter().all(|bytes| target.accepts(bytes)),
            "{} refuses valid input",
            target.name
        );
        for bytes in &valid {
            check(target, "valid input", bytes);
            let step = bytes.len().div_ceil(200);
            for at in (0..bytes.len()).step_by(step) {
                for claimed in [1 << 14, 1 << 20, (1 << 30) - 1] {
                    check(target, "a claimed length", &mutate::claim(bytes, at, claimed));
                    check(
                        target,
                        "a claimed length at the end",
                        &[&bytes[..at], &length(claimed)].concat(),
                    );
                }
            }
        }
        // As many of the smallest items as fit: every list's limit ends it.
        for byte in [0, 1, 0x40, 0x80, 0xff] {
            check(target, "one byte repeated", &vec![byte; 60_000]);
            for bytes in &valid {
                let mut long = bytes.clone();
                long.resize(60_000, byte);
                check(target, "valid input and one byte repeated", &long);
            }
        }
    }
    many_small_items();
}

/// Lists whose items cost least on the wire and most in memory.
fn many_small_items() {
    let target = |name: &str| TARGETS.iter().find(|target| target.name == name).unwrap();
    let list = |head: &[u8], items: &[u8]| [head, &length(items.len() as u32), items].concat();
    let deposit = list(&[1, 0, 0, 0, 0, 0, 0, 0, 1], &[0; 200_000]);
    check(target("client_frame"), "a deposit of empty envelopes", &deposit);
    let items = list(&[&[130][..], &[0; 32 + 48 + 1]].concat(), &[0; 9 * 100_000]);
    check(target("custodian_frame"), "a page of empty items", &items);
    let relays = list(&[&[0, 1][..], &[0; 128]].concat(), &[0; 33 * 1000]);
    check(target("invite"), "relays without addresses", &relays);
    check(target("ranges"), "ranges", &list(&[], &[0; 160_000]));
    for (name, bytes) in [("share", 16_000), ("share_resolve", 29_000)] {
        for item in ["{\"\":0},", "0,", "[],", "\"\","] {
            let items = item.repeat(bytes / item.len());
            check(
                target(name),
                "a list of small values",
                format!("{{\"share\":[{items}0]}}").as_bytes(),
            );
        }
    }
}
