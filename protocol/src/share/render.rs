//! How a card is shown: as text, and as HTML of a small static subset (`spec/share.md`, section 9).
//!
//! Who signed it stands above what it says, in words that the card can't write; what the card says of itself is made safe, and what
//! turns or hides text leaves a mark (FAULTS 60, 63).

use super::Share;
use super::card::{Button, Calendar, Card, Content, Coupon, Details, Image, Location, Price, Social};
use super::resolve::{Action, Resolved};
use super::signed::{By, SharedCard};
use crate::shown::{line, multiline};
use std::collections::BTreeMap;
use std::fmt::Write;

mod words;

pub use words::Language;
use words::Words;

/// What is known where a card is shown.
#[derive(Clone, Debug)]
pub struct View<'a> {
    /// In which language it is shown what isn't the card's.
    pub language: Language,
    /// Unix seconds.
    pub now_s: u64,
    /// What its buttons do here; without it they only say what they are.
    pub resolved: Option<&'a Resolved>,
    /// Domains of the app's that have vouched for it.
    pub proven: &'a [String],
    /// Addresses at which this program has the card's pictures, by their places: paths of its own that begin with `/`.
    pub pictures: &'a BTreeMap<usize, String>,
}

/// A part of what is shown, in order; both forms are made of these.
enum Part<'a> {
    /// Who stands for it: the card has no say in this.
    Signer(String),
    /// What warns of it.
    Warning(&'static str),
    Heading(&'a str),
    Text(&'a str),
    Image(usize, &'a Image),
    /// A name and a value.
    Row(String, String),
    /// What the rows before come to.
    Sum(String, String),
    /// What it costs, and what it did before.
    Price(String, Option<String>),
    /// A button, its path, and its number where it is one of the card itself.
    Button(&'a Button, String, Option<usize>),
    /// Where the body leads.
    Address(&'a str),
    Rule,
}

/// Shows a card as text: lines that begin with nothing the card wrote unmarked. Its buttons are numbered from 1.
#[must_use]
pub fn text(card: &SharedCard, view: &View<'_>) -> String {
    as_text(parts(card, view), view)
}

/// Shows a share as text where something else says who stands for it, as in a message.
#[must_use]
pub fn text_of(share: &Share, view: &View<'_>) -> String {
    let mut parts = Vec::new();
    of_share(&mut parts, share, view);
    as_text(parts, view)
}

fn as_text(parts: Vec<Part<'_>>, view: &View<'_>) -> String {
    let words = view.language.words();
    let mut out = String::new();
    for part in parts {
        // Writing to a string doesn't fail.
        let _written = match part {
            Part::Signer(signer) => writeln!(out, "{signer}"),
            Part::Warning(warning) => writeln!(out, "! {warning}"),
            Part::Heading(text) => writeln!(out, "  {}", line(text)),
            Part::Text(text) => writeln!(out, "  {}", paragraph(text, "  ")),
            Part::Image(_, image) => {
                let alt = image.alt.as_deref().map(line).unwrap_or_default();
                let colon = if alt.is_empty() { "" } else { ": " };
                writeln!(out, "  ({}{colon}{alt})", words.picture)
            }
            Part::Row(name, value) | Part::Sum(name, value) => writeln!(out, "  {name}: {value}"),
            Part::Price(price, None) => writeln!(out, "  {}: {price}", words.price),
            Part::Price(price, Some(before)) => writeln!(out, "  {}: {price} ({before})", words.price),
            Part::Button(button, path, number) => {
                let number = number.map_or_else(String::new, |number| format!("{number}: "));
                match action(view, &path) {
                    Some(Action::None { .. }) => Ok(()),
                    Some(action) => writeln!(out, "  [{number}{}] {}", line(&button.label), does(action, words)),
                    None => writeln!(out, "  [{number}{}]", line(&button.label)),
                }
            }
            Part::Address(url) => writeln!(out, "  {}", line(url)),
            Part::Rule => writeln!(out, "  --"),
        };
    }
    out
}

/// Shows a card as HTML: one `article` of elements without scripts, styles, frames and forms. All that the card says is escaped, and no
/// address of its is loaded: pictures are those of [`View::pictures`], links are followed when they are clicked, by a new page that
/// learns nothing of this one.
#[must_use]
pub fn html(card: &SharedCard, view: &View<'_>) -> String {
    let mut out = String::from("<article class=\"card\">");
    for part in parts(card, view) {
        let _written = match part {
            Part::Signer(signer) => write!(out, "<p class=\"signer\">{}</p>", escaped(&signer)),
            Part::Warning(warning) => write!(out, "<p class=\"warning\">{}</p>", escaped(warning)),
            Part::Heading(text) => write!(out, "<h3><bdi>{}</bdi></h3>", escaped(&line(text))),
            Part::Text(text) => write!(
                out,
                "<p><bdi>{}</bdi></p>",
                escaped(&paragraph(text, "")).replace('\n', "<br>")
            ),
            Part::Image(place, image) => picture(&mut out, view, place, image),
            Part::Row(name, value) => row(&mut out, "row", &name, &value),
            Part::Sum(name, value) => row(&mut out, "row sum", &name, &value),
            Part::Price(price, None) => write!(out, "<p class=\"price\"><bdi>{}</bdi></p>", escaped(&price)),
            Part::Price(price, Some(before)) => write!(
                out,
                "<p class=\"price\"><bdi>{}</bdi> <span>{}</span></p>",
                escaped(&price),
                escaped(&before)
            ),
            Part::Button(button, path, _) => press(&mut out, view, button, &path),
            Part::Address(url) => write!(out, "<p class=\"address\">{}</p>", escaped(&line(url))),
            Part::Rule => write!(out, "<hr>"),
        };
    }
    out.push_str("</article>");
    out
}

fn row(out: &mut String, class: &str, name: &str, value: &str) -> std::fmt::Result {
    let (name, value) = (escaped(name), escaped(value));
    write!(out, "<p class=\"{class}\"><bdi>{name}</bdi> <bdi>{value}</bdi></p>")
}

fn picture(out: &mut String, view: &View<'_>, place: usize, image: &Image) -> std::fmt::Result {
    let alt = escaped(&image.alt.as_deref().map(line).unwrap_or_default());
    let own = view
        .pictures
        .get(&place)
        .filter(|path| path.starts_with('/') && !path.starts_with("//"));
    match own {
        Some(path) => write!(out, "<img src=\"{}\" alt=\"{alt}\" loading=\"lazy\">", escaped(path)),
        None => {
            let space = if alt.is_empty() { "" } else { " " };
            let picture = view.language.words().picture;
            write!(out, "<p class=\"picture\">{picture}{space}{alt}</p>")
        }
    }
}

fn press(out: &mut String, view: &View<'_>, button: &Button, path: &str) -> std::fmt::Result {
    let label = escaped(&line(&button.label));
    match action(view, path) {
        // What isn't allowed is no button.
        Some(Action::None { .. }) => Ok(()),
        Some(Action::Web { url }) => write!(
            out,
            "<a class=\"button\" href=\"{0}\" title=\"{0}\" target=\"_blank\" rel=\"noopener noreferrer nofollow\">{label}</a>",
            escaped(url)
        ),
        Some(action) => write!(
            out,
            "<button type=\"button\" data-button=\"{}\" title=\"{}\">{label}</button>",
            escaped(path),
            escaped(&does(action, view.language.words()))
        ),
        None => write!(out, "<span class=\"button\">{label}</span>"),
    }
}

fn action<'a>(view: &View<'a>, path: &str) -> Option<&'a Action> {
    let buttons = &view.resolved?.buttons;
    buttons
        .iter()
        .find(|(known, _)| known == path)
        .map(|(_, action)| action)
}

/// What a button does, for whoever wants to know before.
fn does(action: &Action, words: &Words) -> String {
    match action {
        Action::Handler { .. } | Action::Scheme { .. } => words.opens_app.to_owned(),
        Action::VerifiedLink { url } | Action::Install { url } | Action::Web { url } => line(url),
        Action::Reply { .. } => words.replies.to_owned(),
        Action::Copy { .. } => words.copies.to_owned(),
        Action::Follow { .. } => words.follows.to_owned(),
        Action::Postback { .. } => words.hands_back.to_owned(),
        Action::Share => words.shares.to_owned(),
        Action::None { .. } => String::new(),
    }
}

/// Lines of a card. Unlike people's messages they have no need of spaces that aren't seen, which could part a word that is looked for.
fn paragraph(text: &str, indent: &str) -> String {
    let unseen = |c: char| matches!(c, '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{feff}');
    let marked: String = text
        .chars()
        .map(|c| if unseen(c) { char::REPLACEMENT_CHARACTER } else { c })
        .collect();
    multiline(&marked, indent)
}

/// `&`, `<`, `>` and both quotes, so that it is text in elements and attributes alike.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

fn parts<'a>(shared: &'a SharedCard, view: &View<'_>) -> Vec<Part<'a>> {
    let mut parts = Vec::new();
    signer(&mut parts, shared, view, view.language.words());
    of_share(&mut parts, &shared.share, view);
    parts
}

fn of_share<'a>(parts: &mut Vec<Part<'a>>, share: &'a Share, view: &View<'_>) {
    let (card, words) = (share.card(), view.language.words());
    if share.has_expired(view.now_s) {
        parts.push(Part::Warning(words.expired));
    }
    // Places of pictures are counted as they are in messages.
    let mut place = 0;
    if let Some(header) = &card.header {
        parts.push(Part::Heading(&header.title));
    }
    if let Some(text) = &card.text {
        parts.push(Part::Text(text));
    }
    if let Some(content) = &card.content {
        of_content(parts, content, &mut place);
    }
    if shows_nothing(card) {
        parts.push(Part::Text(&card.fallback.text));
    }
    for content in card.contents.iter().flat_map(|rows| rows.iter()) {
        parts.push(Part::Rule);
        of_content(parts, content, &mut place);
    }
    for (at, slide) in card.slides.iter().flat_map(|slides| slides.iter()).enumerate() {
        parts.push(Part::Rule);
        of_content(parts, &slide.content, &mut place);
        if let Some(price) = &slide.price {
            of_price(parts, price, words);
        }
        let buttons = slide.buttons.iter().enumerate();
        let path = |number| format!("slides[{at}].buttons[{number}]");
        parts.extend(buttons.map(|(number, button)| Part::Button(button, path(number), None)));
    }
    if let Some(details) = &card.details {
        of_details(parts, details, &mut place);
    }
    if let Some(price) = &card.price {
        of_price(parts, price, words);
    }
    if let Some(location) = &card.location {
        of_location(parts, location, words);
    }
    if let Some(calendar) = &card.calendar {
        of_calendar(parts, calendar, words);
    }
    if let Some(coupon) = &card.coupon {
        of_coupon(parts, coupon, words);
    }
    if let Some(social) = &card.social {
        of_social(parts, social, words);
    }
    let buttons = card.buttons.iter().enumerate();
    parts.extend(buttons.map(|(number, button)| Part::Button(button, format!("buttons[{number}]"), Some(number + 1))));
    let own = &*card.fallback.url;
    if !parts
        .iter()
        .any(|part| matches!(part, Part::Address(url) if *url == own))
    {
        parts.push(Part::Address(own));
    }
}

/// Whether the card says nothing that is shown but what it falls back to.
fn shows_nothing(card: &Card) -> bool {
    card.text.is_none() && card.content.is_none() && card.contents.is_none() && card.slides.is_none()
}

/// The key is who signed; the name is what it calls itself.
fn signer(parts: &mut Vec<Part<'_>>, shared: &SharedCard, view: &View<'_>, words: &Words) {
    match (&shared.by, shared.verify()) {
        (By::App { manifest, .. }, Ok(Some(app))) => {
            let manifest = manifest.manifest();
            let key = app.to_string();
            let key = key.get(..16).unwrap_or(&key);
            let name = line(&manifest.name);
            let mut signer = format!("{} \u{ab}{name}\u{bb} ({key}…)", words.signed_by);
            for domain in manifest.domains.iter() {
                let said = if view.proven.iter().any(|proven| proven == domain.as_str()) {
                    words.proven
                } else {
                    words.says
                };
                let _written = write!(signer, ", {said} {}", line(domain));
            }
            parts.push(Part::Signer(signer));
        }
        (By::App { .. }, _) => parts.push(Part::Warning(words.forged)),
        (By::Page(origin), _) => {
            parts.push(Part::Signer(format!("{} {}", words.claimed, line(origin))));
            parts.push(Part::Warning(words.unsigned));
        }
        (By::Nobody, _) => parts.push(Part::Warning(words.unsigned)),
    }
}

fn of_content<'a>(parts: &mut Vec<Part<'a>>, content: &'a Content, place: &mut usize) {
    parts.push(Part::Heading(&content.title));
    if let Some(image) = &content.image {
        of_image(parts, image, place);
    }
    if let Some(description) = &content.description {
        parts.push(Part::Text(description));
    }
    if let Some(url) = content.link.as_ref().and_then(|link| link.url.as_deref()) {
        parts.push(Part::Address(url));
    }
}

fn of_image<'a>(parts: &mut Vec<Part<'a>>, image: &'a Image, place: &mut usize) {
    parts.push(Part::Image(*place, image));
    *place += 1;
}

