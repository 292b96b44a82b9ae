//! Who may use the relay.

use super::*;

const OPERATOR: &[u8] = b"madang-token-0123456789abcdef";

fn token(text: &[u8]) -> AdmissionToken {
    AdmissionToken::new(text).unwrap()
}

fn by_token() -> Bench {
    let mut bench = Bench::new();
    bench.relay.set_door(Door::Tokens([token(OPERATOR).hash()].into()));
    bench
}

fn hello(bench: &mut Bench, peer: TransportKey, text: &[u8]) -> Option<Refusal> {
    bench.frame(peer, &ClientFrame::Hello(token(text)));
    bench.settle();
    let frames = bench.take(peer);
    let found = frames.iter().find_map(|frame| match frame {
        CustodianFrame::Admission { why, .. } => Some(*why),
        _ => None,
    });
    found.expect("each hello is answered")
}

fn refused(bench: &mut Bench, peer: TransportKey) -> Option<Refusal> {
    bench.settle();
    let receipt = bench.receipts(peer).remove(0);
    receipt.refused.first().map(|refused| refused.why)
}

#[test]
fn a_guest_may_use_only_what_a_user_hosts() {
    let mut bench = by_token();
    bench.deposit(BOB, 1, &[envelope(1, 600, b"early")]);
    assert_eq!(refused(&mut bench, BOB), Some(Refusal::NotAdmitted));

    assert_eq!(hello(&mut bench, ALICE, OPERATOR), None);
    bench.watch(ALICE, &[(1, None)]);
    bench.deposit(BOB, 2, &[envelope(1, 600, b"to alice")]);
    assert_eq!(refused(&mut bench, BOB), None);
    bench.deposit(BOB, 3, &[envelope(2, 600, b"elsewhere")]);
    assert_eq!(refused(&mut bench, BOB), Some(Refusal::NotAdmitted));
    assert_eq!(bench.relay.guests(), 2);

    let mut again = Bench::open(RelayConfig::default(), bench.rows.clone(), bench.now_ms);
    again.relay.set_door(Door::Tokens([token(OPERATOR).hash()].into()));
    again.deposit(BOB, 4, &[envelope(1, 600, b"while alice is away")]);
    assert_eq!(refused(&mut again, BOB), None, "hosted over a restart");
}

#[test]
fn a_guest_reads_what_a_user_deposited_and_is_told_once_that_it_is_one() {
    let mut bench = by_token();
    bench.watch(BOB, &[(1, None)]);
    bench.watch(BOB, &[(2, None)]);
    bench.settle();
    let told = |frames: &[CustodianFrame]| {
        let is = |frame: &&CustodianFrame| {
            matches!(
                frame,
                CustodianFrame::Admission {
                    why: Some(Refusal::NotAdmitted),
                    ..
                }
            )
        };
        frames.iter().filter(is).count()
    };
    assert_eq!(told(&bench.take(BOB)), 1);

    hello(&mut bench, ALICE, OPERATOR);
    bench.keep(&[envelope(1, 600, b"a card")]);

    assert_eq!(bench.pages(BOB).iter().map(|page| page.items.len()).sum::<usize>(), 1);
}

#[test]
fn a_wrong_token_admits_nobody_and_a_revoked_one_no_longer() {
    let mut bench = by_token();
    assert_eq!(hello(&mut bench, BOB, b"guessed"), Some(Refusal::NotAdmitted));
    bench.deposit(BOB, 1, &[envelope(1, 600, b"x")]);
    assert_eq!(refused(&mut bench, BOB), Some(Refusal::NotAdmitted));

    assert_eq!(hello(&mut bench, ALICE, OPERATOR), None);
    bench.deposit(ALICE, 2, &[envelope(1, 600, b"x")]);
    assert_eq!(refused(&mut bench, ALICE), None);
    bench.relay.set_door(Door::Tokens(BTreeSet::new()));
    bench.deposit(ALICE, 3, &[envelope(2, 600, b"x")]);
    assert_eq!(refused(&mut bench, ALICE), Some(Refusal::NotAdmitted));
    let stats = bench.relay.stats();
    assert_eq!((stats.admitted, stats.not_admitted), (1, 1));
}

#[test]
fn a_guest_whose_token_is_made_later_is_told() {
    let mut bench = by_token();
    assert_eq!(hello(&mut bench, BOB, b"made later"), Some(Refusal::NotAdmitted));
    bench.relay.set_door(Door::Tokens([token(b"made later").hash()].into()));
    bench.settle();
    let told = bench.take(BOB);
    assert!(
        told.contains(&CustodianFrame::Admission {
            why: None,
            retry_after_s: 0
        }),
        "{told:?}"
    );
    // Once.
    bench.relay.set_door(Door::Tokens([token(b"made later").hash()].into()));
    bench.settle();
    assert!(bench.take(BOB).is_empty());
}

#[test]
fn what_was_watched_before_the_hello_is_hosted_with_it() {
    let mut bench = by_token();
    bench.watch(ALICE, &[(1, None)]);
    bench.settle();
    bench.take(ALICE);
    hello(&mut bench, ALICE, OPERATOR);

    bench.deposit(BOB, 1, &[envelope(1, 600, b"x")]);

    assert_eq!(refused(&mut bench, BOB), None);
}

#[test]
fn a_list_admits_by_transport_key_and_an_open_relay_everybody() {
    let mut bench = Bench::new();
    bench.relay.set_door(Door::Peers([ALICE].into()));
    for (peer, expected) in [(ALICE, None), (BOB, Some(Refusal::NotAdmitted))] {
        bench.deposit(peer, 1, &[envelope(peer.0[0], 600, b"x")]);
        assert_eq!(refused(&mut bench, peer), expected);
    }
    bench.relay.set_door(Door::Open);
    bench.deposit(BOB, 1, &[envelope(9, 600, b"x")]);
    assert_eq!(refused(&mut bench, BOB), None);
}

#[test]
fn f21_a_guest_watches_little() {
    let mut bench = Bench::with(RelayConfig {
        watches_per_guest: 1,
        ..RelayConfig::default()
    });
    bench.relay.set_door(Door::Peers([ALICE].into()));
    bench.watch(ALICE, &[(1, None), (2, None)]);
    bench.watch(BOB, &[(1, None), (2, None)]);
    bench.settle();
    let refusal = |frame: &CustodianFrame| match frame {
        CustodianFrame::WatchRefused { why, .. } => Some(*why),
        _ => None,
    };
    assert_eq!(bench.take(BOB).iter().find_map(refusal), Some(Refusal::NotAdmitted));
    assert_eq!(bench.take(ALICE).iter().find_map(refusal), None);
}

#[test]
fn a_hosted_topic_is_remembered_while_its_user_comes_now_and_then() {
    let mut bench = by_token();
    let month = u64::from(limits::CUSTODY_SECONDS);
    hello(&mut bench, ALICE, OPERATOR);
    bench.watch(ALICE, &[(1, None)]);
    bench.settle();
    bench.input(RelayInput::Disconnected { peer: ALICE });
    bench.pass(month / 2);
    bench.input(RelayInput::Connected { peer: ALICE });
    hello(&mut bench, ALICE, OPERATOR);
    bench.watch(ALICE, &[(1, None)]);
    bench.input(RelayInput::Disconnected { peer: ALICE });
    bench.pass(month * 2 / 3);
    assert_eq!(bench.relay.stats().topics, 1);
    bench.pass(2 * month);
    assert_eq!(bench.relay.stats().topics, 0);
    assert_eq!(bench.rows.count(Tree::RelayExpiry), 0);
}
