//! Reads the default templates of KakaoTalk Share, and makes shares of them (`docs/kakao-mapping.md`).
//!
//! Members are read as the REST API names them, or as the JavaScript SDK does (`image_url`, `imageUrl`). What has no place in a share is
//! left out, and told.

use super::card::{
    Button, ButtonAction, Calendar, CalendarKind, Card, Content, Details, FALLBACK_CHARS, Fallback, Header, Image,
    Item, Link, Location, Os, PlatformLink, Price, Profile, Social, Subject, Template,
};
use super::json::Json;
use super::values::{Checked, Count, Form, Integer, List, Params};
use super::{Share, ShareError, render};
use crate::limits;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// What KakaoTalk writes on a button that has no title.
const DEFAULT_BUTTON: &str = "자세히 보기";

/// A share that was made of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Converted {
    /// The share, without a key and an end, which who signs it gives.
    pub share: Share,
    /// Paths of members that have no place in it.
    pub left_out: Vec<String>,
}

/// Makes a share of a default template of KakaoTalk Share, at most [`limits::SHARE_BYTES`] of JSON. `page` is what it falls back to where
/// the template has no link to a page.
///
/// # Errors
///
/// Says which member of the template, or of the share that it becomes, isn't as it must be.
pub fn from_kakao(template: &[u8], page: Option<&str>) -> Result<Converted, ShareError> {
    let json = Json::parse(template, limits::SHARE_BYTES).map_err(|error| error.named("template"))?;
    let left_out = RefCell::new(BTreeSet::new());
    let object = Object::of("", &json, &left_out)?;
    let kind = object.text("object_type")?.ok_or_else(|| missing("object_type"))?;
    let (template, mut card) = match kind.as_str() {
        "feed" => (Template::Feed, with_content(&object)?),
        "list" => (Template::List, list(&object)?),
        "location" => (Template::Location, location(&object)?),
        "commerce" => (Template::Commerce, commerce(&object)?),
        "calendar" => (Template::Calendar, calendar(&object)?),
        "text" => (Template::Text, text(&object)?),
        _ => {
            let known = "must be feed, list, location, commerce, calendar or text";
            return Err(ShareError::invalid("object_type", known));
        }
    };
    card.template = template;
    card.social = object.object("social")?.map(|social| social_of(&social)).transpose()?;
    card.details = object
        .object("item_content")?
        .map(|items| details(&items))
        .transpose()?;
    card.buttons = List::new(buttons(&object)?).map_err(|error| error.within("buttons"))?;
    card.fallback = Fallback {
        text: at(object.path("object_type"), says(&card))?,
        url: at("page".to_owned(), page_of(&card, page)?)?,
    };
    object.rest();
    let share = Share::from_card(&card)?;
    drop(object);
    Ok(Converted {
        share,
        left_out: left_out.into_inner().into_iter().collect(),
    })
}

/// A card that says nothing yet.
fn empty() -> Result<Card, ShareError> {
    let place = "https://invalid.example/";
    Ok(Card {
        version: Integer::new(1)?,
        template: Template::Text,
        fallback: Fallback {
            text: Checked::new("-")?,
            url: Checked::new(place)?,
        },
        key: None,
        expires_s: None,
        text: None,
        link: None,
        header: None,
        content: None,
        contents: None,
        slides: None,
        details: None,
        price: None,
        location: None,
        calendar: None,
        coupon: None,
        custom: None,
        social: None,
        buttons: List::default(),
    })
}

fn with_content(object: &Object<'_>) -> Result<Card, ShareError> {
    let given = object.object("content")?.ok_or_else(|| missing("content"))?;
    Ok(Card {
        content: Some(content(&given)?),
        ..empty()?
    })
}

fn text(object: &Object<'_>) -> Result<Card, ShareError> {
    Ok(Card {
        text: Some(object.required("text")?),
        link: object.object("link")?.map(|given| link(&given)).transpose()?,
        ..empty()?
    })
}

fn list(object: &Object<'_>) -> Result<Card, ShareError> {
    let rows = object.objects("contents")?;
    let rows: Vec<Content> = rows.iter().map(content).collect::<Result<_, _>>()?;
    Ok(Card {
        header: Some(Header {
            title: object.required("header_title")?,
            link: object.object("header_link")?.map(|given| link(&given)).transpose()?,
        }),
        contents: Some(List::new(rows).map_err(|error| error.within("contents"))?),
        ..empty()?
    })
}

