//! Pages of the event log as subscriptions send them: read and put into JSON once for all that are at the same place.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jsonrpsee::core::{JsonRawValue, to_json_raw_value};
use tokio::sync::OnceCell;

use super::api::{Api, ApiResult};
use super::error::ApiError;
use super::limits::{KEPT_PAGE_BYTES, KEPT_PAGES, SUBSCRIPTION_PAGE};
use super::types::{Event, EventKind};

/// A page of the log.
pub(super) struct Page {
    /// What is in it, and what is sent of that.
    pub(super) events: Vec<(EventKind, Box<JsonRawValue>)>,
    /// The last cursor that was looked at.
    pub(super) next: u64,
}

/// What is read: where, of which kinds, and of which version of the data, so that nobody is shown what has changed since.
#[derive(Clone, PartialEq, Eq)]
struct Place {
    after: u64,
    kinds: Option<Vec<String>>,
    version: u64,
}

/// Filled by whoever comes first; the others wait for that.
type Cell = Arc<OnceCell<Arc<Page>>>;

/// The pages that were read last, or are being read: at most [`KEPT_PAGES`], the oldest goes first.
#[derive(Default)]
pub(super) struct Pages(Mutex<VecDeque<(Place, Cell)>>);

impl Pages {
    /// Reads the page behind a cursor.
    pub(super) async fn read<A: Api>(&self, api: &A, after: u64, kinds: Option<&Vec<String>>) -> ApiResult<Arc<Page>> {
        let place = Place {
            after,
            kinds: kinds.cloned(),
            version: api.version(),
        };
        let cell = self.cell(&place);
        let read = || async {
            let page = api.event_poll(Some(after), SUBSCRIPTION_PAGE, kinds).await?;
            let events: ApiResult<_> = page
                .items
                .into_iter()
                .map(|event| json(&event).map(|json| (event.what, json)))
                .collect();
            let page = Page {
                events: events?,
                next: page.next.0,
            };
            Ok::<_, ApiError>(Arc::new(page))
        };
        let page = Arc::clone(cell.get_or_try_init(read).await?);
        let size: usize = page.events.iter().map(|(_, json)| json.get().len()).sum();
        if size > KEPT_PAGE_BYTES {
            self.kept().retain(|(kept, _)| *kept != place);
        }
        Ok(page)
    }

    fn cell(&self, place: &Place) -> Cell {
        let mut kept = self.kept();
        if let Some((_, cell)) = kept.iter().find(|(known, _)| known == place) {
            return Arc::clone(cell);
        }
        if kept.len() >= KEPT_PAGES {
            kept.pop_front();
        }
        let cell = Cell::default();
        kept.push_back((place.clone(), Arc::clone(&cell)));
        cell
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<(Place, Cell)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An event as it is sent.
pub(super) fn json(event: &Event) -> ApiResult<Box<JsonRawValue>> {
    to_json_raw_value(event).map_err(|error| ApiError::Internal {
        reason: format!("can't write an event: {error}"),
    })
}
