//! Figures of a channel: what its relays say of watchers and of a post, and polls.

use serde_json::{Value, json};

use super::channels::{of, post_of};
use crate::client::Client;
use crate::fault::Fault;
use crate::out::Out;
use crate::show;
use crate::text::Texts;

pub(super) async fn figures(client: &Client, channel: &str, post: Option<&str>, out: &Out) -> Result<(), Fault> {
    let id = of(client, channel).await?;
    let post = match post {
        Some(post) => Some(post_of(client, &id, post).await?),
        None => None,
    };
    let asking = out.progress(out.t().asking_relays);
    let found = client
        .call("channel.figures", json!({ "channel": id, "post": post }))
        .await;
    drop(asking);
    let found = found?;
    let now = show::now_ms();
    let t = out.t();
    out.print(&found, || {
        let most = |member: &str, text: fn(&str) -> String| {
            let people = found.get(member)?;
            Some(vec![t.label_all_relays.to_owned(), text(&told(Some(people), t))])
        };
        let mut rows: Vec<Vec<String>> = Vec::new();
        rows.extend(most("watchers", t.watchers));
        rows.extend(most("deliveries", t.deliveries));
        let relays = show::items_of(&found, "relays").iter();
        rows.extend(relays.map(|relay| of_relay(relay, post.is_some(), now, t)));
        rows.extend(show::items_of(&found, "polls").iter().map(|poll| of_poll(poll, now, t)));
        if rows.is_empty() {
            return t.no_figures.to_owned();
        }
        out.table(&rows)
    })
}

/// What one relay says.
fn of_relay(relay: &Value, of_post: bool, now_ms: u64, t: &Texts) -> Vec<String> {
    let mut row = vec![show::short(show::text_of(relay, "relay"))];
    match show::text_of(relay, "state") {
        "told" => {
            row.push((t.watchers)(&told(relay.get("watchers"), t)));
            row.push((t.counted_at)(&show::time_of(relay, "counted_ms", now_ms)));
            if let Some(handed) = relay.get("deliveries") {
                row.push((t.deliveries)(&told(handed.get("peers"), t)));
                let (since, at) = ("since_ms", "counted_ms");
                let time = |member: &str| show::time_of(handed, member, now_ms);
                row.push((t.counted_from_to)(&time(since), &time(at)));
            } else if of_post {
                row.push(t.not_counted.to_owned());
            }
        }
        "away" => row.push(t.relay_away.to_owned()),
        "silent" => row.push(t.relay_tells_none.to_owned()),
        _ => row.push((t.relay_refuses)(&show::field(relay, "reason"))),
    }
    row
}

fn of_poll(poll: &Value, now_ms: u64, t: &Texts) -> Vec<String> {
    let options: Vec<String> = show::items_of(poll, "options")
        .iter()
        .zip(1..)
        .map(|(people, number)| format!("{number}: {}", told(Some(people), t)))
        .collect();
    let state = if show::flag(poll, "open") {
        t.poll_open
    } else {
        t.poll_over
    };
    let mut row = vec![
        show::short(show::text_of(poll, "post")),
        format!("{state} {}", show::time_of(poll, "until_ms", now_ms)),
        (t.poll_voters)(&told(poll.get("voters"), t)),
        options.join(", "),
    ];
    if show::flag(poll, "capped") {
        row.push(t.poll_capped.to_owned());
    }
    row
}

/// A number of people; 0 is fewer than 20.
pub(super) fn told(people: Option<&Value>, t: &Texts) -> String {
    match people.and_then(Value::as_u64) {
        Some(people) if people > 0 => people.to_string(),
        _ => t.fewer_than_20.to_owned(),
    }
}
