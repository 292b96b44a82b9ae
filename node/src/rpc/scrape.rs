//! A card made of a page: what the page says of itself (Open Graph, oEmbed), read by whoever shares its link, so that who gets it asks nobody.

use html5gum::{Token, Tokenizer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::api::{Api, ApiResult};
use super::error::ApiError;
use super::fetch::{Fetched, deadline, fetch, joined};
use super::limits::{MAX_EMBED, MAX_URL, MAX_WEB_PAGE};
use super::params::{CardText, Fields, FromParams};
use super::schema::Url;
use super::web::{Reach, Target};

/// Characters of a title, of a description and of a picture's text, as the protocol has them.
const TITLE: usize = 200;
const DESCRIPTION: usize = 1_000;
const ALT: usize = 200;

/// Parameters of `share.scrape`.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct ScrapeParams {
    /// The page, `https`.
    #[schemars(with = "Url")]
    pub url: String,
}

impl FromParams for ScrapeParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            url: fields.text("url", MAX_URL)?,
        })
    }
}

/// Result of `share.scrape`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Scraped {
    /// A card by the schema of shares, for `share.pick` or `share.send`.
    pub share: Map<String, Value>,
}

/// Gives no content.
impl std::fmt::Debug for Scraped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Scraped")
    }
}

/// What a page says of itself.
#[derive(Debug, Default, PartialEq, Eq)]
struct Said {
    title: Option<String>,
    description: Option<String>,
    image: Option<String>,
    alt: Option<String>,
    /// Where its oEmbed is.
    embed: Option<String>,
}

/// Answers `share.scrape`.
pub(super) async fn scrape<A: Api>(api: &A, params: ScrapeParams) -> ApiResult<Scraped> {
    if !params.url.starts_with("https://") {
        return Err(ApiError::invalid("url", "must be https"));
    }
    let target = Target::parse(&params.url).map_err(|reason| ApiError::invalid("url", reason))?;
    if target.is_beyond(Reach::Internet) {
        return Err(ApiError::invalid("url", "must not lead into a private network"));
    }
    let until = deadline();
    let page = fetch(&params.url, "text/html", MAX_WEB_PAGE, until).await;
    let page = page.map_err(|reason| ApiError::DomainUnavailable {
        domain: target.authority,
        reason,
    })?;
    if !["text/html", "application/xhtml+xml"].contains(&page.media_type.as_str()) {
        return Err(ApiError::invalid("url", "is no page"));
    }
    let mut said = read(&String::from_utf8_lossy(&page.bytes));
    if said.title.is_none() || said.image.is_none() {
        embedded(&mut said, &page, until).await;
    }
    let share = card(&page.url, said);
    // What a page says can't make a card that isn't one.
    let text = json!({ "share": share }).to_string();
    api.share_check(CardText(text), None).await?;
    Ok(Scraped { share })
}

/// Adds what its oEmbed says; a page that has none that can be read is as it is.
async fn embedded(said: &mut Said, page: &Fetched, until: Instant) {
    #[derive(Deserialize)]
    struct Embed {
        title: Option<String>,
        thumbnail_url: Option<String>,
    }
    let Some(url) = said.embed.as_deref().and_then(|embed| joined(&page.url, embed)) else {
        return;
    };
    let Ok(embed) = fetch(&url, "application/json", MAX_EMBED, until).await else {
        return;
    };
    if let Ok(embed) = serde_json::from_slice::<Embed>(&embed.bytes) {
        let title = embed.title.and_then(|title| clean(&title, TITLE));
        said.title = said.title.take().or(title);
        said.image = said.image.take().or(embed.thumbnail_url);
    }
}

/// The card: `url` is the page's own address, not one that it names.
fn card(url: &str, said: Said) -> Map<String, Value> {
    let host = url.split('/').nth(2).unwrap_or(url);
    let title = said.title.unwrap_or_else(|| host.to_owned());
    let mut content = json!({ "title": title, "link": { "url": url } });
    let image = said.image.and_then(|image| joined(url, &image));
    if let Some(members) = content.as_object_mut() {
        if let Some(description) = said.description {
            members.insert("description".into(), description.into());
        }
        if let Some(image) = image.filter(|image| image.len() <= MAX_URL) {
            let mut image = json!({ "url": image });
            if let (Some(alt), Some(members)) = (said.alt, image.as_object_mut()) {
                members.insert("alt".into(), alt.into());
            }
            members.insert("image".into(), image);
        }
    }
    Map::from_iter([
        ("version".to_owned(), 1.into()),
        ("template".to_owned(), "feed".into()),
        ("fallback".to_owned(), json!({ "text": title, "url": url })),
        ("content".to_owned(), content),
    ])
}

