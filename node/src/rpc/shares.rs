//! Parameters and results of the methods around shares: cards that apps and pages offer for chats.

use std::fmt;
use std::time::Duration;

use jsonrpsee::core::JsonRawValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::ApiError;
use super::ids::{AppKey, ChatId, MessageId, PickId, ShareAppId};
use super::limits::{MAX_IDEMPOTENCY_KEY, MAX_ORIGIN, MAX_POLL, MAX_SHARE_CHATS, MAX_SHARE_LINK, MAX_SHARED_JSON};
use super::params::{Fields, FromParams, too_large};
use super::schema::{Origin, ShareLink, Text};
use super::types::{Attachment, Ledger};

/// A card as it was given, to the letter: JSON, or a link.
#[derive(Clone, PartialEq, Eq)]
pub struct CardText(pub String);

/// Gives its size only.
impl fmt::Debug for CardText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CardText({} bytes)", self.0.len())
    }
}

/// The members that describe a card, for the description of what takes one.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "stands for its schema")]
struct CardMembers {
    /// The card, by the schema of shares.
    share: serde_json::Map<String, Value>,
    /// The app that signs it: its `manifest` and the `signature` under that.
    app: Option<serde_json::Map<String, Value>>,
    /// The app's signature under the card, in base64url.
    #[schemars(with = "Option<Text<86, 86>>")]
    signature: Option<String>,
}

/// The members that describe what is sent: a card, or a message that holds one.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "stands for its schema")]
struct SentMembers {
    /// The card, by the schema of shares; or else `message`.
    share: Option<serde_json::Map<String, Value>>,
    /// The app that signs it: its `manifest` and the `signature` under that.
    app: Option<serde_json::Map<String, Value>>,
    /// The app's signature under the card, in base64url.
    #[schemars(with = "Option<Text<86, 86>>")]
    signature: Option<String>,
    /// A message whose card is sent on, as it is signed there, with its pictures that are here. Needs `chat:read` of its chat too.
    message: Option<MessageId>,
}

/// A card in a message, to be sent on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldCard {
    /// The card, with its signatures.
    pub card: CardText,
    /// The page from which it is as who sent it said, if nobody signed it.
    pub origin: Option<String>,
}

impl CardText {
    /// Takes the card's members out of a request's `params` without reading them: two members of one name, say, are still to be found.
    fn of(json: Option<&str>) -> Result<Self, ApiError> {
        Self::given(json)?.ok_or_else(|| ApiError::invalid("share", "is missing"))
    }

    /// The same where there need be none.
    fn given(json: Option<&str>) -> Result<Option<Self>, ApiError> {
        #[derive(Deserialize)]
        struct Members<'a> {
            #[serde(borrow)]
            share: Option<&'a JsonRawValue>,
            #[serde(borrow)]
            app: Option<&'a JsonRawValue>,
            #[serde(borrow)]
            signature: Option<&'a JsonRawValue>,
        }
        let members: Members<'_> =
            serde_json::from_str(json.unwrap_or("{}")).map_err(|error| ApiError::invalid("params", error))?;
        let Some(share) = members.share else {
            return Ok(None);
        };
        let mut text = format!("{{\"share\":{}", share.get());
        for (name, member) in [("app", members.app), ("signature", members.signature)] {
            if let Some(member) = member.filter(|member| member.get() != "null") {
                text.push_str(&format!(",\"{name}\":{}", member.get()));
            }
        }
        text.push('}');
        if text.len() > MAX_SHARED_JSON {
            return Err(too_large("share", MAX_SHARED_JSON));
        }
        Ok(Some(Self(text)))
    }
}

/// What is read beside a card.
trait Beside: Sized {
    fn beside(card: CardText, fields: &mut Fields) -> Result<Self, ApiError>;
}

