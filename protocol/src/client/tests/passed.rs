//! Envelopes that are kept for other members.

use super::groups::Village;
use super::*;
use crate::client::passed::Passed;

impl World {
    /// What a client keeps of a chat.
    pub(super) fn passed(&self, place: usize, chat: ChatId) -> Vec<Passed> {
        let node = &self.nodes[place];
        let all = node.client.passed_between(&node.disk, &chat, 0, u64::MAX, usize::MAX);
        all.unwrap()
    }
}

#[test]
fn members_of_a_group_keep_what_they_take_and_chats_of_two_keep_nothing() {
    let Village { mut w, chat } = Village::new(3);
    let before = w.passed(BOB, chat).len();
    w.send(ALICE, chat, "kept");
    w.pass(5_000);
    let last = w.nodes[ALICE].client.chats[&chat].head.sequence;
    let stream = w.nodes[ALICE].stream(chat);
    let mut ids = BTreeSet::new();
    for place in [ALICE, BOB, CAROL] {
        let kept = w.passed(place, chat);
        let newest = kept.last().unwrap();
        assert_eq!(newest.run, Some((stream, last, last)), "{place}");
        assert_eq!(Envelope::verify(&newest.bytes).unwrap().id(), newest.id);
        ids.insert(newest.id);
    }
    assert_eq!(ids.len(), 1, "the same envelope at all");
    assert_eq!(w.passed(BOB, chat).len(), before + 1, "reports aren't kept");
    let of_two = *w.nodes[BOB].client.chats.keys().find(|id| **id != chat).unwrap();
    w.send(BOB, of_two, "for alice alone");
    w.pass(5_000);
    assert_eq!(w.passed(BOB, of_two), []);
    assert_eq!(w.passed(ALICE, of_two), []);
}

#[test]
fn what_is_kept_goes_after_its_time_and_the_oldest_when_it_is_too_much() {
    let Village { mut w, chat } = Village::new(3);
    let text = "x".repeat(limits::TEXT_BYTES);
    let first = w.passed(BOB, chat).first().unwrap().id;
    for n in 0..160 {
        w.send(ALICE, chat, &text);
        w.pass(1_000);
        let bytes: u64 = w.passed(BOB, chat).iter().map(|kept| kept.bytes.len() as u64).sum();
        assert!(bytes <= limits::PASSED_BYTES, "{bytes} after {n}");
    }
    let kept = w.passed(BOB, chat);
    assert!(kept.len() > 90 && kept[0].id != first, "{}", kept.len());
    let last = w.nodes[ALICE].client.chats[&chat].head.sequence;
    assert_eq!(kept.last().unwrap().run.unwrap().2, last, "the newest is there");
    w.restart(BOB);
    let counted = w.nodes[BOB].client.chats[&chat].head.passed_bytes;
    assert!(counted > 0 && counted <= limits::PASSED_BYTES);
    // It is looked at every hour.
    let hour_ms = 3_600_000;
    w.pass(limits::PASSED_MS + hour_ms);
    w.input(BOB, Input::Tick);
    let old = w.now(BOB) - limits::PASSED_MS - hour_ms;
    assert!(w.passed(BOB, chat).iter().all(|kept| kept.at_ms > old));
    let counted = w.nodes[BOB].client.chats[&chat].head.passed_bytes;
    assert!(counted < 100_000, "{counted}");
}