fn of_details<'a>(parts: &mut Vec<Part<'a>>, details: &'a Details, place: &mut usize) {
    parts.push(Part::Rule);
    if let Some(profile) = &details.profile {
        parts.push(Part::Heading(&profile.text));
        if let Some(image) = &profile.image {
            of_image(parts, image, place);
        }
    }
    if let Some(subject) = &details.subject {
        parts.push(Part::Heading(&subject.text));
        if let Some(category) = &subject.category {
            parts.push(Part::Text(category));
        }
        if let Some(image) = &subject.image {
            of_image(parts, image, place);
        }
    }
    let rows = details.items.iter().map(|item| (line(&item.name), line(&item.value)));
    parts.extend(rows.map(|(name, value)| Part::Row(name, value)));
    if let Some(sum) = &details.sum {
        parts.push(Part::Sum(line(&sum.name), line(&sum.value)));
    }
}

fn of_price(parts: &mut Vec<Part<'_>>, price: &Price, words: &Words) {
    let money = |amount: u64| format!("{} {}", money(amount, &price.currency), price.currency);
    if let Some(product) = &price.product {
        parts.push(Part::Row(words.product.to_owned(), line(product)));
    }
    let regular = money(price.regular.unsigned());
    let Some(discounted) = price.discounted else {
        parts.push(Part::Price(regular, None));
        return;
    };
    let less = price.regular.unsigned().saturating_sub(discounted.unsigned());
    let off = match price.rate_percent {
        Some(rate) => format!("-{}%", rate.get()),
        None => format!("-{}", money(less)),
    };
    let before = format!("{} {regular}, {off}", words.instead_of);
    parts.push(Part::Price(money(discounted.unsigned()), Some(before)));
}

