//! `madang tail`: events as they happen.

use jsonrpsee::core::client::SubscriptionCloseReason;
use serde_json::Value;

use crate::client::Client;
use crate::fault::Fault;
use crate::out::Out;
use crate::serve::Stop;
use crate::show;

/// Prints events until a signal to stop; takes up again at the last cursor when it fell behind.
///
/// # Errors
/// [`Fault::NoNode`] when the node stops, else as [`Client::events`].
pub async fn tail(client: &Client, after: Option<String>, out: &Out) -> Result<(), Fault> {
    let stop = Stop::listen()?;
    tokio::select! {
        () = stop.wait() => Ok(()),
        ended = follow(client, after, out) => ended,
    }
}

async fn follow(client: &Client, mut after: Option<String>, out: &Out) -> Result<(), Fault> {
    loop {
        let socket = client.socket().await?;
        let mut events = client.events(&socket, after.as_deref()).await?;
        let mut told = false;
        while let Some(event) = events.next().await {
            told = true;
            let event: Value = event.map_err(|e| Fault::Failed {
                message: format!("the node sent an event that is no JSON: {e}"),
            })?;
            after = event.get("cursor").and_then(Value::as_str).map(str::to_owned).or(after);
            out.print(&event, || event_line(&event, show::now_ms()))?;
        }
        if !told && socket.is_connected() {
            return Err(Fault::Failed {
                message: "the node ended the subscription; see its log".to_owned(),
            });
        }
        let lagged = matches!(events.close_reason(), Some(SubscriptionCloseReason::Lagged));
        if !lagged && !socket.is_connected() {
            if let Some(cursor) = &after {
                out.remark(&format!(
                    "the node ended; go on with `madang tail --after {}`",
                    show::line(cursor)
                ));
            }
            return Err(Fault::NoNode {
                data: client.data().to_owned(),
            });
        }
    }
}

fn event_line(event: &Value, now: u64) -> String {
    let data = event.get("data").unwrap_or(&Value::Null);
    let kind = show::field(event, "kind");
    let indent = "    ";
    let what = match kind.as_str() {
        "message.received" | "message.sent" => {
            let text = show::message(data, indent);
            format!("chat {}  {text}", show::short(show::text_of(data, "chat")))
        }
        "message.updated" => format!(
            "message {}  {}",
            show::short(show::text_of(data, "message")),
            show::message(data, indent)
        ),
        "message.expired" => format!(
            "chat {}  message {}",
            show::short(show::text_of(data, "chat")),
            show::short(show::text_of(data, "message"))
        ),
        "chat.gap" => format!(
            "chat {}  {} {} to {}: {}",
            show::short(show::text_of(data, "chat")),
            show::short_account(show::text_of(data, "account")),
            data.get("first").and_then(Value::as_u64).unwrap_or(0),
            data.get("last").and_then(Value::as_u64).unwrap_or(0),
            show::field(data, "state")
        ),
        "message.ledger" => format!(
            "message {}  {}",
            show::short(show::text_of(data, "message")),
            show::ledger(data.get("ledger").unwrap_or(&Value::Null), now)
        ),
        "contact.requested" => format!(
            "{}  approve with `madang approve {}`",
            show::name_or(data, "account"),
            show::short(show::text_of(data, "request"))
        ),
        "relay.demoted" => format!(
            "relay {}  {}",
            show::short(show::text_of(data, "relay")),
            show::field(data, "reason")
        ),
        "chat.typing" => format!(
            "chat {}  {}{}",
            show::short(show::text_of(data, "chat")),
            show::short(show::text_of(data, "account")),
            if data.get("active") == Some(&Value::Bool(false)) {
                " has stopped"
            } else {
                ""
            }
        ),
        "gap" => format!(
            "events {} to {} aren't in the log ({})",
            show::field(data, "from"),
            show::field(data, "to"),
            show::field(data, "reason")
        ),
        "lagged" => format!(
            "{} events wait",
            data.get("behind").and_then(Value::as_u64).unwrap_or(0)
        ),
        "chat.updated" => format!("chat {}", show::short(show::text_of(data, "chat"))),
        "contact.added" => {
            format!(
                "{}  chat {}",
                show::name_or(data, "account"),
                show::short(show::text_of(data, "chat"))
            )
        }
        // Kinds of later versions are shown as they are; JSON escapes what could steer a terminal, but for bidirectional marks.
        _ => show::line(&data.to_string()),
    };
    format!("{}  {kind}  {what}", show::field(event, "cursor"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn events_are_one_line_each() {
        let requested = json!({ "cursor": "7", "kind": "contact.requested",
            "data": { "request": "0123456789", "account": "madang1qqqqqqqqq", "name": "Bob" } });
        assert_eq!(
            event_line(&requested, 0),
            "7  contact.requested  Bob  approve with `madang approve 01234567`"
        );
        let updated = json!({ "cursor": "9", "kind": "message.updated",
            "data": { "message": "0123456789", "body": { "kind": "deleted" } } });
        assert_eq!(
            event_line(&updated, 0),
            "9  message.updated  message 01234567  (deleted)"
        );
        let gap = json!({ "cursor": "3", "kind": "gap", "data": { "from": "1", "to": "3", "reason": "pruned" } });
        assert_eq!(event_line(&gap, 0), "3  gap  events 1 to 3 aren't in the log (pruned)");
        let later = json!({ "cursor": "8", "kind": "later", "data": { "a": "\u{202e}\n" } });
        assert_eq!(event_line(&later, 0), "8  later  {\"a\":\"�\\n\"}");
    }
}
