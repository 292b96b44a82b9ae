//! Files of people: sealed chunk by chunk as they come, attached to a message, and fetched for one.
//!
//! | row | stands for | until |
//! |---|---|---|
//! | `d` upload | a file that is being sealed ([`DraftRow`]) | it is whole, or a day without a write |
//! | `u` upload | which blob it became ([`UploadRow`]), for who was interrupted | as its blob |
//! | `p` blob | a file of ours (`puts`) | its message is deleted, or it has to make room; a day if no message names it |
//! | `g` blob | a file that is fetched or was (`gets`) | as the former |

use super::serving::{LEAVES, leaves_key};
use super::{Blobs, Client, What, content_bytes, row_key};
use crate::blob::{self, BlobKey, Chunk, HashTree, Sealer};
use crate::client::blobs::puts::Put;
use crate::client::io::{CommandError, Reply};
use crate::client::kinds::FileContent;
use crate::client::records::encode;
use crate::keys::{BlobId, ChannelId, ChatId, MessageId, TopicSecret};
use crate::limits;
use crate::message::{Attachment, Body};
use crate::rows::{Rows, RowsError, Tree};
use crate::wire::Wire;
use serde::{Deserialize, Serialize};

/// Files that are being sealed at once.
const DRAFTS: usize = 256;
/// Milliseconds without a write after which such a file is forgotten, and one that no message names.
const DRAFT_MS: u64 = 24 * 3600 * 1000;
/// Chunks of padding that one command seals: 4 MB (the padding of the largest file has 64 MiB).
const PADDING_CHUNKS: u32 = 64;
/// Files of ours and others' that are kept (guess).
pub(super) const FILES: usize = 4096;
/// Bytes that stay free on the disk: what the store needs to tidy up is left to it (guess: as a relay leaves).
const RESERVE_BYTES: u64 = 64 * 1024 * 1024;
/// Bytes of a file that is fetched when its message comes (guess: photos and voice notes).
const FETCHED_AT_ONCE: u64 = 8 * 1024 * 1024;

/// How a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlobState {
    /// It is being written and sealed.
    Sealing,
    /// It is here, of our own, and no message names it yet.
    Sealed,
    /// It is on its way to the relays.
    Sending,
    /// A relay has it, or the chat has none.
    Sent,
    /// It is on its way here.
    Fetching,
    /// It is here.
    Fetched,
    /// Nobody gave it in time.
    Lost,
}

impl BlobState {
    /// Whether more is to come.
    pub fn is_under_way(self) -> bool {
        matches!(self, Self::Sealing | Self::Sending | Self::Fetching)
    }

    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Sealing => 1,
            Self::Sealed => 2,
            Self::Sending => 3,
            Self::Sent => 4,
            Self::Fetching => 5,
            Self::Fetched => 6,
            Self::Lost => 7,
        }
    }

    pub(crate) fn from_number(number: u8) -> Option<Self> {
        [
            Self::Sealing,
            Self::Sealed,
            Self::Sending,
            Self::Sent,
            Self::Fetching,
            Self::Fetched,
            Self::Lost,
        ]
        .into_iter()
        .find(|state| state.number() == number)
    }
}

/// A file that is being sealed.
pub(super) struct Draft {
    sealer: Sealer,
    /// Chunks that are sealed, from the first on.
    next: u32,
    touched_ms: u64,
    /// What is to be done with the content before it is sent, for the shell.
    strip: bool,
    /// Their hashes, while it is the draft that was written last.
    leaves: Option<Vec<[u8; 32]>>,
}

/// A file that is being sealed, as stored.
#[derive(Serialize, Deserialize)]
pub(super) struct DraftRow {
    key: [u8; 32],
    pub(super) length_bytes: u64,
    pub(super) next: u32,
    touched_ms: u64,
    #[serde(default)]
    pub(super) strip: bool,
}

/// A file that was sealed, as stored under the number of its upload.
#[derive(Serialize, Deserialize)]
pub(super) struct UploadRow {
    pub(super) blob: BlobId,
    pub(super) strip: bool,
}

impl Draft {
    /// Bytes of the content that are sealed.
    fn written_bytes(&self) -> u64 {
        content_bytes(self.next, self.sealer.length_bytes())
    }
}

impl Blobs {
    /// Bytes of a file's content.
    pub(super) fn file_length(&self, blob: &BlobId) -> u64 {
        let put = self.puts.get(blob).and_then(|put| put.file.as_ref());
        let get = || self.gets.get(blob).map(|get| get.length_bytes());
        put.map(|file| file.length_bytes).or_else(get).unwrap_or_default()
    }

