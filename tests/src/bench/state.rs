//! Rows of what a node keeps: memory, processor and network at rest, and space on disk.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use crate::bench::host::{self, Host};
use crate::bench::people;
use crate::bench::report::Row;
use crate::bench::scale::Scale;
use crate::join;

/// Bytes of a short message's text.
const SHORT_BYTES: usize = 64;

/// A node with chats, whose relay is behind a proxy that counts, while nothing happens.
pub async fn idle(scale: &Scale) -> Vec<Row> {
    let world = host::world();
    let relay = Host::relay(&world).await;
    let proxy = Proxy::start(&relay.addresses[0]).await;
    // All know the relay by the proxy's address alone: alice would dial any other that friends name.
    let relays = [proxy.address.clone()];
    let mut alice = host::person(&world, "alice", &relays, true).await;
    for at in 0..scale.chats {
        let mut friend = host::person(&world, &format!("friend-{at}"), &relays, false).await;
        let chat = join(&mut alice, &mut friend).await;
        let text = friend.send(&chat, "hello").await;
        alice.receives(&text).await;
        friend.stop().await;
    }
    let used = host::resident(host::process_of(alice.data()));
    // What setting up left in memory isn't the idle node's.
    alice.stop().await;
    alice.up().await;
    let id = host::process_of(alice.data());
    sleep(Duration::from_secs(scale.settle_seconds)).await;
    let (cpu, bytes) = (host::cpu_seconds(id), proxy.bytes());
    sleep(Duration::from_secs(scale.idle_seconds)).await;
    let seconds = scale.idle_seconds as f64;
    let share = (host::cpu_seconds(id) - cpu) / seconds * 100.0;
    let hourly = (proxy.bytes() - bytes) as f64 / seconds * 3600.0;
    let what = format!("idle node, {} chats", scale.chats);
    let note = format!(
        "over {seconds} s, friends offline, from {} s after its start",
        scale.settle_seconds
    );
    vec![
        Row::new(format!("{what}: memory"), "MB", vec![host::resident(id) / 1e6])
            .at_most(40.0)
            .note(format!("resident, after a restart; {:.1} MB before it", used / 1e6)),
        Row::new(format!("{what}: processor"), "% of a core", vec![share])
            .at_most(0.3)
            .note(note.clone()),
        Row::new(format!("{what}: traffic"), "MB a day", vec![hourly * 24.0 / 1e6])
            .at_most(5.0)
            .note(format!(
                "{hourly:.0} bytes an hour of TCP payload with its relay, {note}"
            )),
    ]
}

/// Compacts so often that little is left uncompacted in the end.
const COMPACTING: [(&str, &str); 1] = [("MADANG_COMPACT_EVERY", "25")];

/// Bytes on disk for a short message, at its sender, its receiver and the relay.
pub async fn disk(scale: &Scale) -> Vec<Row> {
    let world = host::world();
    let relay = Host::relay_with(&world, &COMPACTING).await;
    let mut alice = host::person_with(&world, "alice", &relay.addresses, true, &COMPACTING).await;
    let mut bob = host::person_with(&world, "bob", &relay.addresses, true, &COMPACTING).await;
    let (mut friends, mut out, mut back) = (Vec::new(), Vec::new(), Vec::new());
    for at in 0..scale.disk_chats {
        let mut friend = host::person(&world, &format!("friend-{at}"), &relay.addresses, true).await;
        out.push(join(&mut alice, &mut friend).await);
        back.push(join(&mut bob, &mut friend).await);
        friends.push(friend);
    }
    let places = [alice.data().to_owned(), bob.data().to_owned(), relay.data.clone()];
    let before: Vec<f64> = places.iter().map(|place| host::disk_bytes(place)).collect();
    let each = scale.disk_messages / scale.disk_chats;
    let mut peaks = before.clone();
    let load = async {
        let mut taken = host::events(bob.data(), None).await;
        for (friend, (to, from)) in friends.iter().zip(out.iter().zip(&back)) {
            let mut events = host::events(friend.data(), None).await;
            tokio::join!(
                people::send(alice.data(), std::slice::from_ref(to), each, SHORT_BYTES),
                people::count(&mut events, "message.received", b"", each),
                people::send(friend.data(), std::slice::from_ref(from), each, SHORT_BYTES),
                people::count(&mut taken, "message.received", b"", each),
            );
        }
    };
    let watch = async {
        loop {
            for (peak, place) in peaks.iter_mut().zip(&places) {
                *peak = peak.max(host::disk_bytes(place));
            }
            sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::select! {
        () = load => {}
        () = watch => {}
    }
    let envelopes = relay.metric("madang_relay_envelopes").await;
    // Idle compaction gets the time it asks for.
    let mut after: Vec<f64> = places.iter().map(|place| host::disk_bytes(place)).collect();
    for _ in 0..scale.idle_seconds {
        sleep(Duration::from_secs(1)).await;
        after = places.iter().map(|place| host::disk_bytes(place)).collect();
    }
    let messages = (each * scale.disk_chats) as f64;
    let row = |at: usize, whose: &str, count: f64, limit: f64| {
        Row::new(
            format!("disk for a message of 64 B: {whose}"),
            "B",
            vec![after[at] / count],
        )
        .at_most(limit)
        .note(format!(
            "{:.1} MB, {:.1} MB before; peak {:.1} MB, {:.1} × the end",
            after[at] / 1e6,
            before[at] / 1e6,
            peaks[at] / 1e6,
            peaks[at] / after[at]
        ))
    };
    let mut rows = vec![
        row(0, "sender", messages, 700.0),
        row(1, "receiver", messages, 700.0),
        row(2, "relay", 2.0 * messages, 500.0),
    ];
    let note = format!("{}; {envelopes:.0} envelopes stored", rows[2].note);
    rows[2].note = note;
    rows
}

/// Passes TCP connections on and counts their bytes.
struct Proxy {
    address: String,
    bytes: Arc<AtomicU64>,
}

impl Proxy {
    /// Starts one before a multiaddr of TCP.
    async fn start(to: &str) -> Self {
        let mut parts: Vec<String> = to.split('/').map(str::to_owned).collect();
        let target: SocketAddr = format!("{}:{}", parts[2], parts[4]).parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        parts[4] = listener.local_addr().unwrap().port().to_string();
        let bytes = Arc::new(AtomicU64::new(0));
        let counted = bytes.clone();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let Ok(far) = TcpStream::connect(target).await else {
                    continue;
                };
                let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
                tokio::spawn(pass(near_in, far_out, counted.clone()));
                tokio::spawn(pass(far_in, near_out, counted.clone()));
            }
        });
        Self {
            address: parts.join("/"),
            bytes,
        }
    }

    fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, counted: Arc<AtomicU64>) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        counted.fetch_add(length as u64, Ordering::Relaxed);
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
