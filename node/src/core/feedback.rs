//! What the apps that sent cards are told of them: that they were sent, that they arrived, and what receivers answer.

use std::sync::Arc;
use std::time::Duration;

use madang_protocol::client::history::{self, Lookup};
use madang_protocol::client::{EventRow, LedgerState};
use madang_protocol::keys;
use madang_protocol::message::CardDeed;
use madang_protocol::rows::{Batch, Rows, RowsError, Tree};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::api::Facade;
use super::cards::{SENT, TOLD};
use super::engine::Ask;
use super::search::pause;
use crate::clock::now_ms;
use crate::rpc::api::ApiResult;
use crate::rpc::types::*;

/// Where the log was read to while cards were on their way.
const READ_TO: &[u8] = b"feedback";
/// Events that are read at once.
const STRETCH: usize = 1_000;
/// Milliseconds after which a card isn't waited for any more, as long as relays keep one.
const GIVEN_UP_MS: u64 = 30 * 24 * 3600 * 1000;
/// How long events gather before they are read (guess).
const PAUSE: Duration = Duration::from_millis(250);
/// How long it waits after the store or the owner refused.
const RETRY: Duration = Duration::from_secs(30);

/// A card that an app or the owner has sent, for what is told of it.
#[derive(Serialize, Deserialize)]
pub(super) struct SentRow {
    #[serde(default)]
    pub at_ms: u64,
    pub app: Option<AppKey>,
    pub key: Option<String>,
    pub to: Pseudonym,
    /// It was told that it arrived.
    #[serde(default)]
    pub arrived: bool,
}

impl SentRow {
    fn is_awaited(&self, now_ms: u64) -> bool {
        !self.arrived && now_ms.saturating_sub(self.at_ms) < GIVEN_UP_MS
    }
}

/// What an event of this node's own is about.
#[derive(Serialize, Deserialize)]
struct ToldRow {
    at_ms: u64,
    message: MessageId,
    arrived: bool,
}

fn subject(message: &[u8; 32], arrived: bool) -> [u8; 32] {
    let of = [message.as_slice(), &[u8::from(arrived)]].concat();
    blake3::derive_key("madang 1 told of a card that was sent", &of)
}

/// Writes down what an event says, and gives what it is about.
fn tell(message: MessageId, arrived: bool, batch: &mut Batch) -> Result<[u8; 32], RowsError> {
    let row = ToldRow {
        at_ms: now_ms(),
        message,
        arrived,
    };
    let subject = subject(&message.0, arrived);
    TOLD.put(&subject, &row, batch)?;
    Ok(subject)
}

/// The event that a card was sent or arrived; none if it is about something else.
pub(super) fn told(rows: &dyn Rows, subject: &[u8; 32]) -> Result<Option<EventKind>, RowsError> {
    let Some(row) = TOLD.get::<ToldRow>(rows, subject)? else {
        return Ok(None);
    };
    let Some(SentRow { app, key, to, .. }) = SENT.get(rows, &row.message.0)? else {
        return Ok(None);
    };
    Ok(Some(match row.arrived {
        false => EventKind::ShareSent { app, key, to },
        true => EventKind::ShareDelivered { app, key, to },
    }))
}

/// What is told of an answer to a card; nothing if nobody here sent that.
pub(super) fn answered(rows: &dyn Rows, row: EventRow) -> Result<Option<EventKind>, RowsError> {
    let EventRow::CardAnswered { answer, .. } = row else {
        return Ok(None);
    };
    let Some(SentRow { app, key, to, .. }) = SENT.get(rows, &answer.message.0)? else {
        return Ok(None);
    };
    Ok(Some(match answer.what {
        CardDeed::Opened => EventKind::ShareOpened { app, key, to },
        CardDeed::Postback { button, data } => EventKind::SharePostback {
            app,
            key,
            to,
            button: (!button.is_empty()).then_some(button),
            data,
        },
    }))
}

/// Whether cards are on their way, and from where the log is to be read then.
#[derive(Clone, Debug)]
pub(super) struct Awaited(Arc<watch::Sender<State>>);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct State {
    from: Option<u64>,
    /// Changes with each card that is sent.
    sends: u64,
}

impl Default for Awaited {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(State::default())))
    }
}

impl Awaited {
    /// A card was sent when this was the newest event.
    fn sent(&self, newest: u64) {
        self.0.send_modify(|state| {
            state.from = Some(state.from.map_or(newest, |from| from.min(newest)));
            state.sends += 1;
        });
    }
}

/// What a pass over the log gives.
struct Pass {
    batch: Batch,
    subjects: Vec<[u8; 32]>,
    next: u64,
    more: bool,
    awaited: bool,
}

