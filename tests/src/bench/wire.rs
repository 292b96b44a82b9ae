//! Streams of the libraries alone: what load generators and watchers speak, and the bare host beside which the relay is measured.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use futures::{AsyncReadExt as _, AsyncWriteExt as _, StreamExt as _};
use libp2p::identity::Keypair;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::SwarmEvent;
use libp2p::{Multiaddr, PeerId, Stream, StreamProtocol, Swarm, SwarmBuilder, noise, tcp, yamux};
use madang_protocol::custody::{ClientFrame, CustodianFrame};
use madang_protocol::wire::Wire;
use serde_json::json;
use tokio::sync::{broadcast, mpsc};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// The relay's protocol.
pub const CUSTODY: StreamProtocol = StreamProtocol::new("/madang/custody/1");
/// The bare host gives each message of [`MESSAGE_BYTES`] to all streams, its sender's too.
pub const FAN: StreamProtocol = StreamProtocol::new("/madang-bench/fan/1");
/// The bare host reads as many bytes as a prefix of eight bytes says, and answers with one.
pub const SINK: StreamProtocol = StreamProtocol::new("/madang-bench/sink/1");
/// The bare host writes as many bytes as a prefix says into a file, synced as often as a second prefix says, and answers with one.
pub const COPY: StreamProtocol = StreamProtocol::new("/madang-bench/copy/1");
/// Bytes of a message through [`FAN`].
pub const MESSAGE_BYTES: usize = 256;
/// Bytes of a read through [`SINK`].
const CHUNK_BYTES: usize = 64 * 1024;
/// What is written first on an accepted stream, as inbound opens may be dropped.
const ACCEPTED: u8 = 1;
/// How long an open may take before it is tried again.
const PATIENCE: Duration = Duration::from_secs(10);
/// Messages that the bare host keeps for a slow stream.
const FAN_QUEUE: usize = 64;
/// How long a connection without streams lives.
const IDLE: Duration = Duration::from_secs(600);

/// Whether a swarm speaks QUIC beside TCP, which costs memory even if it isn't used.
fn swarm(quic: bool) -> Swarm<libp2p_stream::Behaviour> {
    let builder = SwarmBuilder::with_existing_identity(Keypair::generate_ed25519())
        .with_tokio()
        .with_tcp(
            tcp::Config::default().nodelay(true),
            noise::Config::new,
            yamux::Config::default,
        )
        .unwrap();
    let idle = |config: libp2p::swarm::Config| config.with_idle_connection_timeout(IDLE);
    if quic {
        let builder = builder.with_quic();
        builder
            .with_behaviour(|_| libp2p_stream::Behaviour::new())
            .unwrap()
            .with_swarm_config(idle)
            .build()
    } else {
        builder
            .with_behaviour(|_| libp2p_stream::Behaviour::new())
            .unwrap()
            .with_swarm_config(idle)
            .build()
    }
}

