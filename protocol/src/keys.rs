//! Identifiers and keys: a newtype for each purpose, and signatures that are separated by domain.
//!
//! Every signature covers `opaque label<V> || opaque content<V>`, the shape of RFC 9420's `SignContent`; our labels begin with
//! `madang/1/`, those of MLS with `MLS 1.0 `, so no signature made for one purpose holds for another (FAULTS 50).

use crate::wire::{DecodeError, Reader, Wire, Writer};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A textual id can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseIdError {
    /// Not 64 lower-case hexadecimal digits.
    #[error("expected 64 lower-case hexadecimal digits")]
    Hex,
    /// Not a bech32m account address.
    #[error("expected an account address, `madang1…`")]
    Account,
}

/// A signature doesn't hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature of the {domain} doesn't hold")]
pub struct BadSignature {
    /// What was signed.
    pub domain: Domain,
}

/// What a signature is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// An envelope, by its topic's key.
    Envelope,
    /// A statement of the device log, by the account's root or a device.
    DeviceStatement,
    /// A transport key's certificate, by a device.
    TransportCertificate,
    /// The card of an invite, by a device.
    Card,
    /// A custody receipt, by a relay's transport key.
    Receipt,
    /// The permit to store a blob, by its topic's key.
    BlobPermit,
    /// The receipt for a blob, by a relay's transport key.
    BlobReceipt,
    /// What a device asks the members of a chat to commit for it.
    ChatWish,
    /// What a member calls itself, by its device.
    ChatProfile,
    /// An envelope of a channel, by its root key or a certified writer.
    ChannelEnvelope,
    /// A writer's certificate, by the channel's root key or one that it handed over to.
    WriterCertificate,
    /// That a channel belongs to a domain, by the channel's root.
    ChannelVouch,
    /// What a channel says of itself in a relay's directory, by its root.
    ChannelListing,
    /// That a relay is to tell figures of a channel, by its root or a writer that may be told.
    ChannelInquiry,
    /// What an app says of itself.
    AppManifest,
    /// A share, by the app that offers it.
    Share,
    /// That an app belongs to a domain, by the app.
    AppVouch,
}

impl Domain {
    fn label(self) -> &'static [u8] {
        match self {
            Self::Envelope => b"madang/1/envelope",
            Self::DeviceStatement => b"madang/1/device-statement",
            Self::TransportCertificate => b"madang/1/transport-certificate",
            Self::Card => b"madang/1/card",
            Self::Receipt => b"madang/1/custody-receipt",
            Self::BlobPermit => b"madang/1/blob-permit",
            Self::BlobReceipt => b"madang/1/blob-receipt",
            Self::ChatWish => b"madang/1/chat-wish",
            Self::ChatProfile => b"madang/1/chat-profile",
            Self::ChannelEnvelope => b"madang/1/channel-envelope",
            Self::WriterCertificate => b"madang/1/writer-certificate",
            Self::ChannelVouch => b"madang/1/channel-vouch",
            Self::ChannelListing => b"madang/1/channel-listing",
            Self::ChannelInquiry => b"madang/1/channel-inquiry",
            Self::AppManifest => b"madang/1/app-manifest",
            Self::Share => b"madang/1/share",
            Self::AppVouch => b"madang/1/app-vouch",
        }
    }

    fn content(self, message: &[u8]) -> Vec<u8> {
        let mut w = Writer::default();
        w.bytes(self.label());
        w.bytes(message);
        w.into_bytes()
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Envelope => "envelope",
            Self::DeviceStatement => "device statement",
            Self::TransportCertificate => "transport certificate",
            Self::Card => "card",
            Self::Receipt => "custody receipt",
            Self::BlobPermit => "blob permit",
            Self::BlobReceipt => "blob receipt",
            Self::ChatWish => "chat wish",
            Self::ChatProfile => "chat profile",
            Self::ChannelEnvelope => "channel envelope",
            Self::WriterCertificate => "writer certificate",
            Self::ChannelVouch => "channel vouch",
            Self::ChannelListing => "channel listing",
            Self::ChannelInquiry => "channel's inquiry",
            Self::AppManifest => "app's manifest",
            Self::Share => "share",
            Self::AppVouch => "app's vouch",
        })
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(#[serde(with = "serde_bytes")] pub [u8; 32]);

        impl $name {
            /// The bytes.
            pub fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let [a, b, c, d, ..] = self.0;
                write!(f, concat!(stringify!($name), "({})"), hex::encode([a, b, c, d]))
            }
        }

        impl Wire for $name {
            fn write(&self, w: &mut Writer) {
                w.fixed(&self.0);
            }
            fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
                Ok(Self(r.array(stringify!($name))?))
            }
        }
    };
}

