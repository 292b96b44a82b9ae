use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{House, within};
use crate::rpc::limits::{LAG, MAX_CALLS, MAX_TEXT};

fn cursors(page: &Value) -> Vec<u64> {
    page["items"].as_array().unwrap().iter().map(cursor).collect()
}

fn cursor(event: &Value) -> u64 {
    event["cursor"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn polling_reads_behind_the_cursor_and_says_where_to_go_on() {
    let house = House::open().await;
    house.api.grow(5);
    let page = house.result("event.poll", json!({"after": "0", "limit": 2})).await;
    assert_eq!((cursors(&page), &page["next"]), (vec![1, 2], &json!("2")));
    let page = house.result("event.poll", json!({"after": page["next"]})).await;
    assert_eq!((cursors(&page), &page["next"]), (vec![3, 4, 5], &json!("5")));
    let now = house.result("event.poll", json!({})).await;
    assert_eq!(now, json!({"items": [], "next": "5", "epoch": "000000e0"}));
}

#[tokio::test]
async fn events_about_what_is_gone_hold_up_nobody() {
    let house = House::open().await;
    house.api.gone.store(300, Ordering::Relaxed);
    house.api.grow(302);
    let page = house.result("event.poll", json!({"after": "0", "limit": 2})).await;
    assert_eq!((cursors(&page), &page["next"]), (vec![301, 302], &json!("302")));
    let mut socket = house.web_socket().await;
    socket.subscribe(json!({"after": "0"})).await;
    assert_eq!(cursor(&socket.event().await), 301);

    // With none that follows the page says how far it looked.
    house.api.gone.store(302, Ordering::Relaxed);
    let page = house.result("event.poll", json!({"after": "0"})).await;
    assert_eq!(page, json!({"items": [], "next": "302", "epoch": "000000e0"}));
}

#[tokio::test]
async fn a_long_poll_wakes_as_soon_as_an_event_is_there() {
    let house = House::open().await;
    let started = Instant::now();
    let poll = house.result("event.poll", json!({"timeout_ms": 60_000}));
    let grow = async {
        within(async {
            while house.api.watchers() == 0 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        house.api.grow(1);
    };
    let (page, ()) = tokio::join!(poll, grow);
    assert_eq!(cursors(&page), [1]);
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_long_poll_gives_an_empty_page_at_its_timeout() {
    let house = House::open().await;
    let started = Instant::now();
    let page = house
        .result("event.poll", json!({"after": "0", "timeout_ms": 200}))
        .await;
    assert_eq!(page["items"], json!([]));
    assert!(started.elapsed() >= Duration::from_millis(200));
}

#[tokio::test]
async fn a_page_of_large_events_is_shortened_to_what_a_response_holds() {
    let house = House::open().await;
    house.api.text_len.store(MAX_TEXT, Ordering::Relaxed);
    house.api.grow(1_000);
    let mut after = json!("0");
    let mut seen = Vec::new();
    while seen.len() < 1_000 {
        let page = house
            .result("event.poll", json!({"after": after, "limit": 1_000}))
            .await;
        let part = cursors(&page);
        assert!(!part.is_empty() && part.len() < 600);
        seen.extend(part);
        after = page["next"].clone();
    }
    assert_eq!(seen, (1..=1_000).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_subscription_starts_behind_its_cursor_and_follows_the_log() {
    let house = House::open().await;
    house.api.grow(100);
    let mut old = house.web_socket().await;
    let subscription = old.subscribe(json!({"after": "1"})).await;
    let mut new = house.web_socket().await;
    new.subscribe(json!({})).await;
    for expected in 2..=100 {
        let notification = old.receive().await.unwrap();
        assert_eq!(notification["params"]["subscription"], subscription);
        assert_eq!(cursor(&notification["params"]["result"]), expected);
    }
    house.api.grow(1);
    let polled = house.result("event.poll", json!({"after": "100"})).await;
    assert_eq!(old.event().await, polled["items"][0]);
    assert_eq!(new.event().await, polled["items"][0]);
}

#[tokio::test]
async fn a_subscription_ends_by_name_or_position_and_needs_a_web_socket() {
    let house = House::open().await;
    let mut socket = house.web_socket().await;
    for by_name in [true, false] {
        let subscription = socket.subscribe(json!({})).await;
        let params = if by_name {
            json!({"subscription": subscription})
        } else {
            json!([subscription])
        };
        assert_eq!(socket.call("event.unsubscribe", params.clone()).await["result"], true);
        assert_eq!(socket.call("event.unsubscribe", params).await["result"], false);
    }
    house.api.grow(1);
    assert!(socket.call("account.get", json!({})).await["result"].is_object());

    let refused = socket.call("event.subscribe", json!({"after": 0})).await;
    assert_eq!(refused["error"]["data"]["field"], "after");
    let error = house.error("event.subscribe", json!({})).await;
    assert_eq!(error["data"]["code"], "invalid_request");
}

#[tokio::test]
async fn a_stop_ends_long_polls_and_subscriptions_at_once() {
    let house = House::open().await;
    let mut socket = house.web_socket().await;
    socket.subscribe(json!({})).await;
    let started = Instant::now();
    let poll = house.result("event.poll", json!({"timeout_ms": 60_000}));
    let stop = async {
        within(async {
            while house.api.watchers() < 2 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        house.rpc.stop();
        house.rpc.stopped().await;
    };
    let (page, ()) = tokio::join!(poll, stop);
    assert_eq!(page["items"], json!([]));
    assert!(socket.receive().await.is_none());
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
}

#[tokio::test]
async fn f57_a_subscriber_that_does_not_read_is_bounded_and_resumes_without_loss() {
    const EVENTS: u64 = 10_000;
    let house = House::open().await;
    house.api.text_len.store(8 * 1024, Ordering::Relaxed);
    let mut asleep = house.web_socket().await;
    asleep.subscribe(json!({"after": "0"})).await;
    let mut awake = house.web_socket().await;
    awake.subscribe(json!({"after": "0"})).await;
    for expected in 1..=EVENTS {
        house.api.grow(1);
        assert_eq!(cursor(&awake.event().await), expected);
    }
    // 80 MB were made. Who doesn't read holds a page, the connection's buffer, and what the system keeps for the socket.
    let for_asleep = house.api.handed.load(Ordering::Relaxed) - EVENTS;
    assert!(for_asleep < EVENTS / 5, "{for_asleep} events were read for it");

    // It wakes, reads on without loss, is told once that it lags, and goes.
    let mut told = Vec::new();
    for expected in 1..=3_000 {
        let mut event = asleep.event().await;
        if event["kind"] == "lagged" {
            assert_eq!(cursor(&event), expected - 1);
            told.push(event["data"].clone());
            event = asleep.event().await;
        }
        assert_eq!(cursor(&event), expected);
    }
    assert_eq!(told.len(), 1, "{told:?}");
    let behind = told[0]["behind"].as_u64().unwrap();
    assert!(behind > LAG && told[0]["newest"].as_str().unwrap().parse::<u64>().unwrap() > behind);
    drop(asleep);
    let mut again = house.web_socket().await;
    again.subscribe(json!({"after": "3000"})).await;
    for expected in 3_001..=EVENTS {
        assert_eq!(cursor(&again.event().await), expected);
    }
}

#[tokio::test]
async fn f57_answers_that_nobody_reads_count_as_running_calls() {
    const REQUESTS: usize = 200;
    let house = House::open().await;
    house.api.text_len.store(MAX_TEXT, Ordering::Relaxed);
    house.api.grow(100);
    let mut socket = house.web_socket().await;
    // Each answer takes 3.3 MB.
    for _ in 0..REQUESTS {
        socket.request("event.poll", json!({"after": "0"})).await;
    }
    let (mut answered, mut refused) = (0, 0);
    for _ in 0..REQUESTS {
        let answer = socket.receive().await.unwrap();
        if answer.get("result").is_some() {
            answered += 1;
        } else {
            assert_eq!(answer["error"]["data"]["code"], "overloaded");
            refused += 1;
        }
    }
    assert!(
        answered >= MAX_CALLS && refused > 0,
        "{answered} answered, {refused} refused"
    );
    assert!(
        socket
            .call("event.poll", json!({"after": "100"}))
            .await
            .get("result")
            .is_some()
    );
}

#[tokio::test]
async fn a_reader_of_another_log_is_told_so_and_begins_where_this_one_does() {
    let house = House::open().await;
    house.api.grow(5);
    let known = json!({"after": "3", "epoch": "000000e0"});
    assert_eq!(cursors(&house.result("event.poll", known).await), [4, 5]);
    for strange in [
        json!({"after": "3", "epoch": "0000beef"}),
        json!({"after": "9"}),
        json!({"after": "9", "epoch": "000000e0"}),
    ] {
        let gap = json!({"from": "1", "to": strange["after"], "reason": "other_log"});
        let page = house.result("event.poll", strange.clone()).await;
        assert_eq!((cursors(&page), &page["next"]), (vec![0], &json!("0")), "{strange}");
        assert_eq!(
            (&page["items"][0]["kind"], &page["items"][0]["data"]),
            (&json!("gap"), &gap)
        );

        let mut socket = house.web_socket().await;
        socket.subscribe(strange).await;
        assert_eq!(socket.event().await, page["items"][0]);
        assert_eq!(cursor(&socket.event().await), 1);
    }
    for wrong in [json!(1), json!("e0"), json!("000000E0"), json!("0000000000e0")] {
        let error = house.error("event.poll", json!({"after": "3", "epoch": wrong})).await;
        assert_eq!(error["data"]["field"], "epoch");
    }
}
