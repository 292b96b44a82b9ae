//! What followers who take part pass on to each other.

use super::*;
use crate::client::{Input, Verdict};
use crate::custody::{ClientFrame, History};
use crate::envelope::Envelope;
use crate::keys::TransportKey;
use crate::wire::Wire;

impl World {
    fn meshes(&mut self, place: usize, channel: ChannelId, mesh: bool) {
        let done = self.channel(place, ChannelCommand::Mesh { channel, mesh });
        assert_eq!(done.unwrap(), Reply::Done);
    }

    /// A client is given an envelope by gossip of a peer; its verdict.
    fn heard_from(&mut self, place: usize, peer: TransportKey, bytes: &[u8]) -> Verdict {
        let mut id = [0; 16];
        id.copy_from_slice(&blake3::hash(bytes).as_bytes()[..16]);
        let bytes = bytes.to_vec();
        let before = self.nodes[place].verdicts.len();
        self.input(place, Input::Gossip { peer, id, bytes });
        let verdicts = &self.nodes[place].verdicts;
        assert_eq!(verdicts.len(), before + 1, "one verdict is owed");
        *verdicts.last().unwrap()
    }

    fn proofs(&self, place: usize, channel: ChannelId) -> usize {
        view::evidence(&self.nodes[place].disk, &channel).unwrap().len()
    }
}

/// A brand at a relay, and two followers who take part and aren't connected.
fn meshed() -> (World, ChannelId) {
    let (mut w, channel) = followed();
    w.gossip = true;
    let link = w.sees(ALICE, channel).link();
    w.follows(CAROL, &link);
    for place in [BOB, CAROL] {
        w.meshes(place, channel, true);
    }
    (w, channel)
}

/// The newest page that a client answers with, if it does.
fn asks(
    w: &mut World,
    place: usize,
    channel: ChannelId,
    before: u64,
    count: u16,
) -> Option<crate::custody::HistoryPage> {
    let ask = History {
        request: 1,
        topic: channel.topic(),
        before,
        count,
    };
    let sent = w.nodes[place].sent.len();
    let input = Input::Frame {
        peer: TransportKey([66; 32]),
        side: crate::client::Side::Server,
        bytes: ClientFrame::History(ask).encode(),
    };
    w.input(place, input);
    let answers = w.nodes[place].sent[sent..].iter();
    answers
        .filter_map(|(_, _, frame)| CustodianFrame::decode(frame).ok())
        .find_map(|frame| match frame {
            CustodianFrame::History(page) => Some(page),
            _ => None,
        })
}

#[test]
fn f51_two_versions_are_proved_once_followers_share_a_peer_and_then_to_all() {
    let (mut w, channel) = meshed();
    let dave = w.guest();
    let link = w.sees(ALICE, channel).link();
    w.follows(dave, &link);
    let first = w.posts_text(channel, "hello");
    w.lose = |to, frame| to == CAROL && matches!(frame, CustodianFrame::Items(_));
    w.posts_text(channel, "it costs 10");
    let other = w.forged(channel, 2, first, "it costs 20");
    w.hears(CAROL, &other);
    assert_eq!(w.texts(BOB, channel), ["hello", "it costs 10"]);
    assert_eq!(w.texts(CAROL, channel), ["hello", "it costs 20"]);
    assert_eq!((w.proofs(BOB, channel), w.proofs(CAROL, channel)), (0, 0));
    // They come to be connected long after.
    w.pass(3600 * SECOND_MS);
    w.connect(BOB, CAROL);
    assert!(w.proofs(BOB, channel) > 0 && w.proofs(CAROL, channel) > 0);
    assert_eq!(w.proofs(dave, channel), 0);
    w.pass(60 * SECOND_MS);
    assert!(
        w.proofs(dave, channel) > 0,
        "the relay was told, and tells who follows by it alone"
    );
    assert!(w.nodes.iter().all(|node| node.penalised.is_empty()));
}

#[test]
fn f15_what_relays_keep_back_comes_by_followers() {
    let (mut w, channel) = meshed();
    w.connect(BOB, CAROL);
    w.lose = |to, frame| to == CAROL && matches!(frame, CustodianFrame::Items(_));
    w.posts_text(channel, "kept back");
    assert_eq!(w.texts(CAROL, channel), ["kept back"]);
    assert!(w.sees(CAROL, channel).gaps.is_empty());
}

#[test]
fn f16_any_follower_serves_the_past_while_all_relays_are_away() {
    let (mut w, channel) = meshed();
    for n in 0..150 {
        w.posts_text(channel, &format!("post {n}"));
    }
    let link = w.sees(ALICE, channel).link();
    let dave = w.guest();
    w.relay_up(false);
    w.follows(dave, &link);
    w.meshes(dave, channel, true);
    assert!(w.texts(dave, channel).is_empty());
    w.connect(BOB, dave);
    assert_eq!(w.sees(dave, channel).name, "Shop");
    let mut pages = 0;
    while w.channel(dave, ChannelCommand::History { channel }).unwrap() == (Reply::Older { more: true }) {
        pages += 1;
        assert!(pages < 9, "it comes to an end");
    }
    assert_eq!(w.texts(dave, channel), w.texts(ALICE, channel));
    assert_eq!(w.texts(dave, channel).len(), 150);
    // Nobody is served who asks somebody that doesn't take part.
    w.meshes(BOB, channel, false);
    assert_eq!(asks(&mut w, BOB, channel, 0, 10), None);
}

