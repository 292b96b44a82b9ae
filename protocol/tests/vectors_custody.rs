//! Reads every vector of `spec/vectors/custody.json`: fields and bytes must give each other, bad bytes their error.
//!
//! A part, kind or field that isn't known here fails, so that no vector goes unread. After a change of the format,
//! `MADANG_WRITE_VECTORS=1 cargo test -p madang-protocol --test vectors_custody` writes the file anew; without it, drift fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use madang_protocol::address::PeerAddress;
use madang_protocol::blob::{self, BlobKey, Chunk};
use madang_protocol::chat::Mark;
use madang_protocol::custody::{
    Accepted, AdmissionToken, AskFigures, BlobChunks, BlobPermit, BlobReceipt, BlobRefused, BlobState, ChunkRange,
    ClientFrame, Compare, Compared, Cursor, CustodianFrame, Deposit, Enlist, Enlisted, Figures, Found, GetBlob, Handed,
    History, HistoryPage, Item, Items, Meet, Met, PutBlob, Reason, Receipt, Refusal, Refused, Report, Reported,
    RunningHash, Search, Watch,
};
use madang_protocol::envelope::Envelope;
use madang_protocol::keys::{EnvelopeId, TopicId, TopicSecret, TransportKey, TransportSecret};
use madang_protocol::wire::Wire;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/spec/vectors/custody.json");
const CLIENT_KINDS: [&str; 14] = [
    "deposit",
    "watch",
    "unwatch",
    "ack",
    "hello",
    "put_blob",
    "get_blob",
    "compare",
    "history",
    "meet",
    "enlist",
    "search",
    "ask_figures",
    "report",
];
const CUSTODIAN_KINDS: [&str; 15] = [
    "receipt",
    "items",
    "watch_refused",
    "admission",
    "blob_state",
    "blob_receipt",
    "blob_refused",
    "blob_chunks",
    "compared",
    "history_page",
    "met",
    "enlisted",
    "found",
    "figures",
    "reported",
];
const CUSTODIAN_SEED: [u8; 32] = [9; 32];

#[test]
fn every_vector_of_the_file_is_read_and_holds() {
    let file: Value = serde_json::from_str(&std::fs::read_to_string(FILE).unwrap()).unwrap();
    let custodian: TransportKey = text(&file["custodian"]).parse().unwrap();
    for (part, content) in object(&file) {
        match part.as_str() {
            "custodian" => {}
            "frames" => check_frames(array(content), &custodian),
            "unknown" => check_unknown(array(content)),
            "invalid" => check_invalid(array(content)),
            "running_hash" => check_running_hash(array(content)),
            other => panic!("nothing reads the part {other}"),
        }
    }
    for part in ["frames", "unknown", "invalid", "running_hash"] {
        assert!(!array(&file[part]).is_empty(), "{part} has no vectors");
    }
}

fn check_frames(vectors: &[Value], custodian: &TransportKey) {
    let mut seen = BTreeSet::new();
    for vector in vectors {
        let [kind, fields, bytes] = parts(vector, ["kind", "fields", "hex"]);
        let (kind, bytes) = (text(kind), unhex(bytes));
        if CLIENT_KINDS.contains(&kind) {
            let frame = client_frame(kind, fields);
            assert_eq!(hex::encode(frame.encode()), hex::encode(&bytes), "{kind} {fields}");
            assert_eq!(ClientFrame::decode(&bytes).unwrap(), frame, "{kind} {fields}");
        } else if CUSTODIAN_KINDS.contains(&kind) {
            let frame = custodian_frame(kind, fields);
            assert_eq!(hex::encode(frame.encode()), hex::encode(&bytes), "{kind} {fields}");
            assert_eq!(CustodianFrame::decode(&bytes).unwrap(), frame, "{kind} {fields}");
            if let CustodianFrame::Receipt(receipt) = frame {
                receipt.verify(custodian).unwrap();
            } else if let CustodianFrame::BlobReceipt(receipt) = frame {
                receipt.verify(custodian).unwrap();
            }
        } else {
            panic!("nothing reads vectors of the kind {kind}");
        }
        seen.insert(kind.to_owned());
    }
    for kind in CLIENT_KINDS.iter().chain(&CUSTODIAN_KINDS) {
        assert!(seen.contains(*kind), "there is no vector of the kind {kind}");
    }
}

