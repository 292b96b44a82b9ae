//! What large groups tell each other of what they have.

use super::*;
use crate::chat::Member;

/// Alice's chat as if it had so many other devices, each with one stream.
fn crowd(w: &mut World, chat: ChatId, many: usize) -> Vec<StreamId> {
    let state = w.nodes[ALICE].client.chats.get_mut(&chat).unwrap();
    let mut streams = Vec::new();
    for n in 0..many {
        let mut name = [9; 32];
        name[..8].copy_from_slice(&(n as u64).to_be_bytes());
        let device = crate::keys::DeviceId(name);
        let member = Member {
            account: crate::keys::AccountId(name),
            device,
            leaf: 1000 + n as u32,
        };
        state.members.push(member);
        let stream = StreamId { device, incarnation: 1 };
        state.streams.entry(stream).or_default().received.insert(1);
        streams.push(stream);
    }
    streams
}

#[test]
fn what_changed_last_is_told_first_and_all_within_a_bounded_number_of_reports() {
    let (mut w, chat) = World::friends();
    let streams = crowd(&mut w, chat, 500);
    let state = w.nodes[ALICE].client.chats.get_mut(&chat).unwrap();
    for stream in &streams[100..200] {
        state.telling.changed(*stream);
    }
    let mut told = BTreeSet::new();
    let first: Vec<StreamId> = state
        .tell(limits::FRONTIER_STREAMS, true)
        .iter()
        .map(|told| told.stream)
        .collect();
    assert_eq!(first.len(), limits::FRONTIER_STREAMS);
    assert!(streams[152..200].iter().all(|stream| first.contains(stream)));
    assert!(state.telling.is_owed(), "the others that changed go with the next");
    told.extend(first);
    let along = state.tell(limits::FRONTIERS_ALONG, false);
    assert_eq!(along.len(), limits::FRONTIERS_ALONG);
    assert!(along.iter().all(|told| streams[100..152].contains(&told.stream)));
    let mut reports = 1;
    while told.len() < state.streams.len() {
        told.extend(
            state
                .tell(limits::FRONTIER_STREAMS, true)
                .iter()
                .map(|told| told.stream),
        );
        reports += 1;
        assert!(
            reports <= 500 / (limits::FRONTIER_STREAMS / 4) + 1,
            "{} told",
            told.len()
        );
    }
    assert!(!state.telling.is_owed());
    println!("500 streams are told within {reports} reports");
}

#[test]
fn a_stream_of_who_is_no_member_is_not_told_and_goes_once_it_is_silent() {
    let (mut w, chat) = World::friends();
    let streams = crowd(&mut w, chat, 100);
    let now_ms = w.now_ms;
    let state = w.nodes[ALICE].client.chats.get_mut(&chat).unwrap();
    for stream in &streams {
        state.streams.get_mut(stream).unwrap().heard_ms = now_ms;
    }
    state.members.retain(|member| member.device != streams[7].device);
    state.telling.changed(streams[7]);
    for _ in 0..10 {
        let told = state.tell(limits::FRONTIER_STREAMS, true);
        assert!(told.iter().all(|told| told.stream != streams[7]));
    }
    state.drop_left(now_ms + 1_000, DAY_MS);
    assert!(state.streams.contains_key(&streams[7]));
    state.drop_left(now_ms + 2 * DAY_MS, DAY_MS);
    assert!(!state.streams.contains_key(&streams[7]) && state.streams.contains_key(&streams[8]));
}

#[test]
fn f25_a_member_that_makes_up_streams_fills_nothing_and_is_heard_again_when_it_joins_anew() {
    let (mut w, chat) = World::friends();
    let device = w.nodes[BOB].client.device();
    for incarnation in 0..50 {
        let made_up = StreamId { device, incarnation };
        let envelope = w.nodes[BOB].forge(chat, &inner(made_up, 1, &format!("{incarnation}")));
        w.gossip_to(ALICE, BOB, envelope.bytes());
        w.pass(10);
    }
    let state = &w.nodes[ALICE].client.chats[&chat];
    assert_eq!(state.streams.len(), limits::STREAMS_PER_DEVICE);
    assert_eq!(w.nodes[ALICE].texts(chat).len(), 50);
    assert_eq!(w.nodes[ALICE].disk.count(Tree::Streams), limits::STREAMS_PER_DEVICE);
    // What was shown of a stream that made room isn't shown again.
    let received = |event: &EventRow| matches!(event, EventRow::MessageReceived { .. });
    let announced = |w: &World| w.nodes[ALICE].events().into_iter().filter(received).count();
    let before = announced(&w);
    let first = StreamId { device, incarnation: 0 };
    for sequence in [1, 2, 1] {
        let text = format!("{}", 50 * (sequence - 1));
        let envelope = w.nodes[BOB].forge(chat, &inner(first, sequence, &text));
        w.gossip_to(ALICE, BOB, envelope.bytes());
        w.pass(10);
    }
    assert_eq!(announced(&w), before + 1);
    assert_eq!(w.nodes[ALICE].texts(chat).len(), 51);
}

#[test]
fn f25_reports_of_a_group_are_bounded_whatever_its_size() {
    for devices in [2_u64, 8, 32, 33, 256, 1_000] {
        let (mut w, chat) = World::friends();
        crowd(&mut w, chat, devices as usize - 2);
        let state = &w.nodes[ALICE].client.chats[&chat];
        let waits: Vec<u64> = (0..1_000).map(|n| state.report_wait_ms(25, n * 7919)).collect();
        let (least, longest) = (*waits.iter().min().unwrap(), state.report_longest_ms(25));
        let rate = devices * 1_000 / least;
        println!("{devices} devices: a report each {least} to {longest} ms, at most {rate} a second in all");
        assert!(waits.iter().all(|wait| *wait <= longest));
        assert!(rate <= if devices <= 32 { 80 } else { 40 }, "{rate}");
    }
}
