//! Expiry, its stubs, and cursors that stay good across it.

use super::*;

const HOUR: u32 = 3600;

#[test]
fn what_has_expired_is_gone_and_its_bytes_are_free() {
    let mut bench = Bench::new();
    bench.keep(&series(1, HOUR, 1200, 10));

    bench.pass(u64::from(HOUR));

    assert!(bench.read_all(BOB, 1, None).envelopes.is_empty());
    assert_eq!(bench.relay.stats().envelopes, 0);
    assert_eq!(bench.relay.stats().bytes, 0);
    assert_eq!(bench.relay.stats().expired, 1200);
    for tree in [Tree::RelayLog, Tree::RelayIds] {
        assert_eq!(bench.rows.count(tree), 0, "{tree:?}");
    }
    assert_eq!(bench.rows.count(Tree::RelayExpiry), 1, "only the topic's own");
}

#[test]
fn a_tick_takes_a_bounded_chunk_and_none_while_one_is_in_flight() {
    let mut bench = Bench::new();
    bench.keep(&series(1, HOUR, 1200, 10));
    bench.now_ms += (u64::from(HOUR) + STRETCH_S) * 1000;

    bench.input(RelayInput::Tick);
    bench.drain();
    assert_eq!(bench.relay.stats().expired, 512);
    bench.input(RelayInput::Tick);
    bench.drain();
    assert_eq!(bench.relay.stats().expired, 512);
    assert!(!bench.relay.has_more(), "nothing can be done before the flush");
    bench.commit();
    assert!(bench.relay.has_more());
    bench.settle();
    assert_eq!(bench.relay.stats().expired, 1200);
}

#[test]
fn an_expired_envelope_behind_a_kept_one_leaves_a_stub_and_cursors_stay_good() {
    let mut bench = Bench::new();
    let first = envelope(1, 10 * HOUR, b"long");
    let short = series(1, HOUR, 5, 10);
    let last = envelope(1, 10 * HOUR, b"long too");
    bench.keep(std::slice::from_ref(&first));
    bench.keep(&short);
    let middle = bench.read_all(BOB, 1, None).cursor;
    bench.keep(std::slice::from_ref(&last));
    let end = bench.read_all(BOB, 1, None).cursor;

    bench.pass(u64::from(HOUR));

    assert_eq!(bench.rows.count(Tree::RelayLog), 7, "two envelopes and five stubs");
    assert_eq!(bench.rows.count(Tree::RelayIds), 2);
    assert_eq!(bench.read_all(BOB, 1, None).positions, [1, 7]);
    let resumed = bench.read_all(BOB, 1, middle);
    assert!(!resumed.void);
    assert_eq!(resumed.positions, [7]);
    let resumed = bench.read_all(BOB, 1, end);
    assert!(!resumed.void && resumed.envelopes.is_empty());
}

#[test]
fn a_prefix_without_envelopes_is_trimmed_and_older_cursors_are_served_from_the_oldest() {
    let mut bench = Bench::new();
    bench.keep(&series(1, HOUR, 3, 10));
    let old = bench.read_all(BOB, 1, None).cursor.unwrap();
    bench.keep(&[envelope(1, 2 * HOUR, b"a"), envelope(1, 10 * HOUR, b"b")]);
    let at_base = bench.read_all(BOB, 1, None).cursor.unwrap();
    bench.keep(&[envelope(1, 10 * HOUR, b"c")]);

    bench.pass(2 * u64::from(HOUR));

    assert_eq!(bench.rows.count(Tree::RelayLog), 2);
    let read = bench.read_all(BOB, 1, Some(old));
    assert!(!read.void);
    assert_eq!(read.positions, [5, 6]);
    assert_eq!(bench.read_all(BOB, 1, Some(at_base)).positions, [6]);
}

#[test]
fn a_cursor_at_the_base_of_an_emptied_topic_stays_good_until_the_topic_is_forgotten() {
    let mut bench = Bench::new();
    bench.keep(&series(1, HOUR, 3, 10));
    let cursor = bench.read_all(BOB, 1, None).cursor;
    bench.input(RelayInput::Disconnected { peer: BOB });

    bench.pass(u64::from(HOUR));
    let read = bench.read_all(BOB, 1, cursor);
    assert!(!read.void && read.cursor == cursor);
    bench.input(RelayInput::Disconnected { peer: BOB });

    bench.pass(u64::from(limits::CUSTODY_SECONDS));
    for tree in [Tree::RelayTopics, Tree::RelayLog, Tree::RelayExpiry, Tree::RelayIds] {
        assert_eq!(bench.rows.count(tree), 0, "{tree:?}");
    }
    assert_eq!(bench.relay.stats().topics, 0);
    let mut again = Bench::open(RelayConfig::default(), bench.rows.clone(), bench.now_ms);
    let read = again.read_all(BOB, 1, cursor);
    assert!(read.void && read.envelopes.is_empty());
}

#[test]
fn a_watched_or_refilled_topic_is_not_forgotten() {
    let mut bench = Bench::new();
    bench.keep(&[envelope(1, HOUR, b"a"), envelope(2, HOUR, b"a")]);
    bench.watch(BOB, &[(1, None)]);
    bench.settle();
    bench.pass(u64::from(HOUR));
    bench.now_ms += u64::from(limits::CUSTODY_SECONDS) * 1000 - 1000;
    bench.keep(&[envelope(2, HOUR, b"b")]);

    bench.now_ms += 1000;
    bench.tick();

    assert_eq!(bench.rows.count(Tree::RelayTopics), 2);
    assert_eq!(bench.read_all(CAROL, 2, None).positions, [2]);
}

