//! What is sent, as the core takes it; of files also what their content tells.

use madang_protocol::client::{Content, FileContent, FilesContent};
use madang_protocol::keys;
use madang_protocol::message::{self, Media, is_media_type, is_name};

use super::api::Facade;
use super::show::mentions;
use crate::rpc::api::ApiResult;
use crate::rpc::error::ApiError;
use crate::rpc::params::{SendBody, SendFile};

/// The media type of what isn't told.
const UNTOLD: &str = "application/octet-stream";

impl Facade {
    /// What is sent.
    pub(super) async fn content(&self, body: SendBody) -> ApiResult<Content> {
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
            SendBody::File { file, text } | SendBody::Image { file, text } | SendBody::Voice { file, text } => {
                files(vec![plain(file, "body.file")?], text)
            }
            SendBody::Album { files: given, text } => {
                let items = given.into_iter().enumerate();
                let items = items.map(|(at, file)| plain(file, &format!("body.files[{at}]")));
                files(items.collect::<ApiResult<_>>()?, text)
            }
        })
    }
}

fn files(items: Vec<FileContent>, text: String) -> Content {
    Content::Files(FilesContent { items, text })
}

/// A file without more; `path` names it in errors.
fn plain(file: SendFile, path: &str) -> ApiResult<FileContent> {
    if !is_name(&file.name) {
        let reason = "must be a name, without slashes and control characters";
        return Err(ApiError::invalid(format!("{path}.name"), reason));
    }
    let media_type = file.media_type.unwrap_or_else(|| UNTOLD.to_owned());
    if !is_media_type(&media_type) {
        return Err(ApiError::invalid(
            format!("{path}.media_type"),
            "must be a media type like image/png",
        ));
    }
    Ok(FileContent {
        blob: keys::BlobId(file.blob.0),
        name: file.name,
        media_type,
        caption: file.caption,
        media: Media::File,
    })
}
