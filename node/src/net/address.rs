//! Addresses as text: reading them, checking them, and what a failed dial says.

use std::net::{IpAddr, TcpListener};
use std::str::FromStr;

use libp2p::multiaddr::Protocol;
use libp2p::swarm::DialError;
use libp2p::{Multiaddr, PeerId};

use super::limits::MAX_ADDRESS_BYTES;
use super::{DialFailure, NetError, PeerKey};

/// Reads a multiaddr that ends in `/p2p/…` and gives the peer and the address in its canonical form.
///
/// # Errors
/// [`NetError::Address`] if it is longer than [`MAX_ADDRESS_BYTES`], no multiaddr, or doesn't end in an Ed25519 peer id.
pub fn parse_address(address: &str) -> Result<(PeerKey, String), NetError> {
    let wrong = |reason: &str| NetError::Address {
        address: address.chars().take(MAX_ADDRESS_BYTES).collect(),
        reason: reason.into(),
    };
    let parsed =
        multiaddr(address).ok_or_else(|| wrong("it is no multiaddr like /ip4/192.0.2.1/tcp/4001/p2p/12D3…"))?;
    match parsed.iter().last() {
        Some(Protocol::P2p(id)) => {
            let peer = PeerKey::from_peer_id(&id).ok_or_else(|| wrong("its peer id is not of an Ed25519 key"))?;
            Ok((peer, parsed.to_string()))
        }
        _ => Err(wrong("it doesn't end in /p2p/ and the peer's id")),
    }
}

/// An address with the `/p2p/…` of its peer, as [`parse_address`] reads it; as it is if either makes no sense.
#[must_use]
pub fn full_address(peer: PeerKey, address: &str) -> String {
    let full = peer
        .peer_id()
        .and_then(|id| Some(address_of(id, address)?.with(Protocol::P2p(id))));
    full.map_or_else(|| address.to_owned(), |full| full.to_string())
}

/// Reads a multiaddr of a bearable length.
pub(super) fn multiaddr(address: &str) -> Option<Multiaddr> {
    if address.len() > MAX_ADDRESS_BYTES {
        None
    } else {
        Multiaddr::from_str(address).ok()
    }
}

/// The address without its `/p2p/…`, unless that names somebody else.
pub(super) fn address_of(peer: PeerId, address: &str) -> Option<Multiaddr> {
    let mut address = multiaddr(address)?;
    if let Some(Protocol::P2p(named)) = address.iter().last() {
        if named != peer {
            return None;
        }
        address.pop();
    }
    (!address.is_empty()).then_some(address)
}

/// What the core is told of a failed dial.
pub(super) fn dial_failure(error: &DialError) -> DialFailure {
    match error {
        DialError::LocalPeerId { .. } => DialFailure::Myself,
        DialError::NoAddresses => DialFailure::NoAddress,
        DialError::WrongPeerId { .. } => DialFailure::WrongPeer,
        DialError::Denied { .. } => DialFailure::Refused,
        DialError::DialPeerConditionFalse(_) | DialError::Aborted | DialError::Transport(_) => DialFailure::Unreachable,
    }
}

/// Fails if a TCP port is taken: libp2p's listeners share theirs for dialling, so that a second process of the same user
/// would take half of the connections instead of failing.
pub(super) fn probe(address: &Multiaddr) -> std::io::Result<()> {
    let mut parts = address.iter();
    let ip: IpAddr = match parts.next() {
        Some(Protocol::Ip4(ip)) => ip.into(),
        Some(Protocol::Ip6(ip)) => ip.into(),
        _ => return Ok(()),
    };
    match parts.next() {
        Some(Protocol::Tcp(port)) if port != 0 => TcpListener::bind((ip, port)).map(drop),
        _ => Ok(()),
    }
}
