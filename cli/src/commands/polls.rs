//! Polls of channels: a follower's answer, and the result.

use serde_json::{Value, json};

use super::channels::{of, post_of, shown};
use super::figures::told;
use crate::client::Client;
use crate::fault::Fault;
use crate::out::Out;
use crate::show;
use crate::text::Texts;

pub(super) async fn vote(client: &Client, channel: &str, post: &str, numbers: &[u8], out: &Out) -> Result<(), Fault> {
    let id = of(client, channel).await?;
    let post = post_of(client, &id, post).await?;
    // People count options from 1.
    let choices: Vec<u8> = numbers.iter().map(|number| number.saturating_sub(1)).collect();
    let params = json!({ "channel": id, "post": post, "choices": choices });
    let found = client.call("channel.vote", params).await?;
    out.print(&found, || shown(&found, show::now_ms(), true, out.t()))
}

pub(super) async fn publish(client: &Client, channel: &str, post: &str, out: &Out) -> Result<(), Fault> {
    let id = of(client, channel).await?;
    let post = post_of(client, &id, post).await?;
    let params = json!({ "channel": id, "post": post });
    let found = client.call("channel.publish_result", params).await?;
    out.print(&found, || shown(&found, show::now_ms(), true, out.t()))
}

/// What is known of a poll beside its question: of each option how it stands, and what can be done.
pub(super) fn standing(poll: &Value, t: &Texts) -> (Vec<String>, Vec<String>) {
    let result = poll.get("result");
    let counts = result
        .map(|result| show::items_of(result, "options"))
        .unwrap_or_default();
    let chosen = |place: usize| {
        let mut mine = show::items_of(poll, "vote").iter();
        mine.any(|at| at.as_u64().and_then(|at| usize::try_from(at).ok()) == Some(place))
    };
    let options = (0..show::items_of(poll, "options").len()).map(|place| {
        let mut said: Vec<String> = counts
            .get(place)
            .map(|people| told(Some(people), t))
            .into_iter()
            .collect();
        if chosen(place) {
            said.push(t.poll_chosen.to_owned());
        }
        match said.is_empty() {
            true => String::new(),
            false => format!("  ({})", said.join(", ")),
        }
    });
    let mut lines = Vec::new();
    if let Some(result) = result {
        lines.push((t.poll_voters)(&told(result.get("voters"), t)));
    }
    if poll.get("until_ms").is_some() {
        let over = show::number(poll, "until_ms") <= show::now_ms();
        let state = if over { t.poll_over } else { t.poll_open };
        lines.push(format!("{state} {}", show::time_of(poll, "until_ms", show::now_ms())));
    }
    (options.collect(), lines)
}
