//! The table of methods: name, parameters, function of the [`Api`].

use std::future::Future;
use std::sync::Arc;

use http::Extensions;
use jsonrpsee::RpcModule;
use jsonrpsee::core::RegisterMethodError;
use jsonrpsee::core::server::ResponsePayload;
use jsonrpsee::server::StopHandle;
use jsonrpsee::types::ErrorObjectOwned;
use serde::{Deserialize, Serialize};

use super::access::{self, About, Grant, Need};
use super::api::{Api, ApiResult};
use super::calls::{Caller, Slot};
use super::error::ApiError;
use super::events;
use super::ids::{ChatId, MessageId};
use super::params::{AckParams, AppParams, FromParams, MessageParams, NoParams};
use crate::clock::now_ms;

/// Starts a subscription.
pub(super) const SUBSCRIBE: &str = "event.subscribe";
/// Ends a subscription.
pub(super) const UNSUBSCRIBE: &str = "event.unsubscribe";
/// The notifications of a subscription.
const NOTIFICATION: &str = "event";

/// What every method reaches.
pub(super) struct Shared<A> {
    pub(super) api: Arc<A>,
    /// Ends what waits when the server stops.
    pub(super) stop: StopHandle,
}

/// Makes the table.
pub(super) fn module<A: Api>(shared: Shared<A>) -> Result<RpcModule<Shared<A>>, RegisterMethodError> {
    let mut module = RpcModule::new(shared);
    let m = &mut module;
    add(m, "node.info", |s, _: NoParams| async move { s.api.node_info().await })?;
    add(
        m,
        "node.doctor",
        |s, _: NoParams| async move { s.api.node_doctor().await },
    )?;
    add(
        m,
        "account.get",
        |s, _: NoParams| async move { s.api.account_get().await },
    )?;
    add(m, "account.phrase", |s, _: NoParams| async move {
        s.api.account_phrase().await
    })?;
    add(m, "account.confirm_phrase", |s, _: NoParams| async move {
        s.api.account_confirm_phrase().await
    })?;
    add(m, "contact.invite", |s, p| async move { s.api.contact_invite(p).await })?;
    add(m, "contact.accept", |s, p| async move { s.api.contact_accept(p).await })?;
    add(
        m,
        "contact.requests",
        |s, p| async move { s.api.contact_requests(p).await },
    )?;
    add(
        m,
        "contact.approve",
        |s, p| async move { s.api.contact_approve(p).await },
    )?;
    add(
        m,
        "contact.decline",
        |s, p| async move { s.api.contact_decline(p).await },
    )?;
    add(m, "contact.list", |s, p| async move { s.api.contact_list(p).await })?;
    add_with(m, "chat.list", |s, p, grant| async move {
        let mut page = s.api.chat_list(p).await?;
        page.items
            .retain(|chat| grant.allows_in("read", &chat.chat) || !grant.names_chats());
        Ok(page)
    })?;
    add(m, "chat.get", |s, p| async move { s.api.chat_get(p).await })?;
    add(m, "chat.members", |s, p| async move { s.api.chat_members(p).await })?;
    add(m, "chat.gaps", |s, p| async move { s.api.chat_gaps(p).await })?;
    add(m, "chat.create", |s, p| async move { s.api.chat_create(p).await })?;
    add(m, "chat.add", |s, p| async move { s.api.chat_add(p).await })?;
    add(m, "chat.remove", |s, p| async move { s.api.chat_remove(p).await })?;
    add(m, "chat.leave", |s, p| async move { s.api.chat_leave(p).await })?;
    add(m, "chat.invite", |s, p| async move { s.api.chat_invite(p).await })?;
    add(m, "chat.invites", |s, p| async move { s.api.chat_invites(p).await })?;
    add(m, "chat.uninvite", |s, p| async move { s.api.chat_uninvite(p).await })?;
    add(m, "chat.update", |s, p| async move { s.api.chat_update(p).await })?;
    add(m, "chat.typing", |s, p| async move { s.api.chat_typing(p).await })?;
    add(m, "chat.roles", |s, p| async move { s.api.chat_roles(p).await })?;
    add(m, "message.send", |s, p| async move { s.api.message_send(p).await })?;
    add(m, "message.edit", |s, p| async move { s.api.message_edit(p).await })?;
    add(m, "message.delete", |s, p| async move { s.api.message_delete(p).await })?;
    add(m, "message.react", |s, p| async move { s.api.message_react(p).await })?;
    add(m, "message.vote", |s, p| async move { s.api.message_vote(p).await })?;
    add(m, "message.list", |s, p| async move { s.api.message_list(p).await })?;
    add(m, "message.get", |s, p| async move { s.api.message_get(p).await })?;
    add(m, "message.mark_read", |s, p| async move {
        s.api.message_mark_read(p).await
    })?;
    add(m, "relay.evidence", |s, p| async move { s.api.relay_evidence(p).await })?;
    apps(m)?;
    add_with(m, "event.poll", events::poll)?;
    add_with(m, "event.ack", |s, p: AckParams, grant| async move {
        s.api.event_ack(grant.app, p.cursor).await
    })?;
    m.register_subscription(SUBSCRIBE, NOTIFICATION, UNSUBSCRIBE, |params, pending, shared, extensions| async move {
        events::subscribe(params, pending, shared, &extensions).await
    })?;
    Ok(module)
}

