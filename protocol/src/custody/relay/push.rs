//! Pushing: pages of what is durable, in turn between peers and between each peer's topics, within each peer's window. A watcher
//! that doesn't acknowledge costs no queue; it is merely not served. Watchers at the same place share one page, read and encoded once.

use super::config::{PAGE_COST_BYTES, PUMP_BYTES, ROWS_PER_PAGE, ROWS_PER_READ, SHARED_PAGE_COST_BYTES, SHARED_PAGES};
use super::damage;
use super::stored::LogRow;
use super::topics::Topic;
use super::windows::Spent;
use super::{Head, Relay, figures};
use crate::custody::frames::{Cursor, CustodianFrame, Item, Items, TokenHash};
use crate::keys::{TopicId, TransportKey};
use crate::limits;
use crate::rows::{Rows, RowsError};
use crate::wire::Wire;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// What a page's look at one row costs of [`PUMP_BYTES`].
const ROW_COST_BYTES: usize = 64;

/// A connected peer.
#[derive(Debug, Default)]
pub(super) struct Peer {
    pub watches: BTreeMap<TopicId, Watching>,
    /// Topics with something to send, each once, in turn.
    pub ready: VecDeque<TopicId>,
    /// The token that it named.
    pub token: Option<TokenHash>,
    /// It has been told that it isn't admitted.
    pub told_guest: bool,
    /// Whether the current step has a frame for it.
    pub in_step: bool,
    /// Whether the peer is in the relay's queue.
    pub runnable: bool,
    /// What was read lately to compare windows with it.
    pub compared: Spent,
    /// What it asked of the directory, and for figures, lately.
    pub searched: Spent,
    /// By what it is counted among those to whom something was handed.
    pub mark: u64,
    /// Whether the next envelope doesn't fit its window until it acknowledges.
    blocked: bool,
    /// Bytes of envelopes and chunks sent on this stream.
    sent: u64,
    /// How many of them the peer says are committed.
    acked: u64,
}

impl Peer {
    pub fn of(mark: u64) -> Self {
        Self {
            mark,
            ..Self::default()
        }
    }

    pub fn window(&self) -> u64 {
        limits::PUSH_WINDOW_BYTES.saturating_sub(self.unacknowledged())
    }

    /// Counts bytes that were sent beside the pages.
    pub fn count_sent(&mut self, bytes: u64) {
        self.sent += bytes;
    }

