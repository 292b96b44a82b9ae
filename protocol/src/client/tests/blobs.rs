//! Blobs from one device to another: by a relay or directly, over restarts and lost answers, and in spite of a relay that lies.

use super::*;
use crate::blob::{self, BlobRef, Chunk};
use crate::client::blobs::{BlobNews, KEEP_NEWS};
use crate::custody::{BlobChunks, BlobRefused, BlobState, ChunkRange, GetBlob, Refusal};

/// Of more chunks than three frames hold.
fn content() -> Vec<u8> {
    (0..1_500_000_u32).map(|at| (at % 251) as u8).collect()
}

struct Sent {
    topic: TopicId,
    blob: BlobRef,
    chunks: Vec<Chunk>,
}

impl World {
    /// Alice seals a blob for a chat and puts it; nothing is carried out yet.
    fn put_blob(&mut self, chat: ChatId) -> Sent {
        KEEP_NEWS.set(true);
        let now = self.now(ALICE);
        let client = &mut self.nodes[ALICE].client;
        let (blob, chunks) = blob::seal(&client.crypto, &content()).unwrap();
        let topic = client.chats[&chat].row.topic.clone();
        client.blob_put(now, &topic, &blob, chunks.clone()).unwrap();
        let topic = topic.public();
        Sent { topic, blob, chunks }
    }

    fn want_blob(&mut self, place: usize, sent: &Sent) {
        KEEP_NEWS.set(true);
        let now = self.now(place);
        let client = &mut self.nodes[place].client;
        client.blob_get(now, sent.topic, None, &sent.blob).unwrap();
    }

    fn tick(&mut self, place: usize) {
        self.input(place, Input::Tick);
    }

    fn is_ready(&mut self, sent: &Sent) -> bool {
        let news = self.nodes[ALICE].client.take_blob_news();
        news.iter().any(|news| *news == BlobNews::Ready(sent.blob.id))
    }

    fn has_arrived(&mut self, place: usize, sent: &Sent) -> bool {
        let news = self.nodes[place].client.take_blob_news();
        let arrived = BlobNews::Arrived(sent.blob.id, content());
        assert!(!news.iter().any(|news| *news == BlobNews::Lost(sent.blob.id)));
        news.iter().filter(|news| **news == arrived).count() == 1
    }

    fn blob_rows(&self, place: usize) -> [usize; 2] {
        [Tree::Blobs, Tree::BlobChunks].map(|tree| self.nodes[place].disk.count(tree))
    }

    /// Frames about blobs that a client sent to the relay, chunks in them.
    fn put_chunks(&self, place: usize) -> usize {
        let sent = self.nodes[place].sent.iter();
        sent.filter_map(|(_, _, frame)| match ClientFrame::decode(frame) {
            Ok(ClientFrame::PutBlob(put)) => Some(put.chunks.len()),
            _ => None,
        })
        .sum()
    }

    fn gets(&self, place: usize) -> Vec<(TransportKey, GetBlob)> {
        let sent = self.nodes[place].sent.iter();
        sent.filter_map(|(to, _, frame)| match ClientFrame::decode(frame) {
            Ok(ClientFrame::GetBlob(get)) => Some((*to, get)),
            _ => None,
        })
        .collect()
    }
}

fn relayed() -> (World, ChatId) {
    let mut w = World::relayed();
    let chat = w.befriend();
    (w, chat)
}

fn is_chunks(frame: &CustodianFrame) -> bool {
    matches!(frame, CustodianFrame::BlobChunks(_))
}

