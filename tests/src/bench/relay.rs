//! Rows of the relay: deposits, pushes, and many watchers beside as many connections of the libraries alone.

use std::sync::Arc;
use std::time::Instant;

use futures::stream::{self, StreamExt as _};
use futures::{AsyncReadExt as _, AsyncWriteExt as _};
use madang_protocol::custody::{ClientFrame, CustodianFrame, Deposit, Watch};
use madang_protocol::envelope::Envelope;
use madang_protocol::keys::{TopicId, TopicSecret};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use crate::bench::floors::{ms, verify};
use crate::bench::host::{self, Host};
use crate::bench::press::Press;
use crate::bench::report::{Row, Sample};
use crate::bench::scale::Scale;
use crate::bench::wire::{self, CUSTODY, FAN, Link, MESSAGE_BYTES, SINK};

/// Bytes of an envelope's body: what a chat's message of 256 B comes to, padded and sealed.
const BODY_BYTES: usize = 480;
/// Seconds that an envelope is to be kept.
const TTL_S: u32 = 24 * 3600;
/// Topics of each depositor.
const TOPICS: usize = 4;
/// Frames of a depositor that await their receipts.
const WINDOW: usize = 4;
/// Streams that are opened at once.
const OPENING: usize = 64;
/// Watchers who are pushed all that was deposited.
const READERS: usize = 8;

/// How deposits come in.
#[derive(Clone, Copy)]
struct Shape {
    name: &'static str,
    connections: usize,
    frame: usize,
}

/// A sender's page, and people who each send one message at a time.
const SHAPES: [Shape; 2] = [
    Shape {
        name: "4 peers, 64 a frame",
        connections: 4,
        frame: 64,
    },
    Shape {
        name: "64 peers, one a frame",
        connections: 64,
        frame: 1,
    },
];

/// Deposits accepted and flushed, and pushes to watchers.
pub async fn deposits(scale: &Scale) -> Vec<Row> {
    let world = host::world();
    let relay = Host::relay(&world).await;
    let bare = Host::bare(&world, "bare").await;
    let mut rows = Vec::new();
    let mut topics = Vec::new();
    let mut stored = 0;
    for shape in SHAPES {
        let (mut rates, mut floor, mut stream, mut cpu) = (Vec::new(), Vec::new(), Vec::new(), 0.0);
        for run in 0..scale.repeats {
            floor.push(1000.0 / verify(scale.bare_messages));
            stream.push(sink_rate(&bare, scale.deposits).await);
            let loads: Vec<(Vec<TopicId>, Vec<Vec<u8>>)> = (0..shape.connections)
                .map(|at| {
                    load(
                        (shape.frame, run, at),
                        scale.deposits / shape.connections + 1,
                        shape.frame,
                    )
                })
                .collect();
            let mut depositors = Vec::new();
            for (own, frames) in loads {
                topics.extend(own);
                depositors.push((Link::open(&relay.addresses[0], CUSTODY).await, frames));
            }
            let before = host::cpu_seconds(relay.id());
            let began = Instant::now();
            let mut running = JoinSet::new();
            for (link, frames) in depositors {
                running.spawn(deposit(link, frames));
            }
            let accepted: usize = running.join_all().await.into_iter().sum();
            rates.push(accepted as f64 / began.elapsed().as_secs_f64());
            cpu = (host::cpu_seconds(relay.id()) - before) * 1e6 / accepted as f64;
            stored += accepted;
        }
        let bare = Sample::new(stream).median();
        rows.push(
            Row::new(format!("relay: deposits, {}", shape.name), "/s", rates)
                .floor("Ed25519 verify on one core", floor)
                .at_least(20_000.0)
                .note(format!("CPU a deposit {cpu:.0} µs; bare libp2p-stream {bare:.0}/s")),
        );
    }
    rows.push(pushes(scale, &relay, &bare, &topics, stored).await);
    rows
}

/// Signs a depositor's envelopes and encodes its frames.
fn load(seed: (usize, usize, usize), count: usize, frame: usize) -> (Vec<TopicId>, Vec<Vec<u8>>) {
    let secrets: Vec<TopicSecret> = (0..TOPICS)
        .map(|topic| {
            let seed = seed_of(&[seed.0, seed.1, seed.2, topic]);
            TopicSecret::from_bytes(seed)
        })
        .collect();
    let envelopes: Vec<Vec<u8>> = (0..count).map(|at| envelope(&secrets[at % TOPICS], at)).collect();
    let frames = envelopes.chunks(frame).enumerate().map(|(request, envelopes)| {
        wire::framed(&ClientFrame::Deposit(Deposit {
            request: request as u64,
            envelopes: envelopes.to_vec(),
        }))
    });
    (secrets.iter().map(TopicSecret::public).collect(), frames.collect())
}

