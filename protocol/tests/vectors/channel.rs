//! `channel.json`: certificates, envelopes of channels, statements, bodies of posts, links, evidence.

use crate::kit::{Fault, Format, Kind, Vectors, array, bytes, hexed, items, number, text, uint64};
use madang_protocol::address::PeerAddress;
use madang_protocol::channel::{
    Act, Area, Ballot, BallotBox, Beacon, Button, Card, Category, ChannelLink, Coupon, Entry, Event, Evidence,
    EvidenceError, Head, Inquiry, InquiryError, LinkError, Listing, ListingError, Manifest, Policy, PollResult, Post,
    Proof, Revocation, Scopes, Signatory, Statement, Vouch, VouchError, WebLink, WriterCertificate,
};
use madang_protocol::envelope::Envelope;
use madang_protocol::keys::{
    AppId, AppSecret, ChannelId, EnvelopeId, TopicSecret, TransportKey, WriterId, WriterSecret,
};
use madang_protocol::limits;
use madang_protocol::mls::Suite;
use madang_protocol::wire::Wire;
use serde_json::{Value, json};

pub const FORMAT: Format = Format {
    file: "channel",
    kinds: &[
        Kind {
            name: "writer_certificate",
            text: false,
            read: read_certificate,
            write: write_certificate,
        },
        Kind {
            name: "channel_envelope",
            text: false,
            read: read_envelope,
            write: write_envelope,
        },
        Kind {
            name: "entry",
            text: false,
            read: read_entry,
            write: write_entry,
        },
        Kind {
            name: "beacon",
            text: false,
            read: read_beacon,
            write: write_beacon,
        },
        Kind {
            name: "card",
            text: false,
            read: read_card,
            write: |_, fields| card(fields).encode(),
        },
        Kind {
            name: "event",
            text: false,
            read: read_event,
            write: write_event,
        },
        Kind {
            name: "coupon",
            text: false,
            read: read_coupon,
            write: write_coupon,
        },
        Kind {
            name: "channel_link",
            text: true,
            read: read_link,
            write: write_link,
        },
        Kind {
            name: "evidence",
            text: false,
            read: read_evidence,
            write: write_evidence,
        },
        Kind {
            name: "vouch",
            text: false,
            read: read_vouch,
            write: write_vouch,
        },
        Kind {
            name: "listing",
            text: false,
            read: read_listing,
            write: write_listing,
        },
        Kind {
            name: "ballot_box",
            text: false,
            read: read_ballot_box,
            write: write_ballot_box,
        },
        Kind {
            name: "ballot",
            text: false,
            read: read_ballot,
            write: write_ballot,
        },
        Kind {
            name: "poll_result",
            text: false,
            read: read_poll_result,
            write: write_poll_result,
        },
        Kind {
            name: "inquiry",
            text: false,
            read: read_inquiry,
            write: write_inquiry,
        },
        Kind {
            name: "app_vouch",
            text: false,
            read: read_app_vouch,
            write: write_app_vouch,
        },
    ],
    fill,
};

fn texts(fields: &Value, member: &str) -> Vec<String> {
    items(fields, member)
        .map(|item| item.as_str().unwrap().to_owned())
        .collect()
}

fn read_certificate(keys: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    let read = WriterCertificate::decode(bytes)?;
    let issuer = WriterSecret::from_bytes(array(keys, "issuer_secret")).public();
    read.verify(&issuer)?;
    Ok(json!({
        "channel": hexed(read.channel.0),
        "writer": hexed(read.writer.0),
        "scopes": read.scopes.0,
        "categories": read.categories,
        "from_s": number(read.from_s),
        "until_s": number(read.until_s),
    }))
}

fn certificate(issuer: &WriterSecret, fields: &Value) -> WriterCertificate {
    let unsigned = WriterCertificate {
        channel: ChannelId(array(fields, "channel")),
        writer: WriterId(array(fields, "writer")),
        scopes: Scopes(fields["scopes"].as_u64().unwrap() as u16),
        categories: texts(fields, "categories"),
        from_s: uint64(fields, "from_s"),
        until_s: uint64(fields, "until_s"),
        extensions: Vec::new(),
        signature: [0; 64],
    };
    unsigned.signed(issuer)
}

fn write_certificate(keys: &Value, fields: &Value) -> Vec<u8> {
    let issuer = WriterSecret::from_bytes(array(keys, "issuer_secret"));
    certificate(&issuer, fields).encode()
}

fn read_envelope(_: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    let envelope = Envelope::verify(bytes)?;
    let authority = envelope.authority().ok_or(Fault::new("no_channel"))?;
    let chain: Vec<Value> = authority.chain.iter().map(|known| hexed(known.encode())).collect();
    Ok(json!({
        "channel": hexed(envelope.topic().0),
        "writer": hexed(authority.writer.0),
        "certificates": chain,
        "ttl_s": envelope.ttl_s(),
        "body": hexed(envelope.body()),
        "id": hexed(envelope.id().0),
    }))
}

fn signatory(keys: &Value, fields: &Value) -> Signatory {
    let chain = items(fields, "certificates").map(|known| hex::decode(known.as_str().unwrap()).unwrap());
    Signatory {
        channel: ChannelId(array(fields, "channel")),
        secret: WriterSecret::from_bytes(array(keys, "writer_secret")),
        chain: chain.map(|bytes| WriterCertificate::decode(&bytes).unwrap()).collect(),
    }
}

fn write_envelope(keys: &Value, fields: &Value) -> Vec<u8> {
    let ttl_s = fields["ttl_s"].as_u64().unwrap() as u32;
    Envelope::sign_as(&signatory(keys, fields), ttl_s, &bytes(fields, "body"))
        .unwrap()
        .into_bytes()
}

fn post_value(post: &Post) -> Value {
    let area = post.area.map(
        |area| json!({ "latitude_e6": area.latitude_e6, "longitude_e6": area.longitude_e6, "radius_m": area.radius_m }),
    );
    json!({
        "categories": post.categories,
        "area": area,
        "flags": post.flags,
        "text": post.text,
        "kind": post.body.name(),
        "encoded": hexed(post.encode()),
    })
}

