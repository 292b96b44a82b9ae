//! `share.json`: what apps and pages offer for chats.

use crate::kit::{Fault, Format, Kind, Vectors, array, hexed, text};
use crate::{cards, share_hostile};
use data_encoding::BASE64URL_NOPAD;
use madang_protocol::keys::AppSecret;
use madang_protocol::limits;
use madang_protocol::share::{By, Origin, Share, ShareError, SharedCard, SignedManifest};
use madang_protocol::wire::Wire;
use serde_json::{Value, json};

pub const FORMAT: Format = Format {
    file: "share",
    kinds: &[
        Kind {
            name: "share",
            text: true,
            read: read_share,
            write: write_share,
        },
        Kind {
            name: "app_manifest",
            text: true,
            read: read_manifest,
            write: write_manifest,
        },
        Kind {
            name: "shared_json",
            text: true,
            read: read_json,
            write: write_json,
        },
        Kind {
            name: "shared",
            text: false,
            read: read_wire,
            write: write_wire,
        },
        Kind {
            name: "share_link",
            text: true,
            read: read_link,
            write: write_link,
        },
    ],
    fill,
};

fn fault(error: ShareError) -> Fault {
    let name = match &error {
        ShareError::Limit { .. } => "limit",
        ShareError::Missing { .. } => "missing",
        ShareError::Invalid { .. } => "invalid",
        ShareError::Json { .. } => "json",
        ShareError::Signature(_) => return Fault::new("signature"),
        ShareError::Expired { .. } => "expired",
    };
    Fault {
        error: name,
        at: Some(error.path().to_owned()),
    }
}

/// The one way of writing it, and what it falls back to.
fn read_share(_: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    let share = Share::parse(bytes).map_err(fault)?;
    Ok(json!({
        "canonical": share.canonical(),
        "template": share.card().template.name(),
        "fallback": share.fallback(),
        "images": paths(share.card().images()),
        "buttons": paths(share.card().all_buttons()),
    }))
}

fn paths<T>(found: Vec<(String, T)>) -> Vec<String> {
    found.into_iter().map(|(path, _)| path).collect()
}

fn write_share(_: &Value, fields: &Value) -> Vec<u8> {
    text(fields, "canonical").into_bytes()
}

fn secret(keys: &Value) -> AppSecret {
    AppSecret::from_bytes(array(keys, "app_secret"))
}

/// A manifest, with the signature of the app's secret.
fn read_manifest(keys: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    let signed = SignedManifest::sign(&secret(keys), bytes).map_err(fault)?;
    signed.verify().map_err(fault)?;
    Ok(json!({
        "canonical": std::str::from_utf8(signed.as_bytes()).unwrap(),
        "name": signed.manifest().name.as_str(),
        "signature": hexed(signed.signature()),
    }))
}

fn write_manifest(_: &Value, fields: &Value) -> Vec<u8> {
    text(fields, "canonical").into_bytes()
}

fn shown(card: &SharedCard) -> Result<Value, Fault> {
    let app = card.verify().map_err(fault)?;
    let mut fields = json!({ "share": card.share.canonical(), "app": app.map(|app| hexed(app.0)) });
    match &card.by {
        By::Nobody => {}
        By::App { manifest, signature } => {
            fields["manifest"] = std::str::from_utf8(manifest.as_bytes()).unwrap().into();
            fields["signature"] = hexed(signature);
        }
        By::Page(origin) => fields["origin"] = origin.as_str().into(),
    }
    Ok(fields)
}

/// Signed anew with the app's secret.
fn card_of(keys: &Value, fields: &Value) -> SharedCard {
    let share = Share::parse(text(fields, "share").as_bytes()).unwrap();
    if fields["manifest"].is_null() {
        let origin = fields["origin"].as_str().map(|origin| Origin::new(origin).unwrap());
        return SharedCard::unsigned(share, origin);
    }
    let secret = secret(keys);
    let manifest = SignedManifest::sign(&secret, text(fields, "manifest").as_bytes()).unwrap();
    SharedCard::sign(&secret, manifest, share, cards::NOW_S).unwrap()
}

