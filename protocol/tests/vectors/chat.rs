//! `chat.json`: what chats put into MLS, and a chat of two from fixed entropy: key packages, Welcome, commits, messages.

use crate::kit::{Fault, Format, Kind, Vectors, array, bytes, hexed, number};
use crate::raw::Raw;
use crate::session::{ALICE, BOB, CAROL, CHAT, Person, Session};
use madang_protocol::chat::{ChatContext, Group, GroupError, Header, JoinInfo, LeafIdentity, Member};
use madang_protocol::contact::CardPackage;
use madang_protocol::identity::DeviceLog;
use madang_protocol::keys::{ChatId, DeviceId, NodeId, TopicSecret};
use madang_protocol::mls::{Crypto, GroupRows, Suite};
use madang_protocol::padding;
use madang_protocol::wire::Wire;
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
    file: "chat",
    kinds: &[
        kind("leaf_identity", read_identity, write_identity),
        kind("chat_context", read_context, write_context),
        kind("join_info", read_join_info, write_join_info),
        kind("key_package", read_package, write_package),
        kind("header", read_header, write_header),
        kind("welcome", read_welcome, write_welcome),
        kind("message", read_message, write_message),
        kind("commit", read_commit, write_commit),
    ],
    fill,
};

impl From<GroupError> for Fault {
    fn from(error: GroupError) -> Self {
        Self::new(match error {
            GroupError::Mls { .. } => "mls",
            GroupError::Identity { .. } => "identity",
            GroupError::Kind => "kind",
            GroupError::Node => "node",
            GroupError::NotAllowed { .. } => "not_allowed",
        })
    }
}

fn read_identity(_: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    let identity = LeafIdentity::decode(bytes)?;
    Ok(json!({ "log": hexed(identity.log.encode()), "device": hexed(identity.device.0) }))
}

fn write_identity(_: &Value, fields: &Value) -> Vec<u8> {
    LeafIdentity {
        log: DeviceLog::decode(&bytes(fields, "log")).unwrap(),
        device: DeviceId(array(fields, "device")),
    }
    .encode()
}

fn read_context(_: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    ChatContext::decode(bytes)?;
    Ok(json!({ "kind": "one_to_one" }))
}

fn write_context(_: &Value, _: &Value) -> Vec<u8> {
    ChatContext.encode()
}

fn read_join_info(_: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    let info = JoinInfo::decode(bytes)?;
    Ok(json!({ "topic_secret": hexed(info.topic.to_bytes().as_slice()), "parent": hexed(info.parent.0) }))
}

fn write_join_info(_: &Value, fields: &Value) -> Vec<u8> {
    JoinInfo {
        topic: TopicSecret::from_bytes(array(fields, "topic_secret")),
        parent: NodeId(array(fields, "parent")),
    }
    .encode()
}

fn person_value(person: &Person) -> Value {
    json!({
        "root_seed": hexed(person.root_seed),
        "device_seed": hexed(person.device_seed),
        "entropy": hexed(person.entropy),
    })
}

fn person_of(value: &Value) -> Person {
    Person {
        root_seed: array(value, "root_seed"),
        device_seed: array(value, "device_seed"),
        entropy: array(value, "entropy"),
    }
}

fn suite_of(keys: &Value) -> Suite {
    Suite::from_number(keys["suite"].as_u64().unwrap() as u16).unwrap()
}

/// A private key of a key package, out of its stored rows.
fn private_key(rows: &GroupRows, name: &str) -> Value {
    fn find<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
        let members = value.as_object()?;
        members.get(name).or_else(|| members.values().find_map(|inner| find(inner, name)))
    }
    fn numbers(value: &Value) -> Option<Vec<u8>> {
        match value {
            Value::Array(items) => items.iter().map(|item| item.as_u64()?.try_into().ok()).collect(),
            Value::Object(members) => members.values().find_map(numbers),
            _ => None,
        }
    }
    rows.values()
        .filter_map(|row| rmp_serde::from_slice::<Value>(row).ok())
        .find_map(|row| find(&row, name).and_then(numbers))
        .map(hexed)
        .unwrap_or_else(|| panic!("no row holds {name}"))
}

fn package_of(keys: &Value) -> (CardPackage, GroupRows) {
    let person = person_of(&keys["owner"]);
    person.package(&person.crypto(), suite_of(keys), keys["last_resort"].as_bool().unwrap())
}

