//! A behaviour that refuses connections: from banned peers, and beyond a number from one IPv4 address or IPv6 /64.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::task::{Context, Poll};
use std::time::Instant;

use libp2p::PeerId;
use libp2p::core::transport::PortUse;
use libp2p::core::{Endpoint, Multiaddr};
use libp2p::multiaddr::Protocol;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
    dummy,
};

use super::limits::REMEMBERED_OFFENDERS;

/// Why a connection was refused.
#[derive(Clone, Copy, Debug, thiserror::Error)]
enum Refusal {
    #[error("too many connections from one address")]
    Address,
    #[error("the peer is banned for a while")]
    Banned,
    #[error("the network is closing")]
    Closing,
}

pub(super) struct Gate {
    max_per_address: u32,
    limit_loopback: bool,
    inbound: HashMap<ConnectionId, IpAddr>,
    per_address: HashMap<IpAddr, u32>,
    banned: HashMap<PeerId, Instant>,
    closing: bool,
}

impl Gate {
    pub(super) fn new(max_per_address: u32, limit_loopback: bool) -> Self {
        Self {
            max_per_address,
            limit_loopback,
            inbound: HashMap::new(),
            per_address: HashMap::new(),
            banned: HashMap::new(),
            closing: false,
        }
    }

    /// Refuses everybody from now on.
    pub(super) fn close(&mut self) {
        self.closing = true;
    }

    /// Refuses the peer until then. The number remembered is bounded; the ban that ends first gives way.
    pub(super) fn ban(&mut self, peer: PeerId, until: Instant) {
        let first = self.banned.iter().min_by_key(|(_, until)| **until);
        if let Some(first) = first.map(|(peer, _)| *peer)
            && self.banned.len() >= REMEMBERED_OFFENDERS
        {
            self.banned.remove(&first);
        }
        self.banned.insert(peer, until);
    }

    /// Forgets bans that have ended.
    pub(super) fn expire(&mut self, now: Instant) {
        self.banned.retain(|_, until| *until > now);
    }

    /// Whether the peer is refused at present.
    pub(super) fn is_banned(&self, peer: &PeerId) -> bool {
        self.banned.get(peer).is_some_and(|until| *until > Instant::now())
    }

    fn admit(&self, peer: &PeerId) -> Result<(), ConnectionDenied> {
        if self.is_banned(peer) {
            Err(ConnectionDenied::new(Refusal::Banned))
        } else {
            Ok(())
        }
    }

    fn release(&mut self, connection: ConnectionId) {
        let Some(block) = self.inbound.remove(&connection) else {
            return;
        };
        if let Some(count) = self.per_address.get_mut(&block) {
            *count -= 1;
            if *count == 0 {
                self.per_address.remove(&block);
            }
        }
    }
}

/// The address block that counts as one origin, if the address has one.
fn block(address: &Multiaddr) -> Option<IpAddr> {
    address.iter().find_map(|part| match part {
        Protocol::Ip4(ip) => Some(IpAddr::V4(ip)),
        Protocol::Ip6(ip) => Some(match ip.to_ipv4_mapped() {
            Some(ip) => IpAddr::V4(ip),
            None if ip == Ipv6Addr::LOCALHOST => IpAddr::V4(Ipv4Addr::LOCALHOST),
            None => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & (u128::MAX << 64))),
        }),
        _ => None,
    })
}

impl NetworkBehaviour for Gate {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        if self.closing {
            return Err(ConnectionDenied::new(Refusal::Closing));
        }
        let Some(block) = block(remote) else {
            return Ok(());
        };
        if block.is_loopback() && !self.limit_loopback {
            return Ok(());
        }
        let count = self.per_address.entry(block).or_default();
        if *count >= self.max_per_address {
            return Err(ConnectionDenied::new(Refusal::Address));
        }
        *count += 1;
        self.inbound.insert(connection, block);
        Ok(())
    }

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.admit(&peer).map(|()| dummy::ConnectionHandler)
    }

    fn handle_pending_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: Option<PeerId>,
        _: &[Multiaddr],
        _: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        peer.map_or(Ok(()), |peer| self.admit(&peer)).map(|()| Vec::new())
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.admit(&peer).map(|()| dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionClosed(closed) => self.release(closed.connection_id),
            FromSwarm::ListenFailure(failure) => self.release(failure.connection_id),
            _ => {}
        }
    }

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: THandlerOutEvent<Self>) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}
