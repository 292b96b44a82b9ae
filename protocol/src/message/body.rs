//! What a message says: kinds by number, and the format of each (`spec/message.md`, section 3).

use super::files::{Attachment, Files};
use super::share::Shared;
use crate::channel::ChannelLink;
use crate::keys::{AccountId, MessageId};
use crate::limits;
use crate::wire::{DecodeError, Reader, Wire, Writer};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Body {
    /// Text for people.
    Text(String),
    /// The sender's contact details, for the other side's node; not shown.
    Contact(#[serde(with = "serde_bytes")] Vec<u8>),
    /// What a member asks the others to commit for it: a signed statement; not shown.
    Wish(#[serde(with = "serde_bytes")] Vec<u8>),
    /// What a member calls itself, signed; not shown.
    Profile(#[serde(with = "serde_bytes")] Vec<u8>),
    /// A kind of a later version, or one that can't be read: kept as it is, its fallback shown.
    Unknown {
        /// The kind's number.
        kind: u16,
        /// Its body.
        #[serde(with = "serde_bytes")]
        body: Vec<u8>,
    },
    /// What goes with a text, which is the message's fallback.
    Rich(Rich),
    /// A question; its fallback is the question and the options as lines.
    Poll(Poll),
    /// Files; their fallback is the text that goes with them, or their names as lines.
    Files(Files),
    /// Another text for a message of the author's own; not shown itself.
    Edit(Edit),
    /// Takes back a message of the author's own; not shown itself.
    Delete {
        /// Which message.
        message: MessageId,
    },
    /// An emoji at a message; not shown itself.
    Reaction(Reaction),
    /// An answer to a poll; not shown itself.
    Vote(Vote),
    /// A message that is kept in sight, or no longer; not shown itself.
    Pin(Pin),
    /// A card of an app or a page; its fallback is that of the card.
    Share(Box<Shared>),
    /// What became of a card, for who shared it; not shown itself.
    CardAnswer(CardAnswer),
    /// A channel to follow; its fallback is what the link calls it, and the link.
    Channel(#[serde(with = "link")] Box<ChannelLink>),
}

/// What goes with a text: `{optional<MessageId> reply_to; Mention mentions<V>;}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rich {
    /// The message that it answers.
    pub reply_to: Option<MessageId>,
    /// Who is named in it, ascending, at most [`limits::MENTIONS`].
    pub mentions: Vec<Mention>,
}

/// Somebody named in a text: `{opaque account[32]; uint32 start; uint32 length;}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mention {
    /// Who.
    pub account: AccountId,
    /// Where the name begins in the text's UTF-8, in bytes.
    pub start: u32,
    /// How long it is there, in bytes.
    pub length: u32,
}

/// A question: `{Utf8 question<V>; {Utf8 option<V>;} options<V>; uint8 multiple;}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Poll {
    /// At most [`limits::POLL_QUESTION_BYTES`], not empty.
    pub question: String,
    /// 2 to [`limits::POLL_OPTIONS`], each at most [`limits::POLL_OPTION_BYTES`] and not empty.
    pub options: Vec<String>,
    /// Whether one may choose several.
    pub multiple: bool,
}

/// Another text for a message: `{opaque message[32]; Utf8 text<V>; Mention mentions<V>;}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// Which message.
    pub message: MessageId,
    /// What it says from now on, at most [`limits::TEXT_BYTES`].
    pub text: String,
    /// Who is named in that.
    pub mentions: Vec<Mention>,
}

/// An emoji at a message, or one taken back: `{opaque message[32]; Utf8 emoji<V>; uint8 remove;}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reaction {
    /// Which message.
    pub message: MessageId,
    /// 1 to [`limits::EMOJI_BYTES`].
    pub emoji: String,
    /// Whether it is taken back.
    pub remove: bool,
}

/// An answer to a poll: `{opaque message[32]; uint8 choices<V>;}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vote {
    /// Which poll.
    pub message: MessageId,
    /// Places of the chosen options from 0, ascending; none takes the vote back.
    pub choices: Vec<u8>,
}

/// A message that is kept in sight, or no longer: `{opaque message[32]; uint8 remove;}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// Which message.
    pub message: MessageId,
    /// Whether it is no longer.
    pub remove: bool,
}

/// What became of a card, for who shared it: `{opaque message[32]; uint8 what;}`, and of a postback `{Utf8 button<V>; Utf8 data<V>;}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardAnswer {
    /// The message that brought it.
    pub message: MessageId,
    /// What was done.
    pub what: CardDeed,
}

