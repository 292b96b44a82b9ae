//! Reading what is stored of channels, by a read handle past the client.

use super::Channel;
use super::digest::facts;
use super::rows::{BoxRow, ChannelRow, EntryRow, ListingRow, PlannedRow, VoteRow, key};
use crate::address::PeerAddress;
use crate::channel::terms::{Terms, Why};
use crate::channel::{
    Act, Authority, Ballot, BallotBox, Beacon, ChannelLink, Entry, Evidence, Manifest, PollResult, Post, Proof, Scopes,
    Statement,
};
use crate::client::records::{self, LedgerRow, decode};
use crate::custody::Refusal;
use crate::envelope::Envelope;
use crate::keys::{ChannelId, ChatId, EnvelopeId, TransportKey, WriterId};
use crate::limits;
use crate::rows::{Rows, RowsError, Tree, prefix_end};
use crate::wire::Wire;

/// Posts that were not seen are counted up to here.
const UNREAD_MOST: usize = 1000;
/// Things done to one post that are looked at.
const MARKS: usize = 64;
/// Stretches of a writer's entries that are told to be missing.
const GAPS: usize = 32;

/// A channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelView {
    /// Its id.
    pub id: ChannelId,
    /// As its manifest says, or before that is here, as the link did.
    pub name: String,
    /// What it says of itself.
    pub manifest: Option<Manifest>,
    /// Who signs its beacons: the root, or whom it was handed over to.
    pub root: WriterId,
    /// Number and time of the beacon that counts, and when it came.
    pub beacon: Option<BeaconView>,
    /// It is this account's own.
    pub own: bool,
    /// What this device may write on it; nothing if there is no key, or none that is certified.
    pub scopes: Scopes,
    /// It is followed.
    pub followed: bool,
    /// New posts aren't told.
    pub muted: bool,
    /// This device takes part in passing it on among followers.
    pub mesh: bool,
    /// Nothing of it is wanted.
    pub blocked: bool,
    /// Since when it is here.
    pub since_ms: u64,
    /// When it last said something.
    pub last_ms: u64,
    /// Posts that the user hasn't seen, counted up to a bound.
    pub unread: u64,
    /// What is missing of its writers' entries, and since when something is.
    pub gaps: Vec<ChannelGapView>,
    /// Since when something is missing; 0 if nothing is.
    pub gap_ms: u64,
    /// Pieces of evidence against its writers.
    pub evidence: u32,
    /// Where it is kept.
    pub relays: Vec<PeerAddress>,
    /// What of it is wanted, and when.
    pub terms: Terms,
    /// Posts that are held back, the oldest first.
    pub held: Vec<HeldView>,
    /// When it last posted more than it promised to; 0 for never.
    pub broke_promise_ms: u64,
    /// When the domain that it names was last seen to vouch for it.
    pub proved_ms: Option<u64>,
    /// In whose directories an own channel is to be found.
    pub listings: Vec<ListingView>,
}

/// An own channel in the directory of a relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListingView {
    /// Whose.
    pub relay: TransportKey,
    /// It is to be there no longer.
    pub withdrawn: bool,
    /// Until when it is there, Unix seconds; 0 if it isn't.
    pub until_s: u64,
    /// The relay has what is wanted.
    pub settled: bool,
    /// Why the relay refused.
    pub refused: Option<Refusal>,
}

/// Whom the root of an own channel lets write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriterView {
    /// The key.
    pub writer: WriterId,
    /// What for.
    pub scopes: Scopes,
    /// In which categories; all if there are none.
    pub categories: Vec<String>,
    /// Unix seconds.
    pub from_s: u64,
    /// Unix seconds.
    pub until_s: u64,
    /// The number of its last entry that the channel's root has confirmed; 0 for none.
    pub number: u64,
}

/// A post that is held back for the digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldView {
    /// Which.
    pub post: EnvelopeId,
    /// Why.
    pub why: Why,
    /// Since when.
    pub since_ms: u64,
    /// When it is weighed again; never by itself if there is no time.
    pub until_ms: Option<u64>,
}

