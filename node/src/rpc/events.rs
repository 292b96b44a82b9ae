//! `event.poll` and `event.subscribe`: waiting and pushing on top of [`event_poll`](super::api::EventApi::event_poll) and
//! [`event_watch`](super::api::EventApi::event_watch).
//!
//! A subscription keeps a cursor and no queue: it reads a page behind its cursor, sends it, and waits for the log to grow. A
//! subscriber that doesn't read stops it, and costs the page and the connection's bounded buffer; when it reads again it is told how far
//! behind it is, and goes on where it was.

use std::io;
use std::sync::Arc;

use http::Extensions;
use jsonrpsee::core::server::{PendingSubscriptionSink, SubscriptionCloseResponse, SubscriptionSink};
use jsonrpsee::core::{JsonRawValue, SubscriptionError, to_json_raw_value};
use jsonrpsee::types::{ErrorObjectOwned, Params};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::access::Grant;
use super::api::{Api, ApiResult};
use super::dispatch::{Shared, logged};
use super::error::ApiError;
use super::ids::EventCursor;
use super::limits::{LAG, MAX_RESPONSE};
use super::pages::json;
use super::params::{After, Filter, FromParams as _, PollParams, SubscribeParams};
use super::types::{Event, EventKind, EventPage, GapReason};

/// Bytes of a response around the events of a page: id, `next` and punctuation.
const FRAME: usize = 64 * 1024;

/// Answers `event.poll`; waits at most `timeout` for the first event, and not at all while the node stops.
pub(super) async fn poll<A: Api>(
    shared: Arc<Shared<A>>,
    params: PollParams,
    grant: Arc<Grant>,
) -> ApiResult<EventPage> {
    let deadline = Instant::now() + params.timeout;
    let stop = shared.stop.clone().shutdown();
    tokio::pin!(stop);
    let mut newest = shared.api.event_watch();
    let (mut after, gap) = start(&shared, &grant, params.after, &newest).await?;
    if let Some(gap) = gap {
        return Ok(EventPage {
            next: gap.cursor,
            epoch: gap.epoch,
            items: vec![gap],
        });
    }
    loop {
        // Marked before the page is read: what comes in between wakes the wait below.
        newest.borrow_and_update();
        let mut page = shared
            .api
            .event_poll(Some(after), params.limit, params.filter.kinds.as_ref())
            .await?;
        page.items.retain(|event| shows(&grant, &params.filter, &event.what));
        if !page.items.is_empty() {
            return Ok(shortened(page));
        }
        if page.next.0 > after {
            // What these events were about is gone; more may follow.
            after = page.next.0;
            continue;
        }
        if Instant::now() >= deadline {
            return Ok(page);
        }
        let wait_again = tokio::select! {
            changed = newest.changed() => changed.is_ok(),
            () = sleep_until(deadline) => false,
            () = &mut stop => false,
        };
        if !wait_again {
            return Ok(page);
        }
    }
}

/// Answers `event.subscribe` and sends events until the subscriber leaves or the node stops.
pub(super) async fn subscribe<A: Api>(
    params: Params<'static>,
    pending: PendingSubscriptionSink,
    shared: Arc<Shared<A>>,
    extensions: &Extensions,
) -> SubscriptionCloseResponse {
    let newest = shared.api.event_watch();
    let begun = async {
        let grant = shared.granted(extensions)?;
        let params = SubscribeParams::read(params.as_str())?;
        let start = start(&shared, &grant, params.after, &newest).await?;
        Ok::<_, ApiError>((grant, params.filter, start))
    };
    let (grant, filter, start) = match begun.await {
        Ok(begun) => begun,
        Err(error) => {
            pending.reject(ErrorObjectOwned::from(error)).await;
            return SubscriptionCloseResponse::None;
        }
    };
    let Ok(sink) = pending.accept().await else {
        return SubscriptionCloseResponse::None;
    };
    match follow(&shared, &sink, newest, start, (&grant, &filter)).await {
        Ok(()) => SubscriptionCloseResponse::None,
        Err(error) => farewell(logged(error)),
    }
}

