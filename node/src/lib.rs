//! Madang's personal node and relay.
//!
//! Two entry points, `run_node` and `run_relay`, each run until told to stop; all else is done through the JSON-RPC.

pub mod config;
pub mod failpoint;
pub mod net;
pub mod relay;
pub mod rpc;
pub mod store;

pub use config::*;
pub use relay::run_relay;