fn location(object: &Object<'_>) -> Result<Card, ShareError> {
    Ok(Card {
        location: Some(Location {
            address: object.required("address")?,
            title: object.checked("address_title")?,
            latitude_e6: None,
            longitude_e6: None,
        }),
        ..with_content(object)?
    })
}

fn calendar(object: &Object<'_>) -> Result<Card, ShareError> {
    let kind = match object.text("id_type")?.as_deref() {
        Some("event") => CalendarKind::Event,
        Some("calendar") => CalendarKind::Calendar,
        _ => return Err(ShareError::invalid("id_type", "must be event or calendar")),
    };
    Ok(Card {
        calendar: Some(Calendar {
            kind,
            id: Some(object.required("id")?),
            starts_s: None,
            ends_s: None,
            place: None,
        }),
        ..with_content(object)?
    })
}

fn commerce(object: &Object<'_>) -> Result<Card, ShareError> {
    let given = object.object("commerce")?.ok_or_else(|| missing("commerce"))?;
    let unit = given.text("currency_unit")?.unwrap_or_else(|| "원".to_owned());
    // On which side the unit stands follows from the reader's language.
    given.take("currency_unit_position");
    let currency = currency(&unit).ok_or_else(|| {
        ShareError::invalid(
            given.path("currency_unit"),
            "is no currency that is known here; write its code, like KRW",
        )
    })?;
    let smallest = 10_i64.pow(render::digits(&currency));
    let amount = |name: &str| -> Result<Option<Count>, ShareError> {
        let Some(number) = given.number(name)? else {
            return Ok(None);
        };
        let amount = number.checked_mul(smallest).unwrap_or(i64::MAX);
        Count::new(amount)
            .map(Some)
            .map_err(|error| error.within(&given.path(name)))
    };
    let rate = given.number("discount_rate")?;
    let price = Price {
        product: given.checked("product_name")?,
        regular: amount("regular_price")?.ok_or_else(|| missing(given.path("regular_price")))?,
        discounted: amount("discount_price")?,
        rate_percent: rate
            .map(Integer::new)
            .transpose()
            .map_err(|error| error.within(&given.path("discount_rate")))?,
        reduction: amount("fixed_discount_price")?,
        currency: at(given.path("currency_unit"), currency)?,
    };
    given.rest();
    Ok(Card {
        price: Some(price),
        ..with_content(object)?
    })
}

/// The code of a currency that is written as in Korean shops.
fn currency(unit: &str) -> Option<String> {
    let code = match unit {
        "원" | "₩" => "KRW",
        "$" | "달러" => "USD",
        "€" | "유로" => "EUR",
        "¥" | "円" | "엔" => "JPY",
        "元" | "위안" => "CNY",
        code if code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase()) => code,
        _ => return None,
    };
    Some(code.to_owned())
}

fn content(given: &Object<'_>) -> Result<Content, ShareError> {
    let picture = image(given, "image_url")?.map(|picture| -> Result<Image, ShareError> {
        Ok(Image {
            width: given.size("image_width")?,
            height: given.size("image_height")?,
            ..picture
        })
    });
    let content = Content {
        title: given.required("title")?,
        description: given.checked("description")?,
        image: picture.transpose()?,
        link: given.object("link")?.map(|given| link(&given)).transpose()?,
    };
    given.rest();
    Ok(content)
}

/// A picture, which is read over TLS here: addresses without it are asked with it.
fn image(given: &Object<'_>, name: &str) -> Result<Option<Image>, ShareError> {
    let Some(url) = given.text(name)? else {
        return Ok(None);
    };
    let url = match url.strip_prefix("http://") {
        Some(rest) => format!("https://{rest}"),
        None => url,
    };
    Ok(Some(Image {
        url: Some(at(given.path(name), url)?),
        blob: None,
        sha256: None,
        length_bytes: None,
        width: None,
        height: None,
        alt: None,
    }))
}

fn link(given: &Object<'_>) -> Result<Link, ShareError> {
    let mut platforms = Vec::new();
    for (name, os) in [
        ("android_execution_params", Os::Android),
        ("ios_execution_params", Os::Ios),
    ] {
        if let Some(execute) = given.params(name)? {
            platforms.push(PlatformLink {
                os,
                device: None,
                execute: Some(execute),
                install: None,
                url: None,
            });
        }
    }
    let link = Link {
        url: given.checked("web_url")?,
        mobile_url: given.checked("mobile_web_url")?,
        platforms: List::new(platforms)?,
    };
    given.rest();
    Ok(link)
}

