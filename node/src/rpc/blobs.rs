//! Files by JSON-RPC: parameters, and parts of them in base64. Larger ones go by HTTP (`content`).

use std::fmt;

use data_encoding::BASE64;
use schemars::JsonSchema;

use super::api::{Api, ApiResult};
use super::error::ApiError;
use super::ids::BlobId;
use super::limits::{MAX_BLOB_PART, MAX_FILE};
use super::params::{Fields, FromParams, too_large};
use super::schema::Base64;
use super::types::BlobPart;

/// Parameters of `blob.put`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
pub struct BlobPutParams {
    /// Bytes of the whole content.
    #[schemars(range(max = MAX_FILE))]
    pub length_bytes: u64,
    /// It is an image of which nothing shall be told beside the picture: where and when it was taken, by which device. Needed for images unless these are sent with
    /// `keep_metadata`.
    #[schemars(default)]
    pub strip_metadata: bool,
}

impl FromParams for BlobPutParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        let length_bytes = fields.required("length_bytes")?;
        if length_bytes > MAX_FILE {
            return Err(ApiError::TooLarge {
                field: "length_bytes".into(),
                limit: MAX_FILE,
            });
        }
        Ok(Self {
            length_bytes,
            strip_metadata: fields.optional("strip_metadata")?.unwrap_or_default(),
        })
    }
}

/// Parameters of `blob.write`; Debug gives sizes only.
#[derive(Clone, PartialEq, Eq, JsonSchema)]
pub struct BlobWriteParams {
    /// The upload.
    pub upload: BlobId,
    /// Where it goes on: `written_bytes` of the answer before.
    pub offset_bytes: u64,
    /// Whole chunks of 61,440 bytes, or all that is left.
    #[schemars(with = "Base64<MAX_BLOB_PART>")]
    pub data: Vec<u8>,
}

impl FromParams for BlobWriteParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        let text: String = fields.required("data")?;
        if text.len() > BASE64.encode_len(MAX_BLOB_PART) {
            return Err(too_large("data", MAX_BLOB_PART));
        }
        let data = BASE64.decode(text.as_bytes());
        Ok(Self {
            upload: fields.required("upload")?,
            offset_bytes: fields.required("offset_bytes")?,
            data: data.map_err(|_| fields.invalid("data", "must be base64 with padding"))?,
        })
    }
}

impl fmt::Debug for BlobWriteParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlobWriteParams({} at {})", self.data.len(), self.offset_bytes)
    }
}

/// Parameters of `blob.get`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
pub struct BlobGetParams {
    /// The content.
    pub blob: BlobId,
    /// Where to begin.
    #[schemars(default)]
    pub offset_bytes: u64,
    /// Bytes at most; counts as 491,520 if absent or above.
    pub length_bytes: Option<u64>,
}

impl FromParams for BlobGetParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            blob: fields.required("blob")?,
            offset_bytes: fields.optional("offset_bytes")?.unwrap_or_default(),
            length_bytes: fields.optional("length_bytes")?,
        })
    }
}

/// Parameters of `blob.stat` and `blob.cancel`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
pub struct BlobParams {
    /// The content, or the number of the upload.
    pub blob: BlobId,
}

impl FromParams for BlobParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            blob: fields.required("blob")?,
        })
    }
}

/// Answers `blob.get`.
pub(super) async fn get<A: Api>(api: &A, params: BlobGetParams) -> ApiResult<BlobPart> {
    let limit = params.length_bytes.unwrap_or(u64::MAX).min(MAX_BLOB_PART as u64);
    let (length_bytes, data) = api.blob_read(params.blob, params.offset_bytes, limit as usize).await?;
    Ok(BlobPart {
        offset_bytes: params.offset_bytes,
        length_bytes,
        data: BASE64.encode(&data),
    })
}
