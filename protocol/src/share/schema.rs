//! The published JSON Schemas (draft 2020-12), made of the types: `docs/share.schema.json`, `docs/app-manifest.schema.json`.
//!
//! The values' own limits are in their types; what belongs together is said here, as far as a schema can say it.

use super::app::AppManifest;
use super::card::{ButtonAction, Card, Template};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

/// Where the published schemas say that they are.
const PLACE: &str = "urn:madang:";

/// The schema of a share.
#[must_use]
pub fn share_schema() -> Value {
    let mut schema = published::<Card>("share");
    let templates: Vec<Value> = Template::ALL
        .into_iter()
        .map(|template| {
            json!({
                "if": { "properties": { "template": { "const": template.name() } }, "required": ["template"] },
                "then": { "required": template.requires() },
            })
        })
        .collect();
    add(&mut schema, "allOf", templates.into());
    let buttons = ButtonAction::ALL.into_iter().filter_map(|action| {
        Some(json!({
            "if": { "properties": { "action": { "const": action.name() } }, "required": ["action"] },
            "then": { "required": [action.requires()?] },
        }))
    });
    of(&mut schema, "Button", "allOf", buttons.collect());
    let either = |one: &str, other: &str| json!([{ "required": [one] }, { "required": [other] }]);
    of(&mut schema, "Image", "anyOf", either("url", "blob"));
    of(&mut schema, "Calendar", "anyOf", either("id", "starts_s"));
    let both = json!({ "latitude_e6": ["longitude_e6"], "longitude_e6": ["latitude_e6"] });
    of(&mut schema, "Location", "dependentRequired", both);
    let beside = json!({ "rate_percent": ["discounted"], "reduction": ["discounted"] });
    of(&mut schema, "Price", "dependentRequired", beside);
    of(
        &mut schema,
        "Price",
        "not",
        json!({ "required": ["rate_percent", "reduction"] }),
    );
    schema
}

/// The schema of an app's manifest, before it is signed.
#[must_use]
pub fn manifest_schema() -> Value {
    published::<AppManifest>("app-manifest")
}

fn published<T: JsonSchema>(name: &str) -> Value {
    let schema: Schema = SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<T>();
    let mut schema = schema.to_value();
    without_null(&mut schema);
    add(&mut schema, "$id", format!("{PLACE}{name}").into());
    schema
}

/// What may be missing may not be `null`: it is one way of saying so.
fn without_null(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(without_null);
            if let Some(Value::Array(types)) = members.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    members.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(choices)) = members.get_mut("anyOf") {
                choices.retain(|choice| choice != &json!({ "type": "null" }));
                if let [Value::Object(only)] = choices.as_slice() {
                    let only = only.clone();
                    members.remove("anyOf");
                    members.extend(only);
                }
            }
            if members.get("default").is_some_and(Value::is_null) {
                members.remove("default");
            }
        }
        Value::Array(items) => items.iter_mut().for_each(without_null),
        _ => {}
    }
}

fn of(schema: &mut Value, name: &str, member: &str, value: Value) {
    if let Some(named) = schema.get_mut("$defs").and_then(|named| named.get_mut(name)) {
        add(named, member, value);
    }
}

fn add(schema: &mut Value, member: &str, value: Value) {
    if let Some(members) = schema.as_object_mut() {
        members.insert(member.to_owned(), value);
    }
}
