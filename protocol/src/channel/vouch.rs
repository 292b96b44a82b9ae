//! What a domain publishes to vouch for a channel or an app, so that whoever meets it can tell whose it is (`spec/channel.md`,
//! section 8).

use super::certificate::{Authority, AuthorityError, Signatory, WriterCertificate};
use super::invalid;
use super::manifest::is_domain;
use crate::keys::{AppId, AppSecret, BadSignature, ChannelId, Domain, TopicId};
use crate::limits;
use crate::wire::{DecodeError, Reader, Wire, Writer};

const VOUCH_VERSION: u16 = 1;

/// A root's word that its channel belongs to a domain, or an app's that it does. Published by that domain it goes both ways.
///
/// | bytes | field |
/// |---|---|
/// | 2 | version, 1 |
/// | 32 | channel, or app |
/// | V | domain |
/// | V | the certificates of who signs, none for the channel's key |
/// | V | extensions |
/// | 64 | Ed25519 signature over all before, by the root, domain `madang/1/channel-vouch`; by the app, `madang/1/app-vouch` |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vouch {
    /// The channel; an app's key stands in its place.
    pub channel: ChannelId,
    /// The domain's name.
    pub domain: String,
    /// Who signs.
    pub chain: Vec<WriterCertificate>,
    /// Of later versions.
    pub extensions: Vec<u8>,
    /// By the root, or the app.
    pub signature: [u8; 64],
}

