//! Links: the relays and devices that we want to be connected to, and what we watch there.

use super::aliases::Alias;
use super::audit::Audit;
use super::chats::Chat;
use super::io::{Effect, Side};
use super::trust::Pushed;
use super::{Client, TopicUse};
use crate::address::PeerAddress;
use crate::custody::{ClientFrame, Cursor, CustodianFrame, Items, Refusal, Watch};
use crate::envelope::Envelope;
use crate::keys::{AccountId, ChannelId, ChatId, EnvelopeId, TopicId, TransportKey};
use crate::limits;
use crate::rows::RowsError;
use crate::wire::Wire;
use std::collections::{BTreeMap, BTreeSet};

/// A peer that we want to be connected to.
pub(super) struct Link {
    pub address: PeerAddress,
    /// A relay, else a device.
    pub relay: bool,
    /// A relay of our own account.
    pub own: bool,
    /// The contacts whose relay or device it is.
    pub accounts: BTreeSet<AccountId>,
    /// The groups whose relay it is, and the chats of aliases.
    chats: BTreeSet<ChatId>,
    /// The channels that it keeps.
    pub channels: BTreeSet<ChannelId>,
    /// The cards that are looked for there.
    cards: BTreeSet<TopicId>,
    /// Our open invites that name this relay, by card topic: guests knock there, also after we moved to others.
    pub doors: BTreeSet<TopicId>,
    /// Somebody is reached there who is no contact, or the relay's operator: something waits for it, or it is in a chat with this device.
    strangers: bool,
    /// It takes part in the mesh of a channel.
    mesh: bool,
    pub connected: bool,
    /// Our custody stream is ready, and since when.
    pub opened: bool,
    pub opened_ms: u64,
    /// The relay says that we are no user of it.
    pub turned_away: bool,
    /// When we name our token again: the operator may have just made it.
    pub hello_ms: Option<u64>,
    pub hello_wait_ms: u64,
    pub dialing: bool,
    pub retry_at_ms: u64,
    pub backoff_ms: u64,
    /// The custodian asked for patience.
    pub refused_until_ms: u64,
    /// When something deferred can be handed over.
    pub due_ms: Option<u64>,
    /// When the custody of something that waits ends there.
    pub lapses_ms: Option<u64>,
    /// What is to be handed over.
    pub todo: BTreeSet<u64>,
    /// Topics that the custodian has no room for: what is on them waits here.
    pub parked: BTreeMap<TopicId, Parked>,
    /// It told on this stream that it had lost its past.
    forgot: bool,
    /// What a device has taken on this stream and not confirmed by a report yet.
    pub handed: BTreeSet<u64>,
    /// Deposits without a receipt yet.
    pub flight: BTreeMap<u64, Vec<(u64, EnvelopeId)>>,
    next_request: u64,
    pub watched: BTreeSet<TopicId>,
    /// What is asked of a relay to see whether it keeps its word.
    pub audit: Audit,
    /// Topics that it has pushed since this stream began to watch them.
    pub pushed: BTreeMap<TopicId, Pushed>,
    taken_bytes: u64,
}

/// What waits until a topic's quota has room.
#[derive(Default)]
pub(super) struct Parked {
    pub until_ms: u64,
    pub numbers: BTreeSet<u64>,
}

