//! Apps, what their tokens allow, and their webhooks.

use std::sync::Arc;

use tokio::sync::watch;

use super::{Facade, other_said, page};
use crate::clock::now_ms;
use crate::core::apps::{AppAsk, AppSaid, Apps};
use crate::rpc::access::{Grant, Grants, Scope};
use crate::rpc::api::{ApiResult, AppApi};
use crate::rpc::error::ApiError;
use crate::rpc::params::*;
use crate::rpc::types::*;
use crate::rpc::webhooks::{Hooks, Outcome, WebhookMade, WebhookSetParams};

impl AppApi for Facade {
    fn grants(&self) -> watch::Receiver<Arc<Grants>> {
        self.grants.clone()
    }

    async fn app_request(&self, params: AppRequestParams) -> ApiResult<AppToken> {
        self.token(AppAsk::Request(params)).await
    }

    async fn app_list(&self, params: ListParams) -> ApiResult<Page<App>> {
        let all = self.read(|rows| Ok(Apps::load(rows)?.list(now_ms()))).await?;
        page(all.into_iter().map(|app| (app.app.0, app)), &params)
    }

    async fn app_self(&self, app: AppKey) -> ApiResult<App> {
        let all = self.read(|rows| Ok(Apps::load(rows)?.list(now_ms()))).await?;
        let own = all.into_iter().find(|known| known.app == app);
        own.ok_or(ApiError::TokenEnded)
    }

    async fn app_handle(&self, app: AppKey, params: AppHandleParams) -> ApiResult<App> {
        match self.ask_apps(AppAsk::Want(app, Scope::handling(&params.app))).await? {
            AppSaid::App(app) => Ok(*app),
            _ => Err(other_said()),
        }
    }

    async fn app_approve(&self, params: AppApproveParams) -> ApiResult<App> {
        match self.ask_apps(AppAsk::Approve(params)).await? {
            AppSaid::App(app) => Ok(*app),
            _ => Err(other_said()),
        }
    }

    async fn app_mint(&self, by: Arc<Grant>, params: AppMintParams) -> ApiResult<AppToken> {
        self.token(AppAsk::Mint(by, params)).await
    }

    async fn app_revoke(&self, by: Arc<Grant>, app: AppKey) -> ApiResult<Done> {
        self.ask_apps(AppAsk::Revoke(by, app)).await?;
        Ok(Done {})
    }

    fn webhooks(&self) -> watch::Receiver<Arc<Hooks>> {
        self.hooks.clone()
    }

    async fn webhook_set(&self, app: Option<AppKey>, params: WebhookSetParams) -> ApiResult<WebhookMade> {
        match self.ask_apps(AppAsk::SetHook(app, params)).await? {
            AppSaid::Hook(made) => Ok(*made),
            _ => Err(other_said()),
        }
    }

    async fn webhook_remove(&self, app: Option<AppKey>) -> ApiResult<Done> {
        self.ask_apps(AppAsk::RemoveHook(app)).await?;
        Ok(Done {})
    }

    async fn webhook_note(&self, app: Option<AppKey>, id: u64, outcome: Outcome) -> ApiResult<Option<u64>> {
        match self.ask_apps(AppAsk::NoteHook(app, id, outcome)).await? {
            AppSaid::NextTry(next_try) => Ok(next_try),
            _ => Err(other_said()),
        }
    }
}