/// A statement doesn't show that a channel or an app belongs to a domain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VouchError {
    /// It can't be read, or a certificate in it isn't one.
    #[error("{0}")]
    Decode(#[from] DecodeError),
    /// It is about another channel or app.
    #[error("it is about another one")]
    Channel,
    /// It is about another domain.
    #[error("it is about another domain")]
    OtherDomain,
    /// Who signed isn't the channel's root.
    #[error("whoever signed isn't the channel's root")]
    NotRoot,
    /// A signature doesn't hold.
    #[error("{0}")]
    Signature(#[from] BadSignature),
}

impl Vouch {
    /// Signs it as a channel's root.
    #[must_use]
    pub fn sign(root: &Signatory, domain: &str) -> Self {
        let mut vouch = Self {
            channel: root.channel,
            domain: domain.to_owned(),
            chain: root.chain.clone(),
            extensions: Vec::new(),
            signature: [0; 64],
        };
        vouch.signature = root.secret.sign(Domain::ChannelVouch, &vouch.fields());
        vouch
    }

    /// Checks that it is by a channel's root, about a domain.
    ///
    /// # Errors
    ///
    /// Says what doesn't hold.
    pub fn verify(&self, channel: ChannelId, domain: &str) -> Result<(), VouchError> {
        if self.channel != channel {
            return Err(VouchError::Channel);
        }
        if self.domain != domain {
            return Err(VouchError::OtherDomain);
        }
        let topic: TopicId = channel.topic();
        let authority = Authority::of(topic, self.chain.clone());
        authority.verify(topic).map_err(|error| match error {
            AuthorityError::Invalid(error) => VouchError::Decode(error),
            AuthorityError::Signature(error) => VouchError::Signature(error),
        })?;
        if !authority.is_root() {
            return Err(VouchError::NotRoot);
        }
        let signed = self.fields();
        authority
            .writer
            .verify(Domain::ChannelVouch, &signed, &self.signature)?;
        Ok(())
    }

    /// Signs it as an app. Its own label keeps it from passing for a channel's.
    #[must_use]
    pub fn of_app(secret: &AppSecret, domain: &str) -> Self {
        let mut vouch = Self {
            channel: ChannelId(secret.public().0),
            domain: domain.to_owned(),
            chain: Vec::new(),
            extensions: Vec::new(),
            signature: [0; 64],
        };
        vouch.signature = secret.sign(Domain::AppVouch, &vouch.fields());
        vouch
    }

    /// Checks that it is by an app, about a domain.
    ///
    /// # Errors
    ///
    /// Says what doesn't hold.
    pub fn verify_app(&self, app: AppId, domain: &str) -> Result<(), VouchError> {
        if self.channel.0 != app.0 {
            return Err(VouchError::Channel);
        }
        if self.domain != domain {
            return Err(VouchError::OtherDomain);
        }
        if !self.chain.is_empty() {
            return Err(VouchError::NotRoot);
        }
        app.verify(Domain::AppVouch, &self.fields(), &self.signature)?;
        Ok(())
    }

    fn fields(&self) -> Vec<u8> {
        let mut w = Writer::default();
        self.write_fields(&mut w);
        w.into_bytes()
    }

    fn write_fields(&self, w: &mut Writer) {
        w.u16(VOUCH_VERSION);
        self.channel.write(w);
        w.bytes(self.domain.as_bytes());
        w.list(&self.chain, |w, certificate| certificate.write(w));
        w.bytes(&self.extensions);
    }
}

impl Wire for Vouch {
    fn write(&self, w: &mut Writer) {
        self.write_fields(w);
        w.fixed(&self.signature);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.version("vouch.version", VOUCH_VERSION)?;
        let channel = ChannelId::read(r)?;
        let domain = r.text("vouch.domain", limits::DOMAIN_BYTES)?;
        if !is_domain(&domain) {
            return Err(invalid("vouch.domain", "must be a domain's name in lower case"));
        }
        Ok(Self {
            channel,
            domain,
            chain: r.list("vouch.certificates", limits::CERTIFICATE_CHAIN, WriterCertificate::read)?,
            extensions: r.bytes("vouch.extensions", limits::CHANNEL_EXTENSION_BYTES)?.to_vec(),
            signature: r.array("vouch.signature")?,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::channel::Scopes;
    use crate::keys::{TopicSecret, WriterSecret};

    fn root(n: u8) -> Signatory {
        Signatory::root(&TopicSecret::from_bytes([n; 32]))
    }

    /// Somebody whom a channel's root certified.
    fn certified(root: &Signatory, scopes: Scopes) -> Signatory {
        let secret = WriterSecret::from_bytes([9; 32]);
        let certificate = WriterCertificate {
            channel: root.channel,
            writer: secret.public(),
            scopes,
            categories: Vec::new(),
            from_s: 0,
            until_s: u64::MAX,
            extensions: Vec::new(),
            signature: [0; 64],
        };
        Signatory {
            channel: root.channel,
            secret,
            chain: vec![certificate.signed(&root.secret)],
        }
    }

    #[test]
    fn a_root_vouches_for_its_own_channel_and_one_domain_alone() {
        let bakery = root(1);
        let vouch = Vouch::sign(&bakery, "bakery.example");
        let read = Vouch::decode(&vouch.encode()).unwrap();
        assert_eq!(read, vouch);
        assert_eq!(read.verify(bakery.channel, "bakery.example"), Ok(()));
        assert_eq!(
            read.verify(bakery.channel, "other.example"),
            Err(VouchError::OtherDomain)
        );
        assert_eq!(read.verify(root(2).channel, "bakery.example"), Err(VouchError::Channel));
        let claimed = Vouch {
            channel: root(2).channel,
            ..vouch
        };
        let found = claimed.verify(root(2).channel, "bakery.example");
        assert!(matches!(found, Err(VouchError::Signature(_))), "{found:?}");
    }

    #[test]
    fn who_took_the_channel_over_vouches_and_an_editor_does_not() {
        let bakery = root(1);
        let heir = certified(&bakery, Scopes::ROOT);
        let vouch = Vouch::sign(&heir, "bakery.example");
        assert_eq!(vouch.verify(bakery.channel, "bakery.example"), Ok(()));
        let editor = certified(&bakery, Scopes::PUBLISH.with(Scopes::EDIT));
        let vouch = Vouch::sign(&editor, "bakery.example");
        assert_eq!(vouch.verify(bakery.channel, "bakery.example"), Err(VouchError::NotRoot));
    }

    #[test]
    fn f50_an_app_vouches_for_itself_alone_and_its_word_is_none_of_a_channel() {
        let (recipes, other) = (AppSecret::from_bytes([5; 32]), AppSecret::from_bytes([6; 32]));
        let vouch = Vouch::decode(&Vouch::of_app(&recipes, "recipes.example").encode()).unwrap();
        assert_eq!(vouch.verify_app(recipes.public(), "recipes.example"), Ok(()));
        assert_eq!(
            vouch.verify_app(recipes.public(), "other.example"),
            Err(VouchError::OtherDomain)
        );
        assert_eq!(
            vouch.verify_app(other.public(), "recipes.example"),
            Err(VouchError::Channel)
        );
        // The same key as a channel's root signs under another label.
        let channel = ChannelId(recipes.public().0);
        let found = vouch.verify(channel, "recipes.example");
        assert!(matches!(found, Err(VouchError::Signature(_))), "{found:?}");
        let of_channel = Vouch::sign(&root(5), "recipes.example");
        let found = of_channel.verify_app(recipes.public(), "recipes.example");
        assert!(matches!(found, Err(VouchError::Signature(_))), "{found:?}");
    }

    #[test]
    fn what_is_no_domain_is_not_read() {
        let mut vouch = Vouch::sign(&root(1), "bakery.example");
        for domain in ["", "bakery", "Bakery.example", "bakery.example/x", "a..b"] {
            domain.clone_into(&mut vouch.domain);
            assert!(Vouch::decode(&vouch.encode()).is_err(), "{domain}");
        }
    }
}