/// The beacon that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BeaconView {
    /// Its number.
    pub number: u64,
    /// By the root's clock.
    pub time_ms: u64,
    /// When it came.
    pub received_ms: u64,
    /// When another has to be there at the latest, in seconds from its time.
    pub period_s: u32,
}

impl BeaconView {
    /// Whether another should have come long ago: for two periods.
    pub fn is_stale(&self, now_ms: u64) -> bool {
        let patience_ms = u64::from(self.period_s).saturating_mul(2000);
        now_ms > self.time_ms.min(self.received_ms).saturating_add(patience_ms)
    }
}

/// Entries of a writer that somebody signed for and that aren't here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelGapView {
    /// Whose.
    pub writer: WriterId,
    /// The first number.
    pub first: u64,
    /// The last one.
    pub last: u64,
}

/// A post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostView {
    /// Its id: that of its envelope.
    pub id: EnvelopeId,
    /// Where.
    pub channel: ChannelId,
    /// Who wrote it.
    pub writer: WriterId,
    /// Its number among the writer's entries.
    pub number: u64,
    /// By the writer's clock; a time of the future shows as that of its coming.
    pub time_ms: u64,
    /// By ours.
    pub received_ms: u64,
    /// What it says, after edits.
    pub post: Post,
    /// When it was edited last.
    pub edited_ms: Option<u64>,
    /// When and why it was taken back.
    pub retracted: Option<(u64, String)>,
    /// No beacon covers it yet.
    pub provisional: bool,
    /// Why it doesn't count, if it doesn't.
    pub void: Option<&'static str>,
    /// Why the terms don't want it, if they don't.
    pub unwanted: Option<Why>,
    /// What we have answered, if it is a poll: places of options.
    pub vote: Option<Vec<u8>>,
    /// Relays that hold it, and until when, if it is our own.
    pub held: Vec<(TransportKey, u64)>,
    /// Why a relay refused it, if none holds it and it is our own.
    pub refused: Option<Refusal>,
    /// Its envelope, which anybody can check.
    pub envelope: Vec<u8>,
    /// That of the edit that counts, if it was edited.
    pub edit: Option<Vec<u8>>,
}

/// A poll whose answers are counted here; its figures are [`crate::channel::rounded`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PollView {
    /// The post.
    pub post: EnvelopeId,
    /// Until when it can be answered, Unix seconds, or when it was ended.
    pub until_s: u64,
    /// It can be answered.
    pub open: bool,
    /// Answers; 0 for fewer than 20.
    pub voters: u32,
    /// Those that chose each option; 0 for fewer than 20.
    pub counts: Vec<u32>,
    /// More came than were counted.
    pub capped: bool,
}

/// A post that is to be published later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanView {
    /// By which it is dropped.
    pub id: [u8; 32],
    /// When.
    pub at_ms: u64,
    /// What.
    pub post: Post,
}

fn listings(channel: &Channel) -> Vec<ListingView> {
    let own = channel.row.own.as_ref();
    own.map(|own| own.listings.iter().map(ListingView::of).collect())
        .unwrap_or_default()
}

impl ListingView {
    fn of(row: &ListingRow) -> Self {
        Self {
            relay: row.relay,
            withdrawn: row.withdrawn,
            until_s: row.until_s,
            settled: row.settled,
            refused: row.refused.map(Refusal::from_code),
        }
    }
}

pub(super) fn name_of(channel: &Channel) -> String {
    match &channel.beacon {
        Some((beacon, _)) => beacon.manifest.name.clone(),
        None => channel.row.name.clone(),
    }
}

