//! The client in TypeScript: types and methods. What sends requests is `client.ts` beside it, by hand.

use std::fmt::Write as _;

use super::api::{Api, Field, Method, Shape, Type};

/// Writes `api.ts`.
#[must_use]
pub fn client(api: &Api) -> String {
    let mut out = String::from(
        "// Made from the node's description, docs/openrpc.json: don't edit. docs/testing.md says how it is made anew.\n",
    );
    for named in &api.types {
        out.push('\n');
        comment(&mut out, "", &named.doc);
        let name = &named.name;
        match &named.shape {
            Shape::Alias(of) => line(&mut out, &format!("export type {name} = {};", written(of))),
            Shape::Words(words) => {
                let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
                line(&mut out, &format!("export type {name} = {};", words.join(" | ")));
            }
            Shape::Union(names) => {
                line(
                    &mut out,
                    &format!("export type {name} =\n  | {};", names.join("\n  | ")),
                );
            }
            Shape::Object(fields) => object(&mut out, name, fields),
        }
    }
    for method in api.methods.iter().filter(|method| !method.params.is_empty()) {
        out.push('\n');
        comment(&mut out, "", &format!("Parameters of `{}`.", method.name));
        object(&mut out, &method.params_name(), &method.params);
    }
    out.push('\n');
    comment(&mut out, "", "The node's codes of errors.");
    let codes: Vec<String> = api.codes.iter().map(|code| format!("\"{code}\"")).collect();
    line(
        &mut out,
        &format!("export type ErrorCode =\n  | {};", codes.join("\n  | ")),
    );

    out.push('\n');
    comment(&mut out, "", "The node's methods, by namespace.");
    line(&mut out, "export abstract class Methods {");
    comment(&mut out, "  ", "Calls a method by its name.");
    line(
        &mut out,
        "  abstract call<R>(method: string, params: object, signal?: AbortSignal): Promise<R>;",
    );
    for (namespace, methods) in api.namespaces() {
        line(&mut out, &format!("\n  readonly {namespace} = {{"));
        for method in methods {
            function(&mut out, method);
        }
        line(&mut out, "  };");
    }
    line(&mut out, "}");
    out
}

fn function(out: &mut String, method: &Method) {
    comment(out, "    ", &method.doc);
    let (verb, name, result) = (method.parts().1, &method.name, written(&method.result));
    let params = method.params_name();
    let (taken, given) = if method.params.is_empty() {
        (String::new(), "{}")
    } else if method.params.iter().any(|field| field.required) {
        (format!("params: {params}, "), "params")
    } else {
        (format!("params: {params} = {{}}, "), "params")
    };
    line(
        out,
        &format!("    {verb}: ({taken}signal?: AbortSignal): Promise<{result}> =>"),
    );
    line(out, &format!("      this.call(\"{name}\", {given}, signal),"));
}

fn object(out: &mut String, name: &str, fields: &[Field]) {
    line(out, &format!("export interface {name} {{"));
    for field in fields {
        comment(out, "  ", &field.doc);
        let mark = if field.required { "" } else { "?" };
        line(out, &format!("  {}{mark}: {};", field.name, written(&field.of)));
    }
    line(out, "}");
}

fn written(of: &Type) -> String {
    match of {
        Type::Named(name) => name.clone(),
        Type::Text => "string".into(),
        Type::Number => "number".into(),
        Type::Bool => "boolean".into(),
        Type::Word(word) => format!("\"{word}\""),
        Type::List(of) => format!("{}[]", written(of)),
        Type::Any => "Record<string, unknown>".into(),
    }
}

fn comment(out: &mut String, indent: &str, doc: &str) {
    if doc.is_empty() {
        return;
    }
    let lines: Vec<&str> = doc.lines().collect();
    if let [only] = lines.as_slice() {
        return line(out, &format!("{indent}/** {only} */"));
    }
    line(out, &format!("{indent}/**"));
    for text in lines {
        line(out, format!("{indent} * {text}").trim_end());
    }
    line(out, &format!("{indent} */"));
}

fn line(out: &mut String, text: &str) {
    writeln!(out, "{text}").expect("a string takes all");
}
