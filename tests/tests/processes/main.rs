//! Scenarios with real processes on loopback: a relay, two people, and what they do through the JSON-RPC or the command line.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod apps;
mod archives;
mod benchmark;
mod bounds;
mod brands;
mod browser;
mod by_hand;
mod channels;
mod command_line;
mod copies;
mod domains;
mod events;
mod examples;
mod figures;
mod groups;
mod guests;
mod handlers;
mod kinds;
mod picker;
mod pictures;
mod refusals;
mod relay_service;
mod relays;
mod repair;
mod reports;
mod search;
mod secrets;
mod shares;
mod stdio;
mod stories;
mod terms;
mod webhooks;

const MADANG: &str = env!("CARGO_BIN_EXE_madang-under-test");
const EVENT_READER: &str = env!("CARGO_BIN_EXE_event-reader-under-test");
