//! What can be sent and done to messages: the parameters of `message.send`, `message.edit` and the like.

use std::fmt;

use data_encoding::BASE64;
use schemars::JsonSchema;
use serde_json::Value;

use super::error::ApiError;
use super::ids::{AppKey, BlobId, ChatId, MessageId};
use super::limits::{
    MAX_ATTACHMENTS, MAX_CAPTION, MAX_EMOJI, MAX_FILE_NAME, MAX_IDEMPOTENCY_KEY, MAX_MEDIA_TYPE, MAX_MENTIONS,
    MAX_OPTION, MAX_OPTIONS, MAX_QUESTION, MAX_TEXT, MAX_WAVEFORM,
};
use super::params::{Fields, FromParams, too_large};
use super::schema::{Base64, ChannelLink, Text};
use super::types::Mention;

/// Parameters of `message.send`.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct SendParams {
    /// Where to.
    pub chat: ChatId,
    /// What.
    pub body: SendBody,
    /// The same key with the same chat and body gives the same message, for seven days; with another body an error.
    #[schemars(with = "Option<Text<1, MAX_IDEMPOTENCY_KEY>>")]
    pub idempotency_key: Option<String>,
}

/// A body that can be sent.
#[derive(Clone, PartialEq, Eq, JsonSchema)]
#[schemars(tag = "kind", rename_all = "snake_case")]
pub enum SendBody {
    /// Text.
    Text {
        /// What it says.
        #[schemars(with = "Text<0, MAX_TEXT>")]
        text: String,
        /// The message that it answers.
        reply_to: Option<MessageId>,
        /// Who is named in it: whole characters of the text, ascending, without overlaps.
        #[schemars(default, length(max = MAX_MENTIONS))]
        mentions: Vec<Mention>,
    },
    /// A question with options to choose from.
    Poll {
        /// The question.
        #[schemars(with = "Text<1, MAX_QUESTION>")]
        question: String,
        /// What can be chosen.
        #[schemars(with = "Vec<Text<1, MAX_OPTION>>", length(min = 2, max = MAX_OPTIONS))]
        options: Vec<String>,
        /// Whether one may choose several.
        #[schemars(default)]
        multiple: bool,
    },
    /// A file.
    File {
        /// Which.
        file: SendFile,
        /// What is written with it.
        #[schemars(default, with = "Text<0, MAX_TEXT>")]
        text: String,
    },
    /// An image: JPEG, PNG, WebP or GIF.
    Image {
        /// Which.
        file: SendFile,
        /// What is written with it.
        #[schemars(default, with = "Text<0, MAX_TEXT>")]
        text: String,
    },
    /// A voice note: WAV, or Opus in Ogg.
    Voice {
        /// Which.
        file: SendFile,
        /// What is written with it.
        #[schemars(default, with = "Text<0, MAX_TEXT>")]
        text: String,
    },
    /// Several files; those whose media type says so as images.
    Album {
        /// In their order.
        #[schemars(length(min = 1, max = MAX_ATTACHMENTS))]
        files: Vec<SendFile>,
        /// What is written with them.
        #[schemars(default, with = "Text<0, MAX_TEXT>")]
        text: String,
    },
    /// A channel to follow.
    Channel {
        /// Its link, as `channel.get` gives it.
        #[schemars(with = "ChannelLink")]
        link: String,
    },
}

/// A file that is to be sent.
#[derive(Clone, PartialEq, Eq, JsonSchema)]
pub struct SendFile {
    /// Its content, which was written whole.
    pub blob: BlobId,
    /// What it is called: no path.
    #[schemars(with = "Text<1, MAX_FILE_NAME>")]
    pub name: String,
    /// Its media type; told from the name if absent.
    #[schemars(with = "Option<Text<1, MAX_MEDIA_TYPE>>")]
    pub media_type: Option<String>,
    /// What is written under it.
    #[schemars(default, with = "Text<0, MAX_CAPTION>")]
    pub caption: String,
    /// Of an image: send where and when it was taken as well, which is removed otherwise.
    #[schemars(default)]
    pub keep_metadata: bool,
    /// Of a voice note: loudness of equal stretches, a byte each; made from the content if that is WAV.
    #[schemars(with = "Option<Base64<MAX_WAVEFORM>>")]
    pub waveform: Option<Vec<u8>>,
}

