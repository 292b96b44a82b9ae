//! MLS rows of a chat's states on the disk: what states have in common is there once, as parts with numbers.
//!
//! | tree | key | value |
//! |---|---|---|
//! | Mls | chat, node, row | the row |
//! | Mls | chat, node, row with [`IN_PARTS`] | the numbers of its parts, 4 bytes each |
//! | MlsParts | chat, number | a part |

use super::LoadError;
use super::records::key;
use crate::chat::Group;
use crate::keys::{ChatId, NodeId};
use crate::mls::{Part, RowKey, StateRows, Value};
use crate::rows::{Batch, Rows, RowsError, Tree};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Set in the first byte of a row's key, the label, where the value is a list of parts. Labels are below it.
const IN_PARTS: u8 = 0x80;

/// Which parts are on the disk, and which rows have them.
#[derive(Default)]
pub(super) struct Shared {
    /// Part, its number, and how often rows name it.
    parts: BTreeMap<Part, (u32, usize)>,
    rows: BTreeMap<(NodeId, RowKey), Arc<[Part]>>,
    next: u32,
}

impl Shared {
    /// Reads the parts of a chat; which rows have them shows as its states are loaded.
    pub fn load(chat: ChatId, rows: &dyn Rows) -> Result<(Self, Numbered), RowsError> {
        let mut shared = Self::default();
        let mut numbered = Numbered::default();
        for (stored, bytes) in rows.prefix(Tree::MlsParts, &chat.0, usize::MAX)? {
            let Some(number) = stored.get(32..).and_then(|bytes| bytes.try_into().ok()) else {
                continue;
            };
            let number = u32::from_be_bytes(number);
            shared.next = shared.next.max(number.saturating_add(1));
            numbered.0.insert(number, bytes.into());
        }
        Ok((shared, numbered))
    }

    /// Loads a state.
    pub fn state(
        &mut self,
        chat: ChatId,
        node: NodeId,
        numbered: &Numbered,
        rows: &dyn Rows,
    ) -> Result<Group, LoadError> {
        let prefix = key::mls(&chat, &node, &[]);
        let mut state = StateRows::new();
        for (stored, bytes) in rows.prefix(Tree::Mls, &prefix, usize::MAX)? {
            let mut row = stored.get(prefix.len()..).unwrap_or_default().to_vec();
            let value = match row.first_mut() {
                Some(label) if *label & IN_PARTS != 0 => {
                    *label &= !IN_PARTS;
                    let parts = numbered.list(&bytes)?;
                    for (number, part) in &parts {
                        self.parts.entry(part.clone()).or_insert((*number, 0)).1 += 1;
                    }
                    let parts: Arc<[Part]> = parts.into_iter().map(|(_, part)| part).collect();
                    self.rows.insert((node, row.clone()), parts.clone());
                    Value::Parts(parts)
                }
                _ => Value::Whole(bytes.into()),
            };
            state.insert(row, value);
        }
        Ok(Group::load(state, chat, node)?)
    }

    /// Writes or removes a row of a state.
    pub fn write(&mut self, chat: &ChatId, node: &NodeId, row: RowKey, value: Option<Value>, batch: &mut Batch) {
        let stored = key::mls(chat, node, &row);
        match value {
            Some(Value::Whole(bytes)) => batch.put(Tree::Mls, stored, bytes.to_vec()),
            Some(Value::Parts(parts)) => self.write_parts(chat, node, row, parts, batch),
            None => {
                batch.delete(Tree::Mls, stored);
                self.remove_parts(chat, node, row, batch);
            }
        }
    }

    fn write_parts(&mut self, chat: &ChatId, node: &NodeId, row: RowKey, parts: Arc<[Part]>, batch: &mut Batch) {
        let mut list = Vec::with_capacity(parts.len() * 4);
        for part in parts.iter() {
            let next = &mut self.next;
            let (number, uses) = self.parts.entry(part.clone()).or_insert_with(|| {
                let number = *next;
                // Four thousand million parts are more than a chat ever writes between two starts, which begin behind the last in use.
                *next = next.wrapping_add(1);
                batch.put(Tree::MlsParts, part_key(chat, number), part.to_vec());
                (number, 0)
            });
            *uses += 1;
            list.extend_from_slice(&number.to_be_bytes());
        }
        batch.put(Tree::Mls, key::mls(chat, node, &in_parts(&row)), list);
        match self.rows.insert((*node, row.clone()), parts) {
            Some(before) => self.let_go(chat, &before, batch),
            // It may have been whole until now.
            None => batch.delete(Tree::Mls, key::mls(chat, node, &row)),
        }
    }

