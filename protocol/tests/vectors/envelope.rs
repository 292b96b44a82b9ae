//! `envelope.json`: lengths and envelopes.

use crate::kit::{Fault, Format, Kind, Vectors, array, bytes, hexed};
use madang_protocol::envelope::Envelope;
use madang_protocol::keys::{DeviceSecret, Domain, TopicSecret};
use madang_protocol::limits;
use madang_protocol::wire::{Reader, Writer};
use serde_json::{Value, json};

pub const FORMAT: Format = Format {
    file: "envelope",
    kinds: &[
        Kind {
            name: "length",
            text: false,
            read: read_length,
            write: write_length,
        },
        Kind {
            name: "envelope",
            text: false,
            read,
            write,
        },
    ],
    fill,
};

/// The length before a vector; the vector itself is left out of the bytes.
fn read_length(_: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    let mut with_content = bytes.to_vec();
    with_content.resize(bytes.len() + (1 << 20), 0);
    let value = Reader::new(&with_content).bytes("length", 1 << 20)?.len();
    Ok(json!({ "value": value }))
}

fn write_length(_: &Value, fields: &Value) -> Vec<u8> {
    let length = fields["value"].as_u64().unwrap() as usize;
    let mut w = Writer::default();
    w.bytes(&vec![0; length]);
    let mut bytes = w.into_bytes();
    bytes.truncate(bytes.len() - length);
    bytes
}

fn read(_: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    let envelope = Envelope::verify(bytes)?;
    Ok(json!({
        "topic": hexed(envelope.topic().0),
        "ttl_s": envelope.ttl_s(),
        "body": hexed(envelope.body()),
        "id": hexed(envelope.id().0),
    }))
}

fn write(keys: &Value, fields: &Value) -> Vec<u8> {
    let topic = TopicSecret::from_bytes(array(keys, "topic_secret"));
    let ttl_s = fields["ttl_s"].as_u64().unwrap() as u32;
    Envelope::sign(&topic, ttl_s, &bytes(fields, "body"))
        .unwrap()
        .into_bytes()
}

/// The order of the base point of Ed25519, little-endian.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

fn fill(v: &mut Vectors) {
    for value in [0, 1, 63, 64, 16_383, 16_384, 65_536] {
        v.good(
            "length",
            &format!("a length of {value}"),
            Value::Null,
            json!({ "value": value }),
        );
    }
    v.bad(
        "length",
        "63 in two bytes",
        Value::Null,
        &[0x40, 63],
        "length",
        "length",
    );
    v.bad(
        "length",
        "16383 in four bytes",
        Value::Null,
        &[0x80, 0, 0x3f, 0xff],
        "length",
        "length",
    );
    v.bad(
        "length",
        "the reserved form of eight bytes",
        Value::Null,
        &[0xc0, 0, 0, 0, 0, 0, 0, 1],
        "length",
        "length",
    );
    v.bad(
        "length",
        "over the limit of the field",
        Value::Null,
        &[0xbf, 0xff, 0xff, 0xff],
        "too_long",
        "length",
    );

    let topic = TopicSecret::from_bytes([7; 32]);
    let keys = json!({ "topic_secret": hexed([7; 32]) });
    let mut good = |name, ttl_s: u32, body: &[u8]| {
        v.good(
            "envelope",
            name,
            keys.clone(),
            json!({ "ttl_s": ttl_s, "body": hexed(body) }),
        )
    };
    good("an empty body", 0, b"");
    let plain = good("a short body", limits::CUSTODY_SECONDS, b"body");
    good("a body whose length takes two bytes", u32::MAX, &[0x5a; 64]);

    let mut bad =
        |name: &str, bytes: &[u8], error: &str, at: &str| v.bad("envelope", name, Value::Null, bytes, error, at);
    let changed = |at: usize, value: u8| {
        let mut bytes = plain.clone();
        bytes[at] = value;
        bytes
    };
    bad("nothing", b"", "truncated", "version");
    bad("version 0", &changed(0, 0), "version", "version");
    bad("version 2", &changed(0, 2), "version", "version");
    bad("a signer of a later version", &changed(1, 2), "invalid", "signer");
    bad("another topic", &changed(2, plain[2] ^ 1), "signature", "");
    bad("another time to live", &changed(37, plain[37] ^ 1), "signature", "");
    bad("another body", &changed(39, plain[39] ^ 1), "signature", "");
    bad(
        "another signature",
        &changed(plain.len() - 1, plain[plain.len() - 1] ^ 1),
        "signature",
        "",
    );
    bad(
        "a length in two bytes that fits one",
        &[&plain[..38], &[0x40, 4], &plain[39..]].concat(),
        "length",
        "body",
    );
    bad(
        "a body that claims a gigabyte",
        &[&plain[..38], &[0xbf, 0xff, 0xff, 0xff]].concat(),
        "too_long",
        "body",
    );
    bad(
        "a body longer than the input",
        &[&plain[..38], &[0x7f, 0xff], b"body"].concat(),
        "truncated",
        "body",
    );
    bad("cut inside the topic", &plain[..20], "truncated", "TopicId");
    bad(
        "cut inside the signature",
        &plain[..plain.len() - 1],
        "truncated",
        "signature",
    );
    bad("a byte too many", &[&plain[..], &[0]].concat(), "trailing", "");
    bad(
        "over 65536 bytes",
        &vec![0; limits::ENVELOPE_BYTES + 1],
        "too_large",
        "",
    );

    let (signed, signature) = plain.split_at(plain.len() - 64);
    let id = blake3::hash(signed);
    let other = DeviceSecret::from_bytes([7; 32]).sign(Domain::Card, id.as_bytes());
    bad(
        "signed by the same key for another purpose",
        &[signed, &other].concat(),
        "signature",
        "",
    );
    bad(
        "signed over the bytes instead of the id",
        &[signed, &topic.sign(Domain::Envelope, signed)].concat(),
        "signature",
        "",
    );
    bad(
        "a signature whose S is not reduced",
        &[signed, &unreduced(signature)].concat(),
        "signature",
        "",
    );

    // The neutral point as key: without a check for small order, R neutral and S zero hold for every message.
    let mut neutral = vec![1];
    neutral.resize(32, 0);
    let weak = [&plain[..2], &neutral, &plain[34..signed.len()], &neutral, &[0; 32]].concat();
    bad("a topic of small order", &weak, "signature", "");
}

fn unreduced(signature: &[u8]) -> Vec<u8> {
    let mut bytes = signature.to_vec();
    let mut carry = 0;
    for (byte, add) in bytes[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
    bytes
}
