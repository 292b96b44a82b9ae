//! The apps that the user has approved, those that ask, and how far each has read the event log. What a token may do is decided in
//! `rpc`; here it is kept.

use std::collections::BTreeMap;
use std::sync::Arc;

use data_encoding::BASE64;
use madang_protocol::rows::{Batch, Rows, RowsError, Tree};
use serde::{Deserialize, Serialize};

use super::webhooks::Webhooks;
use crate::clock::now_ms;
use crate::random::random;
use crate::rpc::access::{Grant, Grants, Scope, token_hash};
use crate::rpc::apps::{App, AppApproveParams, AppMintParams, AppRequestParams, AppState, AppToken, Secret};
use crate::rpc::error::ApiError;
use crate::rpc::ids::{AppKey, EventCursor};
use crate::rpc::limits::{ASKING_MS, MAX_APPS, MAX_ASKING, MAX_SCOPES};
use crate::rpc::webhooks::{Hooks, Outcome, WebhookMade, WebhookSetParams};

/// The owner's own place in the table of cursors.
pub(super) const OWNER: AppKey = AppKey([0; 32]);

/// What is asked of the apps' table.
pub(crate) enum AppAsk {
    /// An app wants a token.
    Request(AppRequestParams),
    /// An app that is in wants to be allowed more.
    Want(AppKey, Scope),
    /// The user lets it in, or allows more.
    Approve(AppApproveParams),
    /// Whoever has a token wants a narrower one.
    Mint(Arc<Grant>, AppMintParams),
    /// A token is to end, and those made by it.
    Revoke(Arc<Grant>, AppKey),
    /// An app has dealt with events.
    Ack(Option<AppKey>, EventCursor),
    /// Events are to be posted.
    SetHook(Option<AppKey>, WebhookSetParams),
    /// Or no more.
    RemoveHook(Option<AppKey>),
    /// What became of a post to the webhook with this id.
    NoteHook(Option<AppKey>, u64, Outcome),
}

/// The answer.
pub(crate) enum AppSaid {
    Token(AppToken),
    App(Box<App>),
    Hook(Box<WebhookMade>),
    /// When a post is tried again.
    NextTry(Option<u64>),
    Done,
}

/// A row; of the token only its hash.
#[derive(Clone, Serialize, Deserialize)]
struct AppRow {
    name: String,
    icon: Option<String>,
    scopes: Vec<Scope>,
    origin: Option<String>,
    requested: bool,
    parent: Option<AppKey>,
    created_ms: u64,
    expires_ms: Option<u64>,
    token: [u8; 32],
    /// What it asks for besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    wish: Option<Wish>,
}

/// What an app that is in asks for.
#[derive(Clone, Serialize, Deserialize)]
struct Wish {
    scopes: Vec<Scope>,
    at_ms: u64,
}

/// The table.
pub(super) struct Apps {
    rows: BTreeMap<AppKey, AppRow>,
    acks: BTreeMap<AppKey, u64>,
    hooks: Webhooks,
}

impl Apps {
    pub fn load(rows: &dyn Rows) -> Result<Self, RowsError> {
        let mut apps = Self {
            rows: BTreeMap::new(),
            acks: BTreeMap::new(),
            hooks: Webhooks::load(rows)?,
        };
        for (key, value) in rows.prefix(Tree::Apps, &[], usize::MAX)? {
            let row = serde_json::from_slice(&value).map_err(unreadable)?;
            apps.rows.insert(app_key(&key)?, row);
        }
        for (key, value) in rows.prefix(Tree::AppCursors, &[], usize::MAX)? {
            let cursor = value.as_slice().try_into().map_err(unreadable)?;
            apps.acks.insert(app_key(&key)?, u64::from_be_bytes(cursor));
        }
        Ok(apps)
    }

    /// What tokens allow.
    pub fn grants(&self) -> Grants {
        Grants::new(self.rows.iter().map(|(app, row)| {
            let grant = Grant {
                app: Some(*app),
                scopes: row.scopes.clone(),
                origin: row.origin.clone(),
                expires_ms: row.expires_ms,
                pending: row.requested,
            };
            (row.token, grant)
        }))
    }