fn details(given: &Object<'_>) -> Result<Details, ShareError> {
    let profile = match given.checked("profile_text")? {
        Some(text) => Some(Profile {
            text,
            image: image(given, "profile_image_url")?,
        }),
        None => None,
    };
    let subject = match given.checked("title_image_text")? {
        Some(text) => Some(Subject {
            text,
            category: given.checked("title_image_category")?,
            image: image(given, "title_image_url")?,
        }),
        None => None,
    };
    let rows = given.objects("items")?;
    let rows: Vec<Item> = rows
        .iter()
        .map(|row| {
            let item = Item {
                name: row.required("item")?,
                value: row.required("item_op")?,
            };
            row.rest();
            Ok(item)
        })
        .collect::<Result<_, ShareError>>()?;
    let sum = match given.checked("sum")? {
        Some(name) => Some(Item {
            name,
            value: given.required("sum_op")?,
        }),
        None => None,
    };
    given.rest();
    Ok(Details {
        profile,
        subject,
        items: List::new(rows).map_err(|error| error.within(&given.path("items")))?,
        sum,
    })
}

fn social_of(given: &Object<'_>) -> Result<Social, ShareError> {
    let count = |name: &str| {
        let count = given.number(name)?.map(Count::new).transpose();
        count.map_err(|error| error.within(&given.path(name)))
    };
    let social = Social {
        likes: count("like_count")?,
        comments: count("comment_count")?,
        shares: count("shared_count")?,
        views: count("view_count")?,
        subscribers: count("subscriber_count")?,
    };
    given.rest();
    Ok(social)
}

/// Without buttons of its own a template has one, which opens it.
fn buttons(object: &Object<'_>) -> Result<Vec<Button>, ShareError> {
    let button = |label, link| Button {
        label,
        action: ButtonAction::Open,
        link,
        text: None,
        channel: None,
        data: None,
    };
    let given = object.objects("buttons")?;
    let lone = object.text("button_title")?;
    if given.is_empty() {
        let label = lone.unwrap_or_else(|| DEFAULT_BUTTON.to_owned());
        return Ok(vec![button(at(object.path("button_title"), label)?, None)]);
    }
    let read = given.iter().map(|given| {
        let of = given.object("link")?.map(|given| link(&given)).transpose()?;
        let read = button(given.required("title")?, of);
        given.rest();
        Ok(read)
    });
    read.collect()
}

/// What the card says, as a text.
fn says(card: &Card) -> String {
    let header = card.header.as_ref().map(|header| header.title.as_str());
    let titles = card.all_contents();
    let titles = titles.iter().map(|(_, content)| content.title.as_str());
    let mut lines = card.text.as_deref().into_iter().chain(header).chain(titles);
    let mut says = lines.next().unwrap_or_default().to_owned();
    // Of a long list the titles that fit, whole.
    for line in lines {
        let longer = format!("{says}\n{line}");
        if longer.chars().count() > FALLBACK_CHARS {
            break;
        }
        says = longer;
    }
    says
}

/// The first page that it leads to.
fn page_of(card: &Card, given: Option<&str>) -> Result<String, ShareError> {
    if let Some(page) = given {
        return Ok(page.to_owned());
    }
    let links = card.links();
    let urls = links.iter().flat_map(|(_, link)| [&link.url, &link.mobile_url]);
    let page = urls.flatten().find(|url| url.starts_with("http"));
    page.map(|url| url.as_str().to_owned())
        .ok_or_else(|| missing("link.web_url"))
}

fn missing(path: impl Into<String>) -> ShareError {
    ShareError::Missing { path: path.into() }
}

fn at<F: Form>(path: String, text: impl Into<String>) -> Result<Checked<F>, ShareError> {
    Checked::new(text).map_err(|error| error.within(&path))
}

/// An object of a template, which remembers what was read of it.
struct Object<'a> {
    path: String,
    members: BTreeMap<String, (&'a str, &'a Json)>,
    read: RefCell<BTreeSet<String>>,
    left_out: &'a RefCell<BTreeSet<String>>,
}

