//! The network: links between hosts, custody streams on them, gossip.
//!
//! Frames on a stream arrive in order and whole while the stream lives; a stream or link that breaks loses what is on its way.
//! Gossip may be lost, repeated and reordered.

use super::plan::Paths;
use super::random::{MS, Micros, SECOND};
use super::world::{Event, HostId, World};
use crate::client::{Command, Input, Side, Verdict};
use crate::custody::ClientFrame;
use crate::keys::{TopicId, TransportKey};
use crate::wire::Wire;

/// What reaches a host.
#[derive(Clone, Debug)]
pub(super) enum Arrival {
    Connected {
        link: u64,
    },
    Disconnected {
        link: u64,
    },
    DialFailed {
        key: TransportKey,
    },
    Opened {
        stream: u64,
    },
    Closed {
        stream: u64,
    },
    Frame {
        stream: u64,
        bytes: Vec<u8>,
    },
    Gossip {
        link: u64,
        bytes: Vec<u8>,
    },
    GossipPeer {
        link: u64,
        topic: TopicId,
        subscribed: bool,
    },
    Command {
        token: u64,
        command: Command,
    },
}

/// A connection. Of each pair, the dialler comes first.
#[derive(Debug)]
pub(super) struct Link {
    pub ends: [HostId; 2],
    /// What was said to be connected, so that it has to be told of the end.
    pub told: [bool; 2],
    /// On its way down: nothing passes any more.
    pub closing: bool,
    latency: Micros,
    /// No earlier than this do further announcements arrive at each end.
    announced: [Micros; 2],
}

impl Link {
    fn end(&self, host: HostId) -> usize {
        usize::from(self.ends[0] != host)
    }

    pub fn other(&self, host: HostId) -> HostId {
        self.ends[1 - self.end(host)]
    }
}

/// A custody stream; its opener comes first.
#[derive(Debug)]
pub(super) struct Stream {
    pub link: u64,
    pub ends: [HostId; 2],
    told: [bool; 2],
    pub broken: bool,
    /// When the last frame towards each end arrives.
    last: [Micros; 2],
}

impl Stream {
    fn end(&self, host: HostId) -> usize {
        usize::from(self.ends[0] != host)
    }

    fn side(&self, host: HostId) -> Side {
        if self.ends[0] == host {
            Side::Client
        } else {
            Side::Server
        }
    }
}

impl World {
    pub fn dial(&mut self, from: HostId, key: TransportKey) {
        let target = (0..self.hosts.len())
            .map(HostId)
            .find(|id| self.hosts[id.0].key == key && self.hosts[id.0].is_up());
        match target {
            Some(to) if to != from => self.connect(from, to, key),
            _ => self.dial_failed(from, key),
        }
    }

    /// Connects two hosts, unless they are or can't be.
    pub fn connect(&mut self, from: HostId, to: HostId, key: TransportKey) {
        match self.link_between(from, to) {
            Some(link) if !self.links[&link].closing => return,
            Some(_) => return self.dial_failed(from, key),
            None => {}
        }
        if self.is_cut(from, to) || (!self.calm && self.random.chance(5)) {
            return self.dial_failed(from, key);
        }
        let latency = self.random.between(MS, 60 * MS);
        let arrives = [
            self.now + 2 * latency,
            self.now + self.random.between(latency, 3 * latency),
        ];
        self.next_link += 1;
        let link = self.next_link;
        self.links.insert(
            link,
            Link {
                ends: [from, to],
                told: [false; 2],
                closing: false,
                latency,
                announced: arrives,
            },
        );
        self.trace(|| format!("{from:?} connects to {to:?}: link {link}"));
        for (host, at) in [(from, arrives[0]), (to, arrives[1])] {
            self.schedule_arrival(at - self.now, host, Arrival::Connected { link });
        }
        let both = arrives[0].max(arrives[1]) - self.now;
        for opener in [from, to] {
            if self.hosts[opener.0].opens_streams() {
                let delay = both + self.random.between(100, 20 * MS);
                self.schedule(delay, Event::OpenStream { link, opener });
            }
        }
    }