fn read_entry(_: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    let Statement::Entry(entry) = Statement::decode(bytes)? else {
        return Err(Fault::new("another_kind"));
    };
    let act = match &entry.act {
        Act::Post(post) => json!({ "post": post_value(post) }),
        Act::Edit { target, post } => json!({ "edit": { "target": hexed(target.0), "post": post_value(post) } }),
        Act::Retract { target, reason } => json!({ "retract": { "target": hexed(target.0), "reason": reason } }),
        Act::Unknown { kind, body } => json!({ "unknown": { "kind": kind, "body": hexed(body) } }),
    };
    Ok(json!({
        "number": number(entry.number),
        "previous": hexed(entry.previous.0),
        "time_ms": number(entry.time_ms),
        "act": act,
    }))
}

fn write_entry(_: &Value, fields: &Value) -> Vec<u8> {
    let post = |value: &Value| Post::decode(&bytes(value, "encoded")).unwrap();
    let act = &fields["act"];
    let act = if act["post"].is_object() {
        Act::Post(post(&act["post"]))
    } else if act["edit"].is_object() {
        Act::Edit {
            target: EnvelopeId(array(&act["edit"], "target")),
            post: post(&act["edit"]["post"]),
        }
    } else if act["retract"].is_object() {
        Act::Retract {
            target: EnvelopeId(array(&act["retract"], "target")),
            reason: text(&act["retract"], "reason"),
        }
    } else {
        Act::Unknown {
            kind: act["unknown"]["kind"].as_u64().unwrap() as u16,
            body: bytes(&act["unknown"], "body"),
        }
    };
    Statement::Entry(Box::new(Entry {
        number: uint64(fields, "number"),
        previous: EnvelopeId(array(fields, "previous")),
        time_ms: uint64(fields, "time_ms"),
        act,
        extensions: Vec::new(),
    }))
    .encode()
}

fn pairs(fields: &Value, member: &str, names: (&str, &str)) -> Vec<(String, String)> {
    items(fields, member)
        .map(|item| (text(item, names.0), text(item, names.1)))
        .collect()
}

fn read_beacon(_: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    let Statement::Beacon(beacon) = Statement::decode(bytes)? else {
        return Err(Fault::new("another_kind"));
    };
    let head = |writer: &WriterId, last: u64, id: &EnvelopeId| json!({ "writer": hexed(writer.0), "number": number(last), "id": hexed(id.0) });
    let heads = beacon
        .heads
        .iter()
        .map(|known| head(&known.writer, known.number, &known.id));
    let gone = beacon
        .revocations
        .iter()
        .map(|known| head(&known.writer, known.last, &known.id));
    let manifest = &beacon.manifest;
    let links = manifest
        .links
        .iter()
        .map(|link| json!({ "label": link.label, "url": link.url }));
    let categories = manifest
        .categories
        .iter()
        .map(|known| json!({ "id": known.id, "name": known.name }));
    let relays = manifest
        .relays
        .iter()
        .map(|relay| json!({ "key": hexed(relay.key.0), "addrs": relay.addrs }));
    Ok(json!({
        "number": number(beacon.number),
        "time_ms": number(beacon.time_ms),
        "period_s": beacon.period_s,
        "heads": heads.collect::<Vec<_>>(),
        "revocations": gone.collect::<Vec<_>>(),
        "manifest": {
            "number": number(manifest.number),
            "name": manifest.name,
            "description": manifest.description,
            "links": links.collect::<Vec<_>>(),
            "categories": categories.collect::<Vec<_>>(),
            "inbox": manifest.inbox,
            "relays": relays.collect::<Vec<_>>(),
            "domain": manifest.domain,
            "posts_per_day": manifest.policy.posts_per_day,
            "advertising_label": manifest.policy.advertising_label,
            "recovery": manifest.recovery.map(|key| hexed(key.0)),
        },
    }))
}

fn write_beacon(_: &Value, fields: &Value) -> Vec<u8> {
    let told = &fields["manifest"];
    let relays = items(told, "relays").map(|relay| PeerAddress {
        key: TransportKey(array(relay, "key")),
        addrs: texts(relay, "addrs"),
    });
    let manifest = Manifest {
        number: uint64(told, "number"),
        name: text(told, "name"),
        description: text(told, "description"),
        picture: None,
        links: pairs(told, "links", ("label", "url"))
            .into_iter()
            .map(|(label, url)| WebLink { label, url })
            .collect(),
        categories: pairs(told, "categories", ("id", "name"))
            .into_iter()
            .map(|(id, name)| Category { id, name })
            .collect(),
        inbox: text(told, "inbox"),
        relays: relays.collect(),
        domain: text(told, "domain"),
        policy: Policy {
            posts_per_day: told["posts_per_day"].as_u64().unwrap() as u16,
            advertising_label: text(told, "advertising_label"),
        },
        recovery: told["recovery"].is_string().then(|| WriterId(array(told, "recovery"))),
        extensions: Vec::new(),
    };
    let heads = items(fields, "heads").map(|head| Head {
        writer: WriterId(array(head, "writer")),
        number: uint64(head, "number"),
        id: EnvelopeId(array(head, "id")),
    });
    let revocations = items(fields, "revocations").map(|gone| Revocation {
        writer: WriterId(array(gone, "writer")),
        last: uint64(gone, "number"),
        id: EnvelopeId(array(gone, "id")),
    });
    Statement::Beacon(Box::new(Beacon {
        number: uint64(fields, "number"),
        time_ms: uint64(fields, "time_ms"),
        period_s: fields["period_s"].as_u64().unwrap() as u32,
        manifest,
        heads: heads.collect(),
        revocations: revocations.collect(),
        extensions: Vec::new(),
    }))
    .encode()
}

