//! `message.json`: inner messages, their ids and hashes.

use crate::cards;
use crate::kit::{Fault, Format, Kind, Vectors, array, bytes, hexed, items, number, text, uint64};
use madang_protocol::address::PeerAddress;
use madang_protocol::blob::BlobRef;
use madang_protocol::channel::ChannelLink;
use madang_protocol::keys::{AccountId, ChannelId, DeviceId, MessageId, TopicId, TransportKey};
use madang_protocol::limits;
use madang_protocol::message::repair::{self, Baseline, OwnStream, Want, Wanted};
use madang_protocol::message::{
    Attachment, Body, CardAnswer, CardDeed, Durable, Edit, Files, Frontier, Image, Inner, Media, Mention, Picture, Pin,
    Poll, Reaction, Rich, Shared, StreamId, Voice, Vote, extensions,
};
use madang_protocol::seq_set::SeqSet;
use madang_protocol::share::SharedCard;
use madang_protocol::wire::{Reader, Wire, Writer};
use serde_json::{Value, json};

pub const FORMAT: Format = Format {
    file: "message",
    kinds: &[
        Kind {
            name: "message_id",
            text: false,
            read: read_id,
            write: write_id,
        },
        Kind {
            name: "ranges",
            text: false,
            read: read_ranges,
            write: write_ranges,
        },
        Kind {
            name: "wanted",
            text: false,
            read: read_wanted,
            write: write_wanted,
        },
        Kind {
            name: "own_stream",
            text: false,
            read: read_own_stream,
            write: write_own_stream,
        },
        Kind {
            name: "message",
            text: false,
            read,
            write,
        },
    ],
    fill,
};

/// Stream and sequence.
fn read_id(_: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    let mut r = Reader::new(bytes);
    let stream = StreamId::read(&mut r)?;
    let sequence = r.u64("sequence")?;
    r.finish()?;
    let mut fields = stream_value(&stream);
    fields["sequence"] = number(sequence);
    fields["id"] = hexed(stream.message(sequence).0);
    Ok(fields)
}

fn write_id(_: &Value, fields: &Value) -> Vec<u8> {
    let mut w = Writer::default();
    stream_of(fields).write(&mut w);
    w.u64(uint64(fields, "sequence"));
    w.into_bytes()
}

fn read_ranges(_: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    Ok(json!({ "ranges": ranges_value(&SeqSet::decode(bytes)?) }))
}

fn write_ranges(_: &Value, fields: &Value) -> Vec<u8> {
    ranges_of(fields, "ranges").encode()
}

fn read_wanted(_: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    Ok(json!({ "wanted": wanted_value(&Wanted::decode(bytes)?) }))
}

fn write_wanted(_: &Value, fields: &Value) -> Vec<u8> {
    let want = |value: &Value| Want {
        stream: stream_of(value),
        ranges: ranges_of(value, "ranges"),
    };
    Wanted(items(fields, "wanted").map(want).collect()).encode()
}

fn wanted_value(wanted: &Wanted) -> Value {
    let want = |want: &Want| {
        let mut value = stream_value(&want.stream);
        value["ranges"] = ranges_value(&want.ranges);
        value
    };
    wanted.0.iter().map(want).collect::<Vec<_>>().into()
}

fn read_own_stream(_: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    Ok(own_stream_value(&OwnStream::decode(bytes)?))
}

fn write_own_stream(_: &Value, fields: &Value) -> Vec<u8> {
    let baseline = |value: &Value| Baseline {
        device: bytes(value, "device").try_into().unwrap(),
        from: uint64(value, "from"),
    };
    OwnStream {
        last: uint64(fields, "last"),
        lost: ranges_of(fields, "lost"),
        baselines: items(fields, "baselines").map(baseline).collect(),
    }
    .encode()
}

fn own_stream_value(own: &OwnStream) -> Value {
    let baseline = |baseline: &Baseline| json!({ "device": hexed(baseline.device), "from": number(baseline.from) });
    json!({
        "last": number(own.last),
        "lost": ranges_value(&own.lost),
        "baselines": own.baselines.iter().map(baseline).collect::<Vec<_>>(),
    })
}

