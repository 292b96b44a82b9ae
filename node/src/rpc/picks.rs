//! What waits for the user's word: cards that apps and pages offer, and browsers that are to be let in.
//!
//! All of it is in memory: what a restart forgets was never sent, and whoever offered it offers it again. Nothing here sends by itself.
//! [`confirm`] does, for a token with `share:confirm`: the owner's own tools, and browsers that the owner has let in by a code
//! (`docs/adr/0018-the-pickers-browser.md`).

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::json;
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

use super::access::{Grant, Need, token_hash};
use super::api::{Api, ApiResult};
use super::dispatch::Shared;
use super::error::ApiError;
use super::ids::{AppKey, PickId};
use super::limits::{BROWSER_S, CODE_MS, MAX_ALL_PICKS, MAX_CODES, MAX_FETCHES, MAX_PICKS, PICK_MS};
use super::params::{
    AppMintParams, CardText, ConfirmParams, EnterParams, HeldCard, PickParams, PickedParams, ShareOfferParams,
    SharePickParams, SharePreviewParams, ShareSendParams, ShownParams,
};
use super::pictures;
use super::types::{
    AppToken, BrowserCode, Done, Page, Pick, PickShown, PickState, Picked, Pseudonym, ShareCard, SharesSent,
};
use crate::clock::now_ms;
use crate::random::random;

/// What the picker's browsers may do: decide, and see which chats there are.
const BROWSER_SCOPES: [&str; 2] = ["share:confirm", "method:chat.list"];
/// What they are called among the apps.
const BROWSER_NAME: &str = "Share picker in a browser";

/// A card that waits.
#[derive(Clone)]
struct Waiting {
    app: Option<AppKey>,
    card: CardText,
    origin: Option<String>,
    shown: ShareCard,
    state: PickState,
    to: Vec<Pseudonym>,
    until_ms: u64,
}

/// What waits.
pub(super) struct Picks {
    table: Mutex<Table>,
    changes: watch::Sender<()>,
    /// Pictures that are fetched at once.
    pub(super) fetches: Semaphore,
}

#[derive(Default)]
struct Table {
    picks: BTreeMap<PickId, Waiting>,
    /// Hashes of codes, and when they end.
    codes: Vec<([u8; 32], u64)>,
}

impl Default for Picks {
    fn default() -> Self {
        Self {
            table: Mutex::default(),
            changes: watch::Sender::new(()),
            fetches: Semaphore::new(MAX_FETCHES),
        }
    }
}

impl Picks {
    fn table(&self) -> MutexGuard<'_, Table> {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let now = now_ms();
        table.picks.retain(|_, waiting| waiting.until_ms > now);
        table.codes.retain(|(_, ends)| *ends > now);
        table
    }

    fn insert(
        &self,
        app: Option<AppKey>,
        card: CardText,
        origin: Option<String>,
        shown: ShareCard,
    ) -> ApiResult<PickId> {
        let mut table = self.table();
        let waits = |waiting: &&Waiting| waiting.state == PickState::Waiting;
        let all = table.picks.values().filter(waits).count();
        let own = table
            .picks
            .values()
            .filter(waits)
            .filter(|other| other.app == app)
            .count();
        // A page offers but what the user has come with: the oldest of these makes room.
        if app.is_none() && own >= MAX_PICKS {
            let oldest = table.picks.iter().filter(|(_, waiting)| waiting.app.is_none());
            let oldest = oldest
                .min_by_key(|(_, waiting)| waiting.until_ms)
                .map(|(pick, _)| *pick);
            oldest.map(|pick| table.picks.remove(&pick));
        } else if own >= MAX_PICKS || all >= MAX_ALL_PICKS {
            return Err(ApiError::LimitReached {
                what: "cards that wait for the user".into(),
                limit: MAX_PICKS as u64,
            });
        }
        let pick = PickId(*random()?);
        let waiting = Waiting {
            app,
            card,
            origin,
            shown,
            state: PickState::Waiting,
            to: Vec::new(),
            until_ms: now_ms().saturating_add(PICK_MS),
        };
        table.picks.insert(pick, waiting);
        Ok(pick)
    }

    fn get(&self, pick: PickId) -> ApiResult<Waiting> {
        let table = self.table();
        table
            .picks
            .get(&pick)
            .cloned()
            .ok_or(ApiError::NotFound { field: "pick" })
    }

    /// Takes a pick for a decision: of several only the first gets it.
    fn take(&self, pick: PickId) -> ApiResult<Waiting> {
        let mut table = self.table();
        let waiting = table.picks.get_mut(&pick).ok_or(ApiError::NotFound { field: "pick" })?;
        if waiting.state != PickState::Waiting {
            return Err(ApiError::NotFound { field: "pick" });
        }
        let taken = waiting.clone();
        waiting.state = PickState::Cancelled;
        Ok(taken)
    }

    /// Says how a pick is from now on.
    fn settle(&self, pick: PickId, state: PickState, to: Vec<Pseudonym>) {
        if let Some(waiting) = self.table().picks.get_mut(&pick) {
            waiting.state = state;
            waiting.to = to;
        }
        self.changes.send_replace(());
    }

    /// Waits until a pick is decided, or the time is over.
    async fn decided(&self, pick: PickId, time: Duration) -> ApiResult<Waiting> {
        let mut changes = self.changes.subscribe();
        let decision = async {
            loop {
                changes.borrow_and_update();
                let waiting = self.get(pick)?;
                // The sender lives as long as this does.
                if waiting.state != PickState::Waiting || changes.changed().await.is_err() {
                    return Ok(waiting);
                }
            }
        };
        match timeout(time, decision).await {
            Ok(decided) => decided,
            Err(_) => self.get(pick),
        }
    }
}