/// Why an entry doesn't count, if it doesn't.
pub(super) fn void_of(authority: &Authority, entry: &Entry, beacon: Option<&Beacon>) -> Option<&'static str> {
    let scope = match &entry.act {
        Act::Post(post) if matches!(post.body, crate::channel::PostBody::Coupon(_)) => Scopes::COUPONS,
        Act::Post(_) | Act::Edit { .. } | Act::Retract { .. } | Act::Unknown { .. } => Scopes::PUBLISH,
    };
    let scopes = authority.scopes();
    let edits = matches!(entry.act, Act::Edit { .. } | Act::Retract { .. }) && scopes.allow(Scopes::EDIT);
    if !scopes.allow(scope) && !edits {
        return Some("scope");
    }
    if let Act::Post(post) | Act::Edit { post, .. } = &entry.act
        && !authority.categories().is_empty()
        && (post.categories.is_empty() || !post.categories.iter().all(|of| authority.categories().contains(of)))
    {
        return Some("category");
    }
    if !authority.holds_at(entry.time_ms / 1000) {
        return Some("expired");
    }
    let mut keys = authority
        .chain
        .iter()
        .map(|certificate| certificate.writer)
        .chain([authority.writer]);
    let revoked = keys.any(|writer| {
        let gone = beacon.and_then(|beacon| beacon.revocation(&writer));
        // Who certified counts only as far as it wasn't revoked altogether.
        gone.is_some_and(|gone| writer != authority.writer || entry.number > gone.last)
    });
    revoked.then_some("revoked")
}

/// Reads all channels, also blocked ones, the one that last said something first.
pub fn channels(rows: &dyn Rows) -> Result<Vec<ChannelView>, RowsError> {
    let mut list = Vec::new();
    for (stored, value) in rows.prefix(Tree::Channels, &[], usize::MAX)? {
        if let Ok(id) = stored.try_into() {
            list.push(view_of(rows, ChannelId(id), &value)?);
        }
    }
    list.sort_by_key(|view| (std::cmp::Reverse(view.last_ms), view.id));
    Ok(list)
}

/// Reads one channel.
pub fn channel(rows: &dyn Rows, id: &ChannelId) -> Result<Option<ChannelView>, RowsError> {
    match rows.get(Tree::Channels, &id.0)? {
        Some(value) => view_of(rows, *id, &value).map(Some),
        None => Ok(None),
    }
}

fn view_of(rows: &dyn Rows, id: ChannelId, value: &[u8]) -> Result<ChannelView, RowsError> {
    let channel = Channel::of(decode::<ChannelRow>(value)?);
    let row = &channel.row;
    let gaps = row.writers.iter().flat_map(|state| {
        let holes = state.received.holes(state.from.max(1), state.last, GAPS);
        holes.into_iter().map(|(first, last)| ChannelGapView {
            writer: state.writer,
            first,
            last,
        })
    });
    let from = if row.read_through.is_empty() {
        id.0.to_vec()
    } else {
        [row.read_through.as_slice(), &[0]].concat()
    };
    let unread = rows.range(Tree::ChannelTimeline, &from, &prefix_end(&id.0), UNREAD_MOST, false)?;
    let is_held = |stored: &[u8]| {
        let id = key::timeline_id(stored);
        row.held.iter().any(|held| id.as_deref() == Some(&*key::id(&held.post)))
    };
    let unread = unread
        .iter()
        .filter(|(_, value)| key::read_timeline(value).is_some_and(|(kind, _)| kind == key::Kind::Post))
        .filter(|(stored, _)| row.held.is_empty() || !is_held(stored));
    Ok(ChannelView {
        id,
        name: name_of(&channel),
        manifest: channel.beacon.as_ref().map(|(beacon, _)| beacon.manifest.clone()),
        root: channel
            .beacon
            .as_ref()
            .map_or(id.root(), |(_, authority)| authority.writer),
        beacon: channel.beacon.as_ref().map(|(beacon, _)| BeaconView {
            number: beacon.number,
            time_ms: beacon.time_ms,
            received_ms: row.beacon_ms,
            period_s: beacon.period_s,
        }),
        own: row.own.is_some(),
        scopes: channel
            .signatory(&id)
            .map_or_else(Scopes::default, |signatory| signatory.scopes()),
        followed: row.followed,
        muted: row.muted,
        mesh: row.mesh,
        blocked: row.blocked,
        since_ms: row.since_ms,
        last_ms: row.last_ms,
        unread: if row.own.is_some() { 0 } else { unread.count() as u64 },
        gaps: gaps.take(GAPS).collect(),
        gap_ms: row.gap_ms,
        evidence: row.evidence,
        relays: channel.relays().to_vec(),
        terms: row.terms.clone(),
        held: row
            .held
            .iter()
            .map(|held| HeldView {
                post: held.post,
                why: held.why,
                since_ms: held.since_ms,
                until_ms: held.until_ms,
            })
            .collect(),
        broke_promise_ms: row.broke_ms,
        proved_ms: channel.proved_ms(),
        listings: listings(&channel),
    })
}

