//! The JSON that is read here, and the one way of writing it: what is signed (`spec/share.md`, section 2).
//!
//! It is RFC 8259 without what two readers could read differently: no member twice, no number but an integer that every language holds
//! exactly. So a text has one meaning, and RFC 8785 gives one text back: members sorted by their UTF-16, no spaces, the fewest escapes.

use super::error::{ShareError, joined};
use crate::limits;
use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

/// The greatest integer that is exact in every language's numbers (RFC 7493, section 2.2).
pub(super) const MOST: u64 = (1 << 53) - 1;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// From -(2⁵³-1) to 2⁵³-1.
    Integer(i64),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Json>),
    /// An object.
    Object(BTreeMap<String, Json>),
}

impl Json {
    /// Reads a text of at most `limit` bytes, whose canonical form has no more either.
    ///
    /// # Errors
    ///
    /// Says where it isn't JSON of this kind.
    pub fn parse(text: &[u8], limit: usize) -> Result<Self, ShareError> {
        size(text.len(), limit)?;
        let at = RefCell::new(Vec::new());
        let mut reader = serde_json::Deserializer::from_slice(text);
        let parsed = Parser { at: &at, depth: 0 }
            .deserialize(&mut reader)
            .and_then(|value| reader.end().map(|()| value));
        let value = parsed.map_err(|error| ShareError::Json {
            path: at.borrow().iter().fold(String::new(), |path, part| joined(&path, part)),
            reason: error.to_string(),
        })?;
        size(value.canonical().len(), limit)?;
        Ok(value)
    }

