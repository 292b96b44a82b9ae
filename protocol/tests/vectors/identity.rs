//! `identity.json`: recovery phrase, account address, device log, transport certificate.

use crate::kit::{Fault, Format, Kind, Vectors, array, hexed, items, number, text, uint64};
use madang_protocol::identity::{
    Author, DeviceLog, DeviceLogError, Phrase, Statement, StatementBody, TransportCertificate,
};
use madang_protocol::keys::{AccountId, AccountSecret, DeviceId, DeviceSecret, Domain, TransportKey};
use madang_protocol::limits;
use madang_protocol::wire::{Wire, Writer};
use serde_json::{Value, json};

pub const FORMAT: Format = Format {
    file: "identity",
    kinds: &[
        Kind {
            name: "phrase",
            text: true,
            read: read_phrase,
            write: write_phrase,
        },
        Kind {
            name: "account_address",
            text: true,
            read: read_address,
            write: write_address,
        },
        Kind {
            name: "device_log",
            text: false,
            read: read_log,
            write: write_log,
        },
        Kind {
            name: "transport_certificate",
            text: false,
            read: read_certificate,
            write: write_certificate,
        },
    ],
    fill,
};

impl From<DeviceLogError> for Fault {
    fn from(error: DeviceLogError) -> Self {
        let at = |at: usize| Some(at.to_string());
        match error {
            DeviceLogError::Decode(error) => error.into(),
            DeviceLogError::Link { at: place } => Self {
                error: "link",
                at: at(place),
            },
            DeviceLogError::Author { at: place } => Self {
                error: "author",
                at: at(place),
            },
            DeviceLogError::Inapplicable { at: place } => Self {
                error: "inapplicable",
                at: at(place),
            },
            DeviceLogError::Empty => Self::new("empty"),
        }
    }
}

