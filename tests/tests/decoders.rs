//! The corpora of all decoders, and inputs that once made one fail, give what their names say (FAULTS 8, 56).
//!
//! `MADANG_WRITE_VECTORS=1` writes the `…-seed-…` files of the JSON-RPC anew; the protocol's own tests write theirs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::time::Duration;

use madang_tests::fuzz::{Target, corpus, crashes, files, run, targets};

/// Time for made inputs of each target here; more with `madang-fuzz`.
const TIME: Duration = Duration::from_millis(300);

#[test]
fn f08_f56_the_corpora_give_what_their_names_say() {
    let mut wrong = Vec::new();
    for target in targets() {
        if target.name == "rpc" && std::env::var_os("MADANG_WRITE_VECTORS").is_some() {
            write_seeds(target);
        }
        let files = files(&corpus(target));
        assert!(files.len() >= 3, "the corpus of {} is nearly empty", target.name);
        for (name, bytes) in files {
            let accepted = target.check(&bytes).unwrap();
            match name.split('-').next() {
                Some("ok") if accepted => {}
                Some("bad") if !accepted => {}
                _ => wrong.push(format!("{}/{name}, accepted: {accepted}", target.name)),
            }
        }
        for (name, bytes) in self::files(&crashes(target)) {
            if let Err(why) = target.check(&bytes) {
                panic!("{}/{name}: {why}", target.name);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn f08_f56_made_inputs_break_no_decoder() {
    for target in targets() {
        let run = run(target, TIME, 1, None);
        assert_eq!(run.found, [], "{}", target.name);
    }
}

fn write_seeds(target: &Target) {
    std::fs::create_dir_all(corpus(target)).unwrap();
    for (at, bytes) in (target.valid)().iter().enumerate() {
        std::fs::write(corpus(target).join(format!("ok-seed-{at}")), bytes).unwrap();
    }
}
