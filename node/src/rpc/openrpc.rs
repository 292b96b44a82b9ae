//! The JSON-RPC's description in the words of OpenRPC 1.3, made from the table of methods, their types and the table of errors:
//! `rpc.discover` serves it, `docs/openrpc.json` keeps it, and the reference and the clients are made from it.

use std::borrow::Cow;
use std::sync::OnceLock;

use schemars::generate::SchemaSettings;
use schemars::transform::transform_subschemas;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::access::{self, About, Need};
use super::error::{ERRORS, ErrorData, ErrorRow, Source};
use super::methods::{self, Method, NOTIFICATION, SUBSCRIBE};
use super::types::Event;

/// Makes a type's schema.
pub(super) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// Result of `rpc.discover`.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(transparent)]
pub(super) struct Document(&'static Value);

impl JsonSchema for Document {
    fn schema_name() -> Cow<'static, str> {
        "OpenRpc".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An OpenRPC document: https://spec.open-rpc.org.",
            "type": "object",
            "required": ["openrpc", "info", "methods", "components"],
            "properties": {
                "openrpc": { "type": "string" },
                "info": { "type": "object" },
                "methods": { "type": "array", "items": { "type": "object" } },
                "components": { "type": "object" },
            },
        })
    }
}

impl Document {
    /// This server's, which is made once.
    pub(super) fn of_this_version() -> Self {
        static MADE: OnceLock<Value> = OnceLock::new();
        Self(MADE.get_or_init(document))
    }
}

/// Describes the JSON-RPC.
pub fn document() -> Value {
    let settings = SchemaSettings::draft07().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.transforms.clear();
    });
    let mut generator = settings.into_generator();
    let methods: Vec<Value> = methods::all().map(|method| described(method, &mut generator)).collect();
    let event = generator.subschema_for::<Event>();
    let failure = generator.subschema_for::<ErrorData>();
    let errors: Map<String, Value> = ERRORS.iter().map(|row| (row.code.to_owned(), error(row))).collect();
    let schemas: Map<String, Value> = generator.take_definitions(false).into_iter().map(tidied).collect();
    json!({
        "openrpc": "1.3.2",
        "info": {
            "title": "Madang",
            "description": INFO,
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": env!("CARGO_PKG_LICENSE") },
        },
        "methods": methods,
        "components": { "schemas": schemas, "errors": errors },
        "x-error-data": failure,
        "x-notifications": [{
            "name": NOTIFICATION,
            "summary": format!("One event of a subscription, or the error that ends it; see `{SUBSCRIBE}`."),
            "params": {
                "type": "object",
                "required": ["subscription"],
                "properties": {
                    "subscription": { "type": "integer" },
                    "result": event,
                    "error": { "type": "object", "properties": { "data": failure } },
                },
            },
        }],
        "x-scopes": access::scopes(),
    })
}

/// What holds of all methods.
const INFO: &str = "The local JSON-RPC of a Madang node. Parameters are by name; unknown ones are ignored, and `null` is the same as absent. \
    Times are Unix milliseconds and end in `_ms`. Clients ignore members and event kinds that they don't know. `maxLength` counts \
    characters; `x-max-bytes` bounds the bytes of UTF-8. `x-scope` is what a token needs for a method: an action, `token` for any token, or \
    `none` for no token at `/app`; for a token whose scope names one chat, `x-chat-of` says which parameter leads to the chat.";

