//! Files: what messages show of them, and how they are here.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use super::super::ids::BlobId;
use super::super::limits::{MAX_BLOB_PART, MAX_PREVIEW, MAX_THUMBNAIL, MAX_WAVEFORM};
use super::super::schema::Base64;
use super::Held;

/// A file of a message.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attachment {
    /// Its content, for `blob.get` and `/blob/ID`.
    pub blob: BlobId,
    /// What to store it as: one element of a path that every platform takes, made from the sender's name.
    pub name: String,
    /// What to show: the sender's name, its direction isolated.
    pub shown_name: String,
    /// The sender's name may pass for another one: it has hidden or direction-changing characters, or mixes scripts that look alike.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspicious: bool,
    /// Its media type, as the sender says.
    pub media_type: String,
    /// Bytes of its content.
    pub length_bytes: u64,
    /// What the sender writes under it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub caption: String,
    /// Of an image: how wide it is shown, in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Of an image: how high it is shown, in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Of an image: a small JPEG.
    #[schemars(with = "Option<Base64<MAX_THUMBNAIL>>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumbnail: Option<String>,
    /// Of an image: a ThumbHash, a blurred preview.
    #[schemars(with = "Option<Base64<MAX_PREVIEW>>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview: Option<String>,
    /// Of a voice note: how long it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u32>,
    /// Of a voice note: loudness of equal stretches, a byte each.
    #[schemars(with = "Option<Base64<MAX_WAVEFORM>>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waveform: Option<String>,
}

/// Gives sizes only.
impl fmt::Debug for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Attachment({}, {} bytes)", self.blob, self.length_bytes)
    }
}

/// How a file is here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Blob {
    /// Its content; absent while it is being sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blob: Option<BlobId>,
    /// The number of its upload, if it is this account's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload: Option<BlobId>,
    /// How it is.
    pub state: BlobState,
    /// Bytes of its content.
    pub length_bytes: u64,
    /// Bytes of it that are here: of an upload the first, of a fetch any.
    pub here_bytes: u64,
    /// Relays that have it whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<Held>,
}

/// How a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BlobState {
    /// It is being written and sealed.
    Sealing,
    /// It is sealed, and no message names it yet.
    Sealed,
    /// It is on its way to the relays.
    Sending,
    /// A relay has it whole.
    Sent,
    /// It is on its way here.
    Fetching,
    /// All of it is here.
    Fetched,
    /// Nobody gave it in time.
    Lost,
}

/// Files of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Blobs {
    /// In the message's order.
    pub items: Vec<Blob>,
}

/// How far an upload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Written {
    /// The number of the upload.
    pub upload: BlobId,
    /// Where it goes on: bytes that are sealed and on disk.
    pub written_bytes: u64,
    /// The content, once it is sealed whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blob: Option<BlobId>,
}

/// A part of a file.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BlobPart {
    /// Where it begins.
    pub offset_bytes: u64,
    /// Bytes of the whole file.
    pub length_bytes: u64,
    /// The part; empty at the end.
    #[schemars(with = "Base64<MAX_BLOB_PART>")]
    pub data: String,
}

/// Gives sizes only.
impl fmt::Debug for BlobPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "BlobPart({} of {}, {} digits)",
            self.offset_bytes,
            self.length_bytes,
            self.data.len()
        )
    }
}
