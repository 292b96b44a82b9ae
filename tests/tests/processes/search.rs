//! Searching and jumping to a date on real nodes, by JSON-RPC and by the command line.

use madang_tests::{Person, World, join};
use serde_json::{Value, json};

use super::kinds::by_hand;
use crate::MADANG;

/// Waits until a search finds so many; returns the texts around them.
async fn finds(person: &mut Person, query: &str, count: usize) -> Vec<String> {
    person
        .until(&format!("{count} hits for {query}"), async |person| {
            let page = person.ask("message.search", json!({ "query": query })).await;
            let items = page["items"].as_array().unwrap();
            (items.len() == count).then(|| {
                let snippets = items.iter().map(|hit| hit["snippet"].as_str().unwrap().to_owned());
                snippets.collect()
            })
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn words_are_found_by_both_until_they_are_deleted_and_after_a_kill() {
    let world = World::new(MADANG);
    let mut alice = world.person_up("alice", &[]).await;
    let mut bob = world.person_up("bob", &[]).await;
    let chat = join(&mut alice, &mut bob).await;
    let first = alice.send(&chat, "내일 마당에서 만나요").await;
    let second = alice.send(&chat, "See you in the Café tomorrow").await;
    bob.receives(&second).await;

    assert_eq!(finds(&mut bob, "당에", 1).await, ["내일 마당에서 만나요"]);
    assert_eq!(finds(&mut alice, "cafe", 1).await, ["See you in the Café tomorrow"]);
    // The index is made in the background; from then on searches look at all there is.
    bob.until("the index is made", async |bob| {
        let page = bob.ask("message.search", json!({ "query": "cafe" })).await;
        (page["complete"] == true).then_some(())
    })
    .await;
    bob.kill().await;
    bob.up().await;
    let hit = by_hand(&bob, &["search", "tomor", "--chat", "alice"]).await;
    assert!(hit.contains("alice:") && hit.contains("tomorrow"), "{hit}");
    let only_mine = by_hand(&bob, &["search", "tomor", "--from", "me"]).await;
    assert_eq!(only_mine.trim(), "nothing found");

    alice.ask("message.delete", json!({ "message": first })).await;
    finds(&mut bob, "마당", 0).await;
    let refused = bob.rpc().call("message.search", json!({ "query": " " })).await;
    assert_eq!(refused.unwrap_err().code(), "invalid_params");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_begins_at_a_time_and_goes_on_both_ways() {
    let world = World::new(MADANG);
    let mut alice = world.person_up("alice", &[]).await;
    let mut bob = world.person_up("bob", &[]).await;
    let chat = join(&mut alice, &mut bob).await;
    let mut sent = Vec::new();
    for n in 0..5 {
        let id = alice.send(&chat, &format!("number {n}")).await;
        let view = alice.ask("message.get", json!({ "message": id })).await;
        sent.push((id, view["sent_ms"].as_u64().unwrap()));
    }
    let list = async |params: Value| -> Value { alice.ask("message.list", params).await };
    let at = sent[2].1;
    let first = sent.iter().position(|(_, time)| *time >= at).unwrap();
    let ids = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap().iter();
        items.map(|item| item["message"].as_str().unwrap().to_owned()).collect()
    };
    let wanted = |from: usize, to: usize| -> Vec<String> { sent[from..to].iter().map(|(id, _)| id.clone()).collect() };

    let page = list(json!({ "chat": chat, "at_ms": at, "limit": 2 })).await;
    assert_eq!(ids(&page), wanted(first, first + 2));
    let next = list(json!({ "chat": chat, "after": page["next"] })).await;
    assert_eq!(ids(&next), wanted(first + 2, 5));
    let before = list(json!({ "chat": chat, "before": page["prev"] })).await;
    assert_eq!(ids(&before), wanted(0, first));
    let all = list(json!({ "chat": chat, "at_ms": 0 })).await;
    assert_eq!(ids(&all), wanted(0, 5));
    let newest = list(json!({ "chat": chat, "at_ms": u64::MAX, "limit": 1 })).await;
    assert_eq!(ids(&newest), wanted(4, 5));
    let shown = by_hand(&alice, &["read", "bob", "--at", "2020-01-01", "--limit", "3"]).await;
    assert_eq!(shown.lines().count(), 3, "{shown}");
    assert!(shown.contains("number 0"), "{shown}");
}
