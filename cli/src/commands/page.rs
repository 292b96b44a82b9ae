//! The page of an exported chat: without scripts, and with nothing from elsewhere but pictures and sounds that are exported beside it.

use data_encoding::BASE64;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::safe;
use crate::show;
use crate::text::{Language, Texts};

/// How it looks, on light and on dark.
const STYLE: &str = "\
:root{color-scheme:light dark;--back:#f6f5f2;--card:#fff;--own:#e3f0e4;--line:#d9d6cf;--text:#1d1c1a;--soft:#6b675f}
@media(prefers-color-scheme:dark){:root{--back:#1b1a18;--card:#262522;--own:#23362a;--line:#3b3935;--text:#eceae5;--soft:#a29d93}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--text);font:16px/1.55 system-ui,'Noto Sans KR',sans-serif}
header,main{max-width:46rem;margin:0 auto;padding:1rem}
h1{font-size:1.4rem;margin:.5rem 0}
header p{color:var(--soft);margin:.2rem 0}
h2{font-size:.85rem;font-weight:600;color:var(--soft);text-align:center;margin:1.6rem 0 .6rem}
article{background:var(--card);border:1px solid var(--line);border-radius:.7rem;padding:.5rem .8rem;margin:.4rem 3rem .4rem 0}
article.own{background:var(--own);margin:.4rem 0 .4rem 3rem}
article:target{outline:2px solid var(--soft)}
article h3{font-size:.9rem;margin:0;display:flex;gap:.6rem;justify-content:space-between}
time,.soft{color:var(--soft);font-weight:400;font-size:.85rem}
.text{white-space:pre-wrap;overflow-wrap:anywhere;margin:.1rem 0}
a{color:inherit}
ul{list-style:none;padding:0;margin:.3rem 0 0;display:flex;flex-wrap:wrap;gap:.4rem}
ul li{border:1px solid var(--line);border-radius:1rem;padding:0 .6rem;font-size:.9rem}
ol{margin:.3rem 0;padding-left:1.4rem}
figure{margin:.3rem 0}
img{display:block;max-width:100%;max-height:70vh;height:auto;border-radius:.4rem}
audio{display:block;max-width:100%}
";

/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;

/// A page in the making.
pub(super) struct Page {
    title: String,
    people: String,
    exported: String,
    day: Option<u64>,
    t: &'static Texts,
}

impl Page {
    pub(super) fn new(chat: &Value, exported_ms: u64, t: &'static Texts) -> Self {
        let members = show::items_of(chat, "members").iter();
        let people: Vec<String> = members.map(|member| show::name_or(member, "account")).collect();
        Self {
            title: show::name_or(chat, "chat"),
            people: people.join(", "),
            exported: show::time(exported_ms, u64::MAX),
            day: None,
            t,
        }
    }

    /// All that stands before the messages.
    pub(super) fn head(&self) -> String {
        let lang = match self.t.language {
            Language::English => "en",
            Language::Korean => "ko",
        };
        let style = BASE64.encode(&Sha256::digest(STYLE.as_bytes()));
        let (title, people) = (escape(&self.title), escape(&self.people));
        let exported = escape(&(self.t.exported_at)(&self.exported));
        format!(
            "<!doctype html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{style}'; img-src 'self' file: data:; media-src 'self' file:; base-uri 'none'; form-action 'none'\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
             <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
             <header><h1><bdi>{title}</bdi></h1><p>{people}</p><p>{exported}</p></header>\n<main>\n"
        )
    }

    /// A message, and its day if that is another than the one before.
    pub(super) fn message(&mut self, message: &Value) -> String {
        let (sent_ms, mut shown) = (show::number(message, "sent_ms"), String::new());
        let when = show::time(sent_ms, u64::MAX);
        let (date, clock) = when.split_once(' ').unwrap_or(("", &when));
        let day = sent_ms / DAY_MS;
        if self.day.replace(day) != Some(day) {
            shown.push_str(&format!("<h2>{date}</h2>\n"));
        }
        let outgoing = show::flag(message, "outgoing");
        let who = if outgoing {
            self.t.you.to_owned()
        } else {
            show::name_or(message, "account")
        };
        let id = show::text_of(message, "message");
        shown.push_str(&format!(
            "<article id=\"m-{}\"{}><h3><bdi>{}</bdi><time datetime=\"{date}T{clock}Z\">{clock}</time></h3>\n",
            escape(id),
            if outgoing { " class=\"own\"" } else { "" },
            escape(&who)
        ));
        shown.push_str(&self.body(message.get("body").unwrap_or(&Value::Null)));
        for (field, word) in [("edited_ms", self.t.edited), ("pinned", self.t.pinned)] {
            if message.get(field).is_some_and(|value| !value.is_null()) {
                shown.push_str(&format!("<span class=\"soft\">({word}) </span>"));
            }
        }
        let reactions = show::items_of(message, "reactions");
        if !reactions.is_empty() {
            shown.push_str("<ul>");
            for reaction in reactions {
                let (emoji, many) = (
                    show::text_of(reaction, "emoji"),
                    show::items_of(reaction, "accounts").len(),
                );
                shown.push_str(&format!("<li>{} {many}</li>", escape(emoji)));
            }
            shown.push_str("</ul>");
        }
        shown.push_str("</article>\n");
        shown
    }

    fn body(&self, body: &Value) -> String {
        let mut shown = String::new();
        let answered = show::text_of(body, "reply_to");
        if !answered.is_empty() {
            let word = (self.t.reply_to)(&show::short(answered));
            shown.push_str(&format!(
                "<a class=\"soft\" href=\"#m-{}\">{}</a>",
                escape(answered),
                escape(&word)
            ));
        }
        let text = |text: &str| {
            format!(
                "<p class=\"text\" dir=\"auto\">{}</p>",
                escape(&safe::multiline(text, ""))
            )
        };
        match show::text_of(body, "kind") {
            "text" => shown.push_str(&text(show::text_of(body, "text"))),
            "poll" => {
                shown.push_str(&text(show::text_of(body, "question")));
                shown.push_str("<ol>");
                for option in show::items_of(body, "options") {
                    let votes = show::items_of(option, "accounts").len();
                    let said = escape(&safe::multiline(show::text_of(option, "text"), ""));
                    shown.push_str(&format!(
                        "<li dir=\"auto\">{said} <span class=\"soft\">({votes})</span></li>"
                    ));
                }
                shown.push_str("</ol>");
            }
            "file" | "image" | "voice" | "album" => {
                let said = show::text_of(body, "text");
                if !said.is_empty() {
                    shown.push_str(&text(said));
                }
                let files = show::items_of(body, "files").iter().chain(body.get("file"));
                files.for_each(|file| shown.push_str(&figure(file)));
            }
            "channel" => {
                let link = show::text_of(body, "link");
                shown.push_str(&text(&format!("{}\n{link}", show::channel_card(body, self.t))));
            }
            "share" => {
                let card = body.get("card").unwrap_or(&Value::Null);
                let by = super::shares::by(card.get("by").unwrap_or(&Value::Null), self.t);
                shown.push_str(&format!("<p class=\"soft\">{}</p>", escape(&by)));
                let said = card.get("share").and_then(|share| crate::offline::lines(share, self.t));
                let said = said.map(|lines| lines.join("\n"));
                shown.push_str(&text(said.as_deref().unwrap_or(show::text_of(card, "fallback"))));
            }
            "deleted" => shown.push_str(&format!("<p class=\"text soft\">({})</p>", self.t.deleted)),
            _ => shown.push_str(&text(show::text_of(body, "fallback"))),
        }
        shown
    }

    /// All that stands behind the messages.
    pub(super) fn end(&self) -> String {
        "</main>\n</body>\n</html>\n".to_owned()
    }
}

/// A file: pictures and sounds themselves, of others only the names. A page among what others sent would run if it were a click away.
fn figure(file: &Value) -> String {
    let (path, media) = (show::text_of(file, "path"), show::text_of(file, "media_type"));
    let preview = show::text_of(file, "thumbnail");
    let size = |name| Some((name, file.get(name)?.as_u64()?));
    let sizes = ["width", "height"].into_iter().filter_map(size);
    let sizes: String = sizes.map(|(name, pixels)| format!(" {name}=\"{pixels}\"")).collect();
    let (caption, name) = (show::field(file, "caption"), show::field(file, "name"));
    let alt = escape(if caption.is_empty() { &name } else { &caption });
    let seen = if media.starts_with("image/") && !path.is_empty() {
        format!("<img src=\"{}\" alt=\"{alt}\" loading=\"lazy\"{sizes}>", address(path))
    } else if !preview.is_empty() && BASE64.decode(preview.as_bytes()).is_ok() {
        format!("<img src=\"data:image/jpeg;base64,{preview}\" alt=\"{alt}\"{sizes}>")
    } else if media.starts_with("audio/") && !path.is_empty() {
        format!("<audio controls preload=\"none\" src=\"{}\"></audio>", address(path))
    } else {
        String::new()
    };
    let place = if path.is_empty() { &name } else { path };
    let said = [place, caption.as_str()].map(escape);
    let said = said.iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>();
    format!(
        "<figure>{seen}<figcaption class=\"soft\"><bdi>{}</bdi></figcaption></figure>",
        said.join(" – ")
    )
}

/// A path as an address, with nothing in it that has a meaning there.
fn address(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.');
    path.bytes()
        .map(|byte| {
            if plain(byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

/// A text as it stands in a page, between tags and in attributes.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::text::EN;

    #[test]
    fn f60_nothing_that_others_wrote_becomes_markup() {
        let evil = "<script>alert(1)</script>\"'&";
        let chat = json!({ "chat": "c", "name": evil, "members": [{ "account": "a", "name": evil }] });
        let mut page = Page::new(&chat, 0, &EN);
        let message = json!({
            "message": "\"><img>", "account": "a", "name": evil, "sent_ms": 1,
            "body": { "kind": "text", "text": evil, "reply_to": "\"><b>" },
            "reactions": [{ "emoji": evil, "accounts": ["a"] }],
        });
        let poll = json!({ "message": "m", "account": "a", "name": evil, "sent_ms": 1,
            "body": { "kind": "poll", "question": evil, "options": [{ "text": evil, "accounts": [] }] } });
        let file = json!({ "message": "m", "account": "a", "name": evil, "sent_ms": 1, "body": { "kind": "file", "text": evil,
            "file": { "name": evil, "caption": evil, "thumbnail": evil, "path": evil, "media_type": evil } } });
        let whole = [&poll, &file].map(|message| page.message(message)).concat();
        let whole = [page.head(), page.message(&message), whole, page.end()].concat();
        for tag in ["<script", "<img", "<b>"] {
            assert!(!whole.contains(tag), "{tag}");
        }
        assert_eq!(whole.matches("&lt;script&gt;").count(), 13);
    }

    #[test]
    fn pictures_and_sounds_are_shown_and_no_page_is_a_click_away() {
        let file = |media: &str| json!({ "name": "a \"b\".x", "path": "files/a \"b\".x", "media_type": media, "width": 3, "height": 4, "thumbnail": "AAAA" });
        let image = figure(&file("image/png"));
        assert!(image.contains("<img src=\"files/a%20%22b%22.x\""), "{image}");
        assert!(image.contains("width=\"3\" height=\"4\""), "{image}");
        let mut away = file("image/png");
        away.as_object_mut().and_then(|file| file.remove("path"));
        assert!(figure(&away).contains("<img src=\"data:image/jpeg;base64,AAAA\""));
        let page = figure(&json!({ "name": "x.html", "path": "files/x.html", "media_type": "text/html" }));
        assert!(
            page.contains("files/x.html") && !page.contains("href") && !page.contains("src"),
            "{page}"
        );
        let voice = figure(&json!({ "name": "x.ogg", "path": "files/x.ogg", "media_type": "audio/ogg" }));
        assert!(voice.contains("<audio controls"), "{voice}");
    }
}
