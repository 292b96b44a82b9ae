//! `contact.json`: invites, cards, details, requests and messages of inboxes, with their sealing.

use crate::kit::{Fault, Format, Kind, Vectors, array, bytes, hexed, items, nodes_of, number, text, uint64};
use madang_protocol::address::PeerAddress;
use madang_protocol::blob::BlobRef;
use madang_protocol::chat::Statement;
use madang_protocol::contact::{
    Card, CardKey, CardPackage, ContactError, Details, Inbox, Invite, InvitedGroup, Request,
};
use madang_protocol::identity::{DeviceLog, StatementBody, TransportCertificate};
use madang_protocol::inbox::{GroupWelcome, InboxMessage, LargeMessage, LeafTold, Rejoin};
use madang_protocol::keys::{
    AccountId, AccountSecret, ChatId, DeviceSecret, Domain, NodeId, TopicId, TopicSecret, TransportKey,
};
use madang_protocol::mls::{Crypto, Suite};
use madang_protocol::seal::{self, Purpose};
use madang_protocol::wire::{Reader, Wire, Writer};
use madang_protocol::{limits, padding};
use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::types::{HpkeAeadType, HpkeConfig, HpkeKdfType, HpkeKemType};
use serde_json::{Value, json};

#[path = "contact_cases.rs"]
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
        kind("inbox_message", read_inbox, write_inbox),
    ],
    fill: cases::fill,
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
            addrs: items(value, "addrs")
                .map(|addr| addr.as_str().unwrap().to_owned())
                .collect(),
        })
        .collect()
}

