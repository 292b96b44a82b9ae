//! `madang events`: events as they happen, or those that are there; and what acknowledges them.

use std::time::Duration;

use jsonrpsee::core::client::SubscriptionCloseReason;
use serde_json::{Map, Value, json};
use tokio::time::timeout;

use crate::args::EventsArgs;
use crate::client::Client;
use crate::commands::id_for;
use crate::fault::Fault;
use crate::out::Out;
use crate::resolve::CHAT;
use crate::safe::{self, Names};
use crate::serve::Stop;
use crate::show;
use crate::text::Texts;

/// Events that are printed before they are acknowledged together, if more come at once (guess).
const ACK_EVERY: usize = 100;
/// How long what was printed may wait for its acknowledgement while nothing comes (guess).
const ACK_AFTER: Duration = Duration::from_millis(100);
/// Events asked for in one page (guess).
const PAGE: u64 = 100;

/// Prints events until a signal to stop, or until there are no more.
///
/// # Errors
/// [`Fault::NoNode`] when the node stops, else as [`Client::events`].
pub async fn events(client: &Client, args: EventsArgs, out: &Out) -> Result<(), Fault> {
    let mut reader = Reader {
        client,
        out,
        filter: filter(client, &args).await?,
        after: args.after.or_else(|| args.ack.then(|| "ack".to_owned())),
        epoch: args.epoch,
        acknowledges: args.ack,
        waiting: 0,
    };
    if args.no_follow {
        return reader.rest().await;
    }
    let stop = Stop::listen()?;
    let ended = tokio::select! {
        () = stop.wait() => Ok(()),
        ended = reader.follow() => ended,
    };
    reader.acknowledge().await.and(ended)
}

/// Acknowledges all events through a cursor.
pub async fn ack(client: &Client, cursor: &str, epoch: Option<String>, out: &Out) -> Result<(), Fault> {
    let params = json!({ "cursor": cursor, "epoch": epoch });
    let done = client.call("event.ack", params).await?;
    out.print(&done, || out.t().acknowledged.to_owned())
}

/// What `filter` is to be; null if nothing is left out.
async fn filter(client: &Client, args: &EventsArgs) -> Result<Value, Fault> {
    let mut filter = Map::new();
    if !args.kinds.is_empty() {
        filter.insert("kinds".to_owned(), json!(args.kinds));
    }
    if !args.chats.is_empty() {
        let mut chats = Vec::new();
        for chat in &args.chats {
            chats.push(id_for(client, CHAT, "chat.list", chat).await?);
        }
        filter.insert("chats".to_owned(), json!(chats));
    }
    Ok(if filter.is_empty() {
        Value::Null
    } else {
        Value::Object(filter)
    })
}

/// Reads events on from where it is.
struct Reader<'a> {
    client: &'a Client,
    out: &'a Out,
    filter: Value,
    after: Option<String>,
    epoch: Option<String>,
    acknowledges: bool,
    /// Printed and not acknowledged.
    waiting: usize,
}

impl Reader<'_> {
    /// Prints what is there.
    async fn rest(&mut self) -> Result<(), Fault> {
        self.after.get_or_insert_with(|| "0".to_owned());
        loop {
            let page = self
                .client
                .call(
                    "event.poll",
                    json!({ "after": self.after, "epoch": self.epoch, "filter": self.filter, "limit": PAGE }),
                )
                .await?;
            let before = self.after.clone();
            for event in show::items_of(&page, "items") {
                self.print(event).await?;
            }
            self.after = page.get("next").and_then(Value::as_str).map(str::to_owned);
            self.epoch = page.get("epoch").and_then(Value::as_str).map(str::to_owned);
            self.acknowledge().await?;
            // A page may be shorter than asked for although there is more.
            if self.after == before || self.after.is_none() {
                return Ok(());
            }
        }
    }

    /// Prints what comes; takes up again at the last cursor when it fell behind.
    async fn follow(&mut self) -> Result<(), Fault> {
        loop {
            let socket = self.client.socket().await?;
            let params = json!({ "after": self.after, "epoch": self.epoch, "filter": self.filter });
            let mut events = self.client.events(&socket, params).await?;
            let mut told = false;
            loop {
                let event = if self.waiting == 0 {
                    events.next().await
                } else {
                    match timeout(ACK_AFTER, events.next()).await {
                        Ok(event) => event,
                        Err(_) => {
                            self.acknowledge().await?;
                            continue;
                        }
                    }
                };
                let Some(event) = event else { break };
                told = true;
                let event = event.map_err(|e| {
                    let error = e.to_string();
                    Fault::failed(move |t| (t.event_unreadable)(&error))
                })?;
                self.print(&event).await?;
            }
            if !told && socket.is_connected() {
                return Err(Fault::failed(|t| t.subscription_ended.to_owned()));
            }
            let lagged = matches!(events.close_reason(), Some(SubscriptionCloseReason::Lagged));
            if !lagged && !socket.is_connected() {
                if let Some(cursor) = &self.after {
                    self.out.remark(&(self.out.t().node_ended)(&safe::line(cursor)));
                }
                return Err(Fault::NoNode {
                    data: self.client.data().to_owned(),
                });
            }
        }
    }

    async fn print(&mut self, event: &Value) -> Result<(), Fault> {
        let names = match show::text_of(event, "kind") {
            // Only there a name is shown that its owner chose.
            "contact.requested" | "contact.added" if !self.out.json() => contacts(self.client).await,
            _ => Names::default(),
        };
        let t = self.out.t();
        self.out.print(event, || {
            self.out.wrapped(&event_line(event, &names, show::now_ms(), t), INDENT)
        })?;
        if let Some(cursor) = event.get("cursor").and_then(Value::as_str) {
            self.after = Some(cursor.to_owned());
            self.epoch = event.get("epoch").and_then(Value::as_str).map(str::to_owned);
            self.waiting += 1;
        }
        if self.waiting >= ACK_EVERY {
            self.acknowledge().await?;
        }
        Ok(())
    }

    async fn acknowledge(&mut self) -> Result<(), Fault> {
        if let (true, true, Some(cursor)) = (self.acknowledges, self.waiting > 0, &self.after) {
            let params = json!({ "cursor": cursor, "epoch": self.epoch });
            self.client.call("event.ack", params).await?;
        }
        self.waiting = 0;
        Ok(())
    }
}

