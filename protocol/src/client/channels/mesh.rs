//! The mesh: followers who take part pass on to each other what is new, and serve each other what came before ([spec/channel.md], section 9).
//!
//! Who takes part tells whoever is connected that it follows, so it is the user's to ask for (ADR 0017). Nothing depends on it: relays
//! bring the same. What it adds is that nobody can show two followers two versions for long.
//!
//! [spec/channel.md]: ../../../spec/channel.md

use super::history::{Asked, Why};
use super::rows::{EntryRow, key};
use super::take::{Arrived, Came, Fate};
use super::view;
use crate::address::PeerAddress;
use crate::client::io::{Effect, Side, Verdict};
use crate::client::records::decode;
use crate::client::serve::Shares;
use crate::client::{Client, CommandError, EventRow, Reply};
use crate::custody::{
    ClientFrame, Cursor, CustodianFrame, Deposit, History, HistoryPage, Item, Meet, Met, Refusal, RunningHash,
};
use crate::envelope::Envelope;
use crate::keys::{ChannelId, EnvelopeId, TopicId, TransportKey};
use crate::limits;
use crate::rows::{Rows, RowsError, Tree, prefix_end};
use crate::wire::Wire;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Milliseconds between two times that relays are asked for followers, the first while there are too few, doubled up to the second, which
/// also tells them the addresses of today (guess).
const MEET_MS: (u64, u64) = (15_000, 600_000);
/// Bits of a served position that number the entries of one millisecond.
const POSITION_BITS: u32 = 12;
/// Questions that one input may leave to be answered at its end.
const QUESTIONS: usize = 64;
/// Peers that one look for what is missing asks, beside relays.
pub(super) const ASKED_PEERS: usize = 3;
/// Milliseconds within which whoever has evidence hands it to the channel's relays, at random: they tell all others, so that few of many
/// followers do (guess).
const TELL_MS: u64 = 30_000;
/// Envelopes that are known to have been gossiped as evidence.
const SHOWN_MOST: usize = 64;
/// Pieces of evidence that wait to be told.
const TOLD_MOST: usize = 64;

/// A peer that is of interest because it takes part.
pub(super) struct Member {
    /// Without addresses if it came by itself.
    address: PeerAddress,
    channels: BTreeSet<ChannelId>,
}

/// Who takes part beside us, and what it is owed.
pub(super) struct Mesh {
    members: BTreeMap<TransportKey, Member>,
    /// Who was asked for what it has, over this connection.
    acquainted: BTreeSet<(TransportKey, ChannelId)>,
    /// How far back each was read: the least position, and whether it has nothing older.
    pub read: BTreeMap<(TransportKey, ChannelId), (u64, bool)>,
    /// What each may have us check.
    shares: Shares,
    /// Questions to be answered at the end of the input.
    questions: Vec<(TransportKey, ChannelId, History)>,
    /// When the relays of a channel are asked next, and after how long again.
    meet: BTreeMap<ChannelId, (u64, u64)>,
    /// Evidence for the channel's relays: when, and the two envelopes.
    tell: Vec<(u64, ChannelId, [Vec<u8>; 2])>,
    /// What was gossiped as evidence: one envelope may contradict many.
    shown: VecDeque<EnvelopeId>,
}

impl Default for Mesh {
    fn default() -> Self {
        let (burst, per_second) = limits::MESH_SHARE;
        Self {
            members: BTreeMap::new(),
            acquainted: BTreeSet::new(),
            read: BTreeMap::new(),
            shares: Shares::new(burst, per_second),
            questions: Vec::new(),
            meet: BTreeMap::new(),
            tell: Vec::new(),
            shown: VecDeque::new(),
        }
    }
}

impl Mesh {
    pub fn timer(&self) -> Option<u64> {
        let meet = self.meet.values().map(|(at_ms, _)| *at_ms);
        meet.chain(self.tell.iter().map(|(at_ms, _, _)| *at_ms)).min()
    }

    /// Whom to be connected to.
    pub fn wanted(&self) -> impl Iterator<Item = &PeerAddress> {
        self.members.values().map(|member| &member.address)
    }
}

impl Client {
    /// Whether this device takes part in a channel's mesh.
    pub(in crate::client) fn is_meshed(&self, id: &ChannelId) -> bool {
        let channel = self.channels.by_id.get(id);
        channel.is_some_and(|channel| channel.row.mesh && channel.is_open())
    }

