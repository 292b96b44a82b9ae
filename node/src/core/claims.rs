//! Whether the domains that an app names vouch for it: what they were asked, and what they said.
//!
//! A domain learns that somebody here wonders, and from where. So none is asked before the user acts: asks about the card, or opens it
//! where that leads to the app or a page anyway.

use std::collections::BTreeSet;

use madang_protocol::channel::Vouch;
use madang_protocol::keys::AppId;
use madang_protocol::rows::{Batch, Rows, RowsError};
use madang_protocol::share::{Action, SharedCard, SignedManifest};
use madang_protocol::wire::Wire as _;
use serde::{Deserialize, Serialize};

use super::api::Facade;
use super::cards::DOMAINS;
use super::engine::Ask;
use super::opens::{platform, tapped};
use crate::clock::now_ms;
use crate::rpc::api::ApiResult;
use crate::rpc::error::ApiError;
use crate::rpc::limits::{DOMAIN_AGAIN_MS, DOMAIN_PROOF_MS, DOMAIN_RETRY_MS};
use crate::rpc::params::ShareOpenParams;
use crate::rpc::types::*;

/// What is known of a domain's word for an app.
#[derive(Serialize, Deserialize)]
struct DomainRow {
    /// When it was asked last.
    at_ms: u64,
    /// When it vouched last, unless it was asked since and doesn't.
    proved_ms: Option<u64>,
}

fn key(app: AppId, domain: &str) -> Vec<u8> {
    [app.0.as_slice(), domain.as_bytes()].concat()
}

impl DomainRow {
    /// Whether it is to be asked again.
    fn is_due(&self, now_ms: u64) -> bool {
        let pause = if self.proved_ms == Some(self.at_ms) {
            DOMAIN_AGAIN_MS
        } else {
            DOMAIN_RETRY_MS
        };
        // A clock that went back makes it due as well.
        now_ms.abs_diff(self.at_ms) >= pause
    }
}

/// The domains that an app names, and which of them have vouched for it of late.
pub(super) fn domains(rows: &dyn Rows, manifest: &SignedManifest) -> Result<Vec<ShareDomain>, RowsError> {
    let (app, now_ms) = (manifest.app(), now_ms());
    let named = manifest.manifest().domains.iter();
    named
        .map(|domain| {
            let known: Option<DomainRow> = DOMAINS.get(rows, &key(app, domain))?;
            let fresh = |proved_ms: &u64| now_ms.saturating_sub(*proved_ms) < DOMAIN_PROOF_MS;
            Ok(ShareDomain {
                domain: domain.to_string(),
                proved_ms: known.and_then(|row| row.proved_ms).filter(fresh),
            })
        })
        .collect()
}

/// Those that have vouched.
pub(super) fn proven(rows: &dyn Rows, card: &SharedCard) -> Result<BTreeSet<String>, RowsError> {
    let Some(manifest) = card.manifest() else {
        return Ok(BTreeSet::new());
    };
    let named = domains(rows, manifest)?.into_iter();
    Ok(named
        .filter(|named| named.proved_ms.is_some())
        .map(|named| named.domain)
        .collect())
}

/// Those that may be asked now.
fn due(rows: &dyn Rows, manifest: &SignedManifest) -> Result<Vec<String>, RowsError> {
    let (app, now_ms) = (manifest.app(), now_ms());
    let mut due = Vec::new();
    for domain in manifest.manifest().domains.iter() {
        let known: Option<DomainRow> = DOMAINS.get(rows, &key(app, domain))?;
        if known.is_none_or(|row| row.is_due(now_ms)) {
            due.push(domain.to_string());
        }
    }
    Ok(due)
}

/// Whether a tap leads out of this node: to the app, or to a page.
fn leads_out(action: &Action) -> bool {
    match action {
        Action::VerifiedLink { .. } | Action::Scheme { .. } | Action::Install { .. } => true,
        Action::Web { url } => url.starts_with("http"),
        Action::Handler { .. }
        | Action::Reply { .. }
        | Action::Copy { .. }
        | Action::Follow { .. }
        | Action::Postback { .. }
        | Action::Share
        | Action::None { .. } => false,
    }
}

