//! Range-based set reconciliation (negentropy, protocol version 1) over the envelopes of one window.
//!
//! Its fingerprints are sums of ids, so that whoever chooses ids can make two sets with one sum. Ids are therefore hashed under a key
//! that the session draws at random, after the envelopes were made (FAULTS 23); and if the rounds don't end, all is listed instead.
//! Custodians take the same envelope at different times, so that times have no part in the exchange: each element's is 0.

use super::reconcile::{KeyedId, SessionKey};
use crate::keys::EnvelopeId;
use crate::limits;
use negentropy::{Id, Negentropy, NegentropyStorageVector};
use std::collections::BTreeSet;

/// A session can't go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetError {
    /// The window holds too many.
    #[error("the window has {found} envelopes; at most {limit} are compared at once")]
    TooMany {
        /// How many.
        found: usize,
        /// The bound.
        limit: usize,
    },
    /// The other's message can't be read.
    #[error("the message of the comparison can't be read: {reason}")]
    Message {
        /// What is wrong with it.
        reason: String,
    },
    /// The other names more than a window can hold.
    #[error("the other names {found} envelopes that aren't here; a window has at most {limit}")]
    Named {
        /// How many.
        found: usize,
        /// The bound.
        limit: usize,
    },
}

impl From<negentropy::Error> for SetError {
    fn from(error: negentropy::Error) -> Self {
        Self::Message {
            reason: error.to_string(),
        }
    }
}

/// The envelopes of a window, by their keyed ids, each with what its keeper has to know of it.
#[derive(Debug)]
pub struct Elements<V> {
    /// Ascending.
    known: Vec<(KeyedId, V)>,
    storage: NegentropyStorageVector,
}

impl<V> Elements<V> {
    /// Hashes the ids; one that comes twice counts once.
    ///
    /// # Errors
    /// When there are more than [`limits::RECONCILE_ELEMENTS`].
    pub fn new(key: &SessionKey, ids: impl IntoIterator<Item = (EnvelopeId, V)>) -> Result<Self, SetError> {
        Self::of(
            ids.into_iter()
                .map(|(id, value)| (KeyedId::of(key, &id), value))
                .collect(),
        )
    }

    fn of(mut known: Vec<(KeyedId, V)>) -> Result<Self, SetError> {
        known.sort_by_key(|(id, _)| *id);
        known.dedup_by_key(|(id, _)| *id);
        let (found, limit) = (known.len(), limits::RECONCILE_ELEMENTS);
        if found > limit {
            return Err(SetError::TooMany { found, limit });
        }
        let mut storage = NegentropyStorageVector::with_capacity(found);
        for (id, _) in &known {
            storage.insert(0, Id::from_byte_array(id.0))?;
        }
        storage.seal()?;
        Ok(Self { known, storage })
    }

    /// What is known of an element.
    pub fn get(&self, id: &KeyedId) -> Option<&V> {
        let at = self.known.binary_search_by_key(id, |(known, _)| *known).ok()?;
        self.known.get(at).map(|(_, value)| value)
    }

    /// All elements, ascending by keyed id.
    pub fn iter(&self) -> impl Iterator<Item = &(KeyedId, V)> {
        self.known.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// The answer to a message of whoever began.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn answer(&self, message: &[u8]) -> Result<Vec<u8>, SetError> {
        let mut side = Negentropy::borrowed(&self.storage, limits::RECONCILE_MESSAGE_BYTES as u64)?;
        Ok(side.reconcile(message)?)
    }
}

/// What is to be asked next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Send this message.
    Compare(Vec<u8>),
    /// The rounds don't end: ask for a listing.
    List,
    /// The difference is known.
    Done,
}

/// A session at the side that began it.
#[derive(Debug)]
pub struct Session<V> {
    elements: Elements<V>,
    rounds: usize,
    lacked: BTreeSet<KeyedId>,
    missing: BTreeSet<KeyedId>,
}