fn check_unknown(vectors: &[Value]) {
    for vector in vectors {
        let [tag, bytes] = parts(vector, ["tag", "hex"]);
        let (tag, bytes) = (u8::try_from(number(tag)).unwrap(), unhex(bytes));
        assert_eq!(ClientFrame::decode(&bytes), Ok(ClientFrame::Unknown { tag }));
        assert_eq!(CustodianFrame::decode(&bytes), Ok(CustodianFrame::Unknown { tag }));
    }
}

fn check_invalid(vectors: &[Value]) {
    for vector in vectors {
        let [from, case, error, bytes] = parts(vector, ["from", "case", "error", "hex"]);
        let bytes = unhex(bytes);
        let found = match text(from) {
            "client" => ClientFrame::decode(&bytes).unwrap_err(),
            "custodian" => CustodianFrame::decode(&bytes).unwrap_err(),
            other => panic!("nothing reads frames from a {other}"),
        };
        assert_eq!(found.to_string(), text(error), "{case}");
    }
}

fn check_running_hash(vectors: &[Value]) {
    let mut hash = RunningHash::default();
    for vector in vectors {
        let [id, after] = parts(vector, ["envelope", "after"]);
        hash = hash.then(&text(id).parse().unwrap());
        assert_eq!(hex::encode(hash.0), text(after));
    }
}

fn client_frame(kind: &str, fields: &Value) -> ClientFrame {
    match kind {
        "deposit" => {
            let [request, envelopes] = parts(fields, ["request", "envelopes"]);
            ClientFrame::Deposit(Deposit {
                request: number(request),
                envelopes: array(envelopes).iter().map(unhex).collect(),
            })
        }
        "watch" => {
            let [request, topics] = parts(fields, ["request", "topics"]);
            let topic = |entry: &Value| {
                let [topic, at] = parts(entry, ["topic", "cursor"]);
                (topic_id(topic), (!at.is_null()).then(|| cursor(at)))
            };
            ClientFrame::Watch(Watch {
                request: number(request),
                topics: array(topics).iter().map(topic).collect(),
            })
        }
        "meet" => {
            let [request, topic, addrs] = parts(fields, ["request", "topic", "addrs"]);
            ClientFrame::Meet(Meet {
                request: number(request),
                topic: topic_id(topic),
                addrs: array(addrs).iter().map(|addr| text(addr).to_owned()).collect(),
            })
        }
        "enlist" => {
            let [request, listing] = parts(fields, ["request", "listing"]);
            ClientFrame::Enlist(Enlist {
                request: number(request),
                listing: unhex(listing),
            })
        }
        "search" => {
            let [request, query, category, after] = parts(fields, ["request", "query", "category", "after"]);
            ClientFrame::Search(Search {
                request: number(request),
                query: text(query).to_owned(),
                category: text(category).to_owned(),
                after: unhex(after),
            })
        }
        "report" => {
            let [request, reason, told, envelopes] = parts(fields, ["request", "reason", "text", "envelopes"]);
            ClientFrame::Report(Report {
                request: number(request),
                reason: Reason::from_code(number(reason).try_into().unwrap()),
                text: text(told).to_owned(),
                envelopes: array(envelopes).iter().map(unhex).collect(),
            })
        }
        "ask_figures" => {
            let [request, inquiry, post] = parts(fields, ["request", "inquiry", "post"]);
            ClientFrame::AskFigures(AskFigures {
                request: number(request),
                inquiry: unhex(inquiry),
                post: (!post.is_null()).then(|| EnvelopeId(unhex(post).try_into().unwrap())),
            })
        }
        "history" => {
            let [request, topic, before, count] = parts(fields, ["request", "topic", "before", "count"]);
            ClientFrame::History(History {
                request: number(request),
                topic: topic_id(topic),
                before: number(before),
                count: small(count) as u16,
            })
        }
        "unwatch" => {
            let [topics] = parts(fields, ["topics"]);
            ClientFrame::Unwatch(array(topics).iter().map(topic_id).collect())
        }
        "ack" => {
            let [bytes] = parts(fields, ["bytes"]);
            ClientFrame::Ack { bytes: number(bytes) }
        }
        "hello" => {
            let [token] = parts(fields, ["token"]);
            ClientFrame::Hello(AdmissionToken::new(text(token).as_bytes()).unwrap())
        }
        "put_blob" => {
            let [request, permit, some] = parts(fields, ["request", "permit", "chunks"]);
            let [topic, blob, length, ttl_s, signature] =
                parts(permit, ["topic", "blob", "length", "ttl_s", "signature"]);
            let permit = BlobPermit {
                topic: topic_id(topic),
                blob: text(blob).parse().unwrap(),
                length: number(length),
                ttl_s: small(ttl_s),
                signature: unhex(signature).try_into().unwrap(),
            };
            permit.verify().unwrap();
            ClientFrame::PutBlob(PutBlob {
                request: number(request),
                permit,
                chunks: chunks(some),
            })
        }
        "get_blob" => {
            let [request, topic, blob, some] = parts(fields, ["request", "topic", "blob", "chunks"]);
            ClientFrame::GetBlob(GetBlob {
                request: number(request),
                topic: topic_id(topic),
                blob: text(blob).parse().unwrap(),
                chunks: ranges(some),
            })
        }
        "compare" => {
            let [topic, device] = parts(fields, ["topic", "device"]);
            ClientFrame::Compare(Compare {
                topic: topic_id(topic),
                device: text(device).parse().unwrap(),
            })
        }
        other => panic!("nothing reads {other}"),
    }
}

