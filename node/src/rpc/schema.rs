//! JSON Schemas of what is read and written by hand: marker types, which stand in `#[schemars(with = "…")]` for a field's own type.
//!
//! `maxLength` counts characters, the bounds of `limits` bytes of UTF-8: what is over `maxLength` is over the bound too, and
//! `x-max-bytes` gives the bound itself.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::limits::{MAX_LIST_CURSOR, MAX_ORIGIN, MAX_URL};

/// A schema that is written where it is used.
macro_rules! inline {
    ($(<$(const $const:ident),+>)? $name:ident, $schema:expr) => {
        impl$(<$(const $const: usize),+>)? JsonSchema for $name$(<$($const),+>)? {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn schema_id() -> Cow<'static, str> {
                std::any::type_name::<Self>().into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    };
}

/// Text of `MIN` to `MAX` bytes.
pub(super) struct Text<const MIN: usize, const MAX: usize>;

inline!(<const MIN, const MAX> Text, {
    let mut schema = json_schema!({ "type": "string", "maxLength": MAX, "x-max-bytes": MAX });
    if MIN > 0 {
        schema.insert("minLength".to_owned(), MIN.into());
    }
    schema
});

/// At most `MAX` bytes in base64.
pub(super) struct Base64<const MAX: usize>;

inline!(<const MAX> Base64, json_schema!({
    "type": "string",
    "contentEncoding": "base64",
    "pattern": "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
    "maxLength": MAX.div_ceil(3) * 4,
}));

/// 32 bytes in hex.
pub(super) struct Hex32;

inline!(Hex32, json_schema!({ "type": "string", "pattern": "^[0-9a-f]{64}$" }));

/// Four bytes in hex.
pub(super) struct Hex4;

inline!(Hex4, json_schema!({ "type": "string", "pattern": "^[0-9a-f]{8}$" }));

/// Bytes in hex.
pub(super) struct Hex;

inline!(Hex, json_schema!({ "type": "string", "pattern": "^([0-9a-f]{2})*$" }));

/// A card's link; what is none is refused, however long it is.
pub(super) struct ShareLink;

inline!(ShareLink, json_schema!({ "type": "string" }));

/// A decimal number of 64 bits.
pub(super) struct Decimal;

inline!(Decimal, json_schema!({ "type": "string", "pattern": "^[0-9]{1,20}$" }));

/// An event's cursor, or `ack`.
pub(super) struct CursorOrAck;

inline!(
    CursorOrAck,
    json_schema!({ "type": "string", "pattern": "^(ack|[0-9]{1,20})$" })
);

/// What a webhook's posts are signed with: 24 to 64 bytes in base64.
pub(super) struct HookSecret;

inline!(
    HookSecret,
    json_schema!({ "type": "string", "pattern": "^whsec_[A-Za-z0-9+/]{32,86}={0,2}$" })
);

/// A page's origin, as a browser writes it.
pub(super) struct Origin;

inline!(
    Origin,
    json_schema!({
        "type": "string",
        "pattern": "^https?://[a-z0-9.:\\[\\]-]+$",
        "maxLength": MAX_ORIGIN,
        "x-max-bytes": MAX_ORIGIN,
    })
);

/// Where events are posted.
pub(super) struct Url;

inline!(
    Url,
    json_schema!({
        "type": "string",
        "pattern": "^https?://[^/]",
        "maxLength": MAX_URL,
        "x-max-bytes": MAX_URL,
    })
);

/// An account's address.
pub(super) struct Account;

impl JsonSchema for Account {
    fn schema_name() -> Cow<'static, str> {
        "Account".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // Bech32m of 32 bytes: 52 characters and 6 of the checksum.
        json_schema!({
            "description": "An account's address.",
            "type": "string",
            "pattern": "^madang1[02-9ac-hj-np-z]{58}$",
        })
    }
}

/// A place in a list.
pub(super) struct PageCursor;

impl JsonSchema for PageCursor {
    fn schema_name() -> Cow<'static, str> {
        "PageCursor".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A place in a list, as a page of it gave it.",
            "type": "string",
            "maxLength": MAX_LIST_CURSOR,
            "x-max-bytes": MAX_LIST_CURSOR,
        })
    }
}

/// A channel's link.
pub(super) struct ChannelLink;

impl JsonSchema for ChannelLink {
    fn schema_name() -> Cow<'static, str> {
        "ChannelLink".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A channel's link: `madang:channel?d=…`. A web address that carries one behind a `#` is read too.",
            "type": "string",
        })
    }
}

/// A certificate to write on a channel with.
pub(super) struct WriterCertificate;

impl JsonSchema for WriterCertificate {
    fn schema_name() -> Cow<'static, str> {
        "WriterCertificate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A certificate to write on a channel with: `madang:writer?d=…`.",
            "type": "string",
        })
    }
}

/// What takes a channel back.
pub(super) struct RecoveryKey;

impl JsonSchema for RecoveryKey {
    fn schema_name() -> Cow<'static, str> {
        "RecoveryKey".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "What takes a channel back: `madang:recovery?d=…`.",
            "type": "string",
        })
    }
}

/// An invite link.
pub(super) struct Link;

impl JsonSchema for Link {
    fn schema_name() -> Cow<'static, str> {
        "Link".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An invite link: `madang:invite?d=…`. A web address that carries one behind a `#` is read too.",
            "type": "string",
        })
    }
}