/// Who offers an unsigned card: the page that the token belongs to, and no other.
fn origin_of(grant: &Grant) -> Option<String> {
    grant.origin.clone()
}

/// Answers `share.send`: who may call it has the user's grant.
pub(super) async fn send<A: Api>(s: &Shared<A>, mut params: ShareSendParams, grant: &Grant) -> ApiResult<SharesSent> {
    let mut origin = origin_of(grant);
    if let Some(message) = params.message {
        // Who may send may not, by that, see what is in chats.
        let about = json!({ "message": message }).to_string();
        s.check(grant, "message.get", Need::message("read"), Some(&about))
            .await?;
        HeldCard {
            card: params.card,
            origin,
        } = s.api.share_held(message).await?;
    }
    s.api.share_count(grant.app, origin.clone(), &params).await?;
    send_now(s, grant.app, origin, params).await
}

async fn send_now<A: Api>(
    s: &Shared<A>,
    app: Option<AppKey>,
    origin: Option<String>,
    params: ShareSendParams,
) -> ApiResult<SharesSent> {
    pictures::gather(s, origin.clone(), &params).await?;
    s.api.share_send(app, origin, params).await
}

/// Answers `share.pick`.
pub(super) async fn pick<A: Api>(s: &Shared<A>, params: SharePickParams, grant: &Grant) -> ApiResult<Picked> {
    let origin = origin_of(grant);
    let shown = s.api.share_card(params.card.clone(), origin.clone()).await?;
    let pick = s.picks.insert(grant.app, params.card, origin, shown)?;
    let time = params.timeout;
    wait(s, pick, time).await
}

/// Answers `share.picked`: to who asked.
pub(super) async fn picked<A: Api>(s: &Shared<A>, params: PickedParams, grant: &Grant) -> ApiResult<Picked> {
    if s.picks.get(params.pick)?.app != grant.app {
        return Err(ApiError::NotFound { field: "pick" });
    }
    wait(s, params.pick, params.timeout).await
}

async fn wait<A: Api>(s: &Shared<A>, pick: PickId, time: Duration) -> ApiResult<Picked> {
    let waiting = s.picks.decided(pick, time).await?;
    Ok(Picked {
        pick,
        state: waiting.state,
        url: format!("{}/share#pick={pick}", s.site),
        to: waiting.to,
    })
}

/// Answers `share.offer`: a page has sent the user's browser here.
pub(super) async fn offer<A: Api>(s: &Shared<A>, params: ShareOfferParams) -> ApiResult<Pick> {
    let shown = s.api.share_card(params.card.clone(), params.origin.clone()).await?;
    let pick = s.picks.insert(None, params.card, params.origin, shown)?;
    shown_pick(pick, s.picks.get(pick)?)
}