    fn dial_failed(&mut self, from: HostId, key: TransportKey) {
        let delay = self.random.between(MS, 300 * MS);
        self.schedule_arrival(delay, from, Arrival::DialFailed { key });
    }

    pub fn link_between(&self, a: HostId, b: HostId) -> Option<u64> {
        let pair = |link: &Link| link.ends == [a, b] || link.ends == [b, a];
        self.links.iter().find(|(_, link)| pair(link)).map(|(id, _)| *id)
    }

    pub fn is_cut(&self, a: HostId, b: HostId) -> bool {
        let clients = self.hosts[a.0].is_client() && self.hosts[b.0].is_client();
        (clients && self.paths == Paths::RelayOnly) || self.cut.contains(&(a.min(b), a.max(b)))
    }

    /// Lets a link go down; each end notices in its own time.
    pub fn drop_link(&mut self, id: u64, slow: bool) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        if std::mem::replace(&mut link.closing, true) {
            return;
        }
        let (ends, told) = (link.ends, link.told);
        let dialled = self.hosts[ends[1].0].key;
        self.trace(|| format!("link {id} between {:?} and {:?} goes down", ends[0], ends[1]));
        let streams: Vec<_> = self
            .streams
            .iter()
            .filter(|(_, s)| s.link == id)
            .map(|(n, _)| *n)
            .collect();
        let mut gone = 0;
        for (end, host) in ends.into_iter().enumerate() {
            let mut delay = self.random.between(100, if slow { 6 * SECOND } else { 50 * MS });
            if !told[end] {
                if end == 0 {
                    self.schedule_arrival(delay, host, Arrival::DialFailed { key: dialled });
                }
                continue;
            }
            if self.random.chance(50) {
                for stream in &streams {
                    self.schedule_arrival(delay, host, Arrival::Closed { stream: *stream });
                }
                delay += 100;
            }
            self.schedule_arrival(delay, host, Arrival::Disconnected { link: id });
            gone = gone.max(delay);
        }
        for stream in streams {
            if let Some(stream) = self.streams.get_mut(&stream) {
                stream.broken = true;
            }
        }
        self.schedule(gone + 200, Event::LinkGone { link: id });
    }

    pub fn drop_links_of(&mut self, host: HostId) {
        let ids: Vec<_> = self
            .links
            .iter()
            .filter(|(_, link)| link.ends.contains(&host))
            .map(|(id, _)| *id)
            .collect();
        for id in ids {
            self.drop_link(id, false);
        }
    }

    pub fn forget_link(&mut self, id: u64) {
        self.links.remove(&id);
        self.streams.retain(|_, stream| stream.link != id);
    }

    pub fn open_stream(&mut self, link_id: u64, opener: HostId) {
        let Some(link) = self.links.get(&link_id).filter(|link| !link.closing) else {
            return;
        };
        if self
            .streams
            .values()
            .any(|s| s.link == link_id && s.ends[0] == opener && !s.broken)
        {
            return;
        }
        let (latency, acceptor) = (link.latency, link.other(opener));
        if !self.calm && self.random.chance(5) {
            let delay = self.random.between(50 * MS, SECOND);
            return self.schedule(delay, Event::OpenStream { link: link_id, opener });
        }
        self.next_link += 1;
        let stream = self.next_link;
        let last = [self.now + 2 * latency, self.now + latency];
        self.streams.insert(
            stream,
            Stream {
                link: link_id,
                ends: [opener, acceptor],
                told: [false; 2],
                broken: false,
                last,
            },
        );
        self.schedule_arrival(2 * latency, opener, Arrival::Opened { stream });
        self.schedule_arrival(latency, acceptor, Arrival::Opened { stream });
    }

    /// Breaks a stream but not its link; its opener opens another.
    pub fn break_stream(&mut self, id: u64) {
        let Some(stream) = self.streams.get_mut(&id) else {
            return;
        };
        if std::mem::replace(&mut stream.broken, true) {
            return;
        }
        let (ends, link) = (stream.ends, stream.link);
        self.trace(|| format!("stream {id} of {:?} to {:?} breaks", ends[0], ends[1]));
        let mut last = 0;
        for host in ends {
            let delay = self.random.between(100, 200 * MS);
            self.schedule_arrival(delay, host, Arrival::Closed { stream: id });
            last = last.max(delay);
        }
        let delay = last + self.random.between(MS, 500 * MS);
        self.schedule(delay, Event::OpenStream { link, opener: ends[0] });
    }

    /// Sends a frame on the custody stream that it was made for, or nowhere.
    pub fn send(
        &mut self,
        from: HostId,
        to: TransportKey,
        side: Side,
        stream: Option<u64>,
        frame: Vec<u8>,
    ) -> Result<(), String> {
        if frame.len() > crate::limits::FRAME_BYTES {
            return Err(format!("{from:?} sends a frame of {} bytes", frame.len()));
        }
        if self.hosts[from.0].is_client() && side == Side::Client {
            let Ok(decoded) = ClientFrame::decode(&frame) else {
                return Err(format!("{from:?} sends a frame that can't be read"));
            };
            match decoded {
                ClientFrame::Deposit(deposit) => {
                    self.outcome.envelopes += deposit.envelopes.len() as u64;
                    for envelope in deposit.envelopes {
                        self.hostile.overhear(envelope);
                    }
                }
                ClientFrame::Reconcile(_) => self.outcome.questions += 1,
                _ => {}
            }
        }
        let frame = if self.hosts[from.0].is_relay() {
            self.reorder(from, &to, frame)
        } else {
            frame
        };
        let frames = if self.liar.relay == Some(from) {
            self.misspeak(from, &to, frame)
        } else {
            vec![frame]
        };
        for frame in frames {
            self.put(from, to, side, stream, frame);
        }
        Ok(())
    }

    fn put(&mut self, from: HostId, to: TransportKey, side: Side, stream: Option<u64>, frame: Vec<u8>) {
        self.hostile.record(side, &frame);
        self.hash(from, &to, &[side as u8], &frame);
        let Some(id) = stream.filter(|id| self.streams.get(id).is_some_and(|stream| !stream.broken)) else {
            self.trace(|| format!("{from:?} sends {} to {to:?}, lost", summary(side, &frame)));
            return;
        };
        if !matches!(ClientFrame::decode(&frame), Ok(ClientFrame::Ack { .. })) {
            self.trace(|| format!("{from:?} sends {} to {to:?}", summary(side, &frame)));
        }
        self.put_on_stream(id, from, frame);
    }

    /// The living stream of a host with a peer.
    pub fn stream_of(&self, host: HostId, peer: &TransportKey, side: Side) -> Option<u64> {
        let fits = |s: &Stream| {
            let end = s.end(host);
            s.ends.contains(&host)
                && s.side(host) == side
                && !s.broken
                && s.told[end]
                && self.hosts[s.ends[1 - end].0].key == *peer
        };
        self.streams.iter().find(|(_, s)| fits(s)).map(|(id, _)| *id)
    }

    pub fn put_on_stream(&mut self, id: u64, from: HostId, bytes: Vec<u8>) {
        self.put_on_stream_later(id, from, bytes, 0);
    }

    /// What is put on it afterwards waits for it.
    pub fn put_on_stream_later(&mut self, id: u64, from: HostId, bytes: Vec<u8>, pause: Micros) {
        let delay = self.delay() + pause;
        let Some(stream) = self.streams.get_mut(&id) else {
            return;
        };
        let latency = self.links.get(&stream.link).map_or(MS, |link| link.latency);
        let to = 1 - stream.end(from);
        let at = (self.now + latency + delay).max(stream.last[to] + 1);
        stream.last[to] = at;
        let host = stream.ends[to];
        self.schedule_arrival(at - self.now, host, Arrival::Frame { stream: id, bytes });
    }

    /// What the network adds to a latency.
    fn delay(&mut self) -> Micros {
        match self.random.below(100) {
            0 if !self.calm => self.random.between(SECOND, 4 * SECOND),
            0..10 => self.random.between(0, 200 * MS),
            _ => self.random.between(0, 5 * MS),
        }
    }

    pub fn subscribe(&mut self, host: HostId, topic: TopicId, subscribed: bool) {
        let subscriptions = &mut self.hosts[host.0].subscriptions;
        let changed = if subscribed {
            subscriptions.insert(topic)
        } else {
            subscriptions.remove(&topic)
        };
        if !changed {
            return;
        }
        let links: Vec<_> = self
            .links
            .iter()
            .filter(|(_, l)| l.ends.contains(&host) && !l.closing)
            .map(|(id, _)| *id)
            .collect();
        for link in links {
            self.announce(link, host, topic, subscribed);
        }
    }

    /// Tells the other end of a link of a subscription, in order.
    fn announce(&mut self, id: u64, host: HostId, topic: TopicId, subscribed: bool) {
        let delay = self.random.between(0, 20 * MS);
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let to = 1 - link.end(host);
        if !link.told[1 - to] {
            return; // announced with all others once it is connected
        }
        let at = (self.now + link.latency + delay).max(link.announced[to] + 1);
        link.announced[to] = at;
        let peer = link.ends[to];
        self.schedule_arrival(
            at - self.now,
            peer,
            Arrival::GossipPeer {
                link: id,
                topic,
                subscribed,
            },
        );
    }

    pub fn publish(&mut self, from: HostId, topic: TopicId, bytes: &[u8]) {
        self.outcome.gossiped += 1;
        self.hostile.overhear(bytes.to_vec());
        self.hash(from, &TransportKey(topic.0), b"gossip", bytes);
        self.trace(|| format!("{from:?} gossips {} bytes on {topic:?}", bytes.len()));
        let links: Vec<_> = self
            .links
            .iter()
            .filter(|(_, l)| l.ends.contains(&from) && !l.closing)
            .map(|(id, l)| (*id, l.other(from)))
            .collect();
        for (link, to) in links {
            if !self.hosts[to.0].subscriptions.contains(&topic) {
                continue;
            }
            let copies = match self.random.below(10) {
                0..2 => 0,
                2 => 2,
                _ => 1,
            };
            for _ in 0..copies {
                self.gossip_to(link, to, bytes.to_vec());
            }
        }
    }

    pub fn gossip_to(&mut self, link: u64, to: HostId, bytes: Vec<u8>) {
        let latency = self.links.get(&link).map_or(MS, |link| link.latency);
        let delay = latency + self.random.between(0, 40 * MS) + self.delay();
        self.schedule_arrival(delay, to, Arrival::Gossip { link, bytes });
    }

    pub fn verdict(&mut self, host: HostId, peer: TransportKey, id: [u8; 16], verdict: Verdict) -> Result<(), String> {
        let Some((_, junk)) = self.hostile.owed.remove(&(host, id)) else {
            return Err(format!("{host:?} judges a gossip twice, or one that it wasn't given"));
        };
        let honest = peer != self.hosts[self.stranger().0].key;
        match verdict {
            Verdict::Accept if junk => Err(format!("{host:?} passes on junk")),
            Verdict::Reject if honest => Err(format!("{host:?} rejects an honest peer's gossip")),
            _ => Ok(()),
        }
    }

    /// Something reaches a host that is up.
    pub fn arrive(&mut self, host: HostId, arrival: Arrival) -> Result<(), String> {
        match arrival {
            Arrival::Connected { link: id } => {
                let Some(link) = self.links.get_mut(&id).filter(|link| !link.closing) else {
                    return Ok(());
                };
                let end = link.end(host);
                link.told[end] = true;
                let peer = link.other(host);
                for topic in self.hosts[host.0].subscriptions.clone() {
                    self.announce(id, host, topic, true);
                }
                let peer = self.hosts[peer.0].key;
                self.feed(host, Input::Connected { peer })
            }
            Arrival::Disconnected { link } => {
                let Some(link) = self.links.get(&link) else {
                    return Ok(());
                };
                let peer = self.hosts[link.other(host).0].key;
                self.feed(host, Input::Disconnected { peer })
            }
            Arrival::DialFailed { key } => self.feed(host, Input::DialFailed { peer: key }),
            Arrival::Opened { stream } => {
                let Some(stream) = self.streams.get_mut(&stream).filter(|stream| !stream.broken) else {
                    return Ok(());
                };
                let (end, side) = (stream.end(host), stream.side(host));
                stream.told[end] = true;
                let peer = self.hosts[stream.ends[1 - end].0].key;
                self.feed(host, Input::Opened { peer, side })
            }
            Arrival::Closed { stream } => {
                let Some(stream) = self.streams.get_mut(&stream) else {
                    return Ok(());
                };
                let (end, side) = (stream.end(host), stream.side(host));
                if !std::mem::replace(&mut stream.told[end], false) {
                    return Ok(());
                }
                let peer = self.hosts[stream.ends[1 - end].0].key;
                self.feed(host, Input::Closed { peer, side })
            }
            Arrival::Frame { stream: id, bytes } => {
                let Some(stream) = self.streams.get(&id).filter(|stream| !stream.broken) else {
                    return Ok(());
                };
                let (end, side) = (stream.end(host), stream.side(host));
                let peer = self.hosts[stream.ends[1 - end].0].key;
                let bytes = if self.liar.relay == Some(host) {
                    self.mishear(host, id, peer, bytes)
                } else {
                    Some(bytes)
                };
                match bytes {
                    Some(bytes) => self.feed(host, Input::Frame { peer, side, bytes }),
                    None => Ok(()),
                }
            }
            Arrival::Gossip { link, bytes } => {
                let Some(link) = self
                    .links
                    .get(&link)
                    .filter(|link| !link.closing && link.told[link.end(host)])
                else {
                    return Ok(());
                };
                let peer = self.hosts[link.other(host).0].key;
                let id = self.hostile.owe(self.now, host, &bytes);
                self.feed(host, Input::Gossip { peer, id, bytes })
            }
            Arrival::GossipPeer {
                link,
                topic,
                subscribed,
            } => {
                let Some(link) = self
                    .links
                    .get(&link)
                    .filter(|link| !link.closing && link.told[link.end(host)])
                else {
                    return Ok(());
                };
                let peer = self.hosts[link.other(host).0].key;
                self.feed(
                    host,
                    Input::GossipPeer {
                        peer,
                        topic,
                        subscribed,
                    },
                )
            }
            Arrival::Command { token, command } => {
                self.trace(|| format!("{host:?} is asked {command:?}"));
                self.feed(host, Input::Command { token, command })
            }
        }
    }

    pub fn hash(&mut self, from: HostId, to: &TransportKey, what: &[u8], bytes: &[u8]) {
        self.wire.update(&self.now.to_be_bytes());
        self.wire.update(&(from.0 as u64).to_be_bytes());
        self.wire.update(&to.0);
        self.wire.update(what);
        self.wire.update(&(bytes.len() as u64).to_be_bytes());
        self.wire.update(bytes);
    }
}

