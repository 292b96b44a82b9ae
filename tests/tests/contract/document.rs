use jsonschema::Registry;
use madang_node::rpc::openrpc;
use madang_tests::contract::{Schemas, same};
use serde_json::Value;

const DRAFT_07: &str = "http://json-schema.org/draft-07/schema#";

/// A published meta-schema. Each names itself as what it is written in, which is draft 07, and is referred to with and without a slash.
fn published(text: &str) -> Value {
    let mut schema: Value = serde_json::from_str(text).unwrap();
    schema["$schema"] = DRAFT_07.into();
    schema.as_object_mut().unwrap().remove("$id");
    schema
}

#[test]
fn the_committed_description_is_what_the_code_says() {
    let document = serde_json::to_string_pretty(&openrpc::document()).unwrap() + "\n";
    same("docs/openrpc.json", &document);
}

#[test]
fn the_description_is_as_openrpc_wants_it() {
    let of_schemas = published(include_str!("../../fixtures/json-schema-tools.json"));
    let registry = Registry::new()
        .add("https://meta.json-schema.tools", &of_schemas)
        .unwrap()
        .add("https://meta.json-schema.tools/", &of_schemas)
        .unwrap()
        .prepare()
        .unwrap();
    let wanted = jsonschema::options()
        .with_registry(&registry)
        .build(&published(include_str!("../../fixtures/open-rpc.json")))
        .unwrap();
    let mut document = openrpc::document();
    let faults: Vec<String> = wanted.iter_errors(&document).map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "{faults:#?}");

    document["methods"][0]["params"] = "none".into();
    assert!(!wanted.is_valid(&document), "the meta-schema refuses nothing");
}

#[test]
fn every_schema_is_one_and_every_reference_leads_somewhere() {
    let document = openrpc::document();
    let schemas = Schemas::of(&document);
    let components = document["components"]["schemas"].as_object().unwrap();
    for name in components.keys() {
        drop(schemas.named(name));
    }
    for method in document["methods"].as_array().unwrap() {
        drop(schemas.of_schema(&method["result"]["schema"]));
        for parameter in method["params"].as_array().unwrap() {
            drop(schemas.of_schema(&parameter["schema"]));
        }
        for error in method["errors"].as_array().unwrap() {
            let pointer = error["$ref"].as_str().unwrap().trim_start_matches('#');
            assert!(document.pointer(pointer).is_some(), "{pointer}");
        }
    }
}

#[test]
fn descriptions_are_there_and_say_nothing_of_the_code() {
    fn look(at: &str, value: &Value, bad: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                if let Some(text) = members.get("description").and_then(Value::as_str)
                    && ["[`", "](", "Debug"].iter().any(|sign| text.contains(sign))
                {
                    bad.push(format!("{at}: {text}"));
                }
                for (name, value) in members {
                    look(&format!("{at}/{name}"), value, bad);
                }
            }
            Value::Array(items) => items
                .iter()
                .enumerate()
                .for_each(|(i, item)| look(&format!("{at}/{i}"), item, bad)),
            _ => {}
        }
    }
    let document = openrpc::document();
    let mut bad = Vec::new();
    look("", &document, &mut bad);
    for method in document["methods"].as_array().unwrap() {
        let parameters = method["params"].as_array().unwrap();
        let silent = |value: &Value, of: &str| value[of].as_str().unwrap_or_default().is_empty();
        if silent(method, "summary") || parameters.iter().any(|parameter| silent(parameter, "description")) {
            bad.push(format!("{} or one of its parameters isn't described", method["name"]));
        }
    }
    assert!(bad.is_empty(), "{bad:#?}");
}
