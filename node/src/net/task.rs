//! The task that owns the Swarm (`INV-NET-NO-WAIT`): it takes commands and Swarm events in turn and hands each on
//! without waiting for anyone.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::channel::mpsc as light;
use libp2p::gossipsub::{self, IdentTopic, MessageAcceptance, MessageId, PublishError};
use libp2p::multiaddr::Protocol;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{ConnectionId, DialError, ListenError, SwarmEvent};
use libp2p::{Multiaddr, PeerId, Stream, ping};
use libp2p_stream::IncomingStreams;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinHandle;

use super::address::{address_of, dial_failure};
use super::behaviour::{Host, WireEvent, graylist, topic_hash, topic_key};
use super::limits::{
    BACKLOG, CLOSE, CLOSE_LOOK, COMMAND_BATCH, COMMANDS, EVENTS, MAX_DIAL_ADDRESSES, MAX_FRAME_BYTES, NetLimits,
    OFFENCES, PEER_INBOX, TICK, TOPIC_BURST, TOPIC_CHANGES_PER_SECOND,
};
use super::peer::{self, Links, Note, Peer};
use super::penalty::{Offence, Penalties};
use super::queue::Push;
use super::stats::Counters;
use super::stream::{CUSTODY, Shared};
use super::types::ROOM_UNIT;
use super::{
    Acceptance, DialFailure, NetCommand, NetError, NetEvent, NetHandle, Payload, PeerKey, PublishOutcome, Role, Side,
};

pub(super) struct Task {
    swarm: Host,
    commands: mpsc::Receiver<NetCommand>,
    offences: mpsc::Receiver<(PeerKey, Offence)>,
    incoming: IncomingStreams,
    listen: watch::Sender<Vec<String>>,
    shared: Arc<Shared>,
    local: PeerKey,
    role: Role,
    peers: HashMap<PeerKey, Entry>,
    /// Tasks of peers that are gone, until they have said so to the core.
    leaving: HashMap<PeerKey, JoinHandle<()>>,
    dialing: HashMap<ConnectionId, PeerKey>,
    /// Peers of a relay that it asks for things: those that it was told to dial, which its operator named.
    asked: HashSet<PeerKey>,
    penalties: Penalties,
    /// Events of this task's own that wait for room.
    backlog: VecDeque<NetEvent>,
}

/// A connected peer.
struct Entry {
    id: PeerId,
    inbox: light::Sender<Note>,
    links: Arc<Links>,
    task: JoinHandle<()>,
    /// Its connections, the newest last; the Swarm's limit bounds them.
    connections: Vec<ConnectionId>,
    /// Subscription changes it may still make, as of then.
    allowance: (f64, Instant),
}

impl Task {
    pub(super) fn new(
        swarm: Host,
        local: PeerKey,
        role: Role,
        limits: NetLimits,
        addresses: Vec<String>,
    ) -> Result<(NetHandle, Self, mpsc::Receiver<NetEvent>), NetError> {
        let (commands_in, commands) = mpsc::channel(COMMANDS);
        let (events, events_out) = mpsc::channel(EVENTS);
        let (accuse, offences) = mpsc::channel(OFFENCES);
        let (listen, listen_out) = watch::channel(addresses.clone());
        let counters = Arc::new(Counters::default());
        let incoming =
            (swarm.behaviour().streams.new_control().accept(CUSTODY)).map_err(|error| NetError::Transport {
                reason: error.to_string(),
            })?;
        let handle = NetHandle {
            commands: commands_in,
            local,
            listen: listen_out,
            counters: counters.clone(),
        };
        let room = Arc::new(Semaphore::new(
            limits.inbound_bytes.max(2 * MAX_FRAME_BYTES) / ROOM_UNIT,
        ));
        let shared = Arc::new(Shared {
            events,
            room,
            offences: accuse,
            counters,
            limits,
        });
        let task = Self {
            swarm,
            commands,
            offences,
            incoming,
            listen,
            shared,
            local,
            role,
            peers: HashMap::new(),
            leaving: HashMap::new(),
            dialing: HashMap::new(),
            asked: HashSet::new(),
            penalties: Penalties::default(),
            backlog: addresses.into_iter().map(NetEvent::ListenAddr).collect(),
        };
        Ok((handle, task, events_out))
    }

