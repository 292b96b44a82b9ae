//! Attachments: what a message says of files that travel as blobs (`spec/message.md`, section 3).

use super::body::invalid;
use crate::blob::BlobRef;
use crate::keys::TopicId;
use crate::limits;
use crate::wire::{DecodeError, Reader, Wire, Writer};
use serde::{Deserialize, Serialize};

/// Files with a text, which is the message's fallback: `{Attachment items<V>;}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Files {
    /// 1 to [`limits::ATTACHMENTS`].
    pub items: Vec<Attachment>,
}

/// A file.
///
/// | bytes | field |
/// |---|---|
/// | 73 | reference of the blob |
/// | 32 | topic on whose quota relays keep it |
/// | V | name, UTF-8, at most 255 bytes, of one path element |
/// | V | media type, UTF-8, at most 127 bytes |
/// | V | caption, UTF-8, at most 1,024 bytes |
/// | 1 | what it is: 0 a file, 1 an image, 2 a voice note; then what belongs to that |
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Where its content is.
    #[serde(with = "reference")]
    pub blob: BlobRef,
    /// On whose quota relays keep it.
    pub topic: TopicId,
    /// What it is called: never a path.
    pub name: String,
    /// Its media type, as the sender says.
    pub media_type: String,
    /// What the sender writes under it.
    pub caption: String,
    /// What more is known.
    pub media: Media,
}

/// What an attachment is beside a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Media {
    /// Nothing else.
    File,
    /// An image: `{uint32 width; uint32 height; opaque thumbnail<V>; opaque preview<V>;}`.
    Image(Image),
    /// A voice note: `{uint32 duration_ms; opaque waveform<V>;}`.
    Voice(Voice),
}

/// What a message shows of an image before it is fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// As it is shown, turned by its orientation, in pixels.
    pub width: u32,
    /// As it is shown, in pixels.
    pub height: u32,
    /// A small JPEG or WebP, at most [`limits::THUMBNAIL_BYTES`]; empty for none.
    #[serde(with = "serde_bytes")]
    pub thumbnail: Vec<u8>,
    /// A ThumbHash, at most [`limits::PREVIEW_BYTES`]; empty for none.
    #[serde(with = "serde_bytes")]
    pub preview: Vec<u8>,
}

/// What a message shows of a voice note before it is fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Voice {
    /// How long it is.
    pub duration_ms: u32,
    /// Loudness of equal stretches, 0 to 255, at most [`limits::WAVEFORM_BYTES`]; empty for none.
    #[serde(with = "serde_bytes")]
    pub waveform: Vec<u8>,
}

const MEDIA_FILE: u8 = 0;
const MEDIA_IMAGE: u8 = 1;
const MEDIA_VOICE: u8 = 2;

impl Files {
    /// Requires what the format asks of attachments.
    pub(crate) fn check(&self) -> Result<(), DecodeError> {
        if self.items.is_empty() {
            return Err(invalid("files.items", "must be one at least"));
        }
        self.items.iter().try_for_each(Attachment::check)
    }
}

impl Attachment {
    pub(crate) fn check(&self) -> Result<(), DecodeError> {
        if self.blob.length_bytes > limits::FILE_BYTES {
            return Err(DecodeError::TooLong {
                field: "file.length",
                found: self.blob.length_bytes,
                limit: limits::FILE_BYTES,
            });
        }
        if !is_name(&self.name) {
            return Err(invalid(
                "file.name",
                "must be one element of a path, without control characters",
            ));
        }
        if !is_media_type(&self.media_type) {
            return Err(invalid("file.media_type", "must be a media type like text/plain"));
        }
        if let Media::Image(Image { width: 0, .. } | Image { height: 0, .. }) = self.media {
            return Err(invalid("image.width", "must not be 0"));
        }
        Ok(())
    }
}

/// Whether a text can be the name of a file in a message: not empty, no path, no control character. What a reader stores and shows of it
/// is the reader's own care: it may be a device's name, or look like another one.
pub fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= limits::FILE_NAME_BYTES
        && name != "."
        && name != ".."
        && !name.chars().any(|c| c.is_control() || matches!(c, '/' | '\\'))
}

/// Whether a text is a media type: two tokens (RFC 9110, section 8.3.1), without parameters.
pub fn is_media_type(text: &str) -> bool {
    let is_token = |part: &str| {
        let known = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        !part.is_empty() && part.chars().all(known)
    };
    text.len() <= limits::MEDIA_TYPE_BYTES
        && text
            .split_once('/')
            .is_some_and(|(kind, sub)| is_token(kind) && is_token(sub))
}

impl Wire for Files {
    fn write(&self, w: &mut Writer) {
        w.list(&self.items, |w, item| item.write(w));
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let files = Self {
            items: r.list("files.items", limits::ATTACHMENTS, Attachment::read)?,
        };
        files.check()?;
        Ok(files)
    }
}

impl Wire for Attachment {
    fn write(&self, w: &mut Writer) {
        self.blob.write(w);
        self.topic.write(w);
        w.bytes(self.name.as_bytes());
        w.bytes(self.media_type.as_bytes());
        w.bytes(self.caption.as_bytes());
        match &self.media {
            Media::File => w.u8(MEDIA_FILE),
            Media::Image(image) => {
                w.u8(MEDIA_IMAGE);
                w.u32(image.width);
                w.u32(image.height);
                w.bytes(&image.thumbnail);
                w.bytes(&image.preview);
            }
            Media::Voice(voice) => {
                w.u8(MEDIA_VOICE);
                w.u32(voice.duration_ms);
                w.bytes(&voice.waveform);
            }
        }
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            blob: BlobRef::read(r)?,
            topic: TopicId::read(r)?,
            name: r.text("file.name", limits::FILE_NAME_BYTES)?,
            media_type: r.text("file.media_type", limits::MEDIA_TYPE_BYTES)?,
            caption: r.text("file.caption", limits::CAPTION_BYTES)?,
            media: match r.u8("file.media")? {
                MEDIA_FILE => Media::File,
                MEDIA_IMAGE => Media::Image(Image {
                    width: r.u32("image.width")?,
                    height: r.u32("image.height")?,
                    thumbnail: r.bytes("image.thumbnail", limits::THUMBNAIL_BYTES)?.to_vec(),
                    preview: r.bytes("image.preview", limits::PREVIEW_BYTES)?.to_vec(),
                }),
                MEDIA_VOICE => Media::Voice(Voice {
                    duration_ms: r.u32("voice.duration_ms")?,
                    waveform: r.bytes("voice.waveform", limits::WAVEFORM_BYTES)?.to_vec(),
                }),
                _ => return Err(invalid("file.media", "not known")),
            },
        })
    }
}

/// A reference in a row, as it travels.
mod reference {
    use crate::blob::BlobRef;
    use crate::wire::Wire;
    use serde::de::Error as _;
    use serde::{Deserializer, Serializer};

    pub fn serialize<S: Serializer>(blob: &BlobRef, serializer: S) -> Result<S::Ok, S::Error> {
        serde_bytes::serialize(&blob.encode(), serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BlobRef, D::Error> {
        let bytes: Vec<u8> = serde_bytes::deserialize(deserializer)?;
        BlobRef::decode(&bytes).map_err(D::Error::custom)
    }
}