fn custodian_frame(kind: &str, fields: &Value) -> CustodianFrame {
    match kind {
        "receipt" => {
            let [request, accepted, refused, signature] =
                parts(fields, ["request", "accepted", "refused", "signature"]);
            let taken = |entry: &Value| {
                let [id, until_s] = parts(entry, ["id", "until_s"]);
                Accepted {
                    id: text(id).parse().unwrap(),
                    until_s: number(until_s),
                }
            };
            let not = |entry: &Value| {
                let [id, why, retry] = parts(entry, ["id", "why", "retry_after_s"]);
                Refused {
                    id: text(id).parse().unwrap(),
                    why: refusal(why),
                    retry_after_s: small(retry),
                }
            };
            CustodianFrame::Receipt(Receipt {
                request: number(request),
                accepted: array(accepted).iter().map(taken).collect(),
                refused: array(refused).iter().map(not).collect(),
                signature: unhex(signature).try_into().unwrap(),
            })
        }
        "items" => {
            let [topic, at, void, caught_up, items] = parts(fields, ["topic", "cursor", "void", "caught_up", "items"]);
            let item = |entry: &Value| {
                let [position, envelope] = parts(entry, ["position", "envelope"]);
                Item {
                    position: number(position),
                    envelope: unhex(envelope),
                }
            };
            CustodianFrame::Items(Items {
                topic: topic_id(topic),
                cursor: cursor(at),
                void: void.as_bool().unwrap(),
                caught_up: caught_up.as_bool().unwrap(),
                items: array(items).iter().map(item).collect(),
            })
        }
        "met" => {
            let [request, topic, peers] = parts(fields, ["request", "topic", "peers"]);
            let peer = |entry: &Value| {
                let [key, addrs] = parts(entry, ["key", "addrs"]);
                PeerAddress {
                    key: text(key).parse().unwrap(),
                    addrs: array(addrs).iter().map(|addr| text(addr).to_owned()).collect(),
                }
            };
            CustodianFrame::Met(Met {
                request: number(request),
                topic: topic_id(topic),
                peers: array(peers).iter().map(peer).collect(),
            })
        }
        "enlisted" => {
            let [request, until_s] = parts(fields, ["request", "until_s"]);
            CustodianFrame::Enlisted(Enlisted {
                request: number(request),
                until_s: number(until_s),
            })
        }
        "found" => {
            let [request, listings, next] = parts(fields, ["request", "listings", "next"]);
            CustodianFrame::Found(Found {
                request: number(request),
                listings: array(listings).iter().map(unhex).collect(),
                next: unhex(next),
            })
        }
        "reported" => {
            let [request] = parts(fields, ["request"]);
            CustodianFrame::Reported(Reported {
                request: number(request),
            })
        }
        "figures" => {
            let [request, time_s, watchers, handed] = parts(fields, ["request", "time_s", "watchers", "handed"]);
            let of_post = |handed: &Value| {
                let [time_s, since_s, peers] = parts(handed, ["time_s", "since_s", "peers"]);
                Handed {
                    time_s: number(time_s),
                    since_s: number(since_s),
                    peers: small(peers),
                }
            };
            CustodianFrame::Figures(Figures {
                request: number(request),
                time_s: number(time_s),
                watchers: small(watchers),
                handed: (!handed.is_null()).then(|| of_post(handed)),
            })
        }
        "history_page" => {
            let [request, topic, at, oldest, items] = parts(fields, ["request", "topic", "cursor", "oldest", "items"]);
            let item = |entry: &Value| {
                let [position, envelope] = parts(entry, ["position", "envelope"]);
                Item {
                    position: number(position),
                    envelope: unhex(envelope),
                }
            };
            CustodianFrame::History(HistoryPage {
                request: number(request),
                topic: topic_id(topic),
                cursor: cursor(at),
                oldest: oldest.as_bool().unwrap(),
                items: array(items).iter().map(item).collect(),
            })
        }
        "watch_refused" => {
            let [request, why, retry] = parts(fields, ["request", "why", "retry_after_s"]);
            CustodianFrame::WatchRefused {
                request: number(request),
                why: refusal(why),
                retry_after_s: small(retry),
            }
        }
        "admission" => {
            let [why, retry] = parts(fields, ["why", "retry_after_s"]);
            CustodianFrame::Admission {
                why: (!why.is_null()).then(|| refusal(why)),
                retry_after_s: small(retry),
            }
        }
        "blob_state" => {
            let [request, missing] = parts(fields, ["request", "missing"]);
            CustodianFrame::BlobState(BlobState {
                request: number(request),
                missing: ranges(missing),
            })
        }
        "blob_receipt" => {
            let [request, topic, blob, until_s, signature] =
                parts(fields, ["request", "topic", "blob", "until_s", "signature"]);
            CustodianFrame::BlobReceipt(BlobReceipt {
                request: number(request),
                topic: topic_id(topic),
                blob: text(blob).parse().unwrap(),
                until_s: number(until_s),
                signature: unhex(signature).try_into().unwrap(),
            })
        }
        "blob_refused" => {
            let [request, why, retry] = parts(fields, ["request", "why", "retry_after_s"]);
            CustodianFrame::BlobRefused(BlobRefused {
                request: number(request),
                why: refusal(why),
                retry_after_s: small(retry),
            })
        }
        "blob_chunks" => {
            let [request, some] = parts(fields, ["request", "chunks"]);
            CustodianFrame::BlobChunks(BlobChunks {
                request: number(request),
                chunks: chunks(some),
            })
        }
        "compared" => {
            let [topic, mark] = parts(fields, ["topic", "mark"]);
            CustodianFrame::Compared(Compared {
                topic: topic_id(topic),
                mark: (!mark.is_null()).then(|| Mark(unhex(mark).try_into().unwrap())),
            })
        }
        other => panic!("nothing reads {other}"),
    }
}

