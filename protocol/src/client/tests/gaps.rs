//! Gaps: how they are found, shown and filled.

use super::groups::Village;
use super::*;
use crate::client::history::GapView;
use crate::message::Frontier;
use crate::message::repair::{self, OwnStream, Want, Wanted};

/// Longer than the grace, and any time until something is asked for the first time.
const SOON_MS: u64 = 8_000;

impl World {
    fn gaps(&self, place: usize, chat: ChatId) -> Vec<GapView> {
        history::gaps(&self.nodes[place].disk, &chat).unwrap()
    }

    /// The ranges that a client lacks and looks for.
    fn missing(&self, place: usize, chat: ChatId) -> Vec<(u64, u64)> {
        let gaps = self.gaps(place, chat);
        let open = gaps.iter().filter(|gap| gap.state == GapState::Open);
        open.map(|gap| (gap.first, gap.last)).collect()
    }

    fn gap_events(&self, place: usize) -> Vec<(u64, u64, GapState)> {
        let events = self.nodes[place].events();
        let told = events.into_iter().filter_map(|event| match event {
            EventRow::Gap { first, last, state, .. } => Some((first, last, state)),
            _ => None,
        });
        told.collect()
    }

    fn last(&self, place: usize, chat: ChatId) -> u64 {
        self.nodes[place].client.chats[&chat].head.sequence
    }

    /// Sends a text that the relay keeps from bob.
    fn send_unseen(&mut self, place: usize, chat: ChatId, text: &str) -> MessageId {
        let before = std::mem::replace(&mut self.lose, |to, frame| to == BOB && is_page(frame, 1));
        let message = self.send(place, chat, text);
        self.pass(20);
        self.lose = before;
        message
    }

    fn has(&self, place: usize, chat: ChatId, text: &str) -> bool {
        self.nodes[place].texts(chat).iter().any(|known| known == text)
    }
}

/// A page of at least so many envelopes.
fn is_page(frame: &CustodianFrame, least: usize) -> bool {
    matches!(frame, CustodianFrame::Items(page) if page.items.len() >= least)
}

/// Loses the pages by which a relay serves bob anew: it denies what it once had.
fn denies(to: usize, frame: &CustodianFrame) -> bool {
    to == BOB && is_page(frame, 2)
}

/// Senders that look after nothing by themselves, so that only what is asked for comes.
fn patient(_: usize, config: &mut ClientConfig) {
    config.nudge_ms = 100 * DAY_MS;
}

#[test]
fn f15_what_a_relay_left_out_shows_as_a_gap_and_comes_when_it_is_fetched_anew() {
    let Village { mut w, chat } = Village::with(3, patient);
    w.send_unseen(ALICE, chat, "left out");
    let left_out = w.last(ALICE, chat);
    w.send(ALICE, chat, "seen");
    w.pass(2_000);
    assert_eq!(w.gaps(BOB, chat), [], "within the grace nothing is shown");
    // Nobody can be asked yet.
    w.leave_relay(BOB);
    w.keeper.as_mut().unwrap().up = false;
    w.pass(SOON_MS);
    assert_eq!(w.missing(BOB, chat), [(left_out, left_out)]);
    assert_eq!(w.gap_events(BOB), [(left_out, left_out, GapState::Open)]);
    assert_eq!(w.nodes[BOB].client.chat_status(&chat).unwrap().gaps, 1);
    w.restart(BOB);
    assert_eq!(w.missing(BOB, chat), [(left_out, left_out)], "after a restart too");
    w.keeper.as_mut().unwrap().up = true;
    w.pass(60_000);
    assert!(w.has(BOB, chat, "left out"));
    assert_eq!(w.gaps(BOB, chat), []);
    assert_eq!(
        w.gap_events(BOB),
        [
            (left_out, left_out, GapState::Open),
            (left_out, left_out, GapState::Filled)
        ]
    );
    assert_eq!(w.gap_events(CAROL), []);
}

