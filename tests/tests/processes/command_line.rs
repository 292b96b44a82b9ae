//! The command line as people and scripts meet it: exit codes, settings, languages, events, completions, names that want to deceive.

use std::ffi::OsString;
use std::path::Path;
use std::process::Output;

use madang_tests::{DEADLINE, Person, World, join, run_with};
use serde_json::{Value, json};

use crate::MADANG;

async fn typed(args: &[&str], envs: &[(&str, &str)]) -> Output {
    run_with(Path::new(MADANG), args, envs, DEADLINE).await
}

/// A command at somebody's node.
async fn at(person: &Person, args: &[&str], envs: &[(&str, &str)]) -> Output {
    let mut all: Vec<OsString> = args.iter().map(OsString::from).collect();
    all.extend(["--data".into(), person.data().into()]);
    run_with(Path::new(MADANG), &all, envs, DEADLINE).await
}

fn said(output: &Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {error}", output.status);
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn complaint(output: &Output, code: i32) -> String {
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{error}");
    assert!(output.stdout.is_empty(), "{:?}", output.stdout);
    error
}

/// Checks an exit code in words and in JSON, whose one document names the same code.
async fn exits(person: Option<&Person>, args: &[&str], envs: &[(&str, &str)], code: i32) {
    let run = async |args: &[&str]| match person {
        Some(person) => at(person, args, envs).await,
        None => typed(args, envs).await,
    };
    assert_eq!(run(args).await.status.code(), Some(code), "{args:?}");
    let mut args = args.to_vec();
    args.push("--json");
    let output = run(&args).await;
    assert_eq!(output.status.code(), Some(code), "{args:?}");
    if code != 0 {
        let error: Value = serde_json::from_slice(&output.stderr).unwrap();
        assert_eq!(error["error"]["exit_code"], json!(code), "{args:?}: {error}");
        assert!(error["error"]["message"].is_string(), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_exit_code_is_what_the_help_says() {
    let world = World::new(MADANG);
    let alice = world.person_up("alice", &[]).await;
    let empty = world.dir().join("empty");
    let empty = empty.to_str().unwrap();
    exits(Some(&alice), &["whoami"], &[], 0).await;
    exits(None, &["relay", "doctor", "--data", empty], &[], 1).await;
    exits(None, &["nonsense"], &[], 2).await;
    exits(None, &["read", "x", "--limit", "0"], &[], 2).await;
    exits(None, &["whoami", "--data", empty], &[], 3).await;
    exits(Some(&alice), &["send", "nobody", "hello"], &[], 4).await;
    exits(None, &["config", "get", "nothing"], &[], 4).await;
    exits(Some(&alice), &["accept", "madang:invite?x"], &[], 5).await;
    let taken = alice.data().to_str().unwrap();
    exits(None, &["up", "--data", taken], &[], 6).await;
    exits(None, &["chats"], &[("MADANG_LANG", "fr")], 7).await;
    exits(None, &["chats", "--config", empty], &[], 7).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flag_goes_before_the_environment_and_that_before_the_file() {
    let world = World::new(MADANG);
    let alice = world.person_up("alice", &[]).await;
    let file = world.dir().join("sub").join("config.toml");
    let file = file.to_str().unwrap();
    let config = async |args: &[&str]| said(&typed(&[args, &["--config", file]].concat(), &[]).await);

    assert_eq!(config(&["config", "path"]).await.trim(), file);
    config(&["config", "set", "data", "/nowhere/at/all"]).await;
    config(&[
        "config",
        "set",
        "relays",
        "/ip4/192.0.2.7/tcp/1/p2p/x",
        "/ip4/192.0.2.8/tcp/1/p2p/y",
    ])
    .await;
    config(&["config", "set", "language", "ko"]).await;
    assert!(std::fs::read_to_string(file).unwrap().contains("language = \"ko\""));
    assert_eq!(config(&["config", "get", "relays"]).await.lines().count(), 2);
    let listed = typed(
        &["config", "list", "--json", "--config", file],
        &[("MADANG_LOG", "info")],
    )
    .await;
    let listed: Value = serde_json::from_str(&said(&listed)).unwrap();
    let items = listed["items"].as_array().unwrap();
    let origin = |key: &str| items.iter().find(|item| item["key"] == key).unwrap()["origin"].clone();
    assert_eq!(
        [origin("data"), origin("log"), origin("rpc")],
        ["file", "environment", "default"]
    );

    let data = alice.data().to_str().unwrap();
    let from_file = typed(&["whoami", "--config", file], &[]).await;
    assert!(complaint(&from_file, 3).contains("/nowhere/at/all"));
    let from_environment = typed(&["whoami", "--config", file], &[("MADANG_DATA", data)]).await;
    assert!(said(&from_environment).contains("madang1"));
    let from_flag = typed(
        &["whoami", "--config", file, "--data", data],
        &[("MADANG_DATA", "/nor/here")],
    )
    .await;
    assert!(said(&from_flag).contains("madang1"));

    let refused = typed(&["config", "set", "rpc", "nowhere", "--config", file], &[]).await;
    assert!(complaint(&refused, 7).contains("rpc"));
    std::fs::write(file, "later = 1\n").unwrap();
    let warned = typed(&["config", "list", "--config", file], &[]).await;
    assert!(String::from_utf8_lossy(&warned.stderr).contains("`later`"));
    config(&["config", "set", "name", "Alice"]).await;
    config(&["config", "unset", "name"]).await;
    assert!(
        std::fs::read_to_string(file).unwrap().contains("later = 1"),
        "what isn't known stays"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn people_read_their_language_and_programs_the_same_json() {
    let world = World::new(MADANG);
    let alice = world.person_up("alice", &[]).await;
    let korean = [("MADANG_LANG", ""), ("LC_ALL", "ko_KR.UTF-8")];
    assert_eq!(said(&at(&alice, &["chats"], &korean).await), "대화가 없습니다\n");
    assert_eq!(
        said(&at(&alice, &["chats", "--lang", "en"], &korean).await),
        "no chats\n"
    );
    let error = complaint(&at(&alice, &["send", "민지", "안녕"], &korean).await, 4);
    assert!(
        error.starts_with("오류: 대화 중에 `민지`에 맞는 것이 없습니다."),
        "{error}"
    );
    let error = complaint(&at(&alice, &["accept", "madang:invite?x"], &korean).await, 5);
    assert!(error.contains("초대가 올바르지 않습니다"), "{error}");
    let error = complaint(&typed(&["nonsense"], &korean).await, 2);
    assert!(error.starts_with("오류: 모르는 명령입니다: nonsense"), "{error}");
    assert!(said(&typed(&["--help"], &korean).await).contains("종료 코드:"));

    for args in [
        &["send", "x", "y", "--json"][..],
        &["whoami", "--json"],
        &["nonsense", "--json"],
    ] {
        let (english, korean) = (at(&alice, args, &[]).await, at(&alice, args, &korean).await);
        assert_eq!(
            (english.stdout, english.stderr),
            (korean.stdout, korean.stderr),
            "{args:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn any_method_can_be_called_and_events_are_read_filtered_and_acknowledged() {
    let world = World::new(MADANG);
    let mut alice = world.person_up("alice", &[]).await;
    let mut bob = world.person_up("bob", &[]).await;
    let chat = join(&mut alice, &mut bob).await;
    let message = bob.send(&chat, "one\u{1b}[2J two").await;
    alice.receives(&message).await;

    let called = said(
        &at(
            &alice,
            &["rpc", "chat.get", &json!({ "chat": chat }).to_string(), "--json"],
            &[],
        )
        .await,
    );
    assert_eq!(serde_json::from_str::<Value>(&called).unwrap()["chat"], chat.as_str());
    exits(Some(&alice), &["rpc", "chat.get", "[1]"], &[], 1).await;
    exits(Some(&alice), &["rpc", "no.method"], &[], 5).await;

    let events = [
        "events",
        "--no-follow",
        "--ack",
        "--kind",
        "message.received",
        "--chat",
        &chat,
    ];
    let seen = said(&at(&alice, &events, &[]).await);
    assert_eq!(seen.lines().count(), 1, "{seen}");
    assert!(seen.contains("message.received") && !seen.contains('\u{1b}'), "{seen}");
    assert_eq!(
        said(&at(&alice, &events, &[]).await),
        "",
        "what was acknowledged comes again"
    );
    let cursor = seen.split_whitespace().next().unwrap();
    said(&at(&alice, &["ack", cursor], &[]).await);

    let shown = said(&at(&alice, &["message", &message], &[]).await);
    assert!(
        shown.contains("one\u{fffd}[2J two") && shown.contains(&message),
        "{shown}"
    );
    let marked = said(&at(&alice, &["mark-read", &chat, "--json"], &[]).await);
    assert_eq!(
        serde_json::from_str::<Value>(&marked).unwrap()["through"],
        message.as_str()
    );
    bob.ledger_says(&message, "read").await;
    said(&at(&alice, &["info"], &[]).await);
    let mention = ["send", &chat, "hello @bob!", "--mention", "bob", "--json"];
    let sent: Value = serde_json::from_str(&said(&at(&alice, &mention, &[]).await)).unwrap();
    let sent = alice.ask("message.get", json!({ "message": sent["message"] })).await;
    assert_eq!(sent["body"]["mentions"][0]["start_bytes"], json!(6), "{sent}");
    exits(Some(&alice), &["send", &chat, "hello", "--mention", "bob"], &[], 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_asks_and_looks_at_itself_at_the_command_line() {
    let world = World::new(MADANG);
    let alice = world.person_up("alice", &[]).await;
    let token = said(&at(&alice, &["app", "request", "notifier", "--scope", "chat:read"], &[]).await);
    let file = world.dir().join("token");
    std::fs::write(&file, token).unwrap();
    let file = file.to_str().unwrap();
    exits(Some(&alice), &["app", "self", "--token-file", file], &[], 5).await;
    said(&at(&alice, &["app", "approve", "notifier"], &[]).await);
    let own = said(&at(&alice, &["app", "self", "--token-file", file], &[]).await);
    assert!(own.contains("notifier") && own.contains("chat:read"), "{own}");
    said(&at(&alice, &["chats", "--token-file", file], &[]).await);
    exits(Some(&alice), &["phrase", "--token-file", file], &[], 5).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f60_a_look_alike_is_marked_and_steers_no_terminal() {
    let world = World::new(MADANG);
    let mut alice = world.person_up("alice", &[]).await;
    let mut bob = world.person_up("bob", &[]).await;
    join(&mut alice, &mut bob).await;
    // The letter in the middle is Cyrillic.
    let mallory = world.person_up("b\u{43e}b", &[]).await;
    let invite = alice.ask("contact.invite", json!({})).await["invite"].clone();
    mallory.ask("contact.accept", json!({ "invite": invite })).await;
    alice
        .event("mallory asks", |kind, data| {
            kind == "contact.requested" && data["name"] == "b\u{43e}b"
        })
        .await;
    let account = bob.ask("account.get", json!({})).await["account"]
        .as_str()
        .unwrap()
        .to_owned();
    let requests = said(&at(&alice, &["requests"], &[]).await);
    assert!(requests.contains("[looks like madang1"), "{requests}");
    assert!(requests.contains(&account[..account.len().min(15)]), "{requests}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_and_completions_are_written() {
    let world = World::new(MADANG);
    let dir = world.dir().join("man");
    said(&typed(&["man", dir.to_str().unwrap()], &[]).await);
    let main = std::fs::read_to_string(dir.join("madang.1")).unwrap();
    assert!(
        main.contains("Exit codes") && dir.join("madang-group-add.1").exists(),
        "{main}"
    );
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        assert!(
            said(&typed(&["completions", shell], &[]).await).contains("mark-read"),
            "{shell}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_lead_the_json_rpc_over_tls_all_three_or_none() {
    let world = World::new(MADANG);
    let mut alice = world.person("alice", &[]);
    let made = rcgen::generate_simple_self_signed(["node.example".to_owned()]).unwrap();
    let (certificate, key) = (world.dir().join("cert.pem"), world.dir().join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.key_pair.serialize_pem()).unwrap();
    let file = world.dir().join("config.toml");
    let file = file.to_str().unwrap();
    let set = async |name: &str, value: &str| {
        said(&typed(&["config", "set", name, value, "--config", file], &[]).await);
    };
    set("rpc_tls", "127.0.0.1:0").await;
    set("rpc_hosts", "node.example").await;
    set("rpc_tls_cert", certificate.to_str().unwrap()).await;
    let data = alice.data().to_str().unwrap().to_owned();
    let lacks = complaint(&typed(&["up", "--data", &data, "--config", file], &[]).await, 7);
    assert!(lacks.contains("rpc_tls_key is missing"), "{lacks}");

    alice.set_env("MADANG_CONFIG", file);
    alice.set_env("MADANG_RPC_TLS_KEY", key.to_str().unwrap());
    alice.up().await;
    let places = std::fs::read_to_string(alice.data().join("rpc.json")).unwrap();
    let places: Value = serde_json::from_str(&places).unwrap();
    let https = places["https"].as_str().unwrap_or_default();
    assert!(https.starts_with("https://node.example:"), "{places}");
}
