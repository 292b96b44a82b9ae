//! `chat.json`: what chats put into MLS, and a chat of two from fixed entropy: key packages, Welcome, commits, messages.

use crate::kit::{Fault, Format, Kind, Vectors, array, bytes, hexed, items, nodes_of, number, text, uint64};
use crate::raw::Raw;
use crate::session::{ALICE, BOB, CAROL, CHAT, Person, Session};
use madang_protocol::address::PeerAddress;
use madang_protocol::blob::BlobRef;
use madang_protocol::chat::{
    ChatContext, ChatKind, Group, GroupError, Header, JoinInfo, LeafIdentity, Mark, MarkKey, Member, Plan, Pointer,
    Profile, Sealed, Statement, Wish,
};
use madang_protocol::contact::CardPackage;
use madang_protocol::identity::DeviceLog;
use madang_protocol::keys::{AccountId, ChatId, DeviceId, DeviceSecret, NodeId, TopicSecret, TransportKey};
use madang_protocol::mls::{Crypto, GroupRows, Suite};
use madang_protocol::padding;
use madang_protocol::wire::Wire;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Value, json};

#[path = "chat_cases.rs"]
mod cases;

const fn kind(
    name: &'static str,
    read: fn(&Value, &[u8]) -> Result<Value, Fault>,
    write: fn(&Value, &Value) -> Vec<u8>,
) -> Kind {
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
        kind("statement", read_statement, write_statement),
        kind("profile", read_profile, write_profile),
        kind("key_package", read_package, write_package),
        kind("header", read_header, write_header),
        kind("welcome", read_welcome, write_welcome),
        kind("message", read_message, write_message),
        kind("commit", read_commit, write_commit),
        kind("pointer", read_pointer, write_pointer),
        kind("mark", read_mark, write_mark),
    ],
    fill: cases::fill,
};

impl From<GroupError> for Fault {
    fn from(error: GroupError) -> Self {
        if let GroupError::NotAllowed { reason } = error {
            return Self {
                error: "not_allowed",
                at: Some(reason.to_owned()),
            };
        }
        Self::new(match error {
            GroupError::Mls { .. } | GroupError::Unreadable => "mls",
            GroupError::Identity { .. } => "identity",
            GroupError::Kind => "kind",
            GroupError::Node => "node",
            GroupError::NotAllowed { .. } => "not_allowed",
        })
    }
}

fn read_mark(keys: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    let sealed = mark_key(keys)
        .open(
            ChatId(array(keys, "chat")),
            uint64(keys, "incarnation"),
            &Mark::decode(bytes)?,
        )
        .ok_or_else(|| Fault::new("not_ours"))?;
    Ok(json!({
        "start": sealed.start,
        "nonce": sealed.nonce,
        "count": number(sealed.count),
        "clock": number(sealed.clock),
    }))
}

fn write_mark(keys: &Value, fields: &Value) -> Vec<u8> {
    let small = |member: &str| u32::try_from(fields[member].as_u64().unwrap()).unwrap();
    let sealed = Sealed {
        start: small("start"),
        nonce: small("nonce"),
        count: uint64(fields, "count"),
        clock: uint64(fields, "clock"),
    };
    mark_key(keys)
        .seal(ChatId(array(keys, "chat")), uint64(keys, "incarnation"), &sealed)
        .encode()
}

