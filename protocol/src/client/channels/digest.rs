//! What becomes of a post that came: shown, held back for the digest, or kept and nothing more, by the follower's terms and the
//! channel's own promise. None of this leaves the device.

use super::rows::{HeldRow, key};
use super::{Channel, NOT_FOR_OWN, view};
use crate::channel::Post;
use crate::channel::terms::{Decision, Facts, Terms, TermsError, Why, Zone};
use crate::client::{Client, CommandError, EventRow, Reply};
use crate::keys::{ChannelId, EnvelopeId};
use crate::limits;
use crate::rows::{Rows, RowsError, Tree};

/// Entries of a day that are counted beside the posts that a channel promises at most: edits, and what others wrote.
const OTHERS_OF_A_DAY: usize = 64;

/// What of a post the terms weigh.
pub(super) fn facts(post: &Post) -> Facts<'_> {
    Facts {
        categories: &post.categories,
        area: post.area,
        advertising: post.is_advertising(),
        urgent: post.is_urgent(),
    }
}

impl Channel {
    /// The zone of the terms, or else of the device.
    pub(super) fn settle_zone(&mut self, device: &Zone) {
        let named = self.row.terms.zone.as_deref().and_then(|name| Zone::named(name).ok());
        self.zone = named.unwrap_or_else(|| device.clone());
    }

    /// When something that is held back is to be weighed again.
    pub(super) fn settle_digest(&mut self) {
        self.held_due_ms = self.row.held.iter().filter_map(|held| held.until_ms).min();
    }

    fn weigh(&self, now_ms: u64, post: &Post) -> Decision {
        let (today_ms, _) = self.zone.day(now_ms);
        let shown = if self.row.day_ms == today_ms { self.row.shown } else { 0 };
        self.row.terms.weigh(&self.zone, now_ms, &facts(post), shown)
    }

    fn count_shown(&mut self, now_ms: u64) {
        let (today_ms, _) = self.zone.day(now_ms);
        if self.row.day_ms != today_ms {
            (self.row.day_ms, self.row.shown) = (today_ms, 0);
        }
        self.row.shown = self.row.shown.saturating_add(1);
    }

    fn hold(&mut self, held: HeldRow) {
        // The oldest are found in the channel alone.
        if self.row.held.len() >= limits::CHANNEL_HELD {
            self.row.held.remove(0);
        }
        self.row.held.push(held);
        self.settle_digest();
    }
}

impl Client {
    /// A post came that its channel's timeline doesn't have yet: what becomes of it.
    pub(super) fn weigh_post(
        &mut self,
        now_ms: u64,
        id: ChannelId,
        (post_id, time_ms): (EnvelopeId, u64),
        post: &Post,
        rows: &dyn Rows,
    ) -> Result<(), RowsError> {
        let broken = self.promise_is_broken(id, time_ms, rows)?;
        let Some(channel) = self.channels.by_id.get_mut(&id) else {
            return Ok(());
        };
        let mut decision = if channel.row.own.is_some() {
            Decision::Show
        } else {
            channel.weigh(now_ms, post)
        };
        if broken && !matches!(decision, Decision::Unwanted(_)) {
            channel.row.broke_ms = now_ms;
            decision = Decision::Hold {
                why: Why::Promise,
                until_ms: None,
            };
        }
        self.settle_post(now_ms, id, post_id, decision);
        Ok(())
    }

    fn settle_post(&mut self, now_ms: u64, id: ChannelId, post: EnvelopeId, decision: Decision) {
        let Some(channel) = self.channels.by_id.get_mut(&id) else {
            return;
        };
        channel.dirty = true;
        let told = match decision {
            Decision::Show => {
                channel.count_shown(now_ms);
                Some(EventRow::ChannelPost { channel: id, post })
            }
            Decision::Hold { why, until_ms } => {
                channel.hold(HeldRow {
                    post,
                    since_ms: now_ms,
                    until_ms,
                    why,
                });
                Some(EventRow::ChannelUpdated { channel: id })
            }
            Decision::Unwanted(_) => None,
        };
        if let Some(told) = told {
            self.event(&told);
        }
    }

