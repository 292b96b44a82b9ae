//! Who may use the relay, and watching.
//!
//! The relay's users are those whom its door admits. A topic that one of them deposits to or watches is *hosted*: then others may too,
//! under the topic's quota, since whoever is in a chat with a user, or holds a user's invite, must be able to reach it. Elsewhere others,
//! *guests*, may deposit nothing; what they watch is served from when it is hosted.

use super::config::{DAY_S, RETRY_S, RelayConfig};
use super::damage::{self, Found};
use super::push::Watching;
use super::stored::{self, LogRow};
use super::topics::Topic;
use super::{Head, Relay};
use crate::custody::frames::{AdmissionToken, Cursor, CustodianFrame, Refusal, TokenHash, Watch};
use crate::keys::{TopicId, TransportKey};
use crate::rows::{Rows, RowsError, Tree};
use std::collections::BTreeSet;

/// Whom a relay admits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Door {
    /// Everybody.
    #[default]
    Open,
    /// Whoever names one of these tokens.
    Tokens(BTreeSet<TokenHash>),
    /// These transport keys.
    Peers(BTreeSet<TransportKey>),
}

impl Relay {
    /// Sets whom the relay admits from now on, those who are connected included; who was told to be a guest and is a user now is told.
    pub fn set_door(&mut self, door: Door) {
        self.door = door;
        let told: Vec<TransportKey> = self
            .peers
            .iter()
            .filter(|(peer, state)| state.told_guest && self.admitted(peer))
            .map(|(peer, _)| *peer)
            .collect();
        for peer in told {
            if let Some(state) = self.peers.get_mut(&peer) {
                state.told_guest = false;
            }
            self.tell_user(peer);
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.door == Door::Open
    }

    /// Whether the door admits a connected peer.
    pub(super) fn admitted(&self, peer: &TransportKey) -> bool {
        match &self.door {
            Door::Open => true,
            Door::Tokens(tokens) => {
                let named = self.peers.get(peer).and_then(|state| state.token);
                named.is_some_and(|token| tokens.contains(&token))
            }
            Door::Peers(peers) => peers.contains(peer),
        }
    }

    /// Whether a peer may deposit on a topic, which is in memory.
    pub(super) fn may_use(&self, peer: &TransportKey, topic: &TopicId) -> bool {
        let shared = || self.is_other(peer) && self.topics.get(topic).is_some_and(|topic| topic.kept);
        self.admitted(peer) || self.is_hosted(topic) || shared()
    }

    fn is_hosted(&self, topic: &TopicId) -> bool {
        self.topics
            .get(topic)
            .is_some_and(|topic| topic.kept && topic.row.hosted_s > 0)
    }

    /// Connected peers that aren't admitted; looks at each.
    #[must_use]
    pub fn guests(&self) -> usize {
        if self.is_open() {
            return 0;
        }
        self.peers.keys().filter(|peer| !self.admitted(peer)).count()
    }

    pub(super) fn hello(
        &mut self,
        now_s: u64,
        peer: TransportKey,
        token: &AdmissionToken,
        rows: &dyn Rows,
    ) -> Result<(), RowsError> {
        let Some(state) = self.peers.get_mut(&peer) else {
            return Ok(());
        };
        state.token = Some(token.hash());
        if !self.admitted(&peer) {
            self.stats.not_admitted += 1;
            self.tell_guest(peer);
            return Ok(());
        }
        self.stats.admitted += 1;
        self.tell_user(peer);
        let watched: Vec<TopicId> = self
            .peers
            .get(&peer)
            .map(|state| state.watches.keys().copied().collect())
            .unwrap_or_default();
        for topic in watched {
            self.host(now_s, topic, rows)?;
        }
        Ok(())
    }

    fn tell_user(&mut self, peer: TransportKey) {
        let admitted = CustodianFrame::Admission {
            why: None,
            retry_after_s: 0,
        };
        self.send(peer, &admitted);
    }

    fn tell_guest(&mut self, peer: TransportKey) {
        if let Some(state) = self.peers.get_mut(&peer) {
            state.told_guest = true;
        }
        let refused = CustodianFrame::Admission {
            why: Some(Refusal::NotAdmitted),
            retry_after_s: RETRY_S,
        };
        self.send(peer, &refused);
    }

    /// Notes that a user of the relay asks for a topic, which is in memory. Nothing to note where everybody is a user.
    pub(super) fn host(&mut self, now_s: u64, id: TopicId, rows: &dyn Rows) -> Result<(), RowsError> {
        let Some(topic) = self.topics.get(&id) else {
            return Ok(());
        };
        let noted = topic.kept && topic.row.hosted_s > 0 && topic.row.hosted_s.saturating_add(DAY_S) > now_s;
        let has_room = topic.kept || self.totals.topics < self.config.topics;
        if self.is_open() || self.read_only || noted || !has_room {
            return Ok(());
        }
        self.found(id);
        self.touch(id);
        let retention_s = u64::from(self.config.retention_s).max(1);
        let Some(topic) = self.topics.get_mut(&id) else {
            return Ok(());
        };
        topic.row.hosted_s = now_s.max(1);
        if topic.row.base.position == topic.row.head.position && topic.row.drop_at_s == 0 {
            topic.row.drop_at_s = now_s.saturating_add(retention_s);
            topic.expect(id, topic.row.drop_at_s, None, rows, &mut self.damage)?;
        }
        Ok(())
    }

    pub(super) fn watch(
        &mut self,
        now_s: u64,
        peer: TransportKey,
        watch: Watch,
        rows: &dyn Rows,
    ) -> Result<(), RowsError> {
        let request = watch.request;
        let admitted = self.admitted(&peer);
        if !self.has_room(&peer, &watch, admitted) {
            let why = if admitted { Refusal::Busy } else { Refusal::NotAdmitted };
            self.refuse_watch(peer, request, why, RETRY_S);
            return Ok(());
        }
        for (id, cursor) in watch.topics {
            match self.watch_one(peer, id, cursor, rows) {
                Err(_) if self.read_only => {
                    self.refuse_watch(peer, request, Refusal::ReadOnly, RETRY_S);
                    return Ok(());
                }
                watched => watched?,
            }
            if admitted {
                self.host(now_s, id, rows)?;
            } else if !self.is_hosted(&id) && self.peers.get(&peer).is_some_and(|state| !state.told_guest) {
                self.tell_guest(peer);
            }
        }
        Ok(())
    }

    fn has_room(&self, peer: &TransportKey, watch: &Watch, admitted: bool) -> bool {
        let RelayConfig {
            watches_per_peer,
            watches_per_guest,
            watches,
            ..
        } = self.config;
        let most = if admitted { watches_per_peer } else { watches_per_guest };
        self.peers.get(peer).is_some_and(|state| {
            let asked: BTreeSet<_> = watch.topics.iter().map(|(topic, _)| *topic).collect();
            let fresh = asked.iter().filter(|topic| !state.watches.contains_key(topic)).count();
            state.watches.len() + fresh <= most && self.watches + fresh <= watches
        })
    }

    pub(super) fn refuse_watch(&mut self, peer: TransportKey, request: u64, why: Refusal, retry_after_s: u32) {
        *self.stats.watches_refused.entry(why.name()).or_default() += 1;
        let refused = CustodianFrame::WatchRefused {
            request,
            why,
            retry_after_s,
        };
        self.send(peer, &refused);
    }

    fn watch_one(
        &mut self,
        peer: TransportKey,
        id: TopicId,
        cursor: Option<Cursor>,
        rows: &dyn Rows,
    ) -> Result<(), RowsError> {
        let topic = self.topics.load(id, rows, &self.config, &mut self.damage)?;
        let (at, void) = start_of(topic, cursor, self.epoch, rows)?;
        #[cfg(feature = "sim")]
        let (at, void) = match cursor.filter(|_| self.config.cursor_unhashed) {
            Some(cursor) if cursor.position <= topic.flushed.position => (
                Head {
                    position: cursor.position,
                    hash: cursor.hash,
                },
                false,
            ),
            _ => (at, void),
        };
        topic.watchers.insert(peer);
        let Some(state) = self.peers.get_mut(&peer) else {
            return Ok(());
        };
        let queued = state.watches.get(&id).is_some_and(|old| old.queued);
        let watching = Watching {
            at,
            void,
            told: false,
            queued,
        };
        if state.watches.insert(id, watching).is_none() {
            self.watches += 1;
        }
        self.wake(peer, id);
        Ok(())
    }

    pub(super) fn unwatch(&mut self, peer: TransportKey, topics: &[TopicId]) {
        let Some(state) = self.peers.get_mut(&peer) else {
            return;
        };
        let topics: BTreeSet<_> = topics.iter().copied().collect();
        state.ready.retain(|topic| !topics.contains(topic));
        for id in topics {
            if state.watches.remove(&id).is_none() {
                continue;
            }
            self.watches = self.watches.saturating_sub(1);
            self.meetings.leave(self.epoch, &peer, &id);
            if let Some(topic) = self.topics.get_mut(&id) {
                topic.watchers.remove(&peer);
            }
        }
    }
}

/// Where a reader begins, and whether its cursor is void.
///
/// A cursor from before the base can't be compared any more; all that it may have missed is gone or still to come.
fn start_of(topic: &Topic, cursor: Option<Cursor>, epoch: u64, rows: &dyn Rows) -> Result<(Head, bool), RowsError> {
    let oldest = topic.row.base;
    let Some(cursor) = cursor else {
        return Ok((oldest, false));
    };
    let claimed = Head {
        position: cursor.position,
        hash: cursor.hash,
    };
    if cursor.epoch != epoch || claimed.position > topic.flushed.position {
        return Ok((oldest, true));
    }
    if claimed.position < oldest.position {
        return Ok((oldest, false));
    }
    let is_ours = if claimed.position == topic.flushed.position {
        claimed == topic.flushed
    } else if claimed.position == oldest.position {
        claimed == oldest
    } else {
        let key = stored::log_key(topic.row.number, claimed.position);
        match damage::look(rows, Tree::RelayLog, &key)? {
            Found::Whole(value) => LogRow::decode(&value).is_some_and(|row| row.hash == claimed.hash),
            Found::Absent | Found::Damaged => false,
        }
    };
    Ok(if is_ours { (claimed, false) } else { (oldest, true) })
}