#[test]
fn f15_a_member_hands_over_what_the_relay_denies_and_only_one_of_them() {
    let Village { mut w, chat } = Village::with(5, patient);
    for other in 2..5 {
        w.befriend_two(BOB, other);
        w.connect(BOB, other);
    }
    w.lose = denies;
    w.send_unseen(ALICE, chat, "denied");
    w.pass(1_000);
    let kept = w.passed(CAROL, chat).last().unwrap().bytes.clone();
    w.send(ALICE, chat, "seen");
    let others = 2..5;
    for other in others.clone() {
        w.nodes[other].sent.clear();
    }
    w.pass(SOON_MS);
    assert_eq!(w.missing(BOB, chat).len(), 1, "the relay was asked and denies");
    w.pass(60_000);
    assert!(w.has(BOB, chat, "denied"));
    assert_eq!(w.missing(BOB, chat), []);
    let to_bob = w.key(BOB);
    let answers = others.filter(|place| {
        let sent: Vec<_> = w.nodes[*place]
            .sent
            .iter()
            .filter(|(to, _, _)| *to == to_bob)
            .cloned()
            .collect();
        deposits(&sent).contains(&kept)
    });
    assert_eq!(answers.count(), 1, "the others saw that it was answered");
}

#[test]
fn f15_without_being_asked_nobody_hands_over_what_the_relay_denies() {
    let Village { mut w, chat } = Village::with(5, |place, config| {
        patient(place, config);
        // The broken variant: nobody is ever asked.
        config.gap_fill_ms = 100 * DAY_MS;
    });
    w.lose = denies;
    w.send_unseen(ALICE, chat, "denied");
    w.send(ALICE, chat, "seen");
    w.connect(BOB, CAROL);
    w.pass(SOON_MS + 60_000);
    assert!(!w.has(BOB, chat, "denied"));
    assert_eq!(w.missing(BOB, chat).len(), 1, "but it shows");
}

#[test]
fn f15_in_a_chat_of_two_the_author_seals_it_again() {
    let mut w = World::with_relay(RelayConfig::default(), patient);
    let chat = w.befriend();
    w.lose = denies;
    w.send_unseen(ALICE, chat, "denied");
    w.send(ALICE, chat, "seen");
    w.pass(SOON_MS);
    assert_eq!(w.missing(BOB, chat).len(), 1);
    w.pass(60_000);
    assert!(w.has(BOB, chat, "denied"));
    assert_eq!(w.gaps(BOB, chat), []);
}

#[test]
fn f16_a_tail_that_a_relay_keeps_back_is_noticed_at_the_next_frontier_of_a_member() {
    let Village { mut w, chat } = Village::with(3, patient);
    w.befriend_two(BOB, CAROL);
    w.connect(BOB, CAROL);
    w.send_unseen(ALICE, chat, "the last one");
    let last = w.last(ALICE, chat);
    w.lose = denies;
    w.pass(1_000);
    assert!(w.has(CAROL, chat, "the last one"), "whose report names it");
    w.pass(SOON_MS);
    assert_eq!(w.missing(BOB, chat), [(last, last)]);
    w.pass(60_000);
    assert!(w.has(BOB, chat, "the last one"));
    assert_eq!(w.gaps(BOB, chat), []);
}

