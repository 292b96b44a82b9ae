//! Rows of one-to-one chats: latency, sustained rate, catching up, start.

use std::time::Instant;

use crate::bench::floors::{Echo, Flush, Pair, TEXT_BYTES, ms, verify};
use crate::bench::host;
use crate::bench::people::{self, Duo, Way};
use crate::bench::report::{Row, Sample};
use crate::bench::scale::Scale;

/// Messages between two looks at the floors.
const BLOCK: usize = 10;
/// Milliseconds that the budget allows beyond two flushes.
const BEYOND_FLUSHES_MS: f64 = 0.7;

/// One message of 256 B at a time, from the call of `message.send` to the receiver's event.
pub async fn latency(scale: &Scale, way: Way) -> Vec<Row> {
    let duo = Duo::start(way).await;
    let mut flush = Flush::new(duo.world.dir());
    let mut echo = Echo::new();
    let mut pair = Pair::new();
    let mut events = host::events(duo.bob.data(), None).await;
    let mut sender = crate::bench::socket::Socket::open(duo.alice.data()).await;
    let text = "x".repeat(TEXT_BYTES);
    let (mut p50, mut p99) = (Vec::new(), Vec::new());
    let (mut flushes, mut trips, mut mls, mut answers) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for run in 0..=scale.repeats {
        let mut times = Vec::new();
        let mut own = Vec::new();
        for at in 0..scale.latency_messages {
            let call = people::call(at, &duo.chat, &text);
            let began = Instant::now();
            sender.send(&call).await;
            let (took, answered) = tokio::join!(
                async {
                    while !host::is(&events.next().await, "message.received") {}
                    ms(began)
                },
                async {
                    let answer = sender.next().await;
                    assert!(
                        !host::has(&answer, b"\"error\""),
                        "{}",
                        String::from_utf8_lossy(&answer)
                    );
                    ms(began)
                }
            );
            times.push(took);
            own.push(answered);
            if at % BLOCK == 0 {
                flushes.push(flush.take());
                trips.push(echo.take());
                let (seal, open) = pair.take(1);
                mls.push(seal + open);
            }
        }
        // The first run warms up: allocators, caches, the ratchet's rows.
        if run > 0 {
            let times = Sample::new(times);
            p50.push(times.quantile(0.5));
            p99.push(times.quantile(0.99));
            answers.push(Sample::new(own).median());
        }
    }
    let (flush, trip, mls) = (Sample::new(flushes), Sample::new(trips), Sample::new(mls));
    let floor = 2.0 * flush.median() + trip.median() + mls.median();
    let what = "2 fdatasync + TCP round trip + MLS seal and open";
    let name = way.name();
    let limit = 2.0 * flush.median() + BEYOND_FLUSHES_MS;
    let mut rows = vec![
        Row::new(format!("one message, {name}, p50"), "ms", p50)
            .floor(what, vec![floor])
            .note(format!("sender's answer after {:.2} ms", Sample::new(answers).median())),
        Row::new(format!("one message, {name}, p99"), "ms", p99).floor(what, vec![floor]),
    ];
    if way == Way::Direct {
        rows[0] = rows[0].clone().at_most(limit);
    }
    rows
}