    /// Whether the disk has room for so many bytes more.
    pub(super) fn has_room(&self, bytes: u64) -> bool {
        self.free_bytes
            .is_none_or(|free| free >= bytes.saturating_add(RESERVE_BYTES))
    }

    /// Bytes of files on the disk or on their way there, sealed, and how many they are.
    fn file_bytes(&self) -> (u64, usize) {
        let drafts = self.drafts.values().map(|draft| draft.sealer.shape());
        let puts = self.puts.values().filter(|put| put.file.is_some()).map(|put| put.shape);
        let gets = self.gets.values().filter_map(|get| get.file_shape());
        let all = drafts.chain(puts).chain(gets);
        all.fold((0, 0), |(bytes, count), shape| {
            (bytes + shape.sealed_bytes(), count + 1)
        })
    }
}

impl Client {
    /// Tells how much may still be written on the disk of the rows; files wait or are refused where that is little.
    pub fn set_free_bytes(&mut self, bytes: Option<u64>) {
        let had_room = self.blobs.has_room(0);
        self.blobs.free_bytes = bytes;
        if !had_room && self.blobs.has_room(0) {
            self.blobs.due_ms = 0;
        }
    }

    /// Begins a file, whose length is known. Nothing leaves before it is sealed whole and a message names it.
    pub(in crate::client) fn file_begin(
        &mut self,
        now_ms: u64,
        length_bytes: u64,
        strip: bool,
    ) -> Result<Reply, CommandError> {
        if length_bytes > limits::FILE_BYTES {
            return Err(CommandError::TooLarge {
                field: "length_bytes",
                found: usize::try_from(length_bytes).unwrap_or(usize::MAX),
                limit: limits::FILE_BYTES as usize,
            });
        }
        if self.blobs.drafts.len() >= DRAFTS {
            return Err(super::limit("files that are being written", DRAFTS));
        }
        let key = BlobKey::from_bytes(self.crypto.random());
        let sealer = Sealer::new(key, length_bytes).map_err(|error| CommandError::Internal {
            reason: error.to_string(),
        })?;
        self.make_room_for_file(now_ms, sealer.shape().sealed_bytes())?;
        let upload: [u8; 32] = self.crypto.random();
        let draft = Draft {
            sealer,
            next: 0,
            touched_ms: now_ms,
            strip,
            leaves: Some(Vec::new()),
        };
        self.blobs.drafts.insert(upload, draft);
        self.write_draft(&upload)?;
        self.blobs.due_ms = 0;
        Ok(Reply::Written {
            upload,
            written_bytes: 0,
            blob: None,
        })
    }

    /// Seals the next part of a file: whole chunks, or what is left of it. With nothing left it goes on with the padding, until the
    /// answer has the blob.
    pub(in crate::client) fn file_write(
        &mut self,
        now_ms: u64,
        upload: [u8; 32],
        offset_bytes: u64,
        bytes: &[u8],
        rows: &dyn Rows,
    ) -> Result<Reply, CommandError> {
        if let Some((blob, length_bytes)) = self.uploaded(&upload) {
            return Ok(Reply::Written {
                upload,
                written_bytes: length_bytes,
                blob: Some(blob),
            });
        }
        if !self.blobs.has_room(bytes.len() as u64) {
            return Err(CommandError::DiskFull);
        }
        let Some(draft) = self.blobs.drafts.get_mut(&upload) else {
            return Err(CommandError::NotFound { field: "upload" });
        };
        let length_bytes = draft.sealer.length_bytes();
        let written = draft.written_bytes();
        let invalid = |field, reason| Err(CommandError::Invalid { field, reason });
        if offset_bytes != written {
            return invalid("offset_bytes", "is not where the upload goes on; ask blob.stat");
        }
        let end = written.saturating_add(bytes.len() as u64);
        if end > length_bytes {
            return invalid("data", "is more than the upload was said to have: the file has changed");
        }
        if end < length_bytes && !bytes.len().is_multiple_of(limits::BLOB_CHUNK_BYTES) {
            return invalid("data", "must be whole chunks of 61,440 bytes, but for the last");
        }
        draft.touched_ms = now_ms;
        let (first, shape) = (draft.next, draft.sealer.shape());
        let mut parts = bytes.chunks(limits::BLOB_CHUNK_BYTES);
        let mut sealed = Vec::new();
        let mut padding = 0;
        for index in first..shape.chunks() {
            let part = match parts.next() {
                Some(part) => part,
                None if draft.sealer.content_bytes(index) == 0 && padding < PADDING_CHUNKS => {
                    padding += 1;
                    &[]
                }
                None => break,
            };
            let bytes = draft.sealer.seal(index, part).map_err(|error| CommandError::Internal {
                reason: error.to_string(),
            })?;
            sealed.push(Chunk {
                index,
                proof: Vec::new(),
                bytes,
            });
        }
        let leaves = self.draft_leaves(&upload, rows)?;
        self.keep_sealed(now_ms, upload, leaves, sealed)
    }

