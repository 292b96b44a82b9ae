//! The public directory.

use super::*;
use crate::address::PeerAddress;
use crate::channel::{Category, Listing, Manifest, Policy, Signatory};
use crate::custody::{Enlist, Found, Search};
use crate::limits;

fn root(n: u8) -> Signatory {
    Signatory::root(&topic(n))
}

fn manifest(name: &str) -> Manifest {
    Manifest {
        number: 1,
        name: name.into(),
        description: "Books".into(),
        picture: None,
        links: Vec::new(),
        categories: vec![Category {
            id: "news".into(),
            name: "News".into(),
        }],
        inbox: String::new(),
        relays: vec![PeerAddress {
            key: relay_key().public(),
            addrs: Vec::new(),
        }],
        domain: String::new(),
        policy: Policy::default(),
        recovery: None,
        extensions: Vec::new(),
    }
}

impl Bench {
    /// A channel that has something at the relay.
    fn has_channel(&mut self, n: u8) {
        let entry = Envelope::sign_as(&root(n), limits::CHANNEL_SECONDS, b"entry").unwrap();
        self.deposit(ALICE, 1, &[entry]);
        self.settle();
        self.take(ALICE);
    }

    fn until_s(&self) -> u64 {
        self.now_ms / 1000 + limits::LISTING_SECONDS
    }

    fn listing(&self, n: u8, number: u64, name: &str) -> Listing {
        Listing::sign(&root(n), relay_key().public(), number, self.until_s(), &manifest(name))
    }

    /// What became of a listing; none if it is in the directory.
    fn enlists(&mut self, peer: TransportKey, listing: &Listing) -> Option<Refusal> {
        let enlist = Enlist {
            request: 7,
            listing: listing.encode(),
        };
        self.frame(peer, &ClientFrame::Enlist(enlist));
        self.settle();
        match self.take(peer).pop() {
            Some(CustodianFrame::Enlisted(done)) => {
                assert_eq!((done.request, done.until_s), (7, listing.until_s));
                None
            }
            Some(CustodianFrame::WatchRefused { request: 7, why, .. }) => Some(why),
            other => panic!("{other:?}"),
        }
    }

    fn asks(&mut self, query: &str, after: Vec<u8>) -> Result<Found, Refusal> {
        let search = Search {
            request: 8,
            query: query.into(),
            category: "news".into(),
            after,
        };
        self.frame(BOB, &ClientFrame::Search(search));
        self.settle();
        match self.take(BOB).pop() {
            Some(CustodianFrame::Found(found)) => Ok(found),
            Some(CustodianFrame::WatchRefused { request: 8, why, .. }) => Err(why),
            other => panic!("{other:?}"),
        }
    }

    fn finds(&mut self, query: &str) -> Vec<String> {
        let found = self.asks(query, Vec::new()).unwrap();
        assert!(found.next.is_empty());
        let names = found.listings.iter().map(|bytes| Listing::decode(bytes).unwrap().name);
        names.collect()
    }
}

#[test]
fn who_wants_it_is_found_by_name_until_it_is_over_also_after_a_restart() {
    let mut bench = Bench::new();
    for n in 1..=3 {
        bench.has_channel(n);
    }
    let named = ["마당 서점", "Bakery", "마당 빵집"];
    for (n, name) in (1..).zip(named) {
        let listing = bench.listing(n, 1, name);
        assert_eq!(bench.enlists(ALICE, &listing), None);
        assert_eq!(bench.enlists(ALICE, &listing), None, "once more");
    }
    assert_eq!(bench.relay.stats().listings, 3);
    assert_eq!(bench.finds("마당"), ["마당 빵집", "마당 서점"]);
    assert_eq!(bench.finds("bake"), ["Bakery"]);
    assert_eq!(bench.finds("").len(), 3);

    let gone = Listing::withdraw(&root(3), relay_key().public(), 2, bench.until_s(), &manifest("x"));
    assert_eq!(bench.enlists(ALICE, &gone), None);
    assert_eq!(bench.finds("마당"), ["마당 서점"]);
    // Whoever kept a copy of the earlier one can't show it again.
    let again = bench.listing(3, 1, "마당 빵집");
    assert_eq!(bench.enlists(BOB, &again), Some(Refusal::Invalid));

    let mut bench = Bench::open(RelayConfig::default(), bench.rows, bench.now_ms);
    assert_eq!(bench.finds(""), ["Bakery", "마당 서점"]);
    bench.pass(limits::LISTING_SECONDS);
    assert!(bench.finds("").is_empty());
    assert_eq!(bench.relay.stats().listings, 0);
    assert!(bench.rows.prefix(Tree::RelayListings, &[], 9).unwrap().is_empty());
}

