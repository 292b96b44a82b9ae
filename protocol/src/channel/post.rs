//! Posts: what a channel says, by kinds that later versions add to.

use super::area::Area;
use super::invalid;
use super::manifest::{read_categories, write_categories};
use crate::limits;
use crate::message::{Attachment, Files, Poll};
use crate::wire::{DecodeError, Reader, Wire, Writer};

/// A post.
///
/// | bytes | field |
/// |---|---|
/// | V | categories that it is of, `opaque<V>` each; none for all who follow |
/// | 1 or 13 | area that it is for, `optional<Area>` |
/// | 1 | flags: 1 advertising, 2 urgent; others are kept |
/// | V | text: what is shown, also in place of a kind that isn't known |
/// | 2 | kind |
/// | V | what belongs to the kind |
/// | V | extensions |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// Ids of the manifest's categories.
    pub categories: Vec<String>,
    /// Where it matters; the follower's node compares.
    pub area: Option<Area>,
    /// See [`Post::ADVERTISING`], [`Post::URGENT`].
    pub flags: u8,
    /// At most [`limits::TEXT_BYTES`].
    pub text: String,
    /// What goes with the text.
    pub body: PostBody,
    /// Of later versions.
    pub extensions: Vec<u8>,
}

/// What goes with a post's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PostBody {
    /// Nothing: the text is all.
    Text,
    /// Photos and other files.
    Files(Files),
    /// A card.
    Card(Card),
    /// Cards side by side, 2 to [`limits::CAROUSEL_CARDS`].
    Carousel(Vec<Card>),
    /// Something that takes place.
    Event(Event),
    /// A question.
    Poll(Poll),
    /// An offer.
    Coupon(Coupon),
    /// A kind of a later version, or one that can't be read: kept as it is, the text shown.
    Unknown {
        /// The kind's number.
        kind: u16,
        /// Its body.
        body: Vec<u8>,
    },
}

/// A card: `{opaque title<V>; opaque text<V>; optional<Attachment> image; Button buttons<V>;}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// At most [`limits::TITLE_BYTES`], not empty.
    pub title: String,
    /// At most [`limits::CARD_TEXT_BYTES`].
    pub text: String,
    /// Its picture.
    pub image: Option<Attachment>,
    /// At most [`limits::CHANNEL_LINKS`].
    pub buttons: Vec<Button>,
}

/// A button: `{opaque label<V>; opaque url<V>;}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Button {
    /// At most [`limits::NAME_BYTES`], not empty.
    pub label: String,
    /// Where it leads; see [`is_actionable`].
    pub url: String,
}

/// Something that takes place: `{opaque title<V>; uint64 starts_s; uint64 ends_s; opaque place<V>; opaque details<V>; opaque url<V>;}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// At most [`limits::TITLE_BYTES`], not empty.
    pub title: String,
    /// Unix seconds.
    pub starts_s: u64,
    /// Unix seconds, not before it starts.
    pub ends_s: u64,
    /// At most [`limits::TITLE_BYTES`]; may be empty.
    pub place: String,
    /// At most [`limits::CARD_TEXT_BYTES`].
    pub details: String,
    /// At most [`limits::URL_BYTES`]; may be empty.
    pub url: String,
}

/// An offer: `{Card card; opaque terms<V>; uint64 starts_s; uint64 ends_s; uint32 total; uint32 per_follower; opaque issuer<V>;
/// opaque desk<V>;}`. How it is claimed and redeemed is still to be specified; `issuer` and `desk` are for that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coupon {
    /// What is shown.
    pub card: Card,
    /// At most [`limits::CARD_TEXT_BYTES`].
    pub terms: String,
    /// Unix seconds.
    pub starts_s: u64,
    /// Unix seconds.
    pub ends_s: u64,
    /// How many there are; 0 for no limit.
    pub total: u32,
    /// How many each follower gets, at best; 0 for no limit.
    pub per_follower: u32,
    /// The offer's issuing key; empty while it can't be claimed.
    pub issuer: Vec<u8>,
    /// Where it is redeemed; empty for nowhere yet.
    pub desk: Vec<u8>,
}

