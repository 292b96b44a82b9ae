//! What is sent, as the core takes it; of images and voice notes also what their content tells.

use std::sync::Arc;

use madang_protocol::channel::ChannelLink;
use madang_protocol::client::{Content, FileContent, FilesContent, history};
use madang_protocol::keys;
use madang_protocol::message::{self, Image, Media, Voice, is_media_type, is_name};
use tokio::sync::Semaphore;

use super::api::Facade;
use super::show::mentions;
use crate::failpoint;
use crate::media::{image, voice};
use crate::rpc::api::ApiResult;
use crate::rpc::error::ApiError;
use crate::rpc::limits::{BLOB_WRITE, MAX_THUMBNAIL};
use crate::rpc::params::{SendBody, SendFile};
use crate::rpc::types::{BlobId, Written};

/// The media type of what isn't told.
const UNTOLD: &str = "application/octet-stream";
/// Bytes that the thumbnails of an album share: with names and captions they fit a message.
pub(super) const THUMBNAILS: usize = 24 * 1024;
/// Bytes that are read of a content at once.
const PART: usize = 1 << 20;

/// Lets one content at a time be looked into: an image takes up to 200 MiB while it is decoded.
pub(super) type OneAtATime = Arc<Semaphore>;

pub(super) fn one_at_a_time() -> OneAtATime {
    Arc::new(Semaphore::new(1))
}

/// What a file is sent as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum As {
    File,
    Image,
    Voice,
}

impl Facade {
    /// What is sent.
    pub(super) async fn content(&self, body: SendBody) -> ApiResult<Content> {
        let alone = MAX_THUMBNAIL;
        Ok(match body {
            SendBody::Text {
                text,
                reply_to,
                mentions: given,
            } => Content::Text {
                text,
                reply_to: reply_to.map(|message| keys::MessageId(message.0)),
                mentions: mentions(given, "body.mentions")?,
            },
            SendBody::Poll {
                question,
                options,
                multiple,
            } => Content::Poll(message::Poll {
                question,
                options,
                multiple,
            }),
            SendBody::File { file, text } => files(vec![self.file(file, As::File, alone, "body.file").await?], text),
            SendBody::Image { file, text } => files(vec![self.file(file, As::Image, alone, "body.file").await?], text),
            SendBody::Voice { file, text } => files(vec![self.file(file, As::Voice, alone, "body.file").await?], text),
            SendBody::Album { files: given, text } => {
                let share = (THUMBNAILS / given.len().max(1)).min(alone);
                let mut items = Vec::new();
                for (at, file) in given.into_iter().enumerate() {
                    let is_image = file.media_type.as_ref().is_some_and(|told| told.starts_with("image/"));
                    let kind = if is_image { As::Image } else { As::File };
                    items.push(self.file(file, kind, share, &format!("body.files[{at}]")).await?);
                }
                files(items, text)
            }
            SendBody::Channel { link } => {
                let link = ChannelLink::from_link(&link).map_err(|error| ApiError::invalid("body.link", error))?;
                if link.relays.is_empty() {
                    return Err(ApiError::invalid("body.link", "names no relay"));
                }
                Content::Channel(Box::new(link))
            }
        })
    }

