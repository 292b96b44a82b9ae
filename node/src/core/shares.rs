//! Cards that apps and pages offer: how they are read, sent and shown, and how many an app may send.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use madang_protocol::client::history::{self, LedgerView};
use madang_protocol::client::{Command, Content, Reply, ShareContent};
use madang_protocol::keys;
use madang_protocol::message::Shared;
use madang_protocol::rows::{Batch, Rows, RowsError, Tree};
use madang_protocol::share::{self, By, Language, Origin, ShareError, SharedCard, View};
use madang_protocol::wire::Wire as _;

use super::api::{Facade, other_said};
use super::claims::{domains, proven};
use super::engine::Ask;
use super::feedback::SentRow;
use super::manifests::is_outdated;
use super::show::{attachment, ledger};
use crate::clock::now_ms;
use crate::random::random;
use crate::rpc::api::ApiResult;
use crate::rpc::error::ApiError;
use crate::rpc::limits::{RATE_MS, RATE_OF_APP, RATE_OF_CHAT, RATE_OF_PAIR};
use crate::rpc::params::{CardText, HeldCard, ShareLanguage, SharePreviewParams, ShareSendParams};
use crate::rpc::types::*;

/// Where the secret is of which the names of chats are made that apps are told.
const SECRET: &[u8] = b"secret";

/// Cards that were sent of late, for the limits of apps.
#[derive(Debug, Default)]
pub(super) struct Rates(Mutex<VecDeque<(u64, AppKey, ChatId)>>);

impl Rates {
    /// Counts a card of an app for some chats, or says when it may be sent.
    fn count(&self, now_ms: u64, app: AppKey, chats: &[ChatId]) -> ApiResult<()> {
        let mut sent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while sent
            .front()
            .is_some_and(|(at, ..)| at.saturating_add(RATE_MS) <= now_ms)
        {
            sent.pop_front();
        }
        let full = |what, limit: usize, more: usize, counts: &dyn Fn(&(u64, AppKey, ChatId)) -> bool| {
            let times: Vec<u64> = sent.iter().filter(|one| counts(one)).map(|(at, ..)| *at).collect();
            // Room is there once so many of the oldest have gone.
            let over = (times.len() + more).checked_sub(limit).filter(|over| *over > 0)?;
            let at = times.get(over - 1).or(times.last()).copied().unwrap_or(now_ms);
            Some(ApiError::RateLimited {
                what,
                limit: limit as u64,
                retry_after_ms: at.saturating_add(RATE_MS).saturating_sub(now_ms),
            })
        };
        let of_app = full("cards of an app", RATE_OF_APP, chats.len(), &|(_, other, _)| {
            *other == app
        });
        let refused = of_app.or_else(|| {
            chats.iter().find_map(|chat| {
                full("cards of an app to a chat", RATE_OF_PAIR, 1, &|(_, other, to)| {
                    *other == app && to == chat
                })
                .or_else(|| full("cards of apps to a chat", RATE_OF_CHAT, 1, &|(_, _, to)| to == chat))
            })
        });
        match refused {
            Some(refused) => Err(refused),
            None => {
                sent.extend(chats.iter().map(|chat| (now_ms, app, *chat)));
                Ok(())
            }
        }
    }
}

/// Reads a card that is to be sent now. If nobody signed it, it is the page's from which it comes.
pub(super) fn read(card: &CardText, origin: Option<String>) -> ApiResult<SharedCard> {
    let text = card.0.as_str();
    let mut card = if text.starts_with('{') {
        SharedCard::from_json(text.as_bytes())
    } else {
        SharedCard::from_link(text)
    }
    .map_err(refused)?;
    if !matches!(card.by, By::App { .. }) {
        let origin = origin.map(Origin::new).transpose().map_err(refused)?;
        card.by = origin.map_or(By::Nobody, By::Page);
    }
    card.verify().map_err(refused)?;
    card.share.at(now_ms() / 1000).map_err(refused)?;
    Ok(card)
}

fn refused(error: ShareError) -> ApiError {
    let field = error.path().to_owned();
    let text = error.to_string();
    let reason = text.strip_prefix(&format!("{field}: ")).unwrap_or(&text).to_owned();
    ApiError::invalid(field, reason)
}

/// Who stands for a card.
pub(super) fn by(rows: &dyn Rows, card: &SharedCard) -> Result<ShareBy, RowsError> {
    Ok(match &card.by {
        By::Nobody => ShareBy::Nobody,
        By::Page(origin) => ShareBy::Page {
            origin: origin.to_string(),
        },
        By::App { manifest, .. } => ShareBy::App {
            app: ShareAppId(manifest.app().0),
            name: manifest.manifest().name.to_string(),
            domains: domains(rows, manifest)?,
            outdated: is_outdated(rows, manifest)?,
        },
    })
}