fn described(method: &Method, generator: &mut SchemaGenerator) -> Value {
    let (summary, description) = paragraphs(method.doc);
    let result = tidy((method.result)(generator));
    let errors = ERRORS.iter().filter(|row| match row.from {
        Source::Request => false,
        Source::Any => true,
        Source::Only(methods) => methods.contains(&method.name),
    });
    let mut members = Map::new();
    let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
    put("name", method.name.into());
    put("summary", summary.into());
    if !description.is_empty() {
        put("description", description.into());
    }
    put("paramStructure", "by-name".into());
    put("params", parameters((method.params)(generator)));
    put("result", json!({ "name": "result", "schema": result }));
    let reference = |row: &&ErrorRow| json!({ "$ref": format!("#/components/errors/{}", row.code) });
    put("errors", errors.map(reference).collect());
    let (scope, chat_of) = match method.need {
        Need::Action(namespace, action, about) => {
            let chat_of = match about {
                About::All => None,
                About::Chat => Some("chat"),
                About::Channel => Some("channel"),
                About::Message => Some("message"),
                About::Listed => Some("each"),
            };
            (format!("{namespace}:{action}"), chat_of)
        }
        Need::Token => ("token".to_owned(), None),
        Need::Door => ("none".to_owned(), None),
    };
    put("x-scope", scope.into());
    if let Some(chat_of) = chat_of {
        put("x-chat-of", chat_of.into());
    }
    Value::Object(members)
}

/// The first paragraph of a method's documentation, and the rest.
fn paragraphs(doc: &[&str]) -> (String, String) {
    let text: Vec<&str> = doc.iter().map(|line| line.trim()).collect();
    let mut paragraphs = text.split(|line| line.is_empty()).map(|lines| lines.join(" "));
    let summary = paragraphs.next().unwrap_or_default();
    (summary, paragraphs.collect::<Vec<_>>().join("\n\n"))
}

/// Content descriptors of an object's properties; those that must be there come first.
fn parameters(schema: Schema) -> Value {
    let schema = tidy(schema);
    let required = |name: &str| {
        let names = schema.get("required").and_then(Value::as_array);
        names.is_some_and(|names| names.iter().any(|known| known == name))
    };
    let properties = schema.get("properties").and_then(Value::as_object);
    let descriptor = |(name, property): (&String, &Value)| {
        let mut property = property.clone();
        let description = property
            .as_object_mut()
            .and_then(|members| members.remove("description"));
        let mut descriptor = json!({ "name": name, "required": required(name), "schema": property });
        if let (Some(description), Some(members)) = (description, descriptor.as_object_mut()) {
            members.insert("description".to_owned(), description);
        }
        descriptor
    };
    let mut list: Vec<Value> = properties.into_iter().flatten().map(descriptor).collect();
    list.sort_by_key(|descriptor| descriptor.get("required") != Some(&Value::Bool(true)));
    Value::Array(list)
}

fn error(row: &ErrorRow) -> Value {
    json!({
        "code": row.number,
        "message": row.meaning,
        "data": { "code": row.code, "retryable": row.retryable },
    })
}

fn tidied((name, schema): (String, Value)) -> (String, Value) {
    let schema =
        Schema::try_from(schema).map_or_else(|error| json!({ "not": {}, "description": error.to_string() }), tidy);
    (name, schema)
}

fn tidy(mut schema: Schema) -> Value {
    tidy_one(&mut schema);
    schema.to_value()
}

/// Leaves `null` out of what may be absent: it is never answered, and `INFO` says that it may be sent. Numbers of 32 bits get their bound,
/// and descriptions lose the breaks of the code's lines.
fn tidy_one(schema: &mut Schema) {
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = text.replace('\n', " ").replace("  ", "\n\n");
    }
    if schema.get("format").is_some_and(|format| format == "uint32") {
        schema.insert("maximum".to_owned(), u32::MAX.into());
    }
    let is_null = |schema: &Value| schema.get("type").is_some_and(|of| of == "null");
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
        choices.retain(|choice| !is_null(choice));
        if let [Value::Object(only)] = choices.as_slice() {
            let only = only.clone();
            schema.remove("anyOf");
            for (name, value) in only {
                schema.insert(name, value);
            }
        }
    }
    if schema.get("default").is_some_and(Value::is_null) {
        schema.remove("default");
    }
    transform_subschemas(&mut tidy_one, schema);
}