impl<V> Session<V> {
    /// Begins; gives the first message too.
    ///
    /// # Errors
    /// None in practice: the crate's interface has one.
    pub fn begin(elements: Elements<V>) -> Result<(Self, Vec<u8>), SetError> {
        let limit = limits::RECONCILE_MESSAGE_BYTES as u64;
        let first = Negentropy::borrowed(&elements.storage, limit)?.initiate()?;
        let session = Self {
            elements,
            rounds: 0,
            lacked: BTreeSet::new(),
            missing: BTreeSet::new(),
        };
        Ok((session, first))
    }

    /// Takes the other's answer to the last message.
    ///
    /// # Errors
    /// When it can't be read, or names more than a window can hold.
    pub fn take(&mut self, answer: &[u8]) -> Result<Next, SetError> {
        self.rounds += 1;
        let mut side = Negentropy::borrowed(&self.elements.storage, limits::RECONCILE_MESSAGE_BYTES as u64)?;
        side.set_initiator();
        let (mut have, mut need) = (Vec::new(), Vec::new());
        let next = side.reconcile_with_ids(answer, &mut have, &mut need)?;
        self.lacked.extend(have.iter().map(|id| KeyedId(id.to_bytes())));
        self.missing.extend(need.iter().map(|id| KeyedId(id.to_bytes())));
        self.check_missing()?;
        Ok(match next {
            None => Next::Done,
            Some(_) if self.rounds >= limits::RECONCILE_ROUNDS => Next::List,
            Some(message) => Next::Compare(message),
        })
    }

    /// Takes a listing of all that the other has, which replaces what the rounds have found.
    ///
    /// # Errors
    /// When it names more than a window can hold.
    pub fn listed(&mut self, key: &SessionKey, ids: &[EnvelopeId]) -> Result<(), SetError> {
        let theirs: BTreeSet<KeyedId> = ids.iter().map(|id| KeyedId::of(key, id)).collect();
        let ours: BTreeSet<KeyedId> = self.elements.iter().map(|(id, _)| *id).collect();
        self.lacked = ours.difference(&theirs).copied().collect();
        self.missing = theirs.difference(&ours).copied().collect();
        self.check_missing()
    }

    fn check_missing(&self) -> Result<(), SetError> {
        let (found, limit) = (self.missing.len(), limits::RECONCILE_ELEMENTS);
        if found > limit {
            return Err(SetError::Named { found, limit });
        }
        Ok(())
    }

    /// All that we have.
    pub fn elements(&self) -> impl Iterator<Item = &(KeyedId, V)> {
        self.elements.iter()
    }

    /// What the other lacks.
    pub fn lacked(&self) -> impl Iterator<Item = (&KeyedId, &V)> {
        self.lacked.iter().filter_map(|id| Some((id, self.elements.get(id)?)))
    }

    /// What we lack, by keyed id: its own isn't known here.
    pub fn missing(&self) -> impl Iterator<Item = KeyedId> {
        self.missing.iter().copied()
    }

