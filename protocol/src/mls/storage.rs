//! The OpenMLS storage provider: rows of one group in memory, with a journal of what OpenMLS changed since it was last taken, so
//! that a ratchet step joins the message, the outbox row and the cursor in one batch.

use super::parts::Value;
use openmls_traits::storage::{CURRENT_VERSION as V, StorageProvider, traits as t};
use rmp_serde::config::BytesMode;
use serde::{Serialize, de::DeserializeOwned};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A row's key inside a group: a label of one byte and the encoded OpenMLS key.
pub type RowKey = Vec<u8>;

/// The rows of a key package, or of one state of a group.
pub type GroupRows = BTreeMap<RowKey, Vec<u8>>;
/// The rows of one state of a group as it shares them with others.
pub type StateRows = BTreeMap<RowKey, Value>;

/// Bytes that a row is expected to have: what is written with every message seldom has more.
const ROW_BYTES: usize = 2048;

/// A row can't be written or read.
#[derive(Debug, thiserror::Error)]
#[error("MLS row: {reason}")]
pub struct StorageError {
    reason: String,
}

fn fault(error: impl std::fmt::Display) -> StorageError {
    StorageError {
        reason: error.to_string(),
    }
}

#[derive(Default)]
struct Inner {
    rows: StateRows,
    dirty: BTreeSet<RowKey>,
}

/// Rows with a journal.
#[derive(Default)]
pub struct GroupStorage {
    inner: Mutex<Inner>,
}

impl GroupStorage {
    /// Over rows that are on disk already.
    pub fn new<V: Into<Value>>(rows: impl IntoIterator<Item = (RowKey, V)>) -> Self {
        let rows = rows.into_iter().map(|(key, value)| (key, value.into()));
        Self {
            inner: Mutex::new(Inner {
                rows: rows.collect(),
                dirty: BTreeSet::new(),
            }),
        }
    }

    /// Journals every row: they belong to a state that isn't on disk yet.
    pub fn mark_all(&self) {
        let mut inner = self.lock();
        inner.dirty = inner.rows.keys().cloned().collect();
    }

    /// Takes the journal: changed rows, `None` for removed ones.
    pub fn take_changes(&self) -> Vec<(RowKey, Option<Value>)> {
        let mut inner = self.lock();
        let dirty = std::mem::take(&mut inner.dirty);
        dirty
            .into_iter()
            .map(|key| {
                let value = inner.rows.get(&key).cloned();
                (key, value)
            })
            .collect()
    }

    /// A copy of all rows, each in one piece.
    pub fn snapshot(&self) -> GroupRows {
        let inner = self.lock();
        let rows = inner.rows.iter();
        rows.map(|(key, value)| (key.clone(), value.bytes().into_owned()))
            .collect()
    }

    /// The rows, which go on sharing what is in them: a frozen state.
    pub fn rows(&self) -> StateRows {
        self.lock().rows.clone()
    }

