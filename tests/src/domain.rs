//! Servers that are reached over TLS.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::person::Person;
use crate::world::World;

/// A certificate for a host, in PEM, and a server's side of TLS with it.
pub fn certificate(host: &str) -> (String, TlsAcceptor) {
    let made = rcgen::generate_simple_self_signed([host.to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(made.key_pair.serialize_der().into());
    let settings = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    (made.cert.pem(), TlsAcceptor::from(Arc::new(settings)))
}

/// A domain with a web site: what it says of channels and apps, and files.
#[derive(Debug)]
pub struct Domain {
    name: &'static str,
    roots: String,
    port: u16,
    files: Arc<Mutex<BTreeMap<String, File>>>,
    asked: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

/// What the web site has at a path: the status, lines of the head, and the body.
type File = (u16, String, Vec<u8>);

/// Where it vouches.
const WELL_KNOWN: &str = "/.well-known/madang.json";

impl Drop for Domain {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Domain {
    /// Starts its web server.
    pub async fn start(name: &'static str) -> Self {
        let (roots, tls) = certificate(name);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let files = Arc::new(Mutex::new(BTreeMap::<String, File>::new()));
        let asked = Arc::new(AtomicUsize::new(0));
        let (told, counted) = (Arc::clone(&files), Arc::clone(&asked));
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let Ok(stream) = tls.accept(stream).await else {
                    continue;
                };
                let mut stream = BufReader::new(stream);
                let mut first = String::new();
                stream.read_line(&mut first).await.unwrap();
                let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
                let mut line = String::new();
                while line != "\r\n" {
                    line.clear();
                    stream.read_line(&mut line).await.unwrap();
                }
                counted.fetch_add(1, Ordering::SeqCst);
                let found = told.lock().unwrap().get(&path).cloned();
                let (status, lines, body) = found.unwrap_or((404, String::new(), Vec::new()));
                let head = format!("HTTP/1.1 {status} so\r\n{lines}content-length: {}\r\n\r\n", body.len());
                // Who has read enough hangs up.
                stream.write_all(&[head.as_bytes(), &body].concat()).await.ok();
                stream.shutdown().await.ok();
            }
        });
        Self {
            name,
            roots,
            port,
            files,
            asked,
            task,
        }
    }

    /// Has a person who isn't up yet find and trust it.
    pub fn known_to(&self, person: &mut Person, world: &World) {
        let file = world.dir().join(format!("{}.pem", self.name));
        std::fs::write(&file, &self.roots).unwrap();
        person.set_env("SSL_CERT_FILE", file.to_str().unwrap());
        person.set_env("MADANG_RESOLVE", &format!("{}=127.0.0.1:{}", self.name, self.port));
    }

    /// How often it was asked for something.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// The port at this machine.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Says what it has at a path from now on; each of the head's lines ends with `\r\n`.
    pub fn serves(&self, path: &str, status: u16, lines: &str, body: &[u8]) {
        let file = (status, lines.to_owned(), body.to_vec());
        self.files.lock().unwrap().insert(path.to_owned(), file);
    }

    /// Says what it publishes where it vouches from now on.
    pub fn says(&self, status: u16, page: &str) {
        self.serves(WELL_KNOWN, status, "location: /\r\n", page.as_bytes());
    }
}