macro_rules! hex_text {
    ($($name:ident),*) => { $(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;
            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                parse_hex(text).map(Self)
            }
        }
    )* };
}

id! {
    /// An account: the public key of its root.
    AccountId
}
id! {
    /// A device: the public key that signs its MLS leaf and its statements.
    DeviceId
}
id! {
    /// A libp2p identity of a device or relay: its public key.
    TransportKey
}
id! {
    /// A topic: the public key that envelopes on it are signed with.
    TopicId
}
id! {
    /// A chat: its MLS group id.
    ChatId
}
id! {
    /// A message, permanent: a hash over device, incarnation and sequence.
    MessageId
}
id! {
    /// An envelope: the BLAKE3 hash of its header and body.
    EnvelopeId
}
id! {
    /// A blob: the hash of its padded length and of its sealed chunks.
    BlobId
}
id! {
    /// A state of a chat: the hash of the commit that made it.
    NodeId
}
id! {
    /// A channel: its root's public key, which is its topic.
    ChannelId
}
id! {
    /// Whoever writes on a channel: the public key of its root or of a certified writer.
    WriterId
}
id! {
    /// An app that offers shares: its public key.
    AppId
}
id! {
    /// A contact request: the id of the envelope that brought it.
    RequestId
}
hex_text!(
    DeviceId,
    TransportKey,
    TopicId,
    ChatId,
    MessageId,
    EnvelopeId,
    BlobId,
    NodeId,
    ChannelId,
    WriterId,
    AppId,
    RequestId
);

impl ChannelId {
    /// The topic that it is written on.
    pub fn topic(self) -> TopicId {
        TopicId(self.0)
    }

    /// Its root as a writer.
    pub fn root(self) -> WriterId {
        WriterId(self.0)
    }
}

/// The human-readable part of an account's address.
const ACCOUNT_HRP: bech32::Hrp = bech32::Hrp::parse_unchecked("madang");

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        bech32::encode_lower_to_fmt::<bech32::Bech32m, _>(f, ACCOUNT_HRP, &self.0).map_err(|_| fmt::Error)
    }
}

impl FromStr for AccountId {
    type Err = ParseIdError;
    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let checked = bech32::primitives::decode::CheckedHrpstring::new::<bech32::Bech32m>(text)
            .map_err(|_| ParseIdError::Account)?;
        if checked.hrp() != ACCOUNT_HRP {
            return Err(ParseIdError::Account);
        }
        let bytes: Vec<u8> = checked.byte_iter().collect();
        bytes.try_into().map(Self).map_err(|_| ParseIdError::Account)
    }
}

fn parse_hex(text: &str) -> Result<[u8; 32], ParseIdError> {
    if text.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err(ParseIdError::Hex);
    }
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| ParseIdError::Hex)?;
    Ok(bytes)
}

macro_rules! verifies {
    ($($name:ident),*) => { $(
        impl $name {
            /// Checks a signature strictly (RFC 8032, no small-order keys): one rule on every path.
            pub fn verify(&self, domain: Domain, message: &[u8], signature: &[u8; 64]) -> Result<(), BadSignature> {
                VerifyingKey::from_bytes(&self.0)
                    .and_then(|key| key.verify_strict(&domain.content(message), &Signature::from_bytes(signature)))
                    .map_err(|_| BadSignature { domain })
            }
        }
    )* };
}
verifies!(AccountId, DeviceId, TransportKey, TopicId, WriterId, AppId);

