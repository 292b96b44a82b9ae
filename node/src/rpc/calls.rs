//! What stands between jsonrpsee's transports and the methods: the bounds of a connection, and errors in the shape of `docs/rpc.md`.
//!
//! jsonrpsee numbers its own refusals with numbers that mean something else in `docs/rpc.md` (-32005 to -32011), so none may pass.

use std::borrow::Cow;
use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt as _, ready};
use futures::stream::{self, StreamExt as _};
use jsonrpsee::core::JsonRawValue;
use jsonrpsee::core::middleware::{Batch, BatchEntry, Notification, RpcServiceT};
use jsonrpsee::core::server::{BatchResponseBuilder, MethodResponse};
use jsonrpsee::types::error::{METHOD_NOT_FOUND_CODE, OVERSIZED_RESPONSE_CODE, TOO_MANY_SUBSCRIPTIONS_CODE};
use jsonrpsee::types::{ErrorObjectOwned, Id, InvalidRequest, Request};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::Dispatch;
use tracing::instrument::WithSubscriber as _;

use super::access::Grant;
use super::error::ApiError;
use super::limits::{MAX_BATCH, MAX_BATCH_RESPONSE, MAX_CALLS, MAX_RESPONSE, MAX_SUBSCRIPTIONS, RETRY_AFTER_MS};
use super::methods::{SUBSCRIBE, UNSUBSCRIBE};

/// How a request came in, and where what happens because of it is logged. The guard puts it among a request's extensions.
#[derive(Clone)]
pub(super) struct Caller {
    /// What its token allows.
    pub(super) grant: Arc<Grant>,
    /// Whether there is a socket on which notifications can follow.
    pub(super) web_socket: bool,
    /// The log; jsonrpsee itself runs without one, as it logs whole bodies.
    pub(super) log: Dispatch,
}

/// One of the [`MAX_CALLS`] of a connection. A method keeps it until its answer is on its way, so that answers that nobody reads count too.
#[derive(Clone)]
pub(super) struct Slot(#[expect(dead_code, reason = "held for its drop")] Arc<OwnedSemaphorePermit>);

/// Puts [`Calls`] in front of a connection's methods.
#[derive(Clone, Copy)]
pub(super) struct CallsLayer;

impl<S> tower::Layer<S> for CallsLayer {
    type Service = Calls<S>;

    fn layer(&self, inner: S) -> Calls<S> {
        Calls {
            inner,
            slots: Arc::new(Semaphore::new(MAX_CALLS)),
        }
    }
}

/// The calls of one connection. At most [`MAX_CALLS`] run or wait to be sent, a batch counting as one while it runs; more are refused.
#[derive(Clone)]
pub(super) struct Calls<S> {
    inner: S,
    slots: Arc<Semaphore>,
}

impl<S> RpcServiceT for Calls<S>
where
    S: RpcServiceT<
            MethodResponse = MethodResponse,
            BatchResponse = MethodResponse,
            NotificationResponse = MethodResponse,
        > + Clone
        + Send
        + Sync
        + 'static,
{
    type MethodResponse = MethodResponse;
    type BatchResponse = MethodResponse;
    type NotificationResponse = MethodResponse;

    fn call<'a>(&self, mut request: Request<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        let this = self.clone();
        async move {
            let Ok(slot) = Arc::clone(&this.slots).try_acquire_owned() else {
                return refusal(request.id, overloaded());
            };
            request.extensions.insert(Slot(Arc::new(slot)));
            this.answer(request).await
        }
    }

    fn batch<'a>(&self, batch: Batch<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        let this = self.clone();
        async move {
            let Ok(_slot) = this.slots.try_acquire() else {
                return refusal(Id::Null, overloaded());
            };
            this.answer_batch(batch).await
        }
    }

    fn notification<'a>(&self, notification: Notification<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        let inner = self.inner.clone();
        async move { inner.notification(notification).await }
    }
}