#[test]
fn a_blob_goes_by_a_relay_while_the_sender_is_away() {
    let (mut w, chat) = relayed();
    let sent = w.put_blob(chat);
    assert!(!w.is_ready(&sent), "nothing may point to it yet");
    w.tick(ALICE);
    assert!(w.is_ready(&sent));
    assert!(w.nodes[ALICE].client.blobs.is_held(&sent.blob.id));
    assert_eq!(w.put_chunks(ALICE), sent.chunks.len(), "each chunk is sent once");
    w.leave_relay(ALICE);

    w.want_blob(BOB, &sent);
    w.tick(BOB);

    assert!(w.has_arrived(BOB, &sent));
    assert!(w.nodes[BOB].penalised.is_empty());
    w.nodes[BOB].client.blob_forget(&sent.blob.id);
    w.tick(BOB);
    assert_eq!(w.blob_rows(BOB), [0, 0]);
}

#[test]
fn a_blob_goes_from_device_to_device_without_a_relay() {
    let (mut w, chat) = World::friends();
    let sent = w.put_blob(chat);
    w.tick(ALICE);
    assert!(w.is_ready(&sent), "there is no relay to wait for");

    w.want_blob(BOB, &sent);
    w.tick(BOB);

    assert!(w.has_arrived(BOB, &sent));
}

#[test]
fn nobody_is_given_a_blob_by_another_topics_name_and_strangers_few() {
    let (mut w, chat) = World::friends();
    let sent = w.put_blob(chat);
    w.tick(ALICE);
    w.connect(ALICE, CAROL);
    let ask = |w: &mut World, topic| {
        let get = GetBlob {
            request: 7,
            topic,
            blob: sent.blob.id,
            chunks: ChunkRange::of(0..1),
        };
        let (peer, side) = (w.key(CAROL), Side::Server);
        w.nodes[ALICE].sent.clear();
        let bytes = ClientFrame::GetBlob(get).encode();
        w.input(ALICE, Input::Frame { peer, side, bytes });
        CustodianFrame::decode(&w.nodes[ALICE].sent[0].2).unwrap()
    };
    let why = |frame: &CustodianFrame| match frame {
        CustodianFrame::BlobRefused(BlobRefused { request: 7, why, .. }) => Some(*why),
        _ => None,
    };
    assert_eq!(why(&ask(&mut w, TopicId([1; 32]))), Some(Refusal::NotFound));
    let answers: Vec<_> = (0..100).map(|_| why(&ask(&mut w, sent.topic))).collect();
    assert_eq!(answers[0], None, "whoever knows topic and blob is served");
    assert_eq!(answers[99], Some(Refusal::Busy), "but no stranger drains a device");
}

#[test]
fn f27_an_upload_goes_on_after_a_restart() {
    let (mut w, chat) = relayed();
    let sent = w.put_blob(chat);
    w.lose = |to, frame| to == ALICE && matches!(frame, CustodianFrame::BlobState(_));
    w.tick(ALICE);
    let before = w.put_chunks(ALICE);
    assert!(before > 0 && before < sent.chunks.len());
    w.lose = |_, _| false;
    w.nodes[ALICE].sent.clear();
    w.restart(ALICE);

    w.pass(60_000);

    assert!(w.is_ready(&sent));
    assert_eq!(
        w.put_chunks(ALICE),
        sent.chunks.len() - before,
        "what the relay has isn't sent again"
    );
    w.want_blob(BOB, &sent);
    w.tick(BOB);
    assert!(w.has_arrived(BOB, &sent));
    w.nodes[ALICE].sent.clear();
    w.restart(ALICE);
    w.pass(60_000);
    assert!(w.is_ready(&sent), "told again");
    assert_eq!(w.put_chunks(ALICE), 0);
}

#[test]
fn f27_a_download_goes_on_after_a_restart() {
    let (mut w, chat) = relayed();
    let sent = w.put_blob(chat);
    w.tick(ALICE);
    w.want_blob(BOB, &sent);
    // The first chunks come, the next answer gets lost, and the device dies.
    let step = w.hold(BOB, Input::Tick);
    w.commit(BOB, step);
    w.lose = |to, frame| to == BOB && matches!(frame, CustodianFrame::BlobChunks(chunks) if chunks.chunks[0].index > 0);
    w.run();
    let [_, chunks] = w.blob_rows(BOB);
    assert!(chunks > 0 && chunks < sent.chunks.len());
    w.lose = |_, _| false;
    w.nodes[BOB].sent.clear();
    w.leave_relay(ALICE);
    w.restart(BOB);

    w.pass(60_000);

    assert!(w.has_arrived(BOB, &sent));
    let (_, first) = w.gets(BOB).remove(0);
    assert_eq!(
        first.chunks[0].first as usize, chunks,
        "what is here isn't fetched again"
    );
    w.restart(BOB);
    w.pass(60_000);
    assert!(w.has_arrived(BOB, &sent), "told again until it is forgotten");
}

