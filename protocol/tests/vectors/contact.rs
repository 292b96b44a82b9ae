//! `contact.json`: invites, cards, details and requests, with their sealing.

use crate::kit::{Fault, Format, Kind, Vectors, array, bytes, hexed, items, number, text, uint64};
use madang_protocol::address::PeerAddress;
use madang_protocol::contact::{Card, CardKey, CardPackage, ContactError, Details, Inbox, Invite, Request};
use madang_protocol::identity::{DeviceLog, StatementBody, TransportCertificate};
use madang_protocol::keys::{AccountId, AccountSecret, ChatId, DeviceSecret, Domain, NodeId, TopicId, TopicSecret, TransportKey};
use madang_protocol::mls::{Crypto, Suite};
use madang_protocol::seal::{self, Purpose};
use madang_protocol::wire::{Reader, Wire, Writer};
use madang_protocol::{limits, padding};
use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::types::{HpkeAeadType, HpkeConfig, HpkeKdfType, HpkeKemType};
use serde_json::{Value, json};

const fn kind(name: &'static str, read: fn(&Value, &[u8]) -> Result<Value, Fault>, write: fn(&Value, &Value) -> Vec<u8>) -> Kind {
    Kind {
        name,
        text: false,
        read,
        write,
    }
}

pub const FORMAT: Format = Format {
    file: "contact",
    kinds: &[
        kind("invite", read_invite, write_invite),
        Kind {
            name: "invite_link",
            text: true,
            read: read_link,
            write: write_link,
        },
        kind("card", read_card, write_card),
        kind("sealed_card", read_sealed_card, write_sealed_card),
        kind("details", read_details, write_details),
        kind("request", read_request, write_request),
        kind("sealed_request", read_sealed_request, write_sealed_request),
    ],
    fill,
};

impl From<ContactError> for Fault {
    fn from(error: ContactError) -> Self {
        match error {
            ContactError::NotALink => Self::new("not_a_link"),
            ContactError::Damaged => Self::new("damaged"),
            ContactError::Decode(error) => error.into(),
            ContactError::DeviceLog(error) => error.into(),
            ContactError::Signature(error) => error.into(),
            ContactError::WrongIdentity { .. } => Self::new("wrong_identity"),
            ContactError::Suite { .. } => Self::new("suite"),
            ContactError::Sealed => Self::new("sealed"),
            other => panic!("no reader gives {other}"),
        }
    }
}

fn addresses_value(addresses: &[PeerAddress]) -> Value {
    let value = |address: &PeerAddress| json!({ "key": hexed(address.key.0), "addrs": address.addrs });
    addresses.iter().map(value).collect::<Vec<_>>().into()
}

fn addresses_of(value: &Value, member: &str) -> Vec<PeerAddress> {
    items(value, member)
        .map(|value| PeerAddress {
            key: TransportKey(array(value, "key")),
            addrs: items(value, "addrs").map(|addr| addr.as_str().unwrap().to_owned()).collect(),
        })
        .collect()
}

fn encoded<T: Wire>(values: &[T]) -> Value {
    values.iter().map(|value| hexed(value.encode())).collect::<Vec<_>>().into()
}

fn transports_of(value: &Value) -> Vec<TransportCertificate> {
    items(value, "transports")
        .map(|value| TransportCertificate::decode(&hex::decode(value.as_str().unwrap()).unwrap()).unwrap())
        .collect()
}

fn suite_of(value: &Value) -> Suite {
    Suite::from_number(value["suite"].as_u64().unwrap() as u16).unwrap()
}

fn invite_value(invite: &Invite) -> Value {
    json!({
        "account": hexed(invite.account.0),
        "card": hexed(invite.card.0),
        "card_key": hexed(invite.card_key.0),
        "requests_secret": hexed(invite.requests.to_bytes().as_slice()),
        "relays": addresses_value(&invite.relays),
        "devices": addresses_value(&invite.devices),
        "name": invite.name,
        "expires_s": number(invite.expires_s),
    })
}

