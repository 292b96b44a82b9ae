//! What the server reads of a request's body, without a server: a target for fuzzing.

use jsonrpsee::core::JsonRawValue;
use jsonrpsee::types::Request;

use super::calls;
use super::methods;

/// Whether a body is a request, or a batch of requests, that all name a method and give what it needs.
pub fn accepts(body: &[u8]) -> bool {
    if calls::refuse(body).is_some() {
        return false;
    }
    match serde_json::from_slice::<Vec<&JsonRawValue>>(body) {
        Ok(batch) => !batch.is_empty() && batch.iter().all(|request| is_read(request.get().as_bytes())),
        Err(_) => is_read(body),
    }
}

fn is_read(request: &[u8]) -> bool {
    let Ok(request) = serde_json::from_slice::<Request<'_>>(request) else {
        return false;
    };
    methods::find(&request.method)
        .is_some_and(|method| (method.read)(request.params.as_ref().map(|params| params.get())).is_ok())
}