/// Messages of 256 B as fast as they are taken, until the last is committed at the receiver.
pub async fn sustained(scale: &Scale, way: Way) -> Vec<Row> {
    let duo = Duo::start(way).await;
    let mut pair = Pair::new();
    people::send_and_take(&duo, scale.sustained_messages / 4 + 1, TEXT_BYTES).await;
    let (mut rates, mut floor, mut answered, mut cpu) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut ids = vec![
        ("sender", host::process_of(duo.alice.data())),
        ("receiver", host::process_of(duo.bob.data())),
    ];
    ids.extend(duo.relay.as_ref().map(|relay| ("relay", relay.id())));
    for _ in 0..scale.repeats {
        let (seal, open) = pair.take(scale.bare_messages);
        floor.push(1000.0 / (seal + open + verify(scale.bare_messages)));
        let before: Vec<f64> = ids.iter().map(|(_, id)| host::cpu_seconds(*id)).collect();
        let (taken, sent) = people::send_and_take(&duo, scale.sustained_messages, TEXT_BYTES).await;
        let messages = scale.sustained_messages as f64;
        rates.push(messages / taken);
        answered.push(messages / sent);
        cpu = ids
            .iter()
            .zip(before)
            .map(|((name, id), before)| format!("{name} {:.0} µs", (host::cpu_seconds(*id) - before) * 1e6 / messages))
            .collect();
    }
    let row = Row::new(format!("messages sustained, {}", way.name()), "/s", rates)
        .floor("MLS seal, open and Ed25519 verify on one core", floor)
        .note(format!(
            "answered to the sender {:.0}/s; CPU a message: {}",
            Sample::new(answered).median(),
            cpu.join(", ")
        ));
    vec![row.at_least(10_000.0)]
}

/// Messages stored at the relay while the receiver was away, from its `ready` to the last event.
pub async fn catch_up(scale: &Scale) -> Vec<Row> {
    let mut duo = Duo::start(Way::Relay).await;
    let mut pair = Pair::new();
    let (mut times, mut floor, mut starts) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..scale.repeats {
        let (_, open) = pair.take(scale.bare_messages);
        floor.push(open * scale.backlog as f64 / 1000.0);
        let cursor = people::newest(&duo.bob).await;
        duo.bob.stop().await;
        let mut ledger = host::events(duo.alice.data(), None).await;
        let chats = [duo.chat.clone()];
        tokio::join!(
            people::send(duo.alice.data(), &chats, scale.backlog, TEXT_BYTES),
            people::count(&mut ledger, "message.ledger", b"\"state\":\"held\"", scale.backlog)
        );
        duo.alice.stop().await;
        let starting = Instant::now();
        duo.bob.up().await;
        starts.push(ms(starting));
        let ready = Instant::now();
        let mut events = host::events(duo.bob.data(), Some(&cursor)).await;
        people::count(&mut events, "message.received", b"", scale.backlog).await;
        times.push(ready.elapsed().as_secs_f64());
        duo.alice.up().await;
    }
    let row = Row::new(format!("return and read {} messages", scale.backlog), "s", times)
        .floor("MLS open on one core", floor)
        .at_most(1.0)
        .note(format!(
            "start to ready before it: {:.0} ms",
            Sample::new(starts).median()
        ));
    vec![row]
}

/// From starting the process to its `ready`, with many messages stored.
pub async fn start(scale: &Scale) -> Vec<Row> {
    let mut duo = Duo::start(Way::Direct).await;
    let mut empty = Vec::new();
    for _ in 0..scale.repeats {
        duo.bob.stop().await;
        let began = Instant::now();
        duo.bob.up().await;
        empty.push(ms(began));
    }
    people::send_and_take(&duo, scale.stored, TEXT_BYTES).await;
    let (mut sender, mut receiver, mut killed) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..scale.repeats {
        duo.alice.stop().await;
        let began = Instant::now();
        duo.alice.up().await;
        sender.push(ms(began));
        duo.bob.stop().await;
        let began = Instant::now();
        duo.bob.up().await;
        receiver.push(ms(began));
        duo.bob.kill().await;
        let began = Instant::now();
        duo.bob.up().await;
        killed.push(ms(began));
    }
    let what = "start with nothing stored";
    let named = |whose: &str| format!("start to ready, {} messages, {whose}", scale.stored);
    vec![
        Row::new(named("receiver"), "ms", receiver)
            .floor(what, empty.clone())
            .at_most(300.0),
        Row::new(named("sender"), "ms", sender)
            .floor(what, empty.clone())
            .at_most(300.0),
        Row::new(named("receiver, killed"), "ms", killed).floor(what, empty),
    ]
}
