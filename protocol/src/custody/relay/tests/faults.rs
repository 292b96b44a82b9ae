//! Rows of FAULTS.md at this layer.

use super::*;

#[test]
fn f18_a_cursor_of_a_lost_future_is_void_after_a_restore() {
    let mut bench = Bench::new();
    bench.keep(&series(1, 600, 5, 10));
    let backup = bench.rows.clone();
    let before = bench.read_all(BOB, 1, None).cursor;
    bench.keep(&series(1, 600, 8, 10)[5..]);
    let future = bench.read_all(BOB, 1, None).cursor;

    let mut restored = Bench::open(RelayConfig::default(), backup, bench.now_ms);
    let read = restored.read_all(BOB, 1, future);
    assert!(read.void, "beyond the head");
    assert_eq!(read.positions, [1, 2, 3, 4, 5]);
    assert!(!restored.read_all(BOB, 1, before).void, "of the time before the backup");

    let others: Vec<_> = (0..8_u32)
        .map(|i| envelope(1, 600, format!("other {i}").as_bytes()))
        .collect();
    restored.keep(&others[..3]);
    assert!(restored.read_all(BOB, 1, future).void, "at the head, with another hash");
    restored.keep(&others[3..]);
    let read = restored.read_all(BOB, 1, future);
    assert!(read.void, "below the head, with another hash");
    assert_eq!(read.positions.len(), 13);
    assert!(!restored.read_all(BOB, 1, read.cursor).void);
}

/// The broken variant of the test above.
#[cfg(feature = "sim")]
#[test]
fn f18_a_cursor_without_its_running_hash_hides_what_came_after_a_restore() {
    let mut bench = Bench::new();
    bench.keep(&series(1, 600, 5, 10));
    let backup = bench.rows.clone();
    bench.keep(&series(1, 600, 8, 10)[5..]);
    let future = bench.read_all(BOB, 1, None).cursor;
    let others: Vec<_> = (0..8_u32)
        .map(|i| envelope(1, 600, format!("other {i}").as_bytes()))
        .collect();
    for (cursor_unhashed, shown) in [(false, 13), (true, 5)] {
        let config = RelayConfig {
            cursor_unhashed,
            ..RelayConfig::default()
        };
        let mut restored = Bench::open(config, backup.clone(), bench.now_ms);
        restored.keep(&others);
        let read = restored.read_all(BOB, 1, future);
        assert_eq!((read.void, read.positions.len()), (!cursor_unhashed, shown));
    }
}

#[test]
fn f18_a_cursor_of_another_storage_epoch_is_void() {
    let mut bench = Bench::new();
    bench.keep(&series(1, 600, 2, 10));
    let mut cursor = bench.read_all(BOB, 1, None).cursor.unwrap();

    cursor.epoch ^= 1;

    assert!(bench.read_all(BOB, 1, Some(cursor)).void);
}

#[test]
fn f18_a_void_watch_of_an_empty_topic_is_told_so() {
    let mut bench = Bench::new();
    let cursor = Cursor {
        epoch: 1,
        position: 3,
        hash: Default::default(),
    };

    let read = bench.read_all(BOB, 1, Some(cursor));

    assert!(read.void && read.caught_up);
    assert_eq!(read.cursor.unwrap().position, 0);
}

#[test]
fn the_storage_epoch_is_kept_and_differs_between_stores() {
    let epoch = |seed: u8, rows: &mut MemoryRows| {
        let mut relay = Relay::load(RelayConfig::default(), relay_key(), [seed; 32], rows, START_MS).unwrap();
        rows.apply(&relay.drain().batch);
        relay.epoch
    };
    let (mut one, mut two) = (MemoryRows::default(), MemoryRows::default());

    let first = epoch(1, &mut one);

    assert_eq!(epoch(9, &mut one), first);
    assert_ne!(epoch(2, &mut two), first);
}

#[test]
fn f20_junk_is_refused_before_the_disk_and_the_peer_pays() {
    let mut bench = Bench::new();
    let good = envelope(1, 60, b"good");
    let mut forged = good.bytes().to_vec();
    *forged.last_mut().unwrap() ^= 1;
    let before = bench.rows.clone();

    let envelopes = vec![b"junk".to_vec(), forged];
    bench.frame(ALICE, &ClientFrame::Deposit(Deposit { request: 5, envelopes }));
    bench.settle();

    assert_eq!(bench.rows, before, "nothing was written");
    let receipt = bench.receipts(ALICE).remove(0);
    receipt.verify(&relay_key().public()).unwrap();
    assert!(receipt.accepted.is_empty());
    assert!(
        receipt
            .refused
            .iter()
            .all(|refused| refused.why == Refusal::Invalid && refused.retry_after_s == 0)
    );
    assert_eq!(receipt.refused[0].id.0, *blake3::hash(b"junk").as_bytes());
    assert_eq!(receipt.refused[1].id, good.id());
    assert_eq!(bench.penalties().len(), 1);
    assert_eq!(bench.relay.stats().refused["invalid"], 2);
}