fn card_value(card: &Card) -> Value {
    let buttons = card
        .buttons
        .iter()
        .map(|known| json!({ "label": known.label, "url": known.url }));
    json!({ "title": card.title, "text": card.text, "buttons": buttons.collect::<Vec<_>>() })
}

fn card(fields: &Value) -> Card {
    Card {
        title: text(fields, "title"),
        text: text(fields, "text"),
        image: None,
        buttons: pairs(fields, "buttons", ("label", "url"))
            .into_iter()
            .map(|(label, url)| Button { label, url })
            .collect(),
    }
}

fn read_card(_: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    Ok(card_value(&Card::decode(bytes)?))
}

fn read_event(_: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    let event = Event::decode(bytes)?;
    Ok(json!({
        "title": event.title,
        "starts_s": number(event.starts_s),
        "ends_s": number(event.ends_s),
        "place": event.place,
        "details": event.details,
        "url": event.url,
    }))
}

fn write_event(_: &Value, fields: &Value) -> Vec<u8> {
    Event {
        title: text(fields, "title"),
        starts_s: uint64(fields, "starts_s"),
        ends_s: uint64(fields, "ends_s"),
        place: text(fields, "place"),
        details: text(fields, "details"),
        url: text(fields, "url"),
    }
    .encode()
}

fn read_coupon(_: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    let coupon = Coupon::decode(bytes)?;
    Ok(json!({
        "card": card_value(&coupon.card),
        "terms": coupon.terms,
        "starts_s": number(coupon.starts_s),
        "ends_s": number(coupon.ends_s),
        "total": coupon.total,
        "per_follower": coupon.per_follower,
        "issuer": hexed(&coupon.issuer),
        "desk": hexed(&coupon.desk),
    }))
}

fn write_coupon(_: &Value, fields: &Value) -> Vec<u8> {
    Coupon {
        card: card(&fields["card"]),
        terms: text(fields, "terms"),
        starts_s: uint64(fields, "starts_s"),
        ends_s: uint64(fields, "ends_s"),
        total: fields["total"].as_u64().unwrap() as u32,
        per_follower: fields["per_follower"].as_u64().unwrap() as u32,
        issuer: bytes(fields, "issuer"),
        desk: bytes(fields, "desk"),
    }
    .encode()
}

fn read_link(_: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    let link = ChannelLink::from_link(std::str::from_utf8(bytes).unwrap()).map_err(|error| match error {
        LinkError::NotALink => Fault::new("not_a_link"),
        LinkError::Damaged => Fault::new("damaged"),
        LinkError::Decode(error) => error.into(),
    })?;
    let relays = link
        .relays
        .iter()
        .map(|relay| json!({ "key": hexed(relay.key.0), "addrs": relay.addrs }));
    Ok(json!({ "channel": hexed(link.channel.0), "name": link.name, "relays": relays.collect::<Vec<_>>() }))
}

fn write_link(_: &Value, fields: &Value) -> Vec<u8> {
    let relays = items(fields, "relays").map(|relay| PeerAddress {
        key: TransportKey(array(relay, "key")),
        addrs: texts(relay, "addrs"),
    });
    let link = ChannelLink {
        channel: ChannelId(array(fields, "channel")),
        name: text(fields, "name"),
        relays: relays.collect(),
        extensions: Vec::new(),
    };
    link.to_link().into_bytes()
}

fn read_evidence(_: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    let evidence = Evidence::decode(bytes)?;
    let (channel, proof) = evidence.verify().map_err(|error| match error {
        EvidenceError::Decode(error) => error.into(),
        EvidenceError::Envelope(error) => error.into(),
        EvidenceError::Channel => Fault::new("channel"),
        EvidenceError::Nothing => Fault::new("nothing"),
    })?;
    let at = match proof {
        Proof::TwoEntries { number, .. }
        | Proof::TwoHistories { number, .. }
        | Proof::TwoBeacons { number }
        | Proof::AnotherHead { number, .. } => number,
        Proof::HeadWentBack { beacon, .. } | Proof::ManifestWentBack { beacon } => beacon,
    };
    Ok(json!({
        "one": hexed(&evidence.one),
        "other": hexed(&evidence.other),
        "channel": hexed(channel.0),
        "proof": proof.name(),
        "writer": proof.writer().map(|writer| hexed(writer.0)),
        "number": number(at),
    }))
}

fn write_evidence(_: &Value, fields: &Value) -> Vec<u8> {
    Evidence {
        one: bytes(fields, "one"),
        other: bytes(fields, "other"),
    }
    .encode()
}

const ROOT: [u8; 32] = [7; 32];
const EDITOR: [u8; 32] = [8; 32];
const SUCCESSOR: [u8; 32] = [9; 32];

fn public(secret: [u8; 32]) -> WriterId {
    WriterSecret::from_bytes(secret).public()
}

fn channel() -> ChannelId {
    ChannelId(public(ROOT).0)
}

/// The fields of a certificate of this channel.
fn grant(writer: [u8; 32], scopes: Scopes) -> Value {
    json!({
        "channel": hexed(channel().0),
        "writer": hexed(public(writer).0),
        "scopes": scopes.0,
        "categories": ["news"],
        "from_s": number(1_000),
        "until_s": number(2_000),
    })
}

fn by(secret: [u8; 32]) -> Value {
    json!({ "issuer_secret": hexed(secret) })
}

