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
use super::ids::{ChannelId, ChatId, MessageId};
use super::pages::Pages;
use super::params::{FromParams, MessageParams};
use super::picks::Picks;
use crate::clock::now_ms;

/// What every method reaches.
pub(super) struct Shared<A> {
    pub(super) api: Arc<A>,
    /// What subscriptions read.
    pub(super) pages: Pages,
    /// What waits for the user.
    pub(super) picks: Picks,
    /// Where browsers of this machine find this server.
    pub(super) site: String,
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
    pub(super) async fn check(&self, grant: &Grant, method: &str, need: Need, params: Option<&str>) -> ApiResult<()> {
        if grant.allows(method, need) {
            return Ok(());
        }
        let missing = |one: Option<[u8; 32]>| match (need, one) {
            (Need::Action(namespace, action, _), None) => format!("{namespace}:{action}"),
            (Need::Action(namespace, action, _), Some(id)) => format!("{namespace}:{}:{action}", hex::encode(id)),
            (Need::Token | Need::Door, _) => "of an app".to_owned(),
        };
        let Need::Action(namespace, action, about) = need else {
            return Err(ApiError::ScopeMissing { scope: missing(None) });
        };
        let one = if grant.names(namespace) {
            self.object_of(about, params).await?
        } else {
            None
        };
        match one {
            Some(id) if grant.allows_in(namespace, action, &id) => Ok(()),
            one => Err(ApiError::ScopeMissing { scope: missing(one) }),
        }
    }

    /// The chat or channel that a call is about, by its parameters.
    async fn object_of(&self, about: About, params: Option<&str>) -> ApiResult<Option<[u8; 32]>> {
        #[derive(Deserialize)]
        struct Named {
            chat: Option<ChatId>,
            channel: Option<ChannelId>,
            message: Option<MessageId>,
        }
        let named: Option<Named> = params.and_then(|json| serde_json::from_str(json).ok());
        match (about, named) {
            (About::Chat, Some(named)) => Ok(named.chat.map(|chat| chat.0)),
            (About::Channel, Some(named)) => Ok(named.channel.map(|channel| channel.0)),
            (
                About::Message,
                Some(Named {
                    message: Some(message), ..
                }),
            ) => {
                let message = self.api.message_get(MessageParams { message }).await?;
                Ok(Some(message.chat.0))
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
