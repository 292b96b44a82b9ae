//! The core's things as the JSON-RPC shows them.

use data_encoding::BASE64;
use madang_protocol::client::history::{self, LedgerView, MessageView};
use madang_protocol::client::{self, CommandError, EventRow, LedgerState};
use madang_protocol::custody::Refusal;
use madang_protocol::keys::{AccountId, TransportKey};
use madang_protocol::message::{self, Body};
use madang_protocol::rows::{Rows, RowsError};

use super::blobs::blob_state;
use super::channels::{event_evidence, event_post};
use super::names::FileName;
use super::reports::event_report;
use crate::rpc::error::ApiError;
use crate::rpc::types::{self, *};

/// A name, if one was given.
pub(super) fn given(name: &str) -> Option<String> {
    (!name.is_empty()).then(|| name.to_owned())
}

pub(super) fn message(rows: &dyn Rows, view: MessageView) -> Result<Message, RowsError> {
    Ok(Message {
        message: MessageId(view.id.0),
        chat: ChatId(view.chat.0),
        account: view.account.to_string(),
        name: view.name,
        device: DeviceKey(view.stream.device.0),
        outgoing: view.outgoing,
        sent_ms: view.sent_ms,
        received_ms: view.received_ms,
        edited_ms: view.edited_ms,
        reactions: view
            .reactions
            .into_iter()
            .map(|reaction| Reaction {
                emoji: reaction.emoji,
                accounts: names(&reaction.accounts),
            })
            .collect(),
        pinned: view.pinned.map(|pin| Pinned {
            account: pin.account.to_string(),
            at_ms: pin.at_ms,
        }),
        expires_after_s: view.expires_after_s,
        body: match view.body {
            _ if view.deleted => types::Body::Deleted,
            Body::Text(text) => types::Body::Text {
                text,
                reply_to: view.reply_to.map(|message| MessageId(message.0)),
                mentions: view.mentions.iter().map(mention).collect(),
            },
            Body::Poll(poll) => types::Body::Poll {
                question: poll.question,
                options: poll
                    .options
                    .into_iter()
                    .zip(&view.votes)
                    .map(|(text, accounts)| PollOption {
                        text,
                        accounts: names(accounts),
                    })
                    .collect(),
                multiple: poll.multiple,
            },
            Body::Files(files) => files_body(files, view.fallback),
            Body::Share(shared) => types::Body::Share {
                card: Box::new(super::shares::shown(rows, *shared)?),
            },
            Body::Channel(link) => types::Body::Channel {
                channel: ChannelId(link.channel.0),
                link: link.to_link(),
                name: link.name,
            },
            other => types::Body::Unknown {
                code: other.kind().into(),
                fallback: view.fallback,
            },
        },
        ledger: view.ledger.map(ledger),
    })
}

/// Files as they are shown: several as an album.
fn files_body(files: message::Files, fallback: String) -> types::Body {
    let names: Vec<&str> = files.items.iter().map(|item| item.name.as_str()).collect();
    // Without a text the fallback is their names, for programs that know no files.
    let text = if names.join("\n") == fallback {
        String::new()
    } else {
        fallback
    };
    let mut shown: Vec<(Attachment, bool, bool)> = files.items.into_iter().map(attachment).collect();
    match shown.pop() {
        Some((file, is_image, is_voice)) if shown.is_empty() => match (is_image, is_voice) {
            (true, _) => types::Body::Image { file, text },
            (_, true) => types::Body::Voice { file, text },
            _ => types::Body::File { file, text },
        },
        last => types::Body::Album {
            files: shown.into_iter().chain(last).map(|(file, _, _)| file).collect(),
            text,
        },
    }
}

/// A file, whether it is an image, and whether it is a voice note.
pub(super) fn attachment(item: message::Attachment) -> (Attachment, bool, bool) {
    let name = FileName::of(&item.name);
    let bytes = |bytes: &[u8]| (!bytes.is_empty()).then(|| BASE64.encode(bytes));
    let mut file = Attachment {
        blob: BlobId(item.blob.id.0),
        name: name.stored,
        shown_name: name.shown,
        suspicious: name.suspicious,
        media_type: item.media_type,
        length_bytes: item.blob.length_bytes,
        caption: item.caption,
        width: None,
        height: None,
        thumbnail: None,
        preview: None,
        duration_ms: None,
        waveform: None,
    };
    match item.media {
        message::Media::File => (file, false, false),
        message::Media::Image(image) => {
            file.width = Some(image.width);
            file.height = Some(image.height);
            file.thumbnail = bytes(&image.thumbnail);
            file.preview = bytes(&image.preview);
            (file, true, false)
        }
        message::Media::Voice(voice) => {
            file.duration_ms = Some(voice.duration_ms);
            file.waveform = bytes(&voice.waveform);
            (file, false, true)
        }
    }
}

