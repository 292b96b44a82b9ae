//! Pushing: pages of what is durable, in turn between peers and between each peer's topics, within each peer's window. A watcher
//! that doesn't acknowledge costs no queue; it is merely not served.

use super::config::{PAGE_COST_BYTES, PUMP_BYTES, ROWS_PER_PAGE, ROWS_PER_READ};
use super::stored::{self, LogRow};
use super::topics::Topic;
use super::{Head, Relay};
use crate::custody::frames::{Cursor, CustodianFrame, Item, Items};
use crate::keys::{TopicId, TransportKey};
use crate::limits;
use crate::rows::{Rows, RowsError, Tree};
use std::collections::{BTreeMap, VecDeque};

/// What a page's look at one row costs of [`PUMP_BYTES`].
const ROW_COST_BYTES: usize = 64;

/// A connected peer.
#[derive(Debug, Default)]
pub(super) struct Peer {
    pub watches: BTreeMap<TopicId, Watching>,
    /// Topics with something to send, each once, in turn.
    pub ready: VecDeque<TopicId>,
    /// Whether the peer is in the relay's queue.
    runnable: bool,
    /// Whether the next envelope doesn't fit its window until it acknowledges.
    blocked: bool,
    /// Bytes of envelopes sent on this stream.
    sent: u64,
    /// How many of them the peer says are committed.
    acked: u64,
}

impl Peer {
    fn window(&self) -> u64 {
        limits::PUSH_WINDOW_BYTES.saturating_sub(self.sent.saturating_sub(self.acked))
    }
}

/// How far a peer is in a topic that it watches.
#[derive(Clone, Copy, Debug)]
pub(super) struct Watching {
    pub at: Head,
    /// Its cursor was void and it hasn't been told yet.
    pub void: bool,
    /// It has had a page since it began to watch.
    pub told: bool,
    /// Whether the topic is in the peer's queue.
    pub queued: bool,
}

#[derive(Debug, Default)]
struct Page {
    items: Vec<Item>,
    bytes: usize,
    end: Head,
    looked: usize,
    /// The next envelope doesn't fit.
    full: bool,
}

impl Relay {
    /// Puts a watched topic into its peer's queue.
    pub(super) fn wake(&mut self, key: TransportKey, topic: TopicId) {
        let Some(peer) = self.peers.get_mut(&key) else {
            return;
        };
        let Some(watch) = peer.watches.get_mut(&topic) else {
            return;
        };
        if !std::mem::replace(&mut watch.queued, true) {
            peer.ready.push_back(topic);
        }
        self.run(key);
    }

    /// Who acknowledges more than it was sent gains nothing: its window is open, never wider.
    pub(super) fn ack(&mut self, key: TransportKey, bytes: u64) {
        let Some(peer) = self.peers.get_mut(&key) else {
            return;
        };
        let bytes = bytes.min(peer.sent);
        if bytes > peer.acked {
            peer.acked = bytes;
            peer.blocked = false;
            self.run(key);
        }
    }

    /// Serves pages until nothing is ready, every window is closed, or this input's share of work is done.
    pub(super) fn pump(&mut self, rows: &dyn Rows) -> Result<(), RowsError> {
        let mut budget = PUMP_BYTES;
        while budget > 0 {
            let Some(key) = self.runnable.front().copied() else {
                return Ok(());
            };
            let cost = self.serve(key, rows)?;
            budget = budget.saturating_sub(cost);
            self.runnable.pop_front();
            if let Some(peer) = self.peers.get_mut(&key) {
                peer.runnable = false;
                self.run(key);
            }
        }
        Ok(())
    }

    fn run(&mut self, key: TransportKey) {
        let Some(peer) = self.peers.get_mut(&key) else {
            return;
        };
        if peer.blocked || peer.ready.is_empty() || std::mem::replace(&mut peer.runnable, true) {
            return;
        }
        self.runnable.push_back(key);
    }

    /// Sends a peer the next page of its next topic and returns what that cost.
    fn serve(&mut self, key: TransportKey, rows: &dyn Rows) -> Result<usize, RowsError> {
        let Some(peer) = self.peers.get_mut(&key) else {
            return Ok(0);
        };
        let Some(id) = peer.ready.front().copied() else {
            return Ok(0);
        };
        let space = peer.window().min(limits::PAGE_BYTES as u64) as usize;
        if space == 0 {
            peer.blocked = true;
            return Ok(0);
        }
        let (Some(watch), Some(topic)) = (peer.watches.get_mut(&id), self.topics.get(&id)) else {
            peer.ready.pop_front();
            return Ok(0);
        };
        let page = read_page(&id, topic, watch.at, space, rows)?;
        let cost = PAGE_COST_BYTES + page.bytes + page.looked * ROW_COST_BYTES;
        watch.at = page.end;
        if page.full && page.items.is_empty() {
            peer.blocked = true;
            return Ok(cost);
        }
        let caught_up = page.end.position >= topic.flushed.position;
        peer.ready.pop_front();
        watch.queued = !caught_up;
        if !caught_up {
            peer.ready.push_back(id);
        }
        if page.items.is_empty() && (watch.told || !caught_up) {
            return Ok(cost);
        }
        watch.told = true;
        let void = std::mem::take(&mut watch.void);
        peer.sent += page.bytes as u64;
        self.stats.pushed += page.items.len() as u64;
        let cursor = Cursor {
            epoch: self.epoch,
            position: page.end.position,
            hash: page.end.hash,
        };
        let items = Items {
            topic: id,
            cursor,
            void,
            caught_up,
            items: page.items,
        };
        self.send(key, &CustodianFrame::Items(items));
        Ok(cost)
    }
}

/// Reads at most `space` bytes of envelopes after `from`, as far as the topic is durable.
fn read_page(id: &TopicId, topic: &Topic, from: Head, space: usize, rows: &dyn Rows) -> Result<Page, RowsError> {
    let mut page = Page {
        end: from,
        ..Page::default()
    };
    if page.end.position < topic.row.base.position {
        page.end = topic.row.base;
    }
    let to = stored::log_key(id, topic.flushed.position.saturating_add(1));
    while page.end.position < topic.flushed.position && page.looked < ROWS_PER_PAGE {
        let from = stored::log_key(id, page.end.position.saturating_add(1));
        let read = rows.range(Tree::RelayLog, &from, &to, ROWS_PER_READ, false)?;
        if read.is_empty() {
            page.end = topic.flushed;
        }
        for (key, value) in read {
            page.looked += 1;
            let row = LogRow::decode(&value)?;
            let position = stored::log_position(&key)?;
            if let Some(kept) = row.kept {
                if page.bytes + kept.envelope.len() > space {
                    page.full = true;
                    return Ok(page);
                }
                page.bytes += kept.envelope.len();
                page.items.push(Item {
                    position,
                    envelope: kept.envelope.to_vec(),
                });
            }
            page.end = Head {
                position,
                hash: row.hash,
            };
        }
    }
    Ok(page)
}
