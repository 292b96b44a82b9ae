//! Kinds of messages beside plain text: what a user can send, and what edits, deletions, reactions and votes do to the message that they
//! name (`spec/message.md`, section 3).
//!
//! They may come before it, and in any order. What they do waits until the input is taken, when rows can be read (`work_off`).

use super::effects::EffectsRow;
use super::expiry;
use super::io::CommandError;
use super::records::{MessageRow, decode, encode_small, key};
use super::{Client, EventRow};
use crate::channel::ChannelLink;
use crate::keys::{AccountId, BlobId, ChatId, MessageId};
use crate::limits;
use crate::message::{
    Attachment, Body, CardAnswer, CardDeed, Durable, Edit, Files, Media, Mention, Picture, Pin, Poll, Reaction, Rich,
    Shared, Vote, extensions, mentions_fit,
};
use crate::rows::{Rows, RowsError, Tree, prefix_end};
use crate::share::SharedCard;
use std::collections::BTreeMap;

/// Bytes of a message beside its body and fallback: parents, extensions and numbers take less.
const OVERHEAD_BYTES: usize = 1024;

/// What a user sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A text.
    Text {
        /// At most [`limits::TEXT_BYTES`].
        text: String,
        /// The message of the same chat that it answers.
        reply_to: Option<MessageId>,
        /// Who is named in it, ascending.
        mentions: Vec<Mention>,
    },
    /// A question.
    Poll(Poll),
    /// Files of ours, which were sealed.
    Files(FilesContent),
    /// A card of an app or a page.
    Share(Box<ShareContent>),
    /// A channel to follow.
    Channel(Box<ChannelLink>),
    /// What became of a card.
    CardAnswer(CardAnswer),
    /// Another text for an own message.
    Edit(Edit),
    /// An own message is taken back.
    Delete {
        /// Which.
        message: MessageId,
    },
    /// An emoji at a message, or one taken back.
    Reaction(Reaction),
    /// An answer to a poll.
    Vote(Vote),
    /// A message is kept in sight, or no longer.
    Pin(Pin),
}

/// Files, and a text that goes with them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilesContent {
    /// 1 to [`limits::ATTACHMENTS`].
    pub items: Vec<FileContent>,
    /// At most [`limits::TEXT_BYTES`].
    pub text: String,
}

/// A card, and files of ours that show its pictures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareContent {
    /// What is shown, and who stands for it. Who sends it has looked at its end.
    pub card: SharedCard,
    /// Files by the places of the card's pictures that they show.
    pub pictures: BTreeMap<u8, FileContent>,
}

/// A file of ours that a message is to name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileContent {
    /// The sealed file.
    pub blob: BlobId,
    /// What it is called.
    pub name: String,
    /// Its media type.
    pub media_type: String,
    /// What is written under it, at most [`limits::CAPTION_BYTES`].
    pub caption: String,
    /// What more is known of it.
    pub media: Media,
}

impl FilesContent {
    fn check(&self) -> Result<(), CommandError> {
        within("body.text", self.text.len(), limits::TEXT_BYTES)?;
        few(self.items.len())?;
        self.items.iter().try_for_each(FileContent::check)
    }
}

impl FileContent {
    fn check(&self) -> Result<(), CommandError> {
        within("body.name", self.name.len(), limits::FILE_NAME_BYTES)?;
        within("body.caption", self.caption.len(), limits::CAPTION_BYTES)?;
        match &self.media {
            Media::File => Ok(()),
            Media::Image(image) => {
                within("body.thumbnail", image.thumbnail.len(), limits::THUMBNAIL_BYTES)?;
                within("body.preview", image.preview.len(), limits::PREVIEW_BYTES)
            }
            Media::Voice(voice) => within("body.waveform", voice.waveform.len(), limits::WAVEFORM_BYTES),
        }
    }
}

fn few(files: usize) -> Result<(), CommandError> {
    if files > limits::ATTACHMENTS {
        return Err(CommandError::Limit {
            what: "files in a message",
            limit: limits::ATTACHMENTS,
        });
    }
    Ok(())
}