    /// The topics of the channels in whose mesh this device takes part.
    pub(in crate::client) fn meshed(&self) -> impl Iterator<Item = TopicId> {
        let meshed = self.channels.by_id.iter().filter(|(_, channel)| channel.row.mesh);
        meshed
            .filter(|(_, channel)| channel.is_open())
            .map(|(id, _)| id.topic())
    }

    pub(super) fn set_mesh(&mut self, now_ms: u64, id: ChannelId, mesh: bool) -> Result<Reply, CommandError> {
        let channel = self.channel_mut(&id)?;
        if !channel.is_open() {
            return Err(CommandError::NotFound { field: "channel" });
        }
        if channel.row.mesh != mesh {
            channel.row.mesh = mesh;
            channel.dirty = true;
            self.event(&EventRow::ChannelUpdated { channel: id });
            if mesh {
                self.join_mesh(now_ms, id);
            } else {
                self.leave_mesh(now_ms, id)?;
            }
        }
        Ok(Reply::Done)
    }

    /// Begins to take part.
    pub(super) fn join_mesh(&mut self, now_ms: u64, id: ChannelId) {
        self.channels.mesh.meet.insert(id, (now_ms, MEET_MS.0));
        self.refresh_gossip();
        self.tick_mesh(now_ms);
    }

    pub(super) fn leave_mesh(&mut self, now_ms: u64, id: ChannelId) -> Result<(), RowsError> {
        let mesh = &mut self.channels.mesh;
        mesh.meet.remove(&id);
        mesh.acquainted.retain(|(_, channel)| *channel != id);
        mesh.read.retain(|(_, channel), _| *channel != id);
        mesh.tell.retain(|(_, channel, _)| *channel != id);
        for member in mesh.members.values_mut() {
            member.channels.remove(&id);
        }
        mesh.members.retain(|_, member| !member.channels.is_empty());
        self.gossip.remove(&id.topic());
        self.refresh_links(now_ms)
    }

    /// A peer tells that it takes part, or no more.
    pub(in crate::client) fn mesh_peer(
        &mut self,
        now_ms: u64,
        peer: TransportKey,
        id: ChannelId,
        joined: bool,
    ) -> Result<(), RowsError> {
        let mesh = &mut self.channels.mesh;
        if !joined {
            let Some(member) = mesh.members.get_mut(&peer) else {
                return Ok(());
            };
            member.channels.remove(&id);
            if member.channels.is_empty() {
                mesh.members.remove(&peer);
                return self.refresh_links(now_ms);
            }
            return Ok(());
        }
        if let Some(member) = mesh.members.get_mut(&peer) {
            member.channels.insert(id);
        } else if !self.links.contains_key(&peer) && mesh.members.len() < limits::MESH_PEERS {
            let address = PeerAddress {
                key: peer,
                addrs: Vec::new(),
            };
            let channels = BTreeSet::from([id]);
            mesh.members.insert(peer, Member { address, channels });
            self.refresh_links(now_ms)?;
        }
        self.acquaint(now_ms, peer);
        Ok(())
    }

    /// Asks a peer that takes part for the newest that it has, once: what was shown to it and not to us comes to light.
    pub(in crate::client) fn acquaint(&mut self, now_ms: u64, peer: TransportKey) {
        if self.links.get(&peer).is_none_or(|link| !link.opened || link.relay) {
            return;
        }
        let new: Vec<ChannelId> = self
            .channels
            .by_id
            .iter()
            .filter(|(id, channel)| {
                let takes_part = || self.gossip.get(&id.topic()).is_some_and(|peers| peers.contains(&peer));
                channel.row.mesh
                    && channel.is_open()
                    && takes_part()
                    && !self.channels.mesh.acquainted.contains(&(peer, **id))
            })
            .map(|(id, _)| *id)
            .collect();
        for id in new {
            self.channels.mesh.acquainted.insert((peer, id));
            self.ask_back(now_ms, peer, Asked::newest(id, Why::Met));
        }
    }