fn apps<A: Api>(m: &mut RpcModule<Shared<A>>) -> Result<(), RegisterMethodError> {
    add(m, "app.request", |s, p| async move { s.api.app_request(p).await })?;
    add(m, "app.list", |s, p| async move { s.api.app_list(p).await })?;
    add(m, "app.approve", |s, p| async move { s.api.app_approve(p).await })?;
    add_with(m, "app.self", |s, _: NoParams, grant| async move {
        s.api
            .app_self(grant.app.ok_or(ApiError::NotFound { field: "app" })?)
            .await
    })?;
    add_with(
        m,
        "app.mint",
        |s, p, grant| async move { s.api.app_mint(grant, p).await },
    )?;
    add_with(m, "app.revoke", |s, p: AppParams, grant| async move {
        s.api.app_revoke(grant, p.app).await
    })
}

impl<A: Api> Shared<A> {
    /// What a request's token allows, as it is now: it may have ended since the connection was opened.
    pub(super) fn granted(&self, extensions: &Extensions) -> ApiResult<Arc<Grant>> {
        let Some(caller) = extensions.get::<Caller>() else {
            return Err(ApiError::Internal {
                reason: "a request came past the guard".into(),
            });
        };
        let grant = &caller.grant;
        let grants = self.api.grants();
        let lives = |app| {
            grants
                .borrow()
                .of_app(app)
                .is_some_and(|grant| !grant.has_ended(now_ms()))
        };
        match &grant.app {
            Some(app) if !lives(app) => Err(ApiError::TokenEnded),
            _ => Ok(Arc::clone(grant)),
        }
    }

    /// Whether a token allows a call.
    async fn check(&self, grant: &Grant, method: &str, params: Option<&str>) -> ApiResult<()> {
        let need = access::need(method).ok_or(ApiError::MethodNotFound)?;
        if grant.allows(method, need) {
            return Ok(());
        }
        let missing = |chat: Option<ChatId>| match (need, chat) {
            (Need::Action(namespace, action, _), None) => format!("{namespace}:{action}"),
            (Need::Action(namespace, action, _), Some(chat)) => format!("{namespace}:{chat}:{action}"),
            (Need::Token | Need::Door, _) => "of an app".to_owned(),
        };
        let Need::Action(_, action, about) = need else {
            return Err(ApiError::ScopeMissing { scope: missing(None) });
        };
        let chat = if grant.names_chats() {
            self.chat_of(about, params).await?
        } else {
            None
        };
        match chat {
            Some(chat) if grant.allows_in(action, &chat) => Ok(()),
            chat => Err(ApiError::ScopeMissing { scope: missing(chat) }),
        }
    }

    /// The chat that a call is about, by its parameters.
    async fn chat_of(&self, about: About, params: Option<&str>) -> ApiResult<Option<ChatId>> {
        #[derive(Deserialize)]
        struct Named {
            chat: Option<ChatId>,
            message: Option<MessageId>,
        }
        let named: Option<Named> = params.and_then(|json| serde_json::from_str(json).ok());
        match (about, named) {
            (About::Chat, Some(named)) => Ok(named.chat),
            (
                About::Message,
                Some(Named {
                    message: Some(message), ..
                }),
            ) => {
                let message = self.api.message_get(MessageParams { message }).await?;
                Ok(Some(message.chat))
            }
            _ => Ok(None),
        }
    }
}

/// Writes the reason of an internal error to the log, which is the only place where it shows.
pub(super) fn logged(error: ApiError) -> ApiError {
    if let ApiError::Internal { reason } = &error {
        tracing::error!(reason, "a call of the JSON-RPC failed");
    }
    error
}

fn add<A, P, R, F, Fut>(
    module: &mut RpcModule<Shared<A>>,
    name: &'static str,
    method: F,
) -> Result<(), RegisterMethodError>
where
    A: Api,
    P: FromParams + Send + 'static,
    R: Serialize + Clone + Send + 'static,
    F: Fn(Arc<Shared<A>>, P) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = ApiResult<R>> + Send + 'static,
{
    add_with(module, name, move |shared, params, _| method(shared, params))
}

/// A method that looks at what its caller's token allows.
fn add_with<A, P, R, F, Fut>(
    module: &mut RpcModule<Shared<A>>,
    name: &'static str,
    method: F,
) -> Result<(), RegisterMethodError>
where
    A: Api,
    P: FromParams + Send + 'static,
    R: Serialize + Clone + Send + 'static,
    F: Fn(Arc<Shared<A>>, P, Arc<Grant>) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = ApiResult<R>> + Send + 'static,
{
    module.register_async_method(name, move |params, shared, extensions| {
        let slot = extensions.get::<Slot>().cloned();
        let method = method.clone();
        async move {
            let called = async {
                let grant = shared.granted(&extensions)?;
                shared.check(&grant, name, params.as_str()).await?;
                method(Arc::clone(&shared), P::read(params.as_str())?, grant).await
            };
            let result = called.await;
            let payload = match result {
                Ok(result) => ResponsePayload::success(result),
                Err(error) => ResponsePayload::error(ErrorObjectOwned::from(logged(error))),
            };
            match slot {
                Some(slot) => holding(slot, payload),
                None => payload,
            }
        }
    })?;
    Ok(())
}

/// Keeps a slot taken until the answer has left, or can't any more.
fn holding<T: Clone>(slot: Slot, payload: ResponsePayload<'static, T>) -> ResponsePayload<'static, T> {
    let (payload, sent) = payload.notify_on_completion();
    tokio::spawn(async move {
        // Which of the two it was makes no difference.
        sent.await.ok();
        drop(slot);
    });
    payload
}
