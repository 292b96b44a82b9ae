//! The cases of `contact.json`.

use super::*;

fn device(n: u8) -> DeviceSecret {
    DeviceSecret::from_bytes([n; 32])
}

fn address(n: u8, addrs: &[&str]) -> Value {
    json!({ "key": hexed([n; 32]), "addrs": addrs })
}

pub fn fill(v: &mut Vectors) {
    fill_invites(v);
    fill_cards(v);
    fill_requests(v);
    fill_sealed(v);
    fill_inbox(v);
}

fn fill_inbox(v: &mut Vectors) {
    let chat = hexed([0xcc; 32]);
    let mut good = |name: &str, fields: Value| v.good("inbox_message", name, Value::Null, fields);
    let welcome = json!({ "chat": chat, "node": hexed([2; 32]), "suite": 1, "welcome": hexed("welcome") });
    let welcome = good("a Welcome", welcome);
    let wish = madang_protocol::chat::Wish::Rejoin;
    let statement = Statement::sign(&device(5), ChatId([0xcc; 32]), wish, [6; 32]);
    let package = json!({
        "not_before_s": number(1),
        "not_after_s": number(9),
        "last_resort": true,
        "bytes": hexed("package"),
    });
    let mut rejoin = json!({ "chat": chat, "statement": hexed(statement.encode()), "packages": [package], "lacks": [], "has": [], "past": [] });
    let bare = rejoin.clone();
    rejoin["lacks"] = json!([hexed([7; 32]), hexed([8; 32])]);
    good("a wish to rejoin that names states", rejoin.clone());
    rejoin["has"] = json!([hexed([9; 32])]);
    rejoin["past"] = json!([hexed([5; 32]), hexed([6; 32])]);
    good("a wish to rejoin that names also what its author has", rejoin);
    let rejoin = good("a wish to rejoin", bare);
    let key = madang_protocol::blob::BlobKey::from_bytes([3; 32]);
    let (blob, _) = madang_protocol::blob::seal_with(key, b"a small blob").unwrap();
    good(
        "a reference to a blob",
        json!({ "topic": hexed([6; 32]), "blob": hexed(blob.encode()) }),
    );
    let leaf = good(
        "which leaf the reader has",
        json!({ "chat": chat, "leaf": hexed([8; 32]) }),
    );
    good(
        "that the reader has no leaf, and in which state",
        json!({ "chat": chat, "leaf": hexed([0; 32]), "at": hexed([9; 32]), "past": [] }),
    );
    good(
        "that the reader has no leaf, in which state and on which way",
        json!({ "chat": chat, "leaf": hexed([0; 32]), "at": hexed([9; 32]), "past": [hexed([7; 32])] }),
    );
    let extended = [&welcome[..welcome.len() - 1], &[2, 0xaa, 0xbb]].concat();
    for (name, bytes) in [
        ("extensions of a later version of it", &extended[..]),
        ("a kind of a later version", &[0, 1, 9, 0xaa]),
    ] {
        v.good_to_read("inbox_message", name, Value::Null, bytes);
    }
    let mut bad =
        |name: &str, bytes: &[u8], error: &str, at: &str| v.bad("inbox_message", name, Value::Null, bytes, error, at);
    let version = [&[0, 2], &welcome[2..]].concat();
    bad("version 2 of a Welcome", &version, "version", "inbox.version");
    let cut = &rejoin[..rejoin.len() - 1];
    bad("a wish to rejoin, cut", cut, "truncated", "inbox.extensions");
    bad("a leaf, cut", &leaf[..40], "truncated", "inbox.leaf");
    bad("a Welcome and a byte", &[&welcome[..], &[0]].concat(), "trailing", "");
}

