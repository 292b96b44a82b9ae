//! Delivery to webhooks: for each a task that reads behind its cursor, posts a batch, and moves the cursor once that was accepted. So each
//! event is posted at least once and in order, whatever dies in between.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::json;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::sleep;

use super::access::Grant;
use super::api::{Api, ApiResult};
use super::events::{json_len, shows};
use super::ids::{AppKey, EventCursor, EventEpoch};
use super::limits::{DELIVERY_BYTES, DELIVERY_EVENTS, DELIVERY_PASSED, DELIVERY_RETRY, TOKEN_LOOK};
use super::post::{PostError, Poster};
use super::types::Event;
use super::webhooks::{Hook, Outcome, living};
use crate::clock::now_ms;

/// Posts to all webhooks, as long as the server runs.
pub(super) async fn run<A: Api>(api: Arc<A>) -> Infallible {
    let poster = match Poster::new() {
        Ok(poster) => Arc::new(poster),
        Err(error) => {
            tracing::error!(%error, "no webhook is posted to");
            return pending().await;
        }
    };
    let mut hooks = api.webhooks();
    // Dropping it ends the tasks.
    let mut tasks = JoinSet::new();
    let mut running: BTreeMap<Option<AppKey>, (u64, AbortHandle)> = BTreeMap::new();
    loop {
        let wanted = hooks.borrow_and_update().clone();
        running.retain(|app, (id, task)| {
            let goes_on = wanted
                .get(app)
                .is_some_and(|hook| hook.id == *id && !hook.progress.disabled);
            if !goes_on {
                task.abort();
            }
            goes_on
        });
        while tasks.try_join_next().is_some() {}
        for (app, hook) in wanted.iter().filter(|(_, hook)| !hook.progress.disabled) {
            running.entry(*app).or_insert_with(|| {
                let delivery = Delivery {
                    api: Arc::clone(&api),
                    poster: Arc::clone(&poster),
                    app: *app,
                    hook: Arc::clone(hook),
                };
                (hook.id, tasks.spawn(async move { delivery.run().await }))
            });
        }
        if hooks.changed().await.is_err() {
            // The core is gone, and with it soon the server.
            return pending().await;
        }
    }
}

/// One webhook's task.
struct Delivery<A> {
    api: Arc<A>,
    poster: Arc<Poster>,
    app: Option<AppKey>,
    hook: Arc<Hook>,
}

/// What is posted at once.
struct Parcel {
    id: String,
    body: String,
    last: EventCursor,
}

impl<A: Api> Delivery<A> {
    async fn run(&self) {
        let mut newest = self.api.event_watch();
        let mut next_try = self.hook.progress.next_try_ms;
        let (mut cursor, mut kept) = (self.hook.cursor.0, self.hook.cursor.0);
        loop {
            newest.borrow_and_update();
            let grant = self.grant().await;
            let page = match self
                .api
                .event_poll(Some(cursor), DELIVERY_EVENTS, self.hook.filter.kinds.as_ref())
                .await
            {
                Ok(page) => page,
                Err(error) => {
                    tracing::debug!(%error, "a webhook's events can't be read now");
                    sleep(DELIVERY_RETRY).await;
                    continue;
                }
            };
            let wanted = page
                .items
                .into_iter()
                .filter(|event| shows(&grant, &self.hook.filter, &event.what));
            let Some(parcel) = self.parcel(wanted.collect(), page.next) else {
                if page.next.0 == cursor {
                    wait(&mut newest).await;
                }
                cursor = page.next.0;
                if cursor - kept >= DELIVERY_PASSED {
                    self.note(Outcome::Passed(EventCursor(cursor))).await;
                    kept = cursor;
                }
                continue;
            };
            if self.post(&parcel, &mut next_try).await {
                (cursor, kept) = (parcel.last.0, parcel.last.0);
            }
        }
    }

    /// Posts until it is accepted; false if the token has ended meanwhile or changed what it allows.
    async fn post(&self, parcel: &Parcel, next_try: &mut Option<u64>) -> bool {
        let grant = self.grant().await;
        loop {
            if let Some(at_ms) = next_try.take() {
                sleep_until_ms(at_ms).await;
            }
            if living(&self.api.grants().borrow(), self.app, now_ms()) != Some(Arc::clone(&grant)) {
                return false;
            }
            let posted = self
                .poster
                .post(self.app, &self.hook, &parcel.id, &parcel.body, now_ms() / 1000)
                .await;
            let outcome = match posted {
                Ok(status) => Outcome::Accepted(parcel.last, status.as_u16()),
                Err(error) => Outcome::Refused {
                    status: match &error {
                        PostError::Status(status, _) => Some(status.as_u16()),
                        PostError::Unreachable(_) | PostError::Slow | PostError::Private => None,
                    },
                    pause: match &error {
                        PostError::Status(_, pause) => *pause,
                        _ => None,
                    },
                    reason: error.to_string(),
                },
            };
            let accepted = matches!(outcome, Outcome::Accepted(..));
            *next_try = self.note(outcome).await;
            if accepted {
                return true;
            }
        }
    }

    /// Keeps what became of a post, whatever that takes; gives when to try again.
    async fn note(&self, outcome: Outcome) -> Option<u64> {
        loop {
            let noted: ApiResult<Option<u64>> = self.api.webhook_note(self.app, self.hook.id, outcome.clone()).await;
            match noted {
                Ok(next_try) => return next_try,
                Err(error) => tracing::debug!(%error, "a webhook's progress can't be kept now"),
            }
            sleep(DELIVERY_RETRY).await;
        }
    }

    /// What the token allows, once it works.
    async fn grant(&self) -> Arc<Grant> {
        let mut grants = self.api.grants();
        loop {
            if let Some(grant) = living(&grants.borrow_and_update(), self.app, now_ms()) {
                return grant;
            }
            wait(&mut grants).await;
        }
    }

    /// The first of the events that fit a post; none if there are none.
    fn parcel(&self, mut items: Vec<Event>, next: EventCursor) -> Option<Parcel> {
        let mut room = DELIVERY_BYTES;
        let fitting = items.iter().take_while(|event| {
            let left = room.checked_sub(json_len(event));
            room = left.unwrap_or_default();
            left.is_some()
        });
        let fitting = fitting.count().max(1);
        let whole = fitting >= items.len();
        items.truncate(fitting);
        let (first, last) = (items.first()?.cursor, items.last()?);
        let (last, epoch) = if whole {
            (next, self.api.event_epoch(next.0))
        } else {
            (last.cursor, last.epoch)
        };
        Some(Parcel {
            id: format!("{:016x}-{first}-{last}", self.hook.id),
            body: body(&items, last, epoch),
            last,
        })
    }
}

fn body(items: &[Event], next: EventCursor, epoch: EventEpoch) -> String {
    let now = humantime::format_rfc3339_millis(SystemTime::now()).to_string();
    json!({ "type": "events", "timestamp": now, "data": { "items": items, "next": next, "epoch": epoch } }).to_string()
}

/// Waits for a change; for ever if there can be none, since then the server ends.
async fn wait<T>(watched: &mut watch::Receiver<T>) {
    if watched.changed().await.is_err() {
        pending::<()>().await;
    }
}

/// Looks at the clock now and then, as it may be set.
async fn sleep_until_ms(at_ms: u64) {
    loop {
        let left = Duration::from_millis(at_ms.saturating_sub(now_ms()));
        if left.is_zero() {
            return;
        }
        sleep(left.min(TOKEN_LOOK)).await;
    }
}