const KIND_TEXT: u16 = 1;
const KIND_FILES: u16 = 2;
const KIND_CARD: u16 = 3;
const KIND_CAROUSEL: u16 = 4;
const KIND_EVENT: u16 = 5;
const KIND_POLL: u16 = 6;
const KIND_COUPON: u16 = 7;
/// Bytes of a coupon's issuing key, and of where it is redeemed (guess).
const COUPON_KEY_BYTES: usize = 1024;

/// Whether a button may open an address: web pages, mail, telephones, and our own links (FAULTS 61). Any other scheme is shown as text.
pub fn is_actionable(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once(':') else {
        return false;
    };
    let plain = !url.chars().any(|c| c.is_control() || c.is_whitespace());
    let known = match scheme.to_ascii_lowercase().as_str() {
        "https" | "http" => rest.starts_with("//") && rest.len() > 2,
        "mailto" | "tel" | "madang" => !rest.is_empty(),
        _ => false,
    };
    plain && known
}

impl Post {
    /// It is advertising, by the channel's word.
    pub const ADVERTISING: u8 = 1;
    /// It is urgent: the follower's terms say what that means to them.
    pub const URGENT: u8 = 2;

    /// A post of text alone.
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            categories: Vec::new(),
            area: None,
            flags: 0,
            text: text.into(),
            body: PostBody::Text,
            extensions: Vec::new(),
        }
    }

    /// Whether it is advertising.
    pub fn is_advertising(&self) -> bool {
        self.flags & Self::ADVERTISING != 0
    }

    /// Whether it is urgent.
    pub fn is_urgent(&self) -> bool {
        self.flags & Self::URGENT != 0
    }

    /// The files that it shows.
    pub fn files(&self) -> Vec<&Attachment> {
        match &self.body {
            PostBody::Files(files) => files.items.iter().collect(),
            PostBody::Card(card) => card.image.iter().collect(),
            PostBody::Carousel(cards) => cards.iter().flat_map(|card| card.image.iter()).collect(),
            PostBody::Coupon(coupon) => coupon.card.image.iter().collect(),
            PostBody::Text | PostBody::Event(_) | PostBody::Poll(_) | PostBody::Unknown { .. } => Vec::new(),
        }
    }

    /// The cards that it shows.
    pub fn cards_mut(&mut self) -> &mut [Card] {
        match &mut self.body {
            PostBody::Card(card) => std::slice::from_mut(card),
            PostBody::Carousel(cards) => cards,
            PostBody::Coupon(coupon) => std::slice::from_mut(&mut coupon.card),
            _ => &mut [],
        }
    }

    /// Requires what the format asks of a post that is written here: that it is read again as it is, and that it says something.
    pub fn check(&self) -> Result<(), DecodeError> {
        let bytes = self.encode();
        if bytes.len() > limits::POST_BYTES {
            return Err(DecodeError::TooLong {
                field: "post",
                found: bytes.len() as u64,
                limit: limits::POST_BYTES as u64,
            });
        }
        if self.text.trim().is_empty() && matches!(self.body, PostBody::Text) {
            return Err(invalid("post.text", "must not be empty"));
        }
        self.body.check()?;
        if Self::decode(&bytes)? != *self {
            return Err(invalid("post", "can't be read again as it is"));
        }
        Ok(())
    }
}