fn chunks(value: &Value) -> Vec<Chunk> {
    let chunk = |entry: &Value| {
        let [index, proof, bytes] = parts(entry, ["index", "proof", "bytes"]);
        Chunk {
            index: small(index),
            proof: array(proof)
                .iter()
                .map(|hash| unhex(hash).try_into().unwrap())
                .collect(),
            bytes: unhex(bytes),
        }
    };
    array(value).iter().map(chunk).collect()
}

fn ranges(value: &Value) -> Vec<ChunkRange> {
    let range = |entry: &Value| {
        let [first, count] = parts(entry, ["first", "count"]);
        ChunkRange {
            first: small(first),
            count: small(count),
        }
    };
    array(value).iter().map(range).collect()
}

fn cursor(value: &Value) -> Cursor {
    let [epoch, position, hash] = parts(value, ["epoch", "position", "hash"]);
    Cursor {
        epoch: number(epoch),
        position: number(position),
        hash: RunningHash(unhex(hash).try_into().unwrap()),
    }
}

const REFUSALS: [Refusal; 11] = [
    Refusal::Invalid,
    Refusal::TopicQuota,
    Refusal::DepositorQuota,
    Refusal::Full,
    Refusal::Busy,
    Refusal::NotHere,
    Refusal::ReadOnly,
    Refusal::NotAdmitted,
    Refusal::NotFound,
    Refusal::TooLarge,
    Refusal::NotAllowed,
];

