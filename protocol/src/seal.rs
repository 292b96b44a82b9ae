//! Sealing outside of MLS: cards under a symmetric key, requests and inbox messages to a public key. Contents are padded first.

use crate::contact::{CardKey, ContactError};
use crate::keys::TopicId;
use crate::limits;
use crate::mls::{Crypto, Suite};
use crate::padding;
use crate::wire::{Reader, Writer};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::types::HpkeCiphertext;

/// What is sealed to a public key, and for what.
#[derive(Clone, Copy, Debug)]
pub enum Purpose {
    /// A contact request, to a card's key.
    Request,
    /// What a contact writes, to its inbox's key.
    Inbox,
    /// An answer to a channel's poll, to the key of its box.
    Ballot,
}

impl Purpose {
    fn info(self) -> &'static [u8] {
        match self {
            Self::Request => b"madang 1 contact request",
            Self::Inbox => b"madang 1 contact inbox",
            Self::Ballot => b"madang 1 channel ballot",
        }
    }
}

/// Seals a card: a random 24-byte nonce, then XChaCha20-Poly1305 over the padded card with the topic as associated data.
pub fn seal_card(crypto: &Crypto, key: &CardKey, topic: TopicId, card: &[u8]) -> Result<Vec<u8>, ContactError> {
    let nonce: [u8; 24] = crypto.random();
    let sealed = XChaCha20Poly1305::new(&key.0.into())
        .encrypt(
            &XNonce::from(nonce),
            Payload {
                msg: &padding::pad(card),
                aad: &topic.0,
            },
        )
        .map_err(|_| ContactError::Sealed)?;
    let mut bytes = nonce.to_vec();
    bytes.extend(sealed);
    Ok(bytes)
}

/// Opens what [`seal_card`] sealed.
pub fn open_card(key: &CardKey, topic: TopicId, bytes: &[u8]) -> Result<Vec<u8>, ContactError> {
    let mut r = Reader::new(bytes);
    let nonce: [u8; 24] = r.array("card.nonce")?;
    let padded = XChaCha20Poly1305::new(&key.0.into())
        .decrypt(
            &XNonce::from(nonce),
            Payload {
                msg: r.rest(),
                aad: &topic.0,
            },
        )
        .map_err(|_| ContactError::Sealed)?;
    Ok(padding::unpad(&padded, limits::SEALED_BYTES)?.to_vec())
}

/// Seals to a public key (HPKE base mode, RFC 9180): `opaque kem_output<V>; opaque ciphertext<V>;`.
pub fn seal_to(
    crypto: &Crypto,
    suite: Suite,
    public: &[u8],
    purpose: Purpose,
    topic: TopicId,
    content: &[u8],
) -> Result<Vec<u8>, ContactError> {
    let sealed = crypto
        .hpke_seal(suite.hpke(), public, purpose.info(), &topic.0, &padding::pad(content))
        .map_err(|_| ContactError::Sealed)?;
    let mut w = Writer::default();
    w.bytes(sealed.kem_output.as_slice());
    w.bytes(sealed.ciphertext.as_slice());
    Ok(w.into_bytes())
}

/// Opens what [`seal_to`] sealed.
pub fn open_with(
    crypto: &Crypto,
    suite: Suite,
    private: &[u8],
    purpose: Purpose,
    topic: TopicId,
    bytes: &[u8],
) -> Result<Vec<u8>, ContactError> {
    let mut r = Reader::new(bytes);
    let kem_output = r.bytes("sealed.kem_output", limits::KEY_PACKAGE_BYTES)?.to_vec();
    let ciphertext = r.bytes("sealed.ciphertext", limits::ENVELOPE_BYTES)?.to_vec();
    r.finish()?;
    let sealed = HpkeCiphertext {
        kem_output: kem_output.into(),
        ciphertext: ciphertext.into(),
    };
    let padded = crypto
        .hpke_open(suite.hpke(), &sealed, private, purpose.info(), &topic.0)
        .map_err(|_| ContactError::Sealed)?;
    Ok(padding::unpad(&padded, limits::SEALED_BYTES)?.to_vec())
}