fn names(accounts: &[AccountId]) -> Vec<String> {
    accounts.iter().map(ToString::to_string).collect()
}

fn mention(mention: &message::Mention) -> Mention {
    Mention {
        account: mention.account.to_string(),
        start_bytes: mention.start,
        length_bytes: mention.length,
    }
}

/// Mentions as the core takes them; `field` is their path.
pub(super) fn mentions(given: Vec<Mention>, field: &str) -> Result<Vec<message::Mention>, ApiError> {
    let read = |(at, mention): (usize, Mention)| {
        let account = mention
            .account
            .parse()
            .map_err(|error| ApiError::invalid(format!("{field}[{at}].account"), error))?;
        Ok(message::Mention {
            account,
            start: mention.start_bytes,
            length: mention.length_bytes,
        })
    };
    given.into_iter().enumerate().map(read).collect()
}

pub(super) fn ledger(view: LedgerView) -> Ledger {
    let reason = match (view.state, view.refused) {
        (LedgerState::Queued, _) if view.copied => Some(
            "this data is an old copy: it goes out once the others have put this device back into the chat".to_owned(),
        ),
        (LedgerState::Queued | LedgerState::Held, _) if view.expired => {
            Some("given up: nobody has confirmed it for too long".to_owned())
        }
        (LedgerState::Queued, Some(refusal)) => Some(refused(refusal)),
        (LedgerState::Queued, None) => Some("no relay or device of the contact has taken it yet".to_owned()),
        _ => None,
    };
    Ledger {
        state: match view.state {
            LedgerState::Queued => types::LedgerState::Queued,
            LedgerState::Held => types::LedgerState::Held,
            LedgerState::Delivered => types::LedgerState::Delivered,
            LedgerState::Read => types::LedgerState::Read,
        },
        reason,
        held: held(view.held),
        delivered: view.delivered.iter().map(|device| DeviceKey(device.0)).collect(),
        read: view.read.iter().map(|device| DeviceKey(device.0)).collect(),
    }
}

/// Why what a relay refused waits.
pub(super) fn refused(refusal: Refusal) -> String {
    format!("a relay refused it: {}", refusal.name())
}

/// Relays that hold something, and until when.
pub(super) fn held(relays: Vec<(TransportKey, u64)>) -> Vec<Held> {
    let shown = |(relay, until_ms): (TransportKey, u64)| Held {
        relay: RelayKey(relay.0),
        until_ms,
    };
    relays.into_iter().map(shown).collect()
}

pub(super) fn gap_state(state: client::GapState) -> GapState {
    match state {
        client::GapState::Open => GapState::Open,
        client::GapState::Filled => GapState::Filled,
        client::GapState::Lost => GapState::Lost,
        client::GapState::Void => GapState::Void,
        client::GapState::Forked => GapState::Forked,
    }
}

