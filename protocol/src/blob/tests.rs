//! FAULTS 49: whatever is done to a blob's chunks is refused before anything is opened.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;
use proptest::prelude::*;

const CHUNK: usize = limits::BLOB_CHUNK_BYTES;

fn content(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| (at * 31 % 251) as u8).collect()
}

fn sealed(seed: u8, bytes: usize) -> (BlobRef, Vec<Chunk>) {
    seal_with(BlobKey([seed; 32]), &content(bytes)).unwrap()
}

#[test]
fn a_blob_of_any_number_of_chunks_opens_again() {
    for bytes in [0, 1, 63, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 25 * CHUNK + 7] {
        let (blob, chunks) = sealed(1, bytes);
        let shape = blob.shape().unwrap();
        assert_eq!(chunks.len(), shape.chunks() as usize, "{bytes}");
        let total: usize = chunks.iter().map(|chunk| chunk.bytes.len()).sum();
        assert_eq!(total as u64, shape.sealed_bytes(), "{bytes}");
        assert!(chunks.iter().all(|chunk| chunk.check(&blob.id, shape).is_ok()));
        assert_eq!(
            open(&blob, chunks.into_iter().rev()).unwrap(),
            content(bytes),
            "{bytes}"
        );
    }
}

#[test]
fn a_chunk_with_the_longest_proof_fits_a_row_and_a_frame() {
    let chunk = Chunk {
        index: u32::MAX,
        proof: vec![[0; 32]; PROOF_HASHES],
        bytes: vec![0; CHUNK + TAG_BYTES],
    };
    assert!(chunk.encode().len() <= 64 * 1024);
    assert!(limits::BLOB_CHUNKS_PER_FRAME * (chunk.encode().len() + 8) + 256 <= limits::FRAME_BYTES);
    assert_eq!(Chunk::decode(&chunk.encode()).unwrap(), chunk);
}

#[test]
fn equal_contents_have_nothing_in_common() {
    let crypto = Crypto::new([4; 32]);
    let (one, ones) = seal(&crypto, &content(1000)).unwrap();
    let (other, others) = seal(&crypto, &content(1000)).unwrap();
    assert_ne!(one.id, other.id);
    assert_ne!(ones[0].bytes, others[0].bytes);
}

#[test]
fn lengths_are_padded() {
    let (near, _) = sealed(1, 100_001);
    let (far, _) = sealed(1, 100_300);
    assert_eq!(near.shape(), far.shape());
}

#[test]
fn f65_a_reference_doesnt_show_its_key() {
    let (blob, _) = sealed(0xab, 10);
    assert!(!format!("{blob:?}").contains("171"), "{blob:?}");
    assert!(!format!("{blob:?}").contains("abab"), "{blob:?}");
    assert_eq!(BlobRef::decode(&blob.encode()).unwrap(), blob);
}

#[test]
fn f49_chunks_swapped_reordered_or_of_another_blob_are_refused() {
    let (blob, chunks) = sealed(1, 5 * CHUNK);
    let (_, others) = sealed(2, 5 * CHUNK);
    let shape = blob.shape().unwrap();
    for (at, chunk) in chunks.iter().enumerate() {
        for (to, taken) in chunks.iter().enumerate().filter(|(to, _)| *to != at) {
            let place = Chunk {
                index: to as u32,
                ..chunk.clone()
            };
            assert!(place.check(&blob.id, shape).is_err(), "{at} at the place of {to}");
            let proof = Chunk {
                proof: taken.proof.clone(),
                ..place
            };
            assert!(proof.check(&blob.id, shape).is_err(), "{at} with the proof of {to}");
        }
        assert_eq!(
            others[at].check(&blob.id, shape),
            Err(BlobError::Chunk { index: at as u32 })
        );
    }
}