/// A name, or the code where this version has none.
fn refusal(value: &Value) -> Refusal {
    if let Some(code) = value.as_u64() {
        return Refusal::Other(code.try_into().unwrap());
    }
    let known = REFUSALS.into_iter().find(|refusal| refusal.name() == text(value));
    known.unwrap_or_else(|| panic!("no refusal is called {value}"))
}

/// The fields of an object, which must be exactly these.
fn parts<'a, const N: usize>(value: &'a Value, names: [&str; N]) -> [&'a Value; N] {
    let found = object(value);
    for name in found.keys() {
        assert!(
            names.contains(&name.as_str()),
            "nothing reads the field {name} of {value}"
        );
    }
    names.map(|name| found.get(name).unwrap_or_else(|| panic!("{value} has no {name}")))
}

fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap_or_else(|| panic!("{value} is no object"))
}

fn array(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("{value} is no list"))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

/// 64-bit numbers are decimal text, since JSON readers may round them.
fn number(value: &Value) -> u64 {
    value
        .as_u64()
        .or_else(|| value.as_str()?.parse().ok())
        .unwrap_or_else(|| panic!("{value} is no number"))
}

fn small(value: &Value) -> u32 {
    number(value).try_into().unwrap()
}

fn unhex(value: &Value) -> Vec<u8> {
    hex::decode(text(value)).unwrap()
}

fn topic_id(value: &Value) -> TopicId {
    text(value).parse().unwrap()
}

// What follows generates the file.

