//! `padding.json`: Padmé sizes and padded content.

use crate::kit::{Fault, Format, Kind, Vectors, bytes, hexed};
use madang_protocol::padding;
use madang_protocol::wire::Reader;
use serde_json::{Value, json};

pub const FORMAT: Format = Format {
    file: "padding",
    kinds: &[
        Kind {
            name: "size",
            text: false,
            read: read_size,
            write: write_size,
        },
        Kind {
            name: "padded",
            text: false,
            read,
            write,
        },
    ],
    fill,
};

/// A size before padding as `uint32`.
fn read_size(_: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    let mut r = Reader::new(bytes);
    let size = r.u32("size")? as usize;
    r.finish()?;
    Ok(json!({ "size": size, "padded": padding::padded_len(size) }))
}

fn write_size(_: &Value, fields: &Value) -> Vec<u8> {
    (fields["size"].as_u64().unwrap() as u32).to_be_bytes().to_vec()
}

fn read(keys: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    let limit = keys["limit"].as_u64().unwrap() as usize;
    Ok(json!({ "content": hexed(padding::unpad(bytes, limit)?), "size": bytes.len() }))
}

fn write(_: &Value, fields: &Value) -> Vec<u8> {
    padding::pad(&bytes(fields, "content"))
}

fn fill(v: &mut Vectors) {
    for size in [
        0, 1, 64, 65, 100, 127, 128, 129, 255, 256, 1000, 1024, 1025, 9000, 40_000, 49_152, 65_536,
    ] {
        v.good("size", &format!("{size} bytes"), Value::Null, json!({ "size": size }));
    }
    let keys = json!({ "limit": 100 });
    v.good("padded", "nothing", keys.clone(), json!({ "content": "" }));
    v.good(
        "padded",
        "a short content",
        keys.clone(),
        json!({ "content": hexed("content") }),
    );
    v.good(
        "padded",
        "content that ends in zeros",
        keys.clone(),
        json!({ "content": "aa0000" }),
    );
    v.good(
        "padded",
        "content that fills the least size",
        keys.clone(),
        json!({ "content": hexed([9; 63]) }),
    );
    v.good(
        "padded",
        "content of two length bytes",
        keys.clone(),
        json!({ "content": hexed([9; 64]) }),
    );
    v.good_to_read("padded", "no padding at all", keys.clone(), &[2, 1, 1]);
    v.bad("padded", "no length", keys.clone(), &[], "truncated", "padded content");
    v.bad(
        "padded",
        "content over the limit",
        keys.clone(),
        &[0x40, 101],
        "too_long",
        "padded content",
    );
    v.bad(
        "padded",
        "content longer than the input",
        keys.clone(),
        &[3, 1, 1],
        "truncated",
        "padded content",
    );
    v.bad(
        "padded",
        "padding that isn't zero",
        keys,
        &[1, 1, 0, 0, 1],
        "invalid",
        "padding",
    );
}
