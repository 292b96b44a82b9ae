//! A share with whoever stands for it: an app that signs, or a page, of which the sender only claims it (`spec/share.md`, section 5).

use super::app::SignedManifest;
use super::json::Json;
use super::values::Origin;
use super::{Share, ShareError};
use crate::keys::{AppId, AppSecret, Domain};
use crate::limits;
use crate::wire::{DecodeError, Reader, Wire, Writer};
use data_encoding::BASE64URL_NOPAD;

const SHARED_VERSION: u16 = 1;
const BY_NOBODY: u8 = 0;
const BY_APP: u8 = 1;
const BY_PAGE: u8 = 2;

/// A share with whoever stands for it.
///
/// | bytes | field |
/// |---|---|
/// | 2 | version, 1 |
/// | V | share, JSON in the one way of writing it |
/// | 1 | by: 0 nobody, 1 an app, 2 a page |
/// | V, 64, 64 | of an app: its manifest as JSON, the signature under that, and the one under the share |
/// | V | of a page: its origin |
/// | V | extensions |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedCard {
    /// The share.
    pub share: Share,
    /// Whoever stands for it.
    pub by: By,
    /// Of later versions.
    pub extensions: Vec<u8>,
}

/// Whoever stands for a share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// Nobody.
    Nobody,
    /// An app, by its signature over its manifest and the share.
    App {
        /// What the app says of itself, so that its name and picture are known without asking anybody.
        manifest: Box<SignedManifest>,
        /// By the app's key.
        signature: [u8; 64],
    },
    /// A page, as the sender says; pages keep no keys.
    Page(Origin),
}

impl SharedCard {
    /// Signs a share as an app. It must have a key and an end, at most [`limits::SHARE_LIFE_S`] ahead, which bound how often and how
    /// long it can be replayed.
    ///
    /// # Errors
    ///
    /// Says which of them is missing or wrong.
    pub fn sign(secret: &AppSecret, manifest: SignedManifest, share: Share, now_s: u64) -> Result<Self, ShareError> {
        if manifest.app() != secret.public() {
            return Err(ShareError::invalid(
                "app",
                "is not the public key of the one that signs",
            ));
        }
        share.bounded()?;
        share.at(now_s)?;
        let signature = secret.sign(Domain::Share, &signed(&manifest, &share));
        Ok(Self {
            share,
            by: By::App {
                manifest: Box::new(manifest),
                signature,
            },
            extensions: Vec::new(),
        })
    }

    /// A share that nobody signs, perhaps with the page from which the sender says it is.
    #[must_use]
    pub fn unsigned(share: Share, origin: Option<Origin>) -> Self {
        Self {
            share,
            by: origin.map_or(By::Nobody, By::Page),
            extensions: Vec::new(),
        }
    }

    /// Checks the signatures; says which app signed, or that none did. What has expired is as genuine as before: see [`Share::at`].
    ///
    /// # Errors
    ///
    /// When a signature doesn't hold, or covers a share without the bounds of signed ones.
    pub fn verify(&self) -> Result<Option<AppId>, ShareError> {
        let By::App { manifest, signature } = &self.by else {
            return Ok(None);
        };
        self.share.bounded()?;
        let app = manifest.verify()?;
        app.verify(Domain::Share, &signed(manifest, &self.share), signature)?;
        Ok(Some(app))
    }

    /// The manifest of the app that signs it, whether or not the signatures hold.
    #[must_use]
    pub fn manifest(&self) -> Option<&SignedManifest> {
        match &self.by {
            By::App { manifest, .. } => Some(manifest),
            By::Nobody | By::Page(_) => None,
        }
    }

