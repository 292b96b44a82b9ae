//! Channels: those that are followed, and those that this account writes.
//!
//! | file | room |
//! |---|---|
//! | `rows` | the rows |
//! | `follow` | following by a link, muting, blocking |
//! | `own` | making a channel, its entries, posts that are planned |
//! | `again` | what of them relays have, and lack |
//! | `beacons` | what the root signs of the whole channel |
//! | `writers` | who else may write, hand-over and recovery |
//! | `directory` | being found in relays' directories, and finding others |
//! | `figures` | how many relays say that watch and were handed a post |
//! | `digest` | what the follower's terms hold back |
//! | `domain` | whether a domain vouches for a channel |
//! | `mesh` | passing on among followers |
//! | `take` | what comes: entries, beacons, contradictions between them |
//! | `reports` | showing posts to the operators of relays |
//! | `history` | reading back from relays, and what is missing |
//! | `view` | reading what is stored |
//!
//! What comes is only verified when it comes, and taken at the end of the input, when rows can be read.

mod again;
mod beacons;
mod digest;
mod directory;
mod domain;
mod figures;
mod follow;
mod history;
mod mesh;
mod own;
mod polls;
mod reports;
mod rows;
mod take;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests;
pub mod view;
mod writers;

pub use own::{ManifestChange, PostFiles};
pub use writers::WriterGrant;

use super::records::{decode, encode};
use super::{Client, CommandError, LoadError, Reply, TopicUse, array};
use crate::address::PeerAddress;
use crate::channel::terms::{Terms, Zone};
use crate::channel::{Authority, Beacon, Post, Proof, Statement};
use crate::custody::Reason;
use crate::envelope::Envelope;
use crate::keys::{ChannelId, EnvelopeId, TransportKey, WriterId};
use crate::limits;
use crate::rows::{Rows, RowsError, Tree};
use history::Asked;
use rows::{ChannelRow, WriterRow};
use std::collections::{BTreeMap, BTreeSet};
use take::Arrived;

