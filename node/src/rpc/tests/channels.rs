//! Channels: the shapes, what is refused by name, and tokens for single ones.

use serde_json::{Value, json};

use super::House;
use crate::rpc::api::ApiResult;
use crate::rpc::error::ApiError;
use crate::rpc::types::*;

fn id(byte: u8) -> String {
    hex::encode([byte; 32])
}

pub(super) fn channel(byte: u8) -> Channel {
    Channel {
        channel: ChannelId([byte; 32]),
        name: "Shop".into(),
        link: "madang:channel?d=AAAA".into(),
        own: false,
        followed: true,
        relays: Vec::new(),
        muted: false,
        via: Via::Relays,
        blocked: false,
        unread: 1,
        last_ms: 7,
        manifest: None,
        beacon: None,
        gaps: Vec::new(),
        evidence: 0,
        scopes: Vec::new(),
        terms: None,
        held: Vec::new(),
        broke_promise_ms: None,
        domain_proved_ms: None,
        listings: Vec::new(),
    }
}

/// The one that there is.
pub(super) fn known(id: ChannelId) -> ApiResult<Channel> {
    match id {
        ChannelId([5, ..]) => Ok(channel(5)),
        _ => Err(ApiError::NotFound { field: "channel" }),
    }
}

pub(super) fn post() -> Post {
    let web = WebLink {
        label: "Order".into(),
        url: "https://shop.example/".into(),
        actionable: true,
    };
    Post {
        post: PostId([8; 32]),
        channel: ChannelId([5; 32]),
        writer: WriterKey([5; 32]),
        number: 1,
        time_ms: 2,
        received_ms: 3,
        categories: vec!["news".into()],
        area: None,
        advertising: false,
        urgent: false,
        body: PostBody::Card {
            card: Card {
                image: None,
                title: "New".into(),
                text: String::new(),
                buttons: vec![web],
            },
            text: "hi".into(),
        },
        edited_ms: None,
        retracted: None,
        provisional: false,
        unwanted: None,
        held: None,
        reason: None,
    }
}

pub(super) fn evidence() -> ChannelEvidence {
    ChannelEvidence {
        channel: ChannelId([5; 32]),
        proof: "two_entries".into(),
        writer: Some(WriterKey([5; 32])),
        number: 3,
        data: "AAEC".into(),
    }
}

#[tokio::test]
async fn methods_of_channels_answer_in_the_documented_shape() {
    let house = House::open().await;
    let of = json!({"channel": id(5)});
    let with = |more: Value| {
        let mut params = of.clone();
        for (name, value) in more.as_object().unwrap() {
            params[name] = value.clone();
        }
        params
    };
    let shown = json!({
        "channel": id(5), "name": "Shop", "link": "madang:channel?d=AAAA", "own": false, "followed": true,
        "muted": false, "via": "relays", "blocked": false, "unread": 1, "last_ms": 7, "evidence": 0,
    });
    let written = json!({
        "post": id(8), "channel": id(5), "writer": id(5), "number": 1, "time_ms": 2, "received_ms": 3,
        "categories": ["news"], "advertising": false, "urgent": false, "provisional": false,
        "body": {"kind": "card", "text": "hi", "card": {
            "title": "New", "text": "",
            "buttons": [{"label": "Order", "url": "https://shop.example/", "actionable": true}],
        }},
    });
    let text = json!({"kind": "text", "text": "hi"});
    let posted = json!({"post": id(8), "planned": false});
    let proof = json!({
        "channel": id(5), "proof": "two_entries", "writer": id(5), "number": 3, "data": "AAEC",
    });
    let cases = [
        ("channel.get", of.clone(), shown.clone()),
        (
            "channel.create",
            json!({"name": "Shop", "posts_per_day": 3}),
            shown.clone(),
        ),
        ("channel.update", with(json!({"description": "Books"})), shown.clone()),
        (
            "channel.follow",
            json!({"link": "madang:channel?d=AAAA"}),
            shown.clone(),
        ),
        ("channel.unfollow", of.clone(), json!({})),
        ("channel.via", with(json!({"via": "relays"})), shown.clone()),
        ("channel.mute", with(json!({"muted": false})), shown.clone()),
        ("channel.block", of.clone(), json!({})),
        ("channel.post", with(json!({"body": text})), posted.clone()),
        (
            "channel.post",
            with(json!({"body": text, "at_ms": 9})),
            json!({"post": id(8), "planned": true}),
        ),
        (
            "channel.plans",
            of.clone(),
            json!({"items": [{"post": id(8), "at_ms": 9, "body": {"kind": "text", "text": "soon"}}], "next": "opaque"}),
        ),
        ("channel.unplan", with(json!({"post": id(8)})), json!({})),
        (
            "channel.edit",
            with(json!({"post": id(8), "body": text})),
            posted.clone(),
        ),
        ("channel.preview", with(json!({"body": text})), written.clone()),
        (
            "channel.retract",
            with(json!({"post": id(8), "reason": "sold out"})),
            posted,
        ),
        (
            "channel.posts",
            with(json!({"limit": 1})),
            json!({"items": [written.clone()], "prev": "opaque"}),
        ),
        ("channel.fetch", with(json!({"post": id(8)})), json!({"items": []})),
        ("channel.mark_read", with(json!({"post": id(8)})), json!({})),
        (
            "channel.vote",
            with(json!({"post": id(8), "choices": [1]})),
            written.clone(),
        ),
        (
            "channel.report",
            with(json!({"post": id(8), "reason": "fraud", "text": "a trick", "block": true})),
            json!({"relays": [id(9)]}),
        ),
        ("channel.publish_result", with(json!({"post": id(8)})), written.clone()),
        (
            "channel.figures",
            of.clone(),
            json!({
                "watchers": 30,
                "relays": [{"relay": id(9), "state": "told", "watchers": 30, "counted_ms": 4}],
                "polls": [{
                    "post": id(8), "until_ms": 9, "open": true, "voters": 40, "options": [30, 0], "capped": false,
                }],
            }),
        ),
        (
            "channel.evidence",
            of.clone(),
            json!({"items": [proof], "next": "opaque"}),
        ),
        ("channel.verify", json!({"data": "AAEC"}), proof.clone()),
    ];
    for (method, params, expected) in cases {
        assert_eq!(house.result(method, params).await, expected, "{method}");
    }
}