#[test]
fn f20_one_bad_envelope_does_not_take_the_others_with_it() {
    let mut bench = Bench::new();
    let good = envelope(1, 60, b"good");

    let envelopes = vec![b"junk".to_vec(), good.bytes().to_vec()];
    bench.frame(ALICE, &ClientFrame::Deposit(Deposit { request: 5, envelopes }));
    bench.settle();

    assert_eq!(bench.receipts(ALICE)[0].accepted[0].id, good.id());
}

#[test]
fn f08_frames_that_cannot_be_read_are_penalised_and_change_nothing() {
    let mut bench = Bench::new();
    let whole = deposit_frame(1, &[envelope(1, 60, b"x")]);
    let before = bench.rows.clone();

    for end in 0..whole.len() {
        bench.input(RelayInput::Frame {
            peer: ALICE,
            bytes: whole[..end].to_vec(),
        });
    }
    bench.input(RelayInput::Frame {
        peer: ALICE,
        bytes: [whole.as_slice(), &[0]].concat(),
    });
    bench.settle();

    assert_eq!(bench.penalties().len(), whole.len() + 1);
    assert_eq!(bench.rows, before);
    assert!(bench.take(ALICE).is_empty());
}

#[test]
fn f07_a_frame_over_the_limit_is_refused_unread() {
    let mut bench = Bench::new();

    bench.input(RelayInput::Frame {
        peer: ALICE,
        bytes: vec![1; limits::FRAME_BYTES + 1],
    });
    bench.settle();

    assert_eq!(bench.penalties(), [(ALICE, "the frame is longer than allowed")]);
}

#[test]
fn frames_of_a_later_version_are_ignored() {
    let mut bench = Bench::new();

    bench.input(RelayInput::Frame {
        peer: ALICE,
        bytes: vec![99, 1, 2, 3],
    });
    bench.settle();

    assert!(bench.penalties().is_empty() && bench.take(ALICE).is_empty());
}

#[test]
fn f22_a_full_topic_is_refused_until_its_oldest_expires() {
    let mut bench = Bench::with(RelayConfig {
        topic_envelopes: 3,
        ..RelayConfig::default()
    });
    bench.keep(&series(1, 600, 3, 10));
    bench.now_ms += 100_000;
    let fourth = envelope(1, 600, b"fourth");

    bench.deposit(BOB, 9, std::slice::from_ref(&fourth));
    bench.settle();

    let refused = bench.receipts(BOB).remove(0).refused.remove(0);
    assert_eq!((refused.id, refused.why), (fourth.id(), Refusal::TopicQuota));
    assert!((500..500 + 2 * 3600).contains(&refused.retry_after_s));
    bench.wait(u64::from(refused.retry_after_s));
    assert_eq!(bench.keep(&[fourth]), 1, "the promised time was right");
}

#[test]
fn f21_a_flood_on_one_topic_leaves_the_others_their_room() {
    let mut bench = Bench::with(RelayConfig {
        topic_bytes: 20_000,
        ..RelayConfig::default()
    });

    let kept = bench.keep(&series(1, 600, 200, 1000));

    assert!(kept < 20);
    assert_eq!(bench.keep(&series(2, 600, 10, 100)), 10);
}

#[test]
fn f21_a_depositor_over_its_day_is_refused_until_the_day_is_over_and_others_are_not() {
    let mut bench = Bench::with(RelayConfig {
        depositor_bytes_per_day: 20_000,
        ..RelayConfig::default()
    });
    for n in 0..40 {
        bench.deposit(ALICE, n, &[envelope(n as u8, 600, &[0; 1000])]);
    }
    bench.now_ms += 1000;
    let last = envelope(99, 600, b"x");
    bench.deposit(ALICE, 40, &[last.clone(), envelope(98, 600, &[0; 1000])]);
    bench.deposit(BOB, 1, &[envelope(97, 600, &[0; 1000])]);
    bench.settle();

    let receipts = bench.receipts(ALICE);
    let refused = receipts.last().unwrap().refused.last().unwrap();
    assert_eq!(refused.why, Refusal::DepositorQuota);
    assert_eq!(u64::from(refused.retry_after_s), DAY_MS / 1000 - 1);
    assert_eq!(bench.receipts(BOB)[0].accepted.len(), 1);

    bench.wait(u64::from(refused.retry_after_s));
    bench.deposit(ALICE, 41, &[envelope(98, 600, &[0; 1000])]);
    bench.settle();
    assert_eq!(
        bench.receipts(ALICE)[0].accepted.len(),
        1,
        "the promised time was right"
    );
}

