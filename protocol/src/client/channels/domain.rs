//! Whether the domain that a channel names vouches for it. Its file is fetched by whoever embeds the client.

use super::Channel;
use crate::channel::Vouch;
use crate::client::{Client, CommandError, EventRow, Reply};
use crate::keys::ChannelId;
use crate::wire::Wire;

impl Channel {
    /// The domain that it says it belongs to; none if it says nothing.
    fn domain(&self) -> Option<&str> {
        let (beacon, _) = self.beacon.as_ref()?;
        Some(beacon.manifest.domain.as_str()).filter(|domain| !domain.is_empty())
    }

    /// When the domain that it names was last seen to vouch for it.
    pub(super) fn proved_ms(&self) -> Option<u64> {
        let (domain, at_ms) = self.row.proved.as_ref()?;
        (self.domain() == Some(domain)).then_some(*at_ms)
    }
}

impl Client {
    /// What the domain of an own channel is to publish.
    pub(super) fn vouch_for(&self, id: ChannelId) -> Result<Reply, CommandError> {
        let channel = self.channels.by_id.get(&id);
        let channel = channel.ok_or(CommandError::NotFound { field: "channel" })?;
        let root = channel.root(&id).ok_or(super::NOT_ROOT)?;
        let domain = channel.domain().ok_or(CommandError::Invalid {
            field: "domain",
            reason: "the channel names none",
        })?;
        Ok(Reply::Vouch(Vouch::sign(&root, domain).encode()))
    }

    /// What a domain publishes: whether it vouches for a channel that names it.
    pub(super) fn prove_domain(
        &mut self,
        now_ms: u64,
        id: ChannelId,
        domain: &str,
        vouches: &[Vec<u8>],
    ) -> Result<Reply, CommandError> {
        let channel = self.channel_mut(&id)?;
        if channel.domain() != Some(domain) {
            return Err(CommandError::Invalid {
                field: "domain",
                reason: "the channel names another",
            });
        }
        let mut read = vouches.iter().filter_map(|bytes| Vouch::decode(bytes).ok());
        let proved = read.any(|vouch| vouch.verify(id, domain).is_ok());
        channel.row.proved = proved.then(|| (domain.to_owned(), now_ms));
        channel.dirty = true;
        self.event(&EventRow::ChannelUpdated { channel: id });
        match proved {
            true => Ok(Reply::Done),
            false => Err(CommandError::Invalid {
                field: "domain",
                reason: "it doesn't vouch for the channel",
            }),
        }
    }
}
