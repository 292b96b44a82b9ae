use serde_json::{Value, json};

use super::House;
use super::fake::SECRET_INVITE;
use crate::rpc::error::ApiError;
use crate::rpc::limits::{MAX_PAGE, MAX_TEXT};
use crate::rpc::pages::Pages;
use crate::rpc::params::SendBody;
use crate::rpc::picks::Picks;
use crate::rpc::types::*;

fn id(byte: u8) -> String {
    hex::encode([byte; 32])
}

fn ledger() -> Value {
    json!({
        "state": "held",
        "held": [{"relay": id(4), "until_ms": 9}],
        "delivered": [],
        "read": [id(2)],
    })
}

/// An object with some members set.
fn with(members: Value, object: &Value) -> Value {
    let mut object = object.clone();
    for (name, value) in members.as_object().unwrap() {
        object[name] = value.clone();
    }
    object
}

#[tokio::test]
async fn every_method_answers_in_the_documented_shape() {
    let house = House::open().await;
    let chat = json!({"chat": id(3)});
    let message = json!({
        "message": id(1), "chat": id(3), "account": "madang1alice", "device": id(2), "outgoing": false,
        "sent_ms": 5, "received_ms": 6, "body": {"kind": "text", "text": "xxxxxxxx"},
    });
    let said = with(json!({"body": {"kind": "text", "text": "hi"}}), &message);
    let touched = with(
        json!({"edited_ms": 7, "reactions": [{"emoji": "👍", "accounts": ["madang1bob"]}], "expires_after_s": 60}),
        &said,
    );
    let mention = json!({"account": "madang1bob", "start_bytes": 0, "length_bytes": 2});
    let whole = json!({
        "chat": id(3), "kind": "one_to_one", "state": "requested", "timer_s": 0, "unread": 1,
        "members": [{"account": "madang1bob", "devices": []}],
    });
    let cases = [
        (
            "node.info",
            json!({}),
            json!({
                "version": "0.1.0", "account": "madang1alice", "device": id(2), "peer": "12D3",
                "listen": ["/ip4/127.0.0.1/tcp/1"],
                "relays": [{
                    "relay": id(4), "address": "/ip4/127.0.0.1/tcp/2/p2p/12D3", "connected": true,
                    "state": "demoted", "reason": "denied", "since_ms": 8,
                }],
                "uptime_ms": 10,
            }),
        ),
        (
            "node.doctor",
            json!({}),
            json!({
                "ok": false,
                "checks": [{"name": "relay", "ok": false, "detail": "no relay is connected", "hint": "start one"}],
                "chats": [{"chat": id(3), "path": "none", "waiting": 2, "reason": "no relay is connected", "gaps": 1}],
            }),
        ),
        (
            "relay.evidence",
            json!({"relay": id(4)}),
            json!({
                "items": [{
                    "relay": id(4), "reason": "denied", "found_ms": 9, "answer": "it lacked one", "topic": "07", "envelope": "08",
                    "until_ms": 10, "receipts": ["81"], "frame": "89",
                }],
                "next": "opaque",
            }),
        ),
        (
            "account.get",
            json!({}),
            json!({
                "account": "madang1alice", "device": id(2), "name": "Alice", "phrase_confirmed": false,
            }),
        ),
        ("account.phrase", json!({}), json!({"words": ["abandon", "zoo"]})),
        ("account.confirm_phrase", json!({}), json!({})),
        (
            "contact.invite",
            json!({"multi_use": true, "expires_in_s": 7}),
            json!({
                "invite": SECRET_INVITE, "expires_ms": 7000,
            }),
        ),
        ("contact.accept", json!({"invite": SECRET_INVITE}), chat.clone()),
        (
            "contact.requests",
            json!({}),
            json!({
                "items": [
                    {"request": id(7), "account": "madang1bob", "received_ms": 3},
                    {
                        "request": id(7), "account": "madang1bob", "received_ms": 3,
                        "chat": id(4), "chat_name": "village",
                    },
                ],
                "next": "opaque",
            }),
        ),
        ("contact.approve", json!({"request": id(7)}), chat.clone()),
        ("contact.decline", json!({"request": id(7)}), json!({})),
        (
            "chat.invite",
            json!({"chat": id(3)}),
            json!({"invite": SECRET_INVITE, "expires_ms": 60_001}),
        ),
        (
            "chat.invite",
            json!({"chat": id(3), "approval": false, "expires_in_s": 2, "max_uses": 3}),
            json!({"invite": SECRET_INVITE, "expires_ms": 2_000}),
        ),
        (
            "chat.invites",
            json!({"chat": id(3)}),
            json!({"items": [{
                "invite": SECRET_INVITE, "expires_ms": 60_000, "approval": true, "uses": 2, "max_uses": 1_000,
            }]}),
        ),
        ("chat.uninvite", json!({"invite": SECRET_INVITE}), json!({})),
        (
            "contact.list",
            json!({"after": "x", "limit": 1}),
            json!({
                "items": [{
                    "account": "madang1bob", "name": "Bob", "chat": id(3), "devices": [id(2)], "since_ms": 3,
                }],
                "next": "opaque",
            }),
        ),
        (
            "chat.list",
            json!({}),
            json!({
                "items": [whole], "next": "opaque",
            }),
        ),
        (
            "chat.get",
            json!({"chat": id(3)}),
            with(
                json!({
                    "epoch": 3, "branches": 1, "unsettled": 2, "waiting_envelopes": 0, "changes_under_way": 0, "rejoining": false,
                    "gaps": 1, "lost": 0,
                }),
                &whole,
            ),
        ),
        (
            "chat.members",
            json!({"chat": id(3)}),
            json!({"items": [{"account": "madang1bob", "devices": []}]}),
        ),
        (
            "chat.gaps",
            json!({"chat": id(3)}),
            json!({"items": [{
                "account": "madang1bob", "device": id(2), "first": 3, "last": 5, "since_ms": 7, "state": "open", "asked": 2,
            }]}),
        ),
        (
            "chat.pins",
            json!({"chat": id(3)}),
            json!({"items": [said], "next": "opaque"}),
        ),
        (
            "chat.create",
            json!({"name": "garden", "members": ["madang1bob"], "idempotency_key": "k"}),
            chat.clone(),
        ),
        (
            "chat.add",
            json!({"chat": id(3), "members": ["madang1bob"]}),
            whole.clone(),
        ),
        (
            "chat.remove",
            json!({"chat": id(3), "members": ["madang1bob"]}),
            whole.clone(),
        ),
        ("chat.leave", json!({"chat": id(3)}), whole.clone()),
        ("chat.typing", json!({"chat": id(3), "active": false}), json!({})),
        (
            "chat.update",
            json!({"chat": id(3), "name": "orchard", "picture": "AAEC", "timer_s": 60}),
            whole.clone(),
        ),
        (
            "chat.roles",
            json!({"chat": id(3), "account": "madang1bob", "role": "admin"}),
            whole.clone(),
        ),
        (
            "message.send",
            json!({"chat": id(3), "body": {"kind": "text", "text": "hi", "reply_to": id(1), "mentions": [mention]}, "idempotency_key": "k"}),
            json!({"message": id(1), "ledger": ledger()}),
        ),
        (
            "message.send",
            json!({"chat": id(3), "body": {"kind": "poll", "question": "when?", "options": ["now", "later"], "multiple": true}}),
            json!({"message": id(1), "ledger": ledger()}),
        ),
        (
            "message.edit",
            json!({"message": id(1), "text": "hello", "mentions": [mention]}),
            with(
                json!({"body": {"kind": "text", "text": "hello", "reply_to": id(1), "mentions": [mention]}}),
                &touched,
            ),
        ),
        (
            "message.delete",
            json!({"message": id(1)}),
            with(json!({"body": {"kind": "deleted"}}), &message),
        ),
        (
            "message.react",
            json!({"message": id(1), "emoji": "👍"}),
            touched.clone(),
        ),
        (
            "message.react",
            json!({"message": id(1), "emoji": "👍", "remove": true}),
            said.clone(),
        ),
        (
            "message.pin",
            json!({"message": id(1)}),
            with(json!({"pinned": {"account": "madang1bob", "at_ms": 8}}), &said),
        ),
        ("message.unpin", json!({"message": id(1)}), said.clone()),
        (
            "message.vote",
            json!({"message": id(1), "choices": [1]}),
            with(
                json!({"body": {"kind": "poll", "question": "when?", "multiple": false, "options": [
                    {"text": "now", "accounts": []}, {"text": "later", "accounts": ["madang1bob"]},
                ]}}),
                &message,
            ),
        ),
        (
            "message.list",
            json!({"chat": id(3), "before": "x", "limit": 1}),
            json!({
                "items": [message], "next": "opaque",
            }),
        ),
        (
            "message.search",
            json!({"query": "마당", "chat": id(3), "account": "madang1bob", "after_ms": 1, "before_ms": 2, "after": "x"}),
            json!({
                "items": [{
                    "message": said, "snippet": "…마당", "highlights": [{"start_bytes": 3, "length_bytes": 6}],
                }],
                "next": "x",
                "complete": true,
            }),
        ),
        (
            "message.get",
            json!({"message": id(1)}),
            json!({
                "message": id(1), "chat": id(3), "account": "madang1alice", "device": id(2), "outgoing": true,
                "sent_ms": 5, "received_ms": 6, "ledger": ledger(),
                "body": {"kind": "unknown", "code": 99, "fallback": "a sticker"},
            }),
        ),
        ("message.mark_read", json!({"chat": id(3), "through": id(1)}), json!({})),
        (
            "archive.add",
            json!({"chat": id(3), "account": "madang1alice", "exported_ms": 5, "messages": [{"message": id(1), "account": "madang1alice", "outgoing": false, "sent_ms": 5, "body": {"kind": "text", "text": "hi"}}]}),
            json!({"archive": id(8), "added": 1}),
        ),
        (
            "archive.list",
            json!({}),
            json!({"items": [{
                "archive": id(8), "chat": id(3), "account": "madang1alice", "name": "garden", "exported_ms": 5, "imported_ms": 6,
            }], "next": "opaque"}),
        ),
        (
            "archive.messages",
            json!({"archive": id(8), "query": "hi", "at_ms": 1}),
            json!({"items": [with(json!({"highlights": [{"start_bytes": 1, "length_bytes": 2}]}), &json!({"message": id(1), "account": "madang1alice", "outgoing": false, "sent_ms": 5, "body": {"kind": "text", "text": "hi"}}))], "next": "opaque"}),
        ),
        ("archive.remove", json!({"archive": id(8)}), json!({})),
        (
            "event.poll",
            json!({"after": "0"}),
            json!({"items": [], "next": "0", "epoch": "000000e0"}),
        ),
    ];
    for (method, params, expected) in cases {
        assert_eq!(house.result(method, params).await, expected, "{method}");
    }
    let sent = house.api.sent.lock().unwrap();
    assert_eq!(sent[0].chat, ChatId([3; 32]));
    let mention = Mention {
        account: "madang1bob".into(),
        start_bytes: 0,
        length_bytes: 2,
    };
    let wanted = SendBody::Text {
        text: "hi".into(),
        reply_to: Some(MessageId([1; 32])),
        mentions: vec![mention],
    };
    assert_eq!(sent[0].body, wanted);
    let wanted = SendBody::Poll {
        question: "when?".into(),
        options: vec!["now".into(), "later".into()],
        multiple: true,
    };
    assert_eq!(sent[1].body, wanted);
    assert_eq!(sent[0].idempotency_key.as_deref(), Some("k"));
}

