//! Writer certificates: who may write what on a channel, until when.

use super::invalid;
use super::manifest::{read_categories, write_categories};
use crate::keys::{BadSignature, ChannelId, Domain, TopicId, TopicSecret, WriterId, WriterSecret};
use crate::limits;
use crate::wire::{DecodeError, Reader, Wire, Writer};
use serde::{Deserialize, Serialize};

const CERTIFICATE_VERSION: u16 = 1;

/// What a writer may do, as bits; those that aren't known are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scopes(pub u16);

impl Scopes {
    /// Post, and edit or retract own posts.
    pub const PUBLISH: Self = Self(1);
    /// Edit and retract others' posts.
    pub const EDIT: Self = Self(2);
    /// Offer coupons.
    pub const COUPONS: Self = Self(4);
    /// Be told figures.
    pub const STATS: Self = Self(8);
    /// All that the root may: the root handed the channel over.
    pub const ROOT: Self = Self(16);
    /// With [`Self::ROOT`]: it is kept for the case that the root's key is lost or stolen, and comes before it.
    pub const RECOVERY: Self = Self(32);

    /// What a chain of certificates allows; all if there are none, since then the channel's key signs itself.
    fn of(chain: &[WriterCertificate]) -> Self {
        chain.last().map_or(Self::ROOT, |last| last.scopes)
    }

    /// Both.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` are among these; the root's is all.
    pub fn allow(self, other: Self) -> bool {
        self.0 & Self::ROOT.0 != 0 || self.0 & other.0 == other.0
    }
}

/// The root's, or a former root's, word that a key may write on a channel.
///
/// | bytes | field |
/// |---|---|
/// | 2 | version, 1 |
/// | 32 | channel |
/// | 32 | writer: the key that is certified |
/// | 2 | scopes: 1 publish, 2 edit, 4 coupons, 8 stats, 16 root, 32 recovery |
/// | V | categories that it may post in, `opaque<V>` each; none for all |
/// | 8 | from, Unix seconds |
/// | 8 | until, Unix seconds; it is void after that |
/// | V | extensions |
/// | 64 | Ed25519 signature over all before, by the issuer, domain `madang/1/writer-certificate` |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriterCertificate {
    /// On which channel.
    pub channel: ChannelId,
    /// Who may write.
    pub writer: WriterId,
    /// What.
    pub scopes: Scopes,
    /// In which categories; all if there are none.
    pub categories: Vec<String>,
    /// Unix seconds.
    pub from_s: u64,
    /// Unix seconds.
    pub until_s: u64,
    /// Of later versions.
    pub extensions: Vec<u8>,
    /// By the issuer.
    pub signature: [u8; 64],
}

impl WriterCertificate {
    /// Signs it; the signature that it had is replaced.
    #[must_use]
    pub fn signed(mut self, issuer: &WriterSecret) -> Self {
        let mut w = Writer::default();
        self.write_fields(&mut w);
        self.signature = issuer.sign(Domain::WriterCertificate, &w.into_bytes());
        self
    }

    /// Checks that `issuer` signed it.
    pub fn verify(&self, issuer: &WriterId) -> Result<(), BadSignature> {
        let mut w = Writer::default();
        self.write_fields(&mut w);
        issuer.verify(Domain::WriterCertificate, &w.into_bytes(), &self.signature)
    }

    /// Whether it holds at a time.
    pub fn holds_at(&self, now_s: u64) -> bool {
        (self.from_s..=self.until_s).contains(&now_s)
    }

    fn write_fields(&self, w: &mut Writer) {
        w.u16(CERTIFICATE_VERSION);
        self.channel.write(w);
        self.writer.write(w);
        w.u16(self.scopes.0);
        write_categories(w, &self.categories);
        w.u64(self.from_s);
        w.u64(self.until_s);
        w.bytes(&self.extensions);
    }
}

