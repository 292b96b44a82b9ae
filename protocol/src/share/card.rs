//! What a share says: the card that is shown of it, its buttons and where they lead (`spec/share.md`, section 3).
//!
//! The published schema (`docs/share.schema.json`) is made of these types; their doc comments are its descriptions.

use super::ShareError;
use super::values::{
    ActionUrl, ChannelUrl, Count, Currency, Hex32, Integer, Key, Label, List, PageUrl, Params, Postback, SecureUrl,
    Text,
};
use crate::limits;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A share: a card that an app or a page offers for a chat. Members that aren't known are kept, and passed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "Madang share")]
pub struct Card {
    /// The format's version: 1.
    pub version: Integer<1, 1>,
    /// What kind of card it is: which members it must have.
    pub template: Template,
    /// What programs show that know no cards, and where its body leads at last.
    pub fallback: Fallback,
    /// A key of the app's own: a share that is sent twice with the same key is one share. Signed shares have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Key>,
    /// Unix seconds from which on it may no longer be sent, nor hand anything to an app. Signed shares have it, at most a year ahead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_s: Option<Count>,
    /// The text of a card of text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Text<1, 2000>>,
    /// Where a tap on the card leads that hits no content with a link of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Link>,
    /// What stands above a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<Header>,
    /// The main content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Content>,
    /// The rows of a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contents: Option<List<Content, 2, { limits::CAROUSEL_CARDS }>>,
    /// The cards of a carousel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slides: Option<List<Slide, 2, { limits::CAROUSEL_CARDS }>>,
    /// Names and values below the content, like what was ordered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Details>,
    /// What it costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// Where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// When it takes place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<Calendar>,
    /// What is offered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coupon: Option<Coupon>,
    /// What the app alone understands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom: Option<Custom>,
    /// What the app says of others' interest: shown as its claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub social: Option<Social>,
    /// What can be done with it.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub buttons: Buttons,
}

/// Buttons of a card.
pub type Buttons = List<Button, 0, { limits::SHARE_BUTTONS }>;

fn is_empty<T>(list: &[T]) -> bool {
    list.is_empty()
}

/// A kind of card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Template {
    /// A text: `text`.
    Text,
    /// A content, perhaps with details: `content`.
    Feed,
    /// Rows below a header: `header`, `contents`.
    List,
    /// Something for sale: `content`, `price`.
    Commerce,
    /// A place: `content`, `location`.
    Location,
    /// Something that takes place: `content`, `calendar`.
    Calendar,
    /// Cards side by side: `slides`.
    Carousel,
    /// An offer: `content`, `coupon`.
    Coupon,
    /// A card of the app's own kind, shown by its fallback and what else it has: `custom`.
    Custom,
}

impl Template {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Text,
        Self::Feed,
        Self::List,
        Self::Commerce,
        Self::Location,
        Self::Calendar,
        Self::Carousel,
        Self::Coupon,
        Self::Custom,
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Feed => "feed",
            Self::List => "list",
            Self::Commerce => "commerce",
            Self::Location => "location",
            Self::Calendar => "calendar",
            Self::Carousel => "carousel",
            Self::Coupon => "coupon",
            Self::Custom => "custom",
        }
    }

    /// The members that a card of this kind must have.
    #[must_use]
    pub fn requires(self) -> &'static [&'static str] {
        match self {
            Self::Text => &["text"],
            Self::Feed => &["content"],
            Self::List => &["header", "contents"],
            Self::Commerce => &["content", "price"],
            Self::Location => &["content", "location"],
            Self::Calendar => &["content", "calendar"],
            Self::Carousel => &["slides"],
            Self::Coupon => &["content", "coupon"],
            Self::Custom => &["custom"],
        }
    }
}

/// Characters of the text that stands for a card: those of the longest one in it.
pub(super) const FALLBACK_CHARS: usize = 2000;

/// What is shown and opened where nothing else can be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fallback {
    /// The card as a text.
    pub text: Text<1, FALLBACK_CHARS>,
    /// The page that says the same.
    pub url: PageUrl,
}

/// What stands above a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Header {
    /// Its title.
    pub title: Text<1, 200>,
    /// Where it leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Link>,
}

/// A title with what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Content {
    /// Its title.
    pub title: Text<1, 200>,
    /// A few sentences.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Text<1, 1000>>,
    /// Its picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,
    /// Where it leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Link>,
}

/// A picture. The sender's node fetches it, or has it, and sends it along; who receives the card fetches it from no page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Image {
    /// Where the sender's node fetches it, unless it has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<SecureUrl>,
    /// The id of a file that the sender's node has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blob: Option<Hex32>,
    /// SHA-256 of the file: what has another isn't shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Hex32>,
    /// Bytes of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length_bytes: Option<Integer<1, { limits::SHARE_IMAGE_BYTES }>>,
    /// In pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<Integer<1, 65_535>>,
    /// In pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<Integer<1, 65_535>>,
    /// What is on it, for whoever doesn't see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alt: Option<Text<1, 200>>,
}

