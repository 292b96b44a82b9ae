//! A file from one person to the other, beside copies of the same file by the libraries alone.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Instant;

use futures::{AsyncReadExt as _, AsyncWriteExt as _};
use madang_protocol::limits::{BLOB_CHUNK_BYTES, BLOB_CHUNKS_PER_FRAME};
use serde_json::{Value, json};

use crate::bench::host::{self, Host};
use crate::bench::people::{Duo, Way};
use crate::bench::report::{Row, Sample};
use crate::bench::scale::Scale;
use crate::bench::socket::Socket;
use crate::bench::wire::{COPY, Link};
use crate::rpc::places;

/// Bytes of a mebibyte.
const MIB: usize = 1024 * 1024;
/// Bytes after which the bare copies sync: a frame of chunks, after which a node or relay may.
const PART: usize = BLOB_CHUNK_BYTES * BLOB_CHUNKS_PER_FRAME;
/// Bytes of a read or write where nothing is synced.
const BUFFER: usize = 64 * 1024;
/// The least share of the bare stream's rate.
const SHARE: f64 = 0.6;

/// A file as it is sent, and what the libraries alone make of it.
struct Source {
    path: PathBuf,
    bytes: usize,
    bare: Host,
    tcp: Vec<f64>,
    stream: Vec<f64>,
}

/// The rates, in MiB a second, of what is on its way: direct, to a relay, and from it.
pub async fn rows(scale: &Scale) -> Vec<Row> {
    let mut rows = Vec::new();
    for way in [Way::Direct, Way::Relay] {
        rows.extend(by(scale, way).await);
    }
    rows
}

async fn by(scale: &Scale, way: Way) -> Vec<Row> {
    let mut duo = Duo::start(way).await;
    let mut source = Source::new(&duo, scale).await;
    let (mut sealed, mut there, mut fetched, mut read) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let ids: Vec<(&str, u32)> = [
        Some(("sender", host::process_of(duo.alice.data()))),
        duo.relay.as_ref().map(|relay| ("relay", relay.id())),
        Some(("reader", host::process_of(duo.bob.data()))),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut cpu = Vec::new();
    for _ in 0..scale.repeats {
        source.copies().await;
        let began = Instant::now();
        let blob = put(duo.alice.data(), &source.path, source.bytes).await;
        sealed.push(source.rate(began));

        let before: Vec<f64> = ids.iter().map(|(_, id)| host::cpu_seconds(*id)).collect();
        let mut events = host::events(duo.alice.data(), None).await;
        let body = json!({ "kind": "file", "file": { "blob": blob, "name": "large.bin" } });
        let began = Instant::now();
        let sent = duo
            .alice
            .ask("message.send", json!({ "chat": duo.chat, "body": body }))
            .await;
        if way == Way::Relay {
            is(&mut events, &blob, "sent").await;
            there.push(source.rate(began));
        }
        let message = sent["message"].as_str().unwrap();
        duo.bob.receives(message).await;
        let mut events = host::events(duo.bob.data(), None).await;
        let began = Instant::now();
        duo.bob.ask("blob.fetch", json!({ "message": message })).await;
        is(&mut events, &blob, "fetched").await;
        fetched.push(source.rate(began));
        let mib = (source.bytes / MIB) as f64;
        let spent = |(id, before): (&(&str, u32), f64)| (host::cpu_seconds(id.1) - before) * 1000.0 / mib;
        cpu = ids.iter().zip(before).map(spent).collect();

        let began = Instant::now();
        get(duo.bob.data(), &blob, source.bytes).await;
        read.push(source.rate(began));
    }
    let (tcp, bare) = (Sample::new(source.tcp), Sample::new(source.stream.clone()).median());
    let row = |what: &str, rates: Vec<f64>| {
        Row::new(format!("file of {} MiB, {what}", scale.file_mib), "MiB/s", rates)
            .floor("bare libp2p-stream to a synced file", source.stream.clone())
            .at_least(SHARE * bare)
    };
    let spent = ids.iter().zip(&cpu).map(|((name, _), ms)| format!("{name} {ms:.1} ms"));
    let note = format!(
        "TCP to a synced file {:.0} MiB/s; sealed at {:.0}, read at {:.0} MiB/s; CPU a MiB: {}",
        tcp.median(),
        Sample::new(sealed).median(),
        Sample::new(read).median(),
        spent.collect::<Vec<_>>().join(", ")
    );
    if way == Way::Direct {
        return vec![row("direct", fetched).note(note)];
    }
    vec![row("to a relay", there), row("from a relay", fetched).note(note)]
}

impl Source {
    /// Writes a file whose bytes don't repeat.
    async fn new(duo: &Duo, scale: &Scale) -> Self {
        let dir = duo.world.dir();
        let (path, bytes) = (dir.join("source"), scale.file_mib * MIB);
        let mut file = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..bytes / 8 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            file.write_all(&state.to_le_bytes()).unwrap();
        }
        file.into_inner().unwrap().sync_all().unwrap();
        Self {
            path,
            bytes,
            bare: Host::bare(&duo.world, "bare").await,
            tcp: Vec::new(),
            stream: Vec::new(),
        }
    }

    /// MiB a second since `began`.
    fn rate(&self, began: Instant) -> f64 {
        self.bytes as f64 / MIB as f64 / began.elapsed().as_secs_f64()
    }

    /// Copies it by TCP and by a stream of libp2p to files that are synced part by part.
    async fn copies(&mut self) {
        let (path, to) = (self.path.clone(), self.path.with_extension("tcp"));
        let began = Instant::now();
        tokio::task::spawn_blocking(move || tcp_copy(&path, to)).await.unwrap();
        self.tcp.push(self.rate(began));

        let mut link = Link::open(&self.bare.addresses[0], COPY).await;
        let began = Instant::now();
        for number in [self.bytes, PART] {
            let prefix = (number as u64).to_be_bytes();
            link.stream.write_all(&prefix).await.unwrap();
        }
        let mut file = std::fs::File::open(&self.path).unwrap();
        let mut part = vec![0; BUFFER];
        loop {
            let count = file.read(&mut part).unwrap();
            if count == 0 {
                break;
            }
            link.stream.write_all(&part[..count]).await.unwrap();
        }
        link.stream.flush().await.unwrap();
        link.stream.read_exact(&mut [0]).await.unwrap();
        self.stream.push(self.rate(began));
    }
}