fn read(_: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    let inner = Inner::decode(bytes)?;
    let frontiers: Vec<Value> = inner
        .frontiers
        .iter()
        .map(|frontier| {
            let mut value = stream_value(&frontier.stream);
            value["delivered"] = ranges_value(&frontier.delivered);
            value["read_through"] = number(frontier.read_through);
            value
        })
        .collect();
    let mut fields = stream_value(&inner.stream);
    fields["frontiers"] = frontiers.into();
    let messages = inner.messages.iter().map(|message| numbered(&inner.stream, message));
    fields["messages"] = messages.collect::<Vec<_>>().into();
    fields["extensions"] = hexed(&inner.extensions);
    if let Some(wanted) = repair::wanted(&inner.extensions) {
        fields["wanted"] = wanted_value(&wanted);
    }
    if let Some(own) = repair::own_stream(&inner.extensions) {
        fields["own_stream"] = own_stream_value(&own);
    }
    if let Some(active) = extensions::typing_of(&inner.extensions) {
        fields["typing"] = active.into();
    }
    if let Some(state) = extensions::state_of(&inner.extensions) {
        fields["state"] = hexed(state);
    }
    Ok(fields)
}

fn numbered(stream: &StreamId, message: &Durable) -> Value {
    let body = match &message.body {
        Body::Text(text) => json!({ "text": text }),
        Body::Contact(bytes) => json!({ "contact": hexed(bytes) }),
        Body::Wish(bytes) => json!({ "wish": hexed(bytes) }),
        Body::Profile(bytes) => json!({ "profile": hexed(bytes) }),
        Body::Unknown { kind, body } => json!({ "unknown": { "kind": kind, "body": hexed(body) } }),
        Body::Rich(rich) => json!({ "rich": {
            "reply_to": rich.reply_to.map(|message| hexed(message.0)),
            "mentions": mentions_value(&rich.mentions),
        } }),
        Body::Poll(poll) => json!({ "poll": {
            "question": poll.question,
            "options": poll.options,
            "multiple": poll.multiple,
        } }),
        Body::Files(files) => json!({ "files": files.items.iter().map(file_value).collect::<Vec<_>>() }),
        Body::Edit(edit) => json!({ "edit": {
            "message": hexed(edit.message.0),
            "text": edit.text,
            "mentions": mentions_value(&edit.mentions),
        } }),
        Body::Delete { message } => json!({ "delete": { "message": hexed(message.0) } }),
        Body::Reaction(reaction) => json!({ "reaction": {
            "message": hexed(reaction.message.0),
            "emoji": reaction.emoji,
            "remove": reaction.remove,
        } }),
        Body::Pin(pin) => json!({ "pin": { "message": hexed(pin.message.0), "remove": pin.remove } }),
        Body::Share(shared) => json!({ "share": {
            "card": hexed(shared.card.encode()),
            "pictures": shared.pictures.iter().map(|picture| {
                json!({ "place": picture.place, "file": file_value(&picture.file) })
            }).collect::<Vec<_>>(),
        } }),
        Body::Channel(link) => json!({ "channel": link.to_link() }),
        Body::CardAnswer(answer) => match &answer.what {
            CardDeed::Opened => json!({ "card_answer": { "message": hexed(answer.message.0), "what": "opened" } }),
            CardDeed::Postback { button, data } => json!({ "card_answer": {
                "message": hexed(answer.message.0),
                "what": "postback",
                "button": button,
                "data": data,
            } }),
        },
        Body::Vote(vote) => json!({ "vote": { "message": hexed(vote.message.0), "choices": vote.choices } }),
    };
    json!({
        "sequence": number(message.sequence),
        "previous": hexed(message.previous),
        "parents": message.parents.iter().map(|parent| hexed(parent.0)).collect::<Vec<_>>(),
        "clock": number(message.clock),
        "sent_ms": number(message.sent_ms),
        "fallback": message.fallback,
        "body": body,
        "extensions": hexed(&message.extensions),
        "expires_after_s": extensions::expires_after_s(&message.extensions),
        "changes": message.body.target().map(|message| hexed(message.0)),
        "id": hexed(stream.message(message.sequence).0),
        "hash": hexed(message.hash(stream)),
        "shown": message.body.shown(),
    })
}