fn invite_of(fields: &Value) -> Invite {
    Invite {
        account: AccountId(array(fields, "account")),
        card: TopicId(array(fields, "card")),
        card_key: CardKey(array(fields, "card_key")),
        requests: TopicSecret::from_bytes(array(fields, "requests_secret")),
        relays: addresses_of(fields, "relays"),
        devices: addresses_of(fields, "devices"),
        name: text(fields, "name"),
        expires_s: uint64(fields, "expires_s"),
    }
}

fn read_invite(_: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    Ok(invite_value(&Invite::decode(bytes)?))
}

fn write_invite(_: &Value, fields: &Value) -> Vec<u8> {
    invite_of(fields).encode()
}

fn read_link(_: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    Ok(invite_value(&Invite::from_link(std::str::from_utf8(bytes).unwrap())?))
}

fn write_link(_: &Value, fields: &Value) -> Vec<u8> {
    invite_of(fields).to_link().into_bytes()
}

fn read_card(keys: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    let card = Card::verify(bytes, TopicId(array(keys, "topic")), AccountId(array(keys, "account")))?;
    let package = |package: &CardPackage| {
        json!({
            "not_before_s": number(package.not_before_s),
            "not_after_s": number(package.not_after_s),
            "last_resort": package.last_resort,
            "bytes": hexed(&package.bytes),
        })
    };
    Ok(json!({
        "log": hexed(card.log.encode()),
        "suite": card.suite.number(),
        "seal_key": hexed(&card.seal_key),
        "packages": card.packages.iter().map(package).collect::<Vec<_>>(),
        "transports": encoded(&card.transports),
        "devices": addresses_value(&card.devices),
        "relays": addresses_value(&card.relays),
        "name": card.name,
        "number": number(card.number),
    }))
}

fn write_card(keys: &Value, fields: &Value) -> Vec<u8> {
    let package = |value: &Value| CardPackage {
        not_before_s: uint64(value, "not_before_s"),
        not_after_s: uint64(value, "not_after_s"),
        last_resort: value["last_resort"].as_bool().unwrap(),
        bytes: bytes(value, "bytes"),
    };
    Card {
        log: DeviceLog::decode(&bytes(fields, "log")).unwrap(),
        suite: suite_of(fields),
        seal_key: bytes(fields, "seal_key"),
        packages: items(fields, "packages").map(package).collect(),
        transports: transports_of(fields),
        devices: addresses_of(fields, "devices"),
        relays: addresses_of(fields, "relays"),
        name: text(fields, "name"),
        number: uint64(fields, "number"),
    }
    .sign(TopicId(array(keys, "topic")), &DeviceSecret::from_bytes(array(keys, "device_secret")))
}

fn read_sealed_card(keys: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    let content = seal::open_card(&CardKey(array(keys, "card_key")), TopicId(array(keys, "topic")), bytes)?;
    Ok(json!({ "content": hexed(content) }))
}

fn write_sealed_card(keys: &Value, fields: &Value) -> Vec<u8> {
    let crypto = Crypto::new(array(keys, "entropy"));
    let (key, topic) = (CardKey(array(keys, "card_key")), TopicId(array(keys, "topic")));
    seal::seal_card(&crypto, &key, topic, &bytes(fields, "content")).unwrap()
}

fn details_value(details: &Details) -> Value {
    json!({
        "log": hexed(details.log.encode()),
        "suite": details.suite.number(),
        "inbox_topic_secret": hexed(details.inbox.topic.to_bytes().as_slice()),
        "inbox_seal_key": hexed(&details.inbox.seal_key),
        "transports": encoded(&details.transports),
        "devices": addresses_value(&details.devices),
        "relays": addresses_value(&details.relays),
        "name": details.name,
    })
}

