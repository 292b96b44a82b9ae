//! What a tap on a card does, for every combination of what a link, a manifest and a platform may have: `share_resolve.json` is written by
//! the rules of `spec/share.md` as they stand in [`expected`], and what the code answers is compared with it.
//!
//! `MADANG_WRITE_VECTORS=1 cargo test -p madang-protocol --test share_resolve` writes the file anew.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "common/cards.rs"]
#[allow(dead_code)]
mod cards;

use cards::{END_S, NOW_S, app, here, sample, share};
use madang_protocol::share::{Action, Device, NoAction, Os, Platform, SharedCard, SignedManifest, resolve};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// What is varied, and how. The first changes slowest.
const DIMENSIONS: [(&str, &[&str]); 10] = [
    ("standing", &["signed", "expired", "unsigned"]),
    ("link", &["", "url", "mobile_url", "url mobile_url"]),
    (
        "platform of the link",
        &[
            "none",
            "of another system",
            "",
            "install",
            "url",
            "install url",
            "for this device, beside one for any",
        ],
    ),
    (
        "handler of the manifest",
        &["none", "of another system", "for this device, beside one for any", ""],
    ),
    (
        "its addresses to open",
        &["", "verified_link", "execute", "verified_link execute"],
    ),
    ("its other addresses", &["", "install", "web", "install web"]),
    ("device", &["phone", "desktop"]),
    ("app's scheme is opened here", &["no", "yes"]),
    ("domain has vouched", &["no", "yes"]),
    ("app is registered at the node", &["no", "yes"]),
];

/// What can come out, by the letter that stands for it in the file.
const OUTCOMES: [(char, &str); 10] = [
    ('h', "handler"),
    ('v', "verified_link https://recipes.example/open?id=7%20a%26b"),
    ('s', "scheme recipes://open?id=7%20a%26b"),
    ('I', "install https://store.example/link"),
    ('i', "install https://store.example/manifest"),
    ('p', "web https://recipes.example/platform"),
    ('m', "web https://m.recipes.example/"),
    ('u', "web https://recipes.example/link"),
    ('w', "web https://recipes.example/manifest"),
    ('f', "web https://recipes.example/r/7"),
];

struct Case {
    values: Vec<&'static str>,
}

impl Case {
    /// The case of a number, in the order of the file.
    fn of(mut number: usize) -> Self {
        let mut values = Vec::new();
        for (_, of) in DIMENSIONS.iter().rev() {
            values.push(of[number % of.len()]);
            number /= of.len();
        }
        values.reverse();
        Self { values }
    }

    fn is(&self, dimension: usize, value: &str) -> bool {
        self.values[dimension] == value
    }

    /// Whether an address is among those of a dimension.
    fn has(&self, dimension: usize, address: &str) -> bool {
        self.values[dimension].split(' ').any(|word| word == address)
    }

    /// Whether the link, or the manifest, has something for this platform.
    fn applies(&self, dimension: usize) -> bool {
        !self.is(dimension, "none") && !self.is(dimension, "of another system")
    }
}

fn count() -> usize {
    DIMENSIONS.iter().map(|(_, values)| values.len()).product()
}

/// The rules, one after the other, as the specification has them.
fn expected(case: &Case) -> char {
    let link_applies = case.applies(2);
    let exact = case.is(2, "for this device, beside one for any");
    let manifest = case.applies(3);
    let (verified, execute) = (
        manifest && case.has(4, "verified_link"),
        manifest && case.has(4, "execute"),
    );
    let installed = case.is(7, "yes");
    if case.is(0, "signed") && link_applies {
        if case.is(9, "yes") {
            return 'h';
        }
        if verified && case.is(8, "yes") && (installed || !execute) {
            return 'v';
        }
        if execute && installed {
            return 's';
        }
        if case.has(2, "install") {
            return 'I';
        }
        if manifest && case.has(5, "install") {
            return 'i';
        }
    }
    if link_applies && (case.has(2, "url") || exact) {
        return 'p';
    }
    if case.is(6, "phone") && case.has(1, "mobile_url") {
        return 'm';
    }
    if case.has(1, "url") {
        return 'u';
    }
    let signed = !case.is(0, "unsigned");
    if signed && manifest && case.has(5, "web") {
        return 'w';
    }
    'f'
}