#[test]
fn f01_an_answer_that_never_comes_is_asked_for_again() {
    let (mut w, chat) = relayed();
    let sent = w.put_blob(chat);
    w.lose = |to, frame| to == ALICE && matches!(frame, CustodianFrame::BlobReceipt(_));
    w.tick(ALICE);
    w.lose = |to, frame| to == BOB && is_chunks(frame);
    w.want_blob(BOB, &sent);
    w.tick(BOB);
    assert!(!w.is_ready(&sent) && !w.has_arrived(BOB, &sent));
    w.lose = |_, _| false;

    w.pass(120_000);

    assert!(w.is_ready(&sent));
    assert!(w.has_arrived(BOB, &sent));
}

#[test]
fn f22_a_relay_without_room_is_asked_again_in_its_time() {
    let full = RelayConfig {
        topic_blob_bytes: 1_000_000,
        ..RelayConfig::default()
    };
    let mut w = World::with_relay(full, |_, _| {});
    let chat = w.befriend();
    let sent = w.put_blob(chat);
    w.tick(ALICE);
    w.pass(3_600_000);
    assert!(!w.is_ready(&sent));
    let asked = w.nodes[ALICE].sent.iter().filter(|(_, _, frame)| frame[0] == 6).count();
    assert!((2..=20).contains(&asked), "{asked} puts in an hour");
    w.want_blob(BOB, &sent);
    w.connect(ALICE, BOB);
    assert!(w.has_arrived(BOB, &sent), "the device itself serves it meanwhile");
}

#[test]
fn f18_a_relay_that_lost_its_past_is_given_the_blob_again() {
    let (mut w, chat) = relayed();
    w.send(ALICE, chat, "before");
    let sent = w.put_blob(chat);
    w.tick(ALICE);
    assert!(w.is_ready(&sent));
    w.empty_relay();
    w.pass(120_000);

    w.want_blob(BOB, &sent);
    w.leave_relay(ALICE);
    w.tick(BOB);
    assert!(w.has_arrived(BOB, &sent));
}

#[test]
fn f19_f49_a_relay_that_serves_wrong_chunks_pays_and_another_is_asked() {
    let (mut w, chat) = relayed();
    let sent = w.put_blob(chat);
    w.tick(ALICE);
    w.lose = |to, frame| to == BOB && is_chunks(frame);
    w.want_blob(BOB, &sent);
    w.tick(BOB);
    let (relay, get) = w.gets(BOB).remove(0);
    assert_eq!(relay, relay_secret().public());
    let mut chunks = sent.chunks[..3].to_vec();
    chunks[1].bytes[0] ^= 1;
    let answer = CustodianFrame::BlobChunks(BlobChunks {
        request: get.request,
        chunks,
    });
    let input = Input::Frame {
        peer: relay,
        side: Side::Client,
        bytes: answer.encode(),
    };
    w.input(BOB, input);
    assert_eq!(w.nodes[BOB].penalised.len(), 1);
    assert_eq!(w.blob_rows(BOB), [1, 2], "the good ones are kept");
    w.lose = |_, _| false;
    w.connect(ALICE, BOB);
    let (next, _) = w.gets(BOB).pop().unwrap();
    assert_eq!(next, w.key(ALICE), "a member's device is asked in its turn");
    assert!(w.has_arrived(BOB, &sent));
}

