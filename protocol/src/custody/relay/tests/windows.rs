//! Windows of the log compared with what a peer has.

use super::*;
use crate::custody::{Answer, Ask, Elements, KeyedId, Next, Reconcile, Reconciled, Session, SessionKey, Window};
use crate::keys::EnvelopeId;

const KEY: SessionKey = SessionKey([3; 32]);
const HOUR_S: u64 = 3600;

fn start_s() -> u64 {
    START_MS / 1000
}

/// The hour in which the bench begins.
fn first_hour() -> Window {
    Window {
        from_s: start_s() - 60,
        to_s: start_s() + HOUR_S,
    }
}

impl Bench {
    fn ask(&mut self, peer: TransportKey, topic_n: u8, window: Window, key: SessionKey, ask: Ask) -> Answer {
        self.take(peer);
        let question = Reconcile {
            request: 5,
            topic: topic(topic_n).public(),
            window,
            key,
            ask,
        };
        self.frame(peer, &ClientFrame::Reconcile(question));
        self.settle();
        let mut answers = self.take(peer).into_iter().filter_map(|frame| match frame {
            CustodianFrame::Reconciled(Reconciled { request: 5, answer }) => Some(answer),
            _ => None,
        });
        answers.next_back().unwrap()
    }

    fn refusal(&mut self, peer: TransportKey, topic_n: u8, window: Window, ask: Ask) -> (Refusal, u32) {
        match self.ask(peer, topic_n, window, KEY, ask) {
            Answer::Refused { why, retry_after_s } => (why, retry_after_s),
            other => panic!("{other:?}"),
        }
    }

    fn listed(&mut self, topic_n: u8, window: Window) -> Vec<EnvelopeId> {
        match self.ask(ALICE, topic_n, window, KEY, Ask::List) {
            Answer::Listed(ids) => ids,
            other => panic!("{other:?}"),
        }
    }

    /// A whole session of Bob's, who has these: what the relay lacks, what Bob lacks.
    fn compare(&mut self, topic_n: u8, window: Window, ids: &[EnvelopeId]) -> (Vec<EnvelopeId>, Vec<KeyedId>) {
        let ours = Elements::new(&KEY, ids.iter().map(|id| (*id, *id))).unwrap();
        let (mut session, mut message) = Session::begin(ours).unwrap();
        loop {
            let Answer::Compared(answer) = self.ask(BOB, topic_n, window, KEY, Ask::Compare(message)) else {
                panic!("no answer to a comparison");
            };
            match session.take(&answer).unwrap() {
                Next::Compare(next) => message = next,
                Next::Done => break,
                Next::List => panic!("an honest relay ends"),
            }
        }
        (
            session.lacked().map(|(_, id)| *id).collect(),
            session.missing().collect(),
        )
    }
}

fn ids(envelopes: &[Envelope]) -> Vec<EnvelopeId> {
    let mut ids: Vec<_> = envelopes.iter().map(Envelope::id).collect();
    ids.sort();
    ids
}

fn sorted(mut ids: Vec<EnvelopeId>) -> Vec<EnvelopeId> {
    ids.sort();
    ids
}

/// A relay that took ten envelopes of mixed lives in each of three hours, looked at on the next day.
fn three_hours() -> (Bench, Vec<Envelope>) {
    let mut bench = Bench::new();
    let mut all = Vec::new();
    for hour in 0..3u8 {
        let batch: Vec<Envelope> = (0..10u8)
            .map(|n| envelope(1, (2 + u32::from(n) % 3) * 86_400, &[hour, n]))
            .collect();
        assert_eq!(bench.keep(&batch), 10);
        all.extend(batch);
        bench.wait(HOUR_S);
    }
    bench.wait(2 * HOUR_S);
    (bench, all)
}

