//! Invites, cards and contact requests: how two accounts that share nothing but a link come to share a chat.

use crate::address::{self, PeerAddress};
use crate::identity::{DeviceLog, DeviceLogError, TransportCertificate};
use crate::keys::{AccountId, BadSignature, ChatId, DeviceId, DeviceSecret, Domain, NodeId, TopicId, TopicSecret};
use crate::limits;
use crate::message::extensions::{extension, find};
use crate::mls::Suite;
use crate::wire::{DecodeError, Reader, Wire, Writer};
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};

/// An invite, card or request isn't valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContactError {
    /// Not an invite link.
    #[error("not an invite link; it begins with `madang:invite?`")]
    NotALink,
    /// A link whose text was damaged.
    #[error("the invite link is damaged; ask for it again")]
    Damaged,
    /// It can't be read.
    #[error("{0}")]
    Decode(#[from] DecodeError),
    /// The device log in it doesn't hold.
    #[error("{0}")]
    DeviceLog(#[from] DeviceLogError),
    /// A signature in it doesn't hold.
    #[error("{0}")]
    Signature(#[from] BadSignature),
    /// It speaks for another account or device than it should.
    #[error("{what} belongs to another account or device")]
    WrongIdentity {
        /// What.
        what: &'static str,
    },
    /// A cipher suite that this version doesn't know.
    #[error("cipher suite {number} is not supported")]
    Suite {
        /// Its number.
        number: u16,
    },
    /// It can't be opened with our keys.
    #[error("sealed for somebody else, or damaged")]
    Sealed,
    /// Out of its time.
    #[error("{what} has expired")]
    Expired {
        /// What.
        what: &'static str,
    },
    /// The card offers no key package that can be used.
    #[error("the card holds no usable key package")]
    NoKeyPackage,
    /// MLS refuses.
    #[error("{what}: {reason}")]
    Mls {
        /// What was tried.
        what: &'static str,
        /// What OpenMLS says.
        reason: String,
    },
}

const INVITE_VERSION: u16 = 1;
const LINK: &str = "madang:invite?d=";
/// Bytes of the hash in front that tells a damaged link from a valid one.
const CHECK_BYTES: usize = 4;

/// What an invite link holds.
///
/// | bytes | field |
/// |---|---|
/// | 2 | version, 1 |
/// | 32 | account of the inviter |
/// | 32 | card topic: read only |
/// | 32 | key that opens the card |
/// | 32 | secret of the requests topic |
/// | V | relays |
/// | V | device addresses |
/// | V | name of the inviter, may be empty |
/// | 8 | expiry, Unix seconds |
/// | V | extensions by type: 1 the group that it leads to |
///
/// A link is `madang:invite?d=` and base64url of four bytes of BLAKE3 over the bytes, then the bytes. The X-Wing key that requests are
/// sealed to is in the card, which the invite authenticates, so that a link fits a QR code (ADR 3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invite {
    /// The inviter.
    pub account: AccountId,
    /// Where the card is.
    pub card: TopicId,
    /// What opens it.
    pub card_key: CardKey,
    /// What writes a request.
    pub requests: TopicSecret,
    /// The inviter's relays.
    pub relays: Vec<PeerAddress>,
    /// The inviter's devices.
    pub devices: Vec<PeerAddress>,
    /// The inviter's name, as they call themself.
    pub name: String,
    /// Unix seconds.
    pub expires_s: u64,
    /// The group that it leads to; none if it leads to a chat of two.
    #[serde(default)]
    pub group: Option<InvitedGroup>,
}

/// The group of an invite: `struct { opaque chat[32]; opaque name<V>; }`, extension 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitedGroup {
    /// The chat.
    pub chat: ChatId,
    /// Its name when the invite was made.
    pub name: String,
}

/// The extension of an invite that names its group.
const INVITE_GROUP: u16 = 1;

impl Wire for InvitedGroup {
    fn write(&self, w: &mut Writer) {
        self.chat.write(w);
        w.bytes(self.name.as_bytes());
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            chat: ChatId::read(r)?,
            name: r.text("invite.group.name", limits::NAME_BYTES)?,
        })
    }
}

impl PartialEq for TopicSecret {
    fn eq(&self, other: &Self) -> bool {
        self.public() == other.public()
    }
}
impl Eq for TopicSecret {}

/// The symmetric key of a card.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, zeroize::Zeroize, zeroize::ZeroizeOnDrop)]
pub struct CardKey(#[serde(with = "serde_bytes")] pub [u8; 32]);

impl std::fmt::Debug for CardKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CardKey(..)")
    }
}

