//! The clients are as the description says, and two nodes answer them.

use std::ffi::OsString;
use std::path::Path;

use madang_node::rpc::openrpc;
use madang_tests::contract::api::Api;
use madang_tests::contract::{python, same, typescript};
use madang_tests::tools::{lacks, lacks_typescript, repository};
use madang_tests::{Process, World, join};
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_madang-under-test");

#[test]
fn the_committed_clients_are_what_the_description_says() {
    let api = Api::of(&openrpc::document());
    same("examples/clients/typescript/src/api.ts", &typescript::client(&api));
    same("examples/clients/python/madang_client/api.py", &python::client(&api));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_client_plays_with_two_nodes() {
    if lacks("the Python client", "python3") {
        return;
    }
    let script = repository("examples/clients/python/play.py");
    play("python3", &[], &script).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_typescript_client_is_typed_and_plays_with_two_nodes() {
    let folder = repository("examples/clients/typescript");
    if lacks_typescript("the TypeScript client", &folder.join("test")).await {
        return;
    }
    // From Node 22 on it has a WebSocket anyway.
    play("node", &["--experimental-websocket"], &folder.join("dist/test/play.js")).await;
}

/// Runs a script that plays with two people in a chat, one of whom starts anew when it says so.
async fn play(program: &str, flags: &[&str], script: &Path) {
    let world = World::new(PROGRAM);
    let relay = world.relay().await;
    let mut alice = world.person_up("Alice", relay.addresses()).await;
    let mut bob = world.person_up("Bob", relay.addresses()).await;
    let chat = join(&mut alice, &mut bob).await;

    let places = std::fs::read_to_string(alice.data().join("rpc.json")).unwrap();
    let places: Value = serde_json::from_str(&places).unwrap();
    let url = places["http"].as_str().unwrap();
    let mut args: Vec<OsString> = flags.iter().map(OsString::from).collect();
    args.extend([
        script.into(),
        alice.data().into(),
        bob.data().into(),
        chat.clone().into(),
        url.into(),
    ]);
    let mut script = Process::start_at_once(Path::new(program), &args, &[], &world.dir().join("client"));
    script.says(|line| line == "restart").await;
    bob.kill().await;
    bob.up().await;
    alice.send(&chat, "after the restart").await;
    script.says(|line| line == "done").await;
    assert!(script.ended().await.success());
}
