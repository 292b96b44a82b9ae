//! Madang's personal node and relay.
//!
//! Two entry points, `run_node` and `run_relay`, each run until told to stop; all else is done through the JSON-RPC.

mod blocking;
mod clock;
pub mod config;
mod core;
mod disk;
pub mod failpoint;
mod media;
pub mod net;
mod node;
mod random;
pub mod relay;
pub mod rpc;
pub mod store;

pub use config::*;
pub use node::run_node;
pub use relay::{
    Check, Health, RelayReport, RelayToken, ReportNote, dismiss_relay_report, new_relay_token, relay_doctor,
    relay_reports, relay_tokens, revoke_relay_token, run_relay,
};