/// A thread reads the file and writes it to a connection, this one writes what comes to another file.
fn tcp_copy(from: &Path, to: PathBuf) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut other, _) = listener.accept().unwrap();
    let mut source = std::fs::File::open(from).unwrap();
    let sender = std::thread::spawn(move || {
        let mut part = vec![0; BUFFER];
        loop {
            let count = source.read(&mut part).unwrap();
            if count == 0 {
                break;
            }
            stream.write_all(&part[..count]).unwrap();
        }
    });
    let mut file = std::fs::File::create(to).unwrap();
    let mut part = vec![0; PART];
    loop {
        let mut filled = 0;
        while filled < PART {
            let count = other.read(&mut part[filled..]).unwrap();
            if count == 0 {
                break;
            }
            filled += count;
        }
        if filled == 0 {
            break;
        }
        file.write_all(&part[..filled]).unwrap();
        file.sync_data().unwrap();
    }
    sender.join().unwrap();
}

/// Waits until a node tells that a file is in a state.
async fn is(events: &mut Socket, blob: &str, state: &str) {
    let state = format!("\"state\":\"{state}\"");
    loop {
        let event = events.next().await;
        if host::is(&event, "blob.progress")
            && host::has(&event, blob.as_bytes())
            && host::has(&event, state.as_bytes())
        {
            return;
        }
    }
}

/// Seals a file into a node by HTTP; gives its blob.
async fn put(data: &Path, path: &Path, bytes: usize) -> String {
    let (data, path) = (data.to_owned(), path.to_owned());
    let done = tokio::task::spawn_blocking(move || {
        let begun = call(&data, "blob.put", &json!({ "length_bytes": bytes }));
        let upload = begun["result"]["upload"].as_str().unwrap().to_owned();
        let head = format!("Upload-Offset: 0\r\nContent-Length: {bytes}\r\n");
        let (mut stream, request) = connection(&data, "PATCH", &format!("/blob/{upload}"), &head);
        stream.write_all(request.as_bytes()).unwrap();
        std::io::copy(&mut std::fs::File::open(path).unwrap(), &mut stream).unwrap();
        body(stream)
    });
    let written = done.await.unwrap();
    written["blob"]
        .as_str()
        .unwrap_or_else(|| panic!("{written}"))
        .to_owned()
}

/// Reads a file from a node by HTTP.
async fn get(data: &Path, blob: &str, bytes: usize) {
    let (data, blob) = (data.to_owned(), blob.to_owned());
    let read = tokio::task::spawn_blocking(move || {
        let (mut stream, request) = connection(&data, "GET", &format!("/blob/{blob}"), "");
        stream.write_all(request.as_bytes()).unwrap();
        std::io::copy(&mut stream, &mut std::io::sink()).unwrap()
    });
    assert!(read.await.unwrap() > bytes as u64, "it isn't read whole");
}

fn call(data: &Path, method: &str, params: &Value) -> Value {
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
    let head = format!("Content-Type: application/json\r\nContent-Length: {}\r\n", call.len());
    let (mut stream, request) = connection(data, "POST", "/", &head);
    stream.write_all((request + &call).as_bytes()).unwrap();
    body(stream)
}

/// A connection to the running node of a data directory, and the head of a request.
fn connection(data: &Path, method: &str, path: &str, head: &str) -> (TcpStream, String) {
    let places = places(data).unwrap();
    let cookie = std::fs::read_to_string(data.join("cookie")).unwrap();
    let host = places["http"].as_str().unwrap().trim_start_matches("http://");
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {}\r\nConnection: close\r\n{head}\r\n",
        cookie.trim()
    );
    (TcpStream::connect(host).unwrap(), request)
}

/// The JSON of an answer.
fn body(mut stream: TcpStream) -> Value {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer}"));
    serde_json::from_str(body).unwrap_or_else(|_| panic!("{answer}"))
}