fn encoded<T: Wire>(values: &[T]) -> Value {
    values
        .iter()
        .map(|value| hexed(value.encode()))
        .collect::<Vec<_>>()
        .into()
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
    let group = |group: &InvitedGroup| json!({ "chat": hexed(group.chat.0), "name": group.name });
    json!({
        "account": hexed(invite.account.0),
        "card": hexed(invite.card.0),
        "card_key": hexed(invite.card_key.0),
        "requests_secret": hexed(invite.requests.to_bytes().as_slice()),
        "relays": addresses_value(&invite.relays),
        "devices": addresses_value(&invite.devices),
        "name": invite.name,
        "expires_s": number(invite.expires_s),
        "group": invite.group.as_ref().map(group),
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
        group: fields["group"].is_object().then(|| InvitedGroup {
            chat: ChatId(array(&fields["group"], "chat")),
            name: text(&fields["group"], "name"),
        }),
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

fn packages_value(packages: &[CardPackage]) -> Value {
    let package = |package: &CardPackage| {
        json!({
            "not_before_s": number(package.not_before_s),
            "not_after_s": number(package.not_after_s),
            "last_resort": package.last_resort,
            "bytes": hexed(&package.bytes),
        })
    };
    packages.iter().map(package).collect()
}

fn packages_of(fields: &Value) -> Vec<CardPackage> {
    let package = |value: &Value| CardPackage {
        not_before_s: uint64(value, "not_before_s"),
        not_after_s: uint64(value, "not_after_s"),
        last_resort: value["last_resort"].as_bool().unwrap(),
        bytes: bytes(value, "bytes"),
    };
    items(fields, "packages").map(package).collect()
}

fn read_card(keys: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    let card = Card::verify(bytes, TopicId(array(keys, "topic")), AccountId(array(keys, "account")))?;
    Ok(json!({
        "log": hexed(card.log.encode()),
        "suite": card.suite.number(),
        "seal_key": hexed(&card.seal_key),
        "packages": packages_value(&card.packages),
        "transports": encoded(&card.transports),
        "devices": addresses_value(&card.devices),
        "relays": addresses_value(&card.relays),
        "name": card.name,
        "number": number(card.number),
    }))
}

fn write_card(keys: &Value, fields: &Value) -> Vec<u8> {
    Card {
        log: DeviceLog::decode(&bytes(fields, "log")).unwrap(),
        suite: suite_of(fields),
        seal_key: bytes(fields, "seal_key"),
        packages: packages_of(fields),
        transports: transports_of(fields),
        devices: addresses_of(fields, "devices"),
        relays: addresses_of(fields, "relays"),
        name: text(fields, "name"),
        number: uint64(fields, "number"),
    }
    .sign(
        TopicId(array(keys, "topic")),
        &DeviceSecret::from_bytes(array(keys, "device_secret")),
    )
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
        "packages": packages_value(&details.packages),
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
        packages: packages_of(fields),
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
    let content = seal::open_with(
        &Crypto::new([0; 32]),
        suite_of(keys),
        &private,
        Purpose::Request,
        topic,
        bytes,
    )?;
    Ok(json!({ "content": hexed(content) }))
}

fn write_sealed_request(keys: &Value, fields: &Value) -> Vec<u8> {
    let crypto = Crypto::new(array(keys, "entropy"));
    let (public, topic) = (bytes(keys, "public"), TopicId(array(keys, "topic")));
    seal::seal_to(
        &crypto,
        suite_of(keys),
        &public,
        Purpose::Request,
        topic,
        &bytes(fields, "content"),
    )
    .unwrap()
}

/// Null for a kind of a later version.
fn read_inbox(_: &Value, bytes: &[u8]) -> Result<Value, Fault> {
    Ok(match InboxMessage::decode(bytes)? {
        None => Value::Null,
        Some(InboxMessage::Welcome(message)) => json!({
            "chat": hexed(message.chat.0),
            "node": hexed(message.node.0),
            "suite": message.suite.number(),
            "welcome": hexed(message.welcome),
        }),
        Some(InboxMessage::Rejoin(message)) => json!({
            "chat": hexed(message.chat.0),
            "statement": hexed(message.statement.encode()),
            "packages": packages_value(&[message.package]),
            "lacks": nodes_value(&message.lacks),
            "has": nodes_value(&message.has),
            "past": nodes_value(&message.past),
        }),
        Some(InboxMessage::Large(message)) => json!({
            "topic": hexed(message.topic.0),
            "blob": hexed(message.blob.encode()),
        }),
        Some(InboxMessage::Leaf(told)) => {
            let mut fields = json!({ "chat": hexed(told.chat.0), "leaf": hexed(told.leaf) });
            if let Some(at) = told.at {
                fields["at"] = hexed(at.0);
                fields["past"] = nodes_value(&told.past);
            }
            fields
        }
    })
}

fn nodes_value(nodes: &[NodeId]) -> Value {
    nodes.iter().map(|node| hexed(node.0)).collect()
}

fn write_inbox(_: &Value, fields: &Value) -> Vec<u8> {
    let message = if fields["blob"].is_string() {
        InboxMessage::Large(LargeMessage {
            topic: TopicId(array(fields, "topic")),
            blob: BlobRef::decode(&bytes(fields, "blob")).unwrap(),
        })
    } else if fields["leaf"].is_string() {
        InboxMessage::Leaf(LeafTold {
            chat: ChatId(array(fields, "chat")),
            leaf: array(fields, "leaf"),
            at: fields["at"].is_string().then(|| NodeId(array(fields, "at"))),
            past: if fields["past"].is_array() {
                nodes_of(fields, "past")
            } else {
                Vec::new()
            },
        })
    } else if fields["statement"].is_string() {
        InboxMessage::Rejoin(Rejoin {
            chat: ChatId(array(fields, "chat")),
            statement: Statement::decode(&bytes(fields, "statement")).unwrap(),
            package: packages_of(fields).remove(0),
            lacks: nodes_of(fields, "lacks"),
            has: nodes_of(fields, "has"),
            past: nodes_of(fields, "past"),
        })
    } else {
        InboxMessage::Welcome(GroupWelcome {
            chat: ChatId(array(fields, "chat")),
            node: NodeId(array(fields, "node")),
            suite: suite_of(fields),
            welcome: bytes(fields, "welcome"),
        })
    };
    message.encode()
}