impl ChannelView {
    /// The link by which others follow it.
    pub fn link(&self) -> String {
        ChannelLink {
            channel: self.id,
            relays: self.relays.clone(),
            name: self.name.clone(),
            extensions: Vec::new(),
        }
        .to_link()
    }
}

/// Reads posts of a channel in ascending order of time. `after` and `before` are exclusive keys; with `before` (or neither) the newest
/// come. What doesn't count isn't among them. Beside them the key at which to go on, if more may follow.
pub fn posts(
    rows: &dyn Rows,
    id: &ChannelId,
    after: Option<&[u8]>,
    before: Option<&[u8]>,
    limit: usize,
) -> Result<Vec<(Vec<u8>, PostView)>, RowsError> {
    let Some(stored) = rows.get(Tree::Channels, &id.0)? else {
        return Ok(Vec::new());
    };
    let channel = Channel::of(decode::<ChannelRow>(&stored)?);
    let mut from = after.map_or_else(|| id.0.to_vec(), |after| [after, &[0]].concat());
    let mut to = before.map_or_else(|| prefix_end(&id.0), <[u8]>::to_vec);
    let back = after.is_none();
    let mut list = Vec::new();
    while list.len() < limit {
        let found = rows.range(Tree::ChannelTimeline, &from, &to, limit, back)?;
        let Some((last, _)) = found.last().cloned() else {
            break;
        };
        for (stored, value) in found {
            if list.len() == limit {
                break;
            }
            if let Some((kind, place)) = key::read_timeline(&value)
                && kind.is_post()
                && let Some(view) = post_at(rows, &channel, id, &place)?
                && view.void.is_none()
            {
                list.push((stored, view));
            }
        }
        if back {
            to = last;
        } else {
            from = [last.as_slice(), &[0]].concat();
        }
    }
    if back {
        list.reverse();
    }
    Ok(list)
}

/// Reads one post, also one that doesn't count.
pub fn post(rows: &dyn Rows, id: &EnvelopeId) -> Result<Option<PostView>, RowsError> {
    let Some(stored) = rows.get(Tree::ChannelIds, &key::id(id))? else {
        return Ok(None);
    };
    let Some((channel, place)) = stored.split_first_chunk::<32>() else {
        return Ok(None);
    };
    let (channel, Some(place)) = (ChannelId(*channel), key::place(place)) else {
        return Ok(None);
    };
    let Some(row) = rows.get(Tree::Channels, &channel.0)? else {
        return Ok(None);
    };
    let state = Channel::of(decode::<ChannelRow>(&row)?);
    // Keys hold half of an id.
    Ok(post_at(rows, &state, &channel, &place)?.filter(|view| view.id == *id))
}

/// Reads the polls of a channel whose answers are counted here, or were, the one that is over last first.
pub fn polls(rows: &dyn Rows, id: &ChannelId) -> Result<Vec<PollView>, RowsError> {
    let mut list = Vec::new();
    for (_, value) in rows.prefix(Tree::ChannelVotes, &key::boxes(id), limits::POLLS)? {
        let row: BoxRow = decode(&value)?;
        let PollResult { voters, counts, .. } = row.result(0);
        list.push(PollView {
            post: row.post,
            until_s: row.until_s,
            open: row.private.is_some(),
            voters,
            counts,
            capped: row.capped,
        });
    }
    list.sort_by_key(|view| (std::cmp::Reverse(view.until_s), view.post));
    Ok(list)
}