impl Client {
    /// Brings the links in line with relays, contacts and invites.
    pub(super) fn refresh_links(&mut self, now_ms: u64) -> Result<(), RowsError> {
        let mut wants = self.wants();
        wants.remove(&self.transport());
        for (peer, link) in &mut self.links {
            if !wants.contains_key(peer) {
                link.own = false;
                link.accounts.clear();
                link.chats.clear();
                link.channels.clear();
                link.cards.clear();
                link.doors.clear();
                link.strangers = false;
                link.mesh = false;
            }
        }
        let least = self.config.dial_backoff_ms.0;
        for (peer, want) in wants {
            let link = self.links.entry(peer).or_insert_with(|| Link {
                address: want.address.clone(),
                relay: want.relay,
                own: false,
                accounts: BTreeSet::new(),
                chats: BTreeSet::new(),
                channels: BTreeSet::new(),
                cards: BTreeSet::new(),
                doors: BTreeSet::new(),
                strangers: false,
                mesh: false,
                // Whoever asked for contact is connected already, and dialling would lead to no news of that.
                connected: self.present.contains_key(&peer),
                opened: self.present.get(&peer).is_some_and(|opened| *opened),
                opened_ms: now_ms,
                turned_away: false,
                hello_ms: None,
                hello_wait_ms: 0,
                dialing: false,
                retry_at_ms: now_ms,
                backoff_ms: least,
                refused_until_ms: 0,
                due_ms: None,
                lapses_ms: None,
                todo: BTreeSet::new(),
                parked: BTreeMap::new(),
                forgot: false,
                handed: BTreeSet::new(),
                flight: BTreeMap::new(),
                next_request: 1,
                watched: BTreeSet::new(),
                audit: Audit::default(),
                pushed: BTreeMap::new(),
                taken_bytes: 0,
            });
            if link.address != want.address {
                link.retry_at_ms = now_ms;
                link.backoff_ms = least;
            }
            link.address = want.address;
            link.relay = want.relay;
            link.own = want.own;
            link.accounts = want.accounts;
            link.chats = want.chats;
            link.channels = want.channels;
            link.cards = want.cards;
            link.doors = want.doors;
            link.strangers = want.strangers;
            link.mesh = want.mesh;
        }
        self.links
            .retain(|_, link| link.connected || link.dialing || link.wanted());
        let peers: Vec<TransportKey> = self.links.keys().copied().collect();
        for peer in peers {
            self.dial_if_due(now_ms, peer);
            self.refresh_watches(peer);
            self.ask_newest(now_ms, peer);
            self.send_listings(now_ms, peer);
            self.send_reports(now_ms, peer);
            self.acquaint(now_ms, peer);
            if self.links.get(&peer).is_some_and(|link| link.opened) {
                self.fill_todo(now_ms, peer);
                self.pump(now_ms, peer)?;
            }
        }
        self.refresh_gossip();
        self.wake_blobs(now_ms);
        Ok(())
    }

    pub(super) fn link_timer(&self, link: &Link) -> Option<u64> {
        let dial = (!link.connected && !link.dialing && link.wanted() && !link.address.addrs.is_empty())
            .then_some(link.retry_at_ms);
        let due = link.due_ms.filter(|_| link.opened);
        let hello = link.hello_ms.filter(|_| link.opened && link.own);
        let audit = link.audit.timer().filter(|_| link.opened && link.relay);
        let lapses = link.lapses_ms.filter(|_| link.opened);
        [dial, due, hello, audit, lapses].into_iter().flatten().min()
    }

    pub(super) fn tick_links(&mut self, now_ms: u64) -> Result<(), RowsError> {
        let peers: Vec<TransportKey> = self.links.keys().copied().collect();
        for peer in peers {
            self.dial_if_due(now_ms, peer);
            let Some(link) = self.links.get(&peer) else {
                continue;
            };
            let (due, lapsed) = (link.due_ms.is_some(), link.lapses_ms.is_some_and(|at| at <= now_ms));
            if lapsed {
                self.fill_todo(now_ms, peer);
            }
            if due || lapsed {
                self.pump(now_ms, peer)?;
            }
            self.say_hello_if_due(now_ms, peer);
            self.tick_audit(now_ms, peer)?;
        }
        Ok(())
    }

    pub(super) fn connected(&mut self, _now_ms: u64, peer: TransportKey) -> Result<(), RowsError> {
        self.note_present(peer, false);
        if let Some(link) = self.links.get_mut(&peer) {
            link.connected = true;
            link.dialing = false;
        }
        self.refresh_gossip();
        Ok(())
    }