/// What the user can want of channels.
#[derive(Clone, Debug)]
pub enum ChannelCommand {
    /// Make a channel. Replies [`Reply::Channel`].
    Create {
        /// What it says of itself; a name is needed. Its relays are the account's where none are given.
        manifest: ManifestChange,
        /// Makes a repeat harmless: same key and name, same channel.
        idempotency_key: Option<String>,
    },
    /// Change what an own channel says of itself. Replies [`Reply::Done`].
    Update {
        /// Which.
        channel: ChannelId,
        /// What changes.
        manifest: ManifestChange,
    },
    /// Post on an own channel, now or later. Replies [`Reply::Posted`], for later ones with an id of the plan.
    Post {
        /// Which.
        channel: ChannelId,
        /// What.
        post: Post,
        /// Files of ours that it shows.
        files: PostFiles,
        /// Unix milliseconds; at once if it is past.
        at_ms: Option<u64>,
        /// Makes a repeat harmless: same key and post, same id.
        idempotency_key: Option<String>,
    },
    /// What a follower would see of a post. Replies [`Reply::Preview`]; nothing is kept or sent.
    Preview {
        /// Which.
        channel: ChannelId,
        /// What.
        post: Post,
        /// Files of ours that it shows.
        files: PostFiles,
        /// Unix milliseconds; now if it is past.
        at_ms: Option<u64>,
    },
    /// Drop a post that is planned. Replies [`Reply::Done`].
    Unplan {
        /// Where.
        channel: ChannelId,
        /// The id of the plan.
        plan: [u8; 32],
    },
    /// Give a post another content. Replies [`Reply::Posted`] with the edit.
    Edit {
        /// Where.
        channel: ChannelId,
        /// Which post.
        target: EnvelopeId,
        /// What it says from now on.
        post: Post,
        /// Files of ours that it shows.
        files: PostFiles,
    },
    /// Take a post back. Replies [`Reply::Posted`] with the retraction.
    Retract {
        /// Where.
        channel: ChannelId,
        /// Which post.
        target: EnvelopeId,
        /// Why, for people.
        reason: String,
    },
    /// Follow a channel. Replies [`Reply::Channel`] at once; what it says comes from its relays.
    Follow {
        /// Its link.
        link: String,
        /// Take part in passing it on among followers.
        mesh: bool,
    },
    /// Take part in passing a channel on among followers, or not. Replies [`Reply::Done`].
    Mesh {
        /// Which.
        channel: ChannelId,
        /// Take part.
        mesh: bool,
    },
    /// Follow a channel no longer; what is here of it is forgotten. Replies [`Reply::Done`].
    Unfollow {
        /// Which.
        channel: ChannelId,
    },
    /// Be told of new posts or not. Replies [`Reply::Done`].
    Mute {
        /// Which.
        channel: ChannelId,
        /// Not told.
        muted: bool,
    },
    /// Say what of a followed channel is wanted, and when. Replies [`Reply::Done`].
    Terms {
        /// Which.
        channel: ChannelId,
        /// In place of those before.
        terms: Box<Terms>,
    },
    /// The user looks at what was held back. Replies [`Reply::Done`].
    OpenDigest {
        /// Which.
        channel: ChannelId,
    },
    /// What the domain that an own channel names is to publish. Replies [`Reply::Vouch`].
    Vouch {
        /// Which.
        channel: ChannelId,
    },
    /// What the domain that a channel names publishes was fetched. Replies [`Reply::Done`] if it vouches for the channel.
    Prove {
        /// Which.
        channel: ChannelId,
        /// The domain that was asked.
        domain: String,
        /// What it publishes, each an encoded [`crate::channel::Vouch`] or something else.
        vouches: Vec<Vec<u8>>,
    },
    /// A key to write on a followed channel with, for its root to certify. Replies [`Reply::Writer`].
    WriterKey {
        /// Which.
        channel: ChannelId,
    },
    /// Let a key write on an own channel. Replies [`Reply::Certificate`], which is for its holder.
    Certify {
        /// Which.
        channel: ChannelId,
        /// Whom, for what and how long.
        grant: WriterGrant,
    },
    /// Use a certificate: write with it, or be the root that it makes its holder. Replies [`Reply::Channel`].
    UseCertificate {
        /// Its text.
        certificate: String,
    },
    /// Let a key write no longer: what it wrote until now stays. Replies [`Reply::Done`].
    Revoke {
        /// Where.
        channel: ChannelId,
        /// Whom.
        writer: WriterId,
    },
    /// A key that takes an own channel back should its root be lost or stolen, to be kept elsewhere. Replies [`Reply::Certificate`].
    RecoveryKey {
        /// Which.
        channel: ChannelId,
    },
    /// Take a channel back. Replies [`Reply::Channel`].
    Recover {
        /// The text of its recovery key.
        key: String,
    },
    /// Have nothing to do with a channel any more, or allow it again. Replies [`Reply::Done`].
    Block {
        /// Which; it needn't be followed.
        channel: ChannelId,
        /// Nothing.
        blocked: bool,
    },
    /// The user has seen posts up to one. Replies [`Reply::Done`].
    MarkRead {
        /// Where.
        channel: ChannelId,
        /// The key of the last one, from [`view::posts`].
        through: Vec<u8>,
    },
    /// Answer a poll of a followed channel, in place of an earlier answer. Replies [`Reply::Done`].
    Vote {
        /// Where.
        channel: ChannelId,
        /// Which post.
        post: EnvelopeId,
        /// Places of the chosen options from 0; none takes the answer back.
        choices: Vec<u8>,
    },
    /// Tell followers what a poll that was posted here has come to. Replies [`Reply::Done`].
    PublishResult {
        /// Where.
        channel: ChannelId,
        /// Which post.
        post: EnvelopeId,
    },
    /// Fetch the files of a post. Replies [`Reply::Done`].
    FetchFiles {
        /// Where.
        channel: ChannelId,
        /// Which post.
        post: EnvelopeId,
    },
    /// Put an own channel into the public directories of some of its relays, and take it out of those of the others. Replies [`Reply::Done`].
    Enlist {
        /// Which.
        channel: ChannelId,
        /// Where it is to be found; nowhere if there are none.
        relays: Vec<TransportKey>,
    },
    /// Look for channels in the directory of a relay that is connected. Replies [`Reply::Found`].
    Search {
        /// Whose.
        relay: TransportKey,
        /// Words, all of which name or description have; empty for all channels.
        query: String,
        /// A category's id; empty for all.
        category: String,
        /// Where to go on.
        after: Vec<u8>,
    },
    /// Show a post to the operators of the channel's relays, and block the channel in the same step if that is wanted. Replies
    /// [`Reply::ReportedTo`] once it is durable here.
    Report {
        /// A followed channel.
        channel: ChannelId,
        /// Which post.
        post: EnvelopeId,
        /// Why.
        reason: Reason,
        /// For the operator, at most [`limits::REPORT_TEXT_BYTES`].
        text: String,
        /// Have nothing to do with the channel any more.
        block: bool,
    },
    /// Ask a channel's relays how many watch it, as its root or a writer that may be told. Replies [`Reply::Figures`] once all have answered
    /// or are given up.
    Figures {
        /// Which.
        channel: ChannelId,
        /// To how many this post was handed, too.
        post: Option<EnvelopeId>,
    },
    /// Fetch older posts from a relay. Replies [`Reply::Older`] when they are here.
    History {
        /// Where.
        channel: ChannelId,
    },
}

