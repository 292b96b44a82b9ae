//! Whether a stream has one history: each message names the hash of the one before.

use super::GapState;
use crate::chat::Member;
use crate::client::records::{ForkRow, StreamRow};
use crate::client::{Client, EventRow};
use crate::keys::ChatId;
use crate::message::{Durable, StreamId};
use serde_bytes::ByteArray;

/// Ends of ranges whose hashes are kept; beyond, the oldest are dropped, and nothing is compared there.
const ENDS: usize = 64;

type Hash = ByteArray<16>;

/// Half of a hash is enough: only the author could find two messages with it.
fn short(hash: &[u8; 32]) -> Hash {
    let mut half = [0; 16];
    half.copy_from_slice(hash.first_chunk::<16>().unwrap_or(&[0; 16]));
    ByteArray::new(half)
}

fn take(list: &mut Vec<(u64, Hash)>, sequence: u64) -> Option<Hash> {
    let at = list.iter().position(|(known, _)| *known == sequence)?;
    Some(list.remove(at).1)
}

fn keep(list: &mut Vec<(u64, Hash)>, sequence: u64, hash: Hash) {
    let at = list.partition_point(|(known, _)| *known < sequence);
    list.insert(at, (sequence, hash));
    if list.len() > ENDS {
        list.remove(0);
    }
}

/// Links a message that is new to its neighbours; false if they don't fit together.
fn link(row: &mut StreamRow, sequence: u64, previous: Hash, hash: Hash) -> bool {
    let mut fits = sequence != 1 || previous == Hash::new([0; 16]);
    match take(&mut row.lasts, sequence.saturating_sub(1)) {
        Some(before) => fits &= before == previous,
        None => keep(&mut row.firsts, sequence, previous),
    }
    match take(&mut row.firsts, sequence.saturating_add(1)) {
        Some(says) => fits &= says == hash,
        None => keep(&mut row.lasts, sequence, hash),
    }
    fits
}

impl Client {
    /// Compares a message that is new with those before and after it.
    pub(super) fn check_chain(&mut self, chat_id: ChatId, member: &Member, stream: StreamId, durable: &Durable) {
        let (previous, hash) = (short(&durable.previous), short(&durable.hash(&stream)));
        let row = self
            .chats
            .get_mut(&chat_id)
            .and_then(|chat| chat.streams.get_mut(&stream));
        let Some(row) = row else {
            return;
        };
        if !link(row, durable.sequence, previous, hash) {
            self.note_fork(chat_id, member, stream, durable.sequence);
        }
    }

    /// Compares a message that came before with what came then, as far as that is remembered.
    pub(in crate::client) fn check_repeat(
        &mut self,
        chat_id: ChatId,
        member: &Member,
        stream: StreamId,
        durable: &Durable,
    ) {
        let row = self.chats.get(&chat_id).and_then(|chat| chat.streams.get(&stream));
        let known = row.and_then(|row| row.lasts.iter().find(|(last, _)| *last == durable.sequence));
        if known.is_some_and(|(_, hash)| *hash != short(&durable.hash(&stream))) {
            self.note_fork(chat_id, member, stream, durable.sequence);
        }
    }

    fn note_fork(&mut self, chat_id: ChatId, member: &Member, stream: StreamId, sequence: u64) {
        let since_ms = self.last_ms;
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return;
        };
        // The first time says it all.
        if chat.gaps.forks.contains_key(&stream) {
            return;
        }
        let account = member.account;
        let fork = ForkRow {
            account,
            sequence,
            since_ms,
        };
        chat.gaps.forks.insert(stream, fork);
        chat.gaps.forks_dirty.insert(stream);
        self.dirty.chats.insert(chat_id);
        self.event(&EventRow::Gap {
            chat: chat_id,
            account,
            device: stream.device,
            first: sequence,
            last: sequence,
            state: GapState::Forked,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(n: u64) -> Hash {
        Hash::new([n as u8; 16])
    }

    /// Takes messages in an order; those where the chain didn't fit.
    fn bad(order: &[u64], wrong: &[u64]) -> Vec<u64> {
        let mut row = StreamRow::default();
        let says = |n: u64| if wrong.contains(&n) { hash(99) } else { hash(n - 1) };
        let order = order.iter().copied();
        let broken = order.filter(|n| !link(&mut row, *n, says(*n), hash(*n))).collect();
        assert!(row.firsts.len() <= ENDS && row.lasts.len() <= ENDS);
        broken
    }

    #[test]
    fn a_history_fits_in_any_order_and_a_second_one_does_not() {
        for order in [[1, 2, 3, 4, 5], [5, 4, 3, 2, 1], [3, 1, 5, 2, 4]] {
            assert_eq!(bad(&order, &[]), Vec::<u64>::new(), "{order:?}");
        }
        assert_eq!(bad(&[1, 2, 3, 4, 5], &[4]), [4]);
        assert_eq!(bad(&[5, 4, 3, 2, 1], &[4]), [3], "found when its neighbour comes");
        assert_eq!(bad(&[1, 2], &[1]), [1], "the first names nothing before it");
        let odd: Vec<u64> = (1..500).map(|n| n * 2).collect();
        assert_eq!(bad(&odd, &[]), Vec::<u64>::new());
    }
}