fn fill(v: &mut Vectors) {
    let editor = v.good(
        "writer_certificate",
        "an editor's",
        by(ROOT),
        grant(EDITOR, Scopes::PUBLISH),
    );
    let successor = v.good(
        "writer_certificate",
        "a hand-over",
        by(ROOT),
        grant(SUCCESSOR, Scopes::ROOT),
    );
    let later = v.good(
        "writer_certificate",
        "an editor's by whom the root was handed to",
        by(SUCCESSOR),
        grant(EDITOR, Scopes::PUBLISH.with(Scopes::EDIT)),
    );
    let by_editor = v.good(
        "writer_certificate",
        "an editor certifies another key",
        by(EDITOR),
        grant([10; 32], Scopes::PUBLISH),
    );
    let mut bad = |name: &str, bytes: &[u8], error: &str, at: &str| {
        v.bad("writer_certificate", name, by(ROOT), bytes, error, at);
    };
    bad(
        "version 2",
        &[&[0, 2], &editor[2..]].concat(),
        "version",
        "certificate.version",
    );
    bad("by another key", &later, "signature", "");
    bad("cut", &editor[..editor.len() - 1], "truncated", "certificate.signature");
    let spaced = [&editor[..68], &[6, 5], b"n ws!", &editor[74..]].concat();
    bad("a category with a space", &spaced, "invalid", "certificate.categories");

    envelopes(v, [&editor, &successor, &later, &by_editor]);
    statements(v);
    bodies(v);
    links(v);
    evidence(v);
    vouches(v);
    listings(v);
    inquiries(v);
    polls(v);
}

fn envelopes(v: &mut Vectors, [editor, successor, later, by_editor]: [&[u8]; 4]) {
    let fields = |chain: &[&[u8]]| {
        let chain: Vec<Value> = chain.iter().map(hexed).collect();
        json!({ "channel": hexed(channel().0), "certificates": chain, "ttl_s": 60, "body": hexed(b"body") })
    };
    let keys = |secret: [u8; 32]| json!({ "writer_secret": hexed(secret) });
    let mut good = |name, secret, chain: &[&[u8]]| v.good("channel_envelope", name, keys(secret), fields(chain));
    let root = good("by the root", ROOT, &[]);
    good("by an editor", EDITOR, &[editor]);
    good("by a successor", SUCCESSOR, &[successor]);
    good("by an editor of the successor", EDITOR, &[successor, later]);

    let forged = |secret, chain: &[&[u8]]| write_envelope(&keys(secret), &fields(chain));
    let mut bad = |name: &str, bytes: &[u8], error: &str, at: &str| {
        v.bad("channel_envelope", name, Value::Null, bytes, error, at);
    };
    bad("by a key without a certificate", &forged(EDITOR, &[]), "signature", "");
    bad(
        "by another key than is certified",
        &forged(ROOT, &[editor]),
        "signature",
        "",
    );
    bad(
        "a certificate by no root",
        &forged([10; 32], &[editor, by_editor]),
        "invalid",
        "certificate.scopes",
    );
    bad(
        "a chain that begins in the middle",
        &forged(EDITOR, &[later]),
        "signature",
        "",
    );
    let elsewhere = WriterSecret::from_bytes([11; 32]);
    let mut other = grant(EDITOR, Scopes::PUBLISH);
    other["channel"] = hexed(elsewhere.public().0);
    let other = certificate(&WriterSecret::from_bytes(ROOT), &other).encode();
    bad(
        "a certificate for another channel",
        &forged(EDITOR, &[&other]),
        "invalid",
        "certificate.channel",
    );
    let long = forged(EDITOR, &[successor, successor, successor, successor, successor]);
    bad("five certificates", &long, "too_long", "certificates");
    let chat = Envelope::sign(&TopicSecret::from_bytes(ROOT), 60, b"body").unwrap();
    let signature = &chat.bytes()[chat.bytes().len() - 64..];
    let taken = [&root[..root.len() - 64], signature].concat();
    bad("the topic's signature for a chat", &taken, "signature", "");
    bad("a chat's envelope", chat.bytes(), "no_channel", "");
}

fn told(number_: u64, manifest: u64, heads: &[([u8; 32], u64, [u8; 32])]) -> Value {
    let mut heads: Vec<_> = heads
        .iter()
        .map(|(secret, number, id)| (public(*secret), *number, *id))
        .collect();
    heads.sort();
    let heads: Vec<Value> = heads
        .iter()
        .map(|(writer, at, id)| json!({ "writer": hexed(writer.0), "number": number(*at), "id": hexed(id) }))
        .collect();
    json!({
        "number": number(number_),
        "time_ms": number(1_000_000),
        "period_s": 86_400,
        "heads": heads,
        "revocations": [],
        "manifest": {
            "number": number(manifest),
            "name": "마당 서점",
            "description": "Books and readings",
            "links": [{ "label": "Shop", "url": "https://shop.example/" }],
            "categories": [{ "id": "news", "name": "News" }, { "id": "offers", "name": "Offers" }],
            "inbox": "",
            "relays": [{ "key": hexed([4; 32]), "addrs": ["/ip4/192.0.2.1/udp/4001/quic-v1"] }],
            "domain": "shop.example",
            "posts_per_day": 3,
            "advertising_label": "광고",
            "recovery": null,
        },
    })
}

fn written(number_: u64, previous: [u8; 32], post: &Post) -> Value {
    json!({
        "number": number(number_),
        "previous": hexed(previous),
        "time_ms": number(999_000),
        "act": { "post": post_value(post) },
    })
}

