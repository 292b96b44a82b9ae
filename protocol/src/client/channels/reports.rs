//! Reporting posts to the operators of a channel's relays. A report's row has all that it needs, so that the channel can be blocked in the
//! same step; it waits until each relay has answered, or is given up.

use super::rows::{ReportRow, ReportedRow};
use super::view;
use crate::address::PeerAddress;
use crate::client::io::Side;
use crate::client::records::{decode, encode};
use crate::client::{Client, CommandError, EventRow, Reply, ReportOutcome};
use crate::custody::{ClientFrame, Reason, Refusal, Report, Reported};
use crate::keys::{ChannelId, EnvelopeId, TransportKey};
use crate::limits;
use crate::rows::{Rows, RowsError, Tree};
use crate::wire::Wire;
use std::collections::BTreeMap;

/// Milliseconds that a relay has to answer (guess).
const ANSWER_MS: u64 = 20_000;
/// Milliseconds until a relay that refused, or gave no answer, is asked again, at the least and at the most.
const AGAIN_MS: (u64, u64) = (60_000, 6 * 3_600_000);

/// What is reported, and what of it is under way.
#[derive(Default)]
pub(super) struct Reports {
    /// By post.
    rows: BTreeMap<EnvelopeId, ReportRow>,
    /// Frames under way, and until when there is an answer.
    sent: BTreeMap<(TransportKey, u64), (EnvelopeId, u64)>,
    /// When a relay is sent one again.
    again_ms: BTreeMap<(TransportKey, EnvelopeId), u64>,
}

impl Reports {
    pub fn timer(&self) -> Option<u64> {
        let over = self.rows.values().map(|row| row.until_ms);
        let sent = self.sent.values().map(|(_, until_ms)| *until_ms);
        over.chain(sent).chain(self.again_ms.values().copied()).min()
    }

    /// Relays that haven't answered yet.
    pub fn relays(&self) -> impl Iterator<Item = &PeerAddress> {
        let all = self.rows.values().flat_map(|row| &row.relays);
        all.filter(|at| at.outcome.is_none()).map(|at| &at.relay)
    }

    fn is_sent(&self, relay: TransportKey, post: &EnvelopeId) -> bool {
        let mut sent = self.sent.iter();
        sent.any(|((peer, _), (other, _))| *peer == relay && other == post)
    }
}

impl Client {
    pub(super) fn load_reports(&mut self, rows: &dyn Rows) -> Result<(), RowsError> {
        for (stored, value) in rows.prefix(Tree::ChannelReports, &[], usize::MAX)? {
            if let Ok(post) = stored.try_into() {
                self.channels.reports.rows.insert(EnvelopeId(post), decode(&value)?);
            }
        }
        Ok(())
    }

    pub(super) fn report_post(
        &mut self,
        now_ms: u64,
        (id, post): (ChannelId, EnvelopeId),
        (reason, text): (Reason, String),
        block: bool,
        rows: &dyn Rows,
    ) -> Result<Reply, CommandError> {
        let channel = self.channels.by_id.get(&id).filter(|channel| channel.is_open());
        let channel = channel.ok_or(CommandError::NotFound { field: "channel" })?;
        if channel.row.own.is_some() {
            return Err(super::NOT_FOR_OWN);
        }
        if text.len() > limits::REPORT_TEXT_BYTES {
            return Err(CommandError::TooLarge {
                field: "text",
                found: text.len(),
                limit: limits::REPORT_TEXT_BYTES,
            });
        }
        let found = view::post(rows, &post)?.filter(|found| found.channel == id);
        let found = found.ok_or(CommandError::NotFound { field: "post" })?;
        let known = self.channels.reports.rows.contains_key(&post);
        if !known && self.channels.reports.rows.len() >= limits::REPORTS {
            return Err(CommandError::Limit {
                what: "reports on their way",
                limit: limits::REPORTS,
            });
        }
        let relays: Vec<PeerAddress> = channel.relays().to_vec();
        let keys: Vec<TransportKey> = relays.iter().map(|relay| relay.key).collect();
        if !known {
            let waits = |relay: PeerAddress| ReportedRow { relay, outcome: None };
            let row = ReportRow {
                channel: id,
                reason: reason.code(),
                text,
                envelopes: [found.envelope].into_iter().chain(found.edit).map(Into::into).collect(),
                until_ms: now_ms.saturating_add(limits::REPORT_SECONDS * 1000),
                relays: relays.into_iter().map(waits).collect(),
            };
            self.step.batch.put(Tree::ChannelReports, post.0, encode(&row)?);
            self.channels.reports.rows.insert(post, row);
        }
        self.channels.let_go = true;
        if block {
            self.block_channel(now_ms, id, true, rows)?;
        }
        for relay in &keys {
            self.send_reports(now_ms, *relay);
        }
        Ok(Reply::ReportedTo(keys))
    }