fn mark_key(keys: &Value) -> MarkKey {
    MarkKey::of(&DeviceSecret::from_bytes(array(keys, "device_seed")))
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

pub fn context_value(context: &ChatContext) -> Value {
    let relay = |relay: &PeerAddress| json!({ "key": hexed(relay.key.0), "addrs": relay.addrs });
    json!({
        "kind": match context.kind {
            ChatKind::OneToOne => "one_to_one",
            ChatKind::Group => "group",
        },
        "name": context.name,
        "picture": hexed(&context.picture),
        "timer_s": context.timer_s,
        "admins": context.admins.iter().map(|admin| hexed(admin.0)).collect::<Vec<_>>(),
        "relays": context.relays.iter().map(relay).collect::<Vec<_>>(),
        "extensions": hexed(&context.extensions),
    })
}

fn read_context(_: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    Ok(context_value(&ChatContext::decode(bytes)?))
}

fn write_context(_: &Value, fields: &Value) -> Vec<u8> {
    let admin = |admin: &Value| AccountId(hex::decode(admin.as_str().unwrap()).unwrap().try_into().unwrap());
    let relay = |relay: &Value| PeerAddress {
        key: TransportKey(array(relay, "key")),
        addrs: items(relay, "addrs")
            .map(|text| text.as_str().unwrap().to_owned())
            .collect(),
    };
    ChatContext {
        kind: match text(fields, "kind").as_str() {
            "group" => ChatKind::Group,
            _ => ChatKind::OneToOne,
        },
        name: text(fields, "name"),
        picture: bytes(fields, "picture"),
        timer_s: fields["timer_s"].as_u64().unwrap() as u32,
        admins: items(fields, "admins").map(admin).collect(),
        relays: items(fields, "relays").map(relay).collect(),
        extensions: bytes(fields, "extensions"),
    }
    .encode()
}

fn read_join_info(_: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    let info = JoinInfo::decode(bytes)?;
    let topic = info.topic.map(|topic| hexed(topic.to_bytes().as_slice()));
    let profiles: Vec<Value> = info.profiles.iter().map(|profile| hexed(profile.encode())).collect();
    let past: Vec<Value> = info.past.iter().map(|node| hexed(node.0)).collect();
    Ok(json!({ "topic_secret": topic, "parent": hexed(info.parent.0), "profiles": profiles, "past": past }))
}

fn write_join_info(_: &Value, fields: &Value) -> Vec<u8> {
    let told = !fields["topic_secret"].is_null();
    JoinInfo {
        topic: told.then(|| TopicSecret::from_bytes(array(fields, "topic_secret"))),
        parent: NodeId(array(fields, "parent")),
        profiles: items(fields, "profiles").map(profile_of).collect(),
        past: nodes_of(fields, "past"),
    }
    .encode()
}

/// Read as one who would carry it out: its signature must be its device's, for the chat.
fn read_statement(keys: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    let statement = Statement::decode(bytes)?;
    statement.verify(ChatId(array(keys, "chat")))?;
    Ok(json!({
        "wish": match statement.wish {
            Wish::Leave => "leave",
            Wish::Rejoin => "rejoin",
        },
        "device": hexed(statement.device.0),
        "about": hexed(statement.about),
    }))
}

fn write_statement(keys: &Value, fields: &Value) -> Vec<u8> {
    let wish = match text(fields, "wish").as_str() {
        "rejoin" => Wish::Rejoin,
        _ => Wish::Leave,
    };
    let device = DeviceSecret::from_bytes(array(keys, "device_seed"));
    Statement::sign(&device, ChatId(array(keys, "chat")), wish, array(fields, "about")).encode()
}

fn profile_of(value: &Value) -> Profile {
    Profile::decode(&hex::decode(value.as_str().unwrap()).unwrap()).unwrap()
}

/// Read as one who is told it: its signature must be its device's, for the chat.
fn read_profile(keys: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    let profile = Profile::decode(bytes)?;
    profile.verify(ChatId(array(keys, "chat")))?;
    Ok(json!({ "device": hexed(profile.device.0), "number": number(profile.number), "name": profile.name }))
}

fn write_profile(keys: &Value, fields: &Value) -> Vec<u8> {
    let device = DeviceSecret::from_bytes(array(keys, "device_seed"));
    let (number, name) = (uint64(fields, "number"), text(fields, "name"));
    Profile::sign(&device, ChatId(array(keys, "chat")), number, name).encode()
}

pub fn person_value(person: &Person) -> Value {
    let mut value = json!({
        "root_seed": hexed(person.root_seed),
        "device_seed": hexed(person.device_seed),
        "entropy": hexed(person.entropy),
    });
    if let Some(first) = person.added_by {
        value["added_by"] = hexed(first);
    }
    value
}

pub fn person_of(value: &Value) -> Person {
    Person {
        added_by: value.get("added_by").map(|_| array(value, "added_by")),
        root_seed: array(value, "root_seed"),
        device_seed: array(value, "device_seed"),
        entropy: array(value, "entropy"),
    }
}

fn suite_of(keys: &Value) -> Suite {
    Suite::from_number(keys["suite"].as_u64().unwrap() as u16).unwrap()
}

/// A private key of a key package, out of its stored rows.
pub fn private_key(rows: &GroupRows, name: &str) -> Value {
    fn find<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
        let members = value.as_object()?;
        members
            .get(name)
            .or_else(|| members.values().find_map(|inner| find(inner, name)))
    }
    fn numbers(value: &Value) -> Option<Vec<u8>> {
        match value {
            Value::Array(items) => items.iter().map(|item| item.as_u64()?.try_into().ok()).collect(),
            Value::Object(members) => members.values().find_map(numbers),
            _ => None,
        }
    }
    rows.values()
        .filter_map(|row| rmp_serde::from_slice::<Row>(row).ok())
        .find_map(|Row(row)| find(&row, name).and_then(numbers))
        .map(hexed)
        .unwrap_or_else(|| panic!("no row holds {name}"))
}

