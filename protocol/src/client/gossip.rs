//! Gossip: whose we take part in, and what goes by it first.

use super::io::Effect;
use super::{Client, TopicUse};
use crate::keys::{TopicId, TransportKey};
use crate::limits;
use crate::rows::RowsError;
use std::collections::BTreeSet;

impl Client {
    /// Takes part in a chat's gossip exactly while a device of the other is connected, and in that of channels as the user wants.
    pub(super) fn refresh_gossip(&mut self) {
        let desired: BTreeSet<TopicId> = self
            .chats
            .values()
            .filter(|chat| {
                self.links
                    .values()
                    .any(|link| link.connected && !link.relay && link.serves(chat))
            })
            .map(|chat| chat.row.topic.public())
            .chain(self.meshed())
            .collect();
        for topic in self.subscribed.difference(&desired) {
            self.step.effects.push(Effect::Unsubscribe(*topic));
        }
        for topic in desired.difference(&self.subscribed) {
            self.step.effects.push(Effect::Subscribe(*topic));
        }
        self.subscribed = desired;
    }

    pub(super) fn gossip_peer(
        &mut self,
        now_ms: u64,
        peer: TransportKey,
        topic: TopicId,
        subscribed: bool,
    ) -> Result<(), RowsError> {
        let channel = match self.topics.get(&topic) {
            Some(TopicUse::Chat(_)) if !self.is_quiet(&topic) => None,
            Some(TopicUse::Channel(channel)) if self.is_meshed(channel) => Some(*channel),
            _ => return Ok(()),
        };
        if subscribed {
            let peers = self.gossip.entry(topic).or_default();
            if peers.len() < limits::PEERS {
                peers.insert(peer);
            }
        } else if let Some(peers) = self.gossip.get_mut(&topic) {
            peers.remove(&peer);
        }
        match channel {
            Some(channel) => self.mesh_peer(now_ms, peer, channel, subscribed),
            None => Ok(()),
        }
    }

    /// Gossip from before a device came can't have reached it: what waits goes by stream at once, before what is written from now on.
    pub(super) fn end_grace(&mut self, peer: TransportKey) {
        let Some(link) = self.links.get(&peer).filter(|link| !link.relay) else {
            return;
        };
        for number in &link.todo {
            if let Some(out) = self.outs.get_mut(number) {
                out.direct_after_ms = 0;
            }
        }
    }

    /// Whether a member that is connected subscribes to a topic.
    pub(super) fn is_gossiped(&self, topic: &TopicId) -> bool {
        self.gossip.get(topic).is_some_and(|peers| !peers.is_empty())
    }

    /// Gossips an envelope to the members that are connected and subscribed; a stream follows only if that doesn't do.
    pub(super) fn gossip_out(&mut self, now_ms: u64, number: u64) {
        let grace = self.config.direct_grace_ms;
        let Some(out) = self.outs.get_mut(&number) else {
            return;
        };
        if out.what.chat().is_none() || self.gossip.get(&out.topic).is_none_or(BTreeSet::is_empty) {
            return;
        }
        if let Some(envelope) = &out.envelope {
            out.direct_after_ms = now_ms.saturating_add(grace);
            self.step.effects.push(Effect::Publish {
                topic: out.topic,
                bytes: envelope.bytes().to_vec(),
            });
        }
    }
}