/// Gives no names.
impl fmt::Debug for SendFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SendFile({})", self.blob)
    }
}

impl FromParams for SendFile {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        let waveform: Option<String> = fields.optional("waveform")?;
        let waveform = waveform.map(|text| BASE64.decode(text.as_bytes())).transpose();
        let waveform = waveform.map_err(|_| fields.invalid("waveform", "must be base64 with padding"))?;
        if waveform.as_ref().is_some_and(|waveform| waveform.len() > MAX_WAVEFORM) {
            return Err(too_large(fields.path_of("waveform"), MAX_WAVEFORM));
        }
        let name = fields.text("name", MAX_FILE_NAME)?;
        let media_type = fields.optional_text("media_type", MAX_MEDIA_TYPE)?;
        Ok(Self {
            blob: fields.required("blob")?,
            name,
            media_type,
            caption: fields.optional_text("caption", MAX_CAPTION)?.unwrap_or_default(),
            keep_metadata: fields.optional("keep_metadata")?.unwrap_or_default(),
            waveform,
        })
    }
}

fn album(body: &mut Fields) -> Result<SendBody, ApiError> {
    let mut files = body.list("files")?;
    if !(1..=MAX_ATTACHMENTS).contains(&files.len()) {
        return Err(body.invalid("files", format!("must be 1 to {MAX_ATTACHMENTS}")));
    }
    Ok(SendBody::Album {
        files: files.iter_mut().map(SendFile::from_params).collect::<Result<_, _>>()?,
        text: body.optional_text("text", MAX_TEXT)?.unwrap_or_default(),
    })
}

impl FromParams for SendParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        let chat = fields.required("chat")?;
        let mut body = fields.nested("body")?;
        let kind: String = body.required("kind")?;
        let body = match kind.as_str() {
            "text" => SendBody::Text {
                text: body.text("text", MAX_TEXT)?,
                reply_to: body.optional("reply_to")?,
                mentions: mentions(&mut body)?,
            },
            "poll" => poll(&mut body)?,
            "album" => album(&mut body)?,
            "channel" => SendBody::Channel {
                link: body.required("link")?,
            },
            kind @ ("file" | "image" | "voice") => {
                let file = SendFile::from_params(&mut body.nested("file")?)?;
                let text = body.optional_text("text", MAX_TEXT)?.unwrap_or_default();
                match kind {
                    "file" => SendBody::File { file, text },
                    "image" => SendBody::Image { file, text },
                    _ => SendBody::Voice { file, text },
                }
            }
            _ => {
                let reason = "must be \"text\", \"poll\", \"file\", \"image\", \"voice\", \"album\" or \"channel\", the kinds that this version sends";
                return Err(body.invalid("kind", reason));
            }
        };
        Ok(Self {
            chat,
            body,
            idempotency_key: idempotency_key(fields)?,
        })
    }
}

/// The key under which a call may be repeated.
pub(super) fn idempotency_key(fields: &mut Fields) -> Result<Option<String>, ApiError> {
    let key: Option<String> = fields.optional("idempotency_key")?;
    match &key {
        Some(key) if key.is_empty() => Err(fields.invalid("idempotency_key", "must not be empty")),
        Some(key) if key.len() > MAX_IDEMPOTENCY_KEY => Err(too_large("idempotency_key", MAX_IDEMPOTENCY_KEY)),
        _ => Ok(key),
    }
}

/// The key that the node keeps: apps don't see, and don't hit, each other's and the owner's.
pub(super) fn key_of(app: Option<AppKey>, key: Option<String>) -> Option<String> {
    let (Some(app), Some(given)) = (app, &key) else {
        return key;
    };
    let mut hasher = blake3::Hasher::new_derive_key("madang 1 app idempotency key");
    hasher.update(&app.0).update(given.as_bytes());
    Some(hasher.finalize().to_hex().to_string())
}

