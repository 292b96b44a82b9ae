//! Where a peer can be reached.

use crate::keys::TransportKey;
use crate::limits;
use crate::wire::{DecodeError, Reader, Wire, Writer};
use core::net::IpAddr;
use serde::{Deserialize, Serialize};

/// A relay or device: its transport key and multiaddrs, which are opaque text here.
///
/// `struct { opaque key[32]; opaque multiaddr<V><V>; }`
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PeerAddress {
    /// The transport key.
    pub key: TransportKey,
    /// Multiaddrs without `/p2p/…`, at most [`limits::ADDRESSES`].
    pub addrs: Vec<String>,
}

impl Wire for PeerAddress {
    fn write(&self, w: &mut Writer) {
        self.key.write(w);
        w.list(&self.addrs, |w, addr| w.bytes(addr.as_bytes()));
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            key: TransportKey::read(r)?,
            addrs: r.list("address.addrs", limits::ADDRESSES, |r| {
                r.text("address.multiaddr", limits::ADDRESS_BYTES)
            })?,
        })
    }
}

/// How far an address leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// To this machine.
    Loopback,
    /// To this network.
    Local,
    /// Anywhere.
    Public,
}

impl Reach {
    /// That of a multiaddr that begins with an IP address; others, such as names, lead somewhere unknown.
    pub fn of(addr: &str) -> Option<Self> {
        let mut parts = addr.strip_prefix('/')?.split('/');
        let (kind, host) = (parts.next()?, parts.next()?);
        let ip = match kind {
            "ip4" => IpAddr::V4(host.parse().ok()?),
            "ip6" => IpAddr::V6(host.parse().ok()?),
            _ => return None,
        };
        let ip = match ip {
            IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(ip, IpAddr::V4),
            IpAddr::V4(_) => ip,
        };
        if ip.is_loopback() {
            return Some(Self::Loopback);
        }
        let local = match ip {
            IpAddr::V4(v4) => {
                let shared = matches!(v4.octets(), [100, 64..=127, ..]);
                v4.is_private() || v4.is_link_local() || shared || v4.is_multicast() || v4.is_broadcast()
            }
            IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local() || v6.is_multicast(),
        };
        match ip.is_unspecified() {
            true => None,
            false if local => Some(Self::Local),
            false => Some(Self::Public),
        }
    }
}

impl PeerAddress {
    /// Keeps the addresses of somebody whom `by` named that lead no less far than one at which that one itself is reached: a public peer
    /// points nobody at the local network (FAULTS 13).
    pub fn named_by(mut self, by: &Self) -> Self {
        let reach = by
            .addrs
            .iter()
            .map(|addr| Reach::of(addr).unwrap_or(Reach::Public))
            .min();
        let least = reach.unwrap_or(Reach::Public);
        self.addrs
            .retain(|addr| Reach::of(addr).is_some_and(|reach| reach >= least));
        self
    }
}

/// Writes a list of addresses.
pub(crate) fn write_all(w: &mut Writer, addresses: &[PeerAddress]) {
    w.list(addresses, |w, address| address.write(w));
}

/// Reads a list of at most `limit` addresses.
pub(crate) fn read_all(r: &mut Reader<'_>, field: &'static str, limit: usize) -> Result<Vec<PeerAddress>, DecodeError> {
    r.list(field, limit, PeerAddress::read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f13_whoever_is_named_by_a_public_peer_is_not_dialled_in_the_local_network() {
        let all = [
            "/ip4/127.0.0.1/tcp/1",
            "/ip6/::1/tcp/1",
            "/ip6/::ffff:10.0.0.1/tcp/1",
            "/ip4/192.168.1.1/udp/1/quic-v1",
            "/ip4/100.64.0.1/tcp/1",
            "/ip6/fe80::1/tcp/1",
            "/ip4/0.0.0.0/tcp/1",
            "/dns4/router.example/tcp/1",
            "/ip4/203.0.113.1/tcp/1",
            "/ip6/2001:db8::1/tcp/1",
        ];
        let peer = |addrs: &[&str]| PeerAddress {
            key: TransportKey([1; 32]),
            addrs: addrs.iter().map(|addr| (*addr).to_owned()).collect(),
        };
        let left = |by: &str| peer(&all).named_by(&peer(&[by])).addrs;
        assert_eq!(left("/ip4/203.0.113.9/tcp/1"), all[8..]);
        assert_eq!(left("/dns4/relay.example/tcp/1"), all[8..]);
        assert_eq!(left("/ip4/10.1.1.1/tcp/1").len(), 6);
        assert_eq!(left("/ip4/127.0.0.1/tcp/1").len(), 8);
    }
}
