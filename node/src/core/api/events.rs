//! The event log.

use std::sync::Arc;

use madang_protocol::client::history;
use tokio::sync::watch;

use super::Facade;
use crate::core::apps::{AppAsk, Apps};
use crate::core::show::event;
use crate::rpc::api::{ApiResult, EventApi};
use crate::rpc::error::ApiError;
use crate::rpc::params::*;
use crate::rpc::types::*;

/// Stretches of the event log that one read looks at, at most (guess).
const STRETCHES: usize = 32;

impl EventApi for Facade {
    async fn event_poll(&self, after: Option<u64>, limit: u32, kinds: Option<&Vec<String>>) -> ApiResult<EventPage> {
        let after = after.unwrap_or_else(|| *self.newest.borrow());
        let epochs = Arc::clone(&self.epochs);
        let (kinds, limit) = (kinds.cloned(), limit as usize);
        self.read(move |rows| {
            let wanted = |name: &str| kinds.as_ref().is_none_or(|kinds| kinds.iter().any(|kind| kind == name));
            let (mut items, mut next) = (Vec::new(), after);
            let add = |items: &mut Vec<Event>, cursor, what| {
                items.push(Event {
                    cursor: EventCursor(cursor),
                    epoch: epochs.of(cursor),
                    what,
                });
            };
            let mut lookup = history::Lookup::new(rows);
            // Where little is wanted, more is looked at.
            'stretches: for _ in 0..STRETCHES {
                let read = history::events(rows, next, limit)?;
                if let Some((from, to)) = read.missing {
                    let reason = GapReason::Pruned;
                    let (from, last) = (EventCursor(from), EventCursor(to));
                    add(&mut items, to, EventKind::Gap { from, to: last, reason });
                }
                let looked_at = read.events.len() + usize::from(read.missing.is_some());
                for (cursor, row) in read.events {
                    if items.len() >= limit {
                        break 'stretches;
                    }
                    next = cursor;
                    if let Some(what) = event(&mut lookup, row, wanted)? {
                        add(&mut items, cursor, what);
                    }
                }
                next = read.next;
                if items.len() >= limit || looked_at < limit {
                    break;
                }
            }
            Ok(EventPage {
                items,
                next: EventCursor(next),
                epoch: epochs.of(next),
            })
        })
        .await
    }

    fn version(&self) -> u64 {
        self.store.version()
    }

    fn event_epoch(&self, cursor: u64) -> EventEpoch {
        self.epochs.of(cursor)
    }

    async fn event_known(&self, cursor: u64, epoch: Option<EventEpoch>) -> ApiResult<u64> {
        let mut newest = *self.newest.borrow();
        if cursor > newest {
            // An event can be read a moment before it is announced.
            newest = self.read(|rows| history::newest_event(rows)).await?;
        }
        Ok(self.epochs.known(cursor, epoch, newest))
    }

    fn event_watch(&self) -> watch::Receiver<u64> {
        self.newest()
    }

    async fn event_ack(&self, app: Option<AppKey>, params: AckParams) -> ApiResult<Done> {
        if self.event_known(params.cursor.0, params.epoch).await? < params.cursor.0 {
            return Err(ApiError::invalid("cursor", "is of no event of this log"));
        }
        self.ask_apps(AppAsk::Ack(app, params.cursor)).await?;
        Ok(Done {})
    }

    async fn event_acknowledged(&self, app: Option<AppKey>) -> ApiResult<EventCursor> {
        self.read(move |rows| Ok(Apps::load(rows)?.acknowledged(app))).await
    }
}
