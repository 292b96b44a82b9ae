//! Errors as the JSON-RPC answers them, and their table, from which `docs/methods.md` is made.

use std::borrow::Cow;

use jsonrpsee::types::ErrorObjectOwned;
use schemars::JsonSchema;
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
    #[error("there is no such method; docs/methods.md lists them")]
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
    /// The idempotency key was used with something else.
    #[error("this idempotency key was used with something else; use a new one for what is new")]
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
    /// No relay of a channel answers.
    #[error("no relay of the channel answers; try again when one can be reached")]
    RelayUnavailable,
    /// A domain doesn't say what it vouches for.
    #[error("the domain {domain} can't be asked: {reason}")]
    DomainUnavailable {
        /// Which.
        domain: String,
        /// What happened.
        reason: String,
    },
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
    /// The disk has no room for a file.
    #[error("the disk is nearly full; make room and try again")]
    DiskFull,
    /// Not all of a file is here.
    #[error("not all of the file is here yet: {here_bytes} of {length_bytes} bytes; fetch it and wait")]
    NotWhole {
        /// Bytes that are here.
        here_bytes: u64,
        /// Bytes of the whole.
        length_bytes: u64,
    },
    /// A file can't be opened.
    #[error(
        "a part of the file was lost on this disk, or can't be opened with the key that came with it; cancel it and fetch it again"
    )]
    BlobDamaged,
    /// The node's queue is full.
    #[error("the node is busy; try again in {retry_after_ms} ms")]
    Overloaded {
        /// When to try again, in milliseconds.
        retry_after_ms: u64,
    },
    /// Too much in too short a time.
    #[error("{what}: at most {limit} in a minute; try again in {retry_after_ms} ms")]
    RateLimited {
        /// What is counted.
        what: &'static str,
        /// How many.
        limit: u64,
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

/// What is fixed of an error.
#[derive(Debug)]
pub struct ErrorRow {
    /// The stable name, to act on.
    pub code: &'static str,
    /// JSON-RPC's number.
    pub number: i32,
    /// Whether the same call may succeed later.
    pub retryable: bool,
    /// Where it comes from.
    pub(super) from: Source,
    /// What it means.
    pub meaning: &'static str,
}

/// Where an error comes from.
#[derive(Debug)]
pub(super) enum Source {
    /// A request that reaches no method.
    Request,
    /// Any method.
    Any,
    /// These methods.
    Only(&'static [&'static str]),
}

/// Makes the table and a name for each of its rows.
macro_rules! table {
    ($($name:ident = $code:literal, $number:literal, $retryable:literal, $from:expr, $meaning:literal;)+) => {
        $(static $name: ErrorRow = ErrorRow {
            code: $code,
            number: $number,
            retryable: $retryable,
            from: $from,
            meaning: $meaning,
        };)+

        /// The table of errors.
        pub static ERRORS: &[&ErrorRow] = &[$(&$name),+];
    };
}