    /// Sends a relay the reports that it hasn't answered.
    pub(in crate::client) fn send_reports(&mut self, now_ms: u64, relay: TransportKey) {
        if !self.links.get(&relay).is_some_and(|link| link.opened && link.relay) {
            return;
        }
        let reports = &self.channels.reports;
        let waits = |row: &ReportRow| {
            let mut relays = row.relays.iter();
            relays.any(|at| at.relay.key == relay && at.outcome.is_none())
        };
        let due = reports.rows.iter().filter(|(post, row)| {
            waits(row) && !reports.is_sent(relay, post) && !reports.again_ms.contains_key(&(relay, **post))
        });
        let due: Vec<(EnvelopeId, Reason, String, Vec<Vec<u8>>)> = due
            .map(|(post, row)| {
                let envelopes = row.envelopes.iter().map(|envelope| envelope.to_vec());
                let reason = Reason::from_code(row.reason);
                (*post, reason, row.text.clone(), envelopes.collect())
            })
            .collect();
        for (post, reason, text, envelopes) in due {
            let Some(link) = self.links.get_mut(&relay) else {
                return;
            };
            let request = link.request();
            let until_ms = now_ms.saturating_add(ANSWER_MS);
            self.channels.reports.sent.insert((relay, request), (post, until_ms));
            let report = Report {
                request,
                reason,
                text,
                envelopes,
            };
            self.send(relay, Side::Client, ClientFrame::Report(report).encode());
        }
    }

    /// A relay keeps a report for its operator.
    pub(in crate::client) fn reported(&mut self, relay: TransportKey, reported: Reported) -> Result<(), RowsError> {
        match self.channels.reports.sent.remove(&(relay, reported.request)) {
            Some((post, _)) => self.settle_report(relay, post, ReportOutcome::Taken),
            None => Ok(()),
        }
    }

    /// A relay refuses; true if that was the answer to a report.
    pub(in crate::client) fn report_refused(
        &mut self,
        now_ms: u64,
        relay: TransportKey,
        request: u64,
        why: Refusal,
        retry_after_s: u32,
    ) -> Result<bool, RowsError> {
        let Some((post, _)) = self.channels.reports.sent.remove(&(relay, request)) else {
            return Ok(false);
        };
        if why.retryable() && why != Refusal::NotHere {
            let (least, most) = AGAIN_MS;
            let wait_ms = u64::from(retry_after_s).saturating_mul(1000).clamp(least, most);
            let at_ms = now_ms.saturating_add(wait_ms);
            self.channels.reports.again_ms.insert((relay, post), at_ms);
            return Ok(true);
        }
        self.settle_report(relay, post, ReportOutcome::Refused(why))?;
        Ok(true)
    }

    /// A relay is done with; once all are, so is the report.
    fn settle_report(
        &mut self,
        relay: TransportKey,
        post: EnvelopeId,
        outcome: ReportOutcome,
    ) -> Result<(), RowsError> {
        let Some(row) = self.channels.reports.rows.get_mut(&post) else {
            return Ok(());
        };
        let waits = |at: &&mut ReportedRow| at.relay.key == relay && at.outcome.is_none();
        let Some(at) = row.relays.iter_mut().find(waits) else {
            return Ok(());
        };
        at.outcome = Some(outcome);
        let (channel, done) = (row.channel, row.relays.iter().all(|at| at.outcome.is_some()));
        if done {
            self.channels.reports.rows.remove(&post);
            self.step.batch.delete(Tree::ChannelReports, post.0);
        } else {
            let row = encode(row)?;
            self.step.batch.put(Tree::ChannelReports, post.0, row);
        }
        self.channels.reports.again_ms.remove(&(relay, post));
        self.event(&EventRow::ChannelReported {
            channel,
            post,
            relay,
            outcome,
        });
        self.channels.let_go = true;
        Ok(())
    }

    /// A relay's stream is gone, and with it what it was sent.
    pub(in crate::client) fn reports_stream_closed(&mut self, relay: TransportKey) {
        let reports = &mut self.channels.reports;
        reports.sent.retain(|(peer, _), _| *peer != relay);
        reports.again_ms.retain(|(peer, _), _| *peer != relay);
    }

    pub(super) fn tick_reports(&mut self, now_ms: u64) -> Result<(), RowsError> {
        let reports = &mut self.channels.reports;
        let late = reports.sent.iter().filter(|(_, (_, until_ms))| *until_ms <= now_ms);
        let late: Vec<(TransportKey, u64)> = late.map(|(place, _)| *place).collect();
        let mut due: Vec<TransportKey> = Vec::new();
        reports.again_ms.retain(|(relay, _), at_ms| {
            due.extend((*at_ms <= now_ms).then_some(*relay));
            *at_ms > now_ms
        });
        for (relay, request) in late {
            // One of an earlier version never answers.
            self.report_refused(now_ms, relay, request, Refusal::Busy, (AGAIN_MS.1 / 1000) as u32)?;
        }
        let over = self
            .channels
            .reports
            .rows
            .iter()
            .filter(|(_, row)| row.until_ms <= now_ms);
        let over: Vec<(EnvelopeId, Vec<TransportKey>)> = over
            .map(|(post, row)| (*post, row.relays.iter().map(|at| at.relay.key).collect()))
            .collect();
        for (post, relays) in over {
            for relay in relays {
                self.settle_report(relay, post, ReportOutcome::GivenUp)?;
            }
        }
        for relay in due {
            self.send_reports(now_ms, relay);
        }
        Ok(())
    }
}
