//! Webhooks: parameters and results of their methods, and what the node keeps of one.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use data_encoding::BASE64;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::access::{Grant, Grants};
use super::api::{Api, ApiResult};
use super::apps::Secret;
use super::error::ApiError;
use super::ids::{AppKey, EventCursor, EventEpoch};
use super::limits::{MAX_HOOK_SECRET, MAX_URL, MIN_HOOK_SECRET};
use super::params::{Fields, Filter, FromParams};
use super::schema::{HookSecret, Url};
use super::types::{Done, Page};
use super::web::{Reach, Target};

/// How the text of a secret begins.
pub const SECRET_PREFIX: &str = "whsec_";

/// Parameters of `event.webhook_set`.
#[derive(Clone, PartialEq, Eq, JsonSchema)]
pub struct WebhookSetParams {
    /// Where events are posted: `https://…`, or `http://` to this machine; an app's into no private network.
    #[schemars(with = "Url")]
    pub url: String,
    /// Whose webhook; that of this token's app if absent. Another's needs `app:manage`.
    pub app: Option<AppKey>,
    /// Which events; all that the token may read if absent.
    pub filter: Filter,
    /// The last event that isn't posted. If absent, a webhook that is replaced goes on where it was, and a new one begins now.
    pub after: Option<EventCursor>,
    /// The epoch that came with `after`.
    pub epoch: Option<EventEpoch>,
    /// What posts are signed with; made if absent.
    #[schemars(with = "Option<HookSecret>")]
    pub secret: Option<Secret>,
}

impl fmt::Debug for WebhookSetParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookSetParams")
            .field("app", &self.app)
            .finish_non_exhaustive()
    }
}

impl FromParams for WebhookSetParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        let url = fields.text("url", MAX_URL)?;
        Target::parse(&url).map_err(|reason| fields.invalid("url", reason))?;
        let secret: Option<Secret> = fields.optional("secret")?;
        if secret.as_ref().is_some_and(|secret| secret_bytes(secret).is_none()) {
            let reason = format!("must be {SECRET_PREFIX} and {MIN_HOOK_SECRET} to {MAX_HOOK_SECRET} bytes in base64");
            return Err(fields.invalid("secret", reason));
        }
        Ok(Self {
            url,
            app: fields.optional("app")?,
            filter: Filter::take(fields)?,
            after: fields.optional("after")?,
            epoch: fields.optional("epoch")?,
            secret,
        })
    }
}

/// Parameters of `event.webhook_remove`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
pub struct WebhookParams {
    /// Whose webhook; that of this token's app if absent. Another's needs `app:manage`.
    pub app: Option<AppKey>,
}

impl FromParams for WebhookParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            app: fields.optional("app")?,
        })
    }
}

/// A webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Webhook {
    /// Whose it is; absent for the owner's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<AppKey>,
    /// Where events are posted.
    pub url: String,
    /// Which events.
    pub filter: Filter,
    /// The last event that was accepted there, or passed over.
    pub cursor: EventCursor,
    /// How it is.
    pub state: WebhookState,
    /// Posts since the last that was accepted.
    pub attempts: u32,
    /// The HTTP status of the last answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_status: Option<u16>,
    /// Why the last post wasn't accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// When it was tried last, in Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_try_ms: Option<u64>,
    /// When it is tried again, in Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_try_ms: Option<u64>,
}

/// How a webhook is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WebhookState {
    /// Its last post was accepted, or it has had none.
    Active,
    /// Its last post wasn't accepted; it is tried again.
    Failing,
    /// It failed for too long, or its receiver wants no more: set it again.
    Disabled,
    /// Its app's token has ended.
    Ended,
}

/// Result of `event.webhook_set`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookMade {
    /// The webhook.
    pub webhook: Webhook,
    /// What its posts are signed with; shown only now.
    pub secret: Secret,
}

impl fmt::Debug for WebhookMade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebhookMade({:?}, redacted)", self.webhook)
    }
}

/// What the node keeps of a webhook.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hook {
    /// Changes whenever it is set.
    pub id: u64,
    /// Where events are posted.
    pub url: String,
    /// Which events.
    pub filter: Filter,
    /// What posts are signed with.
    pub secret: Secret,
    /// The last event that was accepted there.
    pub cursor: EventCursor,
    /// How posting goes.
    pub progress: Progress,
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hook")
            .field("id", &self.id)
            .field("progress", &self.progress)
            .finish_non_exhaustive()
    }
}

