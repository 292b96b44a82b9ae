//! The description as generators need it: named types without nesting, methods by namespace.

use serde_json::Value;

/// What the description says.
#[derive(Clone, Debug)]
pub struct Api {
    /// The named types, by name.
    pub types: Vec<Named>,
    /// The methods, in the description's order.
    pub methods: Vec<Method>,
    /// The codes of errors.
    pub codes: Vec<String>,
}

/// A type with a name.
#[derive(Clone, Debug)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub doc: String,
    /// What it is.
    pub shape: Shape,
}

/// What a named type is.
#[derive(Clone, Debug)]
pub enum Shape {
    /// Another name of a type.
    Alias(Type),
    /// One of these words.
    Words(Vec<String>),
    /// One of these named types.
    Union(Vec<String>),
    /// An object.
    Object(Vec<Field>),
}

/// A type where it is used.
#[derive(Clone, Debug)]
pub enum Type {
    /// A named one.
    Named(String),
    /// Text.
    Text,
    /// A number.
    Number,
    /// True or false.
    Bool,
    /// This word alone.
    Word(String),
    /// A list.
    List(Box<Type>),
    /// Any object.
    Any,
}

/// A member of an object, or a parameter.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub doc: String,
    /// Whether it must be there.
    pub required: bool,
    /// What it is.
    pub of: Type,
}

/// A method.
#[derive(Clone, Debug)]
pub struct Method {
    /// Its whole name.
    pub name: String,
    /// What it does.
    pub doc: String,
    /// Its parameters; those that must be there come first.
    pub params: Vec<Field>,
    /// What it answers.
    pub result: Type,
    /// How it is reached.
    pub reached: Reached,
}

/// How a method is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    /// By a request with a token.
    Request,
    /// By a request without a token, at `/app`.
    Door,
    /// On a WebSocket.
    Socket,
}

impl Method {
    /// Returns what stands before the dot, and what behind it.
    ///
    /// # Panics
    /// If there is no dot.
    #[must_use]
    pub fn parts(&self) -> (&str, &str) {
        self.name.split_once('.').expect("NAMESPACE.VERB")
    }

    /// Returns the name of the type of its parameters.
    #[must_use]
    pub fn params_name(&self) -> String {
        camel(&self.name) + "Params"
    }
}

impl Api {
    /// Reads a description.
    ///
    /// # Panics
    /// If it says something that no generator knows.
    #[must_use]
    pub fn of(document: &Value) -> Self {
        let mut types = Vec::new();
        let schemas = document["components"]["schemas"].as_object().expect("schemas");
        for (name, schema) in schemas {
            name_type(name, schema, &mut types);
        }
        types.sort_by(|a, b| a.name.cmp(&b.name));
        let twice = types.windows(2).find(|pair| pair[0].name == pair[1].name);
        assert!(twice.is_none(), "a name is used twice: {twice:?}");
        let errors = document["components"]["errors"].as_object().expect("errors");
        Self {
            types,
            methods: document["methods"]
                .as_array()
                .expect("methods")
                .iter()
                .map(method)
                .collect(),
            codes: errors.keys().cloned().collect(),
        }
    }

    /// Returns the namespaces, each once, with their methods that a request with a token reaches.
    #[must_use]
    pub fn namespaces(&self) -> Vec<(&str, Vec<&Method>)> {
        let mut all: Vec<(&str, Vec<&Method>)> = Vec::new();
        for method in self.methods.iter().filter(|method| method.reached == Reached::Request) {
            let namespace = method.parts().0;
            match all.iter_mut().find(|(name, _)| *name == namespace) {
                Some((_, methods)) => methods.push(method),
                None => all.push((namespace, vec![method])),
            }
        }
        all
    }
}

fn method(value: &Value) -> Method {
    let name = text(value, "name");
    let mut doc = text(value, "summary");
    if let Some(more) = value["description"].as_str() {
        doc = format!("{doc}\n\n{more}");
    }
    let param = |param: &Value| Field {
        name: text(param, "name"),
        doc: text(param, "description"),
        required: param["required"] == true,
        of: type_of(&param["schema"]),
    };
    let reached = match (value["x-scope"].as_str(), name.as_str()) {
        (Some("none"), _) => Reached::Door,
        (_, "event.subscribe" | "event.unsubscribe") => Reached::Socket,
        _ => Reached::Request,
    };
    Method {
        doc,
        params: value["params"]
            .as_array()
            .expect("parameters")
            .iter()
            .map(param)
            .collect(),
        result: type_of(&value["result"]["schema"]),
        reached,
        name,
    }
}

fn name_type(name: &str, schema: &Value, types: &mut Vec<Named>) {
    let shape = match &schema["oneOf"] {
        Value::Array(choices) => match choices.iter().map(word).collect::<Option<Vec<String>>>() {
            Some(words) => Shape::Words(words),
            None => {
                let variant = |choice: &Value| {
                    let kind = text(&choice["properties"]["kind"], "const");
                    let variant = camel(&kind) + name;
                    name_type(&variant, choice, types);
                    variant
                };
                Shape::Union(choices.iter().map(variant).collect())
            }
        },
        _ if schema["properties"].is_object() => Shape::Object(fields(name, schema, types)),
        _ => Shape::Alias(type_of(schema)),
    };
    types.push(Named {
        name: name.to_owned(),
        doc: schema["description"].as_str().unwrap_or_default().to_owned(),
        shape,
    });
}

/// The members of an object; an object within it gets a name of its own.
fn fields(name: &str, schema: &Value, types: &mut Vec<Named>) -> Vec<Field> {
    let properties = schema["properties"].as_object().expect("properties");
    let is_required = |name: &str| {
        let required = schema["required"].as_array();
        required.is_some_and(|required| required.iter().any(|known| known == name))
    };
    let mut field = |(member, schema): (&String, &Value)| {
        let of = if schema["properties"]
            .as_object()
            .is_some_and(|members| !members.is_empty())
        {
            let inner = name.to_owned() + &camel(member);
            name_type(&inner, schema, types);
            Type::Named(inner)
        } else {
            type_of(schema)
        };
        Field {
            name: member.clone(),
            doc: schema["description"].as_str().unwrap_or_default().to_owned(),
            required: is_required(member),
            of,
        }
    };
    properties.iter().map(&mut field).collect()
}

fn type_of(schema: &Value) -> Type {
    if let Some(path) = schema["$ref"].as_str() {
        return Type::Named(path.rsplit('/').next().unwrap_or(path).to_owned());
    }
    if let Some(word) = word(schema) {
        return Type::Word(word);
    }
    match schema["type"].as_str() {
        Some("string") => Type::Text,
        Some("integer" | "number") => Type::Number,
        Some("boolean") => Type::Bool,
        Some("array") => Type::List(Box::new(type_of(&schema["items"]))),
        Some("object") => Type::Any,
        _ => panic!("no generator knows {schema}"),
    }
}

fn word(schema: &Value) -> Option<String> {
    schema["const"].as_str().map(str::to_owned)
}

fn text(value: &Value, name: &str) -> String {
    value[name]
        .as_str()
        .unwrap_or_else(|| panic!("{name} of {value}"))
        .to_owned()
}

/// Writes `message.mark_read` as `MessageMarkRead`.
fn camel(name: &str) -> String {
    let upper = |part: &str| {
        let mut letters = part.chars();
        letters
            .next()
            .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    };
    name.split(['.', '_']).map(upper).collect()
}
