//! Data directories that are refused, and left as they are.

use std::path::Path;

use madang_tests::{DEADLINE, Rpc, World, run};
use serde_json::{Value, json};

use crate::MADANG;

/// The exit code of a data directory that can't be opened (docs/cli.md).
const EXIT_STORE: i32 = 6;

#[tokio::test(flavor = "multi_thread")]
async fn f34_a_second_node_on_one_data_directory_is_refused() {
    let world = World::new(MADANG);
    let alice = world.person_up("alice", &[]).await;
    let output = run(Path::new(MADANG), &alice.args(), DEADLINE).await;
    assert_eq!(output.status.code(), Some(EXIT_STORE));
    let error: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(error["error"]["exit_code"], EXIT_STORE);
    let message = error["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("in use by another process") && message.contains("alice"),
        "{message}"
    );
    // The first goes on, and its places still lead to it.
    assert!(
        Rpc::open(alice.data())
            .unwrap()
            .call("account.get", json!({}))
            .await
            .is_ok()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn f35_a_wrong_passphrase_is_refused_and_touches_nothing() {
    let world = World::new(MADANG);
    let mut alice = world.person("alice", &[]);
    let files = [("right", "open sesame"), ("wrong", "open barley")];
    let [right, wrong] = files.map(|(name, text)| {
        std::fs::write(world.dir().join(name), text).unwrap();
        world.dir().join(name)
    });
    alice.set_passphrase_file(&right);
    alice.up().await;
    let account = alice.ask("account.get", json!({})).await;
    alice.stop().await;

    let before = contents(alice.data());
    alice.set_passphrase_file(&wrong);
    let output = run(Path::new(MADANG), &alice.args(), DEADLINE).await;
    assert_eq!(output.status.code(), Some(EXIT_STORE));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.contains("wrong passphrase") && !error.contains("barley"),
        "{error}"
    );
    assert_eq!(contents(alice.data()), before);

    alice.set_passphrase_file(&right);
    alice.up().await;
    assert_eq!(alice.ask("account.get", json!({})).await, account);
}

#[tokio::test(flavor = "multi_thread")]
async fn f31_data_of_a_newer_program_is_refused_and_left_alone() {
    let world = World::new(MADANG);
    let mut alice = world.person_up("alice", &[]).await;
    alice.stop().await;
    let path = alice.data().join("format");
    let mut format: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    format["format"] = json!(1_000);
    std::fs::write(&path, format.to_string()).unwrap();

    let before = contents(alice.data());
    let output = run(Path::new(MADANG), &alice.args(), DEADLINE).await;
    assert_eq!(output.status.code(), Some(EXIT_STORE));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.contains("format 1000") && error.contains("update the program"),
        "{error}"
    );
    assert_eq!(contents(alice.data()), before);
}

/// All files below a directory but the lock: paths and contents.
fn contents(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
            } else if path.file_name().unwrap() != "lock" {
                found.push((path.display().to_string(), std::fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}