    /// As JSON: `{"share": …}` with `"app": {"manifest": …, "signature": …}` and `"signature"`, or `"origin"`. Signatures are in base64url.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut text = format!("{{\"share\":{}", self.share.canonical());
        match &self.by {
            By::Nobody => {}
            By::App { manifest, signature } => {
                let of_manifest = BASE64URL_NOPAD.encode(manifest.signature());
                let bytes = String::from_utf8_lossy(manifest.as_bytes());
                text.push_str(&format!(
                    ",\"app\":{{\"manifest\":{bytes},\"signature\":\"{of_manifest}\"}}"
                ));
                text.push_str(&format!(",\"signature\":\"{}\"", BASE64URL_NOPAD.encode(signature)));
            }
            By::Page(origin) => text.push_str(&format!(",\"origin\":\"{origin}\"")),
        }
        text.push('}');
        text
    }

    /// Reads what [`SharedCard::to_json`] writes, at most [`limits::SHARED_JSON_BYTES`]; members that aren't known are passed over.
    /// Signatures aren't checked.
    ///
    /// # Errors
    ///
    /// Says which member isn't as it must be.
    pub fn from_json(text: &[u8]) -> Result<Self, ShareError> {
        let json = Json::parse(text, limits::SHARED_JSON_BYTES).map_err(ShareError::of_share)?;
        let share = json.get("share").ok_or(ShareError::Missing { path: "share".into() })?;
        let share = Share::parse(share.canonical().as_bytes()).map_err(|error| match error.path() {
            "share" => error,
            _ => error.within("share"),
        })?;
        let by = match (json.get("app"), json.get("origin")) {
            (None, None) => By::Nobody,
            (None, Some(origin)) => {
                let origin = origin.as_text().unwrap_or_default();
                By::Page(Origin::new(origin).map_err(|error| error.within("origin"))?)
            }
            (Some(app), None) => {
                let manifest = app.get("manifest").ok_or(ShareError::Missing {
                    path: "app.manifest".into(),
                })?;
                let of_manifest = signature(app.get("signature"), "app.signature")?;
                let manifest =
                    SignedManifest::unverified(manifest.canonical().as_bytes(), of_manifest).map_err(|error| {
                        match error.path() {
                            "manifest" => error.within("app"),
                            _ => error.within("app.manifest"),
                        }
                    })?;
                By::App {
                    manifest: Box::new(manifest),
                    signature: signature(json.get("signature"), "signature")?,
                }
            }
            (Some(_), Some(_)) => return Err(ShareError::invalid("origin", "must not stand beside an app")),
        };
        Ok(Self {
            share,
            by,
            extensions: Vec::new(),
        })
    }
}

fn signature(value: Option<&Json>, path: &str) -> Result<[u8; 64], ShareError> {
    let value = value.ok_or_else(|| ShareError::Missing { path: path.to_owned() })?;
    let bytes = value
        .as_text()
        .and_then(|text| BASE64URL_NOPAD.decode(text.as_bytes()).ok());
    bytes
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| ShareError::invalid(path, "must be 64 bytes in base64url without padding"))
}

/// What an app signs: `{opaque manifest<V>; opaque share<V>;}`, so that nobody shows a share under another manifest of the same key.
fn signed(manifest: &SignedManifest, share: &Share) -> Vec<u8> {
    let mut w = Writer::default();
    w.bytes(manifest.as_bytes());
    w.bytes(share.canonical().as_bytes());
    w.into_bytes()
}

impl Wire for SharedCard {
    fn write(&self, w: &mut Writer) {
        w.u16(SHARED_VERSION);
        w.bytes(self.share.canonical().as_bytes());
        match &self.by {
            By::Nobody => w.u8(BY_NOBODY),
            By::App { manifest, signature } => {
                w.u8(BY_APP);
                w.bytes(manifest.as_bytes());
                w.fixed(manifest.signature());
                w.fixed(signature);
            }
            By::Page(origin) => {
                w.u8(BY_PAGE);
                w.bytes(origin.as_bytes());
            }
        }
        w.bytes(&self.extensions);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.version("shared.version", SHARED_VERSION)?;
        let bytes = r.bytes("shared.share", limits::SHARE_BYTES)?;
        let share = Share::parse(bytes).map_err(|_| invalid("shared.share", "can't be read"))?;
        if share.canonical().as_bytes() != bytes {
            return Err(invalid("shared.share", "must be in the one way of writing it"));
        }
        let by = match r.u8("shared.by")? {
            BY_NOBODY => By::Nobody,
            BY_APP => {
                let bytes = r.bytes("shared.manifest", limits::APP_MANIFEST_BYTES)?;
                let manifest = SignedManifest::unverified(bytes, r.array("shared.manifest_signature")?)
                    .map_err(|_| invalid("shared.manifest", "can't be read"))?;
                if manifest.as_bytes() != bytes {
                    return Err(invalid("shared.manifest", "must be in the one way of writing it"));
                }
                By::App {
                    manifest: Box::new(manifest),
                    signature: r.array("shared.signature")?,
                }
            }
            BY_PAGE => {
                let origin = r.text("shared.origin", limits::DOMAIN_BYTES + 16)?;
                By::Page(Origin::new(origin).map_err(|_| invalid("shared.origin", "must be an origin"))?)
            }
            _ => return Err(invalid("shared.by", "not known")),
        };
        Ok(Self {
            share,
            by,
            extensions: r.bytes("shared.extensions", limits::CHANNEL_EXTENSION_BYTES)?.to_vec(),
        })
    }
}

fn invalid(field: &'static str, reason: &'static str) -> DecodeError {
    DecodeError::Invalid { field, reason }
}