    /// All of them.
    pub fn list(&self, now_ms: u64) -> Vec<App> {
        let fresh = self.rows.iter().filter(|(_, row)| !row.has_waited_too_long(now_ms));
        fresh.map(|(app, row)| self.shown(now_ms, *app, row)).collect()
    }

    /// What an app calls itself, if there is one.
    pub fn name_of(&self, app: &AppKey) -> Option<String> {
        self.rows.get(app).map(|row| row.name.clone())
    }

    /// The webhooks.
    pub fn hooks(&self) -> Hooks {
        self.hooks.all()
    }

    /// How far an app has read.
    pub fn acknowledged(&self, app: Option<AppKey>) -> EventCursor {
        EventCursor(self.acks.get(&app.unwrap_or(OWNER)).copied().unwrap_or_default())
    }

    /// Takes back what was acknowledged beyond the newest event, as after the newest rows of the log were put aside as unreadable: their
    /// numbers will be given again.
    pub fn forget_after(&mut self, newest: u64, batch: &mut Batch) -> Result<(), RowsError> {
        for (app, cursor) in self.acks.iter_mut().filter(|(_, cursor)| **cursor > newest) {
            *cursor = newest;
            batch.put(Tree::AppCursors, app.0, newest.to_be_bytes());
        }
        self.hooks.forget_after(newest, batch)
    }

    /// Does what is asked, in memory and in the batch. Gives the answer, and what there is news of: an app that asks, or a webhook that is
    /// disabled.
    pub fn handle(
        &mut self,
        now_ms: u64,
        newest: u64,
        ask: AppAsk,
        batch: &mut Batch,
    ) -> Result<(AppSaid, Option<[u8; 32]>), ApiError> {
        match ask {
            AppAsk::Request(params) => {
                let said = self.request(now_ms, params, batch)?;
                let app = said.app;
                Ok((AppSaid::Token(said), Some(app.0)))
            }
            AppAsk::Want(app, scope) => {
                let (said, is_news) = self.want(now_ms, app, scope, batch)?;
                Ok((AppSaid::App(Box::new(said)), is_news.then_some(app.0)))
            }
            AppAsk::Approve(params) => Ok((AppSaid::App(Box::new(self.approve(now_ms, params, batch)?)), None)),
            AppAsk::Mint(by, params) => Ok((AppSaid::Token(self.mint(now_ms, &by, params, batch)?), None)),
            AppAsk::Revoke(by, app) => self.revoke(&by, app, batch).map(|()| (AppSaid::Done, None)),
            AppAsk::SetHook(app, params) => {
                if let Some(app) = app {
                    let known = self.rows.get(&app).filter(|row| !row.requested);
                    known.ok_or(ApiError::NotFound { field: "app" })?;
                }
                let made = self.hooks.set(app, params, newest, batch)?;
                Ok((AppSaid::Hook(Box::new(made)), None))
            }
            AppAsk::RemoveHook(app) => match self.hooks.remove(app.unwrap_or(OWNER), batch) {
                true => Ok((AppSaid::Done, None)),
                false => Err(ApiError::NotFound { field: "app" }),
            },
            AppAsk::NoteHook(app, id, outcome) => {
                let (next_try, news) = self.hooks.note(now_ms, app, id, outcome, batch)?;
                Ok((AppSaid::NextTry(next_try), news))
            }
            AppAsk::Ack(app, cursor) => self.ack(app, cursor, newest, batch).map(|()| (AppSaid::Done, None)),
        }
    }

    fn request(&mut self, now_ms: u64, params: AppRequestParams, batch: &mut Batch) -> Result<AppToken, ApiError> {
        if params.scopes.contains(&Scope::All) {
            return Err(ApiError::invalid("scopes", "'*' is the owner's alone"));
        }
        let late: Vec<AppKey> = self
            .rows
            .iter()
            .filter(|(_, row)| row.has_waited_too_long(now_ms))
            .map(|(app, _)| *app)
            .collect();
        for app in late {
            self.remove(app, batch);
        }
        if self.rows.values().filter(|row| row.requested).count() >= MAX_ASKING {
            return Err(limit("apps that wait for the user", MAX_ASKING));
        }
        self.insert(
            AppRow {
                name: params.name,
                icon: params.icon.map(|icon| BASE64.encode(&icon)),
                scopes: params.scopes,
                origin: params.origin,
                requested: true,
                parent: None,
                created_ms: now_ms,
                expires_ms: None,
                token: [0; 32],
                wish: None,
            },
            batch,
        )
    }

