//! Pictures of cards that are sent: what was fetched of them, or uploaded, becomes files that go with the message.

use std::collections::BTreeMap;

use madang_protocol::client::FileContent;
use madang_protocol::keys;
use madang_protocol::limits::ATTACHMENTS;
use madang_protocol::rows::Batch;
use madang_protocol::share::{Image, SharedCard};
use madang_protocol::wire::Wire as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::api::Facade;
use super::cards::PICTURES;
use super::engine::Ask;
use super::shares::read;
use crate::clock::now_ms;
use crate::media::image;
use crate::rpc::api::ApiResult;
use crate::rpc::error::ApiError;
use crate::rpc::limits::{BLOB_WRITE, MAX_SHARE_IMAGE, MAX_THUMBNAIL};
use crate::rpc::params::{CardText, SendFile, ShareSendParams};
use crate::rpc::types::*;

/// Bytes that the thumbnails of a card's pictures share: with the card they fit a message.
const THUMBNAILS: usize = 16 * 1024;

/// Why a picture is left out that nobody tried to get.
const NOT_FETCHED: &str = "it wasn't fetched";

/// What became of a card's pictures, so that the same call sends the same.
#[derive(Default, Serialize, Deserialize)]
struct PicturesRow {
    at_ms: u64,
    /// By their places.
    pictures: BTreeMap<u8, Kept>,
    /// Of each chat its own files: a file belongs to one message.
    #[serde(default)]
    copies: BTreeMap<ChatId, BTreeMap<u8, BlobId>>,
}

#[derive(Clone, Serialize, Deserialize)]
enum Kept {
    File(BlobId),
    /// Why there is none.
    LeftOut(String),
}

fn key(card: &SharedCard, idempotency_key: &str) -> [u8; 32] {
    let of = [idempotency_key.as_bytes(), &[0], &card.encode()].concat();
    blake3::derive_key("madang 1 pictures of a card", &of)
}

/// The pictures of a card, with their places and paths; those beyond the bound aren't sent.
fn pictures(card: &SharedCard) -> Vec<(u8, String, &Image)> {
    let all = card.share.card().images().into_iter().take(ATTACHMENTS);
    (0..)
        .zip(all)
        .map(|(place, (path, image))| (place, format!("share.{path}"), image))
        .collect()
}

/// Requires that a file is what the card says of it.
fn as_said(image: &Image, path: &str, bytes: &[u8]) -> ApiResult<()> {
    let is = hex::encode(Sha256::digest(bytes));
    if image.sha256.as_ref().is_some_and(|said| said.as_str() != is) {
        return Err(ApiError::invalid(
            format!("{path}.sha256"),
            format!("isn't that of the picture, {is}"),
        ));
    }
    let said = image
        .length_bytes
        .as_ref()
        .and_then(|said| usize::try_from(said.get()).ok());
    if said.is_some_and(|said| said != bytes.len()) {
        let reason = format!("isn't that of the picture, {}", bytes.len());
        return Err(ApiError::invalid(format!("{path}.length_bytes"), reason));
    }
    Ok(())
}

impl Facade {
    /// Takes those pictures of a card that is sent on that are here with its message. A file of the first sender's own that isn't is left
    /// out; others are fetched as of any card.
    pub(super) async fn take_held_pictures(
        &self,
        message: MessageId,
        origin: Option<String>,
        params: &ShareSendParams,
    ) -> ApiResult<()> {
        let ShareSendParams {
            card: text,
            idempotency_key,
            ..
        } = params;
        let card = read(text, origin.clone())?;
        let row = self.kept_pictures(&card, idempotency_key).await?;
        let held = self.card(message).await?.pictures;
        for (place, path, image) in pictures(&card) {
            if row.pictures.contains_key(&place) {
                continue;
            }
            let bytes = match held.get(&place) {
                Some((blob, length)) if *length <= MAX_SHARE_IMAGE as u64 => self.whole_file(*blob, *length).await.ok(),
                _ => None,
            };
            let got = match bytes.filter(|bytes| as_said(image, &path, bytes).is_ok()) {
                Some(bytes) => Ok(bytes),
                None if image.blob.is_some() => Err(NOT_FETCHED.to_owned()),
                None => continue,
            };
            self.take_picture(text.clone(), origin.clone(), idempotency_key.clone(), place, got)
                .await?;
        }
        Ok(())
    }

    /// The pictures that have to be fetched before a card is sent: their places and addresses.
    pub(super) async fn missing_pictures(
        &self,
        card: &CardText,
        origin: Option<String>,
        idempotency_key: &str,
    ) -> ApiResult<Vec<(u8, String)>> {
        let card = read(card, origin)?;
        let row = self.kept_pictures(&card, idempotency_key).await?;
        let mut missing = Vec::new();
        for (place, _, image) in pictures(&card) {
            let Some(url) = image.url.as_ref().filter(|_| image.blob.is_none()) else {
                continue;
            };
            let is_here = match row.pictures.get(&place) {
                // An upload that was named by no message is forgotten in a day.
                Some(Kept::File(blob)) => self.stat_file(*blob).await.is_ok(),
                Some(Kept::LeftOut(_)) => true,
                None => false,
            };
            if !is_here {
                missing.push((place, url.to_string()));
            }
        }
        Ok(missing)
    }

    async fn kept_pictures(&self, card: &SharedCard, idempotency_key: &str) -> ApiResult<PicturesRow> {
        let key = key(card, idempotency_key);
        let row = self.read(move |rows| PICTURES.get(rows, &key)).await?;
        Ok(row.unwrap_or_default())
    }

