//! Blobs at a relay: chunk by chunk, resumed, kept once, under quotas, and gone in time.

use super::*;
use crate::blob::{self, BlobRef, Chunk, Shape};
use crate::custody::blobs::{
    BlobChunks, BlobPermit, BlobReceipt, BlobRefused, BlobState, ChunkRange, GetBlob, PutBlob,
};
use crate::mls::Crypto;

const CHUNKS: usize = 20;
const FRAME: usize = limits::BLOB_CHUNKS_PER_FRAME;
const TTL_S: u32 = 7 * 24 * 3600;

fn content() -> Vec<u8> {
    (0..CHUNKS * limits::BLOB_CHUNK_BYTES - 17_000)
        .map(|at| at as u8)
        .collect()
}

/// The same blob each time.
fn sealed() -> (BlobRef, Vec<Chunk>) {
    let (blob, chunks) = blob::seal(&Crypto::new([8; 32]), &content()).unwrap();
    assert_eq!(chunks.len(), CHUNKS);
    (blob, chunks)
}

fn permit(topic_n: u8, blob: &BlobRef) -> BlobPermit {
    BlobPermit::sign(&topic(topic_n), blob.id, blob.shape().unwrap(), TTL_S)
}

fn cost(blob: &BlobRef) -> u64 {
    super::super::blobs::blob_cost(blob.shape().unwrap())
}

fn put(bench: &mut Bench, peer: TransportKey, permit: &BlobPermit, chunks: &[Chunk]) {
    let put = PutBlob {
        request: 5,
        permit: permit.clone(),
        chunks: chunks.to_vec(),
    };
    bench.frame(peer, &ClientFrame::PutBlob(put));
}

#[derive(Debug, PartialEq)]
enum Answer {
    Missing(usize),
    Whole(BlobReceipt),
    Refused(Refusal),
}

fn answer(bench: &mut Bench, peer: TransportKey) -> Answer {
    bench.settle();
    let mut frames = bench.take(peer);
    assert_eq!(frames.len(), 1, "{frames:?}");
    match frames.remove(0) {
        CustodianFrame::BlobState(BlobState { request: 5, missing }) => {
            Answer::Missing(missing.iter().flat_map(|range| range.indices(u32::MAX)).count())
        }
        CustodianFrame::BlobReceipt(receipt) => {
            receipt.verify(&relay_key().public()).unwrap();
            Answer::Whole(receipt)
        }
        CustodianFrame::BlobRefused(BlobRefused { request: 5, why, .. }) => Answer::Refused(why),
        other => panic!("{other:?}"),
    }
}

/// Puts all of a blob and returns its receipt.
fn put_all(bench: &mut Bench, topic_n: u8, blob: &BlobRef, chunks: &[Chunk]) -> BlobReceipt {
    for some in chunks.chunks(FRAME) {
        put(bench, ALICE, &permit(topic_n, blob), some);
        if let Answer::Whole(receipt) = answer(bench, ALICE) {
            return receipt;
        }
    }
    panic!("never whole");
}

fn get(bench: &mut Bench, peer: TransportKey, topic_n: u8, blob: &BlobRef, chunks: std::ops::Range<u32>) {
    let get = GetBlob {
        request: 6,
        topic: topic(topic_n).public(),
        blob: blob.id,
        chunks: ChunkRange::of(chunks),
    };
    bench.frame(peer, &ClientFrame::GetBlob(get));
    bench.settle();
}

fn got(bench: &mut Bench, peer: TransportKey) -> Result<Vec<Chunk>, Refusal> {
    let mut frames = bench.take(peer);
    assert_eq!(frames.len(), 1, "{frames:?}");
    match frames.remove(0) {
        CustodianFrame::BlobChunks(BlobChunks { request: 6, chunks }) => Ok(chunks),
        CustodianFrame::BlobRefused(BlobRefused { request: 6, why, .. }) => Err(why),
        other => panic!("{other:?}"),
    }
}

