//! Madang's state machines and wire formats: inputs, time and randomness go in, rows and effects come out.
//!
//! Nothing here does I/O, reads a clock or draws randomness of its own; the same code runs in a node, a relay and the simulator.

pub mod address;
pub mod blob;
pub mod channel;
pub mod chat;
pub mod client;
pub mod contact;
pub mod custody;
pub mod envelope;
pub mod identity;
pub mod inbox;
pub mod keys;
pub mod limits;
pub mod message;
pub mod mls;
pub mod padding;
pub mod rows;
pub mod seal;
pub mod seq_set;
pub mod share;
pub mod shown;
#[cfg(feature = "sim")]
pub mod sim;
pub mod wire;
mod words;

/// What a state machine asks of its shell after an input: rows to commit, then effects to carry out once they are flushed
/// (`INV-COMMIT-FIRST`).
#[derive(Debug)]
pub struct Step<E> {
    /// To be applied atomically and flushed.
    pub batch: rows::Batch,
    /// To be carried out in order, only after that flush.
    pub effects: Vec<E>,
}

impl<E> Default for Step<E> {
    fn default() -> Self {
        Self {
            batch: rows::Batch::default(),
            effects: Vec::new(),
        }
    }
}
