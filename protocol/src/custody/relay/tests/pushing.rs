//! Watching: pages, cursors, back-pressure, fairness.

use super::*;

#[test]
fn two_watchers_are_each_pushed_what_arrives() {
    let mut bench = Bench::new();
    bench.watch(BOB, &[(1, None)]);
    bench.watch(CAROL, &[(1, None)]);
    bench.settle();

    for peer in [BOB, CAROL] {
        let pages = bench.pages(peer);
        assert_eq!(pages.len(), 1, "one empty page says that there is nothing");
        assert!(pages[0].items.is_empty() && pages[0].caught_up && !pages[0].void);
    }
    let sent = series(1, 60, 3, 10);
    for one in &sent {
        bench.deposit(ALICE, 0, std::slice::from_ref(one));
        bench.settle();
    }
    for peer in [BOB, CAROL] {
        let pages = bench.pages(peer);
        assert!(pages.iter().all(|page| page.caught_up));
        let items: Vec<_> = pages
            .into_iter()
            .flat_map(|page| page.items)
            .map(|item| item.envelope)
            .collect();
        assert_eq!(items, bytes_of(&sent));
    }
}

#[test]
fn an_unwatched_topic_and_a_gone_peer_are_pushed_nothing() {
    let mut bench = Bench::new();
    bench.watch(BOB, &[(1, None), (2, None)]);
    bench.watch(CAROL, &[(1, None)]);
    bench.settle();
    bench.take(BOB);
    bench.take(CAROL);

    bench.frame(BOB, &ClientFrame::Unwatch(vec![topic(1).public()]));
    bench.input(RelayInput::Disconnected { peer: CAROL });
    bench.keep(&[envelope(1, 60, b"one"), envelope(2, 60, b"two")]);

    assert!(bench.take(CAROL).is_empty());
    let pages = bench.pages(BOB);
    assert_eq!(pages.len(), 1);
    assert_eq!(pages[0].topic, topic(2).public());
    assert_eq!(bench.relay.stats().watches, 1);
}

#[test]
fn a_backlog_comes_in_bounded_pages_and_a_cursor_resumes_after_it() {
    let mut bench = Bench::new();
    let sent = series(1, 600, 1000, 1000);
    bench.keep(&sent);

    let read = bench.read_all(BOB, 1, None);

    assert_eq!(read.envelopes, bytes_of(&sent));
    assert!(read.pages >= 4);
    let more = series(1, 600, 1003, 1000)[1000..].to_vec();
    bench.keep(&more);
    let rest = bench.read_all(BOB, 1, read.cursor);
    assert!(!rest.void);
    assert_eq!(rest.envelopes, bytes_of(&more));
    let none = bench.read_all(BOB, 1, rest.cursor);
    assert!(none.envelopes.is_empty() && !none.void);
    assert_eq!(none.pages, 1, "an empty page says that the cursor is good");
    assert_eq!(none.cursor, rest.cursor);
}

#[test]
fn a_cursor_in_the_middle_resumes_there() {
    let mut bench = Bench::new();
    let sent = series(1, 600, 600, 1000);
    bench.keep(&sent);
    bench.watch(BOB, &[(1, None)]);
    bench.settle();
    let first = bench.pages(BOB).remove(0);
    assert!(!first.caught_up);

    let rest = bench.read_all(CAROL, 1, Some(first.cursor));

    assert!(!rest.void);
    assert_eq!(rest.envelopes, bytes_of(&sent[first.items.len()..]));
}

#[test]
fn a_watcher_that_never_acknowledges_gets_at_most_its_window() {
    let mut bench = Bench::new();
    bench.keep(&series(1, 600, 300, 10_000));

    bench.watch(BOB, &[(1, None)]);
    bench.settle();
    for chunk in series(1, 600, 550, 10_000)[300..].chunks(64) {
        bench.deposit(ALICE, 0, chunk);
        bench.settle();
    }

    let pages = bench.pages(BOB);
    let size = |page: &Items| page.items.iter().map(|item| item.envelope.len() as u64).sum::<u64>();
    let got: u64 = pages.iter().map(size).sum();
    assert!(got <= limits::PUSH_WINDOW_BYTES);
    assert!(got > limits::PUSH_WINDOW_BYTES - 20_000);
    assert!(pages.iter().all(|page| size(page) <= limits::PAGE_BYTES as u64));

    bench.frame(BOB, &ClientFrame::Ack { bytes: 50_000 });
    bench.settle();
    let after: u64 = bench.pages(BOB).iter().map(size).sum();
    assert!(after > 0 && got + after <= limits::PUSH_WINDOW_BYTES + 50_000);
}

