//! The schemas of shares and manifests are what the types say, and the code refuses what they refuse.

use std::path::{Path, PathBuf};

use madang_protocol::share::{Share, from_kakao, manifest_schema, share_schema};
use serde_json::Value;

/// What the code refuses and no schema can: sums, orders, lengths in bytes, what is inside a link, and two of one platform.
const BEYOND_SCHEMAS: [&str; 9] = [
    "303 bytes handed back",
    "a channel that is damaged",
    "a discount that costs more",
    "a rate of another amount",
    "a reduction of another amount",
    "a slide that costs more",
    "a system twice",
    "an event that ends before it starts",
    "an offer that ends before it starts",
];

fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

fn json(path: &str) -> Value {
    let path = file(path);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

/// The published schema, which must be what the types give.
fn published(path: &str, made: &Value) -> jsonschema::Validator {
    if std::env::var_os("MADANG_WRITE_VECTORS").is_some() {
        std::fs::write(file(path), serde_json::to_string_pretty(made).unwrap() + "\n").unwrap();
    }
    assert_eq!(
        &json(path),
        made,
        "{path} isn't what the types give: MADANG_WRITE_VECTORS=1 writes it anew"
    );
    jsonschema::draft202012::options().build(made).unwrap()
}

fn vectors(list: &str, kind: &str) -> Vec<(String, String, Value)> {
    let vectors = json("protocol/spec/vectors/share.json");
    let of_kind = vectors[list]
        .as_array()
        .unwrap()
        .iter()
        .filter(|vector| vector["kind"] == kind);
    let member = |vector: &Value, name: &str| vector[name].as_str().unwrap_or_default().to_owned();
    of_kind
        .map(|vector| (member(vector, "name"), member(vector, "text"), vector["error"].clone()))
        .collect()
}

#[test]
fn the_schema_of_shares_refuses_what_the_code_refuses_as_far_as_a_schema_can_tell() {
    let schema = published("docs/share.schema.json", &share_schema());
    for (name, text, _) in vectors("positive", "share") {
        let share: Value = serde_json::from_str(&text).unwrap();
        let errors: Vec<String> = schema.iter_errors(&share).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
        assert!(Share::parse(text.as_bytes()).is_ok(), "{name}");
    }
    let mut accepted = Vec::new();
    for (name, text, error) in vectors("negative", "share") {
        // What is no JSON of the kind that is read, or beyond the size of the whole, never gets to a schema.
        if error == "json" || Share::parse(text.as_bytes()).unwrap_err().path() == "share" {
            continue;
        }
        if schema.is_valid(&serde_json::from_str(&text).unwrap()) {
            accepted.push(name);
        }
    }
    accepted.sort();
    assert_eq!(accepted, BEYOND_SCHEMAS);
}

#[test]
fn templates_of_kakaotalk_become_shares_that_the_schema_accepts() {
    let schema = published("docs/share.schema.json", &share_schema());
    for template in ["feed", "list", "location", "commerce", "calendar", "text"] {
        let given = std::fs::read(file(&format!("protocol/tests/kakao/{template}.json"))).unwrap();
        let share = from_kakao(&given, None).unwrap().share;
        let share: Value = serde_json::from_str(share.canonical()).unwrap();
        let errors: Vec<String> = schema.iter_errors(&share).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{template}: {errors:?}");
    }
}

#[test]
fn the_schema_of_manifests_refuses_what_the_code_refuses_as_far_as_a_schema_can_tell() {
    let schema = published("docs/app-manifest.schema.json", &manifest_schema());
    for (name, text, _) in vectors("positive", "app_manifest") {
        assert!(schema.is_valid(&serde_json::from_str(&text).unwrap()), "{name}");
    }
    let refused = vectors("negative", "app_manifest").into_iter();
    let accepted: Vec<String> = refused
        .filter(|(_, text, _)| schema.is_valid(&serde_json::from_str(text).unwrap()))
        .map(|(name, _, _)| name)
        .collect();
    assert_eq!(
        accepted,
        [
            "of another app",
            "a scheme of browsers",
            "a link on another domain",
            "a platform twice"
        ]
    );
}