async fn follow<A: Api>(
    shared: &Shared<A>,
    sink: &SubscriptionSink,
    mut newest: watch::Receiver<u64>,
    (mut after, gap): (u64, Option<Event>),
    (grant, filter): (&Grant, &Filter),
) -> ApiResult<()> {
    let stop = shared.stop.clone().shutdown();
    tokio::pin!(stop);
    if let Some(gap) = gap
        && !sent(sink, json(&gap)?).await
    {
        return Ok(());
    }
    let mut was_at_end = false;
    loop {
        let known = *newest.borrow_and_update();
        let page = shared.pages.read(&*shared.api, after, filter.kinds.as_ref()).await?;
        let behind = known.saturating_sub(after);
        if was_at_end && behind > LAG {
            was_at_end = false;
            let (cursor, newest) = (EventCursor(after), EventCursor(known));
            let what = EventKind::Lagged { behind, newest };
            let epoch = shared.api.event_epoch(after);
            if !sent(sink, json(&Event { cursor, epoch, what })?).await {
                return Ok(());
            }
        }
        for (_, json) in page.events.iter().filter(|(what, _)| shows(grant, filter, what)) {
            if !sent(sink, json.clone()).await {
                return Ok(());
            }
        }
        if page.next > after {
            after = page.next;
            continue;
        }
        was_at_end = true;
        let goes_on = tokio::select! {
            changed = newest.changed() => changed.is_ok(),
            () = sink.closed() => false,
            () = &mut stop => false,
        };
        if !goes_on {
            return Ok(());
        }
    }
}

/// Sends an event once there is room for it; false if nobody listens any more.
async fn sent(sink: &SubscriptionSink, event: Box<JsonRawValue>) -> bool {
    sink.send(event).await.is_ok()
}

/// The cursor after which a reader begins; before that it is told what it has read that isn't in this log.
async fn start<A: Api>(
    shared: &Shared<A>,
    grant: &Grant,
    after: After,
    newest: &watch::Receiver<u64>,
) -> ApiResult<(u64, Option<Event>)> {
    let (cursor, given) = match after {
        After::Newest => return Ok((*newest.borrow(), None)),
        After::Acknowledged => return Ok((shared.api.event_acknowledged(grant.app).await?.0, None)),
        After::Cursor(cursor, epoch) => (cursor, epoch),
    };
    let known = shared.api.event_known(cursor.0, given).await?;
    let gap = (known < cursor.0).then(|| Event {
        cursor: EventCursor(known),
        epoch: shared.api.event_epoch(known),
        what: EventKind::Gap {
            from: EventCursor(known + 1),
            to: cursor,
            reason: GapReason::OtherLog,
        },
    });
    Ok((known, gap))
}

/// Whether a reader may see an event, and wants to. A gap is shown whatever is filtered: what is gone may have been wanted.
pub(super) fn shows(grant: &Grant, filter: &Filter, event: &EventKind) -> bool {
    if matches!(event, EventKind::Gap { .. }) {
        return true;
    }
    let kind = filter
        .kinds
        .as_ref()
        .is_none_or(|kinds| kinds.iter().any(|kind| kind == event.name()));
    let chat = match (&filter.chats, event.chat()) {
        (Some(chats), Some(chat)) => chats.contains(&chat),
        _ => true,
    };
    kind && chat && grant.sees(event)
}

fn farewell(error: ApiError) -> SubscriptionCloseResponse {
    match to_json_raw_value(&ErrorObjectOwned::from(error)) {
        Ok(error) => SubscriptionCloseResponse::NotifErr(SubscriptionError::from_json(error)),
        Err(_) => SubscriptionCloseResponse::None,
    }
}

/// Leaves out the last events of a page that would make the response too large; they come with the next page.
fn shortened(mut page: EventPage) -> EventPage {
    let mut room = usize::try_from(MAX_RESPONSE)
        .unwrap_or(usize::MAX)
        .saturating_sub(FRAME);
    let fits = |event: &Event| {
        let Some(left) = room.checked_sub(json_len(event)) else {
            return false;
        };
        room = left;
        true
    };
    let kept = page.items.iter().map(fits).take_while(|fits| *fits).count().max(1);
    page.items.truncate(kept);
    if let Some(last) = page.items.last() {
        (page.next, page.epoch) = (last.cursor, last.epoch);
    }
    page
}

/// Bytes of an event in JSON, and a comma.
pub(super) fn json_len(event: &Event) -> usize {
    struct Counter(usize);
    impl io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut counter = Counter(1);
    match serde_json::to_writer(&mut counter, event) {
        Ok(()) => counter.0,
        Err(_) => usize::MAX,
    }
}