#[test]
fn every_event_has_the_documented_shape() {
    let message = super::fake::message();
    let (chat, name) = (ChatId([3; 32]), Some("Bob".to_owned()));
    let as_json = json!({
        "message": id(1), "chat": id(3), "account": "madang1alice", "device": id(2), "outgoing": false,
        "sent_ms": 5, "received_ms": 6, "body": {"kind": "text", "text": "hi"},
    });
    let cases = [
        (
            EventKind::MessageReceived(message.clone()),
            "message.received",
            as_json.clone(),
        ),
        (EventKind::MessageSent(message.clone()), "message.sent", as_json.clone()),
        (
            EventKind::MessageUpdated(super::fake::touched()),
            "message.updated",
            with(
                json!({"edited_ms": 7, "reactions": [{"emoji": "👍", "accounts": ["madang1bob"]}], "expires_after_s": 60}),
                &as_json,
            ),
        ),
        (
            EventKind::MessageExpired {
                chat,
                message: message.message,
            },
            "message.expired",
            json!({"chat": id(3), "message": id(1)}),
        ),
        (
            EventKind::MessageLedger {
                chat,
                message: message.message,
                ledger: super::fake::ledger(),
            },
            "message.ledger",
            json!({"chat": id(3), "message": id(1), "ledger": ledger()}),
        ),
        (
            EventKind::ChatGap {
                chat: ChatId([3; 32]),
                account: "madang1bob".into(),
                device: DeviceKey([2; 32]),
                first: 3,
                last: 5,
                state: GapState::Lost,
            },
            "chat.gap",
            json!({"chat": id(3), "account": "madang1bob", "device": id(2), "first": 3, "last": 5, "state": "lost"}),
        ),
        (
            EventKind::RelayDemoted {
                relay: RelayKey([4; 32]),
                reason: "denied".into(),
            },
            "relay.demoted",
            json!({"relay": id(4), "reason": "denied"}),
        ),
        (
            EventKind::ContactRequested {
                request: RequestId([7; 32]),
                account: "madang1bob".into(),
                name: name.clone(),
            },
            "contact.requested",
            json!({"request": id(7), "account": "madang1bob", "name": "Bob"}),
        ),
        (
            EventKind::ContactAdded {
                account: "madang1bob".into(),
                chat,
                name: None,
            },
            "contact.added",
            json!({"account": "madang1bob", "chat": id(3)}),
        ),
        (
            EventKind::Gap {
                from: EventCursor(1),
                to: EventCursor(u64::MAX),
                reason: GapReason::OtherLog,
            },
            "gap",
            json!({"from": "1", "to": "18446744073709551615", "reason": "other_log"}),
        ),
        (
            EventKind::Lagged {
                behind: 2_000,
                newest: EventCursor(2_012),
            },
            "lagged",
            json!({"behind": 2_000, "newest": "2012"}),
        ),
    ];
    for (what, kind, data) in cases {
        let event = Event {
            cursor: EventCursor(12),
            epoch: EventEpoch(0xe0),
            what,
        };
        let written = serde_json::to_value(&event).unwrap();
        assert_eq!(
            written,
            json!({"cursor": "12", "epoch": "000000e0", "kind": kind, "data": data})
        );
        assert_eq!(serde_json::from_value::<Event>(written).unwrap(), event);
    }
}

