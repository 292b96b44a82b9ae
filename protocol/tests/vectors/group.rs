//! `chat_group.json`: commits of a group, what they make, and those that the rules refuse.

use crate::chat::{context_value, header_value, member_value, person_of, person_value, private_key};
use crate::kit::{Fault, Format, Kind, Vectors, array, hexed, items, number};
use crate::raw::{Raw, limited_package};
use crate::session::{ALICE, BOB, CAROL, CHAT, DAVE, ERIN, ERIN_AGAIN, FRANK, Person};
use crate::village::Village;
use madang_protocol::chat::{Applied, ChatContext, Group, Header, Target};
use madang_protocol::keys::{ChatId, NodeId};
use madang_protocol::mls::Suite;
use madang_protocol::wire::{Wire, Writer};
use openmls::prelude::{Extension, Extensions, GroupContext, UnknownExtension};
use serde_json::{Value, json};

#[path = "group_cases.rs"]
mod cases;

pub const FORMAT: Format = Format {
    file: "chat_group",
    kinds: &[
        Kind {
            name: "commit",
            text: false,
            read: read_commit,
            write: write_nothing,
        },
        Kind {
            name: "welcome",
            text: false,
            read: read_welcome,
            write: write_nothing,
        },
    ],
    fill: cases::fill,
};

fn suite_of(keys: &Value) -> Suite {
    Suite::from_number(keys["suite"].as_u64().unwrap() as u16).unwrap()
}

fn place(keys: &Value, member: &str) -> usize {
    keys[member].as_u64().unwrap() as usize
}

/// OpenMLS draws randomness in many threads, so the bytes differ each time: these vectors are only read.
fn write_nothing(_: &Value, _: &Value) -> Vec<u8> {
    unreachable!("a commit of a group isn't written twice alike")
}

/// Read from what the reader has: its key package, the Welcome and the commits before.
fn read_commit(keys: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    let person = person_of(&keys["people"][place(keys, "reader")]);
    let crypto = person.crypto();
    let (_, rows) = person.package(&crypto, suite_of(keys), false);
    assert_eq!(keys["init_private_key"], private_key(&rows, "private_init_key"));
    assert_eq!(keys["leaf_private_key"], private_key(&rows, "private_encryption_key"));
    let welcome = crate::kit::bytes(keys, "welcome");
    let mut group = Group::join(&crypto, rows, &welcome, NodeId(array(keys, "node")))?.group;
    for step in items(keys, "before") {
        group = group.apply(&crypto, &crate::kit::bytes(step, "commit"))?.group.unwrap();
    }
    let header = Header::read(bytes)?;
    let applied = group.apply(&crypto, bytes)?;
    assert_eq!(
        (applied.place.parent, applied.place.author),
        (group.node(), applied.author.account)
    );
    assert_eq!(applied.place.device, applied.author.device);
    let header = header_value(&header, bytes);
    assert_eq!(header["makes"], hexed(applied.node.0));
    let mut fields = json!({
        "header": header,
        "author": member_value(&applied.author),
        "epoch_after": number(applied.place.epoch),
        "tie": hexed(applied.place.tie),
        "targets": applied.place.targets.iter().map(target_value).collect::<Vec<_>>(),
        "admins_after": applied.place.admins.iter().map(|admin| hexed(admin.0)).collect::<Vec<_>>(),
        "renews": applied.renews,
    });
    fields["after"] = after_value(&applied, &crypto);
    Ok(fields)
}

/// The state after; null for whoever was removed.
fn after_value(applied: &Applied, crypto: &madang_protocol::mls::Crypto) -> Value {
    let Some(group) = &applied.group else {
        return Value::Null;
    };
    assert_eq!(group.epoch(), applied.place.epoch);
    let topic = applied.renews.then(|| group.topic(crypto).unwrap());
    json!({
        "members": group.members().unwrap().iter().map(member_value).collect::<Vec<_>>(),
        "context": context_value(group.context()),
        "topic_secret": topic.map(|topic| hexed(topic.to_bytes().as_slice())),
        "authenticator": hexed(group.authenticator()),
    })
}

fn target_value(target: &Target) -> Value {
    match target {
        Target::Account(account) => json!({ "account": hexed(account.0) }),
        Target::Device(device) => json!({ "device": hexed(device.0) }),
    }
}

fn read_welcome(keys: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    let person = person_of(&keys["people"][place(keys, "reader")]);
    let crypto = person.crypto();
    // The first key package served its turn when the group was made; this is the next one.
    person.package(&crypto, suite_of(keys), false);
    let (_, rows) = person.package(&crypto, suite_of(keys), false);
    assert_eq!(keys["init_private_key"], private_key(&rows, "private_init_key"));
    assert_eq!(keys["leaf_private_key"], private_key(&rows, "private_encryption_key"));
    let joined = Group::join(&crypto, rows, bytes, NodeId(array(keys, "node")))?;
    let told = joined.info.topic.as_ref();
    Ok(json!({
        "epoch": number(joined.group.epoch()),
        "own_leaf": joined.group.own_leaf(),
        "told_topic_secret": told.map(|topic| hexed(topic.to_bytes().as_slice())),
        "topic_secret": hexed(joined.topic.to_bytes().as_slice()),
        "parent": hexed(joined.info.parent.0),
        "inviter": member_value(&joined.inviter),
        "context": context_value(joined.group.context()),
        "members": joined.group.members()?.iter().map(member_value).collect::<Vec<_>>(),
    }))
}
