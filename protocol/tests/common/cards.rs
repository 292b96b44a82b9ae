//! Shares for tests: one of each template, and an app that signs.

use madang_protocol::keys::AppSecret;
use madang_protocol::share::{Device, Os, Platform, Share, SharedCard, SignedManifest};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// When the tests take place, Unix seconds.
pub const NOW_S: u64 = 1_700_000_000;
/// When signed shares of tests end.
pub const END_S: u64 = NOW_S + 86_400;

/// A template's name and a share of it.
pub fn samples() -> Vec<(&'static str, Value)> {
    let image = json!({
        "url": "https://recipes.example/kimchi.png",
        "sha256": "5e".repeat(32),
        "length_bytes": 48_213,
        "width": 640,
        "height": 480,
        "alt": "김치찌개 한 그릇",
    });
    let link = json!({
        "url": "https://recipes.example/r/7",
        "mobile_url": "https://m.recipes.example/r/7",
        "platforms": [
            { "os": "android", "execute": { "recipe": "7" }, "install": "https://store.example/recipes" },
            { "os": "ios", "device": "tablet", "execute": { "recipe": "7", "wide": "1" }, "url": "https://recipes.example/tablet/7" },
        ],
    });
    let content = json!({ "title": "김치찌개", "description": "30분이면 돼요", "image": image, "link": link });
    let price = json!({
        "product": "김치 1kg",
        "currency": "KRW",
        "regular": 20_000,
        "discounted": 15_000,
        "rate_percent": 25,
    });
    let rows = json!([content, { "title": "된장찌개" }]);
    let slide = json!({
        "content": { "title": "첫째" },
        "price": { "currency": "USD", "regular": 1_250 },
        "buttons": [{ "label": "보기", "action": "open", "link": { "url": "https://recipes.example/1" } }],
    });
    let mut feed = sample("feed", json!({ "content": content }));
    feed["details"] = json!({
        "profile": { "text": "민지네 부엌", "image": { "blob": "ab".repeat(32) } },
        "subject": { "text": "주문", "category": "반찬" },
        "items": [{ "name": "김치", "value": "15,000원" }, { "name": "배송", "value": "3,000원" }],
        "sum": { "name": "합계", "value": "18,000원" },
    });
    feed["social"] = json!({ "likes": 12, "comments": 3, "shares": 0, "views": 4_000, "subscribers": 9 });
    feed["buttons"] = json!([
        { "label": "열기", "action": "open" },
        { "label": "답장", "action": "reply", "text": "저도 만들어 볼게요" },
        { "label": "복사", "action": "copy", "text": "김치 300g" },
        { "label": "저장했어요", "action": "postback", "data": "saved=7" },
        { "label": "공유", "action": "share" },
    ]);
    vec![
        (
            "text",
            sample(
                "text",
                json!({ "text": "오늘 저녁은 김치찌개!\n같이 먹어요", "link": link }),
            ),
        ),
        ("feed", feed),
        (
            "list",
            sample(
                "list",
                json!({ "header": { "title": "이번 주 인기" }, "contents": rows }),
            ),
        ),
        (
            "commerce",
            sample("commerce", json!({ "content": content, "price": price })),
        ),
        (
            "location",
            sample(
                "location",
                json!({
                    "content": { "title": "모임 장소" },
                    "location": {
                        "address": "서울특별시 중구 세종대로 110",
                        "title": "시청",
                        "latitude_e6": 37_566_300,
                        "longitude_e6": 126_977_900,
                    },
                }),
            ),
        ),
        (
            "calendar",
            sample(
                "calendar",
                json!({
                    "content": { "title": "김장하는 날" },
                    "calendar": { "kind": "event", "id": "e-7", "starts_s": NOW_S, "ends_s": END_S, "place": "마당" },
                }),
            ),
        ),
        ("carousel", sample("carousel", json!({ "slides": [slide, slide] }))),
        (
            "coupon",
            sample(
                "coupon",
                json!({
                    "content": { "title": "첫 주문 20% 할인" },
                    "coupon": { "code": "KIMCHI20", "terms": "1인 1회", "starts_s": NOW_S, "ends_s": END_S },
                }),
            ),
        ),
        (
            "custom",
            sample(
                "custom",
                json!({ "custom": { "name": "recipes.step", "arguments": { "recipe": "7", "step": "3" } } }),
            ),
        ),
    ]
}

/// A share of a template, with what belongs to it.
pub fn sample(template: &str, rest: Value) -> Value {
    let mut share = json!({
        "version": 1,
        "template": template,
        "fallback": { "text": "김치찌개 만드는 법", "url": "https://recipes.example/r/7" },
        "key": format!("share-{template}"),
        "expires_s": END_S,
    });
    for (name, value) in rest.as_object().unwrap() {
        share[name] = value.clone();
    }
    share
}

/// A share of a value.
pub fn share(value: &Value) -> Share {
    Share::parse(value.to_string().as_bytes()).unwrap()
}

/// The app of tests.
pub fn app() -> AppSecret {
    AppSecret::from_bytes([11; 32])
}

/// What it says of itself.
pub fn manifest() -> Value {
    json!({
        "version": 1,
        "number": 3,
        "app": app().public().to_string(),
        "name": "민지네 레시피",
        "description": "집밥 레시피를 나눠요",
        "icon": { "media_type": "image/png", "data": "iVBORw0KGgo=" },
        "domains": ["recipes.example"],
        "handlers": [
            {
                "os": "android",
                "verified_link": "https://recipes.example/open",
                "execute": "recipes://open",
                "install": "https://store.example/recipes",
            },
            { "os": "ios", "device": "phone", "execute": "recipes://open", "web": "https://recipes.example/" },
            { "os": "linux", "execute": "recipes://open" },
        ],
        "events": ["share.opened", "share.postback"],
    })
}

/// Its manifest, signed.
pub fn signed_manifest() -> SignedManifest {
    SignedManifest::sign(&app(), manifest().to_string().as_bytes()).unwrap()
}

/// A share signed by it.
pub fn signed(value: &Value) -> SharedCard {
    SharedCard::sign(&app(), signed_manifest(), share(value), NOW_S).unwrap()
}

/// A Linux machine that opens the scheme of the app that signs, and has no program for it.
pub fn here() -> Platform {
    Platform {
        os: Os::Linux,
        device: Device::Desktop,
        registered: false,
        schemes: BTreeSet::from(["recipes".to_owned()]),
        proven: BTreeSet::new(),
    }
}