impl PostBody {
    /// The name of its kind in the local API.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Files(_) => "files",
            Self::Card(_) => "card",
            Self::Carousel(_) => "carousel",
            Self::Event(_) => "event",
            Self::Poll(_) => "poll",
            Self::Coupon(_) => "coupon",
            Self::Unknown { .. } => "unknown",
        }
    }

    fn kind(&self) -> u16 {
        match self {
            Self::Text => KIND_TEXT,
            Self::Files(_) => KIND_FILES,
            Self::Card(_) => KIND_CARD,
            Self::Carousel(_) => KIND_CAROUSEL,
            Self::Event(_) => KIND_EVENT,
            Self::Poll(_) => KIND_POLL,
            Self::Coupon(_) => KIND_COUPON,
            Self::Unknown { kind, .. } => *kind,
        }
    }

    fn content(&self) -> Vec<u8> {
        let mut w = Writer::default();
        match self {
            Self::Text => {}
            Self::Files(files) => files.write(&mut w),
            Self::Card(card) => card.write(&mut w),
            Self::Carousel(cards) => w.list(cards, |w, card| card.write(w)),
            Self::Event(event) => event.write(&mut w),
            Self::Poll(poll) => poll.write(&mut w),
            Self::Coupon(coupon) => coupon.write(&mut w),
            Self::Unknown { body, .. } => w.fixed(body),
        }
        w.into_bytes()
    }

    /// A kind that isn't known, or whose body can't be read, is kept as it is.
    fn of(kind: u16, bytes: &[u8]) -> Self {
        let read = match kind {
            KIND_TEXT if bytes.is_empty() => Ok(Self::Text),
            KIND_FILES => Files::decode(bytes).map(Self::Files),
            KIND_CARD => Card::decode(bytes).map(Self::Card),
            KIND_CAROUSEL => carousel(bytes).map(Self::Carousel),
            KIND_EVENT => Event::decode(bytes).map(Self::Event),
            KIND_POLL => Poll::decode(bytes).map(Self::Poll),
            KIND_COUPON => Coupon::decode(bytes).map(Self::Coupon),
            _ => Err(invalid("post.kind", "not known")),
        };
        read.unwrap_or_else(|_| Self::Unknown {
            kind,
            body: bytes.to_vec(),
        })
    }

    /// What the format asks of the kind, with the field's name.
    fn check(&self) -> Result<(), DecodeError> {
        let content = self.content();
        match self {
            Self::Text | Self::Unknown { .. } => Ok(()),
            Self::Files(_) => Files::decode(&content).map(|_| ()),
            Self::Card(_) => Card::decode(&content).map(|_| ()),
            Self::Carousel(_) => carousel(&content).map(|_| ()),
            Self::Event(_) => Event::decode(&content).map(|_| ()),
            Self::Poll(_) => Poll::decode(&content).map(|_| ()),
            Self::Coupon(_) => Coupon::decode(&content).map(|_| ()),
        }
    }
}

fn carousel(bytes: &[u8]) -> Result<Vec<Card>, DecodeError> {
    let mut r = Reader::new(bytes);
    let cards = r.list("carousel.cards", limits::CAROUSEL_CARDS, Card::read)?;
    r.finish()?;
    if cards.len() < 2 {
        return Err(invalid("carousel.cards", "must be two at least"));
    }
    Ok(cards)
}

impl Wire for Post {
    fn write(&self, w: &mut Writer) {
        write_categories(w, &self.categories);
        w.option(self.area.as_ref(), |w, area| area.write(w));
        w.u8(self.flags);
        w.bytes(self.text.as_bytes());
        w.u16(self.body.kind());
        w.bytes(&self.body.content());
        w.bytes(&self.extensions);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let categories = read_categories(r, "post.categories")?;
        let area = r.option("post.area", Area::read)?;
        let flags = r.u8("post.flags")?;
        let text = r.text("post.text", limits::TEXT_BYTES)?;
        let kind = r.u16("post.kind")?;
        let body = PostBody::of(kind, r.bytes("post.body", limits::POST_BYTES)?);
        Ok(Self {
            categories,
            area,
            flags,
            text,
            body,
            extensions: r.bytes("post.extensions", limits::CHANNEL_EXTENSION_BYTES)?.to_vec(),
        })
    }
}