/// An event as it is shown; `None` if what it was about is gone, or would have to be looked up and isn't wanted.
pub(super) fn event(
    lookup: &mut history::Lookup<'_>,
    row: EventRow,
    wanted: impl Fn(&str) -> bool,
) -> Result<Option<EventKind>, RowsError> {
    let looked_up = match row {
        EventRow::MessageReceived { .. } => Some(EventKind::MESSAGE_RECEIVED),
        EventRow::MessageSent { .. } => Some(EventKind::MESSAGE_SENT),
        EventRow::Ledger { .. } => Some(EventKind::MESSAGE_LEDGER),
        EventRow::MessageUpdated { .. } => Some(EventKind::MESSAGE_UPDATED),
        EventRow::ChannelPost { .. } => Some(EventKind::CHANNEL_POST),
        EventRow::ChannelPostUpdated { .. } => Some(EventKind::CHANNEL_POST_UPDATED),
        _ => None,
    };
    if looked_up.is_some_and(|name| !wanted(name)) {
        return Ok(None);
    }
    Ok(Some(match row {
        EventRow::MessageReceived { message: id } => match lookup.message(&id)? {
            Some(view) => EventKind::MessageReceived(message(lookup.rows(), view)?),
            None => return Ok(None),
        },
        EventRow::MessageSent { message: id } => match lookup.message(&id)? {
            Some(view) => EventKind::MessageSent(message(lookup.rows(), view)?),
            None => return Ok(None),
        },
        EventRow::Ledger { message: id } => match lookup.message(&id)? {
            Some(view) => match view.ledger {
                Some(view_ledger) => EventKind::MessageLedger {
                    chat: ChatId(view.chat.0),
                    message: MessageId(id.0),
                    ledger: ledger(view_ledger),
                },
                None => return Ok(None),
            },
            None => return Ok(None),
        },
        EventRow::MessageUpdated { message: id } => match lookup.message(&id)? {
            Some(view) => EventKind::MessageUpdated(message(lookup.rows(), view)?),
            None => return Ok(None),
        },
        EventRow::MessageExpired { chat, message } => EventKind::MessageExpired {
            chat: ChatId(chat.0),
            message: MessageId(message.0),
        },
        EventRow::Typing {
            chat,
            account,
            device,
            active,
            at_ms,
        } => EventKind::ChatTyping {
            chat: ChatId(chat.0),
            account: account.to_string(),
            device: DeviceKey(device.0),
            active,
            at_ms,
        },
        EventRow::Blob {
            blob,
            state,
            done_bytes,
            length_bytes,
        } => EventKind::BlobProgress {
            blob: BlobId(blob.0),
            state: blob_state(state),
            done_bytes,
            length_bytes,
        },
        EventRow::ChatUpdated { chat } => EventKind::ChatUpdated { chat: ChatId(chat.0) },
        EventRow::RelayDemoted { relay, fault } => EventKind::RelayDemoted {
            relay: RelayKey(relay.0),
            reason: fault.name().to_owned(),
        },
        EventRow::Note { subject } => match super::apps::asking(lookup.rows(), &AppKey(subject))? {
            Some((name, scopes)) => EventKind::AppRequested {
                app: AppKey(subject),
                name,
                scopes,
            },
            None => return noted(lookup.rows(), &subject),
        },
        EventRow::Gap {
            chat,
            account,
            device,
            first,
            last,
            state,
        } => EventKind::ChatGap {
            chat: ChatId(chat.0),
            account: account.to_string(),
            device: DeviceKey(device.0),
            first,
            last,
            state: gap_state(state),
        },
        EventRow::ChannelUpdated { channel } => EventKind::ChannelUpdated {
            channel: ChannelId(channel.0),
        },
        EventRow::ChannelPost { post, .. } => match event_post(lookup.rows(), &post)? {
            Some(post) => EventKind::ChannelPost(post),
            None => return Ok(None),
        },
        EventRow::ChannelPostUpdated { post, .. } => match event_post(lookup.rows(), &post)? {
            Some(post) => EventKind::ChannelPostUpdated(post),
            None => return Ok(None),
        },
        EventRow::ChannelEvidence { channel, number } => match event_evidence(lookup.rows(), channel, number)? {
            Some(told) => told,
            None => return Ok(None),
        },
        EventRow::ChannelReported {
            channel,
            post,
            relay,
            outcome,
        } => event_report(channel, post, relay, outcome),
        EventRow::ChannelGap { channel, open } => EventKind::ChannelGap {
            channel: ChannelId(channel.0),
            open,
        },
        EventRow::Requested { request, account, name } => EventKind::ContactRequested {
            request: RequestId(request.0),
            account: account.to_string(),
            name: given(&name),
        },
        // Told to the app that shared it, and to nobody else.
        row @ EventRow::CardAnswered { .. } => match super::feedback::answered(lookup.rows(), row)? {
            Some(told) => told,
            None => return Ok(None),
        },
        EventRow::ContactAdded { account, chat, name } => EventKind::ContactAdded {
            account: account.to_string(),
            chat: ChatId(chat.0),
            name: given(&name),
        },
    }))
}

/// What an event of this node's own says; none if what it is about is gone.
fn noted(rows: &dyn Rows, subject: &[u8; 32]) -> Result<Option<EventKind>, RowsError> {
    for says in [
        super::opens::handed,
        super::feedback::told,
        super::replies::waiting,
        super::webhooks::disabled,
    ] {
        if let Some(said) = says(rows, subject)? {
            return Ok(Some(said));
        }
    }
    Ok(None)
}

pub(super) fn refusal(error: CommandError) -> ApiError {
    match error {
        CommandError::NotFound { field } => ApiError::NotFound { field },
        CommandError::TooLarge { field, limit, .. } => ApiError::TooLarge {
            field: field.into(),
            limit: limit as u64,
        },
        CommandError::Invalid { field, reason } => ApiError::invalid(field, reason),
        CommandError::NotAllowed { reason } => ApiError::NotAllowed { reason: reason.into() },
        CommandError::IdempotencyConflict => ApiError::IdempotencyConflict,
        CommandError::Invite(error) => ApiError::InviteInvalid {
            reason: error.to_string(),
        },
        CommandError::InviteExpired => ApiError::InviteExpired,
        CommandError::OwnInvite => ApiError::OwnInvite,
        CommandError::CardUnavailable => ApiError::CardUnavailable,
        CommandError::RelayUnavailable => ApiError::RelayUnavailable,
        CommandError::Limit { what, limit } => ApiError::LimitReached {
            what: what.into(),
            limit: limit as u64,
        },
        CommandError::DiskFull => ApiError::DiskFull,
        CommandError::Internal { reason } => ApiError::Internal { reason },
    }
}