/// A seed that tells numbers apart.
fn seed_of(numbers: &[usize]) -> [u8; 32] {
    let mut seed = [0; 32];
    for (place, number) in seed.chunks_mut(8).zip(numbers) {
        place.copy_from_slice(&(*number as u64).to_le_bytes());
    }
    seed
}

fn envelope(topic: &TopicSecret, at: usize) -> Vec<u8> {
    let mut body = vec![0xA5; BODY_BYTES];
    body[..8].copy_from_slice(&(at as u64).to_le_bytes());
    Envelope::sign(topic, TTL_S, &body).unwrap().into_bytes()
}

/// Sends frames, a window of them unanswered; returns how many envelopes the receipts accept.
pub async fn deposit(mut link: Link, frames: Vec<Vec<u8>>) -> usize {
    let (mut read, mut write) = (&mut link.stream).split();
    let window = Semaphore::new(WINDOW);
    let count = frames.len();
    let sending = async {
        for frame in frames {
            window.acquire().await.unwrap().forget();
            write.write_all(&frame).await.unwrap();
            write.flush().await.unwrap();
        }
    };
    let reading = async {
        let mut accepted = 0;
        for _ in 0..count {
            let CustodianFrame::Receipt(receipt) = wire::next(&mut read).await else {
                panic!("a relay answers a deposit with a receipt");
            };
            assert!(
                receipt.refused.is_empty(),
                "the relay refuses: {:?}",
                receipt.refused[0]
            );
            accepted += receipt.accepted.len();
            window.add_permits(1);
        }
        accepted
    };
    tokio::join!(sending, reading).1
}

/// All that is stored, pushed to some readers who acknowledge each page.
async fn pushes(scale: &Scale, relay: &Host, bare: &Host, topics: &[TopicId], stored: usize) -> Row {
    let (mut rates, mut stream, mut cpu) = (Vec::new(), Vec::new(), 0.0);
    for _ in 0..scale.repeats {
        stream.push(sink_rate(bare, scale.deposits).await);
        let mut links = Vec::new();
        for _ in 0..READERS {
            links.push(Link::open(&relay.addresses[0], CUSTODY).await);
        }
        let before = host::cpu_seconds(relay.id());
        let began = Instant::now();
        let mut running = JoinSet::new();
        for mut link in links {
            let topics = topics.to_vec();
            running.spawn(async move {
                watch(&mut link, topics).await;
                let (mut taken, mut bytes) = (0, 0);
                while taken < stored {
                    let CustodianFrame::Items(page) = link.next().await else {
                        panic!("a relay pushes items");
                    };
                    taken += page.items.len();
                    bytes += page.items.iter().map(|item| item.envelope.len() as u64).sum::<u64>();
                    link.send(&ClientFrame::Ack { bytes }).await;
                }
            });
        }
        while let Some(done) = running.join_next().await {
            done.unwrap();
        }
        let pushed = (READERS * stored) as f64;
        rates.push(pushed / began.elapsed().as_secs_f64());
        cpu = (host::cpu_seconds(relay.id()) - before) * 1e6 / pushed;
    }
    Row::new(
        format!("relay: pushes to {READERS} watchers of {} topics", topics.len()),
        "/s",
        rates,
    )
    .floor("bare libp2p-stream, one stream", stream)
    .note(format!("{stored} stored; CPU a push {cpu:.1} µs"))
}

async fn watch(link: &mut Link, topics: Vec<TopicId>) {
    for part in topics.chunks(madang_protocol::limits::WATCH_ITEMS) {
        let topics = part.iter().map(|topic| (*topic, None)).collect();
        link.send(&ClientFrame::Watch(Watch { request: 1, topics })).await;
    }
}

/// Envelopes a second that one stream of the libraries carries, in writes of 64 KiB.
async fn sink_rate(bare: &Host, envelopes: usize) -> f64 {
    let size = envelope(&TopicSecret::from_bytes([1; 32]), 0).len();
    let mut link = Link::open(&bare.addresses[0], SINK).await;
    let bytes = vec![7; envelopes * size];
    let began = Instant::now();
    link.stream
        .write_all(&(bytes.len() as u64).to_be_bytes())
        .await
        .unwrap();
    for chunk in bytes.chunks(64 * 1024) {
        link.stream.write_all(chunk).await.unwrap();
    }
    link.stream.flush().await.unwrap();
    link.stream.read_exact(&mut [0]).await.unwrap();
    envelopes as f64 / began.elapsed().as_secs_f64()
}