#[test]
fn the_file_is_what_is_generated() {
    let key = TransportSecret::from_bytes(CUSTODIAN_SEED);
    let topic = TopicSecret::from_bytes([1; 32]);
    let other = TopicSecret::from_bytes([2; 32]);
    let short = Envelope::sign(&topic, 3600, b"").unwrap();
    let long = Envelope::sign(&topic, 2_592_000, &[0x5a; 100]).unwrap();
    let hash = RunningHash::default().then(&short.id()).then(&long.id());
    let at = Cursor {
        epoch: 0x0123_4567_89ab_cdef,
        position: 2,
        hash,
    };

    let frames = json!([
        deposit(u64::MAX, &[&short, &long]),
        deposit(0, &[]),
        watch(7, &[(topic.public(), None), (other.public(), Some(at))]),
        frame(
            "unwatch",
            json!({"topics": [hex_of(&topic.public().0), hex_of(&other.public().0)]})
        ),
        frame("ack", json!({"bytes": "1048576"})),
        frame(
            "hello",
            json!({"token": "madang-relay-token-000102030405060708090a0b0c0d0e0f"})
        ),
        receipt(&key, 7, &[(&short, 1_700_003_600), (&long, 1_702_592_000)], &[]),
        receipt(&key, 8, &[], &REFUSALS.map(|refusal| (json!(refusal.name()), 60))),
        receipt(&key, 9, &[(&short, u64::MAX)], &[(json!(200), u32::MAX)]),
        items(&topic.public(), &at, false, true, &[(1, &short), (2, &long)]),
        items(&topic.public(), &at, true, false, &[(1, &short)]),
        items(
            &other.public(),
            &Cursor {
                position: 0,
                hash: RunningHash::default(),
                ..at
            },
            true,
            true,
            &[]
        ),
        items(&topic.public(), &at, false, false, &[]),
        frame(
            "watch_refused",
            json!({"request": "7", "why": "busy", "retry_after_s": 60})
        ),
        frame("admission", json!({"why": null, "retry_after_s": 0})),
        frame(
            "compare",
            json!({"topic": hex_of(&topic.public().0), "device": hex_of(&[3; 32])})
        ),
        frame(
            "history",
            json!({"request": "8", "topic": hex_of(&topic.public().0), "before": "0", "count": 50})
        ),
        frame(
            "history_page",
            json!({
                "request": "8",
                "topic": hex_of(&topic.public().0),
                "cursor": cursor_json(&at),
                "oldest": true,
                "items": [],
            })
        ),
        frame(
            "history_page",
            json!({
                "request": "9",
                "topic": hex_of(&topic.public().0),
                "cursor": cursor_json(&at),
                "oldest": false,
                "items": [{"position": "1", "envelope": "0102"}],
            })
        ),
        frame(
            "meet",
            json!({
                "request": "10",
                "topic": hex_of(&topic.public().0),
                "addrs": ["/ip4/203.0.113.1/udp/4001/quic-v1"],
            })
        ),
        frame(
            "meet",
            json!({"request": "11", "topic": hex_of(&topic.public().0), "addrs": []})
        ),
        frame(
            "met",
            json!({
                "request": "10",
                "topic": hex_of(&topic.public().0),
                "peers": [{"key": hex_of(&key.public().0), "addrs": ["/ip4/203.0.113.2/tcp/4001"]}],
            })
        ),
        frame(
            "met",
            json!({"request": "11", "topic": hex_of(&topic.public().0), "peers": []})
        ),
        frame("enlist", json!({"request": "12", "listing": "0001"})),
        frame(
            "search",
            json!({"request": "13", "query": "마당 서점", "category": "news", "after": "0a0b"})
        ),
        frame(
            "search",
            json!({"request": "14", "query": "", "category": "", "after": ""})
        ),
        frame("enlisted", json!({"request": "12", "until_s": "2000000000"})),
        frame(
            "found",
            json!({"request": "13", "listings": ["0001", "0002"], "next": "0c"})
        ),
        frame("found", json!({"request": "14", "listings": [], "next": ""})),
        frame(
            "report",
            json!({"request": "17", "reason": 2, "text": "카드 번호를 물어요", "envelopes": ["0102", "03"]})
        ),
        frame(
            "report",
            json!({"request": "18", "reason": 200, "text": "", "envelopes": ["0102"]})
        ),
        frame("reported", json!({"request": "17"})),
        frame("ask_figures", json!({"request": "15", "inquiry": "0001", "post": null})),
        frame(
            "ask_figures",
            json!({"request": "16", "inquiry": "0001", "post": hex_of(&[6; 32])})
        ),
        frame(
            "figures",
            json!({"request": "15", "time_s": "2000000000", "watchers": 0, "handed": null})
        ),
        frame(
            "figures",
            json!({
                "request": "16",
                "time_s": "2000000000",
                "watchers": 1230,
                "handed": {"time_s": "2000000000", "since_s": "1900000000", "peers": 20},
            })
        ),
        frame("compared", json!({"topic": hex_of(&topic.public().0), "mark": null})),
        frame(
            "compared",
            json!({"topic": hex_of(&topic.public().0), "mark": hex_of(&[4; 40])})
        ),
        frame("admission", json!({"why": "not_admitted", "retry_after_s": 60})),
    ]);
    let frames = Value::Array([array(&frames), &blob_frames(&key, &topic)].concat());
    let file = json!({
        "custodian": hex_of(&key.public().0),
        "invalid": invalid(array(&frames)),
        "frames": frames,
        "unknown": [{"tag": 99, "hex": "63"}, {"tag": 0, "hex": "00010203"}, {"tag": 255, "hex": "ffff"}],
        "running_hash": running_hash(&[short.id(), long.id(), short.id()]),
    });
    let generated = serde_json::to_string_pretty(&file).unwrap() + "\n";
    if std::env::var_os("MADANG_WRITE_VECTORS").is_some() {
        std::fs::write(FILE, &generated).unwrap();
    }
    assert_eq!(std::fs::read_to_string(FILE).unwrap(), generated);
}

