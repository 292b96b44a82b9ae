//! What a person sees of a node that catches up after its start.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use crate::client::Client;
use crate::fault::Fault;
use crate::out::Out;
use crate::show;

/// How long one look waits for an event, in milliseconds; a node that is silent for so long and lacks nothing has caught up (guess).
const QUIET_MS: u64 = 1500;
/// Events asked for in one look.
const PAGE: u64 = 1000;
/// After this nobody watches any more: what is still missing shows in `madang doctor` (guess).
const PATIENCE: Duration = Duration::from_secs(120);

/// How far a node is.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Caught {
    /// Messages that came since the start.
    pub received: u64,
    /// Relays that are connected, and all.
    pub relays: (u64, u64),
    /// Ranges of messages that are looked for.
    pub gaps: u64,
}

/// Shows how a node of a data directory catches up until it has, on a terminal; elsewhere it does nothing.
pub async fn watch(data: &Path, out: &Out) {
    if !out.shows_progress() {
        return;
    }
    let deadline = Instant::now() + PATIENCE;
    // The node's own log says what is wrong with it.
    if let Ok(Ok(caught)) = timeout_at(deadline, follow(data, out)).await {
        out.remark(&(out.t().caught_up)(caught.received));
    }
}

async fn follow(data: &Path, out: &Out) -> Result<Caught, Fault> {
    let client = Client::open(data, None)?;
    let progress = out.progress(out.t().starting);
    let filter = json!({ "kinds": ["message.received"] });
    let mut after = Value::Null;
    let mut caught = Caught::default();
    loop {
        look(&client, &mut caught).await?;
        progress.say((out.t().catching_up)(&caught));
        let poll = json!({ "after": after, "filter": filter, "limit": PAGE, "timeout_ms": QUIET_MS });
        let page = client.call("event.poll", poll).await?;
        after = page.get("next").cloned().unwrap_or_default();
        let came = show::items_of(&page, "items").len();
        caught.received += u64::try_from(came).unwrap_or(u64::MAX);
        if came == 0 && caught.gaps == 0 && caught.relays.0 == caught.relays.1 {
            return Ok(caught);
        }
    }
}

/// Looks at relays and gaps.
async fn look(client: &Client, caught: &mut Caught) -> Result<(), Fault> {
    let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    let info = client.call("node.info", json!({})).await?;
    let relays = show::items_of(&info, "relays");
    let connected = relays.iter().filter(|relay| show::flag(relay, "connected")).count();
    caught.relays = (count(connected), count(relays.len()));
    let report = client.call("node.doctor", json!({})).await?;
    caught.gaps = show::items_of(&report, "chats")
        .iter()
        .map(|chat| show::number(chat, "gaps"))
        .sum();
    Ok(())
}
