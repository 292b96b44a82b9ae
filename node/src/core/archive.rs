//! Archives: imported messages, in rows of their own. Nothing of the chats depends on them.
//!
//! | tree | key | value |
//! |---|---|---|
//! | Archives | archive (32) | what the file says of the chat, JSON |
//! | ArchiveMessages | archive, time (8), half a message id (16) | what it says of a message, JSON |

use madang_protocol::rows::{Batch, Rows, RowsError, Tree, prefix_end};

use super::api::Facade;
use super::chats::account;
use super::engine::Ask;
use super::search::words;
use crate::clock::now_ms;
use crate::rpc::api::ApiResult;
use crate::rpc::archive::{
    Archive, ArchiveImportParams, ArchiveImported, ArchiveItem, ArchiveMessagesParams, ArchiveParams, Archived,
};
use crate::rpc::error::ApiError;
use crate::rpc::ids::ArchiveId;
use crate::rpc::search::Highlight;
use crate::rpc::types::{Body, Done, Page};

/// Archives that are kept (guess: one a chat and account).
const ARCHIVES: usize = 256;
/// Messages that one page looks at for a query; then it ends, perhaps early.
const READS: usize = 2_000;
/// Rows that are removed at once.
const REMOVED: usize = 2_000;
/// Bytes of a message's key.
const KEY_BYTES: usize = 32 + 8 + 16;

impl Facade {
    /// `archive.add`.
    pub(super) async fn import(&self, params: ArchiveImportParams) -> ApiResult<ArchiveImported> {
        account("account", &params.account)?;
        for (at, message) in params.messages.iter().enumerate() {
            account(format!("messages[{at}].account"), &message.account)?;
        }
        let id = archive_id(&params);
        let imported_ms = now_ms();
        let (batch, added) = self
            .read(move |rows| {
                let known = rows.get(Tree::Archives, &id.0)?;
                if known.is_none() && rows.prefix(Tree::Archives, &[], ARCHIVES)?.len() >= ARCHIVES {
                    return Ok((Batch::default(), None));
                }
                let before: Option<Archive> = known.map(|bytes| decode(&bytes)).transpose()?;
                let newer = before
                    .as_ref()
                    .is_none_or(|known| known.exported_ms <= params.exported_ms);
                let name = match before {
                    Some(known) if !newer => known.name,
                    _ => params.name,
                };
                let head = Archive {
                    archive: id,
                    chat: params.chat,
                    account: params.account,
                    name,
                    exported_ms: params.exported_ms,
                    imported_ms,
                };
                let mut batch = Batch::default();
                batch.put(Tree::Archives, id.0, encode(&head)?);
                let mut added = 0;
                for message in params.messages {
                    let stored = key(&id, &message);
                    if rows.get(Tree::ArchiveMessages, &stored)?.is_none() {
                        batch.put(Tree::ArchiveMessages, stored, encode(&message)?);
                        added += 1;
                    }
                }
                Ok((batch, Some(added)))
            })
            .await?;
        let Some(added) = added else {
            return Err(ApiError::LimitReached {
                what: "archives".into(),
                limit: ARCHIVES as u64,
            });
        };
        self.ask(|kept| Ask::Keep(batch, kept)).await?;
        Ok(ArchiveImported { archive: id, added })
    }

    /// All archives, by id.
    pub(super) async fn archives(&self) -> ApiResult<Vec<Archive>> {
        self.read(|rows| {
            let found = rows.prefix(Tree::Archives, &[], ARCHIVES)?;
            found.iter().map(|(_, value)| decode(value)).collect()
        })
        .await
    }