#[test]
fn a_long_run_of_stubs_is_trimmed_over_several_ticks_and_restarts() {
    let mut bench = Bench::new();
    bench.keep(&[envelope(1, 4 * HOUR, b"in front")]);
    bench.keep(&series(1, HOUR, 1500, 10));
    bench.keep(&[envelope(1, 20 * HOUR, b"behind")]);
    bench.pass(u64::from(HOUR));
    assert_eq!(bench.rows.count(Tree::RelayLog), 1502);
    assert_eq!(bench.read_all(BOB, 1, None).positions, [1, 1502]);

    bench.now_ms += 4 * u64::from(HOUR) * 1000;
    bench.input(RelayInput::Tick);
    bench.drain();
    bench.commit();
    assert!(bench.rows.count(Tree::RelayLog) > 1);
    let mut again = Bench::open(RelayConfig::default(), bench.rows.clone(), bench.now_ms);

    assert_eq!(again.rows.count(Tree::RelayLog), 1);
    again.tick();
    assert_eq!(again.rows.count(Tree::RelayExpiry), 1);
    assert_eq!(again.read_all(BOB, 1, None).positions, [1502]);
}

#[test]
fn expired_bytes_can_be_deposited_again() {
    let mut bench = Bench::new();
    let again = envelope(1, HOUR, b"x");
    bench.keep(std::slice::from_ref(&again));
    bench.pass(u64::from(HOUR));

    bench.keep(std::slice::from_ref(&again));

    assert_eq!(bench.read_all(BOB, 1, None).positions, [2]);
}

#[test]
fn what_is_being_removed_is_not_receipted() {
    let mut bench = Bench::new();
    let again = envelope(1, HOUR, b"x");
    bench.keep(std::slice::from_ref(&again));
    bench.now_ms += (u64::from(HOUR) + STRETCH_S) * 1000;

    bench.deposit(ALICE, 1, std::slice::from_ref(&again));
    bench.input(RelayInput::Tick);
    bench.drain();
    bench.deposit(BOB, 2, std::slice::from_ref(&again));
    bench.settle();

    for peer in [ALICE, BOB] {
        let receipt = bench.receipts(peer).remove(0);
        assert!(receipt.accepted.is_empty());
        assert_eq!(receipt.refused[0].why, Refusal::Busy);
        assert!(receipt.refused[0].retry_after_s > 0);
    }
}

#[test]
fn a_deposit_beside_an_expiry_that_is_in_flight_keeps_both() {
    let mut bench = Bench::new();
    bench.keep(&series(1, HOUR, 3, 10));
    bench.now_ms += (u64::from(HOUR) + STRETCH_S) * 1000;

    bench.deposit(ALICE, 1, &[envelope(1, HOUR, b"before")]);
    bench.input(RelayInput::Tick);
    bench.drain();
    bench.deposit(ALICE, 2, &[envelope(1, HOUR, b"after")]);
    bench.settle();

    assert_eq!(bench.read_all(BOB, 1, None).positions, [4, 5]);
    assert_eq!(bench.relay.stats().envelopes, 2);
    let mut again = Bench::open(RelayConfig::default(), bench.rows.clone(), bench.now_ms);
    assert_eq!(again.read_all(BOB, 1, None).positions, [4, 5]);
}

#[test]
fn deposits_are_answered_between_the_chunks_of_a_great_expiry() {
    const KEPT: u32 = 100_000;
    let mut bench = Bench::new();
    let pattern = envelope(1, HOUR, &[0; 8]).into_bytes();
    let numbered = |n: u32| {
        // Signatures aren't what this is about: a hundred thousand take long.
        let mut bytes = pattern.clone();
        bytes[2..6].copy_from_slice(&(n % 100).to_be_bytes());
        bytes[39..43].copy_from_slice(&n.to_be_bytes());
        Envelope::trusted(&bytes).unwrap()
    };
    for chunk in 0..KEPT / 250 {
        let envelopes = (0..250).map(|n| numbered(chunk * 250 + n)).collect();
        bench.deposit_verified(ALICE, 0, envelopes);
        bench.drain();
        bench.commit();
    }
    assert_eq!(bench.relay.stats().envelopes, u64::from(KEPT));
    bench.take(ALICE);

    bench.now_ms += (u64::from(HOUR) + STRETCH_S) * 1000;
    let mut turns = 0;
    while bench.relay.stats().expired < u64::from(KEPT) {
        bench.input(RelayInput::Tick);
        bench.deposit_verified(BOB, turns, vec![numbered(KEPT + turns as u32)]);
        bench.drain();
        assert!(bench.writes_in_flight() <= 3 * 512 + 64, "one turn's work is bounded");
        bench.commit();
        assert_eq!(bench.receipts(BOB)[0].accepted.len(), 1, "turn {turns}");
        turns += 1;
    }
    assert!(turns >= u64::from(KEPT) / 512);
    assert_eq!(bench.relay.stats().envelopes, turns);
}