fn link(case: &Case) -> Value {
    let mut link = json!({});
    if case.has(1, "url") {
        link["url"] = "https://recipes.example/link".into();
    }
    if case.has(1, "mobile_url") {
        link["mobile_url"] = "https://m.recipes.example/".into();
    }
    let mut one = json!({ "os": "android", "execute": { "id": "7 a&b" } });
    if case.is(2, "of another system") {
        one["os"] = "ios".into();
    }
    if case.has(2, "install") {
        one["install"] = "https://store.example/link".into();
    }
    if case.has(2, "url") {
        one["url"] = "https://recipes.example/platform".into();
    }
    link["platforms"] = match case.values[2] {
        "none" => json!([]),
        "for this device, beside one for any" => {
            one["device"] = case.values[6].into();
            one["url"] = "https://recipes.example/platform".into();
            json!([{ "os": "android", "execute": { "id": "wrong" }, "url": "https://recipes.example/wrong" }, one])
        }
        _ => json!([one]),
    };
    link
}

fn manifest(case: &Case) -> Value {
    let mut manifest = cards::manifest();
    let mut one = json!({ "os": "android" });
    for (name, dimension, address) in [
        ("verified_link", 4, "https://recipes.example/open"),
        ("execute", 4, "recipes://open"),
        ("install", 5, "https://store.example/manifest"),
        ("web", 5, "https://recipes.example/manifest"),
    ] {
        if case.has(dimension, name) {
            one[name] = address.into();
        }
    }
    manifest["handlers"] = match case.values[3] {
        "none" => json!([]),
        "of another system" => {
            one["os"] = "windows".into();
            json!([one])
        }
        "for this device, beside one for any" => {
            one["device"] = case.values[6].into();
            json!([{ "os": "android", "execute": "recipes://wrong", "web": "https://recipes.example/wrong" }, one])
        }
        _ => json!([one]),
    };
    manifest
}

fn platform(case: &Case) -> Platform {
    let set = |yes: bool, value: &str| -> BTreeSet<String> { yes.then(|| value.to_owned()).into_iter().collect() };
    Platform {
        os: Os::Android,
        device: if case.is(6, "phone") {
            Device::Phone
        } else {
            Device::Desktop
        },
        registered: case.is(9, "yes"),
        schemes: set(case.is(7, "yes"), "recipes"),
        proven: set(case.is(8, "yes"), "recipes.example"),
    }
}

/// The letter of what comes out; the body and a button of the same link do the same.
fn found(card: &SharedCard, case: &Case) -> char {
    let now_s = if case.is(0, "expired") { END_S } else { NOW_S };
    let resolved = resolve(card, &platform(case), now_s).unwrap();
    assert_eq!(resolved.buttons.len(), 1, "{:?}", case.values);
    assert_eq!(resolved.buttons[0], ("buttons[0]".to_owned(), resolved.body.clone()));
    let action = match &resolved.body {
        Action::Handler { params } => {
            assert_eq!(
                params.iter().collect::<Vec<_>>(),
                [(&"id".to_owned(), &"7 a&b".to_owned())]
            );
            "handler".to_owned()
        }
        Action::VerifiedLink { url } => format!("verified_link {url}"),
        Action::Scheme { url } => format!("scheme {url}"),
        Action::Install { url } => format!("install {url}"),
        Action::Web { url } => format!("web {url}"),
        other => panic!("{:?}: {other:?}", case.values),
    };
    let letter = OUTCOMES.iter().find(|(_, outcome)| *outcome == action);
    letter.unwrap_or_else(|| panic!("{:?}: {action}", case.values)).0
}

/// Cases of one line of the file: those with the same link and manifest.
const LINE: usize = 2 * 2 * 2 * 2;

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("spec/vectors/share_resolve.json")
}

fn written() -> Value {
    let lines: Vec<String> = (0..count() / LINE)
        .map(|line| (0..LINE).map(|at| expected(&Case::of(line * LINE + at))).collect())
        .collect();
    json!({
        "format": 1,
        "about": "What a tap does on an Android device. The dimensions are digits of a case's number, the first the most significant; \
                  a line has the cases that differ in the last four, a letter for each.",
        "dimensions": DIMENSIONS.map(|(name, values)| json!({ "name": name, "values": values })),
        "outcomes": OUTCOMES.map(|(letter, outcome)| json!({ "letter": letter.to_string(), "action": outcome })),
        "lines": lines,
    })
}

