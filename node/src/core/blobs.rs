//! Files of the JSON-RPC on the core: writes go to the owner, reads past it.

use madang_protocol::client::history;
use madang_protocol::client::{self, BlobView, Command, ReadError, Reply};
use madang_protocol::keys;

use super::api::{Facade, other_said};
use super::show::held;
use crate::rpc::api::ApiResult;
use crate::rpc::error::ApiError;
use crate::rpc::types::*;

impl Facade {
    pub(super) async fn put_file(&self, length_bytes: u64, strip: bool) -> ApiResult<Written> {
        let mut written = written(self.command(Command::BeginFile { length_bytes, strip }).await?)?;
        if length_bytes == 0 {
            written = self.write_file(written.upload, 0, Vec::new()).await?;
        }
        Ok(written)
    }

    /// Seals a part, and with the last one the padding, which may take some steps.
    pub(super) async fn write_file(&self, upload: BlobId, offset_bytes: u64, bytes: Vec<u8>) -> ApiResult<Written> {
        let length_bytes = self.stat_file(upload).await?.length_bytes;
        let write = |offset_bytes, bytes| Command::WriteFile {
            upload: upload.0,
            offset_bytes,
            bytes,
        };
        let mut done = written(self.command(write(offset_bytes, bytes)).await?)?;
        while done.blob.is_none() && done.written_bytes == length_bytes {
            done = written(self.command(write(length_bytes, Vec::new())).await?)?;
        }
        Ok(done)
    }

    /// Writes what came from outside; of an image that is whole then, what it tells is removed if that was asked for.
    pub(super) async fn take_file(&self, upload: BlobId, offset_bytes: u64, bytes: Vec<u8>) -> ApiResult<Written> {
        let strips = self.strips(upload).await?;
        let written = self.write_file(upload, offset_bytes, bytes).await?;
        match written.blob {
            Some(blob) if strips => self.without_metadata(written, blob).await,
            _ => Ok(written),
        }
    }

    pub(super) async fn cancel_file(&self, blob: BlobId) -> ApiResult<()> {
        self.command(Command::CancelFile { id: blob.0 }).await.map(drop)
    }

    pub(super) async fn stat_file(&self, id: BlobId) -> ApiResult<Blob> {
        let view = self.read(move |rows| history::blob(rows, &id.0)).await?;
        view.map(blob).ok_or(ApiError::NotFound { field: "blob" })
    }

    pub(super) async fn read_file(&self, id: BlobId, offset_bytes: u64, limit: usize) -> ApiResult<(u64, Vec<u8>)> {
        let blob = keys::BlobId(id.0);
        let read = self
            .read(move |rows| {
                let Some(view) = history::blob(rows, &blob.0)? else {
                    return Ok(Err(ReadError::NotHere));
                };
                match history::read_blob(rows, &blob, offset_bytes, limit) {
                    Ok(part) => Ok(Ok((view.length_bytes, part))),
                    Err(ReadError::Rows(error)) => Err(error),
                    Err(error) => Ok(Err(error)),
                }
            })
            .await;
        let found = match read {
            Ok(Err(ReadError::Damaged)) => {
                return Err(self.mend_file(id, offset_bytes, limit, ApiError::BlobDamaged).await);
            }
            // It was put aside meanwhile, if it is a chunk.
            Err(error) => return Err(self.mend_file(id, offset_bytes, limit, error).await),
            Ok(found) => found,
        };
        found.map_err(|error| match error {
            ReadError::NotHere => ApiError::NotFound { field: "blob" },
            ReadError::NotWhole {
                here_bytes,
                length_bytes,
            } => ApiError::NotWhole {
                here_bytes,
                length_bytes,
            },
            ReadError::Damaged | ReadError::Sealed => ApiError::BlobDamaged,
            ReadError::Rows(error) => ApiError::Internal {
                reason: error.to_string(),
            },
        })
    }

    /// Has fetched again what can't be read of a file of others; gives what the reader is told.
    async fn mend_file(&self, id: BlobId, offset_bytes: u64, limit: usize, otherwise: ApiError) -> ApiError {
        let mend = Command::MendFile {
            blob: keys::BlobId(id.0),
            offset_bytes,
            length_bytes: limit as u64,
        };
        if self.command(mend).await.is_err() {
            return otherwise;
        }
        match self.stat_file(id).await {
            Ok(stat) if stat.state == BlobState::Fetching => ApiError::NotWhole {
                here_bytes: stat.here_bytes,
                length_bytes: stat.length_bytes,
            },
            _ => otherwise,
        }
    }

    /// Fetches the files of a message, and says how they are.
    pub(super) async fn fetch_files(&self, id: MessageId) -> ApiResult<Blobs> {
        let id = keys::MessageId(id.0);
        let found = self.read(move |rows| history::message(rows, &id)).await?;
        let view = found.ok_or(ApiError::NotFound { field: "message" })?;
        let files = view.body.attachments();
        if files.is_empty() {
            return Err(ApiError::invalid("message", "has no files"));
        }
        let fetch = Command::FetchFiles {
            chat: view.chat,
            message: view.id,
        };
        self.command(fetch).await?;
        let mut items = Vec::new();
        for item in files {
            items.push(self.stat_file(BlobId(item.blob.id.0)).await?);
        }
        Ok(Blobs { items })
    }
}

fn written(reply: Reply) -> ApiResult<Written> {
    match reply {
        Reply::Written {
            upload,
            written_bytes,
            blob,
        } => Ok(Written {
            upload: BlobId(upload),
            written_bytes,
            blob: blob.map(|blob| BlobId(blob.0)),
        }),
        _ => Err(other_said()),
    }
}

fn blob(view: BlobView) -> Blob {
    Blob {
        blob: view.blob.map(|blob| BlobId(blob.0)),
        upload: view.upload.map(BlobId),
        state: blob_state(view.state),
        length_bytes: view.length_bytes,
        here_bytes: view.here_bytes,
        held: held(view.held),
    }
}

pub(super) fn blob_state(state: client::BlobState) -> BlobState {
    match state {
        client::BlobState::Sealing => BlobState::Sealing,
        client::BlobState::Sealed => BlobState::Sealed,
        client::BlobState::Sending => BlobState::Sending,
        client::BlobState::Sent => BlobState::Sent,
        client::BlobState::Fetching => BlobState::Fetching,
        client::BlobState::Fetched => BlobState::Fetched,
        client::BlobState::Lost => BlobState::Lost,
    }
}