/// Why a command is refused that only the root may give.
const NOT_ROOT: CommandError = CommandError::NotAllowed {
    reason: "only the channel's root may do that",
};

/// Why a command is refused that is for who follows.
const NOT_FOR_OWN: CommandError = CommandError::NotAllowed {
    reason: "the channel is this account's own",
};

/// A channel in memory.
pub(super) struct Channel {
    row: ChannelRow,
    /// Writers of whom something came that the next beacon is to cover.
    covers: BTreeSet<WriterId>,
    /// The last beacon that we signed: what is signed in one step isn't taken before its end.
    signed: Option<Beacon>,
    /// The beacon that counts, and who signed it.
    beacon: Option<(Beacon, Authority)>,
    /// What the kept evidence proves.
    proofs: Vec<Proof>,
    /// How often what is missing was looked for, and when that is next.
    rounds: u32,
    fill_ms: Option<u64>,
    /// When something that is held back is to be weighed again.
    held_due_ms: Option<u64>,
    /// Where the hours of the terms are those of the wall clock.
    zone: Zone,
    dirty: bool,
}

/// What this device knows of channels beside their rows.
#[derive(Default)]
pub(super) struct Channels {
    by_id: BTreeMap<ChannelId, Channel>,
    /// What came and is to be taken at the end of the input.
    arrived: Vec<Arrived>,
    /// Questions to relays.
    asked: BTreeMap<(TransportKey, u64), Asked>,
    /// Who was asked of the past and didn't answer, or with what is no answer: others are asked first.
    late: BTreeSet<TransportKey>,
    /// What was read back for whom, and whether that was all that whoever was asked has.
    read_back: Vec<(ChannelId, u64, bool)>,
    /// When a relay that refused is asked again.
    ask_again_ms: BTreeMap<(TransportKey, ChannelId), u64>,
    /// What relays are asked about their directories.
    directory: directory::Directory,
    /// What they are shown of others' posts.
    reports: reports::Reports,
    /// What they are asked about own channels.
    inquiries: figures::Inquiries,
    /// Posts that are planned, by time.
    planned: BTreeSet<(u64, ChannelId, [u8; 32])>,
    /// Own channels whose relays are to be handed again what they may lack.
    again: BTreeSet<ChannelId>,
    /// A relay that an own channel has left knows it now, or one has answered a report, or is given up.
    let_go: bool,
    /// Own entries that a relay has lost.
    lost: BTreeSet<(ChannelId, EnvelopeId)>,
    /// Who else follows and passes on.
    mesh: mesh::Mesh,
    /// Polls that are counted, and answers.
    pub(super) polls: polls::Polls,
}

impl Channel {
    fn of(row: ChannelRow) -> Self {
        let beacon = Envelope::trusted(&row.beacon).ok().and_then(|envelope| {
            let authority = envelope.authority()?.clone();
            match Statement::decode(envelope.body()).ok()? {
                Statement::Beacon(beacon) => Some((*beacon, authority)),
                _ => None,
            }
        });
        let mut channel = Self {
            row,
            covers: BTreeSet::new(),
            signed: None,
            beacon,
            proofs: Vec::new(),
            rounds: 0,
            fill_ms: None,
            held_due_ms: None,
            zone: Zone::UTC,
            dirty: false,
        };
        channel.settle_digest();
        channel
    }

    /// The beacon that the next one follows.
    fn latest(&self) -> Option<&Beacon> {
        let taken = self.beacon.as_ref().map(|(beacon, _)| beacon);
        let signed = self.signed.as_ref().filter(|_| self.row.own.is_some());
        [taken, signed].into_iter().flatten().max_by_key(|beacon| beacon.number)
    }

    /// Where it is kept.
    pub fn relays(&self) -> &[PeerAddress] {
        match &self.beacon {
            Some((beacon, _)) if !beacon.manifest.relays.is_empty() => &beacon.manifest.relays,
            _ => &self.row.relays,
        }
    }

    /// Relays that it has left and that are still to be told so.
    pub fn left(&self) -> impl Iterator<Item = &PeerAddress> {
        let left = self.row.own.iter().flat_map(|own| &own.left);
        left.map(|left| &left.relay)
    }

    /// Whether it is of interest at relays.
    pub fn is_open(&self) -> bool {
        self.row.followed || self.row.own.is_some()
    }