fn fill_invites(v: &mut Vectors) {
    let bare = json!({
        "account": hexed([1; 32]),
        "card": hexed([2; 32]),
        "card_key": hexed([3; 32]),
        "requests_secret": hexed([4; 32]),
        "relays": [],
        "devices": [],
        "name": "",
        "expires_s": number(0),
    });
    let mut full = bare.clone();
    full["relays"] = json!([address(
        5,
        &["/ip4/127.0.0.1/udp/4001/quic-v1", "/dns/relay.example/tcp/4001"]
    )]);
    full["devices"] = json!([address(6, &[])]);
    full["name"] = "앨리스".into();
    full["expires_s"] = number(1_700_000_000);
    let least = v.good("invite", "nothing but keys", Value::Null, bare.clone());
    let whole = v.good("invite", "with addresses and a name", Value::Null, full.clone());
    let mut group = full.clone();
    group["group"] = json!({ "chat": hexed([7; 32]), "name": "마당" });
    let to_group = v.good("invite", "to a group", Value::Null, group);
    let extended = [&least[..least.len() - 1], &[2, 0xaa, 0xbb]].concat();
    v.good_to_read("invite", "extensions of a later version", Value::Null, &extended);
    let mut bad =
        |name: &str, bytes: &[u8], error: &str, at: &str| v.bad("invite", name, Value::Null, bytes, error, at);
    bad(
        "version 2",
        &[&[0, 2], &least[2..]].concat(),
        "version",
        "invite.version",
    );
    bad("cut", &whole[..whole.len() - 1], "truncated", "invite.extensions");
    bad("a byte too many", &[&whole[..], &[0]].concat(), "trailing", "");
    // The name's two characters have three bytes each.
    let mut short = to_group.clone();
    let name_length = short.len() - 7;
    short[name_length] = 3;
    bad("a group whose name is cut", &short, "trailing", "");
    let list = |name: &str, relay: &Value, count: usize| {
        let mut fields = bare.clone();
        fields["relays"] = vec![relay.clone(); count].into();
        (name.to_owned(), invite_of(&fields).encode())
    };
    let (name, bytes) = list("seven relays", &address(5, &[]), limits::RELAYS + 1);
    bad(&name, &bytes, "too_long", "invite.relays");
    let (name, bytes) = list("nine addresses of a relay", &address(5, &["/ip4/127.0.0.1"; 9]), 1);
    bad(&name, &bytes, "too_long", "address.addrs");
    let (name, bytes) = list("an address of 257 bytes", &address(5, &[&"a".repeat(257)]), 1);
    bad(&name, &bytes, "too_long", "address.multiaddr");
    let mut fields = bare.clone();
    fields["name"] = "a".repeat(129).into();
    bad(
        "a name of 129 bytes",
        &invite_of(&fields).encode(),
        "too_long",
        "invite.name",
    );
    let mut bytes = whole.clone();
    let name_at = whole.len() - 1 - 8 - 9;
    bytes[name_at] = 0xff;
    bad("a name that isn't UTF-8", &bytes, "invalid", "invite.name");
    fill_links(v, bare, full);
}

fn fill_links(v: &mut Vectors, bare: Value, full: Value) {
    let link = String::from_utf8(v.good("invite_link", "nothing but keys", Value::Null, bare)).unwrap();
    v.good("invite_link", "with addresses and a name", Value::Null, full);
    v.good_to_read(
        "invite_link",
        "spaces around",
        Value::Null,
        format!(" {link}\n").as_bytes(),
    );
    v.good_to_read(
        "invite_link",
        "in the fragment of a web address",
        Value::Null,
        format!("https://example.org/i#{link}").as_bytes(),
    );
    let checked = |bytes: &[u8]| {
        let sum = blake3::hash(bytes);
        let whole = [&sum.as_bytes()[..4], bytes].concat();
        format!("madang:invite?d={}", data_encoding::BASE64URL_NOPAD.encode(&whole))
    };
    let mut bad = |name: &str, link: &str, error: &str, at: &str| {
        v.bad("invite_link", name, Value::Null, link.as_bytes(), error, at)
    };
    bad("nothing", "", "not_a_link", "");
    bad("another scheme", &link.replace("madang:", "https:"), "not_a_link", "");
    bad("a letter changed", &link.replacen("BAQE", "BAQF", 1), "damaged", "");
    bad("cut", &link[..link.len() - 4], "damaged", "");
    bad("no data", "madang:invite?d=", "damaged", "");
    bad("padded base64", &format!("{link}=="), "damaged", "");
    bad(
        "over 8192 characters",
        &format!("madang:invite?d={}", "A".repeat(8193)),
        "damaged",
        "",
    );
    bad("over 4096 bytes", &checked(&[0; 4097]), "too_long", "invite");
    bad(
        "whole, but of version 2",
        &checked(&[0, 2]),
        "version",
        "invite.version",
    );
}