fn write(_: &Value, fields: &Value) -> Vec<u8> {
    let messages = items(fields, "messages").map(|value| {
        let (kind, body) = value["body"].as_object().unwrap().iter().next().unwrap();
        let body = match kind.as_str() {
            "text" => Body::Text(body.as_str().unwrap().to_owned()),
            "contact" => Body::Contact(bytes(&value["body"], "contact")),
            "wish" => Body::Wish(bytes(&value["body"], "wish")),
            "profile" => Body::Profile(bytes(&value["body"], "profile")),
            "unknown" => Body::Unknown {
                kind: body["kind"].as_u64().unwrap() as u16,
                body: bytes(body, "body"),
            },
            "rich" => Body::Rich(Rich {
                reply_to: (!body["reply_to"].is_null()).then(|| id_of(body, "reply_to")),
                mentions: mentions_of(body),
            }),
            "poll" => Body::Poll(Poll {
                question: text(body, "question"),
                options: items(body, "options")
                    .map(|option| option.as_str().unwrap().to_owned())
                    .collect(),
                multiple: body["multiple"].as_bool().unwrap(),
            }),
            "files" => Body::Files(Files {
                items: items(&value["body"], "files").map(file_of).collect(),
            }),
            "edit" => Body::Edit(Edit {
                message: id_of(body, "message"),
                text: text(body, "text"),
                mentions: mentions_of(body),
            }),
            "delete" => Body::Delete {
                message: id_of(body, "message"),
            },
            "reaction" => Body::Reaction(Reaction {
                message: id_of(body, "message"),
                emoji: text(body, "emoji"),
                remove: body["remove"].as_bool().unwrap(),
            }),
            "pin" => Body::Pin(Pin {
                message: id_of(body, "message"),
                remove: body["remove"].as_bool().unwrap(),
            }),
            "vote" => Body::Vote(Vote {
                message: id_of(body, "message"),
                choices: items(body, "choices")
                    .map(|choice| choice.as_u64().unwrap() as u8)
                    .collect(),
            }),
            "share" => Body::Share(Box::new(Shared {
                card: SharedCard::decode(&bytes(body, "card")).unwrap(),
                pictures: items(body, "pictures")
                    .map(|picture| Picture {
                        place: picture["place"].as_u64().unwrap() as u8,
                        file: file_of(&picture["file"]),
                    })
                    .collect(),
            })),
            "channel" => Body::Channel(Box::new(ChannelLink::from_link(body.as_str().unwrap()).unwrap())),
            "card_answer" => Body::CardAnswer(CardAnswer {
                message: id_of(body, "message"),
                what: match body["what"].as_str().unwrap() {
                    "opened" => CardDeed::Opened,
                    _ => CardDeed::Postback {
                        button: text(body, "button"),
                        data: text(body, "data"),
                    },
                },
            }),
            other => panic!("no body {other}"),
        };
        Durable {
            sequence: uint64(value, "sequence"),
            previous: array(value, "previous"),
            parents: items(value, "parents")
                .map(|parent| parent.as_str().unwrap().parse::<MessageId>().unwrap())
                .collect(),
            clock: uint64(value, "clock"),
            sent_ms: uint64(value, "sent_ms"),
            fallback: text(value, "fallback"),
            body,
            extensions: bytes(value, "extensions"),
        }
    });
    Inner {
        stream: stream_of(fields),
        messages: messages.collect(),
        frontiers: items(fields, "frontiers")
            .map(|value| Frontier {
                stream: stream_of(value),
                delivered: ranges_of(value, "delivered"),
                read_through: uint64(value, "read_through"),
            })
            .collect(),
        extensions: bytes(fields, "extensions"),
    }
    .encode()
}

fn id_of(value: &Value, member: &str) -> MessageId {
    MessageId(array(value, member))
}

fn file_value(file: &Attachment) -> Value {
    let media = match &file.media {
        Media::File => json!({ "kind": "file" }),
        Media::Image(image) => json!({
            "kind": "image",
            "width": image.width,
            "height": image.height,
            "thumbnail": hexed(&image.thumbnail),
            "preview": hexed(&image.preview),
        }),
        Media::Voice(voice) => json!({
            "kind": "voice",
            "duration_ms": voice.duration_ms,
            "waveform": hexed(&voice.waveform),
        }),
    };
    json!({
        "blob": hexed(file.blob.encode()),
        "topic": hexed(file.topic.0),
        "name": file.name,
        "media_type": file.media_type,
        "caption": file.caption,
        "media": media,
    })
}

fn file_of(value: &Value) -> Attachment {
    let media = &value["media"];
    let small = |member: &str| u32::try_from(media[member].as_u64().unwrap()).unwrap();
    Attachment {
        blob: BlobRef::decode(&bytes(value, "blob")).unwrap(),
        topic: TopicId(array(value, "topic")),
        name: text(value, "name"),
        media_type: text(value, "media_type"),
        caption: text(value, "caption"),
        media: match media["kind"].as_str().unwrap() {
            "file" => Media::File,
            "image" => Media::Image(Image {
                width: small("width"),
                height: small("height"),
                thumbnail: bytes(media, "thumbnail"),
                preview: bytes(media, "preview"),
            }),
            _ => Media::Voice(Voice {
                duration_ms: small("duration_ms"),
                waveform: bytes(media, "waveform"),
            }),
        },
    }
}

