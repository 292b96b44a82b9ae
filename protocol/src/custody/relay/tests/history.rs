//! Reading a topic backwards.

use super::*;
use crate::channel::{Scopes, Signatory, WriterCertificate};
use crate::custody::{History, HistoryPage};
use crate::keys::WriterSecret;
use crate::limits;

impl Bench {
    fn back(&mut self, peer: TransportKey, topic_n: u8, before: u64, count: u16) -> Vec<CustodianFrame> {
        let ask = History {
            request: 5,
            topic: topic(topic_n).public(),
            before,
            count,
        };
        self.frame(peer, &ClientFrame::History(ask));
        self.settle();
        self.take(peer)
    }

    fn page_back(&mut self, before: u64, count: u16) -> HistoryPage {
        match self.back(BOB, 1, before, count).pop() {
            Some(CustodianFrame::History(page)) => page,
            other => panic!("no page but {other:?}"),
        }
    }
}

fn positions(page: &HistoryPage) -> Vec<u64> {
    page.items.iter().map(|item| item.position).collect()
}

#[test]
fn the_newest_come_first_and_pages_go_back_to_the_oldest() {
    let mut bench = Bench::new();
    let sent = series(1, 600, 200, 10);
    bench.keep(&sent);

    let newest = bench.page_back(0, 90);
    assert_eq!(positions(&newest), (111..=200).collect::<Vec<_>>());
    assert!(!newest.oldest);
    assert_eq!(newest.items[0].envelope, sent[110].bytes());
    let middle = bench.page_back(111, 90);
    assert_eq!(positions(&middle), (21..=110).collect::<Vec<_>>());
    let oldest = bench.page_back(21, 90);
    assert_eq!(positions(&oldest), (1..=20).collect::<Vec<_>>());
    assert!(oldest.oldest);

    // Its cursor is where a watch goes on.
    let more = series(1, 600, 201, 10)[200..].to_vec();
    bench.keep(&more);
    let read = bench.read_all(BOB, 1, Some(newest.cursor));
    assert!(!read.void);
    assert_eq!(read.envelopes, bytes_of(&more));
}

#[test]
fn a_topic_without_anything_gives_an_empty_page() {
    let mut bench = Bench::new();
    let page = bench.page_back(0, 50);
    assert!(page.items.is_empty() && page.oldest);
    assert_eq!(page.cursor.position, 0);
}

#[test]
fn what_has_expired_is_passed_over() {
    let mut bench = Bench::new();
    let sent = [series(1, 60, 100, 10), series(1, 900_000, 5, 20)].concat();
    bench.keep(&sent);
    bench.pass(3 * 3600);
    let page = bench.page_back(0, 50);
    assert_eq!(positions(&page), (101..=105).collect::<Vec<_>>());
    assert!(page.oldest);
}

#[test]
fn f19_pages_wait_for_a_reader_that_confirms_nothing() {
    let mut bench = Bench::new();
    for some in series(1, 600, 100, 60_000).chunks(10) {
        bench.keep(some);
    }
    let mut served = 0;
    for _ in 0..10 {
        match bench.back(BOB, 1, 0, u16::MAX).pop() {
            Some(CustodianFrame::History(page)) => served += page.counted(),
            Some(CustodianFrame::WatchRefused { request: 5, why, .. }) => assert_eq!(why, Refusal::Busy),
            other => panic!("neither a page nor a refusal but {other:?}"),
        }
    }
    assert!(served > 0 && served <= limits::PUSH_WINDOW_BYTES, "{served}");
    bench.frame(BOB, &ClientFrame::Ack { bytes: served });
    assert!(!bench.page_back(0, 50).items.is_empty());
}

#[test]
fn a_channels_envelopes_are_kept_for_longer_and_not_out_of_their_certificates_time() {
    let mut bench = Bench::new();
    let root = Signatory::root(&topic(1));
    let year = Envelope::sign_as(&root, limits::CHANNEL_SECONDS, b"post").unwrap();
    let secret = WriterSecret::from_bytes([9; 32]);
    let until_s = bench.now_ms / 1000;
    let certificate = WriterCertificate {
        channel: root.channel,
        writer: secret.public(),
        scopes: Scopes::PUBLISH,
        categories: Vec::new(),
        from_s: 0,
        until_s,
        extensions: Vec::new(),
        signature: [0; 64],
    };
    let editor = Signatory {
        channel: root.channel,
        secret,
        chain: vec![certificate.signed(&root.secret)],
    };
    let edited = |body: &[u8]| Envelope::sign_as(&editor, 600, body).unwrap();
    bench.deposit(ALICE, 1, &[year, edited(b"in time")]);
    bench.settle();
    let receipts = bench.receipts(ALICE);
    let until: Vec<u64> = receipts[0].accepted.iter().map(|accepted| accepted.until_s).collect();
    assert_eq!(until, [until_s + u64::from(limits::CHANNEL_SECONDS), until_s + 600]);
    bench.pass(5);
    bench.deposit(ALICE, 2, &[edited(b"too late")]);
    bench.settle();
    assert_eq!(bench.receipts(ALICE)[0].refused[0].why, Refusal::Invalid);
}
