//! What the example programs share: programs of strangers, which know nothing but the JSON-RPC (docs/rpc.md).

pub mod rpc;
pub mod state;
