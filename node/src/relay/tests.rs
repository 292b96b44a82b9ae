//! A relay on loopback with real clients: network, store and state machine together.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use crate::clock::now_ms;
use crate::net::PeerKey;
use crate::store::{Store, StoreKind, Unlock};
use madang_protocol::custody::relay::{Relay, RelayConfig as Rules, RelayInput};
use madang_protocol::custody::{ClientFrame, Cursor, CustodianFrame, Deposit, Items, Receipt, Watch};
use madang_protocol::envelope::Envelope;
use madang_protocol::keys::{TopicSecret, TransportKey, TransportSecret};
use madang_protocol::wire::Wire;
use std::net::SocketAddr;
use std::path::Path;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

/// Far beyond what anything here takes.
const LONG: Duration = Duration::from_secs(30);

fn config(data: &Path) -> RelayConfig {
    RelayConfig {
        data: data.to_owned(),
        passphrase: None,
        listen: vec!["/ip4/127.0.0.1/tcp/0".into()],
        metrics: Some("127.0.0.1:0".parse().unwrap()),
        admission: Admission::Open,
        quotas: Default::default(),
        directory: true,
        peers: Vec::new(),
    }
}

struct Running {
    ready: RelayReady,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), NodeError>>,
}

impl Running {
    async fn start(config: RelayConfig) -> Self {
        let (say_ready, hear_ready) = oneshot::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(run_relay(
            config,
            move |ready| say_ready.send(ready).unwrap(),
            async move { stopped.await.unwrap() },
        ));
        let ready = timeout(LONG, hear_ready).await.unwrap();
        match ready {
            Ok(ready) => Self { ready, stop, task },
            Err(_) => panic!("{:?}", task.await),
        }
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        timeout(LONG, self.task).await.unwrap().unwrap().unwrap();
    }

    fn key(&self) -> TransportKey {
        self.ready.relay.parse().unwrap()
    }
}

/// A client with one connection to a relay.
struct Client {
    net: NetHandle,
    events: mpsc::Receiver<NetEvent>,
    relay: PeerKey,
    stream: u64,
}

impl Client {
    async fn connect(seed: u8, ready: &RelayReady) -> Self {
        let config = NetConfig {
            identity: Zeroizing::new([seed; 32]),
            listen: vec![],
            role: Role::Node,
            limits: NetLimits::node(),
        };
        let (net, events) = net::start(config).await.unwrap();
        let (relay, address) = net::parse_address(&ready.addresses[0]).unwrap();
        net.command(NetCommand::Dial {
            peer: relay,
            addrs: vec![address],
        })
        .await
        .unwrap();
        let mut client = Self {
            net,
            events,
            relay,
            stream: 0,
        };
        loop {
            if let NetEvent::StreamOpen {
                side: Side::Client,
                stream,
                ..
            } = client.event().await
            {
                client.stream = stream;
                return client;
            }
        }
    }

    async fn event(&mut self) -> NetEvent {
        timeout(LONG, self.events.recv()).await.unwrap().unwrap()
    }

    async fn send(&self, frame: &ClientFrame) {
        let command = NetCommand::Send {
            peer: self.relay,
            side: Side::Client,
            stream: self.stream,
            frame: frame.encode().into(),
        };
        self.net.command(command).await.unwrap();
    }

    async fn frame(&mut self) -> CustodianFrame {
        loop {
            if let NetEvent::Frame {
                side: Side::Client,
                bytes,
                ..
            } = self.event().await
            {
                return CustodianFrame::decode(&bytes).unwrap();
            }
        }
    }

    async fn deposit(&mut self, envelopes: &[Envelope]) -> Receipt {
        let envelopes = envelopes.iter().map(|envelope| envelope.bytes().to_vec()).collect();
        self.send(&ClientFrame::Deposit(Deposit { request: 3, envelopes }))
            .await;
        loop {
            if let CustodianFrame::Receipt(receipt) = self.frame().await {
                return receipt;
            }
        }
    }

    async fn watch(&self, cursor: Option<Cursor>) {
        let topics = vec![(topic().public(), cursor)];
        self.send(&ClientFrame::Watch(Watch { request: 4, topics })).await;
    }