/// What was done with a card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CardDeed {
    /// Its body or a button was opened.
    Opened,
    /// Something was handed back to its app.
    Postback {
        /// By which button, like `buttons[0]`; empty where an app answered by itself. At most [`limits::SHARE_BUTTON_BYTES`].
        button: String,
        /// At most [`limits::SHARE_POSTBACK_BYTES`].
        data: String,
    },
}

/// Kinds by number. A number is never reused; from [`KIND_HIDDEN`] on, kinds aren't shown to people, known or not.
pub(super) const KIND_NONE: u16 = 0;
const KIND_TEXT: u16 = 1;
const KIND_RICH: u16 = 2;
const KIND_POLL: u16 = 3;
const KIND_FILES: u16 = 4;
const KIND_SHARE: u16 = 5;
const KIND_CHANNEL: u16 = 6;
const KIND_HIDDEN: u16 = 0x8000;
const KIND_CONTACT: u16 = KIND_HIDDEN + 1;
const KIND_EDIT: u16 = KIND_HIDDEN + 2;
const KIND_DELETE: u16 = KIND_HIDDEN + 3;
const KIND_REACTION: u16 = KIND_HIDDEN + 4;
const KIND_VOTE: u16 = KIND_HIDDEN + 5;
const KIND_WISH: u16 = KIND_HIDDEN + 6;
const KIND_PROFILE: u16 = KIND_HIDDEN + 7;
const KIND_PIN: u16 = KIND_HIDDEN + 8;
const KIND_CARD_ANSWER: u16 = KIND_HIDDEN + 9;
const DEED_OPENED: u8 = 1;
const DEED_POSTBACK: u8 = 2;

impl Body {
    /// The kind's number.
    pub fn kind(&self) -> u16 {
        match self {
            Self::Text(_) => KIND_TEXT,
            Self::Rich(_) => KIND_RICH,
            Self::Poll(_) => KIND_POLL,
            Self::Files(_) => KIND_FILES,
            Self::Contact(_) => KIND_CONTACT,
            Self::Wish(_) => KIND_WISH,
            Self::Profile(_) => KIND_PROFILE,
            Self::Edit(_) => KIND_EDIT,
            Self::Delete { .. } => KIND_DELETE,
            Self::Reaction(_) => KIND_REACTION,
            Self::Vote(_) => KIND_VOTE,
            Self::Pin(_) => KIND_PIN,
            Self::Share(_) => KIND_SHARE,
            Self::Channel(_) => KIND_CHANNEL,
            Self::CardAnswer(_) => KIND_CARD_ANSWER,
            Self::Unknown { kind, .. } => *kind,
        }
    }

    /// Whether people see it.
    pub fn shown(&self) -> bool {
        self.kind() < KIND_HIDDEN
    }

    /// The message that it changes, if it is of a kind that only changes another.
    pub fn target(&self) -> Option<MessageId> {
        match self {
            Self::Edit(Edit { message, .. })
            | Self::Delete { message }
            | Self::Reaction(Reaction { message, .. })
            | Self::Vote(Vote { message, .. })
            | Self::Pin(Pin { message, .. })
            | Self::CardAnswer(CardAnswer { message, .. }) => Some(*message),
            Self::Text(_)
            | Self::Rich(_)
            | Self::Poll(_)
            | Self::Files(_)
            | Self::Share(_)
            | Self::Channel(_)
            | Self::Contact(_)
            | Self::Wish(_)
            | Self::Profile(_)
            | Self::Unknown { .. } => None,
        }
    }

    /// The files that it shows.
    pub fn attachments(&self) -> Vec<&Attachment> {
        match self {
            Self::Files(files) => files.items.iter().collect(),
            Self::Share(shared) => shared.pictures.iter().map(|picture| &picture.file).collect(),
            _ => Vec::new(),
        }
    }

    /// The message that it changes or answers.
    pub(crate) fn named(&self) -> Option<MessageId> {
        match self {
            Self::Rich(rich) => rich.reply_to,
            other => other.target(),
        }
    }

    /// Names another message by its new id, if it has one.
    pub(crate) fn rename(&mut self, new: impl Fn(MessageId) -> Option<MessageId>) {
        let named = match self {
            Self::Edit(Edit { message, .. })
            | Self::Delete { message }
            | Self::Reaction(Reaction { message, .. })
            | Self::Vote(Vote { message, .. })
            | Self::Pin(Pin { message, .. })
            | Self::CardAnswer(CardAnswer { message, .. }) => message,
            Self::Rich(Rich {
                reply_to: Some(message),
                ..
            }) => message,
            _ => return,
        };
        if let Some(id) = new(*named) {
            *named = id;
        }
    }

