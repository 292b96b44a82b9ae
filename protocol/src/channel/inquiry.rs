//! With what a relay is asked for figures of a channel: by its root, or by a writer that may be told (`spec/channel.md`, section 12).

use super::certificate::{Authority, AuthorityError, Scopes, Signatory, WriterCertificate};
use crate::keys::{BadSignature, ChannelId, Domain, TransportKey};
use crate::limits;
use crate::wire::{DecodeError, Reader, Wire, Writer};

const INQUIRY_VERSION: u16 = 1;

/// The word of who may be told a channel's figures that one peer asks one relay for them.
///
/// | bytes | field |
/// |---|---|
/// | 2 | version, 1 |
/// | 32 | channel |
/// | 32 | transport key of the relay that is asked |
/// | 32 | transport key of whoever asks |
/// | 8 | until, Unix seconds |
/// | V | the certificates of who signs, none for the channel's key |
/// | V | extensions |
/// | 64 | Ed25519 signature over all before, by a root or a writer with the scope stats, domain `madang/1/channel-inquiry` |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inquiry {
    /// The channel.
    pub channel: ChannelId,
    /// Who is asked.
    pub relay: TransportKey,
    /// Who asks.
    pub asker: TransportKey,
    /// Unix seconds.
    pub until_s: u64,
    /// Who signs.
    pub chain: Vec<WriterCertificate>,
    /// Of later versions.
    pub extensions: Vec<u8>,
    /// By who may be told.
    pub signature: [u8; 64],
}

