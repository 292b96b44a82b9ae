//! Figures for who has a channel, or may be told: how many watch it at each of its relays, and to how many these have handed a post.

use super::Channel;
use crate::channel::{Inquiry, Scopes};
use crate::client::io::{Effect, RelayFigures, Side, Untold};
use crate::client::{Client, CommandError, Reply};
use crate::custody::{AskFigures, ClientFrame, Figures, Refusal};
use crate::keys::{ChannelId, EnvelopeId, TransportKey};
use crate::limits;
use crate::wire::Wire;
use std::collections::BTreeMap;

/// Milliseconds that the relays have to answer; older ones know no such question (guess).
const ANSWER_MS: u64 = 10_000;
/// Questions of the user under way (guess: what a person looks at).
const ASKED: usize = 32;

/// Relays are asked for the user.
struct Asking {
    token: u64,
    until_ms: u64,
    /// Who was asked, by which request, until there is an answer.
    waits: BTreeMap<TransportKey, u64>,
    told: Vec<RelayFigures>,
}

/// What relays are asked.
#[derive(Default)]
pub(super) struct Inquiries(Vec<Asking>);

impl Inquiries {
    pub fn timer(&self) -> Option<u64> {
        self.0.iter().map(|asking| asking.until_ms).min()
    }

    /// Notes an answer; false if there was no such question.
    fn note(&mut self, relay: TransportKey, request: u64, told: Result<Figures, Untold>) -> bool {
        let asked = |asking: &&mut Asking| asking.waits.get(&relay) == Some(&request);
        let Some(asking) = self.0.iter_mut().find(asked) else {
            return false;
        };
        asking.waits.remove(&relay);
        asking.told.push(RelayFigures { relay, told });
        true
    }

    /// Ends what somebody waits for.
    fn give_up(&mut self, why: Untold, ended: impl Fn(&Asking, &TransportKey) -> bool) {
        for asking in &mut self.0 {
            let gone = asking.waits.keys().filter(|relay| ended(asking, relay));
            let gone: Vec<TransportKey> = gone.copied().collect();
            for relay in gone {
                asking.waits.remove(&relay);
                let told = Err(why);
                asking.told.push(RelayFigures { relay, told });
            }
        }
    }
}

impl Client {
    pub(super) fn ask_figures(
        &mut self,
        now_ms: u64,
        token: u64,
        id: ChannelId,
        post: Option<EnvelopeId>,
    ) -> Result<Option<Reply>, CommandError> {
        let channel: &Channel = self.channel_mut(&id)?;
        let by = channel.signatory(&id).filter(|by| by.scopes().allow(Scopes::STATS));
        let by = by.ok_or(CommandError::NotAllowed {
            reason: "only the channel's root and writers with the scope `stats` are told figures",
        })?;
        let relays: Vec<TransportKey> = channel.relays().iter().map(|relay| relay.key).collect();
        if self.channels.inquiries.0.len() >= ASKED {
            return Err(CommandError::Limit {
                what: "questions for figures under way",
                limit: ASKED,
            });
        }
        let asker = self.transport();
        let until_s = (now_ms / 1000).saturating_add(limits::FIGURES_SECONDS);
        let mut asking = Asking {
            token,
            until_ms: now_ms.saturating_add(ANSWER_MS),
            waits: BTreeMap::new(),
            told: Vec::new(),
        };
        for relay in relays {
            let open = self.links.get_mut(&relay).filter(|link| link.opened && link.relay);
            let Some(request) = open.map(|link| link.request()) else {
                let told = Err(Untold::Away);
                asking.told.push(RelayFigures { relay, told });
                continue;
            };
            let inquiry = Inquiry::sign(&by, relay, asker, until_s).encode();
            let ask = AskFigures { request, inquiry, post };
            self.send(relay, Side::Client, ClientFrame::AskFigures(ask).encode());
            asking.waits.insert(relay, request);
        }
        self.channels.inquiries.0.push(asking);
        self.answer_inquiries();
        Ok(None)
    }

    /// Answers those for whom no relay is waited any more.
    fn answer_inquiries(&mut self) {
        let (done, waiting) = std::mem::take(&mut self.channels.inquiries.0)
            .into_iter()
            .partition(|asking| asking.waits.is_empty());
        self.channels.inquiries.0 = waiting;
        let done: Vec<Asking> = done;
        for mut asking in done {
            asking.told.sort_by_key(|told| told.relay);
            let (token, result) = (asking.token, Ok(Reply::Figures(asking.told)));
            self.step.effects.push(Effect::Reply { token, result });
        }
    }

    /// A relay tells figures.
    pub(in crate::client) fn figures_told(&mut self, relay: TransportKey, figures: Figures) {
        self.channels.inquiries.note(relay, figures.request, Ok(figures));
        self.answer_inquiries();
    }

    /// A relay refuses; true if that was the answer to one of these questions.
    pub(in crate::client) fn figures_refused(&mut self, relay: TransportKey, request: u64, why: Refusal) -> bool {
        let noted = self.channels.inquiries.note(relay, request, Err(Untold::Refused(why)));
        self.answer_inquiries();
        noted
    }

    /// A relay's stream is gone, and with it what it was asked.
    pub(in crate::client) fn figures_stream_closed(&mut self, relay: TransportKey) {
        self.channels
            .inquiries
            .give_up(Untold::Away, |_, other| *other == relay);
        self.answer_inquiries();
    }

    pub(super) fn tick_inquiries(&mut self, now_ms: u64) {
        let inquiries = &mut self.channels.inquiries;
        inquiries.give_up(Untold::Silent, |asking, _| asking.until_ms <= now_ms);
        self.answer_inquiries();
    }
}