/// Answers `share.shown`.
pub(super) async fn shown<A: Api>(s: &Shared<A>, params: ShownParams) -> ApiResult<PickShown> {
    let waiting = s.picks.get(params.pick)?;
    let preview = SharePreviewParams {
        card: waiting.card.clone(),
        lang: params.lang,
    };
    let preview = s.api.share_preview(preview, waiting.origin.clone()).await?;
    Ok(PickShown {
        pick: shown_pick(params.pick, waiting)?,
        html: preview.html,
    })
}

/// Answers `share.picks`.
pub(super) fn list<A: Api>(s: &Shared<A>) -> ApiResult<Page<Pick>> {
    let waiting: Vec<_> = s.picks.table().picks.clone().into_iter().collect();
    let waiting = waiting
        .into_iter()
        .filter(|(_, waiting)| waiting.state == PickState::Waiting);
    Ok(Page {
        items: waiting
            .map(|(pick, waiting)| shown_pick(pick, waiting))
            .collect::<ApiResult<_>>()?,
        next: None,
        prev: None,
    })
}

fn shown_pick(pick: PickId, waiting: Waiting) -> ApiResult<Pick> {
    if waiting.state != PickState::Waiting {
        return Err(ApiError::NotFound { field: "pick" });
    }
    Ok(Pick {
        pick,
        app: waiting.app,
        card: waiting.shown,
        until_ms: waiting.until_ms,
    })
}

/// Answers `share.confirm`: the user has seen it and wants it sent.
pub(super) async fn confirm<A: Api>(s: &Shared<A>, params: ConfirmParams) -> ApiResult<Picked> {
    let waiting = s.picks.take(params.pick)?;
    let send = ShareSendParams {
        chats: params.chats,
        card: waiting.card,
        message: None,
        // The same pick is sent to a chat only once, whatever answer got lost.
        idempotency_key: params.pick.to_string(),
    };
    match send_now(s, waiting.app, waiting.origin, send).await {
        Ok(sent) => {
            let to = sent.items.into_iter().map(|item| item.to).collect();
            s.picks.settle(params.pick, PickState::Sent, to);
            wait(s, params.pick, Duration::ZERO).await
        }
        Err(error) => {
            // The user may choose again.
            s.picks.settle(params.pick, PickState::Waiting, Vec::new());
            Err(error)
        }
    }
}

/// Answers `share.decline`.
pub(super) fn decline<A: Api>(s: &Shared<A>, params: PickParams) -> ApiResult<Done> {
    s.picks.take(params.pick)?;
    s.picks.settle(params.pick, PickState::Cancelled, Vec::new());
    Ok(Done {})
}

/// Answers `share.browser`: makes a code, which works once.
pub(super) fn browser<A: Api>(s: &Shared<A>) -> ApiResult<BrowserCode> {
    let code = hex::encode(random::<32>()?);
    let expires_ms = now_ms().saturating_add(CODE_MS);
    let mut table = s.picks.table();
    if table.codes.len() >= MAX_CODES {
        table.codes.remove(0);
    }
    table.codes.push((token_hash(code.as_bytes()), expires_ms));
    Ok(BrowserCode {
        url: format!("{}/share#code={code}", s.site),
        expires_ms,
    })
}

/// Answers `share.enter`: who brings a code gets the token of a picker's browser. No page of another site may bring one.
pub(super) async fn enter<A: Api>(s: &Shared<A>, params: EnterParams, grant: &Grant) -> ApiResult<AppToken> {
    if grant.origin.is_some() {
        return Err(ApiError::NotAllowed {
            reason: "only the picker's own page may".into(),
        });
    }
    let hash = token_hash(params.code.as_bytes());
    let mut scopes = Vec::new();
    for scope in BROWSER_SCOPES {
        scopes.push(scope.parse().map_err(|_| ApiError::Internal {
            reason: format!("{scope} is no scope"),
        })?);
    }
    let known = {
        let mut table = s.picks.table();
        let before = table.codes.len();
        table.codes.retain(|(code, _)| *code != hash);
        table.codes.len() < before
    };
    if !known {
        return Err(ApiError::NotFound { field: "code" });
    }
    let mint = AppMintParams {
        name: BROWSER_NAME.into(),
        scopes,
        expires_in_s: Some(BROWSER_S),
    };
    s.api.app_mint(Grant::owner().into(), mint).await
}
