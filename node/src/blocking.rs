//! Work that blocks, on threads for it.

use crate::config::NodeError;

/// Runs what blocks, on a thread for it.
///
/// # Errors
/// [`NodeError::Other`] if the work panicked or the runtime is ending.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, NodeError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| NodeError::Other {
            reason: format!("a thread failed: {error}"),
        })
}
