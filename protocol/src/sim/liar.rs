//! A relay that lies (FAULTS 15–23): one of a history's several, in one way at a time. It never stops, also once all else is healed:
//! what honest members promise each other must hold by the other relays, or because a sender comes back.

use super::host::{Kind, Machine};
use super::random::{MS, Micros};
use super::world::{HostId, World};
use crate::client::Side;
use crate::custody::{
    Accepted, Answer, Ask, BlobReceipt, BlobRefused, ClientFrame, Cursor, CustodianFrame, Deposit, Item, Items,
    Receipt, Reconciled, Refusal, Refused, RunningHash,
};
use crate::envelope::Envelope;
use crate::keys::{EnvelopeId, TransportKey, TransportSecret};
use crate::limits;
use crate::wire::Wire;
use std::collections::BTreeMap;

/// How it lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Lie {
    /// Not at present.
    #[default]
    None,
    /// It signs for everything and keeps only some.
    DropsSome,
    /// It signs for everything and keeps nothing.
    DropsAll,
    /// It keeps everything and never serves some of it.
    Denies,
    /// It serves nothing and says that there is nothing newer.
    CaughtUp,
    /// It answers no watch.
    Silent,
    /// Behind each page it serves another one, of what it has served before, at places that don't exist; asked what it keeps, it names
    /// without end what nobody has.
    Pages,
    /// It serves old pages again, with their old cursors.
    Replays,
    /// It refuses everything for want of room.
    Full,
}

/// All of them.
const LIES: [Lie; 9] = [
    Lie::None,
    Lie::DropsSome,
    Lie::DropsAll,
    Lie::Denies,
    Lie::CaughtUp,
    Lie::Silent,
    Lie::Pages,
    Lie::Replays,
    Lie::Full,
];
/// Pages that it remembers.
const REMEMBERED: usize = 64;
/// Time between a made-up page and the next.
const PAUSE: Micros = 200 * MS;
/// A message of negentropy that names no range: the version alone.
const ALL_THE_SAME: [u8; 1] = [0x61];
/// Of what it drops or denies, so many of 256.
const SHARE: u8 = 90;

/// The lying relay of a history.
#[derive(Default)]
pub(super) struct Liar {
    pub relay: Option<HostId>,
    lie: Lie,
    /// What it has signed for and not kept, by the deposit's number.
    signed: BTreeMap<(TransportKey, u64), Vec<Accepted>>,
    pages: Vec<Items>,
    /// What it has said that it keeps, the newest first.
    answers: Vec<Answer>,
    /// Not before then is another page made up for a peer.
    paging: BTreeMap<TransportKey, Micros>,
}

impl Liar {
    pub fn new(relay: Option<HostId>) -> Self {
        Self {
            relay,
            ..Self::default()
        }
    }
}

impl World {
    /// The liar takes to another way.
    pub fn lie_otherwise(&mut self) {
        let Some(relay) = self.liar.relay else {
            return;
        };
        self.liar.lie = self.random.pick(&LIES).unwrap_or_default();
        let lie = self.liar.lie;
        self.trace(|| format!("{relay:?} lies from now on: {lie:?}"));
    }

