//! What a file of vectors is: kinds with a reader and a writer, and the rules by which each vector is checked.

use madang_protocol::envelope::EnvelopeError;
use madang_protocol::keys::{BadSignature, NodeId};
use madang_protocol::wire::DecodeError;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A file of vectors.
pub struct Format {
    /// Its name without `.json`.
    pub file: &'static str,
    /// The kinds of vectors in it.
    pub kinds: &'static [Kind],
    /// Makes the vectors from fixed inputs.
    pub fill: fn(&mut Vectors),
}

/// One format: how its bytes become fields, and back.
pub struct Kind {
    /// The name.
    pub name: &'static str,
    /// The input is text, not hex.
    pub text: bool,
    /// Reads, with the keys that the vector gives.
    pub read: fn(&Value, &[u8]) -> Result<Value, Fault>,
    /// Writes.
    pub write: fn(&Value, &Value) -> Vec<u8>,
}

/// Why a reader refuses: the kind of error, and the field where the format names one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub error: &'static str,
    pub at: Option<String>,
}

impl Fault {
    pub fn new(error: &'static str) -> Self {
        Self { error, at: None }
    }
}

impl From<DecodeError> for Fault {
    fn from(error: DecodeError) -> Self {
        let (error, at) = match error {
            DecodeError::Truncated { field } => ("truncated", Some(field)),
            DecodeError::TooLong { field, .. } => ("too_long", Some(field)),
            DecodeError::Length { field } => ("length", Some(field)),
            DecodeError::Trailing { .. } => ("trailing", None),
            DecodeError::Version { field, .. } => ("version", Some(field)),
            DecodeError::Invalid { field, .. } => ("invalid", Some(field)),
        };
        Self {
            error,
            at: at.map(str::to_owned),
        }
    }
}

impl From<BadSignature> for Fault {
    fn from(_: BadSignature) -> Self {
        Self::new("signature")
    }
}

impl From<EnvelopeError> for Fault {
    fn from(error: EnvelopeError) -> Self {
        match error {
            EnvelopeError::Decode(error) => error.into(),
            EnvelopeError::TooLarge { .. } => Self::new("too_large"),
            EnvelopeError::Signature(error) => error.into(),
        }
    }
}

/// Vectors on their way into a file.
pub struct Vectors {
    kinds: &'static [Kind],
    positive: Vec<Value>,
    negative: Vec<Value>,
}

impl Vectors {
    /// Adds a vector that must be read and written; returns its bytes.
    pub fn good(&mut self, kind: &str, name: &str, keys: Value, fields: Value) -> Vec<u8> {
        let writer = find(self.kinds, kind);
        let bytes = (writer.write)(&keys, &fields);
        // What the reader adds (ids, hashes) belongs to the expected fields.
        let fields = (writer.read)(&keys, &bytes).unwrap_or_else(|fault| panic!("{name}: {fault:?}"));
        self.positive
            .push(vector(writer, name, &keys, &bytes, json!({ "fields": fields })));
        bytes
    }

    /// Adds a vector that must be read, but that this version would write otherwise.
    pub fn good_to_read(&mut self, kind: &str, name: &str, keys: Value, bytes: &[u8]) {
        let reader = find(self.kinds, kind);
        let fields = (reader.read)(&keys, bytes).unwrap_or_else(|fault| panic!("{name}: {fault:?}"));
        let rest = json!({ "fields": fields, "reads_only": true });
        self.positive.push(vector(reader, name, &keys, bytes, rest));
    }

    /// Adds a vector that must be refused with an error, at a field if `at` isn't empty.
    pub fn bad(&mut self, kind: &str, name: &str, keys: Value, bytes: &[u8], error: &str, at: &str) {
        let mut rest = json!({ "error": error });
        if !at.is_empty() {
            rest["at"] = at.into();
        }
        self.negative
            .push(vector(find(self.kinds, kind), name, &keys, bytes, rest));
    }
}

/// Runs of zeros at the end that are worth a number instead of digits.
const ZEROS: usize = 512;

fn vector(kind: &Kind, name: &str, keys: &Value, bytes: &[u8], rest: Value) -> Value {
    let mut vector = rest;
    vector["kind"] = kind.name.into();
    vector["name"] = name.into();
    if !keys.is_null() {
        vector["keys"] = keys.clone();
    }
    if kind.text {
        vector["text"] = std::str::from_utf8(bytes).unwrap().into();
        return vector;
    }
    let zeros = bytes.iter().rev().take_while(|byte| **byte == 0).count();
    let (shown, zeros) = if zeros >= ZEROS {
        (bytes.len() - zeros, zeros)
    } else {
        (bytes.len(), 0)
    };
    vector["hex"] = hex::encode(&bytes[..shown]).into();
    if zeros > 0 {
        vector["zeros"] = zeros.into();
    }
    vector
}