impl From<String> for Content {
    fn from(text: String) -> Self {
        Self::Text {
            text,
            reply_to: None,
            mentions: Vec::new(),
        }
    }
}

impl From<&str> for Content {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl Content {
    /// Bytes of its texts.
    pub fn len(&self) -> usize {
        match self {
            Self::Text { text, .. } | Self::Edit(Edit { text, .. }) => text.len(),
            Self::Poll(poll) => poll.question.len() + poll.options.iter().map(String::len).sum::<usize>(),
            Self::Reaction(reaction) => reaction.emoji.len(),
            Self::Files(files) => files.text.len() + files.items.iter().map(|item| item.name.len()).sum::<usize>(),
            Self::Share(share) => share.card.share.canonical().len(),
            Self::Channel(link) => link.name.len(),
            Self::Delete { .. } | Self::Vote(_) | Self::Pin(_) | Self::CardAnswer(_) => 0,
        }
    }

    /// Whether it has no text.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The body and the fallback that say it; who has the files makes the body of these.
    pub(super) fn into_parts(
        self,
        of_files: impl FnOnce(Vec<FileContent>) -> Result<Vec<Attachment>, CommandError>,
    ) -> Result<(Body, String), CommandError> {
        Ok(match self {
            Self::Files(files) => {
                files.check()?;
                let text = files.text;
                let files = Files {
                    items: of_files(files.items)?,
                };
                let fallback = files_text(&files, text);
                whole(Body::Files(files), fallback)?
            }
            Self::Share(content) => {
                let ShareContent { card, pictures } = *content;
                few(pictures.len())?;
                pictures.values().try_for_each(FileContent::check)?;
                let (places, files): (Vec<u8>, Vec<FileContent>) = pictures.into_iter().unzip();
                let files = of_files(files)?;
                let pictures = places
                    .into_iter()
                    .zip(files)
                    .map(|(place, file)| Picture { place, file });
                let shared = Shared {
                    pictures: pictures.collect(),
                    card,
                };
                shared.check().map_err(|_| CommandError::Invalid {
                    field: "share",
                    reason: "has a signature that doesn't hold, or a picture that isn't one of its card",
                })?;
                let fallback = shared.card.share.fallback();
                whole(Body::Share(Box::new(shared)), fallback)?
            }
            Self::Channel(link) => {
                let fallback = [link.name.as_str(), &link.to_link()].join("\n");
                (Body::Channel(link), fallback.trim_start().to_owned())
            }
            Self::CardAnswer(answer) => {
                if let CardDeed::Postback { button, data } = &answer.what {
                    within("button", button.len(), limits::SHARE_BUTTON_BYTES)?;
                    within("data", data.len(), limits::SHARE_POSTBACK_BYTES)?;
                }
                answer.check().map_err(|_| CommandError::Invalid {
                    field: "data",
                    reason: "must not be empty, and be of a button",
                })?;
                (Body::CardAnswer(answer), String::new())
            }
            Self::Text {
                text,
                reply_to,
                mentions,
            } => {
                within("body.text", text.len(), limits::TEXT_BYTES)?;
                fit("body.mentions", &text, &mentions)?;
                if reply_to.is_none() && mentions.is_empty() {
                    (Body::Text(text), String::new())
                } else {
                    (Body::Rich(Rich { reply_to, mentions }), text)
                }
            }
            Self::Poll(poll) => {
                within("body.question", poll.question.len(), limits::POLL_QUESTION_BYTES)?;
                for option in &poll.options {
                    within("body.options", option.len(), limits::POLL_OPTION_BYTES)?;
                }
                if poll.options.len() > limits::POLL_OPTIONS {
                    return Err(CommandError::Limit {
                        what: "options of a poll",
                        limit: limits::POLL_OPTIONS,
                    });
                }
                poll.check().map_err(|_| CommandError::Invalid {
                    field: "body.options",
                    reason: "a poll has a question and at least two options, none of them empty",
                })?;
                let fallback = lines(&poll);
                (Body::Poll(poll), fallback)
            }
            Self::Edit(edit) => {
                within("text", edit.text.len(), limits::TEXT_BYTES)?;
                fit("mentions", &edit.text, &edit.mentions)?;
                (Body::Edit(edit), String::new())
            }
            Self::Delete { message } => (Body::Delete { message }, String::new()),
            Self::Reaction(reaction) => {
                within("emoji", reaction.emoji.len(), limits::EMOJI_BYTES)?;
                if reaction.emoji.is_empty() || reaction.emoji.chars().any(|c| c.is_control() || c.is_whitespace()) {
                    return Err(CommandError::Invalid {
                        field: "emoji",
                        reason: "must be an emoji, without spaces",
                    });
                }
                (Body::Reaction(reaction), String::new())
            }
            Self::Vote(mut vote) => {
                vote.choices.sort_unstable();
                vote.choices.dedup();
                (Body::Vote(vote), String::new())
            }
            Self::Pin(pin) => (Body::Pin(pin), String::new()),
        })
    }
}

fn within(field: &'static str, found: usize, limit: usize) -> Result<(), CommandError> {
    if found > limit {
        return Err(CommandError::TooLarge { field, found, limit });
    }
    Ok(())
}

fn fit(field: &'static str, text: &str, mentions: &[Mention]) -> Result<(), CommandError> {
    if mentions.len() > limits::MENTIONS {
        return Err(CommandError::Limit {
            what: "mentions in a text",
            limit: limits::MENTIONS,
        });
    }
    mentions_fit(text, mentions).map_err(|_| CommandError::Invalid {
        field,
        reason: "must ascend, not overlap, and name whole characters of the text",
    })
}

/// What must fit a message as a whole.
fn whole(body: Body, fallback: String) -> Result<(Body, String), CommandError> {
    within(
        "body",
        body.bytes().len() + fallback.len(),
        limits::MESSAGE_BYTES - OVERHEAD_BYTES,
    )?;
    Ok((body, fallback))
}

/// What goes with files: their names, where nothing was written.
pub(super) fn files_text(files: &Files, text: String) -> String {
    if !text.is_empty() {
        return text;
    }
    let names: Vec<&str> = files.items.iter().map(|item| item.name.as_str()).collect();
    names.join("\n")
}

/// A poll for programs that know none.
fn lines(poll: &Poll) -> String {
    let options = poll.options.iter().map(|option| format!("\n– {option}"));
    std::iter::once(poll.question.clone()).chain(options).collect()
}

/// Something that was done to a message and waits to be looked at.
pub(super) struct Done {
    chat: ChatId,
    account: AccountId,
    id: MessageId,
    now_ms: u64,
    message: Durable,
}

/// A message as it is stored.
pub(super) struct Found {
    pub stored: Vec<u8>,
    pub row: MessageRow,
    pub account: AccountId,
}

impl Client {
    /// Notes what a message that isn't shown does to another.
    pub(super) fn note_effect(
        &mut self,
        now_ms: u64,
        chat: ChatId,
        account: AccountId,
        id: MessageId,
        message: Durable,
    ) {
        if message.body.target().is_some() {
            self.done.push(Done {
                chat,
                account,
                id,
                now_ms,
                message,
            });
        }
    }