#[tokio::test]
async fn unknown_parameters_are_ignored_and_no_parameters_may_be_written_in_any_way() {
    let house = House::open().await;
    let params = json!({"message": id(1), "later_version": {"deep": [1]}});
    house.result("message.get", params).await;
    for params in [json!({}), json!([]), json!(null), json!({"multi_use": null})] {
        assert_eq!(house.result("contact.invite", params).await["expires_ms"], 60_000);
    }
    let absent = house
        .post(r#"{"jsonrpc": "2.0", "id": "a", "method": "contact.invite"}"#)
        .await;
    assert_eq!(absent.json()["result"]["expires_ms"], 60_000);
}

#[tokio::test]
async fn malformed_parameters_are_refused_by_name() {
    let house = House::open().await;
    let text = json!({"kind": "text", "text": "hi"});
    let upper = id(0xab).to_uppercase();
    let cases = [
        ("message.get", json!({}), "message"),
        ("message.get", json!({"message": null}), "message"),
        ("message.get", json!({"message": 1}), "message"),
        ("message.get", json!({"message": upper}), "message"),
        ("message.get", json!({"message": id(1)[1..]}), "message"),
        ("message.get", json!([id(1)]), "params"),
        ("message.get", json!("x"), "params"),
        ("contact.invite", json!({"multi_use": "yes"}), "multi_use"),
        ("contact.invite", json!({"expires_in_s": -1}), "expires_in_s"),
        ("contact.accept", json!({"invite": 1}), "invite"),
        ("contact.accept", json!({"invite": "x", "alias": "A"}), "alias"),
        (
            "contact.accept",
            json!({"invite": "x", "alias": {"name": 1}}),
            "alias.name",
        ),
        ("contact.approve", json!({"request": "x"}), "request"),
        ("contact.decline", json!({}), "request"),
        ("chat.invite", json!({"chat": id(3), "approval": "yes"}), "approval"),
        ("chat.invite", json!({"chat": id(3), "max_uses": -1}), "max_uses"),
        ("chat.uninvite", json!({"invite": 1}), "invite"),
        ("contact.list", json!({"limit": 0}), "limit"),
        ("contact.list", json!({"limit": "1"}), "limit"),
        ("contact.list", json!({"after": 1}), "after"),
        ("contact.list", json!({"after": "x".repeat(1_000)}), "after"),
        ("chat.get", json!({}), "chat"),
        ("chat.gaps", json!({"chat": 3}), "chat"),
        ("chat.create", json!({"name": "x"}), "members"),
        ("chat.add", json!({"chat": id(3), "members": "madang1bob"}), "members"),
        ("chat.update", json!({"chat": id(3), "picture": "!"}), "picture"),
        ("chat.update", json!({"chat": id(3), "timer_s": -1}), "timer_s"),
        (
            "chat.roles",
            json!({"chat": id(3), "account": "madang1bob", "role": "king"}),
            "role",
        ),
        ("message.send", json!({"body": text}), "chat"),
        ("message.send", json!({"chat": id(3)}), "body"),
        ("message.send", json!({"chat": id(3), "body": "hi"}), "body"),
        (
            "message.send",
            json!({"chat": id(3), "body": {"text": "hi"}}),
            "body.kind",
        ),
        (
            "message.send",
            json!({"chat": id(3), "body": {"kind": "video"}}),
            "body.kind",
        ),
        (
            "message.send",
            json!({"chat": id(3), "body": {"kind": "text", "text": 1}}),
            "body.text",
        ),
        (
            "message.send",
            json!({"chat": id(3), "body": {"kind": "text"}}),
            "body.text",
        ),
        (
            "message.send",
            json!({"chat": id(3), "body": text, "idempotency_key": ""}),
            "idempotency_key",
        ),
        (
            "message.send",
            json!({"chat": id(3), "body": {"kind": "text", "text": "hi", "reply_to": 1}}),
            "body.reply_to",
        ),
        (
            "message.send",
            json!({"chat": id(3), "body": {"kind": "text", "text": "hi", "mentions": [{}]}}),
            "body.mentions[0]",
        ),
        (
            "message.send",
            json!({"chat": id(3), "body": {"kind": "poll", "question": "", "options": ["a", "b"]}}),
            "body.question",
        ),
        (
            "message.send",
            json!({"chat": id(3), "body": {"kind": "poll", "question": "when?", "options": ["a"]}}),
            "body.options",
        ),
        (
            "message.send",
            json!({"chat": id(3), "body": {"kind": "poll", "question": "when?", "options": ["a", ""]}}),
            "body.options[1]",
        ),
        ("message.edit", json!({"message": id(1)}), "text"),
        ("message.react", json!({"message": id(1)}), "emoji"),
        (
            "message.react",
            json!({"message": id(1), "emoji": "👍", "remove": 1}),
            "remove",
        ),
        ("message.vote", json!({"message": id(1), "choices": [256]}), "choices"),
        (
            "message.vote",
            json!({"message": id(1), "choices": vec![0; 13]}),
            "choices",
        ),
        (
            "message.list",
            json!({"chat": id(3), "before": "a", "after": "b"}),
            "before",
        ),
        (
            "message.list",
            json!({"chat": id(3), "at_ms": 1, "after": "b"}),
            "at_ms",
        ),
        ("message.search", json!({}), "query"),
        ("message.search", json!({"query": "x", "limit": 0}), "limit"),
        ("message.mark_read", json!({"chat": id(3)}), "through"),
        (
            "archive.add",
            json!({"chat": id(3), "account": "a", "exported_ms": 5, "messages": [{}]}),
            "messages[0]",
        ),
        ("archive.messages", json!({"archive": "8"}), "archive"),
        ("event.poll", json!({"after": 0}), "after"),
        ("event.poll", json!({"after": "+1"}), "after"),
        ("event.poll", json!({"after": "18446744073709551616"}), "after"),
        ("event.poll", json!({"timeout_ms": "1"}), "timeout_ms"),
    ];
    for (method, params, field) in cases {
        let error = house.error(method, params.clone()).await;
        let data = json!({"code": "invalid_params", "retryable": false, "field": field});
        assert_eq!(
            (&error["code"], &error["data"]),
            (&json!(-32602), &data),
            "{method} {params}"
        );
    }
    assert!(house.api.sent.lock().unwrap().is_empty());
}

#[tokio::test]
async fn texts_and_keys_over_their_bound_are_refused_and_pages_are_cut_to_it() {
    let house = House::open().await;
    let send = |len: usize, key: usize| json!({"chat": id(3), "body": {"kind": "text", "text": "x".repeat(len)}, "idempotency_key": "k".repeat(key)});
    house.result("message.send", send(MAX_TEXT, 128)).await;
    let error = house.error("message.send", send(MAX_TEXT + 1, 1)).await;
    let data = json!({"code": "too_large", "retryable": false, "field": "body.text", "limit": 32_768});
    assert_eq!((&error["code"], &error["data"]), (&json!(-32002), &data));
    let emoji = json!({"message": id(1), "emoji": "x".repeat(41)});
    assert_eq!(house.error("message.react", emoji).await["data"]["field"], "emoji");
    let body = json!({"kind": "poll", "question": "?", "options": ["a", "b".repeat(201)]});
    let error = house.error("message.send", json!({"chat": id(3), "body": body})).await;
    let data = json!({"code": "too_large", "retryable": false, "field": "body.options[1]", "limit": 200});
    assert_eq!(error["data"], data);
    let error = house.error("message.send", send(1, 129)).await;
    assert_eq!(error["data"]["field"], "idempotency_key");
    for (field, params) in [
        ("name", json!({"name": "x".repeat(129), "members": []})),
        ("members", json!({"name": "x", "members": vec!["madang1bob"; 129]})),
    ] {
        assert_eq!(house.error("chat.create", params).await["data"]["field"], field);
    }

    house
        .result("message.list", json!({"chat": id(3), "limit": 5_000_000_000_u64}))
        .await;
    assert_eq!(house.api.lists.lock().unwrap()[0].limit, MAX_PAGE);
}

#[tokio::test]
async fn errors_have_the_documented_numbers_and_data() {
    let house = House::open().await;
    let text = String::new;
    let cases = [
        (
            ApiError::NotFound { field: "message" },
            -32001,
            json!({"code": "not_found", "retryable": false, "field": "message"}),
        ),
        (
            ApiError::NotAllowed { reason: "".into() },
            -32012,
            json!({"code": "not_allowed", "retryable": false}),
        ),
        (
            ApiError::IdempotencyConflict,
            -32003,
            json!({"code": "idempotency_conflict", "retryable": false}),
        ),
        (
            ApiError::InviteInvalid { reason: text() },
            -32004,
            json!({"code": "invite_invalid", "retryable": false}),
        ),
        (
            ApiError::InviteExpired,
            -32005,
            json!({"code": "invite_expired", "retryable": false}),
        ),
        (
            ApiError::CardUnavailable,
            -32006,
            json!({"code": "card_unavailable", "retryable": true}),
        ),
        (
            ApiError::DomainUnavailable {
                domain: "shop.example".into(),
                reason: "it answers 404".into(),
            },
            -32017,
            json!({"code": "domain_unavailable", "retryable": true}),
        ),
        (
            ApiError::RelayUnavailable,
            -32016,
            json!({"code": "relay_unavailable", "retryable": true}),
        ),
        (
            ApiError::OwnInvite,
            -32007,
            json!({"code": "own_invite", "retryable": false}),
        ),
        (
            ApiError::PhraseErased,
            -32008,
            json!({"code": "phrase_erased", "retryable": false}),
        ),
        (
            ApiError::LimitReached {
                what: "chats".into(),
                limit: 5,
            },
            -32009,
            json!({"code": "limit_reached", "retryable": true, "limit": 5}),
        ),
        (
            ApiError::ReadOnly { reason: text() },
            -32010,
            json!({"code": "read_only", "retryable": true}),
        ),
        (
            ApiError::Overloaded { retry_after_ms: 3 },
            -32011,
            json!({"code": "overloaded", "retryable": true, "retry_after_ms": 3}),
        ),
        (
            ApiError::Internal {
                reason: "row 7 is torn".into(),
            },
            -32603,
            json!({"code": "internal", "retryable": false}),
        ),
    ];
    for (failure, number, data) in cases {
        *house.api.failure.lock().unwrap() = Some(failure);
        let error = house.error("message.get", json!({"message": id(1)})).await;
        assert_eq!((&error["code"], &error["data"]), (&json!(number), &data));
        assert!(!error["message"].as_str().unwrap().contains("torn"));
    }
}

#[tokio::test]
async fn standard_errors_have_data_too() {
    let house = House::open().await;
    let method = json!({"code": "method_not_found", "retryable": false});
    let error = house.error("node.explode", json!({})).await;
    assert_eq!((&error["code"], &error["data"]), (&json!(-32601), &method));

    let request = json!({"code": "invalid_request", "retryable": false});
    for (body, number, data) in [
        ("{", -32700, json!({"code": "parse_error", "retryable": false})),
        ("", -32700, json!({"code": "parse_error", "retryable": false})),
        ("[1,", -32700, json!({"code": "parse_error", "retryable": false})),
        ("{}", -32600, request.clone()),
        ("[]", -32600, request.clone()),
        (r#"{"id": 5, "method": "node.info"}"#, -32600, request.clone()),
    ] {
        let answer = house.post(body).await.json();
        assert_eq!(
            (&answer["error"]["code"], &answer["error"]["data"]),
            (&json!(number), &data),
            "{body}"
        );
    }
    let kept = house.post(r#"{"id": 5}"#).await.json();
    assert_eq!(kept["id"], 5);

    let mut socket = house.web_socket().await;
    let answer = socket.call("node.explode", json!({})).await;
    assert_eq!(answer["error"]["data"], method);
}

#[tokio::test]
async fn a_batch_is_answered_entry_by_entry() {
    let house = House::open().await;
    let batch = json!([
        {"jsonrpc": "2.0", "id": 1, "method": "account.confirm_phrase"},
        {"jsonrpc": "2.0", "method": "account.confirm_phrase"},
        {"jsonrpc": "2.0", "id": 2, "method": "nothing"},
        {"id": 3},
        {"jsonrpc": "2.0", "id": 4, "method": "event.subscribe"},
    ]);
    let answers = house.post(batch.to_string()).await.json();
    assert_eq!(answers.as_array().unwrap().len(), 4);
    assert_eq!(answers[0], json!({"jsonrpc": "2.0", "id": 1, "result": {}}));
    assert_eq!(answers[1]["error"]["data"]["code"], "method_not_found");
    assert_eq!(
        (&answers[2]["id"], &answers[2]["error"]["data"]["code"]),
        (&json!(3), &json!("invalid_request"))
    );
    assert_eq!(answers[3]["error"]["data"]["code"], "invalid_request");

    let mut socket = house.web_socket().await;
    socket.send(&batch.to_string()).await;
    let answers = socket.receive().await.unwrap();
    assert_eq!(answers[1]["error"]["data"]["code"], "method_not_found");
    assert_eq!(answers[3]["error"]["data"]["code"], "invalid_request");
}

#[tokio::test]
async fn the_server_describes_itself() {
    let house = House::open().await;
    let document = house.result("rpc.discover", json!({})).await;
    assert_eq!(document, crate::rpc::openrpc::document());
}

#[test]
fn f58_the_server_has_the_methods_of_the_table_and_no_other() {
    use std::collections::BTreeSet;

    use crate::rpc::dispatch::Shared;
    use crate::rpc::methods::{all, module};

    let (stop, _handle) = jsonrpsee::server::stop_channel();
    let api = std::sync::Arc::new(super::Fake::new());
    let module = module(Shared {
        api,
        pages: Pages::default(),
        picks: Picks::default(),
        site: String::new(),
        stop,
    })
    .unwrap();
    let served: Vec<&str> = module.method_names().collect();
    let known: BTreeSet<&str> = all().map(|method| method.name).collect();
    assert_eq!(known, served.iter().copied().collect());
    assert_eq!(known.len(), all().count(), "none is twice in the table");
}