/// Reads parameters of which some are a card.
macro_rules! with_card {
    ($name:ident) => {
        impl FromParams for $name {
            fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
                Self::beside(CardText(String::new()), fields)
            }

            fn read(json: Option<&str>) -> Result<Self, ApiError> {
                let mut fields = Fields::parse(json)?;
                Self::beside(CardText::of(json)?, &mut fields)
            }
        }
    };
}

/// Parameters of `share.validate`.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct ShareParams {
    /// The card.
    #[schemars(flatten, with = "CardMembers")]
    pub card: CardText,
}

impl Beside for ShareParams {
    fn beside(card: CardText, _: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self { card })
    }
}

with_card!(ShareParams);

/// Parameters of `share.preview`.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct SharePreviewParams {
    /// The card.
    #[schemars(flatten, with = "CardMembers")]
    pub card: CardText,
    /// The language of what isn't the card's; English if absent.
    #[schemars(with = "Option<ShareLanguage>")]
    pub lang: ShareLanguage,
}

impl Beside for SharePreviewParams {
    fn beside(card: CardText, fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            card,
            lang: fields.optional("lang")?.unwrap_or_default(),
        })
    }
}

with_card!(SharePreviewParams);

/// A language in which cards are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShareLanguage {
    /// English.
    #[default]
    En,
    /// Korean.
    Ko,
}

/// Parameters of `share.send`.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct ShareSendParams {
    /// Where to.
    #[schemars(length(min = 1, max = MAX_SHARE_CHATS))]
    pub chats: Vec<ChatId>,
    /// The card; of a message what it holds, once that was read.
    #[schemars(flatten, with = "SentMembers")]
    pub card: CardText,
    /// The message whose card is sent on.
    #[schemars(skip)]
    pub message: Option<MessageId>,
    /// The same key with the same card gives the same messages, for seven days; with another card an error.
    #[schemars(with = "Text<1, MAX_IDEMPOTENCY_KEY>")]
    pub idempotency_key: String,
}

impl Beside for ShareSendParams {
    fn beside(card: CardText, fields: &mut Fields) -> Result<Self, ApiError> {
        let key = super::bodies::idempotency_key(fields)?;
        Ok(Self {
            chats: chats(fields)?,
            card,
            message: fields.optional("message")?,
            idempotency_key: key.ok_or_else(|| fields.invalid("idempotency_key", "is missing"))?,
        })
    }
}

impl FromParams for ShareSendParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Self::beside(CardText(String::new()), fields)
    }

    fn read(json: Option<&str>) -> Result<Self, ApiError> {
        let mut fields = Fields::parse(json)?;
        let card = CardText::given(json)?;
        let (has_card, has_message) = (card.is_some(), fields.is_given("message"));
        match (has_card, has_message) {
            (true, true) => Err(ApiError::invalid("message", "must not stand beside a share")),
            (false, false) => Err(ApiError::invalid("share", "is missing, and so is message")),
            _ => Self::beside(card.unwrap_or(CardText(String::new())), &mut fields),
        }
    }
}

/// Parameters of `share.pick`.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct SharePickParams {
    /// The card.
    #[schemars(flatten, with = "CardMembers")]
    pub card: CardText,
    /// How long to wait for the user, in milliseconds; counts as 60,000 if above.
    #[schemars(rename = "timeout_ms", with = "Option<u64>")]
    pub timeout: Duration,
}

impl Beside for SharePickParams {
    fn beside(card: CardText, fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            card,
            timeout: timeout(fields)?,
        })
    }
}

with_card!(SharePickParams);

/// Parameters of `share.offer`.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct ShareOfferParams {
    /// The card's link, `madang:share?…`.
    #[schemars(rename = "link", with = "ShareLink")]
    pub card: CardText,
    /// The page that offers it, as the browser names it.
    #[schemars(with = "Option<Origin>")]
    pub origin: Option<String>,
}

impl FromParams for ShareOfferParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        let origin = fields.optional_text("origin", MAX_ORIGIN)?;
        if origin.as_deref().is_some_and(|origin| !super::apps::is_origin(origin)) {
            return Err(fields.invalid("origin", "must be http:// or https://, a host and perhaps a port"));
        }
        Ok(Self {
            card: CardText(fields.text("link", MAX_SHARE_LINK)?),
            origin,
        })
    }
}

