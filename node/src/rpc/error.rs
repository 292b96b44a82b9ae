//! Errors as the JSON-RPC answers them; the table is in `docs/rpc.md`.

use std::borrow::Cow;

use jsonrpsee::types::ErrorObjectOwned;
use serde::{Deserialize, Serialize};

/// Why a call failed. What it says is shown to the user: it holds no secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// The request isn't JSON.
    #[error("the request is not JSON")]
    Parse,
    /// The request is JSON, but not a request that can be answered.
    #[error("the request is not valid: {reason}")]
    InvalidRequest {
        /// What is wrong with it.
        reason: Cow<'static, str>,
        /// The bound that it breaks, if it does.
        limit: Option<u64>,
    },
    /// There is no such method.
    #[error("there is no such method; docs/rpc.md lists them")]
    MethodNotFound,
    /// A parameter is missing or malformed.
    #[error("parameter '{field}': {reason}")]
    InvalidParams {
        /// The parameter's path.
        field: Cow<'static, str>,
        /// What is wrong with it.
        reason: String,
    },
    /// No such chat, message or request.
    #[error("there is no '{field}' with this id here")]
    NotFound {
        /// The parameter that names it.
        field: &'static str,
    },
    /// Over a bound in bytes.
    #[error("'{field}' is over {limit} bytes")]
    TooLarge {
        /// The parameter's path, or `request` or `response`.
        field: Cow<'static, str>,
        /// Bytes.
        limit: u64,
    },
    /// Not for this account.
    #[error("not allowed: {reason}")]
    NotAllowed {
        /// Who may.
        reason: Cow<'static, str>,
    },
    /// The token's app may not do this.
    #[error("this token lacks the scope {scope}; the user can approve an app that asks for it")]
    ScopeMissing {
        /// What it lacks.
        scope: String,
    },
    /// The token was revoked, or its time is over.
    #[error("this token works no more; ask the user for a new one")]
    TokenEnded,
    /// The idempotency key was used with another body.
    #[error("this idempotency key was used with another body; use a new one for a new message")]
    IdempotencyConflict,
    /// The invite can't be read, or its signature doesn't hold.
    #[error("the invite is not valid: {reason}; copy it whole, or ask for a new one")]
    InviteInvalid {
        /// What is wrong with it.
        reason: String,
    },
    /// The invite has expired or was used.
    #[error("the invite has expired or was used; ask for a new one")]
    InviteExpired,
    /// The inviter's card wasn't found.
    #[error("the inviter's card was not found at any of its relays or addresses; try again when one of them is online")]
    CardUnavailable,
    /// The invite is this account's own.
    #[error("the invite is this account's own; give it to someone else")]
    OwnInvite,
    /// The root key is no longer on this device.
    #[error("the phrase was confirmed and is no longer on this device")]
    PhraseErased,
    /// A bound of the node.
    #[error("there are at most {limit} {what}")]
    LimitReached {
        /// What is bounded, in the plural.
        what: Cow<'static, str>,
        /// How many.
        limit: u64,
    },
    /// The store refuses writes.
    #[error("the store refuses writes: {reason}; free disk space or check the disk, then restart the node")]
    ReadOnly {
        /// What the store says.
        reason: String,
    },
    /// The node's queue is full.
    #[error("the node is busy; try again in {retry_after_ms} ms")]
    Overloaded {
        /// When to try again, in milliseconds.
        retry_after_ms: u64,
    },
    /// A fault of the node. The reason goes to the log, not to the caller.
    #[error("the node failed; its log says why")]
    Internal {
        /// For the log; holds no secrets.
        reason: String,
    },
}

/// `error.data` of every error that the node answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorData {
    /// The stable name, to act on.
    pub code: Cow<'static, str>,
    /// Whether the same call may succeed later.
    pub retryable: bool,
    /// The path of the parameter at fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The bound that was hit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// When to try again, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// The scope that the token lacks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
}

impl ApiError {
    /// A parameter that is missing or malformed.
    pub fn invalid(field: impl Into<Cow<'static, str>>, reason: impl ToString) -> Self {
        Self::InvalidParams {
            field: field.into(),
            reason: reason.to_string(),
        }
    }

    /// A request that can't be answered.
    pub fn request(reason: &'static str) -> Self {
        Self::InvalidRequest {
            reason: reason.into(),
            limit: None,
        }
    }

    /// The number and the name of the error.
    pub fn code(&self) -> (i32, &'static str) {
        match self {
            Self::Parse => (-32700, "parse_error"),
            Self::InvalidRequest { .. } => (-32600, "invalid_request"),
            Self::MethodNotFound => (-32601, "method_not_found"),
            Self::InvalidParams { .. } => (-32602, "invalid_params"),
            Self::NotFound { .. } => (-32001, "not_found"),
            Self::TooLarge { .. } => (-32002, "too_large"),
            Self::IdempotencyConflict => (-32003, "idempotency_conflict"),
            Self::InviteInvalid { .. } => (-32004, "invite_invalid"),
            Self::InviteExpired => (-32005, "invite_expired"),
            Self::CardUnavailable => (-32006, "card_unavailable"),
            Self::OwnInvite => (-32007, "own_invite"),
            Self::PhraseErased => (-32008, "phrase_erased"),
            Self::LimitReached { .. } => (-32009, "limit_reached"),
            Self::ReadOnly { .. } => (-32010, "read_only"),
            Self::Overloaded { .. } => (-32011, "overloaded"),
            Self::NotAllowed { .. } => (-32012, "not_allowed"),
            Self::ScopeMissing { .. } => (-32020, "scope_missing"),
            Self::TokenEnded => (-32021, "token_ended"),
            Self::Internal { .. } => (-32603, "internal"),
        }
    }

    /// Whether the same call may succeed later.
    pub fn retryable(&self) -> bool {
        matches!(
            self,
            Self::CardUnavailable | Self::LimitReached { .. } | Self::ReadOnly { .. } | Self::Overloaded { .. }
        )
    }

    /// What `error.data` says of it.
    pub fn data(&self) -> ErrorData {
        let field = match self {
            Self::InvalidParams { field, .. } | Self::TooLarge { field, .. } => Some(field.to_string()),
            Self::NotFound { field } => Some((*field).to_owned()),
            _ => None,
        };
        let limit = match self {
            Self::TooLarge { limit, .. } | Self::LimitReached { limit, .. } => Some(*limit),
            Self::InvalidRequest { limit, .. } => *limit,
            _ => None,
        };
        let retry_after_ms = match self {
            Self::Overloaded { retry_after_ms } => Some(*retry_after_ms),
            _ => None,
        };
        ErrorData {
            code: self.code().1.into(),
            retryable: self.retryable(),
            field,
            limit,
            retry_after_ms,
            scope: match self {
                Self::ScopeMissing { scope } => Some(scope.clone()),
                _ => None,
            },
        }
    }
}

impl From<ApiError> for ErrorObjectOwned {
    fn from(error: ApiError) -> Self {
        ErrorObjectOwned::owned(error.code().0, error.to_string(), Some(error.data()))
    }
}