fn log() -> DeviceLog {
    DeviceLog::create(&AccountSecret::from_bytes([1; 32]), device(2).public())
}

fn certificate(by: u8) -> String {
    hex::encode(TransportCertificate::sign(&device(by), TransportKey([6; 32]), 1_700_000_000).encode())
}

fn fill_cards(v: &mut Vectors) {
    let topic = TopicSecret::from_bytes([7; 32]).public();
    let keys = json!({
        "topic": hexed(topic.0),
        "account": hexed(log().account.0),
        "device_secret": hexed([2; 32]),
    });
    let package =
        json!({ "not_before_s": number(10), "not_after_s": number(20), "last_resort": true, "bytes": "0102" });
    let fields = json!({
        "log": hexed(log().encode()),
        "suite": 2,
        "seal_key": hexed([8; 32]),
        "packages": [package],
        "transports": [certificate(2)],
        "devices": [address(6, &["/ip4/127.0.0.1/tcp/1"])],
        "relays": [address(5, &["/ip4/127.0.0.1/tcp/2"])],
        "name": "alice",
        "number": number(1),
    });
    let card = v.good("card", "a card", keys.clone(), fields.clone());
    let mut other = |member: &str, value: Value, name: &str, error: &str, at: &str| {
        let mut fields = fields.clone();
        fields[member] = value;
        v.bad("card", name, keys.clone(), &write_card(&keys, &fields), error, at);
    };
    other(
        "transports",
        json!([certificate(9)]),
        "a transport certificate by a stranger",
        "wrong_identity",
        "",
    );
    let mut forged = certificate(2);
    forged.replace_range(forged.len() - 2.., "00");
    other(
        "transports",
        json!([forged]),
        "a forged transport certificate",
        "signature",
        "",
    );
    other(
        "packages",
        vec![package.clone(); 17].into(),
        "17 key packages",
        "too_long",
        "card.packages",
    );
    other(
        "name",
        "a".repeat(129).into(),
        "a name of 129 bytes",
        "too_long",
        "card.name",
    );
    let foreign = DeviceLog::create(&AccountSecret::from_bytes([9; 32]), device(2).public());
    other(
        "log",
        hexed(foreign.encode()),
        "a log of another account",
        "wrong_identity",
        "",
    );

    let mut bad = |name: &str, keys: &Value, bytes: &[u8], error: &str, at: &str| {
        v.bad("card", name, keys.clone(), bytes, error, at)
    };
    let mut elsewhere = keys.clone();
    elsewhere["topic"] = hexed(TopicSecret::from_bytes([8; 32]).public().0);
    bad("on another topic", &elsewhere, &card, "signature", "");
    let mut by_stranger = keys.clone();
    by_stranger["device_secret"] = hexed([9; 32]);
    bad(
        "by a device that the log doesn't certify",
        &keys,
        &write_card(&by_stranger, &fields),
        "wrong_identity",
        "",
    );
    let mut revoked = log();
    revoked.append_by_device(
        &device(2),
        StatementBody::Add {
            device: device(3).public(),
        },
    );
    revoked.append_by_device(
        &device(3),
        StatementBody::Revoke {
            device: device(2).public(),
            last_sequence: 0,
            last_hash: [0; 32],
        },
    );
    let mut fields_of_revoked = fields.clone();
    fields_of_revoked["log"] = hexed(revoked.encode());
    bad(
        "by a revoked device",
        &keys,
        &write_card(&keys, &fields_of_revoked),
        "wrong_identity",
        "",
    );
    let (signed, _) = card.split_at(card.len() - 64);
    let without_topic = device(2).sign(Domain::Card, signed);
    bad(
        "signed without the topic",
        &keys,
        &[signed, &without_topic].concat(),
        "signature",
        "",
    );
    bad(
        "version 2",
        &keys,
        &[&[0, 2], &card[2..]].concat(),
        "version",
        "card.version",
    );
    let suite_at = 2 + log().encode().len();
    bad(
        "an unknown suite",
        &keys,
        &[&card[..suite_at], &[0, 3], &card[suite_at + 2..]].concat(),
        "suite",
        "",
    );
    // Suite, seal key, length of the packages, two times.
    let flag_at = suite_at + 2 + 33 + 1 + 16;
    bad(
        "a last-resort flag of 2",
        &keys,
        &[&card[..flag_at], &[2], &card[flag_at + 1..]].concat(),
        "invalid",
        "package.last_resort",
    );
    bad("cut", &keys, &card[..card.len() - 1], "truncated", "card.signature");
    bad("a byte too many", &keys, &[&card[..], &[0]].concat(), "trailing", "");
}

