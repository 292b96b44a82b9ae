//! One decoder of the protocol, named by `MADANG_TARGET`.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use targets::{TARGETS, Target};

#[path = "../../../protocol/tests/common/session.rs"]
mod session;
#[path = "../../../protocol/tests/decoders/targets.rs"]
#[allow(dead_code)]
mod targets;
#[path = "../../../protocol/tests/common/village.rs"]
mod village;

fn wanted() -> &'static Target {
    static WANTED: OnceLock<&Target> = OnceLock::new();
    WANTED.get_or_init(|| {
        let name = std::env::var("MADANG_TARGET").expect("MADANG_TARGET names a decoder");
        let found = TARGETS.iter().find(|target| target.name == name);
        found.expect("MADANG_TARGET is one of the folders of protocol/fuzz/corpus")
    })
}

fuzz_target!(|bytes: &[u8]| {
    wanted().check(bytes).unwrap();
});