/// Read as one who would add its owner.
fn read_package(keys: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    let crypto = Crypto::new([0; 32]);
    let package = CardPackage {
        not_before_s: 0,
        not_after_s: u64::MAX,
        last_resort: false,
        bytes: bytes.to_vec(),
    };
    let (group, topic) = Group::create(&crypto, &CAROL.device(), &CAROL.identity(), suite_of(keys), CHAT)?;
    let change = group.add(&crypto, &CAROL.device(), &[package], &topic)?;
    let members = change.group.members()?;
    if keys.get("init_private_key").is_some() {
        let (_, rows) = package_of(keys);
        assert_eq!(keys["init_private_key"], private_key(&rows, "private_init_key"));
        assert_eq!(keys["leaf_private_key"], private_key(&rows, "private_encryption_key"));
    }
    let member = members.iter().find(|member| member.device != CAROL.device().public()).unwrap();
    Ok(member_value(member))
}

fn write_package(keys: &Value, _: &Value) -> Vec<u8> {
    package_of(keys).0.bytes
}

fn member_value(member: &Member) -> Value {
    json!({ "leaf": member.leaf, "account": hexed(member.account.0), "device": hexed(member.device.0) })
}

fn header_value(header: &Header, bytes: &[u8]) -> Value {
    // Computed here on its own, from what the specification says.
    let mut hasher = blake3::Hasher::new_derive_key("madang 1 node");
    hasher.update(&(bytes.len() as u64).to_be_bytes());
    hasher.update(bytes);
    let makes = if header.commit { hexed(hasher.finalize().as_bytes()) } else { Value::Null };
    json!({
        "chat": hexed(header.chat.0),
        "node": hexed(header.node.0),
        "epoch": number(header.epoch),
        "commit": header.commit,
        "makes": makes,
    })
}

fn read_header(_: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    Ok(header_value(&Header::read(bytes)?, bytes))
}

/// The commit that adds the second.
fn write_header(keys: &Value, _: &Value) -> Vec<u8> {
    session_of(keys).commit
}

/// The session that the keys name, `updates` states after the joining.
fn session_of(keys: &Value) -> Session {
    let people = [person_of(&keys["first"]), person_of(&keys["second"])];
    let mut session = Session::of(suite_of(keys), ChatId(array(keys, "chat")), people);
    for _ in 0..keys["updates"].as_u64().unwrap_or(0) {
        session.advance();
    }
    session
}

fn session_keys(suite: Suite) -> Value {
    json!({
        "suite": suite.number(),
        "chat": hexed(CHAT.0),
        "first": person_value(&ALICE),
        "second": person_value(&BOB),
    })
}

fn state_keys(suite: Suite, updates: u64, reader: &str) -> Value {
    let mut keys = session_keys(suite);
    keys["updates"] = updates.into();
    keys["reader"] = reader.into();
    keys
}

fn read_welcome(keys: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    let person = person_of(&keys["second"]);
    let crypto = person.crypto();
    let (_, rows) = person.package(&crypto, suite_of(keys), false);
    let joined = Group::join(&crypto, rows, bytes, NodeId(array(keys, "node")))?;
    Ok(json!({
        "chat": hexed(joined.group.chat()?.0),
        "epoch": number(joined.group.epoch()),
        "own_leaf": joined.group.own_leaf(),
        "topic_secret": hexed(joined.info.topic.to_bytes().as_slice()),
        "parent": hexed(joined.info.parent.0),
        "inviter": member_value(&joined.inviter),
        "members": joined.group.members()?.iter().map(member_value).collect::<Vec<_>>(),
    }))
}

fn write_welcome(keys: &Value, _: &Value) -> Vec<u8> {
    session_of(keys).welcome
}

fn read_message(keys: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    let mut session = session_of(keys);
    let header = Header::read(bytes)?;
    let opened = match keys["reader"].as_str().unwrap() {
        "first" => session.a.open(&session.alice, bytes)?,
        _ => session.b.open(&session.bob, bytes)?,
    };
    Ok(json!({
        "header": header_value(&header, bytes),
        "author": member_value(&opened.member),
        "inner": hexed(opened.inner),
    }))
}

fn write_message(keys: &Value, fields: &Value) -> Vec<u8> {
    let (mut session, inner) = (session_of(keys), bytes(fields, "inner"));
    match keys["reader"].as_str().unwrap() {
        "first" => session.bob_says(&inner),
        _ => session.alice_says(&inner),
    }
}

fn read_commit(keys: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    let session = session_of(keys);
    let header = Header::read(bytes)?;
    let after = match keys["reader"].as_str().unwrap() {
        "first" => session.a.apply(&session.alice, bytes)?,
        _ => session.b.apply(&session.bob, bytes)?,
    };
    let header = header_value(&header, bytes);
    assert_eq!(header["makes"], hexed(after.node().0));
    Ok(json!({
        "header": header,
        "epoch_after": number(after.epoch()),
        "members_after": after.members()?.iter().map(member_value).collect::<Vec<_>>(),
    }))
}

fn write_commit(keys: &Value, _: &Value) -> Vec<u8> {
    session_of(keys).update().commit
}