    /// A file with what its content tells; `path` names it in errors.
    async fn file(&self, file: SendFile, kind: As, thumbnail_bytes: usize, path: &str) -> ApiResult<FileContent> {
        if !is_name(&file.name) {
            let reason = "must be a name, without slashes and control characters";
            return Err(ApiError::invalid(format!("{path}.name"), reason));
        }
        let mut media_type = file.media_type.unwrap_or_else(|| UNTOLD.to_owned());
        if !is_media_type(&media_type) {
            return Err(ApiError::invalid(
                format!("{path}.media_type"),
                "must be a media type like image/png",
            ));
        }
        let media = match kind {
            As::File => Media::File,
            As::Image => {
                let keeps = file.keep_metadata;
                let seen = self
                    .look_into(file.blob, image::MAX_BYTES, path, move |bytes| {
                        if !keeps && image::stripped(bytes).map_err(|error| error.to_string())? != *bytes {
                            return Err(
                                "tells where or when it was taken; upload it with strip_metadata, or say keep_metadata"
                                    .to_owned(),
                            );
                        }
                        image::look(bytes, thumbnail_bytes).map_err(|error| error.to_string())
                    })
                    .await?;
                seen.media_type.clone_into(&mut media_type);
                Media::Image(Image {
                    width: seen.width,
                    height: seen.height,
                    thumbnail: seen.thumbnail,
                    preview: seen.preview,
                })
            }
            As::Voice => {
                let listen = |bytes: &Vec<u8>| voice::listen(bytes).map_err(|error| error.to_string());
                let heard = self.look_into(file.blob, voice::MAX_BYTES, path, listen).await?;
                heard.media_type.clone_into(&mut media_type);
                Media::Voice(Voice {
                    duration_ms: heard.duration_ms,
                    waveform: file.waveform.unwrap_or(heard.waveform),
                })
            }
        };
        Ok(FileContent {
            blob: keys::BlobId(file.blob.0),
            name: file.name,
            media_type,
            caption: file.caption,
            media,
        })
    }

    /// A picture of a card; `path` names it in errors.
    pub(super) async fn picture(&self, file: SendFile, thumbnail_bytes: usize, path: &str) -> ApiResult<FileContent> {
        self.file(file, As::Image, thumbnail_bytes, path).await
    }

    /// Reads a content whole and looks into it, one at a time.
    pub(super) async fn look_into<T: Send + 'static>(
        &self,
        blob: BlobId,
        most: u64,
        path: &str,
        look: impl FnOnce(&Vec<u8>) -> Result<T, String> + Send + 'static,
    ) -> ApiResult<T> {
        let stopped = |_| ApiError::Internal {
            reason: "the node is stopping".into(),
        };
        let _one = self.media.acquire().await.map_err(stopped)?;
        let length = self
            .stat_file(blob)
            .await
            .map_err(|_| ApiError::NotFound { field: "body.blob" })?;
        let path = format!("{path}.blob");
        if length.length_bytes > most {
            return Err(ApiError::TooLarge {
                field: path.into(),
                limit: most,
            });
        }
        let bytes = self.whole_file(blob, length.length_bytes).await?;
        let looked = tokio::task::spawn_blocking(move || look(&bytes)).await;
        looked
            .map_err(|error| ApiError::Internal {
                reason: error.to_string(),
            })?
            .map_err(|reason| ApiError::invalid(path, reason))
    }

    pub(super) async fn whole_file(&self, blob: BlobId, length_bytes: u64) -> ApiResult<Vec<u8>> {
        let mut bytes = Vec::new();
        while (bytes.len() as u64) < length_bytes {
            let (_, part) = self.read_file(blob, bytes.len() as u64, PART).await?;
            if part.is_empty() {
                return Err(ApiError::BlobDamaged);
            }
            bytes.extend(part);
        }
        Ok(bytes)
    }

    /// An image that was just sealed, without what it tells beside the picture: another upload, if there was something.
    pub(super) async fn without_metadata(&self, written: Written, blob: BlobId) -> ApiResult<Written> {
        failpoint::hit(failpoint::BEFORE_STRIP);
        let strip = |bytes: &Vec<u8>| {
            let clean = image::stripped(bytes).map_err(|error| error.to_string())?;
            Ok((clean != *bytes).then_some(clean))
        };
        let Some(clean) = self.look_into(blob, image::MAX_BYTES, "upload", strip).await? else {
            return Ok(written);
        };
        let begun = self.put_file(clean.len() as u64, false).await?;
        let mut done = begun;
        for part in clean.chunks(BLOB_WRITE) {
            done = self.write_file(begun.upload, done.written_bytes, part.to_vec()).await?;
        }
        // If this fails it is forgotten in a day.
        self.cancel_file(written.upload).await.ok();
        Ok(done)
    }

    /// Whether an upload was begun as an image that shall tell nothing beside the picture.
    pub(super) async fn strips(&self, upload: BlobId) -> ApiResult<bool> {
        self.read(move |rows| history::blob_strips(rows, &upload.0)).await
    }
}

fn files(items: Vec<FileContent>, text: String) -> Content {
    Content::Files(FilesContent { items, text })
}