#[tokio::test]
async fn malformed_parameters_of_channels_are_refused_by_name() {
    let house = House::open().await;
    let post = |body: Value| json!({"channel": id(5), "body": body});
    let cases = [
        ("channel.get", json!({}), "channel"),
        ("channel.get", json!({"channel": "shop"}), "channel"),
        ("channel.create", json!({}), "name"),
        ("channel.create", json!({"name": "x", "links": [1]}), "links"),
        (
            "channel.create",
            json!({"name": "x", "categories": vec![json!({"id": "a", "name": "a"}); 33]}),
            "categories",
        ),
        (
            "channel.create",
            json!({"name": "x", "posts_per_day": -1}),
            "posts_per_day",
        ),
        (
            "channel.update",
            json!({"channel": id(5), "relays": vec!["/ip4/192.0.2.1/tcp/1"; 49]}),
            "relays",
        ),
        ("channel.follow", json!({}), "link"),
        ("channel.vote", json!({"channel": id(5), "post": id(8)}), "choices"),
        (
            "channel.vote",
            json!({"channel": id(5), "post": id(8), "choices": vec![0; 13]}),
            "choices",
        ),
        ("channel.post", json!({"channel": id(5)}), "body"),
        ("channel.post", post(json!({"text": "hi"})), "body.kind"),
        ("channel.preview", post(json!({"kind": "text"})), "body.text"),
        ("channel.post", post(json!({"kind": "film"})), "body.kind"),
        ("channel.post", post(json!({"kind": "text"})), "body.text"),
        (
            "channel.post",
            post(json!({"kind": "card", "card": {}})),
            "body.card.title",
        ),
        (
            "channel.post",
            post(json!({"kind": "card", "card": {"title": "x", "image": {}}})),
            "body.card.image.name",
        ),
        (
            "channel.post",
            post(json!({"kind": "carousel", "cards": [{"title": "x"}]})),
            "body.cards",
        ),
        (
            "channel.post",
            post(json!({"kind": "coupon", "coupon": {"card": {"title": 1}}})),
            "body.coupon.card.title",
        ),
        (
            "channel.post",
            post(json!({"kind": "album", "files": []})),
            "body.files",
        ),
        (
            "channel.posts",
            json!({"channel": id(5), "before": "a", "after": "b"}),
            "before",
        ),
        ("channel.verify", json!({"data": "!"}), "data"),
    ];
    for (method, params, field) in cases {
        let error = house.error(method, params.clone()).await;
        assert_eq!(error["data"]["field"], field, "{method} {params}");
        assert_eq!(error["data"]["code"], "invalid_params", "{method} {params}");
    }
    let long = json!({"name": "x".repeat(129)});
    assert_eq!(house.error("channel.create", long).await["data"]["code"], "too_large");
}
