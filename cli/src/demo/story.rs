//! What happens in the demo, step by step, and that it is true.

use serde_json::{Value, json};

use super::person::{Person, rank};
use super::{Stage, brand, shares};
use crate::fault::Fault;
use crate::show;
use crate::text::Texts;

/// Who does something.
pub(super) type Who = fn(&Texts) -> &'static str;
pub(super) const ALICE: Who = |_| "Alice";
pub(super) const BOB: Who = |_| "Bob";
const BOTH: Who = |t| t.demo.both;
const RELAY: Who = |t| t.relay;

/// What Bob sends while Alice is away.
const WAITING: [&str; 3] = ["Are you there?", "I bring rice cakes.", "See you in the yard at seven."];

/// A message that the ledger at the end shows.
struct Sent {
    from_alice: bool,
    id: String,
    text: &'static str,
    first: Value,
}

/// Plays the story.
///
/// # Errors
/// [`Fault::Failed`] at the first thing that isn't as said.
pub(super) async fn play(stage: &mut Stage<'_>) -> Result<(), Fault> {
    let mut sent = Vec::new();
    let (relay, addresses) = opens(stage).await?;
    meet(stage).await?;
    talk(stage, &mut sent).await?;
    brand::play(stage, &addresses).await?;
    shares::play(stage).await?;
    let waiting = alice_is_away(stage, &relay, &addresses, &mut sent).await?;
    alice_returns(stage, &addresses, &waiting).await?;
    without_relay(stage, &mut sent).await?;
    show_ledger(stage, &sent).await
}

async fn opens(stage: &mut Stage<'_>) -> Result<(String, Vec<String>), Fault> {
    let dir = crate::fault::shown(stage.dir.path());
    stage.step(|t| t.demo.demo, |t| (t.demo.everything_is_in)(&dir))?;
    let (relay, addresses) = stage.start_relay().await?;
    let address = addresses.first().map_or("", String::as_str);
    stage.step(RELAY, |t| (t.demo.ready_at)(address))?;
    for person in [&mut stage.alice, &mut stage.bob] {
        person.start(&addresses).await?;
    }
    stage.step(ALICE, |t| t.demo.ready_new.to_owned())?;
    stage.step(BOB, |t| t.demo.ready_new.to_owned())?;
    Ok((relay, addresses))
}

async fn meet(stage: &mut Stage<'_>) -> Result<(), Fault> {
    let made = stage.alice.call("contact.invite", json!({})).await?;
    let invite = show::text_of(&made, "invite").to_owned();
    let characters = invite.len();
    stage.step(ALICE, |t| (t.demo.makes_invite)(characters))?;

    let accepted = stage.bob.call("contact.accept", json!({ "invite": invite })).await?;
    stage.bob.set_chat(show::text_of(&accepted, "chat").to_owned());
    stage.step(BOB, |t| t.demo.accepts.to_owned())?;

    let asked = stage
        .alice
        .event("Bob's request arrives", |kind, _| kind == "contact.requested")
        .await?;
    let request = show::text_of(&asked, "request");
    let approved = stage
        .alice
        .call("contact.approve", json!({ "request": request }))
        .await?;
    stage.alice.set_chat(show::text_of(&approved, "chat").to_owned());
    stage.step(ALICE, |t| (t.demo.approves)(&show::name_or(&asked, "account")))?;

    stage.alice.is_active().await?;
    stage.bob.is_active().await?;
    stage.step(BOTH, |t| t.demo.active.to_owned())
}

async fn talk(stage: &mut Stage<'_>, sent: &mut Vec<Sent>) -> Result<(), Fault> {
    say(stage, sent, true, "Hello Bob!").await?;
    say(stage, sent, false, "Hello Alice!").await
}

/// One sends, the other receives and reads; waits until the sender's ledger says so.
async fn say(stage: &mut Stage<'_>, sent: &mut Vec<Sent>, from_alice: bool, text: &'static str) -> Result<(), Fault> {
    let (sender, receiver) = if from_alice {
        (&mut stage.alice, &mut stage.bob)
    } else {
        (&mut stage.bob, &mut stage.alice)
    };
    let (from, to) = (if from_alice { ALICE } else { BOB }, receiver.name());
    let (id, first) = sender.send(text).await?;
    receiver.receives(&id, text).await?;
    sender.ledger_reaches(&id, "delivered").await?;
    receiver.marks_read(&id).await?;
    sender.ledger_reaches(&id, "read").await?;
    sent.push(Sent {
        from_alice,
        id,
        text,
        first,
    });
    stage.step(from, |t| (t.demo.has_read)(text, to))
}

/// Alice goes offline; Bob's messages wait at the relay and outlive that he is killed. Returns their ids.
async fn alice_is_away(
    stage: &mut Stage<'_>,
    relay: &str,
    addresses: &[String],
    sent: &mut Vec<Sent>,
) -> Result<Vec<String>, Fault> {
    stage.alice.stop().await?;
    stage.step(ALICE, |t| t.demo.goes_offline.to_owned())?;

    let mut waiting = Vec::new();
    for text in WAITING {
        let (id, first) = stage.bob.send(text).await?;
        sent.push(Sent {
            from_alice: false,
            id: id.clone(),
            text,
            first,
        });
        waiting.push(id);
    }
    for (id, text) in waiting.iter().zip(WAITING) {
        let ledger = stage.bob.ledger_reaches(id, "held").await?;
        is_held(&ledger, relay)?;
        stage.step(BOB, |t| {
            format!("\"{text}\"; {}", show::ledger(&ledger, show::now_ms(), t))
        })?;
    }

    let id = stage.bob.kill().await?;
    stage.step(BOB, |t| (t.demo.is_killed)(id))?;
    stage.bob.start(addresses).await?;
    for id in &waiting {
        let ledger = stage.bob.ledger_reaches(id, "held").await?;
        is_held(&ledger, relay)?;
    }
    has_once(&stage.bob, true).await?;
    stage.step(BOB, |t| t.demo.starts_again.to_owned())?;
    Ok(waiting)
}

