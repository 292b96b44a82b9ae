//! The manifest: what a channel says of itself.

use super::invalid;
use crate::address::{self, PeerAddress};
use crate::blob::BlobRef;
use crate::keys::WriterId;
use crate::limits;
use crate::wire::{DecodeError, Reader, Wire, Writer};

const MANIFEST_VERSION: u16 = 1;

/// What a channel says of itself. Its number only grows; it is signed as part of a beacon.
///
/// | bytes | field |
/// |---|---|
/// | 2 | version, 1 |
/// | 8 | number |
/// | V | name |
/// | V | description |
/// | 1 or 74 | picture, `optional<BlobRef>` |
/// | V | links, `{opaque label<V>; opaque url<V>;}` each |
/// | V | categories, `{opaque id<V>; opaque name<V>;}` each |
/// | V | contact inbox: an invite link by which followers write back; empty for none |
/// | V | relays |
/// | V | domain that it says it belongs to; empty for none |
/// | 2 | posts a day that it promises at most; 0 for no promise |
/// | V | label of its advertising posts; empty for none |
/// | 1 or 33 | recovery key, `optional<WriterId>` |
/// | V | extensions |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Grows with each change.
    pub number: u64,
    /// At most [`limits::NAME_BYTES`], not empty.
    pub name: String,
    /// At most [`limits::CHANNEL_DESCRIPTION_BYTES`].
    pub description: String,
    /// A picture, kept as a blob on the channel's topic.
    pub picture: Option<BlobRef>,
    /// At most [`limits::CHANNEL_LINKS`].
    pub links: Vec<WebLink>,
    /// At most [`limits::CHANNEL_CATEGORIES`].
    pub categories: Vec<Category>,
    /// An invite link; empty for none.
    pub inbox: String,
    /// Where it is kept, at most [`limits::RELAYS`].
    pub relays: Vec<PeerAddress>,
    /// The domain that it says it belongs to; empty for none.
    pub domain: String,
    /// What it promises.
    pub policy: Policy,
    /// Whose certificates come before the root's; its key is kept apart.
    pub recovery: Option<WriterId>,
    /// Of later versions.
    pub extensions: Vec<u8>,
}

/// An address with what it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebLink {
    /// At most [`limits::NAME_BYTES`].
    pub label: String,
    /// At most [`limits::URL_BYTES`].
    pub url: String,
}

/// A category that posts can be of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Category {
    /// Lower-case letters, digits and hyphens, at most [`limits::CATEGORY_BYTES`].
    pub id: String,
    /// For people, at most [`limits::NAME_BYTES`].
    pub name: String,
}

/// What a channel promises.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Posts a day at most; 0 for no promise.
    pub posts_per_day: u16,
    /// What its advertising posts are labelled with; empty for none.
    pub advertising_label: String,
}

/// Whether a text can be the id of a category.
pub fn is_category(text: &str) -> bool {
    let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !text.is_empty() && text.len() <= limits::CATEGORY_BYTES && text.chars().all(known)
}

/// Whether a text is a domain's name: labels of lower-case ASCII with a dot between them; others are written in punycode.
pub fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let edges = !label.starts_with('-') && !label.ends_with('-');
        !label.is_empty() && label.len() <= 63 && edges && label.chars().all(known)
    };
    text.len() <= limits::DOMAIN_BYTES && text.contains('.') && text.split('.').all(is_label)
}

pub(super) fn write_categories(w: &mut Writer, categories: &[String]) {
    w.list(categories, |w, category| w.bytes(category.as_bytes()));
}

pub(super) fn read_categories(r: &mut Reader<'_>, field: &'static str) -> Result<Vec<String>, DecodeError> {
    r.list(field, limits::CHANNEL_CATEGORIES, |r| {
        let category = r.text(field, limits::CATEGORY_BYTES)?;
        if !is_category(&category) {
            return Err(invalid(field, "must be lower-case letters, digits and hyphens"));
        }
        Ok(category)
    })
}

impl Manifest {
    /// Requires what the format asks for.
    pub fn check(&self) -> Result<(), DecodeError> {
        if self.name.trim().is_empty() {
            return Err(invalid("manifest.name", "must not be empty"));
        }
        if !self.domain.is_empty() && !is_domain(&self.domain) {
            return Err(invalid("manifest.domain", "must be a domain's name in lower case"));
        }
        let mut ids: Vec<&str> = self.categories.iter().map(|category| category.id.as_str()).collect();
        if !ids.iter().all(|id| is_category(id)) {
            return Err(invalid(
                "manifest.category.id",
                "must be lower-case letters, digits and hyphens",
            ));
        }
        ids.sort_unstable();
        if ids.windows(2).any(|pair| pair.first() == pair.last()) {
            return Err(invalid("manifest.category.id", "must differ from the others"));
        }
        Ok(())
    }
}

impl Wire for WebLink {
    fn write(&self, w: &mut Writer) {
        w.bytes(self.label.as_bytes());
        w.bytes(self.url.as_bytes());
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            label: r.text("link.label", limits::NAME_BYTES)?,
            url: r.text("link.url", limits::URL_BYTES)?,
        })
    }
}

impl Wire for Category {
    fn write(&self, w: &mut Writer) {
        w.bytes(self.id.as_bytes());
        w.bytes(self.name.as_bytes());
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            id: r.text("manifest.category.id", limits::CATEGORY_BYTES)?,
            name: r.text("manifest.category.name", limits::NAME_BYTES)?,
        })
    }
}

impl Wire for Manifest {
    fn write(&self, w: &mut Writer) {
        w.u16(MANIFEST_VERSION);
        w.u64(self.number);
        w.bytes(self.name.as_bytes());
        w.bytes(self.description.as_bytes());
        w.option(self.picture.as_ref(), |w, picture| picture.write(w));
        w.list(&self.links, |w, link| link.write(w));
        w.list(&self.categories, |w, category| category.write(w));
        w.bytes(self.inbox.as_bytes());
        address::write_all(w, &self.relays);
        w.bytes(self.domain.as_bytes());
        w.u16(self.policy.posts_per_day);
        w.bytes(self.policy.advertising_label.as_bytes());
        w.option(self.recovery.as_ref(), |w, key| key.write(w));
        w.bytes(&self.extensions);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.version("manifest.version", MANIFEST_VERSION)?;
        let manifest = Self {
            number: r.u64("manifest.number")?,
            name: r.text("manifest.name", limits::NAME_BYTES)?,
            description: r.text("manifest.description", limits::CHANNEL_DESCRIPTION_BYTES)?,
            picture: r.option("manifest.picture", BlobRef::read)?,
            links: r.list("manifest.links", limits::CHANNEL_LINKS, WebLink::read)?,
            categories: r.list("manifest.categories", limits::CHANNEL_CATEGORIES, Category::read)?,
            inbox: r.text("manifest.inbox", 2 * limits::INVITE_BYTES)?,
            relays: address::read_all(r, "manifest.relays", limits::RELAYS)?,
            domain: r.text("manifest.domain", limits::DOMAIN_BYTES)?,
            policy: Policy {
                posts_per_day: r.u16("manifest.posts_per_day")?,
                advertising_label: r.text("manifest.advertising_label", limits::NAME_BYTES)?,
            },
            recovery: r.option("manifest.recovery", WriterId::read)?,
            extensions: r
                .bytes("manifest.extensions", limits::CHANNEL_EXTENSION_BYTES)?
                .to_vec(),
        };
        manifest.check()?;
        Ok(manifest)
    }
}