/// Gives sizes only.
impl fmt::Debug for SendBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text { text, mentions, .. } => {
                write!(f, "Text({} bytes, {} mentions)", text.len(), mentions.len())
            }
            Self::Poll { options, .. } => write!(f, "Poll({} options)", options.len()),
            Self::File { file, .. } => write!(f, "File({file:?})"),
            Self::Image { file, .. } => write!(f, "Image({file:?})"),
            Self::Voice { file, .. } => write!(f, "Voice({file:?})"),
            Self::Album { files, .. } => write!(f, "Album({} files)", files.len()),
            Self::Channel { .. } => f.write_str("Channel"),
        }
    }
}

/// Parameters of `message.edit`; Debug gives the text's size only.
#[derive(Clone, PartialEq, Eq, JsonSchema)]
pub struct EditParams {
    /// The message.
    pub message: MessageId,
    /// What it says from now on.
    #[schemars(with = "Text<0, MAX_TEXT>")]
    pub text: String,
    /// Who is named in that.
    #[schemars(default, length(max = MAX_MENTIONS))]
    pub mentions: Vec<Mention>,
}

impl FromParams for EditParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            message: fields.required("message")?,
            text: fields.text("text", MAX_TEXT)?,
            mentions: mentions(fields)?,
        })
    }
}

impl fmt::Debug for EditParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EditParams({}, {} bytes)", self.message, self.text.len())
    }
}

/// Parameters of `message.react`.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct ReactParams {
    /// The message.
    pub message: MessageId,
    /// Which.
    #[schemars(with = "Text<0, MAX_EMOJI>")]
    pub emoji: String,
    /// Whether it is taken back.
    #[schemars(default)]
    pub remove: bool,
}

impl FromParams for ReactParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            message: fields.required("message")?,
            emoji: fields.text("emoji", MAX_EMOJI)?,
            remove: fields.optional("remove")?.unwrap_or_default(),
        })
    }
}

/// Parameters of `message.vote`.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct VoteParams {
    /// The poll.
    pub message: MessageId,
    /// Places of the chosen options, from 0; none takes the vote back.
    #[schemars(length(max = MAX_OPTIONS))]
    pub choices: Vec<u8>,
}

impl FromParams for VoteParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        let choices = choices(fields)?;
        Ok(Self {
            message: fields.required("message")?,
            choices,
        })
    }
}

/// The options of a poll that are chosen.
pub(super) fn choices(fields: &mut Fields) -> Result<Vec<u8>, ApiError> {
    let choices: Vec<u8> = fields.required("choices")?;
    if choices.len() > MAX_OPTIONS {
        return Err(fields.invalid("choices", format!("are at most {MAX_OPTIONS}")));
    }
    Ok(choices)
}

fn poll(body: &mut Fields) -> Result<SendBody, ApiError> {
    let question = body.text("question", MAX_QUESTION)?;
    if question.is_empty() {
        return Err(body.invalid("question", "must not be empty"));
    }
    let options: Vec<String> = body.required("options")?;
    if !(2..=MAX_OPTIONS).contains(&options.len()) {
        return Err(body.invalid("options", format!("must be 2 to {MAX_OPTIONS}")));
    }
    for (at, option) in options.iter().enumerate() {
        let path = body.path_of(&format!("options[{at}]"));
        if option.is_empty() {
            return Err(ApiError::invalid(path, "must not be empty"));
        }
        if option.len() > MAX_OPTION {
            return Err(too_large(path, MAX_OPTION));
        }
    }
    Ok(SendBody::Poll {
        question,
        options,
        multiple: body.optional("multiple")?.unwrap_or_default(),
    })
}

fn mentions(fields: &mut Fields) -> Result<Vec<Mention>, ApiError> {
    let list: Vec<Value> = fields.optional("mentions")?.unwrap_or_default();
    if list.len() > MAX_MENTIONS {
        return Err(fields.invalid("mentions", format!("are at most {MAX_MENTIONS}")));
    }
    let read = |(at, value): (usize, Value)| {
        serde_json::from_value(value)
            .map_err(|error| ApiError::invalid(fields.path_of(&format!("mentions[{at}]")), error))
    };
    list.into_iter().enumerate().map(read).collect()
}