/// A blob of one short chunk, and ranges of a longer one.
fn blob_frames(key: &TransportSecret, topic: &TopicSecret) -> Vec<Value> {
    let (blob, chunks) = blob::seal_with(BlobKey::from_bytes([3; 32]), b"a small blob").unwrap();
    let permit = BlobPermit::sign(topic, blob.id, blob.shape().unwrap(), 2_592_000);
    let permit = json!({
        "topic": hex_of(&permit.topic.0),
        "blob": hex_of(&permit.blob.0),
        "length": permit.length.to_string(),
        "ttl_s": permit.ttl_s,
        "signature": hex_of(&permit.signature),
    });
    let chunk = json!({"index": 0, "proof": [], "bytes": hex_of(&chunks[0].bytes)});
    let deep = json!({"index": 5, "proof": [hex_of(&[1; 32]), hex_of(&[2; 32])], "bytes": "00"});
    let ranges = json!([{"first": 0, "count": 3}, {"first": 7, "count": 1}]);
    let receipt = BlobReceipt::sign(key, 7, topic.public(), blob.id, 1_702_592_000);
    vec![
        frame("put_blob", json!({"request": "7", "permit": permit, "chunks": [chunk]})),
        frame("put_blob", json!({"request": "8", "permit": permit, "chunks": []})),
        frame(
            "get_blob",
            json!({"request": "9", "topic": permit["topic"], "blob": permit["blob"], "chunks": ranges}),
        ),
        frame("blob_state", json!({"request": "8", "missing": ranges})),
        frame(
            "blob_receipt",
            json!({
                "request": "7",
                "topic": permit["topic"],
                "blob": permit["blob"],
                "until_s": receipt.until_s.to_string(),
                "signature": hex_of(&receipt.signature),
            }),
        ),
        frame(
            "blob_refused",
            json!({"request": "9", "why": "not_found", "retry_after_s": 60}),
        ),
        frame("blob_chunks", json!({"request": "9", "chunks": [chunk, deep]})),
    ]
}

fn hex_of(bytes: &[u8]) -> String {
    hex::encode(bytes)
}

fn frame(kind: &str, fields: Value) -> Value {
    let bytes = if CLIENT_KINDS.contains(&kind) {
        client_frame(kind, &fields).encode()
    } else {
        custodian_frame(kind, &fields).encode()
    };
    json!({"kind": kind, "fields": fields, "hex": hex_of(&bytes)})
}

fn deposit(request: u64, envelopes: &[&Envelope]) -> Value {
    let envelopes: Vec<_> = envelopes.iter().map(|envelope| hex_of(envelope.bytes())).collect();
    frame(
        "deposit",
        json!({"request": request.to_string(), "envelopes": envelopes}),
    )
}

fn watch(request: u64, topics: &[(TopicId, Option<Cursor>)]) -> Value {
    let entry = |(topic, at): &(TopicId, Option<Cursor>)| json!({"topic": hex_of(&topic.0), "cursor": at.as_ref().map(cursor_json)});
    let topics: Vec<_> = topics.iter().map(entry).collect();
    frame("watch", json!({"request": request.to_string(), "topics": topics}))
}

fn cursor_json(cursor: &Cursor) -> Value {
    json!({"epoch": cursor.epoch.to_string(), "position": cursor.position.to_string(), "hash": hex_of(&cursor.hash.0)})
}