/// How posting goes; times in Unix milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Posts since the last that was accepted.
    pub attempts: u32,
    /// When the first of these was.
    pub failing_since_ms: Option<u64>,
    /// When the last was.
    pub last_try_ms: Option<u64>,
    /// When the next is due.
    pub next_try_ms: Option<u64>,
    /// What the receiver answered last.
    pub last_status: Option<u16>,
    /// Why it didn't accept.
    pub last_error: Option<String>,
    /// It is posted to no more.
    pub disabled: bool,
}

/// The webhooks by whose they are; none is the owner.
pub type Hooks = BTreeMap<Option<AppKey>, Arc<Hook>>;

/// What became of a post, or of events that weren't to be posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Events up to here weren't wanted.
    Passed(EventCursor),
    /// Events up to here were accepted with this status.
    Accepted(EventCursor, u16),
    /// They weren't.
    Refused {
        /// What was answered.
        status: Option<u16>,
        /// For how long the receiver wants to be left alone.
        pause: Option<Duration>,
        /// Why not.
        reason: String,
    },
}

impl Hook {
    /// As it is shown.
    pub fn shown(&self, app: Option<AppKey>, ended: bool) -> Webhook {
        let progress = &self.progress;
        Webhook {
            app,
            url: self.url.clone(),
            filter: self.filter.clone(),
            cursor: self.cursor,
            state: match (ended, progress.disabled, progress.attempts) {
                (true, _, _) => WebhookState::Ended,
                (false, true, _) => WebhookState::Disabled,
                (false, false, 0) => WebhookState::Active,
                (false, false, _) => WebhookState::Failing,
            },
            attempts: progress.attempts,
            last_status: progress.last_status,
            last_error: progress.last_error.clone(),
            last_try_ms: progress.last_try_ms,
            next_try_ms: progress.next_try_ms,
        }
    }
}

/// Where an app's webhook may lead, or the owner's: what is in the user's private networks is not for apps.
pub(super) fn reach(app: Option<AppKey>) -> Reach {
    if app.is_some() { Reach::Public } else { Reach::Anywhere }
}

/// Answers `event.webhook_set`.
pub(super) async fn set<A: Api>(api: &A, params: WebhookSetParams, grant: &Grant) -> ApiResult<WebhookMade> {
    let app = whose(params.app, grant)?;
    let target = Target::parse(&params.url).map_err(|reason| ApiError::invalid("url", reason))?;
    if target.is_beyond(reach(app)) {
        return Err(ApiError::invalid("url", "must not lead into a private network"));
    }
    if let Some(cursor) = params.after
        && api.event_known(cursor.0, params.epoch).await? < cursor.0
    {
        return Err(ApiError::invalid("after", "is of no event of this log"));
    }
    api.webhook_set(app, params).await
}

/// Answers `event.webhook_remove`.
pub(super) async fn remove<A: Api>(api: &A, params: WebhookParams, grant: &Grant) -> ApiResult<Done> {
    api.webhook_remove(whose(params.app, grant)?).await
}

/// Answers `event.webhooks`: the caller's own, or all to who manages apps.
pub(super) fn list<A: Api>(api: &A, grant: &Grant, now_ms: u64) -> Page<Webhook> {
    let (hooks, grants) = (api.webhooks().borrow().clone(), api.grants().borrow().clone());
    let seen = |app: &Option<AppKey>| *app == grant.app || grant.allows_managing_apps();
    let items = hooks.iter().filter(|(app, _)| seen(app));
    Page {
        items: items
            .map(|(app, hook)| hook.shown(*app, living(&grants, *app, now_ms).is_none()))
            .collect(),
        next: None,
        prev: None,
    }
}

/// What an app's token allows, if it works; the owner's always does.
pub(super) fn living(grants: &Grants, app: Option<AppKey>, now_ms: u64) -> Option<Arc<Grant>> {
    let Some(app) = app else {
        return Some(Arc::new(Grant::owner()));
    };
    let grant = grants
        .of_app(&app)
        .filter(|grant| !grant.pending && !grant.has_ended(now_ms));
    grant.cloned()
}

fn whose(named: Option<AppKey>, grant: &Grant) -> ApiResult<Option<AppKey>> {
    match named {
        None => Ok(grant.app),
        Some(app) if grant.app == Some(app) || grant.allows_managing_apps() => Ok(Some(app)),
        Some(_) => Err(ApiError::ScopeMissing {
            scope: "app:manage".to_owned(),
        }),
    }
}

/// The bytes of a secret.
pub(super) fn secret_bytes(secret: &Secret) -> Option<Vec<u8>> {
    let bytes = BASE64.decode(secret.0.strip_prefix(SECRET_PREFIX)?.as_bytes()).ok()?;
    (MIN_HOOK_SECRET..=MAX_HOOK_SECRET)
        .contains(&bytes.len())
        .then_some(bytes)
}