#[test]
fn every_combination_does_what_the_table_says() {
    if std::env::var_os("MADANG_WRITE_VECTORS").is_some() {
        std::fs::write(file(), serde_json::to_string_pretty(&written()).unwrap() + "\n").unwrap();
    }
    let stored: Value = serde_json::from_str(&std::fs::read_to_string(file()).unwrap()).unwrap();
    assert_eq!(stored, written(), "share_resolve.json isn't what the rules write");
    let mut seen = BTreeSet::new();
    for (number, line) in stored["lines"].as_array().unwrap().iter().enumerate() {
        // A card is the same along a line.
        let first = Case::of(number * LINE);
        let mut cards = Vec::new();
        for (at, letter) in line.as_str().unwrap().chars().enumerate() {
            let case = Case::of(number * LINE + at);
            let device = case.values[6];
            if cards.last().is_none_or(|(of, _)| *of != device) {
                cards.push((device, card(&case)));
            }
            let card = &cards.last().unwrap().1;
            assert_eq!(found(card, &case), letter, "{:?} after {:?}", case.values, first.values);
            seen.insert(letter);
        }
    }
    assert_eq!(seen.len(), OUTCOMES.len(), "an outcome never comes: {seen:?}");
}

/// Signing is slow beside resolving: what is the same in cases that follow each other is made once.
fn card(case: &Case) -> SharedCard {
    let mut value = sample("text", json!({ "text": "text", "link": link(case) }));
    value["buttons"] = json!([{ "label": "open", "action": "open" }]);
    let share = share(&value);
    if case.is(0, "unsigned") {
        return SharedCard::unsigned(share, None);
    }
    let manifest = SignedManifest::sign(&app(), manifest(case).to_string().as_bytes()).unwrap();
    SharedCard::sign(&app(), manifest, share, NOW_S).unwrap()
}

#[test]
fn buttons_that_open_nothing_do_what_they_say_while_the_share_stands() {
    let value = sample(
        "text",
        json!({
            "text": "text",
            "buttons": [
                { "label": "r", "action": "reply", "text": "hello" },
                { "label": "c", "action": "copy", "text": "300g" },
                { "label": "p", "action": "postback", "data": "saved=7" },
                { "label": "s", "action": "share" },
                { "label": "t", "action": "open", "link": { "url": "tel:+82-2-120" } },
            ],
        }),
    );
    let web = |url: &str| Action::Web { url: url.into() };
    let reply = Action::Reply { text: "hello".into() };
    let copy = Action::Copy { text: "300g".into() };
    let postback = Action::Postback { data: "saved=7".into() };
    let none = |reason: NoAction| Action::None { reason };
    let unsigned = SharedCard::unsigned(share(&value), None);
    for (card, now_s, last) in [
        (cards::signed(&value), NOW_S, [postback, Action::Share]),
        (
            cards::signed(&value),
            END_S,
            [none(NoAction::Expired), none(NoAction::Expired)],
        ),
        (unsigned, NOW_S, [none(NoAction::Unsigned), Action::Share]),
    ] {
        let resolved = resolve(&card, &here(), now_s).unwrap();
        let actions: Vec<&Action> = resolved.buttons.iter().map(|(_, action)| action).collect();
        assert_eq!(actions, [&reply, &copy, &last[0], &last[1], &web("tel:+82-2-120")]);
        assert_eq!(resolved.body, web("https://recipes.example/r/7"));
    }
}

#[test]
fn parts_with_links_of_their_own_lead_there_and_the_body_where_the_card_does() {
    let value = sample(
        "list",
        json!({
            "header": { "title": "h", "link": { "url": "https://a.example/header" } },
            "contents": [{ "title": "1", "link": { "url": "https://a.example/1" } }, { "title": "2" }],
        }),
    );
    let resolved = resolve(&cards::signed(&value), &here(), NOW_S).unwrap();
    let web = |url: &str| Action::Web { url: url.into() };
    assert_eq!(resolved.body, web("https://a.example/header"));
    let parts: Vec<(&str, &Action)> = resolved
        .parts
        .iter()
        .map(|(path, action)| (path.as_str(), action))
        .collect();
    assert_eq!(
        parts,
        [
            ("contents[0]", &web("https://a.example/1")),
            ("header", &web("https://a.example/header"))
        ]
    );
}

#[test]
fn a_card_of_an_apps_own_kind_leads_into_the_app_with_its_arguments() {
    let value = sample(
        "custom",
        json!({ "custom": { "name": "recipes.step", "arguments": { "step": "3" } } }),
    );
    let resolved = resolve(&cards::signed(&value), &here(), NOW_S).unwrap();
    assert_eq!(
        resolved.body,
        Action::Scheme {
            url: "recipes://open?step=3".into()
        }
    );
}

#[test]
fn f63_a_card_whose_signature_does_not_hold_leads_nowhere() {
    let json = cards::signed(&sample("text", json!({ "text": "text" }))).to_json();
    let forged = SharedCard::from_json(json.replacen("\"text\":\"text\"", "\"text\":\"other\"", 1).as_bytes()).unwrap();
    assert!(resolve(&forged, &here(), NOW_S).is_err());
}