/// Parameters of `share.picked`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
pub struct PickedParams {
    /// Which.
    pub pick: PickId,
    /// How long to wait for the user, in milliseconds; counts as 60,000 if above.
    #[schemars(rename = "timeout_ms", with = "Option<u64>")]
    pub timeout: Duration,
}

impl FromParams for PickedParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            pick: fields.required("pick")?,
            timeout: timeout(fields)?,
        })
    }
}

/// Parameters of `share.shown`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
pub struct ShownParams {
    /// Which.
    pub pick: PickId,
    /// The language of what isn't the card's; English if absent.
    #[schemars(with = "Option<ShareLanguage>")]
    pub lang: ShareLanguage,
}

impl FromParams for ShownParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            pick: fields.required("pick")?,
            lang: fields.optional("lang")?.unwrap_or_default(),
        })
    }
}

/// Parameters of `share.decline`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
pub struct PickParams {
    /// Which.
    pub pick: PickId,
}

impl FromParams for PickParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            pick: fields.required("pick")?,
        })
    }
}

/// Parameters of `share.confirm`.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct ConfirmParams {
    /// Which.
    pub pick: PickId,
    /// Where to.
    #[schemars(length(min = 1, max = MAX_SHARE_CHATS))]
    pub chats: Vec<ChatId>,
}

impl FromParams for ConfirmParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            pick: fields.required("pick")?,
            chats: chats(fields)?,
        })
    }
}

/// Parameters of `share.enter`; absent from Debug, as whoever has the code may use it.
#[derive(Clone, PartialEq, Eq, JsonSchema)]
pub struct EnterParams {
    /// The code.
    #[schemars(with = "Text<64, 64>")]
    pub code: String,
}

impl FromParams for EnterParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            code: fields.text("code", 64)?,
        })
    }
}

impl fmt::Debug for EnterParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnterParams(redacted)")
    }
}

/// Who stands for a card. Of an app the signatures were checked, of a page and of nobody there are none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ShareBy {
    /// An app whose key signed it.
    App {
        /// The key.
        app: ShareAppId,
        /// What it calls itself.
        name: String,
        /// The domains that it says it belongs to, each the app's claim until it is proved.
        domains: Vec<ShareDomain>,
        /// This node knows a newer manifest of the app: what this one says may not be so any more.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        outdated: bool,
    },
    /// A page, as the sender claims.
    Page {
        /// Which.
        origin: String,
    },
    /// Nobody.
    Nobody,
}

/// A domain that an app says it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShareDomain {
    /// Its name.
    pub domain: String,
    /// When it was last seen to vouch for the app, in Unix milliseconds; see `share.prove`. Absent while it is but a claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proved_ms: Option<u64>,
}

/// Result of `share.prove`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShareProved {
    /// Who stands for the card, with what is known now.
    pub by: ShareBy,
    /// Domains that couldn't be asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unavailable: Vec<DomainUnavailable>,
}

/// What domains publish of apps, unchecked; nothing of those that couldn't be asked.
pub type DomainAnswers = Vec<(String, Option<Vec<Vec<u8>>>)>;

/// A domain that couldn't be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DomainUnavailable {
    /// Its name.
    pub domain: String,
    /// Why.
    pub reason: String,
}

/// A card in a message.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShareCard {
    /// What kind of card it is.
    pub template: String,
    /// All that it says, by the schema of shares.
    pub share: serde_json::Map<String, Value>,
    /// Who stands for it. A signature was checked.
    pub by: ShareBy,
    /// The card as a text.
    pub fallback: String,
    /// Its pictures that came with it, by their places in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pictures: Vec<SharePicture>,
}

/// Gives no content.
impl fmt::Debug for ShareCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ShareCard({})", self.template)
    }
}