fn fill_requests(v: &mut Vectors) {
    let details = json!({
        "log": hexed(log().encode()),
        "suite": 1,
        "inbox_topic_secret": hexed([4; 32]),
        "inbox_seal_key": hexed([8; 32]),
        "transports": [certificate(2)],
        "devices": [address(6, &["/ip4/127.0.0.1/tcp/1"])],
        "relays": [],
        "name": "bob",
        "packages": [{ "not_before_s": "1", "not_after_s": "2", "last_resort": true, "bytes": "0102" }],
    });
    let bytes = v.good("details", "of a device", Value::Null, details.clone());
    let mut alone = details.clone();
    alone["packages"] = json!([]);
    v.good("details", "without key packages", Value::Null, alone);
    let mut many = details.clone();
    many["packages"] = vec![details["packages"][0].clone(); limits::CARD_KEY_PACKAGES + 1].into();
    v.bad(
        "details",
        "17 key packages",
        Value::Null,
        &write_details(&Value::Null, &many),
        "too_long",
        "details.packages",
    );
    v.bad(
        "details",
        "version 2",
        Value::Null,
        &[&[0, 2], &bytes[2..]].concat(),
        "version",
        "details.version",
    );
    let mut foreign = details.clone();
    foreign["transports"] = json!([certificate(9)]);
    v.bad(
        "details",
        "a transport key of a stranger",
        Value::Null,
        &write_details(&Value::Null, &foreign),
        "wrong_identity",
        "",
    );
    let mut broken = log();
    broken.statements[0].signature[0] ^= 1;
    let mut forged = details.clone();
    forged["log"] = hexed(broken.encode());
    v.bad(
        "details",
        "a forged log",
        Value::Null,
        &write_details(&Value::Null, &forged),
        "author",
        "0",
    );
    v.bad(
        "details",
        "a byte too many",
        Value::Null,
        &[&bytes[..], &[0]].concat(),
        "trailing",
        "",
    );

    let fields = json!({ "details": details, "chat": hexed([9; 32]), "node": hexed([10; 32]), "welcome": "0102" });
    let request = v.good("request", "a request", Value::Null, fields.clone());
    let mut bad =
        |name: &str, bytes: &[u8], error: &str, at: &str| v.bad("request", name, Value::Null, bytes, error, at);
    bad(
        "version 2",
        &[&[0, 2], &request[2..]].concat(),
        "version",
        "request.version",
    );
    bad("cut", &request[..request.len() - 1], "truncated", "request.extensions");
    bad("a byte too many", &[&request[..], &[0]].concat(), "trailing", "");
    let mut large = fields;
    large["welcome"] = hexed(vec![0; limits::WELCOME_BYTES + 1]);
    bad(
        "a Welcome over 40960 bytes",
        &write_request(&Value::Null, &large),
        "too_long",
        "request.welcome",
    );
}

