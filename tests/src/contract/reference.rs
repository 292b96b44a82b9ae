//! The method reference, made from the description and from examples that were played with real nodes.

use std::fmt::Write as _;

use serde_json::Value;

/// Writes `docs/methods.md`. Examples are `{method, params, result}`; a method may have several.
#[must_use]
pub fn reference(document: &Value, examples: &[Value]) -> String {
    let mut out = String::from(HEAD);
    for method in list(&document["methods"]) {
        write_method(&mut out, method, examples, document);
    }
    events(&mut out, document);
    out.push_str("\n## Types\n\n");
    for (name, schema) in members(&document["components"]["schemas"]) {
        if name != "Event" {
            write_type(&mut out, name, schema);
        }
    }
    scopes(&mut out, document);
    errors(&mut out, document);
    while out.contains("\n\n\n") {
        out = out.replace("\n\n\n", "\n\n");
    }
    out
}

const HEAD: &str = "# Methods

Made from the node's description ([openrpc.json](openrpc.json), `rpc.discover`): don't edit. What holds of all methods is in [rpc.md](rpc.md). Every example
was played with real nodes, and is played again by a test; ids, tokens and times are made up.

";

fn write_method(out: &mut String, method: &Value, examples: &[Value], document: &Value) {
    let name = text(&method["name"]);
    put(out, &format!("## `{name}`\n\n{}", text(&method["summary"])));
    if let Some(more) = method["description"].as_str() {
        put(out, &format!("\n{more}"));
    }
    let scope = match text(&method["x-scope"]) {
        "token" => "any token".to_owned(),
        "none" => "no token, at `/app`".to_owned(),
        scope => {
            let one = scope.replacen(':', ":ID:", 1);
            match method["x-chat-of"].as_str() {
                Some(_) => format!("`{scope}`, or `{one}`"),
                None => format!("`{scope}`"),
            }
        }
    };
    put(out, &format!("\nNeeds {scope}."));
    let params = list(&method["params"]);
    if !params.is_empty() {
        put(out, "\n| parameter | type | |\n|---|---|---|");
    }
    for param in params {
        let schema = &param["schema"];
        let mut notes = vec![text(&param["description"]).to_owned()];
        notes.extend(bounds(schema));
        let mark = if param["required"] == true { "" } else { "?" };
        put(
            out,
            &row(&format!("`{}`{mark}", text(&param["name"])), &type_of(schema), &notes),
        );
    }
    put(out, &format!("\nAnswers {}.", type_of(&method["result"]["schema"])));
    let own = own_errors(method, document);
    if !own.is_empty() {
        put(out, &format!("\nErrors of its own: {}.", own.join(", ")));
    }
    for example in examples.iter().filter(|example| example["method"] == method["name"]) {
        put(out, "\n```json");
        put(
            out,
            &format!(
                "→ {}",
                compact(&serde_json::json!({ "method": name, "params": example["params"] }))
            ),
        );
        put(
            out,
            &format!(
                "← {}\n```",
                compact(&serde_json::json!({ "result": example["result"] }))
            ),
        );
    }
    out.push('\n');
}

/// The errors that not every method answers.
fn own_errors(method: &Value, document: &Value) -> Vec<String> {
    let methods = list(&document["methods"]);
    let everywhere = |error: &Value| methods.iter().all(|method| list(&method["errors"]).contains(error));
    let errors = list(&method["errors"]).iter().filter(|error| !everywhere(error));
    errors
        .map(|error| format!("`{}`", last(text(&error["$ref"]))))
        .collect()
}

fn events(out: &mut String, document: &Value) {
    put(
        out,
        "## Events\n\nAn event is `{cursor, epoch, kind, data}`.\n\n| kind | data | |\n|---|---|---|",
    );
    for kind in list(&document["components"]["schemas"]["Event"]["oneOf"]) {
        let data = &kind["properties"]["data"];
        let shown = match data["$ref"].as_str() {
            Some(_) => type_of(data),
            None => {
                let required = list(&data["required"]);
                let member = |(name, schema): (&String, &Value)| {
                    let mark = if required.iter().any(|known| known == name) {
                        ""
                    } else {
                        "?"
                    };
                    format!("`{name}`{mark} {}", type_of(schema))
                };
                members(&data["properties"]).map(member).collect::<Vec<_>>().join(", ")
            }
        };
        let name = text(&kind["properties"]["kind"]["const"]);
        put(
            out,
            &row(&format!("`{name}`"), &shown, &[text(&kind["description"]).to_owned()]),
        );
    }
}

