//! This device as others' custodian: it takes envelopes on the topics that it reads, and shows its own cards.

use super::inbound::Taken;
use super::io::{Effect, Side};
use super::outbox::OutWhat;
use super::records::OutKind;
use super::{Client, TopicUse, blobs};
use crate::custody::{
    Accepted, Answer, ClientFrame, Cursor, CustodianFrame, Item, Items, Receipt, Reconciled, Refusal, Refused,
    RunningHash,
};
use crate::envelope::Envelope;
use crate::keys::{EnvelopeId, TopicId, TransportKey};
use crate::limits;
use crate::rows::RowsError;
use crate::wire::Wire;
use std::collections::{BTreeMap, BTreeSet};

/// Envelopes that a stranger may deposit at once, and gains again each second: enough for a guest, too little to drain a device.
const STRANGER_BURST: u64 = 64;
const STRANGER_PER_SECOND: u64 = 1;
/// Seconds after which a refused stranger may try again.
const STRANGER_RETRY_S: u32 = 30;

/// How much each peer has used of a share that refills.
pub(super) struct Shares {
    burst: u64,
    per_second: u64,
    used: BTreeMap<TransportKey, (u64, u64)>,
}

impl Shares {
    pub fn new(burst: u64, per_second: u64) -> Self {
        Self {
            burst,
            per_second,
            used: BTreeMap::new(),
        }
    }

    /// Those of peers that are no contacts.
    pub fn of_strangers() -> Self {
        Self::new(STRANGER_BURST, STRANGER_PER_SECOND)
    }

    /// Takes one from a peer's share; false if it is used up.
    pub fn take(&mut self, now_ms: u64, peer: TransportKey) -> bool {
        let per_second = self.per_second;
        if self.used.len() >= limits::PEERS && !self.used.contains_key(&peer) {
            // Shares that have refilled since needn't be remembered.
            let refilled = |used: u64, since_ms: u64| now_ms.saturating_sub(since_ms) / 1000 * per_second >= used;
            self.used.retain(|_, (used, since_ms)| !refilled(*used, *since_ms));
            if self.used.len() >= limits::PEERS {
                return false;
            }
        }
        let (used, since_ms) = self.used.entry(peer).or_insert((0, now_ms));
        let seconds = now_ms.saturating_sub(*since_ms) / 1000;
        *used = used.saturating_sub(seconds.saturating_mul(per_second));
        *since_ms = (*since_ms).saturating_add(seconds * 1000).min(now_ms);
        if *used >= self.burst {
            return false;
        }
        *used += 1;
        true
    }

    pub fn forget(&mut self, peer: &TransportKey) {
        // What has refilled is forgotten; the rest stays, so that reconnecting gains nothing.
        if self.used.get(peer).is_some_and(|(used, _)| *used == 0) || self.used.len() >= limits::PEERS {
            self.used.remove(peer);
        }
    }
}