    /// A peer is gone: another one takes its place.
    pub(in crate::client) fn mesh_gone(
        &mut self,
        now_ms: u64,
        peer: TransportKey,
        connected: bool,
    ) -> Result<(), RowsError> {
        let mesh = &mut self.channels.mesh;
        mesh.acquainted.retain(|(known, _)| *known != peer);
        mesh.read.retain(|(known, _), _| *known != peer);
        mesh.shares.forget(&peer);
        if let Some(member) = mesh.members.remove(&peer) {
            // Whoever couldn't be reached at all isn't missed.
            for id in member.channels.into_iter().filter(|_| connected) {
                if let Some((at_ms, wait_ms)) = self.channels.mesh.meet.get_mut(&id) {
                    *wait_ms = MEET_MS.0;
                    *at_ms = (*at_ms).min(now_ms.saturating_add(MEET_MS.0));
                }
            }
            self.refresh_links(now_ms)?;
        }
        Ok(())
    }

    /// Members of a channel's mesh that can be asked for what came before.
    pub(super) fn mesh_servers(&self, id: &ChannelId) -> Vec<TransportKey> {
        let Some(peers) = self.gossip.get(&id.topic()).filter(|_| self.is_meshed(id)) else {
            return Vec::new();
        };
        let open = |peer: &&TransportKey| self.links.get(*peer).is_some_and(|link| link.opened && !link.relay);
        peers.iter().filter(open).copied().collect()
    }