fn mentions_value(mentions: &[Mention]) -> Value {
    let mention = |mention: &Mention| json!({ "account": hexed(mention.account.0), "start": mention.start, "length": mention.length });
    mentions.iter().map(mention).collect::<Vec<_>>().into()
}

fn mentions_of(value: &Value) -> Vec<Mention> {
    let number = |value: &Value| u32::try_from(value.as_u64().unwrap()).unwrap();
    let mention = |value: &Value| Mention {
        account: AccountId(array(value, "account")),
        start: number(&value["start"]),
        length: number(&value["length"]),
    };
    items(value, "mentions").map(mention).collect()
}

fn stream_value(stream: &StreamId) -> Value {
    json!({ "device": hexed(stream.device.0), "incarnation": number(stream.incarnation) })
}

fn stream_of(value: &Value) -> StreamId {
    StreamId {
        device: DeviceId(array(value, "device")),
        incarnation: uint64(value, "incarnation"),
    }
}

fn ranges_value(set: &SeqSet) -> Value {
    set.ranges()
        .iter()
        .map(|(first, last)| json!([number(*first), number(*last)]))
        .collect::<Vec<_>>()
        .into()
}

fn ranges_of(value: &Value, member: &str) -> SeqSet {
    let mut set = SeqSet::default();
    for range in items(value, member) {
        let end = |at: usize| range[at].as_str().unwrap().parse().unwrap();
        set.insert_range(end(0), end(1));
    }
    set
}

fn durable(sequence: u64, previous: [u8; 32], parents: &[MessageId], body: Value) -> Value {
    json!({
        "sequence": number(sequence),
        "previous": hexed(previous),
        "parents": parents.iter().map(|parent| hexed(parent.0)).collect::<Vec<_>>(),
        "clock": number(sequence + 1),
        "sent_ms": number(1_700_000_000_000 + sequence),
        "fallback": "",
        "body": body,
        "extensions": "",
    })
}

fn fill(v: &mut Vectors) {
    let stream = StreamId {
        device: DeviceId([1; 32]),
        incarnation: 0x0102_0304_0506_0708,
    };
    let inner = |messages: &[Value], frontiers: Value| {
        let mut fields = stream_value(&stream);
        fields["messages"] = messages.into();
        fields["frontiers"] = frontiers;
        fields["extensions"] = "".into();
        for message in fields["messages"].as_array_mut().unwrap() {
            // What follows from the rest.
            let decoded = &Inner::decode(&write(&Value::Null, &alone(&stream, message))).unwrap();
            *message = numbered(&stream, &decoded.messages[0]);
        }
        fields
    };
    for sequence in [1, 2, u64::MAX - 2] {
        let mut fields = stream_value(&stream);
        fields["sequence"] = number(sequence);
        v.good("message_id", &format!("sequence {sequence}"), Value::Null, fields);
    }
    v.bad("message_id", "cut", Value::Null, &[1; 47], "truncated", "sequence");

    let text = |sequence, text: &str| durable(sequence, [0; 32], &[], json!({ "text": text }));
    let first = v.good(
        "message",
        "the first text of a stream",
        Value::Null,
        inner(&[text(1, "안녕, 마당")], json!([])),
    );
    let hash = Inner::decode(&first).unwrap().messages[0].hash(&stream);
    let frontier = json!([{
        "device": hexed([2; 32]),
        "incarnation": number(7),
        "delivered": [[number(1), number(40)], [number(42), number(42)]],
        "read_through": number(38),
    }]);
    let next = durable(2, hash, &[stream.message(1)], json!({ "text": "" }));
    let second = v.good(
        "message",
        "the second, which names the first, and a frontier",
        Value::Null,
        inner(std::slice::from_ref(&next), frontier.clone()),
    );
    v.good(
        "message",
        "both in one envelope",
        Value::Null,
        inner(&[text(1, "안녕, 마당"), next], json!([])),
    );
    let report = v.good(
        "message",
        "a report without messages",
        Value::Null,
        inner(&[], frontier),
    );
    let parents: Vec<_> = (1..=8).map(|sequence| stream.message(sequence)).collect();
    let unknown = json!({ "unknown": { "kind": 77, "body": "0102" } });
    let mut message = durable(9, [3; 32], &parents, unknown);
    message["fallback"] = "a picture".into();
    v.good(
        "message",
        "a kind that is not known, and eight parents",
        Value::Null,
        inner(&[message], json!([])),
    );
    let hidden = json!({ "unknown": { "kind": 0x8777, "body": "" } });
    let contact = json!({ "contact": "0001" });
    let profile = json!({ "profile": "0001" });
    for (name, sequence, body) in [
        ("a hidden kind that is not known", 10, hidden),
        ("contact details", 11, contact),
        ("a profile", 11, profile),
    ] {
        let message = durable(sequence, [3; 32], &[], body);
        v.good("message", name, Value::Null, inner(&[message], json!([])));
    }
    let mut message = text(12, "later");
    message["extensions"] = "aabb".into();
    v.good(
        "message",
        "extensions of a later version in a message",
        Value::Null,
        inner(&[message], json!([])),
    );
    fill_kinds(v, &inner, &stream);
    fill_repair(v, &inner);
    fill_refused(v, &first, &second, &report);
    fill_ranges(v);
}