impl<S> Calls<S>
where
    S: RpcServiceT<MethodResponse = MethodResponse> + Send + Sync,
{
    async fn answer(&self, mut request: Request<'_>) -> MethodResponse {
        let id = request.id.clone().into_owned();
        let caller = request.extensions.get::<Caller>().cloned();
        let subscribes = request.method == SUBSCRIBE || request.method == UNSUBSCRIBE;
        if subscribes && !caller.as_ref().is_some_and(|caller| caller.web_socket) {
            let reason = "subscriptions need the WebSocket; over HTTP use event.poll";
            return refusal(id, ApiError::request(reason));
        }
        if request.method == UNSUBSCRIBE {
            request.params = by_position(request.params);
        }
        let log = caller.map_or_else(Dispatch::none, |caller| caller.log);
        let response = self.inner.call(request).with_subscriber(log).await;
        in_shape(id, response)
    }

    /// Carries out the calls of a batch together, begun and answered in their order, so that many share the flush that one would wait
    /// for; no more at once than a connection may have without a batch.
    async fn answer_batch(&self, batch: Batch<'_>) -> MethodResponse {
        let mut notified = false;
        let mut calls: Vec<BoxFuture<'_, MethodResponse>> = Vec::with_capacity(batch.len());
        for entry in batch {
            match entry {
                Ok(BatchEntry::Call(request)) if request.method == SUBSCRIBE => {
                    let error = ApiError::request("subscribe outside of a batch");
                    calls.push(ready(refusal(request.id, error)).boxed());
                }
                Ok(BatchEntry::Call(request)) => calls.push(self.answer(request).boxed()),
                Ok(BatchEntry::Notification(_)) => notified = true,
                Err(error) => calls.push(ready(refusal(error.into_parts().1, not_a_request())).boxed()),
            }
        }
        let mut calls = stream::iter(calls).buffered(MAX_CALLS);
        let mut answers = BatchResponseBuilder::new_with_limit(MAX_BATCH_RESPONSE);
        while let Some(answer) = calls.next().await {
            if answers.append(answer).is_err() {
                return refusal(Id::Null, response_too_large(MAX_BATCH_RESPONSE));
            }
        }
        if !answers.is_empty() {
            return MethodResponse::from_batch(answers.finish());
        }
        if notified {
            return MethodResponse::notification();
        }
        refusal(Id::Null, ApiError::request("a batch must not be empty"))
    }
}

/// The answer to a body that jsonrpsee would refuse by itself, or nothing if it wouldn't.
pub(super) fn refuse(body: &[u8]) -> Option<MethodResponse> {
    if serde_json::from_slice::<&JsonRawValue>(body).is_err() {
        return Some(refusal(Id::Null, ApiError::Parse));
    }
    if let Ok(batch) = serde_json::from_slice::<Vec<&JsonRawValue>>(body) {
        let fits = u32::try_from(batch.len()).is_ok_and(|len| len <= MAX_BATCH);
        return (!fits).then(|| refusal(Id::Null, batch_too_large()));
    }
    if serde_json::from_slice::<Request<'_>>(body).is_ok() || serde_json::from_slice::<Notification<'_>>(body).is_ok() {
        return None;
    }
    let id = serde_json::from_slice::<InvalidRequest<'_>>(body).map_or(Id::Null, |bad| bad.id);
    Some(refusal(id, not_a_request()))
}

/// An error's answer.
pub(super) fn refusal(id: Id<'_>, error: ApiError) -> MethodResponse {
    MethodResponse::error(id, ErrorObjectOwned::from(error))
}

/// Says that a call, batch or connection is one too many for now.
pub(super) fn overloaded() -> ApiError {
    ApiError::Overloaded {
        retry_after_ms: RETRY_AFTER_MS,
    }
}

/// Replaces an error of jsonrpsee by one of ours.
fn in_shape(id: Id<'_>, response: MethodResponse) -> MethodResponse {
    let Some(number) = response.as_error_code() else {
        return response;
    };
    // The answer to a subscription has been sent already.
    if response.is_subscription() || is_ours(&response) {
        return response;
    }
    let error = match number {
        METHOD_NOT_FOUND_CODE => ApiError::MethodNotFound,
        OVERSIZED_RESPONSE_CODE => response_too_large(usize::try_from(MAX_RESPONSE).unwrap_or(usize::MAX)),
        TOO_MANY_SUBSCRIPTIONS_CODE => ApiError::LimitReached {
            what: "subscriptions on a connection".into(),
            limit: MAX_SUBSCRIPTIONS.into(),
        },
        _ => ApiError::Internal {
            reason: format!("jsonrpsee answered {number}"),
        },
    };
    refusal(id, error)
}

fn is_ours(response: &MethodResponse) -> bool {
    #[derive(Deserialize)]
    struct Answer {
        error: Error,
    }
    #[derive(Deserialize)]
    struct Error {
        #[serde(default)]
        data: Value,
    }
    serde_json::from_str::<Answer>(response.as_ref()).is_ok_and(|answer| answer.error.data.get("code").is_some())
}

/// Turns `{"subscription": ID}` into `[ID]`, which is all that jsonrpsee reads.
fn by_position<'a>(params: Option<Cow<'a, JsonRawValue>>) -> Option<Cow<'a, JsonRawValue>> {
    #[derive(Deserialize)]
    struct ByName {
        subscription: Value,
    }
    let Some(named) = params
        .as_ref()
        .and_then(|params| serde_json::from_str::<ByName>(params.get()).ok())
    else {
        return params;
    };
    let list = jsonrpsee::core::to_json_raw_value(&json!([named.subscription]));
    list.ok().map(Cow::Owned)
}

fn not_a_request() -> ApiError {
    ApiError::request("it must have 'jsonrpc', 'id', 'method' and, by name, 'params'")
}

fn batch_too_large() -> ApiError {
    ApiError::InvalidRequest {
        reason: format!("a batch holds at most {MAX_BATCH} requests").into(),
        limit: Some(MAX_BATCH.into()),
    }
}

fn response_too_large(limit: usize) -> ApiError {
    ApiError::TooLarge {
        field: "response".into(),
        limit: u64::try_from(limit).unwrap_or(u64::MAX),
    }
}
