//! What OpenMLS needs from us: crypto with a given generator, and storage that journals.

mod crypto;
mod hpke;
mod parts;
mod storage;

pub use crypto::{Crypto, NoRandomness, Suite};
pub use parts::{Part, Value};
pub use storage::{GroupRows, GroupStorage, RowKey, StateRows, StorageError};

/// One group's provider.
pub struct Provider<'a> {
    /// Crypto and randomness.
    pub crypto: &'a Crypto,
    /// The group's rows.
    pub storage: &'a GroupStorage,
}

impl openmls_traits::OpenMlsProvider for Provider<'_> {
    type CryptoProvider = Crypto;
    type RandProvider = Crypto;
    type StorageProvider = GroupStorage;

    fn storage(&self) -> &GroupStorage {
        self.storage
    }
    fn crypto(&self) -> &Crypto {
        self.crypto
    }
    fn rand(&self) -> &Crypto {
        self.crypto
    }
}
