//! A leaf of a chat's group: whose it is, what it can do, and the key packages from which leaves come.

use super::context::{ChatContext, LeafIdentity};
use super::group::{GroupError, mls};
use crate::contact::CardPackage;
use crate::keys::{AccountId, DeviceId, DeviceSecret};
use crate::mls::{Crypto, GroupRows, GroupStorage, Provider, Suite};
use crate::wire::Wire;
use openmls::prelude::{
    BasicCredential, Capabilities, Credential, CredentialWithKey, ExtensionType, KeyPackage, Lifetime, MlsMessageOut,
};
use openmls_traits::signatures::{Signer, SignerError};
use openmls_traits::types::SignatureScheme;
use tls_codec::Serialize;

/// A member's leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its place in the tree.
    pub leaf: u32,
    /// Whose it is.
    pub account: AccountId,
    /// The device, which is the leaf's signature key.
    pub device: DeviceId,
}

pub(super) fn credential(identity: &LeafIdentity) -> CredentialWithKey {
    CredentialWithKey {
        credential: BasicCredential::new(identity.encode()).into(),
        signature_key: identity.device.0.to_vec().into(),
    }
}

/// Makes a key package and the private rows that a Welcome to it needs.
pub fn key_package(
    crypto: &Crypto,
    device: &DeviceSecret,
    identity: &LeafIdentity,
    suite: Suite,
    last_resort: bool,
    not_before_s: u64,
    not_after_s: u64,
) -> Result<(CardPackage, GroupRows), GroupError> {
    let fail = mls("make a key package");
    let storage = GroupStorage::default();
    let provider = Provider {
        crypto,
        storage: &storage,
    };
    let mut builder = KeyPackage::builder()
        .leaf_node_capabilities(capabilities(suite))
        .key_package_lifetime(open_lifetime());
    if last_resort {
        builder = builder.mark_as_last_resort();
    }
    let bundle = builder
        .build(suite.mls(), &provider, &LeafSigner(device), credential(identity))
        .map_err(|e| fail(&e))?;
    let message = MlsMessageOut::from(bundle.key_package().clone());
    let package = CardPackage {
        not_before_s,
        not_after_s,
        last_resort,
        bytes: message.tls_serialize_detached().map_err(|e| fail(&e))?,
    };
    Ok((package, storage.snapshot()))
}

fn refuse(reason: String) -> GroupError {
    GroupError::Identity { reason }
}

fn identity_of(credential: &Credential) -> Result<LeafIdentity, GroupError> {
    let basic = BasicCredential::try_from(credential.clone()).map_err(|e| refuse(format!("{e:?}")))?;
    LeafIdentity::decode(basic.identity()).map_err(|e| refuse(e.to_string()))
}

/// Who a leaf is that was checked when it came into the group.
pub(super) fn known_member(leaf: u32, credential: &Credential) -> Result<Member, GroupError> {
    let identity = identity_of(credential)?;
    Ok(Member {
        leaf,
        account: identity.account(),
        device: identity.device,
    })
}

/// Who a leaf is, checked: its account certifies the device, and the device's key signs for it.
pub(super) fn leaf_member(leaf: u32, credential: &Credential, signature_key: &[u8]) -> Result<Member, GroupError> {
    let identity = identity_of(credential)?;
    if signature_key != identity.device.0 {
        return Err(refuse("its signature key is not the device's".into()));
    }
    if !identity
        .log
        .certifies(identity.device)
        .map_err(|e| refuse(e.to_string()))?
    {
        return Err(refuse("its account doesn't certify the device".into()));
    }
    Ok(Member {
        leaf,
        account: identity.account(),
        device: identity.device,
    })
}

pub(super) struct LeafSigner<'a>(pub(super) &'a DeviceSecret);

impl Signer for LeafSigner<'_> {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        Ok(self.0.sign_mls(payload).to_vec())
    }
    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

/// MLS lifetimes are left open, since OpenMLS would compare them with the system's clock; cards carry the times that we check with
/// the given one.
pub(super) fn open_lifetime() -> Lifetime {
    Lifetime::init(0, u64::MAX)
}

pub(super) fn capabilities(suite: Suite) -> Capabilities {
    Capabilities::builder()
        .ciphersuites(vec![suite.mls()])
        .extensions(vec![
            ExtensionType::Unknown(ChatContext::EXTENSION),
            ExtensionType::LastResort,
        ])
        .build()
}