fn read_json(_: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    shown(&SharedCard::from_json(bytes).map_err(fault)?)
}

fn write_json(keys: &Value, fields: &Value) -> Vec<u8> {
    card_of(keys, fields).to_json().into_bytes()
}

fn read_wire(_: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    shown(&SharedCard::decode(bytes)?)
}

fn write_wire(keys: &Value, fields: &Value) -> Vec<u8> {
    card_of(keys, fields).encode()
}

fn read_link(_: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    shown(&SharedCard::from_link(std::str::from_utf8(bytes).unwrap()).map_err(fault)?)
}

fn write_link(keys: &Value, fields: &Value) -> Vec<u8> {
    card_of(keys, fields).to_link().into_bytes()
}

fn keys() -> Value {
    json!({ "app_secret": hexed(cards::app().to_bytes()) })
}

fn fill(v: &mut Vectors) {
    for (name, value) in cards::samples() {
        let fields = json!({ "canonical": cards::share(&value).canonical() });
        v.good("share", name, Value::Null, fields);
    }
    let spaced = "{ \"version\": 1,\n \"template\": \"text\", \"text\": \"\\u00e9\\/\", \"fallback\": {\"url\":\"http://a.example\",\"text\":\"t\"} }";
    v.good_to_read(
        "share",
        "spaces, escapes and another order",
        Value::Null,
        spaced.as_bytes(),
    );
    let mut later = cards::sample("text", json!({ "text": "text" }));
    later["of_a_later_version"] = json!({ "deep": [1, null, true, { "more": "text" }] });
    v.good(
        "share",
        "members that are not known",
        Value::Null,
        json!({ "canonical": cards::share(&later).canonical() }),
    );

    for (name, value) in share_hostile::accepted() {
        v.good(
            "share",
            name,
            Value::Null,
            json!({ "canonical": cards::share(&value).canonical() }),
        );
    }
    share_hostile::refused(v);

    let canonical = |value: &Value| {
        let signed = SignedManifest::sign(&cards::app(), value.to_string().as_bytes()).unwrap();
        String::from_utf8(signed.as_bytes().to_vec()).unwrap()
    };
    let manifest = canonical(&cards::manifest());
    v.good(
        "app_manifest",
        "with all members",
        keys(),
        json!({ "canonical": manifest }),
    );
    let small = json!({ "version": 1, "number": 1, "app": cards::app().public().to_string(), "name": "a" });
    v.good(
        "app_manifest",
        "with the least",
        keys(),
        json!({ "canonical": canonical(&small) }),
    );
    refused_manifests(v);

    let share = cards::samples().remove(1).1;
    let share = cards::share(&share).canonical().to_owned();
    let signed = json!({ "share": share, "manifest": manifest });
    let page = json!({ "share": share, "origin": "https://shop.example:8443" });
    let nobody = json!({ "share": share });
    let mut written = Vec::new();
    for kind in ["shared_json", "share_link", "shared"] {
        written.push(v.good(kind, "signed by an app", keys(), signed.clone()));
        v.good(kind, "of a page", Value::Null, page.clone());
        v.good(kind, "of nobody", Value::Null, nobody.clone());
    }
    refused_cards(v, &written);
}

