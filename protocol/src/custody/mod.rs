//! Custody: how envelopes are handed to whoever keeps them, and fetched by whoever missed them.
//!
//! The frames are the same towards a relay and towards another device; specification in `spec/custody.md`.

mod blobs;
mod directory;
mod figures;
mod frames;
mod history;
mod meet;
mod reconcile;
pub mod relay;
mod report;
mod sets;

pub use blobs::{BlobChunks, BlobPermit, BlobReceipt, BlobRefused, BlobState, ChunkRange, GetBlob, PutBlob};
pub use directory::{Enlist, Enlisted, Found, Search};
pub use figures::{AskFigures, Figures, Handed};
pub use frames::{
    Accepted, AdmissionToken, ClientFrame, Compare, Compared, Cursor, CustodianFrame, Deposit, Item, Items, Receipt,
    Refusal, Refused, RunningHash, TokenHash, Watch,
};
pub use history::{History, HistoryPage};
pub use meet::{Meet, Met};
pub use reconcile::{Answer, Ask, KeyedId, Reconcile, Reconciled, SessionKey, Window};
pub use report::{Reason, Report, Reported};
pub use sets::{Elements, Next, Session, SetError};