fn statements(v: &mut Vectors) {
    let plain = Post::text("Open until nine today");
    let mut rich = Post::text("Reading tonight");
    rich.categories = vec!["news".into()];
    rich.area = Some(Area {
        latitude_e6: 37_566_500,
        longitude_e6: -126_978_000,
        radius_m: 5_000,
    });
    rich.flags = Post::ADVERTISING;
    let first = v.good("entry", "a first post", Value::Null, written(1, [0; 32], &plain));
    v.good("entry", "a post with an area", Value::Null, written(2, [1; 32], &rich));
    let act = |act: Value| json!({ "number": number(3), "previous": hexed([2; 32]), "time_ms": number(1), "act": act });
    let edit = json!({ "edit": { "target": hexed([1; 32]), "post": post_value(&plain) } });
    v.good("entry", "an edit", Value::Null, act(edit));
    let retract = json!({ "retract": { "target": hexed([1; 32]), "reason": "sold out" } });
    v.good("entry", "a retraction", Value::Null, act(retract));
    let unknown = json!({ "unknown": { "kind": 99, "body": "0102" } });
    v.good("entry", "an act of a later version", Value::Null, act(unknown));
    let mut bad = |name: &str, bytes: &[u8], error: &str, at: &str| {
        v.bad("entry", name, Value::Null, bytes, error, at);
    };
    let numbered = |n: u8| [&[1, 0, 0, 0, 0, 0, 0, 0, n], &first[9..]].concat();
    bad("number 0", &numbered(0), "invalid", "entry.number");
    bad("a second entry after none", &numbered(2), "invalid", "entry.previous");
    bad("cut", &first[..first.len() - 1], "truncated", "entry.extensions");
    bad("a kind of a later version", &[77, 1, 2], "another_kind", "");

    let id = [5; 32];
    let beacon = v.good(
        "beacon",
        "two heads",
        Value::Null,
        told(3, 2, &[(ROOT, 2, id), (EDITOR, 9, id)]),
    );
    let mut revoked = told(4, 2, &[(ROOT, 2, id)]);
    revoked["revocations"] = json!([{ "writer": hexed(public(EDITOR).0), "number": number(9), "id": hexed(id) }]);
    v.good("beacon", "a revocation", Value::Null, revoked);
    let mut bad = |name: &str, fields: &Value, error: &str, at: &str| {
        v.bad(
            "beacon",
            name,
            Value::Null,
            &write_beacon(&Value::Null, fields),
            error,
            at,
        );
    };
    let mut twice = told(3, 2, &[(ROOT, 2, id), (EDITOR, 9, id)]);
    twice["heads"].as_array_mut().unwrap().reverse();
    bad("heads out of order", &twice, "invalid", "beacon.heads");
    bad("number 0", &told(0, 2, &[]), "invalid", "beacon.number");
    let with = |member: &str, value: Value| {
        let mut fields = told(3, 2, &[]);
        fields["manifest"][member] = value;
        fields
    };
    bad("no name", &with("name", " ".into()), "invalid", "manifest.name");
    bad(
        "a domain with a path",
        &with("domain", "shop.example/x".into()),
        "invalid",
        "manifest.domain",
    );
    let same = json!([{ "id": "news", "name": "A" }, { "id": "news", "name": "B" }]);
    bad(
        "a category twice",
        &with("categories", same),
        "invalid",
        "manifest.category.id",
    );
    let long = "x".repeat(limits::NAME_BYTES + 1);
    bad("a long name", &with("name", long.into()), "too_long", "manifest.name");
    v.bad(
        "beacon",
        "cut",
        Value::Null,
        &beacon[..beacon.len() - 1],
        "truncated",
        "beacon.extensions",
    );
}

fn bodies(v: &mut Vectors) {
    let buttons = json!([{ "label": "Order", "url": "https://shop.example/order" }]);
    let card = json!({ "title": "New edition", "text": "Signed copies", "buttons": buttons });
    let shown = v.good("card", "a button", Value::Null, card.clone());
    v.bad(
        "card",
        "no title",
        Value::Null,
        &[&[0], &shown[12..]].concat(),
        "invalid",
        "card.title",
    );
    let event = json!({
        "title": "Reading",
        "starts_s": number(1_700_000_000),
        "ends_s": number(1_700_003_600),
        "place": "Shop",
        "details": "Bring a chair",
        "url": "",
    });
    v.good("event", "a reading", Value::Null, event.clone());
    let mut backwards = event;
    backwards["ends_s"] = number(1_600_000_000);
    v.bad(
        "event",
        "it ends before it starts",
        Value::Null,
        &write_event(&Value::Null, &backwards),
        "invalid",
        "event.ends_s",
    );
    let coupon = json!({
        "card": card,
        "terms": "One each",
        "starts_s": number(1),
        "ends_s": number(2),
        "total": 100,
        "per_follower": 1,
        "issuer": "",
        "desk": "",
    });
    let offered = v.good("coupon", "an offer", Value::Null, coupon);
    v.bad(
        "coupon",
        "cut",
        Value::Null,
        &offered[..offered.len() - 1],
        "truncated",
        "coupon.desk",
    );
}

fn links(v: &mut Vectors) {
    let relays = json!([{ "key": hexed([4; 32]), "addrs": ["/dns/relay.example/tcp/4001"] }]);
    let fields = json!({ "channel": hexed(channel().0), "name": "마당 서점", "relays": relays });
    let link = v.good("channel_link", "one relay", Value::Null, fields);
    let at = link.len() - 3;
    let mut damaged = link.clone();
    damaged[at] = if damaged[at] == b'A' { b'B' } else { b'A' };
    v.bad("channel_link", "a wrong letter", Value::Null, &damaged, "damaged", "");
    v.bad(
        "channel_link",
        "an invite",
        Value::Null,
        b"madang:invite?d=AAAA",
        "not_a_link",
        "",
    );
}