    /// What travels as the message's body.
    pub(crate) fn bytes(&self) -> Cow<'_, [u8]> {
        let value: &dyn Fields = match self {
            Self::Text(text) => return Cow::Borrowed(text.as_bytes()),
            Self::Contact(bytes) | Self::Wish(bytes) | Self::Profile(bytes) | Self::Unknown { body: bytes, .. } => {
                return Cow::Borrowed(bytes);
            }
            Self::Delete { message } => return Cow::Borrowed(&message.0),
            Self::Rich(rich) => rich,
            Self::Poll(poll) => poll,
            Self::Files(files) => files,
            Self::Edit(edit) => edit,
            Self::Reaction(reaction) => reaction,
            Self::Vote(vote) => vote,
            Self::Pin(pin) => pin,
            Self::Share(shared) => shared.as_ref(),
            Self::Channel(link) => link.as_ref(),
            Self::CardAnswer(answer) => answer,
        };
        let mut w = Writer::default();
        value.write_to(&mut w);
        Cow::Owned(w.into_bytes())
    }

    /// Reads a body. What is of a known kind but can't be read counts as unknown, so that one such message doesn't keep those beside
    /// it away; plain text, which every version knows, is refused.
    pub(super) fn from_parts(kind: u16, bytes: &[u8], fallback: &str) -> Result<Self, DecodeError> {
        let read = match kind {
            KIND_TEXT => return text(bytes).map(Self::Text),
            KIND_CONTACT => return Ok(Self::Contact(bytes.to_vec())),
            KIND_WISH => return Ok(Self::Wish(bytes.to_vec())),
            KIND_PROFILE => return Ok(Self::Profile(bytes.to_vec())),
            KIND_RICH => Rich::decode(bytes).and_then(|rich| {
                mentions_fit(fallback, &rich.mentions)?;
                Ok(Self::Rich(rich))
            }),
            KIND_POLL => Poll::decode(bytes).map(Self::Poll),
            KIND_FILES => Files::decode(bytes).map(Self::Files),
            KIND_EDIT => Edit::decode(bytes).map(Self::Edit),
            KIND_DELETE => MessageId::decode(bytes).map(|message| Self::Delete { message }),
            KIND_REACTION => Reaction::decode(bytes).map(Self::Reaction),
            KIND_VOTE => Vote::decode(bytes).map(Self::Vote),
            KIND_PIN => Pin::decode(bytes).map(Self::Pin),
            KIND_SHARE => Shared::decode(bytes).map(|shared| Self::Share(Box::new(shared))),
            KIND_CHANNEL if bytes.len() <= limits::CHANNEL_LINK_BYTES => {
                ChannelLink::decode(bytes).map(|link| Self::Channel(Box::new(link)))
            }
            KIND_CARD_ANSWER => CardAnswer::decode(bytes).map(Self::CardAnswer),
            _ => Err(invalid("message.kind", "not known")),
        };
        Ok(read.unwrap_or_else(|_| Self::Unknown {
            kind,
            body: bytes.to_vec(),
        }))
    }
}

/// A channel's link in a row, as it travels; what is in a row was checked before.
mod link {
    use crate::channel::ChannelLink;
    use crate::wire::Wire;
    use serde::de::Error as _;
    use serde::{Deserializer, Serializer};

    pub fn serialize<S: Serializer>(link: &ChannelLink, serializer: S) -> Result<S::Ok, S::Error> {
        serde_bytes::serialize(&link.encode(), serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Box<ChannelLink>, D::Error> {
        let bytes: Vec<u8> = serde_bytes::deserialize(deserializer)?;
        ChannelLink::decode(&bytes).map(Box::new).map_err(D::Error::custom)
    }
}

fn text(bytes: &[u8]) -> Result<String, DecodeError> {
    if bytes.len() > limits::TEXT_BYTES {
        return Err(DecodeError::TooLong {
            field: "message.text",
            found: bytes.len() as u64,
            limit: limits::TEXT_BYTES as u64,
        });
    }
    let text = std::str::from_utf8(bytes).map_err(|_| invalid("message.text", "not UTF-8"))?;
    Ok(text.to_owned())
}

pub(super) fn invalid(field: &'static str, reason: &'static str) -> DecodeError {
    DecodeError::Invalid { field, reason }
}

/// Requires that mentions ascend, don't overlap, and name whole characters of a text.
pub(crate) fn mentions_fit(text: &str, mentions: &[Mention]) -> Result<(), DecodeError> {
    let mut least = 0;
    for mention in mentions {
        let (start, length) = (mention.start as usize, mention.length as usize);
        let end = start.saturating_add(length);
        if start < least || length == 0 || text.get(start..end).is_none() {
            return Err(invalid("mentions", "must ascend and name whole characters of the text"));
        }
        least = end;
    }
    Ok(())
}

/// A flag of one byte.
fn flag(r: &mut Reader<'_>, field: &'static str) -> Result<bool, DecodeError> {
    match r.u8(field)? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(invalid(field, "neither no (0) nor yes (1)")),
    }
}

/// [`Wire::write`] that can be called on any of the bodies.
trait Fields {
    fn write_to(&self, w: &mut Writer);
}

impl<T: Wire> Fields for T {
    fn write_to(&self, w: &mut Writer) {
        self.write(w);
    }
}

impl Wire for Mention {
    fn write(&self, w: &mut Writer) {
        self.account.write(w);
        w.u32(self.start);
        w.u32(self.length);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            account: AccountId::read(r)?,
            start: r.u32("mention.start")?,
            length: r.u32("mention.length")?,
        })
    }
}