fn details_of(fields: &Value) -> Details {
    Details {
        log: DeviceLog::decode(&bytes(fields, "log")).unwrap(),
        suite: suite_of(fields),
        inbox: Inbox {
            topic: TopicSecret::from_bytes(array(fields, "inbox_topic_secret")),
            seal_key: bytes(fields, "inbox_seal_key"),
        },
        transports: transports_of(fields),
        devices: addresses_of(fields, "devices"),
        relays: addresses_of(fields, "relays"),
        name: text(fields, "name"),
    }
}

fn read_details(_: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    let mut r = Reader::new(bytes);
    let details = Details::read(&mut r)?;
    r.finish()?;
    Ok(details_value(&details))
}

fn write_details(_: &Value, fields: &Value) -> Vec<u8> {
    let mut w = Writer::default();
    details_of(fields).write(&mut w);
    w.into_bytes()
}

fn read_request(_: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    let request = Request::decode(bytes)?;
    Ok(json!({
        "details": details_value(&request.details),
        "chat": hexed(request.chat.0),
        "node": hexed(request.node.0),
        "welcome": hexed(&request.welcome),
    }))
}

fn write_request(_: &Value, fields: &Value) -> Vec<u8> {
    Request {
        details: details_of(&fields["details"]),
        chat: ChatId(array(fields, "chat")),
        node: NodeId(array(fields, "node")),
        welcome: bytes(fields, "welcome"),
    }
    .encode()
}

fn read_sealed_request(keys: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    let (private, topic) = (crate::kit::bytes(keys, "private"), TopicId(array(keys, "topic")));
    let content = seal::open_with(&Crypto::new([0; 32]), suite_of(keys), &private, Purpose::Request, topic, bytes)?;
    Ok(json!({ "content": hexed(content) }))
}

fn write_sealed_request(keys: &Value, fields: &Value) -> Vec<u8> {
    let crypto = Crypto::new(array(keys, "entropy"));
    let (public, topic) = (bytes(keys, "public"), TopicId(array(keys, "topic")));
    seal::seal_to(&crypto, suite_of(keys), &public, Purpose::Request, topic, &bytes(fields, "content")).unwrap()
}

fn device(n: u8) -> DeviceSecret {
    DeviceSecret::from_bytes([n; 32])
}

fn address(n: u8, addrs: &[&str]) -> Value {
    json!({ "key": hexed([n; 32]), "addrs": addrs })
}

fn fill(v: &mut Vectors) {
    fill_invites(v);
    fill_cards(v);
    fill_requests(v);
    fill_sealed(v);
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
    full["relays"] = json!([address(5, &["/ip4/127.0.0.1/udp/4001/quic-v1", "/dns/relay.example/tcp/4001"])]);
    full["devices"] = json!([address(6, &[])]);
    full["name"] = "앨리스".into();
    full["expires_s"] = number(1_700_000_000);
    let least = v.good("invite", "nothing but keys", Value::Null, bare.clone());
    let whole = v.good("invite", "with addresses and a name", Value::Null, full.clone());
    let extended = [&least[..least.len() - 1], &[2, 0xaa, 0xbb]].concat();
    v.good_to_read("invite", "extensions of a later version", Value::Null, &extended);
    let mut bad = |name: &str, bytes: &[u8], error: &str, at: &str| v.bad("invite", name, Value::Null, bytes, error, at);
    bad("version 2", &[&[0, 2], &least[2..]].concat(), "version", "invite.version");
    bad("cut", &whole[..whole.len() - 1], "truncated", "invite.extensions");
    bad("a byte too many", &[&whole[..], &[0]].concat(), "trailing", "");
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
    bad("a name of 129 bytes", &invite_of(&fields).encode(), "too_long", "invite.name");
    let mut bytes = whole.clone();
    let name_at = whole.len() - 1 - 8 - 9;
    bytes[name_at] = 0xff;
    bad("a name that isn't UTF-8", &bytes, "invalid", "invite.name");
    fill_links(v, bare, full);
}

