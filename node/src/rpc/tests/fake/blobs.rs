//! Contents of files.

use super::{CONTENT_BYTES, Fake};
use crate::rpc::api::{ApiResult, BlobApi};
use crate::rpc::error::ApiError;
use crate::rpc::params::*;
use crate::rpc::types::*;

impl BlobApi for Fake {
    async fn blob_put(&self, _: BlobPutParams) -> ApiResult<Written> {
        Ok(Written {
            upload: BlobId([5; 32]),
            written_bytes: 0,
            blob: None,
        })
    }

    async fn blob_write(&self, upload: BlobId, offset_bytes: u64, data: Vec<u8>) -> ApiResult<Written> {
        let mut content = self.content.lock().unwrap();
        if offset_bytes != content.len() as u64 {
            return Err(ApiError::invalid("offset_bytes", "is not where the upload goes on"));
        }
        if offset_bytes + data.len() as u64 > CONTENT_BYTES {
            return Err(ApiError::invalid("data", "is more than the upload was said to have"));
        }
        content.extend(data);
        Ok(Written {
            upload,
            written_bytes: content.len() as u64,
            blob: (content.len() as u64 == CONTENT_BYTES).then_some(BlobId([6; 32])),
        })
    }

    async fn blob_read(&self, _: BlobId, offset_bytes: u64, limit: usize) -> ApiResult<(u64, Vec<u8>)> {
        let content = self.content.lock().unwrap();
        let part = content
            .iter()
            .skip(offset_bytes as usize)
            .take(limit)
            .copied()
            .collect();
        Ok((content.len() as u64, part))
    }

    async fn blob_stat(&self, blob: BlobId) -> ApiResult<Blob> {
        Ok(Blob {
            blob: None,
            upload: Some(blob),
            state: BlobState::Sealing,
            length_bytes: CONTENT_BYTES,
            here_bytes: self.content.lock().unwrap().len() as u64,
            held: Vec::new(),
        })
    }

    async fn blob_fetch(&self, _: MessageParams) -> ApiResult<Blobs> {
        Ok(Blobs { items: Vec::new() })
    }

    async fn blob_cancel(&self, _: BlobId) -> ApiResult<Done> {
        Ok(Done {})
    }
}
