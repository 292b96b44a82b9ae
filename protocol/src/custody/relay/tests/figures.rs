//! Figures of channels.

use super::*;
use crate::address::PeerAddress;
use crate::channel::{
    Act, Beacon, Entry, Inquiry, Manifest, Policy, Post, Revocation, Scopes, Signatory, Statement, WriterCertificate,
};
use crate::custody::{AskFigures, Figures, History};
use crate::keys::WriterSecret;

fn root() -> Signatory {
    Signatory::root(&topic(1))
}

/// Somebody whom a root certified.
fn certified(by: &Signatory, n: u8, scopes: Scopes) -> Signatory {
    let secret = WriterSecret::from_bytes([n; 32]);
    let certificate = WriterCertificate {
        channel: by.channel,
        writer: secret.public(),
        scopes,
        categories: Vec::new(),
        from_s: START_MS / 1000 - 10,
        until_s: START_MS / 1000 + 30 * DAY_MS / 1000,
        extensions: Vec::new(),
        signature: [0; 64],
    };
    let chain = by.chain.iter().cloned().chain([certificate.signed(&by.secret)]);
    Signatory {
        channel: by.channel,
        secret,
        chain: chain.collect(),
    }
}

fn entry(number: u64) -> Envelope {
    let entry = Entry {
        number,
        previous: EnvelopeId([0; 32]),
        time_ms: START_MS,
        act: Act::Post(Post::text("hello")),
        extensions: Vec::new(),
    };
    let body = Statement::Entry(Box::new(entry)).encode();
    Envelope::sign_as(&root(), limits::CHANNEL_SECONDS, &body).unwrap()
}

fn beacon(by: &Signatory, number: u64, revoked: &[&Signatory]) -> Envelope {
    let manifest = Manifest {
        number: 1,
        name: "Shop".into(),
        description: String::new(),
        picture: None,
        links: Vec::new(),
        categories: Vec::new(),
        inbox: String::new(),
        relays: vec![PeerAddress {
            key: relay_key().public(),
            addrs: Vec::new(),
        }],
        domain: String::new(),
        policy: Policy::default(),
        recovery: None,
        extensions: Vec::new(),
    };
    let mut revocations: Vec<Revocation> = revoked
        .iter()
        .map(|revoked| Revocation {
            writer: revoked.secret.public(),
            last: 0,
            id: EnvelopeId([0; 32]),
        })
        .collect();
    revocations.sort_by_key(|revoked| revoked.writer);
    let beacon = Beacon {
        number,
        time_ms: START_MS,
        period_s: 60,
        manifest,
        heads: Vec::new(),
        revocations,
        extensions: Vec::new(),
    };
    let body = Statement::Beacon(Box::new(beacon)).encode();
    Envelope::sign_as(by, limits::CHANNEL_SECONDS, &body).unwrap()
}

fn peer(n: u8) -> TransportKey {
    TransportKey([n; 32])
}

impl Bench {
    /// So many peers watch the channel from its beginning.
    fn crowd(&mut self, peers: std::ops::Range<u8>) {
        for n in peers {
            self.input(RelayInput::Connected { peer: peer(n) });
            self.watch(peer(n), &[(1, None)]);
            self.settle();
        }
    }

    fn told_with(&mut self, inquiry: &Inquiry, post: Option<EnvelopeId>) -> Result<Figures, Refusal> {
        let ask = AskFigures {
            request: 9,
            inquiry: inquiry.encode(),
            post,
        };
        self.frame(ALICE, &ClientFrame::AskFigures(ask));
        self.settle();
        match self.take(ALICE).pop() {
            Some(CustodianFrame::Figures(figures)) => {
                assert_eq!(figures.request, 9);
                Ok(figures)
            }
            Some(CustodianFrame::WatchRefused { request: 9, why, .. }) => Err(why),
            other => panic!("{other:?}"),
        }
    }

    fn told(&mut self, by: &Signatory, post: Option<EnvelopeId>) -> Result<Figures, Refusal> {
        let until_s = self.now_ms / 1000 + limits::FIGURES_SECONDS;
        self.told_with(&Inquiry::sign(by, relay_key().public(), ALICE, until_s), post)
    }

    /// Watchers, and to how many a post was handed.
    fn figures(&mut self, post: &Envelope) -> (u32, Option<u32>) {
        let figures = self.told(&root(), Some(post.id())).unwrap();
        (figures.watchers, figures.handed.map(|handed| handed.peers))
    }
}