#[test]
fn what_was_written_before_a_device_joined_is_no_gap_and_what_comes_later_is() {
    let Village { mut w, chat } = Village::with(4, patient);
    let dave = 3;
    for n in 0..4 {
        w.send(ALICE, chat, &format!("before {n}"));
        w.send(CAROL, chat, &format!("before too {n}"));
        w.pass(1_000);
    }
    // Dave knows nothing of it and comes anew.
    let erin = w.guest();
    w.nodes[erin].config.relays = Some(vec![relay_address()]);
    w.restart(erin);
    w.pass(5_000);
    let link = w.invite(ALICE, false);
    w.accept(erin, &link).unwrap();
    let request = w.nodes[ALICE].requests()[0];
    w.approve(ALICE, request).unwrap();
    w.pass(5_000);
    let members = vec![w.nodes[erin].client.account()];
    assert!(w.command(ALICE, Command::AddMembers { chat, members }).unwrap().is_ok());
    w.pass(10_000);
    for place in [ALICE, CAROL, erin, dave] {
        w.send(place, chat, &format!("after, by {place}"));
        w.pass(2_000);
    }
    w.pass(60_000);
    assert_eq!(w.gaps(erin, chat), []);
    assert_eq!(w.gap_events(erin), [], "nothing was ever missing");
    for place in [ALICE, BOB, CAROL, dave] {
        assert!(w.has(erin, chat, "after, by 0") && w.has(place, chat, "after, by 4"));
        assert_eq!(w.gap_events(place), [], "{place}");
    }
}

#[test]
fn an_author_that_gave_up_says_so_and_nobody_is_asked_any_more() {
    let Village { mut w, chat } = Village::with(3, |place, config| {
        patient(place, config);
        config.nudge_ms = 60_000;
        config.give_up_ms = 2 * DAY_MS;
    });
    w.lose = |to, _| to == BOB;
    let message = w.send(ALICE, chat, "for nobody to keep");
    w.pass(20);
    let lost = w.last(ALICE, chat);
    for half_hour in 0..200 {
        let early = half_hour < 2 * 48;
        assert!(
            !early || w.nodes[ALICE].client.out_messages > 0,
            "after {half_hour} half hours"
        );
        w.pass(3_600_000 / 2);
        for place in [ALICE, CAROL] {
            w.input(place, Input::Tick);
        }
        if w.nodes[ALICE].ledger(message).expired {
            break;
        }
    }
    assert!(w.nodes[ALICE].ledger(message).expired);
    assert_eq!(w.nodes[ALICE].client.out_messages, 0);
    // What is kept for others is too old, and the relay goes on with what is new.
    w.pass(4 * DAY_MS);
    w.lose = denies;
    w.send(ALICE, chat, "later");
    w.pass(SOON_MS);
    w.send(CAROL, chat, "carol, so that alice reports");
    w.pass(60_000);
    assert!(w.has(BOB, chat, "later"));
    let gaps = w.gaps(BOB, chat);
    let states: Vec<_> = gaps.iter().map(|gap| (gap.first, gap.last, gap.state)).collect();
    assert_eq!(states, [(lost, lost, GapState::Lost)]);
    assert_eq!(w.nodes[BOB].client.chat_status(&chat).unwrap().lost, 1);
    let rounds = gaps[0].asked;
    w.pass(DAY_MS);
    assert_eq!(w.gaps(BOB, chat)[0].asked, rounds, "bob asks for nothing");
    assert!(!w.nodes[BOB].client.chats[&chat].gaps.asking);
}

#[test]
fn f16_who_lies_about_anothers_stream_is_contradicted_by_its_author() {
    let Village { mut w, chat } = Village::with(3, patient);
    w.send(ALICE, chat, "all there is");
    w.pass(5_000);
    let (alice, carol) = (w.nodes[ALICE].stream(chat), w.nodes[CAROL].stream(chat));
    let last = w.last(ALICE, chat);
    let mut delivered = SeqSet::default();
    delivered.insert_range(1, 1 << 60);
    let lie = Inner {
        messages: Vec::new(),
        frontiers: vec![Frontier {
            stream: alice,
            delivered,
            read_through: 0,
        }],
        ..inner(carol, 1, "")
    };
    let envelope = w.nodes[CAROL].forge(chat, &lie);
    w.gossip_to(BOB, CAROL, envelope.bytes());
    w.pass(SOON_MS);
    assert_eq!(w.missing(BOB, chat), [(last + 1, 1 << 60)]);
    w.pass(60_000);
    w.send(CAROL, chat, "alice reports that this is here");
    w.pass(10_000);
    assert_eq!(w.gaps(BOB, chat), []);
    assert_eq!(w.gap_events(BOB).last().unwrap().2, GapState::Void);
}