    /// Looks for others to pass on with, and tells relays what was found out.
    pub(super) fn tick_mesh(&mut self, now_ms: u64) {
        let due: Vec<ChannelId> = self
            .channels
            .mesh
            .meet
            .iter()
            .filter(|(_, (at_ms, _))| *at_ms <= now_ms)
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            let known = self.gossip.get(&id.topic()).map_or(0, BTreeSet::len);
            if let Some((at_ms, wait_ms)) = self.channels.mesh.meet.get_mut(&id) {
                let wait = if known < limits::MESH_TARGET {
                    *wait_ms
                } else {
                    MEET_MS.1
                };
                *at_ms = now_ms.saturating_add(wait);
                *wait_ms = wait_ms.saturating_mul(2).min(MEET_MS.1);
            }
            let relays = self.open_relays(&id);
            for relay in relays {
                self.ask_to_meet(relay, id);
            }
        }
        let (due, waits) = std::mem::take(&mut self.channels.mesh.tell)
            .into_iter()
            .partition(|(at_ms, _, _)| *at_ms <= now_ms);
        self.channels.mesh.tell = waits;
        for (_, id, envelopes) in due {
            for relay in self.open_relays(&id) {
                self.deposit_evidence(relay, &envelopes);
            }
        }
    }

    /// The relays of a channel that can be asked now.
    pub(super) fn open_relays(&self, id: &ChannelId) -> Vec<TransportKey> {
        let relays = self.links.iter().filter(|(_, link)| link.opened && link.relay);
        let keeping = relays.filter(|(_, link)| link.channels.contains(id));
        keeping.map(|(peer, _)| *peer).collect()
    }

    fn ask_to_meet(&mut self, relay: TransportKey, id: ChannelId) {
        let addrs = self.own_address().addrs;
        let Some(link) = self.links.get_mut(&relay) else {
            return;
        };
        // It answers nobody who doesn't watch.
        if !link.watched.contains(&id.topic()) {
            return;
        }
        let request = link.request();
        let meet = Meet {
            request,
            topic: id.topic(),
            addrs,
        };
        self.send(relay, Side::Client, ClientFrame::Meet(meet).encode());
    }

    /// A relay's watch of these topics has begun: there others can be met.
    pub(in crate::client) fn meet_soon(&mut self, now_ms: u64, topics: &[TopicId]) {
        for topic in topics {
            if let Some((at_ms, _)) = self.channels.mesh.meet.get_mut(&ChannelId(topic.0)) {
                *at_ms = now_ms;
            }
        }
    }

    /// A relay names others who take part.
    pub(in crate::client) fn met(&mut self, now_ms: u64, relay: TransportKey, met: Met) -> Result<(), RowsError> {
        let id = ChannelId(met.topic.0);
        let Some(link) = self
            .links
            .get(&relay)
            .filter(|link| link.relay && link.channels.contains(&id))
        else {
            return Ok(());
        };
        if !self.is_meshed(&id) {
            return Ok(());
        }
        let by = link.address.clone();
        let mut known = self.gossip.get(&met.topic).map_or(0, BTreeSet::len);
        let dialled = |member: &&Member| member.channels.contains(&id);
        known = known.max(self.channels.mesh.members.values().filter(dialled).count());
        let mut new = false;
        for peer in met.peers {
            let mesh = &mut self.channels.mesh;
            let full = known >= limits::MESH_TARGET || mesh.members.len() >= limits::MESH_PEERS;
            if full || peer.key == self.account.transport.public() || self.links.contains_key(&peer.key) {
                continue;
            }
            let address = peer.named_by(&by);
            if address.addrs.is_empty() {
                continue;
            }
            let channels = BTreeSet::from([id]);
            mesh.members.insert(address.key, Member { address, channels });
            known += 1;
            new = true;
        }
        if new { self.refresh_links(now_ms) } else { Ok(()) }
    }

    /// An envelope of a channel by gossip. What it is worth shows at the end of the input; what is known or too much is let lie unchecked.
    pub(in crate::client) fn channel_gossiped(
        &mut self,
        now_ms: u64,
        peer: TransportKey,
        id: [u8; 16],
        (envelope_id, bytes): (EnvelopeId, &[u8]),
    ) {
        let verdict = if self.recent.contains(&envelope_id) || !self.channels.mesh.shares.take(now_ms, peer) {
            Verdict::Ignore
        } else {
            match Envelope::verify(bytes) {
                Ok(envelope) if envelope.authority().is_some() => {
                    self.recent.insert(envelope_id);
                    self.channels.arrived.push(Arrived {
                        envelope,
                        came: Came::Live,
                        gossip: Some((peer, id)),
                    });
                    return;
                }
                _ => Verdict::Reject,
            }
        };
        self.step.effects.push(Effect::Verdict { peer, id, verdict });
    }

    /// Passes on what was new to us: what came by gossip with our verdict on it, what came otherwise by our own word.
    pub(super) fn pass_on_entry(&mut self, id: ChannelId, arrived: &Arrived, fate: Fate) {
        if let Some((peer, gossip)) = arrived.gossip {
            let verdict = match fate {
                Fate::New | Fate::Proof => Verdict::Accept,
                Fate::Nothing => Verdict::Ignore,
            };
            let id = gossip;
            self.step.effects.push(Effect::Verdict { peer, id, verdict });
        } else if fate == Fate::New && arrived.came == Came::Live {
            self.publish(id, arrived.envelope.bytes());
        }
    }

    fn publish(&mut self, id: ChannelId, bytes: &[u8]) {
        if self.is_meshed(&id) && self.is_gossiped(&id.topic()) {
            self.step.effects.push(Effect::Publish {
                topic: id.topic(),
                bytes: bytes.to_vec(),
            });
        }
    }

    /// Evidence was found: those who have the one version are shown the other, in the mesh at once, by gossip and since that may drop it by
    /// stream, and by the relays.
    pub(super) fn tell_evidence(&mut self, now_ms: u64, id: ChannelId, one: &Envelope, other: &Envelope) {
        let both = [one.bytes().to_vec(), other.bytes().to_vec()];
        let mut new = false;
        for envelope in [one, other] {
            let shown = &mut self.channels.mesh.shown;
            if shown.contains(&envelope.id()) {
                continue;
            }
            if shown.len() == SHOWN_MOST {
                shown.pop_front();
            }
            shown.push_back(envelope.id());
            self.publish(id, envelope.bytes());
            new = true;
        }
        for member in self.mesh_servers(&id).into_iter().filter(|_| new) {
            self.deposit_evidence(member, &both);
        }
        if self.channels.mesh.tell.len() < TOLD_MOST {
            let at_ms = now_ms.saturating_add(self.crypto.random_u64() % TELL_MS);
            self.channels.mesh.tell.push((at_ms, id, both));
        }
    }

    fn deposit_evidence(&mut self, relay: TransportKey, envelopes: &[Vec<u8>; 2]) {
        let Some(link) = self.links.get_mut(&relay) else {
            return;
        };
        let request = link.request();
        let deposit = Deposit {
            request,
            envelopes: envelopes.to_vec(),
        };
        self.send(relay, Side::Client, ClientFrame::Deposit(deposit).encode());
    }

    /// Whether this device serves a topic's past to others.
    pub(in crate::client) fn serves_channel(&self, topic: &TopicId) -> bool {
        self.is_meshed(&ChannelId(topic.0))
    }

    /// A peer asks for what came before; it is answered when rows can be read.
    pub(in crate::client) fn channel_asked(&mut self, peer: TransportKey, ask: History) {
        if self.channels.mesh.questions.len() < QUESTIONS {
            let question = (peer, ChannelId(ask.topic.0), ask);
            self.channels.mesh.questions.push(question);
        } else {
            self.refuse_watch(peer, ask.request, Refusal::Busy);
        }
    }

    pub(in crate::client) fn answer_questions(&mut self, rows: &dyn Rows) -> Result<(), RowsError> {
        for (peer, id, ask) in std::mem::take(&mut self.channels.mesh.questions) {
            let page = self.past(id, ask, rows)?;
            self.send(peer, Side::Server, CustodianFrame::History(page).encode());
        }
        Ok(())
    }

    /// A page of what is stored of a channel. Terms don't show in it: what isn't wanted is stored like the rest.
    fn past(&self, id: ChannelId, ask: History, rows: &dyn Rows) -> Result<HistoryPage, RowsError> {
        let mut page = HistoryPage {
            request: ask.request,
            topic: ask.topic,
            cursor: Cursor {
                epoch: 0,
                position: 0,
                hash: RunningHash::default(),
            },
            oldest: true,
            items: Vec::new(),
        };
        let mut room = limits::PAGE_BYTES;
        let mut last = Vec::new();
        if ask.before == 0 {
            last = self.summed_up(id, rows)?;
            room = room.saturating_sub(last.iter().map(Vec::len).sum());
        }
        let count = usize::from(ask.count)
            .min(limits::HISTORY_ITEMS)
            .saturating_sub(last.len());
        let end = end_of(rows, &id, ask.before)?;
        let newest = rows.range(Tree::ChannelTimeline, &id.0, &end, count.saturating_add(1), true)?;
        for (stored, value) in newest {
            let place = key::read_timeline(&value).map(|(_, place)| key::entry(&id, &place));
            let Some(entry) = place
                .map(|place| rows.get(Tree::ChannelEntries, &place))
                .transpose()?
                .flatten()
            else {
                continue;
            };
            let envelope = decode::<EntryRow>(&entry)?.envelope;
            if page.items.len() == count || envelope.len() > room {
                page.oldest = false;
                break;
            }
            room -= envelope.len();
            let position = position_of(rows, &id, &stored)?;
            page.items.push(Item { position, envelope });
        }
        page.items.reverse();
        page.items.extend(last.into_iter().map(|envelope| Item {
            position: u64::MAX,
            envelope,
        }));
        Ok(page)
    }

    /// What whoever comes new is told beside entries: what contradicts itself, as far as half a page has room, and the newest beacon.
    fn summed_up(&self, id: ChannelId, rows: &dyn Rows) -> Result<Vec<Vec<u8>>, RowsError> {
        let mut all = Vec::new();
        let mut room = limits::PAGE_BYTES / 2;
        for (evidence, _) in view::evidence(rows, &id)?.into_iter().rev() {
            for envelope in [evidence.one, evidence.other] {
                if envelope.len() <= room {
                    room -= envelope.len();
                    all.push(envelope);
                }
            }
        }
        let channel = self.channels.by_id.get(&id);
        let beacon = channel.map(|channel| channel.row.beacon.clone());
        all.extend(beacon.filter(|beacon| !beacon.is_empty()));
        Ok(all)
    }
}

