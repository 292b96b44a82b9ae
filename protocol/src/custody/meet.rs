//! Followers of a channel find each other at its relay.

use crate::address::{self, PeerAddress};
use crate::keys::TopicId;
use crate::limits;
use crate::wire::{DecodeError, Reader, Wire, Writer};

/// Name me to others who watch a topic and say this of themselves too, and name some of them to me.
///
/// | bytes | field |
/// |---|---|
/// | 8 | request, chosen by the client, returned in the answer |
/// | 32 | topic, which the client watches |
/// | V | multiaddrs `opaque<V><V>` at which the client can be reached; none to be named to nobody |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meet {
    /// Chosen by the client, returned in the answer.
    pub request: u64,
    /// The topic.
    pub topic: TopicId,
    /// At most [`limits::ADDRESSES`].
    pub addrs: Vec<String>,
}

/// Some of those who asked to meet others.
///
/// | bytes | field |
/// |---|---|
/// | 8 | request |
/// | 32 | topic |
/// | V | peers `PeerAddress<V>`, at most [`limits::MET`] |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Met {
    /// As asked.
    pub request: u64,
    /// As asked.
    pub topic: TopicId,
    /// Whom the relay picks; nobody vouches for them.
    pub peers: Vec<PeerAddress>,
}

impl Wire for Meet {
    fn write(&self, w: &mut Writer) {
        w.u64(self.request);
        self.topic.write(w);
        w.list(&self.addrs, |w, addr| w.bytes(addr.as_bytes()));
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            request: r.u64("meet.request")?,
            topic: TopicId::read(r)?,
            addrs: r.list("meet.addrs", limits::ADDRESSES, |r| {
                r.text("meet.multiaddr", limits::ADDRESS_BYTES)
            })?,
        })
    }
}

impl Wire for Met {
    fn write(&self, w: &mut Writer) {
        w.u64(self.request);
        self.topic.write(w);
        address::write_all(w, &self.peers);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            request: r.u64("met.request")?,
            topic: TopicId::read(r)?,
            peers: address::read_all(r, "met.peers", limits::MET)?,
        })
    }
}