fn write_type(out: &mut String, name: &str, schema: &Value) {
    put(out, &format!("### {name}\n\n{}\n", text(&schema["description"])));
    if let Some(choices) = schema["oneOf"].as_array() {
        for choice in choices {
            match choice["const"].as_str() {
                Some(word) => put(out, &format!("- `{word}`: {}", text(&choice["description"]))),
                None => {
                    let kind = text(&choice["properties"]["kind"]["const"]);
                    put(out, &format!("`kind` `{kind}`: {}\n", text(&choice["description"])));
                    object(out, choice);
                }
            }
        }
        out.push('\n');
    } else if schema["properties"].is_object() {
        object(out, schema);
    } else {
        let mut notes = vec![type_of(schema)];
        notes.extend(bounds(schema));
        if let Some(pattern) = schema["pattern"].as_str() {
            notes.push(format!("`{pattern}`"));
        }
        put(out, &format!("{}\n", notes.join("; ")));
    }
}

fn object(out: &mut String, schema: &Value) {
    let required = list(&schema["required"]);
    let of_object = members(&schema["properties"]).filter(|(_, member)| member["const"].is_null());
    let rows: Vec<String> = of_object
        .map(|(name, member)| {
            let mut notes = vec![member["description"].as_str().unwrap_or_default().to_owned()];
            notes.extend(bounds(member));
            let mark = if required.iter().any(|known| known == name) {
                ""
            } else {
                "?"
            };
            row(&format!("`{name}`{mark}"), &type_of(member), &notes)
        })
        .collect();
    if !rows.is_empty() {
        put(
            out,
            &format!("| member | type | |\n|---|---|---|\n{}\n", rows.join("\n")),
        );
    }
}

fn scopes(out: &mut String, document: &Value) {
    put(out, "## Scopes\n\n| scope | methods |\n|---|---|");
    for (scope, methods) in members(&document["x-scopes"]) {
        let methods: Vec<String> = list(methods).iter().map(|name| format!("`{}`", text(name))).collect();
        put(out, &format!("| `{scope}` | {} |", methods.join(", ")));
    }
    out.push('\n');
}

fn errors(out: &mut String, document: &Value) {
    put(
        out,
        "## Errors\n\n| `code` | JSON-RPC code | meaning | retryable |\n|---|---|---|---|",
    );
    let mut rows: Vec<&Value> = members(&document["components"]["errors"])
        .map(|(_, error)| error)
        .collect();
    rows.sort_by_key(|error| -error["code"].as_i64().unwrap_or_default());
    for error in rows {
        let retryable = if error["data"]["retryable"] == true {
            "yes"
        } else {
            "no"
        };
        let (code, meaning) = (text(&error["data"]["code"]), text(&error["message"]));
        put(
            out,
            &format!("| `{code}` | {} | {meaning} | {retryable} |", error["code"]),
        );
    }
}

fn type_of(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = last(reference);
        return format!("[{name}](#{})", name.to_lowercase());
    }
    match schema["type"].as_str() {
        Some("array") => format!("list of {}", type_of(&schema["items"])),
        Some("string") => "text".into(),
        Some("boolean") => "bool".into(),
        Some(other) => other.into(),
        None => panic!("no type: {schema}"),
    }
}

/// What a schema bounds, in words.
fn bounds(schema: &Value) -> Vec<String> {
    let mut notes = Vec::new();
    let number = |name: &str| schema[name].as_u64();
    let least = number("minLength").filter(|least| *least > 0);
    match (least, number("x-max-bytes")) {
        (Some(least), Some(most)) => notes.push(format!("{least} to {most} bytes")),
        (None, Some(most)) => notes.push(format!("at most {most} bytes")),
        _ => {}
    }
    match (number("minItems"), number("maxItems")) {
        (Some(least), Some(most)) => notes.push(format!("{least} to {most} of them")),
        (None, Some(most)) => notes.push(format!("at most {most} of them")),
        _ => {}
    }
    if let Some(least) = number("minimum").filter(|least| *least > 0) {
        notes.push(format!("at least {least}"));
    }
    if schema["items"].is_object() {
        notes.extend(bounds(&schema["items"]).into_iter().map(|note| format!("each {note}")));
    }
    if schema["default"].is_number() || schema["default"].is_boolean() {
        notes.push(format!("`{}` unless given", schema["default"]));
    }
    notes
}

fn row(first: &str, second: &str, notes: &[String]) -> String {
    let notes: Vec<&str> = notes
        .iter()
        .map(|note| note.trim_end_matches('.'))
        .filter(|note| !note.is_empty())
        .collect();
    format!("| {first} | {second} | {} |", notes.join("; ").replace('|', "\\|"))
}

/// JSON of one line if that is short, else indented.
fn compact(value: &Value) -> String {
    let short = value.to_string();
    if short.chars().count() <= 140 {
        return short;
    }
    serde_json::to_string_pretty(value).expect("values are written")
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn last(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or(reference)
}

fn put(out: &mut String, line: &str) {
    writeln!(out, "{line}").expect("a string takes all");
}
