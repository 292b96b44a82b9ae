//! The envelope: the one thing that travels, valid on a topic exactly if the topic's key signed it, or a writer that the key certified.

use crate::channel::{Authority, AuthorityError, Signatory, WriterCertificate};
use crate::keys::{BadSignature, Domain, EnvelopeId, TopicId, TopicSecret};
use crate::limits;
use crate::wire::{DecodeError, Reader, Wire, Writer};

/// The version that this program writes and reads.
pub const VERSION: u8 = 1;

/// Signed by the topic's own key.
const SIGNER_TOPIC_KEY: u8 = 0;
/// Of a channel: signed by its root, which is the topic's key, or by a writer with certificates.
const SIGNER_CHANNEL: u8 = 1;

/// An envelope isn't admissible.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// It can't be read.
    #[error("envelope: {0}")]
    Decode(#[from] DecodeError),
    /// It is over the size bound.
    #[error("envelope: {found} bytes are over the limit of {limit}")]
    TooLarge {
        /// Bytes found.
        found: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Its signature doesn't hold on its topic.
    #[error("envelope: {0}")]
    Signature(#[from] BadSignature),
}

/// A signed envelope whose signature holds: the type itself is the proof.
///
/// | bytes | field |
/// |---|---|
/// | 1 | version, 1 |
/// | 1 | signer: 0 for the topic's key, 1 for a channel's writer |
/// | 32 | topic |
/// | 4 | time to live, seconds, counted by each custodian from its own receipt |
/// | V | for signer 1 only: writer certificates from the topic's key to the writer's; none if the root wrote it |
/// | V | body, opaque |
/// | 64 | Ed25519 signature over the id, domain `madang/1/envelope`, or for signer 1 `madang/1/channel-envelope` |
///
/// The whole is at most [`limits::ENVELOPE_BYTES`]. The id is BLAKE3 over all but the signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    id: EnvelopeId,
    topic: TopicId,
    ttl_s: u32,
    authority: Option<Box<Authority>>,
    body: std::ops::Range<usize>,
    bytes: Vec<u8>,
}

impl Envelope {
    /// Writes and signs an envelope; fails only if the body is too large.
    pub fn sign(topic: &TopicSecret, ttl_s: u32, body: &[u8]) -> Result<Self, EnvelopeError> {
        let mut w = Writer::default();
        w.u8(VERSION);
        w.u8(SIGNER_TOPIC_KEY);
        topic.public().write(&mut w);
        w.u32(ttl_s);
        w.bytes(body);
        let sign = |id: &[u8; 32]| topic.sign(Domain::Envelope, id);
        Self::finish(w, (topic.public(), ttl_s, None), body.len(), sign)
    }

    /// Writes and signs an envelope of a channel; fails only if the body is too large.
    pub fn sign_as(signatory: &Signatory, ttl_s: u32, body: &[u8]) -> Result<Self, EnvelopeError> {
        let topic = signatory.channel.topic();
        let mut w = Writer::default();
        w.u8(VERSION);
        w.u8(SIGNER_CHANNEL);
        topic.write(&mut w);
        w.u32(ttl_s);
        w.list(&signatory.chain, |w, certificate| certificate.write(w));
        w.bytes(body);
        let authority = Authority::of(topic, signatory.chain.clone());
        let sign = |id: &[u8; 32]| signatory.secret.sign(Domain::ChannelEnvelope, id);
        Self::finish(w, (topic, ttl_s, Some(Box::new(authority))), body.len(), sign)
    }

    fn finish(
        w: Writer,
        (topic, ttl_s, authority): (TopicId, u32, Option<Box<Authority>>),
        body: usize,
        sign: impl FnOnce(&[u8; 32]) -> [u8; 64],
    ) -> Result<Self, EnvelopeError> {
        let mut bytes = w.into_bytes();
        let end = bytes.len();
        let found = end + 64;
        if found > limits::ENVELOPE_BYTES {
            return Err(EnvelopeError::TooLarge {
                found,
                limit: limits::ENVELOPE_BYTES,
            });
        }
        let id = EnvelopeId(*blake3::hash(&bytes).as_bytes());
        bytes.extend_from_slice(&sign(&id.0));
        Ok(Self {
            id,
            topic,
            ttl_s,
            authority,
            body: end - body..end,
            bytes,
        })
    }

    /// The admission check of gossip, of relays and of every stream: format, size and signature.
    pub fn verify(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let (envelope, signature) = Self::parse(bytes)?;
        match &envelope.authority {
            None => envelope.topic.verify(Domain::Envelope, &envelope.id.0, &signature)?,
            Some(authority) => {
                authority.verify(envelope.topic).map_err(|error| match error {
                    AuthorityError::Invalid(error) => EnvelopeError::Decode(error),
                    AuthorityError::Signature(error) => EnvelopeError::Signature(error),
                })?;
                authority
                    .writer
                    .verify(Domain::ChannelEnvelope, &envelope.id.0, &signature)?;
            }
        }
        Ok(envelope)
    }

    /// Reads an envelope that was verified before it was stored, without checking its signature again.
    pub fn trusted(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        Ok(Self::parse(bytes)?.0)
    }

    /// The topic and id of well-formed bytes, without a look at the signature: enough to drop a repeat cheaply.
    pub fn peek(bytes: &[u8]) -> Result<(TopicId, EnvelopeId), EnvelopeError> {
        let (envelope, _) = Self::parse(bytes)?;
        Ok((envelope.topic, envelope.id))
    }

    /// Whether well-formed bytes are of a channel.
    pub(crate) fn is_of_channel(bytes: &[u8]) -> bool {
        bytes.get(1) == Some(&SIGNER_CHANNEL)
    }

    /// The permanent id.
    pub fn id(&self) -> EnvelopeId {
        self.id
    }

    /// The topic that it is valid on.
    pub fn topic(&self) -> TopicId {
        self.topic
    }

    /// Seconds that custodians should keep it.
    pub fn ttl_s(&self) -> u32 {
        self.ttl_s
    }

    /// By whose right it is on its channel; none if it is on no channel.
    pub fn authority(&self) -> Option<&Authority> {
        self.authority.as_deref()
    }

    /// The opaque body.
    pub fn body(&self) -> &[u8] {
        self.bytes.get(self.body.clone()).unwrap_or_default()
    }

    /// The bytes on the wire: the same over gossip, a relay or a direct stream.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes on the wire, without a copy.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    fn parse(bytes: &[u8]) -> Result<(Self, [u8; 64]), EnvelopeError> {
        if bytes.len() > limits::ENVELOPE_BYTES {
            return Err(EnvelopeError::TooLarge {
                found: bytes.len(),
                limit: limits::ENVELOPE_BYTES,
            });
        }
        let mut r = Reader::new(bytes);
        let version = r.u8("version")?;
        if version != VERSION {
            return Err(DecodeError::Version {
                field: "version",
                found: version.into(),
            }
            .into());
        }
        let signer = r.u8("signer")?;
        if !matches!(signer, SIGNER_TOPIC_KEY | SIGNER_CHANNEL) {
            return Err(DecodeError::Invalid {
                field: "signer",
                reason: "a kind of signer that this version doesn't know",
            }
            .into());
        }
        let topic = TopicId::read(&mut r)?;
        let ttl_s = r.u32("ttl_s")?;
        let authority = if signer == SIGNER_CHANNEL {
            let chain = r.list("certificates", limits::CERTIFICATE_CHAIN, WriterCertificate::read)?;
            Some(Box::new(Authority::of(topic, chain)))
        } else {
            None
        };
        let body_len = r.bytes("body", limits::ENVELOPE_BYTES)?.len();
        let end = bytes.len() - r.rest().len();
        let signature = r.array("signature")?;
        r.finish()?;
        let signed = bytes.get(..end).unwrap_or_default();
        let envelope = Self {
            id: EnvelopeId(*blake3::hash(signed).as_bytes()),
            topic,
            ttl_s,
            authority,
            body: end - body_len..end,
            bytes: bytes.to_vec(),
        };
        Ok((envelope, signature))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn topic() -> TopicSecret {
        TopicSecret::from_bytes([7; 32])
    }

    #[test]
    fn a_signed_envelope_verifies_with_the_same_id() {
        let sealed = Envelope::sign(&topic(), 60, b"body").unwrap();
        let read = Envelope::verify(sealed.bytes()).unwrap();
        assert_eq!(read, sealed);
        assert_eq!(read.body(), b"body");
    }

    #[test]
    fn f20_any_changed_bit_is_refused() {
        let sealed = Envelope::sign(&topic(), 60, b"body").unwrap();
        for at in 0..sealed.bytes().len() {
            let mut bytes = sealed.bytes().to_vec();
            bytes[at] ^= 1;
            assert!(Envelope::verify(&bytes).is_err(), "byte {at}");
        }
    }

    #[test]
    fn f07_a_body_over_the_bound_is_refused_on_both_sides() {
        let body = vec![0; limits::ENVELOPE_BYTES];
        assert!(matches!(
            Envelope::sign(&topic(), 60, &body),
            Err(EnvelopeError::TooLarge { .. })
        ));
        assert!(matches!(
            Envelope::verify(&body),
            Err(EnvelopeError::TooLarge { .. }) | Err(EnvelopeError::Decode(_))
        ));
        assert!(matches!(
            Envelope::verify(&vec![0; limits::ENVELOPE_BYTES + 1]),
            Err(EnvelopeError::TooLarge { .. })
        ));
    }

    #[test]
    fn f08_truncated_and_trailing_bytes_are_refused() {
        let sealed = Envelope::sign(&topic(), 60, b"body").unwrap();
        let bytes = sealed.bytes();
        for end in 0..bytes.len() {
            assert!(Envelope::verify(&bytes[..end]).is_err(), "{end} bytes");
        }
        let mut longer = bytes.to_vec();
        longer.push(0);
        assert_eq!(
            Envelope::verify(&longer),
            Err(EnvelopeError::Decode(DecodeError::Trailing { found: 1 }))
        );
    }
}
