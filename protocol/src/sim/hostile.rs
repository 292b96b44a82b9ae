//! A stranger who overhears envelopes and frames and gives them back: again, with flipped bits, or as junk; and a relay that adds such
//! to what it serves. Nothing of it may be shown, and no honest peer may pay for it.

use super::host::Kind;
use super::random::{Micros, Random};
use super::world::{HostId, World};
use crate::chat::Header;
use crate::client::Side;
use crate::custody::{
    Accepted, ClientFrame, Cursor, CustodianFrame, Deposit, Item, Items, Receipt, RunningHash, Watch,
};
use crate::envelope::Envelope;
use crate::keys::{EnvelopeId, NodeId, TopicId, TransportKey, TransportSecret};
use crate::wire::Wire;
use std::collections::{BTreeMap, BTreeSet};

/// Envelopes and frames that the stranger remembers of each kind; a new one takes the place of an old one.
const REMEMBERED: usize = 128;

/// What the stranger knows, and what it has done.
#[derive(Default)]
pub(super) struct Hostile {
    /// Whether it takes part in this run at all.
    pub active: bool,
    envelopes: Vec<Vec<u8>>,
    frames: Vec<(Side, Vec<u8>)>,
    overheard: usize,
    recorded: usize,
    /// Gossip whose verdict is owed: since when, and whether it is junk.
    pub owed: BTreeMap<(HostId, [u8; 16]), (Micros, bool)>,
    gossips: u64,
    /// Relays that added something of the stranger's to what they serve a client: it may hold that against them.
    pub tainted: BTreeSet<(HostId, HostId)>,
    /// States that commits were seen to build on.
    pub epochs: BTreeSet<NodeId>,
}

impl Hostile {
    pub fn new(active: bool) -> Self {
        Self {
            active,
            ..Self::default()
        }
    }

    pub fn overhear(&mut self, envelope: Vec<u8>) {
        if let Ok(header) = Envelope::trusted(&envelope).map(|envelope| Header::read(envelope.body()))
            && let Ok(header) = header
            && header.commit
        {
            self.epochs.insert(header.node);
        }
        keep(&mut self.envelopes, &mut self.overheard, envelope);
    }

    pub fn record(&mut self, side: Side, frame: &[u8]) {
        keep(&mut self.frames, &mut self.recorded, (side, frame.to_vec()));
    }

    /// The network's id of a gossip on its way in; its verdict is owed from now on.
    pub fn owe(&mut self, now: Micros, host: HostId, bytes: &[u8]) -> [u8; 16] {
        self.gossips += 1;
        let mut id = [0; 16];
        id[8..].copy_from_slice(&self.gossips.to_be_bytes());
        self.owed.insert((host, id), (now, Envelope::verify(bytes).is_err()));
        id
    }

    /// An envelope that was overheard, as it was or with a bit flipped.
    fn envelope(&self, random: &mut Random, spoilt: u64) -> Vec<u8> {
        let mut bytes = random.pick(&self.envelopes).unwrap_or_else(|| random.bytes().to_vec());
        if random.chance(spoilt) {
            flip(random, &mut bytes);
        }
        bytes
    }

    fn envelopes(&self, random: &mut Random, spoilt: u64) -> Vec<Vec<u8>> {
        (0..random.between(1, 5))
            .map(|_| self.envelope(random, spoilt))
            .collect()
    }

    fn topic(&self, random: &mut Random) -> TopicId {
        let bytes = self.envelope(random, 0);
        Envelope::peek(&bytes).map_or_else(|_| TopicId(random.bytes()), |(topic, _)| topic)
    }

    /// A frame of one side, spoilt or made up.
    fn frame(&self, random: &mut Random, side: Side) -> Vec<u8> {
        let of_side: Vec<_> = self
            .frames
            .iter()
            .filter(|(of, _)| *of == side)
            .map(|(_, frame)| frame.clone())
            .collect();
        let mut bytes = random.pick(&of_side).unwrap_or_else(|| random.bytes().to_vec());
        match random.below(3) {
            0 => flip(random, &mut bytes),
            1 => bytes.truncate(random.index(bytes.len().max(1))),
            _ => bytes = random.bytes().to_vec(),
        }
        bytes
    }

    fn client_frame(&self, random: &mut Random) -> Vec<u8> {
        let request = random.below(20);
        match random.below(4) {
            0 => ClientFrame::Deposit(Deposit {
                request,
                envelopes: self.envelopes(random, 0),
            }),
            1 => ClientFrame::Deposit(Deposit {
                request,
                envelopes: self.envelopes(random, 50),
            }),
            2 => ClientFrame::Watch(Watch {
                request,
                topics: vec![(self.topic(random), None)],
            }),
            _ => return self.frame(random, Side::Client),
        }
        .encode()
    }