#[test]
fn a_window_has_what_was_taken_in_it_and_slack() {
    let (mut bench, all) = three_hours();
    assert_eq!(
        sorted(bench.listed(1, first_hour())),
        ids(&all[..20]),
        "the next hour's are within the slack"
    );
    let middle = Window {
        from_s: start_s() + HOUR_S / 2,
        to_s: start_s() + 3 * HOUR_S / 2,
    };
    assert_eq!(sorted(bench.listed(1, middle)), ids(&all[10..20]));
    let whole = Window {
        from_s: 0,
        to_s: start_s() + 4 * HOUR_S,
    };
    assert_eq!(sorted(bench.listed(1, whole)), ids(&all));
    assert_eq!(bench.refusal(ALICE, 2, whole, Ask::List), (Refusal::NotHere, 0));
    bench.watch(ALICE, &[(2, None)]);
    bench.settle();
    assert!(
        bench.listed(2, whole).is_empty(),
        "nothing is kept of a topic that is only watched"
    );
}

#[test]
fn what_has_expired_is_in_no_window() {
    let (mut bench, all) = three_hours();
    bench.wait(2 * 86_400);
    let left: Vec<Envelope> = all
        .iter()
        .filter(|envelope| envelope.ttl_s() > 2 * 86_400)
        .cloned()
        .collect();
    let whole = Window {
        from_s: 0,
        to_s: start_s() + 4 * HOUR_S,
    };
    assert_eq!(sorted(bench.listed(1, whole)), ids(&left));
}

#[test]
fn the_difference_is_found_fetched_and_the_rest_is_deposited() {
    let (mut bench, all) = three_hours();
    let foreign = [envelope(1, 86_400, b"not here"), envelope(1, 86_400, b"neither")];
    let mut known = ids(&all[3..10]);
    known.extend(ids(&foreign));
    let window = Window {
        to_s: start_s() + HOUR_S / 2,
        ..first_hour()
    };
    let (lacked, missing) = bench.compare(1, window, &known);
    assert_eq!(sorted(lacked), ids(&foreign));
    assert_eq!(missing.len(), 3);
    let Answer::Fetched(envelopes) = bench.ask(BOB, 1, window, KEY, Ask::Fetch(missing)) else {
        panic!("nothing was fetched");
    };
    let fetched: Vec<Envelope> = envelopes.iter().map(|bytes| Envelope::verify(bytes).unwrap()).collect();
    assert_eq!(ids(&fetched), ids(&all[..3]));
    assert_eq!(bench.keep(&foreign), 2);
}