#[test]
fn two_histories_of_one_stream_are_seen_by_all_that_have_both() {
    let (mut w, chat) = World::friends();
    w.send(BOB, chat, "the one");
    w.pass(5_000);
    let (stream, last) = (w.nodes[BOB].stream(chat), w.last(BOB, chat));
    let other = w.nodes[BOB].forge(chat, &inner(stream, last, "the other"));
    w.gossip_to(ALICE, BOB, other.bytes());
    let gaps = w.gaps(ALICE, chat);
    assert_eq!(gaps.len(), 1);
    assert_eq!((gaps[0].first, gaps[0].state), (last, GapState::Forked));
    assert_eq!(gaps[0].device, stream.device);
    assert_eq!(w.gap_events(ALICE), [(last, last, GapState::Forked)]);
    // It is said once, and stays.
    let next = w.nodes[BOB].forge(chat, &inner(stream, last + 1, "built on neither"));
    w.gossip_to(ALICE, BOB, next.bytes());
    assert!(w.has(ALICE, chat, "built on neither"), "what came is shown");
    w.restart(ALICE);
    assert_eq!(w.gaps(ALICE, chat).len(), 1);
    assert_eq!(w.gap_events(ALICE).len(), 1);
}

#[test]
fn f25_a_member_that_asks_for_ever_costs_the_others_little() {
    let Village { mut w, chat } = Village::with(3, patient);
    for n in 0..20 {
        w.send(ALICE, chat, &format!("{n} {}", "x".repeat(1_000)));
        w.pass(1_000);
    }
    let (alice, carol) = (w.nodes[ALICE].stream(chat), w.nodes[CAROL].stream(chat));
    w.pass(20_000);
    for place in [ALICE, BOB] {
        w.nodes[place].sent.clear();
    }
    let mut ranges = SeqSet::default();
    ranges.insert_range(1, u64::MAX - 2);
    for _ in 0..600 {
        let mut ask = Inner {
            messages: Vec::new(),
            ..inner(carol, 1, "")
        };
        let want = |stream| Want {
            stream,
            ranges: ranges.clone(),
        };
        repair::want(
            &mut ask.extensions,
            &Wanted(vec![want(alice), want(w.nodes[BOB].stream(chat))]),
        );
        repair::tell_own(&mut ask.extensions, &OwnStream::default());
        let envelope = w.nodes[CAROL].forge(chat, &ask);
        w.gossip_to(ALICE, CAROL, envelope.bytes());
        w.gossip_to(BOB, CAROL, envelope.bytes());
        w.pass(1_000);
    }
    let given: usize = [ALICE, BOB]
        .iter()
        .map(|place| deposits(&w.nodes[*place].sent).iter().map(Vec::len).sum::<usize>())
        .sum();
    let bound = 2 * limits::PASSED_BYTES as usize;
    assert!((20_000..bound).contains(&given), "{given} bytes in ten minutes");
    let client = &w.nodes[ALICE].client;
    assert!(client.chats[&chat].row.given_up.ranges().len() <= limits::FRONTIER_RANGES);
}