fn of_location(parts: &mut Vec<Part<'_>>, location: &Location, words: &Words) {
    if let Some(title) = &location.title {
        parts.push(Part::Row(words.place.to_owned(), line(title)));
    }
    parts.push(Part::Row(words.address.to_owned(), line(&location.address)));
    if let (Some(latitude), Some(longitude)) = (location.latitude_e6, location.longitude_e6) {
        let degrees = |e6: i64| {
            let sign = if e6 < 0 { "-" } else { "" };
            let e6 = e6.unsigned_abs();
            format!("{sign}{}.{:06}", e6 / 1_000_000, e6 % 1_000_000)
        };
        let shown = format!("{}, {}", degrees(latitude.get()), degrees(longitude.get()));
        parts.push(Part::Row(words.coordinates.to_owned(), shown));
    }
}

fn of_calendar(parts: &mut Vec<Part<'_>>, calendar: &Calendar, words: &Words) {
    for (name, time) in [(words.starts, calendar.starts_s), (words.ends, calendar.ends_s)] {
        if let Some(time) = time {
            parts.push(Part::Row(name.to_owned(), when(time.get())));
        }
    }
    if let Some(place) = &calendar.place {
        parts.push(Part::Row(words.place.to_owned(), line(place)));
    }
}

fn of_coupon(parts: &mut Vec<Part<'_>>, coupon: &Coupon, words: &Words) {
    for (name, text) in [
        (words.code, coupon.code.as_deref()),
        (words.terms, coupon.terms.as_deref()),
    ] {
        if let Some(text) = text {
            parts.push(Part::Row(name.to_owned(), line(text)));
        }
    }
    for (name, time) in [(words.starts, coupon.starts_s), (words.ends, coupon.ends_s)] {
        if let Some(time) = time {
            parts.push(Part::Row(name.to_owned(), when(time.get())));
        }
    }
}