    /// Whether a writer of whom nothing is here has begun since the last beacon: all that it wrote is missing then.
    fn begins(&self, writer: &WriterId) -> bool {
        self.beacon
            .as_ref()
            .is_some_and(|(beacon, _)| beacon.head(writer).is_none() && beacon.heads.len() < limits::CHANNEL_WRITERS)
    }

    /// Whether all that its writers have signed is here, or known to be missing after the first.
    fn is_whole(&self) -> bool {
        self.beacon.is_some() && self.row.writers.iter().all(|writer| writer.from <= 1)
    }

    fn writer(&mut self, writer: WriterId) -> Option<&mut WriterRow> {
        let place = self.row.writers.iter().position(|known| known.writer == writer);
        let place = match place {
            Some(place) => place,
            None if self.row.writers.len() < 2 * limits::CHANNEL_WRITERS => {
                self.row.writers.push(WriterRow {
                    writer,
                    received: Default::default(),
                    from: 0,
                    first: 0,
                    last: 0,
                });
                self.row.writers.len() - 1
            }
            None => return None,
        };
        self.row.writers.get_mut(place)
    }
}

impl Channels {
    /// When something of channels is due; the clock is believed from some time on.
    pub fn timer(&self, believed_ms: u64) -> Option<u64> {
        let own = self.by_id.values().filter_map(|channel| {
            let own = channel.row.own.as_ref()?;
            Some(own.beacon_due_ms)
        });
        let fills = self.by_id.values().filter_map(|channel| channel.fill_ms);
        let held = self.by_id.values().filter_map(|channel| channel.held_due_ms);
        let asked = self.asked.values().map(|asked| asked.until_ms);
        let again = self.ask_again_ms.values().copied();
        let planned = self.planned.first().map(|(at_ms, _, _)| *at_ms);
        own.chain(fills)
            .chain(held)
            .chain(asked)
            .chain(again)
            .chain(planned)
            .chain(self.directory.timer())
            .chain(self.inquiries.timer())
            .chain(self.reports.timer())
            .chain(self.by_id.values().filter_map(directory::renewed_ms))
            .chain(self.mesh.timer())
            .chain(self.polls.timer().map(|over_ms| over_ms.max(believed_ms)))
            .min()
    }

    /// Followers to be connected to.
    pub fn members(&self) -> impl Iterator<Item = &PeerAddress> {
        self.mesh.wanted()
    }

    /// Relays to which something is still to be reported.
    pub fn reported_to(&self) -> impl Iterator<Item = &PeerAddress> {
        self.reports.relays()
    }

    /// The channels that a relay keeps, for those who want it connected.
    pub fn at_relays(&self) -> impl Iterator<Item = (ChannelId, &PeerAddress)> {
        let open = self.by_id.iter().filter(|(_, channel)| channel.is_open());
        open.flat_map(|(id, channel)| channel.relays().iter().chain(channel.left()).map(|relay| (*id, relay)))
    }
}

impl Client {
    pub(super) fn load_channels(&mut self, rows: &dyn Rows) -> Result<(), LoadError> {
        for (stored, value) in rows.prefix(Tree::Channels, &[], usize::MAX)? {
            let Some(id) = array(&stored, 0).map(ChannelId) else {
                continue;
            };
            let mut channel = Channel::of(decode(&value)?);
            channel.settle_zone(&self.config.zone);
            for number in 0..channel.row.evidence {
                channel.proofs.extend(view::proof_of(rows, &id, number)?);
            }
            if channel.row.gap_ms > 0 {
                channel.fill_ms = Some(0);
            }
            if channel.is_open() {
                self.topics.insert(id.topic(), TopicUse::Channel(id));
            }
            if channel.row.pen.is_some() {
                self.load_polls(rows, id)?;
            }
            let meshed = channel.is_open() && channel.row.mesh;
            self.channels.by_id.insert(id, channel);
            if meshed {
                self.join_mesh(0, id);
            }
        }
        self.load_reports(rows)?;
        for (stored, _) in rows.prefix(Tree::ChannelPlans, &[], usize::MAX)? {
            if let Some((channel, at_ms, id)) = rows::key::read_planned(&stored) {
                self.channels.planned.insert((at_ms, channel, id));
            }
        }
        Ok(())
    }