fn get_all(bench: &mut Bench, peer: TransportKey, topic_n: u8, blob: &BlobRef) -> Result<Vec<u8>, Refusal> {
    let (mut chunks, mut bytes) = (Vec::new(), 0);
    while chunks.len() < CHUNKS {
        let at = chunks.len() as u32;
        get(bench, peer, topic_n, blob, at..CHUNKS as u32);
        chunks.extend(got(bench, peer)?);
        bytes = chunks
            .iter()
            .map(|chunk: &Chunk| chunk.bytes.len() as u64)
            .sum::<u64>()
            .max(bytes);
        bench.frame(peer, &ClientFrame::Ack { bytes });
        bench.settle();
    }
    Ok(blob::open(blob, chunks).unwrap())
}

fn rows(bench: &Bench) -> [usize; 3] {
    [Tree::RelayBlobs, Tree::RelayChunks, Tree::RelayBlobExpiry].map(|tree| bench.rows.count(tree))
}

#[test]
fn a_blob_that_is_put_frame_by_frame_is_receipted_and_read() {
    let mut bench = Bench::new();
    let (blob, chunks) = sealed();
    let permit = permit(1, &blob);

    put(&mut bench, ALICE, &permit, &[]);
    assert_eq!(answer(&mut bench, ALICE), Answer::Missing(CHUNKS));
    put(&mut bench, ALICE, &permit, &chunks[..FRAME]);
    assert_eq!(answer(&mut bench, ALICE), Answer::Missing(CHUNKS - FRAME));
    let receipt = put_all(&mut bench, 1, &blob, &chunks[FRAME..]);

    assert_eq!((receipt.topic, receipt.blob), (topic(1).public(), blob.id));
    assert_eq!(receipt.until_s, START_MS / 1000 + u64::from(TTL_S));
    assert_eq!(get_all(&mut bench, BOB, 1, &blob).unwrap(), content());
    get(&mut bench, CAROL, 2, &blob, 0..1);
    assert_eq!(got(&mut bench, CAROL), Err(Refusal::NotFound), "it is another topic's");
    get(&mut bench, CAROL, 1, &blob, CHUNKS as u32..CHUNKS as u32 + 9);
    assert_eq!(
        got(&mut bench, CAROL),
        Err(Refusal::NotFound),
        "there are no such chunks"
    );
    assert!(bench.penalties().is_empty());
}

#[test]
fn an_upload_goes_on_after_a_restart_with_what_is_missing() {
    let mut bench = Bench::new();
    let (blob, chunks) = sealed();
    put(&mut bench, ALICE, &permit(1, &blob), &chunks[3..7]);
    assert_eq!(answer(&mut bench, ALICE), Answer::Missing(CHUNKS - 4));

    let mut bench = Bench::open(RelayConfig::default(), bench.rows, bench.now_ms);
    put(&mut bench, BOB, &permit(1, &blob), &[]);
    assert_eq!(answer(&mut bench, BOB), Answer::Missing(CHUNKS - 4));
    get(&mut bench, CAROL, 1, &blob, 0..CHUNKS as u32);
    assert_eq!(got(&mut bench, CAROL).unwrap(), chunks[3..7], "what is there is served");
    let receipt = put_all(&mut bench, 1, &blob, &chunks);

    assert_eq!(bench.relay.stats().chunks_accepted, CHUNKS as u64 - 4);
    let mut bench = Bench::open(RelayConfig::default(), bench.rows, bench.now_ms);
    put(&mut bench, BOB, &permit(1, &blob), &[]);
    let Answer::Whole(again) = answer(&mut bench, BOB) else {
        panic!()
    };
    assert_eq!(again.until_s, receipt.until_s);
    assert_eq!(get_all(&mut bench, BOB, 1, &blob).unwrap(), content());
}

#[test]
fn what_is_put_again_is_kept_and_charged_once() {
    let mut bench = Bench::new();
    let (blob, chunks) = sealed();
    let first = put_all(&mut bench, 1, &blob, &chunks);
    let before = (rows(&bench), bench.relay.stats());
    bench.now_ms += 5000;

    put(&mut bench, BOB, &permit(1, &blob), &chunks[..2]);
    let Answer::Whole(again) = answer(&mut bench, BOB) else {
        panic!()
    };

    assert_eq!(again.until_s, first.until_s);
    let stats = bench.relay.stats();
    assert_eq!(rows(&bench), before.0);
    assert_eq!((stats.blobs, stats.blob_bytes), (1, cost(&blob)));
    assert_eq!((stats.chunks_accepted, stats.blobs_repeated), (CHUNKS as u64, 1));
    put_all(&mut bench, 2, &blob, &chunks);
    assert_eq!(bench.relay.stats().blobs, 2, "on another topic's quota it is another");
}