impl Wire for Card {
    fn write(&self, w: &mut Writer) {
        w.bytes(self.title.as_bytes());
        w.bytes(self.text.as_bytes());
        w.option(self.image.as_ref(), |w, image| image.write(w));
        w.list(&self.buttons, |w, button| button.write(w));
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            title: title(r, "card.title")?,
            text: r.text("card.text", limits::CARD_TEXT_BYTES)?,
            image: r.option("card.image", Attachment::read)?,
            buttons: r.list("card.buttons", limits::CHANNEL_LINKS, Button::read)?,
        })
    }
}

impl Wire for Button {
    fn write(&self, w: &mut Writer) {
        w.bytes(self.label.as_bytes());
        w.bytes(self.url.as_bytes());
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let label = r.text("button.label", limits::NAME_BYTES)?;
        if label.is_empty() {
            return Err(invalid("button.label", "must not be empty"));
        }
        Ok(Self {
            label,
            url: r.text("button.url", limits::URL_BYTES)?,
        })
    }
}

impl Wire for Event {
    fn write(&self, w: &mut Writer) {
        w.bytes(self.title.as_bytes());
        w.u64(self.starts_s);
        w.u64(self.ends_s);
        w.bytes(self.place.as_bytes());
        w.bytes(self.details.as_bytes());
        w.bytes(self.url.as_bytes());
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let event = Self {
            title: title(r, "event.title")?,
            starts_s: r.u64("event.starts_s")?,
            ends_s: r.u64("event.ends_s")?,
            place: r.text("event.place", limits::TITLE_BYTES)?,
            details: r.text("event.details", limits::CARD_TEXT_BYTES)?,
            url: r.text("event.url", limits::URL_BYTES)?,
        };
        in_order("event.ends_s", event.starts_s, event.ends_s)?;
        Ok(event)
    }
}

impl Wire for Coupon {
    fn write(&self, w: &mut Writer) {
        self.card.write(w);
        w.bytes(self.terms.as_bytes());
        w.u64(self.starts_s);
        w.u64(self.ends_s);
        w.u32(self.total);
        w.u32(self.per_follower);
        w.bytes(&self.issuer);
        w.bytes(&self.desk);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let coupon = Self {
            card: Card::read(r)?,
            terms: r.text("coupon.terms", limits::CARD_TEXT_BYTES)?,
            starts_s: r.u64("coupon.starts_s")?,
            ends_s: r.u64("coupon.ends_s")?,
            total: r.u32("coupon.total")?,
            per_follower: r.u32("coupon.per_follower")?,
            issuer: r.bytes("coupon.issuer", COUPON_KEY_BYTES)?.to_vec(),
            desk: r.bytes("coupon.desk", COUPON_KEY_BYTES)?.to_vec(),
        };
        in_order("coupon.ends_s", coupon.starts_s, coupon.ends_s)?;
        Ok(coupon)
    }
}

fn title(r: &mut Reader<'_>, field: &'static str) -> Result<String, DecodeError> {
    let title = r.text(field, limits::TITLE_BYTES)?;
    if title.is_empty() {
        return Err(invalid(field, "must not be empty"));
    }
    Ok(title)
}

fn in_order(field: &'static str, starts_s: u64, ends_s: u64) -> Result<(), DecodeError> {
    if ends_s < starts_s {
        return Err(invalid(field, "must not be before the start"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f61_only_addresses_of_known_schemes_can_be_opened() {
        for url in [
            "https://shop.example/order?n=1#top",
            "HTTP://shop.example",
            "mailto:info@shop.example",
            "tel:+82-2-123-4567",
            "madang:channel?d=AAAA",
        ] {
            assert!(is_actionable(url), "{url}");
        }
        for url in [
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            "java\nscript:alert(1)",
            " https://shop.example",
            "https://shop.example/a b",
            "https:\u{0}//shop.example",
            "https:shop.example",
            "https://",
            "file:///etc/passwd",
            "data:text/html,<script>alert(1)</script>",
            "vbscript:x",
            "intent://scan/#Intent;end",
            "ms-settings:network",
            "//shop.example",
            "shop.example",
            "mailto:",
            "",
        ] {
            assert!(!is_actionable(url), "{url:?}");
        }
    }
}
