//! Parameters of the methods by which a follower says what it wants, and a channel's root who may write.

use std::fmt;

use schemars::JsonSchema;

use super::error::ApiError;
use super::ids::{ChannelId, WriterKey};
use super::limits::{MAX_CATEGORIES, MAX_CHANNEL_TEXT};
use super::params::{Fields, FromParams};
use super::schema::{RecoveryKey, WriterCertificate};
use super::types::{ChannelTerms, WriterScope};

/// Parameters of `channel.terms`.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct TermsParams {
    /// The channel.
    pub channel: ChannelId,
    /// What is wanted of it, in place of what was.
    pub terms: ChannelTerms,
}

impl FromParams for TermsParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            channel: fields.required("channel")?,
            terms: fields.required("terms")?,
        })
    }
}

/// Parameters of `channel.certify`.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct CertifyParams {
    /// The channel.
    pub channel: ChannelId,
    /// The key, as `channel.writer_key` gave it to its holder.
    pub writer: WriterKey,
    /// What for.
    #[schemars(length(min = 1))]
    pub scopes: Vec<WriterScope>,
    /// In which of the channel's categories; all if absent.
    #[schemars(with = "Option<Vec<String>>", length(max = MAX_CATEGORIES))]
    pub categories: Vec<String>,
    /// Until when, in Unix milliseconds.
    pub until_ms: u64,
}

impl FromParams for CertifyParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        let categories: Option<Vec<String>> = fields.optional("categories")?;
        if categories.as_ref().is_some_and(|list| list.len() > MAX_CATEGORIES) {
            return Err(fields.invalid("categories", format!("must be at most {MAX_CATEGORIES}")));
        }
        Ok(Self {
            channel: fields.required("channel")?,
            writer: fields.required("writer")?,
            scopes: fields.required("scopes")?,
            categories: categories.unwrap_or_default(),
            until_ms: fields.required("until_ms")?,
        })
    }
}

/// Parameters of `channel.revoke`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
pub struct RevokeParams {
    /// The channel.
    pub channel: ChannelId,
    /// Whose key.
    pub writer: WriterKey,
}

impl FromParams for RevokeParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            channel: fields.required("channel")?,
            writer: fields.required("writer")?,
        })
    }
}

/// Parameters of `channel.use_certificate`.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct UseCertificateParams {
    /// As `channel.certify` gave it.
    #[schemars(with = "WriterCertificate")]
    pub certificate: String,
}

impl FromParams for UseCertificateParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            certificate: fields.text("certificate", MAX_CHANNEL_TEXT)?,
        })
    }
}

/// Parameters of `channel.recover`.
#[derive(Clone, PartialEq, Eq, JsonSchema)]
pub struct RecoverParams {
    /// As `channel.recovery_key` gave it.
    #[schemars(with = "RecoveryKey")]
    pub key: String,
}

impl fmt::Debug for RecoverParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoverParams")
    }
}

impl FromParams for RecoverParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            key: fields.text("key", MAX_CHANNEL_TEXT)?,
        })
    }
}