#[test]
fn f26_no_answer_before_the_flush_and_steps_that_overlap_lose_nothing() {
    let mut bench = Bench::new();
    let (blob, chunks) = sealed();
    for some in chunks.chunks(FRAME) {
        put(&mut bench, ALICE, &permit(1, &blob), some);
        bench.drain();
    }
    assert!(bench.take(ALICE).is_empty());
    let crashed = Bench::open(RelayConfig::default(), bench.rows.clone(), bench.now_ms);
    assert_eq!(rows(&crashed), [0, 0, 0]);

    bench.commit();
    assert!(matches!(bench.take(ALICE)[..], [CustodianFrame::BlobState(_)]));
    let mut crashed = Bench::open(RelayConfig::default(), bench.rows.clone(), bench.now_ms);
    put(&mut crashed, ALICE, &permit(1, &blob), &[]);
    assert_eq!(answer(&mut crashed, ALICE), Answer::Missing(CHUNKS - FRAME));

    bench.settle();
    let last = bench.take(ALICE).pop().unwrap();
    assert!(matches!(last, CustodianFrame::BlobReceipt(_)), "{last:?}");
    assert_eq!(rows(&bench), [1, CHUNKS, 1], "one place in the index");
    assert_eq!(get_all(&mut bench, BOB, 1, &blob).unwrap(), content());
}

#[test]
fn f49_a_wrong_chunk_or_permit_is_refused_before_the_disk_and_the_peer_pays() {
    let (blob, chunks) = sealed();
    let good = permit(1, &blob);
    let mut bit = chunks[1].clone();
    bit.bytes[70] ^= 1;
    let swapped = Chunk {
        index: 2,
        ..chunks[1].clone()
    };
    let cut = Chunk {
        bytes: chunks[1].bytes[1..].to_vec(),
        ..chunks[1].clone()
    };
    let other = BlobPermit::sign(&topic(2), blob.id, blob.shape().unwrap(), TTL_S);
    let forged = BlobPermit {
        topic: topic(1).public(),
        ..other
    };
    let longer = Shape::new(good.length + 1).unwrap();
    let longer = BlobPermit::sign(&topic(1), blob.id, longer, TTL_S);
    let none = BlobPermit {
        length: 0,
        ..good.clone()
    };
    let cases = [
        (&good, vec![chunks[0].clone(), bit]),
        (&good, vec![swapped]),
        (&good, vec![cut]),
        (&forged, chunks[..1].to_vec()),
        (&longer, chunks[..1].to_vec()),
        (&none, chunks[..1].to_vec()),
    ];
    for (case, (permit, chunks)) in cases.into_iter().enumerate() {
        let mut bench = Bench::new();
        put(&mut bench, ALICE, permit, &chunks);
        assert_eq!(answer(&mut bench, ALICE), Answer::Refused(Refusal::Invalid), "{case}");
        assert_eq!(rows(&bench), [0, 0, 0], "{case}");
        assert_eq!(bench.penalties().len(), 1, "{case}");
    }
}

