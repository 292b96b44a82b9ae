//! Reading parameters as they are described: what is an object comes as an object, and not as an array of its members in their order, which
//! serde's derived readers take for one too.

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Error as _, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::{Error, Value};

/// Reads a value.
pub(super) fn read<T: DeserializeOwned>(value: Value) -> Result<T, Error> {
    T::deserialize(Strict(value))
}

struct Strict(Value);

impl IntoDeserializer<'_, Error> for Strict {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Strict {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Array(items) => {
                let mut items = SeqDeserializer::new(items.into_iter().map(Strict));
                let read = visitor.visit_seq(&mut items)?;
                items.end()?;
                Ok(read)
            }
            Value::Object(members) => {
                let members = members.into_iter().map(|(name, value)| (name, Strict(value)));
                visitor.visit_map(MapDeserializer::new(members))
            }
            other => other.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            Value::Array(_) => Err(Error::custom("must be an object")),
            Value::Object(_) => self.deserialize_any(visitor),
            other => other.deserialize_struct(name, fields, visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.0.deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map
        identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc::types::{Area, ChannelTerms, Day, WebLink};
    use serde_json::json;

    #[test]
    fn an_object_is_read_from_an_object_alone_however_deep_it_is() {
        let area = json!({ "latitude_e6": 1, "longitude_e6": -2, "radius_m": 3 });
        assert!(read::<Area>(area.clone()).is_ok());
        assert!(read::<Area>(json!([1, -2, 3])).is_err());
        assert!(read::<Option<Area>>(json!([1, -2, 3])).is_err());
        assert!(matches!(read::<Option<Area>>(json!(null)), Ok(None)));
        assert!(read::<Vec<WebLink>>(json!([["Shop", "https://shop.example/"]])).is_err());
        assert!(read::<ChannelTerms>(json!([null])).is_err());
        assert!(read::<ChannelTerms>(json!({ "places": [area] })).is_ok());
        assert!(read::<ChannelTerms>(json!({ "places": [[1, -2, 3]] })).is_err());
        assert!(matches!(read::<Vec<Day>>(json!(["mon", "sun"])), Ok(days) if days == [Day::Mon, Day::Sun]));
        assert!(matches!(read::<Vec<u16>>(json!([1, 2])), Ok(numbers) if numbers == [1, 2]));
        assert!(read::<u16>(json!(70_000)).is_err() && read::<String>(json!(7)).is_err());
    }
}
