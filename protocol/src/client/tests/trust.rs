//! Relays that break their word: how it is found, what is kept as proof, what follows.

use super::*;
use crate::client::outbox::OutWhat;
use crate::client::records::OutKind;
use crate::custody::{Answer, Reconciled, Refusal};

const HOUR_MS: u64 = 3_600_000;

impl World {
    fn standing(&self, place: usize) -> Standing {
        self.nodes[place].client.standing(&relay_secret().public())
    }

    fn faults(&self, place: usize) -> Vec<Fault> {
        self.standing(place).marks.iter().map(|mark| mark.fault).collect()
    }

    fn evidence(&self, place: usize) -> Vec<Evidence> {
        evidence(&self.nodes[place].disk, Some(&relay_secret().public())).unwrap()
    }

    /// Takes envelopes out of the first relay's log, as if it had never taken them.
    pub(in crate::client) fn lose_from_log(&mut self, ids: &[EnvelopeId]) {
        let keeper = self.keeper.as_mut().unwrap();
        let topics: Vec<(TopicId, u64)> = keeper
            .disk
            .prefix(Tree::RelayTopics, &[], usize::MAX)
            .unwrap()
            .into_iter()
            .map(|(key, value)| {
                (
                    TopicId(key.try_into().unwrap()),
                    u64::from_be_bytes(value[..8].try_into().unwrap()),
                )
            })
            .collect();
        let mut batch = Batch::default();
        let mut lost = 0;
        for (key, value) in keeper.disk.prefix(Tree::RelayLog, &[], usize::MAX).unwrap() {
            let number = key[..6].iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
            let (topic, _) = topics.iter().find(|(_, known)| *known == number).unwrap();
            if value.len() < 24 {
                continue;
            }
            let rest = &value[21..];
            let envelope = [&rest[..2], topic.as_bytes().as_slice(), &rest[2..]].concat();
            if ids.contains(&Envelope::peek(&envelope).unwrap().1) {
                batch.delete(Tree::RelayLog, key);
                lost += 1;
            }
        }
        assert_eq!(lost, ids.len(), "the relay has what is to be lost");
        keeper.disk.apply(&batch);
    }

    /// Sets the first relay back to a backup, which it doesn't know.
    fn restore(&mut self, backup: MemoryRows) {
        self.relay_up(false);
        let relay = Relay::load(RelayConfig::default(), relay_secret(), [9; 32], &backup, self.now_ms).unwrap();
        self.keeper = Some(Keeper {
            relay,
            disk: backup,
            up: true,
        });
    }

    /// What alice has sealed and still keeps.
    fn sealed(&self, place: usize) -> Vec<EnvelopeId> {
        self.nodes[place].client.out_ids.keys().copied().collect()
    }

    /// Lets time pass while the relays tick, as they do.
    pub(in crate::client) fn live(&mut self, ms: u64) {
        let end = self.now_ms + ms;
        while self.now_ms < end {
            self.pass((end - self.now_ms).min(HOUR_MS / 6));
            for relay in [relay_secret(), second_secret()] {
                self.relay_input_at(relay.public(), RelayInput::Tick);
            }
        }
    }

    fn suspect(&mut self, place: usize, chat: ChatId) {
        let now_ms = self.now(place);
        let client = &mut self.nodes[place].client;
        let topic = client.chats[&chat].row.topic.public();
        client.suspect(now_ms, topic);
    }

    /// The number of the last question about a window that a client asked.
    fn asked(&self, place: usize) -> Option<u64> {
        self.nodes[place]
            .sent
            .iter()
            .rev()
            .find_map(|(_, _, frame)| match ClientFrame::decode(frame) {
                Ok(ClientFrame::Reconcile(question)) => Some(question.request),
                _ => None,
            })
    }
}

/// Alice and bob, with two relays; bob is away, and what alice has sent waits at both.
fn waiting() -> (World, ChatId, MessageId) {
    let mut w = World::with_two_relays();
    let chat = w.befriend();
    w.live(HOUR_MS);
    for relay in [relay_secret(), second_secret()] {
        w.leave(BOB, relay.public());
    }
    let bob = w.key(BOB);
    for place in [ALICE, CAROL] {
        w.input(place, Input::Disconnected { peer: bob });
    }
    w.nodes[BOB]
        .client
        .links
        .values_mut()
        .for_each(|link| link.retry_at_ms = u64::MAX);
    let message = w.send(ALICE, chat, "hello");
    let held = w.nodes[ALICE].ledger(message);
    assert_eq!((held.state, held.held.len()), (LedgerState::Held, 2));
    (w, chat, message)
}

