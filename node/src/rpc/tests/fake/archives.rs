//! Imported messages.

use super::{Fake, page};
use crate::rpc::api::{ApiResult, ArchiveApi};
use crate::rpc::params::*;
use crate::rpc::types::*;

impl ArchiveApi for Fake {
    async fn archive_import(&self, params: ArchiveImportParams) -> ApiResult<ArchiveImported> {
        let added = params.messages.len() as u64;
        self.archived.lock().unwrap().extend(params.messages);
        Ok(ArchiveImported {
            archive: ArchiveId([8; 32]),
            added,
        })
    }

    async fn archive_list(&self, _: ListParams) -> ApiResult<Page<Archive>> {
        Ok(page(vec![Archive {
            archive: ArchiveId([8; 32]),
            chat: ChatId([3; 32]),
            account: "madang1alice".into(),
            name: Some("garden".into()),
            exported_ms: 5,
            imported_ms: 6,
        }]))
    }

    async fn archive_messages(&self, _: ArchiveMessagesParams) -> ApiResult<Page<ArchiveItem>> {
        let found = self.archived.lock().unwrap().clone();
        let item = |archived| ArchiveItem {
            archived,
            highlights: vec![Highlight::from(1..3)],
        };
        Ok(page(found.into_iter().map(item).collect()))
    }

    async fn archive_remove(&self, _: ArchiveParams) -> ApiResult<Done> {
        Ok(Done {})
    }
}