impl Wire for Invite {
    fn write(&self, w: &mut Writer) {
        w.u16(INVITE_VERSION);
        self.account.write(w);
        self.card.write(w);
        w.fixed(&self.card_key.0);
        w.fixed(self.requests.to_bytes().as_slice());
        address::write_all(w, &self.relays);
        address::write_all(w, &self.devices);
        w.bytes(self.name.as_bytes());
        w.u64(self.expires_s);
        let group = self
            .group
            .as_ref()
            .map(|group| extension(INVITE_GROUP, &group.encode()));
        w.bytes(&group.unwrap_or_default());
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.version("invite.version", INVITE_VERSION)?;
        let mut invite = Self {
            account: AccountId::read(r)?,
            card: TopicId::read(r)?,
            card_key: CardKey(r.array("invite.card_key")?),
            requests: TopicSecret::from_bytes(r.array("invite.requests")?),
            relays: address::read_all(r, "invite.relays", limits::RELAYS)?,
            devices: address::read_all(r, "invite.devices", limits::RELAYS)?,
            name: r.text("invite.name", limits::NAME_BYTES)?,
            expires_s: r.u64("invite.expires_s")?,
            group: None,
        };
        let more = r.bytes("invite.extensions", limits::INVITE_BYTES)?;
        if let Ok(Some(group)) = find(more, INVITE_GROUP, limits::INVITE_BYTES) {
            // It must not pass for an invite to a chat of two.
            invite.group = Some(InvitedGroup::decode(group)?);
        }
        Ok(invite)
    }
}

impl Invite {
    /// The link.
    pub fn to_link(&self) -> String {
        let bytes = self.encode();
        let mut checked = check(&bytes).to_vec();
        checked.extend(bytes);
        format!("{LINK}{}", BASE64URL_NOPAD.encode(&checked))
    }

    /// Reads a link, or a web address that carries one in its fragment.
    pub fn from_link(text: &str) -> Result<Self, ContactError> {
        let text = text.trim();
        let link = text.split_once('#').map_or(text, |(_, fragment)| fragment);
        let data = link.strip_prefix(LINK).ok_or(ContactError::NotALink)?;
        if data.len() > limits::INVITE_BYTES * 2 {
            return Err(ContactError::Damaged);
        }
        let checked = BASE64URL_NOPAD
            .decode(data.as_bytes())
            .map_err(|_| ContactError::Damaged)?;
        let (sum, bytes) = checked.split_at_checked(CHECK_BYTES).ok_or(ContactError::Damaged)?;
        if sum != check(bytes) {
            return Err(ContactError::Damaged);
        }
        if bytes.len() > limits::INVITE_BYTES {
            return Err(ContactError::Decode(DecodeError::TooLong {
                field: "invite",
                found: bytes.len() as u64,
                limit: limits::INVITE_BYTES as u64,
            }));
        }
        Ok(Self::decode(bytes)?)
    }
}

fn check(bytes: &[u8]) -> [u8; CHECK_BYTES] {
    let [a, b, c, d, ..] = *blake3::hash(bytes).as_bytes();
    [a, b, c, d]
}

/// A key package in a card, with the time that we check ourselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardPackage {
    /// Unix seconds from which it may be used.
    pub not_before_s: u64,
    /// Unix seconds until which it may be used.
    pub not_after_s: u64,
    /// Reusable, for when all others are gone.
    pub last_resort: bool,
    /// The encoded MLS message.
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
}

/// What the card topic carries, sealed under the invite's card key.
///
/// `struct { uint16 version = 1; DeviceLog log; uint16 suite; opaque seal_key<V>; CardPackage packages<V>; TransportCertificate
/// transports<V>; PeerAddress devices<V>; PeerAddress relays<V>; opaque name<V>; uint64 number; opaque device[32]; opaque
/// extensions<V>; opaque signature[64]; }`, signed by the device over card topic and all fields before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// Who it is.
    pub log: DeviceLog,
    /// The suite of key and packages.
    pub suite: Suite,
    /// What requests are sealed to.
    pub seal_key: Vec<u8>,
    /// At least one that is in its time.
    pub packages: Vec<CardPackage>,
    /// Which transport keys are the account's.
    pub transports: Vec<TransportCertificate>,
    /// Where its devices are.
    pub devices: Vec<PeerAddress>,
    /// Where requests are kept.
    pub relays: Vec<PeerAddress>,
    /// What the account calls itself.
    pub name: String,
    /// Grows with each version of the card.
    pub number: u64,
}