/// Where something leads. On each platform the app is opened if it is there, else installed or the page shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Link {
    /// A page, or a place, a telephone or a mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<ActionUrl>,
    /// The same on a phone or a tablet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mobile_url: Option<ActionUrl>,
    /// What opens the app by whose key the share is signed.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub platforms: List<PlatformLink, 0, { limits::SHARE_PLATFORMS }>,
}

/// Where something leads on one platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlatformLink {
    /// The operating system.
    pub os: Os,
    /// The kind of device; any, if it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<Device>,
    /// What is appended to the address by which the app's manifest opens it there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execute: Option<Params>,
    /// Where the app can be had, instead of what its manifest says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub install: Option<SecureUrl>,
    /// The page that is shown where the app isn't there, instead of the link's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<PageUrl>,
}

/// An operating system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Os {
    /// Android.
    Android,
    /// iOS and iPadOS.
    Ios,
    /// Linux.
    Linux,
    /// macOS.
    Macos,
    /// Windows.
    Windows,
}

impl Os {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Android, Self::Ios, Self::Linux, Self::Macos, Self::Windows];
}

/// A kind of device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Device {
    /// A phone.
    Phone,
    /// A tablet.
    Tablet,
    /// A computer.
    Desktop,
}

impl Device {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Phone, Self::Tablet, Self::Desktop];
}

/// A card of a carousel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Slide {
    /// What it shows.
    pub content: Content,
    /// What that costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// What can be done with it.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub buttons: Buttons,
}

/// Names and values below a content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Details {
    /// Whose they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
    /// What they are about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
    /// The rows.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub items: List<Item, 0, { limits::SHARE_ITEMS }>,
    /// The last row, set apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sum: Option<Item>,
}

/// A name with a picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Profile {
    /// The name.
    pub text: Text<1, 100>,
    /// The picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,
}

/// What details are about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Subject {
    /// What it is called.
    pub text: Text<1, 100>,
    /// Of what kind it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Text<1, 100>>,
    /// Its picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,
}

/// A row of details.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Item {
    /// What stands at its left.
    pub name: Text<1, 100>,
    /// What stands at its right.
    pub value: Text<1, 100>,
}

/// A price. Amounts are in the currency's smallest unit: won, cents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Price {
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<Text<1, 200>>,
    /// The currency.
    pub currency: Currency,
    /// What it costs without the discount.
    pub regular: Count,
    /// What it costs; not more than the regular price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discounted: Option<Count>,
    /// How much less that is, in percent; not beside `reduction`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_percent: Option<Integer<1, 100>>,
    /// How much less that is; not beside `rate_percent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reduction: Option<Count>,
}

/// A place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Location {
    /// Its address.
    pub address: Text<1, 300>,
    /// What it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Text<1, 200>>,
    /// Millionths of a degree north; with `longitude_e6`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latitude_e6: Option<Integer<-90_000_000, 90_000_000>>,
    /// Millionths of a degree east.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longitude_e6: Option<Integer<-180_000_000, 180_000_000>>,
}

/// Something that takes place, or the calendar that has it. It has an `id`, or says when it starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Calendar {
    /// What it is.
    pub kind: CalendarKind,
    /// Its id in the app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Text<1, 128>>,
    /// Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_s: Option<Count>,
    /// Unix seconds, not before it starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_s: Option<Count>,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Text<1, 200>>,
}

/// What a calendar's card shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CalendarKind {
    /// One event.
    Event,
    /// A whole calendar.
    Calendar,
}

/// An offer. That it hasn't been used up is known by whoever redeems it alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Coupon {
    /// What is told at the desk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Text<1, 64>>,
    /// For whom and what it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<Text<1, 1000>>,
    /// Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_s: Option<Count>,
    /// Unix seconds, not before it starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_s: Option<Count>,
    /// The channel that offers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelUrl>,
}

/// A card of the app's own kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Custom {
    /// Which kind.
    pub name: Label,
    /// What it is made of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arguments: Option<Params>,
}

/// Counts, as the app says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Social {
    /// Who likes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub likes: Option<Count>,
    /// What was written about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comments: Option<Count>,
    /// How often it was shared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shares: Option<Count>,
    /// How often it was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub views: Option<Count>,
    /// Who follows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscribers: Option<Count>,
}

/// A button.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Button {
    /// What stands on it.
    pub label: Text<1, 40>,
    /// What it does.
    pub action: ButtonAction,
    /// Where `open` leads; the card's own link, if it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Link>,
    /// What `reply` puts into the chat's field for the user to send, and `copy` into the clipboard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Text<1, 1000>>,
    /// Which channel `follow` follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelUrl>,
    /// What `postback` hands to the app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Postback>,
}