/// Many watchers of one topic, beside as many streams of the libraries alone.
pub async fn watchers(scale: &Scale) -> Vec<Row> {
    let mut rows = Vec::new();
    for count in scale.watchers {
        rows.extend(watchers_of(scale, *count).await);
    }
    rows
}

async fn watchers_of(scale: &Scale, count: usize) -> Vec<Row> {
    let what = |what: &str| format!("relay: {count} watchers, {what}");
    if open_files() < count as u64 + 256 {
        let note = format!("needs {} open files; see ulimit -n", count + 256);
        return vec![Row::new(what("post to all"), "s", Vec::new()).at_most(1.0).note(note)];
    }
    let world = host::world();
    let relay = Host::relay(&world).await;
    let (mut ours, memory, cpu) = relay_watchers(scale, count, &relay).await;
    let (mut bare, bare_memory) = bare_watchers(scale, count, &Host::bare(&world, "bare").await).await;
    let limit = 1.2 * bare_memory;
    let mut rows: Vec<Row> = [("a post to half of them", 0.5), ("a post to 99 of 100", 0.99)]
        .map(|(name, share)| {
            let of = |runs: &[Sample]| runs.iter().map(|times| times.quantile(share)).collect();
            Row::new(what(name), "s", of(&ours)).floor("bare libp2p-stream", of(&bare))
        })
        .into();
    let last = |runs: &mut Vec<Sample>| runs.drain(..).map(|times| times.max()).collect();
    rows.extend([
        Row::new(what("post to all"), "s", last(&mut ours))
            .floor("bare libp2p-stream", last(&mut bare))
            .at_most(1.0)
            .note(format!("the relay's CPU for each of them {cpu:.0} µs")),
        Row::new(what("memory of each"), "kB", vec![memory])
            .floor("bare libp2p-stream", vec![bare_memory])
            .at_most(limit)
            .note("resident memory, before and after they connect"),
    ]);
    rows
}

/// Seconds of each post until each watcher has it, kilobytes of the relay's memory for a watcher, and microseconds of its processor time
/// for a post to one.
async fn relay_watchers(scale: &Scale, count: usize, relay: &Host) -> (Vec<Sample>, f64, f64) {
    let mut press = Press::root([9; 32]);
    let mut depositor = Link::open(&relay.addresses[0], CUSTODY).await;
    let id = relay.id();
    let before = host::resident(id);
    let (told, mut heard) = mpsc::unbounded_channel();
    let ids: Vec<TopicId> = vec![press.topic()];
    let running: Vec<_> = open_all(&relay.addresses[0], CUSTODY, count)
        .map(|mut link| {
            let (ids, told) = (ids.clone(), told.clone());
            async move {
                watch(&mut link, ids).await;
                // An empty page says that the watch stands.
                link.next().await;
                let reading = tokio::spawn(async move {
                    let mut bytes = 0;
                    loop {
                        if let CustodianFrame::Items(page) = link.next().await {
                            let now = Instant::now();
                            bytes += page.items.iter().map(|item| item.envelope.len() as u64).sum::<u64>();
                            for _ in &page.items {
                                // The other end goes when all is measured.
                                told.send(now).ok();
                            }
                            link.send(&ClientFrame::Ack { bytes }).await;
                        }
                    }
                });
                reading.abort_handle()
            }
        })
        .buffer_unordered(OPENING)
        .collect()
        .await;
    let memory = (host::resident(id) - before) / count as f64 / 1e3;
    let mut times = Vec::new();
    let mut used = host::cpu_seconds(id);
    for run in 0..=scale.repeats {
        let frame = ClientFrame::Deposit(Deposit {
            request: run as u64,
            envelopes: vec![press.post().into_bytes()],
        });
        let began = Instant::now();
        depositor.send(&frame).await;
        let taken = arrivals(&mut heard, count, began).await;
        depositor.next().await;
        // The first warms up.
        if run == 0 {
            used = host::cpu_seconds(id);
        } else {
            times.push(taken);
        }
    }
    let posts = (scale.repeats * count) as f64;
    let cpu = (host::cpu_seconds(id) - used) * 1e6 / posts;
    running.iter().for_each(tokio::task::AbortHandle::abort);
    (times, memory, cpu)
}