/// A stored row, its bytes as lists of numbers.
struct Row(Value);

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Row;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a value of msgpack")
            }
            fn visit_bool<E>(self, value: bool) -> Result<Row, E> {
                Ok(Row(value.into()))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Row, E> {
                Ok(Row(value.into()))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Row, E> {
                Ok(Row(value.into()))
            }
            fn visit_str<E>(self, value: &str) -> Result<Row, E> {
                Ok(Row(value.into()))
            }
            fn visit_bytes<E>(self, value: &[u8]) -> Result<Row, E> {
                Ok(Row(value.into()))
            }
            fn visit_unit<E>(self) -> Result<Row, E> {
                Ok(Row(Value::Null))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Row, A::Error> {
                let mut items = Vec::new();
                while let Some(Row(item)) = list.next_element()? {
                    items.push(item);
                }
                Ok(Row(items.into()))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Row, A::Error> {
                let mut members = serde_json::Map::new();
                while let Some((Row(name), Row(value))) = map.next_entry()? {
                    members.insert(name.as_str().map_or_else(|| name.to_string(), str::to_owned), value);
                }
                Ok(Row(members.into()))
            }
        }

        deserializer.deserialize_any(Any)
    }
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
    let (device, settings) = (CAROL.device(), ChatContext::one_to_one());
    let (group, topic) = Group::create(&crypto, &device, &CAROL.identity(), suite_of(keys), CHAT, settings)?;
    let change = group.commit(&crypto, &device, &Plan::adding(&[package]), &topic)?;
    let members = change.group.members()?;
    if keys.get("init_private_key").is_some() {
        let (_, rows) = package_of(keys);
        assert_eq!(keys["init_private_key"], private_key(&rows, "private_init_key"));
        assert_eq!(keys["leaf_private_key"], private_key(&rows, "private_encryption_key"));
    }
    let member = members
        .iter()
        .find(|member| member.device != CAROL.device().public())
        .unwrap();
    Ok(member_value(member))
}

fn write_package(keys: &Value, _: &Value) -> Vec<u8> {
    package_of(keys).0.bytes
}

pub fn member_value(member: &Member) -> Value {
    json!({ "leaf": member.leaf, "account": hexed(member.account.0), "device": hexed(member.device.0) })
}

pub fn header_value(header: &Header, bytes: &[u8]) -> Value {
    // Computed here on its own, from what the specification says.
    let mut hasher = blake3::Hasher::new_derive_key("madang 1 node");
    hasher.update(&(bytes.len() as u64).to_be_bytes());
    hasher.update(bytes);
    let makes = if header.commit {
        hexed(hasher.finalize().as_bytes())
    } else {
        Value::Null
    };
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
        "topic_secret": hexed(joined.topic.to_bytes().as_slice()),
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
    let applied = match keys["reader"].as_str().unwrap() {
        "first" => session.a.apply(&session.alice, bytes)?,
        _ => session.b.apply(&session.bob, bytes)?,
    };
    let (header, after) = (header_value(&header, bytes), applied.group.unwrap());
    assert_eq!(header["makes"], hexed(after.node().0));
    assert!(applied.place.targets.is_empty() && !applied.renews);
    Ok(json!({
        "header": header,
        "epoch_after": number(after.epoch()),
        "members_after": after.members()?.iter().map(member_value).collect::<Vec<_>>(),
    }))
}

fn write_commit(keys: &Value, _: &Value) -> Vec<u8> {
    session_of(keys).update().commit
}

fn read_pointer(keys: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    let session = session_of(keys);
    let Some(pointer) = Pointer::read(bytes) else {
        return Err(Fault::new("not_a_pointer"));
    };
    let pointer = pointer?;
    let header = pointer.header();
    let blob = session.b.pointed(&session.bob, session.topic.public(), &pointer)?;
    Ok(json!({
        "chat": hexed(header.chat.0),
        "node": hexed(header.node.0),
        "epoch": number(header.epoch),
        "topic": hexed(session.topic.public().0),
        "blob": hexed(blob.encode()),
    }))
}

fn write_pointer(keys: &Value, fields: &Value) -> Vec<u8> {
    let (session, blob) = (session_of(keys), BlobRef::decode(&bytes(fields, "blob")).unwrap());
    let topic = session.topic.public();
    session.a.point_to(&session.alice, topic, &blob).unwrap()
}
