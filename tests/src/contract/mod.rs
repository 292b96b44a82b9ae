//! What is made from the JSON-RPC's description (`madang_node::rpc::openrpc`): the method reference and the clients.

pub mod api;
pub mod python;
pub mod reference;
pub mod typescript;

use jsonschema::Validator;
use serde_json::{Map, Value};

use crate::tools::repository;

/// The schemas of a description, to check values with.
#[derive(Debug)]
pub struct Schemas {
    components: Value,
}

impl Schemas {
    /// Takes those of a description.
    #[must_use]
    pub fn of(document: &Value) -> Self {
        Self {
            components: document["components"].clone(),
        }
    }

    /// Makes a check of a schema that may refer to the description's.
    ///
    /// # Panics
    /// If it is no schema, or refers to nothing.
    #[must_use]
    pub fn of_schema(&self, schema: &Value) -> Validator {
        let mut whole = Map::new();
        whole.insert("$schema".into(), "http://json-schema.org/draft-07/schema#".into());
        whole.insert("allOf".into(), Value::Array(vec![schema.clone()]));
        whole.insert("components".into(), self.components.clone());
        jsonschema::validator_for(&Value::Object(whole)).unwrap_or_else(|error| panic!("{schema}: {error}"))
    }

    /// Makes a check of one of the description's schemas.
    #[must_use]
    pub fn named(&self, name: &str) -> Validator {
        self.of_schema(&serde_json::json!({ "$ref": format!("#/components/schemas/{name}") }))
    }
}

/// Compares a file of the repository with what it is made of; with `MADANG_WRITE_VECTORS=1` writes it.
///
/// # Panics
/// If it differs.
pub fn same(path: &str, made: &str) {
    let file = repository(path);
    if std::env::var_os("MADANG_WRITE_VECTORS").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, made).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    let differs = kept.lines().zip(made.lines()).position(|(kept, made)| kept != made);
    let line = differs.unwrap_or_else(|| kept.lines().count().min(made.lines().count())) + 1;
    assert!(
        kept == made,
        "{path} isn't what the code says from line {line} on; MADANG_WRITE_VECTORS=1 cargo test -p madang-tests --test contract writes it"
    );
}