impl Wire for Rich {
    fn write(&self, w: &mut Writer) {
        w.option(self.reply_to.as_ref(), |w, message| message.write(w));
        w.list(&self.mentions, |w, mention| mention.write(w));
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            reply_to: r.option("rich.reply_to", MessageId::read)?,
            mentions: r.list("rich.mentions", limits::MENTIONS, Mention::read)?,
        })
    }
}

impl Poll {
    /// Requires what the format asks of a poll.
    pub(crate) fn check(&self) -> Result<(), DecodeError> {
        if self.question.is_empty() {
            return Err(invalid("question", "must not be empty"));
        }
        if self.options.len() < 2 || self.options.iter().any(String::is_empty) {
            return Err(invalid("options", "must be two at least, none of them empty"));
        }
        Ok(())
    }
}

impl Wire for Poll {
    fn write(&self, w: &mut Writer) {
        w.bytes(self.question.as_bytes());
        w.list(&self.options, |w, option| w.bytes(option.as_bytes()));
        w.u8(self.multiple.into());
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let poll = Self {
            question: r.text("poll.question", limits::POLL_QUESTION_BYTES)?,
            options: r.list("poll.options", limits::POLL_OPTIONS, |r| {
                r.text("poll.option", limits::POLL_OPTION_BYTES)
            })?,
            multiple: flag(r, "poll.multiple")?,
        };
        poll.check()?;
        Ok(poll)
    }
}

impl Wire for Edit {
    fn write(&self, w: &mut Writer) {
        self.message.write(w);
        w.bytes(self.text.as_bytes());
        w.list(&self.mentions, |w, mention| mention.write(w));
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let edit = Self {
            message: MessageId::read(r)?,
            text: r.text("edit.text", limits::TEXT_BYTES)?,
            mentions: r.list("edit.mentions", limits::MENTIONS, Mention::read)?,
        };
        mentions_fit(&edit.text, &edit.mentions)?;
        Ok(edit)
    }
}

impl Wire for Reaction {
    fn write(&self, w: &mut Writer) {
        self.message.write(w);
        w.bytes(self.emoji.as_bytes());
        w.u8(self.remove.into());
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let reaction = Self {
            message: MessageId::read(r)?,
            emoji: r.text("reaction.emoji", limits::EMOJI_BYTES)?,
            remove: flag(r, "reaction.remove")?,
        };
        if reaction.emoji.is_empty() {
            return Err(invalid("reaction.emoji", "must not be empty"));
        }
        Ok(reaction)
    }
}

impl Wire for Vote {
    fn write(&self, w: &mut Writer) {
        self.message.write(w);
        w.bytes(&self.choices);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let vote = Self {
            message: MessageId::read(r)?,
            choices: r.bytes("vote.choices", limits::POLL_OPTIONS)?.to_vec(),
        };
        let ascend = vote.choices.iter().zip(vote.choices.iter().skip(1)).all(|(a, b)| a < b);
        let in_range = vote
            .choices
            .iter()
            .all(|choice| usize::from(*choice) < limits::POLL_OPTIONS);
        if !ascend || !in_range {
            return Err(invalid("vote.choices", "must ascend and be places of options"));
        }
        Ok(vote)
    }
}

impl Wire for Pin {
    fn write(&self, w: &mut Writer) {
        self.message.write(w);
        w.u8(self.remove.into());
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            message: MessageId::read(r)?,
            remove: flag(r, "pin.remove")?,
        })
    }
}