fn pass(rows: &dyn Rows, from: u64) -> Result<Pass, RowsError> {
    let read = history::events(rows, from, STRETCH)?;
    let now_ms = now_ms();
    let (mut batch, mut subjects) = (Batch::default(), Vec::new());
    let (mut lookup, mut arrived) = (Lookup::new(rows), std::collections::BTreeSet::new());
    let more = read.events.len() + usize::from(read.missing.is_some()) >= STRETCH;
    for (_, row) in read.events {
        let EventRow::Ledger { message } = row else {
            continue;
        };
        let Some(mut sent) = SENT
            .get::<SentRow>(rows, &message.0)?
            .filter(|sent| sent.is_awaited(now_ms))
        else {
            continue;
        };
        let ledger = lookup.message(&message)?.and_then(|view| view.ledger);
        if ledger.is_some_and(|ledger| ledger.state >= LedgerState::Delivered) && arrived.insert(message) {
            sent.arrived = true;
            SENT.put(&message.0, &sent, &mut batch)?;
            subjects.push(tell(MessageId(message.0), true, &mut batch)?);
        }
    }
    TOLD.make_room(rows, subjects.len(), &mut batch)?;
    if !subjects.is_empty() || more {
        batch.put(Tree::AppCards, READ_TO, read.next.to_be_bytes());
    }
    let is_left = |(key, sent): &(Vec<u8>, SentRow)| {
        sent.is_awaited(now_ms) && !arrived.iter().any(|one: &keys::MessageId| SENT.key(&one.0) == *key)
    };
    Ok(Pass {
        // While none arrives there is nothing to find out.
        awaited: subjects.is_empty() || SENT.all(rows)?.iter().any(is_left),
        batch,
        subjects,
        next: read.next,
        more,
    })
}

/// From where the log is to be read after a start, if cards are on their way.
fn begin(rows: &dyn Rows) -> Result<Option<u64>, RowsError> {
    let now_ms = now_ms();
    if !SENT
        .all::<SentRow>(rows)?
        .iter()
        .any(|(_, sent)| sent.is_awaited(now_ms))
    {
        return Ok(None);
    }
    let stored = rows.get(Tree::AppCards, READ_TO)?;
    Ok(Some(
        stored
            .and_then(|bytes| bytes.try_into().ok())
            .map_or(0, u64::from_be_bytes),
    ))
}

impl Facade {
    /// The newest event before cards are sent, for [`Facade::cards_sent`].
    pub(super) fn before_cards(&self) -> u64 {
        *self.newest().borrow()
    }

    /// Keeps cards that were sent, and tells their app; of one that it was told of before nothing.
    pub(super) async fn cards_sent(&self, before: u64, cards: Vec<(keys::MessageId, SentRow)>) -> ApiResult<()> {
        let (batch, subjects) = self
            .read(move |rows| {
                let (mut batch, mut subjects) = (Batch::default(), Vec::new());
                let mut fresh = Vec::new();
                for (message, sent) in cards {
                    if SENT.get::<SentRow>(rows, &message.0)?.is_none() {
                        fresh.push((message, sent));
                    }
                }
                SENT.make_room(rows, fresh.len(), &mut batch)?;
                TOLD.make_room(rows, fresh.len(), &mut batch)?;
                for (message, sent) in fresh {
                    SENT.put(&message.0, &sent, &mut batch)?;
                    subjects.push(tell(MessageId(message.0), false, &mut batch)?);
                }
                Ok((batch, subjects))
            })
            .await?;
        if !subjects.is_empty() {
            self.ask(|kept| Ask::Tell(batch, subjects, kept)).await?;
            self.awaited.sent(before);
        }
        Ok(())
    }

    /// Tells of cards that arrived; whether there is more to read.
    async fn tell_arrived(&self) -> ApiResult<bool> {
        let state = *self.awaited.0.borrow();
        let Some(from) = state.from else {
            return Ok(false);
        };
        let Pass {
            batch,
            subjects,
            next,
            more,
            awaited,
        } = self.read(move |rows| pass(rows, from)).await?;
        if !batch.is_empty() {
            self.ask(|kept| Ask::Tell(batch, subjects, kept)).await?;
        }
        self.awaited.0.send_if_modified(|now| {
            // One that was sent meanwhile is read for from where it says.
            if now.sends == state.sends {
                now.from = (awaited || more).then_some(next);
            }
            false
        });
        Ok(more)
    }
}

/// Tells apps that their cards have arrived, until the core ends.
pub(crate) async fn keep_feedback(facade: Facade) {
    let (mut newest, mut state) = (facade.newest(), facade.awaited.0.subscribe());
    match facade.read(|rows| begin(rows)).await {
        Ok(Some(from)) => facade.awaited.sent(from),
        Ok(None) => {}
        Err(error) => tracing::debug!(%error, "which cards are on their way isn't known"),
    }
    loop {
        newest.borrow_and_update();
        match facade.tell_arrived().await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(_) if newest.has_changed().is_err() => return,
            Err(error) => {
                tracing::debug!(%error, "apps aren't told of their cards");
                if pause(&newest, RETRY).await {
                    return;
                }
                continue;
            }
        }
        loop {
            let waits = state.borrow_and_update().from.is_some();
            tokio::select! {
                changed = newest.changed() => match changed {
                    Err(_) => return,
                    Ok(()) if waits => break,
                    Ok(()) => {}
                },
                _ = state.changed() => break,
            }
        }
        if pause(&newest, PAUSE).await {
            return;
        }
    }
}