impl Wire for WriterCertificate {
    fn write(&self, w: &mut Writer) {
        self.write_fields(w);
        w.fixed(&self.signature);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.version("certificate.version", CERTIFICATE_VERSION)?;
        Ok(Self {
            channel: ChannelId::read(r)?,
            writer: WriterId::read(r)?,
            scopes: Scopes(r.u16("certificate.scopes")?),
            categories: read_categories(r, "certificate.categories")?,
            from_s: r.u64("certificate.from_s")?,
            until_s: r.u64("certificate.until_s")?,
            extensions: r
                .bytes("certificate.extensions", limits::CHANNEL_EXTENSION_BYTES)?
                .to_vec(),
            signature: r.array("certificate.signature")?,
        })
    }
}

/// By whose right an envelope is on its channel: the certificates from the channel's key to the writer's; none if the root wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// Who wrote.
    pub writer: WriterId,
    /// Each signed by the one before it, the first by the channel's key.
    pub chain: Vec<WriterCertificate>,
}

impl Authority {
    /// The authority of a chain on a topic, unchecked.
    pub(crate) fn of(topic: TopicId, chain: Vec<WriterCertificate>) -> Self {
        Self {
            writer: chain.last().map_or(WriterId(topic.0), |last| last.writer),
            chain,
        }
    }

    /// Checks each signature of the chain, and that each issuer had the right to issue.
    pub(crate) fn verify(&self, topic: TopicId) -> Result<(), AuthorityError> {
        let mut issuer = WriterId(topic.0);
        let mut may_issue = true;
        for certificate in &self.chain {
            if !may_issue {
                return Err(invalid("certificate.scopes", "its issuer is no root").into());
            }
            if certificate.channel.topic() != topic {
                return Err(invalid("certificate.channel", "it is for another channel").into());
            }
            certificate.verify(&issuer)?;
            issuer = certificate.writer;
            may_issue = certificate.scopes.allow(Scopes::ROOT);
        }
        Ok(())
    }

    /// What the writer may do.
    pub fn scopes(&self) -> Scopes {
        Scopes::of(&self.chain)
    }

    /// Whether the writer is the channel's root, the first or a later one.
    pub fn is_root(&self) -> bool {
        self.scopes().allow(Scopes::ROOT)
    }

    /// Which of two roots comes first: recovery before others, later ones before earlier ones.
    pub fn rank(&self) -> (bool, usize) {
        let recovers = |known: &WriterCertificate| known.scopes.0 & Scopes::RECOVERY.0 != 0;
        (self.chain.iter().any(recovers), self.chain.len())
    }

    /// The categories that the writer may post in; all if there are none.
    pub fn categories(&self) -> &[String] {
        self.chain.last().map_or(&[], |last| last.categories.as_slice())
    }

    /// Whether all certificates hold at a time.
    pub fn holds_at(&self, now_s: u64) -> bool {
        self.chain.iter().all(|certificate| certificate.holds_at(now_s))
    }
}

/// A chain doesn't hold.
pub(crate) enum AuthorityError {
    /// A certificate in it is for something else.
    Invalid(DecodeError),
    /// A signature in it doesn't hold.
    Signature(BadSignature),
}

impl From<DecodeError> for AuthorityError {
    fn from(error: DecodeError) -> Self {
        Self::Invalid(error)
    }
}

impl From<BadSignature> for AuthorityError {
    fn from(error: BadSignature) -> Self {
        Self::Signature(error)
    }
}

/// What a writer signs a channel's envelopes with.
#[derive(Clone, Debug)]
pub struct Signatory {
    /// The channel.
    pub channel: ChannelId,
    /// The writer's key.
    pub secret: WriterSecret,
    /// Its certificates; none for the root.
    pub chain: Vec<WriterCertificate>,
}

impl Signatory {
    /// What the writer may do.
    pub fn scopes(&self) -> Scopes {
        Scopes::of(&self.chain)
    }

    /// By whose right it writes.
    pub fn authority(&self) -> Authority {
        Authority {
            writer: self.secret.public(),
            chain: self.chain.clone(),
        }
    }

    /// The root of a channel, by the secret of its topic.
    pub fn root(topic: &TopicSecret) -> Self {
        Self {
            channel: ChannelId(topic.public().0),
            secret: WriterSecret::from_bytes(*topic.to_bytes()),
            chain: Vec::new(),
        }
    }
}
