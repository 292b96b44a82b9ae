//! Shares: cards that apps and pages offer for chats, without asking anybody (`spec/share.md`).
//!
//! | file | what |
//! |---|---|
//! | `json` | the JSON that is read, and the one way of writing it |
//! | `values`, `url` | texts, lists, numbers and addresses with their limits |
//! | `card` | what a share says |
//! | `app` | an app's manifest |
//! | `signed` | a share with whoever stands for it |
//! | `link` | the link by which one comes |
//! | `kakao` | what KakaoTalk Share's templates become |
//! | `resolve` | what a tap on it does on a platform |
//! | `schema` | the published schemas |
//! | `render` | how it is shown, as text and as HTML |

mod app;
mod card;
mod error;
mod json;
mod kakao;
mod link;
mod render;
mod resolve;
mod schema;
mod signed;
mod url;
mod values;

pub use app::{AppManifest, Handler, Icon, IconType, SignedManifest};
pub use card::{
    Button, ButtonAction, Buttons, Calendar, CalendarKind, Card, Content, Coupon, Custom, Details, Device, Fallback,
    Header, Image, Item, Link, Location, Os, PlatformLink, Price, Profile, Slide, Social, Subject, Template,
};
pub use error::ShareError;
pub use json::Json;
pub use kakao::{Converted, from_kakao};
pub use render::{Language, View, html, text, text_of};
pub use resolve::{Action, NoAction, Platform, Resolved, resolve};
pub use schema::{manifest_schema, share_schema};
pub use signed::{By, SharedCard};
pub use values::{
    ActionUrl, ChannelUrl, Checked, Count, Currency, DomainName, ExecuteUrl, Form, Hex32, IconData, Integer, Key,
    Label, List, Origin, PageUrl, Params, Postback, SecureUrl, Text, Words,
};

use crate::limits;
use serde::Deserialize;

/// A share that was read: what it says, and all that was in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    card: Card,
    canonical: String,
}

impl Share {
    /// Reads at most [`limits::SHARE_BYTES`] of JSON. Nothing is truncated; members that aren't known are kept.
    ///
    /// # Errors
    ///
    /// Says which member isn't as it must be, and why; the path of the whole is `share`.
    pub fn parse(text: &[u8]) -> Result<Self, ShareError> {
        let json = Json::parse(text, limits::SHARE_BYTES).map_err(ShareError::of_share)?;
        let card = Card::deserialize(&json)
            .and_then(|card| card.check().map(|()| card))
            .map_err(ShareError::of_share)?;
        Ok(Self {
            card,
            canonical: json.canonical(),
        })
    }

    /// Makes one of what it is to say.
    ///
    /// # Errors
    ///
    /// As [`Share::parse`].
    pub fn from_card(card: &Card) -> Result<Self, ShareError> {
        let text = serde_json::to_vec(card).map_err(|error| ShareError::invalid("share", error.to_string()))?;
        Self::parse(&text)
    }

    /// What it says.
    #[must_use]
    pub fn card(&self) -> &Card {
        &self.card
    }

    /// Its JSON in the one way of writing it (RFC 8785), what isn't known included: what travels and is signed.
    #[must_use]
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// What programs show that know no cards: its fallback's text and address.
    #[must_use]
    pub fn fallback(&self) -> String {
        format!("{}\n{}", self.card.fallback.text, self.card.fallback.url)
    }

    /// Whether its time is over.
    #[must_use]
    pub fn has_expired(&self, now_s: u64) -> bool {
        self.card.expires_s.is_some_and(|until| until.unsigned() <= now_s)
    }

    /// Requires that its time isn't over.
    ///
    /// # Errors
    ///
    /// When it is, or further ahead than [`limits::SHARE_LIFE_S`].
    pub fn at(&self, now_s: u64) -> Result<(), ShareError> {
        let path = || "expires_s".to_owned();
        match self.card.expires_s.map(Count::unsigned) {
            Some(until_s) if until_s <= now_s => Err(ShareError::Expired { path: path() }),
            Some(until_s) if until_s > now_s.saturating_add(limits::SHARE_LIFE_S) => Err(ShareError::Limit {
                path: path(),
                found: until_s - now_s,
                limit: format!("at most {} seconds ahead", limits::SHARE_LIFE_S),
            }),
            _ => Ok(()),
        }
    }

    /// Requires what bounds the replaying of a signed share: a key, and an end.
    fn bounded(&self) -> Result<(), ShareError> {
        let missing = |path: &str| ShareError::Missing { path: path.to_owned() };
        self.card.key.as_ref().ok_or_else(|| missing("key"))?;
        self.card.expires_s.ok_or_else(|| missing("expires_s"))?;
        Ok(())
    }
}
