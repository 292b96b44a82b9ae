//! `madang rpc --stdio` as a program would use it that starts it.

use std::path::Path;
use std::process::{ExitStatus, Stdio};

use madang_tests::{DEADLINE, World};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use crate::MADANG;

struct Bridge {
    child: Child,
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
}

impl Bridge {
    fn start(data: &Path, token_file: Option<&Path>) -> Self {
        let mut command = Command::new(MADANG);
        command.args(["rpc", "--stdio", "--data"]).arg(data);
        if let Some(file) = token_file {
            command.arg("--token-file").arg(file);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        Self {
            input: child.stdin.take(),
            output: BufReader::new(child.stdout.take().unwrap()).lines(),
            child,
        }
    }

    async fn write(&mut self, line: &str) {
        let input = self.input.as_mut().unwrap();
        input.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    async fn ask(&mut self, id: u64, method: &str, params: Value) {
        let request = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        self.write(&request.to_string()).await;
    }

    async fn line(&mut self) -> Option<Value> {
        let line = timeout(DEADLINE, self.output.next_line())
            .await
            .expect("a line in time");
        line.unwrap().map(|line| serde_json::from_str(&line).unwrap())
    }

    async fn ends(&mut self) -> ExitStatus {
        timeout(DEADLINE, self.child.wait())
            .await
            .expect("it ends in time")
            .unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_speaks_to_the_node_by_standard_input_and_output() {
    let world = World::new(MADANG);
    let mut alice = world.person_up("alice", &[]).await;
    let mut bridge = Bridge::start(alice.data(), None);
    bridge.ask(1, "event.subscribe", json!({})).await;
    let subscribed = bridge.line().await.unwrap();
    assert_eq!(subscribed["id"], 1);
    let ask = json!({ "name": "shop", "scopes": ["chat:read"] });
    let asked = alice.rpc().of_app(None).ask("app.request", ask).await;
    let told = bridge.line().await.unwrap();
    assert_eq!(told["params"]["subscription"], subscribed["result"]);
    assert_eq!(told["params"]["result"]["data"]["app"], asked["app"]);

    bridge.write("no JSON").await;
    assert_eq!(bridge.line().await.unwrap()["error"]["code"], -32700);
    bridge.write(&"x".repeat(1024 * 1024 + 1)).await;
    let refused = bridge.line().await.unwrap();
    let data = json!({ "code": "too_large", "retryable": false, "field": "request", "limit": 1_048_576 });
    assert_eq!((&refused["id"], &refused["error"]["data"]), (&Value::Null, &data));

    // What was asked is answered although nothing more can be asked; then it ends.
    for id in 2..20 {
        bridge.ask(id, "event.poll", json!({ "after": "0" })).await;
    }
    bridge
        .write(r#"[{"jsonrpc":"2.0","id":20,"method":"account.get"}]"#)
        .await;
    bridge.ask(21, "event.poll", json!({ "timeout_ms": 300 })).await;
    bridge.input = None;
    let mut answered = Vec::new();
    while let Some(answer) = bridge.line().await {
        let one = answer.get(0).unwrap_or(&answer);
        assert!(one["result"].is_object(), "{answer}");
        answered.push(one["id"].as_u64().unwrap());
    }
    answered.sort_unstable();
    assert_eq!(answered, (2..22).collect::<Vec<_>>());
    assert!(bridge.ends().await.success());

    let made = alice
        .ask("app.mint", json!({ "name": "reader", "scopes": ["chat:read"] }))
        .await;
    let file = world.dir().join("token");
    std::fs::write(&file, format!("{}\n", made["token"].as_str().unwrap())).unwrap();
    let mut app = Bridge::start(alice.data(), Some(&file));
    app.ask(1, "node.info", json!({})).await;
    assert_eq!(app.line().await.unwrap()["error"]["data"]["code"], "scope_missing");
    alice.kill().await;
    assert_eq!(app.ends().await.code(), Some(3), "the node is gone");
    assert_eq!(
        Bridge::start(alice.data(), None).ends().await.code(),
        Some(3),
        "no node"
    );
}
