//! Imported messages.

use super::{Facade, page};
use crate::rpc::api::{ApiResult, ArchiveApi};
use crate::rpc::params::*;
use crate::rpc::types::*;

impl ArchiveApi for Facade {
    async fn archive_import(&self, params: ArchiveImportParams) -> ApiResult<ArchiveImported> {
        self.import(params).await
    }

    async fn archive_list(&self, params: ListParams) -> ApiResult<Page<Archive>> {
        let items = self.archives().await?.into_iter();
        page(items.map(|archive| (archive.archive.0, archive)), &params)
    }

    async fn archive_messages(&self, params: ArchiveMessagesParams) -> ApiResult<Page<ArchiveItem>> {
        self.archive_page(params).await
    }

    async fn archive_remove(&self, params: ArchiveParams) -> ApiResult<Done> {
        self.remove_archive(params).await
    }
}
