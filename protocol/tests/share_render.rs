//! How cards are shown: every share that is accepted, hostile ones too, gives text and HTML that carry nothing out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "common/cards.rs"]
#[allow(dead_code)]
mod cards;

use cards::{END_S, NOW_S, here};
use madang_protocol::share::{By, Language, Origin, Share, SharedCard, View, html, resolve, text, text_of};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Shares of `share.json`, by name.
fn accepted() -> Vec<(String, Share)> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("spec/vectors/share.json");
    let vectors: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let positive = vectors["positive"].as_array().unwrap().iter();
    let shares = positive.filter(|vector| vector["kind"] == "share");
    shares
        .map(|vector| {
            let share = Share::parse(vector["text"].as_str().unwrap().as_bytes()).unwrap();
            (vector["name"].as_str().unwrap().to_owned(), share)
        })
        .collect()
}

/// A card as it is shown on a Linux machine, as text and as HTML.
fn shown(card: &SharedCard, now_s: u64, language: Language) -> (String, String) {
    let resolved = resolve(card, &here(), now_s).ok();
    let pictures = BTreeMap::from([(0, "/blob/7f".to_owned())]);
    let view = View {
        language,
        now_s,
        resolved: resolved.as_ref(),
        proven: &[],
        pictures: &pictures,
    };
    (text(card, &view), html(card, &view))
}

/// Elements and attributes that a card's HTML is made of.
const ELEMENTS: [&str; 11] = [
    "article", "p", "h3", "bdi", "br", "hr", "img", "a", "button", "span", "/",
];
const ATTRIBUTES: [&str; 10] = [
    "class",
    "src",
    "alt",
    "loading",
    "href",
    "title",
    "target",
    "rel",
    "type",
    "data-button",
];

/// Reads HTML by its letter: fails on anything but those elements and attributes, and on addresses that aren't allowed.
fn check_html(name: &str, html: &str) {
    let mut open = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find(['<', '>']) {
        let (before, tag) = rest.split_at(at);
        assert!(!before.contains('"'), "{name}: an open quote in {before}");
        let tag = tag
            .strip_prefix('<')
            .unwrap_or_else(|| panic!("{name}: a lone > in {rest}"));
        let end = tag.find('>').unwrap_or_else(|| panic!("{name}: a lone < in {rest}"));
        let (inside, after) = (&tag[..end], &tag[end + 1..]);
        rest = after;
        if let Some(closed) = inside.strip_prefix('/') {
            assert_eq!(open.pop(), Some(closed), "{name}: {html}");
            continue;
        }
        let (element, mut attributes) = inside.split_once(' ').unwrap_or((inside, ""));
        assert!(ELEMENTS.contains(&element), "{name}: <{element}>");
        while let Some((attribute, value)) = attributes.split_once("=\"") {
            assert!(ATTRIBUTES.contains(&attribute), "{name}: {attribute}");
            let (value, after) = value.split_once('"').unwrap();
            match attribute {
                "src" => assert!(value.starts_with("/blob/"), "{name}: {value}"),
                "href" => {
                    let known = ["https://", "http://", "tel:", "mailto:", "geo:"];
                    assert!(known.iter().any(|scheme| value.starts_with(scheme)), "{name}: {value}");
                }
                _ => {}
            }
            attributes = after.trim_start();
        }
        assert!(attributes.is_empty(), "{name}: {attributes}");
        if !["br", "hr", "img"].contains(&element) {
            open.push(element);
        }
    }
    assert!(open.is_empty(), "{name}: {html}");
}

fn is_hidden(c: char) -> bool {
    c.is_control() && c != '\n'
        || matches!(
            c,
            '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}' | '\u{2067}' | '\u{feff}'
        )
}

#[test]
fn f60_f61_whatever_a_card_says_it_is_shown_safely() {
    let shares = accepted();
    assert!(shares.len() > 15);
    for (name, share) in shares {
        let signable = share.card().key.is_some() && share.card().expires_s.is_some();
        let mut all = vec![
            SharedCard::unsigned(share.clone(), None),
            SharedCard::unsigned(share.clone(), Some(Origin::new("https://shop.example").unwrap())),
        ];
        if signable {
            all.push(SharedCard::sign(&cards::app(), cards::signed_manifest(), share, NOW_S).unwrap());
        }
        for card in all {
            for (now_s, language) in [(NOW_S, Language::English), (END_S, Language::Korean)] {
                let (text, html) = shown(&card, now_s, language);
                assert!(!text.chars().any(is_hidden), "{name}: {text:?}");
                assert!(!html.chars().any(is_hidden), "{name}: {html:?}");
                check_html(&name, &html);
                let unmarked = text.lines().filter(|line| !line.starts_with("  "));
                let warned = usize::from(!matches!(card.by, By::App { .. }));
                let expired = usize::from(card.share.has_expired(now_s));
                let signer = usize::from(!matches!(card.by, By::Nobody));
                assert_eq!(unmarked.count(), warned + expired + signer, "{name}: {text}");
            }
        }
    }
}

