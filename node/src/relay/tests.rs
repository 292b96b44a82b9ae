//! A relay on loopback with real clients: network, store and state machine together.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
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
        "madang_relay_accepted_total 2",
        "madang_relay_refused_total{reason=\"invalid\"} 1",
        "madang_relay_envelopes 2",
        "madang_relay_topics 1",
        "madang_relay_peers 1",
        "madang_relay_watches 1",
        "madang_relay_flush_seconds_count",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    assert!(get(address, "/health").await.starts_with("HTTP/1.1 200"));
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
    let mut keeper = Keeper::open(&config(dir.path()), Arc::new(Metrics::new())).unwrap();
    let peer = PeerKey(TransportSecret::from_bytes([8; 32]).public().0);
    let mut inbox = VecDeque::from([Incoming::Opened(peer, 1)]);
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
        inbox.push_back(Incoming::Frame(peer, bytes.into()));
    }

    let first = keeper.turn(&mut inbox).unwrap();

    assert!(!inbox.is_empty());
    let mut receipts = first.commands.len();
    while !inbox.is_empty() {
        receipts += keeper.turn(&mut inbox).unwrap().commands.len();
    }
    assert_eq!(receipts, 24);
}
