//! Relays as the JSON-RPC shows them: whether they are relied on, and what they did.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use super::ids::RelayKey;
use super::params::{Fields, FromParams};
use super::schema::Hex;

/// A relay that the node uses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RelayInfo {
    /// The relay.
    pub relay: RelayKey,
    /// Its multiaddr.
    pub address: String,
    /// Whether there is a connection now.
    pub connected: bool,
    /// Whether its word counts.
    pub state: RelayState,
    /// The gravest of what it did: `forgot` (its storage went back), `denied` (it lacks what it signed for), `junk`, `endless` or `unserved`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Since when it is demoted, in Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_ms: Option<u64>,
}

/// Where a relay is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RelayAddress {
    /// The relay.
    pub relay: RelayKey,
    /// Its multiaddrs.
    pub addresses: Vec<String>,
}

/// Whether a relay's word counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RelayState {
    /// It does.
    Trusted,
    /// It has broken it: other relays are relied on where there are any.
    Demoted,
}

/// Parameters of `relay.evidence`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
pub struct EvidenceParams {
    /// About this relay only.
    pub relay: Option<RelayKey>,
}

impl FromParams for EvidenceParams {
    fn from_params(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            relay: fields.optional("relay")?,
        })
    }
}

/// What was kept as proof of what a relay did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// The relay.
    pub relay: RelayKey,
    /// What it shows: a reason as in `node.info`.
    pub reason: String,
    /// When it was found, in Unix milliseconds.
    pub found_ms: u64,
    /// What the relay answered or did, in words.
    pub answer: String,
    /// The topic that it is about, in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Hex>")]
    pub topic: Option<String>,
    /// The envelope that it is about, in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Hex>")]
    pub envelope: Option<String>,
    /// Until when the relay had signed to keep it, in Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<u64>,
    /// Custody frames that the relay signed, in hex: its receipts.
    #[schemars(with = "Vec<Hex>")]
    pub receipts: Vec<String>,
    /// The beginning of the frame that it sent instead, in hex; empty if it sent none.
    #[schemars(with = "Hex")]
    pub frame: String,
}
