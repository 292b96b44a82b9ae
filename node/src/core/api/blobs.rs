//! Contents of files.

use super::Facade;
use crate::rpc::api::{ApiResult, BlobApi};
use crate::rpc::params::*;
use crate::rpc::types::*;

impl BlobApi for Facade {
    async fn blob_put(&self, params: BlobPutParams) -> ApiResult<Written> {
        self.put_file(params.length_bytes, params.strip_metadata).await
    }

    async fn blob_write(&self, upload: BlobId, offset_bytes: u64, data: Vec<u8>) -> ApiResult<Written> {
        self.take_file(upload, offset_bytes, data).await
    }

    async fn blob_read(&self, blob: BlobId, offset_bytes: u64, limit: usize) -> ApiResult<(u64, Vec<u8>)> {
        self.read_file(blob, offset_bytes, limit).await
    }

    async fn blob_stat(&self, blob: BlobId) -> ApiResult<Blob> {
        self.stat_file(blob).await
    }

    async fn blob_fetch(&self, params: MessageParams) -> ApiResult<Blobs> {
        self.fetch_files(params.message).await
    }

    async fn blob_cancel(&self, blob: BlobId) -> ApiResult<Done> {
        self.cancel_file(blob).await?;
        Ok(Done {})
    }
}
