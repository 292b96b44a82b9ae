//! Where a peer can be reached.

use crate::keys::TransportKey;
use crate::limits;
use crate::wire::{DecodeError, Reader, Wire, Writer};
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

/// Writes a list of addresses.
pub(crate) fn write_all(w: &mut Writer, addresses: &[PeerAddress]) {
    w.list(addresses, |w, address| address.write(w));
}

/// Reads a list of at most `limit` addresses.
pub(crate) fn read_all(r: &mut Reader<'_>, field: &'static str, limit: usize) -> Result<Vec<PeerAddress>, DecodeError> {
    r.list(field, limit, PeerAddress::read)
}
