//! Why a share, a manifest or a link of one is refused.

use crate::keys::BadSignature;
use serde::de::{self, Expected};
use std::fmt;

/// A share, an app's manifest or what carries them isn't what the format asks for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShareError {
    /// A text, list or number is beyond its limit.
    #[error("{path}: {found} is not {limit}")]
    Limit {
        /// The member's path, like `buttons[0].label`.
        path: String,
        /// How much there is.
        found: u64,
        /// What is allowed, with its unit.
        limit: String,
    },
    /// A member that is required isn't there.
    #[error("{path}: is missing")]
    Missing {
        /// The member's path.
        path: String,
    },
    /// A member isn't what it must be.
    #[error("{path}: {reason}")]
    Invalid {
        /// The member's path.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// It is no JSON of the kind that is read here.
    #[error("{path}: no JSON that is read here: {reason}")]
    Json {
        /// Where.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A signature doesn't hold.
    #[error("{0}")]
    Signature(#[from] BadSignature),
    /// Its time is over.
    #[error("{path}: it has expired")]
    Expired {
        /// The member's path.
        path: String,
    },
}

/// What stands for the whole in a path.
const WHOLE: &str = "share";

impl ShareError {
    /// A member that isn't what it must be; the path may be empty for the whole.
    pub(super) fn invalid(path: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Invalid {
            path: path.into(),
            reason: reason.into(),
        }
    }

    /// The path of the member at fault; that of a signature is `signature`.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            Self::Limit { path, .. }
            | Self::Missing { path }
            | Self::Invalid { path, .. }
            | Self::Json { path, .. }
            | Self::Expired { path } => path,
            Self::Signature(_) => "signature",
        }
    }

    /// The same of a member of `outer`.
    #[must_use]
    pub(super) fn within(mut self, outer: &str) -> Self {
        if let Self::Limit { path, .. }
        | Self::Missing { path }
        | Self::Invalid { path, .. }
        | Self::Json { path, .. }
        | Self::Expired { path } = &mut self
        {
            *path = joined(outer, path);
        }
        self
    }

    /// The same with a name for the whole, if it is about that.
    #[must_use]
    pub(super) fn named(self, whole: &str) -> Self {
        if self.path().is_empty() {
            self.within(whole)
        } else {
            self
        }
    }

    /// See [`ShareError::named`].
    #[must_use]
    pub(super) fn of_share(self) -> Self {
        self.named(WHOLE)
    }
}

/// A path and what follows in it.
pub(super) fn joined(outer: &str, inner: &str) -> String {
    match (outer.is_empty(), inner.is_empty()) {
        (true, _) => inner.to_owned(),
        (_, true) => outer.to_owned(),
        _ if inner.starts_with('[') => format!("{outer}{inner}"),
        _ => format!("{outer}.{inner}"),
    }
}

/// What the derived readers report: paths are added on the way out.
impl de::Error for ShareError {
    fn custom<T: fmt::Display>(reason: T) -> Self {
        Self::invalid("", reason.to_string())
    }

    fn invalid_type(unexpected: de::Unexpected<'_>, expected: &dyn Expected) -> Self {
        let found = match unexpected {
            de::Unexpected::Bool(_) => "true or false",
            de::Unexpected::Signed(_) | de::Unexpected::Unsigned(_) => "a number",
            de::Unexpected::Str(_) => "a text",
            de::Unexpected::Seq => "a list",
            de::Unexpected::Map => "an object",
            de::Unexpected::Unit => "null",
            _ => "something else",
        };
        Self::invalid("", format!("is {found}, not {expected}"))
    }

    fn invalid_length(found: usize, expected: &dyn Expected) -> Self {
        Self::Limit {
            path: String::new(),
            found: found as u64,
            limit: expected.to_string(),
        }
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::invalid("", format!("must be one of {}", expected.join(", ")))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing { path: field.to_owned() }
    }
}