/// A position of what this device serves: the entry's time, and its place among those of the same millisecond.
fn position_of(rows: &dyn Rows, id: &ChannelId, stored: &[u8]) -> Result<u64, RowsError> {
    let Some(time_ms) = key::timeline_time(stored) else {
        return Ok(0);
    };
    let most = (1 << POSITION_BITS) - 1;
    let from = key::timeline_from(id, time_ms);
    let before = rows.range(Tree::ChannelTimeline, &from, stored, most, false)?.len();
    // From 1, so that none is taken for the end of the log.
    Ok((time_ms << POSITION_BITS)
        .saturating_add(before as u64)
        .saturating_add(1))
}

/// The key before which the entries before a position end.
fn end_of(rows: &dyn Rows, id: &ChannelId, before: u64) -> Result<Vec<u8>, RowsError> {
    if before == 0 || before == u64::MAX {
        return Ok(prefix_end(&id.0));
    }
    let before = before - 1;
    let from = key::timeline_from(id, before >> POSITION_BITS);
    let nth = (before & ((1 << POSITION_BITS) - 1)) as usize;
    let end = prefix_end(&id.0);
    let found = rows.range(Tree::ChannelTimeline, &from, &end, nth + 1, false)?;
    Ok(found.into_iter().nth(nth).map_or(end, |(stored, _)| stored))
}
