//! Naming watchers of a topic to each other, of those who ask for it.
//!
//! Who wants to be met is kept in memory for as long as its stream lives. Whom the relay names follows from a hash under its storage epoch,
//! so that nobody places its key to be named more often than others.

use super::Relay;
use super::config::RETRY_S;
use crate::address::PeerAddress;
use crate::custody::frames::{CustodianFrame, Refusal};
use crate::custody::{Meet, Met};
use crate::keys::{TopicId, TransportKey, derive};
use crate::limits;
use std::collections::BTreeMap;

/// Those of one topic that are remembered; each new one takes another's place (guess: eight are named at once).
const PER_TOPIC: usize = 256;
/// Those of all topics (guess: 200 bytes each).
const IN_ALL: usize = 65_536;
/// Topics of one peer, on which it can be met.
const PER_PEER: usize = 1_024;

/// Who can be met, by topic and by a place that nobody chooses.
#[derive(Debug, Default)]
pub(super) struct Meetings {
    topics: BTreeMap<TopicId, BTreeMap<[u8; 32], PeerAddress>>,
    /// Where each peer stands.
    of: BTreeMap<TransportKey, Vec<TopicId>>,
    count: usize,
    asked: u64,
}

impl Meetings {
    /// Answers a peer, and notes where it can be met.
    fn meet(&mut self, epoch: u64, peer: TransportKey, meet: &Meet) -> Vec<PeerAddress> {
        self.asked = self.asked.wrapping_add(1);
        let start = place(epoch, &self.asked.to_be_bytes());
        let own = place(epoch, &peer.0);
        let met = self.topics.get(&meet.topic).map(|all| {
            let after = all.range(start..);
            let others = after.chain(all.range(..start)).filter(|(at, _)| **at != own);
            others.take(limits::MET).map(|(_, other)| other.clone()).collect()
        });
        self.leave(epoch, &peer, &meet.topic);
        let stands = self.of.get(&peer).map_or(0, Vec::len);
        if !meet.addrs.is_empty() && stands < PER_PEER {
            self.make_room(&meet.topic, start);
            if self.count < IN_ALL {
                let addrs = meet.addrs.clone();
                let all = self.topics.entry(meet.topic).or_default();
                all.insert(own, PeerAddress { key: peer, addrs });
                self.of.entry(peer).or_default().push(meet.topic);
                self.count += 1;
            }
        }
        met.unwrap_or_default()
    }

    /// Lets go of one of a topic that has too many.
    fn make_room(&mut self, topic: &TopicId, start: [u8; 32]) {
        let Some(all) = self.topics.get_mut(topic).filter(|all| all.len() >= PER_TOPIC) else {
            return;
        };
        let first = all.range(start..).chain(all.range(..start)).next();
        let Some((at, gone)) = first.map(|(at, gone)| (*at, gone.key)) else {
            return;
        };
        all.remove(&at);
        self.count -= 1;
        if let Some(stands) = self.of.get_mut(&gone) {
            stands.retain(|other| other != topic);
            if stands.is_empty() {
                self.of.remove(&gone);
            }
        }
    }

    pub fn leave(&mut self, epoch: u64, peer: &TransportKey, topic: &TopicId) {
        let Some(stands) = self.of.get_mut(peer) else {
            return;
        };
        stands.retain(|other| other != topic);
        if stands.is_empty() {
            self.of.remove(peer);
        }
        if let Some(all) = self.topics.get_mut(topic) {
            self.count -= usize::from(all.remove(&place(epoch, &peer.0)).is_some());
            if all.is_empty() {
                self.topics.remove(topic);
            }
        }
    }

    pub fn forget(&mut self, epoch: u64, peer: &TransportKey) {
        for topic in self.of.get(peer).cloned().unwrap_or_default() {
            self.leave(epoch, peer, &topic);
        }
    }
}

fn place(epoch: u64, of: &[u8]) -> [u8; 32] {
    derive("madang 1 relay meeting", &[&epoch.to_be_bytes(), of])
}

impl Relay {
    /// Only who watches a topic is told who else does, and told to others.
    pub(super) fn meet(&mut self, peer: TransportKey, meet: &Meet) {
        let watches = |relay: &Self| relay.peers.get(&peer)?.watches.get(&meet.topic).map(|_| ());
        if watches(self).is_none() {
            return self.refuse_watch(peer, meet.request, Refusal::NotHere, RETRY_S);
        }
        let peers = self.meetings.meet(self.epoch, peer, meet);
        let met = Met {
            request: meet.request,
            topic: meet.topic,
            peers,
        };
        self.send(peer, &CustodianFrame::Met(met));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn ask(key: u8, addrs: &[&str]) -> (TransportKey, Meet) {
        let meet = Meet {
            request: 1,
            topic: TopicId([1; 32]),
            addrs: addrs.iter().map(|addr| (*addr).to_owned()).collect(),
        };
        (TransportKey([key; 32]), meet)
    }

    #[test]
    fn who_gives_no_address_is_named_to_nobody_and_who_leaves_no_more() {
        let mut meetings = Meetings::default();
        let mut met = |key: u8, addrs: &[&str]| {
            let (peer, meet) = ask(key, addrs);
            let met = meetings.meet(7, peer, &meet);
            met.iter().map(|other| other.key.0[0]).collect::<Vec<_>>()
        };
        assert!(met(1, &["/ip4/10.0.0.1/tcp/1"]).is_empty());
        assert_eq!(met(2, &[]), [1]);
        assert_eq!(met(3, &["/ip4/10.0.0.3/tcp/1"]), [1]);
        assert_eq!(met(1, &["/ip4/10.0.0.1/tcp/1"]), [3], "never oneself");
        meetings.forget(7, &TransportKey([3; 32]));
        let (peer, meet) = ask(2, &[]);
        assert_eq!(meetings.meet(7, peer, &meet).len(), 1);
        assert_eq!((meetings.count, meetings.of.len()), (1, 1));
    }

    #[test]
    fn f21_a_topic_remembers_no_more_than_its_bound_whoever_asks() {
        let mut meetings = Meetings::default();
        for n in 0..2 * PER_TOPIC as u32 {
            let mut key = [0; 32];
            key[..4].copy_from_slice(&n.to_be_bytes());
            let (_, meet) = ask(0, &["/ip4/10.0.0.1/tcp/1"]);
            assert!(meetings.meet(7, TransportKey(key), &meet).len() <= limits::MET);
        }
        assert_eq!(meetings.count, PER_TOPIC);
        let of_topic = meetings.topics.get(&TopicId([1; 32])).map(BTreeMap::len);
        assert_eq!(of_topic, Some(PER_TOPIC));
        let stands: usize = meetings.of.values().map(Vec::len).sum();
        assert_eq!(stands, PER_TOPIC);
    }
}