fn find(kinds: &'static [Kind], name: &str) -> &'static Kind {
    kinds
        .iter()
        .find(|kind| kind.name == name)
        .unwrap_or_else(|| panic!("no kind {name}"))
}

/// Makes a file's content.
pub fn generate(format: &Format) -> Value {
    let mut vectors = Vectors {
        kinds: format.kinds,
        positive: Vec::new(),
        negative: Vec::new(),
    };
    (format.fill)(&mut vectors);
    json!({ "format": format.file, "positive": vectors.positive, "negative": vectors.negative })
}

/// Checks every vector of a file; returns the kinds that were seen.
pub fn read_all(format: &Format, file: &Value) -> Result<BTreeSet<String>, String> {
    let members: BTreeSet<_> = file
        .as_object()
        .ok_or("not an object")?
        .keys()
        .map(String::as_str)
        .collect();
    if members != BTreeSet::from(["format", "positive", "negative"]) || file["format"] != format.file {
        return Err("its members aren't format, positive and negative".into());
    }
    let mut kinds = BTreeSet::new();
    for (list, positive) in [("positive", true), ("negative", false)] {
        for vector in file[list].as_array().ok_or("not a list")? {
            let kind = check(format, vector, positive).map_err(|error| format!("{}: {error}", vector["name"]))?;
            if positive {
                kinds.insert(kind);
            }
        }
    }
    Ok(kinds)
}

/// Checks one vector; returns its kind.
pub fn check(format: &Format, vector: &Value, positive: bool) -> Result<String, String> {
    let name = vector["kind"].as_str().ok_or("no kind")?;
    let kind = format
        .kinds
        .iter()
        .find(|kind| kind.name == name)
        .ok_or_else(|| format!("no reader for the kind {name}"))?;
    let expected: &[&str] = if positive {
        &["fields", "reads_only"]
    } else {
        &["error", "at"]
    };
    for member in vector.as_object().ok_or("not an object")?.keys() {
        let common = ["kind", "name", "keys", if kind.text { "text" } else { "hex" }, "zeros"];
        if !common.contains(&member.as_str()) && !expected.contains(&member.as_str()) {
            return Err(format!("nothing reads its member {member}"));
        }
    }
    let bytes = if kind.text {
        vector["text"].as_str().ok_or("no text")?.as_bytes().to_vec()
    } else {
        let mut bytes = hex::decode(vector["hex"].as_str().ok_or("no hex")?).map_err(|error| error.to_string())?;
        bytes.resize(bytes.len() + vector["zeros"].as_u64().unwrap_or(0) as usize, 0);
        bytes
    };
    let read = (kind.read)(&vector["keys"], &bytes);
    if !positive {
        let error = vector["error"].as_str().ok_or("no error")?;
        let at = vector["at"].as_str().map(str::to_owned);
        return match read {
            Err(fault) if fault.error == error && fault.at == at => Ok(name.to_owned()),
            other => Err(format!("expected {error} at {at:?}, found {other:?}")),
        };
    }
    let fields = read.map_err(|fault| format!("refused: {fault:?}"))?;
    if fields != vector["fields"] {
        return Err(format!("read as {fields}, expected {}", vector["fields"]));
    }
    if vector["reads_only"] != true && (kind.write)(&vector["keys"], &vector["fields"]) != bytes {
        return Err("written again, it gives other bytes".into());
    }
    Ok(name.to_owned())
}

/// Bytes as a value.
pub fn hexed(bytes: impl AsRef<[u8]>) -> Value {
    hex::encode(bytes).into()
}

/// A `uint64` as a value: decimal text, since not every JSON reader keeps 64 bits.
pub fn number(value: u64) -> Value {
    value.to_string().into()
}

/// The bytes of a member.
pub fn bytes(value: &Value, member: &str) -> Vec<u8> {
    let text = value[member]
        .as_str()
        .unwrap_or_else(|| panic!("no {member} in {value}"));
    hex::decode(text).unwrap()
}

/// The 32 or 64 bytes of a member.
pub fn array<const N: usize>(value: &Value, member: &str) -> [u8; N] {
    bytes(value, member)
        .try_into()
        .unwrap_or_else(|_| panic!("{member} is not {N} bytes"))
}

/// The `uint64` of a member.
pub fn uint64(value: &Value, member: &str) -> u64 {
    value[member]
        .as_str()
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| panic!("no {member} in {value}"))
}

/// The text of a member.
pub fn text(value: &Value, member: &str) -> String {
    value[member]
        .as_str()
        .unwrap_or_else(|| panic!("no {member} in {value}"))
        .to_owned()
}

/// The items of a member.
pub fn items<'a>(value: &'a Value, member: &str) -> impl Iterator<Item = &'a Value> {
    value[member]
        .as_array()
        .unwrap_or_else(|| panic!("no {member} in {value}"))
        .iter()
}

/// The states that a member of a value names.
pub fn nodes_of(value: &Value, member: &str) -> Vec<NodeId> {
    let node = |node: &Value| {
        let bytes = hex::decode(node.as_str().unwrap()).unwrap();
        NodeId(bytes.try_into().unwrap())
    };
    items(value, member).map(node).collect()
}
