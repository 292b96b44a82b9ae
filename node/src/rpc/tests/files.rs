use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use super::House;
use super::fake::Fake;
use crate::rpc::{RpcConfig, RpcError, serve};

async fn cookie_after_start(data: &Path) -> String {
    let rpc = serve(Arc::new(Fake::new()), RpcConfig::new(data)).await.unwrap();
    let cookie = fs::read_to_string(data.join("cookie")).unwrap();
    rpc.stop();
    rpc.stopped().await;
    cookie
}

#[tokio::test]
async fn the_places_are_there_and_go_with_the_server() {
    let house = House::open().await;
    let path = house.directory.path().join("rpc.json");
    let places: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let port = house.port();
    let socket = house.directory.path().join("rpc.sock");
    assert_eq!(
        places,
        json!({
            "http": format!("http://127.0.0.1:{port}"), "ws": format!("ws://127.0.0.1:{port}"),
            "unix": socket.to_str().unwrap(),
        })
    );
    assert_eq!(house.token.len(), 64);
    house.rpc.stop();
    house.rpc.stopped().await;
    house.rpc.stop();
    assert!(!path.exists() && !socket.exists());
    assert!(house.directory.path().join("cookie").exists());
}

#[cfg(unix)]
#[tokio::test]
async fn f53_the_unix_socket_is_its_users_alone_and_needs_no_token() {
    use std::os::unix::fs::PermissionsExt as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let house = House::open().await;
    let path = house.directory.path().join("rpc.sock");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let ask = async |headers: &str| {
        let body = r#"{"jsonrpc":"2.0","id":1,"method":"node.info"}"#;
        let mut stream = tokio::net::UnixStream::connect(&path).await.unwrap();
        let request = format!(
            "POST / HTTP/1.1\r\nHost: madang\r\nContent-Type: application/json\r\n{headers}\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        super::within(stream.read_to_string(&mut answer)).await.unwrap();
        answer
    };
    assert!(ask("").await.contains(r#""result""#));
    // What is shown must be right all the same, and pages have no business here.
    assert!(ask("Authorization: Bearer wrong\r\n").await.starts_with("HTTP/1.1 401"));
    assert!(ask("Authorization: Basic x\r\n").await.starts_with("HTTP/1.1 401"));
    assert!(ask("Origin: http://localhost\r\n").await.starts_with("HTTP/1.1 403"));
}

#[tokio::test]
async fn a_dropped_handle_stops_the_server() {
    let house = House::open().await;
    let path = house.directory.path().join("rpc.json");
    let done = house.rpc.done();
    let House {
        rpc,
        directory: _directory,
        ..
    } = house;
    drop(rpc);
    super::within(async move { done.clone().wait_for(|done| *done).await.map(|_| ()) })
        .await
        .unwrap();
    assert!(!path.exists());
}

#[tokio::test]
async fn the_cookie_outlives_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let first = cookie_after_start(directory.path()).await;
    assert_eq!(cookie_after_start(directory.path()).await, first);
}

#[tokio::test]
async fn a_damaged_cookie_is_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cookie");
    let upper = "A".repeat(64);
    for damaged in ["", "short", &upper, &"z".repeat(64), &"a".repeat(65)] {
        fs::write(&path, damaged).unwrap();
        let cookie = cookie_after_start(directory.path()).await;
        assert_ne!(cookie, damaged);
        assert_eq!(cookie.len(), 64);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn f53_a_cookie_is_private_and_one_that_others_could_read_is_replaced() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cookie");
    // What a crash may leave must not lend its permissions.
    fs::write(path.with_extension("new"), "left behind").unwrap();
    let first = cookie_after_start(directory.path()).await;
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert_ne!(cookie_after_start(directory.path()).await, first);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn what_prevents_serving_is_named() {
    let house = House::open().await;
    let taken = RpcConfig {
        bind: house.rpc.addr(),
        ..RpcConfig::new(house.directory.path())
    };
    let error = serve(Arc::new(Fake::new()), taken).await.unwrap_err();
    assert!(matches!(error, RpcError::Bind { .. }), "{error}");
    assert!(house.directory.path().join("rpc.json").exists());

    let nowhere = RpcConfig::new(house.directory.path().join("nowhere"));
    let error = serve(Arc::new(Fake::new()), nowhere).await.unwrap_err();
    assert!(error.to_string().contains("cookie"), "{error}");
}