table! {
    PARSE = "parse_error", -32700, false, Source::Request, "not JSON";
    INVALID_REQUEST = "invalid_request", -32600, false, Source::Request,
        "not a JSON-RPC request, a batch over its bound, or a subscription over HTTP or in a batch";
    METHOD_NOT_FOUND = "method_not_found", -32601, false, Source::Request, "no such method";
    INVALID_PARAMS = "invalid_params", -32602, false, Source::Any, "a parameter is missing or malformed; `field` names it";
    NOT_FOUND = "not_found", -32001, false, Source::Any, "no such chat, message, request or the like; `field` names it";
    TOO_LARGE = "too_large", -32002, false, Source::Any, "over `limit` bytes; `field` names it";
    IDEMPOTENCY_CONFLICT = "idempotency_conflict", -32003, false, Source::Only(&["chat.create", "message.send", "channel.create", "channel.post", "share.send"]),
        "this key was used with something else";
    INVITE_INVALID = "invite_invalid", -32004, false, Source::Only(&["contact.accept", "chat.uninvite"]),
        "the invite can't be read, or its signature doesn't hold";
    INVITE_EXPIRED = "invite_expired", -32005, false, Source::Only(&["contact.accept"]), "the invite has expired or was used";
    CARD_UNAVAILABLE = "card_unavailable", -32006, true, Source::Only(&["contact.accept"]),
        "the inviter's card was not found at any of its relays or addresses";
    OWN_INVITE = "own_invite", -32007, false, Source::Only(&["contact.accept"]), "the invite is this account's own";
    PHRASE_ERASED = "phrase_erased", -32008, false, Source::Only(&["account.phrase"]),
        "the root key is no longer on this device";
    LIMIT_REACHED = "limit_reached", -32009, true, Source::Any, "a bound of the node; `limit` says which number";
    READ_ONLY = "read_only", -32010, true, Source::Any, "the store refuses writes (disk full or damaged)";
    OVERLOADED = "overloaded", -32011, true, Source::Any, "the node's queue is full; `retry_after_ms` says when to come again";
    NOT_ALLOWED = "not_allowed", -32012, false, Source::Any, "not for this account, as changing a message of another's";
    SCOPE_MISSING = "scope_missing", -32020, false, Source::Any, "the token doesn't allow this; `scope` names what it lacks";
    TOKEN_ENDED = "token_ended", -32021, false, Source::Any, "the token was revoked, or its time is over";
    DISK_FULL = "disk_full", -32013, true, Source::Only(&["blob.put", "blob.write", "blob.fetch", "channel.fetch"]),
        "the disk has no room for the file";
    NOT_WHOLE = "not_whole", -32014, true, Source::Only(&["blob.get"]), "not all of the file is here yet";
    BLOB_DAMAGED = "blob_damaged", -32015, false, Source::Only(&["blob.get"]),
        "a part of the file was lost on this disk, or the sender's key doesn't open it";
    RELAY_UNAVAILABLE = "relay_unavailable", -32016, true, Source::Only(&["channel.posts", "channel.search"]),
        "what is asked for is only at relays, and none that has it answers";
    DOMAIN_UNAVAILABLE = "domain_unavailable", -32017, true, Source::Only(&["channel.prove", "share.scrape"]),
        "the domain doesn't answer, or not with what is asked for";
    RATE_LIMITED = "rate_limited", -32018, true, Source::Only(&["share.send"]),
        "too much in too short a time; `retry_after_ms` says when to come again";
    INTERNAL = "internal", -32603, false, Source::Any, "a fault of the node";
}

/// `error.data` of every error that the node answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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

    /// Its row in the table.
    pub fn row(&self) -> &'static ErrorRow {
        match self {
            Self::Parse => &PARSE,
            Self::InvalidRequest { .. } => &INVALID_REQUEST,
            Self::MethodNotFound => &METHOD_NOT_FOUND,
            Self::InvalidParams { .. } => &INVALID_PARAMS,
            Self::NotFound { .. } => &NOT_FOUND,
            Self::TooLarge { .. } => &TOO_LARGE,
            Self::IdempotencyConflict => &IDEMPOTENCY_CONFLICT,
            Self::InviteInvalid { .. } => &INVITE_INVALID,
            Self::InviteExpired => &INVITE_EXPIRED,
            Self::CardUnavailable => &CARD_UNAVAILABLE,
            Self::RelayUnavailable => &RELAY_UNAVAILABLE,
            Self::DomainUnavailable { .. } => &DOMAIN_UNAVAILABLE,
            Self::OwnInvite => &OWN_INVITE,
            Self::PhraseErased => &PHRASE_ERASED,
            Self::LimitReached { .. } => &LIMIT_REACHED,
            Self::ReadOnly { .. } => &READ_ONLY,
            Self::Overloaded { .. } => &OVERLOADED,
            Self::RateLimited { .. } => &RATE_LIMITED,
            Self::DiskFull => &DISK_FULL,
            Self::NotWhole { .. } => &NOT_WHOLE,
            Self::BlobDamaged => &BLOB_DAMAGED,
            Self::NotAllowed { .. } => &NOT_ALLOWED,
            Self::ScopeMissing { .. } => &SCOPE_MISSING,
            Self::TokenEnded => &TOKEN_ENDED,
            Self::Internal { .. } => &INTERNAL,
        }
    }

    /// What `error.data` says of it.
    pub fn data(&self) -> ErrorData {
        let field = match self {
            Self::InvalidParams { field, .. } | Self::TooLarge { field, .. } => Some(field.to_string()),
            Self::NotFound { field } => Some((*field).to_owned()),
            _ => None,
        };
        let limit = match self {
            Self::TooLarge { limit, .. } | Self::LimitReached { limit, .. } | Self::RateLimited { limit, .. } => {
                Some(*limit)
            }
            Self::InvalidRequest { limit, .. } => *limit,
            _ => None,
        };
        let retry_after_ms = match self {
            Self::Overloaded { retry_after_ms } | Self::RateLimited { retry_after_ms, .. } => Some(*retry_after_ms),
            _ => None,
        };
        ErrorData {
            code: self.row().code.into(),
            retryable: self.row().retryable,
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
        ErrorObjectOwned::owned(error.row().number, error.to_string(), Some(error.data()))
    }
}