    fn custodian_frame(&self, random: &mut Random) -> Vec<u8> {
        match random.below(3) {
            0 => {
                let envelopes = self.envelopes(random, 50);
                let first = random.below(50);
                let items = envelopes
                    .into_iter()
                    .zip(first..)
                    .map(|(envelope, position)| Item { position, envelope });
                CustodianFrame::Items(Items {
                    topic: self.topic(random),
                    cursor: Cursor {
                        epoch: random.below(1 << 60),
                        position: first + 5,
                        hash: RunningHash::default().then(&EnvelopeId(random.bytes())),
                    },
                    void: random.chance(20),
                    caught_up: random.chance(50),
                    items: items.collect(),
                })
            }
            1 => {
                let ids = self.envelopes(random, 0);
                let accepted = ids.iter().filter_map(|bytes| Envelope::peek(bytes).ok());
                let accepted = accepted
                    .map(|(_, id): (_, EnvelopeId)| Accepted {
                        id,
                        until_s: u64::MAX / 2000,
                    })
                    .collect();
                let secret = TransportSecret::from_bytes(random.bytes());
                CustodianFrame::Receipt(Receipt::sign(&secret, random.below(20), accepted, Vec::new()))
            }
            _ => return self.frame(random, Side::Server),
        }
        .encode()
    }
}

impl World {
    /// The stranger does something.
    pub fn mischief(&mut self) {
        self.outcome.injected += 1;
        if self.random.chance(30) {
            return self.taint();
        }
        let me = self.stranger();
        let up: Vec<_> = (0..me.0).map(HostId).filter(|id| self.hosts[id.0].is_up()).collect();
        let Some(target) = self.random.pick(&up) else {
            return;
        };
        let key = self.hosts[target.0].key;
        let Some(link) = self.link_between(me, target) else {
            return self.connect(me, target, key);
        };
        if self.links[&link].closing {
            return;
        }
        let is_client = matches!(self.hosts[target.0].kind, Kind::Client(_));
        match self.random.below(4) {
            0 if is_client => {
                let bytes = self.hostile.envelope(&mut self.random, 50);
                self.trace(|| format!("the stranger gossips to {target:?}"));
                self.gossip_to(link, target, bytes);
            }
            1 if is_client => {
                if let Some(stream) = self.stream_of(me, &key, Side::Server) {
                    let frame = self.hostile.custodian_frame(&mut self.random);
                    self.trace(|| format!("the stranger answers {target:?}"));
                    self.put_on_stream(stream, me, frame);
                }
            }
            _ => {
                if let Some(stream) = self.stream_of(me, &key, Side::Client) {
                    let frame = self.hostile.client_frame(&mut self.random);
                    self.trace(|| format!("the stranger asks {target:?}"));
                    self.put_on_stream(stream, me, frame);
                }
            }
        }
    }

    /// A relay adds a frame of the stranger's to what it serves a client.
    fn taint(&mut self) {
        let (relays, clients) = (self.relays(), self.clients());
        let (Some(relay), Some(client)) = (self.random.pick(&relays), self.random.pick(&clients)) else {
            return;
        };
        let key = self.hosts[client.0].key;
        let Some(stream) = self.stream_of(relay, &key, Side::Server) else {
            return;
        };
        let frame = self.hostile.custodian_frame(&mut self.random);
        self.trace(|| format!("{relay:?} serves {client:?} something of the stranger's"));
        self.hostile.tainted.insert((client, relay));
        self.put_on_stream(stream, relay, frame);
    }

    /// Now and then a relay serves a page in another order (FAULTS 20).
    pub fn reorder(&mut self, relay: HostId, to: &TransportKey, frame: Vec<u8>) -> Vec<u8> {
        if self.calm || !self.hostile.active || !self.random.chance(20) {
            return frame;
        }
        let Ok(CustodianFrame::Items(mut page)) = CustodianFrame::decode(&frame) else {
            return frame;
        };
        if page.items.len() < 2 {
            return frame;
        }
        self.outcome.injected += 1;
        self.trace(|| format!("{relay:?} reorders what it serves {to:?}"));
        for at in 1..page.items.len() {
            let with = self.random.index(at + 1);
            page.items.swap(at, with);
        }
        CustodianFrame::Items(page).encode()
    }

    /// A host holds something against a peer: the link goes. Nobody may hold anything against the honest.
    pub fn penalise(&mut self, by: HostId, key: TransportKey, reason: &'static str) -> Result<(), String> {
        let Some(peer) = (0..self.hosts.len()).map(HostId).find(|id| self.hosts[id.0].key == key) else {
            return Err(format!("{by:?} penalises somebody who isn't there"));
        };
        self.trace(|| format!("{by:?} penalises {peer:?}: {reason}"));
        let lies = Some(peer) == self.liar.relay || Some(peer) == self.mole;
        if peer != self.stranger() && !lies && !self.hostile.tainted.contains(&(by, peer)) {
            return Err(format!("{by:?} penalises the honest {peer:?}: {reason}"));
        }
        if let Some(link) = self.link_between(by, peer) {
            self.drop_link(link, false);
        }
        Ok(())
    }
}

fn keep<T>(kept: &mut Vec<T>, count: &mut usize, item: T) {
    if kept.len() < REMEMBERED {
        kept.push(item);
    } else {
        // A stride that isn't a divisor of the size keeps old ones around for late replays.
        let len = kept.len();
        kept[(*count * 5) % len] = item;
    }
    *count += 1;
}

fn flip(random: &mut Random, bytes: &mut [u8]) {
    let at = random.index(bytes.len());
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << random.below(8);
    }
}