#[test]
fn f22_quotas_are_charged_with_the_first_chunk_and_name_their_reason() {
    let (blob, chunks) = sealed();
    let room = RelayConfig::default();
    let cases = [
        (
            RelayConfig {
                blob_bytes: blob.shape().unwrap().length() - 1,
                ..room.clone()
            },
            Refusal::TooLarge,
        ),
        (
            RelayConfig {
                topic_blob_bytes: cost(&blob) - 1,
                ..room.clone()
            },
            Refusal::TopicQuota,
        ),
        (
            RelayConfig {
                depositor_bytes_per_day: cost(&blob) - 1,
                ..room.clone()
            },
            Refusal::DepositorQuota,
        ),
        (
            RelayConfig {
                total_bytes: cost(&blob) * 4 / 3 - 8,
                ..room.clone()
            },
            Refusal::Full,
        ),
        (
            RelayConfig {
                topics: 0,
                ..room.clone()
            },
            Refusal::Full,
        ),
    ];
    for (config, why) in cases {
        let mut bench = Bench::with(config);
        put(&mut bench, ALICE, &permit(1, &blob), &chunks[..1]);
        assert_eq!(answer(&mut bench, ALICE), Answer::Refused(why));
        assert_eq!(rows(&bench), [0, 0, 0], "{why:?}");
        assert_eq!(bench.relay.stats().blobs_refused[why.name()], 1);
    }
    let exact = RelayConfig {
        topic_blob_bytes: cost(&blob),
        depositor_bytes_per_day: cost(&blob),
        total_bytes: (cost(&blob) * 4).div_ceil(3) + 8,
        ..room
    };
    put_all(&mut Bench::with(exact), 1, &blob, &chunks);
}

#[test]
fn f21_blobs_leave_room_for_messages_and_the_other_way_round() {
    let (blob, chunks) = sealed();
    let config = RelayConfig {
        topic_blob_bytes: cost(&blob) * 3 / 2,
        topic_bytes: 30 * 20_000,
        ..RelayConfig::default()
    };
    let mut bench = Bench::with(config.clone());
    put(&mut bench, ALICE, &permit(1, &blob), &chunks[..1]);
    assert_eq!(answer(&mut bench, ALICE), Answer::Missing(CHUNKS - 1));
    let (second, more) = blob::seal(&Crypto::new([9; 32]), &[7; 100_000]).unwrap();
    let taken = bench.keep(&series(1, 600, 40, 20_000));
    assert!((20..40).contains(&taken), "{taken} messages fit beside the blob");
    let (third, _) = blob::seal(&Crypto::new([10; 32]), &content()).unwrap();
    put(&mut bench, ALICE, &permit(1, &third), &[]);
    assert_eq!(answer(&mut bench, ALICE), Answer::Refused(Refusal::TopicQuota));
    put(&mut bench, ALICE, &permit(1, &second), &more);
    assert!(
        matches!(answer(&mut bench, ALICE), Answer::Whole(_)),
        "messages don't crowd it out"
    );
    put(&mut bench, ALICE, &permit(2, &third), &[]);
    assert!(
        matches!(answer(&mut bench, ALICE), Answer::Missing(_)),
        "others aren't crowded out"
    );
}

#[test]
fn a_whole_blob_expires_and_leaves_nothing() {
    let mut bench = Bench::new();
    let (blob, chunks) = sealed();
    let receipt = put_all(&mut bench, 1, &blob, &chunks);

    bench.wait(u64::from(TTL_S) - 1);
    assert_eq!(get_all(&mut bench, BOB, 1, &blob).unwrap(), content());
    bench.now_ms = receipt.until_s * 1000;
    get(&mut bench, CAROL, 1, &blob, 0..1);
    assert_eq!(got(&mut bench, CAROL), Err(Refusal::NotFound));
    put(&mut bench, ALICE, &permit(1, &blob), &chunks[..1]);
    assert_eq!(
        answer(&mut bench, ALICE),
        Answer::Refused(Refusal::Busy),
        "its chunks are still to be removed"
    );
    bench.pass(0);

    assert_eq!(rows(&bench), [0, 0, 0]);
    let stats = bench.relay.stats();
    assert_eq!((stats.blobs, stats.blob_bytes, stats.blobs_expired), (0, 0, 1));
    assert_eq!(stats.topics, 1, "the topic is remembered for a retention");
    bench.wait(2 * u64::from(limits::CUSTODY_SECONDS) + STRETCH_S);
    assert_eq!(bench.relay.stats().topics, 0);
    put_all(&mut bench, 1, &blob, &chunks);
    assert_eq!(get_all(&mut bench, BOB, 1, &blob).unwrap(), content());
}