    /// `archive.messages`.
    pub(super) async fn archive_page(&self, params: ArchiveMessagesParams) -> ApiResult<Page<ArchiveItem>> {
        let words = params.query.as_deref().map(words).transpose()?;
        let id = params.archive;
        let after = match &params.after {
            None => None,
            Some(text) => match hex::decode(text) {
                Ok(stored) if stored.len() == KEY_BYTES && stored.starts_with(&id.0) => Some(stored),
                _ => return Err(ApiError::invalid("after", "is not a cursor of this archive")),
            },
        };
        let limit = params.limit as usize;
        let found = self
            .read(move |rows| {
                if rows.get(Tree::Archives, &id.0)?.is_none() {
                    return Ok(None);
                }
                let begin = [id.0.as_slice(), &params.at_ms.unwrap_or(0).to_be_bytes()].concat();
                let from = after.map_or(begin, |after| [after.as_slice(), &[0]].concat());
                let most = if words.is_some() { READS } else { limit };
                let read = rows.range(Tree::ArchiveMessages, &from, &prefix_end(&id.0), most + 1, false)?;
                let (mut items, mut last, count) = (Vec::new(), None, read.len());
                for (at, (stored, value)) in read.into_iter().enumerate() {
                    if items.len() >= limit || at >= most {
                        break;
                    }
                    let archived: Archived = decode(&value)?;
                    let places = match &words {
                        None => Some(Vec::new()),
                        Some(words) => words.places(&text_of(&archived.body)),
                    };
                    if let Some(places) = places {
                        let highlights = places.into_iter().map(Highlight::from).collect();
                        items.push(ArchiveItem { archived, highlights });
                    }
                    last = Some((at, stored));
                }
                let next = last
                    .filter(|(at, _)| at + 1 < count)
                    .map(|(_, stored)| hex::encode(stored));
                Ok(Some(Page {
                    items,
                    next,
                    prev: None,
                }))
            })
            .await?;
        found.ok_or(ApiError::NotFound { field: "archive" })
    }

    /// `archive.remove`.
    pub(super) async fn remove_archive(&self, params: ArchiveParams) -> ApiResult<Done> {
        let id = params.archive;
        loop {
            let removed = self
                .read(move |rows| {
                    if rows.get(Tree::Archives, &id.0)?.is_none() {
                        return Ok(None);
                    }
                    let mut batch = Batch::default();
                    for (stored, _) in rows.prefix(Tree::ArchiveMessages, &id.0, REMOVED)? {
                        batch.delete(Tree::ArchiveMessages, stored);
                    }
                    // What names it goes last, so that a removal that is cut short can be made again.
                    let ends = batch.is_empty();
                    if ends {
                        batch.delete(Tree::Archives, id.0);
                    }
                    Ok(Some((batch, ends)))
                })
                .await?;
            let (batch, ends) = removed.ok_or(ApiError::NotFound { field: "archive" })?;
            self.ask(|kept| Ask::Keep(batch, kept)).await?;
            if ends {
                return Ok(Done {});
            }
        }
    }
}

/// The same for each export of a chat by an account, so that importing again adds only what is new.
fn archive_id(params: &ArchiveImportParams) -> ArchiveId {
    let mut hasher = blake3::Hasher::new_derive_key("madang 1 archive");
    hasher.update(&params.chat.0);
    hasher.update(params.account.as_bytes());
    ArchiveId(*hasher.finalize().as_bytes())
}

fn key(archive: &ArchiveId, message: &Archived) -> Vec<u8> {
    let id = message.message.0.first_chunk::<16>().copied().unwrap_or_default();
    [archive.0.as_slice(), &message.sent_ms.to_be_bytes(), &id].concat()
}

fn text_of(body: &Body) -> String {
    match body {
        Body::Text { text, .. } => text.clone(),
        Body::Poll { question, options, .. } => {
            let options = options.iter().map(|option| option.text.as_str());
            std::iter::once(question.as_str())
                .chain(options)
                .collect::<Vec<_>>()
                .join("\n")
        }
        Body::File { file, text } | Body::Image { file, text } | Body::Voice { file, text } => {
            [text.as_str(), &file.name, &file.caption].join("\n")
        }
        Body::Album { files, text } => {
            let files = files.iter().flat_map(|file| [file.name.as_str(), &file.caption]);
            std::iter::once(text.as_str())
                .chain(files)
                .collect::<Vec<_>>()
                .join("\n")
        }
        Body::Unknown { fallback, .. } => fallback.clone(),
        Body::Share { card } => card.fallback.clone(),
        Body::Channel { name, .. } => name.clone(),
        Body::Deleted => String::new(),
    }
}

fn encode<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, RowsError> {
    serde_json::to_vec(value).map_err(unreadable)
}

fn decode<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, RowsError> {
    serde_json::from_slice(bytes).map_err(unreadable)
}

fn unreadable(error: serde_json::Error) -> RowsError {
    RowsError {
        reason: format!("a record of an archive can't be read: {error}"),
    }
}
