//! Webhooks: a receiver that fails, comes back and checks signatures, and a node that is killed meanwhile.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use madang_tests::{DEADLINE, Lane, Person, World, certificate, end, join};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::MADANG;
use crate::kinds::by_hand;

/// What came with a post.
#[derive(Clone, Debug)]
struct Post {
    id: String,
    time: String,
    signature: String,
    body: String,
}

impl Post {
    fn is_signed_with(&self, secret: &str) -> bool {
        let key = BASE64
            .decode(secret.strip_prefix("whsec_").unwrap().as_bytes())
            .unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        mac.update(format!("{}.{}.{}", self.id, self.time, self.body).as_bytes());
        self.signature == format!("v1,{}", BASE64.encode(&mac.finalize().into_bytes()))
    }

    fn events(&self) -> Vec<Value> {
        let body: Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(body["type"], "events");
        assert!(body["timestamp"].as_str().unwrap().ends_with('Z'), "{body}");
        body["data"]["items"].as_array().unwrap().clone()
    }
}

/// How a receiver answers.
#[derive(Clone, Copy)]
struct Answer {
    status: u16,
    retry_after_s: Option<u64>,
}

/// A web server that keeps what is posted to it and answers as it is told.
struct Receiver {
    port: u16,
    secure: bool,
    posts: Arc<watch::Sender<Vec<(u16, Post)>>>,
    answer: Arc<Mutex<Answer>>,
    task: JoinHandle<()>,
}

impl Receiver {
    async fn start(port: u16) -> Self {
        Self::start_with(port, None).await
    }

    /// Starts one for TLS, if it is given its side of that.
    async fn start_with(port: u16, tls: Option<TlsAcceptor>) -> Self {
        let secure = tls.is_some();
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let posts = Arc::new(watch::Sender::new(Vec::new()));
        let answer = Arc::new(Mutex::new(Answer {
            status: 204,
            retry_after_s: None,
        }));
        let (kept, told) = (Arc::clone(&posts), Arc::clone(&answer));
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                match &tls {
                    None => serve(stream, &kept, &told).await,
                    // Who trusts it not breaks off.
                    Some(tls) => {
                        if let Ok(stream) = tls.accept(stream).await {
                            serve(stream, &kept, &told).await;
                        }
                    }
                }
            }
        });
        Self {
            port,
            secure,
            posts,
            answer,
            task,
        }
    }

    fn url(&self) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://localhost:{}/hook?of=madang", self.port)
    }

    fn answers(&self, status: u16) {
        self.answers_for(status, None);
    }

    fn answers_for(&self, status: u16, retry_after_s: Option<u64>) {
        *self.answer.lock().unwrap() = Answer { status, retry_after_s };
    }

    /// Waits until posts are as they should be; gives them.
    async fn until(&self, what: &str, so: impl Fn(&[(u16, Post)]) -> bool) -> Vec<(u16, Post)> {
        let mut posts = self.posts.subscribe();
        let found = timeout(2 * DEADLINE, posts.wait_for(|posts| so(posts))).await;
        found
            .unwrap_or_else(|_| panic!("waited in vain until {what}"))
            .unwrap()
            .clone()
    }

    /// Ends it; gives what was posted.
    async fn stop(self) -> Vec<(u16, Post)> {
        self.task.abort();
        self.task.await.ok();
        self.posts.borrow().clone()
    }
}

/// Takes a post, and answers it.
async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    kept: &watch::Sender<Vec<(u16, Post)>>,
    told: &Mutex<Answer>,
) {
    // A node that is killed breaks off.
    let Some((mut stream, post)) = read(stream).await else {
        return;
    };
    let Answer { status, retry_after_s } = *told.lock().unwrap();
    kept.send_modify(|posts| posts.push((status, post)));
    let later = retry_after_s.map_or_else(String::new, |seconds| format!("Retry-After: {seconds}\r\n"));
    let answer = format!("HTTP/1.1 {status} x\r\n{later}Content-Length: 0\r\nConnection: close\r\n\r\n");
    stream.write_all(answer.as_bytes()).await.ok();
    stream.flush().await.ok();
}