    pub(super) fn channel_command(
        &mut self,
        now_ms: u64,
        token: u64,
        command: ChannelCommand,
        rows: &dyn Rows,
    ) -> Result<Option<Reply>, CommandError> {
        match command {
            ChannelCommand::Create {
                manifest,
                idempotency_key,
            } => self.create_channel(now_ms, manifest, idempotency_key, rows),
            ChannelCommand::Update { channel, manifest } => self.update_channel(now_ms, channel, manifest),
            ChannelCommand::Post {
                channel,
                post,
                files,
                at_ms,
                idempotency_key,
            } => self.post(now_ms, channel, (post, files), at_ms, idempotency_key, rows),
            ChannelCommand::Preview {
                channel,
                post,
                files,
                at_ms,
            } => self.preview(channel, (post, files), at_ms.unwrap_or(0).max(now_ms)),
            ChannelCommand::Unplan { channel, plan } => self.unplan(channel, plan),
            ChannelCommand::Edit {
                channel,
                target,
                post,
                files,
            } => self.edit_post(now_ms, channel, target, (post, files), rows),
            ChannelCommand::Vote { channel, post, choices } => {
                self.vote_in_channel(now_ms, channel, post, &choices, rows)
            }
            ChannelCommand::PublishResult { channel, post } => self.publish_result(now_ms, channel, post, rows),
            ChannelCommand::FetchFiles { channel, post } => self.fetch_post_files(now_ms, channel, post, rows),
            ChannelCommand::Retract {
                channel,
                target,
                reason,
            } => self.retract_post(now_ms, channel, target, reason, rows),
            ChannelCommand::Follow { link, mesh } => self.follow(now_ms, &link, mesh),
            ChannelCommand::Mesh { channel, mesh } => self.set_mesh(now_ms, channel, mesh),
            ChannelCommand::Unfollow { channel } => self.unfollow(now_ms, channel, rows),
            ChannelCommand::Mute { channel, muted } => self.mute_channel(channel, muted),
            ChannelCommand::Terms { channel, terms } => self.set_terms(now_ms, channel, *terms, rows),
            ChannelCommand::WriterKey { channel } => self.writer_key(channel),
            ChannelCommand::Certify { channel, grant } => self.certify(now_ms, channel, grant),
            ChannelCommand::UseCertificate { certificate } => self.use_certificate(now_ms, &certificate),
            ChannelCommand::Revoke { channel, writer } => self.revoke_writer(now_ms, channel, writer),
            ChannelCommand::RecoveryKey { channel } => self.recovery_key(now_ms, channel),
            ChannelCommand::Recover { key } => self.recover_channel(now_ms, &key),
            ChannelCommand::Vouch { channel } => self.vouch_for(channel),
            ChannelCommand::Prove {
                channel,
                domain,
                vouches,
            } => self.prove_domain(now_ms, channel, &domain, &vouches),
            ChannelCommand::OpenDigest { channel } => self.open_digest(channel),
            ChannelCommand::Block { channel, blocked } => self.block_channel(now_ms, channel, blocked, rows),
            ChannelCommand::MarkRead { channel, through } => self.mark_channel_read(channel, through),
            ChannelCommand::Report {
                channel,
                post,
                reason,
                text,
                block,
            } => self.report_post(now_ms, (channel, post), (reason, text), block, rows),
            ChannelCommand::Enlist { channel, relays } => self.enlist(now_ms, channel, &relays),
            ChannelCommand::Search {
                relay,
                query,
                category,
                after,
            } => return self.search_directory(now_ms, token, relay, (query, category), after),
            ChannelCommand::Figures { channel, post } => return self.ask_figures(now_ms, token, channel, post),
            ChannelCommand::History { channel } => return self.read_back(now_ms, channel, token),
        }
        .map(Some)
    }

    pub(super) fn tick_channels(&mut self, now_ms: u64, rows: &dyn Rows) -> Result<(), RowsError> {
        self.end_questions(now_ms);
        self.post_planned(now_ms, rows)?;
        self.release_posts(now_ms, rows)?;
        self.send_due_beacons(now_ms)?;
        self.fill_channels(now_ms);
        self.ask_refusers(now_ms);
        self.tick_directory(now_ms);
        self.tick_inquiries(now_ms);
        self.tick_reports(now_ms)?;
        self.tick_mesh(now_ms);
        self.tick_polls(now_ms, rows)
    }

    /// Writes what changed.
    pub(super) fn write_channels(&mut self) -> Result<(), RowsError> {
        let dirty = self.channels.by_id.iter_mut().filter(|(_, channel)| channel.dirty);
        for (id, channel) in dirty {
            channel.dirty = false;
            let row = encode(&channel.row)?;
            self.step.batch.put(Tree::Channels, id.0, row);
        }
        Ok(())
    }

    fn channel_mut(&mut self, channel: &ChannelId) -> Result<&mut Channel, CommandError> {
        let found = self.channels.by_id.get_mut(channel);
        found.ok_or(CommandError::NotFound { field: "channel" })
    }
}