impl Facade {
    /// For `share.prove`: all domains that the app of a card names.
    pub(super) async fn named_domains(&self, id: MessageId) -> ApiResult<Vec<String>> {
        let found = self.card(id).await?;
        let named = found.card.manifest().map(|manifest| manifest.manifest().domains.iter());
        Ok(named.into_iter().flatten().map(ToString::to_string).collect())
    }

    /// For `share.open`: the domains that are to be asked before, since the tap leads to the app or a page anyway.
    pub(super) async fn domains_before(&self, params: &ShareOpenParams) -> ApiResult<Vec<String>> {
        let found = self.card(params.message).await?;
        let Some(manifest) = found.card.manifest().cloned() else {
            return Ok(Vec::new());
        };
        let registered = self.is_registered(&found.card).await?;
        let platform = platform(params, registered, BTreeSet::new());
        let action = tapped(&found.card, params.button.as_deref(), &platform)?;
        if found.card.share.has_expired(now_ms() / 1000) || !leads_out(&action) {
            return Ok(Vec::new());
        }
        self.read(move |rows| due(rows, &manifest)).await
    }

    /// Keeps what domains said of the app of a card; nothing is one that can't be reached.
    pub(super) async fn keep_proofs(&self, id: MessageId, answers: DomainAnswers) -> ApiResult<ShareBy> {
        let card = self.card(id).await?.card;
        self.note_manifest(&card).await?;
        if let (Some(manifest), false) = (card.manifest(), answers.is_empty()) {
            let (app, now_ms) = (manifest.app(), now_ms());
            let vouches = |domain: &str, texts: &[Vec<u8>]| {
                let mut read = texts.iter().filter_map(|text| Vouch::decode(text).ok());
                read.any(|vouch| vouch.verify_app(app, domain).is_ok())
            };
            let said: Vec<(String, Option<bool>)> = answers
                .into_iter()
                .map(|(domain, answer)| {
                    let said = answer.map(|texts| vouches(&domain, &texts));
                    (domain, said)
                })
                .collect();
            let batch = self
                .read(move |rows| {
                    let mut batch = Batch::default();
                    DOMAINS.make_room(rows, said.len(), &mut batch)?;
                    for (domain, said) in said {
                        let key = key(app, &domain);
                        let known: Option<DomainRow> = DOMAINS.get(rows, &key)?;
                        let proved_ms = match said {
                            Some(true) => Some(now_ms),
                            Some(false) => None,
                            None => known.and_then(|row| row.proved_ms),
                        };
                        let row = DomainRow {
                            at_ms: now_ms,
                            proved_ms,
                        };
                        DOMAINS.put(&key, &row, &mut batch)?;
                    }
                    Ok(batch)
                })
                .await?;
            self.ask(|kept| Ask::Keep(batch, kept)).await?;
        }
        self.read(move |rows| super::shares::by(rows, &card)).await
    }
}

/// Requires that the app of a card names a domain.
pub(super) fn some_named(named: &[String]) -> ApiResult<()> {
    if named.is_empty() {
        return Err(ApiError::invalid(
            "message",
            "has a card whose app names no domain, or that no app signed",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_that_vouched_is_left_alone_for_a_day_and_one_that_did_not_for_some_minutes() {
        let row = |proved_ms| DomainRow {
            at_ms: 1_000,
            proved_ms,
        };
        for (row, pause) in [
            (row(Some(1_000)), DOMAIN_AGAIN_MS),
            (row(None), DOMAIN_RETRY_MS),
            // It vouched once, and couldn't be reached when it was asked last.
            (row(Some(900)), DOMAIN_RETRY_MS),
        ] {
            assert!(!row.is_due(1_000) && !row.is_due(999 + pause));
            assert!(row.is_due(1_000 + pause));
        }
    }
}