#[test]
fn f11_sybils_around_a_follower_keep_nothing_from_it() {
    let (mut w, channel) = meshed();
    // All that it is connected to in the mesh subscribe, pass on nothing, and serve nothing.
    for sybil in 0..2 * limits::MESH_PEERS as u8 {
        let peer = TransportKey([100 + sybil; 32]);
        w.input(BOB, Input::Connected { peer });
        for side in [crate::client::Side::Client, crate::client::Side::Server] {
            w.input(BOB, Input::Opened { peer, side });
        }
        let (topic, subscribed) = (channel.topic(), true);
        w.input(
            BOB,
            Input::GossipPeer {
                peer,
                topic,
                subscribed,
            },
        );
    }
    let members = w.nodes[BOB].client.links.values().filter(|link| !link.relay).count();
    assert!(members <= limits::MESH_PEERS, "{members}");
    w.posts_text(channel, "through the relay");
    assert_eq!(w.texts(BOB, channel), ["through the relay"]);
}

#[test]
fn f09_only_what_is_new_and_counts_is_passed_on() {
    let (mut w, channel) = meshed();
    let peer = TransportKey([66; 32]);
    let first = w.posts_text(channel, "one");
    let known = w.nodes[BOB]
        .client
        .entry_at(&channel, WriterId(channel.0), 1, &w.nodes[BOB].disk);
    let known = known.unwrap().unwrap();
    assert_eq!(w.heard_from(BOB, peer, known.bytes()), Verdict::Ignore);
    w.restart(BOB);
    w.pass(SECOND_MS);
    assert_eq!(
        w.heard_from(BOB, peer, known.bytes()),
        Verdict::Ignore,
        "also after a restart"
    );
    let new = w.forged(channel, 2, first, "two");
    let mut broken = new.bytes().to_vec();
    *broken.last_mut().unwrap() ^= 1;
    assert_eq!(w.heard_from(BOB, peer, &broken), Verdict::Reject);
    assert_eq!(w.heard_from(BOB, peer, new.bytes()), Verdict::Accept);
    let other = w.forged(channel, 2, first, "another two");
    assert_eq!(
        w.heard_from(BOB, peer, other.bytes()),
        Verdict::Accept,
        "a contradiction is for all to see"
    );
    assert_eq!(w.heard_from(BOB, peer, other.bytes()), Verdict::Ignore);
    let nonsense = Envelope::sign_as(&Signatory::root(&w.secret(channel)), 3600, &[9, 9]).unwrap();
    assert_eq!(w.heard_from(BOB, peer, nonsense.bytes()), Verdict::Ignore);
    // A peer that sends without end is listened to no more.
    let (burst, _) = limits::MESH_SHARE;
    let mut verdicts = Vec::new();
    for n in 0..burst + 8 {
        let next = w.forged(channel, 100 + n, EnvelopeId([1; 32]), "more");
        verdicts.push(w.heard_from(BOB, peer, next.bytes()));
    }
    assert_eq!(verdicts.first(), Some(&Verdict::Accept));
    assert_eq!(verdicts.last(), Some(&Verdict::Ignore));
}

#[test]
fn f21_whoever_asks_without_end_is_told_to_wait() {
    let (mut w, channel) = meshed();
    w.posts_text(channel, "one");
    let answered = (0..200).filter(|_| asks(&mut w, BOB, channel, 0, 10).is_some()).count();
    assert!((1..100).contains(&answered), "{answered}");
}

#[test]
fn a_served_page_ends_with_the_beacon_and_reads_on_through_one_millisecond() {
    let (mut w, channel) = meshed();
    for n in 0..7 {
        w.posts_text(channel, &format!("{n}"));
    }
    let newest = asks(&mut w, BOB, channel, 0, 4).unwrap();
    let beacon = newest.items.last().unwrap();
    let envelope = Envelope::verify(&beacon.envelope).unwrap();
    assert!(matches!(Statement::decode(envelope.body()), Ok(Statement::Beacon(_))));
    let mut before = newest.items[0].position;
    let mut read = newest.items.len() - 1;
    loop {
        let page = asks(&mut w, BOB, channel, before, 3).unwrap();
        assert!(page.items.windows(2).all(|two| two[0].position < two[1].position));
        read += page.items.len();
        if page.oldest {
            break;
        }
        before = page.items[0].position;
    }
    assert_eq!(read, 7);
}

#[test]
fn followers_meet_at_the_relay_and_none_who_did_not_ask_to() {
    let (mut w, channel) = followed();
    w.gossip = true;
    let link = w.sees(ALICE, channel).link();
    w.follows(CAROL, &link);
    for place in [BOB, CAROL] {
        let addrs = vec![format!("/ip4/203.0.113.{place}/tcp/1")];
        w.input(place, Input::Listening { addrs });
    }
    w.pass(60 * SECOND_MS);
    let meets = |w: &World, place: usize| {
        let frames = w.nodes[place].sent.iter();
        frames
            .filter(|(_, _, frame)| matches!(ClientFrame::decode(frame), Ok(ClientFrame::Meet(_))))
            .count()
    };
    assert_eq!((meets(&w, BOB), meets(&w, CAROL)), (0, 0));
    w.allow(BOB, CAROL);
    for place in [BOB, CAROL] {
        w.meshes(place, channel, true);
    }
    w.pass(60 * SECOND_MS);
    assert!(w.are_joined(BOB, CAROL));
    w.lose = |to, frame| to == CAROL && matches!(frame, CustodianFrame::Items(_));
    w.posts_text(channel, "by bob");
    assert_eq!(w.texts(CAROL, channel), ["by bob"]);
    // Unfollowing ends it.
    w.channel(CAROL, ChannelCommand::Unfollow { channel }).unwrap();
    let before = meets(&w, CAROL);
    w.pass(DAY_MS);
    assert_eq!(meets(&w, CAROL), before);
}
