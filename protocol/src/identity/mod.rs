//! Accounts, their devices, and the keys that devices certify.

mod certificate;
mod device_log;
mod phrase;

pub use certificate::TransportCertificate;
pub use device_log::{Author, DeviceLog, DeviceLogError, Statement, StatementBody};
pub use phrase::{Phrase, PhraseError};