#[test]
fn f15_what_is_forged_old_or_for_another_relay_is_refused() {
    let mut bench = Bench::new();
    bench.has_channel(1);
    let good = bench.listing(1, 5, "Shop");
    let mut forged = good.clone();
    forged.name = "Another shop".into();
    assert_eq!(bench.enlists(CAROL, &forged), Some(Refusal::Invalid));
    assert_eq!(bench.penalised.len(), 1);
    let mut elsewhere = good.clone();
    elsewhere.relay = TransportKey([1; 32]);
    assert_eq!(bench.enlists(CAROL, &elsewhere), Some(Refusal::Invalid));
    let endless = Listing::sign(&root(1), relay_key().public(), 6, u64::MAX, &manifest("Shop"));
    assert_eq!(bench.enlists(CAROL, &endless), Some(Refusal::Busy));
    assert!(bench.finds("").is_empty());
    assert_eq!(bench.enlists(ALICE, &good), None);
    let old = bench.listing(1, 4, "Old shop");
    assert_eq!(bench.enlists(ALICE, &old), Some(Refusal::Invalid));
    assert_eq!(bench.finds(""), ["Shop"]);
    // What isn't kept here can't be found here.
    let unkept = bench.listing(2, 1, "Nobody");
    assert_eq!(bench.enlists(ALICE, &unkept), Some(Refusal::NotFound));
}

#[test]
fn f21_it_keeps_and_answers_no_more_than_its_bounds() {
    let mut bench = Bench::with(RelayConfig {
        listings: 2,
        ..RelayConfig::default()
    });
    for n in 1..=3 {
        bench.has_channel(n);
    }
    for n in 1..=2 {
        let listing = bench.listing(n, 1, "Shop");
        assert_eq!(bench.enlists(ALICE, &listing), None);
    }
    let third = bench.listing(3, 1, "Shop");
    assert_eq!(bench.enlists(ALICE, &third), Some(Refusal::Full));
    let changed = bench.listing(2, 2, "Cafe");
    assert_eq!(bench.enlists(ALICE, &changed), None);
    let refused = (0..100).map(|_| bench.asks("", Vec::new())).filter(Result::is_err);
    assert_eq!(refused.collect::<Vec<_>>(), vec![Err(Refusal::Busy); 40]);
    bench.wait(60);
    assert_eq!(bench.finds(""), ["Cafe", "Shop"]);
    let words = vec!["a"; limits::SEARCH_TERMS + 1];
    let words: Vec<String> = words.iter().enumerate().map(|(n, word)| format!("{word}{n}")).collect();
    assert_eq!(bench.asks(&words.join(" "), Vec::new()), Err(Refusal::Invalid));
}

#[test]
fn pages_go_on_where_the_last_one_ended() {
    let mut bench = Bench::new();
    let count = limits::LISTINGS_FOUND + 6;
    for n in 0..count as u8 {
        bench.has_channel(n + 1);
        // Each of a peer of its own: nobody may list so many in a minute.
        let peer = TransportKey([n; 32]);
        bench.input(RelayInput::Connected { peer });
        let listing = bench.listing(n + 1, 1, &format!("Shop {}", n % 10));
        assert_eq!(bench.enlists(peer, &listing), None);
    }
    let first = bench.asks("shop", Vec::new()).unwrap();
    assert_eq!(first.listings.len(), limits::LISTINGS_FOUND);
    let second = bench.asks("shop", first.next.clone()).unwrap();
    assert_eq!((second.listings.len(), second.next.len()), (6, 0));
    let all: BTreeSet<Vec<u8>> = first.listings.into_iter().chain(second.listings).collect();
    assert_eq!(all.len(), count);
}

#[test]
fn without_a_directory_there_is_nothing_to_find() {
    let mut bench = Bench::with(RelayConfig {
        listings: 0,
        ..RelayConfig::default()
    });
    bench.has_channel(1);
    let listing = bench.listing(1, 1, "Shop");
    assert_eq!(bench.enlists(ALICE, &listing), Some(Refusal::NotHere));
    assert_eq!(bench.asks("", Vec::new()), Err(Refusal::NotHere));
}

#[test]
fn f30_a_step_that_fails_and_a_damaged_row_cost_no_more_than_themselves() {
    let mut bench = Bench::new();
    for n in 1..=2 {
        bench.has_channel(n);
    }
    let kept = bench.listing(1, 1, "Kept");
    assert_eq!(bench.enlists(ALICE, &kept), None);
    let lost = bench.listing(2, 1, "Lost").encode();
    let enlist = Enlist {
        request: 7,
        listing: lost,
    };
    bench.frame(ALICE, &ClientFrame::Enlist(enlist));
    bench.drain();
    bench.fail();
    bench.settle();
    let answers = bench.take(ALICE);
    let refused = |frame: &CustodianFrame| {
        matches!(
            frame,
            CustodianFrame::WatchRefused {
                why: Refusal::ReadOnly,
                ..
            }
        )
    };
    assert!(answers.iter().any(refused), "{answers:?}");
    assert_eq!(bench.finds(""), ["Kept"]);
    bench.relay.set_read_only(false);

    let mut batch = crate::rows::Batch::default();
    batch.put(Tree::RelayListings, [9; 32], [1, 2, 3]);
    bench.rows.apply(&batch);
    let mut bench = Bench::open(RelayConfig::default(), bench.rows, bench.now_ms);
    assert_eq!(bench.finds(""), ["Kept"]);
    assert_eq!(bench.rows.prefix(Tree::RelayListings, &[], 9).unwrap().len(), 1);
}