    /// Messages taken.
    pub fn rounds(&self) -> usize {
        self.rounds
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const KEY: SessionKey = SessionKey([7; 32]);

    fn id(n: u32) -> EnvelopeId {
        EnvelopeId(*blake3::hash(&n.to_be_bytes()).as_bytes())
    }

    fn elements(ids: impl IntoIterator<Item = EnvelopeId>) -> Elements<EnvelopeId> {
        Elements::new(&KEY, ids.into_iter().map(|id| (id, id))).unwrap()
    }

    /// Both sides, until it ends: what the other lacks, what we lack, the bytes on the way and whether a listing was needed.
    fn run(
        ours: Elements<EnvelopeId>,
        theirs: &Elements<EnvelopeId>,
    ) -> (Vec<EnvelopeId>, Vec<EnvelopeId>, usize, bool) {
        let (mut session, mut message) = Session::begin(ours).unwrap();
        let (mut bytes, mut listed) = (0, false);
        loop {
            let answer = theirs.answer(&message).unwrap();
            assert!(
                message.len() <= limits::RECONCILE_MESSAGE_BYTES && answer.len() <= limits::RECONCILE_MESSAGE_BYTES
            );
            bytes += message.len() + answer.len();
            match session.take(&answer).unwrap() {
                Next::Compare(next) => message = next,
                Next::Done => break,
                Next::List => {
                    let all: Vec<EnvelopeId> = theirs.iter().map(|(_, id)| *id).collect();
                    session.listed(&KEY, &all).unwrap();
                    listed = true;
                    break;
                }
            }
        }
        let mut lacked: Vec<EnvelopeId> = session.lacked().map(|(_, id)| *id).collect();
        let mut missing: Vec<EnvelopeId> = session.missing().map(|id| *theirs.get(&id).unwrap()).collect();
        lacked.sort();
        missing.sort();
        (lacked, missing, bytes, listed)
    }

    fn sorted(ids: impl IntoIterator<Item = u32>) -> Vec<EnvelopeId> {
        let mut ids: Vec<EnvelopeId> = ids.into_iter().map(id).collect();
        ids.sort();
        ids
    }

    #[test]
    fn equal_sets_cost_one_small_round() {
        let (lacked, missing, bytes, _) = run(elements((0..4_000).map(id)), &elements((0..4_000).map(id)));
        assert!(lacked.is_empty() && missing.is_empty());
        assert!(bytes < 512, "{bytes} bytes for equal sets");
    }

    #[test]
    fn disjoint_sets_are_told_apart_whole() {
        let (lacked, missing, _, _) = run(elements((0..300).map(id)), &elements((300..700).map(id)));
        assert_eq!((lacked, missing), (sorted(0..300), sorted(300..700)));
    }

    #[test]
    fn a_few_differences_among_thousands_are_found_cheaply() {
        let ours = (0..4_000).filter(|n| n % 1_000 != 3);
        let theirs = (0..4_000).filter(|n| n % 800 != 5);
        let (lacked, missing, bytes, listed) = run(elements(ours.map(id)), &elements(theirs.map(id)));
        assert_eq!(lacked, sorted((0..4_000).filter(|n| n % 800 == 5)));
        assert_eq!(missing, sorted((0..4_000).filter(|n| n % 1_000 == 3)));
        assert!(bytes < 16 * 1024 && !listed, "{bytes} bytes for nine differences");
    }

    #[test]
    fn the_largest_windows_without_anything_in_common_end_within_the_bound_of_rounds() {
        let most = limits::RECONCILE_ELEMENTS as u32;
        let (lacked, missing, _, listed) = run(elements((0..most).map(id)), &elements((most..2 * most).map(id)));
        assert_eq!((lacked.len(), missing.len()), (most as usize, most as usize));
        assert!(!listed, "an honest exchange needs no listing");
    }

    #[test]
    fn an_empty_side_gets_or_gives_all() {
        let (lacked, missing, _, _) = run(elements([]), &elements((0..100).map(id)));
        assert_eq!((lacked.len(), missing.len()), (0, 100));
        let (lacked, missing, _, _) = run(elements((0..100).map(id)), &elements([]));
        assert_eq!((lacked.len(), missing.len()), (100, 0));
    }

    /// Two sets of as many ids with one sum: `x`, `y` here, `x + 1`, `y - 1` there, among others that both have. Ids of envelopes are
    /// hashes, of which only sums can be ground; taken as they are, these show what that would give.
    fn colliding() -> (Vec<EnvelopeId>, Vec<EnvelopeId>) {
        let crafted = |first: u8, last: u8| {
            let mut bytes = [0; 32];
            (bytes[0], bytes[31]) = (first, last);
            EnvelopeId(bytes)
        };
        let common: Vec<EnvelopeId> = (0..60u32)
            .map(|n| {
                let mut id = id(n);
                id.0[0] |= 0x80;
                id
            })
            .collect();
        let with = |some: [EnvelopeId; 2]| common.iter().copied().chain(some).collect();
        (
            with([crafted(1, 10), crafted(2, 20)]),
            with([crafted(1, 11), crafted(2, 19)]),
        )
    }

    fn unkeyed(ids: &[EnvelopeId]) -> Elements<EnvelopeId> {
        Elements::of(ids.iter().map(|id| (KeyedId(id.0), *id)).collect()).unwrap()
    }

    #[test]
    fn f23_ids_chosen_to_collide_hide_nothing_behind_the_sessions_key() {
        let (ours, theirs) = colliding();
        let (lacked, missing, _, _) = run(unkeyed(&ours), &unkeyed(&theirs));
        assert!(
            lacked.is_empty() && missing.is_empty(),
            "broken variant: without the key the sums agree and the difference stays hidden"
        );
        let (lacked, missing, _, _) = run(elements(ours.clone()), &elements(theirs.clone()));
        assert_eq!((lacked.len(), missing.len()), (2, 2));
        assert!(lacked.iter().all(|id| ours.contains(id) && !theirs.contains(id)));
        assert!(missing.iter().all(|id| theirs.contains(id) && !ours.contains(id)));
    }

    #[test]
    fn f19_a_side_whose_rounds_never_end_is_asked_for_a_listing() {
        // It always claims another sum for all that there is.
        let endless = |n: u8| [[0x61, 0, 0, 1].as_slice(), &[n; 16]].concat();
        let (mut session, _) = Session::begin(elements((0..100).map(id))).unwrap();
        for n in 1..limits::RECONCILE_ROUNDS {
            assert!(matches!(session.take(&endless(n as u8)).unwrap(), Next::Compare(_)));
        }
        assert_eq!(session.take(&endless(99)).unwrap(), Next::List);
        let theirs: Vec<EnvelopeId> = (1..101).map(id).collect();
        session.listed(&KEY, &theirs).unwrap();
        assert_eq!(session.lacked().map(|(_, id)| *id).collect::<Vec<_>>(), [id(0)]);
        assert_eq!(session.missing().collect::<Vec<_>>(), [KeyedId::of(&KEY, &id(100))]);
    }

    #[test]
    fn f20_a_side_that_names_more_than_a_window_holds_is_given_up() {
        let (mut session, _) = Session::begin(elements((0..100).map(id))).unwrap();
        let mut outcome = Ok(Next::Done);
        for round in 0..limits::RECONCILE_ROUNDS as u32 {
            // A list of made-up ids below a bound, and another sum for the rest.
            let count = 1_500u32;
            let mut message = vec![0x61, 1, 1, 0xff, 2, 0x80 | (count >> 7) as u8, (count & 0x7f) as u8];
            for n in 0..count {
                message.extend(id(1_000_000 + round * count + n).0);
            }
            message.extend([0, 0, 1]);
            message.extend([round as u8; 16]);
            outcome = session.take(&message);
            if outcome.is_err() {
                break;
            }
        }
        assert!(matches!(outcome, Err(SetError::Named { .. })), "{outcome:?}");
    }

    #[test]
    fn too_many_elements_are_refused() {
        let most = limits::RECONCILE_ELEMENTS as u32;
        let refused = Elements::new(&KEY, (0..=most).map(|n| (id(n), ())));
        assert!(matches!(refused, Err(SetError::TooMany { .. })));
    }

    #[test]
    fn f20_messages_that_are_no_messages_are_refused() {
        let theirs = elements((0..100).map(id));
        for junk in [
            [].as_slice(),
            &[0x51],
            &[0x61, 0, 33],
            &[0x61, 0, 0, 9],
            &[0x61, 0, 0, 2, 0xff, 0xff, 0x7f],
        ] {
            assert!(theirs.answer(junk).is_err(), "{junk:?}");
        }
    }
}
