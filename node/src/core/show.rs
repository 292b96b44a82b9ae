//! The core's things as the JSON-RPC shows them.

use madang_protocol::client::history::{self, LedgerView, MessageView};
use madang_protocol::client::{CommandError, EventRow, LedgerState};
use madang_protocol::message::Body;
use madang_protocol::rows::RowsError;

use crate::rpc::error::ApiError;
use crate::rpc::types::{self, *};

/// A name, if one was given.
pub(super) fn given(name: &str) -> Option<String> {
    (!name.is_empty()).then(|| name.to_owned())
}

pub(super) fn message(view: MessageView) -> Message {
    Message {
        message: MessageId(view.id.0),
        chat: ChatId(view.chat.0),
        account: view.account.to_string(),
        device: DeviceKey(view.stream.device.0),
        outgoing: view.outgoing,
        sent_ms: view.sent_ms,
        received_ms: view.received_ms,
        body: match view.body {
            Body::Text(text) => types::Body::Text { text },
            other => types::Body::Unknown {
                code: other.kind().into(),
                fallback: view.fallback,
            },
        },
        ledger: view.ledger.map(ledger),
    }
}

pub(super) fn ledger(view: LedgerView) -> Ledger {
    let reason = match (view.state, view.refused) {
        (LedgerState::Queued, Some(refusal)) => Some(format!("a relay refused it: {}", refusal.name())),
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
        held: view
            .held
            .into_iter()
            .map(|(relay, until_ms)| Held {
                relay: RelayKey(relay.0),
                until_ms,
            })
            .collect(),
        delivered: view.delivered.iter().map(|device| DeviceKey(device.0)).collect(),
        read: view.read.iter().map(|device| DeviceKey(device.0)).collect(),
    }
}

/// An event as it is shown; `None` if what it was about is gone.
pub(super) fn event(lookup: &mut history::Lookup<'_>, row: EventRow) -> Result<Option<EventKind>, RowsError> {
    Ok(Some(match row {
        EventRow::MessageReceived { message: id } => match lookup.message(&id)? {
            Some(view) => EventKind::MessageReceived(message(view)),
            None => return Ok(None),
        },
        EventRow::MessageSent { message: id } => match lookup.message(&id)? {
            Some(view) => EventKind::MessageSent(message(view)),
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
        EventRow::Requested { request, account, name } => EventKind::ContactRequested {
            request: RequestId(request.0),
            account: account.to_string(),
            name: given(&name),
        },
        EventRow::ContactAdded { account, chat, name } => EventKind::ContactAdded {
            account: account.to_string(),
            chat: ChatId(chat.0),
            name: given(&name),
        },
    }))
}

pub(super) fn refusal(error: CommandError) -> ApiError {
    match error {
        CommandError::NotFound { field } => ApiError::NotFound { field },
        CommandError::TooLarge { field, limit, .. } => ApiError::TooLarge {
            field: field.into(),
            limit: limit as u64,
        },
        CommandError::IdempotencyConflict => ApiError::IdempotencyConflict,
        CommandError::Invite(error) => ApiError::InviteInvalid {
            reason: error.to_string(),
        },
        CommandError::InviteExpired => ApiError::InviteExpired,
        CommandError::OwnInvite => ApiError::OwnInvite,
        CommandError::CardUnavailable => ApiError::CardUnavailable,
        CommandError::Limit { what, limit } => ApiError::LimitReached {
            what: what.into(),
            limit: limit as u64,
        },
        CommandError::Internal { reason } => ApiError::Internal { reason },
    }
}
