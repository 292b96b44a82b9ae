//! What the machine and the libraries can do at best; each row's floor is taken between its own runs.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::Instant;

use ed25519_dalek::{Signer as _, SigningKey};
use madang_protocol::chat::{ChatContext, Group, LeafIdentity, Plan, key_package};
use madang_protocol::identity::DeviceLog;
use madang_protocol::keys::{AccountSecret, ChatId, DeviceSecret};
use madang_protocol::mls::{Crypto, Suite};

use crate::bench::host;
use crate::bench::report::{Row, Sample};
use crate::bench::scale::Scale;

/// Bytes of a message's text in all rows that don't say otherwise.
pub const TEXT_BYTES: usize = 256;
/// Bytes of an append that is flushed.
const APPEND_BYTES: usize = 4096;

/// A file that is appended to and flushed.
#[derive(Debug)]
pub struct Flush(std::fs::File);

impl Flush {
    /// Makes the file in the directory where the measured processes keep theirs.
    pub fn new(dir: &Path) -> Self {
        let file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(dir.join("flush"));
        Self(file.unwrap())
    }

    /// Appends 4 KiB and calls `fdatasync`; returns milliseconds.
    pub fn take(&mut self) -> f64 {
        let began = Instant::now();
        self.0.write_all(&[7; APPEND_BYTES]).unwrap();
        self.0.sync_data().unwrap();
        ms(began)
    }
}

/// A TCP connection over loopback whose other end, a thread, gives back what it gets.
#[derive(Debug)]
pub struct Echo(TcpStream);

impl Echo {
    /// Opens it.
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        stream.set_nodelay(true).unwrap();
        let (mut other, _) = listener.accept().unwrap();
        other.set_nodelay(true).unwrap();
        std::thread::spawn(move || {
            let mut bytes = [0; TEXT_BYTES];
            while other.read_exact(&mut bytes).is_ok() && other.write_all(&bytes).is_ok() {}
        });
        Self(stream)
    }

    /// Sends 256 B and waits for them; returns milliseconds.
    pub fn take(&mut self) -> f64 {
        let mut bytes = [0; TEXT_BYTES];
        let began = Instant::now();
        self.0.write_all(&bytes).unwrap();
        self.0.read_exact(&mut bytes).unwrap();
        ms(began)
    }
}

/// Two members of a group, without network and disk.
pub struct Pair {
    crypto: Crypto,
    alice: DeviceSecret,
    a: Group,
    b: Group,
}

impl Pair {
    /// Makes a group of two in the suite that chats use.
    pub fn new() -> Self {
        let crypto = Crypto::new([1; 32]);
        let member = |n: u8| {
            let device = DeviceSecret::from_bytes([n; 32]);
            let log = DeviceLog::create(&AccountSecret::from_bytes([n + 100; 32]), device.public());
            let identity = LeafIdentity {
                log,
                device: device.public(),
            };
            (device, identity)
        };
        let ((alice, alice_id), (bob, bob_id)) = (member(1), member(2));
        let (package, rows) = key_package(&crypto, &bob, &bob_id, Suite::XWing, false, 0, 100).unwrap();
        let (chat, context) = (ChatId([9; 32]), ChatContext::one_to_one());
        let (group, topic) = Group::create(&crypto, &alice, &alice_id, Suite::XWing, chat, context).unwrap();
        let change = group
            .commit(&crypto, &alice, &Plan::adding(&[package]), &topic)
            .unwrap();
        let joined = Group::join(&crypto, rows, &change.welcome.unwrap(), change.group.node()).unwrap();
        Self {
            crypto,
            alice,
            a: change.group,
            b: joined.group,
        }
    }

    /// Seals and opens messages of 256 B one after the other; returns milliseconds for one seal and for one open.
    pub fn take(&mut self, count: usize) -> (f64, f64) {
        let text = [b'x'; TEXT_BYTES];
        let began = Instant::now();
        let sealed: Vec<Vec<u8>> = (0..count)
            .map(|_| self.a.seal(&self.crypto, &self.alice, None, &text).unwrap())
            .collect();
        let seal = ms(began);
        drop(self.a.take_changes());
        let began = Instant::now();
        for bytes in &sealed {
            self.b.open(&self.crypto, bytes).unwrap();
        }
        let open = ms(began);
        drop(self.b.take_changes());
        (seal / count as f64, open / count as f64)
    }
}

/// Checks a signature over 32 bytes again and again; returns milliseconds for one.
pub fn verify(count: usize) -> f64 {
    let key = SigningKey::from_bytes(&[3; 32]);
    let message = [5; 32];
    let signature = key.sign(&message);
    let began = Instant::now();
    for _ in 0..count {
        key.verifying_key().verify_strict(&message, &signature).unwrap();
    }
    ms(began) / count as f64
}

/// Milliseconds since then.
pub fn ms(began: Instant) -> f64 {
    began.elapsed().as_secs_f64() * 1000.0
}

/// The floors as rows of their own.
pub async fn rows(scale: &Scale) -> Vec<Row> {
    let world = host::world();
    let (mut flush, mut echo, mut pair) = (Flush::new(world.dir()), Echo::new(), Pair::new());
    let samples = scale.bare_messages.min(200);
    let (mut trips, mut flushes, mut seals, mut opens, mut checks) = (vec![], vec![], vec![], vec![], vec![]);
    for _ in 0..scale.repeats {
        let take =
            |mut once: Box<dyn FnMut() -> f64 + '_>| Sample::new((0..samples).map(|_| once()).collect()).median();
        trips.push(take(Box::new(|| echo.take())));
        flushes.push(take(Box::new(|| flush.take())));
        let (seal, open) = pair.take(scale.bare_messages);
        seals.push(seal);
        opens.push(open);
        checks.push(verify(scale.bare_messages));
    }
    vec![
        Row::new("floor: TCP round trip over loopback, 256 B", "ms", trips),
        Row::new("floor: append of 4 KiB and fdatasync", "ms", flushes),
        Row::new("floor: OpenMLS seal, 256 B, X-Wing group of two", "ms", seals).note("by Group::seal, rows in memory"),
        Row::new("floor: OpenMLS open, 256 B", "ms", opens).note("by Group::open, rows in memory"),
        Row::new("floor: Ed25519 verify, one by one", "ms", checks),
    ]
}
