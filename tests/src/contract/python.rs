//! The client in Python: types and methods. What sends requests is `client.py` beside it, by hand.

use std::fmt::Write as _;

use super::api::{Api, Field, Method, Named, Shape, Type};

/// Words that Python keeps for itself, of those that names could be.
const KEPT: [&str; 12] = [
    "from", "import", "in", "is", "class", "pass", "del", "global", "lambda", "not", "with", "async",
];

/// Writes `api.py`.
#[must_use]
pub fn client(api: &Api) -> String {
    let mut out = String::from(
        "\"\"\"The node's types and methods.\n\nMade from the node's description, docs/openrpc.json: don't edit. docs/testing.md says how it is made anew.\n\"\"\"\n\n\
         from __future__ import annotations\n\nfrom typing import Any, Literal, NotRequired, Protocol, Sequence, TypedDict, Union\n",
    );
    let names = api.types.iter().map(|named| named.name.as_str()).chain(["Methods"]);
    let names: Vec<String> = names.map(|name| format!("    \"{name}\",\n")).collect();
    write!(out, "\n__all__ = [\n{}]\n", names.concat()).expect("a string takes all");
    // Names must be there before others are made of them: words, then objects, then unions.
    for named in api
        .types
        .iter()
        .filter(|named| matches!(named.shape, Shape::Alias(_) | Shape::Words(_)))
    {
        out.push('\n');
        let right = match &named.shape {
            Shape::Words(words) => {
                let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
                format!("Literal[{}]", words.join(", "))
            }
            Shape::Alias(of) => written(of),
            Shape::Union(_) | Shape::Object(_) => continue,
        };
        line(&mut out, &format!("{} = {right}", named.name));
        doc(&mut out, "", &named.doc);
    }
    for named in &api.types {
        if let Shape::Object(fields) = &named.shape {
            object(&mut out, named, fields);
        }
    }
    for named in &api.types {
        if let Shape::Union(names) = &named.shape {
            out.push('\n');
            line(
                &mut out,
                &format!("{} = Union[\n    {},\n]", named.name, names.join(",\n    ")),
            );
            doc(&mut out, "", &named.doc);
        }
    }
    out.push_str("\n\nclass Call(Protocol):\n    \"\"\"Calls a method by its name.\"\"\"\n\n");
    out.push_str("    def __call__(self, method: str, params: dict[str, Any]) -> Any: ...\n");
    let namespaces = api.namespaces();
    for (namespace, methods) in &namespaces {
        line(&mut out, &format!("\n\nclass {}:", class(namespace)));
        line(&mut out, &format!("    \"\"\"The methods `{namespace}.…`.\"\"\"\n"));
        line(
            &mut out,
            "    def __init__(self, call: Call) -> None:\n        self._call = call",
        );
        for method in methods {
            function(&mut out, method);
        }
    }
    line(&mut out, "\n\nclass Methods:");
    line(&mut out, "    \"\"\"The node's methods, by namespace.\"\"\"\n");
    line(&mut out, "    def __init__(self, call: Call) -> None:");
    for (namespace, _) in &namespaces {
        line(
            &mut out,
            &format!("        self.{namespace} = {}(call)", class(namespace)),
        );
    }
    out
}

fn class(namespace: &str) -> String {
    let (first, rest) = namespace.split_at(1);
    format!("{}{rest}Methods", first.to_uppercase())
}

fn function(out: &mut String, method: &Method) {
    let (verb, name) = (method.parts().1, &method.name);
    assert!(!KEPT.contains(&verb), "{name}");
    let taken: Vec<String> = method.params.iter().map(parameter).collect();
    let taken = if taken.is_empty() {
        String::new()
    } else {
        format!(", *, {}", taken.join(", "))
    };
    line(
        out,
        &format!("\n    def {verb}(self{taken}) -> {}:", written(&method.result)),
    );
    let mut text = method.doc.clone();
    if !method.params.is_empty() {
        text.push_str("\n\n");
        for field in &method.params {
            writeln!(text, "{}: {}", field.name, field.doc).expect("a string takes all");
        }
    }
    doc(out, "        ", &text);
    let given: Vec<String> = method
        .params
        .iter()
        .map(|field| format!("\"{0}\": {0}", field.name))
        .collect();
    let result = written(&method.result);
    line(
        out,
        &format!(
            "        result: {result} = self._call(\"{name}\", {{{}}})",
            given.join(", ")
        ),
    );
    line(out, "        return result");
}

fn parameter(field: &Field) -> String {
    assert!(!KEPT.contains(&field.name.as_str()), "{}", field.name);
    // Any sequence will do where one is read.
    let of = match &field.of {
        Type::List(of) => format!("Sequence[{}]", written(of)),
        other => written(other),
    };
    if field.required {
        format!("{}: {of}", field.name)
    } else {
        format!("{}: {of} | None = None", field.name)
    }
}

fn object(out: &mut String, named: &Named, fields: &[Field]) {
    let name = &named.name;
    let of = |field: &Field| {
        let of = written(&field.of);
        if field.required {
            of
        } else {
            format!("NotRequired[{of}]")
        }
    };
    if fields.iter().any(|field| KEPT.contains(&field.name.as_str())) {
        let members: Vec<String> = fields
            .iter()
            .map(|field| format!("    \"{}\": \"{}\",", field.name, of(field)))
            .collect();
        line(
            out,
            &format!("\n{name} = TypedDict(\"{name}\", {{\n{}\n}})", members.join("\n")),
        );
        return doc(out, "", &named.doc);
    }
    line(out, &format!("\n\nclass {name}(TypedDict):"));
    doc(out, "    ", if named.doc.is_empty() { name } else { &named.doc });
    for field in fields {
        line(out, &format!("\n    {}: {}", field.name, of(field)));
        doc(out, "    ", &field.doc);
    }
}

fn written(of: &Type) -> String {
    match of {
        Type::Named(name) => name.clone(),
        Type::Text => "str".into(),
        Type::Number => "int".into(),
        Type::Bool => "bool".into(),
        Type::Word(word) => format!("Literal[\"{word}\"]"),
        Type::List(of) => format!("list[{}]", written(of)),
        Type::Any => "dict[str, Any]".into(),
    }
}

fn doc(out: &mut String, indent: &str, text: &str) {
    let text = text.trim_end();
    if text.is_empty() {
        return;
    }
    if !text.contains('\n') {
        return line(out, &format!("{indent}\"\"\"{text}\"\"\""));
    }
    let lines: Vec<String> = text
        .lines()
        .map(|text| format!("{indent}{text}").trim_end().to_owned())
        .collect();
    line(
        out,
        &format!("{indent}\"\"\"{}\n{indent}\"\"\"", lines.join("\n").trim_start()),
    );
}

fn line(out: &mut String, text: &str) {
    writeln!(out, "{text}").expect("a string takes all");
}