impl Client {
    /// A frame of somebody who hands us things.
    pub(super) fn client_frame(&mut self, now_ms: u64, peer: TransportKey, bytes: &[u8]) -> Result<(), RowsError> {
        match ClientFrame::decode(bytes) {
            Ok(ClientFrame::Deposit(deposit)) => {
                let known = self.is_contact(&peer);
                let (mut accepted, mut refused) = (Vec::new(), Vec::new());
                for envelope in &deposit.envelopes {
                    let (id, quiet) = match Envelope::peek(envelope) {
                        Ok((topic, id)) => (id, self.is_quiet(&topic)),
                        Err(_) => (EnvelopeId(*blake3::hash(envelope).as_bytes()), false),
                    };
                    let taken = if !known && !self.strangers.take(now_ms, peer) {
                        Taken::Refused(Refusal::Busy)
                    } else if quiet {
                        Taken::Refused(Refusal::NotHere)
                    } else {
                        self.receive(now_ms, envelope)?
                    };
                    match taken {
                        Taken::Yes | Taken::Repeat => accepted.push(Accepted { id, until_s: 0 }),
                        Taken::Refused(why) => refused.push(Refused {
                            id,
                            why,
                            retry_after_s: if why == Refusal::Busy { STRANGER_RETRY_S } else { 0 },
                        }),
                    }
                    if taken == Taken::Refused(Refusal::Invalid) {
                        self.step.effects.push(Effect::Penalise {
                            peer,
                            reason: "an envelope that isn't valid on its topic",
                        });
                    }
                }
                let receipt = Receipt::sign(&self.account.transport, deposit.request, accepted, refused);
                self.send(peer, Side::Server, CustodianFrame::Receipt(receipt).encode());
            }
            Ok(ClientFrame::Watch(watch)) => {
                let known = self.is_contact(&peer);
                let topics: BTreeSet<TopicId> = watch.topics.iter().map(|(topic, _)| *topic).collect();
                let mut elsewhere = false;
                for topic in &topics {
                    // A card costs a stranger as much as an envelope.
                    let card = self.topics.get(topic) == Some(&TopicUse::OwnCard);
                    if card && !known && !self.strangers.take(now_ms, peer) {
                        continue;
                    }
                    match self.own_card(topic) {
                        Some(page) => self.send(peer, Side::Server, CustodianFrame::Items(page).encode()),
                        None => elsewhere = true,
                    }
                }
                if elsewhere {
                    self.refuse_watch(peer, watch.request, Refusal::NotHere);
                }
            }
            Ok(
                ClientFrame::Unwatch(_) | ClientFrame::Ack { .. } | ClientFrame::Hello(_) | ClientFrame::Unknown { .. },
            ) => {}
            Ok(ClientFrame::GetBlob(get)) => {
                if self.is_contact(&peer) || self.strangers.take(now_ms, peer) {
                    self.blob_asked(peer, get);
                } else {
                    self.send(peer, Side::Server, blobs::refused(get.request, Refusal::Busy).encode());
                }
            }
            Ok(ClientFrame::Compare(asked)) => {
                if self.is_contact(&peer) {
                    self.compare_asked(peer, &asked);
                }
            }
            Ok(ClientFrame::History(ask)) => {
                let why = match self.serves_channel(&ask.topic) {
                    true if self.is_contact(&peer) || self.strangers.take(now_ms, peer) => {
                        self.channel_asked(peer, ask);
                        return Ok(());
                    }
                    true => Refusal::Busy,
                    false => Refusal::NotHere,
                };
                self.refuse_watch(peer, ask.request, why);
            }
            Ok(ClientFrame::Meet(meet)) => self.refuse_watch(peer, meet.request, Refusal::NotHere),
            Ok(ClientFrame::Enlist(enlist)) => self.refuse_watch(peer, enlist.request, Refusal::NotHere),
            Ok(ClientFrame::Report(report)) => self.refuse_watch(peer, report.request, Refusal::NotHere),
            Ok(ClientFrame::AskFigures(ask)) => self.refuse_watch(peer, ask.request, Refusal::NotHere),
            Ok(ClientFrame::Search(search)) => self.refuse_watch(peer, search.request, Refusal::NotHere),
            // A device has no log of what it was handed.
            Ok(ClientFrame::Reconcile(question)) => {
                let refused = CustodianFrame::Reconciled(Reconciled {
                    request: question.request,
                    answer: Answer::Refused {
                        why: Refusal::NotHere,
                        retry_after_s: 0,
                    },
                });
                self.send(peer, Side::Server, refused.encode());
            }
            // A device keeps only what it puts itself.
            Ok(ClientFrame::PutBlob(put)) => {
                self.send(
                    peer,
                    Side::Server,
                    blobs::refused(put.request, Refusal::NotHere).encode(),
                );
            }
            Err(_) => self.step.effects.push(Effect::Penalise {
                peer,
                reason: "a custody frame that can't be read",
            }),
        }
        Ok(())
    }

    pub(super) fn refuse_watch(&mut self, peer: TransportKey, request: u64, why: Refusal) {
        let refusal = CustodianFrame::WatchRefused {
            request,
            why,
            retry_after_s: if why == Refusal::Busy { STRANGER_RETRY_S } else { 0 },
        };
        self.send(peer, Side::Server, refusal.encode());
    }

    fn is_contact(&self, peer: &TransportKey) -> bool {
        self.links.get(peer).is_some_and(|link| !link.accounts.is_empty())
    }

    /// One of our cards as a page of one item.
    fn own_card(&self, topic: &TopicId) -> Option<Items> {
        if self.topics.get(topic) != Some(&TopicUse::OwnCard) {
            return None;
        }
        let number = self.invites.get(topic)?.number;
        let envelope = self.outs.values().find_map(|out| match &out.what {
            OutWhat::Row(OutKind::Card { invite }) if invite == topic => out.envelope.as_ref(),
            _ => None,
        })?;
        Some(Items {
            topic: *topic,
            cursor: Cursor {
                epoch: 0,
                position: number,
                hash: RunningHash::default(),
            },
            void: false,
            caught_up: true,
            items: vec![Item {
                position: number,
                envelope: envelope.bytes().to_vec(),
            }],
        })
    }
}