    /// Runs until told to stop, or until nobody commands or listens any more.
    pub(super) async fn run(mut self) {
        let events = self.shared.events.clone();
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut batch = Vec::new();
        loop {
            tokio::select! {
                count = self.commands.recv_many(&mut batch, COMMAND_BATCH) => {
                    for command in batch.drain(..) {
                        match command {
                            NetCommand::Shutdown => return,
                            NetCommand::Close => return self.close().await,
                            command => self.on_command(command),
                        }
                    }
                    if count == 0 {
                        return;
                    }
                }
                event = self.swarm.select_next_some() => self.on_swarm_event(event),
                Some((id, stream)) = self.incoming.next() => self.on_inbound(&id, stream),
                Some((peer, offence)) = self.offences.recv() => self.punish(peer, offence),
                Ok(permit) = events.reserve(), if !self.backlog.is_empty() => {
                    if let Some(event) = self.backlog.pop_front() {
                        permit.send(event);
                    }
                }
                () = events.closed() => return,
                _ = tick.tick() => self.on_tick(),
            }
        }
    }

    /// Writes what is queued, lets the transports send it, and disconnects everybody in order.
    async fn close(mut self) {
        self.swarm.behaviour_mut().gate.close();
        let (written, sent) = CLOSE;
        let deadline = tokio::time::Instant::now() + written;
        let mut look = tokio::time::interval(CLOSE_LOOK);
        while self.queued() > 0 && tokio::time::Instant::now() < deadline {
            tokio::select! {
                event = self.swarm.select_next_some() => self.on_swarm_event(event),
                _ = look.tick() => {}
            }
        }
        self.poll_for(sent).await;
        for peer in self.peers.keys().copied().collect::<Vec<_>>() {
            self.disconnect(peer);
        }
        let deadline = tokio::time::Instant::now() + sent;
        while !self.peers.is_empty() && tokio::time::Instant::now() < deadline {
            self.poll_for(CLOSE_LOOK).await;
        }
    }

    async fn poll_for(&mut self, time: Duration) {
        let polling = async {
            loop {
                let event = self.swarm.select_next_some().await;
                self.on_swarm_event(event);
            }
        };
        // It never ends by itself.
        drop(tokio::time::timeout(time, polling).await);
    }

    fn queued(&self) -> usize {
        let of = |side| {
            self.peers
                .values()
                .map(move |entry| entry.links.side(side).queue.waiting())
        };
        of(Side::Client).chain(of(Side::Server)).sum()
    }

    fn on_command(&mut self, command: NetCommand) {
        match command {
            NetCommand::Dial { peer, addrs } => {
                if self.role == Role::Relay {
                    self.asked.insert(peer);
                }
                if let Err(reason) = self.dial(peer, &addrs) {
                    self.tell(NetEvent::DialFailed { peer, reason });
                }
            }
            NetCommand::Send {
                peer,
                side,
                stream,
                frame,
            } => {
                let pushed = self
                    .peers
                    .get(&peer)
                    .map_or(Push::Closed, |entry| entry.links.side(side).queue.push(stream, frame));
                if matches!(pushed, Push::Closed | Push::TooLarge) {
                    tracing::debug!(%peer, ?side, ?pushed, "frame not sent");
                    self.shared.counters.unsent_frames.add();
                }
            }
            NetCommand::Subscribe { topic } => self.subscribe(&topic),
            NetCommand::Unsubscribe { topic } => {
                if let Some(gossip) = self.swarm.behaviour_mut().gossip.as_mut() {
                    gossip.unsubscribe(&IdentTopic::new(hex::encode(topic)));
                }
            }
            NetCommand::Publish { topic, data, outcome } => {
                if outcome.send(self.publish(&topic, data.into())).is_err() {
                    tracing::trace!("nobody asked what became of a publication");
                }
            }
            NetCommand::Verdict { peer, id, acceptance } => self.verdict(peer, id, acceptance),
            NetCommand::Disconnect { peer } => self.disconnect(peer),
            NetCommand::Penalise { peer } => self.punish(peer, Offence::Reported),
            NetCommand::Close | NetCommand::Shutdown => {}
        }
    }