    /// Does what waited for rows that can be read: at the end of each input.
    pub(super) fn work_off(&mut self, now_ms: u64, rows: &dyn Rows) -> Result<(), RowsError> {
        self.move_messages(rows)?;
        self.store_returned(rows)?;
        for (chat, id) in std::mem::take(&mut self.arrived) {
            self.meet_early(chat, id, rows)?;
        }
        for done in std::mem::take(&mut self.done) {
            self.apply(done, rows)?;
        }
        self.erase_due(now_ms, rows)
    }

    /// A message of a chat, also one of a step that isn't committed yet.
    pub(super) fn found(&self, chat_id: &ChatId, id: &MessageId, rows: &dyn Rows) -> Result<Option<Found>, RowsError> {
        let Some(place) = self.fresh.get(rows, Tree::MessageIds, &key::message_id(id))? else {
            return Ok(None);
        };
        let stored = key::message_at(&place, id);
        let Some(chat) = self.chats.get(chat_id).filter(|chat| stored.starts_with(&chat.id.0)) else {
            return Ok(None);
        };
        let Some(value) = self.fresh.get(rows, Tree::Messages, &stored)? else {
            return Ok(None);
        };
        let row: MessageRow = decode(&value)?;
        let author = chat.row.authors.get(row.author as usize);
        // Keys hold half of an id.
        Ok(author
            .filter(|author| author.stream.message(row.sequence) == *id)
            .map(|author| Found {
                stored,
                account: author.account,
                row,
            }))
    }

