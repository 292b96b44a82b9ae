//! Which peers are to be connected, and what for: relays, contacts' devices, invites, groups.

use super::Client;
use crate::address::PeerAddress;
use crate::keys::{AccountId, ChannelId, ChatId, TopicId, TransportKey};
use crate::limits;
use std::collections::{BTreeMap, BTreeSet};

/// What a link is wanted for.
pub(super) struct Want {
    pub address: PeerAddress,
    pub relay: bool,
    pub own: bool,
    pub accounts: BTreeSet<AccountId>,
    pub chats: BTreeSet<ChatId>,
    pub channels: BTreeSet<ChannelId>,
    pub cards: BTreeSet<TopicId>,
    pub doors: BTreeSet<TopicId>,
    /// Somebody is reached there who is no contact, or the operator: something waits for it, or it is in a chat with this device.
    pub strangers: bool,
    /// It follows a channel that is followed here, and both pass it on.
    pub mesh: bool,
}

impl Client {
    pub(super) fn wants(&self) -> BTreeMap<TransportKey, Want> {
        let mut wants: BTreeMap<TransportKey, Want> = BTreeMap::new();
        let mut want =
            |address: &PeerAddress, relay: bool, own: bool, account: Option<AccountId>, card: Option<TopicId>| {
                let entry = wants.entry(address.key).or_insert_with(|| Want {
                    address: address.clone(),
                    relay,
                    own: false,
                    accounts: BTreeSet::new(),
                    chats: BTreeSet::new(),
                    channels: BTreeSet::new(),
                    cards: BTreeSet::new(),
                    doors: BTreeSet::new(),
                    strangers: false,
                    mesh: false,
                });
                for addr in &address.addrs {
                    if !entry.address.addrs.contains(addr) && entry.address.addrs.len() < limits::ADDRESSES {
                        entry.address.addrs.push(addr.clone());
                    }
                }
                entry.relay |= relay;
                entry.own |= own;
                entry.accounts.extend(account);
                entry.cards.extend(card);
            };
        for relay in &self.settings.relays {
            want(relay, true, true, None, None);
        }
        // A contact can't make another's device pass for a relay, whose receipts would count as custody.
        let devices: BTreeSet<TransportKey> = self
            .contacts
            .values()
            .chain(self.aliases.values().map(|alias| &alias.row.contact))
            .flat_map(|contact| contact.transports.iter().map(|certificate| certificate.transport))
            .collect();
        for contact in self.contacts.values() {
            for relay in contact.relays.iter().filter(|relay| !devices.contains(&relay.key)) {
                want(relay, true, false, Some(contact.account), None);
            }
            for device in &contact.devices {
                let certified = contact.transports.iter().any(|known| known.transport == device.key);
                if certified {
                    want(device, false, false, Some(contact.account), None);
                }
            }
        }
        for (card, acceptance) in &self.accepting {
            for relay in &acceptance.invite.relays {
                want(relay, true, false, None, Some(*card));
            }
            let devices = acceptance.invite.devices.iter().filter(|_| acceptance.is_open());
            for device in devices {
                want(device, false, false, None, Some(*card));
            }
        }
        for to in self.reaches.values() {
            for relay in to.relays.iter().filter(|relay| !devices.contains(&relay.key)) {
                want(relay, true, false, None, None);
            }
            for device in &to.devices {
                want(device, false, false, None, None);
            }
        }
        for invite in self.invites.values() {
            for relay in &invite.invite.relays {
                want(relay, true, false, None, None);
            }
        }
        let kept: Vec<(ChannelId, &PeerAddress)> = self.channels.at_relays().collect();
        let kept: Vec<_> = kept
            .into_iter()
            .filter(|(_, relay)| !devices.contains(&relay.key))
            .collect();
        for (_, relay) in &kept {
            want(relay, true, false, None, None);
        }
        let reported: Vec<&PeerAddress> = self
            .channels
            .reported_to()
            .filter(|relay| !devices.contains(&relay.key))
            .collect();
        for relay in &reported {
            want(relay, true, false, None, None);
        }
        for member in self.channels.members() {
            want(member, false, false, None, None);
        }
        let groups = self.chats.values().filter(|chat| chat.row.peer.is_none());
        let aliases = self.aliases.iter();
        let theirs: Vec<(ChatId, &PeerAddress)> = groups
            .flat_map(|chat| chat.row.context.relays.iter().map(|relay| (chat.id, relay)))
            .chain(aliases.flat_map(|(chat, alias)| alias.row.contact.relays.iter().map(|relay| (*chat, relay))))
            .filter(|(_, relay)| !devices.contains(&relay.key))
            .collect();
        for (_, relay) in &theirs {
            want(relay, true, false, None, None);
        }
        for (chat, relay) in theirs {
            if let Some(want) = wants.get_mut(&relay.key) {
                want.chats.insert(chat);
                want.strangers |= self.chats.get(&chat).is_none_or(|chat| !chat.is_removed());
            }
        }
        for (channel, relay) in kept {
            if let Some(want) = wants.get_mut(&relay.key) {
                want.channels.insert(channel);
            }
        }
        let waiting = self.reaches.values().flat_map(|to| to.relays.iter().chain(&to.devices));
        for peer in waiting {
            if let Some(want) = wants.get_mut(&peer.key) {
                want.strangers = true;
            }
        }
        for relay in reported {
            if let Some(want) = wants.get_mut(&relay.key) {
                want.strangers = true;
            }
        }
        for member in self.channels.members() {
            if let Some(want) = wants.get_mut(&member.key) {
                want.mesh = true;
            }
        }
        for (card, invite) in &self.invites {
            for relay in &invite.invite.relays {
                if let Some(want) = wants.get_mut(&relay.key) {
                    want.doors.insert(*card);
                }
            }
        }
        wants
    }
}