    pub fn unacknowledged(&self) -> u64 {
        self.sent.saturating_sub(self.acked)
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
    /// Positions whose rows are damaged.
    lost: Vec<u64>,
}

/// A page as it was sent to one watcher, for others at the same place.
struct SharedPage {
    topic: TopicId,
    at: Head,
    /// What the first had room for.
    space: usize,
    frame: Arc<[u8]>,
    end: Head,
    bytes: usize,
    items: u64,
    /// Positions of what is counted of it.
    counted: Arc<[u64]>,
    caught_up: bool,
    full: bool,
}

/// Pages of one input, the newest first.
type SharedPages = VecDeque<SharedPage>;

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
            self.unacknowledged = self.unacknowledged.saturating_sub(bytes - peer.acked);
            peer.acked = bytes;
            peer.blocked = false;
            self.run(key);
        }
    }

    /// Serves pages until nothing is ready, every window is closed, or this input's share of work is done.
    pub(super) fn pump(&mut self, now_s: u64, rows: &dyn Rows) -> Result<(), RowsError> {
        let mut budget = PUMP_BYTES;
        let mut shared = SharedPages::new();
        while budget > 0 {
            let Some(key) = self.runnable.front().copied() else {
                return Ok(());
            };
            let cost = self.serve(now_s, key, rows, &mut shared)?;
            budget = budget.saturating_sub(cost.max(1));
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
    fn serve(
        &mut self,
        now_s: u64,
        key: TransportKey,
        rows: &dyn Rows,
        shared: &mut SharedPages,
    ) -> Result<usize, RowsError> {
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
        let fits = |page: &&SharedPage| {
            page.topic == id
                && page.at == watch.at
                && page.bytes <= space
                && (page.space >= space || !page.full)
                && (page.items > 0 || !watch.told)
        };
        if !watch.void
            && let Some(page) = shared.iter().find(fits)
        {
            peer.ready.pop_front();
            (watch.at, watch.told, watch.queued) = (page.end, true, !page.caught_up);
            if !page.caught_up {
                peer.ready.push_back(id);
            }
            peer.sent += page.bytes as u64;
            self.unacknowledged += page.bytes as u64;
            self.stats.pushed += page.items;
            self.stats.pages += 1;
            self.counts.hand(now_s, topic.row.number, &page.counted, peer.mark);
            let frame = page.frame.clone();
            self.send_bytes(key, frame, SHARED_PAGE_COST_BYTES);
            return Ok(SHARED_PAGE_COST_BYTES);
        }
        let from = watch.at;
        let mut page = read_page(now_s, &id, topic, from, space, rows)?;
        let lost = std::mem::take(&mut page.lost);
        let cost = PAGE_COST_BYTES + page.bytes + page.looked * ROW_COST_BYTES;
        watch.at = page.end;
        if page.full && page.items.is_empty() {
            peer.blocked = true;
            return Ok(cost);
        }
        let caught_up = page.end.position >= topic.flushed.position;
        peer.ready.pop_front();
        // Behind nothing but damaged rows that can't be removed at present there is nothing to be had.
        let is_stuck = !caught_up && page.end == from && page.items.is_empty() && self.read_only;
        watch.queued = !caught_up && !is_stuck;
        if watch.queued {
            peer.ready.push_back(id);
        }
        if page.items.is_empty() && (watch.told || !caught_up) {
            self.lose_all(id, lost);
            return Ok(cost);
        }
        watch.told = true;
        let void = std::mem::take(&mut watch.void);
        peer.sent += page.bytes as u64;
        self.unacknowledged += page.bytes as u64;
        let count = page.items.len() as u64;
        self.stats.pushed += count;
        self.stats.pages += 1;
        let counted: Arc<[u64]> = figures::counted(&page.items).into();
        self.counts.hand(now_s, topic.row.number, &counted, peer.mark);
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
        let frame: Arc<[u8]> = CustodianFrame::Items(items).encode().into();
        let frame_bytes = frame.len();
        if !void && topic.watchers.len() > 1 {
            shared.truncate(SHARED_PAGES - 1);
            shared.push_front(SharedPage {
                topic: id,
                at: from,
                space,
                frame: frame.clone(),
                end: page.end,
                bytes: page.bytes,
                items: count,
                counted,
                caught_up,
                full: page.full,
            });
        }
        self.send_bytes(key, frame, frame_bytes);
        self.lose_all(id, lost);
        Ok(cost)
    }

    fn lose_all(&mut self, id: TopicId, lost: Vec<u64>) {
        for position in lost {
            self.lose(id, position);
        }
    }
}

/// Reads at most `space` bytes of envelopes after `from`, as far as the topic is durable. What has expired and is still to be removed is
/// passed over. A row that can't be read is too; its hash is unknown, so that the page can't end there.
fn read_page(
    now_s: u64,
    id: &TopicId,
    topic: &Topic,
    from: Head,
    space: usize,
    rows: &dyn Rows,
) -> Result<Page, RowsError> {
    let mut page = Page {
        end: from,
        ..Page::default()
    };
    if page.end.position < topic.row.base.position {
        page.end = topic.row.base;
    }
    let newest = topic.flushed;
    let mut at = page.end.position.saturating_add(1);
    while at <= newest.position && page.looked < ROWS_PER_PAGE {
        let read = damage::log(rows, topic.row.number, at, newest.position, ROWS_PER_READ)?;
        if read.is_empty() {
            at = newest.position.saturating_add(1);
        }
        for (position, value) in read {
            page.looked += 1;
            at = position.saturating_add(1);
            let Some(row) = value.as_deref().and_then(LogRow::decode) else {
                page.lost.push(position);
                continue;
            };
            if let Some(kept) = row.kept.filter(|kept| kept.until_s > now_s) {
                if page.bytes + kept.len() > space {
                    page.full = true;
                    return Ok(page);
                }
                page.bytes += kept.len();
                page.items.push(Item {
                    position,
                    envelope: kept.envelope(id),
                });
            }
            page.end = Head {
                position,
                hash: row.hash,
            };
        }
    }
    if at > newest.position {
        page.end = if page.end.position < newest.position {
            newest
        } else {
            page.end
        };
    }
    Ok(page)
}