    /// Whether the user may send a body that names another message.
    pub(super) fn check_target(&self, chat: &ChatId, body: &Body, rows: &dyn Rows) -> Result<(), CommandError> {
        if let Body::Rich(Rich {
            reply_to: Some(message),
            ..
        }) = body
        {
            return match self.found(chat, message, rows)? {
                Some(_) => Ok(()),
                None => Err(CommandError::NotFound { field: "body.reply_to" }),
            };
        }
        let files = body.attachments();
        if !files.is_empty() {
            return self.check_files(&files);
        }
        let Some(target) = body.target() else {
            return Ok(());
        };
        let Some(found) = self.found(chat, &target, rows)? else {
            return Err(CommandError::NotFound { field: "message" });
        };
        let refused = |reason| {
            Err(CommandError::Invalid {
                field: "message",
                reason,
            })
        };
        let own = found.account == self.account_in(chat);
        match (body, &found.row.body) {
            (Body::Edit(_) | Body::Delete { .. }, _) if !own => Err(CommandError::NotAllowed {
                reason: "only its author can change a message",
            }),
            _ if found.row.deleted => refused("was deleted"),
            (Body::Edit(_), Body::Text(_) | Body::Rich(_)) => Ok(()),
            (Body::Edit(_), _) => refused("is not a text, and only texts can be edited"),
            (Body::Vote(vote), Body::Poll(poll)) if !counts(poll, &vote.choices) => Err(CommandError::Invalid {
                field: "choices",
                reason: "must be places of the poll's options from 0, and only one unless it allows several",
            }),
            (Body::Vote(_), Body::Poll(_)) => Ok(()),
            (Body::Vote(_), _) => refused("is not a poll"),
            (Body::Pin(_), _) if !self.may_pin(chat) => Err(CommandError::NotAllowed {
                reason: "only admins pin a group's messages",
            }),
            (Body::CardAnswer(_), Body::Share(_)) => Ok(()),
            (Body::CardAnswer(_), _) => refused("is no card of an app"),
            _ => Ok(()),
        }
    }

    /// Whether what this account pins counts in a chat.
    fn may_pin(&self, chat: &ChatId) -> bool {
        let own = self.account_in(chat);
        let chat = self.chats.get(chat);
        chat.is_some_and(|chat| chat.row.context.lets_pin(&own))
    }

    fn apply(&mut self, done: Done, rows: &dyn Rows) -> Result<(), RowsError> {
        let Some(target) = done.message.body.target() else {
            return Ok(());
        };
        let Some(found) = self.found(&done.chat, &target, rows)? else {
            if self.merge(&done, target, rows)? {
                let after_s = extensions::expires_after_s(&done.message.extensions);
                self.keep_early(done.now_ms, done.chat, target, after_s, rows)?;
            }
            return Ok(());
        };
        if let Body::CardAnswer(answer) = &done.message.body {
            let own = self.account_in(&done.chat);
            let ours = found.account == own && matches!(found.row.body, Body::Share(_));
            // It was opened only once, however often that is told.
            let news = matches!(answer.what, CardDeed::Postback { .. }) || self.merge(&done, target, rows)?;
            if ours && news && done.account != own {
                self.event(&EventRow::CardAnswered {
                    chat: done.chat,
                    account: done.account,
                    answer: answer.clone(),
                });
            }
            return Ok(());
        }
        let own = found.account == done.account;
        let applies = match (&done.message.body, &found.row.body) {
            _ if found.row.deleted => false,
            (Body::Delete { .. }, _) if own => {
                self.blank(done.chat, target, found, rows)?;
                self.event(&EventRow::MessageUpdated { message: target });
                return Ok(());
            }
            (Body::Edit(_), Body::Text(_) | Body::Rich(_)) => own,
            (Body::Vote(_), Body::Poll(_)) | (Body::Reaction(_) | Body::Pin(_), _) => true,
            _ => false,
        };
        if applies && self.merge(&done, target, rows)? {
            if matches!(done.message.body, Body::Pin(_)) {
                self.put_fresh(Tree::Pins, key::effects(&done.chat, &target), Vec::new());
            }
            self.touch(found)?;
            self.event(&EventRow::MessageUpdated { message: target });
        }
        Ok(())
    }