fn refused_manifests(v: &mut Vectors) {
    let mut bad = |name: &str, change: &dyn Fn(&mut Value), error: &str, at: &str| {
        let mut manifest = cards::manifest();
        change(&mut manifest);
        v.bad("app_manifest", name, keys(), manifest.to_string().as_bytes(), error, at);
    };
    bad(
        "of another app",
        &|m| m["app"] = "ab".repeat(32).into(),
        "invalid",
        "app",
    );
    bad("without a name", &|m| m["name"] = "".into(), "limit", "name");
    bad("number 0", &|m| m["number"] = 0.into(), "invalid", "number");
    bad("another version", &|m| m["version"] = 2.into(), "invalid", "version");
    bad(
        "a scheme of browsers",
        &|m| m["handlers"][0]["execute"] = "javascript://x".into(),
        "invalid",
        "handlers[0].execute",
    );
    bad(
        "a link on another domain",
        &|m| m["handlers"][0]["verified_link"] = "https://bank.example/".into(),
        "invalid",
        "handlers[0].verified_link",
    );
    bad(
        "a platform twice",
        &|m| m["handlers"][1] = m["handlers"][0].clone(),
        "invalid",
        "handlers[1]",
    );
    bad(
        "no domain",
        &|m| m["domains"][0] = "localhost".into(),
        "invalid",
        "domains[0]",
    );
    bad(
        "an icon of another type",
        &|m| m["icon"]["media_type"] = "image/svg+xml".into(),
        "invalid",
        "icon.media_type",
    );
    bad(
        "an icon that is too large",
        &|m| m["icon"]["data"] = "AAAA".repeat(1367).into(),
        "limit",
        "icon.data",
    );
}

fn refused_cards(v: &mut Vectors, written: &[Vec<u8>]) {
    let [json, link, wire] = written else {
        panic!("three forms");
    };
    let changed = |from: &str, to: &str| String::from_utf8(json.clone()).unwrap().replacen(from, to, 1);
    let mut bad = |name: &str, text: &str, error: &str, at: &str| {
        v.bad("shared_json", name, Value::Null, text.as_bytes(), error, at);
    };
    bad(
        "another share under the signature",
        &changed("saved=7", "saved=8"),
        "signature",
        "",
    );
    bad(
        "another manifest under the signature",
        &changed("민지네 레시피", "은행"),
        "signature",
        "",
    );
    bad(
        "without an end",
        &changed("\"expires_s\"", "\"x_s\""),
        "missing",
        "expires_s",
    );
    bad("without a key", &changed("\"key\"", "\"x_key\""), "missing", "key");
    bad(
        "an origin beside an app",
        &changed("{\"share\"", "{\"origin\":\"https://a.example\",\"share\""),
        "invalid",
        "origin",
    );
    bad("without the share", "{}", "missing", "share");
    bad(
        "a share twice",
        &changed("{\"share\"", "{\"share\":1,\"share\""),
        "json",
        "share",
    );
    bad(
        "an origin with a path",
        &changed("\"app\":", "\"origin\":\"https://a.example/x\",\"x\":"),
        "invalid",
        "origin",
    );

    let mut bad = |name: &str, bytes: &[u8], error: &str, at: &str| {
        v.bad("shared", name, Value::Null, bytes, error, at);
    };
    bad("cut", &wire[..wire.len() - 1], "truncated", "shared.extensions");
    let mut forged = wire.clone();
    let at = forged.len() - 2;
    forged[at] ^= 1;
    bad("another signature", &forged, "signature", "");
    bad(
        "another version",
        &[&[0, 2], &wire[2..]].concat(),
        "version",
        "shared.version",
    );
    let mut spaced = vec![0, 1, 4];
    spaced.extend(b"{  }");
    spaced.extend([0, 0]);
    bad("no share", &spaced, "invalid", "shared.share");

    let text = std::str::from_utf8(link).unwrap();
    let of = |json: &str| format!("madang:share?d={}", BASE64URL_NOPAD.encode(json.as_bytes()));
    let mut bad = |name: &str, text: &str, error: &str, at: &str| {
        v.bad("share_link", name, Value::Null, text.as_bytes(), error, at);
    };
    bad("another link", &text.replace("share?", "channel?"), "invalid", "link");
    bad("with padding", &format!("{text}="), "invalid", "link");
    let whole_bytes = text.len() - (text.len() - "madang:share?d=".len()) % 4 - 8;
    bad("cut", &text[..whole_bytes], "json", "signature");
    bad("of no JSON", &of("share"), "json", "share");
    let long = "A".repeat(limits::SHARED_JSON_BYTES.div_ceil(3) * 4 + 4);
    bad("too long", &format!("madang:share?d={long}"), "limit", "link");
}