    /// The one way of writing it (RFC 8785).
    #[must_use]
    pub fn canonical(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    /// A member of an object.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.get(name),
            _ => None,
        }
    }

    /// What is written in it.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(true) => out.push_str("true"),
            Self::Bool(false) => out.push_str("false"),
            Self::Integer(number) => out.push_str(&number.to_string()),
            Self::Text(text) => quote(text, out),
            Self::List(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                let mut sorted: Vec<(&String, &Self)> = members.iter().collect();
                sorted.sort_by(|(one, _), (other, _)| one.encode_utf16().cmp(other.encode_utf16()));
                out.push('{');
                for (at, (name, value)) in sorted.into_iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    quote(name, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

fn size(found: usize, limit: usize) -> Result<(), ShareError> {
    if found > limit {
        return Err(ShareError::Limit {
            path: String::new(),
            found: found as u64,
            limit: format!("at most {limit} bytes"),
        });
    }
    Ok(())
}

fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Reads a value, and remembers where it is.
struct Parser<'a> {
    at: &'a RefCell<Vec<String>>,
    depth: usize,
}

impl Parser<'_> {
    fn inside<E: de::Error>(&self, part: String) -> Result<Self, E> {
        if self.depth >= limits::SHARE_DEPTH {
            return Err(E::custom(format_args!("nested deeper than {}", limits::SHARE_DEPTH)));
        }
        self.at.borrow_mut().push(part);
        Ok(Self {
            at: self.at,
            depth: self.depth + 1,
        })
    }

    fn left(&self) {
        self.at.borrow_mut().pop();
    }

    fn integer<E: de::Error>(value: i128) -> Result<Json, E> {
        match i64::try_from(value) {
            Ok(number) if number.unsigned_abs() <= MOST => Ok(Json::Integer(number)),
            _ => Err(E::custom(format_args!("numbers are from -{MOST} to {MOST}"))),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Parser<'_> {
    type Value = Json;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Parser<'_> {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_unit<E: de::Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }
    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }
    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Json, E> {
        Self::integer(value.into())
    }
    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Json, E> {
        Self::integer(value.into())
    }
    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Json, E> {
        Err(E::custom(format_args!(
            "numbers are integers from -{MOST} to {MOST}; others are written as texts"
        )))
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }
    fn visit_string<E: de::Error>(self, text: String) -> Result<Json, E> {
        Ok(Json::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(self.inside(format!("[{}]", items.len()))?)? {
            self.left();
            items.push(item);
        }
        self.left();
        Ok(Json::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut members = BTreeMap::new();
        while let Some(name) = map.next_key::<String>()? {
            let inner = self.inside(name.clone())?;
            let Entry::Vacant(place) = members.entry(name) else {
                return Err(de::Error::custom("is there twice"));
            };
            place.insert(map.next_value_seed(inner)?);
            self.left();
        }
        Ok(Json::Object(members))
    }
}

/// Gives a value to the readers that serde derives; they pass over what they don't know.
impl<'de> Deserializer<'de> for &'de Json {
    type Error = ShareError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShareError> {
        match self {
            Json::Null => visitor.visit_unit(),
            Json::Bool(value) => visitor.visit_bool(*value),
            Json::Integer(number) => match u64::try_from(*number) {
                Ok(number) => visitor.visit_u64(number),
                Err(_) => visitor.visit_i64(*number),
            },
            Json::Text(text) => visitor.visit_borrowed_str(text),
            Json::List(items) => visitor.visit_seq(Items {
                items: items.iter().enumerate(),
            }),
            Json::Object(members) => visitor.visit_map(Members {
                members: members.iter(),
                value: None,
            }),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShareError> {
        visitor.visit_some(self)
    }

    /// Derived readers would take a list for an object, its items for the members in order.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ShareError> {
        match self {
            Json::Object(_) => self.deserialize_any(visitor),
            _ => Err(ShareError::invalid("", "must be an object")),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ShareError> {
        let Json::Text(text) = self else {
            return Err(ShareError::invalid("", "must be a text"));
        };
        let variant: StrDeserializer<'_, ShareError> = text.as_str().into_deserializer();
        visitor.visit_enum(variant)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, ShareError> {
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct
        map identifier ignored_any
    }
}

struct Items<'de> {
    items: std::iter::Enumerate<std::slice::Iter<'de, Json>>,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = ShareError;
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, ShareError> {
        let Some((at, item)) = self.items.next() else {
            return Ok(None);
        };
        let read = seed.deserialize(item);
        read.map(Some).map_err(|error| error.within(&format!("[{at}]")))
    }
}

struct Members<'de> {
    members: std::collections::btree_map::Iter<'de, String, Json>,
    value: Option<(&'de str, &'de Json)>,
}

impl<'de> MapAccess<'de> for Members<'de> {
    type Error = ShareError;
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ShareError> {
        let Some((name, value)) = self.members.next() else {
            return Ok(None);
        };
        self.value = Some((name, value));
        let name: StrDeserializer<'_, ShareError> = name.as_str().into_deserializer();
        seed.deserialize(name).map(Some)
    }
    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, ShareError> {
        let (name, value) = self
            .value
            .take()
            .ok_or_else(|| ShareError::invalid("", "a value without a name"))?;
        seed.deserialize(value).map_err(|error| error.within(name))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Json, ShareError> {
        Json::parse(text.as_bytes(), 1024)
    }

    #[test]
    fn there_is_one_way_of_writing_a_value() {
        let text =
            "{ \"\u{20ac}\": 1, \"\\r\": [true, null, -7], \"\u{1f600}\": \"\\u00f6\\/\\u000f\\n\", \"\u{fb33}\": {} }";
        let value = parse(text).unwrap();
        let canonical = "{\"\\r\":[true,null,-7],\"\u{20ac}\":1,\"\u{1f600}\":\"\u{f6}/\\u000f\\n\",\"\u{fb33}\":{}}";
        assert_eq!(value.canonical(), canonical);
        assert_eq!(parse(canonical).unwrap(), value);
    }

    #[test]
    fn what_two_readers_could_read_differently_is_refused_where_it_stands() {
        for (text, path) in [
            (r#"{"a":{"b":1,"b":2}}"#, "a.b"),
            (r#"{"a":[0,1.5]}"#, "a[1]"),
            (r#"{"a":1e2}"#, "a"),
            (r#"{"a":9007199254740992}"#, "a"),
            (r#"{"a":-0}"#, "a"),
            (r#"{"a":1e999}"#, "a"),
            (r#"{"a":NaN}"#, "a"),
            (r#"{"a":"\ud800"}"#, "a"),
            (r#"{"a":1} 2"#, ""),
            (r#"{"a":[1,]}"#, "a[1]"),
            ("", ""),
        ] {
            let error = parse(text).unwrap_err();
            assert!(matches!(error, ShareError::Json { .. }), "{text}: {error:?}");
            assert_eq!(error.path(), path, "{text}: {error}");
        }
        assert!(parse("{\"a\":\"\u{0}\"}").is_err());
        assert!(Json::parse(b"{\"a\":\"\xff\"}", 1024).is_err());
    }

    #[test]
    fn depth_and_size_are_bounded() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(parse(&nested(limits::SHARE_DEPTH)).is_ok());
        assert!(parse(&nested(limits::SHARE_DEPTH + 1)).is_err());
        assert!(Json::parse(nested(100_000).as_bytes(), 1 << 20).is_err());
        assert!(matches!(
            Json::parse(&[b' '; 9], 8),
            Err(ShareError::Limit { found: 9, .. })
        ));
    }
}
