//! Being found at a relay, and finding others.

use super::*;
use crate::channel::Listing;
use crate::client::{Input, Side};
use crate::custody::{ClientFrame, Found};
use crate::keys::TransportKey;
use crate::limits;
use crate::wire::Wire;

impl World {
    fn enlists(&mut self, channel: ChannelId, relays: &[TransportKey]) -> Result<Reply, CommandError> {
        let relays = relays.to_vec();
        self.channel(ALICE, ChannelCommand::Enlist { channel, relays })
    }

    fn names_found(&mut self, relay: TransportKey, query: &str) -> Vec<String> {
        match self.channel(BOB, search(relay, query)).unwrap() {
            Reply::Found { listings, .. } => listings.into_iter().map(|listing| listing.name).collect(),
            other => panic!("{other:?}"),
        }
    }
}

fn search(relay: TransportKey, query: &str) -> ChannelCommand {
    ChannelCommand::Search {
        relay,
        query: query.into(),
        category: String::new(),
        after: Vec::new(),
    }
}

#[test]
fn a_channel_is_found_where_it_wants_and_as_long() {
    let (mut w, channel) = followed();
    let relay = w.sees(ALICE, channel).relays[0].key;
    assert!(w.names_found(relay, "shop").is_empty(), "off unless it is wanted");
    assert!(w.enlists(channel, &[TransportKey([1; 32])]).is_err());
    assert_eq!(w.enlists(channel, &[relay]).unwrap(), Reply::Done);
    assert_eq!(w.names_found(relay, "shop"), ["Shop"]);
    assert!(w.names_found(relay, "bakery").is_empty());
    assert!(w.sees(ALICE, channel).listings[0].settled);

    let manifest = ManifestChange {
        name: Some("Bookshop".into()),
        ..ManifestChange::default()
    };
    w.channel(ALICE, ChannelCommand::Update { channel, manifest }).unwrap();
    assert_eq!(w.names_found(relay, ""), ["Bookshop"]);

    // It is renewed before it is over.
    for _ in 0..8 * 40 {
        // A relay's clock that leaps isn't believed.
        w.pass(DAY_MS / 8);
        assert_eq!(w.names_found(relay, ""), ["Bookshop"]);
    }
    w.enlists(channel, &[]).unwrap();
    assert!(w.names_found(relay, "").is_empty());
    assert!(w.sees(ALICE, channel).listings.is_empty());
}

#[test]
fn f15_what_a_relay_makes_up_or_was_not_asked_for_is_not_shown() {
    let (mut w, channel) = followed();
    let relay = w.sees(ALICE, channel).relays[0].key;
    let manifest = w.sees(ALICE, channel).manifest.unwrap();
    let until_s = w.now(BOB) / 1000 + limits::LISTING_SECONDS;
    let root = Signatory::root(&w.secret(channel));
    let good = Listing::sign(&root, relay, 1, until_s, &manifest);
    let mut forged = good.clone();
    forged.name = "Shop, the real one".into();
    let elsewhere = Listing::sign(&root, TransportKey([1; 32]), 1, until_s, &manifest);
    let gone = Listing::withdraw(&root, relay, 2, until_s, &manifest);

    w.lose = |_, frame| matches!(frame, CustodianFrame::Found(_));
    let answer = |w: &mut World, query: &str, listings: &[&Listing]| {
        let unanswered = w.command(BOB, Command::Channel(Box::new(search(relay, query))));
        assert!(unanswered.is_none());
        let sent = w.nodes[BOB].sent.iter().rev();
        let mut asked = sent.filter_map(|(_, _, frame)| match ClientFrame::decode(frame) {
            Ok(ClientFrame::Search(search)) => Some(search.request),
            _ => None,
        });
        let request = asked.next().unwrap();
        let found = Found {
            request,
            listings: listings.iter().map(|listing| listing.encode()).collect(),
            next: Vec::new(),
        };
        let input = Input::Frame {
            peer: relay,
            side: Side::Client,
            bytes: CustodianFrame::Found(found).encode(),
        };
        w.input(BOB, input);
        match w.nodes[BOB].replies.pop_last().unwrap() {
            (_, Ok(Reply::Found { listings, .. })) => listings,
            other => panic!("{other:?}"),
        }
    };
    let all = [&forged, &good, &elsewhere, &gone];
    assert_eq!(answer(&mut w, "shop", &all), std::slice::from_ref(&good));
    assert!(answer(&mut w, "bakery", &[&good]).is_empty());
}
