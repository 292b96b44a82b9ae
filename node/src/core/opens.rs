//! Cards that came: what a tap on them does here, the apps that are handed them, and what is told to the apps that sent some.

use std::collections::{BTreeMap, BTreeSet};

use madang_protocol::client::history;
use madang_protocol::keys;
use madang_protocol::message::{Body, CardDeed};
use madang_protocol::rows::{Batch, Rows, RowsError};
use madang_protocol::share::{self, Action, Device, NoAction, Os, Platform, SharedCard, resolve};
use serde::{Deserialize, Serialize};

use super::api::Facade;
use super::apps::Apps;
use super::cards::HANDED;
use super::claims::proven;
use super::engine::Ask;
use crate::clock::now_ms;
use crate::rpc::api::ApiResult;
use crate::rpc::error::ApiError;
use crate::rpc::params::ShareOpenParams;
use crate::rpc::types::*;

/// What the manifest of an app names that wants to learn that its cards are opened.
const WANTS_OPENED: &str = "share.opened";

/// What of a card an app was handed. The card itself is the message's.
#[derive(Serialize, Deserialize)]
struct HandedRow {
    #[serde(default)]
    at_ms: u64,
    message: MessageId,
    button: Option<String>,
    params: BTreeMap<String, String>,
}

/// A card that came, or was sent.
pub(super) struct Found {
    pub chat: keys::ChatId,
    pub card: SharedCard,
    pub outgoing: bool,
    /// Its pictures by their places: their files, and how long these are.
    pub pictures: BTreeMap<u8, (BlobId, u64)>,
}

fn found(rows: &dyn Rows, id: &keys::MessageId) -> Result<Option<Found>, RowsError> {
    let view = history::message(rows, id)?.filter(|view| !view.deleted);
    Ok(view.and_then(|view| match view.body {
        Body::Share(shared) => Some(Found {
            chat: view.chat,
            pictures: shared
                .pictures
                .iter()
                .map(|picture| {
                    (
                        picture.place,
                        (BlobId(picture.file.blob.id.0), picture.file.blob.length_bytes),
                    )
                })
                .collect(),
            card: shared.card,
            outgoing: view.outgoing,
        }),
        _ => None,
    }))
}

/// Whether an app that the user has let in handles the cards of this one.
fn is_handled(rows: &dyn Rows, app: &ShareAppId) -> Result<bool, RowsError> {
    Ok(Apps::load(rows)?.grants().any(now_ms(), |grant| grant.handles(app)))
}

/// What a tap does, as the protocol says it.
pub(super) fn tapped(card: &SharedCard, button: Option<&str>, platform: &Platform) -> ApiResult<Action> {
    let resolved = resolve(card, platform, now_ms() / 1000)
        .map_err(|_| ApiError::invalid("message", "has a card whose signature doesn't hold"))?;
    let Some(path) = button else {
        return Ok(resolved.body);
    };
    let mut buttons = resolved.buttons.into_iter();
    let of_button = buttons.find(|(own, _)| own == path).map(|(_, action)| action);
    let mut parts = resolved.parts;
    of_button
        .or_else(|| parts.remove(path))
        .ok_or(ApiError::NotFound { field: "button" })
}

fn own_os() -> Os {
    match std::env::consts::OS {
        "android" => Os::Android,
        "ios" => Os::Ios,
        "macos" => Os::Macos,
        "windows" => Os::Windows,
        _ => Os::Linux,
    }
}

pub(super) fn platform(params: &ShareOpenParams, registered: bool, proven: BTreeSet<String>) -> Platform {
    let os = params.os.map(|os| match os {
        ShareOs::Android => Os::Android,
        ShareOs::Ios => Os::Ios,
        ShareOs::Linux => Os::Linux,
        ShareOs::Macos => Os::Macos,
        ShareOs::Windows => Os::Windows,
    });
    Platform {
        os: os.unwrap_or_else(own_os),
        device: match params.device {
            Some(ShareDevice::Phone) => Device::Phone,
            Some(ShareDevice::Tablet) => Device::Tablet,
            Some(ShareDevice::Desktop) | None => Device::Desktop,
        },
        registered,
        schemes: params.schemes.iter().cloned().collect(),
        proven,
    }
}