const CARD_VERSION: u16 = 1;

impl Card {
    /// Encodes and signs a card of a topic.
    pub fn sign(&self, topic: TopicId, device: &DeviceSecret) -> Vec<u8> {
        let mut w = Writer::default();
        self.write_fields(&mut w, device.public());
        let fields = w.into_bytes();
        let signature = device.sign(Domain::Card, &Self::signed(topic, &fields));
        let mut bytes = fields;
        bytes.extend_from_slice(&signature);
        bytes
    }

    /// Reads a card and checks that a device of `account` signed it for this topic.
    pub fn verify(bytes: &[u8], topic: TopicId, account: AccountId) -> Result<Self, ContactError> {
        let mut r = Reader::new(bytes);
        r.version("card.version", CARD_VERSION)?;
        let log = DeviceLog::read(&mut r)?;
        let suite = read_suite(&mut r)?;
        let card = Self {
            log,
            suite,
            seal_key: r.bytes("card.seal_key", limits::KEY_PACKAGE_BYTES)?.to_vec(),
            packages: r.list("card.packages", limits::CARD_KEY_PACKAGES, read_package)?,
            transports: r.list("card.transports", limits::RELAYS, TransportCertificate::read)?,
            devices: address::read_all(&mut r, "card.devices", limits::RELAYS)?,
            relays: address::read_all(&mut r, "card.relays", limits::RELAYS)?,
            name: r.text("card.name", limits::NAME_BYTES)?,
            number: r.u64("card.number")?,
        };
        let device = DeviceId::read(&mut r)?;
        r.bytes("card.extensions", limits::SEALED_BYTES)?;
        let end = bytes.len() - r.rest().len();
        let signature = r.array("card.signature")?;
        r.finish()?;
        if card.log.account != account || !card.log.certifies(device)? {
            return Err(ContactError::WrongIdentity { what: "the card" });
        }
        let fields = bytes.get(..end).unwrap_or_default();
        device.verify(Domain::Card, &Self::signed(topic, fields), &signature)?;
        verify_transports(&card.transports, &card.log)?;
        Ok(card)
    }

    fn write_fields(&self, w: &mut Writer, device: DeviceId) {
        w.u16(CARD_VERSION);
        self.log.write(w);
        w.u16(self.suite.number());
        w.bytes(&self.seal_key);
        w.list(&self.packages, write_package);
        w.list(&self.transports, |w, certificate| certificate.write(w));
        address::write_all(w, &self.devices);
        address::write_all(w, &self.relays);
        w.bytes(self.name.as_bytes());
        w.u64(self.number);
        device.write(w);
        w.bytes(&[]);
    }

    fn signed(topic: TopicId, fields: &[u8]) -> Vec<u8> {
        let mut signed = topic.0.to_vec();
        signed.extend_from_slice(fields);
        signed
    }
}

pub(crate) fn write_package(w: &mut Writer, package: &CardPackage) {
    w.u64(package.not_before_s);
    w.u64(package.not_after_s);
    w.u8(u8::from(package.last_resort));
    w.bytes(&package.bytes);
}

pub(crate) fn read_package(r: &mut Reader<'_>) -> Result<CardPackage, DecodeError> {
    Ok(CardPackage {
        not_before_s: r.u64("package.not_before_s")?,
        not_after_s: r.u64("package.not_after_s")?,
        last_resort: match r.u8("package.last_resort")? {
            0 => false,
            1 => true,
            _ => {
                return Err(DecodeError::Invalid {
                    field: "package.last_resort",
                    reason: "neither no (0) nor yes (1)",
                });
            }
        },
        bytes: r.bytes("package.bytes", limits::KEY_PACKAGE_BYTES)?.to_vec(),
    })
}

pub(crate) fn read_suite(r: &mut Reader<'_>) -> Result<Suite, ContactError> {
    let number = r.u16("suite")?;
    Suite::from_number(number).ok_or(ContactError::Suite { number })
}

fn verify_transports(transports: &[TransportCertificate], log: &DeviceLog) -> Result<(), ContactError> {
    for certificate in transports {
        certificate.verify()?;
        if !log.certifies(certificate.device)? {
            return Err(ContactError::WrongIdentity {
                what: "a transport certificate",
            });
        }
    }
    Ok(())
}

