//! What happens between a request and its method: what the token allows, the parameters, the answer.

use std::future::Future;
use std::sync::Arc;

use http::Extensions;
use jsonrpsee::RpcModule;
use jsonrpsee::core::RegisterMethodError;
use jsonrpsee::core::server::ResponsePayload;
use jsonrpsee::server::StopHandle;
use jsonrpsee::types::ErrorObjectOwned;
use serde::{Deserialize, Serialize};

use super::access::{About, Grant, Need};
use super::api::{Api, ApiResult};
use super::calls::{Caller, Slot};
use super::error::ApiError;
use super::ids::{ChatId, MessageId};
use super::pages::Pages;
use super::params::{FromParams, MessageParams};
use crate::clock::now_ms;

/// What every method reaches.
pub(super) struct Shared<A> {
    pub(super) api: Arc<A>,
    /// What subscriptions read.
    pub(super) pages: Pages,
    /// Ends what waits when the server stops.
    pub(super) stop: StopHandle,
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
    async fn check(&self, grant: &Grant, method: &str, need: Need, params: Option<&str>) -> ApiResult<()> {
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

/// Registers a method, which is given its parameters and what its caller's token allows.
pub(super) fn add<A, P, R, F, Fut>(
    module: &mut RpcModule<Shared<A>>,
    name: &'static str,
    need: Need,
    function: F,
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
        let function = function.clone();
        async move {
            let called = async {
                let grant = shared.granted(&extensions)?;
                shared.check(&grant, name, need, params.as_str()).await?;
                function(Arc::clone(&shared), P::read(params.as_str())?, grant).await
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
