//! A clock that was turned back: nothing may wait for a time that was never real (FAULTS 24).

use super::Client;

/// The longest that a custodian's request for patience is kept across such a turn, in milliseconds (guess: what relays ask for).
const PATIENCE_MS: u64 = 60_000;

impl Client {
    /// Notes the time of an input. If it is before that of the last one, or of what the rows tell, everything that waits for a time
    /// waits no longer than it would from now on.
    pub(super) fn keep_time(&mut self, now_ms: u64) {
        let before_ms = std::mem::replace(&mut self.last_ms, now_ms);
        self.watch_clock(before_ms, now_ms);
        if now_ms >= before_ms {
            return;
        }
        self.expiry.clock_turned();
        self.trust.clock_turned(now_ms);
        let config = &self.config;
        let within = |at_ms: u64, wait_ms: u64| at_ms.min(now_ms.saturating_add(wait_ms));
        for chat in self.chats.values_mut() {
            chat.report_due_ms = chat
                .report_due_ms
                .map(|due| within(due, config.repeat_delay_ms.max(config.report_delay_ms)));
            let nudge_ms = config.nudge_ms.saturating_mul(1 << chat.nudges);
            chat.nudge_ms = chat.nudge_ms.map(|due| within(due, nudge_ms));
            chat.retry_ms = chat.retry_ms.map(|due| within(due, config.rejoin_ms));
            chat.throttle.due_ms = chat
                .throttle
                .due_ms
                .map(|due| within(due, crate::limits::COMMIT_INTERVAL_MS));
            chat.rejoin_ms = chat.rejoin_ms.map(|due| within(due, config.rejoin_ms));
            chat.gaps.clock_turned(now_ms);
            let stamps = chat.row.nodes.iter_mut().map(|known| &mut known.since_ms);
            for stamp in stamps.chain([&mut chat.row.leaf_updated_ms]) {
                if *stamp > now_ms {
                    *stamp = now_ms;
                    chat.row_dirty = true;
                    self.dirty.chats.insert(chat.id);
                }
            }
        }
        for link in self.links.values_mut() {
            link.retry_at_ms = within(link.retry_at_ms, config.dial_backoff_ms.1);
            link.refused_until_ms = within(link.refused_until_ms, PATIENCE_MS);
            for parked in link.parked.values_mut() {
                parked.until_ms = within(parked.until_ms, PATIENCE_MS);
            }
            link.opened_ms = link.opened_ms.min(now_ms);
            link.audit.clock_turned(now_ms);
            link.due_ms = link.due_ms.map(|due| within(due, 0));
            link.hello_ms = link.hello_ms.map(|due| within(due, link.hello_wait_ms));
        }
        for out in self.outs.values_mut() {
            out.direct_after_ms = within(out.direct_after_ms, config.direct_grace_ms);
        }
        for acceptance in self.accepting.values_mut() {
            acceptance.until_ms = within(acceptance.until_ms, config.accept_ms);
        }
    }
}