fn evidence(v: &mut Vectors) {
    let root = Signatory::root(&TopicSecret::from_bytes(ROOT));
    let sealed = |body: &[u8]| Envelope::sign_as(&root, 60, body).unwrap();
    let entry = |number, previous, text: &str| {
        sealed(&write_entry(
            &Value::Null,
            &written(number, previous, &Post::text(text)),
        ))
    };
    let beacon = |number, manifest, heads: &[([u8; 32], u64, [u8; 32])]| {
        sealed(&write_beacon(&Value::Null, &told(number, manifest, heads)))
    };
    let (first, another) = (entry(1, [0; 32], "one"), entry(1, [0; 32], "another"));
    let second = entry(2, first.id().0, "two");
    let after_another = entry(2, another.id().0, "two");
    let pair = |one: &Envelope, other: &Envelope| json!({ "one": hexed(one.bytes()), "other": hexed(other.bytes()) });
    let mut good = |name, one: &Envelope, other: &Envelope| v.good("evidence", name, Value::Null, pair(one, other));
    good("two posts with one number", &first, &another);
    good("a post after another one", &first, &after_another);
    let early = beacon(4, 2, &[(ROOT, 2, second.id().0)]);
    good(
        "two beacons with one number",
        &early,
        &beacon(4, 2, &[(ROOT, 1, first.id().0)]),
    );
    good(
        "a head that went back",
        &early,
        &beacon(5, 2, &[(ROOT, 1, first.id().0)]),
    );
    good("a head that is gone", &early, &beacon(5, 2, &[]));
    good("a head that was replaced", &beacon(5, 2, &[(ROOT, 2, [1; 32])]), &early);
    good(
        "a manifest that went back",
        &early,
        &beacon(5, 1, &[(ROOT, 2, second.id().0)]),
    );
    good(
        "a beacon that names another post",
        &another,
        &beacon(2, 1, &[(ROOT, 1, first.id().0)]),
    );

    let mut bad = |name: &str, one: &Envelope, other: &Envelope, error: &str| {
        let bytes = write_evidence(&Value::Null, &pair(one, other));
        v.bad("evidence", name, Value::Null, &bytes, error, "");
    };
    bad("a post and the next", &first, &second, "nothing");
    bad("the same twice", &first, &first, "nothing");
    bad(
        "a beacon and a later one",
        &early,
        &beacon(9, 3, &[(ROOT, 7, [1; 32])]),
        "nothing",
    );
    let elsewhere = Signatory::root(&TopicSecret::from_bytes([12; 32]));
    let elsewhere = Envelope::sign_as(&elsewhere, 60, first.body()).unwrap();
    bad("of two channels", &first, &elsewhere, "channel");
    let mut forged = another.bytes().to_vec();
    *forged.last_mut().unwrap() ^= 1;
    let bytes = write_evidence(
        &Value::Null,
        &json!({ "one": hexed(first.bytes()), "other": hexed(&forged) }),
    );
    v.bad("evidence", "a forged one", Value::Null, &bytes, "signature", "");
}

fn read_vouch(_: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    let vouch = Vouch::decode(bytes)?;
    vouch
        .verify(vouch.channel, &vouch.domain)
        .map_err(|error| match error {
            VouchError::Decode(error) => error.into(),
            VouchError::Signature(error) => error.into(),
            VouchError::NotRoot => Fault::new("not_root"),
            VouchError::Channel | VouchError::OtherDomain => Fault::new("another"),
        })?;
    let chain: Vec<Value> = vouch.chain.iter().map(|known| hexed(known.encode())).collect();
    Ok(json!({ "channel": hexed(vouch.channel.0), "domain": vouch.domain, "certificates": chain }))
}

fn write_vouch(keys: &Value, fields: &Value) -> Vec<u8> {
    Vouch::sign(&signatory(keys, fields), &text(fields, "domain")).encode()
}

fn read_app_vouch(_: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    let vouch = Vouch::decode(bytes)?;
    let app = AppId(vouch.channel.0);
    vouch.verify_app(app, &vouch.domain).map_err(|error| match error {
        VouchError::Decode(error) => error.into(),
        VouchError::Signature(error) => error.into(),
        VouchError::NotRoot => Fault::new("not_root"),
        VouchError::Channel | VouchError::OtherDomain => Fault::new("another"),
    })?;
    Ok(json!({ "app": hexed(app.0), "domain": vouch.domain }))
}

fn write_app_vouch(keys: &Value, fields: &Value) -> Vec<u8> {
    let secret = AppSecret::from_bytes(array(keys, "app_secret"));
    Vouch::of_app(&secret, &text(fields, "domain")).encode()
}

fn vouches(v: &mut Vectors) {
    let app = json!({ "app_secret": hexed([11; 32]) });
    let of_app = v.good("app_vouch", "by the app", app, json!({ "domain": "recipes.example" }));
    let of_channel = json!({ "channel": hexed(channel().0), "domain": "shop.example", "certificates": [] });
    let of_channel = write_vouch(&json!({ "writer_secret": hexed(ROOT) }), &of_channel);
    v.bad("app_vouch", "of a channel", Value::Null, &of_channel, "signature", "");
    v.bad("vouch", "of an app", Value::Null, &of_app, "signature", "");

    let by = |secret: [u8; 32]| json!({ "writer_secret": hexed(secret) });
    let fields = |domain: &str, chain: &[Vec<u8>]| {
        let chain: Vec<Value> = chain.iter().map(hexed).collect();
        json!({ "channel": hexed(channel().0), "domain": domain, "certificates": chain })
    };
    let root = WriterSecret::from_bytes(ROOT);
    let certified = |scopes: Scopes| certificate(&root, &grant(EDITOR, scopes)).encode();
    let heir = fields("shop.example", &[certified(Scopes::ROOT)]);
    let good = fields("shop.example", &[]);
    v.good("vouch", "by the channel's key", by(ROOT), good.clone());
    v.good("vouch", "by whom it was handed over to", by(EDITOR), heir);
    let mut bad = |name, bytes: &[u8], error, at| v.bad("vouch", name, Value::Null, bytes, error, at);
    let editor = fields("shop.example", &[certified(Scopes::PUBLISH)]);
    bad("by an editor", &write_vouch(&by(EDITOR), &editor), "not_root", "");
    bad("by a stranger", &write_vouch(&by(EDITOR), &good), "signature", "");
    let no_domain = write_vouch(&by(ROOT), &fields("Shop.example", &[]));
    bad("capitals", &no_domain, "invalid", "vouch.domain");
    let whole = write_vouch(&by(ROOT), &good);
    bad("cut", &whole[..whole.len() - 1], "truncated", "vouch.signature");
}

/// The time at which listings are read.
const LISTED_S: u64 = 1_900_000_000;