    fn remove_parts(&mut self, chat: &ChatId, node: &NodeId, row: RowKey, batch: &mut Batch) {
        let stored = key::mls(chat, node, &in_parts(&row));
        if let Some(before) = self.rows.remove(&(*node, row)) {
            batch.delete(Tree::Mls, stored);
            self.let_go(chat, &before, batch);
        }
    }

    /// A row names these parts no more.
    fn let_go(&mut self, chat: &ChatId, parts: &[Part], batch: &mut Batch) {
        for part in parts {
            let Some((number, uses)) = self.parts.get_mut(part) else {
                continue;
            };
            *uses -= 1;
            if *uses == 0 {
                batch.delete(Tree::MlsParts, part_key(chat, *number));
                self.parts.remove(part);
            }
        }
    }
}

/// A chat's parts by their numbers, while it is loaded.
#[derive(Default)]
pub(super) struct Numbered(BTreeMap<u32, Part>);

impl Numbered {
    fn list(&self, bytes: &[u8]) -> Result<Vec<(u32, Part)>, RowsError> {
        let (numbers, rest) = bytes.as_chunks::<4>();
        let part = |number: &[u8; 4]| {
            let number = u32::from_be_bytes(*number);
            Some((number, self.0.get(&number)?.clone()))
        };
        let parts: Option<Vec<_>> = numbers.iter().map(part).collect();
        parts.filter(|_| rest.is_empty()).ok_or_else(|| RowsError {
            reason: "a part of a chat's state is missing".into(),
        })
    }
}

fn in_parts(row: &[u8]) -> RowKey {
    let mut row = row.to_vec();
    if let Some(label) = row.first_mut() {
        *label |= IN_PARTS;
    }
    row
}

fn part_key(chat: &ChatId, number: u32) -> Vec<u8> {
    [chat.0.as_slice(), &number.to_be_bytes()].concat()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::rows::MemoryRows;

    const CHAT: ChatId = ChatId([1; 32]);

    fn part(n: u8) -> Part {
        vec![n; 600].into()
    }

    fn row(shared: &mut Shared, disk: &mut MemoryRows, node: u8, parts: &[u8]) {
        let mut batch = Batch::default();
        let value = Value::Parts(parts.iter().map(|n| part(*n)).collect());
        shared.write(&CHAT, &NodeId([node; 32]), vec![2, 7], Some(value), &mut batch);
        disk.apply(&batch);
    }

    fn remove(shared: &mut Shared, disk: &mut MemoryRows, node: u8) {
        let mut batch = Batch::default();
        shared.write(&CHAT, &NodeId([node; 32]), vec![2, 7], None, &mut batch);
        disk.apply(&batch);
    }

    #[test]
    fn what_states_share_is_on_the_disk_once_and_goes_with_the_last_of_them() {
        let (mut shared, mut disk) = (Shared::default(), MemoryRows::default());
        row(&mut shared, &mut disk, 1, &[1, 2, 3, 1]);
        row(&mut shared, &mut disk, 2, &[1, 4, 3, 1]);
        assert_eq!(disk.count(Tree::MlsParts), 4);
        remove(&mut shared, &mut disk, 1);
        assert_eq!(disk.count(Tree::MlsParts), 3);
        row(&mut shared, &mut disk, 2, &[5]);
        assert_eq!(disk.count(Tree::MlsParts), 1);
        remove(&mut shared, &mut disk, 2);
        assert_eq!((disk.count(Tree::MlsParts), disk.count(Tree::Mls)), (0, 0));
    }

    #[test]
    fn a_part_that_is_missing_is_told() {
        let (mut shared, mut disk) = (Shared::default(), MemoryRows::default());
        row(&mut shared, &mut disk, 1, &[1, 2]);
        let mut batch = Batch::default();
        batch.delete(Tree::MlsParts, part_key(&CHAT, 1));
        disk.apply(&batch);
        let (mut shared, numbered) = Shared::load(CHAT, &disk).unwrap();
        let failed = shared.state(CHAT, NodeId([1; 32]), &numbered, &disk).unwrap_err();
        assert!(failed.to_string().contains("missing"), "{failed}");
    }
}