    fn on_swarm_event(&mut self, event: SwarmEvent<WireEvent>) {
        match event {
            SwarmEvent::ConnectionEstablished {
                peer_id, connection_id, ..
            } => {
                self.dialing.remove(&connection_id);
                self.on_connected(peer_id, connection_id);
            }
            SwarmEvent::ConnectionClosed {
                peer_id,
                connection_id,
                num_established,
                ..
            } => {
                let Some(peer) = PeerKey::from_peer_id(&peer_id) else {
                    return;
                };
                if num_established > 0 {
                    if let Some(entry) = self.peers.get_mut(&peer) {
                        entry.connections.retain(|known| *known != connection_id);
                    }
                } else if let Some(entry) = self.peers.remove(&peer) {
                    self.leaving.insert(peer, entry.task);
                }
            }
            SwarmEvent::OutgoingConnectionError {
                connection_id, error, ..
            } => {
                // Only our own dials: a stream's opener may dial too, in vain, when its connection has just gone.
                if let Some(peer) = self.dialing.remove(&connection_id)
                    && !self.peers.contains_key(&peer)
                {
                    tracing::debug!(%peer, %error, "dial failed");
                    self.tell(NetEvent::DialFailed {
                        peer,
                        reason: dial_failure(&error),
                    });
                }
            }
            SwarmEvent::IncomingConnectionError {
                error: ListenError::Denied { .. },
                ..
            } => {
                self.shared.counters.refused_connections.add();
            }
            SwarmEvent::NewListenAddr { address, .. } => {
                let address = self.with_own_id(address);
                self.listen.send_modify(|all| all.push(address.clone()));
                self.tell(NetEvent::ListenAddr(address));
            }
            SwarmEvent::ExpiredListenAddr { address, .. } => {
                let address = self.with_own_id(address);
                self.listen.send_modify(|all| all.retain(|known| *known != address));
            }
            SwarmEvent::ListenerClosed { reason: Err(error), .. } => tracing::error!(%error, "a listener closed"),
            SwarmEvent::ListenerError { error, .. } => tracing::warn!(%error, "a listener failed"),
            SwarmEvent::Behaviour(WireEvent::Gossip(event)) => self.on_gossip(event),
            // Nobody answers on a line that is cut without a word, and TCP would take many minutes to notice.
            SwarmEvent::Behaviour(WireEvent::Ping(ping::Event {
                connection,
                result: Err(ping::Failure::Timeout | ping::Failure::Other { .. }),
                ..
            })) => {
                self.swarm.close_connection(connection);
            }
            _ => {}
        }
    }

    fn on_connected(&mut self, id: PeerId, connection: ConnectionId) {
        let Some(key) = PeerKey::from_peer_id(&id) else {
            self.swarm.disconnect_peer_id(id).ok();
            return;
        };
        if let Some(entry) = self.peers.get_mut(&key) {
            entry.connections.push(connection);
            return;
        }
        let limits = &self.shared.limits;
        let (inbox, inbox_out) = light::channel(PEER_INBOX);
        let links = Arc::new(Links::new(key, limits.queue_bytes));
        let allowance = ((limits.max_topics * TOPIC_BURST) as f64, Instant::now());
        let task = tokio::spawn(peer::run(Peer {
            key,
            id,
            inbox: inbox_out,
            links: links.clone(),
            shared: self.shared.clone(),
            // A relay asks nothing of its peers but of a few, and thousands of streams less are worth having.
            control: (self.role == Role::Node || self.asked.contains(&key))
                .then(|| self.swarm.behaviour().streams.new_control()),
            previous: self.leaving.remove(&key),
        }));
        self.peers.insert(
            key,
            Entry {
                id,
                inbox,
                links,
                task,
                connections: vec![connection],
                allowance,
            },
        );
    }

    fn on_inbound(&mut self, id: &PeerId, stream: Stream) {
        let entry = PeerKey::from_peer_id(id).and_then(|peer| self.peers.get_mut(&peer));
        if entry.is_none_or(|entry| entry.inbox.try_send(Note::Inbound(Box::new(stream))).is_err()) {
            self.shared.counters.dropped_streams.add();
        }
    }

    fn on_gossip(&mut self, event: gossipsub::Event) {
        match event {
            gossipsub::Event::Message {
                propagation_source,
                message_id,
                message,
            } => {
                let event = self.gossip_event(&propagation_source, &message_id, message);
                if event.is_none_or(|event| self.shared.events.try_send(event).is_err()) {
                    self.shared.counters.dropped_gossip.add();
                    self.report(&propagation_source, &message_id, MessageAcceptance::Ignore);
                }
            }
            gossipsub::Event::Subscribed { peer_id, topic, .. } => self.on_topic(&peer_id, &topic, true),
            gossipsub::Event::Unsubscribed { peer_id, topic } => self.on_topic(&peer_id, &topic, false),
            gossipsub::Event::SlowPeer { .. } => self.shared.counters.slow_gossip_peers.add(),
            gossipsub::Event::GossipsubNotSupported { .. } => {}
        }
    }