async fn read<S: AsyncRead + AsyncWrite + Unpin>(stream: S) -> Option<(BufReader<S>, Post)> {
    let mut stream = BufReader::new(stream);
    let (mut length, mut post) = (0, [const { String::new() }; 3]);
    let mut first = String::new();
    stream.read_line(&mut first).await.ok()?;
    assert!(
        first.is_empty() || first == "POST /hook?of=madang HTTP/1.1\r\n",
        "{first}"
    );
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "webhook-id" => post[0] = value.to_owned(),
            "webhook-timestamp" => post[1] = value.to_owned(),
            "webhook-signature" => post[2] = value.to_owned(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    let ([id, time, signature], body) = (post, String::from_utf8(body).ok()?);
    (length > 0).then_some((
        stream,
        Post {
            id,
            time,
            signature,
            body,
        },
    ))
}

/// The events of the posts that were accepted.
fn accepted(posts: &[(u16, Post)]) -> Vec<Value> {
    let accepted = posts.iter().filter(|(status, _)| *status < 300);
    accepted.flat_map(|(_, post)| post.events()).collect()
}

fn messages(events: &[Value]) -> BTreeSet<String> {
    events
        .iter()
        .map(|event| event["data"]["message"].as_str().unwrap_or_default().to_owned())
        .collect()
}

async fn hook(person: &Person, of: &Value) -> Option<Value> {
    let hooks = person.ask("event.webhooks", json!({})).await;
    hooks["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|hook| hook["app"] == *of)
        .cloned()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_event_is_posted_in_order_whoever_fails_and_is_killed() {
    let world = World::new(MADANG);
    let mut alice = world.person_up("alice", &[]).await;
    let mut bob = world.person_up("bob", &[]).await;
    let chat = join(&mut alice, &mut bob).await;
    let made = alice
        .ask(
            "app.mint",
            json!({ "name": "shop", "scopes": [format!("chat:{chat}:read")] }),
        )
        .await;
    let (app, id) = (alice.rpc().of_app(made["token"].as_str()), made["app"].clone());
    let receiver = Receiver::start(0).await;
    let filter = json!({ "kinds": ["message.received", "contact.added"] });
    let set = json!({ "url": receiver.url(), "after": "0", "filter": filter });
    let set = app.ask("event.webhook_set", set).await;
    let secret = set["secret"].as_str().unwrap().to_owned();
    assert_eq!(set["webhook"]["state"], "active");

    let lanes = Lane::start_many(bob.data(), &chat, "text ", 8);
    receiver
        .until("some are posted", |posts| accepted(posts).len() > 20)
        .await;
    receiver.answers(500);
    receiver
        .until("one fails", |posts| posts.iter().any(|(status, _)| *status == 500))
        .await;
    alice
        .until("it shows", async |alice| {
            let hook = hook(alice, &id).await.unwrap();
            (hook["state"] == "failing" && hook["last_status"] == 500 && hook["next_try_ms"].is_u64()).then_some(())
        })
        .await;
    alice.kill().await;
    alice.up().await;
    let (port, first) = (receiver.port, receiver.stop().await);
    alice
        .until("nobody is there", async |alice| {
            let hook = hook(alice, &id).await.unwrap();
            (hook["last_status"].is_null() && hook["attempts"].as_u64() > Some(1)).then_some(())
        })
        .await;
    let receiver = Receiver::start(port).await;
    receiver.until("it goes on", |posts| accepted(posts).len() > 20).await;
    alice.kill().await;
    alice.up().await;
    let sent = messages(
        &end(lanes)
            .await
            .into_iter()
            .flatten()
            .map(|(id, _)| json!({ "data": { "message": id } }))
            .collect::<Vec<_>>(),
    );
    let all = |posts: &[(u16, Post)]| [accepted(&first), accepted(posts)].concat();
    let posts = receiver
        .until("all are posted", |posts| sent.is_subset(&messages(&all(posts))))
        .await;

    let events = all(&posts);
    assert!(
        events.iter().all(|event| event["kind"] == "message.received"),
        "what the token may not read"
    );
    let cursors: Vec<u64> = events
        .iter()
        .map(|event| event["cursor"].as_str().unwrap().parse().unwrap())
        .collect();
    let again = cursors.windows(2).filter(|pair| pair[1] <= pair[0]).count();
    assert!(again <= 2, "{again} times back, for two kills");
    for (_, post) in first.iter().chain(&posts) {
        assert!(post.is_signed_with(&secret), "{post:?}");
    }

    // It ends with its token.
    alice.ask("app.revoke", json!({ "app": id })).await;
    assert_eq!(hook(&alice, &id).await, None);
    let before = receiver.posts.borrow().len();
    let last = bob.send(&chat, "after the end").await;
    alice.receives(&last).await;
    let mine = Receiver::start(0).await;
    by_hand(
        &alice,
        &[
            "app",
            "webhook",
            "set",
            &mine.url(),
            "--after",
            "0",
            "--kind",
            "message.received",
        ],
    )
    .await;
    mine.until("the owner's gets it", |posts| {
        messages(&accepted(posts)).contains(&last)
    })
    .await;
    assert_eq!(receiver.posts.borrow().len(), before, "posted after the token's end");

    mine.answers(410);
    bob.send(&chat, "to nobody").await;
    let told = alice
        .event("it is disabled", |kind, _| kind == "webhook.disabled")
        .await;
    assert_eq!(told, json!({ "last_status": 410 }));
    let listed = by_hand(&alice, &["app", "webhook", "list"]).await;
    assert!(listed.contains("disabled") && listed.contains("410"), "{listed}");
    by_hand(&alice, &["app", "webhook", "remove"]).await;
    assert!(
        by_hand(&alice, &["app", "webhook", "list"])
            .await
            .contains("no webhooks")
    );
    for url in ["http://192.0.2.1/", "http://example.org/", "ftp://127.0.0.1/"] {
        let refused = alice.rpc().call("event.webhook_set", json!({ "url": url })).await;
        assert_eq!(refused.unwrap_err().code(), "invalid_params", "{url}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_only_who_the_system_trusts_is_posted_to_and_waited_for_as_it_says() {
    let world = World::new(MADANG);
    let (known, with_known) = certificate("localhost");
    let (_, with_other) = certificate("localhost");
    let roots = world.dir().join("roots.pem");
    std::fs::write(&roots, known).unwrap();
    let mut alice = world.person("alice", &[]);
    alice.set_env("SSL_CERT_FILE", roots.to_str().unwrap());
    alice.up().await;
    let mut bob = world.person_up("bob", &[]).await;
    let chat = join(&mut alice, &mut bob).await;
    let stranger = Receiver::start_with(0, Some(with_other)).await;
    let set = |url: String| json!({ "url": url, "filter": { "kinds": ["message.received"] } });
    alice.ask("event.webhook_set", set(stranger.url())).await;
    let text = bob.send(&chat, "for whom the system trusts").await;
    alice
        .until("it isn't trusted", async |alice| {
            let hook = hook(alice, &Value::Null).await.unwrap();
            let error = hook["last_error"].as_str().unwrap_or_default();
            (error.contains("can't be reached") && error.contains("certificate")).then_some(())
        })
        .await;
    assert!(stranger.posts.borrow().is_empty());

    let receiver = Receiver::start_with(0, Some(with_known)).await;
    receiver.answers_for(503, Some(3_600));
    alice.ask("event.webhook_set", set(receiver.url())).await;
    receiver.until("it is posted", |posts| !posts.is_empty()).await;
    let wait_ms = alice
        .until("it is left alone", async |alice| {
            let hook = hook(alice, &Value::Null).await.unwrap();
            Some(hook["next_try_ms"].as_u64()? - hook["last_try_ms"].as_u64()?)
        })
        .await;
    assert_eq!(wait_ms, 3_600_000);

    // Setting it again doesn't wait.
    receiver.answers(204);
    alice.ask("event.webhook_set", set(receiver.url())).await;
    receiver
        .until("it is accepted", |posts| messages(&accepted(posts)).contains(&text))
        .await;

    // An app's leads into no private network.
    let made = alice
        .ask("app.mint", json!({ "name": "shop", "scopes": ["chat:read"] }))
        .await;
    let app = alice.rpc().of_app(made["token"].as_str());
    let refused = app
        .call("event.webhook_set", json!({ "url": "https://10.0.0.1/" }))
        .await;
    assert_eq!(refused.unwrap_err().code(), "invalid_params");
}
