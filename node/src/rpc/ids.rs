//! Identifiers as the JSON-RPC writes them: 64 lower-case hex digits, or a decimal number for event cursors.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::schema::{Decimal, Hex4, Hex32};

/// Text that isn't an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Not 64 lower-case hex digits.
    #[error("must be 64 lower-case hex digits")]
    Hex,
    /// Not a decimal number of 64 bits.
    #[error("must be a decimal number in a string, as an event's cursor")]
    Cursor,
    /// Not 8 lower-case hex digits.
    #[error("must be the epoch that came with the cursor: 8 lower-case hex digits")]
    Epoch,
}

macro_rules! hex_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema)]
        pub struct $name(#[schemars(with = "Hex32")] pub [u8; 32]);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                parse_hex(text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

hex_id!(
    /// Names a message for good, on all devices.
    MessageId
);
hex_id!(
    /// Names a chat.
    ChatId
);
hex_id!(
    /// Names a contact request that waits for the user.
    RequestId
);
hex_id!(
    /// Names an app that has a token, or asks for one.
    AppKey
);
hex_id!(
    /// Names the content of a file, or an upload of one.
    BlobId
);
hex_id!(
    /// Names imported messages of a chat.
    ArchiveId
);
hex_id!(
    /// Names a channel: its root's public key.
    ChannelId
);
hex_id!(
    /// Names a post of a channel, or what was done to one.
    PostId
);
hex_id!(
    /// The public key of whoever writes on a channel.
    WriterKey
);
hex_id!(
    /// An app that offers shares: the public key that signs them.
    ShareAppId
);
hex_id!(
    /// Names a card, or an answer to one, that waits for the user.
    PickId
);
hex_id!(
    /// A device's public key.
    DeviceKey
);
hex_id!(
    /// A relay's public key.
    RelayKey
);

/// A place in the event log: a decimal number in a string, because JSON's numbers lose digits above 2⁵³.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema)]
pub struct EventCursor(#[schemars(with = "Decimal")] pub u64);

impl fmt::Display for EventCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for EventCursor {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if !(1..=20).contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(IdError::Cursor);
        }
        text.parse().map(Self).map_err(|_| IdError::Cursor)
    }
}

impl Serialize for EventCursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EventCursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Names a stretch of the event log: from one start of the node on this data to the next. Copies of a data directory share the epochs up
/// to the copy, and none after.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema)]
pub struct EventEpoch(#[schemars(with = "Hex4")] pub u32);

impl fmt::Display for EventEpoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl FromStr for EventEpoch {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if text.len() != 8 || !text.bytes().all(is_lower_hex) {
            return Err(IdError::Epoch);
        }
        u32::from_str_radix(text, 16).map(Self).map_err(|_| IdError::Epoch)
    }
}

impl Serialize for EventEpoch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EventEpoch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

fn is_lower_hex(byte: u8) -> bool {
    byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)
}

fn parse_hex(text: &str) -> Result<[u8; 32], IdError> {
    if text.len() != 64 || !text.bytes().all(is_lower_hex) {
        return Err(IdError::Hex);
    }
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| IdError::Hex)?;
    Ok(bytes)
}