/// What is told of holes in streams, alone and as extensions of a report.
fn fill_repair(v: &mut Vectors, inner: &dyn Fn(&[Value], Value) -> Value) {
    let range = |first: u64, last: u64| json!([number(first), number(last)]);
    let want = |ranges: Value| json!({ "device": hexed([2; 32]), "incarnation": number(7), "ranges": ranges });
    let wanted = |count: usize| json!({ "wanted": vec![want(json!([range(3, 4), range(9, 9)])); count] });
    let asked = v.good("wanted", "two ranges of a stream", Value::Null, wanted(1));
    v.good("wanted", "nothing", Value::Null, wanted(0));
    v.good("wanted", "16 streams", Value::Null, wanted(16));
    let many = write_wanted(&Value::Null, &wanted(17));
    v.bad("wanted", "17 streams", Value::Null, &many, "too_long", "wanted");
    let ranges = (1..=17).map(|n| range(n * 2, n * 2)).collect::<Vec<_>>();
    let many = write_wanted(&Value::Null, &json!({ "wanted": [want(ranges.into())] }));
    v.bad("wanted", "17 ranges", Value::Null, &many, "too_long", "want.ranges");
    v.bad(
        "wanted",
        "cut",
        Value::Null,
        &asked[..asked.len() - 1],
        "truncated",
        "wanted",
    );

    let baseline = json!({ "device": hexed([4; 8]), "from": number(5) });
    let own = |lost: usize, baselines: usize| {
        let lost = (1..=lost as u64).map(|n| range(n * 3, n * 3 + 1)).collect::<Vec<_>>();
        json!({ "last": number(400), "lost": lost, "baselines": vec![baseline.clone(); baselines] })
    };
    let told = v.good("own_stream", "two given up, one joined later", Value::Null, own(2, 1));
    v.good("own_stream", "nothing but its end", Value::Null, own(0, 0));
    v.good("own_stream", "64 of each", Value::Null, own(64, 64));
    let many = write_own_stream(&Value::Null, &own(65, 0));
    v.bad(
        "own_stream",
        "65 ranges given up",
        Value::Null,
        &many,
        "too_long",
        "own_stream.lost",
    );
    let many = write_own_stream(&Value::Null, &own(0, 65));
    v.bad(
        "own_stream",
        "65 baselines",
        Value::Null,
        &many,
        "too_long",
        "own_stream.baselines",
    );
    v.bad(
        "own_stream",
        "cut",
        Value::Null,
        &told[..7],
        "truncated",
        "own_stream.last",
    );

    let mut told_in = |name: &str, extensions: &[&[u8]]| {
        let mut report = inner(&[], json!([]));
        report["extensions"] = hexed(extensions.concat());
        let bytes = write(&Value::Null, &report);
        let fields = read(&Value::Null, &bytes).unwrap();
        v.good("message", name, Value::Null, fields);
    };
    let extension = |kind: u16, value: &[u8]| {
        let mut w = Writer::default();
        w.u16(kind);
        w.bytes(value);
        w.into_bytes()
    };
    let (asks, tells) = (extension(2, &asked), extension(4, &told));
    told_in(
        "a report that asks, behind an extension that is not known",
        &[&[0, 9, 1, 0xaa], &asks],
    );
    told_in("a report that tells of its own stream, and asks", &[&tells, &asks]);
    told_in("an extension that can't be read adds nothing", &[&extension(2, &many)]);
    told_in("extensions that can't be read as such add nothing", &[&[0xaa, 0xbb]]);
}