/// A stream to a relay or a bare host, on a connection and with an identity of its own.
pub struct Link {
    /// The stream.
    pub stream: Stream,
    driver: JoinHandle<()>,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Link {
    /// Dials a multiaddr that ends in `/p2p/…` and opens a stream.
    pub async fn open(address: &str, protocol: StreamProtocol) -> Self {
        let address: Multiaddr = address.parse().unwrap();
        let peer = address
            .iter()
            .find_map(|part| match part {
                Protocol::P2p(peer) => Some(peer),
                _ => None,
            })
            .unwrap();
        let quic = address.iter().any(|part| part == Protocol::QuicV1);
        let mut swarm = swarm(quic);
        let mut control = swarm.behaviour().new_control();
        connect(&mut swarm, &address).await;
        let driver = tokio::spawn(async move {
            loop {
                swarm.select_next_some().await;
            }
        });
        loop {
            let attempt = async {
                let mut stream = control.open_stream(peer, protocol.clone()).await.ok()?;
                let mut answer = [0];
                stream.read_exact(&mut answer).await.ok()?;
                Some(stream)
            };
            if let Ok(Some(stream)) = timeout(PATIENCE, attempt).await {
                return Self { stream, driver };
            }
        }
    }

    /// Sends a custody frame.
    pub async fn send(&mut self, frame: &ClientFrame) {
        self.stream.write_all(&framed(frame)).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// Waits for the next custody frame.
    pub async fn next(&mut self) -> CustodianFrame {
        next(&mut self.stream).await
    }
}

/// Waits for the next custody frame of a stream or its half.
pub async fn next(stream: &mut (impl futures::AsyncRead + Unpin)) -> CustodianFrame {
    let mut prefix = [0; 4];
    stream.read_exact(&mut prefix).await.unwrap();
    let mut bytes = vec![0; u32::from_be_bytes(prefix) as usize];
    stream.read_exact(&mut bytes).await.unwrap();
    CustodianFrame::decode(&bytes).unwrap()
}

/// A custody frame with its prefix.
pub fn framed(frame: &ClientFrame) -> Vec<u8> {
    let bytes = frame.encode();
    let mut framed = u32::try_from(bytes.len()).unwrap().to_be_bytes().to_vec();
    framed.extend(bytes);
    framed
}

/// Dials until a connection stands: a host that is asked by thousands at once refuses some.
async fn connect(swarm: &mut Swarm<libp2p_stream::Behaviour>, address: &Multiaddr) {
    loop {
        swarm.dial(address.clone()).unwrap();
        loop {
            match swarm.select_next_some().await {
                SwarmEvent::ConnectionEstablished { .. } => return,
                SwarmEvent::OutgoingConnectionError { .. } => break,
                _ => {}
            }
        }
        sleep(Duration::from_millis(50)).await;
    }
}

/// Runs the bare host until it is killed; its arguments are those of a relay.
pub async fn bare_host() {
    let args: Vec<String> = std::env::args().collect();
    let listen = args
        .iter()
        .zip(args.iter().skip(1))
        .filter(|(flag, _)| *flag == "--listen");
    let mut swarm = swarm(true);
    let (mut addresses, mut wanted): (Vec<String>, usize) = (Vec::new(), 0);
    let own: PeerId = *swarm.local_peer_id();
    for (_, address) in listen {
        swarm.listen_on(address.parse().unwrap()).unwrap();
        wanted += 1;
    }
    while addresses.len() < wanted {
        if let SwarmEvent::NewListenAddr { address, .. } = swarm.select_next_some().await {
            addresses.push(address.with(Protocol::P2p(own)).to_string());
        }
    }
    let mut control = swarm.behaviour().new_control();
    let (mut fans, mut sinks) = (control.accept(FAN).unwrap(), control.accept(SINK).unwrap());
    let mut copies = control.accept(COPY).unwrap();
    let data = args.iter().zip(args.iter().skip(1)).find(|(flag, _)| *flag == "--data");
    let data = PathBuf::from(data.unwrap().1);
    std::fs::create_dir_all(&data).unwrap();
    println!("{}", json!({ "event": "ready", "addresses": addresses }));
    let (all, _) = broadcast::channel(FAN_QUEUE);
    loop {
        tokio::select! {
            _ = swarm.select_next_some() => {}
            Some((_, stream)) = fans.next() => {
                tokio::spawn(fan(stream, all.clone()));
            }
            Some((_, stream)) = sinks.next() => {
                tokio::spawn(sink(stream));
            }
            Some((_, stream)) = copies.next() => {
                tokio::spawn(copy(stream, data.join("copy")));
            }
        }
    }
}

type Message = [u8; MESSAGE_BYTES];

async fn fan(mut stream: Stream, all: broadcast::Sender<Message>) -> Option<()> {
    let mut messages = all.subscribe();
    accept(&mut stream).await?;
    let (mut read, mut write) = stream.split();
    let (mut message, mut filled): (Message, usize) = ([0; MESSAGE_BYTES], 0);
    loop {
        tokio::select! {
            count = read.read(&mut message[filled..]) => {
                filled += count.ok().filter(|count| *count > 0)?;
                if filled == MESSAGE_BYTES {
                    filled = 0;
                    all.send(message).ok()?;
                }
            }
            message = messages.recv() => {
                write.write_all(&message.ok()?).await.ok()?;
                write.flush().await.ok()?;
            }
        }
    }
}

async fn sink(mut stream: Stream) -> Option<()> {
    accept(&mut stream).await?;
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let mut prefix = [0; 8];
        stream.read_exact(&mut prefix).await.ok()?;
        let mut left = u64::from_be_bytes(prefix);
        while left > 0 {
            let most = chunk.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            let count = stream.read(&mut chunk[..most]).await.ok().filter(|count| *count > 0)?;
            left -= count as u64;
        }
        accept(&mut stream).await?;
    }
}

/// Reads on while the part before is written and synced, by a thread of its own.
async fn copy(mut stream: Stream, path: PathBuf) -> Option<()> {
    accept(&mut stream).await?;
    let mut prefix = [[0; 8]; 2];
    for number in &mut prefix {
        stream.read_exact(number).await.ok()?;
    }
    let [mut left, part] = prefix.map(|number| usize::try_from(u64::from_be_bytes(number)).unwrap());
    let (parts, mut written) = mpsc::channel::<Vec<u8>>(1);
    let writer = tokio::task::spawn_blocking(move || {
        let mut file = std::fs::File::create(path)?;
        while let Some(part) = written.blocking_recv() {
            file.write_all(&part)?;
            file.sync_data()?;
        }
        std::io::Result::Ok(())
    });
    while left > 0 {
        let mut bytes = vec![0; left.min(part)];
        stream.read_exact(&mut bytes).await.ok()?;
        left -= bytes.len();
        parts.send(bytes).await.ok()?;
    }
    drop(parts);
    writer.await.ok()?.ok()?;
    accept(&mut stream).await
}

/// Writes the one byte that says that all is well.
async fn accept(stream: &mut Stream) -> Option<()> {
    stream.write_all(&[ACCEPTED]).await.ok()?;
    stream.flush().await.ok()
}