    pub(super) fn disconnected(&mut self, now_ms: u64, peer: TransportKey) -> Result<(), RowsError> {
        self.closed(now_ms, peer, Side::Client);
        self.present.remove(&peer);
        self.strangers.forget(&peer);
        let jitter = self.crypto.random_u64();
        let range = self.back_off_range(peer);
        if let Some(link) = self.links.get_mut(&peer) {
            link.connected = false;
            link.dialing = false;
            link.back_off(now_ms, jitter, range);
        }
        for peers in self.gossip.values_mut() {
            peers.remove(&peer);
        }
        self.gossip.retain(|_, peers| !peers.is_empty());
        self.mesh_gone(now_ms, peer, true)?;
        self.refresh_gossip();
        Ok(())
    }

    pub(super) fn opened(&mut self, now_ms: u64, peer: TransportKey, side: Side) -> Result<(), RowsError> {
        let least = self.config.dial_backoff_ms.0;
        self.forget_frames(peer, side);
        if side == Side::Client {
            self.note_present(peer, true);
        }
        let Some(link) = self.links.get_mut(&peer).filter(|_| side == Side::Client) else {
            return Ok(());
        };
        link.connected = true;
        link.opened = true;
        link.opened_ms = now_ms;
        link.turned_away = false;
        (link.hello_ms, link.hello_wait_ms) = (None, 0);
        link.dialing = false;
        link.backoff_ms = least;
        link.refused_until_ms = 0;
        link.flight.clear();
        link.handed.clear();
        link.parked.clear();
        link.forgot = false;
        link.watched.clear();
        link.pushed.clear();
        link.audit.closed();
        link.taken_bytes = 0;
        self.plan_audit(now_ms, peer);
        self.blob_stream_changed(peer);
        self.say_hello(peer);
        self.refresh_watches(peer);
        self.ask_newest(now_ms, peer);
        self.send_listings(now_ms, peer);
        self.send_reports(now_ms, peer);
        self.acquaint(now_ms, peer);
        self.compare_with(peer);
        self.fill_todo(now_ms, peer);
        self.end_grace(peer);
        self.pump(now_ms, peer)?;
        // A report that is still on its way is in what was just handed over.
        let owed: Vec<ChatId> = self
            .chats
            .values()
            .filter(|chat| chat.head.owed && chat.report.is_none())
            .map(|chat| chat.id)
            .collect();
        for chat in owed {
            self.owe_report(now_ms, chat);
        }
        Ok(())
    }

    /// The network's own bound on connections is far lower than this one.
    fn note_present(&mut self, peer: TransportKey, opened: bool) {
        if self.present.len() < limits::PEERS || self.present.contains_key(&peer) {
            self.present.insert(peer, opened);
        }
    }

    /// What was meant for a stream that is gone must not reach its successor.
    fn forget_frames(&mut self, peer: TransportKey, side: Side) {
        self.step
            .effects
            .retain(|effect| !matches!(effect, Effect::Send { peer: to, side: on, .. } if *to == peer && *on == side));
    }

    pub(super) fn closed(&mut self, now_ms: u64, peer: TransportKey, side: Side) {
        self.forget_frames(peer, side);
        if side == Side::Client
            && let Some(opened) = self.present.get_mut(&peer)
        {
            *opened = false;
        }
        let Some(link) = self.links.get_mut(&peer).filter(|_| side == Side::Client) else {
            return;
        };
        link.opened = false;
        link.todo.clear();
        link.flight.clear();
        link.watched.clear();
        (link.due_ms, link.lapses_ms) = (None, None);
        link.audit.closed();
        self.unlooked();
        self.history_stream_closed(now_ms, peer);
        self.directory_stream_closed(peer);
        self.figures_stream_closed(peer);
        self.reports_stream_closed(peer);
        self.blob_stream_changed(peer);
    }

