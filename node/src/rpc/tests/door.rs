use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use serde_json::json;
use tokio::sync::watch;
use tracing::field::{Field, Visit};
use tracing::span;

use super::House;
use super::client::{Reply, WebSocket};
use super::fake::{SECRET_INVITE, SECRET_TOKEN, SECRET_WORD};
use crate::rpc::files::Token;
use crate::rpc::guard::Guard;
use crate::rpc::params::{AcceptParams, SendBody};
use crate::rpc::server::Deadlines;
use crate::rpc::types::{Invite, Phrase};

const CALL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"node.info"}"#;

/// A request whose headers are all given.
async fn ask(house: &House, method: &str, target: &str, headers: &[(&str, &str)]) -> Reply {
    let mut request = format!("{method} {target} HTTP/1.1\r\nConnection: close\r\n");
    for (name, value) in headers {
        write!(request, "{name}: {value}\r\n").unwrap();
    }
    write!(request, "Content-Length: {}\r\n\r\n{CALL}", CALL.len()).unwrap();
    house.raw(request).await
}

fn calls(house: &House) -> u64 {
    house.api.infos.load(std::sync::atomic::Ordering::Relaxed)
}

#[tokio::test]
async fn f53_without_the_token_nothing_is_answered_wherever_the_server_listens() {
    for bind in ["127.0.0.1:0", "0.0.0.0:0"] {
        let house = House::open_at(bind, Deadlines::default()).await;
        let host = format!("127.0.0.1:{}", house.port());
        let json = ("Content-Type", "application/json");
        let token = &house.token;
        let right = format!("Bearer {token}");
        let changed = format!(
            "Bearer {}{}",
            &token[..63],
            if token.ends_with('0') { 'f' } else { '0' }
        );
        let wrong = [
            changed,
            "Bearer".to_owned(),
            "Bearer ".to_owned(),
            format!("Bearer {}", &token[..63]),
            format!("Bearer {token}0"),
            format!("Bearer {}", token.to_uppercase() + "A"),
            format!("Basic {token}"),
            token.clone(),
        ];
        let missing = ask(&house, "POST", "/", &[("Host", &host), json]).await;
        assert_eq!(missing.status, 401);
        assert!(missing.head.contains("www-authenticate: bearer"));
        for authorization in &wrong {
            let headers = [("Host", host.as_str()), json, ("Authorization", authorization)];
            assert_eq!(ask(&house, "POST", "/", &headers).await.status, 401, "{authorization}");
        }
        let doubled = [
            ("Host", host.as_str()),
            json,
            ("Authorization", &wrong[0]),
            ("Authorization", &right),
        ];
        assert_eq!(ask(&house, "POST", "/", &doubled).await.status, 401);
        assert_eq!(ask(&house, "GET", "/", &[("Host", &host)]).await.status, 401);
        let socket = WebSocket::open(house.port(), "").await;
        assert_eq!(socket.err().expect("no socket").status, 401);
        assert_eq!(calls(&house), 0);

        let headers = [("Host", host.as_str()), json, ("authorization", &right)];
        assert_eq!(ask(&house, "POST", "/", &headers).await.status, 200);
        assert_eq!(calls(&house), 1);
    }
}

#[tokio::test]
async fn f54_requests_that_a_foreign_page_can_send_are_refused() {
    let house = House::open().await;
    let port = house.port();
    let host = format!("127.0.0.1:{port}");
    let right = format!("Bearer {}", house.token);
    let json = "application/json";
    let other_port = format!("http://127.0.0.1:{}", port ^ 1);
    let user = format!("http://evil@127.0.0.1:{port}");
    let secure = format!("https://127.0.0.1:{port}");
    for origin in [
        "https://evil.example",
        "null",
        "",
        "http://127.0.0.1",
        &other_port,
        &user,
        &secure,
        "file://",
    ] {
        let headers = [
            ("Host", host.as_str()),
            ("Content-Type", json),
            ("Authorization", &right),
            ("Origin", origin),
        ];
        assert_eq!(ask(&house, "POST", "/", &headers).await.status, 403, "{origin}");
        let header = format!("Authorization: {right}\r\nOrigin: {origin}\r\n");
        let socket = WebSocket::open(port, &header).await;
        assert_eq!(socket.err().expect("no socket").status, 403, "{origin}");
    }
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "",
    ] {
        let headers = [
            ("Host", host.as_str()),
            ("Content-Type", kind),
            ("Authorization", &right),
        ];
        assert_eq!(ask(&house, "POST", "/", &headers).await.status, 403, "{kind}");
        assert_eq!(
            ask(&house, "POST", "/", &headers[..2]).await.status,
            403,
            "{kind}, no token"
        );
    }
    let untyped = [("Host", host.as_str()), ("Authorization", &right)];
    assert_eq!(ask(&house, "POST", "/", &untyped).await.status, 403);
    assert_eq!(calls(&house), 0);

    for own in [
        format!("http://127.0.0.1:{port}"),
        format!("http://localhost:{port}"),
        format!("http://[::1]:{port}"),
    ] {
        let headers = [
            ("Host", host.as_str()),
            ("Content-Type", "Application/JSON ; charset=UTF-8"),
            ("Authorization", &right),
            ("Origin", &own),
        ];
        assert_eq!(ask(&house, "POST", "/", &headers).await.status, 200, "{own}");
    }
}