#[test]
fn an_upload_that_isnt_finished_is_removed_a_day_after_its_last_chunk() {
    let mut bench = Bench::new();
    let (blob, chunks) = sealed();
    put(&mut bench, ALICE, &permit(1, &blob), &chunks[..2]);
    bench.settle();
    bench.wait(20 * 3600);
    put(&mut bench, ALICE, &permit(1, &blob), &chunks[2..4]);
    bench.settle();
    bench.wait(20 * 3600);
    assert_eq!(rows(&bench), [1, 4, 1], "a day hasn't passed since");

    bench.pass(4 * 3600);

    assert_eq!(rows(&bench), [0, 0, 0]);
    assert_eq!(bench.relay.stats().blob_bytes, 0);
}

#[test]
fn a_topic_isnt_forgotten_while_it_has_blobs() {
    let config = RelayConfig {
        retention_s: 2 * 24 * 3600,
        ..RelayConfig::default()
    };
    let mut bench = Bench::with(config);
    bench.keep(&[envelope(1, 3600, b"first")]);
    bench.wait(3 * 24 * 3600);
    let (blob, chunks) = sealed();
    put_all(&mut bench, 1, &blob, &chunks);
    bench.wait(47 * 3600);
    assert_eq!(bench.relay.stats().topics, 1);
    assert_eq!(get_all(&mut bench, BOB, 1, &blob).unwrap(), content());
}

#[test]
fn a_blob_of_more_chunks_than_a_tick_removes_goes_bit_by_bit_and_isnt_taken_meanwhile() {
    let mut bench = Bench::new();
    let (blob, chunks) = blob::seal(&Crypto::new([8; 32]), &vec![7; limits::BLOB_BYTES as usize]).unwrap();
    assert!(chunks.len() > 100);
    let count = super::super::config::EXPIRY_CHUNK / chunks.len() + 2;
    for topic_n in 0..count as u8 {
        put_all(&mut bench, topic_n, &blob, &chunks);
    }
    bench.wait(u64::from(TTL_S) - 4 * 3600);
    bench.now_ms += 6 * 3600 * 1000;
    bench.input(RelayInput::Tick);
    bench.drain();
    bench.commit();
    let [left, _, _] = rows(&bench);
    assert!((1..count).contains(&left), "{left}");
    assert!(bench.relay.has_more());
    for topic_n in 0..count as u8 {
        put(&mut bench, BOB, &permit(topic_n, &blob), &chunks[..1]);
    }
    bench.settle();
    bench.pass(0);
    let taken = bench.relay.stats().blobs as usize;
    assert!(taken < count, "what was on its way out wasn't taken");
    let [blobs, chunks, due] = rows(&bench);
    assert_eq!((blobs, chunks, due), (taken, taken, taken), "nothing else is left");
}

#[test]
fn f29_what_a_failed_step_promised_is_refused_as_read_only() {
    let mut bench = Bench::new();
    let (blob, chunks) = sealed();
    put(&mut bench, ALICE, &permit(1, &blob), &chunks[..FRAME]);
    bench.drain();
    bench.fail();
    assert_eq!(answer(&mut bench, ALICE), Answer::Refused(Refusal::ReadOnly));
    put(&mut bench, ALICE, &permit(1, &blob), &chunks[..FRAME]);
    assert_eq!(answer(&mut bench, ALICE), Answer::Refused(Refusal::ReadOnly));

    bench.relay.set_read_only(false);
    put(&mut bench, ALICE, &permit(1, &blob), &[]);
    assert_eq!(
        answer(&mut bench, ALICE),
        Answer::Missing(CHUNKS),
        "nothing of it is known"
    );
    put_all(&mut bench, 1, &blob, &chunks);
    assert_eq!(bench.relay.stats().blob_bytes, cost(&blob));
}