/// A frame in a few words.
fn summary(side: Side, frame: &[u8]) -> String {
    use crate::custody::CustodianFrame;
    let text = match side {
        Side::Client => match ClientFrame::decode(frame) {
            Ok(ClientFrame::Deposit(deposit)) => {
                let ids: Vec<_> = deposit
                    .envelopes
                    .iter()
                    .filter_map(|e| crate::envelope::Envelope::peek(e).ok())
                    .collect();
                format!("deposit {} {ids:?}", deposit.request)
            }
            Ok(other) => format!("{other:?}"),
            Err(error) => format!("{error}"),
        },
        Side::Server => match CustodianFrame::decode(frame) {
            Ok(CustodianFrame::Items(page)) => {
                let ids: Vec<_> = page
                    .items
                    .iter()
                    .filter_map(|i| Some((i.position, crate::envelope::Envelope::peek(&i.envelope).ok()?.1)))
                    .collect();
                format!(
                    "items of {:?} to {}, void {}: {ids:?}",
                    page.topic, page.cursor.position, page.void
                )
            }
            Ok(CustodianFrame::Receipt(receipt)) => {
                format!(
                    "receipt {}: {:?}, refused {:?}",
                    receipt.request, receipt.accepted, receipt.refused
                )
            }
            Ok(other) => format!("{other:?}"),
            Err(error) => format!("{error}"),
        },
    };
    text.chars().take(400).collect()
}