/// Every kind, what counts as unknown, and an expiry among other extensions.
fn fill_kinds(v: &mut Vectors, inner: &dyn Fn(&[Value], Value) -> Value, stream: &StreamId) {
    let target = hexed(stream.message(1).0);
    let mention = |start: u32, length: u32| json!({ "account": hexed([5; 32]), "start": start, "length": length });
    let poll = |options: &[&str]| json!({ "poll": { "question": "when?", "options": options, "multiple": true } });
    let rich = |mentions: Value| json!({ "rich": { "reply_to": target, "mentions": mentions } });
    let reaction = |emoji: &str| json!({ "reaction": { "message": target, "emoji": emoji, "remove": false } });
    let vote = |choices: &[u8]| json!({ "vote": { "message": target, "choices": choices } });
    let file = |name: &str, media_type: &str, media: Value| {
        let blob = [&[1][..], &[6; 32], &[7; 32], &70_000_u64.to_be_bytes()].concat();
        json!({
            "blob": hexed(blob), "topic": hexed([8; 32]), "name": name, "media_type": media_type, "caption": "", "media": media,
        })
    };
    let plain = |name: &str| file(name, "text/plain", json!({ "kind": "file" }));
    let image =
        |width: u32| json!({ "kind": "image", "width": width, "height": 3, "thumbnail": "ffd8", "preview": "0102" });
    let files = |files: &[Value]| json!({ "files": files });
    let edit = |mentions: Value| json!({ "edit": { "message": target, "text": "마당", "mentions": mentions } });
    let good = [
        (
            "a reply that mentions two",
            "hi @bob",
            rich(json!([mention(0, 2), mention(3, 4)])),
        ),
        (
            "a text that answers nothing",
            "hi",
            json!({ "rich": { "reply_to": null, "mentions": [] } }),
        ),
        ("a poll", "when?\n– now\n– later", poll(&["now", "later"])),
        ("a file", "메모.txt", files(&[plain("메모.txt")])),
        (
            "an image and a voice note",
            "look",
            files(&[
                file("a.jpg", "image/jpeg", image(4)),
                file(
                    "b.ogg",
                    "audio/ogg",
                    json!({ "kind": "voice", "duration_ms": 1500, "waveform": "00ff" }),
                ),
            ]),
        ),
        ("an edit", "", edit(json!([mention(3, 3)]))),
        ("a deletion", "", json!({ "delete": { "message": target } })),
        ("a reaction", "", reaction("👍🏽")),
        (
            "a reaction taken back",
            "",
            json!({ "reaction": { "message": target, "emoji": "👍🏽", "remove": true } }),
        ),
        ("a pin", "", json!({ "pin": { "message": target, "remove": false } })),
        (
            "a pin taken back",
            "",
            json!({ "pin": { "message": target, "remove": true } }),
        ),
        ("a vote", "", vote(&[0, 2, 11])),
        ("a vote taken back", "", vote(&[])),
    ];
    let card = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut card = cards::signed(&cards::samples().remove(3).1).encode();
        change(&mut card);
        hexed(card)
    };
    let share = |card: Value, pictures: &[(u8, Value)]| {
        let pictures: Vec<Value> = pictures
            .iter()
            .map(|(place, file)| json!({ "place": place, "file": file }))
            .collect();
        json!({ "share": { "card": card, "pictures": pictures } })
    };
    let signed = card(&|_| {});
    let picture = file("a.png", "image/png", image(4));
    let answer = |button: &str, data: &str| json!({ "card_answer": { "message": target, "what": "postback", "button": button, "data": data } });
    let channel = ChannelLink {
        channel: ChannelId([9; 32]),
        relays: vec![PeerAddress {
            key: TransportKey([8; 32]),
            addrs: vec!["/dns/relay.example/tcp/443".into()],
        }],
        name: "마당 서점".into(),
        extensions: Vec::new(),
    };
    let channel = channel.to_link();
    let channel_fallback = format!("마당 서점\n{channel}");
    let good = good.into_iter().chain([
        (
            "a card with its picture",
            "김치찌개 만드는 법\nhttps://recipes.example/r/7",
            share(signed.clone(), &[(0, picture.clone())]),
        ),
        (
            "a card was opened",
            "",
            json!({ "card_answer": { "message": target, "what": "opened" } }),
        ),
        (
            "something is handed back to a card's app",
            "",
            answer("buttons[3]", "saved=7"),
        ),
        ("a channel to follow", &channel_fallback, json!({ "channel": channel })),
    ]);
    for (name, fallback, body) in good {
        let mut message = durable(20, [3; 32], &[], body);
        message["fallback"] = fallback.into();
        v.good("message", name, Value::Null, inner(&[message], json!([])));
    }
    let odd = [
        ("a mention beyond the text", "hi", rich(json!([mention(1, 2)]))),
        (
            "mentions that overlap",
            "hi @bob",
            rich(json!([mention(0, 3), mention(2, 1)])),
        ),
        ("a mention of nothing", "hi", rich(json!([mention(1, 0)]))),
        ("a mention of half a character", "", edit(json!([mention(1, 2)]))),
        ("65 mentions", "", edit(vec![mention(0, 3); 65].into())),
        ("a poll of one option", "", poll(&["now"])),
        ("a poll of 13 options", "", poll(&["x"; 13])),
        ("a poll with an empty option", "", poll(&["now", ""])),
        ("no files", "", files(&[])),
        ("17 files", "", files(&vec![plain("a"); 17])),
        ("a file with a path for a name", "", files(&[plain("a/b")])),
        ("a file without a name", "", files(&[plain("")])),
        ("a name with a line break", "", files(&[plain("a\nb")])),
        (
            "a media type that is none",
            "",
            files(&[file("a", "text", json!({ "kind": "file" }))]),
        ),
        (
            "an image without a width",
            "",
            files(&[file("a", "image/png", image(0))]),
        ),
        ("a reaction without an emoji", "", reaction("")),
        ("an emoji of 41 bytes", "", reaction(&"x".repeat(41))),
        ("a vote twice for one", "", vote(&[1, 1])),
        ("a vote for the 13th option", "", vote(&[12])),
        (
            "a picture of a card that has none there",
            "",
            share(signed.clone(), &[(1, picture.clone())]),
        ),
        (
            "a card's picture twice",
            "",
            share(signed.clone(), &[(0, picture.clone()), (0, picture)]),
        ),
        (
            "a card's picture that is no image",
            "",
            share(signed, &[(0, plain("a"))]),
        ),
        ("nothing handed back to an app", "", answer("buttons[3]", "")),
        (
            "a channel's link of another version",
            "",
            json!({ "unknown": { "kind": 6, "body": "0002" } }),
        ),
        ("301 bytes handed back to an app", "", answer("", &"x".repeat(301))),
    ];
    for (name, fallback, body) in odd {
        let mut message = durable(21, [3; 32], &[], body);
        message["fallback"] = fallback.into();
        let bytes = write(&Value::Null, &alone(stream, &message));
        v.good_to_read("message", &format!("{name}: counts as unknown"), Value::Null, &bytes);
    }
    for (name, extensions) in [
        (
            "an expiry of an hour, behind an extension that is not known",
            "000901aa00010400000e10",
        ),
        ("an expiry of 0 seconds, which is none", "00010400000000"),
        ("extensions that can't be read as such", "0001"),
    ] {
        let mut message = durable(22, [3; 32], &[], json!({ "text": "for a while" }));
        message["extensions"] = extensions.into();
        v.good("message", name, Value::Null, inner(&[message], json!([])));
    }
}

