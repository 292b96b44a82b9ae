//! What a channel says of itself in the public directory of a relay, if its root wants it to be found there (`spec/channel.md`, section 10).

use super::certificate::{Authority, AuthorityError, Signatory, WriterCertificate};
use super::invalid;
use super::link::ChannelLink;
use super::manifest::{Manifest, read_categories, write_categories};
use crate::address::{self, PeerAddress};
use crate::keys::{BadSignature, ChannelId, Domain, TransportKey};
use crate::limits;
use crate::wire::{DecodeError, Reader, Wire, Writer};
use crate::words::{Terms, fold};

const LISTING_VERSION: u16 = 1;
const FLAG_WITHDRAWN: u8 = 1;

/// A channel in a relay's directory.
///
/// | bytes | field |
/// |---|---|
/// | 2 | version, 1 |
/// | 32 | channel |
/// | 32 | the relay in whose directory it is |
/// | 8 | number |
/// | 8 | until, Unix seconds |
/// | 1 | flags: 1 the channel is in the directory no longer; others are kept |
/// | V | name |
/// | V | description |
/// | V | ids of its categories, `opaque<V>` each |
/// | V | relays |
/// | V | the certificates of who signs, none for the channel's key |
/// | V | extensions |
/// | 64 | Ed25519 signature over all before, by the root, domain `madang/1/channel-listing` |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The channel.
    pub channel: ChannelId,
    /// In whose directory.
    pub relay: TransportKey,
    /// Of several by one root the one with the greatest counts.
    pub number: u64,
    /// Unix seconds.
    pub until_s: u64,
    /// See [`Self::is_withdrawn`].
    pub flags: u8,
    /// At most [`limits::NAME_BYTES`], not empty.
    pub name: String,
    /// At most [`limits::LISTING_DESCRIPTION_BYTES`].
    pub description: String,
    /// At most [`limits::CHANNEL_CATEGORIES`].
    pub categories: Vec<String>,
    /// Where the channel is kept.
    pub relays: Vec<PeerAddress>,
    /// Who signs.
    pub chain: Vec<WriterCertificate>,
    /// Of later versions.
    pub extensions: Vec<u8>,
    /// By the root.
    pub signature: [u8; 64],
}

