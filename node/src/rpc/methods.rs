//! The table of methods: name, parameters, function of the [`Api`].

use std::future::Future;
use std::sync::Arc;

use jsonrpsee::RpcModule;
use jsonrpsee::core::RegisterMethodError;
use jsonrpsee::core::server::ResponsePayload;
use jsonrpsee::server::StopHandle;
use jsonrpsee::types::ErrorObjectOwned;
use serde::Serialize;

use super::api::{Api, ApiResult};
use super::calls::Slot;
use super::error::ApiError;
use super::events;
use super::params::{FromParams, NoParams};

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
    add(m, "chat.list", |s, p| async move { s.api.chat_list(p).await })?;
    add(m, "chat.get", |s, p| async move { s.api.chat_get(p).await })?;
    add(m, "chat.members", |s, p| async move { s.api.chat_members(p).await })?;
    add(m, "chat.create", |s, p| async move { s.api.chat_create(p).await })?;
    add(m, "chat.add", |s, p| async move { s.api.chat_add(p).await })?;
    add(m, "chat.remove", |s, p| async move { s.api.chat_remove(p).await })?;
    add(m, "chat.leave", |s, p| async move { s.api.chat_leave(p).await })?;
    add(m, "chat.invite", |s, p| async move { s.api.chat_invite(p).await })?;
    add(m, "chat.invites", |s, p| async move { s.api.chat_invites(p).await })?;
    add(m, "chat.uninvite", |s, p| async move { s.api.chat_uninvite(p).await })?;
    add(m, "chat.update", |s, p| async move { s.api.chat_update(p).await })?;
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
    add(m, "event.poll", events::poll)?;
    m.register_subscription(SUBSCRIBE, NOTIFICATION, UNSUBSCRIBE, |params, pending, shared, _| {
        events::subscribe(params, pending, shared)
    })?;
    Ok(module)
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
    module.register_async_method(name, move |params, shared, extensions| {
        let slot = extensions.get::<Slot>().cloned();
        let called = P::read(params.as_str()).map(|params| method(shared, params));
        async move {
            let result = match called {
                Ok(running) => running.await,
                Err(error) => Err(error),
            };
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
