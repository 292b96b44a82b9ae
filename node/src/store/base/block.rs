//! The encoding of a base's blocks and index. Numbers are LEB128.
//!
//! A block is a sequence of rows: bytes of the key shared with the row before, bytes of the rest, bytes of the value, the rest, the
//! value. The index is: number of rows, bytes of their keys and values, number of blocks; then of each block: sealed length, bytes of
//! the separator, separator; then the filter (`filter.rs`).

use super::super::rows::Entry;
use super::Plain;
use super::filter::Filter;

/// An opened block: its rows in order.
#[derive(Default)]
pub(super) struct Block {
    plain: Plain,
}

impl Block {
    /// Reads a block; `None` if it isn't one.
    pub(super) fn decode(plain: Plain) -> Option<Self> {
        let block = Self { plain };
        block.walk(|_, _| true)?;
        Some(block)
    }

    /// Bytes in memory.
    pub(super) fn len(&self) -> usize {
        self.plain.len()
    }

    /// The value of a key.
    pub(super) fn find(&self, key: &[u8]) -> Option<Vec<u8>> {
        let mut found = None;
        self.walk(|k, value| {
            if k == key {
                found = Some(value.to_vec());
            }
            k < key
        })?;
        found
    }

    /// The rows with `from <= key < to`, ascending.
    pub(super) fn between(&self, from: &[u8], to: &[u8]) -> Vec<Entry> {
        let mut rows = Vec::new();
        // It was walked to its end once.
        let _whole = self.walk(|key, value| {
            if key >= from && key < to {
                rows.push((key.to_vec(), value.to_vec()));
            }
            key < to
        });
        rows
    }

    /// Shows each row to `visit` until it returns `false`; `None` if there is one that can't be read.
    fn walk(&self, mut visit: impl FnMut(&[u8], &[u8]) -> bool) -> Option<()> {
        let mut bytes = self.plain.as_slice();
        let mut key = Vec::new();
        while !bytes.is_empty() {
            let shared = take_len(&mut bytes)?;
            let rest = take_len(&mut bytes)?;
            let value = take_len(&mut bytes)?;
            if shared > key.len() {
                return None;
            }
            key.truncate(shared);
            key.extend_from_slice(take(&mut bytes, rest)?);
            if !visit(&key, take(&mut bytes, value)?) {
                break;
            }
        }
        Some(())
    }
}

/// Appends a row to a block that ends with the key `before`.
pub(super) fn push_row(block: &mut Vec<u8>, before: &[u8], key: &[u8], value: &[u8]) {
    let shared = shared_len(before, key);
    let rest = key.get(shared..).unwrap_or_default();
    for len in [shared, rest.len(), value.len()] {
        push_number(block, len as u64);
    }
    block.extend_from_slice(rest);
    block.extend_from_slice(value);
}

/// The shortest key that is greater than `before` and not greater than `key`, which is greater than `before`.
pub(super) fn separator(before: &[u8], key: &[u8]) -> Vec<u8> {
    let len = shared_len(before, key) + 1;
    key.get(..len).unwrap_or(key).to_vec()
}

/// Where the blocks of a base are.
#[derive(Default)]
pub(super) struct Index {
    /// The number of rows.
    pub(super) rows: u64,
    /// Bytes of their keys and values.
    pub(super) bytes: u64,
    /// All separators, one after the other: a vector for each would cost more than its content.
    separators: Vec<u8>,
    /// Of each block, where its separator ends and where it begins in the file.
    blocks: Vec<(u32, u64)>,
    /// Where the last block ends.
    end: u64,
    /// Which keys may be there.
    pub(super) filter: Filter,
}

impl Index {
    /// An index whose first block begins at `offset`.
    pub(super) fn at(offset: u64) -> Self {
        Self {
            end: offset,
            ..Self::default()
        }
    }

    /// Adds a block; `false` if the separators have no room.
    pub(super) fn push(&mut self, separator: &[u8], len: u64) -> bool {
        let Ok(end) = u32::try_from(self.separators.len() + separator.len()) else {
            return false;
        };
        self.separators.extend_from_slice(separator);
        self.blocks.push((end, self.end));
        self.end += len;
        true
    }