    /// Forgets rows that don't belong to a state.
    pub fn forget<'a>(&self, keys: impl IntoIterator<Item = &'a RowKey>) {
        let mut inner = self.lock();
        for key in keys {
            inner.rows.remove(key);
            inner.dirty.remove(key);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put<T: Serialize + ?Sized>(&self, key: RowKey, value: &T) -> Result<(), StorageError> {
        let bytes = encode(value)?;
        let mut inner = self.lock();
        let before = inner.rows.get(&key);
        let value = Value::of(&bytes, before);
        if before != Some(&value) {
            inner.dirty.insert(key.clone());
            inner.rows.insert(key, value);
        }
        Ok(())
    }

    fn get<T: DeserializeOwned>(&self, key: &RowKey) -> Result<Option<T>, StorageError> {
        let inner = self.lock();
        inner.rows.get(key).map(|value| decode(&value.bytes())).transpose()
    }

    fn remove(&self, key: RowKey) -> Result<(), StorageError> {
        let mut inner = self.lock();
        if inner.rows.remove(&key).is_some() {
            inner.dirty.insert(key);
        }
        Ok(())
    }

    fn list(&self, key: &RowKey) -> Result<Vec<Vec<u8>>, StorageError> {
        Ok(self.get(key)?.unwrap_or_default())
    }
}

/// msgpack with names: OpenMLS's types need a self-describing codec. Its secrets are plain lists of bytes, which go as bytes: it writes
/// a group's secrets with every message.
fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, StorageError> {
    let mut bytes = Vec::with_capacity(ROW_BYTES);
    let mut serializer = rmp_serde::Serializer::new(&mut bytes)
        .with_struct_map()
        .with_bytes(BytesMode::ForceIterables);
    value.serialize(&mut serializer).map_err(fault)?;
    Ok(bytes)
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StorageError> {
    rmp_serde::from_slice(bytes).map_err(fault)
}

fn key<K: Serialize>(label: u8, key: &K) -> Result<RowKey, StorageError> {
    let mut bytes = vec![label];
    bytes.extend(encode(key)?);
    Ok(bytes)
}

// Labels of rows; stored, so never renumbered.
const CONFIG: u8 = 1;
const TREE: u8 = 2;
const INTERIM_HASH: u8 = 3;
const CONTEXT: u8 = 4;
const CONFIRMATION: u8 = 5;
const MESSAGE_SECRETS: u8 = 6;
const RESUMPTION: u8 = 7;
const OWN_LEAF: u8 = 8;
const EPOCH_SECRETS: u8 = 9;
const SIGNATURE_KEYS: u8 = 10;
const ENCRYPTION_KEYS: u8 = 11;
const KEY_PACKAGE: u8 = 12;
const PSK: u8 = 13;
const GROUP_STATE: u8 = 14;
const OWN_LEAF_NODES: u8 = 15;
const PROPOSAL: u8 = 16;
const PROPOSAL_REFS: u8 = 17;
const EPOCH_KEY_PAIRS: u8 = 18;

macro_rules! write_rows {
    ($($f:ident $label:ident $K:ident $T:ident;)*) => { $(
        fn $f<K: t::$K<V>, T: t::$T<V>>(&self, k: &K, value: &T) -> Result<(), StorageError> {
            self.put(key($label, k)?, value)
        }
    )* };
}
macro_rules! read_rows {
    ($($f:ident $label:ident $K:ident $T:ident;)*) => { $(
        fn $f<K: t::$K<V>, T: t::$T<V>>(&self, k: &K) -> Result<Option<T>, StorageError> {
            self.get(&key($label, k)?)
        }
    )* };
}
/// As `read_rows`, for methods whose type parameters come in the other order.
macro_rules! read_rows_reversed {
    ($($f:ident $label:ident $K:ident $T:ident;)*) => { $(
        fn $f<T: t::$T<V>, K: t::$K<V>>(&self, k: &K) -> Result<Option<T>, StorageError> {
            self.get(&key($label, k)?)
        }
    )* };
}
macro_rules! delete_rows {
    ($($f:ident $label:ident $K:ident;)*) => { $(
        fn $f<K: t::$K<V>>(&self, k: &K) -> Result<(), StorageError> {
            self.remove(key($label, k)?)
        }
    )* };
}

impl StorageProvider<V> for GroupStorage {
    type Error = StorageError;

    write_rows! {
        write_mls_join_config CONFIG GroupId MlsGroupJoinConfig;
        write_tree TREE GroupId TreeSync;
        write_interim_transcript_hash INTERIM_HASH GroupId InterimTranscriptHash;
        write_context CONTEXT GroupId GroupContext;
        write_confirmation_tag CONFIRMATION GroupId ConfirmationTag;
        write_message_secrets MESSAGE_SECRETS GroupId MessageSecrets;
        write_resumption_psk_store RESUMPTION GroupId ResumptionPskStore;
        write_own_leaf_index OWN_LEAF GroupId LeafNodeIndex;
        write_group_epoch_secrets EPOCH_SECRETS GroupId GroupEpochSecrets;
        write_signature_key_pair SIGNATURE_KEYS SignaturePublicKey SignatureKeyPair;
        write_encryption_key_pair ENCRYPTION_KEYS EncryptionKey HpkeKeyPair;
        write_key_package KEY_PACKAGE HashReference KeyPackage;
        write_psk PSK PskId PskBundle;
    }
    fn write_group_state<S: t::GroupState<V>, K: t::GroupId<V>>(&self, k: &K, value: &S) -> Result<(), StorageError> {
        self.put(key(GROUP_STATE, k)?, value)
    }
    fn append_own_leaf_node<K: t::GroupId<V>, L: t::LeafNode<V>>(&self, k: &K, leaf: &L) -> Result<(), StorageError> {
        let k = key(OWN_LEAF_NODES, k)?;
        let mut leaves = self.list(&k)?;
        leaves.push(encode(leaf)?);
        self.put(k, &leaves)
    }
    fn queue_proposal<K: t::GroupId<V>, R: t::ProposalRef<V>, Q: t::QueuedProposal<V>>(
        &self,
        k: &K,
        r: &R,
        q: &Q,
    ) -> Result<(), StorageError> {
        self.put(key(PROPOSAL, &(k, r))?, q)?;
        let k = key(PROPOSAL_REFS, k)?;
        let mut refs = self.list(&k)?;
        refs.push(encode(r)?);
        self.put(k, &refs)
    }
    fn write_encryption_epoch_key_pairs<K: t::GroupId<V>, E: t::EpochKey<V>, H: t::HpkeKeyPair<V>>(
        &self,
        k: &K,
        epoch: &E,
        leaf: u32,
        pairs: &[H],
    ) -> Result<(), StorageError> {
        self.put(key(EPOCH_KEY_PAIRS, &(k, epoch, leaf))?, pairs)
    }
    read_rows! {
        mls_group_join_config CONFIG GroupId MlsGroupJoinConfig;
        tree TREE GroupId TreeSync;
        group_context CONTEXT GroupId GroupContext;
        interim_transcript_hash INTERIM_HASH GroupId InterimTranscriptHash;
        confirmation_tag CONFIRMATION GroupId ConfirmationTag;
        message_secrets MESSAGE_SECRETS GroupId MessageSecrets;
        resumption_psk_store RESUMPTION GroupId ResumptionPskStore;
        own_leaf_index OWN_LEAF GroupId LeafNodeIndex;
        group_epoch_secrets EPOCH_SECRETS GroupId GroupEpochSecrets;
        signature_key_pair SIGNATURE_KEYS SignaturePublicKey SignatureKeyPair;
        key_package KEY_PACKAGE HashReference KeyPackage;
    }
    read_rows_reversed! {
        group_state GROUP_STATE GroupId GroupState;
        encryption_key_pair ENCRYPTION_KEYS EncryptionKey HpkeKeyPair;
        psk PSK PskId PskBundle;
    }
    fn own_leaf_nodes<K: t::GroupId<V>, L: t::LeafNode<V>>(&self, k: &K) -> Result<Vec<L>, StorageError> {
        self.list(&key(OWN_LEAF_NODES, k)?)?
            .iter()
            .map(|bytes| decode(bytes))
            .collect()
    }
    fn queued_proposal_refs<K: t::GroupId<V>, R: t::ProposalRef<V>>(&self, k: &K) -> Result<Vec<R>, StorageError> {
        self.list(&key(PROPOSAL_REFS, k)?)?
            .iter()
            .map(|bytes| decode(bytes))
            .collect()
    }
    fn queued_proposals<K: t::GroupId<V>, R: t::ProposalRef<V>, Q: t::QueuedProposal<V>>(
        &self,
        k: &K,
    ) -> Result<Vec<(R, Q)>, StorageError> {
        let refs: Vec<R> = self.queued_proposal_refs(k)?;
        refs.into_iter()
            .map(|r| {
                let queued = self
                    .get(&key(PROPOSAL, &(k, &r))?)?
                    .ok_or_else(|| fault("a queued proposal is missing"))?;
                Ok((r, queued))
            })
            .collect()
    }
    fn encryption_epoch_key_pairs<K: t::GroupId<V>, E: t::EpochKey<V>, H: t::HpkeKeyPair<V>>(
        &self,
        k: &K,
        epoch: &E,
        leaf: u32,
    ) -> Result<Vec<H>, StorageError> {
        Ok(self.get(&key(EPOCH_KEY_PAIRS, &(k, epoch, leaf))?)?.unwrap_or_default())
    }
    fn remove_proposal<K: t::GroupId<V>, R: t::ProposalRef<V>>(&self, k: &K, r: &R) -> Result<(), StorageError> {
        let refs_key = key(PROPOSAL_REFS, k)?;
        let gone = encode(r)?;
        let mut refs = self.list(&refs_key)?;
        refs.retain(|known| *known != gone);
        self.put(refs_key, &refs)?;
        self.remove(key(PROPOSAL, &(k, r))?)
    }
    fn clear_proposal_queue<K: t::GroupId<V>, R: t::ProposalRef<V>>(&self, k: &K) -> Result<(), StorageError> {
        let refs: Vec<R> = self.queued_proposal_refs(k)?;
        for r in refs {
            self.remove(key(PROPOSAL, &(k, &r))?)?;
        }
        self.remove(key(PROPOSAL_REFS, k)?)
    }
    fn delete_encryption_epoch_key_pairs<K: t::GroupId<V>, E: t::EpochKey<V>>(
        &self,
        k: &K,
        epoch: &E,
        leaf: u32,
    ) -> Result<(), StorageError> {
        self.remove(key(EPOCH_KEY_PAIRS, &(k, epoch, leaf))?)
    }
    delete_rows! {
        delete_own_leaf_nodes OWN_LEAF_NODES GroupId;
        delete_group_config CONFIG GroupId;
        delete_tree TREE GroupId;
        delete_confirmation_tag CONFIRMATION GroupId;
        delete_group_state GROUP_STATE GroupId;
        delete_context CONTEXT GroupId;
        delete_interim_transcript_hash INTERIM_HASH GroupId;
        delete_message_secrets MESSAGE_SECRETS GroupId;
        delete_all_resumption_psk_secrets RESUMPTION GroupId;
        delete_own_leaf_index OWN_LEAF GroupId;
        delete_group_epoch_secrets EPOCH_SECRETS GroupId;
        delete_signature_key_pair SIGNATURE_KEYS SignaturePublicKey;
        delete_encryption_key_pair ENCRYPTION_KEYS EncryptionKey;
        delete_key_package KEY_PACKAGE HashReference;
        delete_psk PSK PskId;
    }
}
