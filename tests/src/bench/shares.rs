//! Shares: read, signed and checked by the format's own code, beside what the libraries alone take.

use std::time::Instant;

use ed25519_dalek::{Signer as _, SigningKey};
use madang_protocol::keys::AppSecret;
use madang_protocol::share::{Share, SharedCard, SignedManifest};
use serde_json::{Value, json};

use crate::bench::report::Row;
use crate::bench::scale::Scale;

/// When all is signed, Unix seconds.
const NOW_S: u64 = 1_700_000_000;

/// A feed as apps send it: content, details, price, buttons.
fn card() -> String {
    let link = json!({
        "url": "https://recipes.example/r/7",
        "platforms": [{ "os": "android", "execute": { "recipe": "7", "from": "share" } }],
    });
    json!({
        "version": 1,
        "template": "commerce",
        "fallback": { "text": "김치찌개 만드는 법", "url": "https://recipes.example/r/7" },
        "key": "recipe-7",
        "expires_s": NOW_S + 86_400,
        "content": {
            "title": "김치찌개",
            "description": "30분이면 돼요. 돼지고기와 묵은지만 있으면 됩니다.",
            "image": { "url": "https://recipes.example/7.jpg", "width": 640, "height": 480 },
            "link": link,
        },
        "price": { "currency": "KRW", "regular": 20_000, "discounted": 15_000, "rate_percent": 25 },
        "details": { "items": vec![json!({ "name": "김치", "value": "15,000원" }); 5] },
        "buttons": vec![json!({ "label": "열기", "action": "open", "link": link }); 3],
    })
    .to_string()
}

/// Times a second that something is done.
fn rate(times: usize, mut work: impl FnMut()) -> f64 {
    let began = Instant::now();
    for _ in 0..times {
        work();
    }
    times as f64 / began.elapsed().as_secs_f64()
}

/// Shares a second that are read, signed and checked on one thread.
pub fn rows(scale: &Scale) -> Vec<Row> {
    let secret = AppSecret::from_bytes([5; 32]);
    let manifest = json!({
        "version": 1,
        "number": 1,
        "app": secret.public().to_string(),
        "name": "recipes",
        "handlers": [{ "os": "android", "execute": "recipes://open", "web": "https://recipes.example/" }],
    });
    let manifest = SignedManifest::sign(&secret, manifest.to_string().as_bytes()).unwrap();
    let text = card();
    let share = Share::parse(text.as_bytes()).unwrap();
    let signed = SharedCard::sign(&secret, manifest.clone(), share.clone(), NOW_S).unwrap();
    let key = SigningKey::from_bytes(&[5; 32]);
    let content = share.canonical().as_bytes();
    let signature = key.sign(content);
    let public = key.verifying_key();

    let times = scale.bare_messages;
    let mut measured: [Vec<f64>; 6] = Default::default();
    for _ in 0..scale.repeats {
        let rates = [
            rate(times, || {
                drop(std::hint::black_box(Share::parse(text.as_bytes()).unwrap()))
            }),
            rate(times, || {
                drop(std::hint::black_box(serde_json::from_str::<Value>(&text).unwrap()))
            }),
            rate(times, || {
                let signed = SharedCard::sign(&secret, manifest.clone(), share.clone(), NOW_S);
                drop(std::hint::black_box(signed.unwrap()));
            }),
            rate(times, || {
                std::hint::black_box(key.sign(content));
            }),
            rate(times, || {
                std::hint::black_box(signed.verify().unwrap());
            }),
            rate(times, || {
                public.verify_strict(content, &signature).unwrap();
                public.verify_strict(content, &signature).unwrap();
            }),
        ];
        for (values, rate) in measured.iter_mut().zip(rates) {
            values.push(rate);
        }
    }
    let [read, parsed, made, bare_made, checked, bare_checked] = measured;
    let size = format!("{} bytes", content.len());
    vec![
        Row::new("share: validate", "/s", read)
            .floor("serde_json, to a Value", parsed)
            .note(format!(
                "{size}; read, checked against every limit, and written in the one way of writing it"
            )),
        Row::new("share: sign", "/s", made)
            .floor("Ed25519 sign of as many bytes", bare_made)
            .note(size.clone()),
        Row::new("share: verify", "/s", checked)
            .floor("two Ed25519 verify_strict of as many bytes", bare_checked)
            .note(format!("{size}; the manifest's signature and the share's")),
    ]
}
