//! The epochs of the event log: each start of the node on its data begins one, so that a cursor shows whether it is of this log or of
//! another that went on from an older copy of the data, or from a newer one.

use madang_protocol::rows::{Batch, Rows, RowsError, Tree};

use crate::rpc::ids::EventEpoch;

/// The row that holds them.
const KEY: &[u8] = b"event epochs";
/// Epochs that are remembered: one a start (guess). Cursors of older ones count as of another log.
const MAX_EPOCHS: usize = 1_024;

/// The epochs of this log, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Epochs(Vec<Epoch>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Epoch {
    id: EventEpoch,
    /// The newest event when it began.
    begins: u64,
}

impl Epochs {
    pub fn load(rows: &dyn Rows) -> Result<Self, RowsError> {
        let stored = rows.get(Tree::Meta, KEY)?.unwrap_or_default();
        let read = |bytes: &[u8]| {
            let (id, begins) = bytes.split_first_chunk::<4>()?;
            Some(Epoch {
                id: EventEpoch(u32::from_be_bytes(*id)),
                begins: u64::from_be_bytes(begins.try_into().ok()?),
            })
        };
        Ok(Self(stored.chunks(12).filter_map(read).collect()))
    }

    /// Begins an epoch behind the newest event.
    pub fn begin(&mut self, newest: u64, batch: &mut Batch) -> Result<(), getrandom::Error> {
        let mut id = [0; 4];
        getrandom::fill(&mut id)?;
        if self.0.len() >= MAX_EPOCHS {
            self.0.remove(0);
        }
        self.0.push(Epoch {
            id: EventEpoch(u32::from_be_bytes(id)),
            begins: newest,
        });
        let stored = self.0.iter().flat_map(|epoch| {
            let id = epoch.id.0.to_be_bytes().into_iter();
            id.chain(epoch.begins.to_be_bytes())
        });
        batch.put(Tree::Meta, KEY, stored.collect::<Vec<u8>>());
        Ok(())
    }

    /// The epoch of an event.
    pub fn of(&self, cursor: u64) -> EventEpoch {
        let later = self.0.partition_point(|epoch| epoch.begins < cursor);
        let epoch = self.0.get(later.saturating_sub(1));
        epoch.map(|epoch| epoch.id).unwrap_or_default()
    }

    /// How far a reader has read in this log, if the last event that it read was `cursor` of `epoch`. Whoever doesn't know the epoch is
    /// believed up to the newest event.
    pub fn known(&self, cursor: u64, epoch: Option<EventEpoch>, newest: u64) -> u64 {
        let Some(epoch) = epoch else {
            return if cursor > newest { 0 } else { cursor };
        };
        let Some(at) = self.0.iter().rposition(|known| known.id == epoch) else {
            return 0;
        };
        let ended = self.0.get(at + 1).map_or(newest, |next| next.begins);
        cursor.min(ended)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use madang_protocol::rows::MemoryRows;

    use super::*;

    fn started(disk: &mut MemoryRows, newest: u64) -> Epochs {
        let mut batch = Batch::default();
        let mut epochs = Epochs::load(disk).unwrap();
        epochs.begin(newest, &mut batch).unwrap();
        disk.apply(&batch);
        assert_eq!(Epochs::load(disk).unwrap(), epochs);
        epochs
    }

    #[test]
    fn a_cursor_counts_as_far_as_its_epoch_went_in_this_log() {
        let mut disk = MemoryRows::default();
        let first = started(&mut disk, 0).of(1);
        let mut copy = disk.clone();
        let second = started(&mut disk, 800).of(801);
        let log = started(&mut disk, 900);
        assert_eq!(
            [0, 1, 800, 801, 900].map(|cursor| log.of(cursor)),
            [first, first, first, second, second]
        );
        for (cursor, epoch, known) in [
            (500, first, 500),
            (800, first, 800),
            (1000, first, 800),
            (850, second, 850),
        ] {
            assert_eq!(log.known(cursor, Some(epoch), 1200), known, "{cursor}");
        }
        assert_eq!(log.known(1100, Some(log.of(1100)), 1200), 1100);

        let other = started(&mut copy, 600);
        assert_eq!(
            other.known(850, Some(second), 1200),
            0,
            "it is of the log that this one was a copy of"
        );
        assert_eq!(other.known(700, Some(first), 1200), 600);
        assert_eq!(
            (other.known(1200, None, 1200), other.known(1201, None, 1200)),
            (1200, 0)
        );
    }

    #[test]
    fn epochs_are_bounded() {
        let mut disk = MemoryRows::default();
        for newest in 0..1_030 {
            started(&mut disk, newest);
        }
        assert_eq!(Epochs::load(&disk).unwrap().0.len(), MAX_EPOCHS);
    }
}