    async fn page(&mut self) -> Items {
        loop {
            if let CustodianFrame::Items(items) = self.frame().await {
                return items;
            }
        }
    }
}

fn topic() -> TopicSecret {
    TopicSecret::from_bytes([1; 32])
}

fn envelope(body: &str) -> Envelope {
    Envelope::sign(&topic(), 3600, body.as_bytes()).unwrap()
}

async fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream
        .write_all(format!("GET {path} HTTP/1.1\r\nHost: relay\r\n\r\n").as_bytes())
        .await
        .unwrap();
    let mut answer = String::new();
    timeout(LONG, stream.read_to_string(&mut answer))
        .await
        .unwrap()
        .unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f26_a_deposit_is_receipted_pushed_and_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Running::start(config(dir.path())).await;
    let (mut alice, mut bob) = tokio::join!(Client::connect(1, &relay.ready), Client::connect(2, &relay.ready));
    bob.watch(None).await;
    let first = bob.page().await;
    assert!(first.caught_up && first.items.is_empty());

    let sent = envelope("hello");
    let receipt = alice.deposit(std::slice::from_ref(&sent)).await;

    receipt.verify(&relay.key()).unwrap();
    assert_eq!(receipt.accepted[0].id, sent.id());
    let pushed = bob.page().await;
    assert_eq!(pushed.items[0].envelope, sent.bytes());
    let key = relay.key();
    relay.stop().await;

    let relay = Running::start(config(dir.path())).await;
    assert_eq!(relay.key(), key, "the transport key is kept");
    let mut carol = Client::connect(3, &relay.ready).await;
    carol.watch(None).await;
    assert_eq!(carol.page().await.items[0].envelope, sent.bytes());
    carol.watch(Some(pushed.cursor)).await;
    let resumed = carol.page().await;
    assert!(resumed.caught_up && !resumed.void && resumed.items.is_empty());
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_deposits_at_once_are_each_answered() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Running::start(config(dir.path())).await;
    let mut alice = Client::connect(1, &relay.ready).await;
    for n in 0..500 {
        let envelopes = vec![envelope(&format!("message {n}")).into_bytes()];
        alice
            .send(&ClientFrame::Deposit(Deposit { request: n, envelopes }))
            .await;
    }

    let mut answered = Vec::new();
    while answered.len() < 500 {
        if let CustodianFrame::Receipt(receipt) = alice.frame().await {
            assert_eq!(receipt.accepted.len(), 1);
            answered.push(receipt.request);
        }
    }

    assert_eq!(answered, (0..500).collect::<Vec<_>>());
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_and_health_are_served() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Running::start(config(dir.path())).await;
    let address = relay.ready.metrics.unwrap();
    let mut alice = Client::connect(1, &relay.ready).await;
    alice.watch(None).await;
    alice.page().await;
    alice.deposit(&[envelope("a"), envelope("b")]).await;
    alice
        .send(&ClientFrame::Deposit(Deposit {
            request: 9,
            envelopes: vec![b"junk".to_vec()],
        }))
        .await;
    while !matches!(alice.frame().await, CustodianFrame::Receipt(receipt) if receipt.request == 9) {}

    let text = get(address, "/metrics").await;

    for line in [
        "madang_relay_envelopes_accepted_total 2",
        "madang_relay_errors_total{operation=\"deposit\",reason=\"invalid\"} 1",
        "madang_relay_requests_total{operation=\"deposit\"} 2",
        "madang_relay_requests_total{operation=\"watch\"} 1",
        "madang_relay_envelopes 2",
        "madang_relay_topics 1",
        "madang_relay_peers 1",
        "madang_relay_watches 1",
        "madang_relay_read_only 0",
        "madang_relay_duration_seconds_count{operation=\"flush\"}",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    check_exposition(&text);
    for path in ["/health", "/ready"] {
        assert!(get(address, path).await.starts_with("HTTP/1.1 200"), "{path}");
    }
    assert!(get(address, "/else").await.starts_with("HTTP/1.1 404"));
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f07_an_endless_head_of_a_metrics_request_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Running::start(config(dir.path())).await;
    let mut stream = TcpStream::connect(relay.ready.metrics.unwrap()).await.unwrap();

    stream
        .write_all(&[b"GET /metrics HTTP/1.1\r\nX: ".as_slice(), &[b'x'; 64 * 1024]].concat())
        .await
        .ok();

    let mut answer = Vec::new();
    timeout(LONG, stream.read_to_end(&mut answer)).await.unwrap().ok();
    assert!(!answer.starts_with(b"HTTP/1.1 200"));
    assert!(
        get(relay.ready.metrics.unwrap(), "/health")
            .await
            .starts_with("HTTP/1.1 200")
    );
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f34_a_second_relay_on_the_same_directory_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Running::start(config(dir.path())).await;

    let second = run_relay(
        config(dir.path()),
        |_| panic!("it must not serve"),
        std::future::pending(),
    )
    .await;

    let Err(NodeError::Store { reason, .. }) = second else {
        panic!("{second:?}")
    };
    assert!(reason.contains("in use"), "{reason}");
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_taken_port_or_a_bad_address_says_what_to_do() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let relay = Running::start(config(one.path())).await;
    let taken = relay.ready.addresses[0].split("/p2p/").next().unwrap().to_owned();

    let with = |listen: String| RelayConfig {
        listen: vec![listen],
        ..config(two.path())
    };
    let busy = run_relay(with(taken), |_| {}, std::future::pending()).await;
    let bad = run_relay(with("localhost:4801".into()), |_| {}, std::future::pending()).await;

    let Err(NodeError::Network { reason }) = busy else {
        panic!("{busy:?}")
    };
    assert!(reason.contains("--listen"), "{reason}");
    assert!(
        matches!(bad, Err(NodeError::Config { field: "--listen", .. })),
        "{bad:?}"
    );
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f35_a_wrong_passphrase_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let with = |words: &str| RelayConfig {
        passphrase: Some(Zeroizing::new(words.into())),
        ..config(dir.path())
    };
    Running::start(with("right")).await.stop().await;

    let wrong = run_relay(with("wrong"), |_| panic!("it must not serve"), std::future::pending()).await;

    let Err(NodeError::Store { reason, .. }) = wrong else {
        panic!("{wrong:?}")
    };
    assert!(reason.contains("wrong passphrase"), "{reason}");
    Running::start(with("right")).await.stop().await;
}