/// A picture of a card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SharePicture {
    /// Which of the card's pictures, from 0.
    pub place: u8,
    /// The file.
    pub file: Attachment,
}

/// Result of `share.validate`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShareChecked {
    /// Who stands for it.
    pub by: ShareBy,
    /// Bytes of it as it travels.
    pub length_bytes: u64,
    /// When it ends, in Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_ms: Option<u64>,
}

/// Result of `share.preview`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SharePreview {
    /// As text; lines of the card's own are indented.
    pub text: String,
    /// As HTML: one `article` without scripts, styles, frames and forms, which loads nothing.
    pub html: String,
}

/// Gives no content.
impl fmt::Debug for SharePreview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharePreview")
    }
}

/// Result of `share.send`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SharesSent {
    /// One for each chat, in their order.
    pub items: Vec<ShareSent>,
    /// Pictures that couldn't be fetched: the card goes without them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<PictureLeftOut>,
}

/// A picture that a card goes without.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PictureLeftOut {
    /// Its path in the card, like `share.content.image`.
    pub image: String,
    /// Why.
    pub reason: String,
}

/// A card that was sent to a chat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShareSent {
    /// The chat.
    pub chat: ChatId,
    /// The message.
    pub message: MessageId,
    /// Where it is now.
    pub ledger: Ledger,
    /// What the chat is called in this app's events.
    pub to: Pseudonym,
}

/// A chat as an app knows it that wasn't told which it is: the same for this app each time, another for each app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pseudonym {
    /// Names it.
    pub pseudonym: String,
    /// What kind of chat it is.
    pub kind: PseudonymKind,
}

/// A kind of chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PseudonymKind {
    /// Of two people.
    Direct,
    /// A group.
    Group,
}

/// Result of `share.pick` and `share.picked`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Picked {
    /// Names it.
    pub pick: PickId,
    /// How it is.
    pub state: PickState,
    /// Where the user chooses: a page of this node, for the user's browser.
    pub url: String,
    /// The chats that it was sent to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<Pseudonym>,
}

/// How a pick is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PickState {
    /// It waits for the user.
    Waiting,
    /// The user has sent it.
    Sent,
    /// The user doesn't want to.
    Cancelled,
}

/// A card that waits for the user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pick {
    /// Names it.
    pub pick: PickId,
    /// The app that asks; none is a page that sent the user here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<AppKey>,
    /// The card.
    pub card: ShareCard,
    /// When it is forgotten, in Unix milliseconds.
    pub until_ms: u64,
}

/// Result of `share.shown`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PickShown {
    /// The card that waits.
    #[serde(flatten)]
    pub pick: Pick,
    /// The card as whoever receives it sees it: HTML as of `share.preview`.
    pub html: String,
}

/// Gives no content.
impl fmt::Debug for PickShown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PickShown({:?})", self.pick)
    }
}

/// Result of `share.browser`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BrowserCode {
    /// A page of this node, which lets the browser in that opens it first.
    pub url: String,
    /// When it ends, in Unix milliseconds.
    pub expires_ms: u64,
}

/// Says nothing of the code.
impl fmt::Debug for BrowserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BrowserCode(redacted)")
    }
}

/// Chats in their order; one that is named twice counts once.
fn chats(fields: &mut Fields) -> Result<Vec<ChatId>, ApiError> {
    let given: Vec<ChatId> = fields.required("chats")?;
    if given.is_empty() || given.len() > MAX_SHARE_CHATS {
        return Err(fields.invalid("chats", format!("must be 1 to {MAX_SHARE_CHATS}")));
    }
    let mut chats = Vec::new();
    for chat in given {
        if !chats.contains(&chat) {
            chats.push(chat);
        }
    }
    Ok(chats)
}

fn timeout(fields: &mut Fields) -> Result<Duration, ApiError> {
    let timeout_ms: Option<u64> = fields.optional("timeout_ms")?;
    Ok(timeout_ms.map_or(MAX_POLL, Duration::from_millis).min(MAX_POLL))
}
