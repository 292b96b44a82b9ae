//! Apps, what their tokens allow, and their webhooks.

use std::sync::Arc;

use tokio::sync::watch;

use super::{Fake, SECRET_HOOK, app, app_token, page};
use crate::rpc::access::{Grant, Grants};
use crate::rpc::api::{ApiResult, AppApi};
use crate::rpc::error::ApiError;
use crate::rpc::params::*;
use crate::rpc::types::*;
use crate::rpc::webhooks::{Hook, Hooks, Outcome, Progress, WebhookMade, WebhookSetParams};

impl AppApi for Fake {
    fn grants(&self) -> watch::Receiver<Arc<Grants>> {
        self.grants.subscribe()
    }

    async fn app_request(&self, params: AppRequestParams) -> ApiResult<AppToken> {
        self.asked.lock().unwrap().push(params);
        Ok(app_token())
    }

    async fn app_list(&self, _: ListParams) -> ApiResult<Page<App>> {
        Ok(page(vec![app(AppKey([6; 32]))]))
    }

    async fn app_self(&self, key: AppKey) -> ApiResult<App> {
        Ok(app(key))
    }

    async fn app_handle(&self, key: AppKey, _: AppHandleParams) -> ApiResult<App> {
        Ok(app(key))
    }

    async fn app_approve(&self, params: AppApproveParams) -> ApiResult<App> {
        Ok(app(params.app))
    }

    async fn app_mint(&self, by: Arc<Grant>, params: AppMintParams) -> ApiResult<AppToken> {
        by.covers(&params.scopes).map_err(|scope| ApiError::ScopeMissing {
            scope: scope.to_string(),
        })?;
        Ok(app_token())
    }

    async fn app_revoke(&self, _: Arc<Grant>, _: AppKey) -> ApiResult<Done> {
        Ok(Done {})
    }

    fn webhooks(&self) -> watch::Receiver<Arc<Hooks>> {
        self.hooks.subscribe()
    }

    async fn webhook_set(&self, app: Option<AppKey>, params: WebhookSetParams) -> ApiResult<WebhookMade> {
        let hook = Hook {
            id: 5,
            url: params.url,
            filter: params.filter,
            secret: params.secret.unwrap_or(Secret(SECRET_HOOK.into())),
            cursor: params.after.unwrap_or_default(),
            progress: Progress::default(),
        };
        Ok(WebhookMade {
            webhook: hook.shown(app, false),
            secret: hook.secret,
        })
    }

    async fn webhook_remove(&self, _: Option<AppKey>) -> ApiResult<Done> {
        Ok(Done {})
    }

    async fn webhook_note(&self, _: Option<AppKey>, _: u64, _: Outcome) -> ApiResult<Option<u64>> {
        Ok(None)
    }
}