#[test]
fn who_has_a_channel_is_told_tens_of_watchers_and_of_whom_a_post_was_handed_to() {
    let mut bench = Bench::new();
    let (first, second) = (entry(1), entry(2));
    bench.deposit(ALICE, 1, &[first.clone(), beacon(&root(), 1, &[])]);
    bench.settle();
    bench.crowd(0..19);
    assert_eq!(bench.figures(&first), (0, Some(0)), "nineteen are fewer than 20");
    bench.crowd(19..27);
    assert_eq!(bench.figures(&first), (0, Some(0)), "the same for an hour");
    bench.deposit(ALICE, 2, std::slice::from_ref(&second));
    bench.settle();
    assert_eq!(bench.figures(&second), (0, Some(20)), "of another post");

    // Who comes again, or reads back what it had, is the same.
    for n in 0..10 {
        bench.input(RelayInput::Disconnected { peer: peer(n) });
    }
    bench.crowd(0..5);
    let history = History {
        request: 3,
        topic: topic(1).public(),
        before: 0,
        count: 9,
    };
    for peer in [peer(20), BOB, CAROL] {
        bench.frame(peer, &ClientFrame::History(history));
    }
    bench.wait(limits::FIGURES_SECONDS);
    assert_eq!(
        bench.figures(&first),
        (20, Some(20)),
        "22 watch; 27 and two more had it"
    );
    bench.crowd(30..31);
    bench.wait(limits::FIGURES_SECONDS);
    assert_eq!(bench.figures(&first), (20, Some(30)));
    assert_eq!(bench.relay.stats().figures, 5);

    // What it counted is gone with its memory, and it says so.
    let before_s = bench.now_ms / 1000;
    let mut bench = Bench::open(RelayConfig::default(), bench.rows, bench.now_ms);
    assert_eq!(bench.told(&root(), Some(first.id())).unwrap().handed, None);
    bench.crowd(0..1);
    let handed = bench.told(&root(), Some(first.id())).unwrap().handed.unwrap();
    assert_eq!((handed.since_s, handed.peers), (before_s, 0));
    assert_eq!(bench.told(&root(), Some(EnvelopeId([7; 32]))).unwrap().handed, None);
    assert_eq!(bench.told(&root(), None).unwrap().handed, None);
}

#[test]
fn beacons_and_chats_are_not_counted() {
    let mut bench = Bench::new();
    let beacon = beacon(&root(), 1, &[]);
    bench.deposit(ALICE, 1, &[entry(1), beacon.clone()]);
    bench.deposit(ALICE, 2, &series(2, 60, 3, 10));
    bench.settle();
    bench.watch(BOB, &[(1, None), (2, None)]);
    bench.settle();
    assert_eq!(bench.figures(&beacon), (0, None));
    assert_eq!(bench.figures(&entry(1)), (0, Some(0)));
}

#[test]
fn f58_only_who_may_be_told_is_told() {
    let mut bench = Bench::new();
    let editor = certified(&root(), 5, Scopes::STATS);
    let writer = certified(&root(), 6, Scopes::PUBLISH.with(Scopes::EDIT));
    let until_s = bench.now_ms / 1000 + limits::FIGURES_SECONDS;
    let here = relay_key().public();
    assert_eq!(bench.told(&root(), None), Err(Refusal::NotFound), "nothing is kept");
    bench.deposit(ALICE, 1, &[entry(1)]);
    bench.settle();
    assert!(bench.told(&root(), None).is_ok());
    assert_eq!(bench.told(&editor, None), Err(Refusal::NotAllowed), "no root's word");
    bench.deposit(ALICE, 2, &[beacon(&root(), 1, &[])]);
    bench.settle();
    assert!(bench.told(&editor, None).is_ok());
    assert_eq!(bench.told(&writer, None), Err(Refusal::NotAllowed));

    // Nobody asks with what somebody else signed, nor elsewhere, nor later.
    for (relay, asker) in [(here, BOB), (BOB, ALICE)] {
        let others = Inquiry::sign(&root(), relay, asker, until_s);
        assert_eq!(bench.told_with(&others, None), Err(Refusal::Invalid));
    }
    let over = Inquiry::sign(&root(), here, ALICE, bench.now_ms / 1000 - 1);
    assert_eq!(bench.told_with(&over, None), Err(Refusal::Busy));
    assert!(bench.penalised.is_empty());
    let mut forged = Inquiry::sign(&certified(&root(), 7, Scopes::STATS), here, ALICE, until_s);
    forged.chain.clear();
    assert_eq!(bench.told_with(&forged, None), Err(Refusal::Invalid));
    assert_eq!(bench.penalised.len(), 1);
}

#[test]
fn f45_who_was_revoked_or_is_root_no_more_is_told_nothing() {
    let mut bench = Bench::new();
    let editor = certified(&root(), 5, Scopes::STATS);
    let other = certified(&root(), 6, Scopes::STATS);
    let heir = certified(&root(), 7, Scopes::ROOT);
    let by_heir = certified(&heir, 8, Scopes::STATS);
    bench.deposit(ALICE, 1, &[entry(1), beacon(&root(), 2, &[&editor])]);
    // An earlier word that is shown again changes nothing.
    bench.deposit(ALICE, 2, &[beacon(&root(), 1, &[])]);
    bench.settle();
    assert_eq!(bench.told(&editor, None), Err(Refusal::NotAllowed));
    assert!(bench.told(&other, None).is_ok() && bench.told(&root(), None).is_ok());
    bench.deposit(ALICE, 3, &[beacon(&heir, 3, &[])]);
    bench.deposit(ALICE, 4, &[beacon(&root(), 9, &[])]);
    bench.settle();
    assert!(bench.told(&heir, None).is_ok() && bench.told(&by_heir, None).is_ok());
    assert_eq!(bench.told(&root(), None), Err(Refusal::NotAllowed), "it handed over");
}

#[test]
fn f25_a_flood_of_questions_is_told_to_wait() {
    let mut bench = Bench::new();
    bench.deposit(ALICE, 1, &[entry(1)]);
    bench.settle();
    let answers: Vec<bool> = (0..100).map(|_| bench.told(&root(), None).is_ok()).collect();
    assert_eq!(answers.iter().filter(|told| **told).count(), 60);
    bench.wait(60);
    assert!(bench.told(&root(), None).is_ok());
}