fn fill_links(v: &mut Vectors, bare: Value, full: Value) {
    let link = String::from_utf8(v.good("invite_link", "nothing but keys", Value::Null, bare)).unwrap();
    v.good("invite_link", "with addresses and a name", Value::Null, full);
    v.good_to_read("invite_link", "spaces around", Value::Null, format!(" {link}\n").as_bytes());
    v.good_to_read("invite_link", "in the fragment of a web address", Value::Null, format!("https://example.org/i#{link}").as_bytes());
    let checked = |bytes: &[u8]| {
        let sum = blake3::hash(bytes);
        let whole = [&sum.as_bytes()[..4], bytes].concat();
        format!("madang:invite?d={}", data_encoding::BASE64URL_NOPAD.encode(&whole))
    };
    let mut bad = |name: &str, link: &str, error: &str, at: &str| v.bad("invite_link", name, Value::Null, link.as_bytes(), error, at);
    bad("nothing", "", "not_a_link", "");
    bad("another scheme", &link.replace("madang:", "https:"), "not_a_link", "");
    bad("a letter changed", &link.replacen("BAQE", "BAQF", 1), "damaged", "");
    bad("cut", &link[..link.len() - 4], "damaged", "");
    bad("no data", "madang:invite?d=", "damaged", "");
    bad("padded base64", &format!("{link}=="), "damaged", "");
    bad("over 8192 characters", &format!("madang:invite?d={}", "A".repeat(8193)), "damaged", "");
    bad("over 4096 bytes", &checked(&[0; 4097]), "too_long", "invite");
    bad("whole, but of version 2", &checked(&[0, 2]), "version", "invite.version");
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
    let package = json!({ "not_before_s": number(10), "not_after_s": number(20), "last_resort": true, "bytes": "0102" });
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
    other("transports", json!([certificate(9)]), "a transport certificate by a stranger", "wrong_identity", "");
    let mut forged = certificate(2);
    forged.replace_range(forged.len() - 2.., "00");
    other("transports", json!([forged]), "a forged transport certificate", "signature", "");
    other("packages", vec![package.clone(); 17].into(), "17 key packages", "too_long", "card.packages");
    other("name", "a".repeat(129).into(), "a name of 129 bytes", "too_long", "card.name");
    let foreign = DeviceLog::create(&AccountSecret::from_bytes([9; 32]), device(2).public());
    other("log", hexed(foreign.encode()), "a log of another account", "wrong_identity", "");

    let mut bad = |name: &str, keys: &Value, bytes: &[u8], error: &str, at: &str| v.bad("card", name, keys.clone(), bytes, error, at);
    let mut elsewhere = keys.clone();
    elsewhere["topic"] = hexed(TopicSecret::from_bytes([8; 32]).public().0);
    bad("on another topic", &elsewhere, &card, "signature", "");
    let mut by_stranger = keys.clone();
    by_stranger["device_secret"] = hexed([9; 32]);
    bad("by a device that the log doesn't certify", &keys, &write_card(&by_stranger, &fields), "wrong_identity", "");
    let mut revoked = log();
    revoked.append_by_device(&device(2), StatementBody::Add { device: device(3).public() });
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
    bad("by a revoked device", &keys, &write_card(&keys, &fields_of_revoked), "wrong_identity", "");
    let (signed, _) = card.split_at(card.len() - 64);
    let without_topic = device(2).sign(Domain::Card, signed);
    bad("signed without the topic", &keys, &[signed, &without_topic].concat(), "signature", "");
    bad("version 2", &keys, &[&[0, 2], &card[2..]].concat(), "version", "card.version");
    let suite_at = 2 + log().encode().len();
    bad("an unknown suite", &keys, &[&card[..suite_at], &[0, 3], &card[suite_at + 2..]].concat(), "suite", "");
    // Suite, seal key, length of the packages, two times.
    let flag_at = suite_at + 2 + 33 + 1 + 16;
    bad("a last-resort flag of 2", &keys, &[&card[..flag_at], &[2], &card[flag_at + 1..]].concat(), "invalid", "package.last_resort");
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
    });
    let bytes = v.good("details", "of a device", Value::Null, details.clone());
    v.bad("details", "version 2", Value::Null, &[&[0, 2], &bytes[2..]].concat(), "version", "details.version");
    let mut foreign = details.clone();
    foreign["transports"] = json!([certificate(9)]);
    v.bad("details", "a transport key of a stranger", Value::Null, &write_details(&Value::Null, &foreign), "wrong_identity", "");
    let mut broken = log();
    broken.statements[0].signature[0] ^= 1;
    let mut forged = details.clone();
    forged["log"] = hexed(broken.encode());
    v.bad("details", "a forged log", Value::Null, &write_details(&Value::Null, &forged), "author", "0");
    v.bad("details", "a byte too many", Value::Null, &[&bytes[..], &[0]].concat(), "trailing", "");

    let fields = json!({ "details": details, "chat": hexed([9; 32]), "node": hexed([10; 32]), "welcome": "0102" });
    let request = v.good("request", "a request", Value::Null, fields.clone());
    let mut bad = |name: &str, bytes: &[u8], error: &str, at: &str| v.bad("request", name, Value::Null, bytes, error, at);
    bad("version 2", &[&[0, 2], &request[2..]].concat(), "version", "request.version");
    bad("cut", &request[..request.len() - 1], "truncated", "request.extensions");
    bad("a byte too many", &[&request[..], &[0]].concat(), "trailing", "");
    let mut large = fields;
    large["welcome"] = hexed(vec![0; limits::WELCOME_BYTES + 1]);
    bad("a Welcome over 40960 bytes", &write_request(&Value::Null, &large), "too_long", "request.welcome");
}

