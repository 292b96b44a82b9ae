//! A chat that is exported on one node, and imported on another.

use std::path::Path;

use madang_tests::{World, join};
use serde_json::{Value, json};

use super::kinds::by_hand;
use crate::MADANG;

#[tokio::test(flavor = "multi_thread")]
async fn an_exported_chat_is_read_on_another_node_and_importing_again_changes_nothing() {
    let world = World::new(MADANG);
    let mut alice = world.person_up("alice", &[]).await;
    let mut bob = world.person_up("bob", &[]).await;
    let carol = world.person_up("carol", &[]).await;
    let chat = join(&mut alice, &mut bob).await;
    let first = alice.send(&chat, "첫 메시지 <b>굵게</b>").await;
    bob.receives(&first).await;
    let answer = json!({ "chat": chat, "body": { "kind": "text", "text": "네, 봤어요", "reply_to": first } });
    bob.ask("message.send", answer).await;
    bob.ask("message.react", json!({ "message": first, "emoji": "👍" }))
        .await;

    let place = tempfile::tempdir().unwrap();
    let notes = place.path().join("notes & more.html");
    std::fs::write(&notes, "<b>attached</b>").unwrap();
    by_hand(&bob, &["send", "alice", "--file", notes.to_str().unwrap()]).await;
    let dir = place.path().join("chat");
    let to = dir.to_str().unwrap().to_owned();
    by_hand(&bob, &["export", "alice", "--to", &to]).await;
    let text = std::fs::read_to_string(dir.join("messages.json")).unwrap();
    let export: Value = serde_json::from_str(&text).unwrap();
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/export.schema.json");
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(schema).unwrap()).unwrap();
    jsonschema::validate(&schema, &export).unwrap();
    assert_eq!(export["messages"].as_array().unwrap().len(), 3);
    let kept = export["messages"][2]["body"]["file"]["path"].as_str().unwrap();
    assert_eq!(kept, "files/notes & more.html");
    assert_eq!(std::fs::read_to_string(dir.join(kept)).unwrap(), "<b>attached</b>");
    let page = std::fs::read_to_string(dir.join("index.html")).unwrap();
    assert!(
        page.contains("첫 메시지 &lt;b&gt;굵게&lt;/b&gt;") && !page.contains("<b>"),
        "{page}"
    );
    assert!(
        page.contains("default-src 'none'") && !page.contains("<script"),
        "{page}"
    );
    assert!(
        page.contains("files/notes &amp; more.html") && !page.contains("src=") && !page.contains("href=\"files"),
        "{page}"
    );

    for new in ["3 of them new", "0 of them new"] {
        let said = by_hand(&carol, &["import", &to]).await;
        assert!(said.contains("3 messages") && said.contains(new), "{said}");
    }
    let list = by_hand(&carol, &["archive", "list"]).await;
    assert_eq!(list.lines().count(), 1, "{list}");
    let archive = carol.ask("archive.list", json!({})).await["items"][0]["archive"].clone();
    let archive = archive.as_str().unwrap();
    let shown = by_hand(&carol, &["archive", "read", archive]).await;
    assert_eq!(shown.lines().count(), 3, "{shown}");
    assert!(shown.contains("notes & more.html"), "{shown}");
    assert!(!shown.contains("you:"), "carol wrote none of it: {shown}");
    let found = by_hand(&carol, &["archive", "read", archive, "시지"]).await;
    assert!(found.lines().count() == 1 && found.contains("첫 메시지"), "{found}");
    // What was imported is in no chat.
    assert_eq!(carol.ask("chat.list", json!({})).await["items"], json!([]));
    by_hand(&carol, &["archive", "remove", archive]).await;
    assert_eq!(
        by_hand(&carol, &["archive", "list"]).await.trim(),
        "nothing was imported"
    );
}
