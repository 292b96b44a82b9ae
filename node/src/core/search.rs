//! Searching, and keeping the index for it: a task of its own reads what the log tells, builds rows on a thread for that, and hands
//! them to the owner to be committed. Nobody waits for it; a search reads by itself what the index doesn't have yet.

use std::time::Duration;

use madang_protocol::client::search::{self, Pass, Place, Query, Words};
use madang_protocol::keys;
use madang_protocol::rows::RowsError;
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

use super::api::Facade;
use super::chats::account;
use super::engine::Ask;
use super::show::message;
use crate::random::random;
use crate::rpc::api::ApiResult;
use crate::rpc::error::ApiError;
use crate::rpc::search::{Highlight, SearchHit, SearchPage, SearchParams};

/// How long nothing has happened before the index takes in what did: it keeps out of the way of bursts (guess).
const QUIET: Duration = Duration::from_secs(5);
/// How long it lets a steady flow of events go on (guess): what was deleted leaves it after that at the latest.
const LONGEST: Duration = Duration::from_secs(60);
/// Events that may wait before it works beside a burst: half of what the log keeps.
const MUCH: u64 = madang_protocol::limits::EVENTS / 2;
/// How long it waits after the store or the owner refused.
const RETRY: Duration = Duration::from_secs(30);
/// How long it leaves a node that starts alone (guess).
const START: Duration = Duration::from_secs(1);

/// Bytes of a place in what a search finds.
const PLACE_BYTES: usize = 8 + 16;

impl Facade {
    /// `message.search`.
    pub(super) async fn search(&self, params: SearchParams) -> ApiResult<SearchPage> {
        words(&params.query)?;
        let query = Query {
            text: params.query,
            chat: params.chat.map(|chat| keys::ChatId(chat.0)),
            from: params.account.map(|given| account("account", &given)).transpose()?,
            after_ms: params.after_ms,
            before_ms: params.before_ms,
        };
        let behind = params.after.map(|text| place(&text)).transpose()?;
        let limit = params.limit as usize;
        self.read(move |rows| {
            let found = search::find(rows, &query, behind, limit)?;
            let hit = |hit: search::Hit| {
                Ok(SearchHit {
                    message: message(rows, hit.message)?,
                    snippet: hit.snippet,
                    highlights: hit.highlights.into_iter().map(Highlight::from).collect(),
                })
            };
            Ok(SearchPage {
                items: found.hits.into_iter().map(hit).collect::<Result<_, RowsError>>()?,
                next: found.next.map(cursor),
                complete: found.complete,
            })
        })
        .await
    }

    /// Has the index take in some of what it lacks; whether there is more.
    async fn index(&self) -> ApiResult<bool> {
        let fresh_key = random()?;
        let Pass { batch, again } = self.read(move |rows| search::pass(rows, *fresh_key)).await?;
        if !batch.is_empty() {
            self.ask(|kept| Ask::Keep(batch, kept)).await?;
        }
        Ok(again)
    }
}

/// What a query looks for.
pub(super) fn words(query: &str) -> ApiResult<Words> {
    Words::read(query).ok_or_else(|| ApiError::invalid("query", "must have one to 16 words or signs to look for"))
}

fn cursor(place: Place) -> String {
    hex::encode([&place.at_ms.to_be_bytes()[..], &place.id].concat())
}

fn place(text: &str) -> ApiResult<Place> {
    let mut bytes = [0; PLACE_BYTES];
    let wrong = || ApiError::invalid("after", "is not a cursor of a search");
    hex::decode_to_slice(text, &mut bytes).map_err(|_| wrong())?;
    let (at_ms, id) = bytes.split_first_chunk().ok_or_else(wrong)?;
    Ok(Place {
        at_ms: u64::from_be_bytes(*at_ms),
        id: id.try_into().map_err(|_| wrong())?,
    })
}

/// Keeps the index until the core ends.
pub(crate) async fn keep_index(facade: Facade) {
    let mut newest = facade.newest();
    let mut ended = pause(&newest, START).await;
    while !ended {
        ended = match facade.index().await {
            Ok(true) => newest.has_changed().is_err(),
            Ok(false) => quiet(&mut newest).await.is_err(),
            Err(_) if newest.has_changed().is_err() => true,
            Err(error) => {
                tracing::warn!(%error, "the search index waits");
                pause(&newest, RETRY).await
            }
        };
    }
}

/// Waits for a time; true if the core has ended before.
pub(super) async fn pause(newest: &watch::Receiver<u64>, time: Duration) -> bool {
    let mut newest = newest.clone();
    let ended = async { while newest.changed().await.is_ok() {} };
    timeout(time, ended).await.is_ok()
}

/// Waits until something has happened and then nothing for a while.
async fn quiet(newest: &mut watch::Receiver<u64>) -> Result<(), watch::error::RecvError> {
    let from = *newest.borrow_and_update();
    newest.changed().await?;
    let end = Instant::now() + LONGEST;
    while Instant::now() < end && newest.borrow_and_update().saturating_sub(from) < MUCH {
        let until = end.min(Instant::now() + QUIET);
        match timeout_at(until, newest.changed()).await {
            Ok(changed) => changed?,
            Err(_) => break,
        }
    }
    Ok(())
}