/// What a button does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ButtonAction {
    /// Opens the app or a page.
    Open,
    /// Begins an answer in the chat: `text`.
    Reply,
    /// Copies a text: `text`.
    Copy,
    /// Follows a channel: `channel`.
    Follow,
    /// Hands something to the app: `data`.
    Postback,
    /// Shares the card in another chat.
    Share,
}

impl ButtonAction {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Open,
        Self::Reply,
        Self::Copy,
        Self::Follow,
        Self::Postback,
        Self::Share,
    ];

    /// The member that a button of this kind must have.
    #[must_use]
    pub fn requires(self) -> Option<&'static str> {
        match self {
            Self::Open | Self::Share => None,
            Self::Reply | Self::Copy => Some("text"),
            Self::Follow => Some("channel"),
            Self::Postback => Some("data"),
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Reply => "reply",
            Self::Copy => "copy",
            Self::Follow => "follow",
            Self::Postback => "postback",
            Self::Share => "share",
        }
    }
}

impl Card {
    /// What the types alone don't ask for: what belongs together, and what contradicts.
    pub(super) fn check(&self) -> Result<(), ShareError> {
        for member in self.template.requires() {
            if !self.has(member) {
                return Err(ShareError::Missing {
                    path: (*member).to_owned(),
                });
            }
        }
        if let Some(price) = &self.price {
            price.check().map_err(|error| error.within("price"))?;
        }
        if let Some(location) = &self.location {
            location.check().map_err(|error| error.within("location"))?;
        }
        if let Some(calendar) = &self.calendar {
            calendar.check().map_err(|error| error.within("calendar"))?;
        }
        if let Some(coupon) = &self.coupon {
            in_order(coupon.starts_s, coupon.ends_s).map_err(|error| error.within("coupon"))?;
        }
        for (at, slide) in self.slides.iter().flat_map(|slides| slides.iter()).enumerate() {
            let check = || {
                slide
                    .price
                    .iter()
                    .try_for_each(Price::check)
                    .map_err(|error| error.within("price"))?;
                check_buttons(&slide.buttons)
            };
            check().map_err(|error| error.within(&format!("slides[{at}]")))?;
        }
        check_buttons(&self.buttons)?;
        self.images()
            .into_iter()
            .try_for_each(|(path, image)| image.check().map_err(|error| error.within(&path)))?;
        self.links()
            .into_iter()
            .try_for_each(|(path, link)| link.check().map_err(|error| error.within(&path)))
    }

    fn has(&self, member: &str) -> bool {
        match member {
            "text" => self.text.is_some(),
            "content" => self.content.is_some(),
            "header" => self.header.is_some(),
            "contents" => self.contents.is_some(),
            "slides" => self.slides.is_some(),
            "price" => self.price.is_some(),
            "location" => self.location.is_some(),
            "calendar" => self.calendar.is_some(),
            "coupon" => self.coupon.is_some(),
            "custom" => self.custom.is_some(),
            _ => false,
        }
    }

    /// Its contents, each with its path, in the order in which they are shown.
    #[must_use]
    pub fn all_contents(&self) -> Vec<(String, &Content)> {
        let rows = self.contents.iter().flat_map(|rows| rows.iter()).enumerate();
        let slides = self.slides.iter().flat_map(|slides| slides.iter()).enumerate();
        self.content
            .iter()
            .map(|content| ("content".to_owned(), content))
            .chain(rows.map(|(at, row)| (format!("contents[{at}]"), row)))
            .chain(slides.map(|(at, slide)| (format!("slides[{at}].content"), &slide.content)))
            .collect()
    }

    /// Its pictures, each with its path, in the order in which they are shown: a message names the files of them by their places here.
    #[must_use]
    pub fn images(&self) -> Vec<(String, &Image)> {
        let contents = self.all_contents().into_iter();
        let mut images: Vec<(String, &Image)> = contents
            .filter_map(|(path, content)| Some((format!("{path}.image"), content.image.as_ref()?)))
            .collect();
        if let Some(details) = &self.details {
            let profile = details.profile.iter().filter_map(|profile| profile.image.as_ref());
            images.extend(profile.map(|image| ("details.profile.image".to_owned(), image)));
            let subject = details.subject.iter().filter_map(|subject| subject.image.as_ref());
            images.extend(subject.map(|image| ("details.subject.image".to_owned(), image)));
        }
        images
    }

    /// Its buttons, those of its slides too, each with its path, in the order in which they are shown.
    #[must_use]
    pub fn all_buttons(&self) -> Vec<(String, &Button)> {
        let slides = self.slides.iter().flat_map(|slides| slides.iter()).enumerate();
        let of_slides = slides.flat_map(|(at, slide)| {
            let buttons = slide.buttons.iter().enumerate();
            buttons.map(move |(place, button)| (format!("slides[{at}].buttons[{place}]"), button))
        });
        let own = self.buttons.iter().enumerate();
        of_slides
            .chain(own.map(|(at, button)| (format!("buttons[{at}]"), button)))
            .collect()
    }