fn fill_sealed(v: &mut Vectors) {
    let topic = TopicSecret::from_bytes([7; 32]).public();
    let keys = json!({ "card_key": hexed([3; 32]), "topic": hexed(topic.0), "entropy": hexed([1; 32]) });
    let sealed = v.good(
        "sealed_card",
        "a sealed content",
        keys.clone(),
        json!({ "content": hexed("card") }),
    );
    let mut other_key = keys.clone();
    other_key["card_key"] = hexed([4; 32]);
    let mut other_topic = keys.clone();
    other_topic["topic"] = hexed([4; 32]);
    v.bad("sealed_card", "another key", other_key, &sealed, "sealed", "");
    v.bad("sealed_card", "another topic", other_topic, &sealed, "sealed", "");
    v.bad(
        "sealed_card",
        "a changed nonce",
        keys.clone(),
        &[&[sealed[0] ^ 1], &sealed[1..]].concat(),
        "sealed",
        "",
    );
    v.bad(
        "sealed_card",
        "cut inside the nonce",
        keys,
        &sealed[..23],
        "truncated",
        "card.nonce",
    );

    for (suite, kem) in [
        (Suite::XWing, HpkeKemType::XWingKemDraft6),
        (Suite::X25519, HpkeKemType::DhKem25519),
    ] {
        let crypto = Crypto::new([1; 32]);
        let config = || HpkeConfig(kem, HpkeKdfType::HkdfSha256, HpkeAeadType::ChaCha20Poly1305);
        let pair = crypto.derive_hpke_keypair(config(), &[2; 32]).unwrap();
        let keys = json!({
            "suite": suite.number(),
            "public": hexed(&pair.public),
            "private": hexed(pair.private.as_ref() as &[u8]),
            "topic": hexed(topic.0),
            "entropy": hexed([1; 32]),
        });
        let name = |what: &str| format!("suite {}: {what}", suite.number());
        let sealed = v.good(
            "sealed_request",
            &name("a sealed content"),
            keys.clone(),
            json!({ "content": hexed("request") }),
        );
        let mut bad = |what: &str, keys: &Value, bytes: &[u8], error: &str, at: &str| {
            v.bad("sealed_request", &name(what), keys.clone(), bytes, error, at);
        };
        let mut other_topic = keys.clone();
        other_topic["topic"] = hexed([4; 32]);
        bad("another topic", &other_topic, &sealed, "sealed", "");
        let mut changed = sealed.clone();
        changed[9] ^= 1;
        bad("a changed encapsulation", &keys, &changed, "sealed", "");
        bad("an empty encapsulation", &keys, &[0, 0], "sealed", "");
        bad(
            "cut",
            &keys,
            &sealed[..sealed.len() - 1],
            "truncated",
            "sealed.ciphertext",
        );
        bad("a byte too many", &keys, &[&sealed[..], &[0]].concat(), "trailing", "");
        if suite == Suite::X25519 {
            // Padding is checked once it is opened: content that hides something behind it is refused.
            let mut padded = padding::pad(b"request");
            *padded.last_mut().unwrap() = 1;
            let hidden = crypto
                .hpke_seal(config(), &pair.public, b"madang 1 contact request", &topic.0, &padded)
                .unwrap();
            let mut w = Writer::default();
            w.bytes(hidden.kem_output.as_slice());
            w.bytes(hidden.ciphertext.as_slice());
            bad("padding that isn't zero", &keys, &w.into_bytes(), "invalid", "padding");
        }
    }
}
