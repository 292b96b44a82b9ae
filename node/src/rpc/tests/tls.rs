use std::path::Path;
use std::sync::Arc;

use jsonrpsee::core::client::{ClientT as _, Error, Subscription, SubscriptionClientT as _};
use jsonrpsee::http_client::transport::Error as TransportError;
use jsonrpsee::http_client::{HeaderMap, HeaderValue, HttpClient, HttpClientBuilder};
use jsonrpsee::rpc_params;
use jsonrpsee::ws_client::WsClientBuilder;
use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use serde_json::Value;

use super::fake::Fake;
use super::within;
use crate::rpc::{RpcConfig, RpcError, RpcHandle, TlsConfig, serve};

const NAME: &str = "node.example";

/// Writes a certificate for loopback and its key.
fn certificate(directory: &Path) -> (TlsConfig, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed([NAME.into(), "localhost".into(), "127.0.0.1".into()]).unwrap();
    let config = TlsConfig {
        bind: "127.0.0.1:0".parse().unwrap(),
        certificate: directory.join("cert.pem"),
        key: directory.join("key.pem"),
    };
    std::fs::write(&config.certificate, made.cert.pem()).unwrap();
    std::fs::write(&config.key, made.key_pair.serialize_pem()).unwrap();
    (config, made.cert.der().clone())
}

struct House {
    api: Arc<Fake>,
    rpc: RpcHandle,
    token: String,
    places: Value,
    trusts: ClientConfig,
    _directory: tempfile::TempDir,
}

impl House {
    async fn open() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (tls, certificate) = certificate(directory.path());
        let api = Arc::new(Fake::new());
        let config = RpcConfig {
            tls: Some(tls),
            hosts: vec![NAME.to_owned()],
            ..RpcConfig::new(directory.path())
        };
        let rpc = serve(Arc::clone(&api), config).await.unwrap();
        let mut roots = rustls::RootCertStore::empty();
        roots.add(certificate).unwrap();
        let trusts = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let read = |name: &str| std::fs::read_to_string(directory.path().join(name)).unwrap();
        Self {
            api,
            token: read("cookie"),
            places: serde_json::from_str(&read("rpc.json")).unwrap(),
            rpc,
            trusts,
            _directory: directory,
        }
    }

    fn headers(&self, more: &[(&'static str, &str)]) -> HeaderMap {
        let bearer = format!("Bearer {}", self.token);
        let all = [("authorization", bearer.as_str())]
            .into_iter()
            .chain(more.iter().copied());
        let all = all.filter(|(_, value)| !value.is_empty());
        let mut headers = HeaderMap::new();
        for (name, value) in all {
            headers.insert(name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    /// A client that finds the node at its address.
    fn client(&self, path: &str, headers: HeaderMap) -> HttpClient {
        let url = format!("https://{}{path}", self.rpc.secure_addr().unwrap());
        HttpClientBuilder::new()
            .with_custom_cert_store(self.trusts.clone())
            .set_headers(headers)
            .build(url)
            .unwrap()
    }
}

fn status(answer: Result<Value, Error>) -> u16 {
    match answer {
        Ok(_) => 200,
        Err(Error::Transport(error)) => match error.downcast_ref::<TransportError>() {
            Some(TransportError::Rejected { status_code }) => *status_code,
            other => panic!("{other:?}"),
        },
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn requests_and_subscriptions_go_over_tls() {
    let house = House::open().await;
    let port = house.rpc.secure_addr().unwrap().port();
    assert_eq!(house.places["https"], format!("https://{NAME}:{port}"));
    assert_eq!(house.places["wss"], format!("wss://{NAME}:{port}"));
    assert!(house.places["http"].as_str().unwrap().starts_with("http://127.0.0.1:"));

    let client = house.client("/", house.headers(&[]));
    let info: Value = client.request("node.info", rpc_params![]).await.unwrap();
    assert!(info["version"].is_string());
    let socket = WsClientBuilder::new()
        .with_custom_cert_store(house.trusts.clone())
        .set_headers(house.headers(&[]))
        .build(format!("wss://localhost:{port}"))
        .await
        .unwrap();
    let mut events: Subscription<Value> = socket
        .subscribe("event.subscribe", rpc_params![], "event.unsubscribe")
        .await
        .unwrap();
    house.api.grow(1);
    assert_eq!(within(events.next()).await.unwrap().unwrap()["cursor"], "1");

    // Plain HTTP at this port gets no word.
    let plain = super::client::connect(port).await;
    let mut answer = Vec::new();
    let (mut read, mut write) = plain.into_split();
    let request = b"POST / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    tokio::io::AsyncWriteExt::write_all(&mut write, request).await.unwrap();
    within(tokio::io::AsyncReadExt::read_to_end(&mut read, &mut answer))
        .await
        .ok();
    assert!(!answer.starts_with(b"HTTP"));
}

#[tokio::test]
async fn f53_nobody_is_answered_over_tls_without_a_token() {
    let house = House::open().await;
    let ask = async |path: &str, headers| status(house.client(path, headers).request("node.info", rpc_params![]).await);
    assert_eq!(ask("/", HeaderMap::new()).await, 401);
    assert_eq!(
        ask("/app", HeaderMap::new()).await,
        401,
        "the door for apps is this machine's"
    );
    assert_eq!(ask("/", house.headers(&[("authorization", "Bearer 00")])).await, 401);
    assert_eq!(ask("/", house.headers(&[])).await, 200);
}

#[tokio::test]
async fn f55_only_names_that_the_user_gave_are_taken_as_host() {
    let house = House::open().await;
    let port = house.rpc.secure_addr().unwrap().port();
    let ask = async |host: &str, origin: &'static str| {
        let headers = house.headers(&[("host", host), ("origin", origin)]);
        status(house.client("/", headers).request("node.info", rpc_params![]).await)
    };
    for own in [NAME, "NODE.example:443", &format!("localhost:{port}")] {
        assert_eq!(ask(own, "").await, 200, "{own}");
    }
    for foreign in [
        "evil.example",
        "x.node.example",
        "localhost",
        &format!("192.0.2.1:{port}"),
    ] {
        assert_eq!(ask(foreign, "").await, 403, "{foreign}");
    }
    assert_eq!(ask(NAME, "https://node.example").await, 403, "no page is served there");
}

#[tokio::test]
async fn a_certificate_that_can_not_be_used_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let (right, _) = certificate(directory.path());
    let junk = directory.path().join("junk.pem");
    std::fs::write(&junk, "no certificate").unwrap();
    let nowhere = directory.path().join("nowhere.pem");
    let (certificate, key) = (right.certificate.clone(), right.key.clone());
    let cases = [
        (junk.clone(), key.clone()),
        (nowhere.clone(), key),
        (certificate.clone(), junk),
        (certificate, nowhere),
    ];
    for (certificate, key) in cases {
        let tls = TlsConfig {
            certificate,
            key,
            ..right.clone()
        };
        let config = RpcConfig {
            tls: Some(tls),
            ..RpcConfig::new(directory.path())
        };
        let error = serve(Arc::new(Fake::new()), config).await.unwrap_err();
        assert!(matches!(error, RpcError::Tls { .. }), "{error}");
    }
}