#[test]
fn f49_a_truncated_or_longer_blob_is_refused() {
    let (blob, chunks) = sealed(1, 5 * CHUNK);
    for length_bytes in [0, 1, CHUNK, 4 * CHUNK, 6 * CHUNK, 40 * CHUNK] {
        let other = BlobRef {
            length_bytes: length_bytes as u64,
            ..blob.clone()
        };
        let mut assembly = Assembly::new(other).unwrap();
        for chunk in &chunks {
            assert!(assembly.add(chunk.clone()).is_err(), "{length_bytes}");
        }
        assert!(assembly.open().is_err());
    }
    let mut assembly = Assembly::new(blob).unwrap();
    for chunk in &chunks[1..] {
        assert!(assembly.add(chunk.clone()).unwrap());
        assert!(!assembly.add(chunk.clone()).unwrap(), "again");
    }
    assert_eq!(assembly.missing(10), [0]);
    assert_eq!(assembly.open(), Err(BlobError::Incomplete { missing: 1 }));
}

#[test]
fn f49_a_length_within_the_same_padding_is_no_other_content() {
    let (blob, chunks) = sealed(1, 100_001);
    let shorter = BlobRef {
        length_bytes: 100_000,
        ..blob.clone()
    };
    assert_eq!(shorter.shape(), blob.shape());
    assert_eq!(open(&shorter, chunks), Err(BlobError::Sealed));
}

#[test]
fn f49_another_key_opens_nothing() {
    let (blob, chunks) = sealed(1, 100);
    let other = BlobRef {
        key: BlobKey([2; 32]),
        ..blob
    };
    assert_eq!(open(&other, chunks), Err(BlobError::Sealed));
}

#[test]
fn f49_an_inner_node_is_no_chunk() {
    // Two chunks of a blob as one of another whose hash is their node's: leaves and nodes are told apart.
    let tree = HashTree::new(vec![[1; 32], [2; 32]]);
    assert_eq!([tree.proof(0), tree.proof(1)], [[[2; 32]], [[1; 32]]]);
    let joined = [[1; 32], [2; 32]].concat();
    assert_ne!(tree::leaf(0, &joined), tree.root());
}

#[test]
fn f07_what_is_too_large_is_refused_before_anything_is_taken() {
    let blob = BlobRef {
        id: BlobId([1; 32]),
        key: BlobKey([2; 32]),
        length_bytes: limits::BLOB_BYTES + 1,
    };
    assert!(matches!(Assembly::new(blob.clone()), Err(BlobError::TooLarge { .. })));
    let endless = BlobRef {
        length_bytes: u64::MAX,
        ..blob
    };
    assert!(endless.shape().is_err());
    assert_eq!(Shape::new(0), None);
    assert_eq!(Shape::new(limits::BLOB_LENGTH + 1), None);
    let large = vec![0; limits::BLOB_BYTES as usize + 1];
    assert!(matches!(
        seal_with(BlobKey([1; 32]), &large),
        Err(BlobError::TooLarge { .. })
    ));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn f49_any_changed_bit_of_a_chunk_is_refused(bytes in 0..3 * CHUNK, pick in any::<usize>(), at in any::<usize>(), bit in 0..8_u32) {
        let (blob, mut chunks) = sealed(1, bytes);
        let shape = blob.shape().unwrap();
        let pick = pick % chunks.len();
        let chunk = &mut chunks[pick];
        let hashes = chunk.proof.len() * 32;
        let at = at % (chunk.bytes.len() + hashes);
        if at < hashes {
            chunk.proof[at / 32][at % 32] ^= 1 << bit;
        } else {
            chunk.bytes[at - hashes] ^= 1 << bit;
        }
        prop_assert_eq!(chunk.check(&blob.id, shape), Err(BlobError::Chunk { index: pick as u32 }));
        prop_assert!(open(&blob, chunks).is_err());
    }

    #[test]
    fn a_proof_of_any_tree_leads_to_its_root_and_no_shorter_one_does(count in 1..200_u32, pick in any::<u32>()) {
        let leaves: Vec<_> = (0..count).map(|at| tree::leaf(at, b"chunk")).collect();
        let index = pick % count;
        let leaf = leaves[index as usize];
        let tree = HashTree::new(leaves);
        let proof = tree.proof(index);
        prop_assert_eq!(tree::climb(leaf, index, count, &proof), Some(tree.root()));
        if let Some((_, shorter)) = proof.split_last() {
            prop_assert_eq!(tree::climb(leaf, index, count, shorter), None);
        }
        let longer = [proof.as_slice(), &[[0; 32]]].concat();
        prop_assert_eq!(tree::climb(leaf, index, count, &longer), None);
    }
}