#[test]
fn f30_a_damaged_chunk_is_left_out_and_taken_again() {
    let mut bench = Bench::new();
    let (blob, chunks) = sealed();
    put_all(&mut bench, 1, &blob, &chunks);
    let stored = bench.rows.prefix(Tree::RelayChunks, &[], 100).unwrap();
    let mut batch = crate::rows::Batch::default();
    batch.put(Tree::RelayChunks, stored[3].0.clone(), vec![1, 2, 3]);
    bench.rows.apply(&batch);

    get(&mut bench, BOB, 1, &blob, 0..8);
    assert_eq!(got(&mut bench, BOB).unwrap().len(), 7);
    put(&mut bench, ALICE, &permit(1, &blob), &[]);
    assert_eq!(answer(&mut bench, ALICE), Answer::Missing(1));
    put(&mut bench, ALICE, &permit(1, &blob), &chunks[3..4]);

    assert!(matches!(answer(&mut bench, ALICE), Answer::Whole(_)));
    assert_eq!(get_all(&mut bench, CAROL, 1, &blob).unwrap(), content());
    assert_eq!(rows(&bench), [1, CHUNKS, 1]);
}

#[test]
fn f19_a_reader_that_acknowledges_nothing_is_sent_a_window_of_chunks() {
    let mut bench = Bench::new();
    let (blob, chunks) = sealed();
    put_all(&mut bench, 1, &blob, &chunks);
    let mut served = 0;
    for _ in 0..10 {
        get(&mut bench, BOB, 1, &blob, 0..8);
        match got(&mut bench, BOB) {
            Ok(chunks) => served += chunks.len(),
            Err(why) => assert_eq!(why, Refusal::Busy),
        }
    }
    let most = limits::PUSH_WINDOW_BYTES as usize / limits::BLOB_CHUNK_BYTES + FRAME;
    assert!(served <= most, "{served}");
    bench.frame(BOB, &ClientFrame::Ack { bytes: u64::MAX });
    get(&mut bench, BOB, 1, &blob, 0..1);
    assert_eq!(got(&mut bench, BOB).unwrap().len(), 1);
}

#[test]
fn guests_store_and_read_blobs_of_hosted_topics_only() {
    let mut bench = Bench::new();
    bench.relay.set_door(Door::Peers([ALICE].into()));
    let (blob, chunks) = sealed();
    put(&mut bench, BOB, &permit(1, &blob), &chunks[..1]);
    assert_eq!(answer(&mut bench, BOB), Answer::Refused(Refusal::NotAdmitted));

    put_all(&mut bench, 1, &blob, &chunks);

    assert_eq!(get_all(&mut bench, BOB, 1, &blob).unwrap(), content());
    let (second, more) = blob::seal(&Crypto::new([9; 32]), b"of a guest").unwrap();
    put(&mut bench, BOB, &permit(1, &second), &more);
    assert!(matches!(answer(&mut bench, BOB), Answer::Whole(_)));
}

#[test]
fn a_put_that_is_too_much_for_the_disk_is_refused_as_busy() {
    let mut bench = Bench::new();
    let (blob, chunks) = sealed();
    let put = PutBlob {
        request: 5,
        permit: permit(1, &blob),
        chunks: chunks[..1].to_vec(),
    };
    bench.input(RelayInput::Shed {
        peer: ALICE,
        bytes: ClientFrame::PutBlob(put).encode(),
        retry_after_s: 7,
    });
    assert_eq!(answer(&mut bench, ALICE), Answer::Refused(Refusal::Busy));
    assert_eq!(rows(&bench), [0, 0, 0]);
}

#[test]
fn rows_of_before_there_were_blobs_are_read() {
    let mut bench = Bench::new();
    bench.keep(&series(1, 600, 3, 10));
    let id = topic(1).public();
    let mut batch = crate::rows::Batch::default();
    for (tree, key) in [
        (Tree::RelayTopics, id.0.as_slice()),
        (Tree::Meta, super::super::stored::TOTALS_KEY),
    ] {
        let row = bench.rows.get(tree, key).unwrap().unwrap();
        batch.put(tree, key, row[..row.len() - 16].to_vec());
    }
    bench.rows.apply(&batch);

    let mut bench = Bench::open(RelayConfig::default(), bench.rows, bench.now_ms);

    assert_eq!(bench.read_all(BOB, 1, None).positions, [1, 2, 3]);
    assert_eq!((bench.relay.stats().envelopes, bench.relay.stats().damaged), (3, 0));
}
