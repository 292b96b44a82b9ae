//! Random bytes of the system, for ids, tokens and secrets that the JSON-RPC gives out.

use zeroize::Zeroizing;

use crate::rpc::api::ApiResult;
use crate::rpc::error::ApiError;

/// Draws random bytes.
pub(crate) fn random<const N: usize>() -> ApiResult<Zeroizing<[u8; N]>> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(bytes.as_mut_slice()).map_err(|error| ApiError::Internal {
        reason: format!("no randomness: {error}"),
    })?;
    Ok(bytes)
}