/// Seconds until each of so many had it.
async fn arrivals(heard: &mut mpsc::UnboundedReceiver<Instant>, count: usize, began: Instant) -> Sample {
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let at = heard.recv().await.unwrap();
        times.push(at.duration_since(began).as_secs_f64());
    }
    Sample::new(times)
}

/// As [`relay_watchers`], of the bare host.
async fn bare_watchers(scale: &Scale, count: usize, bare: &Host) -> (Vec<Sample>, f64) {
    let mut sender = Link::open(&bare.addresses[0], FAN).await;
    let id = bare.id();
    let before = host::resident(id);
    let (told, mut heard) = mpsc::unbounded_channel();
    let running: Vec<_> = open_all(&bare.addresses[0], FAN, count)
        .map(|mut link| {
            let told = told.clone();
            async move {
                let reading = tokio::spawn(async move {
                    let mut message = [0; MESSAGE_BYTES];
                    while link.stream.read_exact(&mut message).await.is_ok() {
                        told.send(Instant::now()).ok();
                    }
                });
                reading.abort_handle()
            }
        })
        .buffer_unordered(OPENING)
        .collect()
        .await;
    let memory = (host::resident(id) - before) / count as f64 / 1e3;
    let mut times = Vec::new();
    for run in 0..=scale.repeats {
        let mut message = [run as u8; MESSAGE_BYTES];
        let began = Instant::now();
        sender.stream.write_all(&message).await.unwrap();
        sender.stream.flush().await.unwrap();
        let taken = arrivals(&mut heard, count, began).await;
        if run > 0 {
            times.push(taken);
        }
        sender.stream.read_exact(&mut message).await.unwrap();
    }
    running.iter().for_each(tokio::task::AbortHandle::abort);
    (times, memory)
}

/// Opens streams, each on a connection of its own, some at a time.
fn open_all(address: &str, protocol: libp2p::StreamProtocol, count: usize) -> impl stream::Stream<Item = Link> {
    let address: Arc<str> = address.into();
    stream::iter(0..count)
        .map(move |_| {
            let (address, protocol) = (address.clone(), protocol.clone());
            async move { Link::open(&address, protocol).await }
        })
        .buffer_unordered(OPENING)
}

/// How many files this process may open.
fn open_files() -> u64 {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find(|line| line.starts_with("Max open files"));
    line.and_then(|line| line.split_whitespace().nth(3)?.parse().ok())
        .unwrap_or(0)
}

/// The libraries' streams as rows of their own: round trip, throughput, memory of a connection.
pub async fn bare(scale: &Scale) -> Vec<Row> {
    let mut rows = Vec::new();
    for (at, name) in ["TCP", "QUIC"].into_iter().enumerate() {
        let world = host::world();
        let (mut trips, mut rates, mut memory) = (Vec::new(), Vec::new(), Vec::new());
        for run in 0..scale.repeats {
            let mut host = Host::bare(&world, &format!("bare-{run}")).await;
            host.addresses.swap(0, at);
            let mut link = Link::open(&host.addresses[0], FAN).await;
            let mut message = [1; MESSAGE_BYTES];
            let mut times = Vec::new();
            for _ in 0..scale.latency_messages {
                let began = Instant::now();
                link.stream.write_all(&message).await.unwrap();
                link.stream.flush().await.unwrap();
                link.stream.read_exact(&mut message).await.unwrap();
                times.push(ms(began));
            }
            trips.push(Sample::new(times).median());
            rates.push(sink_rate(&host, scale.deposits).await);
            let before = host::resident(host.id());
            let links: Vec<Link> = open_all(&host.addresses[0], FAN, scale.bare_connections)
                .collect()
                .await;
            memory.push((host::resident(host.id()) - before) / links.len() as f64 / 1e3);
        }
        let connections = scale.bare_connections;
        rows.extend([
            Row::new(
                format!("floor: bare libp2p-stream, {name}: round trip of 256 B"),
                "ms",
                trips,
            ),
            Row::new(
                format!("floor: bare libp2p-stream, {name}: envelopes, one stream"),
                "/s",
                rates,
            ),
            Row::new(
                format!("floor: bare libp2p-stream, {name}: memory of a connection"),
                "kB",
                memory,
            )
            .note(format!("with {connections} connections, one stream each")),
        ]);
    }
    rows
}