/// A card as it is shown.
pub(super) fn shown(rows: &dyn Rows, shared: Shared) -> Result<ShareCard, RowsError> {
    let pictures = shared.pictures.into_iter().map(|picture| SharePicture {
        place: picture.place,
        file: attachment(picture.file).0,
    });
    Ok(ShareCard {
        pictures: pictures.collect(),
        ..shown_card(rows, &shared.card)?
    })
}

fn shown_card(rows: &dyn Rows, card: &SharedCard) -> Result<ShareCard, RowsError> {
    Ok(ShareCard {
        template: card.share.card().template.name().to_owned(),
        // What is in one way of writing it can be read.
        share: serde_json::from_str(card.share.canonical()).unwrap_or_default(),
        by: by(rows, card)?,
        fallback: card.share.fallback(),
        pictures: Vec::new(),
    })
}

impl Facade {
    /// `share.validate`.
    pub(super) async fn check_card(&self, card: &CardText, origin: Option<String>) -> ApiResult<ShareChecked> {
        let card = read(card, origin)?;
        let ends = card.share.card().expires_s;
        Ok(ShareChecked {
            length_bytes: card.encode().len() as u64,
            expires_ms: ends.map(|ends| ends.unsigned().saturating_mul(1000)),
            by: self.read(move |rows| by(rows, &card)).await?,
        })
    }

    /// `share.preview`.
    pub(super) async fn preview_card(
        &self,
        params: SharePreviewParams,
        origin: Option<String>,
    ) -> ApiResult<SharePreview> {
        let card = read(&params.card, origin)?;
        let asked = card.clone();
        let proven: Vec<String> = self.read(move |rows| proven(rows, &asked)).await?.into_iter().collect();
        let view = View {
            language: match params.lang {
                ShareLanguage::En => Language::English,
                ShareLanguage::Ko => Language::Korean,
            },
            now_s: now_ms() / 1000,
            resolved: None,
            proven: &proven,
            pictures: &BTreeMap::new(),
        };
        Ok(SharePreview {
            text: share::text(&card, &view),
            html: share::html(&card, &view),
        })
    }

    /// A card as a chat would show it.
    pub(super) async fn show_card(&self, card: &CardText, origin: Option<String>) -> ApiResult<ShareCard> {
        let card = read(card, origin)?;
        self.read(move |rows| shown_card(rows, &card)).await
    }

    /// The card in a message, which is to be sent on.
    pub(super) async fn held_card(&self, message: MessageId) -> ApiResult<HeldCard> {
        let card = self.card(message).await?.card;
        let origin = match &card.by {
            By::Page(origin) => Some(origin.to_string()),
            By::App { .. } | By::Nobody => None,
        };
        Ok(HeldCard {
            card: CardText(card.to_json()),
            origin,
        })
    }

    /// Counts a card of an app that sends by the user's grant; what the user confirms isn't counted.
    pub(super) fn count_card(&self, app: Option<AppKey>, chats: &[ChatId]) -> ApiResult<()> {
        match app {
            Some(app) => self.rates.count(now_ms(), app, chats),
            None => Ok(()),
        }
    }

    /// Sends a card to chats, after all of them were looked at.
    pub(super) async fn send_card(
        &self,
        app: Option<AppKey>,
        origin: Option<String>,
        params: ShareSendParams,
    ) -> ApiResult<SharesSent> {
        let card = read(&params.card, origin.clone())?;
        let (pictures, left_out) = self.pictures_of(&card, &params.idempotency_key).await?;
        let name = Asker { app, origin };
        let secret = self.pseudonym_secret().await?;
        let mut chats = Vec::new();
        for (at, chat) in params.chats.iter().enumerate() {
            let id = keys::ChatId(chat.0);
            let found = self.read(move |rows| history::chat(rows, &id)).await?;
            let found = found.filter(|chat| chat.member);
            let found = found.ok_or_else(|| ApiError::invalid(format!("chats[{at}]"), "is no chat of this account"))?;
            let kind = match found.peer {
                Some(_) => PseudonymKind::Direct,
                None => PseudonymKind::Group,
            };
            chats.push((*chat, name.pseudonym(&secret, chat, kind)));
        }
        let (mut items, mut told, before) = (Vec::new(), Vec::new(), self.before_cards());
        for (chat, to) in chats {
            let pictures = self.copies(&card, &params.idempotency_key, chat, &pictures).await?;
            let command = Command::Send {
                chat: keys::ChatId(chat.0),
                content: Content::Share(Box::new(ShareContent {
                    card: card.clone(),
                    pictures,
                })),
                idempotency_key: Some(params.idempotency_key.clone() + &chat.to_string()),
            };
            let (message, view) = match self.command(command).await? {
                Reply::Sent(id) => (id, LedgerView::default()),
                Reply::Repeated(id) => {
                    let stored = self.read(move |rows| history::message(rows, &id)).await?;
                    (id, stored.and_then(|message| message.ledger).unwrap_or_default())
                }
                _ => return Err(other_said()),
            };
            let sent = SentRow {
                at_ms: now_ms(),
                app,
                key: card.share.card().key.as_ref().map(ToString::to_string),
                to: to.clone(),
                arrived: false,
            };
            told.push((message, sent));
            items.push(ShareSent {
                chat,
                message: MessageId(message.0),
                ledger: ledger(view),
                to,
            });
        }
        self.note_manifest(&card).await?;
        self.cards_sent(before, told).await?;
        Ok(SharesSent { items, left_out })
    }