    /// Where the last block ends.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for number in [self.rows, self.bytes, self.blocks.len() as u64] {
            push_number(&mut bytes, number);
        }
        for number in 0..self.blocks.len() {
            let separator = self.separator(number);
            let len = self.place(number).map_or(0, |(_, len)| len);
            push_number(&mut bytes, len as u64);
            push_number(&mut bytes, separator.len() as u64);
            bytes.extend_from_slice(separator);
        }
        bytes.extend_from_slice(self.filter.as_bytes());
        bytes
    }

    /// Reads an index whose blocks lie from `start` to `end`; `None` if it isn't one.
    pub(super) fn decode(mut bytes: &[u8], start: u64, end: u64) -> Option<Self> {
        let mut index = Self::at(start);
        index.rows = take_number(&mut bytes)?;
        index.bytes = take_number(&mut bytes)?;
        for _ in 0..take_number(&mut bytes)? {
            let len = take_number(&mut bytes)?;
            let separator = take_len(&mut bytes)?;
            if !index.push(take(&mut bytes, separator)?, len) || index.end > end {
                return None;
            }
        }
        index.filter = Filter::from_bytes(bytes);
        (index.end == end).then_some(index)
    }

    /// The block that holds a key, if any does: one of the same tree, whose number is the first byte.
    pub(super) fn block_of(&self, key: &[u8]) -> Option<usize> {
        let number = self.blocks_from(key)?;
        (self.separator(number).first() == key.first()).then_some(number)
    }

    /// The last block that begins at a key or below.
    pub(super) fn blocks_from(&self, key: &[u8]) -> Option<usize> {
        self.partition(|separator| separator <= key).checked_sub(1)
    }

    /// How many blocks begin below a key.
    pub(super) fn blocks_before(&self, key: &[u8]) -> usize {
        self.partition(|separator| separator < key)
    }

    /// The separator of a block: not greater than its first key.
    pub(super) fn separator(&self, number: usize) -> &[u8] {
        let end_of = |number: usize| self.blocks.get(number).map_or(0, |(end, _)| *end as usize);
        let start = number.checked_sub(1).map_or(0, end_of);
        self.separators.get(start..end_of(number)).unwrap_or_default()
    }

    /// Offset and sealed length of a block.
    pub(super) fn place(&self, number: usize) -> Option<(u64, usize)> {
        let (_, offset) = *self.blocks.get(number)?;
        let end = self.blocks.get(number + 1).map_or(self.end, |(_, next)| *next);
        Some((offset, usize::try_from(end - offset).ok()?))
    }

    /// The number of blocks, from the first on, whose separator satisfies `holds`.
    fn partition(&self, holds: impl Fn(&[u8]) -> bool) -> usize {
        let (mut low, mut high) = (0, self.blocks.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if holds(self.separator(middle)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

fn shared_len(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(x, y)| x == y).count()
}

fn push_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        let part = u64::from(first & 0x7f);
        if shift == 63 && part > 1 {
            return None;
        }
        number |= part << shift;
        if first & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn take_len(bytes: &mut &[u8]) -> Option<usize> {
    usize::try_from(take_number(bytes)?).ok()
}

fn take<'a>(bytes: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(len)?;
    *bytes = rest;
    Some(taken)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_and_overlong_ones_are_refused() {
        for number in [0, 1, 127, 128, 16_383, 16_384, u64::MAX - 1, u64::MAX] {
            let mut bytes = Vec::new();
            push_number(&mut bytes, number);
            assert_eq!(take_number(&mut bytes.as_slice()), Some(number));
            bytes.pop();
            assert_eq!(take_number(&mut bytes.as_slice()), None);
        }
        assert_eq!(take_number(&mut [0xff; 11].as_slice()), None);
    }

    #[test]
    fn separators_are_short_and_between() {
        assert_eq!(separator(b"abcd", b"abxyz"), b"abx");
        assert_eq!(separator(b"ab", b"abc"), b"abc");
        assert_eq!(separator(b"", b"abc"), b"a");
    }

    #[test]
    fn an_index_finds_the_block_of_a_key() {
        let mut index = Index::at(40);
        for (separator, len) in [(b"b".as_slice(), 10), (b"dd", 20), (b"x", 5)] {
            assert!(index.push(separator, len));
        }
        let index = Index::decode(&index.encode(), 40, 75).unwrap();
        assert_eq!(index.block_of(b"a"), None);
        assert_eq!(index.block_of(b"b"), Some(0));
        assert_eq!(index.block_of(b"dc"), None);
        assert_eq!(index.block_of(b"dd"), Some(1));
        assert_eq!(index.block_of(b"xz"), Some(2));
        assert_eq!(index.block_of(b"zzz"), None);
        assert_eq!(index.blocks_from(b"zzz"), Some(2));
        assert_eq!(index.blocks_before(b"dd"), 1);
        assert_eq!(index.place(1), Some((50, 20)));
        assert!(Index::decode(&index.encode(), 40, 74).is_none());
    }
}