    /// Notes what an app wants besides; says too whether the user hasn't been asked for that.
    fn want(&mut self, now_ms: u64, app: AppKey, scope: Scope, batch: &mut Batch) -> Result<(App, bool), ApiError> {
        let known = self.rows.get(&app).filter(|row| !row.requested);
        let mut row = known.cloned().ok_or(ApiError::NotFound { field: "app" })?;
        if row.parent.is_some() {
            // It would be allowed more than whoever made it.
            return Err(ApiError::NotAllowed {
                reason: "another app made this token; that one has to ask".into(),
            });
        }
        let mut wanted = row.wants(now_ms).to_vec();
        if row.scopes.iter().chain(&wanted).any(|has| has.covers(&scope)) {
            return Ok((self.shown(now_ms, app, &row), false));
        }
        wanted.push(scope);
        if row.scopes.len() + wanted.len() > MAX_SCOPES {
            return Err(limit("scopes of an app", MAX_SCOPES));
        }
        row.wish = Some(Wish {
            scopes: wanted,
            at_ms: now_ms,
        });
        let shown = self.shown(now_ms, app, &row);
        self.put(app, row, batch)?;
        Ok((shown, true))
    }

    fn approve(&mut self, now_ms: u64, params: AppApproveParams, batch: &mut Batch) -> Result<App, ApiError> {
        let waiting = self
            .rows
            .get(&params.app)
            .filter(|row| !row.asks_for(now_ms).is_empty());
        let mut row = waiting.cloned().ok_or(ApiError::NotFound { field: "app" })?;
        let asked = Grant {
            scopes: row.asks_for(now_ms).to_vec(),
            ..Grant::owner()
        };
        let scopes = params.scopes.unwrap_or_else(|| asked.scopes.clone());
        // What it didn't ask for it doesn't know how to use.
        asked
            .covers(&scopes)
            .map_err(|scope| ApiError::invalid("scopes", format!("{scope} isn't within what the app asks for")))?;
        if row.requested {
            self.room()?;
            row.requested = false;
            row.scopes = scopes;
            row.expires_ms = ends(now_ms, params.expires_in_s);
        } else {
            row.wish = None;
            row.scopes.extend(scopes);
            row.scopes.sort();
            row.scopes.dedup();
        }
        let shown = self.shown(now_ms, params.app, &row);
        self.put(params.app, row, batch)?;
        Ok(shown)
    }

    fn mint(
        &mut self,
        now_ms: u64,
        by: &Grant,
        params: AppMintParams,
        batch: &mut Batch,
    ) -> Result<AppToken, ApiError> {
        self.room()?;
        by.covers(&params.scopes).map_err(|scope| ApiError::ScopeMissing {
            scope: scope.to_string(),
        })?;
        let wanted = ends(now_ms, params.expires_in_s);
        self.insert(
            AppRow {
                name: params.name,
                icon: None,
                scopes: params.scopes,
                origin: None,
                requested: false,
                parent: by.app,
                created_ms: now_ms,
                expires_ms: [wanted, by.expires_ms].into_iter().flatten().min(),
                token: [0; 32],
                wish: None,
            },
            batch,
        )
    }

    fn revoke(&mut self, by: &Grant, app: AppKey, batch: &mut Batch) -> Result<(), ApiError> {
        if !self.rows.contains_key(&app) {
            return Err(ApiError::NotFound { field: "app" });
        }
        let manages = by.allows_managing_apps();
        let line = std::iter::successors(Some(app), |app| self.rows.get(app).and_then(|row| row.parent));
        if !manages && !line.take(MAX_APPS).any(|older| Some(older) == by.app) {
            return Err(ApiError::NotFound { field: "app" });
        }
        self.remove(app, batch);
        Ok(())
    }

    fn ack(
        &mut self,
        app: Option<AppKey>,
        cursor: EventCursor,
        newest: u64,
        batch: &mut Batch,
    ) -> Result<(), ApiError> {
        if cursor.0 > newest {
            return Err(ApiError::invalid("cursor", "is of no event yet"));
        }
        let app = app.unwrap_or(OWNER);
        let known = self.acks.entry(app).or_default();
        if cursor.0 > *known {
            *known = cursor.0;
            batch.put(Tree::AppCursors, app.0, cursor.0.to_be_bytes());
        }
        Ok(())
    }

