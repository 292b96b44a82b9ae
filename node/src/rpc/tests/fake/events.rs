//! The event log.

use std::sync::atomic::Ordering;

use tokio::sync::watch;

use super::{EPOCH, Fake};
use crate::rpc::api::{ApiResult, EventApi};
use crate::rpc::params::*;
use crate::rpc::types::*;

impl EventApi for Fake {
    async fn event_poll(&self, after: Option<u64>, limit: u32, _: Option<&Vec<String>>) -> ApiResult<EventPage> {
        let newest = *self.newest.borrow();
        let after = after.unwrap_or(newest);
        let last = newest.min(after.saturating_add(limit.into()));
        let items: Vec<Event> = (after + 1..=last)
            .filter(|cursor| *cursor > self.gone.load(Ordering::Relaxed))
            .map(|cursor| self.event(cursor))
            .collect();
        self.handed
            .fetch_add(u64::try_from(items.len()).unwrap(), Ordering::Relaxed);
        Ok(EventPage {
            next: EventCursor(after.max(last)),
            epoch: EPOCH,
            items,
        })
    }

    fn version(&self) -> u64 {
        self.version.fetch_add(1, Ordering::Relaxed)
    }

    fn event_epoch(&self, _: u64) -> EventEpoch {
        EPOCH
    }

    async fn event_known(&self, cursor: u64, epoch: Option<EventEpoch>) -> ApiResult<u64> {
        let known = cursor <= *self.newest.borrow() && epoch.is_none_or(|epoch| epoch == EPOCH);
        Ok(if known { cursor } else { 0 })
    }

    async fn event_ack(&self, app: Option<AppKey>, params: AckParams) -> ApiResult<Done> {
        self.acks.lock().unwrap().insert(app, params.cursor);
        Ok(Done {})
    }

    async fn event_acknowledged(&self, app: Option<AppKey>) -> ApiResult<EventCursor> {
        Ok(self.acks.lock().unwrap().get(&app).copied().unwrap_or_default())
    }

    fn event_watch(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }
}