#[test]
fn f19_a_relay_that_says_it_lacks_everything_for_ever_isnt_fed_for_ever() {
    let (mut w, chat) = relayed();
    w.keeper.as_mut().unwrap().up = false;
    let sent = w.put_blob(chat);
    w.tick(ALICE);
    for _ in 0..50 {
        let last = w.nodes[ALICE].sent.iter().rev();
        let mut puts = last.filter_map(|(_, _, frame)| match ClientFrame::decode(frame) {
            Ok(ClientFrame::PutBlob(put)) => Some(put),
            _ => None,
        });
        let state = CustodianFrame::BlobState(BlobState {
            request: puts.next().unwrap().request,
            missing: ChunkRange::of(0..sent.chunks.len() as u32),
        });
        drop(puts);
        let (peer, side) = (relay_secret().public(), Side::Client);
        let bytes = state.encode();
        w.input(ALICE, Input::Frame { peer, side, bytes });
    }
    assert!(w.put_chunks(ALICE) < 2 * sent.chunks.len(), "{}", w.put_chunks(ALICE));
}

#[test]
fn what_nobody_has_is_given_up_in_the_end() {
    let (mut w, chat) = relayed();
    let mut sent = w.put_blob(chat);
    sent.blob.id = crate::keys::BlobId([9; 32]);
    w.want_blob(BOB, &sent);
    w.tick(BOB);
    for _ in 0..31 {
        w.pass(DAY_MS);
    }
    let asked = w.gets(BOB).len();
    assert!((30..6_000).contains(&asked), "{asked} times in a month");
    let news = w.nodes[BOB].client.take_blob_news();
    assert!(news.iter().any(|news| *news == BlobNews::Lost(sent.blob.id)));
    assert_eq!(w.blob_rows(BOB), [0, 0]);
    assert_eq!(w.blob_rows(ALICE), [0, 0], "ours have expired too");
}

#[test]
fn f49_a_blob_whose_key_is_wrong_is_lost_at_once() {
    let (mut w, chat) = relayed();
    let mut sent = w.put_blob(chat);
    w.tick(ALICE);
    sent.blob.key = crate::blob::BlobKey::from_bytes([1; 32]);
    w.want_blob(BOB, &sent);
    w.tick(BOB);
    let news = w.nodes[BOB].client.take_blob_news();
    assert!(news.iter().any(|news| *news == BlobNews::Lost(sent.blob.id)));
    assert_eq!(w.blob_rows(BOB), [0, 0]);
}

#[test]
fn blobs_are_bounded_and_old_ones_make_room() {
    let (mut w, chat) = relayed();
    let now = w.now(ALICE);
    let put = |w: &mut World, bytes: usize| {
        let client = &mut w.nodes[ALICE].client;
        let (blob, chunks) = blob::seal(&client.crypto, &vec![1; bytes]).unwrap();
        let topic = client.chats[&chat].row.topic.clone();
        client.blob_put(now, &topic, &blob, chunks).map(|()| blob)
    };
    let first = put(&mut w, 100_000).unwrap();
    w.tick(ALICE);
    assert!(w.nodes[ALICE].client.blobs.is_held(&first.id));
    w.relay_up(false);
    let mut taken = 0;
    while put(&mut w, 8 * 1024 * 1024).is_ok() {
        taken += 1;
    }
    assert_eq!(taken, 7, "64 MiB with tags and padding");
    assert!(
        !w.nodes[ALICE].client.blobs.is_held(&first.id),
        "what a relay holds made room"
    );
    w.tick(ALICE);
    let mut wanted = 0;
    let client = &mut w.nodes[BOB].client;
    loop {
        let mut blob = first.clone();
        blob.id = crate::keys::BlobId([wanted as u8; 32]);
        blob.id.0[0] = (wanted >> 8) as u8;
        let topic = client.chats[&chat].row.topic.public();
        match client.blob_get(now, topic, None, &blob) {
            Ok(()) => wanted += 1,
            Err(CommandError::Limit { .. }) => break,
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(wanted, 256);
}
