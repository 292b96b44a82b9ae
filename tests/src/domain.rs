//! Servers that are reached over TLS.

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

/// A domain whose web site has one page, at the place where it vouches for channels and apps.
#[derive(Debug)]
pub struct Domain {
    name: &'static str,
    roots: String,
    port: u16,
    page: Arc<Mutex<(u16, String)>>,
    asked: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

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
        let page = Arc::new(Mutex::new((404, String::new())));
        let asked = Arc::new(AtomicUsize::new(0));
        let (told, counted) = (Arc::clone(&page), Arc::clone(&asked));
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let Ok(stream) = tls.accept(stream).await else {
                    continue;
                };
                let mut stream = BufReader::new(stream);
                let mut first = String::new();
                stream.read_line(&mut first).await.unwrap();
                assert_eq!(first, "GET /.well-known/madang.json HTTP/1.1\r\n");
                let mut line = String::new();
                while line != "\r\n" {
                    line.clear();
                    stream.read_line(&mut line).await.unwrap();
                }
                counted.fetch_add(1, Ordering::SeqCst);
                let (status, page) = told.lock().unwrap().clone();
                let head = format!(
                    "HTTP/1.1 {status} so\r\nlocation: /\r\ncontent-length: {}\r\n\r\n",
                    page.len()
                );
                // Who has read enough hangs up.
                stream.write_all((head + &page).as_bytes()).await.ok();
                stream.shutdown().await.ok();
            }
        });
        Self {
            name,
            roots,
            port,
            page,
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

    /// How often its page was asked for.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// Says what its page is from now on.
    pub fn says(&self, status: u16, page: &str) {
        *self.page.lock().unwrap() = (status, page.to_owned());
    }
}
