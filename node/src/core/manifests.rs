//! Manifests of apps that go backwards: an old card, or one that somebody has kept, shows what its app said then.
//!
//! What counts is the greatest number of a key with which the user has had to do: sent, opened, or asked about.

use madang_protocol::rows::{Batch, Rows, RowsError};
use madang_protocol::share::{SharedCard, SignedManifest};
use serde::{Deserialize, Serialize};

use super::api::Facade;
use super::cards::MANIFESTS;
use super::engine::Ask;
use crate::clock::now_ms;
use crate::rpc::api::ApiResult;

/// The greatest number of a key's manifests.
#[derive(Serialize, Deserialize)]
struct ManifestRow {
    /// When the user last had to do with one.
    at_ms: u64,
    number: u64,
}

fn number(manifest: &SignedManifest) -> u64 {
    manifest.manifest().number.unsigned()
}

/// Whether a greater number of this key is known.
pub(super) fn is_outdated(rows: &dyn Rows, manifest: &SignedManifest) -> Result<bool, RowsError> {
    let known: Option<ManifestRow> = MANIFESTS.get(rows, &manifest.app().0)?;
    Ok(known.is_some_and(|known| known.number > number(manifest)))
}

impl Facade {
    /// Notes the manifest of a card with which the user has to do; its signatures were checked.
    pub(super) async fn note_manifest(&self, card: &SharedCard) -> ApiResult<()> {
        let Some(manifest) = card.manifest() else {
            return Ok(());
        };
        let (app, number) = (manifest.app(), number(manifest));
        let batch = self
            .read(move |rows| {
                let known: Option<ManifestRow> = MANIFESTS.get(rows, &app.0)?;
                let mut batch = Batch::default();
                if known.is_none_or(|known| known.number < number) {
                    let row = ManifestRow {
                        at_ms: now_ms(),
                        number,
                    };
                    MANIFESTS.make_room(rows, 1, &mut batch)?;
                    MANIFESTS.put(&app.0, &row, &mut batch)?;
                }
                Ok(batch)
            })
            .await?;
        if batch.is_empty() {
            return Ok(());
        }
        self.ask(|kept| Ask::Keep(batch, kept)).await
    }
}