    /// What a lying relay's machine gets of a client's frame.
    pub fn mishear(&mut self, relay: HostId, stream: u64, peer: TransportKey, bytes: Vec<u8>) -> Option<Vec<u8>> {
        let lie = self.liar.lie;
        let (Some(secret), Ok(frame)) = (self.secret(relay), ClientFrame::decode(&bytes)) else {
            return Some(bytes);
        };
        let until_s = self.hosts[relay.0].clock.read(self.now) / 1000 + 30 * 24 * 3600;
        match (lie, frame) {
            (Lie::DropsSome | Lie::DropsAll, ClientFrame::Deposit(deposit)) => {
                let drops = |id: &EnvelopeId| lie == Lie::DropsAll || is_chosen(id);
                let (mut signed, mut kept) = (Vec::new(), Vec::new());
                for envelope in deposit.envelopes {
                    match Envelope::verify(&envelope) {
                        Ok(whole) if drops(&whole.id()) => signed.push(Accepted {
                            id: whole.id(),
                            until_s,
                        }),
                        _ => kept.push(envelope),
                    }
                }
                if kept.is_empty() {
                    let receipt = Receipt::sign(&secret, deposit.request, signed, Vec::new());
                    self.say(relay, stream, CustodianFrame::Receipt(receipt));
                    return None;
                }
                self.liar.signed.insert((peer, deposit.request), signed);
                let request = deposit.request;
                let envelopes = kept;
                return Some(ClientFrame::Deposit(Deposit { request, envelopes }).encode());
            }
            (Lie::DropsSome | Lie::DropsAll, ClientFrame::PutBlob(put)) => {
                let (topic, blob) = (put.permit.topic, put.permit.blob);
                let receipt = BlobReceipt::sign(&secret, put.request, topic, blob, until_s);
                self.say(relay, stream, CustodianFrame::BlobReceipt(receipt));
                return None;
            }
            (Lie::Full, ClientFrame::Deposit(deposit)) => {
                let why = self
                    .random
                    .pick(&[
                        Refusal::Full,
                        Refusal::TopicQuota,
                        Refusal::DepositorQuota,
                        Refusal::Busy,
                    ])
                    .unwrap_or(Refusal::Full);
                let retry_after_s = u32::try_from(self.random.below(5000)).unwrap_or(0);
                let refused = deposit.envelopes.iter().filter_map(|envelope| {
                    let (_, id) = Envelope::peek(envelope).ok()?;
                    Some(Refused { id, why, retry_after_s })
                });
                let receipt = Receipt::sign(&secret, deposit.request, Vec::new(), refused.collect());
                self.say(relay, stream, CustodianFrame::Receipt(receipt));
                return None;
            }
            (Lie::Full, ClientFrame::PutBlob(put)) => {
                let (request, why, retry_after_s) = (put.request, Refusal::Full, 600);
                let refused = BlobRefused {
                    request,
                    why,
                    retry_after_s,
                };
                self.say(relay, stream, CustodianFrame::BlobRefused(refused));
                return None;
            }
            (Lie::DropsAll | Lie::Denies | Lie::CaughtUp, ClientFrame::GetBlob(get)) => {
                let refused = BlobRefused {
                    request: get.request,
                    why: Refusal::NotFound,
                    retry_after_s: 0,
                };
                self.say(relay, stream, CustodianFrame::BlobRefused(refused));
                return None;
            }
            (
                Lie::Silent,
                ClientFrame::Watch(_) | ClientFrame::GetBlob(_) | ClientFrame::History(_) | ClientFrame::Reconcile(_),
            ) => return None,
            (_, ClientFrame::Reconcile(question)) => {
                let Some(answer) = self.belie(&question.ask) else {
                    return Some(bytes);
                };
                let request = question.request;
                let reconciled = Reconciled { request, answer };
                self.say(relay, stream, CustodianFrame::Reconciled(reconciled));
                return None;
            }
            (Lie::Pages, ClientFrame::Ack { .. } | ClientFrame::Watch(_)) => self.page_again(relay, stream, peer),
            _ => {}
        }
        Some(bytes)
    }

    /// What a lying relay's client gets instead of a frame.
    pub fn misspeak(&mut self, relay: HostId, to: &TransportKey, frame: Vec<u8>) -> Vec<Vec<u8>> {
        let Ok(decoded) = CustodianFrame::decode(&frame) else {
            return vec![frame];
        };
        match decoded {
            CustodianFrame::Receipt(receipt) => {
                let signed = self.liar.signed.remove(&(*to, receipt.request)).unwrap_or_default();
                let Some(secret) = self.secret(relay).filter(|_| !signed.is_empty()) else {
                    return vec![frame];
                };
                let accepted = receipt.accepted.into_iter().chain(signed).collect();
                let receipt = Receipt::sign(&secret, receipt.request, accepted, receipt.refused);
                vec![CustodianFrame::Receipt(receipt).encode()]
            }
            CustodianFrame::Items(page) => self.misserve(page),
            CustodianFrame::History(mut page) => {
                match self.liar.lie {
                    Lie::Denies => page.items.retain(|item| !denied(item)),
                    Lie::CaughtUp => {
                        page.items.clear();
                        page.oldest = true;
                    }
                    _ => return vec![frame],
                }
                vec![CustodianFrame::History(page).encode()]
            }
            CustodianFrame::Reconciled(mut reconciled) => {
                self.liar.answers.truncate(REMEMBERED - 1);
                self.liar.answers.insert(0, reconciled.answer.clone());
                match self.liar.lie {
                    Lie::Denies if matches!(reconciled.answer, Answer::Fetched(_)) => {
                        reconciled.answer = Answer::Fetched(Vec::new());
                    }
                    Lie::Replays => {
                        let known = self.random.pick(&self.liar.answers);
                        reconciled.answer = known.unwrap_or(reconciled.answer);
                    }
                    _ => return vec![frame],
                }
                vec![CustodianFrame::Reconciled(reconciled).encode()]
            }
            _ => vec![frame],
        }
    }