fn utf8(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn read_phrase(_: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    let phrase = Phrase::from_words(utf8(bytes)).map_err(|_| Fault::new("phrase"))?;
    let root = phrase.account().unwrap();
    Ok(json!({
        "entropy": hexed(phrase.entropy()),
        "root_seed": hexed(root.to_bytes().as_slice()),
        "account": hexed(root.public().0),
    }))
}

fn write_phrase(_: &Value, fields: &Value) -> Vec<u8> {
    Phrase::from_entropy(array(fields, "entropy"))
        .words()
        .unwrap()
        .as_bytes()
        .to_vec()
}

fn read_address(_: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    let account: AccountId = utf8(bytes).parse().map_err(|_| Fault::new("account_address"))?;
    Ok(json!({ "account": hexed(account.0) }))
}

fn write_address(_: &Value, fields: &Value) -> Vec<u8> {
    AccountId(array(fields, "account")).to_string().into_bytes()
}

fn read_log(_: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    let log = DeviceLog::decode(bytes)?;
    let active: Vec<Value> = log.verify()?.iter().map(|device| hexed(device.0)).collect();
    let statements: Vec<Value> = log.statements.iter().map(statement_value).collect();
    Ok(json!({ "account": hexed(log.account.0), "statements": statements, "active": active }))
}

fn statement_value(statement: &Statement) -> Value {
    let body = match &statement.body {
        StatementBody::Add { device } => json!({ "add": { "device": hexed(device.0) } }),
        StatementBody::Revoke {
            device,
            last_sequence,
            last_hash,
        } => json!({ "revoke": {
            "device": hexed(device.0),
            "last_sequence": number(*last_sequence),
            "last_hash": hexed(last_hash),
        } }),
        StatementBody::Rotate { old, new } => json!({ "rotate": { "old": hexed(old.0), "new": hexed(new.0) } }),
    };
    let author = match statement.author {
        Author::Root => Value::from("root"),
        Author::Device(device) => hexed(device.0),
    };
    json!({
        "previous": hexed(statement.previous),
        "body": body,
        "author": author,
        "signature": hexed(statement.signature),
    })
}

fn write_log(_: &Value, fields: &Value) -> Vec<u8> {
    DeviceLog {
        account: AccountId(array(fields, "account")),
        statements: items(fields, "statements").map(statement_of).collect(),
    }
    .encode()
}

fn statement_of(value: &Value) -> Statement {
    let (kind, body) = value["body"].as_object().unwrap().iter().next().unwrap();
    let body = match kind.as_str() {
        "add" => StatementBody::Add {
            device: DeviceId(array(body, "device")),
        },
        "revoke" => StatementBody::Revoke {
            device: DeviceId(array(body, "device")),
            last_sequence: uint64(body, "last_sequence"),
            last_hash: array(body, "last_hash"),
        },
        "rotate" => StatementBody::Rotate {
            old: DeviceId(array(body, "old")),
            new: DeviceId(array(body, "new")),
        },
        other => panic!("no statement {other}"),
    };
    Statement {
        previous: array(value, "previous"),
        body,
        author: match text(value, "author").as_str() {
            "root" => Author::Root,
            _ => Author::Device(DeviceId(array(value, "author"))),
        },
        signature: array(value, "signature"),
    }
}

fn read_certificate(_: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    let certificate = TransportCertificate::decode(bytes)?;
    certificate.verify()?;
    Ok(json!({
        "device": hexed(certificate.device.0),
        "transport": hexed(certificate.transport.0),
        "issued_s": number(certificate.issued_s),
        "signature": hexed(certificate.signature),
    }))
}

fn write_certificate(_: &Value, fields: &Value) -> Vec<u8> {
    TransportCertificate {
        device: DeviceId(array(fields, "device")),
        transport: TransportKey(array(fields, "transport")),
        issued_s: uint64(fields, "issued_s"),
        signature: array(fields, "signature"),
    }
    .encode()
}

fn device(n: u8) -> DeviceSecret {
    DeviceSecret::from_bytes([n; 32])
}

fn revoke(n: u8) -> StatementBody {
    StatementBody::Revoke {
        device: device(n).public(),
        last_sequence: 9,
        last_hash: [0xcc; 32],
    }
}

fn add(n: u8) -> StatementBody {
    StatementBody::Add {
        device: device(n).public(),
    }
}

fn fill(v: &mut Vectors) {
    fill_phrases(v);
    let root = AccountSecret::from_bytes([1; 32]);
    v.good(
        "account_address",
        "an account",
        Value::Null,
        json!({ "account": hexed(root.public().0) }),
    );
    let address = root.public().to_string();
    v.good_to_read(
        "account_address",
        "all in capitals",
        Value::Null,
        address.to_uppercase().as_bytes(),
    );
    let hrp = |text| bech32::Hrp::parse(text).unwrap();
    for (name, address) in [
        ("a wrong letter", address.replacen('q', "p", 1)),
        ("letters of both cases", address.replacen('q', "Q", 1)),
        (
            "another prefix",
            bech32::encode::<bech32::Bech32m>(hrp("madong"), &root.public().0).unwrap(),
        ),
        (
            "the older checksum (bech32)",
            bech32::encode::<bech32::Bech32>(hrp("madang"), &root.public().0).unwrap(),
        ),
        (
            "31 bytes",
            bech32::encode::<bech32::Bech32m>(hrp("madang"), &[1; 31]).unwrap(),
        ),
        ("nothing", String::new()),
    ] {
        v.bad(
            "account_address",
            name,
            Value::Null,
            address.as_bytes(),
            "account_address",
            "",
        );
    }
    fill_logs(v, &root);
    fill_certificates(v);
}

fn fill_phrases(v: &mut Vectors) {
    for entropy in [[0; 32], [5; 32], [0xff; 32]] {
        v.good(
            "phrase",
            &format!("32 bytes {:02x}", entropy[0]),
            Value::Null,
            json!({ "entropy": hexed(entropy) }),
        );
    }
    let words = Phrase::from_entropy([5; 32]).words().unwrap().to_string();
    let shouted = format!("  {}\n", words.to_uppercase().replace(' ', "   "));
    v.good_to_read("phrase", "capitals and spaces", Value::Null, shouted.as_bytes());
    let first = words.split(' ').next().unwrap();
    for (name, words) in [
        ("a word too few", words.trim_start_matches(first).trim().to_owned()),
        ("a word too many", format!("{words} zoo")),
        ("a checksum that doesn't match", words.replacen(first, "zoo", 1)),
        ("a word that isn't in the list", words.replacen(first, "madang", 1)),
        (
            "a valid phrase of twelve words",
            format!("{}about", "abandon ".repeat(11)),
        ),
        ("nothing", String::new()),
    ] {
        v.bad("phrase", name, Value::Null, words.as_bytes(), "phrase", "");
    }
}

fn fill_logs(v: &mut Vectors, root: &AccountSecret) {
    let first = DeviceLog::create(root, device(2).public());
    let grown = |by: &[(u8, StatementBody)]| {
        let mut log = first.clone();
        for (author, body) in by {
            match author {
                0 => log.append_by_root(root, body.clone()),
                author => log.append_by_device(&device(*author), body.clone()),
            }
        }
        log
    };
    let rotate = StatementBody::Rotate {
        old: device(2).public(),
        new: device(4).public(),
    };
    let whole = grown(&[(2, add(3)), (2, rotate), (0, revoke(3))]);
    let mut good = |name, log: &DeviceLog| {
        let statements: Vec<Value> = log.statements.iter().map(statement_value).collect();
        let fields = json!({ "account": hexed(log.account.0), "statements": statements });
        v.good("device_log", name, Value::Null, fields)
    };
    let bytes = good("one device", &first);
    good(
        "a device added, another rotated, the added one revoked by the root",
        &whole,
    );

    let mut bad =
        |name: &str, bytes: &[u8], error: &str, at: &str| v.bad("device_log", name, Value::Null, bytes, error, at);
    let refused = |by: &[(u8, StatementBody)]| grown(by).encode();
    bad("added by a stranger", &refused(&[(9, add(3))]), "author", "1");
    bad(
        "added by a revoked device",
        &refused(&[(2, add(3)), (3, revoke(2)), (2, add(4))]),
        "author",
        "3",
    );
    bad("a known device added", &refused(&[(0, add(2))]), "inapplicable", "1");
    bad(
        "a revoked device added again",
        &refused(&[(2, add(3)), (2, revoke(3)), (2, add(3))]),
        "inapplicable",
        "3",
    );
    bad(
        "an unknown device revoked",
        &refused(&[(0, revoke(3))]),
        "inapplicable",
        "1",
    );
    bad("no device left", &refused(&[(2, revoke(2))]), "empty", "");
    let mut log = whole.clone();
    log.account = AccountSecret::from_bytes([8; 32]).public();
    bad("moved to another account", &log.encode(), "link", "0");
    let mut log = whole.clone();
    log.statements.remove(1);
    bad("a statement left out", &log.encode(), "link", "1");
    let mut log = whole;
    log.statements[1].signature[0] ^= 1;
    bad("a signature changed", &log.encode(), "author", "1");
    let mut log = first.clone();
    log.statements.clear();
    bad("no statement", &log.encode(), "empty", "");
    let mut log = first.clone();
    log.statements = vec![first.statements[0].clone(); limits::DEVICE_STATEMENTS + 1];
    bad("65 statements", &log.encode(), "too_long", "device_log.statements");

    let changed = |at: usize, value: u8| {
        let mut bytes = bytes.clone();
        bytes[at] = value;
        bytes
    };
    bad("version 2", &changed(1, 2), "version", "device_log.version");
    bad("an unknown statement", &changed(68, 4), "invalid", "statement.body");
    bad("an unknown author", &changed(101, 2), "invalid", "statement.author");
    bad(
        "cut inside a statement",
        &bytes[..bytes.len() - 1],
        "truncated",
        "device_log.statements",
    );
    bad("a byte too many", &[&bytes[..], &[0]].concat(), "trailing", "");
}

fn fill_certificates(v: &mut Vectors) {
    let certificate = TransportCertificate::sign(&device(2), TransportKey([3; 32]), 1_700_000_000);
    let fields = json!({
        "device": hexed(certificate.device.0),
        "transport": hexed(certificate.transport.0),
        "issued_s": number(certificate.issued_s),
        "signature": hexed(certificate.signature),
    });
    let bytes = v.good("transport_certificate", "a transport key", Value::Null, fields);
    let mut bad = |name: &str, bytes: &[u8], error: &str, at: &str| {
        v.bad("transport_certificate", name, Value::Null, bytes, error, at)
    };
    let (signed, _) = bytes.split_at(bytes.len() - 64);
    let mut later = bytes.clone();
    later[73] ^= 1;
    bad("another time", &later, "signature", "");
    let mut version = bytes.clone();
    version[1] = 2;
    bad("version 2", &version, "version", "transport_certificate.version");
    let other = device(2).sign(Domain::DeviceStatement, signed);
    bad(
        "signed for another purpose",
        &[signed, &other].concat(),
        "signature",
        "",
    );
    bad(
        "cut inside the signature",
        &bytes[..bytes.len() - 1],
        "truncated",
        "transport_certificate.signature",
    );
    let mut w = Writer::default();
    w.fixed(&bytes);
    w.u8(0);
    bad("a byte too many", &w.into_bytes(), "trailing", "");
}
