//! The relay as a service: full disks, the end, who is admitted, and what the operator is told.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use madang_node::Zeroizing;
use madang_node::net::{self, NetCommand, NetConfig, NetEvent, NetHandle, NetLimits, PeerKey, Role, Side};
use madang_protocol::custody::{AdmissionToken, ClientFrame, CustodianFrame, Deposit, Receipt, Refusal, Watch};
use madang_protocol::envelope::Envelope;
use madang_protocol::keys::{EnvelopeId, TopicSecret};
use madang_protocol::wire::Wire as _;
use madang_tests::{DEADLINE, LISTEN, Process, World, join, run};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use crate::MADANG;

/// Runs what follows with a bound on the size of files, whose signal is ignored, so that writes beyond it fail as on a full disk.
/// In blocks of 512 bytes or 1 KiB, by the shell.
const BOUNDED: &str = "trap '' XFSZ; ulimit -S -f 12288; exec \"$0\" \"$@\"";
/// Bytes of an envelope's body that soon fills so small a disk.
const LARGE: usize = 48 * 1024;

fn arguments(data: &Path, more: &[&str]) -> Vec<OsString> {
    let mut args: Vec<OsString> = ["relay", "--json", "--metrics", "127.0.0.1:0"]
        .map(OsString::from)
        .into();
    args.extend(["--data".into(), data.into()]);
    args.extend(LISTEN.iter().flat_map(|address| ["--listen".into(), address.into()]));
    args.extend(more.iter().map(OsString::from));
    args
}

async fn start(world: &World, more: &[&str]) -> Process {
    let data = world.dir().join("relay");
    let started = Process::start(
        Path::new(MADANG),
        &arguments(&data, more),
        &[],
        &world.dir().join("relay-log"),
    )
    .await;
    started.unwrap_or_else(|ended| panic!("the relay ended with {}", ended.status))
}

/// A client with one stream to a relay.
struct Client {
    net: NetHandle,
    events: mpsc::Receiver<NetEvent>,
    relay: PeerKey,
    stream: u64,
}

impl Client {
    async fn connect(seed: u8, relay: &Process) -> Self {
        let config = NetConfig {
            identity: Zeroizing::new([seed; 32]),
            listen: vec![],
            role: Role::Node,
            limits: NetLimits::node(),
        };
        let (net, events) = net::start(config).await.unwrap();
        let (relay, address) = net::parse_address(relay.ready()["addresses"][0].as_str().unwrap()).unwrap();
        let addrs = vec![address];
        net.command(NetCommand::Dial { peer: relay, addrs }).await.unwrap();
        let mut client = Self {
            net,
            events,
            relay,
            stream: 0,
        };
        loop {
            let event = client.event().await;
            if let NetEvent::StreamOpen {
                side: Side::Client,
                stream,
                ..
            } = event
            {
                client.stream = stream;
                return client;
            }
        }
    }

