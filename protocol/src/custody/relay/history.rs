//! Serving a topic backwards. What is sent counts for the reader's window like pages that are pushed.

use super::config::{READ_ONLY_RETRY_S, ROWS_PER_PAGE, ROWS_PER_READ, WINDOW_RETRY_S};
use super::damage;
use super::stored::LogRow;
use super::{Relay, figures};
use crate::custody::frames::{Cursor, CustodianFrame, Item, Refusal};
use crate::custody::{History, HistoryPage};
use crate::keys::TransportKey;
use crate::limits;
use crate::rows::{Rows, RowsError};

impl Relay {
    pub(super) fn history(
        &mut self,
        now_s: u64,
        peer: TransportKey,
        ask: History,
        rows: &dyn Rows,
    ) -> Result<(), RowsError> {
        let request = ask.request;
        let Some(state) = self.peers.get(&peer) else {
            return Ok(());
        };
        let space = state.window().min(limits::PAGE_BYTES as u64) as usize;
        if space < limits::ENVELOPE_BYTES {
            self.refuse_watch(peer, request, Refusal::Busy, WINDOW_RETRY_S);
            return Ok(());
        }
        let loaded = self.topics.load(ask.topic, rows, &self.config, &mut self.damage);
        if let Err(error) = loaded
            && !self.read_only
        {
            return Err(error);
        }
        if !self.may_use(&peer, &ask.topic) {
            self.refuse_watch(peer, request, Refusal::NotAdmitted, 0);
            return Ok(());
        }
        let page = match self.read_back(now_s, &ask, space, rows) {
            Err(_) if self.read_only => {
                self.refuse_watch(peer, request, Refusal::ReadOnly, READ_ONLY_RETRY_S);
                return Ok(());
            }
            page => page?,
        };
        let number = self.topics.get(&ask.topic).map(|topic| topic.row.number);
        if let Some(state) = self.peers.get_mut(&peer) {
            state.count_sent(page.counted());
            let counted = figures::counted(&page.items);
            self.counts.hand(now_s, number.unwrap_or(0), &counted, state.mark);
        }
        self.unacknowledged += page.counted();
        self.stats.history_pages += 1;
        self.send(peer, &CustodianFrame::History(page));
        Ok(())
    }

    /// Reads the newest envelopes before a position that are durable.
    fn read_back(
        &mut self,
        now_s: u64,
        ask: &History,
        space: usize,
        rows: &dyn Rows,
    ) -> Result<HistoryPage, RowsError> {
        let topic = self.topics.load(ask.topic, rows, &self.config, &mut self.damage)?;
        let (number, newest, base) = (topic.row.number, topic.flushed, topic.row.base.position);
        let mut page = HistoryPage {
            request: ask.request,
            topic: ask.topic,
            cursor: Cursor {
                epoch: self.epoch,
                position: newest.position,
                hash: newest.hash,
            },
            oldest: false,
            items: Vec::new(),
        };
        let count = usize::from(ask.count).min(limits::HISTORY_ITEMS);
        let mut end = match ask.before {
            0 => newest.position,
            before => newest.position.min(before - 1),
        };
        let (mut bytes, mut looked) = (0, 0);
        let mut lost = Vec::new();
        'pages: while end > base && looked < ROWS_PER_PAGE {
            let start = end.saturating_sub(ROWS_PER_READ as u64).max(base) + 1;
            let read = damage::log(rows, number, start, end, ROWS_PER_READ)?;
            for (position, value) in read.into_iter().rev() {
                looked += 1;
                let Some(row) = value.as_deref().and_then(LogRow::decode) else {
                    lost.push(position);
                    continue;
                };
                let Some(kept) = row.kept.filter(|kept| kept.until_s > now_s) else {
                    continue;
                };
                if page.items.len() == count || bytes + kept.len() > space {
                    break 'pages;
                }
                bytes += kept.len();
                page.items.push(Item {
                    position,
                    envelope: kept.envelope(&ask.topic),
                });
            }
            end = start - 1;
        }
        page.oldest = end <= base;
        page.items.reverse();
        for position in lost {
            self.lose(ask.topic, position);
        }
        Ok(page)
    }
}