    /// Whether somebody is there to hand a chat's envelopes to.
    pub(super) fn reachable(&self, chat: &ChatId) -> bool {
        let Some(chat) = self.chats.get(chat) else {
            return false;
        };
        self.links.values().any(|link| link.opened && link.serves(chat))
    }

    /// Connections for the doctor: each wanted peer, whether it is a relay, and whether it is connected.
    pub fn connections(&self) -> impl Iterator<Item = (&PeerAddress, bool, bool)> {
        self.links.values().map(|link| (&link.address, link.relay, link.opened))
    }

    /// The chats.
    pub fn chat_ids(&self) -> impl Iterator<Item = ChatId> {
        self.chats.keys().copied()
    }

    /// How a chat can be reached now: by a device of the other, by a relay.
    pub fn paths(&self, chat: &ChatId) -> (bool, bool) {
        let Some(chat) = self.chats.get(chat) else {
            return (false, false);
        };
        let via = |relay: bool| {
            let mut links = self.links.values();
            links.any(|link| link.opened && link.relay == relay && link.serves(chat))
        };
        (via(false), via(true))
    }

    fn desired_watches(&self, link: &Link) -> BTreeSet<TopicId> {
        let mut desired = link.cards.clone();
        if !link.relay {
            return desired;
        }
        for chat in self.chats.values() {
            if link.serves(chat) {
                desired.extend(chat.topics());
                desired.extend(self.aliases.get(&chat.id).map(Alias::inbox));
            }
        }
        // Of a channel that is new here the newest posts come first, and the watch goes on from there.
        let begun = link.channels.iter().map(|channel| channel.topic());
        desired.extend(begun.filter(|topic| self.cursors.contains_key(&(link.address.key, *topic))));
        let counted = link.channels.iter();
        desired.extend(counted.flat_map(|channel| self.channels.polls.watched(*channel)));
        let named = |card: &TopicId| link.own || link.doors.contains(card);
        let invites = self.invites.iter().filter(|(card, _)| named(card));
        desired.extend(invites.map(|(_, invite)| invite.invite.requests.public()));
        if link.own {
            desired.extend(self.contacts.values().map(|contact| contact.our_inbox.topic.public()));
            desired.extend(self.guests.values().map(|guest| guest.inbox.topic.public()));
        }
        desired
    }

    /// Watches what is to be watched at a link, and nothing else.
    pub(super) fn refresh_watches(&mut self, peer: TransportKey) {
        let Some(link) = self.links.get(&peer).filter(|link| link.opened) else {
            return;
        };
        let desired = self.desired_watches(link);
        let gone: Vec<TopicId> = link.watched.difference(&desired).copied().collect();
        let new: Vec<TopicId> = desired.difference(&link.watched).copied().collect();
        for topics in gone.chunks(limits::WATCH_ITEMS) {
            self.send(peer, Side::Client, ClientFrame::Unwatch(topics.to_vec()).encode());
        }
        self.watch(peer, &new);
        if let Some(link) = self.links.get_mut(&peer) {
            link.watched = desired;
        }
    }

    fn watch(&mut self, peer: TransportKey, topics: &[TopicId]) {
        for topics in topics.chunks(limits::WATCH_ITEMS) {
            let topics: Vec<(TopicId, Option<Cursor>)> = topics
                .iter()
                .map(|topic| (*topic, self.cursors.get(&(peer, *topic)).copied()))
                .collect();
            let Some(link) = self.links.get_mut(&peer) else {
                return;
            };
            for (topic, _) in &topics {
                link.pushed.entry(*topic).and_modify(Pushed::restart);
            }
            let request = link.request();
            self.send(
                peer,
                Side::Client,
                ClientFrame::Watch(Watch { request, topics }).encode(),
            );
        }
    }