    async fn event(&mut self) -> NetEvent {
        timeout(DEADLINE, self.events.recv())
            .await
            .expect("something happens")
            .unwrap()
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

    /// The next frame; `None` when the stream has ended.
    async fn frame(&mut self) -> Option<CustodianFrame> {
        loop {
            match self.event().await {
                NetEvent::Frame { bytes, .. } => return Some(CustodianFrame::decode(&bytes).unwrap()),
                NetEvent::StreamClosed { .. } => return None,
                _ => {}
            }
        }
    }

    async fn deposit(&mut self, request: u64, envelopes: &[Envelope]) -> Receipt {
        self.ask(request, envelopes).await;
        loop {
            match self.frame().await {
                Some(CustodianFrame::Receipt(receipt)) => return receipt,
                Some(_) => {}
                None => panic!("the relay closed the stream"),
            }
        }
    }

    async fn ask(&self, request: u64, envelopes: &[Envelope]) {
        let envelopes = envelopes.iter().map(|envelope| envelope.bytes().to_vec()).collect();
        self.send(&ClientFrame::Deposit(Deposit { request, envelopes })).await;
    }

    /// All that the relay keeps of the topic.
    async fn read(&mut self) -> Vec<EnvelopeId> {
        let topics = vec![(topic().public(), None)];
        self.send(&ClientFrame::Watch(Watch { request: 1, topics })).await;
        let (mut ids, mut bytes) = (Vec::new(), 0);
        loop {
            let Some(CustodianFrame::Items(page)) = self.frame().await else {
                panic!("the relay shows something else");
            };
            bytes += page.items.iter().map(|item| item.envelope.len() as u64).sum::<u64>();
            ids.extend(
                page.items
                    .iter()
                    .map(|item| Envelope::verify(&item.envelope).unwrap().id()),
            );
            if page.caught_up {
                return ids;
            }
            self.send(&ClientFrame::Ack { bytes }).await;
        }
    }
}

fn topic() -> TopicSecret {
    TopicSecret::from_bytes([1; 32])
}

fn envelope(n: u64, size: usize) -> Envelope {
    // Nothing that a disk could make smaller.
    let mut body = vec![0; size];
    let mut state = n;
    for byte in &mut body {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        *byte = (state >> 56) as u8;
    }
    body[..8].copy_from_slice(&n.to_be_bytes());
    Envelope::sign(&topic(), 3600, &body).unwrap()
}

async fn get(relay: &Process, path: &str) -> String {
    let mut stream = TcpStream::connect(relay.ready()["metrics"].as_str().unwrap())
        .await
        .unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(DEADLINE, stream.read_to_string(&mut answer))
        .await
        .unwrap()
        .unwrap();
    answer
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn f29_a_relay_on_a_full_disk_refuses_serves_on_and_recovers() {
    let world = World::new(MADANG);
    let data = world.dir().join("relay");
    let mut args: Vec<OsString> = vec!["-c".into(), BOUNDED.into(), MADANG.into()];
    args.extend(arguments(&data, &[]));
    let log = world.dir().join("relay-log");
    let relay = Process::start(Path::new("/bin/sh"), &args, &[], &log).await.unwrap();
    let mut alice = Client::connect(1, &relay).await;

    let mut kept = Vec::new();
    let refused = loop {
        let n = kept.len() as u64;
        assert!(n < 1000, "the disk is never full");
        let sent = envelope(n, LARGE);
        let receipt = alice.deposit(n, std::slice::from_ref(&sent)).await;
        match receipt.refused.first() {
            None => kept.push(sent.id()),
            Some(refused) => break *refused,
        }
    };
    assert_eq!(refused.why, Refusal::ReadOnly);
    assert!(refused.retry_after_s > 0 && !kept.is_empty());
    let ready = get(&relay, "/ready").await;
    assert!(
        ready.starts_with("HTTP/1.1 503") && ready.contains("read-only"),
        "{ready}"
    );
    assert!(get(&relay, "/health").await.starts_with("HTTP/1.1 200"));
    assert_eq!(
        alice.read().await,
        kept,
        "what is kept is shown, on the connection of before"
    );
    let receipt = alice.deposit(7, &[envelope(0, LARGE), envelope(5000, 10)]).await;
    assert_eq!(
        (receipt.accepted.len(), receipt.refused.len()),
        (1, 1),
        "a repeat is kept already"
    );

    let limit = ["--pid", &relay.id().to_string(), "--fsize=unlimited"];
    assert!(run(Path::new("prlimit"), &limit, DEADLINE).await.status.success());
    let recovered = async {
        while !get(&relay, "/ready").await.starts_with("HTTP/1.1 200") {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(DEADLINE, recovered)
        .await
        .expect("the relay recovers by itself");
    let last = envelope(6000, LARGE);
    assert_eq!(alice.deposit(8, std::slice::from_ref(&last)).await.accepted.len(), 1);
    kept.push(last.id());
    assert!(relay.stop().await.success());

    let relay = start(&world, &[]).await;
    assert_eq!(Client::connect(2, &relay).await.read().await, kept);
    assert!(relay.stop().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_is_asked_to_stop_receipts_what_it_keeps() {
    let world = World::new(MADANG);
    let relay = start(&world, &[]).await;
    let mut alice = Client::connect(1, &relay).await;
    let envelopes: Vec<Vec<Envelope>> = (0..400_u64)
        .map(|request| (0..4).map(|n| envelope(request * 4 + n, 200)).collect())
        .collect();
    for (request, envelopes) in envelopes.iter().enumerate() {
        alice.ask(request as u64, envelopes).await;
    }
    let mut receipted = Vec::new();
    let mut stopping = None;
    let mut relay = Some(relay);
    while let Some(frame) = alice.frame().await {
        let CustodianFrame::Receipt(receipt) = frame else {
            panic!("{frame:?}");
        };
        receipted.extend(receipt.accepted.iter().map(|accepted| accepted.id));
        if let Some(relay) = relay.take() {
            stopping = Some(tokio::spawn(relay.stop()));
        }
    }
    assert!(stopping.unwrap().await.unwrap().success());

    let relay = start(&world, &[]).await;
    let kept = Client::connect(2, &relay).await.read().await;
    assert_eq!(
        kept, receipted,
        "each receipted one is there, and each that is there was receipted"
    );
    assert!(relay.stop().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_made_used_and_revoked_on_the_command_line() {
    let world = World::new(MADANG);
    let data = world.dir().join("relay");
    let tool = |more: &[&str]| {
        let mut args: Vec<OsString> = ["relay", "--json"].map(OsString::from).into();
        args.pop();
        args.extend(more.iter().map(OsString::from));
        args.extend(["--json".into(), "--data".into(), data.clone().into_os_string()]);
        args
    };
    std::fs::create_dir_all(&data).unwrap();
    let relay = start(&world, &["--admission", "token"]).await;
    let made = run(
        Path::new(MADANG),
        &tool(&["token", "new", "--label", "alice"]),
        DEADLINE,
    )
    .await;
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    let token = AdmissionToken::new(made["token"].as_str().unwrap().as_bytes()).unwrap();

    let mut alice = Client::connect(1, &relay).await;
    let mut request = 0;
    let mut until = async |admitted: bool| {
        let answered = async {
            loop {
                request += 1;
                alice.send(&ClientFrame::Hello(token.clone())).await;
                let receipt = alice.deposit(request, &[envelope(request, 10)]).await;
                // What a user has used stays open to others, so each attempt is judged by its hello's answer too.
                if admitted == (get(&relay, "/metrics").await.contains("madang_relay_guests 0"))
                    && (!admitted || receipt.refused.is_empty())
                {
                    return;
                }
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(DEADLINE, answered).await.expect("the relay notices in time");
    };
    until(true).await;
    let listed = run(Path::new(MADANG), &tool(&["token", "list"]), DEADLINE).await;
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(listed["items"][0]["label"], "alice");
    let id = made["id"].as_str().unwrap();
    assert!(
        run(Path::new(MADANG), &tool(&["token", "revoke", id]), DEADLINE)
            .await
            .status
            .success()
    );
    until(false).await;
    assert_eq!(
        run(Path::new(MADANG), &tool(&["token", "revoke", id]), DEADLINE)
            .await
            .status
            .code(),
        Some(4)
    );
    assert!(relay.stop().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_a_token_is_served_and_its_contacts_reach_it_as_guests() {
    let world = World::new(MADANG);
    let data = world.dir().join("relay");
    std::fs::create_dir_all(&data).unwrap();
    let made = ["relay", "token", "new", "--json", "--data", data.to_str().unwrap()];
    let made = run(Path::new(MADANG), &made, DEADLINE).await;
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    let relay = start(&world, &["--admission", "token"]).await;
    let addresses: Vec<String> = serde_json::from_value(relay.ready()["addresses"].clone()).unwrap();
    let address = &addresses[..1];

    let mut stranger = world.person_up("stranger", address).await;
    // Whoever asks for nothing is told nothing.
    stranger.ask("contact.invite", serde_json::json!({})).await;
    let turned_away = stranger
        .until("the doctor names the relay", async |stranger| {
            let report = stranger.ask("node.doctor", serde_json::json!({})).await;
            let checks = report["checks"].as_array().unwrap().clone();
            checks
                .into_iter()
                .find(|check| check["name"] == "relay" && check["detail"].as_str().unwrap().contains("holds nothing"))
        })
        .await;
    assert_eq!(turned_away["ok"], false);
    assert!(turned_away["hint"].as_str().unwrap().contains("--relay-token"));

    let mut alice = world.person("alice", address);
    alice.set_relay_token(Some(made["token"].as_str().unwrap().to_owned()));
    alice.up().await;
    // The token is remembered.
    alice.stop().await;
    alice.set_relay_token(None);
    alice.up().await;
    let mut bob = world.person_up("bob", &[]).await;
    let chat = join(&mut alice, &mut bob).await;
    alice.stop().await;
    let message = bob.send(&chat, "are you there?").await;
    bob.until("the relay holds it", async |bob| {
        let state = bob.ask("message.get", serde_json::json!({ "message": message })).await;
        (state["ledger"]["state"] == "held").then_some(())
    })
    .await;
    bob.stop().await;
    alice.up().await;
    alice
        .until("it came by the relay", async |alice| {
            let said = alice.said(&chat).await;
            said.iter().any(|said| said.text == "are you there?").then_some(())
        })
        .await;
    assert!(relay.stop().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_sees_a_running_relay_and_a_stopped_one() {
    let world = World::new(MADANG);
    let data = world.dir().join("relay");
    let relay = start(&world, &[]).await;
    let mut alice = Client::connect(1, &relay).await;
    assert_eq!(alice.deposit(1, &[envelope(1, 10)]).await.accepted.len(), 1);
    let args = ["relay", "doctor", "--json", "--data", data.to_str().unwrap()];

    let well = run(Path::new(MADANG), &args, DEADLINE).await;
    let report: Value = serde_json::from_slice(&well.stdout).unwrap();
    assert_eq!(
        (well.status.code(), &report["ok"]),
        (Some(0), &Value::Bool(true)),
        "{report}"
    );
    let names: Vec<_> = report["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| check["name"].as_str().unwrap())
        .collect();
    for name in [
        "directory",
        "format",
        "running",
        "disk",
        "clock",
        "listening",
        "admission",
        "metrics",
        "ready",
        "quota",
        "expiry",
        "flush",
    ] {
        assert!(names.contains(&name), "{name} is not in {names:?}");
    }
    assert!(relay.stop().await.success());

    let stopped = run(Path::new(MADANG), &args, DEADLINE).await;
    let report: Value = serde_json::from_slice(&stopped.stdout).unwrap();
    assert_eq!(
        (stopped.status.code(), &report["ok"]),
        (Some(1), &Value::Bool(false)),
        "{report}"
    );
}