/// An inquiry doesn't hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InquiryError {
    /// It can't be read, or a certificate in it isn't one.
    #[error("{0}")]
    Decode(#[from] DecodeError),
    /// It is for another relay, or for somebody else to ask with.
    #[error("it is for others")]
    Others,
    /// It, or a certificate in it, held until earlier, or it is to hold for too long.
    #[error("it doesn't hold now")]
    Expired,
    /// Who signed may not be told figures.
    #[error("whoever signed may not be told figures of the channel")]
    NotAllowed,
    /// A signature doesn't hold.
    #[error("{0}")]
    Signature(#[from] BadSignature),
}

impl Inquiry {
    /// Signs as who may be told a channel's figures that one peer asks one relay for them.
    #[must_use]
    pub fn sign(by: &Signatory, relay: TransportKey, asker: TransportKey, until_s: u64) -> Self {
        let mut inquiry = Self {
            channel: by.channel,
            relay,
            asker,
            until_s,
            chain: by.chain.clone(),
            extensions: Vec::new(),
            signature: [0; 64],
        };
        inquiry.signature = by.secret.sign(Domain::ChannelInquiry, &inquiry.fields());
        inquiry
    }

    /// Checks that it is by somebody who may be told, for these two, and holds at a time.
    ///
    /// # Errors
    ///
    /// Says what doesn't hold.
    pub fn verify(&self, relay: &TransportKey, asker: &TransportKey, now_s: u64) -> Result<(), InquiryError> {
        if self.relay != *relay || self.asker != *asker {
            return Err(InquiryError::Others);
        }
        // Twice the time, so that clocks needn't agree.
        let latest_s = now_s.saturating_add(2 * limits::FIGURES_SECONDS);
        let authority = self.authority();
        if !(now_s..=latest_s).contains(&self.until_s) || !authority.holds_at(now_s) {
            return Err(InquiryError::Expired);
        }
        authority.verify(self.channel.topic()).map_err(|error| match error {
            AuthorityError::Invalid(error) => InquiryError::Decode(error),
            AuthorityError::Signature(error) => InquiryError::Signature(error),
        })?;
        authority
            .writer
            .verify(Domain::ChannelInquiry, &self.fields(), &self.signature)?;
        if !authority.scopes().allow(Scopes::STATS) {
            return Err(InquiryError::NotAllowed);
        }
        Ok(())
    }

    /// By whose right it asks.
    #[must_use]
    pub fn authority(&self) -> Authority {
        Authority::of(self.channel.topic(), self.chain.clone())
    }

    fn fields(&self) -> Vec<u8> {
        let mut w = Writer::default();
        self.write_fields(&mut w);
        w.into_bytes()
    }

    fn write_fields(&self, w: &mut Writer) {
        w.u16(INQUIRY_VERSION);
        self.channel.write(w);
        self.relay.write(w);
        self.asker.write(w);
        w.u64(self.until_s);
        w.list(&self.chain, |w, certificate| certificate.write(w));
        w.bytes(&self.extensions);
    }
}

impl Wire for Inquiry {
    fn write(&self, w: &mut Writer) {
        self.write_fields(w);
        w.fixed(&self.signature);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.version("inquiry.version", INQUIRY_VERSION)?;
        Ok(Self {
            channel: ChannelId::read(r)?,
            relay: TransportKey::read(r)?,
            asker: TransportKey::read(r)?,
            until_s: r.u64("inquiry.until_s")?,
            chain: r.list(
                "inquiry.certificates",
                limits::CERTIFICATE_CHAIN,
                WriterCertificate::read,
            )?,
            extensions: r.bytes("inquiry.extensions", limits::CHANNEL_EXTENSION_BYTES)?.to_vec(),
            signature: r.array("inquiry.signature")?,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::keys::{TopicSecret, WriterSecret};

    const RELAY: TransportKey = TransportKey([3; 32]);
    const ASKER: TransportKey = TransportKey([4; 32]);
    const NOW_S: u64 = 1_000_000_000;
    const UNTIL_S: u64 = NOW_S + limits::FIGURES_SECONDS;

    fn root() -> Signatory {
        Signatory::root(&TopicSecret::from_bytes([1; 32]))
    }

    fn editor(scopes: Scopes) -> Signatory {
        let (root, secret) = (root(), WriterSecret::from_bytes([2; 32]));
        let unsigned = WriterCertificate {
            channel: root.channel,
            writer: secret.public(),
            scopes,
            categories: Vec::new(),
            from_s: NOW_S - 10,
            until_s: NOW_S + 10,
            extensions: Vec::new(),
            signature: [0; 64],
        };
        let chain = vec![unsigned.signed(&root.secret)];
        Signatory { secret, chain, ..root }
    }

    #[test]
    fn it_holds_for_two_who_talk_and_a_time_by_who_may_be_told() {
        for by in [root(), editor(Scopes::STATS), editor(Scopes::ROOT)] {
            let inquiry = Inquiry::sign(&by, RELAY, ASKER, UNTIL_S);
            let inquiry = Inquiry::decode(&inquiry.encode()).unwrap();
            assert_eq!(inquiry.verify(&RELAY, &ASKER, NOW_S), Ok(()));
            assert_eq!(inquiry.verify(&ASKER, &ASKER, NOW_S), Err(InquiryError::Others));
            assert_eq!(inquiry.verify(&RELAY, &RELAY, NOW_S), Err(InquiryError::Others));
            for at_s in [UNTIL_S + 1, UNTIL_S - 2 * limits::FIGURES_SECONDS - 1] {
                assert_eq!(inquiry.verify(&RELAY, &ASKER, at_s), Err(InquiryError::Expired));
            }
        }
        let late = Inquiry::sign(&editor(Scopes::STATS), RELAY, ASKER, UNTIL_S);
        let found = late.verify(&RELAY, &ASKER, NOW_S + 11);
        assert_eq!(found, Err(InquiryError::Expired), "its certificate is over");
    }

    #[test]
    fn f50_who_may_only_write_is_told_nothing_and_nothing_else_that_is_signed_will_do() {
        let by = editor(Scopes::PUBLISH.with(Scopes::EDIT).with(Scopes::COUPONS));
        let inquiry = Inquiry::sign(&by, RELAY, ASKER, UNTIL_S);
        assert_eq!(inquiry.verify(&RELAY, &ASKER, NOW_S), Err(InquiryError::NotAllowed));
        let mut other = Inquiry::sign(&root(), RELAY, ASKER, UNTIL_S);
        other.signature = root().secret.sign(Domain::ChannelListing, &other.fields());
        let found = other.verify(&RELAY, &ASKER, NOW_S);
        assert!(matches!(found, Err(InquiryError::Signature(_))), "{found:?}");
        let mut changed = Inquiry::sign(&root(), RELAY, ASKER, UNTIL_S);
        changed.until_s += 1;
        assert!(changed.verify(&RELAY, &ASKER, NOW_S).is_err());
    }

    #[test]
    fn f07_the_longest_chain_has_room() {
        let root = root();
        let category = "c".repeat(limits::CATEGORY_BYTES);
        let longest = WriterCertificate {
            channel: root.channel,
            writer: root.secret.public(),
            scopes: Scopes::ROOT,
            categories: vec![category; limits::CHANNEL_CATEGORIES],
            from_s: 0,
            until_s: u64::MAX,
            extensions: Vec::new(),
            signature: [0; 64],
        };
        let chain = vec![longest.signed(&root.secret); limits::CERTIFICATE_CHAIN];
        let inquiry = Inquiry::sign(&Signatory { chain, ..root }, RELAY, ASKER, UNTIL_S);
        assert!(inquiry.encode().len() <= limits::INQUIRY_BYTES);
    }
}