    /// A frame of somebody who keeps things for us.
    pub(super) fn custodian_frame(&mut self, now_ms: u64, peer: TransportKey, bytes: &[u8]) -> Result<(), RowsError> {
        match CustodianFrame::decode(bytes) {
            Ok(CustodianFrame::Receipt(receipt)) => self.receipt(now_ms, peer, &receipt),
            Ok(CustodianFrame::Items(page)) => self.items(now_ms, peer, page, bytes),
            Ok(CustodianFrame::Admission { why, retry_after_s }) => self.admission(now_ms, peer, why, retry_after_s),
            Ok(CustodianFrame::BlobChunks(chunks)) => {
                self.acknowledge(peer, chunks.counted());
                self.blob_answer(now_ms, peer, CustodianFrame::BlobChunks(chunks))
            }
            Ok(
                frame
                @ (CustodianFrame::BlobState(_) | CustodianFrame::BlobReceipt(_) | CustodianFrame::BlobRefused(_)),
            ) => self.blob_answer(now_ms, peer, frame),
            // Nothing can be learnt from it.
            Ok(CustodianFrame::WatchRefused {
                request,
                why,
                retry_after_s,
            }) => {
                if self.history_refused(now_ms, peer, request, retry_after_s)
                    || self.directory_refused(now_ms, peer, request, why, retry_after_s)
                    || self.figures_refused(peer, request, why)
                    || self.report_refused(now_ms, peer, request, why, retry_after_s)?
                {
                    return Ok(());
                }
                if let Some(link) = self.links.get_mut(&peer) {
                    link.audit.unwatched = true;
                }
                self.relay_showed(now_ms, peer, None)
            }
            Ok(CustodianFrame::Compared(told)) => self.compared(now_ms, peer, &told),
            Ok(CustodianFrame::Reconciled(reconciled)) => {
                self.acknowledge(peer, reconciled.answer.counted());
                self.reconciled(now_ms, peer, reconciled)
            }
            Ok(CustodianFrame::Enlisted(enlisted)) => {
                self.enlisted(peer, enlisted);
                Ok(())
            }
            Ok(CustodianFrame::Found(found)) => self.channels_found(now_ms, peer, found, bytes),
            Ok(CustodianFrame::Reported(reported)) => self.reported(peer, reported),
            Ok(CustodianFrame::Figures(figures)) => {
                self.figures_told(peer, figures);
                Ok(())
            }
            Ok(CustodianFrame::Met(met)) => self.met(now_ms, peer, met),
            Ok(CustodianFrame::History(page)) => self.history_came(now_ms, peer, page, bytes),
            Ok(CustodianFrame::Unknown { .. }) => Ok(()),
            Err(_) => {
                self.step.effects.push(Effect::Penalise {
                    peer,
                    reason: "a custody frame that can't be read",
                });
                self.junk(now_ms, peer, "it sent a frame that can't be read", bytes)
            }
        }
    }

    /// Counts what a peer sent and lets it send as much again once this step is committed.
    pub(super) fn acknowledge(&mut self, peer: TransportKey, bytes: u64) {
        let Some(link) = self.links.get_mut(&peer).filter(|link| link.opened) else {
            return;
        };
        link.taken_bytes = link.taken_bytes.saturating_add(bytes);
        let taken = link.taken_bytes;
        if bytes > 0 {
            self.send(peer, Side::Client, ClientFrame::Ack { bytes: taken }.encode());
        }
    }