    /// Takes what was fetched of a picture, or why it wasn't.
    pub(super) async fn take_picture(
        &self,
        card: CardText,
        origin: Option<String>,
        idempotency_key: String,
        place: u8,
        got: Result<Vec<u8>, String>,
    ) -> ApiResult<()> {
        let card = read(&card, origin)?;
        let found = pictures(&card).into_iter().find(|(at, ..)| *at == place);
        let (_, path, image) = found.ok_or(ApiError::NotFound { field: "place" })?;
        let kept = match got {
            Err(reason) => Kept::LeftOut(reason),
            Ok(bytes) => {
                as_said(image, &path, &bytes)?;
                let (upload, blob) = self.put_whole(&bytes).await?;
                let look = |bytes: &Vec<u8>| image::look(bytes, THUMBNAILS).map_err(|error| error.to_string());
                match self.look_into(blob, image::MAX_BYTES, &path, look).await {
                    Ok(_) => Kept::File(blob),
                    Err(error) => {
                        // If this fails it is forgotten in a day.
                        self.cancel_file(upload).await.ok();
                        Kept::LeftOut(error.to_string())
                    }
                }
            }
        };
        let mut row = self.kept_pictures(&card, &idempotency_key).await?;
        row.pictures.insert(place, kept);
        self.keep_pictures(&card, &idempotency_key, row).await
    }

    async fn keep_pictures(&self, card: &SharedCard, idempotency_key: &str, mut row: PicturesRow) -> ApiResult<()> {
        row.at_ms = now_ms();
        let key = key(card, idempotency_key);
        let batch = self
            .read(move |rows| {
                let mut batch = Batch::default();
                PICTURES.make_room(rows, 1, &mut batch)?;
                PICTURES.put(&key, &row, &mut batch)?;
                Ok(batch)
            })
            .await?;
        self.ask(|kept| Ask::Keep(batch, kept)).await
    }

    /// The same files for a chat of its own, the same ones each time.
    pub(super) async fn copies(
        &self,
        card: &SharedCard,
        idempotency_key: &str,
        chat: ChatId,
        files: &BTreeMap<u8, FileContent>,
    ) -> ApiResult<BTreeMap<u8, FileContent>> {
        if files.is_empty() {
            return Ok(BTreeMap::new());
        }
        let mut row = self.kept_pictures(card, idempotency_key).await?;
        let known = row.copies.entry(chat).or_default();
        let (mut copies, mut is_new) = (files.clone(), false);
        for (place, file) in &mut copies {
            let copy = match known.get(place) {
                Some(copy) => *copy,
                None => {
                    is_new = true;
                    let source = BlobId(file.blob.0);
                    let length = self.stat_file(source).await?.length_bytes;
                    let (_, copy) = self.put_whole(&self.whole_file(source, length).await?).await?;
                    known.insert(*place, copy);
                    copy
                }
            };
            file.blob = keys::BlobId(copy.0);
        }
        if is_new {
            self.keep_pictures(card, idempotency_key, row).await?;
        }
        Ok(copies)
    }

    /// Seals a content that is here whole.
    async fn put_whole(&self, bytes: &[u8]) -> ApiResult<(BlobId, BlobId)> {
        let begun = self.put_file(bytes.len() as u64, false).await?;
        let mut done = begun;
        for part in bytes.chunks(BLOB_WRITE) {
            done = self.write_file(begun.upload, done.written_bytes, part.to_vec()).await?;
        }
        let blob = done.blob.ok_or_else(super::api::other_said)?;
        Ok((begun.upload, blob))
    }

    /// The files of a card's pictures by their places, and the pictures that go without.
    pub(super) async fn pictures_of(
        &self,
        card: &SharedCard,
        idempotency_key: &str,
    ) -> ApiResult<(BTreeMap<u8, FileContent>, Vec<PictureLeftOut>)> {
        let row = self.kept_pictures(card, idempotency_key).await?;
        let (mut files, mut left_out) = (BTreeMap::new(), Vec::new());
        let all = pictures(card);
        let share = (THUMBNAILS / all.len().max(1)).min(MAX_THUMBNAIL);
        for (place, path, image) in all {
            let (blob, is_fetched) = match (&image.blob, row.pictures.get(&place)) {
                (_, Some(Kept::File(blob))) => (*blob, true),
                (Some(id), None) => {
                    let mut blob = [0; 32];
                    hex::decode_to_slice(id.as_str(), &mut blob)
                        .map_err(|error| ApiError::invalid(format!("{path}.blob"), error))?;
                    (BlobId(blob), false)
                }
                (_, kept) => {
                    let reason = match kept {
                        Some(Kept::LeftOut(reason)) => reason.clone(),
                        _ => NOT_FETCHED.to_owned(),
                    };
                    left_out.push(PictureLeftOut { image: path, reason });
                    continue;
                }
            };
            if !is_fetched {
                let known = self.stat_file(blob).await;
                let length = known.map_err(|_| ApiError::invalid(format!("{path}.blob"), "is no file here"))?;
                if length.length_bytes > MAX_SHARE_IMAGE as u64 {
                    return Err(ApiError::TooLarge {
                        field: format!("{path}.blob").into(),
                        limit: MAX_SHARE_IMAGE as u64,
                    });
                }
                as_said(image, &path, &self.whole_file(blob, length.length_bytes).await?)?;
            }
            let file = SendFile {
                blob,
                name: format!("picture-{}", u16::from(place) + 1),
                media_type: None,
                caption: String::new(),
                // What is on the web is out already, and a hash is of all of it.
                keep_metadata: is_fetched,
                waveform: None,
            };
            files.insert(place, self.picture(file, share, &path).await?);
        }
        Ok((files, left_out))
    }
}
