//! The example programs and what they share: programs of strangers, which know nothing but the JSON-RPC (docs/rpc.md).

pub mod echo_bot;
pub mod rpc;
pub mod state;