/// Alice and bob with one relay; bob is away. Nothing is sealed again, so that its relay is asked for the same envelopes.
fn one_relay() -> (World, ChatId, MessageId) {
    let mut w = World::with_relay(RelayConfig::default(), |_, config| config.nudge_ms = 100 * DAY_MS);
    let chat = w.befriend();
    w.live(HOUR_MS);
    w.leave_relay(BOB);
    w.nodes[BOB]
        .client
        .links
        .values_mut()
        .for_each(|link| link.retry_at_ms = u64::MAX);
    let message = w.send(ALICE, chat, "hello");
    (w, chat, message)
}

#[test]
fn an_honest_relay_is_asked_about_once_a_day_and_stays_trusted() {
    let (mut w, chat, _) = one_relay();
    for _ in 0..3 {
        w.live(DAY_MS);
        w.send(ALICE, chat, "another");
    }
    let asked = |w: &World| {
        let frames = w.nodes[ALICE].sent.iter();
        frames
            .filter(|(_, _, frame)| matches!(ClientFrame::decode(frame), Ok(ClientFrame::Reconcile(_))))
            .count()
    };
    assert!(asked(&w) > 0, "nothing was asked");
    assert!(asked(&w) <= 3 * 4 * 2, "{} questions in three days", asked(&w));
    assert_eq!((w.faults(ALICE), w.faults(BOB)), (vec![], vec![]));
}

#[test]
fn f17_a_relay_that_signs_and_later_denies_is_found_out_demoted_and_nothing_is_lost() {
    let (mut w, chat, message) = waiting();
    let ids = w.sealed(ALICE);
    w.lose_from_log(&ids);
    w.live(2 * DAY_MS);
    assert_eq!(w.faults(ALICE), [Fault::Denied]);
    assert!(w.standing(ALICE).demoted_ms.is_some());
    let relay = relay_secret().public();
    let told = EventRow::RelayDemoted {
        relay,
        fault: Fault::Denied,
    };
    assert_eq!(w.nodes[ALICE].count_events(&told), 1);

    let kept = w.evidence(ALICE);
    assert_eq!(kept.len(), 1);
    assert!(ids.contains(&kept[0].envelope.unwrap()));
    let Ok(CustodianFrame::Receipt(receipt)) = CustodianFrame::decode(&kept[0].receipts[0]) else {
        panic!("no receipt");
    };
    receipt.verify(&relay).unwrap();
    let signed = receipt
        .accepted
        .iter()
        .find(|accepted| Some(accepted.id) == kept[0].envelope)
        .unwrap();
    assert_eq!(signed.until_s, kept[0].until_s);
    assert!(matches!(
        CustodianFrame::decode(&kept[0].frame),
        Ok(CustodianFrame::Reconciled(_))
    ));

    // The ledger doesn't go back, and names only who still holds it.
    let ledger = w.nodes[ALICE].ledger(message);
    assert_eq!(ledger.state, LedgerState::Held);
    assert!(
        ledger
            .held
            .iter()
            .any(|(holder, _)| *holder == second_secret().public())
    );
    w.restart(ALICE);
    assert_eq!(w.standing(ALICE).reason(), Some(Fault::Denied), "a restart forgets it");
    w.nodes[BOB]
        .client
        .links
        .values_mut()
        .for_each(|link| link.retry_at_ms = 0);
    w.live(HOUR_MS);
    assert_eq!(w.nodes[BOB].texts(chat), ["hello"]);
}