    /// What the names of chats are made of that apps are told.
    async fn pseudonym_secret(&self) -> ApiResult<[u8; 32]> {
        if let Some(secret) = self.read(|rows| secret(rows)).await? {
            return Ok(secret);
        }
        let mut batch = Batch::default();
        batch.put(Tree::AppCards, SECRET, *random::<32>()?);
        self.ask(|kept| Ask::Keep(batch, kept)).await?;
        // Of two that are made at once the one that stands counts.
        self.read(|rows| secret(rows)).await?.ok_or_else(other_said)
    }
}

fn secret(rows: &dyn Rows) -> Result<Option<[u8; 32]>, RowsError> {
    let stored = rows.get(Tree::AppCards, SECRET)?;
    Ok(stored.and_then(|secret| secret.try_into().ok()))
}

/// Who is told of a card.
struct Asker {
    app: Option<AppKey>,
    origin: Option<String>,
}

impl Asker {
    /// What a chat is called to it: by a secret of its own, so that two don't find that they mean the same chat.
    fn pseudonym(&self, secret: &[u8; 32], chat: &ChatId, kind: PseudonymKind) -> Pseudonym {
        let mut own = blake3::Hasher::new_derive_key("madang 1 app's names of chats");
        own.update(secret);
        match (&self.app, &self.origin) {
            (Some(app), _) => own.update(b"app").update(&app.0),
            (None, Some(origin)) => own.update(b"page").update(origin.as_bytes()),
            (None, None) => own.update(b"owner"),
        };
        let name = blake3::keyed_hash(own.finalize().as_bytes(), &chat.0);
        let (short, _) = name.as_bytes().split_at(16);
        Pseudonym {
            pseudonym: hex::encode(short),
            kind,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_app_sends_only_so_many_cards_in_a_minute_and_is_told_when_there_is_room() {
        let (rates, app, other) = (Rates::default(), AppKey([1; 32]), AppKey([2; 32]));
        let chat = |byte| ChatId([byte; 32]);
        for at in 0..RATE_OF_PAIR as u64 {
            rates.count(at, app, &[chat(1)]).unwrap();
        }
        let refused = rates.count(100, app, &[chat(1)]).unwrap_err();
        let expected = ApiError::RateLimited {
            what: "cards of an app to a chat",
            limit: RATE_OF_PAIR as u64,
            retry_after_ms: RATE_MS - 100,
        };
        assert_eq!(refused, expected);
        rates.count(100, app, &[chat(2)]).unwrap();
        // Other apps fill the chat's own measure.
        for byte in 0..2 {
            for _ in 0..RATE_OF_PAIR {
                rates.count(100, AppKey([10 + byte; 32]), &[chat(1)]).unwrap();
            }
        }
        let refused = rates.count(100, other, &[chat(1)]).unwrap_err();
        assert!(matches!(
            refused,
            ApiError::RateLimited {
                what: "cards of apps to a chat",
                ..
            }
        ));
        rates.count(RATE_MS, app, &[chat(1)]).unwrap();
    }

    #[test]
    fn a_chat_has_another_name_for_each_app_and_page_and_the_same_each_time() {
        let name = |app: Option<u8>, origin: Option<&str>, chat| {
            let asker = Asker {
                app: app.map(|byte| AppKey([byte; 32])),
                origin: origin.map(str::to_owned),
            };
            asker
                .pseudonym(&[9; 32], &ChatId([chat; 32]), PseudonymKind::Direct)
                .pseudonym
        };
        let one = name(Some(1), None, 1);
        assert_eq!(one, name(Some(1), Some("https://shop.example"), 1));
        for other in [
            name(Some(2), None, 1),
            name(Some(1), None, 2),
            name(None, Some("https://shop.example"), 1),
            name(None, None, 1),
        ] {
            assert_ne!(one, other);
        }
    }
}
