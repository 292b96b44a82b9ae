//! Rows that can't be read any more (FAULTS 30): those that a node can do without are put aside, so that it goes on with the rest.

use madang_protocol::client::search::INDEX_STATE;
use madang_protocol::rows::{Batch, Tree};

use crate::store::{Store, StoreError};

/// Trees whose rows may go: history that is shown without them, and what was done to it or is due; cursors from which all is fetched
/// again, what the others tell again, and what is kept for them; the search index, which is made anew; what was imported. The account, contacts, groups and what was received of each stream are not among them: a node
/// without these would lie.
const SPARED: [Tree; 17] = [
    Tree::Messages,
    Tree::MessageIds,
    Tree::Ledger,
    Tree::Cursors,
    Tree::Pending,
    Tree::Events,
    Tree::Idempotency,
    Tree::Acks,
    Tree::Effects,
    Tree::Expiry,
    Tree::Trust,
    Tree::Gaps,
    Tree::Passed,
    Tree::Search,
    Tree::BlobChunks,
    Tree::Archives,
    Tree::ArchiveMessages,
];

/// Puts aside what was found unreadable so far and can be spared; whether there was something.
pub(super) fn mend(store: &Store) -> Result<bool, StoreError> {
    let mut mended = false;
    for (tree, key) in store.unreadable() {
        if SPARED.contains(&tree) {
            mended |= store.quarantine(tree, &key)?;
            if tree == Tree::Search {
                let mut anew = Batch::default();
                anew.delete(Tree::Search, INDEX_STATE);
                store.commit(&anew)?;
            }
        }
    }
    Ok(mended)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use madang_protocol::client::ClientConfig;
    use madang_protocol::mls::Suite;
    use madang_protocol::rows::Rows as _;

    use super::*;
    use crate::core::Engine;
    use crate::store::{StoreKind, Unlock};

    #[test]
    fn f30_a_node_starts_without_what_it_can_spare_and_not_without_its_account() {
        let temp = tempfile::tempdir().unwrap();
        let config = || ClientConfig::new(Suite::X25519);
        let store = Store::open(temp.path(), Unlock::KeyFile, StoreKind::Node).unwrap();
        drop(Engine::open(store.clone(), config()).unwrap());
        let mut batch = Batch::default();
        for key in [[1; 64], [2; 64]] {
            batch.put(Tree::Cursors, key, b"cursor");
        }
        batch.put(Tree::Pending, [3; 64], b"envelope");
        store.commit(&batch).unwrap();
        for (tree, key) in [(Tree::Cursors, [1; 64]), (Tree::Cursors, [2; 64])] {
            store.flip(tree, &key);
        }

        drop(Engine::open(store.clone(), config()).unwrap());
        assert_eq!(store.prefix(Tree::Cursors, &[], 9).unwrap(), []);
        assert_eq!(store.prefix(Tree::Pending, &[], 9).unwrap().len(), 1);

        store.flip(Tree::Meta, b"account");
        let error = Engine::open(store.clone(), config()).err().unwrap().to_string();
        assert!(error.contains("Meta"), "{error}");
        assert!(store.get(Tree::Meta, b"account").is_err(), "it was put aside");
    }
}