#[tokio::test]
async fn f55_a_host_that_is_not_this_server_is_refused() {
    let house = House::open().await;
    let port = house.port();
    let right = format!("Bearer {}", house.token);
    let given = |host: &str| {
        vec![
            ("Host".to_owned(), host.to_owned()),
            ("Content-Type".to_owned(), "application/json".to_owned()),
            ("Authorization".to_owned(), right.clone()),
        ]
    };
    async fn status(house: &House, target: &str, headers: &[(String, String)]) -> u16 {
        let headers: Vec<_> = headers.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        ask(house, "POST", target, &headers).await.status
    }
    let foreign = [
        format!("evil.example:{port}"),
        format!("localhost.evil.example:{port}"),
        format!("127.0.0.1.evil.example:{port}"),
        format!("192.0.2.1:{port}"),
        format!("0.0.0.0:{port}"),
        format!("127.0.0.1:{}", port ^ 1),
        format!("a@127.0.0.1:{port}"),
        "127.0.0.1".to_owned(),
        "localhost".to_owned(),
        String::new(),
    ];
    for host in &foreign {
        assert_eq!(status(&house, "/", &given(host)).await, 403, "{host}");
    }
    assert_eq!(status(&house, "/", &given("x")[1..]).await, 403, "no Host");
    let twice = [&given(&format!("127.0.0.1:{port}"))[..], &given(&foreign[0])[..1]].concat();
    assert_eq!(status(&house, "/", &twice).await, 403, "two Hosts");
    let own = given(&format!("127.0.0.1:{port}"));
    assert_eq!(status(&house, &format!("http://evil.example:{port}/"), &own).await, 403);
    assert_eq!(calls(&house), 0);

    for host in ["127.0.0.1", "127.9.9.9", "localhost", "LOCALHOST", "[::1]"] {
        assert_eq!(
            status(&house, "/", &given(&format!("{host}:{port}"))).await,
            200,
            "{host}"
        );
    }
    assert_eq!(status(&house, &format!("http://127.0.0.1:{port}/"), &own).await, 200);
}

#[tokio::test]
async fn other_paths_and_verbs_are_refused() {
    let house = House::open().await;
    let host = format!("127.0.0.1:{}", house.port());
    let right = format!("Bearer {}", house.token);
    let headers = [
        ("Host", host.as_str()),
        ("Content-Type", "application/json"),
        ("Authorization", &right),
    ];
    assert_eq!(ask(&house, "POST", "/other", &headers).await.status, 404);
    for verb in ["GET", "PUT", "OPTIONS", "DELETE"] {
        assert_eq!(ask(&house, verb, "/", &headers).await.status, 405, "{verb}");
    }
}

#[test]
fn f65_debug_shows_no_secrets() {
    let directory = tempfile::tempdir().unwrap();
    let token = Token::load(directory.path()).unwrap();
    let cookie = std::fs::read_to_string(directory.path().join("cookie")).unwrap();
    let guard = Guard {
        token,
        grants: watch::Sender::new(Arc::default()).subscribe(),
        bound: "127.0.0.1:1".parse().unwrap(),
        secure: None,
        hosts: Vec::new(),
    };
    let secret = "only for you".to_owned();
    let shown = format!(
        "{guard:?} {:?} {:?} {:?} {:?} {:?}",
        Phrase {
            words: vec![SECRET_WORD.into()]
        },
        Invite {
            invite: SECRET_INVITE.into(),
            expires_ms: 1
        },
        AcceptParams {
            invite: SECRET_INVITE.into(),
            alias: None,
        },
        SendBody::Text {
            text: secret.clone(),
            reply_to: None,
            mentions: vec![]
        },
        super::fake::text(secret.clone()),
    ) + &format!("{:?}", super::fake::app_token());
    for hidden in [
        cookie.as_str(),
        SECRET_WORD,
        SECRET_INVITE,
        SECRET_TOKEN,
        secret.as_str(),
    ] {
        assert!(!shown.contains(hidden), "{shown}");
    }
}

#[tokio::test]
async fn f65_no_log_level_shows_tokens_texts_invites_or_words() {
    let log = Log::default();
    // While there is but one subscriber, a log point that another test's thread reaches first is taken for one that nobody wants.
    let _second = tracing::Dispatch::new(Log::default());
    let _guard = tracing::subscriber::set_default(log.clone());
    let house = House::open().await;
    let host = format!("127.0.0.1:{}", house.port());
    let almost = format!("Bearer {}", &house.token[..63]);
    ask(&house, "POST", "/", &[("Host", &host), ("Authorization", &almost)]).await;
    let chat = hex::encode([3; 32]);
    let send = json!({"chat": chat, "body": {"kind": "text", "text": "only for you"}, "idempotency_key": "k"});
    house.result("message.send", send.clone()).await;
    house.result("contact.accept", json!({"invite": SECRET_INVITE})).await;
    house.result("account.phrase", json!({})).await;
    *house.api.failure.lock().unwrap() = Some(crate::rpc::ApiError::Internal {
        reason: "row 7 is torn".into(),
    });
    house.error("message.get", json!({"message": chat})).await;
    let mut socket = house.web_socket().await;
    for (method, params) in [
        ("message.send", send),
        ("contact.accept", json!({"invite": SECRET_INVITE})),
        ("account.phrase", json!({})),
    ] {
        socket.call(method, params).await;
    }
    house.rpc.stop();
    house.rpc.stopped().await;

    let text = log.0.lock().unwrap().clone();
    // These show that the log was on, and that calls write to it although jsonrpsee doesn't.
    assert!(text.contains("was turned away"), "{text}");
    assert!(text.contains("row 7 is torn"), "{text}");
    for hidden in [&house.token[..63], "only for you", "secret-of-the-invite", SECRET_WORD] {
        assert!(!text.contains(hidden), "{hidden} in {text}");
    }
}

/// Keeps all that is logged at any level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl Visit for Log {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        writeln!(self.0.lock().unwrap(), "{field}={value:?}").unwrap();
    }
}

impl tracing::Subscriber for Log {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        attributes.record(&mut self.clone());
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        values.record(&mut self.clone());
    }
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        event.record(&mut self.clone());
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}