#[test]
fn an_acknowledgement_of_more_than_was_sent_opens_the_window_no_wider() {
    let mut bench = Bench::new();
    for some in series(1, 600, 500, 10_000).chunks(64) {
        bench.keep(some);
    }
    bench.watch(BOB, &[(1, None)]);
    bench.settle();
    bench.take(BOB);

    bench.frame(BOB, &ClientFrame::Ack { bytes: u64::MAX });
    bench.settle();

    let items: Vec<_> = bench.pages(BOB).into_iter().flat_map(|page| page.items).collect();
    assert!(!items.is_empty());
    assert!(items.iter().map(|item| item.envelope.len() as u64).sum::<u64>() <= limits::PUSH_WINDOW_BYTES);
}

#[test]
fn the_topics_of_a_watch_are_served_in_turn() {
    let mut bench = Bench::new();
    bench.keep(&series(1, 600, 400, 10_000));
    bench.keep(&series(2, 600, 1, 10));

    bench.watch(BOB, &[(1, None), (2, None)]);
    bench.settle();

    let order: Vec<_> = bench.pages(BOB).iter().map(|page| page.topic).collect();
    assert_eq!(order[..2], [topic(1).public(), topic(2).public()]);
}

#[test]
fn a_thousand_watchers_are_all_served_although_one_input_has_a_bounded_share() {
    let mut bench = Bench::new();
    bench.keep(&series(1, 600, 4, 60_000));
    let watchers: Vec<_> = (0..1000_u16)
        .map(|n| {
            let mut key = [7; 32];
            key[..2].copy_from_slice(&n.to_be_bytes());
            TransportKey(key)
        })
        .collect();

    for peer in &watchers {
        bench.input(RelayInput::Connected { peer: *peer });
        bench.watch(*peer, &[(1, None)]);
    }
    bench.settle();
    for peer in &watchers {
        assert_eq!(bench.pages(*peer)[0].items.len(), 4);
    }
    bench.deposit(ALICE, 0, &[envelope(1, 60, b"news")]);
    bench.drain();
    bench.commit();
    bench.settle();

    for peer in watchers {
        assert_eq!(bench.pages(peer).len(), 1);
    }
}

#[test]
fn a_watch_over_the_bound_is_refused_whole() {
    let mut bench = Bench::with(RelayConfig {
        watches_per_peer: 2,
        watches: 3,
        ..RelayConfig::default()
    });
    let refused = |bench: &mut Bench, peer| {
        bench.settle();
        let frames = bench.take(peer);
        frames.iter().any(|frame| matches!(frame, CustodianFrame::WatchRefused { request: 77, why: Refusal::Busy, retry_after_s } if *retry_after_s > 0))
    };

    bench.watch(BOB, &[(1, None), (2, None), (1, None)]);
    assert!(!refused(&mut bench, BOB), "a topic named twice counts once");
    bench.watch(BOB, &[(2, None), (3, None)]);
    assert!(refused(&mut bench, BOB), "over the peer's bound");
    bench.watch(CAROL, &[(4, None), (5, None)]);
    assert!(refused(&mut bench, CAROL), "over the bound of all peers");
    bench.watch(CAROL, &[(4, None)]);
    assert!(!refused(&mut bench, CAROL));
    assert_eq!(bench.relay.stats().watches, 3);
}

#[test]
fn watching_again_begins_again_from_the_new_cursor() {
    let mut bench = Bench::new();
    let sent = series(1, 600, 3, 10);
    bench.keep(&sent);
    bench.watch(BOB, &[(1, None)]);
    bench.settle();
    bench.take(BOB);

    bench.watch(BOB, &[(1, None)]);
    bench.settle();

    let pages = bench.pages(BOB);
    assert_eq!(pages.len(), 1);
    assert_eq!(pages[0].items.len(), 3);
}

#[test]
fn topics_that_nobody_needs_leave_memory() {
    let mut bench = Bench::with(RelayConfig {
        cached_topics: 16,
        ..RelayConfig::default()
    });
    bench.watch(BOB, &[(1, None)]);
    bench.settle();
    bench.take(BOB);

    for n in 0..200 {
        bench.keep(&[envelope(n, 600, b"x")]);
    }

    assert!(
        bench.relay.topics.len() <= 32,
        "{} topics in memory",
        bench.relay.topics.len()
    );
    assert_eq!(bench.pages(BOB).len(), 1, "a watched topic stays");
    bench.keep(&[envelope(7, 600, b"y")]);
    assert_eq!(
        bench.read_all(CAROL, 7, None).positions,
        [1, 2],
        "one that left is read again"
    );
}