    fn misserve(&mut self, mut page: Items) -> Vec<Vec<u8>> {
        if !page.items.is_empty() {
            if self.liar.pages.len() == REMEMBERED {
                let at = self.random.index(REMEMBERED);
                self.liar.pages.remove(at);
            }
            self.liar.pages.push(page.clone());
        }
        let mut pages: Vec<Items> = Vec::new();
        match self.liar.lie {
            Lie::Silent => return Vec::new(),
            Lie::Denies => page.items.retain(|item| !denied(item)),
            Lie::CaughtUp => {
                page.items.clear();
                page.caught_up = true;
            }
            Lie::Replays => {
                let of_topic: Vec<Items> = self
                    .liar
                    .pages
                    .iter()
                    .filter(|known| known.topic == page.topic)
                    .cloned()
                    .collect();
                pages.extend(self.random.pick(&of_topic));
            }
            _ => {}
        }
        pages.insert(self.random.index(pages.len() + 1), page);
        pages
            .into_iter()
            .map(|page| CustodianFrame::Items(page).encode())
            .collect()
    }

    /// Another page of what it has served before, and after it there is more.
    fn page_again(&mut self, relay: HostId, stream: u64, peer: TransportKey) {
        let not_before = self.liar.paging.get(&peer).copied().unwrap_or(0);
        let Some(mut page) = self.random.pick(&self.liar.pages).filter(|_| self.now >= not_before) else {
            return;
        };
        // A little less than the pause: what is acknowledged after it brings the next one.
        self.liar.paging.insert(peer, self.now + PAUSE - MS);
        let first = page.cursor.position + 1 + self.random.below(1000);
        for (item, position) in page.items.iter_mut().zip(first..) {
            item.position = position;
        }
        page.cursor = Cursor {
            epoch: page.cursor.epoch,
            position: first + page.items.len() as u64,
            hash: RunningHash::default().then(&EnvelopeId(self.random.bytes())),
        };
        (page.void, page.caught_up) = (false, false);
        let frame = CustodianFrame::Items(page).encode();
        self.put_on_stream_later(stream, relay, frame, PAUSE);
    }

    /// What it says that it keeps, where it doesn't tell by what it has.
    fn belie(&mut self, ask: &Ask) -> Option<Answer> {
        let refused = |why| Answer::Refused { why, retry_after_s: 0 };
        Some(match (self.liar.lie, ask) {
            // It has all that it is asked for, as if the ids of what it lacks had collided.
            (Lie::DropsSome | Lie::DropsAll, Ask::Compare(_)) => Answer::Compared(ALL_THE_SAME.to_vec()),
            (Lie::CaughtUp, _) => refused(Refusal::NotHere),
            (Lie::Full, _) => refused(
                self.random
                    .pick(&[Refusal::TooLarge, Refusal::Busy])
                    .unwrap_or(Refusal::Busy),
            ),
            // Junk, until it is asked for a list.
            (Lie::Pages, Ask::List) => {
                let made_up = || EnvelopeId(self.random.bytes());
                Answer::Listed(
                    std::iter::repeat_with(made_up)
                        .take(limits::RECONCILE_ELEMENTS)
                        .collect(),
                )
            }
            (Lie::Pages, Ask::Compare(asked)) => {
                let mut junk = asked.clone();
                let at = self.random.index(junk.len());
                if let Some(byte) = junk.get_mut(at) {
                    *byte ^= 1;
                }
                Answer::Compared(junk)
            }
            _ => return None,
        })
    }

    fn say(&mut self, relay: HostId, stream: u64, frame: CustodianFrame) {
        let frame = frame.encode();
        let to = TransportKey([0; 32]);
        self.hash(relay, &to, &[Side::Server as u8], &frame);
        self.put_on_stream(stream, relay, frame);
    }

    fn secret(&self, relay: HostId) -> Option<TransportSecret> {
        match (&self.hosts[relay.0].kind, &self.hosts[relay.0].machine) {
            (Kind::Relay(secret), Some(Machine::Relay(_))) => Some(secret.clone()),
            _ => None,
        }
    }
}

fn denied(item: &Item) -> bool {
    Envelope::peek(&item.envelope).is_ok_and(|(_, id)| is_chosen(&id))
}

/// Always the same of all envelopes.
fn is_chosen(id: &EnvelopeId) -> bool {
    id.0[0] < SHARE
}
