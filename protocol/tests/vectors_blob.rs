//! Reads every vector of `spec/vectors/blob.json`: key and content give reference and chunks, and these the content again.
//!
//! After a change of the format, `MADANG_WRITE_VECTORS=1 cargo test -p madang-protocol --test vectors_blob` writes the file anew; without
//! it, drift fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use madang_protocol::blob::{self, BlobKey, BlobRef};
use madang_protocol::wire::Wire;
use serde_json::{Value, json};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/spec/vectors/blob.json");
/// None, one chunk, a full chunk's edge, several with a tree of uneven depth.
const SIZES: [usize; 6] = [0, 5, 61_440, 61_441, 200_000, 400_000];

fn content(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| (at % 251) as u8).collect()
}

fn vector(at: usize, bytes: usize) -> Value {
    let key = [at as u8 + 1; 32];
    let (blob, chunks) = blob::seal_with(BlobKey::from_bytes(key), &content(bytes)).unwrap();
    let shape = blob.shape().unwrap();
    let chunks: Vec<Value> = chunks
        .iter()
        .map(|chunk| {
            let proof: Vec<String> = chunk.proof.iter().map(hex::encode).collect();
            let hash = blake3::hash(&chunk.bytes).to_hex().to_string();
            json!({"index": chunk.index, "bytes": chunk.bytes.len(), "blake3": hash, "proof": proof})
        })
        .collect();
    json!({
        "key": hex::encode(key),
        "content_bytes": bytes,
        "padded_bytes": shape.length(),
        "id": hex::encode(blob.id.0),
        "reference": hex::encode(blob.encode()),
        "chunks": chunks,
    })
}

#[test]
fn the_file_is_what_is_generated() {
    let vectors: Vec<Value> = SIZES.iter().enumerate().map(|(at, bytes)| vector(at, *bytes)).collect();
    let file = json!({"content": "byte n is n modulo 251", "blobs": vectors});
    let generated = serde_json::to_string_pretty(&file).unwrap() + "\n";
    if std::env::var_os("MADANG_WRITE_VECTORS").is_some() {
        std::fs::write(FILE, &generated).unwrap();
    }
    assert_eq!(std::fs::read_to_string(FILE).unwrap(), generated);
}

#[test]
fn every_reference_of_the_file_opens_its_chunks() {
    let file: Value = serde_json::from_str(&std::fs::read_to_string(FILE).unwrap()).unwrap();
    let blobs = file["blobs"].as_array().unwrap();
    assert_eq!(blobs.len(), SIZES.len());
    for vector in blobs {
        let bytes = vector["content_bytes"].as_u64().unwrap() as usize;
        let blob = BlobRef::decode(&hex::decode(vector["reference"].as_str().unwrap()).unwrap()).unwrap();
        assert_eq!(blob.length_bytes as usize, bytes);
        assert_eq!(blob.id.to_string(), vector["id"].as_str().unwrap());
        let (_, chunks) = blob::seal_with(blob.key.clone(), &content(bytes)).unwrap();
        assert_eq!(blob::open(&blob, chunks).unwrap(), content(bytes));
    }
}