impl CardAnswer {
    /// Requires what the format asks of an answer.
    pub(crate) fn check(&self) -> Result<(), DecodeError> {
        match &self.what {
            CardDeed::Opened => Ok(()),
            CardDeed::Postback { button, .. } if button.chars().any(|c| !c.is_ascii_graphic()) => {
                Err(invalid("card_answer.button", "must be a button's path"))
            }
            CardDeed::Postback { data, .. } if data.is_empty() => Err(invalid("card_answer.data", "must not be empty")),
            CardDeed::Postback { .. } => Ok(()),
        }
    }
}

impl Wire for CardAnswer {
    fn write(&self, w: &mut Writer) {
        self.message.write(w);
        match &self.what {
            CardDeed::Opened => w.u8(DEED_OPENED),
            CardDeed::Postback { button, data } => {
                w.u8(DEED_POSTBACK);
                w.bytes(button.as_bytes());
                w.bytes(data.as_bytes());
            }
        }
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let answer = Self {
            message: MessageId::read(r)?,
            what: match r.u8("card_answer.what")? {
                DEED_OPENED => CardDeed::Opened,
                DEED_POSTBACK => CardDeed::Postback {
                    button: r.text("card_answer.button", limits::SHARE_BUTTON_BYTES)?,
                    data: r.text("card_answer.data", limits::SHARE_POSTBACK_BYTES)?,
                },
                _ => return Err(invalid("card_answer.what", "not known")),
            },
        };
        answer.check()?;
        Ok(answer)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const TARGET: MessageId = MessageId([7; 32]);

    fn mention(start: u32, length: u32) -> Mention {
        Mention {
            account: AccountId([5; 32]),
            start,
            length,
        }
    }

    fn poll(options: usize) -> Poll {
        Poll {
            question: "when?".into(),
            options: vec!["now".into(); options],
            multiple: true,
        }
    }

    #[test]
    fn every_kind_round_trips_and_says_what_it_changes() {
        let bodies = [
            (
                Body::Rich(Rich {
                    reply_to: Some(TARGET),
                    mentions: vec![mention(0, 2), mention(3, 3)],
                }),
                None,
            ),
            (Body::Poll(poll(12)), None),
            (
                Body::Edit(Edit {
                    message: TARGET,
                    text: "마당".into(),
                    mentions: vec![mention(3, 3)],
                }),
                Some(TARGET),
            ),
            (Body::Delete { message: TARGET }, Some(TARGET)),
            (
                Body::Reaction(Reaction {
                    message: TARGET,
                    emoji: "👍🏽".into(),
                    remove: true,
                }),
                Some(TARGET),
            ),
            (
                Body::Vote(Vote {
                    message: TARGET,
                    choices: vec![0, 3, 11],
                }),
                Some(TARGET),
            ),
            (
                Body::Pin(Pin {
                    message: TARGET,
                    remove: true,
                }),
                Some(TARGET),
            ),
        ];
        for (body, target) in bodies {
            assert_eq!(Body::from_parts(body.kind(), &body.bytes(), "hi @bob").unwrap(), body);
            assert_eq!((body.target(), body.shown()), (target, target.is_none()));
        }
    }

    #[test]
    fn a_known_kind_that_cannot_be_read_counts_as_unknown_and_keeps_its_bytes() {
        let bad = [
            Body::Poll(poll(1)),
            Body::Poll(poll(13)),
            Body::Rich(Rich {
                reply_to: None,
                mentions: vec![mention(0, 99)],
            }),
            Body::Rich(Rich {
                reply_to: None,
                mentions: vec![mention(2, 2), mention(3, 1)],
            }),
            Body::Edit(Edit {
                message: TARGET,
                text: "마당".into(),
                mentions: vec![mention(1, 2)],
            }),
            Body::Reaction(Reaction {
                message: TARGET,
                emoji: "x".repeat(limits::EMOJI_BYTES + 1),
                remove: false,
            }),
            Body::Reaction(Reaction {
                message: TARGET,
                emoji: String::new(),
                remove: false,
            }),
            Body::Vote(Vote {
                message: TARGET,
                choices: vec![2, 2],
            }),
            Body::Vote(Vote {
                message: TARGET,
                choices: vec![12],
            }),
        ];
        for body in bad {
            let (kind, bytes) = (body.kind(), body.bytes().into_owned());
            let read = Body::from_parts(kind, &bytes, "hi @bob").unwrap();
            assert_eq!(read, Body::Unknown { kind, body: bytes });
        }
    }
}