fn fill(v: &mut Vectors) {
    fill_extensions(v);
    for suite in [Suite::X25519, Suite::XWing] {
        fill_packages(v, suite);
        fill_chat(v, suite);
    }
    // The rules don't depend on the suite.
    fill_refused_messages(v);
    fill_refused_commits(v);
    fill_refused_welcomes(v);
}

fn fill_extensions(v: &mut Vectors) {
    let identity = ALICE.identity();
    let fields = json!({ "log": hexed(identity.log.encode()), "device": hexed(identity.device.0) });
    let bytes = v.good("leaf_identity", "a device", Value::Null, fields);
    v.bad("leaf_identity", "version 2", Value::Null, &[&[0, 2], &bytes[2..]].concat(), "version", "leaf_identity.version");
    v.bad("leaf_identity", "cut", Value::Null, &bytes[..bytes.len() - 1], "truncated", "DeviceId");
    v.bad("leaf_identity", "a byte too many", Value::Null, &[&bytes[..], &[0]].concat(), "trailing", "");

    let bytes = v.good("chat_context", "of two", Value::Null, json!({}));
    v.good_to_read("chat_context", "extensions of a later version", Value::Null, &[0, 1, 1, 1, 0xaa]);
    v.bad("chat_context", "version 2", Value::Null, &[0, 2, 1, 0], "version", "chat_context.version");
    v.bad("chat_context", "another kind of chat", Value::Null, &[0, 1, 2, 0], "invalid", "chat_context.kind");
    v.bad("chat_context", "cut", Value::Null, &bytes[..3], "truncated", "chat_context.extensions");

    let fields = json!({ "topic_secret": hexed([4; 32]), "parent": hexed([5; 32]) });
    let bytes = v.good("join_info", "a topic and a parent", Value::Null, fields);
    v.bad("join_info", "version 2", Value::Null, &[&[0, 2], &bytes[2..]].concat(), "version", "join_info.version");
    v.bad("join_info", "cut", Value::Null, &bytes[..40], "truncated", "NodeId");
    v.bad("join_info", "a byte too many", Value::Null, &[&bytes[..], &[0]].concat(), "trailing", "");
}

fn fill_packages(v: &mut Vectors, suite: Suite) {
    let name = |what: &str| format!("suite {}: {what}", suite.number());
    let mut package = Vec::new();
    for last_resort in [true, false] {
        let mut keys = json!({ "suite": suite.number(), "owner": person_value(&BOB), "last_resort": last_resort });
        let (_, rows) = package_of(&keys);
        keys["init_private_key"] = private_key(&rows, "private_init_key");
        keys["leaf_private_key"] = private_key(&rows, "private_encryption_key");
        let what = if last_resort { "a last-resort key package" } else { "a key package" };
        package = v.good("key_package", &name(what), keys, json!({}));
    }
    let keys = json!({ "suite": suite.number() });
    let mut changed = package.clone();
    *changed.last_mut().unwrap() ^= 1;
    v.bad("key_package", &name("a changed signature"), keys.clone(), &changed, "mls", "");
    v.bad("key_package", &name("cut"), keys.clone(), &package[..package.len() - 1], "mls", "");
    let other = if suite == Suite::XWing { Suite::X25519 } else { Suite::XWing };
    let (other, _) = BOB.package(&BOB.crypto(), other, false);
    v.bad("key_package", &name("of another suite"), keys.clone(), &other.bytes, "mls", "");
    let mut forged = BOB;
    forged.root_seed = CAROL.root_seed;
    let identity = LeafIdentity {
        log: ALICE.identity().log,
        device: forged.device().public(),
    };
    let (stranger, _) =
        madang_protocol::chat::key_package(&forged.crypto(), &forged.device(), &identity, suite, false, 0, u64::MAX).unwrap();
    v.bad("key_package", &name("a device that its account doesn't certify"), keys.clone(), &stranger.bytes, "identity", "");
    v.bad("key_package", &name("a Welcome instead"), keys, &Session::new(suite).welcome, "kind", "");
}

fn fill_chat(v: &mut Vectors, suite: Suite) {
    let name = |what: &str| format!("suite {}: {what}", suite.number());
    let added = v.good("header", &name("the commit that adds the second"), session_keys(suite), json!({}));
    let mut keys = session_keys(suite);
    keys["node"] = hexed(Session::new(suite).a.node().0);
    let header = Header::read(&added).unwrap();
    assert_eq!(header_value(&header, &added)["makes"], keys["node"], "the node that the Welcome leads to");
    v.good("welcome", &name("the second joins"), keys, json!({}));
    for (updates, reader) in [(0, "second"), (0, "first"), (1, "second"), (2, "first")] {
        let inner = json!({ "inner": hexed(format!("after {updates} updates, to the {reader}")) });
        let what = format!("after {updates} updates, read by the {reader}");
        v.good("message", &name(&what), state_keys(suite, updates, reader), inner);
    }
    v.good("commit", &name("the second's turn at epoch 1"), state_keys(suite, 0, "first"), json!({}));
    v.good("commit", &name("the first's turn at epoch 2"), state_keys(suite, 1, "second"), json!({}));
}