#[test]
fn f22_a_full_store_says_so_and_takes_repeats_still() {
    let mut bench = Bench::with(RelayConfig {
        total_bytes: 10_000,
        ..RelayConfig::default()
    });
    let sent = series(1, 600, 20, 1000);

    let kept = bench.keep(&sent);
    bench.now_ms += 100_000;
    bench.deposit(ALICE, 2, &sent);
    bench.settle();

    let receipt = bench.receipts(ALICE).remove(0);
    assert!(kept > 0 && kept < 20);
    assert_eq!(receipt.accepted.len(), kept);
    assert!(
        receipt
            .refused
            .iter()
            .all(|refused| refused.why == Refusal::Full && refused.retry_after_s >= 500)
    );
    assert_eq!(bench.relay.stats().refused["full"], 2 * (20 - kept as u64));
}

#[test]
fn f22_topics_are_bounded_too() {
    let mut bench = Bench::with(RelayConfig {
        topics: 2,
        ..RelayConfig::default()
    });

    bench.deposit(
        ALICE,
        1,
        &[
            envelope(1, 60, b"x"),
            envelope(2, 60, b"x"),
            envelope(3, 60, b"x"),
            envelope(1, 60, b"y"),
        ],
    );
    bench.settle();

    let receipt = bench.receipts(ALICE).remove(0);
    assert_eq!((receipt.accepted.len(), receipt.refused[0].why), (3, Refusal::Full));
}

#[test]
fn f10_a_peer_beyond_the_bound_is_refused_and_the_others_stay_served() {
    let mut bench = Bench::with(RelayConfig {
        peers: 3,
        ..RelayConfig::default()
    });
    let fourth = TransportKey([4; 32]);
    bench.input(RelayInput::Connected { peer: fourth });

    bench.deposit(fourth, 1, &[envelope(1, 60, b"x")]);
    bench.watch(fourth, &[(1, None)]);
    bench.deposit(BOB, 1, &[envelope(1, 60, b"x")]);
    bench.settle();

    let frames = bench.take(fourth);
    assert!(matches!(&frames[0], CustodianFrame::Receipt(receipt) if receipt.refused[0].why == Refusal::Busy));
    assert!(matches!(
        &frames[1],
        CustodianFrame::WatchRefused { why: Refusal::Busy, .. }
    ));
    assert_eq!(bench.receipts(BOB)[0].accepted.len(), 1);
}

#[test]
fn f24_a_clock_that_jumps_back_expires_nothing_early_and_shuts_nobody_out() {
    let mut bench = Bench::with(RelayConfig {
        depositor_bytes_per_day: 2000,
        ..RelayConfig::default()
    });
    bench.now_ms = 4_102_444_800_000; // 2100
    bench.keep(&[envelope(1, 600, &[0; 1000])]);

    bench.now_ms = START_MS;
    bench.tick();
    assert_eq!(bench.relay.stats().envelopes, 1);
    bench.deposit(ALICE, 1, &[envelope(1, 600, &[1; 1000])]);
    bench.settle();
    let refused = bench.receipts(ALICE).remove(0).refused.remove(0);
    assert_eq!(refused.why, Refusal::DepositorQuota);
    assert!(u64::from(refused.retry_after_s) <= DAY_MS / 1000, "not until 2100");

    bench.now_ms = 0;
    bench.tick();
    bench.deposit(BOB, 1, &[envelope(2, 600, b"x")]);
    bench.settle();
    assert_eq!(bench.receipts(BOB)[0].accepted[0].until_s, 600);
    bench.now_ms = u64::MAX;
    bench.tick();
    bench.deposit(CAROL, 1, &[envelope(3, u32::MAX, b"x")]);
    bench.tick();
    assert_eq!(bench.receipts(CAROL)[0].accepted.len(), 1);
}