/// The key of a post, by which lists go on.
pub fn post_key(view: &PostView) -> Vec<u8> {
    key::timeline(&view.channel, view.time_ms, view.number, &view.id)
}

struct Read {
    id: EnvelopeId,
    envelope: Vec<u8>,
    authority: Authority,
    entry: Entry,
    received_ms: u64,
}

fn entry_at(rows: &dyn Rows, id: &ChannelId, place: &super::rows::Place) -> Result<Option<Read>, RowsError> {
    let Some(value) = rows.get(Tree::ChannelEntries, &key::entry(id, place))? else {
        return Ok(None);
    };
    let row: EntryRow = decode(&value)?;
    let Ok(envelope) = Envelope::trusted(&row.envelope) else {
        return Ok(None);
    };
    let (Some(authority), Ok(Statement::Entry(entry))) =
        (envelope.authority().cloned(), Statement::decode(envelope.body()))
    else {
        return Ok(None);
    };
    Ok(Some(Read {
        id: envelope.id(),
        envelope: row.envelope,
        authority,
        entry: *entry,
        received_ms: row.received_ms,
    }))
}

/// What is seen of an entry by itself, if it is a post.
fn seen(channel: ChannelId, read: Read, beacon: Option<&Beacon>) -> Option<PostView> {
    let void = void_of(&read.authority, &read.entry, beacon);
    let (writer, number) = (read.authority.writer, read.entry.number);
    let covered = beacon
        .and_then(|beacon| beacon.head(&writer))
        .is_some_and(|head| head.number >= number);
    let Act::Post(post) = read.entry.act else {
        return None;
    };
    Some(PostView {
        id: read.id,
        channel,
        writer,
        number,
        time_ms: read.entry.time_ms.min(read.received_ms),
        received_ms: read.received_ms,
        post,
        edited_ms: None,
        retracted: None,
        provisional: !covered,
        void,
        unwanted: None,
        vote: None,
        held: Vec::new(),
        refused: None,
        envelope: read.envelope,
        edit: None,
    })
}

/// What a follower sees of an entry that nobody has signed yet, once it has it: a root's next beacon covers it. None if it is no post.
pub(super) fn seen_first(channel: ChannelId, authority: &Authority, entry: Entry, at_ms: u64) -> Option<PostView> {
    let read = Read {
        id: EnvelopeId([0; 32]),
        envelope: Vec::new(),
        authority: authority.clone(),
        entry,
        received_ms: at_ms,
    };
    let view = seen(channel, read, None)?;
    Some(PostView {
        provisional: !authority.is_root(),
        ..view
    })
}

