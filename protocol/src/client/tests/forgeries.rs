//! What a member, a relay or a stranger makes up.

use super::*;
use crate::message::Frontier;

fn text_count(w: &World, place: usize, chat: ChatId) -> usize {
    w.nodes[place].texts(chat).len()
}

#[test]
fn f05_f46_a_message_whose_author_is_not_its_leaf_is_not_shown() {
    let (mut w, chat) = World::friends();
    let sent = w.send(ALICE, chat, "alice's own");
    let alice = w.nodes[ALICE].stream(chat);
    let bob = w.nodes[BOB].stream(chat);
    let foreign = StreamId {
        device: DeviceId([4; 32]),
        incarnation: bob.incarnation,
    };
    let borrowed = StreamId {
        device: alice.device,
        incarnation: bob.incarnation,
    };
    let before = w.nodes[ALICE].events().len();
    w.disconnect(ALICE, BOB);
    for stream in [alice, foreign, borrowed] {
        for sequence in [1, 2, 9] {
            let mut forged = inner(stream, sequence, "re-encrypted");
            // Nor is what it claims to have believed.
            forged.frontiers.push(Frontier {
                stream: alice,
                delivered: all_to(2),
                read_through: 2,
            });
            let envelope = w.nodes[BOB].forge(chat, &forged);
            w.gossip_to(ALICE, BOB, envelope.bytes());
        }
    }
    assert_eq!(w.nodes[ALICE].texts(chat), ["alice's own"]);
    assert_eq!(w.nodes[ALICE].events().len(), before);
    assert_ne!(w.nodes[ALICE].ledger(sent).state, LedgerState::Read);
    assert!(!w.nodes[ALICE].client.chats[&chat].streams.contains_key(&foreign));
    // The genuine one is still taken.
    let genuine = w.nodes[BOB].forge(chat, &inner(bob, 2, "bob's own"));
    w.gossip_to(ALICE, BOB, genuine.bytes());
    assert_eq!(w.nodes[ALICE].texts(chat).len(), 2);
}

fn all_to(last: u64) -> SeqSet {
    let mut set = SeqSet::default();
    set.insert_range(1, last);
    set
}

#[test]
fn a_report_of_what_was_never_sent_is_not_believed() {
    let (mut w, chat) = World::friends();
    w.disconnect(ALICE, BOB);
    let message = w.send(ALICE, chat, "waits");
    let alice = w.nodes[ALICE].stream(chat);
    let last = w.nodes[ALICE].client.chats[&chat].head.sequence;
    let report = |last: u64, read_through: u64| Inner {
        messages: Vec::new(),
        frontiers: vec![Frontier {
            stream: alice,
            delivered: all_to(last),
            read_through,
        }],
        ..inner(alice, 1, "")
    };
    for (delivered, read) in [(last + 1, 0), (last, last + 1)] {
        let mut lie = report(delivered, read);
        lie.stream = w.nodes[BOB].stream(chat);
        let envelope = w.nodes[BOB].forge(chat, &lie);
        w.gossip_to(ALICE, BOB, envelope.bytes());
        assert_eq!(w.nodes[ALICE].ledger(message).state, LedgerState::Queued);
    }
}

#[test]
fn a_member_cannot_fill_the_memory_with_streams() {
    let (mut w, chat) = World::friends();
    w.disconnect(ALICE, BOB);
    let bob = w.nodes[BOB].stream(chat);
    for incarnation in 0..200 {
        let stream = StreamId {
            device: bob.device,
            incarnation,
        };
        let envelope = w.nodes[BOB].forge(chat, &inner(stream, 1, "hop"));
        w.gossip_to(ALICE, BOB, envelope.bytes());
    }
    assert!(w.nodes[ALICE].client.chats[&chat].streams.len() <= limits::FRONTIER_STREAMS);
    assert!(w.nodes[ALICE].disk.count(Tree::Streams) <= limits::FRONTIER_STREAMS);
}