    /// Adds to what an account did to a message; false if that changes nothing.
    fn merge(&mut self, done: &Done, target: MessageId, rows: &dyn Rows) -> Result<bool, RowsError> {
        let stored = key::effects_of(&done.chat, &target, &done.account);
        let mut row = match self.fresh.get(rows, Tree::Effects, &stored)? {
            Some(bytes) => decode(&bytes)?,
            None => EffectsRow::new(done.account),
        };
        let stamp = (done.message.clock, done.message.sent_ms, done.id);
        let changed = row.take(stamp, done.now_ms, &done.message.body);
        if changed {
            self.put_fresh(Tree::Effects, stored, encode_small(&row)?);
        }
        Ok(changed)
    }

    /// Marks a message as one to which something was done, so that the others cost no look at what was.
    fn touch(&mut self, found: Found) -> Result<(), RowsError> {
        if found.row.touched {
            return Ok(());
        }
        let row = MessageRow {
            touched: true,
            ..found.row
        };
        self.put_fresh(Tree::Messages, found.stored, encode_small(&row)?);
        Ok(())
    }

    /// Leaves of a deleted message that it was there.
    fn blank(&mut self, chat: ChatId, id: MessageId, found: Found, rows: &dyn Rows) -> Result<(), RowsError> {
        self.forget_files(&found.row.body);
        let row = MessageRow {
            body: Body::Text(String::new()),
            fallback: String::new(),
            touched: false,
            deleted: true,
            ..found.row
        };
        self.put_fresh(Tree::Messages, found.stored, encode_small(&row)?);
        self.erase_effects(&key::effects(&chat, &id), rows)
    }

    /// Erases all that was done to a message.
    pub(super) fn erase_effects(&mut self, prefix: &[u8], rows: &dyn Rows) -> Result<(), RowsError> {
        let done = self
            .fresh
            .range(rows, Tree::Effects, prefix, &prefix_end(prefix), usize::MAX)?;
        for (stored, value) in done {
            if decode::<EffectsRow>(&value)?.pin.is_some() {
                self.delete_fresh(Tree::Pins, prefix.to_vec());
            }
            self.delete_fresh(Tree::Effects, stored);
        }
        Ok(())
    }

    /// A message is here to which something was done before: now its author is known.
    fn meet_early(&mut self, chat: ChatId, id: MessageId, rows: &dyn Rows) -> Result<(), RowsError> {
        if !self.drop_early(chat, expiry::short(&id)) {
            return Ok(());
        }
        let Some(found) = self.found(&chat, &id, rows)? else {
            return Ok(());
        };
        let prefix = key::effects(&chat, &id);
        let (mut deleted, mut pinned) = (false, false);
        let early = self
            .fresh
            .range(rows, Tree::Effects, &prefix, &prefix_end(&prefix), usize::MAX)?;
        for (stored, value) in early {
            let row: EffectsRow = decode(&value)?;
            pinned |= row.pin.is_some();
            if row.account == found.account {
                deleted = row.deleted;
                continue;
            }
            if row.edit.is_some() || row.deleted {
                let row = EffectsRow {
                    edit: None,
                    deleted: false,
                    ..row
                };
                self.put_fresh(Tree::Effects, stored, encode_small(&row)?);
            }
        }
        if deleted {
            return self.blank(chat, id, found, rows);
        }
        if pinned {
            self.put_fresh(Tree::Pins, prefix, Vec::new());
        }
        self.touch(found)
    }
}

/// Whether choices are an answer to a poll.
pub(super) fn counts(poll: &Poll, choices: &[u8]) -> bool {
    let in_range = choices.iter().all(|choice| usize::from(*choice) < poll.options.len());
    in_range && (poll.multiple || choices.len() <= 1)
}