fn shown(action: Action) -> ShareAction {
    match action {
        Action::Handler { params } => ShareAction::Handler { params },
        Action::VerifiedLink { url } => ShareAction::VerifiedLink { url },
        Action::Scheme { url } => ShareAction::Scheme { url },
        Action::Install { url } => ShareAction::Install { url },
        Action::Web { url } => ShareAction::Web { url },
        Action::Reply { text } => ShareAction::Reply { text },
        Action::Copy { text } => ShareAction::Copy { text },
        Action::Follow { channel } => ShareAction::Follow { channel },
        Action::Postback { data } => ShareAction::Postback { data },
        Action::Share => ShareAction::Share,
        Action::None { reason } => ShareAction::None {
            reason: match reason {
                NoAction::Unsigned => NoShareAction::Unsigned,
                NoAction::Expired => NoShareAction::Expired,
            },
        },
    }
}

/// The app that signed a card.
pub(super) fn signer(card: &SharedCard) -> Option<ShareAppId> {
    card.manifest().map(|manifest| ShareAppId(manifest.app().0))
}

impl Facade {
    pub(super) async fn card(&self, id: MessageId) -> ApiResult<Found> {
        let found = self.read(move |rows| found(rows, &keys::MessageId(id.0))).await?;
        found.ok_or(ApiError::NotFound { field: "message" })
    }

    /// Whether an app at this node handles a card.
    pub(super) async fn is_registered(&self, card: &SharedCard) -> ApiResult<bool> {
        match signer(card) {
            Some(app) => self.read(move |rows| is_handled(rows, &app)).await,
            None => Ok(false),
        }
    }

    /// `share.open`.
    pub(super) async fn open_card(&self, params: ShareOpenParams) -> ApiResult<ShareOpened> {
        let Found {
            chat, card, outgoing, ..
        } = self.card(params.message).await?;
        self.note_manifest(&card).await?;
        let app = signer(&card);
        let registered = self.is_registered(&card).await?;
        let asked = card.clone();
        let proven = self.read(move |rows| proven(rows, &asked)).await?;
        let action = tapped(&card, params.button.as_deref(), &platform(&params, registered, proven))?;
        if let (Action::Handler { params: given }, Some(app)) = (&action, app) {
            // Two cards of an app with one key are one, and so is what is handed over of them.
            let key = card
                .share
                .card()
                .key
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default();
            let part = params.button.clone().unwrap_or_default();
            let subject = [app.0.as_slice(), key.as_bytes(), &[0], part.as_bytes()].concat();
            let subject = share_subject(&subject);
            let row = HandedRow {
                at_ms: now_ms(),
                message: params.message,
                button: params.button.clone(),
                params: given.clone(),
            };
            let batch = self
                .read(move |rows| {
                    let mut batch = Batch::default();
                    HANDED.make_room(rows, 1, &mut batch)?;
                    HANDED.put(&subject, &row, &mut batch)?;
                    Ok(batch)
                })
                .await?;
            self.ask(|kept| Ask::Tell(batch, vec![subject], kept)).await?;
        }
        let manifest = card.manifest().map(share::SignedManifest::manifest);
        let wants = |manifest: &share::AppManifest| manifest.events.iter().any(|event| &**event == WANTS_OPENED);
        if params.tell && !outgoing && manifest.is_some_and(wants) {
            self.answer_card(chat, params.message, CardDeed::Opened, None).await?;
        }
        Ok(ShareOpened { action: shown(action) })
    }
}

/// What the event that an app was handed a card is about.
fn share_subject(of: &[u8]) -> [u8; 32] {
    blake3::derive_key("madang 1 card handed to an app", of)
}

/// The event that a card was handed to an app; none if that is about something else, or the card is gone.
pub(super) fn handed(rows: &dyn Rows, subject: &[u8; 32]) -> Result<Option<EventKind>, RowsError> {
    let Some(row) = HANDED.get::<HandedRow>(rows, subject)? else {
        return Ok(None);
    };
    let id = keys::MessageId(row.message.0);
    let view = history::message(rows, &id)?.filter(|view| !view.deleted);
    let Some(Body::Share(shared)) = view.map(|view| view.body) else {
        return Ok(None);
    };
    let Some(app) = signer(&shared.card) else {
        return Ok(None);
    };
    Ok(Some(EventKind::SharePayload {
        app,
        message: row.message,
        button: row.button,
        params: row.params,
        card: Box::new(super::shares::shown(rows, *shared)?),
    }))
}