#[test]
fn f63_the_key_is_who_signed_and_the_name_is_what_it_calls_itself() {
    let (_, value) = cards::samples().remove(1);
    let card = cards::signed(&value);
    let (text, html) = shown(&card, NOW_S, Language::English);
    let key = cards::app().public().to_string();
    let first = text.lines().next().unwrap();
    let says = format!(
        "Signed by the app that calls itself «민지네 레시피» ({}…), which says it is of recipes.example",
        &key[..16]
    );
    assert_eq!(first, says);
    assert!(html.starts_with(&format!("<article class=\"card\"><p class=\"signer\">{says}</p>")));
    let proven = View {
        language: Language::Korean,
        now_s: NOW_S,
        resolved: None,
        proven: &["recipes.example".to_owned()],
        pictures: &BTreeMap::new(),
    };
    let text = madang_protocol::share::text(&card, &proven);
    assert!(
        text.lines().next().unwrap().contains("확인된 도메인 recipes.example"),
        "{text}"
    );

    let forged = card.to_json().replacen("민지네 레시피", "은행", 1);
    let forged = SharedCard::from_json(forged.as_bytes()).unwrap();
    let (text, html) = shown(&forged, NOW_S, Language::English);
    assert!(text.starts_with("! The signature doesn't hold"), "{text}");
    assert!(!text.contains("은행") && !html.contains("은행"));
}

#[test]
fn what_is_not_allowed_is_no_button() {
    let (_, value) = cards::samples().remove(1);
    let buttons = |card: &SharedCard, now_s: u64| {
        let (text, html) = shown(card, now_s, Language::English);
        let lines = text.lines().filter(|line| line.starts_with("  [")).count();
        let pressed = html.matches("data-button").count() + html.matches("class=\"button\"").count();
        assert_eq!(lines, pressed, "{text}{html}");
        lines
    };
    assert_eq!(buttons(&cards::signed(&value), NOW_S), 5);
    // Neither handed back nor shared again once it has expired; handed back to nobody without an app.
    assert_eq!(buttons(&cards::signed(&value), END_S), 3);
    assert_eq!(buttons(&SharedCard::unsigned(cards::share(&value), None), NOW_S), 4);
}

#[test]
fn pictures_are_those_of_the_program_that_shows_them() {
    let content = json!({ "title": "t", "image": { "url": "https://recipes.example/secret.png", "alt": "a \"b\"" } });
    let card = cards::signed(&cards::sample("feed", json!({ "content": content })));
    let (_, html) = shown(&card, NOW_S, Language::English);
    assert!(
        html.contains("<img src=\"/blob/7f\" alt=\"a &quot;b&quot;\" loading=\"lazy\">"),
        "{html}"
    );
    assert!(!html.contains("secret.png"), "{html}");
    let pictures = BTreeMap::from([(0, "//evil.example/x".to_owned())]);
    let view = View {
        language: Language::English,
        now_s: NOW_S,
        resolved: None,
        proven: &[],
        pictures: &pictures,
    };
    assert!(!madang_protocol::share::html(&card, &view).contains("<img"));
}

#[test]
fn a_share_alone_is_shown_without_a_signer_and_with_its_buttons_numbered() {
    let share = cards::share(&cards::sample(
        "commerce",
        json!({
            "content": { "title": "Bread" },
            "price": { "currency": "KRW", "regular": 8000, "discounted": 6400, "rate_percent": 20 },
            "details": { "items": [{ "name": "Rye", "value": "2" }], "sum": { "name": "All", "value": "12,800" } },
            "buttons": [{ "label": "Open", "action": "open" }, { "label": "Share", "action": "share" }],
        }),
    ));
    let view = View {
        language: Language::English,
        now_s: NOW_S,
        resolved: None,
        proven: &[],
        pictures: &BTreeMap::new(),
    };
    let shown = text_of(&share, &view);
    assert!(shown.lines().all(|line| line.starts_with("  ")), "{shown}");
    for line in [
        "  Rye: 2",
        "  All: 12,800",
        "  price: 6,400 KRW (instead of 8,000 KRW, -20%)",
        "  [1: Open]",
        "  [2: Share]",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line:?} isn't in {shown}");
    }
    let html = html(&SharedCard::unsigned(share, None), &view);
    for part in [
        "<p class=\"row sum\"><bdi>All</bdi> <bdi>12,800</bdi></p>",
        "<p class=\"price\"><bdi>6,400 KRW</bdi> <span>instead of 8,000 KRW, -20%</span></p>",
    ] {
        assert!(html.contains(part), "{part} isn't in {html}");
    }
}