fn receipt(key: &TransportSecret, request: u64, accepted: &[(&Envelope, u64)], refused: &[(Value, u32)]) -> Value {
    let taken: Vec<_> = accepted
        .iter()
        .map(|(envelope, until_s)| Accepted {
            id: envelope.id(),
            until_s: *until_s,
        })
        .collect();
    let signature = Receipt::sign(key, request, taken.clone(), vec![]).signature;
    let taken: Vec<_> = taken
        .iter()
        .map(|one| json!({"id": hex_of(&one.id.0), "until_s": one.until_s.to_string()}))
        .collect();
    let id = EnvelopeId(*blake3::hash(b"refused").as_bytes());
    let not: Vec<_> = refused
        .iter()
        .map(|(why, retry)| json!({"id": hex_of(&id.0), "why": why, "retry_after_s": retry}))
        .collect();
    let fields =
        json!({"request": request.to_string(), "accepted": taken, "refused": not, "signature": hex_of(&signature)});
    frame("receipt", fields)
}

fn items(topic: &TopicId, at: &Cursor, void: bool, caught_up: bool, items: &[(u64, &Envelope)]) -> Value {
    let entry = |(position, envelope): &(u64, &Envelope)| json!({"position": position.to_string(), "envelope": hex_of(envelope.bytes())});
    let items: Vec<_> = items.iter().map(entry).collect();
    let fields = json!({"topic": hex_of(&topic.0), "cursor": cursor_json(at), "void": void, "caught_up": caught_up, "items": items});
    frame("items", fields)
}

fn running_hash(ids: &[EnvelopeId]) -> Value {
    let mut hash = RunningHash::default();
    let step = |id: &EnvelopeId| {
        hash = hash.then(id);
        json!({"envelope": hex_of(&id.0), "after": hex_of(&hash.0)})
    };
    Value::Array(ids.iter().map(step).collect())
}

/// Each frame cut in the middle, cut by its last byte and with a byte more, and forms that no encoder writes.
fn invalid(frames: &[Value]) -> Value {
    let mut found = Vec::new();
    let mut push = |kind: &str, case: &str, bytes: &[u8]| {
        let (from, error) = if CLIENT_KINDS.contains(&kind) {
            ("client", ClientFrame::decode(bytes).unwrap_err())
        } else {
            ("custodian", CustodianFrame::decode(bytes).unwrap_err())
        };
        found.push(
            json!({"from": from, "case": format!("{kind}: {case}"), "error": error.to_string(), "hex": hex_of(bytes)}),
        );
    };
    let mut seen = BTreeSet::new();
    for vector in frames {
        let kind = text(&vector["kind"]);
        if !seen.insert(kind) {
            continue;
        }
        let bytes = unhex(&vector["hex"]);
        push(kind, "only its tag", &bytes[..1]);
        push(kind, "cut in the middle", &bytes[..bytes.len() / 2]);
        push(kind, "its last byte is missing", &bytes[..bytes.len() - 1]);
        push(kind, "a byte follows", &[bytes.as_slice(), &[0]].concat());
    }
    push("deposit", "no tag at all", &[]);
    let request = [0; 8];
    let deposit = |tail: &[u8]| [&[1], request.as_slice(), tail].concat();
    push(
        "deposit",
        "257 envelopes",
        &deposit(&[[0x41, 0x01].as_slice(), &[0; 257]].concat()),
    );
    push(
        "deposit",
        "an envelope of 65,537 bytes is announced",
        &deposit(&[4, 0x80, 1, 0, 1]),
    );
    push("deposit", "a length of 1 in two bytes", &deposit(&[0x40, 1, 0]));
    push(
        "deposit",
        "a length of 64 in four bytes",
        &deposit(&[&[0x80, 0, 0, 64], [0; 64].as_slice()].concat()),
    );
    push("deposit", "the reserved form of a length", &deposit(&[0xc0]));
    push(
        "deposit",
        "a list of 2^30 - 1 bytes is announced",
        &deposit(&[0xbf, 0xff, 0xff, 0xff]),
    );
    push("deposit", "an envelope reaches beyond its list", &deposit(&[1, 1, 0]));
    push(
        "hello",
        "a token of 129 bytes",
        &[[5, 0x40, 129].as_slice(), &[0x61; 129]].concat(),
    );
    let watched = [[33].as_slice(), &[0xaa; 32], &[2]].concat();
    push(
        "watch",
        "a cursor that is neither absent nor present",
        &[&[2], request.as_slice(), &watched].concat(),
    );
    Value::Array(found)
}