async fn alice_returns(stage: &mut Stage<'_>, addresses: &[String], waiting: &[String]) -> Result<(), Fault> {
    stage.alice.start(addresses).await?;
    stage.step(ALICE, |t| t.demo.comes_back.to_owned())?;
    for (id, text) in waiting.iter().zip(WAITING) {
        stage.alice.receives(id, text).await?;
    }
    has_once(&stage.alice, false).await?;
    for id in waiting {
        stage.bob.ledger_reaches(id, "delivered").await?;
    }
    stage.step(ALICE, |t| t.demo.has_the_three.to_owned())?;

    let Some(last) = waiting.last() else {
        return Ok(());
    };
    stage.alice.marks_read(last).await?;
    for id in waiting {
        stage.bob.ledger_reaches(id, "read").await?;
    }
    stage.step(ALICE, |t| t.demo.reads_them.to_owned())
}

async fn without_relay(stage: &mut Stage<'_>, sent: &mut Vec<Sent>) -> Result<(), Fault> {
    stage.alice.is_direct().await?;
    stage.bob.is_direct().await?;
    stage.step(BOTH, |t| t.demo.direct.to_owned())?;
    stage.stop_relay().await?;
    stage.step(RELAY, |t| t.demo.stops.to_owned())?;
    say(stage, sent, true, "The relay is gone.").await?;
    say(stage, sent, false, "And we still talk.").await
}

/// Checks each message's ledger from its first state to its last and shows it.
async fn show_ledger(stage: &mut Stage<'_>, sent: &[Sent]) -> Result<(), Fault> {
    stage.alice.drain().await?;
    stage.bob.drain().await?;
    let t = stage.out.t();
    let mut rows = Vec::new();
    let mut items = Vec::new();
    for message in sent {
        let (sender, receiver) = if message.from_alice {
            (&stage.alice, &stage.bob)
        } else {
            (&stage.bob, &stage.alice)
        };
        let states = states(sender, message)?;
        let times = receiver.times_received(&message.id);
        if times != 1 {
            return wrong(&format!("{} got \"{}\" {times} times", receiver.name(), message.text));
        }
        items.push(json!({ "message": message.id, "from": sender.name(), "text": message.text, "states": states }));
        rows.push(vec![
            show::short(&message.id),
            sender.name().to_owned(),
            format!("\"{}\"", message.text),
            states.iter().map(|s| (t.node_says)(s)).collect::<Vec<_>>().join(" → "),
        ]);
    }
    let document = json!({ "event": "ledger", "messages": items });
    stage
        .out
        .print(&document, || format!("\n{}\n{}", t.demo.ledger, stage.out.table(&rows)))
}

fn states(sender: &Person, message: &Sent) -> Result<Vec<String>, Fault> {
    let told = std::iter::once(&message.first).chain(sender.ledgers(&message.id));
    let mut states: Vec<String> = Vec::new();
    for ledger in told {
        let state = show::field(ledger, "state");
        let before = states.last().map_or(0, |s| rank(s));
        if rank(&state) < before {
            return wrong(&format!("the ledger of \"{}\" went back to {state}", message.text));
        }
        if rank(&state) > before {
            states.push(state);
        }
    }
    if states.last().map(String::as_str) != Some("read") {
        return wrong(&format!("the events of \"{}\" end at {states:?}", message.text));
    }
    Ok(states)
}

fn is_held(ledger: &Value, relay: &str) -> Result<(), Fault> {
    let state = show::text_of(ledger, "state");
    let by_relay = show::items_of(ledger, "held").iter().any(|held| {
        show::text_of(held, "relay") == relay
            && held
                .get("until_ms")
                .and_then(Value::as_u64)
                .is_some_and(|until| until > show::now_ms())
    });
    if state == "held" && by_relay {
        return Ok(());
    }
    wrong(&format!(
        "a message for Alice, who is offline, should be held by the relay, but its ledger is {ledger}"
    ))
}

/// Checks that the waiting texts are the last of the chat, each once and in order, and all from Bob.
async fn has_once(person: &Person, own: bool) -> Result<(), Fault> {
    let texts = person.texts().await?;
    let theirs: Vec<(bool, String)> = texts
        .into_iter()
        .filter(|(_, text)| WAITING.contains(&text.as_str()))
        .collect();
    let wanted: Vec<(bool, String)> = WAITING.iter().map(|text| (own, (*text).to_owned())).collect();
    if theirs == wanted {
        return Ok(());
    }
    wrong(&format!(
        "{} should have three messages in order and has {theirs:?}",
        person.name()
    ))
}

pub(super) fn wrong<T>(message: &str) -> Result<T, Fault> {
    let message = message.to_owned();
    Err(Fault::failed(move |t| (t.demo.not_as_said)(&message)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn states_rank_in_the_order_of_the_ledger() {
        let ranks: Vec<usize> = ["", "queued", "held", "delivered", "read"]
            .iter()
            .map(|s| rank(s))
            .collect();
        assert_eq!(ranks, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn held_needs_this_relay_and_a_time_to_come() {
        let held =
            |relay: &str, until: u64| json!({ "state": "held", "held": [{ "relay": relay, "until_ms": until }] });
        is_held(&held("ab", u64::MAX), "ab").unwrap();
        assert!(is_held(&held("cd", u64::MAX), "ab").is_err());
        assert!(is_held(&held("ab", 1), "ab").is_err());
        assert!(is_held(&json!({ "state": "delivered", "held": [] }), "ab").is_err());
    }
}