/// An inbox that one contact writes to: key packages, Welcomes, relay changes, rejoin requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inbox {
    /// What writes to it.
    pub topic: TopicSecret,
    /// What its messages are sealed to.
    #[serde(with = "serde_bytes")]
    pub seal_key: Vec<u8>,
}

/// What one side of a contact tells the other of itself, in a request or inside the chat.
///
/// `struct { uint16 version = 1; DeviceLog log; uint16 suite; opaque inbox_topic_secret[32]; opaque inbox_seal_key<V>;
/// TransportCertificate transports<V>; PeerAddress devices<V>; PeerAddress relays<V>; opaque name<V>; CardPackage packages<V>; opaque
/// extensions<V>; }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Details {
    /// Who it is.
    pub log: DeviceLog,
    /// The suite of the inbox.
    pub suite: Suite,
    /// Where this contact, and nobody else, can write to.
    pub inbox: Inbox,
    /// Which transport keys are the account's.
    pub transports: Vec<TransportCertificate>,
    /// Where its devices are.
    pub devices: Vec<PeerAddress>,
    /// Its relays.
    pub relays: Vec<PeerAddress>,
    /// What the account calls itself.
    pub name: String,
    /// Key packages by which this contact, and nobody else, can add the account's devices to groups.
    pub packages: Vec<CardPackage>,
}

const DETAILS_VERSION: u16 = 1;

impl Details {
    /// Appends the encoding.
    pub fn write(&self, w: &mut Writer) {
        w.u16(DETAILS_VERSION);
        self.log.write(w);
        w.u16(self.suite.number());
        w.fixed(self.inbox.topic.to_bytes().as_slice());
        w.bytes(&self.inbox.seal_key);
        w.list(&self.transports, |w, certificate| certificate.write(w));
        address::write_all(w, &self.devices);
        address::write_all(w, &self.relays);
        w.bytes(self.name.as_bytes());
        w.list(&self.packages, write_package);
        w.bytes(&[]);
    }

    /// Reads and checks the certificates in it.
    pub fn read(r: &mut Reader<'_>) -> Result<Self, ContactError> {
        r.version("details.version", DETAILS_VERSION)?;
        let details = Self {
            log: DeviceLog::read(r)?,
            suite: read_suite(r)?,
            inbox: Inbox {
                topic: TopicSecret::from_bytes(r.array("details.inbox_topic")?),
                seal_key: r.bytes("details.inbox_seal_key", limits::KEY_PACKAGE_BYTES)?.to_vec(),
            },
            transports: r.list("details.transports", limits::RELAYS, TransportCertificate::read)?,
            devices: address::read_all(r, "details.devices", limits::RELAYS)?,
            relays: address::read_all(r, "details.relays", limits::RELAYS)?,
            name: r.text("details.name", limits::NAME_BYTES)?,
            packages: r.list("details.packages", limits::CARD_KEY_PACKAGES, read_package)?,
        };
        r.bytes("details.extensions", limits::SEALED_BYTES)?;
        details.log.verify()?;
        verify_transports(&details.transports, &details.log)?;
        Ok(details)
    }
}

/// What a guest sends to the requests topic, sealed to the card's key.
///
/// `struct { uint16 version = 1; Details details; opaque chat[32]; opaque node[32]; opaque welcome<V>; opaque extensions<V>; }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Who asks.
    pub details: Details,
    /// The chat that the guest made.
    pub chat: ChatId,
    /// The state that the Welcome leads to.
    pub node: NodeId,
    /// The encoded MLS Welcome.
    pub welcome: Vec<u8>,
}

const REQUEST_VERSION: u16 = 1;

impl Request {
    /// Encodes.
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::default();
        w.u16(REQUEST_VERSION);
        self.details.write(&mut w);
        self.chat.write(&mut w);
        self.node.write(&mut w);
        w.bytes(&self.welcome);
        w.bytes(&[]);
        w.into_bytes()
    }

    /// Reads and checks all but the Welcome.
    pub fn decode(bytes: &[u8]) -> Result<Self, ContactError> {
        let mut r = Reader::new(bytes);
        r.version("request.version", REQUEST_VERSION)?;
        let request = Self {
            details: Details::read(&mut r)?,
            chat: ChatId::read(&mut r)?,
            node: NodeId::read(&mut r)?,
            welcome: r.bytes("request.welcome", limits::WELCOME_BYTES)?.to_vec(),
        };
        r.bytes("request.extensions", limits::SEALED_BYTES)?;
        r.finish()?;
        Ok(request)
    }
}