fn alone(stream: &StreamId, message: &Value) -> Value {
    let mut fields = stream_value(stream);
    fields["messages"] = json!([message]);
    fields["frontiers"] = json!([]);
    fields["extensions"] = "".into();
    fields
}

/// Bytes before the list of messages: version and stream.
const MESSAGES: usize = 42;
/// Where the fields of a message without parents begin: sequence, previous, parents, clock, time, kind, fallback (empty), body.
const KIND: usize = 8 + 32 + 1 + 8 + 8;
const BODY: usize = KIND + 2 + 1;

fn fill_refused(v: &mut Vectors, first: &[u8], second: &[u8], report: &[u8]) {
    let mut bad =
        |name: &str, bytes: &[u8], error: &str, at: &str| v.bad("message", name, Value::Null, bytes, error, at);
    // The list's length takes two bytes.
    let message = &first[MESSAGES + 2..first.len() - 2];
    let listed = |messages: &[&[u8]]| {
        let mut w = Writer::default();
        w.fixed(&first[..MESSAGES]);
        w.bytes(&messages.concat());
        w.fixed(&[0, 0]);
        w.into_bytes()
    };
    let changed = |at: usize, with: &[u8]| {
        let mut bytes = message.to_vec();
        bytes[at..at + with.len()].copy_from_slice(with);
        listed(&[&bytes])
    };
    let with_body = |kind: u16, body: &[u8]| {
        let mut w = Writer::default();
        w.fixed(&message[..KIND]);
        w.u16(kind);
        w.bytes(b"");
        w.bytes(body);
        w.bytes(b"");
        listed(&[&w.into_bytes()])
    };
    assert_eq!(listed(&[message]), first);
    let mut later = first.to_vec();
    later[1] = 2;
    bad("version 2", &later, "version", "inner.version");
    bad("kind 0", &changed(KIND, &[0, 0]), "invalid", "message.kind");
    bad("sequence 0", &changed(0, &[0; 8]), "invalid", "message.sequence");
    bad(
        "the greatest sequence",
        &changed(0, &[0xff; 8]),
        "invalid",
        "message.sequence",
    );
    bad(
        "text that isn't UTF-8",
        &changed(BODY + 1, &[0xff]),
        "invalid",
        "message.text",
    );
    bad(
        "text over 32768 bytes",
        &with_body(1, &vec![0; limits::TEXT_BYTES + 1]),
        "too_long",
        "message.text",
    );
    bad(
        "a body over 49152 bytes",
        &with_body(77, &vec![0; limits::MESSAGE_BYTES + 1]),
        "too_long",
        "message.body",
    );
    bad(
        "a fallback that isn't UTF-8",
        &listed(&[&[&message[..BODY - 1], &[1, 0xff, 0, 0]].concat()]),
        "invalid",
        "message.fallback",
    );
    let parents = |bytes: &[u8]| {
        let mut w = Writer::default();
        w.fixed(&message[..8 + 32]);
        w.bytes(bytes);
        w.fixed(&message[8 + 32 + 1..]);
        listed(&[&w.into_bytes()])
    };
    bad("nine parents", &parents(&[4; 9 * 32]), "too_long", "message.parents");
    bad("half a parent", &parents(&[4; 16]), "truncated", "MessageId");
    bad("129 messages", &listed(&[message; 129]), "too_long", "inner.messages");
    bad(
        "a message cut after its body",
        &listed(&[&message[..message.len() - 1]]),
        "truncated",
        "message.extensions",
    );
    let other = stream_of(&json!({ "device": hexed([2; 32]), "incarnation": number(7) }));
    let mut w = Writer::default();
    w.fixed(&report[..MESSAGES + 1]);
    w.list(&[other; 65], |w, stream| {
        stream.write(w);
        w.u8(0);
        w.u64(0);
    });
    w.u8(0);
    bad("65 frontiers", &w.into_bytes(), "too_long", "inner.frontiers");
    let mut w = Writer::default();
    w.fixed(&report[..MESSAGES + 1]);
    w.list(&[65_u64], |w, ranges| {
        other.write(w);
        w.list(&(0..*ranges).collect::<Vec<_>>(), |w, at| {
            w.u64(at * 2 + 1);
            w.u64(at * 2 + 1);
        });
        w.u64(0);
    });
    w.u8(0);
    bad(
        "a frontier of 65 ranges",
        &w.into_bytes(),
        "too_long",
        "frontier.delivered",
    );
    bad(
        "cut after the messages",
        &first[..first.len() - 2],
        "truncated",
        "inner.frontiers",
    );
    bad(
        "cut inside the frontiers",
        &second[..second.len() - 2],
        "truncated",
        "inner.frontiers",
    );
    bad("a byte too many", &[report, &[0]].concat(), "trailing", "");
}

fn fill_ranges(v: &mut Vectors) {
    v.good("ranges", "none", Value::Null, json!({ "ranges": [] }));
    let ranges = json!([
        [number(1), number(9)],
        [number(11), number(11)],
        [number(20), number(u64::MAX - 2)]
    ]);
    v.good("ranges", "three", Value::Null, json!({ "ranges": ranges }));
    let written = |ranges: &[(u64, u64)]| {
        let mut w = Writer::default();
        w.list(ranges, |w, (first, last)| {
            w.u64(*first);
            w.u64(*last);
        });
        w.into_bytes()
    };
    for (name, ranges) in [
        ("ranges that touch", &[(5, 9), (10, 12)][..]),
        ("ranges that overlap", &[(5, 9), (7, 12)]),
        ("ranges that descend", &[(5, 9), (1, 2)]),
        ("a range that ends before it begins", &[(9, 5)]),
        ("the greatest number", &[(1, u64::MAX)]),
    ] {
        v.bad("ranges", name, Value::Null, &written(ranges), "invalid", "ranges");
    }
    v.bad(
        "ranges",
        "half a range",
        Value::Null,
        &[8, 0, 0, 0, 0, 0, 0, 0, 1],
        "truncated",
        "ranges",
    );
}