fn fill_sealed(v: &mut Vectors) {
    let topic = TopicSecret::from_bytes([7; 32]).public();
    let keys = json!({ "card_key": hexed([3; 32]), "topic": hexed(topic.0), "entropy": hexed([1; 32]) });
    let sealed = v.good("sealed_card", "a sealed content", keys.clone(), json!({ "content": hexed("card") }));
    let mut other_key = keys.clone();
    other_key["card_key"] = hexed([4; 32]);
    let mut other_topic = keys.clone();
    other_topic["topic"] = hexed([4; 32]);
    v.bad("sealed_card", "another key", other_key, &sealed, "sealed", "");
    v.bad("sealed_card", "another topic", other_topic, &sealed, "sealed", "");
    v.bad("sealed_card", "a changed nonce", keys.clone(), &[&[sealed[0] ^ 1], &sealed[1..]].concat(), "sealed", "");
    v.bad("sealed_card", "cut inside the nonce", keys, &sealed[..23], "truncated", "card.nonce");

    for (suite, kem) in [(Suite::XWing, HpkeKemType::XWingKemDraft6), (Suite::X25519, HpkeKemType::DhKem25519)] {
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
        let sealed = v.good("sealed_request", &name("a sealed content"), keys.clone(), json!({ "content": hexed("request") }));
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
        bad("cut", &keys, &sealed[..sealed.len() - 1], "truncated", "sealed.ciphertext");
        bad("a byte too many", &keys, &[&sealed[..], &[0]].concat(), "trailing", "");
        if suite == Suite::X25519 {
            // Padding is checked once it is opened: content that hides something behind it is refused.
            let mut padded = padding::pad(b"request");
            *padded.last_mut().unwrap() = 1;
            let hidden = crypto.hpke_seal(config(), &pair.public, b"madang 1 contact request", &topic.0, &padded).unwrap();
            let mut w = Writer::default();
            w.bytes(hidden.kem_output.as_slice());
            w.bytes(hidden.ciphertext.as_slice());
            bad("padding that isn't zero", &keys, &w.into_bytes(), "invalid", "padding");
        }
    }
}
