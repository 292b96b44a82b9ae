//! Apps: a key, and what it says of itself (`spec/share.md`, section 4).

use super::ShareError;
use super::card::{Device, Os};
use super::json::{Json, MOST};
use super::url;
use super::values::{DomainName, ExecuteUrl, Hex32, IconData, Integer, Label, List, PageUrl, SecureUrl, Text};
use crate::keys::{AppId, AppSecret, Domain};
use crate::limits;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an app says of itself. Members that aren't known are kept, and passed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "Madang app manifest")]
pub struct AppManifest {
    /// The format's version: 1.
    pub version: Integer<1, 1>,
    /// Grows with each change: who has seen a greater one keeps that.
    pub number: Integer<1, { MOST as i64 }>,
    /// The app: its public key.
    pub app: Hex32,
    /// What it calls itself.
    pub name: Text<1, 60>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Text<1, 300>>,
    /// Its picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<Icon>,
    /// The domains that it says it belongs to; each must vouch for it to be believed.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub domains: List<DomainName, 0, { limits::APP_DOMAINS }>,
    /// How it is opened on each platform.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub handlers: List<Handler, 0, { limits::SHARE_PLATFORMS }>,
    /// The events that it takes from a node, like `share.opened`.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub events: List<Label, 0, { limits::APP_EVENTS }>,
}

fn is_empty<T>(list: &[T]) -> bool {
    list.is_empty()
}

/// A small picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Icon {
    /// What the data is.
    pub media_type: IconType,
    /// The file in base64, at most 4,096 bytes before that.
    pub data: IconData,
}

/// The media type of an icon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum IconType {
    /// PNG.
    #[serde(rename = "image/png")]
    Png,
    /// WebP.
    #[serde(rename = "image/webp")]
    Webp,
    /// JPEG.
    #[serde(rename = "image/jpeg")]
    Jpeg,
}

/// How an app is opened on one platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Handler {
    /// The operating system.
    pub os: Os,
    /// The kind of device; any, if it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<Device>,
    /// An address on one of the app's domains that the system opens in the app, to which a share's parameters are appended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_link: Option<SecureUrl>,
    /// An address of the app's own scheme, to which a share's parameters are appended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execute: Option<ExecuteUrl>,
    /// Where it can be had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub install: Option<SecureUrl>,
    /// The page that does the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub web: Option<PageUrl>,
}

impl AppManifest {
    /// The app's key.
    #[must_use]
    pub fn id(&self) -> Option<AppId> {
        self.app.as_str().parse().ok()
    }

    /// What the types alone don't ask for.
    fn check(&self) -> Result<(), ShareError> {
        for (at, handler) in self.handlers.iter().enumerate() {
            let path = format!("handlers[{at}]");
            let mut before = self.handlers.iter().take(at);
            if before.any(|other| (other.os, other.device) == (handler.os, handler.device)) {
                return Err(ShareError::invalid(
                    path,
                    "is there twice for the same system and device",
                ));
            }
            let host = handler.verified_link.as_ref().and_then(|link| url::host(link));
            if handler.verified_link.as_ref().is_some_and(|link| link.contains('#')) {
                return Err(ShareError::invalid(
                    format!("{path}.verified_link"),
                    "must have no fragment: parameters are appended to it",
                ));
            }
            if let Some(host) = host
                && !self.domains.iter().any(|domain| domain.as_str() == host)
            {
                return Err(ShareError::invalid(
                    format!("{path}.verified_link"),
                    "must be on one of the app's domains",
                ));
            }
        }
        Ok(())
    }
}

/// A manifest with the signature of its app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedManifest {
    manifest: AppManifest,
    bytes: String,
    signature: [u8; 64],
}

impl SignedManifest {
    /// Signs a manifest, at most [`limits::APP_MANIFEST_BYTES`] of JSON that names the app whose key this is.
    ///
    /// # Errors
    ///
    /// Says what is wrong with the manifest.
    pub fn sign(secret: &AppSecret, manifest: &[u8]) -> Result<Self, ShareError> {
        let json = Json::parse(manifest, limits::APP_MANIFEST_BYTES).map_err(|error| error.named("manifest"))?;
        let manifest = read(&json)?;
        if manifest.id() != Some(secret.public()) {
            return Err(ShareError::invalid(
                "app",
                "is not the public key of the one that signs",
            ));
        }
        let bytes = json.canonical();
        Ok(Self {
            signature: secret.sign(Domain::AppManifest, bytes.as_bytes()),
            manifest,
            bytes,
        })
    }

    /// Takes a manifest and the signature under it, which isn't checked.
    ///
    /// # Errors
    ///
    /// Says what is wrong with the manifest.
    pub fn unverified(manifest: &[u8], signature: [u8; 64]) -> Result<Self, ShareError> {
        let json = Json::parse(manifest, limits::APP_MANIFEST_BYTES).map_err(|error| error.named("manifest"))?;
        Ok(Self {
            manifest: read(&json)?,
            bytes: json.canonical(),
            signature,
        })
    }

    /// Checks that it is by the app that it names.
    ///
    /// # Errors
    ///
    /// When the signature doesn't hold.
    pub fn verify(&self) -> Result<AppId, ShareError> {
        let app = self.app();
        app.verify(Domain::AppManifest, self.bytes.as_bytes(), &self.signature)?;
        Ok(app)
    }

    /// The app that it names.
    #[must_use]
    pub fn app(&self) -> AppId {
        // Its form was checked as it was read.
        self.manifest.id().unwrap_or(AppId([0; 32]))
    }

    /// What it says.
    #[must_use]
    pub fn manifest(&self) -> &AppManifest {
        &self.manifest
    }

    /// What is signed: its JSON in the one way of writing it.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.as_bytes()
    }

    /// By the app.
    #[must_use]
    pub fn signature(&self) -> &[u8; 64] {
        &self.signature
    }
}

fn read(json: &Json) -> Result<AppManifest, ShareError> {
    let manifest = AppManifest::deserialize(json)
        .and_then(|manifest| manifest.check().map(|()| manifest))
        .map_err(|error| error.named("manifest"))?;
    Ok(manifest)
}