    fn room(&self) -> Result<(), ApiError> {
        if self.rows.values().filter(|row| !row.requested).count() >= MAX_APPS {
            return Err(limit("apps with a token", MAX_APPS));
        }
        Ok(())
    }

    /// Makes the app's id and token.
    fn insert(&mut self, mut row: AppRow, batch: &mut Batch) -> Result<AppToken, ApiError> {
        let random = random::<64>()?;
        let (id, secret) = random.split_at(32);
        let app = AppKey(id.try_into().map_err(|_| ApiError::Internal {
            reason: "an id has 32 bytes".into(),
        })?);
        let token = Secret(hex::encode(secret));
        row.token = token_hash(token.0.as_bytes());
        self.put(app, row, batch)?;
        Ok(AppToken { app, token })
    }

    fn put(&mut self, app: AppKey, row: AppRow, batch: &mut Batch) -> Result<(), ApiError> {
        batch.put(Tree::Apps, app.0, written(&row)?);
        self.rows.insert(app, row);
        Ok(())
    }

    /// Removes an app, and those whose tokens it made.
    fn remove(&mut self, app: AppKey, batch: &mut Batch) {
        let mut open = vec![app];
        while let Some(app) = open.pop() {
            if self.rows.remove(&app).is_some() {
                batch.delete(Tree::Apps, app.0);
            }
            self.hooks.remove(app, batch);
            if self.acks.remove(&app).is_some() {
                batch.delete(Tree::AppCursors, app.0);
            }
            open.extend(
                self.rows
                    .iter()
                    .filter(|(_, row)| row.parent == Some(app))
                    .map(|(app, _)| *app),
            );
        }
    }

    fn shown(&self, now_ms: u64, app: AppKey, row: &AppRow) -> App {
        let expired = row.expires_ms.is_some_and(|ends| ends <= now_ms);
        App {
            app,
            name: row.name.clone(),
            icon: row.icon.clone(),
            scopes: row.scopes.clone(),
            wants: row.wants(now_ms).to_vec(),
            origin: row.origin.clone(),
            state: match (row.requested, expired) {
                (true, _) => AppState::Requested,
                (false, true) => AppState::Expired,
                (false, false) => AppState::Active,
            },
            parent: row.parent,
            created_ms: row.created_ms,
            expires_ms: row.expires_ms,
            acknowledged: self.acknowledged(Some(app)),
        }
    }
}

/// The name and scopes of an app that asks, for the event that says so; none if it doesn't ask any more.
pub(super) fn asking(rows: &dyn Rows, app: &AppKey) -> Result<Option<(String, Vec<Scope>)>, RowsError> {
    let Some(value) = rows.get(Tree::Apps, &app.0)? else {
        return Ok(None);
    };
    let row: AppRow = serde_json::from_slice(&value).map_err(unreadable)?;
    let wanted = row.asks_for(now_ms()).to_vec();
    Ok((!wanted.is_empty()).then_some((row.name, wanted)))
}

impl AppRow {
    fn has_waited_too_long(&self, now_ms: u64) -> bool {
        self.requested && now_ms.saturating_sub(self.created_ms) >= ASKING_MS
    }

    /// What it asks for besides what it has.
    fn wants(&self, now_ms: u64) -> &[Scope] {
        let fresh = |wish: &&Wish| now_ms.saturating_sub(wish.at_ms) < ASKING_MS;
        self.wish
            .as_ref()
            .filter(fresh)
            .map_or(&[], |wish| wish.scopes.as_slice())
    }

    /// What the user is to decide about.
    fn asks_for(&self, now_ms: u64) -> &[Scope] {
        match self.requested {
            true if self.has_waited_too_long(now_ms) => &[],
            true => &self.scopes,
            false => self.wants(now_ms),
        }
    }
}

fn ends(now_ms: u64, in_s: Option<u64>) -> Option<u64> {
    in_s.map(|seconds| now_ms.saturating_add(seconds.saturating_mul(1000)))
}

pub(super) fn limit(what: &'static str, limit: usize) -> ApiError {
    ApiError::LimitReached {
        what: what.into(),
        limit: u64::try_from(limit).unwrap_or(u64::MAX),
    }
}