#[test]
fn f20_junk_from_a_relay_is_refused_before_any_row_is_written() {
    let mut w = World::relayed();
    let chat = w.befriend();
    let topic = w.nodes[BOB].client.chats[&chat].row.topic.clone();
    let stream = w.nodes[ALICE].stream(chat);
    let genuine = w.nodes[ALICE].forge(chat, &inner(stream, 5, "five"));
    let mut damaged = genuine.bytes().to_vec();
    *damaged.last_mut().unwrap() ^= 1;
    let mut altered = genuine.bytes().to_vec();
    altered[60] ^= 1;
    let foreign = TopicSecret::from_bytes([3; 32]);
    let junk = vec![
        vec![0; 10],
        vec![],
        genuine.bytes()[..90].to_vec(),
        damaged,
        altered,
        Envelope::sign(&foreign, 60, b"of another topic").unwrap().into_bytes(),
        Envelope::sign(&topic, 60, b"not MLS").unwrap().into_bytes(),
        vec![0xff; limits::ENVELOPE_BYTES + 1],
    ];
    w.nodes[BOB].batches.clear();
    let before = w.nodes[BOB].events().len();
    for (at, envelope) in junk.into_iter().enumerate() {
        // A frame with an envelope over the bound can't even be read.
        w.raw_page(BOB, topic.public(), 100 + at as u64, vec![envelope]);
    }
    let mut proof = 0;
    for batch in &w.nodes[BOB].batches {
        for op in &batch.ops {
            match op {
                Op::Put { tree: Tree::Trust, .. } => proof += 1,
                Op::Put { tree, .. } | Op::Delete { tree, .. } => {
                    assert_eq!(*tree, Tree::Cursors, "a row was written for junk");
                }
            }
        }
    }
    assert_eq!(
        proof, 2,
        "the relay's conduct and one piece of evidence, however much it sends at once"
    );
    assert_eq!((w.nodes[BOB].events().len(), text_count(&w, BOB, chat)), (before, 0));
    assert!(w.nodes[BOB].penalised.len() >= 6, "{:?}", w.nodes[BOB].penalised);
    // The genuine envelope beside it still arrives.
    w.page(BOB, topic.public(), 120, &[genuine]);
    assert_eq!(w.nodes[BOB].texts(chat), ["five"]);
}

#[test]
fn f20_a_page_of_a_topic_that_is_not_watched_is_passed_over() {
    let mut w = World::relayed();
    let chat = w.befriend();
    let cursors = w.nodes[BOB].disk.count(Tree::Cursors);
    let topic = w.nodes[BOB].client.chats[&chat].row.topic.clone();
    let stream = w.nodes[ALICE].stream(chat);
    let genuine = w.nodes[ALICE].forge(chat, &inner(stream, 5, "five"));
    w.page(BOB, TopicId([8; 32]), 1, &[genuine]);
    assert!(w.nodes[BOB].texts(chat).is_empty());
    assert_eq!(w.nodes[BOB].disk.count(Tree::Cursors), cursors);
    assert!(w.nodes[BOB].client.topics.contains_key(&topic.public()));
}

#[test]
fn f20_frames_that_cannot_be_read_cost_the_peer_and_nothing_else() {
    let (mut w, chat) = World::friends();
    let peer = w.key(BOB);
    // Three are no custodian's, two no client's; the rest has a tag of a later version.
    for side in [Side::Client, Side::Server] {
        for bytes in [vec![], vec![1], vec![130, 1], vec![129; 40]] {
            w.input(ALICE, Input::Frame { peer, side, bytes });
        }
    }
    assert_eq!(w.nodes[ALICE].penalised.len(), 5);
    w.send(ALICE, chat, "still here");
    assert_eq!(w.nodes[BOB].texts(chat), ["still here"]);
}

#[test]
fn a_receipt_that_the_custodian_did_not_sign_changes_nothing() {
    let mut w = World::relayed();
    let chat = w.befriend();
    w.lose = |to, frame| to == ALICE && matches!(frame, CustodianFrame::Receipt(_));
    let message = w.send(ALICE, chat, "hello");
    let envelope = Envelope::trusted(&deposits(&w.nodes[ALICE].sent).pop().unwrap()).unwrap();
    let accepted = vec![crate::custody::Accepted {
        id: envelope.id(),
        until_s: 1,
    }];
    let link = &w.nodes[ALICE].client.links[&relay_secret().public()];
    let request = *link.flight.keys().last().unwrap();
    let forged = crate::custody::Receipt::sign(&TransportSecret::from_bytes([1; 32]), request, accepted, Vec::new());
    w.lose = |_, _| false;
    let input = Input::Frame {
        peer: relay_secret().public(),
        side: Side::Client,
        bytes: CustodianFrame::Receipt(forged).encode(),
    };
    w.input(ALICE, input);
    assert!(w.nodes[ALICE].ledger(message).held.is_empty());
    assert_eq!(w.nodes[ALICE].penalised.len(), 1);
}