    fn items(&mut self, now_ms: u64, peer: TransportKey, page: Items, frame: &[u8]) -> Result<(), RowsError> {
        let Some(link) = self.links.get_mut(&peer).filter(|link| link.opened) else {
            return Ok(());
        };
        let bytes: u64 = page.items.iter().map(|item| item.envelope.len() as u64).sum();
        link.taken_bytes = link.taken_bytes.saturating_add(bytes);
        let (relay, taken_bytes) = (link.relay, link.taken_bytes);
        let watched = link.watched.contains(&page.topic);
        if relay && watched {
            self.judge_page(now_ms, peer, &page, frame)?;
        }
        let Some(link) = self.links.get_mut(&peer) else {
            return Ok(());
        };
        // Every topic of it is void then; what it has taken since is safe.
        if page.void && relay && watched {
            let first = !std::mem::replace(&mut link.forgot, true);
            self.relay_lost_its_past(now_ms, peer, page.topic, frame, first)?;
            if first {
                self.relay_forgot(now_ms, peer)?;
            }
        }
        // Reports aren't kept here once a relay has them: what it lost is told again.
        if page.void
            && relay
            && watched
            && let Some(TopicUse::Chat(chat)) = self.topics.get(&page.topic).copied()
        {
            if let Some(chat) = self.chats.get_mut(&chat) {
                chat.tell_all();
            }
            self.owe_report(now_ms, chat);
        }
        if page.void
            && relay
            && watched
            && let Some(TopicUse::Channel(channel)) = self.topics.get(&page.topic).copied()
        {
            self.channel_forgotten(channel);
        }
        let (mut junk, mut forged) = (false, false);
        if watched {
            for item in &page.items {
                if Envelope::peek(&item.envelope).is_ok_and(|(topic, _)| topic != page.topic) {
                    (junk, forged) = (true, true);
                    continue;
                }
                let taken = self.receive(now_ms, &item.envelope)?;
                if taken == super::inbound::Taken::Refused(Refusal::Invalid) {
                    junk = true;
                    // What a member seals badly isn't the relay's fault.
                    let checked = Envelope::verify(&item.envelope);
                    forged |= !checked.is_ok_and(|envelope| envelope.topic() == page.topic);
                }
                if relay {
                    self.note_echo(peer, &item.envelope);
                }
            }
            if relay {
                // What was turned away has to be fetched again, after a restart too: no cursor may pass it.
                if self.turned_away(&page.topic) {
                    self.cursors.remove(&(peer, page.topic));
                } else {
                    self.cursors.insert((peer, page.topic), page.cursor);
                }
                self.dirty.cursors.insert((peer, page.topic));
            }
            if page.caught_up && matches!(self.topics.get(&page.topic), Some(TopicUse::Channel(_))) {
                self.meet_soon(now_ms, &[page.topic]);
            }
            if page.caught_up {
                self.relay_showed(now_ms, peer, Some(page.topic))?;
            }
            if let Some(TopicUse::Chat(chat)) = self.topics.get(&page.topic)
                && !page.caught_up
                && let Some(chat) = self.chats.get_mut(chat)
            {
                chat.gaps.busy_ms = now_ms;
            }
            if self.topics.get(&page.topic) == Some(&TopicUse::Card) {
                self.finish_accept(now_ms, page.topic)?;
            }
        }
        if junk {
            self.step.effects.push(Effect::Penalise {
                peer,
                reason: "an envelope that isn't valid on its topic",
            });
        }
        if forged {
            self.junk(now_ms, peer, "it pushed what isn't an envelope of the topic", frame)?;
        }
        if bytes > 0 {
            self.send(peer, Side::Client, ClientFrame::Ack { bytes: taken_bytes }.encode());
        }
        Ok(())
    }