    /// Its links, each with its path: its own, then those of its parts in the order in which they are shown.
    pub(super) fn links(&self) -> Vec<(String, &Link)> {
        let own = self.link.iter().map(|link| ("link".to_owned(), link));
        let header = self
            .header
            .iter()
            .map(|header| ("header".to_owned(), header.link.as_ref()));
        let contents = self.all_contents().into_iter();
        let contents = contents.map(|(path, content)| (path, content.link.as_ref()));
        let buttons = self.all_buttons().into_iter();
        let buttons = buttons.map(|(path, button)| (path, button.link.as_ref()));
        let inner = header.chain(contents).chain(buttons);
        own.chain(inner.filter_map(|(path, link)| Some((format!("{path}.link"), link?))))
            .collect()
    }
}

fn check_buttons(buttons: &[Button]) -> Result<(), ShareError> {
    for (at, button) in buttons.iter().enumerate() {
        let has = match button.action.requires() {
            Some("text") => button.text.is_some(),
            Some("channel") => button.channel.is_some(),
            Some("data") => button.data.is_some(),
            _ => true,
        };
        if !has {
            return Err(ShareError::Missing {
                path: format!("buttons[{at}].{}", button.action.requires().unwrap_or_default()),
            });
        }
    }
    Ok(())
}

fn in_order(starts_s: Option<Count>, ends_s: Option<Count>) -> Result<(), ShareError> {
    match (starts_s, ends_s) {
        (Some(starts), Some(ends)) if ends < starts => {
            Err(ShareError::invalid("ends_s", "must not be before the start"))
        }
        _ => Ok(()),
    }
}

impl Price {
    /// The two prices and the discount must say the same: whoever reads one isn't misled by the other.
    fn check(&self) -> Result<(), ShareError> {
        let Some(discounted) = self.discounted else {
            let lone = [
                ("rate_percent", self.rate_percent.is_some()),
                ("reduction", self.reduction.is_some()),
            ];
            return match lone.into_iter().find(|(_, there)| *there) {
                Some((member, _)) => Err(ShareError::invalid(member, "needs a discounted price beside it")),
                None => Ok(()),
            };
        };
        let Some(less) = self.regular.unsigned().checked_sub(discounted.unsigned()) else {
            return Err(ShareError::invalid(
                "discounted",
                "must not be more than the regular price",
            ));
        };
        if self.rate_percent.is_some() && self.reduction.is_some() {
            return Err(ShareError::invalid("reduction", "must not stand beside a rate"));
        }
        if self.reduction.is_some_and(|reduction| reduction.unsigned() != less) {
            return Err(ShareError::invalid(
                "reduction",
                "is not the difference of the two prices",
            ));
        }
        if let Some(rate) = self.rate_percent {
            // Shops round the rate or the price; a whole percent apart is no rounding.
            let said = i128::from(self.regular.get()) * i128::from(rate.get());
            let apart = (i128::from(less) * 100 - said).abs();
            if apart >= i128::from(self.regular.get().max(100)) {
                return Err(ShareError::invalid(
                    "rate_percent",
                    "is not the difference of the two prices",
                ));
            }
        }
        Ok(())
    }
}

impl Location {
    fn check(&self) -> Result<(), ShareError> {
        match (self.latitude_e6, self.longitude_e6) {
            (Some(_), None) => Err(ShareError::Missing {
                path: "longitude_e6".into(),
            }),
            (None, Some(_)) => Err(ShareError::Missing {
                path: "latitude_e6".into(),
            }),
            _ => Ok(()),
        }
    }
}

impl Calendar {
    fn check(&self) -> Result<(), ShareError> {
        if self.id.is_none() && self.starts_s.is_none() {
            return Err(ShareError::Missing {
                path: "starts_s".into(),
            });
        }
        in_order(self.starts_s, self.ends_s)
    }
}

impl Image {
    fn check(&self) -> Result<(), ShareError> {
        if self.url.is_none() && self.blob.is_none() {
            return Err(ShareError::Missing { path: "url".into() });
        }
        Ok(())
    }
}

impl Link {
    /// One entry for each platform: two would contradict.
    fn check(&self) -> Result<(), ShareError> {
        for (at, one) in self.platforms.iter().enumerate() {
            let before = self.platforms.iter().take(at);
            if before
                .into_iter()
                .any(|other| (other.os, other.device) == (one.os, one.device))
            {
                return Err(ShareError::invalid(
                    format!("platforms[{at}]"),
                    "is there twice for the same system and device",
                ));
            }
        }
        Ok(())
    }
}
