//! Files between real processes: through a relay, from whoever has them, over kills.
//!
//! `MADANG_FILE_MIB` sets the size of the large file (64).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod changes;
mod full;
mod kills;
mod kit;
mod sources;

const MADANG: &str = env!("CARGO_BIN_EXE_madang-under-test");
