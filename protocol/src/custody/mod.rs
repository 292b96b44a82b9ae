//! Custody: how envelopes are handed to whoever keeps them, and fetched by whoever missed them.
//!
//! The frames are the same towards a relay and towards another device; specification in `spec/custody.md`.

mod frames;
pub mod relay;

pub use frames::{
    Accepted, AdmissionToken, ClientFrame, Cursor, CustodianFrame, Deposit, Item, Items, Receipt, Refusal, Refused,
    RunningHash, TokenHash, Watch,
};