    /// Keeps sealed chunks of a draft, which is finished with the last of them.
    fn keep_sealed(
        &mut self,
        now_ms: u64,
        upload: [u8; 32],
        mut leaves: Vec<[u8; 32]>,
        sealed: Vec<Chunk>,
    ) -> Result<Reply, CommandError> {
        let first_group = leaves.len() / LEAVES;
        for chunk in sealed {
            leaves.push(blob::leaf(chunk.index, &chunk.bytes));
            let key = What::Put.chunk_key(&upload, chunk.index);
            self.put_fresh(Tree::BlobChunks, key, chunk.encode());
        }
        for (group, hashes) in leaves.chunks(LEAVES).enumerate().skip(first_group) {
            self.put_fresh(Tree::BlobLeaves, leaves_key(&upload, group), hashes.concat());
        }
        // Of the others' hashes none are kept in memory.
        for draft in self.blobs.drafts.values_mut() {
            draft.leaves = None;
        }
        let Some(draft) = self.blobs.drafts.get_mut(&upload) else {
            return Err(CommandError::NotFound { field: "upload" });
        };
        draft.next = u32::try_from(leaves.len()).unwrap_or(u32::MAX);
        let shape = draft.sealer.shape();
        if draft.next < shape.chunks() {
            let written_bytes = draft.written_bytes();
            draft.leaves = Some(leaves);
            self.write_draft(&upload)?;
            return Ok(Reply::Written {
                upload,
                written_bytes,
                blob: None,
            });
        }
        let tree = HashTree::new(leaves);
        let (blob, strip) = (draft.sealer.finish(&tree), draft.strip);
        self.blobs.drafts.remove(&upload);
        self.delete_fresh(Tree::Blobs, row_key(b'd', &upload));
        let row = encode(&UploadRow { blob: blob.id, strip })?;
        self.put_fresh(Tree::Blobs, row_key(b'u', &upload), row);
        self.blobs.trees.insert(upload, tree);
        self.blobs
            .puts
            .insert(blob.id, Put::of_file(now_ms, upload, &blob, shape));
        self.write_put(&blob.id)?;
        self.blobs.due_ms = 0;
        Ok(Reply::Written {
            upload,
            written_bytes: blob.length_bytes,
            blob: Some(blob.id),
        })
    }

    /// Forgets a file that is being written, is fetched, or that no message of ours names.
    pub(in crate::client) fn file_cancel(&mut self, id: [u8; 32]) -> Result<Reply, CommandError> {
        if self.blobs.drafts.contains_key(&id) {
            self.delete_draft(&id);
            return Ok(Reply::Done);
        }
        let blob = self.uploaded(&id).map_or(BlobId(id), |(blob, _)| blob);
        if self.blobs.puts.get(&blob).is_some_and(|put| put.is_attached()) {
            return Err(CommandError::Invalid {
                field: "blob",
                reason: "is part of a message; delete that",
            });
        }
        let is_file = self.blobs.puts.get(&blob).is_some_and(|put| put.file.is_some());
        if !is_file && self.blobs.gets.get(&blob).is_none_or(|get| get.file_shape().is_none()) {
            return Err(CommandError::NotFound { field: "blob" });
        }
        self.blob_forget(&blob);
        Ok(Reply::Done)
    }

    /// How a message names files of ours.
    pub(in crate::client) fn attachments(
        &self,
        chat: &ChatId,
        files: Vec<FileContent>,
    ) -> Result<Vec<Attachment>, CommandError> {
        let Some(topic) = self.topic_of(chat).map(|topic| topic.public()) else {
            return Err(CommandError::NotFound { field: "chat" });
        };
        let mut items = Vec::new();
        for FileContent {
            blob,
            name,
            media_type,
            caption,
            media,
        } in files
        {
            let put = self.blobs.puts.get(&blob);
            let Some((put, file)) = put.and_then(|put| put.file.as_ref().map(|file| (put, file))) else {
                return Err(CommandError::NotFound { field: "body.blob" });
            };
            items.push(Attachment {
                blob: file.reference(blob),
                topic: put.topic().unwrap_or(topic),
                name,
                media_type,
                caption,
                media,
            });
        }
        let checked = items.iter().try_for_each(Attachment::check);
        checked.map_err(|_| CommandError::Invalid {
            field: "body",
            reason: "has a name, media type or size that no attachment can have",
        })?;
        Ok(items)
    }