const SUITE: Suite = Suite::X25519;

fn fill_refused_messages(v: &mut Vectors) {
    let keys = state_keys(SUITE, 0, "second");
    let mut bad = |name: &str, bytes: &[u8], error: &str| v.bad("message", name, keys.clone(), bytes, error, "");
    let mut session = Session::new(SUITE);
    let node = session.a.node().0;
    let sealed = session.alice_says(b"inner");
    let mut changed = sealed.clone();
    *changed.last_mut().unwrap() ^= 1;
    bad("a changed ciphertext", &changed, "mls");
    bad("cut", &sealed[..sealed.len() - 1], "mls");
    bad("a byte too many", &[&sealed[..], &[0]].concat(), "mls");
    bad("nothing", b"", "mls");
    bad("a commit", &session.update().commit, "node");
    session.advance();
    bad("of a later state", &session.alice_says(b"inner"), "node");
    bad("a key package", &session.package.bytes, "mls");
    bad("the reader's own", &Session::new(SUITE).bob_says(b"inner"), "kind");
    let mut elsewhere = Session::of(SUITE, CHAT, [CAROL, BOB]);
    bad("of another group with the same chat id", &elsewhere.alice_says(b"inner"), "node");

    let raw = |with: &dyn Fn(&mut Raw<'_>) -> Vec<u8>| {
        let session = Session::new(SUITE);
        with(&mut Raw::take(&session.a, &session.alice, &ALICE))
    };
    let mut padded = padding::pad(b"inner");
    *padded.last_mut().unwrap() = 1;
    bad("padding that isn't zero", &raw(&|raw| raw.seal(&node, &padded)), "mls");
    bad("no padding, no length", &raw(&|raw| raw.seal(&node, b"")), "mls");
    bad("authenticated data of 31 bytes", &raw(&|raw| raw.seal(&node[..31], &padding::pad(b"inner"))), "kind");
    bad("no authenticated data", &raw(&|raw| raw.seal(&[], &padding::pad(b"inner"))), "kind");
    bad("a proposal on its own", &raw(&|raw| raw.propose(&node, false)), "kind");
    bad("a public message", &raw(&|raw| raw.propose(&node, true)), "kind");
}

fn fill_refused_commits(v: &mut Vectors) {
    let keys = state_keys(SUITE, 0, "first");
    let mut bad = |name: &str, keys: &Value, bytes: &[u8], error: &str| v.bad("commit", name, keys.clone(), bytes, error, "");
    let mut session = Session::new(SUITE);
    let node = session.b.node().0;
    let commit = session.update().commit;
    let mut changed = commit.clone();
    *changed.last_mut().unwrap() ^= 1;
    bad("a changed ciphertext", &keys, &changed, "mls");
    bad("a message", &keys, &session.bob_says(b"inner"), "node");
    let out_of_turn = session.a.update_leaf(&session.alice, &ALICE.device()).unwrap().commit;
    bad("out of turn", &state_keys(SUITE, 0, "second"), &out_of_turn, "not_allowed");
    let (third, _) = CAROL.package(&CAROL.crypto(), SUITE, false);
    let adds = session.b.add(&session.bob, &BOB.device(), &[third], &session.topic).unwrap().commit;
    bad("a third member added", &keys, &adds, "not_allowed");
    session.advance();
    bad("of a later state", &keys, &session.update().commit, "node");
    let session = Session::new(SUITE);
    let stolen = Raw::take(&session.b, &session.bob, &BOB).commit_as(&node, &CAROL);
    bad("a leaf that becomes another device's", &keys, &stolen, "not_allowed");
}

fn fill_refused_welcomes(v: &mut Vectors) {
    let mut keys = session_keys(SUITE);
    let session = Session::new(SUITE);
    keys["node"] = hexed(session.a.node().0);
    let mut bad = |name: &str, bytes: &[u8], error: &str| v.bad("welcome", name, keys.clone(), bytes, error, "");
    let mut changed = session.welcome.clone();
    *changed.last_mut().unwrap() ^= 1;
    bad("a changed group info", &changed, "mls");
    bad("cut", &session.welcome[..session.welcome.len() - 1], "mls");
    bad("a key package", &session.package.bytes, "kind");
    bad("for another's key package", &Session::of(SUITE, CHAT, [ALICE, CAROL]).welcome, "mls");
    // The first state's rows, taken over by a member who leaves our join info out.
    let mut raw = Raw::take(&session.first, &session.alice, &ALICE);
    bad("no join info", &raw.add(&session.package.bytes), "mls");
}