    /// `None` if there is no room: gossip gives way to frames, of which nothing may be lost, in the last quarter of the inbox.
    fn gossip_event(&self, source: &PeerId, id: &MessageId, message: gossipsub::Message) -> Option<NetEvent> {
        if self.shared.events.capacity() <= EVENTS / 4 {
            return None;
        }
        Some(NetEvent::Gossip {
            peer: PeerKey::from_peer_id(source)?,
            topic: topic_key(&message.topic)?,
            id: id.0.as_slice().try_into().ok()?,
            data: Payload::try_now(message.data, &self.shared.room)?,
        })
    }

    fn on_topic(&mut self, id: &PeerId, topic: &gossipsub::TopicHash, subscribed: bool) {
        let (Some(peer), Some(topic)) = (PeerKey::from_peer_id(id), topic_key(topic)) else {
            return;
        };
        let Some(entry) = self.peers.get_mut(&peer) else {
            return;
        };
        let (left, since) = entry.allowance;
        let most = (self.shared.limits.max_topics * TOPIC_BURST) as f64;
        let left = (left + since.elapsed().as_secs_f64() * TOPIC_CHANGES_PER_SECOND).min(most) - 1.0;
        entry.allowance = (left, Instant::now());
        if left < 0.0 {
            self.punish(peer, Offence::SubscriptionFlood);
        } else if entry.inbox.try_send(Note::Topic { topic, subscribed }).is_err() {
            // To leave one out would mislead the core for as long as the connection lives.
            self.shared.counters.outrun_peers.add();
            self.disconnect(peer);
        }
    }

    fn on_tick(&mut self) {
        let now = Instant::now();
        self.shared.counters.queued_bytes.set(self.queued() as u64);
        self.leaving.retain(|_, task| !task.is_finished());
        self.penalties.forgive(now);
        let wire = self.swarm.behaviour_mut();
        wire.gate.expire(now);
        let Some(gossip) = wire.gossip.as_ref() else {
            return;
        };
        let bad = |entry: &Entry| gossip.peer_score(&entry.id).is_some_and(|score| score < graylist());
        let bad: Vec<PeerKey> = self
            .peers
            .iter()
            .filter(|(_, entry)| bad(entry))
            .map(|(peer, _)| *peer)
            .collect();
        for peer in bad {
            self.punish(peer, Offence::Graylisted);
        }
    }

    fn dial(&mut self, peer: PeerKey, addrs: &[String]) -> Result<(), DialFailure> {
        if self.peers.contains_key(&peer) || self.dialing.values().any(|dialed| *dialed == peer) {
            return Ok(());
        }
        if peer == self.local {
            return Err(DialFailure::Myself);
        }
        let id = peer.peer_id().ok_or(DialFailure::NoAddress)?;
        let addresses: Vec<Multiaddr> = addrs
            .iter()
            .filter_map(|addr| address_of(id, addr))
            .take(MAX_DIAL_ADDRESSES)
            .collect();
        if addresses.is_empty() {
            return Err(DialFailure::NoAddress);
        }
        let options = DialOpts::peer_id(id)
            .condition(PeerCondition::DisconnectedAndNotDialing)
            .addresses(addresses)
            .build();
        let connection = options.connection_id();
        match self.swarm.dial(options) {
            Ok(()) => {
                self.dialing.insert(connection, peer);
                Ok(())
            }
            Err(DialError::DialPeerConditionFalse(_)) => Ok(()),
            Err(error) => Err(dial_failure(&error)),
        }
    }