/// Reads a page's head.
fn read(page: &str) -> Said {
    let mut said = Said::default();
    let (mut own_title, mut plain): (Option<String>, Option<String>) = (None, None);
    let mut in_title = false;
    for token in Tokenizer::new(page) {
        let Ok(token) = token;
        match token {
            Token::StartTag(tag) => {
                let attribute = |name: &str| {
                    let value = tag.attributes.get(name.as_bytes())?;
                    Some(String::from_utf8_lossy(value).into_owned())
                };
                match tag.name.as_slice() {
                    b"body" => break,
                    b"title" => in_title = own_title.is_none(),
                    b"meta" => {
                        let name = attribute("property").or_else(|| attribute("name")).unwrap_or_default();
                        let text = |most| clean(&attribute("content").unwrap_or_default(), most);
                        let set = |slot: &mut Option<String>, most| {
                            if slot.is_none() {
                                *slot = text(most);
                            }
                        };
                        match name.to_ascii_lowercase().as_str() {
                            "og:title" => set(&mut said.title, TITLE),
                            "og:description" => set(&mut said.description, DESCRIPTION),
                            "description" => set(&mut plain, DESCRIPTION),
                            "og:image" | "og:image:url" | "og:image:secure_url" => set(&mut said.image, MAX_URL),
                            "og:image:alt" => set(&mut said.alt, ALT),
                            _ => {}
                        }
                    }
                    b"link" if attribute("type").as_deref() == Some("application/json+oembed") => {
                        said.embed = said.embed.take().or_else(|| attribute("href"));
                    }
                    _ => {}
                }
            }
            Token::String(text) if in_title => own_title = clean(&String::from_utf8_lossy(&text), TITLE),
            Token::EndTag(_) => in_title = false,
            _ => {}
        }
    }
    said.title = said.title.or(own_title);
    said.description = said.description.or(plain);
    said
}

/// A text in one line of at most `most` characters; none if nothing can be read of it.
fn clean(text: &str, most: usize) -> Option<String> {
    let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || c.is_control()).collect();
    let line = words
        .into_iter()
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    // Of another encoding than UTF-8.
    if line.is_empty() || line.contains(char::REPLACEMENT_CHARACTER) {
        return None;
    }
    if line.chars().count() <= most {
        return Some(line);
    }
    let cut: String = line.chars().take(most - 1).collect();
    Some(cut + "…")
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_what_it_is_and_where_its_picture_is() {
        let said = read(
            "<!doctype html><head><title>Bread &amp;\n more</title><meta property=og:image content='/b.png'>\
             <meta name=description content='Fresh.'><meta property='og:title' content=''>\
             <link rel=alternate type='application/json+oembed' href='/o'></head><body><meta property=og:title content=no>",
        );
        let text = |text: &str| Some(text.to_owned());
        let expected = Said {
            title: text("Bread & more"),
            description: text("Fresh."),
            image: text("/b.png"),
            alt: None,
            embed: text("/o"),
        };
        assert_eq!(said, expected);
        let card = card("https://a.example/x/", said);
        assert_eq!(card["content"]["image"]["url"], "https://a.example/b.png");
        assert_eq!(card["fallback"]["url"], "https://a.example/x/");
    }

    #[test]
    fn f64_what_a_page_says_is_cut_and_what_leads_nowhere_is_left_out() {
        let long = format!("<meta property=og:title content=\"{}\">", "가".repeat(500));
        let said = read(&long);
        assert_eq!(said.title.as_ref().map(|title| title.chars().count()), Some(TITLE));
        let said = Said {
            image: Some("http://127.0.0.1/x".to_owned()),
            ..Said::default()
        };
        let card = card("https://a.example/", said);
        assert!(card["content"].get("image").is_none());
        assert_eq!(card["content"]["title"], "a.example");
    }
}
