//! The JSON-RPC's description, and what is made from it: the committed files are as the code says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod clients;
mod document;
mod examples;
mod hostile;
mod shares;
