//! Reports of posts for the operator: what is checked of them before the shell keeps them where the operator reads.

use super::config::{DAY_S, READ_ONLY_RETRY_S, RETRY_S};
use super::{Relay, RelayEffect};
use crate::channel::{Act, Statement};
use crate::custody::frames::{CustodianFrame, Refusal};
use crate::custody::{Reason, Report, Reported};
use crate::envelope::Envelope;
use crate::keys::{ChannelId, EnvelopeId, TransportKey, TransportSecret, derive};
use crate::limits;
use crate::rows::{Rows, RowsError};
use std::collections::{BTreeMap, BTreeSet};

/// Peers whose reports of a day are counted; beyond, the one whose day began first is forgotten (1 MB).
const REPORTERS: usize = 4 * limits::PEERS;

/// How many reports each peer has made today.
#[derive(Debug, Default)]
pub(super) struct Reporters {
    days: BTreeMap<TransportKey, (u64, u32)>,
    by_start: BTreeSet<(u64, TransportKey)>,
}

impl Reporters {
    /// Counts one more; false if it is too much for a day.
    fn may(&mut self, now_s: u64, peer: TransportKey) -> bool {
        let today = |start_s: &u64| start_s.abs_diff(now_s) < DAY_S;
        let (start_s, made) = match self.days.get(&peer) {
            Some((start_s, made)) if today(start_s) => (*start_s, *made),
            _ => (now_s, 0),
        };
        if made >= limits::REPORTS_A_DAY {
            return false;
        }
        if let Some((before, _)) = self.days.insert(peer, (start_s, made + 1)) {
            self.by_start.remove(&(before, peer));
        }
        self.by_start.insert((start_s, peer));
        while self.days.len() > REPORTERS
            && let Some((_, oldest)) = self.by_start.pop_first()
        {
            self.days.remove(&oldest);
        }
        true
    }
}

/// A report that holds: whoever made it is known by a mark that only this relay can make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedReport {
    /// Where.
    pub channel: ChannelId,
    /// Which post.
    pub post: EnvelopeId,
    /// Why.
    pub reason: Reason,
    /// What whoever reports says.
    pub text: String,
    /// The post's envelope, and that of an edit.
    pub envelopes: Vec<Vec<u8>>,
    /// The same for all reports of one peer of this post, and for no others.
    pub mark: u64,
}

impl Relay {
    pub(super) fn report(
        &mut self,
        now_s: u64,
        peer: TransportKey,
        report: Report,
        rows: &dyn Rows,
    ) -> Result<(), RowsError> {
        let request = report.request;
        if self.read_only {
            self.refuse_watch(peer, request, Refusal::ReadOnly, READ_ONLY_RETRY_S);
            return Ok(());
        }
        if self.too_often(now_s, peer, request) {
            return Ok(());
        }
        if !self.reporters.may(now_s, peer) {
            self.refuse_watch(peer, request, Refusal::DepositorQuota, DAY_S as u32);
            return Ok(());
        }
        let Some((channel, post)) = checked(&report.envelopes) else {
            self.penalise(peer, "a report of what no channel has signed");
            self.refuse_watch(peer, request, Refusal::Invalid, 0);
            return Ok(());
        };
        let topic = self
            .topics
            .load(channel.topic(), rows, &self.config, &mut self.damage)?;
        let kept = topic.kept && topic.row.count > 0;
        if !self.may_use(&peer, &channel.topic()) {
            self.refuse_watch(peer, request, Refusal::NotAdmitted, 0);
        } else if !kept {
            self.refuse_watch(peer, request, Refusal::NotFound, RETRY_S);
        } else {
            let report = CheckedReport {
                channel,
                post,
                reason: report.reason,
                text: report.text,
                envelopes: report.envelopes,
                mark: mark(&self.key, &peer, &post),
            };
            self.current.effects.push(RelayEffect::Report {
                peer,
                request,
                report: Box::new(report),
            });
        }
        Ok(())
    }

    /// The shell has kept a report, or not.
    pub(super) fn report_kept(&mut self, peer: TransportKey, request: u64, refused: Option<Refusal>) {
        if !self.peers.contains_key(&peer) {
            return;
        }
        match refused {
            Some(why) => self.refuse_watch(peer, request, why, RETRY_S),
            None => {
                self.stats.reports += 1;
                self.send(peer, &CustodianFrame::Reported(Reported { request }));
            }
        }
    }
}

/// The post that envelopes are of, if they are of one: itself, and what edits it.
fn checked(envelopes: &[Vec<u8>]) -> Option<(ChannelId, EnvelopeId)> {
    let (post, edits) = envelopes.split_first()?;
    let (channel, id, act) = entry(post)?;
    if !matches!(act, Act::Post(_)) {
        return None;
    }
    let edits_it = |envelope: &Vec<u8>| {
        let found = entry(envelope);
        found.is_some_and(|(at, _, act)| at == channel && matches!(act, Act::Edit { target, .. } if target == id))
    };
    edits.iter().all(edits_it).then_some((channel, id))
}

fn entry(envelope: &[u8]) -> Option<(ChannelId, EnvelopeId, Act)> {
    let envelope = Envelope::verify(envelope).ok()?;
    envelope.authority()?;
    match Statement::decode(envelope.body()).ok()? {
        Statement::Entry(entry) => Some((ChannelId(envelope.topic().0), envelope.id(), entry.act)),
        _ => None,
    }
}

/// By what a peer is known among those who reported a post.
fn mark(key: &TransportSecret, peer: &TransportKey, post: &EnvelopeId) -> u64 {
    let bytes = derive("madang 1 relay report", &[key.to_bytes().as_slice(), &peer.0, &post.0]);
    bytes.iter().take(8).fold(0, |mark, byte| mark << 8 | u64::from(*byte))
}
