//! KakaoTalk Share's default templates become shares (`docs/kakao-mapping.md`): a sample of each, with all of its members, in `tests/kakao`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use madang_protocol::share::{Card, Converted, Os, Share, ShareError, Template, from_kakao};
use std::path::PathBuf;

fn sample(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/kakao")
        .join(format!("{name}.json"));
    std::fs::read(path).unwrap()
}

fn converted(name: &str) -> Converted {
    let converted = from_kakao(&sample(name), None).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(
        Share::parse(converted.share.canonical().as_bytes()).unwrap(),
        converted.share
    );
    converted
}

fn card(name: &str) -> Card {
    let converted = converted(name);
    assert_eq!(converted.left_out, Vec::<String>::new(), "{name}");
    converted.share.card().clone()
}

#[test]
fn a_feed_keeps_its_items_counts_and_buttons() {
    let feed = card("feed");
    assert_eq!(feed.template, Template::Feed);
    assert_eq!(feed.fallback.text.as_str(), "오늘의 디저트");
    assert_eq!(feed.fallback.url.as_str(), "https://dessert.example/today");
    let content = feed.content.unwrap();
    assert_eq!(content.description.as_deref(), Some("아메리카노, 빵, 케이크"));
    // What was asked for without TLS is asked for with it.
    let image = content.image.unwrap();
    assert_eq!(image.url.as_deref(), Some("https://img.example/dessert.jpg"));
    assert_eq!((image.width.unwrap().get(), image.height.unwrap().get()), (640, 640));
    let link = content.link.unwrap();
    assert_eq!(link.mobile_url.as_deref(), Some("https://m.dessert.example/today"));
    let execute: Vec<_> = link
        .platforms
        .iter()
        .map(|one| (one.os, one.execute.as_ref().unwrap()["contentId"].as_str()))
        .collect();
    assert_eq!(execute, [(Os::Android, "100"), (Os::Ios, "100")]);
    let details = feed.details.unwrap();
    assert_eq!(details.items.len(), 5);
    assert_eq!(details.sum.unwrap().value.as_str(), "15,000원");
    assert_eq!(details.subject.unwrap().category.as_deref(), Some("영수증"));
    assert_eq!(feed.social.unwrap().subscribers.unwrap().get(), 500);
    let labels: Vec<&str> = feed.buttons.iter().map(|button| button.label.as_str()).collect();
    assert_eq!(labels, ["웹으로 이동", "앱으로 이동"]);
}

#[test]
fn a_list_is_read_as_the_javascript_sdk_writes_it_and_what_has_no_place_is_told() {
    let list = converted("list");
    assert_eq!(list.left_out, ["installTalk", "serverCallbackArgs"]);
    let card = list.share.card();
    assert_eq!(card.header.as_ref().unwrap().title.as_str(), "이번 주의 매거진");
    assert_eq!(card.contents.as_ref().unwrap().len(), 3);
    assert_eq!(card.fallback.text.lines().count(), 4);
    assert_eq!(card.fallback.url.as_str(), "https://magazine.example/");
}

#[test]
fn a_commerce_keeps_both_prices_and_the_rate() {
    let price = card("commerce").price.unwrap();
    assert_eq!(price.currency.as_str(), "KRW");
    assert_eq!(
        (price.regular.get(), price.discounted.unwrap().get()),
        (100_000, 80_000)
    );
    assert_eq!(price.rate_percent.unwrap().get(), 20);
    let dollars = String::from_utf8(sample("commerce"))
        .unwrap()
        .replace("\"원\"", "\"$\"");
    let dollars = from_kakao(dollars.as_bytes(), None).unwrap();
    assert_eq!(dollars.share.card().price.as_ref().unwrap().regular.get(), 10_000_000);
}

#[test]
fn a_location_a_calendar_and_a_text_keep_what_is_theirs() {
    let location = card("location");
    assert_eq!(location.location.unwrap().title.as_deref(), Some("판교오피스 카페"));
    assert_eq!(location.buttons[0].label.as_str(), "자세히 보기");
    let calendar = card("calendar");
    assert_eq!(
        calendar.calendar.unwrap().id.as_deref(),
        Some("5ea2b8a2f2b1c50001e0d0a1")
    );
    let text = card("text");
    assert_eq!(text.text.unwrap().lines().count(), 2);
    assert_eq!(text.buttons[0].label.as_str(), "바로 확인");
    assert_eq!(text.link.unwrap().url.as_deref(), Some("https://text.example/"));
}

#[test]
fn what_can_not_become_a_share_is_refused_at_its_member() {
    let refused = |name: &str, from: &str, to: &str| {
        let text = String::from_utf8(sample(name)).unwrap();
        assert!(text.contains(from), "{from}");
        from_kakao(text.replacen(from, to, 1).as_bytes(), None).unwrap_err()
    };
    for (name, from, to, path) in [
        ("feed", "\"feed\"", "\"scrap\"", "object_type"),
        (
            "feed",
            "\"title\": \"오늘의 디저트\"",
            "\"title\": \"\"",
            "content.title",
        ),
        (
            "feed",
            "https://dessert.example/today",
            "javascript:alert(1)",
            "content.link.web_url",
        ),
        (
            "feed",
            "\"item_op\": \"1,000원\"",
            "\"item_op\": 1000",
            "item_content.items[0].item_op",
        ),
        ("feed", "\"like_count\": 100", "\"like_count\": -1", "social.like_count"),
        (
            "list",
            "자전거 라이더를 위한 공간\"",
            "x\", \"image_url\": \"y\"",
            "contents[0].image_url",
        ),
        ("commerce", "\"원\"", "\"쌀\"", "commerce.currency_unit"),
        (
            "commerce",
            "\"discount_rate\": 20",
            "\"discount_rate\": 70",
            "price.rate_percent",
        ),
        (
            "commerce",
            "\"regular_price\": 100000",
            "\"regular_price\": 1.5",
            "commerce.regular_price",
        ),
        ("calendar", "\"event\"", "\"day\"", "id_type"),
        ("text", "\"link\"", "\"no_link\"", "link.web_url"),
    ] {
        let error = refused(name, from, to);
        assert_eq!(error.path(), path, "{error}");
    }
    let long = String::from_utf8(sample("list"))
        .unwrap()
        .replacen("이번 주의 매거진", &"가".repeat(201), 1);
    let error = from_kakao(long.as_bytes(), None).unwrap_err();
    assert!(
        matches!(&error, ShareError::Limit { path, found: 201, .. } if path == "headerTitle"),
        "{error:?}"
    );
    let text = String::from_utf8(sample("text"))
        .unwrap()
        .replacen("\"link\"", "\"no_link\"", 1);
    assert!(from_kakao(text.as_bytes(), Some("https://text.example/")).is_ok());
}