    /// Whether files aren't part of another message already: so that what deletes one takes nothing from another.
    pub(in crate::client) fn check_files(&self, files: &[&Attachment]) -> Result<(), CommandError> {
        let mut seen = std::collections::BTreeSet::new();
        for item in files {
            let put = self.blobs.puts.get(&item.blob.id);
            if !seen.insert(item.blob.id) || put.is_some_and(|put| put.is_attached()) {
                return Err(CommandError::Invalid {
                    field: "body.blob",
                    reason: "is part of a message already; put the file again",
                });
            }
        }
        Ok(())
    }

    /// Fetches the files of a message that just came, if they are small.
    pub(in crate::client) fn files_came(&mut self, now_ms: u64, chat: ChatId, body: &Body) {
        let files = body.attachments().into_iter();
        for item in files.filter(|item| item.blob.length_bytes <= FETCHED_AT_ONCE) {
            // Where there is no room it is fetched when somebody asks for it.
            if self.fetch_item(now_ms, chat, item).is_err() {
                return;
            }
        }
    }

    /// Fetches the files of a message.
    pub(in crate::client) fn file_fetch(
        &mut self,
        now_ms: u64,
        message: MessageId,
        chat: ChatId,
        rows: &dyn Rows,
    ) -> Result<Reply, CommandError> {
        let found = self.found(&chat, &message, rows)?;
        let Some(found) = found else {
            return Err(CommandError::NotFound { field: "message" });
        };
        let files = found.row.body.attachments();
        if files.is_empty() {
            return Err(CommandError::Invalid {
                field: "message",
                reason: "has no files",
            });
        }
        for item in files {
            if !self.blobs.puts.contains_key(&item.blob.id) {
                self.fetch_item(now_ms, chat, item)?;
            }
        }
        Ok(Reply::Done)
    }

    /// The topic on which files of a chat, or of an own channel, which has its id here, are put.
    pub(super) fn topic_of(&self, chat: &ChatId) -> Option<TopicSecret> {
        match self.chats.get(chat) {
            Some(chat) => Some(chat.row.topic.clone()),
            None => self.own_channel_topic(&ChannelId(chat.0)),
        }
    }

    /// Fetches the files of a post that just came, if they are small.
    pub(in crate::client) fn post_files_came(&mut self, now_ms: u64, channel: ChannelId, files: &[&Attachment]) {
        let small = files.iter().filter(|item| item.blob.length_bytes <= FETCHED_AT_ONCE);
        for item in small {
            if self.fetch_item(now_ms, ChatId(channel.0), item).is_err() {
                return;
            }
        }
    }

    /// Fetches the files of a post.
    pub(in crate::client) fn post_files_fetch(
        &mut self,
        now_ms: u64,
        channel: ChannelId,
        files: &[&Attachment],
    ) -> Result<Reply, CommandError> {
        for item in files {
            if !self.blobs.puts.contains_key(&item.blob.id) {
                self.fetch_item(now_ms, ChatId(channel.0), item)?;
            }
        }
        Ok(Reply::Done)
    }

    fn fetch_item(&mut self, now_ms: u64, chat: ChatId, item: &Attachment) -> Result<(), CommandError> {
        if self.blobs.gets.contains_key(&item.blob.id) {
            self.blobs.due_ms = 0;
            return Ok(());
        }
        let shape = item.blob.shape().map_err(|_| CommandError::Invalid {
            field: "message",
            reason: "names a file of a size that none has",
        })?;
        self.make_room_for_file(now_ms, shape.sealed_bytes())?;
        self.file_get(now_ms, item.topic, chat, &item.blob)
    }

    /// Lets go of the files of a message that is gone.
    pub(in crate::client) fn forget_files(&mut self, body: &Body) {
        for item in body.attachments() {
            self.blob_forget(&item.blob.id);
        }
    }

