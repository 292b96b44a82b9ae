//! Reports of posts for the operator.

use super::*;
use crate::channel::{Act, Entry, Post, Signatory, Statement};
use crate::custody::{Reason, Report};

fn root() -> Signatory {
    Signatory::root(&topic(1))
}

fn entry(by: &Signatory, number: u64, act: Act) -> Envelope {
    let entry = Entry {
        number,
        previous: EnvelopeId([if number == 1 { 0 } else { 9 }; 32]),
        time_ms: START_MS,
        act,
        extensions: Vec::new(),
    };
    let body = Statement::Entry(Box::new(entry)).encode();
    Envelope::sign_as(by, limits::CHANNEL_SECONDS, &body).unwrap()
}

fn post(by: &Signatory, number: u64) -> Envelope {
    entry(by, number, Act::Post(Post::text("win a prize")))
}

fn edit(number: u64, of: &Envelope) -> Envelope {
    let act = Act::Edit {
        target: of.id(),
        post: Post::text("win two prizes"),
    };
    entry(&root(), number, act)
}

impl Bench {
    /// Why a report isn't kept, if it isn't.
    fn told_of(&mut self, peer: TransportKey, envelopes: &[&Envelope]) -> Option<Refusal> {
        let report = Report {
            request: 4,
            reason: Reason::Fraud,
            text: "they asked for my card".into(),
            envelopes: envelopes.iter().map(|envelope| envelope.bytes().to_vec()).collect(),
        };
        self.frame(peer, &ClientFrame::Report(report));
        self.settle();
        match self.take(peer).pop() {
            Some(CustodianFrame::Reported(reported)) => {
                assert_eq!(reported.request, 4);
                None
            }
            Some(CustodianFrame::WatchRefused { request: 4, why, .. }) => Some(why),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_post_of_a_channel_here_reaches_the_operator_with_its_signatures_and_no_name_of_who_reports() {
    let mut bench = Bench::new();
    let shown = post(&root(), 1);
    bench.deposit(ALICE, 1, std::slice::from_ref(&shown));
    bench.settle();
    bench.take(ALICE);
    assert_eq!(bench.told_of(BOB, &[&shown]), None);
    let edited = edit(2, &shown);
    assert_eq!(bench.told_of(BOB, &[&shown, &edited]), None);
    assert_eq!(bench.told_of(CAROL, &[&shown]), None);
    assert_eq!(bench.relay.stats().reports, 3);
    let marks: Vec<u64> = bench.reports.iter().map(|report| report.mark).collect();
    assert!(marks[0] == marks[1] && marks[0] != marks[2], "each counts once");
    let report = &bench.reports[1];
    assert_eq!((report.post, report.reason), (shown.id(), Reason::Fraud));
    assert_eq!(report.text, "they asked for my card");
    let envelopes = report.envelopes.iter();
    let ids: Vec<EnvelopeId> = envelopes.map(|bytes| Envelope::verify(bytes).unwrap().id()).collect();
    assert_eq!(ids, [shown.id(), edited.id()]);
    // The same peer has another mark at another post.
    let other = post(&root(), 3);
    assert_eq!(bench.told_of(BOB, &[&other]), None);
    assert_ne!(bench.reports[3].mark, marks[0]);

    bench.refuses_reports = Some(Refusal::ReadOnly);
    assert_eq!(bench.told_of(BOB, &[&shown]), Some(Refusal::ReadOnly));
}

#[test]
fn f20_what_no_channel_here_has_signed_as_a_post_is_refused() {
    let mut bench = Bench::new();
    let shown = post(&root(), 1);
    assert_eq!(
        bench.told_of(BOB, &[&shown]),
        Some(Refusal::NotFound),
        "nothing is kept"
    );
    bench.deposit(ALICE, 1, std::slice::from_ref(&shown));
    bench.settle();
    bench.take(ALICE);
    let elsewhere = post(&Signatory::root(&topic(2)), 1);
    assert_eq!(bench.told_of(BOB, &[&elsewhere]), Some(Refusal::NotFound));
    assert!(bench.penalised.is_empty());
    let of_other = edit(2, &elsewhere);
    let chat = envelope(1, 60, b"a chat's");
    let wrong: [&[&Envelope]; 5] = [
        &[],
        &[&edit(2, &shown)],
        &[&shown, &of_other],
        &[&shown, &shown],
        &[&chat],
    ];
    for (envelopes, penalised) in wrong.iter().zip(1..) {
        assert_eq!(bench.told_of(BOB, envelopes), Some(Refusal::Invalid));
        assert_eq!(bench.penalised.len(), penalised);
    }
    assert!(bench.reports.is_empty());
}

#[test]
fn f21_one_peer_reports_so_much_a_day() {
    let mut bench = Bench::new();
    let shown = post(&root(), 1);
    bench.deposit(ALICE, 1, std::slice::from_ref(&shown));
    bench.settle();
    bench.take(ALICE);
    for _ in 0..limits::REPORTS_A_DAY {
        assert_eq!(bench.told_of(BOB, &[&shown]), None);
    }
    assert_eq!(bench.told_of(BOB, &[&shown]), Some(Refusal::DepositorQuota));
    bench.input(RelayInput::Disconnected { peer: BOB });
    bench.input(RelayInput::Connected { peer: BOB });
    assert_eq!(
        bench.told_of(BOB, &[&shown]),
        Some(Refusal::DepositorQuota),
        "it comes again"
    );
    assert_eq!(bench.told_of(CAROL, &[&shown]), None);
    bench.wait(DAY_MS / 1000);
    assert_eq!(bench.told_of(BOB, &[&shown]), None);
}