    fn subscribe(&mut self, topic: &[u8; 32]) {
        let most = self.shared.limits.max_topics;
        let Some(gossip) = self.swarm.behaviour_mut().gossip.as_mut() else {
            return;
        };
        if gossip.topics().count() >= most {
            tracing::warn!(most, "not gossiping on another topic; its messages go by custody only");
            return;
        }
        if let Err(error) = gossip.subscribe(&IdentTopic::new(hex::encode(topic))) {
            tracing::error!(%error, "can't subscribe");
            return;
        }
        // Who joined before us told so when nobody asked.
        let name = topic_hash(topic);
        let there = gossip.all_peers().filter(|(_, topics)| topics.contains(&&name));
        let there: Vec<PeerKey> = there.filter_map(|(id, _)| PeerKey::from_peer_id(id)).collect();
        for peer in there {
            let (topic, subscribed) = (*topic, true);
            let told = |entry: &mut Entry| entry.inbox.try_send(Note::Topic { topic, subscribed }).is_ok();
            if !self.peers.get_mut(&peer).is_none_or(told) {
                self.shared.counters.outrun_peers.add();
                self.disconnect(peer);
            }
        }
    }

    fn publish(&mut self, topic: &[u8; 32], data: Vec<u8>) -> PublishOutcome {
        let Some(gossip) = self.swarm.behaviour_mut().gossip.as_mut() else {
            return PublishOutcome::NoPeers;
        };
        match gossip.publish(topic_hash(topic), data) {
            Ok(_) => PublishOutcome::Published,
            Err(PublishError::Duplicate) => PublishOutcome::Duplicate,
            Err(PublishError::NoPeersSubscribedToTopic) => PublishOutcome::NoPeers,
            Err(PublishError::MessageTooLarge | PublishError::TransformFailed(_)) => PublishOutcome::TooLarge,
            Err(_) => PublishOutcome::QueuesFull,
        }
    }

    fn verdict(&mut self, peer: PeerKey, id: [u8; 16], acceptance: Acceptance) {
        let Some(source) = peer.peer_id() else { return };
        let acceptance = match acceptance {
            Acceptance::Accept => MessageAcceptance::Accept,
            Acceptance::Ignore => MessageAcceptance::Ignore,
            Acceptance::Reject => {
                self.shared.counters.rejected_gossip.add();
                self.punish(peer, Offence::RejectedGossip);
                MessageAcceptance::Reject
            }
        };
        self.report(&source, &MessageId::new(&id), acceptance);
    }

    fn report(&mut self, source: &PeerId, id: &MessageId, acceptance: MessageAcceptance) {
        let Some(gossip) = self.swarm.behaviour_mut().gossip.as_mut() else {
            return;
        };
        if !gossip.report_message_validation_result(id, source, acceptance) {
            self.shared.counters.late_verdicts.add();
        }
    }

    /// Whoever was killed and comes back opens its stream again. QUIC would keep the connections of its former life for as long as it
    /// may idle, our own stream and gossip on them, and count them against the limit of each peer: they end here. True if there were
    /// any, so that nothing is to be punished. Two that dialled each other at once may lose one of two live connections by this, and
    /// open on the other what was on it.
    fn end_former_lives(&mut self, peer: PeerKey) -> bool {
        let Some((_, former)) = self.peers.get(&peer).and_then(|entry| entry.connections.split_last()) else {
            return false;
        };
        let former = former.to_vec();
        for connection in &former {
            self.swarm.close_connection(*connection);
        }
        !former.is_empty()
    }

    fn punish(&mut self, peer: PeerKey, offence: Offence) {
        let back = matches!(offence, Offence::ReplacedStream | Offence::ReopenedStream);
        if back && self.end_former_lives(peer) || offence == Offence::ReopenedStream {
            return;
        }
        tracing::debug!(%peer, ?offence, "offence");
        let Some(id) = peer.peer_id() else { return };
        let now = Instant::now();
        // What comes between the ban and the end of the connection doesn't count again.
        if self.swarm.behaviour().gate.is_banned(&id) || !self.penalties.add(peer, offence, now) {
            return;
        }
        self.shared.counters.banned_peers.add();
        self.swarm.behaviour_mut().gate.ban(id, now + self.shared.limits.ban);
        self.disconnect(peer);
    }

    fn disconnect(&mut self, peer: PeerKey) {
        if let Some(id) = peer.peer_id()
            && self.swarm.disconnect_peer_id(id).is_err()
        {
            tracing::debug!(%peer, "was not connected");
        }
    }

    fn tell(&mut self, event: NetEvent) {
        if self.backlog.len() >= BACKLOG {
            self.backlog.pop_front();
            self.shared.counters.dropped_events.add();
        }
        self.backlog.push_back(event);
    }

    fn with_own_id(&self, address: Multiaddr) -> String {
        address.with(Protocol::P2p(*self.swarm.local_peer_id())).to_string()
    }
}