macro_rules! secret {
    ($(#[$doc:meta])* $name:ident, $public:ident) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(SigningKey);

        impl $name {
            /// From its 32-byte seed.
            pub fn from_bytes(seed: [u8; 32]) -> Self {
                Self(SigningKey::from_bytes(&seed))
            }

            /// The seed, to be stored sealed.
            pub fn to_bytes(&self) -> zeroize::Zeroizing<[u8; 32]> {
                zeroize::Zeroizing::new(self.0.to_bytes())
            }

            /// The public half.
            pub fn public(&self) -> $public {
                $public(self.0.verifying_key().to_bytes())
            }

            /// Signs for one purpose.
            pub fn sign(&self, domain: Domain, message: &[u8]) -> [u8; 64] {
                self.0.sign(&domain.content(message)).to_bytes()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "(of {:?})"), self.public())
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                serde_bytes::serialize(self.to_bytes().as_slice(), s)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let seed: [u8; 32] = serde_bytes::deserialize(d)?;
                Ok(Self::from_bytes(seed))
            }
        }
    };
}
secret! {
    /// An account's root key.
    AccountSecret, AccountId
}
secret! {
    /// A device's signing key.
    DeviceSecret, DeviceId
}
secret! {
    /// A transport key's secret half: the libp2p identity.
    TransportSecret, TransportKey
}
secret! {
    /// What lets its holder write on a topic.
    TopicSecret, TopicId
}
secret! {
    /// What a writer of a channel signs with.
    WriterSecret, WriterId
}
secret! {
    /// What an app signs its manifest and its shares with.
    AppSecret, AppId
}

impl DeviceSecret {
    /// Signs what MLS asks for; MLS separates by labels of its own (RFC 9420 section 5.1.2).
    pub(crate) fn sign_mls(&self, content: &[u8]) -> [u8; 64] {
        self.0.sign(content).to_bytes()
    }
}

/// A BLAKE3 hash in key-derivation mode: `context` separates purposes, `parts` are hashed with their lengths.
pub(crate) fn derive(context: &str, parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key(context);
    for part in parts {
        hasher.update(&(part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    *hasher.finalize().as_bytes()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn account_addresses_round_trip_and_reject_a_typo() {
        let account = AccountSecret::from_bytes([1; 32]).public();
        let text = account.to_string();
        assert!(text.starts_with("madang1"));
        assert_eq!(text.parse::<AccountId>().unwrap(), account);
        let typo = text.replacen('q', "p", 1);
        assert_eq!(typo.parse::<AccountId>(), Err(ParseIdError::Account));
    }

    #[test]
    fn f50_a_signature_for_one_purpose_is_void_for_another() {
        let device = DeviceSecret::from_bytes([2; 32]);
        let signature = device.sign(Domain::Card, b"content");
        let public = device.public();
        assert!(public.verify(Domain::Card, b"content", &signature).is_ok());
        for other in [
            Domain::Envelope,
            Domain::DeviceStatement,
            Domain::TransportCertificate,
            Domain::Receipt,
            Domain::BlobPermit,
            Domain::BlobReceipt,
            Domain::ChannelEnvelope,
            Domain::WriterCertificate,
            Domain::AppManifest,
            Domain::Share,
            Domain::AppVouch,
        ] {
            assert_eq!(
                public.verify(other, b"content", &signature),
                Err(BadSignature { domain: other })
            );
        }
        assert!(
            public
                .verify(Domain::Card, b"content", &device.sign_mls(b"content"))
                .is_err()
        );
    }

    #[test]
    fn f65_secrets_are_redacted_in_debug_output() {
        let secret = TopicSecret::from_bytes([3; 32]);
        let shown = format!("{secret:?}");
        assert!(!shown.contains(&hex::encode([3; 4])), "{shown}");
    }
}