/// The contacts' names; none for a token that may not list them.
async fn contacts(client: &Client) -> Names {
    let contacts = client.list("contact.list").await.unwrap_or_default();
    Names::of(&contacts, "account")
}

/// Columns before what goes on below an event.
const INDENT: &str = "    ";

fn event_line(event: &Value, names: &Names, now: u64, t: &Texts) -> String {
    let data = event.get("data").unwrap_or(&Value::Null);
    let kind = show::field(event, "kind");
    let short = |name: &str| show::short(show::text_of(data, name));
    let chat = || format!("{} {}", t.chat, short("chat"));
    let message = || format!("{} {}", t.message, short("message"));
    let what = match kind.as_str() {
        "message.received" | "message.sent" => format!("{}  {}", chat(), show::message(data, INDENT, t)),
        "message.updated" => format!("{}  {}", message(), show::message(data, INDENT, t)),
        "message.expired" => format!("{}  {}", chat(), message()),
        "message.ledger" => {
            let ledger = data.get("ledger").unwrap_or(&Value::Null);
            format!("{}  {}", message(), show::ledger(ledger, now, t))
        }
        "chat.gap" => format!(
            "{}  {}  {}  {}",
            chat(),
            show::short_account(show::text_of(data, "account")),
            (t.messages_range)(show::number(data, "first"), show::number(data, "last")),
            (t.node_says)(&show::field(data, "state"))
        ),
        "chat.typing" => format!(
            "{}  {}  {}",
            chat(),
            show::short_account(show::text_of(data, "account")),
            if data.get("active") == Some(&Value::Bool(false)) {
                t.stopped_typing
            } else {
                t.types
            }
        ),
        "chat.updated" => chat(),
        "contact.requested" => format!(
            "{}  {}",
            show::marked(data, "account", names, t),
            (t.approve_with)(&short("request"))
        ),
        "contact.added" => format!("{}  {}", show::marked(data, "account", names, t), chat()),
        "relay.demoted" => format!(
            "{} {}  {}",
            t.relay,
            short("relay"),
            (t.node_says)(&show::field(data, "reason"))
        ),
        "app.requested" => format!("{}  {}", show::field(data, "name"), (t.approve_app_with)(&short("app"))),
        "webhook.disabled" => match data.get("last_status").and_then(Value::as_u64) {
            Some(status) => (t.webhook_answers)(status),
            None => t.webhook_unreachable.to_owned(),
        },
        "gap" => (t.events_missing)(
            &show::field(data, "from"),
            &show::field(data, "to"),
            &(t.node_says)(&show::field(data, "reason")),
        ),
        "lagged" => (t.events_wait)(show::number(data, "behind")),
        // Kinds of later versions are shown as they are; JSON escapes what could steer a terminal, but for bidirectional marks.
        _ => safe::line(&data.to_string()),
    };
    format!("{}  {kind}  {what}", show::field(event, "cursor"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{EN, KO};

    fn shown(event: &Value) -> String {
        event_line(event, &Names::default(), 0, &EN)
    }

    #[test]
    fn events_are_one_line_each() {
        let requested = json!({ "cursor": "7", "kind": "contact.requested",
            "data": { "request": "0123456789", "account": "madang1qqqqqqqqq", "name": "Bob" } });
        assert_eq!(
            shown(&requested),
            "7  contact.requested  Bob  approve with `madang approve 01234567`"
        );
        let updated = json!({ "cursor": "9", "kind": "message.updated",
            "data": { "message": "0123456789", "body": { "kind": "deleted" } } });
        assert_eq!(shown(&updated), "9  message.updated  message 01234567  (deleted)");
        let later = json!({ "cursor": "8", "kind": "later", "data": { "a": "\u{202e}\n" } });
        assert_eq!(shown(&later), "8  later  {\"a\":\"�\\n\"}");
        let gap = json!({ "cursor": "8", "kind": "gap", "data": { "from": "1", "to": "8", "reason": "pruned" } });
        assert_eq!(shown(&gap), "8  gap  events 1 to 8 aren't in the log (pruned)");
        assert_eq!(
            event_line(&updated, &Names::default(), 0, &KO),
            "9  message.updated  메시지 01234567  (삭제됨)"
        );
    }

    #[test]
    fn f60_who_asks_under_a_contacts_name_is_marked() {
        let names = Names::of(&[json!({ "account": "madang1aaaaaaaaaa", "name": "Bob" })], "account");
        let requested = json!({ "cursor": "7", "kind": "contact.requested",
            "data": { "request": "0123456789", "account": "madang1qqqqqqqqq", "name": "Воb" } });
        let line = event_line(&requested, &names, 0, &EN);
        assert!(line.contains("Воb [looks like madang1aaaaaaaa…]"), "{line}");
    }
}