pub(super) fn app_key(stored: &[u8]) -> Result<AppKey, RowsError> {
    stored.try_into().map(AppKey).map_err(unreadable)
}

/// A row of an app, as [`unreadable`] ones aren't.
pub(super) fn written(row: &impl Serialize) -> Result<Vec<u8>, ApiError> {
    serde_json::to_vec(row).map_err(|error| ApiError::Internal {
        reason: error.to_string(),
    })
}

pub(super) fn unreadable(error: impl std::fmt::Display) -> RowsError {
    RowsError {
        reason: format!("a row of an app can't be read: {error}"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use madang_protocol::rows::MemoryRows;

    use super::*;
    use crate::rpc::ids::ShareAppId;

    const NOW: u64 = 1_000_000;

    struct House {
        apps: Apps,
        disk: MemoryRows,
    }

    impl House {
        fn new() -> Self {
            let disk = MemoryRows::default();
            let apps = Apps::load(&disk).unwrap();
            Self { apps, disk }
        }

        fn ask(&mut self, now_ms: u64, ask: AppAsk) -> Result<AppSaid, ApiError> {
            let mut batch = Batch::default();
            let said = self.apps.handle(now_ms, 10, ask, &mut batch);
            self.disk.apply(&batch);
            // What is on disk is all that there is.
            self.apps = Apps::load(&self.disk).unwrap();
            said.map(|(said, _)| said)
        }

        fn token(&mut self, now_ms: u64, ask: AppAsk) -> AppToken {
            match self.ask(now_ms, ask) {
                Ok(AppSaid::Token(token)) => token,
                Ok(_) => panic!("no token"),
                Err(error) => panic!("{error}"),
            }
        }

        fn request(&mut self, now_ms: u64, scopes: &[&str]) -> AppToken {
            self.token(now_ms, AppAsk::Request(asking_for(scopes)))
        }

        fn approve(&mut self, app: AppKey, scopes: Option<&[&str]>) -> Result<AppSaid, ApiError> {
            let params = AppApproveParams {
                app,
                scopes: scopes.map(read),
                expires_in_s: None,
            };
            self.ask(NOW, AppAsk::Approve(params))
        }

        fn grant(&self, token: &AppToken) -> Option<Grant> {
            let grants = self.apps.grants();
            grants.lookup(token.token.0.as_bytes()).map(|grant| (*grant).clone())
        }

        fn mint(&mut self, by: &Grant, scopes: &[&str], expires_in_s: Option<u64>) -> AppToken {
            let params = AppMintParams {
                name: "narrower".into(),
                scopes: read(scopes),
                expires_in_s,
            };
            self.token(NOW, AppAsk::Mint(Arc::new(by.clone()), params))
        }
    }

    fn read(scopes: &[&str]) -> Vec<Scope> {
        scopes.iter().map(|scope| scope.parse().unwrap()).collect()
    }

    fn asking_for(scopes: &[&str]) -> AppRequestParams {
        AppRequestParams {
            name: "shop".into(),
            icon: None,
            scopes: read(scopes),
            origin: None,
        }
    }

    #[test]
    fn a_token_works_once_the_user_has_approved_and_no_more_once_it_is_revoked() {
        let mut house = House::new();
        let token = house.request(NOW, &["chat:read", "chat:send"]);
        assert!(house.grant(&token).unwrap().pending);
        house.approve(token.app, Some(&["chat:read"])).unwrap();
        let grant = house.grant(&token).unwrap();
        assert_eq!((grant.pending, grant.scopes.clone()), (false, read(&["chat:read"])));
        assert!(
            matches!(house.approve(token.app, None), Err(ApiError::NotFound { .. })),
            "approved twice"
        );

        let owner = Arc::new(Grant::owner());
        house.ask(NOW, AppAsk::Revoke(owner.clone(), token.app)).unwrap();
        assert_eq!(house.grant(&token), None);
        assert!(house.ask(NOW, AppAsk::Revoke(owner, token.app)).is_err());
    }

    #[test]
    fn f58_an_app_that_is_in_gets_more_only_once_the_user_has_approved_that_too() {
        let mut house = House::new();
        let token = house.request(NOW, &["chat:read"]);
        let key = ShareAppId([7; 32]);
        let want = |app| AppAsk::Want(app, Scope::handling(&key));
        assert!(house.ask(NOW, want(token.app)).is_err(), "it isn't in yet");
        house.approve(token.app, None).unwrap();
        for _ in 0..2 {
            house.ask(NOW, want(token.app)).unwrap();
        }
        assert!(!house.grant(&token).unwrap().handles(&key));
        assert!(house.approve(token.app, Some(&["chat:send"])).is_err());
        house.approve(token.app, None).unwrap();
        let grant = house.grant(&token).unwrap();
        assert!(grant.handles(&key) && grant.scopes.len() == 2);
        assert!(house.approve(token.app, None).is_err(), "nothing is asked any more");
        // What one has that another made is bounded by that one's.
        let child = house.mint(&grant, &["chat:read"], None);
        assert!(matches!(
            house.ask(NOW, want(child.app)),
            Err(ApiError::NotAllowed { .. })
        ));
    }

    #[test]
    fn f58_the_user_gives_no_more_than_was_asked_for_and_nobody_asks_for_all() {
        let mut house = House::new();
        let token = house.request(NOW, &["chat:read"]);
        let more = house.approve(token.app, Some(&["chat:send"]));
        assert!(matches!(more, Err(ApiError::InvalidParams { .. })));
        let all = house.ask(NOW, AppAsk::Request(asking_for(&["*"])));
        assert!(matches!(all, Err(ApiError::InvalidParams { .. })));
    }

    #[test]
    fn f58_a_minted_token_is_narrower_ends_no_later_and_ends_with_its_maker() {
        let mut house = House::new();
        let parent = house.mint(&Grant::owner(), &["chat:read"], Some(100));
        let by = house.grant(&parent).unwrap();
        let child = house.mint(&by, &["chat:read"], Some(1_000));
        let grandchild = house.mint(&house.grant(&child).unwrap(), &["method:message.list"], None);
        for token in [&child, &grandchild] {
            assert_eq!(house.grant(token).unwrap().expires_ms, Some(NOW + 100_000));
        }
        let wider = AppMintParams {
            name: "wider".into(),
            scopes: read(&["chat:send"]),
            expires_in_s: None,
        };
        assert!(matches!(
            house.ask(NOW, AppAsk::Mint(Arc::new(by.clone()), wider)),
            Err(ApiError::ScopeMissing { .. })
        ));
        // A child can't end its parent, nor who is none of its own.
        let small = Arc::new(house.grant(&grandchild).unwrap());
        let up = house.ask(NOW, AppAsk::Revoke(small, parent.app));
        assert!(matches!(up, Err(ApiError::NotFound { .. })));
        house.ask(NOW, AppAsk::Revoke(Arc::new(by), parent.app)).unwrap();
        for token in [&parent, &child, &grandchild] {
            assert_eq!(house.grant(token), None);
        }
    }

    #[test]
    fn who_asks_in_vain_makes_room_after_a_while_and_few_ask_at_once() {
        let mut house = House::new();
        let first = house.request(NOW, &["chat:read"]);
        for _ in 1..MAX_ASKING {
            house.request(NOW, &["chat:read"]);
        }
        let full = house.ask(NOW, AppAsk::Request(asking_for(&["chat:read"])));
        assert!(matches!(full, Err(ApiError::LimitReached { .. })));
        assert_eq!(house.apps.list(NOW + ASKING_MS).len(), 0);
        house.request(NOW + ASKING_MS, &["chat:read"]);
        assert_eq!(house.grant(&first), None);
    }

    #[test]
    fn an_acknowledgement_never_goes_back_and_names_no_event_that_is_still_to_come() {
        let mut house = House::new();
        let token = house.mint(&Grant::owner(), &["chat:read"], None);
        for (cursor, known) in [(4, 4), (2, 4), (10, 10)] {
            house
                .ask(NOW, AppAsk::Ack(Some(token.app), EventCursor(cursor)))
                .unwrap();
            assert_eq!(house.apps.acknowledged(Some(token.app)), EventCursor(known));
        }
        assert!(house.ask(NOW, AppAsk::Ack(Some(token.app), EventCursor(11))).is_err());
        assert_eq!(house.apps.acknowledged(None), EventCursor(0));
    }
}