impl<'a> Object<'a> {
    fn of(path: &str, json: &'a Json, left_out: &'a RefCell<BTreeSet<String>>) -> Result<Self, ShareError> {
        let Json::Object(members) = json else {
            let path = if path.is_empty() { "template" } else { path };
            return Err(ShareError::invalid(path, "must be an object"));
        };
        let mut known = BTreeMap::new();
        for (name, value) in members {
            if known.insert(snake(name), (name.as_str(), value)).is_some() {
                return Err(
                    ShareError::invalid(name.as_str(), "is there twice, in both ways of writing it").within(path),
                );
            }
        }
        Ok(Self {
            path: path.to_owned(),
            members: known,
            read: RefCell::default(),
            left_out,
        })
    }

    fn path(&self, name: &str) -> String {
        let name = self.members.get(name).map_or(name, |(written, _)| written);
        super::error::joined(&self.path, name)
    }

    fn take(&self, name: &str) -> Option<&'a Json> {
        self.read.borrow_mut().insert(name.to_owned());
        let (_, value) = self.members.get(name)?;
        (**value != Json::Null).then_some(*value)
    }

    /// A text; an empty one counts as none.
    fn text(&self, name: &str) -> Result<Option<String>, ShareError> {
        match self.take(name) {
            None => Ok(None),
            Some(Json::Text(text)) if text.is_empty() => Ok(None),
            Some(Json::Text(text)) => Ok(Some(text.clone())),
            Some(_) => Err(ShareError::invalid(self.path(name), "must be a text")),
        }
    }

    fn checked<F: Form>(&self, name: &str) -> Result<Option<Checked<F>>, ShareError> {
        self.text(name)?.map(|text| at(self.path(name), text)).transpose()
    }

    fn required<F: Form>(&self, name: &str) -> Result<Checked<F>, ShareError> {
        self.checked(name)?.ok_or_else(|| missing(self.path(name)))
    }

    fn number(&self, name: &str) -> Result<Option<i64>, ShareError> {
        match self.take(name) {
            None => Ok(None),
            Some(Json::Integer(number)) => Ok(Some(*number)),
            Some(_) => Err(ShareError::invalid(self.path(name), "must be an integer")),
        }
    }

    fn size<const L: i64, const M: i64>(&self, name: &str) -> Result<Option<Integer<L, M>>, ShareError> {
        let size = self.number(name)?.map(Integer::new).transpose();
        size.map_err(|error| error.within(&self.path(name)))
    }

    fn object(&self, name: &str) -> Result<Option<Self>, ShareError> {
        let value = self.take(name);
        value
            .map(|value| Self::of(&self.path(name), value, self.left_out))
            .transpose()
    }

    fn objects(&self, name: &str) -> Result<Vec<Self>, ShareError> {
        match self.take(name) {
            None => Ok(Vec::new()),
            Some(Json::List(items)) => {
                let items = items.iter().enumerate();
                let read = items.map(|(at, item)| Self::of(&format!("{}[{at}]", self.path(name)), item, self.left_out));
                read.collect()
            }
            Some(_) => Err(ShareError::invalid(self.path(name), "must be a list")),
        }
    }

    /// Parameters: an object of texts, or `a=1&b=2`.
    fn params(&self, name: &str) -> Result<Option<Params>, ShareError> {
        let mut params = BTreeMap::new();
        match self.take(name) {
            None => return Ok(None),
            Some(Json::Text(text)) if text.is_empty() => return Ok(None),
            Some(Json::Text(text)) => {
                for pair in text.split('&') {
                    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                    params.insert(key.to_owned(), decoded(value));
                }
            }
            Some(Json::Object(members)) => {
                for (key, value) in members {
                    let Json::Text(value) = value else {
                        return Err(ShareError::invalid(key.as_str(), "must be a text").within(&self.path(name)));
                    };
                    params.insert(key.clone(), value.clone());
                }
            }
            Some(_) => return Err(ShareError::invalid(self.path(name), "must be parameters")),
        }
        Params::new(params)
            .map(Some)
            .map_err(|error| error.within(&self.path(name)))
    }

    /// What wasn't read has no place in a share.
    fn rest(&self) {
        let read = self.read.borrow();
        let rest = self.members.keys().filter(|name| !read.contains(*name));
        self.left_out.borrow_mut().extend(rest.map(|name| self.path(name)));
    }
}

/// `imageUrl` as `image_url`.
fn snake(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// A value of a query, without its percent-encoding; what isn't one stays as it is.
fn decoded(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'+' {
            bytes.push(b' ');
            continue;
        }
        let mut ahead = rest.clone();
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        match (byte, digit(ahead.next()), digit(ahead.next())) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                rest = ahead;
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| value.to_owned())
}