/// A listing doesn't hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListingError {
    /// It can't be read, or a certificate in it isn't one.
    #[error("{0}")]
    Decode(#[from] DecodeError),
    /// It is for another relay's directory.
    #[error("it is for another relay's directory")]
    OtherRelay,
    /// It held until earlier, or is to hold for too long.
    #[error("it doesn't hold now")]
    Expired,
    /// Who signed isn't the channel's root.
    #[error("whoever signed isn't the channel's root")]
    NotRoot,
    /// A signature doesn't hold.
    #[error("{0}")]
    Signature(#[from] BadSignature),
}

impl Listing {
    /// Signs as a channel's root what its manifest says, for one relay's directory.
    #[must_use]
    pub fn sign(root: &Signatory, relay: TransportKey, number: u64, until_s: u64, manifest: &Manifest) -> Self {
        let mut listing = Self {
            channel: root.channel,
            relay,
            number,
            until_s,
            flags: 0,
            name: manifest.name.clone(),
            description: beginning(&manifest.description, limits::LISTING_DESCRIPTION_BYTES).to_owned(),
            categories: manifest.categories.iter().map(|known| known.id.clone()).collect(),
            relays: manifest.relays.clone(),
            chain: root.chain.clone(),
            extensions: Vec::new(),
            signature: [0; 64],
        };
        // What a relay's address costs is bounded by what it is worth: the first relays lead to the channel as well.
        while listing.encode().len() > limits::LISTING_BYTES && listing.relays.len() > 1 {
            listing.relays.pop();
        }
        listing.signature = root.secret.sign(Domain::ChannelListing, &listing.fields());
        listing
    }

    /// Signs as a channel's root that it is in a relay's directory no longer.
    #[must_use]
    pub fn withdraw(root: &Signatory, relay: TransportKey, number: u64, until_s: u64, manifest: &Manifest) -> Self {
        let mut listing = Self::sign(root, relay, number, until_s, manifest);
        listing.flags = FLAG_WITHDRAWN;
        listing.description.clear();
        listing.categories.clear();
        listing.relays.clear();
        listing.signature = root.secret.sign(Domain::ChannelListing, &listing.fields());
        listing
    }

    /// Whether it says that the channel is in the directory no longer.
    #[must_use]
    pub fn is_withdrawn(&self) -> bool {
        self.flags & FLAG_WITHDRAWN != 0
    }

    /// Checks that it is by the channel's root, for a relay's directory, and holds at a time.
    ///
    /// # Errors
    ///
    /// Says what doesn't hold.
    pub fn verify(&self, relay: &TransportKey, now_s: u64) -> Result<(), ListingError> {
        if self.relay != *relay {
            return Err(ListingError::OtherRelay);
        }
        // Twice the time, so that clocks needn't agree.
        if !(now_s..=now_s.saturating_add(2 * limits::LISTING_SECONDS)).contains(&self.until_s) {
            return Err(ListingError::Expired);
        }
        let authority = self.authority();
        authority.verify(self.channel.topic()).map_err(|error| match error {
            AuthorityError::Invalid(error) => ListingError::Decode(error),
            AuthorityError::Signature(error) => ListingError::Signature(error),
        })?;
        if !authority.is_root() {
            return Err(ListingError::NotRoot);
        }
        authority
            .writer
            .verify(Domain::ChannelListing, &self.fields(), &self.signature)?;
        Ok(())
    }

    /// Which of two of one channel counts: the one of the later root, of one root's the later one.
    #[must_use]
    pub fn rank(&self) -> (bool, usize, u64) {
        let (recovered, handed_over) = self.authority().rank();
        (recovered, handed_over, self.number)
    }

    /// The link by which the channel is followed.
    #[must_use]
    pub fn link(&self) -> ChannelLink {
        ChannelLink {
            channel: self.channel,
            relays: self.relays.clone(),
            name: self.name.clone(),
            extensions: Vec::new(),
        }
    }

    /// Its place in a directory: by its name as it is compared, then by its key.
    #[must_use]
    pub fn place(&self) -> Vec<u8> {
        let name: String = fold(&self.name).iter().map(|letter| letter.c).collect();
        let mut place = beginning(&name, limits::LISTING_PLACE_BYTES - 33).as_bytes().to_vec();
        place.push(0);
        place.extend(self.channel.0);
        place
    }

    fn authority(&self) -> Authority {
        Authority::of(self.channel.topic(), self.chain.clone())
    }

    fn fields(&self) -> Vec<u8> {
        let mut w = Writer::default();
        self.write_fields(&mut w);
        w.into_bytes()
    }

    fn write_fields(&self, w: &mut Writer) {
        w.u16(LISTING_VERSION);
        self.channel.write(w);
        self.relay.write(w);
        w.u64(self.number);
        w.u64(self.until_s);
        w.u8(self.flags);
        w.bytes(self.name.as_bytes());
        w.bytes(self.description.as_bytes());
        write_categories(w, &self.categories);
        address::write_all(w, &self.relays);
        w.list(&self.chain, |w, certificate| certificate.write(w));
        w.bytes(&self.extensions);
    }
}

/// The beginning of a text, of at most so many bytes.
fn beginning(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or_default()
}

impl Wire for Listing {
    fn write(&self, w: &mut Writer) {
        self.write_fields(w);
        w.fixed(&self.signature);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.version("listing.version", LISTING_VERSION)?;
        let listing = Self {
            channel: ChannelId::read(r)?,
            relay: TransportKey::read(r)?,
            number: r.u64("listing.number")?,
            until_s: r.u64("listing.until_s")?,
            flags: r.u8("listing.flags")?,
            name: r.text("listing.name", limits::NAME_BYTES)?,
            description: r.text("listing.description", limits::LISTING_DESCRIPTION_BYTES)?,
            categories: read_categories(r, "listing.categories")?,
            relays: address::read_all(r, "listing.relays", limits::RELAYS)?,
            chain: r.list(
                "listing.certificates",
                limits::CERTIFICATE_CHAIN,
                WriterCertificate::read,
            )?,
            extensions: r.bytes("listing.extensions", limits::CHANNEL_EXTENSION_BYTES)?.to_vec(),
            signature: r.array("listing.signature")?,
        };
        if listing.name.trim().is_empty() {
            return Err(invalid("listing.name", "must not be empty"));
        }
        Ok(listing)
    }
}

/// What somebody looks for in a directory.
#[derive(Clone, Debug)]
pub struct Wanted {
    terms: Option<Terms>,
    category: Option<String>,
}

impl Wanted {
    /// All words of a query, in the name or the description, and a category; `None` if there are too many words. An empty query or
    /// category asks for nothing in particular.
    #[must_use]
    pub fn read(query: &str, category: &str) -> Option<Self> {
        let terms = match query.trim() {
            "" => None,
            query => Some(Terms::read(query)?),
        };
        Some(Self {
            terms,
            category: Some(category.to_owned()).filter(|category| !category.is_empty()),
        })
    }

    /// Whether a listing is what is looked for.
    #[must_use]
    pub fn is(&self, listing: &Listing) -> bool {
        let of = |category: &String| listing.categories.contains(category);
        let has = |terms: &Terms| {
            terms
                .places(&format!("{}\n{}", listing.name, listing.description))
                .is_some()
        };
        !listing.is_withdrawn() && self.category.as_ref().is_none_or(of) && self.terms.as_ref().is_none_or(has)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::channel::{Category, Policy};
    use crate::keys::TopicSecret;

    const RELAY: TransportKey = TransportKey([3; 32]);
    const NOW_S: u64 = 1_000_000_000;

    fn manifest(name: &str) -> Manifest {
        Manifest {
            number: 1,
            name: name.into(),
            description: "Books and readings, 책과 낭독회".into(),
            picture: None,
            links: Vec::new(),
            categories: vec![Category {
                id: "news".into(),
                name: "News".into(),
            }],
            inbox: String::new(),
            relays: vec![PeerAddress {
                key: RELAY,
                addrs: vec!["/ip4/192.0.2.1/tcp/1".into()],
            }],
            domain: String::new(),
            policy: Policy::default(),
            recovery: None,
            extensions: Vec::new(),
        }
    }

    fn listed(name: &str) -> Listing {
        let root = Signatory::root(&TopicSecret::from_bytes([1; 32]));
        Listing::sign(&root, RELAY, 1, NOW_S + limits::LISTING_SECONDS, &manifest(name))
    }

    #[test]
    fn it_holds_for_one_relay_and_a_time_and_nobody_changes_it() {
        let listing = Listing::decode(&listed("마당 서점").encode()).unwrap();
        assert_eq!(listing.verify(&RELAY, NOW_S), Ok(()));
        assert_eq!(listing.link().channel, listing.channel);
        let elsewhere = listing.verify(&TransportKey([4; 32]), NOW_S);
        assert_eq!(elsewhere, Err(ListingError::OtherRelay));
        for at_s in [listing.until_s + 1, NOW_S - 2 * limits::LISTING_SECONDS] {
            assert_eq!(listing.verify(&RELAY, at_s), Err(ListingError::Expired));
        }
        let mut changed = listing.clone();
        changed.name.push('!');
        let found = changed.verify(&RELAY, NOW_S);
        assert!(matches!(found, Err(ListingError::Signature(_))), "{found:?}");
        let mut shown_again = listing;
        shown_again.flags ^= FLAG_WITHDRAWN;
        assert!(shown_again.verify(&RELAY, NOW_S).is_err());
    }

    #[test]
    fn it_is_found_by_words_of_its_name_and_description_and_by_category() {
        let listing = listed("마당 서점");
        let finds = |query: &str, category: &str| Wanted::read(query, category).unwrap().is(&listing);
        for (query, category) in [
            ("", ""),
            ("서점", ""),
            ("당", ""),
            ("BOOK", ""),
            ("낭독 책과", "news"),
            ("", "news"),
        ] {
            assert!(finds(query, category), "{query} {category}");
        }
        for (query, category) in [("ook", ""), ("서점 bakery", ""), ("서점", "offers")] {
            assert!(!finds(query, category), "{query} {category}");
        }
        let root = Signatory::root(&TopicSecret::from_bytes([1; 32]));
        let gone = Listing::withdraw(&root, RELAY, 2, NOW_S + 1, &manifest("마당 서점"));
        assert_eq!(gone.verify(&RELAY, NOW_S), Ok(()));
        assert!(!Wanted::read("", "").unwrap().is(&gone));
    }

    #[test]
    fn the_longest_has_room() {
        let mut long = manifest(&"가".repeat(limits::NAME_BYTES / 3));
        long.description = "나".repeat(limits::CHANNEL_DESCRIPTION_BYTES / 3);
        long.relays = (0..limits::RELAYS as u8)
            .map(|n| PeerAddress {
                key: TransportKey([n; 32]),
                addrs: vec!["a".repeat(limits::ADDRESS_BYTES); limits::ADDRESSES],
            })
            .collect();
        let root = Signatory::root(&TopicSecret::from_bytes([1; 32]));
        let listing = Listing::sign(&root, RELAY, 1, NOW_S, &long);
        assert!(listing.encode().len() <= limits::LISTING_BYTES && !listing.relays.is_empty());
        assert!(listing.place().len() <= limits::LISTING_PLACE_BYTES);
        assert_eq!(Listing::decode(&listing.encode()).unwrap(), listing);
    }
}