fn post_at(
    rows: &dyn Rows,
    channel: &Channel,
    id: &ChannelId,
    place: &super::rows::Place,
) -> Result<Option<PostView>, RowsError> {
    let Some(read) = entry_at(rows, id, place)? else {
        return Ok(None);
    };
    let beacon = channel.beacon.as_ref().map(|(beacon, _)| beacon);
    let Some(mut view) = seen(*id, read, beacon) else {
        return Ok(None);
    };
    let mut newest = None;
    for (_, value) in rows.prefix(Tree::ChannelMarks, &key::marks(id, &view.id), MARKS)? {
        let Some((_, by)) = key::read_timeline(&value) else {
            continue;
        };
        let Some(done) = entry_at(rows, id, &by)? else {
            continue;
        };
        let may = by.0 == view.writer || done.authority.scopes().allow(Scopes::EDIT);
        if !may || void_of(&done.authority, &done.entry, beacon).is_some() {
            continue;
        }
        let order = (done.entry.time_ms, done.entry.number, done.id);
        match done.entry.act {
            Act::Edit { target, post } if target == view.id && newest.is_none_or(|known| known < order) => {
                newest = Some(order);
                view.post = post;
                view.edited_ms = Some(done.entry.time_ms.min(done.received_ms));
                view.edit = Some(done.envelope);
            }
            Act::Retract { target, reason } if target == view.id => {
                view.retracted = Some((done.entry.time_ms.min(done.received_ms), reason));
            }
            _ => {}
        }
    }
    if view.retracted.is_some() {
        view.post = Post::text("");
    }
    if let Some((_, ballots)) = BallotBox::of(&view.post)
        && let Some(stored) = rows.get(Tree::ChannelVotes, &key::own_vote(id, &ballots.topic()))?
    {
        let vote: VoteRow = decode(&stored)?;
        view.vote = Some(Ballot::places(vote.choices));
    }
    if channel.row.own.is_none() {
        view.unwanted = channel.row.terms.unwanted(&facts(&view.post));
    }
    if channel.row.own.is_some() {
        let stored = records::key::ledger(&ChatId(id.0), 0, place.1);
        if let Some(value) = rows.get(Tree::Ledger, &stored)? {
            let row: LedgerRow = decode(&value)?;
            view.refused = row.refused.filter(|_| row.held.is_empty());
            view.held = row.held;
        }
    }
    Ok(Some(view))
}

/// Reads who may write on an own channel beside its root.
pub fn writers(rows: &dyn Rows, id: &ChannelId) -> Result<Vec<WriterView>, RowsError> {
    let Some(stored) = rows.get(Tree::Channels, &id.0)? else {
        return Ok(Vec::new());
    };
    let channel = Channel::of(decode::<ChannelRow>(&stored)?);
    let granted = channel.row.own.map(|own| own.granted).unwrap_or_default();
    let number = |writer: &WriterId| {
        let (beacon, _) = channel.beacon.as_ref()?;
        Some(beacon.head(writer)?.number)
    };
    let shown = granted.into_iter().map(|row| WriterView {
        number: number(&row.writer).unwrap_or(0),
        writer: row.writer,
        scopes: row.scopes,
        categories: row.categories,
        from_s: row.from_s,
        until_s: row.until_s,
    });
    Ok(shown.collect())
}

/// Reads the evidence that is kept against a channel's writers.
pub fn evidence(rows: &dyn Rows, id: &ChannelId) -> Result<Vec<(Evidence, Proof)>, RowsError> {
    let mut list = Vec::new();
    for (_, value) in rows.prefix(Tree::ChannelEvidence, &id.0, usize::MAX)? {
        let Ok(evidence) = Evidence::decode(&value) else {
            continue;
        };
        if let Ok((_, proof)) = evidence.verify() {
            list.push((evidence, proof));
        }
    }
    Ok(list)
}

pub(super) fn proof_of(rows: &dyn Rows, id: &ChannelId, number: u32) -> Result<Option<Proof>, RowsError> {
    let value = rows.get(Tree::ChannelEvidence, &key::evidence(id, number))?;
    let evidence = value.and_then(|value| Evidence::decode(&value).ok());
    Ok(evidence.and_then(|evidence| {
        let one = Envelope::trusted(&evidence.one).ok()?;
        Proof::of(&one, &Envelope::trusted(&evidence.other).ok()?)
    }))
}

/// Reads the posts of a channel that are planned, the next one first.
pub fn plans(rows: &dyn Rows, id: &ChannelId) -> Result<Vec<PlanView>, RowsError> {
    let mut list = Vec::new();
    for (stored, value) in rows.prefix(Tree::ChannelPlans, &id.0, usize::MAX)? {
        let row: PlannedRow = decode(&value)?;
        if let (Some((_, at_ms, id)), Ok(post)) = (key::read_planned(&stored), Post::decode(&row.post)) {
            list.push(PlanView { id, at_ms, post });
        }
    }
    Ok(list)
}