fn read_listing(_: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    let listing = Listing::decode(bytes)?;
    listing.verify(&listing.relay, LISTED_S).map_err(|error| match error {
        ListingError::Decode(error) => error.into(),
        ListingError::Signature(error) => error.into(),
        ListingError::NotRoot => Fault::new("not_root"),
        ListingError::Expired => Fault::new("expired"),
        ListingError::OtherRelay => Fault::new("another"),
    })?;
    let chain: Vec<Value> = listing.chain.iter().map(|known| hexed(known.encode())).collect();
    let relays: Vec<Value> = listing
        .relays
        .iter()
        .map(|relay| json!({ "key": hexed(relay.key.0), "addrs": relay.addrs }))
        .collect();
    Ok(json!({
        "channel": hexed(listing.channel.0),
        "relay": hexed(listing.relay.0),
        "number": number(listing.number),
        "until_s": number(listing.until_s),
        "withdrawn": listing.is_withdrawn(),
        "name": listing.name,
        "description": listing.description,
        "categories": listing.categories,
        "relays": relays,
        "certificates": chain,
    }))
}

fn write_listing(keys: &Value, fields: &Value) -> Vec<u8> {
    let by = signatory(keys, fields);
    let manifest = Manifest {
        number: 1,
        name: text(fields, "name"),
        description: text(fields, "description"),
        picture: None,
        links: Vec::new(),
        categories: items(fields, "categories")
            .map(|id| Category {
                id: id.as_str().unwrap().to_owned(),
                name: String::new(),
            })
            .collect(),
        inbox: String::new(),
        relays: items(fields, "relays")
            .map(|relay| PeerAddress {
                key: TransportKey(array(relay, "key")),
                addrs: items(relay, "addrs")
                    .map(|addr| addr.as_str().unwrap().to_owned())
                    .collect(),
            })
            .collect(),
        domain: String::new(),
        policy: Policy::default(),
        recovery: None,
        extensions: Vec::new(),
    };
    let sign = match fields["withdrawn"] == true {
        true => Listing::withdraw,
        false => Listing::sign,
    };
    let relay = TransportKey(array(fields, "relay"));
    sign(
        &by,
        relay,
        uint64(fields, "number"),
        uint64(fields, "until_s"),
        &manifest,
    )
    .encode()
}

fn listings(v: &mut Vectors) {
    let by = |secret: [u8; 32]| json!({ "writer_secret": hexed(secret) });
    let root = WriterSecret::from_bytes(ROOT);
    let fields = |withdrawn: bool, until_s: u64, chain: &[Vec<u8>]| {
        let chain: Vec<Value> = chain.iter().map(hexed).collect();
        let relays = json!([{ "key": hexed([4; 32]), "addrs": ["/ip4/192.0.2.1/udp/4001/quic-v1"] }]);
        json!({
            "channel": hexed(channel().0),
            "relay": hexed([4; 32]),
            "number": number(7),
            "until_s": number(until_s),
            "withdrawn": withdrawn,
            "name": "마당 서점",
            "description": if withdrawn { "" } else { "Books and readings" },
            "categories": if withdrawn { json!([]) } else { json!(["news"]) },
            "relays": if withdrawn { json!([]) } else { relays },
            "certificates": chain,
        })
    };
    let certified = |scopes: Scopes| certificate(&root, &grant(EDITOR, scopes)).encode();
    let until_s = LISTED_S + limits::LISTING_SECONDS;
    let good = fields(false, until_s, &[]);
    let whole = v.good("listing", "by the channel's key", by(ROOT), good.clone());
    let heir = fields(false, until_s, &[certified(Scopes::ROOT)]);
    v.good("listing", "by whom it was handed over to", by(EDITOR), heir);
    let gone = v.good("listing", "one that is withdrawn", by(ROOT), fields(true, until_s, &[]));
    let mut bad = |name, bytes: &[u8], error, at| v.bad("listing", name, Value::Null, bytes, error, at);
    let editor = fields(false, until_s, &[certified(Scopes::PUBLISH)]);
    bad("by an editor", &write_listing(&by(EDITOR), &editor), "not_root", "");
    bad("by a stranger", &write_listing(&by(EDITOR), &good), "signature", "");
    for (name, at_s) in [
        ("one that is over", LISTED_S - 1),
        (
            "one that is to hold for too long",
            LISTED_S + 2 * limits::LISTING_SECONDS + 1,
        ),
    ] {
        let over = write_listing(&by(ROOT), &fields(false, at_s, &[]));
        bad(name, &over, "expired", "");
    }
    let mut shown = gone;
    // Behind version, two keys, number and time.
    shown[82] = 0;
    bad("a withdrawn one that is shown again", &shown, "signature", "");
    bad("cut", &whole[..whole.len() - 1], "truncated", "listing.signature");
    let mut unnamed = good;
    unnamed["name"] = json!(" ");
    bad(
        "no name",
        &write_listing(&by(ROOT), &unnamed),
        "invalid",
        "listing.name",
    );
}

fn read_ballot_box(_: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    let read = BallotBox::decode(bytes)?;
    Ok(json!({
        "secret": hexed(*read.secret.to_bytes()),
        "topic": hexed(read.topic().0),
        "suite": read.suite.number(),
        "seal_key": hexed(&read.seal_key),
        "until_s": number(read.until_s),
    }))
}

fn write_ballot_box(_: &Value, fields: &Value) -> Vec<u8> {
    let suite = u16::try_from(fields["suite"].as_u64().unwrap()).unwrap();
    BallotBox {
        secret: TopicSecret::from_bytes(array(fields, "secret")),
        suite: Suite::from_number(suite).unwrap(),
        seal_key: bytes(fields, "seal_key"),
        until_s: uint64(fields, "until_s"),
    }
    .encode()
}

fn read_ballot(_: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    let read = Ballot::decode(bytes)?;
    Ok(json!({ "voter": hexed(read.voter), "number": number(read.number), "choices": read.choices }))
}

fn write_ballot(_: &Value, fields: &Value) -> Vec<u8> {
    Ballot {
        voter: array(fields, "voter"),
        number: uint64(fields, "number"),
        choices: u16::try_from(fields["choices"].as_u64().unwrap()).unwrap(),
    }
    .encode()
}

