//! The core's things as the JSON-RPC shows them.

use madang_protocol::client::history::{self, LedgerView, MessageView};
use madang_protocol::client::{self, CommandError, Content, EventRow, LedgerState};
use madang_protocol::keys::{self, AccountId};
use madang_protocol::message::{self, Body};
use madang_protocol::rows::RowsError;

use crate::rpc::error::ApiError;
use crate::rpc::params::SendBody;
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
            other => types::Body::Unknown {
                code: other.kind().into(),
                fallback: view.fallback,
            },
        },
        ledger: view.ledger.map(ledger),
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

/// What is sent, as the core takes it.
pub(super) fn content(body: SendBody) -> Result<Content, ApiError> {
    Ok(match body {
        SendBody::Text {
            text,
            reply_to,
            mentions: given,
        } => Content::Text {
            text,
            reply_to: reply_to.map(|message| keys::MessageId(message.0)),
            mentions: mentions(given, "body.mentions")?,
        },
        SendBody::Poll {
            question,
            options,
            multiple,
        } => Content::Poll(message::Poll {
            question,
            options,
            multiple,
        }),
    })
}

pub(super) fn ledger(view: LedgerView) -> Ledger {
    let reason = match (view.state, view.refused) {
        (LedgerState::Queued, _) if view.copied => Some(
            "this data is an old copy: it goes out once the others have put this device back into the chat".to_owned(),
        ),
        (LedgerState::Queued | LedgerState::Held, _) if view.expired => {
            Some("given up: nobody has confirmed it for too long".to_owned())
        }
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
        _ => None,
    };
    if looked_up.is_some_and(|name| !wanted(name)) {
        return Ok(None);
    }
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
        EventRow::MessageUpdated { message: id } => match lookup.message(&id)? {
            Some(view) => EventKind::MessageUpdated(message(view)),
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
            None => match super::webhooks::disabled(lookup.rows(), &subject)? {
                Some(disabled) => disabled,
                None => return Ok(None),
            },
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
        CommandError::Invalid { field, reason } => ApiError::invalid(field, reason),
        CommandError::NotAllowed { reason } => ApiError::NotAllowed { reason: reason.into() },
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