    /// Fetches a chat's topic again from the start, once there is room for what was turned away.
    pub(super) fn refetch_if_room(&mut self, _now_ms: u64, chat_id: ChatId) -> Result<(), RowsError> {
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return Ok(());
        };
        if !chat.refetch || chat.pending.len() * 2 > limits::PENDING_PER_CHAT {
            return Ok(());
        }
        chat.refetch = false;
        for topic in chat.topics() {
            self.fetch_again(topic);
        }
        Ok(())
    }

    /// Whether something on a topic found no room and is still to be fetched again.
    fn turned_away(&self, topic: &TopicId) -> bool {
        match self.topics.get(topic) {
            Some(TopicUse::Chat(chat)) => self.chats.get(chat).is_some_and(|chat| chat.refetch),
            Some(TopicUse::Requests(card)) => self.crowded.contains(card),
            _ => false,
        }
    }

    /// Fetches a topic from the start at one relay.
    pub(super) fn fetch_from(&mut self, peer: TransportKey, topic: TopicId) {
        let watched = self.links.get(&peer).is_some_and(|link| link.watched.contains(&topic));
        if watched {
            self.cursors.remove(&(peer, topic));
            self.dirty.cursors.insert((peer, topic));
            self.watch(peer, &[topic]);
        }
    }

    /// Fetches a topic from the start, wherever it is kept.
    pub(super) fn fetch_again(&mut self, topic: TopicId) {
        let peers: Vec<TransportKey> = self
            .links
            .iter()
            .filter(|(_, link)| link.relay && link.watched.contains(&topic))
            .map(|(peer, _)| *peer)
            .collect();
        self.cursors.retain(|(peer, known), _| {
            let keep = *known != topic;
            if !keep {
                self.dirty.cursors.insert((*peer, *known));
            }
            keep
        });
        for peer in peers {
            self.watch(peer, &[topic]);
        }
    }
}

impl Link {
    /// The number of the next request to it.
    pub(super) fn request(&mut self) -> u64 {
        let request = self.next_request;
        self.next_request += 1;
        request
    }

    /// Whether it leads to those who read a chat: a relay that they watch, or a device of theirs.
    pub(super) fn serves(&self, chat: &Chat) -> bool {
        match &chat.row.peer {
            Some(peer) if chat.quiet => self.leads_to(peer, chat),
            Some(peer) => self.accounts.contains(peer) || self.relay && self.own,
            None if self.relay => self.chats.contains(&chat.id),
            None => {
                let mut accounts = self.accounts.iter();
                // Who is alone, and hears of others, knows none of them as a member any more.
                let known = |account| chat.row.accounts.binary_search(account).is_ok() || chat.is_alone_astray();
                accounts.any(known)
            }
        }
    }

    /// Whether it leads to an account as whoever is in a chat knows it: an alias knows nobody's devices.
    pub(super) fn leads_to(&self, account: &AccountId, chat: &Chat) -> bool {
        if chat.quiet {
            self.relay && self.chats.contains(&chat.id)
        } else {
            self.accounts.contains(account)
        }
    }

    /// Whether an outgoing envelope is to be handed over here, or is and waits for the answer.
    pub(super) fn is_to_answer(&self, number: u64) -> bool {
        let mut flying = self.flight.values().flatten();
        self.todo.contains(&number) || flying.any(|(sent, _)| *sent == number)
    }

    /// Something is to be handed over again then, at the latest.
    pub(super) fn lapses_at(&mut self, at_ms: u64) {
        self.lapses_ms = Some(self.lapses_ms.map_or(at_ms, |known| known.min(at_ms)));
    }

    /// Notes what is to be handed over, at once or when its topic has room.
    /// False if it has to wait.
    pub(super) fn offer(&mut self, number: u64, topic: TopicId) -> bool {
        match self.parked.get_mut(&topic) {
            Some(parked) => {
                parked.numbers.insert(number);
                false
            }
            None => {
                self.todo.insert(number);
                true
            }
        }
    }

    /// Lets go of topics that may have room again; when the next one may.
    pub(super) fn unpark(&mut self, now_ms: u64) -> Option<u64> {
        let todo = &mut self.todo;
        self.parked.retain(|_, parked| {
            let waits = parked.until_ms > now_ms;
            if !waits {
                todo.append(&mut parked.numbers);
            }
            waits
        });
        self.parked.values().map(|parked| parked.until_ms).min()
    }

    pub(super) fn wanted(&self) -> bool {
        let known = self.own || !self.accounts.is_empty();
        known
            || !self.channels.is_empty()
            || !self.cards.is_empty()
            || !self.doors.is_empty()
            || self.strangers
            || self.mesh
    }
}