#[test]
fn what_is_fetched_counts_for_the_readers_window() {
    let mut bench = Bench::new();
    let large = series(1, 86_400, 64, 30_000);
    for some in large.chunks(16) {
        assert_eq!(bench.keep(some), 16);
    }
    bench.wait(2 * HOUR_S);
    let ask = Ask::Fetch(large.iter().map(|envelope| KeyedId::of(&KEY, &envelope.id())).collect());
    let mut bytes = 0;
    let refused = loop {
        match bench.ask(BOB, 1, first_hour(), KEY, ask.clone()) {
            Answer::Fetched(envelopes) => {
                let page: usize = envelopes.iter().map(Vec::len).sum();
                assert!(page <= limits::PAGE_BYTES);
                bytes += page as u64;
            }
            Answer::Refused { why, retry_after_s } => break (why, retry_after_s),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused, (Refusal::Busy, 1));
    assert!(bytes <= limits::PUSH_WINDOW_BYTES && bytes + 31_000 > limits::PUSH_WINDOW_BYTES);
    bench.frame(BOB, &ClientFrame::Ack { bytes });
    assert!(matches!(bench.ask(BOB, 1, first_hour(), KEY, ask), Answer::Fetched(_)));
}

#[test]
fn a_window_that_is_not_closed_is_refused_until_it_is() {
    let mut bench = Bench::new();
    bench.keep(&[envelope(1, 86_400, b"new")]);
    let now_s = bench.now_ms / 1000;
    let window = Window {
        from_s: now_s - 100,
        to_s: now_s + 10,
    };
    assert_eq!(bench.refusal(ALICE, 1, window, Ask::List), (Refusal::Busy, 310));
    bench.wait(310);
    assert_eq!(bench.listed(1, window).len(), 1);
}

#[test]
fn a_window_with_too_much_is_refused_and_its_halves_are_not() {
    let mut bench = Bench::new();
    let most = limits::RECONCILE_ELEMENTS;
    for (part, time) in [(0, 0), (1, HOUR_S)] {
        bench.wait(time);
        let some: Vec<Envelope> = (0..most as u32 / 2 + 1)
            .map(|n| envelope(1, 86_400, &[[part].as_slice(), &n.to_be_bytes()].concat()))
            .collect();
        for chunk in some.chunks(256) {
            bench.deposit_verified(ALICE, 0, chunk.to_vec());
            bench.settle();
        }
    }
    bench.wait(HOUR_S);
    let whole = Window {
        from_s: start_s() - 600,
        to_s: start_s() + HOUR_S + 600,
    };
    assert_eq!(bench.refusal(ALICE, 1, whole, Ask::List), (Refusal::TooLarge, 0));
    let (first, second) = whole.halves().unwrap();
    assert_eq!(bench.listed(1, first).len(), most / 2 + 1);
    assert_eq!(bench.listed(1, second).len(), most / 2 + 1);
}

#[test]
fn f20_hostile_questions_are_refused_and_cost_their_peer() {
    let (mut bench, _) = three_hours();
    let backwards = Window {
        from_s: start_s(),
        to_s: start_s(),
    };
    assert_eq!(bench.refusal(CAROL, 1, backwards, Ask::List).0, Refusal::Invalid);
    let junk = Ask::Compare(vec![0x61, 0, 0, 9]);
    assert_eq!(bench.refusal(CAROL, 1, first_hour(), junk).0, Refusal::Invalid);
    assert_eq!(bench.penalised.len(), 2);
    let strange = bench.refusal(CAROL, 1, first_hour(), Ask::Fetch(vec![KeyedId([9; 32])]));
    assert_eq!(strange.0, Refusal::NotFound);
}

#[test]
fn f21_a_peer_that_asks_without_end_is_told_to_wait_and_others_are_served() {
    let (mut bench, all) = three_hours();
    let (mut asked, mut refused) = (0, None);
    while refused.is_none() && asked < 2_000 {
        asked += 1;
        let key = SessionKey(
            [[asked as u8; 16], [(asked >> 8) as u8; 16]]
                .concat()
                .try_into()
                .unwrap(),
        );
        if let Answer::Refused { why, retry_after_s } = bench.ask(CAROL, 1, first_hour(), key, Ask::List) {
            refused = Some((why, retry_after_s));
        }
    }
    let (why, retry_after_s) = refused.expect("a bound of work");
    assert_eq!(why, Refusal::Busy);
    assert!((1..=60).contains(&retry_after_s));
    assert_eq!(
        bench.listed(1, first_hour()).len(),
        ids(&all[..20]).len(),
        "others have their own share"
    );
    bench.wait(u64::from(retry_after_s));
    assert!(matches!(
        bench.ask(CAROL, 1, first_hour(), KEY, Ask::List),
        Answer::Listed(_)
    ));
}

#[test]
fn guests_compare_only_hosted_topics() {
    let (mut bench, _) = three_hours();
    bench.relay.set_door(Door::Peers([ALICE].into()));
    assert_eq!(bench.refusal(BOB, 1, first_hour(), Ask::List).0, Refusal::NotAdmitted);
    bench.watch(ALICE, &[(1, None)]);
    bench.settle();
    assert!(matches!(
        bench.ask(BOB, 1, first_hour(), KEY, Ask::List),
        Answer::Listed(_)
    ));
}

#[test]
fn f30_a_damaged_row_is_passed_over_and_offered_again() {
    let (mut bench, all) = three_hours();
    let number = crate::custody::relay::stored::TopicRow::decode(
        &bench
            .rows
            .get(Tree::RelayTopics, topic(1).public().as_bytes())
            .unwrap()
            .unwrap(),
    )
    .unwrap()
    .number;
    let mut batch = crate::rows::Batch::default();
    batch.put(Tree::RelayLog, stored::log_key(number, 4), vec![1, 2, 3]);
    bench.rows.apply(&batch);
    let window = Window {
        to_s: start_s() + HOUR_S / 2,
        ..first_hour()
    };
    let (lacked, missing) = bench.compare(1, window, &ids(&all[..10]));
    assert_eq!((lacked, missing), (vec![all[3].id()], vec![]));
    assert_eq!(bench.keep(&all[3..4]), 1, "it is taken anew");
}
