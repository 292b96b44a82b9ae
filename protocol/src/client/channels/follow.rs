//! Following a channel by its link, and the end of that.

use super::rows::{ChannelRow, key};
use super::{Channel, NOT_FOR_OWN, view};
use crate::channel::{ChannelLink, LinkError};
use crate::client::{Client, CommandError, EventRow, Reply, TopicUse};
use crate::keys::ChannelId;
use crate::limits;
use crate::rows::{Rows, RowsError, Tree};

impl Client {
    pub(super) fn follow(&mut self, now_ms: u64, link: &str, mesh: bool) -> Result<Reply, CommandError> {
        let link = ChannelLink::from_link(link).map_err(|error| CommandError::Invalid {
            field: "link",
            reason: match error {
                LinkError::NotALink => "not a channel's link; it begins with `madang:channel?`",
                LinkError::Damaged | LinkError::Decode(_) => "the link is damaged; ask for it again",
            },
        })?;
        let id = link.channel;
        if link.relays.is_empty() {
            return Err(CommandError::Invalid {
                field: "link",
                reason: "it names no relay",
            });
        }
        if let Some(known) = self.channels.by_id.get(&id) {
            if known.row.blocked {
                return Err(CommandError::NotAllowed {
                    reason: "the channel is blocked; allow it again first",
                });
            }
            if known.is_open() {
                return Ok(Reply::Channel(id));
            }
        }
        if self.topics.contains_key(&id.topic()) {
            return Err(CommandError::Invalid {
                field: "link",
                reason: "it names no channel",
            });
        }
        if self.channels.by_id.len() >= limits::CHANNELS {
            return Err(CommandError::Limit {
                what: "channels",
                limit: limits::CHANNELS,
            });
        }
        let mut channel = Channel::of(ChannelRow {
            name: link.name,
            relays: link.relays,
            since_ms: now_ms,
            last_ms: now_ms,
            followed: true,
            mesh,
            ..ChannelRow::default()
        });
        channel.dirty = true;
        channel.settle_zone(&self.config.zone);
        self.channels.by_id.insert(id, channel);
        self.topics.insert(id.topic(), TopicUse::Channel(id));
        self.event(&EventRow::ChannelUpdated { channel: id });
        self.refresh_links(now_ms)?;
        if mesh {
            self.join_mesh(now_ms, id);
        }
        Ok(Reply::Channel(id))
    }

    pub(super) fn unfollow(&mut self, now_ms: u64, id: ChannelId, rows: &dyn Rows) -> Result<Reply, CommandError> {
        let channel = self.channel_mut(&id)?;
        if channel.row.own.is_some() {
            return Err(NOT_FOR_OWN);
        }
        self.forget_channel(now_ms, id, rows)?;
        Ok(Reply::Done)
    }

    pub(super) fn mute_channel(&mut self, id: ChannelId, muted: bool) -> Result<Reply, CommandError> {
        let channel = self.channel_mut(&id)?;
        channel.row.muted = muted;
        channel.dirty = true;
        self.event(&EventRow::ChannelUpdated { channel: id });
        Ok(Reply::Done)
    }

    /// Of a blocked channel only that stays.
    pub(super) fn block_channel(
        &mut self,
        now_ms: u64,
        id: ChannelId,
        blocked: bool,
        rows: &dyn Rows,
    ) -> Result<Reply, CommandError> {
        let known = self.channels.by_id.get(&id);
        if known.is_some_and(|channel| channel.row.own.is_some()) {
            return Err(NOT_FOR_OWN);
        }
        if known.is_some_and(|channel| channel.row.blocked) == blocked {
            return Ok(Reply::Done);
        }
        let name = known.map(view::name_of).unwrap_or_default();
        if known.is_none() && self.channels.by_id.len() >= limits::CHANNELS {
            return Err(CommandError::Limit {
                what: "channels",
                limit: limits::CHANNELS,
            });
        }
        self.forget_channel(now_ms, id, rows)?;
        if blocked {
            let mut channel = Channel::of(ChannelRow {
                name,
                since_ms: now_ms,
                last_ms: now_ms,
                blocked: true,
                ..ChannelRow::default()
            });
            channel.dirty = true;
            self.channels.by_id.insert(id, channel);
        }
        self.event(&EventRow::ChannelUpdated { channel: id });
        Ok(Reply::Done)
    }

    pub(super) fn mark_channel_read(&mut self, id: ChannelId, through: Vec<u8>) -> Result<Reply, CommandError> {
        let channel = self.channel_mut(&id)?;
        if channel.row.read_through < through {
            channel.row.read_through = through;
            channel.dirty = true;
            self.event(&EventRow::ChannelUpdated { channel: id });
        }
        Ok(Reply::Done)
    }

    /// Lets go of all that is here of a channel.
    fn forget_channel(&mut self, now_ms: u64, id: ChannelId, rows: &dyn Rows) -> Result<(), RowsError> {
        self.channels.by_id.remove(&id);
        self.topics.remove(&id.topic());
        self.channels.ask_again_ms.retain(|(_, channel), _| *channel != id);
        self.channels.asked.retain(|_, asked| asked.channel != id);
        let end = crate::rows::prefix_end(&id.0);
        for tree in [
            Tree::ChannelEntries,
            Tree::ChannelTimeline,
            Tree::ChannelMarks,
            Tree::ChannelEvidence,
            Tree::ChannelVotes,
        ] {
            for (stored, _) in self.fresh.range(rows, tree, &id.0, &end, usize::MAX)? {
                if tree == Tree::ChannelTimeline
                    && let Some(by_id) = key::timeline_id(&stored)
                {
                    self.delete_fresh(Tree::ChannelIds, by_id);
                }
                self.delete_fresh(tree, stored);
            }
        }
        self.step.batch.delete(Tree::Channels, id.0);
        let gone: Vec<_> = self
            .cursors
            .keys()
            .filter(|(_, topic)| *topic == id.topic())
            .copied()
            .collect();
        for place in gone {
            self.cursors.remove(&place);
            self.dirty.cursors.insert(place);
        }
        self.forget_polls(id);
        self.leave_mesh(now_ms, id)?;
        let peers: Vec<_> = self.links.keys().copied().collect();
        for peer in peers {
            self.refresh_watches(peer);
        }
        Ok(())
    }

    /// The key of an entry by its id, also of a step that isn't committed yet.
    pub(super) fn entry_place(
        &self,
        channel: &ChannelId,
        id: &crate::keys::EnvelopeId,
        rows: &dyn Rows,
    ) -> Result<Option<super::rows::Place>, RowsError> {
        let stored = self.fresh.get(rows, Tree::ChannelIds, &key::id(id))?;
        Ok(stored.and_then(|stored| {
            let place = stored.strip_prefix(channel.0.as_slice())?;
            key::place(place)
        }))
    }
}
