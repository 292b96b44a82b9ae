//! Shares, manifests, links, what a tap does and how it is shown.

use madang_protocol::share::{
    Device, Language, Os, Platform, Share, SharedCard, SignedManifest, View, from_kakao, html, resolve, text,
};
use madang_protocol::wire::Wire as _;
use std::collections::{BTreeMap, BTreeSet};

#[path = "../common/cards.rs"]
#[allow(dead_code)]
mod cards;

/// What a tree of JSON takes beyond its text: some 700 bytes for an object of one member, which are seven in the text, of 30 KiB at most.
pub const TREE: usize = 4 * 1024 * 1024;

pub fn shares() -> Vec<Vec<u8>> {
    let samples = cards::samples().into_iter();
    samples
        .map(|(_, value)| cards::share(&value).canonical().as_bytes().to_vec())
        .collect()
}

/// What is read is written in one way, and is read as the same again.
pub fn share(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(Share::parse(bytes).ok()?.canonical().as_bytes().to_vec())
}

pub fn manifests() -> Vec<Vec<u8>> {
    vec![cards::signed_manifest().as_bytes().to_vec()]
}

pub fn manifest(bytes: &[u8]) -> Option<Vec<u8>> {
    let manifest = SignedManifest::unverified(bytes, [0; 64]).ok()?;
    Some(manifest.as_bytes().to_vec())
}

fn cards_of_all() -> Vec<SharedCard> {
    let signed = cards::samples().into_iter().map(|(_, value)| cards::signed(&value));
    let (_, value) = cards::samples().remove(1);
    signed
        .chain([SharedCard::unsigned(cards::share(&value), None)])
        .collect()
}

pub fn signed() -> Vec<Vec<u8>> {
    let (_, value) = cards::samples().remove(3);
    vec![cards::signed(&value).encode()]
}

pub fn card(bytes: &[u8]) -> Option<Vec<u8>> {
    let card = SharedCard::decode(bytes).ok()?;
    // Extensions of later versions aren't signed: they aren't said by the app.
    (card.verify().is_ok() && card.extensions.is_empty() && card.manifest().is_some()).then(|| card.encode())
}

pub fn links() -> Vec<Vec<u8>> {
    cards_of_all().iter().map(|card| card.to_link().into_bytes()).collect()
}

pub fn link(bytes: &[u8]) -> Option<Vec<u8>> {
    let card = SharedCard::from_link(std::str::from_utf8(bytes).ok()?).ok()?;
    Some(card.to_link().into_bytes())
}

/// A card as JSON is resolved on each system and device, and shown: whatever it says, nothing that isn't allowed comes out.
pub fn resolved(bytes: &[u8]) -> Option<Vec<u8>> {
    let card = SharedCard::from_json(bytes).ok()?;
    let places = [
        (Os::Android, Device::Phone),
        (Os::Ios, Device::Tablet),
        (Os::Linux, Device::Desktop),
    ];
    for (os, device) in places {
        let here = Platform {
            os,
            device,
            registered: false,
            schemes: BTreeSet::from(["recipes".to_owned()]),
            proven: BTreeSet::from(["recipes.example".to_owned()]),
        };
        let resolved = resolve(&card, &here, cards::NOW_S).ok();
        let actions = resolved.iter().flat_map(|resolved| {
            let buttons = resolved.buttons.iter().map(|(_, action)| action);
            buttons.chain(resolved.parts.values()).chain([&resolved.body])
        });
        for action in actions {
            let said = serde_json::to_value(action).unwrap();
            if let Some(url) = said["url"].as_str() {
                let known = ["https://", "http://", "tel:", "mailto:", "geo:", "recipes://"];
                assert!(known.iter().any(|scheme| url.starts_with(scheme)), "{url}");
            }
        }
        let view = View {
            language: Language::Korean,
            now_s: cards::NOW_S,
            resolved: resolved.as_ref(),
            proven: &[],
            pictures: &BTreeMap::new(),
        };
        assert!(!html(&card, &view).contains("<script") && !text(&card, &view).contains('\u{202e}'));
    }
    Some(card.to_json().into_bytes())
}

pub fn jsons() -> Vec<Vec<u8>> {
    cards_of_all().iter().map(|card| card.to_json().into_bytes()).collect()
}

pub fn templates() -> Vec<Vec<u8>> {
    let feed = include_bytes!("../kakao/feed.json");
    let commerce = include_bytes!("../kakao/commerce.json");
    [&feed[..], commerce]
        .map(|template| template.trim_ascii_end().to_vec())
        .to_vec()
}

pub fn template(bytes: &[u8]) -> Option<Vec<u8>> {
    from_kakao(bytes, None).ok()?;
    Some(bytes.to_vec())
}