#[test]
fn f17_a_second_signature_for_what_was_promised_longer_ago_is_proof_enough() {
    let (mut w, _, _) = one_relay();
    let ids = w.sealed(ALICE);
    w.lose_from_log(&ids);
    w.live(HOUR_MS * 3);
    // Whoever deposits the same bytes anew gets a new expiry from a relay that has lost them.
    let number = w.nodes[ALICE].client.out_ids[&ids[0]];
    let client = &mut w.nodes[ALICE].client;
    let peer = relay_secret().public();
    let out = client.outs.get_mut(&number).unwrap();
    out.held.clear();
    client.links.get_mut(&peer).unwrap().todo.insert(number);
    client.pump(w.now_ms, peer).unwrap();
    w.input(ALICE, Input::Tick);
    assert_eq!(w.faults(ALICE), [Fault::Denied]);
    let kept = w.evidence(ALICE);
    let until: Vec<u64> = kept[0]
        .receipts
        .iter()
        .map(|frame| match CustodianFrame::decode(frame) {
            Ok(CustodianFrame::Receipt(receipt)) => {
                receipt.verify(&peer).unwrap();
                receipt
                    .accepted
                    .iter()
                    .find(|accepted| accepted.id == ids[0])
                    .unwrap()
                    .until_s
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(until.len() == 2 && until[1] > until[0] + 3_600, "{until:?}");
}

#[test]
fn f17_while_a_demoted_relay_is_not_the_only_one_its_word_is_no_custody() {
    let (mut w, chat, _) = waiting();
    let ids = w.sealed(ALICE);
    w.lose_from_log(&ids);
    w.live(2 * DAY_MS);
    assert!(w.standing(ALICE).demoted_ms.is_some());
    w.second.as_mut().unwrap().up = false;
    w.leave(ALICE, second_secret().public());
    let message = w.send(ALICE, chat, "again");
    let ledger = w.nodes[ALICE].ledger(message);
    assert_eq!((ledger.state, ledger.held.len()), (LedgerState::Queued, 0));
    w.second.as_mut().unwrap().up = true;
    w.live(60_000);
    let ledger = w.nodes[ALICE].ledger(message);
    assert_eq!(ledger.state, LedgerState::Held);
    assert_eq!(ledger.held[0].0, second_secret().public());
}

#[test]
fn f17_the_word_of_a_demoted_relay_counts_again_once_no_other_is_trusted() {
    let (mut w, chat, _) = waiting();
    let ids = w.sealed(ALICE);
    w.lose_from_log(&ids);
    w.live(2 * DAY_MS);
    w.second.as_mut().unwrap().up = false;
    w.leave(ALICE, second_secret().public());
    let message = w.send(ALICE, chat, "again");
    assert_eq!(w.nodes[ALICE].ledger(message).state, LedgerState::Queued);
    let now_ms = w.now(ALICE);
    let second = second_secret().public();
    w.nodes[ALICE]
        .client
        .fault(now_ms, second, Fault::Denied, &crate::client::trust::Proof::default())
        .unwrap();
    w.input(ALICE, Input::Tick);
    let ledger = w.nodes[ALICE].ledger(message);
    assert_eq!(ledger.state, LedgerState::Held);
    assert_eq!(ledger.held[0].0, relay_secret().public());
}

#[test]
fn f17_a_relay_that_knows_nothing_of_a_topic_for_which_it_signed_denies() {
    let (mut w, chat, _) = one_relay();
    w.live(HOUR_MS);
    w.lose = |to, frame| to == ALICE && matches!(frame, CustodianFrame::Reconciled(_));
    let before = w.asked(ALICE);
    w.suspect(ALICE, chat);
    for _ in 0..600 {
        w.live(1_000);
        if w.asked(ALICE) != before {
            break;
        }
    }
    let request = w.asked(ALICE).unwrap();
    w.hear(
        ALICE,
        &CustodianFrame::Reconciled(Reconciled {
            request,
            answer: Answer::Refused {
                why: Refusal::NotHere,
                retry_after_s: 0,
            },
        }),
    );
    assert_eq!(w.faults(ALICE), [Fault::Denied]);
}

#[test]
fn f20_what_was_on_its_way_when_a_topic_is_fetched_again_is_no_fault() {
    let (mut w, chat, _) = one_relay();
    w.lose = |to, frame| to == ALICE && matches!(frame, CustodianFrame::Items(_));
    let secret = w.nodes[ALICE].client.chats[&chat].row.topic.clone();
    let page = |position: u64| {
        let envelope = Envelope::sign(&secret, 3_600, &position.to_be_bytes()).unwrap();
        CustodianFrame::Items(Items {
            topic: secret.public(),
            cursor: Cursor {
                epoch: 1,
                position,
                hash: RunningHash([1; 16]),
            },
            void: false,
            caught_up: true,
            items: vec![crate::custody::Item {
                position,
                envelope: envelope.into_bytes(),
            }],
        })
    };
    w.hear(ALICE, &page(1_000));
    w.nodes[ALICE].client.fetch_again(secret.public());
    w.input(ALICE, Input::Tick);
    for position in [1_001, 900, 901, 1_002] {
        w.hear(ALICE, &page(position));
    }
    assert_eq!(w.faults(ALICE), []);
    w.hear(ALICE, &page(900));
    assert_eq!(w.faults(ALICE), [Fault::Junk], "it was asked to begin anew once");
}

#[test]
fn f17_contacts_are_told_the_other_relays_of_whoever_has_a_demoted_one() {
    let (mut w, _, _) = waiting();
    let third = TransportSecret::from_bytes([79; 32]).public();
    w.nodes[ALICE].client.settings.relays.push(PeerAddress {
        key: third,
        addrs: vec!["/memory/79".into()],
    });
    let ids = w.sealed(ALICE);
    w.lose_from_log(&ids);
    w.live(2 * DAY_MS);
    w.nodes[BOB]
        .client
        .links
        .values_mut()
        .for_each(|link| link.retry_at_ms = 0);
    w.live(HOUR_MS);
    let alice = w.nodes[ALICE].client.account();
    let told: Vec<TransportKey> = w.nodes[BOB].client.contacts[&alice]
        .relays
        .iter()
        .map(|relay| relay.key)
        .collect();
    assert_eq!(told, [second_secret().public(), third]);
    // The one that is left of two may lie too, or be full.
    w.nodes[ALICE].client.settings.relays.truncate(2);
    let told: Vec<TransportKey> = w.nodes[ALICE]
        .client
        .told_relays()
        .iter()
        .map(|relay| relay.key)
        .collect();
    assert_eq!(told, [second_secret().public(), relay_secret().public()]);
    // Points halve: who behaves is trusted and told again.
    w.live(40 * DAY_MS);
    assert_eq!(w.standing(ALICE).demoted_ms, None);
    let told = w.nodes[ALICE].client.told_relays();
    assert_eq!(told[0].key, relay_secret().public());
}

#[test]
fn the_only_relay_stays_in_use_when_it_is_demoted() {
    let (mut w, chat, _) = one_relay();
    let ids = w.sealed(ALICE);
    w.lose_from_log(&ids);
    w.live(20 * HOUR_MS);
    w.send(ALICE, chat, "more");
    w.live(DAY_MS);
    assert!(w.standing(ALICE).demoted_ms.is_some());
    let message = w.send(ALICE, chat, "again");
    assert_eq!(w.nodes[ALICE].ledger(message).state, LedgerState::Held);
    w.nodes[BOB]
        .client
        .links
        .values_mut()
        .for_each(|link| link.retry_at_ms = 0);
    w.live(HOUR_MS);
    assert_eq!(w.nodes[BOB].texts(chat), ["hello", "more", "again"]);
}

#[test]
fn f18_a_relay_restored_from_a_backup_forgot_and_is_not_said_to_lie() {
    let mut w = World::with_two_relays();
    let chat = w.befriend();
    w.live(60_000);
    let backup = w.keeper.as_ref().unwrap().disk.clone();
    for text in ["one", "two"] {
        w.send(ALICE, chat, text);
    }
    w.live(60_000);
    w.restore(backup);
    w.live(HOUR_MS);
    assert_eq!(w.faults(ALICE), [Fault::Forgot]);
    let kept = w.evidence(ALICE);
    // The beginning of a page (tag, topic, cursor, flags) that says void.
    assert_eq!((kept[0].frame[0], kept[0].frame[65] & 1), (130, 1));
    assert_eq!(kept[0].receipts.len(), 1);
    w.live(2 * DAY_MS);
    assert_eq!(
        w.faults(ALICE),
        [Fault::Forgot],
        "what it signed before it forgot is no lie"
    );
}

#[test]
fn f18_a_demoted_relay_that_forgot_is_handed_again_also_what_its_word_was_no_custody_for() {
    let (mut w, chat, _) = waiting();
    let (now_ms, relay) = (w.now(ALICE), relay_secret().public());
    let proof = crate::client::trust::Proof::default();
    w.nodes[ALICE]
        .client
        .fault(now_ms, relay, Fault::Denied, &proof)
        .unwrap();
    w.input(ALICE, Input::Tick);
    let backup = w.keeper.as_ref().unwrap().disk.clone();
    let message = w.send(ALICE, chat, "again");
    w.live(60_000);
    assert_eq!(w.nodes[ALICE].ledger(message).held.len(), 1, "its word isn't doubted");
    w.restore(backup);
    w.live(HOUR_MS);
    let ids = w.sealed(ALICE);
    w.lose_from_log(&ids);
}

#[test]
fn f18_a_topic_that_begins_anew_after_its_time_is_no_fault() {
    let (mut w, _, _) = one_relay();
    w.live(100 * DAY_MS);
    w.leave_relay(ALICE);
    w.live(HOUR_MS);
    assert_eq!(w.faults(ALICE), []);
}

#[test]
fn f19_a_relay_that_says_have_and_never_serves_is_demoted() {
    let mut w = World::relayed();
    let chat = w.befriend();
    w.live(HOUR_MS);
    // It pushes nothing more to alice, not what she deposits either.
    w.lose = |to, frame| to == ALICE && matches!(frame, CustodianFrame::Items(page) if !page.items.is_empty());
    w.leave_relay(BOB);
    w.send(ALICE, chat, "hello");
    w.lose = |to, frame| {
        to == ALICE
            && match frame {
                CustodianFrame::Items(page) => !page.items.is_empty(),
                CustodianFrame::Reconciled(reconciled) => matches!(reconciled.answer, Answer::Fetched(_)),
                _ => false,
            }
    };
    let sent = w.nodes[ALICE].sent.len();
    w.live(DAY_MS / 2);
    let due = w.nodes[ALICE].client.links[&relay_secret().public()].audit.due_ms;
    assert!(due.is_some());
    w.suspect(ALICE, chat);
    w.live(HOUR_MS);
    let fetch = w.nodes[ALICE].sent[sent..]
        .iter()
        .rev()
        .find_map(|(_, _, frame)| match ClientFrame::decode(frame) {
            Ok(ClientFrame::Reconcile(question)) => match question.ask {
                crate::custody::Ask::Fetch(_) => Some(question.request),
                _ => None,
            },
            _ => None,
        });
    assert!(fetch.is_some(), "what wasn't pushed is asked for");
    assert_eq!(w.faults(ALICE), [], "silence alone is no fault");

    // The same again, and this time it says that there is nothing to send.
    w.lose = |to, frame| to == ALICE && matches!(frame, CustodianFrame::Items(page) if !page.items.is_empty());
    w.send(ALICE, chat, "another");
    w.lose = |to, frame| {
        to == ALICE && matches!(frame, CustodianFrame::Items(_))
            || matches!(frame, CustodianFrame::Reconciled(reconciled) if matches!(reconciled.answer, Answer::Fetched(_)))
    };
    w.suspect(ALICE, chat);
    let before = w.asked(ALICE);
    for _ in 0..600 {
        w.live(1_000);
        if w.asked(ALICE) != before
            && w.nodes[ALICE].client.links[&relay_secret().public()]
                .audit
                .is_fetching()
        {
            break;
        }
    }
    let request = w.asked(ALICE).unwrap();
    w.hear(
        ALICE,
        &CustodianFrame::Reconciled(Reconciled {
            request,
            answer: Answer::Refused {
                why: Refusal::NotFound,
                retry_after_s: 0,
            },
        }),
    );
    assert_eq!(w.faults(ALICE), [Fault::Unserved]);
    assert!(w.standing(ALICE).demoted_ms.is_some());
}

#[test]
fn f19_a_relay_that_pages_without_end_is_demoted() {
    let (mut w, chat, _) = one_relay();
    let topic = w.nodes[ALICE].client.chats[&chat].row.topic.public();
    let mut position = 1_000;
    for _ in 0..=limits::TOPIC_ITEMS / 10_000 {
        let page = Items {
            topic,
            cursor: Cursor {
                epoch: 1,
                position,
                hash: RunningHash([1; 16]),
            },
            void: false,
            caught_up: false,
            items: (0..10_000)
                .map(|_| {
                    position += 1;
                    crate::custody::Item {
                        position,
                        envelope: Vec::new(),
                    }
                })
                .collect(),
        };
        w.hear(ALICE, &CustodianFrame::Items(page));
    }
    assert!(w.faults(ALICE).contains(&Fault::Endless));
    assert!(w.standing(ALICE).demoted_ms.is_some());
}

#[test]
fn f20_junk_and_replays_count_little_by_little() {
    let (mut w, chat, _) = one_relay();
    let topic = w.nodes[ALICE].client.chats[&chat].row.topic.public();
    let page = |position: u64| {
        CustodianFrame::Items(Items {
            topic,
            cursor: Cursor {
                epoch: 1,
                position,
                hash: RunningHash([1; 16]),
            },
            void: false,
            caught_up: true,
            items: vec![crate::custody::Item {
                position,
                envelope: vec![7; 200],
            }],
        })
    };
    w.lose = |to, frame| to == ALICE && matches!(frame, CustodianFrame::Items(_));
    w.hear(ALICE, &page(1_000));
    w.hear(ALICE, &page(1_001));
    assert_eq!(w.faults(ALICE), [Fault::Junk], "a bad minute counts once");
    assert_eq!(w.standing(ALICE).demoted_ms, None);
    w.live(120_000);
    w.hear(ALICE, &page(5));
    for _ in 0..2 {
        w.live(120_000);
        let junk = Input::Frame {
            peer: relay_secret().public(),
            side: Side::Client,
            bytes: vec![130, 1],
        };
        w.input(ALICE, junk);
    }
    assert_eq!(w.faults(ALICE), [Fault::Junk; 4]);
    assert!(w.standing(ALICE).demoted_ms.is_some());
}

#[test]
fn f20_what_a_member_seals_badly_is_not_the_relays_fault() {
    let (mut w, chat, _) = one_relay();
    let secret = w.nodes[ALICE].client.chats[&chat].row.topic.clone();
    let envelope = Envelope::sign(&secret, 3_600, b"no message of any chat").unwrap();
    let page = Items {
        topic: secret.public(),
        cursor: Cursor {
            epoch: 1,
            position: 1_000,
            hash: RunningHash([1; 16]),
        },
        void: false,
        caught_up: true,
        items: vec![crate::custody::Item {
            position: 1_000,
            envelope: envelope.into_bytes(),
        }],
    };
    w.hear(ALICE, &CustodianFrame::Items(page));
    assert_eq!(w.faults(ALICE), []);
    assert_eq!(w.nodes[ALICE].penalised.len(), 1);
}

#[test]
fn f24_a_clock_that_disagrees_with_the_relays_accuses_nobody() {
    let mut w = World::relayed();
    let chat = w.befriend();
    w.nodes[ALICE].ahead_ms = -(40 * DAY_MS as i64);
    w.input(ALICE, Input::Tick);
    w.leave_relay(ALICE);
    w.live(HOUR_MS);
    w.leave_relay(BOB);
    w.send(ALICE, chat, "hello");
    w.live(35 * DAY_MS);
    assert_eq!(
        w.faults(ALICE),
        [],
        "what has expired by the relay's clock is asked for by ours"
    );
}

#[test]
fn what_a_relay_keeps_no_longer_is_handed_over_again_on_an_open_stream() {
    let (mut w, _, _) = waiting();
    let group = w.founds("for bob", [BOB]);
    w.live(HOUR_MS);
    let relay = relay_secret().public();
    let welcome = |w: &World| {
        let mut outs = w.nodes[ALICE].client.outs.values();
        let out = outs.find(|out| matches!(&out.what, OutWhat::Row(OutKind::Inbox { chat, .. }) if *chat == group));
        out.unwrap().held[&relay]
    };
    let (until_ms, opened_ms) = (welcome(&w), w.nodes[ALICE].client.links[&relay].opened_ms);
    w.live(31 * DAY_MS);
    assert_eq!(w.nodes[ALICE].client.links[&relay].opened_ms, opened_ms);
    assert!(until_ms < w.now_ms && w.now_ms < welcome(&w));
    let links = w.nodes[BOB].client.links.values_mut();
    links.for_each(|link| link.retry_at_ms = 0);
    w.live(HOUR_MS);
    assert!(w.nodes[BOB].client.chats.contains_key(&group));
}

#[test]
fn a_relay_that_cannot_take_something_again_yet_takes_what_is_new() {
    let (mut w, chat, _) = waiting();
    let group = w.founds("for bob", [BOB]);
    w.live(HOUR_MS);
    // Nothing has removed yet what has expired.
    w.pass(31 * DAY_MS);
    let message = w.send(ALICE, chat, "and this is new");
    w.pass(10_000);
    let (relay, held) = (relay_secret().public(), w.nodes[ALICE].ledger(message).held);
    assert!(held.iter().any(|(by, _)| *by == relay), "{held:?}");
    w.live(2 * HOUR_MS);
    let links = w.nodes[BOB].client.links.values_mut();
    links.for_each(|link| link.retry_at_ms = 0);
    w.live(HOUR_MS);
    assert!(w.nodes[BOB].client.chats.contains_key(&group));
}