#[test]
fn a_turn_commits_a_large_step_before_it_takes_more() {
    let dir = tempfile::tempdir().unwrap();
    let mut keeper = Keeper::open(&config(dir.path()), &[], Arc::new(Metrics::new())).unwrap();
    let peer = PeerKey(TransportSecret::from_bytes([8; 32]).public().0);
    let mut inbox = VecDeque::from([Arrived::now(Incoming::Opened(peer, 1))]);
    for frame in 0..24_u64 {
        let body = |n: u64| [frame.to_be_bytes(), n.to_be_bytes()].concat().repeat(3000);
        let envelopes: Vec<_> = (0..20)
            .map(|n| Envelope::sign(&topic(), 3600, &body(n)).unwrap().into_bytes())
            .collect();
        let bytes = ClientFrame::Deposit(Deposit {
            request: frame,
            envelopes,
        })
        .encode();
        inbox.push_back(Arrived::now(Incoming::Frame(peer, bytes.into())));
    }

    let first = keeper.turn(&mut inbox);

    assert!(!inbox.is_empty());
    let mut receipts = first.commands.len();
    while !inbox.is_empty() {
        receipts += keeper.turn(&mut inbox).commands.len();
    }
    assert_eq!(receipts, 24);
}

/// Holds what Prometheus reads against its conventions: each family has its name, type and unit, each sample belongs to one.
fn check_exposition(text: &str) {
    let body = text.split_once("\r\n\r\n").map_or(text, |(_, body)| body);
    let mut types = std::collections::BTreeMap::new();
    let mut units = std::collections::BTreeMap::new();
    let mut samples = 0;
    assert!(body.trim_end().ends_with("# EOF"));
    for line in body.lines() {
        let words: Vec<&str> = line.splitn(4, ' ').collect();
        match words.as_slice() {
            ["#", "TYPE", family, kind] => assert!(types.insert(*family, *kind).is_none(), "{family} twice"),
            ["#", "UNIT", family, unit] => {
                assert!(family.ends_with(&format!("_{unit}")), "{family} in {unit}");
                units.insert(*family, *unit);
            }
            ["#", ..] => {}
            _ => {
                samples += 1;
                let (name, value) = line.rsplit_once(' ').unwrap();
                value.parse::<f64>().unwrap();
                let name = name.split('{').next().unwrap();
                assert!(name.starts_with("madang_relay_"), "{name}");
                let family = ["_total", "_bucket", "_sum", "_count", "_info"]
                    .iter()
                    .filter_map(|suffix| name.strip_suffix(suffix))
                    .find(|family| types.contains_key(family))
                    .unwrap_or(name);
                let kind = types.get(family).unwrap_or_else(|| panic!("{name} has no type"));
                assert_eq!(*kind == "counter", name.ends_with("_total"), "{name} is a {kind}");
                assert!(
                    !name.contains("_ms") && !name.contains("_kb"),
                    "{name}: base units only"
                );
                for unit in ["seconds", "bytes"] {
                    let ends = family.ends_with(unit);
                    assert_eq!(ends, units.get(family) == Some(&unit), "{family} and its unit");
                }
            }
        }
    }
    assert!(samples > 50, "{samples} samples");
    for (family, kind) in [
        ("madang_relay_duration_seconds", "histogram"),
        ("madang_relay_requests", "counter"),
        ("madang_relay_errors", "counter"),
        ("madang_relay_envelopes_bytes", "gauge"),
        ("madang_relay_disk_free_bytes", "gauge"),
        ("madang_relay_queue_bytes", "gauge"),
        ("madang_relay_queue_items", "gauge"),
        ("madang_relay_deposits_shed", "counter"),
        ("madang_relay_admissions", "counter"),
        ("madang_relay_network_events", "counter"),
    ] {
        assert_eq!(types.get(family), Some(&kind), "{family}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deposits_of_several_peers_are_verified_beside_each_other_and_each_answered_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Running::start(config(dir.path())).await;
    let mut peers = Vec::new();
    for seed in 1..4_u8 {
        peers.push(Client::connect(seed, &relay.ready).await);
    }
    const FRAMES: u64 = 60;
    for request in 0..FRAMES {
        for (n, peer) in peers.iter().enumerate() {
            let body = |i: u64| format!("{n} {request} {i}").repeat(20);
            let mut envelopes: Vec<_> = (0..8).map(|i| envelope(&body(i)).into_bytes()).collect();
            if request == 9 {
                envelopes.push(b"junk".to_vec());
            }
            peer.send(&ClientFrame::Deposit(Deposit { request, envelopes })).await;
            if request % 20 == 19 {
                break;
            }
        }
    }
    for (n, peer) in peers.iter_mut().enumerate() {
        let expected: Vec<u64> = (0..FRAMES).filter(|request| n == 0 || request % 20 != 19).collect();
        for request in expected {
            let CustodianFrame::Receipt(receipt) = peer.frame().await else {
                panic!()
            };
            assert_eq!((receipt.request, receipt.accepted.len()), (request, 8));
            assert_eq!(receipt.refused.len(), usize::from(request == 9));
        }
    }
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_no_token_is_refused_until_somebody_with_one_uses_the_topic() {
    let dir = tempfile::tempdir().unwrap();
    let (_, token) = new_relay_token(dir.path(), "alice").unwrap();
    let relay = Running::start(RelayConfig {
        admission: Admission::Token,
        ..config(dir.path())
    })
    .await;
    let mut bob = Client::connect(2, &relay.ready).await;
    let refused = bob.deposit(&[envelope("early")]).await;
    assert_eq!(refused.refused[0].why, madang_protocol::custody::Refusal::NotAdmitted);

    let mut alice = Client::connect(1, &relay.ready).await;
    let hello = madang_protocol::custody::AdmissionToken::new(token.as_bytes()).unwrap();
    alice.send(&ClientFrame::Hello(hello)).await;
    assert!(matches!(
        alice.frame().await,
        CustodianFrame::Admission { why: None, .. }
    ));
    alice.watch(None).await;
    alice.page().await;
    assert_eq!(bob.deposit(&[envelope("to alice")]).await.accepted.len(), 1);
    let text = get(relay.ready.metrics.unwrap(), "/metrics").await;
    assert!(
        text.contains("madang_relay_admissions_total{outcome=\"admitted\"} 1"),
        "{text}"
    );
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_stopping_relay_has_taken_is_receipted_and_there_after_it() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Running::start(config(dir.path())).await;
    let mut alice = Client::connect(1, &relay.ready).await;
    for request in 0..300 {
        let envelopes = (0..8)
            .map(|n| envelope(&format!("{request} {n}")).into_bytes())
            .collect();
        alice.send(&ClientFrame::Deposit(Deposit { request, envelopes })).await;
    }
    let CustodianFrame::Receipt(first) = alice.frame().await else {
        panic!()
    };

    relay.stop().await;

    let mut receipted: Vec<_> = first.accepted.iter().map(|accepted| accepted.id).collect();
    loop {
        match alice.event().await {
            NetEvent::Frame { bytes, .. } => {
                let CustodianFrame::Receipt(receipt) = CustodianFrame::decode(&bytes).unwrap() else {
                    panic!()
                };
                receipted.extend(receipt.accepted.iter().map(|accepted| accepted.id));
            }
            NetEvent::StreamClosed { .. } => break,
            _ => {}
        }
    }
    let relay = Running::start(config(dir.path())).await;
    let mut bob = Client::connect(2, &relay.ready).await;
    bob.watch(None).await;
    let mut kept = Vec::new();
    loop {
        let page = bob.page().await;
        kept.extend(
            page.items
                .iter()
                .map(|item| Envelope::verify(&item.envelope).unwrap().id()),
        );
        if page.caught_up {
            break;
        }
    }
    assert_eq!(
        kept, receipted,
        "each that was kept was receipted, and each receipted one is there"
    );
    relay.stop().await;
}

/// Puts envelopes into a relay's directory as if it had taken them two hours ago.
fn taken_before(data: &Path, envelopes: &[Envelope]) {
    let store = Store::open(data, Unlock::KeyFile, StoreKind::Relay).unwrap();
    let then_ms = now_ms() - 2 * 3_600_000;
    let key = TransportSecret::from_bytes([8; 32]);
    let mut relay = Relay::load(Rules::default(), key, [7; 32], &store, then_ms).unwrap();
    let peer = TransportKey([1; 32]);
    let envelopes = envelopes.iter().map(|envelope| envelope.bytes().to_vec()).collect();
    let bytes = ClientFrame::Deposit(Deposit { request: 1, envelopes }).encode();
    for input in [RelayInput::Connected { peer }, RelayInput::Frame { peer, bytes }] {
        relay.handle(then_ms, input, &store).unwrap();
    }
    store.commit(&relay.drain().batch).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn relays_that_are_named_to_each_other_copy_what_either_lacks() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let long = |n: u8| Envelope::sign(&topic(), 86_400, &[n; 40]).unwrap();
    let all: Vec<Envelope> = (0..100).map(long).collect();
    taken_before(here.path(), &all[..60]);
    taken_before(there.path(), &all[40..]);
    let first = Running::start(config(here.path())).await;
    let second = Running::start(RelayConfig {
        peers: vec![first.ready.addresses[0].clone()],
        ..config(there.path())
    })
    .await;
    for (seed, ready) in [(1, &first.ready), (2, &second.ready)] {
        let mut client = Client::connect(seed, ready).await;
        let topics = vec![(topic().public(), None)];
        client.send(&ClientFrame::Watch(Watch { request: 1, topics })).await;
        let mut seen = std::collections::BTreeSet::new();
        while seen.len() < all.len() {
            if let CustodianFrame::Items(page) = client.frame().await {
                seen.extend(page.items.iter().map(|item| Envelope::peek(&item.envelope).unwrap().1));
            }
        }
    }
    let metrics = get(second.ready.metrics.unwrap(), "/metrics").await;
    assert!(
        metrics.contains("madang_relay_other_relays_total{what=\"taken\"} 40"),
        "{metrics}"
    );
    second.stop().await;
    first.stop().await;
}