fn of_social(parts: &mut Vec<Part<'_>>, social: &Social, words: &Words) {
    let counts = [
        (words.likes, social.likes),
        (words.comments, social.comments),
        (words.shared, social.shares),
        (words.views, social.views),
        (words.subscribers, social.subscribers),
    ];
    let told: Vec<String> = counts
        .into_iter()
        .filter_map(|(name, count)| Some(format!("{name} {}", count?.get())))
        .collect();
    if !told.is_empty() {
        parts.push(Part::Row(words.app_says.to_owned(), told.join(", ")));
    }
}

/// A time in UTC: where the card is read isn't known here.
fn when(seconds: i64) -> String {
    match jiff::Timestamp::from_second(seconds) {
        Ok(time) => time.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        Err(_) => seconds.to_string(),
    }
}

/// How many digits stand behind the point of a currency's amounts (ISO 4217).
pub(super) fn digits(currency: &str) -> u32 {
    match currency {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "UYI" | "VND"
        | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        "CLF" | "UYW" => 4,
        _ => 2,
    }
}

/// An amount with a point where its currency has one, and a comma for each thousand.
fn money(amount: u64, currency: &str) -> String {
    let digits = digits(currency);
    let unit = 10_u64.pow(digits);
    let mut whole = (amount / unit).to_string();
    let mut at = whole.len();
    while at > 3 {
        at -= 3;
        whole.insert(at, ',');
    }
    if digits == 0 {
        return whole;
    }
    format!("{whole}.{:0width$}", amount % unit, width = digits as usize)
}