    /// Whether a followed channel has posted as often as it promised to at most, on the day (UTC) of a post that is to be added.
    fn promise_is_broken(&self, id: ChannelId, time_ms: u64, rows: &dyn Rows) -> Result<bool, RowsError> {
        let channel = self.channels.by_id.get(&id).filter(|channel| channel.row.own.is_none());
        let Some(most) = channel
            .and_then(|channel| channel.beacon.as_ref())
            .map(|(beacon, _)| usize::from(beacon.manifest.policy.posts_per_day))
            .filter(|most| *most > 0)
        else {
            return Ok(false);
        };
        let (begin_ms, end_ms) = Zone::UTC.day(time_ms);
        let (from, to) = (key::timeline_from(&id, begin_ms), key::timeline_from(&id, end_ms));
        let found = self.fresh.range(
            rows,
            Tree::ChannelTimeline,
            &from,
            &to,
            most.saturating_add(OTHERS_OF_A_DAY),
        )?;
        let posts = found.iter().filter_map(|(_, value)| key::read_timeline(value));
        Ok(posts.filter(|(kind, _)| kind.is_post()).count() >= most)
    }

    /// Weighs again what is held back and whose time has come.
    pub(super) fn release_posts(&mut self, now_ms: u64, rows: &dyn Rows) -> Result<(), RowsError> {
        let is_due = |channel: &Channel| channel.held_due_ms.is_some_and(|due_ms| due_ms <= now_ms);
        let due = self.channels.by_id.iter().filter(|(_, channel)| is_due(channel));
        let due: Vec<ChannelId> = due.map(|(id, _)| *id).collect();
        for id in due {
            self.weigh_held(
                now_ms,
                id,
                |held| held.until_ms.is_some_and(|until_ms| until_ms <= now_ms),
                rows,
            )?;
        }
        Ok(())
    }

    /// Weighs some of what is held back as if it came now.
    fn weigh_held(
        &mut self,
        now_ms: u64,
        id: ChannelId,
        which: impl Fn(&HeldRow) -> bool,
        rows: &dyn Rows,
    ) -> Result<(), RowsError> {
        let Some(channel) = self.channels.by_id.get_mut(&id) else {
            return Ok(());
        };
        let taken = channel.row.held.extract_if(.., |held| which(held)).collect::<Vec<_>>();
        channel.settle_digest();
        channel.dirty = true;
        for held in taken {
            // Without what was taken back meanwhile.
            let Some(post) =
                view::post(rows, &held.post)?.filter(|view| view.void.is_none() && view.retracted.is_none())
            else {
                continue;
            };
            let Some(channel) = self.channels.by_id.get_mut(&id) else {
                return Ok(());
            };
            match channel.weigh(now_ms, &post.post) {
                Decision::Hold { why, until_ms } => channel.hold(HeldRow { why, until_ms, ..held }),
                decision => self.settle_post(now_ms, id, held.post, decision),
            }
        }
        Ok(())
    }

    pub(super) fn set_terms(
        &mut self,
        now_ms: u64,
        id: ChannelId,
        terms: Terms,
        rows: &dyn Rows,
    ) -> Result<Reply, CommandError> {
        terms.check().map_err(|error| match error {
            TermsError::TooMany { field, limit } => CommandError::Limit { what: field, limit },
            TermsError::Invalid { field, reason } => CommandError::Invalid { field, reason },
        })?;
        let device = self.config.zone.clone();
        let channel = self.channel_mut(&id)?;
        if channel.row.own.is_some() {
            return Err(NOT_FOR_OWN);
        }
        channel.row.terms = terms;
        channel.settle_zone(&device);
        self.event(&EventRow::ChannelUpdated { channel: id });
        // What was beyond the channel's own promise waits for the user.
        self.weigh_held(now_ms, id, |held| held.why != Why::Promise, rows)?;
        Ok(Reply::Done)
    }

    /// The user looks at the digest: nothing in it is held back any more.
    pub(super) fn open_digest(&mut self, id: ChannelId) -> Result<Reply, CommandError> {
        let channel = self.channel_mut(&id)?;
        if !channel.row.held.is_empty() {
            channel.row.held.clear();
            channel.settle_digest();
            channel.dirty = true;
            self.event(&EventRow::ChannelUpdated { channel: id });
        }
        Ok(Reply::Done)
    }
}
