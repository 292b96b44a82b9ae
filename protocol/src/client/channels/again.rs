//! Own entries at the channel's relays: handed to them until all have signed, and again when one has lost them.

use super::rows::{LeftRow, Place, key};
use crate::address::PeerAddress;
use crate::client::Client;
use crate::client::outbox::OutWhat;
use crate::client::records::OutKind;
use crate::keys::{ChannelId, EnvelopeId, TopicId};
use crate::limits;
use crate::rows::{Rows, RowsError, Tree, prefix_end};

/// Entries that relays are handed again when they may lack them (guess: what followers see of a channel at first, and more).
const AGAIN: usize = 256;
/// Milliseconds after which a relay that was left is given up that didn't take the word of it (guess: it was away for longer than most).
const LEFT_MS: u64 = 30 * 24 * 3600 * 1000;

impl Client {
    /// A relay of an own channel has lost its past.
    pub(in crate::client) fn channel_forgotten(&mut self, id: ChannelId) {
        let channel = self.channels.by_id.get(&id);
        if channel.is_some_and(|channel| channel.row.pen.is_some()) {
            self.channels.again.insert(id);
        }
    }

    /// A relay has lost entries of own channels that it had signed for.
    pub(in crate::client) fn channel_lost(&mut self, topic: TopicId, lost: &[EnvelopeId]) {
        let id = ChannelId(topic.0);
        let ours = self
            .channels
            .by_id
            .get(&id)
            .is_some_and(|channel| channel.row.pen.is_some());
        if ours {
            self.channels.lost.extend(lost.iter().map(|entry| (id, *entry)));
        }
    }

    /// Hands relays again what they may lack: the newest entries and the beacon, or what they are known to have lost.
    pub(super) fn deposit_again(&mut self, now_ms: u64, rows: &dyn Rows) -> Result<(), RowsError> {
        for (id, entry) in std::mem::take(&mut self.channels.lost) {
            match self.entry_place(&id, &entry, rows)? {
                Some(place) => self.deposit_entry(now_ms, id, place, rows)?,
                // A beacon: the newest one says more.
                None => {
                    self.channels.again.insert(id);
                }
            }
        }
        for id in std::mem::take(&mut self.channels.again) {
            let end = prefix_end(&id.0);
            let mut newest = rows.range(Tree::ChannelTimeline, &id.0, &end, AGAIN, true)?;
            newest.reverse();
            for (_, value) in newest {
                if let Some((_, place)) = key::read_timeline(&value) {
                    self.deposit_entry(now_ms, id, place, rows)?;
                }
            }
            if let Ok(manifest) = self.own_manifest(&id) {
                self.send_beacon(now_ms, id, manifest)?;
            }
        }
        // What was just signed is taken like what comes.
        if self.channels.arrived.is_empty() {
            return Ok(());
        }
        self.take_channels(now_ms, rows)
    }

    /// Hands an entry that we wrote to the channel's relays, if it isn't on its way.
    fn deposit_entry(
        &mut self,
        now_ms: u64,
        id: ChannelId,
        (writer, number): Place,
        rows: &dyn Rows,
    ) -> Result<(), RowsError> {
        let pen = self
            .channels
            .by_id
            .get(&id)
            .and_then(|channel| channel.row.pen.as_ref());
        if pen.is_none_or(|pen| pen.secret.public() != writer) {
            return Ok(());
        }
        match self.entry_at(&id, writer, number, rows)? {
            Some(envelope) if !self.out_ids.contains_key(&envelope.id()) => {
                let what = OutWhat::Row(OutKind::Channel { channel: id, number });
                self.add_out(now_ms, id.topic(), what, envelope)
            }
            _ => Ok(()),
        }
    }

    /// An own channel moves to other relays: new ones are handed the newest of what it wrote, and those that it leaves are told where it is
    /// now, as who was away comes back to them.
    pub(super) fn change_relays(&mut self, now_ms: u64, id: ChannelId, before: &[PeerAddress], after: &[PeerAddress]) {
        let stays = |relay: &PeerAddress| after.iter().any(|known| known.key == relay.key);
        if after.iter().any(|relay| !before.contains(relay)) {
            self.channels.again.insert(id);
        }
        let channel = self.channels.by_id.get_mut(&id);
        let Some(own) = channel.and_then(|channel| channel.row.own.as_mut()) else {
            return;
        };
        own.left.retain(|left| !stays(&left.relay));
        let gone = before.iter().filter(|relay| !stays(relay));
        own.left.extend(gone.map(|relay| LeftRow {
            relay: relay.clone(),
            until_ms: now_ms.saturating_add(LEFT_MS),
        }));
        let beyond = own.left.len().saturating_sub(limits::RELAYS);
        own.left.drain(..beyond);
    }

    /// Gives up relays that were left and never came back.
    pub(super) fn give_up_left(&mut self, now_ms: u64) {
        for channel in self.channels.by_id.values_mut() {
            let Some(own) = &mut channel.row.own else {
                continue;
            };
            let known = own.left.len();
            own.left.retain(|left| left.until_ms > now_ms);
            if own.left.len() < known {
                channel.dirty = true;
                self.channels.let_go = true;
            }
        }
    }

    /// Ends connections to relays that were left and are no longer wanted for that.
    pub(super) fn let_go_of_relays(&mut self, now_ms: u64) -> Result<(), RowsError> {
        match std::mem::take(&mut self.channels.let_go) {
            true => self.refresh_links(now_ms),
            false => Ok(()),
        }
    }

    /// A relay took an envelope of an own channel, or an answer to a poll: once all have it, it needs no place in the outbox.
    pub(in crate::client) fn channel_held(&mut self, number: u64) {
        let Some(out) = self.outs.get(&number) else {
            return;
        };
        let (channel, entry) = match &out.what {
            OutWhat::Row(OutKind::Channel { channel, number }) => (channel, *number),
            OutWhat::Row(OutKind::Ballot { channel, .. }) => (channel, u64::MAX),
            _ => return,
        };
        let Some(channel) = self.channels.by_id.get_mut(channel) else {
            return;
        };
        // The beacon that waits is of after the change.
        if let Some(own) = channel.row.own.as_mut().filter(|_| entry == 0) {
            let known = own.left.len();
            own.left.retain(|left| !out.held.contains_key(&left.relay.key));
            if own.left.len() < known {
                channel.dirty = true;
                self.channels.let_go = true;
            }
        }
        if entry == 0 && channel.left().next().is_some() {
            return;
        }
        let relays = channel.relays();
        let held = |relay: &PeerAddress| out.held.contains_key(&relay.key) && !out.forgotten.contains(&relay.key);
        // The word of a relay that is no longer relied on isn't waited for.
        let enough = |relay: &PeerAddress| held(relay) || out.doubted.contains_key(&relay.key);
        #[cfg(feature = "sim")]
        let believed = self.config.sabotage == crate::client::Sabotage::RelayBelieved;
        #[cfg(not(feature = "sim"))]
        let believed = false;
        if relays.iter().any(held) && (believed || relays.iter().all(enough)) {
            self.drop_out(number);
        }
    }
}