fn read_poll_result(_: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    let read = PollResult::decode(bytes)?;
    Ok(json!({ "time_ms": number(read.time_ms), "voters": read.voters, "counts": read.counts }))
}

fn write_poll_result(_: &Value, fields: &Value) -> Vec<u8> {
    let figure = |value: &Value| u32::try_from(value.as_u64().unwrap()).unwrap();
    PollResult {
        time_ms: uint64(fields, "time_ms"),
        voters: figure(&fields["voters"]),
        counts: items(fields, "counts").map(figure).collect(),
    }
    .encode()
}

fn polls(v: &mut Vectors) {
    let fields = json!({
        "secret": hexed([5; 32]), "suite": 2, "seal_key": hexed([9; 32]), "until_s": number(1_900_000_000),
    });
    let whole = v.good("ballot_box", "where a poll is answered", Value::Null, fields);
    let mut other = whole.clone();
    other[32..34].copy_from_slice(&[0xff, 0xff]);
    v.bad(
        "ballot_box",
        "a suite of later",
        Value::Null,
        &other,
        "invalid",
        "ballot_box.suite",
    );
    v.bad(
        "ballot_box",
        "cut",
        Value::Null,
        &whole[..whole.len() - 1],
        "truncated",
        "ballot_box.until_s",
    );

    let fields = |choices: u16| json!({ "voter": hexed([3; 32]), "number": number(2), "choices": choices });
    let whole = v.good("ballot", "the second option", Value::Null, fields(2));
    v.good("ballot", "taken back", Value::Null, fields(0));
    let mut other = whole.clone();
    other[1] = 2;
    v.bad(
        "ballot",
        "of a later version",
        Value::Null,
        &other,
        "version",
        "ballot.version",
    );
    let cut = &whole[..whole.len() - 1];
    v.bad("ballot", "cut", Value::Null, cut, "truncated", "ballot.extensions");

    let fields = |voters: u32, counts: &[u32]| json!({ "time_ms": number(1_900_000_000_000), "voters": voters, "counts": counts });
    v.good("poll_result", "fifty answers", Value::Null, fields(50, &[30, 20]));
    v.good("poll_result", "fewer than twenty", Value::Null, fields(0, &[0, 0]));
    for (name, told) in [
        ("a figure that isn't rounded", fields(51, &[30, 20])),
        ("a figure below twenty", fields(20, &[10, 0])),
    ] {
        let told = write_poll_result(&Value::Null, &told);
        v.bad("poll_result", name, Value::Null, &told, "invalid", "poll_result");
    }
}

/// Who asks for figures.
const ASKER: TransportKey = TransportKey([5; 32]);

fn read_inquiry(_: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    let inquiry = Inquiry::decode(bytes)?;
    inquiry
        .verify(&inquiry.relay, &ASKER, LISTED_S)
        .map_err(|error| match error {
            InquiryError::Decode(error) => error.into(),
            InquiryError::Signature(error) => error.into(),
            InquiryError::NotAllowed => Fault::new("not_allowed"),
            InquiryError::Expired => Fault::new("expired"),
            InquiryError::Others => Fault::new("another"),
        })?;
    let chain: Vec<Value> = inquiry.chain.iter().map(|known| hexed(known.encode())).collect();
    Ok(json!({
        "channel": hexed(inquiry.channel.0),
        "relay": hexed(inquiry.relay.0),
        "asker": hexed(inquiry.asker.0),
        "until_s": number(inquiry.until_s),
        "certificates": chain,
    }))
}

fn write_inquiry(keys: &Value, fields: &Value) -> Vec<u8> {
    let [relay, asker] = ["relay", "asker"].map(|name| TransportKey(array(fields, name)));
    Inquiry::sign(&signatory(keys, fields), relay, asker, uint64(fields, "until_s")).encode()
}

fn inquiries(v: &mut Vectors) {
    let by = |secret: [u8; 32]| json!({ "writer_secret": hexed(secret) });
    let root = WriterSecret::from_bytes(ROOT);
    let certified = |scopes: Scopes| {
        let mut held = grant(EDITOR, scopes);
        held["until_s"] = json!(number(LISTED_S + 10));
        hexed(certificate(&root, &held).encode())
    };
    let fields = |asker: TransportKey, until_s: u64, chain: &[Value]| {
        json!({
            "channel": hexed(channel().0),
            "relay": hexed([4; 32]),
            "asker": hexed(asker.0),
            "until_s": number(until_s),
            "certificates": chain,
        })
    };
    let until_s = LISTED_S + limits::FIGURES_SECONDS;
    let good = fields(ASKER, until_s, &[]);
    let whole = v.good("inquiry", "by the channel's key", by(ROOT), good.clone());
    let told = fields(ASKER, until_s, &[certified(Scopes::STATS)]);
    v.good("inquiry", "by who may be told", by(EDITOR), told);
    let mut bad = |name, bytes: &[u8], error, at| v.bad("inquiry", name, Value::Null, bytes, error, at);
    let writer = fields(ASKER, until_s, &[certified(Scopes::PUBLISH)]);
    bad(
        "by who only writes",
        &write_inquiry(&by(EDITOR), &writer),
        "not_allowed",
        "",
    );
    bad("by a stranger", &write_inquiry(&by(EDITOR), &good), "signature", "");
    let others = fields(TransportKey([6; 32]), until_s, &[]);
    bad(
        "for another to ask with",
        &write_inquiry(&by(ROOT), &others),
        "another",
        "",
    );
    for (name, at_s) in [
        ("one that is over", LISTED_S - 1),
        (
            "one that is to hold for too long",
            LISTED_S + 2 * limits::FIGURES_SECONDS + 1,
        ),
    ] {
        let over = write_inquiry(&by(ROOT), &fields(ASKER, at_s, &[]));
        bad(name, &over, "expired", "");
    }
    bad("cut", &whole[..whole.len() - 1], "truncated", "inquiry.signature");
}