#[test]
fn f45_who_was_put_out_and_comes_back_lacks_nothing_of_what_was_written_meanwhile() {
    let Village { mut w, chat } = Village::with(4, patient);
    for n in 0..2 {
        w.send(ALICE, chat, &format!("before {n}"));
        w.send(CAROL, chat, &format!("before too {n}"));
        w.pass(1_000);
    }
    w.removes(ALICE, chat, BOB);
    w.pass(10_000);
    for n in 0..3 {
        w.send(ALICE, chat, &format!("behind bob's back {n}"));
        w.send(CAROL, chat, &format!("behind it too {n}"));
        w.pass(1_000);
    }
    let members = vec![w.account(BOB)];
    w.does(ALICE, Command::AddMembers { chat, members });
    w.pass(10_000);
    for place in [ALICE, CAROL, BOB] {
        w.send(place, chat, &format!("again together, {place}"));
        w.pass(2_000);
    }
    w.pass(60_000);
    assert!(w.has(BOB, chat, "again together, 0") && w.has(BOB, chat, "again together, 2"));
    assert!(!w.has(BOB, chat, "behind bob's back 1"));
    assert_eq!(w.gap_events(BOB), []);
    // From now on a gap is one.
    w.send_unseen(ALICE, chat, "left out");
    let left_out = w.last(ALICE, chat);
    w.lose = denies;
    w.send(ALICE, chat, "seen");
    w.pass(SOON_MS);
    assert_eq!(w.missing(BOB, chat), [(left_out, left_out)]);
}

#[test]
fn what_a_member_wrote_who_was_removed_is_looked_for_and_given_up_in_the_end() {
    let Village { mut w, chat } = Village::with(3, patient);
    w.lose = denies;
    w.send_unseen(CAROL, chat, "gone with carol");
    w.send(CAROL, chat, "seen");
    w.pass(1_000);
    w.removes(ALICE, chat, CAROL);
    w.pass(SOON_MS);
    assert_eq!(w.missing(BOB, chat).len(), 1);
    w.pass(3 * 3_600_000);
    let gaps = w.gaps(BOB, chat);
    assert_eq!(gaps.len(), 1);
    assert_eq!(gaps[0].state, GapState::Lost);
    assert!(gaps[0].asked > 8, "{}", gaps[0].asked);
}

#[test]
fn a_member_that_leaves_holes_everywhere_hides_nobody_elses() {
    let Village { mut w, chat } = Village::with(3, patient);
    let carol = w.nodes[CAROL].stream(chat);
    w.disconnect(BOB, CAROL);
    let from = w.last(CAROL, chat) + 2;
    let sequences: Vec<u64> = (0..1_200).map(|n| from + 2 * n).collect();
    for some in sequences.chunks(100) {
        let mut run = inner(carol, some[0], "a hole before this");
        let first = run.messages[0].clone();
        run.messages = some
            .iter()
            .map(|sequence| Durable {
                sequence: *sequence,
                ..first.clone()
            })
            .collect();
        let envelope = w.nodes[CAROL].forge(chat, &run);
        w.gossip_to(BOB, CAROL, envelope.bytes());
    }
    w.pass(SOON_MS);
    let listed = w.nodes[BOB].disk.count(Tree::Gaps);
    assert!((1..=2 * limits::GAPS_PER_CHAT).contains(&listed), "{listed}");
    // It gives up here and there.
    for turn in 0..20 {
        let mut report = Inner {
            messages: Vec::new(),
            ..inner(carol, 1, "")
        };
        let mut lost = SeqSet::default();
        for n in 0..limits::FRONTIER_RANGES as u64 {
            let at = from + 2 * (64 * turn + n);
            lost.insert_range(at - 1, at - 1);
        }
        let own = OwnStream {
            last: from + 10_000,
            lost,
            ..OwnStream::default()
        };
        repair::tell_own(&mut report.extensions, &own);
        let envelope = w.nodes[CAROL].forge(chat, &report);
        w.gossip_to(BOB, CAROL, envelope.bytes());
    }
    w.pass(1_000);
    let listed = w.nodes[BOB].disk.count(Tree::Gaps);
    assert!(listed <= 2 * limits::GAPS_PER_CHAT, "{listed}");
    w.send_unseen(ALICE, chat, "left out");
    let left_out = w.last(ALICE, chat);
    w.lose = denies;
    w.send(ALICE, chat, "seen");
    w.pass(SOON_MS);
    let alice = w.nodes[ALICE].client.device();
    let found = w.gaps(BOB, chat);
    assert!(
        found.iter().any(|gap| gap.device == alice && gap.first == left_out),
        "{} others",
        found.len()
    );
}