    /// The longest here go first: those that were fetched, then our own that relays have or had.
    fn make_room_for_file(&mut self, now_ms: u64, bytes: u64) -> Result<(), CommandError> {
        if !self.blobs.has_room(bytes) {
            return Err(CommandError::DiskFull);
        }
        loop {
            let (taken, count) = self.blobs.file_bytes();
            if count < FILES && taken.saturating_add(bytes) <= self.config.file_bytes {
                return Ok(());
            }
            let gets = self.blobs.gets.iter().filter(|(_, get)| get.is_whole_file());
            let oldest = gets.min_by_key(|(_, get)| get.since_ms()).map(|(blob, _)| *blob);
            let own = || {
                let puts = self.blobs.puts.iter().filter(|(_, put)| put.may_make_room(now_ms));
                puts.min_by_key(|(_, put)| put.since_ms).map(|(blob, _)| *blob)
            };
            let Some(oldest) = oldest.or_else(own) else {
                let limit = usize::try_from(self.config.file_bytes).unwrap_or(usize::MAX);
                return Err(super::limit("bytes of files that are kept", limit));
            };
            self.blob_forget(&oldest);
        }
    }

    /// False if the row says nothing that this version knows.
    pub(super) fn load_draft(&mut self, stored: &[u8], row: &DraftRow) -> bool {
        let upload = stored.get(1..).and_then(|id| <[u8; 32]>::try_from(id).ok());
        let sealer = Sealer::new(BlobKey::from_bytes(row.key), row.length_bytes).ok();
        let (Some(upload), Some(sealer)) = (upload, sealer) else {
            return false;
        };
        let draft = Draft {
            sealer,
            next: row.next,
            touched_ms: row.touched_ms,
            strip: row.strip,
            leaves: None,
        };
        self.blobs.drafts.insert(upload, draft);
        true
    }

    pub(super) fn expire_drafts(&mut self, now_ms: u64) {
        let over = |draft: &Draft| now_ms.abs_diff(draft.touched_ms) >= DRAFT_MS;
        let drafts = self.blobs.drafts.iter().filter(|(_, draft)| over(draft));
        for upload in drafts.map(|(upload, _)| *upload).collect::<Vec<_>>() {
            self.delete_draft(&upload);
        }
        let unnamed = |put: &Put| put.file.is_some() && !put.is_attached() && now_ms.abs_diff(put.since_ms) >= DRAFT_MS;
        let puts = self.blobs.puts.iter().filter(|(_, put)| unnamed(put));
        for blob in puts.map(|(blob, _)| *blob).collect::<Vec<_>>() {
            self.blob_forget(&blob);
        }
    }

    fn draft_leaves(&mut self, upload: &[u8; 32], rows: &dyn Rows) -> Result<Vec<[u8; 32]>, CommandError> {
        let Some(draft) = self.blobs.drafts.get_mut(upload) else {
            return Err(CommandError::NotFound { field: "upload" });
        };
        if let Some(leaves) = draft.leaves.take() {
            return Ok(leaves);
        }
        let next = draft.next;
        Ok(self.leaves(upload, next, rows)?)
    }

    /// A file of ours by the number of its upload, with its length.
    fn uploaded(&self, upload: &[u8; 32]) -> Option<(BlobId, u64)> {
        let mut puts = self.blobs.puts.iter();
        puts.find_map(|(blob, put)| {
            let file = put.file.as_ref().filter(|file| file.upload == *upload)?;
            Some((*blob, file.length_bytes))
        })
    }

    fn write_draft(&mut self, upload: &[u8; 32]) -> Result<(), RowsError> {
        let Some(draft) = self.blobs.drafts.get(upload) else {
            return Ok(());
        };
        let row = encode(&DraftRow {
            key: *draft.sealer.key().to_bytes(),
            length_bytes: draft.sealer.length_bytes(),
            next: draft.next,
            touched_ms: draft.touched_ms,
            strip: draft.strip,
        })?;
        self.put_fresh(Tree::Blobs, row_key(b'd', upload), row);
        Ok(())
    }

    fn delete_draft(&mut self, upload: &[u8; 32]) {
        let Some(draft) = self.blobs.drafts.remove(upload) else {
            return;
        };
        self.delete_fresh(Tree::Blobs, row_key(b'd', upload));
        self.delete_sealed(upload, draft.next);
    }

    /// Removes the first chunks of a file of ours, their hashes, and what its upload became.
    pub(super) fn delete_sealed(&mut self, upload: &[u8; 32], chunks: u32) {
        self.delete_fresh(Tree::Blobs, row_key(b'u', upload));
        for index in 0..chunks {
            self.delete_fresh(Tree::BlobChunks, What::Put.chunk_key(upload, index));
        }
        for group in 0..(chunks as usize).div_ceil(LEAVES) {
            self.delete_fresh(Tree::BlobLeaves, leaves_key(upload, group));
        }
    }
}
